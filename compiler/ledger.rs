//! The plan in words for a terminal: two lines after a build, the whole ledger for `bzc plan`, the derivation of
//! one number for `bzc explain PATH`. Numbers here carry their line in the source; files do not (`backend/report.rs`).

mod measured;
mod room;

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::base::id::numbered;
use crate::base::quantity::{Bytes, in_mib};
use crate::base::source::SourceMap;
use crate::base::text::few;
use crate::plan::ledger::Addend;
use crate::plan::model::{
    BudgetPlan, Choice, ComponentPlan, Draft, NodePlan, Placement, Plan, Theorem, Verdict,
    Workload, reasons,
};
use crate::plan::resources::Dimension;
use crate::plan::sufficiency::times;
use crate::plan::{budgets, services_at_worst};
use crate::program::{FillPolicy, Given, Giver, Memory, Program, Service, ServiceId};

/// An amount in Mi without the unit, for lines that give the unit once.
fn bare(n: u64) -> String {
    in_mib(n).trim_end_matches("Mi").to_owned()
}

/// A line for each node, and one for the services.
pub(crate) fn summary(program: &Program<'_>, plan: &Plan<'_, '_>) -> String {
    let mut out = String::new();
    let mut sums = String::new();
    if program.budgets.is_empty() {
        let services = services_at_worst(program, &plan.workloads);
        let _ = write!(sums, "  services {}", bare(services));
    }
    for (budget, planned) in program.budgets.iter().zip(&plan.budgets) {
        let _ = write!(
            sums,
            "  {} {} of {}",
            budget.name.value,
            bare(planned.used),
            bare(planned.ceiling)
        );
    }
    let packaged = |node: &NodePlan<'_>, out: &mut String| {
        for component in &node.components {
            let name = &program.components[component.component].name;
            let requests = component.asked()[Dimension::Memory];
            if requests > 0 {
                let _ = write!(out, "  {name} {}", bare(requests));
            }
        }
    };
    for (node, declared) in plan.nodes.iter().zip(&program.nodes) {
        let (name, reserved) = (declared.name.value, bare(node.reserved()));
        let _ = write!(
            out,
            "{name}  {}   reserved {reserved}",
            in_mib(node.capacity)
        );
        if plan.on_several_nodes() {
            let _ = writeln!(out, "   for pods {}", in_mib(node.allocatable()));
        } else {
            packaged(node, &mut out);
            let _ = writeln!(out, "{sums}   free {}", in_mib(node.free()));
        }
    }
    if plan.on_several_nodes() {
        out.push_str("all nodes");
        if let Some(node) = plan.nodes.iter().find(|node| !node.components.is_empty()) {
            packaged(node, &mut out);
        }
        let _ = writeln!(out, "{sums}   free {}", in_mib(plan.together.free()));
    }
    let count = program.services.len();
    let fits = match count {
        0 => "no services".to_owned(),
        1 => "1 service fits".to_owned(),
        _ => format!("{count} services fit"),
    };
    let placed = match (&plan.placement, plan.on_several_nodes()) {
        (_, false) => "",
        (Placement::AnyOrder(_), true) => ", in whatever order pods come",
        (Placement::Pinned, true) => ", each held to its nodes",
        (Placement::Unknown(_), true) => " together; whether each pod finds room is unknown",
    };
    let of = |verdict: Verdict| match plan.promises(verdict).as_slice() {
        [] => String::new(),
        promises => format!("; {}: {}", verdict.word(), promises.join(", ")),
    };
    format!(
        "{out}{fits}{placed}{}{}{}{}{}{}{}",
        level(program, plan),
        measured::margin(plan),
        of(Verdict::Refuted),
        of(Verdict::Unknown),
        of(Verdict::Assumed),
        unlimited(program),
        uncounted(program)
    )
}

/// How many containers were adopted without a limit.
fn unlimited(program: &Program<'_>) -> String {
    let adopted = program.services.iter();
    let adopted = adopted.filter_map(|service| service.adopted.as_ref());
    match adopted.map(|adopted| adopted.unlimited()).sum::<usize>() {
        0 => String::new(),
        1 => "; 1 container has no limit".to_owned(),
        n => format!("; {n} containers have no limit"),
    }
}

/// Up to so many uncounted objects are listed by name; of more, only the kinds are.
const NAMED: usize = 4;

/// The objects that the sums leave out: by name, or by kind if there are many.
fn uncounted(program: &Program<'_>) -> String {
    let whats = program.uncounted.iter().map(|one| one.object.what.as_str());
    let whats: Vec<String> = match whats.clone().count() {
        0 => return String::new(),
        1..=NAMED => whats.map(str::to_owned).collect(),
        _ => {
            let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
            for what in whats {
                let kind = what.split(' ').next().unwrap_or(what);
                *kinds.entry(kind).or_default() += 1;
            }
            let kind = |(kind, count): (&str, usize)| format!("{count} of kind {kind}");
            kinds.into_iter().map(kind).collect()
        }
    };
    format!("; nothing is counted of {}", whats.join(", "))
}

/// The numbers that were chosen out of ranges.
fn level(program: &Program<'_>, plan: &Plan<'_, '_>) -> String {
    if let Some(lock) = &program.lock {
        let workloads = plan.workloads.iter();
        let locked = workloads.filter(|workload| workload.choice == Choice::Locked);
        return match locked.count() {
            0 => String::new(),
            1 => format!("; 1 range has its number in {}", lock.file),
            count => format!("; {count} ranges have their numbers in {}", lock.file),
        };
    }
    let chosen = plan
        .workloads
        .iter()
        .filter(|workload| matches!(workload.choice, Choice::Ceiling | Choice::Level));
    match (chosen.count(), plan.level) {
        (0, _) => String::new(),
        (_, None) => {
            let sizes: Vec<Bytes> = plan
                .workloads
                .iter()
                .filter(|w| w.choice == Choice::Ceiling)
                .map(|w| w.limit)
                .collect();
            match sizes.first() {
                Some(first) if sizes.iter().all(|size| size == first) => {
                    format!("; every range has its ceiling, {first}")
                }
                _ => "; every range has its ceiling".to_owned(),
            }
        }
        (_, Some(_))
            if program
                .services
                .iter()
                .any(|service| service.weight.is_some()) =>
        {
            "; every range is filled to one level by weight, or to its ceiling".to_owned()
        }
        (_, Some(_)) if program.services.iter().any(|service| service.shrinks_first) => {
            "; what does not shrink first is filled first, to one level or to its ceiling"
                .to_owned()
        }
        (_, Some((bytes, _))) if program.fill == FillPolicy::Equal => {
            format!("; every range has {}, or its nearer end", in_mib(bytes))
        }
        (_, Some(level)) => format!(
            "; every range has {} times {}, or its ceiling",
            times(level),
            measured::share(plan)
        ),
    }
}

/// `budget.bz:6`, or the library's line and what it cites.
fn place<T>(given: &Given<'_, T>, sources: &SourceMap) -> String {
    match given.origin.span {
        Some(span) => sources.place(span),
        None => format!("rule {}", given.origin.key),
    }
}

/// The source that a line of the library cites.
fn cited<T>(given: &Given<'_, T>, sources: &SourceMap) -> Option<String> {
    let span = given.origin.span?;
    sources
        .is_library(span)
        .then(|| sources.comment_behind(span).map(str::to_owned))
        .flatten()
}

struct Row {
    what: String,
    amount: String,
    from: String,
    inner: bool,
}

fn row(what: impl Into<String>, amount: u64, from: impl Into<String>, inner: bool) -> Row {
    Row {
        what: what.into(),
        amount: in_mib(amount),
        from: from.into(),
        inner,
    }
}

/// The width of a text for a terminal of unknown width.
const COLUMNS: usize = 64;

/// A bar of the node's memory, drawn to scale, with one sign for each kind of use, so that no colour is needed.
fn bar(node: &NodePlan<'_>, several: bool, columns: usize) -> String {
    let width = columns.saturating_sub(4).clamp(20, 116) as u64;
    // With several nodes, each may get any pods that the scheduler lets in.
    let (asked, excess) = match several {
        true => (node.requests(), 0),
        false => (node.asked[Dimension::Memory], node.excess()),
    };
    let packaged = node.packaged()[Dimension::Memory].min(asked);
    // An excess is drawn behind the end of the bar.
    let whole = node.capacity.saturating_add(excess).max(1);
    let services = (asked - packaged).saturating_sub(excess);
    let parts = [
        ('█', "reserved", node.reserved()),
        ('▒', "packaged by K3s", packaged),
        ('#', "services", services),
        ('░', "free", node.free()),
        ('!', "over", excess),
    ];
    let (mut line, mut legend) = (String::from("  "), String::from("  "));
    let (mut drawn, mut before) = (0, 0_u64);
    for (sign, name, bytes) in parts.into_iter().filter(|(.., bytes)| *bytes > 0) {
        before += bytes;
        // The sign reaches as far as the sum so far; every kind that is there gets at least one sign.
        let until = u128::from(before) * u128::from(width) / u128::from(whole);
        let until = u64::try_from(until).unwrap_or(width).max(drawn + 1);
        (drawn..until).for_each(|_| line.push(sign));
        drawn = until;
        let _ = write!(
            legend,
            "{}{sign} {name}",
            if legend.len() > 2 { "  " } else { "" }
        );
    }
    format!("{line}\n{legend}\n")
}

/// How an addend is computed, and where it comes from.
fn from(addend: &Addend<'_>, sources: &SourceMap) -> String {
    let place = match &addend.origin {
        Some(origin) => match origin.span {
            Some(span) => sources.place(span),
            None => format!("rule {}", origin.key),
        },
        None => "nothing said".to_owned(),
    };
    match addend.in_words(Dimension::Memory) {
        Some(how) => format!("{how}, {place}"),
        None => place,
    }
}

/// What is reserved on a node, term by term.
fn reserve_rows(node: &NodePlan<'_>, sources: &SourceMap) -> Vec<Row> {
    let all = row("reserved", node.reserved(), "", false);
    let terms = node.reserved.iter();
    let terms = terms.map(|addend| {
        row(
            addend.what.as_ref(),
            addend.amount,
            from(addend, sources),
            true,
        )
    });
    [all].into_iter().chain(terms).collect()
}

/// The components that K3s packages.
fn packaged_rows(program: &Program<'_>, draft: &Draft<'_, '_>, sources: &SourceMap) -> Vec<Row> {
    let of = |component: &ComponentPlan| {
        let stock = &program.components[component.component];
        let pods = match component.peak() {
            1 => String::new(),
            pods => format!(
                "{pods} pods x {}, ",
                in_mib(component.pod[Dimension::Memory])
            ),
        };
        let from = match stock.memory {
            _ if component.unbounded => "no limit: what it takes is assumed".to_owned(),
            Some((request, _)) if component.gap() > 0 => format!(
                "{pods}may take {}, {}",
                in_mib(component.limit),
                place(&request, sources)
            ),
            Some((request, _)) => format!("{pods}{}", place(&request, sources)),
            None => format!(
                "{pods}by the LimitRange of kube-system, {}",
                stock
                    .bound
                    .map_or(String::new(), |bound| place(&bound, sources))
            ),
        };
        row(
            stock.name.as_ref(),
            component.asked()[Dimension::Memory],
            from,
            false,
        )
    };
    draft.components().iter().map(of).collect()
}

/// Rows with aligned amounts.
fn write_rows(rows: &[Row], widths: (usize, usize), out: &mut String) {
    for row in rows {
        let name = if row.inner {
            format!("  {}", row.what)
        } else {
            row.what.clone()
        };
        let line = format!(
            "  {name:what$}  {:>amount$}  {}",
            row.amount,
            row.from,
            what = widths.0,
            amount = widths.1
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The memory of every node, term by term, and the requests of pods. For a program that does not fit it shows the
/// excess.
pub(crate) fn memory(draft: &Draft<'_, '_>, sources: &SourceMap, columns: usize) -> String {
    let program = draft.program;
    let several = draft.on_several_nodes();
    let services = services_at_worst(program, &draft.workloads);
    let mut peaks = draft.workloads.iter();
    let not_at_once = peaks.try_fold(0_u64, |sum, w| {
        sum.checked_add(w.pod_limit().checked_mul(w.peak())?)
    }) != Some(services);
    let mut pods = packaged_rows(program, draft, sources);
    let how = match not_at_once {
        true => "of those below, the most that are there at once",
        false => "",
    };
    pods.push(row("services", services, how, false));
    pods.extend(service_rows(program, draft, sources));
    let (free, excess) = match draft.nodes.as_slice() {
        [node] => (node.free(), node.excess()),
        _ => (draft.together.free(), draft.together.excess()),
    };
    let whose = if several { "on all nodes together" } else { "" };
    pods.push(match excess {
        0 => row("free", free, whose, false),
        _ => row("over", excess, whose, false),
    });
    let nodes: Vec<Vec<Row>> = draft
        .nodes
        .iter()
        .map(|node| {
            let mut rows = reserve_rows(node, sources);
            if several {
                rows.push(row("for pods", node.allocatable(), "", false));
            }
            rows
        })
        .collect();
    let all = || nodes.iter().flatten().chain(&pods);
    let what = all()
        .map(|row| row.what.chars().count() + if row.inner { 2 } else { 0 })
        .max()
        .unwrap_or(0);
    let widths = (
        what.clamp(20, 44),
        all().map(|row| row.amount.len()).max().unwrap_or(0),
    );

    let mut out = String::new();
    for ((node, declared), rows) in draft.nodes.iter().zip(&program.nodes).zip(&nodes) {
        let _ = writeln!(
            out,
            "{} · {}\n{}",
            declared.name.value,
            in_mib(node.capacity),
            bar(node, several, columns)
        );
        write_rows(rows, widths, &mut out);
        if several {
            out.push('\n');
        }
    }
    if several {
        let _ = writeln!(
            out,
            "all nodes · {} for pods",
            in_mib(draft.together.allocatable)
        );
    }
    write_rows(&pods, widths, &mut out);
    out
}

/// The whole ledger.
pub(crate) fn full(
    program: &Program<'_>,
    plan: &Plan<'_, '_>,
    sources: &SourceMap,
    columns: usize,
) -> String {
    let several = plan.on_several_nodes();
    let mut out = memory(&plan.draft, sources, columns);
    out.push('\n');
    let budgets: Vec<String> = program
        .budgets
        .iter()
        .map(|budget| format!("budget {}", budget.name.value))
        .collect();
    let name = |theorem: &Theorem<'_>| match theorem.node.filter(|_| several) {
        Some(at) => format!(
            "{} {}",
            theorem.promise.word(),
            program.nodes[at].name.value
        ),
        None => theorem.promise.word().to_owned(),
    };
    let width = plan
        .theorems
        .iter()
        .map(|t| name(t).len())
        .chain(budgets.iter().map(String::len))
        .max()
        .unwrap_or(0);
    let reasons = reasons(&plan.theorems);
    for (theorem, alone) in plan.theorems.iter().zip(&reasons.alone) {
        let _ = writeln!(
            out,
            "  {:width$}  {:8}  {}",
            name(theorem),
            theorem.verdict.word(),
            theorem.statement
        );
        for why in alone {
            let _ = writeln!(out, "  {:width$}            {why}", "");
        }
    }
    let shared = reasons.shared.iter();
    let shared: Vec<String> = shared
        .map(|(promises, why)| {
            let names = promises.iter().map(|at| name(&plan.theorems[*at]));
            format!("  {}: {why}\n", names.collect::<Vec<_>>().join(", "))
        })
        .collect();
    for (name, planned) in budgets.iter().zip(&plan.budgets) {
        let _ = writeln!(
            out,
            "  {name:width$}  proved    {} of {}",
            in_mib(planned.used),
            in_mib(planned.ceiling)
        );
    }
    if !shared.is_empty() {
        out.push('\n');
        shared.iter().for_each(|line| out.push_str(line));
    }
    out.push_str(&room::room(plan));
    out
}

/// Rows of services; those with equal numbers share one.
fn service_rows(program: &Program<'_>, draft: &Draft<'_, '_>, sources: &SourceMap) -> Vec<Row> {
    let mut groups: Vec<(String, Vec<&str>, u64)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (service, workload) in program.services.iter().zip(&draft.workloads) {
        let how = how(service, workload, sources);
        let at = *known.entry(how.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push((how, Vec::new(), 0));
        }
        let (_, names, total) = &mut groups[at];
        names.push(service.name.value);
        *total += workload.pod_limit() * workload.peak();
    }
    groups
        .into_iter()
        .map(|(how, names, total)| row(few(&names, 3), total, how, true))
        .collect()
}

fn how(service: &Service<'_>, workload: &Workload<'_>, sources: &SourceMap) -> String {
    let pods = match (workload.replicas, workload.surge) {
        (1, 0) => String::new(),
        (0, 1) if workload.hook.is_some() => "while Helm runs it, ".to_owned(),
        (0, pods) if workload.hook.is_some() => format!("{pods} pods while Helm runs it, each of "),
        (replicas, 0) => format!("{replicas} pods of "),
        (1, surge) => format!("1 pod and {surge} more in a rollout of "),
        (replicas, surge) => format!("{replicas} pods and {surge} more in a rollout of "),
    };
    match service.memory {
        Memory::Burst { request, limit } => {
            format!(
                "{pods}{}..{}, bursting, {}",
                request.value,
                limit.value,
                place(&request, sources)
            )
        }
        Memory::Range { low, high } => {
            let chosen = match workload.choice {
                Choice::Ceiling => format!(
                    "{}, the ceiling of {}..{}",
                    workload.limit, low.value, high.value
                ),
                Choice::Level => {
                    format!("{}, out of {}..{}", workload.limit, low.value, high.value)
                }
                Choice::Locked => {
                    format!(
                        "{}, locked, out of {}..{}",
                        workload.limit, low.value, high.value
                    )
                }
                Choice::Written | Choice::Burst => workload.limit.to_string(),
            };
            let with_others = match workload.pod_limit() - workload.limit.n {
                0 => String::new(),
                _ => format!(
                    ", {} a pod with its other containers",
                    in_mib(workload.pod_limit())
                ),
            };
            let measured = match workload.main_measured {
                Some(bytes) => format!(", {} measured", in_mib(bytes)),
                None => String::new(),
            };
            format!(
                "{pods}{chosen}{with_others}{measured}, {}",
                place(&low, sources)
            )
        }
    }
}

/// What was found of a program: a plan, or sums that show what is over.
#[derive(Clone, Copy)]
pub(crate) enum Found<'f, 'p, 'a> {
    Fits(&'f Plan<'p, 'a>),
    Over(&'f Draft<'p, 'a>),
}

impl<'f, 'p, 'a> Found<'f, 'p, 'a> {
    fn draft(self) -> &'f Draft<'p, 'a> {
        match self {
            Found::Fits(plan) => &plan.draft,
            Found::Over(draft) => draft,
        }
    }

    fn budgets(self) -> Vec<BudgetPlan> {
        match self {
            Found::Fits(plan) => plan.budgets.clone(),
            Found::Over(draft) => budgets(draft.program, &draft.workloads),
        }
    }
}

/// Where one number comes from: `service.strategy.memory`, `node.wsl.free`, `budget.platform`. `None` if the
/// program has nothing of that name.
pub(crate) fn derivation(
    program: &Program<'_>,
    found: Found<'_, '_, '_>,
    sources: &SourceMap,
    path: &str,
) -> Option<String> {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        ["k3s", key @ ("memory" | "containerd" | "shim")] => {
            let process = &program.nodes[0].process;
            let given = match *key {
                "memory" => &process.memory,
                "containerd" => &process.containerd,
                _ => &process.shim,
            };
            let mut rows = vec![("given".to_owned(), place(given, sources))];
            rows.extend(cited(given, sources).map(|source| (source, String::new())));
            Some(lines(given.value.to_string(), rows))
        }
        ["service", name] | ["service", name, "memory"] | [name, "memory"] => {
            let (id, _) =
                numbered(&program.services).find(|(_, service)| service.name.value == *name)?;
            Some(service_derivation(program, found, sources, id))
        }
        ["budget", name] | ["budget", name, _] => {
            let index = program
                .budgets
                .iter()
                .position(|budget| budget.name.value == *name)?;
            let (budget, planned) = (&program.budgets[index], found.budgets()[index]);
            Some(lines(
                format!("{} of {}", in_mib(planned.used), in_mib(planned.ceiling)),
                vec![
                    (
                        format!("its ceiling is {}", budget.ceiling.value),
                        place(&budget.ceiling, sources),
                    ),
                    (
                        format!(
                            "its services take {} at the peak of a rollout",
                            in_mib(planned.used)
                        ),
                        String::new(),
                    ),
                ],
            ))
        }
        ["node", name, ..] | [name, _]
            if program.nodes.iter().any(|node| node.name.value == *name) =>
        {
            Some(match found {
                Found::Fits(plan) => full(program, plan, sources, COLUMNS),
                Found::Over(draft) => memory(draft, sources, COLUMNS),
            })
        }
        _ => None,
    }
}

fn service_derivation(
    program: &Program<'_>,
    found: Found<'_, '_, '_>,
    sources: &SourceMap,
    id: ServiceId,
) -> String {
    let draft = found.draft();
    let (service, workload) = (&program.services[id], &draft.workloads[id]);
    let level = match found {
        Found::Fits(plan) => plan.level,
        Found::Over(_) => None,
    };
    let mut rows: Vec<(String, String)> = Vec::new();
    let giver = |given: &Given<'_, Bytes>| match given.origin.giver {
        Giver::Tier => format!("tier {}", given.origin.name),
        Giver::Manifest => "the manifest".to_owned(),
        giver => giver.word().to_owned(),
    };
    match service.memory {
        Memory::Burst { request, limit } => {
            rows.push((
                format!("{} requests {}", giver(&request), request.value),
                place(&request, sources),
            ));
            rows.push((
                format!("{} limits it to {}", giver(&limit), limit.value),
                place(&limit, sources),
            ));
            rows.push((
                "what lies between may be there or not: the node counts both".to_owned(),
                "rule proof.interference".to_owned(),
            ));
        }
        Memory::Range { low, high } if low.value == high.value => {
            rows.push((
                format!("{} says {}", giver(&low), low.value),
                place(&low, sources),
            ));
        }
        Memory::Range { low, high } => {
            rows.push((
                format!("{} allows {}..{}", giver(&low), low.value, high.value),
                place(&low, sources),
            ));
        }
    }
    if let Some(floor) = &workload.floor {
        rows.push((
            format!("its runtime needs {}", floor.value),
            place(floor, sources),
        ));
        rows.extend(cited(floor, sources).map(|source| (format!("  {source}"), String::new())));
    }
    match (workload.choice, level) {
        (Choice::Ceiling | Choice::Level, _) if matches!(found, Found::Over(_)) => rows.push((
            "its least, for the program does not fit".to_owned(),
            "rule proof.fill".to_owned(),
        )),
        (Choice::Ceiling, _) => rows.push((
            "chosen: the ceiling".to_owned(),
            "rule proof.fill".to_owned(),
        )),
        (Choice::Level, Some(_)) if service.shrinks_first => {
            rows.push((
                "chosen: what the others leave, for it shrinks first".to_owned(),
                "rule proof.fill.turns".to_owned(),
            ));
        }
        (Choice::Level, Some((bytes, _))) if program.fill == FillPolicy::Equal => {
            let text = format!("chosen: {} for every range, within its ends", in_mib(bytes));
            rows.push((text, "rule proof.fill.policy".to_owned()));
        }
        (Choice::Level, Some(level)) => {
            let of = match workload.main_measured {
                Some(_) => "what was measured",
                None => "the least",
            };
            let text = format!("chosen: {} times {of}, as all ranges", times(level));
            rows.push((text, "rule proof.fill".to_owned()));
        }
        (Choice::Locked, _) => {
            let lock = program.lock.as_ref().map_or("the lock", |lock| &lock.file);
            rows.push((
                format!("kept by {lock}, for it fits"),
                "rule lock.kept".to_owned(),
            ));
        }
        (Choice::Level, None) | (Choice::Written | Choice::Burst, _) => {}
    }
    rows.extend(measured::readings(program, service, workload));
    for (budget, planned) in program.budgets.iter().zip(found.budgets()) {
        if budget.is_over(id) {
            let text = format!(
                "{} holds {} of {}",
                budget.name.value,
                in_mib(planned.used),
                in_mib(planned.ceiling)
            );
            rows.push((text, place(&budget.ceiling, sources)));
        }
    }
    let stands = |free: u64, excess: u64| match excess {
        0 => format!("{} left", in_mib(free)),
        _ => format!("{} too little", in_mib(excess)),
    };
    match program.nodes.as_slice() {
        [node] => {
            let stands = stands(draft.nodes[0].free(), draft.nodes[0].excess());
            rows.push((
                format!("{} has {stands}", node.name.value),
                place(&node.memory, sources),
            ));
        }
        _ => {
            let stands = stands(draft.together.free(), draft.together.excess());
            let text = format!("the nodes together have {stands}");
            rows.push((text, String::new()));
        }
    }
    if workload.request == workload.limit {
        rows.push((
            "request = limit, so no other pod can take it".to_owned(),
            "rule proof.guaranteed".to_owned(),
        ));
    }
    lines(workload.limit.to_string(), rows)
}

/// A value, and under it the steps that led to it, with aligned places.
fn lines(value: String, rows: Vec<(String, String)>) -> String {
    let width = rows
        .iter()
        .map(|(what, _)| what.chars().count())
        .filter(|width| *width < 60)
        .max()
        .unwrap_or(0);
    let mut out = format!("{value}\n");
    for (what, from) in rows {
        let line = format!("  {what:width$}  {from}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}
