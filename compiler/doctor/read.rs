//! JSON of a cluster to what the doctor needs of it: nodes, pods with what they ask for and what became of them,
//! Deployments, quotas. Amounts are bytes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::admission::amount;

/// The JSON of files. `Err` says which of them is none.
pub(super) fn values(files: &[(String, Vec<u8>)]) -> Result<Vec<Value>, String> {
    let mut values = Vec::new();
    for (name, bytes) in files {
        // Several documents may follow each other, as `jq` and `cat` print them.
        for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
            values.push(value.map_err(|error| {
                format!("`{name}` is not JSON: {error}: take `kubectl get .. -o json`")
            })?);
        }
    }
    Ok(values)
}

/// What files say of a cluster.
#[derive(Debug, Default)]
pub(super) struct Cluster<'v> {
    /// Sorted by name.
    pub nodes: Vec<Node<'v>>,
    /// Sorted by namespace and name.
    pub pods: Vec<Pod<'v>>,
    pub deployments: Vec<&'v Value>,
    pub quotas: Vec<&'v Value>,
    /// What could not be read of it.
    pub notes: Vec<String>,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node<'v> {
    pub name: &'v str,
    pub capacity: u64,
    /// What the scheduler may give to pods.
    pub allocatable: u64,
    pub used: Option<Used>,
    pub object: &'v Value,
}

/// What is in use on a node at one moment: working sets, as the kubelet counts them.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub all: Option<u64>,
    /// The cgroup of the K3s service: K3s, containerd and all shims.
    pub k3s: Option<u64>,
    pub pods: Option<u64>,
    /// Working sets of containers by namespace, pod and container.
    pub containers: BTreeMap<(String, String, String), u64>,
}

impl Used {
    /// What is neither of K3s nor of pods.
    pub(super) fn rest(&self) -> Option<u64> {
        self.all?.checked_sub(self.k3s?.saturating_add(self.pods?))
    }
}

/// A pod.
#[derive(Debug)]
pub(super) struct Pod<'v> {
    pub namespace: &'v str,
    pub name: &'v str,
    pub node: Option<&'v str>,
    /// What the scheduler counts.
    pub request: u64,
    /// What its containers with a limit may take.
    pub limit: u64,
    /// Containers without a limit.
    pub unlimited: Vec<&'v str>,
    pub object: &'v Value,
}

impl Pod<'_> {
    /// `shop/api-7c9`.
    pub(super) fn shown(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Whether its containers run, or are to.
    pub(super) fn is_alive(&self) -> bool {
        !matches!(
            text(&self.object["status"]["phase"]),
            "Succeeded" | "Failed"
        )
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

/// A quantity of memory; none if it is not there or not readable.
pub(super) fn bytes(value: &Value) -> Option<u64> {
    let read = match value {
        Value::String(text) => amount(text)?,
        Value::Number(number) => amount(&number.to_string())?,
        _ => return None,
    };
    u64::try_from(read / 1000).ok()
}

/// A working set. 0 says that there is no memory cgroup, not that nothing is in use.
fn working_set(of: &Value) -> Option<u64> {
    of["memory"]["workingSetBytes"]
        .as_u64()
        .filter(|bytes| *bytes > 0)
}

impl<'v> Cluster<'v> {
    /// Sorts out what values are.
    pub(super) fn of(values: &'v [Value]) -> Cluster<'v> {
        let mut cluster = Cluster::default();
        let mut summaries: BTreeMap<&str, &'v Value> = BTreeMap::new();
        let mut queue: Vec<&'v Value> = values.iter().collect();
        queue.reverse();
        while let Some(value) = queue.pop() {
            if let Some(node) = value["node"]["nodeName"].as_str() {
                summaries.insert(node, value);
                continue;
            }
            match text(&value["kind"]) {
                "Node" => cluster.node(value),
                "Pod" => cluster.pod(value),
                "Deployment" => cluster.deployments.push(value),
                "ResourceQuota" => cluster.quotas.push(value),
                _ => queue.extend(items(&value["items"])),
            }
        }
        cluster.nodes.sort_by_key(|node| node.name);
        cluster.nodes.dedup_by_key(|node| node.name);
        cluster.pods.sort_by_key(|pod| (pod.namespace, pod.name));
        cluster.pods.dedup_by_key(|pod| (pod.namespace, pod.name));
        for (name, summary) in summaries {
            match cluster.nodes.iter_mut().find(|node| node.name == name) {
                Some(node) => node.used = Some(used(summary)),
                None => cluster.notes.push(format!(
                    "the summary of node `{name}` is of no node in these files"
                )),
            }
        }
        cluster
    }

    fn node(&mut self, object: &'v Value) {
        let name = text(&object["metadata"]["name"]);
        let of = |key: &str| bytes(&object["status"][key]["memory"]);
        match (of("capacity"), of("allocatable")) {
            (Some(capacity), allocatable) => self.nodes.push(Node {
                name,
                capacity,
                allocatable: allocatable.unwrap_or(capacity),
                used: None,
                object,
            }),
            (None, _) => self
                .notes
                .push(format!("node `{name}` does not say what memory it has")),
        }
    }

    fn pod(&mut self, object: &'v Value) {
        let spec = &object["spec"];
        let (limit, unlimited) = of_pod(spec, "limits");
        let node = spec["nodeName"].as_str().filter(|name| !name.is_empty());
        self.pods.push(Pod {
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
            node,
            request: of_pod(spec, "requests").0,
            limit,
            unlimited,
            object,
        });
    }

    /// Pods whose containers run or are to.
    pub(super) fn alive(&self) -> impl Iterator<Item = &Pod<'v>> {
        self.pods.iter().filter(|pod| pod.is_alive())
    }

    /// What pods of a node request.
    pub(super) fn requested(&self, node: &str) -> u64 {
        let here = self.alive().filter(|pod| pod.node == Some(node));
        here.map(|pod| pod.request).fold(0, u64::saturating_add)
    }

    /// The node with the most memory that is not requested, and how much that is.
    pub(super) fn roomiest(&self) -> Option<(&'v str, u64)> {
        let free = self.nodes.iter().map(|node| {
            let free = node.allocatable.saturating_sub(self.requested(node.name));
            (node.name, free)
        });
        free.max_by_key(|(_, free)| *free)
    }
}

fn used(summary: &Value) -> Used {
    let of = |name: &str| {
        let systems = items(&summary["node"]["systemContainers"]);
        systems
            .clone()
            .find(|system| system["name"] == name)
            .and_then(working_set)
    };
    let mut used = Used {
        all: working_set(&summary["node"]),
        // The kubelet's own cgroup is that of the K3s service.
        k3s: of("kubelet"),
        pods: of("pods"),
        containers: BTreeMap::new(),
    };
    let mut sum = None;
    for pod in items(&summary["pods"]) {
        let part = |key: &str| text(&pod["podRef"][key]).to_owned();
        if let Some(bytes) = working_set(pod) {
            sum = Some(bytes.saturating_add(sum.unwrap_or(0)));
        }
        for container in items(&pod["containers"]) {
            if let Some(bytes) = working_set(container) {
                let name = text(&container["name"]).to_owned();
                used.containers
                    .insert((part("namespace"), part("name"), name), bytes);
            }
        }
    }
    used.pods = used.pods.or(sum);
    used
}

/// What a pod counts for by Kubernetes' formula, and its containers that say nothing of it
/// (component-helpers `PodRequests`): all that run together, or an init container with the sidecars before it.
fn of_pod<'v>(spec: &'v Value, key: &str) -> (u64, Vec<&'v str>) {
    let overhead = bytes(&spec["overhead"]["memory"]).unwrap_or(0);
    let mut without = Vec::new();
    let mut read = |container: &'v Value| {
        let resources = &container["resources"];
        let limit = bytes(&resources["limits"]["memory"]);
        // A request that is left out is the limit (API defaults).
        let found = match key {
            "limits" => limit,
            _ => bytes(&resources[key]["memory"]).or(limit),
        };
        if found.is_none() {
            without.push(text(&container["name"]));
        }
        found.unwrap_or(0)
    };
    let main: u64 = items(&spec["containers"])
        .map(&mut read)
        .fold(0, u64::saturating_add);
    let (mut sidecars, mut peak) = (0_u64, 0_u64);
    for init in items(&spec["initContainers"]) {
        let bytes = read(init);
        if init["restartPolicy"] == "Always" {
            sidecars = sidecars.saturating_add(bytes);
        } else {
            peak = peak.max(sidecars.saturating_add(bytes));
        }
    }
    let containers = main.saturating_add(sidecars).max(peak);
    match bytes(&spec["resources"][key]["memory"]) {
        // What the whole pod is given bounds its containers.
        Some(all) => (all.saturating_add(overhead), Vec::new()),
        None if containers == 0 => (0, without),
        None => (containers.saturating_add(overhead), without),
    }
}

/// `1 pod`, `2 pods`.
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
