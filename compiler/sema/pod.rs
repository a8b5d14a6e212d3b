//! What belongs to a service's pod and not to the proof: ports, environment, probes, volumes, labels.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::cx::Cx;
use super::decls::Decls;
use super::errors;
use super::layers::Fields;
use super::service::check_label;
use crate::base::quantity::Millis;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{
    EnvValue, Kind, Node, Pod, Port, Probe, ProbeAction, ProbeKind, Role, Service, SettingValue,
    Volume, VolumeSource,
};
use crate::syntax::ast::{Expr, ExprKind, Reference, Word, WordShape};

const PROBE_KEYS: [&str; 8] = [
    "path", "port", "tcp", "exec", "delay", "period", "timeout", "failures",
];
const VOLUME_KEYS: [&str; 10] = [
    "path",
    "claim",
    "config",
    "secret",
    "disk",
    "memory",
    "host",
    "storage",
    "class",
    "read-only",
];

/// A number of a port. `None` with a report where it is none.
fn port_number<'a>(cx: &Cx<'a>, expr: &'a Expr) -> Option<Spanned<u16>> {
    let number = cx.count(expr)?;
    match u16::try_from(number) {
        Ok(port) if port > 0 => Some(Spanned::new(port, expr.span)),
        _ => {
            cx.report(errors::out_of_range("port", "1 to 65535", expr.span));
            None
        }
    }
}

/// Kubernetes' default range of node ports.
const NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

pub(super) fn ports<'a>(fields: &Fields<'_, 'a>) -> Vec<Port<'a>> {
    let cx = fields.cx;
    let outer = |key: &'a str| {
        fields
            .get(key)
            .and_then(|field| port_number(cx, field.value(cx)?))
    };
    let (node_port, host_port) = (outer("node-port"), outer("host-port"));
    let mut ports = Vec::new();
    if let Some(field) = fields.get("port") {
        if let Some(number) = field.value(cx).and_then(|value| port_number(cx, value)) {
            ports.push(Port {
                name: "http",
                number,
                node_port,
                host_port,
                udp: false,
            });
        }
    } else if let Some(port) = node_port.or(host_port) {
        cx.report(errors::port_without_port(port.span));
    }
    for entry in if fields.get("ports").is_some() {
        fields.entries("ports")
    } else {
        Vec::new()
    } {
        let name = cx.key(entry.item);
        let span = entry.item.key.span;
        if name.len() > 15 {
            cx.report(errors::not_a_label(
                "port",
                name,
                "it is longer than 15 characters",
                span,
            ));
        } else if name.contains("--") {
            cx.report(errors::not_a_label(
                "port",
                name,
                "it has two hyphens in a row",
                span,
            ));
        } else {
            check_label(cx, "port", name, span);
        }
        if let Some(other) = ports.iter().find(|port: &&Port<'_>| port.name == name) {
            cx.report(errors::given_twice(name, other.number.span, span));
            continue;
        }
        let mut port = None;
        if entry.item.body.is_some() {
            let Some(block) = Fields::of_body(cx, "port", entry) else {
                continue;
            };
            block.check_keys(&["port", "node-port", "host-port", "udp"]);
            let inner = |key: &'a str| {
                block
                    .get(key)
                    .and_then(|field| port_number(cx, field.value(cx)?))
            };
            let (number, node_port, host_port) =
                (inner("port"), inner("node-port"), inner("host-port"));
            if number.is_none() && block.get("port").is_none() {
                block.missing("port", "http { port = 8080  node-port = 30080 }");
            }
            let udp = block.flag("udp").unwrap_or_default();
            port = number.map(|number| Port {
                name,
                number,
                node_port,
                host_port,
                udp,
            });
        } else if let Some(number) = entry.value(cx).and_then(|value| port_number(cx, value)) {
            port = Some(Port {
                name,
                number,
                node_port: None,
                host_port: None,
                udp: false,
            });
        }
        if let Some(port) = port {
            let clash = |other: &&Port<'_>| {
                other.number.value == port.number.value && other.udp == port.udp
            };
            if let Some(other) = ports.iter().find(clash) {
                cx.report(errors::same_port(
                    "container port",
                    port.number.value,
                    other.number.span,
                    port.number.span,
                ));
            }
            ports.push(port);
        }
    }
    ports
}

/// The node ports that a cluster takes: what its first server says, or Kubernetes' default. `None` where the setting
/// is written in a form that only K3s reads.
fn node_ports(nodes: &[Node<'_>]) -> Option<RangeInclusive<u16>> {
    const KEY: &str = "service-node-port-range";
    let server = nodes.iter().find(|node| node.role == Role::Server);
    let argument = |node: &Node<'_>| match node.setting("kube-apiserver-arg")? {
        SettingValue::Arguments(arguments) => arguments
            .iter()
            .find(|(name, _)| name.value == KEY)
            .map(|(_, value)| value.to_string()),
        _ => None,
    };
    let set = server.and_then(|node| match node.setting(KEY) {
        Some(SettingValue::Text(range)) => Some(range.to_string()),
        Some(_) => Some(String::new()),
        None => argument(node),
    });
    let Some(range) = set else {
        return Some(NODE_PORTS);
    };
    let (low, high) = range.split_once('-')?;
    Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
}

/// A node port is one that the cluster takes (Kubernetes, `--service-node-port-range`).
pub(super) fn check_node_ports(cx: &Cx<'_>, nodes: &[Node<'_>], services: &[Service<'_>]) {
    let Some(range) = node_ports(nodes) else {
        return;
    };
    let ports = services
        .iter()
        .flat_map(|service| &service.ports)
        .filter_map(|port| port.node_port);
    // A header of several names gives each the same port.
    let outside: BTreeSet<Span> = ports
        .filter(|port| !range.contains(&port.value))
        .map(|port| port.span)
        .collect();
    for span in outside {
        cx.report(errors::out_of_range(
            "node-port",
            &format!("{} to {}", range.start(), range.end()),
            span,
        ));
    }
}

/// Two services may share a container port; a port of the node belongs to one.
pub(super) fn check_shared_ports(cx: &Cx<'_>, services: &[Service<'_>]) {
    let mut taken: BTreeMap<(&str, u16, bool), Span> = BTreeMap::new();
    let ports = services.iter().flat_map(|service| &service.ports);
    for port in ports {
        let both = [("node port", port.node_port), ("host port", port.host_port)];
        for (kind, number) in both
            .into_iter()
            .filter_map(|(kind, number)| Some((kind, number?)))
        {
            match taken.get(&(kind, number.value, port.udp)) {
                Some(first) => {
                    cx.report(errors::same_port(kind, number.value, *first, number.span))
                }
                None => {
                    taken.insert((kind, number.value, port.udp), number.span);
                }
            }
        }
    }
}

pub(super) fn pod<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    ports: &[Port<'a>],
    kind: &Kind<'a>,
) -> Pod<'a> {
    let cx = decls.cx;
    let names = |key: &'static str, what: &'static str| -> Vec<&'a str> {
        let found = fields.names(key).unwrap_or_default();
        found
            .iter()
            .for_each(|(name, span)| check_label(cx, what, name, *span));
        found.into_iter().map(|(name, _)| name).collect()
    };
    let service_account = fields.name("service-account");
    if let Some((given, span)) = service_account.and_then(|given| Some((given, given.origin.span?)))
    {
        check_label(cx, "service account", given.value, span);
    }
    let configs = fields.names("configs").unwrap_or_default();
    for (name, span) in &configs {
        decls.index("config", name, *span);
    }
    let user = fields.count("user");
    if let Some((given, span)) = user.and_then(|given| Some((given, given.origin.span?)))
        && given.value > 2_147_483_647
    {
        cx.report(errors::too_large_user(span));
    }
    Pod {
        env: env(decls, fields),
        configs: configs.into_iter().map(|(name, _)| name).collect(),
        secrets: names("secrets", "Secret"),
        command: fields.strings("command").unwrap_or_default(),
        args: fields.strings("args").unwrap_or_default(),
        probes: if kind.ends() {
            Vec::new()
        } else {
            probes(fields, ports)
        },
        volumes: volumes(decls, fields, kind),
        place: super::placement::place(decls, fields, kind),
        labels: labels(fields, "labels"),
        annotations: annotations(fields),
        grace: whole_seconds(fields, "grace"),
        service_account: service_account.map(|given| given.value),
        pull_secrets: names("pull-secrets", "Secret"),
        user: user.map(|given| given.value),
    }
}

/// A block of the user's own keys with texts.
fn texts<'a>(fields: &Fields<'_, 'a>, key: &'static str) -> Vec<(&'a str, Cow<'a, str>)> {
    let cx = fields.cx;
    if fields.get(key).is_none() {
        return Vec::new();
    }
    let texts = fields.entries(key).into_iter().filter_map(|entry| {
        let value = plain_text(cx, entry.value(cx)?)?;
        Some((cx.key(entry.item), value))
    });
    texts.collect()
}

/// What Kubernetes calls a qualified name, without its prefix: the name of a label or an annotation.
fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Annotations, as Kubernetes takes them.
fn annotations<'a>(fields: &Fields<'_, 'a>) -> Vec<(&'a str, Cow<'a, str>)> {
    let annotations = texts(fields, "annotations");
    for (key, _) in &annotations {
        if !is_name(key.rsplit('/').next().unwrap_or(key)) {
            let place = fields
                .get("annotations")
                .and_then(|field| field.origin.span)
                .unwrap_or(fields.span);
            fields.cx.report(errors::label(
                key,
                "its name is not letters, digits, `-`, `_` and `.`",
                place,
            ));
        }
    }
    annotations
}

/// Labels, as Kubernetes takes them.
pub(super) fn labels<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
) -> Vec<(&'a str, Cow<'a, str>)> {
    let labels = texts(fields, key);
    let Some(place) = fields
        .get(key)
        .and_then(|field| field.origin.span)
        .filter(|_| !labels.is_empty())
    else {
        return labels;
    };
    for (key, value) in &labels {
        let name = key.rsplit('/').next().unwrap_or(key);
        if [
            "app.kubernetes.io/name",
            "app.kubernetes.io/managed-by",
            "app.kubernetes.io/part-of",
        ]
        .contains(key)
        {
            fields.cx.report(errors::label(key, "bzc sets it", place));
        } else if !is_name(name) {
            fields.cx.report(errors::label(
                key,
                "its name is not letters, digits, `-`, `_` and `.`",
                place,
            ));
        } else if !value.is_empty() && !is_name(value) {
            fields.cx.report(errors::label(
                key,
                "its value is not letters, digits, `-`, `_` and `.`, 63 at most",
                place,
            ));
        }
    }
    labels
}

/// A value where Kubernetes wants text: a text, or a literal or bare word as it was written.
pub(super) fn plain_text<'a>(cx: &Cx<'a>, expr: &'a Expr) -> Option<Cow<'a, str>> {
    let value = cx.resolve(expr);
    match value.kind {
        ExprKind::Number => Some(Cow::Borrowed(cx.text(value.span))),
        ExprKind::Path if matches!(cx.text(value.span), "true" | "false") => {
            Some(Cow::Borrowed(cx.text(value.span)))
        }
        _ => cx.string(value),
    }
}

pub(super) fn env<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
) -> Vec<(Spanned<&'a str>, EnvValue<'a>)> {
    let cx = decls.cx;
    let mut variables = Vec::new();
    if !fields.has("env") {
        return variables;
    }
    for entry in fields.entries("env") {
        let name = cx.key(entry.item);
        let span = entry.item.key.span;
        // Before Kubernetes 1.34 a name is letters, digits, `-`, `_` and `.`, and begins with none of the digits.
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty()
            || !name.chars().all(inner)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            cx.report(errors::not_a_variable(name, span));
            continue;
        }
        let Some(value) = entry.value(cx) else {
            continue;
        };
        let value = match &value.kind {
            ExprKind::Reference(reference) => {
                let Reference { kind, name, key } = reference.as_ref();
                let key = word_text(cx, *key);
                match cx.word(*kind) {
                    "secret" => {
                        check_label(cx, "Secret", cx.word(*name), name.span);
                        EnvValue::Secret(cx.word(*name), key)
                    }
                    "config" => {
                        check_config_key(decls, *name, &key, value.span);
                        EnvValue::Config(cx.word(*name), key)
                    }
                    other => {
                        cx.report(errors::not_one_of(
                            "a reference",
                            other,
                            kind.span,
                            &["secret", "config"],
                        ));
                        continue;
                    }
                }
            }
            _ => match plain_text(cx, value) {
                Some(text) => EnvValue::Text(text),
                None => continue,
            },
        };
        variables.push((Spanned::new(name, span), value));
    }
    variables
}

fn word_text<'a>(cx: &Cx<'a>, word: Word) -> Cow<'a, str> {
    match word.shape {
        WordShape::Quoted => cx.text_literal(word.span).unwrap_or_default(),
        WordShape::Bare | WordShape::Joined => Cow::Borrowed(cx.word(word)),
    }
}

/// A reference to a ConfigMap of the program names a key that it has.
fn check_config_key<'a>(decls: &Decls<'_, 'a>, name: Word, key: &str, span: Span) {
    let cx = decls.cx;
    let text = cx.word(name);
    if decls.index("config", text, name.span).is_none() {
        return;
    }
    let Some(decl) = decls.get("config", text) else {
        return;
    };
    let Some(body) = &decl.item.body else { return };
    let keys: Vec<&str> = body.items.iter().map(|item| cx.key(item)).collect();
    if !keys.contains(&key) {
        cx.report(errors::unknown_config_key(
            text,
            key,
            span,
            nearest(key, keys.iter().copied()),
        ));
    }
}

fn probes<'a>(fields: &Fields<'_, 'a>, ports: &[Port<'a>]) -> Vec<Probe<'a>> {
    let kinds = [
        ("readiness", ProbeKind::Readiness),
        ("liveness", ProbeKind::Liveness),
        ("startup", ProbeKind::Startup),
    ];
    kinds
        .into_iter()
        .filter_map(|(key, kind)| probe(fields, key, kind, ports))
        .collect()
}

fn probe<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
    kind: ProbeKind,
    ports: &[Port<'a>],
) -> Option<Probe<'a>> {
    let cx = fields.cx;
    let field = fields.get(key)?;
    let first = ports.first().map(|port| port.number.value);
    let mut probe = Probe {
        kind,
        action: ProbeAction::Tcp(0),
        delay: None,
        period: None,
        timeout: None,
        failures: None,
    };
    let without_port = |span: Span| cx.report(errors::probe_without_port(key, span));
    if field.item.body.is_none() {
        let value = field.value(cx)?;
        let Some(port) = first else {
            without_port(field.item.key.span);
            return None;
        };
        probe.action = match cx.text(value.span) {
            "tcp" => ProbeAction::Tcp(port),
            _ => ProbeAction::Http(http_path(cx, value)?, port),
        };
        return Some(probe);
    }
    let block = Fields::of_body(cx, key, field)?;
    block.check_keys(&PROBE_KEYS);
    let number = |key: &'a str| {
        block
            .get(key)
            .and_then(|field| port_number(cx, field.value(cx)?))
            .map(|port| port.value)
    };
    let port = number("port").or(first);
    let ways: Vec<&str> = ["path", "tcp", "exec"]
        .into_iter()
        .filter(|way| block.has(way))
        .collect();
    if let [_, second, ..] = ways.as_slice() {
        let place = block
            .get(second)
            .map_or(field.item.key.span, |field| field.item.key.span);
        cx.report(errors::probe_of_two(key, place));
        return None;
    }
    if block.has("tcp") {
        probe.action = ProbeAction::Tcp(number("tcp")?);
    }
    let exec = block.get("exec").and_then(|field| {
        let value = field.value(cx)?;
        Some((cx.strings(value)?, value.span))
    });
    probe.action = match (block.get("path"), exec, port) {
        _ if block.has("tcp") => probe.action,
        (_, Some((command, span)), _) => {
            if command.is_empty() {
                cx.report(errors::empty_command(span));
            }
            ProbeAction::Exec(command, span)
        }
        (_, None, None) => {
            without_port(field.item.key.span);
            return None;
        }
        (Some(path), None, Some(port)) => ProbeAction::Http(http_path(cx, path.value(cx)?)?, port),
        (None, None, Some(port)) => ProbeAction::Tcp(port),
    };
    probe.delay = whole_seconds(&block, "delay");
    probe.period = whole_seconds(&block, "period");
    probe.timeout = whole_seconds(&block, "timeout");
    probe.failures = block.count("failures").map(|given| given.value);
    let zero = |millis: Option<Millis>| millis.is_some_and(|millis| millis.0 == 0);
    for (name, is_zero) in [
        ("period", zero(probe.period)),
        ("timeout", zero(probe.timeout)),
        ("failures", probe.failures == Some(0)),
    ] {
        if is_zero {
            let span = block
                .get(name)
                .and_then(|field| field.origin.span)
                .unwrap_or(field.item.span);
            cx.report(errors::out_of_range(name, "1 or more", span));
        }
    }
    Some(probe)
}

/// A duration where Kubernetes counts seconds.
pub(super) fn whole_seconds<'a>(fields: &Fields<'_, 'a>, key: &'a str) -> Option<Millis> {
    let given = fields.duration(key)?;
    if !given.0.is_multiple_of(1000) {
        let span = fields
            .get(key)
            .and_then(|field| field.origin.span)
            .unwrap_or(fields.span);
        fields.cx.report(errors::whole_seconds(key, span));
    }
    Some(given)
}

fn http_path<'a>(cx: &Cx<'a>, value: &'a Expr) -> Option<Cow<'a, str>> {
    let path = cx.string(value)?;
    if !path.starts_with('/') {
        cx.report(errors::probe_path(&path, value.span));
    }
    Some(path)
}

fn volumes<'a>(decls: &Decls<'_, 'a>, fields: &Fields<'_, 'a>, kind: &Kind<'a>) -> Vec<Volume<'a>> {
    let cx = decls.cx;
    let mut volumes: Vec<Volume<'a>> = Vec::new();
    for field in fields.all("volume") {
        let [name] = &*field.item.names else {
            cx.report(errors::malformed(
                "volume",
                "volume data { path = \"/data\"  claim = data }",
                field.item.span,
            ));
            continue;
        };
        let text = cx.word(*name);
        check_label(cx, "volume", text, name.span);
        if let Some(other) = volumes.iter().find(|volume| volume.name.value == text) {
            cx.report(errors::declared_twice(
                "volume",
                text,
                other.name.span,
                name.span,
            ));
            continue;
        }
        if let Some(word) = field.item.overriding {
            cx.report(errors::overrides_nothing(
                "volume",
                field.item.key.span,
                word,
            ));
        }
        let Some(block) = Fields::of_body(cx, "volume", field) else {
            continue;
        };
        block.check_keys(&VOLUME_KEYS);
        let Some(path) = block.string("path").map(|given| given.value) else {
            if !block.has("path") {
                block.missing("path", "path = \"/data\"");
            }
            continue;
        };
        let place = block
            .get("path")
            .and_then(|field| field.origin.span)
            .unwrap_or(name.span);
        if !path.starts_with('/') || path.contains(':') {
            cx.report(errors::mount_path(&path, place));
        }
        if let Some(other) = volumes.iter().find(|volume| volume.path == path) {
            cx.report(errors::same_mount(&path, other.name.span, place));
        }
        let sources = [
            "claim", "config", "secret", "disk", "memory", "host", "storage",
        ];
        let given: Vec<&'static str> = sources.into_iter().filter(|key| block.has(key)).collect();
        let source = match given.as_slice() {
            ["claim"] => block.name("claim").map(|given| {
                check_label(
                    cx,
                    "claim",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Claim(given.value)
            }),
            ["config"] => block.name("config").map(|given| {
                decls.index(
                    "config",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Config(given.value)
            }),
            ["secret"] => block.name("secret").map(|given| {
                check_label(
                    cx,
                    "Secret",
                    given.value,
                    given.origin.span.unwrap_or(name.span),
                );
                VolumeSource::Secret(given.value)
            }),
            ["disk"] => block
                .memory("disk")
                .map(|given| VolumeSource::Disk(Some(given.value))),
            ["memory"] => block.memory("memory").map(VolumeSource::Memory),
            ["storage"] => block.memory("storage").map(|given| {
                if !matches!(kind, Kind::StatefulSet) {
                    cx.report(errors::storage_of_others(
                        given.origin.span.unwrap_or(name.span),
                    ));
                }
                VolumeSource::Storage(given.value, block.name("class").map(|given| given.value))
            }),
            ["host"] => block.string("host").map(|given| {
                if !given.value.starts_with('/') || given.value.split('/').any(|part| part == "..")
                {
                    cx.report(errors::mount_path(
                        &given.value,
                        given.origin.span.unwrap_or(name.span),
                    ));
                }
                VolumeSource::Host(given.value)
            }),
            [] => {
                block.missing(
                    "claim, config, secret, disk, memory or host",
                    "volume data { path = \"/data\"  claim = data }",
                );
                None
            }
            several => {
                let place = several
                    .get(1)
                    .and_then(|key| block.get(key))
                    .map_or(name.span, |field| field.item.key.span);
                cx.report(errors::two_sources(text, place));
                None
            }
        };
        if block.has("class") && !block.has("storage") {
            cx.report(errors::class_without_storage(
                block
                    .get("class")
                    .map_or(name.span, |field| field.item.key.span),
            ));
        }
        let Some(source) = source else { continue };
        let read_only = block.flag("read-only").unwrap_or_default();
        volumes.push(Volume {
            name: Spanned::new(text, name.span),
            path,
            read_only,
            source,
        });
    }
    volumes
}
