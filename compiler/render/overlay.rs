//! `patch`: what a program lays over the objects that bzc writes for a workload. The objects are read before and after as
//! adopted manifests are, and nothing that the proof counts may be another.

use serde_json::Value;

use super::errors;
use crate::diag::Sink;
use crate::kustomize::overlay;
use crate::manifest::workload::{Container, Objects, Workload};
use crate::program::{Patch, Service};

/// The objects of a workload with its patches. `None` if one cannot be applied, which is reported.
pub(crate) fn overlaid(
    service: &Service<'_>,
    objects: Vec<Value>,
    sink: &mut Sink,
) -> Option<Vec<Value>> {
    let name = service.name.value;
    let mut laid = objects.clone();
    for Patch { span, kind, value } in &service.patches {
        let kind = kind.as_deref().unwrap_or_else(|| service.kind.word());
        let is_meant = |object: &&mut Value| object["kind"] == kind;
        let Some(object) = laid.iter_mut().find(is_meant) else {
            let kinds: Vec<&str> = { objects.iter() }
                .filter_map(|one| one["kind"].as_str())
                .collect();
            sink.push(errors::patch_of_nothing(name, kind, &kinds, *span));
            return None;
        };
        match overlay::merged(object, value) {
            Ok(merged) => *object = merged,
            Err(why) => {
                sink.push(errors::patch_refused(name, &why, *span));
                return None;
            }
        }
    }
    let span = service.patches.first()?.span;
    let before = overlay::read(&objects);
    let after = match overlay::read(&laid) {
        Ok(after) => after,
        Err(why) => {
            sink.push(errors::patch_refused(name, &why, span));
            return None;
        }
    };
    let changed = before.ok().and_then(|before| change(&before, &after));
    if let Some((what, say)) = changed {
        sink.push(errors::patch_of_counted(name, what, say, span));
        return None;
    }
    Some(laid)
}

const NO_WAY: &str =
    "bz has no word for it: `adopt` a manifest that has it, and it is counted or named";

/// What is another for the proof, and how to say it in bz.
fn change(before: &Objects, after: &Objects) -> Option<(&'static str, &'static str)> {
    let pairs = before.workloads.iter().zip(&after.workloads);
    let of_workload = pairs
        .into_iter()
        .find_map(|(before, after)| of_workload(before, after));
    of_workload
        .or_else(|| {
            (before.scalers != after.scalers).then_some((
                "changes how many pods there may be, which the proof counts",
                "write `scale = 1..4`",
            ))
        })
        .or_else(|| {
            let what = "makes it a Service for which K3s makes pods of its own";
            (before.balancers != after.balancers).then_some((what, NO_WAY))
        })
        .or_else(|| (before != after).then_some(("changes what the proof counts", NO_WAY)))
}

fn of_workload(before: &Workload, after: &Workload) -> Option<(&'static str, &'static str)> {
    let called = |one: &Workload| {
        (
            one.kind_text.clone(),
            one.api_version.clone(),
            one.name.clone(),
            one.namespace.clone(),
        )
    };
    let containers = |one: &Workload| -> Vec<(String, _)> {
        let all = one.containers.iter();
        all.map(|one| (one.name.clone(), one.role)).collect()
    };
    let amounts = |one: &Workload| -> Vec<_> {
        let amounts = |one: &Container| {
            (
                one.memory.clone(),
                one.cpu.clone(),
                one.requests.clone(),
                one.limits.clone(),
            )
        };
        one.containers.iter().map(amounts).collect()
    };
    let (a, b) = (before, after);
    let parts = [
        (
            called(a) == called(b),
            "changes which object it is",
            "a patch changes fields of an object, not its name, namespace, kind or version",
        ),
        (
            containers(a) == containers(b),
            "changes its containers, which the proof counts",
            "write `sidecar NAME { image = \"..\"  memory = 32Mi }`, or `init NAME { .. }`",
        ),
        (
            amounts(a) == amounts(b),
            "changes `resources`, which the proof counts",
            "write `memory` and `cpu` in the block itself",
        ),
        (
            (a.replicas, a.completions) == (b.replicas, b.completions),
            "changes how many pods there are, which the proof counts",
            "write `replicas = 2`, `scale = 1..4`, or `parallelism` and `completions` of a job",
        ),
        (
            (a.surge, a.unavailable, a.has_rolling_update)
                == (b.surge, b.unavailable, b.has_rolling_update),
            "changes the strategy of its rollouts, which the proof counts",
            "write `rollout = replace`, `recreate`, `surge 1` or `serial`",
        ),
        (
            (&a.schedule, &a.concurrency) == (&b.schedule, &b.concurrency),
            "changes when it runs, which the proof counts",
            "write `schedule` and `concurrency` in the block itself",
        ),
        (
            a.grace == b.grace,
            "changes how long its pods may take to end, which the proof counts",
            "write `grace = 30s`",
        ),
        (
            (a.retries, a.has_deadline) == (b.retries, b.has_deadline),
            "changes when it gives up, which the proof counts",
            "write `retries` and `deadline` in the block itself",
        ),
        (
            a.place.priority_class == b.place.priority_class,
            "changes its priority, which the proof counts",
            "write `priority = 1000` in its tier",
        ),
        (
            a.place.host_ports == b.place.host_ports,
            "changes ports of its node, which the proof counts",
            "write `host-port = 80` beside `port`",
        ),
        (
            a.place == b.place,
            "changes where its pods run, which the proof counts",
            "write `node`, `node-selector`, `tolerations` or `anti-affinity` in the block itself",
        ),
        (
            (&a.in_memory, &a.secrets, &a.shared_claims, &a.claims_each)
                == (&b.in_memory, &b.secrets, &b.shared_claims, &b.claims_each),
            "changes its volumes in memory, its Secrets or its claims, which the proof counts",
            "write `volume NAME { path = \"/data\"  memory = 16Mi }`, `secret`, `claim` or `storage`",
        ),
        (
            a.beyond == b.beyond,
            "gives its pods what no sum of the proof holds",
            NO_WAY,
        ),
    ];
    let mut changed = parts.into_iter().filter(|(same, ..)| !same);
    changed.next().map(|(_, what, say)| (what, say))
}
