//! Re-checks services: what a pod counts for, how many pods there may be, and whether the chosen limit agrees with the
//! stated reason for it.

use std::collections::BTreeSet;

use super::{Check, Facts};
use crate::report::{Choice, Extra, ExtraRole, Service, Wave};

/// What a pod counts for by Kubernetes' formula: all containers together, or an init container with the sidecars
/// declared before it, whichever is more.
pub(super) fn pod_of(main: u64, beside: &[Extra<'_>], amount: fn(&Extra<'_>) -> u64) -> u128 {
    let (mut sidecars, mut peak) = (0_u128, 0_u128);
    for extra in beside {
        let together = sidecars.saturating_add(amount(extra).into());
        match extra.role {
            ExtraRole::Sidecar => sidecars = together,
            ExtraRole::Init => peak = peak.max(together),
        }
    }
    sidecars.saturating_add(main.into()).max(peak)
}

/// The least that one pod of a service requests.
pub(super) fn least_request(service: &Service<'_>) -> u128 {
    match service.choice {
        Choice::Burst => service.request_bytes.into(),
        Choice::Written | Choice::Ceiling | Choice::Level | Choice::Locked => {
            service.least_bytes.into()
        }
    }
}

impl Check {
    pub(super) fn services(&mut self, facts: &Facts<'_>) {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut place = String::new();
        for (index, service) in facts.report.services.iter().enumerate() {
            place.clear();
            place.extend(["service ", &service.name]);
            self.holds(&place, known.insert(&service.name), || {
                "there are two of that name".to_owned()
            });
            self.pods(&place, facts, index);
            self.wave(&place, service);
            self.amounts(&place, service);
            self.assumed(&place, service);
            self.choice(&place, service);
            self.evidence(&place, service);
        }
    }

    /// How many pods there may be, and on how many nodes.
    fn pods(&mut self, place: &str, facts: &Facts<'_>, index: usize) {
        let service = &facts.report.services[index];
        let (replicas, surge, pods) = (service.replicas, service.surge, service.pods_with_ending);
        // A pod that preempts others is placed while its predecessor is still ending.
        let peak = match service.preempts {
            true => u128::from(pods),
            false => u128::from(replicas) + u128::from(surge),
        };
        // Of pods that must not share a node no more are there than nodes.
        let places = match &facts.places[index] {
            _ if !service.one_on_a_node => u128::MAX,
            Some(places) => places.len() as u128,
            None => facts.report.nodes.len() as u128,
        };
        let peak = match facts.doubles(index) {
            true => peak.min(places.saturating_mul(2)),
            false => peak.min(places),
        };
        let how = "its pods that must find room at once are";
        self.same(place, "podsAtPeak", service.pods_at_peak, how, peak);
        self.holds(place, pods >= service.pods_at_peak, || {
            format!(
                "podsWithEnding is {pods}, less than podsAtPeak, {}",
                service.pods_at_peak
            )
        });
        let nodes = match (&service.nodes, &facts.places[index]) {
            (None, _) => facts.report.nodes.len() as u64,
            (Some(names), Some(places)) => {
                let places: BTreeSet<&usize> = places.iter().collect();
                self.holds(place, places.len() == names.len(), || {
                    "a node that may take it is named twice".to_owned()
                });
                self.holds(place, !names.is_empty(), || {
                    "no node may take it".to_owned()
                });
                names.len() as u64
            }
            (Some(_), None) => {
                self.fault(place, "it names a node that there is not");
                return;
            }
        };
        let peak = service.pods_at_peak;
        let enough = match (service.kind.as_ref(), service.one_on_a_node) {
            // One that surges has two on a node, and is counted so on the only node.
            ("DaemonSet", true) if facts.report.nodes.len() > 1 => {
                replicas == nodes && (surge == 0 || surge == replicas)
            }
            ("DaemonSet", true) => surge == 0 && replicas == nodes,
            ("DaemonSet", false) => {
                surge == replicas && replicas == nodes && facts.report.nodes.len() == 1
            }
            ("Deployment" | "StatefulSet", true) => replicas.saturating_add(surge) <= nodes,
            (_, one_on_a_node) => !one_on_a_node,
        };
        self.holds(place, enough, || {
            format!("{peak} pods do not go with {nodes} nodes")
        });
        // A hook of Helm has no pods at rest.
        let (replicas, surge) = match service.hook {
            Some(_) if replicas == 0 && service.wave.is_none() => (surge, 0),
            Some(_) => {
                self.fault(
                    place,
                    "it is a hook of Helm, and has pods at rest or a wave",
                );
                return;
            }
            None => (replicas, surge),
        };
        let twice = replicas.saturating_add(replicas.max(surge));
        let lingering = if service.lingers { replicas } else { 0 };
        let replaced = service.runs_ending.unwrap_or(0);
        let of_runs = replicas.saturating_mul(replaced.saturating_add(1));
        let fits = match service.kind.as_ref() {
            "Deployment" => surge <= replicas && pods == twice,
            "ReplicaSet" | "ReplicationController" => surge == 0 && pods == twice,
            // One that replaces its last run does not wait for it, and pods of earlier ones may not have ended.
            "CronJob" => surge == 0 && pods == of_runs.saturating_add(lingering),
            "Job" => surge == 0 && pods == replicas.saturating_add(lingering),
            "StatefulSet" => surge == 0 && pods == replicas,
            "Pod" => surge == 0 && pods == replicas && replicas <= 1,
            "DaemonSet" => pods == replicas.saturating_add(surge),
            _ => false,
        };
        self.holds(place, fits, || {
            format!(
                "`{}` does not go with {replicas} replicas, a surge of {surge}, {pods} pods with those ending",
                service.kind
            )
        });
        self.holds(
            place,
            service.runs_ending.is_none() || service.kind == "CronJob",
            || "runs of its kind are not replaced".to_owned(),
        );
        let ends = matches!(service.kind.as_ref(), "Job" | "Pod") || service.hook.is_none();
        self.holds(place, ends, || "no hook of Helm is of its kind".to_owned());
        let waits = matches!(service.kind.as_ref(), "Job" | "CronJob") || !service.lingers;
        self.holds(place, waits, || "pods of its kind do not linger".to_owned());
    }

    fn wave(&mut self, place: &str, service: &Service<'_>) {
        let other = matches!(&service.wave, Some(Wave::Alone(name)) if *name != service.name);
        self.holds(place, !other, || {
            "it rolls alone under the name of another".to_owned()
        });
        self.holds(place, service.wave.is_none() || service.surge > 0, || {
            "it has no surge, and is in a wave".to_owned()
        });
    }

    /// What is assumed of containers without a limit is what one of them counts for, unless that requests more.
    fn assumed(&mut self, place: &str, service: &Service<'_>) {
        let adopted = service.adopted.as_ref();
        let Some(assumed) = adopted.and_then(|adopted| adopted.assumed_bytes) else {
            return;
        };
        let main = (service.main_request_bytes, service.main_limit_bytes);
        let mut others = service.beside.iter();
        let counts = |(request, bytes): (u64, u64)| bytes == assumed.max(request);
        let is_counted =
            counts(main) || others.any(|extra| counts((extra.request_bytes, extra.bytes)));
        self.holds(place, is_counted, || {
            format!("{assumed} bytes are assumed of a container, and none counts for them")
        });
    }

    /// Re-checks what the whole pod counts for.
    fn amounts(&mut self, place: &str, service: &Service<'_>) {
        let how = "its containers make";
        let beside = &service.beside;
        for extra in beside {
            let fits = extra.request_bytes == extra.bytes
                || service.adopted.is_some() && extra.request_bytes < extra.bytes;
            self.holds(place, fits, || {
                format!(
                    "`{}` requests {} of {} bytes",
                    extra.name, extra.request_bytes, extra.bytes
                )
            });
        }
        let limit_of = |main: u64| pod_of(main, beside, |extra| extra.bytes);
        let request = pod_of(service.main_request_bytes, beside, |extra| {
            extra.request_bytes
        });
        self.same(place, "requestBytes", service.request_bytes, how, request);
        let limit = limit_of(service.main_limit_bytes);
        self.same(place, "limitBytes", service.limit_bytes, how, limit);
        let least = service.floor_bytes.unwrap_or(0).max(service.low_bytes);
        let how = "lowBytes, floorBytes and beside make";
        self.same(
            place,
            "leastBytes",
            service.least_bytes,
            how,
            limit_of(least),
        );
        let how = "highBytes and beside make";
        self.same(
            place,
            "mostBytes",
            service.most_bytes,
            how,
            limit_of(service.high_bytes),
        );
        let cpu = pod_of(service.main_cpu_milli, beside, |extra| extra.cpu_milli);
        self.same(
            place,
            "cpuMilli",
            service.cpu_milli,
            "its containers make",
            cpu,
        );
        let raised = service
            .floor_bytes
            .is_some_and(|floor| floor > service.low_bytes);
        self.holds(place, service.floor_bytes.is_none() || raised, || {
            "a floor that raises nothing is stated".to_owned()
        });
        self.holds(
            place,
            service.floor_bytes.is_some() == service.origin.floor.is_some(),
            || "floorBytes and origin.floor go together".to_owned(),
        );
    }

    /// Re-checks that the chosen limit agrees with the stated reason for it.
    fn choice(&mut self, place: &str, service: &Service<'_>) {
        let (low, high) = (service.low_bytes, service.high_bytes);
        let least = service.floor_bytes.unwrap_or(0).max(low);
        let (request, limit) = (service.main_request_bytes, service.main_limit_bytes);
        let fits = match service.choice {
            Choice::Written => low == high && (request, limit) == (low, low),
            Choice::Burst => low <= high && (request, limit) == (low, high),
            Choice::Ceiling => low < high && (request, limit) == (high, high),
            Choice::Level => request == limit && least <= limit && limit < high,
            Choice::Locked => low < high && request == limit && (least..=high).contains(&limit),
        };
        self.holds(place, fits, || {
            format!(
                "choice {:?} does not go with request {request}, limit {limit}, low {low}, high {high}",
                service.choice
            )
        });
        self.holds(place, service.weight > 0, || "it has no weight".to_owned());
    }
}
