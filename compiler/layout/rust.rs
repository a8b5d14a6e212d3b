//! Rust: the binaries of a package or of a workspace's members, and the toolchain that is asked for.

use toml::{Table, Value};

use super::{Folder, Layout, Libraries, join, listens};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let Some(manifest) = read(folder, "Cargo.toml") else {
        return;
    };
    match folder.has("Cargo.lock") {
        true => layout.flag("lock", "Cargo.lock"),
        false => layout.unlocked = Some("Cargo.toml".to_owned()),
    }
    let channel = folder.text("rust-toolchain").or_else(|| {
        let table = read(folder, "rust-toolchain.toml")?;
        Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned())
    });
    if let Some(asked) = channel.and_then(|text| super::version(&text, 2)) {
        layout.say("version", asked, "rust-toolchain.toml");
        layout.flag("toolchain", "rust-toolchain.toml");
    }
    let mut found = Vec::new();
    let mut entry = None;
    for member in members(folder, &manifest) {
        let Some(package) = read(folder, &join(&member, "Cargo.toml")) else {
            continue;
        };
        for (name, file) in binaries(folder, &member, &package) {
            entry = Some(file.clone());
            found.push((name, file));
        }
    }
    let preferred = manifest
        .get("package")
        .and_then(|package| package.get("default-run"))
        .and_then(Value::as_str);
    if let Some(name) = preferred {
        found.retain(|(other, _)| other == name);
    }
    if let (1, Some(file)) = (found.len(), entry) {
        layout.listens = folder
            .text(&file)
            .and_then(|text| listens(&text))
            .map(|port| (port, file.clone()));
    }
    layout.choose("app", found);
    let keys = manifest
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::keys);
    let names = keys.cloned().collect();
    layout.libraries = Some(Libraries {
        from: "Cargo.toml".to_owned(),
        names,
        complete: false,
    });
}

fn read(folder: &Folder<'_>, name: &str) -> Option<Table> {
    folder.text(name)?.parse().ok()
}

/// The folders of all packages: the one at the top, and what `members` names, `crates/*` among it.
fn members(folder: &Folder<'_>, manifest: &Table) -> Vec<String> {
    let mut found = Vec::new();
    if manifest.contains_key("package") {
        found.push(String::new());
    }
    let listed = |key: &str| manifest.get("workspace")?.get(key)?.as_array();
    let left_out = |path: &str| {
        listed("exclude").is_some_and(|list| list.iter().any(|v| v.as_str() == Some(path)))
    };
    for pattern in listed("members")
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        match pattern.strip_suffix("/*") {
            Some(parent) => found.extend(
                folder
                    .list(parent)
                    .iter()
                    .filter(|entry| entry.is_folder)
                    .map(|entry| join(parent, &entry.name)),
            ),
            None => found.push(pattern.trim_end_matches('/').to_owned()),
        }
    }
    found.retain(|path| !left_out(path));
    found
}

/// The binaries of one package with the files they begin in.
fn binaries(folder: &Folder<'_>, member: &str, package: &Table) -> Vec<(String, String)> {
    let Some(name) = package
        .get("package")
        .and_then(|table| table.get("name"))
        .and_then(Value::as_str)
    else {
        return Vec::new();
    };
    let main = join(member, "src/main.rs");
    let mut found: Vec<(String, String)> = Vec::new();
    let mut taken = Vec::new();
    for bin in package
        .get("bin")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(bin_name) = bin.get("name").and_then(Value::as_str) else {
            continue;
        };
        let path = bin
            .get("path")
            .and_then(Value::as_str)
            .map(|path| join(member, path));
        let path = path.unwrap_or_else(|| match bin_name == name {
            true => main.clone(),
            false => join(member, &format!("src/bin/{bin_name}.rs")),
        });
        taken.push(path.clone());
        found.push((bin_name.to_owned(), path));
    }
    if package
        .get("package")
        .and_then(|table| table.get("autobins"))
        .and_then(Value::as_bool)
        == Some(false)
    {
        return found;
    }
    if folder.has(&main) && !taken.contains(&main) {
        found.push((name.to_owned(), main));
    }
    for entry in folder.list(&join(member, "src/bin")) {
        let stem = entry.name.trim_end_matches(".rs").to_owned();
        let inside = if entry.is_folder {
            format!("src/bin/{stem}/main.rs")
        } else {
            format!("src/bin/{}", entry.name)
        };
        let path = join(member, &inside);
        if (entry.is_folder && folder.has(&path) || entry.name.ends_with(".rs"))
            && !taken.contains(&path)
        {
            found.push((stem, path));
        }
    }
    found
}
