//! Nodes, K3s, the components it packages, and budgets.

use std::borrow::Cow;

use super::decls::{Decl, Decls, fields};
use super::errors;
use super::layers::{Field, Fields, Layer};
use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{
    Budget, Component, Dim, Given, K3s, Node, Origin, Process, Role, Service, Setting,
    SettingValue, Tier, VolumeSource,
};
use crate::stdlib::{self, Flag};
use crate::syntax::ast::{Expr, ExprKind};

const NODE_KEYS: [&str; 11] = [
    "memory",
    "cpu",
    "reserve",
    "eviction-hard",
    "role",
    "overcommit",
    "max-pods",
    "k3s",
    "labels",
    "taints",
    "address",
];

const BUDGET_KEYS: [&str; 2] = ["tiers", "services"];

/// More pods than any node takes.
const MOST_PODS: u64 = 65_535;

/// The Kubernetes minors whose tables bzc has.
const MINORS: std::ops::RangeInclusive<u32> = 30..=36;
/// The minor that is taken when the program names no version: K3s's stable channel when the tables were made.
const STABLE_MINOR: u32 = 36;

/// What a node is in the cluster: a server, unless it says otherwise.
fn role_of(fields: &Fields<'_, '_>) -> Role {
    let Some(given) = fields.name("role") else {
        return Role::Server;
    };
    match given.value {
        "server" => Role::Server,
        "agent" => Role::Agent,
        other => {
            let span = given.origin.span.unwrap_or(fields.span);
            fields.cx.report(errors::not_one_of(
                "role",
                other,
                span,
                &["server", "agent"],
            ));
            Role::Server
        }
    }
}

pub(super) fn nodes<'a>(decls: &Decls<'_, 'a>) -> Vec<Node<'a>> {
    let all = decls
        .of("node")
        .filter_map(|decl| fields(decls, "node", decl));
    let servers = all.filter(|fields| role_of(fields) == Role::Server).count();
    decls
        .of("node")
        .filter_map(|decl| {
            let cx = decls.cx;
            let fields = fields(decls, "node", decl)?;
            fields.check_keys(&NODE_KEYS);
            super::service::check_label(cx, "node", decl.name, decl.span);
            let role = role_of(&fields);
            let cpu = fields.cpu("cpu");
            let reserve = fields.memory("reserve");
            let eviction = fields
                .memory("eviction-hard")
                .or_else(|| library_memory(decls, "node", "eviction-hard"));
            if let Some((given, span)) =
                eviction.and_then(|given| Some((given, given.origin.span?)))
                && given.value.n == 0
            {
                cx.report(errors::out_of_range(
                    "eviction-hard",
                    "more than 0: with 0 the kubelet does not start",
                    span,
                ));
            }
            let overcommit = fields.percent("overcommit");
            if let Some(given) = overcommit.filter(|given| given.value > 10_000) {
                cx.report(errors::out_of_range(
                    "overcommit",
                    "at most 10000%",
                    given.origin.span.unwrap_or(decl.span),
                ));
            }
            if let Some(given) = overcommit.filter(|given| given.value < 100) {
                cx.report(errors::overcommit_below_all(
                    given.value,
                    given.origin.span.unwrap_or(decl.span),
                ));
            }
            let max_pods = fields.count("max-pods").unwrap_or(Given {
                value: 110,
                origin: Origin::default("kubelet.max-pods"),
            });
            let Some(memory) = fields.memory("memory") else {
                if fields.get("memory").is_none() {
                    fields.missing("memory", "memory = 3800Mi");
                }
                return None;
            };
            Some(Node {
                name: Spanned::new(decl.name, decl.span),
                memory,
                cpu,
                reserve,
                eviction: eviction?,
                role,
                overcommit,
                max_pods,
                labels: super::pod::labels(&fields, "labels"),
                taints: super::placement::taints(&fields),
                address: fields.string("address").map(|given| given.value),
                process: process(decls, decl, role, servers)?,
                behind: decl.item.span.after(),
                // Known once K3s is: `settle_settings`.
                config: Vec::new(),
            })
        })
        .collect()
}

/// A figure of the library: `figures NAME { KEY = .. }` in `std/k3s.bz`.
fn library_memory<'a>(decls: &Decls<'_, 'a>, name: &str, key: &'a str) -> Option<Given<'a, Bytes>> {
    let decl = decls.get("figures", name)?;
    let items = &decl.item.body.as_ref()?.items;
    let layer = Layer {
        env: None,
        kind: "std",
        name: "k3s",
        items,
    };
    Fields::new(decls.cx, "figures", decl.span, vec![layer]).memory(key)
}

/// The keys of K3s that one node gives for itself, lowest first.
fn own_k3s_layers<'a>(decls: &Decls<'_, 'a>, node: Decl<'a>) -> Vec<Layer<'a>> {
    let cx = decls.cx;
    let mut layers = Vec::new();
    for layer in decls.layers("node", node.name, node.item) {
        for item in layer.items.iter().filter(|item| cx.key(item) == "k3s") {
            match &item.body {
                Some(body) => layers.push(Layer {
                    env: layer.env,
                    kind: "k3s",
                    name: node.name,
                    items: &body.items,
                }),
                None if item.is_hole() => {}
                None => cx.report(errors::value_for_block("k3s", item.key.span)),
            }
        }
    }
    layers
}

/// What K3s takes on a node: what the node says; what the program says of its servers, or of all where it has none;
/// the library's figure.
fn process<'a>(
    decls: &Decls<'_, 'a>,
    node: Decl<'a>,
    role: Role,
    servers: usize,
) -> Option<Process<'a>> {
    let (shared, own) = (k3s_layers(decls), own_k3s_layers(decls, node));
    let all = Fields::new(
        decls.cx,
        "k3s",
        node.span,
        shared.iter().chain(&own).copied().collect(),
    );
    let measured = match role {
        Role::Agent if servers > 0 => Fields::new(decls.cx, "k3s", node.span, own),
        Role::Agent | Role::Server => all.clone(),
    };
    let figures = match role {
        Role::Server if super::placement::has_etcd(servers, &all) => "server-with-etcd",
        Role::Server => "server",
        Role::Agent => "agent",
    };
    let figure = |key: &'a str| {
        measured
            .memory(key)
            .or_else(|| library_memory(decls, figures, key))
    };
    Some(Process {
        memory: figure("memory")?,
        containerd: figure("containerd")?,
        shim: figure("shim")?,
    })
}

/// `v1.33.3+k3s1` to 33; also `v1.33.3-rc1+k3s1`, and without the `v` or what follows the patch.
fn minor_of(version: &str) -> Option<u32> {
    let rest = version
        .strip_prefix('v')
        .unwrap_or(version)
        .strip_prefix("1.")?;
    let (minor, rest) = rest.split_once('.')?;
    let patch = rest.find(['-', '+']).map_or(rest, |end| &rest[..end]);
    let suffix = &rest[patch.len()..];
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(minor) && digits(patch) && plain(suffix))
        .then(|| minor.parse().ok())
        .flatten()
}

const OWN_K3S_KEYS: [&str; 5] = ["version", "memory", "containerd", "shim", "profile"];

/// What gives the keys of K3s on every node, lowest first: a profile, `k3s`, the environment.
fn k3s_layers<'a>(decls: &Decls<'_, 'a>) -> Vec<Layer<'a>> {
    let cx = decls.cx;
    let mut layers = Vec::new();
    for (env, item) in [(None, decls.k3s), (decls.env, decls.change("k3s", ""))] {
        let Some(item) = item else { continue };
        match &item.body {
            Some(body) => layers.push(Layer {
                env,
                kind: "k3s",
                name: "",
                items: &body.items,
            }),
            None if item.is_hole() => {}
            None => cx.report(errors::value_for_block("k3s", item.key.span)),
        }
    }
    let span = layers
        .first()
        .and_then(|layer| layer.items.first())
        .map_or(Span::default(), |item| item.span);
    let own = Fields::new(cx, "k3s", span, layers.clone());
    if let Some(profile) = own.name("profile") {
        let place = profile.origin.span.unwrap_or(span);
        let name = profile.value;
        match decls.get("profile", name) {
            Some(decl) => {
                if let Some(body) = &decl.item.body {
                    layers.insert(
                        0,
                        Layer {
                            env: None,
                            kind: "profile",
                            name,
                            items: &body.items,
                        },
                    );
                }
            }
            None => {
                let near = nearest(name, decls.of("profile").map(|decl| decl.name));
                cx.report(errors::unknown_profile(name, place, near));
            }
        }
    }
    layers
}

pub(super) fn k3s<'a>(decls: &Decls<'_, 'a>) -> Option<K3s<'a>> {
    let cx = decls.cx;
    let span = match decls.k3s {
        Some(item) => item.key.span,
        None => decls.of("node").next()?.span,
    };
    let fields = Fields::new(cx, "k3s", span, k3s_layers(decls));
    let version = version(&fields);
    let minor = version.map_or(STABLE_MINOR, |(_, minor)| minor);
    Some(K3s {
        version: version.map(|(given, _)| given),
        inside: decls.k3s.and_then(|item| {
            let open = item.body.as_ref()?.span;
            Some(Span {
                start: open.start + 1,
                end: open.start + 1,
                ..open
            })
        }),
        minor,
    })
}

fn version<'a>(fields: &Fields<'_, 'a>) -> Option<(Given<'a, &'a str>, u32)> {
    let given = fields.string("version")?;
    let Cow::Borrowed(text) = given.value else {
        return None;
    };
    let given = Given {
        value: text,
        origin: given.origin,
    };
    let span = given.origin.span.unwrap_or(fields.span);
    match minor_of(text) {
        Some(minor) if MINORS.contains(&minor) => Some((given, minor)),
        Some(minor) => {
            fields.cx.report(errors::unknown_minor(text, &MINORS, span));
            Some((given, minor.clamp(*MINORS.start(), *MINORS.end())))
        }
        None => {
            fields.cx.report(errors::not_a_version(text, span));
            None
        }
    }
}

/// The keys of config.yaml of a node, each checked against the table of this minor. Sorted by key. `for_others` are
/// those that the program gives for all nodes where some have the other role.
fn settings<'a>(
    fields: &Fields<'_, 'a>,
    minor: u32,
    role: Role,
    for_others: &[&str],
) -> Vec<Setting<'a>> {
    let cx = fields.cx;
    let mut settings: Vec<Setting<'a>> = Vec::new();
    for (key, span) in fields.keys() {
        if OWN_K3S_KEYS.contains(&key) || settings.iter().any(|setting| setting.key == key) {
            continue;
        }
        let Some(flag) = stdlib::flag(key) else {
            let known = stdlib::flags()
                .filter(|flag| flag.status != "removed")
                .map(|flag| flag.key);
            let near = nearest(key, known.chain(OWN_K3S_KEYS));
            cx.report(errors::unknown_flag(key, span, near));
            continue;
        };
        if for_others.contains(&key) && wrong_role(&flag, role).is_some() {
            continue;
        }
        if !flag_is_there(fields, &flag, minor, role, span) {
            continue;
        }
        if let Some(value) = setting(fields, key, &flag) {
            settings.push(Setting { key, value });
        }
    }
    settings.sort_by_key(|setting| setting.key);
    settings
}

/// The keys of config.yaml of every node: those all have, and its own over them.
pub(super) fn settle_settings<'a>(decls: &Decls<'_, 'a>, k3s: &K3s<'a>, nodes: &mut [Node<'a>]) {
    let cx = decls.cx;
    let mixed = nodes.iter().any(|node| node.role != nodes[0].role);
    for node in nodes {
        let mut layers = k3s_layers(decls);
        let shared: Vec<&str> = layers
            .iter()
            .flat_map(|layer| layer.items)
            .map(|item| cx.key(item))
            .collect();
        let own = decls
            .get("node", node.name.value)
            .map(|decl| own_k3s_layers(decls, decl))
            .unwrap_or_default();
        for item in own.iter().flat_map(|layer| layer.items) {
            let key = cx.key(item);
            // What the whole cluster runs is one for all nodes.
            if matches!(key, "version" | "profile") {
                cx.report(errors::own_key_in_node(key, item.key.span));
            }
        }
        let given = |key: &&str| {
            own.iter()
                .flat_map(|layer| layer.items)
                .any(|item| cx.key(item) == *key)
        };
        let for_others: Vec<&str> = shared
            .into_iter()
            .filter(|key| mixed && !given(key))
            .collect();
        layers.extend(own.iter().copied());
        let fields = Fields::new(cx, "k3s", node.name.span, layers);
        node.config = settings(&fields, k3s.minor, node.role, &for_others);
        take_max_pods(decls, node);
    }
}

/// `max-pods` as an argument of the kubelet counts as that of the node.
fn take_max_pods<'a>(decls: &Decls<'_, 'a>, node: &mut Node<'a>) {
    let arguments = node
        .config
        .iter()
        .filter_map(|setting| match &setting.value {
            SettingValue::Arguments(arguments) if setting.key == "kubelet-arg" => Some(arguments),
            _ => None,
        });
    let is_max_pods = |name: &str| name.trim_end_matches(['+', '-']) == "max-pods";
    let Some((name, value)) = arguments
        .flatten()
        .find(|(name, _)| is_max_pods(name.value))
    else {
        return;
    };
    if let Some(span) = node.max_pods.origin.span {
        decls
            .cx
            .report(errors::given_twice("max-pods", span, name.span));
        return;
    }
    match value.parse() {
        Ok(value) if value <= MOST_PODS => {
            let origin = Origin {
                env: None,
                kind: "k3s",
                name: "kubelet-arg",
                key: "max-pods",
                span: Some(name.span),
            };
            node.max_pods = Given { value, origin };
        }
        Ok(_) | Err(_) => {
            decls
                .cx
                .report(errors::out_of_range("max-pods", "0 to 65535", name.span))
        }
    }
}

/// The role in which K3s does not take the key, if it is this one.
fn wrong_role(flag: &Flag, role: Role) -> Option<&'static str> {
    match (flag.scope, role) {
        ("server", Role::Agent) => Some("agent"),
        ("agent", Role::Server) => Some("server"),
        _ => None,
    }
}

/// Whether K3s of this minor takes the key in this role; reports where it does not.
fn flag_is_there(fields: &Fields<'_, '_>, flag: &Flag, minor: u32, role: Role, span: Span) -> bool {
    let cx = fields.cx;
    if flag.status == "removed" {
        cx.report(errors::removed_flag(flag, span));
        return false;
    }
    if let Some(since) = flag.since.filter(|since| minor < *since) {
        cx.report(errors::flag_too_new(flag, since, minor, span));
        return false;
    }
    if let Some(role) = wrong_role(flag, role) {
        cx.report(errors::flag_of_other_role(flag, role, span));
        return false;
    }
    if flag.status == "deprecated" {
        cx.report(errors::deprecated_flag(flag, span));
    }
    true
}

fn setting<'a>(fields: &Fields<'_, 'a>, key: &'a str, flag: &Flag) -> Option<SettingValue<'a>> {
    let cx = fields.cx;
    if key.ends_with("-arg") {
        return Some(SettingValue::Arguments(arguments(fields, key)));
    }
    let field = fields.get(key)?;
    let value = field.value(cx)?;
    match flag.kind {
        "bool" => fields.flag(key).map(SettingValue::Bool),
        "int" => cx.count(value).map(SettingValue::Int),
        "duration" => match cx.resolve(value).kind {
            ExprKind::Text => cx.string(value).map(SettingValue::Text),
            _ => cx
                .duration(value)
                .map(|duration| SettingValue::Text(written_or(cx.text(value.span), duration))),
        },
        "list" => {
            let list = cx.list(value)?;
            let texts = list.iter().filter_map(|value| {
                let text = word_or_text(fields, value, flag)?;
                Some(Spanned::new(text, value.span))
            });
            Some(SettingValue::List(texts.collect()))
        }
        _ => word_or_text(fields, value, flag).map(SettingValue::Text),
    }
}

/// A duration as it was written where that is how Go writes one, else spelled out.
fn written_or(text: &str, duration: Millis) -> Cow<'_, str> {
    let go_spells_it_so = text.ends_with(['s', 'h', 'm']);
    match go_spells_it_so
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    {
        true => Cow::Borrowed(text),
        false => Cow::Owned(duration.to_string()),
    }
}

/// A text; where K3s takes one of a closed set, a bare name of that set.
fn word_or_text<'a>(fields: &Fields<'_, 'a>, value: &'a Expr, flag: &Flag) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let value = cx.resolve(value);
    if let ExprKind::Text = value.kind
        && cx
            .text_literal(value.span)
            .is_some_and(|text| text.trim() != text)
    {
        cx.report(errors::trimmed(flag.key, value.span));
    }
    let text = match (&value.kind, flag.values) {
        (ExprKind::Path, Some(_)) => Cow::Borrowed(cx.text(value.span)),
        (ExprKind::Number, _) => {
            cx.report(errors::number_for_text(
                flag.key,
                cx.text(value.span),
                value.span,
            ));
            return None;
        }
        _ => cx.string(value)?,
    };
    if let Some(values) = flag.values {
        let known: Vec<&str> = values.split('|').collect();
        let open = known
            .iter()
            .any(|value| value.contains(' ') || value.contains('.'));
        if !open && !known.contains(&text.as_ref()) {
            cx.report(errors::not_one_of(flag.key, &text, value.span, &known));
            return None;
        }
    }
    Some(text)
}

/// Arguments of the kubelet that bzc computes or that could void what it proves, and what to write instead.
const COMPUTED: [(&str, &str); 8] = [
    (
        "kube-reserved",
        "set `memory`, `containerd` or `shim` in `k3s`",
    ),
    ("system-reserved", "set `reserve` in the node"),
    ("eviction-hard", "set `eviction-hard` in the node"),
    (
        "enforce-node-allocatable",
        "leave it out: without it pods are not held to what they may take",
    ),
    (
        "cgroups-per-qos",
        "leave it out: without it pods are not held to what they may take",
    ),
    (
        "cgroup-root",
        "leave it out: the reserve counts for the whole machine",
    ),
    (
        "config",
        "leave it out: a file could say otherwise, and K3s keeps a copy of it",
    ),
    (
        "config-dir",
        "leave it out: a file could say otherwise, and K3s keeps a copy of it",
    ),
];

/// The arguments of one component, sorted.
fn arguments<'a>(fields: &Fields<'_, 'a>, key: &'a str) -> Vec<(Spanned<&'a str>, Cow<'a, str>)> {
    let cx = fields.cx;
    let component = key.strip_suffix("-arg").unwrap_or(key);
    let mut arguments: Vec<(Spanned<&'a str>, Cow<'a, str>)> = Vec::new();
    for entry in fields.entries(key) {
        let written = cx.key(entry.item);
        let span = entry.item.key.span;
        let name = written.trim_start_matches('-');
        // `name+` and `name-` add to K3s's own value instead of replacing it.
        let base = name.trim_end_matches(['+', '-']);
        if base.is_empty()
            || !base
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            cx.report(errors::not_an_argument(name, span));
            continue;
        }
        if let Some((_, instead)) = COMPUTED
            .iter()
            .find(|(arg, _)| component == "kubelet" && *arg == base)
        {
            cx.report(errors::computed_argument(base, instead, span));
            continue;
        }
        if let Some((first, _)) = arguments.iter().find(|(other, _)| other.value == name) {
            cx.report(errors::given_twice(name, first.span, span));
            continue;
        }
        let row = stdlib::argument(component, base);
        if row.is_some_and(|row| row.status == "removed") {
            cx.report(errors::removed_argument(component, base, span));
        }
        if stdlib::arguments().any(|row| row.component == component) && row.is_none() {
            let known = stdlib::arguments()
                .filter(|row| row.component == component)
                .map(|row| row.name);
            cx.report(errors::unknown_argument(
                component,
                base,
                span,
                nearest(base, known),
            ));
        }
        let Some(value) = entry
            .value(cx)
            .and_then(|value| argument_value(fields, value))
        else {
            continue;
        };
        arguments.push((Spanned::new(name, span), value));
    }
    arguments.sort_by_key(|(name, _)| name.value);
    arguments
}

/// A value of an argument, which is text to K3s: literals as they were written, computed numbers printed.
fn argument_value<'a>(fields: &Fields<'_, 'a>, value: &'a Expr) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let value = cx.resolve(value);
    match &value.kind {
        ExprKind::Number => {
            let number = cx.number(value)?;
            let text = cx.text(value.span);
            Some(match number.dim {
                Dim::Duration => written_or(text, Millis(number.n)),
                _ => Cow::Borrowed(text),
            })
        }
        ExprKind::Text => cx.string(value),
        ExprKind::Path => Some(Cow::Borrowed(cx.text(value.span))),
        ExprKind::Hole => None,
        ExprKind::List(_) | ExprKind::Range(_) | ExprKind::Reference(_) | ExprKind::Tagged(..) => {
            cx.report(errors::not_a_text(
                value.span,
                super::cx::described(value),
                cx.text(value.span),
            ));
            None
        }
        ExprKind::Negative(_) | ExprKind::Binary(..) | ExprKind::Call(..) => {
            let number = cx.number(value)?;
            Some(Cow::Owned(match number.dim {
                Dim::Memory => Bytes::with_unit(number.n, number.unit).to_string(),
                Dim::Cpu => Cpu::milli(number.n).to_string(),
                Dim::Duration => Millis(number.n).to_string(),
                Dim::Percent => format!("{}%", number.n),
                Dim::Count | Dim::Decimal => number.n.to_string(),
            }))
        }
    }
}

/// Request and limit of a `memory { request = .. limit = .. }` or `memory = 48Mi`.
fn request_and_limit<'a>(
    fields: &Fields<'_, 'a>,
) -> Option<(Given<'a, Bytes>, Option<Given<'a, Bytes>>)> {
    let cx = fields.cx;
    let field = fields.get("memory")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "memory", field)?;
        block.check_keys(&["request", "limit"]);
        let (request, limit) = (block.memory("request"), block.memory("limit"));
        super::service::check_order("memory", request, limit, cx);
        return Some((request.or(limit)?, limit));
    }
    let value = cx.memory(field.value(cx)?)?;
    Some((field.given(value), Some(field.given(value))))
}

/// The components that can be changed so that it lasts: CoreDNS by a manifest beside an empty `coredns.yaml.skip`,
/// Traefik by the HelmChartConfig that K3s lays over its chart (k3s-io/docs, add-ons/helm).
const KEPT: [&str; 2] = ["coredns", "traefik"];

/// The components of this K3s that are not disabled, with what the program changes of them.
pub(super) fn components<'a>(decls: &Decls<'_, 'a>, nodes: &[Node<'a>]) -> Vec<Component<'a>> {
    let cx = decls.cx;
    // Every server brings what it does not disable: only what all of them disable is not there.
    let disables = |node: &Node<'a>| match node.setting("disable") {
        Some(SettingValue::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let servers = || nodes.iter().filter(|node| node.role == Role::Server);
    let without_helm = |node: &Node<'a>| {
        matches!(
            node.setting("disable-helm-controller"),
            Some(SettingValue::Bool(true))
        )
    };
    let mut disabled: Vec<Spanned<Cow<'a, str>>> =
        servers().next().map(disables).unwrap_or_default();
    for server in servers().skip(1) {
        let also = disables(server);
        disabled.retain(|item| also.iter().any(|other| other.value == item.value));
    }
    let agents_only = servers().next().is_none();
    let mut components = Vec::new();
    for decl in decls.packaged.values() {
        let Some(body) = &decl.item.body else {
            continue;
        };
        let layer = Layer {
            env: None,
            kind: "std",
            name: decl.name,
            items: &body.items,
        };
        let stock = Fields::new(cx, "component", decl.span, vec![layer]);
        let switches = stock.names("disable").unwrap_or_default();
        let off = disabled
            .iter()
            .find(|item| switches.iter().any(|(switch, _)| *switch == item.value));
        let own = decls.get("component", decl.name);
        if let Some(off) = off {
            if let Some(own) = own {
                cx.report(errors::component_disabled(own.name, own.span, off.span));
            }
            continue;
        }
        let changed = own.and_then(|own| fields(decls, "component", own));
        if let (Some(own), true) = (own, agents_only) {
            cx.report(errors::component_on_agent(own.name, own.span));
            continue;
        }
        if let (Some(changed), Some(own)) = (&changed, own) {
            changed.check_keys(&["memory", "cpu"]);
            if !KEPT.contains(&decl.name) {
                cx.report(errors::component_fixed(own.name, own.span));
            } else if let (true, "traefik") = (servers().any(without_helm), decl.name) {
                cx.report(errors::component_without_helm(own.name, own.span));
            }
        }
        if !KEPT.contains(&decl.name) && own.is_some() {
            continue;
        }
        let stock_memory = request_and_limit(&stock);
        let stock_cpu = super::service::cpu(&stock);
        // What bzc writes itself has a limit; a request alone is that too.
        let own_memory = changed.as_ref().and_then(request_and_limit);
        let own_memory = own_memory.map(|(request, limit)| (request, limit.or(Some(request))));
        let memory = own_memory.or(stock_memory);
        let cpu = changed.as_ref().and_then(super::service::cpu).or(stock_cpu);
        let pods = stock.count("pods").map_or(1, |given| given.value);
        let owned = changed.is_some();
        components.push(Component {
            name: decl.name,
            span: own.map(|own| own.span),
            memory,
            bound: stock.memory("bound"),
            cpu,
            containers: stock.count("containers").map_or(1, |given| given.value),
            pods,
            // A manifest of bzc's own recreates its pod, so that no second one overlaps it. A chart is rolled out.
            transient: if owned && decl.name == "coredns" {
                0
            } else {
                stock.count("transient").map_or(0, |given| given.value)
            },
            every_node: stock.flag("every-node") == Some(true),
            owned,
            foreign: false,
        });
    }
    for own in decls.of("component") {
        if !decls.packaged.contains_key(own.name) {
            let near = nearest(own.name, decls.packaged.keys().copied());
            cx.report(errors::unknown_name("component", own.name, own.span, near));
        }
    }
    components
}

/// `others NAME { pods = 3  memory = 64Mi }`: pods of somebody else, which take that much each and no more.
pub(super) fn others<'a>(decls: &Decls<'_, 'a>) -> Vec<Component<'a>> {
    let read = |decl: Decl<'a>| {
        let fields = fields(decls, "others", decl)?;
        fields.check_keys(&["pods", "memory", "cpu", "every-node"]);
        if decls.packaged.contains_key(decl.name) {
            decls.cx.report(errors::others_of_k3s(decl.name, decl.span));
        }
        let memory = request_and_limit(&fields);
        if memory.is_none() && fields.get("memory").is_none() {
            fields.missing("memory", "memory = 64Mi");
        }
        let (request, limit) = memory?;
        let pods = fields.count("pods").map_or(1, |given| given.value);
        if pods > MOST_PODS {
            decls
                .cx
                .report(errors::out_of_range("pods", "0 to 65535", decl.span));
        }
        Some(Component {
            name: decl.name,
            span: Some(decl.span),
            memory: Some((request, limit.or(Some(request)))),
            bound: None,
            cpu: super::service::cpu(&fields),
            containers: 1,
            pods,
            // How they are replaced nobody said: as many may be on their way out.
            transient: pods,
            every_node: fields.flag("every-node") == Some(true),
            owned: false,
            foreign: true,
        })
    };
    decls.of("others").filter_map(read).collect()
}

/// A claim without a class is K3s's local storage, and where that is disabled it waits for ever.
pub(super) fn check_storage<'a>(
    decls: &Decls<'_, 'a>,
    components: &[Component<'a>],
    services: &[Service<'a>],
) {
    if components
        .iter()
        .any(|component| component.name == "local-path-provisioner")
    {
        return;
    }
    for (service, volume) in services
        .iter()
        .flat_map(|service| service.pod.volumes.iter().map(move |v| (service, v)))
    {
        if let VolumeSource::Storage(_, None) = volume.source {
            decls.cx.report(errors::storage_without_provider(
                service.name.value,
                volume.name.span,
            ));
        }
    }
}

/// With Traefik and K3s's load balancer on, two ports of every node are taken.
pub(super) fn check_host_ports<'a>(
    decls: &Decls<'_, 'a>,
    components: &[Component<'a>],
    services: &[Service<'a>],
) {
    if components
        .iter()
        .all(|component| component.name != "svclb-traefik")
    {
        return;
    }
    for port in services
        .iter()
        .flat_map(|service| &service.ports)
        .filter(|port| !port.udp)
        .filter_map(|port| port.host_port)
    {
        if port.value == 80 || port.value == 443 {
            decls
                .cx
                .report(errors::host_port_of_traefik(port.value, port.span));
        }
    }
}

pub(super) fn budgets<'a>(
    decls: &Decls<'_, 'a>,
    services: &[Service<'a>],
    tiers: &[Tier<'a>],
) -> Vec<Budget<'a>> {
    let cx = decls.cx;
    let mut budgets = Vec::new();
    for decl in decls.of("budget") {
        let Some(ceiling) = ceiling(decls, decl.name, decl.item, decl.span) else {
            continue;
        };
        let layers = decls.layers("budget", decl.name, decl.item);
        let fields = Fields::new(cx, "budget", decl.span, layers);
        fields.check_keys(&BUDGET_KEYS);
        let tier_names = fields.names("tiers");
        let service_names = fields.names("services");
        let mut members = (tier_names.is_some() || service_names.is_some()).then(Vec::new);
        for (name, span) in tier_names.unwrap_or_default() {
            let Some(tier) = decls.index("tier", name, span) else {
                continue;
            };
            debug_assert!(tier < tiers.len(), "every declared tier has its place");
            let of_tier = services
                .iter()
                .enumerate()
                .filter(|(_, service)| service.tier == Some(tier));
            members
                .iter_mut()
                .for_each(|members| members.extend(of_tier.clone().map(|(index, _)| index)));
        }
        for (name, span) in service_names.unwrap_or_default() {
            let found = services
                .iter()
                .position(|service| service.name.value == name);
            if !decls.has_workload(name) && found.is_none() {
                decls.index("service", name, span);
            }
            members.iter_mut().for_each(|members| members.extend(found));
        }
        if let Some(members) = &mut members {
            members.sort_unstable();
            members.dedup();
        }
        budgets.push(Budget {
            name: Spanned::new(decl.name, decl.span),
            ceiling,
            members,
        });
    }
    budgets
}

/// `budget platform = 800Mi`, and what the environment makes of it.
fn ceiling<'a>(
    decls: &Decls<'_, 'a>,
    name: &'a str,
    item: &'a crate::syntax::ast::Item,
    span: Span,
) -> Option<Given<'a, Bytes>> {
    let cx = decls.cx;
    let mut ceiling = None;
    for (env, item) in [
        (None, Some(item)),
        (decls.env, decls.change("budget", name)),
    ] {
        let Some(item) = item else { continue };
        let Some(value) = &item.value else { continue };
        let origin = Origin {
            env,
            kind: "budget",
            name,
            key: "",
            span: Some(value.span),
        };
        let field = Field { item, origin };
        match (ceiling, item.overriding) {
            (Some(_), None) if env.is_some() => {
                let lower = Field {
                    item: decls.get("budget", name)?.item,
                    origin,
                };
                cx.report(errors::override_missing("budget", item, &lower));
            }
            (None, Some(word)) => {
                cx.report(errors::overrides_nothing("budget", item.key.span, word))
            }
            _ => {}
        }
        if matches!(value.kind, ExprKind::Hole) {
            return None;
        }
        if let Some(bytes) = cx.memory(value) {
            ceiling = Some(field.given(bytes));
        }
    }
    if ceiling.is_none() && item.value.is_none() {
        cx.report(errors::malformed(
            "budget",
            &format!("budget {name} = 800Mi"),
            span,
        ));
    }
    ceiling
}
