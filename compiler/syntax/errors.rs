//! Faults of syntax: one function a fault.

use super::token::TokenKind;
use crate::base::span::Span;
use crate::diag::{Diagnostic, Edit, Help};

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
        (TokenKind::Unknown, "$") => error.at(span, format!("expected {wanted}")).help(
            "bz reads no variables of a shell: a key of a Secret is `secret NAME/KEY`, a constant is `let NAME = ..`",
        ),
        (TokenKind::OpenBrace, _) => error.at(span, format!("expected {wanted}")).help(
            "lists hold no blocks; a `patch` with a list of objects is written in YAML: `patch = \"FILE\"`",
        ),
        _ => error.at(span, format!("expected {wanted}")),
    }
}

/// `is_head` is whether a `=` or a block follows what was found, so that it stands for a name.
pub(super) fn missing_equals(
    key: &str,
    key_span: Span,
    text: &str,
    kind: TokenKind,
    is_head: bool,
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
        (TokenKind::Number, _) if is_head => {
            error.help(format!("a name begins with a letter: `{key} a{text}`"))
        }
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
    match key {
        "node" | "tier" | "service" | "stateful" | "daemon" | "job" | "cron" | "component"
        | "others" | "config" | "env" | "volume" | "profile" | "secret" | "kind" | "chart"
        | "service-account" | "sidecar" | "init" | "ingress" | "workload" => {
            error.help(format!("its block follows its name: `{key} NAME {{ .. }}`"))
        }
        "adopt" => error.fix(
            "rules follow in a block, which may be empty",
            behind.after(),
            " { }",
        ),
        "budget" | "let" | "use" | "runtime" => error,
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

/// `key: value`.
pub(super) fn colon(key: &str, key_span: Span, colon: Span, nameless: bool) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1003",
        format!("expected `=` or `{{` after `{key}`, found `:`"),
    )
    .at(key_span, "this has no value");
    match nameless {
        true => error.help(format!("`{key} NAME {{ .. }}` is how bz writes it")),
        false => error.fix("bz writes `=` where YAML writes `:`", colon, " ="),
    }
}

/// `key: name` of a declaration without anything below it.
pub(super) fn colon_without_block((key, head): (&str, Span), colon: Span) -> Diagnostic {
    Diagnostic::error("BZ1003", format!("`{key}` and its name have no block"))
        .at(head, "expected `{` behind this")
        .also(colon, "as in YAML")
        .help(format!("`{key} NAME {{ .. }}` is how bz writes it"))
}

/// `key: { .. }` or an indented block below `key:` that lacks the name of what it declares.
pub(super) fn colon_without_name((key, head): (&str, Span), colon: Span) -> Diagnostic {
    Diagnostic::error("BZ1003", format!("this `{key}` has no name"))
        .at(head, "a name should follow")
        .also(colon, "as in YAML")
        .help(format!("`{key} NAME {{ .. }}` is how bz writes it"))
}

/// `key: { .. }`, or lines below `key:` or `key: name` that are indented further, up to `end`.
pub(super) fn colon_before_block(
    (key, head): (&str, Span),
    colon: Span,
    behind: Span,
    end: Option<Span>,
    margin: &str,
) -> Diagnostic {
    let error = Diagnostic::error("BZ1003", format!("the block of `{key}` begins with `:`"))
        .at(head, "a block stands between `{` and `}`");
    let edit = |span, text: &str| Edit {
        span,
        text: text.to_owned(),
    };
    let Some(end) = end else {
        return error.fix("bz writes no `:` before a block", colon, "");
    };
    // The colon stands behind the key, and a name behind the colon or before it.
    let open = match behind.start < colon.start {
        true => vec![edit(colon, " {")],
        false => vec![edit(colon, ""), edit(behind.after(), " {")],
    };
    let mut error = error;
    let mut edits = open;
    edits.push(edit(end, &format!("\n{margin}}}")));
    error.helps.push(Help::certain(
        "bz writes a block between `{` and `}`, however it is indented",
        edits,
    ));
    error
}

/// A list with dashes; `list` is what to write for `replaced`.
pub(super) fn yaml_list(dash: Span, replaced: Span, list: Option<String>) -> Diagnostic {
    let error =
        Diagnostic::error("BZ1001", "a list is not written with dashes").at(dash, "as in YAML");
    match list {
        Some(list) => error.fix("a list stands between brackets", replaced, list),
        None => error.help("a list stands between brackets: `[traefik, servicelb]`"),
    }
}

pub(super) fn pair_of_ports(host: &str, port: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "`port` is one number")
        .at(span, "a pair of ports, as in compose")
        .guess(
            format!("the container's is `port`, and `host-port` opens {host} of the machine"),
            span,
            format!("{port}  host-port = {host}"),
        )
}

pub(super) fn range_in_words(span: Span, range: String) -> Diagnostic {
    Diagnostic::error("BZ1001", "a range is written with `..`")
        .at(span, "two ends of one range")
        .fix("write the range", span, range)
}

pub(super) fn third_dot(span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "a range is written with two points")
        .at(span, "one too many")
        .fix("leave it out", span, "")
}

pub(super) fn detached_unit(number: &str, all: Span, own: bool, meant: String) -> Diagnostic {
    let error = Diagnostic::error("BZ1001", format!("a blank between `{number}` and its unit"))
        .at(all, "one quantity");
    match own {
        true => error.fix("write them together", all, meant),
        false => error.guess("write them together, in a unit of bz", all, meant),
    }
}

pub(super) fn text_without_quotes(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", format!("`{text}` is a text without quotes"))
        .at(span, "expected a value")
        .fix(
            "texts stand between double quotes",
            span,
            format!("\"{text}\""),
        )
}

pub(super) fn single_quotes(inner: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ1001", "a text between single quotes")
        .at(span, "expected a value")
        .fix(
            "texts stand between double quotes",
            span,
            format!("\"{inner}\""),
        )
}

/// A reference to a key of a Secret or config, spelt as other languages spell it.
pub(super) fn reference_otherwise(kind: &str, span: Span, path: Option<String>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ1001",
        format!("`{kind}` is followed by a name, `/` and a key"),
    )
    .at(span, "not how bz names a key");
    match path {
        Some(path) => error.fix("write the name and the key", span, path),
        None => error.help(format!("for example `{kind} NAME/KEY`")),
    }
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
