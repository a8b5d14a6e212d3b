//! The workload controllers: each call of `sync` does one thing that the controller of a workload would do next
//! (pkg/controller: deployment, replicaset, statefulset, daemon, job, cronjob).

use std::collections::BTreeSet;

use super::game::{Game, HELPER, Phase, Pod};
use super::workload::{Kind, Many, Run};

fn is_alive(pod: &Pod) -> bool {
    !matches!(pod.phase, Phase::Ending { .. })
}

impl Game<'_> {
    /// One step of a controller. Whether it did anything.
    pub(super) fn sync(&mut self, at: usize) -> bool {
        match self.workloads[at].kind {
            Kind::Deployment {
                surge,
                unavailable,
                recreate,
            } => self.replicate(at) || self.deploy(at, surge, unavailable, recreate),
            Kind::ReplicaSet => {
                self.control[at].sets = [(0, self.control[at].replicas)].into();
                self.replicate(at)
            }
            Kind::StatefulSet { parallel, by_hand } => self.stateful(at, parallel, by_hand),
            Kind::DaemonSet { surge, by_hand } => self.daemon(at, surge, by_hand),
            Kind::Job(run) | Kind::Cron(run, _) => self.run(at, run),
            Kind::Pod if self.workloads[at].name == HELPER || self.control[at].made => false,
            Kind::Pod => {
                let made = self.create(at, 0, 0, None);
                self.control[at].made = made;
                made
            }
        }
    }

    /// Each ReplicaSet makes the pods that it lacks and ends those that are too many: first those without a node, then
    /// those that do not run, then the latest. Pods on their way out do not count.
    fn replicate(&mut self, at: usize) -> bool {
        for (revision, wanted) in self.control[at].sets.clone() {
            let mut alive: Vec<&Pod> = { self.pods.iter() }
                .filter(|pod| pod.workload == at && pod.revision == revision && is_alive(pod))
                .collect();
            if alive.len() < wanted {
                return self.create(at, revision, 0, None);
            }
            if alive.len() > wanted {
                alive.sort_by_key(|pod| {
                    (
                        pod.node.is_some(),
                        pod.phase == Phase::Running,
                        u64::MAX - pod.id,
                    )
                });
                let id = alive[0].id;
                self.delete(id, false);
                return true;
            }
        }
        false
    }

    fn running(&self, at: usize, revision: u32) -> usize {
        self.count(at, |pod| {
            pod.revision == revision && pod.phase == Phase::Running
        })
    }

    /// An autoscaler has moved a Deployment: its ReplicaSets together have no more than it may have.
    pub(super) fn resize(&mut self, at: usize) {
        let Kind::Deployment { surge, .. } = self.workloads[at].kind else {
            return;
        };
        let control = &mut self.control[at];
        if control.sets.len() == 1 {
            control.sets.insert(control.revision, control.replicas);
            return;
        }
        let most = control.replicas + surge.up(control.replicas);
        while control.sets.values().sum::<usize>() > most {
            let old = control.sets.iter_mut().find(|(_, pods)| **pods > 0);
            old.into_iter().for_each(|(_, pods)| *pods -= 1);
        }
    }

    /// pkg/controller/deployment: rolling.go and recreate.go.
    fn deploy(&mut self, at: usize, surge: Many, unavailable: Many, recreate: bool) -> bool {
        let (replicas, new) = (self.control[at].replicas, self.control[at].revision);
        let old: Vec<u32> = self.control[at]
            .sets
            .keys()
            .copied()
            .filter(|revision| *revision != new)
            .collect();
        let finished = |game: &Game<'_>, revision: u32| {
            game.control[at].sets[&revision] == 0
                && game.count(at, |pod| pod.revision == revision && is_alive(pod)) == 0
        };
        if recreate {
            let any_left = old
                .iter()
                .any(|revision| self.control[at].sets[revision] > 0);
            if any_left {
                old.iter().for_each(|revision| {
                    self.control[at].sets.insert(*revision, 0);
                });
                return true;
            }
            if self.count(at, |pod| pod.revision != new) > 0 {
                return false;
            }
            old.iter().for_each(|revision| {
                self.control[at].sets.remove(revision);
            });
            return self.control[at].sets.insert(new, replicas) != Some(replicas);
        }
        let (surge, mut unavailable) = (surge.up(replicas), unavailable.down(replicas));
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        let total: usize = self.control[at].sets.values().sum();
        let of_new = self.control[at].sets[&new];
        if of_new > replicas {
            self.control[at].sets.insert(new, replicas);
            return true;
        }
        if of_new < replicas && total < replicas + surge {
            let more = (replicas + surge - total).min(replicas - of_new);
            self.control[at].sets.insert(new, of_new + more);
            return true;
        }
        let least = replicas.saturating_sub(unavailable);
        let new_unavailable = of_new.saturating_sub(self.running(at, new));
        let mut down = total.saturating_sub(least + new_unavailable);
        let before = self.control[at].sets.clone();
        for revision in &old {
            let pods = self.control[at].sets[revision];
            let unhealthy = pods.saturating_sub(self.running(at, *revision)).min(down);
            self.control[at].sets.insert(*revision, pods - unhealthy);
            down -= unhealthy;
        }
        if down > 0 {
            let available: usize = self.control[at]
                .sets
                .keys()
                .map(|revision| self.running(at, *revision))
                .sum();
            let mut spare = available.saturating_sub(least).min(down);
            for revision in &old {
                let pods = self.control[at].sets[revision];
                let less = pods.min(spare);
                self.control[at].sets.insert(*revision, pods - less);
                spare -= less;
            }
        }
        for revision in old {
            if finished(self, revision) {
                self.control[at].sets.remove(&revision);
            }
        }
        before != self.control[at].sets
    }

    /// pkg/controller/statefulset: pods one after another, and none beside its predecessor of the same name.
    fn stateful(&mut self, at: usize, parallel: bool, by_hand: bool) -> bool {
        let (replicas, revision) = (self.control[at].replicas, self.control[at].revision);
        let find = |game: &Game<'_>, slot: usize| {
            game.pods
                .iter()
                .find(|pod| pod.workload == at && pod.slot == slot)
                .cloned()
        };
        let mut all_run = true;
        for slot in 0..replicas {
            match find(self, slot) {
                None if self.create(at, revision, slot, None) => return true,
                Some(pod) if pod.phase == Phase::Running => {}
                _ => {
                    all_run = false;
                    if !parallel {
                        return false;
                    }
                }
            }
        }
        let above = { self.pods.iter() }.filter(|pod| pod.workload == at && pod.slot >= replicas);
        if let Some(pod) = above.max_by_key(|pod| pod.slot) {
            let (id, was) = (pod.id, is_alive(pod));
            self.delete(id, false);
            return was;
        }
        if by_hand || !all_run {
            return false;
        }
        let behind = |pod: &&Pod| pod.workload == at && pod.revision != revision;
        let last = self
            .pods
            .iter()
            .filter(behind)
            .max_by_key(|pod| pod.slot)
            .map(|pod| pod.id);
        last.into_iter().for_each(|id| self.delete(id, false));
        last.is_some()
    }

    /// The nodes that a DaemonSet has a pod on.
    pub(super) fn takers(&self, at: usize) -> Vec<usize> {
        let Ok(ready) = &self.ready[at] else {
            return (0..self.joined.len()).collect();
        };
        let takes = |node: &usize| {
            let there = &self.cluster.nodes[*node];
            let hard = { there.taints.iter() }.filter(|taint| taint.effect != "PreferNoSchedule");
            self.joined[*node] && ready.template.selects(&there.labels) && { hard }
                .all(|taint| ready.template.tolerates(taint))
        };
        (0..self.joined.len()).filter(takes).collect()
    }

    /// pkg/controller/daemon: one pod a node, at most one of them missing while they are replaced.
    fn daemon(&mut self, at: usize, surge: bool, by_hand: bool) -> bool {
        let revision = self.control[at].revision;
        let nodes = self.takers(at);
        let here = |game: &Game<'_>, node: usize| -> Vec<Pod> {
            let there = |pod: &&Pod| pod.workload == at && pod.own == Some(node);
            game.pods.iter().filter(there).cloned().collect()
        };
        for node in &nodes {
            if here(self, *node).is_empty() && self.create(at, revision, 0, Some(*node)) {
                return true;
            }
        }
        if by_hand {
            return false;
        }
        let missing = |node: &&usize| {
            here(self, **node)
                .iter()
                .all(|pod| pod.phase != Phase::Running)
        };
        let unavailable = nodes.iter().filter(missing).count();
        for node in &nodes {
            let pods = here(self, *node);
            let new = pods.iter().find(|pod| pod.revision == revision);
            for old in pods
                .iter()
                .filter(|pod| pod.revision != revision && is_alive(pod))
            {
                let runs = old.phase == Phase::Running;
                if surge {
                    match new {
                        None if runs => return self.create(at, revision, 0, Some(*node)),
                        Some(new) if new.phase != Phase::Running && runs => continue,
                        _ => {}
                    }
                } else if runs && unavailable > 0 {
                    continue;
                }
                self.delete(old.id, false);
                return true;
            }
        }
        false
    }

    /// pkg/controller/job: so many pods at once, those on their way out among them where it waits for these.
    fn run(&mut self, at: usize, run: Run) -> bool {
        let live: BTreeSet<usize> = { self.control[at].runs.iter() }
            .filter(|runs| runs.left > 0 && !runs.stopped)
            .map(|runs| runs.slot)
            .collect();
        for slot in live {
            let left = { self.control[at].runs.iter() }
                .find(|runs| runs.slot == slot)
                .map_or(0, |runs| runs.left);
            let there = self.count(at, |pod| pod.slot == slot && (run.waits || is_alive(pod)));
            if there < left.min(run.pods) && self.create(at, 0, slot, None) {
                return true;
            }
        }
        false
    }
}
