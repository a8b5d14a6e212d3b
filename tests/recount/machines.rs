//! What the caller knows of the machines: read from a program, from a report, or from what a program was made of.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::quantity::{bytes, milli};
use super::{Files, Machine, text};
use crate::generate;

/// The machines of a program that writes its numbers plainly: `node NAME { memory = 3800Mi  cpu = 4 }`.
pub(super) fn machines(program: &str) -> Option<Vec<Machine>> {
    let lines = program
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    let words: Vec<String> = lines
        .flat_map(|line| {
            line.replace('=', " = ")
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    // `node NAME {` or `node NAME, NAME {`: every name, and where its block begins.
    let starts = (0..words.len())
        .filter(|at| words[*at] == "node")
        .filter_map(|at| {
            let rest = &words[at + 1..];
            let names: Vec<&String> = rest.iter().take_while(|word| *word != "{").collect();
            let (last, others) = names.split_last()?;
            let listed = !last.ends_with(',') && others.iter().all(|name| name.ends_with(','));
            listed.then(|| {
                (
                    names
                        .iter()
                        .map(|name| name.trim_end_matches(',').to_owned())
                        .collect::<Vec<_>>(),
                    at,
                )
            })
        });
    let read = |(name, start): (String, usize)| {
        let value = |key: &str| {
            let body = words[start..]
                .iter()
                .take_while(|word| *word != "}")
                .collect::<Vec<_>>();
            let at = body
                .windows(2)
                .position(|pair| pair[0] == key && pair[1] == "=")?;
            body.get(at + 2).map(|word| (*word).clone())
        };
        // `reserve { cpu = 200m }`, which no pod gets.
        let body: Vec<&String> = words[start..]
            .iter()
            .take_while(|word| *word != "}")
            .collect();
        let reserve = body
            .windows(2)
            .position(|pair| pair[0] == "reserve" && pair[1] == "{");
        let inner = reserve.map_or(&[][..], |at| &body[at..]);
        let of_cpu = inner
            .windows(3)
            .find(|three| three[0] == "cpu" && three[1] == "=");
        let kept = of_cpu.map_or(Some(0), |three| milli(three[2]))?;
        Some(Machine {
            name,
            arch: value("arch"),
            memory: bytes(&value("memory")?)?,
            cpu: value("cpu").and_then(|text| Some(milli(&text)? - kept)),
            overcommit: value("overcommit")
                .and_then(|text| text.trim_end_matches('%').parse().ok()),
        })
    };
    let each = starts.flat_map(|(names, at)| names.into_iter().map(move |name| (name, at)));
    let mut found: Vec<Machine> = each.map(read).collect::<Option<_>>()?;
    // What an environment says of one comes after it.
    let mut names = BTreeSet::new();
    found.retain(|machine| names.insert(machine.name.clone()));
    Some(found)
}

/// The machines as a report has them, for programs that do not write their numbers plainly.
pub(super) fn stated(files: &Files) -> Option<Vec<Machine>> {
    let report: Value = serde_yaml::from_str(text(files, "report.json")?).ok()?;
    let read = |node: &Value| {
        Some(Machine {
            name: node["name"].as_str()?.to_owned(),
            arch: node["arch"].as_str().map(str::to_owned),
            memory: node["memoryBytes"].as_u64()?.into(),
            cpu: node["cpuMilli"].as_u64().map(u128::from),
            overcommit: node["overcommitPercent"].as_u64().map(u128::from),
        })
    };
    report["nodes"].as_sequence()?.iter().map(read).collect()
}

/// The machines of a generated program.
pub(crate) fn generated(program: &generate::Program) -> Vec<Machine> {
    let machine = |node: &generate::Node| Machine {
        name: node.name.clone(),
        arch: None,
        memory: u128::from(node.memory.bytes),
        cpu: node.cpu.as_ref().map(|(milli, _)| u128::from(*milli)),
        overcommit: node.overcommit.map(u128::from),
    };
    let mut machines: Vec<Machine> = program.nodes.iter().map(machine).collect();
    machines.sort_by(|a, b| a.name.cmp(&b.name));
    machines
}
