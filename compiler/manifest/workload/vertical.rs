//! VerticalPodAutoscalers: they make no pods, and change what those of others ask for
//! (kubernetes/autoscaler vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1/types.go).

use std::ops::Range;

use super::quiet::Uncounted;
use super::reader::{Amount, Reader};
use crate::manifest::tree::{Fault, Yaml};

/// An object that changes what pods of a workload ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vertical {
    /// The kind of the workload.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Where its name stands.
    pub at: Range<usize>,
    /// What it may give containers.
    policies: Vec<Policy>,
    /// What it is where nothing of that kind and name was adopted.
    pub alone: Uncounted,
    /// What it is where a container of the workload has no most that it may be given.
    pub open: Uncounted,
}

/// What containers may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The container; `*` means all that no other policy is about.
    container: String,
    /// Of memory.
    pub memory: Given,
    /// Of CPU.
    pub cpu: Given,
    /// Whether the limit follows the request, in the proportion that the workload gives.
    pub with_limits: bool,
}

/// How much of a resource a container may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// Its own amount stays.
    Nothing,
    /// Any amount.
    Anything,
    /// At most this request.
    Most(Amount),
}

impl Vertical {
    /// What a container may be given; `None` where it may be given anything.
    pub(crate) fn of(&self, container: &str) -> Option<&Policy> {
        let find = |name: &str| self.policies.iter().find(|one| one.container == name);
        let policy = find(container).or(find("*"))?;
        let is_open = |given: &Given| matches!(given, Given::Anything);
        (!is_open(&policy.memory) && !is_open(&policy.cpu)).then_some(policy)
    }
}

impl Given {
    /// The most, if it is given at all.
    pub(crate) fn most(&self) -> Option<&Amount> {
        match self {
            Given::Most(amount) => Some(amount),
            Given::Nothing | Given::Anything => None,
        }
    }
}

impl<'t> Reader<'t> {
    /// What a VerticalPodAutoscaler changes. None where its `updateMode` is `Off`, or where it is not whole.
    pub(super) fn vertical(
        &self,
        object: &'t Yaml,
        spec: &'t Yaml,
        namespace: Option<String>,
        uncounted: &dyn Fn(String) -> Uncounted,
    ) -> Result<Option<Vertical>, Fault> {
        let update = self.get(spec, "updatePolicy");
        let mode = update.and_then(|update| self.text(update, "updateMode"));
        let target = self.get(spec, "targetRef");
        let target = target
            .and_then(|target| Some((self.text(target, "kind")?, self.text(target, "name")?)));
        let Some((kind, name)) = target.filter(|_| mode.as_deref() != Some("Off")) else {
            return Ok(None);
        };
        let mut policies = Vec::new();
        if let Some(policy) = self.get(spec, "resourcePolicy") {
            for one in self.items(policy, "containerPolicies")? {
                policies.extend(self.policy(one, self.get(spec, "startupBoost").is_some())?);
            }
        }
        let alone = format!("it resizes pods of `{kind} {name}`, which no adopted manifest has");
        let open = "it may give a container any amount of memory or CPU: `maxAllowed` says no most";
        Ok(Some(Vertical {
            kind,
            name,
            namespace,
            at: self.named_at(object),
            policies,
            alone: uncounted(alone),
            open: uncounted(open.to_owned()),
        }))
    }

    /// A policy. While a container starts, `startupBoost` gives it CPU past its most.
    fn policy(&self, policy: &'t Yaml, is_boosted: bool) -> Result<Option<Policy>, Fault> {
        let Some(policy) = self.real(policy) else {
            return Ok(None);
        };
        let is_off = self.text(policy, "mode").as_deref() == Some("Off");
        let controlled = match self.get(policy, "controlledResources") {
            Some(list) => list
                .items()
                .iter()
                .filter_map(|one| one.text(self.source))
                .collect(),
            None => vec!["cpu", "memory"],
        };
        let is_boosted = is_boosted || self.get(policy, "startupBoost").is_some();
        let given = |resource: &'static str| {
            if resource == "cpu" && is_boosted {
                return Ok(Given::Anything);
            }
            if is_off || !controlled.contains(&resource) {
                return Ok(Given::Nothing);
            }
            let most = match self.get(policy, "maxAllowed") {
                Some(most) => self.amount(most, resource)?,
                None => None,
            };
            // vertical-pod-autoscaler/pkg/utils/vpa/capping.go: a most of nothing is none.
            let most = most.filter(|amount| amount.n > 0);
            Ok(most.map_or(Given::Anything, Given::Most))
        };
        Ok(Some(Policy {
            container: self.text(policy, "containerName").unwrap_or_default(),
            memory: given("memory")?,
            cpu: given("cpu")?,
            with_limits: self.text(policy, "controlledValues").as_deref() != Some("RequestsOnly"),
        }))
    }
}
