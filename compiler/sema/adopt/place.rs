//! Where adopted pods may run: what their manifests require, asked of every node of the program. On several nodes what
//! bzc cannot follow is an error, for sums depend on it. On one node they do not: there it only takes the promise
//! away that every pod finds a place.

use std::borrow::Cow;

use super::errors;
use super::workload::same_namespace;
use crate::base::span::Span;
use crate::manifest::workload::place::{HOSTNAME, Place, Requirement, Spread};
use crate::manifest::workload::{Workload, WorkloadKind};
use crate::program::{Node, OF_ARCHITECTURE, Role, Service, SettingValue, Taint};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::load::Loaded;

/// What K3s gives its servers (k3s pkg/server/server.go).
const OF_SERVERS: &str = "node-role.kubernetes.io/control-plane";

type Labels<'n> = Vec<(&'n str, &'n str)>;

/// The labels of a node, as far as the program says.
fn labels<'n>(node: &'n Node<'_>, several: bool) -> Labels<'n> {
    let given = node.labels.iter();
    let mut labels: Labels<'n> = given.map(|(key, value)| (*key, value.as_ref())).collect();
    labels.extend(node.labels_of_k3s());
    if let Some(SettingValue::List(more)) = node.setting("node-label") {
        labels.extend(
            more.iter()
                .map(|label| label.value.split_once('=').unwrap_or((&label.value, ""))),
        );
    }
    if several || node.setting("node-name").is_some() {
        labels.push((HOSTNAME, node.cluster_name()));
    }
    if node.role == Role::Server {
        labels.push((OF_SERVERS, "true"));
    }
    labels
}

/// Whether a requirement is about the architecture of a node.
fn of_architecture(requirement: &Requirement) -> bool {
    OF_ARCHITECTURE.contains(&requirement.key.as_str())
}

/// What is asked of nodes, of one workload.
struct Asked<'r> {
    object: &'r Workload,
    /// One a node.
    labels: &'r [Labels<'r>],
    /// What bzc cannot follow.
    faults: Vec<(std::ops::Range<usize>, Cow<'r, str>)>,
}

impl<'r> Asked<'r> {
    fn place(&self) -> &'r Place {
        &self.object.place
    }

    /// Whether a requirement holds on a node; `None` where no node is known to have the label, or where it is about the
    /// architecture of this node, which the program does not say.
    fn holds(&self, requirement: &Requirement, at: usize) -> Option<bool> {
        let known = |labels: &Labels<'_>| labels.iter().any(|(key, _)| *key == requirement.key);
        let there = match of_architecture(requirement) {
            true => known(&self.labels[at]),
            false => self.labels.iter().any(known) || requirement.key == OF_SERVERS,
        };
        if !there {
            return None;
        }
        let own = self.labels[at]
            .iter()
            .find(|(key, _)| *key == requirement.key);
        Some(requirement.holds(own.map(|(_, value)| *value)))
    }

    /// What the selector and the terms of the affinity require.
    fn requirements(&self) -> impl Iterator<Item = &'r Requirement> + use<'r> {
        let place = self.place();
        let terms = place.terms.iter().flatten().flatten();
        place.selector.iter().chain(terms)
    }

    /// Nodes whose architecture is asked for and not known. They may take the pods, for all that the program says.
    fn unknown_architectures(&self, nodes: &[Node<'_>]) -> Option<String> {
        let asked = self.requirements().find(|one| of_architecture(one))?;
        let silent: Vec<String> = (0..)
            .zip(nodes)
            .filter(|(at, node)| {
                self.holds(asked, *at).is_none() && self.refused_by(*at, node).is_none()
            })
            .map(|(_, node)| format!("`{}`", node.name.value))
            .collect();
        (!silent.is_empty()).then(|| {
            format!(
                "they ask for `{}`, and the program does not say the `arch` of {}",
                asked.key,
                silent.join(", ")
            )
        })
    }

    /// What narrows the nodes down by the pods that are there already, which bzc does not follow. It only keeps pods away,
    /// so counting them on every other node that may take them is counting enough.
    fn by_other_pods(&self) -> Vec<String> {
        // In a single domain no skew comes about (pkg/scheduler/framework/plugins/podtopologyspread/filtering.go).
        let never_waits = |spread: &Spread| match self.labels {
            [only] => {
                let there = only.iter().any(|(key, _)| *key == spread.over);
                spread.one_is_enough && (there || spread.over == HOSTNAME)
            }
            _ => false,
        };
        let place = self.place();
        let spreads = place.spreads.iter().filter(|spread| !never_waits(spread));
        let mut doubts: Vec<String> = spreads
            .map(|spread| {
                let over = &spread.over;
                format!("they must be spread evenly over `{over}` (`DoNotSchedule`)")
            })
            .collect();
        if place.near {
            doubts.push("they must be near other pods (`podAffinity`)".to_owned());
        }
        doubts
    }

    /// Labels that no node is known to have.
    fn unknown_labels(&mut self) {
        for requirement in self
            .requirements()
            .filter(|one| !of_architecture(one) && self.holds(one, 0).is_none())
            .collect::<Vec<_>>()
        {
            let key = &requirement.key;
            self.faults.push((
                requirement.at.clone(),
                format!("no node of the program has the label `{key}` in its `labels`").into(),
            ));
        }
    }

    /// Why a node does not take the pods.
    fn refused_by(&self, at: usize, node: &Node<'_>) -> Option<String> {
        let (place, name) = (self.place(), node.name.value);
        let fails = |requirement: &&Requirement| self.holds(requirement, at) == Some(false);
        if let Some(requirement) = place.selector.iter().find(fails) {
            let value = requirement.values.join(", ");
            return Some(format!(
                "`{name}` has no label `{} = {value}`",
                requirement.key
            ));
        }
        if let Some(terms) = &place.terms
            && !terms
                .iter()
                .any(|term| !term.iter().any(|requirement| fails(&requirement)))
        {
            return Some(format!("`{name}` is excluded by the node affinity"));
        }
        let tolerated = |taint: &Taint| {
            let (key, value, effect) = (&taint.key, &taint.value, taint.effect.name());
            let mut all = place.tolerations.iter();
            all.any(|toleration| toleration.tolerates(key, value, effect))
        };
        let mut keeping = node.taints.iter().filter(|taint| taint.keeps_away());
        let taint = keeping.find(|taint| !tolerated(taint))?;
        Some(format!(
            "`{name}` has the taint `{}`, which it does not tolerate",
            taint.key
        ))
    }

    /// Whether no two of its pods may share a node: by a port of the node, or by a required anti-affinity with itself.
    fn is_apart(&mut self, all: &[(&'r Workload, &'r str)]) -> bool {
        let place = self.place();
        let mut apart = !place.host_ports.is_empty();
        for (chosen, at) in &place.apart_from {
            let means = |object: &Workload| {
                chosen
                    .iter()
                    .all(|one| one.holds_among(&object.place.labels))
            };
            let near = |object: &Workload| {
                same_namespace(
                    object.namespace.as_deref(),
                    self.object.namespace.as_deref(),
                )
            };
            let other = all.iter().find(|(object, _)| {
                !std::ptr::eq(*object, self.object) && near(object) && means(object)
            });
            let what: Cow<'r, str> = match (other, means(self.object)) {
                (Some((_, name)), _) => {
                    format!("they may not share a node with pods of `{name}`").into()
                }
                (None, true) => {
                    apart = true;
                    continue;
                }
                (None, false) => {
                    "they may not share a node with pods that the program does not have".into()
                }
            };
            self.faults.push((at.clone(), what));
        }
        // Of a DaemonSet a node has one pod anyway.
        apart && self.object.kind != WorkloadKind::DaemonSet
    }
}

/// Finds the nodes that may take adopted pods.
pub(in crate::sema) fn settle<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    nodes: &[Node<'a>],
    services: &mut [Service<'a>],
) {
    let several = nodes.len() > 1;
    let all_labels: Vec<Labels<'_>> = nodes.iter().map(|node| labels(node, several)).collect();
    let all: Vec<(&Workload, &str)> = services
        .iter()
        .filter_map(|service| Some((service.adopted.as_ref()?.object, service.name.value)))
        .collect();
    for service in services.iter_mut() {
        let Some(adopted) = &mut service.adopted else {
            continue;
        };
        let object = adopted.object;
        let mut asked = Asked {
            object,
            labels: &all_labels,
            faults: Vec::new(),
        };
        asked.unknown_labels();
        let apart = asked.is_apart(&all);
        let runs = matches!(object.kind, WorkloadKind::Job | WorkloadKind::CronJob);
        if let (true, true, Some((at, _)), true) = (
            apart,
            runs,
            object.place.apart_from.first().map(|a| (a.1.clone(), ())),
            several,
        ) {
            asked
                .faults
                .push((at, "runs of a job may not share a node".into()));
        }
        asked.faults.extend(
            object
                .place
                .more
                .iter()
                .map(|fault| (fault.at.clone(), Cow::Borrowed(fault.what.as_str()))),
        );
        let mut why = Vec::new();
        let mut may: Vec<u16> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            match asked.refused_by(at, node) {
                Some(reason) => why.push(reason),
                None => may.extend(u16::try_from(at)),
            }
        }
        adopted.doubts.extend(asked.unknown_architectures(nodes));
        adopted.doubts.extend(asked.by_other_pods());
        let (name, manifest) = (service.name.value, &loaded.manifests[adopted.manifest]);
        if !several {
            adopted.alone = apart;
            let faults = asked.faults.into_iter();
            let faults = faults.map(|(_, what)| what.into_owned());
            adopted.doubts.extend(faults.chain(why));
            continue;
        }
        for (at, what) in &asked.faults {
            decls.cx.report(errors::unplaceable(
                name,
                what,
                manifest.span(at),
                manifest.pattern,
            ));
        }
        if !asked.faults.is_empty() {
            continue;
        }
        let first = asked.requirements().next();
        let span: Span = first.map_or(service.name.span, |requirement| {
            manifest.span(&requirement.at)
        });
        if may.is_empty() {
            decls.cx.report(general::no_node_takes(name, &why, span));
        }
        adopted.by_name = asked
            .requirements()
            .any(|requirement| requirement.key == HOSTNAME);
        let place = &mut service.pod.place;
        place.span = Some(span);
        place.apart = apart;
        if may.len() < nodes.len() {
            place.nodes = Some(may);
        }
    }
}
