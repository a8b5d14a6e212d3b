//! kube-scheduler: which nodes may take a pod, and whom it pushes out where none does (pkg/scheduler/framework/plugins:
//! noderesources, nodeaffinity, tainttoleration, nodeports, interpodaffinity, podtopologyspread, volumebinding,
//! volumerestrictions, defaultpreemption). Of the nodes that may take it any can be chosen: scores promise nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::game::{Game, Phase, Pod, Way};
use super::pod::Term;
use super::quantity::Amount;

/// What is left out when a node is looked at: pods by their number.
type Without = BTreeSet<u64>;

impl Game<'_> {
    /// Pods that hold room on a node, with those for which it is kept free from others of their importance or less.
    fn holders<'g>(
        &'g self,
        pod: &'g Pod,
        node: usize,
        without: &'g Without,
    ) -> impl Iterator<Item = &'g Pod> {
        let kept = move |other: &&Pod| {
            other.id != pod.id
                && !without.contains(&other.id)
                && match other.node {
                    Some(there) => there == node,
                    None => {
                        other.nominated == Some(node) && self.priority(other) >= self.priority(pod)
                    }
                }
        };
        self.pods.iter().filter(kept)
    }

    /// Whether a node is one that could take it if nothing else were there.
    fn suits(&self, pod: &Pod, node: usize) -> bool {
        let (template, there) = (self.template(pod), &self.cluster.nodes[node]);
        let held = |claim: &String| {
            self.volumes
                .get(claim)
                .is_none_or(|at| at.is_none_or(|at| at == node))
        };
        self.up[node]
            && pod.own.is_none_or(|own| own == node)
            && template.selects(&there.labels)
            && { there.taints.iter() }
                .filter(|taint| taint.effect != "PreferNoSchedule")
                .all(|taint| template.tolerates(taint))
            && self.claims(pod).iter().all(held)
    }

    fn has_room(&self, pod: &Pod, node: usize, without: &Without) -> bool {
        let there = &self.cluster.nodes[node];
        let holders: Vec<&Pod> = self.holders(pod, node, without).collect();
        if holders.len() >= there.max_pods {
            return false;
        }
        let ports = &self.template(pod).ports;
        if holders
            .iter()
            .any(|other| !self.template(other).ports.is_disjoint(ports))
        {
            return false;
        }
        self.asks(pod)
            .iter()
            .filter(|(_, asked)| **asked > 0)
            .all(|(name, asked)| {
                // A program that says nothing of CPU is not held to any.
                let unlimited = if name == "cpu" { Amount::MAX } else { 0 };
                let all = there.allocatable.get(name).copied().unwrap_or(unlimited);
                let used: Amount = holders
                    .iter()
                    .filter_map(|other| self.asks(other).get(name))
                    .sum();
                used + asked <= all
            })
    }

    fn domain(&self, node: usize, term: &Term) -> Option<&String> {
        self.cluster.nodes[node].labels.get(&term.topology)
    }

    /// Whether a pod of `other` that a term means is where `node` is, by the label of the term.
    fn shares(&self, term: &Term, other: &Pod, node: usize) -> bool {
        let (Some(there), Some(here)) = (other.node, self.domain(node, term)) else {
            return false;
        };
        self.domain(there, term) == Some(here)
    }

    fn is_apart_and_together(&self, pod: &Pod, node: usize, without: &Without) -> bool {
        let template = self.template(pod);
        let placed: Vec<&Pod> = { self.pods.iter() }
            .filter(|other| {
                other.node.is_some() && other.id != pod.id && !without.contains(&other.id)
            })
            .collect();
        let apart = placed.iter().all(|other| {
            let of_other = self.template(other);
            let mine = template.anti.iter().all(|term| {
                !(term.means(&template.namespace, of_other) && self.shares(term, other, node))
            });
            let its = of_other.anti.iter().all(|term| {
                !(term.means(&of_other.namespace, template) && self.shares(term, other, node))
            });
            mine && its
        });
        let together = template.together.iter().all(|term| {
            let meant = |other: &&&Pod| term.means(&template.namespace, self.template(other));
            let mut all = placed.iter().filter(meant);
            let first =
                placed.iter().find(meant).is_none() && term.means(&template.namespace, template);
            first && self.domain(node, term).is_some()
                || all.any(|other| self.shares(term, other, node))
        });
        apart
            && together
            && template
                .spread
                .iter()
                .all(|term| self.is_spread(term, pod, node, &placed))
    }

    /// Pods on their way out do not count for a spread, and nodes that pods like it cannot choose do not either.
    fn is_spread(&self, term: &Term, pod: &Pod, node: usize, placed: &[&Pod]) -> bool {
        let template = self.template(pod);
        let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
        for at in (0..self.up.len()).filter(|at| self.joined[*at]) {
            if term.counts(template, &self.cluster.nodes[at]) {
                let Some(domain) = self.domain(at, term) else {
                    continue;
                };
                let meant = placed.iter().filter(|other| {
                    other.node == Some(at)
                        && !matches!(other.phase, Phase::Ending { .. })
                        && term.means(&template.namespace, self.template(other))
                });
                *counts.entry(domain).or_default() += meant.count() as i64;
            }
        }
        let Some(here) = self.domain(node, term) else {
            return false;
        };
        let least = counts.values().min().copied().unwrap_or(0);
        let mine = i64::from(term.means(&template.namespace, template));
        counts.get(here).copied().unwrap_or(0) + mine - least <= term.skew
    }

    /// Whether no other pod with a node uses a claim of it that is for one pod at a time (plugin volumerestrictions).
    fn has_its_claims(&self, pod: &Pod, without: &Without) -> bool {
        let mut claims = self.claims(pod);
        claims.retain(|claim| self.cluster.of_one_pod.contains(claim));
        let mut others = self.pods.iter().filter(|other| {
            other.node.is_some() && other.id != pod.id && !without.contains(&other.id)
        });
        claims.is_empty()
            || !others.any(|other| self.claims(other).iter().any(|one| claims.contains(one)))
    }

    pub(super) fn fits(&self, pod: &Pod, node: usize, without: &Without) -> bool {
        self.suits(pod, node)
            && self.has_its_claims(pod, without)
            && self.has_room(pod, node, without)
            && self.is_apart_and_together(pod, node, without)
    }

    /// One turn of the scheduler with a pod. Whether anything came of it.
    pub(super) fn schedule(&mut self, at: usize) -> bool {
        let pod = self.pods[at].clone();
        let none = Without::new();
        let mut nodes: Vec<usize> = (0..self.up.len())
            .filter(|node| self.fits(&pod, *node, &none))
            .collect();
        self.rng.shuffle(&mut nodes);
        let left = |game: &Game<'_>, node: usize| {
            let all = game.cluster.nodes[node].allocatable["memory"];
            let used: Amount = { game.holders(&pod, node, &none) }
                .filter_map(|other| game.asks(other).get("memory"))
                .sum();
            all - used
        };
        let chosen = match self.way {
            Way::Random => nodes.first().copied(),
            Way::Emptiest => nodes.into_iter().max_by_key(|node| left(self, *node)),
            Way::Fullest => nodes.into_iter().min_by_key(|node| left(self, *node)),
            // First those that could still take one of the victim's, the fullest of them first.
            Way::Against(victim) => nodes.into_iter().min_by_key(|node| {
                let like = Pod {
                    workload: victim,
                    id: u64::MAX,
                    own: None,
                    node: None,
                    ..pod.clone()
                };
                let takes = self.ready[victim].is_ok() && self.fits(&like, *node, &none);
                (!takes, left(self, *node))
            }),
        };
        match chosen {
            Some(node) => {
                self.place(at, node);
                true
            }
            None => self.push_out(at),
        }
    }

    /// Deletes pods of less importance so that this one fits somewhere. Whether it deleted any or was given a node.
    fn push_out(&mut self, at: usize) -> bool {
        let pod = self.pods[at].clone();
        if self.template(&pod).never_preempts {
            return false;
        }
        let mine = self.priority(&pod);
        let waits = |other: &Pod| {
            other.node == pod.nominated
                && matches!(other.phase, Phase::Ending { pushed: true })
                && self.priority(other) < mine
        };
        if pod.nominated.is_some_and(|node| self.up[node]) && self.pods.iter().any(waits) {
            return false;
        }
        let mut found: Vec<(i64, i64, usize, u64, usize, Vec<u64>)> = Vec::new();
        for node in 0..self.up.len() {
            let below = |other: &&Pod| other.node == Some(node) && self.priority(other) < mine;
            let mut victims: Vec<&Pod> = self.pods.iter().filter(below).collect();
            let mut without: Without = victims.iter().map(|victim| victim.id).collect();
            if without.is_empty() || !self.fits(&pod, node, &without) {
                continue;
            }
            victims.sort_by_key(|victim| (Reverse(self.priority(victim)), victim.id));
            for victim in &victims {
                without.remove(&victim.id);
                if !self.fits(&pod, node, &without) {
                    without.insert(victim.id);
                }
            }
            let gone = victims.iter().filter(|victim| without.contains(&victim.id));
            let priorities: Vec<i64> = gone.map(|victim| self.priority(victim)).collect();
            found.push((
                priorities.iter().max().copied().unwrap_or(0),
                priorities.iter().sum(),
                priorities.len(),
                self.next.wrapping_mul(31 + node as u64) % 7,
                node,
                without.into_iter().collect(),
            ));
        }
        found.sort();
        let Some((.., node, victims)) = found.into_iter().next() else {
            return false;
        };
        let ending = |other: &&Pod| {
            matches!(other.phase, Phase::Ending { .. }) && self.priority(other) < mine
        };
        let gone: Without = self
            .pods
            .iter()
            .filter(ending)
            .map(|other| other.id)
            .collect();
        let could_wait = (0..self.up.len()).any(|node| self.fits(&pod, node, &gone));
        let before = self.pods[at].nominated;
        self.pods[at].nominated = Some(node);
        let lower = |other: &&mut Pod| other.nominated == Some(node) && other.id != pod.id;
        let priorities: Vec<i64> = self.pods.iter().map(|other| self.priority(other)).collect();
        let nominated = self.pods.iter_mut().zip(priorities);
        for (other, _) in nominated.filter(|(other, priority)| lower(other) && *priority < mine) {
            other.nominated = None;
        }
        let mut any = before != Some(node);
        for victim in victims {
            any |= self.push(victim, &pod, could_wait);
        }
        any
    }
}
