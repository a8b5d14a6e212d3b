//! For any text: there is no panic, every place lies within a text, and a text that parses can be formatted. For any
//! report: `verify` says something.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use bzc::{Compilation, MemoryWorld, Options, Span};

use crate::support::corpus;

/// Damaged texts a program is tried with, in each of three ways. More says little more and takes its time.
const EACH: usize = 24;

/// Where tokens begin, roughly: words with their numbers, texts and single signs.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some((at, next)) = chars.next_if(|(_, next)| is_word(c) && is_word(*next)) {
            end = at + next.len_utf8();
        }
        found.push((start, end));
    }
    found
}

/// Compiles a text that may be anything, and checks what must hold for all of them.
fn survives(what: &str, text: &str) {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let compilation = bzc::compile(
            &MemoryWorld::default(),
            "budget.bz",
            text.to_owned(),
            &Options::default(),
        );
        check_places(what, &compilation);
        if compilation.diagnostics.len() < 200 {
            for diagnostic in &compilation.diagnostics {
                let shown = bzc::human(diagnostic, &compilation.sources, false);
                assert!(
                    shown.contains(diagnostic.id),
                    "{what}: `{shown}` does not name its fault"
                );
            }
        }
        assert!(
            compilation.output.is_none() || !compilation.has_errors(),
            "{what}: output in spite of errors"
        );
        if let Ok(once) = bzc::format(text) {
            assert_eq!(
                bzc::format(&once).as_ref(),
                Ok(&once),
                "{what}: formatting is not idempotent"
            );
        }
    }));
    let excerpt: String = text.chars().take(2000).collect();
    assert!(tried.is_ok(), "{what}: see above; the text was\n{excerpt}");
}

fn check_places(what: &str, compilation: &Compilation) {
    let inside = |span: Span| {
        let text = &compilation.sources.file(span.file).text;
        text.get(span.start as usize..span.end as usize).is_some()
    };
    for diagnostic in &compilation.diagnostics {
        let labels = diagnostic
            .primary
            .iter()
            .chain(&diagnostic.secondary)
            .map(|label| label.span);
        let edits = diagnostic
            .helps
            .iter()
            .flat_map(|help| &help.edits)
            .map(|edit| edit.span);
        let addends = diagnostic.addends.iter().filter_map(|addend| addend.span);
        for span in labels.chain(edits).chain(addends) {
            assert!(
                inside(span),
                "{what}: {span:?} of {} lies outside its text",
                diagnostic.id
            );
        }
    }
}

#[test]
fn damaged_programs_are_survived() {
    let programs: Vec<_> = ["examples", "tests"]
        .into_iter()
        .flat_map(|folder| corpus::ending(folder, ".bz"))
        .collect();
    assert!(programs.len() > 30, "the programs are gone");
    for path in programs {
        let (name, text) = (corpus::shown(&path), corpus::text(&path));
        let tokens = tokens(&text);
        // Evenly over the text, each way beginning at another token.
        let some = |way: usize| {
            let step = tokens.len().div_ceil(EACH).max(1);
            tokens.iter().skip(way % step).step_by(step)
        };
        for (start, end) in some(0) {
            survives(&format!("{name} up to byte {end}"), &text[..*end]);
            survives(&format!("{name} up to byte {start}"), &text[..*start]);
        }
        for (start, end) in some(1) {
            survives(
                &format!("{name} without bytes {start} to {end}"),
                &format!("{}{}", &text[..*start], &text[*end..]),
            );
        }
        for (start, end) in some(2) {
            let token = &text[*start..*end];
            survives(
                &format!("{name} with bytes {start} to {end} twice"),
                &format!("{} {token} {}", &text[..*end], &text[*end..]),
            );
        }
    }
}

#[test]
fn extreme_texts_are_survived() {
    let node = "node n { memory = 2000Mi reserve = 200Mi }\n";
    let texts = [
        (
            "braces",
            format!("{}{}", "a {".repeat(10_000), "}".repeat(10_000)),
        ),
        ("open braces", "service a { ".repeat(10_000)),
        ("closing braces", "}".repeat(10_000)),
        ("brackets", format!("a = {}", "[".repeat(10_000))),
        (
            "parentheses",
            format!("let a = {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        ),
        ("minus signs", format!("let a = {}1", "-".repeat(10_000))),
        (
            "a long sum",
            format!("{node}let a = 1{}", " + 1".repeat(100_000)),
        ),
        (
            "a long product",
            format!("{node}let a = 1{}", " * 2".repeat(900)),
        ),
        (
            "a long line",
            format!("{node}let a = \"{}\"", "x".repeat(1 << 20)),
        ),
        (
            "a long name",
            format!(
                "{node}service {} {{ memory = 32Mi image = \"a:1\" }}",
                "x".repeat(1 << 20)
            ),
        ),
        (
            "a long list",
            format!(
                "k3s {{ disable = [{}] }}\n{node}",
                "traefik, ".repeat(10_000)
            ),
        ),
        (
            "many unknown fields",
            format!("{node}service a {{ {} }}", "x = 1 ".repeat(2_000)),
        ),
        (
            "a long chain",
            (0..2_000)
                .map(|n| format!("let a{n} = a{}\n", n + 1))
                .collect::<String>()
                + node,
        ),
        (
            "zero bytes",
            format!("{node}service\0a\0{{ memory = 32Mi\0}} \0"),
        ),
        (
            "a zero byte in a text",
            format!("{node}service a {{ memory = 32Mi image = \"a:1\" env {{ A = \"x\0y\" }} }}"),
        ),
        (
            "lone carriage returns",
            node.replace('\n', "\r") + "service a {\r memory = 32Mi\r image = \"a:1\"\r}\r",
        ),
        (
            "a comment before a carriage return",
            format!("# a\rnode b\r\n{node}"),
        ),
        (
            "line separators",
            format!("# a\u{2028}b\u{85}c\n{node}\u{2028}"),
        ),
        ("a byte order mark", format!("\u{feff}{node}\u{feff}")),
        (
            "right to left",
            format!("{node}# \u{202e}x\nservice \u{202e} {{}}"),
        ),
        (
            "wide and joined characters",
            format!("{node}service e\u{301} {{ a = \"👩‍👩‍👧\" \u{1f4a9} }}"),
        ),
        (
            "the largest numbers",
            format!("{node}let a = 18446744073709551615Gi + 18446744073709551616"),
        ),
        (
            "an escape at the end",
            format!("{node}let a = \"\\u{{110000}}\\"),
        ),
    ];
    for (what, text) in texts {
        survives(what, &text);
    }
}

/// The names of all numbers of a report.
fn numbers(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, inner)| {
            if inner.is_number() {
                found.insert(key.clone());
            }
            numbers(inner, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| numbers(item, found)),
        _ => {}
    }
}

/// Gives every number of these names one value.
fn set(value: &mut Value, names: &[&String], to: u64) {
    match value {
        Value::Object(entries) => entries.iter_mut().for_each(|(key, inner)| {
            if inner.is_number() && names.contains(&key) {
                *inner = to.into();
            }
            set(inner, names, to);
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| set(item, names, to)),
        _ => {}
    }
}

#[test]
fn numbers_of_any_size_in_a_report_are_survived() {
    for name in [
        "examples/three-pis/out",
        "tests/golden/nodes-pinned/expected",
    ] {
        let path = corpus::root().join(name).join("report.json");
        let report: Value = serde_json::from_str(&corpus::text(&path)).expect("a report");
        let mut names = BTreeSet::new();
        numbers(&report, &mut names);
        names.remove("bzcReport");
        let names: Vec<&String> = names.iter().collect();
        let survives = |changed: &[&String], to: u64| {
            let mut report = report.clone();
            set(&mut report, changed, to);
            let text = report.to_string();
            let said = catch_unwind(|| bzc::verify(text.as_bytes()).map(|found| found.faults));
            assert!(said.is_ok(), "{name}: {changed:?} = {to}: see above");
        };
        for to in [u64::MAX, 1 << 63, 0] {
            survives(&names, to);
            for (at, name) in names.iter().enumerate() {
                survives(&[name], to);
                // One that is multiplied by another.
                for other in names.iter().skip(at % 7).step_by(7) {
                    survives(&[name, other], to);
                }
            }
        }
    }
}
