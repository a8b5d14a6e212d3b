//! Evaluates the program's `expect` comparisons on a finished plan.

use super::errors;
use super::excess::{Ceiling, Excess};
use super::fixes::{for_limits, for_memory, for_service};
use super::model::{Choice, Plan, Promise, Theorem};
use super::resources::Dimension;
use crate::base::id::ids;
use crate::base::quantity::in_mib;
use crate::diag::{Proposal, Sink};
use crate::program::{Dim, Formula, Metric, ServiceId, Subject, VERDICTS};
use crate::syntax::ast::Operator;

pub(super) fn check(plan: &Plan<'_, '_>, sink: &mut Sink) {
    for expect in &plan.program.expects {
        let (left, right) = (value(plan, &expect.left), value(plan, &expect.right));
        let holds = match expect.operator {
            Operator::Less => left < right,
            Operator::LessEqual => left <= right,
            Operator::Greater => left > right,
            Operator::GreaterEqual => left >= right,
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            // `sema` lets only comparisons through.
            Operator::Plus
            | Operator::Minus
            | Operator::Times
            | Operator::Divide
            | Operator::Or => true,
        };
        if !holds {
            let mut metrics = Vec::new();
            collect(&expect.left, &mut metrics);
            collect(&expect.right, &mut metrics);
            let shown: Vec<(Metric<'_>, String)> = metrics
                .into_iter()
                .map(|metric| (metric, printed(metric, number(plan, metric))))
                .collect();
            let promise = shown
                .iter()
                .map(|(metric, _)| *metric)
                .find(|m| is_promise(*m));
            let error = match promise {
                Some(promise) => {
                    let why = promised(plan, promise).map_or(&[][..], |theorem| &theorem.why);
                    let mut error = errors::unmet_promise(expect, &shown, why);
                    error.proposals = for_promise(plan, promise);
                    error
                }
                None => {
                    let in_memory = shown.iter().any(|(metric, _)| metric.key != "pods");
                    let mut error = errors::expectation(expect, left, right, &shown, in_memory);
                    // A comparison that excludes what is equal is off by one more.
                    let gap = left.abs_diff(right).max(1);
                    if let Ok(gap) = u64::try_from(gap) {
                        error.over = Some(gap).filter(|_| in_memory);
                        error.proposals = proposals(plan, &shown, gap);
                    }
                    error
                }
            };
            sink.push(error);
        }
    }
}

/// Changes that give the nodes and budgets of an expectation more room, of which the trials keep those that meet it.
fn proposals(plan: &Plan<'_, '_>, shown: &[(Metric<'_>, String)], gap: u64) -> Vec<Proposal> {
    let members: Vec<ServiceId> = ids(&plan.program.services).collect();
    let of = |(metric, _): &(Metric<'_>, String)| {
        let (ceiling, on_node) = match metric.of {
            Subject::Node(at) => (Ceiling::Node(at), true),
            Subject::Budget(at) => (Ceiling::Budget(at), false),
            Subject::Service(index) => {
                let is_of_pods = metric.key == "pods";
                let mut all = for_service(&plan.draft, index, is_of_pods, gap);
                // Out of a range it has more where others take less of its node.
                let workload = &plan.workloads[index];
                let grows = workload.choice == Choice::Level && !is_of_pods;
                let node = ids(&plan.nodes).find(|at| grows && workload.may_be_on(*at));
                let over = node.map(|at| Excess {
                    ceiling: Ceiling::Node(at),
                    deficit: gap.saturating_mul(workload.peak()),
                });
                let others: Vec<ServiceId> =
                    members.iter().copied().filter(|id| *id != index).collect();
                let room = over.map(|over| for_memory(&plan.draft, over, &others, true));
                all.extend(room.into_iter().flatten());
                return all;
            }
        };
        let over = Excess {
            ceiling,
            deficit: gap,
        };
        for_memory(&plan.draft, over, &members, on_node)
    };
    shown.iter().flat_map(of).collect()
}

/// Changes with which a promise may stand otherwise: less that limits may come to, or more room.
fn for_promise(plan: &Plan<'_, '_>, metric: Metric<'_>) -> Vec<Proposal> {
    let Subject::Node(at) = metric.of else {
        return Vec::new();
    };
    let (limits, allocatable) = (plan.nodes[at].limits.bytes(), plan.nodes[at].allocatable());
    match Promise::ALL.iter().find(|one| one.word() == metric.key) {
        Some(Promise::NonInterference) if limits > allocatable => {
            for_limits(plan, at, limits, allocatable)
        }
        Some(
            Promise::Isolation
            | Promise::NonInterference
            | Promise::Sufficiency
            | Promise::Liveness
            | Promise::Survival,
        )
        | None => Vec::new(),
    }
}

fn printed(metric: Metric<'_>, n: i128) -> String {
    if is_promise(metric) {
        let word = usize::try_from(n).ok().and_then(|n| VERDICTS.get(n));
        return word.copied().unwrap_or("not asked for").to_owned();
    }
    match (metric.key, u64::try_from(n)) {
        ("pods", _) | (_, Err(_)) => n.to_string(),
        (_, Ok(bytes)) => in_mib(bytes),
    }
}

fn collect<'a>(formula: &Formula<'a>, metrics: &mut Vec<Metric<'a>>) {
    match formula {
        Formula::Constant(_) => {}
        Formula::Metric(metric) => metrics.push(*metric),
        Formula::Binary(_, sides) => {
            collect(&sides.0, metrics);
            collect(&sides.1, metrics);
        }
    }
}

/// In bytes or as a count. Differences may go below zero here: only their comparison counts.
fn value(plan: &Plan<'_, '_>, formula: &Formula<'_>) -> i128 {
    match formula {
        Formula::Constant(number) => i128::from(number.n),
        Formula::Metric(metric) => number(plan, *metric),
        Formula::Binary(operator, sides) => {
            let (left, right) = (value(plan, &sides.0), value(plan, &sides.1));
            let percent = |formula: &Formula<'_>| matches!(formula, Formula::Constant(n) if n.dim == Dim::Percent);
            match operator {
                Operator::Plus => left.saturating_add(right),
                Operator::Minus => left.saturating_sub(right),
                Operator::Times if percent(&sides.0) || percent(&sides.1) => {
                    left.saturating_mul(right) / 100
                }
                Operator::Times => left.saturating_mul(right),
                // Nothing is known of a share of nothing: no comparison with it may hold.
                Operator::Divide => left.checked_div(right).unwrap_or(i128::MIN),
                Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::Equal
                | Operator::NotEqual
                | Operator::Or => 0,
            }
        }
    }
}

/// How a promise stands on a node, and why; one about all nodes stands so on each.
fn promised<'p, 'a>(plan: &'p Plan<'_, 'a>, metric: Metric<'_>) -> Option<&'p Theorem<'a>> {
    let Subject::Node(at) = metric.of else {
        return None;
    };
    let mut theorems = plan.theorems.iter();
    theorems.find(|theorem| {
        theorem.promise.word() == metric.key && theorem.node.is_none_or(|node| node == at)
    })
}

/// The place of a verdict in `VERDICTS`, and none of them where the program does not ask for the promise.
fn verdict(theorem: Option<&Theorem<'_>>) -> i128 {
    let word = theorem.map(|theorem| theorem.verdict.word());
    let at = (0..)
        .zip(VERDICTS)
        .find(|(_, verdict)| Some(*verdict) == word);
    at.map_or(-1, |(at, _)| at)
}

fn is_promise(metric: Metric<'_>) -> bool {
    Promise::ALL
        .iter()
        .any(|promise| promise.word() == metric.key)
}

fn number(plan: &Plan<'_, '_>, metric: Metric<'_>) -> i128 {
    if is_promise(metric) {
        return verdict(promised(plan, metric));
    }
    let n = match (metric.of, metric.key) {
        (Subject::Node(at), "free") => plan.nodes[at].free(),
        (Subject::Node(at), "allocatable") => plan.nodes[at].allocatable(),
        (Subject::Node(at), "reserved") => plan.nodes[at].reserved(),
        (Subject::Node(at), "memory") => plan.nodes[at].capacity,
        (Subject::Node(at), "requests") => plan.nodes[at].requests(),
        (Subject::Node(at), "limits") => plan.nodes[at].limits.bytes(),
        (Subject::Node(at), _) => {
            plan.nodes[at].asked[Dimension::Pods].min(plan.program.nodes[at].max_pods.value)
        }
        (Subject::Budget(index), "used") => plan.budgets[index].used,
        (Subject::Budget(index), "ceiling") => plan.budgets[index].ceiling,
        (Subject::Budget(index), _) => plan.budgets[index].ceiling - plan.budgets[index].used,
        (Subject::Service(index), "request") => plan.workloads[index].pod_request(),
        (Subject::Service(index), "pods") => plan.workloads[index].peak(),
        (Subject::Service(index), "limit") => plan.workloads[index].pod_limit(),
        (Subject::Service(index), _) => plan.workloads[index].limit.n,
    };
    i128::from(n)
}
