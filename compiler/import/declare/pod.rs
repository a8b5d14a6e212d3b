//! What a pod template says: where pods run, who they are, and their containers.

use super::around::Around;
use super::container;
use super::ports::Ports;
use super::security;
use super::volume;
use crate::import::data::Data;
use crate::import::patch::{Fields, OF_CONTAINER, OF_POD};
use crate::import::tree::{Block, Name, Value};
use crate::manifest::workload::place::HOSTNAME;

/// What the API server puts in where nothing is written.
const DEFAULTS: [(&str, &str); 4] = [
    ("dnsPolicy", "ClusterFirst"),
    ("schedulerName", "default-scheduler"),
    ("terminationGracePeriodSeconds", "30"),
    ("serviceAccountName", "default"),
];
/// Labels that bzc sets.
pub(super) const OWN_LABELS: [&str; 3] = [
    "app.kubernetes.io/name",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
];

/// Reads a pod template, and gives the ports of its main container.
pub(super) fn read(
    word: &str,
    name: &Name,
    template: &mut Data,
    claims: Option<Data>,
    block: &mut Block,
    around: &Around,
    patch: &mut Fields,
) -> Ports {
    template.take_at(&["metadata", "creationTimestamp"]);
    let mut spec = template.take("spec").unwrap_or(Data::Map(Vec::new()));
    for (key, default) in DEFAULTS {
        if spec.text_at(&[key]) == Some(default) {
            spec.take(key);
        }
    }
    let usual = if matches!(word, "job" | "cron") {
        "OnFailure"
    } else {
        "Always"
    };
    if spec.text_at(&["restartPolicy"]) == Some(usual) {
        spec.take("restartPolicy");
    }
    // The same under its old name.
    spec.take("serviceAccount");
    // Bz turns it off: no program of today reads these variables.
    spec.take("enableServiceLinks");
    let volumes = volume::sources(spec.take("volumes"), claims);
    let ports = containers(word, name, &mut spec, &volumes, block, around, patch);
    texts(
        "labels",
        template.take_at(&["metadata", "labels"]),
        &OWN_LABELS,
        block,
    );
    texts(
        "annotations",
        template.take_at(&["metadata", "annotations"]),
        &[],
        block,
    );
    if let Some(n) = spec.take_count(&["terminationGracePeriodSeconds"]) {
        block.put("grace", Value::unit(n, "s"));
    }
    if let Some(account) = spec.take_text(&["serviceAccountName"]) {
        block.put("service-account", Value::word(&account));
    }
    if let Some(secrets) = spec.take("imagePullSecrets") {
        let names = secrets
            .items()
            .iter()
            .filter_map(|one| one.text_at(&["name"]));
        block.put("pull-secrets", Value::list(names.map(Value::word)));
    }
    network(&mut spec, block);
    spread(&mut spec, block);
    place(&mut spec, block);
    patch.take(&mut spec, &OF_POD);
    for what in spec.fields("spec") {
        block.leave(what);
    }
    ports
}

/// All containers: the main one into the block of the workload, the others into blocks of their own.
fn containers(
    word: &str,
    name: &Name,
    spec: &mut Data,
    volumes: &[volume::Source],
    block: &mut Block,
    around: &Around,
    patch: &mut Fields,
) -> Ports {
    let list = |data: Option<Data>| match data {
        Some(Data::List(items)) => items,
        _ => Vec::new(),
    };
    let first = list(spec.take("initContainers"));
    let mut others = list(spec.take("containers"));
    let called = |one: &Data| one.text_at(&["name"]) == Some(name.as_str());
    let main = others.iter().position(called).unwrap_or(0);
    let mut ports = Ports::default();
    let mut mounted = Vec::new();
    // The policy that `pull-policy` gives all containers.
    let mut policy = None;
    if main < others.len() {
        let mut main = others.remove(main);
        let mut fields = Fields::default();
        policy = container::odd_policy(&main);
        ports = container::main(word, name, &mut main, block, around, &mut fields);
        mounted = volume::mounts(&mut main);
        security::put(
            spec,
            &mut main,
            first.is_empty() && others.is_empty(),
            block,
        );
        fields.take(&mut main, &OF_CONTAINER);
        container::rest(&main, block);
        volume::put(&mounted, volumes, block, around, (&mut fields, patch));
        patch.add_named("containers", name.as_str(), fields);
    }
    for (mut one, is_first) in first
        .into_iter()
        .map(|one| (one, true))
        .chain(others.into_iter().map(|one| (one, false)))
    {
        let restarts = one.take_text(&["restartPolicy"]).as_deref() == Some("Always");
        let word = if is_first && !restarts {
            "init"
        } else {
            "sidecar"
        };
        let written = one.text_at(&["name"]).unwrap_or_default().to_owned();
        let Some(other) = Name::near(&written, 63) else {
            block.leave(format!(
                "a container without a name beside {}",
                name.as_str()
            ));
            continue;
        };
        let mut extra = Block::named(word, &other, "");
        if !is_first {
            extra.note("it was a container beside the main one: as a sidecar it starts before it");
        }
        let mut fields = Fields::default();
        if let Some(policy) = &policy {
            container::except_policy(&mut one, policy, &mut fields);
        }
        container::other(name, &mut one, &mut extra, around, &mut fields);
        let mounts = volume::mounts(&mut one);
        volume::put_others(&mounts, &mounted, volumes, &mut extra, block, around);
        fields.take(&mut one, &OF_CONTAINER);
        patch.add_named("initContainers", other.as_str(), fields);
        container::rest(&one, &mut extra);
        block.put_block(extra);
    }
    ports
}

fn texts(field: &'static str, data: Option<Data>, own: &[&str], block: &mut Block) {
    let mut inner = Block::plain(field);
    for (key, value) in data.unwrap_or(Data::Null).entries() {
        if !own.contains(&key.as_str()) {
            inner.put_key(key, Value::text(value.as_text().unwrap_or_default()));
        }
    }
    block.put_block(inner);
}

/// The network of the node. bz sets the policy by which names of the cluster resolve there.
fn network(spec: &mut Data, block: &mut Block) {
    if spec.take_text(&["hostNetwork"]).as_deref() != Some("true") {
        return;
    }
    block.put("host-network", Value::fixed("true"));
    if spec.text_at(&["dnsPolicy"]) == Some("ClusterFirstWithHostNet") {
        spec.take("dnsPolicy");
    }
}

/// Over which nodes pods are spread, where that keeps none waiting.
fn spread(spec: &mut Data, block: &mut Block) {
    let Some([one]) = spec.at(&["topologySpreadConstraints"]).map(Data::items) else {
        return;
    };
    let is_plain = one.text_at(&["maxSkew"]) == Some("1")
        && one.text_at(&["whenUnsatisfiable"]) == Some("ScheduleAnyway")
        && one.entries().iter().all(|(key, _)| {
            [
                "maxSkew",
                "whenUnsatisfiable",
                "topologyKey",
                "labelSelector",
            ]
            .contains(&key.as_str())
        });
    let Some(label) = one.text_at(&["topologyKey"]).filter(|_| is_plain) else {
        return;
    };
    let over = match label {
        HOSTNAME => Value::fixed("node"),
        _ => Value::text(label),
    };
    block.put("spread", over);
    spec.take("topologySpreadConstraints");
}

/// Where pods run.
fn place(spec: &mut Data, block: &mut Block) {
    texts("node-selector", spec.take("nodeSelector"), &[], block);
    let Some(Data::List(tolerations)) = spec.take("tolerations") else {
        return;
    };
    let mut keys: Vec<Value> = Vec::new();
    for toleration in tolerations {
        match toleration.text_at(&["key"]) {
            Some(key) => {
                let key = Value::word(key);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            None => block.leave("a toleration of every taint: bz names the key of each"),
        }
    }
    if !keys.is_empty() {
        block.put("tolerations", Value::list(keys));
    }
}
