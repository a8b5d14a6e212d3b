//! `ingress`: the hosts and paths by which a service is reached from outside of the cluster.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::errors;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{Ingress, Port, Service, TRAEFIK, Tls};
use crate::sema::errors as general;
use crate::sema::layers::{Field, Fields};
use crate::sema::names::{annotations, check_label};
use crate::sema::values::Cx;
use crate::syntax::ast::ExprKind;

/// Any host.
const ANY: &str = "*";

pub(crate) fn ingresses<'a>(fields: &Fields<'_, 'a>, ports: &[Port<'a>]) -> Vec<Ingress<'a>> {
    let fields_of = fields.all("ingress").into_iter();
    fields_of
        .filter_map(|field| ingress(fields.cx, field, ports))
        .collect()
}

fn ingress<'a>(cx: &Cx<'a>, field: Field<'a>, ports: &[Port<'a>]) -> Option<Ingress<'a>> {
    let [name] = &*field.item.names else {
        let example = "ingress \"shop.example.com\" { path = \"/\" }";
        cx.report(general::malformed("ingress", example, field.item.span));
        return None;
    };
    let host = Spanned::new(cx.word(*name), name.span);
    check_host(cx, host);
    if let Some(word) = field.item.overriding() {
        let key = field.item.key.span;
        cx.report(general::overrides_nothing("ingress", key, word));
    }
    let block = Fields::of_body(cx, "ingress", field)?;
    block.check_keys("ingress");
    let path = block.string("path").map(|given| {
        if !given.value.starts_with('/') {
            let span = given.origin.span.unwrap_or(name.span);
            cx.report(errors::ingress_path(&given.value, span));
        }
        given.value
    });
    let port = port(&block, ports)?;
    let class = block.name("class");
    if let Some(given) = class {
        let span = given.origin.span.unwrap_or(name.span);
        check_label(cx, "class", given.value, span);
    }
    Some(Ingress {
        host,
        path: path.unwrap_or(Cow::Borrowed("/")),
        port,
        class: class.map(|given| given.value),
        tls: tls(&block, host),
        annotations: annotations(&block),
    })
}

/// The port that it leads to: the first, or that of a name or a number.
fn port<'a>(block: &Fields<'_, 'a>, ports: &[Port<'a>]) -> Option<&'a str> {
    let cx = block.cx;
    let Some(first) = ports.first() else {
        cx.report(errors::ingress_without_port(block.span));
        return None;
    };
    let (port, span) = match block.get("port") {
        None => (first, block.span),
        Some(field) => {
            let value = field.value(cx)?;
            let text = match value.kind {
                ExprKind::Number => cx.text(value.span),
                _ => cx.name(value, "port")?.0,
            };
            let is_meant =
                |port: &&Port<'_>| port.name == text || port.number.value.to_string() == text;
            let Some(port) = ports.iter().find(is_meant) else {
                let near = nearest(text, ports.iter().map(|port| port.name));
                cx.report(general::unknown_name("port", text, value.span, near));
                return None;
            };
            (port, value.span)
        }
    };
    if port.udp {
        cx.report(errors::ingress_to_udp(port.name, span));
    }
    Some(port.name)
}

/// `tls = ISSUER`, or `tls { issuer = ISSUER  secret = NAME }`.
fn tls<'a>(block: &Fields<'_, 'a>, host: Spanned<&'a str>) -> Option<Tls<'a>> {
    let cx = block.cx;
    let field = block.get("tls")?;
    if host.value == ANY {
        cx.report(errors::tls_of_any_host(field.item.key.span));
        return None;
    }
    let label = |what: &'static str, name: &'a str, span: Span| {
        check_label(cx, what, name, span);
        name
    };
    let named = || {
        Cow::Owned(format!(
            "{}-tls",
            host.value.replace("*.", "any.").replace('.', "-")
        ))
    };
    if field.item.body.is_none() {
        let (issuer, span) = cx.name(field.value(cx)?, "tls")?;
        return Some(Tls {
            secret: named(),
            issuer: Some(label("issuer", issuer, span)),
            asks: true,
        });
    }
    let inner = Fields::of_body(cx, "tls", field)?;
    inner.check_keys("tls");
    let read = |key, what| {
        let given = inner.name(key)?;
        Some(label(
            what,
            given.value,
            given.origin.span.unwrap_or(host.span),
        ))
    };
    let (issuer, secret) = (read("issuer", "issuer"), read("secret", "Secret"));
    if issuer.is_none() && secret.is_none() {
        inner.missing("issuer or secret", "tls { secret = shop-tls }");
    }
    Some(Tls {
        secret: secret.map_or_else(named, Cow::Borrowed),
        issuer,
        asks: issuer.is_some(),
    })
}

/// Reports a host that is no name of DNS in lower case, with at most a `*` for its first label (Kubernetes,
/// pkg/apis/networking/validation: `validateIngressRules`).
fn check_host(cx: &Cx<'_>, host: Spanned<&str>) {
    let text = host.value;
    let rest = text.strip_prefix("*.").unwrap_or(text);
    let letters = |label: &str| {
        let mut bytes = label.bytes();
        bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    let fault = if text == ANY {
        return;
    } else if text.contains("://") {
        "it has a scheme"
    } else if text.contains('/') {
        "it has a path"
    } else if text.contains(':') {
        "it has a port"
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        "it has capital letters"
    } else if rest.len() > 253 || !rest.split('.').all(is_label) || !rest.split('.').all(letters) {
        "it is no name of DNS"
    } else if rest
        .split('.')
        .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        "it is an address"
    } else {
        return;
    };
    let alone = text.split("://").last().unwrap_or(text);
    let alone = alone
        .split(['/', ':'])
        .next()
        .unwrap_or(alone)
        .to_ascii_lowercase();
    let fixed = Some(alone).filter(|alone| {
        alone != text
            && alone
                .split('.')
                .all(|label| is_label(label) && letters(label))
    });
    cx.report(errors::not_a_host(text, fault, fixed.as_deref(), host.span));
}

/// Reports what only all services together show: two that serve the same host and path, two issuers of one object, and
/// an ingress that nothing serves, where K3s runs no Traefik. Of several services with one certificate the first asks for
/// it.
pub(crate) fn settle(cx: &Cx<'_>, has_traefik: bool, services: &mut [Service<'_>]) {
    let mut served: BTreeMap<(&str, &str), (&str, Span)> = BTreeMap::new();
    for service in services.iter() {
        let name = service.name.value;
        let mut issuers: Option<(&str, Span)> = None;
        let mut classes: Option<(&str, Span)> = None;
        for ingress in &service.ingresses {
            let here = (ingress.host.value, ingress.path.trim_end_matches('/'));
            match served.get(&here) {
                Some(first) => cx.report(errors::same_ingress(
                    (ingress.host.value, &ingress.path),
                    (name, ingress.host.span),
                    *first,
                )),
                None => _ = served.insert(here, (name, ingress.host.span)),
            }
            if ingress.class.is_none() && !has_traefik {
                cx.report(errors::no_ingress_class(name, ingress.host.span));
            }
            let issuer = ingress.tls.as_ref().and_then(|tls| tls.issuer);
            let class = Some(ingress.class.unwrap_or(TRAEFIK));
            for (what, here, first) in [
                ("issuers", issuer, &mut issuers),
                ("classes", class, &mut classes),
            ] {
                let Some(here) = here else { continue };
                let span = ingress.host.span;
                match first {
                    Some(first) if first.0 != here => {
                        cx.report(errors::two_of_one((what, name), (here, span), *first));
                    }
                    Some(_) => {}
                    None => *first = Some((here, span)),
                }
            }
        }
    }
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for (index, service) in services.iter_mut().enumerate() {
        let tls = service
            .ingresses
            .iter_mut()
            .filter_map(|ingress| ingress.tls.as_mut());
        for tls in tls.filter(|tls| tls.asks) {
            tls.asks = *made.entry(tls.secret.to_string()).or_insert(index) == index;
        }
    }
}
