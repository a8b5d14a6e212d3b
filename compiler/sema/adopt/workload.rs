//! Adopted workloads as services.

use std::borrow::Cow;

use super::containers::{ReadContainer, ReadContainers, extra};
use super::errors;
use super::origin::origin;
use super::rules::Reading;
use crate::admission::{self, Resources};
use crate::base::id::Id;
use crate::base::quantity::{Bytes, Millis};
use crate::base::span::Spanned;
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::Entry;
use crate::manifest::workload::place::HostPort;
use crate::manifest::workload::vertical::Vertical;
use crate::manifest::workload::{Container, Role, Scaler, Workload, WorkloadKind};
use crate::program::{
    Adopted, Ask, Concurrency, Extra, ExtraId, Given, Giver, Image, Kind, ManifestId, Memory, Pod,
    Port, Ruled, Run, Scale, Schedule, Service, Volume, VolumeSource,
};
use crate::sema::errors as general;
use crate::sema::load::Loaded;

impl<'c, 'a> Reading<'c, 'a> {
    pub(super) fn services(
        &self,
        loaded: &'a Loaded,
        id: ManifestId,
        manifest: &'a Manifest,
    ) -> Vec<Service<'a>> {
        let pairs = manifest.objects.workloads.iter().zip(&manifest.known_as);
        pairs
            .map(|(object, known)| self.service(loaded, (id, manifest), object, known))
            .collect()
    }

    pub(super) fn service(
        &self,
        loaded: &'a Loaded,
        (id, manifest): (ManifestId, &'a Manifest),
        object: &'a Workload,
        known: &'a str,
    ) -> Service<'a> {
        let cx = self.decls.cx;
        let from_file = |range: &std::ops::Range<usize>| origin(manifest, range);
        let rule = self.rule(object, known);
        let name = Spanned::new(known, manifest.span(&object.at));
        let read = ReadContainers {
            reading: self,
            manifest,
            object,
            known,
            entries: entries(loaded, object.namespace.as_deref()),
            verticals: verticals(loaded, object),
        };
        let all: Vec<ReadContainer<'a>> = object
            .containers
            .iter()
            .map(|container| read.container(container))
            .collect();
        let main_at = object
            .containers
            .iter()
            .position(|container| container.role == Role::Main)
            .unwrap_or_default();
        let bursts = all
            .iter()
            .any(|read| read.request.value != read.limit.value || read.held.unbounded);
        let mut extras: Vec<Extra<'a>> = Vec::new();
        let mut containers: Vec<Ruled<'a>> = Vec::new();
        for (at, (container, read)) in object.containers.iter().zip(&all).enumerate() {
            let mut held = read.held.clone();
            if at != main_at {
                held.extra = Some(ExtraId::new(extras.len()));
                extras.push(extra(container, read, manifest));
            }
            containers.push(held);
        }
        let main = &all[main_at];
        // A workload with request below limit counts with both, so that no number is left to choose.
        let memory = match main.range {
            Some((low, high)) if !bursts => Memory::Range { low, high },
            _ if bursts => Memory::Burst {
                request: main.request,
                limit: main.limit,
            },
            _ => Memory::Range {
                low: main.limit,
                high: main.limit,
            },
        };
        let scaler = scaler(loaded, object);
        let mut replicas = Given {
            value: object.replicas,
            origin: match &object.replicas_at {
                Some(range) => from_file(range),
                None => from_file(&object.at),
            },
        };
        let mut sets_replicas = false;
        if let Some(given) = rule.and_then(|rule| rule.fields.count("replicas")) {
            let span = given.origin.span.unwrap_or(name.span);
            if !matches!(
                object.kind,
                WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet
            ) {
                cx.report(errors::not_of_this_kind(
                    "replicas",
                    &object.kind_text,
                    known,
                    span,
                ));
            } else if given.value > 100_000 {
                cx.report(general::out_of_range("replicas", "0 to 100000", span));
            } else {
                sets_replicas = given.value != object.replicas;
                replicas = given;
            }
            if let Some((of, scaler)) = scaler {
                cx.report(general::scale_and_replicas(span, of.span(&scaler.at)));
            }
        }
        if let Some((of, scaler)) = scaler {
            replicas = Given {
                value: scaler.most,
                origin: origin(of, &scaler.at),
            };
        }
        if let Some(idle) = &object.idle {
            replicas = Given {
                value: 0,
                origin: from_file(idle),
            };
        }
        let mut completions = object.completions.unwrap_or(object.replicas);
        if matches!(object.kind, WorkloadKind::Job | WorkloadKind::CronJob) {
            replicas.value = replicas.value.min(completions);
            completions = completions.max(1);
        }
        let run = Run {
            parallelism: replicas.value,
            completions,
            retries: None,
            deadline: None,
        };
        let mut sets_concurrency = false;
        let kind = match object.kind {
            WorkloadKind::Deployment => Kind::Deployment(scaler.map(|(_, scaler)| {
                Box::new(Scale {
                    least: scaler.least,
                    most: replicas,
                    cpu: 80,
                })
            })),
            // These are not rolled out: a new pod is created when the old one has gone.
            WorkloadKind::ReplicaSet | WorkloadKind::StatefulSet | WorkloadKind::Pod => {
                Kind::StatefulSet
            }
            WorkloadKind::DaemonSet => Kind::DaemonSet,
            WorkloadKind::Job => Kind::Job(run),
            WorkloadKind::CronJob => {
                let (concurrency, set) = self.concurrency(object, rule);
                sets_concurrency = set;
                if let Concurrency::Allow(runs) = concurrency {
                    replicas.value = replicas.value.saturating_mul(runs).min(100_000);
                }
                Kind::CronJob(
                    run,
                    Box::new(Schedule {
                        cron: Cow::Borrowed(&object.schedule),
                        concurrency,
                    }),
                )
            }
        };
        if object.kind != WorkloadKind::CronJob
            && let Some(field) = rule.and_then(|rule| {
                rule.fields
                    .get("concurrency")
                    .or(rule.fields.get("at-most"))
            })
        {
            let key = cx.key(field.item);
            cx.report(errors::not_of_this_kind(
                key,
                &object.kind_text,
                known,
                field.item.key.span,
            ));
        }
        let (rollout, sets_rollout) = self.rollout(object, known, rule, from_file(&object.at));
        let weight = rule
            .and_then(|rule| rule.fields.count("weight"))
            .or(self.general.count("weight"));
        let weight = weight.filter(|given| {
            let fine = (1..=1_000_000).contains(&given.value);
            if !fine {
                let span = given.origin.span.unwrap_or(name.span);
                cx.report(general::out_of_range("weight", "1 to 1000000", span));
            }
            fine
        });
        Service {
            kind,
            adopted: Some(Box::new(Adopted {
                manifest: id,
                adopt: self.adopt,
                object,
                place: manifest.place(&object.at),
                containers,
                asks: asks(object, &all),
                scaled_by: scaler.map(|(_, scaler)| scaler.alone.what.as_str()),
                resized: !read.verticals.is_empty(),
                sets_replicas,
                sets_rollout,
                sets_concurrency,
                kept: self.keeps_all(object, known),
                by_name: false,
                alone: false,
                doubts: Vec::new(),
            })),
            extras,
            name,
            span: manifest.span(&object.whole),
            tier: rule
                .and_then(|rule| rule.tier)
                .or(self.tier)
                .filter(|_| main.limit.origin.giver == Giver::Tier),
            image: Image::Name(Spanned::new(Cow::Borrowed(""), name.span)),
            replicas,
            memory,
            cpu: main.cpu,
            weight: weight.map(Box::new),
            rollout,
            wave: None,
            shrinks_first: main.limit.origin.giver == Giver::Tier
                && rule
                    .map_or(&self.general, |rule| &rule.fields)
                    .has("shrink"),
            ports: host_ports(object, manifest),
            ingresses: Vec::new(),
            patches: Vec::new(),
            pod: Pod {
                volumes: volumes(object, manifest),
                grace: Some(Millis(object.grace.saturating_mul(1000))),
                ..Pod::default()
            },
        }
    }
}

/// What a pod asks for of resources that are counted by their names, as the scheduler adds it up.
fn asks<'a>(object: &Workload, read: &[ReadContainer<'a>]) -> Vec<Ask<'a>> {
    let pairs = object.containers.iter().zip(read);
    let container = |(container, read): (&Container, &ReadContainer<'a>)| admission::Container {
        name: String::new(),
        role: container.role,
        requests: { read.others.iter() }
            .map(|(resource, given)| (resource.clone(), given.value))
            .collect(),
        limits: Resources::new(),
    };
    let pod = admission::Pod {
        containers: pairs.map(container).collect(),
        ..admission::Pod::default()
    };
    let ask = |(resource, milli): (String, admission::Amount)| {
        let mut others = read.iter().flat_map(|read| &read.others);
        let (_, given) = others.find(|(other, _)| *other == resource)?;
        let value = u64::try_from(milli.div_ceil(1000)).unwrap_or(u64::MAX);
        let origin = given.origin;
        Some(Ask {
            resource,
            each: Given { value, origin },
        })
    };
    pod.requests().into_iter().filter_map(ask).collect()
}

/// The host ports of a workload. On a node, each belongs to one pod.
pub(super) fn host_ports<'a>(object: &'a Workload, manifest: &'a Manifest) -> Vec<Port<'a>> {
    let port = |port: &HostPort| {
        let number = Spanned::new(port.number, manifest.span(&port.at));
        Port {
            name: "",
            number,
            node_port: None,
            host_port: Some(number),
            udp: port.udp,
        }
    };
    object.place.host_ports.iter().map(port).collect()
}

/// The volumes of a workload that the proof is about: those in memory, Secrets, and claims of storage.
pub(super) fn volumes<'a>(object: &'a Workload, manifest: &'a Manifest) -> Vec<Volume<'a>> {
    let span = manifest.span(&object.at);
    let volume = |name: &'a str, source: VolumeSource<'a>| Volume {
        name: Spanned::new(name, span),
        path: Cow::Borrowed(""),
        read_only: false,
        source,
    };
    let origin = origin(manifest, &object.at);
    let in_memory = object.in_memory.iter().map(|(name, size)| {
        volume(
            name,
            VolumeSource::Memory(Given {
                value: Bytes::new(size.unwrap_or(0)),
                origin,
            }),
        )
    });
    let secrets = object
        .secrets
        .iter()
        .map(|name| volume(name, VolumeSource::Secret(name)));
    let shared = object.shared_claims.iter();
    let claims = shared.map(|name| volume(name, VolumeSource::Claim(name)));
    let kept = object
        .keeps_claims
        .then(|| volume("claims", VolumeSource::OwnClaims));
    in_memory.chain(secrets).chain(claims).chain(kept).collect()
}

/// The autoscaler of a workload.
pub(super) fn scaler<'a>(
    loaded: &'a Loaded,
    object: &Workload,
) -> Option<(&'a Manifest, &'a Scaler)> {
    let mut all = loaded
        .manifests
        .iter()
        .flat_map(|of| of.objects.scalers.iter().map(move |scaler| (of, scaler)));
    all.find(|(_, scaler)| scales(scaler, object))
}

/// Whether an autoscaler scales a workload.
pub(super) fn scales(scaler: &Scaler, object: &Workload) -> bool {
    scaler.kind == object.kind_text
        && scaler.name == object.name
        && same_namespace(scaler.namespace.as_deref(), object.namespace.as_deref())
}

/// Whether a VerticalPodAutoscaler resizes the pods of a workload.
pub(super) fn resizes(vertical: &Vertical, object: &Workload) -> bool {
    vertical.kind == object.kind_text
        && vertical.name == object.name
        && same_namespace(vertical.namespace.as_deref(), object.namespace.as_deref())
}

/// Whether it says the most of every container that it resizes. Of init containers it is about sidecars at the most.
pub(super) fn is_bounded(vertical: &Vertical, object: &Workload) -> bool {
    let mut containers = object.containers.iter();
    containers.all(|one| one.role == Role::Init || vertical.of(&one.name).is_some())
}

/// The VerticalPodAutoscalers that resize the pods of a workload, where they say the most that they give.
pub(super) fn verticals<'a>(
    loaded: &'a Loaded,
    object: &Workload,
) -> Vec<(&'a Manifest, &'a Vertical)> {
    let manifests = loaded.manifests.iter();
    let all = manifests.flat_map(|of| of.objects.verticals.iter().map(move |one| (of, one)));
    all.filter(|(_, one)| resizes(one, object) && is_bounded(one, object))
        .collect()
}

/// Whether two objects are in one namespace. Objects without one all get the namespace that `kubectl` is set to.
pub(super) fn same_namespace(a: Option<&str>, b: Option<&str>) -> bool {
    a.unwrap_or("default") == b.unwrap_or("default")
}

/// The entries of the LimitRanges of a namespace.
pub(super) fn entries<'a>(
    loaded: &'a Loaded,
    namespace: Option<&str>,
) -> Vec<(&'a Manifest, &'a Entry)> {
    let all = loaded.manifests.iter().flat_map(|of| {
        let ranges = of.objects.ranges.iter();
        ranges.map(move |range| (of, range))
    });
    all.filter(|(_, range)| same_namespace(range.namespace.as_deref(), namespace))
        .flat_map(|(of, range)| range.entries.iter().map(move |entry| (of, entry)))
        .collect()
}
