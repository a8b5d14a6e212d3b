//! What was decided: for every service its memory, for every node what is reserved and what is left, for
//! every promise a verdict. Numbers are bytes unless they say otherwise.

use crate::base::quantity::Bytes;
use crate::sema::hir::{Given, Program};

/// A program with nothing left to decide.
#[derive(Debug)]
pub struct Plan<'p, 'a> {
    /// What it is the plan of.
    pub program: &'p Program<'a>,
    /// The one node.
    pub node: NodePlan<'a>,
    /// One a service, in the program's order.
    pub workloads: Vec<Workload<'a>>,
    /// One a budget, in the program's order.
    pub budgets: Vec<BudgetPlan>,
    /// The common level of the ranges as numerator and denominator: every service has at least this many times
    /// its weight, or its ceiling. `None` if all have their ceiling.
    pub level: Option<(u64, u64)>,
    /// The four promises, T1 to T4.
    pub theorems: [Theorem; 4],
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

/// What was decided for a workload.
#[derive(Debug, Clone, Copy)]
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
    /// Pods that may be there at once, those on their way out among them.
    pub pods: u64,
    /// Memory of all sidecars.
    pub sidecars: u64,
    /// What the hungriest init container needs, with the sidecars that run before it.
    pub init_peak: u64,
    /// Thousandths of a core that the scheduler counts for one pod.
    pub cpu: u64,
}

impl Workload<'_> {
    /// Pods that must find room at once.
    pub fn peak(&self) -> u64 {
        self.replicas + self.surge
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
        self.pod(self.main_charge(on_node))
    }

    /// What the scheduler counts for one pod.
    pub fn pod_request(&self) -> u64 {
        self.pod(self.request.n)
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

/// What was decided for a packaged component.
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
    /// Requests of all that must find room at once.
    pub requests: u64,
    /// Limits of all that may be there at once.
    pub limits: u64,
    /// Pods that must find room at once.
    pub pods: u64,
    /// Requests of CPU, in thousandths.
    pub cpu: u64,
    /// What was decided for its components.
    pub components: Vec<ComponentPlan>,
    /// What every container without a limit in kube-system is given, by a LimitRange.
    pub system_default: Option<Given<'a, Bytes>>,
}

impl NodePlan<'_> {
    /// `kube-reserved`.
    pub fn kube_reserved(&self) -> u64 {
        [self.k3s, self.containerd, self.shims, self.secrets, self.held].into_iter().fold(0, u64::saturating_add)
    }

    /// Everything no pod gets.
    pub fn reserved(&self) -> u64 {
        self.os.saturating_add(self.kube_reserved()).saturating_add(self.eviction)
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
