//! Rust: the binaries of a package or of a workspace's members, and the toolchain that is asked for.

use toml::{Table, Value};

use super::{Folder, Layout, Libraries, Word, join, listens, native, shown};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let Some(manifest) = read(folder, "Cargo.toml") else {
        let help = match folder.above("Cargo.toml") {
            Some(above) => format!("the workspace is in `{above}`: make that the source"),
            None => "say `source` of the folder that holds Cargo.toml".to_owned(),
        };
        let what = match folder.has("Cargo.toml") {
            true => "Cargo.toml cannot be read",
            false => "cargo needs Cargo.toml, and there is none",
        };
        layout.missing(what, "", "", help);
        return;
    };
    outside(folder, &manifest, layout);
    match folder.has("Cargo.lock") {
        true => layout.flag("lock", "Cargo.lock"),
        false => layout.unlocked = Some("Cargo.toml".to_owned()),
    }
    let channel = folder.text("rust-toolchain").or_else(|| {
        let table = read(folder, "rust-toolchain.toml")?;
        Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned())
    });
    if let Some(asked) = channel.and_then(|text| super::version(&text, 2)) {
        let file = if folder.has("rust-toolchain.toml") {
            "rust-toolchain.toml"
        } else {
            "rust-toolchain"
        };
        super::release::say("rust", &asked, file, layout);
        layout.flag("toolchain", "rust-toolchain.toml");
    }
    let locked = folder.text("Cargo.lock").unwrap_or_default();
    let names = locked
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let locked = Libraries {
        from: "Cargo.lock".to_owned(),
        names: names.map(str::to_owned).collect(),
        complete: true,
    };
    native::record(&native::of("rust", Some(&locked)), "Cargo.lock", layout);
    native::linkers(folder, layout);
    layout.read = native::folders_read(folder, ".rs");
    let found = programs(folder, &manifest);
    if let [(_, file)] = found.as_slice() {
        layout.listens = folder
            .text(file)
            .and_then(|text| listens(&text))
            .map(|port| (port, file.clone()));
    }
    for (name, file) in &found {
        if let Err(why) = Word::new(name.clone()) {
            // The name stands in the manifest, wherever its code is.
            let package = file
                .split_once("src/")
                .map_or("", |(package, _)| package.trim_end_matches('/'));
            layout.refuse_word("app", name, why, join(package, "Cargo.toml"));
        }
    }
    if !layout.is_settled("app") {
        layout.choose("app", found);
    }
    let what = "no package of it has a binary: neither src/main.rs, nor src/bin, nor [[bin]]";
    layout.check_entry(
        what,
        "Cargo.toml",
        "say which binary is built: `app = \"server\"`",
    );
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

/// Members of a workspace that hold what only its developers run.
const OF_DEVELOPERS: [&str; 6] = [
    "benches",
    "examples",
    "fuzz",
    "tests",
    "tools/xtask",
    "xtask",
];

/// The binaries that could be the service, each with the file it begins in: those of `default-members`, else of all
/// members that are not for developers alone; of one package's several, `default-run`.
fn programs(folder: &Folder<'_>, manifest: &Table) -> Vec<(String, String)> {
    let defaults = listed(manifest, "default-members");
    let all = members(folder, manifest);
    let mut chosen = match defaults.is_empty() {
        true => all.clone(),
        false => matching(folder, &defaults),
    };
    let for_developers = |member: &String| {
        member.split('/').any(|part| OF_DEVELOPERS.contains(&part))
            || OF_DEVELOPERS.contains(&member.as_str())
    };
    chosen.retain(|member| !for_developers(member));
    let of = |members: &[String]| -> Vec<(String, String)> {
        members
            .iter()
            .filter_map(|member| Some((member, read(folder, &join(member, "Cargo.toml"))?)))
            .flat_map(|(member, package)| {
                let mut found = binaries(folder, member, &package);
                let preferred = package
                    .get("package")
                    .and_then(|package| package.get("default-run"));
                if let Some(name) = preferred.and_then(Value::as_str) {
                    found.retain(|(other, _)| other == name);
                }
                found
            })
            .collect()
    };
    let found = of(&chosen);
    if found.is_empty() { of(&all) } else { found }
}

/// Packages that lie outside of the source, and inheritance from a workspace that does.
fn outside(folder: &Folder<'_>, manifest: &Table, layout: &mut Layout) {
    let help = "make the folder that holds both the source, and say which binary is meant: `app = \"server\"`";
    let mut packages = vec![(String::new(), manifest.clone())];
    let members = members(folder, manifest)
        .into_iter()
        .filter(|member| !member.is_empty());
    packages.extend(members.filter_map(|member| {
        let package = read(folder, &join(&member, "Cargo.toml"))?;
        Some((member, package))
    }));
    for (member, package) in &packages {
        let file = join(member, "Cargo.toml");
        let of_targets = package
            .get("target")
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::values);
        let tables = std::iter::once(package).chain(of_targets.filter_map(Value::as_table));
        let workspace = package.get("workspace").and_then(Value::as_table);
        for table in tables.chain(workspace) {
            for key in ["dependencies", "build-dependencies"] {
                let used = table
                    .get(key)
                    .and_then(Value::as_table)
                    .into_iter()
                    .flat_map(Table::values);
                for path in used.filter_map(|used| used.get("path")?.as_str()) {
                    if leaves(member, path) {
                        let what = format!(
                            "it takes a package from `{}`, which lies outside of the source",
                            shown(path)
                        );
                        layout.missing(what, &file, path, help);
                    }
                }
            }
        }
    }
    let inherits = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    let package = manifest
        .get("package")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values);
    let used = manifest
        .get("dependencies")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values);
    if !manifest.contains_key("workspace") && package.chain(used).any(inherits) {
        let what = "it inherits from a workspace whose Cargo.toml lies outside of the source";
        layout.missing(what, "Cargo.toml", "workspace = true", help);
    }
}

/// Whether a path, seen from a folder of the source, leads out of the source.
fn leaves(from: &str, path: &str) -> bool {
    let mut depth = from.split('/').filter(|part| !part.is_empty()).count();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    path.starts_with('/')
}

/// A list of the table `workspace`.
fn listed<'m>(manifest: &'m Table, key: &str) -> Vec<&'m str> {
    let list = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get(key)?.as_array());
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The folders that patterns such as `crates/*` mean.
fn matching(folder: &Folder<'_>, patterns: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for pattern in patterns {
        match pattern.strip_suffix("/*") {
            Some(parent) => {
                let inside = folder
                    .list(parent)
                    .into_iter()
                    .filter(|entry| entry.is_folder);
                found.extend(inside.map(|entry| join(parent, &entry.name)));
            }
            None => found.push(match *pattern {
                "." => String::new(),
                path => path
                    .trim_start_matches("./")
                    .trim_end_matches('/')
                    .to_owned(),
            }),
        }
    }
    found
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
    let left_out = listed(manifest, "exclude");
    found.extend(matching(folder, &listed(manifest, "members")));
    found.retain(|path| !left_out.contains(&path.as_str()));
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
