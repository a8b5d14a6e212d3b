//! What is said of adopted manifests and of the rules for them.

use crate::base::span::Span;
use crate::base::text::few;
use crate::diag::Diagnostic;
use crate::manifest::workload::Uncounted;
use crate::world::Chart;

fn or_nearest(error: Diagnostic, near: Option<&str>) -> Diagnostic {
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

pub(super) fn manifest_unreadable(path: &str, why: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6001",
        format!("the manifest `{path}` cannot be read: {why}"),
    )
    .at(at, "adopted here")
}

pub(super) fn manifest_fault(path: &str, what: &str, place: Option<Span>, at: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ6001",
        format!("the manifest `{path}` cannot be adopted: {what}"),
    );
    let error = match place {
        Some(place) => error.at(place, "here").also(at, "adopted here"),
        None => error.at(at, "adopted here"),
    };
    error.note("what bzc does not understand it can neither count nor change")
}

pub(super) fn manifests_too_large(mib: usize, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6001",
        format!("the adopted manifests have more than {mib} MiB together"),
    )
    .at(at, "adopted here")
    .help("adopt only the files that have workloads")
}

pub(super) fn too_many_files(limit: usize, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6001",
        format!("a walk for the pattern met more than {limit} files"),
    )
    .at(at, "walks too far")
    .help("begin the pattern with the folder that holds the manifests")
}

pub(super) fn no_chart(written: &str, why: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ6002", format!("`{written}` is no chart: {why}"))
        .at(at, "`helm` renders the chart in a folder of the project")
}

pub(super) fn chart_as_files(written: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ6002", format!("`{written}` is a chart, and no manifest"))
        .at(at, "nothing to adopt before it is rendered")
        .help("`helm { release = NAME  values = [\"FILE\"] }` in the block has your own `helm template` render it")
}

pub(super) fn not_rendered(chart: &Chart, why: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6001",
        format!("the chart `{}` cannot be rendered: {why}", chart.folder),
    )
    .at(at, "adopted here")
    .help(format!(
        "run bzc once where helm is on PATH, and keep `{}`: with it no helm is needed",
        chart.kept
    ))
}

pub(super) fn adopt_outside(written: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ2008", format!("`{written}` lies outside the folder of the program"))
        .at(at, "adopted here")
        .note("a program may adopt files of its folder and below, so that its output depends on nothing else")
}

pub(super) fn matches_no_file(written: &str, near: Option<&str>, at: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ6002", format!("`{written}` matches no file"))
        .at(at, "nothing to adopt");
    let error = error.note(
        "`*` stands for any part of a name, `**` for any folders; names that begin with a dot, and what bzc wrote, never match",
    );
    or_nearest(error, near)
}

pub(super) fn excepts_nothing(written: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ6002", format!("`{written}` excepts no file"))
        .at(at, "nothing that the patterns match is left out by it")
        .note("`*` stands for any part of a name, `**` for any folders; paths count from the folder of this file")
}

pub(super) fn not_a_pattern(written: &str, why: &str, at: Span) -> Diagnostic {
    Diagnostic::error("BZ6002", format!("`{written}` is not a pattern: {why}"))
        .at(at, "cannot match anything")
}

pub(super) fn no_such_workload(
    name: &str,
    near: Option<&str>,
    pattern: &str,
    at: Span,
) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ6003",
        format!("no workload in `{pattern}` is called `{name}`"),
    );
    or_nearest(error.at(at, "matches nothing"), near)
}

pub(super) fn no_such_container(
    workload: &str,
    container: &str,
    known: &[&str],
    at: Span,
) -> Diagnostic {
    let known = known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    Diagnostic::error(
        "BZ6003",
        format!("`{workload}` has no container `{container}`"),
    )
    .at(at, "matches nothing")
    .note(format!("it has {known}"))
}

pub(super) fn kept_and_ruled(name: &str, rule: Span, kept: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6003",
        format!("`{name}` is kept as it is, and has a rule"),
    )
    .at(rule, "would change it")
    .also(kept, "kept here")
}

pub(super) fn adopted_twice(path: &str, first: Span, at: Span) -> Diagnostic {
    Diagnostic::error("BZ6005", format!("`{path}` is adopted twice"))
        .at(at, "again")
        .also(first, "first here")
}

pub(super) fn same_object(name: &str, first: Span, at: Span, by: [&str; 2]) -> Diagnostic {
    // One place of one file: two kustomizations take it.
    if first == at {
        let [one, other] = by;
        let folder = one.rsplit_once('/').map_or(one, |(folder, _)| folder);
        return Diagnostic::error(
            "BZ6005",
            format!("two adopted kustomizations make `{name}`"),
        )
        .at(at, format!("`{one}` and `{other}` take it from here"))
        .note("applied, the second would replace the first")
        .help(format!(
            "leave out the one that this machine does not run: `except = [\"{folder}/**\"]`"
        ));
    }
    Diagnostic::error(
        "BZ6005",
        format!("`{name}` stands in the adopted manifests twice"),
    )
    .at(at, "again")
    .also(first, "first here")
    .note("applied, the second would replace the first")
}

pub(super) fn same_name_as_service(name: &str, service: Span, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6005",
        format!("`{name}` is declared, and adopted as well"),
    )
    .at(service, "declared here")
    .also(at, "adopted from here")
}

pub(super) fn packaged(name: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6005",
        format!("K3s packages `{name}` itself, and it is adopted as well"),
    )
    .at(at, "the next start of k3s would undo every change of it")
    .help(format!(
        "leave it out of the pattern, and write `component {name}` or disable it in `k3s`"
    ))
}

pub(super) fn not_of_this_kind(key: &str, kind: &str, name: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6006",
        format!("`{name}` is a {kind}, which has no `{key}`"),
    )
    .at(at, "means nothing there")
}

/// A rule about pods that an operator makes: it writes them, and would undo what another writes.
pub(super) fn of_an_operator(name: &str, kind: &str, at: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6006",
        format!(
            "the pods of `{name}` are made by the operator of `{kind}`, and no rule changes them"
        ),
    )
    .at(at, "means nothing there")
    .help("change the object itself; `bzc explain kind` says how bzc reads what it asks for")
}

pub(super) fn unbounded_in_budget(
    budget: &str,
    name: &str,
    container: &str,
    at: Span,
    budget_at: Span,
) -> Diagnostic {
    Diagnostic::error(
        "BZ6008",
        format!("budget `{budget}` counts `{name}`, and nothing limits its `{container}`"),
    )
    .at(at, "has no memory limit")
    .also(budget_at, "cannot be proved with it")
    .help(format!(
        "give it memory: `workload {name} {{ memory = .. }}`"
    ))
}

pub(super) fn unplaceable(name: &str, what: &str, at: Span, pattern: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ6009",
        format!("bzc cannot tell which nodes take the pods of `{name}`: {what}"),
    )
    .at(at, "on several nodes the proof depends on it")
    .also(pattern, "adopted here")
}

// Lints.

/// A container that no rule is about.
#[derive(Debug)]
pub(super) struct Unmatched {
    /// `web/nginx`.
    pub(super) name: String,
    /// `k8s/web.yaml:12`.
    pub(super) place: String,
    /// Whether no LimitRange limits it either.
    pub(super) unbounded: bool,
}

pub(super) fn unmatched(found: &[Unmatched], at: Span) -> Diagnostic {
    const SHOWN: usize = 6;
    let listed = |unbounded: bool| {
        let all = found.iter().filter(|one| one.unbounded == unbounded);
        let all: Vec<String> = all
            .map(|one| format!("`{}` {}", one.name, one.place))
            .collect();
        (all.len(), few(&all, SHOWN))
    };
    let message = match found {
        [one] => format!("no rule gives memory to `{}`", one.name),
        many => format!("no rule gives memory to {} containers", many.len()),
    };
    let mut lint = Diagnostic::lint("adopted-as-is", message).at(at, "of these manifests");
    for (unbounded, what) in [
        (true, "nothing limits, so non-interference is unknown"),
        (false, "keep what they have"),
    ] {
        if let (1.., names) = listed(unbounded) {
            lint = lint.note(format!("{what}: {names}"));
        }
    }
    let first = found.first().map_or("", |one| one.name.as_str());
    lint.help(format!(
        "give them memory in a rule, or say that it is meant: `keep {first}`"
    ))
}

/// Files that hold no object, as messages name them.
pub(super) fn no_object(paths: &[String], at: Span) -> Diagnostic {
    const SHOWN: usize = 6;
    let lint = match paths {
        [path] => Diagnostic::lint(
            "uncounted-object",
            format!("`{path}` holds no Kubernetes object, and nothing of it is counted"),
        ),
        many => {
            let all: Vec<String> = many.iter().map(|path| format!("`{path}`")).collect();
            Diagnostic::lint(
                "uncounted-object",
                format!(
                    "{} files hold no Kubernetes object, and nothing of them is counted",
                    many.len()
                ),
            )
            .note(few(&all, SHOWN))
        }
    };
    lint.at(at, "of these manifests")
        .help("leave them out: `except = [\"PATTERN\"]`")
}

pub(super) fn uncounted(object: &Uncounted, name: &str, place: Span, at: Span) -> Diagnostic {
    let pods = if object.partly { "other pods" } else { "pods" };
    let lint = Diagnostic::lint(
        "uncounted-object",
        match object.partly {
            true => format!("not all of `{}` is counted: {}", object.what, object.why),
            false => format!("`{}` is not counted: {}", object.what, object.why),
        },
    )
    .at(at, "of these manifests")
    .also(
        Span {
            end: place.start,
            ..place
        },
        "here",
    )
    .note("while nothing is known of its pods, isolation, non-interference and liveness are unknown")
    .help(format!(
        "say what its {pods} take in an `others` with `of = [\"{name}\"]`, and `pods = 0` if it makes none"
    ));
    let kind = object.what.split(' ').next().unwrap_or_default();
    match object.of_unknown_kind {
        true => lint.help(format!(
            "or say what all objects of its kind make: `kind \"{}/{kind}\" {{ .. }}` (`bzc explain kind`)",
            object.group
        )),
        false => lint,
    }
}

/// `of = ["Cluster/pg"]` names an object that is not adopted.
pub(super) fn of_nothing(of: &str, at: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ6003",
        format!("`of` names `{of}`, which no adopted manifest has as an uncounted object"),
    )
    .at(at, "none is called so");
    match near {
        Some(near) => error.guess(format!("there is `{near}`"), at, format!("\"{near}\"")),
        None => {
            error.help("write the kind and the name of an object that `uncounted-object` names")
        }
    }
}

/// A rule gives what a VerticalPodAutoscaler gives.
pub(super) fn resized(container: &str, key: &str, at: Span, by: Span) -> Diagnostic {
    let message = format!("`{key}` of `{container}` is given by a VerticalPodAutoscaler");
    Diagnostic::error("BZ2004", message)
        .at(at, "this would not last")
        .also(by, "it resizes the pods")
        .help("leave one of the two out: the container counts with `maxAllowed`")
}
