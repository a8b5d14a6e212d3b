//! Objects that make no pods and change those of others: kustomizations, webhooks, RuntimeClasses with an overhead.

use std::collections::BTreeSet;

use super::reader::Reader;
use crate::manifest::tree::{Fault, Kind, Yaml};

/// What a kustomization says of the files that it names.
#[derive(Debug, Clone)]
pub(crate) struct Kustomization {
    /// The namespace that it puts their objects into.
    pub namespace: Option<String>,
    /// The files beside it.
    pub files: BTreeSet<String>,
    /// A field by which it changes pods, or brings some that no file beside it has.
    pub changes: Option<&'static str>,
}

/// The group of kustomizations, which is no API of a cluster.
const GROUP: &str = "kustomize.config.k8s.io";

/// Fields by which pods come out otherwise than the files say (kustomize api/types/kustomization.go). Names, labels,
/// annotations, images, ConfigMaps and Secrets change nothing that is counted.
const CHANGING: [&str; 13] = [
    "bases",
    "components",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "replicas",
    "transformers",
    "validators",
    "vars",
];

/// Resources that are pods or make them, as rules of webhooks name them.
const OF_PODS: [&str; 8] = [
    "cronjobs",
    "daemonsets",
    "deployments",
    "jobs",
    "pods",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
];

/// The groups of these resources.
const GROUPS: [&str; 4] = ["", "*", "apps", "batch"];

/// What of a resource, named behind a slash, says what its pods have or how many there are: of others, such as
/// `pods/binding` and `pods/exec`, no container comes.
const PARTS: [&str; 4] = ["*", "ephemeralcontainers", "resize", "scale"];

/// What is done to an object when a webhook may change it.
const CHANGES: [&str; 3] = ["*", "CREATE", "UPDATE"];

impl<'t> Reader<'t> {
    /// A kustomization: by its group, or where it says neither `kind` nor `apiVersion`, by a list of what it takes.
    pub(super) fn kustomization(&self, root: &'t Yaml) -> Result<Option<Kustomization>, Fault> {
        let api_version = self.text(root, "apiVersion");
        let named = api_version
            .as_deref()
            .is_some_and(|text| text.starts_with(GROUP));
        let is_list = |node: &Yaml| matches!(node.kind, Kind::List(..));
        let bare = api_version.is_none()
            && self.get(root, "kind").is_none()
            && self.get(root, "resources").is_some_and(is_list);
        if !named && !bare {
            return Ok(None);
        }
        let mut changes = CHANGING
            .into_iter()
            .find(|key| self.get(root, key).is_some());
        let mut files = BTreeSet::new();
        for resource in self.items(root, "resources")? {
            let text = self.real(resource).and_then(|one| one.text(self.source));
            let text = text.unwrap_or_default().trim_start_matches("./");
            let is_file = [".yaml", ".yml", ".json"]
                .iter()
                .any(|end| text.ends_with(end));
            match is_file && !text.contains("://") && !text.starts_with("..") {
                true => {
                    files.insert(text.to_owned());
                }
                false => changes = changes.or(Some("resources")),
            }
        }
        Ok(Some(Kustomization {
            namespace: self.text(root, "namespace"),
            files,
            changes,
        }))
    }

    /// Why an object of this kind may change pods of others so that they are not what was counted; none where it is known
    /// that it does not, or where the kind is another.
    pub(super) fn may_change_pods(&self, object: &'t Yaml, kind: &str) -> Option<&'static str> {
        let spec = self.get(object, "spec");
        match kind {
            "MutatingWebhookConfiguration" => {
                let webhooks = self.list_at(object, "webhooks");
                let mut rules = webhooks.flat_map(|hook| self.list_at(hook, "rules"));
                rules
                    .any(|rule| self.is_of_pods(rule))
                    .then_some("its webhook may change pods before they are made")
            }
            "MutatingAdmissionPolicy" => {
                let matches = spec.and_then(|spec| self.get(spec, "matchConstraints"));
                let mut rules = matches
                    .into_iter()
                    .flat_map(|one| self.list_at(one, "resourceRules"));
                rules
                    .any(|rule| self.is_of_pods(rule))
                    .then_some("it may change pods before they are made")
            }
            "RuntimeClass" => {
                let overhead = self.get(object, "overhead")?;
                self.get(overhead, "podFixed")
                    .map(|_| "pods of it ask for its `overhead` too, which bzc does not count")
            }
            _ => None,
        }
    }

    fn list_at(&self, of: &'t Yaml, key: &str) -> impl Iterator<Item = &'t Yaml> + use<'t> {
        self.get(of, key).map_or(&[][..], Yaml::items).iter()
    }

    /// Whether a rule is about pods or what makes them. What it leaves out counts as all.
    fn is_of_pods(&self, rule: &'t Yaml) -> bool {
        let lists = |key: &str, of: &dyn Fn(&str) -> bool| {
            let mut all = self.list_at(rule, key).peekable();
            all.peek().is_none() || all.any(|one| of(one.text(self.source).unwrap_or_default()))
        };
        let is_of_pods = |name: &str| {
            let (resource, part) = name.split_once('/').unwrap_or((name, "*"));
            (resource == "*" || OF_PODS.contains(&resource)) && PARTS.contains(&part)
        };
        lists("apiGroups", &|group| GROUPS.contains(&group))
            && lists("operations", &|operation| CHANGES.contains(&operation))
            && lists("resources", &is_of_pods)
    }
}
