//! `bzc doctor`: files, or the cluster of the user's kubeconfig, to what is wrong there. It only reads; `--write` begins
//! a program, as `bzc import` does.

use std::fs;
use std::path::{Path, PathBuf};

use super::args::{Doctor, Import};
use super::ui::{err, fail, out};
use super::world::{read, read_stdin};
use super::{Exit, import, kubectl};

/// Reads what there is, and says what is wrong.
pub(super) fn run(doctor: &Doctor) -> Exit {
    let asks = doctor.files.is_empty();
    let files = match asks {
        true => ask(),
        false => read_all(&doctor.files),
    };
    let diagnosis = match files.and_then(|files| bzc::doctor(&files)) {
        Ok(diagnosis) => diagnosis,
        Err(why) => {
            let lines = match asks {
                true => {
                    vec!["name files instead: `bzc doctor cluster.json summary.json`".to_owned()]
                }
                false => Vec::new(),
            };
            fail(&why, &lines);
            return Exit::Usage;
        }
    };
    out(&diagnosis.text);
    let exit = match diagnosis.findings {
        0 => Exit::Clean,
        _ => Exit::Findings,
    };
    match &doctor.write {
        Some(path) => {
            out("\n");
            let begun = import::run(&Import {
                files: doctor.files.clone(),
                from_cluster: asks,
                declare: false,
                strict: false,
                out: path.clone(),
            });
            exit.max(begun)
        }
        None => exit,
    }
}

type Files = Vec<(String, Vec<u8>)>;

/// The objects of the cluster, and the summary of each of its nodes. A summary that cannot be had is named.
fn ask() -> Result<Files, String> {
    let objects = kubectl::cluster()?;
    let mut files = Vec::new();
    for node in bzc::nodes_of(&objects) {
        match kubectl::summary(&node) {
            Ok(summary) => files.push((format!("the summary of `{node}`"), summary)),
            Err(why) => err(&format!("note: no summary of node `{node}`: {why}\n")),
        }
    }
    files.insert(0, ("the cluster".to_owned(), objects));
    Ok(files)
}

/// Files by their paths, all JSON of folders, and standard input.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Files, String> {
    let mut files = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let unreadable = |why: String| format!("`{shown}` cannot be read: {why}");
        if path == Path::new("-") {
            let bytes = read_stdin().map_err(|why| unreadable(why.to_string()))?;
            files.push(("standard input".to_owned(), bytes));
        } else if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| unreadable(error.to_string()))?;
            let mut inside: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
                .collect();
            inside.sort();
            if inside.is_empty() {
                return Err(format!("`{shown}` has no file whose name ends in `.json`"));
            }
            files.extend(read_all(&inside)?);
        } else {
            let bytes = read(path).map_err(|why| unreadable(why.to_string()))?;
            files.push((shown, bytes));
        }
    }
    Ok(files)
}
