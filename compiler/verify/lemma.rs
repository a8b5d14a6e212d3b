//! Re-checks the placement: every pod finds room in any order of pods and with any choice of nodes. It applies the
//! lemma of `spec/06-proof.md` to the numbers of a report. The report says, for each kind of pod, to which set of
//! nodes.

use super::{At, Facts, asked_of, pods_at, sum, times};
use crate::report::{Component, Moment, Node, Service, Wave};

/// How many dimensions a size has.
const DIMENSIONS: usize = 3;

/// Memory, CPU, number of pods.
type Size = [u128; DIMENSIONS];

/// Equal pods: those of a service or of a component.
struct Kind {
    name: String,
    size: Size,
    count: u128,
    /// For each node, whether it may take such a pod and is large enough.
    nodes: Vec<bool>,
    /// Whether no two of them may share a node.
    apart: bool,
}

impl Kind {
    /// How many of `count` pods can be on that many nodes at once.
    fn at_once(&self, count: u128, nodes: usize) -> u128 {
        if self.apart || nodes == 0 {
            count.min(nodes as u128)
        } else {
            count
        }
    }
}

/// The room on every node, and the kinds of pods: one for each service, one for each component, and then one for each
/// node with pods of others that run on every node.
struct Cluster {
    rooms: Vec<Size>,
    kinds: Vec<Kind>,
}

/// For each moment, the pods for which the lemma does not show what the report says.
pub(super) fn any_order(facts: &Facts<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let moments = &facts.report.placement.moments;
    for (at, shown) in moments.iter().enumerate() {
        let mut before = moments[..at].iter();
        let is_first = before.all(|other| (&other.wave, &other.hook) != (&shown.wave, &shown.hook));
        let mut known = facts.moments.iter();
        if !is_first || !known.any(|at| at.wave == shown.wave.as_ref() && runs(shown, *at)) {
            faults.push("its moments are not those of the rollouts".to_owned());
        }
    }
    for moment in &facts.moments {
        let stands = |shown: &&Moment<'_>| {
            runs(shown, *moment) && stands_for(facts, shown.wave.as_ref(), moment.wave)
        };
        let Some(shown) = moments.iter().find(stands) else {
            faults.push("a wave of rollouts is not among its moments".to_owned());
            continue;
        };
        match Cluster::new(facts, *moment, None) {
            Ok(cluster) => faults.extend(cluster.faults(facts, shown)),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// Whether the hook of a stated moment is that of this one, if there is one.
fn runs(shown: &Moment<'_>, moment: At<'_>) -> bool {
    shown.hook.as_deref() == moment.hook.map(|hook| hook.name.as_ref())
}

/// Whether a stated wave is this one, or that of a service that is equal to the one which rolls alone.
fn stands_for(facts: &Facts<'_>, shown: Option<&Wave<'_>>, moment: Option<&Wave<'_>>) -> bool {
    let (Some(Wave::Alone(shown)), Some(Wave::Alone(name))) = (shown, moment) else {
        return shown == moment;
    };
    match (
        facts.services.get(shown.as_ref()),
        facts.services.get(name.as_ref()),
    ) {
        (Some(one), Some(other)) => alike(one, other),
        _ => false,
    }
}

fn alike(one: &Service<'_>, other: &Service<'_>) -> bool {
    let amounts = |service: &Service<'_>| {
        [
            service.request_bytes,
            service.limit_bytes,
            service.replicas,
            service.surge,
            service.cpu_milli,
        ]
    };
    amounts(one) == amounts(other)
        && one.release == other.release
        && one.nodes == other.nodes
        && one.one_on_a_node == other.one_on_a_node
}

/// Whether the lemma holds for every kind of pod after the loss of one node, each time with some set of nodes.
pub(super) fn outlives(facts: &Facts<'_>, lost: usize) -> bool {
    facts.moments.iter().all(|moment| {
        let Ok(cluster) = Cluster::new(facts, *moment, Some(lost)) else {
            return false;
        };
        let mut sets: Vec<Vec<usize>> = cluster
            .kinds
            .iter()
            .map(|kind| members(&kind.nodes))
            .collect();
        sets.extend((0..facts.report.nodes.len()).map(|node| vec![node]));
        sets.sort();
        sets.dedup();
        let shown = |index: usize| sets.iter().any(|set| cluster.holds(index, set));
        let exists = |index: &usize| cluster.kinds[*index].count > 0;
        (0..cluster.kinds.len()).filter(exists).all(shown)
    })
}

fn members(flags: &[bool]) -> Vec<usize> {
    let members = flags.iter().enumerate().filter(|(_, flag)| **flag);
    members.map(|(node, _)| node).collect()
}

/// Whether a component always has its pods on a node, because it preempts pods that are in their way.
fn is_fixed(component: &Component<'_>) -> bool {
    component.every_node && component.preempts
}

fn size_of(component: &Component<'_>) -> Size {
    [
        component.request_bytes.into(),
        component.cpu_milli.into(),
        1,
    ]
}

/// The room of a node without its DaemonSets, or why it has too little: for these, or for these and the packaged pods,
/// which they cannot preempt.
fn room(facts: &Facts<'_>, at: usize, node: &Node<'_>, endless: u128) -> Result<Size, String> {
    let has = [
        node.allocatable_bytes.into(),
        // If a node does not say how much CPU it has, CPU is never short.
        node.cpu_milli.map_or(endless, u128::from),
        node.max_pods.into(),
    ];
    let daemons = || {
        let services = facts.report.services.iter().enumerate();
        services.filter(move |(index, service)| {
            service.kind == "DaemonSet" && facts.on(*index, at, 1) > 0
        })
    };
    let asked_by = |of: &dyn Fn(&Component<'_>) -> bool, d: usize| -> u128 {
        let components = node.components.iter().filter(|component| of(component));
        sum(components.map(|component| match d {
            0 => asked_of(component, component.request_bytes),
            1 => asked_of(component, component.cpu_milli),
            _ => asked_of(component, 1),
        }))
    };
    let mut left = has;
    for (d, left) in left.iter_mut().enumerate() {
        let of_daemons: u128 = daemons()
            .map(|(index, service)| match d {
                0 => times(service.request_bytes, facts.on(index, at, 2)),
                1 => times(service.cpu_milli, facts.on(index, at, 2)),
                _ => facts.on(index, at, 2).into(),
            })
            .fold(0_u128, u128::saturating_add);
        if d == 1 && node.cpu_milli.is_none() {
            continue;
        }
        let fixed = asked_by(&is_fixed, d).saturating_add(of_daemons);
        let critical = asked_by(&|component| component.preempts && !component.every_node, d);
        let name = &node.name;
        *left = match left.checked_sub(fixed) {
            Some(left) => left,
            None if fixed == 0 => *left,
            None => return Err(format!("DaemonSets alone are too much for `{name}`")),
        };
        if daemons().next().is_some() && critical > *left {
            return Err(format!(
                "what K3s packages may take the room of a DaemonSet on `{name}`"
            ));
        }
    }
    Ok(left)
}

impl Cluster {
    fn new(facts: &Facts<'_>, moment: At<'_>, lost: Option<usize>) -> Result<Cluster, String> {
        let report = facts.report;
        let mut kinds: Vec<Kind> = Vec::new();
        for (index, service) in report.services.iter().enumerate() {
            let fixed = service.kind == "DaemonSet";
            kinds.push(Kind {
                name: service.name.to_string(),
                size: [service.request_bytes.into(), service.cpu_milli.into(), 1],
                count: match (fixed, lost) {
                    (true, _) => 0,
                    (false, Some(lost))
                        if service.one_on_a_node && facts.on(index, lost, 1) > 0 =>
                    {
                        let nodes = 0..report.nodes.len();
                        let left =
                            nodes.filter(|node| *node != lost && facts.on(index, *node, 1) > 0);
                        let left = left.count() as u64;
                        pods_at(service, moment)
                            .min(service.replicas.max(left))
                            .into()
                    }
                    (false, _) => pods_at(service, moment).into(),
                },
                nodes: (0..report.nodes.len())
                    .map(|node| facts.on(index, node, 1) > 0)
                    .collect(),
                apart: service.one_on_a_node,
            });
        }
        let open: Vec<bool> = report
            .nodes
            .iter()
            .map(|node| !node.components.is_empty())
            .collect();
        for component in facts
            .open()
            .map(|at| &report.nodes[at].components)
            .into_iter()
            .flatten()
        {
            kinds.push(Kind {
                name: component.name.to_string(),
                size: size_of(component),
                count: if component.every_node {
                    0
                } else {
                    component.pods_at_peak.into()
                },
                nodes: open.clone(),
                apart: false,
            });
        }
        for (at, node) in report.nodes.iter().enumerate() {
            let waiting = node
                .components
                .iter()
                .filter(|component| component.every_node && !is_fixed(component));
            kinds.extend(waiting.map(|component| Kind {
                name: component.name.to_string(),
                size: size_of(component),
                // The pods of a lost node are gone with it.
                count: if lost == Some(at) {
                    0
                } else {
                    component.pods_at_peak.into()
                },
                nodes: (0..report.nodes.len()).map(|other| other == at).collect(),
                apart: false,
            }));
        }
        let endless: u128 = kinds
            .iter()
            .map(|kind| kind.size[1].saturating_mul(kind.count))
            .fold(0, u128::saturating_add);
        let rooms = report.nodes.iter().enumerate();
        let rooms = rooms.map(|(at, node)| match lost {
            // A lost node has no room.
            Some(lost) if lost == at => Ok([0; DIMENSIONS]),
            _ => room(facts, at, node, endless),
        });
        let mut rooms: Vec<Size> = rooms.collect::<Result<_, _>>()?;
        for kind in &mut kinds {
            for (node, may) in kind.nodes.iter_mut().enumerate() {
                *may &=
                    Some(node) != lost && (0..DIMENSIONS).all(|d| kind.size[d] <= rooms[node][d]);
            }
        }
        // The greatest common divisor of all sizes is the unit: less than a unit of room can never be used.
        for d in 0..DIMENSIONS {
            let present = kinds.iter().filter(|kind| kind.count > 0);
            let unit = present
                .fold(0, |unit, kind| common(unit, kind.size[d]))
                .max(1);
            kinds.iter_mut().for_each(|kind| kind.size[d] /= unit);
            rooms.iter_mut().for_each(|room| room[d] /= unit);
        }
        Ok(Cluster { rooms, kinds })
    }

    /// The kinds of pods for which the stated sets of nodes do not satisfy the lemma.
    fn faults(&self, facts: &Facts<'_>, shown: &Moment<'_>) -> Vec<String> {
        let components = facts
            .open()
            .map_or(0, |at| facts.report.nodes[at].components.len());
        let known = facts.report.services.len() + components;
        if (shown.services.len(), shown.components.len())
            != (facts.report.services.len(), components)
        {
            return vec!["it does not show as many kinds of pods as there are".to_owned()];
        }
        let mut sets: Vec<Vec<usize>> = Vec::with_capacity(self.kinds.len());
        for set in shown.services.iter().chain(&shown.components) {
            let nodes: Vec<usize> = set.clone();
            let rising = nodes.windows(2).all(|pair| pair[0] < pair[1]);
            if !rising || nodes.last().is_some_and(|last| *last >= self.rooms.len()) {
                return vec!["it shows a node that there is not, or one twice".to_owned()];
            }
            sets.push(nodes);
        }
        // Pods that run on every node and preempt nothing: the set is their own node.
        sets.extend(self.kinds[known..].iter().map(|kind| members(&kind.nodes)));
        let present = sets
            .iter()
            .enumerate()
            .filter(|(index, _)| self.kinds[*index].count > 0);
        let stuck = present.filter(|(index, with)| !self.holds(*index, with));
        stuck
            .map(|(index, _)| format!("a pod of `{}` may find no room", self.kinds[index].name))
            .collect()
    }

    /// The lemma for one more pod of a kind, with these nodes.
    fn holds(&self, index: usize, with: &[usize]) -> bool {
        let pod = &self.kinds[index];
        if with.is_empty() || !with.iter().all(|node| pod.nodes[*node]) {
            return false;
        }
        let price = |d: usize| {
            let sum = with.iter().fold(0, |sum: u128, node| {
                sum.saturating_add(self.rooms[*node][d])
            });
            ((with.len() as u128) << 64) / sum.max(1) + 1
        };
        let prices: Size = std::array::from_fn(price);
        let shared = |kind: &Kind| with.iter().filter(|node| kind.nodes[**node]).count();
        let other_pods = pod.at_once(pod.count - 1, with.len());
        let count_of = |at: usize, kind: &Kind| {
            if at == index {
                other_pods
            } else {
                kind.at_once(kind.count, shared(kind))
            }
        };
        let mut volume = [0_u128; DIMENSIONS];
        for (at, kind) in self.kinds.iter().enumerate() {
            for (volume, size) in volume.iter_mut().zip(&kind.size) {
                *volume = volume.saturating_add(size.saturating_mul(count_of(at, kind)));
            }
        }
        let lack = |node: usize, d: usize| {
            let lack = self.rooms[node][d] - pod.size[d] + 1;
            (pod.size[d] > 0 && lack <= volume[d]).then_some(lack)
        };
        let among: Vec<usize> = (0..DIMENSIONS)
            .filter(|d| with.iter().any(|node| lack(*node, *d).is_some()))
            .collect();
        let worth = |kind: &Kind| {
            among
                .iter()
                .map(|d| kind.size[*d].saturating_mul(prices[*d]))
                .max()
                .unwrap_or(0)
        };
        let cost = |node: &usize| {
            (0..DIMENSIONS)
                .filter_map(|d| Some(lack(*node, d)?.saturating_mul(prices[d])))
                .min()
                .unwrap_or(u128::MAX)
        };
        let mut costs: Vec<u128> = with.iter().map(cost).collect();
        if pod.apart {
            // Each other pod of this kind blocks one node at the price of the pod; at worst these are the nodes with
            // the highest costs.
            costs.sort_unstable_by(|a, b| b.cmp(a));
            let blocked = usize::try_from(other_pods).unwrap_or(usize::MAX);
            costs
                .iter_mut()
                .take(blocked)
                .for_each(|cost| *cost = worth(pod).min(*cost));
        }
        let most = costs.iter().copied().max().unwrap_or(0);
        let all = costs.into_iter().fold(0, u128::saturating_add);
        let kinds = self.kinds.iter().enumerate();
        let worths =
            kinds.map(|(at, kind)| count_of(at, kind).saturating_mul(worth(kind).min(most)));
        let worths = worths.fold(0, u128::saturating_add);
        worths < all
    }
}

/// The greatest common divisor.
fn common(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common(b, a % b) }
}
