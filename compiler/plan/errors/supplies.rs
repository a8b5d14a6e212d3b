//! More of a resource asked for by name than nodes have: ephemeral storage, or devices.

use crate::diag::{self, Diagnostic};
use crate::plan::fixes::for_supply;
use crate::plan::model::Draft;
use crate::plan::sums::pods_at_worst;
use crate::plan::supplies::{Short, asks, each, in_units};
use crate::program::{Service, ServiceId};

/// More asked for by name than there is. `None` if no node says that it has any.
pub(crate) fn over_supply(draft: &Draft<'_, '_>, short: &Short<'_>) -> Option<Diagnostic> {
    let resource = short.resource;
    let units = |amount| in_units(resource, amount);
    let nodes = &draft.program.nodes;
    let (whose, has, span) = match short.node {
        Some(at) => {
            let node = &nodes[at];
            let supply = node.supply(resource);
            let span = supply.and_then(|supply| supply.has.origin.span);
            let name = node.name.value;
            (
                format!("node `{name}` is"),
                match supply {
                    Some(supply) if supply.kept > 0 => {
                        format!(
                            "what `{name}` has, less {} that the kubelet keeps",
                            units(supply.kept)
                        )
                    }
                    _ => format!("what `{name}` has"),
                },
                span.unwrap_or(node.name.span),
            )
        }
        None => {
            let mut all = nodes.iter().filter_map(|node| node.supply(resource));
            let span = all.find_map(|supply| supply.has.origin.span);
            let has = "what all nodes have for pods".to_owned();
            ("the nodes are".to_owned(), has, span?)
        }
    };
    let over = short.asked - short.has;
    let message = format!("{whose} over `{resource}` by {}", units(over));
    let label = format!("{} for pods", units(short.has));
    let mut error = Diagnostic::error("BZ4010", message).at(span, label);
    let of = |id: ServiceId| -> &Service<'_> { &draft.program.services[id] };
    let of_one = |id: ServiceId| each(of(id), resource);
    for (id, pods) in pods_at_worst(draft, &short.members, of_one, short.node) {
        let service = of(id);
        let what = match pods {
            0 => continue,
            1 => format!("`{}`", service.name.value),
            _ => format!("`{}`: {pods} x {}", service.name.value, units(of_one(id))),
        };
        error.addends.push(diag::Addend {
            what,
            amount: units(of_one(id).saturating_mul(pods)),
            span: asks(service, resource).find_map(|ask| ask.each.origin.span),
        });
    }
    let row = |what: &str, amount, span| diag::Addend {
        what: what.to_owned(),
        amount: units(amount),
        span,
    };
    error
        .addends
        .push(row("together, at the peak of a rollout", short.asked, None));
    error.addends.push(row(&has, short.has, Some(span)));
    error.over = Some(over);
    error.proposals = for_supply(draft, short);
    Some(error)
}
