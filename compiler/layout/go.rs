//! Go: the packages that are programs, and the version that go.mod asks for.

use super::{Folder, Layout, Libraries, listens};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let Some(module) = folder.text("go.mod") else {
        return;
    };
    let word = |key: &str| {
        module
            .lines()
            .find_map(|line| line.strip_prefix(key)?.split_whitespace().next())
    };
    let asked = [word("toolchain go"), word("go ")]
        .into_iter()
        .flatten()
        .find_map(|text| super::version(text, 2));
    if let Some(asked) = asked {
        layout.say("version", asked, "go.mod");
    }
    if folder.has("go.sum") {
        layout.flag("lock", "go.sum");
    } else if module.contains("require") {
        layout.unlocked = Some("go.mod".to_owned());
    }
    if folder.has("go.work") {
        layout.say_local("go.work");
    } else if module
        .lines()
        .any(|line| line.contains("=> ./") || line.contains("=> ../"))
    {
        layout.say_local("go.mod");
    }
    if folder.has("vendor/modules.txt") {
        layout.flag("vendor", "vendor/modules.txt");
    }
    let needs = module
        .lines()
        .map(|line| line.trim().trim_start_matches("require ").trim());
    let names = needs
        .filter(|line| line.contains('.') && line.contains(" v"))
        .filter_map(|line| line.split(' ').next());
    layout.libraries = Some(Libraries {
        from: "go.mod".to_owned(),
        names: names.map(str::to_owned).collect(),
        complete: true,
    });
    let mut programs = Vec::new();
    let folders = folder.folders("").into_iter().chain(folder.folders("cmd"));
    for place in std::iter::once(String::new()).chain(folders) {
        if let Some(file) = program(folder, &place) {
            programs.push((
                if place.is_empty() {
                    ".".to_owned()
                } else {
                    format!("./{place}")
                },
                file,
            ));
        }
    }
    if let [(_, file)] = programs.as_slice() {
        layout.listens = folder
            .text(file)
            .and_then(|text| listens(&text))
            .map(|port| (port, file.clone()));
    }
    layout.choose("app", programs);
}

/// A file of `package main` directly in a folder.
fn program(folder: &Folder<'_>, place: &str) -> Option<String> {
    let mut files = folder.files(place, ".go");
    files.retain(|file| !file.ends_with("_test.go"));
    files.into_iter().find(|file| {
        let text = folder.text(file).unwrap_or_default();
        let ignored = text
            .lines()
            .any(|line| line.starts_with("//go:build ignore"));
        !ignored
            && text.lines().any(|line| line.trim_end() == "package main")
            && text.contains("func main(")
    })
}
