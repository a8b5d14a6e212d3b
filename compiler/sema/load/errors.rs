//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Diagnostic;
use crate::sema::errors::listed;

pub(crate) fn use_unreadable(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2006", format!("`{path}` cannot be used: {why}")).at(span, "used here")
}

pub(crate) fn use_circle(names: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2007",
        format!("files use each other in a circle: {names}"),
    )
    .at(span, "closes the circle")
}

pub(crate) fn uses_too_deep(limit: usize, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2007", format!("`use` goes more than {limit} files deep"))
        .at(span, "one too many")
}

pub(crate) fn use_outside(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2008", format!("`{path}` lies outside the repository of the program"))
        .at(span, "used here")
        .note("a program may use files of its repository, which begins at the folder with `.git`; without one, of its own folder and below: so its output depends on nothing else")
}

pub(crate) fn not_to_be_shared(word: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2008",
        format!("`{word}` stands in a file outside the folder of the program"),
    )
    .at(span, "its files would be those of another folder")
    .help("write it into the program itself, or into a file beside it")
}

pub(crate) fn unknown_module(module: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ2009",
        format!("the standard library has no module `{module}`"),
    )
    .at(span, "not a module");
    match nearest(module, crate::stdlib::MODULES) {
        Some(near) => error.guess(
            format!("did you mean `std.{near}`?"),
            span,
            format!("std.{near}"),
        ),
        None => error.note(format!("it has {}", listed(&crate::stdlib::MODULES))),
    }
}

pub(crate) fn bare_use(text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ2009",
        format!("`use {text}` names neither a file nor a module"),
    )
    .at(span, "expected `\"file.bz\"` or `std.NAME`");
    match crate::stdlib::MODULES.contains(&text) {
        true => error.fix(
            "a module of the standard library begins with `std.`",
            span,
            format!("std.{text}"),
        ),
        false => error.fix("a file stands between quotes", span, format!("\"{text}\"")),
    }
}
