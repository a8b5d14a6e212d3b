//! What fits in a place of the command line: codes, fields, names that `--deny` takes, and what the program of this folder
//! declares.

use std::ffi::OsStr;
use std::path::Path;

use bzc::Session;
use clap_complete::CompletionCandidate;

use super::world::{Disk, read};

/// All names that `--deny` takes.
fn deniable() -> impl Iterator<Item = &'static str> {
    let lints = bzc::codes().map(|(id, _)| id);
    let lints = lints.filter(|id| !id.starts_with("BZ"));
    ["warnings", "refuted", "unknown", "assumed"]
        .into_iter()
        .chain(bzc::promises())
        .chain(lints)
}

/// A name that `--deny` takes.
pub(super) fn denied(name: &str) -> Result<String, String> {
    match deniable().any(|known| known == name) {
        true => Ok(name.to_owned()),
        false => Err(
            "neither `warnings`, `refuted`, `unknown`, `assumed`, a promise nor a lint: `bzc explain` lists lints"
                .to_owned(),
        ),
    }
}

/// Those of `all` that begin with what was typed, with a few words about each.
fn fitting<'a>(
    typed: &OsStr,
    all: impl Iterator<Item = (String, &'a str)>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let fits = all.filter(|(name, _)| name.starts_with(&*typed));
    fits.map(|(name, about)| {
        let about = Some(about).filter(|about| !about.is_empty());
        CompletionCandidate::new(name).help(about.map(|about| about.to_owned().into()))
    })
    .collect()
}

/// What `explain` knows: codes, lints, fields, and the numbers of the program here.
pub(super) fn topics(typed: &OsStr) -> Vec<CompletionCandidate> {
    let codes = bzc::codes().map(|(id, title)| (id.to_owned(), title));
    let fields =
        bzc::fields().map(|field| (format!("{}.{}", field.place, field.key), field.meaning));
    let numbers = numbers().into_iter().map(|number| (number, ""));
    fitting(typed, codes.chain(fields).chain(numbers))
}

/// What `--deny` takes.
pub(super) fn denials(typed: &OsStr) -> Vec<CompletionCandidate> {
    let titles: Vec<(&str, &str)> = bzc::codes().collect();
    let title = |name: &str| {
        titles
            .iter()
            .find(|(id, _)| *id == name)
            .map_or("", |(_, title)| title)
    };
    fitting(typed, deniable().map(|name| (name.to_owned(), title(name))))
}

/// The environments of the program here.
pub(super) fn environments(typed: &OsStr) -> Vec<CompletionCandidate> {
    let names = here(|_, analysis| analysis.environments()).unwrap_or_default();
    fitting(typed, names.into_iter().map(|name| (name, "")))
}

/// Reads `budget.bz` of this folder, if there is one.
fn here<T>(then: impl FnOnce(&Disk, &bzc::Analysis) -> T) -> Option<T> {
    let text = String::from_utf8(read(Path::new("budget.bz")).ok()?).ok()?;
    let disk = Disk::new(".".into());
    disk.stay_offline(true);
    let analysis = Session::default()
        .without_proposals()
        .read(&disk, "budget.bz", text);
    Some(then(&disk, &analysis))
}

/// The numbers of the program here that `explain` derives.
fn numbers() -> Vec<String> {
    let report = here(|disk, analysis| {
        let options = bzc::Options::default();
        analysis.view(disk, &options, |view| view.report().map(str::to_owned))
    });
    let report = report
        .flatten()
        .and_then(|text| serde_json::from_str(&text).ok());
    let report: serde_json::Value = report.unwrap_or_default();
    let names = |list: &str, before: &str, behind: &str| -> Vec<String> {
        let all = report[list].as_array().into_iter().flatten();
        let names = all.filter_map(|one| one["name"].as_str());
        names
            .map(|name| format!("{before}.{name}{behind}"))
            .collect()
    };
    let mut all = names("services", "service", ".memory");
    all.extend(names("budgets", "budget", ""));
    all.extend(names("nodes", "node", ""));
    all
}
