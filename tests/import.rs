//! What `bzc import` makes of the files of others: built again, it says the same.

use std::collections::BTreeMap;

use bzc::MemoryWorld;
use serde::Deserialize;
use serde_yaml::Value;

use crate::support::{check, compile, said};

const MANIFESTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      initContainers:
      - {name: wait, image: 'busybox:1.37', resources: {limits: {memory: 16Mi}}}
      - {name: mesh, image: 'ghcr.io/acme/mesh:2.0', restartPolicy: Always, resources: {requests: {memory: 24Mi, cpu: 5m}, limits: {memory: 24Mi}}}
      containers:
      - name: nginx
        image: nginx:1.27.4
        args: [\"-g\", \"daemon off;\"]
        env:
        - {name: A.B, value: \"1: \\\"x\\\"\\n\"}
        - {name: TOKEN, valueFrom: {secretKeyRef: {name: web, key: token}}}
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}}
        resources: {requests: {memory: 32Mi, cpu: 50m}, limits: {memory: 64Mi, cpu: 1}}
      - {name: logs, image: 'fluent/fluent-bit:3.2.2', resources: {limits: {memory: 33554432}}}
---
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: StatefulSet
  metadata: {name: db, namespace: shop}
  spec: {template: {spec: {containers: [{name: db, image: 'postgres:16.4', resources: {limits: {memory: 0.25Gi}}}]}}}
- apiVersion: apps/v1
  kind: DaemonSet
  metadata: {name: agent, namespace: shop}
  spec: {template: {spec: {containers: [{name: agent, image: 'acme/agent:1.0', resources: {limits: {memory: 50M}}}]}}}
- apiVersion: batch/v1
  kind: CronJob
  metadata: {name: report, namespace: shop}
  spec: {schedule: '0 7 * * 1', concurrencyPolicy: Forbid, jobTemplate: {spec: {template: {spec: {containers: [{name: report, image: 'acme/report:1.0', resources: {limits: {memory: 96Mi}}}]}}}}}
- apiVersion: batch/v1
  kind: Job
  metadata: {name: migrate, namespace: shop}
  spec: {parallelism: 2, template: {spec: {containers: [{name: migrate, image: 'acme/migrate:1.0', resources: {limits: {memory: 48Mi}}}]}}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: loose}, spec: {template: {spec: {containers: [{name: loose, image: 'acme/loose:1.0'}]}}}}
- {apiVersion: v1, kind: Service, metadata: {name: web}}
";

fn documents(text: &str) -> Vec<Value> {
    let all =
        serde_yaml::Deserializer::from_str(text).map(|one| Value::deserialize(one).expect("YAML"));
    all.flat_map(|object| {
        object["items"]
            .as_sequence()
            .cloned()
            .unwrap_or_else(|| vec![object])
    })
    .collect()
}

/// Bytes of an amount, as far as these texts go.
fn bytes(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other)
            .expect("a scalar")
            .trim()
            .to_owned(),
    };
    let end = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let unit = match &text[end..] {
        "" => 1,
        "M" => 1_000_000,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        unit => unreachable!("{unit}"),
    };
    let (whole, fraction) = text[..end].split_once('.').unwrap_or((&text[..end], ""));
    let digits: u64 = format!("{whole}{fraction}").parse().expect("digits");
    Some(digits * unit / 10_u64.pow(u32::try_from(fraction.len()).expect("short")))
}

/// Request and limit.
type Pair = (Option<u64>, Option<u64>);

/// Request and limit of memory of every container, sorted, by the kind and name of its object.
fn resources(objects: &[Value]) -> BTreeMap<String, Vec<Pair>> {
    let mut found = BTreeMap::new();
    for object in objects {
        let spec = &object["spec"];
        let spec = if spec["jobTemplate"].is_null() {
            spec
        } else {
            &spec["jobTemplate"]["spec"]
        };
        let pod = &spec["template"]["spec"];
        let containers = ["initContainers", "containers"]
            .map(|list| pod[list].as_sequence().cloned().unwrap_or_default());
        let mut all: Vec<_> = containers
            .concat()
            .iter()
            .map(|container| {
                let limit = bytes(&container["resources"]["limits"]["memory"]);
                (
                    bytes(&container["resources"]["requests"]["memory"]).or(limit),
                    limit,
                )
            })
            .collect();
        all.sort_unstable();
        let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if !all.is_empty() {
            found.insert(
                format!(
                    "{} {}",
                    part(&object["kind"]),
                    part(&object["metadata"]["name"])
                ),
                all,
            );
        }
    }
    found
}

fn files(name: &str, text: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), text.to_owned())]
}

#[test]
fn manifests_come_back_with_the_same_requests_and_limits() {
    let imported = bzc::import(&files("k8s.yaml", MANIFESTS)).expect("it is YAML");
    let compilation = compile(
        &MemoryWorld::default(),
        "budget.bz",
        &imported.program,
        None,
    );
    let Some(output) = &compilation.output else {
        unreachable!("{}\n{}", imported.program, said(&compilation));
    };
    let manifests = output
        .files
        .iter()
        .filter(|(path, _)| path.starts_with("manifests/") && !path.contains("kustomization"));
    let built: Vec<Value> = manifests
        .flat_map(|(_, bytes)| documents(&String::from_utf8_lossy(bytes)))
        .collect();
    let mut wanted = resources(&documents(MANIFESTS));
    assert!(wanted.remove("Deployment loose").is_some());
    assert_eq!(resources(&built), wanted);
    assert_eq!(
        bzc::format(&imported.program).as_deref(),
        Ok(imported.program.as_str()),
        "it is in canonical form"
    );
    let left = imported.left_out.join("\n");
    for what in [
        "`loose` has no memory limit",
        "Service `web`",
        "readinessProbe",
        "`metadata.labels`",
        "serviceAccountName",
    ] {
        assert!(left.contains(what), "{what} is not mentioned:\n{left}");
    }
    assert!(
        imported.program.contains("namespace = shop"),
        "{}",
        imported.program
    );
}

#[test]
fn a_configuration_of_k3s_comes_back_equal() {
    let config = "\
write-kubeconfig-mode: \"0644\"
node-name: pi-1
disable: traefik
tls-san: [pi.lan, 10.0.0.2]
flannel-backend: host-gw
secrets-encryption: true
etcd-snapshot-retention: 20
kubelet-arg:
- max-pods=60
- container-log-max-size=5Mi
- kube-reserved=memory=1Gi
kube-apiserver-arg: [request-timeout=30s]
flannel-backend-type: vxlan
";
    let imported = bzc::import(&files("config.yaml", config)).expect("it is YAML");
    let left = imported.left_out.join("\n");
    assert!(
        left.contains("`flannel-backend-type`: K3s knows no such key"),
        "{left}"
    );
    assert!(left.contains("kube-reserved"), "{left}");
    assert_eq!(imported.left_out.len(), 2, "{left}");
    let compilation = compile(
        &MemoryWorld::default(),
        "budget.bz",
        &imported.program,
        None,
    );
    let Some(output) = &compilation.output else {
        unreachable!("{}\n{}", imported.program, said(&compilation))
    };
    let built = output
        .files
        .iter()
        .find(|(path, _)| path == "k3s/pi-1/config.yaml")
        .map(|(_, bytes)| bytes);
    let built: Value = serde_yaml::from_slice(built.expect("the node has its name")).expect("YAML");
    let wanted: Value = serde_yaml::from_str(config).expect("YAML");
    // K3s takes one text for a list of one.
    let as_list = |value: &Value| {
        value
            .as_sequence()
            .cloned()
            .unwrap_or_else(|| vec![value.clone()])
    };
    for (key, value) in wanted.as_mapping().expect("a mapping") {
        let key = key.as_str().expect("a text");
        match key {
            "flannel-backend-type" => assert!(built[key].is_null()),
            "kubelet-arg" => {
                let built = as_list(&built[key]);
                let kept = as_list(value).into_iter().filter(|item| {
                    !item
                        .as_str()
                        .unwrap_or_default()
                        .starts_with("kube-reserved")
                });
                assert!(
                    kept.clone().count() == 2 && kept.clone().all(|item| built.contains(&item)),
                    "{built:?}"
                );
            }
            _ => assert_eq!(as_list(&built[key]), as_list(value), "{key}"),
        }
    }
}

#[test]
fn what_is_null_is_not_set_and_repeated_feature_gates_are_one() {
    let config = "\
token: ~
tls-san: [a.example, ~]
disable:
kubelet-arg: [feature-gates=A=true, max-pods=50, feature-gates=B=false]
";
    let imported = bzc::import(&files("config.yaml", config)).expect("it is K3s's");
    let text = &imported.program;
    for line in [
        "tls-san = [\"a.example\"]",
        "feature-gates = \"A=true,B=false\"",
        "max-pods = \"50\"",
    ] {
        let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(spaced.contains(line), "{line}: {text}");
    }
    assert!(
        !text.contains('~') && !text.contains("disable") && !text.contains("token"),
        "{text}"
    );
}

#[test]
fn compose_services_with_limits_are_taken() {
    let compose = "\
services:
  api:
    image: ghcr.io/acme/api:1.0
    mem_limit: 64m
    environment: {LOG: info}
    ports: [\"8080:80\"]
    depends_on: [db]
  db:
    image: postgres:16.4
    deploy: {resources: {limits: {memory: 256M}, reservations: {memory: 128M}}}
  loose: {image: redis:7.4}
volumes: {data: {}}
";
    let imported = bzc::import(&files("docker-compose.yml", compose)).expect("it is YAML");
    let compilation = check(
        &MemoryWorld::default(),
        "budget.bz",
        &imported.program,
        None,
    );
    assert!(!compilation.has_errors(), "{}", said(&compilation));
    for line in [
        "memory = 64Mi",
        "request = 128Mi",
        "limit = 256Mi",
        "LOG = \"info\"",
        "port = 80",
    ] {
        let program = imported
            .program
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(program.contains(line), "{line}:\n{program}");
    }
    let left = imported.left_out.join("\n");
    for what in [
        "loose (docker-compose.yml): it has no memory limit",
        "`depends_on`",
        "`volumes`",
        "host in `8080:80`",
    ] {
        assert!(left.contains(what), "{what} is not mentioned:\n{left}");
    }
}

#[test]
fn what_is_not_known_is_reported_with_its_place() {
    for (text, why) in [
        ("a: 1\n", "`x` holds no Kubernetes object"),
        ("a: [\n", "`x`, line 1"),
        ("{% if a %}\n", "template"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, resources: {limits: {memory: lots}}}]}\n",
            "line 4",
        ),
    ] {
        let message = bzc::import(&files("x", text)).expect_err("it cannot be imported");
        assert!(message.contains(why), "{text}: {message}");
    }
}
