//! The pages of `bzc explain` for codes, lints, fields of the language, keys of K3s and arguments of its components.
//! They need no program; `ledger.rs` explains the numbers of one.

mod library;
mod rules;

use self::library::WIDTH;
use crate::backend::argument_note;
use crate::base::suggest::nearest;
use crate::base::text::wrapped;
use crate::diag::codes::CODES;
use crate::diag::lints::LINTS;
use crate::doctor;
use crate::schema;
use crate::stdlib;

/// The promises, and the rules that say when they hold.
const PROMISES: [(&str, &str); 5] = [
    ("isolation", "proof.isolation"),
    ("non-interference", "proof.interference"),
    ("sufficiency", "proof.sufficiency"),
    ("liveness", "proof.liveness"),
    ("survival", "proof.survival"),
];

/// All error codes and lints with their titles.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    CODES
        .iter()
        .map(|code| (code.id, code.title))
        .chain(LINTS.iter().map(|lint| (lint.name, lint.title)))
}

/// The page of a code (`BZ4001`), of a lint (`unused`), of a declaration (`service`) or one of its fields
/// (`service.volume`), of a key of config.yaml (`k3s.flannel-backend`), of a component's argument
/// (`k3s.kubelet-arg.max-pods`), of what is seen when memory is short (`TLS handshake timeout`), of a rule of the specification (`proof.fill`), what a word of Kubernetes or compose is in bz (`envFrom`), a
/// runtime (`fastapi`), a promise (`isolation`), or what an origin of an amount leads to (`std.k3s.shim`,
/// `runtime.fastapi.floor`, `std/k3s.bz:15`, `default.kubernetes.deployment.replicas`). `Err` has the nearest known topic, if
/// one is near.
pub fn explain(topic: &str) -> Result<String, Option<String>> {
    let code = topic.to_ascii_uppercase();
    if let Some(found) = CODES.iter().find(|known| known.id == code) {
        return Ok(found.page.to_owned());
    }
    if let Some(found) = LINTS.iter().find(|known| known.name == topic) {
        return Ok(found.page.to_owned());
    }
    if let Some(page) = doctor::page(topic) {
        return Ok(page);
    }
    // Derivations and reports name rules as `rule proof.fill`.
    let rule = ["rule ", "default."]
        .iter()
        .find_map(|before| topic.strip_prefix(before));
    let promise = PROMISES.iter().find(|(name, _)| *name == topic);
    let rule = promise.map_or(rule.unwrap_or(topic), |(_, rule)| rule);
    let page = rules::rule(rule)
        .or_else(|| declaration(topic))
        .or_else(|| field(topic))
        .or_else(|| library::page(topic));
    if let Some(page) = page {
        return Ok(page);
    }
    let path = topic.strip_prefix("k3s.").unwrap_or(topic);
    match path.split_once('.') {
        Some((key, name)) if key.ends_with("-arg") => {
            let component = key.strip_suffix("-arg").unwrap_or(key);
            match stdlib::argument(component, name) {
                Some(row) => Ok(argument(&row)),
                None => {
                    let known = stdlib::arguments().filter(|row| row.component == component);
                    Err(nearest(name, known.map(|row| row.name))
                        .map(|near| format!("k3s.{key}.{near}")))
                }
            }
        }
        None => match stdlib::flag(path) {
            Some(flag) => Ok(self::flag(&flag)),
            None => {
                if let Some(page) = word(topic) {
                    return Ok(page);
                }
                let known = codes()
                    .map(|(id, _)| id)
                    .chain(schema::fields().map(|field| field.place))
                    .chain(stdlib::flags().map(|flag| flag.key));
                Err(nearest(topic, known).map(str::to_owned))
            }
        },
        Some((place, key)) => {
            let near = nearest(key, schema::keys(place).iter().copied());
            let field = near.map(|near| format!("{place}.{near}"));
            Err(field.or_else(|| nearest(topic, rules::ids()).map(str::to_owned)))
        }
    }
}

/// All fields of a declaration or block, one a line.
fn declaration(place: &str) -> Option<String> {
    let keys = schema::keys(place);
    let widest = keys.iter().map(|key| key.len()).max()?;
    let mut out = format!("{place}\n\n");
    for field in schema::fields_of(place) {
        for (at, line) in wrapped(field.meaning, WIDTH - widest - 2)
            .iter()
            .enumerate()
        {
            let key = if at == 0 { field.key } else { "" };
            out.push_str(&format!("  {key:widest$}  {line}\n"));
        }
    }
    out.push_str(&format!("\nbzc explain {place}.{} says more.\n", keys[0]));
    Some(out)
}

/// One field, as `service.volume`; in a block of a declaration as `service.volume.path`.
fn field(topic: &str) -> Option<String> {
    let (place, key) = topic.rsplit_once('.')?;
    let block = place
        .rsplit_once('.')
        .and_then(|(_, outer)| schema::block_of(outer));
    let mut fields = schema::fields_of(place).chain(schema::fields_of(block.unwrap_or_default()));
    let field = fields.find(|field| field.key == key)?;
    let mut out = format!("{topic}\n\n");
    for line in wrapped(field.meaning, WIDTH) {
        out.push_str(&format!("  {line}\n"));
    }
    out.push('\n');
    let inside = schema::block_of(key).map(|block| schema::keys(block).join(", "));
    let without = Some(field.without).filter(|text| !text.is_empty());
    let rows = [
        ("takes", Some(field.takes.to_owned())),
        ("if left out", without.map(str::to_owned)),
        ("since", Some(field.since.to_owned())),
        ("its fields", inside),
        ("example", Some(field.example.to_owned())),
    ];
    for (name, value) in rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    {
        for (at, line) in wrapped(&value, WIDTH - 13).iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            out.push_str(&format!("  {name:11}  {line}\n"));
        }
    }
    Some(out)
}

/// What to write in bz for a word of Kubernetes, compose or Terraform.
fn word(topic: &str) -> Option<String> {
    let places = || schema::words().flat_map(|word| word.places.split(' '));
    let word = places().find_map(|place| schema::word(place, topic))?;
    let say = match word.say {
        "" => format!("bz calls it `{}`", word.field),
        say => say.to_owned(),
    };
    let mut out = format!("{}\n\n", word.word);
    for line in wrapped(&format!("bz has nothing of this name: {say}."), WIDTH) {
        out.push_str(&format!("  {line}\n"));
    }
    Some(out)
}

fn flag(flag: &stdlib::Flag) -> String {
    let mut out = format!("{}\n\n", flag.key);
    for line in wrapped(flag.meaning, WIDTH) {
        out.push_str(&format!("  {line}\n"));
    }
    out.push('\n');
    let since = flag
        .since
        .map_or("before 1.30".to_owned(), |minor| format!("1.{minor}"));
    let rows = [
        ("takes", Some(flag.kind.to_owned())),
        (
            "of",
            Some(if flag.scope == "both" {
                "servers and agents".to_owned()
            } else {
                format!("{}s", flag.scope)
            }),
        ),
        (
            "values",
            flag.values.map(|values| values.replace('|', ", ")),
        ),
        ("default", flag.default.map(str::to_owned)),
        ("since", Some(since)),
        (
            "status",
            (flag.status != "ok").then(|| flag.status.to_owned()),
        ),
    ];
    for (name, value) in rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    {
        out.push_str(&format!("  {name:8} {value}\n"));
    }
    out
}

fn argument(row: &stdlib::Argument) -> String {
    let mut out = format!("{} --{}\n\n", row.component, row.name);
    let note = argument_note(row).or(row.note.map(str::to_owned));
    let note = note
        .as_deref()
        .unwrap_or("bzc knows that it exists, and nothing of what it does for memory.");
    for line in wrapped(note, WIDTH) {
        out.push_str(&format!("  {line}\n"));
    }
    if let Some(default) = row.default {
        out.push_str(&format!("\n  default  {default}\n"));
    }
    if row.status != "ok" {
        out.push_str(&format!("  status   {}\n", row.status));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{PROMISES, explain};

    #[test]
    fn every_promise_and_runtime_has_a_page() {
        let runtimes = crate::stdlib::RUNTIMES.iter().map(|(name, _)| *name);
        for topic in runtimes.chain(PROMISES.map(|(name, _)| name)) {
            assert!(explain(topic).is_ok(), "{topic}");
        }
    }
}
