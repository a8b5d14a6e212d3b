//! From the folder of a service's source to what building an image of it needs: how its libraries are installed, what
//! is started, which version of the language it asks for. Files are only read, through `World`. If several answers
//! are possible, all of them are handed on as a choice; nothing is guessed.

mod command;
pub(crate) mod context;
mod entry;
mod go;
mod java;
mod locks;
mod native;
mod node;
mod python;
mod release;
mod rust;
mod scripts;
mod settings;
mod site;
#[cfg(test)]
mod tests;
mod wheels;
mod word;

use std::collections::BTreeSet;

pub(crate) use word::Word;

use crate::world::{Entry, ReadError, World};

/// How a layout is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// pip, uv, poetry or pdm.
    Python,
    /// npm, pnpm or yarn.
    Node,
    /// Go modules.
    Go,
    /// Cargo.
    Rust,
    /// Maven or Gradle.
    Java,
    /// A folder of files that a web server hands out, perhaps built by Node.
    Static,
    /// Nothing is looked for.
    Other,
}

/// The languages by the names that runtimes call them.
pub(crate) const LANGUAGES: [(&str, Language); 7] = [
    ("python", Language::Python),
    ("node", Language::Node),
    ("go", Language::Go),
    ("rust", Language::Rust),
    ("java", Language::Java),
    ("static", Language::Static),
    ("other", Language::Other),
];

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A word.
    Text(Word),
    /// Yes or no.
    Flag(bool),
    /// Several words.
    Texts(Vec<Word>),
    /// A part of the command that is started. No shell reads it, so that its words may be anything.
    Command(Vec<String>),
}

/// What kind of fault a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A text that would be more than a word in a Dockerfile.
    Word,
    /// Nothing was found that could be started.
    Entry,
    /// A file that the build would miss.
    Missing,
    /// A version that there is no image of.
    Version,
}

/// A fault of a source, for which no image can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What kind it is of.
    pub kind: FaultKind,
    /// The field of `image` that answers the question instead; empty where none does.
    pub key: &'static str,
    /// What is wrong, of the file.
    pub what: String,
    /// The file that says so, as seen from the source; empty where none does.
    pub from: String,
    /// A text of the line of it that is meant.
    pub sign: String,
    /// What would help.
    pub help: String,
}

/// Something that was seen, and in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// The field of `image` that it answers, or the name that only templates know.
    pub key: &'static str,
    /// The answer.
    pub value: Value,
    /// The file that says so, as seen from the source.
    pub from: String,
}

/// A question with several answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The field of `image` that would answer it.
    pub key: &'static str,
    /// The answers, sorted, each with the file it comes from.
    pub candidates: Vec<(String, String)>,
}

/// The libraries that a source names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Libraries {
    /// The file that names them.
    pub from: String,
    /// The libraries that the service itself uses, in lower case.
    pub names: BTreeSet<String>,
    /// Whether the list is complete.
    pub complete: bool,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whether the folder is there. `None` where the world cannot tell.
    pub is_there: Option<bool>,
    /// Whether it is a link that leads out of the project.
    pub leads_out: bool,
    /// What was seen, sorted by key.
    pub facts: Vec<Fact>,
    /// What has several answers.
    pub choices: Vec<Choice>,
    /// Why no image can be built, unless the program answers it.
    pub faults: Vec<Fault>,
    /// Commands that the source runs before what is started and that an image does not run, and the file.
    pub skipped: Vec<(String, String)>,
    /// The libraries, if a file names them.
    pub libraries: Option<Libraries>,
    /// The package file that has no lock file beside it.
    pub unlocked: Option<String>,
    /// Files of settings that a build reads and that it does not get, each with why.
    pub left_out: Vec<(String, &'static str)>,
    /// Libraries with native code that need packages of the system.
    pub native: Vec<String>,
    /// Folders that a compiled program reads, and the file that names each.
    pub read: Vec<(String, String)>,
    /// The configuration of nginx that lies in a site, and whether it is that of a whole nginx.
    pub nginx: Option<(String, bool)>,
    /// Libraries of Python that come as source alone for the version that is taken, and the file that names them.
    pub compiled: Option<(Vec<String>, String)>,
    /// The versions of Python that the source takes, if that of distroless images is not among them, and the file.
    pub needs_other: Option<(String, String)>,
    /// The port that the entry file listens on, if it names one and does not take it from `PORT`.
    pub listens: Option<(u16, String)>,
}

impl Layout {
    /// The answers to one question that the source shows.
    pub(crate) fn fact(&self, key: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.key == key)
    }

    /// The text that answers one question.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match &self.fact(key)?.value {
            Value::Text(word) => Some(word.as_str()),
            Value::Flag(_) | Value::Texts(_) | Value::Command(_) => None,
        }
    }

    fn put(&mut self, key: &'static str, value: Value, from: impl Into<String>) {
        self.facts.push(Fact {
            key,
            value,
            from: from.into(),
        });
    }

    /// Records an answer, or why it cannot be one.
    fn say(&mut self, key: &'static str, value: impl Into<String>, from: impl Into<String>) {
        let (value, from) = (value.into(), from.into());
        match Word::new(value.clone()) {
            Ok(word) => self.put(key, Value::Text(word), from),
            Err(why) => self.refuse_word(key, &value, why, from),
        }
    }

    /// Records that a text of the source cannot stand in a Dockerfile.
    fn refuse_word(&mut self, key: &'static str, text: &str, why: &str, from: String) {
        let field = ["app", "manager", "version", "module"].contains(&key);
        self.faults.push(Fault {
            kind: FaultKind::Word,
            key: if field { key } else { "" },
            what: format!("`{}` cannot stand in a Dockerfile: {why}", shown(text)),
            sign: text.lines().next().unwrap_or_default().to_owned(),
            from,
            help: String::new(),
        });
    }

    /// Records that nothing can be seen to start.
    fn no_entry(&mut self, key: &'static str, what: impl Into<String>, from: &str, help: &str) {
        self.faults.push(Fault {
            kind: FaultKind::Entry,
            key,
            what: what.into(),
            from: from.to_owned(),
            sign: String::new(),
            help: help.to_owned(),
        });
    }

    /// Records that nothing can be seen to start, unless the source says what.
    fn check_entry(&mut self, what: &str, from: &str, help: &str) {
        if !self.is_settled("app") {
            self.no_entry("app", what, from, help);
        }
    }

    /// Records a file that a build would miss; `sign` is a text of the line that names it.
    fn missing(
        &mut self,
        what: impl Into<String>,
        from: &str,
        sign: &str,
        help: impl Into<String>,
    ) {
        self.faults.push(Fault {
            kind: FaultKind::Missing,
            key: "",
            what: what.into(),
            from: from.to_owned(),
            sign: sign.to_owned(),
            help: help.into(),
        });
    }

    fn flag(&mut self, key: &'static str, from: impl Into<String>) {
        self.put(key, Value::Flag(true), from);
    }

    /// Records that installing the libraries reads other files of the source, so that all of it is copied before.
    fn say_local(&mut self, from: impl Into<String>) {
        if self.fact("local").is_none() {
            self.flag("local", from);
        }
    }

    /// One candidate answers the question, several leave it open.
    fn choose(&mut self, key: &'static str, mut candidates: Vec<(String, String)>) {
        candidates.sort();
        candidates.dedup();
        match candidates.len() {
            0 => {}
            1 => {
                let (value, from) = candidates.remove(0);
                self.say(key, value, from);
            }
            _ => self.choices.push(Choice { key, candidates }),
        }
    }

    /// Whether the question was answered, left open, or refused.
    fn is_settled(&self, key: &str) -> bool {
        self.fact(key).is_some()
            || self.choices.iter().any(|choice| choice.key == key)
            || self.faults.iter().any(|fault| fault.key == key)
    }
}

/// A text of a source as messages and comments show it: in one line.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let short: String = text.chars().take(LONGEST).collect();
    let dots = if short.len() < text.len() { ".." } else { "" };
    let plain = |c: char| !c.is_control() && !('\u{200b}'..='\u{206f}').contains(&c);
    let chars = short.chars().flat_map(|c| {
        let escaped = (!plain(c)).then(|| c.escape_debug());
        escaped.into_iter().flatten().chain(plain(c).then_some(c))
    });
    format!("{}{dots}", chars.collect::<String>())
}

/// Looks at the folder `source`. `entries` are the constructors whose result a Python server serves, and for Node a
/// framework that knows by itself what it starts; the list is empty for a plain program.
pub(crate) fn detect(
    world: &dyn World,
    source: &str,
    language: Language,
    entries: &[&str],
) -> Layout {
    let path = plain(source);
    let folder = Folder { world, path: &path };
    let is_there = folder.is_there();
    let mut layout = Layout {
        is_there,
        leads_out: is_there.is_none() && folder.leads_out(),
        ..Layout::default()
    };
    if layout.is_there == Some(true) {
        match language {
            Language::Python => python::detect(&folder, entries, &mut layout),
            Language::Node => node::detect(&folder, entries.contains(&"next"), &mut layout),
            Language::Go => go::detect(&folder, &mut layout),
            Language::Rust => rust::detect(&folder, &mut layout),
            Language::Java => java::detect(&folder, &mut layout),
            Language::Static => site::detect(&folder, &mut layout),
            Language::Other => {}
        }
    }
    layout.facts.sort_by(|a, b| a.key.cmp(b.key));
    for fault in &mut layout.faults {
        fault.from = place_of(&folder, &fault.from, &fault.sign);
    }
    layout
}

/// A file with the number of the line that holds a text, as `package.json:3`; the file alone if none does.
fn place_of(folder: &Folder<'_>, file: &str, sign: &str) -> String {
    let text = folder
        .text(file)
        .filter(|_| !sign.is_empty())
        .unwrap_or_default();
    let line = text.lines().position(|line| line.contains(sign));
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{}", line + 1))
}

/// Whether a file or a folder is in a source; `None` where the world cannot tell.
pub(crate) fn holds(world: &dyn World, source: &str, name: &str) -> Option<bool> {
    let path = plain(source);
    let folder = Folder { world, path: &path };
    folder.is_there()?;
    let name = plain(name);
    let (above, last) = name.rsplit_once('/').unwrap_or(("", &name));
    let inside = folder.list(above);
    Some(name.is_empty() || inside.iter().any(|entry| entry.name == last))
}

/// A path as `World` takes it: `web` for `./web/`.
fn plain(source: &str) -> String {
    let parts: Vec<&str> = source
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    parts.join("/")
}

/// A folder of the world.
struct Folder<'w> {
    world: &'w dyn World,
    path: &'w str,
}

/// Folders that hold no entry of a service.
const PASSED_OVER: [&str; 18] = [
    "tests",
    "test",
    "docs",
    "doc",
    "examples",
    "scripts",
    "migrations",
    "alembic",
    "node_modules",
    "venv",
    "env",
    "build",
    "dist",
    "target",
    "vendor",
    "testdata",
    "__pycache__",
    "site-packages",
];

impl Folder<'_> {
    fn at(&self, name: &str) -> String {
        match (self.path, name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}/{name}"),
        }
    }

    /// Whether it is there; `None` if the world has nothing at all to show.
    fn is_there(&self) -> Option<bool> {
        match self.world.list(&self.at("")) {
            Ok(_) => Some(true),
            Err(ReadError::NotFound) => self.world.list("").is_ok().then_some(false),
            Err(_) => None,
        }
    }

    /// Whether it is a link out of the project.
    fn leads_out(&self) -> bool {
        self.world.list(&self.at("")) == Err(ReadError::Outside)
    }

    /// The text of a file, if there is one that is text.
    fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.world.read(&self.at(name)).ok()?).ok()
    }

    /// What is directly in a folder of it.
    fn list(&self, name: &str) -> Vec<Entry> {
        self.world.list(&self.at(name)).unwrap_or_default()
    }

    /// The nearest folder above it, of the program's, that has a file directly in it.
    fn above(&self, file: &str) -> Option<String> {
        let mut path = self.path;
        while let Some((parent, _)) = path.rsplit_once('/') {
            let place = join(parent, file);
            if self.world.read(&place).is_ok() {
                return Some(parent.to_owned());
            }
            path = parent;
        }
        None
    }

    fn has(&self, name: &str) -> bool {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        self.list(folder)
            .iter()
            .any(|entry| entry.name == file && !entry.is_folder)
    }

    /// Folders directly in a folder of it that may hold an entry, by path.
    fn folders(&self, name: &str) -> Vec<String> {
        let plain = |entry: &Entry| {
            entry.is_folder
                && !entry.name.starts_with(['.', '_'])
                && !PASSED_OVER.contains(&entry.name.as_str())
        };
        let entries = self.list(name);
        entries
            .iter()
            .filter(|entry| plain(entry))
            .map(|entry| join(name, &entry.name))
            .collect()
    }

    /// Files directly in a folder of it with this ending, by path.
    fn files(&self, name: &str, ending: &str) -> Vec<String> {
        let entries = self.list(name);
        let files = entries
            .iter()
            .filter(|entry| !entry.is_folder && entry.name.ends_with(ending));
        files.map(|entry| join(name, &entry.name)).collect()
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// `22` of `v22.11.0`, `3.12` of `3.12.4`: as many parts as the tags of base images have.
fn version(text: &str, parts: usize) -> Option<String> {
    let text = text
        .trim()
        .trim_start_matches(['v', '=', '^', '~', '>', ' ']);
    let numbers: Vec<&str> = text.split('.').take(parts).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let cut = |part: &str| {
        part.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let whole: Vec<String> = numbers.iter().map(|part| cut(part)).collect();
    (numbers.len() == parts && whole.iter().all(|part| digits(&part.as_str())))
        .then(|| whole.join("."))
}

/// The port that a text listens on, if there is exactly one. A text that reads `PORT` has none.
fn listens(text: &str) -> Option<u16> {
    if text.contains("PORT") {
        return None;
    }
    let mut found = BTreeSet::new();
    for before in [
        "listen(",
        "listen({ port: ",
        "listen({port: ",
        "\":",
        "0.0.0.0:",
        "127.0.0.1:",
    ] {
        for (at, _) in text.match_indices(before) {
            let rest = text[at + before.len()..].trim_start();
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let ends = rest[digits.len()..].starts_with([',', ')', '"', '\'', ' ', '}', '`']);
            found.extend(
                digits
                    .parse::<u16>()
                    .ok()
                    .filter(|port| *port >= 80 && ends),
            );
        }
    }
    if found.len() == 1 {
        found.pop_first()
    } else {
        None
    }
}
