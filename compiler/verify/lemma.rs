//! Whether every order of pods and every choice of nodes ends well, by the lemma of `spec/06-proof.md`, worked out anew
//! from the numbers of a report. What the report adds is for each kind of pod the set of nodes to apply it to.

use super::read::{Report, Service, Wave};
use super::{moments, pods_at};

/// Memory, CPU, number of pods.
type Size = [u128; 3];

/// Pods that are alike.
struct Kind {
    name: String,
    size: Size,
    count: u128,
    /// The nodes that may take one and are large enough.
    nodes: Vec<bool>,
    /// Whether no two of them may share a node.
    apart: bool,
}

impl Kind {
    /// How many of `count` can be on so many nodes at once.
    fn at_once(&self, count: u128, nodes: usize) -> u128 {
        if self.apart || nodes == 0 {
            count.min(nodes as u128)
        } else {
            count
        }
    }
}

/// What is free on every node, and the kinds: one a service, then one a component.
struct Cluster {
    rooms: Vec<Size>,
    kinds: Vec<Kind>,
}

/// What keeps the lemma from showing what the report says, at each moment.
pub(super) fn any_order(report: &Report<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let all = moments(report);
    for (at, shown) in report.placement.moments.iter().enumerate() {
        let is_first = report.placement.moments[..at]
            .iter()
            .all(|other| other.wave != shown.wave);
        if !is_first || !all.contains(&shown.wave) {
            faults.push("its moments are not those of the rollouts".to_owned());
        }
    }
    for moment in all {
        let Some(shown) = report
            .placement
            .moments
            .iter()
            .find(|shown| stands_for(report, shown.wave, moment))
        else {
            faults.push("a wave of rollouts is not among its moments".to_owned());
            continue;
        };
        let cluster = Cluster::new(report, moment, None);
        if shown.with.len() != cluster.kinds.len() {
            faults.push(format!(
                "it has {} kinds of pods, not {}",
                shown.with.len(),
                cluster.kinds.len()
            ));
            continue;
        }
        for (index, with) in shown
            .with
            .iter()
            .enumerate()
            .filter(|(index, _)| cluster.kinds[*index].count > 0)
        {
            if !cluster.holds(index, with) {
                faults.push(format!(
                    "a pod of `{}` may find no room",
                    cluster.kinds[index].name
                ));
            }
        }
    }
    faults
}

/// Whether a moment that is shown is this one, or one of a service that is like the one which rolls alone.
fn stands_for(report: &Report<'_>, shown: Option<Wave<'_>>, moment: Option<Wave<'_>>) -> bool {
    let (Some(Wave::Alone(shown)), Some(Wave::Alone(name))) = (shown, moment) else {
        return shown == moment;
    };
    let alike = |service: &Service<'_>| {
        let amounts = [
            service.request,
            service.limit,
            service.replicas,
            service.surge,
            service.cpu,
        ];
        (amounts, service.nodes.clone(), service.one_on_a_node)
    };
    match (report.service(shown), report.service(name)) {
        (Some(one), Some(other)) => alike(one) == alike(other),
        _ => false,
    }
}

/// Whether the lemma shows it of every kind without one node, each time with some set of nodes.
pub(super) fn outlives(report: &Report<'_>, lost: usize) -> bool {
    moments(report).into_iter().all(|moment| {
        let cluster = Cluster::new(report, moment, Some(lost));
        let mut sets: Vec<Vec<usize>> = cluster
            .kinds
            .iter()
            .map(|kind| members(&kind.nodes))
            .collect();
        sets.extend((0..report.nodes.len()).map(|node| vec![node]));
        sets.sort();
        sets.dedup();
        let shown = |index: usize| sets.iter().any(|set| cluster.holds(index, set));
        (0..cluster.kinds.len())
            .filter(|index| cluster.kinds[*index].count > 0)
            .all(shown)
    })
}

fn members(flags: &[bool]) -> Vec<usize> {
    flags
        .iter()
        .enumerate()
        .filter(|(_, flag)| **flag)
        .map(|(node, _)| node)
        .collect()
}

impl Cluster {
    fn new(report: &Report<'_>, moment: Option<Wave<'_>>, lost: Option<usize>) -> Cluster {
        let fixed = |service: &Service<'_>| service.kind == "DaemonSet";
        let mut kinds: Vec<Kind> = Vec::new();
        for service in &report.services {
            kinds.push(Kind {
                name: service.name.to_owned(),
                size: [service.request.into(), service.cpu.into(), 1],
                count: if fixed(service) {
                    0
                } else {
                    pods_at(service, moment).into()
                },
                nodes: (0..report.nodes.len())
                    .map(|node| service.on(node, 1) > 0)
                    .collect(),
                apart: service.one_on_a_node,
            });
        }
        for component in report
            .open()
            .map(|at| &report.nodes[at].components)
            .into_iter()
            .flatten()
        {
            let pods = component.pods.max(1);
            kinds.push(Kind {
                name: component.name.to_owned(),
                size: [
                    (component.request / pods).into(),
                    (component.cpu / pods).into(),
                    1,
                ],
                count: if component.every_node {
                    0
                } else {
                    component.pods.into()
                },
                nodes: report
                    .nodes
                    .iter()
                    .map(|node| !node.components.is_empty())
                    .collect(),
                apart: false,
            });
        }
        let volume = |d: usize| {
            kinds
                .iter()
                .map(|kind| kind.size[d] * kind.count)
                .sum::<u128>()
        };
        let all_cpu = volume(1);
        let room = |(at, node): (usize, &super::read::Node<'_>)| -> Size {
            let every = || {
                node.components
                    .iter()
                    .filter(|component| component.every_node)
            };
            let daemons = || {
                report
                    .services
                    .iter()
                    .filter(|service| fixed(service) && service.on(at, 1) > 0)
            };
            let memory = every()
                .map(|c| c.request)
                .chain(daemons().map(|s| s.request));
            let cpu = every().map(|c| c.cpu).chain(daemons().map(|s| s.cpu));
            let pods = every().map(|c| c.pods).chain(daemons().map(|_| 1));
            let less = |has: u64, taken: u128| u128::from(has).saturating_sub(taken);
            [
                less(node.allocatable, memory.map(u128::from).sum()),
                // CPU of which nothing is known is never short.
                node.cpu
                    .map_or(all_cpu, |has| less(has, cpu.map(u128::from).sum())),
                less(node.max_pods, pods.map(u128::from).sum()),
            ]
        };
        let mut rooms: Vec<Size> = report.nodes.iter().enumerate().map(room).collect();
        for kind in &mut kinds {
            for (node, may) in kind.nodes.iter_mut().enumerate() {
                *may &= Some(node) != lost && (0..3).all(|d| kind.size[d] <= rooms[node][d]);
            }
        }
        // What all sizes have in common is the unit: less than it can never be used.
        for d in 0..3 {
            let there = kinds.iter().filter(|kind| kind.count > 0);
            let unit = there
                .fold(0, |unit, kind| common(unit, kind.size[d]))
                .max(1);
            kinds.iter_mut().for_each(|kind| kind.size[d] /= unit);
            rooms.iter_mut().for_each(|room| room[d] /= unit);
        }
        Cluster { rooms, kinds }
    }

    /// The lemma for one pod of a kind, with these nodes.
    fn holds(&self, index: usize, with: &[usize]) -> bool {
        let pod = &self.kinds[index];
        if with.is_empty() || !with.iter().all(|node| pod.nodes[*node]) {
            return false;
        }
        let price = |d: usize| {
            let sum: u128 = with.iter().map(|node| self.rooms[*node][d]).sum();
            ((with.len() as u128) << 64) / sum.max(1) + 1
        };
        let prices = [price(0), price(1), price(2)];
        let shared = |kind: &Kind| with.iter().filter(|node| kind.nodes[**node]).count();
        let others = pod.at_once(pod.count - 1, with.len());
        let there = |at: usize, kind: &Kind| {
            if at == index {
                others
            } else {
                kind.at_once(kind.count, shared(kind))
            }
        };
        let mut volume = [0_u128; 3];
        for (at, kind) in self.kinds.iter().enumerate() {
            for (volume, size) in volume.iter_mut().zip(&kind.size) {
                *volume += size * there(at, kind);
            }
        }
        let lack = |node: usize, d: usize| {
            let lack = self.rooms[node][d] - pod.size[d] + 1;
            (pod.size[d] > 0 && lack <= volume[d]).then_some(lack)
        };
        let among: Vec<usize> = (0..3)
            .filter(|d| with.iter().any(|node| lack(*node, *d).is_some()))
            .collect();
        let worth = |kind: &Kind| {
            among
                .iter()
                .map(|d| kind.size[*d] * prices[*d])
                .max()
                .unwrap_or(0)
        };
        let cost = |node: &usize| {
            (0..3)
                .filter_map(|d| Some(lack(*node, d)? * prices[d]))
                .min()
                .unwrap_or(u128::MAX)
        };
        let mut costs: Vec<u128> = with.iter().map(cost).collect();
        if pod.apart {
            // The others of its own block a node each, at worst the dearest, for what they are worth themselves.
            costs.sort_unstable_by(|a, b| b.cmp(a));
            let blocked = usize::try_from(others).unwrap_or(usize::MAX);
            costs
                .iter_mut()
                .take(blocked)
                .for_each(|cost| *cost = worth(pod).min(*cost));
        }
        let most = costs.iter().copied().max().unwrap_or(0);
        let all = costs.into_iter().fold(0, u128::saturating_add);
        let kinds = self.kinds.iter().enumerate();
        let worths: u128 = kinds
            .map(|(at, kind)| there(at, kind).saturating_mul(worth(kind).min(most)))
            .sum();
        worths < all
    }
}

/// The greatest common divisor.
fn common(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common(b, a % b) }
}
