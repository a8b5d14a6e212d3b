//! From files of other tools to a first program: manifests and dumps of a cluster, a configuration of K3s, compose files.
//!
//! | from | to | where |
//! | --- | --- | --- |
//! | bytes | what each file is, as plain data | `import/sort.rs`, `import/data.rs` |
//! | data | parts of a program, and what is left out at its place | `import/{adopt,declare,nodes,k3s,compose}` |
//! | parts | text, by one printer that escapes whatever an input says | `import/tree.rs` |
//! | text | a program that compiles, or does not fit and says by how much | `import/settle.rs` |
//!
//! Manifests are adopted, for what somebody wrote stays where it is, unless they ask for declarations.

mod adopt;
mod compose;
mod data;
mod declare;
mod figures;
mod k3s;
mod nodes;
mod patch;
mod pods;
mod settle;
mod sort;
mod tree;
mod variables;

use self::adopt::Adopted;
use self::data::Data;
use self::settle::{Program, settle};
pub use self::sort::Source;
use self::sort::{reasons, sort};
use self::tree::{Item, Value};
use crate::world::World;

/// A program, and what it leaves out.
#[derive(Debug)]
pub struct Imported {
    /// The program, in canonical form.
    pub program: String,
    /// What the files have and the program does not, with the reason, one sentence each.
    pub left_out: Vec<String>,
    /// How many services it declares.
    pub services: usize,
    /// The paths of the manifests that it adopts, as seen from the folder of the program.
    pub adopted: Vec<String>,
}

/// What becomes of manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manifests {
    /// They stay where they are, and the program adopts them.
    Adopt,
    /// Their workloads are declared.
    Declare,
}

/// Reads files and writes a program for them. `world` is the folder of the program: manifests are adopted from there.
///
/// # Errors
///
/// Why there is nothing to import in any of the files.
pub fn import(
    world: &dyn World,
    sources: Vec<Source>,
    manifests: Manifests,
) -> Result<Imported, String> {
    let sorted = sort(sources);
    let left = reasons(&sorted.nothing);
    if sorted.manifests.is_empty() && sorted.compose.is_empty() && sorted.k3s.is_empty() {
        return Err(match left.is_empty() {
            true => "there is nothing to import".to_owned(),
            false => left.join("\n"),
        });
    }
    let mut configuration = sorted.k3s;
    order(&mut configuration);
    let found = match configuration.is_empty() {
        true => k3s::Said::default(),
        false => k3s::read(&configuration, &sorted.kubelet),
    };
    let is_configured = found.is_server;
    let objects = sorted
        .manifests
        .iter()
        .flat_map(|manifest| &manifest.objects);
    let (nodes, not_nodes) = nodes::of_objects(objects);
    let mut head = nodes::items(&nodes, &found);
    head.extend(k3s_block(found, &nodes));
    let mut adopted = Adopted::default();
    let mut declared = declare::Declared::default();
    match manifests {
        Manifests::Adopt => adopted = Adopted::of(&sorted.manifests),
        Manifests::Declare => declared = declare::declare(with_files(sorted.manifests)),
    }
    if let Some(namespace) = &declared.namespace {
        head.insert(0, tree::field("namespace", Value::name(namespace)));
    }
    let mut services = declared.items;
    let projects = compose::projects(sorted.compose, &sorted.variables, world);
    services.extend(compose::services(projects, world));
    if uses_tiers(&services) {
        head.insert(0, Item::Line("use std.tiers"));
    }
    let mut program = Program {
        head,
        adopted,
        services,
        left,
        is_configured,
        ..Program::default()
    };
    program.left.extend(not_nodes);
    program.left.extend(declared.left);
    let settled = settle(program, world);
    Ok(Imported {
        program: settled.text,
        left_out: settled.left_out,
        services: settled.services,
        adopted: settled.adopted,
    })
}

/// The objects of manifests, each with the name of its file.
fn with_files(manifests: Vec<sort::Manifest>) -> Vec<(String, Data)> {
    let objects = manifests.into_iter().flat_map(|manifest| {
        let name = manifest.name;
        let objects = manifest.objects.into_iter();
        objects.map(move |object| (name.clone(), object))
    });
    objects.collect()
}

/// K3s reads `config.yaml` first, then the files of `config.yaml.d` by name.
fn order(files: &mut [(String, Data)]) {
    let drop_in = |name: &str| {
        let (folder, file) = name.rsplit_once('/')?;
        let of = folder.strip_suffix(".d")?;
        Some((of.to_owned(), file.to_owned()))
    };
    let first = |name: &str| match drop_in(name) {
        Some((of, file)) => (of, 1, file),
        None => (name.to_owned(), 0, String::new()),
    };
    if files.iter().any(|(name, _)| drop_in(name).is_some()) {
        files.sort_by_key(|(name, _)| first(name));
    }
}

/// `k3s`, with the version that the nodes of a dump run.
fn k3s_block(found: k3s::Said, nodes: &[nodes::Node]) -> Option<Item> {
    let version = nodes.iter().find_map(|node| node.version.as_deref());
    let mut block = match (found.block, version) {
        (Some(block), _) => block,
        (None, Some(_)) => tree::Block::plain("k3s"),
        (None, None) => return None,
    };
    if let Some(version) = version {
        let version = Value::text(version);
        block.items.insert(0, tree::field("version", version));
    }
    Some(Item::Block(block))
}

fn uses_tiers(services: &[Item]) -> bool {
    services.iter().any(|item| match item {
        Item::Block(block) => block
            .items
            .iter()
            .any(|item| matches!(item, Item::Field { key, .. } if key == "tier")),
        _ => false,
    })
}
