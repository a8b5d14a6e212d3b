//! What the files are that an import was given: manifests of Kubernetes, configurations of K3s, compose files, lists of
//! variables. What is none of them is left out with a reason.

use std::collections::BTreeMap;

use super::data::Data;
use super::k3s;
use super::pods::Pods;
use super::tree::said;
use crate::base::encoding::text_of_bytes;
use crate::manifest::tree::{MOST_NODES, parse};
use crate::manifest::workload::{objects, template};

/// A file that is to be imported.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in messages.
    pub name: String,
    /// Its path as seen from the folder of the program, with `/`. `None` where it does not lie there.
    pub path: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether the user named the file itself, and not a folder that it lies in.
    pub is_named: bool,
}

/// A file of Kubernetes objects.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) path: Option<String>,
    pub(super) is_named: bool,
    /// Its objects, those of lists among them; none of a template.
    pub(super) objects: Vec<Data>,
    /// Containers without a limit of memory.
    pub(super) unlimited: usize,
    /// The pods of its workloads.
    pub(super) pods: Vec<Pods>,
}

/// A compose file.
#[derive(Debug)]
pub(super) struct Compose {
    pub(super) name: String,
    /// Its path as seen from the folder of the program, or its name.
    pub(super) path: String,
    pub(super) data: Data,
}

/// All files, sorted by what they are.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    pub(super) manifests: Vec<Manifest>,
    pub(super) compose: Vec<Compose>,
    pub(super) k3s: Vec<(String, Data)>,
    /// KubeletConfigurations.
    pub(super) kubelet: Vec<(String, Data)>,
    /// The `.env` of a folder.
    pub(super) variables: BTreeMap<String, Vec<(String, String)>>,
    /// What is none of these: the name, why, and whether the user named it.
    pub(super) nothing: Vec<(String, String, bool)>,
}

const NOTHING: &str = "holds no Kubernetes object, no key of K3s and no service of docker-compose";

/// Sorts files.
pub(super) fn sort(sources: Vec<Source>) -> Sorted {
    let mut sorted = Sorted::default();
    for source in sources {
        let Source {
            name,
            path,
            bytes,
            is_named,
        } = source;
        let Ok(text) = text_of_bytes(bytes) else {
            sorted.leave(&name, "is not UTF-8", is_named);
            continue;
        };
        let place = path.clone().unwrap_or_else(|| name.clone());
        if place.rsplit('/').next() == Some(".env") {
            let variables = super::variables::variables(&text);
            sorted.variables.insert(folder(&place), variables);
            continue;
        }
        // Most JSON of a repository is the configuration of a tool.
        let is_json = place.ends_with(".json");
        if is_json && !is_named && !(text.contains("\"apiVersion\"") && text.contains("\"kind\"")) {
            continue;
        }
        sorted.file(name, path, is_named, text.trim_start_matches('\u{feff}'));
    }
    sorted
}

/// The folder of a path.
pub(super) fn folder(path: &str) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap_or_default();
    folder.to_owned()
}

impl Sorted {
    fn leave(&mut self, name: &str, why: impl Into<String>, is_named: bool) {
        self.nothing.push((name.to_owned(), why.into(), is_named));
    }

    fn file(&mut self, name: String, path: Option<String>, is_named: bool, text: &str) {
        let tree = match parse(text, MOST_NODES) {
            Ok(tree) => tree,
            // A pattern of `adopt` that meets a template counts it as something unknown.
            Err(_) if template(text).is_some() && looks_like_object(text) && !is_named => {
                self.template(name, path, is_named);
                return;
            }
            Err(fault) => {
                let template =
                    template(text).map_or("", |_| "; it looks like a template: render it first");
                let line = line_of(text, fault.at.start);
                self.leave(
                    &name,
                    format!("line {line}: {}{template}", fault.what),
                    is_named,
                );
                return;
            }
        };
        let Some(documents) = Data::documents(&tree, text) else {
            self.leave(
                &name,
                "has more values than bzc reads, by its aliases",
                is_named,
            );
            return;
        };
        let found: Vec<Data> = documents.iter().flat_map(parts).collect();
        if found.iter().any(is_kubelet) {
            let kubelet = found.into_iter().filter(is_kubelet);
            self.kubelet.extend(kubelet.map(|one| (name.clone(), one)));
            return;
        }
        if is_kustomization(&name) && !found.iter().any(is_object) {
            // Kustomize needs no kind in it. What it makes of other files is read when it is adopted.
            self.manifests.push(Manifest {
                name,
                path,
                is_named,
                objects: found,
                unlimited: 0,
                pods: Vec::new(),
            });
            return;
        }
        if found.iter().any(is_object) {
            match objects(text, &tree, &()) {
                Ok(known) => {
                    let containers = known.workloads.iter().flat_map(|one| &one.containers);
                    let unlimited = containers.filter(|one| one.memory.limit.is_none());
                    let unlimited = unlimited.count();
                    let pods = known.workloads.iter().filter_map(Pods::of).collect();
                    self.manifests.push(Manifest {
                        name,
                        path,
                        is_named,
                        objects: found,
                        unlimited,
                        pods,
                    });
                }
                Err(_) if template(text).is_some() && !is_named => {
                    self.template(name, path, is_named);
                }
                Err(fault) => {
                    let line = line_of(text, fault.at.start);
                    self.leave(&name, format!("line {line}: {}", fault.what), is_named);
                }
            }
            return;
        }
        self.settings(&name, path.as_ref(), is_named, documents);
    }

    /// A file that is a manifest once it is rendered.
    fn template(&mut self, name: String, path: Option<String>, is_named: bool) {
        self.manifests.push(Manifest {
            name,
            path,
            is_named,
            objects: Vec::new(),
            unlimited: 0,
            pods: Vec::new(),
        });
    }

    /// A file that is no manifest.
    fn settings(
        &mut self,
        name: &str,
        path: Option<&String>,
        is_named: bool,
        documents: Vec<Data>,
    ) {
        let mut is_known = false;
        for data in documents {
            let keys = data.entries().len();
            let of_k3s = data.entries().iter().filter(|(key, _)| k3s::is_key(key));
            let of_k3s = of_k3s.count();
            // A file that the user named has to have one key of K3s; any other has to have little else, or the name.
            let is_called_so = name.contains("k3s") || name.ends_with("/config.yaml");
            let is_mostly = of_k3s > 1 && of_k3s * 4 >= keys * if is_called_so { 2 } else { 3 };
            let is_k3s = of_k3s > 0 && (is_named || is_mostly);
            if data.at(&["services"]).is_some_and(is_services) {
                let path = path.cloned().unwrap_or_else(|| name.to_owned());
                let name = name.to_owned();
                self.compose.push(Compose { name, path, data });
                is_known = true;
            } else if is_k3s {
                self.k3s.push((name.to_owned(), data));
                is_known = true;
            }
        }
        if !is_known {
            self.leave(name, NOTHING, is_named);
        }
    }
}

/// Whether a file is called as kustomize calls its own.
fn is_kustomization(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    ["kustomization.yaml", "kustomization.yml"].contains(&last)
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The objects of a document: itself, or those of a list.
fn parts(document: &Data) -> Vec<Data> {
    match document.at(&["items"]) {
        Some(Data::List(items)) if document.at(&["kind"]).is_some() => items.clone(),
        _ => vec![document.clone()],
    }
}

fn is_object(data: &Data) -> bool {
    data.text_at(&["kind"]).is_some() && data.text_at(&["apiVersion"]).is_some()
}

fn is_kubelet(data: &Data) -> bool {
    data.text_at(&["kind"]) == Some("KubeletConfiguration")
}

/// Services of compose are mappings, with an image or a way to one.
fn is_services(data: &Data) -> bool {
    let known = [
        "image",
        "build",
        "extends",
        "command",
        "ports",
        "volumes",
        "environment",
    ];
    let mut services = data.entries().iter();
    services.any(|(_, service)| known.iter().any(|key| service.at(&[key]).is_some()))
}

/// Whether a text that is no YAML would be a Kubernetes object once it is rendered.
fn looks_like_object(text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    has("apiVersion:") && has("kind:")
}

/// What is left out, with few lines: files of folders are named together.
pub(super) fn reasons(nothing: &[(String, String, bool)]) -> Vec<String> {
    let mut all = Vec::new();
    let mut together: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, why, is_named) in nothing {
        match *is_named || why.starts_with("line ") {
            true => all.push(format!("{} {why}", with_comma(name, why))),
            false => together.entry(why).or_default().push(name),
        }
    }
    for (why, names) in together {
        const SHOWN: usize = 4;
        let shown: Vec<String> = names.iter().take(SHOWN).map(|name| said(name)).collect();
        let more = match names.len().saturating_sub(SHOWN) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let why = match names.len() {
            1 => why.to_owned(),
            _ => why
                .replacen("holds", "hold", 1)
                .replacen("is not", "are not", 1),
        };
        all.push(format!("{}{more} {why}", shown.join(", ")));
    }
    all
}

fn with_comma(name: &str, why: &str) -> String {
    match why.starts_with("line ") {
        true => format!("{},", said(name)),
        false => said(name),
    }
}
