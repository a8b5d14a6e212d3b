//! The tables of the language against everything that has to follow them: the example of every field compiles and
//! changes what comes out, a value of another type is refused, and the specification lists the same fields.
//!
//! `schema/PLACE.bz` is a program around the fields of a declaration or block, which stand where it says FIELDS. A line
//! `# needs KEY: FIELD` gives what has to be there where an example does not give that key.

use std::collections::{BTreeMap, BTreeSet};

use bzc::{Compilation, Field};

use crate::support::world::Folder;
use crate::support::{bless, compile, corpus, ids};

/// Of these one is enough.
const ONE_OF: [(&str, &[&str]); 6] = [
    ("secret", &["from", "sealed", "external", "keys"]),
    (
        "volume",
        &[
            "claim", "config", "secret", "disk", "memory", "host", "storage",
        ],
    ),
    ("probe", &["path", "tcp", "exec"]),
    ("rule", &["resources", "urls"]),
    ("hook", &["path", "exec", "sleep"]),
    ("disruption-budget", &["min-available", "max-unavailable"]),
];

/// Fields that say something only of a source, and of a program that does not fit: neither is here.
const SILENT: [(&str, &str); 15] = [
    ("adopt", "unlimited"), // Only a container without a limit would show it.
    ("kind.workload", "schedule"), // Only a `cron` has it.
    ("kind.workload", "concurrency"),
    ("runtime", "calm"),
    ("runtime", "entry"),
    ("runtime", "floor"),
    ("runtime", "language"),
    ("runtime", "leaner"),
    ("runtime", "libraries"),
    ("runtime", "needs"),
    ("runtime", "port"),
    ("runtime", "worker"),
    ("runtime", "worker-calm"),
    ("secret", "from"), // Its kustomization stands beside its file.
    ("secret", "keys"),
];

/// Fields that a kind of workload refuses, and says why.
const REFUSED: [(&str, &str); 5] = [
    ("adopt", "helm"), // What the example adopts is no chart.
    ("others", "of"),
    ("daemon", "anti-affinity"),
    ("job", "anti-affinity"),
    ("cron", "anti-affinity"),
];

/// The fields of an example, which are two blanks apart; blocks stay whole.
fn split(example: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut fields = Vec::new();
    let mut start = 0;
    for (at, sign) in example.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ' ' if depth == 0 && example[at..].starts_with("  ") => {
                fields.push(example[start..at].trim());
                start = at;
            }
            _ => {}
        }
    }
    fields.push(example[start..].trim());
    fields.retain(|field| !field.is_empty());
    fields
}

fn key_of(field: &str) -> &str {
    field.split(' ').next().unwrap_or_default()
}

/// A program with these fields in a place. What the place needs and they do not give is added.
fn program(of: &Field, fields: &[&str]) -> String {
    let path = corpus::root().join(format!("tests/schema/{}.bz", of.place));
    let text = corpus::text(&path);
    let given: Vec<&str> = fields.iter().map(|field| key_of(field)).collect();
    let is_given = |need: &str| {
        let one_of = ONE_OF
            .iter()
            .find(|(place, keys)| *place == of.place && keys.contains(&need));
        let others = one_of.map_or(&[][..], |(_, keys)| keys);
        given.contains(&need) || others.iter().any(|key| given.contains(key))
    };
    let needs = text
        .lines()
        .filter_map(|line| line.strip_prefix("# needs ")?.split_once(": "))
        .filter(|(need, _)| !is_given(need))
        .map(|(_, field)| field);
    let all: Vec<&str> = needs.chain(fields.iter().copied()).collect();
    let name = match of.key {
        "concurrency" | "at-most" => "tick",
        _ => "web",
    };
    text.replace("NAME", name)
        .replace("FIELDS", &all.join("  "))
}

fn compiled(text: &str) -> Compilation {
    let world = Folder::new(corpus::root().join("tests/schema"));
    compile(&world, "main.bz", text, None)
}

fn messages(compilation: &Compilation) -> Vec<&str> {
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error());
    errors.map(|found| found.message.as_str()).collect()
}

#[test]
fn the_example_of_every_field_compiles_and_changes_what_comes_out() {
    let mut faults = Vec::new();
    for field in bzc::fields() {
        let name = format!("{}.{}", field.place, field.key);
        let is = |list: &[(&str, &str)]| list.contains(&(field.place, field.key));
        let example = split(field.example);
        let with = compiled(&program(&field, &example));
        if with.has_errors() != is(&REFUSED) {
            faults.push(format!(
                "{name}: {:?} {:?}",
                ids(&with, true),
                messages(&with)
            ));
        }
        let others: Vec<&str> = example
            .into_iter()
            .filter(|other| key_of(other) != field.key)
            .collect();
        let without = compiled(&program(&field, &others));
        let files = |compilation: &Compilation| {
            compilation
                .output
                .as_ref()
                .map(|output| output.files.clone())
        };
        if (files(&with) == files(&without)) != is(&SILENT) {
            faults.push(format!(
                "{name}: the same comes out without it, or is in SILENT"
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// A value that is of another type than the field takes, and the code that it gives, by how `takes` begins.
const OTHER_TYPES: [(&str, &str, &str); 12] = [
    ("`true` or `false`", "= 5", "BZ3009"),
    ("`NAME`", "= 5", "BZ3012"),
    ("`", "= unheard-of", "BZ3011"),
    ("a name and a block", "= 5", "BZ3012"),
    ("a host and a block", "= 5", "BZ3012"),
    ("block", "= 5", "BZ3009"),
    ("a range of counts", "= [a]", "BZ3012"),
    ("list of", "= 5", "BZ3009"),
    ("name", "= 5", "BZ3009"),
    ("one of", "= 5", "BZ3009"),
    ("the name of", "= 5", "BZ3009"),
    ("", "= [a]", "BZ3009"),
];

#[test]
fn a_value_of_another_type_is_refused() {
    let mut faults = Vec::new();
    for field in bzc::fields() {
        let name = format!("{}.{}", field.place, field.key);
        let other = OTHER_TYPES
            .iter()
            .find(|(takes, ..)| field.takes.starts_with(takes));
        let (value, code) = other.map_or(("", ""), |(_, value, code)| (*value, *code));
        let wrong = format!("{} {value}", field.key);
        let mut fields: Vec<&str> = split(field.example);
        fields.retain(|other| key_of(other) != field.key);
        fields.push(&wrong);
        let found = compiled(&program(&field, &fields));
        let ids = ids(&found, true);
        // What is missing for want of that value may be said too.
        if !ids.contains(&code) || !ids.iter().all(|id| *id == code || *id == "BZ3006") {
            faults.push(format!(
                "{name} {value} ({}): {ids:?} {:?}",
                field.takes,
                messages(&found)
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// The tables of the specification, each behind the rule with this id.
const TABLES: [(&str, &str); 20] = [
    ("node", "declarations.node.form"),
    ("k3s", "declarations.k3s.own"),
    ("component", "declarations.component.form"),
    ("tier", "declarations.tier.form"),
    ("service", "declarations.service.form"),
    ("image", "declarations.image.built"),
    ("port", "declarations.port.several"),
    ("ingress", "declarations.ingress.form"),
    ("tls", "declarations.ingress.tls"),
    ("probe", "declarations.probe.block"),
    ("security", "declarations.security.form"),
    ("volume", "declarations.volume.form"),
    ("secret", "declarations.secret.form"),
    ("runtime", "declarations.runtime.form"),
    ("kind", "declarations.kind.form"),
    ("kind.workload", "declarations.kind.workload"),
    ("kind.container", "declarations.kind.container"),
    ("kind.unknown", "declarations.kind.unknown"),
    ("kind.volume", "declarations.kind.volume"),
    ("chart", "declarations.chart"),
];

/// The rows of a place as the specification shows them.
fn table(place: &str) -> String {
    let mut table = "| field | takes | if left out | is |\n| --- | --- | --- | --- |\n".to_owned();
    for field in bzc::fields().filter(|field| field.place == place) {
        let Field {
            key,
            takes,
            without,
            meaning,
            ..
        } = field;
        table += &format!("| `{key}` | {takes} | {without} | {meaning} |\n");
    }
    table
}

#[test]
fn the_tables_of_the_specification_are_these() {
    let path = corpus::root().join("spec/05-declarations.md");
    let mut text = corpus::text(&path);
    for (place, rule) in TABLES {
        let at = text.find(&format!("r[{rule}]\n"));
        let at = at.expect("each of these rules is in spec/05");
        let section = text[at..].find("\nr[").map_or(text.len(), |next| at + next);
        let start = at
            + text[at..section]
                .find("\n| field |")
                .expect("each of these rules has a table")
            + 1;
        let end = text[start..]
            .find("\n\n")
            .map_or(text.len(), |end| start + end + 1);
        text.replace_range(start..end, &table(place));
    }
    bless::settle(
        vec![path.clone()],
        &BTreeMap::from([(path, text.clone().into_bytes())]),
    );
}

#[test]
fn a_rule_of_the_specification_names_every_field() {
    let chapters = corpus::ending("spec", ".md");
    let chapters: Vec<String> = { chapters.iter() }.map(|path| corpus::text(path)).collect();
    // The tables are made from the rows, so they do not count.
    let lines: Vec<&str> = { chapters.iter() }
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with('|'))
        .collect();
    let is_named = |key: &str| {
        let named = [format!("`{key}`"), format!("`{key} ")];
        let is_there = |line: &&str| named.iter().any(|named| line.contains(named.as_str()));
        lines.iter().any(is_there)
    };
    let missing: Vec<String> = bzc::fields()
        .filter(|field| !is_named(field.key))
        .map(|field| format!("{}.{}", field.place, field.key))
        .collect();
    assert!(missing.is_empty(), "no rule names {missing:?}");
}

#[test]
fn goldens_have_every_field() {
    let goldens = corpus::folders(&corpus::root().join("tests/golden"));
    let programs: Vec<String> = goldens
        .iter()
        .map(|case| corpus::text(&case.join("main.bz")))
        .collect();
    let is_key = |text: &str, key: &str| {
        text.match_indices(key).any(|(at, _)| {
            let before = text[..at]
                .chars()
                .next_back()
                .is_none_or(|c| c == ' ' || c == '\n');
            let after = &text[at + key.len()..];
            before && after.starts_with([' ', '='])
        })
    };
    let missing: Vec<String> = bzc::fields()
        .filter(|field| !programs.iter().any(|text| is_key(text, field.key)))
        .map(|field| format!("{}.{}", field.place, field.key))
        .collect();
    assert!(missing.is_empty(), "no golden has {missing:?}");
}

/// The words between backticks, without what may follow them: `surge` of `surge N%`.
fn words(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split(' ').next()).collect()
}

#[test]
fn a_field_takes_the_words_of_its_row_and_no_others() {
    let mut faults = Vec::new();
    for field in bzc::fields().filter(|field| {
        field.takes.starts_with('`')
            && !words(field.takes)
                .iter()
                .any(|word| *word == "NAME" || *word == "true")
    }) {
        let wrong = format!("{} = unheard-of", field.key);
        let mut fields: Vec<&str> = split(field.example);
        fields.retain(|other| key_of(other) != field.key);
        fields.push(&wrong);
        let found = compiled(&program(&field, &fields));
        let notes = found.diagnostics.iter().flat_map(|found| &found.notes);
        let note = notes
            .map(String::as_str)
            .find_map(|note| note.strip_prefix("it can be "));
        let known = note.map_or_else(BTreeSet::new, words);
        if known != words(field.takes) {
            faults.push(format!(
                "{}.{}: {} in its row, {known:?} in the message",
                field.place, field.key, field.takes
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
