//! Pods that find no room on several nodes, and nodes that cannot be spared.

use super::list::{allocatable, group_addends, nodes_for_pods};
use crate::base::id::{Id, ids, numbered};
use crate::base::quantity::{MIB, in_mib};
use crate::diag::{Diagnostic, Proposal};
use crate::plan::excess::{Ceiling, Excess};
use crate::plan::fixes::{for_memory, loss_borne};
use crate::plan::model::{Draft, Workload};
use crate::plan::pack::Certificate;
use crate::plan::reserve::price_of_pod;
use crate::plan::resources::Dimension;
use crate::plan::sums::packaged_asks;
use crate::plan::tie::{Tie, tie};
use crate::plan::words::named;
use crate::program::{NodeId, Service, ServiceId};

/// Whose pods a class of the search are.
enum Whose<'a> {
    /// A service's.
    Service(ServiceId),
    /// Those of a component with this name.
    Component(&'a str),
}

/// Whose pods a class is: one a service, and behind them one a component.
fn whose<'d>(draft: &'d Draft<'_, '_>, class: usize) -> Whose<'d> {
    let program = draft.program;
    match class.checked_sub(program.services.len()) {
        None => Whose::Service(ServiceId::new(class)),
        Some(behind) => {
            let component = draft.components().get(behind);
            Whose::Component(component.map_or("", |one| &program.components[one.component].name))
        }
    }
}

/// An error about the pods of a class: about the service that they are of, or without a place.
fn of_class(
    draft: &Draft<'_, '_>,
    class: usize,
    message: impl Fn(&str) -> String,
    label: &str,
) -> Diagnostic {
    match whose(draft, class) {
        Whose::Service(id) => {
            let name = draft.program.services[id].name;
            Diagnostic::error("BZ4007", message(name.value)).at(name.span, label)
        }
        Whose::Component(name) => Diagnostic::error("BZ4007", message(name)),
    }
}

/// Pods that no placement on the nodes has room for.
pub(crate) fn nowhere(draft: &Draft<'_, '_>, certificate: &Certificate) -> Diagnostic {
    let all: Vec<ServiceId> = ids(&draft.program.services).collect();
    let mut error = without_place(draft, certificate).note(nodes_for_pods(draft));
    error.addends = group_addends(draft, &all, true, None);
    let (members, deficit) = too_much(draft, certificate, all);
    error.over = Some(deficit);
    error.proposals = together(draft, deficit, &members);
    error
}

/// What a certificate says.
fn without_place(draft: &Draft<'_, '_>, certificate: &Certificate) -> Diagnostic {
    let program = draft.program;
    match certificate {
        Certificate::TooLarge { class } => {
            let each = match whose(draft, *class) {
                Whose::Service(id) => draft.workloads[id].charge(true),
                Whose::Component(_) => 0,
            };
            let message = |name: &str| {
                let needs = in_mib(each);
                format!("no node has room for a pod of `{name}`, which needs {needs}")
            };
            let label = "too large for every node it may go to";
            of_class(draft, *class, message, label)
        }
        Certificate::Apart {
            class,
            count,
            nodes,
        } => {
            let message = |name: &str| {
                format!("{count} pods of `{name}` may not share a node, and {nodes} can take one")
            };
            let label = "one a node, by its `anti-affinity`";
            of_class(draft, *class, message, label)
        }
        Certificate::Volume {
            dimension,
            nodes,
            needed,
            have,
        } => {
            let show = |amount: u128| dimension.show(u64::try_from(amount).unwrap_or(u64::MAX));
            let names = nodes.iter().map(|id| program.nodes[*id].name);
            let which = match nodes.len() == program.nodes.len() {
                true => "the nodes together".to_owned(),
                false => named(&names.clone().map(|name| name.value).collect::<Vec<_>>()),
            };
            let over = show(needed.saturating_sub(*have));
            let message = format!("{which}: {over} too little {}", dimension.word());
            let first = names.map(|name| name.span).next();
            Diagnostic::error(dimension.code(), message).at(
                first.unwrap_or(program.nodes[0].name.span),
                format!(
                    "{} asked for by all that may run nowhere else, {} there",
                    show(*needed),
                    show(*have)
                ),
            )
        }
        Certificate::Exhausted { states } => Diagnostic::error(
            "BZ4007",
            "there is room for all pods together, but not for each of them",
        )
        .at(
            program.nodes[0].name.span,
            "no way to share the pods among the nodes",
        )
        .note(format!(
            "every way of placing them was excluded; {states} had to be looked at"
        )),
    }
}

/// How many bytes too much, and of which services.
fn too_much(
    draft: &Draft<'_, '_>,
    certificate: &Certificate,
    all: Vec<ServiceId>,
) -> (Vec<ServiceId>, u64) {
    match certificate {
        Certificate::TooLarge { class } if let Whose::Service(id) = whose(draft, *class) => {
            // What one pod has too much counts for each of its kind.
            let over = too_large_by(draft, id);
            (vec![id], over.saturating_mul(draft.workloads[id].peak()))
        }
        Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        } => (
            all,
            u64::try_from(needed.saturating_sub(*have)).unwrap_or(u64::MAX),
        ),
        Certificate::Volume { .. }
        | Certificate::TooLarge { .. }
        | Certificate::Apart { .. }
        | Certificate::Exhausted { .. } => {
            (all, missing(draft, draft.nodes.len(), allocatable(draft)))
        }
    }
}

/// By how many bytes a pod is too large for the largest node that may take it.
fn too_large_by(draft: &Draft<'_, '_>, id: ServiceId) -> u64 {
    let (program, workload) = (draft.program, &draft.workloads[id]);
    let rooms = numbered(&draft.nodes).filter(|(at, _)| workload.may_be_on(*at));
    let largest = rooms.map(|(_, node)| node.allocatable()).max().unwrap_or(0);
    // A smaller pod may be there once more while another one ends, and costs what every pod costs.
    let nodes = program.nodes.iter();
    let prices = nodes.map(|node| price_of_pod(node, &program.services[id]));
    workload
        .charge(true)
        .saturating_sub(largest)
        .saturating_add(prices.max().unwrap_or(0))
}

/// What to change where `deficit` bytes are missing on all nodes together.
fn together(draft: &Draft<'_, '_>, deficit: u64, members: &[ServiceId]) -> Vec<Proposal> {
    let excess = Excess {
        ceiling: Ceiling::Together,
        deficit,
    };
    for_memory(draft, excess, members, true)
}

/// What would have to go for the simplest sum to hold on nodes of so much room together: all pods, and on every node but
/// one as much as the largest pod may find in its way.
fn missing(draft: &Draft<'_, '_>, nodes: usize, have: u64) -> u64 {
    let each = draft
        .workloads
        .iter()
        .filter(|workload| workload.peak() > 0)
        .map(|workload| workload.charge(true));
    let lost = each.max().unwrap_or(0).saturating_mul(nodes as u64 - 1);
    let asked = draft
        .workloads
        .iter()
        .map(|w| w.charge(true).saturating_mul(w.peak()))
        .fold(0, u64::saturating_add);
    let asked = asked.saturating_add(packaged_asks(&draft.nodes)[Dimension::Memory]);
    asked.saturating_add(lost).saturating_sub(have).max(MIB)
}

/// A node that the program says it outlives, and does not.
pub(crate) fn lost(
    draft: &Draft<'_, '_>,
    node: Option<NodeId>,
    certificate: Option<&Certificate>,
) -> Diagnostic {
    let program = draft.program;
    let survive = program.survive.and_then(|survive| survive.origin.span);
    let span = survive.unwrap_or(program.nodes[0].name.span);
    let error = |message: String| {
        Diagnostic::error("BZ4008", message).at(span, "must survive the loss of one node")
    };
    if let Some((service, why)) = bound_to_a_node(draft) {
        let message = format!("`{}` is lost with its node", service.name.value);
        let mut error = error(message).also(service.name.span, why);
        error.proposals.extend(loss_borne(draft));
        return error;
    }
    let error = match node.map(|at| program.nodes[at].name) {
        Some(name) => error(format!(
            "without `{}` some pod may find no room",
            name.value
        ))
        .also(name.span, "this one cannot be spared"),
        None => error("some pod may find no room, even with every node there".to_owned()),
    };
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    let why = match certificate {
        Some(Certificate::Volume {
            dimension: Dimension::Memory,
            needed,
            have,
            ..
        }) => format!(
            "{} asked for, {} left",
            in_mib(small(*needed)),
            in_mib(small(*have))
        ),
        Some(Certificate::Apart { count, nodes, .. }) => {
            format!("{count} pods may not share a node, and {nodes} nodes are left")
        }
        Some(_) => "there is no placement of the pods on the nodes that are left".to_owned(),
        None => "there are orders of the pods in which one finds no room".to_owned(),
    };
    let mut error = error.note(why).note(nodes_for_pods(draft));
    let rooms = draft.nodes.iter().map(|node| node.allocatable());
    let left = allocatable(draft) - rooms.max().unwrap_or(0);
    let deficit = missing(draft, draft.nodes.len() - 1, left);
    let members: Vec<ServiceId> = ids(&program.services).collect();
    error.over = Some(deficit);
    error.proposals = together(draft, deficit, &members);
    error.proposals.extend(loss_borne(draft));
    error
}

/// The first service whose pods can run on one node only, and what holds them there.
fn bound_to_a_node<'p, 'a>(draft: &'p Draft<'_, 'a>) -> Option<(&'p Service<'a>, &'static str)> {
    let program = draft.program;
    let running = || {
        let all = program.services.iter().zip(&draft.workloads);
        all.filter(|(_, workload)| workload.peak() > 0)
    };
    let tied = running().find_map(|(service, _)| match tie(program, service) {
        Tie::Node(why) => Some((service, why)),
        Tie::None | Tie::Unknown(_) => None,
    });
    let held = |workload: &Workload<'_>| {
        let nodes = workload.nodes.as_ref();
        nodes.is_some_and(|nodes| nodes.len() == 1) && !workload.is_fixed()
    };
    let held = running().find(|(_, workload)| held(workload));
    tied.or(held.map(|(service, _)| (service, "is held to one node")))
}
