//! What ties the pods of a service to a node: volumes that are a folder of it.

use crate::program::{Program, Service, VolumeSource};

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
    let has_local_path = program.runs("local-path-provisioner");
    let mut found = Tie::None;
    for volume in &service.pod.volumes {
        let name = volume.name.value;
        let tie = match &volume.source {
            VolumeSource::Storage(_, Some("local-path")) => Tie::Node(FOLDER),
            VolumeSource::Storage(_, None) if has_local_path => Tie::Node(FOLDER),
            VolumeSource::Storage(_, None) => Tie::Unknown(format!(
                "where its volume `{name}` lies is not known: it is of the cluster's default storage class"
            )),
            VolumeSource::Storage(_, Some(class)) => Tie::Unknown(format!(
                "where its volume `{name}` of storage class `{class}` lies is not known"
            )),
            VolumeSource::Claim(claim) => {
                Tie::Unknown(format!("where its claim `{claim}` lies is not known"))
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
            | VolumeSource::Storage(..)
            | VolumeSource::Config(_)
            | VolumeSource::Secret(_)
            | VolumeSource::Disk(_)
            | VolumeSource::Memory(_) => None,
        })
}
