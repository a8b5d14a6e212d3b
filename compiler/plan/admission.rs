//! Whether the API server admits the pods of a plan: every namespace with an adopted LimitRange, ResourceQuota or
//! PodSecurity level, with the pods and objects that the program knows there, goes through `crate::admission`. What is
//! refused at rest is an error, what is refused only while others end is a delay, what is not known keeps liveness from
//! being proved.

mod errors;
mod namespace;
mod objects;
mod sums;
mod written;

use std::collections::BTreeSet;

use super::model::{Plan, Workload};
use super::supplies::counts;
use crate::admission::limits::{claim_refusals, give_defaults, invalid, refusals};
use crate::admission::quota::{Balance, Ends, Member, judge, pod_usage};
use crate::admission::{self, Amount, Pod, Resources, Role};
use crate::base::id::numbered;
use crate::base::quantity::Cpu;
use crate::diag::{Diagnostic, Sink};
use crate::manifest::workload::beyond::{is_in_sums, not_counted};
use crate::manifest::workload::bounds::{ResourceQuota, is_counted};
use crate::manifest::workload::{Container, Surge, Unavailable};
use crate::program::{
    Adopted, Given, Kind, Program, Rollout, Ruled, Run, Service, ServiceId, namespace,
};
use namespace::{Bounded, From};
use objects::{KEPT_RUNS, Objects};
pub(crate) use sums::QuotaSum;
pub(crate) use written::{daemons, has_range, priority_class, priority_name, pushes, writes_quota};

/// What admission makes of a plan.
#[derive(Debug, Default)]
pub(crate) struct Judged<'p> {
    /// What it refuses at rest.
    errors: Vec<Diagnostic>,
    /// Why it is not known to admit every pod.
    unknown: Vec<String>,
    /// What waits during a rollout, a lint each.
    pub(crate) waits: Vec<Diagnostic>,
    /// What quotas count, resource by resource.
    pub(crate) sums: Vec<QuotaSum<'p>>,
}

/// Reports what is refused at rest.
pub(super) fn report(plan: &Plan<'_, '_>, sink: &mut Sink) {
    judged(plan)
        .errors
        .into_iter()
        .for_each(|error| sink.push(error));
}

/// Why it is not known that every pod is admitted.
pub(super) fn doubts(plan: &Plan<'_, '_>) -> Vec<String> {
    judged(plan).unknown
}

/// What admission makes of a plan: nothing where nothing was adopted that bounds a namespace.
pub(crate) fn judged<'p>(plan: &'p Plan<'p, '_>) -> Judged<'p> {
    let mut judged = Judged::default();
    for name in names(plan.program) {
        let bounded = bounded(plan, name, &mut judged);
        bounded.check_ranges(&mut judged);
        bounded.check_quotas(&mut judged);
    }
    judged
}

/// Where K3s puts what it packages.
const SYSTEM: &str = "kube-system";

/// The namespaces that something bounds.
fn names<'p>(program: &'p Program<'_>) -> BTreeSet<&'p str> {
    let mut names = BTreeSet::new();
    for manifest in program.manifests {
        let objects = &manifest.objects;
        let of = |written: &'p Option<String>| namespace(written.as_deref());
        names.extend(objects.ranges.iter().map(|range| of(&range.namespace)));
        names.extend(objects.quotas.iter().map(|quota| of(&quota.namespace)));
        names.extend(objects.namespaces.iter().map(|one| one.name.as_str()));
    }
    names
}

/// A namespace with what bounds it, and its pods with the defaults that its LimitRanges give.
fn bounded<'p, 'a>(
    plan: &'p Plan<'p, 'a>,
    name: &'p str,
    judged: &mut Judged<'p>,
) -> Bounded<'p, 'a> {
    let program = plan.program;
    let here = |written: &Option<String>| namespace(written.as_deref()) == name;
    let mut bounded = Bounded {
        plan,
        name,
        ranges: Vec::new(),
        quotas: Vec::new(),
        pods: Vec::new(),
        unsettled: BTreeSet::new(),
    };
    for manifest in program.manifests {
        let objects = &manifest.objects;
        let ranges = objects.ranges.iter().map(|range| (manifest, range));
        let here_too = ranges.filter(|(_, range)| here(&range.namespace));
        bounded.ranges.extend(here_too);
        let quotas = objects.quotas.iter().map(|quota| (manifest, quota));
        let here_too = quotas.filter(|(_, quota)| here(&quota.namespace));
        bounded.quotas.extend(here_too);
    }
    for (id, service) in numbered(&program.services) {
        let workload = &plan.workloads[id];
        if program.namespace_of(service) == name && workload.peak() > 0 {
            let pod = pod(plan, service, workload);
            admit(&mut bounded, id, pod, judged);
        }
    }
    let namespaces = program.manifests.iter().flat_map(|m| &m.objects.namespaces);
    for one in namespaces.filter(|one| one.name == name && !bounded.pods.is_empty()) {
        let level = &one.enforce.0;
        judged.unknown.push(format!(
            "namespace `{name}` takes only pods of the PodSecurity level `{level}`, which bzc does not check"
        ));
    }
    if name == SYSTEM && bounded.ranges.len() + bounded.quotas.len() > 0 {
        judged.unknown.push(format!(
            "a quota or a LimitRange of namespace `{name}` is about what K3s packages, too, and bzc does not count that"
        ));
    }
    bounded
}

/// Gives a pod its defaults and puts it into its namespace. What is not known of these defaults is noted.
fn admit(bounded: &mut Bounded<'_, '_>, id: ServiceId, mut pod: Pod, judged: &mut Judged<'_>) {
    let (namespace, service) = (bounded.name, bounded.service(id).name.value);
    let workload = &bounded.plan.workloads[id];
    let entries = bounded.ranges.iter().flat_map(|(_, range)| &range.entries);
    let mut given = BTreeSet::new();
    for container in &mut pod.containers {
        let before = container.requests.clone();
        let unsettled = give_defaults(container, entries.clone().map(|entry| &entry.limits));
        let requests = container.requests.iter();
        let new = requests.filter(|(resource, amount)| {
            let is_counted =
                is_in_sums(resource) || counts(bounded.plan.program, workload, resource);
            **amount > 0 && !is_counted && !before.contains_key(*resource)
        });
        given.extend(new.map(|(resource, _)| resource.clone()));
        for resource in unsettled {
            judged.unknown.push(format!(
                "the LimitRanges of namespace `{namespace}` give `{}` of `{service}` different amounts of `{resource}`",
                container.name
            ));
            bounded.unsettled.insert((id, resource));
        }
    }
    judged.unknown.extend(given.iter().map(|resource| {
        let what = not_counted(resource);
        format!("`{service}` {what} (by a LimitRange of namespace `{namespace}`)")
    }));
    bounded.pods.push((id, pod));
}

/// A pod as the API server gets it: with the numbers of the plan, and completed.
fn pod(plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) -> Pod {
    let containers = match &service.adopted {
        Some(adopted) => adopted_containers(service, adopted, workload),
        None => own_containers(service, workload),
    };
    let default = || {
        let mut all = plan.program.manifests.iter();
        let class = all.find_map(|manifest| {
            let mut classes = manifest.objects.classes.iter();
            classes.find(|class| class.is_default)
        });
        class.map(|class| class.name.clone())
    };
    let (class, has_deadline, crosses_namespaces) = match &service.adopted {
        Some(adopted) => (
            adopted.object.place.priority_class.clone(),
            adopted.object.has_deadline,
            adopted.object.crosses_namespaces,
        ),
        None => (priority_class(plan, service, workload), false, false),
    };
    Pod {
        containers,
        has_deadline,
        priority_class: class.or_else(default),
        crosses_namespaces,
    }
}

fn adopted_containers(
    service: &Service<'_>,
    adopted: &Adopted<'_>,
    workload: &Workload<'_>,
) -> Vec<admission::Container> {
    let pairs = adopted.object.containers.iter().zip(&adopted.containers);
    let container = |(read, held): (&Container, &Ruled<'_>)| {
        let mut container = admission::Container {
            name: read.name.clone(),
            role: read.role,
            requests: read.requests.clone(),
            limits: read.limits.clone(),
        };
        if held.sets_memory {
            let (request, limit) = match held.extra.map(|extra| &service.extras[extra]) {
                None => (workload.request.n, workload.limit.n),
                Some(extra) => {
                    let request = extra.request.unwrap_or(extra.memory);
                    (request.value.n, extra.memory.value.n)
                }
            };
            set_memory(&mut container, request, limit);
        }
        set_cpu(&mut container, held.cpu);
        container.complete();
        container
    };
    pairs.map(container).collect()
}

fn own_containers(service: &Service<'_>, workload: &Workload<'_>) -> Vec<admission::Container> {
    let empty = |name: &str, role| admission::Container {
        name: name.to_owned(),
        role,
        requests: Resources::new(),
        limits: Resources::new(),
    };
    let mut containers: Vec<admission::Container> = service
        .extras
        .iter()
        .map(|extra| {
            let role = if extra.stays {
                Role::Sidecar
            } else {
                Role::Init
            };
            let mut container = empty(extra.name.value, role);
            set_memory(&mut container, extra.memory.value.n, extra.memory.value.n);
            set_cpu(&mut container, extra.cpu);
            container
        })
        .collect();
    let mut main = empty(service.name.value, Role::Main);
    set_memory(&mut main, workload.request.n, workload.limit.n);
    set_cpu(&mut main, service.cpu);
    containers.push(main);
    containers
        .iter_mut()
        .for_each(admission::Container::complete);
    containers
}

fn set_memory(container: &mut admission::Container, request: u64, limit: u64) {
    let milli = |n: u64| Amount::from(n) * 1000;
    container
        .requests
        .insert("memory".to_owned(), milli(request));
    container.limits.insert("memory".to_owned(), milli(limit));
}

fn set_cpu(
    container: &mut admission::Container,
    cpu: Option<(Given<'_, Cpu>, Option<Given<'_, Cpu>>)>,
) {
    if let Some((request, limit)) = cpu {
        container
            .requests
            .insert("cpu".to_owned(), request.value.milli.into());
        if let Some(limit) = limit {
            container
                .limits
                .insert("cpu".to_owned(), limit.value.milli.into());
        }
    }
}

/// The most pods of a service that are there at once in a rollout, those on their way out among them: one that
/// recreates waits until all have ended. Nothing is rolled out of a Job, whose lost pod may have a successor.
pub(crate) fn in_a_rollout(service: &Service<'_>, workload: &Workload<'_>) -> u64 {
    let rolls = matches!(service.kind, Kind::Deployment(_) | Kind::StatefulSet);
    match service.rollout.value {
        Rollout::Recreate if rolls => workload.replicas,
        Rollout::Recreate
        | Rollout::Replace
        | Rollout::Serial
        | Rollout::Surge(_)
        | Rollout::SurgePercent(_) => workload.pods.max(workload.peak()),
    }
}

/// Whether a rollout takes no old pod away before a new one is there: `maxUnavailable` comes to 0.
pub(super) fn waits(service: &Service<'_>, workload: &Workload<'_>) -> bool {
    let Kind::Deployment(_) = service.kind else {
        return false;
    };
    let written = service
        .adopted
        .as_ref()
        .filter(|adopted| !adopted.sets_rollout);
    match written.map(|adopted| (adopted.object.surge, adopted.object.unavailable)) {
        // A rollout that bzc writes has a surge or takes one away.
        None => workload.surge > 0,
        Some((Surge::Recreate, _)) => false,
        Some((_, unavailable)) => {
            let taken = match unavailable {
                Unavailable::Pods(n) => n,
                Unavailable::Percent(percent) => percent * workload.replicas / 100,
            };
            // Where both come to 0, Kubernetes takes one away.
            taken == 0 && workload.surge > 0
        }
    }
}

/// Pods of a workload that have ended and are still kept.
fn kept(service: &Service<'_>) -> u64 {
    let of_run = |run: &Run, retries: u64| run.completions.saturating_add(retries);
    let (retries, runs) = match &service.adopted {
        Some(adopted) => (Some(adopted.object.retries), adopted.object.kept_runs),
        None => (None, KEPT_RUNS),
    };
    match &service.kind {
        Kind::Job(run) => of_run(run, retries.or(run.retries).unwrap_or(RETRIES)),
        Kind::CronJob(run, _) => {
            runs.saturating_mul(of_run(run, retries.or(run.retries).unwrap_or(RETRIES)))
        }
        Kind::Deployment(_) | Kind::StatefulSet | Kind::DaemonSet => 0,
    }
}

/// `backoffLimit` where nothing is written (`pkg/apis/batch/v1/defaults.go`).
const RETRIES: u64 = 6;

/// Whether bzc counts a resource of a quota.
fn knows(resource: &str, objects: &Objects) -> bool {
    let of_class = resource.contains(".storageclass.storage.k8s.io/");
    match resource.split_once('/') {
        _ if resource == "count/pods" || is_counted(resource) => true,
        Some(("count", _)) => false,
        // Of claims without a class only the default class of K3s is known.
        Some(_) if of_class => !objects.classless,
        Some(_) => !resource.contains(".deviceclass."),
        None => true,
    }
}

impl<'p, 'a> Bounded<'p, 'a> {
    fn check_ranges(&self, judged: &mut Judged<'p>) {
        for (index, pod) in &self.pods {
            for (at, container) in pod.containers.iter().enumerate() {
                if let Some((resource, request, limit)) = invalid(container)
                    && self.is_settled(*index, resource)
                {
                    judged.errors.push(errors::invalid(
                        self,
                        (*index, at),
                        resource,
                        (request, limit),
                    ));
                }
            }
            for (range, entry) in self.entries() {
                let refused = refusals(&entry.limits, pod).into_iter();
                for refusal in refused.filter(|one| self.is_settled(*index, &one.resource)) {
                    judged
                        .errors
                        .push(errors::refused(self, (range, entry), *index, &refusal));
                }
                for claim in objects::claims(self.service(*index)) {
                    let requests = claim.storage.map(|n| ("storage".to_owned(), n));
                    let requests: Resources = requests.into_iter().collect();
                    for refusal in claim_refusals(&entry.limits, &requests) {
                        let name = format!("a claim of `{}`", self.service(*index).name.value);
                        let place = objects::claim_place(self.service(*index), &claim, self.plan);
                        judged.errors.push(errors::claim(
                            self,
                            (range, entry),
                            (&name, place),
                            &refusal,
                        ));
                    }
                }
            }
        }
        for (manifest, object) in objects::of_namespace(self.plan.program, self.name) {
            let Some(claim) = &object.claim else { continue };
            let requests = claim.storage.map(|n| ("storage".to_owned(), n));
            let requests: Resources = requests.into_iter().collect();
            for (range, entry) in self.entries() {
                for refusal in claim_refusals(&entry.limits, &requests) {
                    let name = format!("the claim `{}`", object.name);
                    let place = manifest.span(&claim.at);
                    judged.errors.push(errors::claim(
                        self,
                        (range, entry),
                        (&name, place),
                        &refusal,
                    ));
                }
            }
        }
    }

    fn check_quotas(&self, judged: &mut Judged<'p>) {
        if self.quotas.is_empty() {
            return;
        }
        let usages: Vec<Resources> = self.pods.iter().map(|(_, pod)| pod_usage(pod)).collect();
        let objects = Objects::of(self.plan, self.name);
        for from in &self.quotas {
            let (_, quota) = *from;
            let mut counted = Vec::new();
            let mut members = Vec::new();
            for ((index, pod), usage) in self.pods.iter().zip(&usages) {
                if !quota.quota.counts_pod(pod) {
                    continue;
                }
                for (at, container) in pod.containers.iter().enumerate() {
                    let missing = quota.quota.missing(container);
                    if !missing.is_empty() {
                        judged
                            .errors
                            .push(errors::missing(self, *from, (*index, at), &missing));
                    }
                }
                let (service, workload) = (self.service(*index), &self.plan.workloads[*index]);
                counted.push(*index);
                members.push(Member {
                    usage,
                    // A hook of Helm counts all the time.
                    rest: match workload.hook {
                        Some(_) => workload.surge,
                        None => workload.replicas,
                    },
                    most: in_a_rollout(service, workload),
                    waits: waits(service, workload),
                    kept: kept(service),
                });
            }
            judged.unknown.extend(self.uncounted(quota, &objects));
            let mut balances = judge(&quota.quota, &members, (&objects.rest, &objects.most));
            // The larger amounts were counted: with the others it may well fit.
            balances.retain(|balance| {
                let held = ["requests.", "limits."];
                let bare = held
                    .iter()
                    .find_map(|prefix| balance.resource.strip_prefix(prefix));
                let bare = bare.unwrap_or(&balance.resource);
                counted.iter().all(|index| self.is_settled(*index, bare))
            });
            let mut waiting = Vec::new();
            for balance in &balances {
                self.conclude(*from, balance, (&counted, &members), &objects, judged);
                if let Ends::Waits(most) = balance.ends {
                    waiting.push((balance, most));
                }
                // What is not counted as a whole has no sum.
                if !knows(&balance.resource, &objects) || self.name == SYSTEM {
                    continue;
                }
                let counted = (counted.as_slice(), members.as_slice());
                let program = self.plan.program;
                match sums::sum(program, self.name, *from, balance, counted, &objects) {
                    Some(sum) => judged.sums.push(sum),
                    None => judged.unknown.push(format!(
                        "what quota `{}` of namespace `{}` counts of `{}` is more than can be stated",
                        quota.name, self.name, balance.resource
                    )),
                }
            }
            judged.waits.extend(errors::waits(self, *from, &waiting));
        }
    }

    fn conclude(
        &self,
        from: From<'p, ResourceQuota>,
        balance: &Balance,
        (counted, members): (&[ServiceId], &[Member<'_>]),
        objects: &Objects,
        judged: &mut Judged<'p>,
    ) {
        let (name, resource) = (&from.1.name, &balance.resource);
        let shown = |amount| admission::shown(resource, amount);
        match balance.ends {
            Ends::Fits | Ends::Waits(_) => {}
            Ends::Over => judged.errors.push(errors::over(
                self,
                from,
                balance,
                (counted, members),
                objects,
            )),
            Ends::Stuck(member) => judged.errors.push(errors::stuck(
                self,
                from,
                balance,
                (counted[member], &members[member]),
            )),
            Ends::Fills(most) => judged.unknown.push(format!(
                "quota `{name}` of namespace `{}` may fill with what has ended and is kept: {} of `{resource}` then, {} held",
                self.name,
                shown(most),
                shown(balance.hard)
            )),
        }
    }

    /// Resources of a quota that bzc cannot count, where they would matter.
    fn uncounted(&self, quota: &ResourceQuota, objects: &Objects) -> Vec<String> {
        let not_counted = |what: String| {
            format!(
                "quota `{}` of namespace `{}` {what}, which bzc does not count",
                quota.name, self.name
            )
        };
        let held = quota.quota.hard.keys();
        let unknown = held.filter(|resource| !knows(resource, objects));
        let mut all: Vec<String> = unknown
            .map(|resource| not_counted(format!("holds `{resource}`")))
            .collect();
        let of_claims = |scope: &&admission::quota::Scope| scope.name == "VolumeAttributesClass";
        if objects.has_claims && quota.quota.scopes.iter().any(|scope| of_claims(&scope)) {
            all.push(not_counted(
                "has the scope `VolumeAttributesClass`".to_owned(),
            ));
        }
        all
    }
}
