//! Go: the packages that are programs, and the version that go.mod asks for.

use super::{Folder, Layout, Libraries, join, listens, shown};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let Some(module) = folder.text("go.mod") else {
        no_module(folder, layout);
        return;
    };
    outside(folder, &module, layout);
    let word = |key: &str| {
        module
            .lines()
            .find_map(|line| line.strip_prefix(key)?.split_whitespace().next())
    };
    let asked = [word("toolchain go"), word("go ")]
        .into_iter()
        .flatten()
        .filter_map(|text| super::version(text, 2))
        .max();
    // What go.mod says is the least: a newer compiler takes it as well, and gets fixes.
    if let Some(asked) = asked.filter(|asked| super::release::is_newer("go", asked)) {
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
    super::native::say("go", layout);
    layout.read = super::native::folders_read(folder, ".go");
    let programs = programs(folder);
    if let [(_, file)] = programs.as_slice() {
        layout.listens = folder
            .text(file)
            .and_then(|text| listens(&text))
            .map(|port| (port, file.clone()));
    }
    layout.choose("app", programs);
    let what = "no folder of it holds a program: a file of `package main` with `func main()`";
    layout.check_entry(
        what,
        "go.mod",
        "say which package is the program: `app = \"./cmd/server\"`",
    );
}

/// Says that there is no go.mod, and where one is.
fn no_module(folder: &Folder<'_>, layout: &mut Layout) {
    let below = folder
        .folders("")
        .into_iter()
        .find(|name| folder.has(&join(name, "go.mod")));
    let help = match (below, folder.above("go.mod")) {
        (Some(below), _) => format!("the module is in `{below}`: make that the source"),
        (None, Some(above)) => format!(
            "the module is in `{above}`: make that the source, and say which of its programs is meant, as in `app = \"./cmd/server\"`"
        ),
        (None, None) => "make it a module: `go mod init NAME && go mod tidy`".to_owned(),
    };
    layout.missing("the build copies go.mod, and there is none", "", "", help);
}

/// Modules that replace others and lie outside of the source, or nowhere.
fn outside(folder: &Folder<'_>, module: &str, layout: &mut Layout) {
    if folder.has("vendor/modules.txt") {
        return;
    }
    let work = folder.text("go.work").unwrap_or_default();
    let replaced = module.lines().filter_map(|line| {
        let place = line
            .split("//")
            .next()?
            .split_once("=>")?
            .1
            .split_whitespace()
            .next()?;
        Some((place, "go.mod", line))
    });
    let used = work.lines().filter_map(|line| {
        let place = line.split("//").next()?.trim();
        Some((
            place.strip_prefix("use ").unwrap_or(place).trim(),
            "go.work",
            line,
        ))
    });
    for (place, file, line) in replaced
        .chain(used)
        .filter(|(place, ..)| place.starts_with("../") || place.starts_with("./"))
    {
        let inside = place.trim_start_matches("./").trim_end_matches('/');
        if place.starts_with("../") {
            let what = format!(
                "it takes a module from `{}`, which lies outside of the source",
                shown(place)
            );
            let help = "make the folder that holds both the source, and say which program is meant: `app = \"./server\"`";
            layout.missing(what, file, line, help);
        } else if !inside.is_empty() && !folder.has(&join(inside, "go.mod")) {
            let what = format!(
                "it takes a module from `{}`, where no go.mod is",
                shown(place)
            );
            layout.missing(what, file, line, "");
        }
    }
}

/// The folders with a program, each with the file it begins in: at the top, below it and below `cmd`, else further down.
fn programs(folder: &Folder<'_>) -> Vec<(String, String)> {
    const DEEPEST: usize = 4;
    let of = |place: &String| {
        let file = program(folder, place)?;
        let app = if place.is_empty() {
            ".".to_owned()
        } else {
            format!("./{place}")
        };
        Some((app, file))
    };
    let near = folder.folders("").into_iter().chain(folder.folders("cmd"));
    let mut found: Vec<_> = std::iter::once(String::new())
        .chain(near)
        .filter_map(|place| of(&place))
        .collect();
    let mut level = folder.folders("");
    for _ in 0..DEEPEST {
        if !found.is_empty() {
            break;
        }
        level = level.iter().flat_map(|name| folder.folders(name)).collect();
        found.extend(level.iter().filter_map(of));
    }
    found
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
