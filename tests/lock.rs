//! Small changes to a full node whose program has a lock. `lock/before.bz` was built, and its lock and output are there;
//! `lock/<case>/budget.bz` is the program after a change. Beside it are `said.txt`, what `bzc diff --restarts` and the
//! builds say then, and `budget.lock`, the numbers. What moves has to move: with any one number put back into the new
//! lock, the next build moves something again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::cli::run;
use crate::support::{bless, corpus};

const LOCK: &str = "budget.lock";

/// The numbers of a lock, by path.
fn numbers(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().skip(1);
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

/// The numbers that services have according to report.json, those with a range, as the lock writes them.
fn reported(folder: &Path) -> BTreeMap<String, String> {
    let report = corpus::text(&folder.join("out/report.json"));
    let report: Value = serde_json::from_str(&report).expect("report.json is JSON");
    let services = report["services"].as_array().expect("services").iter();
    let ranged = services.filter(|service| service["lowBytes"] != service["highBytes"]);
    ranged
        .map(|service| {
            assert_eq!(service["choice"], "locked", "{service}");
            let name = service["name"].as_str().unwrap_or_default();
            let mib = service["mainLimitBytes"].as_u64().unwrap_or_default() >> 20;
            (format!("service.{name}.memory"), format!("{mib}Mi"))
        })
        .collect()
}

/// Every output, and the lock.
fn all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = corpus::files(folder).into_iter();
    files
        .map(|path| (corpus::below(&path, folder), corpus::bytes(&path)))
        .collect()
}

#[test]
fn numbers_that_still_fit_stay() {
    let top = corpus::root().join("tests/lock");
    let before = corpus::text(&top.join("before.bz"));
    let cases = corpus::folders(&top);
    assert!(cases.len() >= 10, "the folders are gone");
    let mut came_out = BTreeMap::new();
    for case in &cases {
        let shown = corpus::shown(case);
        let home = tempfile::tempdir().expect("a temporary folder");
        let folder = home.path();
        corpus::write(&folder.join("budget.bz"), before.as_bytes());
        let first = run("bzc build -q", folder);
        assert_eq!(first, "", "{shown}: the node is full, and has no lint");
        let old = corpus::text(&folder.join(LOCK));
        corpus::write(
            &folder.join("budget.bz"),
            &corpus::bytes(&case.join("budget.bz")),
        );
        let mut said = String::new();
        for command in [
            "bzc diff --restarts",
            "bzc build --check | head -2",
            "bzc build",
        ] {
            said += &format!("$ {command}\n{}\n", run(command, folder));
        }
        came_out.insert(
            case.join("said.txt"),
            format!("{}\n", said.trim_end()).into_bytes(),
        );
        let new = corpus::text(&folder.join(LOCK));
        came_out.insert(case.join(LOCK), new.clone().into_bytes());
        let stated: BTreeMap<String, String> = reported(folder);
        let stated: BTreeMap<&str, &str> = stated
            .iter()
            .map(|(path, number)| (path.as_str(), number.as_str()))
            .collect();
        assert_eq!(stated, numbers(&new), "{shown}");
        assert_eq!(
            run("bzc build --check", folder),
            "",
            "{shown}: built twice, it differs"
        );
        let once = all(folder);
        assert_eq!(run("bzc build -q", folder), "", "{shown}");
        assert!(
            once == all(folder),
            "{shown}: the same lock gives other bytes"
        );
        assert!(
            run("bzc verify", folder).trim_end().ends_with("agree"),
            "{shown}"
        );
        let (had, has) = (numbers(&old), numbers(&new));
        let moved: BTreeSet<&str> = had
            .iter()
            .filter(|(path, number)| has.get(*path).is_some_and(|now| now != *number))
            .map(|(path, _)| *path)
            .collect();
        for path in moved {
            let line = |number: &str| format!("{path} = {number}\n");
            let back = new.replace(&line(has[path]), &line(had[path]));
            corpus::write(&folder.join(LOCK), back.as_bytes());
            run("bzc build -q", folder);
            let again = corpus::text(&folder.join(LOCK));
            assert!(again != back, "{shown}: {path} could have stayed");
        }
    }
    let is_expectation = |path: &str| path.ends_with("/said.txt") || path.ends_with("/budget.lock");
    bless::settle(bless::there(&top, is_expectation), &came_out);
}
