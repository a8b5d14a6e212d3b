//! report.json as data: what the compiler states of a plan, and what `bzc verify` and `--baseline` read. The rules are
//! those of `spec/10-output.md`; `spec/report.schema.json` says the same for other readers.
//!
//! These are names and types. How a number comes about is known to the planner, and apart from it to `verify`.

pub(crate) mod text;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The format that is written and read.
pub(crate) const FORMAT: u64 = 2;

/// A text that stands in the program, or was read.
pub(crate) type Text<'a> = Cow<'a, str>;

/// The whole report.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Report<'a> {
    /// [`FORMAT`].
    pub bzc_report: u64,
    /// The file that was compiled.
    #[serde(borrow)]
    pub source: Text<'a>,
    /// The environment that was chosen.
    pub environment: Option<Text<'a>>,
    /// The promises.
    pub theorems: Vec<Theorem<'a>>,
    /// The namespace of the services.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// How ranges share what there is.
    pub fill: Fill,
    /// The common level of the ranges, as numerator and denominator; none if all have their upper ends.
    pub level: Option<[u64; 2]>,
    /// How pods come to their nodes.
    pub placement: Placement<'a>,
    /// The nodes.
    pub nodes: Vec<Node<'a>>,
    /// The named budgets.
    pub budgets: Vec<Budget<'a>>,
    /// The services.
    pub services: Vec<Service<'a>>,
    /// What the quotas that were adopted count, a resource each. It is left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota<'a>>,
    /// Adopted objects that may make pods of which nothing is counted, as `KIND NAME`, in the order of their manifests.
    /// It is left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncounted: Vec<Text<'a>>,
    /// SHA-256 of all that stands before it, as it is written: a report that was changed afterwards does not have it.
    /// None while it is not written.
    pub digest: Option<Text<'a>>,
}

/// How ranges share what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fill {
    /// All grow by the same factor.
    Proportional,
    /// All have the same.
    Equal,
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Id {
    /// Isolation.
    T1,
    /// Non-interference.
    T2,
    /// Sufficiency.
    T3,
    /// Liveness.
    T4,
    /// Survival.
    T5,
}

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// It holds, by the terms stated.
    Proved,
    /// It was given up, in writing, to a stated extent.
    Relaxed,
    /// It holds if pods take no more than is assumed of them.
    Assumed,
    /// A term is missing.
    Unknown,
    /// It was seen not to hold.
    Refuted,
}

/// A promise.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Theorem<'a> {
    /// `T1` to `T5`.
    pub id: Id,
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The node it is about; none where it is about all.
    pub node: Option<Text<'a>>,
    /// How it stands.
    pub verdict: Verdict,
    /// The left side of its inequality of memory.
    pub left_bytes: u64,
    /// What that must not exceed.
    pub right_bytes: u64,
    /// The addends of both sides.
    pub terms: Vec<SidedTerm<'a>>,
    /// Its inequalities in other dimensions.
    pub counts: Vec<Count<'a>>,
    /// All of them in words.
    #[serde(borrow)]
    pub statement: Text<'a>,
    /// Why it is not proved, where it is not.
    pub why: Vec<Text<'a>>,
}

/// An inequality of pods or CPU.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Count<'a> {
    /// `pods` or `cpuMilli`.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// Its left side.
    pub left: u64,
    /// Its right side; none where a node does not say what it has.
    pub right: Option<u64>,
    /// The addends of both.
    pub terms: Vec<SidedTerm<'a>>,
}

/// A side of an inequality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// What is taken.
    Left,
    /// What there is.
    Right,
}

/// An addend of an inequality.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SidedTerm<'a> {
    /// Which side it is on.
    pub side: Side,
    /// What the spec calls it.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// What it is, for people.
    #[serde(borrow)]
    pub what: Text<'a>,
    /// How much: bytes, pods or thousandths of a core.
    pub amount: u64,
    /// The factors, where it is a product: how many of what.
    pub times: Option<[u64; 2]>,
    /// How it comes about, where that is neither given nor a product.
    pub formula: Option<Text<'a>>,
    /// The part of this report that it is taken from, as a JSON pointer.
    #[serde(rename = "ref")]
    #[serde(borrow)]
    pub reference: Text<'a>,
    /// Where it was given.
    pub origin: Option<Text<'a>>,
}

/// An addend of what no pod of a node gets.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Term<'a> {
    /// What the spec calls it.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// What it is, for people.
    #[serde(borrow)]
    pub what: Text<'a>,
    /// How many bytes.
    pub bytes: u64,
    /// The factors, where it is a product: how many of what.
    pub times: Option<[u64; 2]>,
    /// Where it was given.
    pub origin: Option<Text<'a>>,
}

/// How pods come to their nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlacementKind {
    /// There is one.
    OneNode,
    /// Whatever order they come in.
    AnyOrder,
    /// Services are held to nodes.
    Pinned,
    /// It is not known whether all find room.
    Unknown,
}

/// How pods come to their nodes, and what shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Placement<'a> {
    /// How.
    pub kind: PlacementKind,
    /// For each moment of a rollout what shows that every order ends well.
    pub moments: Vec<Moment<'a>>,
}

/// What rolls at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Wave<'a> {
    /// Services of this number.
    Of(u64),
    /// The service of this name, alone.
    Alone(Text<'a>),
}

/// What runs of a release while Helm runs a hook of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HookPhase {
    /// Nothing.
    Before,
    /// Its replicas.
    Rest,
    /// Its replicas, and those that a rollout adds.
    Rollout,
}

/// For every service and then every component the nodes, by index, with which the lemma shows that its pods find room.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Moment<'a> {
    /// What is rolled out then.
    pub wave: Option<Wave<'a>>,
    /// The hook of Helm that runs, by the name of its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Text<'a>>,
    /// One entry a service.
    pub services: Vec<Vec<usize>>,
    /// One entry a component.
    pub components: Vec<Vec<usize>>,
}

/// What a machine is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// It runs the control plane and pods.
    Server,
    /// It runs pods only.
    Agent,
}

/// A node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Node<'a> {
    /// Its name in the program.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Server or agent.
    pub role: Role,
    /// Its architecture, where the program says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<Text<'a>>,
    /// `MemTotal`.
    pub memory_bytes: u64,
    /// Where that was given.
    #[serde(borrow)]
    pub memory_origin: Text<'a>,
    /// What no pod gets: the sum of `reserved`.
    pub reserved_bytes: u64,
    /// `system-reserved` of the kubelet.
    pub system_reserved_bytes: u64,
    /// `kube-reserved` of the kubelet.
    pub kube_reserved_bytes: u64,
    /// `memory.available` under which the kubelet evicts.
    pub eviction_bytes: u64,
    /// What the scheduler may give to pods.
    pub allocatable_bytes: u64,
    /// Requests of all that may be here, no more than is allocatable.
    pub request_bytes: u64,
    /// The most that limits of pods which may be here at once come to.
    pub limit_bytes: u64,
    /// Limits of what is here, and nowhere else, while nothing is rolled out.
    pub rest_limit_bytes: u64,
    /// Allocatable less requests.
    pub free_bytes: u64,
    /// Pods that may be here, no more than the node takes.
    pub pods_at_peak: u64,
    /// Pods the kubelet takes.
    pub max_pods: u64,
    /// How far limits may go, in percent of what is allocatable, where the program allows more than all of it.
    pub overcommit_percent: Option<u64>,
    /// What it has to compute with, in thousandths of a core, where it says so.
    pub cpu_milli: Option<u64>,
    /// Requests of CPU of all that may be here, no more than it has.
    pub cpu_request_milli: u64,
    /// What it says it has of resources that are counted by their names. It is left out where it says so of none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supplies: Vec<Supply<'a>>,
    /// What no pod gets, term by term.
    pub reserved: Vec<Term<'a>>,
    /// What runs there beside the services.
    pub components: Vec<Component<'a>>,
}

/// What a node has of a resource that is counted by its name, in bytes or pieces.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Supply<'a> {
    /// As Kubernetes calls it.
    pub resource: Text<'a>,
    /// What the program says.
    pub has: u64,
    /// What the kubelet keeps of it from pods, with what is reserved.
    pub kept: u64,
    /// What the program reserves of it.
    pub reserved: u64,
    /// What all pods that may be here ask for at the worst moment of a rollout.
    pub asked: u64,
    /// Where it was given.
    pub origin: Text<'a>,
}

/// What one pod asks for of a resource that is counted by its name, in bytes or pieces.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ask<'a> {
    /// As Kubernetes calls it.
    pub resource: Text<'a>,
    /// How much.
    pub each: u64,
    /// Where it was given.
    pub origin: Text<'a>,
}

/// What K3s packages, or pods that the program says there are, as they are on a node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Component<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Pods at rest.
    pub replicas: u64,
    /// Pods that must find room at once.
    pub pods_at_peak: u64,
    /// Pods that may be there at once, those on their way out among them.
    pub pods_with_ending: u64,
    /// What the scheduler counts for one pod.
    pub request_bytes: u64,
    /// What one pod may take, or is assumed to.
    pub limit_bytes: u64,
    /// Thousandths of a core that the scheduler counts for one pod.
    pub cpu_milli: u64,
    /// Whether every node has as many.
    pub every_node: bool,
    /// Whether its pods push out those of services.
    pub preempts: bool,
    /// Whether something holds its pods to that limit.
    pub bounded: bool,
    /// Where its memory was given.
    pub origin: Option<Text<'a>>,
}

/// A named budget.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Budget<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// How much.
    pub ceiling_bytes: u64,
    /// Limits of its services at their peak.
    pub used_bytes: u64,
    /// What is left.
    pub free_bytes: u64,
    /// Its services; none if it is over all.
    pub services: Option<Vec<Text<'a>>>,
    /// Where it was given.
    #[serde(borrow)]
    pub origin: Text<'a>,
    /// Proved: a budget that does not hold is an error.
    pub verdict: Verdict,
}

/// What a ResourceQuota that was adopted counts of one resource. Amounts are thousandths of a byte, of a core, or of a
/// piece, as Kubernetes compares them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Quota<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Its namespace.
    pub namespace: Text<'a>,
    /// The resource, as it names it.
    pub resource: Text<'a>,
    /// How much there may be.
    pub hard_milli: u64,
    /// How much there is while nothing is rolled out.
    pub rest_milli: u64,
    /// How much may be wanted during a rollout, with what has ended and is kept.
    pub most_milli: u64,
    /// What is left while nothing is rolled out.
    pub free_milli: u64,
    /// Where it was given.
    pub origin: Text<'a>,
    /// What is counted.
    pub terms: Vec<QuotaTerm<'a>>,
}

/// Pods or objects that are alike, as a quota counts them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct QuotaTerm<'a> {
    /// What they are, for people.
    pub what: Text<'a>,
    /// What each adds.
    pub each_milli: u64,
    /// How many there are while nothing is rolled out.
    pub rest: u64,
    /// How many may be there during a rollout, those on their way out among them.
    pub most: u64,
    /// How many have ended and are kept.
    pub kept: u64,
    /// Whether a rollout needs room for one more than there are at rest.
    pub waits: bool,
    /// The service that they are pods of, as a JSON pointer; empty for other objects.
    #[serde(rename = "ref")]
    pub reference: Text<'a>,
    /// Where they were given.
    pub origin: Text<'a>,
}

/// Why a service has the memory it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// Where an adopted workload comes from.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Adopted<'a> {
    /// `k8s/web.yaml:12`.
    #[serde(borrow)]
    pub manifest: Text<'a>,
    /// Whether every container has a limit.
    pub bounded: bool,
    /// What each container without a limit is assumed to take at the most, if the program says so of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_bytes: Option<u64>,
    /// The kind of the object whose operator makes it, if that is none of Kubernetes' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Text<'a>>,
}

/// Where the numbers of a service were given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Origins<'a> {
    /// The least memory.
    #[serde(borrow)]
    pub least: Text<'a>,
    /// The most.
    #[serde(borrow)]
    pub most: Text<'a>,
    /// The pods at rest.
    #[serde(borrow)]
    pub replicas: Text<'a>,
    /// The floor of what it runs, where that raised the least memory.
    pub floor: Option<Text<'a>>,
}

/// A service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Service<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The kind of the object.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// Its tier.
    pub tier: Option<Text<'a>>,
    /// Where it comes from, if it was adopted.
    pub adopted: Option<Adopted<'a>>,
    /// Pods at rest.
    pub replicas: u64,
    /// Pods a rollout starts before others leave.
    pub surge: u64,
    /// Its wave of rollouts; none if it rolls beside any other.
    pub wave: Option<Wave<'a>>,
    /// What runs of its release while Helm runs it, if it is a hook: its surge is there then, and at no other moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookPhase>,
    /// The release that it is of, if that has a hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Text<'a>>,
    /// Pods that must find room at once.
    pub pods_at_peak: u64,
    /// Pods that may be there at once, those on their way out among them.
    pub pods_with_ending: u64,
    /// Runs of a CronJob that were replaced and whose pods may not have ended; none where it replaces none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_ending: Option<u64>,
    /// Whether a pod of a run may still be there beside its successor.
    pub lingers: bool,
    /// Whether its pods may push out others.
    pub preempts: bool,
    /// The nodes that may take its pods; none if all may.
    pub nodes: Option<Vec<Text<'a>>>,
    /// Whether one pod is all that may be on a node.
    pub one_on_a_node: bool,
    /// What the scheduler counts for one pod.
    pub request_bytes: u64,
    /// What one pod may take.
    pub limit_bytes: u64,
    /// The request of its main container.
    pub main_request_bytes: u64,
    /// The limit of its main container.
    pub main_limit_bytes: u64,
    /// Thousandths of a core that the scheduler counts for one pod.
    pub cpu_milli: u64,
    /// The request of CPU of its main container.
    pub main_cpu_milli: u64,
    /// The containers beside the main one.
    pub beside: Vec<Extra<'a>>,
    /// What one pod asks for of resources that are counted by their names. It is left out where it asks for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<Ask<'a>>,
    /// Secrets that one pod mounts as files.
    pub secret_mounts: u64,
    /// The lower end of what it may have.
    pub low_bytes: u64,
    /// The upper end of what it may have.
    pub high_bytes: u64,
    /// The floor of what it runs, where that raised the lower end.
    pub floor_bytes: Option<u64>,
    /// The least that one pod can count for.
    pub least_bytes: u64,
    /// The most that one pod can count for.
    pub most_bytes: u64,
    /// What it grows by beside others.
    pub weight: u64,
    /// Whether it grows only once all others have what they can get.
    pub shrinks_first: bool,
    /// What was measured of it. It is left out where no readings were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence<'a>>,
    /// Why it has what it has.
    pub choice: Choice,
    /// Where the numbers were given.
    pub origin: Origins<'a>,
}

/// What was measured of a service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Evidence<'a> {
    /// Whether its limits are enough.
    pub verdict: Verdict,
    /// What the container that holds the pod's namespaces takes at the most.
    pub pause_bytes: u64,
    /// What one pod counts for with what its main container was seen to need, which is its share where ranges grow in
    /// proportion; none if that was not measured.
    pub peak_bytes: Option<u64>,
    /// Its containers, the main one first.
    #[serde(borrow)]
    pub containers: Vec<Need<'a>>,
}

/// What a container was seen to need.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Need<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Its limit; none if nothing limits it.
    pub limit_bytes: Option<u64>,
    /// What its volumes in memory may hold.
    pub in_memory_bytes: u64,
    /// The least that it needs.
    pub lower_bytes: Option<u64>,
    /// The reading that says so.
    pub lower_origin: Option<Text<'a>>,
    /// The most that it was seen to need.
    pub upper_bytes: Option<u64>,
    /// The reading that says so.
    pub upper_origin: Option<Text<'a>>,
}

/// What a container beside the main one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExtraRole {
    /// It runs on beside the others.
    Sidecar,
    /// It ends before they start.
    Init,
}

/// A container beside the main one.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Extra<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Sidecar or init.
    pub role: ExtraRole,
    /// Its limit.
    pub bytes: u64,
    /// Its request.
    pub request_bytes: u64,
    /// Its request of CPU.
    pub cpu_milli: u64,
    /// Where its memory was given.
    #[serde(borrow)]
    pub origin: Text<'a>,
}
