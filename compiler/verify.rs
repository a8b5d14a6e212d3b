//! Re-checks a report.json from its own numbers: every sum is added up again, every inequality compared, every
//! verdict held against what it needs. It knows the rules of `spec/06-proof.md` and nothing of the code that
//! plans, so that a fault there is found here and not repeated.
//!
//! All arithmetic is in 128 bits and saturates: a sum that does is no number a report can state, so it disagrees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::base::quantity::{MIB, in_mib};

mod read;

use read::{Budget, Component, Count, Report, Service, Term, Theorem};

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
    let value: Value = serde_json::from_slice(report).map_err(|error| format!("it is not JSON: {error}"))?;
    let report = read::report(&value)?;
    let mut check = Check { sums: 0, faults: Vec::new() };
    check.services(&report);
    check.components(&report);
    check.node(&report);
    check.theorems(&report);
    report.budgets.iter().for_each(|budget| check.budget(&report, budget));
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
    pod_of(main, service.beside.iter().map(|extra| (extra.stays, extra.bytes)))
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
    fn new(side: &'static str, id: &str, reference: &str, amount: u128, what: &'static str) -> Expected<'static> {
        Expected { side, id: id.to_owned(), reference: reference.to_owned(), amount, counts: None, what }
    }

    fn of_component(index: usize, component: &Component<'_>, amount: u128, counts: Vec<u128>) -> Expected<'static> {
        Expected {
            side: "left",
            id: format!("component.{}", component.name),
            reference: format!("/nodes/0/components/{index}"),
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
            self.holds(&place, known.insert(service.name), || "there are two of that name".to_owned());
            let peak = u128::from(service.replicas) + u128::from(service.surge);
            self.same(&place, "podsAtPeak", service.peak, "replicas and surge are", peak);
            self.holds(&place, service.pods >= service.peak, || {
                format!("podsWithEnding is {}, less than podsAtPeak, {}", service.pods, service.peak)
            });
            let (request, limit, least, most) = (service.request, service.limit, service.least, service.most);
            self.holds(&place, request <= limit, || format!("requestBytes is {request}, above limitBytes, {limit}"));
            self.holds(&place, least <= limit && limit <= most, || {
                format!("limitBytes is {limit}, not within leastBytes, {least}, and mostBytes, {most}")
            });
            self.holds(&place, service.floor.is_some() == service.has_floor_origin, || {
                "floorBytes and floorOrigin go together".to_owned()
            });
            self.choice(&place, service);
            self.pod(&place, service);
        }
    }

    /// What the whole pod counts for, and how many there may be.
    fn pod(&mut self, place: &str, service: &Service<'_>) {
        let how = "its containers make";
        self.same(place, "requestBytes", service.request, how, pod_memory(service, service.main_request));
        self.same(place, "limitBytes", service.limit, how, pod_memory(service, service.main_limit));
        let least = service.floor.unwrap_or(0).max(service.low);
        self.same(
            place,
            "leastBytes",
            service.least,
            "lowBytes, floorBytes and beside make",
            pod_memory(service, least),
        );
        let cpu = pod_of(service.main_cpu, service.beside.iter().map(|extra| (extra.stays, extra.cpu)));
        self.same(place, "cpuMilli", service.cpu, how, cpu);
        let (replicas, surge, pods) = (service.replicas, service.surge, u128::from(service.pods));
        let twice = u128::from(replicas) + u128::from(replicas.max(surge));
        let fits = match service.kind {
            // With `recreate` all have ended before others come.
            "Deployment" => surge <= replicas && (pods == twice || surge == 0 && pods == replicas.into()),
            // One that replaces its last run does not wait for it.
            "CronJob" => surge == 0 && (pods == twice || pods == replicas.into()),
            "StatefulSet" | "Job" => surge == 0 && pods == replicas.into(),
            "DaemonSet" => surge == 0 && pods == replicas.into() && replicas <= 1,
            _ => false,
        };
        self.holds(place, fits, || {
            let kind = service.kind;
            format!("`{kind}` does not go with {replicas} replicas, a surge of {surge}, {pods} pods with those ending")
        });
    }

    /// The number that was chosen is the one that the reason for it means.
    fn choice(&mut self, place: &str, service: &Service<'_>) {
        let (request, limit, least, most) = (service.request, service.limit, service.least, service.most);
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
        self.holds(place, service.weight.is_some() == levelled, || "only choice `level` has a weight".to_owned());
    }

    fn components(&mut self, report: &Report<'_>) {
        let node = &report.node;
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for component in &node.components {
            let place = format!("component {}", component.name);
            self.holds(&place, known.insert(component.name), || "there are two of that name".to_owned());
            let (request, limit) = (component.request, component.limit);
            self.holds(&place, request <= limit, || format!("requestBytes is {request}, above limitBytes, {limit}"));
            self.holds(&place, component.pods <= component.ending, || {
                format!("podsWithTransient is {}, less than pods, {}", component.ending, component.pods)
            });
            let gap = if node.overcommit.is_some() { 0 } else { limit.saturating_sub(request) };
            let how = match node.overcommit {
                Some(_) => "with overcommit it is",
                None => "limitBytes less requestBytes is",
            };
            self.same(&place, "heldBackBytes", component.held, how, gap.into());
        }
    }

    fn node(&mut self, report: &Report<'_>) {
        let node = &report.node;
        let (services, components) = (&report.services, &node.components);
        let place = format!("node {}", node.name);
        let held_of_services = sum(services.iter().map(|s| times(gap(s), s.pods)));
        let held_of_components = sum(components.iter().map(|component| component.held.into()));
        let held = if node.overcommit.is_some() { 0 } else { held_of_services.saturating_add(held_of_components) };
        let shim_pods = sum(services.iter().map(|s| s.pods.into()).chain(components.iter().map(|c| c.ending.into())));
        let mounts = sum(services.iter().map(|service| times(service.secret_mounts, service.pods)));
        let secrets = mounts.saturating_mul(MIB.into());

        let reserved = |id: &str| node.reserved(id);
        let term = |id: &str, amount: u128, what| Expected::new("", id, "", amount, what);
        let mut expected = vec![
            term("os", node.system.into(), "systemReservedBytes is"),
            term("k3s", reserved("k3s").into(), "it is"),
            term("containerd", reserved("containerd").into(), "it is"),
            Expected { counts: Some(vec![shim_pods]), ..term("shims", reserved("shims").into(), "it is") },
            term("eviction", node.eviction.into(), "evictionBytes is"),
        ];
        if secrets > 0 {
            let what = "the services' Secrets take";
            expected.push(Expected { counts: Some(vec![mounts]), ..term("secrets", secrets, what) });
        }
        if held > 0 {
            expected.push(term("held-back", held, "limits above their requests are"));
        }
        self.terms(&format!("{place}: reserved"), &node.reserved, &expected);
        let all = sum(node.reserved.iter().map(|term| term.amount.into()));
        self.same(&place, "reservedBytes", node.reserved_bytes, "its terms sum to", all);
        let kube = ["k3s", "containerd", "shims", "secrets", "held-back"];
        let kube = sum(kube.into_iter().map(|id| reserved(id).into()));
        self.same(&place, "kubeReservedBytes", node.kube, "its terms sum to", kube);
        let left = u128::from(node.memory).checked_sub(node.reserved_bytes.into());
        self.difference(&place, ("allocatableBytes", node.allocatable), "memoryBytes less reservedBytes", left);
        let left = node.allocatable.checked_sub(node.requests).map(u128::from);
        self.difference(&place, ("freeBytes", node.free), "allocatableBytes less requestBytes", left);

        self.same(&place, "requestBytes", node.requests, "services and components request", requests(report));
        self.same(&place, "limitBytes", node.limits, "services and components may take", limits(report));
        self.same(&place, "podsAtPeak", node.pods, "services and components have", pods(report));
        self.same(&place, "cpuRequestMilli", node.cpu_requests, "services and components request", cpu(report));
    }

    fn difference(&mut self, place: &str, (key, told): (&str, u64), what: &str, counted: Option<u128>) {
        match counted {
            Some(counted) => self.same(place, key, told, &format!("{what} is"), counted),
            None => self.fault(place, &format!("{key} is {told}, {what} is below zero")),
        }
    }

    /// Addends as they must be: each once, none beside them, each the product that it says it is.
    fn terms(&mut self, place: &str, terms: &[Term<'_>], expected: &[Expected<'_>]) {
        for expected in expected {
            let mut found = terms.iter().filter(|term| term.id == expected.id && term.side == expected.side);
            let Some(term) = found.next() else {
                self.fault(place, &format!("the term `{}` is missing", expected.id));
                continue;
            };
            self.holds(place, found.next().is_none(), || format!("the term `{}` is there twice", expected.id));
            self.same(place, &format!("the term `{}`", term.id), term.amount, expected.what, expected.amount);
            self.holds(place, term.reference == expected.reference, || {
                format!("the term `{}` refers to `{}`, not to `{}`", term.id, term.reference, expected.reference)
            });
            self.product(place, term, expected.counts.as_deref());
        }
        for term in terms {
            let known = expected.iter().any(|expected| expected.id == term.id && expected.side == term.side);
            self.holds(place, known, || format!("the term `{}` does not belong there", term.id));
        }
    }

    fn product(&mut self, place: &str, term: &Term<'_>, counts: Option<&[u128]>) {
        let Some(products) = &term.times else {
            self.holds(place, counts.is_none(), || format!("the term `{}` lacks its factors", term.id));
            return;
        };
        let key = format!("the term `{}`", term.id);
        let product = sum(products.iter().map(|(n, each)| times(*n, *each)));
        self.same(place, &key, term.amount, "its factors make", product);
        let counts = counts.unwrap_or_default();
        self.holds(place, counts.len() == products.len(), || format!("{key} has {} products", products.len()));
        for ((n, each), counted) in products.iter().zip(counts) {
            self.same(place, &format!("{key}: a factor"), *n, "there are", *counted);
            // Nothing of something is nothing, whatever that would be.
            self.holds(place, *n > 0 || *each == 0, || format!("{key}: 0 of {each}"));
        }
    }

    fn theorems(&mut self, report: &Report<'_>) {
        const PROMISES: [(&str, &str); 4] =
            [("T1", "isolation"), ("T2", "non-interference"), ("T3", "sufficiency"), ("T4", "liveness")];
        let told: Vec<(&str, &str)> = report.theorems.iter().map(|theorem| (theorem.id, theorem.name)).collect();
        self.holds("theorems", told == PROMISES, || {
            "they are not T1 isolation, T2 non-interference, T3 sufficiency, T4 liveness".to_owned()
        });
        for theorem in &report.theorems {
            let (expected, known, amounts) = match theorem.id {
                "T1" => isolation(report),
                "T2" => interference(report),
                "T4" => liveness(report),
                _ => sufficiency(report),
            };
            let place = theorem.id;
            self.terms(place, &theorem.terms, &expected);
            let sides = Sides { left: ("leftBytes", theorem.left), right: ("rightBytes", Some(theorem.right)) };
            self.sides(place, &sides, &theorem.terms);
            for amount in amounts {
                self.holds(place, says(theorem.statement, &amount), || format!("its statement does not say {amount}"));
            }
            self.verdict(report, theorem, known);
            let counted: &[&str] = if theorem.id == "T4" { &["pods", "cpuMilli"] } else { &[] };
            let told: Vec<&str> = theorem.counts.iter().map(|count| count.id).collect();
            self.holds(place, told == counted, || format!("it counts {told:?}, not {counted:?}"));
            theorem.counts.iter().for_each(|count| self.count(report, count));
        }
    }

    /// Both sides are the sums of their terms, and the left one is not the larger.
    fn sides(&mut self, place: &str, sides: &Sides, terms: &[Term<'_>]) {
        let of = |side: &str| sum(terms.iter().filter(|term| term.side == side).map(|term| term.amount.into()));
        let (key, left) = sides.left;
        self.same(place, key, left, "its terms sum to", of("left"));
        if let (key, Some(right)) = sides.right {
            self.same(place, key, right, "its terms sum to", of("right"));
            self.holds(place, left <= right, || format!("{left} is not within {right}"));
        }
    }

    /// A verdict says no more than it may, and a reason is given where it says less.
    fn verdict(&mut self, report: &Report<'_>, theorem: &Theorem<'_>, known: bool) {
        let node = &report.node;
        let place = theorem.id;
        // Where nothing is held back, pods on their way out may still take what is beyond their requests.
        let bursting = node.limits > node.requests && all_at_once(report) > node.allocatable.into();
        let above = node.limits > node.allocatable || bursting;
        let relaxed = theorem.id == "T2" && node.overcommit.is_some() && above;
        let reasons = theorem.reasons;
        match theorem.verdict {
            "proved" => {
                self.holds(place, reasons == 0, || "it is called proved, and says why it is not".to_owned());
                self.holds(place, known, || "it is called proved, and a term of it is not known".to_owned());
                self.holds(place, !relaxed, || "it is called proved, and limits are above what there is".to_owned());
            }
            "relaxed" => {
                self.holds(place, relaxed, || "it is called relaxed, and nothing in writing relaxes it".to_owned());
            }
            "unknown" => {
                self.holds(place, reasons > 0, || "it is called unknown, and does not say why".to_owned());
                // Why a term is not known need not be a number: that one is said to be is believed.
                self.holds(place, !relaxed, || "it is called unknown, and was given up in writing".to_owned());
            }
            other => self.fault(place, &format!("`{other}` is no verdict")),
        }
    }

    /// Pods or CPU.
    fn count(&mut self, report: &Report<'_>, count: &Count<'_>) {
        let node = &report.node;
        let place = format!("T4: {}", count.id);
        let of_pods = count.id == "pods";
        let components = node.components.iter().enumerate();
        let mut expected: Vec<Expected<'_>> = components
            .map(|(index, component)| {
                let (amount, n) = match of_pods {
                    true => (component.pods, component.pods.into()),
                    false => (component.cpu, times(component.pods, component.containers)),
                };
                Expected::of_component(index, component, amount.into(), vec![n])
            })
            .collect();
        let services = sum(report.services.iter().map(|service| match of_pods {
            true => service.peak.into(),
            false => times(service.cpu, service.peak),
        }));
        expected.push(Expected::new("left", "services", "/services", services, "the services make"));
        let right = if of_pods { Some(node.max_pods) } else { node.cpu };
        if let Some(right) = right {
            let (id, key) = if of_pods { ("max-pods", "maxPods") } else { ("cpu", "cpuMilli") };
            let what = "the node has";
            expected.push(Expected::new("right", id, &format!("/nodes/0/{key}"), right.into(), what));
        }
        self.terms(&place, &count.terms, &expected);
        self.holds(&place, count.right == right, || format!("right is {:?}, the node has {right:?}", count.right));
        self.sides(&place, &Sides { left: ("left", count.left), right: ("right", count.right) }, &count.terms);
    }

    fn budget(&mut self, report: &Report<'_>, budget: &Budget<'_>) {
        let place = format!("budget {}", budget.name);
        let mut used = 0_u128;
        match &budget.services {
            None => used = sum(report.services.iter().map(|service| times(service.limit, service.peak))),
            Some(names) => {
                let mut known: BTreeSet<&str> = BTreeSet::new();
                for name in names {
                    self.holds(&place, known.insert(name), || format!("`{name}` is in it twice"));
                    match report.service(name) {
                        Some(service) => used = used.saturating_add(times(service.limit, service.peak)),
                        None => self.fault(&place, &format!("there is no service `{name}`")),
                    }
                }
            }
        }
        let services = Expected::new("left", "services", "/services", used, "its services have limits of");
        self.terms(&place, &budget.terms, &[services]);
        let all = sum(budget.terms.iter().map(|term| term.amount.into()));
        self.same(&place, "usedBytes", budget.used, "its terms sum to", all);
        let left = budget.ceiling.checked_sub(budget.used).map(u128::from);
        self.difference(&place, ("freeBytes", budget.free), "ceilingBytes less usedBytes", left);
        self.holds(&place, budget.verdict == "proved", || format!("its verdict is `{}`", budget.verdict));
    }

    /// The level is the lowest of those that were stopped, and each of them was stopped for want of room.
    fn level(&mut self, report: &Report<'_>) {
        let stopped = || report.services.iter().filter(|service| service.choice == "level");
        let share = |service: &Service<'_>| times(service.least, service.weight.unwrap_or(1));
        let lowest = stopped().map(|service| (u128::from(service.limit), share(service))).reduce(|least, other| {
            // Both products are of a number of 64 bits and one of 128.
            let (here, there) = (other.0.saturating_mul(least.1), least.0.saturating_mul(other.1));
            if here < there { other } else { least }
        });
        let lowest = lowest.map(|(limit, share)| {
            let (mut a, mut b) = (limit, share);
            while b > 0 {
                (a, b) = (b, a % b);
            }
            (limit / a.max(1), share / a.max(1))
        });
        let told = report.level.map(|(above, below)| (u128::from(above), u128::from(below)));
        let shown =
            |level: Option<(u128, u128)>| level.map_or("null".to_owned(), |(above, below)| format!("{above}/{below}"));
        if told == lowest {
            self.sums += 1;
        } else {
            self.fault("level", &format!("it is {}, the services' is {}", shown(told), shown(lowest)));
        }
        let node = &report.node;
        let over_all = report.budgets.iter().filter(|budget| budget.services.is_none()).map(|budget| budget.free);
        let mut free = over_all.chain([node.free]).min().unwrap_or(node.free);
        if let Some(percent) = node.overcommit {
            let allowed = times(node.allocatable, percent) / 100;
            let left = allowed.saturating_sub(node.limits.into());
            free = free.min(u64::try_from(left).unwrap_or(u64::MAX));
        }
        let mut left: BTreeMap<&str, u64> = BTreeMap::new();
        for budget in &report.budgets {
            for name in budget.services.iter().flatten() {
                left.entry(name).and_modify(|free| *free = budget.free.min(*free)).or_insert(budget.free);
            }
        }
        for service in stopped() {
            let free = left.get(service.name).map_or(free, |of_budget| free.min(*of_budget));
            let step = times(service.most.saturating_sub(service.limit).min(MIB), service.peak);
            self.holds(&format!("service {}", service.name), step > free.into(), || {
                format!("it is below mostBytes, and {free} bytes are left that it could have")
            });
        }
    }
}

/// Whether a text says an amount, and not as part of a longer one.
fn says(text: &str, amount: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
    text.match_indices(amount).any(|(at, _)| !part(text[..at].chars().next_back()))
}

fn requests(report: &Report<'_>) -> u128 {
    let components = report.node.components.iter().map(|component| component.request.into());
    sum(components.chain(report.services.iter().map(|service| times(service.request, service.peak))))
}

fn limits(report: &Report<'_>) -> u128 {
    sum(report.node.components.iter().map(|component| component.limit.into()).chain([limits_of_services(report)]))
}

fn limits_of_services(report: &Report<'_>) -> u128 {
    sum(report
        .services
        .iter()
        .map(|service| times(service.request, service.peak).saturating_add(times(gap(service), service.pods))))
}

/// What all pods may take if those on their way out take as much as the others.
fn all_at_once(report: &Report<'_>) -> u128 {
    let components = report.node.components.iter().map(|component| component.limit.into());
    sum(components.chain(report.services.iter().map(|service| times(service.limit, service.pods))))
}

fn pods(report: &Report<'_>) -> u128 {
    let components = report.node.components.iter().map(|component| component.pods.into());
    sum(components.chain(report.services.iter().map(|service| service.peak.into())))
}

fn cpu(report: &Report<'_>) -> u128 {
    let components = report.node.components.iter().map(|component| component.cpu.into());
    sum(components.chain(report.services.iter().map(|service| times(service.cpu, service.peak))))
}

/// The terms an inequality must have, whether all of them are known, and the amounts its statement says.
type Promise = (Vec<Expected<'static>>, bool, Vec<String>);

fn isolation(report: &Report<'_>) -> Promise {
    let node = &report.node;
    let needed = ["os", "k3s", "containerd", "shims", "secrets"];
    let terms = node.reserved.iter().enumerate().filter(|(_, term)| needed.contains(&term.id));
    let mut expected: Vec<Expected<'_>> = terms
        .map(|(index, term)| {
            let reference = format!("/nodes/0/reserved/{index}");
            let counts = term.times.as_ref().map(|products| products.iter().map(|(n, _)| u128::from(*n)).collect());
            let what = "reserved is";
            Expected { counts, ..Expected::new("left", term.id, &reference, term.amount.into(), what) }
        })
        .collect();
    let held = node.reserved("held-back");
    let kube = node.kube.saturating_sub(held);
    for (id, key, amount) in [
        ("system-reserved", "systemReservedBytes", node.system),
        ("kube-reserved", "kubeReservedBytes", kube),
        ("eviction", "evictionBytes", node.eviction),
    ] {
        expected.push(Expected::new("right", id, &format!("/nodes/0/{key}"), amount.into(), "the node has"));
    }
    let of = |side: &str| sum(expected.iter().filter(|term| term.side == side).map(|term| term.amount));
    let amounts = vec![shown(of("left")), shown(of("right"))];
    let known = node.server && node.reserved.iter().any(|term| term.id == "os" && term.has_origin);
    (expected, known, amounts)
}

/// It has no sum: it waits for measurements.
fn sufficiency(report: &Report<'_>) -> Promise {
    let running = report.services.iter().filter(|service| service.replicas > 0).count();
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

fn interference(report: &Report<'_>) -> Promise {
    let node = &report.node;
    let mut expected: Vec<Expected<'_>> = Vec::with_capacity(node.components.len() + 3);
    for (index, component) in node.components.iter().enumerate() {
        // Of what nothing limits only the pods at rest are counted.
        let counted = if component.bounded { component.ending } else { component.pods };
        let counts = vec![times(component.pods, component.containers), times(counted, component.containers)];
        expected.push(Expected::of_component(index, component, component.limit.into(), counts));
    }
    let services = limits_of_services(report);
    expected.push(Expected::new("left", "services", "/services", services, "the services make"));
    let mut amounts = vec![shown(limits(report))];
    let allocatable = u128::from(node.allocatable);
    match node.overcommit {
        Some(percent) => {
            let allowed = times(node.allocatable, percent) / 100;
            let what = "overcommit makes it";
            expected.push(Expected::new("right", "allowed", "/nodes/0/allocatableBytes", allowed, what));
            amounts.extend([shown(allocatable), format!("{percent}%")]);
        }
        None => {
            let held = node.reserved("held-back");
            let what = "the node has";
            expected.push(Expected::new("right", "allocatable", "/nodes/0/allocatableBytes", allocatable, what));
            expected.push(Expected::new("right", "held-back", "/nodes/0/reserved", held.into(), what));
            amounts.push(shown(allocatable + u128::from(held)));
        }
    }
    let known = node.server && node.components.iter().all(|component| component.bounded);
    (expected, known, amounts)
}

fn liveness(report: &Report<'_>) -> Promise {
    let node = &report.node;
    let mut expected: Vec<Expected<'_>> = Vec::with_capacity(node.components.len() + 2);
    for (index, component) in node.components.iter().enumerate() {
        let counts = vec![times(component.pods, component.containers)];
        expected.push(Expected::of_component(index, component, component.request.into(), counts));
    }
    let services = sum(report.services.iter().map(|service| times(service.request, service.peak)));
    expected.push(Expected::new("left", "services", "/services", services, "the services make"));
    let allocatable = u128::from(node.allocatable);
    expected.push(Expected::new("right", "allocatable", "/nodes/0/allocatableBytes", allocatable, "the node has"));
    let mut amounts = vec![shown(requests(report)), shown(allocatable)];
    amounts.push(format!("{} of {} pods", pods(report), node.max_pods));
    if node.cpu.is_some() {
        amounts.push(format!("{}m of ", cpu(report)));
    }
    (expected, node.server && node.cpu.is_some(), amounts)
}
