//! What K3s itself runs, as its manifests have it (k3s-io/k3s, manifests/ and pkg/cloudprovider/servicelb.go), as far as
//! the rooms of pods go: who asks for what, where, how important it is, and how it is rolled out.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::files::{Node, documents};
use super::game::HELPER;
use super::quantity::{count, each, text};

const TOLERATIONS: &str = "[{key: CriticalAddonsOnly, operator: Exists}, \
     {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}]";

fn deployment(name: &str, strategy: &str, pod: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: kube-system}}, spec: {{\
         strategy: {{type: RollingUpdate, rollingUpdate: {{{strategy}}}}}, template: {{metadata: {{labels: {{app: \
         {name}}}}}, spec: {{tolerations: {TOLERATIONS}, {pod}}}}}}}}}"
    )
}

/// A DaemonSet for a Service of type LoadBalancer: a container with a host port for each port of it.
fn svclb(name: &str, ports: &[(usize, String)], selector: &str) -> String {
    let container = |(at, (port, protocol)): (usize, &(usize, String))| {
        format!(
            "{{name: lb-{at}, ports: [{{containerPort: {port}, hostPort: {port}, protocol: {protocol}}}]}}"
        )
    };
    let containers: Vec<String> = ports.iter().enumerate().map(container).collect();
    format!(
        "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: svclb-{name}, namespace: kube-system}}, spec: {{\
         template: {{metadata: {{labels: {{app: svclb-{name}}}}}, spec: {{priorityClassName: system-node-critical, \
         nodeSelector: {{{selector}}}, tolerations: {TOLERATIONS}, containers: [{}]}}}}}}}}",
        containers.join(", ")
    )
}

/// The objects of K3s, without those that are switched off.
pub(super) fn objects(off: &BTreeSet<String>, nodes: &[Node], given: &[Value]) -> Vec<Value> {
    let mut texts = Vec::new();
    const ENABLE: &str = "svccontroller.k3s.cattle.io/enablelb";
    const POOL: &str = "svccontroller.k3s.cattle.io/lbpool";
    let selector = |pool: Option<String>| match pool {
        _ if nodes.iter().all(|node| !node.labels.contains_key(ENABLE)) => String::new(),
        Some(pool) => format!("{ENABLE}: \"true\", {POOL}: \"{pool}\""),
        None => format!("{ENABLE}: \"true\""),
    };
    let has = |name: &str| !off.contains(name);
    if has("coredns") {
        texts.push(deployment(
            "coredns",
            "maxUnavailable: 1",
            "priorityClassName: system-cluster-critical, nodeSelector: {kubernetes.io/os: linux}, \
             topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, \
             whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: coredns}}}], \
             containers: [{name: c, resources: {limits: {memory: 170Mi}, requests: {cpu: 100m, memory: 70Mi}}}]",
        ));
    }
    if has("local-storage") {
        texts.push(deployment(
            "local-path-provisioner",
            "maxUnavailable: 1",
            "priorityClassName: system-node-critical, containers: [{name: c}]",
        ));
        texts.push(format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {HELPER}, namespace: kube-system}}, spec: {{tolerations: \
             [{{operator: Exists}}], containers: [{{name: c}}]}}}}"
        ));
    }
    if has("metrics-server") {
        texts.push(deployment(
            "metrics-server",
            "maxUnavailable: 1",
            "priorityClassName: system-node-critical, nodeSelector: {kubernetes.io/os: linux}, \
             containers: [{name: c, resources: {requests: {cpu: 100m, memory: 70Mi}}}]",
        ));
    }
    if has("traefik") {
        texts.push(deployment(
            "traefik",
            "maxUnavailable: 0, maxSurge: 1",
            "priorityClassName: system-cluster-critical, containers: [{name: c}]",
        ));
        for name in ["helm-install-traefik", "helm-install-traefik-crd"] {
            texts.push(format!(
                "{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}, namespace: kube-system}}, spec: \
                 {{completions: 1, template: {{spec: {{tolerations: {TOLERATIONS}, containers: [{{name: helm}}]}}}}}}}}"
            ));
        }
    }
    if has("servicelb") {
        if has("traefik") {
            let ports = [(80, "TCP".to_owned()), (443, "TCP".to_owned())];
            texts.push(svclb("traefik", &ports, &selector(None)));
        }
        for service in given.iter().filter(|one| {
            one["kind"] == "Service"
                && one["spec"]["type"] == "LoadBalancer"
                && one["spec"]["loadBalancerClass"].is_null()
        }) {
            let port = |port: &Value| {
                let protocol = text(&port["protocol"]).unwrap_or_else(|| "TCP".to_owned());
                Some((count(&port["port"])?, protocol))
            };
            let ports: Vec<(usize, String)> =
                each(&service["spec"]["ports"]).filter_map(port).collect();
            let of = |key: &str| text(&service["metadata"][key]).unwrap_or_default();
            let name = format!("{}-{}", of("namespace"), of("name"));
            let pool = text(&service["metadata"]["labels"][POOL]);
            texts.push(svclb(&name, &ports, &selector(pool)));
        }
    }
    let parsed = texts.iter().flat_map(|text| documents(text.as_bytes()));
    parsed.flatten().collect()
}
