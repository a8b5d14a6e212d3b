//! What a code, a lint, a key of K3s or an argument of a component means: pages and tables, no program needed.

use crate::backend::argument_note;
use crate::base::suggest::nearest;
use crate::base::text::wrapped;
use crate::diag::codes::CODES;
use crate::diag::lints::LINTS;
use crate::stdlib;

/// Columns of an explanation, its margin apart.
const WIDTH: usize = 76;

/// All error codes and lints with their titles.
pub fn codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    CODES
        .iter()
        .map(|code| (code.id, code.title))
        .chain(LINTS.iter().map(|lint| (lint.name, lint.title)))
}

/// The page of a code (`BZ4001`), of a lint (`unused`), of a key of config.yaml (`k3s.flannel-backend`) or of a
/// component's argument (`k3s.kubelet-arg.max-pods`). `Err` has the nearest known topic, if one is near.
pub fn explain(topic: &str) -> Result<String, Option<String>> {
    let code = topic.to_ascii_uppercase();
    if let Some(found) = CODES.iter().find(|known| known.id == code) {
        return Ok(found.page.to_owned());
    }
    if let Some(found) = LINTS.iter().find(|known| known.name == topic) {
        return Ok(found.page.to_owned());
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
                let known = codes()
                    .map(|(id, _)| id)
                    .chain(stdlib::flags().map(|flag| flag.key));
                Err(nearest(topic, known).map(str::to_owned))
            }
        },
        Some(_) => Err(None),
    }
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
