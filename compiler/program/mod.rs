//! The program as it is meant: every name resolved, every value a typed constant that knows where it was
//! written. Nothing here is decided yet; `plan` does that. Types and what follows from their values alone; `sema` makes
//! them, all later phases read them.

mod account;
mod adopt;
mod cron;
mod id;
mod image;
mod node;
mod origin;
mod pod;
mod value;
mod workload;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::{ids, listed};
use crate::base::quantity::Bytes;
use crate::base::source::SourceMap;
use crate::base::span::Spanned;
use crate::evidence::Evidence;
use crate::lock::Lock;
use crate::manifest::Manifest;
pub(crate) use crate::manifest::workload::place::{FIELDS, HOSTNAME};
pub(crate) use crate::manifest::workload::{HookPhase, WorkloadKind};
pub(crate) use account::{Account, Rule};
pub(crate) use adopt::{Adopt, Adopted, Form, Release, Ruled, Uncounted};
pub(crate) use cron::is_cron;
pub(crate) use id::{
    AdoptId, BudgetId, ComponentId, ExtraId, ImageId, ManifestId, NodeId, RuntimeId, ServiceId,
    TierId,
};
pub(crate) use image::{BuiltImage, Image, Param, Runtime, SharedImage, template_values};
pub(crate) use node::{
    ARCHITECTURES, Ask, Component, EPHEMERAL, Effect, K3s, Node, OF_ARCHITECTURE, Process, Role,
    Setting, SettingValue, Supply, Taint,
};
pub(crate) use origin::{Given, Giver, Origin, WORKLOADS};
pub(crate) use pod::{
    Disruption, EnvValue, Extra, HookAction, ISSUER, Ingress, Peer, Place, Pod, Port, Probe,
    ProbeAction, ProbeKind, Reach, Seccomp, Security, ServiceType, Share, Storage, Tls, Volume,
    VolumeSource,
};
pub(crate) use value::{Dim, Expect, Formula, Metric, Num, Subject, VERDICTS};
pub(crate) use workload::{
    Concurrency, GRACE, Kind, MaxSurge, Memory, Patch, Rollout, Run, Scale, Schedule, Service,
};

/// A whole program.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The name of the file that was compiled.
    pub source: &'a str,
    /// The environment that was chosen.
    pub env: Option<&'a str>,
    /// The Kubernetes namespace of the services.
    pub namespace: Given<'a, &'a str>,
    /// Sorted by name, as are all lists here.
    pub nodes: Vec<Node<'a>>,
    /// What every node's K3s has in common.
    pub k3s: K3s<'a>,
    /// The components that this K3s packages and the program does not disable.
    pub components: Vec<Component<'a>>,
    /// Named ceilings.
    pub budgets: Vec<Budget<'a>>,
    /// Tiers.
    pub tiers: Vec<Tier<'a>>,
    /// Services.
    pub services: Vec<Service<'a>>,
    /// Secrets, sorted by name.
    pub secrets: Vec<Secret<'a>>,
    /// Service accounts, sorted by name.
    pub accounts: Vec<Account<'a>>,
    /// Configuration texts.
    pub configs: Vec<Config<'a>>,
    /// The nodes that take what K3s packages; none if all do.
    pub open_nodes: Option<Vec<NodeId>>,
    /// Nodes that may be lost: one, or none.
    pub survive: Option<Given<'a, u64>>,
    /// How ranges share what there is.
    pub fill: FillPolicy,
    /// What the program expects of the plan.
    pub expects: Vec<Expect<'a>>,
    /// Runtimes that services name.
    pub runtimes: Vec<Runtime<'a>>,
    /// Images that those of services start from.
    pub images: Vec<SharedImage<'a>>,
    /// Digests of images that were built, by service.
    pub digests: BTreeMap<String, String>,
    /// Readings of memory that was in use.
    pub evidence: Option<Measured<'a>>,
    /// The file that keeps numbers, if there is one.
    pub lock: Option<Locked<'a>>,
    /// What it adopts, and how that is given back.
    pub adopts: Vec<Adopt>,
    /// What it adopts that may make pods nobody counted, in the order of the manifests.
    pub uncounted: Vec<Uncounted<'a>>,
    /// The manifests that it adopts.
    pub manifests: &'a [Manifest],
    /// Their texts, among others.
    pub sources: &'a SourceMap,
}

/// The component that makes volumes as folders of a node.
pub(crate) const LOCAL_STORAGE: &str = "local-path-provisioner";

/// Its storage class, which is the default (k3s-io/k3s manifests/local-storage.yaml).
pub(crate) const LOCAL_PATH: &str = "local-path";

/// The ingress controller that K3s packages, and the name of its class.
pub(crate) const TRAEFIK: &str = "traefik";

impl<'a> Program<'a> {
    /// Whether K3s runs a component that it packages.
    pub(crate) fn runs(&self, component: &str) -> bool {
        { self.components.iter() }.any(|known| known.name == component)
    }

    /// What K3s packages and no node takes, because its pods tolerate none of the taints; it stays Pending.
    pub(crate) fn untolerated(&self) -> Option<String> {
        let none = self.open_nodes.as_ref().is_some_and(Vec::is_empty);
        let ours = self
            .components
            .iter()
            .filter(|one| !one.foreign && one.pods > 0);
        let names: Vec<String> = ours.map(|one| format!("`{}`", one.name)).collect();
        let dns = match names.iter().any(|name| name == "`coredns`") {
            true => ", so no name resolves",
            false => "",
        };
        (none && !names.is_empty()).then(|| {
            let names = names.join(", ");
            format!(
                "every node has a taint that {names} of K3s tolerate not: they stay Pending{dns}"
            )
        })
    }

    /// Pods that bzc does not manage, where some node has a taint that keeps off what K3s packages: they are not counted
    /// there, and whether they tolerate it nobody said.
    pub(crate) fn tolerating(&self) -> impl Iterator<Item = String> {
        let open = self.open_nodes.as_ref();
        let is_closed = |at: &NodeId| open.is_some_and(|open| !open.contains(at));
        let closed = ids(&self.nodes).find(is_closed);
        let tainted = closed.map(|at| self.nodes[at].name.value);
        let others = self.components.iter().filter(|one| one.foreign);
        tainted.into_iter().flat_map(move |node| {
            let others = others.clone();
            others.map(move |one| {
                format!(
                    "pods of `others {}` are not counted on node `{node}`: whether they tolerate its taints is not known",
                    one.name
                )
            })
        })
    }

    /// The nodes that run the control plane, in order: the others join the first.
    pub(crate) fn servers(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes.iter().filter(|node| node.role == Role::Server)
    }

    /// The namespace in which the pods of a service run. What a manifest puts into none goes where `kubectl` puts it.
    pub(crate) fn namespace_of<'s>(&'s self, service: &'s Service<'_>) -> &'s str {
        match &service.adopted {
            Some(adopted) => namespace(adopted.object.namespace.as_deref()),
            None => self.namespace.value,
        }
    }

    /// The release that an adopted workload is of; none where it comes from a cluster and does not say it.
    pub(crate) fn release_of<'s>(&'s self, adopted: &'s Adopted<'_>) -> Option<Release<'s>> {
        let object = adopted.object;
        match &object.instance {
            _ if self.manifests[adopted.manifest].is_chart => {
                Some(Release::Manifest(adopted.manifest))
            }
            Some(name) => Some(Release::Named(namespace(object.namespace.as_deref()), name)),
            None if object.from_cluster => None,
            None => Some(Release::Manifest(adopted.manifest)),
        }
    }

    /// How many servers there would have to be for the loss of one to be outlived, where there are some and too few:
    /// etcd needs more than half of its members, what is outside of the nodes outlives them.
    pub(crate) fn servers_wanted(&self) -> Option<&'static str> {
        let outside = self
            .servers()
            .all(|node| node.setting("datastore-endpoint").is_some());
        match (self.servers().count(), outside) {
            (1, true) => Some("two"),
            (1 | 2, false) => Some("three"),
            _ => None,
        }
    }
}

/// The namespace of an object that its manifest puts into this one, or into none.
pub(crate) fn namespace(written: Option<&str>) -> &str {
    written.unwrap_or("default")
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    /// The file, as the program names it.
    pub file: Cow<'a, str>,
    /// The readings in it.
    pub evidence: Evidence,
}

/// A file that keeps what was chosen out of ranges.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    /// The file, as the program names it.
    pub file: Cow<'a, str>,
    /// Its path from the folder of the program.
    pub path: String,
    /// Its bytes and what they say; `None` before the first build.
    pub kept: Option<(Vec<u8>, Lock)>,
    /// The environments that the program declares.
    pub environments: Vec<&'a str>,
}

/// How ranges share what there is: what counts as level one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FillPolicy {
    /// Its least memory: all grow by the same factor.
    Proportional,
    /// One byte: all have the same, within their ends.
    Equal,
}

/// A named ceiling over the limits of services.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// How much.
    pub ceiling: Given<'a, Bytes>,
    /// Which services; `None` for all.
    pub members: Option<Vec<ServiceId>>,
}

impl Budget<'_> {
    /// Whether it is over a service.
    pub(crate) fn is_over(&self, service: ServiceId) -> bool {
        self.members
            .as_ref()
            .is_none_or(|members| members.binary_search(&service).is_ok())
    }
}

listed!(BudgetId: Budget<'a>);
listed!(ManifestId: Manifest);

/// What several services share.
#[derive(Debug)]
pub(crate) struct Tier<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Its priority, for PriorityClass.
    pub priority: Option<Given<'a, u64>>,
}

listed!(TierId: Tier<'a>);

/// A ConfigMap.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Keys and texts, sorted by key.
    pub data: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A Secret. Its values are no part of the program.
#[derive(Debug)]
pub(crate) struct Secret<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Where it comes from.
    pub source: SecretSource<'a>,
    /// Its keys, where they are known.
    pub keys: Option<BTreeSet<String>>,
}

/// Where a Secret comes from.
#[derive(Debug)]
pub(crate) enum SecretSource<'a> {
    /// A file of the project, by its path from the folder of the program: variables if it is an `.env`, or one key.
    File(String),
    /// It is in the cluster.
    Cluster,
    /// A SealedSecret, which its controller opens.
    Sealed(serde_json::Value),
    /// A store of the External Secrets Operator, and the path in it.
    External(Cow<'a, str>, Cow<'a, str>),
}
