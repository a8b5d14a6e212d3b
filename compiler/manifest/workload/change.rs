//! Objects that make no pods and change those of others: webhooks, RuntimeClasses with an overhead.

use super::reader::Reader;
use crate::manifest::tree::Yaml;

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
