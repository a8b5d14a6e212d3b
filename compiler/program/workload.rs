//! Workloads: what each kind of them says, and its pods.

use super::id::{ServiceId, TierId};
use crate::base::id::listed;
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::adopt::Adopted;
use super::cron::least_period;
use super::image::{BuiltImage, Image};
use super::origin::Given;
use super::pod::{Extra, Ingress, Pod, Port, ServiceType, Volume, VolumeSource};
use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::span::{Span, Spanned};
use crate::manifest::workload::{Surge, WorkloadKind};

/// What a pod gets by default to end (Kubernetes, terminationGracePeriodSeconds), in seconds.
pub(crate) const GRACE: u64 = 30;

/// A workload: what its kind says, and its pods. What few of them have is kept apart, for programs hold thousands.
#[derive(Debug, Clone)]
pub(crate) struct Service<'a> {
    /// Deployment, StatefulSet, ..
    pub kind: Kind<'a>,
    /// Where it comes from, if it was adopted.
    pub adopted: Option<Box<Adopted<'a>>>,
    /// Sidecars and init containers, in the order written, which is the order they start in.
    pub extras: Vec<Extra<'a>>,
    /// Its name.
    pub name: Spanned<&'a str>,
    /// The whole declaration.
    pub span: Span,
    /// Its tier.
    pub tier: Option<TierId>,
    /// What it runs.
    pub image: Image<'a>,
    /// Pods at rest.
    pub replicas: Given<'a, u64>,
    /// Memory.
    pub memory: Memory<'a>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// By how much its share of the memory that is left is multiplied; 1 where not given.
    pub weight: Option<Box<Given<'a, u64>>>,
    /// Whether it grows only when all others have what they can get.
    pub shrinks_first: bool,
    /// Rollout.
    pub rollout: Given<'a, Rollout>,
    /// Its rollout does not go on at the same time as those of other waves.
    pub wave: Option<Box<Given<'a, u64>>>,
    /// Ports, in the order written.
    pub ports: Vec<Port<'a>>,
    /// Ways from outside to its ports, in the order written.
    pub ingresses: Vec<Ingress<'a>>,
    /// The rest of the pod.
    pub pod: Pod<'a>,
    /// What the program lays over its objects, in order.
    pub patches: Vec<Patch>,
}

/// What a program lays over an object of a workload: a strategic merge.
#[derive(Debug, Clone)]
pub(crate) struct Patch {
    /// Where the program says so.
    pub span: Span,
    /// The kind of the object, of several in one file; none for the workload itself.
    pub kind: Option<String>,
    /// The fields that it changes.
    pub value: serde_json::Value,
}

listed!(ServiceId: Service<'a>);

impl Service<'_> {
    /// The new pods that a rollout may add to `replicas` pods.
    pub(crate) fn surge(&self, replicas: u64) -> u64 {
        match self.kind {
            Kind::Deployment(_) => self.rollout.value.surge(replicas),
            Kind::StatefulSet | Kind::DaemonSet | Kind::Job(_) | Kind::CronJob(..) => 0,
        }
    }

    /// Whether a node has two of its pods while it is updated: a DaemonSet with a `maxSurge`
    /// (kubernetes pkg/controller/daemon/update.go).
    pub(crate) fn doubles(&self) -> bool {
        let surge = self.adopted.as_ref().map(|adopted| adopted.object.surge);
        matches!(self.kind, Kind::DaemonSet)
            && matches!(surge, Some(Surge::Pods(1..) | Surge::Percent(1..)))
    }

    /// Whether a pod of a Job may still be on its way out while its successor runs (`podReplacementPolicy`:
    /// `TerminatingOrFailed`). Where the loss of a node is to be outlived, bzc writes that: a pod of a lost node is on its
    /// way out until the node is back.
    pub(crate) fn lingers(&self, survives: bool) -> bool {
        match (&self.adopted, &self.kind) {
            (Some(adopted), _) => adopted.object.lingers,
            (None, Kind::Job(_) | Kind::CronJob(..)) => survives,
            (None, Kind::Deployment(_) | Kind::StatefulSet | Kind::DaemonSet) => false,
        }
    }

    /// The name of the claim that a volume with storage is, which all pods share. Those of a StatefulSet have one each.
    pub(crate) fn shared_claim(&self, volume: &Volume<'_>) -> Option<String> {
        let is_shared = match self.kind {
            Kind::StatefulSet => false,
            Kind::Deployment(_) | Kind::DaemonSet | Kind::Job(_) | Kind::CronJob(..) => true,
        };
        let is_made = matches!(volume.source, VolumeSource::Storage(_));
        (is_shared && is_made).then(|| format!("{}-{}", self.name.value, volume.name.value))
    }

    /// Seconds that a pod may take to end once it is told to.
    pub(crate) fn grace(&self) -> u64 {
        let given = self.pod.grace;
        given.map_or(GRACE, |grace| grace.0.div_ceil(1000))
    }

    /// Seconds between a run and the next at the least, of a CronJob whose next run replaces the last.
    pub(crate) fn replaced_every(&self) -> Option<u64> {
        match &self.kind {
            Kind::CronJob(_, schedule) if schedule.concurrency == Concurrency::Replace => {
                Some(least_period(&schedule.cron))
            }
            Kind::Deployment(_)
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job(_)
            | Kind::CronJob(..) => None,
        }
    }

    /// The runs of a CronJob that were replaced and whose pods may not have ended, where it replaces them. Each run
    /// starts at its time or, where the controller was away, at any time before that of the next one, so this is one
    /// more than the times that lie in one grace (pkg/controller/cronjob/cronjob_controllerv2.go).
    pub(crate) fn runs_ending(&self) -> Option<u64> {
        let every = self.replaced_every()?;
        Some(self.grace().div_ceil(every) + 1)
    }

    /// The pods beyond `replicas` that have to end and may not have ended. Each still has its shim.
    /// StatefulSet and DaemonSet wait until each pod has ended, a Job until its pod has failed unless it `lingers`, and a
    /// CronJob that replaces does not wait.
    pub(crate) fn ending(&self, replicas: u64, lingers: bool) -> u64 {
        let lingering = if lingers { replicas } else { 0 };
        let object = self.adopted.as_ref().map(|adopted| adopted.object.kind);
        match &self.kind {
            // Every replica leaves once and comes once in a rollout; and a pod that is deleted, evicted or pushed out has
            // its successor at once, for a ReplicaSet does not count pods that end (pkg/controller/replicaset).
            Kind::Deployment(_) => replicas,
            Kind::StatefulSet if object == Some(WorkloadKind::ReplicaSet) => replicas,
            Kind::StatefulSet | Kind::DaemonSet => 0,
            Kind::Job(_) => lingering,
            Kind::CronJob(..) => {
                let replaced = self.runs_ending().unwrap_or(0);
                replicas.saturating_mul(replaced).saturating_add(lingering)
            }
        }
    }

    /// The type of its Kubernetes Service: what the program says, or a port of nodes where one is given.
    pub(crate) fn service_type(&self) -> ServiceType {
        let by_node = self.ports.iter().any(|port| port.node_port.is_some());
        let given = self.pod.reach.service_type;
        given.unwrap_or(match by_node {
            true => ServiceType::NodePort,
            false => ServiceType::ClusterIp,
        })
    }

    /// Whether its Kubernetes Service has no address of its own. The pods of a StatefulSet are reached one by one, by name.
    pub(crate) fn is_headless(&self) -> bool {
        let is_stateful = matches!(self.kind, Kind::StatefulSet);
        let has_type = self.pod.reach.service_type.is_some();
        let inside = self.service_type() == ServiceType::ClusterIp;
        let usual = is_stateful && !has_type && inside;
        self.pod.reach.headless.unwrap_or(usual)
    }

    /// The name of its main container.
    pub(crate) fn main_container(&self) -> &str {
        let adopted = self.adopted.as_ref().and_then(|adopted| adopted.held(None));
        adopted.map_or(self.name.value, |(name, _)| name)
    }

    /// The name and tag that an image of its own will have.
    pub(crate) fn image_name(&self, image: &BuiltImage<'_>) -> String {
        match &image.name {
            Some(name) => name.to_string(),
            None => format!("{}:local", self.name.value),
        }
    }

    /// The image that its main container runs, as the pod names it, with the digests of images that were built.
    pub(crate) fn image_reference(&self, digests: &BTreeMap<String, String>) -> String {
        match &self.image {
            Image::Name(name) => name.value.to_string(),
            Image::Built(image) => match digests.get(self.name.value) {
                // Only a registry knows an image by its digest.
                Some(digest) if image.name.is_some() => {
                    format!("{}@{digest}", self.image_name(image))
                }
                Some(_) | None => self.image_name(image),
            },
        }
    }

    /// Secrets that one of its pods mounts as files.
    pub(crate) fn secret_mounts(&self) -> u64 {
        self.pod
            .volumes
            .iter()
            .filter(|volume| matches!(volume.source, VolumeSource::Secret(_)))
            .count() as u64
    }
}

/// Memory as a service asks for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory<'a> {
    /// One number out of this range, as request and limit.
    Range {
        /// The least.
        low: Given<'a, Bytes>,
        /// The most.
        high: Given<'a, Bytes>,
    },
    /// A request below its limit: bursting, written out.
    Burst {
        /// What the scheduler counts.
        request: Given<'a, Bytes>,
        /// What the kernel holds it to.
        limit: Given<'a, Bytes>,
    },
}

/// How a new version replaces the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// One pod at a time leaves before its successor comes: `maxSurge: 0, maxUnavailable: 1`.
    Replace,
    /// All leave, then all come: `Recreate`.
    Recreate,
    /// That many come first: `maxSurge: N, maxUnavailable: 0`.
    Surge(u64),
    /// One comes first, while no other rollout goes on.
    Serial,
    /// The same in percent of the replicas, rounded up as Kubernetes does.
    SurgePercent(u64),
}

impl Rollout {
    /// The new pods that may be there beyond the replicas of a Deployment. They are never more than the replicas.
    pub(crate) fn surge(self, replicas: u64) -> u64 {
        let most = match self {
            Rollout::Replace | Rollout::Recreate => 0,
            Rollout::Serial => 1,
            Rollout::Surge(pods) => pods,
            // Kubernetes rounds `maxSurge` up.
            Rollout::SurgePercent(percent) => (percent * replicas).div_ceil(100),
        };
        most.min(replicas)
    }

    /// Whether no other rollout may go on at the same time.
    pub(crate) const fn is_alone(self) -> bool {
        match self {
            Rollout::Serial => true,
            Rollout::Replace | Rollout::Recreate | Rollout::Surge(_) | Rollout::SurgePercent(_) => {
                false
            }
        }
    }

    /// `type` of a Deployment's strategy.
    pub(crate) const fn strategy(self) -> &'static str {
        if self.rolling().is_some() {
            "RollingUpdate"
        } else {
            "Recreate"
        }
    }

    /// `maxSurge` and `maxUnavailable` of a RollingUpdate; none for `Recreate`.
    pub(crate) const fn rolling(self) -> Option<(MaxSurge, u8)> {
        match self {
            Rollout::Recreate => None,
            Rollout::Replace => Some((MaxSurge::Pods(0), 1)),
            Rollout::Serial => Some((MaxSurge::Pods(1), 0)),
            Rollout::Surge(n) => Some((MaxSurge::Pods(n), 0)),
            Rollout::SurgePercent(percent) => Some((MaxSurge::Percent(percent), 0)),
        }
    }
}

/// `maxSurge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaxSurge {
    /// A number of pods.
    Pods(u64),
    /// A share of the replicas.
    Percent(u64),
}

/// What kind of workload it is, and what only that kind has.
#[derive(Debug, Clone)]
pub(crate) enum Kind<'a> {
    /// `service`: a Deployment, scaled by a HorizontalPodAutoscaler where it says so.
    Deployment(Option<Box<Scale<'a>>>),
    /// `stateful`: a StatefulSet. A pod comes back only when its predecessor has ended.
    StatefulSet,
    /// `daemon`: a DaemonSet. One pod a node, which comes back only when its predecessor has ended.
    DaemonSet,
    /// `job`: a Job.
    Job(Run),
    /// `cron`: a CronJob.
    CronJob(Run, Box<Schedule<'a>>),
}

impl Kind<'_> {
    /// As Kubernetes calls it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Kind::Deployment(_) => "Deployment",
            Kind::StatefulSet => "StatefulSet",
            Kind::DaemonSet => "DaemonSet",
            Kind::Job(_) => "Job",
            Kind::CronJob(..) => "CronJob",
        }
    }

    /// Whether its pods end by themselves.
    pub(crate) const fn ends(&self) -> bool {
        matches!(self, Kind::Job(_) | Kind::CronJob(..))
    }
}

/// `scale = 1..4`: counted at its maximum.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale<'a> {
    /// The fewest pods.
    pub least: u64,
    /// The most.
    pub most: Given<'a, u64>,
    /// The use of CPU, in percent of the request, that it aims at.
    pub cpu: u64,
}

/// How a job runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Pods at once.
    pub parallelism: u64,
    /// Pods that must succeed.
    pub completions: u64,
    /// Failures that are borne.
    pub retries: Option<u64>,
    /// How long it may take.
    pub deadline: Option<Millis>,
}

/// When a CronJob runs.
#[derive(Debug, Clone)]
pub(crate) struct Schedule<'a> {
    /// As cron writes it.
    pub cron: Cow<'a, str>,
    /// What happens when a run is due and the last one has not ended.
    pub concurrency: Concurrency,
}

/// What happens when a run is due and the last one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Concurrency {
    /// The new one is left out.
    Forbid,
    /// The old one is ended.
    Replace,
    /// Both run, up to the number that the program states.
    Allow(u64),
}

impl Concurrency {
    /// `concurrencyPolicy`.
    pub(crate) const fn policy(self) -> &'static str {
        match self {
            Concurrency::Forbid => "Forbid",
            Concurrency::Replace => "Replace",
            Concurrency::Allow(_) => "Allow",
        }
    }
}
