//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Diagnostic;
use crate::schema;
use crate::sema::dns::label_fault;
use crate::sema::errors::{elsewhere, in_bz, listed, or_nearest};

pub(crate) fn circular_let(circle: &[&str], span: Span) -> Diagnostic {
    let message = match circle {
        [name] => format!("`{name}` is defined by itself"),
        [first, others @ ..] => format!(
            "`{first}` is defined by itself, by way of {}",
            listed(others)
        ),
        [] => "a constant is defined by itself".to_owned(),
    };
    Diagnostic::error("BZ2005", message).at(span, "leads back here")
}

pub(crate) fn unknown_env<'k>(
    name: &str,
    place: Span,
    known: impl Iterator<Item = &'k str>,
) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let error = Diagnostic::error("BZ2012", format!("the program has no environment `{name}`"))
        .at(place, "no `env` of that name in this program");
    match (nearest(name, known.iter().copied()), known.is_empty()) {
        (Some(near), _) => error.help(format!("did you mean `--env {near}`?")),
        (None, true) => error.note(format!(
            "it has no environment at all: write `env {name} {{ .. }}`"
        )),
        (None, false) => error.note(format!("it has {}", listed(&known))),
    }
}

/// `known` is what can be declared here.
pub(crate) fn unknown_declaration(key: &str, span: Span, known: &[&str]) -> Diagnostic {
    let error = Diagnostic::error("BZ2013", format!("nothing is declared with `{key}`"))
        .at(span, "unknown here");
    if let Some(word) = schema::word("program", key) {
        return in_bz(error, word, span);
    }
    match (elsewhere(key), nearest(key, known.iter().copied())) {
        (Some(help), _) => error.help(format!("{help}: look at the braces")),
        (None, Some(near)) => or_nearest(error, Some(near), span),
        (None, None) => error.note(format!("bz declares {}", listed(known))),
    }
}

pub(crate) fn unknown_edition(number: u64, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2014", format!("this bzc does not know edition {number}"))
        .at(span, "not an edition")
        .guess("it knows edition 1", span, "1")
}

pub(crate) fn no_node(span: Span) -> Diagnostic {
    Diagnostic::error("BZ2015", "the program has no node")
        .at(span, "nothing says where this runs")
        .help("say what the machine has: `node NAME { memory = 3800Mi  reserve = 400Mi }`")
}

pub(crate) fn survive_without_nodes(nodes: usize, span: Span) -> Diagnostic {
    let has = if nodes == 1 {
        "one node".to_owned()
    } else {
        format!("{nodes} nodes")
    };
    Diagnostic::error(
        "BZ3007",
        format!("the program has {has}, and must survive the loss of one"),
    )
    .at(span, "nothing would be left to run pods")
}

pub(crate) fn declaration_without_name(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("this {kind} has no name"))
        .at(span, "a name should follow")
        .help(format!("for example `{kind} NAME {{ .. }}`"))
}

pub(crate) fn not_a_plain_name(kind: &str, text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3012", format!("a {kind} cannot be called `{text}`"))
        .at(span, "not a plain name");
    match label_fault(text) {
        None => error.fix("without quotes it is a name", span, text),
        Some(fault) => error.note(fault),
    }
}

pub(crate) fn namespace_of_k3s(span: Span) -> Diagnostic {
    Diagnostic::error("BZ5001", "`kube-system` is K3s's own namespace")
        .at(span, "the quota of the services would hold K3s's pods too")
}

pub(crate) fn quoted_env(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", "the name of an environment is not quoted")
        .at(span, "as in `env prod { .. }`")
}
