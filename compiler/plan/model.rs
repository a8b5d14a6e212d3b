//! What was decided: for every service its memory, for every node what is reserved and what is left, for
//! every promise a verdict. Numbers are bytes unless they say otherwise.

use std::collections::BTreeSet;
use std::ops::Deref;

use super::ledger::{Addend, How, Sum, total};
use super::limits::Most;
use super::resources::{Dimension, Resources};
use crate::base::id::{ids, listed};
use crate::base::quantity::{Bytes, MIB};
use crate::program::{
    BudgetId, ComponentId, Given, HookPhase, NodeId, Program, Role, Service, ServiceId,
};

/// Below this a container does not even start: what runc needs inside the limit before the program runs.
/// CRI-O refuses less for that reason (cri-o/cri-o#1975, containers/nri-plugins#805).
pub(super) const LEAST_LIMIT: Bytes = Bytes::mib(12);

/// The most a Secret can hold (Kubernetes `MaxSecretSize`): mounted, it lies in memory no pod pays for.
pub(super) const SECRET_BYTES: u64 = MIB;

/// What became of a program, whether it fits or not: numbers for all services, and the sums that they come to. Where it
/// does not fit, ranges are at their low ends.
#[derive(Debug)]
pub(crate) struct Draft<'p, 'a> {
    /// What it is the plan of.
    pub program: &'p Program<'a>,
    /// One a node, in the program's order.
    pub nodes: Vec<NodePlan<'a>>,
    /// One a service, in the program's order.
    pub workloads: Vec<Workload<'a>>,
    /// What all pods that must find room at once ask for, on all nodes together.
    pub together: Together,
}

/// A program with nothing left to decide, which fits: only this can be emitted.
#[derive(Debug)]
pub(crate) struct Plan<'p, 'a> {
    /// The numbers.
    pub draft: Draft<'p, 'a>,
    /// One a budget, in the program's order.
    pub budgets: Vec<BudgetPlan>,
    /// The common level of the ranges as numerator and denominator: every service has at least this many times
    /// its weight, or its ceiling. `None` if all have their ceiling.
    pub level: Option<(u64, u64)>,
    /// How pods come to their nodes.
    pub placement: Placement,
    /// The promises: T1 and T2 of every node, T3, T4, and T5 where the program asks for it.
    pub theorems: Vec<Theorem<'a>>,
    /// What is not as the lock of the program has it, by the names of services.
    pub moves: Vec<Move>,
}

/// A number that is not as it was in the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    /// The service.
    pub service: String,
    /// What the lock had.
    pub was: Option<Bytes>,
    /// What it is.
    pub is: Option<Bytes>,
    /// Why.
    pub why: Why,
}

/// Why a number is not as it was in the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// The lock had none.
    New,
    /// All were to be chosen anew.
    Refilled,
    /// There is no such service.
    Gone,
    /// There is nothing to choose any more.
    Written,
    /// The range ends elsewhere: its least and its most.
    Outside(Bytes, Bytes),
    /// With all numbers as they were something did not hold, in words.
    Room(String),
}

/// What became of a program.
#[derive(Debug)]
pub(crate) enum Outcome<'p, 'a> {
    /// It fits, and every promise has its verdict.
    Fits(Plan<'p, 'a>),
    /// It does not, which was reported; the sums are there to be shown.
    Over(Draft<'p, 'a>),
}

impl<'p, 'a> Deref for Plan<'p, 'a> {
    type Target = Draft<'p, 'a>;

    fn deref(&self) -> &Draft<'p, 'a> {
        &self.draft
    }
}

impl<'a> Draft<'_, 'a> {
    /// What K3s packages, as it is on one node that takes it.
    pub(crate) fn components(&self) -> &[ComponentPlan] {
        self.nodes
            .iter()
            .map(|node| node.components.as_slice())
            .find(|list| !list.is_empty())
            .unwrap_or_default()
    }

    /// What each container without a limit in kube-system is given, by a LimitRange.
    pub(crate) fn system_default(&self) -> Option<Given<'a, Bytes>> {
        self.nodes.iter().find_map(|node| node.system_default)
    }

    /// Whether there is more than one node.
    pub(crate) fn on_several_nodes(&self) -> bool {
        self.nodes.len() > 1
    }
}

impl Plan<'_, '_> {
    /// Whether a service is held to nodes by their names: where its pods could run anywhere else. An adopted one is
    /// where its own manifest holds it to no other nodes already.
    pub(crate) fn pins(&self, service: &Service<'_>, workload: &Workload<'_>) -> bool {
        let place = &service.pod.place;
        let has_agents = self
            .program
            .nodes
            .iter()
            .any(|node| node.role == Role::Agent);
        let elsewhere = self.on_several_nodes() || has_agents;
        let placed = self.placement == Placement::Pinned && !workload.is_fixed();
        let by_itself = service.adopted.is_some() && place.nodes == workload.nodes;
        elsewhere && (place.named.is_some() || (placed && !by_itself))
    }

    /// The names of the nodes that a service is held to, where it is held by name.
    pub(crate) fn held_to(
        &self,
        service: &Service<'_>,
        workload: &Workload<'_>,
    ) -> Option<Vec<&str>> {
        let all = ids(&self.nodes).filter(|node| workload.may_be_on(*node));
        self.pins(service, workload).then(|| {
            all.map(|node| self.program.nodes[node].cluster_name())
                .collect()
        })
    }
}

/// How pods come to their nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placement {
    /// There is one node, or every order of pods and every choice of nodes ends well. For each moment,
    /// service and then component the nodes with which the lemma of `plan/pack/order.rs` shows it.
    AnyOrder(Vec<(Moment, Vec<Vec<NodeId>>)>),
    /// One placement was found, and every service is held to it.
    Pinned,
    /// Whether every pod finds room is not known, and why.
    Unknown(String),
}

/// Sums over all nodes, at the worst moment of a rollout.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Together {
    /// What all pods ask for that must find room at once.
    pub asked: Resources,
    /// What the scheduler may give, in bytes.
    pub allocatable: u64,
}

impl Together {
    /// Bytes that are asked for beyond what there is.
    pub(crate) fn excess(&self) -> u64 {
        self.asked[Dimension::Memory].saturating_sub(self.allocatable)
    }

    /// Bytes that are left over.
    pub(crate) fn free(&self) -> u64 {
        self.allocatable
            .saturating_sub(self.asked[Dimension::Memory])
    }
}

/// How a verdict is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It holds, by the terms printed.
    Proved,
    /// It was given up, in writing, to a stated extent.
    Relaxed,
    /// It holds if pods take no more than the program assumes of them, which nothing enforces.
    Assumed,
    /// A term is missing.
    Unknown,
    /// It was seen not to hold.
    Refuted,
}

impl Verdict {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Verdict::Proved => "proved",
            Verdict::Relaxed => "relaxed",
            Verdict::Assumed => "assumed",
            Verdict::Unknown => "unknown",
            Verdict::Refuted => "refuted",
        }
    }
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    /// Pods can never take the memory that K3s and the OS need.
    Isolation,
    /// Pods cannot hurt each other.
    NonInterference,
    /// Each limit is at least what the service needs.
    Sufficiency,
    /// Every pod finds room, while rollouts go on too.
    Liveness,
    /// The same without any one node.
    Survival,
}

impl Promise {
    /// All of them.
    pub(crate) const ALL: [Promise; 5] = [
        Promise::Isolation,
        Promise::NonInterference,
        Promise::Sufficiency,
        Promise::Liveness,
        Promise::Survival,
    ];

    /// Its name.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Promise::Isolation => "isolation",
            Promise::NonInterference => "non-interference",
            Promise::Sufficiency => "sufficiency",
            Promise::Liveness => "liveness",
            Promise::Survival => "survival",
        }
    }
}

impl Plan<'_, '_> {
    /// The names of the promises with this verdict, of one node at least.
    pub(crate) fn promises(&self, verdict: Verdict) -> Vec<&'static str> {
        let all = self.theorems.iter();
        let all = all.filter(|theorem| theorem.verdict == verdict);
        let promises: BTreeSet<Promise> = all.map(|theorem| theorem.promise).collect();
        promises.into_iter().map(Promise::word).collect()
    }
}

/// The reasons of promises: those of each alone, and those that several share, by the index of each promise.
pub(crate) struct Reasons<'t> {
    /// One list a promise.
    pub alone: Vec<Vec<&'t str>>,
    /// Each with the promises that it keeps from being proved.
    pub shared: Vec<(Vec<usize>, &'t str)>,
}

/// Sorts the reasons why promises are not proved, so that each has to be told once.
pub(crate) fn reasons<'t>(theorems: &'t [Theorem<'_>]) -> Reasons<'t> {
    let mut all: Vec<(Vec<usize>, &str)> = Vec::new();
    for (at, theorem) in theorems.iter().enumerate() {
        for why in &theorem.why {
            match all.iter_mut().find(|(_, known)| known == why) {
                Some((promises, _)) => promises.push(at),
                None => all.push((vec![at], why)),
            }
        }
    }
    let mut reasons = Reasons {
        alone: vec![Vec::new(); theorems.len()],
        shared: Vec::new(),
    };
    for (promises, why) in all {
        match promises.as_slice() {
            [one] => reasons.alone[*one].push(why),
            _ => reasons.shared.push((promises, why)),
        }
    }
    reasons
}

/// A promise and how it stands.
#[derive(Debug)]
pub(crate) struct Theorem<'a> {
    /// Which.
    pub promise: Promise,
    /// The node it is about; none where it is about all.
    pub node: Option<NodeId>,
    /// How it stands.
    pub verdict: Verdict,
    /// Its inequalities, that of memory first. Sufficiency has none: its readings are with the services.
    pub sums: Vec<Sum<'a>>,
    /// The inequalities in words, with their numbers.
    pub statement: String,
    /// Why it is not proved, where it is not: what is not known before what is assumed.
    pub why: Vec<String>,
    /// How many of these reasons are amounts that the program itself says to assume.
    pub assumptions: usize,
}

/// Why a service has the memory it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The program gives one number.
    Written,
    /// Request and limit were written apart.
    Burst,
    /// The range's upper end.
    Ceiling,
    /// What the common level gives.
    Level,
    /// What the lock of the program keeps out of a range.
    Locked,
}

/// Which rollouts may happen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wave {
    /// This one with any other.
    Every,
    /// This one with those of its wave.
    Of(u64),
    /// This one with no other.
    Alone,
}

/// A moment at which rollouts that may happen at once have all started their new pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What is rolled out, of what may not be rolled out with others.
    pub rollout: Rolling,
    /// The hook that Helm runs, if it runs one.
    pub hook: Option<Hook>,
}

/// A hook of Helm while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hook {
    /// Which.
    pub service: ServiceId,
    /// Its release, as of a [`Workload`].
    pub release: Option<usize>,
    /// What else runs of that.
    pub phase: HookPhase,
}

/// What is rolled out at a moment, beside all that may be rolled out at any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rolling {
    /// No wave is rolled out.
    Calm,
    /// This wave is.
    Of(u64),
    /// This service is, which lets no other be.
    Alone(ServiceId),
}

impl Moment {
    /// Pods of a service that must find room then.
    pub(crate) fn pods(self, service: ServiceId, workload: &Workload<'_>) -> u64 {
        let of_release = |hook: &Hook| workload.hook.is_none() && workload.release == hook.release;
        let of_its_hook = self
            .hook
            .filter(|hook| hook.release.is_some() && of_release(hook));
        let surges = match (workload.wave, of_its_hook.map(|hook| hook.phase)) {
            _ if workload.hook.is_some() => self.hook.is_some_and(|hook| hook.service == service),
            (_, Some(HookPhase::Before)) => return 0,
            (_, Some(HookPhase::Rest)) => false,
            (Wave::Every, Some(HookPhase::Rollout) | None) => true,
            (Wave::Of(wave), _) => self.rollout == Rolling::Of(wave),
            (Wave::Alone, _) => self.rollout == Rolling::Alone(service),
        };
        if surges {
            workload.peak()
        } else {
            workload.replicas
        }
    }
}

/// What was decided for a workload.
#[derive(Debug, Clone)]
pub(crate) struct Workload<'a> {
    /// What its main container requests.
    pub request: Bytes,
    /// What the kernel holds that to.
    pub limit: Bytes,
    /// Why.
    pub choice: Choice,
    /// The least it may have: its range's lower end, or its runtime's floor where that is higher.
    pub least: Bytes,
    /// The floor that raised it.
    pub floor: Option<Box<Given<'a, Bytes>>>,
    /// Pods at rest.
    pub replicas: u64,
    /// Pods a rollout starts before others leave.
    pub surge: u64,
    /// Which rollouts may go on at the same time as its own.
    pub wave: Wave,
    /// Pods that may be there at once, those on their way out among them.
    pub pods: u64,
    /// Whether one pod is all that may be on a node: a DaemonSet, or pods that must not share one.
    pub one_a_node: bool,
    /// How many pods a node has of a DaemonSet at the most: with a surge the new one beside the old one.
    pub on_each: u64,
    /// Whether its pods must not share a node.
    pub apart: bool,
    /// How many of its pods can be on nodes at once: where they must not share one, no more than there are nodes, and
    /// one that comes waits until another has gone. But never fewer than the program wants, or its rollout needs.
    pub at_most: u64,
    /// Whether a pod of a run may still be ending while its successor runs.
    pub lingers: bool,
    /// What runs of its release while Helm runs it, if it is a hook: its pods are those of its surge then.
    pub hook: Option<HookPhase>,
    /// The release that it is of, if that has a hook: a number that others of the release have too.
    pub release: Option<usize>,
    /// Whether its pods may push out others: then those on their way out count as those that must find room.
    pub preempts: bool,
    /// The nodes that may take its pods; none if all may.
    pub nodes: Option<Vec<NodeId>>,
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
    /// The most that its main container was seen to need, in bytes.
    pub main_measured: Option<u64>,
}

listed!(ServiceId: Workload<'a>);

impl Workload<'_> {
    /// Pods that must find room at once, while it is rolled out.
    pub(crate) fn peak(&self) -> u64 {
        let all = match self.preempts {
            true => self.pods,
            false => self.replicas + self.surge,
        };
        all.min(self.at_most)
    }

    /// Whether every node of its own has one pod: a DaemonSet.
    pub(crate) fn is_fixed(&self) -> bool {
        self.one_a_node && !self.apart
    }

    /// Whether its pods may come to a node.
    pub(crate) fn may_be_on(&self, node: NodeId) -> bool {
        self.nodes
            .as_ref()
            .is_none_or(|nodes| nodes.contains(&node))
    }

    /// The number of pods that may be on a node, out of `pods` pods of this workload.
    pub(crate) fn on(&self, node: NodeId, pods: u64) -> u64 {
        match (self.may_be_on(node), self.one_a_node) {
            (false, _) => 0,
            (true, true) => pods.min(self.on_each),
            (true, false) => pods,
        }
    }

    /// What a pod counts for when its main container counts for `main`: Kubernetes' own formula, in which init
    /// containers run one after another, before the others, while the sidecars declared before them run.
    pub(crate) fn pod(&self, main: u64) -> u64 {
        main.saturating_add(self.sidecars).max(self.init_peak)
    }

    /// The least its main container takes of a node or of a budget: what the program can lower.
    pub(crate) fn main_charge(&self, on_node: bool) -> u64 {
        match self.choice {
            Choice::Burst if on_node => self.request.n,
            Choice::Burst => self.limit.n,
            Choice::Written | Choice::Ceiling | Choice::Level | Choice::Locked => self.least.n,
        }
    }

    /// The least one of its pods takes of a node or of a budget.
    pub(crate) fn charge(&self, on_node: bool) -> u64 {
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

    /// What the scheduler counts for one pod, in every dimension.
    pub(crate) fn asked(&self) -> Resources {
        Resources::of(|dimension| match dimension {
            Dimension::Memory => self.pod_request(),
            Dimension::Cpu => self.cpu,
            Dimension::Pods => 1,
        })
    }

    /// Bytes of memory that the scheduler counts for one pod.
    pub(crate) fn pod_request(&self) -> u64 {
        self.requested(self.request.n)
    }

    /// What one pod may take.
    pub(crate) fn pod_limit(&self) -> u64 {
        self.pod(self.limit.n)
    }

    /// What one pod may take beyond what the scheduler counts for it, whatever is chosen out of its range: that is
    /// request and limit.
    pub(crate) fn gap(&self) -> u64 {
        let main = match self.choice {
            Choice::Burst => self.request.n,
            Choice::Written | Choice::Ceiling | Choice::Level | Choice::Locked => self.limit.n,
        };
        self.pod_limit().saturating_sub(self.requested(main))
    }

    /// What one pod counts for with what its main container was seen to need.
    pub(crate) fn measured(&self) -> Option<u64> {
        self.main_measured.map(|main| self.pod(main))
    }

    /// The least that one pod can count for, out of its range.
    pub(crate) fn pod_least(&self) -> u64 {
        self.pod(self.least.n)
    }
}

/// What was decided for a component that K3s packages, or for pods that the program says there are: on one node, which
/// may have all its pods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComponentPlan {
    /// Its index among the program's components.
    pub component: ComponentId,
    /// What the scheduler counts for one pod.
    pub pod: Resources,
    /// What one pod may take, in bytes; what is assumed of it where nothing holds it to a limit.
    pub limit: u64,
    /// Pods at rest.
    pub replicas: u64,
    /// Pods that may be there at once, those on their way out among them.
    pub pods: u64,
    /// Whether nothing holds its pods to a limit.
    pub unbounded: bool,
    /// Whether every node has as many: a DaemonSet.
    pub every_node: bool,
    /// Whether its pods push out those of services: all that K3s packages is critical.
    pub preempts: bool,
}

impl ComponentPlan {
    /// Pods that must find room at once. What pushes out others does so while its predecessor is still ending.
    pub(crate) fn peak(&self) -> u64 {
        if self.preempts {
            self.pods
        } else {
            self.replicas
        }
    }

    /// What those ask for.
    pub(crate) fn asked(&self) -> Resources {
        self.pod.times(self.peak())
    }

    /// What lies between request and limit of one pod, in bytes.
    pub(crate) fn gap(&self) -> u64 {
        self.limit.saturating_sub(self.pod[Dimension::Memory])
    }
}

/// What was decided for a node.
#[derive(Debug)]
pub(crate) struct NodePlan<'a> {
    /// `MemTotal`, in bytes.
    pub capacity: u64,
    /// What no pod gets, term by term: the OS, K3s and what it needs for the pods that may be there, the eviction
    /// threshold.
    pub reserved: Vec<Addend<'a>>,
    /// What is left for pods, in bytes; below zero where the node is too small even for what no pod gets.
    pub room: i128,
    /// What all that may be here and must find room at once asks for.
    pub asked: Resources,
    /// The most that the limits of pods that may be here at once come to.
    pub limits: Most,
    /// What the limits of all come to that is here and nowhere else while nothing is rolled out, in bytes.
    pub at_rest: u64,
    /// What was decided for its components.
    pub components: Vec<ComponentPlan>,
    /// What every container without a limit in kube-system is given, by a LimitRange.
    pub system_default: Option<Given<'a, Bytes>>,
}

listed!(NodeId: NodePlan<'a>);

impl NodePlan<'_> {
    /// A term of what is reserved, by its id; nothing if there is none.
    pub(crate) fn term(&self, id: &str) -> u64 {
        let term = self.reserved.iter().find(|addend| addend.id == id);
        term.map_or(0, |addend| addend.amount)
    }

    /// The pods that shims are reserved for.
    pub(crate) fn shim_pods(&self) -> u64 {
        let shims = self.reserved.iter().find(|addend| addend.id == SHIMS);
        match shims.map(|addend| &addend.how) {
            Some(How::Times { count, .. }) => *count,
            _ => 0,
        }
    }

    /// `system-reserved`.
    pub(crate) fn system_reserved(&self) -> u64 {
        self.term(OS)
    }

    /// `kube-reserved`.
    pub(crate) fn kube_reserved(&self) -> u64 {
        total(&self.reserved) - self.system_reserved() - self.term(EVICTION)
    }

    /// Everything no pod gets.
    pub(crate) fn reserved(&self) -> u64 {
        total(&self.reserved)
    }

    /// What the scheduler may give to pods (Kubernetes' Allocatable).
    pub(crate) fn allocatable(&self) -> u64 {
        u64::try_from(self.room.max(0)).unwrap_or(u64::MAX)
    }

    /// Requests of memory of all that may be here, as far as the scheduler lets it be here at once.
    pub(crate) fn requests(&self) -> u64 {
        self.asked[Dimension::Memory].min(self.allocatable())
    }

    /// What its components ask for.
    pub(crate) fn packaged(&self) -> Resources {
        Resources::sum(self.components.iter().map(ComponentPlan::asked))
    }

    /// Allocatable less all that can coexist at the peak.
    pub(crate) fn free(&self) -> u64 {
        self.allocatable() - self.requests()
    }

    /// By how many bytes what is asked for is more than there is for pods. On several nodes not all that is asked for
    /// has to be here.
    pub(crate) fn excess(&self) -> u64 {
        let over = i128::from(self.asked[Dimension::Memory]) - self.room;
        u64::try_from(over.max(0)).unwrap_or(u64::MAX)
    }
}

/// The ids of terms that are looked for by name.
pub(crate) const OS: &str = "os";
/// The shims of all pods.
pub(crate) const SHIMS: &str = "shims";
/// The kubelet's threshold.
pub(crate) const EVICTION: &str = "eviction";

/// How a budget stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BudgetPlan {
    /// Its ceiling.
    pub ceiling: u64,
    /// Limits of its services at their peak.
    pub used: u64,
}

listed!(BudgetId: BudgetPlan);
