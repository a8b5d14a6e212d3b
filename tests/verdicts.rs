//! What takes a promise away, and what does not: `verdicts/*.txt`. A case is a program and the verdicts that it has.
//!
//! ```text
//! == a name
//! k3s disable-scheduler = true     goes into the `k3s` block of the program below
//! adopt "a.yaml"                   any other line is added to it; a case with a `node` is a program of its own
//! --- file a.yaml                  the lines up to `---` are a file
//! ---
//! > liveness unknown: nothing places pods      the verdict, and what its reasons say
//! ```
//!
//! Promises that a case does not name are as in the program below.

use std::collections::BTreeMap;

use bzc::{MemoryWorld, Options, Session};
use serde_json::Value;

use crate::support::corpus;

/// All that can be proved of it is.
const PROGRAM: &str = r#"edition = 1
node box { memory = 2000Mi  cpu = 2  reserve = 200Mi }
service hello { image = "registry.example.org/hello:1.0.0"  memory = 32Mi  cpu = 25m }
"#;
const K3S: &str =
    "memory = 500Mi  version = \"v1.33.4+k3s1\"  disable = [traefik, servicelb, metrics-server]";

struct Case<'t> {
    name: &'t str,
    text: String,
    files: Vec<(&'t str, String)>,
    /// Promise, verdict, and a part of the reasons.
    verdicts: Vec<(&'t str, &'t str, &'t str)>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let parts = text.split("== ").skip(1);
    parts.map(case).collect()
}

fn case(part: &str) -> Case<'_> {
    let (name, rest) = part.split_once('\n').unwrap_or((part, ""));
    let (mut k3s, mut added) = (K3S.to_owned(), String::new());
    let (mut files, mut verdicts) = (Vec::new(), Vec::new());
    let mut lines = rest.lines();
    while let Some(line) = lines.next() {
        if let Some(path) = line.strip_prefix("--- file ") {
            let content = lines.by_ref().take_while(|line| *line != "---");
            files.push((path, content.map(|line| format!("{line}\n")).collect()));
        } else if let Some(verdict) = line.strip_prefix("> ") {
            let (stated, why) = verdict.split_once(": ").unwrap_or((verdict, ""));
            let (promise, verdict) = stated.split_once(' ').unwrap_or((stated, ""));
            verdicts.push((promise, verdict, why));
        } else if let Some(key) = line
            .strip_prefix("k3s ")
            .filter(|key| !key.starts_with('{'))
        {
            k3s += &format!("\n{key}");
        } else {
            added += &format!("{line}\n");
        }
    }
    let is_whole = added.lines().any(|line| line.starts_with("node "));
    let text = match is_whole {
        true => added,
        false => format!("{PROGRAM}k3s {{ {k3s} }}\n{added}"),
    };
    Case {
        name,
        text,
        files,
        verdicts,
    }
}

/// The verdict of each promise on every node, with all reasons.
fn verdicts(case: &Case<'_>) -> BTreeMap<String, (String, String)> {
    let mut world = MemoryWorld::with("budget.bz", case.text.clone());
    for (path, content) in &case.files {
        world.insert(*path, content.as_bytes());
    }
    let analysis = Session::default().read(&world, "budget.bz", case.text.clone());
    analysis.view(&world, &Options::default(), |view| {
        let said = view
            .diagnostics
            .iter()
            .filter(|found| found.is_error())
            .map(|found| bzc::short(found, analysis.sources()));
        let said: Vec<String> = said.collect();
        assert!(said.is_empty(), "{}: {}", case.name, said.join("\n"));
        assert_eq!(view.disagreements(), Vec::<String>::new(), "{}", case.name);
        let report: Value = serde_json::from_str(view.report().expect("a report")).expect("JSON");
        let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
        for theorem in report["theorems"].as_array().into_iter().flatten() {
            let text = |key: &str| theorem[key].as_str().unwrap_or_default().to_owned();
            let why = theorem["why"].as_array().into_iter().flatten();
            let why: Vec<&str> = why.filter_map(Value::as_str).collect();
            let entry = found
                .entry(text("name"))
                .or_insert_with(|| (text("verdict"), String::new()));
            entry.1 += &why.join("; ");
        }
        found
    })
}

#[test]
fn verdicts_are_as_the_cases_say() {
    let base = verdicts(&case("the program below\n"));
    for promise in ["isolation", "non-interference", "liveness"] {
        assert_eq!(base[promise].0, "proved", "{promise}: {base:?}");
    }
    let mut faults = Vec::new();
    let mut seen = 0;
    for path in corpus::ending("tests/verdicts", ".txt") {
        let text = corpus::text(&path);
        for case in cases(&text) {
            seen += 1;
            let found = verdicts(&case);
            let is_base = case.text.starts_with(PROGRAM);
            for (promise, verdict, why) in &case.verdicts {
                match found.get(*promise) {
                    Some((is, reasons)) if is == verdict && reasons.contains(why) => {}
                    other => faults.push(format!(
                        "{}: {promise} should be {verdict} ({why}): {other:?}",
                        case.name
                    )),
                }
            }
            for (promise, (verdict, why)) in found.iter().filter(|_| is_base) {
                let is_named = case.verdicts.iter().any(|(named, ..)| named == promise);
                if !is_named && base.get(promise).is_some_and(|(base, _)| base != verdict) {
                    faults.push(format!("{}: {promise} is {verdict}: {why}", case.name));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 25, "{seen} cases");
}
