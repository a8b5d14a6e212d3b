//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::sema::errors::or_nearest;

pub(crate) fn value_and_block(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("a {kind} has a block, not a value")).at(span, "not needed")
}

pub(crate) fn unknown_profile(name: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("no profile is called `{name}`"))
        .at(span, "not declared");
    match crate::stdlib::profiles().any(|profile| profile == name) {
        true => error.help("the standard library has it: `use std.profiles`"),
        false => or_nearest(error, near, span),
    }
}
