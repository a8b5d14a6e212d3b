//! The node, all nodes together or a budget are over their memory.

use super::list::{
    addend, allocatable, excess, group_addends, listed, listed_components, nodes_for_pods,
};
use crate::base::id::{Id, ids};
use crate::base::quantity::in_mib;
use crate::base::span::Span;
use crate::diag::{Addend, Diagnostic};
use crate::plan::excess::{Ceiling, Excess};
use crate::plan::fixes::for_memory;
use crate::plan::model::{ComponentPlan, Draft, NodePlan, SHIMS};
use crate::plan::resources::Dimension;
use crate::plan::sums::{packaged_asks, pods_at_worst};
use crate::program::{Giver, NodeId, Service, ServiceId, WorkloadKind};

/// The node, all nodes together or a budget are over even with every range at its low end.
pub(crate) fn over_memory(
    draft: &Draft<'_, '_>,
    over: Excess,
    place: &dyn Fn(Span) -> String,
) -> Diagnostic {
    let on_node = !matches!(over.ceiling, Ceiling::Budget(_));
    let at = match over.ceiling {
        Ceiling::Node(at) | Ceiling::Limits(at) => Some(at),
        Ceiling::Together | Ceiling::Budget(_) => None,
    };
    let full = full(draft, over.ceiling);
    let services = group_addends(draft, &full.members, on_node, at);
    let mut lows: Vec<Span> = services.iter().filter_map(|addend| addend.span).collect();
    lows.sort_unstable();
    lows.dedup();

    let mut error = Diagnostic::error("BZ4001", title(draft, over, &full.holder));
    let left = left_for_services(draft, over.ceiling, full.room);
    if let Some((service, needs, left)) = first_too_many(draft, &full.members, on_node, at, left) {
        let text = format!(
            "the first that does not fit: it needs {}, {} left",
            in_mib(needs),
            in_mib(left)
        );
        error = error.at(service.name.span, text);
    }
    if let Some(span) = full.given {
        let text = label_of_holder(draft, over.ceiling, full.room);
        error = match error.primary {
            Some(_) => error.also(span, text),
            None => error.at(span, text),
        };
    }
    // A handful of places can be looked at; the sum has them all.
    for span in lows.into_iter().take(3) {
        error = error.also(span, "the least of this");
    }
    if full.members.len() > 1 {
        error = error.note(list_of_services(draft, &full.members, place));
    }
    if over.ceiling == Ceiling::Together {
        error = error.note(nodes_for_pods(draft));
    }
    if let (true, Some(note)) = (on_node, figures_to_measure(draft, at)) {
        error = error.note(note);
    }
    error.addends = full.taken;
    error.addends.extend(services);
    // The rows add up: what is taken is what the holder has, and the excess.
    let taken = full.has.saturating_add(over.deficit);
    error.addends.push(addend("together", taken, None));
    error
        .addends
        .push(addend(full.holder, full.has, full.given));
    error.over = Some(over.deficit);
    error.proposals = for_memory(draft, over, &full.members, on_node);
    error
}

/// What is over: a node, all nodes together or a budget.
struct Full {
    /// How a row of the sum names it.
    holder: String,
    /// The services whose memory it holds.
    members: Vec<ServiceId>,
    /// How much it has, in bytes.
    has: u64,
    /// How much of that pods may have.
    room: u64,
    /// Where the program gives how much it has.
    given: Option<Span>,
    /// What is taken of it before any service.
    taken: Vec<Addend>,
}

fn full(draft: &Draft<'_, '_>, ceiling: Ceiling) -> Full {
    let program = draft.program;
    let all = ids(&program.services);
    match ceiling {
        Ceiling::Budget(id) => {
            let budget = &program.budgets[id];
            Full {
                holder: format!("budget `{}`", budget.name.value),
                members: budget.members.clone().unwrap_or_else(|| all.collect()),
                has: budget.ceiling.value.n,
                room: budget.ceiling.value.n,
                given: budget.ceiling.origin.span,
                taken: Vec::new(),
            }
        }
        Ceiling::Together => Full {
            holder: "what all nodes have for pods".to_owned(),
            members: all.collect(),
            has: allocatable(draft),
            room: allocatable(draft),
            given: None,
            taken: listed_components(draft, draft.components(), Dimension::Memory),
        },
        Ceiling::Node(at) | Ceiling::Limits(at) => {
            let (node, declared) = (&draft.nodes[at], &program.nodes[at]);
            // On several nodes only pods that every node has are known to be on this one.
            let several = draft.on_several_nodes();
            let components = node.components.iter();
            let here: Vec<ComponentPlan> = components
                .filter(|component| component.every_node || !several)
                .copied()
                .collect();
            let reserved = node.reserved.iter();
            let reserved = reserved.map(|addend| listed(addend, Dimension::Memory));
            let packaged = listed_components(draft, &here, Dimension::Memory);
            Full {
                holder: format!("the memory of node `{}`", declared.name.value),
                members: all
                    .filter(|id| !several || draft.workloads[*id].is_fixed())
                    .collect(),
                has: node.capacity,
                room: node.allocatable(),
                given: declared.memory.origin.span,
                taken: reserved.chain(packaged).collect(),
            }
        }
    }
}

/// What is over, and by how much.
fn title(draft: &Draft<'_, '_>, over: Excess, holder: &str) -> String {
    let by = excess(over.deficit);
    match over.ceiling {
        Ceiling::Budget(_) => format!("{holder} is over by {by}"),
        Ceiling::Together => format!("the nodes together are over their memory by {by}"),
        Ceiling::Node(at) | Ceiling::Limits(at) => {
            let name = draft.program.nodes[at].name.value;
            format!("node `{name}` is over its memory by {by}")
        }
    }
}

/// The part of the room for pods that what K3s packages leaves.
fn left_for_services(draft: &Draft<'_, '_>, ceiling: Ceiling, room: u64) -> u64 {
    let packaged = match ceiling {
        Ceiling::Node(at) if !draft.on_several_nodes() => draft.nodes[at].packaged(),
        Ceiling::Together => packaged_asks(&draft.nodes),
        Ceiling::Node(_) | Ceiling::Budget(_) | Ceiling::Limits(_) => return room,
    };
    room.saturating_sub(packaged[Dimension::Memory])
}

/// The label at the number that says how much there is.
fn label_of_holder(draft: &Draft<'_, '_>, ceiling: Ceiling, room: u64) -> String {
    let short = match ceiling {
        Ceiling::Budget(_) => return "holds this much".to_owned(),
        Ceiling::Node(at) => shortfall(&draft.nodes[at]),
        Ceiling::Together | Ceiling::Limits(_) => 0,
    };
    match short {
        0 => format!("{} of it left for pods", in_mib(room)),
        _ => format!("{} less than what no pod gets", in_mib(short)),
    }
}

/// The services that share what is over, a dozen of them with their places.
fn list_of_services(
    draft: &Draft<'_, '_>,
    members: &[ServiceId],
    place: &dyn Fn(Span) -> String,
) -> String {
    const LISTED: usize = 12;
    let names: Vec<String> = members
        .iter()
        .take(LISTED)
        .map(|id| &draft.program.services[*id])
        .map(|service| {
            let name = service.name;
            let why = made_by(service).map_or_else(String::new, |why| format!(" ({why})"));
            format!("`{}`{why} {}", name.value, place(name.span))
        })
        .collect();
    let more = match members.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("services: {}{more}", names.join(", "))
}

/// Whose pods these are where that is not seen from the name: an operator makes them, or scales what others make.
fn made_by(service: &Service<'_>) -> Option<String> {
    let adopted = service.adopted.as_ref()?;
    let object = adopted.object;
    match adopted.scaled_by {
        Some(scaler) => Some(format!("at the most of {scaler}")),
        None if WorkloadKind::of(&object.kind_text).is_some() => None,
        None => Some(object.kind_text.clone()),
    }
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
    let charge = |id: ServiceId| draft.workloads[id].charge(on_node);
    for (index, pods) in pods_at_worst(draft, members, charge, at) {
        let workload = &draft.workloads[index];
        let needs = workload.charge(on_node).saturating_mul(pods);
        match left.checked_sub(needs) {
            Some(rest) => left = rest,
            None => return Some((&draft.program.services[index], needs, left)),
        }
    }
    None
}
