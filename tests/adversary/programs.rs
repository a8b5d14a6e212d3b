//! Generated programs and sets of manifests, sized at the edge of what is promised: whether it holds.

use std::collections::BTreeMap;

use bzc::{MemoryWorld, Options, Session};

use super::files::Cluster;
use super::game::{Events, Game};
use super::sets::{Parts, Set};
use super::workload::workloads;
use super::{Written, broken, quota_faults, random};
use crate::generate::{self, MIB, Mem, Program, Size};

/// How many programs, sets of manifests, and games with each: `ADVERSARY=full cargo test adversary` plays them all.
#[allow(clippy::disallowed_methods, reason = "a switch of the tests")]
fn counts() -> (u64, u64, u64) {
    if std::env::var("ADVERSARY").is_ok_and(|how| how == "full") {
        (1000, 500, 12)
    } else {
        (40, 30, 6)
    }
}

const EVENTS: Events = Events {
    upgrades: true,
    loss: true,
    outages: true,
};

fn compiled(session: &Session, program: &Program) -> Option<Written> {
    let options = Options {
        env: program.env(),
        ..Default::default()
    };
    let world = MemoryWorld::default();
    let compilation = session.compile(&world, "budget.bz", program.text(), &options);
    Some(compilation.output?.files)
}

/// Whether a program compiles to files that promise every pod its place.
fn is_promised(files: Option<Written>) -> bool {
    files.is_some_and(|files| Cluster::new(&files).is_ok_and(|cluster| cluster.promises.placed))
}

/// The most that holds, up to some number, if none holds.
fn most(up_to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, up_to);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// A program with as much memory less on each node, in Mi.
fn smaller(program: &Program, less: u64) -> Program {
    let mut program = program.clone();
    for node in &mut program.nodes {
        node.memory = Mem::plain((node.memory.bytes / MIB).saturating_sub(less).max(64) * MIB);
    }
    program
}

/// A seed for a program whose choices have nothing to do with those of the one before.
fn mixed(seed: u64) -> u64 {
    random(seed).range(0, u64::MAX - 1)
}

/// What was found, by how long the smallest input is that shows it.
#[derive(Default)]
struct Found {
    faults: Vec<(usize, String)>,
    tried: BTreeMap<String, u32>,
}

impl Found {
    fn play(&mut self, files: &Written, games: u64, seed: u64, input: &str) {
        let cluster = Cluster::new(files);
        assert!(cluster.is_ok(), "{cluster:?}\n{input}");
        let promises = cluster.map(|cluster| cluster.promises).unwrap_or_default();
        let kinds = [
            (promises.kind.as_str(), promises.placed),
            ("T2", promises.within.contains(&true)),
            ("T4", promises.proved),
            ("T5", promises.survives),
        ];
        for (kind, _) in kinds.iter().filter(|(_, promised)| *promised) {
            *self.tried.entry((*kind).to_owned()).or_default() += 1;
        }
        let mut found = broken(files, games, seed, EVENTS).unwrap_or_else(|why| vec![why]);
        found.extend(quota_faults(files).unwrap_or_else(|why| vec![why]));
        self.faults.extend(
            found
                .iter()
                .map(|fault| (input.len(), format!("seed {seed}: {fault}\n{input}"))),
        );
    }

    fn none(mut self, at_least: &[&str]) {
        self.faults.sort();
        let many = self.faults.len();
        assert!(
            many == 0,
            "{many} of {:?}, the shortest: {}",
            self.tried,
            self.faults[0].1
        );
        let enough = |kind: &&str| self.tried.get(*kind).is_some_and(|times| *times > 3);
        assert!(
            at_least.iter().all(enough),
            "hardly tried: {:?}",
            self.tried
        );
    }
}

#[test]
fn what_is_promised_of_generated_programs_holds() {
    let (wanted, _, games) = counts();
    let session = Session::default().without_proposals();
    let mut found = Found::default();
    let (mut tried, mut seed) = (0, 0);
    while tried < wanted {
        seed += 1;
        let size = if seed % 4 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = match seed % 2 {
            0 => generate::program(mixed(seed), size, (60, 102)),
            _ => generate::cluster(mixed(seed), size, (55, 100)),
        };
        if !is_promised(compiled(&session, &program)) {
            continue;
        }
        let less = match seed % 3 {
            0 => 0,
            _ => most(512, |less| {
                is_promised(compiled(&session, &smaller(&program, less)))
            }),
        };
        let program = smaller(&program, less);
        if let Some(files) = compiled(&session, &program) {
            tried += 1;
            found.play(&files, games, seed, &program.text());
        }
    }
    found.none(&["one-node", "any-order", "pinned", "T2"]);
}

#[test]
fn what_is_promised_of_generated_sets_of_manifests_holds() {
    let (_, wanted, games) = counts();
    let parts = Parts {
        rules: true,
        classes: true,
        balancers: true,
        storage: true,
        odd: true,
        several: true,
    };
    let session = Session::default().without_proposals();
    let mut found = Found::default();
    let (mut tried, mut seed) = (0, 0);
    while tried < wanted {
        seed += 1;
        let set = Set::new(seed, parts);
        if !is_promised(set.compiled(&session)) {
            continue;
        }
        let less = match seed % 3 {
            0 => 0,
            _ => most(5900, |less| {
                is_promised(set.smaller(less).compiled(&session))
            }),
        };
        let set = set.smaller(less);
        if let Some(files) = set.compiled(&session) {
            tried += 1;
            found.play(
                &files,
                games,
                seed,
                &format!("{}{}", set.text(), set.manifests),
            );
        }
    }
    found.none(&["one-node", "any-order", "T2"]);
}

#[test]
fn runs_that_are_replaced_before_they_have_ended_are_counted_and_no_more() {
    let text = "edition = 1
node box { memory = 2000Mi  cpu = 4  reserve = 300Mi }
k3s { memory = 400Mi  disable = [traefik, servicelb, metrics-server, local-storage] }
cron c {
  memory      = 32Mi
  schedule    = \"*/10 * * * *\"
  concurrency = replace
  grace       = 25m
  image       = \"ghcr.io/acme/c:1.0\"
}
";
    let (world, options) = (MemoryWorld::default(), Options::default());
    let output = bzc::compile(&world, "budget.bz", text.to_owned(), &options).output;
    let files = output.map(|output| output.files).unwrap_or_default();
    let cluster = Cluster::new(&files).expect("it fits");
    let workloads = workloads(&cluster);
    let at = workloads.iter().position(|one| one.name == "c");
    let most = |game| {
        let seen = Game::new(&cluster, &workloads, game).play(EVENTS);
        at.and_then(|at| seen.pods.get(at).copied())
    };
    let promised = cluster.promises.pods.get("c").copied();
    assert_eq!((0..6000).filter_map(most).max(), promised);
    assert_eq!(promised, Some(1 + 3 + 1));
}
