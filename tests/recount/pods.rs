//! What the pods of each kind of workload count for, by the rules of Kubernetes: its formula for the containers of a
//! pod, and how many pods each controller makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::cron::replaced_at_once;
use super::dump::is_idle;
use super::hooks::{Hook, Moment, Phase, hook_of, release_of};
use super::{Faults, MIB, bytes, is_kind, milli, name_of, scalar};

/// Request and limit of one pod.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pod {
    pub(super) request: u128,
    pub(super) limit: u128,
    pub(super) cpu: u128,
}

/// What makes pods, of whatever kind.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) pod: Pod,
    /// Its kind and name.
    pub(super) object: String,
    /// The container that stands beside no other.
    pub(super) main: Pod,
    /// At rest; of one that an autoscaler scales, at its most.
    pub(super) replicas: u128,
    pub(super) surge: u128,
    /// Pods that may exist at once, those that are told to end among them.
    pub(super) ending: u128,
    /// Whether its class of priority is one that bzc did not write: of those nothing says that they do not push out.
    pub(super) preempts: bool,
    /// What one pod asks for of resources that are counted by their names.
    pub(super) asks: BTreeMap<String, u128>,
    pub(super) secrets: u128,
    /// Which rollouts may happen beside its own: those of this name, or all.
    pub(super) wave: Option<String>,
    /// What runs of its release while Helm runs it, if it is a hook: its surge is there then only.
    pub(super) hook: Option<Phase>,
    /// The release it is of.
    pub(super) release: Option<String>,
    /// The nodes that take its pods.
    pub(super) nodes: Vec<bool>,
    /// Whether a node has one of its pods at most.
    pub(super) one_on_a_node: bool,
    pub(super) is_daemon: bool,
    /// Whether others wrote it.
    pub(super) is_adopted: bool,
}

impl Workload {
    /// Pods that must find room at once. What may push out others does so while those before it are still ending.
    pub(super) fn peak(&self) -> u128 {
        let all = match self.preempts {
            true => self.ending,
            false => self.replicas + self.surge,
        };
        // Of pods that must not share a node there are no more than nodes that take them.
        match self.one_on_a_node && !self.is_daemon {
            true => all.min(self.nodes.iter().filter(|takes| **takes).count() as u128),
            false => all,
        }
    }

    /// Pods that must find room at once while a wave is rolled out, and Helm runs a hook, if it does.
    pub(super) fn pods(&self, at: &Moment) -> u128 {
        if self.hook.is_some() {
            let runs = at
                .hook
                .as_ref()
                .is_some_and(|hook| hook.object == self.object);
            return if runs { self.peak() } else { 0 };
        }
        let of_release = |hook: &&Hook| hook.release.is_some() && hook.release == self.release;
        let surges = self.wave.is_none() || self.wave == at.wave;
        match at.hook.as_ref().filter(of_release).map(|hook| hook.phase) {
            Some(Phase::Before) => 0,
            Some(Phase::Rest) => self.replicas,
            _ if surges => self.peak(),
            _ => self.replicas,
        }
    }

    /// How many of `pods` of its pods may be on a node.
    pub(super) fn on(&self, node: usize, pods: u128) -> u128 {
        match (self.nodes[node], self.one_on_a_node) {
            (false, _) => 0,
            // A DaemonSet that surges has a new pod beside the old one.
            (true, true) if self.is_daemon && self.surge > 0 => pods.min(2),
            (true, true) => pods.min(1),
            (true, false) => pods,
        }
    }
}

/// `memory` out of `requests` or `limits`.
fn resource(container: &Value, which: &str, what: &str) -> Option<String> {
    scalar(&container["resources"][which][what])
}

/// Request or limit of a pod: the containers and the sidecars together, or an init container with the sidecars
/// before it, whichever is more.
pub(super) fn pod_sum(spec: &Value, of: &dyn Fn(&Value) -> u128) -> u128 {
    let none = Vec::new();
    let list = |key: &str| spec[key].as_sequence().unwrap_or(&none).clone();
    let mut sidecars = 0;
    let mut most = 0;
    for container in list("initContainers") {
        if container["restartPolicy"].as_str() == Some("Always") {
            sidecars += of(&container);
            most = most.max(sidecars);
        } else {
            most = most.max(sidecars + of(&container));
        }
    }
    let together = sidecars + list("containers").iter().map(of).sum::<u128>();
    together.max(most)
}

/// Request and limit of one container. One without a limit may be assumed to take an amount.
fn container_of(container: &Value, assumed: u128) -> Pod {
    let memory = |which: &str| {
        resource(container, which, "memory")
            .and_then(|text| bytes(&text))
            .unwrap_or(0)
    };
    let cpu =
        resource(container, "requests", "cpu").or_else(|| resource(container, "limits", "cpu"));
    // The API server makes a request of a limit that stands alone. What has no limit is counted as what it requests.
    let request = if resource(container, "requests", "memory").is_some() {
        memory("requests")
    } else {
        memory("limits")
    };
    let limit = if resource(container, "limits", "memory").is_some() {
        memory("limits")
    } else {
        request.max(assumed)
    };
    Pod {
        request,
        limit,
        cpu: cpu.and_then(|text| milli(&text)).unwrap_or(0),
    }
}

fn pod_of(spec: &Value, assumed: u128) -> Pod {
    Pod {
        request: pod_sum(spec, &|c| container_of(c, assumed).request),
        limit: pod_sum(spec, &|c| container_of(c, assumed).limit),
        cpu: pod_sum(spec, &|c| container_of(c, assumed).cpu),
    }
}

/// `maxSurge` or `maxUnavailable`: a number, or a percentage of the replicas rounded up or down.
fn part(value: &Value, replicas: u128, up: bool) -> Option<u128> {
    let text = match value {
        Value::Null => "25%".to_owned(),
        other => scalar(other)?,
    };
    match text.strip_suffix('%') {
        None => text.parse().ok(),
        Some(percent) => {
            let product = percent.parse::<u128>().ok()? * replicas;
            Some(if up {
                product.div_ceil(100)
            } else {
                product / 100
            })
        }
    }
}

/// The kinds of object that make pods.
pub(super) const WORKLOADS: [&str; 8] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
];

/// What the pods of a workload are made of.
pub(super) fn pod_template(object: &Value) -> &Value {
    let spec = if is_kind(object, "CronJob") {
        &object["spec"]["jobTemplate"]["spec"]
    } else {
        &object["spec"]
    };
    if is_kind(object, "Pod") {
        spec
    } else {
        &spec["template"]["spec"]
    }
}

/// How many pods there are at rest, how many more a rollout starts, and how many may be there at once, those that are
/// told to end among them.
type Counts = (u128, u128, u128);

/// Of a Deployment. Its autoscaler, if it has one, may take it to `most` pods.
fn deployment(object: &Value, most: Option<u128>, faults: &mut Faults) -> Option<Counts> {
    let spec = &object["spec"];
    let name = name_of(object);
    faults.holds(most.is_none() || spec["replicas"].is_null(), || {
        format!("{name}: each apply would undo what its autoscaler decided")
    });
    let replicas = most.unwrap_or(spec["replicas"].as_u64().map_or(1, u128::from));
    let strategy = &spec["strategy"];
    let recreates = strategy["type"].as_str() == Some("Recreate");
    let (surge, unavailable) = match recreates {
        true => {
            faults.holds(strategy["rollingUpdate"].is_null(), || {
                "Recreate with rollingUpdate".to_owned()
            });
            (0, replicas)
        }
        false => {
            let rolling = &strategy["rollingUpdate"];
            // The new pods of a rollout are never more than the replicas.
            let surge = part(&rolling["maxSurge"], replicas, true)?.min(replicas);
            let unavailable = part(&rolling["maxUnavailable"], replicas, false)?;
            // The API refuses two written zeros; two percentages that come to nothing mean one unavailable.
            let written =
                |value: &Value| scalar(value).is_some_and(|text| text == "0" || text == "0%");
            faults.holds(
                !(written(&rolling["maxSurge"]) && written(&rolling["maxUnavailable"])),
                || format!("{name}: the API refuses maxSurge 0 with maxUnavailable 0"),
            );
            (
                surge,
                if surge == 0 && unavailable == 0 {
                    1
                } else {
                    unavailable
                },
            )
        }
    };
    faults.holds(replicas == 0 || surge + unavailable > 0, || {
        format!("{name}: a rollout cannot move")
    });
    // Each replica leaves once while its successor is there already: in a rollout, or with `Recreate` when somebody
    // deletes it, for a ReplicaSet does not count pods that end.
    Some((replicas, surge, replicas + replicas.max(surge)))
}

/// Of a Job, or of one run of a CronJob: so many pods at once. A pod that is told to end has its successor at once,
/// unless the Job waits until it has failed.
fn job(spec: &Value) -> Counts {
    let parallelism = spec["parallelism"].as_u64().map_or(1, u128::from);
    let waits = spec["podReplacementPolicy"].as_str() == Some("Failed");
    (
        parallelism,
        0,
        if waits { parallelism } else { 2 * parallelism },
    )
}

/// Of a CronJob. How many runs may overlap with `Allow` stands in no manifest: the report says it, and can only say a
/// whole number of runs.
fn cron_job(object: &Value, stated: &Value, faults: &mut Faults) -> Option<Counts> {
    let (pods, _, ending) = job(&object["spec"]["jobTemplate"]["spec"]);
    Some(match object["spec"]["concurrencyPolicy"].as_str()? {
        // The next run waits until the pods of the last one have ended.
        "Forbid" => (pods, 0, ending),
        // The last run is told to end, and the next one comes at once. Those before it may not have ended.
        "Replace" => {
            let outlived = replaced_at_once(
                object["spec"]["schedule"].as_str().unwrap_or_default(),
                pod_template(object)["terminationGracePeriodSeconds"]
                    .as_u64()
                    .unwrap_or(30),
            );
            (pods, 0, outlived * pods + ending)
        }
        _ => {
            let stated = stated["podsAtPeak"].as_u64().map_or(0, u128::from);
            faults.holds(stated > 0 && stated.is_multiple_of(pods), || {
                format!(
                    "{}: {stated} pods are no whole number of runs of {pods}",
                    name_of(object)
                )
            });
            (stated, 0, stated / pods * ending)
        }
    })
}

/// Whether an update of a DaemonSet starts a pod beside the old one.
pub(super) fn surges(object: &Value) -> bool {
    let strategy = &object["spec"]["updateStrategy"];
    let surge = scalar(&strategy["rollingUpdate"]["maxSurge"]);
    strategy["type"] != "OnDelete"
        && surge.is_some_and(|surge| !["0", "0%"].contains(&surge.as_str()))
}

/// `most` is what an autoscaler may take it to, `told` what the report says of it.
pub(super) fn workload(
    object: &Value,
    most: Option<u128>,
    stated: &Value,
    faults: &mut Faults,
) -> Option<Workload> {
    let spec = &object["spec"];
    let plain = |value: &Value, usual: &str| value.as_str().is_none_or(|text| text == usual);
    let (replicas, surge, ending) = match object["kind"].as_str()? {
        _ if is_idle(object) => (0, 0, 0),
        "Deployment" => deployment(object, most, faults)?,
        "Pod" => (1, 0, 1),
        "ReplicaSet" | "ReplicationController" => {
            let replicas = spec["replicas"].as_u64().map_or(1, u128::from);
            // Pods that end are not counted, so each may have its successor beside it.
            (replicas, 0, 2 * replicas)
        }
        "StatefulSet" => {
            // A pod comes when the one of its name has ended, so there are never more than the replicas.
            faults.holds(
                plain(&spec["updateStrategy"]["type"], "RollingUpdate"),
                || "updateStrategy".to_owned(),
            );
            let replicas = spec["replicas"].as_u64().map_or(1, u128::from);
            (replicas, 0, replicas)
        }
        "DaemonSet" => {
            // One on the one node, and the next when it has ended: unless an update may surge.
            faults.holds(!surges(object), || {
                format!("{}: an update surges", name_of(object))
            });
            (1, 0, 1)
        }
        "Job" => job(spec),
        "CronJob" => cron_job(object, stated, faults)?,
        _ => return None,
    };
    let pod = pod_template(object);
    let ends = is_kind(object, "Job") || is_kind(object, "CronJob");
    let policy = pod["restartPolicy"].as_str();
    faults.holds(
        if ends {
            policy == Some("OnFailure")
        } else {
            policy.is_none()
        },
        || {
            format!(
                "{}: the API refuses restartPolicy {policy:?}",
                name_of(object)
            )
        },
    );
    check_mounts(object, faults);
    let volumes = pod["volumes"].as_sequence().map_or(&[][..], Vec::as_slice);
    // A projected volume is in memory as well, with every Secret among its sources.
    let sources = volumes
        .iter()
        .filter(|volume| {
            let name = volume["name"].as_str();
            !name.is_some_and(|name| name.starts_with("kube-api-access-"))
        })
        .filter_map(|volume| volume["projected"]["sources"].as_sequence())
        .flatten()
        .filter(|source| !source["secret"].is_null() || !source["configMap"].is_null());
    let mounted = volumes.iter().filter(|holder| !holder["secret"].is_null());
    let secrets = mounted.chain(sources).count() as u128;
    // What the program assumes stands in no file but the report.
    let assumed = stated["adopted"]["assumedBytes"]
        .as_u64()
        .map_or(0, u128::from);
    let main = container_of(&pod["containers"][0], assumed);
    let wave = object["metadata"]["labels"]["bzc/wave"]
        .as_str()
        .filter(|_| surge > 0)
        .map(str::to_owned);
    let (nodes, is_daemon) = (vec![true], is_kind(object, "DaemonSet"));
    let hook = hook_of(object).filter(|_| replicas > 0);
    let (replicas, surge) = match hook {
        Some(_) => (0, replicas),
        None => (replicas, surge),
    };
    let place = stated["adopted"]["manifest"].as_str();
    let path = place.and_then(|place| place.split(':').next());
    let (pod, one_on_a_node) = (pod_of(pod, assumed), is_daemon);
    let is_adopted = false;
    Some(Workload {
        pod,
        main,
        replicas,
        surge,
        ending,
        preempts: false,
        secrets,
        asks: BTreeMap::new(),
        wave,
        hook,
        release: path.and_then(|path| release_of(object, path)),
        object: format!("{} {}", object["kind"].as_str()?, name_of(object)),
        nodes,
        one_on_a_node,
        is_daemon,
        is_adopted,
    })
}

/// All containers of a pod, with whether they stand beside the main one.
fn containers(pod: &Value) -> impl Iterator<Item = (&Value, bool)> {
    let list = |key: &str| pod[key].as_sequence().map_or(&[][..], Vec::as_slice).iter();
    list("containers")
        .map(|container| (container, false))
        .chain(list("initContainers").map(|c| (c, true)))
}

/// Containers have different names, and what they mount is a volume of the pod or a claim of its StatefulSet.
fn check_mounts(object: &Value, faults: &mut Faults) {
    let pod = pod_template(object);
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for volume in pod["volumes"].as_sequence().into_iter().flatten() {
        known.extend(volume["name"].as_str());
    }
    for claim in object["spec"]["volumeClaimTemplates"]
        .as_sequence()
        .into_iter()
        .flatten()
    {
        faults.holds(known.insert(name_of(claim)), || {
            format!("two volumes {}", name_of(claim))
        });
    }
    let mut names = BTreeSet::new();
    for (container, _) in containers(pod) {
        let name = container["name"].as_str().unwrap_or_default();
        faults.holds(names.insert(name), || {
            format!("{}: two containers {name}", name_of(object))
        });
        let mut paths = BTreeSet::new();
        for mount in container["volumeMounts"]
            .as_sequence()
            .into_iter()
            .flatten()
        {
            let (volume, path) = (
                mount["name"].as_str().unwrap_or_default(),
                mount["mountPath"].as_str(),
            );
            faults.holds(known.contains(volume), || {
                format!("{name} mounts {volume}, which is no volume")
            });
            faults.holds(paths.insert(path), || {
                format!("{name} mounts two volumes at {path:?}")
            });
        }
    }
}

/// What each HorizontalPodAutoscaler may take its Deployment to, by the name of that.
pub(super) fn autoscaled(objects: &[Value], faults: &mut Faults) -> Option<BTreeMap<String, u128>> {
    let mut found = BTreeMap::new();
    for scaler in objects
        .iter()
        .filter(|object| is_kind(object, "HorizontalPodAutoscaler"))
    {
        let (spec, target) = (&scaler["spec"], &scaler["spec"]["scaleTargetRef"]);
        let name = target["name"].as_str()?;
        let (least, most) = (
            spec["minReplicas"].as_u64().unwrap_or(1),
            spec["maxReplicas"].as_u64()?,
        );
        faults.holds(least > 0 && least <= most, || {
            format!("{name}: scales from {least} to {most}")
        });
        let scaled = objects.iter().find(|object| {
            name_of(object) == name
                && object["kind"] == target["kind"]
                && object["apiVersion"] == target["apiVersion"]
        });
        faults.holds(
            scaled.is_some_and(|object| is_kind(object, "Deployment")),
            || format!("{name} is not there"),
        );
        // A share of the request: without one the metric is missing, and nothing is ever scaled.
        for (container, _) in scaled
            .into_iter()
            .flat_map(|object| containers(pod_template(object)))
        {
            let once =
                container["restartPolicy"].is_null() && container["name"].as_str() != Some(name);
            faults.holds(once || container_of(container, 0).cpu > 0, || {
                format!("{name}: a container without CPU")
            });
        }
        faults.holds(
            found.insert(name.to_owned(), u128::from(most)).is_none(),
            || format!("{name}: scaled twice"),
        );
    }
    Some(found)
}

/// Every container has request and limit, and they are one unless the report calls the service bursting.
pub(super) fn check_containers(object: &Value, may_burst: bool, faults: &mut Faults) {
    for (container, beside) in containers(pod_template(object)) {
        let name = name_of(object);
        let request = resource(container, "requests", "memory").and_then(|text| bytes(&text));
        let limit = resource(container, "limits", "memory").and_then(|text| bytes(&text));
        faults.holds(request.is_some_and(|n| n > 0), || {
            format!("{name}: a container without memory request")
        });
        faults.holds(limit.is_some_and(|n| n >= 12 * MIB), || {
            format!("{name}: limit {limit:?} is no limit to live in")
        });
        faults.holds(request <= limit, || {
            format!("{name}: request {request:?} above limit {limit:?}")
        });
        faults.holds(may_burst && !beside || request == limit, || {
            format!("{name}: request {request:?}, limit {limit:?}")
        });
    }
}

#[test]
fn rollouts_round_as_kubernetes_does() {
    let percent = Value::String("34%".to_owned());
    assert_eq!(
        (part(&percent, 3, true), part(&percent, 3, false)),
        (Some(2), Some(1))
    );
    assert_eq!(
        (part(&Value::Null, 1, true), part(&Value::Null, 1, false)),
        (Some(1), Some(0))
    );
}

/// One case of Kubernetes' formula: the init containers in order, each with whether it stays, the others, and what the
/// pod counts for.
type PodCase = (&'static str, &'static [(bool, u128)], &'static [u128], u128);

/// What `PodRequests` of Kubernetes' component-helpers says of each. It has a table of its own; these are the same
/// situations with other numbers.
const PODS: [PodCase; 18] = [
    ("one container", &[], &[40], 40),
    ("containers run together", &[], &[40, 9], 49),
    (
        "an init container smaller than what follows",
        &[(false, 30)],
        &[40, 9],
        49,
    ),
    (
        "an init container larger than what follows",
        &[(false, 60)],
        &[40, 9],
        60,
    ),
    (
        "an init container as large as what follows",
        &[(false, 49)],
        &[40, 9],
        49,
    ),
    (
        "init containers run one after another",
        &[(false, 30), (false, 45), (false, 20)],
        &[40],
        45,
    ),
    ("a sidecar runs beside the others", &[(true, 10)], &[40], 50),
    (
        "several sidecars do",
        &[(true, 10), (true, 7), (true, 3)],
        &[40, 9],
        69,
    ),
    (
        "a sidecar before an init container runs beside it",
        &[(true, 10), (false, 45)],
        &[40],
        55,
    ),
    (
        "and where that is less, it does not count",
        &[(true, 10), (false, 35)],
        &[40],
        50,
    ),
    (
        "a sidecar after an init container has not begun yet",
        &[(false, 55), (true, 10)],
        &[40],
        55,
    ),
    (
        "but runs beside what follows",
        &[(false, 45), (true, 10)],
        &[40],
        50,
    ),
    (
        "each init container has the sidecars before it",
        &[(false, 70), (true, 10), (false, 65)],
        &[40],
        75,
    ),
    (
        "the first one may be the largest all the same",
        &[(false, 80), (true, 10), (false, 65)],
        &[40],
        80,
    ),
    (
        "sidecars on both sides",
        &[(true, 10), (false, 55), (true, 20)],
        &[40],
        70,
    ),
    (
        "sidecars on both sides, and a large one between",
        &[(true, 10), (false, 65), (true, 20)],
        &[40],
        75,
    ),
    (
        "three steps",
        &[
            (true, 5),
            (false, 50),
            (true, 6),
            (false, 50),
            (true, 7),
            (false, 50),
        ],
        &[40],
        68,
    ),
    (
        "sidecars larger than all else",
        &[(true, 90), (false, 10), (true, 80)],
        &[12],
        182,
    ),
];

#[test]
fn pods_are_counted_as_kubernetes_does() {
    for (what, init, main, expected) in PODS {
        let container = |n: u128| {
            format!(
                "{{resources: {{requests: {{memory: {n}Mi, cpu: {n}m}}, limits: {{memory: {n}Mi}}}}"
            )
        };
        let init: Vec<String> = init
            .iter()
            .map(|(stays, n)| {
                format!(
                    "{}{}}}",
                    container(*n),
                    if *stays {
                        ", restartPolicy: Always"
                    } else {
                        ""
                    }
                )
            })
            .collect();
        let main: Vec<String> = main
            .iter()
            .map(|n| format!("{}}}", container(*n)))
            .collect();
        let text = format!(
            "{{initContainers: [{}], containers: [{}]}}",
            init.join(", "),
            main.join(", ")
        );
        let pod = pod_of(&serde_yaml::from_str(&text).expect("YAML"), 0);
        assert_eq!(
            (pod.request, pod.limit, pod.cpu),
            (expected * MIB, expected * MIB, expected),
            "{what}"
        );
    }
    // Requests and limits go their own ways.
    let pod = pod_of(
        &serde_yaml::from_str(
            "initContainers:
- {restartPolicy: Always, resources: {requests: {memory: 10Mi}, limits: {memory: 12Mi}}}
- {resources: {requests: {memory: 100Mi}, limits: {memory: 40Mi}}}
- {restartPolicy: Always, resources: {requests: {memory: 5Mi}, limits: {memory: 6Mi}}}
containers:
- {resources: {requests: {memory: 50Mi}, limits: {memory: 64Mi}}}",
        )
        .expect("YAML"),
        0,
    );
    assert_eq!((pod.request, pod.limit), (110 * MIB, 82 * MIB));
}

#[test]
fn pods_of_each_kind_are_counted_as_their_controllers_make_them() {
    let yaml = |text: &str| serde_yaml::from_str::<Value>(text).expect("YAML");
    let cron = |policy: &str| {
        format!(
            "{{kind: CronJob, spec: {{concurrencyPolicy: {policy}, jobTemplate: {{spec: {{parallelism: 2, \
             podReplacementPolicy: Failed, template: {{spec: {{restartPolicy: OnFailure}}}}}}}}}}}}"
        )
    };
    let pod = "template: {spec: {restartPolicy: OnFailure}}";
    for (text, most, stated, expected) in [
        (
            "{kind: Deployment, spec: {replicas: 4}}".to_owned(),
            None,
            "{}",
            ((4, 1, 8), 0),
        ),
        (
            "{kind: Deployment}".to_owned(),
            Some(6),
            "{}",
            ((6, 2, 12), 0),
        ),
        (
            "{kind: Deployment, spec: {replicas: 4}}".to_owned(),
            Some(6),
            "{}",
            ((6, 2, 12), 1),
        ),
        (
            "{kind: StatefulSet, spec: {replicas: 3}}".to_owned(),
            None,
            "{}",
            ((3, 0, 3), 0),
        ),
        ("{kind: DaemonSet}".to_owned(), None, "{}", ((1, 0, 1), 0)),
        (
            "{kind: DaemonSet, spec: {updateStrategy: {rollingUpdate: {maxSurge: 1}}}}".to_owned(),
            None,
            "{}",
            ((1, 0, 1), 1),
        ),
        (
            format!("{{kind: Job, spec: {{{pod}, parallelism: 3, podReplacementPolicy: Failed}}}}"),
            None,
            "{}",
            ((3, 0, 3), 0),
        ),
        (
            format!("{{kind: Job, spec: {{{pod}, parallelism: 3}}}}"),
            None,
            "{}",
            ((3, 0, 6), 0),
        ),
        (
            "{kind: Job, spec: {podReplacementPolicy: Failed}}".to_owned(),
            None,
            "{}",
            ((1, 0, 1), 1),
        ),
        (cron("Forbid"), None, "{}", ((2, 0, 2), 0)),
        (cron("Replace"), None, "{}", ((2, 0, 6), 0)),
        (cron("Allow"), None, "{podsAtPeak: 6}", ((6, 0, 6), 0)),
        (cron("Allow"), None, "{podsAtPeak: 5}", ((5, 0, 4), 1)),
    ] {
        let mut faults = Faults::default();
        let found = workload(&yaml(&text), most, &yaml(stated), &mut faults);
        let found = found.map(|found| (found.replicas, found.surge, found.ending));
        assert_eq!(
            (found, faults.0.len()),
            (Some(expected.0), expected.1),
            "{text}: {:?}",
            faults.0
        );
    }
}
