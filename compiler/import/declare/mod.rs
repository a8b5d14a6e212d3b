//! From Kubernetes objects to declarations: a workload becomes a service of its kind, with the Services and autoscalers
//! that are about it, a ConfigMap becomes a `config`. What is read is taken out, and what remains is left out by name.

mod around;
mod container;
mod pod;
mod ports;
mod probe;
mod security;
mod volume;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use self::around::Around;
use crate::import::data::Data;
use crate::import::tree::{Block, Item, Name, Value, said};

/// Workloads, and the word of bz for each.
const KINDS: [(&str, &str); 5] = [
    ("Deployment", "service"),
    ("StatefulSet", "stateful"),
    ("DaemonSet", "daemon"),
    ("Job", "job"),
    ("CronJob", "cron"),
];

/// Objects that bzc makes itself, or that a dump has because Kubernetes made them of others.
const MADE: [&str; 6] = [
    "ControllerRevision",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "Namespace",
    "Node",
];

/// What becomes of objects.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// `namespace`, where all have one.
    pub(super) namespace: Option<Name>,
    pub(super) items: Vec<Item>,
    pub(super) left: Vec<String>,
}

/// Declares the workloads among objects, each given with the file that it stands in.
pub(super) fn declare(objects: Vec<(String, Data)>) -> Declared {
    let mut declared = Declared::default();
    let (mut around, mut workloads) = (Around::default(), Vec::new());
    let mut namespaces: BTreeMap<String, usize> = BTreeMap::new();
    for (file, mut object) in objects {
        let text = |path: &[&str]| object.text_at(path).unwrap_or_default().to_owned();
        let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
        let namespace = text(&["metadata", "namespace"]);
        let what = format!("{kind} {} of {}", said(&name), said(&file));
        if is_made(&object, &kind) {
            continue;
        }
        object.take("status");
        match kind.as_str() {
            "ConfigMap" => match config(&mut object, &name, &what, &mut around) {
                Ok(item) => declared.items.push(item),
                Err(why) => declared.left.push(format!("{what}: {why}")),
            },
            "Service" => around.services.push((name, object)),
            "PodDisruptionBudget" => around.disruptions.push(object),
            "HorizontalPodAutoscaler" => around.scalers.push(object),
            _ => match KINDS.iter().find(|(known, _)| *known == kind) {
                Some((_, word)) => {
                    *namespaces.entry(namespace).or_default() += 1;
                    workloads.push((*word, name, what, object));
                }
                None => declared
                    .left
                    .push(format!("{what}: apply it beside what bzc writes")),
            },
        }
    }
    let most = namespaces.iter().max_by_key(|(_, n)| **n);
    let main = most.map(|(name, _)| name.clone()).unwrap_or_default();
    declared.namespace = Name::of(&main).filter(|_| main != "default");
    let mut taken = BTreeSet::new();
    for (word, name, what, object) in workloads {
        let wanted = Name::near(&name, 52);
        let free = wanted.filter(|name| taken.insert(name.clone()));
        match free {
            Some(free) => {
                let item = workload::read(word, &free, &name, &what, object, &main, &mut around);
                declared.items.push(item);
            }
            None => declared.left.push(format!(
                "{what}: another has its name, or Kubernetes takes none like it"
            )),
        }
    }
    for (name, _) in around.services {
        declared.left.push(format!(
            "Service {}: it is about no workload that is declared, or has another name or other ports than bz gives it",
            said(&name)
        ));
    }
    for scaler in around.scalers {
        let name = scaler.text_at(&["metadata", "name"]).unwrap_or_default();
        declared.left.push(format!(
            "HorizontalPodAutoscaler {}: it scales nothing that is declared, or not by CPU alone",
            said(name)
        ));
    }
    for disruption in around.disruptions {
        let name = disruption
            .text_at(&["metadata", "name"])
            .unwrap_or_default();
        declared.left.push(format!(
            "PodDisruptionBudget {}: it is about no service that is declared alone",
            said(name)
        ));
    }
    declared
}

/// Whether Kubernetes made an object of another one, or it has ended.
fn is_made(object: &Data, kind: &str) -> bool {
    let owners = object.at(&["metadata", "ownerReferences"]);
    let owners = owners.map_or(&[][..], Data::items);
    let is_owned = owners
        .iter()
        .any(|owner| owner.text_at(&["controller"]) == Some("true"));
    let phase = object.text_at(&["status", "phase"]);
    is_owned
        || MADE.contains(&kind)
        || (kind == "Pod" && matches!(phase, Some("Succeeded" | "Failed")))
}

/// A ConfigMap whose keys and texts a program can have.
fn config(object: &mut Data, name: &str, what: &str, around: &mut Around) -> Result<Item, String> {
    let known = Name::of(name).ok_or("bz has no such name")?;
    if object.at(&["binaryData"]).is_some() {
        return Err("it holds bytes, and a `config` texts".to_owned());
    }
    let data = object.take("data").unwrap_or(Data::Map(Vec::new()));
    let mut block = Block::named("config", &known, what);
    let mut keys = BTreeSet::new();
    for (key, value) in data.entries() {
        block.put_key(key, Value::text(value.as_text().unwrap_or_default()));
        keys.insert(key.clone());
    }
    around.configs.insert(name.to_owned(), keys);
    Ok(Item::Block(block))
}
