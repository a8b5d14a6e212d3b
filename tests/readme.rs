//! What README.md shows is what happens. Its first ` ```bz ` fence is the program; each ` ```text ` fence that begins
//! with `$ bzc` is a run of it in a fresh folder, and each that begins with `error[` is what is said of the program
//! once the line that the sentence before the fence shows stands in it.
//!
//! `BLESS=1` writes what came out into those fences, and nothing else.

use std::collections::BTreeMap;

use bzc::{MemoryWorld, Options, Session};

use crate::cli;
use crate::support::fence::{Fence, fences};
use crate::support::{bless, corpus, ids, said};

const PROGRAM: &str = "budget.bz";

/// The last text between backticks in the line of prose before a fence.
fn change_before<'t>(readme: &'t str, fence: &Fence) -> &'t str {
    let prose = readme
        .lines()
        .take(fence.line - 1)
        .filter(|line| !line.trim().is_empty());
    prose
        .last()
        .and_then(|line| line.rsplit('`').nth(1))
        .unwrap_or_default()
}

/// The program with one of its lines replaced: the one that has all before the `=` of the new one.
fn changed(program: &str, line: &str) -> String {
    let key = line.split_inclusive('=').next().unwrap_or(line);
    let is_meant = |old: &&str| old.starts_with(key);
    assert_eq!(
        program.lines().filter(is_meant).count(),
        1,
        "`{line}` is to replace one line of the program"
    );
    program
        .lines()
        .map(|old| format!("{}\n", if is_meant(&old) { line } else { old }))
        .collect()
}

/// What is said of a program that does not compile.
fn refused(program: String) -> String {
    let compilation = Session::default().check(
        &MemoryWorld::default(),
        PROGRAM,
        program,
        &Options::default(),
    );
    assert_eq!(
        ids(&compilation, true).len(),
        1,
        "it shows one error, and there are others:\n{}",
        said(&compilation)
    );
    said(&compilation)
}

/// A command with what it printed, in a fresh folder that has the program and the sources of the first example.
fn ran(command: &str, program: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    corpus::write(&folder.path().join(PROGRAM), program.as_bytes());
    let example = corpus::root().join("examples/bizosaas");
    for path in corpus::files(&example.join("services")) {
        corpus::write(
            &folder.path().join(corpus::below(&path, &example)),
            &corpus::bytes(&path),
        );
    }
    format!("$ {command}\n{}", cli::run(command, folder.path()))
}

/// What a fence should hold; `None` if it shows no run.
fn shown(readme: &str, fence: &Fence, program: &str) -> Option<String> {
    if fence.language != "text" {
        return None;
    }
    let first = fence.text.lines().next()?;
    if let Some(command) = first
        .strip_prefix("$ ")
        .filter(|command| command.starts_with("bzc "))
    {
        return Some(ran(command, program));
    }
    first
        .starts_with("error[")
        .then(|| refused(changed(program, change_before(readme, fence))))
}

#[test]
fn what_the_readme_shows_is_what_happens() {
    let path = corpus::root().join("README.md");
    let readme = corpus::text(&path);
    let found = fences(&readme)
        .unwrap_or_else(|line| unreachable!("README.md:{line}: a fence that is never closed"));
    let program = found
        .iter()
        .find(|fence| fence.language == "bz")
        .map_or("", |fence| fence.text.as_str());
    assert!(!program.is_empty(), "README.md has no program");

    let mut lines: Vec<&str> = readme.lines().collect();
    let runs: Vec<(&Fence, String)> = found
        .iter()
        .filter_map(|fence| Some((fence, shown(&readme, fence, program)?)))
        .collect();
    let kinds = ["$ bzc build budget.bz\n", "$ bzc plan\n", "error[BZ4001]"];
    let missing: Vec<&&str> = kinds
        .iter()
        .filter(|kind| runs.iter().all(|(_, ran)| !ran.starts_with(**kind)))
        .collect();
    assert!(missing.is_empty(), "README.md does not show {missing:?}");
    // From the last to the first, so that the lines before stay where they are.
    for (fence, ran) in runs.iter().rev() {
        lines.splice(
            fence.line..fence.line + fence.text.lines().count(),
            ran.lines(),
        );
    }
    let went = format!("{}\n", lines.join("\n"));
    bless::settle(Vec::new(), &BTreeMap::from([(path, went.into_bytes())]));
}

/// Files that name the version of bzc, to be raised with it.
const NAME_THE_VERSION: [&str; 6] = [
    "pyproject.toml",
    "action.yml",
    "README.md",
    "examples/ci/github-workflow.yml",
    "examples/ci/gitlab-ci.yml",
    "examples/ci/woodpecker.yml",
];

#[test]
fn versions_agree() {
    let version = env!("CARGO_PKG_VERSION");
    for name in NAME_THE_VERSION {
        let text = corpus::text(&corpus::root().join(name));
        assert!(text.contains(version), "{name} does not name {version}");
        // `bzc==1.2.3`, but not the versions of other things.
        for rest in text
            .split("bzc==")
            .skip(1)
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        {
            assert!(
                rest.starts_with(version),
                "{name} names another version: bzc=={}",
                &rest[..rest.len().min(8)]
            );
        }
    }
    let hooks = corpus::text(&corpus::root().join("pyproject.toml"));
    assert!(hooks.contains(&format!("version = \"{version}\"")));
}
