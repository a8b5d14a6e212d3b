//! Faults of names and values that several readers report: one function a fault.

use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Diagnostic;
use crate::program::{Dim, Num, Origin};
use crate::schema;
use crate::sema::dns::label_fault;
use crate::syntax::ast::Item;

/// Adds "did you mean", with the replacement.
pub(crate) fn or_nearest(error: Diagnostic, near: Option<&str>, span: Span) -> Diagnostic {
    match near {
        Some(near) => error.guess(format!("did you mean `{near}`?"), span, near),
        None => error,
    }
}

pub(crate) fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

pub(crate) fn unknown_name(kind: &str, name: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("no {kind} is called `{name}`"))
        .at(span, "not declared");
    if kind == "runtime" {
        let known: Vec<&str> = crate::stdlib::RUNTIMES
            .iter()
            .map(|(runtime, _)| *runtime)
            .collect();
        let near = near.or_else(|| nearest(name, known.iter().copied()));
        return or_nearest(
            error.note(format!("the library has {}", listed(&known))),
            near,
            span,
        );
    }
    let from_library = kind == "tier" && crate::stdlib::tiers().any(|(tier, _)| tier == name);
    match from_library {
        true => error.help(format!(
            "the standard library has a tier `{name}`: `use std.tiers`"
        )),
        false => or_nearest(error, near, span),
    }
}

pub(crate) fn declared_twice(kind: &str, name: &str, first: Span, span: Span) -> Diagnostic {
    let what = if name.is_empty() {
        format!("`{kind}`")
    } else {
        format!("{kind} `{name}`")
    };
    Diagnostic::error("BZ2002", format!("{what} is declared twice"))
        .at(span, "again")
        .also(first, "first here")
}

pub(crate) fn unknown_key(
    kind: &str,
    place: &str,
    item: Option<&Item>,
    (key, span): (&str, Span),
    known: &[&str],
) -> Diagnostic {
    let holder = match kind {
        "security" | "tls" => format!("`{kind}`"),
        _ if kind.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {kind}"),
        _ => format!("a {kind}"),
    };
    let error = Diagnostic::error("BZ2003", format!("{holder} has no field `{key}`"))
        .at(span, "unknown field");
    if let Some(word) = schema::word(place, key) {
        return in_bz(error, word, span);
    }
    if let Some(help) = elsewhere(key) {
        return error.help(help);
    }
    // A field that takes another kind of value is not what was meant: `limit = 64Mi` is no `init { .. }`.
    let has_value = item.map(|item| item.value.is_some());
    let written = |field: &&str| match (schema::takes(place, field), has_value) {
        (Some(takes), Some(true)) => !takes.contains("block") || takes.contains("or a block"),
        (Some(takes), Some(false)) => takes.contains("block") || takes.contains('{'),
        _ => true,
    };
    match nearest(key, known.iter().copied().filter(|field| written(field))) {
        Some(near) => or_nearest(error, Some(near), span),
        None => error.note(format!("it has {}", listed(known))),
    }
}

/// Adds what a word from elsewhere is in bz.
pub(crate) fn in_bz(error: Diagnostic, word: schema::Word, span: Span) -> Diagnostic {
    match word.say {
        "" => error.fix(format!("bz calls it `{}`", word.field), span, word.field),
        say => error.help(say),
    }
}

/// Where a field stands that is not one of this place. `None` if there is no such field anywhere.
pub(crate) fn elsewhere(key: &str) -> Option<String> {
    let places: Vec<&str> = schema::places_of(key)
        .filter(|place| !place.contains('.') && *place != key)
        .collect();
    let some = listed(&places[..places.len().min(4)]);
    match places.len() {
        0 => None,
        1..=4 => Some(format!("`{key}` is a field of {some}")),
        _ => Some(format!("`{key}` is a field of {some} and others")),
    }
}

pub(crate) fn given_twice(key: &str, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2004", format!("`{key}` is given twice"))
        .at(span, "again")
        .also(first, "first here")
}

pub(crate) fn override_missing(
    key: &str,
    item: &Item,
    lower: &Item,
    origin: &Origin<'_>,
) -> Diagnostic {
    let path = origin.path();
    let from = match origin.name {
        "" => format!("`{}`", origin.giver.word()),
        name => format!("{} `{name}`", origin.giver.word()),
    };
    let from = if path.is_empty() {
        "another place".to_owned()
    } else {
        from
    };
    Diagnostic::error("BZ2010", format!("`{key}` is already given by {from}"))
        .at(item.key.span, "given again")
        .also(lower.key.span, "given here")
        .guess(
            "say that it replaces the other",
            item.key.span.before(),
            "override ",
        )
}

pub(crate) fn overrides_nothing(key: &str, span: Span, word: Span) -> Diagnostic {
    Diagnostic::error("BZ2011", format!("`override {key}` replaces nothing"))
        .at(span, "not given by anything below")
        .guess(
            "give it without `override`",
            Span {
                end: span.start,
                ..word
            },
            "",
        )
}

pub(crate) fn no_node_takes(name: &str, why: &[String], span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ5017", format!("no node takes the pods of `{name}`"))
        .at(span, "asks for a node");
    why.iter().fold(error, |error, why| error.note(why.clone()))
}

pub(crate) fn wrong_dimension(text: &str, found: Num, wanted: Dim, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3001",
        format!(
            "expected {}, found {}",
            wanted.described(),
            found.dim.described()
        ),
    )
    .at(span, format!("this is {}", found.dim.described()));
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    match (found.dim, wanted) {
        (Dim::Cpu, Dim::Memory) if found.bare_m => error
            .note(format!(
                "Kubernetes reads `{text}` as thousandths: {} byte",
                thousandths(found.n)
            ))
            .guess("mebibytes are written `Mi`", span, format!("{digits}Mi")),
        (Dim::Count, Dim::Memory) if found.n.is_multiple_of(1 << 20) && found.n > 0 => {
            error.guess("give a unit", span, format!("{}Mi", found.n >> 20))
        }
        (Dim::Count, Dim::Memory) => error.guess("give a unit", span, format!("{digits}Mi")),
        (Dim::Memory, Dim::Cpu) => {
            error.help("CPU is written in cores (`2`) or thousandths (`250m`)")
        }
        (Dim::Count, Dim::Duration) => error.guess("give a unit", span, format!("{digits}s")),
        (Dim::Count, Dim::Percent) => error.guess("give a unit", span, format!("{digits}%")),
        _ => error,
    }
}

/// 512 to `0.512`.
pub(crate) fn thousandths(n: u64) -> String {
    let text = format!("{}.{:03}", n / 1000, n % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(crate) fn request_above_limit(
    what: &str,
    low: &str,
    high: &str,
    request: Span,
    limit: Span,
) -> Diagnostic {
    Diagnostic::error(
        "BZ3005",
        format!("the {what} request, {low}, is above its limit, {high}"),
    )
    .at(request, "the request")
    .also(limit, "the limit")
}

pub(crate) fn out_of_range(what: &str, range: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", format!("`{what}` must be {range}")).at(span, "out of range")
}

pub(crate) fn mixed_dimensions(sign: &str, left: Dim, right: Dim, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3008",
        format!("`{sign}` of {} and {}", left.described(), right.described()),
    )
    .at(span, "these do not go together")
}

pub(crate) fn division_by_zero(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", "division by zero").at(span, "divides by zero")
}

pub(crate) fn not_a_text(span: Span, found: &str, text: &str) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("expected a text, found {found}"))
        .at(span, "expected a text");
    let quotable = !text.is_empty() && !text.contains(['"', '\\', '\n', '(', '[', ' ']);
    match found {
        "a number" | "a computed number" | "a word with a number" if quotable => error.fix(
            "texts stand between double quotes",
            span,
            format!("\"{text}\""),
        ),
        _ => error,
    }
}

pub(crate) fn value_for_block(key: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("`{key}` takes a block, not a value"))
        .at(span, format!("expected `{key} {{ .. }}`"));
    with_example(error, key)
}

/// Adds the example of a field.
pub(crate) fn with_example(error: Diagnostic, key: &str) -> Diagnostic {
    match schema::fields().find(|field| field.key == key) {
        Some(field) => error.help(format!("for example `{}`", field.example)),
        None => error,
    }
}

pub(crate) fn not_one_of(what: &str, found: &str, span: Span, known: &[&str]) -> Diagnostic {
    let what = if what.contains(' ') {
        what.to_owned()
    } else {
        format!("`{what}`")
    };
    let error = Diagnostic::error("BZ3011", format!("{what} cannot be `{found}`"))
        .at(span, "not one of its values");
    match nearest(found, known.iter().copied()) {
        Some(near) => or_nearest(error, Some(near), span),
        None => error.note(format!("it can be {}", listed(known))),
    }
}

pub(crate) fn malformed(kind: &str, example: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("this is not how `{kind}` is written"))
        .at(span, "incomplete")
        .help(format!("for example `{example}`"))
}

pub(crate) fn not_a_label(kind: &str, name: &str, fault: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ5001",
        format!("`{name}` cannot be the name of a {kind}: {fault}"),
    )
    .at(span, "Kubernetes would refuse it");
    let better: String = name.to_ascii_lowercase().replace('_', "-");
    match better != name && label_fault(&better).is_none() {
        true => error.help(format!("`{better}` would do")),
        false => error,
    }
}

pub(crate) fn scale_and_replicas(replicas: Span, scale: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2004",
        "`replicas` and `scale` both say how many pods there are",
    )
    .at(replicas, "fixed")
    .also(scale, "scaled")
}

pub(crate) fn bound_without_allow(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3012",
        "`at-most` bounds runs that overlap, and here none do",
    )
    .at(span, "not needed")
    .help("it belongs to `concurrency = allow`")
}

pub(crate) fn same_mount(path: &str, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5012", format!("two volumes are mounted at `{path}`"))
        .at(span, "again")
        .also(first, "first here")
}

pub(crate) fn mount_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("a volume needs an absolute path, and `{path}` is not one"),
    )
    .at(span, "must begin with `/` and have no `:`")
}

pub(crate) fn unused(kind: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::lint("unused", format!("{kind} `{name}` is never used")).at(span, "not used")
}

pub(crate) fn no_evidence(file: &str, why: &str, place: Option<Span>) -> Diagnostic {
    let error = Diagnostic::error("BZ0004", format!("`{file}` is no evidence: {why}"))
        .note("`bzc explain evidence.format` says what is in one");
    match place {
        Some(place) => error.at(place, "named here"),
        None => error,
    }
}

/// What `lock` names is no lock.
pub(crate) fn no_lock(file: &str, why: &str, place: Span) -> Diagnostic {
    Diagnostic::error("BZ0006", format!("`{file}` is no lock: {why}"))
        .at(place, "named here")
        .note("if it is removed, `bzc build` chooses all numbers anew and writes another")
}
