//! `readiness`, `liveness` and `startup`.

use std::borrow::Cow;

use super::errors;
use crate::base::quantity::Millis;
use crate::base::span::Span;
use crate::program::{Port, Probe, ProbeAction, ProbeKind};
use crate::sema::errors as general;
use crate::sema::layers::{Fields, whole_seconds};
use crate::sema::pod::ports::port_number;
use crate::sema::values::Cx;
use crate::syntax::ast::Expr;

pub(crate) fn probes<'a>(fields: &Fields<'_, 'a>, ports: &[Port<'a>]) -> Vec<Probe<'a>> {
    let kinds = [
        ("readiness", ProbeKind::Readiness),
        ("liveness", ProbeKind::Liveness),
        ("startup", ProbeKind::Startup),
    ];
    // Of just their number: every service has this list.
    let given = kinds.iter().filter(|(key, _)| fields.has(key)).count();
    let mut probes = Vec::with_capacity(given);
    probes.extend({ kinds.into_iter() }.filter_map(|(key, kind)| probe(fields, key, kind, ports)));
    probes
}

pub(crate) fn probe<'a>(
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
    block.check_keys("probe");
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
        // A command that could not be read was reported.
        (None, None, _) if block.has("exec") => return None,
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
            cx.report(general::out_of_range(name, "1 or more", span));
        }
    }
    Some(probe)
}

pub(crate) fn http_path<'a>(cx: &Cx<'a>, value: &'a Expr) -> Option<Cow<'a, str>> {
    let path = cx.string(value)?;
    if !path.starts_with('/') {
        cx.report(errors::probe_path(&path, value.span));
    }
    Some(path)
}
