//! What pods ask for or are given that the sums do not hold: other resources, an overhead, containers that a webhook
//! adds. It is kept with its place, so that a promise can name it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::reader::Reader;
use crate::manifest::tree::Yaml;

/// Something of a pod that is not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beyond {
    /// What it is, as the second half of a sentence that begins with the workload.
    pub what: String,
    /// Where it stands.
    pub at: Range<usize>,
    /// Whether it takes memory that no limit in the manifest holds.
    pub takes_memory: bool,
    /// The resource, if it is one that is counted where nodes say how much they have.
    pub resource: Option<String>,
}

/// A namespace into whose pods a webhook puts containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Injected {
    /// The name of the namespace.
    pub namespace: String,
    /// The label or annotation that asks for it.
    pub by: Beyond,
    /// The key by which a pod says that it wants none.
    but: &'static str,
}

/// A key of labels or annotations that lets a webhook put containers into pods.
struct Injection {
    /// On pods.
    on_pods: &'static str,
    /// The values there that ask for it; none means every value that does not refuse it.
    asking: &'static [&'static str],
    /// On namespaces, with the values that ask for it, likewise.
    on_namespaces: &'static [(&'static str, &'static [&'static str])],
}

/// Values that refuse it, in whatever case.
const REFUSING: [&str; 2] = ["false", "disabled"];

/// What projects take for true: Istio's injector the words of YAML 1.1 (pkg/kube/inject/inject.go), Dapr those of Go and
/// of YAML (dapr/kit utils), Vault and Consul those of Go (strconv.ParseBool).
const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];

/// A key of the OpenTelemetry operator, of which the name of an object may be the value
/// (internal/instrumentation/annotation.go, internal/webhook/podmutation).
const fn of_telemetry(namespaces: &'static [(&'static str, &'static [&'static str])]) -> Injection {
    Injection {
        on_pods: namespaces[0].0,
        asking: &[],
        on_namespaces: namespaces,
    }
}

/// From the sources and manuals of the projects: Istio (pkg/kube/inject, and the selectors of its webhook), Linkerd (proxy
/// injection), Vault (agent injector), Consul (annotations and labels), Dapr (arguments and annotations), Kuma (data plane
/// on Kubernetes), OpenTelemetry Operator.
const INJECTIONS: [Injection; 16] = [
    Injection {
        on_pods: "sidecar.istio.io/inject",
        asking: &TRUE,
        on_namespaces: &[("istio-injection", &["enabled"]), ("istio.io/rev", &[])],
    },
    Injection {
        on_pods: "istio.io/rev",
        asking: &[],
        on_namespaces: &[],
    },
    Injection {
        on_pods: "linkerd.io/inject",
        asking: &["enabled", "ingress"],
        on_namespaces: &[("linkerd.io/inject", &["enabled", "ingress"])],
    },
    Injection {
        on_pods: "vault.hashicorp.com/agent-inject",
        asking: &TRUE,
        on_namespaces: &[],
    },
    Injection {
        on_pods: "consul.hashicorp.com/connect-inject",
        asking: &TRUE,
        on_namespaces: &[],
    },
    // Of releases 1.2 to 1.5 with the catalog of resources.
    Injection {
        on_pods: "consul.hashicorp.com/mesh-inject",
        asking: &TRUE,
        on_namespaces: &[],
    },
    Injection {
        on_pods: "dapr.io/enabled",
        asking: &TRUE,
        on_namespaces: &[],
    },
    Injection {
        on_pods: "kuma.io/sidecar-injection",
        asking: &["enabled", "true"],
        on_namespaces: &[("kuma.io/sidecar-injection", &["enabled", "true"])],
    },
    of_telemetry(&[("sidecar.opentelemetry.io/inject", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-apache-httpd", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-dotnet", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-go", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-java", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-nginx", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-nodejs", &[])]),
    of_telemetry(&[("instrumentation.opentelemetry.io/inject-python", &[])]),
];

/// The metadata in which such keys stand.
const METADATA: [&str; 2] = ["annotations", "labels"];

impl Beyond {
    /// A request for a resource that is no part of the sums.
    pub(crate) fn asks(resource: &str, at: Range<usize>) -> Beyond {
        Beyond {
            what: not_counted(resource),
            at,
            takes_memory: false,
            resource: Some(resource.to_owned()),
        }
    }
}

impl Injected {
    /// Whether a workload whose pods say `refuses` gets no containers from it.
    pub(crate) fn is_refused(&self, refuses: &BTreeSet<String>) -> bool {
        refuses.contains(self.but)
    }
}

impl<'t> Reader<'t> {
    /// What of a pod is not counted.
    pub(super) fn beyond(&self, pod: &'t Yaml, metadata: Option<&'t Yaml>) -> Vec<Beyond> {
        let (mut all, mut asked) = (Vec::new(), Vec::new());
        let mut add = |what: String, at: Range<usize>, takes_memory| {
            all.push(Beyond {
                what,
                at,
                takes_memory,
                resource: None,
            });
        };
        let containers = ["initContainers", "containers"].into_iter();
        let containers = containers
            .filter_map(|list| self.get(pod, list))
            .flat_map(Yaml::items);
        let mut seen = BTreeSet::new();
        for resources in containers.filter_map(|container| self.get(container, "resources")) {
            for list in ["requests", "limits"] {
                // The reader of amounts reports a faulty one.
                let Ok(list) = self.list(Some(resources), list) else {
                    continue;
                };
                for (name, at) in list.places {
                    let none = list.amounts.get(&name).is_none_or(|amount| *amount == 0);
                    if !none && !is_in_sums(&name) && seen.insert(name.clone()) {
                        asked.push(Beyond::asks(&name, at));
                    }
                }
            }
        }
        if let Some(resources) = self.get(pod, "resources") {
            let what = "gives `resources` for its whole pod, which bzc does not count".to_owned();
            add(what, resources.range(), false);
        }
        if let Some(claims) = self
            .get(pod, "resourceClaims")
            .filter(|claims| !claims.items().is_empty())
        {
            let what = "asks for devices by `resourceClaims`, which bzc does not count".to_owned();
            add(what, claims.range(), false);
        }
        if let Some(overhead) = self.get(pod, "overhead") {
            let what = "has an `overhead`, which bzc does not count".to_owned();
            add(what, overhead.range(), true);
        } else if let Some(class) = self.get(pod, "runtimeClassName") {
            let name = self.word(class).unwrap_or_default();
            let what = format!(
                "has the RuntimeClass `{name}`, whose handler and overhead bzc does not know"
            );
            add(what, class.range(), true);
        }
        for injection in &INJECTIONS {
            let asked = self.marked(metadata, injection.on_pods, injection.asking);
            if let Some(at) = asked {
                let key = injection.on_pods;
                let what = format!("gets containers by `{key}`, which bzc does not count");
                add(what, at, true);
            }
        }
        asked.extend(all);
        asked
    }

    /// The keys by which a pod says that no webhook is to put containers into it.
    pub(super) fn refuses_injection(&self, metadata: Option<&'t Yaml>) -> BTreeSet<String> {
        let keys = INJECTIONS.iter().map(|injection| injection.on_pods);
        let refused = keys.filter(|key| self.marked(metadata, key, &REFUSING).is_some());
        refused.map(str::to_owned).collect()
    }

    /// What makes a webhook put containers into all pods of a namespace.
    pub(super) fn injected(&self, metadata: &'t Yaml, namespace: &str) -> Vec<Injected> {
        let mut all = Vec::new();
        for injection in &INJECTIONS {
            for (key, asking) in injection.on_namespaces {
                all.extend(self.marked(Some(metadata), key, asking).map(|at| Injected {
                    namespace: namespace.to_owned(),
                    by: Beyond {
                        what: format!(
                            "gets containers by `{key}` of its namespace, which bzc does not count"
                        ),
                        at,
                        takes_memory: true,
                        resource: None,
                    },
                    but: injection.on_pods,
                }));
            }
        }
        all
    }

    /// Where a label or an annotation with one of these values stands; with no values, any that does not refuse.
    fn marked(
        &self,
        metadata: Option<&'t Yaml>,
        key: &str,
        values: &[&str],
    ) -> Option<Range<usize>> {
        METADATA.iter().find_map(|list| {
            let value = self.get(self.get(metadata?, list)?, key)?;
            let text = value.text(self.source)?.to_ascii_lowercase();
            let asks = match values {
                [] => !REFUSING.contains(&text.as_str()),
                _ => values.contains(&text.as_str()),
            };
            asks.then(|| value.range())
        })
    }
}

/// Whether the sums hold a resource.
pub(crate) fn is_in_sums(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory")
}

/// What is said of a workload that asks for another resource.
pub(crate) fn not_counted(resource: &str) -> String {
    match resource {
        "ephemeral-storage" => {
            "asks for `ephemeral-storage`, of which bzc does not know what nodes have".to_owned()
        }
        _ => format!("asks for `{resource}`, which no node is known to have"),
    }
}
