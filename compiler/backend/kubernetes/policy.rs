//! What others are held to for the sake of a workload: how many of its pods may be taken away at once, and who may open
//! connections to it.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicySpec,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::object::{count, label_selector, own_metadata, selected};
use crate::plan::model::Plan;
use crate::program::{Disruption, Peer, Service, Share};

/// The label of a namespace that holds its name (Kubernetes, `NamespaceDefaultLabelName`).
const NAMESPACE: &str = "kubernetes.io/metadata.name";
/// Where K3s runs Traefik.
const OF_TRAEFIK: &str = "kube-system";

/// The PodDisruptionBudget of a workload.
pub(super) fn disruption_budget(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    disruption: Disruption,
) -> PodDisruptionBudget {
    let amount = |share: Share| match share {
        Share::Pods(pods) => IntOrString::Int(count(pods)),
        Share::Percent(percent) => IntOrString::String(format!("{percent}%")),
    };
    let (min_available, max_unavailable) = match disruption {
        Disruption::MinAvailable(share) => (Some(amount(share)), None),
        Disruption::MaxUnavailable(share) => (None, Some(amount(share))),
    };
    PodDisruptionBudget {
        metadata: own_metadata(plan, service),
        spec: Some(PodDisruptionBudgetSpec {
            selector: Some(label_selector(service)),
            min_available,
            max_unavailable,
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

/// The NetworkPolicy of a workload: pods of these workloads and namespaces may open connections to it, and Traefik where it
/// serves an ingress of it. Kubernetes always lets the node of a pod reach it, for probes.
pub(super) fn network_policy(
    plan: &Plan<'_, '_>,
    service: &Service<'_>,
    peers: &[Peer<'_>],
) -> NetworkPolicy {
    let mut from: Vec<NetworkPolicyPeer> = peers.iter().map(peer).collect();
    let by_traefik = |ingress: &crate::program::Ingress<'_>| ingress.class.is_none();
    if service.ingresses.iter().any(by_traefik) {
        from.push(of_namespace(OF_TRAEFIK));
    }
    // A rule without peers would let everybody in.
    let rule = (!from.is_empty()).then(|| NetworkPolicyIngressRule {
        from: Some(from),
        ..NetworkPolicyIngressRule::default()
    });
    NetworkPolicy {
        metadata: own_metadata(plan, service),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(label_selector(service)),
            policy_types: Some(vec!["Ingress".to_owned()]),
            ingress: rule.map(|rule| vec![rule]),
            ..NetworkPolicySpec::default()
        }),
    }
}

fn peer(peer: &Peer<'_>) -> NetworkPolicyPeer {
    match peer {
        Peer::Workload(name) => NetworkPolicyPeer {
            pod_selector: Some(labelled(selected(name))),
            ..NetworkPolicyPeer::default()
        },
        Peer::Namespace(name) => of_namespace(name),
    }
}

fn of_namespace(name: &str) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        namespace_selector: Some(labelled(BTreeMap::from([(
            NAMESPACE.to_owned(),
            name.to_owned(),
        )]))),
        ..NetworkPolicyPeer::default()
    }
}

fn labelled(labels: BTreeMap<String, String>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels),
        ..LabelSelector::default()
    }
}
