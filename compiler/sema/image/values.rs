//! What the templates of an image are filled with. Of every field the program's word counts first, then what the source
//! shows, then what the runtime takes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::errors;
use crate::base::span::Span;
use crate::layout::{Language, Layout, Value};
use crate::program::{Param, Runtime};
use crate::sema::errors as general;
use crate::sema::image::reference::check_image;
use crate::sema::layers::{Field, Fields};
use crate::sema::values::Cx;

/// Fields that are texts and reach a Dockerfile unchanged.
pub(crate) const PLAIN_TEXTS: [&str; 4] = ["app", "version", "base", "build-base"];

/// What a source may show beyond the fields, as templates call it.
pub(crate) const FACTS: [&str; 18] = [
    "berry",
    "build",
    "includes",
    "local",
    "lock",
    "module",
    "output",
    "prepare",
    "public",
    "root",
    "script",
    "settings",
    "standalone",
    "tool",
    "toolchain",
    "vendor",
    "workspace",
    "yarnrc",
];

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
    for fact in &layout.facts {
        let is_one_of = |known: &[&str], text: &str| known.is_empty() || known.contains(&text);
        let value = match &fact.value {
            Value::Flag(flag) => Param::Flag(*flag),
            Value::Texts(texts) => Param::Texts(texts.clone()),
            Value::Text(text) if fact.key == "manager" && !is_one_of(&runtime.managers, text) => {
                continue;
            }
            Value::Text(text) => Param::Text(text.clone()),
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
        if let (true, Param::Text(text)) = (PLAIN_TEXTS.contains(key), &value) {
            check_plain(cx, key, text, field.origin.span.unwrap_or(place));
        }
        values.insert(template_name(key), value);
    }
    for choice in &layout.choices {
        let is_answered = match choice.key {
            "app" if block.has("start") && can_start(runtime) => true,
            // A shared image starts nothing, and one that starts from it has its libraries.
            "app" => block.has("app") || (is_part && !block.has("from")),
            key => block.has(key) || block.has("from"),
        };
        if !is_answered {
            cx.report(errors::ambiguous(source, choice, place));
        }
    }
    for key in &runtime.needs {
        let open = layout.choices.iter().any(|choice| choice.key == *key);
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

/// Distroless images have Python 3.11, whatever is asked for.
pub(crate) fn check_distroless(block: &Fields<'_, '_>, layout: &Layout, place: Span) {
    let asked = match block.string("version") {
        Some(given) => Some((given.value.into_owned(), "`version`".to_owned()))
            .filter(|(text, _)| text != "3.11"),
        None => layout.needs_other.clone(),
    };
    if let Some((asked, by)) = asked {
        let span = block
            .name("variant")
            .and_then(|given| given.origin.span)
            .unwrap_or(place);
        block
            .cx
            .report(errors::distroless_python(&asked, &by, span));
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
    let shown: &[&str] = match (from_base, has_its_version) {
        (true, _) => &["app", "root", "output"],
        (false, true) => &["app", "manager", "root", "output", "module"],
        (false, false) => &["app", "manager", "version", "root", "output", "module"],
    };
    let mut parts = Vec::new();
    for fact in layout
        .facts
        .iter()
        .filter(|fact| shown.contains(&fact.key) && !block.has(fact.key))
    {
        if let Value::Text(text) = &fact.value {
            let known =
                fact.key != "manager" || runtime.managers.iter().any(|manager| manager == text);
            parts.extend(known.then(|| format!("{} {text} ({})", fact.key, fact.from)));
        }
    }
    parts.extend(
        layout
            .listens
            .as_ref()
            .map(|(port, file)| format!("port {port} ({file})")),
    );
    parts
}
