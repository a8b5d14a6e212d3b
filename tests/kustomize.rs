//! Kustomizations against what the real kustomize makes of them: the folder that is adopted and the objects that kustomize
//! prints of it must come to the same pods, sums and promises. `kustomize/NAME/` has the cases, each with `rendered.yaml`,
//! which `tests/real/trees` compares with the real one. There `KUSTOMIZE` names it, and random trees go through both.

mod trees;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use bzc::{MemoryWorld, World};
use serde_json::Value;

use crate::support::world::Folder;
use crate::support::{compile, corpus, ids, said};

const PROGRAM: &str = "node box { memory = 64000Mi  cpu = 64  reserve = 300Mi }\n\
    k3s { memory = 500Mi  disable = [traefik, servicelb, metrics-server] }\n\
    adopt \"FILES\" { cpu = 10m }\n";

fn report(world: &dyn World, text: &str) -> Value {
    let compilation = compile(world, "main.bz", text, None);
    let messages = said(&compilation);
    let Some(output) = compilation.output else {
        unreachable!("it does not compile:\n{messages}\n{text}");
    };
    let mut files = output.files.into_iter();
    let file = files.find(|(path, _)| path == "report.json");
    let (_, bytes) = file.expect("every output has a report");
    serde_json::from_slice(&bytes).expect("a report is JSON")
}

/// A report without the places of its numbers and the order of containers.
fn without_places(report: &mut Value) {
    match report {
        Value::Object(fields) => {
            for key in [
                "origin",
                "manifest",
                "place",
                "why",
                "beside",
                "mainRequestBytes",
                "mainLimitBytes",
                "mainCpuMilli",
                "lowBytes",
                "highBytes",
                "text",
                "statement",
            ] {
                fields.remove(key);
            }
            fields.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        _ => {}
    }
}

/// What is the same, whoever puts the objects together: services by their names, the sums of nodes, verdicts.
fn same(report: &Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for list in ["services", "nodes", "theorems", "budgets"] {
        for item in report[list].as_array().into_iter().flatten() {
            let mut item = item.clone();
            without_places(&mut item);
            let name = item["name"].as_str().unwrap_or_default().to_owned();
            all.insert(format!("{list}.{name}"), item);
        }
    }
    all
}

/// Where the two differ, in words.
fn differences(folder: &Value, rendered: &Value) -> Vec<String> {
    let (ours, theirs) = (same(folder), same(rendered));
    let names = ours.keys().chain(theirs.keys());
    let mut names: Vec<&String> = names
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .collect();
    names.sort();
    names.dedup();
    let shown = |of: Option<&Value>| of.map_or("nothing".to_owned(), Value::to_string);
    names
        .iter()
        .map(|name| {
            format!(
                "{name}: {} of the folder, {} of what kustomize prints",
                shown(ours.get(*name)),
                shown(theirs.get(*name))
            )
        })
        .collect()
}

#[test]
fn what_a_folder_makes_is_what_kustomize_prints() {
    let cases = corpus::folders(&corpus::root().join("tests/kustomize"));
    let cases: Vec<_> = cases
        .into_iter()
        .filter(|case| case.join("rendered.yaml").is_file())
        .collect();
    assert!(cases.len() >= 4, "the cases are gone");
    let mut faults = Vec::new();
    for case in &cases {
        let world = Folder::new(case);
        let entry = corpus::text(&case.join("entry"));
        let of = |files: &str| report(&world, &PROGRAM.replace("FILES", files));
        let (ours, theirs) = (of(entry.trim()), of("rendered.yaml"));
        let services = ours["services"].as_array().map_or(0, Vec::len);
        assert!(services > 0, "{} has no workload", corpus::shown(case));
        let differ = differences(&ours, &theirs);
        faults.extend(
            differ
                .into_iter()
                .map(|what| format!("{}: {what}", corpus::shown(case))),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What the real kustomize prints of a tree, or what it says against it.
#[expect(clippy::disallowed_methods, reason = "kustomize reads a folder")]
fn rendered(
    kustomize: &str,
    files: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<String, String> {
    let _ = std::fs::remove_dir_all(folder);
    for (path, text) in files {
        let path = folder.join(path);
        let parent = path.parent().expect("it is below the folder");
        std::fs::create_dir_all(parent).expect("the folder for scratch files is writable");
        std::fs::write(&path, text).expect("the folder for scratch files is writable");
    }
    let mut command = Command::new(kustomize);
    let ran = command.arg("build").arg(folder.join(trees::ENTRY)).output();
    let ran = ran.expect("KUSTOMIZE names a program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match ran.status.success() {
        true => Ok(text(&ran.stdout)),
        false => Err(text(&ran.stderr)),
    }
}

/// Every field that a tree is made of is read without a gap; with the real kustomize at hand, it is also read as that one
/// reads it.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tests/real says where its kustomize is"
)]
fn random_trees_are_read_whole_and_as_kustomize_reads_them() {
    let kustomize = std::env::var("KUSTOMIZE").ok();
    let count = if kustomize.is_some() { 200 } else { 40 };
    let scratch = tempfile::tempdir().expect("there is a folder for scratch files");
    let (mut faults, mut refused) = (Vec::new(), 0);
    for seed in 0..count {
        let files = trees::tree(seed);
        let mut world = MemoryWorld::default();
        for (path, text) in &files {
            world.insert(path.clone(), text.clone());
        }
        let program = PROGRAM.replace("FILES", trees::ENTRY);
        let theirs = kustomize
            .as_deref()
            .map(|one| rendered(one, &files, scratch.path()));
        if let Some(Err(why)) = &theirs {
            // It says why no tree could be applied; most can be.
            refused += 1;
            assert!(
                refused < count / 5,
                "kustomize refuses too many, the last as {why}"
            );
            continue;
        }
        let compilation = compile(&world, "main.bz", &program, None);
        let gaps = ids(&compilation, false).contains(&"uncounted-object");
        if gaps && kustomize.is_some() {
            faults.push(format!("tree {seed}: {}", said(&compilation)));
        }
        if compilation.has_errors() {
            faults.push(format!("tree {seed}: {}", said(&compilation)));
            continue;
        }
        let ours = report(&world, &program);
        if let Some(Ok(text)) = theirs {
            world.insert("rendered.yaml", text);
            let theirs = report(&world, &PROGRAM.replace("FILES", "rendered.yaml"));
            let differ = differences(&ours, &theirs);
            faults.extend(
                differ
                    .into_iter()
                    .map(|what| format!("tree {seed}: {what}")),
            );
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}
