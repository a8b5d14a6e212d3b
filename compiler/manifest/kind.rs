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
    /// `postgresql.cnpg.io/Cluster`.
    pub name: String,
    /// The workloads that an object of it stands for.
    pub makes: Vec<Makes>,
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
    /// The list in the object of which each item makes one.
    pub each: Option<Path>,
    /// It is made where there is something at this value.
    pub when: Option<Value>,
    /// It is not made where there is something at this one.
    pub unless: Option<Value>,
    /// Its pods at rest; one where the declaration says nothing.
    pub replicas: Option<Value>,
    /// What a rollout adds.
    pub surge: Option<Value>,
    /// Seconds that its pods may take to end.
    pub grace: Option<Value>,
    /// Where its pod template stands.
    pub template: Option<Path>,
    /// A list of containers that are added, or laid over those with the same name.
    pub containers: Option<Path>,
    /// The same for init containers.
    pub inits: Option<Path>,
    /// What holds `nodeSelector`, `affinity` and their like.
    pub place: Option<Path>,
    /// It claims storage where there is something at this value.
    pub claims: Option<Value>,
    /// The containers that the operator makes.
    pub parts: Vec<Part>,
}

/// A container that an operator makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// It is made where there is something at this value.
    pub when: Option<Value>,
    /// It is not made where there is something at this one.
    pub unless: Option<Value>,
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
    /// Only where there is something at this value.
    pub when: Option<Value>,
    /// Not where there is something at this one.
    pub unless: Option<Value>,
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
    /// What stands at a path.
    At(Path),
    /// The first of which there is something.
    Either(Box<(Value, Value)>),
    /// Of counts.
    Product(Box<(Value, Value)>),
    /// Of counts.
    Sum(Box<(Value, Value)>),
}

/// A way into an object: keys, and names of items in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    /// Whether it begins at the item of the list that `each` names, not at the object.
    pub in_item: bool,
    /// The keys.
    pub keys: Vec<String>,
}

impl Path {
    /// As it is written in a declaration.
    pub(crate) fn written(&self) -> String {
        let keys = self.keys.join(".");
        match self.in_item {
            true => format!("item.{keys}"),
            false => keys,
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
            Value::Count(_) | Value::Percent(_) => Vec::new(),
        }
    }
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
