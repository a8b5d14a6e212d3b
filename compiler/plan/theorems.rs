//! The promises as they stand: each with its inequality, its verdict, and why it is not proved where it is not.

use super::cluster::stays;
use super::model::{Placement, Plan, Theorem, Verdict, Workload};
use super::{allowed, size::Moment, size::moments};
use crate::base::quantity::{Cpu, in_mib};
use crate::program::{Concurrency, Kind, Node, Schedule, SettingValue};

/// All promises: isolation and non-interference of every node, sufficiency, liveness, and survival if asked for.
pub(super) fn of(plan: &Plan<'_, '_>) -> Vec<Theorem> {
    let nodes = 0..plan.nodes.len();
    let mut theorems: Vec<Theorem> = nodes.clone().map(|at| isolation(plan, at)).collect();
    theorems.extend(nodes.map(|at| interference(plan, at)));
    theorems.extend([sufficiency(plan), liveness(plan)]);
    theorems.extend(survival(plan));
    theorems
}

fn verdict(why: &[String]) -> Verdict {
    if why.is_empty() {
        Verdict::Proved
    } else {
        Verdict::Unknown
    }
}

/// Without a server in the program nobody knows where what K3s packages runs.
fn elsewhere(plan: &Plan<'_, '_>) -> Option<String> {
    let has_server = plan.program.servers().next().is_some();
    let text = match plan.on_several_nodes() {
        true => "the program has agents only: what K3s packages may run here too",
        false => "this node is an agent: what K3s packages may run here too",
    };
    (!has_server).then(|| text.to_owned())
}

fn isolation(plan: &Plan<'_, '_>, at: usize) -> Theorem {
    let (node, declared) = (&plan.nodes[at], &plan.program.nodes[at]);
    let mut why = Vec::new();
    if declared.reserve.is_none() {
        why.push(
            "the node has no `reserve`: nothing is known of the OS and what lives beside K3s"
                .to_owned(),
        );
    }
    why.extend(elsewhere(plan));
    why.extend(voided(declared, "T1"));
    let needed = node.os + node.k3s + node.containerd + node.shims + node.secrets;
    let right = node.reserved() - node.held;
    Theorem {
        id: "T1",
        name: "isolation",
        node: Some(at),
        verdict: verdict(&why),
        left: needed,
        right,
        statement: format!(
            "{} reserved for {} that K3s and the OS can take",
            in_mib(right),
            in_mib(needed)
        ),
        why,
    }
}

fn interference(plan: &Plan<'_, '_>, at: usize) -> Theorem {
    let (node, declared) = (&plan.nodes[at], &plan.program.nodes[at]);
    let unbounded = node
        .components
        .iter()
        .filter(|component| component.unbounded);
    let mut why: Vec<String> = unbounded
        .map(|component| plan.program.components[component.component].name)
        .map(|name| format!("nothing limits `{name}`, which K3s packages without a limit"))
        .collect();
    why.extend(plan.program.services.iter().filter_map(|service| {
        let container = service.adopted.as_ref()?.unbounded()?;
        Some(format!(
            "nothing limits `{container}` of `{}`, which was adopted without a limit",
            service.name.value
        ))
    }));
    why.extend(elsewhere(plan));
    why.extend(voided(declared, "T2"));
    let room = node.allocatable + node.held;
    // Without anything held back, a pod on its way out may still burst while its successor is there.
    let limits = plan
        .workloads
        .iter()
        .map(|w| i128::from(w.pod_limit()) * i128::from(w.on(at, w.pods)));
    let all_at_once = limits
        .chain(node.components.iter().map(|c| i128::from(c.limits())))
        .sum::<i128>();
    let bursts = node.limits > node.requests;
    let relaxed =
        node.limits > node.allocatable || (bursts && all_at_once > i128::from(node.allocatable));
    Theorem {
        id: "T2",
        name: "non-interference",
        node: Some(at),
        verdict: if declared.overcommit.is_some() && relaxed {
            Verdict::Relaxed
        } else {
            verdict(&why)
        },
        left: node.limits,
        right: declared
            .overcommit
            .map_or(room, |percent| allowed(node.allocatable, percent.value)),
        statement: match declared.overcommit {
            Some(percent) => format!(
                "{} of limits, {} allocatable, {}% of it allowed in writing",
                in_mib(node.limits),
                in_mib(node.allocatable),
                percent.value
            ),
            None => format!(
                "{} of limits, {} for pods",
                in_mib(node.limits),
                in_mib(room)
            ),
        },
        why,
    }
}

fn sufficiency(plan: &Plan<'_, '_>) -> Theorem {
    let without_evidence = plan
        .workloads
        .iter()
        .filter(|workload| workload.replicas > 0)
        .count();
    let why =
        "limits are at or above every known floor, but no measurement says that they are enough";
    Theorem {
        id: "T3",
        name: "sufficiency",
        node: None,
        verdict: if without_evidence == 0 {
            Verdict::Proved
        } else {
            Verdict::Unknown
        },
        left: 0,
        right: 0,
        statement: match without_evidence {
            0 => "no service runs".to_owned(),
            1 => "no evidence for 1 service".to_owned(),
            n => format!("no evidence for {n} services"),
        },
        why: if without_evidence == 0 {
            Vec::new()
        } else {
            vec![why.to_owned()]
        },
    }
}

fn liveness(plan: &Plan<'_, '_>) -> Theorem {
    let (program, together) = (plan.program, &plan.together);
    let mut why = Vec::new();
    if let Placement::Unknown(reason) = &plan.placement {
        why.push(reason.clone());
    }
    for node in program.nodes.iter().filter(|node| node.cpu.is_none()) {
        why.push(match plan.on_several_nodes() {
            true => format!(
                "node `{}` has no `cpu`: memory and pods fit, of CPU nothing is known",
                node.name.value
            ),
            false => {
                "the node has no `cpu`: memory and pods fit, of CPU nothing is known".to_owned()
            }
        });
    }
    why.extend(elsewhere(plan));
    for service in &program.services {
        if let Kind::CronJob(
            _,
            Schedule {
                concurrency: Concurrency::Allow(runs),
                ..
            },
        ) = &service.kind
        {
            let name = service.name.value;
            why.push(format!(
                "nothing in Kubernetes holds `{name}` to the {runs} runs at once that it states"
            ));
        }
    }
    why.extend(adopted(plan));
    why.extend(super::admission::doubts(plan));
    why.extend(program.untolerated());
    if plan.on_several_nodes() && plan.placement != Placement::Pinned {
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            let held = workload
                .nodes
                .as_ref()
                .is_some_and(|nodes| nodes.len() == 1);
            if stays(service) && !held && workload.peak() > 0 {
                let name = service.name.value;
                why.push(format!("`{name}` has to come back to the node that has its volume, and may find it full"));
            }
        }
    }
    let least_free = plan
        .nodes
        .iter()
        .map(super::model::NodePlan::free)
        .min()
        .unwrap_or(0);
    let free = if plan.on_several_nodes() {
        least_free.max(together.free())
    } else {
        least_free
    };
    if let Some(default) = plan.system_default()
        && program.services.iter().any(stays)
        && free < default.value.n
    {
        why.push(format!(
            "a volume of K3s's local storage is made by a pod of {}, and less is free",
            default.value
        ));
    }
    for node in &program.nodes {
        why.extend(voided(node, "T4"));
    }
    let max_pods: u64 = program.nodes.iter().map(|node| node.max_pods.value).sum();
    let cpu = match program.nodes.as_slice() {
        [node] => node.cpu.map(|cpu| cpu.value.to_string()),
        nodes => {
            let all: Option<u64> = nodes
                .iter()
                .map(|node| node.cpu.map(|cpu| cpu.value.milli))
                .sum();
            all.map(|milli| {
                if milli % 1000 == 0 {
                    (milli / 1000).to_string()
                } else {
                    Cpu::milli(milli).to_string()
                }
            })
        }
    };
    let rolled = match moments(program, &plan.workloads).as_slice() {
        [Moment::Calm] => "",
        _ => ", wave by wave",
    };
    let placed = match (&plan.placement, plan.on_several_nodes()) {
        (_, false) | (Placement::Unknown(_), true) => "",
        (Placement::AnyOrder(_), true) => "; every pod finds room in whatever order they come",
        (Placement::Pinned, true) => "; every service is held to nodes that have room for it",
    };
    Theorem {
        id: "T4",
        name: "liveness",
        node: None,
        verdict: verdict(&why),
        left: together.requests,
        right: together.allocatable,
        statement: format!(
            "{} requested at the peak of a rollout{rolled}, {} allocatable; {} of {max_pods} pods{}{placed}",
            in_mib(together.requests),
            in_mib(together.allocatable),
            together.pods,
            cpu.map_or_else(String::new, |cpu| format!(
                "; {}m of {cpu} CPU",
                together.cpu
            )),
        ),
        why,
    }
}

/// What in adopted manifests takes liveness out of the proof's reach: on one node what they ask of nodes, on several
/// priorities, unless every pod has its nodes. There a DaemonSet has to push out what took the room on its node.
fn adopted(plan: &Plan<'_, '_>) -> Vec<String> {
    let mut why = Vec::new();
    let all = plan
        .program
        .services
        .iter()
        .zip(&plan.workloads)
        .filter(|(_, workload)| workload.peak() > 0);
    let theirs = all.filter_map(|(service, workload)| {
        Some((service.name.value, service.adopted.as_ref()?, workload))
    });
    let ordered = plan.on_several_nodes() && plan.placement != Placement::Pinned;
    let has_daemons = plan.workloads.iter().any(Workload::is_fixed);
    for (name, adopted, workload) in theirs {
        why.extend(
            adopted
                .doubts
                .iter()
                .map(|doubt| format!("`{name}` may find no node: {doubt}")),
        );
        if adopted.alone && workload.peak() > 1 {
            why.push(format!(
                "no two pods of `{name}` may share a node, there is one, and {} need room",
                workload.peak()
            ));
        }
        let class = adopted.object.place.priority_class.as_deref();
        let critical = matches!(
            class,
            Some("system-node-critical" | "system-cluster-critical")
        );
        if ordered && workload.is_fixed() && !critical {
            why.push(format!(
                "others may take the room of `{name}` on a node first, and no known priority pushes them out"
            ));
        } else if let (Some(class), true) = (class, ordered && !workload.is_fixed() && has_daemons)
        {
            why.push(format!("a DaemonSet may not be able to push out `{name}`, whose priority is that of `{class}`"));
        }
    }
    why
}

/// What the program is to outlive.
fn survival(plan: &Plan<'_, '_>) -> Option<Theorem> {
    plan.program.survive?;
    let program = plan.program;
    let servers = program.servers().count();
    let mut why = Vec::new();
    if (1..3).contains(&servers) {
        why.push(
            "without its server no pod is placed anew: three servers outlive the loss of one"
                .to_owned(),
        );
    }
    why.extend(elsewhere(plan));
    let most = plan
        .nodes
        .iter()
        .map(|node| node.allocatable)
        .max()
        .unwrap_or(0);
    Some(Theorem {
        id: "T5",
        name: "survival",
        node: None,
        verdict: verdict(&why),
        left: plan.together.requests,
        right: plan.together.allocatable - most,
        statement: format!(
            "{} requested, {} allocatable without the largest node; every pod finds room without any one node",
            in_mib(plan.together.requests),
            in_mib(plan.together.allocatable - most),
        ),
        why,
    })
}

/// Keys of K3s and arguments of its components under which a promise is no longer a matter of sums, and why.
const VOIDED: [(&str, &str, &str); 20] = [
    ("T4", "disable-scheduler", "nothing places pods"),
    ("T4", "disable-agent", "the node runs no pods"),
    (
        "T4",
        "disable-controller-manager",
        "nothing makes pods of Deployments",
    ),
    (
        "T4",
        "flannel-backend=none",
        "pods wait for a network that K3s does not bring",
    ),
    (
        "T4",
        "kubelet-arg.register-with-taints",
        "pods that do not tolerate the taint stay Pending",
    ),
    (
        "T4",
        "kubelet-arg.pods-per-core",
        "the kubelet may take fewer pods than `max-pods`",
    ),
    (
        "T4",
        "kubelet-arg.reserved-cpus",
        "the kubelet keeps cores from pods",
    ),
    (
        "T4",
        "kubelet-arg.qos-reserved",
        "the kubelet keeps memory from pods",
    ),
    (
        "T4",
        "kubelet-arg.memory-manager-policy",
        "the kubelet admits pods by NUMA node",
    ),
    (
        "T4",
        "kubelet-arg.topology-manager-policy",
        "the kubelet admits pods by NUMA node",
    ),
    (
        "T4",
        "kubelet-arg.cpu-manager-policy",
        "the kubelet gives whole cores away",
    ),
    (
        "T2",
        "kubelet-arg.eviction-soft",
        "pods are evicted before their limits are reached",
    ),
    (
        "T2",
        "kubelet-arg.experimental-allocatable-ignore-eviction",
        "the eviction threshold is not kept from pods",
    ),
    (
        "T2",
        "kube-apiserver-arg.disable-admission-plugins",
        "the quota and the limit ranges may not be enforced",
    ),
    (
        "T2",
        "kubelet-arg.pod-manifest-path",
        "pods from files are not counted",
    ),
    (
        "T2",
        "kubelet-arg.manifest-url",
        "pods from a URL are not counted",
    ),
    (
        "T4",
        "kubelet-arg.pod-manifest-path",
        "pods from files are not counted",
    ),
    (
        "T4",
        "kubelet-arg.manifest-url",
        "pods from a URL are not counted",
    ),
    (
        "T1",
        "kubelet-arg.pod-manifest-path",
        "the shims of pods from files are not counted",
    ),
    (
        "T1",
        "kubelet-arg.manifest-url",
        "the shims of pods from a URL are not counted",
    ),
];

/// What the node's K3s is told that takes a promise out of the proof's reach.
fn voided(node: &Node<'_>, promise: &str) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for setting in &node.config {
        match &setting.value {
            SettingValue::Bool(false) => {}
            SettingValue::Arguments(arguments) => {
                let names = arguments
                    .iter()
                    .map(|(name, _)| name.value.trim_end_matches(['+', '-']));
                said.extend(names.map(|name| format!("{}.{name}", setting.key)));
            }
            SettingValue::Text(text) => said.push(format!("{}={text}", setting.key)),
            SettingValue::Bool(true) | SettingValue::Int(_) | SettingValue::List(_) => {
                said.push(setting.key.to_owned())
            }
        }
    }
    let voided = VOIDED
        .iter()
        .filter(|(of, key, _)| *of == promise && said.iter().any(|said| said == key));
    voided
        .map(|(_, key, why)| format!("with `{}`, {why}", key.replace('.', " ")))
        .collect()
}
