//! Findings for the tests of formats: one with everything that a finding can have, in a file with signs of several bytes.

use super::{Addend, Diagnostic, Edit, Help};
use crate::base::source::{Provenance, SourceMap};
use crate::base::span::{FileId, Span};

pub(super) fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(
        "my budget.bz".to_owned(),
        "my budget.bz".to_owned(),
        "a = \"漢\" b\nc = 1\n".to_owned(),
        Provenance::Project,
    );
    sources.add(
        "<std>/k3s.bz".to_owned(),
        "<std>/k3s.bz".to_owned(),
        "d = 2\n".to_owned(),
        Provenance::Library,
    );
    sources
}

pub(super) fn error() -> Diagnostic {
    // `b`, `1` and `2`.
    let [b, one, two] = [
        Span::new(FileId::new(0), 10, 11),
        Span::new(FileId::new(0), 16, 17),
        Span::new(FileId::new(1), 4, 5),
    ];
    let mut error = Diagnostic::error("BZ4001", "over by 1Mi")
        .at(b, "here")
        .also(two, "")
        .note("n")
        .help("h");
    error.addends = vec![
        Addend {
            what: "c".to_owned(),
            amount: "1Mi".to_owned(),
            span: Some(one),
        },
        Addend {
            what: "total".to_owned(),
            amount: "1Mi".to_owned(),
            span: None,
        },
    ];
    let edit = |span: Span, text: &str| Edit {
        span,
        text: text.to_owned(),
    };
    error.helps.push(Help::new(
        "both",
        vec![edit(one, "0"), edit(two, "3"), edit(b, "")],
    ));
    error
}
