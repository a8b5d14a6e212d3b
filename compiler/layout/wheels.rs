//! Which libraries of Python come built for which version of it: by the names of the files that a lock file lists, and of
//! pinned libraries by a table. What does not come built is compiled, and often does not build with a newer Python.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use toml::{Table, Value};

use super::locks::plain;
use crate::stdlib;

/// What is known of libraries with native code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The file that names them.
    pub from: String,
    /// Each library with the minor versions of Python 3 that it is built for, and the least of those that take any later
    /// one too.
    libraries: Vec<(String, BTreeSet<u64>, Option<u64>)>,
    /// Pinned libraries and their versions.
    pins: Vec<(String, String)>,
}

impl Binaries {
    /// Reads a lock file of uv, poetry or pdm. Only the libraries of these names count.
    pub(super) fn of_lock(text: &str, file: &str, names: &BTreeSet<String>) -> Binaries {
        let mut found = Binaries {
            from: file.to_owned(),
            ..Binaries::default()
        };
        let table: Table = text.parse().unwrap_or_default();
        let packages = table.get("package").and_then(Value::as_array);
        for package in packages.into_iter().flatten() {
            let Some(name) = package.get("name").and_then(Value::as_str).map(plain) else {
                continue;
            };
            let lists = ["wheels", "files"].map(|key| package.get(key).and_then(Value::as_array));
            let files: Vec<&str> = lists
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|file| file.get("file").or_else(|| file.get("url"))?.as_str())
                .filter_map(|url| url.rsplit('/').next()?.strip_suffix(".whl"))
                .collect();
            if names.contains(&name) {
                found.add(name, &files);
            }
        }
        found
    }

    /// A library with the names of its wheels, if it has such with native code alone.
    fn add(&mut self, name: String, files: &[&str]) {
        let (mut minors, mut least) = (BTreeSet::new(), None);
        for file in files {
            let mut parts = file.rsplitn(4, '-');
            let (Some(platform), Some(abi), Some(python)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if platform == "any" || abi == "none" && platform.contains("linux") {
                return;
            }
            if !platform.contains("linux") {
                continue;
            }
            let versions = python
                .split('.')
                .filter_map(|tag| tag.strip_prefix("cp3")?.parse::<u64>().ok());
            if abi == "abi3" {
                least = versions.chain(least).min();
            } else {
                minors.extend(versions);
            }
        }
        if !minors.is_empty() || least.is_some() {
            self.libraries.push((name, minors, least));
        }
    }

    /// A pinned library.
    pub(super) fn pin(&mut self, name: &str, version: &str) {
        "requirements.txt".clone_into(&mut self.from);
        self.pins.push((name.to_owned(), version.trim().to_owned()));
    }

    /// The libraries that do not come built for Python 3 of a minor version.
    pub(super) fn compiled(&self, minor: u64) -> Vec<String> {
        let locked = self.libraries.iter().filter(|(_, minors, least)| {
            !minors.contains(&minor) && least.is_none_or(|least| least > minor)
        });
        let pinned = self.pins.iter().filter(|(name, version)| {
            let first = stdlib::first_wheels(name).find(|(known, _)| *known == minor);
            first
                .is_some_and(|(_, first)| first == "-" || compare(version, first) == Ordering::Less)
        });
        let names = locked
            .map(|(name, ..)| name)
            .chain(pinned.map(|(name, _)| name));
        names.cloned().collect()
    }
}

/// Compares versions by their numbers.
fn compare(one: &str, other: &str) -> Ordering {
    let numbers = |text: &str| {
        text.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect::<Vec<u64>>()
    };
    numbers(one).cmp(&numbers(other))
}

#[cfg(test)]
mod tests {
    use super::Binaries;

    #[test]
    fn built_for_what_their_files_say() {
        let lock = "[[package]]\nname = \"asyncpg\"\nfiles = [\
                    { file = \"asyncpg-0.29.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl\" },\
                    { file = \"asyncpg-0.29.0-cp313-cp313-win_amd64.whl\" }, { file = \"asyncpg-0.29.0.tar.gz\" }]\n\
                    [[package]]\nname = \"cryptography\"\nwheels = [{ url = \"https://x/cryptography-42.0-cp37-abi3-manylinux_2_28_x86_64.whl\" }]\n\
                    [[package]]\nname = \"idna\"\nfiles = [{ file = \"idna-3.6-py3-none-any.whl\" }]\n\
                    [[package]]\nname = \"other\"\nfiles = [{ file = \"other-1-cp39-cp39-manylinux1_x86_64.whl\" }]\n";
        let names = ["asyncpg", "cryptography", "idna"]
            .map(str::to_owned)
            .into();
        let found = Binaries::of_lock(lock, "poetry.lock", &names);
        assert_eq!(found.compiled(12), Vec::<String>::new());
        assert_eq!(found.compiled(13), ["asyncpg"]);
        let mut pinned = Binaries::default();
        pinned.pin("asyncpg", "0.29.0");
        assert_eq!(pinned.compiled(12), Vec::<String>::new());
        assert_eq!(pinned.compiled(13), ["asyncpg"]);
    }
}
