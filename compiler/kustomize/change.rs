//! What a kustomization changes of all objects that it has: namespaces, names, labels, annotations, replicas, and the
//! names by which objects name each other (api/internal/konfig/builtinpluginconsts).

use super::resource::{Id, Resource};
use crate::manifest::node::{Kind, Node};

/// Puts all objects that can be in a namespace into this one.
pub(super) fn namespace(all: &mut [Resource], given: &Node) {
    for resource in all {
        let id = resource.id();
        resource.remember();
        if id.kind == "Namespace" && id.group.is_empty() {
            resource.node.put(&["metadata", "name"], given.clone());
        } else if !id.is_of_the_cluster() {
            resource.node.put(&["metadata", "namespace"], given.clone());
        }
    }
}

/// Puts a text before or behind all names.
pub(super) fn affix(all: &mut [Resource], text: &str, is_prefix: bool) {
    for resource in all {
        let id = resource.id();
        let keeps = ["CustomResourceDefinition", "Namespace", "APIService"];
        if keeps.contains(&id.kind.as_str()) {
            continue;
        }
        resource.remember();
        resource.affixes.push((is_prefix, text.to_owned()));
        if let Some(name) = resource.node.down_mut(&["metadata", "name"]) {
            let longer = match is_prefix {
                true => format!("{text}{}", id.name),
                false => format!("{}{text}", id.name),
            };
            *name = Node::scalar(name.at, &longer);
        }
    }
}

/// The way from an object to the spec of its pods.
fn pod_of(id: &Id) -> Option<&'static [&'static str]> {
    let core = ["", "apps", "batch"].contains(&id.group.as_str());
    match id.kind.as_str() {
        _ if !core => None,
        "Pod" => Some(&["spec"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Job" => Some(&["spec", "template", "spec"]),
        _ => None,
    }
}

/// Puts labels or annotations (`list`) on all objects; on their pods too, and on what selects these, where that is asked.
pub(super) fn marks(
    all: &mut [Resource],
    list: &'static str,
    pairs: &Node,
    on_pods: bool,
    selects: bool,
) {
    for resource in all {
        let mut ways: Vec<Vec<&str>> = vec![vec!["metadata", list]];
        let pod = pod_of(&resource.id());
        if let Some(pod) = pod.filter(|pod| on_pods && pod.len() > 1) {
            for end in 1..pod.len() {
                if pod[end - 1].ends_with("emplate") {
                    let mut way = pod[..end].to_vec();
                    way.extend(["metadata", list]);
                    ways.push(way);
                }
            }
        }
        for (key, value) in pairs.entries() {
            for way in &ways {
                let mut way = way.clone();
                way.push(key.text().unwrap_or_default());
                resource.node.put(&way, value.clone());
            }
        }
        if let Some(pod) = pod.filter(|_| selects) {
            select(&mut resource.node, pod, pairs);
        }
    }
}

/// Puts labels into what the pods of an object say of other pods: nearness, distance, spreading.
fn select(object: &mut Node, pod: &[&str], pairs: &Node) {
    let Some(pod) = object.down_mut(pod) else {
        return;
    };
    let add = |term: &mut Node| {
        if let Some(labels) = term.down_mut(&["labelSelector", "matchLabels"]) {
            for (key, value) in pairs.entries() {
                labels.put(&[key.text().unwrap_or_default()], value.clone());
            }
        }
    };
    for affinity in ["podAffinity", "podAntiAffinity"] {
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let terms = pod.down_mut(&["affinity", affinity, required]);
        items_mut(terms).iter_mut().for_each(add);
    }
    let spreads = pod.get_mut("topologySpreadConstraints");
    items_mut(spreads).iter_mut().for_each(add);
}

fn items_mut(list: Option<&mut Node>) -> &mut [Node] {
    match list.map(|list| &mut list.kind) {
        Some(Kind::List(items)) => items,
        _ => &mut [],
    }
}

/// Kinds that have `replicas` for kustomize.
const REPLICATED: [&str; 4] = [
    "Deployment",
    "ReplicationController",
    "ReplicaSet",
    "StatefulSet",
];

/// Sets the replicas of what has a name; false if nothing has it.
pub(super) fn replicas(all: &mut [Resource], name: &str, count: &Node) -> bool {
    let mut found = false;
    for resource in all {
        let ids = resource.ids();
        let is_it = |id: &Id| id.name == name && REPLICATED.contains(&id.kind.as_str());
        if ids.iter().any(is_it) {
            resource.node.put(&["spec", "replicas"], count.clone());
            found = true;
        }
    }
    found
}

/// What an object was known by before, what by now, and what was put around its name.
type Known = (Vec<Id>, Id, Vec<(bool, String)>);

/// Gives the names by which objects name each other what became of these. Of all such names only those are followed that
/// say something of pods: what an autoscaler scales, claims, classes of priority and of storage.
pub(super) fn references(all: &mut [Resource]) {
    let known: Vec<Known> = all
        .iter()
        .map(|one| (one.before.clone(), one.id(), one.affixes.clone()))
        .collect();
    for resource in all {
        let (id, affixes) = (resource.id(), resource.affixes.clone());
        let rename = |kind: &str, name: &mut Node| {
            let old = name.text().unwrap_or_default();
            let mut found: Vec<_> = known
                .iter()
                .filter(|(before, now, _)| {
                    now.kind == kind && before.iter().chain([now]).any(|one| one.name == old)
                })
                .collect();
            let near = |one: &&Known| one.1.is_of_the_cluster() || one.1.namespace == id.namespace;
            if found.iter().any(near) {
                found.retain(near);
            }
            if found.iter().any(|one| one.2 == affixes) {
                found.retain(|one| one.2 == affixes);
            }
            if let Some((_, now, _)) = found.first() {
                *name = Node::scalar(name.at, &now.name);
            }
        };
        let node = &mut resource.node;
        let target = ["spec", "scaleTargetRef"];
        if id.kind == "HorizontalPodAutoscaler"
            && let Some(target) = node.down_mut(&target)
        {
            let kind = target.word("kind").to_owned();
            target
                .get_mut("name")
                .into_iter()
                .for_each(|name| rename(&kind, name));
        }
        if id.kind == "PersistentVolumeClaim" {
            let class = node.down_mut(&["spec", "storageClassName"]);
            class
                .into_iter()
                .for_each(|name| rename("StorageClass", name));
        }
        for claim in items_mut(node.down_mut(&["spec", "volumeClaimTemplates"])) {
            let class = claim.down_mut(&["spec", "storageClassName"]);
            class
                .into_iter()
                .for_each(|name| rename("StorageClass", name));
        }
        let Some(pod) = pod_of(&id).and_then(|way| node.down_mut(way)) else {
            continue;
        };
        let class = pod.get_mut("priorityClassName");
        class
            .into_iter()
            .for_each(|name| rename("PriorityClass", name));
        for volume in items_mut(pod.get_mut("volumes")) {
            let claim = volume.down_mut(&["persistentVolumeClaim", "claimName"]);
            claim
                .into_iter()
                .for_each(|name| rename("PersistentVolumeClaim", name));
        }
    }
}
