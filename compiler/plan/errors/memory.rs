//! The node, all nodes together or a budget are over their memory.

use super::list::{
    addend, allocatable, excess, group_addends, listed, listed_components, nodes_for_pods,
};
use crate::base::id::{Id, ids};
use crate::base::quantity::in_mib;
use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::plan::excess::{Ceiling, Excess};
use crate::plan::fixes::for_memory;
use crate::plan::model::{ComponentPlan, Draft, NodePlan, SHIMS};
use crate::plan::resources::Dimension;
use crate::plan::sums::packaged_asks;
use crate::program::{Giver, NodeId, Service, ServiceId};

/// The node, all nodes together or a budget are over even with every range at its low end.
pub(crate) fn over_memory(
    draft: &Draft<'_, '_>,
    over: Excess,
    place: &dyn Fn(Span) -> String,
) -> Diagnostic {
    let program = draft.program;
    let all: Vec<ServiceId> = ids(&program.services).collect();
    let mut addends = Vec::new();
    // What holds, how much of it services could have, and which.
    let (holder, members, room, holds, given) = match over.ceiling {
        Ceiling::Budget(index) => {
            let budget = &program.budgets[index];
            let members = budget.members.clone().unwrap_or(all);
            let ceiling = budget.ceiling.value.n;
            (
                format!("budget `{}`", budget.name.value),
                members,
                ceiling,
                ceiling,
                budget.ceiling.origin.span,
            )
        }
        Ceiling::Together => {
            addends = listed_components(draft, draft.components(), Dimension::Memory);
            let allocatable = allocatable(draft);
            (
                "what all nodes have for pods".to_owned(),
                all,
                allocatable,
                allocatable,
                None,
            )
        }
        Ceiling::Node(at) | Ceiling::Limits(at) => {
            let (node, declared) = (&draft.nodes[at], &program.nodes[at]);
            let reserved = node.reserved.iter();
            addends = reserved
                .map(|addend| listed(addend, Dimension::Memory))
                .collect();
            // On several nodes only what every node has is told apart from the rest.
            let several = draft.on_several_nodes();
            let every = node
                .components
                .iter()
                .filter(|component| component.every_node || !several);
            let every: Vec<ComponentPlan> = every.copied().collect();
            addends.extend(listed_components(draft, &every, Dimension::Memory));
            let here =
                |index: &ServiceId| !draft.on_several_nodes() || draft.workloads[*index].is_fixed();
            let members = all.into_iter().filter(here).collect();
            let holder = format!("the memory of node `{}`", declared.name.value);
            (
                holder,
                members,
                node.allocatable(),
                node.capacity,
                declared.memory.origin.span,
            )
        }
    };
    let on_node = !matches!(over.ceiling, Ceiling::Budget(_));
    let at = match over.ceiling {
        Ceiling::Node(at) | Ceiling::Limits(at) => Some(at),
        Ceiling::Together | Ceiling::Budget(_) => None,
    };
    let services = group_addends(draft, &members, on_node, at);
    let mut lows: Vec<Span> = services.iter().filter_map(|addend| addend.span).collect();
    addends.extend(services);
    // Every amount is over or under by what is told: what is taken is what holds and the excess.
    addends.push(addend("together", holds.saturating_add(over.deficit), None));
    addends.push(addend(holder.clone(), holds, given));

    let what = match over.ceiling {
        Ceiling::Budget(_) => format!("{holder} is over by {}", excess(over.deficit)),
        Ceiling::Together => format!(
            "the nodes together are over their memory by {}",
            excess(over.deficit)
        ),
        Ceiling::Node(at) | Ceiling::Limits(at) => {
            format!(
                "node `{}` is over its memory by {}",
                program.nodes[at].name.value,
                excess(over.deficit)
            )
        }
    };
    let mut error = Diagnostic::error("BZ4001", what);
    let left = match over.ceiling {
        Ceiling::Node(at) if !draft.on_several_nodes() => {
            room.saturating_sub(draft.nodes[at].packaged()[Dimension::Memory])
        }
        Ceiling::Together => room.saturating_sub(packaged_asks(&draft.nodes)[Dimension::Memory]),
        Ceiling::Node(_) | Ceiling::Budget(_) | Ceiling::Limits(_) => room,
    };
    if let Some((service, needs, left)) = first_too_many(draft, &members, on_node, at, left) {
        let text = format!(
            "the first that does not fit: it needs {}, {} left",
            in_mib(needs),
            in_mib(left)
        );
        error = error.at(service.name.span, text);
    }
    if let Some(span) = given {
        let shortfall = if let Ceiling::Node(at) = over.ceiling {
            shortfall(&draft.nodes[at])
        } else {
            0
        };
        let text = match (on_node, shortfall) {
            (true, 0) => format!("{} of it left for pods", in_mib(room)),
            (true, short) => format!("{} less than what no pod gets", in_mib(short)),
            (false, _) => "holds this much".to_owned(),
        };
        error = match error.primary {
            Some(_) => error.also(span, text),
            None => error.at(span, text),
        };
    }
    lows.sort_unstable();
    lows.dedup();
    // A handful of places can be looked at; the sum has them all.
    for span in lows.into_iter().take(3) {
        error = error.also(span, "the least of this");
    }
    if members.len() > 1 {
        let names: Vec<String> = members
            .iter()
            .take(12)
            .map(|index| &program.services[*index])
            .map(|service| format!("`{}` {}", service.name.value, place(service.name.span)))
            .collect();
        let more = match members.len().saturating_sub(12) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        error = error.note(format!("services: {}{more}", names.join(", ")));
    }
    if over.ceiling == Ceiling::Together {
        error = error.note(nodes_for_pods(draft));
    }
    if let (true, Some(note)) = (on_node, figures_to_measure(draft, at)) {
        error = error.note(note);
    }
    error.addends = addends;
    error.over = Some(over.deficit);
    error.proposals = for_memory(draft, over, &members, on_node);
    error
}

/// What K3s, containerd and shims take by the library where the program gives nothing, and how to find out what they take
/// on that machine.
fn figures_to_measure(draft: &Draft<'_, '_>, at: Option<NodeId>) -> Option<String> {
    // Their ids among what is reserved, what they are, and the fields of `k3s` that replace them.
    const MEASURED: [(&str, &str, &str); 3] = [
        ("k3s", "the K3s process", "`memory`"),
        ("containerd", "containerd", "`containerd`"),
        (SHIMS, "shims", "`shim`"),
    ];
    let at = at.unwrap_or(NodeId::new(0));
    let of = match draft.on_several_nodes() {
        true => format!(" of node `{}`", draft.program.nodes[at].name.value),
        false => String::new(),
    };
    let reserved = &draft.nodes[at].reserved;
    let guessed = MEASURED.iter().filter_map(|(id, what, field)| {
        let figure = reserved.iter().find(|addend| addend.id == *id)?;
        let of_library = figure
            .origin
            .is_some_and(|origin| origin.giver == Giver::Library);
        of_library.then(|| (format!("{} for {what}", in_mib(figure.amount)), *field))
    });
    let (figures, fields): (Vec<String>, Vec<&str>) = guessed.unzip();
    (!figures.is_empty()).then(|| {
        format!(
            "the library's figures{of}: {}; measure the peak of RssAnon in /proc/PID/status of each, over some rollouts, and \
             write it as {} of `k3s`{of} (`bzc explain k3s-memory`)",
            figures.join(", "),
            fields.join(", ")
        )
    })
}

/// By how many bytes a node is too small even for what no pod gets.
fn shortfall(node: &NodePlan<'_>) -> u64 {
    u64::try_from((-node.room).max(0)).unwrap_or(u64::MAX)
}

/// The first service, by name, that finds less than it needs.
fn first_too_many<'p, 'a>(
    draft: &'p Draft<'_, 'a>,
    members: &[ServiceId],
    on_node: bool,
    at: Option<NodeId>,
    room: u64,
) -> Option<(&'p Service<'a>, u64, u64)> {
    let mut left = room;
    for &index in members {
        let workload = &draft.workloads[index];
        let pods = at.map_or(workload.peak(), |at| workload.on(at, workload.peak()));
        let needs = workload.charge(on_node).saturating_mul(pods);
        match left.checked_sub(needs) {
            Some(rest) => left = rest,
            None => return Some((&draft.program.services[index], needs, left)),
        }
    }
    None
}
