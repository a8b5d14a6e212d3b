//! What belongs to a service's pod and not to the proof.

pub(super) mod env;
mod errors;
pub(super) mod ports;
mod probes;
mod volumes;

use crate::program::{Kind, Pod, Port};
use crate::sema::decls::Decls;
use crate::sema::layers::{Fields, whole_seconds};
use crate::sema::names::{annotations, check_label, labels};
use crate::sema::placement::place;
use crate::sema::pod::env::env;
use crate::sema::pod::probes::probes;
use crate::sema::pod::volumes::volumes;

pub(crate) fn pod<'a>(
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
        decls.check_declared("config", name, *span);
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
        command: fields.command("command").unwrap_or_default(),
        args: fields.strings("args").unwrap_or_default(),
        probes: if kind.ends() {
            Vec::new()
        } else {
            probes(fields, ports)
        },
        volumes: volumes(decls, fields, kind),
        place: place(decls, fields, kind),
        labels: labels(fields, "labels"),
        annotations: annotations(fields),
        grace: whole_seconds(fields, "grace"),
        service_account: service_account.map(|given| given.value),
        pull_secrets: names("pull-secrets", "Secret"),
        user: user.map(|given| given.value),
    }
}
