//! ResourceQuotas: which pods and objects one counts, by how much, and what it refuses
//! (`pkg/quota/v1/evaluator/core/`, `apiserver/pkg/admission/plugin/resourcequota/controller.go`).

use std::collections::BTreeMap;

use super::{Amount, Container, Pod, Resources, add, pieces};

/// A ResourceQuota.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Quota {
    /// How much of each resource.
    pub hard: Resources,
    /// Which pods it counts: those for which all of these hold. With one, it counts nothing but pods and claims.
    pub scopes: Vec<Scope>,
}

/// One of the conditions of a quota: an entry of `scopes`, or of `scopeSelector.matchExpressions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Its name.
    pub name: String,
    /// How `values` are compared.
    pub test: Test,
    /// What a class of priority is compared with.
    pub values: Vec<String>,
}

/// How the class of a pod is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// There is one.
    Exists,
    /// There is none.
    DoesNotExist,
    /// It is one of the values.
    In,
    /// It is none of the values.
    NotIn,
}

impl Quota {
    /// Whether it counts a pod (`podMatchesScopeFunc`). Of a scope that Kubernetes does not know no pod is.
    pub(crate) fn counts_pod(&self, pod: &Pod) -> bool {
        self.hard.keys().any(|resource| is_of_pods(resource))
            && self.scopes.iter().all(|scope| match scope.name.as_str() {
                "Terminating" => pod.has_deadline,
                "NotTerminating" => !pod.has_deadline,
                "BestEffort" => pod.is_best_effort(),
                "NotBestEffort" => !pod.is_best_effort(),
                "CrossNamespacePodAffinity" => pod.crosses_namespaces,
                "PriorityClass" => {
                    let class = pod.priority_class.as_ref();
                    let listed = class.is_some_and(|class| scope.values.contains(class));
                    match scope.test {
                        Test::Exists => class.is_some(),
                        Test::DoesNotExist => class.is_none(),
                        Test::In => listed,
                        Test::NotIn => !listed,
                    }
                }
                _ => false,
            })
    }

    /// Whether it counts objects other than pods: one that has a scope does not (`MatchesNoScopeFunc`).
    pub(crate) fn counts_objects(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Resources of CPU and memory that every container must give because the quota holds them, and this one does not
    /// (`podEvaluator.Constraints`). Of no other resource Kubernetes asks that.
    pub(crate) fn missing<'q>(&'q self, container: &Container) -> Vec<&'q str> {
        let gives = |name: &str| {
            let (list, bare) = match name.strip_prefix("limits.") {
                Some(bare) => (&container.limits, bare),
                None => (
                    &container.requests,
                    name.strip_prefix("requests.").unwrap_or(name),
                ),
            };
            list.contains_key(bare)
        };
        self.hard
            .keys()
            .map(String::as_str)
            .filter(|name| COMPULSORY.contains(name) && !gives(name))
            .collect()
    }
}

/// `validationSet` of `pods.go`.
const COMPULSORY: [&str; 6] = [
    "cpu",
    "limits.cpu",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.memory",
];

/// Whether a resource of a quota is one of pods (`podEvaluator.MatchingResources`).
fn is_of_pods(name: &str) -> bool {
    let bare = name
        .strip_prefix("requests.")
        .or_else(|| name.strip_prefix("limits."))
        .unwrap_or(name);
    let extended = name.starts_with("requests.") && is_extended(bare);
    matches!(bare, "cpu" | "memory" | "ephemeral-storage")
        || matches!(name, "pods" | "count/pods")
        || bare.starts_with("hugepages-")
        || extended
}

/// Whether a resource is none of Kubernetes' own (`IsExtendedResourceName`). Names of storage classes have a slash, too.
fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/")
}

/// What a pod that has not ended adds to a quota (`podComputeUsageHelper`): requests by their bare name and with
/// `requests.`, limits with `limits.`. Of what is no CPU, memory or storage only requests count.
pub(crate) fn pod_usage(pod: &Pod) -> Resources {
    let mut usage = Resources::from([
        ("pods".to_owned(), pieces(1)),
        ("count/pods".to_owned(), pieces(1)),
    ]);
    for (resource, amount) in pod.requests() {
        usage.insert(format!("requests.{resource}"), amount);
        if !is_extended(&resource) {
            usage.insert(resource, amount);
        }
    }
    for (resource, amount) in pod.limits() {
        if matches!(resource.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            usage.insert(format!("limits.{resource}"), amount);
        }
    }
    usage
}

/// What a Service adds (`serviceEvaluator.Usage`): its ports as node ports where its type gives it some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceType {
    /// `ClusterIP` or `ExternalName`.
    Inside,
    /// `NodePort`.
    NodePort,
    /// `LoadBalancer`.
    LoadBalancer,
}

/// What a Service adds to a quota. `node_ports` is the number of its ports that get a port of the node.
pub(crate) fn service_usage(kind: ServiceType, node_ports: u64) -> Resources {
    let mut usage = objects(&["services", "count/services"], 1);
    if kind != ServiceType::Inside {
        usage.insert("services.nodeports".to_owned(), pieces(node_ports));
    }
    if kind == ServiceType::LoadBalancer {
        usage.insert("services.loadbalancers".to_owned(), pieces(1));
    }
    usage
}

/// What a claim adds (`pvcEvaluator.Usage`): itself and its storage, also by its class.
pub(crate) fn claim_usage(storage: Option<Amount>, class: Option<&str>) -> Resources {
    let mut usage = objects(
        &["persistentvolumeclaims", "count/persistentvolumeclaims"],
        1,
    );
    usage.extend(storage.map(|amount| ("requests.storage".to_owned(), amount)));
    if let Some(class) = class.filter(|class| !class.is_empty()) {
        let of = |what: &str| format!("{class}.storageclass.storage.k8s.io/{what}");
        usage.insert(of("persistentvolumeclaims"), pieces(1));
        usage.extend(storage.map(|amount| (of("requests.storage"), amount)));
    }
    usage
}

/// So many objects that a quota counts by these names.
pub(crate) fn objects(names: &[&str], n: u64) -> Resources {
    names
        .iter()
        .map(|name| ((*name).to_owned(), pieces(n)))
        .collect()
}

/// Pods of one workload.
#[derive(Debug, Clone)]
pub(crate) struct Member<'m> {
    /// What each of them adds.
    pub usage: &'m Resources,
    /// How many there are while nothing is rolled out.
    pub rest: u64,
    /// How many there may be, with those that a rollout starts and those on their way out.
    pub most: u64,
    /// Whether its rollout takes no old pod away before a new one is there: `maxUnavailable` comes to 0.
    pub waits: bool,
    /// Pods that have ended and are still kept.
    pub kept: u64,
}

/// What a quota makes of the pods and objects of its namespace, resource by resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Balance {
    /// The resource.
    pub resource: String,
    /// How much there may be.
    pub hard: Amount,
    /// How much there is while nothing is rolled out.
    pub rest: Amount,
    /// How it ends.
    pub ends: Ends,
}

/// How it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ends {
    /// What should be there at rest is refused.
    Over,
    /// The rollout of this member, by index, never ends: its first new pod is refused as long as the old ones are there,
    /// and they stay until it is there.
    Stuck(usize),
    /// What should be there at rest is admitted, but with all that has ended and is kept it comes to so much, and then
    /// something may be refused for ever.
    Fills(Amount),
    /// At most so much is wanted: during a rollout pods are refused until others have ended.
    Waits(Amount),
    /// Everything is admitted at once.
    Fits,
}

/// What a quota makes of these pods, and of objects: how much they are at rest, and with all that is kept.
/// Members are only those that it counts.
///
/// A rollout goes on while a pod is refused if it takes old pods away all the same
/// (`pkg/controller/deployment/rolling.go`, `reconcileOldReplicaSets`: old pods may go as long as
/// `replicas - maxUnavailable` are available). With `maxUnavailable` 0 it takes one away for each new one that is
/// available, so it needs room for one.
pub(crate) fn judge(
    quota: &Quota,
    members: &[Member<'_>],
    (objects_rest, objects_most): (&Resources, &Resources),
) -> Vec<Balance> {
    let mut rest = Resources::new();
    let mut most = Resources::new();
    let mut kept: BTreeMap<&str, Amount> = BTreeMap::new();
    if quota.counts_objects() {
        rest.clone_from(objects_rest);
        most.clone_from(objects_rest);
        for (resource, amount) in objects_most {
            let more = amount.saturating_sub(objects_rest.get(resource).copied().unwrap_or(0));
            kept.insert(resource, more);
        }
    }
    for member in members {
        add(&mut rest, member.usage, member.rest);
        add(&mut most, member.usage, member.most);
        let ended = kept.entry("count/pods").or_default();
        *ended += pieces(member.kept);
    }
    let balance = |(resource, hard): (&String, &Amount)| {
        let at = |list: &Resources| list.get(resource).copied().unwrap_or(0);
        let (rest, most) = (at(&rest), at(&most));
        let kept = kept.get(resource.as_str()).copied().unwrap_or(0);
        // The first member whose rollout needs room for one more pod than there is at rest, and does not have it.
        let stuck = |taken: Amount| {
            members.iter().position(|member| {
                let each = member.usage.get(resource).copied().unwrap_or(0);
                member.waits && each > 0 && taken.saturating_add(each) > *hard
            })
        };
        let stays = rest.saturating_add(kept);
        let ends = if rest > *hard {
            Ends::Over
        } else if let Some(member) = stuck(rest) {
            Ends::Stuck(member)
        } else if stays > *hard || stuck(stays).is_some() {
            Ends::Fills(stays)
        } else if most.saturating_add(kept) > *hard {
            Ends::Waits(most.saturating_add(kept))
        } else {
            Ends::Fits
        };
        Balance {
            resource: resource.clone(),
            hard: *hard,
            rest,
            ends,
        }
    };
    quota.hard.iter().map(balance).collect()
}
