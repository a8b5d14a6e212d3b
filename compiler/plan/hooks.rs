//! Hooks of Helm: pods that are there at their moment only, while of their release nothing runs, or what runs of it at
//! rest, or what runs of it in a rollout (`spec/06-proof.md`).

use super::model::Workload;
use super::moments::rollouts;
use crate::base::id::numbered;
use crate::program::{Adopted, Program, Release, ServiceId};

/// More moments are not looked at: hooks beyond count all the time.
const MOMENTS: usize = 1000;

/// Takes hooks of Helm from what is there at rest to their moments.
pub(super) fn to_their_moments(program: &Program<'_>, workloads: &mut [Workload<'_>]) {
    let adopted = numbered(&program.services)
        .filter_map(|(index, service)| Some((index, service.adopted.as_deref()?)));
    let mut hooks: Vec<(ServiceId, &Adopted<'_>)> = adopted
        .clone()
        .filter(|(index, one)| one.object.hook.is_some() && workloads[*index].replicas > 0)
        .collect();
    if hooks.is_empty() {
        return;
    }
    hooks.truncate(MOMENTS / rollouts(program, workloads).len());
    let mut releases: Vec<Release<'_>> = hooks
        .iter()
        .filter_map(|(_, hook)| program.release_of(hook))
        .collect();
    releases.sort_unstable();
    releases.dedup();
    for (index, one) in adopted {
        let release = program.release_of(one);
        workloads[index].release =
            release.and_then(|release| releases.binary_search(&release).ok());
    }
    for (index, hook) in hooks {
        let workload = &mut workloads[index];
        workload.hook = hook.object.hook;
        (workload.replicas, workload.surge) = (0, workload.replicas);
    }
}
