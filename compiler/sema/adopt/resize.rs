//! What a VerticalPodAutoscaler may make of a container: its request comes to `maxAllowed` at the most, and its limit
//! follows in proportion (kubernetes/autoscaler vertical-pod-autoscaler/pkg/utils/vpa). A pod that starts while the
//! autoscaler is away has the amounts of its manifest.

use super::origin::origin;
use crate::base::quantity::{Bytes, Cpu};
use crate::manifest::Manifest;
use crate::manifest::workload::Amount;
use crate::manifest::workload::vertical::Policy;
use crate::program::Given;

/// Request and limit of CPU.
pub(super) type CpuPair<'a> = (Given<'a, Cpu>, Option<Given<'a, Cpu>>);

/// What one VerticalPodAutoscaler may make of one container.
pub(super) struct Resize<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) policy: &'a Policy,
}

impl<'a> Resize<'a> {
    /// Request and limit of memory at the most. `unbounded` says that there is no limit: then it gives none.
    pub(super) fn memory(
        &self,
        (request, limit): (Given<'a, Bytes>, Given<'a, Bytes>),
        unbounded: bool,
    ) -> (Given<'a, Bytes>, Given<'a, Bytes>) {
        let Some(most) = self.policy.memory.most() else {
            return (request, limit);
        };
        let follows = self.policy.with_limits && !unbounded;
        let bound = (!unbounded).then_some(limit.value.n);
        let (asked, allowed) = self.ends((request.value.n, bound), most);
        let of = |n: u64, known: Given<'a, Bytes>| match n > known.value.n {
            true => Given {
                value: Bytes::new(n),
                origin: origin(self.manifest, &most.at),
            },
            false => known,
        };
        let request = of(asked, request);
        let least = if follows {
            allowed.unwrap_or(0)
        } else {
            request.value.n
        };
        (request, of(least, limit))
    }

    /// The same of CPU.
    pub(super) fn cpu(&self, pair: Option<CpuPair<'a>>) -> Option<CpuPair<'a>> {
        let Some(most) = self.policy.cpu.most() else {
            return pair;
        };
        let of = |milli: u64, known: Option<Given<'a, Cpu>>| match known {
            Some(known) if known.value.milli >= milli => known,
            Some(_) | None => Given {
                value: Cpu::milli(milli),
                origin: origin(self.manifest, &most.at),
            },
        };
        let (request, limit) = pair.map_or((None, None), |(request, limit)| (Some(request), limit));
        let bound = limit.map(|limit| limit.value.milli);
        let known = request.map_or(0, |request| request.value.milli);
        let (asked, allowed) = self.ends((known, bound), most);
        let limit = limit.map(|limit| of(allowed.unwrap_or(limit.value.milli), Some(limit)));
        Some((of(asked, request), limit))
    }

    /// Request and limit, where the request comes to `most`.
    fn ends(&self, (request, limit): (u64, Option<u64>), most: &Amount) -> (u64, Option<u64>) {
        match (limit, self.policy.with_limits) {
            (None, _) => (most.n, None),
            // A request never comes above a limit that stays.
            (Some(limit), false) => (most.n.min(limit), Some(limit)),
            (Some(_), true) if request == 0 => (most.n, Some(most.n)),
            (Some(limit), true) => {
                let scaled = u128::from(limit) * u128::from(most.n);
                let scaled = scaled.div_ceil(u128::from(request));
                (most.n, Some(u64::try_from(scaled).unwrap_or(u64::MAX)))
            }
        }
    }
}
