//! What nodes there are and which pods they take, from `config.yaml` of each and from the pod templates: labels, taints,
//! affinity. And what the scheduler has to place on them, for those that try it.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::pods::pod_template;
use super::{Faults, Files, Machine, kubelet_arguments, text};

const HOSTNAME: &str = "kubernetes.io/hostname";

/// What the scheduler may give out: bytes, thousandths of a core, pods.
pub(crate) type Size = [u128; 3];

/// A machine as its K3s registers it.
pub(super) struct Node {
    pub(super) config: Value,
    pub(super) arguments: BTreeMap<String, Vec<String>>,
    labels: BTreeMap<String, String>,
    /// Keys of those that keep pods away.
    pub(super) taints: BTreeSet<String>,
}

/// Pods of a kind, and where they may be.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) size: Size,
    /// The nodes that take one.
    pub(crate) on: Vec<bool>,
    /// Whether no two may share a node.
    pub(crate) apart: bool,
    /// One on each of its nodes, and nowhere else.
    pub(crate) everywhere: bool,
    /// How many there are at each moment.
    pub(crate) pods: Vec<u128>,
}

/// What is to be placed, and what there is to place it on.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) rooms: Vec<Size>,
    pub(crate) kinds: Vec<Kind>,
    /// How many moments there are: at rest, and each wave at its peak.
    pub(crate) moments: usize,
}

impl Node {
    pub(super) fn read(files: &Files, machine: &Machine, faults: &mut Faults) -> Option<Node> {
        let name = machine.name.as_str();
        let config: Value =
            serde_yaml::from_str(text(files, &format!("k3s/{name}/config.yaml"))?).ok()?;
        let arguments = kubelet_arguments(&config)?;
        let words = |key: &str| -> Vec<String> {
            let list = config[key].as_sequence().into_iter().flatten();
            list.filter_map(|word| Some(word.as_str()?.to_owned()))
                .collect()
        };
        let mut labels = BTreeMap::new();
        for label in words("node-label") {
            let (key, value) = label.split_once('=')?;
            labels.insert(key.to_owned(), value.to_owned());
        }
        // What kubelet and K3s set; an agent is what joins by `server` and has no `disable`.
        labels.insert("kubernetes.io/os".to_owned(), "linux".to_owned());
        for key in ["kubernetes.io/arch", "beta.kubernetes.io/arch"] {
            let arch = machine
                .arch
                .iter()
                .map(|arch| (key.to_owned(), arch.clone()));
            labels.extend(arch);
        }
        if text(files, &format!("k3s/{name}/config.yaml"))?.contains("\ndisable:") {
            labels.insert(
                "node-role.kubernetes.io/control-plane".to_owned(),
                "true".to_owned(),
            );
        }
        // Without it the node has the name of its host, which nobody knows.
        if let Some(given) = config["node-name"].as_str() {
            faults.holds(given == name, || {
                format!("the node of k3s/{name} is called {given}")
            });
            labels.insert(HOSTNAME.to_owned(), given.to_owned());
        }
        let mut taints = BTreeSet::new();
        for taint in words("node-taint") {
            let (key, effect) = taint.split_once(':')?;
            faults.holds(effect == "NoSchedule", || format!("taint {taint}"));
            taints.insert(key.split('=').next()?.to_owned());
        }
        Some(Node {
            config,
            arguments,
            labels,
            taints,
        })
    }

    /// Whether it takes pods of an object, by what stands in their template.
    pub(super) fn takes(&self, object: &Value, faults: &mut Faults) -> bool {
        let pod = pod_template(object);
        let has = |key: &Value, value: &Value| {
            key.as_str()
                .and_then(|key| self.labels.get(key))
                .is_some_and(|own| Some(own.as_str()) == value.as_str())
        };
        let selected = pod["nodeSelector"]
            .as_mapping()
            .into_iter()
            .flatten()
            .all(|(key, value)| has(key, value));
        let required =
            &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let terms = required["nodeSelectorTerms"]
            .as_sequence()
            .map_or(&[][..], Vec::as_slice);
        let mut matches = |expression: &Value| {
            let mut values = expression["values"].as_sequence().into_iter().flatten();
            let there = expression["key"]
                .as_str()
                .is_some_and(|key| self.labels.contains_key(key));
            let listed = values.any(|value| has(&expression["key"], value));
            match expression["operator"].as_str() {
                Some("In") => listed,
                Some("NotIn") => !listed,
                Some("Exists") => there,
                Some("DoesNotExist") => !there,
                other => {
                    faults.0.push(format!("an affinity compares by {other:?}"));
                    false
                }
            }
        };
        let drawn = required.is_null()
            || terms.iter().any(|term| {
                let mut all = term["matchExpressions"].as_sequence().into_iter().flatten();
                all.all(&mut matches)
            });
        let tolerated = |key: &String| {
            let mut tolerations = pod["tolerations"].as_sequence().into_iter().flatten();
            tolerations.any(|toleration| {
                // K3s sets every taint of the program to `true`.
                let (named, operator) =
                    (toleration["key"].as_str(), toleration["operator"].as_str());
                let equal = matches!(operator, None | Some("Equal"))
                    && toleration["value"].as_str() == Some("true");
                let about = named == Some(key) && (operator == Some("Exists") || equal);
                (about || named.is_none() && operator == Some("Exists"))
                    && toleration["effect"]
                        .as_str()
                        .is_none_or(|effect| effect == "NoSchedule")
            })
        };
        selected && drawn && self.taints.iter().all(tolerated)
    }

    /// Whether it takes what K3s packages, which tolerates the taint of critical add-ons and those of the control plane.
    pub(super) fn is_open(&self) -> bool {
        self.taints
            .iter()
            .all(|key| key == "CriticalAddonsOnly" || key.starts_with("node-role.kubernetes.io/"))
    }
}

/// Whether no two pods of an object may share a node.
pub(super) fn apart(object: &Value, faults: &mut Faults) -> bool {
    let pod = pod_template(object);
    let required =
        &pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let Some(terms) = required.as_sequence() else {
        return false;
    };
    let template = match object["kind"].as_str() {
        Some("CronJob") => &object["spec"]["jobTemplate"]["spec"]["template"],
        _ => &object["spec"]["template"],
    };
    let of_own = |term: &Value| {
        let mut labels = term["labelSelector"]["matchLabels"]
            .as_mapping()
            .into_iter()
            .flatten();
        term["topologyKey"].as_str() == Some(HOSTNAME)
            && labels.all(|(key, value)| {
                key.as_str()
                    .is_some_and(|key| template["metadata"]["labels"][key] == *value)
            })
    };
    faults.holds(terms.len() == 1 && terms.iter().all(of_own), || {
        "an anti-affinity with others".to_owned()
    });
    true
}
