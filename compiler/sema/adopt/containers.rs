//! Containers of adopted workloads: what a rule gives, else what the manifest says, else what Kubernetes makes of
//! saying nothing.

use std::borrow::Cow;

use super::errors;
use super::origin::origin;
use super::resize::{CpuPair, Resize};
use super::rules::{Reading, means};
use crate::admission::limits::give_defaults;
use crate::admission::{self, Resources};
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::Spanned;
use crate::manifest::Manifest;
use crate::manifest::workload::beyond::is_in_sums;
use crate::manifest::workload::bounds::Entry;
use crate::manifest::workload::vertical::Vertical;
use crate::manifest::workload::{Amount, Container, Role, Workload};
use crate::program::{EnvValue, Extra, Given, Giver, Memory, Origin, Ruled};
use crate::sema::errors as general;
use crate::sema::layers::{Field, Fields};
use crate::sema::names::plain_text;
use crate::sema::workload::resources::{check_order, cpu, memory};

/// A container as it will be.
pub(super) struct ReadContainer<'a> {
    /// The range, if the compiler may choose the limit.
    pub(super) range: Option<(Given<'a, Bytes>, Given<'a, Bytes>)>,
    pub(super) request: Given<'a, Bytes>,
    pub(super) limit: Given<'a, Bytes>,
    pub(super) cpu: Option<CpuPair<'a>>,
    /// What it requests of other resources, in thousandths, and where it says so.
    pub(super) others: Vec<(String, Given<'a, admission::Amount>)>,
    pub(super) held: Ruled<'a>,
}

/// What reading the containers of one workload needs.
pub(super) struct ReadContainers<'r, 'c, 'a> {
    pub(super) reading: &'r Reading<'c, 'a>,
    pub(super) manifest: &'a Manifest,
    pub(super) object: &'a Workload,
    pub(super) known: &'a str,
    pub(super) entries: Vec<(&'a Manifest, &'a Entry)>,
    pub(super) verticals: Vec<(&'a Manifest, &'a Vertical)>,
}

impl<'a> ReadContainers<'_, '_, 'a> {
    pub(super) fn container(&self, container: &'a Container) -> ReadContainer<'a> {
        let reading = self.reading;
        let cx = reading.decls.cx;
        // What an operator makes no rule can change.
        let made = self.object.made_of.is_some();
        let resized = container.role != Role::Init && !self.verticals.is_empty();
        let kept = made
            || resized
            || reading.is_packaged(self.object, self.known)
            || reading.keeps.iter().any(|keep| {
                means(keep.workload, self.object, self.known)
                    && keep.container.is_none_or(|name| name == container.name)
            });
        let own = reading.rules.iter().find(|rule| {
            rule.container == Some(container.name.as_str())
                && means(rule.workload, self.object, self.known)
        });
        let of_workload = reading.rule(self.object, self.known);
        let near = [own, of_workload]
            .into_iter()
            .flatten()
            .map(|rule| &rule.fields);
        for fields in [own, of_workload].into_iter().flatten() {
            self.check_resized(&fields.fields, container, resized);
        }
        let layers: Vec<&Fields<'_, 'a>> = if kept {
            Vec::new()
        } else {
            near.chain([&reading.general]).collect()
        };
        let given = layers
            .iter()
            .find(|fields| fields.has("memory"))
            .and_then(|fields| memory(fields));
        let of_rule = layers
            .iter()
            .find(|fields| fields.has("cpu"))
            .and_then(|fields| cpu(fields));
        let mut env: Vec<(&'a str, Cow<'a, str>)> = Vec::new();
        for fields in [own, of_workload.filter(|_| container.role == Role::Main)]
            .into_iter()
            .flatten()
        {
            for entry in fields.fields.entries("env") {
                let name = cx.key(entry.item);
                if env.iter().all(|(known, _)| *known != name) {
                    env.extend(self.variable(entry).map(|text| (name, text)));
                }
            }
        }
        let completed = self.completed(container, given, of_rule);
        let nothing = Given {
            value: Bytes::new(0),
            origin: self.origin_at(&container.at),
        };
        let (range, request, limit, unbounded) = match (given, completed.memory) {
            (Some(Memory::Range { low, high }), _) => (Some((low, high)), high, high, false),
            (Some(Memory::Burst { request, limit }), _) => (None, request, limit, false),
            (None, (request, Some(limit))) => {
                let request = request.unwrap_or(limit);
                (None, request, limit, !completed.settled)
            }
            // Nothing limits it: what it requests is the least that it is known to take.
            (None, (request, None)) => {
                let request = request.unwrap_or(nothing);
                let assumed = reading
                    .unlimited
                    .filter(|given| given.value > request.value);
                (None, request, assumed.unwrap_or(request), true)
            }
        };
        // Where LimitRanges disagree, what it is given is not known, and nothing is assumed in its place.
        let assumes = unbounded && completed.memory.1.is_none();
        let assumed = reading.unlimited.filter(|_| assumes);
        let (mut range, mut request, mut limit) = (range, request, limit);
        if request.value > limit.value {
            // The API server refuses a request above its limit, and the planner relies on there being none.
            check_order("memory", Some(request), Some(limit), cx);
            (range, request) = (None, limit);
        }
        let mut cpu = completed.cpu;
        for resize in self.resizes(container) {
            (request, limit) = resize.memory((request, limit), unbounded);
            cpu = resize.cpu(cpu);
        }
        if let (Some((request, None)), Some(limit)) = (of_rule, &container.cpu.limit)
            && request.value.milli > limit.n
        {
            let at = request.origin.span.unwrap_or(self.manifest.span(&limit.at));
            let (low, high) = (request.value.to_string(), limit.text.clone());
            cx.report(general::request_above_limit(
                "cpu",
                &low,
                &high,
                at,
                self.manifest.span(&limit.at),
            ));
        }
        if !kept && !layers.iter().any(|fields| fields.has("memory")) {
            let name = format!("{}/{}", self.known, container.name);
            let place = cx.sources.place(self.manifest.span(&container.at));
            reading.unmatched.borrow_mut().push(errors::Unmatched {
                name,
                place,
                unbounded: unbounded && assumed.is_none(),
            });
        }
        let held = Ruled {
            extra: None,
            sets_memory: given.is_some(),
            cpu: of_rule,
            env,
            unbounded,
            assumed: assumed.map(|given| given.value.n),
        };
        ReadContainer {
            range,
            request,
            limit,
            cpu,
            others: completed.others,
            held,
        }
    }

    /// What VerticalPodAutoscalers may make of a container.
    fn resizes(&self, container: &Container) -> Vec<Resize<'a>> {
        let all = self
            .verticals
            .iter()
            .filter(|_| container.role != Role::Init);
        let all = all.filter_map(|(of, vertical)| Some((*of, vertical.of(&container.name)?)));
        all.map(|(manifest, policy)| Resize { manifest, policy })
            .collect()
    }

    /// Reports a rule about memory or CPU that a VerticalPodAutoscaler gives.
    fn check_resized(&self, rule: &Fields<'_, 'a>, container: &Container, resized: bool) {
        let mut given = ["memory", "cpu"]
            .into_iter()
            .filter_map(|key| rule.get(key));
        let vertical = self.verticals.first();
        if let (true, Some(field), Some((of, vertical))) = (resized, given.next(), vertical) {
            let name = format!("{}/{}", self.known, container.name);
            let cx = self.reading.decls.cx;
            let error = errors::resized(
                &name,
                cx.key(field.item),
                field.item.key.span,
                of.span(&vertical.at),
            );
            cx.report(error);
        }
    }

    pub(super) fn variable(&self, entry: Field<'a>) -> Option<Cow<'a, str>> {
        let cx = self.reading.decls.cx;
        plain_text(cx, entry.value(cx)?)
    }

    pub(super) fn origin_at(&self, range: &std::ops::Range<usize>) -> Origin<'a> {
        origin(self.manifest, range)
    }

    /// Where an amount was given: in the manifest, or in the declaration of its kind.
    pub(super) fn of_amount(&self, amount: &'a Amount) -> Origin<'a> {
        match &amount.by {
            None => self.origin_at(&amount.at),
            Some(by) => Origin {
                env: None,
                giver: Giver::Declaration("kind"),
                name: &by.kind,
                key: &by.key,
                span: Some(by.span),
            },
        }
    }

    /// Memory and CPU of a container as the API server completes them: what rules give, else what the manifest says; a
    /// limit as the request that is missing; then what the LimitRanges of the namespace give.
    pub(super) fn completed(
        &self,
        container: &'a Container,
        memory: Option<Memory<'a>>,
        cpu: Option<CpuPair<'a>>,
    ) -> Completed<'a> {
        let mut all = admission::Container {
            name: container.name.clone(),
            role: container.role,
            requests: container.requests.clone(),
            limits: container.limits.clone(),
        };
        if let Some(memory) = memory {
            let (request, limit) = match memory {
                Memory::Range { high, .. } => (high, high),
                Memory::Burst { request, limit } => (request, limit),
            };
            set(&mut all.requests, "memory", thousand(request.value.n));
            set(&mut all.limits, "memory", thousand(limit.value.n));
        }
        if let Some((request, limit)) = cpu {
            set(&mut all.requests, "cpu", request.value.milli.into());
            if let Some(limit) = limit {
                set(&mut all.limits, "cpu", limit.value.milli.into());
            }
        }
        all.complete();
        // If two LimitRanges give different limits, it is not defined which one applies.
        let unsettled = give_defaults(
            &mut all,
            self.entries.iter().map(|(_, entry)| &entry.limits),
        );
        let settled = !unsettled.iter().any(|resource| resource == "memory");
        let bytes = |list: &Resources, own: &'a Option<Amount>, keys: &[&'static str]| {
            let n = u64::try_from(list.get("memory")?.div_ceil(1000)).ok()?;
            let mut given = [own, &container.memory.limit].into_iter().flatten();
            let origin = match given.next() {
                Some(own) => self.of_amount(own),
                None => self.given_by("memory", keys, &container.at),
            };
            Some(Given {
                value: Bytes::new(n),
                origin,
            })
        };
        let milli = |list: &Resources, keys: &[&'static str]| {
            let milli = u64::try_from(*list.get("cpu")?).ok()?;
            let own =
                container.requests.contains_key("cpu") || container.limits.contains_key("cpu");
            let by = [&container.cpu.request, &container.cpu.limit];
            let by = by.into_iter().flatten().find(|amount| amount.by.is_some());
            let origin = match (own, by) {
                (true, Some(by)) => self.of_amount(by),
                (true, None) => self.origin_at(&container.at),
                (false, _) => self.given_by("cpu", keys, &container.at),
            };
            Some(Given {
                value: Cpu::milli(milli),
                origin,
            })
        };
        let (of_request, of_limit) = (
            ["defaultRequest", "default", "max", "min"],
            ["default", "max"],
        );
        let memory = (
            bytes(&all.requests, &container.memory.request, &of_request),
            bytes(&all.limits, &container.memory.limit, &of_limit),
        );
        let completed = milli(&all.requests, &of_request)
            .map(|request| (request, milli(&all.limits, &of_limit)));
        let cpu = match (cpu, completed) {
            (Some((request, limit)), Some((_, completed))) => Some((request, limit.or(completed))),
            (cpu, completed) => cpu.or(completed),
        };
        let others = all
            .requests
            .into_iter()
            .filter(|(resource, amount)| *amount > 0 && !is_in_sums(resource))
            .map(|(resource, value)| {
                let written = [&container.requests, &container.limits];
                let origin = match written.iter().any(|list| list.contains_key(&resource)) {
                    true => self.origin_at(&container.at),
                    false => self.given_by(&resource, &of_request, &container.at),
                };
                (resource, Given { value, origin })
            })
            .collect();
        Completed {
            memory,
            cpu,
            others,
            settled,
        }
    }

    /// Where a LimitRange gives an amount.
    pub(super) fn given_by(
        &self,
        resource: &str,
        keys: &[&'static str],
        at: &std::ops::Range<usize>,
    ) -> Origin<'a> {
        let place = self.entries.iter().find_map(|(from, entry)| {
            let mut all = keys.iter();
            let at = all.find_map(|key| entry.places.get(&(*key, resource.to_owned())))?;
            Some(origin(from, at))
        });
        place.unwrap_or_else(|| self.origin_at(at))
    }
}

/// Memory and CPU of a container, request and limit, once everything has been completed.
pub(super) struct Completed<'a> {
    pub(super) memory: (Option<Given<'a, Bytes>>, Option<Given<'a, Bytes>>),
    pub(super) cpu: Option<CpuPair<'a>>,
    /// Requests of all other resources, in thousandths.
    pub(super) others: Vec<(String, Given<'a, admission::Amount>)>,
    /// Whether all LimitRanges that give it memory agree.
    pub(super) settled: bool,
}

pub(super) fn set(list: &mut Resources, resource: &str, amount: admission::Amount) {
    list.insert(resource.to_owned(), amount);
}

pub(super) fn thousand(n: u64) -> admission::Amount {
    admission::Amount::from(n) * 1000
}

pub(super) fn extra<'a>(
    container: &'a Container,
    read: &ReadContainer<'a>,
    manifest: &Manifest,
) -> Extra<'a> {
    Extra {
        name: Spanned::new(container.name.as_str(), manifest.span(&container.at)),
        stays: container.role != Role::Init,
        image: Spanned::new(Cow::Borrowed(""), manifest.span(&container.at)),
        memory: read.limit,
        request: (read.request.value != read.limit.value).then_some(read.request),
        cpu: read.cpu,
        env: Vec::<(Spanned<&'a str>, EnvValue<'a>)>::new(),
        configs: Vec::new(),
        secrets: Vec::new(),
        command: Vec::new(),
        args: Vec::new(),
        mounts: Vec::new(),
    }
}
