//! What K3s packages, switched off or held smaller, and pods of others that take less.

use super::made::{Scope, change, number};
use super::numbers::lowered;
use crate::base::id::Id;
use crate::base::quantity::{Bytes, MIB, in_mib};
use crate::diag::{Edit, Proposal, Unit, Way};
use crate::plan::excess::Ceiling;
use crate::plan::model::{ComponentPlan, Draft, LEAST_LIMIT};
use crate::plan::reserve::price_of_pods;
use crate::plan::resources::Dimension;
use crate::program::{Component, ComponentId, LOCAL_STORAGE, NodeId, SettingValue};

/// Components that can be switched off, or kept by bzc instead of K3s.
pub(super) fn fewer(draft: &Draft<'_, '_>) -> Vec<Proposal> {
    const TRAEFIK_PODS: [&str; 3] = ["traefik", "svclb-traefik", "helm-install-traefik"];
    const SWITCHES: [(&str, &[&str], &str); 4] = [
        (
            "metrics-server",
            &["metrics-server"],
            "`kubectl top` and autoscaling stop",
        ),
        ("traefik", &TRAEFIK_PODS, "no ingress controller"),
        (
            "local-storage",
            &[LOCAL_STORAGE],
            "PersistentVolumeClaims stop being provisioned",
        ),
        (
            "traefik, servicelb, metrics-server",
            &[
                TRAEFIK_PODS[0],
                TRAEFIK_PODS[1],
                TRAEFIK_PODS[2],
                "metrics-server",
            ],
            "no ingress controller, no LoadBalancer, no `kubectl top`",
        ),
    ];
    let mut proposals = Vec::new();
    let taken = |names: &[&str]| -> u64 {
        let of = |index: ComponentId| draft.program.components[index].name.as_ref();
        let named = draft
            .components()
            .iter()
            .filter(|component| names.contains(&of(component.component)));
        named
            .map(|component| component.asked()[Dimension::Memory])
            .fold(0, u64::saturating_add)
    };
    let pods = |names: &[&str]| -> u64 {
        let of = |plan: &&ComponentPlan| draft.program.components[plan.component].name.as_ref();
        let named = draft
            .components()
            .iter()
            .filter(|plan| names.contains(&of(plan)));
        named.map(|plan| plan.pods).fold(0, u64::saturating_add)
    };
    for (switch, names, price) in SWITCHES {
        // Without them there are fewer shims too, and what they need of K3s.
        let (asked, pods) = (taken(names), pods(names));
        let shims = draft.nodes[0].shim_pods().saturating_sub(pods);
        let saves = asked.saturating_add(price_of_pods(&draft.program.nodes[0], shims, pods));
        if let Some(edit) = (pods > 0).then(|| disabling(draft, switch)).flatten() {
            let less = match asked {
                0 => String::new(),
                _ => format!(", {} less", in_mib(asked)),
            };
            let text = format!("disable `{switch}`{less}: {price}");
            proposals.push(change(Way::Switch, text, edit.span, edit.text, saves));
        }
    }
    if let Some((component, plan)) = packaged(draft, "coredns")
        && let (Some(least), false) = (component.least.map(|least| least.value), component.owned)
    {
        let saves = taken(&["coredns"]).saturating_sub(least.n * plan.peak());
        let declaration = format!("component coredns {{ memory = {least} }}");
        let (span, by) = match component.span {
            Some(span) => (span, declaration),
            None => (draft.program.nodes[0].behind, format!("\n{declaration}")),
        };
        let text = format!(
            "keep CoreDNS at {least}, one pod at a time, {} less",
            in_mib(saves)
        );
        if saves > 0 {
            proposals.push(change(Way::Switch, text, span, by, saves));
        }
    }
    proposals
}

/// A component that K3s packages, by its name, and what was decided for it.
fn packaged<'d, 'a>(
    draft: &'d Draft<'_, 'a>,
    name: &str,
) -> Option<(&'d Component<'a>, ComponentPlan)> {
    let all = draft.components().iter();
    let mut all = all.map(|plan| (&draft.program.components[plan.component], *plan));
    all.find(|(component, _)| component.name == name && !component.foreign)
}

/// Smaller amounts of memory for Traefik, for what the program keeps itself, and for pods of others.
pub(super) fn smaller(draft: &Draft<'_, '_>, scope: Scope<'_>) -> Vec<Proposal> {
    let at = match scope.ceiling {
        Ceiling::Node(at) | Ceiling::Limits(at) => at,
        Ceiling::Together | Ceiling::Budget(_) => NodeId::new(0),
    };
    let mut proposals = Vec::new();
    for plan in &draft.nodes[at].components {
        let component = &draft.program.components[plan.component];
        let now = plan.pod[Dimension::Memory];
        let least = component.least.or(component.seen);
        let least = least.map_or(LEAST_LIMIT, |figure| figure.value);
        let written = component
            .memory
            .filter(|_| component.owned || component.foreign);
        let span = written.and_then(|(request, _)| request.origin.span);
        if let Some(span) = span {
            let down = format!(", down from {}", Bytes::new(now));
            let text = match component.foreign {
                true => (
                    format!("count a pod of `{}` as ", component.name),
                    format!("{down}, if it can be held to that"),
                ),
                false => (format!("give `{}` ", component.name), down),
            };
            let ends = [now, least.n];
            proposals.extend(lowered(text, span, ends, plan.peak(), scope.deficit));
        } else if component.seen.is_some() && component.span.is_none() && now > least.n {
            let cut = scope.deficit.checked_div(plan.peak()).unwrap_or(0);
            let guess = (now.saturating_sub(cut) / MIB).max(least.n / MIB);
            let text = "hold Traefik, by a `component traefik`, to ".to_owned();
            let mut proposal = number(
                Way::Lower,
                (text, format!(", down from {}", Bytes::new(now))),
                draft.program.nodes[0].behind,
                Unit::Mib,
                [now.div_ceil(MIB), guess, least.n / MIB],
                (now - least.n).saturating_mul(plan.peak()),
            );
            if let Some(number) = &mut proposal.number {
                number.at.text = "\ncomponent traefik { memory = ".to_owned();
                number.behind = " }".to_owned();
            }
            proposals.push(proposal);
        }
    }
    proposals
}

/// The edit that adds names to `disable`, wherever that is.
fn disabling(draft: &Draft<'_, '_>, names: &str) -> Option<Edit> {
    let listed = draft.program.nodes[0]
        .config
        .iter()
        .find_map(|setting| match &setting.value {
            SettingValue::List(items) => (setting.key == "disable").then_some(items),
            SettingValue::Bool(_)
            | SettingValue::Int(_)
            | SettingValue::Text(_)
            | SettingValue::Arguments(_) => None,
        });
    match (listed, draft.program.k3s.inside) {
        (Some(items), _) => {
            let new: Vec<&str> = names
                .split(", ")
                .filter(|name| items.iter().all(|item| item.value != *name))
                .collect();
            Some(Edit {
                span: items.last()?.span.after(),
                text: format!(", {}", new.join(", ")),
            })
        }
        (None, Some(span)) => Some(Edit {
            span,
            text: format!(" disable = [{names}] "),
        }),
        (None, None) => Some(Edit {
            span: draft.program.nodes[0].behind,
            text: format!("\nk3s {{ disable = [{names}] }}"),
        }),
    }
}
