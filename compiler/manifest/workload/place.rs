//! Where the pods of a workload may run, as its manifest says it: selectors, affinities, tolerations, ports of the
//! node. What is only preferred keeps no pod waiting, and is not read.

use std::ops::Range;

use super::reader::Reader;
use crate::manifest::tree::{Fault, Yaml};

/// Where pods may run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Labels of the pods.
    pub labels: Vec<(String, String)>,
    /// `nodeSelector`: all of these.
    pub selector: Vec<Requirement>,
    /// Required node affinity: one of these terms, and all of it.
    pub terms: Option<Vec<Vec<Requirement>>>,
    /// Taints that do not keep the pods away.
    pub tolerations: Vec<Toleration>,
    /// Pods with these labels may not be on the same node.
    pub apart_from: Vec<(Vec<Requirement>, Range<usize>)>,
    /// Even spreads that are required (`topologySpreadConstraints` with `DoNotSchedule`).
    pub spreads: Vec<Spread>,
    /// Whether they must be near other pods (required `podAffinity`).
    pub near: bool,
    /// What else decides where the pods run.
    pub more: Vec<Fault>,
    /// Ports of the node.
    pub host_ports: Vec<HostPort>,
    /// `priorityClassName`.
    pub priority_class: Option<String>,
}

/// An even spread that is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spread {
    /// The label whose values are the domains.
    pub over: String,
    /// Whether it is content with one domain (`minDomains`).
    pub one_is_enough: bool,
}

/// What a label must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// The label.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub values: Vec<String>,
    /// Where it stands.
    pub at: Range<usize>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// It is there, with one of the values.
    In,
    /// It is not there, or has another value.
    NotIn,
    /// It is there.
    Exists,
    /// It is not there.
    DoesNotExist,
}

impl Requirement {
    /// Whether it holds where the label has this value.
    pub(crate) fn holds(&self, value: Option<&str>) -> bool {
        let listed = value.is_some_and(|value| self.values.iter().any(|known| known == value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }

    /// Whether it holds among labels.
    pub(crate) fn holds_among(&self, labels: &[(String, String)]) -> bool {
        let found = labels.iter().find(|(key, _)| *key == self.key);
        self.holds(found.map(|(_, value)| value.as_str()))
    }
}

/// A taint that does not keep pods away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toleration {
    /// Its name; every one if none is given.
    pub key: Option<String>,
    /// Its value; any if none is given.
    pub value: Option<String>,
    /// Its effect; any if none is given.
    pub effect: Option<String>,
}

impl Toleration {
    /// Whether it is about this taint.
    pub(crate) fn tolerates(&self, key: &str, value: &str, effect: &str) -> bool {
        self.key.as_ref().is_none_or(|known| known == key)
            && self.value.as_ref().is_none_or(|known| known == value)
            && self.effect.as_ref().is_none_or(|known| known == effect)
    }
}

/// A port of the node that a pod takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// Its number.
    pub number: u16,
    /// UDP rather than TCP.
    pub udp: bool,
    /// Where it stands.
    pub at: Range<usize>,
}

/// The fields of a pod and the amounts of its container that a variable may hold (kubernetes, pkg/apis/core/validation:
/// `validEnvDownwardAPIFieldPathExpressions` and `validContainerResourceFieldPathExpressions`).
pub(crate) const FIELDS: [&str; 15] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The label every kubelet gives its node, and the domain of one node.
pub(crate) const HOSTNAME: &str = "kubernetes.io/hostname";

/// Fields of a pod's spec that take it out of the scheduler's hands, or into other ones.
const OTHER_HANDS: [&str; 3] = ["nodeName", "schedulerName", "schedulingGates"];

/// Fields of a term of an affinity that choose other pods than those its labels do in its own namespace.
const OTHER_PODS: [&str; 4] = [
    "namespaces",
    "namespaceSelector",
    "matchLabelKeys",
    "mismatchLabelKeys",
];

impl<'t> Reader<'t> {
    pub(super) fn place(&self, pod: &'t Yaml, metadata: Option<&'t Yaml>) -> Result<Place, Fault> {
        let mut place = Place {
            priority_class: self.text(pod, "priorityClassName"),
            ..Place::default()
        };
        let labels = metadata.and_then(|metadata| self.get(metadata, "labels"));
        place.labels = self
            .pairs(labels)
            .into_iter()
            .map(|(key, value, _)| (key, value))
            .collect();
        place.selector = self.equal(self.get(pod, "nodeSelector"));
        for key in OTHER_HANDS {
            // In a dump the node of a Pod is what the scheduler chose.
            let chosen = key == "nodeName" && self.is_from_cluster(metadata);
            let Some(there) = self
                .get(pod, key)
                .filter(|_| !chosen && self.text(pod, key).as_deref() != Some("default-scheduler"))
            else {
                continue;
            };
            if !(there.text(self.source) == Some("")
                || there.items().is_empty() && key == "schedulingGates")
            {
                place.more.push(Fault {
                    at: there.range(),
                    what: format!("`{key}` decides where they run"),
                });
            }
        }
        for item in self.items(pod, "topologySpreadConstraints")? {
            if self.text(item, "whenUnsatisfiable").as_deref() != Some("ScheduleAnyway") {
                let least = self.text(item, "minDomains");
                place.spreads.push(Spread {
                    over: self.text(item, "topologyKey").unwrap_or_default(),
                    one_is_enough: least.is_none_or(|least| least == "1"),
                });
            }
        }
        for item in self.items(pod, "tolerations")? {
            let text = |key| self.text(item, key).filter(|text| !text.is_empty());
            let effect = text("effect");
            let (key, value) = (text("key"), self.text(item, "value").unwrap_or_default());
            place.tolerations.extend(match text("operator").as_deref() {
                Some("Exists") => Some(Toleration {
                    key,
                    value: None,
                    effect,
                }),
                Some("Equal") | None if key.is_some() => Some(Toleration {
                    key,
                    value: Some(value),
                    effect,
                }),
                _ => None,
            });
        }
        if let Some(affinity) = self.get(pod, "affinity") {
            self.affinity(affinity, &mut place)?;
        }
        self.host_ports(pod, &mut place)?;
        Ok(place)
    }

    fn affinity(&self, affinity: &'t Yaml, place: &mut Place) -> Result<(), Fault> {
        const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
        let required = |kind| {
            self.get(affinity, kind)
                .and_then(|one| self.get(one, REQUIRED))
        };
        if let Some(required) = required("nodeAffinity") {
            let mut terms = Vec::new();
            for term in self.items(required, "nodeSelectorTerms")? {
                let Some(term) = self.real(term) else {
                    continue;
                };
                let mut all = self.requirements(term, "matchExpressions", &mut place.more)?;
                // `metadata.name` is the only field there is, and a node of K3s is called as its label says.
                for mut field in self.requirements(term, "matchFields", &mut place.more)? {
                    HOSTNAME.clone_into(&mut field.key);
                    all.push(field);
                }
                // A term that asks for nothing means no node.
                if !all.is_empty() {
                    terms.push(all);
                }
            }
            place.terms = Some(terms);
        }
        let near = self.get(affinity, "podAffinity");
        place.near = !near
            .map_or(Ok(&[][..]), |one| self.items(one, REQUIRED))?
            .is_empty();
        for item in self
            .get(affinity, "podAntiAffinity")
            .map_or(Ok(&[][..]), |one| self.items(one, REQUIRED))?
        {
            let Some(term) = self.real(item) else {
                continue;
            };
            let over = self.text(term, "topologyKey").unwrap_or_default();
            let other = OTHER_PODS.iter().find(|key| self.get(term, key).is_some());
            if over != HOSTNAME {
                let what =
                    format!("they may not share a `{over}` with other pods; bzc knows nodes only");
                place.more.push(Fault {
                    at: item.range(),
                    what,
                });
            } else if let Some(key) = other {
                let what = format!("`{key}` chooses the pods with which they may not share a node");
                place.more.push(Fault {
                    at: item.range(),
                    what,
                });
            } else if let Some(selector) = self.get(term, "labelSelector") {
                let mut chosen = self.equal(self.get(selector, "matchLabels"));
                chosen.extend(self.requirements(selector, "matchExpressions", &mut place.more)?);
                place.apart_from.push((chosen, item.range()));
            }
        }
        Ok(())
    }

    fn host_ports(&self, pod: &'t Yaml, place: &mut Place) -> Result<(), Fault> {
        let of_host = self.text(pod, "hostNetwork").as_deref() == Some("true");
        for list in ["initContainers", "containers"] {
            for container in self.items(pod, list)? {
                let Some(container) = self.real(container) else {
                    continue;
                };
                for port in self.items(container, "ports")? {
                    let Some(port) = self.real(port) else {
                        continue;
                    };
                    // In the network of the node every port is one of the node.
                    let found = self.get(port, "hostPort");
                    let Some(found) =
                        found.or_else(|| self.get(port, "containerPort").filter(|_| of_host))
                    else {
                        continue;
                    };
                    let udp = match self.text(port, "protocol").as_deref() {
                        None | Some("TCP") => false,
                        Some("UDP") => true,
                        Some(_) => continue,
                    };
                    let Some(number) = found.text(self.source).and_then(|text| text.parse().ok())
                    else {
                        return Err(Fault {
                            at: found.range(),
                            what: "it is no port".to_owned(),
                        });
                    };
                    let known = |known: &HostPort| (known.number, known.udp) == (number, udp);
                    if number > 0 && !place.host_ports.iter().any(known) {
                        place.host_ports.push(HostPort {
                            number,
                            udp,
                            at: found.range(),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// The entries of a mapping of texts, with the place of each.
    fn pairs(&self, map: Option<&'t Yaml>) -> Vec<(String, String, Range<usize>)> {
        let pairs = map
            .map_or(&[][..], Yaml::entries)
            .iter()
            .filter_map(|(key, value)| {
                let value = self.real(value)?;
                Some((
                    self.word(key)?.to_owned(),
                    self.word(value)?.to_owned(),
                    key.start as usize..value.range().end,
                ))
            });
        pairs.collect()
    }

    fn equal(&self, map: Option<&'t Yaml>) -> Vec<Requirement> {
        let one = |(key, value, at)| Requirement {
            key,
            operator: Operator::In,
            values: vec![value],
            at,
        };
        self.pairs(map).into_iter().map(one).collect()
    }

    /// What labels must be; what bzc does not know goes to `more`.
    fn requirements(
        &self,
        of: &'t Yaml,
        key: &'static str,
        more: &mut Vec<Fault>,
    ) -> Result<Vec<Requirement>, Fault> {
        let mut all = Vec::new();
        for item in self.items(of, key)? {
            let Some(item) = self.real(item) else {
                continue;
            };
            let written = self.text(item, "operator").unwrap_or_default();
            let operator = match written.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => {
                    more.push(Fault {
                        at: item.range(),
                        what: format!("the operator `{written}` compares a label"),
                    });
                    continue;
                }
            };
            let values = self.items(item, "values")?.iter();
            let values = values
                .filter_map(|value| Some(self.word(self.real(value)?)?.to_owned()))
                .collect();
            let key = self.text(item, "key").unwrap_or_default();
            all.push(Requirement {
                key,
                operator,
                values,
                at: item.range(),
            });
        }
        Ok(all)
    }
}
