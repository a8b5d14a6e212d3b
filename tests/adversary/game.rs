//! One game: a cluster comes up, then anything that may happen happens in any order (rollouts, deletions, runs, moves of
//! an autoscaler, nodes that go and come back), then it is left alone until nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};

use super::admission::Rules;
use super::files::Cluster;
use super::pod::Template;
use super::quantity::{Amount, Resources, text};
use super::random;
use super::workload::{Concurrency, Kind, Run, Workload};
use crate::generate::Rng;

/// How nodes are chosen for pods.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    Random,
    Emptiest,
    Fullest,
    /// So that as few nodes as can be keep room for a pod of this workload.
    Against(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    /// It has a node, and waits for its volumes: the kubelet does not know of it.
    Assumed,
    Bound,
    Running,
    Ending {
        pushed: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Pod {
    /// In the order in which they are made.
    pub(super) id: u64,
    pub(super) workload: usize,
    pub(super) revision: u32,
    /// Ordinal, or the number of its run.
    pub(super) slot: usize,
    /// The node that it is made for.
    pub(super) own: Option<usize>,
    pub(super) node: Option<usize>,
    pub(super) nominated: Option<usize>,
    pub(super) phase: Phase,
}

/// A run of a Job, or of one that a CronJob made.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    pub(super) slot: usize,
    pub(super) left: usize,
    pub(super) stopped: bool,
}

/// What the controller of a workload remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    pub(super) replicas: usize,
    pub(super) revision: u32,
    /// Pods that the ReplicaSet of each revision is told to have.
    pub(super) sets: BTreeMap<u32, usize>,
    pub(super) runs: Vec<Runs>,
    /// Pods that have ended well and are still stored.
    pub(super) ended: usize,
    /// Whether a pod that nobody makes again was made.
    pub(super) made: bool,
    /// Why its last pod was refused.
    pub(super) refused: Option<String>,
}

/// A pod of a workload as it is stored.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) template: Template,
    asks: Resources,
    most: Option<Amount>,
}

/// What may happen in a game.
#[derive(Debug, Clone, Copy)]
pub(super) struct Events {
    /// Whether what K3s packages is rolled out, as an upgrade does.
    pub(super) upgrades: bool,
    /// Whether a node is lost and stays so.
    pub(super) loss: bool,
    /// Whether nodes may be away for a while.
    pub(super) outages: bool,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By node: the most that limits came to, none bounding them if None.
    pub(super) most: Vec<Option<Amount>>,
    /// By workload: the most pods that there were on all nodes, those on their way out among them.
    pub(super) pods: Vec<usize>,
    /// Whose pods were deleted to make room, and for whom.
    pub(super) pushed: BTreeSet<(String, String)>,
    /// The same where pods of less importance were on their way out, which would have made room too.
    pub(super) hurried: BTreeSet<(String, String)>,
    /// What does not run in the end, and why.
    pub(super) stuck: Vec<String>,
}

pub(super) struct Game<'c> {
    pub(super) cluster: &'c Cluster,
    pub(super) workloads: &'c [Workload],
    pub(super) ready: Vec<Result<Ready, String>>,
    pub(super) rules: Rules,
    pub(super) control: Vec<Control>,
    pub(super) pods: Vec<Pod>,
    /// The node of each local volume, none before it is made.
    pub(super) volumes: BTreeMap<String, Option<usize>>,
    pub(super) up: Vec<bool>,
    pub(super) joined: Vec<bool>,
    pub(super) rng: Rng,
    pub(super) way: Way,
    pub(super) next: u64,
    pub(super) seen: Seen,
    /// Claims whose folder is being made.
    helpers: Vec<(String, u64)>,
    /// The workload of the pods that make folders.
    helper: Option<usize>,
}

impl<'c> Game<'c> {
    pub(super) fn new(cluster: &'c Cluster, workloads: &'c [Workload], seed: u64) -> Game<'c> {
        let mut rules = Rules::new(&cluster.objects);
        let counted = { cluster.objects.iter() }.filter(|object| object["kind"] != "Pod");
        let refused: BTreeMap<String, String> = counted
            .filter_map(|object| {
                Some((
                    text(&object["metadata"]["name"])?,
                    rules.take(object).err()?,
                ))
            })
            .collect();
        let ready = workloads.iter().map(|one| {
            if let Some(why) = refused.get(&one.name) {
                return Err(why.clone());
            }
            let template = rules.admit(&one.template)?;
            Ok(Ready {
                asks: template.requests(),
                most: template.most(),
                template,
            })
        });
        let ready = ready.collect();
        let mut rng = random(seed);
        let way = match seed % 6 {
            0 => Way::Random,
            1 => Way::Emptiest,
            2 => Way::Fullest,
            _ => Way::Against(rng.index(workloads.len().max(1))),
        };
        let control = workloads.iter().map(|one| {
            let replicas = one.scale.map_or(one.replicas, |(least, most)| {
                rng.range(least as u64, most as u64) as usize
            });
            Control {
                replicas,
                sets: [(0, replicas)].into(),
                ..Control::default()
            }
        });
        let control = control.collect();
        let local = |object: &&serde_yaml::Value| {
            object["kind"] == "PersistentVolumeClaim" && cluster.is_local(&object["spec"])
        };
        let key = |object: &serde_yaml::Value| {
            Some((
                format!(
                    "{}/{}",
                    super::workload::namespace(object),
                    text(&object["metadata"]["name"])?
                ),
                None,
            ))
        };
        let volumes = cluster
            .objects
            .iter()
            .filter(local)
            .filter_map(key)
            .collect();
        let first = cluster
            .nodes
            .iter()
            .position(|node| node.server)
            .unwrap_or(0);
        let joined: Vec<bool> = (0..cluster.nodes.len()).map(|at| at == first).collect();
        Game {
            cluster,
            workloads,
            ready,
            rules,
            control,
            pods: Vec::new(),
            volumes,
            up: joined.clone(),
            joined,
            rng,
            way,
            next: 0,
            seen: Seen {
                most: vec![Some(0); cluster.nodes.len()],
                pods: vec![0; workloads.len()],
                ..Seen::default()
            },
            helpers: Vec::new(),
            helper: workloads.iter().position(|one| one.name == HELPER),
        }
    }

    fn ready(&self, pod: &Pod) -> &Ready {
        self.ready[pod.workload]
            .as_ref()
            .expect("a pod that was refused was not made")
    }

    pub(super) fn template(&self, pod: &Pod) -> &Template {
        &self.ready(pod).template
    }

    pub(super) fn asks(&self, pod: &Pod) -> &Resources {
        &self.ready(pod).asks
    }

    pub(super) fn priority(&self, pod: &Pod) -> i64 {
        self.template(pod).priority
    }

    /// The claims of a pod, by namespace and name.
    pub(super) fn claims(&self, pod: &Pod) -> Vec<String> {
        let (one, template) = (&self.workloads[pod.workload], self.template(pod));
        let place = &template.namespace;
        let shared = template.claims.iter().map(|name| format!("{place}/{name}"));
        let own = one
            .claims
            .iter()
            .map(|(name, _)| format!("{place}/{name}-{}-{}", one.name, pod.slot));
        shared.chain(own).collect()
    }

    /// Makes a pod. Whether it was taken.
    pub(super) fn create(
        &mut self,
        workload: usize,
        revision: u32,
        slot: usize,
        own: Option<usize>,
    ) -> bool {
        let template = match &self.ready[workload] {
            Ok(ready) => &ready.template,
            Err(why) => {
                self.control[workload].refused = Some(why.clone());
                return false;
            }
        };
        let one = &self.workloads[workload];
        for (name, spec) in &one.claims {
            let key = format!("{}/{name}-{}-{slot}", template.namespace, one.name);
            if !self.volumes.contains_key(&key) && self.cluster.is_local(spec) {
                if let Err(why) = self.rules.claim(&template.namespace, spec) {
                    self.control[workload].refused = Some(why);
                    return false;
                }
                self.volumes.insert(key, None);
            }
        }
        // One whose node is lost counts no longer once its grace is over.
        let counted = self.pods.iter().filter(|pod| {
            !(matches!(pod.phase, Phase::Ending { .. })
                && pod.node.is_some_and(|node| !self.up[node]))
        });
        let others: Vec<&Template> = counted.map(|pod| self.template(pod)).collect();
        let place = &template.namespace;
        let ended = { self.control.iter().zip(self.workloads) }
            .filter(|(_, one)| one.template.namespace == *place)
            .map(|(control, _)| control.ended)
            .sum();
        if let Err(why) = self.rules.quota(template, &others, ended) {
            self.control[workload].refused = Some(why);
            return false;
        }
        self.control[workload].refused = None;
        self.next += 1;
        let (id, phase) = (self.next, Phase::Pending);
        self.pods.push(Pod {
            id,
            workload,
            revision,
            slot,
            own,
            node: None,
            nominated: None,
            phase,
        });
        true
    }

    /// Tells a pod to end.
    pub(super) fn delete(&mut self, id: u64, pushed: bool) {
        let Some(at) = self.pods.iter().position(|pod| pod.id == id) else {
            return;
        };
        match self.pods[at].phase {
            Phase::Pending | Phase::Assumed => {
                self.pods.remove(at);
            }
            Phase::Bound | Phase::Running => self.pods[at].phase = Phase::Ending { pushed },
            Phase::Ending { .. } => {}
        }
    }

    /// The scheduler deletes a pod for another. Whether it was not on its way out already.
    pub(super) fn push(&mut self, id: u64, by: &Pod, could_wait: bool) -> bool {
        let Some(pod) = self.pods.iter().find(|pod| pod.id == id) else {
            return false;
        };
        if matches!(pod.phase, Phase::Ending { .. }) {
            return false;
        }
        let (victim, by) = (&self.workloads[pod.workload], &self.workloads[by.workload]);
        // A pod that has one node only may find it taken by those that could go elsewhere, and do so now.
        let moves_on = matches!(by.kind, Kind::DaemonSet { .. }) && self.up.len() > 1;
        // Before all nodes are there, nobody promised that all pods find room.
        let complete = self.joined.iter().all(|joined| *joined);
        if !victim.packaged && !moves_on && complete {
            let list = if could_wait {
                &mut self.seen.hurried
            } else {
                &mut self.seen.pushed
            };
            list.insert((victim.name.clone(), by.name.clone()));
        }
        self.delete(id, true);
        true
    }

    /// A pod gets a node.
    pub(super) fn place(&mut self, at: usize, node: usize) {
        let pod = &mut self.pods[at];
        (pod.node, pod.nominated, pod.phase) = (Some(node), None, Phase::Assumed);
        let pod = self.pods[at].clone();
        if !self
            .claims(&pod)
            .iter()
            .any(|claim| self.volumes.get(claim) == Some(&None))
        {
            self.bind(at);
        }
    }

    fn bind(&mut self, at: usize) {
        self.pods[at].phase = Phase::Bound;
        let workload = self.pods[at].workload;
        let is_up = |pod: &Pod| pod.node.is_some_and(|node| self.up[node]);
        let waits = |pod: &Pod| matches!(pod.phase, Phase::Pending | Phase::Assumed);
        let there = self.count(workload, |pod| is_up(pod) && !waits(pod));
        self.seen.pods[workload] = self.seen.pods[workload].max(there);
        if let Some(node) = self.pods[at].node {
            self.weigh(node);
        }
    }

    /// Notes what the limits of all pods of a node come to that its kubelet knows of.
    fn weigh(&mut self, node: usize) {
        let known = { self.pods.iter() }.filter(|pod| {
            pod.node == Some(node) && !matches!(pod.phase, Phase::Pending | Phase::Assumed)
        });
        let sum: Option<Amount> = known.map(|pod| self.ready(pod).most).sum();
        let most = &mut self.seen.most[node];
        *most = most.zip(sum).map(|(known, sum)| known.max(sum));
    }

    /// The provisioner goes on with the folders that a pod waits for: a helper pod makes each, on the node that the
    /// scheduler chose. The kubelet refuses it where there is no room, and the provisioner tries again.
    fn provision(&mut self, at: usize) -> bool {
        let pod = self.pods[at].clone();
        let claims = self.claims(&pod);
        let elsewhere = |claim: &String| {
            let volume = self.volumes.get(claim).copied().flatten();
            volume.is_some() && volume != pod.node
        };
        // Another pod was faster: the volume that both wait for is made on the node of that.
        if claims.iter().any(elsewhere) {
            (self.pods[at].node, self.pods[at].phase) = (None, Phase::Pending);
            return true;
        }
        let mut claims = claims.into_iter();
        let open = claims.find(|claim| self.volumes.get(claim) == Some(&None));
        let (Some(claim), Some(node)) = (open, pod.node) else {
            self.bind(at);
            return true;
        };
        let Some(helper) = self.helper.filter(|helper| self.ready[*helper].is_ok()) else {
            self.volumes.insert(claim, Some(node));
            return true;
        };
        if self.helpers.iter().any(|(known, _)| *known == claim) {
            return false;
        }
        let like = Pod {
            id: u64::MAX,
            workload: helper,
            own: Some(node),
            ..pod
        };
        let inside = |other: &&Pod| other.node == Some(node) && other.phase != Phase::Assumed;
        let here: Vec<&Pod> = self.pods.iter().filter(inside).collect();
        let used: Amount = here
            .iter()
            .filter_map(|other| self.asks(other).get("memory"))
            .sum();
        let asked = self.asks(&like).get("memory").copied().unwrap_or(0);
        let there = &self.cluster.nodes[node];
        if used + asked > there.allocatable["memory"] || here.len() >= there.max_pods {
            return false;
        }
        if !self.create(helper, 0, 0, Some(node)) {
            return false;
        }
        let last = self.pods.len() - 1;
        (self.pods[last].node, self.pods[last].phase) = (Some(node), Phase::Running);
        self.helpers.push((claim, self.next));
        self.weigh(node);
        true
    }

    /// A helper has made its folder, or was pushed out.
    fn finish_helper(&mut self, at: usize) {
        let pod = self.pods.remove(at);
        let Some(known) = self.helpers.iter().position(|(_, id)| *id == pod.id) else {
            return;
        };
        let (claim, _) = self.helpers.remove(known);
        if pod.phase == Phase::Running {
            self.volumes.insert(claim, pod.node);
        }
    }

    /// The kubelet goes on with a pod: it starts it where there is an address, or ends it.
    fn kubelet(&mut self, at: usize) -> bool {
        let pod = self.pods[at].clone();
        let Some(node) = pod.node.filter(|node| self.up[*node]) else {
            return false;
        };
        match pod.phase {
            Phase::Assumed => self.provision(at),
            Phase::Bound => {
                let network = |other: &&Pod| {
                    other.node == Some(node)
                        && matches!(other.phase, Phase::Running | Phase::Ending { .. })
                        && !self.template(other).host_network
                };
                let taken = self.pods.iter().filter(network).count();
                if !self.template(&pod).host_network && taken >= self.cluster.nodes[node].addresses
                {
                    return false;
                }
                self.pods[at].phase = Phase::Running;
                true
            }
            _ if Some(pod.workload) == self.helper => {
                self.finish_helper(at);
                true
            }
            Phase::Ending { .. } => {
                self.pods.remove(at);
                true
            }
            Phase::Pending | Phase::Running => false,
        }
    }

    /// One small step of a pod. Whether anything came of it.
    fn step(&mut self, id: u64) -> bool {
        let Some(at) = self.pods.iter().position(|pod| pod.id == id) else {
            return false;
        };
        match self.pods[at].phase {
            Phase::Pending => self.schedule(at),
            _ => self.kubelet(at),
        }
    }

    /// Whether rollouts of another wave are under way.
    fn is_other_wave_rolling(&self, wave: &str) -> bool {
        { self.workloads.iter().zip(&self.control) }
            .enumerate()
            .any(|(at, (one, control))| {
                one.wave.as_ref().is_some_and(|known| known != wave)
                    && (control.sets.len() > 1
                        || self.count(at, |pod| {
                            pod.revision != control.revision
                                && !matches!(pod.phase, Phase::Ending { .. })
                        }) > 0
                        || self.count(at, |pod| pod.phase == Phase::Running) < control.replicas)
            })
    }

    pub(super) fn count(&self, workload: usize, of: impl Fn(&Pod) -> bool) -> usize {
        self.pods
            .iter()
            .filter(|pod| pod.workload == workload && of(pod))
            .count()
    }

    /// Whether no pod of a workload is on its way out, and no rollout under way. Nobody begins the next before, or
    /// deletes another of its pods: so many as are told to go at once would all be there beside those that come.
    fn is_at_rest(&self, at: usize) -> bool {
        self.control[at].sets.len() <= 1
            && self.count(at, |pod| matches!(pod.phase, Phase::Ending { .. })) == 0
    }

    fn roll(&mut self, at: usize) {
        let one = &self.workloads[at];
        if one
            .wave
            .as_ref()
            .is_some_and(|wave| self.is_other_wave_rolling(wave))
        {
            return;
        }
        if !self.is_at_rest(at) {
            return;
        }
        let control = &mut self.control[at];
        match one.kind {
            Kind::Deployment { .. } => {
                control.revision += 1;
                control.sets.insert(control.revision, 0);
            }
            Kind::StatefulSet { .. } | Kind::DaemonSet { .. } => control.revision += 1,
            _ => {}
        }
    }

    /// A CronJob is due.
    fn due(&mut self, at: usize, run: Run, policy: Concurrency) {
        let is_live = |runs: &Runs| runs.left > 0 && !runs.stopped;
        let live = self.control[at]
            .runs
            .iter()
            .filter(|runs| is_live(runs))
            .count();
        let outlived: BTreeSet<usize> = { self.pods.iter() }
            .filter(|pod| pod.workload == at && matches!(pod.phase, Phase::Ending { .. }))
            .map(|pod| pod.slot)
            .collect();
        match policy {
            Concurrency::Forbid if live > 0 => return,
            Concurrency::Allow(most) if live >= most.max(1) => return,
            Concurrency::Replace(most) => {
                // Those that were replaced long ago have ended since.
                if outlived.len() >= most {
                    return;
                }
                self.control[at]
                    .runs
                    .iter_mut()
                    .for_each(|runs| runs.stopped = true);
                let gone: Vec<u64> = { self.pods.iter() }
                    .filter(|pod| pod.workload == at)
                    .map(|pod| pod.id)
                    .collect();
                gone.into_iter().for_each(|id| self.delete(id, false));
            }
            _ => {}
        }
        self.next += 1;
        let slot = usize::try_from(self.next).unwrap_or(0);
        self.control[at].runs.retain(is_live);
        self.control[at].runs.push(Runs {
            slot,
            left: run.completions.unwrap_or(run.pods),
            stopped: false,
        });
    }

    /// A pod of a run has ended well.
    fn succeed(&mut self, at: usize) {
        let pod = self.pods.remove(at);
        let control = &mut self.control[pod.workload];
        control.ended += 1;
        for runs in control.runs.iter_mut().filter(|runs| runs.slot == pod.slot) {
            runs.left -= runs.left.min(1);
        }
        // Of the runs of a CronJob three are kept.
        if let Kind::Cron(run, _) = self.workloads[pod.workload].kind {
            control.ended = control.ended.min(3 * run.completions.unwrap_or(run.pods));
        }
    }

    /// A node is not heard of for longer than pods tolerate: all but those of DaemonSets are told to end there.
    fn leave(&mut self, node: usize) {
        self.up[node] = false;
        let there: Vec<u64> = { self.pods.iter() }
            .filter(|pod| pod.node == Some(node) && pod.own.is_none())
            .map(|pod| pod.id)
            .collect();
        there.into_iter().for_each(|id| self.delete(id, false));
    }

    /// Whether all nodes are there and all volumes are made. Before that nobody deletes a pod: the volume of another
    /// could be made where its own is, and it would never find its way back.
    fn is_complete(&self) -> bool {
        !self.pods.is_empty()
            && self.joined.iter().all(|joined| *joined)
            && self.volumes.values().all(|node| node.is_some())
    }

    /// Something from outside.
    fn happen(&mut self, events: Events) {
        let at = self.rng.index(self.workloads.len());
        let one = &self.workloads[at];
        let rolls = events.upgrades || !one.packaged;
        match (self.rng.range(0, 9), one.kind) {
            (
                0..=3,
                Kind::Deployment { .. } | Kind::StatefulSet { .. } | Kind::DaemonSet { .. },
            ) if rolls => self.roll(at),
            (_, Kind::Cron(run, policy)) => self.due(at, run, policy),
            (4, _) if one.scale.is_some() => {
                let (least, most) = one.scale.unwrap_or((1, 1));
                self.control[at].replicas = self.rng.range(least as u64, most as u64) as usize;
                self.resize(at);
            }
            (5 | 6, _) if self.is_complete() => {
                let pod = &self.pods[self.rng.index(self.pods.len())];
                let one = &self.workloads[pod.workload];
                // Those of K3s are not deleted, nor those that nobody makes again.
                let at_rest = self.is_at_rest(pod.workload);
                if !matches!(one.kind, Kind::Pod) && !one.packaged && at_rest {
                    self.delete(pod.id, false);
                }
            }
            (7, _) if events.outages && self.joined.iter().all(|joined| *joined) => {
                let node = self.rng.index(self.up.len());
                if !self.up[node] {
                    self.up[node] = true;
                } else if self.up.iter().all(|up| *up) && self.up.len() > 1 {
                    self.leave(node);
                }
            }
            _ => {
                if let Some(node) = (0..self.joined.len()).find(|node| !self.joined[*node]) {
                    (self.joined[node], self.up[node]) = (true, true);
                }
                let runs = |pod: &Pod| {
                    pod.phase == Phase::Running
                        && matches!(
                            self.workloads[pod.workload].kind,
                            Kind::Job(_) | Kind::Cron(..)
                        )
                };
                if let Some(at) = self.pods.iter().position(runs) {
                    self.succeed(at);
                }
            }
        }
    }

    /// Plays it. What was seen.
    pub(super) fn play(mut self, events: Events) -> Seen {
        let lost = self.rng.index(self.cluster.nodes.len());
        for at in 0..self.workloads.len() {
            if let Kind::Job(run) = self.workloads[at].kind {
                let left = run.completions.unwrap_or(run.pods);
                self.control[at].runs.push(Runs {
                    slot: 0,
                    left,
                    stopped: false,
                });
            }
        }
        let steps = 40
            + 12 * self
                .control
                .iter()
                .map(|control| control.replicas)
                .sum::<usize>()
                .min(40);
        // What comes seldom is away for long, and the other way round.
        let calm = self.rng.range(40, 97);
        for _ in 0..steps {
            if self.rng.chance(calm) {
                self.act();
            } else {
                self.happen(events);
            }
        }
        self.joined.iter_mut().for_each(|joined| *joined = true);
        self.up.iter_mut().for_each(|up| *up = true);
        if events.loss {
            // Of a rollout that is under way when a node is lost nothing is promised but by Deployments that do not wait.
            self.settle();
            self.leave(lost);
        }
        for at in 0..self.workloads.len() {
            if let Kind::Cron(run, policy) = self.workloads[at].kind {
                self.due(at, run, policy);
            }
        }
        self.settle();
        self.seen.stuck = self.stuck();
        self.seen
    }

    /// Somebody inside the cluster does one thing.
    fn act(&mut self) -> bool {
        if self.pods.is_empty() || self.rng.chance(40) {
            let at = self.rng.index(self.workloads.len());
            return self.sync(at);
        }
        let at = self.rng.index(self.pods.len());
        let pod = &self.pods[at];
        // Pods are slow to go.
        if matches!(pod.phase, Phase::Ending { .. }) && self.rng.chance(60) {
            return false;
        }
        let id = pod.id;
        self.step(id)
    }

    /// Lets everybody act until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..3_000 {
            let mut moved = false;
            let mut all: Vec<Result<usize, u64>> = (0..self.workloads.len()).map(Ok).collect();
            all.extend(self.pods.iter().map(|pod| Err(pod.id)));
            self.rng.shuffle(&mut all);
            for one in all {
                moved |= match one {
                    Ok(workload) => self.sync(workload),
                    Err(pod) => self.step(pod),
                };
            }
            if !moved {
                return;
            }
        }
        self.seen.stuck.push("it never comes to rest".to_owned());
    }

    /// What ought to run and does not.
    fn stuck(&self) -> Vec<String> {
        let mut found = self.seen.stuck.clone();
        for (at, (one, control)) in self.workloads.iter().zip(&self.control).enumerate() {
            let runs = self.count(at, |pod| {
                pod.phase == Phase::Running
                    && pod.node.is_none_or(|node| self.up[node])
                    && (pod.revision == control.revision
                        || matches!(
                            one.kind,
                            Kind::DaemonSet { by_hand: true, .. }
                                | Kind::StatefulSet { by_hand: true, .. }
                        ))
            });
            let wanted = match one.kind {
                Kind::Deployment { .. } | Kind::ReplicaSet | Kind::StatefulSet { .. } => {
                    control.replicas
                }
                Kind::DaemonSet { .. } => self
                    .takers(at)
                    .into_iter()
                    .filter(|node| self.up[*node])
                    .count(),
                Kind::Job(run) | Kind::Cron(run, _) => {
                    let live = control.runs.iter().filter(|runs| !runs.stopped);
                    live.map(|runs| runs.left.min(run.pods)).sum()
                }
                Kind::Pod if one.name == HELPER => 0,
                Kind::Pod => 1,
            };
            if runs != wanted {
                let mut phases: BTreeMap<String, usize> = BTreeMap::new();
                for pod in self.pods.iter().filter(|pod| pod.workload == at) {
                    let node = pod.node.map_or("", |node| &self.cluster.nodes[node].name);
                    *phases.entry(format!("{:?} {node}", pod.phase)).or_default() += 1;
                }
                let why = control.refused.as_deref().unwrap_or("");
                found.push(format!(
                    "{}: {runs} of {wanted} run {why} {phases:?}",
                    one.name
                ));
            }
        }
        found
    }
}

/// The name of the workload whose pods make folders.
pub(super) const HELPER: &str = "helper-pod";
