//! What a Python source starts: the server that a module holds, or a program. Commands that the source has itself, in a
//! Procfile or a Dockerfile, count first, as far as what they name is there; then the code is read.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::command::{Command, dockerfile, file_of, module_file, procfile, steps};
use super::{Folder, Layout, Value as Answer, join};

/// Usual names of files with a server or a program; other files are searched only if these have none.
const LIKELY: [&str; 12] = [
    "main",
    "app",
    "server",
    "api",
    "asgi",
    "wsgi",
    "service",
    "application",
    "run",
    "index",
    "web",
    "__init__",
];
/// Functions that make a server.
const FACTORIES: [&str; 6] = [
    "create_app",
    "make_app",
    "get_app",
    "build_app",
    "get_application",
    "create_application",
];
/// Files that a plain program begins in.
const PROGRAMS: [&str; 6] = [
    "main.py",
    "app.py",
    "worker.py",
    "run.py",
    "server.py",
    "bot.py",
];
/// Files that are run by tools, and are no programs of a service.
const OF_TOOLS: [&str; 7] = [
    "setup.py",
    "conftest.py",
    "manage.py",
    "noxfile.py",
    "fabfile.py",
    "tasks.py",
    "locustfile.py",
];
/// Programs that serve an application that they are given by name.
const SERVERS: [&str; 6] = [
    "gunicorn",
    "uvicorn",
    "hypercorn",
    "granian",
    "daphne",
    "waitress-serve",
];
/// How many files are read in search of an entry.
const MOST_FILES: usize = 200;

/// Words that stand before the program that stays.
const PASSED_OVER: [&str; 14] = [
    "exec",
    "env",
    "poetry",
    "uv",
    "pdm",
    "pipenv",
    "run",
    "dumb-init",
    "tini",
    "--",
    "ddtrace-run",
    "newrelic-admin",
    "run-program",
    "opentelemetry-instrument",
];

/// Something that could be started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Candidate {
    /// The module.
    module: String,
    /// The name in it that is served; empty for a program.
    name: String,
    /// The file that says so.
    file: String,
    /// The folder that modules are imported from.
    root: String,
    /// What a program is given.
    arguments: Vec<String>,
    /// Whether it has code for being run as a program.
    guarded: bool,
}

/// Finds what is started. `entries` are the constructors whose result is served; without any it is a program.
pub(super) fn find(
    folder: &Folder<'_>,
    project: Option<&Table>,
    entries: &[&str],
    layout: &mut Layout,
) {
    let said = commanded(folder, !entries.is_empty());
    if said.len() == 1 {
        settle(said, layout);
    } else if !entries.is_empty() {
        settle(servers(folder, entries), layout);
    } else {
        let found = programs(folder);
        match (
            found.is_empty(),
            project.and_then(|project| script(folder, project)),
        ) {
            (true, Some((call, root))) => {
                if !root.is_empty() {
                    layout.say("root", root, "pyproject.toml");
                }
                let call = vec!["-c".to_owned(), call];
                layout.put("call", Answer::Command(call), "pyproject.toml");
            }
            (true, None) => settle(alone(folder), layout),
            (false, _) => settle(found, layout),
        }
    }
    if !layout.is_settled("app") && layout.fact("call").is_none() {
        nothing(folder, entries, layout);
    }
}

/// Says that nothing is started, and what could be.
fn nothing(folder: &Folder<'_>, entries: &[&str], layout: &mut Layout) {
    let is_site = folder.has("manage.py") && !entries.contains(&"get_wsgi_application");
    let (what, help) = match entries {
        _ if is_site => (
            "nothing in it can be seen to start, and manage.py is that of a Django site".to_owned(),
            "say `runtime = django`",
        ),
        [] => (
            "nothing in it can be seen to start: no main.py or its kin, no package with __main__.py, no one program at \
             the top"
                .to_owned(),
            "say which module is run: `app = \"shop.worker\"`",
        ),
        _ => (
            format!("no module in it can be seen to hold what `{}` makes", entries.join("` or `")),
            "say where it is: `app = \"shop.main:app\"`",
        ),
    };
    layout.no_entry("app", what, "", help);
}

/// What the first of Procfile and Dockerfile that says so starts.
fn commanded(folder: &Folder<'_>, serves: bool) -> Vec<Candidate> {
    let processes = procfile(folder);
    let wanted = processes
        .iter()
        .filter(|(name, _)| processes.len() == 1 || serves && name == "web");
    let from = |file: &str, steps| Command {
        steps,
        from: file.to_owned(),
    };
    let mut commands: Vec<Command> = wanted
        .filter_map(|(_, line)| Some(from("Procfile", steps(line)?)))
        .collect();
    commands.extend(dockerfile(folder).command);
    let read = |command: &Command| read(folder, command.steps.last()?, serves, &command.from);
    commands.iter().find_map(read).into_iter().collect()
}

/// What the words of a command start, if that is there.
fn read(folder: &Folder<'_>, words: &[String], serves: bool, from: &str) -> Option<Candidate> {
    let mut words = words.iter().map(String::as_str).peekable();
    let skipped =
        |word: &&str| PASSED_OVER.contains(word) || word.contains('=') || word.starts_with('-');
    while words.next_if(skipped).is_some() {}
    let first = words.next()?;
    let mut program = first.rsplit('/').next().unwrap_or(first);
    let is_python = program.starts_with("python");
    let mut by_module = false;
    if is_python {
        while words
            .next_if(|word| ["-u", "-O", "-B"].contains(word))
            .is_some()
        {}
        by_module = words.next_if_eq(&"-m").is_some();
        program = words.next()?;
    }
    let mut found = if SERVERS.contains(&program) {
        words.find_map(|word| served(folder, program, word))?
    } else if program == "fastapi" {
        let file = words.find_map(|word| file_of(folder, word))?;
        let (module, root) = module(folder, &file);
        Candidate {
            module,
            root,
            name: "app".to_owned(),
            ..Candidate::default()
        }
    } else if by_module {
        let (_, root) = module_file(folder, program)?;
        Candidate {
            module: program.to_owned(),
            root,
            ..Candidate::default()
        }
    } else {
        let path = if is_python { program } else { first };
        let file = file_of(folder, path).filter(|file| file.ends_with(".py"))?;
        let (module, root) = module(folder, &file);
        Candidate {
            module,
            root,
            ..Candidate::default()
        }
    };
    found.given_by(from, words);
    let of_shell = found.arguments.iter().any(|word| word.contains('$'));
    (serves != found.name.is_empty() && !of_shell).then_some(found)
}

impl Candidate {
    fn given_by<'w>(&mut self, from: &str, words: impl Iterator<Item = &'w str>) {
        from.clone_into(&mut self.file);
        // The options of a server are those of the runtime.
        if self.name.is_empty() {
            self.arguments = words.map(str::to_owned).collect();
        }
    }

    fn shown(&self) -> String {
        match self.name.as_str() {
            "" => self.module.clone(),
            name => format!("{}:{name}", self.module),
        }
    }
}

/// The application that a word names to a server: `shop.main:app`, and `shop.wsgi` of gunicorn.
fn served(folder: &Folder<'_>, program: &str, word: &str) -> Option<Candidate> {
    let (module, name) = match word.split_once(':') {
        Some(named) => named,
        None if program == "gunicorn" => (word, "application"),
        None => return None,
    };
    let plain = |text: &str| text.split('.').all(is_identifier);
    if !plain(module) || !is_identifier(name.trim_end_matches("()")) {
        return None;
    }
    let (_, root) = module_file(folder, module)?;
    Some(Candidate {
        module: module.to_owned(),
        name: name.to_owned(),
        root,
        ..Candidate::default()
    })
}

/// Servers: names at the left margin that hold what a constructor or a factory made, else a factory itself.
fn servers(folder: &Folder<'_>, entries: &[&str]) -> Vec<Candidate> {
    let mut files = sources(folder);
    files.truncate(MOST_FILES);
    let texts: Vec<(String, String)> = files
        .into_iter()
        .filter_map(|file| Some((folder.text(&file)?, file)))
        .map(|(text, file)| (file, text))
        .collect();
    let makers = makers(&texts, entries);
    let (likely, others): (Vec<_>, Vec<_>) = texts
        .iter()
        .partition(|(file, _)| LIKELY.contains(&stem(file)));
    let mut found = Vec::new();
    let mut factories = Vec::new();
    for group in [likely, others] {
        for (file, text) in group {
            let candidate = |name: String| {
                let (module, root) = module(folder, file);
                Candidate {
                    module,
                    name,
                    file: file.clone(),
                    root,
                    ..Candidate::default()
                }
            };
            found.extend(
                text.lines()
                    .filter_map(|line| made(line, entries, &makers))
                    .map(|name| candidate(name.to_owned())),
            );
            factories
                .extend(factories_of(text, entries).map(|name| candidate(format!("{name}()"))));
        }
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        found = factories;
    }
    // A server that mounts others is the one called `app`.
    let is_main = |candidate: &Candidate| matches!(candidate.name.as_str(), "app" | "application");
    if found.len() > 1 && found.iter().filter(|candidate| is_main(candidate)).count() == 1 {
        found.retain(is_main);
    }
    found
}

/// Functions of the source that make a server: those of files that call a constructor.
fn makers(texts: &[(String, String)], entries: &[&str]) -> BTreeSet<String> {
    let calls = |text: &str| {
        entries
            .iter()
            .any(|entry| text.contains(&format!("{entry}(")))
    };
    texts
        .iter()
        .filter(|(_, text)| calls(text))
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| Some(line.strip_prefix("def ")?.split('(').next()?.to_owned()))
        .collect()
}

/// Programs: the usual files, and packages that can be run.
fn programs(folder: &Folder<'_>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for file in sources(folder) {
        let base = file.rsplit('/').next().unwrap_or_default();
        let inside = file.strip_prefix("src/").unwrap_or(&file);
        if base == "__main__.py" || !inside.contains('/') && PROGRAMS.contains(&base) {
            found.extend(runnable(folder, &file));
        }
    }
    guarded_of(found)
}

/// The one program at the top, whatever it is called.
fn alone(folder: &Folder<'_>) -> Vec<Candidate> {
    let mut files = folder.files("", ".py");
    files.retain(|file| {
        let is_test = file.starts_with("test_") || file.ends_with("_test.py");
        !OF_TOOLS.contains(&file.as_str()) && !is_test && file != "__init__.py"
    });
    guarded_of(
        files
            .iter()
            .filter_map(|file| runnable(folder, file))
            .collect(),
    )
}

/// A file as a program.
fn runnable(folder: &Folder<'_>, file: &str) -> Option<Candidate> {
    let text = folder.text(file)?;
    let (module, root) = module(folder, file);
    Some(Candidate {
        module: module
            .trim_end_matches("__main__")
            .trim_end_matches('.')
            .to_owned(),
        file: file.to_owned(),
        root,
        guarded: text.contains("__main__"),
        ..Candidate::default()
    })
}

/// Of several, the one with code for being run as a program.
fn guarded_of(mut found: Vec<Candidate>) -> Vec<Candidate> {
    if found.iter().filter(|candidate| candidate.guarded).count() == 1 {
        found.retain(|candidate| candidate.guarded);
    }
    found
}

/// What the one script of a project calls, as a program, and the folder that it imports from.
fn script(folder: &Folder<'_>, project: &Table) -> Option<(String, String)> {
    let of_poetry = || {
        project
            .get("tool")?
            .get("poetry")?
            .get("scripts")?
            .as_table()
    };
    let scripts = project
        .get("project")
        .and_then(|table| table.get("scripts")?.as_table())
        .or_else(of_poetry)?;
    let mut calls = scripts.values().filter_map(Value::as_str);
    let (call, None) = (calls.next()?, calls.next()) else {
        return None;
    };
    let (module, function) = call.split_once(':')?;
    let (module, function) = (module.trim(), function.trim());
    let plain = |text: &str| text.split('.').all(is_identifier);
    if !plain(module) || !is_identifier(function) {
        return None;
    }
    let (_, root) = module_file(folder, module)?;
    let code = format!("import sys; from {module} import {function}; sys.exit({function}())");
    Some((code, root))
}

fn settle(found: Vec<Candidate>, layout: &mut Layout) {
    if let [only] = found.as_slice() {
        if !only.root.is_empty() {
            layout.say("root", only.root.clone(), only.file.clone());
        }
        if !only.arguments.is_empty() {
            layout.put(
                "arguments",
                Answer::Command(only.arguments.clone()),
                only.file.clone(),
            );
        }
    }
    let all = found
        .iter()
        .map(|candidate| (candidate.shown(), candidate.file.clone()));
    layout.choose("app", all.collect());
}

/// Python files at the top and up to three folders down, sorted.
fn sources(folder: &Folder<'_>) -> Vec<String> {
    let mut files = folder.files("", ".py");
    let mut level = folder.folders("");
    for _ in 0..3 {
        let mut below = Vec::new();
        for name in level {
            files.extend(folder.files(&name, ".py"));
            below.extend(folder.folders(&name));
        }
        level = below;
    }
    files
}

fn stem(file: &str) -> &str {
    file.rsplit('/')
        .next()
        .unwrap_or(file)
        .trim_end_matches(".py")
}

/// The module of a file and the folder it is imported from: of those above it the one in which most of what it imports
/// lies. Where that does not tell, `src/` is such a folder, unless it is a package itself.
fn module(folder: &Folder<'_>, file: &str) -> (String, String) {
    let text = folder.text(file).unwrap_or_default();
    let names = imported(&text);
    let is_relative = text
        .lines()
        .any(|line| line.trim_start().starts_with("from ."));
    let above: Vec<&str> = file.match_indices('/').map(|(at, _)| &file[..at]).collect();
    let mut roots: Vec<&str> = std::iter::once("").chain(above).collect();
    if is_relative && roots.len() > 1 && !file.ends_with("__init__.py") {
        // What is imported from beside it is in its package.
        roots.pop();
    }
    let lies_in = |root: &str, name: &str| {
        let path = join(root, name);
        folder.has(&format!("{path}.py")) || !folder.files(&path, ".py").is_empty()
    };
    let found = |root: &str| names.iter().filter(|name| lies_in(root, name)).count();
    let most = roots.iter().map(|root| found(root)).max().unwrap_or(0);
    let best: Vec<&str> = roots
        .iter()
        .copied()
        .filter(|root| found(root) == most)
        .collect();
    let is_src =
        file.starts_with("src/") && best.contains(&"src") && !folder.has("src/__init__.py");
    let root = match (is_src, best.first()) {
        (true, _) => "src",
        (false, first) => first.copied().unwrap_or_default(),
    };
    let inside = if root.is_empty() {
        file
    } else {
        &file[root.len() + 1..]
    };
    let path = inside.trim_end_matches(".py").replace('/', ".");
    let module = path.strip_suffix(".__init__").unwrap_or(&path);
    (module.to_owned(), root.to_owned())
}

/// The first parts of what a file imports by an absolute name.
fn imported(text: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(rest) = line.strip_prefix("from ") {
            names.extend(rest.split(['.', ' ']).next());
        } else if let Some(rest) = line.strip_prefix("import ") {
            let each = rest
                .split(',')
                .filter_map(|part| part.trim().split(['.', ' ']).next());
            names.extend(each);
        } else if line.contains("DJANGO_SETTINGS_MODULE") {
            names.extend(
                line.split(['"', '\''])
                    .rev()
                    .nth(1)
                    .and_then(|module| module.split('.').next()),
            );
        }
    }
    names.retain(|name| is_identifier(name));
    names
}

/// The name that `app = FastAPI(` gives, at the left margin, or `app: FastAPI = anything(`.
fn made<'t>(line: &'t str, entries: &[&str], makers: &BTreeSet<String>) -> Option<&'t str> {
    let (left, right) = line.split_once('=')?;
    let (name, kind) = left.split_once(':').unwrap_or((left, ""));
    let name = name.trim_end();
    let callee = right.trim_start().split('(').next()?;
    let is_call =
        right.contains('(') && !left.ends_with(['=', '!', '<', '>']) && !right.starts_with('=');
    let last = callee.rsplit('.').next()?.trim();
    let kind = kind.rsplit('.').next()?.trim();
    let known = entries.contains(&last)
        || FACTORIES.contains(&last)
        || makers.contains(last)
        || entries.contains(&kind);
    (is_call && known && is_identifier(name)).then_some(name)
}

/// The functions at the left margin that return a server and need nothing for it.
fn factories_of<'t>(text: &'t str, entries: &[&str]) -> impl Iterator<Item = &'t str> {
    let starts = text
        .match_indices("def ")
        .filter(|(at, _)| *at == 0 || text[..*at].ends_with('\n'));
    let named = starts.filter_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let (name, signature) = rest.split_once('(')?;
        let (needs, after) = parameters(signature);
        let returned = after
            .trim_start()
            .strip_prefix("->")
            .and_then(|kind| kind.split(':').next());
        let kind = returned.and_then(|kind| kind.trim().rsplit('.').next());
        let makes = FACTORIES.contains(&name) || kind.is_some_and(|kind| entries.contains(&kind));
        (makes && !needs && is_identifier(name)).then_some(name)
    });
    named.collect::<Vec<_>>().into_iter()
}

/// Whether a parameter has no default, and what follows the list.
fn parameters(text: &str) -> (bool, &str) {
    let (mut depth, mut needs) = (0, false);
    let mut part = String::new();
    for (at, c) in text.char_indices() {
        let ends = depth == 0 && matches!(c, ',' | ')');
        if ends {
            let part = std::mem::take(&mut part);
            let part = part.trim();
            needs |= !part.is_empty() && !part.starts_with(['*', '/', '#']) && !part.contains('=');
            if c == ')' {
                return (needs, &text[at + 1..]);
            }
            continue;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        part.push(c);
    }
    (needs, "")
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
