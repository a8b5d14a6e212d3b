//! From compose files to services, as compose reads them: override files over the first, merge keys, `extends`, variables.

mod environment;
mod health;
mod mounts;
mod others;
mod ports;
mod rights;
mod service;
mod shared;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use self::shared::Shared;
use crate::import::data::Data;
use crate::import::sort::{Compose, folder};
use crate::import::tree::{Item, Name, said};
use crate::import::variables;
use crate::world::World;

/// How many services may stand behind each other by `extends`.
const DEEPEST: usize = 16;

/// A project: the files of compose in one folder that are read together.
#[derive(Debug)]
pub(super) struct Project {
    /// The names of its files in messages.
    names: String,
    /// Its folder, as seen from that of the program.
    folder: String,
    /// The variables of its `.env`.
    variables: Vec<(String, String)>,
    data: Data,
}

/// Puts files of one folder together: `compose.override.yaml` is laid over `compose.yaml`.
pub(super) fn projects(
    mut files: Vec<Compose>,
    variables: &BTreeMap<String, Vec<(String, String)>>,
    world: &dyn World,
) -> Vec<Project> {
    let mut projects: Vec<Project> = Vec::new();
    others::include(&mut files, world);
    // By name an override may stand before what it is laid over.
    files.sort_by_key(|file| is_override(&file.path));
    for file in files {
        let folder = folder(&file.path);
        let mut data = file.data;
        let variables = variables.get(&folder).cloned().unwrap_or_default();
        variables::put_in(&mut data, &variables);
        let is_override = is_override(&file.path);
        let before = projects
            .iter_mut()
            .rfind(|project| is_override && project.folder == folder);
        match before {
            Some(before) => {
                before.names = format!("{}, {}", before.names, file.name);
                lay_over(&mut before.data, data);
            }
            None => projects.push(Project {
                names: file.name,
                folder,
                variables,
                data,
            }),
        }
    }
    projects
}

fn is_override(path: &str) -> bool {
    path.contains(".override.")
}

/// Mappings are laid over entry by entry, lists are added, anything else is replaced (compose-spec, `13-merge.md`).
fn lay_over(below: &mut Data, above: Data) {
    match (below, above) {
        (Data::Map(below), Data::Map(above)) => {
            for (key, value) in above {
                match below.iter_mut().find(|(known, _)| *known == key) {
                    // These replace what is below as a whole.
                    Some((_, before)) if ["command", "entrypoint"].contains(&key.as_str()) => {
                        *before = value;
                    }
                    Some((_, before)) => lay_over(before, value),
                    None => below.push((key, value)),
                }
            }
        }
        (Data::List(below), Data::List(above)) => {
            for item in above {
                if !below.contains(&item) {
                    below.push(item);
                }
            }
        }
        (_, Data::Null) => {}
        (below, above) => *below = above,
    }
}

/// The services of all projects, and what is left out of each.
pub(super) fn services(projects: Vec<Project>, world: &dyn World) -> Vec<Item> {
    let mut items = Vec::new();
    let files = others::Files { world };
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    for mut project in projects {
        let of = said(&project.names);
        let Some(Data::Map(services)) = project.data.take("services") else {
            continue;
        };
        let near = project
            .data
            .text_at(&["name"])
            .and_then(|name| Name::near(name, 40));
        let in_folder = project.folder.rsplit('/').next().unwrap_or_default();
        let near = near.or_else(|| Name::near(in_folder, 40));
        let fallback = Name::of("app").into_iter();
        let Some(name) = near.into_iter().chain(fallback).next() else {
            continue;
        };
        let services: Vec<(String, Data)> = services
            .iter()
            .map(|(name, _)| {
                let home = (project.folder.as_str(), &project.variables[..]);
                (
                    name.clone(),
                    extended(name, &services, home, &files, DEEPEST),
                )
            })
            .collect();
        let mut shared = Shared {
            world,
            names: &project.names,
            folder: &project.folder,
            project: name,
            mounts: BTreeMap::new(),
            passwords: environment::passwords(&services, &project.variables),
            called: BTreeSet::new(),
        };
        for (_, body) in &services {
            mounts::count(body, &mut shared.mounts);
        }
        let names: Vec<&str> = services.iter().map(|(name, _)| name.as_str()).collect();
        shared.called = called(&services, &names);
        for (written, body) in &services {
            match name_of(written, &shared, &mut taken) {
                Some(name) => items.push(service::read(written, name, body.clone(), &shared)),
                None => items.push(Item::Left(format!(
                    "service {} of {of}: its name is none that Kubernetes takes",
                    said(written)
                ))),
            }
        }
        for what in top_left(&mut project.data) {
            items.push(Item::Left(format!("{what} of {of}")));
        }
    }
    items
}

/// The name of a service: its own, or one with that of the project before it where another has it.
fn name_of(written: &str, shared: &Shared<'_>, taken: &mut BTreeSet<Name>) -> Option<Name> {
    // The name of a `stateful` has at most 52 characters, and it may become one.
    let name = Name::near(written, 52)?;
    let longer = format!("{}-{}", shared.project.as_str(), name.as_str());
    let numbered = (2..1000).map(|n| format!("{}-{n}", name.as_str()));
    let mut others = std::iter::once(longer).chain(numbered);
    let free = match taken.contains(&name) {
        false => name,
        true => {
            others.find_map(|text| Name::near(&text, 52).filter(|name| !taken.contains(name)))?
        }
    };
    taken.insert(free.clone());
    Some(free)
}

/// A service with what it extends. `home` is the folder of its file, and the variables that are set there.
fn extended(
    name: &str,
    services: &[(String, Data)],
    home: (&str, &[(String, String)]),
    files: &others::Files<'_>,
    deepest: usize,
) -> Data {
    let found = services.iter().find(|(known, _)| known == name);
    let mut body = found.map_or(Data::Null, |(_, body)| body.clone());
    let Some(extends) = body.at(&["extends"]).cloned().filter(|_| deepest > 0) else {
        return body;
    };
    let of = extends.as_text().or(extends.text_at(&["service"]));
    let Some(of) = of else { return body };
    let mut below = match extends.text_at(&["file"]) {
        Some(file) => {
            let Some((folder, others)) = files.services(home, file) else {
                return body;
            };
            if !others.iter().any(|(known, _)| known == of) {
                return body;
            }
            let mut below = extended(of, &others, (&folder, home.1), files, deepest - 1);
            others::moved(&mut below, home.0, &folder);
            below
        }
        None if of == name => return body,
        None => extended(of, services, home, files, deepest - 1),
    };
    body.take("extends");
    // Of what a service extends its dependencies are not taken (compose-spec, `05-services.md`).
    below.take("depends_on");
    lay_over(&mut below, body);
    below
}

/// The services that another one names: it depends on them, or has their name in a variable.
fn called(services: &[(String, Data)], names: &[&str]) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    for (name, body) in services {
        let mut texts = Vec::new();
        for key in [
            "depends_on",
            "links",
            "environment",
            "command",
            "entrypoint",
        ] {
            body.at(&[key])
                .into_iter()
                .for_each(|data| all_texts(data, &mut texts));
        }
        let words = texts
            .iter()
            .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)));
        let words: BTreeSet<&str> = words.collect();
        let others = names
            .iter()
            .filter(|other| **other != name && words.contains(**other));
        called.extend(others.map(|other| (*other).to_owned()));
    }
    called
}

fn all_texts(data: &Data, out: &mut Vec<String>) {
    match data {
        Data::Null => {}
        Data::Text(text, _) => out.push(text.clone()),
        Data::List(items) => items.iter().for_each(|item| all_texts(item, out)),
        Data::Map(entries) => {
            for (key, value) in entries {
                out.push(key.clone());
                all_texts(value, out);
            }
        }
    }
}

/// What of a file is in no service.
fn top_left(data: &mut Data) -> Vec<String> {
    for taken in ["version", "name", "networks", "secrets", "configs"] {
        data.take(taken);
    }
    let Data::Map(entries) = data else {
        return Vec::new();
    };
    // Fields that begin so are for whoever wrote the file, and are merged into services where they are meant.
    entries.retain(|(key, _)| !key.starts_with("x-"));
    let mut left = Vec::new();
    for (key, value) in &*entries {
        match key.as_str() {
            "volumes" => {
                for (volume, body) in value.entries() {
                    let plain = ["name", "external", "labels"];
                    let rest = body.entries().iter();
                    let rest = rest.filter(|(key, value)| {
                        let is_default = key == "driver" && value.as_text() == Some("local");
                        !plain.contains(&key.as_str()) && !is_default
                    });
                    left.extend(rest.map(|(key, _)| said(&format!("volumes.{volume}.{key}"))));
                }
            }
            "include" => {
                for (path, _) in value.entries() {
                    left.push(format!(
                        "`include`: {} is not there, or is no YAML: import it as well;",
                        said(path)
                    ));
                }
            }
            _ => left.push(said(key)),
        }
    }
    left
}
