//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Diagnostic;
use crate::program::Dim;
use crate::sema::errors::or_nearest;
use crate::syntax::literal;

pub(crate) fn unknown_constant<'k>(
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let error = Diagnostic::error("BZ2001", format!("no constant is called `{name}`"))
        .at(span, "not a number");
    let difference = known.iter().find_map(|left| {
        let right = name.strip_prefix(left)?.strip_prefix('-')?;
        known.contains(&right).then_some((*left, right))
    });
    if let Some((left, right)) = difference {
        let text = format!("`{name}` is one name; a difference has blanks around its sign");
        return error.guess(text, span, format!("{left} - {right}"));
    }
    or_nearest(error, nearest(name, known), span)
}

pub(crate) fn unknown_function(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("no function is called `{name}`"))
        .at(span, "not a function")
        .note("bz has `min`, `max` and `sum`, and no others");
    or_nearest(error, nearest(name, ["min", "max", "sum"]), span)
}

pub(crate) fn not_whole(text: &str, dim: Dim, span: Span) -> Diagnostic {
    let (unit, smaller) = match dim {
        Dim::Memory => ("bytes", "use a smaller unit, such as `Mi`"),
        Dim::Duration => ("milliseconds", "use a smaller unit"),
        Dim::Cpu | Dim::Decimal => (
            "thousandths of a core",
            "use at most three decimals, or `m` without any",
        ),
        Dim::Percent | Dim::Count | Dim::Verdict => ("numbers", "use a whole number"),
    };
    let error = Diagnostic::error(
        "BZ3002",
        format!("`{text}` is not a whole number of {unit}"),
    )
    .at(span, "not whole");
    match literal::meant(text).filter(|_| dim == Dim::Memory) {
        Some(meant) => error.guess("the whole number below it", span, meant),
        None => error.help(smaller),
    }
}

pub(crate) fn unknown_unit(text: &str, suffix: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3003", format!("`{suffix}` is not a unit"))
        .at(span, "not a unit that bz knows");
    let Some(meant) = literal::meant(text) else {
        return error.note("memory: k M G Ki Mi Gi; CPU: m or none; time: ms s min h; share: %");
    };
    let thousands = ["kb", "mb", "gb", "tb"].contains(&suffix.to_ascii_lowercase().as_str());
    let error = match thousands {
        true => error.note(format!(
            "`{suffix}` counts in thousands, and `Mi` is 1024 x 1024 bytes: {text} are {meant}"
        )),
        false => error,
    };
    error.guess(format!("did you mean `{meant}`?"), span, meant)
}

pub(crate) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3004", "a number does not fit 64 bits").at(span, "too large")
}

pub(crate) fn negative(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", "the result is below zero").at(span, "no quantity is negative")
}

pub(crate) fn no_arguments(function: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", format!("`{function}` has no arguments"))
        .at(span, "needs at least one number")
}

pub(crate) fn comparison_as_value(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a comparison is not a value").at(span, "only `expect` compares")
}

pub(crate) fn or_outside_a_kind(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3009",
        "`or` stands between paths of a `kind`, and this is none",
    )
    .at(span, "one value is enough here")
}

pub(crate) fn not_a_number(span: Span, found: &str, text: &str) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("expected a number, found {found}"))
        .at(span, "expected a number");
    let inner = text.trim_matches('"');
    match inner.len() + 2 == text.len() && inner.starts_with(|c: char| c.is_ascii_digit()) {
        true => error.fix("quantities are not quoted", span, inner),
        false => error,
    }
}

pub(crate) fn bare_text(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3009",
        format!("expected a text, found the name `{text}`"),
    )
    .at(span, "no constant is called that")
    .fix(
        "texts stand between double quotes",
        span,
        format!("\"{text}\""),
    )
}

pub(crate) fn leading_zero(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{text}` begins with a zero"))
        .at(span, "read as octal by some and as decimal by others")
        .guess(
            "write it as a text, such as a file mode",
            span,
            format!("\"{text}\""),
        )
}

pub(crate) fn quoted_name(what: &str, text: &str, span: Span) -> Diagnostic {
    let bare = text.trim_matches('"');
    Diagnostic::error("BZ3009", format!("`{what}` takes a name, not a text"))
        .at(span, "names are not quoted")
        .fix("without quotes it is a name", span, bare)
}

pub(crate) fn not_a_name(what: &str, span: Span, found: &str) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{what}` takes a name, found {found}"))
        .at(span, "expected a name")
}

pub(crate) fn not_a_list(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("BZ3009", "expected a list")
        .at(span, "not a list")
        .fix("a list stands between brackets", span, format!("[{text}]"))
}

/// Words of a command line as elements of a list.
fn listed_words(line: &str) -> String {
    let words = line.split_whitespace().map(|word| format!("\"{word}\""));
    words.collect::<Vec<_>>().join(", ")
}

/// `"npm start"` where a list of words stands: its words, or a shell that reads it, where only a shell can.
pub(crate) fn text_for_words(text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", "expected a list, found a text")
        .at(span, "no shell reads this");
    if text.contains(['"', '\\', '\n']) {
        return error.help("a list stands between brackets, an element for each word");
    }
    match text.contains(SHELL) {
        true => error.guess(
            "a shell has to be named",
            span,
            format!("[\"sh\", \"-c\", \"{text}\"]"),
        ),
        false => error.fix(
            "each word is an element",
            span,
            format!("[{}]", listed_words(text)),
        ),
    }
}

/// Signs that only a shell gives a meaning.
const SHELL: [char; 13] = [
    '|', '&', ';', '<', '>', '$', '`', '*', '?', '(', ')', '\'', '~',
];

/// A program whose name has a blank is a command line that no shell reads.
pub(crate) fn blank_in_command(program: &str, span: Span) -> Diagnostic {
    let lint = Diagnostic::lint(
        "blank-in-command",
        format!("no program is called `{program}`"),
    )
    .at(span, "one word, and no shell takes it apart");
    match program.contains(['"', '\\', '\n', '\'']) {
        true => lint.help("each word is an element of its own"),
        false => lint.fix(
            "each word is an element of its own",
            span,
            listed_words(program),
        ),
    }
}

pub(crate) fn words_without_quotes(text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", "expected a text, found a computed number")
        .at(span, "expected a text");
    match text.contains(['"', '\\', '\n']) {
        true => error,
        false => error.fix(
            "texts stand between double quotes, each word its own",
            span,
            listed_words(text),
        ),
    }
}

pub(crate) fn no_character_of_yaml(c: char, span: Span) -> Diagnostic {
    let code = c.escape_unicode();
    Diagnostic::error("BZ3013", format!("a text with the character `{code}`"))
        .at(span, "readers of YAML refuse it")
        .note(
            "`kubectl` and K3s would refuse the whole file, however the character is written in it",
        )
}

pub(crate) fn unknown_escape(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3010", "an unknown escape in a text")
        .at(span, "the backslash escapes nothing here")
        .note("there are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u{..}`")
}
