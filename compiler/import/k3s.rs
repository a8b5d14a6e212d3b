//! From the configuration of K3s to `k3s` and what it says of the node. Files are read as K3s reads `config.yaml` and its
//! drop-ins (k3s-io/k3s, `pkg/configfilearg/parser.go`): a later file replaces a key, `key+` adds to it, null is not set.

use super::data::Data;
use super::tree::{Block, Item, Name, Value, said};
use crate::admission::amount;
use crate::manifest::workload::bytes;
use crate::stdlib::{Flag, flag};

/// Lists that K3s splits at commas (`pkg/util/net.go`, `pkg/cli/server/server.go`, `pkg/agent/config/config.go`).
const SPLIT: [&str; 7] = [
    "cluster-cidr",
    "cluster-dns",
    "disable",
    "node-external-ip",
    "node-ip",
    "service-cidr",
    "tls-san",
];

/// Arguments of components that add up where they are repeated: maps and lists of k8s.io/component-base/cli/flag and pflag.
/// Of any other the last one counts.
const ADD_UP: [&str; 17] = [
    "allowed-unsafe-sysctls",
    "api-audiences",
    "controllers",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "eviction-hard",
    "eviction-minimum-reclaim",
    "eviction-soft",
    "eviction-soft-grace-period",
    "feature-gates",
    "kube-reserved",
    "node-labels",
    "oidc-signing-algs",
    "register-with-taints",
    "runtime-config",
    "system-reserved",
    "tls-cipher-suites",
];

/// What K3s itself says of disks in `eviction-hard`, which bzc writes too.
const DISK_SIGNALS: [(&str, &str); 2] = [("nodefs.available", "5%"), ("imagefs.available", "5%")];

/// What a configuration says of its node.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The `k3s` block.
    pub(super) block: Option<Block>,
    /// Whether it is that of a server, and so says what K3s packages.
    pub(super) is_server: bool,
    /// `node-name`, if a node of bz can have it.
    pub(super) name: Option<Name>,
    /// The memory that `system-reserved` keeps, in bytes.
    pub(super) reserve: Option<u64>,
    /// The CPU that it keeps, in thousandths.
    pub(super) reserve_cpu: Option<u64>,
    /// The local disk that it keeps, in bytes.
    pub(super) reserve_disk: Option<u64>,
    /// What of memory `eviction-hard` keeps.
    pub(super) eviction: Option<Eviction>,
}

/// A threshold of free memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Eviction {
    /// In bytes.
    Bytes(u64),
    /// In hundredths of a percent of the machine's memory.
    Share(u64),
}

/// Whether a key is one of K3s, perhaps one that adds to what earlier files say.
pub(super) fn is_key(key: &str) -> bool {
    flag(key.strip_suffix('+').unwrap_or(key)).is_some()
}

/// Reads the files of one configuration, in the order in which K3s would. `kubelet` are the KubeletConfigurations that
/// are there, with the names of their files.
pub(super) fn read(files: &[(String, Data)], kubelet: &[(String, Data)]) -> Said {
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let mut out = Said::default();
    let mut block = Block::plain("k3s");
    block.of = names.join(", ");
    for (key, value) in merged(files) {
        if value == Data::Null {
            continue;
        }
        let Some(known) = flag(&key) else {
            block.leave(format!(
                "{}: K3s knows no such key, and ignores it",
                said(&key)
            ));
            continue;
        };
        out.is_server |= known.scope == "server";
        match key.ends_with("-arg") {
            true => arguments(known.key, &value, kubelet, &mut block, &mut out),
            false => setting(&known, &value, &mut block, &mut out),
        }
    }
    out.block = Some(block);
    out
}

/// The keys of all files together.
fn merged(files: &[(String, Data)]) -> Vec<(String, Data)> {
    let mut all: Vec<(String, Data)> = Vec::new();
    for (written, value) in files.iter().flat_map(|(_, data)| data.entries()) {
        let key = written.strip_suffix('+').unwrap_or(written);
        let before = all.iter_mut().find(|(known, _)| known == key);
        match before {
            Some((_, before)) if key != written => {
                let mut items = as_list(before.clone());
                items.extend(as_list(value.clone()));
                *before = Data::List(items);
            }
            Some((_, before)) => *before = value.clone(),
            None => all.push((key.to_owned(), value.clone())),
        }
    }
    all
}

fn as_list(value: Data) -> Vec<Data> {
    match value {
        Data::List(items) => items,
        Data::Null => Vec::new(),
        one => vec![one],
    }
}

fn setting(flag: &Flag, value: &Data, block: &mut Block, out: &mut Said) {
    let Some(written) = written(flag, value) else {
        block.leave(format!("`{}`: its value is not {}", flag.key, a(flag.kind)));
        return;
    };
    if flag.key == "node-name" {
        // K3s writes the name of a node in small letters.
        let name = value.as_text().unwrap_or_default().to_ascii_lowercase();
        out.name = Name::of(&name);
        block.put(flag.key, Value::text(&name));
        return;
    }
    let noted = (flag.key == "token" || flag.key == "agent-token")
        .then(|| format!("a secret: `{}-file` names a file instead", flag.key));
    match noted {
        Some(note) => block.put_noted(flag.key, written, note),
        None => block.put(flag.key, written),
    }
}

fn a(kind: &str) -> String {
    match kind {
        "int" => "a whole number".to_owned(),
        "bool" => "true or false".to_owned(),
        other => format!("a {other}"),
    }
}

/// The value of a key as a program has it.
fn written(flag: &Flag, value: &Data) -> Option<Value> {
    let word = |text: &str| {
        let known = flag.values;
        match known.is_some_and(|known| known.split('|').any(|known| known == text)) {
            true => Value::word(text),
            false => Value::text(text),
        }
    };
    match flag.kind {
        "bool" => match value.as_text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "t" | "y" | "1" => Some(Value::fixed("true")),
            "false" | "no" | "off" | "f" | "n" | "0" => Some(Value::fixed("false")),
            _ => None,
        },
        "int" => Some(Value::count(value.as_text()?.parse().ok()?)),
        "list" => {
            let split = SPLIT.contains(&flag.key);
            let items = value.texts()?.into_iter();
            let items = items.flat_map(|item| match split {
                true => item.split(',').map(str::trim).collect(),
                false => vec![item],
            });
            Some(Value::list(items.filter(|item| !item.is_empty()).map(word)))
        }
        _ => match value {
            Data::Text(text, plain) => match octal(text).filter(|_| *plain) {
                // What looks octal is a number to K3s's reader of YAML, and printed in decimal.
                Some(n) => Some(Value::text(&n.to_string())),
                None => Some(word(text)),
            },
            _ => None,
        },
    }
}

fn octal(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('0').filter(|rest| !rest.is_empty())?;
    u64::from_str_radix(digits, 8).ok()
}

/// `kubelet-arg: [max-pods=50]`.
fn arguments(
    key: &'static str,
    value: &Data,
    kubelet: &[(String, Data)],
    block: &mut Block,
    out: &mut Said,
) {
    let Some(items) = value.texts() else {
        block.leave(format!("`{key}`: its value is not a list"));
        return;
    };
    let mut inner = Block::plain(key);
    let given = together(key, &items, &mut inner);
    let has = |name: &str| given.iter().any(|(argument, _)| argument == name);
    let (limits_pods, reserves) = (has("max-pods"), has("system-reserved"));
    let evicts = has("eviction-hard");
    for (argument, value) in given {
        match (key, argument.as_str()) {
            ("kubelet-arg", "system-reserved") => system_reserved(&value, &mut inner, out),
            ("kubelet-arg", "kube-reserved") => inner.leave(format!(
                "{}: bzc computes what K3s takes",
                said(&format!("kube-reserved={value}"))
            )),
            ("kubelet-arg", "eviction-hard") => eviction(&value, &mut inner, out),
            ("kubelet-arg", "config") => {
                let before = [
                    (limits_pods, &["maxPods"] as &[&str]),
                    (reserves, &["systemReserved"]),
                    (evicts, &["evictionHard"]),
                ];
                let before = before.into_iter().filter(|(is_given, _)| *is_given);
                let before: Vec<&[&str]> = before.map(|(_, path)| path).collect();
                kubelet_file(&value, kubelet, &before, &mut inner, out);
            }
            _ => inner.put_key(&argument, Value::text(&value)),
        }
    }
    block.put_block(inner);
}

/// The arguments of a component, each once.
fn together(key: &str, items: &[&str], block: &mut Block) -> Vec<(String, String)> {
    let mut given: Vec<(String, String)> = Vec::new();
    for item in items {
        let Some((argument, value)) = item.split_once('=') else {
            // K3s passes it as it is, and the component takes it for a switch.
            given.push((item.trim_start_matches('-').to_owned(), "true".to_owned()));
            continue;
        };
        let argument = argument.trim_start_matches('-');
        let before = given.iter_mut().find(|(known, _)| known == argument);
        match before {
            Some((_, before)) if ADD_UP.contains(&argument) => {
                *before = format!("{before},{value}");
            }
            Some((_, before)) => {
                let gone = said(&format!("{argument}={before}"));
                block.leave(format!("{gone} of `{key}`: of those given the last counts"));
                value.clone_into(before);
            }
            None => given.push((argument.to_owned(), value.to_owned())),
        }
    }
    given
}

/// `memory=1Gi,cpu=500m`.
fn system_reserved(value: &str, block: &mut Block, out: &mut Said) {
    for part in value.split(',').filter(|part| !part.trim().is_empty()) {
        let (resource, amount_of) = part.split_once('=').unwrap_or((part, ""));
        match (resource.trim(), bytes(amount_of.trim())) {
            ("memory", Some(n)) => out.reserve = Some(n),
            ("ephemeral-storage", Some(n)) => out.reserve_disk = Some(n),
            ("cpu", _) if let Some(milli) = amount(amount_of.trim()) => {
                out.reserve_cpu = u64::try_from(milli.div_ceil(1)).ok();
            }
            _ => block.leave(format!(
                "{}: bzc reserves memory, CPU and disk, and nothing else",
                said(&format!("system-reserved={part}"))
            )),
        }
    }
}

/// `memory.available<500Mi,nodefs.available<10%`.
fn eviction(value: &str, block: &mut Block, out: &mut Said) {
    for part in value.split(',').filter(|part| !part.trim().is_empty()) {
        let (signal, amount) = part.split_once('<').unwrap_or((part, ""));
        let (signal, amount) = (signal.trim(), amount.trim());
        let memory = match amount.strip_suffix('%') {
            Some(percent) => hundredths(percent).map(Eviction::Share),
            None => bytes(amount).map(Eviction::Bytes),
        };
        match (signal, memory) {
            ("memory.available", Some(found)) => out.eviction = Some(found),
            _ if DISK_SIGNALS.contains(&(signal, amount)) => {}
            _ => block.leave(format!(
                "{}: bzc says of disks what K3s says",
                said(&format!("eviction-hard={part}"))
            )),
        }
    }
}

/// A number with at most two digits behind its point, in hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest = match rest.len() {
        0 => 0,
        1 => rest.parse::<u64>().ok()?.checked_mul(10)?,
        2 => rest.parse().ok()?,
        _ => return None,
    };
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(100)?
        .checked_add(rest)
}

/// A KubeletConfiguration that `config=PATH` names: found by the name of its file among what was imported. The kubelet
/// lets its arguments count before the file; what they give is `before`.
fn kubelet_file(
    path: &str,
    files: &[(String, Data)],
    before: &[&[&str]],
    block: &mut Block,
    out: &mut Said,
) {
    let name = path.rsplit('/').next().unwrap_or(path);
    let found = files.iter().find(|(file, _)| {
        let file = file.rsplit('/').next().unwrap_or(file);
        file == name
    });
    let Some((file, data)) = found else {
        let path = said(&format!("config={path}"));
        block.leave(format!(
            "{path}: import the file as well, and what it says is read"
        ));
        return;
    };
    let mut data = data.clone();
    for known in ["apiVersion", "kind"] {
        data.take(known);
    }
    for path in before {
        data.take_at(path);
    }
    if let Some(n) = data.take_count(&["maxPods"]) {
        block.put_key("max-pods", Value::text(&n.to_string()));
    }
    if let Some(reserved) = data.take_text(&["systemReserved", "memory"]) {
        system_reserved(&format!("memory={reserved}"), block, out);
    }
    if let Some(threshold) = data.take_text(&["evictionHard", "memory.available"]) {
        eviction(&format!("memory.available<{threshold}"), block, out);
    }
    for (signal, amount) in DISK_SIGNALS {
        if data.text_at(&["evictionHard", signal]) == Some(amount) {
            data.take_at(&["evictionHard", signal]);
        }
    }
    for what in data.fields("") {
        block.leave(format!(
            "{what} of {}: it is read from no argument",
            said(file)
        ));
    }
}

/// What goes into the block of the node, given the memory it has.
pub(super) fn of_node(found: &Said, memory: u64) -> Vec<Item> {
    let mut node = Block::plain("node");
    match found.eviction {
        Some(Eviction::Bytes(n)) => node.put_noted(
            "eviction-hard",
            Value::memory(n),
            "`memory.available` of its `eviction-hard`",
        ),
        Some(Eviction::Share(share)) => {
            let n = u128::from(memory) * u128::from(share) / 10_000;
            let n = u64::try_from(n).unwrap_or(u64::MAX);
            let note = format!("{}% of its memory in `eviction-hard`", percent(share));
            node.put_noted("eviction-hard", Value::memory(n), note);
        }
        None => {}
    }
    node.items
}

fn percent(hundredths: u64) -> String {
    match hundredths % 100 {
        0 => (hundredths / 100).to_string(),
        rest => format!("{}.{rest:02}", hundredths / 100),
    }
}
