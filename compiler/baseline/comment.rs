//! The comment on a pull request: from the report.json before and the one now to Markdown, which says what takes the
//! memory before and after, what changed and why, what starts again, and which promises were lost or won.

use std::fmt::Write;

use serde_json::Value;

use super::{Row, by_name, change, differences, shown};

/// Signs of a bar.
const BAR: u128 = 48;

/// The comment. `Err` says why the reports cannot be compared.
pub fn comment(before: &[u8], now: &str) -> Result<String, String> {
    let (before, now) = super::both(before, now)?;
    let source = now["source"].as_str().unwrap_or_default();
    let env = now["environment"].as_str();
    let within = env.map_or_else(String::new, |env| format!(", `{env}`"));
    let mut out = format!("### bzc: `{source}`{within}\n\n");
    let promises = super::promises(&now, &before);
    let (lost, won): (Vec<&Row>, Vec<&Row>) = promises.iter().partition(|row| row.now != "proved");
    let _ = writeln!(out, "{}\n", headline(&lost, &won));
    out += &bars(&before, &now);
    let (rows, same) = differences(&now, &before);
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| !promises.iter().any(|one| one.what == row.what))
        .collect();
    if rows.is_empty() {
        out += "No amount changed.\n";
    } else {
        out += "| | before | now | change | why |\n| --- | ---: | ---: | --- | --- |\n";
        for row in rows {
            let why = why(&row.what, &before, &now);
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {why} |",
                row.what, row.before, row.now, row.change
            );
        }
        let _ = writeln!(out, "\n{same} other amounts are the same.");
    }
    for (title, rows) in [("Lost", lost), ("Won", won)] {
        if !rows.is_empty() {
            let _ = writeln!(out, "\n**{title}**\n");
        }
        for row in rows {
            let reason = reason(&now, &row.what);
            let _ = writeln!(
                out,
                "- {}: *{}*, before *{}*{reason}",
                row.what, row.now, row.before
            );
        }
    }
    let restarts = restarts(&before, &now);
    if !restarts.is_empty() {
        let _ = writeln!(out, "\n**What starts again**\n\n{restarts}");
    }
    Ok(format!("{}\n", out.trim_end()))
}

/// Whether promises were lost or won, in a sentence.
fn headline(lost: &[&Row], won: &[&Row]) -> String {
    let count = |rows: &[&Row]| match rows.len() {
        1 => "1 promise".to_owned(),
        n => format!("{n} promises"),
    };
    match (lost.is_empty(), won.is_empty()) {
        (true, true) => "It fits, and promises what it promised before.".to_owned(),
        (false, true) => format!("It fits. **{} less proved than before.**", count(lost)),
        (true, false) => format!("It fits. {} won.", count(won)),
        (false, false) => format!(
            "It fits. **{} less proved than before**, {} won.",
            count(lost),
            count(won)
        ),
    }
}

/// The memory of every node before and now, drawn to the scale of the larger.
fn bars(before: &Value, now: &Value) -> String {
    let (old, new) = (by_name(before, "nodes"), by_name(now, "nodes"));
    let mut out = String::from("```text\n");
    for (name, node) in &new {
        let all = |node: &Value| node["memoryBytes"].as_u64().unwrap_or_default();
        let most = all(node)
            .max(old.get(name).map_or(0, |node| all(node)))
            .max(1);
        let _ = writeln!(out, "{name}  {}", shown(node["memoryBytes"].as_u64()));
        for (when, node) in [("before", old.get(name)), ("now", Some(node))] {
            let Some(node) = node else {
                continue;
            };
            let _ = writeln!(
                out,
                "  {when:6}  {}  free {}",
                bar(node, most),
                shown(node["freeBytes"].as_u64())
            );
        }
    }
    out + "  █ reserved  # requested  ░ free\n```\n\n"
}

fn bar(node: &Value, most: u64) -> String {
    let of = |key: &str| u128::from(node[key].as_u64().unwrap_or_default());
    let to = |bytes: u128| usize::try_from(bytes * BAR / u128::from(most)).unwrap_or_default();
    let (reserved, requested) = (of("reservedBytes"), of("requestBytes"));
    let ends = [
        to(reserved),
        to(reserved + requested),
        to(of("memoryBytes")),
    ];
    let [first, second, third] = ends;
    let part = |sign: &str, from: usize, to: usize| sign.repeat(to.saturating_sub(from));
    part("█", 0, first) + &part("#", first, second) + &part("░", second, third)
}

/// Why an amount is another one, as far as the reports say.
fn why(what: &str, before: &Value, now: &Value) -> String {
    let entry = |list: &str, name: &str| {
        (
            by_name(before, list).get(name).copied(),
            by_name(now, list).get(name).copied(),
        )
    };
    if let Some(name) = what
        .strip_prefix("node ")
        .and_then(|what| what.strip_suffix(": reserved"))
    {
        let (Some(old), Some(new)) = entry("nodes", name) else {
            return String::new();
        };
        return terms(old, new);
    }
    let Some(name) = what.strip_suffix(": each pod") else {
        return String::new();
    };
    let (Some(old), Some(new)) = entry("services", name) else {
        return String::new();
    };
    let ends = |service: &Value| (service["lowBytes"].as_u64(), service["highBytes"].as_u64());
    let origin = new["origin"]["most"].as_str().unwrap_or_default();
    match (ends(old) == ends(new), old["choice"] == new["choice"]) {
        (false, _) => format!("`{origin}` says so"),
        (true, false) => format!("it was the {}, and is the {}", word(old), word(new)),
        (true, true) => "what there is to share out is another amount".to_owned(),
    }
}

fn word(service: &Value) -> &str {
    service["choice"].as_str().unwrap_or_default()
}

/// The terms of a reserve that differ.
fn terms(old: &Value, new: &Value) -> String {
    let of = |node: &Value, id: &str| {
        let terms = node["reserved"].as_array().into_iter().flatten();
        terms
            .filter(|term| term["id"] == id)
            .find_map(|term| term["bytes"].as_u64())
    };
    let all = new["reserved"].as_array().into_iter().flatten();
    let differ = all.filter_map(|term| {
        let id = term["id"].as_str()?;
        let (before, now) = (of(old, id), of(new, id));
        (before != now).then(|| {
            format!(
                "{} {}",
                term["what"].as_str().unwrap_or(id),
                change(before, now)
            )
        })
    });
    differ.collect::<Vec<_>>().join(", ")
}

/// What a promise lacks, from the report.
fn reason(report: &Value, what: &str) -> String {
    let all = report["theorems"].as_array().into_iter().flatten();
    let named = |one: &&Value| {
        let (name, node) = (
            one["name"].as_str().unwrap_or_default(),
            one["node"].as_str().unwrap_or_default(),
        );
        format!("{name} {node}").trim_end() == what
    };
    let whys = all
        .filter(named)
        .filter_map(|one| one["why"].as_array())
        .flatten();
    let whys: Vec<&str> = whys.filter_map(Value::as_str).collect();
    match whys.as_slice() {
        [] => String::new(),
        whys => format!(": {}", whys.join("; ")),
    }
}

/// Workloads whose pods start again because what they may take is another amount, and nodes whose K3s has to.
fn restarts(before: &Value, now: &Value) -> String {
    let (old, new) = (by_name(before, "services"), by_name(now, "services"));
    let keys = [
        "requestBytes",
        "limitBytes",
        "mainRequestBytes",
        "mainLimitBytes",
        "cpuMilli",
        "mainCpuMilli",
    ];
    let both = new
        .iter()
        .filter_map(|(name, new)| Some((name, *old.get(name)?, *new)));
    let moved = both.filter(|(_, old, new)| keys.iter().any(|key| old[*key] != new[*key]));
    let moved: Vec<String> = moved.map(|(name, ..)| format!("`{name}`")).collect();
    let (old, new) = (by_name(before, "nodes"), by_name(now, "nodes"));
    let both = new
        .iter()
        .filter_map(|(name, new)| Some((name, *old.get(name)?, *new)));
    let kept = [
        "systemReservedBytes",
        "kubeReservedBytes",
        "evictionBytes",
        "maxPods",
    ];
    let nodes = both.filter(|(_, old, new)| kept.iter().any(|key| old[*key] != new[*key]));
    let nodes: Vec<String> = nodes.map(|(name, ..)| format!("`{name}`")).collect();
    let mut out = String::new();
    if !moved.is_empty() {
        let _ = writeln!(
            out,
            "- pods, whose requests or limits move: {}",
            moved.join(", ")
        );
    }
    if !nodes.is_empty() {
        let _ = writeln!(
            out,
            "- K3s, which reserves another amount: {}",
            nodes.join(", ")
        );
    }
    out
}
