//! A service to its Deployment and Service, in one file.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{metadata, node_name, pins_matter, print, priority_name};
use crate::backend::dockerfile::image_name;
use crate::backend::yaml::comment;
use crate::plan::model::{Plan, Workload};
use crate::sema::hir::{EnvValue, Image, Probe, ProbeAction, ProbeKind, Rollout, Service, Volume, VolumeSource};

const NAME_LABEL: &str = "app.kubernetes.io/name";

pub(super) fn file(head: &str, plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> String {
    let mut out = String::with_capacity(2048);
    comment(head, &mut out);
    print(&deployment(plan, service, workload), &mut out);
    if !service.ports.is_empty() {
        out.push_str("---\n");
        print(&kubernetes_service(plan, service), &mut out);
    }
    out
}

fn selector(service: &Service<'_>) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME_LABEL.to_owned(), service.name.value.to_owned())])
}

fn own_metadata(plan: &Plan<'_, '_>, service: &Service<'_>) -> ObjectMeta {
    let mut metadata = metadata(plan, service.name.value);
    if let Some(labels) = &mut metadata.labels {
        labels.insert(NAME_LABEL.to_owned(), service.name.value.to_owned());
        labels.extend(service.pod.labels.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())));
    }
    metadata
}

fn count(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn deployment(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> Deployment {
    let metadata = own_metadata(plan, service);
    let annotations = &service.pod.annotations;
    let pod_metadata = ObjectMeta {
        labels: metadata.labels.clone(),
        annotations: (!annotations.is_empty())
            .then(|| annotations.iter().map(|(key, value)| ((*key).to_owned(), value.to_string())).collect()),
        ..ObjectMeta::default()
    };
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: Some(count(workload.replicas)),
            selector: LabelSelector { match_labels: Some(selector(service)), ..LabelSelector::default() },
            strategy: Some(strategy(service.rollout.value)),
            template: core::PodTemplateSpec { metadata: Some(pod_metadata), spec: Some(pod(plan, service, workload)) },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn strategy(rollout: Rollout) -> DeploymentStrategy {
    let rolling = |surge: IntOrString, unavailable: i32| DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(surge),
            max_unavailable: Some(IntOrString::Int(unavailable)),
        }),
    };
    match rollout {
        Rollout::Replace => rolling(IntOrString::Int(0), 1),
        Rollout::Recreate => DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None },
        Rollout::Surge(n) => rolling(IntOrString::Int(count(n)), 0),
        Rollout::SurgePercent(percent) => rolling(IntOrString::String(format!("{percent}%")), 0),
    }
}

fn pod(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> core::PodSpec {
    let given = &service.pod;
    let tier = service.tier.map(|tier| &plan.program.tiers[tier]);
    let pull_secrets = given.pull_secrets.iter().map(|name| core::LocalObjectReference { name: (*name).to_owned() });
    core::PodSpec {
        containers: vec![container(service, workload)],
        // Kubernetes would give every container some variables for every Service of the namespace: memory and
        // start-up time that grow with the number of services, for names DNS resolves anyway.
        enable_service_links: Some(false),
        image_pull_secrets: (!given.pull_secrets.is_empty()).then(|| pull_secrets.collect()),
        node_selector: given.node.filter(|_| pins_matter(plan)).map(|node| {
            let name = node_name(&plan.program.nodes[node]);
            BTreeMap::from([("kubernetes.io/hostname".to_owned(), name.to_owned())])
        }),
        priority_class_name: tier
            .filter(|tier| tier.priority.is_some())
            .map(|tier| priority_name(plan, tier.name.value)),
        security_context: given.user.map(|user| core::PodSecurityContext {
            run_as_user: i64::try_from(user).ok(),
            run_as_non_root: (user > 0).then_some(true),
            ..core::PodSecurityContext::default()
        }),
        service_account_name: given.service_account.map(str::to_owned),
        termination_grace_period_seconds: given.grace.and_then(|grace| i64::try_from(grace.0.div_ceil(1000)).ok()),
        volumes: (!given.volumes.is_empty()).then(|| given.volumes.iter().map(volume).collect()),
        ..core::PodSpec::default()
    }
}

fn container(service: &Service<'_>, workload: &Workload<'_>) -> core::Container {
    let given = &service.pod;
    let texts = |list: &[std::borrow::Cow<'_, str>]| -> Option<Vec<String>> {
        (!list.is_empty()).then(|| list.iter().map(ToString::to_string).collect())
    };
    let probe = |kind: ProbeKind| given.probes.iter().find(|probe| probe.kind == kind).map(kubernetes_probe);
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
        image: Some(match &service.image {
            Image::Name(name) => name.value.to_string(),
            Image::Built(image) => image_name(service, image),
        }),
        command: texts(&given.command),
        args: texts(&given.args),
        env: (!given.env.is_empty())
            .then(|| given.env.iter().map(|(name, value)| variable(name.value, value)).collect()),
        env_from: env_from(service),
        ports: (!service.ports.is_empty()).then(|| ports.collect()),
        resources: Some(resources(service, workload)),
        readiness_probe: probe(ProbeKind::Readiness),
        liveness_probe: probe(ProbeKind::Liveness),
        startup_probe: probe(ProbeKind::Startup),
        volume_mounts: (!given.volumes.is_empty()).then(|| mounts.collect()),
        ..core::Container::default()
    }
}

fn resources(service: &Service<'_>, workload: &Workload<'_>) -> core::ResourceRequirements {
    let mut requests = BTreeMap::from([("memory".to_owned(), Quantity(workload.request.to_string()))]);
    let mut limits = BTreeMap::from([("memory".to_owned(), Quantity(workload.limit.to_string()))]);
    if let Some((request, limit)) = service.cpu {
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
    core::EnvVar { name: name.to_owned(), value: text, value_from: from }
}

fn env_from(service: &Service<'_>) -> Option<Vec<core::EnvFromSource>> {
    let configs = service.pod.configs.iter().map(|name| core::EnvFromSource {
        config_map_ref: Some(core::ConfigMapEnvSource { name: (*name).to_owned(), optional: None }),
        ..core::EnvFromSource::default()
    });
    let secrets = service.pod.secrets.iter().map(|name| core::EnvFromSource {
        secret_ref: Some(core::SecretEnvSource { name: (*name).to_owned(), optional: None }),
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
            out.http_get = Some(core::HTTPGetAction {
                path: Some(path.to_string()),
                port: IntOrString::Int(i32::from(*port)),
                ..core::HTTPGetAction::default()
            });
        }
        ProbeAction::Tcp(port) => {
            out.tcp_socket = Some(core::TCPSocketAction {
                port: IntOrString::Int(i32::from(*port)),
                ..core::TCPSocketAction::default()
            });
        }
        ProbeAction::Exec(command, _) => {
            let command = command.iter().map(ToString::to_string).collect();
            out.exec = Some(core::ExecAction { command: Some(command) });
        }
    }
    out
}

fn volume(volume: &Volume<'_>) -> core::Volume {
    let mut out = core::Volume { name: volume.name.value.to_owned(), ..core::Volume::default() };
    match &volume.source {
        VolumeSource::Claim(claim) => {
            out.persistent_volume_claim =
                Some(core::PersistentVolumeClaimVolumeSource { claim_name: (*claim).to_owned(), read_only: None });
        }
        VolumeSource::Config(name) => {
            out.config_map = Some(core::ConfigMapVolumeSource { name: (*name).to_owned(), ..Default::default() });
        }
        VolumeSource::Secret(name) => {
            out.secret = Some(core::SecretVolumeSource { secret_name: Some((*name).to_owned()), ..Default::default() });
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
            out.host_path = Some(core::HostPathVolumeSource { path: path.to_string(), type_: None });
        }
    }
    out
}

fn kubernetes_service(plan: &Plan<'_, '_>, service: &Service<'_>) -> core::Service {
    let node_port = service.ports.iter().any(|port| port.node_port.is_some());
    let ports = service.ports.iter().map(|port| core::ServicePort {
        name: Some(port.name.to_owned()),
        port: i32::from(port.number.value),
        target_port: Some(IntOrString::String(port.name.to_owned())),
        node_port: port.node_port.map(|port| i32::from(port.value)),
        protocol: port.udp.then(|| "UDP".to_owned()),
        ..core::ServicePort::default()
    });
    core::Service {
        metadata: own_metadata(plan, service),
        spec: Some(core::ServiceSpec {
            selector: Some(selector(service)),
            ports: Some(ports.collect()),
            type_: node_port.then(|| "NodePort".to_owned()),
            ..core::ServiceSpec::default()
        }),
        ..core::Service::default()
    }
}
