//! Every program of the repository under the formatter.

use std::path::PathBuf;

use crate::golden::{examples, goldens};
use crate::support::corpus;

/// Everything that is bz, wherever it is kept; `ui` has programs that are none, and formats those that parse.
fn programs() -> Vec<PathBuf> {
    ["examples", "stdlib", "tests", "compiler"]
        .into_iter()
        .flat_map(|folder| corpus::ending(folder, ".bz"))
        .collect()
}

#[test]
fn formatting_twice_is_formatting_once() {
    let mut formatted = 0;
    for path in programs() {
        let text = corpus::text(&path);
        let once = match bzc::format(&text) {
            Ok(once) => once,
            Err(found) => {
                assert!(
                    found.iter().all(|d| d.id.starts_with("BZ1")),
                    "{}: {found:?}",
                    corpus::shown(&path)
                );
                continue;
            }
        };
        formatted += 1;
        assert_eq!(
            bzc::format(&once),
            Ok(once.clone()),
            "{}: the second time differs",
            corpus::shown(&path)
        );
        assert_eq!(
            words(&text),
            words(&once),
            "{}: formatting added, lost or moved words",
            corpus::shown(&path)
        );
    }
    assert!(formatted > 30, "only {formatted} programs can be formatted");
}

/// All that counts: the characters without blanks and line ends, and without the commas a list may leave out. Comments
/// may move to the line before, so that only what is there is compared, not its order.
fn words(text: &str) -> Vec<char> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all: Vec<char> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ',')
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn formatted_programs_compile_to_the_same_files() {
    for case in goldens().iter().chain(&examples()) {
        let text = case.text();
        let formatted = bzc::format(&text);
        let Ok(formatted) = formatted else {
            unreachable!("{}: {formatted:?}", corpus::shown(&case.folder))
        };
        for env in &case.runs {
            let (before, _) = case.run(&text, env.as_deref());
            let (after, _) = case.run(&formatted, env.as_deref());
            let (before, after): (Vec<_>, Vec<_>) = (
                before.iter().map(placeless).collect(),
                after.iter().map(placeless).collect(),
            );
            assert!(
                before == after,
                "{}: formatted, it compiles to something else",
                corpus::shown(&case.folder)
            );
        }
    }
}

/// A file without the numbers of source lines: formatting moves lines.
fn placeless((path, bytes): (&String, &Vec<u8>)) -> (String, String) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split(".bz:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(".bz:");
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    (path.clone(), out)
}

#[test]
fn what_users_read_is_formatted() {
    let shown = ["examples", "stdlib", "compiler"]
        .into_iter()
        .flat_map(|folder| corpus::ending(folder, ".bz"));
    let not = shown.filter(|path| {
        let text = corpus::text(path);
        bzc::format(&text) != Ok(text)
    });
    let not: Vec<String> = not.map(|path| corpus::shown(&path)).collect();
    assert!(not.is_empty(), "run `bzc fmt` over {}", not.join(" "));
}
