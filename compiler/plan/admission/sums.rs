//! What a quota that was adopted counts of its namespace, addend by addend, for the report.

use super::objects::{Objects, place_of};
use crate::admission::quota::{Balance, Member};
use crate::admission::{Amount, Resources};
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::ResourceQuota;
use crate::program::{Program, ServiceId};

/// What a quota counts of one resource, in thousandths of a byte, of a core, or of a piece.
#[derive(Debug)]
pub(crate) struct QuotaSum<'p> {
    /// The quota.
    pub quota: &'p str,
    /// Its namespace.
    pub namespace: &'p str,
    /// The resource, as the quota names it.
    pub resource: &'p str,
    /// Where its amount stands.
    pub origin: &'p str,
    /// How much there may be.
    pub hard: u64,
    /// How much there is while nothing is rolled out.
    pub rest: u64,
    /// How much may be wanted during a rollout, with what has ended and is kept.
    pub most: u64,
    /// What makes them up.
    pub addends: Vec<QuotaAddend>,
}

/// Pods or objects that are alike.
#[derive(Debug)]
pub(crate) struct QuotaAddend {
    /// What they are.
    pub what: String,
    /// The service that they are pods of.
    pub service: Option<ServiceId>,
    /// What each adds.
    pub each: u64,
    /// How many there are while nothing is rolled out.
    pub rest: u64,
    /// How many may be there during a rollout, those on their way out among them.
    pub most: u64,
    /// How many have ended and are kept.
    pub kept: u64,
    /// Whether a rollout needs room for one more than there are at rest.
    pub waits: bool,
    /// Where they were given.
    pub origin: String,
}

/// What a quota counts of the resource of a balance. `None` if a number of it is too large to be stated.
pub(super) fn sum<'p>(
    program: &Program<'_>,
    namespace: &'p str,
    (manifest, quota): (&'p Manifest, &'p ResourceQuota),
    balance: &Balance,
    (counted, members): (&[ServiceId], &[Member<'_>]),
    objects: &Objects,
) -> Option<QuotaSum<'p>> {
    let (resource, _) = quota.quota.hard.get_key_value(&balance.resource)?;
    let each = |usage: &Resources| {
        let each = usage.get(resource).copied().filter(|each| *each > 0)?;
        Some(u64::try_from(each))
    };
    let mut addends = Vec::new();
    for (id, member) in counted.iter().zip(members) {
        let service = &program.services[*id];
        let Some(each) = each(member.usage) else {
            continue;
        };
        addends.push(QuotaAddend {
            what: format!("pods of `{}`", service.name.value),
            service: Some(*id),
            each: each.ok()?,
            rest: member.rest,
            most: member.most,
            kept: if resource == "count/pods" {
                member.kept
            } else {
                0
            },
            waits: member.waits,
            origin: place_of(service),
        });
    }
    let of_objects = objects.named.iter();
    for object in of_objects.filter(|_| quota.quota.counts_objects()) {
        let Some(each) = each(&object.usage) else {
            continue;
        };
        addends.push(QuotaAddend {
            what: object.what.clone(),
            service: None,
            each: each.ok()?,
            rest: object.rest,
            most: object.rest,
            kept: object.kept,
            waits: false,
            origin: object.origin.clone(),
        });
    }
    let at = quota.places.get(resource).unwrap_or(&quota.at);
    Some(QuotaSum {
        quota: &quota.name,
        namespace,
        resource,
        origin: manifest.place(at),
        hard: u64::try_from(balance.hard).unwrap_or(u64::MAX),
        rest: u64::try_from(balance.rest).ok()?,
        most: u64::try_from(total(&addends)).ok()?,
        addends,
    })
}

/// What all come to during a rollout, with what is kept.
fn total(addends: &[QuotaAddend]) -> Amount {
    let all = addends.iter().map(|addend| {
        let pods = addend.most.saturating_add(addend.kept);
        Amount::from(addend.each).saturating_mul(pods.into())
    });
    all.fold(0, Amount::saturating_add)
}
