//! What the native code of libraries needs beside them: packages of the system, by a table of the library, and what links
//! the code. And which folders of a source a compiled program may read, which is alone in its image.

use super::{Folder, Layout, Libraries, Value, Word, join};
use crate::stdlib::{self, Native};

/// Folders that programs read when they start or answer.
const READ: [&str; 14] = [
    "assets",
    "config",
    "configs",
    "configuration",
    "data",
    "i18n",
    "locales",
    "migrations",
    "public",
    "resources",
    "static",
    "templates",
    "views",
    "web",
];
/// What puts files into a program while it is compiled.
const EMBEDS: [&str; 6] = [
    "embed",
    "include_",
    "migrate!",
    "RustEmbed",
    "askama",
    "Asset",
];
/// How many files are searched.
const MOST_FILES: usize = 300;

/// The rows of the table for the libraries that a source names. A library that brings a copy of what another needs does
/// away with that: `psycopg-binary`.
pub(super) fn of(language: &str, libraries: Option<&Libraries>) -> Vec<Native> {
    let Some(libraries) = libraries else {
        return Vec::new();
    };
    let has = |name: &str| {
        let known = |own: &String| {
            let own = own.to_ascii_lowercase();
            let rest = own.strip_prefix(name);
            // Modules of Go name their major version: `example.com/x/v2`.
            rest.is_some_and(|rest| rest.is_empty() || language == "go" && rest.starts_with("/v"))
        };
        libraries.names.iter().any(known)
    };
    let rows = stdlib::native().filter(|row| row.language == language && has(row.library));
    rows.filter(|row| row.library != "psycopg" || !has("psycopg-binary"))
        .collect()
}

/// Records what the libraries of a source need.
pub(super) fn say(language: &str, layout: &mut Layout) {
    let Some(libraries) = layout
        .libraries
        .as_ref()
        .map(|libraries| libraries.from.clone())
    else {
        return;
    };
    let rows = of(language, layout.libraries.as_ref());
    record(&rows, &libraries, layout);
}

/// Records what rows of the table need.
pub(super) fn record(rows: &[Native], from: &str, layout: &mut Layout) {
    if rows.iter().any(Native::is_cgo) {
        layout.flag("cgo", from);
    }
    let build: Vec<&str> = rows.iter().flat_map(Native::build).collect();
    let run: Vec<&str> = rows.iter().flat_map(Native::run).collect();
    say_packages("build_packages", &build, from, layout);
    say_packages("run_packages", &run, from, layout);
    if !(build.is_empty() && run.is_empty()) {
        let names = rows
            .iter()
            .filter(|row| row.build().chain(row.run()).next().is_some());
        layout
            .native
            .extend(names.map(|row| row.library.to_owned()));
    }
    if !build.is_empty() && layout.fact("compiler").is_none() {
        layout.flag("compiler", from);
    }
}

/// Records packages of Debian, sorted.
pub(super) fn say_packages(key: &'static str, names: &[&str], from: &str, layout: &mut Layout) {
    let mut words: Vec<Word> = names
        .iter()
        .filter_map(|name| Word::new(*name).ok())
        .collect();
    words.sort();
    words.dedup();
    if !words.is_empty() {
        layout.put(key, Value::Texts(words), from);
    }
}

/// The folders that the code of a compiled program names in texts, and that no macro puts into it.
pub(super) fn folders_read(folder: &Folder<'_>, ending: &str) -> Vec<(String, String)> {
    let there: Vec<String> = folder
        .list("")
        .into_iter()
        .filter(|entry| entry.is_folder && READ.contains(&entry.name.as_str()))
        .map(|entry| entry.name)
        .collect();
    if there.is_empty() {
        return Vec::new();
    }
    let mut files = folder.files("", ending);
    let mut level = folder.folders("");
    for _ in 0..4 {
        files.extend(level.iter().flat_map(|name| folder.files(name, ending)));
        level = level.iter().flat_map(|name| folder.folders(name)).collect();
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for file in files
        .into_iter()
        .take(MOST_FILES)
        .filter(|file| !file.ends_with("_test.go") && !file.ends_with("build.rs"))
    {
        let text = folder.text(&file).unwrap_or_default();
        for name in &there {
            let signs = [
                format!("\"{name}/"),
                format!("\"./{name}/"),
                format!("\"{name}\""),
                format!("\"./{name}\""),
            ];
            let embeds = |line: &str| EMBEDS.iter().any(|word| line.contains(word));
            let embedded = text
                .lines()
                .any(|line| line.contains(name.as_str()) && embeds(line));
            let reads = text
                .lines()
                .any(|line| signs.iter().any(|sign| line.contains(sign.as_str())));
            if reads && !embedded && !found.iter().any(|(known, _)| known == name) {
                found.push((name.clone(), file.clone()));
            }
        }
    }
    found
}

/// What `.cargo/config.toml` links with, as packages of Debian: `rust` images have gcc's linker alone.
pub(super) fn linkers(folder: &Folder<'_>, layout: &mut Layout) {
    for file in ["config.toml", "config"].map(|name| join(".cargo", name)) {
        let Some(text) = folder.text(&file) else {
            continue;
        };
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .collect();
        let names: Vec<&str> = ["clang", "lld", "mold"]
            .into_iter()
            .filter(|name| code.iter().any(|line| line.contains(name)))
            .collect();
        say_packages("linkers", &names, &file, layout);
        return;
    }
}

#[cfg(test)]
mod tests {
    use crate::layout::Language;
    use crate::layout::tests::{answer, seen};

    #[test]
    fn packages_go_by_library() {
        let python = |text: &str| {
            let layout = seen(
                Language::Python,
                &[],
                &[("requirements.txt", text), ("main.py", "")],
            );
            format!(
                "{} / {}",
                answer(&layout, "build_packages"),
                answer(&layout, "run_packages")
            )
        };
        assert_eq!(python("psycopg2==2.9.10\n"), "nothing / libpq5");
        assert_eq!(python("psycopg==3.3.0\n"), "nothing / libpq5");
        assert_eq!(python("psycopg[binary,pool]==3.3.0\n"), "nothing / nothing");
        assert_eq!(
            python("python-ldap==3.4.5\n"),
            "libldap2-dev libsasl2-dev / libldap-2.5-0 libsasl2-2"
        );
        let go = seen(
            Language::Go,
            &[],
            &[
                (
                    "go.mod",
                    "module x\nrequire github.com/mattn/go-sqlite3 v1.14.0\n",
                ),
                ("m.go", "package main\nfunc main() {}\n"),
            ],
        );
        assert_eq!(answer(&go, "cgo"), "true");
    }

    #[test]
    fn folders_that_a_program_reads() {
        let layout = |code: &str| {
            let files = [
                ("go.mod", "module x\n"),
                ("m.go", code),
                ("templates/a.html", ""),
                ("docs/x.md", ""),
            ];
            seen(Language::Go, &[], &files).read.len()
        };
        assert_eq!(
            layout("package main\nfunc main() { open(\"templates/a.html\") }\n"),
            1
        );
        assert_eq!(
            layout(
                "package main\n//go:embed templates\nfunc main() { open(\"templates/a.html\") }\n"
            ),
            0
        );
        assert_eq!(layout("package main\nfunc main() {}\n"), 0);
    }
}
