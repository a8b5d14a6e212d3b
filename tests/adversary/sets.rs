//! Generated sets of manifests that a program adopts: every kind of workload, sidecars and init containers, surges and
//! autoscalers, quotas and LimitRanges, priority classes, LoadBalancer Services and local volumes.

use std::fmt::Write;

use bzc::{MemoryWorld, Options, Session};

use crate::generate::Rng;

/// What is adopted, and the program around it but for the sizes of its nodes.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) manifests: String,
    rest: String,
    nodes: Vec<(u64, u64)>,
    /// Memory taken from each node, in Mi.
    less: u64,
}

/// What may be in a set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) rules: bool,
    pub(super) classes: bool,
    pub(super) balancers: bool,
    pub(super) storage: bool,
    pub(super) odd: bool,
    pub(super) several: bool,
}

struct Maker {
    rng: Rng,
    parts: Parts,
    out: String,
    claims: usize,
}

const NAMESPACES: [&str; 3] = ["", "shop", "lab"];

impl Set {
    pub(super) fn new(seed: u64, parts: Parts) -> Set {
        let mut maker = Maker {
            rng: super::random(900_000 + seed),
            parts,
            out: String::new(),
            claims: 0,
        };
        let count = maker.rng.range(1, 5);
        if parts.classes && maker.rng.chance(30) {
            for (name, value) in [("low", 10), ("high", 1000)] {
                let never = if maker.rng.chance(60) {
                    "preemptionPolicy: Never, "
                } else {
                    ""
                };
                maker.object(&format!(
                    "{{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: {name}}}, {never}value: {value}}}"
                ));
            }
        }
        for at in 0..count {
            maker.workload(at);
        }
        for namespace in NAMESPACES {
            if parts.rules && maker.rng.chance(35) {
                maker.quota(namespace);
            }
            if parts.rules && maker.rng.chance(35) {
                maker.limit_range(namespace);
            }
        }
        if parts.balancers && maker.rng.chance(25) {
            maker.balancer();
        }
        maker.finish()
    }

    /// The same on nodes with so many Mi less.
    pub(super) fn smaller(&self, less: u64) -> Set {
        Set {
            less,
            ..self.clone()
        }
    }

    pub(super) fn text(&self) -> String {
        let mut out = "edition = 1\n".to_owned();
        // Of some the load balancer of K3s is held to the agents.
        let held =
            self.manifests.contains("LoadBalancer") && self.manifests.len().is_multiple_of(2);
        for (at, (memory, cpu)) in self.nodes.iter().enumerate() {
            let role = if at == 0 { "" } else { "role = agent  " };
            let memory = memory.saturating_sub(self.less).max(64);
            let cpu = if *cpu == 0 {
                String::new()
            } else {
                format!("cpu = {cpu}  ")
            };
            let labels = match held && at > 0 {
                true => "labels { \"svccontroller.k3s.cattle.io/enablelb\" = \"true\" }  ",
                false => "",
            };
            let _ = writeln!(
                out,
                "node n{at} {{ memory = {memory}Mi  {role}{labels}{cpu}reserve = 200Mi }}"
            );
        }
        out + &self.rest
    }

    pub(super) fn compiled(&self, session: &Session) -> Option<Vec<(String, Vec<u8>)>> {
        let mut world = MemoryWorld::default();
        world.insert(
            "k8s/all.yaml".to_owned(),
            self.manifests.clone().into_bytes(),
        );
        let options = Options {
            env: None,
            ..Default::default()
        };
        Some(
            session
                .compile(&world, "budget.bz", self.text(), &options)
                .output?
                .files,
        )
    }
}

impl Maker {
    fn object(&mut self, text: &str) {
        let _ = write!(self.out, "{text}\n---\n");
    }

    fn one_of<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.rng.index(of.len())]
    }

    /// `resources` of a container.
    fn resources(&mut self) -> String {
        let request = self.rng.range(3, 24) * 8;
        let limit = if self.rng.chance(15) {
            request + self.rng.range(1, 8) * 16
        } else {
            request
        };
        let cpu = self.rng.range(1, 12) * 10;
        let cpu = if self.rng.chance(70) {
            format!(", cpu: {cpu}m")
        } else {
            String::new()
        };
        let mut more = String::new();
        if self.parts.odd && self.rng.chance(3) {
            more += ", ephemeral-storage: 64Mi";
        }
        match self.rng.range(0, 19) {
            0..=11 => format!(
                "{{requests: {{memory: {request}Mi{cpu}{more}}}, limits: {{memory: {limit}Mi}}}}"
            ),
            12..=17 => format!("{{limits: {{memory: {limit}Mi{cpu}}}}}"),
            18 => format!("{{requests: {{memory: {request}Mi}}}}"),
            _ => "{}".to_owned(),
        }
    }

    fn container(&mut self, name: &str, more: &str) -> String {
        let resources = self.resources();
        format!(
            "{{name: {name}, image: \"ghcr.io/acme/{name}:1.0\", resources: {resources}{more}}}"
        )
    }

    /// The `template` of a workload: metadata and spec.
    fn template(&mut self, name: &str, stays: bool) -> String {
        let mut containers = vec![self.container("main", "")];
        if self.rng.chance(20) {
            containers.push(self.container("beside", ""));
        }
        let mut init = Vec::new();
        for at in 0..2 {
            if self.rng.chance(15) {
                let more = if self.rng.chance(50) {
                    ", restartPolicy: Always"
                } else {
                    ""
                };
                init.push(self.container(&format!("init-{at}"), more));
            }
        }
        let mut spec = format!("containers: [{}]", containers.join(", "));
        if !init.is_empty() {
            let _ = write!(spec, ", initContainers: [{}]", init.join(", "));
        }
        if !stays {
            spec += ", restartPolicy: Never";
            if self.rng.chance(30) {
                spec += ", activeDeadlineSeconds: 600";
            }
        }
        if self.parts.classes && self.out.contains("PriorityClass") && self.rng.chance(40) {
            let class = self.one_of(&["low", "high"]);
            let _ = write!(spec, ", priorityClassName: {class}");
        }
        if self.parts.odd && self.rng.chance(8) {
            let _ = write!(
                spec,
                ", affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: \
                 kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: {name}}}}}}}]}}}}"
            );
        }
        if self.rng.chance(8) {
            spec += ", nodeSelector: {kubernetes.io/hostname: n0}";
        }
        if self.parts.storage && stays && self.rng.chance(8) {
            self.claims += 1;
            let _ = write!(
                spec,
                ", volumes: [{{name: data, persistentVolumeClaim: {{claimName: claim-{name}}}}}]"
            );
        }
        format!("{{metadata: {{labels: {{app: {name}}}}}, spec: {{{spec}}}}}")
    }

    fn workload(&mut self, at: u64) {
        let name = format!("w{at}");
        let namespace = *self.rng.pick(&NAMESPACES);
        let place = if namespace.is_empty() {
            String::new()
        } else {
            format!(", namespace: {namespace}")
        };
        let meta = format!("metadata: {{name: {name}{place}}}");
        let selector = format!("selector: {{matchLabels: {{app: {name}}}}}");
        let replicas = self.rng.range(1, 4);
        let apps = "apiVersion: apps/v1";
        match self.rng.range(0, 13) {
            0..=6 => {
                let strategy = match self.rng.range(0, 6) {
                    0 | 1 => "",
                    2 => "strategy: {type: Recreate}, ",
                    3 => "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}, ",
                    4 => "strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}, ",
                    5 => "strategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 34%}}, ",
                    _ => "strategy: {rollingUpdate: {maxSurge: 100%}}, ",
                };
                let template = self.template(&name, true);
                self.object(&format!(
                    "{{{apps}, kind: Deployment, {meta}, spec: {{replicas: {replicas}, {strategy}{selector}, template: {template}}}}}"
                ));
                if self.rng.chance(15) {
                    let most = replicas + self.rng.range(0, 2);
                    self.object(&format!(
                        "{{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, {meta}, spec: {{minReplicas: 1, \
                         maxReplicas: {most}, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}, \
                         metrics: [{{type: Resource, resource: {{name: memory, target: {{type: Utilization, \
                         averageUtilization: 80}}}}}}]}}}}"
                    ));
                }
                self.claim(&name, &place);
            }
            7 | 8 => {
                let template = self.template(&name, true);
                let claims = if self.parts.storage && self.rng.chance(50) {
                    ", volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: \
                     {requests: {storage: 1Gi}}}}]"
                } else {
                    ""
                };
                let policy = if self.rng.chance(30) {
                    "podManagementPolicy: Parallel, "
                } else {
                    ""
                };
                self.object(&format!(
                    "{{{apps}, kind: StatefulSet, {meta}, spec: {{replicas: {replicas}, serviceName: {name}, {policy}{selector}, \
                     template: {template}{claims}}}}}"
                ));
                self.claim(&name, &place);
            }
            9 => {
                let template = self.template(&name, true);
                self.object(&format!("{{{apps}, kind: DaemonSet, {meta}, spec: {{{selector}, template: {template}}}}}"));
                self.claim(&name, &place);
            }
            10 => {
                let template = self.template(&name, true);
                self.object(&format!(
                    "{{{apps}, kind: ReplicaSet, {meta}, spec: {{replicas: {replicas}, {selector}, template: {template}}}}}"
                ));
                self.claim(&name, &place);
            }
            11 => {
                let template = self.template(&name, false);
                let policy = self.one_of(&["", "podReplacementPolicy: Failed, "]);
                self.object(&format!(
                    "{{apiVersion: batch/v1, kind: Job, {meta}, spec: {{parallelism: {replicas}, completions: 4, {policy}template: {template}}}}}"
                ));
            }
            12 => {
                let template = self.template(&name, false);
                let policy = self.one_of(&["Forbid", "Replace", "Replace"]);
                // One that is replaced sooner than it must have ended piles up pods.
                let grace = self.one_of(&[
                    "",
                    "terminationGracePeriodSeconds: 240, ",
                    "terminationGracePeriodSeconds: 900, ",
                ]);
                let template = template.replacen("spec: {", &format!("spec: {{{grace}"), 1);
                self.object(&format!(
                    "{{apiVersion: batch/v1, kind: CronJob, {meta}, spec: {{schedule: \"*/5 * * * *\", concurrencyPolicy: {policy}, \
                     jobTemplate: {{spec: {{template: {template}}}}}}}}}"
                ));
            }
            _ => {
                let template = self.template(&name, true);
                let spec = template.split_once("spec: ").map_or("", |(_, spec)| spec);
                self.object(&format!(
                    "{{apiVersion: v1, kind: Pod, {meta}, spec: {spec}"
                ));
                self.claim(&name, &place);
            }
        }
    }

    /// The claim that the last workload uses, if it does.
    fn claim(&mut self, name: &str, place: &str) {
        if self.out.contains(&format!("claimName: claim-{name}}}")) {
            let mode = self.one_of(&["ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod"]);
            self.object(&format!(
                "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: claim-{name}{place}}}, spec: {{accessModes: \
                 [{mode}], resources: {{requests: {{storage: 1Gi}}}}}}}}"
            ));
        }
    }

    fn quota(&mut self, namespace: &str) {
        let mut hard = Vec::new();
        let mib = self.rng.range(2, 30) * 32;
        match self.rng.range(0, 6) {
            0 => hard.push(format!("requests.memory: {mib}Mi")),
            1 => hard.push(format!("limits.memory: {mib}Mi")),
            2 => hard.push(format!("memory: {mib}Mi")),
            3 => hard.push(format!("pods: {}", self.rng.range(1, 12))),
            4 => hard.push(format!("requests.cpu: {}m", self.rng.range(1, 20) * 50)),
            5 => hard.push(format!("count/pods: {}", self.rng.range(1, 12))),
            _ => hard.extend([
                "requests.storage: 2Gi".to_owned(),
                "persistentvolumeclaims: 2".to_owned(),
            ]),
        }
        if self.rng.chance(20) {
            hard.push(format!("limits.memory: {}Mi", mib * 2));
            hard.dedup_by_key(|one| one.split(':').next().map(str::to_owned));
        }
        let scope = match self.rng.range(0, 9) {
            0 => ", scopes: [NotTerminating]",
            1 => ", scopes: [Terminating]",
            2 => {
                ", scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}"
            }
            _ => "",
        };
        if !scope.is_empty() {
            // These may be had with pods and what they ask for only.
            hard.retain(|one| {
                one.contains("memory") || one.contains("cpu") || one.starts_with("pods")
            });
        }
        let place = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        if !hard.is_empty() {
            self.object(&format!(
                "{{apiVersion: v1, kind: ResourceQuota, metadata: {{name: q, namespace: {place}}}, spec: {{hard: {{{}}}{scope}}}}}",
                hard.join(", ")
            ));
        }
    }

    fn limit_range(&mut self, namespace: &str) {
        let mib = self.rng.range(1, 16) * 16;
        let item = match self.rng.range(0, 8) {
            0 => format!("{{type: Container, max: {{memory: {mib}Mi}}}}"),
            1 => format!("{{type: Container, min: {{memory: {}Mi}}}}", mib / 4),
            2 => format!("{{type: Container, default: {{memory: {mib}Mi}}}}"),
            3 => format!(
                "{{type: Container, default: {{memory: {mib}Mi}}, defaultRequest: {{memory: {}Mi}}}}",
                mib / 2
            ),
            4 => format!("{{type: Pod, max: {{memory: {}Mi}}}}", mib * 2),
            5 => "{type: Container, maxLimitRequestRatio: {memory: 2}}".to_owned(),
            6 => "{type: Container, max: {cpu: \"1\"}, default: {cpu: 200m}}".to_owned(),
            7 => "{type: PersistentVolumeClaim, max: {storage: 1Gi}, min: {storage: 100Mi}}"
                .to_owned(),
            _ => format!(
                "{{type: Container, defaultRequest: {{memory: {}Mi, cpu: 50m}}}}",
                mib / 2
            ),
        };
        let place = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        self.object(&format!(
            "{{apiVersion: v1, kind: LimitRange, metadata: {{name: l, namespace: {place}}}, spec: {{limits: [{item}]}}}}"
        ));
    }

    fn balancer(&mut self) {
        for (at, namespace) in ["shop", "lab"].into_iter().enumerate() {
            if at > 0 && self.rng.chance(50) {
                break;
            }
            let port = self.rng.range(8000, 8004);
            self.object(&format!(
                "{{apiVersion: v1, kind: Service, metadata: {{name: lb, namespace: {namespace}}}, spec: {{type: LoadBalancer, \
                 ports: [{{port: {port}}}, {{port: {}, protocol: UDP}}]}}}}",
                port + 1
            ));
        }
    }

    fn finish(mut self) -> Set {
        let storage = if self.out.contains("PersistentVolumeClaim")
            || self.out.contains("volumeClaimTemplates")
        {
            ""
        } else {
            ", local-storage"
        };
        let balancer = if self.out.contains("LoadBalancer") {
            ""
        } else {
            ", servicelb"
        };
        let mut rest = format!(
            "k3s {{ memory = 400Mi  disable = [traefik, metrics-server{balancer}{storage}] }}\n"
        );
        rest += "component coredns { memory = 64Mi }\n";
        let rule = match self.rng.range(0, 4) {
            0 => "memory = 48Mi",
            1 => "memory = 24Mi..96Mi",
            _ => "",
        };
        rest += &format!("adopt \"k8s/*.yaml\" {{ {rule} }}\n");
        if self.rng.chance(25) {
            rest += "service own { memory = 32Mi  cpu = 10m  image = \"ghcr.io/acme/own:1.0\" }\n";
        }
        if self.rng.chance(20) {
            rest += "namespace = shop\n";
        }
        let count = if self.parts.several && self.rng.chance(40) {
            self.rng.range(2, 3)
        } else {
            1
        };
        let cpu = self.rng.chance(85);
        let nodes = (0..count)
            .map(|_| (6000, if cpu { self.rng.range(1, 4) } else { 0 }))
            .collect();
        Set {
            manifests: self.out,
            rest,
            nodes,
            less: 0,
        }
    }
}
