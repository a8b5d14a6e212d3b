//! `budget`: named ceilings over the limits of services.

use crate::base::id::{Id, numbered};
use crate::base::quantity::Bytes;
use crate::base::span::{Span, Spanned};
use crate::program::{Budget, Given, Giver, Origin, Service, ServiceId, Tier, TierId};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::{Field, Fields};
use crate::syntax::ast::ExprKind;

pub(crate) fn budgets<'a>(
    decls: &Decls<'_, 'a>,
    services: &[Service<'a>],
    tiers: &[Tier<'a>],
) -> Vec<Budget<'a>> {
    let cx = decls.cx;
    let mut budgets = Vec::new();
    for decl in decls.of("budget") {
        let Some(ceiling) = ceiling(decls, decl.name, decl.item, decl.span) else {
            continue;
        };
        let layers = decls.layers("budget", decl.name, decl.item);
        let fields = Fields::new(cx, "budget", decl.span, layers);
        fields.check_keys("budget");
        let tier_names = fields.names("tiers");
        let service_names = fields.names("services");
        let mut members = (tier_names.is_some() || service_names.is_some()).then(Vec::new);
        for (name, span) in tier_names.unwrap_or_default() {
            let Some(tier) = decls.id::<TierId>("tier", name, span) else {
                continue;
            };
            debug_assert!(
                tier.index() < tiers.len(),
                "every declared tier has its place"
            );
            let of_tier = numbered(services).filter(|(_, service)| service.tier == Some(tier));
            members
                .iter_mut()
                .for_each(|members| members.extend(of_tier.clone().map(|(id, _)| id)));
        }
        for (name, span) in service_names.unwrap_or_default() {
            let found = services
                .iter()
                .position(|service| service.name.value == name)
                .map(ServiceId::new);
            if !decls.has_workload(name) && found.is_none() {
                decls.check_declared("service", name, span);
            }
            members.iter_mut().for_each(|members| members.extend(found));
        }
        if let Some(members) = &mut members {
            members.sort_unstable();
            members.dedup();
        }
        budgets.push(Budget {
            name: Spanned::new(decl.name, decl.span),
            ceiling,
            members,
        });
    }
    budgets
}

/// `budget platform = 800Mi`, and what the environment makes of it.
pub(crate) fn ceiling<'a>(
    decls: &Decls<'_, 'a>,
    name: &'a str,
    item: &'a crate::syntax::ast::Item,
    span: Span,
) -> Option<Given<'a, Bytes>> {
    let cx = decls.cx;
    let mut ceiling = None;
    for (env, item) in [
        (None, Some(item)),
        (decls.env, decls.change("budget", name)),
    ] {
        let Some(item) = item else { continue };
        let Some(value) = &item.value else { continue };
        let origin = Origin {
            env,
            giver: Giver::Declaration("budget"),
            name,
            key: "",
            span: Some(value.span),
        };
        let field = Field { item, origin };
        match (ceiling, item.overriding()) {
            (Some(_), None) if env.is_some() => {
                let lower = decls.get("budget", name)?.item;
                cx.report(general::override_missing("budget", item, lower, &origin));
            }
            (None, Some(word)) => {
                cx.report(general::overrides_nothing("budget", item.key.span, word))
            }
            _ => {}
        }
        if matches!(value.kind, ExprKind::Hole) {
            return None;
        }
        if let Some(bytes) = cx.memory(value) {
            ceiling = Some(field.given(bytes));
        }
    }
    if ceiling.is_none() && item.value.is_none() {
        cx.report(general::malformed(
            "budget",
            &format!("budget {name} = 800Mi"),
            span,
        ));
    }
    ceiling
}
