//! Kinds of objects that make pods, as `kind "GROUP/KIND"` declares them: where in an object its replicas and resources
//! stand, and what its operator takes where they are left out. Plain data: `sema` makes it from bz, and
//! `workload/made.rs` reads objects by it.

use std::sync::Arc;

use crate::admission::Role;
use crate::base::span::Span;

/// The kinds that make pods, as Kubernetes calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WorkloadKind {
    /// Deployment.
    Deployment,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// ReplicaSet, or the ReplicationController that it replaces.
    ReplicaSet,
    /// Job.
    Job,
    /// CronJob.
    CronJob,
    /// A pod that nothing starts again elsewhere.
    Pod,
}

/// A kind whose objects make pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maker {
    /// `postgresql.cnpg.io/Cluster`, or the name of a chart.
    pub name: String,
    /// Whether it is a chart.
    pub is_chart: bool,
    /// The workloads that an object of it stands for.
    pub makes: Vec<Makes>,
    /// The volumes of their pods.
    pub volumes: Vec<Volume>,
    /// What makes its pods unknown.
    pub unknown: Vec<Unknown>,
}

/// A workload that an operator makes of an object, or one for each item of a list in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Makes {
    /// What Kubernetes calls it.
    pub kind: WorkloadKind,
    /// Its name in the declaration.
    pub name: String,
    /// The list or map in the object of which each item makes one.
    pub each: Option<Path>,
    /// When it is made.
    pub on: Condition,
    /// Its pods at rest; one where the declaration says nothing.
    pub replicas: Option<Value>,
    /// What a rollout adds.
    pub surge: Option<Value>,
    /// The strategy of a rollout, of which `Recreate` adds nothing.
    pub strategy: Option<Value>,
    /// When a CronJob runs, what it does while a run goes on, and whether it is suspended.
    pub schedule: Option<Value>,
    /// `concurrencyPolicy` of a CronJob.
    pub concurrency: Option<Value>,
    /// Whether none of its pods is to run.
    pub suspend: Option<Value>,
    /// Seconds that its pods may take to end.
    pub grace: Option<Value>,
    /// Where its pod template stands.
    pub template: Option<Path>,
    /// Where the fields of its pods stand, key by key the first that there is.
    pub pod: Option<Value>,
    /// A list or a map of containers that are added, or laid over those with the same name.
    pub containers: Option<Path>,
    /// The same for init containers.
    pub inits: Option<Path>,
    /// What holds `nodeSelector`, `affinity` and their like.
    pub place: Option<Path>,
    /// It claims storage where there is something at this value.
    pub claims: Option<Value>,
    /// What a container of these has where it says nothing itself, key by key.
    pub container_defaults: Option<Path>,
    /// The containers that the operator makes.
    pub parts: Vec<Part>,
}

/// When something of a declaration is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// There is something at this value.
    pub when: Option<Value>,
    /// That is this text.
    pub is: Option<String>,
    /// There is nothing at this one.
    pub unless: Option<Value>,
}

/// What a volume is, as far as the proof asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VolumeKind {
    /// An `emptyDir` in memory.
    Memory,
    /// A Secret.
    Secret,
    /// A claim.
    Claim,
    /// Whatever a path has, in the form of Kubernetes.
    Any,
}

/// Volumes that an operator makes, one for each entry of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Volume {
    /// What they are.
    pub kind: VolumeKind,
    /// The map.
    pub each: Path,
    /// Which of its entries.
    pub on: Condition,
    /// A map by the items that have the volume; all have it where there is none.
    pub only: Option<Path>,
    /// All items have it where there is something at this path.
    pub all: Option<Path>,
    /// What else is asked of it: the size of one in memory, the name of a claim, or the volume itself.
    pub at: Option<Path>,
}

/// A container that an operator makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// When it is made.
    pub on: Condition,
    /// Where its resources stand.
    pub resources: Option<Value>,
    /// What the operator gives it where the object gives none: requests and limits of memory in bytes, and of CPU in
    /// thousandths of a core.
    pub memory: Figures,
    /// The same of CPU.
    pub cpu: Figures,
    /// The least limit of memory that the operator lets it have.
    pub least: Option<Figure>,
}

/// Request and limit that an operator gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// The request.
    pub request: Option<Figure>,
    /// The limit.
    pub limit: Option<Figure>,
}

/// A number of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    /// Bytes, or thousandths of a core.
    pub n: u64,
    /// Where it was given.
    pub by: Arc<GivenBy>,
}

/// Where a declaration gives a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GivenBy {
    /// The kind.
    pub kind: String,
    /// `config-reloader.memory`.
    pub key: String,
    /// The number.
    pub span: Span,
}

/// What makes pods of an object unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// When that is so.
    pub on: Condition,
    /// The second half of a sentence that begins with the object.
    pub why: String,
}

/// A value in a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A count.
    Count(u64),
    /// So many in a hundred.
    Percent(u64),
    /// A text.
    Text(String),
    /// What stands at a path.
    At(Path),
    /// The first of which there is something.
    Either(Box<(Value, Value)>),
    /// Of counts.
    Product(Box<(Value, Value)>),
    /// Of counts.
    Sum(Box<(Value, Value)>),
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// At the object.
    Object,
    /// At the item of the list or map that `each` of a workload names.
    Item,
    /// At the entry of the map that `each` of a volume names.
    Volume,
}

/// A way into an object: keys, and names of items in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Where it begins.
    pub root: Root,
    /// The keys.
    pub keys: Vec<String>,
}

impl Path {
    /// As it is written in a declaration.
    pub(crate) fn written(&self) -> String {
        let keys = self.keys.join(".");
        match self.root {
            Root::Object => keys,
            Root::Item => format!("item.{keys}"),
            Root::Volume => format!("volume.{keys}"),
        }
    }
}

impl Value {
    /// The paths in it, in order.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Value::At(path) => vec![path],
            Value::Either(sides) | Value::Product(sides) | Value::Sum(sides) => {
                let mut paths = sides.0.paths();
                paths.extend(sides.1.paths());
                paths
            }
            Value::Count(_) | Value::Percent(_) | Value::Text(_) => Vec::new(),
        }
    }
}

/// A chart of Helm, as `chart "NAME"` declares it: what its templates make of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    /// Where it is published: addresses without `https://` or `oci://`, and without its name.
    pub from: Vec<String>,
    /// How the versions begin that this is about: `4`, or `4.1`.
    pub versions: Vec<String>,
    /// What it makes of values.
    pub maker: Arc<Maker>,
}

/// Who knows the kinds that make pods.
pub(crate) trait Kinds {
    /// The kind of that group and name, if it is declared.
    fn maker(&self, group: &str, kind: &str) -> Option<Arc<Maker>>;
}

/// Nobody: only what Kubernetes itself brings makes pods.
impl Kinds for () {
    fn maker(&self, _: &str, _: &str) -> Option<Arc<Maker>> {
        None
    }
}
