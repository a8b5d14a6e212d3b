//! The objects of a namespace that quotas count beside pods: those that were adopted, those that bzc writes, those that
//! Kubernetes makes by itself.

use std::collections::BTreeSet;

use super::written::{has_range, writes_quota};
use crate::admission::quota::{ServiceType, objects, service_usage};
use crate::admission::{Amount, Resources, add, pieces};
use crate::base::span::Span;
use crate::manifest::Manifest;
use crate::manifest::workload::bounds::{Called, Claim, Counted, counts};
use crate::plan::model::{Plan, Workload};
use crate::program::{
    EnvValue, Kind, LOCAL_PATH, LOCAL_STORAGE, Origin, Program, Service, ServiceType as Type,
    VolumeSource, namespace,
};

/// What the objects of a namespace come to.
pub(super) struct Objects {
    /// While nothing is rolled out.
    pub(super) rest: Resources,
    /// With all that is kept of what was.
    pub(super) most: Resources,
    /// The class of claims that name none, where it is known.
    default_class: Option<&'static str>,
    /// Whether there are claims.
    pub(super) has_claims: bool,
    /// Whether a claim has no class, and the default class of the cluster is not known.
    pub(super) classless: bool,
    /// Which objects, for a sum.
    pub(super) named: Vec<Named>,
}

/// Objects that are alike, as they stand in a sum.
pub(super) struct Named {
    /// Kind and name, or whose they are.
    pub(super) what: String,
    /// Where they were given.
    pub(super) span: Option<Span>,
    /// The same as outputs name it.
    pub(super) origin: String,
    /// What each adds.
    pub(super) usage: Resources,
    /// How many there are while nothing is rolled out.
    pub(super) rest: u64,
    /// How many more are kept of what was.
    pub(super) kept: u64,
}

/// Revisions that a Deployment keeps where nothing is written (`pkg/apis/apps/v1/defaults.go`).
const REVISIONS: u64 = 10;
/// `successfulJobsHistoryLimit` and `failedJobsHistoryLimit` where nothing is written.
pub(super) const KEPT_RUNS: u64 = 3 + 1;

/// Every adopted object of a namespace that quotas count.
pub(super) fn of_namespace<'p>(
    program: &Program<'p>,
    name: &str,
) -> impl Iterator<Item = (&'p Manifest, &'p Counted)> {
    let all = program.manifests.iter().flat_map(|manifest| {
        let counted = manifest.objects.counted.iter();
        counted.map(move |object| (manifest, object))
    });
    all.filter(move |(_, object)| namespace(object.namespace.as_deref()) == name)
}

/// The claims that are made for a service: for each of its pods, or one that they share.
pub(super) fn claims(service: &Service<'_>) -> Vec<Claim> {
    match &service.adopted {
        Some(adopted) => adopted.object.claims_each.clone(),
        None => {
            let claims = service.pod.volumes.iter().filter_map(|volume| {
                let VolumeSource::Storage(storage) = volume.source else {
                    return None;
                };
                Some(Claim {
                    storage: Some(Amount::from(storage.size.n) * 1000),
                    class: storage.class.map(str::to_owned),
                    called: match service.shared_claim(volume) {
                        Some(_) => Called::Itself,
                        None => Called::ByOrdinal(volume.name.value.to_owned()),
                    },
                    of_one_pod: false,
                    at: 0..0,
                })
            });
            claims.collect()
        }
    }
}

/// Where a claim of a service stands.
pub(super) fn claim_place(service: &Service<'_>, claim: &Claim, plan: &Plan<'_, '_>) -> Span {
    match &service.adopted {
        Some(adopted) => plan.program.manifests[adopted.manifest].span(&claim.at),
        None => {
            let mut volumes = service.pod.volumes.iter();
            let storage = volumes.find(|volume| matches!(volume.source, VolumeSource::Storage(_)));
            storage.map_or(service.name.span, |volume| volume.name.span)
        }
    }
}

/// Whether an object of a namespace is a claim that a workload there has a template for: it counts with that.
fn is_made_for_a_pod(plan: &Plan<'_, '_>, here: &str, object: &Counted) -> bool {
    if object.claim.is_none() {
        return false;
    }
    let services = plan.program.services.iter().zip(&plan.workloads);
    let mut there = services.filter(|(service, _)| plan.program.namespace_of(service) == here);
    there.any(|(service, workload)| {
        let adopted = service.adopted.as_ref();
        let called = adopted.map_or(service.name.value, |adopted| adopted.object.name.as_str());
        let templates = claims(service);
        let mut templates = templates.iter();
        templates.any(|claim| claim.is_made_as(&object.name, called, workload.replicas))
    })
}

/// The services that bzc writes the objects of.
fn declared<'p, 'a>(program: &'p Program<'a>) -> impl Iterator<Item = &'p Service<'a>> {
    let all = program.services.iter();
    all.filter(|service| service.adopted.is_none())
}

/// What Kubernetes makes in every namespace.
const IN_EVERY_NAMESPACE: [(&str, &str); 2] = [
    ("ConfigMap", "kube-root-ca.crt"),
    ("ServiceAccount", "default"),
];

/// Where an object was given: the place, and how outputs name it.
type Given = (Option<Span>, String);

/// Of what nobody wrote: the rule by which it is counted.
fn by_rule() -> Given {
    (None, Origin::default("adopt.admission.quota").path())
}

/// How outputs name the place of a service: its declaration, or the place in its manifest.
pub(super) fn place_of(service: &Service<'_>) -> String {
    match &service.adopted {
        Some(adopted) => adopted.place.to_owned(),
        None => {
            let word = match service.kind {
                Kind::Deployment(_) => "service",
                Kind::StatefulSet => "stateful",
                Kind::DaemonSet => "daemon",
                Kind::Job(_) => "job",
                Kind::CronJob(..) => "cron",
            };
            format!("{word}.{}", service.name.value)
        }
    }
}

impl Objects {
    /// The objects of a namespace.
    pub(super) fn of(plan: &Plan<'_, '_>, name: &str) -> Objects {
        let program = plan.program;
        let has_default = program.runs(LOCAL_STORAGE);
        let mut all = Objects {
            rest: Resources::new(),
            most: Resources::new(),
            default_class: has_default.then_some(LOCAL_PATH),
            has_claims: false,
            classless: false,
            named: Vec::new(),
        };
        // A dump of a cluster has what Kubernetes makes, too.
        let is_adopted = |kind: &str, called: &str| {
            let mut there = of_namespace(program, name);
            there.any(|(_, object)| object.kind == kind && object.name == called)
        };
        for (kind, called) in IN_EVERY_NAMESPACE {
            if !is_adopted(kind, called) {
                all.object(kind, called, by_rule());
            }
        }
        if name == "default" && !is_adopted("Service", "kubernetes") {
            all.object("Service", "kubernetes", by_rule());
        }
        for (manifest, object) in of_namespace(program, name) {
            if is_made_for_a_pod(plan, name, object) {
                continue;
            }
            let usage = match &object.claim {
                Some(claim) => all.claim(claim),
                None => object.usage.clone(),
            };
            let place = manifest.place(&object.at).to_owned();
            let from = (Some(manifest.span(&object.at)), place);
            all.add(format!("{} `{}`", object.kind, object.name), from, usage);
        }
        for (service, workload) in program.services.iter().zip(&plan.workloads) {
            if program.namespace_of(service) == name {
                all.service(plan, service, workload);
            }
        }
        if program.namespace.value == name {
            all.written(plan);
            all.secrets(program);
        }
        all
    }

    /// The object of a service, what Kubernetes makes and keeps of it, and the claims of its pods.
    fn service(&mut self, plan: &Plan<'_, '_>, service: &Service<'_>, workload: &Workload<'_>) {
        let adopted = service.adopted.as_ref().map(|adopted| adopted.object);
        let kind = match adopted {
            Some(object) if object.made_of.is_none() => object.kind_text.as_str(),
            _ => service.kind.word(),
        };
        let name = service.name.value;
        let from = || (Some(service.name.span), place_of(service));
        self.object(kind, name, from());
        match &service.kind {
            Kind::Deployment(_) => {
                let usage = objects(&["count/replicasets.apps"], 1);
                // One is made before the oldest is taken away.
                let kept = adopted.map_or(REVISIONS, |object| object.revisions) + 1;
                self.push(format!("ReplicaSet of `{name}`"), from(), usage, [1, kept]);
            }
            Kind::CronJob(..) => {
                let usage = objects(&["count/jobs.batch"], 1);
                let kept = adopted.map_or(KEPT_RUNS, |object| object.kept_runs) + 1;
                self.push(format!("runs of `{name}`"), from(), usage, [0, kept]);
            }
            Kind::StatefulSet | Kind::DaemonSet | Kind::Job(_) => {}
        }
        for claim in claims(service) {
            let usage = self.claim(&claim);
            let from = (Some(claim_place(service, &claim, plan)), place_of(service));
            let more = workload.peak() - workload.replicas;
            let counts = match claim.called {
                Called::Itself => [1, 0],
                Called::ByOrdinal(_) | Called::ByPod(_) => [workload.replicas, more],
            };
            self.push(format!("claims of `{name}`"), from, usage, counts);
        }
    }

    /// What a claim adds to a quota.
    fn claim(&mut self, claim: &Claim) -> Resources {
        self.has_claims = true;
        self.classless |= claim.class.is_none() && self.default_class.is_none();
        claim.usage(self.default_class)
    }

    fn object(&mut self, kind: &str, name: &str, from: Given) {
        let usage = objects(counts(kind).unwrap_or_default(), 1);
        self.add(format!("{kind} `{name}`"), from, usage);
    }

    fn add(&mut self, what: String, from: Given, usage: Resources) {
        self.push(what, from, usage, [1, 0]);
    }

    fn push(
        &mut self,
        what: String,
        (span, origin): Given,
        usage: Resources,
        [rest, kept]: [u64; 2],
    ) {
        add(&mut self.rest, &usage, rest);
        add(&mut self.most, &usage, rest.saturating_add(kept));
        self.named.push(Named {
            what,
            span,
            origin,
            usage,
            rest,
            kept,
        });
    }

    /// The objects that bzc writes in addition to workloads.
    fn written(&mut self, plan: &Plan<'_, '_>) {
        let program = plan.program;
        for service in declared(program) {
            let name = service.name.value;
            let from = || (Some(service.name.span), place_of(service));
            if let Kind::Deployment(Some(_)) = service.kind {
                self.object("HorizontalPodAutoscaler", name, from());
            }
            if !service.ports.is_empty() {
                let ports = service.ports.len() as u64;
                let usage = match service.service_type() {
                    Type::LoadBalancer => service_usage(ServiceType::LoadBalancer, ports),
                    Type::NodePort => service_usage(ServiceType::NodePort, ports),
                    Type::ClusterIp => service_usage(ServiceType::Inside, 0),
                };
                self.add(format!("Service `{name}`"), from(), usage);
            }
            if service.pod.disruption.is_some() {
                self.object("PodDisruptionBudget", name, from());
            }
            if service.pod.reach.allow_from.is_some() {
                self.object("NetworkPolicy", name, from());
            }
        }
        for config in &program.configs {
            let name = config.name;
            let from = (Some(name.span), format!("config.{}", name.value));
            self.object("ConfigMap", name.value, from);
        }
        for account in &program.accounts {
            let name = account.name;
            let from = || (Some(name.span), format!("service-account.{}", name.value));
            self.object("ServiceAccount", name.value, from());
            if !account.rules.is_empty() && !account.cluster_wide {
                self.object("Role", name.value, from());
                self.object("RoleBinding", name.value, from());
            }
        }
        if writes_quota(plan) {
            self.object("ResourceQuota", "bzc", by_rule());
            if !has_range(program, program.namespace.value) {
                self.object("LimitRange", "bzc", by_rule());
            }
        }
    }

    /// The Secrets that services name and no manifest has: somebody has to make them.
    fn secrets(&mut self, program: &Program<'_>) {
        let known = self.named.iter().map(|object| object.what.clone());
        let known: BTreeSet<String> = known.collect();
        let mut secrets: BTreeSet<&str> = BTreeSet::new();
        for service in declared(program) {
            let (pod, extras) = (&service.pod, || service.extras.iter());
            secrets.extend(&pod.secrets);
            secrets.extend(&pod.pull_secrets);
            secrets.extend(extras().flat_map(|extra| &extra.secrets));
            secrets.extend(pod.volumes.iter().filter_map(|volume| {
                let VolumeSource::Secret(name) = volume.source else {
                    return None;
                };
                Some(name)
            }));
            let variables = pod.env.iter().chain(extras().flat_map(|extra| &extra.env));
            secrets.extend(variables.filter_map(|(_, value)| match value {
                EnvValue::Secret(name, _) => Some(*name),
                EnvValue::Text(_) | EnvValue::Config(..) | EnvValue::Field(_) => None,
            }));
        }
        for secret in secrets {
            if !known.contains(&format!("Secret `{secret}`")) {
                self.object("Secret", secret, by_rule());
            }
        }
    }

    /// What of a resource the objects add at rest, each that adds something.
    pub(super) fn addends<'o>(
        &'o self,
        resource: &'o str,
    ) -> impl Iterator<Item = (&'o str, Option<Span>, Amount)> {
        self.named.iter().filter_map(move |object| {
            let each = object.usage.get(resource).copied().unwrap_or(0);
            let amount = each.saturating_mul(Amount::from(object.rest));
            (amount > 0).then_some((object.what.as_str(), object.span, amount))
        })
    }
}

/// Whether an amount is one piece.
pub(super) const fn is_one(amount: Amount) -> bool {
    amount == pieces(1)
}
