//! Faults of syntax: one function a fault.

use super::token::TokenKind;
use crate::base::span::Span;
use crate::diag::Diagnostic;

/// The token that was found, for a message: its text, if it has any.
fn found(text: &str, kind: TokenKind) -> String {
    match kind {
        TokenKind::Word | TokenKind::Number | TokenKind::Unknown => format!("`{text}`"),
        _ => kind.described().to_owned(),
    }
}

pub(super) fn expected_item(span: Span, text: &str, kind: TokenKind) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1001",
        format!(
            "expected a field or a declaration, found {}",
            found(text, kind)
        ),
    )
    .at(span, "nothing begins with this");
    match (kind, text) {
        (TokenKind::Slash, _) => error.help("comments begin with `#`"),
        (TokenKind::Unknown, "'") => error.help("texts stand between double quotes"),
        (TokenKind::Unknown, ";") | (TokenKind::Comma, _) => {
            error.help("fields are separated by blanks or line ends")
        }
        (TokenKind::OpenText, _) => error.help("the text has no closing `\"`"),
        (TokenKind::Minus, _) => error.help("bz is not YAML: lists are written `[a, b]`"),
        _ => error,
    }
}

pub(super) fn expected(
    wanted: &str,
    text: &str,
    kind: TokenKind,
    span: Span,
    after: Span,
) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1001",
        format!("expected {wanted}, found {}", found(text, kind)),
    );
    match (kind, text) {
        (TokenKind::End, _) => {
            error.at(after, format!("the file ends where {wanted} should follow"))
        }
        (TokenKind::Unknown, "'") => error
            .at(span, format!("expected {wanted}"))
            .help("texts stand between double quotes"),
        _ => error.at(span, format!("expected {wanted}")),
    }
}

pub(super) fn missing_equals(
    key: &str,
    key_span: Span,
    text: &str,
    kind: TokenKind,
    span: Span,
) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1003",
        format!(
            "expected `=` or `{{` after `{key}`, found {}",
            found(text, kind)
        ),
    )
    .at(key_span, "this has no value");
    match (kind, text) {
        (TokenKind::Unknown, ":") => error.fix("bz writes `=` where YAML writes `:`", span, " ="),
        (TokenKind::Number | TokenKind::OpenBracket, _) => {
            error.fix("write `=` between them", key_span.after(), " =")
        }
        _ => error,
    }
}

pub(super) fn missing_body(
    key: &str,
    key_span: Span,
    first_name: Span,
    behind: Span,
    text: &str,
    kind: TokenKind,
) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1003",
        format!("`{key}` and its name are followed by neither `=` nor `{{`"),
    )
    .at(
        key_span.to(behind),
        format!(
            "expected `=` or `{{` behind this, found {}",
            found(text, kind)
        ),
    );
    match (kind, text) {
        (TokenKind::Unknown, ":") => error.help("bz writes `=` where YAML writes `:`"),
        _ if [
            "node",
            "tier",
            "service",
            "component",
            "config",
            "env",
            "volume",
            "profile",
        ]
        .contains(&key) =>
        {
            error.fix("open its block", behind.after(), " { .. }")
        }
        _ if ["budget", "let", "use", "runtime"].contains(&key) => error,
        _ if first_name == behind => error.fix(
            "a field is written with `=`",
            Span {
                start: key_span.end,
                end: first_name.start,
                ..key_span
            },
            " = ",
        ),
        _ => error,
    }
}

pub(super) fn equals_before_block(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "a block follows its name without `=`")
        .at(span, "not needed")
        .fix("leave it out", span, "")
}

pub(super) fn yaml_list(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "a list is not written with dashes")
        .at(span, "as in YAML")
        .help("a list stands between brackets: `[traefik, servicelb]`")
}

pub(super) fn detached_unit(
    number: &str,
    number_span: Span,
    unit: &str,
    unit_span: Span,
) -> Diagnostic {
    let all = number_span.to(unit_span);
    Diagnostic::error("BZ1001", format!("a blank between `{number}` and its unit"))
        .at(all, "one quantity")
        .fix("write them together", all, format!("{number}{unit}"))
}

pub(super) fn single_equals(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "`expect` compares with `==`")
        .at(span, "gives a value")
        .fix("compare", span, "==")
}

pub(super) fn missing_brace(head: Span, behind: Span) -> Diagnostic {
    Diagnostic::error("BZ1003", "a `{` is missing")
        .at(head, "its fields follow on the next lines")
        .fix("open the block", behind.after(), " {")
}

pub(super) fn separator(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("BZ1008", format!("`{text}` between fields"))
        .at(span, "not needed")
        .fix("fields are separated by blanks or line ends", span, "")
}

pub(super) fn missing_value(key: &str, equals: Span) -> Diagnostic {
    Diagnostic::error("BZ1002", format!("`{key}` has no value")).at(equals, "a value should follow")
}

pub(super) fn unclosed(open: Span, opening: &str, closing: &str) -> Diagnostic {
    Diagnostic::error("BZ1004", format!("`{opening}` is never closed"))
        .at(open, format!("its `{closing}` is missing"))
}

pub(super) fn unmatched_brace(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1005", "`}` closes nothing").at(span, "no block is open here")
}

pub(super) fn unclosed_text(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1006", "a text is never closed")
        .at(span, "its closing `\"` is missing")
        .help("a text of several lines stands between `\"\"\"` and `\"\"\"`")
}

pub(super) fn too_long(span: Span, limit: u32) -> Diagnostic {
    Diagnostic::error(
        "BZ1007",
        format!("a value with more than {limit} operators"),
    )
    .at(span, "this is one too many")
}

pub(super) fn too_deep(span: Span, limit: u32) -> Diagnostic {
    Diagnostic::error("BZ1007", format!("nested more than {limit} levels deep"))
        .at(span, "this level is one too many")
}
