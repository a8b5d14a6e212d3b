//! Evaluates the program's `expect` comparisons on a finished plan.

use super::errors;
use super::model::Plan;
use super::resources::Dimension;
use crate::base::quantity::in_mib;
use crate::diag::Sink;
use crate::program::{Dim, Formula, Metric, Subject};
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
            let in_memory = shown.iter().any(|(metric, _)| metric.key != "pods");
            sink.push(errors::expectation(expect, left, right, &shown, in_memory));
        }
    }
}

fn printed(metric: Metric<'_>, n: i128) -> String {
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

fn number(plan: &Plan<'_, '_>, metric: Metric<'_>) -> i128 {
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
