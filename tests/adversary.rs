//! What bzc promises of a cluster, against somebody who chooses everything that Kubernetes leaves open: the order of all
//! steps, the node of each pod among those with room, when rollouts begin, when pods end, which node is lost. The rules
//! are Kubernetes' and K3s's, read from their sources; of bzc only the emitted files are read, and of its report only
//! what it promises.
//!
//! - `files`, `pod`, `quantity`: what the files say. `packaged`: what K3s runs beside it.
//! - `admission`: what the API server takes. `quotas`: what the quotas of a cluster come to.
//! - `schedule`: what kube-scheduler does. `control`: what the controllers do.
//! - `game`: all of them at work on one cluster. `known`: clusters of which it is known what goes wrong in them.
//! - `programs`, `sets`: the programs and the manifests of others whose promises are put to the test.
//! - `refused`: what is refused for its nodes has no place on them.

mod admission;
mod control;
mod files;
mod game;
mod known;
mod packaged;
mod pod;
mod programs;
mod quantity;
mod quotas;
mod refused;
mod schedule;
mod sets;
mod workload;

use files::{Cluster, Files, Node};
use game::{Events, Game};
use quantity::Amount;
pub(crate) use quotas::quota_faults;
use workload::workloads;

use crate::generate::Rng;

/// Files as bzc gives them to whoever writes them.
type Written = Vec<(String, Vec<u8>)>;

/// Numbers for a seed that have nothing to do with those for the next one.
fn random(seed: u64) -> Rng {
    let mixed = seed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    Rng::new((mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB))
}

/// Where a promise does not hold.
fn broken(files: &Files, games: u64, seed: u64, events: Events) -> Result<Vec<String>, String> {
    let cluster = Cluster::new(files)?;
    let workloads = workloads(&cluster);
    let mut found = Vec::new();
    let promises = &cluster.promises;
    for game in 0..games {
        let loss = promises.survives && game % 2 == 1;
        let outages = promises.survives && !loss;
        let events = Events {
            loss,
            outages,
            ..events
        };
        let seen = Game::new(&cluster, &workloads, seed * 1000 + game).play(events);
        let nodes = cluster.nodes.iter().zip(&seen.most).zip(&promises.within);
        for ((node, most), _) in nodes.filter(|(_, proved)| **proved) {
            found.extend(over(node, *most));
        }
        for (one, pods) in workloads.iter().zip(&seen.pods) {
            let told = promises.pods.get(&one.name);
            let more = told.filter(|told| pods > *told);
            found.extend(more.map(|told| format!("T1: {pods} pods of {}, not {told}", one.name)));
        }
        if promises.placed {
            found.extend(
                seen.pushed
                    .iter()
                    .map(|(who, by)| format!("T4: {who} is pushed out by {by}")),
            );
        }
        if promises.survives && loss || promises.placed && !loss {
            let which = if loss { "T5" } else { "T4" };
            found.extend(seen.stuck.iter().map(|what| format!("{which}: {what}")));
        }
    }
    let folders = { workloads.iter() }.filter(|one| !one.packaged && one.template.host_folders);
    if promises.survives {
        found.extend(folders.map(|one| format!("T5: {}: a folder of the lost node", one.name)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// What the kubelet does where pods use all that their limits let them.
fn over(node: &Node, most: Option<Amount>) -> Option<String> {
    let mib = |bytes: Amount| (bytes / 1000) >> 20;
    let all = node.allocatable["memory"];
    let Some(most) = most else {
        return Some(format!("T2 of {}: a pod that nothing bounds", node.name));
    };
    let what = if most > node.kubepods {
        "the kernel kills"
    } else {
        "the kubelet evicts"
    };
    let amounts = format!("limits of {}Mi, {}Mi for pods", mib(most), mib(all));
    (most > all).then(|| format!("T2 of {}: {what}: {amounts}", node.name))
}
