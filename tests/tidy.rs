//! What holds for the repository as such: who may import whom, what every file begins with, what no file says.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::corpus;

const LONGEST: usize = 800;
/// Sources that are longer, and should not be. There are none.
const LONG: [&str; 0] = [];

/// Words are put together here, so that this file does not say them.
fn banned() -> Vec<String> {
    let both = |first: &str, second: &str| format!("{first}{second}");
    vec![
        both("todo", "!("),
        both("dbg", "!("),
        both("FIX", "ME"),
        both("XX", "X"),
        both("unimplemented", "!("),
        both("#[ig", "nore"),
    ]
}

/// Sources of the compiler and of its tests, with their paths from the top.
fn sources(folder: &str) -> Vec<(String, String)> {
    corpus::ending(folder, ".rs")
        .iter()
        .map(|path| (corpus::shown(path), corpus::text(path)))
        .collect()
}

#[test]
fn sources_say_what_they_are_and_are_short() {
    let mut faults = Vec::new();
    for (name, text) in sources("compiler")
        .into_iter()
        .chain(sources("tests"))
        .chain(sources("benches"))
    {
        let is_unit_test = name.ends_with("/tests.rs") || name.contains("/tests/");
        if !text.starts_with("//!") && !is_unit_test {
            faults.push(format!("{name} does not open with `//!`"));
        }
        let lines = text.lines().count();
        if (lines > LONGEST) != LONG.contains(&name.as_str()) {
            faults
                .push(format!("{name} has {lines} lines; those with more than {LONGEST} are listed in tests/tidy.rs"));
        }
        for word in banned() {
            let found = text.lines().position(|line| line.contains(&word));
            faults.extend(found.map(|at| format!("{name}:{}: `{word}`", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_points_at_one_machine() {
    // Put together, so that this file does not say them.
    let here = [
        ("/wo", "rk/"),
        ("/wo", "rk\""),
        ("spar", "se+"),
        ("replace-", "with"),
    ];
    let here: Vec<String> = here
        .iter()
        .map(|(first, second)| format!("{first}{second}"))
        .collect();
    let registry = format!("regis{}", "try+");
    let public = format!("{registry}https://github.com/rust-lang/crates.io-index");
    let mut faults = Vec::new();
    for path in corpus::files(&corpus::root()) {
        for (at, line) in corpus::text(&path).lines().enumerate() {
            let elsewhere = line.contains(&registry) && !line.contains(&public);
            if elsewhere || here.iter().any(|word| line.contains(word)) {
                faults.push(format!(
                    "{}:{}: {}",
                    corpus::shown(&path),
                    at + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Who may import what, from the table in ARCHITECTURE.md whose header is `| module | may import | ..`.
fn table() -> BTreeMap<String, Vec<String>> {
    let text = corpus::text_if_any(&corpus::root().join("ARCHITECTURE.md")).unwrap_or_default();
    let cells = |line: &str| -> Vec<String> {
        line.trim()
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    };
    let mut lines = text.lines().skip_while(|line| {
        let cells = cells(line);
        cells.first().map(String::as_str) != Some("module")
            || cells.get(1).map(String::as_str) != Some("may import")
    });
    let mut table = BTreeMap::new();
    lines.next();
    for line in lines
        .skip(1)
        .take_while(|line| line.trim_start().starts_with('|'))
    {
        let cells = cells(line);
        let (Some(modules), Some(allowed)) = (cells.first(), cells.get(1)) else {
            continue;
        };
        let split = |cell: &str| {
            cell.split([',', ';'])
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
        };
        for module in split(modules) {
            table.insert(module.trim_end_matches(".rs").to_owned(), split(allowed));
        }
    }
    table
}

/// Everything a source takes from elsewhere in the crate: `crate::a::b` and the names of `crate::{a, b::c}`.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for rest in line.split("crate::").skip(1) {
            match rest.strip_prefix('{') {
                Some(group) => found.extend(
                    group
                        .split(['}', ';'])
                        .next()
                        .unwrap_or_default()
                        .split(',')
                        .map(|name| name.trim().to_owned()),
                ),
                None => found.push(
                    rest.chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':')
                        .collect(),
                ),
            }
        }
    }
    found
        .iter()
        .map(|path| path.trim_end_matches(':').to_owned())
        .filter(|path| !path.is_empty())
        .collect()
}

/// The module a source belongs to: its folder, or its own name.
fn module(name: &str) -> String {
    let inside = name.strip_prefix("compiler/").unwrap_or(name);
    inside
        .split('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".rs")
        .to_owned()
}

fn may(allowed: &[String], path: &str) -> bool {
    allowed.iter().any(|entry| {
        let entry = entry.trim();
        entry == "all"
            || entry.starts_with("all ")
            || path == entry
            || path.starts_with(&format!("{entry}::"))
    })
}

#[test]
fn imports_follow_the_table_in_architecture() {
    let table = table();
    assert!(
        !table.is_empty(),
        "ARCHITECTURE.md has no table `| module | may import |`"
    );
    let mut faults = Vec::new();
    let mut modules = Vec::new();
    for (name, text) in sources("compiler") {
        let module = module(&name);
        if module == "lib" || corpus::stem(Path::new(&name)) == "tests" {
            continue;
        }
        modules.push(module.clone());
        if module == "cli" || module == "main" {
            // Another crate: it sees what `lib.rs` exports, and its own modules.
            let own = imports(&text)
                .into_iter()
                .filter(|path| path != "cli" && !path.starts_with("cli::"));
            faults.extend(own.map(|path| format!("{name} imports `{path}` past `lib.rs`")));
            continue;
        }
        let Some(allowed) = table.get(&module) else {
            faults.push(format!("{name}: the table has no row `{module}`"));
            continue;
        };
        for path in imports(&text) {
            let own = path == module || path.starts_with(&format!("{module}::"));
            if !own && !may(allowed, &path) {
                faults.push(format!(
                    "{name} imports `{path}`, and `{module}` may import {allowed:?}"
                ));
            }
        }
    }
    let known = |row: &str| modules.iter().any(|module| module == row);
    faults.extend(
        table
            .keys()
            .filter(|row| !known(row))
            .map(|row| format!("the table has a row `{row}`, and there is no such module")),
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_in_tests_is_forgotten() {
    let root = corpus::root().join("tests");
    for case in corpus::folders(&root.join("golden")) {
        let has = |name: &str| case.join(name).exists();
        assert!(
            has("main.bz") && has("expected"),
            "{} lacks `main.bz` or `expected`",
            corpus::shown(&case)
        );
    }
    let main = corpus::text(&root.join("main.rs"));
    for path in corpus::entries(&root)
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".rs"))
    {
        let stem = corpus::stem(path);
        // One is an example: it makes programs for the checks with real tools.
        assert!(
            stem == "main" || stem == "outputs" || main.contains(&format!("mod {stem};")),
            "tests/{stem}.rs is in no test binary"
        );
    }
    for name in ["golden", "ui", "cli"] {
        assert!(
            !corpus::entries(&root.join(name)).is_empty(),
            "tests/{name} is empty"
        );
    }
}
