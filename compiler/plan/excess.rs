//! What is over, and by how much: what the search for numbers says of a program that does not fit.

use crate::program::{BudgetId, NodeId};

/// What is over, and by how much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excess {
    /// What has too little room.
    pub(crate) ceiling: Ceiling,
    /// By how many bytes.
    pub(crate) deficit: u64,
}

/// What bounds the memory of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ceiling {
    /// What the scheduler may give on a node.
    Node(NodeId),
    /// What it may give on all nodes together.
    Together,
    /// A named budget.
    Budget(BudgetId),
    /// What limits may come to on a node.
    Limits(NodeId),
}
