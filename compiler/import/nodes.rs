//! The machines of a program: those that a dump of the cluster shows, else one to fill in.

use super::data::Data;
use super::k3s::{self, Said};
use super::tree::{Block, Item, Name, Value, said};
use crate::base::quantity::MIB;
use crate::manifest::workload::bytes;

/// What is put in for a machine of which nothing is known.
const MEMORY: u64 = 3800 * MIB;
/// What is put in for the OS.
const RESERVE: u64 = 400 * MIB;
/// The pods that the kubelet takes where nobody says more.
const PODS: u64 = 110;

/// Domains of labels that the kubelet and K3s set by themselves.
const OWN_LABELS: [&str; 4] = ["kubernetes.io", "k8s.io", "k3s.io", "cattle.io"];

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    name: Name,
    memory: u64,
    cpu: u64,
    pods: u64,
    arch: Option<String>,
    is_agent: bool,
    labels: Vec<(String, String)>,
    taints: Vec<String>,
    /// The version of K3s.
    pub(super) version: Option<String>,
}

/// The nodes among the objects of a dump, sorted by name, and what is no node of bz.
pub(super) fn of_objects<'d>(objects: impl Iterator<Item = &'d Data>) -> (Vec<Node>, Vec<String>) {
    let (mut nodes, mut left) = (Vec::new(), Vec::new());
    for object in objects {
        if object.text_at(&["kind"]) != Some("Node")
            || object.text_at(&["apiVersion"]) != Some("v1")
        {
            continue;
        }
        let name = object.text_at(&["metadata", "name"]).unwrap_or_default();
        match node(object, name) {
            Some(node) if nodes.iter().all(|known: &Node| known.name != node.name) => {
                nodes.push(node)
            }
            Some(_) => {}
            None => left.push(format!(
                "node {}: it says no memory, or bz has no such name",
                said(name)
            )),
        }
    }
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    (nodes, left)
}

fn node(object: &Data, name: &str) -> Option<Node> {
    let capacity = |resource: &str| object.text_at(&["status", "capacity", resource]);
    let info = |key: &str| object.text_at(&["status", "nodeInfo", key]);
    let labels = object
        .at(&["metadata", "labels"])
        .map_or(&[][..], Data::entries);
    let is_server = labels
        .iter()
        .any(|(key, _)| key == "node-role.kubernetes.io/control-plane");
    let own = labels.iter().filter(|(key, _)| {
        let domain = key.split_once('/').map_or("", |(domain, _)| domain);
        !OWN_LABELS
            .iter()
            .any(|own| domain == *own || domain.ends_with(&format!(".{own}")))
    });
    let text = |value: &Data| value.as_text().unwrap_or_default().to_owned();
    let taints = object.at(&["spec", "taints"]).map_or(&[][..], Data::items);
    let taints = taints.iter().filter_map(|taint| {
        let key = taint.text_at(&["key"])?;
        // Those come and go with the health of a node.
        let is_passing =
            key.starts_with("node.kubernetes.io/") || key.starts_with("node.cloudprovider");
        let value = taint.text_at(&["value"]).unwrap_or_default();
        let effect = taint.text_at(&["effect"])?;
        (!is_passing).then(|| format!("{key}={value}:{effect}"))
    });
    let cpu = capacity("cpu").and_then(|cpu| cpu.parse::<u64>().ok());
    Some(Node {
        name: Name::of(name)?,
        memory: bytes(capacity("memory")?)?,
        cpu: cpu.unwrap_or_default(),
        pods: capacity("pods")
            .and_then(|n| n.parse().ok())
            .unwrap_or(PODS),
        arch: info("architecture")
            .filter(|arch| ["amd64", "arm64"].contains(arch))
            .map(str::to_owned),
        is_agent: !is_server,
        labels: own.map(|(key, value)| (key.clone(), text(value))).collect(),
        taints: taints.collect(),
        version: info("kubeletVersion")
            .filter(|version| version.contains("+k3s"))
            .map(str::to_owned),
    })
}

/// The nodes of a program.
pub(super) fn items(nodes: &[Node], found: &Said) -> Vec<Item> {
    if nodes.is_empty() {
        return vec![
            Item::Note(
                "Nothing that was imported says what the machine has: put in its own numbers."
                    .to_owned(),
            ),
            unknown(found),
        ];
    }
    let servers = nodes.iter().filter(|node| !node.is_agent).count();
    let known = nodes.iter().map(|node| known(node, found, servers == 0));
    known.map(Item::Block).collect()
}

fn unknown(found: &Said) -> Item {
    let fallback = Name::of("box").expect("it is a label");
    let name = found.name.clone().unwrap_or(fallback);
    let mut node = Block::named("node", &name, "");
    node.put_noted("memory", Value::memory(MEMORY), "MemTotal of /proc/meminfo");
    reserve(&mut node, found);
    node.items.extend(k3s::of_node(found, MEMORY));
    Item::Block(node)
}

fn reserve(node: &mut Block, found: &Said) {
    let (memory, why) = match found.reserve {
        Some(n) => (n, "`system-reserved` of its kubelet"),
        None => (RESERVE, "the OS and whatever else lives beside K3s"),
    };
    let memory = Value::memory(memory);
    if found.reserve_cpu.is_none() && found.reserve_disk.is_none() {
        node.put_noted("reserve", memory, why);
        return;
    }
    let mut block = Block::plain("reserve");
    block.put_noted("memory", memory, why);
    if let Some(milli) = found.reserve_cpu {
        block.put("cpu", Value::cpu(milli));
    }
    if let Some(bytes) = found.reserve_disk {
        block.put("disk", Value::memory(bytes));
    }
    node.put_block(block);
}

fn known(node: &Node, found: &Said, is_only_server: bool) -> Block {
    let mut block = Block::named("node", &node.name, "");
    block.put("memory", Value::memory(node.memory));
    if node.cpu > 0 {
        block.put("cpu", Value::count(node.cpu));
    }
    reserve(&mut block, found);
    block.items.extend(k3s::of_node(found, node.memory));
    // Where no node says that it is a server, a program still has to have one.
    if node.is_agent && !is_only_server {
        block.put("role", Value::fixed("agent"));
    }
    if node.pods != PODS {
        block.put("max-pods", Value::count(node.pods));
    }
    if let Some(arch) = &node.arch {
        block.put("arch", Value::word(arch));
    }
    let mut labels = Block::plain("labels");
    for (key, value) in &node.labels {
        labels.put_key(key, Value::text(value));
    }
    block.put_block(labels);
    if !node.taints.is_empty() {
        let taints = node.taints.iter().map(|taint| Value::text(taint));
        block.put("taints", Value::list(taints));
    }
    block
}
