//! What is promised of several nodes, against somebody who chooses the order of the pods and the node of each: from
//! the emitted files alone, as `recount.rs` reads them, pods come, are evicted and come again, at rest and while waves
//! roll, with all nodes or without one. None may be left without a place. What is refused is shown to have none.

use std::collections::BTreeMap;

use bzc::{Compilation, MemoryWorld, Options};
use serde_yaml::Value;

use crate::generate::{self, Mem, Program, Rng, Size};
use crate::recount::{Machine, Stage, errors, generated, recount};

/// Games with each program that is promised to run: all its pods come four times in each.
const GAMES: u64 = 120;

fn compile(program: &Program) -> Compilation {
    let options = Options { env: program.env() };
    bzc::compile(
        &MemoryWorld::default(),
        "budget.bz",
        program.text(),
        &options,
    )
}

/// The report and what the scheduler is asked, of a program that fits.
fn compiled(program: &Program) -> Option<(Value, Stage)> {
    let output = compile(program).output?;
    let (_, report) = output
        .files
        .iter()
        .find(|(path, _)| path == "report.json")?;
    let stage = recount(&output.files, &generated(program));
    assert!(stage.is_ok(), "{stage:?}\n{}", program.text());
    Some((serde_yaml::from_slice(report).ok()?, stage.ok()?))
}

/// How the adversary chooses.
#[derive(Debug, Clone, Copy)]
enum Way {
    Random,
    /// Where most is left.
    Emptiest,
    /// Where least is left.
    Fullest,
    /// So that as few nodes as can be keep room for a pod of this kind, whose pods come last.
    Against(usize),
}

/// Pods on nodes.
struct Board<'s> {
    stage: &'s Stage,
    lost: Option<usize>,
    left: Vec<[u128; 3]>,
    /// Per kind and node.
    there: Vec<Vec<u128>>,
}

impl<'s> Board<'s> {
    fn new(stage: &'s Stage, lost: Option<usize>) -> Board<'s> {
        let there = vec![vec![0; stage.rooms.len()]; stage.kinds.len()];
        Board {
            stage,
            lost,
            left: stage.rooms.clone(),
            there,
        }
    }

    /// Makes room on a node for a pod that pushes others out, as far as that goes. The kinds of those.
    fn push(&mut self, kind: usize, node: usize, rng: &mut Rng) -> Vec<usize> {
        let mut gone = Vec::new();
        let mut others: Vec<usize> = (0..self.there.len())
            .filter(|other| !self.stage.kinds[*other].evicts)
            .collect();
        rng.shuffle(&mut others);
        for other in others {
            while !self.has_room(kind, node) && self.there[other][node] > 0 {
                self.take(other, node);
                gone.push(other);
            }
        }
        gone
    }

    fn put(&mut self, kind: usize, node: usize) {
        for d in 0..3 {
            self.left[node][d] -= self.stage.kinds[kind].size[d];
        }
        self.there[kind][node] += 1;
    }

    fn take(&mut self, kind: usize, node: usize) {
        for d in 0..3 {
            self.left[node][d] += self.stage.kinds[kind].size[d];
        }
        self.there[kind][node] -= 1;
    }

    fn has_room(&self, kind: usize, node: usize) -> bool {
        let pod = &self.stage.kinds[kind];
        let alone = pod.apart || pod.everywhere;
        pod.on[node]
            && Some(node) != self.lost
            && (0..3).all(|d| pod.size[d] <= self.left[node][d])
            && !(alone && self.there[kind][node] > 0)
    }

    /// Pods that are missing at a moment; those of every node each with its node.
    fn missing(&self, moment: usize) -> Vec<(usize, Option<usize>)> {
        let mut pods = Vec::new();
        for (index, kind) in self.stage.kinds.iter().enumerate() {
            if kind.everywhere {
                let nodes =
                    (0..kind.on.len()).filter(|node| kind.on[*node] && Some(*node) != self.lost);
                pods.extend(
                    nodes
                        .filter(|node| self.there[index][*node] == 0)
                        .map(|node| (index, Some(node))),
                );
            } else {
                let there: u128 = self.there[index].iter().sum();
                pods.extend((there..kind.pods[moment]).map(|_| (index, None)));
            }
        }
        pods
    }

    /// Places what is missing. The kind of a pod that finds no room.
    fn fill(&mut self, moment: usize, way: Way, rng: &mut Rng) -> Result<(), usize> {
        let mut pods = self.missing(moment);
        rng.shuffle(&mut pods);
        if let Way::Against(victim) = way {
            pods.sort_by_key(|(kind, _)| *kind == victim);
            if rng.chance(50) {
                pods.sort_by_key(|(kind, _)| {
                    (*kind == victim, u128::MAX - self.stage.kinds[*kind].size[0])
                });
            }
        }
        pods.reverse();
        while let Some((kind, own)) = pods.pop() {
            if let Some(own) = own.filter(|_| self.stage.kinds[kind].evicts) {
                let gone = self.push(kind, own, rng);
                pods.extend(gone.into_iter().map(|kind| (kind, None)));
            }
            let mut nodes: Vec<usize> = (0..self.left.len())
                .filter(|node| own.is_none_or(|own| own == *node) && self.has_room(kind, *node))
                .collect();
            rng.shuffle(&mut nodes);
            let node = match way {
                Way::Random => nodes.first().copied(),
                Way::Emptiest => nodes.into_iter().max_by_key(|node| self.left[*node][0]),
                Way::Fullest => nodes.into_iter().min_by_key(|node| self.left[*node][0]),
                // First those that could still take the other, the fullest of them first.
                Way::Against(victim) => nodes
                    .into_iter()
                    .min_by_key(|node| (!self.has_room(victim, *node), self.left[*node][0])),
            };
            self.put(kind, node.ok_or(kind)?);
        }
        Ok(())
    }

    /// Takes some pods away, by their odds in percent, and all that are too many at a moment.
    fn evict(&mut self, moment: usize, odds: u64, rng: &mut Rng) {
        for (index, kind) in self.stage.kinds.iter().enumerate() {
            let mut nodes: Vec<usize> = (0..self.left.len()).collect();
            rng.shuffle(&mut nodes);
            for node in nodes {
                for _ in 0..self.there[index][node] {
                    let there: u128 = self.there[index].iter().sum();
                    if rng.chance(odds) || !kind.everywhere && there > kind.pods[moment] {
                        self.take(index, node);
                    }
                }
            }
        }
    }
}

/// One game: pods come at some moment, in part go, and come again at others. The name of a pod that found no room.
fn play(stage: &Stage, game: u64, lost: Option<usize>, rng: &mut Rng) -> Result<(), String> {
    let kinds: Vec<usize> = (0..stage.kinds.len()).collect();
    let way = match game % 6 {
        0 => Way::Random,
        1 => Way::Emptiest,
        2 => Way::Fullest,
        _ => Way::Against(*rng.pick(&kinds)),
    };
    let mut board = Board::new(stage, lost);
    for step in 0..4 {
        let moment = rng.index(stage.moments);
        board.evict(moment, if step == 3 { 100 } else { rng.range(0, 60) }, rng);
        let stuck = |kind: usize| {
            format!(
                "{way:?}, step {step}, moment {moment}, without {lost:?}: {}",
                stage.kinds[kind].name
            )
        };
        board.fill(moment, way, rng).map_err(stuck)?;
    }
    Ok(())
}

/// Whether a report promises that every pod finds room, as far as memory and pods go.
fn is_promised(report: &Value) -> bool {
    let placed = matches!(
        report["placement"]["kind"].as_str(),
        Some("any-order" | "pinned")
    );
    let t4 = report["theorems"]
        .as_sequence()
        .into_iter()
        .flatten()
        .find(|theorem| theorem["id"] == "T4");
    let mut why = t4
        .into_iter()
        .flat_map(|t4| t4["why"].as_sequence().into_iter().flatten())
        .filter_map(Value::as_str);
    placed
        && why
            .all(|why| why.contains("has no `cpu`") || why.contains("runs at once that it states"))
}

#[test]
fn no_adversary_gets_a_pod_of_what_is_promised_stuck() {
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    let mut faults: Vec<(usize, String)> = Vec::new();
    for seed in 0..260 {
        let size = if seed % 4 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = generate::cluster(200_000 + seed, size, (55, 100));
        let Some((report, stage)) = compiled(&program) else {
            continue;
        };
        if !is_promised(&report) {
            continue;
        }
        let kind = report["placement"]["kind"].as_str().unwrap_or_default();
        let mut rng = Rng::new(seed);
        let lost = |game: u64| {
            (program.survive && game.is_multiple_of(2))
                .then(|| game as usize / 2 % stage.rooms.len())
        };
        *tried.entry(kind.to_owned()).or_default() += 1;
        *tried.entry("survive".to_owned()).or_default() += u32::from(program.survive);
        *tried.entry("waves".to_owned()).or_default() += u32::from(stage.moments > 1);
        *tried.entry("daemons".to_owned()).or_default() +=
            u32::from(program.text().contains("\ndaemon "));
        if let Some(what) =
            (0..GAMES).find_map(|game| play(&stage, game, lost(game), &mut rng).err())
        {
            let text = program.text();
            faults.push((
                text.len(),
                format!("seed {seed}, {kind}: {what}\n{text}{stage:?}"),
            ));
        }
    }
    faults.sort();
    let many = faults.len();
    assert!(
        faults.is_empty(),
        "{many} of {tried:?}, the shortest: {}",
        faults[0].1
    );
    assert!(
        tried.len() == 5 && tried.values().all(|times| *times > 3),
        "hardly tried: {tried:?}"
    );
}

/// Whether all pods of a moment have a place: by search, with a bound on its steps.
struct Search<'s> {
    stage: &'s Stage,
    left: Vec<[u128; 3]>,
    /// What is to be placed: kind and count, the largest first.
    open: Vec<(usize, u128)>,
    steps: u32,
}

impl Search<'_> {
    /// From one pod of one kind on, on nodes from `from`, with whether that has a pod of the kind. None if given up.
    fn run(&mut self, at: usize, placed: u128, from: usize) -> Option<bool> {
        self.steps = self.steps.checked_sub(1)?;
        let Some(&(kind, count)) = self.open.get(at) else {
            return Some(true);
        };
        if placed == count {
            return self.run(at + 1, 0, 0);
        }
        let pod = &self.stage.kinds[kind];
        for node in from..self.left.len() {
            if !pod.on[node] || (0..3).any(|d| pod.size[d] > self.left[node][d]) {
                continue;
            }
            (0..3).for_each(|d| self.left[node][d] -= pod.size[d]);
            // Pods of a kind are alike: the next goes here or to a later node.
            let found = self.run(at, placed + 1, if pod.apart { node + 1 } else { node });
            (0..3).for_each(|d| self.left[node][d] += pod.size[d]);
            if found? {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// Whether there is a placement at a moment. None if that took too long to find out.
fn has_place(stage: &Stage, moment: usize) -> Option<bool> {
    let mut left = stage.rooms.clone();
    for kind in stage.kinds.iter().filter(|kind| kind.everywhere) {
        for (_, left) in left
            .iter_mut()
            .enumerate()
            .filter(|(node, _)| kind.on[*node])
        {
            for (left, size) in left
                .iter_mut()
                .zip(kind.size)
                .filter(|(left, _)| **left != u128::MAX)
            {
                let Some(rest) = left.checked_sub(size) else {
                    return Some(false);
                };
                *left = rest;
            }
        }
    }
    let mut open: Vec<(usize, u128)> = (0..)
        .zip(stage.kinds.iter().map(|kind| kind.pods[moment]))
        .collect();
    open.retain(|(kind, count)| !stage.kinds[*kind].everywhere && *count > 0);
    open.sort_by_key(|(kind, _)| std::cmp::Reverse(stage.kinds[*kind].size));
    // What may go nowhere but to some nodes asks for more than they have.
    for some in 1_usize..1 << left.len() {
        let inside = |node: usize| some >> node & 1 == 1;
        for d in 0..3 {
            let nowhere_else = |kind: usize| {
                let pod = &stage.kinds[kind];
                (0..left.len()).all(|node| {
                    inside(node) || !pod.on[node] || (0..3).any(|d| pod.size[d] > left[node][d])
                })
            };
            let asked: u128 = open
                .iter()
                .filter(|(kind, _)| nowhere_else(*kind))
                .map(|(kind, n)| stage.kinds[*kind].size[d] * n)
                .sum();
            let have = (0..left.len())
                .filter(|node| inside(*node))
                .fold(0_u128, |sum, node| sum.saturating_add(left[node][d]));
            if asked > have {
                return Some(false);
            }
        }
    }
    Search {
        stage,
        left,
        open,
        steps: 2_000_000,
    }
    .run(0, 0, 0)
}

/// What a program that is refused would be asked: by a program like it with more memory, of which every node has the
/// difference less, and every pod its least. Whether a node has not even what has to be reserved there, and the rest.
/// None where even the larger one is refused.
fn refused(program: &Program, machines: &[Machine]) -> Option<(bool, Stage)> {
    const MORE: u64 = 1 << 40;
    let mut larger = program.clone();
    larger.budgets.clear();
    larger.survive = false;
    for node in &mut larger.nodes {
        node.memory = Mem::plain(node.memory.bytes + MORE);
    }
    let (report, mut stage) = compiled(&larger)?;
    let (mut least_pods, mut short) = (Vec::new(), false);
    for kind in &mut stage.kinds {
        let services = report["services"].as_sequence().into_iter().flatten();
        let Some(told) = { services }.find(|service| service["name"].as_str() == Some(&kind.name))
        else {
            continue;
        };
        if told["choice"] != "burst" {
            kind.size[0] = told["leastBytes"].as_u64()?.into();
        }
        least_pods.push((
            kind.size[0],
            kind.on.clone(),
            kind.apart || kind.everywhere,
            told["podsWithEnding"].as_u64()?,
        ));
    }
    for (at, (room, machine)) in stage.rooms.iter_mut().zip(machines).enumerate() {
        let node = report["nodes"]
            .as_sequence()?
            .iter()
            .find(|node| node["name"].as_str() == Some(&machine.name))?;
        let shims = node["reserved"]
            .as_sequence()?
            .iter()
            .find(|term| term["id"] == "shims")?;
        let (all, told): (u128, u128) = (
            shims["bytes"].as_u64()?.into(),
            shims["formula"].as_str()?.split(' ').next()?.parse().ok()?,
        );
        let each = all.checked_div(told)?;
        // With less memory fewer pods can be here, and fewer shims are reserved for.
        let here = least_pods.iter().filter(|(_, on, ..)| on[at]);
        let least = here.clone().map(|(size, ..)| *size).min().unwrap_or(0);
        let own: u128 = here
            .map(|(.., one, pods)| if *one { 1 } else { u128::from(*pods) })
            .sum();
        let packaged = node["components"]
            .as_sequence()?
            .iter()
            .filter_map(|c| c["podsWithTransient"].as_u64());
        let packaged: u128 = packaged.map(u128::from).sum();
        short |= room[0] + all < u128::from(MORE) + packaged * each;
        let bare = (room[0] + all).saturating_sub(MORE.into());
        let enough = |own: &u128| (own + 1) * least + (own + packaged) * each > bare;
        let own = (0..own).find(enough).unwrap_or(own);
        room[0] = bare.saturating_sub((own + packaged).min(room[2]) * each);
    }
    Some((short, stage))
}

#[test]
fn what_is_refused_for_its_nodes_has_no_place_on_them() {
    let mut tried: BTreeMap<&str, u32> = BTreeMap::new();
    let mut open = 0;
    for seed in 0..560 {
        let mut program = generate::cluster(300_000 + seed, Size::Tiny, (90, 130));
        program.survive = false;
        program
            .nodes
            .iter_mut()
            .for_each(|node| node.overcommit = None);
        program.budgets.clear();
        let before = compile(&program);
        let found = errors(&before);
        let Some(code) = ["BZ4001", "BZ4007"]
            .into_iter()
            .find(|code| found.iter().any(|error| error.starts_with(code)))
        else {
            continue;
        };
        let Some((short, stage)) = refused(&program, &generated(&program)) else {
            continue;
        };
        if short {
            *tried.entry("reserved").or_default() += 1;
            continue;
        }
        let placed: Vec<Option<bool>> = (0..stage.moments)
            .map(|moment| has_place(&stage, moment))
            .collect();
        if placed.contains(&Some(false)) {
            *tried.entry(code).or_default() += 1;
        } else {
            assert!(
                placed.contains(&None),
                "seed {seed}: {found:?}, and there is a placement\n{}{stage:?}",
                program.text()
            );
            open += 1;
        }
    }
    assert!(
        tried.len() == 3 && tried.values().all(|times| *times > 8) && open < 4,
        "{tried:?}, {open} open"
    );
}

#[test]
fn the_adversary_can_win() {
    // Two nodes of 10, and pods of 7, 4, 4: with the small ones apart, the large one finds no room.
    let kind = |size: u128, pods: u128| crate::recount::Kind {
        name: size.to_string(),
        size: [size, 0, 1],
        on: vec![true; 2],
        apart: false,
        everywhere: false,
        evicts: false,
        pods: vec![pods],
    };
    let stage = Stage {
        rooms: vec![[10, 0, 110]; 2],
        kinds: vec![kind(7, 1), kind(4, 2)],
        moments: 1,
    };
    let mut rng = Rng::new(1);
    assert!((0..60).any(|game| play(&stage, game, None, &mut rng).is_err()));
    assert_eq!(has_place(&stage, 0), Some(true));
    let stage = Stage {
        kinds: vec![kind(7, 2), kind(4, 1)],
        ..stage
    };
    assert_eq!(has_place(&stage, 0), Some(false));
    let stage = Stage {
        kinds: vec![kind(6, 2), kind(4, 2)],
        ..stage
    };
    assert_eq!(has_place(&stage, 0), Some(true));
}
