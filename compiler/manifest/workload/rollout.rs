//! How workloads roll out: the pods that they start before others leave, and those that they may miss.

use super::reader::Reader;
use super::{Fault, Surge, Unavailable, Workload, WorkloadKind};
use crate::manifest::tree::Yaml;

impl<'t> Reader<'t> {
    /// The surge of a rollout, with the defaults of Kubernetes.
    pub(super) fn rollout(&self, spec: &'t Yaml, workload: &mut Workload) -> Result<(), Fault> {
        let strategy = match workload.kind {
            WorkloadKind::Deployment => self.get(spec, "strategy"),
            WorkloadKind::DaemonSet => self.get(spec, "updateStrategy"),
            _ => return Ok(()),
        };
        let rolling = strategy.and_then(|strategy| self.get(strategy, "rollingUpdate"));
        workload.has_rolling_update = rolling.is_some();
        let written = rolling.and_then(|rolling| self.get(rolling, "maxSurge"));
        let surge = written.map_or(Ok(Surge::Percent(25)), |node| self.surge(node))?;
        if workload.kind == WorkloadKind::DaemonSet {
            let kind = strategy.and_then(|strategy| self.text(strategy, "type"));
            let rolls = kind.as_deref() != Some("OnDelete");
            if let (Some(_), Surge::Pods(1..) | Surge::Percent(1..)) = (written, surge)
                && rolls
            {
                workload.surge = surge;
            }
            return Ok(());
        }
        workload.unavailable = self.unavailable(rolling)?;
        let kind = strategy.and_then(|strategy| self.text(strategy, "type"));
        workload.surge = if kind.as_deref() == Some("Recreate") {
            Surge::Recreate
        } else {
            surge
        };
        Ok(())
    }

    /// `maxUnavailable` of a Deployment.
    fn unavailable(&self, rolling: Option<&'t Yaml>) -> Result<Unavailable, Fault> {
        let Some(node) = rolling.and_then(|rolling| self.get(rolling, "maxUnavailable")) else {
            return Ok(Unavailable::Percent(25));
        };
        let text = node.text(self.source).unwrap_or_default();
        let parsed = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(Unavailable::Percent),
            None => text.parse().ok().map(Unavailable::Pods),
        };
        let small = parsed.filter(|unavailable| {
            !matches!(
                unavailable,
                Unavailable::Pods(100_001..) | Unavailable::Percent(101..)
            )
        });
        small.ok_or_else(|| Fault {
            at: node.range(),
            what: format!("`{text}` is no `maxUnavailable`"),
        })
    }

    /// A `maxSurge`: a number of pods or a percentage.
    pub(super) fn surge(&self, node: &'t Yaml) -> Result<Surge, Fault> {
        let text = node.text(self.source).unwrap_or_default();
        let parsed = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(Surge::Percent),
            None => text.parse().ok().map(Surge::Pods),
        };
        let small = parsed
            .filter(|surge| !matches!(surge, Surge::Pods(100_001..) | Surge::Percent(1001..)));
        small.ok_or_else(|| Fault {
            at: node.range(),
            what: format!("`{text}` is no `maxSurge`"),
        })
    }
}
