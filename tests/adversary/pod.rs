//! Pods, from the template of a workload: what they ask for, and where they may go.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::quantity::{Amount, Resources, each, resources, text, texts};

#[derive(Debug, Clone, Default)]
pub(super) struct Container {
    pub(super) requests: Resources,
    pub(super) limits: Resources,
    /// An init container that stays (`restartPolicy: Always`).
    pub(super) stays: bool,
    ports: Vec<(u64, String)>,
}

/// A taint: key, value and effect. A toleration: the same, each of them empty for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taint {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) effect: String,
}

#[derive(Debug, Clone)]
struct Toleration {
    key: String,
    /// None for `Exists`.
    value: Option<String>,
    effect: String,
}

/// Pods that match, and the label of nodes within whose value they count.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) selector: Value,
    pub(super) topology: String,
    /// At most so many more than where there are fewest; of a spread constraint.
    pub(super) skew: i64,
    namespaces: Vec<String>,
    taints_count: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) containers: Vec<Container>,
    pub(super) init: Vec<Container>,
    /// Resources of the pod as a whole, which replace the sums over its containers.
    whole: Option<Container>,
    pub(super) class: Option<String>,
    pub(super) priority: i64,
    pub(super) never_preempts: bool,
    selector: BTreeMap<String, String>,
    affinity: Vec<Value>,
    pub(super) anti: Vec<Term>,
    pub(super) together: Vec<Term>,
    pub(super) spread: Vec<Term>,
    tolerations: Vec<Toleration>,
    pub(super) ports: BTreeSet<(u64, String)>,
    pub(super) host_network: bool,
    pub(super) claims: Vec<String>,
    pub(super) host_folders: bool,
    /// Whether a ResourceQuota calls it Terminating: it has an activeDeadlineSeconds.
    pub(super) deadline: bool,
    pub(super) grace: u64,
    gated: bool,
}

fn container(value: &Value) -> Container {
    let port = |port: &Value| {
        let protocol = text(&port["protocol"]).unwrap_or_else(|| "TCP".to_owned());
        Some((port["hostPort"].as_u64()?, protocol))
    };
    Container {
        requests: resources(&value["resources"]["requests"]),
        limits: resources(&value["resources"]["limits"]),
        stays: value["restartPolicy"] == "Always",
        ports: each(&value["ports"]).filter_map(port).collect(),
    }
}

fn term(value: &Value) -> Term {
    Term {
        selector: value["labelSelector"].clone(),
        topology: text(&value["topologyKey"]).unwrap_or_default(),
        skew: value["maxSkew"].as_i64().unwrap_or(0),
        namespaces: each(&value["namespaces"]).filter_map(text).collect(),
        taints_count: value["nodeTaintsPolicy"] == "Honor",
    }
}

impl Template {
    /// From `metadata` and `spec` of a pod or of the template of one.
    pub(super) fn new(namespace: &str, value: &Value) -> Template {
        let spec = &value["spec"];
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let terms = |kind: &str| {
            each(&spec["affinity"][kind][required])
                .map(term)
                .collect::<Vec<_>>()
        };
        let toleration = |value: &Value| Toleration {
            key: text(&value["key"]).unwrap_or_default(),
            value: (value["operator"] != "Exists")
                .then(|| text(&value["value"]).unwrap_or_default()),
            effect: text(&value["effect"]).unwrap_or_default(),
        };
        let volumes: Vec<&Value> = each(&spec["volumes"]).collect();
        let claim = |volume: &&Value| text(&volume["persistentVolumeClaim"]["claimName"]);
        let containers: Vec<Container> = each(&spec["containers"]).map(container).collect();
        let init: Vec<Container> = each(&spec["initContainers"]).map(container).collect();
        let stay = init.iter().filter(|container| container.stays);
        let ports = { containers.iter() }
            .chain(stay)
            .flat_map(|one| one.ports.clone());
        let spread = each(&spec["topologySpreadConstraints"]);
        Template {
            namespace: namespace.to_owned(),
            labels: texts(&value["metadata"]["labels"]),
            ports: ports.collect(),
            containers,
            init,
            whole: spec["resources"].is_mapping().then(|| container(spec)),
            class: text(&spec["priorityClassName"]),
            priority: 0,
            never_preempts: false,
            selector: texts(&spec["nodeSelector"]),
            affinity: each(&spec["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"])
                .cloned()
                .collect(),
            anti: terms("podAntiAffinity"),
            together: terms("podAffinity"),
            spread: spread
                .filter(|one| one["whenUnsatisfiable"] == "DoNotSchedule")
                .map(term)
                .collect(),
            tolerations: each(&spec["tolerations"]).map(toleration).collect(),
            host_network: spec["hostNetwork"] == true,
            claims: volumes.iter().filter_map(claim).collect(),
            host_folders: volumes.iter().any(|volume| volume["hostPath"].is_mapping()),
            deadline: spec["activeDeadlineSeconds"].is_number(),
            grace: spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(30),
            gated: spec["schedulingGates"]
                .as_sequence()
                .is_some_and(|gates| !gates.is_empty()),
        }
    }

    /// One container that asks for something and may have something, and nothing else is said of it.
    pub(super) fn plain(namespace: &str, requests: Resources, limits: Resources) -> Template {
        let container = Container {
            requests,
            limits,
            ..Container::default()
        };
        Template {
            namespace: namespace.to_owned(),
            containers: vec![container],
            ..Template::default()
        }
    }

    /// All containers, those that end before the others start among them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().chain(&self.init)
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Container> {
        self.containers.iter_mut().chain(&mut self.init)
    }

    /// What the pod asks for, or may use at most, by what its containers do (component-helpers, resource/helpers.go,
    /// PodRequests and PodLimits): containers and sidecars together, or an init container with the sidecars before it.
    fn together(&self, of: impl Fn(&Container) -> &Resources) -> Resources {
        let mut sum = Resources::new();
        let mut sidecars = Resources::new();
        let mut most = Resources::new();
        let add = |to: &mut Resources, from: &Resources| {
            for (name, amount) in from {
                *to.entry(name.clone()).or_default() += amount;
            }
        };
        self.containers
            .iter()
            .for_each(|one| add(&mut sum, of(one)));
        for one in &self.init {
            let mut now = sidecars.clone();
            add(&mut now, of(one));
            if one.stays {
                add(&mut sum, of(one));
                sidecars.clone_from(&now);
            }
            for (name, amount) in now {
                let known = most.entry(name).or_default();
                *known = amount.max(*known);
            }
        }
        for (name, amount) in most {
            let known = sum.entry(name).or_default();
            *known = amount.max(*known);
        }
        for (name, amount) in self.whole.iter().flat_map(&of) {
            sum.insert(name.clone(), *amount);
        }
        sum
    }

    pub(super) fn requests(&self) -> Resources {
        self.together(|one| &one.requests)
    }

    pub(super) fn limits(&self) -> Resources {
        self.together(|one| &one.limits)
    }

    /// The most memory that the kernel lets it have: nothing bounds it if one container has no limit
    /// (pkg/kubelet/cm/helpers_linux.go, ResourceConfigForPod).
    pub(super) fn most(&self) -> Option<Amount> {
        let has = |one: &Container| one.limits.get("memory").is_some_and(|limit| *limit > 0);
        let whole = self.whole.as_ref().is_some_and(has);
        (whole || self.all().all(has)).then(|| self.limits()["memory"])
    }

    /// Whether its containers say nothing of CPU and memory (pkg/apis/core/helper/qos).
    pub(super) fn best_effort(&self) -> bool {
        let given = |list: &Resources| {
            ["cpu", "memory"]
                .iter()
                .any(|name| list.get(*name) > Some(&0))
        };
        !self
            .all()
            .chain(&self.whole)
            .any(|one| given(&one.requests) || given(&one.limits))
    }

    pub(super) fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| {
            (toleration.effect.is_empty() || toleration.effect == taint.effect)
                && (toleration.key.is_empty() || toleration.key == taint.key)
                && toleration
                    .value
                    .as_ref()
                    .is_none_or(|value| *value == taint.value)
        })
    }

    /// What the DaemonSet controller adds (pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations).
    pub(super) fn tolerate_as_daemon(&mut self) {
        for key in [
            "not-ready",
            "unreachable",
            "disk-pressure",
            "memory-pressure",
            "pid-pressure",
            "unschedulable",
        ] {
            let key = format!("node.kubernetes.io/{key}");
            self.tolerations.push(Toleration {
                key,
                value: None,
                effect: String::new(),
            });
        }
    }

    /// nodeSelector and the required node affinity; of several terms one is enough.
    pub(super) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let one = |term: &Value| {
            let fields = each(&term["matchFields"]).all(|field| {
                let values: Vec<String> = each(&field["values"]).filter_map(text).collect();
                labels
                    .get("kubernetes.io/hostname")
                    .is_some_and(|name| values.contains(name))
            });
            fields && each(&term["matchExpressions"]).all(|expression| holds(expression, labels))
        };
        !self.gated
            && self
                .selector
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
            && (self.affinity.is_empty() || self.affinity.iter().any(one))
    }
}

/// One expression of a selector over labels.
fn holds(expression: &Value, labels: &BTreeMap<String, String>) -> bool {
    let value = text(&expression["key"]).and_then(|key| labels.get(&key));
    let values: Vec<String> = each(&expression["values"]).filter_map(text).collect();
    let number = |text: &String| text.parse::<i64>().ok();
    match expression["operator"].as_str() {
        Some("In") => value.is_some_and(|value| values.contains(value)),
        Some("NotIn") => value.is_none_or(|value| !values.contains(value)),
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        Some("Gt") => value.and_then(number) > values.first().and_then(number),
        Some("Lt") => value.is_some_and(|value| number(value) < values.first().and_then(number)),
        _ => false,
    }
}

/// Whether a label selector means a pod with these labels. One that is missing means none, an empty one all.
pub(super) fn matches(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let wanted = texts(&selector["matchLabels"]);
    selector.is_mapping()
        && wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
        && each(&selector["matchExpressions"]).all(|expression| holds(expression, labels))
}

impl Term {
    /// Whether it means a pod, as a term of one in a namespace.
    pub(super) fn means(&self, namespace: &str, pod: &Template) -> bool {
        let inside = if self.namespaces.is_empty() {
            pod.namespace == namespace
        } else {
            self.namespaces.contains(&pod.namespace)
        };
        inside && matches(&self.selector, &pod.labels)
    }

    /// Whether a node counts for a spread constraint of a pod: by its labels, and by its taints where that is asked for.
    pub(super) fn counts(&self, pod: &Template, node: &super::files::Node) -> bool {
        pod.selects(&node.labels)
            && node.labels.contains_key(&self.topology)
            && (!self.taints_count || node.taints.iter().all(|taint| pod.tolerates(taint)))
    }
}
