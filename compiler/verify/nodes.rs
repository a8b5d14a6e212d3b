//! Re-checks nodes: what is reserved, what is left, and what pods request of it.

use std::collections::BTreeSet;

use super::limits::{Pods, most};
use super::services::least_request;
use super::{Check, Expected, Facts, asked_of, sum, times};
use crate::base::quantity::MIB;
use crate::report::{Component, Node, Role, Side};

/// Terms that `kube-reserved` does not have in it: the kubelet is given them by other arguments.
const APART: [&str; 2] = ["os", "eviction"];

/// Terms that depend on how many pods may be on the node.
const OF_PODS: [&str; 2] = ["shims", "pod-growth"];

/// The sum of all terms but some, in bytes.
fn all_but(node: &Node<'_>, left_out: &[&str]) -> u128 {
    let terms = node.reserved.iter();
    let terms = terms.filter(|term| !left_out.contains(&term.id.as_ref()));
    sum(terms.map(|term| term.bytes.into()))
}

/// A term of what is reserved, by its id, in bytes. 0 if there is none.
pub(super) fn reserved(node: &Node<'_>, id: &str) -> u64 {
    node.reserved
        .iter()
        .find(|term| term.id == id)
        .map_or(0, |term| term.bytes)
}

/// The second factor of a term: how much each of the counted things takes, in bytes.
fn factor_of(node: &Node<'_>, id: &str) -> u128 {
    let term = node.reserved.iter().find(|term| term.id == id);
    term.and_then(|term| term.times)
        .map_or(0, |[_, each]| each.into())
}

/// What all components on a node ask for, if a pod asks for `each`.
fn of_components(node: &Node<'_>, each: impl Fn(&Component<'_>) -> u64) -> u128 {
    sum(node
        .components
        .iter()
        .map(|component| asked_of(component, each(component))))
}

/// The sum of requests of all pods that may be on a node.
pub(super) fn requests(facts: &Facts<'_>, at: usize) -> u128 {
    let services = facts.at_worst(|index, pods| {
        times(
            facts.report.services[index].request_bytes,
            facts.on(index, at, pods),
        )
    });
    services.saturating_add(of_components(&facts.report.nodes[at], |component| {
        component.request_bytes
    }))
}

/// The same for CPU and the number of pods.
pub(super) fn counts(facts: &Facts<'_>, at: usize) -> (u128, u128) {
    let node = &facts.report.nodes[at];
    let cpu = facts.at_worst(|index, pods| {
        times(
            facts.report.services[index].cpu_milli,
            facts.on(index, at, pods),
        )
    });
    let pods = facts.at_worst(|index, pods| facts.on(index, at, pods).into());
    (
        cpu.saturating_add(of_components(node, |component| component.cpu_milli)),
        pods.saturating_add(of_components(node, |_| 1)),
    )
}

/// The pods that may be on a node at once.
fn all_pods(facts: &Facts<'_>, at: usize) -> Vec<Pods> {
    let components = facts.report.nodes[at].components.iter();
    let components = components.map(|component| {
        (
            component.request_bytes,
            component.limit_bytes,
            component.pods_with_ending,
        )
    });
    let services = facts
        .report
        .services
        .iter()
        .enumerate()
        .map(|(index, service)| {
            let pods = facts.on(index, at, service.pods_with_ending);
            (service.request_bytes, service.limit_bytes, pods)
        });
    components.chain(services).collect()
}

/// Limits of all pods that may be on a node at once, whether or not they are let in together.
pub(super) fn all_limits(facts: &Facts<'_>, at: usize) -> u128 {
    sum(all_pods(facts, at)
        .iter()
        .map(|(_, limit, count)| times(*limit, *count)))
}

impl Check {
    pub(super) fn components(&mut self, facts: &Facts<'_>, at: usize) {
        let node = &facts.report.nodes[at];
        // Every node that has any has the same. Those of every node may be held to some: they have no pods elsewhere.
        let alike = |node: &Node<'_>| -> Vec<_> {
            let of = |c: &Component<'_>| {
                let pods = [c.replicas, c.pods_at_peak, c.pods_with_ending];
                let numbers = [c.request_bytes, c.limit_bytes, c.cpu_milli];
                let pods = Some(pods).filter(|_| !c.every_node);
                (
                    (c.name.to_string(), pods),
                    numbers,
                    [c.every_node, c.preempts, c.bounded],
                )
            };
            node.components.iter().map(of).collect()
        };
        let first = facts.open().map(|at| alike(&facts.report.nodes[at]));
        let same = node.components.is_empty() || Some(alike(node)) == first;
        self.holds(&format!("node {}", node.name), same, || {
            "its components are not those of other nodes".to_owned()
        });
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for component in &node.components {
            let place = format!("component {}", component.name);
            self.holds(&place, known.insert(&component.name), || {
                "there are two of that name".to_owned()
            });
            let (request, limit) = (component.request_bytes, component.limit_bytes);
            self.holds(&place, request <= limit, || {
                format!("requestBytes is {request}, above limitBytes, {limit}")
            });
            let (pods, ending) = (component.replicas, component.pods_with_ending);
            self.holds(&place, pods <= ending, || {
                format!("podsWithEnding is {ending}, less than replicas, {pods}")
            });
            let peak = if component.preempts { ending } else { pods };
            let how = "its pods that must find room at once are";
            self.same(
                &place,
                "podsAtPeak",
                component.pods_at_peak,
                how,
                peak.into(),
            );
        }
    }

    pub(super) fn node(&mut self, facts: &Facts<'_>, at: usize) {
        let node = &facts.report.nodes[at];
        let place = format!("node {}", node.name);
        self.reserved(facts, at, &place);
        let all = sum(node.reserved.iter().map(|term| term.bytes.into()));
        self.same(
            &place,
            "reservedBytes",
            node.reserved_bytes,
            "its terms sum to",
            all,
        );
        let kube = all_but(node, &APART);
        self.same(
            &place,
            "kubeReservedBytes",
            node.kube_reserved_bytes,
            "its terms sum to",
            kube,
        );
        let left = u128::from(node.memory_bytes).checked_sub(node.reserved_bytes.into());
        let allocatable = ("allocatableBytes", node.allocatable_bytes);
        self.difference(&place, allocatable, "memoryBytes less reservedBytes", left);
        let left = node
            .allocatable_bytes
            .checked_sub(node.request_bytes)
            .map(u128::from);
        let free = ("freeBytes", node.free_bytes);
        self.difference(&place, free, "allocatableBytes less requestBytes", left);

        let how = "all that may be here request, within what is allocatable,";
        let requests = requests(facts, at).min(node.allocatable_bytes.into());
        self.same(&place, "requestBytes", node.request_bytes, how, requests);
        let most = most(&all_pods(facts, at), node.allocatable_bytes);
        let how = "the most that limits of pods here come to is";
        self.same(&place, "limitBytes", node.limit_bytes, how, most);
        let how = "limits of what is here at rest are";
        let rest = self::rest_limits(facts, at);
        self.same(&place, "restLimitBytes", node.rest_limit_bytes, how, rest);
        let (cpu, pods) = counts(facts, at);
        let pods = pods.min(node.max_pods.into());
        let how = "within what the kubelet takes, there may be";
        self.same(&place, "podsAtPeak", node.pods_at_peak, how, pods);
        let cpu = node.cpu_milli.map_or(cpu, |has| cpu.min(has.into()));
        let how = "within what the node has, there may be";
        self.same(&place, "cpuRequestMilli", node.cpu_request_milli, how, cpu);
    }

    /// The terms that are reserved. Those of K3s and the OS are given; those that depend on the number of pods are
    /// counted.
    fn reserved(&mut self, facts: &Facts<'_>, at: usize, place: &str) {
        let node = &facts.report.nodes[at];
        let services = || facts.report.services.iter().enumerate();
        let mounts = sum(services().map(|(index, service)| {
            times(
                service.secret_mounts,
                facts.on(index, at, service.pods_with_ending),
            )
        }));
        let packaged = sum(node
            .components
            .iter()
            .map(|component| component.pods_with_ending.into()));
        let on = |index: usize, pods: u64| facts.on(index, at, pods);
        let mut pods_of_services =
            sum(services().map(|(index, service)| on(index, service.pods_with_ending).into()));
        let shim = factor_of(node, "shims");
        if facts.report.nodes.len() > 1 {
            // The most pods for which there is room next to their own shims: one more of the smallest would not fit.
            let here =
                services().filter(|(index, service)| on(*index, service.pods_with_ending) > 0);
            let least = here
                .map(|(_, service)| least_request(service))
                .min()
                .unwrap_or(0);
            let taken = all_but(node, &OF_PODS).saturating_add(packaged.saturating_mul(shim));
            let left = u128::from(node.memory_bytes).saturating_sub(taken);
            pods_of_services = pods_of_services.min(
                left.saturating_add(shim)
                    .checked_div(least.saturating_add(shim))
                    .unwrap_or(pods_of_services),
            );
        }
        // The kubelet admits no more than `max-pods`.
        let pods = packaged
            .saturating_add(pods_of_services)
            .min(node.max_pods.into());
        let term = |id: &str, amount: u128, what| Expected {
            side: None,
            ..Expected::new(Side::Left, id, "", amount, what)
        };
        let as_given = |id: &str| term(id, reserved(node, id).into(), "it is");
        let mut expected = vec![
            term(
                "os",
                node.system_reserved_bytes.into(),
                "systemReservedBytes is",
            ),
            as_given("k3s"),
            as_given("file-pages"),
            as_given("containerd"),
            Expected {
                product: Some((pods, None)),
                ..as_given("shims")
            },
            term("eviction", node.eviction_bytes.into(), "evictionBytes is"),
        ];
        let is_stated = |id: &str| node.reserved.iter().any(|term| term.id == id);
        if is_stated("traefik-crds") {
            expected.push(as_given("traefik-crds"));
            let traefik = node
                .components
                .iter()
                .any(|component| component.name == "traefik");
            let open = !node.components.is_empty();
            self.holds(place, traefik || !open, || {
                "there is no Traefik whose custom resources take memory".to_owned()
            });
        }
        if is_stated("joins") {
            expected.push(as_given("joins"));
            let joined = node.role == Role::Server && facts.report.nodes.len() > 1;
            self.holds(place, joined, || {
                "there is no node that joins it".to_owned()
            });
        }
        if mounts > 0 {
            expected.push(Expected {
                product: Some((mounts, Some(MIB.into()))),
                ..term(
                    "secrets",
                    mounts.saturating_mul(MIB.into()),
                    "the services' Secrets take",
                )
            });
        }
        if let Some(growth) = node.reserved.iter().find(|term| term.id == "pod-growth") {
            // The report does not say with how many pods K3s was measured. It must be fewer than there are.
            let beyond = growth.times.map_or(0, |[count, _]| u128::from(count));
            self.holds(place, beyond > 0 && beyond < pods, || {
                format!("the term `pod-growth` counts {beyond} of {pods} pods")
            });
            expected.push(Expected {
                product: Some((beyond, None)),
                ..as_given("pod-growth")
            });
        }
        self.terms(&format!("{place}: reserved"), &node.reserved, &expected);
    }
}

/// The sum of limits of pods that can only be on this node, without any rollout. A pod without a limit counts its
/// request.
fn rest_limits(facts: &Facts<'_>, at: usize) -> u128 {
    let nodes = &facts.report.nodes;
    let open = nodes
        .iter()
        .filter(|node| !node.components.is_empty())
        .count();
    let components = nodes[at].components.iter().map(|component| {
        let bytes = if component.bounded {
            component.limit_bytes
        } else {
            component.request_bytes
        };
        match component.every_node || open == 1 {
            true => times(bytes, component.replicas),
            false => 0,
        }
    });
    let services = facts
        .report
        .services
        .iter()
        .enumerate()
        .map(|(index, service)| {
            let only = nodes.len() == 1
                || service.kind == "DaemonSet"
                || service.nodes.as_ref().is_some_and(|nodes| nodes.len() == 1);
            // A DaemonSet has one pod on each node while it is not updated.
            let most = if service.one_on_a_node { 1 } else { u64::MAX };
            let here = facts.on(index, at, service.replicas).min(most);
            match only {
                true => times(service.limit_bytes, here),
                false => 0,
            }
        });
    sum(components.chain(services))
}
