//! Folders that an object has applied, such as a Kustomization of Flux: what is in them counts where it is adopted.

use std::collections::BTreeMap;

use super::files::{By, kustomization_in};
use crate::manifest::node::Node;
use crate::world::World;

/// Folders below folders.
const DEEPEST: usize = 32;

/// The files that a program adopts, and those that there are.
pub(super) struct Folders<'w> {
    pub(super) world: &'w dyn World,
    pub(super) taken: &'w BTreeMap<String, By>,
}

impl Folders<'_> {
    /// Whether all that an object applies from a folder is adopted.
    ///
    /// # Errors
    ///
    /// What is to be adopted, or what the object changes of it.
    pub(super) fn check(&self, path: &str, node: &Node) -> Result<(), String> {
        for key in [
            "patches",
            "patchesStrategicMerge",
            "patchesJson6902",
            "components",
        ] {
            if node.down(&["spec", key]).is_some() {
                return Err(format!("its `{key}` change what it applies"));
            }
        }
        let adopt = match path {
            "" => "adopt \"**/*.yaml\"".to_owned(),
            path => format!("adopt \"{path}/**/*.yaml\""),
        };
        let Ok(entries) = self.world.list(path) else {
            return Err(format!("it applies the folder `{path}`, which is not here"));
        };
        let kustomization = kustomization_in(self.world, path);
        let missing = match kustomization {
            Some(file) => Some(file).filter(|file| !self.taken.contains_key(file)),
            None if entries.is_empty() => None,
            None => self.missing(path, 0),
        };
        match missing {
            None => Ok(()),
            Some(_) => Err(format!(
                "it applies the folder `{path}`, which is not adopted: `{adopt}` counts it"
            )),
        }
    }

    /// The first manifest in a folder that is not adopted.
    fn missing(&self, folder: &str, depth: usize) -> Option<String> {
        let entries = self.world.list(folder).ok()?;
        entries.into_iter().find_map(|entry| {
            let path = match folder {
                "" => entry.name.clone(),
                folder => format!("{folder}/{}", entry.name),
            };
            let is_manifest = [".yaml", ".yml", ".json"]
                .iter()
                .any(|end| path.ends_with(end));
            match entry.is_folder {
                true if depth < DEEPEST && !entry.name.starts_with('.') => {
                    self.missing(&path, depth + 1)
                }
                true => None,
                false => Some(path).filter(|path| is_manifest && !self.taken.contains_key(path)),
            }
        })
    }
}
