//! What goes to K3s itself: config.yaml with the reservation that makes the proof true, and manifests for its
//! own folder where a packaged component is kept changed.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::artifact::Artifact;
use super::kubernetes::coredns::{self, Coredns};
use super::kubernetes::{system_limits, traefik_config};
use super::yaml::{comment, quote_if_needed};
use crate::base::id::numbered;
use crate::base::quantity::Bytes;
use crate::base::text::wrapped;
use crate::plan::ledger::Addend;
use crate::plan::model::{EVICTION, OS, Plan, Workload};
use crate::plan::resources::Dimension;
use crate::program::{Node, NodeId, Role, Service, Setting, SettingValue, Taint};
use crate::render::header;
use crate::stdlib;

pub(super) fn emit(plan: &Plan<'_, '_>, files: &mut Vec<Artifact>) {
    for (at, node) in numbered(&plan.program.nodes) {
        let folder = format!("k3s/{}", node.name.value);
        files.push((
            format!("{folder}/config.yaml"),
            config(plan, at).into_bytes(),
        ));
        if !node.registries.is_empty() {
            let path = format!("{folder}/registries.yaml");
            files.push((path, registries(plan, node).into_bytes()));
        }
        if let Some(limit) = node.limit {
            let path = format!("{folder}/{}.service.d/bzc.conf", node.unit());
            files.push((path, drop_in(plan, at, limit.value).into_bytes()));
        }
        if node.role == Role::Agent {
            continue;
        }
        if let Some(manifest) = coredns_manifest(plan) {
            files.push((
                format!("{folder}/manifests/{}", coredns::FILE),
                manifest.into_bytes(),
            ));
            files.push((format!("{folder}/manifests/{}", coredns::SKIP), Vec::new()));
        }
        let traefik = plan
            .program
            .components
            .iter()
            .find(|component| component.name == "traefik" && component.owned);
        if let Some(traefik) = traefik {
            let config = traefik_config(plan, traefik);
            files.push((
                format!("{folder}/manifests/bzc-traefik.yaml"),
                config.into_bytes(),
            ));
        }
        if let Some(default) = plan.system_default() {
            let limits = system_limits(plan, default.value);
            files.push((
                format!("{folder}/manifests/bzc-limits.yaml"),
                limits.into_bytes(),
            ));
        }
    }
}

/// What containerd asks for images of registries.
fn registries(plan: &Plan<'_, '_>, node: &Node<'_>) -> String {
    let mut out = String::new();
    comment(&header(plan), &mut out);
    let text = format!(
        "Goes to /etc/rancher/k3s/registries.yaml on node {}. K3s reads it when it starts: systemctl restart {}.\n\
         The registry itself is asked last. A login is never in here: `configs` with it belongs into the file on the node.",
        node.name.value,
        node.unit()
    );
    comment(&text, &mut out);
    out.push_str("mirrors:\n");
    for (registry, mirrors) in &node.registries {
        out.push_str("  ");
        quote_if_needed(registry, &mut out);
        out.push_str(":\n    endpoint:\n");
        for mirror in mirrors {
            out.push_str("    - ");
            quote_if_needed(mirror, &mut out);
            out.push('\n');
        }
    }
    out
}

/// What holds K3s to its limit: Go collects garbage before, and the kernel ends a process of the unit behind it. The unit's
/// group holds containerd and the shims as well, so that its limit is what is reserved for all of them.
fn drop_in(plan: &Plan<'_, '_>, at: NodeId, limit: Bytes) -> String {
    let node = &plan.program.nodes[at];
    let more = limit.n.saturating_sub(node.process.memory.value.n);
    // systemd takes bytes.
    let all = plan.nodes[at].kube_reserved().saturating_add(more);
    let heap = Bytes::new((limit.n / 10 * 9) >> 20 << 20);
    let mut out = String::new();
    comment(&header(plan), &mut out);
    let text = format!(
        "Goes to /etc/systemd/system/{unit}.service.d/bzc.conf on node {}: systemctl daemon-reload, systemctl restart {unit}.\n\
         GOMEMLIMIT is nine tenths of `limit`. MemoryMax is what is reserved for K3s, containerd and the shims of all pods.",
        node.name.value,
        unit = node.unit()
    );
    comment(&text, &mut out);
    let _ = writeln!(
        out,
        "[Service]\nEnvironment=GOMEMLIMIT={heap}B\nMemoryMax={all}"
    );
    out
}

/// A key of config.yaml as lines.
struct Key<'p> {
    name: &'p str,
    values: Values,
    /// What it does, for the comment above it.
    meaning: Option<&'static str>,
}

enum Values {
    /// A value as YAML has it, and as it is meant.
    One(String, String),
    /// Items, and for arguments what each really does.
    Many(Vec<(String, Option<String>)>),
}

/// What makes the same of K3s as the configuration of a node, as a command line gives it: a flag for each value.
pub(crate) fn flags(plan: &Plan<'_, '_>, at: NodeId) -> Vec<String> {
    let flag = |key: Key<'_>| -> Vec<String> {
        match key.values {
            Values::One(_, value) => vec![format!("--{}={value}", key.name)],
            Values::Many(items) => {
                let items = items.into_iter();
                items
                    .map(|(item, _)| format!("--{}={item}", key.name))
                    .collect()
            }
        }
    };
    keys(plan, at).into_iter().flat_map(flag).collect()
}

/// The keys of a node's configuration, sorted.
fn keys<'p>(plan: &'p Plan<'_, '_>, at: NodeId) -> Vec<Key<'p>> {
    let node = &plan.program.nodes[at];
    let mut keys: Vec<Key<'_>> = Vec::new();
    for setting in &node.config {
        keys.push(Key {
            name: setting.key,
            values: values(setting),
            meaning: stdlib::flag(setting.key).map(|flag| flag.meaning),
        });
    }
    for key in of_cluster(plan, node) {
        match (
            keys.iter_mut().find(|other| other.name == key.name),
            key.values,
        ) {
            (
                Some(Key {
                    values: Values::Many(items),
                    ..
                }),
                Values::Many(more),
            ) => items.extend(more),
            (_, values) => keys.push(Key { values, ..key }),
        }
    }
    let computed = computed_arguments(plan, at);
    match keys.iter_mut().find(|key| key.name == "kubelet-arg") {
        Some(Key {
            values: Values::Many(items),
            ..
        }) => {
            items.retain(|(item, _)| !item.starts_with("max-pods="));
            items.extend(computed);
            items.sort();
        }
        _ => keys.push(Key {
            name: "kubelet-arg",
            values: Values::Many(computed),
            meaning: None,
        }),
    }
    keys.sort_by_key(|key| key.name);
    keys
}

fn config(plan: &Plan<'_, '_>, at: NodeId) -> String {
    let node = &plan.program.nodes[at];
    let mut out = String::new();
    comment(&header(plan), &mut out);
    let version = plan.program.k3s.version.map_or_else(
        || {
            format!(
                "K3s 1.{} (the program names no version)",
                plan.program.k3s.minor
            )
        },
        |version| format!("K3s {}", version.value),
    );
    let text = format!(
        "Goes to /etc/rancher/k3s/config.yaml on node {}. Keys are checked for {version}.\n\
         K3s reads it when it starts: systemctl restart {}.",
        node.name.value,
        node.unit()
    );
    comment(&text, &mut out);
    for key in keys(plan, at) {
        out.push('\n');
        if let Some(meaning) = key.meaning {
            comment(&wrapped(meaning, 100).join("\n"), &mut out);
        }
        out.push_str(key.name);
        out.push(':');
        match key.values {
            Values::One(value, _) => {
                out.push(' ');
                out.push_str(&value);
                out.push('\n');
            }
            Values::Many(items) if items.is_empty() => out.push_str(" []\n"),
            Values::Many(items) => {
                out.push('\n');
                for (item, note) in items {
                    if let Some(note) = note {
                        comment(&wrapped(&note, 100).join("\n"), &mut out);
                    }
                    out.push_str("- ");
                    quote_if_needed(&item, &mut out);
                    out.push('\n');
                }
            }
        }
    }
    out
}

fn values(setting: &Setting<'_>) -> Values {
    let scalar = |text: &str| {
        let mut out = String::new();
        quote_if_needed(text, &mut out);
        Values::One(out, text.to_owned())
    };
    match &setting.value {
        SettingValue::Bool(value) => Values::One(value.to_string(), value.to_string()),
        SettingValue::Int(value) => Values::One(value.to_string(), value.to_string()),
        SettingValue::Text(text) => scalar(text),
        SettingValue::List(items) => Values::Many(
            items
                .iter()
                .map(|item| (item.value.to_string(), None))
                .collect(),
        ),
        SettingValue::Arguments(arguments) => {
            let component = setting.key.strip_suffix("-arg").unwrap_or(setting.key);
            let lines = arguments.iter().map(|(name, value)| {
                let base = name.value.trim_end_matches(['+', '-']);
                let note = stdlib::argument(component, base).and_then(|row| argument_note(&row));
                (format!("{}={value}", name.value), note)
            });
            Values::Many(lines.collect())
        }
    }
}

/// What an argument really does for memory, and what else is to be known of it.
pub(crate) fn argument_note(row: &stdlib::Argument) -> Option<String> {
    let memory = match row.memory? {
        "saves" => "Saves memory.",
        "peak" => "Saves no memory at rest, only at a peak of requests.",
        "none" => "Saves no memory.",
        "costs" => "Costs memory.",
        "accounting" => "Saves no memory: accounting.",
        _ => "Nobody measured what it does for memory.",
    };
    Some(match row.note {
        // Many notes say it in their own words.
        Some(note) if note.contains("no memory") || note.contains("at rest") => note.to_owned(),
        Some(note) => format!("{memory} {note}"),
        None => memory.to_owned(),
    })
}

/// What makes one cluster of several machines, where the program does not say it in K3s's own words: names that pins
/// rely on, etcd, whom to join, labels and taints.
fn of_cluster<'p>(plan: &'p Plan<'_, '_>, node: &'p Node<'_>) -> Vec<Key<'p>> {
    let mut keys = Vec::new();
    let set = |key: &str| node.setting(key).is_some();
    let mut one = |name, value: String, meaning| {
        if !set(name) {
            keys.push(Key {
                name,
                values: Values::One(value.clone(), value),
                meaning: Some(meaning),
            });
        }
    };
    let relies = |(service, workload): (&Service<'_>, &Workload<'_>)| {
        plan.pins(service, workload)
            || service
                .adopted
                .as_ref()
                .is_some_and(|adopted| adopted.by_name)
    };
    if plan
        .program
        .services
        .iter()
        .zip(&plan.workloads)
        .any(relies)
    {
        let meaning = "Computed: services are held to nodes by this name. A node that is renamed joins as a new one.";
        one("node-name", node.name.value.to_owned(), meaning);
    }
    let servers: Vec<&Node<'_>> = plan.program.servers().collect();
    if let (Some(first), true) = (servers.first(), plan.on_several_nodes()) {
        if std::ptr::eq(*first, node) {
            if servers.len() > 1 && !set("datastore-endpoint") {
                let meaning = "Computed: the first of several servers starts their common etcd. Start it before the others.";
                one("cluster-init", "true".to_owned(), meaning);
            }
        } else if node.role == Role::Agent || !set("datastore-endpoint") {
            let host = first
                .address
                .as_deref()
                .unwrap_or_else(|| first.cluster_name());
            let meaning = "Computed: the first server, by its `address` or its name. To join, K3s also needs the token of the \
                           server's /var/lib/rancher/k3s/server/node-token: as K3S_TOKEN or `token-file`.";
            one(
                "server",
                format!("https://{}:6443", bracketed(host)),
                meaning,
            );
        }
    }
    let listed = |name, items: Vec<String>, meaning| {
        let items = items.into_iter().map(|item| (item, None)).collect();
        Key {
            name,
            values: Values::Many(items),
            meaning: Some(meaning),
        }
    };
    if !node.labels.is_empty() {
        let labels = node
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        keys.push(listed(
            "node-label",
            labels,
            "Computed: `labels` of the node. K3s sets them when the node first registers.",
        ));
    }
    let by_program = |taint: &&Taint| !taint.in_config;
    let taint = |taint: &Taint| format!("{}={}:{}", taint.key, taint.value, taint.effect.name());
    let taints: Vec<String> = node.taints.iter().filter(by_program).map(taint).collect();
    if !taints.is_empty() {
        keys.push(listed(
            "node-taint",
            taints,
            "Computed: `taints` of the node. K3s sets them when the node first registers.",
        ));
    }
    keys
}

/// A host in a URL: an IPv6 address in brackets.
fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// What the kubelet must be told so that the node is as the proof assumes.
fn computed_arguments(plan: &Plan<'_, '_>, at: NodeId) -> Vec<(String, Option<String>)> {
    let (node, reserved) = (&plan.program.nodes[at], &plan.nodes[at]);
    // The flag replaces K3s's whole map: leaving out the two disk signals would switch them off.
    let mut arguments = vec![(
        format!("eviction-hard=memory.available<{},nodefs.available<5%,imagefs.available<5%", node.eviction.value),
        Some(
            "Computed. K3s itself has no memory eviction. This flag replaces its whole map, so its two disk signals \
             are said again."
                .to_owned(),
        ),
    )];
    let kube = Bytes::new(reserved.kube_reserved());
    let terms = reserved
        .reserved
        .iter()
        .filter(|addend| ![OS, EVICTION].contains(&addend.id.as_ref()));
    let terms: Vec<String> = terms.map(counted).collect();
    arguments.push((
        format!("kube-reserved=memory={kube}"),
        Some(format!("Computed: {}.", terms.join(", "))),
    ));
    let amounts = [
        node.reserve.map(|given| format!("memory={}", given.value)),
        node.reserved_cpu.map(|cpu| format!("cpu={cpu}")),
        { node.reserved_disk }.map(|disk| format!("ephemeral-storage={disk}")),
    ];
    let amounts: Vec<String> = amounts.into_iter().flatten().collect();
    if !amounts.is_empty() {
        arguments.push((
            format!("system-reserved={}", amounts.join(",")),
            Some("Computed: `reserve` of the node, the OS and what lives beside K3s.".to_owned()),
        ));
    }
    if node.max_pods.origin.span.is_some() {
        arguments.push((
            format!("max-pods={}", node.max_pods.value),
            Some("Computed: `max-pods` of the node.".to_owned()),
        ));
    }
    arguments
}

/// `containerd's shims 6 pods x 7Mi = 42Mi`.
fn counted(addend: &Addend<'_>) -> String {
    let amount = Bytes::new(addend.amount);
    match addend.in_words(Dimension::Memory) {
        Some(how) => format!("{} {how} = {amount}", addend.what),
        None => format!("{} {amount}", addend.what),
    }
}

/// A setting of config.yaml as one text, if the program has it.
fn text<'p>(plan: &'p Plan<'_, '_>, key: &str) -> Option<Vec<&'p str>> {
    match plan.program.servers().next()?.setting(key)? {
        SettingValue::Text(text) => Some(vec![text.as_ref()]),
        SettingValue::List(items) => Some(items.iter().map(|item| item.value.as_ref()).collect()),
        SettingValue::Bool(_) | SettingValue::Int(_) | SettingValue::Arguments(_) => None,
    }
}

/// The addresses of the cluster's DNS: as set, or the tenth of each range of services.
fn cluster_dns(plan: &Plan<'_, '_>) -> Vec<String> {
    let comma_separated = |texts: Vec<&str>| -> Vec<String> {
        texts
            .iter()
            .flat_map(|text| text.split(','))
            .map(|text| text.trim().to_owned())
            .collect()
    };
    if let Some(addresses) = text(plan, "cluster-dns") {
        return comma_separated(addresses);
    }
    let ranges =
        text(plan, "service-cidr").map_or_else(|| vec!["10.43.0.0/16".to_owned()], comma_separated);
    ranges.iter().filter_map(|range| tenth(range)).collect()
}

/// The tenth address of `10.43.0.0/16`.
fn tenth(range: &str) -> Option<String> {
    let (address, bits) = range.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    Some(match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
            Ipv4Addr::from((u32::from(address) & mask).checked_add(10)?).to_string()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128_u32.checked_sub(bits)?)
                .unwrap_or(0);
            Ipv6Addr::from((u128::from(address) & mask).checked_add(10)?).to_string()
        }
    })
}

fn coredns_manifest(plan: &Plan<'_, '_>) -> Option<String> {
    let component = plan
        .program
        .components
        .iter()
        .find(|component| component.name == "coredns" && component.owned)?;
    let (request, limit) = component.memory?;
    let limit = limit.unwrap_or(request);
    let domain = text(plan, "cluster-domain").and_then(|texts| texts.first().copied());
    let image = match &component.image {
        Some(given) => given.value.to_string(),
        None => packaged_image(plan)?,
    };
    Some(coredns::manifest(&Coredns {
        memory_request: request.value.to_string(),
        memory_limit: limit.value.to_string(),
        memory_limit_bytes: limit.value.n,
        cpu_request: component.cpu.map(|(request, _)| request.value.to_string()),
        cpu_limit: component
            .cpu
            .and_then(|(_, limit)| limit)
            .map(|limit| limit.value.to_string()),
        image,
        cluster_domain: domain.unwrap_or("cluster.local"),
        cluster_dns: cluster_dns(plan),
        source: plan.program.source,
    }))
}

/// The image of CoreDNS that the program's K3s packages, from the registry that the program names for it.
fn packaged_image(plan: &Plan<'_, '_>) -> Option<String> {
    let k3s = &plan.program.k3s;
    let tag = stdlib::coredns(k3s.minor, k3s.release)?.tag;
    let image = format!("rancher/mirrored-coredns-coredns:{tag}");
    let registry = text(plan, "system-default-registry").and_then(|texts| texts.first().copied());
    Some(match registry {
        Some(registry) if !registry.is_empty() => format!("{registry}/{image}"),
        _ => image,
    })
}
