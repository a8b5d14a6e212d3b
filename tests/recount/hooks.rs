//! When Helm runs hooks, and what runs of their releases then (helm.sh/docs/topics/charts_hooks).

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::pods::Workload;

/// What runs of a release while Helm runs a hook of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Nothing: it is being installed.
    Before,
    /// No pods of a rollout: Helm has not applied the new version, or there was none before.
    Rest,
    /// All pods of a rollout.
    Rollout,
}

/// A hook while it runs.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) object: String,
    pub(super) release: Option<String>,
    pub(super) phase: Phase,
}

/// What happens at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    pub(super) wave: Option<String>,
    pub(super) hook: Option<Hook>,
}

/// When Helm runs an object as a hook, if it is a Job or a Pod that ends. Of several events the one counts at which most
/// runs beside it, and `helm test` may come at any time.
pub(super) fn hook_of(object: &Value) -> Option<Phase> {
    let ends = match object["kind"].as_str()? {
        "Job" => true,
        "Pod" => ["Never", "OnFailure"].contains(&object["spec"]["restartPolicy"].as_str()?),
        _ => false,
    };
    let hook = object["metadata"]["annotations"]["helm.sh/hook"].as_str();
    let phase = |event: &str| {
        Some(match event.trim() {
            "pre-install" => Phase::Before,
            "post-install" | "pre-upgrade" | "pre-rollback" => Phase::Rest,
            "post-upgrade" | "post-rollback" | "test" | "pre-delete" | "post-delete" => {
                Phase::Rollout
            }
            _ => return None,
        })
    };
    let phases: Option<Vec<Phase>> = hook.filter(|_| ends)?.split(',').map(phase).collect();
    phases?.into_iter().max()
}

/// The release that an object of the file at a path is of: by the chart that the file is rendered from, by its label, or
/// by the file that somebody rendered.
pub(super) fn release_of(object: &Value, path: &str) -> Option<String> {
    let metadata = &object["metadata"];
    match metadata["labels"]["app.kubernetes.io/instance"].as_str() {
        _ if path.starts_with("helm/") => Some(path.to_owned()),
        Some(name) => Some(format!("{:?}/{name}", metadata["namespace"].as_str())),
        None => metadata["uid"].is_null().then(|| path.to_owned()),
    }
}

/// All moments that differ in what is there.
pub(super) fn moments(workloads: &BTreeMap<String, Workload>) -> Vec<Moment> {
    let waves: BTreeSet<Option<String>> = workloads.values().map(|w| w.wave.clone()).collect();
    let waves: BTreeSet<Option<String>> = waves.into_iter().chain([None]).collect();
    let hook = |w: &Workload| {
        Some(Hook {
            object: w.object.clone(),
            release: w.release.clone(),
            phase: w.hook?,
        })
    };
    let hooks: Vec<Hook> = workloads.values().filter_map(hook).collect();
    let at = |wave: Option<String>| {
        let hooks = hooks.iter().cloned().map(Some);
        [None].into_iter().chain(hooks).map(move |hook| Moment {
            wave: wave.clone(),
            hook,
        })
    };
    waves.into_iter().flat_map(at).collect()
}
