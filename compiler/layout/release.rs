//! Which version of a language a source asks for, among those that official images are there for.

use super::{Fault, FaultKind, Layout, shown};
use crate::stdlib;

/// Names of releases with long support, as `.nvmrc` may say `lts/jod`: the release schedule of Node.
const LONG_SUPPORT: [(&str, u64); 6] = [
    ("gallium", 16),
    ("hydrogen", 18),
    ("iron", 20),
    ("jod", 22),
    ("krypton", 24),
    ("*", 24),
];
/// The version of Node that runtimes of the library take, and those that are taken in its place, the best first.
const NODE: [u64; 9] = [22, 24, 26, 20, 18, 16, 25, 23, 21];

/// The parts of a version as numbers: `1.27` and `3.12.4`.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

/// The newest version of a language that is known.
pub(super) fn newest(language: &str) -> Vec<u64> {
    stdlib::versions(language)
        .map(|row| numbers(row.version))
        .max()
        .unwrap_or_default()
}

/// Whether a version is newer than all that are known. bzc is older than it then, and takes it as it is.
pub(super) fn is_newer(language: &str, version: &str) -> bool {
    numbers(version) > newest(language)
}

/// Records a version that a file asks for, if there are images of it.
pub(super) fn say(language: &'static str, version: &str, from: &str, layout: &mut Layout) {
    let is_known = stdlib::versions(language).any(|row| row.version == version);
    if is_known || is_newer(language, version) {
        layout.say("version", version, from);
    } else {
        refuse(language, version, from, layout);
    }
}

/// Records that there is no image of what a file asks for.
fn refuse(language: &str, asked: &str, from: &str, layout: &mut Layout) {
    let first = stdlib::versions(language)
        .map(|row| (numbers(row.version), row.version))
        .min();
    let image = if language == "go" { "golang" } else { language };
    let first = first.map_or("", |(_, version)| version);
    layout.faults.push(Fault {
        kind: FaultKind::Version,
        key: "version",
        what: format!(
            "it asks for `{}`, and the first image of {image} on Debian 12 is `{image}:{first}`",
            shown(asked)
        ),
        sign: asked.to_owned(),
        from: from.to_owned(),
        help: format!(
            "take one that is there: `version = \"{}\"`",
            fallback(language)
        ),
    });
}

fn fallback(language: &str) -> String {
    match language {
        "node" => NODE[0].to_string(),
        _ => newest(language)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("."),
    }
}

/// Records what `.nvmrc` and its like say: a number, or the name of a release.
pub(super) fn say_node(text: &str, from: &str, layout: &mut Layout) {
    let text = text.trim();
    let name = text.strip_prefix("lts/").map(str::to_ascii_lowercase);
    let named = name.and_then(|name| LONG_SUPPORT.iter().find(|(known, _)| *known == name));
    if let Some((_, major)) = named {
        layout.say("version", major.to_string(), from);
    } else if let Some(major) = super::version(text, 1) {
        say("node", &major, from, layout);
    }
}

/// Records what `engines` asks for, unless that is what runtimes take anyway.
pub(super) fn say_engine(range: &str, layout: &mut Layout) {
    let Some(clauses) = range.split("||").map(clause).collect::<Option<Vec<_>>>() else {
        return;
    };
    let takes = |major: u64| {
        clauses.iter().any(|clause| {
            clause.iter().all(|(sign, bound, is_whole)| match *sign {
                ">=" => major >= *bound,
                ">" => major > *bound || !is_whole && major == *bound,
                "<" => major < *bound,
                "<=" => major < *bound || *is_whole && major == *bound,
                _ => major == *bound,
            })
        })
    };
    match NODE.into_iter().find(|major| takes(*major)) {
        Some(major) if major == NODE[0] => {}
        Some(major) => layout.say("version", major.to_string(), "package.json"),
        None if newest("node")
            .first()
            .is_some_and(|newest| (newest + 1..newest + 9).any(takes)) =>
        {
            let major = newest("node")
                .first()
                .and_then(|newest| (newest + 1..newest + 9).find(|major| takes(*major)));
            layout.say(
                "version",
                major.unwrap_or_default().to_string(),
                "package.json",
            );
        }
        None => refuse("node", range, "package.json", layout),
    }
}

/// `>=18 <21`, `^20.1`, `18 - 20`, `20.x`: signs with the major version, and whether that stands alone. `None` if it is
/// something else.
fn clause(text: &str) -> Option<Vec<(&str, u64, bool)>> {
    let mut found: Vec<(&str, u64, bool)> = Vec::new();
    let words = text.split_whitespace();
    let mut sign = "";
    for word in words {
        let at = word
            .find(|c: char| c.is_ascii_digit() || "vx*".contains(c))
            .unwrap_or(word.len());
        let (own, number) = word.split_at(at);
        if number.is_empty() {
            sign = own;
            if own == "-" {
                sign = "<=";
                if let Some((first, ..)) = found.last_mut() {
                    *first = ">=";
                }
            }
            continue;
        }
        let taken = if own.is_empty() {
            std::mem::take(&mut sign)
        } else {
            own
        };
        if ["x", "*", "X"].contains(&number) {
            continue;
        }
        let mut parts = number.trim_start_matches('v').split('.');
        let major = parts.next()?.parse().ok()?;
        let is_whole = parts.all(|part| ["x", "*", "X"].contains(&part));
        found.push((taken, major, is_whole));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{Layout, say_engine, say_node};

    #[test]
    fn versions_of_node() {
        let see = |say: fn(&mut Layout, &str), text: &str| {
            let mut layout = Layout::default();
            say(&mut layout, text);
            match (layout.text("version"), layout.faults.len()) {
                (Some(version), _) => version.to_owned(),
                (None, 0) => "-".to_owned(),
                (None, _) => "none".to_owned(),
            }
        };
        let engines = |text: &str| see(|layout, text| say_engine(text, layout), text);
        for (range, expected) in [
            (">=18", "-"),
            ("^18 || ^20", "20"),
            ("20.x", "20"),
            (">= 24.1", "24"),
            ("18 - 20", "20"),
            (">=18 <21", "20"),
            ("6", "none"),
            ("<16", "none"),
            ("*", "-"),
            ("24", "24"),
            ("~22.3.0", "-"),
            ("odd", "-"),
            (">=28", "28"),
            ("<=22", "-"),
            (">22", "24"),
        ] {
            assert_eq!(engines(range), expected, "{range}");
        }
        let file = |text: &str| see(|layout, text| say_node(text, ".nvmrc", layout), text);
        for (text, expected) in [
            ("v24.1.0\n", "24"),
            ("lts/iron", "20"),
            ("lts/*", "24"),
            ("14", "none"),
            ("node", "-"),
            ("30", "30"),
        ] {
            assert_eq!(file(text), expected, "{text}");
        }
    }
}
