//! The ledger for machines and for people: every promise with its verdict, every addend with what it is, how it
//! comes about and where it was given. Origins are paths (`tier.agent.memory`), not lines, so that a comment
//! added to the program changes no output; `bzc explain PATH` gives the line.

use std::fmt::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::header;
use crate::base::quantity::in_mib;
use crate::plan::model::{Choice, Plan, Verdict, Workload};
use crate::sema::hir::{Given, Memory, Origin, Role};

/// One addend of what a node's pods cannot have.
struct Term {
    id: &'static str,
    what: String,
    bytes: u64,
    formula: Option<String>,
    origin: Option<String>,
}

fn origin<T>(given: &Given<'_, T>) -> Option<String> {
    Some(given.origin.path())
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
            origin: declared.and_then(|node| node.reserve.as_ref().and_then(origin)),
        },
        Term {
            id: "k3s",
            what: "the K3s process".to_owned(),
            bytes: node.k3s,
            formula: None,
            origin: origin(&k3s.memory),
        },
        Term {
            id: "containerd",
            what: "containerd".to_owned(),
            bytes: node.containerd,
            formula: None,
            origin: origin(&k3s.containerd),
        },
        Term {
            id: "shims",
            what: "containerd's shims".to_owned(),
            bytes: node.shims,
            formula: Some(format!("{} pods x {}", node.shim_pods, in_mib(k3s.shim.value.n))),
            origin: origin(&k3s.shim),
        },
    ];
    if node.secrets > 0 {
        terms.push(Term {
            id: "secrets",
            what: "Secrets mounted as files".to_owned(),
            bytes: node.secrets,
            formula: Some(format!("{} mounts x 1Mi", node.secret_mounts)),
            origin: Some("kubernetes.max-secret-size".to_owned()),
        });
    }
    if node.held > 0 {
        terms.push(Term {
            id: "held-back",
            what: "limits above their requests".to_owned(),
            bytes: node.held,
            formula: Some(held_formula(plan)),
            origin: None,
        });
    }
    terms.push(Term {
        id: "eviction",
        what: "the kubelet's eviction threshold".to_owned(),
        bytes: node.eviction,
        formula: None,
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
            let gap = workload.limit.n - workload.request.n;
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

fn theorems<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    plan.theorems.iter().map(|theorem| {
        json!({
            "id": theorem.id,
            "name": theorem.name,
            "verdict": theorem.verdict.word(),
            "leftBytes": theorem.left,
            "rightBytes": theorem.right,
            "statement": theorem.statement,
            "why": theorem.why,
        })
    })
}

fn node(plan: &Plan<'_, '_>) -> Value {
    let (program, node) = (plan.program, &plan.node);
    let declared = &program.nodes[0];
    let terms: Vec<Value> = reserve_terms(plan)
        .into_iter()
        .map(|term| {
            json!({ "id": term.id, "what": term.what, "bytes": term.bytes, "formula": term.formula, "origin": term.origin })
        })
        .collect();
    let components: Vec<Value> = node
        .components
        .iter()
        .map(|component| {
            let declared = &program.components[component.component];
            let memory = declared.memory.map(|(request, _)| request.origin.path());
            json!({
                "name": declared.name,
                "pods": component.peak,
                "podsWithTransient": component.pods,
                "requestBytes": component.request,
                "heldBackBytes": component.held,
                "cpuMilli": component.cpu,
                "bounded": !component.unbounded,
                "origin": memory.or(declared.bound.map(|bound| bound.origin.path())),
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
            "origin": budget.ceiling.origin.path(),
            "verdict": Verdict::Proved.word(),
        })
    })
}

fn services<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    let program = plan.program;
    program.services.iter().zip(&plan.workloads).map(|(service, workload)| {
        let (low, high): (Origin<'_>, Origin<'_>) = match service.memory {
            Memory::Range { low, high } => (low.origin, high.origin),
            Memory::Burst { request, limit } => (request.origin, limit.origin),
        };
        json!({
            "name": service.name.value,
            "tier": service.tier.map(|tier| program.tiers[tier].name.value),
            "replicas": workload.replicas,
            "surge": workload.surge,
            "podsAtPeak": workload.peak(),
            "podsWithEnding": workload.pods,
            "requestBytes": workload.request.n,
            "limitBytes": workload.limit.n,
            "leastBytes": workload.least.n,
            "choice": choice_word(workload.choice),
            "floorOrigin": workload.floor.map(|floor| floor.origin.path()),
            "origin": { "least": low.path(), "most": high.path(), "replicas": service.replicas.origin.path() },
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
    let least = |workload: &Workload<'_>| match workload.choice {
        Choice::Burst => workload.request.n,
        Choice::Written | Choice::Ceiling | Choice::Level => workload.least.n,
    };
    let taken: u64 = plan.workloads.iter().map(|workload| least(workload) * workload.peak()).sum();
    let packaged: u64 = plan.node.components.iter().map(|component| component.request).sum();
    let left = plan.node.allocatable.saturating_sub(packaged + taken);
    let node = &program.nodes[0];
    let mut rooms = Vec::new();
    for (index, tier) in program.tiers.iter().enumerate() {
        let members = program.services.iter().zip(&plan.workloads).enumerate();
        let of_tier = members.filter(|(_, (service, workload))| service.tier == Some(index) && workload.replicas > 0);
        let Some((at, (like, workload))) = of_tier.max_by_key(|(_, (_, workload))| least(workload) * workload.peak())
        else {
            continue;
        };
        let gap = (workload.limit.n - workload.request.n) * workload.pods;
        let held = if node.overcommit.is_some() { 0 } else { gap };
        let each = least(workload) * workload.peak() + program.k3s.shim.value.n * workload.pods + held;
        let mut more = left / each.max(1);
        more = more.min((node.max_pods.value - plan.node.pods) / workload.peak());
        if let (Some(cpu), Some((request, _))) = (node.cpu, like.cpu) {
            let each = request.value.milli * workload.peak();
            more = more.min((cpu.value.milli - plan.node.cpu).checked_div(each).unwrap_or(more));
        }
        let mut stops = None;
        for (budget, planned) in program.budgets.iter().zip(&plan.budgets) {
            if budget.members.as_ref().is_some_and(|members| !members.contains(&at)) {
                continue;
            }
            let of_budget = |index: &usize| {
                let workload = &plan.workloads[*index];
                if workload.choice == Choice::Burst {
                    workload.limit.n * workload.peak()
                } else {
                    least(workload) * workload.peak()
                }
            };
            let all: Vec<usize> = (0..program.services.len()).collect();
            let used: u64 = budget.members.as_ref().unwrap_or(&all).iter().map(of_budget).sum();
            let fits = planned.ceiling.saturating_sub(used) / of_budget(&at).max(1);
            if fits < more {
                (more, stops) = (fits, Some(budget.name.value));
            }
        }
        rooms.push(Room { tier: tier.name.value, like: like.name.value, more, budget: stops });
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
