//! Random bz programs, the same for the same seed. A program is a structure from which its text is printed, so
//! that properties can change one number or the order of things and print it again.

mod random;
use random::Maker;
pub(crate) use random::{Size, any, cluster, program};
mod kinds;
mod nodes;
mod parts;

use std::collections::{BTreeMap, BTreeSet};

use kinds::beside;
pub(crate) use kinds::{Extra, Kind, Overlap};
pub(crate) use nodes::{Node, Place};
use parts::given;
pub(crate) use parts::{Item, Rng, print};

pub(crate) const MIB: u64 = 1 << 20;

/// An amount of memory and how it is spelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mem {
    pub bytes: u64,
    pub text: String,
}

impl Mem {
    /// Spelled in the plainest way. The bytes must be whole Ki or whole k.
    pub(crate) fn plain(bytes: u64) -> Mem {
        let text = match bytes {
            n if n.is_multiple_of(MIB) => format!("{}Mi", n / MIB),
            n if n.is_multiple_of(1024) => format!("{}Ki", n / 1024),
            n => format!("{}k", n.div_ceil(1000)),
        };
        let bytes = if bytes.is_multiple_of(1024) {
            bytes
        } else {
            bytes.div_ceil(1000) * 1000
        };
        Mem { bytes, text }
    }

    pub(crate) fn more(&self, by: u64) -> Mem {
        // Up to the next whole Mi, so that it can be spelled.
        Mem::plain((self.bytes + by).div_ceil(MIB) * MIB)
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Memory {
    One(Mem),
    /// Two ends, and the name of the constant it is written as.
    Range(Mem, Mem, Option<String>),
    Burst(Mem, Mem),
}

impl Memory {
    /// The low end, or the limit of a burst: what a pod costs at least, roughly.
    fn least(&self) -> u64 {
        match self {
            Memory::One(n) | Memory::Range(n, ..) | Memory::Burst(_, n) => n.bytes,
        }
    }

    pub(crate) fn most(&self) -> u64 {
        match self {
            Memory::One(n) | Memory::Range(_, n, _) | Memory::Burst(_, n) => n.bytes,
        }
    }

    fn item(&self, overriding: bool) -> Item {
        let word = if overriding {
            "override memory"
        } else {
            "memory"
        };
        match self {
            Memory::One(n) => Item::line(format!("{word} = {}", n.text)),
            Memory::Range(_, _, Some(name)) => Item::line(format!("{word} = {name}")),
            Memory::Range(low, high, None) => {
                Item::line(format!("{word} = {}..{}", low.text, high.text))
            }
            Memory::Burst(request, limit) => Item::block(
                word,
                vec![
                    Item::line(format!("request = {}", request.text)),
                    Item::line(format!("limit = {}", limit.text)),
                ],
            ),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollout {
    Replace,
    Recreate,
    Serial,
    Surge(u64),
    Percent(u64),
}

impl Rollout {
    fn text(self) -> String {
        match self {
            Rollout::Replace => "replace".to_owned(),
            Rollout::Recreate => "recreate".to_owned(),
            Rollout::Serial => "serial".to_owned(),
            Rollout::Surge(n) => format!("surge {n}"),
            Rollout::Percent(n) => format!("surge {n}%"),
        }
    }
}

/// CPU as it is written, and the request in thousandths.
#[derive(Debug, Clone)]
pub(crate) struct Cpu {
    item: Item,
    request: u64,
}

/// What tiers and services have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Common {
    pub memory: Option<Memory>,
    pub cpu: Option<Cpu>,
    pub rollout: Option<Rollout>,
    pub replicas: Option<u64>,
    pub weight: Option<u64>,
}

impl Common {
    /// What of it a kind of workload takes.
    fn of_kind(&self, kind: &Kind) -> Common {
        let mut common = self.clone();
        common.replicas = common
            .replicas
            .filter(|_| matches!(kind, Kind::Service | Kind::Stateful));
        common.rollout = common
            .rollout
            .filter(|_| matches!(kind, Kind::Service | Kind::Scaled(..)));
        common
    }

    /// Its fields, with `override` where `below` gives them already.
    fn items(&self, below: Option<&Common>) -> Vec<Item> {
        let none = Common::default();
        let below = below.unwrap_or(&none);
        let word = |given: bool| if given { "override " } else { "" };
        let mut items = Vec::new();
        items.extend(
            self.memory
                .as_ref()
                .map(|memory| memory.item(below.memory.is_some())),
        );
        items.extend(self.cpu.as_ref().map(|cpu| Item {
            head: format!("{}{}", word(below.cpu.is_some()), cpu.item.head),
            body: cpu.item.body.clone(),
        }));
        let rollout = self.rollout.map(Rollout::text);
        let line = |given: bool, key: &str, value: String| {
            Item::line(format!("{}{key} = {value}", word(given)))
        };
        items.extend(rollout.map(|text| line(below.rollout.is_some(), "rollout", text)));
        items.extend(
            self.replicas
                .map(|n| line(below.replicas.is_some(), "replicas", n.to_string())),
        );
        items.extend(
            self.weight
                .map(|n| line(below.weight.is_some(), "weight", n.to_string())),
        );
        items
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Tier {
    pub name: String,
    pub common: Common,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub kind: Kind,
    /// In the order in which they start.
    pub extras: Vec<Extra>,
    pub names: Vec<String>,
    pub tier: Option<usize>,
    pub common: Common,
    /// Workers of a fastapi image; `None` for an image that exists.
    pub workers: Option<Option<u64>>,
    pub place: Place,
    wave: Option<u64>,
    secrets: u64,
    /// Image, ports, volumes, variables: what nothing perturbs.
    rest: Vec<Item>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct K3s {
    pub memory: Option<Mem>,
    pub containerd: Option<Mem>,
    pub shim: Option<Mem>,
    version: Option<&'static str>,
    disable: Vec<&'static str>,
    arguments: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub name: String,
    pub ceiling: Mem,
    /// Tiers and services by name; `None` for all.
    pub over: Option<(Vec<String>, Vec<String>)>,
}

/// What an environment lays over one service.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub service: String,
    pub replicas: Option<u64>,
    pub memory: Option<Mem>,
}

#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// One, but for those of `cluster`.
    pub nodes: Vec<Node>,
    /// Whether it is to go on without any one node.
    pub survive: bool,
    pub k3s: Option<K3s>,
    pub coredns: Option<Memory>,
    pub budgets: Vec<Budget>,
    pub tiers: Vec<Tier>,
    pub services: Vec<Service>,
    lets: Vec<(&'static str, String)>,
    namespace: Option<&'static str>,
    pub changes: Vec<Change>,
    /// Whether it is compiled with `--env prod`.
    pub prod: bool,
}

impl Program {
    /// A field of a service, from the environment, the service itself or its tier.
    fn of<'p, T>(
        &'p self,
        service: &'p Service,
        field: impl Fn(&'p Common) -> Option<T>,
    ) -> Option<T> {
        field(&service.common).or_else(|| field(&self.tiers[service.tier?].common))
    }

    fn change(&self, name: &str) -> Option<&Change> {
        self.changes
            .iter()
            .find(|change| self.prod && change.service == name)
    }

    /// The most memory that a service may have.
    pub(crate) fn most(&self, name: &str) -> Option<u64> {
        let service = self
            .services
            .iter()
            .find(|service| service.names.iter().any(|own| own == name))?;
        let changed = self
            .change(name)
            .and_then(|change| change.memory.as_ref())
            .map(|memory| memory.bytes);
        changed.or(self
            .of(service, |common| common.memory.as_ref())
            .map(Memory::most))
    }

    /// What a service takes beside its main container: all sidecars, and an init container with those before it.
    pub(crate) fn beside(&self, name: &str) -> Option<(u64, u64)> {
        let service = self
            .services
            .iter()
            .find(|service| service.names.iter().any(|own| own == name))?;
        Some(beside(&service.extras, |extra| extra.memory.bytes))
    }

    /// The pods of each cron whose runs may overlap.
    pub(crate) fn bounded(&self) -> Vec<(String, u64)> {
        let bounded = self
            .services
            .iter()
            .filter(|service| matches!(service.kind, Kind::Cron(_, Overlap::Allow(_))));
        bounded
            .flat_map(|s| s.names.iter().map(|name| (name.clone(), s.kind.pods(1).0)))
            .collect()
    }

    /// All names of services.
    pub(crate) fn names(&self) -> Vec<String> {
        self.services
            .iter()
            .flat_map(|service| service.names.clone())
            .collect()
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let mut items = vec![Item::line("edition = 1")];
        items.extend(
            self.namespace
                .map(|name| Item::line(format!("namespace = {name}"))),
        );
        items.extend(self.survive.then(|| Item::line("survive = 1")));
        items.extend(self.nodes.iter().map(Node::item));
        items.extend(self.k3s.as_ref().map(K3s::item));
        items.extend(
            self.coredns
                .as_ref()
                .map(|memory| Item::block("component coredns", vec![memory.item(false)])),
        );
        for budget in &self.budgets {
            let head = format!("budget {} = {}", budget.name, budget.ceiling.text);
            let list = |names: &Vec<String>| {
                (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
            };
            items.push(match &budget.over {
                None => Item::line(head),
                Some((tiers, services)) => Item::block(
                    head,
                    given([("tiers", list(tiers)), ("services", list(services))]),
                ),
            });
        }
        items.extend(
            self.tiers
                .iter()
                .map(|tier| Item::block(format!("tier {}", tier.name), tier.common.items(None))),
        );
        items.extend(
            self.services
                .iter()
                .map(|service| self.service_item(service)),
        );
        if !self.changes.is_empty() {
            items.push(Item::block(
                "env prod",
                self.changes
                    .iter()
                    .map(|change| self.change_item(change))
                    .collect(),
            ));
        }
        let text = print(&items);
        let split = |text: &str| -> BTreeSet<String> {
            text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .map(str::to_owned)
                .collect()
        };
        let mut words = split(&text);
        // A constant may use another.
        let through: Vec<&(&str, String)> = self
            .lets
            .iter()
            .filter(|(name, _)| words.contains(*name))
            .collect();
        through
            .into_iter()
            .for_each(|(_, value)| words.extend(split(value)));
        let used = self.lets.iter().filter(|(name, _)| words.contains(*name));
        items.extend(used.map(|(name, value)| Item::line(format!("let {name} = {value}"))));
        items
    }

    pub(crate) fn text(&self) -> String {
        print(&self.items())
    }

    pub(crate) fn env(&self) -> Option<String> {
        (self.prod && !self.changes.is_empty()).then(|| "prod".to_owned())
    }

    fn service_item(&self, service: &Service) -> Item {
        let below = service.tier.map(|tier| &self.tiers[tier]);
        let mut body: Vec<Item> = below
            .iter()
            .map(|tier| Item::line(format!("tier = {}", tier.name)))
            .collect();
        body.extend(
            service
                .common
                .of_kind(&service.kind)
                .items(below.map(|tier| &tier.common)),
        );
        body.extend(service.kind.items());
        body.extend(
            service
                .wave
                .map(|wave| Item::line(format!("wave = {wave}"))),
        );
        body.extend(service.place.items());
        body.extend(service.rest.iter().cloned());
        body.extend(service.extras.iter().map(Extra::item));
        Item::block(
            format!("{} {}", service.kind.keyword(), service.names.join(", ")),
            body,
        )
    }

    fn change_item(&self, change: &Change) -> Item {
        let service = self
            .services
            .iter()
            .find(|service| service.names.contains(&change.service));
        let is_given = |field: &dyn Fn(&Common) -> bool| {
            service.is_some_and(|service| {
                field(&service.common)
                    || service
                        .tier
                        .is_some_and(|tier| field(&self.tiers[tier].common))
            })
        };
        let key = |key: &str, given: bool| {
            if given {
                format!("override {key}")
            } else {
                key.to_owned()
            }
        };
        let keyword = service.map_or("service", |service| service.kind.keyword());
        let replicas = key("replicas", is_given(&|common| common.replicas.is_some()));
        let memory = key("memory", is_given(&|common| common.memory.is_some()));
        let body = given([
            (&replicas, change.replicas.map(|n| n.to_string())),
            (
                &memory,
                change.memory.as_ref().map(|memory| memory.text.clone()),
            ),
        ]);
        Item::block(format!("{keyword} {}", change.service), body)
    }

    /// Roughly what each service takes at its peak, by name: for choosing sizes that just fit or just do not.
    fn needs(&self) -> BTreeMap<String, Need> {
        let mut needs = BTreeMap::new();
        for service in &self.services {
            for name in &service.names {
                let change = self.change(name);
                let own = self.of(service, |common| common.memory.as_ref());
                let each = change
                    .and_then(|c| c.memory.as_ref().map(|m| m.bytes))
                    .or(own.map(Memory::least))
                    .unwrap_or(0);
                let floor = service
                    .workers
                    .map_or(0, |workers| floor(workers.unwrap_or(1)));
                let replicas = change
                    .and_then(|c| c.replicas)
                    .or(self.of(service, |common| common.replicas))
                    .unwrap_or(1);
                let (replicas, ending) = service.kind.pods(replicas);
                let surge = match self.of(service, |common| common.rollout) {
                    _ if !matches!(service.kind, Kind::Service | Kind::Scaled(..)) => 0,
                    None | Some(Rollout::Replace | Rollout::Recreate) => 0,
                    Some(Rollout::Serial) => replicas.min(1),
                    Some(Rollout::Surge(n)) => n.min(replicas),
                    Some(Rollout::Percent(p)) => (p * replicas).div_ceil(100).min(replicas),
                };
                let peak = replicas + surge;
                let main = self
                    .of(service, |common| common.cpu.as_ref())
                    .map_or(0, |cpu| cpu.request);
                let (cpu, init_cpu) = beside(&service.extras, |extra| extra.cpu.unwrap_or(0));
                let cpu = (main + cpu).max(init_cpu) * peak;
                let (sidecars, init) = beside(&service.extras, |extra| extra.memory.bytes);
                let each = (each.max(floor) + sidecars).max(init);
                let (shims, secrets) = (ending * 7 * MIB, service.secrets * ending * MIB);
                needs.insert(name.clone(), Need(each * peak, shims + secrets, peak, cpu));
            }
        }
        needs
    }

    fn members(&self, over: &Option<(Vec<String>, Vec<String>)>) -> BTreeSet<String> {
        let Some((tiers, services)) = over else {
            return self.names().into_iter().collect();
        };
        let of_tier = self.services.iter().filter(|service| {
            service
                .tier
                .is_some_and(|tier| tiers.contains(&self.tiers[tier].name))
        });
        of_tier
            .flat_map(|service| service.names.clone())
            .chain(services.iter().cloned())
            .collect()
    }
}

/// Memory, what shims and Secrets take beside it, pods, CPU.
struct Need(u64, u64, u64, u64);

/// What a fastapi image needs to answer, by `std/runtimes/fastapi.bz`.
fn floor(workers: u64) -> u64 {
    (33 + 52 * (workers - 1)) * MIB
}

impl K3s {
    fn item(&self) -> Item {
        let text = |given: &Option<Mem>| given.as_ref().map(|given| given.text.clone());
        let mut body = given([
            ("memory", text(&self.memory)),
            ("containerd", text(&self.containerd)),
            ("shim", text(&self.shim)),
            ("version", self.version.map(|text| format!("\"{text}\""))),
            (
                "disable",
                (!self.disable.is_empty()).then(|| format!("[{}]", self.disable.join(", "))),
            ),
            (
                "flannel-backend",
                self.arguments.then(|| "host-gw".to_owned()),
            ),
        ]);
        if self.arguments {
            let lines = [
                "housekeeping-interval = 30s",
                "image-gc-high-threshold = 50",
                "image-gc-low-threshold = 40",
            ];
            body.push(Item::block("kubelet-arg", lines.map(Item::line).into()));
        }
        Item::block("k3s", body)
    }
}
