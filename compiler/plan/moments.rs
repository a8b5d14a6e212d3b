//! The moments of a rollout at which a sum can be at its largest.

use std::collections::BTreeSet;

use super::model::{Choice, Hook, Moment, Rolling, Wave, Workload};
use crate::base::id::numbered;
use crate::program::{NodeId, Program, ServiceId};

/// The moments that can be the worst: of each rollout without a hook of Helm, and with each.
pub(super) fn moments(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<Moment> {
    let hook = |(service, workload): (ServiceId, &Workload<'_>)| {
        Some(Hook {
            service,
            release: workload.release,
            phase: workload.hook?,
        })
    };
    let hooks: Vec<Option<Hook>> = [None]
        .into_iter()
        .chain(numbered(workloads).filter_map(hook).map(Some))
        .collect();
    let rollouts = rollouts(program, workloads).into_iter();
    let with_hooks = rollouts.flat_map(|rollout| {
        let hooks = hooks.iter();
        hooks.map(move |&hook| Moment { rollout, hook })
    });
    with_hooks.collect()
}

/// The rollouts that can be the worst. Of services that roll alone and are alike, the first is enough.
pub(super) fn rollouts(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<Rolling> {
    let mut rollouts = Vec::new();
    let mut waves = BTreeSet::new();
    let mut alike = BTreeSet::new();
    for (service, workload) in numbered(workloads).filter(|(_, workload)| workload.surge > 0) {
        match workload.wave {
            Wave::Every => {}
            Wave::Of(wave) => {
                waves.insert(wave);
            }
            Wave::Alone if alike.insert(likeness(program, service, workload)) => {
                rollouts.push(Rolling::Alone(service))
            }
            Wave::Alone => {}
        }
    }
    rollouts.extend(waves.into_iter().map(Rolling::Of));
    if rollouts.is_empty() {
        rollouts.push(Rolling::Calm);
    }
    rollouts
}

/// What two services that roll alone must have in common for the moment of one to be as bad as that of the other: what a
/// pod counts for with all its containers and was seen to need, how many pods there are, weight and budgets, and where the pods may be.
pub(super) type Likeness = (
    [u64; 7],
    [u64; 2],
    (Option<u64>, bool),
    Vec<bool>,
    (Option<Vec<NodeId>>, bool),
    // What is of a release is not rolled out while hooks of it run.
    Option<usize>,
    // What bursts has no number to be chosen, however alike its ends are to those of a range.
    bool,
);

pub(super) fn likeness(
    program: &Program<'_>,
    index: ServiceId,
    workload: &Workload<'_>,
) -> Likeness {
    let budgets = program
        .budgets
        .iter()
        .map(|budget| budget.is_over(index))
        .collect();
    let service = &program.services[index];
    let share = (
        service.weight.as_ref().map(|weight| weight.value),
        service.shrinks_first,
    );
    let (least, request, limit) = (
        workload.pod_least(),
        workload.pod_request(),
        workload.pod_limit(),
    );
    let pod = [
        least,
        request,
        limit,
        workload.cpu,
        workload.sidecars,
        workload.init_peak,
        workload.measured().unwrap_or(0),
    ];
    let place = (workload.nodes.clone(), workload.one_a_node);
    (
        pod,
        [workload.replicas, workload.surge],
        share,
        budgets,
        place,
        workload.release,
        workload.choice == Choice::Burst,
    )
}
