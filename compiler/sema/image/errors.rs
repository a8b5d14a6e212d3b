//! What is said of images that are to be built.

use crate::base::quantity::in_mib;
use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::layout::{Choice, Fault, FaultKind, shown};

/// The source gives several answers to a question of its image.
pub(crate) fn ambiguous(source: &str, choice: &Choice, span: Span) -> Diagnostic {
    let what = match choice.key {
        "app" => "several things could be started",
        "manager" => "several tools could install the libraries",
        _ => "several modules could be the service",
    };
    let mut error = Diagnostic::error("BZ7001", format!("in `{source}` {what}"))
        .at(span, format!("which `{}`?", choice.key));
    for (candidate, from) in &choice.candidates {
        error = error.note(format!("`{}`, by {}", shown(candidate), shown(from)));
    }
    let first = choice
        .candidates
        .first()
        .map_or_else(String::new, |(candidate, _)| shown(candidate));
    let value = if choice.key == "manager" {
        first
    } else {
        format!("\"{first}\"")
    };
    error.help(format!("say which, as in `{} = {value}`", choice.key))
}

/// A fault of the source, for which no image can be built.
pub(crate) fn of_source(source: &str, fault: &Fault, span: Span) -> Diagnostic {
    let file = match fault.from.as_str() {
        "" => format!("`{source}`"),
        from => {
            let folder = source.trim_end_matches('/').trim_start_matches("./");
            let folder = if folder.is_empty() || folder == "." {
                String::new()
            } else {
                format!("{folder}/")
            };
            format!("`{}`", shown(&format!("{folder}{from}")))
        }
    };
    let (code, label) = match fault.kind {
        FaultKind::Word => ("BZ7007", "its Dockerfile would hold it"),
        FaultKind::Entry => ("BZ7008", "its Dockerfile would start nothing"),
        FaultKind::Missing => ("BZ7009", "its image would not build"),
        FaultKind::Version => ("BZ7006", "no image to build it in"),
    };
    let error = Diagnostic::error(code, format!("{file}: {}", fault.what)).at(span, label);
    match fault.help.as_str() {
        "" => error,
        help => error.help(help),
    }
}

/// What the program wants copied, and the source does not hold.
pub(crate) fn not_there(source: &str, name: &str, span: Span) -> Diagnostic {
    let message = format!(
        "`{source}`: the image takes `{}`, and it is not there",
        shown(name)
    );
    Diagnostic::error("BZ7009", message).at(span, "its image would not build")
}

/// Commands that a source runs before what is started.
pub(crate) fn skipped(source: &str, step: &str, from: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "skipped-step",
        format!(
            "{} of `{source}` runs `{}` before it starts",
            shown(from),
            shown(step)
        ),
    )
    .at(span, "the image does not")
    .help("run it by a container before the service: `init migrate { .. }`")
}

pub(crate) fn left_out(source: &str, file: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "left-out",
        format!("`{file}` of `{source}` does not get to the builder"),
    )
    .at(span, why)
    .help(format!(
        "say that it may, `keep = [\"{file}\"]`, or that it need not, `leave-out = [\"{file}\"]`"
    ))
}

pub(crate) fn unused_nginx(source: &str, file: &str, is_whole: bool, span: Span) -> Diagnostic {
    let lint = Diagnostic::lint(
        "left-out",
        format!("`{file}` of `{source}` is not in the image"),
    )
    .at(
        span,
        "nginx there does not do what it says: an API behind it, paths of its own",
    );
    match is_whole {
        true => lint.help(format!(
            "put its `server` blocks into a file and say `conf = \"site.conf\"`, or leave it out: `leave-out = [\"{file}\"]`"
        )),
        false => lint.help(format!(
            "take it, `conf = \"{file}\"`, or leave it out: `leave-out = [\"{file}\"]`"
        )),
    }
}

pub(crate) fn not_in_image(source: &str, name: &str, file: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "left-out",
        format!(
            "`{name}` of `{source}` is not in the image, and {} reads it",
            shown(file)
        ),
    )
    .at(span, "the image holds the program and nothing else")
    .help(format!(
        "take it, `files = [\"{name}\"]`, or say that it is not needed, `leave-out = [\"{name}\"]`"
    ))
}

pub(crate) fn needs_packages(libraries: &[String], is_alpine: bool, span: Span) -> Diagnostic {
    let names: Vec<String> = libraries.iter().map(|name| format!("`{name}`")).collect();
    let why = match is_alpine {
        true => "what they are called on Alpine is not known",
        false => "a distroless image has no package manager",
    };
    Diagnostic::lint(
        "native-library",
        format!(
            "packages of the system are needed by {}: {why}",
            names.join(", ")
        ),
    )
    .at(span, "the program may not start")
    .help("take `variant = slim`")
}

pub(crate) fn compiled(libraries: &[String], from: &str, span: Span) -> Diagnostic {
    let names: Vec<String> = libraries.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::lint(
        "native-library",
        format!("{from} has {} in versions that come built for no Python that the source takes", names.join(", ")),
    )
    .at(span, "the build compiles them, and may fail")
    .help("say the version of Python that they were made for, `version = \"3.11\"`, or take newer ones")
}

pub(crate) fn unreadable_template(name: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ7002",
        format!("the template `{name}` cannot be filled: {why}"),
    )
    .at(span, "named here")
}

pub(crate) fn not_for_a_dockerfile(key: &str, text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ7003",
        format!("`{key}` cannot be `{}`", text.escape_debug()),
    )
    .at(span, "a shell would read more than a name in it")
    .note("letters, digits and `._-/:@+=*()` are taken as they are")
}

pub(crate) fn not_in_distroless(
    language: &str,
    known: &[&str],
    (asked, by): (&str, &str),
    span: Span,
) -> Diagnostic {
    let known = known.join(", ");
    Diagnostic::error(
        "BZ7006",
        format!(
            "the {language} of `distroless` is {known}, and {} asks for `{}`",
            shown(by),
            shown(asked)
        ),
    )
    .at(span, "another version")
    .help("take `slim` or `alpine`, or give a `base` of that version")
}

pub(crate) fn past_end(language: &str, version: &str, ended: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "past-end",
        format!("{language} {version} gets no more fixes since {ended}"),
    )
    .at(span, "faults that are found now stay in the image")
    .help("take a newer one: `version = \"..\"`")
}

pub(crate) fn no_metadata(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ7005", format!("`{path}` has no digests: {why}"))
        .at(span, "named here")
        .note("`docker buildx bake --metadata-file` writes one")
}

pub(crate) fn parameter_kind(key: &str, wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("the parameter `{key}` is {wanted}"))
        .at(span, "something else")
}

pub(crate) fn unmeasured_workers(runtime: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2003",
        format!("an image of {runtime} has no field `workers`"),
    )
    .at(span, "unknown field")
    .note("what a further worker takes was not measured, and the floor would be wrong by it")
    .help("run more pods: `replicas = 2`")
}

pub(crate) fn no_base(runtime: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ7004", format!("images of {runtime} share no libraries")).at(span, "nothing to share").note(
        "an image that others start from holds the libraries of Python or Node; elsewhere they are in the program",
    )
}

pub(crate) fn decided_by_base(key: &str, base: &str, span: Span, of_base: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ7004",
        format!("`{key}` is decided by the image `{base}`"),
    )
    .at(span, "said again")
    .also(of_base, "what it starts from")
}

pub(crate) fn other_language(
    runtime: &str,
    base: &str,
    of_base: &str,
    span: Span,
    of: Span,
) -> Diagnostic {
    Diagnostic::error(
        "BZ7004",
        format!("{runtime} cannot start from `{base}`, which is {of_base}"),
    )
    .at(span, "another language")
    .also(of, "what it starts from")
}

pub(crate) fn not_in_base(base: &str, library: &str, from: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "missing-library",
        format!("{from} names `{library}`, and the image `{base}` does not have it"),
    )
    .at(span, "the container would not start")
}

pub(crate) fn reserved_parameter(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2004", format!("`{key}` is a field of every image"))
        .at(span, "not a name for a parameter")
}

// Lints.

pub(crate) fn unseen(service: &str, source: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "unseen-source",
        format!("`{service}` is built from `{source}`, which does not exist"),
    )
    .at(span, "nothing there")
    .note("its Dockerfile is written for what the runtime takes where a source shows nothing else")
}

pub(crate) fn unlocked(source: &str, file: Option<&str>, first: &str, span: Span) -> Diagnostic {
    match file {
        Some("requirements.txt") => Diagnostic::lint(
            "no-lock-file",
            format!("`{source}` has requirements.txt with open versions"),
        )
        .at(
            span,
            "what is installed depends on the day of the build, and so does its memory",
        )
        .help("pin each one, `fastapi==0.165.0`, or use a tool with a lock file"),
        Some(file) => Diagnostic::lint(
            "no-lock-file",
            format!("`{source}` has {file} and no lock file"),
        )
        .at(
            span,
            "what is installed depends on the day of the build, and so does its memory",
        ),
        None => Diagnostic::lint("no-lock-file", format!("`{source}` names no libraries")).at(
            span,
            format!("the Dockerfile copies {first}, and it is not there"),
        ),
    }
}

pub(crate) fn missing_library(runtime: &str, library: &str, from: &str, span: Span) -> Diagnostic {
    let message = format!("{runtime} needs `{library}`, and {from} does not name it");
    Diagnostic::lint("missing-library", message).at(span, "the container would not start")
}

pub(crate) fn not_standalone(source: &str, span: Span) -> Diagnostic {
    Diagnostic::lint(
        "missing-output",
        format!("no Next.js configuration in `{source}` says `standalone`"),
    )
    .at(
        span,
        "the build makes no server that stands alone, and the image copies one",
    )
    .help("in next.config: `output: \"standalone\"`")
}

pub(crate) fn secrets(source: &str, files: &[String], span: Span) -> Diagnostic {
    const SHOWN: usize = 5;
    let mut lint = Diagnostic::lint(
        "secret-in-context",
        format!("`{source}` holds what looks like secrets"),
    )
    .at(span, "the builder gets them, and the image may");
    for file in files.iter().take(SHOWN) {
        lint = lint.note(format!("`{file}`"));
    }
    if files.len() > SHOWN {
        lint = lint.note(format!("and {} more", files.len() - SHOWN));
    }
    let first = files.first().map_or("", String::as_str);
    lint.help(format!(
        "move them out of it, or leave them out: `leave-out = [\"{first}\"]`"
    ))
}

pub(crate) fn large(
    source: &str,
    bytes: u64,
    more: bool,
    largest: Option<&(String, u64)>,
    span: Span,
) -> Diagnostic {
    let least = if more { "more than " } else { "" };
    let message = format!(
        "`{source}` sends {least}{} to the builder",
        in_mib(bytes >> 20 << 20)
    );
    let mut lint = Diagnostic::lint("large-context", message).at(span, "each build");
    if let Some((name, most)) = largest {
        lint = lint.note(format!("`{name}` has {} of it", in_mib(most >> 20 << 20)));
        lint = lint.help(format!(
            "leave out what the image does not need: `leave-out = [\"{}\"]`",
            name.trim_end_matches('/')
        ));
    }
    lint
}

pub(crate) fn not_an_image(name: &str, fault: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5009",
        format!("`{name}` is not the name of an image: {fault}"),
    )
    .at(span, "a container runtime would refuse it")
}

pub(crate) fn source_outside(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5013",
        format!("the source `{path}` lies outside the folder of the program"),
    )
    .at(span, "must be a path in the folder of the program")
}
