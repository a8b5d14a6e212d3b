//! A second opinion on the proof. It reads nothing but the files that bzc wrote, counts everything anew by the
//! rules of Kubernetes and K3s, and compares with `report.json` to the byte. It shares no code with the compiler:
//! quantities, rollouts and what K3s packages are known here from their own sources.

mod components;
mod count;
mod cron;
mod dump;
mod hooks;
mod kubelet;
mod machines;
mod nodes;
mod pods;
mod quantity;
mod quota;
mod supplies;

use std::collections::{BTreeMap, BTreeSet};

use bzc::{Compilation, MemoryWorld, Options};
use serde::Deserialize;
use serde_yaml::Value;

use crate::generate::{self, Size};
use crate::golden::{examples, goldens};
use crate::support::corpus;
use components::{Component, balance, components, others};
use count::count_node;
use dump::is_left_out;
use hooks::{Moment, moments};
use kubelet::kubelet_arguments;
pub(crate) use machines::generated;
use machines::{machines, stated};
use nodes::Node;
pub(crate) use nodes::{Kind, Stage};
use pods::{WORKLOADS, Workload, autoscaled, check_containers, surges, workload};
use quantity::{bytes, milli, scalar};
use quota::check_quota;

const MIB: u128 = 1 << 20;

/// Files by path, as bzc gives them.
type Files = [(String, Vec<u8>)];

/// What the caller knows of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub name: String,
    /// What the label `kubernetes.io/arch` of its Node says, where something is known of it.
    pub arch: Option<String>,
    /// `MemTotal`.
    pub memory: u128,
    /// Thousandths of a core, where something is known of them.
    pub cpu: Option<u128>,
    /// How far limits may go, in percent, where the program allows that in writing.
    pub overcommit: Option<u128>,
}

/// Where faults are put, each in a sentence.
#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn same(&mut self, what: &str, counted: u128, stated: &Value) {
        let stated = stated.as_u64().map(u128::from);
        if stated != Some(counted) {
            self.0.push(format!(
                "{what}: counted {counted}, report.json says {stated:?}"
            ));
        }
    }

    fn holds(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }
}

/// Counts everything in the files anew: what is to be placed on which nodes, or what disagrees with the report or
/// breaks a rule, one line each.
pub(crate) fn recount(files: &Files, machines: &[Machine]) -> Result<Stage, Vec<String>> {
    let mut faults = Faults::default();
    let stage = count(files, machines, &mut faults);
    match stage {
        Some(stage) if faults.0.is_empty() => Ok(stage),
        Some(_) => Err(faults.0),
        None => {
            faults
                .0
                .push("a file or a field that must be there is not".to_owned());
            Err(faults.0)
        }
    }
}

fn text<'f>(files: &'f Files, path: &str) -> Option<&'f str> {
    let (_, bytes) = files.iter().find(|(name, _)| name == path)?;
    std::str::from_utf8(bytes).ok()
}

fn documents(text: &str) -> Option<Vec<Value>> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).ok())
        .collect()
}

/// All objects in a folder, kustomization.yaml apart.
fn objects(files: &Files, folder: &str) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    for (path, bytes) in files {
        let Some(name) = path.strip_prefix(folder) else {
            continue;
        };
        if name.ends_with(".yaml") && name != "kustomization.yaml" {
            for object in documents(std::str::from_utf8(bytes).ok()?)? {
                match object["items"].as_sequence() {
                    Some(items) if is_kind(&object, "List") => found.extend(items.iter().cloned()),
                    _ => found.push(object),
                }
            }
        }
    }
    Some(found)
}

/// The entry of an adopted object in the report: several objects may have one name, and then it is longer there.
fn of_object<'v>(services: &'v Value, object: &Value) -> Option<&'v Value> {
    let (name, kind) = (name_of(object), object["kind"].as_str()?.to_lowercase());
    let namespace = object["metadata"]["namespace"]
        .as_str()
        .unwrap_or("default");
    let names = [
        format!("{namespace}.{name}.{kind}"),
        format!("{name}.{kind}"),
        name.to_owned(),
    ];
    names.iter().find_map(|name| by_name(services, name))
}

fn is_kind(object: &Value, kind: &str) -> bool {
    object["kind"].as_str() == Some(kind)
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The sum of the report's own terms, by id.
fn terms(node: &Value) -> Option<BTreeMap<String, u128>> {
    let mut terms = BTreeMap::new();
    for term in node["reserved"].as_sequence()? {
        let bytes = u128::from(term["bytes"].as_u64()?);
        *terms.entry(term["id"].as_str()?.to_owned()).or_default() += bytes;
    }
    Some(terms)
}

fn by_name<'v>(list: &'v Value, name: &str) -> Option<&'v Value> {
    list.as_sequence()?
        .iter()
        .find(|entry| entry["name"].as_str() == Some(name))
}

/// Whether the scheduler may push out pods for those of an object (kube-scheduler, DefaultPreemption): by the policy of
/// their class, which is that of the API where the class is not seen. Without a class pods have priority 0.
fn pushes_out(object: &Value, classes: &[&Value]) -> bool {
    let spec = &object["spec"];
    let pod = match object["kind"].as_str() {
        // It waits until its pod before has ended, so nothing comes early.
        Some("DaemonSet") => return false,
        Some("CronJob") => &spec["jobTemplate"]["spec"]["template"]["spec"],
        Some("Pod") => spec,
        _ => &spec["template"]["spec"],
    };
    let waits = |class: &&Value| class["preemptionPolicy"].as_str() == Some("Never");
    match pod["priorityClassName"].as_str() {
        Some(name) => !classes
            .iter()
            .any(|class| name_of(class) == name && waits(class)),
        None => match classes.iter().find(|class| class["globalDefault"] == true) {
            Some(class) => !waits(class),
            None => classes
                .iter()
                .any(|class| class["value"].as_i64() < Some(0)),
        },
    }
}

/// All objects that make pods, by name, with the nodes that take them.
fn workloads(
    files: &Files,
    report: &Value,
    nodes: &[Node],
    faults: &mut Faults,
) -> Option<BTreeMap<String, Workload>> {
    let manifests = objects(files, "manifests/")?;
    let adopted = objects(files, "adopted/")?;
    let mut scaled = autoscaled(&manifests, faults)?;
    scaled.extend(autoscaled(&adopted, &mut Faults::default())?);
    let mut workloads: BTreeMap<String, Workload> = BTreeMap::new();
    let classes: Vec<&Value> = manifests
        .iter()
        .chain(&adopted)
        .filter(|object| is_kind(object, "PriorityClass"))
        .collect();
    let own = manifests
        .iter()
        .map(|object| (object, false))
        .chain(adopted.iter().map(|object| (object, true)));
    for (object, is_adopted) in own
        .filter(|(object, _)| WORKLOADS.iter().any(|kind| is_kind(object, kind)))
        .filter(|(object, _)| !is_left_out(object, &adopted))
    {
        let Some(service) = of_object(&report["services"], object) else {
            faults
                .0
                .push(format!("{} is not in the report", name_of(object)));
            continue;
        };
        let name = service["name"].as_str()?.to_owned();
        faults.holds(service["adopted"].is_null() != is_adopted, || {
            format!("{name}: adopted or not")
        });
        let most = scaled.get(name_of(object)).copied();
        // What others wrote is as they wrote it; only how it counts is asked.
        let mut theirs = Faults::default();
        let judged = if is_adopted {
            &mut theirs
        } else {
            &mut *faults
        };
        check_containers(object, service["choice"].as_str() == Some("burst"), judged);
        let mut workload = workload(object, most, service, judged)?;
        // On one node what others ask of nodes is counted there, known or not.
        let counted = is_adopted && nodes.len() == 1;
        workload.nodes = nodes
            .iter()
            .map(|node| counted || node.takes(object, judged))
            .collect();
        if is_kind(object, "DaemonSet") {
            workload.replicas = workload.nodes.iter().filter(|takes| **takes).count() as u128;
            workload.ending = workload.replicas;
            // The new pod of one that surges stands beside the old one; the only node takes both as any others.
            if surges(object) {
                (workload.surge, workload.ending) = (workload.replicas, 2 * workload.replicas);
                workload.one_on_a_node = nodes.len() > 1;
            }
        }
        workload.asks = supplies::asks(object);
        if nodes.len() > 1 && !workload.is_daemon {
            supplies::with_devices(&workload.asks, report, &mut workload.nodes);
        }
        workload.one_on_a_node |= !counted && nodes::apart(object, judged);
        if workload.one_on_a_node && !workload.is_daemon {
            // There are no more than nodes that take them.
            let nodes = workload.nodes.iter().filter(|takes| **takes).count() as u128;
            workload.surge = workload.surge.min(nodes.saturating_sub(workload.replicas));
        }
        workload.is_adopted = is_adopted;
        workload.preempts = pushes_out(object, &classes);
        for (key, counted) in [
            ("requestBytes", workload.pod.request),
            ("limitBytes", workload.pod.limit),
            ("mainRequestBytes", workload.main.request),
            ("mainLimitBytes", workload.main.limit),
            ("cpuMilli", workload.pod.cpu),
            ("replicas", workload.replicas),
            ("surge", workload.surge),
            ("podsAtPeak", workload.peak()),
            ("podsWithEnding", workload.ending),
        ] {
            faults.same(&format!("{name}: {key}"), counted, &service[key]);
        }
        faults.holds(service["kind"] == object["kind"], || {
            format!("{name} is no {:?}", service["kind"])
        });
        faults.holds(workload.nodes.contains(&true), || {
            format!("no node takes {name}")
        });
        let on = |at: usize| {
            service["nodes"]
                .as_sequence()
                .is_none_or(|stated| stated.contains(&report["nodes"][at]["name"]))
        };
        let stated: Vec<bool> = (0..nodes.len()).map(on).collect();
        faults.holds(stated == workload.nodes, || {
            format!(
                "{name}: by its pods nodes take it {:?}, by report.json {stated:?}",
                workload.nodes
            )
        });
        supplies::check_asks(&name, &workload.asks, service, faults);
        workloads.insert(name, workload);
    }
    faults.holds(
        report["services"].as_sequence().map(Vec::len) == Some(workloads.len()),
        || {
            format!(
                "{} workloads, another number of services in the report",
                workloads.len()
            )
        },
    );
    Some(workloads)
}

/// Everything that makes pods, and the moments of rollouts: of each wave alone, with each hook of Helm and without.
struct Demand {
    workloads: BTreeMap<String, Workload>,
    moments: Vec<Moment>,
}

impl Demand {
    /// The most of what all pods come to, over the moments of a rollout.
    fn worst(&self, of: impl Fn(&Workload, u128) -> u128) -> u128 {
        let at = |moment: &Moment| {
            self.workloads
                .values()
                .map(|w| of(w, w.pods(moment)))
                .sum::<u128>()
        };
        self.moments.iter().map(at).max().unwrap_or(0)
    }

    fn sum(&self, of: impl Fn(&Workload) -> u128) -> u128 {
        self.workloads.values().map(of).sum()
    }
}

/// What was counted on one node.
struct Counted {
    allocatable: u128,
    max_pods: u128,
    limits: u128,
    components: Vec<Component>,
}

fn count(files: &Files, machines: &[Machine], faults: &mut Faults) -> Option<Stage> {
    // JSON is YAML too, so one reader does for both.
    let report: Value = serde_yaml::from_str(text(files, "report.json")?).ok()?;
    let nodes: Vec<Node> = machines
        .iter()
        .map(|m| Node::read(files, m, faults))
        .collect::<Option<_>>()?;
    faults.holds(
        report["nodes"].as_sequence().map(Vec::len) == Some(nodes.len()),
        || "other nodes".to_owned(),
    );
    let workloads = workloads(files, &report, &nodes, faults)?;
    let demand = Demand {
        moments: moments(&workloads),
        workloads,
    };
    // Servers install what K3s packages, and all of them have the same settings.
    let is_server = |machine: &&Machine| {
        by_name(&report["nodes"], &machine.name)
            .is_some_and(|stated| stated["role"].as_str() == Some("server"))
    };
    let servers: Vec<&Machine> = machines.iter().filter(is_server).collect();
    let same = |a: &str, b: &str| {
        let below = |name: &str| {
            let folder = format!("k3s/{name}/manifests/");
            let inside = files
                .iter()
                .filter_map(|(path, bytes)| Some((path.strip_prefix(&folder)?.to_owned(), bytes)));
            inside.collect::<Vec<_>>()
        };
        below(a) == below(b)
    };
    let mut counted = Vec::new();
    for (at, (machine, node)) in machines.iter().zip(&nodes).enumerate() {
        let mut components = match servers.first() {
            Some(first) if node.is_open() => {
                let own = machines
                    .iter()
                    .position(|machine| machine.name == first.name)?;
                let server = &nodes[own].config;
                let mut found = components(files, &first.name, server, faults)?;
                let all: Vec<&Value> = nodes.iter().map(|node| &node.config).collect();
                balance(files, (&node.config, server, &all), &mut found)?;
                found
            }
            _ => Vec::new(),
        };
        components.extend(others(files, by_name(&report["nodes"], &machine.name)?)?);
        counted.push(count_node(
            &report,
            machine,
            node,
            (at, machines.len()),
            (components, &demand),
            faults,
        )?);
    }
    for server in &servers {
        faults.holds(same(&servers[0].name, &server.name), || {
            format!("{}: other manifests", server.name)
        });
    }

    // Of what moves there is one in all.
    let first = counted.iter().position(|node| !node.components.is_empty());
    let packaged = |of: &dyn Fn(&Component) -> u128| -> u128 {
        let on = |(at, node): (usize, &Counted)| {
            let there = node
                .components
                .iter()
                .filter(|component| component.every_node || Some(at) == first);
            there.map(of).sum::<u128>()
        };
        counted.iter().enumerate().map(on).sum()
    };
    let own_requests = demand.worst(|w, pods| w.pod.request * pods);
    let requests = own_requests + packaged(&|c| c.request * c.peak());
    let (pods, cpu) = (
        demand.worst(|_, pods| pods) + packaged(&|c| c.peak()),
        demand.worst(|w, pods| w.pod.cpu * pods) + packaged(&|c| c.cpu * c.peak()),
    );
    let allocatable: u128 = counted.iter().map(|node| node.allocatable).sum();
    let max_pods: u128 = counted.iter().map(|node| node.max_pods).sum();
    let has_cpu: Option<u128> = machines.iter().map(|machine| machine.cpu).sum();
    faults.holds(requests <= allocatable, || {
        format!("requests {requests} above allocatable {allocatable}")
    });
    faults.holds(pods <= max_pods, || {
        format!("{pods} pods, the kubelets take {max_pods}")
    });
    faults.holds(has_cpu.is_none_or(|has| cpu <= has), || {
        format!("{cpu}m CPU of {has_cpu:?}m")
    });
    let t4 = report["theorems"]
        .as_sequence()?
        .iter()
        .find(|theorem| theorem["id"].as_str() == Some("T4"))?;
    for (id, counted) in [("pods", pods), ("cpuMilli", cpu)] {
        let stated = t4["counts"]
            .as_sequence()?
            .iter()
            .find(|count| count["id"].as_str() == Some(id));
        stated
            .into_iter()
            .for_each(|stated| faults.same(&format!("T4: {id}"), counted, &stated["left"]));
    }

    let names: Vec<&str> = machines
        .iter()
        .map(|machine| machine.name.as_str())
        .collect();
    supplies::check_supplies(files, &report, &names, &demand, faults)?;
    check_budgets(&report, &demand, faults)?;
    let of_quotas = crate::adversary::quota_faults(files);
    faults.0.extend(of_quotas.unwrap_or_else(|why| vec![why]));
    let stage = stage(machines, &counted, &demand);
    let mut own = demand;
    own.workloads.retain(|_, workload| !workload.is_adopted);
    let others = others(files, report["nodes"].as_sequence()?.first()?)?;
    let room = allocatable - packaged(&|c| c.request * c.peak()).min(allocatable);
    check_quota(files, &own, (room, &others), faults)?;
    check_kustomization(files, faults)?;
    let mut lefts: Vec<(&str, Option<&str>, u128)> =
        vec![("T4", None, requests), ("T5", None, requests)];
    lefts.extend(
        machines
            .iter()
            .zip(&counted)
            .map(|(m, node)| ("T2", Some(m.name.as_str()), node.limits)),
    );
    check_theorems(&report, &lefts, faults)?;
    Some(stage)
}

/// What the scheduler is asked.
fn stage(machines: &[Machine], counted: &[Counted], demand: &Demand) -> Stage {
    let moments = &demand.moments;
    let open: Vec<bool> = counted
        .iter()
        .map(|node| !node.components.is_empty())
        .collect();
    let of_service = |(name, workload): (&String, &Workload)| Kind {
        name: name.clone(),
        // What a node has of a DaemonSet is one thing.
        size: match workload.is_daemon && workload.surge > 0 && workload.one_on_a_node {
            true => [2 * workload.pod.request, 2 * workload.pod.cpu, 2],
            false => [workload.pod.request, workload.pod.cpu, 1],
        },
        on: workload.nodes.clone(),
        apart: workload.one_on_a_node,
        everywhere: workload.is_daemon,
        pods: moments.iter().map(|at| workload.pods(at)).collect(),
    };
    let of_component = |component: &Component| Kind {
        name: component.name.clone(),
        size: [component.request, component.cpu, 1],
        on: counted
            .iter()
            .zip(&open)
            .map(|(node, open)| {
                let mut alike = node
                    .components
                    .iter()
                    .filter(|one| one.name == component.name);
                *open && (!component.every_node || alike.any(|one| one.peak() > 0))
            })
            .collect(),
        apart: false,
        everywhere: component.every_node,
        pods: vec![component.peak(); moments.len()],
    };
    let packaged = counted
        .iter()
        .map(|node| &node.components)
        .find(|components| !components.is_empty());
    let room = |(machine, node): (&Machine, &Counted)| {
        [
            node.allocatable,
            machine.cpu.unwrap_or(u128::MAX),
            node.max_pods,
        ]
    };
    Stage {
        rooms: machines.iter().zip(counted).map(room).collect(),
        kinds: demand
            .workloads
            .iter()
            .map(of_service)
            .chain(packaged.into_iter().flatten().map(of_component))
            .collect(),
        moments: moments.len(),
    }
}

fn check_budgets(report: &Value, demand: &Demand, faults: &mut Faults) -> Option<()> {
    for budget in report["budgets"].as_sequence()? {
        let name = budget["name"].as_str()?;
        let names: Option<BTreeSet<&str>> = budget["services"]
            .as_sequence()
            .map(|names| names.iter().filter_map(Value::as_str).collect());
        let at = |moment: &Moment| -> u128 {
            let members = demand
                .workloads
                .iter()
                .filter(|(name, _)| names.as_ref().is_none_or(|n| n.contains(name.as_str())));
            members
                .map(|(_, workload)| workload.pod.limit * workload.pods(moment))
                .sum()
        };
        let used = demand.moments.iter().map(at).max().unwrap_or(0);
        let ceiling = u128::from(budget["ceilingBytes"].as_u64()?);
        faults.same(
            &format!("budget {name}: usedBytes"),
            used,
            &budget["usedBytes"],
        );
        faults.holds(used <= ceiling, || {
            format!("budget {name}: {used} of {ceiling}")
        });
        faults.same(
            &format!("budget {name}: freeBytes"),
            ceiling.saturating_sub(used),
            &budget["freeBytes"],
        );
    }
    Some(())
}

/// kustomization.yaml names every other manifest.
fn check_kustomization(files: &Files, faults: &mut Faults) -> Option<()> {
    let kustomization: Value =
        serde_yaml::from_str(text(files, "manifests/kustomization.yaml")?).ok()?;
    let named: BTreeSet<&str> = kustomization["resources"]
        .as_sequence()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let there: BTreeSet<&str> = files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("manifests/"))
        .filter(|name| *name != "kustomization.yaml")
        .collect();
    faults.holds(named == there, || {
        format!("kustomization.yaml names {named:?}, there are {there:?}")
    });
    Some(())
}

/// The left sides that a theorem states are those that were counted, and what is called proved holds.
fn check_theorems(
    report: &Value,
    lefts: &[(&str, Option<&str>, u128)],
    faults: &mut Faults,
) -> Option<()> {
    for theorem in report["theorems"].as_sequence()? {
        let id = theorem["id"].as_str()?;
        let (left, right) = (
            theorem["leftBytes"].as_u64()?,
            theorem["rightBytes"].as_u64()?,
        );
        let proved = theorem["verdict"].as_str() == Some("proved");
        faults.holds(!proved || left <= right, || {
            format!("{id} is called proved: {left} <= {right}")
        });
        let own = |(known, node, _): &&(&str, Option<&str>, u128)| {
            *known == id && *node == theorem["node"].as_str()
        };
        for (.., counted) in lefts.iter().filter(own) {
            faults.same(&format!("{id}: leftBytes"), *counted, &theorem["leftBytes"]);
        }
    }
    Some(())
}

/// The errors of a compilation, a line each.
pub(crate) fn errors(compilation: &Compilation) -> Vec<String> {
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    errors
        .map(|diagnostic| format!("{}: {}", diagnostic.id, diagnostic.message))
        .collect()
}

#[test]
fn quantities_are_those_of_kubernetes() {
    for (text, expected) in [
        ("48Mi", 48 * MIB),
        ("1.5Gi", 1536 * MIB),
        ("64M", 64_000_000),
        ("1k", 1000),
        ("2Ki", 2048),
        ("1e3", 1000),
        ("1E", 1_000_000_000_000_000_000),
        ("1Ti", 1 << 40),
        ("512m", 1),
        ("17", 17),
    ] {
        assert_eq!(bytes(text), Some(expected), "{text}");
    }
    assert_eq!(
        (milli("2"), milli("250m"), milli("0.5"), milli("1x")),
        (Some(2000), Some(250), Some(500), None)
    );
}

#[test]
fn every_example_and_golden_counts_as_it_says() {
    let mut counted = 0;
    for case in examples().iter().chain(&goldens()) {
        let text = case.text();
        for env in &case.runs {
            let mut files: Vec<(String, Vec<u8>)> =
                case.run(&text, env.as_deref()).0.into_iter().collect();
            // What operators make of adopted objects was worked out by hand.
            let by_hand = corpus::entries(&case.folder.join("pods")).into_iter();
            files.extend(by_hand.map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                (
                    format!("adopted/pods/{name}"),
                    corpus::text(&path).into_bytes(),
                )
            }));
            let place = corpus::shown(&case.folder);
            // Patches alone do not say what they make of the manifests of others.
            if files.iter().any(|(path, _)| path.starts_with("patches/")) {
                continue;
            }
            let stated = stated(&files).expect("a report names its nodes");
            if place.starts_with("examples/") && env.is_none() {
                assert_eq!(machines(&text).as_ref(), Some(&stated), "{place}");
            }
            let found = recount(&files, &stated).err().unwrap_or_default();
            assert_eq!(found, Vec::<String>::new(), "{place} {env:?}");
            counted += 1;
        }
    }
    assert!(counted > 15, "{counted} examples and goldens were counted");
}

#[test]
fn generated_programs_count_as_they_say() {
    count_generated(500, 0, generate::program);
}

#[test]
fn generated_clusters_count_as_they_say() {
    count_generated(300, 100_000, generate::cluster);
}

/// Counts so many programs that fit.
fn count_generated(wanted: u32, first: u64, make: fn(u64, Size, (u64, u64)) -> generate::Program) {
    let session = bzc::Session::default().without_proposals();
    let mut counted = 0;
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut faults: BTreeMap<String, (usize, String, u32)> = BTreeMap::new();
    for seed in first.. {
        if counted == wanted {
            break;
        }
        assert!(
            seed < first + 4000,
            "only {counted} of {seed} generated programs fit"
        );
        let size = if seed % 3 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = make(seed, size, (50, 105));
        let text = program.text();
        let options = Options {
            env: program.env(),
            ..Default::default()
        };
        let compiled =
            session.compile(&MemoryWorld::default(), "budget.bz", text.clone(), &options);
        let Some(output) = compiled.output else {
            continue;
        };
        let mut found = recount(&output.files, &generated(&program))
            .err()
            .unwrap_or_default();
        // The bound of runs that overlap is in no manifest, but the program is at hand.
        found.extend(program.bounded().into_iter().filter_map(|(name, pods)| {
            let report: Value =
                serde_yaml::from_str(self::text(&output.files, "report.json")?).ok()?;
            let stated = by_name(&report["services"], &name)?["podsAtPeak"].as_u64();
            (stated != Some(pods)).then(|| {
                format!("{name}: the program allows {pods} pods, report.json says {stated:?}")
            })
        }));
        if !found.is_empty() {
            // The shortest program of each kind of fault.
            let kind: String = found[0].chars().filter(|c| !c.is_ascii_digit()).collect();
            let shown = format!("seed {seed}\n{text}\n{}", found.join("\n"));
            let entry = faults
                .entry(kind)
                .or_insert_with(|| (text.len(), shown.clone(), 0));
            entry.2 += 1;
            if text.len() < entry.0 {
                (entry.0, entry.1) = (text.len(), shown);
            }
        }
        counted += 1;
        for service in &program.services {
            *seen.entry(service.kind.keyword()).or_default() += 1;
            *seen.entry("sidecar or init").or_default() += u32::from(!service.extras.is_empty());
            *seen.entry("scale").or_default() +=
                u32::from(matches!(service.kind, generate::Kind::Scaled(..)));
        }
        *seen.entry("allow").or_default() += u32::from(!program.bounded().is_empty());
        let words = [
            "rollout = serial",
            "wave = ",
            "tolerations",
            "node-selector",
            "anti-affinity",
            "  node = ",
            "survive",
        ];
        for word in words.iter().filter(|word| text.contains(**word)) {
            *seen.entry(word).or_default() += 1;
        }
    }
    let kinds = if first == 0 { 10 } else { 15 };
    assert!(
        seen.len() == kinds && seen.values().all(|times| *times > 12),
        "some kinds are hardly tried: {seen:?}"
    );
    let shown: Vec<String> = faults
        .into_values()
        .map(|(_, shown, times)| format!("{times} times, shortest: {shown}"))
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}
