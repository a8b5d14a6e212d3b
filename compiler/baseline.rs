//! Compares a plan with an earlier one, or with a measurement: from its report.json and an earlier report.json, or the
//! kubelet's stats/summary of a running node, to a table for people. A measured working set is what was in use at one
//! moment: it can show that a limit is too low, but never that it is high enough.

pub(crate) mod comment;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use crate::base::quantity::in_mib;
use crate::base::text::one_line;

/// Compares a report with a baseline. `Err` says why the baseline cannot be read.
pub fn compare(report: &str, baseline: &[u8]) -> Result<String, String> {
    let before: Value =
        serde_json::from_slice(baseline).map_err(|error| format!("it is not JSON: {error}"))?;
    if before["node"]["nodeName"].is_string() && before["pods"].is_array() {
        let now: Value = serde_json::from_str(report)
            .map_err(|error| format!("the report is not JSON: {error}"))?;
        return Ok(with_summary(&now, &before));
    }
    let (before, now) = both(baseline, report)?;
    Ok(with_report(&now, &before, "against the baseline"))
}

/// An earlier report and one of this bzc. `Err` says why they cannot be compared.
fn both(before: &[u8], now: &str) -> Result<(Value, Value), String> {
    let before: Value =
        serde_json::from_slice(before).map_err(|error| format!("it is not JSON: {error}"))?;
    let now: Value =
        serde_json::from_str(now).map_err(|error| format!("the report is not JSON: {error}"))?;
    if before.get("bzcReport").is_none() {
        return Err(
            "it is neither a report.json of bzc nor a stats/summary of the kubelet".to_owned(),
        );
    }
    let format = before["bzcReport"].as_u64();
    if format != now["bzcReport"].as_u64() {
        return Err(format!(
            "it is a report of format {}, and this bzc writes another",
            before["bzcReport"]
        ));
    }
    Ok((before, now))
}

/// What changes from one report to another of the same program with something more, and what has to start again for
/// that. `Err` says why they cannot be read.
pub fn changes(before: &str, now: &str) -> Result<String, String> {
    let read = |report| {
        let read = serde_json::from_str::<Value>(report);
        read.map_err(|error| format!("the report is not JSON: {error}"))
    };
    let (before, now) = (read(before)?, read(now)?);
    let mut out = with_report(&now, &before, "against the program as it is");
    let differing = |list: &str, key: &str| -> Vec<String> {
        let (old, new) = (by_name(&before, list), by_name(&now, list));
        let both = old
            .iter()
            .filter_map(|(name, old)| Some((name, old, new.get(name)?)));
        let differ = both.filter(|(_, old, new)| old[key] != new[key]);
        differ.map(|(name, ..)| format!("`{name}`")).collect()
    };
    let moved = differing("services", "limitBytes");
    if !moved.is_empty() {
        let _ = writeln!(
            out,
            "their limits move, so their pods start again: {}",
            moved.join(", ")
        );
    }
    let reserved = differing("nodes", "reservedBytes");
    if !reserved.is_empty() {
        let _ = writeln!(
            out,
            "K3s has to be restarted for what it reserves: {}",
            reserved.join(", ")
        );
    }
    Ok(out)
}

/// A line of the table: what is compared, before, now, and what that means.
struct Row {
    what: String,
    before: String,
    now: String,
    change: String,
}

/// Rows under their headings, in columns.
fn table(title: &str, headings: [&str; 3], rows: &[Row]) -> String {
    let width = |of: &dyn Fn(&Row) -> usize, least: &str| {
        rows.iter().map(of).max().unwrap_or(0).max(least.len())
    };
    let what = width(&|row| row.what.chars().count(), title);
    let before = width(&|row| row.before.len(), headings[0]);
    let now = width(&|row| row.now.len(), headings[1]);
    let mut out = format!(
        "{title:what$}  {:>before$}  {:>now$}  {}",
        headings[0], headings[1], headings[2]
    );
    out.truncate(out.trim_end().len());
    out.push('\n');
    for row in rows {
        let line = format!(
            "{:what$}  {:>before$}  {:>now$}  {}",
            row.what, row.before, row.now, row.change
        );
        let _ = writeln!(out, "{}", one_line(line.trim_end()));
    }
    out
}

fn bytes(value: &Value) -> Option<u64> {
    value.as_u64()
}

fn shown(amount: Option<u64>) -> String {
    amount.map_or_else(|| "-".to_owned(), in_mib)
}

/// `+16Mi`, `-16Mi`, `new`, `gone`.
fn change(before: Option<u64>, now: Option<u64>) -> String {
    match (before, now) {
        (None, None) => String::new(),
        (None, Some(_)) => "new".to_owned(),
        (Some(_), None) => "gone".to_owned(),
        (Some(before), Some(now)) if now >= before => format!("+{}", in_mib(now - before)),
        (Some(before), Some(now)) => format!("-{}", in_mib(before - now)),
    }
}

/// Entries of a list by their names.
fn by_name<'v>(report: &'v Value, list: &str) -> BTreeMap<&'v str, &'v Value> {
    let entries = report[list].as_array().into_iter().flatten();
    entries
        .filter_map(|entry| Some((entry["name"].as_str()?, entry)))
        .collect()
}

/// A list of a report, what its entries are called, and which of their amounts are compared, with a word for each.
type Amounts = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Amounts and verdicts that differ, and how many amounts are the same.
fn differences(now: &Value, before: &Value) -> (Vec<Row>, usize) {
    let mut rows = Vec::new();
    let mut same = 0;
    let amounts: [Amounts; 3] = [
        (
            "nodes",
            "node",
            &[
                ("reservedBytes", "reserved"),
                ("requestBytes", "requested"),
                ("freeBytes", "free"),
            ],
        ),
        (
            "budgets",
            "budget",
            &[("usedBytes", "used"), ("ceilingBytes", "ceiling")],
        ),
        (
            "services",
            "",
            &[("limitBytes", "each pod"), ("podsAtPeak", "pods")],
        ),
    ];
    for (list, kind, keys) in amounts {
        let (old, new) = (by_name(before, list), by_name(now, list));
        let names: std::collections::BTreeSet<&str> =
            old.keys().chain(new.keys()).copied().collect();
        for name in names {
            for (key, what) in keys {
                let of = |entries: &BTreeMap<&str, &Value>| {
                    entries.get(name).and_then(|entry| bytes(&entry[*key]))
                };
                let (old, new) = (of(&old), of(&new));
                if old == new {
                    same += 1;
                    continue;
                }
                let what = format!("{kind} {name}: {what}").trim_start().to_owned();
                let count = |n: Option<u64>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
                rows.push(match *key {
                    "podsAtPeak" if old.is_none() || new.is_none() => continue,
                    "podsAtPeak" => Row {
                        what,
                        before: count(old),
                        now: count(new),
                        change: String::new(),
                    },
                    _ => Row {
                        what,
                        before: shown(old),
                        now: shown(new),
                        change: change(old, new),
                    },
                });
            }
        }
    }
    rows.extend(promises(now, before));
    (rows, same)
}

fn with_report(now: &Value, before: &Value, title: &str) -> String {
    let (rows, same) = differences(now, before);
    if rows.is_empty() {
        return format!("nothing changed {title}\n");
    }
    let mut out = table(title, ["before", "now", "change"], &rows);
    let _ = writeln!(out, "{same} other amounts are the same");
    out
}

/// Promises whose verdict changed.
fn promises(now: &Value, before: &Value) -> Vec<Row> {
    let of = |report: &Value| -> BTreeMap<(String, String), String> {
        let all = report["theorems"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = |one: &Value| (text(&one["name"]), text(&one["node"]));
        all.map(|one| (key(one), text(&one["verdict"]))).collect()
    };
    let (old, new) = (of(before), of(now));
    let changed = new.into_iter().filter_map(|((name, node), verdict)| {
        let key = (name, node);
        let before = old.get(&key).filter(|before| **before != verdict)?.clone();
        Some(Row {
            what: format!("{} {}", key.0, key.1).trim_end().to_owned(),
            before,
            now: verdict,
            change: String::new(),
        })
    });
    changed.collect()
}

/// The service that a pod belongs to, by its name: the longest that it begins with.
fn service_of<'s>(services: &BTreeMap<&'s str, &Value>, pod: &str) -> Option<&'s str> {
    let owns = |name: &&&str| {
        pod.strip_prefix(**name)
            .is_some_and(|rest| rest.starts_with('-'))
    };
    services
        .keys()
        .filter(owns)
        .max_by_key(|name| name.len())
        .copied()
}

/// What a pod had in use, as the kubelet counts it. 0 says that there is no memory cgroup, not that nothing was used.
fn in_use(pod: &Value) -> Option<u64> {
    pod["memory"]["workingSetBytes"]
        .as_u64()
        .filter(|bytes| *bytes > 0)
}

/// Terms of a node's reserve that the cgroup of the K3s service does not hold.
const OUTSIDE_K3S: [&str; 3] = ["os", "secrets", "eviction"];

fn with_summary(now: &Value, summary: &Value) -> String {
    let services = by_name(now, "services");
    // For each service, the largest working set of its pods, and how many pods it had.
    let mut used: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut others = (0_u64, 0_u64);
    for pod in summary["pods"].as_array().into_iter().flatten() {
        let (Some(name), Some(bytes)) = (pod["podRef"]["name"].as_str(), in_use(pod)) else {
            continue;
        };
        let ours = pod["podRef"]["namespace"] == now["namespace"];
        match service_of(&services, name).filter(|_| ours) {
            Some(service) => {
                let entry = used.entry(service).or_default();
                *entry = (entry.0.max(bytes), entry.1 + 1);
            }
            None => others = (others.0.saturating_add(bytes), others.1 + 1),
        }
    }
    let node_name = summary["node"]["nodeName"].as_str().unwrap_or_default();
    let nodes = now["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let node = nodes
        .iter()
        .find(|node| node["name"] == node_name)
        .or(if nodes.len() == 1 {
            nodes.first()
        } else {
            None
        });
    let mut rows = Vec::new();
    if let Some(node) = node {
        let memory = &summary["node"]["memory"];
        let total = memory["availableBytes"]
            .as_u64()
            .zip(memory["workingSetBytes"].as_u64());
        let total = total.map(|(available, working)| available.saturating_add(working));
        let verdict = |fits: bool, what: &str| if fits { String::new() } else { what.to_owned() };
        let declared = bytes(&node["memoryBytes"]);
        rows.push(Row {
            what: format!("node {node_name} memory"),
            before: shown(total),
            now: shown(declared),
            change: verdict(total >= declared, "the node has less than the program says"),
        });
        // The kubelet's own cgroup is that of the K3s service: K3s, containerd and all shims.
        let systems = summary["node"]["systemContainers"]
            .as_array()
            .into_iter()
            .flatten();
        let k3s = { systems }
            .find(|system| system["name"] == "kubelet")
            .and_then(in_use);
        let terms = node["reserved"].as_array().into_iter().flatten();
        let kept = terms
            .filter(|term| !OUTSIDE_K3S.iter().any(|id| term["id"] == *id))
            .filter_map(|term| bytes(&term["bytes"]))
            .fold(0, u64::saturating_add);
        rows.push(Row {
            what: format!("node {node_name} k3s, containerd, shims"),
            before: shown(k3s),
            now: shown(Some(kept)),
            change: verdict(
                k3s.is_none_or(|used| used <= kept),
                "more than is reserved: raise `memory` in `k3s`",
            ),
        });
    }
    for (name, service) in &services {
        let limit = bytes(&service["limitBytes"]);
        let (bytes, pods) = used
            .get(name)
            .map_or((None, 0), |(bytes, pods)| (Some(*bytes), *pods));
        let change = match (bytes, limit) {
            (Some(used), Some(limit)) if used > limit => "above its limit: too little".to_owned(),
            (Some(used), Some(limit)) => {
                let of = if pods > 1 {
                    format!("{pods} pods, ")
                } else {
                    String::new()
                };
                format!(
                    "{of}{}% at that moment",
                    u128::from(used) * 100 / u128::from(limit.max(1))
                )
            }
            _ => "did not run there".to_owned(),
        };
        rows.push(Row {
            what: (*name).to_owned(),
            before: shown(bytes),
            now: shown(limit),
            change,
        });
    }
    let mut out = table(
        "against the kubelet's summary",
        ["in use", "planned", ""],
        &rows,
    );
    if others.1 > 0 {
        let _ = writeln!(
            out,
            "{} other pods had {} in use",
            others.1,
            in_mib(others.0)
        );
    }
    out.push_str(
        "a working set is one moment: it can show that a limit is too low, not that it is enough\n",
    );
    out
}
