//! An object that kustomize changes, the names it has had, and how patches choose it (api/resource, api/types/selector.go).

use regex_lite::Regex;

use crate::manifest::node::Node;

/// What an object is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// Empty for `default`.
    pub(super) namespace: String,
}

/// Kinds whose objects are in no namespace (kyaml openapi, those that are certainly so).
const OF_THE_CLUSTER: [&str; 20] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

impl Id {
    pub(super) fn of(object: &Node) -> Id {
        let api = object.word("apiVersion");
        let (group, version) = api.rsplit_once('/').unwrap_or(("", api));
        let metadata = |key: &str| object.down(&["metadata", key]).and_then(Node::text);
        let namespace = metadata("namespace").unwrap_or_default();
        Id {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: object.word("kind").to_owned(),
            name: metadata("name").unwrap_or_default().to_owned(),
            namespace: match namespace {
                "default" => String::new(),
                other => other.to_owned(),
            },
        }
    }

    /// Whether its kind is in no namespace.
    pub(super) fn is_of_the_cluster(&self) -> bool {
        let of_kubernetes = !self.group.contains('.') || self.group.ends_with(".k8s.io");
        of_kubernetes && OF_THE_CLUSTER.contains(&self.kind.as_str())
    }

    /// Whether kustomize has the schema of its API, and merges its lists item by item.
    pub(super) fn has_schema(&self) -> bool {
        let versions: &[&str] = match self.group.as_str() {
            "" | "apps" | "batch" | "policy" => &["v1"],
            "autoscaling" => &["v1", "v2"],
            _ => return self.group.ends_with(".k8s.io"),
        };
        versions.contains(&self.version.as_str())
    }

    /// The object in words.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// An object on its way through kustomizations.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    pub(super) node: Node,
    /// What it was known by before, the first first.
    pub(super) before: Vec<Id>,
    /// What was put before and behind its name.
    pub(super) affixes: Vec<(bool, String)>,
}

impl Resource {
    pub(super) fn new(node: Node) -> Resource {
        Resource {
            node,
            before: Vec::new(),
            affixes: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> Id {
        Id::of(&self.node)
    }

    /// Remembers what it is known by, before that changes.
    pub(super) fn remember(&mut self) {
        let id = self.id();
        if !self.before.contains(&id) {
            self.before.push(id);
        }
    }

    /// All that it is and was known by.
    pub(super) fn ids(&self) -> Vec<Id> {
        let mut ids = self.before.clone();
        ids.push(self.id());
        ids
    }
}

/// Which objects a patch is about.
#[derive(Debug)]
pub(super) struct Selector {
    parts: [(&'static str, Option<Regex>); 5],
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// A requirement of a label selector: a key, the values, and whether it is to have one of these.
#[derive(Debug)]
struct Requirement {
    key: String,
    values: Option<Vec<String>>,
    wanted: bool,
}

impl Selector {
    /// Reads `target` of a patch.
    pub(super) fn new(target: &Node) -> Result<Selector, String> {
        let keys = ["group", "version", "kind", "name", "namespace"];
        let mut parts = keys.map(|key| (key, None));
        for (key, part) in &mut parts {
            let text = target.word(key);
            if !text.is_empty() {
                let anchored = format!("^(?:{text})$");
                let regex = Regex::new(&anchored);
                *part = Some(regex.map_err(|_| format!("`{text}` is no expression bzc reads"))?);
            }
        }
        Ok(Selector {
            parts,
            labels: requirements(target.word("labelSelector"))?,
            annotations: requirements(target.word("annotationSelector"))?,
        })
    }

    pub(super) fn takes(&self, resource: &Resource) -> bool {
        let now = resource.id();
        let first = resource.before.first().unwrap_or(&now);
        let namespace = |id: &Id| match id.namespace.as_str() {
            "" => "default".to_owned(),
            other => other.to_owned(),
        };
        let matches = self.parts.iter().all(|(key, regex)| {
            let is = |text: &str| regex.as_ref().is_none_or(|regex| regex.is_match(text));
            match *key {
                "group" => is(&now.group),
                "version" => is(&now.version),
                "kind" => is(&now.kind),
                "name" => is(&first.name) || is(&now.name),
                _ => is(&namespace(first)) || is(&namespace(&now)),
            }
        });
        let has = |all: &[Requirement], list: &str| {
            let marks = resource.node.down(&["metadata", list]);
            all.iter().all(|one| one.holds(marks))
        };
        matches && has(&self.labels, "labels") && has(&self.annotations, "annotations")
    }
}

impl Requirement {
    fn holds(&self, marks: Option<&Node>) -> bool {
        let value = marks.and_then(|marks| marks.get(&self.key));
        let value = value.and_then(Node::text);
        let has = match &self.values {
            None => value.is_some(),
            Some(values) => value.is_some_and(|value| values.iter().any(|one| one == value)),
        };
        has == self.wanted
    }
}

/// Reads a label selector, such as `app=web,tier in (a, b),!old`.
fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let open = rest.find('(').unwrap_or(rest.len());
        let comma = rest.find(',').unwrap_or(rest.len());
        let end = match open < comma {
            true => rest.find(')').map_or(rest.len(), |at| at + 1),
            false => comma,
        };
        let (one, more) = rest.split_at(end);
        rest = more.trim_start().trim_start_matches(',').trim_start();
        all.push(requirement(one.trim())?);
    }
    Ok(all)
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let made = |key: &str, values: Option<Vec<&str>>, wanted| Requirement {
        key: key.trim().to_owned(),
        values: values.map(|all| all.iter().map(|one| one.trim().to_owned()).collect()),
        wanted,
    };
    if let Some((key, list)) = text.split_once('(') {
        let list = list.trim_end_matches(')').split(',').collect();
        let key = key.trim();
        return match (key.strip_suffix(" notin"), key.strip_suffix(" in")) {
            (Some(key), _) => Ok(made(key, Some(list), false)),
            (_, Some(key)) => Ok(made(key, Some(list), true)),
            _ => Err(format!("`{text}` is no selector bzc reads")),
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(made(key, Some(vec![value]), false));
    }
    if let Some((key, value)) = text.split_once('=') {
        return Ok(made(key, Some(vec![value.trim_start_matches('=')]), true));
    }
    match text.strip_prefix('!') {
        Some(key) => Ok(made(key, None, false)),
        None => Ok(made(text, None, true)),
    }
}
