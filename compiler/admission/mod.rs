//! What the admission of Kubernetes makes of pods and claims: defaults of the API, LimitRanges, ResourceQuotas, in the
//! order in which the API server asks them. Pure functions over plain data; nothing here reads a text or says a word.
//!
//! The rules are those of Kubernetes 1.36, and each function names the file it was taken from. Amounts are thousandths
//! of a unit, rounded up, as the plugins compare them.

pub(crate) mod limits;
pub(crate) mod quota;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::quantity::{Bytes, Cpu};

/// Thousandths of a byte, of a core, or of a piece.
pub(crate) type Amount = u128;

/// Amounts by the name of the resource.
pub(crate) type Resources = BTreeMap<String, Amount>;

/// When a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Beside the others.
    Main,
    /// It starts before the others and keeps running with them: an init container that is always restarted.
    Sidecar,
    /// Before the others.
    Init,
}

/// A container, as far as admission looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// What the scheduler counts.
    pub requests: Resources,
    /// What the kernel holds it to.
    pub limits: Resources,
}

/// A pod, as far as admission looks at it. Init containers stand in the order in which they start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Pod {
    /// Its containers.
    pub containers: Vec<Container>,
    /// Whether the pod itself, not its Job, has an `activeDeadlineSeconds`.
    pub has_deadline: bool,
    /// `priorityClassName`.
    pub priority_class: Option<String>,
    /// Whether a term of its pod affinities names other namespaces.
    pub crosses_namespaces: bool,
}

impl Container {
    /// What the API server completes before any plugin is asked: a limit is the request where none is given
    /// (`pkg/apis/core/v1/defaults.go`, `SetDefaults_Pod`).
    pub(crate) fn complete(&mut self) {
        for (resource, limit) in &self.limits {
            self.requests.entry(resource.clone()).or_insert(*limit);
        }
    }
}

impl Pod {
    /// What the pod requests: main containers and sidecars together, or an init container with the sidecars before it
    /// where that is more (`component-helpers/resource/helpers.go`, `PodRequests`; LimitRanger has the same sums).
    pub(crate) fn requests(&self) -> Resources {
        self.sum(|container| &container.requests)
    }

    /// The same of limits. A container without one adds nothing.
    pub(crate) fn limits(&self) -> Resources {
        self.sum(|container| &container.limits)
    }

    fn sum(&self, of: impl Fn(&Container) -> &Resources) -> Resources {
        let (mut all, mut sidecars, mut peak) =
            (Resources::new(), Resources::new(), Resources::new());
        for container in &self.containers {
            match container.role {
                Role::Main => add(&mut all, of(container), 1),
                Role::Sidecar => {
                    add(&mut all, of(container), 1);
                    add(&mut sidecars, of(container), 1);
                    most(&mut peak, &sidecars);
                }
                Role::Init => {
                    let mut alone = of(container).clone();
                    add(&mut alone, &sidecars, 1);
                    most(&mut peak, &alone);
                }
            }
        }
        most(&mut all, &peak);
        all
    }

    /// Whether no container asks for CPU or memory (`pkg/apis/core/v1/helper/qos/qos.go`, `ComputePodQOS`).
    pub(crate) fn is_best_effort(&self) -> bool {
        let asks = |list: &Resources| {
            ["cpu", "memory"]
                .iter()
                .any(|name| list.get(*name).is_some_and(|amount| *amount > 0))
        };
        !self
            .containers
            .iter()
            .any(|container| asks(&container.requests) || asks(&container.limits))
    }
}

/// Adds the amounts of another list, each multiplied by `times`.
pub(crate) fn add(to: &mut Resources, more: &Resources, times: u64) {
    for (resource, amount) in more {
        let sum = to.entry(resource.clone()).or_default();
        *sum = sum.saturating_add(amount.saturating_mul(u128::from(times)));
    }
}

fn most(of: &mut Resources, other: &Resources) {
    for (resource, amount) in other {
        let known = of.entry(resource.clone()).or_default();
        *known = (*known).max(*amount);
    }
}

/// A quantity of Kubernetes, in thousandths, rounded up: `500m` is 500, `1.5Gi` is 1.5 * 2^30 * 1000.
pub(crate) fn amount(text: &str) -> Option<Amount> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.len() > 12 {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let below = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let (above, below) = match suffix {
        "" => (1000, below),
        "n" => (1, below.checked_mul(1_000_000)?),
        "u" => (1, below.checked_mul(1000)?),
        "m" => (1, below),
        "k" => (1_000_000, below),
        "M" => (1_000_000_000, below),
        "G" => (1_000_000_000_000, below),
        "T" => (1_000_000_000_000_000, below),
        "P" => (1_000_000_000_000_000_000, below),
        "E" => (1_000_000_000_000_000_000_000, below),
        "Ki" => (1000 << 10, below),
        "Mi" => (1000 << 20, below),
        "Gi" => (1000 << 30, below),
        "Ti" => (1000 << 40, below),
        "Pi" => (1000 << 50, below),
        "Ei" => (1000 << 60, below),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let ten = 10_u128.checked_pow(power.unsigned_abs())?;
            if power < 0 {
                (1000, below.checked_mul(ten)?)
            } else {
                (ten.checked_mul(1000)?, below)
            }
        }
    };
    Some(digits.checked_mul(above)?.div_ceil(below))
}

/// So many pieces.
pub(crate) const fn pieces(n: u64) -> Amount {
    n as u128 * 1000
}

/// Whether a resource is counted in pieces, and not in bytes or cores.
fn is_count(resource: &str) -> bool {
    let bare = resource
        .trim_start_matches("requests.")
        .trim_start_matches("limits.");
    let storage = bare.ends_with("requests.storage") || bare == "storage";
    !(storage
        || matches!(bare, "cpu" | "memory" | "ephemeral-storage")
        || bare.starts_with("hugepages-"))
}

/// An amount as people write it: `250m`, `64Mi`, `3`.
pub(crate) fn shown(resource: &str, amount: Amount) -> String {
    let small = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
    if resource == "cpu" || resource.ends_with(".cpu") {
        return Cpu {
            milli: small(amount),
            written_in_cores: true,
        }
        .to_string();
    }
    match is_count(resource) {
        true if amount.is_multiple_of(1000) => (amount / 1000).to_string(),
        true => format!("{amount}m"),
        false => Bytes::new(small(amount.div_ceil(1000))).to_string(),
    }
}
