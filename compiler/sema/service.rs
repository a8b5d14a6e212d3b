//! Tiers, services and configuration texts.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::cx::Cx;
use super::decls::{Decl, Decls, WORKLOADS, fields};
use super::errors;
use super::image::{ToBuild, image};
use super::layers::Fields;
use super::pod::{check_shared_ports, plain_text, pod, ports};
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::{Span, Spanned};
use crate::program::{
    Config, Dim, EnvValue, Given, Kind, Memory, Origin, Rollout, Service, Tier, VolumeSource,
};
use crate::syntax::ast::{Expr, ExprKind};

const TIER_KEYS: [&str; 20] = [
    "memory",
    "cpu",
    "priority",
    "replicas",
    "rollout",
    "wave",
    "weight",
    "shrink",
    "grace",
    "env",
    "labels",
    "annotations",
    "readiness",
    "liveness",
    "startup",
    "node",
    "nodes",
    "node-selector",
    "tolerations",
    "anti-affinity",
];

/// One less than the most that Kubernetes leaves to its users: that belongs to daemons.
const MOST_PRIORITY: u64 = 999_999_999;

/// Fields of every workload.
const COMMON_KEYS: [&str; 25] = [
    "tier",
    "image",
    "memory",
    "cpu",
    "weight",
    "shrink",
    "env",
    "configs",
    "secrets",
    "command",
    "args",
    "volume",
    "node",
    "nodes",
    "node-selector",
    "tolerations",
    "anti-affinity",
    "labels",
    "annotations",
    "grace",
    "service-account",
    "pull-secrets",
    "user",
    "sidecar",
    "init",
];

/// Fields of workloads that run on.
const SERVING_KEYS: [&str; 7] = [
    "port",
    "ports",
    "node-port",
    "host-port",
    "readiness",
    "liveness",
    "startup",
];

/// Fields of one kind only.
fn own_keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "service" => &["replicas", "rollout", "wave", "scale"],
        "stateful" => &["replicas"],
        "job" => &["parallelism", "completions", "retries", "deadline"],
        "cron" => &[
            "parallelism",
            "completions",
            "retries",
            "deadline",
            "schedule",
            "concurrency",
            "at-most",
        ],
        _ => &[],
    }
}

/// All fields of a kind of workload.
fn keys_of(kind: &str) -> Vec<&'static str> {
    let serving: &[&str] = if matches!(kind, "job" | "cron") {
        &[]
    } else {
        &SERVING_KEYS
    };
    COMMON_KEYS
        .iter()
        .chain(serving)
        .chain(own_keys(kind))
        .copied()
        .collect()
}

/// What keeps a text from being a DNS label (RFC 1123) that also begins with a letter, as names of Kubernetes
/// Services must (RFC 1035).
pub(super) fn label_fault(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 63 {
        Some("it is longer than 63 characters")
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("it has capital letters")
    } else if name.contains('_') {
        Some("it has an underscore")
    } else if !name.bytes().all(allowed) {
        Some("it has characters other than a to z, 0 to 9 and `-`")
    } else if name.ends_with('-') {
        Some("it ends with `-`")
    } else if !name.as_bytes().first().is_some_and(u8::is_ascii_lowercase) {
        Some("it does not begin with a letter")
    } else {
        None
    }
}

pub(super) fn check_label(cx: &Cx<'_>, kind: &'static str, name: &str, span: Span) {
    if let Some(fault) = label_fault(name) {
        cx.report(errors::not_a_label(kind, name, fault, span));
    }
}

pub(super) fn tiers<'a>(decls: &Decls<'_, 'a>) -> Vec<Tier<'a>> {
    decls
        .of("tier")
        .map(|decl| {
            let mut priority = None;
            if let Some(fields) = fields(decls, "tier", decl) {
                fields.check_keys(&TIER_KEYS);
                check_label(decls.cx, "tier", decl.name, decl.span);
                priority = fields.count("priority");
                // Read here too, so that a fault in a tier is told once and at the tier, used or not.
                let _ = (
                    memory(&fields),
                    cpu(&fields),
                    fields.count("replicas"),
                    rollout(&fields),
                );
            }
            if let Some(given) = priority.filter(|given| given.value > MOST_PRIORITY) {
                let span = given.origin.span.unwrap_or(decl.span);
                decls
                    .cx
                    .report(errors::out_of_range("priority", "0 to 999999999", span));
            }
            Tier {
                name: Spanned::new(decl.name, decl.span),
                priority,
            }
        })
        .collect()
}

/// All services, sorted by name. Those of one header share everything but the name.
pub(super) fn services<'a>(
    decls: &Decls<'_, 'a>,
    tiers: &[Tier<'a>],
    to_build: ToBuild<'_, 'a>,
) -> Vec<Service<'a>> {
    let mut services: Vec<Service<'a>> = Vec::with_capacity(decls.workloads().count());
    let mut first_of_header = BTreeMap::new();
    let keys: BTreeMap<&str, Vec<&'static str>> = WORKLOADS
        .iter()
        .map(|kind| (*kind, keys_of(kind)))
        .collect();
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
            decls.cx.report(errors::not_a_label(
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
                decls.cx.report(errors::declared_twice(
                    "container",
                    decl.name,
                    decl.span,
                    extra.name.span,
                ));
            }
            rename_origins(&mut service, decl.name);
            services.push(service);
        } else if let Some(service) = service(decls, kind, decl, (tiers, to_build), &keys) {
            if shares {
                first_of_header.insert(decl.item.span, services.len());
            }
            services.push(service);
        }
    }
    check_shared_ports(decls.cx, &services);
    services
}

/// Values that a header of several names gives have each name's own path.
fn rename_origins<'a>(service: &mut Service<'a>, name: &'a str) {
    fn rename<'a, T>(given: &mut Given<'a, T>, name: &'a str) {
        if WORKLOADS.contains(&given.origin.kind) {
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

fn service<'a>(
    decls: &Decls<'_, 'a>,
    kind: &'static str,
    decl: Decl<'a>,
    (tiers, to_build): (&[Tier<'a>], ToBuild<'_, 'a>),
    keys: &BTreeMap<&str, Vec<&'static str>>,
) -> Option<Service<'a>> {
    let cx = decls.cx;
    let own = fields(decls, kind, decl)?;
    own.check_keys(&keys[kind]);
    let mut tier = None;
    let mut layers = decls.layers(kind, decl.name, decl.item);
    if let Some(given) = own.name("tier") {
        tier = decls.index("tier", given.value, given.origin.span.unwrap_or(decl.span));
        if let Some(of_tier) = decls.get("tier", given.value) {
            let mut below = decls.layers("tier", of_tier.name, of_tier.item);
            below.append(&mut layers);
            layers = below;
        }
    }
    debug_assert!(
        tier.is_none_or(|tier| tier < tiers.len()),
        "every declared tier has its place"
    );
    let fields = Fields::new(cx, kind, decl.span, layers).beside_keys(&keys[kind]);
    let image = image(decls, &fields, to_build);
    let memory = memory(&fields);
    if memory.is_none()
        && fields.get("memory").is_none()
        && (tier.is_some() || own.get("tier").is_none())
    {
        fields.missing("memory", "memory = 32Mi..48Mi");
    }
    let (what, replicas) = super::kinds::kind(&fields, kind, decl.span)?;
    let rollout = rollout(&fields)
        .filter(|_| kind == "service")
        .unwrap_or(Given {
            value: Rollout::Replace,
            origin: Origin::default("kubernetes.deployment.rollout"),
        });
    let shrink = fields.name("shrink");
    if let Some(given) = shrink.filter(|given| given.value != "first") {
        let span = given.origin.span.unwrap_or(decl.span);
        cx.report(errors::not_one_of("shrink", given.value, span, &["first"]));
    }
    let wave = fields.count("wave").filter(|_| kind == "service");
    let weight = fields.count("weight");
    if let Some(given) = weight.filter(|given| given.value == 0 || given.value > 1_000_000) {
        cx.report(errors::out_of_range(
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
    let pods = replicas.value + rollout.value.surge(1);
    for port in ports
        .iter()
        .filter_map(|port| port.host_port)
        .filter(|_| pods > 1)
    {
        cx.report(errors::host_port_of_many(
            port.value, decl.name, pods, port.span,
        ));
    }
    let pod = pod(decls, &fields, &ports, &what);
    let extras = super::kinds::extras(decls, &fields, &pod);
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
        weight,
        shrinks_first: shrink.is_some(),
        rollout,
        wave,
        ports,
        pod,
    })
}

/// Memory: one number, a range, or request and limit apart.
pub(super) fn memory<'a>(fields: &Fields<'_, 'a>) -> Option<Memory<'a>> {
    let cx = fields.cx;
    let field = fields.get("memory")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "memory", field)?;
        block.check_keys(&["request", "limit"]);
        let (request, limit) = (block.memory("request"), block.memory("limit"));
        for (key, given) in [("request", request), ("limit", limit)] {
            if given.is_none() && block.get(key).is_none() {
                block.missing(key, "memory { request = 32Mi  limit = 64Mi }");
            }
        }
        check_order("memory", request, limit, cx);
        let (request, limit) = (request?, limit?);
        return Some(match request.value == limit.value {
            true => Memory::Range {
                low: request,
                high: limit,
            },
            false => Memory::Burst { request, limit },
        });
    }
    let expr = cx.resolve(field.value(cx)?);
    let (low, high) = match &expr.kind {
        ExprKind::Range(ends) => {
            let (low, high) = (cx.memory(&ends.0), cx.memory(&ends.1));
            let origin = |end: &Expr| Origin {
                span: Some(end.span),
                ..field.origin
            };
            let low = Given {
                value: low?,
                origin: origin(&ends.0),
            };
            let high = Given {
                value: high?,
                origin: origin(&ends.1),
            };
            (low, high)
        }
        _ => {
            let value = field.given(cx.memory(expr)?);
            (value, value)
        }
    };
    if low.value > high.value {
        cx.report(errors::reversed_range(
            &low.value.to_string(),
            &high.value.to_string(),
            expr.span,
        ));
        return None;
    }
    if high.value.n == 0 {
        cx.report(errors::out_of_range("memory", "more than 0", expr.span));
        return None;
    }
    Some(Memory::Range { low, high })
}

/// A request may not be above its limit.
pub(super) fn check_order<'a>(
    what: &str,
    request: Option<Given<'a, Bytes>>,
    limit: Option<Given<'a, Bytes>>,
    cx: &Cx<'a>,
) {
    if let (Some(request), Some(limit)) = (request, limit)
        && request.value > limit.value
        && let (Some(first), Some(second)) = (request.origin.span, limit.origin.span)
    {
        let (low, high) = (request.value.to_string(), limit.value.to_string());
        cx.report(errors::request_above_limit(
            what, &low, &high, first, second,
        ));
    }
}

type CpuPair<'a> = (Given<'a, Cpu>, Option<Given<'a, Cpu>>);

/// CPU: the low end of a range is the request, the high end the limit.
pub(super) fn cpu<'a>(fields: &Fields<'_, 'a>) -> Option<CpuPair<'a>> {
    let cx = fields.cx;
    let field = fields.get("cpu")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "cpu", field)?;
        block.check_keys(&["request", "limit"]);
        let (request, limit) = (block.cpu("request"), block.cpu("limit"));
        if request.is_none() && limit.is_none() {
            block.missing("request", "cpu { request = 25m }");
        }
        if let (Some(request), Some(limit)) = (request, limit)
            && request.value.milli > limit.value.milli
            && let (Some(first), Some(second)) = (request.origin.span, limit.origin.span)
        {
            let (low, high) = (request.value.to_string(), limit.value.to_string());
            cx.report(errors::request_above_limit(
                "cpu", &low, &high, first, second,
            ));
        }
        return Some((request.or(limit)?, limit));
    }
    let expr = cx.resolve(field.value(cx)?);
    match &expr.kind {
        ExprKind::Range(ends) => {
            let (low, high) = (cx.cpu(&ends.0), cx.cpu(&ends.1));
            let (low, high) = (low?, high?);
            if low.milli > high.milli {
                cx.report(errors::reversed_range(
                    &low.to_string(),
                    &high.to_string(),
                    expr.span,
                ));
                return None;
            }
            Some((field.given(low), Some(field.given(high))))
        }
        _ => {
            let value = field.given(cx.cpu(expr)?);
            Some((value, Some(value)))
        }
    }
}

/// `replace`, `recreate`, `surge 1`, `surge 25%`.
pub(super) fn rollout<'a>(fields: &Fields<'_, 'a>) -> Option<Given<'a, Rollout>> {
    let cx = fields.cx;
    let field = fields.get("rollout")?;
    let value = field.value(cx)?;
    const KNOWN: [&str; 4] = ["replace", "recreate", "surge 1", "serial"];
    let rollout = match &value.kind {
        ExprKind::Tagged(tagged) if cx.word(tagged.0) == "surge" => {
            let number = cx.number(&tagged.1)?;
            match number.dim {
                Dim::Count if number.n > 0 && number.n <= 100_000 => Rollout::Surge(number.n),
                Dim::Percent if number.n > 0 && number.n <= 1000 => Rollout::SurgePercent(number.n),
                Dim::Count | Dim::Percent => {
                    cx.report(errors::out_of_range(
                        "surge",
                        "1 to 100000 pods or 1% to 1000%",
                        value.span,
                    ));
                    return None;
                }
                _ => {
                    cx.report(errors::wrong_dimension(
                        cx.text(value.span),
                        number,
                        Dim::Count,
                        value.span,
                    ));
                    return None;
                }
            }
        }
        ExprKind::Hole => return None,
        _ => match cx.text(value.span) {
            "replace" => Rollout::Replace,
            "recreate" => Rollout::Recreate,
            "serial" => Rollout::Serial,
            other => {
                cx.report(errors::not_one_of("rollout", other, value.span, &KNOWN));
                return None;
            }
        },
    };
    Some(field.given(rollout))
}

pub(super) fn configs<'a>(decls: &Decls<'_, 'a>) -> Vec<Config<'a>> {
    let cx = decls.cx;
    let mut configs = Vec::new();
    for decl in decls.of("config") {
        check_label(cx, "config", decl.name, decl.span);
        let Some(fields) = fields(decls, "config", decl) else {
            continue;
        };
        let mut data: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (key, span) in fields.keys() {
            let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if matches!(key, "" | "." | "..") || !key.chars().all(valid) {
                cx.report(errors::not_a_config_key(key, span));
                continue;
            }
            if data.iter().any(|(other, _)| other == key) {
                continue;
            }
            let Some(field) = fields.get(key) else {
                continue;
            };
            let Some(value) = field.value(cx).and_then(|value| plain_text(cx, value)) else {
                continue;
            };
            data.push((Cow::Borrowed(key), value));
        }
        data.sort();
        configs.push(Config {
            name: Spanned::new(decl.name, decl.span),
            data,
        });
    }
    configs
}

/// Declared and never used is never silent.
pub(super) fn check_unused<'a>(
    decls: &Decls<'_, 'a>,
    tiers: &[Tier<'a>],
    services: &[Service<'a>],
) {
    let cx = decls.cx;
    let from_library = |span: Span| cx.sources.is_library(span);
    let mut used = vec![false; tiers.len()];
    for tier in services.iter().filter_map(|service| service.tier) {
        used[tier] = true;
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
            cx.report(errors::unused("tier", tier.name.value, tier.name.span));
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
                EnvValue::Text(_) | EnvValue::Secret(..) => None,
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
            cx.report(errors::unused("config", decl.name, decl.span));
        }
    }
}
