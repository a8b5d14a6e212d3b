//! Findings as a SARIF 2.1.0 log, as code scanning services read it: one run, with a rule for each code and lint.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::codes::CODES;
use super::lints::LINTS;
use super::render::details;
use super::tool::Tool;
use super::{Diagnostic, Edit, Label, Severity};
use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};

/// The log of all results. `ids` are their codes and lints.
pub(super) fn log(tool: Tool, ids: &BTreeMap<&str, Severity>, mut results: Vec<Value>) -> String {
    for result in &mut results {
        let index = ids.keys().position(|id| result["ruleId"] == **id);
        result["ruleIndex"] = json!(index);
    }
    let rules: Vec<_> = ids
        .iter()
        .map(|(id, severity)| rule(tool, id, *severity))
        .collect();
    let mut driver = json!({
        "name": "bzc",
        "version": tool.version,
        "semanticVersion": tool.version,
        "rules": rules,
    });
    if !tool.repository.is_empty() {
        driver["informationUri"] = json!(tool.repository);
    }
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// What is known of a code or lint: its name, its title, its page, and where that page is published.
fn rule(tool: Tool, id: &str, severity: Severity) -> Value {
    let code = CODES.iter().find(|code| code.id == id);
    let lint = LINTS.iter().find(|lint| lint.name == id);
    let (title, page, folder) = match (code, lint) {
        (Some(code), _) => (code.title, code.page, "errors"),
        (_, Some(lint)) => (lint.title, lint.page, "lints"),
        (None, None) => ("", "", ""),
    };
    let mut rule = json!({
        "id": id,
        "defaultConfiguration": { "level": severity.word() },
        "help": { "text": format!("bzc explain {id}") },
    });
    if !page.is_empty() {
        rule["name"] = json!(name(match code {
            Some(_) => title,
            None => id,
        }));
        rule["shortDescription"] = json!({ "text": title });
        rule["fullDescription"] = json!({ "text": first_paragraph(page) });
        rule["help"] = json!({ "text": page, "markdown": page });
        if let Some(link) = tool.page(folder, id) {
            rule["helpUri"] = json!(link);
        }
    }
    rule
}

/// Words as one name: `an unknown field` is `UnknownField`.
fn name(words: &str) -> String {
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !matches!(*word, "a" | "an" | "the" | ""));
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            format!("{}{rest}", first.to_ascii_uppercase())
        })
        .collect()
}

/// The paragraph behind the title of a page, in one line.
fn first_paragraph(page: &str) -> String {
    let paragraph = page.split("\n\n").nth(1).unwrap_or_default();
    paragraph.lines().collect::<Vec<_>>().join(" ")
}

/// One finding. Labels become locations; the sum, notes and helps go into the text.
pub(super) fn result(diagnostic: &Diagnostic, sources: &SourceMap, fingerprint: &str) -> Value {
    let mut text = vec![diagnostic.message.clone()];
    text.extend(details(diagnostic, sources));
    let locations: Vec<_> = diagnostic
        .primary
        .iter()
        .map(|label| location(label, sources))
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.id,
        "level": diagnostic.severity.word(),
        "message": { "text": text.join("\n") },
        "locations": locations,
        "partialFingerprints": { "primaryLocationLineHash": fingerprint },
    });
    let related: Vec<_> = diagnostic
        .secondary
        .iter()
        .map(|label| location(label, sources))
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    let fixes: Vec<_> = diagnostic
        .helps
        .iter()
        .filter(|help| help.is_fix())
        .map(|help| json!({ "description": { "text": help.text }, "artifactChanges": changes(&help.edits, sources) }))
        .collect();
    if !fixes.is_empty() {
        result["fixes"] = Value::Array(fixes);
    }
    result
}

fn location(label: &Label, sources: &SourceMap) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": artifact(label.span.file, sources),
            "region": region(label.span, sources),
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}

/// The edits of a fix by file, in the order the files are first named.
fn changes(edits: &[Edit], sources: &SourceMap) -> Vec<Value> {
    let mut files: Vec<(FileId, Vec<Value>)> = Vec::new();
    for Edit { span, text } in edits {
        // Text is replaced in a region of lines and columns; the bytes say the same for those who prefer them.
        let mut deleted = region(*span, sources);
        deleted["byteOffset"] = json!(span.start);
        deleted["byteLength"] = json!(span.end - span.start);
        let replacement = json!({ "deletedRegion": deleted, "insertedContent": { "text": text } });
        match files.iter_mut().find(|(file, _)| *file == span.file) {
            Some((_, replacements)) => replacements.push(replacement),
            None => files.push((span.file, vec![replacement])),
        }
    }
    let change = |(file, replacements): (FileId, Vec<Value>)| json!({ "artifactLocation": artifact(file, sources), "replacements": replacements });
    files.into_iter().map(change).collect()
}

fn region(span: Span, sources: &SourceMap) -> Value {
    let (line, column) = sources.line_col(span.file, span.start);
    let (end_line, end_column) = sources.line_col(span.file, span.end);
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// The name of a file as a relative URI: what is no plain character of a path is written in hexadecimal.
fn artifact(file: FileId, sources: &SourceMap) -> Value {
    let mut uri = String::new();
    for byte in sources.file(file).shown.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte))
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    json!({ "uri": uri })
}
