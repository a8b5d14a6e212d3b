//! Clusters of which it is known what goes wrong in them, to see that a game finds it, and some in which nothing does.
//! Their files are written here, so that no change of the compiler changes them; their reports promise everything.

use std::fmt::Write;

use super::game::Events;
use super::{Written, broken};

/// The name of a machine, its memory and what is reserved of it in Mi, and more of its config.yaml.
type Machine<'t> = (&'t str, u64, u64, &'t str);

fn files(machines: &[Machine<'_>], objects: &str) -> Written {
    let mut report =
        "{theorems: [{id: T4, verdict: proved, why: []}, {id: T5, verdict: unknown}".to_owned();
    let mut nodes = String::new();
    let mut files = Vec::new();
    for (at, (name, memory, reserved, more)) in machines.iter().enumerate() {
        let role = if at == 0 { "server" } else { "agent" };
        let _ = write!(report, ", {{id: T2, node: {name}, verdict: proved}}");
        let _ = write!(
            nodes,
            "{{name: {name}, role: {role}, memoryBytes: {}, cpuMilli: 4000}}, ",
            memory << 20
        );
        let config = format!(
            "disable: [coredns, local-storage, metrics-server, traefik, servicelb]\nkubelet-arg: [\"kube-reserved=memory=\
             {reserved}Mi\", \"eviction-hard=memory.available<100Mi,nodefs.available<5%\"]\n{more}"
        );
        files.push((format!("k3s/{name}/config.yaml"), config.into_bytes()));
    }
    let _ = write!(
        report,
        "], nodes: [{nodes}], services: [], placement: {{kind: known}}}}"
    );
    files.push(("report.json".to_owned(), report.into_bytes()));
    files.push(("manifests/all.yaml".to_owned(), objects.as_bytes().to_vec()));
    files
}

/// A workload of pods with one container, from its kind, name, `spec` beside the template, request, limit, and what
/// else the pod has.
fn made(kind: &str, name: &str, spec: &str, request: u64, limit: u64, pod: &str) -> String {
    let limits = if limit == 0 {
        String::new()
    } else {
        format!("memory: {limit}Mi")
    };
    let resources = format!("{{requests: {{memory: {request}Mi}}, limits: {{{limits}}}}}");
    let spec = format!(
        "{spec}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{pod}, containers: \
         [{{name: c, resources: {resources}}}]}}}}"
    );
    format!("{{kind: {kind}, metadata: {{name: {name}}}, spec: {{{spec}}}}}\n---\n")
}

const CRITICAL: &str = "priorityClassName: system-cluster-critical";
const SURGE: &str = "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";
const REPLACE: &str = "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}";

#[test]
fn what_goes_wrong_is_found() {
    let one: &[Machine<'_>] = &[("a", 1000, 400, "")];
    let two: &[Machine<'_>] = &[("a", 2000, 400, ""), ("b", 1000, 400, "")];
    let plain = |name: &str, count: u64, size: u64| {
        made(
            "Deployment",
            name,
            &format!("replicas: {count}, {REPLACE}"),
            size,
            size,
            "hostPID: false",
        )
    };
    let rule = |kind: &str, spec: &str| {
        format!("{{kind: {kind}, metadata: {{name: r}}, spec: {{{spec}}}}}\n---\n")
    };
    let cases = [
        (
            "limits above requests, on one node",
            one,
            made("ReplicaSet", "w", "replicas: 3", 64, 256, "hostPID: false"),
            "T2 of a: the kernel kills",
        ),
        (
            "a limit between Allocatable and that of all pods",
            one,
            made("ReplicaSet", "w", "replicas: 2", 200, 280, "hostPID: false"),
            "T2 of a: the kubelet evicts",
        ),
        (
            "no limit",
            one,
            made("ReplicaSet", "w", "replicas: 1", 64, 0, "hostPID: false"),
            "T2 of a: a pod that nothing bounds",
        ),
        (
            "a claim for one pod at a time, and a surge",
            one,
            rule("PersistentVolumeClaim", "accessModes: [ReadWriteOncePod]")
                + &made(
                    "Deployment",
                    "w",
                    SURGE,
                    64,
                    64,
                    "volumes: [{name: d, persistentVolumeClaim: {claimName: r}}]",
                ),
            "T4: w: 0 of 1 run",
        ),
        (
            "a surge for which there is no room",
            one,
            made("Deployment", "w", SURGE, 300, 300, "hostPID: false"),
            "T4: w: 0 of 1 run",
        ),
        (
            "a pod of every node, larger than one",
            two,
            made(
                "DaemonSet",
                "w",
                "minReadySeconds: 0",
                600,
                600,
                "hostPID: false",
            ),
            "T4: w: 1 of 2 run",
        ),
        (
            "three pods into two nodes with room for two",
            two,
            plain("x", 3, 400) + &plain("y", 3, 350),
            "T4: x: 2 of 3 run",
        ),
        (
            "a critical pod whose surge is counted nowhere",
            one,
            plain("w", 2, 200) + &made("Deployment", "dns", SURGE, 80, 80, CRITICAL),
            "T4: w is pushed out by dns",
        ),
        (
            "max becomes the default of requests",
            one,
            rule("LimitRange", "limits: [{type: Container, max: {cpu: 3}}]") + &plain("w", 2, 64),
            "T4: w: 1 of 2 run",
        ),
        (
            "min refuses",
            one,
            rule(
                "LimitRange",
                "limits: [{type: Container, min: {memory: 65Mi}}]",
            ) + &plain("w", 1, 64),
            "T4: w: 0 of 1 run min",
        ),
        (
            "a pod is over the max of pods",
            one,
            rule("LimitRange", "limits: [{type: Pod, max: {memory: 63Mi}}]") + &plain("w", 1, 64),
            "T4: w: 0 of 1 run max",
        ),
        (
            "a ratio of limit and request",
            one,
            rule(
                "LimitRange",
                "limits: [{type: Container, maxLimitRequestRatio: {memory: 2}}]",
            ) + &made("ReplicaSet", "w", "replicas: 1", 64, 130, "hostPID: false"),
            "T4: w: 0 of 1 run ratio",
        ),
        (
            "a quota of pods",
            one,
            rule("ResourceQuota", "hard: {pods: 2}") + &plain("w", 3, 64),
            "T4: w: 2 of 3 run quota r: pods",
        ),
        (
            "a quota makes a word of each container compulsory",
            one,
            rule("ResourceQuota", "hard: {cpu: 3}") + &plain("w", 1, 64),
            "T4: w: 0 of 1 run quota r: no cpu",
        ),
        (
            "more pods than addresses",
            &[(
                "a",
                9000,
                400,
                "kubelet-arg+: []\nkube-controller-manager-arg: [node-cidr-mask-size=30]",
            )],
            plain("w", 2, 64),
            "T4: w: 1 of 2 run",
        ),
        (
            "what no node has",
            one,
            made(
                "ReplicaSet",
                "w",
                "replicas: 1",
                64,
                64,
                "nodeSelector: {disk: ssd}",
            ),
            "T4: w: 0 of 1 run",
        ),
        (
            "a taint",
            &[("a", 1000, 400, "node-taint: [\"x=true:NoSchedule\"]")],
            plain("w", 1, 64),
            "T4: w: 0 of 1 run",
        ),
    ];
    let events = Events {
        upgrades: true,
        loss: false,
        outages: false,
    };
    for (what, machines, objects, wanted) in cases {
        let found = broken(&files(machines, &objects), 60, 7, events);
        let found = found.unwrap_or_else(|why| vec![why]);
        assert!(
            found.iter().any(|fault| fault.starts_with(wanted)),
            "{what}: {found:#?}"
        );
    }
}

#[test]
fn nothing_is_found_where_nothing_goes_wrong() {
    let one: &[Machine<'_>] = &[("a", 1000, 400, "")];
    let plain = |name: &str, spec: &str, size: u64| {
        made("Deployment", name, spec, size, size, "hostPID: false")
    };
    let cases = [
        (
            "all by request and limit",
            plain("w", &format!("replicas: 5, {REPLACE}"), 100),
        ),
        (
            "a surge that fits",
            plain("w", &format!("replicas: 4, {SURGE}"), 100),
        ),
        (
            "pods that wait for those that end",
            plain("w", "replicas: 2, strategy: {type: Recreate}", 250),
        ),
        (
            "a gap that fits",
            made("StatefulSet", "w", "replicas: 2", 64, 250, "hostPID: false"),
        ),
        (
            "a set of pods, one after another",
            made(
                "StatefulSet",
                "w",
                "replicas: 2",
                250,
                250,
                "hostPID: false",
            ),
        ),
        (
            "a job",
            made(
                "Job",
                "w",
                "parallelism: 2, completions: 6",
                250,
                250,
                "restartPolicy: Never",
            ),
        ),
        (
            "runs that wait for none",
            format!(
                "{{kind: CronJob, metadata: {{name: c}}, spec: {{schedule: \"* * * * *\", concurrencyPolicy: Forbid, jobTemplate: \
                 {}}}}}",
                made(
                    "Job",
                    "w",
                    "parallelism: 1",
                    500,
                    500,
                    "restartPolicy: Never"
                )
                .trim_end_matches("\n---\n")
            ),
        ),
    ];
    let events = Events {
        upgrades: true,
        loss: false,
        outages: false,
    };
    for (what, objects) in cases {
        let found = broken(&files(one, &objects), 60, 7, events);
        assert_eq!(found, Ok(Vec::new()), "{what}");
    }
}
