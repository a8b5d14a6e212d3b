//! What was decided: for every service its memory, for every node what is reserved and what is left, for
//! every promise a verdict. Numbers are bytes unless they say otherwise.

use super::size::Moment;
use crate::base::quantity::Bytes;
use crate::program::{Given, Program, Role, Service};

/// A program with nothing left to decide.
#[derive(Debug)]
pub struct Plan<'p, 'a> {
    /// What it is the plan of.
    pub program: &'p Program<'a>,
    /// One a node, in the program's order.
    pub nodes: Vec<NodePlan<'a>>,
    /// One a service, in the program's order.
    pub workloads: Vec<Workload<'a>>,
    /// One a budget, in the program's order.
    pub budgets: Vec<BudgetPlan>,
    /// The common level of the ranges as numerator and denominator: every service has at least this many times
    /// its weight, or its ceiling. `None` if all have their ceiling.
    pub level: Option<(u64, u64)>,
    /// How pods come to their nodes.
    pub placement: Placement,
    /// What all pods that must find room at once ask for, on all nodes together.
    pub together: Together,
    /// The promises: T1 and T2 of every node, T3, T4, and T5 where the program asks for it.
    pub theorems: Vec<Theorem>,
}

impl<'a> Plan<'_, 'a> {
    /// What K3s packages, as it is on one node that takes it.
    pub fn components(&self) -> &[ComponentPlan] {
        self.nodes
            .iter()
            .map(|node| node.components.as_slice())
            .find(|list| !list.is_empty())
            .unwrap_or_default()
    }

    /// What each container without a limit in kube-system is given, by a LimitRange.
    pub fn system_default(&self) -> Option<Given<'a, Bytes>> {
        self.nodes.iter().find_map(|node| node.system_default)
    }

    /// Whether there is more than one node.
    pub fn on_several_nodes(&self) -> bool {
        self.nodes.len() > 1
    }

    /// Whether a service is held to nodes by their names: where its pods could run anywhere else. An adopted one is
    /// where its own manifest holds it to no other nodes already.
    pub fn pins(&self, service: &Service<'_>, workload: &Workload<'_>) -> bool {
        let place = &service.pod.place;
        let elsewhere = self.on_several_nodes()
            || self
                .program
                .nodes
                .iter()
                .any(|node| node.role == Role::Agent);
        let placed = self.placement == Placement::Pinned && !workload.is_fixed();
        let by_itself = service.adopted.is_some() && place.nodes == workload.nodes;
        elsewhere && (place.named.is_some() || (placed && !by_itself))
    }

    /// The names of the nodes that a service is held to, where it is held by name.
    pub fn held_to(&self, service: &Service<'_>, workload: &Workload<'_>) -> Option<Vec<&str>> {
        let all = (0..self.nodes.len()).filter(|node| workload.may_be_on(*node));
        self.pins(service, workload).then(|| {
            all.map(|node| self.program.nodes[node].cluster_name())
                .collect()
        })
    }
}

/// How pods come to their nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// There is one node, or every order of pods and every choice of nodes ends well. For each moment,
    /// service and then component the nodes with which the lemma of `plan/pack/order.rs` shows it, by index.
    AnyOrder(Vec<(Moment, Vec<Vec<u16>>)>),
    /// One placement was found, and every service is held to it.
    Pinned,
    /// Whether every pod finds room is not known, and why.
    Unknown(String),
}

/// Sums over all nodes, at the worst moment of a rollout.
#[derive(Debug, Clone, Copy, Default)]
pub struct Together {
    /// Requests of memory.
    pub requests: u64,
    /// Pods.
    pub pods: u64,
    /// Requests of CPU, in thousandths.
    pub cpu: u64,
    /// What the schedulers may give.
    pub allocatable: u64,
}

impl Together {
    /// What is left over.
    pub fn free(&self) -> u64 {
        self.allocatable.saturating_sub(self.requests)
    }
}

/// How a verdict is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds, by the terms printed.
    Proved,
    /// It was given up, in writing, to a stated extent.
    Relaxed,
    /// A term is missing.
    Unknown,
}

impl Verdict {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Proved => "proved",
            Verdict::Relaxed => "relaxed",
            Verdict::Unknown => "unknown",
        }
    }
}

/// A promise and how it stands.
#[derive(Debug)]
pub struct Theorem {
    /// `T1` to `T4`.
    pub id: &'static str,
    /// `isolation`, ..
    pub name: &'static str,
    /// The node it is about, by index; none where it is about all.
    pub node: Option<usize>,
    /// How it stands.
    pub verdict: Verdict,
    /// The left side of its inequality.
    pub left: u64,
    /// What `left` must not exceed.
    pub right: u64,
    /// The inequality in words, with its numbers.
    pub statement: String,
    /// Why it is not proved, where it is not.
    pub why: Vec<String>,
}

/// Why a service has the memory it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The program gives one number.
    Written,
    /// Request and limit were written apart.
    Burst,
    /// The range's upper end.
    Ceiling,
    /// What the common level gives.
    Level,
}

/// Which rollouts may happen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wave {
    /// This one with any other.
    Every,
    /// This one with those of its wave.
    Of(u64),
    /// This one with no other.
    Alone,
}

/// What was decided for a workload.
#[derive(Debug, Clone)]
pub struct Workload<'a> {
    /// What its main container requests.
    pub request: Bytes,
    /// What the kernel holds that to.
    pub limit: Bytes,
    /// Why.
    pub choice: Choice,
    /// The least it may have: its range's lower end, or its runtime's floor where that is higher.
    pub least: Bytes,
    /// The floor that raised it.
    pub floor: Option<Given<'a, Bytes>>,
    /// Pods at rest.
    pub replicas: u64,
    /// Pods a rollout starts before others leave.
    pub surge: u64,
    /// Which rollouts may happen beside its own.
    pub wave: Wave,
    /// Pods that may be there at once, those on their way out among them.
    pub pods: u64,
    /// Whether one pod is all that may be on a node: a DaemonSet, or pods that must not share one.
    pub one_a_node: bool,
    /// Whether its pods must not share a node.
    pub apart: bool,
    /// The nodes that may take its pods, by index; none if all may.
    pub nodes: Option<Vec<u16>>,
    /// Memory of all sidecars.
    pub sidecars: u64,
    /// What the hungriest init container needs, with the sidecars that run before it.
    pub init_peak: u64,
    /// What the scheduler counts for all sidecars: less only where an adopted manifest keeps requests below limits.
    pub sidecar_requests: u64,
    /// What the scheduler counts for the hungriest init container, with the sidecars that run before it.
    pub init_request_peak: u64,
    /// Thousandths of a core that the scheduler counts for one pod.
    pub cpu: u64,
}

impl Workload<'_> {
    /// Pods that must find room at once, while it is rolled out.
    pub fn peak(&self) -> u64 {
        self.replicas + self.surge
    }

    /// Whether every node of its own has one pod: a DaemonSet.
    pub fn is_fixed(&self) -> bool {
        self.one_a_node && !self.apart
    }

    /// Whether its pods may come to a node.
    pub fn may_be_on(&self, node: usize) -> bool {
        self.nodes
            .as_ref()
            .is_none_or(|nodes| nodes.iter().any(|index| usize::from(*index) == node))
    }

    /// How many of so many of its pods may be on a node.
    pub fn on(&self, node: usize, pods: u64) -> u64 {
        match (self.may_be_on(node), self.one_a_node) {
            (false, _) => 0,
            (true, true) => pods.min(1),
            (true, false) => pods,
        }
    }

    /// What a pod counts for when its main container counts for `main`: Kubernetes' own formula, in which init
    /// containers run one after another, before the others and beside the sidecars declared before them.
    pub fn pod(&self, main: u64) -> u64 {
        main.saturating_add(self.sidecars).max(self.init_peak)
    }

    /// The least its main container takes of a node or of a budget: what the program can lower.
    pub fn main_charge(&self, on_node: bool) -> u64 {
        match self.choice {
            Choice::Burst if on_node => self.request.n,
            Choice::Burst => self.limit.n,
            Choice::Written | Choice::Ceiling | Choice::Level => self.least.n,
        }
    }

    /// The least one of its pods takes of a node or of a budget.
    pub fn charge(&self, on_node: bool) -> u64 {
        match on_node {
            true => self.requested(self.main_charge(true)),
            false => self.pod(self.main_charge(false)),
        }
    }

    /// What the scheduler counts for a pod whose main container requests `main`.
    fn requested(&self, main: u64) -> u64 {
        main.saturating_add(self.sidecar_requests)
            .max(self.init_request_peak)
    }

    /// Chooses out of its range, so that a pod counts for `size`: its main container has what the sidecars leave.
    pub(super) fn give(&mut self, size: u64) {
        let main = (size - self.sidecars).min(self.limit.n);
        if self.choice == Choice::Level && main == self.limit.n {
            self.choice = Choice::Ceiling;
        }
        if main != self.limit.n {
            self.limit = Bytes::new(main);
        }
        self.request = self.limit;
    }

    /// Chooses anew out of a range whose upper end is `highest`.
    pub(super) fn give_anew(&mut self, size: u64, highest: Bytes) {
        if matches!(self.choice, Choice::Ceiling | Choice::Level) {
            (self.limit, self.choice) = (highest, Choice::Level);
        }
        self.give(size);
    }

    /// What the scheduler counts for one pod.
    pub fn pod_request(&self) -> u64 {
        self.requested(self.request.n)
    }

    /// What one pod may take.
    pub fn pod_limit(&self) -> u64 {
        self.pod(self.limit.n)
    }

    /// The least that one pod can count for, out of its range.
    pub fn pod_least(&self) -> u64 {
        self.pod(self.least.n)
    }
}

/// What was decided for a packaged component: the sums are those of one node, which may have all its pods.
#[derive(Debug, Clone, Copy)]
pub struct ComponentPlan {
    /// Its index among the program's components.
    pub component: usize,
    /// What the scheduler counts for all its pods.
    pub request: u64,
    /// What lies between that and what its pods may take.
    pub gap: u64,
    /// What of that is held back from all other pods: nothing where overcommit is allowed in writing.
    pub held: u64,
    /// Pods that must find room at once.
    pub peak: u64,
    /// Pods that may be there at once.
    pub pods: u64,
    /// Thousandths of a core the scheduler counts.
    pub cpu: u64,
    /// Whether nothing holds its pods to a limit.
    pub unbounded: bool,
    /// Whether every node has as many: a DaemonSet.
    pub every_node: bool,
}

impl ComponentPlan {
    /// How many of its containers may take more than they request: what nothing limits is counted at rest.
    pub fn containers_held(&self, containers: u64) -> u64 {
        (if self.unbounded { self.peak } else { self.pods }).saturating_mul(containers)
    }

    /// What all its pods on one node may take.
    pub fn limits(&self) -> u64 {
        self.request.saturating_add(self.gap)
    }
}

/// What was decided for a node.
#[derive(Debug)]
pub struct NodePlan<'a> {
    /// `MemTotal`.
    pub capacity: u64,
    /// The OS and what lives beside K3s.
    pub os: u64,
    /// The K3s process.
    pub k3s: u64,
    /// containerd.
    pub containerd: u64,
    /// All shims.
    pub shims: u64,
    /// Pods the shims are counted for.
    pub shim_pods: u64,
    /// Secrets that are mounted as files.
    pub secrets: u64,
    /// How many mounts of a Secret there may be at once.
    pub secret_mounts: u64,
    /// What pods may take beyond their requests.
    pub held: u64,
    /// `memory.available` under which the kubelet evicts.
    pub eviction: u64,
    /// What the scheduler may give to pods.
    pub allocatable: u64,
    /// By how much the node is too small even for what no pod gets; then nothing is allocatable.
    pub shortfall: u64,
    /// Requests of all that may be here and must find room at once, no more than is allocatable.
    pub requests: u64,
    /// Those requests, and what pods that may be here may take beyond theirs.
    pub limits: u64,
    /// Pods that may be here and must find room at once, no more than the node takes.
    pub pods: u64,
    /// Requests of CPU of those pods, in thousandths, no more than the node has.
    pub cpu: u64,
    /// What was decided for its components.
    pub components: Vec<ComponentPlan>,
    /// What every container without a limit in kube-system is given, by a LimitRange.
    pub system_default: Option<Given<'a, Bytes>>,
}

impl NodePlan<'_> {
    /// Requests of the packaged components that may be here.
    pub fn packaged(&self) -> u64 {
        self.components
            .iter()
            .map(|component| component.request)
            .fold(0, u64::saturating_add)
    }

    /// `kube-reserved`.
    pub fn kube_reserved(&self) -> u64 {
        [
            self.k3s,
            self.containerd,
            self.shims,
            self.secrets,
            self.held,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    /// Everything no pod gets.
    pub fn reserved(&self) -> u64 {
        self.os
            .saturating_add(self.kube_reserved())
            .saturating_add(self.eviction)
    }

    /// Allocatable less all that can coexist at the peak.
    pub fn free(&self) -> u64 {
        self.allocatable - self.requests
    }
}

/// How a budget stands.
#[derive(Debug, Clone, Copy)]
pub struct BudgetPlan {
    /// Its ceiling.
    pub ceiling: u64,
    /// Limits of its services at their peak.
    pub used: u64,
}
