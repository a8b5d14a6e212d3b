//! Re-checks a report.json from its own numbers: every sum is added up again, every inequality compared, every
//! verdict held against what it needs. It knows the rules of `spec/06-proof.md` and nothing of the code that
//! plans, so that a fault there is found here and not repeated.
//!
//! All arithmetic is in 128 bits and saturates: a sum that does is no number a report can state, so it disagrees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::quantity::{MIB, in_mib};

mod lemma;
mod read;

use read::{Budget, Component, Count, Node, Report, Service, Term, Theorem, Wave};

/// What became of a report that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Promises that were re-checked.
    pub promises: usize,
    /// Budgets that were re-checked.
    pub budgets: usize,
    /// Numbers that were computed again and agree.
    pub sums: usize,
    /// What does not agree, a line each.
    pub faults: Vec<String>,
}

/// Re-checks a report. `Err` says why it cannot be read as one.
pub fn verify(report: &[u8]) -> Result<Verified, String> {
    let value: Value =
        serde_json::from_slice(report).map_err(|error| format!("it is not JSON: {error}"))?;
    let report = read::report(&value)?;
    let mut check = Check {
        sums: 0,
        faults: Vec::new(),
    };
    check.services(&report);
    (0..report.nodes.len()).for_each(|at| {
        check.components(&report, at);
        check.node(&report, at);
    });
    check.theorems(&report);
    check.placement(&report);
    report
        .budgets
        .iter()
        .for_each(|budget| check.budget(&report, budget));
    check.level(&report);
    Ok(Verified {
        promises: report.theorems.len(),
        budgets: report.budgets.len(),
        sums: check.sums,
        faults: check.faults,
    })
}

/// A sum in 128 bits.
fn sum(terms: impl Iterator<Item = u128>) -> u128 {
    terms.fold(0, u128::saturating_add)
}

/// What a pod counts for by Kubernetes' own formula: all containers together, or an init container with the sidecars
/// declared before it, whichever is more.
fn pod_of(main: u64, beside: impl Iterator<Item = (bool, u64)>) -> u128 {
    let (mut sidecars, mut peak) = (0_u128, 0_u128);
    for (stays, amount) in beside {
        let together = sidecars.saturating_add(amount.into());
        if stays {
            sidecars = together;
        } else {
            peak = peak.max(together);
        }
    }
    sidecars.saturating_add(main.into()).max(peak)
}

fn pod_memory(service: &Service<'_>, main: u64) -> u128 {
    pod_of(
        main,
        service
            .beside
            .iter()
            .map(|extra| (extra.stays, extra.bytes)),
    )
}

/// The least that one pod of a service requests.
fn least_request(service: &Service<'_>) -> u128 {
    (if service.choice == "burst" {
        service.request
    } else {
        service.least
    })
    .into()
}

/// What a pod may take beyond its request.
fn gap(service: &Service<'_>) -> u64 {
    service.limit.saturating_sub(service.request)
}

fn times(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// What an addend of an inequality must be.
struct Expected<'e> {
    side: &'static str,
    id: String,
    reference: String,
    amount: u128,
    /// How many times something is taken, for each product the addend consists of.
    counts: Option<Vec<u128>>,
    what: &'e str,
}

impl Expected<'_> {
    fn new(
        side: &'static str,
        id: &str,
        reference: &str,
        amount: u128,
        what: &'static str,
    ) -> Expected<'static> {
        Expected {
            side,
            id: id.to_owned(),
            reference: reference.to_owned(),
            amount,
            counts: None,
            what,
        }
    }

    fn of_component(
        (node, index): (usize, usize),
        component: &Component<'_>,
        amount: u128,
        counts: Vec<u128>,
    ) -> Expected<'static> {
        Expected {
            side: "left",
            id: format!("component.{}", component.name),
            reference: format!("/nodes/{node}/components/{index}"),
            amount,
            counts: Some(counts),
            what: "its component makes",
        }
    }
}

/// The two sides of an inequality as they are stated, in the words of the report.
struct Sides {
    left: (&'static str, u64),
    right: (&'static str, Option<u64>),
}

struct Check {
    sums: usize,
    faults: Vec<String>,
}

impl Check {
    fn fault(&mut self, place: &str, what: &str) {
        self.faults.push(format!("{place}: {what}"));
    }

    fn holds(&mut self, place: &str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(place, &what());
        }
    }

    /// A number that is stated and one that was computed: `T2: leftBytes is 100, its terms sum to 120`.
    fn same(&mut self, place: &str, key: &str, told: u64, how: &str, counted: u128) {
        if u128::from(told) == counted {
            self.sums += 1;
        } else {
            self.fault(place, &format!("{key} is {told}, {how} {counted}"));
        }
    }

    fn services(&mut self, report: &Report<'_>) {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for service in &report.services {
            let place = format!("service {}", service.name);
            self.holds(&place, known.insert(service.name), || {
                "there are two of that name".to_owned()
            });
            let peak = u128::from(service.replicas) + u128::from(service.surge);
            self.same(
                &place,
                "podsAtPeak",
                service.peak,
                "replicas and surge are",
                peak,
            );
            self.holds(&place, service.pods >= service.peak, || {
                format!(
                    "podsWithEnding is {}, less than podsAtPeak, {}",
                    service.pods, service.peak
                )
            });
            let (request, limit, least, most) =
                (service.request, service.limit, service.least, service.most);
            self.holds(&place, request <= limit, || {
                format!("requestBytes is {request}, above limitBytes, {limit}")
            });
            self.holds(&place, least <= limit && limit <= most, || {
                format!(
                    "limitBytes is {limit}, not within leastBytes, {least}, and mostBytes, {most}"
                )
            });
            self.holds(
                &place,
                service.floor.is_some() == service.has_floor_origin,
                || "floorBytes and floorOrigin go together".to_owned(),
            );
            self.choice(&place, service);
            self.pod(&place, service);
            let nodes = service.nodes.as_ref().map_or(report.nodes.len(), Vec::len) as u64;
            let enough = match (service.kind, service.one_on_a_node) {
                ("DaemonSet", _) => service.replicas == nodes,
                ("Deployment" | "StatefulSet", true) => service.peak <= nodes,
                (_, one_on_a_node) => !one_on_a_node,
            };
            self.holds(&place, enough, || {
                format!("{} pods do not go with {nodes} nodes", service.peak)
            });
            let other = matches!(service.wave, Some(Wave::Alone(name)) if name != service.name);
            self.holds(&place, !other, || {
                "it rolls alone under the name of another".to_owned()
            });
            self.holds(&place, service.wave.is_none() || service.surge > 0, || {
                "without a surge it is in no wave".to_owned()
            });
        }
    }

    /// What the whole pod counts for, and how many there may be.
    fn pod(&mut self, place: &str, service: &Service<'_>) {
        let how = "its containers make";
        for extra in &service.beside {
            let fits =
                extra.request == extra.bytes || service.adopted && extra.request < extra.bytes;
            self.holds(place, fits, || {
                format!(
                    "{} of requestBytes beside it, {} of bytes",
                    extra.request, extra.bytes
                )
            });
        }
        let requests = service
            .beside
            .iter()
            .map(|extra| (extra.stays, extra.request));
        self.same(
            place,
            "requestBytes",
            service.request,
            how,
            pod_of(service.main_request, requests),
        );
        self.same(
            place,
            "limitBytes",
            service.limit,
            how,
            pod_memory(service, service.main_limit),
        );
        let least = service.floor.unwrap_or(0).max(service.low);
        self.same(
            place,
            "leastBytes",
            service.least,
            "lowBytes, floorBytes and beside make",
            pod_memory(service, least),
        );
        let cpu = pod_of(
            service.main_cpu,
            service.beside.iter().map(|extra| (extra.stays, extra.cpu)),
        );
        self.same(place, "cpuMilli", service.cpu, how, cpu);
        let (replicas, surge, pods) = (service.replicas, service.surge, u128::from(service.pods));
        let twice = u128::from(replicas) + u128::from(replicas.max(surge));
        let fits = match service.kind {
            // With `recreate` all have ended before others come.
            "Deployment" => {
                surge <= replicas && (pods == twice || surge == 0 && pods == replicas.into())
            }
            // One that replaces its last run does not wait for it.
            "CronJob" if service.lingers => {
                surge == 0 && (pods == twice || pods == twice + u128::from(replicas))
            }
            "CronJob" => surge == 0 && (pods == twice || pods == replicas.into()),
            "Job" if service.lingers => surge == 0 && pods == twice,
            "StatefulSet" | "Job" | "ReplicaSet" | "ReplicationController" => {
                surge == 0 && pods == replicas.into()
            }
            "Pod" => surge == 0 && pods == 1 && replicas == 1,
            "DaemonSet" => surge == 0 && pods == replicas.into() && service.one_on_a_node,
            _ => false,
        };
        self.holds(place, fits, || {
            let kind = service.kind;
            format!("`{kind}` does not go with {replicas} replicas, a surge of {surge}, {pods} pods with those ending")
        });
    }

    /// The number that was chosen is the one that the reason for it means.
    fn choice(&mut self, place: &str, service: &Service<'_>) {
        let (request, limit, least, most) =
            (service.request, service.limit, service.least, service.most);
        let (low, main) = (service.low, (service.main_request, service.main_limit));
        let fits = match service.choice {
            "written" => main == (low, low) && limit == most && least == limit,
            "burst" => main.0 == low && main.0 <= main.1 && limit == most,
            "ceiling" => main.0 == main.1 && low <= main.1 && limit == most,
            "level" => main.0 == main.1 && low <= main.1 && limit < most,
            _ => false,
        };
        self.holds(place, fits, || {
            let choice = service.choice;
            format!("choice `{choice}` does not go with request {request}, limit {limit}, least {least}, most {most}")
        });
        let levelled = service.choice == "level";
        self.holds(place, service.weight.is_some() == levelled, || {
            "only choice `level` has a weight".to_owned()
        });
    }

    fn components(&mut self, report: &Report<'_>, at: usize) {
        let node = &report.nodes[at];
        // Every node that has any has the same.
        let alike = |node: &Node<'_>| -> Vec<_> {
            let of = |c: &Component<'_>| {
                (
                    c.name.to_owned(),
                    [c.pods, c.ending, c.containers, c.request, c.limit, c.cpu],
                )
            };
            node.components.iter().map(of).collect()
        };
        let first = report.open().map(|at| alike(&report.nodes[at]));
        self.holds(
            &format!("node {}", node.name),
            node.components.is_empty() || Some(alike(node)) == first,
            || "its components are not those of other nodes".to_owned(),
        );
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for component in &node.components {
            let place = format!("component {}", component.name);
            self.holds(&place, known.insert(component.name), || {
                "there are two of that name".to_owned()
            });
            let (request, limit) = (component.request, component.limit);
            self.holds(&place, request <= limit, || {
                format!("requestBytes is {request}, above limitBytes, {limit}")
            });
            self.holds(&place, component.pods <= component.ending, || {
                format!(
                    "podsWithTransient is {}, less than pods, {}",
                    component.ending, component.pods
                )
            });
            let gap = if node.overcommit.is_some() {
                0
            } else {
                limit.saturating_sub(request)
            };
            let how = match node.overcommit {
                Some(_) => "with overcommit it is",
                None => "limitBytes less requestBytes is",
            };
            self.same(&place, "heldBackBytes", component.held, how, gap.into());
        }
    }

    fn node(&mut self, report: &Report<'_>, at: usize) {
        let node = &report.nodes[at];
        let (services, components) = (&report.services, &node.components);
        let place = format!("node {}", node.name);
        let held_of_services = sum(services.iter().map(|s| times(gap(s), s.on(at, s.pods))));
        let held_of_components = sum(components.iter().map(|component| component.held.into()));
        let held = if node.overcommit.is_some() {
            0
        } else {
            held_of_services.saturating_add(held_of_components)
        };
        let mounts = sum(services
            .iter()
            .map(|service| times(service.secret_mounts, service.on(at, service.pods))));
        let secrets = mounts.saturating_mul(MIB.into());
        let reserved = |id: &str| node.reserved(id);
        let shim = node
            .reserved
            .iter()
            .find(|term| term.id == "shims")
            .and_then(|term| term.times.as_ref()?.first());
        let shim = shim.map_or(0, |(_, each)| u128::from(*each));
        let packaged = sum(components.iter().map(|component| component.ending.into()));
        let mut own = sum(services.iter().map(|s| s.on(at, s.pods).into()));
        if report.nodes.len() > 1 {
            // So many that, with their shims taken away, there is no room for the least request of one more.
            let here = services
                .iter()
                .filter(|service| service.on(at, service.pods) > 0);
            let least = here.map(least_request).min().unwrap_or(0);
            let others = ["os", "k3s", "containerd", "eviction"]
                .into_iter()
                .map(|id| reserved(id).into());
            let taken = sum(others.chain([secrets, held, packaged.saturating_mul(shim)]));
            let left = u128::from(node.memory).saturating_sub(taken);
            own = own.min(
                left.saturating_add(shim)
                    .checked_div(least.saturating_add(shim))
                    .unwrap_or(own),
            );
        }
        // The kubelet admits no more than so many.
        let shim_pods = packaged.saturating_add(own).min(node.max_pods.into());
        let term = |id: &str, amount: u128, what| Expected::new("", id, "", amount, what);
        let mut expected = vec![
            term("os", node.system.into(), "systemReservedBytes is"),
            term("k3s", reserved("k3s").into(), "it is"),
            term("containerd", reserved("containerd").into(), "it is"),
            Expected {
                counts: Some(vec![shim_pods]),
                ..term("shims", reserved("shims").into(), "it is")
            },
            term("eviction", node.eviction.into(), "evictionBytes is"),
        ];
        if secrets > 0 {
            let what = "the services' Secrets take";
            expected.push(Expected {
                counts: Some(vec![mounts]),
                ..term("secrets", secrets, what)
            });
        }
        if held > 0 {
            expected.push(term("held-back", held, "limits above their requests are"));
        }
        self.terms(&format!("{place}: reserved"), &node.reserved, &expected);
        let all = sum(node.reserved.iter().map(|term| term.amount.into()));
        self.same(
            &place,
            "reservedBytes",
            node.reserved_bytes,
            "its terms sum to",
            all,
        );
        let kube = ["k3s", "containerd", "shims", "secrets", "held-back"];
        let kube = sum(kube.into_iter().map(|id| reserved(id).into()));
        self.same(
            &place,
            "kubeReservedBytes",
            node.kube,
            "its terms sum to",
            kube,
        );
        let left = u128::from(node.memory).checked_sub(node.reserved_bytes.into());
        self.difference(
            &place,
            ("allocatableBytes", node.allocatable),
            "memoryBytes less reservedBytes",
            left,
        );
        let left = node.allocatable.checked_sub(node.requests).map(u128::from);
        self.difference(
            &place,
            ("freeBytes", node.free),
            "allocatableBytes less requestBytes",
            left,
        );

        let how = "all that may be here request, within what is allocatable,";
        self.same(
            &place,
            "requestBytes",
            node.requests,
            how,
            requests(report, at).min(node.allocatable.into()),
        );
        let beyond = sum(components
            .iter()
            .map(gap_of_component)
            .chain([held_of_services]));
        let limits = u128::from(node.requests).saturating_add(beyond);
        self.same(
            &place,
            "limitBytes",
            node.limits,
            "requests and what may be taken beyond them are",
            limits,
        );
        let pods = at_worst(report, |service, pods| service.on(at, pods).into());
        let pods =
            sum(components.iter().map(|c| c.pods.into()).chain([pods])).min(node.max_pods.into());
        self.same(
            &place,
            "podsAtPeak",
            node.pods,
            "within what the kubelet takes, there may be",
            pods,
        );
        let cpu = at_worst(report, |service, pods| {
            times(service.cpu, service.on(at, pods))
        });
        let cpu = sum(components.iter().map(|c| c.cpu.into()).chain([cpu]));
        let cpu = node.cpu.map_or(cpu, |has| cpu.min(has.into()));
        self.same(
            &place,
            "cpuRequestMilli",
            node.cpu_requests,
            "within what the node has, there may be",
            cpu,
        );
    }

    fn difference(
        &mut self,
        place: &str,
        (key, told): (&str, u64),
        what: &str,
        counted: Option<u128>,
    ) {
        match counted {
            Some(counted) => self.same(place, key, told, &format!("{what} is"), counted),
            None => self.fault(place, &format!("{key} is {told}, {what} is below zero")),
        }
    }

    /// Addends as they must be: each once, none beside them, each the product that it says it is.
    fn terms(&mut self, place: &str, terms: &[Term<'_>], expected: &[Expected<'_>]) {
        for expected in expected {
            let mut found = terms
                .iter()
                .filter(|term| term.id == expected.id && term.side == expected.side);
            let Some(term) = found.next() else {
                self.fault(place, &format!("the term `{}` is missing", expected.id));
                continue;
            };
            self.holds(place, found.next().is_none(), || {
                format!("the term `{}` is there twice", expected.id)
            });
            self.same(
                place,
                &format!("the term `{}`", term.id),
                term.amount,
                expected.what,
                expected.amount,
            );
            self.holds(place, term.reference == expected.reference, || {
                format!(
                    "the term `{}` refers to `{}`, not to `{}`",
                    term.id, term.reference, expected.reference
                )
            });
            self.product(place, term, expected.counts.as_deref());
        }
        for term in terms {
            let known = expected
                .iter()
                .any(|expected| expected.id == term.id && expected.side == term.side);
            self.holds(place, known, || {
                format!("the term `{}` does not belong there", term.id)
            });
        }
    }

    fn product(&mut self, place: &str, term: &Term<'_>, counts: Option<&[u128]>) {
        let Some(products) = &term.times else {
            self.holds(place, counts.is_none(), || {
                format!("the term `{}` lacks its factors", term.id)
            });
            return;
        };
        let key = format!("the term `{}`", term.id);
        let product = sum(products.iter().map(|(n, each)| times(*n, *each)));
        self.same(place, &key, term.amount, "its factors make", product);
        let counts = counts.unwrap_or_default();
        self.holds(place, counts.len() == products.len(), || {
            format!("{key} has {} products", products.len())
        });
        for ((n, each), counted) in products.iter().zip(counts) {
            self.same(
                place,
                &format!("{key}: a factor"),
                *n,
                "there are",
                *counted,
            );
            // Nothing of something is nothing, whatever that would be.
            self.holds(place, *n > 0 || *each == 0, || {
                format!("{key}: 0 of {each}")
            });
        }
    }

    fn theorems(&mut self, report: &Report<'_>) {
        let mut promised: Vec<(&str, &str, Option<&str>)> = Vec::new();
        promised.extend(
            report
                .nodes
                .iter()
                .map(|node| ("T1", "isolation", Some(node.name))),
        );
        promised.extend(
            report
                .nodes
                .iter()
                .map(|node| ("T2", "non-interference", Some(node.name))),
        );
        promised.extend([("T3", "sufficiency", None), ("T4", "liveness", None)]);
        let mut told: Vec<(&str, &str, Option<&str>)> = report
            .theorems
            .iter()
            .map(|theorem| (theorem.id, theorem.name, theorem.node))
            .collect();
        // Survival is there where the program asks for it.
        told.pop_if(|last| *last == ("T5", "survival", None));
        self.holds("theorems", told == promised, || {
            "they are not T1 isolation and T2 non-interference of every node, T3 sufficiency, T4 liveness".to_owned()
        });
        for theorem in &report.theorems {
            let at = report
                .nodes
                .iter()
                .position(|node| Some(node.name) == theorem.node)
                .unwrap_or(0);
            let (expected, known, amounts) = match theorem.id {
                "T1" => isolation(report, at),
                "T2" => interference(report, at),
                "T4" => liveness(report),
                "T5" => self.survival(report, theorem),
                _ => sufficiency(report),
            };
            let place = match (theorem.node, report.nodes.len()) {
                (Some(node), 2..) => format!("{} of {node}", theorem.id),
                _ => theorem.id.to_owned(),
            };
            self.terms(&place, &theorem.terms, &expected);
            if theorem.id != "T5" {
                let sides = Sides {
                    left: ("leftBytes", theorem.left),
                    right: ("rightBytes", Some(theorem.right)),
                };
                self.sides(&place, &sides, &theorem.terms);
            }
            for amount in amounts {
                self.holds(&place, says(theorem.statement, &amount), || {
                    format!("its statement does not say {amount}")
                });
            }
            self.verdict(report, at, theorem, known);
            let counted: &[&str] = if theorem.id == "T4" {
                &["pods", "cpuMilli"]
            } else {
                &[]
            };
            let told: Vec<&str> = theorem.counts.iter().map(|count| count.id).collect();
            self.holds(&place, told == counted, || {
                format!("it counts {told:?}, not {counted:?}")
            });
            theorem
                .counts
                .iter()
                .for_each(|count| self.count(report, count));
        }
    }

    /// It has no terms of its own: all that is requested, and what is left without the largest node.
    fn survival(&mut self, report: &Report<'_>, theorem: &Theorem<'_>) -> Promise {
        let most = report
            .nodes
            .iter()
            .map(|node| u128::from(node.allocatable))
            .max()
            .unwrap_or(0);
        let left =
            sum(report.nodes.iter().map(|node| node.allocatable.into())).saturating_sub(most);
        let asked = all_requests(report);
        self.same(
            "T5",
            "leftBytes",
            theorem.left,
            "all that is requested is",
            asked,
        );
        self.same(
            "T5",
            "rightBytes",
            theorem.right,
            "without the largest node there is",
            left,
        );
        for lost in 0..report.nodes.len() {
            let name = report.nodes[lost].name;
            self.holds("T5", lemma::outlives(report, lost), || {
                format!("without `{name}` a pod may find no room")
            });
        }
        let servers = report.nodes.iter().filter(|node| node.server).count();
        (Vec::new(), servers >= 3, vec![shown(asked), shown(left)])
    }

    /// Pods find their nodes as it is said.
    fn placement(&mut self, report: &Report<'_>) {
        let place = "placement";
        let kind = report.placement.kind;
        match (kind, report.nodes.len()) {
            ("one-node", 1) => {}
            ("any-order", 2..) => {
                let faults = lemma::any_order(report);
                self.sums += usize::from(faults.is_empty());
                faults.iter().for_each(|fault| self.fault(place, fault));
            }
            ("pinned", 2..) => {
                for (at, node) in report.nodes.iter().enumerate() {
                    let here = |amount: &dyn Fn(&Service<'_>) -> u64| {
                        at_worst(report, |service, pods| {
                            times(amount(service), service.on(at, pods))
                        })
                    };
                    let of_components = |amount: fn(&Component<'_>) -> u64| {
                        sum(node
                            .components
                            .iter()
                            .map(|component| amount(component).into()))
                    };
                    let (name, allocatable) = (node.name, node.allocatable);
                    self.holds(place, requests(report, at) <= allocatable.into(), || {
                        format!(
                            "what is held to `{name}` requests more than its {allocatable} bytes"
                        )
                    });
                    let pods =
                        here(&|_| 1).saturating_add(of_components(|component| component.pods));
                    self.holds(place, pods <= node.max_pods.into(), || {
                        format!("`{name}` takes fewer than {pods} pods")
                    });
                    let cpu = here(&|service| service.cpu)
                        .saturating_add(of_components(|component| component.cpu));
                    self.holds(place, node.cpu.is_none_or(|has| cpu <= has.into()), || {
                        format!("what is held to `{name}` requests {cpu}m of CPU, more than it has")
                    });
                }
            }
            ("unknown", 2..) => {
                let told = report.theorems.iter().find(|theorem| theorem.id == "T4");
                self.holds(
                    place,
                    told.is_some_and(|theorem| theorem.verdict == "unknown"),
                    || "it is unknown, and T4 is not".to_owned(),
                );
            }
            (_, nodes) => self.fault(place, &format!("`{kind}` does not go with {nodes} nodes")),
        }
        let moments = &report.placement.moments;
        self.holds(place, kind == "any-order" || moments.is_empty(), || {
            format!("`{kind}` has nothing to show")
        });
    }

    /// Both sides are the sums of their terms, and the left one is not the larger.
    fn sides(&mut self, place: &str, sides: &Sides, terms: &[Term<'_>]) {
        let of = |side: &str| {
            sum(terms
                .iter()
                .filter(|term| term.side == side)
                .map(|term| term.amount.into()))
        };
        let (key, left) = sides.left;
        self.same(place, key, left, "its terms sum to", of("left"));
        if let (key, Some(right)) = sides.right {
            self.same(place, key, right, "its terms sum to", of("right"));
            self.holds(place, left <= right, || {
                format!("{left} is not within {right}")
            });
        }
    }

    /// A verdict says no more than it may, and a reason is given where it says less.
    fn verdict(&mut self, report: &Report<'_>, at: usize, theorem: &Theorem<'_>, known: bool) {
        let node = &report.nodes[at];
        let place = theorem.id;
        // Where nothing is held back, pods on their way out may still take what is beyond their requests.
        let bursting =
            node.limits > node.requests && all_at_once(report, at) > node.allocatable.into();
        let above = node.limits > node.allocatable || bursting;
        let relaxed = theorem.id == "T2" && node.overcommit.is_some() && above;
        let reasons = theorem.reasons;
        match theorem.verdict {
            "proved" => {
                self.holds(place, reasons == 0, || {
                    "it is called proved, and says why it is not".to_owned()
                });
                self.holds(place, known, || {
                    "it is called proved, and a term of it is not known".to_owned()
                });
                self.holds(place, !relaxed, || {
                    "it is called proved, and limits are above what there is".to_owned()
                });
            }
            "relaxed" => {
                self.holds(place, relaxed, || {
                    "it is called relaxed, and nothing in writing relaxes it".to_owned()
                });
            }
            "unknown" => {
                self.holds(place, reasons > 0, || {
                    "it is called unknown, and does not say why".to_owned()
                });
                // Why a term is not known need not be a number: that one is said to be is believed.
                self.holds(place, !relaxed, || {
                    "it is called unknown, and was given up in writing".to_owned()
                });
            }
            other => self.fault(place, &format!("`{other}` is no verdict")),
        }
    }

    /// Pods or CPU.
    fn count(&mut self, report: &Report<'_>, count: &Count<'_>) {
        let place = format!("T4: {}", count.id);
        let of_pods = count.id == "pods";
        let mut expected = of_all_components(report, |component| match of_pods {
            true => (component.pods, component.pods.into()),
            false => (component.cpu, times(component.pods, component.containers)),
        });
        let services = at_worst(report, |service, pods| match of_pods {
            true => pods.into(),
            false => times(service.cpu, pods),
        });
        expected.push(Expected::new(
            "left",
            "services",
            "/services",
            services,
            "the services make",
        ));
        let has = |node: &Node<'_>| {
            if of_pods {
                Some(node.max_pods)
            } else {
                node.cpu
            }
        };
        let right: Option<u64> = report.nodes.iter().map(has).sum();
        let (id, key) = if of_pods {
            ("max-pods", "maxPods")
        } else {
            ("cpu", "cpuMilli")
        };
        for (at, amount) in report
            .nodes
            .iter()
            .map(has)
            .enumerate()
            .filter(|_| right.is_some())
        {
            let reference = format!("/nodes/{at}/{key}");
            let amount = amount.unwrap_or(0).into();
            expected.push(Expected::new(
                "right",
                &report.id_of(id, at),
                &reference,
                amount,
                "the node has",
            ));
        }
        self.terms(&place, &count.terms, &expected);
        self.holds(&place, count.right == right, || {
            format!("right is {:?}, there is {right:?}", count.right)
        });
        self.sides(
            &place,
            &Sides {
                left: ("left", count.left),
                right: ("right", count.right),
            },
            &count.terms,
        );
    }

    fn budget(&mut self, report: &Report<'_>, budget: &Budget<'_>) {
        let place = format!("budget {}", budget.name);
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for name in budget.services.iter().flatten() {
            self.holds(&place, known.insert(name), || {
                format!("`{name}` is in it twice")
            });
            self.holds(&place, report.service(name).is_some(), || {
                format!("there is no service `{name}`")
            });
        }
        let used = at_worst(report, |service, pods| match budget.services {
            Some(_) if !known.contains(service.name) => 0,
            _ => times(service.limit, pods),
        });
        let services = Expected::new(
            "left",
            "services",
            "/services",
            used,
            "its services have limits of",
        );
        self.terms(&place, &budget.terms, &[services]);
        let all = sum(budget.terms.iter().map(|term| term.amount.into()));
        self.same(&place, "usedBytes", budget.used, "its terms sum to", all);
        let left = budget.ceiling.checked_sub(budget.used).map(u128::from);
        self.difference(
            &place,
            ("freeBytes", budget.free),
            "ceilingBytes less usedBytes",
            left,
        );
        self.holds(&place, budget.verdict == "proved", || {
            format!("its verdict is `{}`", budget.verdict)
        });
    }

    /// The level is the lowest of those that were stopped, and each of them was stopped for want of room.
    fn level(&mut self, report: &Report<'_>) {
        let stopped = || {
            report
                .services
                .iter()
                .filter(|service| service.choice == "level")
        };
        let one = |service: &Service<'_>| if report.equal { 1 } else { service.least };
        let share = |service: &Service<'_>| times(one(service), service.weight.unwrap_or(1));
        let lowest = stopped()
            .map(|service| (u128::from(service.limit), share(service)))
            .reduce(|least, other| {
                // Both products are of a number of 64 bits and one of 128.
                let (here, there) = (
                    other.0.saturating_mul(least.1),
                    least.0.saturating_mul(other.1),
                );
                if here < there { other } else { least }
            });
        let lowest = lowest.map(|(limit, share)| {
            let (mut a, mut b) = (limit, share);
            while b > 0 {
                (a, b) = (b, a % b);
            }
            (limit / a.max(1), share / a.max(1))
        });
        let told = report
            .level
            .map(|(above, below)| (u128::from(above), u128::from(below)));
        let shown = |level: Option<(u128, u128)>| {
            level.map_or("null".to_owned(), |(above, below)| {
                format!("{above}/{below}")
            })
        };
        if told == lowest {
            self.sums += 1;
        } else {
            self.fault(
                "level",
                &format!("it is {}, the services' is {}", shown(told), shown(lowest)),
            );
        }
        // On several nodes it is not one sum that stops them.
        let [node] = report.nodes.as_slice() else {
            return;
        };
        let over_all = report
            .budgets
            .iter()
            .filter(|budget| budget.services.is_none())
            .map(|budget| budget.free);
        let mut free = over_all.chain([node.free]).min().unwrap_or(node.free);
        if let Some(percent) = node.overcommit {
            let allowed = times(node.allocatable, percent) / 100;
            let left = allowed.saturating_sub(node.limits.into());
            free = free.min(u64::try_from(left).unwrap_or(u64::MAX));
        }
        let mut left: BTreeMap<&str, u64> = BTreeMap::new();
        for budget in &report.budgets {
            for name in budget.services.iter().flatten() {
                left.entry(name)
                    .and_modify(|free| *free = budget.free.min(*free))
                    .or_insert(budget.free);
            }
        }
        for service in stopped() {
            let free = left
                .get(service.name)
                .map_or(free, |of_budget| free.min(*of_budget));
            let step = times(
                service.most.saturating_sub(service.limit).min(MIB),
                service.peak,
            );
            self.holds(
                &format!("service {}", service.name),
                step > free.into(),
                || format!("it is below mostBytes, and {free} bytes are left that it could have"),
            );
        }
    }
}

/// Whether a text says an amount, and not as part of a longer one.
fn says(text: &str, amount: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
    text.match_indices(amount)
        .any(|(at, _)| !part(text[..at].chars().next_back()))
}

/// The moments of a rollout: each wave alone, or the one at which none goes on.
fn moments<'v>(report: &Report<'v>) -> Vec<Option<Wave<'v>>> {
    let waves: BTreeSet<Wave<'v>> = report
        .services
        .iter()
        .filter(|s| s.surge > 0)
        .filter_map(|s| s.wave)
        .collect();
    if waves.is_empty() {
        vec![None]
    } else {
        waves.into_iter().map(Some).collect()
    }
}

/// Pods of a service that must find room at a moment.
fn pods_at(service: &Service<'_>, moment: Option<Wave<'_>>) -> u64 {
    if service.wave.is_none() || service.wave == moment {
        service.peak
    } else {
        service.replicas
    }
}

/// The most that services come to at any moment.
fn at_worst(report: &Report<'_>, amount: impl Fn(&Service<'_>, u64) -> u128) -> u128 {
    let at = |moment| {
        sum(report
            .services
            .iter()
            .map(|service| amount(service, pods_at(service, moment))))
    };
    moments(report).into_iter().map(at).max().unwrap_or(0)
}

/// What all that may be on a node request.
fn requests(report: &Report<'_>, at: usize) -> u128 {
    let services = at_worst(report, |service, pods| {
        times(service.request, service.on(at, pods))
    });
    sum(report.nodes[at]
        .components
        .iter()
        .map(|component| component.request.into())
        .chain([services]))
}

/// What all request, on all nodes.
fn all_requests(report: &Report<'_>) -> u128 {
    let services = at_worst(report, |service, pods| times(service.request, pods));
    sum(
        of_all_components(report, |component| (component.request, 0))
            .iter()
            .map(|term| term.amount)
            .chain([services]),
    )
}

/// What components come to on all nodes, and how many times something that is.
fn of_all_components(
    report: &Report<'_>,
    of: impl Fn(&Component<'_>) -> (u64, u128),
) -> Vec<Expected<'static>> {
    let Some(at) = report.open() else {
        return Vec::new();
    };
    let open = report
        .nodes
        .iter()
        .filter(|node| !node.components.is_empty())
        .count() as u128;
    let components = report.nodes[at].components.iter().enumerate();
    let term = |(index, component): (usize, &Component<'_>)| {
        let nodes = if component.every_node { open } else { 1 };
        let (amount, count) = of(component);
        let amount = u128::from(amount).saturating_mul(nodes);
        Expected::of_component(
            (at, index),
            component,
            amount,
            vec![count.saturating_mul(nodes)],
        )
    };
    components.map(term).collect()
}

/// What a component's pods may take beyond their requests.
fn gap_of_component(component: &Component<'_>) -> u128 {
    component.limit.saturating_sub(component.request).into()
}

/// What all pods that may be on a node may take if those on their way out take as much as the others.
fn all_at_once(report: &Report<'_>, at: usize) -> u128 {
    let components = report.nodes[at]
        .components
        .iter()
        .map(|component| component.limit.into());
    sum(components.chain(
        report
            .services
            .iter()
            .map(|service| times(service.limit, service.on(at, service.pods))),
    ))
}

/// The terms an inequality must have, whether all of them are known, and the amounts its statement says.
type Promise = (Vec<Expected<'static>>, bool, Vec<String>);

fn isolation(report: &Report<'_>, at: usize) -> Promise {
    let node = &report.nodes[at];
    let needed = ["os", "k3s", "containerd", "shims", "secrets"];
    let terms = node
        .reserved
        .iter()
        .enumerate()
        .filter(|(_, term)| needed.contains(&term.id));
    let mut expected: Vec<Expected<'_>> = terms
        .map(|(index, term)| {
            let reference = format!("/nodes/{at}/reserved/{index}");
            let counts = term
                .times
                .as_ref()
                .map(|products| products.iter().map(|(n, _)| u128::from(*n)).collect());
            let what = "reserved is";
            Expected {
                counts,
                ..Expected::new("left", term.id, &reference, term.amount.into(), what)
            }
        })
        .collect();
    let held = node.reserved("held-back");
    let kube = node.kube.saturating_sub(held);
    for (id, key, amount) in [
        ("system-reserved", "systemReservedBytes", node.system),
        ("kube-reserved", "kubeReservedBytes", kube),
        ("eviction", "evictionBytes", node.eviction),
    ] {
        expected.push(Expected::new(
            "right",
            id,
            &format!("/nodes/{at}/{key}"),
            amount.into(),
            "the node has",
        ));
    }
    let of = |side: &str| {
        sum(expected
            .iter()
            .filter(|term| term.side == side)
            .map(|term| term.amount))
    };
    let amounts = vec![shown(of("left")), shown(of("right"))];
    let known = report.has_server()
        && node
            .reserved
            .iter()
            .any(|term| term.id == "os" && term.has_origin);
    (expected, known, amounts)
}

/// It has no sum: it waits for measurements.
fn sufficiency(report: &Report<'_>) -> Promise {
    let running = report
        .services
        .iter()
        .filter(|service| service.replicas > 0)
        .count();
    let said = match running {
        0 => "no service".to_owned(),
        1 => "1 service".to_owned(),
        n => format!("{n} services"),
    };
    (Vec::new(), running == 0, vec![said])
}

/// As statements have it.
fn shown(amount: u128) -> String {
    u64::try_from(amount).map_or_else(|_| amount.to_string(), in_mib)
}

fn interference(report: &Report<'_>, at: usize) -> Promise {
    let node = &report.nodes[at];
    let of = |side, id, key: &str, amount: u128| {
        Expected::new(
            side,
            id,
            &format!("/nodes/{at}/{key}"),
            amount,
            "the node has",
        )
    };
    let mut expected = vec![of("left", "requests", "requestBytes", node.requests.into())];
    for (index, component) in node.components.iter().enumerate() {
        // Of what nothing limits only the pods at rest are counted.
        let counted = if component.bounded {
            component.ending
        } else {
            component.pods
        };
        let counts = vec![times(counted, component.containers)];
        expected.push(Expected::of_component(
            (at, index),
            component,
            gap_of_component(component),
            counts,
        ));
    }
    let services = sum(report
        .services
        .iter()
        .map(|service| times(gap(service), service.on(at, service.pods))));
    expected.push(Expected::new(
        "left",
        "services",
        "/services",
        services,
        "the services make",
    ));
    let mut amounts = vec![shown(node.limits.into())];
    let allocatable = u128::from(node.allocatable);
    match node.overcommit {
        Some(percent) => {
            let allowed = times(node.allocatable, percent) / 100;
            expected.push(of("right", "allowed", "allocatableBytes", allowed));
            amounts.extend([shown(allocatable), format!("{percent}%")]);
        }
        None => {
            let held = node.reserved("held-back");
            expected.push(of("right", "allocatable", "allocatableBytes", allocatable));
            expected.push(of("right", "held-back", "reserved", held.into()));
            amounts.push(shown(allocatable + u128::from(held)));
        }
    }
    let known = report.has_server() && node.components.iter().all(|component| component.bounded);
    let known = known && report.services.iter().all(|service| service.bounded);
    (expected, known, amounts)
}

fn liveness(report: &Report<'_>) -> Promise {
    let mut expected = of_all_components(report, |component| {
        (
            component.request,
            times(component.pods, component.containers),
        )
    });
    let services = at_worst(report, |service, pods| times(service.request, pods));
    expected.push(Expected::new(
        "left",
        "services",
        "/services",
        services,
        "the services make",
    ));
    for (at, node) in report.nodes.iter().enumerate() {
        let (id, reference) = (
            report.id_of("allocatable", at),
            format!("/nodes/{at}/allocatableBytes"),
        );
        expected.push(Expected::new(
            "right",
            &id,
            &reference,
            node.allocatable.into(),
            "the node has",
        ));
    }
    let allocatable = sum(report.nodes.iter().map(|node| node.allocatable.into()));
    let mut amounts = vec![shown(all_requests(report)), shown(allocatable)];
    let components = |of: fn(&Component<'_>) -> u64| {
        sum(of_all_components(report, |component| (of(component), 0))
            .iter()
            .map(|term| term.amount))
    };
    let pods = components(|component| component.pods)
        .saturating_add(at_worst(report, |_, pods| pods.into()));
    let max = sum(report.nodes.iter().map(|node| node.max_pods.into()));
    amounts.push(format!("{pods} of {max} pods"));
    let has_cpu = report.nodes.iter().all(|node| node.cpu.is_some());
    if has_cpu {
        let of_services = at_worst(report, |service, pods| times(service.cpu, pods));
        amounts.push(format!(
            "{}m of ",
            components(|component| component.cpu).saturating_add(of_services)
        ));
    }
    (
        expected,
        report.has_server() && has_cpu && report.placement.kind != "unknown",
        amounts,
    )
}
