//! Adopted manifests to services: what a rule gives, else what the manifest says, else what Kubernetes makes of
//! saying nothing. The planner sees them as any other service; `program::Adopted` remembers what must change in the text.

mod errors;
pub mod manifests;
pub(super) mod place;
pub(super) mod quota;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::decls::Decls;
use super::layers::{Field, Fields, Layer};
use super::load::Loaded;
use crate::admission::limits::give_defaults;
use crate::admission::{self, Resources};
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::Entry;
use crate::manifest::workload::place::HostPort;
use crate::manifest::workload::{Amount, Container, Role, Scaler, Surge, Workload, WorkloadKind};
use crate::program::{
    Adopt, Adopted, Budget, Component, Concurrency, EnvValue, Extra, Form, Given, Held, Image,
    Kind, Memory, Origin, Pod, Port, Rollout, Run, Scale, Schedule, Service, Volume, VolumeSource,
};
use crate::sema::errors as general;
use crate::sema::names::plain_text;
use crate::sema::pod::ports::check_shared_ports;
use crate::sema::workload::resources::{check_order, cpu, memory, rollout};
use crate::syntax::ast::{Item, WordShape};

type CpuPair<'a> = (Given<'a, Cpu>, Option<Given<'a, Cpu>>);

/// `workload NAME { .. }` or `workload NAME/CONTAINER { .. }`.
struct Rule<'c, 'a> {
    workload: &'a str,
    container: Option<&'a str>,
    span: Span,
    fields: Fields<'c, 'a>,
    tier: Option<usize>,
}

/// `keep NAME` or `keep NAME/CONTAINER`.
struct Keep<'a> {
    workload: &'a str,
    container: Option<&'a str>,
    span: Span,
}

/// One `adopt`, read.
struct Reading<'c, 'a> {
    decls: &'c Decls<'c, 'a>,
    pattern: &'a str,
    general: Fields<'c, 'a>,
    tier: Option<usize>,
    rules: Vec<Rule<'c, 'a>>,
    keeps: Vec<Keep<'a>>,
    form: Form,
    index: usize,
    /// Containers that no rule is about.
    unmatched: RefCell<Vec<errors::Unmatched>>,
}

/// Reads every `adopt`, and adds what is adopted to the services, which stay sorted by name.
pub(super) fn adopts<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    items: &[&'a Item],
    services: &mut Vec<Service<'a>>,
) -> Vec<Adopt> {
    let cx = decls.cx;
    let mut adopts = Vec::new();
    let own = services.len();
    for item in items {
        let quoted = item
            .names
            .iter()
            .all(|name| name.shape == WordShape::Quoted)
            && !item.names.is_empty();
        if !quoted || item.body.is_none() {
            if !item.is_hole() {
                let example = "adopt \"k8s/*.yaml\" { tier = agent }";
                cx.report(general::malformed("adopt", example, item.span));
            }
            continue;
        }
        let Some(reading) = reading(decls, item, adopts.len()) else {
            continue;
        };
        let patterns: Vec<Span> = item.names.iter().map(|name| name.span).collect();
        let mine: Vec<(usize, &'a Manifest)> = loaded.manifests.iter().enumerate().collect();
        let mine: Vec<(usize, &'a Manifest)> = mine
            .into_iter()
            .filter(|(_, manifest)| patterns.contains(&manifest.pattern))
            .collect();
        // What could not be read may well be what a rule is about, and that was told.
        if !loaded.manifests_missing && !mine.is_empty() {
            reading.check_rules(&mine);
        }
        for (index, manifest) in mine {
            services.extend(reading.services(loaded, index, manifest));
            if manifest.objects.count == 0 {
                let shown = &cx.sources.file(manifest.file).shown;
                cx.report(errors::no_object(shown, manifest.pattern));
            }
            for object in &manifest.objects.uncounted {
                let place = manifest.span(&object.at);
                cx.report(errors::uncounted(
                    &object.what,
                    object.why,
                    place,
                    manifest.pattern,
                ));
            }
        }
        let unmatched = reading.unmatched.into_inner();
        if !unmatched.is_empty() {
            cx.report(errors::unmatched(&unmatched, item.names[0].span));
        }
        adopts.push(Adopt {
            patterns,
            form: reading.form,
            inside: item.body.as_ref().map(|body| body.inside()),
        });
    }
    if services.len() > own {
        check_names(decls, services, own);
        services.sort_by_key(|service| service.name.value);
        check_shared_ports(cx, services);
    }
    adopts
}

/// Names must tell services apart, adopted or not.
fn check_names<'a>(decls: &Decls<'_, 'a>, services: &[Service<'a>], own: usize) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for (index, service) in services.iter().enumerate() {
        if let Some(first) = seen.insert(service.name.value, service.name.span)
            && index >= own
        {
            decls
                .cx
                .report(match decls.has_workload(service.name.value) {
                    true => {
                        errors::same_name_as_service(service.name.value, first, service.name.span)
                    }
                    false => errors::same_object(service.name.value, first, service.name.span),
                });
        }
    }
}

fn reading<'c, 'a>(
    decls: &'c Decls<'c, 'a>,
    item: &'a Item,
    index: usize,
) -> Option<Reading<'c, 'a>> {
    let cx = decls.cx;
    let pattern = cx.word(item.names[0]);
    let own = Fields::new(
        cx,
        "adopt",
        item.key.span,
        vec![layer("adopt", pattern, item)],
    );
    own.check_keys("adopt");
    if let Some(word) = item.overriding {
        cx.report(general::overrides_nothing("adopt", item.key.span, word));
    }
    let (general, tier) = with_tier(decls, &own, "adopt", pattern, item);
    let mut form = Form::Copy;
    if let Some(given) = own.name("patch") {
        form = match given.value {
            "kustomize" => Form::Kustomize,
            "copy" => Form::Copy,
            "in-place" => Form::InPlace,
            other => {
                let place = given.origin.span.unwrap_or(item.key.span);
                cx.report(general::not_one_of(
                    "patch",
                    other,
                    place,
                    &["kustomize", "copy", "in-place"],
                ));
                return None;
            }
        };
    }
    let mut rules: Vec<Rule<'c, 'a>> = Vec::new();
    for field in own.all("workload") {
        if field.item.body.is_none() || field.item.names.is_empty() {
            if !field.item.is_hole() {
                let example = "workload postgres { memory = 256Mi }";
                cx.report(general::malformed("workload", example, field.item.span));
            }
            continue;
        }
        for name in &field.item.names {
            let (workload, container) = split(cx.word(*name));
            let own = Fields::new(
                cx,
                "workload",
                name.span,
                vec![layer("workload", cx.word(*name), field.item)],
            );
            let place = match container {
                Some(_) => "adopt.container",
                None => "adopt.workload",
            };
            own.check_keys(place);
            let (fields, tier) = with_tier(decls, &own, "workload", cx.word(*name), field.item);
            let same = rules
                .iter()
                .find(|rule| rule.workload == workload && rule.container == container);
            if let Some(first) = same {
                cx.report(general::declared_twice(
                    "workload",
                    cx.word(*name),
                    first.span,
                    name.span,
                ));
                continue;
            }
            rules.push(Rule {
                workload,
                container,
                span: name.span,
                fields,
                tier,
            });
        }
    }
    let mut keeps = Vec::new();
    for field in own.all("keep") {
        if field.item.names.is_empty() || field.item.value.is_some() || field.item.body.is_some() {
            if !field.item.is_hole() {
                cx.report(general::malformed(
                    "keep",
                    "keep postgres, web/nginx",
                    field.item.span,
                ));
            }
            continue;
        }
        keeps.extend(field.item.names.iter().map(|name| {
            let (workload, container) = split(cx.word(*name));
            Keep {
                workload,
                container,
                span: name.span,
            }
        }));
    }
    Some(Reading {
        decls,
        pattern,
        general,
        tier,
        rules,
        keeps,
        form,
        index,
        unmatched: RefCell::default(),
    })
}

fn layer<'a>(kind: &'static str, name: &'a str, item: &'a Item) -> Layer<'a> {
    let items = item.body.as_ref().map_or(&[][..], |body| &body.items);
    Layer {
        env: None,
        kind,
        name,
        items,
    }
}

/// The fields of a block over those of the tier that it names.
fn with_tier<'c, 'a>(
    decls: &'c Decls<'c, 'a>,
    own: &Fields<'c, 'a>,
    kind: &'static str,
    name: &'a str,
    item: &'a Item,
) -> (Fields<'c, 'a>, Option<usize>) {
    let mut layers = vec![layer(kind, name, item)];
    let mut tier = None;
    if let Some(given) = own.name("tier") {
        tier = decls.index(
            "tier",
            given.value,
            given.origin.span.unwrap_or(item.key.span),
        );
        if let Some(of_tier) = decls.get("tier", given.value) {
            let mut below = decls.layers("tier", of_tier.name, of_tier.item);
            below.append(&mut layers);
            layers = below;
        }
    }
    (Fields::new(decls.cx, kind, own.span, layers), tier)
}

/// `web/nginx` is a container of a workload.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('/') {
        Some((workload, container)) => (workload, Some(container)),
        None => (name, None),
    }
}

impl<'c, 'a> Reading<'c, 'a> {
    /// A rule or a `keep` that is about nothing is a mistake.
    fn check_rules(&self, manifests: &[(usize, &'a Manifest)]) {
        let cx = self.decls.cx;
        let objects = || {
            manifests
                .iter()
                .flat_map(|(_, manifest)| manifest.objects.workloads.iter().zip(&manifest.known_as))
                .map(|(object, known)| (object, known.as_str()))
        };
        let rules = self
            .rules
            .iter()
            .map(|rule| (rule.workload, rule.container, rule.span));
        for (workload, container, span) in
            rules.chain(self.keeps.iter().map(|k| (k.workload, k.container, k.span)))
        {
            let named: Vec<&Workload> = objects()
                .filter(|(object, known)| means(workload, object, known))
                .map(|(object, _)| object)
                .collect();
            if named.is_empty() {
                let known: Vec<&str> = objects().map(|(object, _)| object.name.as_str()).collect();
                let near = nearest(workload, known);
                cx.report(errors::no_such_workload(workload, near, self.pattern, span));
                continue;
            }
            let Some(container) = container else { continue };
            let containers: Vec<&str> = named
                .iter()
                .flat_map(|object| &object.containers)
                .map(|known| known.name.as_str())
                .collect();
            if !containers.contains(&container) {
                cx.report(errors::no_such_container(
                    workload,
                    container,
                    &containers,
                    span,
                ));
            }
        }
        for keep in &self.keeps {
            let same = |rule: &&Rule<'_, '_>| {
                rule.workload == keep.workload && rule.container == keep.container
            };
            if let Some(rule) = self.rules.iter().find(same) {
                cx.report(errors::kept_and_ruled(rule.workload, rule.span, keep.span));
            }
        }
    }

    fn services(
        &self,
        loaded: &'a Loaded,
        index: usize,
        manifest: &'a Manifest,
    ) -> Vec<Service<'a>> {
        let pairs = manifest.objects.workloads.iter().zip(&manifest.known_as);
        pairs
            .map(|(object, known)| self.service(loaded, (index, manifest), object, known))
            .collect()
    }

    /// The rule about a workload as a whole.
    fn rule(&self, object: &Workload, known: &str) -> Option<&Rule<'c, 'a>> {
        self.rules
            .iter()
            .find(|rule| rule.container.is_none() && means(rule.workload, object, known))
    }

    fn service(
        &self,
        loaded: &'a Loaded,
        (index, manifest): (usize, &'a Manifest),
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
        let mut extras = Vec::new();
        let mut containers: Vec<Held<'a>> = Vec::new();
        for (at, (container, read)) in object.containers.iter().zip(&all).enumerate() {
            let mut held = read.held.clone();
            if at != main_at {
                held.extra = Some(extras.len());
                extras.push(extra(container, read, manifest));
            }
            containers.push(held);
        }
        let main = &all[main_at];
        // What bursts is charged by its request and its limit, and then there is nothing to choose.
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
            WorkloadKind::Deployment => Kind::Deployment(scaler.map(|(_, scaler)| Scale {
                least: scaler.least,
                most: replicas,
                cpu: 80,
            })),
            // Nothing rolls them out: their pods are made anew when they have gone.
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
                    Schedule {
                        cron: Cow::Borrowed(&object.schedule),
                        concurrency,
                    },
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
                manifest: index,
                adopt: self.index,
                object,
                place: manifest.place(&object.at),
                containers,
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
                .filter(|_| main.limit.origin.kind == "tier"),
            image: Image::Name(Spanned::new(Cow::Borrowed(""), name.span)),
            replicas,
            memory,
            cpu: main.cpu,
            weight,
            rollout,
            wave: None,
            shrinks_first: main.limit.origin.kind == "tier"
                && rule
                    .map_or(&self.general, |rule| &rule.fields)
                    .has("shrink"),
            ports: host_ports(object, manifest),
            pod: Pod {
                volumes: volumes(object, manifest),
                ..Pod::default()
            },
        }
    }

    /// What happens when runs of a CronJob overlap, and whether a rule says so.
    fn concurrency(&self, object: &Workload, rule: Option<&Rule<'c, 'a>>) -> (Concurrency, bool) {
        let cx = self.decls.cx;
        let at_most = rule.and_then(|rule| rule.fields.count("at-most"));
        let runs = at_most.map_or(1, |given| given.value.clamp(1, 100_000));
        let written = match object.concurrency.as_deref() {
            Some("Forbid") => "forbid",
            Some("Replace") => "replace",
            _ => "allow",
        };
        let given = rule.and_then(|rule| rule.fields.name("concurrency"));
        let word = given.map_or(written, |given| given.value);
        let concurrency = match word {
            "forbid" => Concurrency::Forbid,
            "replace" => Concurrency::Replace,
            "allow" => Concurrency::Allow(runs),
            other => {
                let place = given
                    .and_then(|given| given.origin.span)
                    .unwrap_or(self.general.span);
                cx.report(general::not_one_of(
                    "concurrency",
                    other,
                    place,
                    &["forbid", "replace", "allow"],
                ));
                Concurrency::Forbid
            }
        };
        if let (Some(given), Concurrency::Forbid | Concurrency::Replace) = (at_most, concurrency) {
            cx.report(general::bound_without_allow(
                given.origin.span.unwrap_or(self.general.span),
            ));
        }
        (concurrency, word != written)
    }

    fn rollout(
        &self,
        object: &Workload,
        known: &str,
        rule: Option<&Rule<'c, 'a>>,
        origin: Origin<'a>,
    ) -> (Given<'a, Rollout>, bool) {
        let written = match object.surge {
            Surge::Recreate => Rollout::Recreate,
            Surge::Pods(0) | Surge::Percent(0) => Rollout::Replace,
            Surge::Pods(n) => Rollout::Surge(n),
            Surge::Percent(percent) => Rollout::SurgePercent(percent),
        };
        let of_rule = rule.and_then(|rule| rollout(&rule.fields));
        let is_deployment = object.kind == WorkloadKind::Deployment;
        if let (Some(given), false) = (of_rule, is_deployment) {
            let span = given.origin.span.unwrap_or(self.general.span);
            self.decls.cx.report(errors::not_of_this_kind(
                "rollout",
                &object.kind_text,
                known,
                span,
            ));
        }
        match of_rule
            .or_else(|| rollout(&self.general))
            .filter(|_| is_deployment && self.keeps_all(object, known).is_none())
        {
            Some(given) => (given, given.value != written),
            None => (
                Given {
                    value: written,
                    origin,
                },
                false,
            ),
        }
    }

    /// The `keep` about a workload as a whole.
    fn keeps_all(&self, object: &Workload, known: &str) -> Option<Span> {
        let mut all = self.keeps.iter();
        all.find(|keep| keep.container.is_none() && means(keep.workload, object, known))
            .map(|keep| keep.span)
    }
}

/// Whether a name in a rule means a workload: the name of its object, or the one it is told apart by.
fn means(name: &str, object: &Workload, known: &str) -> bool {
    name == object.name || name == known
}

/// A container as it will be.
struct ReadContainer<'a> {
    /// Where the compiler may choose.
    range: Option<(Given<'a, Bytes>, Given<'a, Bytes>)>,
    request: Given<'a, Bytes>,
    limit: Given<'a, Bytes>,
    cpu: Option<CpuPair<'a>>,
    held: Held<'a>,
}

/// What reading the containers of one workload needs.
struct ReadContainers<'r, 'c, 'a> {
    reading: &'r Reading<'c, 'a>,
    manifest: &'a Manifest,
    object: &'a Workload,
    known: &'a str,
    entries: Vec<(&'a Manifest, &'a Entry)>,
}

impl<'a> ReadContainers<'_, '_, 'a> {
    fn container(&self, container: &'a Container) -> ReadContainer<'a> {
        let reading = self.reading;
        let cx = reading.decls.cx;
        let kept = reading.keeps.iter().any(|keep| {
            means(keep.workload, self.object, self.known)
                && keep.container.is_none_or(|name| name == container.name)
        });
        let own = reading.rules.iter().find(|rule| {
            rule.container == Some(container.name.as_str())
                && means(rule.workload, self.object, self.known)
        });
        let of_workload = reading.rule(self.object, self.known);
        let near = [own, of_workload]
            .into_iter()
            .flatten()
            .map(|rule| &rule.fields);
        let layers: Vec<&Fields<'_, 'a>> = if kept {
            Vec::new()
        } else {
            near.chain([&reading.general]).collect()
        };
        let given = layers
            .iter()
            .find(|fields| fields.has("memory"))
            .and_then(|fields| memory(fields));
        let of_rule = layers
            .iter()
            .find(|fields| fields.has("cpu"))
            .and_then(|fields| cpu(fields));
        let mut env: Vec<(&'a str, Cow<'a, str>)> = Vec::new();
        for fields in [own, of_workload.filter(|_| container.role == Role::Main)]
            .into_iter()
            .flatten()
        {
            for entry in fields.fields.entries("env") {
                let name = cx.key(entry.item);
                if env.iter().all(|(known, _)| *known != name) {
                    env.extend(self.variable(entry).map(|text| (name, text)));
                }
            }
        }
        let completed = self.completed(container, given, of_rule);
        let nothing = Given {
            value: Bytes::new(0),
            origin: self.origin_at(&container.at),
        };
        let (range, request, limit, unbounded) = match (given, completed.memory) {
            (Some(Memory::Range { low, high }), _) => (Some((low, high)), high, high, false),
            (Some(Memory::Burst { request, limit }), _) => (None, request, limit, false),
            (None, (request, Some(limit))) => {
                let request = request.unwrap_or(limit);
                (None, request, limit, !completed.settled)
            }
            // Nothing limits it: what it requests is the least that it is known to take.
            (None, (request, None)) => {
                let request = request.unwrap_or(nothing);
                (None, request, request, true)
            }
        };
        let (mut range, mut request) = (range, request);
        if request.value > limit.value {
            // The API server would refuse it, and the planner must never see it.
            check_order("memory", Some(request), Some(limit), cx);
            (range, request) = (None, limit);
        }
        if let (Some((request, None)), Some(limit)) = (of_rule, &container.cpu.limit)
            && request.value.milli > limit.n
        {
            let at = request.origin.span.unwrap_or(self.manifest.span(&limit.at));
            let (low, high) = (request.value.to_string(), limit.text.clone());
            cx.report(general::request_above_limit(
                "cpu",
                &low,
                &high,
                at,
                self.manifest.span(&limit.at),
            ));
        }
        if !kept && !layers.iter().any(|fields| fields.has("memory")) {
            let name = format!("{}/{}", self.known, container.name);
            let place = cx.sources.place(self.manifest.span(&container.at));
            reading.unmatched.borrow_mut().push(errors::Unmatched {
                name,
                place,
                unbounded,
            });
        }
        let held = Held {
            extra: None,
            sets_memory: given.is_some(),
            cpu: of_rule,
            env,
            unbounded,
        };
        ReadContainer {
            range,
            request,
            limit,
            cpu: completed.cpu,
            held,
        }
    }

    fn variable(&self, entry: Field<'a>) -> Option<Cow<'a, str>> {
        let cx = self.reading.decls.cx;
        plain_text(cx, entry.value(cx)?)
    }

    fn origin_at(&self, range: &std::ops::Range<usize>) -> Origin<'a> {
        origin(self.manifest, range)
    }

    /// Memory and CPU of a container as the API server completes them: what rules give, else what the manifest says; a
    /// limit as the request that is missing; then what the LimitRanges of the namespace give.
    fn completed(
        &self,
        container: &'a Container,
        memory: Option<Memory<'a>>,
        cpu: Option<CpuPair<'a>>,
    ) -> Completed<'a> {
        let mut all = admission::Container {
            name: container.name.clone(),
            role: container.role,
            requests: container.requests.clone(),
            limits: container.limits.clone(),
        };
        if let Some(memory) = memory {
            let (request, limit) = match memory {
                Memory::Range { high, .. } => (high, high),
                Memory::Burst { request, limit } => (request, limit),
            };
            set(&mut all.requests, "memory", thousand(request.value.n));
            set(&mut all.limits, "memory", thousand(limit.value.n));
        }
        if let Some((request, limit)) = cpu {
            set(&mut all.requests, "cpu", request.value.milli.into());
            if let Some(limit) = limit {
                set(&mut all.limits, "cpu", limit.value.milli.into());
            }
        }
        all.complete();
        // Where two LimitRanges give different limits, nobody knows which holds.
        let unsettled = give_defaults(
            &mut all,
            self.entries.iter().map(|(_, entry)| &entry.limits),
        );
        let settled = !unsettled.iter().any(|resource| resource == "memory");
        let bytes = |list: &Resources, own: &Option<Amount>, keys: &[&'static str]| {
            let n = u64::try_from(list.get("memory")?.div_ceil(1000)).ok()?;
            let at = [own, &container.memory.limit].into_iter().flatten().next();
            let origin = match at {
                Some(own) => self.origin_at(&own.at),
                None => self.given_by("memory", keys, &container.at),
            };
            Some(Given {
                value: Bytes::new(n),
                origin,
            })
        };
        let milli = |list: &Resources, keys: &[&'static str]| {
            let milli = u64::try_from(*list.get("cpu")?).ok()?;
            let own =
                container.requests.contains_key("cpu") || container.limits.contains_key("cpu");
            let origin = match own {
                true => self.origin_at(&container.at),
                false => self.given_by("cpu", keys, &container.at),
            };
            Some(Given {
                value: Cpu::milli(milli),
                origin,
            })
        };
        let (of_request, of_limit) = (
            ["defaultRequest", "default", "max", "min"],
            ["default", "max"],
        );
        let memory = (
            bytes(&all.requests, &container.memory.request, &of_request),
            bytes(&all.limits, &container.memory.limit, &of_limit),
        );
        let completed = milli(&all.requests, &of_request)
            .map(|request| (request, milli(&all.limits, &of_limit)));
        let cpu = match (cpu, completed) {
            (Some((request, limit)), Some((_, completed))) => Some((request, limit.or(completed))),
            (cpu, completed) => cpu.or(completed),
        };
        Completed {
            memory,
            cpu,
            settled,
        }
    }

    /// Where a LimitRange gives an amount.
    fn given_by(
        &self,
        resource: &str,
        keys: &[&'static str],
        at: &std::ops::Range<usize>,
    ) -> Origin<'a> {
        let place = self.entries.iter().find_map(|(from, entry)| {
            let mut all = keys.iter();
            let at = all.find_map(|key| entry.places.get(&(*key, resource.to_owned())))?;
            Some(origin(from, at))
        });
        place.unwrap_or_else(|| self.origin_at(at))
    }
}

/// Memory and CPU of a container, request and limit, once everything has been completed.
struct Completed<'a> {
    memory: (Option<Given<'a, Bytes>>, Option<Given<'a, Bytes>>),
    cpu: Option<CpuPair<'a>>,
    /// Whether all LimitRanges give it the same memory.
    settled: bool,
}

fn set(list: &mut Resources, resource: &str, amount: admission::Amount) {
    list.insert(resource.to_owned(), amount);
}

fn thousand(n: u64) -> admission::Amount {
    admission::Amount::from(n) * 1000
}

fn extra<'a>(container: &'a Container, read: &ReadContainer<'a>, manifest: &Manifest) -> Extra<'a> {
    Extra {
        name: Spanned::new(container.name.as_str(), manifest.span(&container.at)),
        stays: container.role != Role::Init,
        image: Spanned::new(Cow::Borrowed(""), manifest.span(&container.at)),
        memory: read.limit,
        request: (read.request.value != read.limit.value).then_some(read.request),
        cpu: read.cpu,
        env: Vec::<(Spanned<&'a str>, EnvValue<'a>)>::new(),
        configs: Vec::new(),
        secrets: Vec::new(),
        command: Vec::new(),
        args: Vec::new(),
        mounts: Vec::new(),
    }
}

/// Of its ports those of the node: each belongs to one pod.
fn host_ports<'a>(object: &'a Workload, manifest: &'a Manifest) -> Vec<Port<'a>> {
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

/// Of its volumes what the proof is about: those in memory, Secrets, and whether it claims storage.
fn volumes<'a>(object: &'a Workload, manifest: &'a Manifest) -> Vec<Volume<'a>> {
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
    let claims = object
        .claims
        .then(|| volume("claim", VolumeSource::Claim("")));
    in_memory.chain(secrets).chain(claims).collect()
}

/// A place in a manifest as the origin of a number: reports name it by path and line.
fn origin<'a>(manifest: &'a Manifest, range: &std::ops::Range<usize>) -> Origin<'a> {
    Origin {
        env: None,
        kind: "",
        name: manifest.place(range),
        key: "",
        span: Some(manifest.span(range)),
    }
}

/// Whether two namespaces are one; where none is written, both go where `kubectl` puts them.
fn same_namespace(a: Option<&str>, b: Option<&str>) -> bool {
    a.unwrap_or("default") == b.unwrap_or("default")
}

/// The entries of the LimitRanges of a namespace.
fn entries<'a>(loaded: &'a Loaded, namespace: Option<&str>) -> Vec<(&'a Manifest, &'a Entry)> {
    let all = loaded.manifests.iter().flat_map(|of| {
        let ranges = of.objects.ranges.iter();
        ranges.map(move |range| (of, range))
    });
    all.filter(|(_, range)| same_namespace(range.namespace.as_deref(), namespace))
        .flat_map(|(of, range)| range.entries.iter().map(move |entry| (of, entry)))
        .collect()
}

/// The autoscaler of a workload.
fn scaler<'a>(loaded: &'a Loaded, object: &Workload) -> Option<(&'a Manifest, &'a Scaler)> {
    let mut all = loaded
        .manifests
        .iter()
        .flat_map(|of| of.objects.scalers.iter().map(move |scaler| (of, scaler)));
    all.find(|(_, scaler)| {
        scaler.kind == object.kind_text
            && scaler.name == object.name
            && same_namespace(scaler.namespace.as_deref(), object.namespace.as_deref())
    })
}

/// What K3s packages it puts back at every start, and it is counted already.
pub(super) fn check_packaged<'a>(
    decls: &Decls<'_, 'a>,
    components: &[Component<'a>],
    services: &[Service<'a>],
) {
    for service in services {
        let Some(adopted) = &service.adopted else {
            continue;
        };
        let in_system = adopted.object.namespace.as_deref() == Some("kube-system");
        if in_system
            && components
                .iter()
                .any(|component| component.name == adopted.object.name)
        {
            decls
                .cx
                .report(errors::packaged(&adopted.object.name, service.name.span));
        }
    }
}

/// Budgets that count what nothing limits prove nothing.
pub(super) fn check_budgets<'a>(
    decls: &Decls<'_, 'a>,
    services: &[Service<'a>],
    budgets: &[Budget<'a>],
) {
    for budget in budgets {
        for (_, service) in services
            .iter()
            .enumerate()
            .filter(|(index, _)| budget.is_over(*index))
        {
            let Some(adopted) = &service.adopted else {
                continue;
            };
            if let Some(container) = adopted.unbounded() {
                let (name, at) = (service.name.value, service.name.span);
                let error = errors::unbounded_in_budget(
                    budget.name.value,
                    name,
                    container,
                    at,
                    budget.name.span,
                );
                decls.cx.report(error);
            }
        }
    }
}
