//! What belongs to a service's pod and not to the proof.

pub(super) mod env;
mod errors;
mod hooks;
pub(super) mod ingress;
pub(super) mod patch;
pub(super) mod ports;
mod probes;
pub(super) mod reach;
pub(super) mod security;
mod volumes;

use std::borrow::Cow;

use crate::program::{GRACE, HOSTNAME, Kind, Pod, Port};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::{Fields, whole_seconds};
use crate::sema::names::{annotations, check_label, is_name, labels};
use crate::sema::placement::place;
use crate::sema::pod::env::env;
use crate::sema::pod::hooks::{disruption, hook};
use crate::sema::pod::probes::probes;
use crate::sema::pod::reach::reach;
use crate::sema::pod::security::security;
use crate::sema::pod::volumes::volumes;
use crate::syntax::ast::ExprKind;

pub(crate) fn pod<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    ports: &[Port<'a>],
    (kind, replicas): (&Kind<'a>, u64),
) -> Pod<'a> {
    let cx = decls.cx;
    let grace = whole_seconds(fields, "grace");
    let seconds = grace.map_or(GRACE, |grace| grace.0.div_ceil(1000));
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
        decls.check_declared("config", name, *span);
    }
    Pod {
        env: env(decls, fields),
        configs: configs.into_iter().map(|(name, _)| name).collect(),
        secrets: names("secrets", "Secret"),
        command: fields.command("command").unwrap_or_default(),
        args: fields.strings("args").unwrap_or_default(),
        probes: if kind.ends() {
            Vec::new()
        } else {
            probes(fields, ports)
        },
        volumes: volumes(decls, fields),
        place: place(decls, fields, kind),
        labels: labels(fields, "labels"),
        annotations: annotations(fields),
        grace,
        service_account: service_account.map(|given| given.value),
        pull_secrets: names("pull-secrets", "Secret"),
        security: security(decls, fields),
        pull_policy: fields.one_of("pull-policy", &PULL_POLICIES),
        host_network: fields.flag("host-network").unwrap_or_default(),
        post_start: hook(fields, "post-start", ports, seconds),
        pre_stop: hook(fields, "pre-stop", ports, seconds),
        spread: spread(fields),
        disruption: disruption(fields, replicas),
        reach: reach(decls, fields, ports),
    }
}

/// When the kubelet pulls an image, in bz and in Kubernetes.
const PULL_POLICIES: [(&str, &str); 3] = [
    ("always", "Always"),
    ("if-not-present", "IfNotPresent"),
    ("never", "Never"),
];

/// `spread = node`, or the label of nodes whose values are the places.
fn spread<'a>(fields: &Fields<'_, 'a>) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let value = fields.get("spread")?.value(cx)?;
    if let ExprKind::Text = cx.resolve(value).kind {
        let label = cx.string(value)?;
        if !is_name(label.rsplit('/').next().unwrap_or(&label)) {
            cx.report(errors::spread_over(&label, value.span));
        }
        return Some(label);
    }
    match cx.name(value, "spread")? {
        ("node", _) => Some(Cow::Borrowed(HOSTNAME)),
        (other, span) => {
            cx.report(general::not_one_of("spread", other, span, &["node"]));
            None
        }
    }
}
