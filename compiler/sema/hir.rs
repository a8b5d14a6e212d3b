//! The program as it is meant: every name resolved, every value a typed constant that knows where it was
//! written. Nothing here is decided yet; `plan` does that.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::source::SourceMap;
use crate::base::span::{Span, Spanned};
use crate::layout::{Language, Layout};
use crate::manifest;
use crate::syntax::ast::Operator;
use crate::template::Templates;

use super::adopt::manifests::Manifest;
use super::cx::Num;
pub use crate::manifest::workload::place::HOSTNAME;

/// Where a value was given: `[env.ENV.]kind.name.key`, and the place of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The environment that gave it.
    pub env: Option<&'a str>,
    /// `service`, `tier`, `node`, ..; `std` for the library; `default` for a rule of the language.
    pub kind: &'static str,
    /// The declaration's name; may be empty (`k3s`).
    pub name: &'a str,
    /// The field.
    pub key: &'a str,
    /// The value. `None` for a default.
    pub span: Option<Span>,
}

impl<'a> Origin<'a> {
    /// A rule of the language, by its id in `spec/`.
    pub const fn default(rule: &'a str) -> Origin<'a> {
        Origin {
            env: None,
            kind: "default",
            name: "",
            key: rule,
            span: None,
        }
    }

    /// `tier.agent.memory`: how outputs name it, the same whatever line it stands on.
    pub fn path(&self) -> String {
        let mut path = String::new();
        if let Some(env) = self.env {
            path.push_str("env.");
            path.push_str(env);
            path.push('.');
        }
        for part in [self.kind, self.name, self.key] {
            if !part.is_empty() {
                if !path.is_empty() && !path.ends_with('.') {
                    path.push('.');
                }
                path.push_str(part);
            }
        }
        path
    }
}

/// A value with its origin.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a, T> {
    /// What was said.
    pub value: T,
    /// Where.
    pub origin: Origin<'a>,
}

/// A whole program.
#[derive(Debug)]
pub struct Program<'a> {
    /// The name of the file that was compiled.
    pub source: &'a str,
    /// The environment that was chosen.
    pub env: Option<&'a str>,
    /// The Kubernetes namespace of the services.
    pub namespace: Given<'a, &'a str>,
    /// Sorted by name, as are all lists here.
    pub nodes: Vec<Node<'a>>,
    /// What every node's K3s has in common.
    pub k3s: K3s<'a>,
    /// The components that this K3s packages and the program does not disable.
    pub components: Vec<Component<'a>>,
    /// Named ceilings.
    pub budgets: Vec<Budget<'a>>,
    /// Tiers.
    pub tiers: Vec<Tier<'a>>,
    /// Services.
    pub services: Vec<Service<'a>>,
    /// Configuration texts.
    pub configs: Vec<Config<'a>>,
    /// The nodes that take what K3s packages, by index; none if all do.
    pub open_nodes: Option<Vec<u16>>,
    /// Nodes that may be lost: one, or none.
    pub survive: Option<Given<'a, u64>>,
    /// How ranges share what there is.
    pub fill: FillPolicy,
    /// What the program expects of the plan.
    pub expects: Vec<Expect<'a>>,
    /// Runtimes that services name.
    pub runtimes: Vec<Runtime<'a>>,
    /// Images that those of services start from.
    pub images: Vec<SharedImage<'a>>,
    /// Digests of images that were built, by service.
    pub digests: BTreeMap<String, String>,
    /// What it adopts, and how that is given back.
    pub adopts: Vec<Adopt>,
    /// The manifests that it adopts.
    pub manifests: &'a [Manifest],
    /// Their texts, among others.
    pub sources: &'a SourceMap,
}

/// How patched manifests are given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Patches and a kustomization over the originals.
    Kustomize,
    /// Patched copies.
    Copy,
    /// The source files themselves, once the user says so.
    InPlace,
}

/// `adopt "k8s/*.yaml" { .. }`.
#[derive(Debug)]
pub struct Adopt {
    /// Where its patterns stand.
    pub patterns: Vec<Span>,
    /// How its manifests are given back.
    pub form: Form,
}

/// Where an adopted workload comes from, and what of it changes.
#[derive(Debug, Clone)]
pub struct Adopted<'a> {
    /// Its manifest, by index.
    pub manifest: usize,
    /// Its `adopt`, by index.
    pub adopt: usize,
    /// What was read of it.
    pub object: &'a manifest::workload::Workload,
    /// `k8s/web.yaml:12`.
    pub place: &'a str,
    /// One a container of the object, in the same order.
    pub containers: Vec<Held<'a>>,
    /// Whether a rule gives the pods at rest.
    pub sets_replicas: bool,
    /// Whether a rule gives the rollout.
    pub sets_rollout: bool,
    /// Whether a rule gives what happens when runs overlap.
    pub sets_concurrency: bool,
    /// Whether `keep` says that all of it stays as it is.
    pub kept: Option<Span>,
    /// Whether its manifest chooses nodes by their names.
    pub by_name: bool,
    /// Whether all its pods but one find no place on the one node that there is.
    pub alone: bool,
    /// What keeps bzc from knowing whether its pods find a node, on the one node that there is.
    pub doubts: Vec<String>,
}

/// What rules make of a container of an adopted workload.
#[derive(Debug, Clone)]
pub struct Held<'a> {
    /// The container beside the main one that stands for it, by index; `None` for the main one.
    pub extra: Option<usize>,
    /// Whether a rule gives its memory.
    pub sets_memory: bool,
    /// The CPU that a rule gives.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Variables that a rule gives.
    pub env: Vec<(&'a str, Cow<'a, str>)>,
    /// Whether nothing limits its memory.
    pub unbounded: bool,
}

impl Adopted<'_> {
    /// The name of a container that nothing limits.
    pub fn unbounded(&self) -> Option<&str> {
        let mut pairs = self.object.containers.iter().zip(&self.containers);
        pairs
            .find(|(_, held)| held.unbounded)
            .map(|(container, _)| container.name.as_str())
    }
}

/// How ranges share what there is: what counts as level one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillPolicy {
    /// Its least memory: all grow by the same factor.
    Proportional,
    /// One byte: all have the same, within their ends.
    Equal,
}

/// What a machine is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the control plane and pods.
    Server,
    /// Runs pods only.
    Agent,
}

/// A machine.
#[derive(Debug)]
pub struct Node<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// `MemTotal`.
    pub memory: Given<'a, Bytes>,
    /// What it has to compute with; without it nothing is known of CPU.
    pub cpu: Option<Given<'a, Cpu>>,
    /// What the OS and everything beside K3s takes; without it isolation is unknown.
    pub reserve: Option<Given<'a, Bytes>>,
    /// `memory.available` under which the kubelet evicts.
    pub eviction: Given<'a, Bytes>,
    /// Server or agent.
    pub role: Role,
    /// How far limits may exceed what pods have, in percent; `None` means not at all.
    pub overcommit: Option<Given<'a, u64>>,
    /// Pods the kubelet takes.
    pub max_pods: Given<'a, u64>,
    /// Labels of its Node object.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Its taints, all of effect `NoSchedule`.
    pub taints: Vec<Spanned<&'a str>>,
    /// Where other nodes reach it; by its name if it does not say.
    pub address: Option<Cow<'a, str>>,
    /// What K3s takes there.
    pub process: Process<'a>,
    /// Right behind its declaration.
    pub behind: Span,
    /// Keys of its config.yaml, sorted.
    pub config: Vec<Setting<'a>>,
}

/// What `k3s { }` says.
#[derive(Debug)]
pub struct K3s<'a> {
    /// The version as written, and its minor.
    pub version: Option<Given<'a, &'a str>>,
    /// Right behind the `{` of its block, if it has one.
    pub inside: Option<Span>,
    /// The Kubernetes minor whose tables apply.
    pub minor: u32,
}

/// What K3s takes on one node, beside the pods.
#[derive(Debug, Clone, Copy)]
pub struct Process<'a> {
    /// The K3s process of a server or an agent.
    pub memory: Given<'a, Bytes>,
    /// containerd.
    pub containerd: Given<'a, Bytes>,
    /// containerd's shim, for one pod.
    pub shim: Given<'a, Bytes>,
}

/// One key of config.yaml.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// As K3s spells it.
    pub key: &'a str,
    /// What it is set to.
    pub value: SettingValue<'a>,
}

/// What a key of config.yaml is set to.
#[derive(Debug, Clone)]
pub enum SettingValue<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(u64),
    /// Text, printed quoted where a YAML reader could take it for something else.
    Text(Cow<'a, str>),
    /// A list of texts.
    List(Vec<Spanned<Cow<'a, str>>>),
    /// `key=value` arguments of a component, sorted by key.
    Arguments(Vec<(Spanned<&'a str>, Cow<'a, str>)>),
}

/// How a packaged component is run.
#[derive(Debug, Clone)]
pub struct Component<'a> {
    /// Its name, K3s's own.
    pub name: &'a str,
    /// Where the program changes it.
    pub span: Option<Span>,
    /// Request and limit of memory. `None` where K3s sets neither.
    pub memory: Option<(Given<'a, Bytes>, Option<Given<'a, Bytes>>)>,
    /// What a limit range must allow a pod that has no limit of its own.
    pub bound: Option<Given<'a, Bytes>>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Containers in one pod.
    pub containers: u64,
    /// Pods at rest.
    pub pods: u64,
    /// Pods beyond those, at most, while it is rolled out or on its way out.
    pub transient: u64,
    /// Whether it is a DaemonSet: every node that takes it has as many pods.
    pub every_node: bool,
    /// Whether bzc writes its manifest, because the program changes it.
    pub owned: bool,
    /// Whether it is none of K3s's, but pods the program says there are.
    pub foreign: bool,
}

/// A named ceiling over the limits of services.
#[derive(Debug)]
pub struct Budget<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// How much.
    pub ceiling: Given<'a, Bytes>,
    /// Which services, by index; `None` for all.
    pub members: Option<Vec<usize>>,
}

/// What several services share.
#[derive(Debug)]
pub struct Tier<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Its priority, for PriorityClass.
    pub priority: Option<Given<'a, u64>>,
}

/// Memory as a service asks for it.
#[derive(Debug, Clone, Copy)]
pub enum Memory<'a> {
    /// One number out of this range, as request and limit.
    Range {
        /// The least.
        low: Given<'a, Bytes>,
        /// The most.
        high: Given<'a, Bytes>,
    },
    /// A request below its limit: bursting, written out.
    Burst {
        /// What the scheduler counts.
        request: Given<'a, Bytes>,
        /// What the kernel holds it to.
        limit: Given<'a, Bytes>,
    },
}

/// How a new version replaces the old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// One pod at a time leaves before its successor comes: `maxSurge: 0, maxUnavailable: 1`.
    Replace,
    /// All leave, then all come: `Recreate`.
    Recreate,
    /// That many come first: `maxSurge: N, maxUnavailable: 0`.
    Surge(u64),
    /// One comes first, while no other rollout goes on.
    Serial,
    /// The same in percent of the replicas, rounded up as Kubernetes does.
    SurgePercent(u64),
}

/// What kind of workload it is, and what only that kind has.
#[derive(Debug, Clone)]
pub enum Kind<'a> {
    /// `service`: a Deployment, scaled by a HorizontalPodAutoscaler where it says so.
    Deployment(Option<Scale<'a>>),
    /// `stateful`: a StatefulSet. A pod comes back only when its predecessor has ended.
    StatefulSet,
    /// `daemon`: a DaemonSet. One pod a node, which comes back only when its predecessor has ended.
    DaemonSet,
    /// `job`: a Job.
    Job(Run),
    /// `cron`: a CronJob.
    CronJob(Run, Schedule<'a>),
}

impl Component<'_> {
    /// Who brings it, behind its name.
    pub const fn whose(&self) -> &'static str {
        if self.foreign {
            "which bzc does not manage"
        } else {
            "which K3s packages"
        }
    }
}

impl Kind<'_> {
    /// Whether its pods end by themselves.
    pub const fn ends(&self) -> bool {
        matches!(self, Kind::Job(_) | Kind::CronJob(..))
    }
}

/// `scale = 1..4`: counted at its maximum.
#[derive(Debug, Clone, Copy)]
pub struct Scale<'a> {
    /// The fewest pods.
    pub least: u64,
    /// The most.
    pub most: Given<'a, u64>,
    /// The use of CPU, in percent of the request, that it aims at.
    pub cpu: u64,
}

/// How a job runs.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Pods at once.
    pub parallelism: u64,
    /// Pods that must succeed.
    pub completions: u64,
    /// Failures that are borne.
    pub retries: Option<u64>,
    /// How long it may take.
    pub deadline: Option<Millis>,
}

/// When a CronJob runs.
#[derive(Debug, Clone)]
pub struct Schedule<'a> {
    /// As cron writes it.
    pub cron: Cow<'a, str>,
    /// What happens when a run is due and the last one has not ended.
    pub concurrency: Concurrency,
}

/// What happens when a run is due and the last one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// The new one is left out.
    Forbid,
    /// The old one is ended.
    Replace,
    /// Both run, up to so many as the program states.
    Allow(u64),
}

/// A container beside the main one.
#[derive(Debug, Clone)]
pub struct Extra<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Whether it runs on beside the others (`sidecar`) or must end first (`init`).
    pub stays: bool,
    /// What it runs.
    pub image: Spanned<Cow<'a, str>>,
    /// Memory, as request and limit.
    pub memory: Given<'a, Bytes>,
    /// The request, where an adopted manifest keeps one below the limit.
    pub request: Option<Given<'a, Bytes>>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Environment variables.
    pub env: Vec<(Spanned<&'a str>, EnvValue<'a>)>,
    /// ConfigMaps whose keys all become variables.
    pub configs: Vec<&'a str>,
    /// Secrets whose keys all become variables.
    pub secrets: Vec<&'a str>,
    /// Replaces the image's entry point.
    pub command: Vec<Cow<'a, str>>,
    /// Replaces the image's arguments.
    pub args: Vec<Cow<'a, str>>,
    /// Volumes of the pod by name, and where this container sees them.
    pub mounts: Vec<(&'a str, Cow<'a, str>)>,
}

/// A workload: what its kind says, and its pods.
#[derive(Debug, Clone)]
pub struct Service<'a> {
    /// Deployment, StatefulSet, ..
    pub kind: Kind<'a>,
    /// Where it comes from, if it was adopted.
    pub adopted: Option<Box<Adopted<'a>>>,
    /// Containers beside the main one, in the order written, which is the order they start in.
    pub extras: Vec<Extra<'a>>,
    /// Its name.
    pub name: Spanned<&'a str>,
    /// The whole declaration.
    pub span: Span,
    /// Its tier, by index.
    pub tier: Option<usize>,
    /// What it runs.
    pub image: Image<'a>,
    /// Pods at rest.
    pub replicas: Given<'a, u64>,
    /// Memory.
    pub memory: Memory<'a>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// How much of what is left it takes beside others; its least memory where not given.
    pub weight: Option<Given<'a, u64>>,
    /// Whether it grows only when all others have what they can get.
    pub shrinks_first: bool,
    /// Rollout.
    pub rollout: Given<'a, Rollout>,
    /// Rollouts of other waves do not happen beside its own.
    pub wave: Option<Given<'a, u64>>,
    /// Ports, in the order written.
    pub ports: Vec<Port<'a>>,
    /// The rest of the pod.
    pub pod: Pod<'a>,
}

/// What does not matter for the proof, but is part of the pod.
#[derive(Debug, Clone, Default)]
pub struct Pod<'a> {
    /// Environment variables, in the order written.
    pub env: Vec<(Spanned<&'a str>, EnvValue<'a>)>,
    /// ConfigMaps whose keys all become variables.
    pub configs: Vec<&'a str>,
    /// Secrets whose keys all become variables.
    pub secrets: Vec<&'a str>,
    /// Replaces the image's entry point.
    pub command: Vec<Cow<'a, str>>,
    /// Replaces the image's arguments.
    pub args: Vec<Cow<'a, str>>,
    /// Probes by kind.
    pub probes: Vec<Probe<'a>>,
    /// Volumes, in the order written.
    pub volumes: Vec<Volume<'a>>,
    /// Where it may run.
    pub place: Place<'a>,
    /// Labels beside those bzc sets.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Annotations of the pod.
    pub annotations: Vec<(&'a str, Cow<'a, str>)>,
    /// How long a pod may take to end.
    pub grace: Option<Millis>,
    /// The service account it runs as.
    pub service_account: Option<&'a str>,
    /// Secrets for pulling its image.
    pub pull_secrets: Vec<&'a str>,
    /// The numeric user it runs as.
    pub user: Option<u64>,
}

/// Where the pods of a service may run.
#[derive(Debug, Clone, Default)]
pub struct Place<'a> {
    /// Where the program says so.
    pub span: Option<Span>,
    /// The nodes it names, by index, sorted.
    pub named: Option<Vec<usize>>,
    /// Labels that a node must have.
    pub selector: Vec<(&'a str, Cow<'a, str>)>,
    /// Taints of nodes that do not keep it away.
    pub tolerations: Vec<&'a str>,
    /// Whether no two of its pods may share a node.
    pub apart: bool,
    /// What follows: the nodes that may take its pods, by index, sorted; none if all may.
    pub nodes: Option<Vec<u16>>,
}

/// What a service runs.
#[derive(Debug, Clone)]
pub enum Image<'a> {
    /// An image that exists.
    Name(Spanned<Cow<'a, str>>),
    /// One that bzc writes a Dockerfile for.
    Built(Box<BuiltImage<'a>>),
}

/// An image to be built.
#[derive(Debug, Clone)]
pub struct BuiltImage<'a> {
    /// Its runtime, by index.
    pub runtime: usize,
    /// The folder with its source, as seen from the program.
    pub source: Spanned<Cow<'a, str>>,
    /// The name and tag it will have.
    pub name: Option<Cow<'a, str>>,
    /// The shared image it starts from, by index.
    pub from: Option<usize>,
    /// The number of workers.
    pub workers: Option<Given<'a, u64>>,
    /// What its templates are filled with, by the names they have there: what the program says, else what the source
    /// shows, else what the runtime takes.
    pub values: BTreeMap<String, Param>,
    /// What the source shows, and in which file, a line each.
    pub found: Vec<String>,
    /// What the source shows.
    pub layout: Arc<Layout>,
    /// The port it listens on where the service has none.
    pub port: u16,
}

/// An image that others start from: the libraries, and nothing to start.
#[derive(Debug)]
pub struct SharedImage<'a> {
    /// What it is called in the program.
    pub name: Spanned<&'a str>,
    /// How it is built.
    pub image: BuiltImage<'a>,
}

/// The value of a parameter of a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// An amount of memory; templates see whole Mi.
    Memory(Bytes),
    /// A list of texts.
    Texts(Vec<String>),
}

/// A language or framework images are built for.
#[derive(Debug)]
pub struct Runtime<'a> {
    /// Its name.
    pub name: &'a str,
    /// How the layout of a source is read.
    pub language: Language,
    /// The constructors whose result a Python server serves.
    pub entry: Vec<Cow<'a, str>>,
    /// The least limit at which it was seen to answer.
    pub floor: Option<Given<'a, Bytes>>,
    /// The least at which it did not live by re-reading its own pages.
    pub calm: Option<Given<'a, Bytes>>,
    /// What each further worker adds to the floor. Without it, it has no workers.
    pub worker: Option<Given<'a, Bytes>>,
    /// What each further worker adds to what is calm, if that is something else.
    pub worker_calm: Option<Given<'a, Bytes>>,
    /// What needs less.
    pub leaner: Option<Cow<'a, str>>,
    /// The port it listens on.
    pub port: u16,
    /// The libraries without which it does not start.
    pub libraries: Vec<Cow<'a, str>>,
    /// Fields of `image` that must be said or seen.
    pub needs: Vec<&'a str>,
    /// The closed sets of `variant` and `manager`, the first taken where nothing is said.
    pub variants: Vec<&'a str>,
    /// The tools that install its libraries.
    pub managers: Vec<&'a str>,
    /// What its fields and parameters are where neither program nor source says so.
    pub params: BTreeMap<&'a str, Param>,
    /// The template of its Dockerfile, and where it is named.
    pub dockerfile: Spanned<String>,
    /// The template of its ignore list.
    pub ignore: Spanned<String>,
    /// The project's own templates.
    pub templates: Templates,
}

/// A port of a container.
#[derive(Debug, Clone, Copy)]
pub struct Port<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub number: Spanned<u16>,
    /// The port of every node it is reached by.
    pub node_port: Option<Spanned<u16>>,
    /// The port of the one node it runs on.
    pub host_port: Option<Spanned<u16>>,
    /// UDP rather than TCP.
    pub udp: bool,
}

/// The value of an environment variable.
#[derive(Debug, Clone)]
pub enum EnvValue<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A key of a Secret.
    Secret(&'a str, Cow<'a, str>),
    /// A key of a ConfigMap.
    Config(&'a str, Cow<'a, str>),
}

/// Which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeKind {
    /// Whether requests may come.
    Readiness,
    /// Whether it must be restarted.
    Liveness,
    /// Whether it has started.
    Startup,
}

/// A probe.
#[derive(Debug, Clone)]
pub struct Probe<'a> {
    /// Which.
    pub kind: ProbeKind,
    /// What it does.
    pub action: ProbeAction<'a>,
    /// Wait before the first.
    pub delay: Option<Millis>,
    /// Time between two.
    pub period: Option<Millis>,
    /// How long one may take.
    pub timeout: Option<Millis>,
    /// Failures in a row that count.
    pub failures: Option<u64>,
}

/// What a probe does.
#[derive(Debug, Clone)]
pub enum ProbeAction<'a> {
    /// GET of a path on a port.
    Http(Cow<'a, str>, u16),
    /// Opens a port.
    Tcp(u16),
    /// Runs a command in the container, at the container's cost.
    Exec(Vec<Cow<'a, str>>, Span),
}

/// A volume.
#[derive(Debug, Clone)]
pub struct Volume<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Where the container sees it.
    pub path: Cow<'a, str>,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// What it is.
    pub source: VolumeSource<'a>,
}

/// What a volume is.
#[derive(Debug, Clone)]
pub enum VolumeSource<'a> {
    /// A PersistentVolumeClaim that exists.
    Claim(&'a str),
    /// A claim for each pod of a StatefulSet: how much, and of which storage class.
    Storage(Bytes, Option<&'a str>),
    /// A ConfigMap.
    Config(&'a str),
    /// A Secret: its bytes lie in memory that no pod pays for.
    Secret(&'a str),
    /// A folder on disk that lives as long as the pod.
    Disk(Option<Bytes>),
    /// The same in memory, charged to the container.
    Memory(Given<'a, Bytes>),
    /// A folder of the node.
    Host(Cow<'a, str>),
}

/// A ConfigMap.
#[derive(Debug)]
pub struct Config<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Keys and texts, sorted by key.
    pub data: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A comparison the plan must meet.
#[derive(Debug)]
pub struct Expect<'a> {
    /// All of it, as written.
    pub span: Span,
    /// The left side.
    pub left: Formula<'a>,
    /// What stands between.
    pub operator: Operator,
    /// The right side.
    pub right: Formula<'a>,
}

/// A number that may depend on the plan.
#[derive(Debug)]
pub enum Formula<'a> {
    /// Known while compiling.
    Constant(Num),
    /// Known once the plan is made.
    Metric(Metric<'a>),
    /// `a + b` and its kin.
    Binary(Operator, Box<(Formula<'a>, Formula<'a>)>),
}

/// A number of the plan that `expect` may name.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// Of what, by index among its kind.
    pub of: Subject,
    /// Which number.
    pub key: &'a str,
    /// Where it was named.
    pub span: Span,
}

/// What a [`Metric`] is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A node.
    Node(usize),
    /// A budget.
    Budget(usize),
    /// A service.
    Service(usize),
}
