//! What holds for the repository as such: who may import whom, what every file begins with, what no file says.

use std::collections::{BTreeMap, BTreeSet};
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

/// What the library must not touch: `World` reads for it, and nothing tells it the time.
const OUTSIDE: [&str; 5] = ["fs", "env", "net::Tcp", "process", "time"];

#[test]
fn the_library_leaves_the_machine_alone() {
    let mut faults = Vec::new();
    for (name, text) in sources("compiler") {
        if name.starts_with("compiler/cli/") || name == "compiler/main.rs" {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let uses = |module: &&&str| {
                let inner = line
                    .trim_start()
                    .strip_prefix("use std::{")
                    .unwrap_or_default();
                line.contains(&format!("std::{module}"))
                    || inner
                        .split([',', '}'])
                        .any(|name| name.trim().starts_with(**module))
            };
            let found = OUTSIDE.iter().find(uses);
            faults.extend(found.map(|module| format!("{name}:{}: `std::{module}`", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What changes the disk. `compiler/cli/write/disk.rs` has all of it, so that tests can stop a run at each.
const CHANGES: [&str; 12] = [
    "fs::write(",
    "fs::rename(",
    "fs::remove_",
    "fs::create_dir",
    "fs::copy(",
    "fs::hard_link(",
    "fs::set_permissions(",
    ".set_permissions(",
    "File::create",
    "OpenOptions::",
    ".persist(",
    ".set_len(",
];

#[test]
fn one_file_changes_the_disk() {
    let mut faults = Vec::new();
    for (name, text) in sources("compiler") {
        if name == "compiler/cli/write/disk.rs" || name.ends_with("/tests.rs") {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let found = CHANGES.iter().find(|call| line.contains(**call));
            faults.extend(found.map(|call| format!("{name}:{}: `{call}`", at + 1)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every name behind a group of a path: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn flat(path: &str) -> Vec<String> {
    let Some((before, group)) = path.split_once('{') else {
        return vec![
            path.split(" as ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        ];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut names, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    names.push(&group[start..]);
    let names = names
        .into_iter()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .flat_map(|name| flat(&format!("{before}{name}")))
        .collect()
}

/// The path of a file as a module: `sema::image`.
fn module_path(name: &str) -> String {
    let inside = name.strip_prefix("compiler/").unwrap_or(name);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    inside
        .strip_suffix("/mod")
        .unwrap_or(inside)
        .replace('/', "::")
}

/// All paths that a file names, from the top of the crate.
fn paths(module: &str, text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let code: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut named = Vec::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.trim_start();
        let visible = ["pub ", "pub(crate) ", "pub(super) "];
        let start = visible
            .iter()
            .find_map(|word| start.strip_prefix(word))
            .unwrap_or(start);
        match start.strip_prefix("use ") {
            Some(path) => named.extend(flat(&path.trim_end_matches(';').replace('\n', " "))),
            None => rest += statement,
        }
    }
    let is_path = |c: char| !(c.is_alphanumeric() || c == '_' || c == ':');
    named.extend(
        rest.split(is_path)
            .filter(|word| word.contains("::"))
            .map(str::to_owned),
    );
    let children: Vec<&str> = code
        .lines()
        .filter_map(|line| line.strip_suffix(';')?.split_once("mod "))
        .map(|(_, child)| child)
        .collect();
    let absolute = |path: &String| {
        let mut from: Vec<&str> = module.split("::").collect();
        let mut rest = path.as_str();
        if let Some(path) = rest.strip_prefix("crate::") {
            return Some(path.to_owned());
        }
        let is_child = children.contains(&rest.split("::").next().unwrap_or_default());
        if !is_child && !rest.starts_with("super::") && !rest.starts_with("self::") {
            return None;
        }
        rest = rest.strip_prefix("self::").unwrap_or(rest);
        while let Some(path) = rest.strip_prefix("super::") {
            from.pop();
            rest = path;
        }
        from.push(rest);
        Some(from.join("::"))
    };
    named.iter().filter_map(absolute).collect()
}

/// All that a file imports, itself or by others.
fn reached<'f>(from: &'f str, imports: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> BTreeSet<&'f str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        let next = imports.get(file).into_iter().flatten();
        open.extend(next.copied().filter(|file| seen.insert(*file)));
    }
    seen
}

#[test]
fn files_import_each_other_in_no_circle() {
    let is_library = |name: &str| {
        let is_test = corpus::stem(Path::new(name)) == "tests" || name.contains("/tests/");
        !is_test
            && !name.contains("/cli/")
            && name != "compiler/lib.rs"
            && name != "compiler/main.rs"
    };
    let files: BTreeMap<String, String> = sources("compiler")
        .into_iter()
        .filter(|(name, _)| is_library(name))
        .map(|(name, text)| (module_path(&name), text))
        .collect();
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (module, text) in &files {
        for path in paths(module, text) {
            let mut at = path.as_str();
            // The longest beginning of the path that is a file.
            let found = loop {
                if let Some((file, _)) = files.get_key_value(at) {
                    break Some(file.as_str());
                }
                match at.rsplit_once("::") {
                    Some((before, _)) => at = before,
                    None => break None,
                }
            };
            let found = found.filter(|file| file != module);
            imports.entry(module).or_default().extend(found);
        }
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = files
        .keys()
        .map(|file| (file.as_str(), reached(file, &imports)))
        .collect();
    let mut circles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in reached.keys().filter(|file| reached[*file].contains(*file)) {
        let mut mutual = reached[file]
            .iter()
            .filter(|other| reached[*other].contains(file));
        let first = mutual.next().copied().unwrap_or(file);
        circles.entry(first).or_default().push(file);
    }
    assert!(circles.is_empty(), "{circles:#?}");
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

/// Paths in a line of a document that are not there. They begin at the root, at `compiler/`, at one of the two rooms that
/// have floors, or at the folder that the line is about, which it names first.
fn missing_paths(line: &str) -> Vec<&str> {
    let root = corpus::root();
    let quoted = || line.split('`').skip(1).step_by(2);
    let room = quoted().next().filter(|first| first.ends_with('/'));
    let room = room.map(|room| format!("compiler/{room}"));
    let folders = ["", "compiler", "compiler/plan", "compiler/sema"];
    let is_there = |path: &str| {
        let mut folders = folders.into_iter().chain(room.as_deref());
        folders.any(|folder| root.join(folder).join(path).exists())
    };
    let is_path = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        let is_example = ["NAME", "GROUP", "BZnnnn"]
            .iter()
            .any(|name| word.contains(name));
        word.chars().all(plain) && !is_example && (word.contains('/') || word.ends_with(".rs"))
    };
    quoted()
        .filter(is_path)
        .filter(|path| !is_there(path))
        .collect()
}

#[test]
fn documents_name_files_that_are_there() {
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = corpus::text(&corpus::root().join(document));
        let missing: Vec<&str> = text.lines().flat_map(missing_paths).collect();
        assert!(
            missing.is_empty(),
            "{document} names {missing:?}, which are not there"
        );
    }
}
