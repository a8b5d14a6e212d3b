//! What must hold for every program: the order of things does not matter, more demand never makes a program fit,
//! the same text gives the same bytes, the formatter changes no meaning, and no memory is left
//! that a service could have had.

mod leftover;

use std::collections::BTreeMap;

use bzc::{Compilation, Diagnostic, MemoryWorld, Options, Session};
use serde_yaml::Value;

use crate::generate::{self, Item, Kind, MIB, Mem, Memory, Overlap, Program, Rng, Rollout, Size};

const FILE: &str = "budget.bz";

fn compile(text: &str, env: Option<String>) -> Compilation {
    bzc::compile(
        &MemoryWorld::default(),
        FILE,
        text.to_owned(),
        &Options {
            env,
            ..Default::default()
        },
    )
}

fn check(text: &str, env: Option<String>) -> Compilation {
    Session::default().check(
        &MemoryWorld::default(),
        FILE,
        text.to_owned(),
        &Options {
            env,
            ..Default::default()
        },
    )
}

fn errors(compilation: &Compilation) -> Vec<&Diagnostic> {
    compilation
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .collect()
}

fn shown(compilation: &Compilation) -> String {
    let lines = errors(compilation)
        .into_iter()
        .map(|error| format!("{}: {}", error.id, error.message));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a program says, without places: findings, their sums and proposals, sorted, and the files.
type Meaning = (Vec<String>, Vec<(String, Vec<u8>)>);

fn meaning(compilation: Compilation) -> Meaning {
    let shown = |diagnostic: &Diagnostic| {
        let mut addends: Vec<String> = diagnostic
            .addends
            .iter()
            .map(|addend| format!("{} {}", addend.what, addend.amount))
            .collect();
        let mut helps: Vec<&str> = diagnostic
            .helps
            .iter()
            .map(|help| help.text.as_str())
            .collect();
        addends.sort();
        helps.sort_unstable();
        format!(
            "{} {} {addends:?} {helps:?}",
            diagnostic.id, diagnostic.message
        )
    };
    let mut found: Vec<String> = compilation.diagnostics.iter().map(shown).collect();
    found.sort();
    (
        found,
        compilation
            .output
            .map(|output| output.files)
            .unwrap_or_default(),
    )
}

/// The first thing in which two meanings differ.
fn difference(a: &Meaning, b: &Meaning) -> Option<String> {
    if let Some((a, b)) = a.0.iter().zip(&b.0).find(|(a, b)| a != b) {
        return Some(format!("{a}\nagainst\n{b}"));
    }
    if a.0.len() != b.0.len() {
        return Some(format!(
            "{} findings against {}: {:?} {:?}",
            a.0.len(),
            b.0.len(),
            a.0,
            b.0
        ));
    }
    let paths = |meaning: &Meaning| {
        meaning
            .1
            .iter()
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>()
    };
    if paths(a) != paths(b) {
        return Some(format!("{:?} against {:?}", paths(a), paths(b)));
    }
    let (first, second) =
        a.1.iter()
            .zip(&b.1)
            .find(|(first, second)| first != second)?;
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(format!(
        "{}\n{}\nagainst\n{}",
        first.0,
        lossy(&first.1),
        lossy(&second.1)
    ))
}

/// Findings by kind, the one with the shortest program of each, so that one run shows all there is to mend.
#[derive(Default)]
struct Findings(BTreeMap<String, (usize, String, u32)>);

impl Findings {
    fn add(&mut self, kind: String, program: &str, what: &str) {
        let shown = || format!("{program}\n{what}");
        let entry = self
            .0
            .entry(kind)
            .or_insert_with(|| (program.len(), shown(), 0));
        entry.2 += 1;
        if program.len() < entry.0 {
            (entry.0, entry.1) = (program.len(), shown());
        }
    }

    fn assert_none(self) {
        let all: Vec<String> = self
            .0
            .into_iter()
            .map(|(kind, (_, shown, n))| format!("== {kind}: {n} times, the shortest:\n{shown}"))
            .collect();
        assert!(all.is_empty(), "{}", all.join("\n\n"));
    }
}

/// The first word of an item.
fn kind(item: &Item) -> &str {
    item.head.split(' ').next().unwrap_or_default()
}

/// The same items in another order: those at the top, and the fields of nodes, tiers and workloads. Volumes keep
/// their order among each other, because the pod lists them as they are written; so do the containers beside the main
/// one, because that is the order they start in.
fn permuted(items: &[Item], rng: &mut Rng) -> Vec<Item> {
    let mut items = items.to_vec();
    rng.shuffle(&mut items);
    for item in &mut items {
        if ![
            "node", "tier", "service", "stateful", "daemon", "job", "cron",
        ]
        .contains(&kind(item))
        {
            continue;
        }
        let Some(body) = &mut item.body else { continue };
        let ordered = |item: &Item| match kind(item) {
            "volume" => Some("volume"),
            "sidecar" | "init" => Some("container"),
            _ => None,
        };
        let before = body.clone();
        rng.shuffle(body);
        for group in ["volume", "container"] {
            let as_written = before.iter().filter(|item| ordered(item) == Some(group));
            let places = body.iter_mut().filter(|item| ordered(item) == Some(group));
            places
                .zip(as_written)
                .for_each(|(place, item)| *place = item.clone());
        }
    }
    items
}

#[test]
fn the_order_of_declarations_and_fields_changes_nothing() {
    let mut findings = Findings::default();
    let mut with_errors = 0;
    for seed in 0..350 {
        let size = if seed % 5 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = generate::any(10_000 + seed, size, (55, 115));
        let before = meaning(compile(&program.text(), program.env()));
        with_errors += u32::from(before.1.is_empty());
        let text = generate::print(&permuted(&program.items(), &mut Rng::new(seed)));
        let after = meaning(compile(&text, program.env()));
        if let Some(what) = difference(&before, &after) {
            let kind = if before.1.is_empty() {
                "findings"
            } else {
                "files"
            };
            findings.add(
                kind.to_owned(),
                &format!("{}\n--- permuted\n{text}", program.text()),
                &what,
            );
        }
    }
    findings.assert_none();
    assert!(
        (70..280).contains(&with_errors),
        "{with_errors} programs of 350 do not fit"
    );
}

/// Raises one demand or lowers one supply. What was changed, in words; `None` if this program has nothing of the
/// chosen kind.
fn press(program: &mut Program, rng: &mut Rng) -> Option<String> {
    let by = *rng.pick(&[1, 4, 32, 300]) * MIB;
    let raise = |memory: &mut Option<Mem>| {
        let more = memory.as_ref()?.more(by);
        *memory = Some(more);
        Some(())
    };
    let what = match rng.range(0, 14) {
        0 => {
            let less = program.nodes[0].memory.bytes.checked_sub(by)?;
            program.nodes[0].memory = Mem::plain(less / MIB * MIB);
            "less node memory"
        }
        1 => {
            let reserve = program.nodes[0]
                .reserve
                .get_or_insert_with(|| Mem::plain(MIB));
            *reserve = reserve.more(by);
            "more reserve"
        }
        2 => {
            let eviction = program.nodes[0]
                .eviction
                .get_or_insert_with(|| Mem::plain(100 * MIB));
            *eviction = eviction.more(by);
            "more eviction-hard"
        }
        3 => {
            let k3s = program.k3s.as_mut()?;
            raise(match rng.range(0, 2) {
                0 => &mut k3s.memory,
                1 => &mut k3s.containerd,
                _ => &mut k3s.shim,
            })?;
            "more for k3s"
        }
        4 => {
            raise_memory(program.coredns.as_mut()?, by, rng);
            "more for coredns"
        }
        5 => {
            let budget = program.budgets.get_mut(rng.index(3))?;
            budget.ceiling = Mem::plain(budget.ceiling.bytes.checked_sub(by)?.max(MIB) / MIB * MIB);
            "less budget"
        }
        6 => {
            program.nodes[0].max_pods = Some(program.nodes[0].max_pods?.checked_sub(1)?);
            "fewer pods"
        }
        7 | 8 => {
            let at = some_common(program, rng);
            raise_memory(at.common(program).memory.as_mut()?, by, rng);
            "more memory"
        }
        9 => {
            let at = some_common(program, rng);
            // Replicas of a tier would be two numbers of pods to a service below it that scales.
            let scales = at
                .kinds(program)
                .iter()
                .any(|kind| matches!(kind, Kind::Scaled(..)));
            let below = at.is_below(program);
            let common = at.common(program);
            // Where a service says nothing, its tier may.
            let replicas = common
                .replicas
                .or(if below || scales { None } else { Some(1) })?;
            common.replicas = Some(replicas + rng.range(1, 3));
            "more replicas"
        }
        10 | 11 => {
            let at = some_common(program, rng);
            let scales = at
                .kinds(program)
                .iter()
                .any(|kind| matches!(kind, Kind::Scaled(..)));
            let below = at.is_below(program);
            let common = at.common(program);
            let rollout = common
                .rollout
                .or(if below { None } else { Some(Rollout::Replace) })?;
            common.rollout = Some(match rollout {
                Rollout::Replace | Rollout::Recreate | Rollout::Serial => Rollout::Surge(1),
                Rollout::Surge(n) => Rollout::Surge(n + 1),
                Rollout::Percent(n) => Rollout::Percent(n + 30),
            });
            if scales {
                "more surge of what scales"
            } else {
                "more surge"
            }
        }
        12 | 13 => {
            let at = rng.index(program.services.len());
            let more = rng.range(1, 3);
            program.services[at].kind = match program.services[at].kind.clone() {
                Kind::Scaled(least, most, cpu) => Kind::Scaled(least, most + more, cpu),
                Kind::Job(pods, completions) => {
                    Kind::Job(Some(pods.unwrap_or(1) + more), completions)
                }
                Kind::Cron(pods, Overlap::Allow(runs)) if rng.chance(50) => {
                    Kind::Cron(pods, Overlap::Allow(runs + more))
                }
                Kind::Cron(pods, overlap) => Kind::Cron(Some(pods.unwrap_or(1) + more), overlap),
                Kind::Service | Kind::Stateful | Kind::Daemon => return None,
            };
            "more pods of its kind"
        }
        _ => {
            let at = rng.index(program.services.len());
            let extra = rng.index(4);
            let extra = program.services[at].extras.get_mut(extra)?;
            extra.memory = extra.memory.more(by);
            "more for a container beside"
        }
    };
    Some(what.to_owned())
}

/// A tier or a service, by its index.
#[derive(Clone, Copy)]
enum At {
    Tier(usize),
    Service(usize),
}

impl At {
    fn common(self, program: &mut Program) -> &mut generate::Common {
        match self {
            At::Tier(at) => &mut program.tiers[at].common,
            At::Service(at) => &mut program.services[at].common,
        }
    }

    /// Whether it is a service below a tier.
    fn is_below(self, program: &Program) -> bool {
        matches!(self, At::Service(at) if program.services[at].tier.is_some())
    }

    /// The kinds of the service, or of those below the tier.
    fn kinds(self, program: &Program) -> Vec<Kind> {
        match self {
            At::Service(at) => vec![program.services[at].kind.clone()],
            At::Tier(at) => {
                let below = program
                    .services
                    .iter()
                    .filter(|service| service.tier == Some(at));
                below.map(|service| service.kind.clone()).collect()
            }
        }
    }
}

fn some_common(program: &Program, rng: &mut Rng) -> At {
    let at = rng.index(program.tiers.len() + program.services.len());
    at.checked_sub(program.tiers.len())
        .map_or(At::Tier(at), At::Service)
}

/// More of it: the low end of a range, or the limit of a burst. A higher request of a burst alone is not more: the
/// node is charged the limit for every pod that may be there, and the request only moves where it is counted.
fn raise_memory(memory: &mut Memory, by: u64, rng: &mut Rng) {
    match memory {
        Memory::One(one) => *one = one.more(by),
        Memory::Range(low, high, name) => {
            *low = low.more(by);
            if low.bytes > high.bytes {
                *high = low.clone();
            }
            *name = None;
        }
        Memory::Burst(request, limit) => {
            // Both up to whole Mi, so that the limit grows by no less than the request.
            let more = limit.more(by + MIB);
            if rng.chance(50) {
                *request = request.more(by);
            }
            *limit = more;
        }
    }
}

/// Errors of the budget that come before anything is chosen. An overcommitted node (BZ4006) is judged by what the
/// ranges came to, and limits that are too small to live in (BZ4002) are mended by more memory.
const OVER: [&str; 3] = ["BZ4001", "BZ4003", "BZ4004"];

#[test]
fn more_demand_never_makes_a_program_fit() {
    let mut findings = Findings::default();
    let (mut tried, mut over) = (0, 0);
    for seed in 0..500 {
        // Just over, so that little would make it fit.
        let size = if seed % 8 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = generate::program(20_000 + seed, size, (85, 125));
        let text = program.text();
        let before = check(&text, program.env());
        let found = errors(&before);
        if found.is_empty() || found.iter().any(|error| !OVER.contains(&error.id)) {
            continue;
        }
        over += 1;
        let mut rng = Rng::new(seed);
        for _ in 0..3 {
            let mut pressed = program.clone();
            let Some(what) = press(&mut pressed, &mut rng) else {
                continue;
            };
            let text_after = pressed.text();
            let after = check(&text_after, program.env());
            tried += 1;
            let left = errors(&after);
            if left.is_empty() {
                findings.add(
                    format!("{what} made it fit"),
                    &format!("{text}--- with {what}\n{text_after}"),
                    &shown(&before),
                );
            } else if let Some(other) = left.iter().find(|error| !error.id.starts_with("BZ4")) {
                findings.add(
                    format!("the test wrote {}", other.id),
                    &text_after,
                    &other.message,
                );
            }
        }
    }
    findings.assert_none();
    assert!(
        over > 150 && tried > 350,
        "{over} programs over budget, {tried} changes"
    );
}

/// A program with a number in one place, and the largest numbers that may stand there.
const HUGE: [(&str, &str); 20] = [
    ("node", "memory = 17179869183Gi"),
    ("node", "memory = 4Gi  reserve = 17179869183Gi"),
    ("node", "memory = 17179869183Gi  reserve = 17179869183Gi"),
    (
        "node",
        "memory = 17179869183Gi  overcommit = 18446744073709551615%",
    ),
    (
        "node",
        "memory = 4Gi  eviction-hard = 17179869183Gi  max-pods = 18446744073709551615",
    ),
    ("k3s", "shim = 17179869183Gi  memory = 17179869183Gi"),
    (
        "coredns",
        "memory { request = 17179869183Gi  limit = 17179869183Gi }",
    ),
    ("coredns", "cpu = 18446744073709551"),
    ("service", "memory = 17179869183Gi  replicas = 1000000"),
    (
        "service",
        "memory = 32Mi..17179869183Gi  replicas = 1000000  weight = 1000000",
    ),
    (
        "service",
        "memory { request = 1Mi  limit = 17179869183Gi }  replicas = 1000000",
    ),
    (
        "service",
        "memory = 32Mi  cpu = 18446744073709551615m  replicas = 1000000  rollout = surge 1000%",
    ),
    (
        "service",
        "memory = 32Mi  replicas = 1000000  rollout = surge 1000000",
    ),
    (
        "service",
        "memory = 32Mi  sidecar a { image = \"acme/a:1\"  memory = 17179869183Gi }  sidecar b { image = \"acme/b:1\"  \
         memory = 17179869183Gi }",
    ),
    (
        "service",
        "memory = 17179869183Gi  init a { image = \"acme/a:1\"  memory = 17179869183Gi }  scale = 1..100000  cpu = 1",
    ),
    (
        "service",
        "memory { request = 1Mi  limit = 17179869183Gi }  sidecar a { image = \"acme/a:1\"  memory = 17179869183Gi }",
    ),
    (
        "service",
        "memory = 32Mi  cpu = 18446744073709551615m  sidecar a { image = \"acme/a:1\"  memory = 12Mi  cpu = \
         18446744073709551615m }",
    ),
    (
        "cron",
        "memory = 17179869183Gi  parallelism = 100000  concurrency = allow  at-most = 100000",
    ),
    (
        "cron",
        "memory = 32Mi..17179869183Gi  parallelism = 100000  concurrency = replace",
    ),
    ("budget", "17179869183Gi"),
];

#[test]
fn numbers_of_any_size_are_counted() {
    // Two at a time: a sum of two numbers can be too large where each of them is not.
    let mut findings = Findings::default();
    for (at, first) in HUGE.iter().enumerate() {
        for second in &HUGE[at..] {
            let of = |kind: &str, otherwise: &str| {
                let given: Vec<&str> = [first, second]
                    .into_iter()
                    .filter(|(own, _)| *own == kind)
                    .map(|(_, text)| *text)
                    .collect();
                given
                    .first()
                    .map_or(otherwise.to_owned(), |text| (*text).to_owned())
            };
            let other = if first.0 == "service" {
                second
            } else {
                &("service", "memory = 64Mi")
            };
            let other = if other.0 == "service" {
                other.1
            } else {
                "memory = 64Mi"
            };
            let text = format!(
                "edition = 1\nnode pi {{ {} }}\nk3s {{ {} }}\ncomponent coredns {{ {} }}\nbudget all = {}\n\
                 service api {{ {}  image = \"acme/api:1\" }}\nservice web {{ {other}  image = \"acme/web:1\" }}\n\
                 cron night {{ {}  image = \"acme/night:1\"  schedule = \"@daily\" }}\n",
                of("node", "memory = 4Gi  cpu = 4"),
                of("k3s", "disable = [traefik]"),
                of("coredns", "memory = 64Mi"),
                of("budget", "2Gi"),
                of("service", "memory = 64Mi"),
                of("cron", "memory = 64Mi"),
            );
            let all = || {
                let world = MemoryWorld::default();
                let analysis = Session::default().read(&world, FILE, text.clone());
                analysis.view(&world, &Options::default(), |view| {
                    (view.output().map(|output| output.files), view.ledger(64))
                })
            };
            if std::panic::catch_unwind(all).is_err() {
                findings.add(format!("{} = {}", first.0, first.1), &text, "panics");
            }
        }
    }
    findings.assert_none();
}

#[test]
fn the_same_text_gives_the_same_bytes_formatted_or_not() {
    let mut findings = Findings::default();
    for seed in 0..250 {
        let size = if seed % 5 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = generate::any(40_000 + seed, size, (50, 110));
        let text = program.text();
        let first = meaning(compile(&text, program.env()));
        let second = meaning(compile(&text, program.env()));
        if let Some(what) = difference(&first, &second) {
            findings.add("compiled twice".to_owned(), &text, &what);
        }
        let Ok(formatted) = bzc::format(&text) else {
            findings.add("not formatted".to_owned(), &text, "");
            continue;
        };
        if bzc::format(&formatted).as_ref() != Ok(&formatted) {
            findings.add("formatted twice".to_owned(), &text, &formatted);
        }
        let third = meaning(compile(&formatted, program.env()));
        if let Some(what) = difference(&first, &third) {
            findings.add(
                "formatted".to_owned(),
                &text,
                &format!("{formatted}\n{what}"),
            );
        }
    }
    findings.assert_none();
}

/// A number of the report.
fn number(value: &Value) -> u64 {
    value.as_u64().expect("the report has this number")
}
