//! What the proof must know of the objects in a manifest: workloads with their containers, requests and limits,
//! autoscalers, quotas and limit ranges. Everything keeps its place in the text.

pub(crate) mod balancer;
pub(crate) mod beyond;
pub(crate) mod bounds;
pub(crate) mod change;
pub(crate) mod dump;
mod made;
pub(crate) mod place;
pub(crate) mod quiet;
mod reader;
pub(crate) mod release;
mod rollout;
mod scale;
pub(crate) mod vertical;
pub(crate) mod way;

use std::collections::BTreeSet;
use std::ops::Range;

use super::kind::Kinds;
pub(crate) use super::kind::WorkloadKind;
use super::tree::{Fault, Tree, Yaml};
pub(crate) use crate::admission::Role;
use crate::admission::{Resources, amount};
use balancer::Balancer;
use beyond::{Beyond, Injected};
use bounds::{Claim, Counted, LimitRange, Namespace, ResourceQuota};
pub(crate) use dump::HookPhase;
use dump::Owner;
use place::Place;
pub(crate) use quiet::Uncounted;
use quiet::group;
use reader::Reader;
pub(crate) use reader::{Amount, Bounds};
use release::{Met, MetKind};
use vertical::Vertical;
pub(crate) use way::Way;

const KINDS: [(&str, WorkloadKind); 8] = [
    ("Deployment", WorkloadKind::Deployment),
    ("StatefulSet", WorkloadKind::StatefulSet),
    ("DaemonSet", WorkloadKind::DaemonSet),
    ("ReplicaSet", WorkloadKind::ReplicaSet),
    ("ReplicationController", WorkloadKind::ReplicaSet),
    ("Job", WorkloadKind::Job),
    ("CronJob", WorkloadKind::CronJob),
    ("Pod", WorkloadKind::Pod),
];

/// How the volume is called that the API server gives every pod for its token, and that dumps have
/// (plugin/pkg/admission/serviceaccount). It holds a few kilobytes.
const OF_THE_TOKEN: &str = "kube-api-access-";

/// The APIs of these kinds that Kubernetes serves since 1.25 (its deprecation guide).
const SERVED: [&str; 3] = ["v1", "apps/v1", "batch/v1"];

impl WorkloadKind {
    /// The one that has this name.
    pub(crate) fn of(name: &str) -> Option<WorkloadKind> {
        let known = KINDS.iter().find(|(known, _)| *known == name);
        known.map(|(_, kind)| *kind)
    }
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub at: Range<usize>,
    /// The way to it.
    pub way: Way,
    /// When it runs.
    pub role: Role,
    /// Memory.
    pub memory: Bounds,
    /// CPU.
    pub cpu: Bounds,
    /// Everything it requests.
    pub requests: Resources,
    /// Everything it is limited to.
    pub limits: Resources,
}

/// The pods that a rollout of a Deployment starts while the old ones still run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surge {
    /// All old pods end first.
    Recreate,
    /// A number of pods.
    Pods(u64),
    /// A percentage, rounded up.
    Percent(u64),
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workload {
    /// The kind.
    pub kind: WorkloadKind,
    /// `apiVersion` as written.
    pub api_version: String,
    /// `kind` as written.
    pub kind_text: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// Whether that is the namespace of its release, which its text does not have.
    pub is_installed: bool,
    /// Where its name stands.
    pub at: Range<usize>,
    /// All of it.
    pub whole: Range<usize>,
    /// The way to it.
    pub way: Way,
    /// The way from it to the spec of its pods.
    pub pod: Vec<&'static str>,
    /// Its containers: those that run first, in order, then the others.
    pub containers: Vec<Container>,
    /// `replicas`, or `parallelism` of a Job; 1 where not given.
    pub replicas: u64,
    /// Where that stands.
    pub replicas_at: Option<Range<usize>>,
    /// `completions`.
    pub completions: Option<u64>,
    /// Of a Deployment.
    pub surge: Surge,
    /// How many of its pods a Deployment may miss during a rollout.
    pub unavailable: Unavailable,
    /// Revisions that it keeps, `revisionHistoryLimit`.
    pub revisions: u64,
    /// Runs of a CronJob that it keeps, ended well and badly.
    pub kept_runs: u64,
    /// Failures of a run that are borne, each with a pod that is kept.
    pub retries: u64,
    /// Whether it has a `rollingUpdate` of its own.
    pub has_rolling_update: bool,
    /// `concurrencyPolicy` of a CronJob.
    pub concurrency: Option<String>,
    /// The schedule of a CronJob.
    pub schedule: String,
    /// Whether a pod that has to end may still be there while its successor runs.
    pub lingers: bool,
    /// Seconds that its pods may take to end, `terminationGracePeriodSeconds`.
    pub grace: u64,
    /// Volumes in memory: their names and bounds.
    pub in_memory: Vec<(String, Option<u64>)>,
    /// Secrets that are mounted as files.
    pub secrets: Vec<String>,
    /// Whether each of its pods keeps claims of its own, `volumeClaimTemplates`.
    pub keeps_claims: bool,
    /// Claims that all of its pods share, by name.
    pub shared_claims: Vec<String>,
    /// Claims that are made for each of its pods.
    pub claims_each: Vec<Claim>,
    /// Whether its pods themselves have an `activeDeadlineSeconds`.
    pub has_deadline: bool,
    /// Whether a term of its pod affinities names other namespaces.
    pub crosses_namespaces: bool,
    /// Where its pods may run.
    pub place: Place,
    /// What of its pods the sums do not hold.
    pub beyond: Vec<Beyond>,
    /// Keys by which its pods refuse containers that a webhook would add.
    pub refuses_injection: BTreeSet<String>,
    /// The controller that made it, where it comes from a dump.
    pub owner: Option<Owner>,
    /// Whether it comes from a cluster, rather than from somebody who wrote it.
    pub from_cluster: bool,
    /// Where it says that none of its pods is to run.
    pub idle: Option<Range<usize>>,
    /// When Helm runs it, if it is a hook.
    pub hook: Option<HookPhase>,
    /// The release that it says to be of (`app.kubernetes.io/instance`).
    pub instance: Option<String>,
    /// The object of which an operator makes it, if it is no object of Kubernetes' own.
    pub made_of: Option<MadeOf>,
}

/// An object of which an operator makes workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeOf {
    /// Its group and kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// How many pods of a Deployment a rollout may take away before their successors are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// A number of pods.
    Pods(u64),
    /// A percentage, rounded down.
    Percent(u64),
}

/// An autoscaler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scaler {
    /// The kind it scales.
    pub kind: String,
    /// The name of what it scales.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The fewest pods.
    pub least: u64,
    /// The most.
    pub most: u64,
    /// Where the most stands.
    pub at: Range<usize>,
    /// What it is where nothing of that kind and name was adopted.
    pub alone: Uncounted,
}

/// A PriorityClass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PriorityClass {
    /// Its name.
    pub name: String,
    /// Whether its value is under 0, that of pods without a class.
    pub is_negative: bool,
    /// Whether its pods push out no others (`preemptionPolicy: Never`).
    pub is_patient: bool,
    /// Whether pods without a class have it (`globalDefault`).
    pub is_default: bool,
}

/// Everything in one file that the proof is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Objects {
    /// Workloads, in order.
    pub workloads: Vec<Workload>,
    /// ResourceQuotas.
    pub quotas: Vec<ResourceQuota>,
    /// Autoscalers.
    pub scalers: Vec<Scaler>,
    /// What changes pods of others as they are made.
    pub verticals: Vec<Vertical>,
    /// Services for which K3s makes pods of its own.
    pub balancers: Vec<Balancer>,
    /// LimitRanges.
    pub ranges: Vec<LimitRange>,
    /// Namespaces that say something of their pods.
    pub namespaces: Vec<Namespace>,
    /// Namespaces into whose pods a webhook puts containers.
    pub injected: Vec<Injected>,
    /// Objects other than workloads that quotas count.
    pub counted: Vec<Counted>,
    /// PriorityClasses.
    pub classes: Vec<PriorityClass>,
    /// Objects whose pods nobody can count from here.
    pub uncounted: Vec<Uncounted>,
    /// Objects that have charts or folders of manifests installed, and what these come from.
    pub met: Vec<Met>,
    /// How many objects there are.
    pub count: usize,
    /// The namespace that Helm installs them into, where it is said.
    pub release: Option<String>,
}

impl Objects {
    /// Puts all of them that have a namespace into this one, as a kustomization does.
    pub(crate) fn put_into(&mut self, namespace: &str) {
        for written in self.namespaces_mut() {
            *written = Some(namespace.to_owned());
        }
    }

    /// Puts those that name no namespace into that of their release, as Helm does. Their texts do not have it.
    pub(crate) fn install_into(&mut self, namespace: &str) {
        self.release = Some(namespace.to_owned());
        for workload in &mut self.workloads {
            workload.is_installed = workload.namespace.is_none();
        }
        for written in self.namespaces_mut() {
            written.get_or_insert_with(|| namespace.to_owned());
        }
    }

    fn namespaces_mut(&mut self) -> impl Iterator<Item = &mut Option<String>> {
        let workloads = self.workloads.iter_mut().map(|one| &mut one.namespace);
        let quotas = self.quotas.iter_mut().map(|one| &mut one.namespace);
        let scalers = self.scalers.iter_mut().map(|one| &mut one.namespace);
        let verticals = self.verticals.iter_mut().map(|one| &mut one.namespace);
        let balancers = self.balancers.iter_mut().map(|one| &mut one.namespace);
        let ranges = self.ranges.iter_mut().map(|one| &mut one.namespace);
        let counted = self.counted.iter_mut().map(|one| &mut one.namespace);
        let uncounted = self.uncounted.iter_mut().map(|one| &mut one.namespace);
        let met = self.met.iter_mut().map(|one| &mut one.namespace);
        let all = workloads.chain(quotas).chain(scalers).chain(verticals);
        let all = all.chain(balancers).chain(ranges);
        all.chain(counted).chain(uncounted).chain(met)
    }
}

/// A quantity of Kubernetes in bytes, rounded up.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    amount(text).and_then(|n| u64::try_from(n.div_ceil(1000)).ok())
}

/// Reads everything in a file that the proof is about. `kinds` knows what operators make of objects.
///
/// # Errors
///
/// A field that is there and cannot be understood, with its place: what is not understood cannot be counted.
pub(crate) fn objects(source: &str, tree: &Tree, kinds: &dyn Kinds) -> Result<Objects, Fault> {
    let reader = Reader::new(source, tree, kinds);
    let mut objects = Objects::default();
    for (document, root) in tree.documents.iter().enumerate() {
        reader.object(root, Way::to(document), &mut objects)?;
    }
    if let Some((start, end)) = reader.odd.get() {
        return Err(Fault {
            at: start as usize..end as usize,
            what: "a name with a character that is not seen, which Kubernetes refuses".to_owned(),
        });
    }
    match reader.too_deep.get() {
        true => Err(Fault {
            at: 0..0,
            what: "merge keys (`<<`) go deeper than bzc follows".to_owned(),
        }),
        false => Ok(objects),
    }
}

/// Whether a text holds the marks of a template language where values are.
pub(crate) fn template(source: &str) -> Option<Range<usize>> {
    let at = ["{{", "{%"]
        .iter()
        .filter_map(|mark| source.find(mark))
        .min()?;
    Some(at..at + 2)
}

/// `apiVersion`, `kind`, name and namespace of an object.
type Head = (String, String, String, Option<String>);

impl<'t> Reader<'t> {
    /// Takes note of an object, or of all objects of a list.
    fn object(&self, root: &'t Yaml, way: Way, objects: &mut Objects) -> Result<(), Fault> {
        let Some(real) = self.real(root) else {
            return Ok(());
        };
        let (Some(kind), Some(api_version)) =
            (self.text(real, "kind"), self.text(real, "apiVersion"))
        else {
            return Ok(());
        };
        if kind == "List" || kind.ends_with("List") && self.get(real, "items").is_some() {
            for (index, item) in self.items(real, "items")?.iter().enumerate() {
                self.object(item, way.key("items").item(index), objects)?;
            }
            return Ok(());
        }
        objects.count += 1;
        let metadata = self.get(real, "metadata").unwrap_or(real);
        let name = self
            .text(metadata, "name")
            .or(self.text(metadata, "generateName"))
            .unwrap_or_default();
        let namespace = self.text(metadata, "namespace");
        let known = WorkloadKind::of(&kind);
        let group = group(&api_version).to_owned();
        let core = ["", "apps", "batch", "extensions"].contains(&group.as_str());
        let spec = self.get(real, "spec");
        let target = spec.and_then(|spec| self.text(spec, "targetNamespace"));
        let system = Some("kube-system");
        let uncounted = |why: String| Uncounted {
            what: format!("{kind} {name}"),
            namespace: namespace.clone(),
            group: group.clone(),
            why,
            of_unknown_kind: false,
            partly: false,
            in_system: namespace.as_deref() == system || target.as_deref() == system,
            at: real.range(),
        };
        let met_here = |met: MetKind, way: Way| Met {
            kind: met,
            kind_text: kind.clone(),
            name: name.clone(),
            namespace: namespace.clone(),
            way,
            alone: uncounted(String::new()),
        };
        if api_version == "v1" && kind == "Service" {
            let balancer = self.balancer(real, &name, namespace.as_deref())?;
            if balancer.is_some() && self.has_other_priority(metadata) {
                let why = "K3s makes pods for it whose priority is not its own";
                objects.uncounted.push(uncounted(why.to_owned()));
            } else {
                objects.balancers.extend(balancer);
            }
        }
        match known.filter(|_| core) {
            Some(_) if !SERVED.contains(&api_version.as_str()) => {
                let why = format!("K3s serves no `{api_version}`, and refuses it");
                objects.uncounted.push(uncounted(why));
            }
            // Its controller, if it has one, counts what it keeps.
            Some(_) if self.has_ended(real, &kind)? => {
                let free = self.owner(metadata)?.is_none();
                let counted = self.counted(&kind, real, (name, namespace))?;
                objects.counted.extend(counted.filter(|_| free));
            }
            Some(kind_of) => {
                let why =
                    "its containers are missing, or have no image: it may be a patch for kustomize";
                let patch = uncounted(why.to_owned());
                match self.workload(real, kind_of, (api_version, kind, name, namespace), way)? {
                    Some(workload) => objects.workloads.push(workload),
                    None => objects.uncounted.push(patch),
                }
            }
            _ if !core && let Some(maker) = self.kinds.maker(&group, &kind) => {
                let of = (api_version.as_str(), kind.as_str(), name.as_str());
                let of = (of.0, of.1, of.2, namespace.as_ref());
                let (made, unknown) = self.made(real, &maker, of, &way)?;
                let partly = !made.is_empty();
                objects.workloads.extend(made);
                let unknown = unknown.into_iter().map(&uncounted);
                let unknown = unknown.map(|object| Uncounted { partly, ..object });
                objects.uncounted.extend(unknown);
            }
            _ if let Some(met) = MetKind::of(&group, &kind).filter(|met| met.installs()) => {
                objects.met.push(met_here(met, way));
            }
            _ if let Some(why) = self.may_change_pods(real, &kind) => {
                objects.uncounted.push(uncounted(why.to_owned()));
            }
            _ if let Some((why, of_unknown_kind)) = self.may_make_pods(&group, &kind, spec) => {
                objects.uncounted.push(Uncounted {
                    of_unknown_kind,
                    ..uncounted(why.to_owned())
                });
            }
            _ => {
                if let Some(met) = MetKind::of(&group, &kind) {
                    objects.met.push(met_here(met, way));
                }
                let head = (api_version, kind.clone(), name.clone(), namespace.clone());
                self.without_pods(real, head, &uncounted, objects)?;
            }
        }
        Ok(())
    }

    /// Takes note of an object that makes no pods: what it scales or bounds, and that quotas count it.
    fn without_pods(
        &self,
        object: &'t Yaml,
        (api_version, kind, name, namespace): Head,
        uncounted: &dyn Fn(String) -> Uncounted,
        objects: &mut Objects,
    ) -> Result<(), Fault> {
        let known_as = (name.clone(), namespace.clone());
        let counted = self.counted(&kind, object, known_as.clone())?;
        objects.counted.extend(counted);
        let spec = self.get(object, "spec");
        let metadata = self.get(object, "metadata").unwrap_or(object);
        match (kind.as_str(), spec) {
            ("HorizontalPodAutoscaler", Some(spec)) => {
                let bounds = [("minReplicas", 1), ("maxReplicas", 1)];
                let scaler = self.scaler(object, spec, bounds, namespace, uncounted)?;
                objects.scalers.extend(scaler);
            }
            // kedacore/keda apis/keda/v1alpha1/scaledobject_types.go: at most 100 where nothing is said.
            ("ScaledObject", Some(spec)) if group(&api_version) == "keda.sh" => {
                let bounds = [("minReplicaCount", 0), ("maxReplicaCount", 100)];
                let scaler = self.scaler(object, spec, bounds, namespace, uncounted)?;
                objects.scalers.extend(scaler);
            }
            ("VerticalPodAutoscaler", Some(spec))
                if group(&api_version) == "autoscaling.k8s.io" =>
            {
                let vertical = self.vertical(object, spec, namespace, uncounted)?;
                objects.verticals.extend(vertical);
            }
            ("LimitRange", Some(spec)) => objects.ranges.push(LimitRange {
                entries: self.limit_range(spec)?,
                name,
                namespace,
                at: self.named_at(object),
            }),
            ("ResourceQuota", Some(spec)) => {
                let quota = self.quota(spec, known_as, self.named_at(object))?;
                objects.quotas.push(quota);
            }
            ("Namespace", _) if api_version == "v1" => {
                objects.injected.extend(self.injected(metadata, &name));
                objects.namespaces.extend(self.namespace(metadata, name));
            }
            ("PriorityClass", _) => objects.classes.push(PriorityClass {
                name,
                is_negative: self
                    .text(object, "value")
                    .is_some_and(|value| value.starts_with('-')),
                is_patient: self.text(object, "preemptionPolicy").as_deref() == Some("Never"),
                is_default: self.text(object, "globalDefault").as_deref() == Some("true"),
            }),
            _ => {}
        }
        Ok(())
    }

    fn workload(
        &self,
        object: &'t Yaml,
        kind: WorkloadKind,
        (api_version, kind_text, name, namespace): Head,
        way: Way,
    ) -> Result<Option<Workload>, Fault> {
        let at = self.get(object, "metadata").and_then(|metadata| {
            let name = self
                .get(metadata, "name")
                .or(self.get(metadata, "generateName"))?;
            Some(name.range())
        });
        let Some(at) = at else {
            let start = object.range().start;
            return Err(Fault {
                at: start..start,
                what: format!("this {kind_text} has no `metadata.name`"),
            });
        };
        let path: Vec<&'static str> = match kind {
            WorkloadKind::Pod => vec!["spec"],
            WorkloadKind::CronJob => vec!["spec", "jobTemplate", "spec", "template", "spec"],
            _ => vec!["spec", "template", "spec"],
        };
        let Some(spec) = self.get(object, "spec") else {
            return Ok(None);
        };
        let Some(pod) = path
            .iter()
            .try_fold(object, |node, key| self.get(node, key))
        else {
            return Ok(None);
        };
        let way_to_pod = path.iter().fold(way.clone(), |way, key| way.key(key));
        let containers = self.containers(pod, &way_to_pod, Some(&name))?;
        let main = self.items(pod, "containers")?;
        if main.is_empty() || main.iter().any(|one| self.get(one, "image").is_none()) {
            return Ok(None);
        }
        let job = match kind {
            WorkloadKind::CronJob => self
                .get(spec, "jobTemplate")
                .and_then(|job| self.get(job, "spec"))
                .unwrap_or(spec),
            _ => spec,
        };
        let above = path
            .iter()
            .take(path.len() - 1)
            .try_fold(object, |node, key| self.get(node, key));
        let metadata = above.and_then(|template| self.get(template, "metadata"));
        let runs = matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob);
        let replicas = self.count(job, if runs { "parallelism" } else { "replicas" })?;
        let mut workload = Workload {
            kind,
            api_version,
            idle: self.idle(object, &kind_text),
            hook: self.hook(object, kind, pod),
            instance: self.instance(object),
            from_cluster: self.is_from_cluster(self.get(object, "metadata")),
            kind_text,
            namespace,
            is_installed: false,
            at,
            whole: object.range(),
            way,
            pod: path,
            containers,
            replicas: replicas.as_ref().map_or(1, |(n, _)| *n),
            replicas_at: replicas.map(|(_, at)| at),
            completions: if runs {
                self.count(job, "completions")?.map(|(n, _)| n)
            } else {
                None
            },
            surge: Surge::Recreate,
            unavailable: Unavailable::Percent(25),
            revisions: self.whole(spec, "revisionHistoryLimit", 10),
            kept_runs: match kind {
                WorkloadKind::CronJob => {
                    self.whole(spec, "successfulJobsHistoryLimit", 3)
                        + self.whole(spec, "failedJobsHistoryLimit", 1)
                }
                _ => 0,
            },
            retries: self.whole(job, "backoffLimit", 6),
            has_rolling_update: false,
            concurrency: self.text(spec, "concurrencyPolicy"),
            schedule: self.text(spec, "schedule").unwrap_or_default(),
            lingers: runs && self.text(job, "podReplacementPolicy").as_deref() != Some("Failed"),
            grace: self.whole(pod, "terminationGracePeriodSeconds", 30),
            in_memory: Vec::new(),
            secrets: Vec::new(),
            keeps_claims: !self.items(spec, "volumeClaimTemplates")?.is_empty(),
            shared_claims: Vec::new(),
            claims_each: self.claims(spec, pod)?,
            has_deadline: self.get(pod, "activeDeadlineSeconds").is_some(),
            crosses_namespaces: self.crosses_namespaces(pod)?,
            place: self.place(pod, metadata)?,
            beyond: self.beyond(pod, metadata),
            refuses_injection: self.refuses_injection(metadata),
            owner: match self.get(object, "metadata") {
                Some(metadata) => self.owner(metadata)?,
                None => None,
            },
            made_of: None,
            name,
        };
        if matches!(kind, WorkloadKind::DaemonSet | WorkloadKind::Pod) {
            (workload.replicas, workload.replicas_at) = (1, None);
        }
        self.rollout(spec, &mut workload)?;
        self.volumes(pod, &mut workload)?;
        Ok(Some(workload))
    }

    /// Takes note of the volumes of a pod that lie in memory, or tie it to a node.
    fn volumes(&self, pod: &'t Yaml, workload: &mut Workload) -> Result<(), Fault> {
        for volume in self.items(pod, "volumes")? {
            let name = self.text(volume, "name").unwrap_or_default();
            if let Some(dir) = self.get(volume, "emptyDir")
                && self.text(dir, "medium").as_deref() == Some("Memory")
            {
                workload
                    .in_memory
                    .push((name, self.amount(dir, "sizeLimit")?.map(|amount| amount.n)));
            } else if self.get(volume, "secret").is_some() {
                workload.secrets.push(name);
            } else if let Some(claim) = self.get(volume, "persistentVolumeClaim") {
                let claim = self.text(claim, "claimName").unwrap_or_default();
                workload.shared_claims.push(claim);
            } else if let Some(projected) = self.get(volume, "projected")
                && !name.starts_with(OF_THE_TOKEN)
            {
                let sources = self.items(projected, "sources")?.iter();
                let in_memory = sources.filter(|source| {
                    let has = |key| self.get(source, key).is_some();
                    has("secret") || has("configMap")
                });
                workload.secrets.extend(in_memory.map(|_| name.clone()));
            }
        }
        Ok(())
    }

    fn containers(
        &self,
        pod: &'t Yaml,
        way: &Way,
        of: Option<&str>,
    ) -> Result<Vec<Container>, Fault> {
        let mut containers = Vec::new();
        for list in ["initContainers", "containers"] {
            for (index, item) in self.items(pod, list)?.iter().enumerate() {
                let way = way.key(list).item(index);
                containers.extend(self.container(item, list, way, of)?);
            }
        }
        Ok(containers)
    }

    /// A container of the list of that name.
    fn container(
        &self,
        item: &'t Yaml,
        list: &'static str,
        way: Way,
        of: Option<&str>,
    ) -> Result<Option<Container>, Fault> {
        let Some(item) = self.real(item) else {
            return Ok(None);
        };
        // Some operators give a container without a name one of their own.
        let name = match (self.get(item, "name"), of) {
            (Some(name), _) => name,
            (None, None) => item,
            (None, Some(of)) => {
                return Err(Fault {
                    at: item.range().start..item.range().start,
                    what: format!("a container of `{of}` has no `name`"),
                });
            }
        };
        let role = match (list, self.text(item, "restartPolicy").as_deref()) {
            ("containers", _) => Role::Main,
            (_, Some("Always")) => Role::Sidecar,
            _ => Role::Init,
        };
        let resources = self.get(item, "resources");
        Ok(Some(Container {
            name: self.word(name).unwrap_or("unnamed").to_owned(),
            at: name.range(),
            way,
            role,
            memory: self.bounds(resources, "memory", ["requests", "limits"])?,
            cpu: self.bounds(resources, "cpu", ["requests", "limits"])?,
            requests: self.list(resources, "requests")?.amounts,
            limits: self.list(resources, "limits")?.amounts,
        }))
    }
}
