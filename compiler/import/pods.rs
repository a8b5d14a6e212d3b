//! The pods of a workload that nobody adopts, as `others` counts them.

use super::tree::{Block, Name, Value};
use crate::base::quantity::MIB;
use crate::manifest::workload::{Container, Role, Surge, Workload, WorkloadKind};

/// What is put in for a container without a limit.
const UNLIMITED: u64 = 128 * MIB;

/// The pods of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pods {
    pub(super) name: String,
    namespace: Option<String>,
    /// How many there are, or how many on every node.
    count: u64,
    every_node: bool,
    /// What one requests and may take, in bytes.
    request: u64,
    limit: u64,
    /// What one requests of CPU, in thousandths.
    cpu: u64,
    /// Whether something limits all of its containers.
    is_limited: bool,
}

impl Pods {
    /// The pods of a workload, if it has any.
    pub(super) fn of(workload: &Workload) -> Option<Pods> {
        let every_node = workload.kind == WorkloadKind::DaemonSet;
        let surge = match workload.surge {
            Surge::Recreate => 0,
            Surge::Pods(n) => n,
            Surge::Percent(n) => (workload.replicas.saturating_mul(n)).div_ceil(100),
        };
        let surge = if workload.kind == WorkloadKind::Deployment {
            surge
        } else {
            0
        };
        let count = if every_node {
            1
        } else {
            workload.replicas.saturating_add(surge)
        };
        if workload.owner.is_some() || workload.idle.is_some() || count == 0 {
            return None;
        }
        let limit = |one: &Container| one.memory.limit.as_ref().map(|amount| amount.n);
        let request = |one: &Container| {
            let given = one.memory.request.as_ref().map(|amount| amount.n);
            given.or(limit(one)).unwrap_or_default()
        };
        let cpu = |one: &Container| {
            let given = one.cpu.request.as_ref().or(one.cpu.limit.as_ref());
            given.map_or(0, |amount| amount.n)
        };
        let most = |one: &Container| limit(one).unwrap_or_else(|| request(one).max(UNLIMITED));
        let sum = |of: &dyn Fn(&Container) -> u64| {
            let (first, others): (Vec<_>, Vec<_>) = workload
                .containers
                .iter()
                .partition(|one| one.role == Role::Init);
            let others = others.into_iter().map(of).fold(0, u64::saturating_add);
            first.into_iter().map(of).fold(others, u64::max)
        };
        Some(Pods {
            name: workload.name.clone(),
            namespace: workload.namespace.clone(),
            count,
            every_node,
            request: sum(&request),
            limit: sum(&most),
            cpu: sum(&cpu),
            is_limited: workload.containers.iter().all(|one| limit(one).is_some()),
        })
    }

    /// `others` for them.
    pub(super) fn block(&self, name: &Name, file: &str) -> Block {
        let mut block = Block::named("others", name, "");
        block.note(format!(
            "the pods of {file}, which is left out: counted, and given to nobody"
        ));
        let namespace = Name::of(self.namespace.as_deref().unwrap_or("default"));
        if let Some(namespace) = namespace {
            block.put("namespace", Value::name(&namespace));
        }
        if self.every_node {
            block.put("every-node", Value::fixed("true"));
        } else {
            block.put("pods", Value::count(self.count));
        }
        let (request, limit) = (Value::memory(self.request), Value::memory(self.limit));
        if self.request == self.limit {
            block.put("memory", limit);
        } else {
            let mut memory = Block::plain("memory");
            memory.put(
                "request",
                if self.request == 0 {
                    Value::memory(MIB)
                } else {
                    request
                },
            );
            match self.is_limited {
                true => memory.put("limit", limit),
                false => memory.put_noted("limit", limit, "not all of it is limited: put it in"),
            }
            block.put_block(memory);
        }
        if self.cpu > 0 {
            let mut cpu = Block::plain("cpu");
            cpu.put("request", Value::cpu(self.cpu));
            block.put_block(cpu);
        }
        block
    }
}
