//! What stands in several manifests for the same pods, as a dump of a cluster has it: it counts with its controller.

use std::collections::BTreeSet;

use super::file::Manifest;
use super::workload::Workload;

/// The label in which a Deployment puts what the name of its ReplicaSet ends with (pkg/controller/deployment).
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Leaves out what counts with its controller: a ReplicaSet of a Deployment, a Pod of any of them, what K3s made for a
/// Service. What a suspended CronJob had started before counts for itself, and so does what an object made whose pods
/// nobody counts.
pub(crate) fn leave_out_owned(manifests: &mut [Manifest]) {
    let key = |kind: &str, name: &str, namespace: Option<&str>| {
        let namespace = namespace.unwrap_or("default");
        [kind, name, namespace].map(str::to_owned)
    };
    let of_workload = |one: &Workload| {
        let name = one
            .made_of
            .as_ref()
            .map_or(&one.name, |object| &object.name);
        key(&one.kind_text, name, one.namespace.as_deref())
    };
    let mut counted = BTreeSet::new();
    for Manifest { objects, .. } in &*manifests {
        let workloads = objects.workloads.iter().filter(|one| one.idle.is_none());
        counted.extend(workloads.map(of_workload));
        let balancers = objects.balancers.iter();
        counted.extend(balancers.map(|one| key("Service", &one.name, one.namespace.as_deref())));
    }
    for manifest in manifests {
        manifest.objects.workloads.retain(|workload| {
            let Some(owner) = &workload.owner else {
                return true;
            };
            let namespace = owner.namespace.as_ref().or(workload.namespace.as_ref());
            let has = |kind: &str, name: &str| {
                counted.contains(&key(kind, name, namespace.map(String::as_str)))
            };
            // A dump may have Deployments and Pods, and not the ReplicaSets between them.
            let mut labels = workload.place.labels.iter();
            let hash = labels.find(|(key, _)| key == TEMPLATE_HASH);
            let deployment = hash
                .and_then(|(_, hash)| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'))
                .filter(|_| owner.kind == "ReplicaSet");
            let by_deployment = deployment.is_some_and(|name| has("Deployment", name));
            !has(&owner.kind, &owner.name) && !by_deployment
        });
    }
}
