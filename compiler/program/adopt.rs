//! What a program adopts: manifests of others, and what of them changes.

use super::id::{AdoptId, ExtraId, ManifestId};
use crate::base::id::listed;
use std::borrow::Cow;

use super::node::Ask;
use super::origin::Given;
use crate::base::quantity::Cpu;
use crate::base::span::Span;
use crate::manifest;

/// How patched manifests are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Patches and a kustomization over the originals.
    Kustomize,
    /// Patched copies.
    Copy,
    /// The source files themselves, once the user says so.
    InPlace,
}

/// `adopt "k8s/*.yaml" { .. }`.
#[derive(Debug)]
pub(crate) struct Adopt {
    /// Where its patterns stand.
    pub patterns: Vec<Span>,
    /// How its manifests are given back.
    pub form: Form,
    /// Right behind its `{`.
    pub inside: Option<Span>,
}

listed!(AdoptId: Adopt);

/// An object of an adopted manifest that may make pods, of which the program says nothing.
#[derive(Debug)]
pub(crate) struct Uncounted<'a> {
    /// What was read of it.
    pub object: &'a manifest::workload::Uncounted,
    /// `k8s/all.yaml:17`.
    pub place: &'a str,
}

impl Uncounted<'_> {
    /// Why a promise about all pods is not known.
    pub(crate) fn why(&self) -> String {
        let (object, place) = (self.object, self.place);
        let of = match object.group.as_str() {
            "" => String::new(),
            group => format!(" of {group}"),
        };
        let counted = match object.partly {
            true => "not all is counted",
            false => "nothing is counted",
        };
        format!(
            "{counted} of `{}`{of}, {place}: {}",
            object.what, object.why
        )
    }
}

/// Where an adopted workload comes from, and what of it changes.
#[derive(Debug, Clone)]
pub(crate) struct Adopted<'a> {
    /// Its manifest.
    pub manifest: ManifestId,
    /// Its `adopt`.
    pub adopt: AdoptId,
    /// What was read of it.
    pub object: &'a manifest::workload::Workload,
    /// `k8s/web.yaml:12`.
    pub place: &'a str,
    /// One a container of the object, in the same order.
    pub containers: Vec<Ruled<'a>>,
    /// What one pod asks for of resources that are counted by their names, sorted by these.
    pub asks: Vec<Ask<'a>>,
    /// The autoscaler that says how many pods there are, as `KIND NAME`.
    pub scaled_by: Option<&'a str>,
    /// Whether a VerticalPodAutoscaler changes what its pods ask for.
    pub resized: bool,
    /// Whether a rule gives the pods at rest.
    pub sets_replicas: bool,
    /// Whether a rule gives the rollout.
    pub sets_rollout: bool,
    /// Whether a rule gives what happens when runs overlap.
    pub sets_concurrency: bool,
    /// Whether `keep` says that all of it stays as it is.
    pub kept: Option<Span>,
    /// Whether its manifest chooses nodes by their names.
    pub by_name: bool,
    /// Whether its pods may not share a node, so that only one of them finds a place where there is only one node.
    pub alone: bool,
    /// What keeps bzc from knowing whether its pods find a node. They are counted on every node that may take them.
    pub doubts: Vec<String>,
}

/// A release of Helm: what is installed, upgraded and rolled back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Release<'a> {
    /// All that a chart renders to, or what says of no release in a manifest that somebody rendered.
    Manifest(ManifestId),
    /// What names it by its label, in one namespace.
    Named(&'a str, &'a str),
}

impl Adopted<'_> {
    /// What rules make of the container that stands for this sidecar or init container, or for the main one, and its name.
    pub(crate) fn held(&self, extra: Option<ExtraId>) -> Option<(&str, &Ruled<'_>)> {
        let mut pairs = self.object.containers.iter().zip(&self.containers);
        let (container, held) = pairs.find(|(_, held)| held.extra == extra)?;
        Some((&container.name, held))
    }

    /// The name of a container that nothing limits.
    pub(crate) fn unbounded(&self) -> Option<&str> {
        let mut pairs = self.object.containers.iter().zip(&self.containers);
        pairs
            .find(|(_, held)| held.unbounded)
            .map(|(container, _)| container.name.as_str())
    }

    /// How many of its containers nothing limits.
    pub(crate) fn unlimited(&self) -> usize {
        self.containers.iter().filter(|held| held.unbounded).count()
    }

    /// What each container that nothing limits is assumed to take, in bytes. None if there is none, or if it is not
    /// assumed of all of them.
    pub(crate) fn assumed(&self) -> Option<u64> {
        let unlimited = self.containers.iter().filter(|held| held.unbounded);
        let assumed: Option<Vec<u64>> = unlimited.map(|held| held.assumed).collect();
        assumed?.into_iter().max()
    }
}

/// What rules make of a container of an adopted workload.
#[derive(Debug, Clone)]
pub(crate) struct Ruled<'a> {
    /// The sidecar or init container that stands for it; `None` for the main container.
    pub extra: Option<ExtraId>,
    /// Whether a rule gives its memory.
    pub sets_memory: bool,
    /// The CPU that a rule gives.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Variables that a rule gives.
    pub env: Vec<(&'a str, Cow<'a, str>)>,
    /// Whether nothing limits its memory.
    pub unbounded: bool,
    /// What it is assumed to take then, in bytes.
    pub assumed: Option<u64>,
}
