//! What a dump of a cluster and a rendered chart say of pods that do not count, or not here: what a controller made,
//! which counts with the controller; what has ended; what is suspended; and hooks that Helm runs for nothing but a test
//! or a removal.

use std::ops::Range;

use super::reader::Reader;
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

/// The events that belong to no installation, upgrade or rollback (helm.sh/docs/topics/charts_hooks).
const BESIDE_RELEASES: [&str; 5] = [
    "post-delete",
    "pre-delete",
    "test",
    "test-failure",
    "test-success",
];

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
        let metadata = self.get(object, "metadata")?;
        let hook = self.get(self.get(metadata, "annotations")?, HOOK)?;
        let mut events = hook.text(self.source)?.split(',').map(str::trim);
        events
            .all(|event| BESIDE_RELEASES.contains(&event))
            .then(|| hook.range())
    }
}
