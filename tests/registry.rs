//! Codes and lints: each has a page, is raised somewhere in these tests, and is known where it is raised.

use std::collections::BTreeSet;

use crate::spec::pages;
use crate::support::corpus;
use crate::support::fence::fences;

/// Not about a program but about its file, so that no fence can show it: `tests/cli` does.
const WITHOUT_FENCES: [&str; 4] = ["BZ0001", "BZ0002", "BZ0003", "BZ0005"];
/// The panic hook's. There is no program that raises it, or there would be no panic.
const OF_THE_HOOK: &str = "BZ9001";

fn is_code(id: &str) -> bool {
    id.len() == 6 && id.starts_with("BZ") && id[2..].bytes().all(|byte| byte.is_ascii_digit())
}

fn codes() -> Vec<&'static str> {
    bzc::codes()
        .map(|(id, _)| id)
        .filter(|id| is_code(id))
        .collect()
}

fn lints() -> Vec<&'static str> {
    bzc::codes()
        .map(|(id, _)| id)
        .filter(|id| !is_code(id))
        .collect()
}

#[test]
fn codes_and_lints_are_unique_and_sorted() {
    for ids in [codes(), lints()] {
        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
        assert!(!ids.is_empty());
    }
    for (id, title) in bzc::codes() {
        assert!(
            !title.is_empty() && !title.ends_with('.'),
            "{id}: a title is a few words: `{title}`"
        );
    }
}

#[test]
fn every_page_shows_wrong_and_right() {
    let mut faults = Vec::new();
    for (kind, attribute, ids) in [("errors", "error", codes()), ("lints", "lint", lints())] {
        let pages = pages(kind);
        let (known, paged): (BTreeSet<&str>, BTreeSet<&str>) = (
            ids.iter().copied().collect(),
            pages.keys().map(String::as_str).collect(),
        );
        assert_eq!(known, paged, "pages in spec/{kind} and the register differ");
        for (id, path) in &pages {
            let text = corpus::text(path);
            let title = bzc::codes()
                .find(|(known, _)| known == id)
                .map_or("", |(_, title)| title);
            if text.lines().next() != Some(format!("# {id}: {title}").as_str()) {
                faults.push(format!(
                    "{id}: its page does not begin with `# {id}: {title}`"
                ));
            }
            if bzc::explain(id).as_deref() != Ok(text.as_str()) {
                faults.push(format!(
                    "{id}: `bzc explain {id}` shows something else than its page"
                ));
            }
            let found = fences(&text).unwrap_or_default();
            let programs: Vec<_> = found
                .iter()
                .filter(|fence| fence.language == "bz")
                .collect();
            let wrong = programs
                .iter()
                .any(|fence| fence.attribute(attribute) == Some(id.as_str()));
            let right = programs
                .iter()
                .any(|fence| fence.attributes.iter().all(|(key, _)| key == "env"));
            if !WITHOUT_FENCES.contains(&id.as_str()) {
                faults.extend(
                    (!wrong).then(|| format!("{id}: its page has no fence `bz {attribute}={id}`")),
                );
                faults
                    .extend((!right).then(|| format!("{id}: its page has no fence that is right")));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// The text of every source of the compiler, its unit tests left out.
fn sources() -> Vec<String> {
    let all = corpus::ending("compiler", ".rs")
        .into_iter()
        .filter(|path| corpus::stem(path) != "tests");
    all.map(|path| {
        corpus::text(&path)
            .split("#[cfg(test)]\nmod ")
            .next()
            .unwrap_or_default()
            .to_owned()
    })
    .collect()
}

#[test]
fn what_the_compiler_raises_is_registered_and_the_reverse() {
    let mut raised = BTreeSet::new();
    let mut linted = BTreeSet::new();
    for text in sources() {
        for rest in text.split('"').filter(|part| is_code(part)) {
            raised.insert(rest.to_owned());
        }
        for rest in text.split("Diagnostic::lint(").skip(1) {
            let id = rest.trim_start().strip_prefix('"').unwrap_or_default();
            linted.insert(id.split('"').next().unwrap_or_default().to_owned());
        }
        linted.remove("");
        for rest in text.split("error[BZ").skip(1) {
            raised.insert(format!("BZ{}", rest.split(']').next().unwrap_or_default()));
        }
    }
    raised.remove(OF_THE_HOOK);
    assert_eq!(
        raised,
        codes().into_iter().map(str::to_owned).collect(),
        "left: raised, right: registered"
    );
    assert_eq!(
        linted,
        lints().into_iter().map(str::to_owned).collect(),
        "left: raised, right: registered"
    );
}

#[test]
fn every_code_and_lint_is_raised_by_a_test() {
    // The inputs are compiled: the files that say what they raise may be being blessed.
    let raised = crate::ui::raised();
    let transcripts = corpus::ending("tests/cli", ".txt");
    let said: String = transcripts.iter().map(|path| corpus::text(path)).collect();
    let silent: Vec<&str> = bzc::codes()
        .map(|(id, _)| id)
        .filter(|id| !raised.contains(id))
        .filter(|id| !said.contains(&format!("[{id}]")) && !said.contains(&format!("title={id}")))
        .collect();
    assert!(
        silent.is_empty(),
        "no input of tests/ui and no transcript of tests/cli raises {silent:?}"
    );
}

#[test]
fn the_page_of_unknown_declarations_names_all_that_there_are() {
    let found = bzc::compile(
        &bzc::MemoryWorld::default(),
        "budget.bz",
        "gizmo x { }\n".to_owned(),
        &bzc::Options::default(),
    );
    let notes = found.diagnostics.iter().flat_map(|found| &found.notes);
    let listed: String = notes
        .filter(|note| note.contains("`service`"))
        .cloned()
        .collect();
    let page = corpus::text(&pages("errors")["BZ2013"]);
    let words: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    assert!(words.len() > 20, "{listed}");
    for word in words {
        assert!(
            page.contains(&format!("`{word}`")),
            "BZ2013 does not name `{word}`"
        );
    }
}
