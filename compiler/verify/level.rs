//! Re-checks the common level: it is the lowest among the services that stopped below their upper ends, and each of
//! them stopped because there was no room.

use super::nodes::all_limits;
use super::promises::allowed;
use super::{Check, Facts, times};
use crate::base::quantity::MIB;
use crate::report::{Choice, Fill, Service};

impl Check {
    /// The level is the lowest among the services that stopped, and each of them stopped because there was no room.
    pub(super) fn level(&mut self, facts: &Facts<'_>) {
        let report = facts.report;
        let stopped = || {
            report
                .services
                .iter()
                .filter(|service| service.choice == Choice::Level)
        };
        let share = |service: &Service<'_>| match report.fill {
            Fill::Equal => u128::from(service.weight),
            Fill::Proportional => {
                let measured = service.evidence.as_ref().and_then(|known| known.peak_bytes);
                times(measured.unwrap_or(service.least_bytes), service.weight)
            }
        };
        let levels =
            stopped().map(|service| (u128::from(service.limit_bytes), share(service).max(1)));
        let lowest = levels.reduce(|least, other| {
            // Both products are of a 64-bit and a 128-bit number.
            let (here, there) = (
                other.0.saturating_mul(least.1),
                least.0.saturating_mul(other.1),
            );
            if here < there { other } else { least }
        });
        let lowest = lowest.map(|(limit, share)| {
            let unit = common(limit, share).max(1);
            [limit / unit, share / unit]
        });
        let stated = report.level.map(|level| level.map(u128::from));
        if stated == lowest {
            self.sums += 1;
        } else {
            self.fault(
                "level",
                &format!("it is {stated:?}, the services' is {lowest:?}"),
            );
        }
        self.stopped(facts);
    }

    /// No service that stopped could have grown by another step. With several nodes, more than one sum can stop them.
    fn stopped(&mut self, facts: &Facts<'_>) {
        let report = facts.report;
        let [node] = report.nodes.as_slice() else {
            return;
        };
        let over_all = report
            .budgets
            .iter()
            .filter(|budget| budget.services.is_none());
        let mut free = over_all
            .map(|budget| budget.free_bytes)
            .min()
            .unwrap_or(u64::MAX)
            .min(node.free_bytes);
        // If a pod may take more than it requests, the limits of all pods are a bound too.
        let gaps = report
            .services
            .iter()
            .any(|service| service.limit_bytes > service.request_bytes)
            || node
                .components
                .iter()
                .any(|component| component.limit_bytes > component.request_bytes);
        if gaps {
            let limits = all_limits(facts, 0);
            let allowed = allowed(node);
            free = free.min(u64::try_from(allowed.saturating_sub(limits)).unwrap_or(u64::MAX));
        }
        for service in report
            .services
            .iter()
            .filter(|service| service.choice == Choice::Level)
        {
            let mut free = free;
            for budget in &report.budgets {
                let members = budget.services.iter().flatten();
                if members.into_iter().any(|name| *name == service.name) {
                    free = free.min(budget.free_bytes);
                }
            }
            let pods = if gaps {
                service.pods_with_ending
            } else {
                service.pods_at_peak
            };
            let step = times(
                (service.most_bytes - service.limit_bytes.min(service.most_bytes)).min(MIB),
                pods,
            );
            if step <= free.into() {
                let why =
                    format!("it is below mostBytes, and {free} bytes are left that it could have");
                self.fault(&format!("service {}", service.name), &why);
            }
        }
    }
}

/// The greatest common divisor.
fn common(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { common(b, a % b) }
}
