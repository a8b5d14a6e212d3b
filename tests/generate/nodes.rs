//! Machines: one, or several with roles, labels and taints, and what services say about where their pods go.

use super::{Item, Kind, MIB, Maker, Mem, Memory, Program, Rollout, given};

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub name: String,
    pub memory: Mem,
    pub cpu: Option<(u64, String)>,
    pub reserve: Option<Mem>,
    pub eviction: Option<Mem>,
    pub max_pods: Option<u64>,
    pub overcommit: Option<u64>,
    /// `disable` of its own, in place of the one that all nodes share.
    pub(super) disable: Option<Vec<&'static str>>,
    pub(super) agent: bool,
    labels: Vec<(&'static str, &'static str)>,
    taints: Vec<&'static str>,
}

/// What a service says about nodes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    names: Vec<String>,
    selector: Option<(&'static str, &'static str)>,
    tolerations: Vec<&'static str>,
    apart: bool,
}

impl Node {
    /// A machine that is sized later.
    pub(super) fn new(maker: &mut Maker, name: &str) -> Node {
        Node {
            name: name.to_owned(),
            memory: Mem::plain(MIB),
            cpu: None,
            reserve: maker.rng.chance(75).then(|| maker.amount(60, 400)),
            eviction: maker.rng.chance(35).then(|| maker.amount(50, 150)),
            max_pods: None,
            overcommit: None,
            disable: None,
            agent: false,
            labels: Vec::new(),
            taints: Vec::new(),
        }
    }

    pub(super) fn item(&self) -> Item {
        let text = |given: &Option<Mem>| given.as_ref().map(|given| given.text.clone());
        let list = |names: &[&str]| format!("[{}]", names.join(", "));
        let mut body = given([
            ("memory", Some(self.memory.text.clone())),
            ("role", self.agent.then(|| "agent".to_owned())),
            ("cpu", self.cpu.as_ref().map(|(_, text)| text.clone())),
            ("reserve", text(&self.reserve)),
            ("eviction-hard", text(&self.eviction)),
            ("max-pods", self.max_pods.map(|n| n.to_string())),
            ("overcommit", self.overcommit.map(|n| format!("{n}%"))),
            (
                "taints",
                (!self.taints.is_empty()).then(|| list(&self.taints)),
            ),
        ]);
        if !self.labels.is_empty() {
            let labels = self
                .labels
                .iter()
                .map(|(key, value)| Item::line(format!("{key} = \"{value}\"")));
            body.push(Item::block("labels", labels.collect()));
        }
        let own = self
            .disable
            .as_ref()
            .map(|names| Item::line(format!("disable = {}", list(names))));
        body.extend(own.map(|own| Item::block("k3s", vec![own])));
        Item::block(format!("node {}", self.name), body)
    }
}

impl Place {
    pub(super) fn items(&self) -> Vec<Item> {
        let mut items = given([
            (
                "node",
                (self.names.len() == 1).then(|| self.names[0].clone()),
            ),
            (
                "nodes",
                (self.names.len() > 1).then(|| format!("[{}]", self.names.join(", "))),
            ),
            (
                "tolerations",
                (!self.tolerations.is_empty())
                    .then(|| format!("[{}]", self.tolerations.join(", "))),
            ),
            ("anti-affinity", self.apart.then(|| "node".to_owned())),
        ]);
        let asked = self
            .selector
            .map(|(key, value)| Item::line(format!("{key} = \"{value}\"")));
        items.extend(asked.map(|asked| Item::block("node-selector", vec![asked])));
        items
    }

    /// Whether a node takes such pods.
    fn takes(&self, node: &Node) -> bool {
        (self.names.is_empty() || self.names.contains(&node.name))
            && self
                .selector
                .is_none_or(|label| node.labels.contains(&label))
            && node
                .taints
                .iter()
                .all(|taint| self.tolerations.contains(taint))
    }
}

/// Makes a cluster of a program with one node, as large as everything takes or somewhat larger.
pub(super) fn spread(program: &mut Program, maker: &mut Maker, pressure: (u64, u64)) {
    let count = maker.rng.index(4) + 2;
    let servers = match maker.rng.range(0, 9) {
        0 => 0,
        1..=3 if count > 2 => 3,
        4 if count == 5 => 5,
        _ => 1,
    };
    program.nodes[0].disable = None;
    for name in ["box", "nuc", "rack", "attic"].iter().take(count - 1) {
        let node = Node::new(maker, name);
        program.nodes.push(node);
    }
    for (at, node) in program.nodes.iter_mut().enumerate() {
        let rng = &mut maker.rng;
        node.agent = at >= servers;
        node.overcommit = rng.chance(4).then(|| rng.range(100, 200));
        node.labels.extend(
            rng.chance(60)
                .then(|| *rng.pick(&[("disk", "ssd"), ("disk", "hdd")])),
        );
        node.labels
            .extend(rng.chance(20).then_some(("rack", "b-1")));
        if at > 0 && rng.chance(20) {
            node.taints.push(*rng.pick(&["gpu", "data"]));
        }
    }
    program.survive = maker.rng.chance(15);
    for at in 0..program.services.len() {
        place(program, maker, at);
    }
    sizes(program, maker, pressure);
}

/// What a service says about the nodes, mostly nothing.
fn place(program: &mut Program, maker: &mut Maker, at: usize) {
    let rng = &mut maker.rng;
    let nodes = program.nodes.clone();
    let mut place = Place::default();
    let taints: Vec<&str> = nodes.iter().flat_map(|node| node.taints.clone()).collect();
    if !taints.is_empty() && rng.chance(45) {
        place.tolerations.push(*rng.pick(&taints));
    }
    match rng.range(0, 11) {
        0 => place.names.push(rng.pick(&nodes).name.clone()),
        1 | 2 => {
            let mut names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
            rng.shuffle(&mut names);
            names.truncate(1 + rng.index(names.len() - 1));
            place.names = names;
        }
        3 | 4 => place.selector = rng.pick(&nodes).labels.first().copied(),
        _ => {}
    }
    if !nodes.iter().any(|node| place.takes(node)) {
        place = Place::default();
    }
    let takers = nodes.iter().filter(|node| place.takes(node)).count() as u64;
    let service = &mut program.services[at];
    match service.kind {
        Kind::Service | Kind::Stateful if rng.chance(15) => {
            place.apart = true;
            // Rarely more of them than there are nodes.
            if !rng.chance(5) {
                service.common.replicas = Some(rng.range(1, takers));
                service.common.rollout = Some(Rollout::Replace);
            }
        }
        Kind::Service | Kind::Scaled(..) if rng.chance(20) => service.wave = Some(rng.range(1, 3)),
        Kind::Service | Kind::Scaled(..) if rng.chance(10) => {
            service.common.rollout = Some(Rollout::Serial)
        }
        // A folder of one node instead of what can be reached from all.
        Kind::Stateful if rng.chance(40) => {
            let volume = service
                .rest
                .iter_mut()
                .find(|item| item.head == "volume data");
            volume
                .and_then(|volume| volume.body.as_mut())
                .into_iter()
                .for_each(|body| body.truncate(2));
        }
        _ => {}
    }
    service.place = place;
}

/// What a node needs before the first pod of a service comes.
pub(super) fn fixed(program: &Program, node: &Node) -> u64 {
    let bytes =
        |given: Option<&Mem>, otherwise: u64| given.map_or(otherwise * MIB, |given| given.bytes);
    // What the program says of K3s is said of servers.
    let said = program
        .k3s
        .as_ref()
        .filter(|_| !node.agent || program.nodes.iter().all(|node| node.agent));
    let usual = match (
        node.agent,
        program.nodes.iter().filter(|node| !node.agent).count(),
    ) {
        (true, _) => 100,
        (false, 1) => 410,
        (false, _) => 440,
    };
    let measured = said.and_then(|k3s| k3s.memory.as_ref());
    let joins = measured.is_none() && !node.agent && program.nodes.len() > 1;
    // The pages of its binary, and what it takes while another node joins.
    let pages = if node.agent { 200 } else { 240 };
    let mut fixed = pages * MIB
        + if joins { 300 * MIB } else { 0 }
        + bytes(measured, usual)
        + bytes(said.and_then(|k3s| k3s.containerd.as_ref()), 64)
        + bytes(node.reserve.as_ref(), 0)
        + bytes(node.eviction.as_ref(), 100);
    if node.taints.is_empty() {
        let on = |name: &str| {
            program
                .k3s
                .as_ref()
                .is_none_or(|k3s| !k3s.disable.contains(&name))
        };
        let dns = if on("coredns") { 64 } else { 0 };
        fixed += program.coredns.as_ref().map_or(dns * MIB, Memory::most);
        let others = [
            ("metrics-server", 192),
            ("local-storage", 128),
            ("traefik", 512),
        ];
        fixed += others
            .iter()
            .filter(|(name, _)| on(name))
            .map(|(_, mib)| mib * MIB)
            .sum::<u64>();
    }
    fixed
}

/// Gives the nodes sizes, together near what everything takes.
fn sizes(program: &mut Program, maker: &mut Maker, pressure: (u64, u64)) {
    let needs = program.needs();
    let is_daemon = |name: &String| {
        program
            .services
            .iter()
            .any(|service| service.kind == Kind::Daemon && service.names.contains(name))
    };
    let (mut moving, mut everywhere, mut pods, mut cpu) = (0, 0, 0, 0);
    for (name, need) in &needs {
        *(if is_daemon(name) {
            &mut everywhere
        } else {
            &mut moving
        }) += need.0 + need.1;
        (pods, cpu) = (pods + need.2, cpu + need.3);
    }
    let shares: Vec<u64> = program
        .nodes
        .iter()
        .map(|_| maker.rng.range(2, 5))
        .collect();
    let all: u64 = shares.iter().sum();
    let left = if program.survive {
        all - shares.iter().max().copied().unwrap_or(0)
    } else {
        all
    };
    // Where pods may go anywhere, some of each node is lost to those that do not fit into it.
    let percent =
        maker.rng.range(pressure.0, pressure.1) * if maker.rng.chance(40) { 2 } else { 3 } / 3;
    for (at, share) in shares.into_iter().enumerate() {
        let wanted = fixed(program, &program.nodes[at])
            + everywhere
            + moving * 100 / percent.max(1) * share / left;
        let wanted = wanted.clamp(600 * MIB, 8192 * MIB);
        let memory = if maker.rng.chance(60) {
            wanted / MIB * MIB
        } else {
            wanted / 1024 * 1024
        };
        let few = maker
            .rng
            .chance(15)
            .then(|| (pods * share / left + maker.rng.range(2, 8)).max(5));
        let cores = maker.rng.chance(75).then(|| {
            let cores = (cpu * share / left + 250).div_ceil(500) + maker.rng.range(0, 3);
            (cores * 500, format!("{}m", cores * 500))
        });
        let memory = maker.spelled(memory);
        let node = &mut program.nodes[at];
        (node.memory, node.max_pods, node.cpu) = (memory, few, cores);
    }
}
