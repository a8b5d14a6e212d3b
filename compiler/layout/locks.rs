//! Lock files of Python tools: the libraries that a service itself brings with it, and not those of its developers.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::Libraries;

/// A library's name as indexes compare it.
pub(super) fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// The libraries of a lock file of uv, poetry or pdm that the project needs, directly or through others.
pub(super) fn python(text: &str, file: &str, wanted: &BTreeSet<String>) -> Option<Libraries> {
    let table: Table = text.parse().ok()?;
    let packages = table.get("package")?.as_array()?;
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages.iter().filter_map(Value::as_table) {
        let Some(name) = package.get("name").and_then(Value::as_str).map(plain) else {
            continue;
        };
        let of_package = needs.entry(name).or_default();
        dependencies(package.get("dependencies"), of_package);
        // Every use says which extras it takes; all extras are followed.
        let extras = package
            .get("optional-dependencies")
            .and_then(Value::as_table);
        extras
            .into_iter()
            .flat_map(Table::values)
            .for_each(|extra| dependencies(Some(extra), of_package));
    }
    // Without a list of what the project asks for, all libraries may be in use.
    let mut waiting: Vec<String> = match wanted.is_empty() {
        true => needs.keys().cloned().collect(),
        false => wanted.iter().cloned().collect(),
    };
    let mut names = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if names.insert(name.clone()) {
            waiting.extend(needs.get(&name).into_iter().flatten().cloned());
        }
    }
    Some(Libraries {
        from: file.to_owned(),
        names,
        complete: true,
    })
}

/// uv has a list of tables with a `name`, poetry a table by name, pdm a list of requirements.
fn dependencies(value: Option<&Value>, into: &mut BTreeSet<String>) {
    match value {
        Some(Value::Array(list)) => into.extend(list.iter().filter_map(|entry| match entry {
            Value::Table(table) => table.get("name").and_then(Value::as_str).map(plain),
            Value::String(text) => {
                let ends = |c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c));
                text.split(ends).next().map(plain)
            }
            _ => None,
        })),
        Some(Value::Table(table)) => into.extend(table.keys().map(|name| plain(name))),
        _ => {}
    }
}
