//! The quota that bzc writes for the namespace of the program, against what was counted.

use super::components::{Component, challenges};
use super::quantity::{bytes, scalar};
use super::{Demand, Faults, Files, is_kind, objects};

/// The quota lets the peak in, with the pods that cert-manager makes for the Ingresses of the namespace, and nothing beyond
/// what the node has. Of the other pods that bzc does not manage no file says whether they are in the namespace.
pub(super) fn check_quota(
    files: &Files,
    demand: &Demand,
    (room, others): (u128, &[Component]),
    faults: &mut Faults,
) -> Option<()> {
    let objects = objects(files, "manifests/")?;
    let Some(quota) = objects
        .iter()
        .find(|object| is_kind(object, "ResourceQuota"))
    else {
        faults.holds(demand.workloads.is_empty(), || {
            "no ResourceQuota".to_owned()
        });
        return Some(());
    };
    let most =
        |of: &dyn Fn(&Component) -> u128| others.iter().map(|c| of(c) * c.replicas).sum::<u128>();
    let (room, count) = (room + most(&|c| c.request), most(&|_| 1));
    let inside = challenges(files)?;
    let of_inside =
        |of: &dyn Fn(&Component) -> u128| inside.iter().map(|c| of(c) * c.replicas).sum::<u128>();
    let hard = &quota["spec"]["hard"];
    let requests = bytes(&scalar(&hard["requests.memory"])?)?;
    faults.holds(
        requests >= demand.worst(|w, pods| w.pod.request * pods) + of_inside(&|c| c.request),
        || format!("quota of requests {requests}"),
    );
    faults.holds(requests <= room, || {
        format!("quota of requests {requests}, there are {room}")
    });
    if let Some(limits) = scalar(&hard["limits.memory"]) {
        let limits = bytes(&limits)?;
        faults.holds(limits >= demand.worst(|w, pods| w.pod.limit * pods), || {
            format!("quota of limits {limits}")
        });
    }
    let pods: u128 = scalar(&hard["pods"])?.parse().ok()?;
    faults.holds(
        pods >= demand.worst(|_, pods| pods) + of_inside(&|_| 1),
        || format!("quota of {pods} pods"),
    );
    // The shims are counted for so many and no more.
    faults.holds(pods <= demand.sum(|w| w.ending) + count, || {
        format!("quota of {pods} pods, shims for fewer")
    });
    Some(())
}
