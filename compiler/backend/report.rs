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
use crate::plan::model::{Choice, ComponentPlan, Placement, Plan, Verdict, Wave, Workload};
use crate::plan::size::Moment;
use crate::program::{Component, Extra, FillPolicy, Given, Kind, Memory, Role};

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
fn reserve_terms(plan: &Plan<'_, '_>, at: usize) -> Vec<Term> {
    let (node, declared) = (&plan.nodes[at], &plan.program.nodes[at]);
    let k3s = &declared.process;
    let mut terms = vec![
        Term {
            id: "os",
            what: "the OS and what lives beside K3s".to_owned(),
            bytes: node.os,
            formula: None,
            times: None,
            origin: declared.reserve.as_ref().and_then(origin),
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
            formula: Some(format!(
                "{} pods x {}",
                node.shim_pods,
                in_mib(k3s.shim.value.n)
            )),
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
            formula: Some(held_formula(plan, at)),
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
        origin: origin(&declared.eviction),
    });
    terms
}

/// `coredns (1 x 32Mi) + api (2 x 16Mi)`.
fn held_formula(plan: &Plan<'_, '_>, at: usize) -> String {
    let mut parts = Vec::new();
    for component in plan.nodes[at]
        .components
        .iter()
        .filter(|component| component.held > 0)
    {
        let declared = &plan.program.components[component.component];
        let pieces = component.containers_held(declared.containers);
        parts.push(format!(
            "{} ({pieces} x {})",
            declared.name,
            in_mib(component.held / pieces.max(1))
        ));
    }
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let pods = workload.on(at, workload.pods);
        if workload.limit > workload.request && pods > 0 {
            let gap = workload.pod_limit() - workload.pod_request();
            parts.push(format!("{} ({pods} x {})", service.name.value, in_mib(gap)));
        }
    }
    parts.join(" + ")
}

fn fill_word(fill: FillPolicy) -> &'static str {
    match fill {
        FillPolicy::Proportional => "proportional",
        FillPolicy::Equal => "equal",
    }
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
        let level = plan
            .level
            .map(|(numerator, denominator)| [numerator, denominator]);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bzcReport", &1)?;
        map.serialize_entry("source", plan.program.source)?;
        map.serialize_entry("environment", &plan.program.env)?;
        map.serialize_entry("theorems", &Each(|| theorems(plan)))?;
        map.serialize_entry("namespace", plan.program.namespace.value)?;
        map.serialize_entry("fill", fill_word(plan.program.fill))?;
        map.serialize_entry("level", &level)?;
        map.serialize_entry("placement", &placement(plan))?;
        map.serialize_entry(
            "nodes",
            &Each(|| (0..plan.nodes.len()).map(|at| node(plan, at))),
        )?;
        map.serialize_entry("budgets", &Each(|| budgets(plan)))?;
        map.serialize_entry("services", &Each(|| services(plan)))?;
        map.end()
    }
}

/// report.json.
pub fn json(plan: &Plan<'_, '_>) -> String {
    let mut text =
        serde_json::to_string_pretty(&Report(plan)).expect("a tree of texts and numbers");
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

/// A number of a node that is an addend as it is, or as `formula` says.
fn of_node(
    at: usize,
    side: &str,
    id: &str,
    what: &str,
    amount: (&str, u64),
    key: &str,
    formula: Option<&str>,
) -> Value {
    json!({
        "side": side,
        "id": id,
        "what": what,
        amount.0: amount.1,
        "formula": formula,
        "times": null,
        "ref": format!("/nodes/{at}/{key}"),
        "origin": null,
    })
}

/// What components add to a sum. `of` gives the amount on one node, and the product it consists of.
fn of_components<'r>(
    plan: &'r Plan<'_, '_>,
    at: usize,
    unit: &'static str,
    of: impl Fn(&ComponentPlan, u64) -> (u64, [u64; 2]) + 'r,
) -> impl Iterator<Item = Value> + 'r {
    let show = move |n: u64| {
        if unit == "bytes" {
            in_mib(n)
        } else {
            n.to_string()
        }
    };
    plan.nodes[at]
        .components
        .iter()
        .enumerate()
        .map(move |(index, component)| {
            let declared = &plan.program.components[component.component];
            let (amount, [n, each]) = of(component, declared.containers);
            json!({
                "side": LEFT,
                "id": format!("component.{}", declared.name),
                "what": declared.name,
                unit: amount,
                "formula": format!("{n} x {}", show(each)),
                "times": [[n, each]],
                "ref": format!("/nodes/{at}/components/{index}"),
                "origin": component_origin(declared),
            })
        })
}

/// What components add to a sum over all nodes: those that move once, those of every node as often.
fn of_all_components(
    plan: &Plan<'_, '_>,
    unit: &'static str,
    of: impl Fn(&ComponentPlan) -> u64,
    pieces: impl Fn(&ComponentPlan, u64) -> u64,
) -> Vec<Value> {
    let open = plan
        .nodes
        .iter()
        .filter(|node| !node.components.is_empty())
        .count() as u64;
    let Some(first) = plan
        .nodes
        .iter()
        .position(|node| !node.components.is_empty())
    else {
        return Vec::new();
    };
    let all = |component: &ComponentPlan, containers: u64| {
        let nodes = if component.every_node { open } else { 1 };
        let amount = of(component) * nodes;
        (
            amount,
            product(pieces(component, containers) * nodes, amount),
        )
    };
    of_components(plan, first, unit, all).collect()
}

fn component_origin(component: &Component<'_>) -> Option<String> {
    let memory = component.memory.map(|(request, _)| request.origin.path());
    memory.or(component.bound.map(|bound| bound.origin.path()))
}

/// The addends of T1: what K3s and the OS can take, and what the kubelet keeps for them.
fn isolation_terms(plan: &Plan<'_, '_>, at: usize) -> Vec<Value> {
    let node = &plan.nodes[at];
    let needed = ["os", "k3s", "containerd", "shims", "secrets"];
    let reserved = reserve_terms(plan, at)
        .into_iter()
        .enumerate()
        .filter(|(_, term)| needed.contains(&term.id));
    let mut terms: Vec<Value> = reserved
        .map(|(index, term)| {
            let mut value = term_value(term);
            value["side"] = LEFT.into();
            value["ref"] = format!("/nodes/{at}/reserved/{index}").into();
            value
        })
        .collect();
    let kept = |id, what, bytes, key, formula| {
        of_node(at, RIGHT, id, what, ("bytes", bytes), key, formula)
    };
    let kube = node.kube_reserved() - node.held;
    let less = Some("kubeReservedBytes - held-back");
    terms.extend([
        kept(
            "system-reserved",
            "system-reserved of the kubelet",
            node.os,
            "systemReservedBytes",
            None,
        ),
        kept(
            "kube-reserved",
            "kube-reserved of the kubelet",
            kube,
            "kubeReservedBytes",
            less,
        ),
        kept(
            "eviction",
            "the kubelet's eviction threshold",
            node.eviction,
            "evictionBytes",
            None,
        ),
    ]);
    terms
}

/// The addends of T2: what is requested by all that may be on the node, what may be taken beyond that, and what there
/// is for it.
fn interference_terms(plan: &Plan<'_, '_>, at: usize, right: u64) -> Vec<Value> {
    let node = &plan.nodes[at];
    let of = |side, id, what, bytes, key, formula| {
        of_node(at, side, id, what, ("bytes", bytes), key, formula)
    };
    let mut terms = vec![of(
        LEFT,
        "requests",
        "what all that may be here request",
        node.requests,
        "requestBytes",
        None,
    )];
    let gaps = |component: &ComponentPlan, containers: u64| {
        (
            component.gap,
            product(component.containers_held(containers), component.gap),
        )
    };
    terms.extend(of_components(plan, at, "bytes", gaps));
    let packaged: u64 = node.components.iter().map(|component| component.gap).sum();
    let formula = "sum of (limitBytes - requestBytes) * podsWithEnding that may be here";
    terms.push(of_services(
        "bytes",
        node.limits - node.requests - packaged,
        formula,
    ));
    match plan.program.nodes[at].overcommit {
        Some(percent) => {
            let formula = format!("allocatableBytes * {} / 100", percent.value);
            terms.push(of(
                RIGHT,
                "allowed",
                "limits allowed in writing",
                right,
                "allocatableBytes",
                Some(&formula),
            ));
        }
        None => {
            terms.push(of(
                RIGHT,
                "allocatable",
                ALLOCATABLE,
                node.allocatable,
                "allocatableBytes",
                None,
            ));
            let held = "limits above their requests";
            terms.push(of(
                RIGHT,
                "held-back",
                held,
                node.held,
                "reserved",
                Some("held-back"),
            ));
        }
    }
    terms
}

const ALLOCATABLE: &str = "what the scheduler may give to pods";

/// The id of an addend that every node has one of.
fn id_of(plan: &Plan<'_, '_>, id: &str, at: usize) -> String {
    match plan.on_several_nodes() {
        true => format!("{id}.{}", plan.program.nodes[at].name.value),
        false => id.to_owned(),
    }
}

/// The addends of T4: what is requested at the peak of a rollout, and what the scheduler may give.
fn liveness_terms(plan: &Plan<'_, '_>) -> Vec<Value> {
    let pieces = |component: &ComponentPlan, containers: u64| component.peak * containers;
    let mut terms = of_all_components(plan, "bytes", |component| component.request, pieces);
    let packaged = crate::plan::packaged(&plan.nodes, |component| component.request);
    let requests = plan.together.requests - packaged;
    terms.push(of_services(
        "bytes",
        requests,
        "sum of requestBytes * podsAtPeak, of each wave alone",
    ));
    terms.extend(plan.nodes.iter().enumerate().map(|(at, node)| {
        let id = id_of(plan, "allocatable", at);
        of_node(
            at,
            RIGHT,
            &id,
            ALLOCATABLE,
            ("bytes", node.allocatable),
            "allocatableBytes",
            None,
        )
    }));
    terms
}

/// What T4 says beside memory: pods and CPU.
fn liveness_counts(plan: &Plan<'_, '_>) -> Vec<Value> {
    let nodes = plan.program.nodes.iter().enumerate();
    let mut pods = of_all_components(
        plan,
        "amount",
        |component| component.peak,
        |component, _| component.peak,
    );
    let packaged = crate::plan::packaged(&plan.nodes, |component| component.peak);
    pods.push(of_services(
        "amount",
        plan.together.pods - packaged,
        "sum of podsAtPeak, of each wave alone",
    ));
    pods.extend(nodes.clone().map(|(at, node)| {
        let (id, max) = (id_of(plan, "max-pods", at), ("amount", node.max_pods.value));
        of_node(
            at,
            RIGHT,
            &id,
            "pods the kubelet takes",
            max,
            "maxPods",
            None,
        )
    }));
    let max: u64 = plan
        .program
        .nodes
        .iter()
        .map(|node| node.max_pods.value)
        .sum();
    let pieces = |component: &ComponentPlan, containers: u64| component.peak * containers;
    let mut cpu = of_all_components(plan, "amount", |component| component.cpu, pieces);
    let packaged = crate::plan::packaged(&plan.nodes, |component| component.cpu);
    cpu.push(of_services(
        "amount",
        plan.together.cpu - packaged,
        "sum of cpuMilli * podsAtPeak, of each wave alone",
    ));
    let has: Option<u64> = plan
        .program
        .nodes
        .iter()
        .map(|node| node.cpu.map(|cpu| cpu.value.milli))
        .sum();
    if has.is_some() {
        cpu.extend(nodes.filter_map(|(at, node)| {
            let (id, has) = (id_of(plan, "cpu", at), ("amount", node.cpu?.value.milli));
            Some(of_node(
                at,
                RIGHT,
                &id,
                "what the node has to compute with",
                has,
                "cpuMilli",
                None,
            ))
        }));
    }
    vec![
        json!({ "id": "pods", "left": plan.together.pods, "right": max, "terms": pods }),
        json!({ "id": "cpuMilli", "left": plan.together.cpu, "right": has, "terms": cpu }),
    ]
}

/// How pods come to their nodes. Where no order matters, the nodes with which the lemma shows it for every service, and
/// then for every component, at each moment of a rollout.
fn placement(plan: &Plan<'_, '_>) -> Value {
    let services = &plan.program.services;
    let wave = |moment: &Moment| match moment {
        Moment::Calm => Value::Null,
        Moment::Of(wave) => (*wave).into(),
        Moment::Alone(index) => services[*index].name.value.into(),
    };
    match &plan.placement {
        Placement::AnyOrder(_) if !plan.on_several_nodes() => {
            json!({ "kind": "one-node", "moments": [] })
        }
        Placement::AnyOrder(moments) => {
            let moments: Vec<Value> = moments
                .iter()
                .map(|(moment, shown)| {
                    let (of_services, of_components) = shown.split_at(services.len());
                    json!({ "wave": wave(moment), "services": of_services, "components": of_components })
                })
                .collect();
            json!({ "kind": "any-order", "moments": moments })
        }
        Placement::Pinned => json!({ "kind": "pinned", "moments": [] }),
        Placement::Unknown(_) => json!({ "kind": "unknown", "moments": [] }),
    }
}

fn theorems<'r>(plan: &'r Plan<'_, '_>) -> impl Iterator<Item = Value> + 'r {
    plan.theorems.iter().map(|theorem| {
        let at = theorem.node.unwrap_or(0);
        let (terms, counts) = match theorem.id {
            "T1" => (isolation_terms(plan, at), Vec::new()),
            "T2" => (interference_terms(plan, at, theorem.right), Vec::new()),
            "T4" => (liveness_terms(plan), liveness_counts(plan)),
            // Sufficiency has no sum: it waits for measurements. Survival has those of liveness.
            _ => (Vec::new(), Vec::new()),
        };
        json!({
            "id": theorem.id,
            "name": theorem.name,
            "node": theorem.node.map(|at| plan.program.nodes[at].name.value),
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

fn node(plan: &Plan<'_, '_>, at: usize) -> Value {
    let (program, node) = (plan.program, &plan.nodes[at]);
    let declared = &program.nodes[at];
    let terms: Vec<Value> = reserve_terms(plan, at)
        .into_iter()
        .map(term_value)
        .collect();
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
                "everyNode": component.every_node,
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
    plan.program
        .budgets
        .iter()
        .zip(&plan.budgets)
        .map(|(budget, planned)| {
            let members: Option<Vec<&str>> = budget.members.as_ref().map(|members| {
                members
                    .iter()
                    .map(|member| services[*member].name.value)
                    .collect()
            });
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
        "requestBytes": extra.request.unwrap_or(extra.memory).value.n,
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
        let beside: Vec<Value> = service.extras.iter().map(extra_value).collect();
        let weight = service.weight.map_or(1, |weight| weight.value);
        let adopted = service.adopted.as_ref();
        let from = adopted.map(|adopted| {
            let (lingers, bounded) = (adopted.object.lingers, adopted.unbounded().is_none());
            json!({ "manifest": adopted.place, "bounded": bounded, "lingers": lingers })
        });
        json!({
            "name": service.name.value,
            "adopted": from,
            "kind": adopted.map_or(kind_word(&service.kind), |adopted| adopted.object.kind_text.as_str()),
            "tier": service.tier.map(|tier| program.tiers[tier].name.value),
            "replicas": workload.replicas,
            "surge": workload.surge,
            "wave": match workload.wave {
                _ if workload.surge == 0 => Value::Null,
                Wave::Every => Value::Null,
                Wave::Of(wave) => wave.into(),
                Wave::Alone => service.name.value.into(),
            },
            "podsAtPeak": workload.peak(),
            "podsWithEnding": workload.pods,
            "nodes": workload.nodes,
            "oneOnANode": workload.one_a_node,
            "requestBytes": workload.pod_request(),
            "limitBytes": workload.pod_limit(),
            "mainRequestBytes": workload.request.n,
            "mainLimitBytes": workload.limit.n,
            "cpuMilli": workload.cpu,
            "mainCpuMilli": cpu_request(service.cpu.as_ref()),
            "beside": beside,
            "secretMounts": service.secret_mounts(),
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
    /// Where that is none, the bytes that one more lacks; 0 where it lacks something else, or that is not known.
    pub short: u64,
    /// The budget that is full then; the node otherwise.
    pub budget: Option<&'a str>,
}

/// Counted at the low ends of all ranges: what the compiler would choose then.
pub fn headroom<'a>(plan: &Plan<'_, 'a>) -> Vec<Room<'a>> {
    let program = plan.program;
    // Where limits may exceed what there is, how many more there could be is not a matter of one sum.
    if program.nodes.iter().any(|node| node.overcommit.is_some()) {
        return Vec::new();
    }
    let requested = |workload: &Workload<'_>| workload.charge(true) * workload.peak();
    let limited = |workload: &Workload<'_>| workload.charge(false) * workload.peak();
    let taken: u64 = plan.workloads.iter().map(requested).sum();
    let left = plan.nodes[0]
        .allocatable
        .saturating_sub(plan.nodes[0].packaged() + taken);
    let budgets: Vec<u64> = program
        .budgets
        .iter()
        .map(|budget| match &budget.members {
            None => plan.workloads.iter().map(limited).sum(),
            Some(members) => members
                .iter()
                .map(|member| limited(&plan.workloads[*member]))
                .sum(),
        })
        .collect();
    // The largest service of each tier.
    let mut largest: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, (service, workload)) in program.services.iter().zip(&plan.workloads).enumerate() {
        let Some(tier) = service.tier.filter(|_| workload.peak() > 0) else {
            continue;
        };
        let best = largest.entry(tier).or_insert(at);
        if requested(workload) > requested(&plan.workloads[*best]) {
            *best = at;
        }
    }
    let mut rooms = Vec::new();
    for (tier, at) in largest {
        let (like, workload) = (&program.services[at], &plan.workloads[at]);
        let more = match program.nodes.as_slice() {
            [_] => Some(room_on_one(plan, at, left)),
            _ => crate::plan::room_for(plan, at).map(|more| (more, 0)),
        };
        let Some((mut more, mut short)) = more else {
            continue;
        };
        let mut stops = None;
        for ((budget, planned), used) in program.budgets.iter().zip(&plan.budgets).zip(&budgets) {
            if !budget.is_over(at) {
                continue;
            }
            let (left, each) = (planned.ceiling.saturating_sub(*used), limited(workload));
            let fits = left / each.max(1);
            if fits < more || (fits == 0 && each - left > short) {
                (more, stops, short) = (fits, Some(budget.name.value), each.saturating_sub(left));
            }
        }
        let short = if more == 0 { short } else { 0 };
        rooms.push(Room {
            tier: program.tiers[tier].name.value,
            like: like.name.value,
            more,
            short,
            budget: stops,
        });
    }
    rooms
}

/// How many more services like one the node of a program with one has room for, with so much left of its memory; and
/// by how much that is too little for one.
fn room_on_one(plan: &Plan<'_, '_>, like: usize, left: u64) -> (u64, u64) {
    let (node, service, workload) = (
        &plan.program.nodes[0],
        &plan.program.services[like],
        &plan.workloads[like],
    );
    let held = (workload.pod_limit() - workload.pod_request()) * workload.pods;
    let beside =
        (node.process.shim.value.n + service.secret_mounts() * SECRET_BYTES) * workload.pods;
    let each = workload.charge(true) * workload.peak() + beside + held;
    let more =
        (left / each.max(1)).min((node.max_pods.value - plan.together.pods) / workload.peak());
    let cpu = workload.cpu * workload.peak();
    let by_cpu = node
        .cpu
        .and_then(|has| (has.value.milli - plan.together.cpu).checked_div(cpu));
    (
        by_cpu.map_or(more, |most| more.min(most)),
        each.saturating_sub(left),
    )
}

/// report.md.
pub fn markdown(plan: &Plan<'_, '_>) -> String {
    let program = plan.program;
    let mut out = format!("<!-- {} -->\n\n# {}\n\n", header(plan), program.source);
    for (node, declared) in plan.nodes.iter().zip(&program.nodes) {
        let _ = writeln!(
            out,
            "Node `{}` has {}. {} are reserved, {} held back for limits above their requests, {} are allocatable, {} are \
             free {}.\n",
            declared.name.value,
            in_mib(node.capacity),
            in_mib(node.reserved() - node.held),
            in_mib(node.held),
            in_mib(node.allocatable),
            in_mib(node.free()),
            match plan.on_several_nodes() {
                true => "even if all pods come to it that may",
                false => "at the peak of a rollout",
            },
        );
    }
    out.push_str("| promise | verdict | |\n| --- | --- | --- |\n");
    for theorem in &plan.theorems {
        let why = if theorem.why.is_empty() {
            String::new()
        } else {
            format!(" ({})", theorem.why.join("; "))
        };
        let of = theorem.node.filter(|_| plan.on_several_nodes());
        let of = of.map_or_else(String::new, |at| {
            format!(" on `{}`", program.nodes[at].name.value)
        });
        let _ = writeln!(
            out,
            "| {}{of} | {} | {}{why} |",
            theorem.name,
            theorem.verdict.word(),
            theorem.statement
        );
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
    for (at, (node, declared)) in plan.nodes.iter().zip(&program.nodes).enumerate() {
        let _ = writeln!(
            out,
            "\n## Reserved on `{}`\n\n| | | from |\n| --- | ---: | --- |",
            declared.name.value
        );
        for term in reserve_terms(plan, at) {
            let formula = term
                .formula
                .map_or_else(String::new, |formula| format!(": {formula}"));
            let origin = term.origin.unwrap_or_default();
            let _ = writeln!(
                out,
                "| {}{formula} | {} | {origin} |",
                term.what,
                in_mib(term.bytes)
            );
        }
        let _ = writeln!(out, "| **together** | **{}** | |", in_mib(node.reserved()));
    }
    if !plan.components().is_empty() {
        out.push_str(
            "\n## What runs beside the services\n\n| component | requests | held back | from |\n| --- | ---: | ---: | --- |\n",
        );
        for component in plan.components() {
            let declared = &program.components[component.component];
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                declared.name,
                in_mib(component.request),
                in_mib(component.held),
                component_origin(declared).unwrap_or_default()
            );
        }
    }
    if !program.services.is_empty() {
        out.push_str("\n## Services\n\n| service | tier | pods | memory each | chosen | from |\n| --- | --- | ---: | ---: | --- | --- |\n");
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            let memory = match workload.choice {
                Choice::Burst => format!(
                    "{}..{}",
                    in_mib(workload.request.n),
                    in_mib(workload.limit.n)
                ),
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
                service
                    .tier
                    .map_or("", |tier| program.tiers[tier].name.value),
                workload.peak(),
                choice_word(workload.choice),
            );
        }
    }
    out.push_str(&super::dockerfile::table(plan));
    out
}
