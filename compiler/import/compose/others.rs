//! Files that a compose file names: those it includes, and those that its services extend.

use crate::base::encoding::text_of_bytes;
use crate::import::data::Data;
use crate::import::sort::{Compose, folder};
use crate::import::variables::{closed, put_in};
use crate::manifest::tree::{MOST_NODES, parse};
use crate::world::{World, resolve};

/// How many files may be included.
const MOST_INCLUDED: usize = 256;

/// Where files are looked for.
pub(super) struct Files<'w> {
    pub(super) world: &'w dyn World,
}

impl Files<'_> {
    /// The folder of another file, as a file in a folder names it, and its services.
    pub(super) fn services(
        &self,
        (home, variables): (&str, &[(String, String)]),
        file: &str,
    ) -> Option<(String, Vec<(String, Data)>)> {
        let path = resolve(&format!("{home}/x"), &closed(file))?;
        let path = path.trim_matches('/').to_owned();
        let mut data = read(self.world, &path)?;
        put_in(&mut data, variables);
        match data.take("services") {
            Some(Data::Map(services)) => Some((folder(&path), services)),
            _ => None,
        }
    }
}

/// Adds the files that are included and were not imported. What is not there stays in `include`, and is left out by name.
pub(super) fn include(files: &mut Vec<Compose>, world: &dyn World) {
    let mut next = 0;
    while next < files.len() && files.len() < MOST_INCLUDED {
        let home = folder(&files[next].path);
        let Some(included) = files[next].data.take("include") else {
            next += 1;
            continue;
        };
        let mut missing = Vec::new();
        for path in paths(&included) {
            let full = resolve(&format!("{home}/x"), &path);
            let full = full.map(|full| full.trim_matches('/').to_owned());
            let is_there = |full: &String| files.iter().any(|file| file.path == *full);
            match full {
                Some(full) if is_there(&full) => {}
                Some(full) => match read(world, &full) {
                    Some(data) => files.push(Compose {
                        name: full.clone(),
                        path: full,
                        data,
                    }),
                    None => missing.push((path, Data::Text(String::new(), false))),
                },
                None => missing.push((path, Data::Text(String::new(), false))),
            }
        }
        if let (false, Data::Map(entries)) = (missing.is_empty(), &mut files[next].data) {
            entries.push(("include".to_owned(), Data::Map(missing)));
        }
        next += 1;
    }
}

/// The paths of `include`: texts, or mappings with `path`, which is one or several.
fn paths(included: &Data) -> Vec<String> {
    let mut all = Vec::new();
    for item in included.items() {
        let path = item.at(&["path"]).unwrap_or(item);
        let texts = path.texts().unwrap_or_default();
        all.extend(texts.into_iter().map(str::to_owned));
    }
    all
}

fn read(world: &dyn World, path: &str) -> Option<Data> {
    let text = text_of_bytes(world.read(path).ok()?).ok()?;
    let tree = parse(&text, MOST_NODES).ok()?;
    let documents = Data::documents(&tree, &text)?;
    documents.into_iter().next()
}

/// A service that was read from a file in another folder: its source counts from there.
pub(super) fn moved(service: &mut Data, home: &str, folder: &str) {
    if home == folder {
        return;
    }
    let below = folder
        .strip_prefix(home)
        .unwrap_or(folder)
        .trim_matches('/');
    let context = |context: &str| format!("{below}/{}", context.trim_start_matches("./"));
    let Data::Map(entries) = service else { return };
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("build", Data::Text(text, _)) => *text = context(text),
            ("build", Data::Map(build)) => {
                for (key, value) in build {
                    if let ("context", Data::Text(text, _)) = (key.as_str(), value) {
                        *text = context(text);
                    }
                }
            }
            _ => {}
        }
    }
}
