//! Re-checks what adopted quotas count: sums, that they are within what is held, and that liveness is not called proved
//! where something may be refused for ever.

use std::collections::BTreeSet;

use super::{Check, Facts, sum, times};
use crate::report::{Id, Quota, QuotaTerm, Service, Verdict};

/// A resource of which a quota counts what pods request or may take: the part of a service that says how much.
fn of_pod(resource: &str, service: &Service<'_>) -> Option<u128> {
    let bounded = service.adopted.as_ref().is_none_or(|one| one.bounded);
    let milli = |bytes: u64| u128::from(bytes) * 1000;
    match resource {
        "pods" | "count/pods" => Some(1000),
        "memory" | "requests.memory" => Some(milli(service.request_bytes)),
        "cpu" | "requests.cpu" => Some(service.cpu_milli.into()),
        "limits.memory" if bounded => Some(milli(service.limit_bytes)),
        _ => None,
    }
}

impl Check {
    pub(super) fn quotas(&mut self, facts: &Facts<'_>) {
        let mut known = BTreeSet::new();
        for quota in &facts.report.quotas {
            let (name, namespace, resource) = (&quota.name, &quota.namespace, &quota.resource);
            let place = format!("quota {name} of {namespace}: {resource}");
            self.holds(&place, known.insert((namespace, name, resource)), || {
                "it is there twice".to_owned()
            });
            self.quota(facts, &place, quota);
        }
    }

    fn quota(&mut self, facts: &Facts<'_>, place: &str, quota: &Quota<'_>) {
        let how = "its terms sum to";
        let of = |count: fn(&QuotaTerm<'_>) -> u64| {
            sum(quota
                .terms
                .iter()
                .map(|term| times(count(term), term.each_milli)))
        };
        let (rest, kept) = (of(|term| term.rest), of(|term| term.kept));
        let most = of(|term| term.most).saturating_add(kept);
        self.same(place, "restMilli", quota.rest_milli, how, rest);
        self.same(place, "mostMilli", quota.most_milli, how, most);
        let hard = u128::from(quota.hard_milli);
        let free = hard.checked_sub(quota.rest_milli.into());
        let how = "hardMilli less restMilli";
        self.difference(place, ("freeMilli", quota.free_milli), how, free);
        let mut named = BTreeSet::new();
        for term in &quota.terms {
            self.quota_term(facts, (place, quota), term);
            let is_new = named.insert((&term.what, &term.reference));
            self.holds(place, is_new, || format!("{} is there twice", term.what));
        }
        let waiting = quota.terms.iter().filter(|term| term.waits);
        let each = waiting.map(|term| u128::from(term.each_milli)).max();
        let each = each.unwrap_or(0);
        self.holds(place, rest.saturating_add(each) <= hard, || {
            format!("a rollout needs {each} more than {rest}, of {hard}")
        });
        let fills = rest.saturating_add(kept).saturating_add(each) > hard;
        let mut theorems = facts.report.theorems.iter();
        let proved = theorems.any(|one| one.id == Id::T4 && one.verdict == Verdict::Proved);
        self.holds(place, !(fills && proved), || {
            "it may fill with what is kept, and T4 is called proved".to_owned()
        });
    }

    fn quota_term(
        &mut self,
        facts: &Facts<'_>,
        (place, quota): (&str, &Quota<'_>),
        term: &QuotaTerm<'_>,
    ) {
        let what = &term.what;
        self.holds(place, term.each_milli > 0, || {
            format!("{what} adds nothing")
        });
        self.holds(place, term.rest <= term.most, || {
            format!("{what}: {} at rest, {} at the most", term.rest, term.most)
        });
        let index = match term.reference.strip_prefix("/services/") {
            _ if term.reference.is_empty() => None,
            index => {
                let index: Option<usize> = index.and_then(|index| index.parse().ok());
                let found = index.filter(|index| *index < facts.report.services.len());
                self.holds(place, found.is_some(), || {
                    format!("{what} refers to `{}`", term.reference)
                });
                found
            }
        };
        let Some(index) = index else {
            self.holds(place, !term.waits, || format!("{what} does not roll out"));
            self.holds(place, term.most == term.rest, || {
                format!("{what} does not roll out")
            });
            return;
        };
        let service = &facts.report.services[index];
        let named = format!("pods of `{}`", service.name);
        self.holds(place, *what == named, || format!("{what} are {named}"));
        let key = format!("{what}: rest");
        // A hook of Helm counts all the time.
        let (how, rest) = match service.hook {
            Some(_) => ("its surge is", service.surge),
            None => ("replicas are", service.replicas),
        };
        self.same(place, &key, term.rest, how, rest.into());
        // One that recreates waits until all pods have ended, and some kinds roll nothing out.
        let most = service.pods_with_ending.max(service.pods_at_peak);
        let kinds = ["Deployment", "ReplicaSet", "ReplicationController"];
        let recreates = service.surge == 0 && kinds.contains(&service.kind.as_ref());
        let fits = term.most == most || recreates && term.most == service.replicas;
        self.holds(place, fits, || {
            format!("{what}: {} at the most, {most} may be there", term.most)
        });
        self.holds(
            place,
            !term.waits || service.surge > 0 && service.kind == "Deployment",
            || format!("{what} wait for a new one, and there is none before"),
        );
        if let Some(each) = of_pod(&quota.resource, service) {
            let key = format!("{what}: eachMilli");
            self.same(place, &key, term.each_milli, "its service says", each);
        }
    }
}
