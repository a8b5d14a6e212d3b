//! Which adopted manifests one kustomization can take together with what bzc writes: what kustomize would refuse is left
//! out of it, with what applies it instead.

use std::collections::BTreeSet;

use super::manifests::Patched;
use crate::manifest::Manifest;
use crate::manifest::tree::Yaml;
use crate::plan::model::Plan;
use crate::program::Form;

/// What is applied.
#[derive(Debug, Default)]
pub(crate) struct Together {
    /// What the kustomization takes beside `manifests`, by path in the output.
    pub resources: Vec<String>,
    /// What it cannot take.
    pub apart: Vec<Apart>,
    /// Whether an adopted manifest has the namespace of the program.
    pub has_namespace: bool,
}

/// What is applied by itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Apart {
    /// A file of the output, into this namespace where its objects name none.
    File(String, Option<String>),
    /// A file of the output with objects that get their names when they are made.
    Create(String),
    /// A manifest of the project that is changed where it is.
    Source(String),
    /// The folder of a kustomization of the project.
    Kustomization(String),
    /// Patches over what Helm installs.
    PostRenderer,
}

/// What an object is known by. No two of a kustomization are the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    group: String,
    kind: String,
    namespace: String,
    name: String,
}

/// Sorts what is applied.
pub(crate) fn together(plan: &Plan<'_, '_>, patched: &[Patched]) -> Together {
    let program = plan.program;
    let mut all = Together::default();
    let mut seen = BTreeSet::new();
    let (mut laid_over, mut by_helm) = (false, false);
    for one in patched {
        let manifest = &program.manifests[one.manifest];
        let text = &program.sources.file(manifest.file).text;
        let ids = ids(manifest, text);
        let named: Vec<&Id> = ids.iter().flatten().collect();
        all.has_namespace |= named
            .iter()
            .any(|id| id.kind == "Namespace" && id.name == program.namespace.value);
        if manifest.is_built {
            match manifest.path.rsplit_once('/') {
                Some(_) => laid_over = true,
                None => all.apart.push(Apart::Kustomization(".".to_owned())),
            }
            seen.extend(named.into_iter().cloned());
            continue;
        }
        if manifest.objects.count == 0 {
            continue;
        }
        let release = manifest.objects.release.clone();
        match one.form {
            Form::InPlace => all.apart.push(Apart::Source(manifest.path.clone())),
            Form::Kustomize => {
                laid_over = true;
                by_helm |= release.is_some();
                seen.extend(named.into_iter().cloned());
            }
            Form::Copy => {
                let path = format!("adopted/{}", manifest.path);
                let distinct: BTreeSet<&Id> = named.iter().copied().collect();
                let twice =
                    distinct.len() < named.len() || named.iter().any(|id| seen.contains(*id));
                if named.len() < ids.len() {
                    all.apart.push(Apart::Create(path));
                } else if release.is_some() || twice {
                    all.apart.push(Apart::File(path, release));
                } else {
                    seen.extend(named.into_iter().cloned());
                    all.resources.push(path);
                }
            }
        }
    }
    match (laid_over, by_helm) {
        (true, true) => all.apart.push(Apart::PostRenderer),
        (true, false) => all.resources.push("patches".to_owned()),
        (false, _) => {}
    }
    all
}

/// What the objects of a manifest are known by, those in lists too; none for an object without a name.
fn ids(manifest: &Manifest, text: &str) -> Vec<Option<Id>> {
    let mut all = Vec::new();
    for document in &manifest.tree.documents {
        of(document, text, &mut all);
    }
    all
}

fn of(object: &Yaml, text: &str, all: &mut Vec<Option<Id>>) {
    let word = |node: &Yaml, key: &str| {
        let (_, value) = node.entry(key, text)?;
        value.text(text).map(str::to_owned)
    };
    let Some(kind) = word(object, "kind") else {
        return;
    };
    if let (true, Some((_, items))) = (kind.ends_with("List"), object.entry("items", text)) {
        items.items().iter().for_each(|item| of(item, text, all));
        return;
    }
    let version = word(object, "apiVersion").unwrap_or_default();
    let metadata = object.entry("metadata", text).map(|(_, value)| value);
    let name = metadata.and_then(|metadata| word(metadata, "name"));
    let namespace = metadata.and_then(|metadata| word(metadata, "namespace"));
    all.push(name.map(|name| {
        Id {
            group: version
                .rsplit_once('/')
                .map_or("", |(group, _)| group)
                .to_owned(),
            kind,
            // Kustomize takes the two for one.
            namespace: namespace
                .filter(|name| name != "default")
                .unwrap_or_default(),
            name,
        }
    }));
}
