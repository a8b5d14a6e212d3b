//! A namespace that something bounds, with the pods that run there.

use std::collections::BTreeSet;

use crate::admission::Pod;
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::{Entry, LimitRange, ResourceQuota};
use crate::plan::model::Plan;
use crate::program::{Service, ServiceId};

/// A LimitRange or a quota with the manifest it stands in.
pub(super) type From<'p, T> = (&'p Manifest, &'p T);

/// A namespace that something bounds.
pub(super) struct Bounded<'p, 'a> {
    pub(super) plan: &'p Plan<'p, 'a>,
    pub(super) name: &'p str,
    pub(super) ranges: Vec<From<'p, LimitRange>>,
    pub(super) quotas: Vec<From<'p, ResourceQuota>>,
    /// The services whose pods run there, each with a pod that has been given its defaults.
    pub(super) pods: Vec<(ServiceId, Pod)>,
    /// Resources of which two LimitRanges give one of these services different amounts: nothing is refused for them.
    pub(super) unsettled: BTreeSet<(ServiceId, String)>,
}

impl<'p, 'a> Bounded<'p, 'a> {
    pub(super) fn service(&self, index: ServiceId) -> &'p Service<'a> {
        &self.plan.program.services[index]
    }

    /// Whether all LimitRanges give a service the same of a resource.
    pub(super) fn is_settled(&self, service: ServiceId, resource: &str) -> bool {
        !self.unsettled.contains(&(service, resource.to_owned()))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (From<'p, LimitRange>, &'p Entry)> + '_ {
        self.ranges.iter().flat_map(|(manifest, range)| {
            let entries = range.entries.iter();
            entries.map(move |entry| ((*manifest, *range), entry))
        })
    }
}
