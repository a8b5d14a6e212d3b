//! What is said of pods that the API server refuses: the quota or the LimitRange, what is over, every addend, and
//! changes that `compile.rs` tries before anyone sees them.

use super::namespace::{Bounded, From};
use super::objects::{Objects, is_one};
use crate::admission::limits::{Found, Refusal, Rule};
use crate::admission::quota::{Balance, Member};
use crate::admission::{Amount, pieces, shown};
use crate::base::quantity::{Bytes, MIB};
use crate::base::span::Span;
use crate::diag::{Addend, Diagnostic};
use crate::manifest::workload::bounds::{Entry, LimitRange, ResourceQuota};
use crate::plan::model::LEAST_LIMIT;
use crate::program::{Memory, Service, ServiceId};

/// Where the memory of a service's main container was written: what a change of it replaces. Nothing where two ends were
/// written, or request and limit apart.
fn memory_place(service: &Service<'_>) -> Option<Span> {
    match service.memory {
        Memory::Range { low, high } => low
            .origin
            .span
            .filter(|_| low.origin.span == high.origin.span),
        Memory::Burst { .. } => None,
    }
}

/// `web/c`, as rules name containers.
fn named(namespace: &Bounded<'_, '_>, (service, container): (ServiceId, usize)) -> String {
    let name = namespace.service(service).name.value;
    let pod = namespace.pods.iter().find(|(index, _)| *index == service);
    match pod.and_then(|(_, pod)| pod.containers.get(container)) {
        Some(container) => format!("{name}/{}", container.name),
        None => name.to_owned(),
    }
}

/// Where a container stands; its service where bzc writes it.
fn place(namespace: &Bounded<'_, '_>, (service, container): (ServiceId, usize)) -> Span {
    let service = namespace.service(service);
    let adopted = service.adopted.as_ref().and_then(|adopted| {
        let container = adopted.object.containers.get(container)?;
        Some(namespace.plan.program.manifests[adopted.manifest].span(&container.at))
    });
    adopted.unwrap_or(service.name.span)
}

/// A container whose request is above its limit, once LimitRanges have given it what it had not.
pub(super) fn invalid(
    namespace: &Bounded<'_, '_>,
    at: (ServiceId, usize),
    resource: &str,
    (request, limit): (Amount, Amount),
) -> Diagnostic {
    let name = named(namespace, at);
    let (request, limit) = (shown(resource, request), shown(resource, limit));
    let message = format!(
        "the API server refuses `{name}`: it requests {request} of `{resource}`, and its limit is {limit}"
    );
    let mut error =
        Diagnostic::error("BZ6007", message).at(place(namespace, at), "not a valid container");
    let given = namespace.entries().find_map(|((manifest, _), entry)| {
        let key = |key| (key, resource.to_owned());
        let at = entry
            .places
            .get(&key("default"))
            .or(entry.places.get(&key("max")))?;
        Some(manifest.span(at))
    });
    if let Some(span) = given {
        error = error.also(span, "the LimitRange gives the limit");
    }
    error.help(format!("give it a limit of `{resource}` of its own"))
}

fn key_of(rule: Rule) -> &'static str {
    match rule {
        Rule::Min => "min",
        Rule::Max => "max",
        Rule::Ratio => "maxLimitRequestRatio",
    }
}

/// A ratio as it is written: `2`, `1.5`.
fn ratio(thousandths: Amount) -> String {
    match (thousandths / 1000, thousandths % 1000) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{}", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// `its limit of memory is 512Mi, and max is 256Mi`.
fn reason(refusal: &Refusal) -> String {
    let resource = &refusal.resource;
    let amount = |amount| shown(resource, amount);
    let found = match refusal.found {
        Found::NoRequest => format!("it requests no `{resource}`"),
        Found::NoLimit => format!("it has no limit of `{resource}`"),
        Found::Request(n) => format!("it requests {} of `{resource}`", amount(n)),
        Found::Limit(n) => format!("its limit of `{resource}` is {}", amount(n)),
        Found::Ratio(limit, request) => format!(
            "its limit of `{resource}` is {}, its request {}",
            amount(limit),
            amount(request)
        ),
    };
    let bound = match refusal.rule {
        Rule::Ratio => ratio(refusal.bound),
        Rule::Min | Rule::Max => amount(refusal.bound),
    };
    format!("{found}, and `{}` is {bound}", key_of(refusal.rule))
}

/// What a LimitRange refuses of a pod.
pub(super) fn refused(
    namespace: &Bounded<'_, '_>,
    (from, entry): (From<'_, LimitRange>, &Entry),
    service: ServiceId,
    refusal: &Refusal,
) -> Diagnostic {
    let (who, at) = match refusal.container {
        Some(container) => (
            format!("`{}`", named(namespace, (service, container))),
            place(namespace, (service, container)),
        ),
        None => {
            let name = namespace.service(service).name;
            (format!("the pods of `{}`", name.value), name.span)
        }
    };
    let mut error = of_range(namespace, (from, entry), (&who, at), refusal);
    let of_memory = refusal.resource == "memory" && refusal.rule != Rule::Ratio;
    let is_single = namespace.service(service).extras.is_empty();
    if let (true, true, Some(span)) = (
        of_memory,
        is_single,
        memory_place(namespace.service(service)),
    ) {
        let name = namespace.service(service).name.value;
        let bound = shown("memory", refusal.bound);
        error = error.guess(format!("give `{name}` {bound}"), span, bound);
    }
    loosened(error, (from, entry), refusal)
}

/// What a LimitRange refuses of a claim.
pub(super) fn claim(
    namespace: &Bounded<'_, '_>,
    range: (From<'_, LimitRange>, &Entry),
    (who, at): (&str, Span),
    refusal: &Refusal,
) -> Diagnostic {
    let error = of_range(namespace, range, (who, at), refusal);
    loosened(error, range, refusal)
}

fn of_range(
    namespace: &Bounded<'_, '_>,
    ((manifest, range), entry): (From<'_, LimitRange>, &Entry),
    (who, at): (&str, Span),
    refusal: &Refusal,
) -> Diagnostic {
    let message = format!(
        "LimitRange `{}` of namespace `{}` refuses {who}: {}",
        range.name,
        namespace.name,
        reason(refusal)
    );
    let bound = entry
        .places
        .get(&(key_of(refusal.rule), refusal.resource.clone()));
    Diagnostic::error("BZ6007", message)
        .at(at, "would be refused")
        .also(
            manifest.span(bound.unwrap_or(&range.at)),
            format!("the LimitRange, for each {}", entry.limits.of.word()),
        )
}

/// A LimitRange that allows what there is.
fn loosened(
    error: Diagnostic,
    ((manifest, range), entry): (From<'_, LimitRange>, &Entry),
    refusal: &Refusal,
) -> Diagnostic {
    let key = key_of(refusal.rule);
    let by = match refusal.found {
        Found::NoRequest | Found::NoLimit => return error,
        Found::Request(found) | Found::Limit(found) => shown(&refusal.resource, found),
        Found::Ratio(limit, request) => limit.div_ceil(request).to_string(),
    };
    let Some(at) = entry.places.get(&(key, refusal.resource.clone())) else {
        return error;
    };
    let text = format!("set `{key}` of `{}` to {by}", range.name);
    error.guess(text, manifest.span(at), by)
}

/// `quota q of namespace shop`, with where it holds a resource.
fn quota<'q>(
    namespace: &Bounded<'_, '_>,
    (manifest, quota): From<'q, ResourceQuota>,
    resource: &str,
) -> (String, Span) {
    let at = quota.places.get(resource).unwrap_or(&quota.at);
    let name = format!("quota `{}` of namespace `{}`", quota.name, namespace.name);
    (name, manifest.span(at))
}

/// A container that gives no amount of a resource that the quota holds.
pub(super) fn missing(
    namespace: &Bounded<'_, '_>,
    from: From<'_, ResourceQuota>,
    at: (ServiceId, usize),
    resources: &[&str],
) -> Diagnostic {
    let (holder, held) = quota(namespace, from, resources[0]);
    let listed: Vec<String> = resources.iter().map(|name| format!("`{name}`")).collect();
    let name = named(namespace, at);
    let message = format!(
        "{holder} refuses every pod of `{}`: `{name}` gives no {}",
        namespace.service(at.0).name.value,
        listed.join(", ")
    );
    let error = Diagnostic::error("BZ6010", message)
        .at(place(namespace, at), "has to say how much")
        .also(held, "what is held has to be given by every container");
    let adopted = namespace.service(at.0).adopted.is_some();
    let needs = |what| resources.iter().any(|name| name.ends_with(what));
    let mut fields = Vec::new();
    if needs("memory") {
        fields.push("memory = ..");
    }
    if needs("cpu") {
        let limited = resources.contains(&"limits.cpu");
        fields.push(if limited {
            "cpu = .. .. .."
        } else {
            "cpu = .."
        });
    }
    let fields = fields.join("  ").replace(".. .. ..", "REQUEST..LIMIT");
    error.help(match adopted {
        true => format!("give it in a rule: `workload {name} {{ {fields} }}`"),
        false => format!("give it: `{fields}`"),
    })
}

/// A raised quota, as its text writes numbers.
fn raised(
    error: Diagnostic,
    namespace: &Bounded<'_, '_>,
    (manifest, quota): From<'_, ResourceQuota>,
    resource: &str,
    to: Amount,
) -> Diagnostic {
    let Some(at) = quota.places.get(resource) else {
        return error;
    };
    let to = shown(resource, whole(resource, to));
    let written = namespace.plan.program.sources.text(manifest.span(at));
    let by = match written.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => format!("{quote}{to}{quote}"),
        None => to.clone(),
    };
    let text = format!("raise `{resource}` of `{}` to {to}", quota.name);
    error.guess(text, manifest.span(at), by)
}

/// An amount of memory in whole Mi, rounded up.
fn whole(resource: &str, amount: Amount) -> Amount {
    let mib = Amount::from(MIB) * 1000;
    match resource.ends_with("memory") {
        true => amount.div_ceil(mib) * mib,
        false => amount,
    }
}

/// What should be there at rest is refused.
pub(super) fn over(
    namespace: &Bounded<'_, '_>,
    from: From<'_, ResourceQuota>,
    balance: &Balance,
    (counted, members): (&[ServiceId], &[Member<'_>]),
    objects: &Objects,
) -> Diagnostic {
    let resource = balance.resource.as_str();
    let (holder, held) = quota(namespace, from, resource);
    let excess = balance.rest - balance.hard;
    let message = format!(
        "{holder} is over by {} of `{resource}`",
        shown(resource, whole(resource, excess))
    );
    let mut error = Diagnostic::error("BZ6010", message)
        .at(held, format!("holds {}", shown(resource, balance.hard)));
    let mut rows = rows_of_pods(namespace, resource, (counted, members));
    if from.1.quota.counts_objects() {
        rows.extend(objects.addends(resource).map(|(what, span, amount)| {
            let what = what.to_owned();
            row(what, resource, amount, span)
        }));
    }
    let mut largest: Vec<&(Amount, Addend)> = rows.iter().collect();
    largest.sort_by_key(|(amount, _)| std::cmp::Reverse(*amount));
    for (_, addend) in largest.into_iter().take(3) {
        if let Some(span) = addend.span {
            error = error.also(span, format!("{} of it", addend.amount));
        }
    }
    rows.push(row("together".to_owned(), resource, balance.rest, None));
    let quota = "the quota".to_owned();
    rows.push(row(quota, resource, balance.hard, Some(held)));
    error.addends = rows.into_iter().map(|(_, addend)| addend).collect();
    error = raised(error, namespace, from, resource, balance.rest);
    for (index, member) in counted.iter().zip(members) {
        error = lowered(error, namespace, (*index, member), resource, excess);
    }
    const MOST: usize = 6;
    error.helps.truncate(MOST);
    error
}

/// A row of a sum, with its amount.
fn row(what: String, resource: &str, amount: Amount, span: Option<Span>) -> (Amount, Addend) {
    let addend = Addend {
        what,
        amount: shown(resource, amount),
        span,
    };
    (amount, addend)
}

/// What the pods of each service take of a resource while nothing is rolled out.
fn rows_of_pods(
    namespace: &Bounded<'_, '_>,
    resource: &str,
    (counted, members): (&[ServiceId], &[Member<'_>]),
) -> Vec<(Amount, Addend)> {
    let rows = counted.iter().zip(members).filter_map(|(id, member)| {
        let of_one = member.usage.get(resource).copied().unwrap_or(0);
        let amount = of_one.saturating_mul(Amount::from(member.rest));
        let name = namespace.service(*id).name;
        let times = match is_one(of_one) {
            true => String::new(),
            false => format!(": {} x {}", member.rest, shown(resource, of_one)),
        };
        let what = format!("`{}`{times}", name.value);
        (amount > 0).then(|| row(what, resource, amount, Some(name.span)))
    });
    rows.collect()
}

/// A smaller or a rarer pod that makes up for an excess by itself.
fn lowered(
    mut error: Diagnostic,
    namespace: &Bounded<'_, '_>,
    (index, member): (ServiceId, &Member<'_>),
    resource: &str,
    excess: Amount,
) -> Diagnostic {
    let service = namespace.service(index);
    let name = service.name.value;
    let each = member.usage.get(resource).copied().unwrap_or(0);
    if each == 0 || member.rest == 0 {
        return error;
    }
    let workload = &namespace.plan.workloads[index];
    if let (true, Some(span)) = (resource.ends_with("memory"), memory_place(service)) {
        let lower = excess.div_ceil(Amount::from(member.rest)).div_ceil(1000);
        let lower = u64::try_from(lower).unwrap_or(u64::MAX);
        let main = workload.limit.n.saturating_sub(lower) / MIB * MIB;
        if main >= LEAST_LIMIT.n {
            let by = Bytes::new(main).to_string();
            error = error.guess(format!("give `{name}` {by}"), span, by);
        }
    }
    let fewer = member
        .rest
        .saturating_sub(u64::try_from(excess.div_ceil(each)).unwrap_or(u64::MAX));
    if let (1.., Some(span)) = (fewer, service.replicas.origin.span)
        && fewer < member.rest
        && span != service.name.span
    {
        let text = format!("run {fewer} of `{name}`");
        error = error.guess(text, span, fewer.to_string());
    }
    error
}

/// A rollout that never ends.
pub(super) fn stuck(
    namespace: &Bounded<'_, '_>,
    from: From<'_, ResourceQuota>,
    balance: &Balance,
    (index, member): (ServiceId, &Member<'_>),
) -> Diagnostic {
    let resource = balance.resource.as_str();
    let (holder, held) = quota(namespace, from, resource);
    let service = namespace.service(index);
    let name = service.name.value;
    let each = member.usage.get(resource).copied().unwrap_or(pieces(1));
    let message = format!("no rollout of `{name}` ends: {holder} refuses its first new pod");
    let error = Diagnostic::error("BZ6011", message)
        .at(service.name.span, "takes no old pod away before a new one is there")
        .also(
            held,
            format!(
                "{} of {} are taken at rest, and a new pod takes {}",
                shown(resource, balance.rest),
                shown(resource, balance.hard),
                shown(resource, each)
            ),
        )
        .note("`maxUnavailable` comes to 0 here: so the old pods wait for a new one, and it waits for their room");
    let mut error = replaced(error, namespace, service);
    error = raised(
        error,
        namespace,
        from,
        resource,
        balance.rest.saturating_add(each),
    );
    error
}

/// A rollout that takes one pod away first.
fn replaced(error: Diagnostic, namespace: &Bounded<'_, '_>, service: &Service<'_>) -> Diagnostic {
    let text = "roll out by replacement: one old pod goes first".to_owned();
    let by_rule = service
        .adopted
        .as_ref()
        .is_none_or(|adopted| adopted.sets_rollout);
    if let (true, Some(span)) = (by_rule, service.rollout.origin.span) {
        return error.guess(text, span, "replace");
    }
    let inside = service
        .adopted
        .as_ref()
        .and_then(|adopted| namespace.plan.program.adopts[adopted.adopt].inside);
    match inside {
        Some(span) => error.guess(
            text,
            span,
            format!(
                "\n  workload {} {{ rollout = replace }}",
                service.name.value
            ),
        ),
        None => error,
    }
}

/// Pods that wait until others have ended: which resources of a quota, and how much of each may be wanted.
pub(super) fn waits(
    namespace: &Bounded<'_, '_>,
    from: From<'_, ResourceQuota>,
    waiting: &[(&Balance, Amount)],
) -> Option<Diagnostic> {
    let (first, _) = waiting.first()?;
    let (holder, _) = quota(namespace, from, &first.resource);
    let message = format!("during a rollout {holder} refuses pods until others have ended");
    let mut lint =
        Diagnostic::lint("rollout-waits", message).at(from.0.pattern, "of these manifests");
    for (balance, most) in waiting {
        let resource = balance.resource.as_str();
        let (_, held) = quota(namespace, from, resource);
        let text = format!(
            "{} at rest, and up to {} with new and ending pods",
            shown(resource, balance.rest),
            shown(resource, whole(resource, *most))
        );
        lint = lint.also(held, text);
    }
    Some(lint.help("with room for all of these nothing waits for the quota"))
}
