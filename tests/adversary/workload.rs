//! Workloads: what makes pods, from its object, with the rules that its controller keeps to.

use serde_yaml::Value;

use super::files::Cluster;
use super::packaged;
use super::pod::Template;
use super::quantity::{count, each, text};

/// A number of pods, or a share of them in percent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Many {
    Pods(usize),
    Percent(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concurrency {
    /// At most so many runs at once, as the program says.
    Allow(usize),
    Forbid,
    /// So many runs may be on their way out when the next one is due.
    Replace(usize),
}

/// Pods of a run, and how they follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) pods: usize,
    pub(super) completions: Option<usize>,
    /// Whether a pod is replaced only when it has ended (`podReplacementPolicy: Failed`).
    pub(super) waits: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Deployment {
        surge: Many,
        unavailable: Many,
        recreate: bool,
    },
    ReplicaSet,
    StatefulSet {
        parallel: bool,
        by_hand: bool,
    },
    DaemonSet {
        surge: bool,
        by_hand: bool,
    },
    Job(Run),
    Cron(Run, Concurrency),
    Pod,
}

#[derive(Debug, Clone)]
pub(super) struct Workload {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) replicas: usize,
    /// Between how many an autoscaler moves it.
    pub(super) scale: Option<(usize, usize)>,
    pub(super) template: Template,
    /// Rollouts of one wave may happen at once.
    pub(super) wave: Option<String>,
    /// Of K3s, not of the program.
    pub(super) packaged: bool,
    /// Claims that each pod has for itself, by name.
    pub(super) claims: Vec<(String, Value)>,
}

pub(super) fn namespace(object: &Value) -> String {
    text(&object["metadata"]["namespace"]).unwrap_or_else(|| "default".to_owned())
}

impl Many {
    fn new(value: &Value, otherwise: Many) -> Many {
        match value {
            Value::Number(number) => Many::Pods(number.as_u64().unwrap_or(0) as usize),
            Value::String(text) => text
                .trim_end_matches('%')
                .parse()
                .map_or(otherwise, Many::Percent),
            _ => otherwise,
        }
    }

    pub(super) fn up(self, of: usize) -> usize {
        match self {
            Many::Pods(pods) => pods,
            Many::Percent(percent) => (percent * of).div_ceil(100),
        }
    }

    pub(super) fn down(self, of: usize) -> usize {
        match self {
            Many::Pods(pods) => pods,
            Many::Percent(percent) => percent * of / 100,
        }
    }
}

/// The least seconds between two times of a schedule, roughly and never too many.
fn period(schedule: &str) -> u64 {
    let minutes = schedule.split_whitespace().next().unwrap_or("*");
    match minutes {
        "@hourly" => 3600,
        "@daily" | "@midnight" | "@weekly" | "@monthly" | "@yearly" => 86_400,
        _ if minutes.chars().all(|c| c.is_ascii_digit()) => 3600,
        _ => {
            minutes
                .strip_prefix("*/")
                .and_then(|n| n.parse::<u64>().ok())
                .unwrap_or(1)
                * 60
        }
    }
}

fn run(spec: &Value) -> Run {
    let completions = count(&spec["completions"]);
    let pods = count(&spec["parallelism"]).unwrap_or(1);
    Run {
        pods: completions.map_or(pods, |all| all.min(pods)),
        completions,
        waits: spec["podReplacementPolicy"] == "Failed",
    }
}

fn kind(object: &Value, template: &Template, at_most: Option<usize>) -> Option<Kind> {
    let spec = &object["spec"];
    Some(match object["kind"].as_str()? {
        "Deployment" => {
            let rolling = &spec["strategy"]["rollingUpdate"];
            Kind::Deployment {
                surge: Many::new(&rolling["maxSurge"], Many::Percent(25)),
                unavailable: Many::new(&rolling["maxUnavailable"], Many::Percent(25)),
                recreate: spec["strategy"]["type"] == "Recreate",
            }
        }
        "ReplicaSet" | "ReplicationController" => Kind::ReplicaSet,
        "StatefulSet" => Kind::StatefulSet {
            parallel: spec["podManagementPolicy"] == "Parallel",
            by_hand: spec["updateStrategy"]["type"] == "OnDelete",
        },
        "DaemonSet" => {
            let surge = Many::new(
                &spec["updateStrategy"]["rollingUpdate"]["maxSurge"],
                Many::Pods(0),
            );
            Kind::DaemonSet {
                surge: surge.up(100) > 0,
                by_hand: spec["updateStrategy"]["type"] == "OnDelete",
            }
        }
        "Job" if spec["suspend"] == true => return None,
        "Job" => Kind::Job(run(spec)),
        "CronJob" if spec["suspend"] == true => return None,
        "CronJob" => {
            let run = run(&spec["jobTemplate"]["spec"]);
            let every = period(&text(&spec["schedule"]).unwrap_or_default());
            let policy = match spec["concurrencyPolicy"].as_str() {
                Some("Forbid") => Concurrency::Forbid,
                // A run that was due while nobody was there starts as soon as somebody is.
                Some("Replace") => {
                    Concurrency::Replace(template.grace.div_ceil(every) as usize + 1)
                }
                _ => Concurrency::Allow(at_most.map_or(3, |pods| pods / run.pods.max(1))),
            };
            Kind::Cron(run, policy)
        }
        "Pod" => Kind::Pod,
        _ => return None,
    })
}

/// Whether Helm runs an object for a test or a removal only.
fn is_beside_releases(object: &Value) -> bool {
    let hook = object["metadata"]["annotations"]["helm.sh/hook"].as_str();
    let beside = |event: &str| event.starts_with("test") || event.ends_with("-delete");
    hook.is_some_and(|hook| hook.split(',').all(|event| beside(event.trim())))
}

/// The workload of an object; none if it makes no pods.
pub(super) fn workload(object: &Value, at_most: Option<usize>, packaged: bool) -> Option<Workload> {
    if is_beside_releases(object) {
        return None;
    }
    let spec = &object["spec"];
    let pod = match object["kind"].as_str()? {
        "Pod" => object,
        "CronJob" => &spec["jobTemplate"]["spec"]["template"],
        _ => &spec["template"],
    };
    let mut template = Template::new(&namespace(object), pod);
    let kind = kind(object, &template, at_most)?;
    if matches!(kind, Kind::DaemonSet { .. }) {
        template.tolerate_as_daemon();
    }
    let claim = |value: &Value| Some((text(&value["metadata"]["name"])?, value["spec"].clone()));
    Some(Workload {
        name: text(&object["metadata"]["name"])?,
        kind,
        replicas: if matches!(kind, Kind::Pod) {
            1
        } else {
            count(&spec["replicas"]).unwrap_or(1)
        },
        scale: None,
        template,
        wave: text(&object["metadata"]["labels"]["bzc/wave"]),
        packaged,
        claims: each(&spec["volumeClaimTemplates"])
            .filter_map(claim)
            .collect(),
    })
}

/// All workloads of a cluster: its objects, K3s's own, and what the program says is there.
pub(super) fn workloads(cluster: &Cluster) -> Vec<Workload> {
    let servers = cluster.nodes.iter().any(|node| node.server);
    let packaged: Vec<Value> = if servers {
        packaged::objects(&cluster.off, &cluster.nodes, &cluster.objects)
    } else {
        Vec::new()
    };
    let at_most = |object: &Value| {
        text(&object["metadata"]["name"]).and_then(|name| cluster.at_most.get(&name).copied())
    };
    // The CoreDNS that bzc writes stands for the packaged one.
    let of_k3s = |object: &Value| {
        namespace(object) == "kube-system" && object["metadata"]["name"] == "coredns"
    };
    let mut found: Vec<Workload> = { cluster.objects.iter() }
        .filter_map(|object| workload(object, at_most(object), of_k3s(object)))
        .chain(
            packaged
                .iter()
                .filter_map(|object| workload(object, None, true)),
        )
        .collect();
    for object in cluster
        .objects
        .iter()
        .filter(|object| object["kind"] == "HorizontalPodAutoscaler")
    {
        let target = &object["spec"]["scaleTargetRef"]["name"];
        let place = namespace(object);
        let most = count(&object["spec"]["maxReplicas"]).unwrap_or(1);
        let least = count(&object["spec"]["minReplicas"]).unwrap_or(1);
        let scaled = |one: &&mut Workload| {
            target.as_str() == Some(&one.name) && one.template.namespace == place
        };
        for one in found.iter_mut().filter(scaled) {
            one.scale = Some((least.min(most), most));
            one.replicas = one.replicas.clamp(least.min(most), most);
        }
    }
    for other in &cluster.others {
        let limits = [("memory".to_owned(), other.limit)].into();
        let mut template = Template::plain("others", other.requests.clone(), limits);
        let kind = if other.every_node {
            template.tolerate_as_daemon();
            Kind::DaemonSet {
                surge: false,
                by_hand: true,
            }
        } else {
            Kind::ReplicaSet
        };
        found.push(Workload {
            name: other.name.clone(),
            kind,
            replicas: other.pods,
            scale: None,
            template,
            wave: None,
            packaged: true,
            claims: Vec::new(),
        });
    }
    found
}
