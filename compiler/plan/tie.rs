//! What ties the pods of a service to a node: volumes that are a folder of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::admission::waits;
use super::model::Workload;
use crate::program::{LOCAL_PATH, LOCAL_STORAGE, Program, Service, VolumeSource, namespace};

/// Whether pods have to come back to the node that they first ran on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tie {
    /// They may run anywhere.
    None,
    /// They have to, for this reason.
    Node(&'static str),
    /// It is not known, for this reason.
    Unknown(String),
}

/// K3s's own provisioner makes each volume a folder of the node that its first pod runs on, and gives it a node
/// affinity (rancher/local-path-provisioner, provisioner.go). It is the default class unless it is disabled.
pub(super) fn tie(program: &Program<'_>, service: &Service<'_>) -> Tie {
    let has_local_path = program.runs(LOCAL_STORAGE);
    let mut found = Tie::None;
    for volume in &service.pod.volumes {
        let name = volume.name.value;
        let tie = match &volume.source {
            VolumeSource::Storage(storage) => match storage.class {
                Some(LOCAL_PATH) => Tie::Node(FOLDER),
                None if has_local_path => Tie::Node(FOLDER),
                None => Tie::Unknown(format!(
                    "where its volume `{name}` lies is not known: it is of the cluster's default storage class"
                )),
                Some(class) => Tie::Unknown(format!(
                    "where its volume `{name}` of storage class `{class}` lies is not known"
                )),
            },
            VolumeSource::Claim(claim) => {
                Tie::Unknown(format!("where its claim `{claim}` lies is not known"))
            }
            VolumeSource::OwnClaims => {
                Tie::Unknown("where the claims of its pods lie is not known".to_owned())
            }
            VolumeSource::Config(_)
            | VolumeSource::Secret(_)
            | VolumeSource::Disk(_)
            | VolumeSource::Memory(_)
            | VolumeSource::Host(_) => Tie::None,
        };
        match (&found, &tie) {
            (_, Tie::Node(_)) => return tie,
            (Tie::None, Tie::Unknown(_)) => found = tie,
            _ => {}
        }
    }
    found
}

const FOLDER: &str = "its volume is a folder of the node it first ran on";

/// A folder of the node that a pod sees: on another node it finds another one.
pub(super) fn host_folder<'s>(service: &'s Service<'_>) -> Option<&'s str> {
    service
        .pod
        .volumes
        .iter()
        .find_map(|volume| match &volume.source {
            VolumeSource::Host(path) => Some(path.as_ref()),
            VolumeSource::Claim(_)
            | VolumeSource::OwnClaims
            | VolumeSource::Storage(_)
            | VolumeSource::Config(_)
            | VolumeSource::Secret(_)
            | VolumeSource::Disk(_)
            | VolumeSource::Memory(_) => None,
        })
}

/// Pods that have to be on different nodes and share a claim: where that is a folder of a node, as K3s's own storage
/// makes them, all but those of one node wait for ever (kubernetes, plugin VolumeBinding).
pub(super) fn split(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<String> {
    let mut why = Vec::new();
    let mut known: BTreeMap<_, Vec<(&str, &Workload<'_>)>> = BTreeMap::new();
    let services = program.services.iter().zip(workloads);
    for (service, workload) in services.filter(|(_, workload)| workload.peak() > 0) {
        let name = service.name.value;
        for claim in claims(service) {
            if workload.one_a_node && workload.peak() > 1 {
                why.push(format!(
                    "no two pods of `{name}` may share a node, and all share the claim `{claim}`, which may lie on one"
                ));
            }
            let place = program.namespace_of(service);
            let sharing = known.entry((place, claim.clone())).or_default();
            let elsewhere = sharing.iter().find(|(_, other)| !meet(other, workload));
            why.extend(elsewhere.map(|(other, _)| {
                format!(
                    "`{other}` and `{name}` are held to different nodes, and share the claim `{claim}`, which may lie \
                     on one"
                )
            }));
            sharing.push((name, workload));
        }
    }
    why
}

/// Pods that wait for each other's claim: one of access mode `ReadWriteOncePod` is for one pod at a time, and the
/// scheduler places no other until that one has ended (kubernetes, plugin VolumeRestrictions).
pub(super) fn crowded(program: &Program<'_>, workloads: &[Workload<'_>]) -> Vec<String> {
    let mut of_one_pod: BTreeSet<(&str, &str)> = BTreeSet::new();
    let objects = program.manifests.iter().flat_map(|m| &m.objects.counted);
    for object in objects {
        if object.claim.as_ref().is_some_and(|claim| claim.of_one_pod) {
            of_one_pod.insert((namespace(object.namespace.as_deref()), &object.name));
        }
    }
    let mut why = Vec::new();
    let mut users: BTreeMap<(&str, String), &str> = BTreeMap::new();
    if of_one_pod.is_empty() {
        return why;
    }
    let services = program.services.iter().zip(workloads);
    for (service, workload) in services.filter(|(_, workload)| workload.replicas > 0) {
        let name = service.name.value;
        let here = program.namespace_of(service);
        for claim in claims(service).filter(|claim| of_one_pod.contains(&(here, claim))) {
            let only = format!("the claim `{claim}` is for one pod at a time (`ReadWriteOncePod`)");
            match users.insert((here, claim.to_string()), name) {
                Some(other) => why.push(format!("{only}, and `{other}` and `{name}` share it")),
                None if workload.replicas > 1 => why.push(format!(
                    "{only}, and `{name}` has {} pods",
                    workload.replicas
                )),
                None if waits(service, workload) => why.push(format!(
                    "no rollout of `{name}` ends: {only}, a new pod waits for it, and the old one is not taken away \
                     before the new one is there; `rollout = recreate` ends"
                )),
                None => {}
            }
        }
    }
    why
}

/// The claims that all pods of a service share.
fn claims<'s>(service: &'s Service<'_>) -> impl Iterator<Item = Cow<'s, str>> {
    let volumes = service.pod.volumes.iter();
    volumes.filter_map(|volume| match &volume.source {
        VolumeSource::Claim(claim) => Some(Cow::Borrowed(*claim)),
        VolumeSource::Storage(_) => service.shared_claim(volume).map(Cow::Owned),
        VolumeSource::OwnClaims
        | VolumeSource::Config(_)
        | VolumeSource::Secret(_)
        | VolumeSource::Disk(_)
        | VolumeSource::Memory(_)
        | VolumeSource::Host(_) => None,
    })
}

/// Whether some node may take pods of both.
fn meet(one: &Workload<'_>, other: &Workload<'_>) -> bool {
    match (&one.nodes, &other.nodes) {
        (Some(nodes), Some(_)) => nodes.iter().any(|node| other.may_be_on(*node)),
        (Some(nodes), None) | (None, Some(nodes)) => !nodes.is_empty(),
        (None, None) => true,
    }
}
