//! The ledger for machines and for people: every promise with its verdict, every addend with what it is, how it
//! comes about and where it was given. report.json is a certificate, which `verify` re-checks without this code.
//! Origins are paths (`tier.agent.memory`), not lines, so that a comment added to the program changes no output;
//! `bzc explain PATH` gives the line.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::header;
use crate::base::quantity::{Cpu, in_mib};
use crate::plan::SECRET_BYTES;
use crate::plan::model::{Choice, ComponentPlan, Plan, Verdict, Workload};
use crate::sema::hir::{Component, Extra, Given, Kind, Memory, Role, VolumeSource};

/// One addend of what a node's pods cannot have.
struct Term {
    id: &'static str,
    what: String,
    bytes: u64,
    formula: Option<String>,
    /// The factors of `bytes`, where it is a product: how many of what.
    times: Option<[u64; 2]>,
    origin: Option<String>,
}

fn origin<T>(given: &Given<'_, T>) -> Option<String> {
    Some(given.origin.path())
}

/// `total` as so many times the same.
fn product(n: u64, total: u64) -> [u64; 2] {
    [n, total.checked_div(n).unwrap_or(0)]
}

/// What no pod gets, term by term. The ids are those of `spec/06-proof.md`.
fn reserve_terms(plan: &Plan<'_, '_>) -> Vec<Term> {
    let (node, k3s) = (&plan.node, &plan.program.k3s);
    let declared = plan.program.nodes.first();
    let mut terms = vec![
        Term {
            id: "os",
            what: "the OS and what lives beside K3s".to_owned(),
            bytes: node.os,
            formula: None,
            times: None,
            origin: declared.and_then(|node| node.reserve.as_ref().and_then(origin)),
        },
        Term {
            id: "k3s",
            what: "the K3s process".to_owned(),
            bytes: node.k3s,
            formula: None,
            times: None,
            origin: origin(&k3s.memory),
        },
        Term {
            id: "containerd",
            what: "containerd".to_owned(),
            bytes: node.containerd,
            formula: None,
            times: None,
            origin: origin(&k3s.containerd),
        },
        Term {
            id: "shims",
            what: "containerd's shims".to_owned(),
            bytes: node.shims,
            formula: Some(format!("{} pods x {}", node.shim_pods, in_mib(k3s.shim.value.n))),
            times: Some(product(node.shim_pods, node.shims)),
            origin: origin(&k3s.shim),
        },
    ];
    if node.secrets > 0 {
        terms.push(Term {
            id: "secrets",
            what: "Secrets mounted as files".to_owned(),
            bytes: node.secrets,
            formula: Some(format!("{} mounts x 1Mi", node.secret_mounts)),
            times: Some(product(node.secret_mounts, node.secrets)),
            origin: Some("kubernetes.max-secret-size".to_owned()),
        });
    }
    if node.held > 0 {
        terms.push(Term {
            id: "held-back",
            what: "limits above their requests".to_owned(),
            bytes: node.held,
            formula: Some(held_formula(plan)),
            times: None,
            origin: None,
        });
    }
    terms.push(Term {
        id: "eviction",
        what: "the kubelet's eviction threshold".to_owned(),
        bytes: node.eviction,
        formula: None,
        times: None,
        origin: declared.and_then(|node| origin(&node.eviction)),
    });
    terms
}

/// `coredns (1 x 32Mi) + api (2 x 16Mi)`.
fn held_formula(plan: &Plan<'_, '_>) -> String {
    let mut parts = Vec::new();
    for component in plan.node.components.iter().filter(|component| component.held > 0) {
        let declared = &plan.program.components[component.component];
        let pods = if component.unbounded { component.peak } else { component.pods };
        let pieces = pods * declared.containers;
        parts.push(format!("{} ({pieces} x {})", declared.name, in_mib(component.held / pieces.max(1))));
    }
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        if workload.limit > workload.request && workload.pods > 0 {
            let gap = workload.pod_limit() - workload.pod_request();
            parts.push(format!("{} ({} x {})", service.name.value, workload.pods, in_mib(gap)));
        }
    }
    parts.join(" + ")
}

fn choice_word(choice: Choice) -> &'static str {
    match choice {
        Choice::Written => "written",
        Choice::Burst => "burst",
        Choice::Ceiling => "ceiling",
        Choice::Level => "level",
    }
}

/// A list that is printed element by element: ten thousand services never stand in memory as a tree.
struct Each<F>(F);

impl<I: Iterator<Item = Value>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

struct Report<'r, 'p, 'a>(&'r Plan<'p, 'a>);

impl Serialize for Report<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.0;
        let level = plan.level.map(|(numerator, denominator)| [numerator, denominator]);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bzcReport", &1)?;
        map.serialize_entry("source", plan.program.source)?;
        map.serialize_entry("environment", &plan.program.env)?;
        map.serialize_entry("theorems", &Each(|| theorems(plan)))?;
        map.serialize_entry("level", &level)?;
        map.serialize_entry("nodes", &[node(plan)])?;
        map.serialize_entry("budgets", &Each(|| budgets(plan)))?;
        map.serialize_entry("services", &Each(|| services(plan)))?;
        map.end()
    }
}

/// report.json.
pub fn json(plan: &Plan<'_, '_>) -> String {
    let mut text = serde_json::to_string_pretty(&Report(plan)).expect("a tree of texts and numbers");
    text.push('\n');
    text
}

/// Which side of an inequality an addend is on.
const LEFT: &str = "left";
const RIGHT: &str = "right";

/// What services add to a sum: one addend for all of them, to be computed from the list of services.
fn of_services(unit: &str, amount: u64, formula: &str) -> Value {
    json!({
        "side": LEFT,
        "id": "services",
        "what": "services",
        unit: amount,
        "formula": formula,
        "times": null,
        "ref": "/services",
        "origin": null,
    })
}

/// A number of the node that is an addend as it is, or as `formula` says.
fn of_node(id: &str, what: &str, (unit, amount): (&str, u64), key: &str, formula: Option<&str>) -> Value {
    json!({
        "side": RIGHT,
        "id": id,
        "what": what,
        unit: amount,
        "formula": formula,
        "times": null,
        "ref": format!("/nodes/0/{key}"),
        "origin": null,
    })
}

fn of_allocatable(bytes: u64) -> Value {
    of_node("allocatable", "what the scheduler may give to pods", ("bytes", bytes), "allocatableBytes", None)
}

/// What every component adds to a sum. `of` gives the amount, and the products it consists of.
fn of_components<'r, const N: usize>(
    plan: &'r Plan<'_, '_>,
    unit: &'static str,
    of: impl Fn(&ComponentPlan, u64) -> (u64, [[u64; 2]; N]) + 'r,
) -> impl Iterator<Item = Value> + 'r {
    let show = move |n: u64| if unit == "bytes" { in_mib(n) } else { n.to_string() };
    plan.node.components.iter().enumerate().map(move |(index, component)| {
        let declared = &plan.program.components[component.component];
        let (amount, times) = of(component, declared.containers);
        let formula: Vec<String> = times.iter().map(|[n, each]| format!("{n} x {}", show(*each))).collect();
        json!({
            "side": LEFT,
            "id": format!("component.{}", declared.name),
            "what": declared.name,
            unit: amount,
            "formula": formula.join(" + "),
            "times": times.as_slice(),
            "ref": format!("/nodes/0/components/{index}"),
            "origin": component_origin(declared),
        })
    })
}

fn component_origin(component: &Component<'_>) -> Option<String> {
    let memory = component.memory.map(|(request, _)| request.origin.path());
    memory.or(component.bound.map(|bound| bound.origin.path()))
}

/// How many of a component's containers may take more than they request.
fn containers_held(component: &ComponentPlan, containers: u64) -> u64 {
    (if component.unbounded { component.peak } else { component.pods }) * containers
}

/// The addends of T1: what K3s and the OS can take, and what the kubelet keeps for them.
fn isolation_terms(plan: &Plan<'_, '_>) -> Vec<Value> {
    let node = &plan.node;
    let needed = ["os", "k3s", "containerd", "shims", "secrets"];
    let reserved = reserve_terms(plan).into_iter().enumerate().filter(|(_, term)| needed.contains(&term.id));
    let mut terms: Vec<Value> = reserved
        .map(|(index, term)| {
            let mut value = term_value(term);
            value["side"] = LEFT.into();
            value["ref"] = format!("/nodes/0/reserved/{index}").into();
            value
        })
        .collect();
    let kube = node.kube_reserved() - node.held;
    let less = Some("kubeReservedBytes - held-back");
    let eviction = ("bytes", node.eviction);
    terms.extend([
        of_node("system-reserved", "system-reserved of the kubelet", ("bytes", node.os), "systemReservedBytes", None),
        of_node("kube-reserved", "kube-reserved of the kubelet", ("bytes", kube), "kubeReservedBytes", less),
        of_node("eviction", "the kubelet's eviction threshold", eviction, "evictionBytes", None),
    ]);
    terms
}

/// The addends of T2: what all pods can take, and what there is for them.
fn interference_terms(plan: &Plan<'_, '_>, right: u64) -> Vec<Value> {
    let node = &plan.node;
    let limits = |component: &ComponentPlan, containers: u64| {
        let requests = product(component.peak * containers, component.request);
        let gaps = product(containers_held(component, containers), component.gap);
        (component.request + component.gap, [requests, gaps])
    };
    let mut terms: Vec<Value> = of_components(plan, "bytes", limits).collect();
    let packaged: u64 = node.components.iter().map(|component| component.request + component.gap).sum();
    let formula = "sum of requestBytes * podsAtPeak + (limitBytes - requestBytes) * podsWithEnding";
    terms.push(of_services("bytes", node.limits - packaged, formula));
    let overcommit = plan.program.nodes.first().and_then(|node| node.overcommit);
    match overcommit {
        Some(percent) => {
            let formula = format!("allocatableBytes * {} / 100", percent.value);
            let allowed = ("bytes", right);
            terms.push(of_node("allowed", "limits allowed in writing", allowed, "allocatableBytes", Some(&formula)));
        }
        None => {
            let held = ("bytes", node.held);
            terms.push(of_allocatable(node.allocatable));
            terms.push(of_node("held-back", "limits above their requests", held, "reserved", Some("held-back")));
        }
    }
    terms
}

/// The addends of T4: what is requested at the peak of a rollout, and what the scheduler may give.
fn liveness_terms(plan: &Plan<'_, '_>) -> Vec<Value> {
    let node = &plan.node;
    let requests = |component: &ComponentPlan, containers: u64| {
        (component.request, [product(component.peak * containers, component.request)])
    };
    let mut terms: Vec<Value> = of_components(plan, "bytes", requests).collect();
    let packaged: u64 = node.components.iter().map(|component| component.request).sum();
    terms.push(of_services("bytes", node.requests - packaged, "sum of requestBytes * podsAtPeak"));
    terms.push(of_allocatable(node.allocatable));
    terms
}

/// What T4 says beside memory: pods and CPU.
fn liveness_counts(plan: &Plan<'_, '_>) -> Vec<Value> {
    let node = &plan.node;
    let Some(declared) = plan.program.nodes.first() else { return Vec::new() };
    let peak = |component: &ComponentPlan, _: u64| (component.peak, [product(component.peak, component.peak)]);
    let mut pods: Vec<Value> = of_components(plan, "amount", peak).collect();
    let packaged: u64 = node.components.iter().map(|component| component.peak).sum();
    let max = declared.max_pods.value;
    pods.push(of_services("amount", node.pods - packaged, "sum of podsAtPeak"));
    pods.push(of_node("max-pods", "pods the kubelet takes", ("amount", max), "maxPods", None));
    let milli = |component: &ComponentPlan, containers: u64| {
        (component.cpu, [product(component.peak * containers, component.cpu)])
    };
    let mut cpu: Vec<Value> = of_components(plan, "amount", milli).collect();
    let packaged: u64 = node.components.iter().map(|component| component.cpu).sum();
    cpu.push(of_services("amount", node.cpu - packaged, "sum of cpuMilli * podsAtPeak"));
    let has = declared.cpu.map(|cpu| cpu.value.milli);
    let right = |milli| of_node("cpu", "what the node has to compute with", ("amount", milli), "cpuMilli", None);
    cpu.extend(has.map(right));
    vec![
        json!({ "id": "pods", "left": node.pods, "right": max, "terms": pods }),
        json!({ "id": "cpuMilli", "left": node.cpu, "right": has, "terms": cpu }),
    ]
}

fn theorems<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    plan.theorems.iter().map(|theorem| {
        let (terms, counts) = match theorem.id {
            "T1" => (isolation_terms(plan), Vec::new()),
            "T2" => (interference_terms(plan, theorem.right), Vec::new()),
            "T4" => (liveness_terms(plan), liveness_counts(plan)),
            // Sufficiency has no sum: it waits for measurements.
            _ => (Vec::new(), Vec::new()),
        };
        json!({
            "id": theorem.id,
            "name": theorem.name,
            "verdict": theorem.verdict.word(),
            "leftBytes": theorem.left,
            "rightBytes": theorem.right,
            "terms": terms,
            "counts": counts,
            "statement": theorem.statement,
            "why": theorem.why,
        })
    })
}

fn term_value(term: Term) -> Value {
    json!({
        "id": term.id,
        "what": term.what,
        "bytes": term.bytes,
        "formula": term.formula,
        "times": term.times.map(|product| [product]),
        "origin": term.origin,
    })
}

fn node(plan: &Plan<'_, '_>) -> Value {
    let (program, node) = (plan.program, &plan.node);
    let declared = &program.nodes[0];
    let terms: Vec<Value> = reserve_terms(plan).into_iter().map(term_value).collect();
    let components: Vec<Value> = node
        .components
        .iter()
        .map(|component| {
            let declared = &program.components[component.component];
            json!({
                "name": declared.name,
                "containers": declared.containers,
                "pods": component.peak,
                "podsWithTransient": component.pods,
                "requestBytes": component.request,
                "limitBytes": component.request + component.gap,
                "heldBackBytes": component.held,
                "cpuMilli": component.cpu,
                "bounded": !component.unbounded,
                "origin": component_origin(declared),
            })
        })
        .collect();
    json!({
        "name": declared.name.value,
        "role": if declared.role == Role::Server { "server" } else { "agent" },
        "memoryBytes": node.capacity,
        "memoryOrigin": declared.memory.origin.path(),
        "reservedBytes": node.reserved(),
        "systemReservedBytes": node.os,
        "kubeReservedBytes": node.kube_reserved(),
        "evictionBytes": node.eviction,
        "allocatableBytes": node.allocatable,
        "requestBytes": node.requests,
        "limitBytes": node.limits,
        "freeBytes": node.free(),
        "podsAtPeak": node.pods,
        "maxPods": declared.max_pods.value,
        "overcommitPercent": declared.overcommit.map(|percent| percent.value),
        "cpuMilli": declared.cpu.map(|cpu| cpu.value.milli),
        "cpuRequestMilli": node.cpu,
        "reserved": terms,
        "components": components,
    })
}

fn budgets<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    let services = &plan.program.services;
    plan.program.budgets.iter().zip(&plan.budgets).map(|(budget, planned)| {
        let members: Option<Vec<&str>> =
            budget.members.as_ref().map(|members| members.iter().map(|member| services[*member].name.value).collect());
        json!({
            "name": budget.name.value,
            "ceilingBytes": planned.ceiling,
            "usedBytes": planned.used,
            "freeBytes": planned.ceiling - planned.used,
            "services": members,
            "terms": [of_services("bytes", planned.used, "sum of limitBytes * podsAtPeak")],
            "origin": budget.ceiling.origin.path(),
            "verdict": Verdict::Proved.word(),
        })
    })
}

/// What the scheduler counts of CPU for a container.
fn cpu_request<L>(cpu: Option<&(Given<'_, Cpu>, L)>) -> u64 {
    cpu.map_or(0, |(request, _)| request.value.milli)
}

/// A container beside the main one.
fn extra_value(extra: &Extra<'_>) -> Value {
    json!({
        "name": extra.name.value,
        "role": if extra.stays { "sidecar" } else { "init" },
        "bytes": extra.memory.value.n,
        "cpuMilli": cpu_request(extra.cpu.as_ref()),
        "origin": extra.memory.origin.path(),
    })
}

/// The kind of a workload, as Kubernetes calls it.
fn kind_word(kind: &Kind<'_>) -> &'static str {
    match kind {
        Kind::Deployment(_) => "Deployment",
        Kind::StatefulSet => "StatefulSet",
        Kind::DaemonSet => "DaemonSet",
        Kind::Job(_) => "Job",
        Kind::CronJob(..) => "CronJob",
    }
}

fn services<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    let program = plan.program;
    program.services.iter().zip(&plan.workloads).map(|(service, workload)| {
        let (low, high) = match service.memory {
            Memory::Range { low, high } => (low, high),
            Memory::Burst { request, limit } => (request, limit),
        };
        let secrets = service.pod.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Secret(_)));
        let beside: Vec<Value> = service.extras.iter().map(extra_value).collect();
        let weight = service.weight.map_or(1, |weight| weight.value);
        json!({
            "name": service.name.value,
            "kind": kind_word(&service.kind),
            "tier": service.tier.map(|tier| program.tiers[tier].name.value),
            "replicas": workload.replicas,
            "surge": workload.surge,
            "podsAtPeak": workload.peak(),
            "podsWithEnding": workload.pods,
            "requestBytes": workload.pod_request(),
            "limitBytes": workload.pod_limit(),
            "mainRequestBytes": workload.request.n,
            "mainLimitBytes": workload.limit.n,
            "cpuMilli": workload.cpu,
            "mainCpuMilli": cpu_request(service.cpu.as_ref()),
            "beside": beside,
            "secretMounts": secrets.count(),
            "lowBytes": low.value.n,
            "floorBytes": workload.floor.map(|floor| floor.value.n),
            "leastBytes": workload.pod_least(),
            "mostBytes": workload.pod(high.value.n),
            "weight": (workload.choice == Choice::Level).then_some(weight),
            "choice": choice_word(workload.choice),
            "floorOrigin": workload.floor.map(|floor| floor.origin.path()),
            "origin": { "least": low.origin.path(), "most": high.origin.path(), "replicas": service.replicas.origin.path() },
        })
    })
}

/// How many more services like one of a tier could be declared, and which budget stops there, if one does.
pub struct Room<'a> {
    /// The tier.
    pub tier: &'a str,
    /// The service the others would be like: the largest of its tier.
    pub like: &'a str,
    /// How many more.
    pub more: u64,
    /// The budget that is full then; the node otherwise.
    pub budget: Option<&'a str>,
}

/// Counted at the low ends of all ranges: what the compiler would choose then.
pub fn headroom<'a>(plan: &Plan<'_, 'a>) -> Vec<Room<'a>> {
    let program = plan.program;
    let node = &program.nodes[0];
    // Where limits may exceed what there is, how many more there could be is not a matter of one sum.
    if node.overcommit.is_some() {
        return Vec::new();
    }
    let requested = |workload: &Workload<'_>| workload.charge(true) * workload.peak();
    let limited = |workload: &Workload<'_>| workload.charge(false) * workload.peak();
    let taken: u64 = plan.workloads.iter().map(requested).sum();
    let packaged: u64 = plan.node.components.iter().map(|component| component.request).sum();
    let left = plan.node.allocatable.saturating_sub(packaged + taken);
    let budgets: Vec<u64> = program
        .budgets
        .iter()
        .map(|budget| match &budget.members {
            None => plan.workloads.iter().map(limited).sum(),
            Some(members) => members.iter().map(|member| limited(&plan.workloads[*member])).sum(),
        })
        .collect();
    // The largest service of each tier.
    let mut largest: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, (service, workload)) in program.services.iter().zip(&plan.workloads).enumerate() {
        let Some(tier) = service.tier.filter(|_| workload.peak() > 0) else { continue };
        let best = largest.entry(tier).or_insert(at);
        if requested(workload) > requested(&plan.workloads[*best]) {
            *best = at;
        }
    }
    let mut rooms = Vec::new();
    for (tier, at) in largest {
        let (like, workload) = (&program.services[at], &plan.workloads[at]);
        let held = (workload.pod_limit() - workload.pod_request()) * workload.pods;
        let mounts = like.pod.volumes.iter().filter(|volume| matches!(volume.source, VolumeSource::Secret(_)));
        let beside = (program.k3s.shim.value.n + mounts.count() as u64 * SECRET_BYTES) * workload.pods;
        let each = requested(workload) + beside + held;
        let mut more = left / each.max(1);
        more = more.min((node.max_pods.value - plan.node.pods) / workload.peak());
        if let Some(cpu) = node.cpu {
            let each = workload.cpu * workload.peak();
            more = more.min((cpu.value.milli - plan.node.cpu).checked_div(each).unwrap_or(more));
        }
        let mut stops = None;
        for ((budget, planned), used) in program.budgets.iter().zip(&plan.budgets).zip(&budgets) {
            if budget.members.as_ref().is_some_and(|members| members.binary_search(&at).is_err()) {
                continue;
            }
            let fits = planned.ceiling.saturating_sub(*used) / limited(workload).max(1);
            if fits < more {
                (more, stops) = (fits, Some(budget.name.value));
            }
        }
        rooms.push(Room { tier: program.tiers[tier].name.value, like: like.name.value, more, budget: stops });
    }
    rooms
}

/// report.md.
pub fn markdown(plan: &Plan<'_, '_>) -> String {
    let program = plan.program;
    let node = &plan.node;
    let declared = &program.nodes[0];
    let mut out = format!("<!-- {} -->\n\n# {}\n\n", header(plan), program.source);
    let _ = writeln!(
        out,
        "Node `{}` has {}. {} are reserved, {} held back for limits above their requests, {} are allocatable, {} are free \
         at the peak of a rollout.\n",
        declared.name.value,
        in_mib(node.capacity),
        in_mib(node.reserved() - node.held),
        in_mib(node.held),
        in_mib(node.allocatable),
        in_mib(node.free()),
    );
    out.push_str("| promise | verdict | |\n| --- | --- | --- |\n");
    for theorem in &plan.theorems {
        let why = if theorem.why.is_empty() { String::new() } else { format!(" ({})", theorem.why.join("; ")) };
        let _ = writeln!(out, "| {} | {} | {}{why} |", theorem.name, theorem.verdict.word(), theorem.statement);
    }
    for (budget, planned) in program.budgets.iter().zip(&plan.budgets) {
        let _ = writeln!(
            out,
            "| budget `{}` | proved | {} of {} |",
            budget.name.value,
            in_mib(planned.used),
            in_mib(planned.ceiling)
        );
    }
    let _ = writeln!(out, "\n## Reserved on `{}`\n\n| | | from |\n| --- | ---: | --- |", declared.name.value);
    for term in reserve_terms(plan) {
        let formula = term.formula.map_or_else(String::new, |formula| format!(": {formula}"));
        let origin = term.origin.unwrap_or_default();
        let _ = writeln!(out, "| {}{formula} | {} | {origin} |", term.what, in_mib(term.bytes));
    }
    let _ = writeln!(out, "| **together** | **{}** | |", in_mib(node.reserved()));
    if !node.components.is_empty() {
        out.push_str(
            "\n## What K3s packages\n\n| component | requests | held back | from |\n| --- | ---: | ---: | --- |\n",
        );
        for component in &node.components {
            let declared = &program.components[component.component];
            let origin = declared.memory.map(|(request, _)| request.origin.path());
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                declared.name,
                in_mib(component.request),
                in_mib(component.held),
                origin.or(declared.bound.map(|bound| bound.origin.path())).unwrap_or_default()
            );
        }
    }
    if !program.services.is_empty() {
        out.push_str("\n## Services\n\n| service | tier | pods | memory each | chosen | from |\n| --- | --- | ---: | ---: | --- | --- |\n");
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            let memory = match workload.choice {
                Choice::Burst => format!("{}..{}", in_mib(workload.request.n), in_mib(workload.limit.n)),
                Choice::Written | Choice::Ceiling | Choice::Level => in_mib(workload.limit.n),
            };
            let from = match service.memory {
                Memory::Range { low, .. } => low.origin.path(),
                Memory::Burst { limit, .. } => limit.origin.path(),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {memory} | {} | {from} |",
                service.name.value,
                service.tier.map_or("", |tier| program.tiers[tier].name.value),
                workload.peak(),
                choice_word(workload.choice),
            );
        }
    }
    out
}
