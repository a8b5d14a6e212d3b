//! `bzc doctor`: from what a running cluster says of itself to a ledger in the terms of the proof, and to what is wrong
//! with it. It reads the JSON of `kubectl get -o json` and of the kubelet's stats/summary, and needs no program. What is
//! missing in these files is left out or named; nothing is guessed.

mod findings;
mod read;
mod symptoms;

use std::fmt::Write as _;

pub(crate) use self::symptoms::page;

use self::findings::{Finding, findings};
use self::read::{Cluster, Node, count};
use crate::base::quantity::in_mib;

/// What is known of a cluster.
#[derive(Debug)]
pub struct Diagnosis {
    /// The ledger and the findings, for people.
    pub text: String,
    /// How many things are wrong.
    pub findings: usize,
}

/// Reads files, each with its name, and says what they show. `Err` says which of them cannot be read, and why.
pub fn doctor(files: &[(String, Vec<u8>)]) -> Result<Diagnosis, String> {
    let values = read::values(files)?;
    let cluster = Cluster::of(&values);
    if cluster.nodes.is_empty() && cluster.pods.is_empty() {
        return Err(
            "there are neither nodes nor pods in these files: they come from `kubectl get nodes,pods -A -o json`"
                .to_owned(),
        );
    }
    let found = findings(&cluster);
    let mut text = String::new();
    for node in &cluster.nodes {
        ledger(&cluster, node, &mut text);
    }
    let unplaced = cluster.alive().filter(|pod| pod.node.is_none()).count();
    if unplaced > 0 {
        let _ = writeln!(text, "{} on no node", count(unplaced, "pod"));
    }
    text.push('\n');
    list(&found, &mut text);
    if !cluster.notes.is_empty() {
        text.push('\n');
    }
    for note in &cluster.notes {
        let _ = writeln!(text, "note: {note}");
    }
    Ok(Diagnosis {
        text,
        findings: found.len(),
    })
}

/// The names of the nodes in a dump; none if it cannot be read, of which [`doctor`] says more.
pub fn nodes_of(dump: &[u8]) -> Vec<String> {
    let files = [("the cluster".to_owned(), dump.to_vec())];
    let values = read::values(&files).unwrap_or_default();
    let nodes = Cluster::of(&values).nodes;
    nodes.iter().map(|node| node.name.to_owned()).collect()
}

/// What a node has, what is asked of it, what may be taken of it, and what is in use.
fn ledger(cluster: &Cluster<'_>, node: &Node<'_>, out: &mut String) {
    let name = node.name;
    let reserved = node.capacity.saturating_sub(node.allocatable);
    let kept = match reserved {
        0 => "all of it for pods".to_owned(),
        bytes => format!(
            "{} for pods, {} kept from them",
            in_mib(node.allocatable),
            in_mib(bytes)
        ),
    };
    let _ = writeln!(
        out,
        "node {name}  {} of memory, {kept}",
        in_mib(node.capacity)
    );
    let here = || cluster.alive().filter(|pod| pod.node == Some(name));
    let requested = cluster.requested(name);
    let free = match node.allocatable.checked_sub(requested) {
        Some(free) => format!("{} left", in_mib(free)),
        None => format!("{} too much", in_mib(requested - node.allocatable)),
    };
    let pods = count(here().count(), "pod");
    let _ = writeln!(out, "  requested  {} by {pods}, {free}", in_mib(requested));
    let limits: u64 = here().map(|pod| pod.limit).fold(0, u64::saturating_add);
    let unlimited: usize = here().map(|pod| pod.unlimited.len()).sum();
    let without = match unlimited {
        0 => String::new(),
        1 => ", and 1 container has no limit".to_owned(),
        n => format!(", and {n} containers have no limit"),
    };
    let _ = writeln!(out, "  limits     {}{without}", in_mib(limits));
    let Some(used) = &node.used else {
        let _ = writeln!(out, "  in use     unknown: no stats/summary of this node");
        return;
    };
    let mut parts = Vec::new();
    if let Some(bytes) = used.k3s {
        parts.push(format!("{} by K3s, containerd and shims", in_mib(bytes)));
    }
    if let Some(bytes) = used.pods {
        parts.push(format!("{} by pods", in_mib(bytes)));
    }
    if let Some(bytes) = used.rest() {
        parts.push(format!("{} by the OS and all else", in_mib(bytes)));
    }
    let parts = match parts.is_empty() {
        true => String::new(),
        false => format!(": {}", parts.join(", ")),
    };
    let all = used.all.map_or_else(|| "unknown".to_owned(), in_mib);
    let _ = writeln!(out, "  in use     {all}{parts}");
}

fn list(found: &[Finding], out: &mut String) {
    match found.len() {
        0 => out.push_str("nothing is wrong that these files show\n"),
        1 => out.push_str("one thing is wrong:\n"),
        n => {
            let _ = writeln!(out, "{n} things are wrong, the worst first:");
        }
    }
    for (at, finding) in found.iter().enumerate() {
        let _ = writeln!(out, "\n{}. {}", at + 1, finding.what);
        for line in &finding.detail {
            let _ = writeln!(out, "   {line}");
        }
        let seen = symptoms::of(finding.cause);
        if !seen.is_empty() {
            let seen: Vec<String> = seen.iter().map(|phrase| format!("`{phrase}`")).collect();
            let _ = writeln!(out, "   seen as: {}", seen.join(", "));
        }
        if let Some(line) = &finding.program {
            let _ = writeln!(out, "   in a program: {line}");
        }
    }
}
