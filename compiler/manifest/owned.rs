//! What stands in several manifests for the same pods, as a dump of a cluster has it: it counts with its controller.

use std::collections::BTreeSet;

use super::file::Manifest;
use super::workload::Workload;
use super::workload::balancer::{Balancer, POOL};

/// The label in which a Deployment puts what the name of its ReplicaSet ends with (pkg/controller/deployment).
const TEMPLATE_HASH: &str = "pod-template-hash";

/// Leaves out what counts with its controller: a ReplicaSet of a Deployment, a Pod of any of them, what K3s made for a
/// Service, be that there or not. What a suspended CronJob had started before counts for itself, and so does what an object made whose pods
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
        // A dump may have what K3s made for a Service, and not the Service.
        for made in &manifest.objects.workloads {
            let balancer = balancer_of(made);
            let of = |one: &Balancer| key("Service", &one.name, one.namespace.as_deref());
            let balancer = balancer.filter(|one| counted.insert(of(one)));
            manifest.objects.balancers.extend(balancer);
        }
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

/// The Service of which K3s made a DaemonSet, as far as that shows it; none if K3s did not make it.
fn balancer_of(made: &Workload) -> Option<Balancer> {
    let owner = made.owner.as_ref()?;
    let namespace = owner.namespace.clone()?;
    let pool = made.place.selector.iter().find(|one| one.key == POOL);
    Some(Balancer {
        name: owner.name.clone(),
        namespace: Some(namespace),
        known_as: format!("svclb-{}", owner.name),
        at: made.at.clone(),
        pool: pool.and_then(|pool| pool.values.first().cloned()),
        containers: made.containers.len() as u64,
        ports: made.place.host_ports.clone(),
    })
}
