//! Where adopted pods may run: the requirements of their manifests, checked against every node of the program. With
//! several nodes a requirement that bzc cannot follow is an error, because the sums depend on it. With one node they do
//! not: such a requirement only makes it unknown whether every pod finds a place.

use std::borrow::Cow;

use super::errors;
use super::workload::same_namespace;
use crate::base::id::{Id, numbered};
use crate::base::span::Span;
use crate::manifest::workload::place::{HOSTNAME, Place, Requirement, Spread};
use crate::manifest::workload::{Workload, WorkloadKind};
use crate::program::{
    ARCHITECTURES, Ask, EPHEMERAL, Node, NodeId, OF_ARCHITECTURE, Role, Service, Taint,
};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::load::Loaded;

/// The label that K3s sets on its servers (k3s pkg/server/server.go).
const OF_SERVERS: &str = "node-role.kubernetes.io/control-plane";

type Labels<'n> = Vec<(&'n str, &'n str)>;

/// The labels of a node, as far as the program says.
fn labels<'n>(node: &'n Node<'_>, several: bool) -> Labels<'n> {
    let mut labels: Labels<'n> = node.given_labels().collect();
    labels.extend(node.labels_of_k3s());
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

/// Whether a label may be on a node though the program does not give it: Kubernetes and K3s set labels of these domains, and
/// the program is not to.
fn is_of_others(key: &str) -> bool {
    let domain = key.split_once('/').map_or("", |(domain, _)| domain);
    let below = |of: &str| {
        domain == of
            || domain
                .strip_suffix(of)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    ["kubernetes.io", "k8s.io", "k3s.io", "cattle.io"]
        .into_iter()
        .any(below)
}

/// The requirements that one workload has for its node.
struct NodeRequirements<'r> {
    object: &'r Workload,
    /// The labels of every node.
    labels: &'r [Labels<'r>],
    /// Requirements that bzc cannot follow, each with its place and the reason.
    faults: Vec<(std::ops::Range<usize>, Cow<'r, str>)>,
}

impl<'r> NodeRequirements<'r> {
    fn place(&self) -> &'r Place {
        &self.object.place
    }

    /// Whether a requirement holds on a node; `None` where it wants a label that no node is known to have, or where it is
    /// about the architecture of this node, which the program does not say.
    fn holds(&self, requirement: &Requirement, at: usize) -> Option<bool> {
        let known = |labels: &Labels<'_>| labels.iter().any(|(key, _)| *key == requirement.key);
        let there = match of_architecture(requirement) {
            true => known(&self.labels[at]),
            false => self.labels.iter().any(known) || requirement.key == OF_SERVERS,
        };
        if !there && of_architecture(requirement) {
            // Whichever it has, the answer may be the same.
            let mut any = ARCHITECTURES
                .iter()
                .map(|arch| requirement.holds(Some(arch)));
            let first = any.next()?;
            return any.all(|other| other == first).then_some(first);
        }
        let answer = requirement.holds(None);
        if !there && (!answer || is_of_others(&requirement.key)) {
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

    /// Why it is open whether some nodes take the pods: these require an architecture, and the program does not give
    /// it.
    fn unknown_architectures(&self, nodes: &[Node<'_>]) -> Option<String> {
        let requirement = self.requirements().find(|one| of_architecture(one))?;
        let silent: Vec<String> = (0..)
            .zip(nodes)
            .filter(|(at, node)| {
                self.holds(requirement, *at).is_none() && self.refused_by(*at, node).is_none()
            })
            .map(|(_, node)| format!("`{}`", node.name.value))
            .collect();
        (!silent.is_empty()).then(|| {
            format!(
                "they ask for `{}`, and the program does not say the `arch` of {}",
                requirement.key,
                silent.join(", ")
            )
        })
    }

    /// Requirements about pods that already run on a node, which bzc does not follow. They only keep pods away from
    /// nodes, so the sums stay safe: the pods are counted on every node that may take them.
    fn by_other_pods(&self) -> Vec<String> {
        // With a single domain there is no skew (pkg/scheduler/framework/plugins/podtopologyspread/filtering.go).
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

    /// Whether no two pods of the workload may share a node, because of a host port or a required anti-affinity with
    /// itself.
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
        // A DaemonSet has one pod a node anyway.
        apart && self.object.kind != WorkloadKind::DaemonSet
    }
}

/// Leaves of some nodes those that have the devices that pods ask for, as far as any has them. Where none does, the error
/// about the device says so.
fn with_devices(nodes: &[Node<'_>], asks: &[Ask<'_>], may: &mut Vec<NodeId>) {
    for ask in asks.iter().filter(|ask| ask.resource != EPHEMERAL) {
        let has = |at: &NodeId| nodes[at.index()].supply(&ask.resource).is_some();
        if may.iter().any(has) {
            may.retain(has);
        }
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
        let mut requirements = NodeRequirements {
            object,
            labels: &all_labels,
            faults: Vec::new(),
        };
        requirements.unknown_labels();
        let apart = requirements.is_apart(&all);
        let runs = matches!(object.kind, WorkloadKind::Job | WorkloadKind::CronJob);
        if let (true, true, Some((at, _)), true) = (
            apart,
            runs,
            object.place.apart_from.first().map(|a| (a.1.clone(), ())),
            several,
        ) {
            requirements
                .faults
                .push((at, "runs of a job may not share a node".into()));
        }
        requirements.faults.extend(
            object
                .place
                .more
                .iter()
                .map(|fault| (fault.at.clone(), Cow::Borrowed(fault.what.as_str()))),
        );
        let mut why = Vec::new();
        let mut may: Vec<NodeId> = Vec::new();
        for (id, node) in numbered(nodes) {
            match requirements.refused_by(id.index(), node) {
                Some(reason) => why.push(reason),
                None => may.push(id),
            }
        }
        adopted
            .doubts
            .extend(requirements.unknown_architectures(nodes));
        adopted.doubts.extend(requirements.by_other_pods());
        let (name, manifest) = (service.name.value, &loaded.manifests[adopted.manifest]);
        let is_daemon = object.kind == WorkloadKind::DaemonSet;
        // A DaemonSet has a pod on each node that takes it, whatever there is of anything.
        if several && !is_daemon {
            with_devices(nodes, &adopted.asks, &mut may);
        }
        // A node that a DaemonSet excludes gets no pod of it, and none waits. It is counted all the same where it excludes
        // all nodes.
        if !several {
            adopted.alone = apart;
            let faults = requirements.faults.into_iter();
            let faults = faults.map(|(_, what)| what.into_owned());
            adopted.doubts.extend(faults);
            adopted
                .doubts
                .extend(why.into_iter().filter(|_| !is_daemon));
            continue;
        }
        for (at, what) in &requirements.faults {
            decls.cx.report(errors::unplaceable(
                name,
                what,
                manifest.span(at),
                manifest.pattern,
            ));
        }
        if !requirements.faults.is_empty() {
            continue;
        }
        let first = requirements.requirements().next();
        let span: Span = first.map_or(service.name.span, |requirement| {
            manifest.span(&requirement.at)
        });
        if may.is_empty() && !is_daemon {
            decls.cx.report(general::no_node_takes(name, &why, span));
        }
        adopted.by_name = requirements
            .requirements()
            .any(|requirement| requirement.key == HOSTNAME);
        let place = &mut service.pod.place;
        place.span = Some(span);
        place.apart = apart;
        if may.len() < nodes.len() && !may.is_empty() {
            place.nodes = Some(may);
        }
    }
}
