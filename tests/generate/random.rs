//! Random programs of a size, whose needs are known.

use super::*;

/// What is chosen while a program is made.
pub(super) struct Maker {
    pub(super) rng: Rng,
    pub(super) lets: Vec<(&'static str, u64)>,
    pub(super) ranges: Vec<(&'static str, String)>,
}

pub(super) const WORDS: [&str; 12] = [
    "api", "auth", "web", "worker", "mail", "cache", "search", "billing", "agent", "feed", "graph",
    "zone",
];

pub(super) const RANGE_NAMES: [&str; 3] = ["narrow", "usual", "wide"];

impl Maker {
    /// An amount in one of its spellings.
    pub(super) fn spelled(&mut self, bytes: u64) -> Mem {
        let plain = |bytes: u64| Mem::plain(bytes).bytes == bytes;
        if self.rng.chance(15) {
            let (name, value) = *self.rng.pick(&self.lets);
            let text = match bytes {
                n if n == value => name.to_owned(),
                n if n.is_multiple_of(value) => format!("{name} * {}", n / value),
                n if (n * 100).is_multiple_of(value) && self.rng.chance(50) => {
                    format!("{name} * {}%", n * 100 / value)
                }
                n if n > value && plain(n - value) => {
                    format!("{name} + {}", Mem::plain(n - value).text)
                }
                n if n < value && plain(value - n) && self.rng.chance(50) => {
                    format!("({name} - {})", Mem::plain(value - n).text)
                }
                n if n > value => format!("max({name}, {})", Mem::plain(n).text),
                n => format!("min({name}, {})", Mem::plain(n).text),
            };
            return Mem { bytes, text };
        }
        let quarter = 256 * MIB;
        let mut spellings = vec![Mem::plain(bytes).text];
        let units = [(1024, "Ki"), (1000, "k"), (1_000_000, "M")];
        let whole = units.iter().filter(|(size, _)| bytes.is_multiple_of(*size));
        spellings.extend(whole.map(|(size, unit)| format!("{}{unit}", bytes / size)));
        if bytes.is_multiple_of(quarter) && bytes > 0 {
            let (whole, rest) = (bytes >> 30, bytes % (1 << 30) / quarter * 25);
            spellings.push(if rest == 0 {
                format!("{whole}Gi")
            } else {
                format!("{whole}.{rest:02}Gi")
            });
        }
        let text = self.rng.pick(&spellings).clone();
        Mem { bytes, text }
    }

    /// Around `low` to `high` Mi, mostly whole Mi, sometimes in thousands or in Ki.
    pub(super) fn amount(&mut self, low: u64, high: u64) -> Mem {
        let mib = self.rng.range(low, high);
        let bytes = match self.rng.range(0, 9) {
            0 => mib * 1_048_000 / 1_000_000 * 1_000_000,
            1 => (mib * 1024 + self.rng.range(0, 1023)) * 1024,
            2 => mib.div_ceil(8) * 8 * MIB,
            _ => mib * MIB,
        };
        self.spelled(bytes.max(low * MIB))
    }

    pub(super) fn burst(&mut self, request: Mem, low: u64, high: u64) -> Memory {
        let limit = request.more(self.rng.range(low, high) * MIB);
        Memory::Burst(request, self.spelled(limit.bytes))
    }

    pub(super) fn memory(&mut self, low: u64, high: u64) -> Memory {
        let first = self.amount(low, high);
        match self.rng.range(0, 9) {
            0..=2 => Memory::One(first),
            3 => self.burst(first, 1, 64),
            4 => {
                // One of few ranges, under a name, so that several places share it.
                let at = self.rng.index(3);
                let (low, high) = [(24, 40), (32, 48), (48, 128)][at];
                let (low, high) = (Mem::plain(low * MIB), Mem::plain(high * MIB));
                let name = RANGE_NAMES[at];
                if self.ranges.iter().all(|(known, _)| *known != name) {
                    self.ranges
                        .push((name, format!("{}..{}", low.text, high.text)));
                }
                Memory::Range(low, high, Some(name.to_owned()))
            }
            _ => {
                let by = self.rng.range(0, 96);
                let high = match self.rng.chance(20) {
                    true => self.amount(
                        first.bytes.div_ceil(MIB) + by,
                        first.bytes.div_ceil(MIB) + by,
                    ),
                    false => self.spelled(first.more(by * MIB).bytes),
                };
                Memory::Range(first, high, None)
            }
        }
    }

    pub(super) fn cpu(&mut self) -> Cpu {
        let low = self.rng.range(1, 10) * 5;
        let high = low + self.rng.range(1, 20) * 25;
        let (request, limit) = (format!("request = {low}m"), format!("limit = {high}m"));
        let item = match self.rng.range(0, 3) {
            0 => Item::line(format!("cpu = {low}m")),
            1 => Item::block("cpu", vec![Item::line(request)]),
            2 => Item::block("cpu", vec![Item::line(limit), Item::line(request)]),
            _ => Item::line(format!("cpu = {low}m..{high}m")),
        };
        Cpu { item, request: low }
    }

    pub(super) fn rollout(&mut self) -> Rollout {
        match self.rng.range(0, 6) {
            0 | 1 => Rollout::Replace,
            2 => Rollout::Recreate,
            3 => Rollout::Serial,
            4 | 5 => Rollout::Surge(self.rng.range(1, 2)),
            _ => Rollout::Percent(*self.rng.pick(&[1, 25, 34, 50, 100, 150])),
        }
    }

    pub(super) fn common(&mut self, tier: bool, memory: Option<Memory>) -> Common {
        let odds = if tier { 35 } else { 20 };
        let few = if self.rng.chance(85) { 3 } else { 6 };
        Common {
            memory,
            cpu: self
                .rng
                .chance(if tier { 60 } else { 15 })
                .then(|| self.cpu()),
            rollout: self.rng.chance(odds).then(|| self.rollout()),
            replicas: self.rng.chance(odds).then(|| self.rng.range(0, few)),
            weight: self.rng.chance(12).then(|| self.rng.range(1, 5)),
        }
    }

    /// Ports, volumes and variables.
    pub(super) fn rest(&mut self, index: u64, single: bool, kind: &Kind) -> (Vec<Item>, u64) {
        let mut items = Vec::new();
        match self.rng.range(0, 5) {
            _ if kind.ends() => {}
            0..=2 => {
                items.push(Item::line(format!("port = {}", 8000 + index)));
                let node_port = single && self.rng.chance(15);
                items.extend(
                    node_port.then(|| Item::line(format!("node-port = {}", 30000 + index))),
                );
                items.extend(
                    self.rng
                        .chance(20)
                        .then(|| Item::line("readiness = \"/healthz\"")),
                );
            }
            3 => {
                let more = Item::block("metrics", vec![Item::line("port = 9000")]);
                items.push(Item::block("ports", vec![Item::line("http = 80"), more]));
            }
            _ => {}
        }
        if self.rng.chance(25) {
            let body = ["LOG_LEVEL = \"info\"", "TOKEN = secret keys/token"];
            items.push(Item::block("env", body.map(Item::line).into()));
        }
        if *kind == Kind::Stateful && self.rng.chance(60) {
            let body = ["path = \"/var/data\"", "storage = 1Gi", "class = fast"];
            items.push(Item::block("volume data", body.map(Item::line).into()));
        }
        let mut secrets = 0;
        for volume in ["certs", "keys", "scratch", "tmp"] {
            if !self.rng.chance(8) {
                continue;
            }
            let (secret, source) = match volume {
                "certs" => (1, "secret = certs"),
                "keys" => (1, "secret = keys"),
                "scratch" => (0, "memory = 4Mi"),
                _ => (0, "disk = 100Mi"),
            };
            secrets += secret;
            let body = vec![
                Item::line(format!("path = \"/var/{volume}\"")),
                Item::line(source),
            ];
            items.push(Item::block(format!("volume {volume}"), body));
        }
        (items, secrets)
    }
}

/// How large a program may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// Hardly more than what counts: compiled in a moment.
    Tiny,
    /// A few services.
    Small,
    /// Up to thirty.
    Full,
}

/// The program of a seed. `pressure` is how much of the node and of each budget the services take at their least,
/// in percent, from the first to the second: above a hundred it is unlikely to fit.
pub(crate) fn program(seed: u64, size: Size, pressure: (u64, u64)) -> Program {
    made(seed, size, pressure, false)
}

/// The same on several nodes.
pub(crate) fn cluster(seed: u64, size: Size, pressure: (u64, u64)) -> Program {
    made(seed, size, pressure, true)
}

/// One with several nodes for every fifth seed.
pub(crate) fn any(seed: u64, size: Size, pressure: (u64, u64)) -> Program {
    made(seed, size, pressure, seed % 5 == 4)
}

pub(super) fn made(seed: u64, size: Size, pressure: (u64, u64), several: bool) -> Program {
    let mut maker = Maker {
        rng: Rng::new(seed),
        lets: vec![
            ("unit", 16 * MIB),
            ("base", 32 * MIB),
            ("metric", 40_000_000),
        ],
        ranges: Vec::new(),
    };
    let m = &mut maker;
    let k3s = m.rng.chance(85).then(|| {
        let mut disable = vec![
            "traefik",
            "servicelb",
            "metrics-server",
            "local-storage",
            "runtimes",
        ];
        m.rng.shuffle(&mut disable);
        disable.truncate(m.rng.index(6));
        // Mostly without the ingress controller, as on a small machine; then the rest can be bounded.
        if m.rng.chance(70) && !disable.contains(&"traefik") {
            disable.push("traefik");
        }
        if m.rng.chance(8) {
            disable.push("coredns");
        }
        K3s {
            memory: m.rng.chance(70).then(|| m.amount(250, 700)),
            containerd: m.rng.chance(25).then(|| m.amount(40, 90)),
            shim: m.rng.chance(20).then(|| m.amount(2, 11)),
            version: m.rng.chance(60).then(|| {
                *m.rng
                    .pick(&["v1.33.3+k3s1", "v1.31.9+k3s1", "v1.36.1+k3s1"])
            }),
            disable,
            // Looked up in long tables, which takes time that tiny programs do not have.
            arguments: size != Size::Tiny && m.rng.chance(40),
        }
    });
    let dns_is_off = k3s
        .as_ref()
        .is_some_and(|k3s| k3s.disable.contains(&"coredns"));
    let coredns = (!dns_is_off && m.rng.chance(50)).then(|| {
        let request = m.amount(64, 110);
        if m.rng.chance(60) {
            m.burst(request, 0, 100)
        } else {
            Memory::One(request)
        }
    });
    let (most_tiers, most_services, high) = match size {
        Size::Full => (5, 30, 96),
        Size::Small => (2, 5, 80),
        Size::Tiny => (2, 4, 64),
    };
    let tiers: Vec<Tier> = (0..m.rng.range(1, most_tiers))
        .map(|index| {
            let memory = m.rng.chance(92).then(|| m.memory(16, high));
            let name = format!("{}-{index}", ["small", "mid", "big"][index as usize % 3]);
            Tier {
                name,
                common: m.common(true, memory),
            }
        })
        .collect();
    let mut services = Vec::new();
    let (wanted, mut made) = (m.rng.range(1, most_services), 0);
    while made < wanted {
        let several = if m.rng.chance(20) {
            m.rng.range(2, 4).min(wanted - made)
        } else {
            1
        };
        let word = |rng: &mut Rng| *rng.pick(&WORDS);
        let names: Vec<String> = (0..several)
            .map(|n| format!("{}-{}", word(&mut m.rng), made + n))
            .collect();
        let tier = m.rng.chance(75).then(|| m.rng.index(tiers.len()));
        let of_tier = tier.and_then(|tier| tiers[tier].common.memory.clone());
        let own = of_tier.is_none() || m.rng.chance(15);
        let memory = own.then(|| m.memory(14, high));
        let most = memory.as_ref().or(of_tier.as_ref()).map_or(0, Memory::most);
        let mut common = m.common(false, memory);
        let of_tier = tier.map(|tier| &tiers[tier].common);
        let kind = m.kind(if size == Size::Tiny { 80 } else { 65 }, of_tier);
        if matches!(kind, Kind::Scaled(..)) {
            if common.cpu.is_none() && of_tier.is_none_or(|tier| tier.cpu.is_none()) {
                common.cpu = Some(m.cpu());
            }
            common.rollout = common
                .rollout
                .filter(|rollout| *rollout != Rollout::Recreate);
        }
        let extras = m.extras(
            if size == Size::Tiny { 15 } else { 22 },
            matches!(kind, Kind::Scaled(..)),
        );
        let workers = (m.rng.chance(35)).then(|| m.rng.chance(30).then(|| m.rng.range(1, 3)));
        // Hardly ever an image that its memory cannot hold: that is another error.
        let workers =
            workers.filter(|workers| most >= floor(workers.unwrap_or(1)) || m.rng.chance(2));
        let (mut rest, secrets) = if size == Size::Tiny {
            (Vec::new(), 0)
        } else {
            m.rest(made, several == 1, &kind)
        };
        rest.push(match workers {
            Some(workers) => {
                let mut body = vec![
                    Item::line("runtime = fastapi"),
                    Item::line(format!("source = \"services/{}\"", names[0])),
                ];
                body.extend(workers.map(|n| Item::line(format!("workers = {n}"))));
                Item::block("image", body)
            }
            None => Item::line(format!("image = \"ghcr.io/acme/{}:1.{made}\"", names[0])),
        });
        let wave = matches!(kind, Kind::Service | Kind::Scaled(..))
            .then(|| m.rng.chance(12).then(|| m.rng.range(1, 2)));
        let (wave, place) = (wave.flatten(), Place::default());
        services.push(Service {
            kind,
            extras,
            names,
            tier,
            common,
            workers,
            place,
            wave,
            secrets,
            rest,
        });
        made += several;
    }
    let namespace = m.rng.chance(20).then_some("shop");
    let prod = m.rng.chance(50);
    let mut changes = Vec::new();
    for service in &services {
        if changes.len() < 3 && m.rng.chance(10) {
            let name = m.rng.pick(&service.names).clone();
            let least = service
                .workers
                .map_or(14, |workers| floor(workers.unwrap_or(1)) / MIB);
            let memory = m.rng.chance(40).then(|| m.amount(least, least + 60));
            let counted = matches!(service.kind, Kind::Service | Kind::Stateful);
            let replicas =
                (counted && (memory.is_none() || m.rng.chance(50))).then(|| m.rng.range(0, 4));
            if replicas.is_none() && memory.is_none() {
                continue;
            }
            changes.push(Change {
                service: name,
                replicas,
                memory,
            });
        }
    }
    let mut lets: Vec<(&'static str, String)> = vec![
        ("unit", "16Mi".to_owned()),
        ("base", "unit * 2".to_owned()),
        ("metric", "40M".to_owned()),
    ];
    lets.extend(maker.ranges.clone());
    let name = *maker.rng.pick(&["wsl", "pi", "vps"]);
    let mut node = Node::new(&mut maker, name);
    node.overcommit = maker.rng.chance(8).then(|| maker.rng.range(100, 200));
    node.disable = (size != Size::Tiny && maker.rng.chance(4))
        .then(|| ["traefik", "metrics-server", "local-storage"][..maker.rng.index(4)].to_vec());
    let (nodes, survive) = (vec![node], false);
    let mut program = Program {
        nodes,
        survive,
        k3s,
        coredns,
        budgets: Vec::new(),
        tiers,
        services,
        lets,
        namespace,
        changes,
        prod,
    };
    match several {
        true => nodes::spread(&mut program, &mut maker, pressure),
        false => size_node(&mut program, &mut maker, pressure),
    }
    add_budgets(&mut program, &mut maker, pressure);
    program
}

/// Gives the node a size near what everything takes.
pub(super) fn size_node(program: &mut Program, maker: &mut Maker, pressure: (u64, u64)) {
    let needs = program.needs();
    let fixed = nodes::fixed(program, &program.nodes[0]);
    let services: u64 = needs.values().map(|need| need.0 + need.1).sum();
    let percent = maker.rng.range(pressure.0, pressure.1);
    let wanted = (fixed + services * 100 / percent).clamp(700 * MIB, 8192 * MIB);
    program.nodes[0].memory = match maker.rng.range(0, 3) {
        0 => Mem::plain(wanted / 1024 * 1024),
        1 => maker.spelled(wanted / (256 * MIB) * 256 * MIB),
        2 => maker.spelled(wanted / 1_000_000 * 1_000_000),
        _ => maker.spelled(wanted / MIB * MIB),
    };
    let pods: u64 = needs.values().map(|need| need.2).sum();
    let cpu: u64 = needs.values().map(|need| need.3).sum::<u64>() + 200;
    if maker.rng.chance(20) {
        program.nodes[0].max_pods =
            Some((pods + maker.rng.range(0, 30)).max(5) - maker.rng.range(0, 3));
    }
    if maker.rng.chance(70) {
        let least = cpu.div_ceil(1000);
        let (cores, few) = (least + maker.rng.range(0, 4), cpu * 19 / 20);
        let enough = maker.rng.chance(90);
        program.nodes[0].cpu = Some(if enough {
            (cores * 1000, cores.to_string())
        } else {
            (few, format!("{few}m"))
        });
    }
}

/// Gives it up to three budgets, each near what its services take.
pub(super) fn add_budgets(program: &mut Program, maker: &mut Maker, pressure: (u64, u64)) {
    let needs = program.needs();
    let count = if maker.rng.chance(50) {
        0
    } else {
        maker.rng.range(1, 3)
    };
    for index in 0..count {
        let name = ["front-1", "front-2", "all"][index as usize].to_owned();
        let over = match maker.rng.range(0, 3) {
            0 | 1 => None,
            2 => {
                let mut names: Vec<String> =
                    program.tiers.iter().map(|tier| tier.name.clone()).collect();
                maker.rng.shuffle(&mut names);
                names.truncate(1 + maker.rng.index(2));
                Some((names, Vec::new()))
            }
            _ => {
                let mut names = program.names();
                maker.rng.shuffle(&mut names);
                names.truncate(1 + maker.rng.index(6));
                let tiers = if maker.rng.chance(25) {
                    vec![program.tiers[0].name.clone()]
                } else {
                    Vec::new()
                };
                Some((tiers, names))
            }
        };
        let members = program.members(&over);
        let need: u64 = members
            .iter()
            .filter_map(|name| needs.get(name))
            .map(|need| need.0)
            .sum();
        let percent = maker.rng.range(
            pressure.0.saturating_sub(15).max(1),
            pressure.1.saturating_sub(10).max(2),
        );
        let ceiling = (need * 100 / percent).max(16 * MIB);
        let ceiling = match maker.rng.chance(20) {
            true => Mem::plain(ceiling / 1024 * 1024),
            false => maker.spelled(ceiling.div_ceil(MIB) * MIB),
        };
        program.budgets.push(Budget {
            name,
            ceiling,
            over,
        });
    }
}
