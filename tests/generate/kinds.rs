//! Kinds of workload, and containers beside the main one.

use super::{Common, Item, Maker, Mem, Rng, Rollout, given};

/// What happens when a run is due and the last one has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    Silent,
    Forbid,
    /// With a grace in minutes.
    Replace(Option<u64>),
    Allow(u64),
}

/// Minutes between two runs.
const PERIOD: u64 = 10;

/// The kind of a workload, and what only that has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Service,
    /// A service that scales, from so many to so many pods, perhaps with a target in percent.
    Scaled(u64, u64, Option<u64>),
    Stateful,
    Daemon,
    /// Pods at once, and how many must succeed.
    Job(Option<u64>, Option<u64>),
    /// Pods at once in a run.
    Cron(Option<u64>, Overlap),
}

impl Kind {
    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Kind::Service | Kind::Scaled(..) => "service",
            Kind::Stateful => "stateful",
            Kind::Daemon => "daemon",
            Kind::Job(..) => "job",
            Kind::Cron(..) => "cron",
        }
    }

    pub(crate) fn ends(&self) -> bool {
        matches!(self, Kind::Job(..) | Kind::Cron(..))
    }

    /// Pods at rest, and those among them and beside them that may be on their way out.
    pub(super) fn pods(&self, replicas: u64) -> (u64, u64) {
        match self {
            Kind::Service => (replicas, 2 * replicas),
            Kind::Scaled(_, most, _) => (*most, 2 * most),
            Kind::Stateful => (replicas, replicas),
            Kind::Daemon => (1, 1),
            Kind::Job(pods, _) => (pods.unwrap_or(1), pods.unwrap_or(1)),
            Kind::Cron(pods, Overlap::Allow(runs)) => {
                (pods.unwrap_or(1) * runs, pods.unwrap_or(1) * runs)
            }
            Kind::Cron(pods, Overlap::Replace(grace)) => {
                let runs = 2 + grace.map_or(1, |minutes| minutes.div_ceil(PERIOD));
                (pods.unwrap_or(1), runs * pods.unwrap_or(1))
            }
            Kind::Cron(pods, _) => (pods.unwrap_or(1), pods.unwrap_or(1)),
        }
    }

    pub(super) fn items(&self) -> Vec<Item> {
        let count = |n: &Option<u64>| n.map(|n| n.to_string());
        match self {
            Kind::Service | Kind::Stateful | Kind::Daemon => Vec::new(),
            Kind::Scaled(least, most, None) => vec![Item::line(format!("scale = {least}..{most}"))],
            Kind::Scaled(least, most, Some(cpu)) => {
                let body = vec![
                    Item::line(format!("cpu = {cpu}%")),
                    Item::line(format!("pods = {least}..{most}")),
                ];
                vec![Item::block("scale", body)]
            }
            Kind::Job(pods, completions) => given([
                ("parallelism", count(pods)),
                ("completions", count(completions)),
            ]),
            Kind::Cron(pods, overlap) => {
                let (policy, bound) = match overlap {
                    Overlap::Silent => (None, None),
                    Overlap::Forbid => (Some("forbid".to_owned()), None),
                    Overlap::Replace(_) => (Some("replace".to_owned()), None),
                    Overlap::Allow(runs) => (Some("allow".to_owned()), Some(runs.to_string())),
                };
                let grace = match overlap {
                    Overlap::Replace(Some(minutes)) => Some(format!("{minutes}m")),
                    _ => None,
                };
                let fields = [
                    ("schedule", Some(format!("\"*/{PERIOD} * * * *\""))),
                    ("grace", grace),
                    ("concurrency", policy),
                    ("at-most", bound),
                ];
                given(fields)
                    .into_iter()
                    .chain(given([("parallelism", count(pods))]))
                    .collect()
            }
        }
    }
}

/// A container beside the main one.
#[derive(Debug, Clone)]
pub(crate) struct Extra {
    /// Whether it is a sidecar.
    pub stays: bool,
    pub name: String,
    pub memory: Mem,
    /// Thousandths of a core.
    pub cpu: Option<u64>,
}

impl Extra {
    pub(super) fn item(&self) -> Item {
        let mut body = vec![Item::line(format!(
            "image = \"ghcr.io/acme/{}:2.0\"",
            self.name
        ))];
        body.push(Item::line(format!("memory = {}", self.memory.text)));
        body.extend(self.cpu.map(|cpu| Item::line(format!("cpu = {cpu}m"))));
        Item::block(
            format!(
                "{} {}",
                if self.stays { "sidecar" } else { "init" },
                self.name
            ),
            body,
        )
    }
}

/// Of all sidecars together, and the most of an init container with the sidecars before it.
pub(super) fn beside(extras: &[Extra], of: impl Fn(&Extra) -> u64) -> (u64, u64) {
    let (mut sidecars, mut peak) = (0, 0);
    for extra in extras {
        if extra.stays {
            sidecars += of(extra);
        } else {
            peak = peak.max(sidecars + of(extra));
        }
    }
    (sidecars, peak)
}

impl Maker {
    /// `plain` is how many in a hundred are services that do not scale.
    pub(super) fn kind(&mut self, plain: u64, tier: Option<&Common>) -> Kind {
        if self.rng.chance(plain) {
            return Kind::Service;
        }
        let few = |rng: &mut Rng| rng.chance(50).then(|| rng.range(1, 3));
        match self.rng.range(0, 5) {
            // The replicas of a tier cannot be taken back, and two numbers of pods are one too many. With `recreate`
            // what an autoscaler tells to end is not counted as yet.
            0 | 1
                if tier.is_none_or(|tier| {
                    tier.replicas.is_none() && tier.rollout != Some(Rollout::Recreate)
                }) =>
            {
                let least = self.rng.range(1, 2);
                Kind::Scaled(
                    least,
                    self.rng.range(least, 5),
                    self.rng.chance(40).then(|| self.rng.range(30, 95)),
                )
            }
            0..=2 => Kind::Stateful,
            3 => Kind::Daemon,
            4 => {
                let pods = few(&mut self.rng);
                Kind::Job(
                    pods,
                    self.rng
                        .chance(40)
                        .then(|| pods.unwrap_or(1) + self.rng.range(0, 3)),
                )
            }
            _ => {
                let overlap = match self.rng.range(0, 3) {
                    0 => Overlap::Silent,
                    1 => Overlap::Forbid,
                    2 => Overlap::Replace(self.rng.chance(50).then(|| self.rng.range(1, 40))),
                    _ => Overlap::Allow(self.rng.range(1, 3)),
                };
                Kind::Cron(few(&mut self.rng), overlap)
            }
        }
    }

    /// Containers beside the main one. Where the pods are scaled by their CPU, each of them has some.
    pub(super) fn extras(&mut self, odds: u64, scaled: bool) -> Vec<Extra> {
        let mut extras = Vec::new();
        while extras.len() < 4 && self.rng.chance(odds) {
            let stays = self.rng.chance(50);
            let name = format!(
                "{}-{}",
                self.rng.pick(&["proxy", "log", "wait", "load"]),
                extras.len()
            );
            let memory = if stays {
                self.amount(12, 32)
            } else {
                self.amount(12, 90)
            };
            let cpu = (scaled || self.rng.chance(30)).then(|| self.rng.range(1, 12) * 5);
            extras.push(Extra {
                stays,
                name,
                memory,
                cpu,
            });
        }
        extras
    }
}
