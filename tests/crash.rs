//! Every command that writes is killed, torn or refused by the system at each call that changes the disk. Whatever
//! happens, each file is as it was or as it is wanted, and the next run finishes the work and leaves nothing beside it.
//!
//! `CRASH=full` tries every error at every call; without it a few are. `CRASH=strace` does the same to the system calls
//! themselves, those of the library that makes temporary files among them: `tests/real/crash` runs it.
#![cfg(unix)]
#![expect(
    clippy::disallowed_methods,
    reason = "these tests look at files and modes as they are on disk"
)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::corpus;

const PROGRAM: &str = r#"edition = 1

node box { memory = 2000Mi  cpu = 2  reserve = 200Mi }

k3s { memory = 500Mi  disable = [traefik, servicelb, metrics-server] }

service hello { image = "registry.example.org/hello:1.0.0"  memory = 32Mi  cpu = 25m }
"#;

const MANIFEST: &str = r"apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: nginx, image: nginx:1.27.4, resources: {limits: {memory: 4Gi}}}]
";

/// A command, what is there before it, and which files of the user it may change.
struct Case {
    name: &'static str,
    args: &'static [&'static str],
    input: &'static str,
    set_up: fn(&Path),
    /// What the command ends with after a run of it that was killed behind its last change.
    again: &'static [i32],
}

const CASES: [Case; 8] = [
    Case {
        name: "build",
        args: &["build"],
        input: "",
        set_up: |here| put(here, "budget.bz", PROGRAM, 0o600),
        again: &[0],
    },
    Case {
        name: "build-changed",
        args: &["build"],
        input: "",
        set_up: |here| {
            let stale = "service stale { image = \"a.example/b:1\"  memory = 32Mi }\n";
            put(here, "budget.bz", &format!("{PROGRAM}{stale}"), 0o600);
            assert_eq!(bzc(here, &["build"], "", None).status.code(), Some(0));
            put(here, "budget.bz", &PROGRAM.replace("32Mi", "48Mi"), 0o600);
            fs::set_permissions(here.join("out/report.json"), Permissions::from_mode(0o600))
                .expect("a mode");
        },
        again: &[0],
    },
    Case {
        name: "write-sources",
        args: &["build", "--write-sources"],
        input: "",
        set_up: |here| {
            let adopt = "adopt \"k8s/*.yaml\" { memory = 48Mi  patch = in-place }\n";
            put(here, "budget.bz", &format!("{PROGRAM}{adopt}"), 0o644);
            put(here, "k8s/secret.yaml", MANIFEST, 0o600);
            let other = MANIFEST.replace("name: web", "name: other");
            put(here, "k8s/other.yaml", &other, 0o640);
        },
        again: &[0],
    },
    Case {
        name: "fmt",
        args: &["fmt", "budget.bz", "lib.bz"],
        input: "",
        set_up: |here| {
            put(here, "budget.bz", &PROGRAM.replace(" = ", "="), 0o600);
            put(here, "lib.bz", "let  a = 1Mi\n", 0o640);
        },
        again: &[0],
    },
    Case {
        name: "init",
        args: &["init"],
        input: "",
        set_up: |_| {},
        again: &[0, 2],
    },
    Case {
        name: "import",
        args: &["import", "-"],
        input: MANIFEST,
        set_up: |_| {},
        again: &[0, 2],
    },
    Case {
        name: "output-file",
        args: &["check", "--format", "json", "--output-file", "found.json"],
        input: "",
        set_up: |here| {
            put_unpinned(here);
            let earlier = "{\"severity\": \"error\", \"message\": \"m\"}\n";
            put(here, "found.json", earlier, 0o600);
        },
        again: &[0],
    },
    Case {
        name: "output-file-new",
        args: &["check", "--format", "sarif", "--output-file", "found.sarif"],
        input: "",
        set_up: put_unpinned,
        again: &[0],
    },
];

fn put(here: &Path, name: &str, text: &str, mode: u32) {
    let path = here.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
}

/// The program with an image that is a finding.
fn put_unpinned(here: &Path) {
    let text = PROGRAM.replace("1.0.0", "latest");
    put(here, "budget.bz", &text, 0o644);
}

/// Runs bzc in a folder. `fault` is what becomes of which of its calls that change the disk, for bzc itself or, as
/// `inject=..`, for strace.
fn bzc(here: &Path, args: &[&str], input: &str, fault: Option<&str>) -> Output {
    use std::io::Write as _;
    let program = env!("CARGO_BIN_EXE_bzc");
    let mut command = match fault.filter(|fault| fault.starts_with("inject=")) {
        Some(inject) => {
            let mut command = Command::new("strace");
            command.args(["-f", "-qqq", "-o", "/dev/null", "-e", inject, program]);
            command
        }
        None => {
            let mut command = Command::new(program);
            command.envs(fault.map(|fault| ("BZC_FAULT", fault)));
            command
        }
    };
    command.args(args).current_dir(here);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bzc starts");
    // A program that does not read its input may be gone before it is written.
    let _ = child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("bzc ends")
}

/// A folder where syncing costs nothing, if there is one.
fn folder() -> tempfile::TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    in_memory.expect("a temporary folder")
}

/// Every file below a folder with its mode and content.
type State = BTreeMap<String, (u32, Vec<u8>)>;

fn state(here: &Path) -> State {
    let of = |path: &Path| {
        let mode = fs::metadata(path).expect("metadata").permissions().mode() & 0o7777;
        (mode, corpus::bytes(path))
    };
    let files = corpus::files(here);
    let name = |path: &Path| corpus::below(path, here);
    files.iter().map(|path| (name(path), of(path))).collect()
}

const TEMPORARY: &str = ".bzc-tmp-";
/// What a build remembers of its files; it has both hashes of each while the build is at work.
const REMEMBERED: &str = "out/.bzc-manifest.json";

fn without_temporary(mut state: State) -> State {
    state.retain(|name, _| !name.contains(TEMPORARY));
    state
}

/// A case with what is there before and after it.
struct Known {
    case: &'static Case,
    before: State,
    after: State,
}

impl Known {
    fn of(case: &'static Case) -> Known {
        let folder = folder();
        (case.set_up)(folder.path());
        let before = state(folder.path());
        let ended = bzc(folder.path(), case.args, case.input, None);
        assert_eq!(ended.status.code(), Some(0), "{}: {ended:?}", case.name);
        let after = state(folder.path());
        assert_ne!(before, after, "{} writes something", case.name);
        Known {
            case,
            before,
            after,
        }
    }

    /// Runs the command with a fault and then as it should be. Returns whether the fault ended it.
    fn survives(&self, fault: &str) -> bool {
        let Known {
            case,
            before,
            after,
        } = self;
        let folder = folder();
        let here = folder.path();
        (case.set_up)(here);
        let ended = bzc(here, case.args, case.input, Some(fault));
        let what = format!("{} with {fault}: {ended:?}", case.name);
        let is_killed = ended.status.code().is_none();
        let then = state(here);
        let names = before.keys().chain(after.keys()).chain(then.keys());
        for name in names {
            let found = then.get(name);
            let is_temporary = name.contains(TEMPORARY);
            if is_temporary && let Some((mode, content)) = found {
                // Where nothing can be removed, something is left.
                let may_stay = is_killed || fault.contains("unlink");
                assert!(may_stay, "{what}: `{name}` is left");
                let is_target = after
                    .values()
                    .any(|target| target == &(*mode, content.clone()));
                let is_list = content.starts_with(b"{\n  \"bzc\": 1");
                assert!(
                    *mode == 0o600 || content.is_empty() || is_target || is_list,
                    "{what}: `{name}` may be read by others ({mode:o})"
                );
            } else if name != REMEMBERED {
                let is_whole = found == before.get(name) || found == after.get(name);
                assert!(is_whole, "{what}: `{name}` is {found:?}");
            }
        }
        if ended.status.code() == Some(0) {
            assert_eq!(
                &without_temporary(then),
                after,
                "{what}: it ends well and is not done"
            );
        } else if !is_killed {
            assert_eq!(ended.status.code(), Some(2), "{what}");
        }
        let again = bzc(here, case.args, case.input, None);
        let code = again.status.code().expect("nothing ends it");
        assert!(case.again.contains(&code), "{what}, then {again:?}");
        let then = match fault.contains("unlink:error") {
            true => without_temporary(state(here)),
            false => state(here),
        };
        if code == 0 {
            assert_eq!(&then, after, "{what}, and once more");
        } else {
            assert!(
                !then.keys().any(|name| name.contains(TEMPORARY)),
                "{what}: something is left"
            );
        }
        is_killed
    }
}

/// ENOSPC, EIO, EACCES, EROFS.
const ERRORS: [u32; 4] = [28, 5, 13, 30];

#[test]
fn whatever_stops_a_command_no_file_is_lost() {
    let asked = std::env::var("CRASH").unwrap_or_default();
    let all = asked == "full";
    for case in &CASES {
        let known = Known::of(case);
        if asked == "strace" {
            let runs = at_system_calls(&known);
            #[expect(clippy::print_stdout, reason = "`tests/real/crash` adds them up")]
            {
                println!("{}: {runs} runs", case.name);
            }
            continue;
        }
        let mut calls = 0;
        while known.survives(&format!("{calls}:tear")) {
            calls += 1;
        }
        assert!(calls > 3, "{}: {calls} calls", case.name);
        for call in 0..calls {
            if all {
                known.survives(&format!("{call}:kill"));
            }
            for (at, error) in ERRORS.iter().enumerate() {
                if all || call % ERRORS.len() == at {
                    known.survives(&format!("{call}:{error}"));
                }
            }
        }
    }
}

/// What changes the disk, and what each of them may be answered.
const SYSTEM_CALLS: [(&str, &[&str]); 9] = [
    ("openat", &[]),
    ("write", &["ENOSPC", "EIO"]),
    ("fdatasync", &["ENOSPC", "EIO"]),
    ("fchmod", &["EIO", "EROFS"]),
    ("rename", &["EIO", "EACCES", "EROFS", "ENOSPC"]),
    ("renameat2", &["EIO", "EACCES", "EROFS", "ENOSPC"]),
    ("unlink", &["EIO", "EACCES", "EROFS"]),
    ("mkdir", &["EIO", "EACCES", "EROFS", "ENOSPC"]),
    ("rmdir", &["EIO"]),
];

/// Kills, interrupts and refuses a command at each of its system calls that change the disk. Returns how often.
fn at_system_calls(known: &Known) -> usize {
    let mut runs = 0;
    for (call, errors) in SYSTEM_CALLS {
        let mut at = 1;
        while known.survives(&format!("inject={call}:signal=KILL:when={at}")) {
            at += 1;
        }
        for at in 1..at {
            let faults = errors.iter().map(|error| format!("error={error}"));
            for fault in faults.chain(["signal=INT".to_owned()]) {
                known.survives(&format!("inject={call}:{fault}:when={at}"));
                runs += 1;
            }
        }
        runs += at;
    }
    runs
}

#[test]
fn what_is_not_printed_whole_is_a_failure() {
    let folder = folder();
    put(folder.path(), "budget.bz", PROGRAM, 0o600);
    for args in [&["plan"][..], &["completions", "bash"], &["fmt", "-"]] {
        let full = fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("the device");
        let ended = Command::new(env!("CARGO_BIN_EXE_bzc"))
            .args(args)
            .current_dir(folder.path())
            .stdin(fs::File::open(folder.path().join("budget.bz")).expect("the program"))
            .stdout(full)
            .output()
            .expect("bzc runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {said}");
        assert!(
            said.contains("error: standard output cannot be written"),
            "{said}"
        );
    }
}

#[test]
fn two_runs_at_once_lose_nothing() {
    for case in &CASES {
        let known = Known::of(case);
        for _ in 0..4 {
            let folder = folder();
            let here = folder.path();
            (case.set_up)(here);
            std::thread::scope(|scope| {
                let run = || bzc(here, case.args, case.input, None);
                let runs = [scope.spawn(run), scope.spawn(run)];
                for run in runs {
                    let ended = run.join().expect("bzc runs");
                    let code = ended.status.code();
                    assert!(
                        code.is_some_and(|code| code < 3),
                        "{}: {ended:?}",
                        case.name
                    );
                }
            });
            let again = bzc(here, case.args, case.input, None);
            let code = again.status.code().expect("nothing ends it");
            assert!(case.again.contains(&code), "{}: {again:?}", case.name);
            assert_eq!(state(here), known.after, "{}", case.name);
        }
    }
}
