//! Nodes and pods as the cases of the tests name them, dimension by dimension.

use super::{Capacity, Packing, Resources, Spread};
use crate::base::id::Id;
use crate::plan::resources::Dimension;
use crate::program::NodeId;

/// What a node has for pods.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Bytes.
    pub(super) memory: u64,
    /// Thousandths of a CPU; none if unknown.
    pub(super) cpu: Option<u64>,
    /// Number of pods.
    pub(super) pods: u64,
}

/// Pods that are alike.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// Bytes of one.
    pub(super) memory: u64,
    /// Thousandths of a CPU of one.
    pub(super) cpu: u64,
    /// Pods that go together.
    pub(super) pods: u64,
    /// How many.
    pub(super) count: u64,
    /// The only nodes that may take them.
    pub(super) nodes: Option<Vec<u16>>,
    /// Whether they may share a node.
    pub(super) spread: Spread,
}

fn capacities(nodes: &[Node]) -> Vec<Capacity> {
    let capacity = |node: &Node| {
        Capacity::of(|dimension| match dimension {
            Dimension::Memory => Some(node.memory),
            Dimension::Cpu => node.cpu,
            Dimension::Pods => Some(node.pods),
        })
    };
    nodes.iter().map(capacity).collect()
}

pub(super) fn classes(classes: &[Class]) -> Vec<super::Class> {
    let class = |class: &Class| super::Class {
        each: Resources::of(|dimension| match dimension {
            Dimension::Memory => class.memory,
            Dimension::Cpu => class.cpu,
            Dimension::Pods => class.pods,
        }),
        count: class.count,
        nodes: class.nodes.as_ref().map(|nodes| {
            nodes
                .iter()
                .map(|node| NodeId::new((*node).into()))
                .collect()
        }),
        spread: class.spread,
    };
    classes.iter().map(class).collect()
}

pub(super) fn place(nodes: &[Node], pods: &[Class]) -> Packing {
    super::place(&capacities(nodes), &classes(pods))
}

pub(super) fn decide(nodes: &[Node], pods: &[Class], lost: Option<usize>, budget: u64) -> Packing {
    super::decide(&capacities(nodes), &classes(pods), lost, budget)
}

pub(super) fn survives_one(nodes: &[Node], pods: &[Class]) -> Vec<Packing> {
    let (capacities, classes) = (capacities(nodes), classes(pods));
    let lost = (0..nodes.len()).map(NodeId::new);
    lost.map(|lost| super::without(&capacities, &classes, lost))
        .collect()
}

pub(super) fn cluster(nodes: &[Node], pods: &[Class]) -> super::Cluster {
    super::Cluster::new(&capacities(nodes), &classes(pods), None)
}
