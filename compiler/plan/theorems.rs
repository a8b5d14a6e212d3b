//! The promises as they stand: each with its inequality, its verdict, and why it is not proved where it is not.

use super::model::{NodePlan, Placement, Plan, Promise, Rolling, Theorem, Verdict, Workload};
use super::moments::rollouts;
use super::resources::Dimension;
use super::sufficiency;
use super::terms;
use super::tie::{Tie, crowded, host_folder, split, tie};
use super::words::named;
use crate::base::id::ids;
use crate::base::quantity::{Cpu, in_mib};
use crate::manifest::workload::dump::Owner;
use crate::program::{
    Concurrency, Kind, LOCAL_PATH, LOCAL_STORAGE, Node, NodeId, Service, SettingValue, Uncounted,
    VolumeSource, WorkloadKind,
};

/// All promises: isolation and non-interference of every node, sufficiency, liveness, and survival if asked for.
pub(super) fn of<'a>(plan: &Plan<'_, 'a>) -> Vec<Theorem<'a>> {
    let nodes = ids(&plan.nodes);
    let mut theorems: Vec<Theorem<'a>> = nodes.clone().map(|at| isolation(plan, at)).collect();
    theorems.extend(nodes.map(|at| interference(plan, at)));
    theorems.extend([sufficiency::theorem(plan), liveness(plan)]);
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

/// Objects that may make pods nobody counted: on every node, and with their shims. And pods that bzc does not manage,
/// where a node has a taint that they may tolerate.
fn uncounted(plan: &Plan<'_, '_>) -> Vec<String> {
    let objects = plan.program.uncounted.iter().map(Uncounted::why);
    objects.chain(plan.program.tolerating()).collect()
}

fn isolation<'a>(plan: &Plan<'_, 'a>, at: NodeId) -> Theorem<'a> {
    let declared = &plan.program.nodes[at];
    let mut why = Vec::new();
    if declared.reserve.is_none() {
        why.push(
            "the node has no `reserve`: nothing is known of the OS and what lives beside K3s"
                .to_owned(),
        );
    }
    why.extend(elsewhere(plan));
    why.extend(uncounted(plan));
    why.extend(super::beyond::reasons(plan, Promise::Isolation));
    why.extend(voided(declared, Promise::Isolation));
    let sum = terms::isolation(plan, at);
    Theorem {
        promise: Promise::Isolation,
        node: Some(at),
        verdict: verdict(&why),
        statement: format!(
            "{} reserved for {} that K3s and the OS can take",
            in_mib(sum.there_is().unwrap_or(0)),
            in_mib(sum.taken())
        ),
        sums: vec![sum],
        why,
        assumptions: 0,
    }
}

fn interference<'a>(plan: &Plan<'_, 'a>, at: NodeId) -> Theorem<'a> {
    let (node, declared) = (&plan.nodes[at], &plan.program.nodes[at]);
    let there = node
        .components
        .iter()
        .filter(|component| component.pods > 0);
    let mut why = Vec::new();
    let (mut assumed, mut stated) = (Vec::new(), Vec::new());
    for component in
        there.filter(|one| one.unbounded || plan.program.components[one.component].foreign)
    {
        let declared = &plan.program.components[component.component];
        let (name, whose) = (&declared.name, declared.whose());
        let most = in_mib(component.limit);
        match (declared.foreign, declared.bound) {
            (true, _) => stated.push(format!(
                "`{name}`, {whose}, is assumed to take {most} a pod, and nothing holds it to that"
            )),
            (false, Some(_)) => assumed.push(format!(
                "nothing limits `{name}`, {whose}, and {most} is assumed of it"
            )),
            (false, None) => why.push(format!("nothing limits `{name}`, {whose}")),
        }
    }
    // Without it the LimitRange would hold them.
    let held = node
        .components
        .iter()
        .filter(|component| component.unbounded && component.pods > 0);
    let mut held = held.filter(|one| !plan.program.components[one.component].foreign);
    let beside = super::reserve::beside_in_system(plan.program);
    if let (Some(beside), Some(_)) = (beside, held.next()) {
        assumed.push(format!(
            "bzc writes no LimitRange to `kube-system`, which would hold them and all else there: {beside}"
        ));
    }
    let running = plan.program.services.iter().zip(&plan.workloads);
    let running = running.filter(|(_, workload)| workload.pods > 0);
    for (service, _) in running {
        let Some(adopted) = &service.adopted else {
            continue;
        };
        let Some(container) = adopted.unbounded() else {
            continue;
        };
        let name = service.name.value;
        match adopted.assumed() {
            None => why.push(format!(
                "nothing limits `{container}` of `{name}`, which was adopted without a limit"
            )),
            Some(bytes) => stated.push(format!(
                "nothing limits `{container}` of `{name}`, and {} is assumed of it",
                in_mib(bytes)
            )),
        }
    }
    why.extend(super::beyond::reasons(plan, Promise::NonInterference));
    why.extend(elsewhere(plan));
    why.extend(uncounted(plan));
    why.extend(voided(declared, Promise::NonInterference));
    let (most, allocatable) = (node.limits.bytes(), node.allocatable());
    let relaxed = declared.overcommit.is_some() && most > allocatable;
    if most > allocatable && !relaxed {
        why.push(format!(
            "while pods start and end, limits may come to {}, {} more than there is: {}",
            in_mib(most),
            in_mib(most - allocatable),
            bursting(plan, at)
        ));
    }
    // What is not known is neither assumed nor relaxed, and what is assumed is no matter of writing alone.
    let assumptions = stated.len();
    assumed.extend(stated);
    let verdict = match (why.is_empty(), assumed.is_empty()) {
        (false, _) => Verdict::Unknown,
        (true, false) => Verdict::Assumed,
        (true, true) if relaxed => Verdict::Relaxed,
        (true, true) => Verdict::Proved,
    };
    why.extend(assumed);
    Theorem {
        promise: Promise::NonInterference,
        node: Some(at),
        verdict,
        sums: vec![terms::interference(plan, at)],
        statement: match declared.overcommit {
            Some(percent) => format!(
                "{} of limits at the most, {} allocatable, {}% of it allowed in writing",
                in_mib(most),
                in_mib(allocatable),
                percent.value
            ),
            None => format!(
                "{} of limits at the most, {} allocatable",
                in_mib(most),
                in_mib(allocatable)
            ),
        },
        why,
        assumptions,
    }
}

/// `postgres` and `redis` may take more than they request.
fn bursting(plan: &Plan<'_, '_>, at: NodeId) -> String {
    let components = plan.nodes[at]
        .components
        .iter()
        .filter(|component| component.gap() > 0);
    let components =
        components.map(|component| plan.program.components[component.component].name.as_ref());
    let services = plan.program.services.iter().zip(&plan.workloads);
    let services = services
        .filter(|(_, w)| w.on(at, w.pods) > 0 && w.gap() > 0)
        .map(|(service, _)| service.name.value);
    let names: Vec<&str> = components.chain(services).collect();
    let take = if names.len() == 1 {
        "may take more than it requests"
    } else {
        "may take more than they request"
    };
    format!("{} {take}", named(&names))
}

/// T4: every pod finds a node.
fn liveness<'a>(plan: &Plan<'_, 'a>) -> Theorem<'a> {
    let why = doubts_of_liveness(plan);
    Theorem {
        promise: Promise::Liveness,
        node: None,
        verdict: verdict(&why),
        sums: terms::liveness(plan),
        statement: statement_of_liveness(plan),
        why,
        assumptions: 0,
    }
}

/// Why it is not known that every pod finds a node.
fn doubts_of_liveness(plan: &Plan<'_, '_>) -> Vec<String> {
    let program = plan.program;
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
    why.extend(uncounted(plan));
    why.extend(unheld_runs(plan));
    why.extend(plan.program.services.iter().filter_map(overtaken));
    why.extend(adopted(plan));
    why.extend(super::beyond::reasons(plan, Promise::Liveness));
    why.extend(super::supplies::doubts(plan));
    why.extend(super::admission::doubts(plan));
    why.extend(program.untolerated());
    why.extend(crowded(program, &plan.workloads));
    why.extend(tied(plan));
    why.extend(volume_helpers(plan));
    for node in &program.nodes {
        why.extend(voided(node, Promise::Liveness));
    }
    why
}

/// Cron jobs whose runs may overlap: nothing in Kubernetes counts them.
fn unheld_runs<'p>(plan: &'p Plan<'_, '_>) -> impl Iterator<Item = String> + use<'p> {
    let all = plan.program.services.iter().zip(&plan.workloads);
    let running = all.filter(|(_, workload)| workload.peak() > 0);
    running.filter_map(|(service, _)| match &service.kind {
        Kind::CronJob(_, schedule) => match schedule.concurrency {
            Concurrency::Allow(runs) => Some(format!(
                "nothing in Kubernetes holds `{}` to the {runs} runs at once that it states",
                service.name.value
            )),
            Concurrency::Forbid | Concurrency::Replace => None,
        },
        Kind::Deployment(_) | Kind::StatefulSet | Kind::DaemonSet | Kind::Job(_) => None,
    })
}

fn statement_of_liveness(plan: &Plan<'_, '_>) -> String {
    let (program, together) = (plan.program, &plan.together);
    let max_pods: u64 = program.nodes.iter().map(|node| node.max_pods.value).sum();
    let counts = Dimension::ALL.into_iter().rev().filter_map(|dimension| {
        let asked = together.asked[dimension];
        match dimension {
            Dimension::Memory => None,
            Dimension::Cpu => {
                let cpu = cpu_of_all(&program.nodes)?;
                Some(format!("; {asked}m of {cpu} CPU"))
            }
            Dimension::Pods => Some(format!("; {asked} of {max_pods} pods")),
        }
    });
    let rolled = match rollouts(program, &plan.workloads).as_slice() {
        [Rolling::Calm] => "",
        _ => ", wave by wave",
    };
    let placed = match (&plan.placement, plan.on_several_nodes()) {
        (_, false) | (Placement::Unknown(_), true) => "",
        (Placement::AnyOrder(_), true) => "; every pod finds room in whatever order they come",
        (Placement::Pinned, true) => "; every service is held to nodes that have room for it",
    };
    format!(
        "{} requested at the peak of a rollout{rolled}, {} allocatable{}{placed}{}",
        in_mib(together.asked[Dimension::Memory]),
        in_mib(together.allocatable),
        counts.collect::<String>(),
        waits(plan),
    )
}

/// The CPU of all nodes in words; `None` if one does not say what it has.
fn cpu_of_all(nodes: &[Node<'_>]) -> Option<String> {
    if let [node] = nodes {
        return node.cpu.map(|cpu| cpu.value.to_string());
    }
    let each = nodes.iter().map(|node| node.cpu.map(|cpu| cpu.value.milli));
    let milli: u64 = each.sum::<Option<u64>>()?;
    Some(match milli % 1000 {
        0 => (milli / 1000).to_string(),
        _ => Cpu::milli(milli).to_string(),
    })
}

/// Until the scheduler looks again for a pod that it found no room for (kube-scheduler podMaxBackoffSeconds), in seconds.
const BACKOFF: u64 = 10;

/// Pods on their way out keep their requests until they have ended, so a step of a rollout may have to wait for that,
/// and for the scheduler to look again.
fn waits(plan: &Plan<'_, '_>) -> String {
    let longest = plan.program.services.iter().map(Service::grace).max();
    longest.map_or_else(String::new, |seconds| {
        format!(
            "; a step of a rollout may wait {seconds}s for a pod to end and {BACKOFF}s for the \
             scheduler"
        )
    })
}

/// A CronJob whose runs are replaced sooner than the pods of the last one must have ended: where these leave no room, a
/// run is itself replaced before it has found any.
fn overtaken(service: &Service<'_>) -> Option<String> {
    let every = service.replaced_every()?;
    let grace = service.grace();
    (grace + BACKOFF > every).then(|| {
        format!(
            "a run of `{}` may be replaced before it has found room: the next one may come after {every}s, and pods of \
             the last one may take {grace}s to end; give it a shorter `grace`",
            service.name.value
        )
    })
}

/// Pods that a volume keeps from where they have to be, and services that have to come back to one node, which may be
/// full then.
fn tied(plan: &Plan<'_, '_>) -> Vec<String> {
    let mut why = split(plan.program, &plan.workloads);
    if !plan.on_several_nodes() || plan.placement == Placement::Pinned {
        return why;
    }
    let services = plan.program.services.iter().zip(&plan.workloads);
    let may_return = services.filter_map(|(service, workload)| {
        let held = workload
            .nodes
            .as_ref()
            .is_some_and(|nodes| nodes.len() == 1);
        let name = service.name.value;
        match tie(plan.program, service) {
            _ if held || workload.peak() == 0 => None,
            Tie::None => None,
            Tie::Node(_) => Some(format!(
                "`{name}` has to come back to the node that has its volume, and may find it full"
            )),
            Tie::Unknown(why) => Some(format!("`{name}` may have to come back to one node: {why}")),
        }
    });
    why.extend(may_return);
    why
}

/// Volumes that K3s's local storage makes at once (rancher/local-path-provisioner: its workers).
const VOLUMES_AT_ONCE: u64 = 4;

/// How many volumes K3s's local storage may have to make for a service: one for each pod and storage of its own, and
/// one for each claim that its pods share. A claim may be of another class, which only the cluster knows.
fn volumes_to_make(service: &Service<'_>, replicas: u64) -> u64 {
    if let Some(adopted) = &service.adopted {
        let object = &adopted.object;
        let is_local = |class: Option<&str>| class.is_none_or(|class| class == LOCAL_PATH);
        let own = { object.claims_each.iter() }.filter(|claim| is_local(claim.class.as_deref()));
        let own = (own.count() as u64).saturating_mul(replicas);
        let shared = object.shared_claims.len() as u64;
        // What makes them is not in the manifest of an object whose operator does.
        let unseen = match (
            object.keeps_claims,
            object.claims_each.is_empty(),
            object.kind,
        ) {
            (true, true, WorkloadKind::StatefulSet) => replicas,
            (true, true, _) => 1,
            _ => 0,
        };
        return own.saturating_add(shared).saturating_add(unseen);
    }
    let volumes = service.pod.volumes.iter();
    volumes
        .map(|volume| match volume.source {
            VolumeSource::Storage(storage)
                if storage.class.is_none_or(|class| class == LOCAL_PATH) =>
            {
                match service.shared_claim(volume) {
                    Some(_) => 1,
                    None => replicas,
                }
            }
            VolumeSource::Claim(_) => 1,
            VolumeSource::Storage(_)
            | VolumeSource::OwnClaims
            | VolumeSource::Config(_)
            | VolumeSource::Secret(_)
            | VolumeSource::Disk(_)
            | VolumeSource::Memory(_)
            | VolumeSource::Host(_) => 0,
        })
        .fold(0, u64::saturating_add)
}

/// Each volume of K3s's local storage is made by a pod of its own, bound to the node without asking the scheduler.
fn volume_helpers(plan: &Plan<'_, '_>) -> Option<String> {
    let default = plan.system_default()?.value;
    if !plan.program.runs(LOCAL_STORAGE) {
        return None;
    }
    let services = plan.program.services.iter().zip(&plan.workloads);
    let volumes = services
        .map(|(service, workload)| volumes_to_make(service, workload.replicas))
        .fold(0, u64::saturating_add);
    let pods = volumes.min(VOLUMES_AT_ONCE);
    let free = plan.nodes.iter().map(NodePlan::free).min().unwrap_or(0);
    (free < default.n.saturating_mul(pods)).then(|| match pods {
        1 => format!("a volume of K3s's local storage is made by a pod of {default}, and less is free"),
        _ => format!(
            "volumes of K3s's local storage are made by up to {pods} pods of {default} at once, and less is free"
        ),
    })
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
        why.extend(adopted.doubts.iter().map(|doubt| no_node(name, doubt)));
        // A CronJob that is suspended makes no more.
        let owner = adopted.object.owner.as_ref();
        if let Some(Owner { kind, name: by, .. }) = owner.filter(|owner| owner.kind != "CronJob") {
            why.push(format!(
                "`{name}` was made by the {kind} `{by}`, and how many more that makes is not known"
            ));
        } else if adopted.object.kind == WorkloadKind::Pod {
            why.push(format!(
                "nothing brings back `{name}`, a Pod of its own, once it is pushed out or evicted"
            ));
        }
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

fn no_node(name: &str, doubt: &str) -> String {
    format!("`{name}` may find no node: {doubt}")
}

/// How long Kubernetes takes to give up a node that does not answer, and then its pods, in seconds
/// (kube-controller-manager node-monitor-grace-period, kube-apiserver default-unreachable-toleration-seconds).
const GIVES_UP: (u64, u64) = (50, 300);

/// What the program is to outlive.
fn survival<'a>(plan: &Plan<'_, 'a>) -> Option<Theorem<'a>> {
    plan.program.survive?;
    let program = plan.program;
    let mut why = Vec::new();
    if let Some(enough) = program.servers_wanted() {
        why.push(format!(
            "without its server no pod is placed anew: {enough} servers outlive the loss of one"
        ));
    }
    why.extend(elsewhere(plan));
    why.extend(uncounted(plan));
    why.extend(super::beyond::reasons(plan, Promise::Survival));
    why.extend(super::supplies::doubts(plan));
    let services = program.services.iter().zip(&plan.workloads);
    for (service, _) in services.filter(|(_, workload)| workload.peak() > 0) {
        why.extend(lost_with_its_node(plan, service));
        let adopted = service.adopted.as_ref();
        let doubts = adopted.into_iter().flat_map(|adopted| &adopted.doubts);
        why.extend(doubts.map(|doubt| no_node(service.name.value, doubt)));
    }
    let sum = terms::survival(plan);
    let (grace, toleration) = GIVES_UP;
    Some(Theorem {
        promise: Promise::Survival,
        node: None,
        verdict: verdict(&why),
        statement: format!(
            "{} requested, {} allocatable without the largest node; every pod finds room without any one node, those \
             of Deployments some {grace} and {toleration}s after it is lost",
            in_mib(sum.taken()),
            in_mib(sum.there_is().unwrap_or(0)),
        ),
        sums: vec![sum],
        why,
        assumptions: 0,
    })
}

/// Why the pods of a service do not come back by themselves when their node is lost. They are not gone then but on
/// their way out, until the node is back, is deleted or has the taint `out-of-service`.
fn lost_with_its_node(plan: &Plan<'_, '_>, service: &Service<'_>) -> Option<String> {
    let name = service.name.value;
    if let Tie::Unknown(why) = tie(plan.program, service) {
        return Some(format!("`{name}` may be lost with its node: {why}"));
    }
    if let Some(folder) = host_folder(service) {
        return Some(format!("`{name}` finds another `{folder}` on another node"));
    }
    let until = "until `kubectl delete node` or `kubectl taint node NODE \
                 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`";
    let object = service.adopted.as_ref().map(|adopted| adopted.object.kind);
    match &service.kind {
        Kind::StatefulSet if object == Some(WorkloadKind::ReplicaSet) => None,
        Kind::StatefulSet if object == Some(WorkloadKind::Pod) => Some(format!(
            "`{name}` is gone with its node: nothing brings back a Pod of its own"
        )),
        // pkg/controller/statefulset/stateful_set_control.go: a pod on its way out is waited for.
        Kind::StatefulSet => Some(format!("`{name}` waits for a pod of a lost node {until}")),
        // pkg/controller/deployment/recreate.go waits until no old pod runs.
        Kind::Deployment(_) if service.rollout.value.rolling().is_none() => Some(format!(
            "a rollout of `{name}` that begins after a node is lost waits for its pods {until}"
        )),
        // pkg/controller/job/job_controller.go: with podReplacementPolicy Failed such a pod counts as one that runs.
        Kind::Job(_) | Kind::CronJob(..)
            if service
                .adopted
                .as_ref()
                .is_some_and(|adopted| !adopted.object.lingers) =>
        {
            Some(format!("`{name}` waits for a pod of a lost node {until}"))
        }
        Kind::Deployment(_) | Kind::DaemonSet | Kind::Job(_) | Kind::CronJob(..) => None,
    }
}

/// Keys of K3s and arguments of its components under which a promise is no longer a matter of sums, and why.
const VOIDED: [(Promise, &str, &str); 20] = [
    (
        Promise::Liveness,
        "disable-scheduler",
        "nothing places pods",
    ),
    (Promise::Liveness, "disable-agent", "the node runs no pods"),
    (
        Promise::Liveness,
        "disable-controller-manager",
        "nothing makes pods of Deployments",
    ),
    (
        Promise::Liveness,
        "flannel-backend=none",
        "pods wait for a network that K3s does not bring",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.register-with-taints",
        "pods that do not tolerate the taint stay Pending",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.pods-per-core",
        "the kubelet may take fewer pods than `max-pods`",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.reserved-cpus",
        "the kubelet keeps cores from pods",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.qos-reserved",
        "the kubelet keeps memory from pods",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.memory-manager-policy",
        "the kubelet admits pods by NUMA node",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.topology-manager-policy",
        "the kubelet admits pods by NUMA node",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.cpu-manager-policy",
        "the kubelet gives whole cores away",
    ),
    (
        Promise::NonInterference,
        "kubelet-arg.eviction-soft",
        "pods are evicted before their limits are reached",
    ),
    (
        Promise::NonInterference,
        "kubelet-arg.experimental-allocatable-ignore-eviction",
        "the eviction threshold is not kept from pods",
    ),
    (
        Promise::NonInterference,
        "kube-apiserver-arg.disable-admission-plugins",
        "the quota and the limit ranges may not be enforced",
    ),
    (
        Promise::NonInterference,
        "kubelet-arg.pod-manifest-path",
        "pods from files are not counted",
    ),
    (
        Promise::NonInterference,
        "kubelet-arg.manifest-url",
        "pods from a URL are not counted",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.pod-manifest-path",
        "pods from files are not counted",
    ),
    (
        Promise::Liveness,
        "kubelet-arg.manifest-url",
        "pods from a URL are not counted",
    ),
    (
        Promise::Isolation,
        "kubelet-arg.pod-manifest-path",
        "the shims of pods from files are not counted",
    ),
    (
        Promise::Isolation,
        "kubelet-arg.manifest-url",
        "the shims of pods from a URL are not counted",
    ),
];

/// Settings of the node's K3s under which a promise can no longer be proved.
fn voided(node: &Node<'_>, promise: Promise) -> Vec<String> {
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
