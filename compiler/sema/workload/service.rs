//! Workloads of every kind, over the tiers that they name.

use std::collections::{BTreeMap, BTreeSet};

use super::errors;
use crate::base::id::Id;
use crate::base::span::{Span, Spanned};
use crate::program::{
    EnvValue, Given, Giver, Kind, Memory, Origin, Rollout, Service, Tier, TierId, VolumeSource,
};
use crate::sema::decls::{Decl, Decls, fields};
use crate::sema::errors as general;
use crate::sema::image::{ToBuild, image};
use crate::sema::names::check_label;
use crate::sema::pod::ingress::ingresses;
use crate::sema::pod::patch::patches;
use crate::sema::pod::pod;
use crate::sema::pod::ports::ports;
use crate::sema::workload::containers::extras;
use crate::sema::workload::kinds;
use crate::sema::workload::resources::{cpu, memory, rollout};

/// All services, sorted by name. Those of one header share everything but the name.
pub(crate) fn services<'a>(
    decls: &Decls<'_, 'a>,
    tiers: &[Tier<'a>],
    to_build: ToBuild<'_, 'a>,
) -> Vec<Service<'a>> {
    let mut services: Vec<Service<'a>> = Vec::with_capacity(decls.workloads().count());
    let mut first_of_header = BTreeMap::new();
    for (kind, decl) in decls.workloads() {
        let shares = decl.item.names.len() > 1 && decls.change(kind, decl.name).is_none();
        let twin = if shares {
            first_of_header
                .get(&decl.item.span)
                .map(|index: &usize| &services[*index])
        } else {
            None
        };
        check_label(decls.cx, kind, decl.name, decl.span);
        if matches!(kind, "cron" | "stateful") && decl.name.len() > 52 {
            decls.cx.report(general::not_a_label(
                kind,
                decl.name,
                "it is longer than 52 characters",
                decl.span,
            ));
        }
        if let Some(twin) = twin {
            let mut service = twin.clone();
            service.name = Spanned::new(decl.name, decl.span);
            for extra in service
                .extras
                .iter()
                .filter(|extra| extra.name.value == decl.name)
            {
                decls.cx.report(general::declared_twice(
                    "container",
                    decl.name,
                    decl.span,
                    extra.name.span,
                ));
            }
            rename_origins(&mut service, decl.name);
            services.push(service);
        } else if let Some(service) = service(decls, kind, decl, (tiers, to_build)) {
            if shares {
                first_of_header.insert(decl.item.span, services.len());
            }
            services.push(service);
        }
    }
    services
}

/// Values that a header of several names gives have each name's own path.
pub(crate) fn rename_origins<'a>(service: &mut Service<'a>, name: &'a str) {
    fn rename<'a, T>(given: &mut Given<'a, T>, name: &'a str) {
        if let Giver::Workload(_) = given.origin.giver {
            given.origin.name = name;
        }
    }
    match &mut service.memory {
        Memory::Range { low, high } => (rename(low, name), rename(high, name)),
        Memory::Burst { request, limit } => (rename(request, name), rename(limit, name)),
    };
    if let Some((request, limit)) = &mut service.cpu {
        rename(request, name);
        limit.iter_mut().for_each(|limit| rename(limit, name));
    }
    rename(&mut service.replicas, name);
    rename(&mut service.rollout, name);
    service
        .weight
        .iter_mut()
        .chain(&mut service.wave)
        .for_each(|given| rename(given, name));
}

pub(crate) fn service<'a>(
    decls: &Decls<'_, 'a>,
    kind: &'static str,
    decl: Decl<'a>,
    (tiers, to_build): (&[Tier<'a>], ToBuild<'_, 'a>),
) -> Option<Service<'a>> {
    let cx = decls.cx;
    let own = fields(decls, kind, decl)?;
    own.check_keys(kind);
    let mut tier = None;
    let names_a_tier = own.has("tier");
    let mut fields = own;
    if let Some(given) = fields.name("tier") {
        tier = decls.id("tier", given.value, given.origin.span.unwrap_or(decl.span));
        if let Some(of_tier) = decls.get("tier", given.value) {
            fields = fields.over(decls.layers("tier", of_tier.name, of_tier.item));
        }
    }
    debug_assert!(
        tier.is_none_or(|tier: TierId| tier.index() < tiers.len()),
        "every declared tier has its place"
    );
    let fields = fields.noting_unknown_keys(kind);
    let image = image(decls, &fields, to_build);
    let memory = memory(&fields);
    if memory.is_none() && fields.get("memory").is_none() && (tier.is_some() || !names_a_tier) {
        fields.missing("memory", "memory = 32Mi..48Mi");
    }
    let (what, replicas) = kinds::kind(&fields, kind, decl.span)?;
    let rollout = rollout(&fields)
        .filter(|_| kind == "service")
        .unwrap_or(Given {
            value: Rollout::Replace,
            origin: Origin::default("kubernetes.deployment.rollout"),
        });
    let shrink = fields.name("shrink");
    if let Some(given) = shrink.filter(|given| given.value != "first") {
        let span = given.origin.span.unwrap_or(decl.span);
        cx.report(general::not_one_of("shrink", given.value, span, &["first"]));
    }
    let wave = fields.count("wave").filter(|_| kind == "service");
    let weight = fields.count("weight");
    if let Some(given) = weight.filter(|given| given.value == 0 || given.value > 1_000_000) {
        cx.report(general::out_of_range(
            "weight",
            "1 to 1000000",
            given.origin.span.unwrap_or(decl.span),
        ));
    }
    let ports = if what.ends() {
        Vec::new()
    } else {
        ports(&fields)
    };
    let ingresses = match what.ends() {
        true => Vec::new(),
        false => ingresses(&fields, &ports),
    };
    let pod = pod(decls, &fields, &ports, (&what, replicas.value));
    let pods = replicas.value + rollout.value.surge(1);
    for port in ports
        .iter()
        .filter_map(|port| port.host_port)
        .filter(|_| pods > 1 && !pod.place.apart)
    {
        cx.report(errors::host_port_of_many(
            port.value, decl.name, pods, port.span,
        ));
    }
    let extras = extras(decls, &fields, &pod);
    let blind = extras
        .iter()
        .find(|extra| extra.stays && extra.cpu.is_none());
    if let (Kind::Deployment(Some(_)), Some(extra)) = (&what, blind) {
        cx.report(errors::scale_without_cpu(extra.name.span));
    }
    Some(Service {
        kind: what,
        adopted: None,
        extras,
        name: Spanned::new(decl.name, decl.span),
        span: decl.item.span,
        tier,
        image: image?,
        replicas,
        memory: memory?,
        cpu: cpu(&fields),
        weight: weight.map(Box::new),
        shrinks_first: shrink.is_some(),
        rollout,
        wave: wave.map(Box::new),
        ingresses,
        ports,
        pod,
        patches: patches(decls, &fields),
    })
}

/// Declared and never used is never silent.
pub(crate) fn check_unused<'a>(
    decls: &Decls<'_, 'a>,
    tiers: &[Tier<'a>],
    services: &[Service<'a>],
) {
    let cx = decls.cx;
    let from_library = |span: Span| cx.sources.is_library(span);
    let mut used = vec![false; tiers.len()];
    for tier in services.iter().filter_map(|service| service.tier) {
        used[tier.index()] = true;
    }
    // A tier that a service names is used, even if that service has a fault.
    let named = |name: &str| {
        decls.workloads().any(|(_, decl)| {
            decl.item
                .body
                .iter()
                .flat_map(|body| &body.items)
                .any(|item| {
                    cx.key(item) == "tier"
                        && item
                            .value
                            .as_ref()
                            .is_some_and(|value| cx.text(value.span) == name)
                })
        })
    };
    for (tier, used) in tiers.iter().zip(used) {
        let name = tier.name.value;
        if !used && !from_library(tier.name.span) && !named(name) && !decls.mentioned.contains(name)
        {
            cx.report(general::unused("tier", tier.name.value, tier.name.span));
        }
    }
    let mut mentioned: BTreeSet<&str> = BTreeSet::new();
    for service in services {
        let pod = &service.pod;
        let extras = service
            .extras
            .iter()
            .map(|extra| (&extra.configs, &extra.env));
        for (configs, env) in extras.chain([(&pod.configs, &pod.env)]) {
            mentioned.extend(configs);
            mentioned.extend(env.iter().filter_map(|(_, value)| match value {
                EnvValue::Config(name, _) => Some(*name),
                EnvValue::Text(_) | EnvValue::Secret(..) | EnvValue::Field(_) => None,
            }));
        }
        mentioned.extend(pod.volumes.iter().filter_map(|volume| match volume.source {
            VolumeSource::Config(name) => Some(name),
            _ => None,
        }));
    }
    for decl in decls.of("config") {
        let used = mentioned.contains(decl.name) || decls.mentioned.contains(decl.name);
        if !used && !from_library(decl.span) {
            cx.report(general::unused("config", decl.name, decl.span));
        }
    }
}
