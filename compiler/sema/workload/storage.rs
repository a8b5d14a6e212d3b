//! Claims that workloads make, against the nodes that they would be used on.

use std::collections::BTreeMap;

use super::errors;
use crate::base::span::Span;
use crate::program::{
    Component, Kind, LOCAL_PATH, LOCAL_STORAGE, Node, Service, Storage, VolumeSource,
};
use crate::sema::errors as general;
use crate::sema::values::Cx;

/// Reports claims that nothing provides, claims that pods of several nodes would have to share, and two of one name.
pub(crate) fn check(
    cx: &Cx<'_>,
    (nodes, components): (&[Node<'_>], &[Component<'_>]),
    services: &[Service<'_>],
) {
    let has_local = components.iter().any(|one| one.name == LOCAL_STORAGE);
    let mut names: BTreeMap<String, Span> = BTreeMap::new();
    for service in services {
        for volume in &service.pod.volumes {
            let VolumeSource::Storage(storage) = volume.source else {
                continue;
            };
            let (name, span) = (service.name.value, volume.name.span);
            let is_local = storage.class.is_none_or(|class| class == LOCAL_PATH);
            if storage.class.is_none() && !has_local {
                cx.report(errors::storage_without_provider(name, span));
            } else if is_local && storage.many {
                cx.report(errors::local_path_for_many(name, span));
            }
            let Some(claim) = service.shared_claim(volume) else {
                continue;
            };
            if let Some(pods) = on_several_nodes(nodes, service, (&storage, is_local)) {
                cx.report(errors::claim_of_several_nodes(name, pods, span));
            }
            if let Some(first) = names.insert(claim.clone(), span) {
                cx.report(general::declared_twice("claim", &claim, first, span));
            }
        }
    }
}

/// The pods of a service that share a claim which one node may use at a time, where they may be on several nodes. K3s's
/// local storage brings all of them to its node, unless no two may share one.
fn on_several_nodes(
    nodes: &[Node<'_>],
    service: &Service<'_>,
    (storage, is_local): (&Storage<'_>, bool),
) -> Option<u64> {
    let place = &service.pod.place;
    let open = place.nodes.as_ref().map_or(nodes.len(), Vec::len) as u64;
    let (pods, apart) = match service.kind {
        Kind::DaemonSet => (open, true),
        Kind::Deployment(_) | Kind::StatefulSet | Kind::Job(_) | Kind::CronJob(..) => {
            let replicas = service.replicas.value;
            (replicas + service.surge(replicas), place.apart)
        }
    };
    (!storage.many && open > 1 && pods > 1 && (apart || !is_local)).then_some(pods)
}
