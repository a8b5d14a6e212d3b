//! What a dump of a cluster and a rendered chart say of pods that do not count, or not here: what a controller made,
//! which counts with the controller; what has ended; what is suspended; and hooks of Helm, which run at their moment.

use std::ops::Range;

use super::reader::Reader;
use crate::manifest::kind::WorkloadKind;
use crate::manifest::tree::{Fault, Yaml};

/// The controller that an object says has made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, which only the labels of K3s's load balancer say; else that of what it made.
    pub namespace: Option<String>,
}

/// The annotation that makes an object of a chart a hook of Helm, with the events at which Helm applies it.
const HOOK: &str = "helm.sh/hook";

/// The label by which charts name their release (helm.sh/docs/chart_best_practices/labels).
const INSTANCE: &str = "app.kubernetes.io/instance";

/// What else runs of a release while Helm runs one of its hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HookPhase {
    /// Nothing: the release is being installed, and Helm waits for the hook before it applies anything else.
    Before,
    /// What runs of it at rest: Helm waits for the hook before it applies the new version, or has just installed it.
    Rest,
    /// What runs of it during a rollout: Helm has applied the new version and need not have waited for it.
    Rollout,
}

/// When Helm runs a hook at an event (helm.sh/docs/topics/charts_hooks): nothing within for one that belongs to no
/// installation, upgrade or rollback, and none for what is no event.
fn phase(event: &str) -> Option<Option<HookPhase>> {
    Some(match event.trim().to_lowercase().as_str() {
        "post-delete" | "pre-delete" | "test" | "test-failure" | "test-success" => None,
        "pre-install" => Some(HookPhase::Before),
        // Of a new release nothing is replaced.
        "post-install" | "pre-rollback" | "pre-upgrade" => Some(HookPhase::Rest),
        "post-rollback" | "post-upgrade" => Some(HookPhase::Rollout),
        _ => return None,
    })
}

/// The annotation of a Job that somebody started by hand out of a CronJob: it runs beside those of the schedule
/// (kubectl, `create job --from`).
const BY_HAND: &str = "cronjob.kubernetes.io/instantiate";

/// What only the API server writes.
const OF_THE_SERVER: [&str; 3] = ["ownerReferences", "resourceVersion", "uid"];

/// The labels in which K3s says for which Service it made a DaemonSet (k3s pkg/cloudprovider/servicelb.go).
const OF_SERVICE: [&str; 2] = [
    "svccontroller.k3s.cattle.io/svcname",
    "svccontroller.k3s.cattle.io/svcnamespace",
];

impl<'t> Reader<'t> {
    /// The controller that made an object and replaces it.
    pub(super) fn owner(&self, metadata: &'t Yaml) -> Result<Option<Owner>, Fault> {
        let annotations = self.get(metadata, "annotations");
        if annotations.is_some_and(|all| self.get(all, BY_HAND).is_some()) {
            return Ok(None);
        }
        let labels = self.get(metadata, "labels");
        let of_service = labels.map(|labels| OF_SERVICE.map(|key| self.text(labels, key)));
        if let Some([Some(name), namespace @ Some(_)]) = of_service {
            return Ok(Some(Owner {
                kind: "Service".to_owned(),
                name,
                namespace,
            }));
        }
        let mut owners = self.items(metadata, "ownerReferences")?.iter();
        let owner = owners.find(|owner| self.text(owner, "controller").as_deref() == Some("true"));
        Ok(owner.and_then(|owner| {
            Some(Owner {
                kind: self.text(owner, "kind")?,
                name: self.text(owner, "name")?,
                namespace: None,
            })
        }))
    }

    /// Whether an object comes from a cluster rather than from somebody who wrote it.
    pub(super) fn is_from_cluster(&self, metadata: Option<&'t Yaml>) -> bool {
        let has = |key: &&str| metadata.is_some_and(|metadata| self.get(metadata, key).is_some());
        OF_THE_SERVER.iter().any(has)
    }

    /// Whether an object of this kind is a Pod or a Job that has ended, well or not: its status says so, and no pod of it
    /// runs again.
    pub(super) fn has_ended(&self, object: &'t Yaml, kind: &str) -> Result<bool, Fault> {
        let Some(status) = self.get(object, "status") else {
            return Ok(false);
        };
        Ok(match kind {
            "Pod" => {
                let phase = self.text(status, "phase");
                matches!(phase.as_deref(), Some("Succeeded" | "Failed"))
            }
            "Job" => self.items(status, "conditions")?.iter().any(|condition| {
                let kind = self.text(condition, "type");
                matches!(kind.as_deref(), Some("Complete" | "Failed"))
                    && self.text(condition, "status").as_deref() == Some("True")
            }),
            _ => false,
        })
    }

    /// Where a workload says that none of its pods is to run: `suspend: true` of a Job or a CronJob, or a hook of Helm
    /// for a test or a removal.
    pub(super) fn idle(&self, object: &'t Yaml, kind: &str) -> Option<Range<usize>> {
        let suspend = self
            .get(object, "spec")
            .and_then(|spec| self.get(spec, "suspend"));
        let suspends = matches!(kind, "Job" | "CronJob");
        if let Some(suspend) = suspend.filter(|_| suspends)
            && suspend.text(self.source) == Some("true")
        {
            return Some(suspend.range());
        }
        let hook = self.hook_events(object)?;
        let mut events = hook.text(self.source)?.split(',');
        let is_free = events.all(|event| phase(event) == Some(None));
        is_free.then(|| hook.range())
    }

    fn hook_events(&self, object: &'t Yaml) -> Option<&'t Yaml> {
        let metadata = self.get(object, "metadata")?;
        self.get(self.get(metadata, "annotations")?, HOOK)
    }

    /// When Helm runs a workload that is a hook: a Job, or a Pod that ends. Of several events that counts which leaves
    /// most to run beside it; a test that is one of them may come at any time. Any other object that Helm applies as a
    /// hook runs on, and none is a hook to Helm with an event that it does not know.
    pub(super) fn hook(
        &self,
        object: &'t Yaml,
        kind: WorkloadKind,
        pod: &'t Yaml,
    ) -> Option<HookPhase> {
        let policy = self.text(pod, "restartPolicy");
        let ends = match kind {
            WorkloadKind::Job => true,
            WorkloadKind::Pod => matches!(policy.as_deref(), Some("Never" | "OnFailure")),
            _ => false,
        };
        let events = self.hook_events(object).filter(|_| ends)?;
        let events = events.text(self.source)?.split(',');
        let phases: Vec<Option<HookPhase>> = events.map(phase).collect::<Option<_>>()?;
        if phases.contains(&None) || phases.contains(&Some(HookPhase::Rollout)) {
            return Some(HookPhase::Rollout);
        }
        match phases.contains(&Some(HookPhase::Rest)) {
            true => Some(HookPhase::Rest),
            false => Some(HookPhase::Before),
        }
    }

    /// The release that an object belongs to, by its label.
    pub(super) fn instance(&self, object: &'t Yaml) -> Option<String> {
        let labels = self.get(self.get(object, "metadata")?, "labels")?;
        self.text(labels, INSTANCE)
    }
}
