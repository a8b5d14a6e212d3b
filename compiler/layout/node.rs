//! Node: which tool locks the packages, which file is started, whether it is built first.

use std::collections::BTreeSet;

use serde_json::Value;

use super::command::{dockerfile, procfile};
use super::scripts::{NoStart, Scripts, Start};
use super::{Folder, Layout, Libraries, Word, listens, native, release, settings, shown};

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

/// Scripts that make what is started.
const BUILDS: [&str; 3] = ["build", "compile", "prestart"];

/// Reads a package. `own_start`: the framework knows by itself what it starts.
pub(super) fn detect(folder: &Folder<'_>, own_start: bool, layout: &mut Layout) {
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
    native::say("node", layout);
    if package["dependencies"].get("@prisma/client").is_some() {
        // Its client is made in the folder of the packages, from the schema.
        layout.flag("whole", "package.json");
        if folder.has("prisma/schema.prisma") {
            layout.flag("generate", "prisma/schema.prisma");
        }
    }
    let build = BUILDS.into_iter().find(|name| {
        package["scripts"][*name].as_str().is_some_and(|line| {
            let makes = ["build", "tsc", "babel", "webpack", "esbuild", "swc", "tsup"];
            *name != "prestart" || makes.iter().any(|word| line.contains(word))
        })
    });
    if let Some(build) = build {
        layout.say("build", build, "package.json");
    }
    if own_start {
        settings::of_bundler(folder, layout);
        standalone(folder, layout);
    } else {
        entry(folder, &package, build.is_some(), layout);
    }
}

/// What Next.js builds its own server of.
fn standalone(folder: &Folder<'_>, layout: &mut Layout) {
    let top = folder.list("");
    let config = top
        .iter()
        .map(|entry| &entry.name)
        .find(|name| name.starts_with("next.config."));
    if let Some(config) = config
        && folder
            .text(config)
            .is_some_and(|text| says_standalone(&text))
    {
        layout.flag("standalone", config.clone());
    }
    if top
        .iter()
        .any(|entry| entry.is_folder && entry.name == "public")
    {
        layout.flag("public", "public/");
    }
}

/// Whether a configuration says `output: "standalone"`, outside of comments.
fn says_standalone(text: &str) -> bool {
    let code = without_comments(text);
    code.split("output").skip(1).any(|rest| {
        let rest = rest.trim_start_matches(['"', '\'']).trim_start();
        let value = rest.strip_prefix([':', '=']).map(str::trim_start);
        value.is_some_and(|value| {
            value
                .lines()
                .next()
                .unwrap_or_default()
                .contains("standalone")
        })
    })
}

/// JavaScript without its comments. Texts that hold `//` behind a colon are addresses, and stay.
pub(super) fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut code = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    let lines = code.lines().map(|line| {
        let mut begins = line.match_indices("//").map(|(at, _)| at);
        let comment = begins.find(|at| !line[..*at].ends_with(':'));
        comment.map_or(line, |at| &line[..at])
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn object_keys(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys().map(String::as_str))
}

/// The tool whose lock file is there; of several, the one that `packageManager` names.
pub(super) fn manager(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    settings::npmrc(folder, layout);
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

pub(super) fn version(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    for file in [".nvmrc", ".node-version"] {
        let text = folder.text(file).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| !line.trim().is_empty()) {
            release::say_node(line, file, layout);
            return;
        }
    }
    let tools = folder.text(".tool-versions").unwrap_or_default();
    let named = tools.lines().find_map(|line| {
        line.strip_prefix("nodejs ")
            .or_else(|| line.strip_prefix("node "))
    });
    if let Some(named) = named {
        release::say_node(named, ".tool-versions", layout);
    } else if let Some(range) = package["engines"]["node"].as_str() {
        release::say_engine(range, layout);
    }
}

/// Scripts that start a service where it is used, before the one that may be for developers.
const STARTS: [&str; 4] = ["start:prod", "start:production", "serve:prod", "start"];

/// What is started: by a Procfile, by a script, by a Dockerfile that lies there, else `main`, else the one usual file.
fn entry(folder: &Folder<'_>, package: &Value, built: bool, layout: &mut Layout) {
    let scripts = Scripts { folder, package };
    let mut refused: Option<(NoStart, String)> = None;
    let mut found: Vec<(Result<Start, NoStart>, &str)> = Vec::new();
    let processes = procfile(folder);
    if let Some((_, line)) = processes.iter().find(|(name, _)| name == "web") {
        found.push((scripts.follow(line, "web", 0), "Procfile"));
    }
    let scripted = STARTS.iter().find_map(|name| scripts.start(name));
    found.extend(scripted.map(|start| (start, "package.json")));
    if let Some(command) = dockerfile(folder).command
        && let [only] = command.steps.as_slice()
    {
        found.push((scripts.step(only, "CMD", 0), "Dockerfile"));
    }
    for (start, from) in found {
        match start.and_then(|start| there(folder, package, built, start)) {
            Ok(start) => return settle(folder, built, start, from, layout),
            Err(no) => refused = refused.or(Some((no, from.to_owned()))),
        }
    }
    if let Some((no, from)) = refused {
        layout.no_entry("app", no.what, &from, no.help);
        return;
    }
    let main = package["main"].as_str().map(|main| Start {
        file: main.to_owned(),
        ..Start::default()
    });
    if let Some(Ok(start)) = main.map(|start| there(folder, package, built, start)) {
        return settle(folder, built, start, "package.json", layout);
    }
    let usual = USUAL.iter().filter(|file| folder.has(file));
    layout.choose(
        "app",
        usual
            .map(|file| ((*file).to_owned(), (*file).to_owned()))
            .collect(),
    );
    if let Some(app) = layout.text("app").map(str::to_owned) {
        layout.listens = port_of(folder, &app);
    }
    let what = "nothing in it can be seen to start: no script `start`, no `main`, no server.js, index.js, app.js or main.js";
    layout.check_entry(what, "", "say what node runs: `app = \"src/server.js\"`");
}

/// What is started, with the file as it lies there, or as a build makes it.
fn there(
    folder: &Folder<'_>,
    package: &Value,
    built: bool,
    mut start: Start,
) -> Result<Start, NoStart> {
    if !start.program.is_empty() {
        return Ok(start);
    }
    let mut file = with_ending(folder, &start.file);
    if file == "index.js" && start.file.trim_matches(['.', '/']).is_empty() && !folder.has(&file) {
        // Node runs what `main` says.
        file = package["main"]
            .as_str()
            .map_or(file, |main| with_ending(folder, main));
    }
    let top = file.split('/').next().unwrap_or_default();
    let makes_top = file.contains('/') && !folder.list("").iter().any(|entry| entry.name == top);
    let stem = file.strip_suffix(".js").unwrap_or(&file);
    let made = is_made(&file) || makes_top || folder.has(&format!("{stem}.ts"));
    let is_there = folder.has(&file) || built && made;
    if !is_there {
        let why = if built {
            "the build is not seen to make it"
        } else {
            "no script makes it"
        };
        return Err(NoStart {
            what: format!("`{}` is started, it is not there, and {why}", shown(&file)),
            help: "say what node runs: `app = \"src/server.js\"`",
        });
    }
    start.file = file;
    Ok(start)
}

/// Records what is started.
fn settle(folder: &Folder<'_>, built: bool, start: Start, from: &str, layout: &mut Layout) {
    let from = if start.from.is_empty() {
        from.to_owned()
    } else {
        start.from
    };
    let mut env = Vec::new();
    for variable in start.env {
        if let Some(port) = variable
            .strip_prefix("PORT=")
            .and_then(|port| port.parse().ok())
        {
            layout.listens = Some((port, from.clone()));
            continue;
        }
        match Word::new(variable.clone()) {
            Ok(word) => env.push(word),
            Err(why) => layout.refuse_word("app", &variable, why, from.clone()),
        }
    }
    if !env.is_empty() {
        layout.put("env", super::Value::Texts(env), from.clone());
    }
    if start.dev {
        layout.flag("dev", from.clone());
    }
    for step in start.skipped {
        layout.skipped.push((step, from.clone()));
    }
    if !start.program.is_empty() {
        let mut words = vec![format!("/app/node_modules/.bin/{}", start.program)];
        words.extend(start.arguments);
        return layout.put("start", super::Value::Command(words), from);
    }
    for (key, words) in [("flags", start.flags), ("arguments", start.arguments)] {
        if !words.is_empty() {
            layout.put(key, super::Value::Command(words), from.clone());
        }
    }
    layout.say("app", start.file, from);
    let Some(app) = layout.text("app").map(str::to_owned) else {
        return;
    };
    layout.listens = layout.listens.take().or_else(|| port_of(folder, &app));
    if built && !folder.has(&app) && app.contains('/') {
        layout.say(
            "output",
            app.split('/').next().unwrap_or_default(),
            "package.json",
        );
    }
}

/// The port that a file listens on.
fn port_of(folder: &Folder<'_>, file: &str) -> Option<(u16, String)> {
    let port = listens(&folder.text(file)?)?;
    Some((port, file.to_owned()))
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
    let file = file.strip_prefix("/app/").unwrap_or(file);
    let file = if file.is_empty() || file == "." {
        "index.js"
    } else {
        file
    };
    let longer = [format!("{file}.js"), format!("{file}/index.js")];
    if let Some(found) = longer
        .iter()
        .find(|longer| !folder.has(file) && folder.has(longer))
    {
        return found.clone();
    }
    // A file that a build makes has its ending too: `node dist/main`.
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.contains('.') || folder.has(file) {
        file.to_owned()
    } else {
        format!("{file}.js")
    }
}
