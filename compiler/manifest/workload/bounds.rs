//! What bounds a namespace, as its manifests say it: LimitRanges, ResourceQuotas, the labels of a Namespace; and the
//! objects beside workloads that quotas count.

use std::collections::BTreeMap;
use std::ops::Range;

use super::reader::Reader;
use crate::admission::limits::{Limits, Of};
use crate::admission::quota::{Quota, Scope, ServiceType, Test};
use crate::admission::quota::{claim_usage, objects as pieces_of, service_usage};
use crate::admission::{Amount, Resources, amount};
use crate::manifest::tree::{Fault, Yaml};

/// Amounts by the name of the resource, each with its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// The amounts.
    pub amounts: Resources,
    /// Where each stands.
    pub places: BTreeMap<String, Range<usize>>,
}

/// A LimitRange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitRange {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// Where its name stands.
    pub at: Range<usize>,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// An entry of a LimitRange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What it says, completed as the API server does.
    pub limits: Limits,
    /// Where its amounts stand, by field and resource.
    pub places: BTreeMap<(&'static str, String), Range<usize>>,
}

/// A ResourceQuota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceQuota {
    /// `metadata.name`.
    pub name: String,
    /// The same, with the namespace before it where several have it.
    pub known_as: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// Where its name stands.
    pub at: Range<usize>,
    /// What it says.
    pub quota: Quota,
    /// Where its amounts stand.
    pub places: BTreeMap<String, Range<usize>>,
}

/// A Namespace whose labels choose among pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Namespace {
    /// Its name.
    pub name: String,
    /// The level of `pod-security.kubernetes.io/enforce`, and where it stands.
    pub enforce: (String, Range<usize>),
}

/// An object that quotas count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Where its name stands.
    pub at: Range<usize>,
    /// What quotas count of it. A claim is counted by `claim`.
    pub usage: Resources,
    /// A claim.
    pub claim: Option<Claim>,
}

/// A PersistentVolumeClaim, or the template of one for each pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// How much it asks for.
    pub storage: Option<Amount>,
    /// Its class. Without one it gets the default class of the cluster.
    pub class: Option<String>,
    /// What the claims are called that are made from it for each pod.
    pub called: Called,
    /// Whether one pod at a time may use it: its access mode is `ReadWriteOncePod`.
    pub of_one_pod: bool,
    /// Where it stands.
    pub at: Range<usize>,
}

/// What Kubernetes calls claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Called {
    /// It is no template: there is one, and it has a name.
    Itself,
    /// `TEMPLATE-STATEFULSET-ORDINAL` (kubernetes pkg/controller/statefulset/stateful_set_utils.go).
    ByOrdinal(String),
    /// `POD-VOLUME` (kubernetes component-helpers/storage/ephemeral).
    ByPod(String),
}

impl Claim {
    /// Whether a claim of this name is made from it for one of the pods of a workload, which are so many.
    pub(crate) fn is_made_as(&self, name: &str, workload: &str, pods: u64) -> bool {
        match &self.called {
            Called::Itself => false,
            Called::ByOrdinal(template) => name
                .strip_prefix(template.as_str())
                .and_then(|rest| {
                    rest.strip_prefix('-')?
                        .strip_prefix(workload)?
                        .strip_prefix('-')
                })
                .and_then(|ordinal| ordinal.parse::<u64>().ok())
                .is_some_and(|ordinal| ordinal < pods),
            Called::ByPod(volume) => name
                .strip_suffix(volume.as_str())
                .and_then(|rest| rest.strip_suffix('-')?.strip_prefix(workload))
                .is_some_and(|rest| rest.starts_with('-')),
        }
    }

    /// What quotas count of it, where claims without a class get `default`.
    pub(crate) fn usage(&self, default: Option<&str>) -> Resources {
        claim_usage(self.storage, self.class.as_deref().or(default))
    }
}

/// Kinds of objects that quotas count one by one, and by which names. All of these have a namespace.
const COUNTS: [(&str, &[&str]); 21] = [
    ("ConfigMap", &["configmaps", "count/configmaps"]),
    ("CronJob", &["count/cronjobs.batch"]),
    ("DaemonSet", &["count/daemonsets.apps"]),
    ("Deployment", &["count/deployments.apps"]),
    (
        "HorizontalPodAutoscaler",
        &["count/horizontalpodautoscalers.autoscaling"],
    ),
    ("Ingress", &["count/ingresses.networking.k8s.io"]),
    ("Job", &["count/jobs.batch"]),
    ("LimitRange", &["count/limitranges"]),
    (
        "NetworkPolicy",
        &["count/networkpolicies.networking.k8s.io"],
    ),
    (
        "PersistentVolumeClaim",
        &["persistentvolumeclaims", "count/persistentvolumeclaims"],
    ),
    ("Pod", &[]),
    (
        "PodDisruptionBudget",
        &["count/poddisruptionbudgets.policy"],
    ),
    ("ReplicaSet", &["count/replicasets.apps"]),
    (
        "ReplicationController",
        &["replicationcontrollers", "count/replicationcontrollers"],
    ),
    ("ResourceQuota", &["resourcequotas", "count/resourcequotas"]),
    ("Role", &["count/roles.rbac.authorization.k8s.io"]),
    (
        "RoleBinding",
        &["count/rolebindings.rbac.authorization.k8s.io"],
    ),
    ("Secret", &["secrets", "count/secrets"]),
    ("Service", &["services", "count/services"]),
    ("ServiceAccount", &["count/serviceaccounts"]),
    ("StatefulSet", &["count/statefulsets.apps"]),
];

/// The names by which quotas count objects of a kind.
pub(crate) fn counts(kind: &str) -> Option<&'static [&'static str]> {
    let mut all = COUNTS.iter();
    all.find(|(known, _)| *known == kind)
        .map(|(_, names)| *names)
}

/// Whether a resource of a quota is the number of objects of a kind that is counted here.
pub(crate) fn is_counted(resource: &str) -> bool {
    COUNTS.iter().any(|(_, names)| names.contains(&resource))
}

/// The label by which a namespace says what its pods may do.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

impl<'t> Reader<'t> {
    /// Where the name of an object stands.
    pub(super) fn named_at(&self, object: &'t Yaml) -> Range<usize> {
        let metadata = self.get(object, "metadata");
        let name = metadata.and_then(|metadata| {
            self.get(metadata, "name")
                .or(self.get(metadata, "generateName"))
        });
        name.map_or(object.range().start..object.range().start, Yaml::range)
    }

    /// Amounts of resources.
    pub(super) fn list(&self, of: Option<&'t Yaml>, key: &str) -> Result<List, Fault> {
        let mut list = List::default();
        for (name, node) in self.entries(of.and_then(|of| self.get(of, key))) {
            if node.is_null(self.source) {
                continue;
            }
            let text = node.text(self.source).unwrap_or_default();
            let Some(n) = amount(text.trim()) else {
                return Err(Fault {
                    at: node.range(),
                    what: format!("`{text}` is no amount that Kubernetes knows"),
                });
            };
            list.amounts.insert(name.to_owned(), n);
            list.places.insert(name.to_owned(), node.range());
        }
        Ok(list)
    }

    /// The entries of a mapping whose keys are texts.
    fn entries(&self, map: Option<&'t Yaml>) -> Vec<(&'t str, &'t Yaml)> {
        let entries = map.map_or(&[][..], Yaml::entries).iter();
        entries
            .filter_map(|(key, value)| Some((self.word(key)?, self.real(value)?)))
            .collect()
    }

    /// A small whole number, or what Kubernetes takes where there is none.
    pub(super) fn whole(&self, of: &'t Yaml, key: &str, default: u64) -> u64 {
        let written = self.text(of, key).and_then(|text| text.parse().ok());
        written.unwrap_or(default).min(100_000)
    }

    pub(super) fn limit_range(&self, spec: &'t Yaml) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        for item in self.items(spec, "limits")? {
            let Some(item) = self.real(item) else {
                continue;
            };
            let of = match self.text(item, "type").unwrap_or_default().as_str() {
                "Container" => Of::Container,
                "Pod" => Of::Pod,
                "PersistentVolumeClaim" => Of::Claim,
                _ => continue,
            };
            let mut entry = Entry {
                limits: Limits::nothing(of),
                places: BTreeMap::new(),
            };
            let limits = &mut entry.limits;
            for (key, to) in [
                ("min", &mut limits.min),
                ("max", &mut limits.max),
                ("default", &mut limits.default),
                ("defaultRequest", &mut limits.default_request),
                ("maxLimitRequestRatio", &mut limits.ratio),
            ] {
                let list = self.list(Some(item), key)?;
                *to = list.amounts;
                let places = list.places.into_iter();
                entry
                    .places
                    .extend(places.map(|(resource, at)| ((key, resource), at)));
            }
            limits.complete();
            if let Some((resource, low, high)) = limits.contradiction() {
                let at = entry
                    .places
                    .iter()
                    .find(|((key, of), _)| [low, high].contains(key) && of == resource);
                return Err(Fault {
                    at: at.map_or(item.range(), |(_, at)| at.clone()),
                    what: format!(
                        "Kubernetes takes no LimitRange whose `{low}` of `{resource}` is above its `{high}`"
                    ),
                });
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    pub(super) fn quota(
        &self,
        spec: &'t Yaml,
        (name, namespace): (String, Option<String>),
        at: Range<usize>,
    ) -> Result<ResourceQuota, Fault> {
        let hard = self.list(Some(spec), "hard")?;
        let mut scopes = Vec::new();
        for scope in self.items(spec, "scopes")? {
            scopes.push(Scope {
                name: self.word(scope).unwrap_or_default().to_owned(),
                test: Test::Exists,
                values: Vec::new(),
            });
        }
        if let Some(selector) = self.get(spec, "scopeSelector") {
            for item in self.items(selector, "matchExpressions")? {
                let Some(item) = self.real(item) else {
                    continue;
                };
                let operator = self.text(item, "operator").unwrap_or_default();
                let test = match operator.as_str() {
                    "Exists" => Test::Exists,
                    "DoesNotExist" => Test::DoesNotExist,
                    "In" => Test::In,
                    "NotIn" => Test::NotIn,
                    _ => {
                        return Err(Fault {
                            at: item.range(),
                            what: format!("`{operator}` compares no scope of a quota"),
                        });
                    }
                };
                let values = self.items(item, "values")?.iter();
                scopes.push(Scope {
                    name: self.text(item, "scopeName").unwrap_or_default(),
                    test,
                    values: values
                        .filter_map(|value| Some(self.word(self.real(value)?)?.to_owned()))
                        .collect(),
                });
            }
        }
        Ok(ResourceQuota {
            known_as: name.clone(),
            name,
            namespace,
            at,
            quota: Quota {
                hard: hard.amounts,
                scopes,
            },
            places: hard.places,
        })
    }

    /// A Namespace that holds its pods to a level.
    pub(super) fn namespace(&self, metadata: &'t Yaml, name: String) -> Option<Namespace> {
        let level = self.get(self.get(metadata, "labels")?, ENFORCE)?;
        let text = self.word(level)?.to_owned();
        (text != "privileged").then(|| Namespace {
            name,
            enforce: (text, level.range()),
        })
    }

    /// An object that quotas count, if this is one.
    pub(super) fn counted(
        &self,
        kind: &str,
        object: &'t Yaml,
        (name, namespace): (String, Option<String>),
    ) -> Result<Option<Counted>, Fault> {
        let Some(names) = counts(kind) else {
            return Ok(None);
        };
        let at = self.named_at(object);
        let spec = self.get(object, "spec");
        let mut usage = pieces_of(names, 1);
        let mut claim = None;
        match (kind, spec) {
            ("Service", Some(spec)) => usage = self.service(spec)?,
            // One that has ended: the others are counted with what they ask for.
            ("Pod", _) => usage = pieces_of(&["count/pods"], 1),
            ("PersistentVolumeClaim", Some(spec)) => {
                claim = Some(self.claim(spec, at.clone(), Called::Itself)?);
                usage = Resources::new();
            }
            _ => {}
        }
        Ok(Some(Counted {
            kind: kind.to_owned(),
            name,
            namespace,
            at,
            usage,
            claim,
        }))
    }

    fn service(&self, spec: &'t Yaml) -> Result<Resources, Fault> {
        let ports = self.items(spec, "ports")?;
        let all = ports.len() as u64;
        Ok(match self.text(spec, "type").as_deref() {
            Some("NodePort") => service_usage(ServiceType::NodePort, all),
            Some("LoadBalancer") => {
                // Where none are to be allocated, those that are written count.
                let allocates =
                    self.text(spec, "allocateLoadBalancerNodePorts").as_deref() != Some("false");
                let written = ports.iter().filter(|port| {
                    self.real(port)
                        .is_some_and(|port| self.get(port, "nodePort").is_some())
                });
                let n = if allocates {
                    all
                } else {
                    written.count() as u64
                };
                service_usage(ServiceType::LoadBalancer, n)
            }
            _ => service_usage(ServiceType::Inside, 0),
        })
    }

    fn claim(&self, spec: &'t Yaml, at: Range<usize>, called: Called) -> Result<Claim, Fault> {
        let requests = self.list(self.get(spec, "resources"), "requests")?;
        Ok(Claim {
            storage: requests.amounts.get("storage").copied(),
            class: self.text(spec, "storageClassName"),
            called,
            of_one_pod: self
                .items(spec, "accessModes")?
                .iter()
                .any(|mode| mode.text(self.source) == Some("ReadWriteOncePod")),
            at: requests.places.get("storage").cloned().unwrap_or(at),
        })
    }

    /// Claims that are made for each pod: by a StatefulSet, and those that live as long as the pod.
    pub(super) fn claims(&self, spec: &'t Yaml, pod: &'t Yaml) -> Result<Vec<Claim>, Fault> {
        let mut claims = Vec::new();
        for template in self.items(spec, "volumeClaimTemplates")? {
            let template = self.real(template);
            if let Some(spec) = template.and_then(|template| self.get(template, "spec")) {
                let metadata = template.and_then(|template| self.get(template, "metadata"));
                let name = metadata.and_then(|metadata| self.text(metadata, "name"));
                let called = Called::ByOrdinal(name.unwrap_or_default());
                claims.push(self.claim(spec, spec.range(), called)?);
            }
        }
        for volume in self.items(pod, "volumes")? {
            let volume = self.real(volume);
            let template = volume
                .and_then(|volume| self.get(volume, "ephemeral"))
                .and_then(|ephemeral| self.get(ephemeral, "volumeClaimTemplate"));
            if let Some(spec) = template.and_then(|template| self.get(template, "spec")) {
                let name = volume.and_then(|volume| self.text(volume, "name"));
                let called = Called::ByPod(name.unwrap_or_default());
                claims.push(self.claim(spec, spec.range(), called)?);
            }
        }
        Ok(claims)
    }

    /// Whether a term of the pod's affinities, required or preferred, names other namespaces (`usesCrossNamespacePodAffinity`
    /// of `pkg/quota/v1/evaluator/core/pods.go`).
    pub(super) fn crosses_namespaces(&self, pod: &'t Yaml) -> Result<bool, Fault> {
        let Some(affinity) = self.get(pod, "affinity") else {
            return Ok(false);
        };
        let names_others = |term: &'t Yaml| {
            self.get(term, "namespaceSelector").is_some()
                || self
                    .get(term, "namespaces")
                    .is_some_and(|list| !list.items().is_empty())
        };
        for kind in ["podAffinity", "podAntiAffinity"] {
            let Some(one) = self.get(affinity, kind) else {
                continue;
            };
            for list in [
                "requiredDuringSchedulingIgnoredDuringExecution",
                "preferredDuringSchedulingIgnoredDuringExecution",
            ] {
                for term in self.items(one, list)? {
                    let Some(term) = self.real(term) else {
                        continue;
                    };
                    let term = self.get(term, "podAffinityTerm").unwrap_or(term);
                    if names_others(term) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}
