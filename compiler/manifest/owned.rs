//! What stands in several manifests for the same pods, as a dump of a cluster has it: it counts with its controller.

use std::collections::BTreeMap;

use super::file::Manifest;
use super::workload::Workload;
use super::workload::dump::Owner;

/// The label in which a Deployment puts what the name of its ReplicaSet ends with (pkg/controller/deployment).
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Leaves out what counts with its controller: a ReplicaSet of a Deployment, a Pod of any of them. What a suspended
/// CronJob had started before counts for itself, and so does what an object made whose pods nobody counts.
pub(crate) fn leave_out_owned(manifests: &mut [Manifest]) {
    let all = manifests
        .iter()
        .flat_map(|manifest| &manifest.objects.workloads);
    let key = |kind: &str, name: &str, workload: &Workload| {
        let namespace = workload
            .namespace
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        (kind.to_owned(), name.to_owned(), namespace)
    };
    let counted: BTreeMap<_, bool> = all
        .map(|one| {
            let name = one
                .made_of
                .as_ref()
                .map_or(&one.name, |object| &object.name);
            (key(&one.kind_text, name, one), one.idle.is_none())
        })
        .collect();
    let has = |kind: &str, name: &str, of: &Workload| {
        counted
            .get(&key(kind, name, of))
            .is_some_and(|counts| *counts)
    };
    for manifest in manifests {
        manifest.objects.workloads.retain(|workload| {
            let Some(Owner { kind, name }) = &workload.owner else {
                return true;
            };
            // A dump may have Deployments and Pods, and not the ReplicaSets between them.
            let mut labels = workload.place.labels.iter();
            let hash = labels.find(|(key, _)| key == TEMPLATE_HASH);
            let deployment = hash
                .and_then(|(_, hash)| name.strip_suffix(hash.as_str())?.strip_suffix('-'))
                .filter(|_| kind == "ReplicaSet");
            let by_deployment = deployment.is_some_and(|name| has("Deployment", name, workload));
            !has(kind, name, workload) && !by_deployment
        });
    }
}
