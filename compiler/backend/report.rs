//! A plan to the data of report.json, which `bzc verify` re-checks without this code, and to report.md for people.
//! Origins are paths (`tier.agent.memory`), not lines, so that a comment added to the program changes no output;
//! `bzc explain PATH` gives the line.

use std::borrow::Cow;
use std::fmt::Write;

use super::dockerfile;
use crate::admission::shown;
use crate::base::id::{Id as _, ids, numbered};
use crate::base::quantity::{Cpu, in_mib};
use crate::evidence::{Origin as Read, Reading};
use crate::plan::admission::{self, QuotaSum};
use crate::plan::component_origin;
use crate::plan::ledger::{Addend, How, Sum};
use crate::plan::model::{self, Moment, Plan, Rolling, Wave, Workload};
use crate::plan::resources::Dimension;
use crate::plan::sufficiency;
use crate::plan::supplies::{self, Asked};
use crate::program::{
    Ask, Extra, FillPolicy, Given, HookPhase, Memory, NodeId, Origin, Release, Role, Service,
};
use crate::render::header;
use crate::report;
use crate::report::{
    Adopted, Budget, Choice, Component, Count, ExtraRole, FORMAT, Fill, Id, Node, Origins,
    Placement, PlacementKind, Quota, QuotaTerm, Report, Side, SidedTerm, Term, Text, Theorem,
    Verdict,
};

/// The data of report.json.
pub(crate) fn report<'r>(plan: &'r Plan<'_, '_>) -> Report<'r> {
    let program = plan.program;
    Report {
        bzc_report: FORMAT,
        source: program.source.into(),
        environment: program.env.map(Text::from),
        theorems: plan
            .theorems
            .iter()
            .map(|promise| theorem(plan, promise))
            .collect(),
        namespace: program.namespace.value.into(),
        fill: match program.fill {
            FillPolicy::Proportional => Fill::Proportional,
            FillPolicy::Equal => Fill::Equal,
        },
        level: plan
            .level
            .map(|(numerator, denominator)| [numerator, denominator]),
        placement: placement(plan),
        nodes: ids(&plan.nodes).map(|at| node(plan, at)).collect(),
        budgets: budgets(plan),
        services: program
            .services
            .iter()
            .zip(&plan.workloads)
            .map(|(declared, workload)| service(plan, declared, workload))
            .collect(),
        quotas: quotas(plan),
        uncounted: program
            .uncounted
            .iter()
            .map(|one| one.object.what.as_str().into())
            .collect(),
        digest: None,
    }
}

/// report.json.
pub(crate) fn json(plan: &Plan<'_, '_>) -> String {
    report::text::json(&report(plan))
}

fn path(origin: &Origin<'_>) -> Text<'static> {
    Cow::Owned(origin.path())
}

fn theorem<'r>(plan: &'r Plan<'_, '_>, theorem: &'r model::Theorem<'_>) -> Theorem<'r> {
    let memory = theorem
        .sums
        .iter()
        .find(|sum| sum.dimension == Dimension::Memory);
    let others = theorem
        .sums
        .iter()
        .filter(|sum| sum.dimension != Dimension::Memory);
    Theorem {
        id: match theorem.promise {
            model::Promise::Isolation => Id::T1,
            model::Promise::NonInterference => Id::T2,
            model::Promise::Sufficiency => Id::T3,
            model::Promise::Liveness => Id::T4,
            model::Promise::Survival => Id::T5,
        },
        name: theorem.promise.word().into(),
        node: theorem
            .node
            .map(|at| plan.program.nodes[at].name.value.into()),
        verdict: verdict(theorem.verdict),
        left_bytes: memory.map_or(0, Sum::taken),
        right_bytes: memory.and_then(Sum::there_is).unwrap_or(0),
        terms: memory.map_or_else(Vec::new, terms),
        counts: others
            .map(|sum| Count {
                id: sum.dimension.id().into(),
                left: sum.taken(),
                right: sum.there_is(),
                terms: terms(sum),
            })
            .collect(),
        statement: theorem.statement.as_str().into(),
        why: theorem.why.iter().map(Text::from).collect(),
    }
}

fn verdict(verdict: model::Verdict) -> Verdict {
    match verdict {
        model::Verdict::Proved => Verdict::Proved,
        model::Verdict::Relaxed => Verdict::Relaxed,
        model::Verdict::Assumed => Verdict::Assumed,
        model::Verdict::Unknown => Verdict::Unknown,
        model::Verdict::Refuted => Verdict::Refuted,
    }
}

fn terms<'r>(sum: &'r Sum<'_>) -> Vec<SidedTerm<'r>> {
    let left = sum.left.iter().map(|addend| (Side::Left, addend));
    let right = sum
        .right
        .iter()
        .flatten()
        .map(|addend| (Side::Right, addend));
    left.chain(right)
        .map(|(side, addend)| SidedTerm {
            side,
            id: addend.id.as_ref().into(),
            what: addend.what.as_ref().into(),
            amount: addend.amount,
            times: times(addend),
            formula: match &addend.how {
                How::Formula(formula) => Some(formula.as_ref().into()),
                How::Given | How::Times { .. } => None,
            },
            reference: addend.refers.as_deref().unwrap_or_default().into(),
            origin: addend.origin.as_ref().map(path),
        })
        .collect()
}

fn times(addend: &Addend<'_>) -> Option<[u64; 2]> {
    match addend.how {
        How::Times { count, each, .. } => Some([count, each]),
        How::Given | How::Formula(_) => None,
    }
}

/// How pods come to their nodes. Where no order matters, the nodes with which the lemma shows it for every service, and
/// then for every component, at each moment of a rollout.
fn placement<'r>(plan: &'r Plan<'_, '_>) -> Placement<'r> {
    let services = &plan.program.services;
    let components = plan.components().len();
    let wave = |moment: &Moment| match moment.rollout {
        Rolling::Calm => None,
        Rolling::Of(wave) => Some(report::Wave::Of(wave)),
        Rolling::Alone(service) => Some(report::Wave::Alone(services[service].name.value.into())),
    };
    let (kind, moments) = match &plan.placement {
        model::Placement::AnyOrder(_) if !plan.on_several_nodes() => {
            (PlacementKind::OneNode, Vec::new())
        }
        model::Placement::AnyOrder(moments) => {
            let indices = |rows: &[Vec<NodeId>]| {
                let row = |row: &Vec<NodeId>| row.iter().map(|node| node.index()).collect();
                rows.iter().map(row).collect()
            };
            let moments = moments.iter().map(|(moment, shown)| report::Moment {
                wave: wave(moment),
                hook: (moment.hook).map(|hook| services[hook.service].name.value.into()),
                services: indices(&shown[..services.len()]),
                // What follows is of pods that every node has: each is shown with that node alone.
                components: indices(&shown[services.len()..services.len() + components]),
            });
            (PlacementKind::AnyOrder, moments.collect())
        }
        model::Placement::Pinned => (PlacementKind::Pinned, Vec::new()),
        model::Placement::Unknown(_) => (PlacementKind::Unknown, Vec::new()),
    };
    Placement { kind, moments }
}

fn node<'r>(plan: &'r Plan<'_, '_>, at: NodeId) -> Node<'r> {
    let (program, node) = (plan.program, &plan.nodes[at]);
    let declared = &program.nodes[at];
    let cpu = declared.cpu.map(|cpu| cpu.value.milli);
    let asked_cpu = node.asked[Dimension::Cpu];
    Node {
        name: declared.name.value.into(),
        role: match declared.role {
            Role::Server => report::Role::Server,
            Role::Agent => report::Role::Agent,
        },
        arch: declared.arch.map(Text::from),
        memory_bytes: node.capacity,
        memory_origin: path(&declared.memory.origin),
        reserved_bytes: node.reserved(),
        system_reserved_bytes: node.system_reserved(),
        kube_reserved_bytes: node.kube_reserved(),
        eviction_bytes: node.term(model::EVICTION),
        allocatable_bytes: node.allocatable(),
        request_bytes: node.requests(),
        limit_bytes: node.limits.bytes(),
        rest_limit_bytes: node.at_rest,
        free_bytes: node.free(),
        pods_at_peak: node.asked[Dimension::Pods].min(declared.max_pods.value),
        max_pods: declared.max_pods.value,
        overcommit_percent: declared.overcommit.map(|percent| percent.value),
        cpu_milli: cpu,
        cpu_request_milli: cpu.map_or(asked_cpu, |has| asked_cpu.min(has)),
        supplies: supplies::asked(plan, at).iter().map(supply).collect(),
        reserved: node
            .reserved
            .iter()
            .map(|addend| Term {
                id: addend.id.as_ref().into(),
                what: addend.what.as_ref().into(),
                bytes: addend.amount,
                times: times(addend),
                origin: addend.origin.as_ref().map(path),
            })
            .collect(),
        components: node
            .components
            .iter()
            .map(|component| {
                let declared = &program.components[component.component];
                Component {
                    name: declared.name.as_ref().into(),
                    replicas: component.replicas,
                    pods_at_peak: component.peak(),
                    pods_with_ending: component.pods,
                    request_bytes: component.pod[Dimension::Memory],
                    limit_bytes: component.limit,
                    cpu_milli: component.pod[Dimension::Cpu],
                    every_node: component.every_node,
                    preempts: component.preempts,
                    bounded: !component.unbounded,
                    origin: component_origin(declared).as_ref().map(path),
                }
            })
            .collect(),
    }
}

fn supply<'r>(asked: &Asked<'r, '_>) -> report::Supply<'r> {
    let supply = asked.supply;
    report::Supply {
        resource: supply.resource.into(),
        has: supply.has.value,
        kept: supply.kept,
        reserved: supply.reserved,
        asked: asked.sum,
        origin: path(&supply.has.origin),
    }
}

fn ask<'r>(ask: &'r Ask<'_>) -> report::Ask<'r> {
    report::Ask {
        resource: ask.resource.as_str().into(),
        each: ask.each.value,
        origin: path(&ask.each.origin),
    }
}

fn budgets<'r>(plan: &'r Plan<'_, '_>) -> Vec<Budget<'r>> {
    let services = &plan.program.services;
    let budgets = plan.program.budgets.iter().zip(&plan.budgets);
    let budget = |(budget, planned): (&'r crate::program::Budget<'_>, &model::BudgetPlan)| Budget {
        name: budget.name.value.into(),
        ceiling_bytes: planned.ceiling,
        used_bytes: planned.used,
        free_bytes: planned.ceiling - planned.used,
        services: budget.members.as_ref().map(|members| {
            let names = members.iter().map(|member| services[*member].name.value);
            names.map(Text::from).collect()
        }),
        origin: path(&budget.ceiling.origin),
        verdict: Verdict::Proved,
    };
    budgets.map(budget).collect()
}

fn quotas<'r>(plan: &'r Plan<'_, '_>) -> Vec<Quota<'r>> {
    let sums = admission::judged(plan).sums.into_iter();
    let quota = |sum: QuotaSum<'r>| Quota {
        name: sum.quota.into(),
        namespace: sum.namespace.into(),
        resource: sum.resource.into(),
        hard_milli: sum.hard,
        rest_milli: sum.rest,
        most_milli: sum.most,
        free_milli: sum.hard.saturating_sub(sum.rest),
        origin: sum.origin.into(),
        terms: sum
            .addends
            .into_iter()
            .map(|addend| QuotaTerm {
                what: addend.what.into(),
                each_milli: addend.each,
                rest: addend.rest,
                most: addend.most,
                kept: addend.kept,
                waits: addend.waits,
                reference: addend.service.map_or_else(
                    || Text::from(""),
                    |service| format!("/services/{}", service.index()).into(),
                ),
                origin: addend.origin.into(),
            })
            .collect(),
    };
    sums.map(quota).collect()
}

/// What the scheduler counts of CPU for a container.
fn cpu_request<L>(cpu: Option<&(Given<'_, Cpu>, L)>) -> u64 {
    cpu.map_or(0, |(request, _)| request.value.milli)
}

/// A sidecar or an init container.
fn extra<'r>(extra: &'r Extra<'_>) -> report::Extra<'r> {
    report::Extra {
        name: extra.name.value.into(),
        role: if extra.stays {
            ExtraRole::Sidecar
        } else {
            ExtraRole::Init
        },
        bytes: extra.memory.value.n,
        request_bytes: extra.request.unwrap_or(extra.memory).value.n,
        cpu_milli: cpu_request(extra.cpu.as_ref()),
        origin: path(&extra.memory.origin),
    }
}

fn choice(choice: model::Choice) -> Choice {
    match choice {
        model::Choice::Written => Choice::Written,
        model::Choice::Burst => Choice::Burst,
        model::Choice::Ceiling => Choice::Ceiling,
        model::Choice::Level => Choice::Level,
        model::Choice::Locked => Choice::Locked,
    }
}

fn choice_word(choice: model::Choice) -> &'static str {
    match choice {
        model::Choice::Written => "written",
        model::Choice::Burst => "burst",
        model::Choice::Ceiling => "ceiling",
        model::Choice::Level => "level",
        model::Choice::Locked => "locked",
    }
}

/// What is known of the need of a service that runs; none where no file of readings was read.
fn evidence<'r>(
    plan: &'r Plan<'_, '_>,
    service: &'r Service<'_>,
    workload: &Workload<'_>,
) -> Option<report::Evidence<'r>> {
    let measured = plan.program.evidence.as_ref()?;
    if workload.peak() == 0 {
        return None;
    }
    let needs = sufficiency::needs(plan.program, service, workload);
    let seen = |bound: Option<(&Read, &Reading)>| {
        let (origin, reading) = bound?;
        let how = origin.how.words();
        Some(format!("{}: {how}, {}", measured.file, reading.last).into())
    };
    Some(report::Evidence {
        verdict: verdict(sufficiency::of_service(&needs)),
        pause_bytes: sufficiency::PAUSE,
        peak_bytes: workload.measured(),
        containers: needs
            .iter()
            .map(|need| report::Need {
                name: need.container.into(),
                limit_bytes: need.limit,
                in_memory_bytes: need.in_memory,
                lower_bytes: need.lower(),
                lower_origin: seen(need.known.lower),
                upper_bytes: need.upper(),
                upper_origin: seen(need.known.upper),
            })
            .collect(),
    })
}

fn service<'r>(
    plan: &'r Plan<'_, '_>,
    service: &'r Service<'_>,
    workload: &Workload<'_>,
) -> report::Service<'r> {
    let program = plan.program;
    let (low, high) = match service.memory {
        Memory::Range { low, high } => (low, high),
        Memory::Burst { request, limit } => (request, limit),
    };
    let adopted = service.adopted.as_ref();
    report::Service {
        name: service.name.value.into(),
        kind: match adopted.map(|adopted| adopted.object) {
            Some(object) if object.made_of.is_none() => object.kind_text.as_str().into(),
            _ => service.kind.word().into(),
        },
        tier: service
            .tier
            .map(|tier| program.tiers[tier].name.value.into()),
        adopted: adopted.map(|adopted| Adopted {
            manifest: adopted.place.into(),
            bounded: adopted.unbounded().is_none(),
            assumed_bytes: adopted.assumed(),
            of: adopted
                .object
                .made_of
                .as_ref()
                .map(|object| object.kind.as_str().into()),
        }),
        replicas: workload.replicas,
        surge: workload.surge,
        wave: match workload.wave {
            _ if workload.surge == 0 => None,
            Wave::Every => None,
            Wave::Of(wave) => Some(report::Wave::Of(wave)),
            Wave::Alone => Some(report::Wave::Alone(service.name.value.into())),
        },
        hook: workload.hook.map(|phase| match phase {
            HookPhase::Before => report::HookPhase::Before,
            HookPhase::Rest => report::HookPhase::Rest,
            HookPhase::Rollout => report::HookPhase::Rollout,
        }),
        release: workload.release.and(adopted).and_then(|adopted| {
            Some(match program.release_of(adopted)? {
                Release::Manifest(id) => program.manifests[id].path.as_str().into(),
                Release::Named(namespace, name) => format!("{name} in {namespace}").into(),
            })
        }),
        pods_at_peak: workload.peak(),
        pods_with_ending: workload.pods,
        runs_ending: service.runs_ending(),
        lingers: workload.lingers,
        preempts: workload.preempts,
        nodes: workload.nodes.as_ref().map(|nodes| {
            let names = nodes.iter().map(|node| program.nodes[*node].name.value);
            names.map(Text::from).collect()
        }),
        one_on_a_node: workload.one_a_node,
        request_bytes: workload.pod_request(),
        limit_bytes: workload.pod_limit(),
        main_request_bytes: workload.request.n,
        main_limit_bytes: workload.limit.n,
        cpu_milli: workload.cpu,
        main_cpu_milli: cpu_request(service.cpu.as_ref()),
        beside: service.extras.iter().map(extra).collect(),
        asks: service
            .adopted
            .iter()
            .flat_map(|one| &one.asks)
            .map(ask)
            .collect(),
        secret_mounts: service.secret_mounts(),
        low_bytes: low.value.n,
        high_bytes: high.value.n,
        floor_bytes: workload.floor.as_ref().map(|floor| floor.value.n),
        least_bytes: workload.pod_least(),
        most_bytes: workload.pod(high.value.n),
        weight: service.weight.as_ref().map_or(1, |weight| weight.value),
        shrinks_first: service.shrinks_first,
        evidence: evidence(plan, service, workload),
        choice: choice(workload.choice),
        origin: Origins {
            least: path(&low.origin),
            most: path(&high.origin),
            replicas: path(&service.replicas.origin),
            floor: workload.floor.as_ref().map(|floor| path(&floor.origin)),
        },
    }
}

/// report.md.
pub(crate) fn markdown(plan: &Plan<'_, '_>) -> String {
    let program = plan.program;
    let mut out = format!("<!-- {} -->\n\n# {}\n\n", header(plan), program.source);
    for (node, declared) in plan.nodes.iter().zip(&program.nodes) {
        let _ = writeln!(
            out,
            "Node `{}` has {}. {} are reserved, {} are allocatable, {} are free {}.\n",
            declared.name.value,
            in_mib(node.capacity),
            in_mib(node.reserved()),
            in_mib(node.allocatable()),
            in_mib(node.free()),
            match plan.on_several_nodes() {
                true => "even if all pods come to it that may",
                false => "at the peak of a rollout",
            },
        );
    }
    promises(plan, &mut out);
    for (node, declared) in plan.nodes.iter().zip(&program.nodes) {
        let name = declared.name.value;
        let _ = writeln!(
            out,
            "\n## Reserved on `{name}`\n\n| | | from |\n| --- | ---: | --- |"
        );
        for addend in &node.reserved {
            let how = addend.in_words(Dimension::Memory);
            let how = how.map_or_else(String::new, |how| format!(": {how}"));
            let origin = addend
                .origin
                .map_or_else(String::new, |origin| origin.path());
            let _ = writeln!(
                out,
                "| {}{how} | {} | {origin} |",
                addend.what,
                in_mib(addend.amount)
            );
        }
        let _ = writeln!(out, "| **together** | **{}** | |", in_mib(node.reserved()));
    }
    components(plan, &mut out);
    services(plan, &mut out);
    supplies_in_words(plan, &mut out);
    quotas_in_words(plan, &mut out);
    out.push_str(&dockerfile::table(plan));
    out.push_str(ASSUMED);
    out
}

/// What the proof takes for true. `spec/06-proof.md` has the same words (`tests/spec.rs`).
const ASSUMED: &str = include_str!("assumed.md");

fn promises(plan: &Plan<'_, '_>, out: &mut String) {
    out.push_str("| promise | verdict | |\n| --- | --- | --- |\n");
    let reasons = model::reasons(&plan.theorems);
    let name = |theorem: &model::Theorem<'_>| {
        let of = theorem.node.filter(|_| plan.on_several_nodes());
        let of = of.map_or_else(String::new, |at| {
            format!(" on `{}`", plan.program.nodes[at].name.value)
        });
        format!("{}{of}", theorem.promise.word())
    };
    for (theorem, alone) in plan.theorems.iter().zip(&reasons.alone) {
        let why = match alone.as_slice() {
            [] => String::new(),
            alone => format!(" ({})", alone.join("; ")),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {}{why} |",
            name(theorem),
            theorem.verdict.word(),
            theorem.statement
        );
    }
    for (budget, planned) in plan.program.budgets.iter().zip(&plan.budgets) {
        let _ = writeln!(
            out,
            "| budget `{}` | proved | {} of {} |",
            budget.name.value,
            in_mib(planned.used),
            in_mib(planned.ceiling)
        );
    }
    for (at, (promises, why)) in reasons.shared.iter().enumerate() {
        let names = promises.iter().map(|at| name(&plan.theorems[*at]));
        let names = names.collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{}- {names}: {why}", if at == 0 { "\n" } else { "" });
    }
}

fn components(plan: &Plan<'_, '_>, out: &mut String) {
    if plan.components().is_empty() {
        return;
    }
    out.push_str(
        "\n## What runs beside the services\n\n| component | pods | requests each | may take | from |\n| --- | ---: | ---: | ---: | --- |\n",
    );
    for component in plan.components() {
        let declared = &plan.program.components[component.component];
        let limit = match component.unbounded {
            true => "no limit".to_owned(),
            false => in_mib(component.limit),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {limit} | {} |",
            declared.name,
            component.peak(),
            in_mib(component.pod[Dimension::Memory]),
            component_origin(declared).map_or_else(String::new, |origin| origin.path())
        );
    }
}

fn services(plan: &Plan<'_, '_>, out: &mut String) {
    let program = plan.program;
    if program.services.is_empty() {
        return;
    }
    out.push_str("\n## Services\n\n| service | tier | pods | memory each | chosen | from |\n| --- | --- | ---: | ---: | --- | --- |\n");
    for (service, workload) in program.services.iter().zip(&plan.workloads) {
        let memory = match workload.choice {
            model::Choice::Burst => {
                format!(
                    "{}..{}",
                    in_mib(workload.request.n),
                    in_mib(workload.limit.n)
                )
            }
            model::Choice::Written
            | model::Choice::Ceiling
            | model::Choice::Level
            | model::Choice::Locked => in_mib(workload.limit.n),
        };
        let from = match service.memory {
            Memory::Range { low, .. } => low.origin.path(),
            Memory::Burst { limit, .. } => limit.origin.path(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {memory} | {} | {from} |",
            service.name.value,
            service
                .tier
                .map_or("", |tier| program.tiers[tier].name.value),
            workload.peak(),
            choice_word(workload.choice),
        );
    }
}

/// What is asked for of resources that nodes say they have by name.
fn supplies_in_words(plan: &Plan<'_, '_>, out: &mut String) {
    for (at, node) in numbered(&plan.program.nodes) {
        let all = supplies::asked(plan, at);
        if all.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "\n## Counted by name on `{}`\n\n| | asked for at the most | for pods | from |\n| --- | ---: | ---: | --- |",
            node.name.value
        );
        for Asked { supply, sum } in all {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                supply.resource,
                supplies::in_units(supply.resource, sum),
                supplies::in_units(supply.resource, supply.usable()),
                supply.has.origin.path()
            );
        }
    }
}

/// What the quotas that were adopted count.
fn quotas_in_words(plan: &Plan<'_, '_>, out: &mut String) {
    let mut last = ("", "");
    for sum in admission::judged(plan).sums {
        let shown = |milli: u64| shown(sum.resource, milli.into());
        if last != (sum.namespace, sum.quota) {
            last = (sum.namespace, sum.quota);
            let _ = writeln!(
                out,
                "\n## Quota `{}` of namespace `{}`\n\n| | at rest | with all that may be there | from |\n| --- | ---: | ---: | --- |",
                sum.quota, sum.namespace
            );
        }
        for addend in &sum.addends {
            let all = addend.most.saturating_add(addend.kept);
            let pods = match addend.rest == all {
                true => all.to_string(),
                false => format!("{} to {all}", addend.rest),
            };
            let _ = writeln!(
                out,
                "| {}: {pods} x {} | {} | {} | {} |",
                addend.what,
                shown(addend.each),
                shown(addend.each.saturating_mul(addend.rest)),
                shown(addend.each.saturating_mul(all)),
                addend.origin
            );
        }
        let _ = writeln!(
            out,
            "| **`{}`, {} held** | **{}** | **{}** | {} |",
            sum.resource,
            shown(sum.hard),
            shown(sum.rest),
            shown(sum.most),
            sum.origin
        );
    }
}
