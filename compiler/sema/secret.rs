//! `secret`: where a Secret comes from, and which keys it has. No value of one is ever part of a program or of an output.

mod errors;

use std::collections::BTreeSet;

use super::decls::{Decl, Decls, fields};
use super::layers::Fields;
use super::names::{check_label, is_config_key};
use crate::base::span::Spanned;
use crate::base::suggest::nearest;
use crate::kustomize::overlay;
use crate::program::{EnvValue, Secret, SecretSource, Service};
use crate::sema::errors as general;
use crate::sema::values::Cx;
use crate::world::resolve;

/// The Secrets of the program, sorted by name.
pub(crate) fn secrets<'a>(decls: &Decls<'_, 'a>, namespace: &str) -> Vec<Secret<'a>> {
    decls
        .of("secret")
        .filter_map(|decl| secret(decls, decl, namespace))
        .collect()
}

fn secret<'a>(decls: &Decls<'_, 'a>, decl: Decl<'a>, namespace: &str) -> Option<Secret<'a>> {
    let cx = decls.cx;
    check_label(cx, "Secret", decl.name, decl.span);
    let block = fields(decls, "secret", decl)?;
    block.check_keys("secret");
    let ways = ["from", "sealed", "external"];
    let given: Vec<&str> = ways.into_iter().filter(|way| block.has(way)).collect();
    let stated = stated_keys(&block);
    let (source, found) = match given.as_slice() {
        [] if stated.is_some() => (SecretSource::Cluster, None),
        [] => {
            block.missing(
                "from, sealed, external or keys",
                "from = \"secrets/pg.env\"",
            );
            return None;
        }
        ["from"] => of_file(decls, &block)?,
        ["sealed"] => sealed(decls, &block, (decl.name, namespace))?,
        ["external"] => (external(&block)?, None),
        [_, second, ..] | [second] => {
            let place = block
                .get(second)
                .map_or(decl.span, |field| field.item.key.span);
            cx.report(errors::two_sources(decl.name, place));
            return None;
        }
    };
    Some(Secret {
        name: Spanned::new(decl.name, decl.span),
        source,
        keys: stated.or(found),
    })
}

/// `keys = ["password"]`.
fn stated_keys(block: &Fields<'_, '_>) -> Option<BTreeSet<String>> {
    let stated = block.placed_strings("keys")?;
    for key in stated.iter().filter(|key| !is_config_key(&key.value)) {
        block.cx.report(errors::not_a_key(&key.value, key.span));
    }
    Some(
        stated
            .into_iter()
            .map(|key| key.value.into_owned())
            .collect(),
    )
}

type Found<'a> = (SecretSource<'a>, Option<BTreeSet<String>>);

/// A path of a field, from the folder of the program, and its text if there is such a file.
fn file<'a>(
    decls: &Decls<'_, 'a>,
    block: &Fields<'_, 'a>,
    key: &'static str,
) -> Option<(String, Option<String>)> {
    let cx = decls.cx;
    let field = block.get(key)?;
    let given = cx.string(field.value(cx)?)?;
    let place = field.origin.span.unwrap_or(block.span);
    let home = cx.sources.file(place.file).name.as_str();
    let Some(path) = resolve(home, &given) else {
        cx.report(errors::unreadable(
            &given,
            "it lies outside the project",
            place,
        ));
        return None;
    };
    let text = decls
        .world
        .read(&path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    Some((path, text))
}

/// `from = "secrets/pg.env"`: the variables of that file, or the file itself as one key where it is no `.env`. The file
/// may be missing where bzc runs, in CI for instance: then its keys are not known.
fn of_file<'a>(decls: &Decls<'_, 'a>, block: &Fields<'_, 'a>) -> Option<Found<'a>> {
    let (path, text) = file(decls, block, "from")?;
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    if !name.ends_with(".env") {
        return Some((SecretSource::File(path), Some(BTreeSet::from([name]))));
    }
    let keys = text.map(|text| {
        let lines = text.lines().map(str::trim);
        let variables = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        variables
            .filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned()))
            .collect()
    });
    Some((SecretSource::File(path), keys))
}

/// `sealed = "secrets/pg.sealed.yaml"`: a SealedSecret, which only its controller in the cluster can open.
fn sealed<'a>(
    decls: &Decls<'_, 'a>,
    block: &Fields<'_, 'a>,
    (name, namespace): (&str, &str),
) -> Option<Found<'a>> {
    let cx = decls.cx;
    let (path, text) = file(decls, block, "sealed")?;
    let place = block.get("sealed")?.origin.span.unwrap_or(block.span);
    let Some(text) = text else {
        cx.report(errors::unreadable(&path, "no such file", place));
        return None;
    };
    let documents = match overlay::documents(&text) {
        Ok(documents) => documents,
        Err(why) => {
            cx.report(errors::unreadable(&path, &why, place));
            return None;
        }
    };
    let object = documents.into_iter().next().unwrap_or_default();
    if object["kind"] != "SealedSecret" {
        cx.report(errors::unreadable(&path, "it is no SealedSecret", place));
        return None;
    }
    for (key, wanted) in [("name", name), ("namespace", namespace)] {
        let found = object["metadata"][key].as_str().unwrap_or_default();
        if found != wanted {
            cx.report(errors::sealed_for_another(
                &path,
                (key, found),
                wanted,
                place,
            ));
            return None;
        }
    }
    let data = object["spec"]["encryptedData"].as_object();
    let keys = data.map(|data| data.keys().cloned().collect());
    Some((SecretSource::Sealed(object), keys))
}

/// `external = "STORE/PATH"`: what the External Secrets Operator brings from a store.
fn external<'a>(block: &Fields<'_, 'a>) -> Option<SecretSource<'a>> {
    let given = block.string("external")?;
    let place = given.origin.span.unwrap_or(block.span);
    match given.value.split_once('/') {
        Some((store, path)) if !store.is_empty() && !path.is_empty() => Some(
            SecretSource::External(store.to_owned().into(), path.to_owned().into()),
        ),
        _ => {
            block.cx.report(errors::no_store(&given.value, place));
            None
        }
    }
}

/// Reports variables that take a key which a Secret of the program does not have, and Secrets that nothing uses.
pub(crate) fn check(decls: &Decls<'_, '_>, secrets: &[Secret<'_>], services: &[Service<'_>]) {
    if secrets.is_empty() {
        return;
    }
    let cx: &Cx<'_> = decls.cx;
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for service in services {
        let extras = service
            .extras
            .iter()
            .map(|extra| (&extra.env, &extra.secrets));
        for (env, whole) in extras.chain([(&service.pod.env, &service.pod.secrets)]) {
            used.extend(whole);
            for (variable, value) in env {
                let EnvValue::Secret(name, key) = value else {
                    continue;
                };
                used.insert(name);
                let secret = secrets.iter().find(|one| one.name.value == *name);
                let Some(keys) = secret.and_then(|one| one.keys.as_ref()) else {
                    continue;
                };
                if !keys.contains(&**key) {
                    let near = nearest(key, keys.iter().map(String::as_str));
                    cx.report(errors::unknown_key((name, key), near, variable.span));
                }
            }
        }
        used.extend(service.pod.pull_secrets.iter());
        used.extend(
            service
                .pod
                .volumes
                .iter()
                .filter_map(|volume| match volume.source {
                    crate::program::VolumeSource::Secret(name) => Some(name),
                    _ => None,
                }),
        );
        used.extend(
            service
                .ingresses
                .iter()
                .filter_map(|ingress| Some(&*ingress.tls.as_ref()?.secret)),
        );
    }
    for secret in secrets {
        let name = secret.name.value;
        if !used.contains(name) && !decls.mentioned.contains(name) {
            cx.report(general::unused("secret", name, secret.name.span));
        }
    }
}
