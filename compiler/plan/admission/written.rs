//! What bzc writes for admission to ask about: classes of priority, and the bounds of the program's own namespace.

use crate::plan::model::{Plan, Workload};
use crate::program::{Program, Service, namespace};

/// The class of priority that bzc gives the pods of a service: that of DaemonSets that push others out, or of its tier.
pub(crate) fn priority_class(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> Option<String> {
    let tier = service.tier.map(|tier| &plan.program.tiers[tier]);
    match tier.filter(|tier| tier.priority.is_some()) {
        _ if pushes(plan, workload) => Some(daemons(plan)),
        tier => tier.map(|tier| priority_name(plan, tier.name.value)),
    }
}

/// Whether the pods of a workload, which have one node each, push others out that do not.
pub(crate) fn pushes(plan: &Plan<'_, '_>, workload: &Workload<'_>) -> bool {
    plan.on_several_nodes() && workload.is_fixed()
}

/// The class of DaemonSets. No tier has a dot in its name.
pub(crate) fn daemons(plan: &Plan<'_, '_>) -> String {
    format!("{}.daemons", plan.program.namespace.value)
}

/// Priority classes belong to the cluster: the namespace keeps those of two programs apart.
pub(crate) fn priority_name(plan: &Plan<'_, '_>, tier: &str) -> String {
    format!("{}-{tier}", plan.program.namespace.value)
}

/// Whether bzc writes a quota for the program's own namespace: not where it would refuse an adopted pod without a limit.
pub(crate) fn writes_quota(plan: &Plan<'_, '_>) -> bool {
    let program = plan.program;
    let namespace_of_bzc = program.namespace.value;
    let mut members = program
        .services
        .iter()
        .filter(|service| program.namespace_of(service) == namespace_of_bzc)
        .peekable();
    let unbounded = |service: &Service<'_>| {
        let adopted = service.adopted.as_ref();
        adopted.is_some_and(|adopted| adopted.unbounded().is_some())
    };
    members.peek().is_some() && !members.any(unbounded)
}

/// Whether a LimitRange was adopted into a namespace: then bzc writes none there, for of two nobody knows which is asked
/// first.
pub(crate) fn has_range(program: &Program<'_>, name: &str) -> bool {
    let manifests = program.manifests.iter();
    let mut ranges = manifests.flat_map(|manifest| &manifest.objects.ranges);
    ranges.any(|range| namespace(range.namespace.as_deref()) == name)
}
