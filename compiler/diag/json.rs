//! A diagnostic for programs: one JSON object a line, or a SARIF log.
//!
//! Keys stand in alphabetical order, so equal findings give equal bytes. No text ends in a line feed.

use serde_json::{Value, json};

use super::render::details;
use super::{Diagnostic, Edit, Label};
use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};

/// The diagnostic as one JSON object in one line.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let label = |label: &Label, primary: bool| {
        json!({
            "file": sources.file(label.span.file).shown,
            "span": span(label.span, sources),
            "text": label.text,
            "primary": primary,
        })
    };
    let primary = diagnostic.primary.as_ref();
    let labels: Vec<_> = primary
        .map(|first| label(first, true))
        .into_iter()
        .chain(diagnostic.secondary.iter().map(|other| label(other, false)))
        .collect();
    let addends: Vec<_> = diagnostic
        .addends
        .iter()
        .map(|addend| {
            json!({
                "what": addend.what,
                "amount": addend.amount,
                "place": addend.span.map(|span| sources.place(span)),
            })
        })
        .collect();
    let edit = |edit: &Edit| {
        let mut object = span(edit.span, sources);
        object["file"] = json!(sources.file(edit.span.file).shown);
        object["text"] = json!(edit.text);
        object
    };
    let helps: Vec<_> = diagnostic
        .helps
        .iter()
        .map(|help| {
            json!({
                "text": help.text,
                "edits": help.edits.iter().map(edit).collect::<Vec<_>>(),
                "left": help.left,
            })
        })
        .collect();
    json!({
        "severity": diagnostic.severity.word(),
        "code": diagnostic.id,
        "message": diagnostic.message,
        "file": primary.map(|label| &sources.file(label.span.file).shown),
        "span": primary.map(|label| span(label.span, sources)),
        "labels": labels,
        "addends": addends,
        "notes": diagnostic.notes,
        "helps": helps,
    })
    .to_string()
}

/// Bytes from 0, lines and columns from 1; the ends are exclusive, columns count characters.
fn span(span: Span, sources: &SourceMap) -> Value {
    let (line, column) = sources.line_col(span.file, span.start);
    let (end_line, end_column) = sources.line_col(span.file, span.end);
    json!({
        "start": span.start,
        "end": span.end,
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// All diagnostics of a run as a SARIF 2.1.0 log, as code scanning services read it.
pub fn sarif(diagnostics: &[Diagnostic], sources: &SourceMap, version: &str) -> String {
    let mut ids: Vec<_> = diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.id, diagnostic.severity))
        .collect();
    ids.sort_unstable();
    ids.dedup_by_key(|(id, _)| *id);
    let rules: Vec<_> = ids
        .iter()
        .map(|(id, severity)| {
            json!({
                "id": id,
                "defaultConfiguration": { "level": severity.word() },
                "help": { "text": format!("bzc explain {id}") },
            })
        })
        .collect();
    let results: Vec<_> = diagnostics
        .iter()
        .map(|diagnostic| {
            let mut result = result(diagnostic, sources);
            result["ruleIndex"] = json!(ids.partition_point(|(id, _)| *id < diagnostic.id));
            result
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "bzc", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}")
}

/// One finding. Labels become locations; the sum, notes and helps go into the text.
fn result(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
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

#[cfg(test)]
mod tests;
