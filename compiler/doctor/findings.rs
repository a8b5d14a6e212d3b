//! What is wrong with a cluster, as far as memory is the reason: each thing with what shows it, and with the line of a
//! program that would change it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::read::{Cluster, Node, Pod, bytes, count, items, text};
use super::symptoms::Cause;
use crate::base::quantity::{MIB, in_mib};
use crate::base::text::few;

/// A container that uses so much of its limit, in percent, is close to it.
const CLOSE: u128 = 90;

/// Of long lists so many are named.
const SHOWN: usize = 4;

/// Something that is wrong.
#[derive(Debug)]
pub(super) struct Finding {
    pub cause: Cause,
    pub what: String,
    pub detail: Vec<String>,
    /// What a program would say.
    pub program: Option<String>,
}

impl Finding {
    fn new(cause: Cause, what: String) -> Finding {
        Finding {
            cause,
            what,
            detail: Vec::new(),
            program: None,
        }
    }

    fn program(mut self, line: String) -> Finding {
        self.program = Some(line);
        self
    }
}

/// All that is wrong, the worst first.
pub(super) fn findings(cluster: &Cluster<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in &cluster.nodes {
        found.extend(unreserved(node));
        found.extend(pressure(node));
        found.extend(overcommitted(cluster, node));
        found.extend(no_cgroup(node));
    }
    found.extend(evicted(cluster));
    for pod in cluster.alive() {
        found.extend(killed(pod));
        found.extend(pending(cluster, pod));
    }
    for deployment in &cluster.deployments {
        found.extend(stuck(cluster, deployment));
    }
    found.extend(cluster.quotas.iter().flat_map(|quota| full(quota)));
    found.extend(close(cluster));
    found.sort_by_key(|finding| finding.cause);
    found
}

/// Pods may take the memory that K3s and the OS need.
fn unreserved(node: &Node<'_>) -> Option<Finding> {
    let reserved = node.capacity.saturating_sub(node.allocatable);
    let now = node.used.as_ref().and_then(|used| {
        let (k3s, rest) = (used.k3s?, used.rest().unwrap_or(0));
        Some((k3s, rest))
    });
    let (name, capacity) = (node.name, in_mib(node.capacity));
    let needs = now.map(|(k3s, rest)| k3s.saturating_add(rest));
    let what = match (reserved, needs) {
        (0, None) => {
            format!(
                "nothing is reserved on `{name}`: pods may take all {capacity}, that of K3s and the OS too"
            )
        }
        (0, Some(needs)) => format!(
            "nothing is reserved on `{name}`: pods may take all {capacity}, and K3s and the OS have {} of it in use",
            in_mib(needs)
        ),
        (reserved, Some(needs)) if needs > reserved => format!(
            "on `{name}` {} are kept from pods, and K3s and the OS have {} in use, {} more",
            in_mib(reserved),
            in_mib(needs),
            in_mib(needs - reserved)
        ),
        _ => return None,
    };
    let line = match now {
        Some((k3s, rest)) => format!(
            "node {name} {{ reserve = {} }} and k3s {{ memory = {} }}, which this moment needs at the least",
            up(rest),
            up(k3s)
        ),
        None => {
            format!("node {name} {{ reserve = .. }} with what the OS takes; bzc counts K3s itself")
        }
    };
    Some(Finding::new(Cause::Unreserved, what).program(line))
}

/// In whole Mi, rounded up.
fn up(bytes: u64) -> String {
    in_mib(bytes.max(1).div_ceil(MIB).saturating_mul(MIB))
}

/// Conditions that the kubelet, or the lack of it, has set.
fn pressure(node: &Node<'_>) -> Option<Finding> {
    let conditions = || items(&node.object["status"]["conditions"]);
    let of = |kind: &str| conditions().find(|one| one["type"] == kind);
    let name = node.name;
    let not_ready = of("Ready").filter(|one| one["status"] != "True");
    let pressed = of("MemoryPressure").filter(|one| one["status"] == "True");
    let (what, condition) = match (not_ready, pressed) {
        (Some(condition), _) => (format!("node `{name}` is not ready"), condition),
        (None, Some(condition)) => (format!("node `{name}` is short of memory"), condition),
        (None, None) => return None,
    };
    let mut finding = Finding::new(Cause::Pressure, what);
    let since = text(&condition["lastTransitionTime"]);
    let message = one_line(text(&condition["message"]));
    if !since.is_empty() || !message.is_empty() {
        finding.detail.push(format!("since {since}: {message}"));
    }
    Some(finding)
}

/// A message of others on one line, without characters that move a terminal's cursor.
fn one_line(message: &str) -> String {
    let plain: String = { message.chars() }
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn overcommitted(cluster: &Cluster<'_>, node: &Node<'_>) -> Option<Finding> {
    let here = || cluster.alive().filter(|pod| pod.node == Some(node.name));
    let limits = here().map(|pod| pod.limit).fold(0, u64::saturating_add);
    let unlimited: Vec<&Pod<'_>> = here().filter(|pod| !pod.unlimited.is_empty()).collect();
    let over = limits.saturating_sub(node.allocatable);
    if over == 0 && unlimited.is_empty() {
        return None;
    }
    let (name, pods) = (node.name, in_mib(node.allocatable));
    let what = match (over, unlimited.len()) {
        (0, n) => format!(
            "on `{name}` {} no limit: {} may take all {pods}",
            match n {
                1 => "a pod has".to_owned(),
                n => format!("{n} pods have"),
            },
            if n == 1 { "it" } else { "each" }
        ),
        (over, 0) => format!(
            "limits of pods on `{name}` come to {}, {} more than the {pods} for pods",
            in_mib(limits),
            in_mib(over)
        ),
        (over, n) => format!(
            "limits of pods on `{name}` come to {}, {} more than the {pods} for pods, and {} no limit at all",
            in_mib(limits),
            in_mib(over),
            match n {
                1 => "1 pod has".to_owned(),
                n => format!("{n} pods have"),
            }
        ),
    };
    let mut finding = Finding::new(Cause::Overcommitted, what);
    if !unlimited.is_empty() {
        let names = unlimited.iter().map(|pod| {
            let containers = pod.unlimited.join(", ");
            format!("{} ({containers})", pod.shown())
        });
        finding.detail.push(format!(
            "without a limit: {}",
            few(&names.collect::<Vec<_>>(), SHOWN)
        ));
    }
    let mut largest: Vec<&Pod<'_>> = here().filter(|pod| pod.limit > pod.request).collect();
    largest.sort_by_key(|pod| std::cmp::Reverse(pod.limit - pod.request));
    if over > 0 && !largest.is_empty() {
        let names = largest.iter().map(|pod| {
            format!(
                "{} {} of {}",
                pod.shown(),
                in_mib(pod.request),
                in_mib(pod.limit)
            )
        });
        finding.detail.push(format!(
            "requests below limits: {}",
            few(&names.collect::<Vec<_>>(), SHOWN)
        ));
    }
    Some(finding.program("service .. { memory = 64Mi } is request and limit; adopt .. { unlimited = 256Mi } for manifests of others".to_owned()))
}

fn no_cgroup(node: &Node<'_>) -> Option<Finding> {
    let used = node.used.as_ref()?;
    let reads_nothing = used.pods.is_none() && used.containers.is_empty();
    reads_nothing.then(|| {
        Finding::new(
            Cause::NoCgroup,
            format!(
                "the kubelet of `{}` reads no memory of any container",
                node.name
            ),
        )
    })
}

/// Containers that were killed at their limit.
fn killed(pod: &Pod<'_>) -> Vec<Finding> {
    let status = &pod.object["status"];
    let statuses =
        items(&status["initContainerStatuses"]).chain(items(&status["containerStatuses"]));
    let mut found = Vec::new();
    for container in statuses {
        let ends = [
            &container["state"]["terminated"],
            &container["lastState"]["terminated"],
        ];
        let is_killed = |end: &&&Value| end["reason"] == "OOMKilled";
        let Some(end) = ends.iter().find(is_killed) else {
            continue;
        };
        let name = text(&container["name"]);
        let limit = limit_of(pod, name);
        let at = match limit {
            Some(bytes) => format!("at its limit of {}", in_mib(bytes)),
            None => "without a limit: the node itself had no memory left".to_owned(),
        };
        let restarts = container["restartCount"].as_u64().unwrap_or(0);
        let what = format!("`{name}` of {} was OOMKilled {at}", pod.shown());
        let mut finding = Finding::new(Cause::Killed, what);
        let again = match restarts {
            1 => "1 restart".to_owned(),
            n => format!("{n} restarts"),
        };
        let when = text(&end["finishedAt"]);
        let when = match when.is_empty() {
            true => String::new(),
            false => format!(", the last kill {when}"),
        };
        let waits = text(&container["state"]["waiting"]["reason"]);
        let waits = match waits.is_empty() {
            true => String::new(),
            false => format!(", now {waits}"),
        };
        finding.detail.push(format!("{again}{when}{waits}"));
        if let Some(bytes) = limit {
            finding.program = Some(format!(
                "service {} {{ memory = .. }} above {}",
                owner(pod),
                in_mib(bytes)
            ));
        }
        found.push(finding);
    }
    found
}

/// What the pod was made from, by its name: that of a Deployment's pods has two parts more.
fn owner(pod: &Pod<'_>) -> String {
    let owners = items(&pod.object["metadata"]["ownerReferences"]);
    let Some(owner) = owners.clone().next() else {
        return pod.name.to_owned();
    };
    let name = text(&owner["name"]);
    let short = match text(&owner["kind"]) {
        "ReplicaSet" => name.rsplit_once('-').map_or(name, |(short, _)| short),
        _ => name,
    };
    short.to_owned()
}

fn limit_of(pod: &Pod<'_>, container: &str) -> Option<u64> {
    let spec = &pod.object["spec"];
    let mut all = items(&spec["containers"]).chain(items(&spec["initContainers"]));
    let found = all.find(|one| one["name"] == container)?;
    bytes(&found["resources"]["limits"]["memory"])
}

/// Pods that the kubelet has ended; they stay until somebody deletes them.
fn evicted(cluster: &Cluster<'_>) -> Vec<Finding> {
    let mut by_owner: BTreeMap<(&str, String), Vec<&Pod<'_>>> = BTreeMap::new();
    for pod in &cluster.pods {
        if pod.object["status"]["reason"] == "Evicted" {
            let of = (pod.namespace, owner(pod));
            by_owner.entry(of).or_default().push(pod);
        }
    }
    let finding = |((namespace, owner), pods): ((&str, String), Vec<&Pod<'_>>)| {
        let n = pods.len();
        let verb = if n == 1 { "was" } else { "were" };
        let what = format!("{} of {namespace}/{owner} {verb} evicted", count(n, "pod"));
        let mut finding = Finding::new(Cause::Evicted, what);
        let message = pods
            .last()
            .map(|pod| text(&pod.object["status"]["message"]));
        let message = one_line(message.unwrap_or_default());
        if !message.is_empty() {
            finding.detail.push(message);
        }
        finding
    };
    by_owner.into_iter().map(finding).collect()
}

/// A pod that finds no node.
fn pending(cluster: &Cluster<'_>, pod: &Pod<'_>) -> Option<Finding> {
    if pod.node.is_some() || text(&pod.object["status"]["phase"]) != "Pending" {
        return None;
    }
    let conditions = items(&pod.object["status"]["conditions"]);
    let scheduled = { conditions.clone() }.find(|one| one["type"] == "PodScheduled");
    let message = scheduled.map_or("", |one| text(&one["message"]));
    let mut finding = match cluster.roomiest() {
        Some((node, free)) if pod.request > free => Finding::new(
            Cause::Pending,
            format!(
                "{} requests {}, and the most that is left is {} on `{node}`, {} too little",
                pod.shown(),
                in_mib(pod.request),
                in_mib(free),
                in_mib(pod.request - free)
            ),
        ),
        _ if message.contains("Insufficient memory") => Finding::new(
            Cause::Pending,
            format!(
                "{} requests {}, and finds no node",
                pod.shown(),
                in_mib(pod.request)
            ),
        ),
        // That it waits has another reason than memory.
        _ => return None,
    };
    let message = one_line(message);
    if !message.is_empty() {
        finding
            .detail
            .push(format!("the scheduler says: {message}"));
    }
    Some(finding.program(format!(
        "service {} {{ memory = .. }}: `bzc check` says what fits",
        owner(pod)
    )))
}

/// A whole number or a percentage of pods (pkg/util/intstr); rounded up for a surge.
fn share(value: &Value, default: u64, of: u64, is_surge: bool) -> u64 {
    let percent = |text: &str| text.strip_suffix('%')?.parse::<u64>().ok();
    let part = |percent: u64| match is_surge {
        true => percent.saturating_mul(of).div_ceil(100),
        false => percent.saturating_mul(of) / 100,
    };
    match value {
        Value::Number(number) => number.as_u64().unwrap_or(0),
        Value::String(text) => percent(text).map_or(0, part),
        _ => part(default),
    }
}

/// A Deployment whose rollout cannot end, now or the next time.
fn stuck(cluster: &Cluster<'_>, deployment: &Value) -> Option<Finding> {
    let (metadata, spec) = (&deployment["metadata"], &deployment["spec"]);
    let namespace = text(&metadata["namespace"]);
    let name = text(&metadata["name"]);
    let shown = format!("{namespace}/{name}");
    let replicas = spec["replicas"].as_u64().unwrap_or(1);
    let program = format!("service {name} {{ rollout = replace }}");
    let late = items(&deployment["status"]["conditions"])
        .find(|one| one["type"] == "Progressing" && one["reason"] == "ProgressDeadlineExceeded");
    if let Some(condition) = late {
        let what = format!("the rollout of {shown} does not end");
        let mut finding = Finding::new(Cause::Stuck, what);
        finding.detail.push(one_line(text(&condition["message"])));
        return Some(finding.program(program));
    }
    let rolling = &spec["strategy"]["rollingUpdate"];
    if replicas == 0 || spec["strategy"]["type"] == "Recreate" {
        return None;
    }
    let surge = share(&rolling["maxSurge"], 25, replicas, true);
    let unavailable = share(&rolling["maxUnavailable"], 25, replicas, false);
    if surge == 0 || unavailable > 0 {
        return None;
    }
    let theirs = cluster
        .alive()
        .find(|pod| pod.namespace == namespace && owner(pod) == name);
    let each = theirs?.request;
    let (node, free) = cluster.roomiest()?;
    if each <= free {
        return None;
    }
    let what = format!(
        "{shown} cannot be rolled out: a new pod must start before an old one ends, requests {}, and the most that is left is {} on `{node}`",
        in_mib(each),
        in_mib(free)
    );
    Some(Finding::new(Cause::Stuck, what).program(program))
}

/// Quotas of memory of which nothing is left.
fn full(quota: &Value) -> Vec<Finding> {
    let status = &quota["status"];
    let of = |key: &str| Some((bytes(&status["used"][key])?, bytes(&status["hard"][key])?));
    let keys = ["requests.memory", "limits.memory", "memory"];
    let full = keys.into_iter().filter_map(|key| {
        let (used, hard) = of(key)?;
        (used >= hard).then(|| {
            let metadata = &quota["metadata"];
            let what = format!(
                "quota {}/{}: {} of {} of {key} are taken, so that no new pod may start",
                text(&metadata["namespace"]),
                text(&metadata["name"]),
                in_mib(used),
                in_mib(hard)
            );
            Finding::new(Cause::Quota, what)
        })
    });
    full.collect()
}

/// Containers that are about to reach their limit.
fn close(cluster: &Cluster<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for pod in cluster.alive() {
        let node = cluster
            .nodes
            .iter()
            .find(|node| pod.node == Some(node.name));
        let Some(used) = node.and_then(|node| node.used.as_ref()) else {
            continue;
        };
        for container in items(&pod.object["spec"]["containers"]) {
            let name = text(&container["name"]);
            let key = (
                pod.namespace.to_owned(),
                pod.name.to_owned(),
                name.to_owned(),
            );
            let limit = bytes(&container["resources"]["limits"]["memory"]);
            if let (Some(used), Some(limit)) = (used.containers.get(&key), limit)
                && u128::from(*used) * 100 >= u128::from(limit) * CLOSE
            {
                let what = format!(
                    "`{name}` of {} has {} of its {} in use",
                    pod.shown(),
                    in_mib(*used),
                    in_mib(limit)
                );
                let line = format!(
                    "service {} {{ memory = .. }} above {}",
                    owner(pod),
                    in_mib(limit)
                );
                found.push(Finding::new(Cause::Close, what).program(line));
            }
        }
    }
    found
}
