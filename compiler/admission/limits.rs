//! LimitRanges: what the API server completes in them, what they give to containers, and what they refuse
//! (`plugin/pkg/admission/limitranger/admission.go`).

use super::{Amount, Container, Pod, Resources};

/// What an entry of a LimitRange is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Every container of a pod.
    Container,
    /// The sums of a pod.
    Pod,
    /// A PersistentVolumeClaim.
    Claim,
}

impl Of {
    /// As Kubernetes calls it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Of::Container => "Container",
            Of::Pod => "Pod",
            Of::Claim => "PersistentVolumeClaim",
        }
    }
}

/// An entry of a LimitRange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// What it is about.
    pub of: Of,
    /// The least.
    pub min: Resources,
    /// The most.
    pub max: Resources,
    /// The limit of a container that has none.
    pub default: Resources,
    /// The request of a container that has none.
    pub default_request: Resources,
    /// How many times its request a limit may be, in thousandths.
    pub ratio: Resources,
}

impl Limits {
    /// An entry that says nothing.
    pub(crate) fn nothing(of: Of) -> Limits {
        Limits {
            of,
            min: Resources::new(),
            max: Resources::new(),
            default: Resources::new(),
            default_request: Resources::new(),
            ratio: Resources::new(),
        }
    }

    /// What the API server completes when the LimitRange is applied: for containers `max` is the default limit, that is
    /// the default request, and where there is neither `min` is (`pkg/apis/core/v1/defaults.go`,
    /// `SetDefaults_LimitRangeItem`).
    pub(crate) fn complete(&mut self) {
        if self.of != Of::Container {
            return;
        }
        give(&mut self.default, &self.max);
        give(&mut self.default_request, &self.default);
        give(&mut self.default_request, &self.min);
    }

    /// What of the entry the API server would refuse to take, completed as it is (`pkg/apis/core/validation/validation.go`,
    /// `ValidateLimitRange`): the resource, the smaller and the larger of two that are in the wrong order.
    pub(crate) fn contradiction(&self) -> Option<(&str, &'static str, &'static str)> {
        let orders = [
            ("min", &self.min, "max", &self.max),
            ("min", &self.min, "defaultRequest", &self.default_request),
            ("defaultRequest", &self.default_request, "max", &self.max),
            (
                "defaultRequest",
                &self.default_request,
                "default",
                &self.default,
            ),
            ("min", &self.min, "default", &self.default),
            ("default", &self.default, "max", &self.max),
        ];
        orders.into_iter().find_map(|(low, lows, high, highs)| {
            let wrong = |(resource, amount): (&String, &Amount)| {
                highs.get(resource).is_some_and(|most| amount > most)
            };
            let found = lows.iter().find(|pair| wrong(*pair))?;
            Some((found.0.as_str(), low, high))
        })
    }
}

fn give(to: &mut Resources, from: &Resources) {
    for (resource, amount) in from {
        to.entry(resource.clone()).or_insert(*amount);
    }
}

/// Gives a container what the LimitRanges of its namespace give: limits and requests that it has not. In which order
/// several are asked is not defined, so it says of which resources two of them give different amounts; there the
/// container gets the larger.
///
/// What LimitRanger gives is not completed once more: a limit that it gives is no request.
pub(crate) fn give_defaults<'l>(
    container: &mut Container,
    ranges: impl Iterator<Item = &'l Limits> + Clone,
) -> Vec<String> {
    let mut unsettled = Vec::new();
    let mut settle = |has: &mut Resources, of: fn(&Limits) -> &Resources| {
        let mut given = Resources::new();
        for range in ranges.clone().filter(|range| range.of == Of::Container) {
            for (resource, amount) in of(range) {
                if has.contains_key(resource) {
                    continue;
                }
                match given.get(resource) {
                    Some(other) if other == amount => {}
                    Some(other) => {
                        unsettled.push(resource.clone());
                        given.insert(resource.clone(), (*other).max(*amount));
                    }
                    None => _ = given.insert(resource.clone(), *amount),
                }
            }
        }
        has.extend(given);
    };
    settle(&mut container.limits, |range| &range.default);
    settle(&mut container.requests, |range| &range.default_request);
    unsettled.sort();
    unsettled.dedup();
    unsettled
}

/// What a LimitRange asks for and does not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The container, by index; `None` where it is about a pod or a claim.
    pub container: Option<usize>,
    /// The resource.
    pub resource: String,
    /// What is asked for.
    pub rule: Rule,
    /// How much of it.
    pub bound: Amount,
    /// What there is instead.
    pub found: Found,
}

/// What an entry of a LimitRange can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// `min`.
    Min,
    /// `max`.
    Max,
    /// `maxLimitRequestRatio`.
    Ratio,
}

/// What was found instead of what a LimitRange asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No request at all, or none that a ratio can be made of.
    NoRequest,
    /// No limit at all.
    NoLimit,
    /// This request.
    Request(Amount),
    /// This limit.
    Limit(Amount),
    /// This limit over this request.
    Ratio(Amount, Amount),
}

/// What an entry refuses of a pod that has been given its defaults.
pub(crate) fn refusals(limits: &Limits, pod: &Pod) -> Vec<Refusal> {
    let mut all = Vec::new();
    match limits.of {
        Of::Container => {
            for (at, container) in pod.containers.iter().enumerate() {
                check(
                    limits,
                    Some(at),
                    (&container.requests, &container.limits),
                    &mut all,
                );
            }
        }
        Of::Pod => check(limits, None, (&pod.requests(), &pod.limits()), &mut all),
        Of::Claim => {}
    }
    all
}

/// What an entry refuses of a claim for so much: only `min` and `max` are asked, and only of its request
/// (`PersistentVolumeClaimValidateLimitFunc`).
pub(crate) fn claim_refusals(limits: &Limits, requests: &Resources) -> Vec<Refusal> {
    let mut all = Vec::new();
    if limits.of == Of::Claim {
        min(limits, None, (requests, &Resources::new()), &mut all);
        for (resource, bound) in &limits.max {
            let found = match requests.get(resource) {
                None => Found::NoRequest,
                Some(request) if request > bound => Found::Request(*request),
                Some(_) => continue,
            };
            all.push(Refusal {
                container: None,
                resource: resource.clone(),
                rule: Rule::Max,
                bound: *bound,
                found,
            });
        }
    }
    all
}

fn check(
    limits: &Limits,
    container: Option<usize>,
    (requests, held): (&Resources, &Resources),
    all: &mut Vec<Refusal>,
) {
    min(limits, container, (requests, held), all);
    let mut refuse = |rule, resource: &String, bound: Amount, found| {
        all.push(Refusal {
            container,
            resource: resource.clone(),
            rule,
            bound,
            found,
        });
    };
    for (resource, bound) in &limits.max {
        match (requests.get(resource), held.get(resource)) {
            (_, None) => refuse(Rule::Max, resource, *bound, Found::NoLimit),
            (_, Some(limit)) if limit > bound => {
                refuse(Rule::Max, resource, *bound, Found::Limit(*limit))
            }
            (Some(request), _) if request > bound => {
                refuse(Rule::Max, resource, *bound, Found::Request(*request))
            }
            _ => {}
        }
    }
    for (resource, bound) in &limits.ratio {
        let there = |list: &Resources| list.get(resource).copied().filter(|amount| *amount > 0);
        match (there(requests), there(held)) {
            (None, _) => refuse(Rule::Ratio, resource, *bound, Found::NoRequest),
            (_, None) => refuse(Rule::Ratio, resource, *bound, Found::NoLimit),
            (Some(request), Some(limit))
                if limit.saturating_mul(1000) > request.saturating_mul(*bound) =>
            {
                refuse(Rule::Ratio, resource, *bound, Found::Ratio(limit, request))
            }
            _ => {}
        }
    }
}

fn min(
    limits: &Limits,
    container: Option<usize>,
    (requests, held): (&Resources, &Resources),
    all: &mut Vec<Refusal>,
) {
    for (resource, bound) in &limits.min {
        let found = match (requests.get(resource), held.get(resource)) {
            (None, _) => Found::NoRequest,
            (Some(request), _) if request < bound => Found::Request(*request),
            (_, Some(limit)) if limit < bound => Found::Limit(*limit),
            _ => continue,
        };
        all.push(Refusal {
            container,
            resource: resource.clone(),
            rule: Rule::Min,
            bound: *bound,
            found,
        });
    }
}

/// Where a container requests more than its limit, or something else than its limit of a resource that cannot be
/// shared (`pkg/apis/core/validation/validation.go`, `validateResourceRequirements`): the resource, request and limit.
pub(crate) fn invalid(container: &Container) -> Option<(&str, Amount, Amount)> {
    let both = container.requests.iter().filter_map(|(resource, request)| {
        Some((
            resource.as_str(),
            *request,
            *container.limits.get(resource)?,
        ))
    });
    let mut both = both;
    both.find(|(resource, request, limit)| {
        let shared = !resource.contains('/') && !resource.starts_with("hugepages-");
        request > limit || (!shared && request != limit)
    })
}
