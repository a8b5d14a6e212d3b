//! A second opinion on the proof. It reads nothing but the files that bzc wrote, counts everything anew by the
//! rules of Kubernetes and K3s, and compares with `report.json` to the byte. It shares no code with the compiler:
//! quantities, rollouts and what K3s packages are known here from their own sources.

#![expect(clippy::disallowed_methods, reason = "tests read their inputs")]

mod pods;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use bzc::{Compilation, Entry, MemoryWorld, Options, ReadError, Want, World};
use serde::Deserialize;
use serde_yaml::Value;

use crate::generate::{self, Kind, Size};
use pods::{WORKLOADS, Workload, autoscaled, check_containers, workload};

const MIB: u128 = 1 << 20;

/// Files by path, as bzc gives them.
type Files = [(String, Vec<u8>)];

/// What the caller knows of the machine.
#[derive(Debug, Clone)]
pub struct Machine {
    pub name: String,
    /// `MemTotal`.
    pub memory: u128,
    /// Thousandths of a core, where something is known of them.
    pub cpu: Option<u128>,
    /// How far limits may go, in percent, where the program allows that in writing.
    pub overcommit: Option<u128>,
}

/// A quantity of Kubernetes as a fraction: `500m` is 500/1000, `1.5Gi` is 15 * 2^30 / 10, `1e3` is 1000.
fn quantity(text: &str) -> Option<(u128, u128)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let mut below = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let above = match suffix {
        "" => 1,
        "n" | "u" | "m" => {
            below *= match suffix {
                "n" => 1_000_000_000,
                "u" => 1_000_000,
                _ => 1000,
            };
            1
        }
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "P" => 1_000_000_000_000_000,
        "E" => 1_000_000_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        "Ei" => 1 << 60,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let ten = 10_u128.checked_pow(power.unsigned_abs())?;
            if power < 0 {
                below *= ten;
            }
            if power < 0 { 1 } else { ten }
        }
    };
    Some((digits.checked_mul(above)?, below))
}

/// Whole bytes, rounded up as Kubernetes does.
fn bytes(text: &str) -> Option<u128> {
    quantity(text).map(|(above, below)| above.div_ceil(below))
}

/// Thousandths, rounded up.
fn milli(text: &str) -> Option<u128> {
    quantity(text).map(|(above, below)| (above * 1000).div_ceil(below))
}

/// A value of YAML as the text of a quantity.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What K3s packages, by `facts/k3s-packaged.tsv` (K3s's own manifests).
struct Packaged {
    name: &'static str,
    request: u128,
    limit: Option<u128>,
    cpu: u128,
    containers: u128,
    pods: u128,
    /// Pods beside those: surge of a rollout, or the jobs of an installation.
    transient: u128,
}

/// Request and limit in Mi, CPU in thousandths; containers, pods, transient pods.
type Row = (&'static str, &'static [&'static str], u128, Option<u128>, u128, [u128; 3]);

const PACKAGED: [Row; 6] = [
    ("coredns", &["coredns"], 70, Some(170), 100, [1, 1, 1]),
    ("local-path-provisioner", &["local-storage"], 0, None, 0, [1, 1, 1]),
    ("metrics-server", &["metrics-server"], 70, None, 100, [1, 1, 1]),
    ("traefik", &["traefik"], 0, None, 0, [1, 1, 1]),
    ("svclb-traefik", &["servicelb", "traefik"], 0, None, 0, [2, 1, 0]),
    ("helm-install-traefik", &["traefik"], 0, None, 0, [1, 0, 2]),
];

/// The components that no switch in `off` leaves out.
fn packaged(off: &BTreeSet<String>) -> Vec<Packaged> {
    let on = PACKAGED.iter().filter(|(_, switches, ..)| !switches.iter().any(|name| off.contains(*name)));
    let read = |&(name, _, request, limit, cpu, [containers, pods, transient]): &Row| {
        let (request, limit) = (request * MIB, limit.map(|limit| limit * MIB));
        Packaged { name, request, limit, cpu, containers, pods, transient }
    };
    on.map(read).collect()
}

/// Where faults are put, each in a sentence.
#[derive(Debug, Default)]
struct Faults(Vec<String>);

impl Faults {
    fn same(&mut self, what: &str, counted: u128, told: &Value) {
        let told = told.as_u64().map(u128::from);
        if told != Some(counted) {
            self.0.push(format!("{what}: counted {counted}, report.json says {told:?}"));
        }
    }

    fn holds(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }
}

/// Counts everything in the files anew. What disagrees with the report or breaks a rule, one line each.
pub fn recount(files: &Files, machine: &Machine) -> Vec<String> {
    let mut faults = Faults::default();
    if count(files, machine, &mut faults).is_none() {
        faults.0.push("a file or a field that must be there is not".to_owned());
    }
    faults.0
}

fn text<'f>(files: &'f Files, path: &str) -> Option<&'f str> {
    let (_, bytes) = files.iter().find(|(name, _)| name == path)?;
    std::str::from_utf8(bytes).ok()
}

fn documents(text: &str) -> Option<Vec<Value>> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).ok()).collect()
}

/// All objects in a folder, kustomization.yaml apart.
fn objects(files: &Files, folder: &str) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    for (path, bytes) in files {
        let Some(name) = path.strip_prefix(folder) else { continue };
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
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let names = [format!("{namespace}.{name}.{kind}"), format!("{name}.{kind}"), name.to_owned()];
    names.iter().find_map(|name| by_name(services, name))
}

fn is_kind(object: &Value, kind: &str) -> bool {
    object["kind"].as_str() == Some(kind)
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// What config.yaml tells the kubelet: the values of each argument, in order.
fn kubelet_arguments(config: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    let mut arguments: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in config["kubelet-arg"].as_sequence()? {
        let (key, value) = line.as_str()?.split_once('=')?;
        arguments.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    Some(arguments)
}

/// The one value of an argument; none if it is absent.
fn single(arguments: &BTreeMap<String, Vec<String>>, key: &str, faults: &mut Faults) -> Option<String> {
    let values = arguments.get(key)?;
    faults.holds(values.len() == 1, || format!("kubelet-arg {key} is given {} times", values.len()));
    values.last().cloned()
}

/// `memory` out of `memory=1Gi,cpu=100m`.
fn reserved(argument: Option<String>) -> Option<u128> {
    let Some(argument) = argument else { return Some(0) };
    let pairs = argument.split(',').filter_map(|pair| pair.split_once('='));
    let memory: Vec<&str> = pairs.filter(|(key, _)| *key == "memory").map(|(_, value)| value).collect();
    bytes(memory.last()?)
}

/// The threshold out of `memory.available<100Mi,nodefs.available<5%`.
fn eviction(argument: &str, capacity: u128, faults: &mut Faults) -> Option<u128> {
    let signals: BTreeMap<&str, &str> = argument.split(',').filter_map(|signal| signal.split_once('<')).collect();
    // The flag replaces K3s's own two; without them a full disk stops evicting.
    for signal in ["nodefs.available", "imagefs.available"] {
        faults.holds(signals.contains_key(signal), || format!("eviction-hard lacks {signal}"));
    }
    let threshold = signals.get("memory.available")?;
    match threshold.strip_suffix('%') {
        Some(percent) => Some(capacity * percent.parse::<u128>().ok()? / 100),
        None => bytes(threshold),
    }
}

/// `disable` of config.yaml: a list, or names with commas between.
fn disabled(config: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |text: &str| names.extend(text.split(',').map(|name| name.trim().to_owned()));
    match &config["disable"] {
        Value::Sequence(items) => items.iter().filter_map(Value::as_str).for_each(&mut add),
        Value::String(text) => add(text),
        _ => {}
    }
    names
}

/// What a LimitRange of kube-system gives to containers: (limit, request).
fn system_default(objects: &[Value]) -> Option<(u128, u128)> {
    let range = objects.iter().find(|object| is_kind(object, "LimitRange"))?;
    let limits = range["spec"]["limits"].as_sequence()?;
    let item = limits.iter().find(|item| item["type"].as_str() == Some("Container"))?;
    let limit = bytes(&scalar(&item["default"]["memory"])?)?;
    let request = scalar(&item["defaultRequest"]["memory"]).and_then(|text| bytes(&text)).unwrap_or(limit);
    Some((limit, request))
}

/// A packaged component as it will run.
#[derive(Debug)]
struct Component {
    name: &'static str,
    request: u128,
    /// All limits of all pods that may be there at once, beyond their requests. None where nothing limits them.
    gap: Option<u128>,
    cpu: u128,
    pods: u128,
    ending: u128,
}

fn components(files: &Files, node: &str, config: &Value, faults: &mut Faults) -> Option<Vec<Component>> {
    let folder = format!("k3s/{node}/manifests/");
    let own = objects(files, &folder)?;
    let off = disabled(config);
    let dns = own.iter().find(|object| is_kind(object, "Deployment") && name_of(object) == "coredns");
    let skip = text(files, &format!("{folder}coredns.yaml.skip"));
    faults.holds(dns.is_some() == skip.is_some(), || "bzc-coredns.yaml and coredns.yaml.skip go together".to_owned());
    faults.holds(dns.is_none() || !off.contains("coredns"), || "coredns is disabled and written".to_owned());
    let default = system_default(&own);
    let mut components = Vec::new();
    for stock in packaged(&off) {
        if let (Some(dns), "coredns") = (dns, stock.name) {
            check_containers(dns, true, faults);
            let own = workload(dns, None, &Value::Null, faults)?;
            components.push(Component {
                name: stock.name,
                request: own.pod.request * own.replicas,
                gap: Some((own.pod.limit - own.pod.request) * own.ending),
                cpu: own.pod.cpu * own.replicas,
                pods: own.replicas,
                ending: own.ending,
            });
            continue;
        }
        // A LimitRange gives a container without a limit the default, and a request only where it has none.
        let given = |request: u128| if request == 0 { default.map_or(0, |(_, request)| request) } else { request };
        let request = if stock.limit.is_some() { stock.request } else { given(stock.request) };
        let limit = stock.limit.or(default.map(|(limit, _)| limit));
        faults.holds(limit.is_none_or(|limit| limit >= request), || {
            format!("{}: admission refuses request {request} with limit {limit:?}", stock.name)
        });
        let ending = stock.pods + stock.transient;
        components.push(Component {
            name: stock.name,
            request: request * stock.containers * stock.pods,
            gap: limit.map(|limit| limit.saturating_sub(request) * stock.containers * ending),
            cpu: stock.cpu * stock.pods,
            pods: stock.pods,
            ending,
        });
    }
    Some(components)
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
    list.as_sequence()?.iter().find(|entry| entry["name"].as_str() == Some(name))
}

fn count(files: &Files, machine: &Machine, faults: &mut Faults) -> Option<()> {
    // JSON is YAML too, so one reader does for both.
    let report: Value = serde_yaml::from_str(text(files, "report.json")?).ok()?;
    let told = by_name(&report["nodes"], &machine.name)?;
    faults.same("memoryBytes", machine.memory, &told["memoryBytes"]);

    let config: Value = serde_yaml::from_str(text(files, &format!("k3s/{}/config.yaml", machine.name))?).ok()?;
    let arguments = kubelet_arguments(&config)?;
    let kube = reserved(single(&arguments, "kube-reserved", faults))?;
    let system = reserved(single(&arguments, "system-reserved", faults))?;
    let evicted = eviction(&single(&arguments, "eviction-hard", faults)?, machine.memory, faults)?;
    let max_pods = single(&arguments, "max-pods", faults).map_or(Some(110), |text| text.parse().ok())?;
    faults.same("kubeReservedBytes", kube, &told["kubeReservedBytes"]);
    faults.same("systemReservedBytes", system, &told["systemReservedBytes"]);
    faults.same("evictionBytes", evicted, &told["evictionBytes"]);
    faults.same("maxPods", max_pods, &told["maxPods"]);
    faults.holds(kube + system + evicted <= machine.memory, || "more is reserved than there is".to_owned());
    let allocatable = machine.memory.saturating_sub(kube + system + evicted);
    faults.same("allocatableBytes", allocatable, &told["allocatableBytes"]);

    let terms = terms(told)?;
    let term = |id: &str| terms.get(id).copied().unwrap_or(0);
    faults.same("reservedBytes, the sum of its terms", terms.values().sum(), &told["reservedBytes"]);
    faults.same("reservedBytes, the sum of the kubelet's", kube + system + evicted, &told["reservedBytes"]);
    faults.holds(term("os") == system && term("eviction") == evicted, || "terms os and eviction".to_owned());

    let components = components(files, &machine.name, &config, faults)?;
    let overcommitted = machine.overcommit.is_some();
    compare_components(&components, told, overcommitted, faults)?;

    let manifests = objects(files, "manifests/")?;
    let adopted = objects(files, "adopted/")?;
    let mut scaled = autoscaled(&manifests, faults)?;
    scaled.extend(autoscaled(&adopted, &mut Faults::default())?);
    let mut workloads: BTreeMap<String, Workload> = BTreeMap::new();
    let own = manifests.iter().map(|object| (object, false)).chain(adopted.iter().map(|object| (object, true)));
    for (object, is_adopted) in own.filter(|(object, _)| WORKLOADS.iter().any(|kind| is_kind(object, kind))) {
        let Some(service) = of_object(&report["services"], object) else {
            faults.0.push(format!("{} is not in the report", name_of(object)));
            continue;
        };
        let name = service["name"].as_str()?.to_owned();
        faults.holds(service["adopted"].is_null() != is_adopted, || format!("{name}: adopted or not"));
        let most = scaled.get(name_of(object)).copied();
        // What others wrote is as they wrote it; only how it counts is asked.
        let mut theirs = Faults::default();
        let judged = if is_adopted { &mut theirs } else { &mut *faults };
        check_containers(object, service["choice"].as_str() == Some("burst"), judged);
        let workload = workload(object, most, service, judged)?;
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
        faults.holds(service["kind"] == object["kind"], || format!("{name} is no {:?}", service["kind"]));
        workloads.insert(name, workload);
    }
    faults.holds(report["services"].as_sequence().map(Vec::len) == Some(workloads.len()), || {
        format!("{} workloads, another number of services in the report", workloads.len())
    });

    let sum = |of: &dyn Fn(&Workload) -> u128| workloads.values().map(of).sum::<u128>();
    let packaged = |of: &dyn Fn(&Component) -> u128| components.iter().map(of).sum::<u128>();
    let own_requests = sum(&|w| w.pod.request * w.peak());
    let requests = own_requests + packaged(&|c| c.request);
    let gaps = sum(&|w| (w.pod.limit - w.pod.request) * w.ending);
    // Where nothing limits a component, what lies beyond its request is the report's own assumption.
    let assumed = |component: &Component| {
        let held = by_name(&told["components"], component.name).and_then(|c| c["heldBackBytes"].as_u64());
        held.map_or(0, u128::from)
    };
    let component_gaps = packaged(&|c| c.gap.unwrap_or_else(|| assumed(c)));
    let limits = requests + gaps + component_gaps;
    let pods = sum(&Workload::peak) + packaged(&|c| c.pods);
    let cpu = sum(&|w| w.pod.cpu * w.peak()) + packaged(&|c| c.cpu);
    faults.same("requestBytes", requests, &told["requestBytes"]);
    // An overcommitted node holds nothing back, so the report has no assumption to read: it may only count more.
    let guessed = overcommitted && components.iter().any(|component| component.gap.is_none());
    let told_limits = u128::from(told["limitBytes"].as_u64()?);
    faults.holds(if guessed { limits <= told_limits } else { limits == told_limits }, || {
        format!("limitBytes: counted {limits}, report.json says {told_limits}")
    });
    if let Some(percent) = machine.overcommit {
        faults.holds(told_limits <= allocatable * percent / 100, || {
            format!("limits {told_limits} above {percent}% of {allocatable}")
        });
    }
    faults.same("podsAtPeak", pods, &told["podsAtPeak"]);
    faults.same("cpuRequestMilli", cpu, &told["cpuRequestMilli"]);
    faults.holds(requests <= allocatable, || format!("requests {requests} above allocatable {allocatable}"));
    faults.same("freeBytes", allocatable.saturating_sub(requests), &told["freeBytes"]);
    faults.holds(pods <= max_pods, || format!("{pods} pods, the kubelet takes {max_pods}"));
    faults.holds(machine.cpu.is_none_or(|has| cpu <= has), || format!("{cpu}m CPU of {:?}m", machine.cpu));

    // What the terms must cover. Only an overcommitted node may leave gaps out.
    let ending = (sum(&|w| w.ending) + packaged(&|c| c.ending)).min(max_pods);
    let secrets = sum(&|w| w.secrets * w.ending) * MIB;
    faults.holds(term("held-back") == if overcommitted { 0 } else { gaps + component_gaps }, || {
        format!("held back {}, gaps {gaps} and {component_gaps} of components", term("held-back"))
    });
    faults.holds(term("secrets") == secrets, || format!("secrets {}, counted {secrets}", term("secrets")));
    let shims = told["reserved"].as_sequence()?.iter().find(|term| term["id"].as_str() == Some("shims"))?;
    let formula = shims["formula"].as_str()?;
    faults.holds(formula.starts_with(&format!("{ending} pods x ")) && term("shims") >= ending * MIB, || {
        format!("shims {} by {formula}, counted {ending} pods", term("shims"))
    });
    let covered = term("k3s") + term("containerd") + term("shims") + term("secrets") + term("held-back");
    faults.holds(kube == covered, || format!("kube-reserved {kube}, its terms {covered}"));
    faults.holds(overcommitted || limits <= allocatable + term("held-back"), || {
        format!("limits {limits} above allocatable {allocatable} and what is held back {}", term("held-back"))
    });

    check_budgets(&report, &workloads, faults)?;
    workloads.retain(|name, _| by_name(&report["services"], name).is_some_and(|service| service["adopted"].is_null()));
    check_quota(files, &workloads, allocatable - packaged(&|c| c.request).min(allocatable), faults)?;
    check_kustomization(files, faults)?;
    check_theorems(&report, &[("T2", told_limits), ("T4", requests)], faults)
}

/// Each component as the report has it.
fn compare_components(components: &[Component], told: &Value, overcommitted: bool, faults: &mut Faults) -> Option<()> {
    for component in components {
        let name = component.name;
        let Some(told) = by_name(&told["components"], name) else {
            faults.0.push(format!("{name} runs and is not in the report"));
            continue;
        };
        faults.same(&format!("{name}: requestBytes"), component.request, &told["requestBytes"]);
        faults.same(&format!("{name}: pods"), component.pods, &told["pods"]);
        faults.same(&format!("{name}: podsWithTransient"), component.ending, &told["podsWithTransient"]);
        faults.same(&format!("{name}: cpuMilli"), component.cpu, &told["cpuMilli"]);
        let bounded = told["bounded"].as_bool();
        faults.holds(bounded == Some(component.gap.is_some()), || format!("{name}: bounded is {bounded:?}"));
        match component.gap {
            _ if overcommitted => faults.same(&format!("{name}: heldBackBytes"), 0, &told["heldBackBytes"]),
            Some(gap) => faults.same(&format!("{name}: heldBackBytes"), gap, &told["heldBackBytes"]),
            None => {}
        }
    }
    let listed = told["components"].as_sequence()?.len();
    faults.holds(listed == components.len(), || format!("{} components run, {listed} in the report", components.len()));
    Some(())
}

fn check_budgets(report: &Value, workloads: &BTreeMap<String, Workload>, faults: &mut Faults) -> Option<()> {
    for budget in report["budgets"].as_sequence()? {
        let name = budget["name"].as_str()?;
        let used = |workload: &Workload| workload.pod.limit * workload.peak();
        let used: u128 = match budget["services"].as_sequence() {
            None => workloads.values().map(used).sum(),
            Some(names) => {
                let names: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
                names.iter().filter_map(|name| workloads.get(*name)).map(used).sum()
            }
        };
        let ceiling = u128::from(budget["ceilingBytes"].as_u64()?);
        faults.same(&format!("budget {name}: usedBytes"), used, &budget["usedBytes"]);
        faults.holds(used <= ceiling, || format!("budget {name}: {used} of {ceiling}"));
        faults.same(&format!("budget {name}: freeBytes"), ceiling.saturating_sub(used), &budget["freeBytes"]);
    }
    Some(())
}

/// The quota lets the peak in, and nothing beyond what the node has.
fn check_quota(files: &Files, workloads: &BTreeMap<String, Workload>, room: u128, faults: &mut Faults) -> Option<()> {
    let objects = objects(files, "manifests/")?;
    let Some(quota) = objects.iter().find(|object| is_kind(object, "ResourceQuota")) else {
        faults.holds(workloads.is_empty(), || "no ResourceQuota".to_owned());
        return Some(());
    };
    let hard = &quota["spec"]["hard"];
    let sum = |of: &dyn Fn(&Workload) -> u128| workloads.values().map(of).sum::<u128>();
    let requests = bytes(&scalar(&hard["requests.memory"])?)?;
    faults.holds(requests >= sum(&|w| w.pod.request * w.peak()), || format!("quota of requests {requests}"));
    faults.holds(requests <= room, || format!("quota of requests {requests}, there are {room}"));
    if let Some(limits) = scalar(&hard["limits.memory"]) {
        let limits = bytes(&limits)?;
        faults.holds(limits >= sum(&|w| w.pod.limit * w.peak()), || format!("quota of limits {limits}"));
    }
    let pods: u128 = scalar(&hard["pods"])?.parse().ok()?;
    faults.holds(pods >= sum(&Workload::peak), || format!("quota of {pods} pods"));
    // The shims are counted for so many and no more.
    faults.holds(pods <= sum(&|w| w.ending), || format!("quota of {pods} pods, shims for fewer"));
    Some(())
}

/// kustomization.yaml names every other manifest.
fn check_kustomization(files: &Files, faults: &mut Faults) -> Option<()> {
    let kustomization: Value = serde_yaml::from_str(text(files, "manifests/kustomization.yaml")?).ok()?;
    let named: BTreeSet<&str> = kustomization["resources"].as_sequence()?.iter().filter_map(Value::as_str).collect();
    let there: BTreeSet<&str> = files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("manifests/"))
        .filter(|name| *name != "kustomization.yaml")
        .collect();
    faults.holds(named == there, || format!("kustomization.yaml names {named:?}, there are {there:?}"));
    Some(())
}

/// The left sides that a theorem states are those that were counted, and what is called proved holds.
fn check_theorems(report: &Value, lefts: &[(&str, u128)], faults: &mut Faults) -> Option<()> {
    for theorem in report["theorems"].as_sequence()? {
        let id = theorem["id"].as_str()?;
        let (left, right) = (theorem["leftBytes"].as_u64()?, theorem["rightBytes"].as_u64()?);
        let proved = theorem["verdict"].as_str() == Some("proved");
        faults.holds(!proved || left <= right, || format!("{id} is called proved: {left} <= {right}"));
        for (_, counted) in lefts.iter().filter(|(known, _)| *known == id) {
            faults.same(&format!("{id}: leftBytes"), *counted, &theorem["leftBytes"]);
        }
    }
    Some(())
}

/// The disk below a folder.
struct Disk(PathBuf);

impl World for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        fs::read(self.0.join(path)).map_err(|_| ReadError::NotFound)
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ReadError> {
        let entries = fs::read_dir(self.0.join(folder)).map_err(|_| ReadError::NotFound)?;
        let named = entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            Some(Entry { name, is_folder: path.is_dir(), bytes: 0 })
        });
        Ok(named.collect())
    }
}

/// The errors of a compilation, a line each.
pub fn errors(compilation: &Compilation) -> Vec<String> {
    let errors = compilation.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
    errors.map(|diagnostic| format!("{}: {}", diagnostic.id, diagnostic.message)).collect()
}

/// The machine of a program that writes its numbers plainly: `node NAME { memory = 3800Mi  cpu = 4 }`.
fn machine(program: &str) -> Option<Machine> {
    let lines = program.lines().map(|line| line.split('#').next().unwrap_or_default());
    let words: Vec<String> = lines
        .flat_map(|line| line.replace('=', " = ").split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let start = words.iter().position(|word| word == "node")?;
    let value = |key: &str| {
        let body = words[start..].iter().take_while(|word| *word != "}").collect::<Vec<_>>();
        let at = body.windows(2).position(|pair| pair[0] == key && pair[1] == "=")?;
        body.get(at + 2).map(|word| (*word).clone())
    };
    Some(Machine {
        name: words.get(start + 1)?.clone(),
        memory: bytes(&value("memory")?)?,
        cpu: value("cpu").and_then(|text| milli(&text)),
        overcommit: value("overcommit").and_then(|text| text.trim_end_matches('%').parse().ok()),
    })
}

fn programs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    found.retain(|path| path.file_name().is_some_and(|name| name == "budget.bz" || name == "main.bz"));
    found.sort();
    found
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
    assert_eq!((milli("2"), milli("250m"), milli("0.5"), milli("1x")), (Some(2000), Some(250), Some(500), None));
}

#[test]
fn every_example_counts_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut counted = 0;
    for path in programs(&folder) {
        let program = fs::read_to_string(&path).expect("an example is text");
        // A file without a node only declares things for others to use.
        let Some(machine) = machine(&program) else { continue };
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        let disk = Disk(path.parent().expect("an example lies in a folder").to_owned());
        let compiled = bzc::compile(&disk, &name, program, &Options::default(), Want::Files);
        assert_eq!(errors(&compiled), Vec::<String>::new(), "{}", path.display());
        let output = compiled.output.expect("a program without errors has output");
        assert_eq!(recount(&output.files, &machine), Vec::<String>::new(), "{}", path.display());
        counted += 1;
    }
    assert!(counted > 0, "no example was counted");
}

#[test]
fn generated_programs_count_as_they_say() {
    const WANTED: u32 = 500;
    let mut counted = 0;
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    let mut faults: BTreeMap<String, (usize, String, u32)> = BTreeMap::new();
    for seed in 0.. {
        if counted == WANTED {
            break;
        }
        assert!(seed < 4000, "only {counted} of {seed} generated programs fit");
        let size = if seed % 3 == 0 { Size::Full } else { Size::Small };
        let program = generate::program(seed, size, (50, 105));
        let text = program.text();
        let options = Options { env: program.env() };
        let compiled = bzc::compile(&MemoryWorld::default(), "budget.bz", text.clone(), &options, Want::Files);
        let Some(output) = compiled.output else { continue };
        let machine = Machine {
            name: program.node.name.clone(),
            memory: u128::from(program.node.memory.bytes),
            cpu: program.node.cpu.as_ref().map(|(milli, _)| u128::from(*milli)),
            overcommit: program.node.overcommit.map(u128::from),
        };
        let mut found = recount(&output.files, &machine);
        // The bound of runs that overlap is in no manifest, but the program is at hand.
        found.extend(program.bounded().into_iter().filter_map(|(name, pods)| {
            let report: Value = serde_yaml::from_str(self::text(&output.files, "report.json")?).ok()?;
            let told = by_name(&report["services"], &name)?["podsAtPeak"].as_u64();
            (told != Some(pods)).then(|| format!("{name}: the program allows {pods} pods, report.json says {told:?}"))
        }));
        if !found.is_empty() {
            // The shortest program of each kind of fault.
            let kind: String = found[0].chars().filter(|c| !c.is_ascii_digit()).collect();
            let shown = format!("seed {seed}\n{text}\n{}", found.join("\n"));
            let entry = faults.entry(kind).or_insert_with(|| (text.len(), shown.clone(), 0));
            entry.2 += 1;
            if text.len() < entry.0 {
                (entry.0, entry.1) = (text.len(), shown);
            }
        }
        counted += 1;
        for service in &program.services {
            *kinds.entry(service.kind.keyword()).or_default() += 1;
            *kinds.entry("sidecar or init").or_default() += u32::from(!service.extras.is_empty());
            *kinds.entry("scale").or_default() += u32::from(matches!(service.kind, Kind::Scaled(..)));
        }
        *kinds.entry("allow").or_default() += u32::from(!program.bounded().is_empty());
    }
    assert!(kinds.len() == 8 && kinds.values().all(|times| *times > 20), "some kinds are hardly tried: {kinds:?}");
    let shown: Vec<String> =
        faults.into_values().map(|(_, shown, times)| format!("{times} times, shortest: {shown}")).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}
