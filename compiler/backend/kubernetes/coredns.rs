//! CoreDNS for K3s with the memory that the budget gives it: `coredns.bzc.yaml`.
//!
//! K3s writes its own manifest anew at every start, so neither a patch nor an edit of it lasts.
//! What lasts is a whole manifest of ours beside an empty `coredns.yaml.skip`, which makes K3s
//! leave its own aside. Disabling the component instead would also switch off the controller
//! that writes the names of the nodes into the ConfigMap.
//!
//! K3s's deploy controller (k3s-io/k3s, `pkg/deploy/controller.go`) keeps an Addon for each file,
//! called as the file up to its first dot, and marks what the file made with that name. It looks
//! for objects by that mark only, makes those that it does not find, and takes over one that is
//! there already if the API server says so (rancher/wrangler, `pkg/apply/desiredset_process.go`).
//! Of the Service it says otherwise, that the address is taken, and the file fails for ever.
//! So the Addon has to stay `coredns`, and the objects have to be K3s's own: an object that the
//! Addon had and the file leaves out would be deleted.

use crate::backend::yaml::{comment, to_yaml};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EnvVar,
    HTTPGetAction, KeyToPath, PodSpec, PodTemplateSpec, Probe, ResourceRequirements,
    SecurityContext, Service, ServiceAccount, ServicePort, ServiceSpec, Toleration,
    TopologySpreadConstraint, Volume, VolumeMount,
};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the manifest depends on.
#[derive(Debug)]
pub(crate) struct Coredns<'a> {
    pub memory_request: String,
    pub memory_limit: String,
    pub cpu_request: Option<String>,
    pub cpu_limit: Option<String>,
    /// The image, with its registry.
    pub image: String,
    pub cluster_domain: &'a str,
    /// The Service's addresses, the first one first: usually `10.43.0.10` alone.
    pub cluster_dns: Vec<String>,
    /// `memory_limit` in bytes.
    pub memory_limit_bytes: u64,
    /// The file that the budget comes from.
    pub source: &'a str,
}

/// The file [`FILE`] for K3s's `server/manifests` folder.
pub(crate) fn manifest(coredns: &Coredns<'_>) -> String {
    let mut out = String::with_capacity(8 * 1024);
    // No `---` below the header: it would turn the comments into an empty document.
    comment(&header(coredns), &mut out);
    document(&service_account(), &mut out);
    next(&cluster_role(), &mut out);
    next(&cluster_role_binding(), &mut out);
    next(&config_map(coredns), &mut out);
    next(&deployment(coredns), &mut out);
    next(&service(coredns), &mut out);
    out
}

/// Appends a document behind another one.
fn next<T: Serialize>(object: &T, out: &mut String) {
    out.push_str("---\n");
    document(object, out);
}

/// Appends a document.
fn document<T: Serialize>(object: &T, out: &mut String) {
    let printed = to_yaml(object, out);
    debug_assert!(
        printed.is_ok(),
        "Kubernetes objects have no keys but strings"
    );
}

/// What the manifest is called. Up to its first dot it is the name of K3s's Addon.
pub(crate) const FILE: &str = "coredns.bzc.yaml";
/// The empty file that makes K3s leave its own manifest aside.
pub(crate) const SKIP: &str = "coredns.yaml.skip";

const NAME: &str = "coredns";
const NAMESPACE: &str = "kube-system";
const ROLE: &str = "system:coredns";
const RBAC: &str = "rbac.authorization.k8s.io";
const CONFIG: &str = "config-volume";
const CUSTOM: &str = "custom-config-volume";
const CONFIG_DIR: &str = "/etc/coredns";
const CUSTOM_DIR: &str = "/etc/coredns/custom";

/// The ports for queries and for Prometheus.
const PORTS: [(&str, i32, &str); 3] = [
    ("dns", 53, "UDP"),
    ("dns-tcp", 53, "TCP"),
    ("metrics", 9153, "TCP"),
];

/// What the file says about itself.
fn header(coredns: &Coredns<'_>) -> String {
    let Coredns {
        source,
        memory_request,
        memory_limit,
        ..
    } = coredns;
    let heap = heap_limit(coredns.memory_limit_bytes);
    let cache = match cache_capacity(heap) {
        MOST => "the default size, which fits into the limit even when full.".to_owned(),
        entries => format!(
            "at most {entries} answers and {entries} denials instead of {MOST} each, because a full
  cache of the default size might not fit into the limit. CoreDNS's guide (coredns/deployment,
  Scaling_CoreDNS.md) counts 54 MB, of which 30 MB are 10000 entries; so we leave 24 MB for
  the rest, and 3 kB for an entry."
        ),
    };
    format!(
        "CoreDNS with the memory that the budget gives it, instead of the one packaged with K3s.
Generated by bzc from {source}; do not edit.

This file belongs in /var/lib/rancher/k3s/server/manifests/ of every server as {FILE}, together
with an empty file {SKIP}, which goes there first.

K3s restores its own coredns.yaml at every start, so that a patched Deployment lasts only until
then. The empty {SKIP} makes K3s leave the packaged manifest aside while CoreDNS
stays enabled, so that the names of the nodes (NodeHosts in the ConfigMap) keep resolving.
The name must begin with `coredns.`: by it K3s knows the objects as those it made from its own
file, and takes them over on a cluster that runs, within 15 seconds.
The way back: remove both files, and K3s applies its own manifest again.
A bzc-coredns.yaml of an earlier bzc has to go. On a cluster that was started with one K3s then
reports that the address of kube-dns is taken: kubectl -n kube-system delete service kube-dns
once, and it is made again with the same address.
In return the image and the RBAC rules are now bzc's to follow, no longer K3s's: when K3s is
upgraded, set the new `version` and rebuild.

What differs from the packaged manifest:
- Memory: {memory_request} requested, {memory_limit} at most, as the budget says.
- GOMEMLIMIT={mib}MiB, 90 % of the limit: Go collects garbage before the kernel kills CoreDNS.
- Cache: {cache}
- Strategy Recreate and 1 replica: no second pod overlaps with the first, and the proof charges
  one. In return there is no cluster DNS for the seconds that a change of this file takes.
- Addresses and domain are written out: K3s fills in placeholders only in files of its own.",
        mib = heap / MIB,
    )
}

/// Metadata with a name and nothing else.
fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

/// Metadata of an object in the namespace of the system.
fn in_system(name: &str) -> ObjectMeta {
    ObjectMeta {
        namespace: Some(NAMESPACE.to_owned()),
        ..named(name)
    }
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> Option<BTreeMap<String, String>> {
    Some(
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    )
}

fn strings<const N: usize>(items: [&str; N]) -> Vec<String> {
    items.map(str::to_owned).into()
}

/// The label by which the Deployment and the Service find the pod.
fn selector() -> Option<BTreeMap<String, String>> {
    map([("k8s-app", "kube-dns")])
}

/// Marks what belongs to the roles that every cluster has.
fn rbac_defaults() -> Option<BTreeMap<String, String>> {
    map([("kubernetes.io/bootstrapping", "rbac-defaults")])
}

fn service_account() -> ServiceAccount {
    ServiceAccount {
        metadata: in_system(NAME),
        ..ServiceAccount::default()
    }
}

fn cluster_role() -> ClusterRole {
    let watch = |group: &str, resources| PolicyRule {
        api_groups: Some(strings([group])),
        resources: Some(resources),
        verbs: strings(["list", "watch"]),
        ..PolicyRule::default()
    };
    ClusterRole {
        metadata: ObjectMeta {
            labels: rbac_defaults(),
            ..named(ROLE)
        },
        rules: Some(vec![
            watch("", strings(["endpoints", "services", "pods", "namespaces"])),
            watch("discovery.k8s.io", strings(["endpointslices"])),
        ]),
        ..ClusterRole::default()
    }
}

fn cluster_role_binding() -> ClusterRoleBinding {
    ClusterRoleBinding {
        metadata: ObjectMeta {
            annotations: map([("rbac.authorization.kubernetes.io/autoupdate", "true")]),
            labels: rbac_defaults(),
            ..named(ROLE)
        },
        role_ref: RoleRef {
            api_group: RBAC.to_owned(),
            kind: "ClusterRole".to_owned(),
            name: ROLE.to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: NAME.to_owned(),
            namespace: Some(NAMESPACE.to_owned()),
            ..Subject::default()
        }]),
    }
}

/// Only the Corefile: K3s adds the key NodeHosts, and keeps it when it applies this again.
fn config_map(coredns: &Coredns<'_>) -> ConfigMap {
    ConfigMap {
        metadata: in_system(NAME),
        data: map([("Corefile", &corefile(coredns))]),
        ..ConfigMap::default()
    }
}

fn corefile(coredns: &Coredns<'_>) -> String {
    let domain = coredns.cluster_domain;
    let cache = match cache_capacity(heap_limit(coredns.memory_limit_bytes)) {
        MOST => String::new(),
        entries => format!(
            " {{
        success {entries}
        denial {entries}
    }}"
        ),
    };
    format!(
        ".:53 {{
    errors
    health
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }}
    hosts {CONFIG_DIR}/NodeHosts {{
        ttl 60
        reload 15s
        fallthrough
    }}
    prometheus :9153
    cache 30{cache}
    loop
    reload
    loadbalance
    import {CUSTOM_DIR}/*.override
    forward . /etc/resolv.conf
}}
import {CUSTOM_DIR}/*.server
"
    )
}

const MIB: u64 = 1 << 20;

/// How far Go lets the heap grow under the memory limit `limit`: 90 % of it, in whole MiB. The
/// rest is for what Go does not count, such as the pages of the program itself.
fn heap_limit(limit: u64) -> u64 {
    (limit / 10 * 9 / MIB).max(1) * MIB
}

/// What CoreDNS needs besides its cache, in bytes. The guide (coredns/deployment,
/// `Scaling_CoreDNS.md`) says 54 MB, plus 1 MB for every 1000 pods and services, which no
/// machine of ours has. 30 MB of them are the cache, 5 MB are for 30 000 queries a second.
const BASE: u64 = 24_000_000;

/// What one entry of the cache takes, in bytes: the guide says 30 MB for 10 000 entries. It
/// leaves open whether it filled one of the two halves or both; we take the dearer reading.
const ENTRY: u64 = 3_000;

/// The cache is made of as many shards, and rounds a capacity down to a multiple of them.
const SHARDS: u64 = 256;

/// The smallest cache: what is below, CoreDNS silently raises to 4 entries a shard.
const FEWEST: u64 = 4 * SHARDS;

/// The size of the cache by default.
const MOST: u64 = 39 * SHARDS;

/// How many entries each half of the cache may have: one is for answers, one for denials. The
/// halves are equal, as by default: a name outside the cluster costs one answer, but a denial
/// for every search domain before it.
fn cache_capacity(heap: u64) -> u64 {
    let entries = heap.saturating_sub(BASE) / ENTRY / 2;
    (entries - entries % SHARDS).clamp(FEWEST, MOST)
}

fn deployment(coredns: &Coredns<'_>) -> Deployment {
    Deployment {
        metadata: ObjectMeta {
            labels: map([("k8s-app", "kube-dns"), ("kubernetes.io/name", "CoreDNS")]),
            ..in_system(NAME)
        },
        spec: Some(DeploymentSpec {
            replicas: Some(1),
            revision_history_limit: Some(0),
            strategy: Some(DeploymentStrategy {
                type_: Some("Recreate".to_owned()),
                ..DeploymentStrategy::default()
            }),
            selector: label_selector(),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: selector(),
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(coredns)),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn label_selector() -> LabelSelector {
    LabelSelector {
        match_labels: selector(),
        ..LabelSelector::default()
    }
}

fn pod(coredns: &Coredns<'_>) -> PodSpec {
    let tolerates = |key: &str, effect: Option<&str>| Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: effect.map(str::to_owned),
        ..Toleration::default()
    };
    let spread = |key: &str, otherwise: &str| TopologySpreadConstraint {
        max_skew: 1,
        topology_key: key.to_owned(),
        when_unsatisfiable: otherwise.to_owned(),
        label_selector: Some(label_selector()),
        ..TopologySpreadConstraint::default()
    };
    PodSpec {
        priority_class_name: Some("system-cluster-critical".to_owned()),
        service_account_name: Some(NAME.to_owned()),
        // Not the cluster's own DNS, which would be this very pod.
        dns_policy: Some("Default".to_owned()),
        node_selector: map([("kubernetes.io/os", "linux")]),
        tolerations: Some(vec![
            tolerates("CriticalAddonsOnly", None),
            tolerates("node-role.kubernetes.io/control-plane", Some("NoSchedule")),
        ]),
        topology_spread_constraints: Some(vec![
            spread("kubernetes.io/hostname", "DoNotSchedule"),
            spread("topology.kubernetes.io/zone", "ScheduleAnyway"),
        ]),
        containers: vec![container(coredns)],
        volumes: Some(volumes()),
        ..PodSpec::default()
    }
}

fn container(coredns: &Coredns<'_>) -> Container {
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    let ports = PORTS.map(|(name, port, protocol)| ContainerPort {
        name: Some(name.to_owned()),
        container_port: port,
        protocol: Some(protocol.to_owned()),
        ..ContainerPort::default()
    });
    Container {
        name: NAME.to_owned(),
        image: Some(coredns.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        args: Some(vec!["-conf".to_owned(), format!("{CONFIG_DIR}/Corefile")]),
        env: Some(vec![EnvVar {
            name: "GOMEMLIMIT".to_owned(),
            value: Some(format!(
                "{}MiB",
                heap_limit(coredns.memory_limit_bytes) / MIB
            )),
            ..EnvVar::default()
        }]),
        resources: Some(ResourceRequirements {
            requests: quantities(coredns.cpu_request.as_deref(), &coredns.memory_request),
            limits: quantities(coredns.cpu_limit.as_deref(), &coredns.memory_limit),
            ..ResourceRequirements::default()
        }),
        ports: Some(ports.into()),
        liveness_probe: Some(probe("/health", 8080, 60, 10)),
        readiness_probe: Some(probe("/ready", 8181, 0, 2)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                // Port 53.
                add: Some(strings(["NET_BIND_SERVICE"])),
                drop: Some(strings(["ALL"])),
            }),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![mount(CONFIG, CONFIG_DIR), mount(CUSTOM, CUSTOM_DIR)]),
        ..Container::default()
    }
}

fn quantities(cpu: Option<&str>, memory: &str) -> Option<BTreeMap<String, Quantity>> {
    let cpu = cpu.map(|cpu| ("cpu".to_owned(), Quantity(cpu.to_owned())));
    Some(
        cpu.into_iter()
            .chain([("memory".to_owned(), Quantity(memory.to_owned()))])
            .collect(),
    )
}

fn probe(path: &str, port: i32, delay: i32, period: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::Int(port),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        initial_delay_seconds: Some(delay),
        period_seconds: Some(period),
        timeout_seconds: Some(1),
        success_threshold: Some(1),
        failure_threshold: Some(3),
        ..Probe::default()
    }
}

/// The ConfigMap above, and one that users may have to add to the Corefile.
fn volumes() -> Vec<Volume> {
    let file = |key: &str| KeyToPath {
        key: key.to_owned(),
        path: key.to_owned(),
        ..KeyToPath::default()
    };
    let volume = |name: &str, config_map| Volume {
        name: name.to_owned(),
        config_map: Some(config_map),
        ..Volume::default()
    };
    vec![
        volume(
            CONFIG,
            ConfigMapVolumeSource {
                name: NAME.to_owned(),
                items: Some(vec![file("Corefile"), file("NodeHosts")]),
                ..ConfigMapVolumeSource::default()
            },
        ),
        volume(
            CUSTOM,
            ConfigMapVolumeSource {
                name: "coredns-custom".to_owned(),
                optional: Some(true),
                ..ConfigMapVolumeSource::default()
            },
        ),
    ]
}

fn service(coredns: &Coredns<'_>) -> Service {
    let addresses = coredns.cluster_dns.clone();
    let families = if addresses.len() > 1 {
        "RequireDualStack"
    } else {
        "SingleStack"
    };
    let ports = PORTS.map(|(name, port, protocol)| ServicePort {
        name: Some(name.to_owned()),
        port,
        protocol: Some(protocol.to_owned()),
        ..ServicePort::default()
    });
    Service {
        metadata: ObjectMeta {
            annotations: map([
                ("prometheus.io/port", "9153"),
                ("prometheus.io/scrape", "true"),
            ]),
            labels: map([
                ("k8s-app", "kube-dns"),
                ("kubernetes.io/cluster-service", "true"),
                ("kubernetes.io/name", "CoreDNS"),
            ]),
            ..in_system("kube-dns")
        },
        spec: Some(ServiceSpec {
            selector: selector(),
            cluster_ip: addresses.first().cloned(),
            cluster_ips: Some(addresses),
            // The API server refuses two addresses without it.
            ip_family_policy: Some(families.to_owned()),
            ports: Some(ports.into()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize as _;
    use serde_yaml::{Deserializer, Error, Value};

    fn coredns(mib: u64) -> Coredns<'static> {
        Coredns {
            memory_request: "32Mi".to_owned(),
            memory_limit: format!("{mib}Mi"),
            cpu_request: Some("50m".to_owned()),
            cpu_limit: None,
            image: "r.lan/coredns:1".to_owned(),
            cluster_domain: "cluster.local",
            cluster_dns: vec!["10.43.0.10".to_owned()],
            memory_limit_bytes: mib * MIB,
            source: "shop.bz",
        }
    }

    fn read(coredns: &Coredns<'_>) -> Result<Vec<Value>, Error> {
        Deserializer::from_str(&manifest(coredns))
            .map(Value::deserialize)
            .collect()
    }

    /// What K3s's `manifests/coredns.yaml` has. Under the same Addon an object more would stay when the file goes, and
    /// one less would be deleted.
    #[test]
    fn the_addon_and_its_objects_are_those_of_k3s() -> Result<(), Error> {
        assert_eq!(FILE.split('.').next(), Some("coredns"));
        assert_eq!(SKIP.strip_suffix(".skip"), Some("coredns.yaml"));
        assert!(FILE.ends_with(".yaml") && Some(FILE) != SKIP.strip_suffix(".skip"));
        let read = read(&coredns(64))?;
        let named = |object: &Value| {
            let metadata = &object["metadata"];
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            [
                text(&object["apiVersion"]),
                text(&object["kind"]),
                text(&metadata["namespace"]),
                text(&metadata["name"]),
            ]
        };
        let found: Vec<[String; 4]> = read.iter().map(named).collect();
        let rbac = "rbac.authorization.k8s.io/v1";
        assert_eq!(
            found,
            [
                ["v1", "ServiceAccount", "kube-system", "coredns"],
                [rbac, "ClusterRole", "-", "system:coredns"],
                [rbac, "ClusterRoleBinding", "-", "system:coredns"],
                ["v1", "ConfigMap", "kube-system", "coredns"],
                ["apps/v1", "Deployment", "kube-system", "coredns"],
                ["v1", "Service", "kube-system", "kube-dns"],
            ]
        );
        Ok(())
    }

    #[test]
    fn objects_read_back() -> Result<(), Error> {
        let read = read(&coredns(64))?;
        let objects = coredns(64);
        let typed: Deployment = serde_yaml::from_value(read[4].clone())?;
        assert_eq!(typed, deployment(&objects));
        let typed: ConfigMap = serde_yaml::from_value(read[3].clone())?;
        assert_eq!(typed, config_map(&objects));
        let typed: Service = serde_yaml::from_value(read[5].clone())?;
        assert_eq!(typed, service(&objects));
        Ok(())
    }

    #[test]
    fn the_budget_reaches_the_pod() -> Result<(), Error> {
        let read = read(&Coredns {
            cpu_limit: Some("1".to_owned()),
            ..coredns(64)
        })?;
        let spec = &read[4]["spec"];
        assert_eq!(
            spec["strategy"],
            serde_yaml::from_str::<Value>("type: Recreate")?
        );
        assert_eq!(spec["replicas"], 1);
        let container = &spec["template"]["spec"]["containers"][0];
        let resources = "{requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: '1', memory: 64Mi}}";
        assert_eq!(
            container["resources"],
            serde_yaml::from_str::<Value>(resources)?
        );
        assert_eq!(container["env"][0]["value"], "57MiB");
        assert_eq!(container["image"], "r.lan/coredns:1");
        Ok(())
    }

    #[test]
    fn two_addresses_are_dual_stack() -> Result<(), Error> {
        let read = read(&Coredns {
            cluster_dns: vec!["10.43.0.10".to_owned(), "2001:cafe:43::a".to_owned()],
            ..coredns(64)
        })?;
        let spec = &read[5]["spec"];
        assert_eq!(spec["clusterIP"], "10.43.0.10");
        assert_eq!(spec["clusterIPs"][1], "2001:cafe:43::a");
        assert_eq!(spec["ipFamilyPolicy"], "RequireDualStack");
        Ok(())
    }

    #[test]
    fn the_cache_fits() {
        for (mib, entries) in [
            (0, FEWEST),
            (32, FEWEST),
            (48, 3328),
            (64, 5888),
            (89, 9728),
            (90, MOST),
            (170, MOST),
        ] {
            let coredns = coredns(mib);
            assert_eq!(cache_capacity(heap_limit(mib * MIB)), entries, "{mib} MiB");
            let bounded = format!(
                "    cache 30 {{\n        success {entries}\n        denial {entries}\n    }}\n"
            );
            let expected = if entries == MOST {
                "    cache 30\n"
            } else {
                &bounded
            };
            assert!(corefile(&coredns).contains(expected), "{mib} MiB");
            // 32 MiB is about the least that holds CoreDNS with the smallest cache.
            assert!(
                mib < 32 || BASE + 2 * entries * ENTRY < mib * MIB,
                "{mib} MiB"
            );
        }
    }
}
