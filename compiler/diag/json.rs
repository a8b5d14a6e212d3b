//! A diagnostic for programs: one JSON object a line, which `spec/diagnostics.schema.json` describes.
//!
//! Keys stand in alphabetical order, so equal findings give equal bytes. No text ends in a line feed.

use serde_json::{Value, json};

use super::{Diagnostic, Edit, Label};
use crate::base::source::SourceMap;
use crate::base::span::Span;

/// The version of the format: it changes where a key changes its meaning or goes.
pub(super) const FORMAT: u32 = 1;

/// The diagnostic as one JSON object in one line.
pub(super) fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
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
                "applicability": (!help.edits.is_empty()).then(|| help.applicability.word()),
            })
        })
        .collect();
    json!({
        "bzcDiagnostics": FORMAT,
        "type": "finding",
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

#[cfg(test)]
mod tests;
