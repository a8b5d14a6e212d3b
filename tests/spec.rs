//! Text that runs: the fences of README.md, of `spec/` and of the pages of codes and lints.
//!
//! - ` ```bz ` compiles without errors, on the page of a code or lint without warnings too
//! - ` ```bz error=BZ4001 ` raises exactly that error, ` ```bz lint=unused ` exactly that lint
//! - `env=NAME` compiles for an environment
//! - any fence with `file=PATH` is that file in the world of the programs behind it, with `mib=N` one of so many MiB
//! - any fence with `out=PATH` stands, line by line, in that file of the output of the last program before it
//!
//! A program without a node gets one, and one without `k3s` gets a small one, so that a page shows only its point.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bzc::{MemoryWorld, Options};

use crate::support::fence::{Fence, fences};
use crate::support::{corpus, ids, said};

const NODE: &str = "node box { memory = 2000Mi  cpu = 2  reserve = 200Mi }\n";
const K3S: &str = "k3s { memory = 400Mi }\n";

/// The Markdown whose fences run.
pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found = corpus::ending("spec", ".md");
    found.extend(
        ["README.md"]
            .map(|name| corpus::root().join(name))
            .into_iter()
            .filter(|path| path.is_file()),
    );
    found
}

/// The pages of codes or lints, by what they are about.
pub(crate) fn pages(kind: &str) -> BTreeMap<String, PathBuf> {
    corpus::ending(&format!("spec/{kind}"), ".md")
        .into_iter()
        .map(|path| (corpus::stem(&path), path))
        .collect()
}

/// The program of a fence, with the machine it leaves out.
fn whole(fence: &Fence) -> String {
    let declares = |kind: &str| {
        let begins =
            |line: &str| line.split(|c: char| c.is_whitespace() || c == '{').next() == Some(kind);
        fence.text.lines().any(begins)
    };
    let mut text = fence.text.clone();
    if !declares("node") && fence.attribute("error") != Some("BZ2015") {
        text += NODE;
        if !declares("k3s") {
            text += K3S;
        }
    }
    text
}

/// Runs the fences of one document; what is wrong goes to `faults`.
fn run(path: &Path, faults: &mut Vec<String>) -> usize {
    let name = corpus::shown(path);
    let is_page = name.starts_with("spec/errors/") || name.starts_with("spec/lints/");
    let found = match fences(&corpus::text(path)) {
        Ok(found) => found,
        Err(line) => {
            faults.push(format!("{name}:{line}: a fence that is never closed"));
            return 0;
        }
    };
    let mut ran = 0;
    let mut output: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut world = MemoryWorld::default();
    for fence in &found {
        let place = format!("{name}:{}", fence.line);
        if let Some(out) = fence.attribute("out") {
            ran += 1;
            let Some(bytes) = output.get(out) else {
                let known: Vec<&String> = output.keys().collect();
                faults.push(format!(
                    "{place}: the program before it has no output `{out}`, but {known:?}"
                ));
                continue;
            };
            let text = format!("\n{}", String::from_utf8_lossy(bytes));
            if fence.text.trim().is_empty() || !text.contains(&format!("\n{}", fence.text)) {
                faults.push(format!(
                    "{place}: these lines are not in `{out}`, which is\n{text}"
                ));
            }
            continue;
        }
        if let Some(path) = fence.attribute("file") {
            let mib: Option<usize> = fence.attribute("mib").and_then(|mib| mib.parse().ok());
            world.insert(
                path,
                mib.map_or_else(|| fence.text.clone().into_bytes(), |mib| vec![0; mib << 20]),
            );
            continue;
        }
        if fence.language != "bz" {
            continue;
        }
        ran += 1;
        let known = ["error", "lint", "env"];
        faults.extend(
            fence
                .attributes
                .iter()
                .filter(|(key, _)| !known.contains(&key.as_str()))
                .map(|(key, _)| format!("{place}: unknown word `{key}`")),
        );
        let options = Options {
            env: fence.attribute("env").map(str::to_owned),
            ..Default::default()
        };
        let compilation = bzc::compile(&world, "budget.bz", whole(fence), &options);
        let (errors, lints) = (ids(&compilation, true), ids(&compilation, false));
        let (held, promise) = match (fence.attribute("error"), fence.attribute("lint")) {
            (Some(code), _) => (errors == [code], format!("exactly one error, {code}")),
            (None, Some(lint)) => (
                errors.is_empty() && lints == [lint],
                format!("exactly the lint `{lint}`"),
            ),
            (None, None) if is_page => (
                errors.is_empty() && lints.is_empty(),
                "nothing to say".to_owned(),
            ),
            (None, None) => (errors.is_empty(), "no errors".to_owned()),
        };
        if !held {
            faults.push(format!(
                "{place}: promises {promise}, but\n{}",
                said(&compilation)
            ));
        }
        output = compilation
            .output
            .map(|output| output.files.into_iter().collect())
            .unwrap_or_default();
    }
    ran
}

#[test]
fn programs_in_the_text_do_what_the_text_says() {
    let mut faults = Vec::new();
    let ran: usize = documents().iter().map(|path| run(path, &mut faults)).sum();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(ran > 0, "no text has a program");
}

/// Rule ids as the chapters define them, `r[budget.fill]` alone on a line, each with where.
fn rules() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in documents() {
        for (at, line) in corpus::text(&path).lines().enumerate() {
            if let Some(id) = line
                .trim()
                .strip_prefix("r[")
                .and_then(|rest| rest.strip_suffix(']'))
            {
                found.push((
                    id.to_owned(),
                    format!("{}:{}", corpus::shown(&path), at + 1),
                ));
            }
        }
    }
    found
}

#[test]
fn rules_have_one_place_each() {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (id, place) in rules() {
        let shape = id.contains('.')
            && id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c));
        assert!(shape, "{place}: `{id}` is not chapter.topic");
        if let Some(first) = known.insert(id.clone(), place.clone()) {
            unreachable!("{place}: `{id}` is already the rule of {first}");
        }
    }
    assert!(!known.is_empty(), "no chapter states a rule");
}

#[test]
fn what_is_assumed_is_in_the_specification_as_in_reports() {
    let read = |path: &str| corpus::text(&corpus::root().join(path));
    let (spec, report) = (
        read("spec/06-proof.md"),
        read("compiler/backend/assumed.md"),
    );
    let lists = report.split("\n\n").filter(|part| part.starts_with("- "));
    let lists: Vec<&str> = lists.map(str::trim_end).collect();
    assert_eq!(lists.len(), 2);
    for list in lists {
        assert!(spec.contains(list), "{list}");
    }
}

#[test]
fn rules_that_the_compiler_cites_exist() {
    let known: BTreeSet<String> = rules().into_iter().map(|(id, _)| id).collect();
    let mut cited = BTreeSet::new();
    for path in corpus::ending("compiler", ".rs") {
        let text = corpus::text(&path);
        for (before, after) in [("Origin::default(\"", '"'), ("\"rule ", '"')] {
            for rest in text.split(before).skip(1) {
                let id = rest.split(after).next().unwrap_or_default();
                if !id.is_empty() && !id.contains('{') {
                    cited.insert(id.to_owned());
                }
            }
        }
    }
    assert!(
        !cited.is_empty(),
        "the compiler cites no rule: has `Origin::default` another name?"
    );
    let missing: Vec<&String> = cited.difference(&known).collect();
    assert!(
        missing.is_empty(),
        "the compiler cites rules that no chapter states: {missing:?}"
    );
}
