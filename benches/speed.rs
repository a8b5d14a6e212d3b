//! How long `bzc` takes, as a ratio to the least that any program could take.
//!
//! Every case is a whole process on a generated program of N services, beside a floor: this very binary, started
//! again to do the same work by hand.
//!
//! | floor | what it does |
//! |---|---|
//! | `--empty` | nothing: a Rust process that starts and ends |
//! | `--floor check FILE` | reads FILE once with a parser of just this subset, adds up the memory, prints a line |
//! | `--floor build FILE OUT` | the same, then N Deployments and N Services into one string and that into one file |
//! | `--floor write PACK DIR` | creates the files that bzc wrote, from one file that holds them all; syncs nothing |
//! | `--floor compare PACK DIR` | reads the files that bzc wrote and compares them with that one file |
//!
//! Milliseconds say more about the machine and its neighbours than about bzc; they are there to explain the ratios.
//! bzc and its floors take turns, so noise hits both, and a ratio is one of medians. A missed goal is marked and fails
//! nothing; a command that fails does, and so does a rebuild that changes a byte: `compare` follows each of them.
//! Only `cargo bench` measures, because any other profile would measure another program.

#![expect(clippy::print_stdout, reason = "the table is what a benchmark is for")]
#![expect(clippy::disallowed_types, reason = "a benchmark needs a clock")]
#![expect(
    clippy::disallowed_methods,
    reason = "the floors and the harness read and write files themselves"
)]

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const BZC: &str = env!("CARGO_BIN_EXE_bzc");
const TIME: &str = "/usr/bin/time";
/// A case stops after this long, with at least three runs.
const PATIENCE: Duration = Duration::from_secs(20);
/// When the first build of 10,000 services takes longer, it is not repeated.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> Outcome {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--empty"] => {}
        ["--floor", "check", file] => floor_compile(file, None)?,
        ["--floor", "build", file, out] => floor_compile(file, Some(out))?,
        ["--floor", "write", pack, dir] => floor_write(pack, Path::new(dir))?,
        ["--floor", "compare", pack, dir] => floor_compare(pack, Path::new(dir))?,
        [.., "--bench"] => bench()?,
        _ => println!("nothing measured: `cargo bench` does"),
    }
    Ok(())
}

// --- the program ------------------------------------------------------------------------------------------------

fn program(services: usize) -> Outcome<String> {
    let mut text = String::from(
        r#"edition = 1
node big { memory = 4000Gi  cpu = 4000  reserve = 400Mi  max-pods = 30000 }
k3s { version = "v1.33.3+k3s1"  memory = 600Mi  disable = [traefik, servicelb, metrics-server] }
tier agent { memory = 32Mi..48Mi  cpu = 10m..50m }
"#,
    );
    for i in 1..=services {
        write!(
            text,
            r#"service svc-{i:05} {{ tier = agent  image = "ghcr.io/acme/svc:1.0.{}"  "#,
            i % 50
        )?;
        write!(
            text,
            r#"port = {}  replicas = 2  override cpu = 20m..60m  "#,
            8000 + i % 1000
        )?;
        write!(
            text,
            r#"env {{ LOG_LEVEL = "info"  REGION = "eu"  WORKERS = 1  NAME = "svc-{i:05}" }}  "#
        )?;
        writeln!(text, r#"readiness = "/ready"  liveness = "/healthz" }}"#)?;
    }
    Ok(text)
}

// --- the floors: parse by hand, print by hand -------------------------------------------------------------------

#[derive(Clone, Default)]
struct Service<'a> {
    name: &'a str,
    image: &'a str,
    port: &'a str,
    replicas: &'a str,
    memory: (&'a str, &'a str),
    cpu: (&'a str, &'a str),
    env: [(&'a str, &'a str); 4],
    readiness: &'a str,
    liveness: &'a str,
}

fn floor_compile(file: &str, out: Option<&str>) -> Outcome {
    let text = fs::read_to_string(file)?;
    let services = parse(&text).ok_or("the file ends too early")?;
    let mut sum = 0;
    for service in &services {
        sum += service.memory.0.trim_end_matches("Mi").parse::<u64>()?
            * service.replicas.parse::<u64>()?;
    }
    if let Some(out) = out {
        let mut yaml = String::with_capacity(services.len() * 2048);
        services
            .iter()
            .for_each(|service| print(&mut yaml, service));
        fs::write(out, yaml)?;
    }
    println!("{} services, {sum}Mi", services.len());
    Ok(())
}

/// The generated text has blanks around all that is not a blank.
fn parse(text: &str) -> Option<Vec<Service<'_>>> {
    let (mut tier, mut services) = (Service::default(), Vec::new());
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        match word {
            "tier" => tier = parse_block(tier, &mut words)?,
            "service" => services.push(parse_block(tier.clone(), &mut words)?),
            _ => {}
        }
    }
    Some(services)
}

fn parse_block<'a>(
    start: Service<'a>,
    words: &mut impl Iterator<Item = &'a str>,
) -> Option<Service<'a>> {
    let mut service = Service {
        name: words.next()?,
        ..start
    };
    loop {
        match words.next()? {
            "}" => return Some(service),
            "image" => service.image = unquoted(words.nth(1)?),
            "port" => service.port = words.nth(1)?,
            "replicas" => service.replicas = words.nth(1)?,
            "memory" => service.memory = words.nth(1)?.split_once("..")?,
            "cpu" => service.cpu = words.nth(1)?.split_once("..")?,
            "env" => {
                words.next()?;
                for pair in &mut service.env {
                    *pair = (words.next()?, unquoted(words.nth(1)?));
                }
                words.next()?;
            }
            "readiness" => service.readiness = unquoted(words.nth(1)?),
            "liveness" => service.liveness = unquoted(words.nth(1)?),
            _ => {}
        }
    }
}

fn unquoted(word: &str) -> &str {
    word.strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'))
        .unwrap_or(word)
}

fn print(out: &mut String, service: &Service<'_>) {
    let Service {
        name,
        port,
        memory: (_, memory),
        cpu,
        ..
    } = service;
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&[
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ",
        name,
        "\nspec:\n  replicas: ",
    ]);
    push(&[
        service.replicas,
        "\n  strategy:\n    rollingUpdate:\n      maxSurge: 0\n      maxUnavailable: 1\n",
    ]);
    push(&[
        "  selector:\n    matchLabels:\n      app: ",
        name,
        "\n  template:\n    metadata:\n      labels:\n",
    ]);
    push(&[
        "        app: ",
        name,
        "\n    spec:\n      containers:\n        - name: ",
        name,
        "\n          image: ",
    ]);
    push(&[
        service.image,
        "\n          ports:\n            - containerPort: ",
        port,
        "\n          env:\n",
    ]);
    for (key, value) in service.env {
        push(&[
            "            - name: ",
            key,
            "\n              value: \"",
            value,
            "\"\n",
        ]);
    }
    for (bound, cpu) in [
        ("          resources:\n            requests", cpu.0),
        ("            limits", cpu.1),
    ] {
        push(&[
            bound,
            ":\n              cpu: ",
            cpu,
            "\n              memory: ",
            memory,
            "\n",
        ]);
    }
    for (probe, path) in [
        ("          readiness", service.readiness),
        ("          liveness", service.liveness),
    ] {
        push(&[
            probe,
            "Probe:\n            httpGet:\n              path: ",
            path,
            "\n              port: ",
            port,
            "\n",
        ]);
    }
    push(&[
        "          securityContext:\n            allowPrivilegeEscalation: false\n            capabilities:\n",
    ]);
    push(&[
        "              drop:\n                - ALL\n            readOnlyRootFilesystem: true\n",
    ]);
    push(&[
        "            runAsNonRoot: true\n            seccompProfile:\n              type: RuntimeDefault\n",
    ]);
    push(&[
        "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: ",
        name,
        "\nspec:\n  selector:\n    app: ",
        name,
    ]);
    push(&[
        "\n  ports:\n    - port: ",
        port,
        "\n      targetPort: ",
        port,
        "\n---\n",
    ]);
}

// --- the floors: files ------------------------------------------------------------------------------------------

/// All files of a folder as one: for each a line `LENGTH PATH`, then its bytes.
fn pack(dir: &Path, folder: &Path, all: &mut Vec<u8>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            pack(dir, &path, all)?;
            continue;
        }
        let bytes = fs::read(&path)?;
        writeln!(all, "{} {}", bytes.len(), path.strip_prefix(dir)?.display())?;
        all.extend(bytes);
    }
    Ok(())
}

fn unpack(pack: &str, mut each: impl FnMut(&str, &[u8]) -> Outcome) -> Outcome {
    let all = fs::read(pack)?;
    let mut rest = &all[..];
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (length, path) = str::from_utf8(&rest[..end])?
            .split_once(' ')
            .ok_or("no path")?;
        let (bytes, after) = rest[end + 1..]
            .split_at_checked(length.parse()?)
            .ok_or("too short")?;
        each(path, bytes)?;
        rest = after;
    }
    Ok(())
}

fn floor_write(pack: &str, dir: &Path) -> Outcome {
    unpack(pack, |path, bytes| {
        let path = dir.join(path);
        fs::write(&path, bytes).or_else(|_| {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            Ok(fs::write(&path, bytes)?)
        })
    })
}

fn floor_compare(pack: &str, dir: &Path) -> Outcome {
    unpack(pack, |path, bytes| {
        match fs::read(dir.join(path))? == bytes {
            true => Ok(()),
            false => Err(format!("{path} changed").into()),
        }
    })
}

// --- the cases --------------------------------------------------------------------------------------------------

fn bench() -> Outcome {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
    clear(&dir)?;
    println!(
        "\nwhole processes, medians; noise is p25..p75; files in {}\n",
        dir.display()
    );
    print_row([
        "case / floor",
        "N",
        "runs",
        "bzc ms",
        "floor ms",
        "ratio",
        "goal",
        "",
        "bzc noise",
        "floor noise",
    ]);
    for (n, rounds, goal) in [
        (1, 61, Goal::None),
        (20, 61, Goal::None),
        (1_000, 31, Goal::Ratio(5)),
        (10_000, 11, Goal::Ratio(6)),
    ] {
        let case = Case {
            n,
            rounds,
            dir: dir.join(n.to_string()),
            me: env::current_exe()?,
        };
        fs::create_dir_all(&case.dir)?;
        fs::write(case.dir.join("main.bz"), program(n)?)?;
        case.check(goal)?;
        case.build()?;
        if n == 10_000 && cfg!(target_os = "linux") {
            case.peaks()?;
        }
    }
    clear(&dir)
}

struct Case {
    n: usize,
    rounds: usize,
    dir: PathBuf,
    me: PathBuf,
}

impl Case {
    fn check(&self, goal: Goal) -> Outcome {
        let [bzc, parse, print, empty] = self.race([
            self.bzc("check main.bz"),
            self.me("--floor check main.bz"),
            self.me("--floor build main.bz new.yaml"),
            self.me("--empty"),
        ])?;
        if self.n == 1 {
            self.compare("check / empty process", &bzc, &empty, Goal::Ratio(2));
        }
        self.compare("check / parse by hand", &bzc, &parse, Goal::None);
        self.compare("check / parse and print by hand", &bzc, &print, goal);
        Ok(())
    }

    fn build(&self) -> Outcome {
        let kept = self.dir.join("kept");
        let first = self.bzc("build main.bz --out kept").run()?;
        let mut all = Vec::new();
        pack(&kept, &kept, &mut all)?;
        fs::write(self.dir.join("pack"), all)?;
        if self.n < 10_000 {
            let [bzc, one, same] = self.race([
                self.bzc("build main.bz --out new"),
                self.me("--floor build main.bz new.yaml"),
                self.me("--floor write pack new-copy"),
            ])?;
            self.compare("build, all new / one file by hand", &bzc, &one, Goal::None);
            self.compare(
                "build, all new / same files, no sync",
                &bzc,
                &same,
                Goal::None,
            );
        }
        if first < LIMIT {
            let [bzc, floor] = self.race([
                self.bzc("build main.bz --out kept"),
                self.me("--floor compare pack kept"),
            ])?;
            self.compare(
                "build, unchanged / read and compare",
                &bzc,
                &floor,
                Goal::Ratio(3),
            );
        }
        Ok(())
    }

    fn peaks(&self) -> Outcome {
        let by_time = Path::new(TIME).exists();
        println!(
            "\npeak memory, from {}\n",
            if by_time {
                TIME
            } else {
                "VmHWM in /proc, polled until the exit"
            }
        );
        print_row([
            "case / floor",
            "N",
            "runs",
            "bzc MiB",
            "floor MiB",
            "ratio",
            "goal",
            "",
            "",
            "",
        ]);
        for (name, bzc, floor) in [
            (
                "check / parse by hand",
                "check main.bz",
                "--floor check main.bz",
            ),
            (
                "build, all new / one file by hand",
                "build main.bz --out new",
                "--floor build main.bz new.yaml",
            ),
            (
                "build, unchanged / read and compare",
                "build main.bz --out kept",
                "--floor compare pack kept",
            ),
        ] {
            self.bzc(bzc).run()?; // shows what is broken
            let [bzc, floor] = [self.bzc(bzc).peak(by_time)?, self.me(floor).peak(by_time)?]
                .map(|kib| Sample::of(vec![kib * 100 / 1024]));
            self.compare(name, &bzc, &floor, Goal::Peak(150));
        }
        Ok(())
    }

    fn bzc<'a>(&'a self, args: &'a str) -> Racer<'a> {
        Racer {
            program: BZC.as_ref(),
            args,
            dir: &self.dir,
        }
    }

    fn me<'a>(&'a self, args: &'a str) -> Racer<'a> {
        Racer {
            program: self.me.as_ref(),
            args,
            dir: &self.dir,
        }
    }

    /// Runs all in turn, again and again.
    fn race<const R: usize>(&self, racers: [Racer<'_>; R]) -> Outcome<[Sample; R]> {
        let mut times = [const { Vec::new() }; R];
        for racer in &racers {
            racer.run()?; // warms the caches, and shows what is broken
        }
        let start = Instant::now();
        for round in 0..self.rounds {
            if round >= 3 && start.elapsed() > PATIENCE {
                break;
            }
            for (racer, times) in racers.iter().zip(&mut times) {
                times.push((racer.run()?.as_nanos() + 5_000) / 10_000);
            }
        }
        Ok(times.map(Sample::of))
    }

    fn compare(&self, case: &str, bzc: &Sample, floor: &Sample, goal: Goal) {
        let ratio = (bzc.median * 100 + floor.median / 2) / floor.median.max(1);
        let (goal, met) = match goal {
            Goal::None => (String::new(), None),
            Goal::Ratio(most) => (format!("<= {most}x"), Some(ratio <= most * 100)),
            Goal::Peak(most) => (format!("<= {most} MiB"), Some(bzc.median <= most * 100)),
        };
        let (n, runs) = (self.n.to_string(), bzc.runs.to_string());
        let (ours, least, ratio) = (fixed(bzc.median), fixed(floor.median), fixed(ratio));
        let mark = met.map_or("", |met| if met { "ok" } else { "MISSED" });
        print_row([
            case,
            &n,
            &runs,
            &ours,
            &least,
            &ratio,
            &goal,
            mark,
            &bzc.spread(),
            &floor.spread(),
        ]);
    }
}

#[derive(Clone, Copy)]
enum Goal {
    None,
    /// At most so many times the floor.
    Ratio(u128),
    /// At most so many MiB.
    Peak(u128),
}

/// One side of a comparison. A last argument `new..` is what it writes, and is not there when a run starts.
struct Racer<'a> {
    program: &'a OsStr,
    args: &'a str,
    dir: &'a Path,
}

impl Racer<'_> {
    /// `wrapper` and its arguments stand before the program.
    fn command(&self, wrapper: &[&str]) -> Outcome<Command> {
        let new = self
            .args
            .rsplit(' ')
            .next()
            .filter(|last| last.starts_with("new"));
        new.map_or(Ok(()), |new| clear(&self.dir.join(new)))?;
        let mut words = wrapper
            .iter()
            .map(OsStr::new)
            .chain([self.program])
            .chain(self.args.split(' ').map(OsStr::new));
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .current_dir(self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command)
    }

    fn run(&self) -> Outcome<Duration> {
        let mut command = self.command(&[])?;
        let start = Instant::now();
        let status = command.status()?;
        let time = start.elapsed();
        if status.success() {
            return Ok(time);
        }
        self.command(&[])?
            .stdout(Stdio::inherit())
            .stderr(Stdio::inherit())
            .status()?; // to see why
        Err(format!("{command:?}: {status}").into())
    }

    /// In KiB. What the kernel gives to the parent, or else the last figure before the end, which can be a little low.
    fn peak(&self, by_time: bool) -> Outcome<u128> {
        if by_time {
            let output = self
                .command(&[TIME, "-f", "%M"])?
                .stderr(Stdio::piped())
                .output()?;
            let report = String::from_utf8(output.stderr)?;
            return Ok(report.lines().last().unwrap_or_default().parse()?);
        }
        let mut child = self.command(&[])?.spawn()?;
        let (status, mut peak) = (format!("/proc/{}/status", child.id()), 0);
        while child.try_wait()?.is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
            peak = line.map_or(Ok(peak), str::parse)?;
            thread::sleep(Duration::from_micros(200));
        }
        Ok(peak)
    }
}

/// Milliseconds or MiB, all in hundredths.
struct Sample {
    runs: usize,
    low: u128,
    median: u128,
    high: u128,
}

impl Sample {
    fn of(mut values: Vec<u128>) -> Sample {
        values.sort();
        let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
        Sample {
            runs: values.len(),
            low: at(1),
            median: at(2),
            high: at(3),
        }
    }

    fn spread(&self) -> String {
        if self.runs == 1 {
            String::new()
        } else {
            format!("{}..{}", fixed(self.low), fixed(self.high))
        }
    }
}

fn clear(path: &Path) -> Outcome {
    let gone = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    gone.or_else(|error| {
        if error.kind() == ErrorKind::NotFound {
            Ok(())
        } else {
            Err(error.into())
        }
    })
}

fn print_row(cells: [&str; 10]) {
    let [
        case,
        n,
        runs,
        bzc,
        floor,
        ratio,
        goal,
        mark,
        spread,
        floor_spread,
    ] = cells;
    let row =
        format!("{case:<37} {n:>5} {runs:>4} {bzc:>8} {floor:>9} {ratio:>7}  {goal:<10} {mark:<6}");
    println!(
        "{}",
        format!("{row} {spread:>17} {floor_spread:>17}").trim_end()
    );
}

fn fixed(hundredths: u128) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
