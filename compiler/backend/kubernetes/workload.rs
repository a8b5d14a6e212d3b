//! A workload to its Deployment, StatefulSet, DaemonSet, Job or CronJob, and to its Service, in one file.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, DeploymentStrategy,
    RollingUpdateDeployment, StatefulSet, StatefulSetSpec,
};
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};
use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, Job, JobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ingress::ingress;
use super::object::{Takes, count, label_selector, labelled, own_labels, own_metadata, selector};
use super::pod::pod;
use super::policy::{disruption_budget, network_policy};
use crate::plan::model::{Plan, Wave, Workload};
use crate::program::{
    Kind, MaxSurge, Rollout, Run, Scale, Schedule, Service, ServiceType, Volume, VolumeSource,
};

/// Gives the objects of a service, in the order of its file.
pub(super) fn objects(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
    to: &mut impl Takes,
) {
    for volume in &service.pod.volumes {
        let Some(name) = service.shared_claim(volume) else {
            continue;
        };
        let metadata = labelled(plan, &name, own_labels(plan, service));
        if let Some(claim) = claim(volume, metadata) {
            to.object(&claim);
        }
    }
    match &service.kind {
        Kind::Deployment(scale) => {
            to.object(&deployment(plan, service, workload));
            if let Some(scale) = scale {
                to.object(&autoscaler(plan, service, scale));
            }
        }
        Kind::StatefulSet => to.object(&stateful_set(plan, service, workload)),
        Kind::DaemonSet => to.object(&daemon_set(plan, service, workload)),
        Kind::Job(run) => to.object(&job(plan, service, workload, run)),
        Kind::CronJob(run, schedule) => {
            to.object(&cron_job(plan, service, workload, run, schedule));
        }
    }
    if !service.ports.is_empty() {
        to.object(&kubernetes_service(plan, service));
    }
    if !service.ingresses.is_empty() {
        to.object(&ingress(plan, service));
    }
    if let Some(disruption) = service.pod.disruption {
        to.object(&disruption_budget(plan, service, disruption));
    }
    if let Some(peers) = &service.pod.reach.allow_from {
        to.object(&network_policy(plan, service, peers));
    }
}

/// What every kind of workload makes its pods of.
fn template(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> core::PodTemplateSpec {
    let annotations = &service.pod.annotations;
    core::PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(own_labels(plan, service)),
            annotations: (!annotations.is_empty()).then(|| {
                annotations
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), value.to_string()))
                    .collect()
            }),
            ..ObjectMeta::default()
        }),
        spec: Some(pod(plan, service, workload)),
    }
}

/// The label by which the Deployments of a wave are applied.
pub(crate) const WAVE: &str = "bzc/wave";

/// The wave of a rollout: its number, or its own name where it rolls alone.
pub(crate) fn wave(service: &Service<'_>, workload: &Workload<'_>) -> Option<String> {
    match workload.wave {
        _ if workload.surge == 0 => None,
        Wave::Every => None,
        Wave::Of(wave) => Some(wave.to_string()),
        Wave::Alone => Some(service.name.value.to_owned()),
    }
}

fn deployment(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> Deployment {
    let scaled = matches!(service.kind, Kind::Deployment(Some(_)));
    let mut metadata = own_metadata(plan, service);
    if let Some(wave) = wave(service, workload) {
        metadata
            .labels
            .get_or_insert_default()
            .insert(WAVE.to_owned(), wave);
    }
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            // Where an autoscaler decides, a number here would undo its decision at every apply.
            replicas: (!scaled).then(|| count(workload.replicas)),
            selector: label_selector(service),
            strategy: Some(strategy(service.rollout.value)),
            template: template(plan, service, workload),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn autoscaler(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    scale: &Scale<'_>,
) -> HorizontalPodAutoscaler {
    HorizontalPodAutoscaler {
        metadata: own_metadata(plan, service),
        spec: Some(HorizontalPodAutoscalerSpec {
            min_replicas: Some(count(scale.least)),
            max_replicas: count(scale.most.value),
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: service.name.value.to_owned(),
            },
            metrics: Some(vec![MetricSpec {
                type_: "Resource".to_owned(),
                resource: Some(ResourceMetricSource {
                    name: "cpu".to_owned(),
                    target: MetricTarget {
                        type_: "Utilization".to_owned(),
                        average_utilization: Some(count(scale.cpu)),
                        ..MetricTarget::default()
                    },
                }),
                ..MetricSpec::default()
            }]),
            ..HorizontalPodAutoscalerSpec::default()
        }),
        ..HorizontalPodAutoscaler::default()
    }
}

fn stateful_set(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> StatefulSet {
    let storages = service.pod.volumes.iter();
    let claims: Vec<core::PersistentVolumeClaim> = storages
        .filter_map(|volume| {
            claim(
                volume,
                ObjectMeta {
                    name: Some(volume.name.value.to_owned()),
                    ..ObjectMeta::default()
                },
            )
        })
        .collect();
    StatefulSet {
        metadata: own_metadata(plan, service),
        spec: Some(StatefulSetSpec {
            replicas: Some(count(workload.replicas)),
            selector: label_selector(service),
            service_name: Some(service.name.value.to_owned()),
            template: template(plan, service, workload),
            volume_claim_templates: (!claims.is_empty()).then_some(claims),
            ..StatefulSetSpec::default()
        }),
        ..StatefulSet::default()
    }
}

/// The claim of a volume with storage.
fn claim(volume: &Volume<'_>, metadata: ObjectMeta) -> Option<core::PersistentVolumeClaim> {
    let storage = match volume.source {
        VolumeSource::Storage(storage) => storage,
        VolumeSource::Claim(_)
        | VolumeSource::OwnClaims
        | VolumeSource::Config(_)
        | VolumeSource::Secret(_)
        | VolumeSource::Disk(_)
        | VolumeSource::Memory(_)
        | VolumeSource::Host(_) => return None,
    };
    let mode = if storage.many {
        "ReadWriteMany"
    } else {
        "ReadWriteOnce"
    };
    let size = Quantity(storage.size.to_string());
    Some(core::PersistentVolumeClaim {
        metadata,
        spec: Some(core::PersistentVolumeClaimSpec {
            access_modes: Some(vec![mode.to_owned()]),
            resources: Some(core::VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".to_owned(), size)])),
                ..core::VolumeResourceRequirements::default()
            }),
            storage_class_name: storage.class.map(str::to_owned),
            ..core::PersistentVolumeClaimSpec::default()
        }),
        ..core::PersistentVolumeClaim::default()
    })
}

fn daemon_set(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> DaemonSet {
    DaemonSet {
        metadata: own_metadata(plan, service),
        spec: Some(DaemonSetSpec {
            selector: label_selector(service),
            template: template(plan, service, workload),
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    }
}

fn job_spec(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
    run: &Run,
) -> JobSpec {
    JobSpec {
        parallelism: Some(count(run.parallelism)),
        completions: Some(count(run.completions)),
        backoff_limit: run.retries.map(count),
        active_deadline_seconds: run
            .deadline
            .and_then(|deadline| i64::try_from(deadline.0 / 1000).ok()),
        // A pod is replaced when it has failed, not when it is told to end: so there are never more than the parallelism.
        // Where the loss of a node is to be outlived, it cannot wait for that.
        pod_replacement_policy: Some(
            if workload.lingers {
                "TerminatingOrFailed"
            } else {
                "Failed"
            }
            .to_owned(),
        ),
        template: template(plan, service, workload),
        ..JobSpec::default()
    }
}

fn job(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>, run: &Run) -> Job {
    Job {
        metadata: own_metadata(plan, service),
        spec: Some(job_spec(plan, service, workload, run)),
        ..Job::default()
    }
}

fn cron_job(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
    run: &Run,
    schedule: &Schedule<'_>,
) -> CronJob {
    CronJob {
        metadata: own_metadata(plan, service),
        spec: Some(CronJobSpec {
            schedule: schedule.cron.to_string(),
            concurrency_policy: Some(schedule.concurrency.policy().to_owned()),
            job_template: JobTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(own_labels(plan, service)),
                    ..ObjectMeta::default()
                }),
                spec: Some(job_spec(plan, service, workload, run)),
            },
            ..CronJobSpec::default()
        }),
        ..CronJob::default()
    }
}

fn strategy(rollout: Rollout) -> DeploymentStrategy {
    let rolling = rollout
        .rolling()
        .map(|(surge, unavailable)| RollingUpdateDeployment {
            max_surge: Some(match surge {
                MaxSurge::Pods(n) => IntOrString::Int(count(n)),
                MaxSurge::Percent(percent) => IntOrString::String(format!("{percent}%")),
            }),
            max_unavailable: Some(IntOrString::Int(unavailable.into())),
        });
    DeploymentStrategy {
        type_: Some(rollout.strategy().to_owned()),
        rolling_update: rolling,
    }
}

fn kubernetes_service(plan: &Plan<'_, '_>, service: &Service<'_>) -> core::Service {
    let kind = match service.service_type() {
        ServiceType::ClusterIp => None,
        kind @ (ServiceType::NodePort | ServiceType::LoadBalancer) => Some(kind.word().to_owned()),
    };
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
            type_: kind,
            cluster_ip: service.is_headless().then(|| "None".to_owned()),
            ..core::ServiceSpec::default()
        }),
        ..core::Service::default()
    }
}
