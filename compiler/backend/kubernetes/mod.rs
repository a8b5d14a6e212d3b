//! Kubernetes objects of the plan: what holds the budget in the cluster, and a file for every service.

mod account;
pub(super) mod coredns;
mod ingress;
mod object;
mod pod;
mod policy;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    ConfigMap, LimitRange, LimitRangeItem, LimitRangeSpec, Namespace, ResourceQuota,
    ResourceQuotaSpec,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::json;

use self::object::{Printer, Takes, metadata, print};
use super::artifact::{Artifact, Content};
use super::secrets;
use super::yaml::comment;
use crate::base::id::{Id, numbered};
use crate::base::quantity::Bytes;
use crate::plan::admission::{
    daemons, has_range, in_a_rollout, priority_name, pushes, writes_quota,
};
use crate::plan::model::{Choice, Plan, Workload};
use crate::plan::resources::Dimension;
use crate::plan::{packaged, packaged_asks};
use crate::program::{Component, Kind, Service, ServiceId, TierId};
use crate::render::{Overlaid, header};

/// Files that are not a service's begin with a digit, which no service's name does.
const NAMESPACE: &str = "00-namespace.yaml";
const QUOTA: &str = "01-quota.yaml";
const PRIORITIES: &str = "02-priority-classes.yaml";
const CONFIGS: &str = "03-configs.yaml";
const SECRETS: &str = "04-secrets.yaml";
const ACCOUNTS: &str = "05-accounts.yaml";

/// The files of the program's own objects, and whether there are any. Its namespace is left out where an adopted manifest
/// has it.
pub(super) fn emit(plan: &Plan<'_, '_>, has_namespace: bool, files: &mut Vec<Artifact>) -> bool {
    let head = commented_header(plan);
    let mut names: Vec<String> = own_services(plan)
        .map(|(service, _)| workload_name(service))
        .collect();
    let mut add = |name: &str, content: String| {
        files.push((format!("manifests/{name}"), content.into_bytes()));
        names.push(name.to_owned());
    };
    if !has_namespace {
        add(NAMESPACE, document(&head, &[&namespace(plan)]));
    }
    if writes_quota(plan) {
        add(QUOTA, quota_file(&head, plan));
    }
    let priorities = priority_classes(plan);
    if !priorities.is_empty() {
        let objects: Vec<_> = priorities.iter().collect();
        add(PRIORITIES, document(&head, &objects));
    }
    let configs: Vec<ConfigMap> = configs(plan);
    if !configs.is_empty() {
        let objects: Vec<_> = configs.iter().collect();
        add(CONFIGS, document(&head, &objects));
    }
    let secrets = secrets::objects(plan);
    if !secrets.is_empty() {
        add(
            SECRETS,
            document(&head, &secrets.iter().collect::<Vec<_>>()),
        );
    }
    if !plan.program.accounts.is_empty() {
        let mut text = head.clone();
        account::objects(plan, &mut Printer::new(&mut text));
        add(ACCOUNTS, text);
    }
    if names.is_empty() {
        return false;
    }
    names.sort();
    let mut kustomization = head;
    comment(
        "Part of what `kubectl apply -k out` applies.",
        &mut kustomization,
    );
    kustomization
        .push_str("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n");
    for name in names {
        kustomization.push_str("- ");
        kustomization.push_str(&name);
        kustomization.push('\n');
    }
    files.push((
        "manifests/kustomization.yaml".to_owned(),
        kustomization.into_bytes(),
    ));
    true
}

/// The file of every service, printed when it is asked for. Where the program lays patches over its objects, these are
/// `overlaid`.
pub(super) fn workloads<'p>(
    plan: &'p Plan<'_, '_>,
    overlaid: &'p Overlaid,
) -> impl Iterator<Item = (String, Content<'p>)> {
    let head: Arc<str> = commented_header(plan).into();
    let services = numbered(&plan.program.services).zip(&plan.workloads);
    let own = services.filter(|((_, service), _)| service.adopted.is_none());
    own.map(move |((id, service), workload)| {
        let head = Arc::clone(&head);
        let laid = overlaid.get(&id);
        let print = move |out: &mut String| {
            out.push_str(&head);
            let mut printer = Printer::new(out);
            match laid {
                Some(objects) => objects.iter().for_each(|object| printer.object(object)),
                None => workload::objects(plan, service, workload, &mut printer),
            }
        };
        let path = format!("manifests/{}", workload_name(service));
        (path, Content::Later(Box::new(print)))
    })
}

/// The objects of one service as data.
pub(crate) fn objects_of(plan: &Plan<'_, '_>, id: ServiceId) -> Vec<serde_json::Value> {
    let mut objects = Vec::new();
    let (service, workload) = (&plan.program.services[id], &plan.workloads[id.index()]);
    workload::objects(plan, service, workload, &mut objects);
    objects
}

/// The services of which bzc writes the workload.
fn own_services<'p, 'a>(
    plan: &'p Plan<'_, 'a>,
) -> impl Iterator<Item = (&'p Service<'a>, &'p Workload<'a>)> {
    let services = plan.program.services.iter().zip(&plan.workloads);
    services.filter(|(service, _)| service.adopted.is_none())
}

/// The waves of rollouts that must not overlap, by the label under which each is applied.
pub(crate) fn waves(plan: &Plan<'_, '_>) -> BTreeSet<String> {
    own_services(plan)
        .filter(|(service, _)| matches!(service.kind, Kind::Deployment(_)))
        .filter_map(|(service, workload)| workload::wave(service, workload))
        .collect()
}

fn workload_name(service: &Service<'_>) -> String {
    match service.name.value {
        // The one name kustomize takes for itself.
        "kustomization" => "0-kustomization.yaml".to_owned(),
        name => format!("{name}.yaml"),
    }
}

fn commented_header(plan: &Plan<'_, '_>) -> String {
    let mut head = String::new();
    comment(&header(plan), &mut head);
    head
}

/// What runs in the program's namespace: its own services, and what is adopted into it.
fn members<'p, 'a>(
    plan: &'p Plan<'_, 'a>,
) -> impl Iterator<Item = (&'p Service<'a>, &'p Workload<'a>)> {
    let inside =
        |service: &Service<'_>| plan.program.namespace_of(service) == plan.program.namespace.value;
    plan.program
        .services
        .iter()
        .zip(&plan.workloads)
        .filter(move |(service, _)| inside(service))
}

/// Objects of one kind in one file.
fn document<T: Serialize>(head: &str, objects: &[&T]) -> String {
    let mut out = String::new();
    out.push_str(head);
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            out.push_str("---\n");
        }
        print(object, &mut out);
    }
    out
}

fn namespace(plan: &Plan<'_, '_>) -> Namespace {
    Namespace {
        metadata: ObjectMeta {
            namespace: None,
            ..metadata(plan, plan.program.namespace.value)
        },
        ..Namespace::default()
    }
}

fn quantities(pairs: &[(&str, String)]) -> Option<BTreeMap<String, Quantity>> {
    Some(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Quantity(value.clone())))
            .collect(),
    )
}

/// What all services together may take in the cluster: the smallest budget over all of them, or what the node has; on
/// several nodes what was proved to find room.
pub(super) fn namespace_ceiling(plan: &Plan<'_, '_>) -> Bytes {
    let of_nodes = match plan.nodes.as_slice() {
        [node] => node.allocatable() - node.packaged()[Dimension::Memory],
        nodes => plan.together.asked[Dimension::Memory] - packaged_asks(nodes)[Dimension::Memory],
    };
    let over_all = plan
        .program
        .budgets
        .iter()
        .filter(|budget| budget.members.is_none());
    let least = over_all
        .map(|budget| budget.ceiling.value.n)
        .fold(of_nodes, u64::min);
    Bytes::new(least)
}

/// What pods ask for that are in the namespace of the program, which its quota counts as well, and are none of its
/// services, and how many they are.
fn others_inside(plan: &Plan<'_, '_>) -> (u64, u64) {
    let inside = packaged(&plan.nodes, |component| {
        let namespace = plan.program.components[component.component].namespace;
        let is_inside = namespace.is_some_and(|given| given.value == plan.program.namespace.value);
        is_inside.then(|| (component.asked()[Dimension::Memory], component.pods))
    });
    let both = |(bytes, pods): (u64, u64), (some, count)| {
        (bytes.saturating_add(some), pods.saturating_add(count))
    };
    inside.into_iter().flatten().fold((0, 0), both)
}

/// The budget, held by the cluster: what the compiler proved stays true when somebody adds a pod by hand.
fn quota_file(head: &str, plan: &Plan<'_, '_>) -> String {
    let bursts = members(plan).any(|(_, workload)| workload.choice == Choice::Burst);
    let (of_others, pods_of_others) = others_inside(plan);
    let ceiling = Bytes::new(namespace_ceiling(plan).n.saturating_add(of_others));
    let pods: u64 = members(plan)
        .map(|(service, workload)| in_a_rollout(service, workload))
        .sum::<u64>()
        .saturating_add(pods_of_others);
    let least = members(plan)
        .map(|(_, workload)| workload.limit)
        .min()
        .unwrap_or(Bytes::mib(32));
    let mut hard = vec![
        ("requests.memory", ceiling.to_string()),
        ("pods", pods.to_string()),
    ];
    if !bursts {
        hard.push(("limits.memory", ceiling.to_string()));
    }
    let quota = ResourceQuota {
        metadata: metadata(plan, "bzc"),
        spec: Some(ResourceQuotaSpec {
            hard: quantities(&hard),
            ..ResourceQuotaSpec::default()
        }),
        ..ResourceQuota::default()
    };
    let memory = quantities(&[("memory", least.to_string())]);
    let range = (!has_range(plan.program, plan.program.namespace.value)).then(|| LimitRange {
        metadata: metadata(plan, "bzc"),
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default: memory.clone(),
                default_request: memory,
                max_limit_request_ratio: if bursts {
                    None
                } else {
                    quantities(&[("memory", "1".to_owned())])
                },
                ..LimitRangeItem::default()
            }],
        }),
    });
    let mut out = String::new();
    out.push_str(head);
    let text = format!(
        "The budget, held by the cluster. Pods: {pods} are what a rollout has there at once, those on their way\n\
         out among them; shims are reserved for no fewer.{}",
        match (&range, bursts) {
            (None, _) =>
                " What a pod that asks for no memory is given, an adopted\nLimitRange says."
                    .to_owned(),
            (Some(_), true) => format!(
                " A pod that asks for no memory is given {least};\n\
                 some services burst, so a limit may be above its request here."
            ),
            (Some(_), false) => format!(
                " A pod that asks for no memory is given {least};\n\
                 a limit above its request is refused: then no pod can take another's memory."
            ),
        }
    );
    comment(&text, &mut out);
    comment(
        "During a rollout a pod that is ending still counts: its successor may have to wait until it has ended.",
        &mut out,
    );
    print(&quota, &mut out);
    if let Some(range) = &range {
        out.push_str("---\n");
        print(range, &mut out);
    }
    out
}

/// Limits for those pods of kube-system that K3s gives none.
pub(super) fn system_limits(plan: &Plan<'_, '_>, default: Bytes) -> String {
    let memory = quantities(&[("memory", default.to_string())]);
    let range = LimitRange {
        metadata: ObjectMeta {
            name: Some("bzc".to_owned()),
            namespace: Some("kube-system".to_owned()),
            labels: Some(BTreeMap::from([(
                "app.kubernetes.io/managed-by".to_owned(),
                "bzc".to_owned(),
            )])),
            ..ObjectMeta::default()
        },
        spec: Some(LimitRangeSpec {
            limits: vec![LimitRangeItem {
                type_: "Container".to_owned(),
                default: memory.clone(),
                default_request: memory,
                ..LimitRangeItem::default()
            }],
        }),
    };
    let mut out = commented_header(plan);
    let text = format!(
        "Goes to /var/lib/rancher/k3s/server/manifests/ of the server: K3s applies it at every start.\n\
         Some components that K3s packages have no memory limit, and a change of their own manifests is undone at the\n\
         next start. This gives every new container of kube-system without a limit {default}, as its request too, so that\n\
         the proof can count it. Pods that run already keep what they have until they are started anew:\n\
         kubectl -n kube-system rollout restart deployment\n\
         The way back: remove this file, then kubectl -n kube-system delete limitrange bzc"
    );
    comment(&text, &mut out);
    print(&range, &mut out);
    out
}

/// What K3s lays over the values of its chart of Traefik, at every start: the memory and CPU that the program gives,
/// and one pod, whose successor waits for room rather than for it to be ready.
pub(super) fn traefik_config(plan: &Plan<'_, '_>, traefik: &Component<'_>) -> String {
    let mut resources = json!({});
    if let Some((request, limit)) = traefik.memory {
        resources["requests"]["memory"] = request.value.to_string().into();
        resources["limits"]["memory"] = limit.unwrap_or(request).value.to_string().into();
    }
    if let Some((request, limit)) = traefik.cpu {
        resources["requests"]["cpu"] = request.value.to_string().into();
        if let Some(limit) = limit {
            resources["limits"]["cpu"] = limit.value.to_string().into();
        }
    }
    let values = json!({
        "autoscaling": { "enabled": false },
        "deployment": { "kind": "Deployment", "replicas": 1 },
        "resources": resources,
        "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } },
    });
    let mut content = String::new();
    print(&values, &mut content);
    let config = json!({
        "apiVersion": "helm.cattle.io/v1",
        "kind": "HelmChartConfig",
        "metadata": { "name": "traefik", "namespace": "kube-system" },
        "spec": { "valuesContent": content },
    });
    let mut out = commented_header(plan);
    comment(
        "Goes to /var/lib/rancher/k3s/server/manifests/ of the server. K3s lays these values over those of its own chart,\n\
         so they last. There is one HelmChartConfig of this name: another one of yours would be replaced by it.\n\
         The way back: remove this file, then kubectl -n kube-system delete helmchartconfig traefik",
        &mut out,
    );
    print(&config, &mut out);
    out
}

/// A class for every tier with a priority that a service has.
fn priority_classes(plan: &Plan<'_, '_>) -> Vec<PriorityClass> {
    let used = |tier: TierId| {
        plan.program
            .services
            .iter()
            .any(|service| service.tier == Some(tier) && service.adopted.is_none())
    };
    let tiers = numbered(&plan.program.tiers).filter(|(tier, _)| used(*tier));
    let mut classes: Vec<PriorityClass> = tiers
        .filter_map(|(_, tier)| {
            let priority = tier.priority?;
            Some(PriorityClass {
                metadata: ObjectMeta {
                    namespace: None,
                    ..metadata(plan, &priority_name(plan, tier.name.value))
                },
                value: i32::try_from(priority.value).unwrap_or(i32::MAX),
                global_default: Some(false),
                // Everything fits: a pod never has to push another out, it only waits for one that is ending.
                preemption_policy: Some("Never".to_owned()),
                description: Some(format!(
                    "tier {} of {}",
                    tier.name.value, plan.program.source
                )),
            })
        })
        .collect();
    if plan.workloads.iter().any(|workload| pushes(plan, workload)) {
        classes.push(PriorityClass {
            metadata: ObjectMeta {
                namespace: None,
                ..metadata(plan, &daemons(plan))
            },
            value: 1_000_000_000,
            global_default: Some(false),
            // A pod that may run elsewhere makes room for one that may not, and finds room there.
            preemption_policy: Some("PreemptLowerPriority".to_owned()),
            description: Some(format!("DaemonSets of {}", plan.program.source)),
        });
    }
    classes
}

fn configs(plan: &Plan<'_, '_>) -> Vec<ConfigMap> {
    let configs = plan.program.configs.iter().map(|config| ConfigMap {
        metadata: metadata(plan, config.name.value),
        data: Some(
            config
                .data
                .iter()
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
        ),
        ..ConfigMap::default()
    });
    configs.collect()
}
