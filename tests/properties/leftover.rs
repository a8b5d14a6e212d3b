//! No memory is left that a service could have.

use super::*;
use crate::generate::{self, MIB, Mem, Memory, Program, Size};
use bzc::Compilation;
use serde_yaml::Value;

/// A service of the report and what it could still take.
pub(super) struct Claim {
    name: String,
    limit: u64,
    peak: u64,
    most: u64,
    /// What sidecars take beside it, and what an init container takes before it.
    beside: (u64, u64),
}

pub(super) fn report(compilation: &Compilation) -> Option<Value> {
    let output = compilation.output.as_ref()?;
    let (_, bytes) = output
        .files
        .iter()
        .find(|(path, _)| path == "report.json")?;
    serde_yaml::from_slice(bytes).ok()
}

#[test]
pub(super) fn no_memory_is_left_that_a_service_could_have() {
    let mut findings = Findings::default();
    let (mut ranged, mut plain) = (0, 0);
    for seed in 0..700 {
        let size = if seed % 6 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let mut program = generate::program(50_000 + seed, size, (60, 102));
        if seed % 3 == 0 {
            simplify(&mut program);
        }
        let text = program.text();
        let compiled = compile(&text, program.env());
        let Some(report) = report(&compiled) else {
            continue;
        };
        let free = number(&report["nodes"][0]["freeBytes"]);
        // What overcommit allows is a ceiling too, and one the report does not break down by service.
        if text.contains("overcommit") {
            continue;
        }
        let services = report["services"]
            .as_sequence()
            .expect("services are a list");
        // So are the limits of pods that may take more than they request.
        let bursts = |pod: &Value| number(&pod["limitBytes"]) > number(&pod["requestBytes"]);
        let components = report["nodes"][0]["components"].as_sequence();
        if services
            .iter()
            .chain(components.into_iter().flatten())
            .any(bursts)
        {
            continue;
        }
        for service in services
            .iter()
            .filter(|service| service["choice"].as_str() == Some("level"))
        {
            let name = service["name"].as_str().expect("a name").to_owned();
            let most = program
                .most(&name)
                .expect("a service of the report is in the program");
            let beside = program
                .beside(&name)
                .expect("a service of the report is in the program");
            let (limit, peak) = (
                number(&service["limitBytes"]),
                number(&service["podsAtPeak"]),
            );
            let claim = Claim {
                limit,
                peak,
                name,
                most,
                beside,
            };
            ranged += 1;
            plain += u32::from(seed % 3 == 0);
            if let Some(what) = could_have_more(&claim, free, &report["budgets"]) {
                findings.add("left over".to_owned(), &text, &what);
            }
        }
    }
    findings.assert_none();
    assert!(
        ranged > 300 && plain > 60,
        "{ranged} ranges below their ceilings, {plain} of them in plain programs"
    );
}

/// One tier with a range, no budgets.
pub(super) fn simplify(program: &mut Program) {
    program.budgets.clear();
    program.tiers.truncate(1);
    program.tiers[0].common.memory = Some(Memory::Range(
        Mem::plain(40 * MIB),
        Mem::plain(640 * MIB),
        None,
    ));
    program.changes.clear();
    for service in &mut program.services {
        service.tier = Some(0);
        service.common.memory = None;
    }
}

/// The step that no ceiling would have refused: of the whole pod, by Kubernetes' formula.
pub(super) fn could_have_more(claim: &Claim, free: u64, budgets: &Value) -> Option<String> {
    let Claim {
        name,
        limit,
        peak,
        most,
        beside: (sidecars, init),
    } = claim;
    let highest = (most + sidecars).max(*init);
    let next = ((limit / MIB + 1) * MIB).min(highest);
    if next <= *limit {
        return Some(format!(
            "a pod of `{name}` has {limit}, at most {highest}, and is said to be below that"
        ));
    }
    let cost = (next - limit) * peak;
    let mut rooms = vec![free];
    for budget in budgets.as_sequence().expect("budgets are a list") {
        let members = budget["services"].as_sequence();
        if members.is_none_or(|members| members.iter().any(|member| member.as_str() == Some(name)))
        {
            rooms.push(number(&budget["freeBytes"]));
        }
    }
    let fits = rooms.iter().all(|room| *room >= cost);
    fits.then(|| {
        format!("a pod of `{name}` has {limit} and could have {next}, {peak} of them: {cost} more, rooms {rooms:?}")
    })
}
