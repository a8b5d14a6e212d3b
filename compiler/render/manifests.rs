//! The manifests that a program adopts, with the numbers that the plan decided. Every patched text has been read again
//! and compared with the original (`manifest::edit`).

use super::errors;
use crate::base::id::{Id, numbered};
use crate::base::quantity::{Bytes, Cpu};
use crate::diag::{Diagnostic, Sink};
use crate::manifest::Manifest;
use crate::manifest::edit::{Want, apply};
use crate::manifest::workload::{Amount, Container, Role, Way, Workload as Object};
use crate::plan::model::{Plan, Workload};
use crate::program::{Adopted, Form, HOSTNAME, Kind, ManifestId, MaxSurge, Rollout, Service};

/// A manifest as it is given back.
#[derive(Debug)]
pub(crate) struct Patched {
    /// Its index among the program's manifests.
    pub manifest: ManifestId,
    /// How it is given back.
    pub form: Form,
    /// Its text with the changes; the text as it is, where patches are laid over it.
    pub text: String,
}

/// What changes of a container.
#[derive(Debug, Default)]
pub(crate) struct ContainerChange<'p> {
    /// Its index in the object.
    pub index: usize,
    /// Request and limit of memory.
    pub memory: Option<(Bytes, Bytes)>,
    /// Request and limit of CPU.
    pub cpu: Option<(Cpu, Option<Cpu>)>,
    /// Variables.
    pub env: Vec<(&'p str, &'p str)>,
}

/// What changes of a workload.
#[derive(Debug)]
pub(crate) struct Change<'p> {
    /// What was read of it.
    pub object: &'p Object,
    /// Its containers, those that change.
    pub containers: Vec<ContainerChange<'p>>,
    /// Pods at rest.
    pub replicas: Option<u64>,
    /// How a new version replaces the old.
    pub rollout: Option<Rollout>,
    /// `concurrencyPolicy`.
    pub concurrency: Option<&'static str>,
    /// The names of the nodes that its pods are held to.
    pub held_to: Option<Vec<&'p str>>,
}

impl Change<'_> {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        let more = self.replicas.is_some() || self.rollout.is_some() || self.concurrency.is_some();
        self.containers.is_empty() && !more && self.held_to.is_none()
    }
}

/// What the plan changes of an adopted workload.
pub(crate) fn change<'p>(
    plan: &'p Plan<'_, '_>,
    service: &'p Service<'_>,
    adopted: &'p Adopted<'_>,
    workload: &Workload<'_>,
) -> Change<'p> {
    let mut containers = Vec::new();
    for (index, held) in adopted.containers.iter().enumerate() {
        let memory = match held.extra.map(|extra| &service.extras[extra]) {
            None => (workload.request, workload.limit),
            Some(extra) => (
                extra.request.unwrap_or(extra.memory).value,
                extra.memory.value,
            ),
        };
        let change = ContainerChange {
            index,
            memory: held.sets_memory.then_some(memory),
            cpu: held
                .cpu
                .map(|(request, limit)| (request.value, limit.map(|limit| limit.value))),
            env: held
                .env
                .iter()
                .map(|(name, value)| (*name, value.as_ref()))
                .collect(),
        };
        if change.memory.is_some() || change.cpu.is_some() || !change.env.is_empty() {
            containers.push(change);
        }
    }
    let concurrency = match &service.kind {
        Kind::CronJob(_, schedule) => schedule.concurrency.policy(),
        _ => "",
    };
    Change {
        object: adopted.object,
        containers,
        replicas: adopted.sets_replicas.then_some(service.replicas.value),
        rollout: adopted.sets_rollout.then_some(service.rollout.value),
        concurrency: adopted.sets_concurrency.then_some(concurrency),
        held_to: plan
            .held_to(service, workload)
            .filter(|_| workload.peak() > 0),
    }
}

/// Everything that is wanted of one object, within what is wanted of its file.
fn wants(change: &Change<'_>, all: &mut Vec<(usize, Want)>) {
    let object = change.object;
    for changed in &change.containers {
        container_wants(&object.containers[changed.index], changed, all);
    }
    if let Some(names) = &change.held_to {
        let keys = object.pod.iter();
        let pod = keys.fold(object.way.clone(), |way, key| way.key(key));
        node_wants(&pod, names, all);
    }
    let spec = object.way.key("spec");
    if let Some(replicas) = change.replicas {
        *spec.key("replicas").within(all) = Want::Count(replicas);
    }
    if let Some(concurrency) = change.concurrency {
        *spec.key("concurrencyPolicy").within(all) = Want::Word(concurrency.to_owned());
    }
    if let Some(rollout) = change.rollout {
        rollout_wants(&spec.key("strategy"), rollout, object, all);
    }
}

/// The resources and variables of a container. What the file says already stays as it is spelled.
fn container_wants(
    container: &Container,
    changed: &ContainerChange<'_>,
    all: &mut Vec<(usize, Want)>,
) {
    let resources = container.way.key("resources");
    let mut set = |list, key, written: &Option<Amount>, n: u64, text: String| {
        if written.as_ref().is_none_or(|written| written.n != n) {
            *resources.key(list).key(key).within(all) = Want::Word(text);
        }
    };
    if let Some((request, limit)) = changed.memory {
        let written = &container.memory;
        let text = request.to_string();
        set("requests", "memory", &written.request, request.n, text);
        let text = limit.to_string();
        set("limits", "memory", &written.limit, limit.n, text);
    }
    if let Some((request, limit)) = changed.cpu {
        let written = &container.cpu;
        let text = request.to_string();
        set("requests", "cpu", &written.request, request.milli, text);
        if let Some(limit) = limit {
            let text = limit.to_string();
            set("limits", "cpu", &written.limit, limit.milli, text);
        }
    }
    if !changed.env.is_empty() {
        let named = changed.env.iter().map(|(name, value)| {
            let value = Want::Text((*value).to_owned());
            ((*name).to_owned(), Want::Map(vec![("value", value)]))
        });
        *container.way.key("env").within(all) = Want::Named(named.collect());
    }
}

/// The nodes that pods are held to: one by its label, several by a required affinity.
fn node_wants(pod: &Way, names: &[&str], all: &mut Vec<(usize, Want)>) {
    let text = |name: &&str| Want::Text((*name).to_owned());
    if let [name] = names {
        *pod.key("nodeSelector").key(HOSTNAME).within(all) = text(name);
        return;
    }
    let hostname = Want::Map(vec![
        ("key", Want::Word(HOSTNAME.to_owned())),
        ("operator", Want::Word("In".to_owned())),
        ("values", Want::List(names.iter().map(text).collect())),
    ]);
    let term = Want::Map(vec![("matchExpressions", Want::List(vec![hostname]))]);
    let affinity = AFFINITY.iter();
    let required = affinity.fold(pod.clone(), |way, key| way.key(key));
    *required.key("nodeSelectorTerms").within(all) = Want::List(vec![term]);
}

/// How a Deployment replaces its pods.
fn rollout_wants(strategy: &Way, rollout: Rollout, object: &Object, all: &mut Vec<(usize, Want)>) {
    *strategy.key("type").within(all) = Want::Word(rollout.strategy().to_owned());
    let rolling = strategy.key("rollingUpdate");
    match rollout.rolling() {
        Some((surge, unavailable)) => {
            *rolling.key("maxSurge").within(all) = match surge {
                MaxSurge::Pods(n) => Want::Count(n),
                MaxSurge::Percent(percent) => Want::Word(format!("{percent}%")),
            };
            *rolling.key("maxUnavailable").within(all) = Want::Count(unavailable.into());
        }
        None if object.has_rolling_update => *rolling.within(all) = Want::Absent,
        None => {}
    }
}

/// The way from the spec of a pod to what it requires of nodes.
const AFFINITY: [&str; 3] = [
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
];

/// The entry of a container in a strategic-merge patch.
fn container_patch(container: &Container, changed: &ContainerChange<'_>) -> serde_json::Value {
    let mut item = serde_json::json!({ "name": container.name });
    if let Some((request, limit)) = changed.memory {
        item["resources"]["requests"]["memory"] = request.to_string().into();
        item["resources"]["limits"]["memory"] = limit.to_string().into();
    }
    if let Some((request, limit)) = changed.cpu {
        item["resources"]["requests"]["cpu"] = request.to_string().into();
        if let Some(limit) = limit {
            item["resources"]["limits"]["cpu"] = limit.to_string().into();
        }
    }
    if !changed.env.is_empty() {
        let env = changed
            .env
            .iter()
            .map(|(name, value)| serde_json::json!({ "name": name, "value": value }));
        item["env"] = env.collect();
    }
    item
}

/// A strategic-merge patch of one object: what identifies it, and what changes.
pub(crate) fn merge_patch(change: &Change<'_>) -> serde_json::Value {
    use serde_json::{Map, Value, json};
    let object = change.object;
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), object.name.clone().into());
    metadata.extend(
        object
            .namespace
            .clone()
            .filter(|_| !object.is_installed)
            .map(|namespace| ("namespace".to_owned(), namespace.into())),
    );
    let mut pod = Map::new();
    let runs_before = |index: usize| object.containers[index].role != Role::Main;
    let orders = change.containers.iter().any(|one| runs_before(one.index));
    for (index, container) in object.containers.iter().enumerate() {
        let changed = change.containers.iter().find(|one| one.index == index);
        // Items of a patch come before all others: without those that do not change, init containers would run in another
        // order.
        if changed.is_none() && !(orders && runs_before(index)) {
            continue;
        }
        let item = match changed {
            Some(changed) => container_patch(container, changed),
            None => json!({ "name": container.name }),
        };
        let list = if container.role == Role::Main {
            "containers"
        } else {
            "initContainers"
        };
        let items = pod.entry(list).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(items) = items {
            items.push(item);
        }
    }
    match change.held_to.as_deref() {
        None => {}
        Some([name]) => _ = pod.insert("nodeSelector".to_owned(), json!({ HOSTNAME: name })),
        Some(names) => {
            let hostname = json!({ "key": HOSTNAME, "operator": "In", "values": names });
            let mut affinity = json!({ "nodeSelectorTerms": [{ "matchExpressions": [hostname] }] });
            for key in AFFINITY.iter().skip(1).rev() {
                affinity = json!({ *key: affinity });
            }
            pod.insert(AFFINITY[0].to_owned(), affinity);
        }
    }
    let mut patch =
        json!({ "apiVersion": object.api_version, "kind": object.kind_text, "metadata": metadata });
    if !pod.is_empty() {
        let at = object
            .pod
            .iter()
            .fold(&mut patch, |value, key| &mut value[*key]);
        *at = Value::Object(pod);
    }
    if let Some(replicas) = change.replicas {
        patch["spec"]["replicas"] = replicas.into();
    }
    if let Some(concurrency) = change.concurrency {
        patch["spec"]["concurrencyPolicy"] = concurrency.into();
    }
    if let Some(rollout) = change.rollout {
        let rolling = rollout.rolling().map(|(surge, unavailable)| {
            let surge: Value = match surge {
                MaxSurge::Pods(n) => n.into(),
                MaxSurge::Percent(percent) => format!("{percent}%").into(),
            };
            json!({ "maxSurge": surge, "maxUnavailable": unavailable })
        });
        patch["spec"]["strategy"] = json!({ "type": rollout.strategy(), "rollingUpdate": rolling });
    }
    patch
}

/// Patches every adopted manifest, or says of each that cannot be patched why.
pub(super) fn patch(plan: &Plan<'_, '_>, sink: &mut Sink) -> Vec<Patched> {
    let program = plan.program;
    let mut wanted: Vec<Vec<(usize, Want)>> =
        program.manifests.iter().map(|_| Vec::new()).collect();
    for (service, workload) in program.services.iter().zip(&plan.workloads) {
        let Some(adopted) = &service.adopted else {
            continue;
        };
        let mut change = change(plan, service, adopted, workload);
        change.held_to = change.held_to.filter(|names| {
            let refusal = cannot_hold(
                service,
                adopted,
                names,
                &program.manifests[adopted.manifest],
            );
            let holds = refusal.is_none();
            refusal.into_iter().for_each(|refusal| sink.push(refusal));
            holds
        });
        wants(&change, &mut wanted[adopted.manifest.index()]);
    }
    let mut patched = Vec::new();
    for ((id, manifest), wanted) in numbered(program.manifests).zip(wanted) {
        if manifest.is_release {
            continue;
        }
        let adopt = program
            .adopts
            .iter()
            .find(|adopt| adopt.patterns.contains(&manifest.pattern));
        let Some(form) = adopt.map(|adopt| adopt.form) else {
            continue;
        };
        let source = &program.sources.file(manifest.file).text;
        let text = match form {
            _ if manifest.is_built => {
                let refusal = cannot_lay_over(manifest, form).filter(|_| !wanted.is_empty());
                if let Some((why, help)) = refusal {
                    let shown = &program.sources.file(manifest.file).shown;
                    sink.push(errors::not_laid_over(shown, why, help, manifest.pattern));
                }
                Ok(String::new())
            }
            Form::Kustomize => Ok(source.to_string()),
            Form::Copy | Form::InPlace => apply(source, &manifest.tree, &wanted),
        };
        match text {
            Ok(text) => patched.push(Patched {
                manifest: id,
                form,
                text,
            }),
            Err(refusal) => {
                let place = manifest.span(&refusal.at);
                let shown = &program.sources.file(manifest.file).shown;
                let error = errors::not_patchable(shown, &refusal.why, place, manifest.pattern);
                sink.push(error);
            }
        }
    }
    patched
}

/// Why no patch can be laid over what a kustomization makes, and what to do about it.
fn cannot_lay_over(manifest: &Manifest, form: Form) -> Option<(&'static str, &'static str)> {
    if form == Form::InPlace {
        return Some((
            "its objects are put together from several files",
            "leave `patch = in-place` out: they come back as patches over the kustomization",
        ));
    }
    // kustomize refuses a base that holds the folder of what takes it (api/internal/loader/fileloader.go).
    let is_outermost = !manifest.path.contains('/');
    is_outermost.then_some((
        "patches over it lie in `out`, below its own folder, and kustomize takes no such base",
        "move it and what it names into a folder, such as `k8s`, and adopt that",
    ))
}

/// Why pods cannot be held to nodes: that may add to what their manifest requires of nodes, and never replaces it.
fn cannot_hold(
    service: &Service<'_>,
    adopted: &Adopted<'_>,
    names: &[&str],
    manifest: &Manifest,
) -> Option<Diagnostic> {
    if let Some(kept) = adopted.kept {
        return Some(errors::held_but_kept(service.name, names, kept));
    }
    if adopted.object.made_of.is_some() {
        return Some(errors::held_but_made(service.name, names));
    }
    let mut terms = adopted.object.place.terms.iter().flatten().flatten();
    let first = terms.next().filter(|_| names.len() > 1)?;
    Some(errors::held_beside_affinity(
        service.name,
        names,
        manifest.span(&first.at),
        manifest.pattern,
    ))
}
