//! The standard library: files of bz, tables and templates that travel inside the binary. A file is parsed
//! only when a program needs it, and lies in the source map like any other, so that a message can point into it.

/// The edition every source names. An edition fixes what sources mean and what numbers the library gives.
pub const EDITION: u64 = 1;

/// What `use std.NAME` can name.
pub const MODULES: [&str; 2] = ["profiles", "tiers"];

/// What K3s itself takes and packages; every program with a node needs it.
pub const K3S: &str = "k3s";

/// The text of a library file, by its path below `std/`.
pub fn source(path: &str) -> Option<&'static str> {
    Some(match path {
        "k3s" => include_str!("../stdlib/v1/k3s.bz"),
        "profiles" => include_str!("../stdlib/v1/profiles.bz"),
        "tiers" => include_str!("../stdlib/v1/tiers.bz"),
        "runtimes/fastapi" => include_str!("../stdlib/v1/runtimes/fastapi.bz"),
        _ => return None,
    })
}

/// Names of the library's runtimes.
pub const RUNTIMES: [&str; 1] = ["fastapi"];

/// A template or ignore list that a runtime of the library names.
pub fn template(name: &str) -> Option<&'static str> {
    Some(match name {
        "fastapi.dockerfile" => include_str!("../stdlib/v1/runtimes/fastapi.dockerfile"),
        "python.dockerignore" => include_str!("../stdlib/v1/runtimes/python.dockerignore"),
        _ => return None,
    })
}

/// A row of the table of K3s's own configuration keys.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// As config.yaml spells it.
    pub key: &'static str,
    /// `bool`, `int`, `string`, `list` or `duration`.
    pub kind: &'static str,
    /// `server`, `agent` or `both`.
    pub scope: &'static str,
    /// `ok`, `hidden`, `experimental`, `deprecated` or `removed`.
    pub status: &'static str,
    /// The Kubernetes minor it came with, where that is after 1.30.
    pub since: Option<u32>,
    /// What K3s takes when it is left out.
    pub default: Option<&'static str>,
    /// The closed set of its values.
    pub values: Option<&'static str>,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// A row of the table of arguments of the components that K3s runs.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// `kubelet`, `kube-apiserver`, ..
    pub component: &'static str,
    /// Without leading dashes.
    pub name: &'static str,
    /// What it does for memory: `saves`, `peak`, `none`, `costs`, `accounting`, `unmeasured`.
    pub memory: Option<&'static str>,
    /// `ok`, `deprecated` or `removed`.
    pub status: &'static str,
    /// What the component takes when it is left out.
    pub default: Option<&'static str>,
    /// What it really does.
    pub note: Option<&'static str>,
}

const FLAGS: &str = include_str!("../stdlib/v1/k3s-flags.tsv");
const ARGUMENTS: &str = include_str!("../stdlib/v1/k3s-args.tsv");

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// `-` stands for an empty cell.
fn cell(text: &'static str) -> Option<&'static str> {
    (text != "-" && !text.is_empty()).then_some(text)
}

/// All keys of K3s's config.yaml.
pub fn flags() -> impl Iterator<Item = Flag> {
    rows(FLAGS).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Flag {
            key: cells.next()?,
            kind: cells.next()?,
            scope: cells.next()?,
            status: cells.next()?,
            since: cell(cells.next()?).and_then(|since| since.strip_prefix("1.")?.parse().ok()),
            default: cell(cells.next()?),
            values: cell(cells.next()?),
            meaning: cells.next()?,
        })
    })
}

/// The row of one key. The table is small: reading it through costs some microseconds.
pub fn flag(key: &str) -> Option<Flag> {
    flags().find(|flag| flag.key == key)
}

/// All known arguments of all components.
pub fn arguments() -> impl Iterator<Item = Argument> {
    rows(ARGUMENTS).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Argument {
            component: cells.next()?,
            name: cells.next()?,
            memory: cell(cells.next()?),
            status: cells.next()?,
            default: cell(cells.next()?),
            note: cell(cells.next()?),
        })
    })
}

/// The row of one argument.
pub fn argument(component: &str, name: &str) -> Option<Argument> {
    arguments().find(|row| row.component == component && row.name == name)
}
