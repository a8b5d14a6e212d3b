//! What pods ask for and nodes have, in every dimension that the scheduler adds up. A new dimension is a variant of
//! [`Dimension`]; its words and what nodes have of it are here, and rustc names the places that say what pods ask for.

use std::array;
use std::ops::{Index, IndexMut};

use crate::base::quantity::{Cpu, in_mib};
use crate::program::Node;

/// What the scheduler adds up of the pods on a node (Kubernetes, noderesources/fit.go).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dimension {
    /// Requests of memory, in bytes.
    Memory,
    /// Requests of CPU, in thousandths of a core.
    Cpu,
    /// The pods themselves.
    Pods,
}

/// How many dimensions there are.
pub(crate) const COUNT: usize = 3;

impl Dimension {
    /// All of them.
    pub(crate) const ALL: [Dimension; COUNT] = [Dimension::Memory, Dimension::Cpu, Dimension::Pods];

    /// An amount as messages have it.
    pub(crate) fn show(self, amount: u64) -> String {
        match self {
            Dimension::Memory => in_mib(amount),
            Dimension::Cpu => Cpu::milli(amount).to_string(),
            Dimension::Pods => amount.to_string(),
        }
    }

    /// The id of its inequality in report.json.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Dimension::Memory => "bytes",
            Dimension::Cpu => "cpuMilli",
            Dimension::Pods => "pods",
        }
    }

    /// What a node has of it in report.json: the id of the addend, what it is, and the key of the node.
    pub(crate) const fn of_node(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Dimension::Memory => (
                "allocatable",
                "what the scheduler may give to pods",
                "allocatableBytes",
            ),
            Dimension::Cpu => ("cpu", "what the node has to compute with", "cpuMilli"),
            Dimension::Pods => ("max-pods", "pods the kubelet takes", "maxPods"),
        }
    }

    /// How report.json adds up what services ask for, over the keys of a service.
    pub(crate) const fn of_services(self) -> &'static str {
        match self {
            Dimension::Memory => "sum of requestBytes * podsAtPeak, of each wave alone",
            Dimension::Cpu => "sum of cpuMilli * podsAtPeak, of each wave alone",
            Dimension::Pods => "sum of podsAtPeak, of each wave alone",
        }
    }

    /// What it is called in a sentence.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Dimension::Memory => "memory",
            Dimension::Cpu => "CPU",
            Dimension::Pods => "pods",
        }
    }

    /// The error that says a node has too little of it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Dimension::Memory => "BZ4001",
            Dimension::Cpu => "BZ4004",
            Dimension::Pods => "BZ4003",
        }
    }
}

/// A value for every dimension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Each<T>([T; COUNT]);

/// What pods ask for.
pub(crate) type Resources = Each<u64>;

/// What a node has. `None` is not known, which is not nothing: it is never short, and nothing is proved of it.
pub(crate) type Capacity = Each<Option<u64>>;

impl<T> Each<T> {
    /// A value made for each dimension.
    pub(crate) fn of(make: impl FnMut(Dimension) -> T) -> Each<T> {
        Each(Dimension::ALL.map(make))
    }
}

impl<T> Index<Dimension> for Each<T> {
    type Output = T;

    fn index(&self, dimension: Dimension) -> &T {
        &self.0[dimension as usize]
    }
}

impl<T> IndexMut<Dimension> for Each<T> {
    fn index_mut(&mut self, dimension: Dimension) -> &mut T {
        &mut self.0[dimension as usize]
    }
}

impl Resources {
    /// So many bytes of memory, and nothing else.
    pub(crate) fn memory(bytes: u64) -> Resources {
        let mut all = Resources::default();
        all[Dimension::Memory] = bytes;
        all
    }

    /// The sum. A sum that saturates is more than any node has.
    pub(crate) fn plus(self, other: Resources) -> Resources {
        Each(array::from_fn(|at| self.0[at].saturating_add(other.0[at])))
    }

    /// So many times as much.
    pub(crate) fn times(self, count: u64) -> Resources {
        Each(self.0.map(|amount| amount.saturating_mul(count)))
    }

    /// The sum of many.
    pub(crate) fn sum(all: impl Iterator<Item = Resources>) -> Resources {
        all.fold(Resources::default(), Resources::plus)
    }
}

impl Capacity {
    /// What a node has. `allocatable` is its memory for pods, in bytes.
    pub(crate) fn of_node(declared: &Node<'_>, allocatable: u64) -> Capacity {
        Capacity::of(|dimension| match dimension {
            Dimension::Memory => Some(allocatable),
            Dimension::Cpu => declared.cpu.map(|cpu| cpu.value.milli),
            Dimension::Pods => Some(declared.max_pods.value),
        })
    }

    /// What is left when `taken` is gone, or the first dimension that has too little. What nobody asks for is not
    /// missed, and what is not known is not short.
    pub(crate) fn less(self, taken: Resources) -> Result<Capacity, Dimension> {
        let mut left = self;
        for dimension in Dimension::ALL {
            if let (Some(has), 1..) = (self[dimension], taken[dimension]) {
                left[dimension] = Some(has.checked_sub(taken[dimension]).ok_or(dimension)?);
            }
        }
        Ok(left)
    }
}
