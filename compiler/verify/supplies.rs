//! Re-checks what is asked for of resources by their names: sums on each node, and that liveness and survival are not called
//! proved where a pod may wait for one.

use std::collections::BTreeSet;

use super::{Check, Facts, times};
use crate::report::{Id, Service, Theorem, Verdict};

/// The storage of which every node has some.
const STORAGE: &str = "ephemeral-storage";

/// What the kubelet keeps of a disk from pods: 5%, as a float of 32 bits has it, 13421773 / 2^28; in bytes.
fn kept(resource: &str, has: u64) -> u128 {
    match resource {
        STORAGE => (u128::from(has) * 13_421_773).div_ceil(1 << 28),
        _ => 0,
    }
}

fn each(service: &Service<'_>, resource: &str) -> u64 {
    let mut asks = service.asks.iter();
    asks.find(|ask| ask.resource == resource)
        .map_or(0, |ask| ask.each)
}

impl Check {
    pub(super) fn supplies(&mut self, facts: &Facts<'_>) {
        for service in &facts.report.services {
            let place = format!("service {}: asks", service.name);
            let mut known = BTreeSet::new();
            for ask in &service.asks {
                self.holds(&place, known.insert(&ask.resource) && ask.each > 0, || {
                    format!("{} is there twice, or none is asked for", ask.resource)
                });
            }
        }
        let asking = facts.report.services.iter();
        let asked: BTreeSet<&str> = asking
            .flat_map(|service| service.asks.iter().map(|ask| ask.resource.as_ref()))
            .collect();
        for at in 0..facts.report.nodes.len() {
            self.supplies_of(facts, at);
            asked.iter().for_each(|asked| self.found(facts, at, asked));
        }
    }

    fn supplies_of(&mut self, facts: &Facts<'_>, at: usize) {
        let node = &facts.report.nodes[at];
        let mut known = BTreeSet::new();
        for supply in &node.supplies {
            let place = format!("node {}: {}", node.name, supply.resource);
            self.holds(&place, known.insert(&supply.resource), || {
                "it is there twice".to_owned()
            });
            let how = "the kubelet keeps";
            let kept = kept(&supply.resource, supply.has) + u128::from(supply.reserved);
            self.same(&place, "kept", supply.kept, how, kept);
            let how = "all that may be here ask for";
            let asked = asked(facts, at, &supply.resource);
            self.same(&place, "asked", supply.asked, how, asked);
        }
    }

    /// Where pods that may come to a node may not find there what they ask for, nothing is proved of them.
    fn found(&mut self, facts: &Facts<'_>, at: usize, resource: &str) {
        let node = &facts.report.nodes[at];
        let supply = node.supplies.iter().find(|one| one.resource == resource);
        let usable = supply.map_or(0, |supply| supply.has.saturating_sub(supply.kept));
        let asked = asked(facts, at, resource);
        let enough = asked <= u128::from(usable);
        let promised = |one: &&Theorem<'_>| matches!(one.id, Id::T4 | Id::T5);
        for theorem in facts.report.theorems.iter().filter(promised) {
            let proved = theorem.verdict == Verdict::Proved;
            let place = format!("node {}: {resource}", node.name);
            self.holds(&place, enough || !proved, || {
                format!(
                    "{asked} are asked for of {usable}, and {} is called proved",
                    theorem.name
                )
            });
        }
    }
}

/// What all pods that may be on a node ask for at the worst moment.
fn asked(facts: &Facts<'_>, at: usize, resource: &str) -> u128 {
    let services = &facts.report.services;
    facts.at_worst(|index, pods| times(each(&services[index], resource), facts.on(index, at, pods)))
}
