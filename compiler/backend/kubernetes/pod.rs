//! The pods of a workload: their containers, what these see and are allowed, and where they may run.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::object::{count, label_selector};
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::Span;
use crate::plan::admission::priority_class;
use crate::plan::model::{Plan, Workload};
use crate::program::{
    Effect, EnvValue, Extra, Given, HOSTNAME, HookAction, Pod, Probe, ProbeAction, ProbeKind,
    Seccomp, Security, Service, Taint, Volume, VolumeSource,
};

pub(super) fn pod(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> core::PodSpec {
    let given = &service.pod;
    let pull_secrets = given
        .pull_secrets
        .iter()
        .map(|name| core::LocalObjectReference {
            name: (*name).to_owned(),
        });
    core::PodSpec {
        containers: vec![container(plan, service, workload)],
        init_containers: (!service.extras.is_empty())
            .then(|| service.extras.iter().map(|one| extra(one, given)).collect()),
        // Pods of a Job must end: a failed container is started again in its pod.
        restart_policy: service.kind.ends().then(|| "OnFailure".to_owned()),
        // Kubernetes would give every container some variables for every Service of the namespace: memory and
        // start-up time that grow with the number of services, for names DNS resolves anyway.
        enable_service_links: Some(false),
        image_pull_secrets: (!given.pull_secrets.is_empty()).then(|| pull_secrets.collect()),
        node_selector: node_selector(plan, service, workload),
        affinity: affinity(plan, service, workload),
        tolerations: (!given.place.tolerations.is_empty()).then(|| {
            let of = |(key, _): &(Cow<'_, str>, Span)| {
                let mut taints = plan.program.nodes.iter().flat_map(|node| &node.taints);
                let other = |taint: &Taint| taint.key == *key && taint.effect != Effect::NoSchedule;
                core::Toleration {
                    key: Some(key.to_string()),
                    operator: Some("Exists".to_owned()),
                    // Without an effect it is about all of them.
                    effect: (!taints.any(other)).then(|| "NoSchedule".to_owned()),
                    ..core::Toleration::default()
                }
            };
            given.place.tolerations.iter().map(of).collect()
        }),
        priority_class_name: priority_class(plan, service, workload),
        security_context: given.security.as_deref().and_then(pod_security),
        host_network: given.host_network.then_some(true),
        // In the network of the node names of the cluster would not resolve otherwise.
        dns_policy: given
            .host_network
            .then(|| "ClusterFirstWithHostNet".to_owned()),
        topology_spread_constraints: given
            .spread
            .as_ref()
            .map(|label| vec![spread(service, label)]),
        service_account_name: given.service_account.map(str::to_owned),
        termination_grace_period_seconds: given
            .grace
            .and_then(|grace| i64::try_from(grace.0.div_ceil(1000)).ok()),
        volumes: {
            let volumes = given.volumes.iter();
            let volumes: Vec<core::Volume> =
                volumes.filter_map(|one| volume(service, one)).collect();
            (!volumes.is_empty()).then_some(volumes)
        },
        ..core::PodSpec::default()
    }
}

/// Evenly over the places that a label of nodes tells apart. It keeps no pod waiting, so that the proof need not know it.
fn spread(service: &Service<'_>, label: &str) -> core::TopologySpreadConstraint {
    core::TopologySpreadConstraint {
        max_skew: 1,
        topology_key: label.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        label_selector: Some(label_selector(service)),
        ..core::TopologySpreadConstraint::default()
    }
}

/// What holds for the whole pod.
fn pod_security(given: &Security<'_>) -> Option<core::PodSecurityContext> {
    let number = |id: Option<u64>| id.and_then(|id| i64::try_from(id).ok());
    let context = core::PodSecurityContext {
        run_as_user: number(given.run_as),
        run_as_group: number(given.run_as_group),
        fs_group: number(given.fs_group),
        run_as_non_root: given.non_root,
        seccomp_profile: given.seccomp.as_ref().map(|seccomp| {
            let (type_, localhost_profile) = match seccomp {
                Seccomp::RuntimeDefault => ("RuntimeDefault", None),
                Seccomp::Unconfined => ("Unconfined", None),
                Seccomp::Localhost(path) => ("Localhost", Some(path.to_string())),
            };
            core::SeccompProfile {
                type_: type_.to_owned(),
                localhost_profile,
            }
        }),
        ..core::PodSecurityContext::default()
    };
    (context != core::PodSecurityContext::default()).then_some(context)
}

/// What Kubernetes keeps by container: all of them lose rights, and the main one alone gets some.
fn container_security(given: &Security<'_>, is_main: bool) -> Option<core::SecurityContext> {
    let capabilities = |names: &[&str]| -> Option<Vec<String>> {
        (!names.is_empty()).then(|| names.iter().map(|name| name.to_ascii_uppercase()).collect())
    };
    let (drop, add) = (
        capabilities(&given.drop),
        capabilities(&given.add).filter(|_| is_main),
    );
    let context = core::SecurityContext {
        allow_privilege_escalation: given.escalation,
        read_only_root_filesystem: given.read_only_root,
        privileged: given.privileged.filter(|_| is_main),
        capabilities: (drop.is_some() || add.is_some()).then_some(core::Capabilities { add, drop }),
        ..core::SecurityContext::default()
    };
    (context != core::SecurityContext::default()).then_some(context)
}

/// Labels that a node must have: those the program asks for, and its name where there is but one.
fn node_selector(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> Option<BTreeMap<String, String>> {
    let asked = service
        .pod
        .place
        .selector
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.to_string()));
    let mut labels: BTreeMap<String, String> = asked.collect();
    if let Some([name]) = plan.held_to(service, workload).as_deref() {
        labels.insert(HOSTNAME.to_owned(), (*name).to_owned());
    }
    (!labels.is_empty()).then_some(labels)
}

/// Several nodes by name, and pods of one service apart from each other.
fn affinity(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> Option<core::Affinity> {
    let names = plan
        .held_to(service, workload)
        .filter(|names| names.len() > 1);
    let node_affinity = names.map(|names| core::NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(core::NodeSelector {
            node_selector_terms: vec![core::NodeSelectorTerm {
                match_expressions: Some(vec![core::NodeSelectorRequirement {
                    key: HOSTNAME.to_owned(),
                    operator: "In".to_owned(),
                    values: Some(names.into_iter().map(str::to_owned).collect()),
                }]),
                ..core::NodeSelectorTerm::default()
            }],
        }),
        ..core::NodeAffinity::default()
    });
    let apart = service.pod.place.apart.then(|| core::PodAntiAffinity {
        required_during_scheduling_ignored_during_execution: Some(vec![core::PodAffinityTerm {
            label_selector: Some(label_selector(service)),
            topology_key: HOSTNAME.to_owned(),
            ..core::PodAffinityTerm::default()
        }]),
        ..core::PodAntiAffinity::default()
    });
    (node_affinity.is_some() || apart.is_some()).then(|| core::Affinity {
        node_affinity,
        pod_anti_affinity: apart,
        ..core::Affinity::default()
    })
}

fn texts(list: &[std::borrow::Cow<'_, str>]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.iter().map(ToString::to_string).collect())
}

/// A sidecar or an init container. Kubernetes calls a sidecar an init container that is always restarted.
fn extra(extra: &Extra<'_>, pod: &Pod<'_>) -> core::Container {
    let variables = extra
        .env
        .iter()
        .map(|(name, value)| variable(name.value, value));
    let mounts = extra.mounts.iter().map(|(name, path)| core::VolumeMount {
        name: (*name).to_owned(),
        mount_path: path.to_string(),
        ..core::VolumeMount::default()
    });
    core::Container {
        name: extra.name.value.to_owned(),
        image: Some(extra.image.value.to_string()),
        image_pull_policy: pod.pull_policy.map(str::to_owned),
        restart_policy: extra.stays.then(|| "Always".to_owned()),
        security_context: { pod.security.as_deref() }
            .and_then(|security| container_security(security, false)),
        command: texts(&extra.command),
        args: texts(&extra.args),
        env: (!extra.env.is_empty()).then(|| variables.collect()),
        env_from: env_from(&extra.configs, &extra.secrets),
        resources: Some(resources(extra.cpu, extra.memory.value, extra.memory.value)),
        volume_mounts: (!extra.mounts.is_empty()).then(|| mounts.collect()),
        ..core::Container::default()
    }
}

fn container(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> core::Container {
    let given = &service.pod;
    let probe = |kind: ProbeKind| {
        given
            .probes
            .iter()
            .find(|probe| probe.kind == kind)
            .map(kubernetes_probe)
    };
    let mounts = given.volumes.iter().map(|volume| core::VolumeMount {
        name: volume.name.value.to_owned(),
        mount_path: volume.path.to_string(),
        read_only: volume.read_only.then_some(true),
        ..core::VolumeMount::default()
    });
    let ports = service.ports.iter().map(|port| core::ContainerPort {
        name: Some(port.name.to_owned()),
        container_port: i32::from(port.number.value),
        host_port: port.host_port.map(|port| i32::from(port.value)),
        protocol: port.udp.then(|| "UDP".to_owned()),
        ..core::ContainerPort::default()
    });
    core::Container {
        name: service.name.value.to_owned(),
        image: Some(service.image_reference(&plan.program.digests)),
        image_pull_policy: given.pull_policy.map(str::to_owned),
        security_context: { given.security.as_deref() }
            .and_then(|security| container_security(security, true)),
        command: texts(&given.command),
        args: texts(&given.args),
        env: (!given.env.is_empty()).then(|| {
            given
                .env
                .iter()
                .map(|(name, value)| variable(name.value, value))
                .collect()
        }),
        env_from: env_from(&given.configs, &given.secrets),
        ports: (!service.ports.is_empty()).then(|| ports.collect()),
        resources: Some(resources(service.cpu, workload.request, workload.limit)),
        readiness_probe: probe(ProbeKind::Readiness),
        liveness_probe: probe(ProbeKind::Liveness),
        startup_probe: probe(ProbeKind::Startup),
        lifecycle: lifecycle(given),
        volume_mounts: (!given.volumes.is_empty()).then(|| mounts.collect()),
        ..core::Container::default()
    }
}

type CpuPair<'a> = (Given<'a, Cpu>, Option<Given<'a, Cpu>>);

fn resources(cpu: Option<CpuPair<'_>>, request: Bytes, limit: Bytes) -> core::ResourceRequirements {
    let mut requests = BTreeMap::from([("memory".to_owned(), Quantity(request.to_string()))]);
    let mut limits = BTreeMap::from([("memory".to_owned(), Quantity(limit.to_string()))]);
    if let Some((request, limit)) = cpu {
        requests.insert("cpu".to_owned(), Quantity(request.value.to_string()));
        if let Some(limit) = limit {
            limits.insert("cpu".to_owned(), Quantity(limit.value.to_string()));
        }
    }
    core::ResourceRequirements {
        requests: Some(requests),
        limits: Some(limits),
        ..core::ResourceRequirements::default()
    }
}

fn variable(name: &str, value: &EnvValue<'_>) -> core::EnvVar {
    let (text, from) = match value {
        EnvValue::Text(text) => (Some(text.to_string()), None),
        EnvValue::Secret(secret, key) => (
            None,
            Some(core::EnvVarSource {
                secret_key_ref: Some(core::SecretKeySelector {
                    name: (*secret).to_owned(),
                    key: key.to_string(),
                    optional: None,
                }),
                ..core::EnvVarSource::default()
            }),
        ),
        EnvValue::Field(path) => (None, Some(field(path))),
        EnvValue::Config(config, key) => (
            None,
            Some(core::EnvVarSource {
                config_map_key_ref: Some(core::ConfigMapKeySelector {
                    name: (*config).to_owned(),
                    key: key.to_string(),
                    optional: None,
                }),
                ..core::EnvVarSource::default()
            }),
        ),
    };
    core::EnvVar {
        name: name.to_owned(),
        value: text,
        value_from: from,
    }
}

/// A field of the pod, or an amount of its container.
fn field(path: &str) -> core::EnvVarSource {
    let of_container = path.starts_with("limits.") || path.starts_with("requests.");
    core::EnvVarSource {
        field_ref: (!of_container).then(|| core::ObjectFieldSelector {
            field_path: path.to_owned(),
            ..core::ObjectFieldSelector::default()
        }),
        resource_field_ref: of_container.then(|| core::ResourceFieldSelector {
            resource: path.to_owned(),
            ..core::ResourceFieldSelector::default()
        }),
        ..core::EnvVarSource::default()
    }
}

/// What the kubelet does around the life of the main container.
fn lifecycle(pod: &Pod<'_>) -> Option<core::Lifecycle> {
    let lifecycle = core::Lifecycle {
        post_start: pod.post_start.as_ref().map(hook),
        pre_stop: pod.pre_stop.as_ref().map(hook),
        ..core::Lifecycle::default()
    };
    (lifecycle != core::Lifecycle::default()).then_some(lifecycle)
}

fn hook(action: &HookAction<'_>) -> core::LifecycleHandler {
    let mut handler = core::LifecycleHandler::default();
    match action {
        HookAction::Http(path, port) => {
            handler.http_get = Some(http_get(path, *port));
        }
        HookAction::Exec(command) => {
            handler.exec = Some(core::ExecAction {
                command: texts(command),
            });
        }
        HookAction::Sleep(time) => {
            handler.sleep = Some(core::SleepAction {
                seconds: i64::from(count(time.0 / 1000)),
            });
        }
    }
    handler
}

fn http_get(path: &str, port: u16) -> core::HTTPGetAction {
    core::HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::Int(i32::from(port)),
        ..core::HTTPGetAction::default()
    }
}

fn env_from(configs: &[&str], secrets: &[&str]) -> Option<Vec<core::EnvFromSource>> {
    let configs = configs.iter().map(|name| core::EnvFromSource {
        config_map_ref: Some(core::ConfigMapEnvSource {
            name: (*name).to_owned(),
            optional: None,
        }),
        ..core::EnvFromSource::default()
    });
    let secrets = secrets.iter().map(|name| core::EnvFromSource {
        secret_ref: Some(core::SecretEnvSource {
            name: (*name).to_owned(),
            optional: None,
        }),
        ..core::EnvFromSource::default()
    });
    let all: Vec<core::EnvFromSource> = configs.chain(secrets).collect();
    (!all.is_empty()).then_some(all)
}

fn kubernetes_probe(probe: &Probe<'_>) -> core::Probe {
    let mut out = core::Probe {
        initial_delay_seconds: probe.delay.map(|delay| count(delay.0 / 1000)),
        period_seconds: probe.period.map(|period| count(period.0 / 1000)),
        timeout_seconds: probe.timeout.map(|timeout| count(timeout.0 / 1000)),
        failure_threshold: probe.failures.map(count),
        ..core::Probe::default()
    };
    match &probe.action {
        ProbeAction::Http(path, port) => {
            out.http_get = Some(http_get(path, *port));
        }
        ProbeAction::Tcp(port) => {
            out.tcp_socket = Some(core::TCPSocketAction {
                port: IntOrString::Int(i32::from(*port)),
                ..core::TCPSocketAction::default()
            });
        }
        ProbeAction::Exec(command, _) => {
            out.exec = Some(core::ExecAction {
                command: texts(command),
            });
        }
    }
    out
}

/// A volume of the pod. Those of the claims of a StatefulSet follow from its templates.
fn volume(service: &Service<'_>, volume: &Volume<'_>) -> Option<core::Volume> {
    let mounted = |claim_name: String| {
        Some(core::PersistentVolumeClaimVolumeSource {
            claim_name,
            read_only: None,
        })
    };
    let mut out = core::Volume {
        name: volume.name.value.to_owned(),
        ..core::Volume::default()
    };
    match &volume.source {
        VolumeSource::Claim(claim) => out.persistent_volume_claim = mounted((*claim).to_owned()),
        VolumeSource::Storage(_) => {
            out.persistent_volume_claim = mounted(service.shared_claim(volume)?);
        }
        VolumeSource::OwnClaims => {}
        VolumeSource::Config(name) => {
            out.config_map = Some(core::ConfigMapVolumeSource {
                name: (*name).to_owned(),
                ..Default::default()
            });
        }
        VolumeSource::Secret(name) => {
            out.secret = Some(core::SecretVolumeSource {
                secret_name: Some((*name).to_owned()),
                ..Default::default()
            });
        }
        VolumeSource::Disk(limit) => {
            out.empty_dir = Some(core::EmptyDirVolumeSource {
                medium: None,
                size_limit: limit.map(|limit| Quantity(limit.to_string())),
            });
        }
        VolumeSource::Memory(size) => {
            out.empty_dir = Some(core::EmptyDirVolumeSource {
                medium: Some("Memory".to_owned()),
                size_limit: Some(Quantity(size.value.to_string())),
            });
        }
        VolumeSource::Host(path) => {
            out.host_path = Some(core::HostPathVolumeSource {
                path: path.to_string(),
                type_: None,
            });
        }
    }
    Some(out)
}
