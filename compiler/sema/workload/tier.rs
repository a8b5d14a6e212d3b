//! `tier`: what several services share.

use crate::base::span::Spanned;
use crate::program::Tier;
use crate::sema::decls::{Decls, fields};
use crate::sema::errors as general;
use crate::sema::names::check_label;
use crate::sema::pod::security::security;
use crate::sema::workload::resources::{cpu, memory, rollout};

/// One less than the most that Kubernetes leaves to its users: that belongs to daemons.
pub(crate) const MOST_PRIORITY: u64 = 999_999_999;

pub(crate) fn tiers<'a>(decls: &Decls<'_, 'a>) -> Vec<Tier<'a>> {
    decls
        .of("tier")
        .map(|decl| {
            let mut priority = None;
            if let Some(fields) = fields(decls, "tier", decl) {
                fields.check_keys("tier");
                check_label(decls.cx, "tier", decl.name, decl.span);
                priority = fields.count("priority");
                // These are read here too, so that a fault in a tier is reported once, at the tier, whether it is
                // used or not.
                let _ = (
                    security(decls, &fields),
                    memory(&fields),
                    cpu(&fields),
                    fields.count("replicas"),
                    rollout(&fields),
                );
            }
            if let Some(given) = priority.filter(|given| given.value > MOST_PRIORITY) {
                let span = given.origin.span.unwrap_or(decl.span);
                decls
                    .cx
                    .report(general::out_of_range("priority", "0 to 999999999", span));
            }
            Tier {
                name: Spanned::new(decl.name, decl.span),
                priority,
            }
        })
        .collect()
}
