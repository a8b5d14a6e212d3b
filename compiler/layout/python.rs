//! Python: which tool locks the libraries, which module holds the server, which version is asked for.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::command::dockerfile;
use super::wheels::Binaries;
use super::{Folder, Layout, Libraries, Word, entry, locks, native, release};

/// Versions that base images are tagged with, the first that a project takes wins.
const VERSIONS: [(u64, u64); 6] = [(3, 13), (3, 14), (3, 12), (3, 11), (3, 10), (3, 9)];

/// The Python of distroless images of Debian 13.
const DISTROLESS: (u64, u64) = (3, 13);

pub(super) fn detect(folder: &Folder<'_>, entries: &[&str], layout: &mut Layout) {
    let project: Option<Table> = folder
        .text("pyproject.toml")
        .and_then(|text| text.parse().ok());
    let mut binaries = Binaries::default();
    manager(folder, project.as_ref(), &mut binaries, layout);
    entry::find(folder, project.as_ref(), entries, layout);
    version(folder, project.as_ref(), &binaries, layout);
    native::say("python", layout);
}

/// The tool whose lock file is there. If there are several, the program must choose one. A `requirements.txt` next to a
/// lock file is taken for its export.
fn manager(
    folder: &Folder<'_>,
    project: Option<&Table>,
    binaries: &mut Binaries,
    layout: &mut Layout,
) {
    let locked = [
        ("uv", "uv.lock"),
        ("poetry", "poetry.lock"),
        ("pdm", "pdm.lock"),
    ];
    let found: Vec<(String, String)> = locked
        .iter()
        .filter(|(_, file)| folder.has(file))
        .map(|(tool, file)| ((*tool).to_owned(), (*file).to_owned()))
        .collect();
    match found.as_slice() {
        [(_, file)] => {
            let wanted = project.map(wanted).unwrap_or_default();
            let text = folder.text(file).unwrap_or_default();
            layout.libraries = locks::python(&text, file, &wanted);
            if let Some(libraries) = &layout.libraries {
                *binaries = Binaries::of_lock(&text, file, &libraries.names);
            }
        }
        [] if folder.has("requirements.txt") => {
            layout.say("manager", "pip", "requirements.txt");
            requirements(folder, binaries, layout);
        }
        [] if project.is_some_and(|project| project.contains_key("project")) => {
            layout.say("manager", "pyproject", "pyproject.toml");
            layout.unlocked = Some("pyproject.toml".to_owned());
            let names: BTreeSet<String> = project.map(wanted).unwrap_or_default();
            layout.libraries = Some(Libraries {
                from: "pyproject.toml".to_owned(),
                names,
                complete: false,
            });
        }
        [] => layout.say("manager", "none", "no requirements.txt and no lock file"),
        _ => {}
    }
    // `path = "../lib"` of uv, poetry and pdm, and the members of a workspace.
    let text = project
        .and_then(|_| folder.text("pyproject.toml"))
        .unwrap_or_default();
    let is_place =
        |line: &str| line.contains("path = \"") && line.contains('{') || line.contains("@ file:");
    if layout.text("manager") != Some("pip") && text.lines().any(is_place) {
        layout.say_local("pyproject.toml");
    }
    layout.choose("manager", found);
}

/// The libraries a project asks for itself.
fn wanted(project: &Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let list = project
        .get("project")
        .and_then(|table| table.get("dependencies"))
        .and_then(Value::as_array);
    for text in list.into_iter().flatten().filter_map(Value::as_str) {
        names.extend(requirement(text));
    }
    let poetry = project
        .get("tool")
        .and_then(|tool| tool.get("poetry"))
        .and_then(|table| table.get("dependencies"));
    names.extend(
        poetry
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::keys)
            .map(|name| locks::plain(name)),
    );
    names.remove("python");
    names
}

/// `fastapi[standard]>=0.110 ; python_version > "3.8"`: its name, and what its extras are known to bring.
fn requirement(line: &str) -> Vec<String> {
    let line = line
        .split(['#', ';', '@'])
        .next()
        .unwrap_or_default()
        .trim();
    let name: String = line
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
        .collect();
    if name.is_empty() {
        return Vec::new();
    }
    let mut names = vec![locks::plain(&name)];
    let extras = line[name.len()..]
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next());
    if names[0] == "fastapi"
        && extras.is_some_and(|extras| extras.contains("standard") || extras.contains("all"))
    {
        names.extend(["uvicorn".to_owned(), "httpx".to_owned()]);
    }
    // `psycopg[binary]` is a package of its own.
    if names[0] == "psycopg" && extras.is_some_and(|extras| extras.contains("binary")) {
        names.push("psycopg-binary".to_owned());
    }
    names
}

/// The libraries that `requirements.txt` and the files it reads name. If one refers to a path or URL, the list is not
/// complete.
fn requirements(folder: &Folder<'_>, binaries: &mut Binaries, layout: &mut Layout) {
    let mut libraries = Libraries {
        from: "requirements.txt".to_owned(),
        complete: true,
        ..Libraries::default()
    };
    let mut includes: Vec<String> = Vec::new();
    // Files to read, each with whether it only bounds versions.
    let mut waiting = vec![("requirements.txt".to_owned(), false)];
    while let Some((file, bounds)) = waiting.pop() {
        let Some(text) = folder.text(&file) else {
            libraries.complete = false;
            continue;
        };
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            if let Some((name, bounds)) = read_on(line) {
                let path = beside(&file, name);
                libraries.complete &= path.is_some() || bounds;
                let path =
                    path.filter(|path| *path != "requirements.txt" && !includes.contains(path));
                if let Some(path) = path {
                    includes.push(path.clone());
                    waiting.push((path, bounds));
                }
                continue;
            }
            let is_place = line.starts_with(['.', '/']) || line.contains("file:");
            let is_editable = line.starts_with("-e") || line.starts_with("--editable");
            libraries.complete &= !is_editable && !is_place && !line.contains("://");
            if is_place || is_editable && !line.contains("://") {
                layout.say_local(&file);
            } else if !line.starts_with('-') && !bounds {
                let names = requirement(line);
                if !names.is_empty() && !line.contains("==") && !line.contains('@') {
                    layout.unlocked = Some("requirements.txt".to_owned());
                }
                if let (Some(name), Some((_, pin))) = (names.first(), line.split_once("==")) {
                    binaries.pin(
                        name,
                        pin.split([' ', ';', '#', ',']).next().unwrap_or_default(),
                    );
                }
                libraries.names.extend(names);
            }
        }
    }
    includes.retain(|file| folder.has(file));
    includes.sort();
    if !includes.is_empty() {
        let words = includes.into_iter().filter_map(|file| Word::new(file).ok());
        let value = super::Value::Texts(words.collect());
        layout.put("includes", value, "requirements.txt");
    }
    layout.libraries = Some(libraries);
}

/// The file of `-r base.txt`, and of `-c bounds.txt`, which only bounds versions.
fn read_on(line: &str) -> Option<(&str, bool)> {
    let flags = [
        ("--requirement", false),
        ("-r", false),
        ("--constraint", true),
        ("-c", true),
    ];
    let (rest, bounds) = flags
        .iter()
        .find_map(|(flag, bounds)| Some((line.strip_prefix(flag)?, *bounds)))?;
    let name = rest
        .trim_start_matches([' ', '\t', '='])
        .split(" #")
        .next()?
        .trim();
    (!name.is_empty()).then_some((name, bounds))
}

/// A path as seen from the source, if it lies there and can stand in a command as it is.
fn beside(file: &str, name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let home = file.rsplit_once('/').map_or("", |(home, _)| home);
    let mut parts: Vec<&str> = home.split('/').filter(|part| !part.is_empty()).collect();
    if name.starts_with('/') || !name.chars().all(plain) {
        return None;
    }
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn version(folder: &Folder<'_>, project: Option<&Table>, binaries: &Binaries, layout: &mut Layout) {
    let requires =
        project.and_then(|project| project.get("project")?.get("requires-python")?.as_str());
    let poetry = project.and_then(|project| {
        project
            .get("tool")?
            .get("poetry")?
            .get("dependencies")?
            .get("python")?
            .as_str()
    });
    let requires = requires.or(poetry);
    if let Some(requires) = requires.filter(|requires| !takes(requires, DISTROLESS)) {
        layout.needs_other = Some((requires.to_owned(), "pyproject.toml".to_owned()));
    }
    if let Some((asked, file)) = named(folder) {
        release::say("python", &asked, file, layout);
        return;
    }
    let taken: Vec<(u64, u64)> = VERSIONS
        .into_iter()
        .filter(|version| requires.is_none_or(|requires| takes(requires, *version)))
        .collect();
    // Of those that it takes the first for which all libraries come built; else the one for which most of them do.
    let compiled = |version: &(u64, u64)| binaries.compiled(version.1).len();
    let Some((best, left)) = taken
        .iter()
        .map(|version| (version, compiled(version)))
        .min_by_key(|(_, left)| *left)
    else {
        return;
    };
    if left > 0 {
        layout.flag("compiler", binaries.from.clone());
        layout.compiled = Some((binaries.compiled(best.1), binaries.from.clone()));
    }
    let text = format!("{}.{}", best.0, best.1);
    if taken.first() != Some(best) {
        layout.say("version", text, format!("wheels of {}", binaries.from));
    } else if requires.is_some() {
        layout.say("version", text, "pyproject.toml");
    }
}

/// The version that a file names for itself, and the file.
fn named(folder: &Folder<'_>) -> Option<(String, &'static str)> {
    let line = |file: &str, sign: &str| {
        let text = folder.text(file)?;
        let found = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(sign).map(str::to_owned));
        super::version(found?.trim_matches([' ', '=', '"', '\'']), 2)
    };
    let files = [
        (".python-version", ""),
        ("runtime.txt", "python-"),
        (".tool-versions", "python "),
        ("Pipfile", "python_version"),
        ("Pipfile", "python_full_version"),
    ];
    let of_files = files
        .into_iter()
        .find_map(|(file, sign)| Some((line(file, sign)?, file)));
    of_files.or_else(|| {
        let images = dockerfile(folder).images;
        let tag = images
            .iter()
            .rev()
            .find_map(|image| image.rsplit('/').next()?.strip_prefix("python:"));
        Some((super::version(tag?.split('-').next()?, 2)?, "Dockerfile"))
    })
}

/// Whether `>=3.11,<3.13`, `^3.9`, `~=3.11` or `3.11.*` takes a version. Patch levels do not count.
fn takes(requires: &str, version: (u64, u64)) -> bool {
    requires
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .all(|part| {
            let at = part
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(part.len());
            let (sign, number) = part.split_at(at);
            let mut parts = number
                .split('.')
                .map(|part| part.trim().parse::<u64>().ok());
            let (Some(Some(major)), minor) = (parts.next(), parts.next().flatten()) else {
                return false;
            };
            let patch = parts.next().flatten();
            let bound = (major, minor.unwrap_or(0));
            match sign.trim() {
                ">=" | "^" => version >= bound && (sign.trim() != "^" || version.0 == major),
                ">" => version > bound || (version == bound && patch.is_some()),
                "<" => {
                    version < bound || (version == bound && patch.is_some_and(|patch| patch > 0))
                }
                "<=" => version <= bound,
                // `~=3.11` is from 3.11 up to 4, `~=3.11.2` and poetry's `~3.11` are 3.11.
                "~=" if patch.is_none() => version >= bound && version.0 == major,
                "~=" | "~" | "" | "==" => {
                    version == bound || (minor.is_none() && version.0 == major)
                }
                "!=" => version != bound,
                _ => false,
            }
        })
}
