//! What was given at a place, with what the plan decided out of it: what an editor shows under the pointer.

use crate::base::quantity::{Bytes, in_mib};
use crate::base::span::Span;
use crate::plan::model::Plan;
use crate::program::{Given, Memory, Origin, Program, Service};
use crate::sema::Traced;

/// What stands at a place and is no field of a declaration: the names of services, nodes and budgets, the ceilings of
/// budgets, and numbers of adopted manifests.
pub(super) fn others(program: &Program<'_>, at: Span) -> Vec<Traced> {
    let services = program
        .services
        .iter()
        .map(|service| ("service", service.name));
    let nodes = program.nodes.iter().map(|node| ("node", node.name));
    let budgets = program.budgets.iter().map(|budget| ("budget", budget.name));
    let names = services.chain(nodes).chain(budgets).map(|(kind, name)| {
        let path = format!("{kind}.{}", name.value);
        (Some(name.span), path, None)
    });
    let memory = program.services.iter().flat_map(ends);
    let memory = memory.chain(program.budgets.iter().map(|budget| &budget.ceiling));
    let memory = memory.map(|given| (given.origin, given.value.to_string()));
    let pods = program.services.iter().map(|service| service.replicas);
    let pods = pods.map(|given| (given.origin, given.value.to_string()));
    let numbers = memory
        .chain(pods)
        .map(|(origin, value)| (origin.span, origin.path(), Some(value)));
    let here = |span: Option<Span>| span.filter(|span| span.holds(at));
    let found = names.chain(numbers).filter_map(|(span, path, value)| {
        Some(Traced {
            span: here(span)?,
            path,
            value,
            decided: Vec::new(),
        })
    });
    let mut found: Vec<Traced> = found.collect();
    // A single number is both ends of its range.
    found.dedup();
    found
}

/// The two numbers that the memory of a service comes from.
fn ends<'p, 'a>(service: &'p Service<'a>) -> [&'p Given<'a, Bytes>; 2] {
    match &service.memory {
        Memory::Range { low, high } => [low, high],
        Memory::Burst { request, limit } => [request, limit],
    }
}

/// The numbers that the plan decided out of what was given.
pub(super) fn decided(plan: &Plan<'_, '_>, given: &Traced) -> Vec<(String, String)> {
    let program = plan.program;
    // A constant is where the value stands and has a path of its own; a field has the path of the value.
    let comes_from = |origin: &Origin<'_>| {
        origin.span.is_some_and(|span| given.span.holds(span)) || origin.path() == given.path
    };
    let mut decided = Vec::new();
    for (service, workload) in program.services.iter().zip(&plan.workloads) {
        let path = format!("service.{}", service.name.value);
        let mut ends = ends(service).into_iter();
        if path == given.path || ends.any(|end| comes_from(&end.origin)) {
            decided.push((format!("{path}.memory"), workload.limit.to_string()));
        }
    }
    for (node, planned) in program.nodes.iter().zip(&plan.nodes) {
        let path = format!("node.{}", node.name.value);
        let process = &node.process;
        let terms = [
            &node.memory,
            &node.eviction,
            &process.memory,
            &process.containerd,
            &process.shim,
        ];
        let mut terms = terms.into_iter().chain(&node.reserve);
        if path == given.path || terms.any(|term: &Given<'_, _>| comes_from(&term.origin)) {
            decided.push((format!("{path}.allocatable"), in_mib(planned.allocatable())));
            decided.push((format!("{path}.free"), in_mib(planned.free())));
        }
    }
    for (budget, planned) in program.budgets.iter().zip(&plan.budgets) {
        let path = format!("budget.{}", budget.name.value);
        if path == given.path || comes_from(&budget.ceiling.origin) {
            decided.push((format!("{path}.used"), in_mib(planned.used)));
        }
    }
    decided
}
