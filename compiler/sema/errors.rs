//! What is said of names and values: one function a fault.

use std::ops::RangeInclusive;

use super::layers::Field;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::diag::Diagnostic;
use crate::program::{Dim, Num};
use crate::stdlib::Flag;
use crate::syntax::ast::Item;

/// Adds "did you mean", with the replacement.
fn or_nearest(error: Diagnostic, near: Option<&str>, span: Span) -> Diagnostic {
    match near {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None => error,
    }
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

// Names.

pub(super) fn unknown_name(kind: &str, name: &str, span: Span, near: Option<&str>) -> Diagnostic {
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
    let from_library =
        kind == "tier" && ["nano", "micro", "small", "medium", "large"].contains(&name);
    match from_library {
        true => error.help(format!(
            "the standard library has a tier `{name}`: `use std.tiers`"
        )),
        false => or_nearest(error, near, span),
    }
}

pub(super) fn unknown_constant<'k>(
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
        return error.fix(text, span, format!("{left} - {right}"));
    }
    or_nearest(error, nearest(name, known), span)
}

pub(super) fn unknown_profile(name: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("no profile is called `{name}`"))
        .at(span, "not declared");
    match ["minimal", "edge"].contains(&name) {
        true => error.help("the standard library has it: `use std.profiles`"),
        false => or_nearest(error, near, span),
    }
}

pub(super) fn unknown_function(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("no function is called `{name}`"))
        .at(span, "not a function")
        .note("bz has `min`, `max` and `sum`, and no others");
    or_nearest(error, nearest(name, ["min", "max", "sum"]), span)
}

pub(super) fn unknown_config_key(
    config: &str,
    key: &str,
    span: Span,
    near: Option<&str>,
) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("config `{config}` has no key `{key}`"))
        .at(span, "not in it");
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

pub(super) fn declared_twice(kind: &str, name: &str, first: Span, span: Span) -> Diagnostic {
    let what = if name.is_empty() {
        format!("`{kind}`")
    } else {
        format!("{kind} `{name}`")
    };
    Diagnostic::error("BZ2002", format!("{what} is declared twice"))
        .at(span, "again")
        .also(first, "first here")
}

pub(super) fn unknown_key(kind: &str, key: &str, span: Span, known: &[&str]) -> Diagnostic {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    let error = Diagnostic::error("BZ2003", format!("{article} {kind} has no field `{key}`"))
        .at(span, "unknown field");
    if kind == "service" && key == "limits" {
        return error.help(
            "memory is written `memory = 32Mi..48Mi`: the compiler chooses, as request and limit",
        );
    }
    match nearest(key, known.iter().copied()) {
        Some(near) => or_nearest(error, Some(near), span),
        None => error.note(format!("it has {}", listed(known))),
    }
}

pub(super) fn given_twice(key: &str, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2004", format!("`{key}` is given twice"))
        .at(span, "again")
        .also(first, "first here")
}

pub(super) fn circular_let(circle: &[&str], span: Span) -> Diagnostic {
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

pub(super) fn use_unreadable(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2006", format!("`{path}` cannot be used: {why}")).at(span, "used here")
}

pub(super) fn use_circle(names: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2007",
        format!("files use each other in a circle: {names}"),
    )
    .at(span, "closes the circle")
}

pub(super) fn uses_too_deep(limit: usize, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2007", format!("`use` goes more than {limit} files deep"))
        .at(span, "one too many")
}

pub(super) fn use_outside(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2008", format!("`{path}` lies outside the folder of the program"))
        .at(span, "used here")
        .note("a program may use files beside it and below it, so that what it compiles to depends on nothing else")
}

pub(super) fn unknown_module(module: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ2009",
        format!("the standard library has no module `{module}`"),
    )
    .at(span, "not a module");
    match nearest(module, crate::stdlib::MODULES) {
        Some(near) => error.fix(
            format!("did you mean `std.{near}`?"),
            span,
            format!("std.{near}"),
        ),
        None => error.note(format!("it has {}", listed(&crate::stdlib::MODULES))),
    }
}

pub(super) fn bare_use(text: &str, span: Span) -> Diagnostic {
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

pub(super) fn override_missing(key: &str, item: &Item, lower: &Field<'_>) -> Diagnostic {
    let path = lower.origin.path();
    let from = match lower.origin.name {
        "" => format!("`{}`", lower.origin.kind),
        name => format!("{} `{name}`", lower.origin.kind),
    };
    let from = if path.is_empty() {
        "another place".to_owned()
    } else {
        from
    };
    Diagnostic::error("BZ2010", format!("`{key}` is already given by {from}"))
        .at(item.key.span, "given again")
        .also(lower.item.key.span, "given here")
        .fix(
            "say that it replaces the other",
            item.key.span.before(),
            "override ",
        )
}

pub(super) fn overrides_nothing(key: &str, span: Span, word: Span) -> Diagnostic {
    Diagnostic::error("BZ2011", format!("`override {key}` replaces nothing"))
        .at(span, "not given by anything below")
        .fix(
            "give it without `override`",
            Span {
                end: span.start,
                ..word
            },
            "",
        )
}

pub(super) fn unknown_env<'k>(
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

pub(super) fn unknown_declaration(key: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ2013", format!("nothing is declared with `{key}`"))
        .at(span, "unknown here");
    or_nearest(error, near, span)
}

pub(super) fn unknown_edition(number: u64, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2014", format!("this bzc does not know edition {number}"))
        .at(span, "not an edition")
        .fix("it knows edition 1", span, "1")
}

pub(super) fn no_node(span: Span) -> Diagnostic {
    Diagnostic::error("BZ2015", "the program has no node")
        .at(span, "nothing says where this runs")
        .help("say what the machine has: `node NAME { memory = 3800Mi  reserve = 400Mi }`")
}

pub(super) fn even_servers(servers: usize, last: Span) -> Diagnostic {
    Diagnostic::error("BZ2016", format!("{servers} servers make no cluster"))
        .at(last, "the last of them")
        .note(
            "servers agree by majority: with an even number one more is needed for the same, and of two none may fail",
        )
        .help("make it an agent: `role = agent`; or give `k3s` a `datastore-endpoint`")
}

pub(super) fn no_node_takes(name: &str, why: &[String], span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ5017", format!("no node takes the pods of `{name}`"))
        .at(span, "asks for a node");
    why.iter().fold(error, |error, why| error.note(why.clone()))
}

pub(super) fn unknown_taint(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2001", format!("no node has the taint `{name}`"))
        .at(span, "nothing to tolerate")
        .help(format!("give it to a node: `taints = [{name}]`"))
}

pub(super) fn apart_without_replicas(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2003",
        "`anti-affinity` is for services and stateful sets",
    )
    .at(span, "its pods are not replicas of each other")
}

pub(super) fn survive_without_nodes(nodes: usize, span: Span) -> Diagnostic {
    let has = if nodes == 1 {
        "one node".to_owned()
    } else {
        format!("{nodes} nodes")
    };
    Diagnostic::error(
        "BZ3007",
        format!("the program has {has}, and is to outlive the loss of one"),
    )
    .at(span, "nothing would be left to run pods")
}

// Values.

pub(super) fn wrong_dimension(text: &str, found: Num, wanted: Dim, span: Span) -> Diagnostic {
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
            .fix("mebibytes are written `Mi`", span, format!("{digits}Mi")),
        (Dim::Count, Dim::Memory) if found.n.is_multiple_of(1 << 20) && found.n > 0 => {
            error.fix("say the unit", span, format!("{}Mi", found.n >> 20))
        }
        (Dim::Count, Dim::Memory) => error.fix("say the unit", span, format!("{digits}Mi")),
        (Dim::Memory, Dim::Cpu) => {
            error.help("CPU is written in cores (`2`) or thousandths (`250m`)")
        }
        (Dim::Count, Dim::Duration) => error.fix("say the unit", span, format!("{digits}s")),
        (Dim::Count, Dim::Percent) => error.fix("say the unit", span, format!("{digits}%")),
        _ => error,
    }
}

/// 512 to `0.512`.
fn thousandths(n: u64) -> String {
    let text = format!("{}.{:03}", n / 1000, n % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn not_whole(text: &str, dim: Dim, span: Span) -> Diagnostic {
    let (unit, smaller) = match dim {
        Dim::Memory => ("bytes", "use a smaller unit, such as `Mi`"),
        Dim::Duration => ("milliseconds", "use a smaller unit"),
        Dim::Cpu | Dim::Decimal => (
            "thousandths of a core",
            "use at most three decimals, or `m` without any",
        ),
        Dim::Percent | Dim::Count => ("numbers", "use a whole number"),
    };
    Diagnostic::error(
        "BZ3002",
        format!("`{text}` is not a whole number of {unit}"),
    )
    .at(span, "not whole")
    .help(smaller)
}

pub(super) fn unknown_unit(text: &str, suffix: &str, span: Span) -> Diagnostic {
    let digits = &text[..text.len() - suffix.len()];
    let error = Diagnostic::error("BZ3003", format!("`{suffix}` is no unit"))
        .at(span, "in no unit that bz knows");
    let meant = match suffix.to_ascii_lowercase().as_str() {
        "mb" | "mib" | "mi" => Some("Mi"),
        "gb" | "gib" | "gi" | "g" => Some("Gi"),
        "kb" | "kib" | "ki" | "k" => Some("Ki"),
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "mins" | "minute" | "minutes" => Some("min"),
        "hours" | "hr" | "hrs" => Some("h"),
        "cpu" | "core" | "cores" => Some(""),
        _ => None,
    };
    match meant {
        Some(meant) => error.fix(
            format!("did you mean `{digits}{meant}`?"),
            span,
            format!("{digits}{meant}"),
        ),
        None => error.note("memory: k M G Ki Mi Gi; CPU: m or none; time: ms s min h; share: %"),
    }
}

pub(super) fn whole_seconds(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", format!("`{what}` must be whole seconds"))
        .at(span, "Kubernetes counts seconds here")
}

pub(super) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3004", "a number does not fit 64 bits").at(span, "too large")
}

pub(super) fn reversed_range(low: &str, high: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3005",
        format!("the range goes down, from {low} to {high}"),
    )
    .at(span, "the least comes first")
    .fix("swap the ends", span, format!("{high}..{low}"))
}

pub(super) fn request_above_limit(
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

pub(super) fn missing_field(kind: &str, key: &str, span: Span, example: &str) -> Diagnostic {
    Diagnostic::error("BZ3006", format!("this {kind} has no `{key}`"))
        .at(span, format!("`{key}` is missing"))
        .help(format!("for example `{example}`"))
}

pub(super) fn out_of_range(what: &str, range: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", format!("`{what}` must be {range}")).at(span, "out of range")
}

pub(super) fn overcommit_below_all(value: u64, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3007",
        format!("an overcommit of {value}% is less than what there is"),
    )
    .at(span, "must be 100% or more")
    .help("to keep memory free, write `expect NODE.free >= ..`")
}

pub(super) fn negative(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", "the result is below zero").at(span, "no quantity is negative")
}

pub(super) fn mixed_dimensions(sign: &str, left: Dim, right: Dim, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3008",
        format!("`{sign}` of {} and {}", left.described(), right.described()),
    )
    .at(span, "these do not go together")
}

pub(super) fn division_by_zero(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", "division by zero").at(span, "divides by zero")
}

pub(super) fn no_arguments(function: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3008", format!("`{function}` of nothing"))
        .at(span, "needs at least one number")
}

pub(super) fn comparison_as_value(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a comparison is not a value").at(span, "only `expect` compares")
}

pub(super) fn not_a_number(span: Span, found: &str, text: &str) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("expected a number, found {found}"))
        .at(span, "expected a number");
    let inner = text.trim_matches('"');
    match inner.len() + 2 == text.len() && inner.starts_with(|c: char| c.is_ascii_digit()) {
        true => error.fix("quantities are not quoted", span, inner),
        false => error,
    }
}

pub(super) fn bare_text(text: &str, span: Span) -> Diagnostic {
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

pub(super) fn not_a_text(span: Span, found: &str, text: &str) -> Diagnostic {
    let error = Diagnostic::error("BZ3009", format!("expected a text, found {found}"))
        .at(span, "expected a text");
    match found {
        "a number" => error.fix(
            "texts stand between double quotes",
            span,
            format!("\"{text}\""),
        ),
        _ => error,
    }
}

pub(super) fn number_for_text(key: &str, text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3009",
        format!("`{key}` is a text to K3s, and this is a number"),
    )
    .at(span, "expected a text")
    .fix(
        "texts stand between double quotes",
        span,
        format!("\"{text}\""),
    )
}

pub(super) fn leading_zero(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{text}` begins with a zero"))
        .at(span, "read as octal by some and as decimal by others")
        .fix(
            "write it as a text, such as a file mode",
            span,
            format!("\"{text}\""),
        )
}

pub(super) fn quoted_name(what: &str, text: &str, span: Span) -> Diagnostic {
    let bare = text.trim_matches('"');
    Diagnostic::error("BZ3009", format!("`{what}` takes a name, not a text"))
        .at(span, "names are not quoted")
        .fix("without quotes it is a name", span, bare)
}

pub(super) fn not_a_name(what: &str, span: Span, found: &str) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{what}` takes a name, found {found}"))
        .at(span, "expected a name")
}

pub(super) fn not_a_list(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("BZ3009", "expected a list")
        .at(span, "not a list")
        .fix("a list stands between brackets", span, format!("[{text}]"))
}

pub(super) fn not_a_bool(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3009",
        format!("expected `true` or `false`, found `{name}`"),
    )
    .at(span, "neither");
    match name {
        "yes" | "on" => error.fix("bz writes `true`", span, "true"),
        "no" | "off" => error.fix("bz writes `false`", span, "false"),
        _ => error,
    }
}

pub(super) fn block_for_value(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{key}` takes a value, not a block"))
        .at(span, format!("expected `{key} = ..`"))
}

pub(super) fn value_for_block(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{key}` takes a block, not a value"))
        .at(span, format!("expected `{key} {{ .. }}`"))
}

pub(super) fn value_and_block(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("a {kind} has a block, not a value")).at(span, "not needed")
}

pub(super) fn unknown_escape(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3010", "an unknown escape in a text")
        .at(span, "the backslash escapes nothing here")
        .note("there are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and `\\u{..}`")
}

pub(super) fn not_one_of(what: &str, found: &str, span: Span, known: &[&str]) -> Diagnostic {
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

pub(super) fn malformed(kind: &str, example: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("this is not how `{kind}` is written"))
        .at(span, "incomplete")
        .help(format!("for example `{example}`"))
}

pub(super) fn declaration_without_name(kind: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("this {kind} has no name"))
        .at(span, "a name should follow")
        .help(format!("for example `{kind} NAME {{ .. }}`"))
}

pub(super) fn not_a_plain_name(kind: &str, text: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ3012", format!("a {kind} cannot be called `{text}`"))
        .at(span, "not a plain name");
    match super::service::label_fault(text) {
        None => error.fix("without quotes it is a name", span, text),
        Some(fault) => error.note(fault),
    }
}

// What Kubernetes and K3s take.

pub(super) fn not_a_label(kind: &str, name: &str, fault: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ5001",
        format!("`{name}` cannot be the name of a {kind}: {fault}"),
    )
    .at(span, "Kubernetes would refuse it");
    let better: String = name.to_ascii_lowercase().replace('_', "-");
    match better != name && super::service::label_fault(&better).is_none() {
        true => error.help(format!("`{better}` would do")),
        false => error,
    }
}

pub(super) fn unknown_flag(key: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ5002", format!("K3s has no key `{key}`")).at(
        span,
        "K3s would skip it with a warning, and nothing would happen",
    );
    let of_component = crate::stdlib::arguments().find(|row| row.name == key);
    match (key, of_component) {
        ("reserve" | "eviction-hard" | "max-pods" | "cpu", _) => {
            error.help(format!("`{key}` is a field of the node"))
        }
        (_, Some(row)) => {
            let block = format!("{}-arg {{ {key} = .. }}", row.component);
            error.help(format!("it is an argument of {}: `{block}`", row.component))
        }
        (_, None) => or_nearest(error, near, span),
    }
}

pub(super) fn removed_flag(flag: &Flag, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5003", format!("`{}` was removed from K3s", flag.key))
        .at(span, "gone")
        .note(flag.meaning)
}

pub(super) fn flag_too_new(flag: &Flag, since: u32, minor: u32, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5004", format!("K3s 1.{minor} has no key `{}`", flag.key))
        .at(span, format!("came with 1.{since}"))
        .note(flag.meaning)
}

pub(super) fn flag_of_other_role(flag: &Flag, role: &str, span: Span) -> Diagnostic {
    let consequence = match role {
        "agent" => "an agent would not start with it",
        _ => "a server would skip it",
    };
    Diagnostic::error(
        "BZ5005",
        format!("`{}` is not a key of a K3s {role}", flag.key),
    )
    .at(span, consequence)
}

pub(super) fn computed_argument(name: &str, instead: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5006", format!("`{name}` is what bzc computes"))
        .at(span, "a number written here would not be proved")
        .help(instead)
}

pub(super) fn component_disabled(name: &str, span: Span, off: Span) -> Diagnostic {
    Diagnostic::error("BZ5007", format!("component `{name}` is disabled"))
        .at(span, "changed here")
        .also(off, "disabled here")
}

pub(super) fn component_fixed(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ5007", format!("component `{name}` cannot be changed"))
        .at(span, "K3s restores its own manifest of this at every start");
    match name {
        "svclb-traefik" => error.note("K3s makes its pods in its own code, and nothing there gives them limits"),
        "helm-install-traefik" => {
            error.note("the Helm controller makes its pods, and nothing there is about one chart")
        }
        _ => error.note("to keep it, bzc would have to carry all of that manifest: roles, images, a registered API"),
    }
    .note("`coredns` and `traefik` can be changed: bzc writes what K3s keeps")
}

pub(super) fn component_without_helm(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("component `{name}` is a chart, and `disable-helm-controller` is set"),
    )
    .at(
        span,
        "nothing would install it, nor read what is changed of it",
    )
}

pub(super) fn component_on_agent(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("component `{name}` is changed on the servers, and this node is an agent"),
    )
    .at(span, "would be ignored")
}

pub(super) fn others_of_k3s(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("`{name}` is what K3s packages, and is counted already"),
    )
    .at(span, "would be counted twice")
}

pub(super) fn namespace_of_k3s(span: Span) -> Diagnostic {
    Diagnostic::error("BZ5001", "`kube-system` is K3s's own namespace")
        .at(span, "the quota of the services would hold K3s's pods too")
}

pub(super) fn host_port_of_many(port: u16, name: &str, pods: u64, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5008",
        format!("host port {port} is taken by another pod of `{name}` itself"),
    )
    .at(
        span,
        format!("{pods} pods of it would run at once, and a port of the node belongs to one"),
    )
    .help("one replica without surge, or a `node-port`, which they share")
}

pub(super) fn host_port_of_traefik(port: u16, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5008",
        format!("host port {port} is taken by K3s's own load balancer, for Traefik"),
    )
    .at(span, "a pod with it would stay Pending")
    .help("disable `traefik` or `servicelb`, or let Traefik serve it")
}

pub(super) fn trimmed(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{key}` has a blank at an end"))
        .at(span, "K3s would cut it off")
}

pub(super) fn too_large_user(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3007", "`user` must be 0 to 2147483647").at(span, "out of range")
}

pub(super) fn empty_command(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a probe runs a command, and this list is empty")
        .at(span, "nothing to run")
}

pub(super) fn scale_and_replicas(replicas: Span, scale: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2004",
        "`replicas` and `scale` both say how many pods there are",
    )
    .at(replicas, "fixed")
    .also(scale, "scaled")
}

pub(super) fn scale_without_cpu(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3006",
        "a service that scales by its use of CPU has a container without `cpu`",
    )
    .at(span, "the target is a share of the request")
    .help("for example `cpu = 50m..200m`")
}

pub(super) fn not_a_schedule(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5015", format!("`{text}` is not a schedule of cron"))
        .at(span, "expected minute, hour, day, month and weekday")
        .help("for example `\"*/15 * * * *\"` or `\"@daily\"`")
}

pub(super) fn unbounded_cron(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3006", "runs that may overlap need a bound").at(span, "how many at once?").help(
        "write `at-most = 3`, or leave `concurrency` out: then a run is left out while the last one has not ended",
    )
}

pub(super) fn bound_without_allow(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3012",
        "`at-most` bounds runs that overlap, and here none do",
    )
    .at(span, "not needed")
    .help("it belongs to `concurrency = allow`")
}

pub(super) fn storage_of_others(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        "only a `stateful` workload has storage for each of its pods",
    )
    .at(span, "would be shared or lost")
    .help("others mount a claim that exists: `claim = NAME`")
}

pub(super) fn storage_without_provider(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5016",
        format!("nothing provides the storage of `{name}`"),
    )
    .at(span, "its pods would stay Pending")
    .help("leave `local-storage` out of `disable`, or name the `class` of another provisioner")
}

pub(super) fn own_key_in_node(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2003", format!("`{key}` is said once, for all nodes"))
        .at(span, "would be ignored here")
        .help("write it in the `k3s` of the program")
}

pub(super) fn not_an_argument(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5006", format!("`{name}` is not written as an argument is"))
        .at(span, "only small letters, digits and `-`")
        .note("K3s splits an argument at its first `=`, and the kubelet reads `_` as `-`: another one could hide in it")
}

pub(super) fn class_without_storage(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", "`class` belongs to `storage`")
        .at(span, "a claim that exists has its class already")
}

pub(super) fn quoted_env(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", "the name of an environment is not quoted")
        .at(span, "as in `env prod { .. }`")
}

pub(super) fn same_mount(path: &str, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5012", format!("two volumes are mounted at `{path}`"))
        .at(span, "again")
        .also(first, "first here")
}

pub(super) fn mount_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("a volume is mounted at an absolute path, and `{path}` is none"),
    )
    .at(span, "must begin with `/` and have no `:`")
}

pub(super) fn label(key: &str, fault: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5011",
        format!("`{key}` cannot be a label or annotation here: {fault}"),
    )
    .at(span, "Kubernetes would refuse it")
}

pub(super) fn same_port(kind: &str, number: u16, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5008", format!("{kind} {number} is taken"))
        .at(span, "again")
        .also(first, "first here")
}

pub(super) fn not_an_image(name: &str, fault: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5009",
        format!("`{name}` is not the name of an image: {fault}"),
    )
    .at(span, "a container runtime would refuse it")
}

pub(super) fn probe_without_port(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5010", format!("the {key} probe has no port to ask"))
        .at(span, "the service has no port")
        .help("give the service a `port`, or the probe its own")
}

pub(super) fn probe_of_two(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("the {key} probe asks in two ways at once"),
    )
    .at(span, "the second")
    .note("it is one of `path`, `tcp` and `exec`")
}

pub(super) fn probe_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("the path of a probe begins with `/`, and `{path}` does not"),
    )
    .at(span, "not a path")
    .fix("begin it with `/`", span, format!("\"/{path}\""))
}

pub(super) fn port_without_port(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        "a node or host port leads to the service's `port`, and it has none",
    )
    .at(span, "leads nowhere")
    .help("give the service a `port`")
}

pub(super) fn not_a_variable(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5011",
        format!("`{name}` cannot be the name of an environment variable"),
    )
    .at(span, "Kubernetes would refuse it")
}

pub(super) fn not_a_config_key(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5011", format!("`{key}` cannot be a key of a ConfigMap"))
        .at(span, "only letters, digits, `-`, `_` and `.`")
}

pub(super) fn two_sources(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5012", format!("volume `{name}` is two things at once"))
        .at(span, "the second")
}

pub(super) fn source_outside(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5013",
        format!("the source `{path}` lies outside the folder of the program"),
    )
    .at(span, "a path beside the program or below it is needed")
}

pub(super) fn not_a_version(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5014",
        format!("`{text}` is not the version of a K3s release"),
    )
    .at(span, "expected something like v1.33.3+k3s1")
}

// Lints.

pub(super) fn unused(kind: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::lint("unused", format!("{kind} `{name}` is never used")).at(span, "not used")
}

pub(super) fn unknown_minor(text: &str, known: &RangeInclusive<u32>, span: Span) -> Diagnostic {
    let (first, last) = (known.start(), known.end());
    Diagnostic::lint(
        "unknown-version",
        format!("bzc has no tables for K3s {text}"),
    )
    .at(
        span,
        format!("it knows 1.{first} to 1.{last}, and takes the nearest"),
    )
}

pub(super) fn deprecated_flag(flag: &Flag, span: Span) -> Diagnostic {
    Diagnostic::lint("deprecated-key", format!("`{}` is deprecated", flag.key))
        .at(span, "will go")
        .note(flag.meaning)
}

pub(super) fn unknown_argument(
    component: &str,
    name: &str,
    span: Span,
    near: Option<&str>,
) -> Diagnostic {
    let lint = Diagnostic::lint(
        "unknown-argument",
        format!("{component} has no argument `{name}` that bzc knows"),
    )
    .at(
        span,
        "K3s passes it on, and the component may refuse to start",
    );
    or_nearest(lint, near, span)
}

pub(super) fn ambiguous(name: &str, kinds: &[&str], span: Span) -> Diagnostic {
    let first = kinds.first().copied().unwrap_or_default();
    Diagnostic::error(
        "BZ2018",
        format!("`{name}` is the name of {}", kinds.join(" and of ")),
    )
    .at(span, "which of them?")
    .help(format!("say the kind, as in `{first}.{name}`"))
}

pub(super) fn removed_argument(component: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "unknown-argument",
        format!("`{name}` was removed from {component}"),
    )
    .at(span, "K3s passes it on, and the component refuses to start")
}
