//! Rollouts that need less room: one at a time, or without a second copy.

use super::made::{Scope, change};
use crate::base::quantity::in_mib;
use crate::base::span::Span;
use crate::diag::{Edit, Proposal, Way};
use crate::plan::model::Draft;
use crate::plan::words::named;
use crate::program::ServiceId;

/// A place where a rollout is written that adds pods.
struct Place<'n> {
    span: Span,
    names: Vec<&'n str>,
    /// What the pods that are added take, in bytes.
    added: u64,
    /// The most of it that one service adds, with one pod.
    largest: u64,
    /// Whether it lets no other rollout be already.
    alone: bool,
}

/// All rollouts one at a time; each without a second copy; all of them without one.
pub(super) fn quieter(draft: &Draft<'_, '_>, scope: Scope<'_>) -> Vec<Proposal> {
    let places = places(draft, scope);
    let mut proposals = Vec::new();
    let added = |places: &[Place<'_>]| places.iter().fold(0, |n: u64, p| n.saturating_add(p.added));
    let all = added(&places);
    let largest = places.iter().map(|place| place.largest).max().unwrap_or(0);
    let names = |places: &[&Place<'_>]| {
        let all: Vec<&str> = places
            .iter()
            .flat_map(|p| p.names.iter().copied())
            .collect();
        named(&all)
    };
    let edits = |places: &[&Place<'_>], by: &str| -> Vec<Edit> {
        let edit = |place: &&Place<'_>| Edit {
            span: place.span,
            text: by.to_owned(),
        };
        places.iter().map(edit).collect()
    };
    let together: Vec<&Place<'_>> = places.iter().filter(|place| !place.alone).collect();
    if !together.is_empty() && all > largest {
        let saves = all - largest;
        let text = format!("roll out {} one at a time", names(&together));
        proposals.push(Proposal {
            edits: edits(&together, "serial"),
            ..several(text, saves)
        });
    }
    for place in &places {
        let text = format!(
            "roll out {} by replacement: no second copy, {} less",
            named(&place.names),
            in_mib(place.added)
        );
        let by = "replace".to_owned();
        proposals.push(change(Way::Switch, text, place.span, by, place.added));
    }
    if places.len() > 1 {
        let every: Vec<&Place<'_>> = places.iter().collect();
        let text = format!(
            "roll out {} by replacement: no second copies, {} less",
            names(&every),
            in_mib(all)
        );
        proposals.push(Proposal {
            edits: edits(&every, "replace"),
            ..several(text, all)
        });
    }
    proposals
}

/// Each adopted Deployment whose own manifest adds pods, by a rule that replaces them.
pub(super) fn replaced<'d>(
    draft: &'d Draft<'_, '_>,
    members: &'d [ServiceId],
) -> impl Iterator<Item = Proposal> + use<'d> {
    members.iter().filter_map(|id| {
        let (service, workload) = (&draft.program.services[*id], &draft.workloads[*id]);
        let adopted = service.adopted.as_ref();
        let adopted = adopted.filter(|one| workload.surge > 0 && !one.sets_rollout)?;
        let inside = draft.program.adopts[adopted.adopt].inside?;
        let name = service.name.value;
        let text = format!("roll out `{name}` by replacement: no second copy");
        let by = format!("\n  workload {name} {{ rollout = replace }}\n ");
        Some(change(Way::Switch, text, inside, by, 1))
    })
}

/// A change of several places.
fn several(text: String, saves: u64) -> Proposal {
    Proposal {
        way: Way::Switch,
        text,
        tail: String::new(),
        edits: Vec::new(),
        number: None,
        saves,
    }
}

fn places<'n>(draft: &'n Draft<'_, '_>, scope: Scope<'_>) -> Vec<Place<'n>> {
    let mut places: Vec<Place<'n>> = Vec::new();
    for &index in scope.members {
        let (service, workload) = (&draft.program.services[index], &draft.workloads[index]);
        // The rollout that a manifest has of its own is no word of the program.
        let of_manifest = service.adopted.as_ref().is_some_and(|a| !a.sets_rollout);
        let Some(span) = service.rollout.origin.span.filter(|_| !of_manifest) else {
            continue;
        };
        let charge = workload.charge(scope.on_node);
        let added = charge.saturating_mul(workload.surge);
        if added == 0 {
            continue;
        }
        match places.iter_mut().find(|place| place.span == span) {
            Some(place) => {
                place.names.push(service.name.value);
                place.added = place.added.saturating_add(added);
                place.largest = place.largest.max(charge);
            }
            None => places.push(Place {
                span,
                names: vec![service.name.value],
                added,
                largest: charge,
                alone: service.rollout.value.is_alone(),
            }),
        }
    }
    places
}
