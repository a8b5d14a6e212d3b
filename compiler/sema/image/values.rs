//! What the templates of an image are filled with. Of every field the program's word counts first, then what the source
//! shows, then what the runtime takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::errors;
use crate::base::span::Span;
use crate::layout::{Fault, FaultKind, Language, Layout, Value, Word, shown};
use crate::program::{Param, Runtime};
use crate::sema::errors as general;
use crate::sema::image::reference::check_image;
use crate::sema::layers::{Field, Fields};
use crate::sema::values::Cx;
use crate::stdlib;

/// Fields that are texts and reach a Dockerfile unchanged.
pub(crate) const PLAIN_TEXTS: [&str; 4] = ["app", "version", "base", "build-base"];

/// What a source may show beyond the fields, as templates call it.
pub(crate) const FACTS: [&str; 30] = [
    "arguments",
    "berry",
    "build",
    "call",
    "cgo",
    "compiler",
    "dev",
    "env",
    "flags",
    "generate",
    "includes",
    "linkers",
    "local",
    "lock",
    "module",
    "npmrc",
    "output",
    "prepare",
    "public",
    "root",
    "script",
    "settings",
    "settings_kept",
    "standalone",
    "tool",
    "toolchain",
    "vendor",
    "whole",
    "workspace",
    "yarnrc",
];

/// What a source shows of the command that is started. It goes with `app`: where the program gives that, it is not taken.
const OF_COMMAND: [&str; 7] = ["app", "arguments", "call", "dev", "env", "flags", "start"];

/// What templates call a field.
pub(crate) fn template_name(key: &str) -> String {
    key.replace('-', "_")
}

/// What the templates are filled with.
pub(crate) fn values<'a>(
    block: &Fields<'_, 'a>,
    runtime: &Runtime<'a>,
    layout: &Layout,
    (source, place): (&str, Span),
    is_part: bool,
) -> BTreeMap<String, Param> {
    let cx = block.cx;
    let mut values: BTreeMap<String, Param> = FACTS
        .iter()
        .map(|fact| ((*fact).to_owned(), Param::Text(String::new())))
        .collect();
    for (key, default) in &runtime.params {
        values.insert(template_name(key), default.clone());
    }
    for (key, known) in [
        ("variant", &runtime.variants),
        ("manager", &runtime.managers),
    ] {
        values.insert(
            key.to_owned(),
            Param::Text(known.first().copied().unwrap_or_default().to_owned()),
        );
    }
    let is_answered = |key: &str| match key {
        "app" if block.has("start") && can_start(runtime) => true,
        // A shared image starts nothing, and one that starts from it has its libraries.
        "app" => block.has("app") || (is_part && !block.has("from")),
        key => block.has(key) || block.has("from"),
    };
    for fact in &layout.facts {
        if OF_COMMAND.contains(&fact.key) && is_answered("app") {
            continue;
        }
        let is_one_of = |known: &[&str], text: &str| known.is_empty() || known.contains(&text);
        let value = match &fact.value {
            Value::Flag(flag) => Param::Flag(*flag),
            Value::Texts(words) => Param::Texts(words.iter().map(ToString::to_string).collect()),
            Value::Command(words) => Param::Texts(words.clone()),
            Value::Text(word)
                if fact.key == "manager" && !is_one_of(&runtime.managers, word.as_str()) =>
            {
                continue;
            }
            Value::Text(word) => Param::Text(word.to_string()),
        };
        values.insert(fact.key.to_owned(), value);
    }
    for (key, known) in [
        ("variant", &runtime.variants),
        ("manager", &runtime.managers),
    ] {
        if let Some(given) = block.name(key).filter(|_| !known.is_empty()) {
            if !known.contains(&given.value) {
                cx.report(general::not_one_of(
                    key,
                    given.value,
                    given.origin.span.unwrap_or(place),
                    known,
                ));
            }
            values.insert(key.to_owned(), Param::Text(given.value.to_owned()));
        }
    }
    for (key, default) in &runtime.params {
        let Some(field) = block.get(key) else {
            continue;
        };
        let Some(value) = value_like(block, field, key, default) else {
            continue;
        };
        let is_plain = PLAIN_TEXTS.contains(key) || cx.sources.is_library(runtime.dockerfile.span);
        if let (true, Param::Text(text)) = (is_plain, &value) {
            check_plain(cx, key, text, field.origin.span.unwrap_or(place));
        }
        let value = match (*key, value) {
            ("build-packages" | "run-packages" | "files", Param::Texts(mut words)) => {
                for word in words.iter().filter(|word| Word::new(*word).is_err()) {
                    cx.report(errors::not_for_a_dockerfile(
                        key,
                        word,
                        field.origin.span.unwrap_or(place),
                    ));
                }
                // Beside what the libraries of the source are known to need.
                if let Some(Param::Texts(seen)) = values.get(&template_name(key)) {
                    words.extend(seen.iter().cloned());
                }
                words.sort();
                words.dedup();
                Param::Texts(words)
            }
            (_, value) => value,
        };
        values.insert(template_name(key), value);
    }
    for choice in &layout.choices {
        if !is_answered(choice.key) {
            cx.report(errors::ambiguous(source, choice, place));
        }
    }
    for (step, from) in layout.skipped.iter().filter(|_| !is_answered("app")) {
        cx.report(errors::skipped(source, step, from, place));
    }
    for fault in &layout.faults {
        let answered = !fault.key.is_empty() && is_answered(fault.key);
        if !answered && applies(block, runtime, fault) {
            cx.report(errors::of_source(source, fault, place));
        }
    }
    for key in &runtime.needs {
        let open = layout.choices.iter().any(|choice| choice.key == *key)
            || layout.faults.iter().any(|fault| fault.key == *key);
        let value = values.get(&template_name(key));
        let empty = value.is_none_or(|value| {
            matches!(value, Param::Text(text) if text.is_empty())
                || *value == Param::Texts(Vec::new())
        });
        if empty && !open && !block.has(key) {
            block.missing(
                key,
                &format!(
                    "{key} = {}",
                    if *key == "start" {
                        "[\"/app/run\"]"
                    } else {
                        "\"..\""
                    }
                ),
            );
        }
    }
    values
}

/// Whether a fault of a source is one of an image of this runtime. A project's own template knows what it copies, and
/// what its runtime starts where a source shows nothing.
fn applies(block: &Fields<'_, '_>, runtime: &Runtime<'_>, fault: &Fault) -> bool {
    let is_library = block.cx.sources.is_library(runtime.dockerfile.span);
    let has_default =
        || matches!(runtime.params.get("app"), Some(Param::Text(app)) if !app.is_empty());
    match fault.kind {
        FaultKind::Word => true,
        FaultKind::Entry => is_library || runtime.needs.contains(&fault.key) && !has_default(),
        FaultKind::Missing | FaultKind::Version => is_library,
    }
}

/// The value that a program gives to a parameter, of the kind of its default.
pub(crate) fn value_like<'a>(
    fields: &Fields<'_, 'a>,
    field: Field<'a>,
    key: &'a str,
    default: &Param,
) -> Option<Param> {
    Some(match default {
        Param::Text(_) => Param::Text(fields.string(key)?.value.into_owned()),
        Param::Flag(_) => Param::Flag(fields.flag(key)?),
        Param::Count(_) => Param::Count(fields.count(key)?.value),
        Param::Memory(_) => Param::Memory(fields.cx.memory(field.value(fields.cx)?)?),
        Param::Texts(_) => Param::Texts(
            fields
                .strings(key)?
                .into_iter()
                .map(Cow::into_owned)
                .collect(),
        ),
    })
}

/// The versions that distroless images of Debian 13 have: the README of GoogleContainerTools/distroless, August 2026.
const DISTROLESS: [(Language, &str, &[&str]); 3] = [
    (Language::Python, "Python", &["3.13"]),
    (Language::Node, "Node", &["22", "24", "26"]),
    (Language::Java, "Java", &["17", "21", "25"]),
];

/// Reports a version that distroless images do not have, whoever asks for it.
pub(crate) fn check_distroless(
    block: &Fields<'_, '_>,
    runtime: &Runtime<'_>,
    layout: &Layout,
    place: Span,
) {
    let Some((language, name, known)) = DISTROLESS
        .iter()
        .find(|(language, ..)| *language == runtime.language)
    else {
        return;
    };
    let asked = match block.string("version") {
        Some(given) => Some((given.value.into_owned(), "`version`".to_owned())),
        None if *language == Language::Python => layout.needs_other.clone(),
        None => layout
            .fact("version")
            .and_then(|fact| Some((layout.text("version")?.to_owned(), fact.from.clone()))),
    };
    let is_range = *language == Language::Python && !block.has("version");
    if let Some((asked, by)) =
        asked.filter(|(asked, _)| is_range || !known.contains(&asked.as_str()))
    {
        let span = block
            .name("variant")
            .and_then(|given| given.origin.span)
            .unwrap_or(place);
        block
            .cx
            .report(errors::not_in_distroless(name, known, (&asked, &by), span));
    }
}

/// Warns of a version that gets no more fixes.
pub(crate) fn check_end(
    block: &Fields<'_, '_>,
    runtime: &Runtime<'_>,
    values: &BTreeMap<String, Param>,
    place: Span,
) {
    let language = match runtime.language {
        Language::Python => "python",
        Language::Node => "node",
        Language::Go => "go",
        Language::Static
            if values
                .get("build")
                .is_some_and(|build| *build != Param::Text(String::new())) =>
        {
            "node"
        }
        Language::Static | Language::Rust | Language::Java | Language::Other => return,
    };
    let Some(Param::Text(version)) = values.get("version") else {
        return;
    };
    let known = stdlib::versions(language).find(|row| row.version == version);
    if let Some(ended) = known
        .and_then(|row| row.ended)
        .filter(|ended| *ended <= stdlib::VERSIONS_READ)
    {
        let span = block.get("version").map_or(place, |field| field.item.span);
        block
            .cx
            .report(errors::past_end(runtime.name, version, ended, span));
    }
}

/// Whether `command` is enough to start an image of this runtime. With a compiled language it is not: the build must
/// know what to compile.
pub(crate) fn can_start(runtime: &Runtime<'_>) -> bool {
    matches!(
        runtime.language,
        Language::Python | Language::Node | Language::Other
    )
}

/// Reports texts that cannot stand unquoted in shell commands and in `FROM`.
pub(crate) fn check_plain(cx: &Cx<'_>, key: &str, text: &str, span: Span) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+=*()".contains(c);
    if key.ends_with("base") && !text.is_empty() {
        check_image(cx, text, span);
    } else if !text.chars().all(plain) || (text.is_empty() && key == "app") {
        cx.report(errors::not_for_a_dockerfile(key, text, span));
    }
}

/// What the source shows, one line a fact, for the Dockerfile and the report.
pub(crate) fn found(
    block: &Fields<'_, '_>,
    runtime: &Runtime<'_>,
    layout: &Layout,
    from_base: bool,
    has_its_version: bool,
) -> Vec<String> {
    let of_libraries = ["manager", "version", "module"];
    let is_shown = |key: &str| match key {
        "version" if has_its_version => false,
        key if of_libraries.contains(&key) => !from_base,
        key if OF_COMMAND.contains(&key) => !(block.has("app") || block.has("start")),
        "build_packages" | "run_packages" | "cgo" | "linkers" => !from_base,
        key => ["root", "output"].contains(&key),
    };
    let mut parts = Vec::new();
    for fact in layout
        .facts
        .iter()
        .filter(|fact| is_shown(fact.key) && !block.has(fact.key))
    {
        let text = match &fact.value {
            Value::Text(word) => word.to_string(),
            Value::Command(words) => shown(&words.join(" ")),
            Value::Texts(words) => words.iter().map(Word::as_str).collect::<Vec<_>>().join(" "),
            Value::Flag(_) => fact.key.to_owned(),
        };
        let known = fact.key != "manager" || runtime.managers.contains(&text.as_str());
        parts.extend(known.then(|| format!("{} {text} ({})", fact.key, shown(&fact.from))));
    }
    parts.extend(
        layout
            .listens
            .as_ref()
            .map(|(port, file)| format!("port {port} ({})", shown(file))),
    );
    parts
}
