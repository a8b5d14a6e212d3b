//! Node: which tool locks the packages, which file is started, whether it is built first.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Folder, Layout, Libraries, listens};

/// Files that a server begins in where package.json does not say.
const USUAL: [&str; 9] = [
    "server.js",
    "index.js",
    "app.js",
    "main.js",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
    "server.mjs",
];

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let package: Value = folder
        .text("package.json")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    manager(folder, &package, layout);
    version(folder, &package, layout);
    if folder.has("package.json") {
        let names: BTreeSet<String> = object_keys(&package["dependencies"])
            .map(str::to_ascii_lowercase)
            .collect();
        layout.libraries = Some(Libraries {
            from: "package.json".to_owned(),
            names,
            complete: true,
        });
    }
    if package["scripts"]["build"].is_string() {
        layout.flag("build", "package.json");
    }
    let config = folder
        .list("")
        .into_iter()
        .map(|entry| entry.name)
        .find(|name| name.starts_with("next.config."));
    if let Some(config) = config {
        if folder
            .text(&config)
            .is_some_and(|text| text.contains("standalone"))
        {
            layout.flag("standalone", config);
        }
        if folder
            .list("")
            .iter()
            .any(|entry| entry.is_folder && entry.name == "public")
        {
            layout.flag("public", "public/");
        }
    } else {
        entry(folder, &package, layout);
    }
}

fn object_keys(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys().map(String::as_str))
}

/// The tool whose lock file is there; of several, the one that `packageManager` names.
pub(super) fn manager(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    let named = package["packageManager"]
        .as_str()
        .and_then(|text| text.split_once('@'));
    let locked = [
        ("npm", "package-lock.json"),
        ("npm", "npm-shrinkwrap.json"),
        ("pnpm", "pnpm-lock.yaml"),
        ("yarn", "yarn.lock"),
    ];
    let mut found: Vec<(String, String)> = locked
        .iter()
        .filter(|(_, file)| folder.has(file))
        .map(|(tool, file)| ((*tool).to_owned(), (*file).to_owned()))
        .collect();
    if let Some((tool, number)) = named {
        found.retain(|(other, _)| other == tool);
        let number = number.split('+').next().unwrap_or(number);
        layout.say("tool", number, "package.json");
    }
    if let Some((tool, file)) = found
        .first()
        .filter(|_| found.iter().all(|(tool, _)| *tool == found[0].0))
    {
        layout.say("lock", file.clone(), file.clone());
        let modern = tool == "yarn"
            && folder
                .text(file)
                .is_some_and(|text| text.contains("__metadata:"));
        if modern {
            layout.flag("berry", file.clone());
        }
        if tool == "yarn" && folder.has(".yarnrc.yml") {
            layout.flag("yarnrc", ".yarnrc.yml");
        }
        if tool == "pnpm" && folder.has("pnpm-workspace.yaml") {
            layout.flag("workspace", "pnpm-workspace.yaml");
            let text = folder.text("pnpm-workspace.yaml").unwrap_or_default();
            if ["packages:", "patchedDependencies:"]
                .iter()
                .any(|key| text.lines().any(|line| line.starts_with(key)))
            {
                layout.say_local("pnpm-workspace.yaml");
            }
        }
        found.truncate(1);
    } else if found.is_empty() && folder.has("package.json") {
        layout.unlocked = Some("package.json".to_owned());
        let tool = named.map_or("npm", |(tool, _)| tool);
        found.push((tool.to_owned(), "package.json".to_owned()));
    }
    if found.is_empty() {
        layout.say("manager", "none", "no package.json");
    }
    scripts(package, layout);
    layout.choose("manager", found);
}

/// The scripts that installing runs, and the files that it reads apart from the lock file.
fn scripts(package: &Value, layout: &mut Layout) {
    let runs = |script: &str| package["scripts"][script].is_string();
    if runs("prepare") {
        layout.flag("prepare", "package.json");
    }
    let tables = ["dependencies", "devDependencies", "optionalDependencies"];
    let values = tables
        .iter()
        .flat_map(|table| package[*table].as_object().into_iter().flatten());
    let places = ["file:", "link:", "workspace:", "portal:", "patch:"];
    let mut versions = values.filter_map(|(_, value)| value.as_str());
    let reads = versions.any(|version| places.iter().any(|place| version.starts_with(place)));
    if reads
        || !package["workspaces"].is_null()
        || ["preinstall", "install", "postinstall"]
            .into_iter()
            .any(runs)
    {
        layout.say_local("package.json");
    }
}

fn version(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    for file in [".nvmrc", ".node-version"] {
        if let Some(found) = folder
            .text(file)
            .and_then(|text| super::version(text.lines().next()?, 1))
        {
            layout.say("version", found, file);
            return;
        }
    }
    // `>=18` takes any newer version; `20.x`, `^20.1` and `20` name one.
    let engine = package["engines"]["node"]
        .as_str()
        .filter(|text| !text.contains(['>', '<', '|', '*']));
    if let Some(found) = engine.and_then(|text| super::version(text, 1)) {
        layout.say("version", found, "package.json");
    }
}

/// What `start` runs by node, else `main`, else the one usual file that is there.
fn entry(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    let start = package["scripts"]["start"].as_str().unwrap_or_default();
    let started = started(start);
    let built = package["scripts"]["build"].is_string();
    let main = package["main"]
        .as_str()
        .map(|main| main.trim_start_matches("./"));
    let main = main.filter(|main| built && !folder.has(main) && is_made(main) || folder.has(main));
    let app = started
        .map(|file| (with_ending(folder, file), "package.json"))
        .or(main.map(|main| (main.to_owned(), "package.json")));
    match app {
        Some((app, from)) => layout.say("app", app, from),
        None => {
            let there = USUAL.iter().filter(|file| folder.has(file));
            layout.choose(
                "app",
                there
                    .map(|file| ((*file).to_owned(), (*file).to_owned()))
                    .collect(),
            );
        }
    }
    let app = layout.text("app").map(str::to_owned);
    if let Some(app) = app {
        layout.listens = folder
            .text(&app)
            .and_then(|text| listens(&text))
            .map(|port| (port, app.clone()));
        if built && is_made(&app) {
            let folder_of = app.split('/').next().unwrap_or_default().to_owned();
            layout.say("output", folder_of, "package.json");
        }
    }
}

/// The file of `A=1 node -r ./trace src/server.js`.
fn started(command: &str) -> Option<&str> {
    let mut words = command
        .split_whitespace()
        .skip_while(|word| word.contains('='));
    (words.next() == Some("node")).then_some(())?;
    while let Some(word) = words.next() {
        match word {
            "-r" | "--require" | "--import" | "--loader" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            file => return Some(file),
        }
    }
    None
}

/// Whether a file lies in a folder that only a build makes.
fn is_made(file: &str) -> bool {
    ["dist/", "build/", "out/", "lib/", ".output/"]
        .iter()
        .any(|folder| file.starts_with(folder))
}

/// `node .` and `node src/index` leave out what node finds by itself.
fn with_ending(folder: &Folder<'_>, file: &str) -> String {
    let file = file.trim_start_matches("./").trim_end_matches('/');
    let file = if file.is_empty() || file == "." {
        "index.js"
    } else {
        file
    };
    let longer = [format!("{file}.js"), format!("{file}/index.js")];
    let found = longer
        .into_iter()
        .find(|longer| !folder.has(file) && folder.has(longer));
    found.unwrap_or_else(|| file.to_owned())
}
