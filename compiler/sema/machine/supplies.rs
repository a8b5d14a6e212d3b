//! `disk` and `devices` of a node: what it has of resources that are counted by their names.

use super::errors;
use crate::base::quantity::Bytes;
use crate::program::{EPHEMERAL, Given, Supply};
use crate::sema::layers::Fields;
use crate::sema::names::is_name;

/// What the kubelet keeps of a disk from pods: `nodefs.available<5%`, which bzc writes as K3s does. The percentage is a
/// float of 32 bits (`pkg/kubelet/eviction/api/types.go`, `GetThresholdQuantity`), and the nearest of these to 0.05 is
/// 13421773 / 2^28. In bytes, rounded up.
fn kept_of_disk(bytes: u64) -> u64 {
    let kept = (u128::from(bytes) * 13_421_773).div_ceil(1 << 28);
    u64::try_from(kept).unwrap_or(u64::MAX)
}

/// The domains whose resources Kubernetes names itself: no device plugin may offer one of them
/// (`pkg/apis/core/v1/helper/helpers.go`, `IsExtendedResourceName`).
fn is_native(resource: &str) -> bool {
    resource
        .split_once('/')
        .is_none_or(|(domain, _)| domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"))
        || resource.starts_with("requests.")
}

/// What a node says it has, of whose disk so much is reserved.
pub(super) fn supplies<'a>(fields: &Fields<'_, 'a>, reserved: Option<Bytes>) -> Vec<Supply<'a>> {
    let cx = fields.cx;
    let mut supplies = Vec::new();
    if let Some(disk) = fields.memory("disk") {
        let reserved = reserved.map_or(0, |bytes| bytes.n);
        supplies.push(Supply {
            resource: EPHEMERAL,
            has: Given {
                value: disk.value.n,
                origin: disk.origin,
            },
            kept: kept_of_disk(disk.value.n).saturating_add(reserved),
            reserved,
        });
    }
    if fields.get("devices").is_none() {
        return supplies;
    }
    for entry in fields.entries("devices") {
        let resource = cx.key(entry.item);
        let name = resource.rsplit('/').next().unwrap_or(resource);
        if is_native(resource) || !is_name(name) {
            cx.report(errors::not_a_device(resource, entry.item.key.span));
            continue;
        }
        if let Some(count) = entry.value(cx).and_then(|value| cx.count(value)) {
            supplies.push(Supply {
                resource,
                has: entry.given(count),
                kept: 0,
                reserved: 0,
            });
        }
    }
    supplies.sort_by_key(|supply| supply.resource);
    supplies
}
