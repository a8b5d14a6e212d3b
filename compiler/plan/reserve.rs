//! What pods cannot have on a node: the OS, K3s and what it needs for each pod that may be there, the eviction
//! threshold. And what K3s packages, as it counts on one node.
//!
//! The terms that depend on how many pods may be there come last, in this order: Secrets, shims, and what K3s grows by.

use super::ledger::{Addend, total};
use super::limits::Most;
use super::model::{ComponentPlan, EVICTION, NodePlan, OS, SECRET_BYTES, SHIMS, Workload};
use super::resources::{Dimension, Resources};
use crate::base::id::numbered;
use crate::base::quantity::Bytes;
use crate::program::{
    Component, ComponentId, Given, Node, NodeId, Origin, Program, Service, SettingValue, namespace,
};

/// Everything about a node that depends only on which pods may be there.
pub(super) fn node<'a>(
    program: &Program<'a>,
    workloads: &[Workload<'a>],
    at: NodeId,
) -> NodePlan<'a> {
    let node = &program.nodes[at];
    let system_default = system_default(program);
    // A program of agents alone does not say where its servers are: what K3s packages may run on them or on this node.
    let has_server = program.servers().next().is_some();
    let open = program
        .open_nodes
        .as_ref()
        .is_none_or(|nodes| nodes.contains(&at));
    let components: Vec<ComponentPlan> = numbered(&program.components)
        .filter(|(_, component)| open && (has_server || component.foreign))
        .map(|(id, component)| {
            let mut planned = component_plan(id, component, system_default);
            // A label holds it to other nodes: it is here with no pod, for every node has the same list.
            if !component
                .nodes
                .as_ref()
                .is_none_or(|nodes| nodes.contains(&at))
            {
                (planned.replicas, planned.pods) = (0, 0);
            }
            planned
        })
        .collect();
    let mut reserved = fixed(node);
    let traefik = has_server
        && program
            .components
            .iter()
            .any(|component| component.name == "traefik");
    if let (Some(crds), true) = (&node.process.traefik_crds, traefik) {
        let what = "K3s, for the custom resources of Traefik";
        reserved.push(Addend::new(
            "traefik-crds",
            what,
            crds.value.n,
            Some(crds.origin),
        ));
    }
    if let (Some(joins), true) = (&node.process.joins, program.nodes.len() > 1) {
        let what = "K3s, while another node joins";
        reserved.push(Addend::new(
            "joins",
            what,
            joins.value.n,
            Some(joins.origin),
        ));
    }
    reserved.extend(secrets(program, workloads, at));
    let eviction = Addend::new(
        EVICTION,
        "eviction threshold",
        node.eviction.value.n,
        Some(node.eviction.origin),
    );
    let taken = total(&reserved).saturating_add(eviction.amount);
    let pods = shim_pods(program, workloads, at, &components, taken);
    reserved.extend(of_pods(node, pods));
    reserved.push(eviction);
    NodePlan {
        capacity: node.memory.value.n,
        room: i128::from(node.memory.value.n) - i128::from(total(&reserved)),
        reserved,
        asked: Resources::default(),
        limits: Most::All(0),
        at_rest: 0,
        components,
        system_default,
    }
}

/// What does not depend on pods.
fn fixed<'a>(node: &Node<'a>) -> Vec<Addend<'a>> {
    let process = &node.process;
    let given = |id, what, given: &Given<'a, Bytes>| {
        Addend::new(id, what, given.value.n, Some(given.origin))
    };
    vec![
        match &node.reserve {
            Some(reserve) => given(OS, OS_WORDS, reserve),
            None => Addend::new(OS, OS_WORDS, 0, None),
        },
        given("k3s", "K3s process", &process.memory),
        given("file-pages", "binary of K3s, resident", &process.file_pages),
        given("containerd", "containerd", &process.containerd),
    ]
}

const OS_WORDS: &str = "OS and what lives beside K3s";

/// Secrets mounted as files lie in memory that no pod pays for, each with the most that one can hold.
fn secrets<'a>(
    program: &Program<'a>,
    workloads: &[Workload<'a>],
    at: NodeId,
) -> Option<Addend<'a>> {
    let mounts = program.services.iter().zip(workloads);
    let mounts = mounts.map(|(service, workload)| {
        let here = workload.on(at, workload.pods);
        service.secret_mounts().saturating_mul(here)
    });
    let mounts = mounts.fold(0, u64::saturating_add);
    (mounts > 0).then(|| {
        let origin = Origin::default("kubernetes.max-secret-size");
        Addend::product(
            "secrets",
            "mounted Secrets",
            (mounts, "mounts"),
            SECRET_BYTES,
            Some(origin),
        )
    })
}

/// The pods that may be on a node at once, those on their way out among them. `taken` is what else no pod gets.
fn shim_pods(
    program: &Program<'_>,
    workloads: &[Workload<'_>],
    at: NodeId,
    components: &[ComponentPlan],
    taken: u64,
) -> u64 {
    let node = &program.nodes[at];
    let packaged: u128 = components
        .iter()
        .map(|component| u128::from(component.pods))
        .sum();
    let here = || {
        workloads
            .iter()
            .filter(|workload| workload.on(at, workload.pods) > 0)
    };
    let mut of_services: u128 = here()
        .map(|workload| u128::from(workload.on(at, workload.pods)))
        .sum();
    if program.nodes.len() > 1 {
        // Not all pods that may come can be here at once: each brings its request, also while it ends. With n shims
        // reserved there must be no room for n + 1 of the least requests: left - n * shim < (n + 1) * least.
        let shim = u128::from(node.process.shim.value.n);
        let least = here()
            .map(|workload| u128::from(workload.charge(true)))
            .min();
        let least = least.unwrap_or(0);
        let taken = u128::from(taken) + packaged * shim;
        let left = u128::from(node.memory.value.n).saturating_sub(taken);
        let at_once = (left + shim).checked_div(least + shim);
        of_services = of_services.min(at_once.unwrap_or(of_services));
    }
    // The kubelet admits no more; a pod that ends is one of them until it has ended.
    let pods = (packaged + of_services).min(u128::from(node.max_pods.value));
    u64::try_from(pods).unwrap_or(u64::MAX)
}

/// What K3s and containerd take for a number of pods, in addition to what the pods themselves take.
fn of_pods<'a>(node: &Node<'a>, pods: u64) -> impl Iterator<Item = Addend<'a>> + use<'a> {
    let process = node.process;
    let (shim, growth) = (process.shim, process.pod_growth);
    let shims = Addend::product(
        SHIMS,
        "containerd's shims",
        (pods, "pods"),
        shim.value.n,
        Some(shim.origin),
    );
    let beyond = pods.saturating_sub(process.pods_measured.value);
    let growth = (beyond > 0).then(|| {
        Addend::product(
            "pod-growth",
            "K3s and containerd for more pods",
            (beyond, "pods"),
            growth.value.n,
            Some(growth.origin),
        )
    });
    [shims].into_iter().chain(growth)
}

/// What further pods cost a node in addition to their own memory, in bytes.
pub(super) fn price_of_pods(node: &Node<'_>, there: u64, more: u64) -> u64 {
    let of = |pods| of_pods(node, pods).map(|addend| addend.amount).sum::<u64>();
    of(there.saturating_add(more)) - of(there)
}

/// The most that a pod of a service costs a node in addition to its own memory, in bytes.
pub(super) fn price_of_pod(node: &Node<'_>, service: &Service<'_>) -> u64 {
    let mounts = service.secret_mounts().saturating_mul(SECRET_BYTES);
    // From so many pods on, each also makes K3s and containerd grow.
    let dearest = price_of_pods(node, node.process.pods_measured.value, 1);
    dearest.saturating_add(mounts)
}

/// The limit a LimitRange gives to containers of kube-system that have none: the largest any of them needs.
/// Not where Helm installs something: its jobs take what they take, and dying they would install nothing. And not where
/// anything else may be there.
fn system_default<'a>(program: &Program<'a>) -> Option<Given<'a, Bytes>> {
    let components = &program.components;
    let installs = |one: &Component<'_>| one.name.starts_with("helm-install");
    if components.iter().any(installs) || beside_in_system(program).is_some() {
        return None;
    }
    let limitless = components.iter().filter(|component| !has_limit(component));
    limitless
        .filter_map(|component| component.bound)
        .max_by_key(|bound| bound.value)
}

/// What there may be in kube-system beside what K3s packages, in a sentence: of what it needs nothing is known, so that a
/// LimitRange there might refuse it or kill it.
pub(super) fn beside_in_system(program: &Program<'_>) -> Option<String> {
    if let Some(service) = program.services.iter().find(|one| limitless_in_system(one)) {
        return Some(format!("`{}` is there without a limit", service.name.value));
    }
    if super::admission::has_range(program, SYSTEM) {
        return Some("an adopted one is there".to_owned());
    }
    if let Some(object) = uncounted_in_system(program) {
        return Some(format!("of `{object}` there may be pods"));
    }
    for component in &program.components {
        let name = &component.name;
        match component.namespace {
            Some(namespace) if namespace.value != SYSTEM => {}
            Some(_) => return Some(format!("`others {name}` is there")),
            None if component.foreign => {
                return Some(format!(
                    "`others {name}` has no `namespace`, and may be there"
                ));
            }
            // Those of Traefik come with Helm.
            None if component.of_balancer() && name != "svclb-traefik" => {
                return Some(format!("K3s starts `{name}` there"));
            }
            None => {}
        }
    }
    let mut backends = program
        .nodes
        .iter()
        .filter_map(|node| node.setting("flannel-backend"));
    let other_network =
        backends.any(|backend| matches!(backend, SettingValue::Text(text) if text == "none"));
    other_network
        .then(|| "with `flannel-backend = none` a network of others is usually there".to_owned())
}

const SYSTEM: &str = "kube-system";

/// Whether a service was adopted into kube-system with a container that gives no limit of its own: what the components of
/// K3s need is no limit for it, and one below its request would make its pods invalid.
fn limitless_in_system(service: &Service<'_>) -> bool {
    service.adopted.as_ref().is_some_and(|adopted| {
        let mut pairs = adopted.object.containers.iter().zip(&adopted.containers);
        // What a dump has of K3s's own is a component.
        let may_run = service.replicas.value > 0 || adopted.object.idle.is_some();
        may_run
            && namespace(adopted.object.namespace.as_deref()) == SYSTEM
            && pairs.any(|(read, held)| !held.sets_memory && read.memory.limit.is_none())
    })
}

/// What is adopted and may make pods in kube-system: the job that installs a chart, whatever the program says that they
/// take, and everything of which it does not say where its pods are.
fn uncounted_in_system<'p>(program: &'p Program<'_>) -> Option<&'p str> {
    let manifests = program.manifests.iter();
    let all = manifests.flat_map(|manifest| &manifest.objects.uncounted);
    let mut there = all.filter(|object| object.in_system);
    let unsaid = program.uncounted.first().map(|one| one.object);
    there.next().or(unsaid).map(|object| object.what.as_str())
}

fn has_limit(component: &Component<'_>) -> bool {
    component.memory.is_some_and(|(_, limit)| limit.is_some())
}

fn component_plan(
    id: ComponentId,
    component: &Component<'_>,
    system_default: Option<Given<'_, Bytes>>,
) -> ComponentPlan {
    let written = component
        .memory
        .map(|(request, limit)| (request.value.n, limit.map(|limit| limit.value.n)));
    let (request, limit, unbounded) = match (written, system_default) {
        (Some((request, Some(limit))), _) => (request, limit, false),
        // Admission gives a container without a limit the default as its limit, and as its request where it has none.
        (Some((request, None)), Some(default)) => (request, default.value.n.max(request), false),
        (None, Some(default)) => (default.value.n, default.value.n, false),
        (written, None) => {
            let request = written.map_or(0, |(request, _)| request);
            let assumed = component.bound.map_or(request, |bound| bound.value.n);
            (request, assumed.max(request), true)
        }
    };
    let of_pod = |amount: u64| amount.saturating_mul(component.containers);
    let cpu = component.cpu.map_or(0, |(request, _)| request.value.milli);
    ComponentPlan {
        component: id,
        pod: Resources::of(|dimension| match dimension {
            Dimension::Memory => of_pod(request),
            Dimension::Cpu => of_pod(cpu),
            Dimension::Pods => 1,
        }),
        limit: of_pod(limit),
        replicas: component.pods,
        pods: component.pods + component.transient,
        unbounded,
        every_node: component.every_node,
        preempts: !component.foreign,
    }
}
