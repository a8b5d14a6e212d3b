//! Re-checks the promises: their inequalities, their statements, and that no verdict claims more than is known.

use std::collections::BTreeSet;

use super::evidence::{refutes, sufficiency};
use super::nodes::{all_limits, counts, requests};
use super::{Check, Expected, Facts, lemma, sum, times};
use crate::base::quantity::in_mib;
use crate::report::{
    Budget, Component, Count, Id, Node, PlacementKind, Role, Side, SidedTerm, Theorem, Verdict,
};

/// What limits may come to: the allocatable memory, or the percentage of it that the program allows.
pub(super) fn allowed(node: &Node<'_>) -> u128 {
    times(
        node.allocatable_bytes,
        node.overcommit_percent.unwrap_or(100),
    ) / 100
}

/// What a promise must state: the addends of its inequality, whether all of them are known, and its statement.
struct Promise {
    terms: Vec<Expected>,
    known: bool,
    says: Vec<String>,
}

/// An amount as statements print it.
fn shown(amount: u128) -> String {
    u64::try_from(amount).map_or_else(|_| amount.to_string(), in_mib)
}

/// Whether a text contains an amount, and not only as part of a longer one.
fn says(text: &str, amount: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
    text.match_indices(amount)
        .any(|(at, _)| !part(text[..at].chars().next_back()))
}

/// What components come to on all nodes, if a pod counts for `each`: pods that can move count once, pods of every node
/// count on every node.
fn on_all(facts: &Facts<'_>, each: fn(&Component<'_>) -> u64) -> Vec<Expected> {
    let Some(at) = facts.open() else {
        return Vec::new();
    };
    let nodes = &facts.report.nodes;
    let term = |(index, component): (usize, &Component<'_>)| {
        let there = nodes.iter().filter_map(|node| node.components.get(index));
        let pods = match component.every_node {
            true => sum(there.map(|component| component.pods_at_peak.into())),
            false => component.pods_at_peak.into(),
        };
        Expected::of_component((at, index), component, pods, each(component))
    };
    nodes[at].components.iter().enumerate().map(term).collect()
}

fn amounts(terms: &[Expected], side: Side) -> u128 {
    let of_side = terms.iter().filter(|term| term.side == Some(side));
    sum(of_side.map(|term| term.amount))
}

/// What is requested on all nodes, as addends: components, then services.
fn requested_by(
    facts: &Facts<'_>,
    of_component: fn(&Component<'_>) -> u64,
    of_service: impl Fn(usize) -> u64,
) -> Vec<Expected> {
    let mut terms = on_all(facts, of_component);
    let services = facts.at_worst(|index, pods| times(of_service(index), pods));
    terms.push(Expected::new(
        Side::Left,
        "services",
        "/services",
        services,
        "the services make",
    ));
    terms
}

fn asked_memory(facts: &Facts<'_>) -> Vec<Expected> {
    let of_service = |index: usize| facts.report.services[index].request_bytes;
    requested_by(facts, |component| component.request_bytes, of_service)
}

/// What the nodes for which `keep` is true have for pods, as addends.
fn allocatable(facts: &Facts<'_>, keep: impl Fn(usize) -> bool) -> Vec<Expected> {
    let nodes = facts
        .report
        .nodes
        .iter()
        .enumerate()
        .filter(|(at, _)| keep(*at));
    nodes
        .map(|(at, node)| {
            let reference = format!("/nodes/{at}/allocatableBytes");
            let amount = node.allocatable_bytes.into();
            let id = facts.id_of("allocatable", at);
            Expected::new(Side::Right, &id, &reference, amount, "the node has")
        })
        .collect()
}

impl Check {
    pub(super) fn theorems(&mut self, facts: &Facts<'_>) {
        let report = facts.report;
        let mut promised: Vec<(Id, &str, Option<&str>)> = Vec::new();
        let nodes = || report.nodes.iter().map(|node| Some(node.name.as_ref()));
        promised.extend(nodes().map(|node| (Id::T1, "isolation", node)));
        promised.extend(nodes().map(|node| (Id::T2, "non-interference", node)));
        promised.extend([(Id::T3, "sufficiency", None), (Id::T4, "liveness", None)]);
        let mut stated: Vec<(Id, &str, Option<&str>)> = report
            .theorems
            .iter()
            .map(|theorem| (theorem.id, theorem.name.as_ref(), theorem.node.as_deref()))
            .collect();
        // Survival is stated if the program asks for it.
        stated.pop_if(|last| *last == (Id::T5, "survival", None));
        self.holds("theorems", stated == promised, || {
            "they are not T1 isolation and T2 non-interference of every node, T3 sufficiency, T4 liveness".to_owned()
        });
        for theorem in &report.theorems {
            let at = report
                .nodes
                .iter()
                .position(|node| Some(&node.name) == theorem.node.as_ref());
            let at = at.unwrap_or(0);
            let promise = match theorem.id {
                Id::T1 => isolation(facts, at),
                Id::T2 => interference(facts, at),
                Id::T3 => {
                    // It has no sum: it is about each service for itself.
                    let (known, says) = sufficiency(facts);
                    Promise {
                        terms: Vec::new(),
                        known,
                        says: vec![says],
                    }
                }
                Id::T4 => liveness(facts),
                Id::T5 => self.survival(facts),
            };
            let place = match (&theorem.node, report.nodes.len()) {
                (Some(node), 2..) => format!("{:?} of {node}", theorem.id),
                _ => format!("{:?}", theorem.id),
            };
            if theorem.id == Id::T2 {
                self.worst_set(&place, facts, at, theorem);
            } else {
                self.terms(&place, &theorem.terms, &promise.terms);
            }
            let right = Some(theorem.right_bytes);
            self.sides(
                &place,
                ("leftBytes", theorem.left_bytes),
                ("rightBytes", right),
                theorem,
            );
            for amount in &promise.says {
                self.holds(&place, says(&theorem.statement, amount), || {
                    format!("its statement does not say {amount}")
                });
            }
            self.verdict(&place, facts, at, theorem, promise.known);
            let counted: &[&str] = match theorem.id {
                Id::T4 => &["cpuMilli", "pods"],
                Id::T1 | Id::T2 | Id::T3 | Id::T5 => &[],
            };
            let stated: Vec<&str> = theorem
                .counts
                .iter()
                .map(|count| count.id.as_ref())
                .collect();
            self.holds(&place, stated == counted, || {
                format!("it counts {stated:?}, not {counted:?}")
            });
            theorem
                .counts
                .iter()
                .for_each(|count| self.count(facts, count));
        }
    }

    /// Both sides are the sums of their terms, and the left one is not larger if the promise is proved.
    fn sides(
        &mut self,
        place: &str,
        left: (&str, u64),
        right: (&str, Option<u64>),
        theorem: &Theorem<'_>,
    ) {
        self.both(place, left, right, &theorem.terms);
        // The largest sum of limits may be above what there is; then the verdict must say so.
        if theorem.id != Id::T2 {
            let holds = right.1.is_none_or(|right| left.1 <= right);
            self.holds(place, holds, || {
                format!("{} is not within {}", left.1, right.1.unwrap_or_default())
            });
        }
    }

    fn both(
        &mut self,
        place: &str,
        (left_key, left): (&str, u64),
        (right_key, right): (&str, Option<u64>),
        terms: &[SidedTerm<'_>],
    ) {
        let of = |side: Side| {
            let terms = terms.iter().filter(|term| term.side == side);
            sum(terms.map(|term| term.amount.into()))
        };
        self.same(place, left_key, left, "its terms sum to", of(Side::Left));
        if let Some(right) = right {
            self.same(place, right_key, right, "its terms sum to", of(Side::Right));
        }
    }

    /// T2: the pods on its left side can be on the node at once, and no other set of pods comes to more.
    fn worst_set(&mut self, place: &str, facts: &Facts<'_>, at: usize, theorem: &Theorem<'_>) {
        let node = &facts.report.nodes[at];
        self.same(
            place,
            "leftBytes",
            theorem.left_bytes,
            "limits come to",
            node.limit_bytes.into(),
        );
        let reference = format!("/nodes/{at}/allocatableBytes");
        let allowed = Expected::new(
            Side::Right,
            if node.overcommit_percent.is_some() {
                "allowed"
            } else {
                "allocatable"
            },
            &reference,
            allowed(node),
            "limits may come to",
        );
        let (right, left): (Vec<&SidedTerm<'_>>, Vec<&SidedTerm<'_>>) = theorem
            .terms
            .iter()
            .partition(|term| term.side == Side::Right);
        let single = matches!(right.as_slice(), [term] if term.id == allowed.id && term.reference == allowed.reference);
        self.holds(place, single, || {
            format!("its right side is not `{}` alone", allowed.id)
        });
        for term in &right {
            self.same(
                place,
                &format!("the term `{}`", term.id),
                term.amount,
                allowed.what,
                allowed.amount,
            );
        }
        let whole = all_limits(facts, at) <= node.allocatable_bytes.into();
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for term in left {
            let key = format!("the term `{}`", term.id);
            self.holds(place, known.insert(&term.id), || {
                format!("{key} is there twice")
            });
            self.of_worst_set(place, facts, at, term, whole);
        }
    }

    fn of_worst_set(
        &mut self,
        place: &str,
        facts: &Facts<'_>,
        at: usize,
        term: &SidedTerm<'_>,
        whole: bool,
    ) {
        let node = &facts.report.nodes[at];
        let key = format!("the term `{}`", term.id);
        let components = || node.components.iter().enumerate();
        let component = term
            .id
            .strip_prefix("component.")
            .and_then(|name| components().find(|(_, component)| component.name == name));
        let service = term.id.strip_prefix("service.").and_then(|name| {
            facts
                .report
                .services
                .iter()
                .position(|service| service.name == name)
        });
        let (most, each, reference) = match (component, service) {
            (Some((index, component)), _) => (
                component.pods_with_ending,
                component.limit_bytes,
                format!("/nodes/{at}/components/{index}"),
            ),
            (None, Some(index)) => {
                let service = &facts.report.services[index];
                let pods = facts.on(index, at, service.pods_with_ending);
                (pods, service.limit_bytes, "/services".to_owned())
            }
            (None, None) => {
                let reference = match term.id.as_ref() {
                    "services" => "/services".to_owned(),
                    "admitted" | "bound" if !whole => format!("/nodes/{at}/allocatableBytes"),
                    _ => return self.fault(place, &format!("{key} does not belong there")),
                };
                self.holds(
                    place,
                    term.reference == reference && term.times.is_none(),
                    || format!("{key} does not refer to `{reference}`"),
                );
                return;
            }
        };
        self.holds(place, term.reference == reference, || {
            format!("{key} refers to `{}`, not to `{reference}`", term.reference)
        });
        let [count, stated] = term.times.unwrap_or_default();
        self.holds(place, term.times.is_some(), || {
            format!("{key} lacks its factors")
        });
        self.same(
            place,
            &key,
            term.amount,
            "its factors make",
            times(count, stated),
        );
        self.same(
            place,
            &format!("{key}: a factor"),
            stated,
            "each may take",
            each.into(),
        );
        let fits = if whole { count == most } else { count <= most };
        self.holds(place, fits, || {
            format!("{key} counts {count} of {most} pods")
        });
    }

    /// T5 states the sum of all requests, and what is left without the largest node.
    fn survival(&mut self, facts: &Facts<'_>) -> Promise {
        let nodes = &facts.report.nodes;
        let largest =
            (0..nodes.len()).max_by_key(|at| (nodes[*at].allocatable_bytes, usize::MAX - at));
        let mut terms = asked_memory(facts);
        terms.extend(allocatable(facts, |at| Some(at) != largest));
        for (lost, node) in nodes.iter().enumerate() {
            self.holds("T5", lemma::outlives(facts, lost), || {
                format!("without `{}` a pod may find no room", node.name)
            });
        }
        // Two servers are enough if the datastore is outside, which a report does not say.
        let servers = nodes
            .iter()
            .filter(|node| node.role == Role::Server)
            .count();
        let waits = |kind: &str| kind == "StatefulSet";
        let running = facts
            .report
            .services
            .iter()
            .filter(|service| service.pods_at_peak > 0);
        let known = servers >= 2 && !running.into_iter().any(|service| waits(&service.kind));
        Promise {
            says: vec![
                shown(amounts(&terms, Side::Left)),
                shown(amounts(&terms, Side::Right)),
            ],
            terms,
            known,
        }
    }

    /// Re-checks the kind of placement that the report states.
    pub(super) fn placement(&mut self, facts: &Facts<'_>) {
        let place = "placement";
        let placement = &facts.report.placement;
        match (placement.kind, facts.report.nodes.len()) {
            (PlacementKind::OneNode, 1) => {}
            (PlacementKind::AnyOrder, 2..) => {
                let faults = lemma::any_order(facts);
                self.sums += usize::from(faults.is_empty());
                faults.iter().for_each(|fault| self.fault(place, fault));
            }
            (PlacementKind::Pinned, 2..) => {
                for (at, node) in facts.report.nodes.iter().enumerate() {
                    self.pinned(facts, at, node);
                }
            }
            (PlacementKind::Unknown, 2..) => {
                let stated = facts
                    .report
                    .theorems
                    .iter()
                    .find(|theorem| theorem.id == Id::T4);
                let unknown = stated.is_some_and(|theorem| theorem.verdict == Verdict::Unknown);
                self.holds(place, unknown, || "it is unknown, and T4 is not".to_owned());
            }
            (kind, nodes) => self.fault(place, &format!("{kind:?} does not go with {nodes} nodes")),
        }
        let shows = placement.kind == PlacementKind::AnyOrder || placement.moments.is_empty();
        self.holds(place, shows, || {
            format!("{:?} has nothing to show", placement.kind)
        });
    }

    /// Every node has room for the pods that are held to it.
    fn pinned(&mut self, facts: &Facts<'_>, at: usize, node: &Node<'_>) {
        let place = "placement";
        let (name, allocatable) = (&node.name, node.allocatable_bytes);
        self.holds(place, requests(facts, at) <= allocatable.into(), || {
            format!("what is held to `{name}` requests more than its {allocatable} bytes")
        });
        let (cpu, pods) = counts(facts, at);
        self.holds(place, pods <= node.max_pods.into(), || {
            format!("`{name}` takes fewer than {pods} pods")
        });
        self.holds(
            place,
            node.cpu_milli.is_none_or(|has| cpu <= has.into()),
            || format!("what is held to `{name}` requests {cpu}m of CPU, more than it has"),
        );
    }

    fn terms_are_known(&mut self, place: &str, known: bool, verdict: &str) {
        self.holds(place, known, || {
            format!("its verdict is {verdict}, and a term of it is not known")
        });
    }

    /// A verdict claims no more than is known, and gives a reason if it is not `proved`.
    fn verdict(
        &mut self,
        place: &str,
        facts: &Facts<'_>,
        at: usize,
        theorem: &Theorem<'_>,
        known: bool,
    ) {
        let node = &facts.report.nodes[at];
        let above = theorem.id == Id::T2 && node.limit_bytes > node.allocatable_bytes;
        let in_writing = node.overcommit_percent.is_some();
        let relaxed = above && in_writing;
        let reasons = theorem.why.len();
        let services = facts.report.services.iter();
        let running = services.filter(|service| service.pods_with_ending > 0);
        let mut adopted = running.filter_map(|service| service.adopted.as_ref());
        // Nothing holds pods of a component without a limit, nor those that bzc does not manage.
        let mut components = node
            .components
            .iter()
            .filter(|one| one.pods_with_ending > 0);
        let is_assumed = |one: &Component<'_>| {
            let origin = one.origin.as_deref().unwrap_or_default();
            !one.bounded || origin.starts_with("others.")
        };
        let assumes = theorem.id == Id::T2
            && (adopted.any(|adopted| adopted.assumed_bytes.is_some())
                || components.any(is_assumed));
        let uncounted = &facts.report.uncounted;
        // Sufficiency is only about the limits of services.
        let known = known && (uncounted.is_empty() || theorem.id == Id::T3);
        if theorem.id != Id::T3 {
            for object in uncounted {
                let named = format!("`{object}`");
                let is_named = theorem.why.iter().any(|why| why.contains(&named));
                self.holds(place, is_named, || {
                    format!("nothing is counted of {named}, and no reason names it")
                });
            }
        }
        let within = u128::from(theorem.left_bytes) <= allowed(node);
        let refuted = theorem.id == Id::T3 && refutes(facts);
        match theorem.verdict {
            Verdict::Proved => {
                self.holds(place, reasons == 0, || {
                    "its verdict is proved, and it gives a reason against it".to_owned()
                });
                self.terms_are_known(place, known, "proved");
                self.holds(place, !above, || {
                    "its verdict is proved, and limits are above what there is".to_owned()
                });
                self.holds(place, !assumes, || {
                    "its verdict is proved, and an amount in it is assumed".to_owned()
                });
            }
            Verdict::Assumed => {
                self.holds(place, assumes, || {
                    "its verdict is assumed, and no amount in it is".to_owned()
                });
                self.holds(place, reasons > 0, || {
                    "its verdict is assumed, and does not say of what".to_owned()
                });
                self.terms_are_known(place, known, "assumed");
                self.holds(place, within, || {
                    "its verdict is assumed, and limits are above what there is".to_owned()
                });
            }
            Verdict::Relaxed => {
                self.holds(place, relaxed && !assumes, || {
                    "its verdict is relaxed, and no `overcommit` of the node allows that".to_owned()
                });
                self.terms_are_known(place, known, "relaxed");
                self.holds(place, within, || {
                    "limits are above what `overcommit` allows".to_owned()
                });
            }
            Verdict::Refuted => {
                self.holds(place, refuted, || {
                    "its verdict is refuted, and no reading is against a limit".to_owned()
                });
                self.holds(place, reasons > 0, || {
                    "its verdict is refuted, and does not say by what".to_owned()
                });
            }
            Verdict::Unknown => {
                self.holds(place, !refuted, || {
                    "it is called unknown, and a reading is against a limit".to_owned()
                });
                self.holds(place, reasons > 0, || {
                    "its verdict is unknown, and it gives no reason".to_owned()
                });
                // The reason for an unknown term need not be a number in the report, so a verdict of unknown is
                // accepted.
                self.holds(place, !relaxed || !known || assumes, || {
                    "it is called unknown, and was given up in writing".to_owned()
                });
            }
        }
    }

    /// Pods or CPU.
    fn count(&mut self, facts: &Facts<'_>, count: &Count<'_>) {
        let place = format!("T4: {}", count.id);
        let of_pods = count.id == "pods";
        let services = &facts.report.services;
        let mut expected = match of_pods {
            true => requested_by(facts, |_| 1, |_| 1),
            false => requested_by(
                facts,
                |component| component.cpu_milli,
                |index| services[index].cpu_milli,
            ),
        };
        let has = |node: &Node<'_>| {
            if of_pods {
                Some(node.max_pods)
            } else {
                node.cpu_milli
            }
        };
        let right: Option<u128> = facts
            .report
            .nodes
            .iter()
            .map(|node| has(node).map(u128::from))
            .sum();
        let (id, key) = if of_pods {
            ("max-pods", "maxPods")
        } else {
            ("cpu", "cpuMilli")
        };
        for (at, node) in facts
            .report
            .nodes
            .iter()
            .enumerate()
            .filter(|_| right.is_some())
        {
            let reference = format!("/nodes/{at}/{key}");
            let amount = has(node).unwrap_or(0).into();
            let id = facts.id_of(id, at);
            expected.push(Expected::new(
                Side::Right,
                &id,
                &reference,
                amount,
                "the node has",
            ));
        }
        self.terms(&place, &count.terms, &expected);
        self.holds(&place, count.right.map(u128::from) == right, || {
            format!("right is {:?}, there is {right:?}", count.right)
        });
        self.both(
            &place,
            ("left", count.left),
            ("right", count.right),
            &count.terms,
        );
        let within = count.right.is_none_or(|right| count.left <= right);
        let unknown = facts.report.placement.kind == PlacementKind::Unknown;
        self.holds(&place, within || unknown, || {
            format!(
                "{} is not within {}",
                count.left,
                count.right.unwrap_or_default()
            )
        });
    }

    pub(super) fn budget(&mut self, facts: &Facts<'_>, budget: &Budget<'_>) {
        let place = format!("budget {}", budget.name);
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for name in budget.services.iter().flatten() {
            self.holds(&place, known.insert(name), || {
                format!("`{name}` is in it twice")
            });
            let exists = facts.services.contains_key(name.as_ref());
            self.holds(&place, exists, || format!("there is no service `{name}`"));
        }
        let used = facts.at_worst(|index, pods| {
            let service = &facts.report.services[index];
            match budget.services {
                Some(_) if !known.contains(service.name.as_ref()) => 0,
                _ => times(service.limit_bytes, pods),
            }
        });
        self.same(
            &place,
            "usedBytes",
            budget.used_bytes,
            "its services have limits of",
            used,
        );
        let left = budget
            .ceiling_bytes
            .checked_sub(budget.used_bytes)
            .map(u128::from);
        let free = ("freeBytes", budget.free_bytes);
        self.difference(&place, free, "ceilingBytes less usedBytes", left);
        self.holds(&place, budget.verdict == Verdict::Proved, || {
            format!("its verdict is {:?}", budget.verdict)
        });
    }
}

fn isolation(facts: &Facts<'_>, at: usize) -> Promise {
    let node = &facts.report.nodes[at];
    let needed = node
        .reserved
        .iter()
        .enumerate()
        .filter(|(_, term)| term.id != "eviction");
    let mut terms: Vec<Expected> = needed
        .map(|(index, term)| {
            let reference = format!("/nodes/{at}/reserved/{index}");
            let product = term
                .times
                .map(|[count, each]| (u128::from(count), Some(u128::from(each))));
            Expected {
                product,
                ..Expected::new(
                    Side::Left,
                    &term.id,
                    &reference,
                    term.bytes.into(),
                    "reserved is",
                )
            }
        })
        .collect();
    for (id, key, amount) in [
        (
            "system-reserved",
            "systemReservedBytes",
            node.system_reserved_bytes,
        ),
        (
            "kube-reserved",
            "kubeReservedBytes",
            node.kube_reserved_bytes,
        ),
    ] {
        let reference = format!("/nodes/{at}/{key}");
        terms.push(Expected::new(
            Side::Right,
            id,
            &reference,
            amount.into(),
            "the node has",
        ));
    }
    let os = node.reserved.iter().find(|term| term.id == "os");
    let known = facts.has_server() && os.is_some_and(|term| term.origin.is_some());
    Promise {
        says: vec![
            shown(amounts(&terms, Side::Left)),
            shown(amounts(&terms, Side::Right)),
        ],
        terms,
        known,
    }
}

fn interference(facts: &Facts<'_>, at: usize) -> Promise {
    let node = &facts.report.nodes[at];
    let mut says = vec![
        shown(node.limit_bytes.into()),
        shown(node.allocatable_bytes.into()),
    ];
    says.extend(node.overcommit_percent.map(|percent| format!("{percent}%")));
    let services = facts.report.services.iter();
    let running = services.filter(|service| service.pods_with_ending > 0);
    let adopted = running.filter_map(|service| service.adopted.as_ref());
    Promise {
        terms: Vec::new(),
        known: facts.has_server()
            && adopted
                .into_iter()
                .all(|adopted| adopted.bounded || adopted.assumed_bytes.is_some()),
        says,
    }
}

fn liveness(facts: &Facts<'_>) -> Promise {
    let report = facts.report;
    let mut terms = asked_memory(facts);
    terms.extend(allocatable(facts, |_| true));
    let mut says = vec![
        shown(amounts(&terms, Side::Left)),
        shown(amounts(&terms, Side::Right)),
    ];
    let pods = amounts(&requested_by(facts, |_| 1, |_| 1), Side::Left);
    let max = sum(report.nodes.iter().map(|node| node.max_pods.into()));
    says.push(format!("{pods} of {max} pods"));
    let has_cpu = report.nodes.iter().all(|node| node.cpu_milli.is_some());
    if has_cpu {
        let cpu = requested_by(
            facts,
            |c| c.cpu_milli,
            |index| report.services[index].cpu_milli,
        );
        says.push(format!("{}m of ", amounts(&cpu, Side::Left)));
    }
    let placed = report.placement.kind != PlacementKind::Unknown;
    Promise {
        terms,
        known: facts.has_server() && has_cpu && placed,
        says,
    }
}
