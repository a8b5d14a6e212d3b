//! A cluster from the files that bzc writes: machines as their kubelets will offer them, and objects as an API server
//! would be given them. Of report.json only what the program itself says is read here (how much memory and CPU a machine
//! has, its role, and what runs there that no file makes), and what it promises.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_yaml::Value;

use super::pod::Taint;
use super::quantity::{Amount, Resources, amount, count, each, text};

pub(super) type Files = [(String, Vec<u8>)];

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) server: bool,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) taints: Vec<Taint>,
    /// What the scheduler may give away. Without `cpu`, as much as anybody asks for.
    pub(super) allocatable: Resources,
    /// The limit of the cgroup of all pods together, in thousandths of a byte.
    pub(super) kubepods: Amount,
    pub(super) max_pods: usize,
    /// Pods that can have an address.
    pub(super) addresses: usize,
}

/// What no file makes and the program says is there.
#[derive(Debug, Clone)]
pub(super) struct Other {
    pub(super) name: String,
    pub(super) pods: usize,
    pub(super) every_node: bool,
    pub(super) requests: Resources,
    pub(super) limit: Amount,
}

/// What report.json promises.
#[derive(Debug, Clone, Default)]
pub(super) struct Promises {
    /// Of each node, whether T2 is proved.
    pub(super) within: Vec<bool>,
    /// Of services that a rollout leaves alone, how many pods there are of each at once, those on their way out among
    /// them: K3s has memory for no more, where T1 is proved.
    pub(super) pods: BTreeMap<String, usize>,
    /// Whether T4 is proved, or would be if the program had stated CPU and if runs kept to the number that it states.
    pub(super) placed: bool,
    /// Whether T4 is proved without such words.
    pub(super) proved: bool,
    /// Whether T5 is proved.
    pub(super) survives: bool,
    /// How the pods find their places.
    pub(super) kind: String,
}

#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) nodes: Vec<Node>,
    pub(super) objects: Vec<Value>,
    /// Packaged components that are switched off, or whose manifest K3s is told to leave aside.
    pub(super) off: BTreeSet<String>,
    pub(super) others: Vec<Other>,
    /// Of each service of the program, how many pods it says there are at most.
    pub(super) at_most: BTreeMap<String, usize>,
    pub(super) promises: Promises,
    /// Claims that one pod at a time may use, by namespace and name.
    pub(super) of_one_pod: BTreeSet<String>,
}

/// Claims of access mode `ReadWriteOncePod`.
fn of_one_pod(objects: &[Value]) -> BTreeSet<String> {
    let claims = { objects.iter() }.filter(|one| one["kind"] == "PersistentVolumeClaim");
    claims
        .filter(|one| each(&one["spec"]["accessModes"]).any(|mode| mode == "ReadWriteOncePod"))
        .filter_map(|one| {
            let name = text(&one["metadata"]["name"])?;
            Some(format!("{}/{name}", super::workload::namespace(one)))
        })
        .collect()
}

/// All documents of a YAML file, lists taken apart.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for document in serde_yaml::Deserializer::from_slice(bytes) {
        let value = Value::deserialize(document).map_err(|error| error.to_string())?;
        if value["kind"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("List"))
        {
            found.extend(each(&value["items"]).cloned());
        } else if value.is_mapping() {
            found.push(value);
        }
    }
    Ok(found)
}

/// A list of `name=value` in a configuration of K3s, which may also be one text.
fn pairs(config: &Value, key: &str) -> Vec<(String, String)> {
    let given = &config[key];
    let texts: Vec<String> = text(given)
        .into_iter()
        .chain(each(given).filter_map(text))
        .collect();
    let split = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    texts.iter().map(split).collect()
}

/// What of a resource is reserved by an argument like `memory=576Mi,cpu=100m`.
fn reserved(argument: Option<&String>, resource: &str) -> Amount {
    let parts = argument.into_iter().flat_map(|text| text.split(','));
    let mut found = parts.filter_map(|part| part.split_once('='));
    let value = found.find(|(name, _)| *name == resource);
    value.and_then(|(_, value)| amount(value)).unwrap_or(0)
}

/// A machine, by its config.yaml (pkg/kubelet/nodestatus/setters.go and pkg/kubelet/cm/node_container_manager_linux.go).
fn node(facts: &Value, config: &Value) -> Option<Node> {
    let name = text(&facts["name"])?;
    let arguments: BTreeMap<String, String> = pairs(config, "kubelet-arg").into_iter().collect();
    let total = Amount::from(facts["memoryBytes"].as_u64()?) * 1000;
    let signal = arguments
        .get("eviction-hard")
        .into_iter()
        .flat_map(|text| text.split(','));
    let threshold = signal
        .filter_map(|part| part.strip_prefix("memory.available<"))
        .next_back();
    let eviction = match threshold.map(|text| (text, text.strip_suffix('%'))) {
        None => 0,
        Some((_, Some(percent))) => total * amount(percent)? / 100_000,
        Some((text, None)) => amount(text)?,
    };
    let (kube, system) = (
        arguments.get("kube-reserved"),
        arguments.get("system-reserved"),
    );
    let kubepods = total - reserved(kube, "memory") - reserved(system, "memory");
    let mut allocatable = Resources::from([
        ("memory".to_owned(), (kubepods - eviction).max(0)),
        // A small disk: how large it is, no program says.
        ("ephemeral-storage".to_owned(), 10_000 << 30),
    ]);
    if let Some(milli) = facts["cpuMilli"].as_u64() {
        let left = Amount::from(milli) - reserved(kube, "cpu") - reserved(system, "cpu");
        allocatable.insert("cpu".to_owned(), left);
    }
    for supply in each(&facts["supplies"]) {
        // What device plugins offer, and the disk less what the kubelet keeps below which it evicts.
        let has = Amount::from(supply["has"].as_u64()?) * 1000;
        let usable = match text(&supply["resource"])?.as_str() {
            "ephemeral-storage" => has - has * 5_000_001 / 100_000_000,
            _ => has,
        };
        allocatable.insert(text(&supply["resource"])?, usable);
    }
    let server = facts["role"] == "server";
    let hostname = text(&config["node-name"]).unwrap_or_else(|| name.clone());
    let arch = text(&facts["arch"]).unwrap_or_else(|| "amd64".to_owned());
    let known = [
        ("kubernetes.io/hostname", hostname.as_str()),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", arch.as_str()),
        ("beta.kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/arch", arch.as_str()),
    ];
    let mut labels: BTreeMap<String, String> = known
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    if server {
        labels.insert(
            "node-role.kubernetes.io/control-plane".to_owned(),
            "true".to_owned(),
        );
    }
    labels.extend(pairs(config, "node-label"));
    let taint = |(key, rest): (String, String)| {
        let (value, effect) = rest.split_once(':').unwrap_or(("", &rest));
        let key = key.split(':').next().unwrap_or_default().to_owned();
        Taint {
            key,
            value: value.to_owned(),
            effect: effect.to_owned(),
        }
    };
    Some(Node {
        name,
        server,
        labels,
        taints: pairs(config, "node-taint").into_iter().map(taint).collect(),
        allocatable,
        kubepods,
        max_pods: arguments
            .get("max-pods")
            .map_or(Some(110), |text| text.parse().ok())?,
        addresses: 0,
    })
}

/// How many pods can have an address: those of the node's range but its own, that of the bridge and the broadcast
/// (containernetworking/plugins, host-local; K3s gives each node a /24 of 10.42.0.0/16).
fn addresses(configs: &[Value]) -> usize {
    let arguments = configs
        .iter()
        .flat_map(|config| pairs(config, "kube-controller-manager-arg"));
    let mut masks = arguments.filter(|(name, _)| name.starts_with("node-cidr-mask-size"));
    let mask: u32 = masks
        .next()
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(24);
    (1_usize << 32_u32.saturating_sub(mask)).saturating_sub(3)
}

fn others(report: &Value) -> Vec<Other> {
    let nodes = each(&report["nodes"]).flat_map(|node| each(&node["components"]));
    let mut found: Vec<Other> = Vec::new();
    // Those that the program says there are, and those that cert-manager makes.
    let is_other = |one: &&Value| {
        text(&one["origin"]).is_some_and(|origin| origin.starts_with("others."))
            || text(&one["name"]).as_deref() == Some("cm-acme-http-solver")
    };
    for other in nodes.filter(is_other) {
        let (Some(name), Some(pods)) = (text(&other["name"]), count(&other["pods"])) else {
            continue;
        };
        if pods == 0 || found.iter().any(|known| known.name == name) {
            continue;
        }
        let one = |key: &str, unit: Amount| {
            Amount::from(other[key].as_u64().unwrap_or(0)) * unit / pods as Amount
        };
        found.push(Other {
            name,
            pods,
            every_node: other["everyNode"] == true,
            requests: [
                ("memory".to_owned(), one("requestBytes", 1000)),
                ("cpu".to_owned(), one("cpuMilli", 1)),
            ]
            .into(),
            limit: one("limitBytes", 1000),
        });
    }
    found
}

fn promises(report: &Value, nodes: &[Node]) -> Promises {
    let theorems: Vec<&Value> = each(&report["theorems"]).collect();
    let proved = |id: &str, node: Option<&str>| {
        theorems.iter().any(|theorem| {
            theorem["id"] == id
                && theorem["verdict"] == "proved"
                && (node.is_none() || theorem["node"].as_str() == node)
        })
    };
    let t4 = theorems.iter().find(|theorem| theorem["id"] == "T4");
    let mut why = t4
        .into_iter()
        .flat_map(|t4| each(&t4["why"]))
        .filter_map(Value::as_str);
    let kind = text(&report["placement"]["kind"]).unwrap_or_default();
    let pods = |service: &Value| {
        // Of what rolls out somebody could also delete a pod meanwhile, which is assumed not to happen.
        let rolls = matches!(
            service["kind"].as_str(),
            Some("Deployment" | "ReplicaSet" | "ReplicationController")
        );
        let pods = count(&service["podsWithEnding"]).filter(|_| !rolls);
        text(&service["name"]).zip(pods)
    };
    Promises {
        pods: each(&report["services"]).filter_map(pods).collect(),
        within: nodes
            .iter()
            .map(|node| proved("T2", Some(&node.name)))
            .collect(),
        proved: proved("T4", None),
        placed: proved("T4", None)
            || t4.is_some()
                && why.all(|why| {
                    why.contains("has no `cpu`")
                        || why.contains("runs at once that it states")
                        || why.contains("replaced before it has found room")
                }),
        survives: proved("T5", None),
        kind,
    }
}

impl Cluster {
    /// Whether a claim is one that K3s makes a folder for.
    pub(super) fn is_local(&self, spec: &Value) -> bool {
        let class = text(&spec["storageClassName"]);
        !self.off.contains("local-storage")
            && spec["volumeName"].is_null()
            && class.is_none_or(|class| class == "local-path")
    }

    pub(super) fn new(files: &Files) -> Result<Cluster, String> {
        let report = files
            .iter()
            .find(|(path, _)| path == "report.json")
            .ok_or("no report")?;
        let report: Value = serde_yaml::from_slice(&report.1).map_err(|error| error.to_string())?;
        let read = |path: &str| {
            let file = files.iter().find(|(known, _)| known == path);
            file.and_then(|(_, bytes)| documents(bytes).ok()?.into_iter().next())
                .unwrap_or(Value::Null)
        };
        let mut nodes = Vec::new();
        let mut configs = Vec::new();
        for facts in each(&report["nodes"]) {
            let config = read(&format!(
                "k3s/{}/config.yaml",
                text(&facts["name"]).unwrap_or_default()
            ));
            nodes.push(node(facts, &config).ok_or_else(|| format!("not read: {facts:?}"))?);
            if facts["role"] == "server" {
                configs.push(config);
            }
        }
        let enough = addresses(&configs);
        nodes.iter_mut().for_each(|node| node.addresses = enough);
        let listed = configs
            .iter()
            .flat_map(|config| each(&config["disable"]).filter_map(text));
        let mut off: BTreeSet<String> = listed.collect();
        let (mut objects, mut seen) = (Vec::new(), BTreeSet::new());
        for (path, bytes) in files {
            let name = path.rsplit('/').next().unwrap_or(path);
            let server = path.starts_with("k3s/") && path.contains("/manifests/");
            let made = server || path.starts_with("manifests/") || path.starts_with("adopted/");
            if !made || name == "kustomization.yaml" {
                continue;
            }
            // Each server has the same files, of which K3s applies those of one.
            if server && !seen.insert(name.to_owned()) {
                continue;
            }
            if let Some(skipped) = name.strip_suffix(".yaml.skip") {
                off.insert(skipped.to_owned());
            } else {
                objects.extend(documents(bytes).map_err(|error| format!("{path}: {error}"))?);
            }
        }
        let service =
            |service: &Value| Some((text(&service["name"])?, count(&service["podsAtPeak"])?));
        Ok(Cluster {
            promises: promises(&report, &nodes),
            others: others(&report),
            at_most: each(&report["services"]).filter_map(service).collect(),
            nodes,
            of_one_pod: of_one_pod(&objects),
            objects,
            off,
        })
    }
}
