//! What people see and search for, and the line of the ledger that explains it.

use crate::base::text::wrapped;

/// Columns of a page without its margin.
const WIDTH: usize = 76;

/// Why a cluster misbehaves, as far as memory is the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// Pods may take what K3s and the OS need.
    Unreserved,
    /// A node was not ready, or short of memory, when it was asked.
    Pressure,
    /// The limits of pods come to more than there is.
    Overcommitted,
    /// A container was killed at its limit.
    Killed,
    /// The kubelet ended a pod because the node had too little memory.
    Evicted,
    /// A pod finds no node.
    Pending,
    /// A rollout waits for room that does not come.
    Stuck,
    /// A quota is full.
    Quota,
    /// A container is about to reach its limit.
    Close,
    /// The kernel counts no memory of containers.
    NoCgroup,
}

/// What is seen, by its cause.
const SEEN: [(&str, Cause); 25] = [
    ("TLS handshake timeout", Cause::Unreserved),
    ("http2: client connection lost", Cause::Unreserved),
    (
        "the server was unable to return a response in the time allotted",
        Cause::Unreserved,
    ),
    ("etcdserver: request timed out", Cause::Unreserved),
    ("apiserver not ready", Cause::Unreserved),
    ("context deadline exceeded", Cause::Unreserved),
    ("Slow SQL", Cause::Unreserved),
    (
        "the connection to the server was refused",
        Cause::Unreserved,
    ),
    ("NotReady", Cause::Pressure),
    ("MemoryPressure", Cause::Pressure),
    ("NodeStatusUnknown", Cause::Pressure),
    ("PLEG is not healthy", Cause::Pressure),
    ("SystemOOM", Cause::Overcommitted),
    ("Out of memory: Killed process", Cause::Overcommitted),
    ("OOMKilled", Cause::Killed),
    ("exit code 137", Cause::Killed),
    ("Memory cgroup out of memory", Cause::Killed),
    ("Evicted", Cause::Evicted),
    ("The node was low on resource: memory", Cause::Evicted),
    ("Insufficient memory", Cause::Pending),
    ("FailedScheduling", Cause::Pending),
    ("ProgressDeadlineExceeded", Cause::Stuck),
    ("exceeded quota", Cause::Quota),
    ("failed to find memory cgroup", Cause::NoCgroup),
    ("cgroup_enable=memory", Cause::NoCgroup),
];

/// Why that is, and what to do about it.
const fn why(cause: Cause) -> [&'static str; 2] {
    match cause {
        Cause::Unreserved => [
            "The API server of K3s is a part of the k3s process. If pods take the memory that it runs from, it reads its own pages from disk again and again, answers late or not at all, and kubectl gives up. Stock K3s reserves nothing: Allocatable is all that the machine has.",
            "Reserve what K3s and the OS need: `reserve` of the node and `memory` in `k3s` of a program become kube-reserved and system-reserved, and no pod gets that memory.",
        ],
        Cause::Pressure => [
            "The kubelet reports neither in time or finds less memory free than its eviction threshold. Pods are then evicted, or, after five minutes without a report, given to other nodes.",
            "Find out who takes the memory: `bzc doctor` sets what is in use against what is reserved and requested on each node.",
        ],
        Cause::Overcommitted => [
            "Limits say what pods may take, requests what the scheduler counts. Where limits come to more than the node has, all is well until several pods take what they may at once; then the kernel kills some process, perhaps that of a pod that did nothing wrong.",
            "Give each container one number for both, as bzc does, or lower limits until they fit: non-interference is proved then.",
        ],
        Cause::Killed => [
            "The container wanted more memory than its limit, and the kernel killed it. Kernel memory, page cache that is in use and the pod's own process count towards the limit, and a start often needs more than anything later.",
            "Raise `memory` of the service above the limit at which it was killed, and measure it: `bzc explain evidence.verdict`.",
        ],
        Cause::Evicted => [
            "The node had less memory free than the kubelet's threshold, and the kubelet ended the pod. It takes pods first that use more than they request.",
            "Requests equal to limits, and a reserve for K3s and the OS: then no pod that is within its limit is evicted (T2, `bzc explain proof.interference`).",
        ],
        Cause::Pending => [
            "What is not yet requested on any node is less than what the pod requests. What is in use does not matter to the scheduler, nor do limits.",
            "Lower requests to what is needed, take pods away, or take a larger machine: `bzc check` says by how much a program does not fit, and what would help.",
        ],
        Cause::Stuck => [
            "By default a Deployment starts a new pod before an old one ends (maxSurge 25%, rounded up), so that one replica needs twice its memory for a rollout. Where that is not free, the new pod stays Pending and the old one never ends.",
            "`rollout = replace` of a service lets an old pod end first and needs no room; bzc counts the surge of every other rollout (T4).",
        ],
        Cause::Quota => [
            "The namespace has a ResourceQuota, and the pod would be above it. New pods of a rollout count beside the old ones.",
            "`bzc check` counts adopted quotas at the peak of a rollout; raise the quota, or let old pods end first.",
        ],
        Cause::Close => [
            "The working set of the container is nearly its limit. A part of that can be page cache that the kernel takes back; the rest is the next kill.",
            "Measure what it needs, and raise `memory`.",
        ],
        Cause::NoCgroup => [
            "The kernel counts no memory of containers, so that no limit holds and the kubelet reads 0 bytes. Raspberry Pi OS turns the memory cgroup off.",
            "Add `cgroup_memory=1 cgroup_enable=memory` to the line in /boot/firmware/cmdline.txt, and restart the machine.",
        ],
    }
}

/// What is seen of a cause.
pub(super) fn of(cause: Cause) -> Vec<&'static str> {
    let seen = SEEN.iter().filter(|(_, of)| *of == cause);
    seen.map(|(phrase, _)| *phrase).take(4).collect()
}

/// The page about a symptom: of the longest phrase that the topic has in it.
pub(crate) fn page(topic: &str) -> Option<String> {
    let topic = topic.to_lowercase();
    let named = SEEN
        .iter()
        .filter(|(phrase, _)| topic.contains(&phrase.to_lowercase()));
    let (phrase, cause) = named.max_by_key(|(phrase, _)| phrase.len())?;
    let [why, what] = why(*cause);
    let mut out = format!("{phrase}\n");
    for text in [
        why,
        what,
        "`bzc doctor` looks whether that is so in your cluster, and changes nothing.",
    ] {
        out.push('\n');
        for line in wrapped(text, WIDTH) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    Some(out)
}
