//! Transcripts of the command line: `cli/*.txt`, each in a fresh folder.
//!
//! ```text
//! --- file budget.bz          the lines up to `---` become a file; `--- bytes` knows `\xFF` escapes
//! ---
//! --- link out/a -> b         a symbolic link
//! --- sparse data 120         a file of so many MiB of nothing
//! $ bzc build - < budget.bz   what is run: `bzc`, `cat`, `ls` or `rm`, perhaps with `| head -N` behind it
//! files in out/               standard output
//! ! error: ..                 standard error
//! ? 2                         the exit code, unless 0
//! ```
//!
//! Comments stand at the top or behind a set-up; behind a command everything is what it said.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{bless, corpus};

/// What a transcript does.
enum Step<'t> {
    /// A comment, a blank line, or a set-up block as it was written.
    Kept(&'t str),
    File {
        name: &'t str,
        text: String,
        escaped: bool,
    },
    Link {
        from: &'t str,
        to: &'t str,
    },
    Sparse {
        name: &'t str,
        mib: u64,
    },
    Run(&'t str),
}

/// The steps of a transcript, expectations left out.
fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("--- link ") {
            let (from, to) = rest.split_once(" -> ").unwrap_or((rest, ""));
            steps.extend([Step::Kept(line), Step::Link { from, to }]);
        } else if let Some((name, mib)) = line
            .strip_prefix("--- sparse ")
            .and_then(|rest| rest.split_once(' '))
        {
            steps.extend([
                Step::Kept(line),
                Step::Sparse {
                    name,
                    mib: mib.parse().unwrap_or_default(),
                },
            ]);
        } else if let Some(name) = line
            .strip_prefix("--- file ")
            .or(line.strip_prefix("--- bytes "))
        {
            steps.push(Step::Kept(line));
            let mut content = String::new();
            for inside in lines.by_ref() {
                steps.push(Step::Kept(inside));
                if inside == "---" {
                    break;
                }
                content.push_str(inside);
                content.push('\n');
            }
            steps.push(Step::File {
                name,
                text: content,
                escaped: line.starts_with("--- bytes "),
            });
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run(command));
            let begins = ["$ ", "--- file ", "--- bytes ", "--- link ", "--- sparse "];
            let over = |next: &&str| begins.iter().any(|begin| next.starts_with(begin));
            while lines.next_if(|next| !over(next)).is_some() {}
        } else {
            steps.push(Step::Kept(line));
        }
    }
    steps
}

/// `\xFF` to the byte, all else as it is; the last line has no end, so that a file can end anywhere.
fn unescape(text: &str) -> Vec<u8> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(byte) = digits else {
            unreachable!("`\\x{part}` is no escape")
        };
        bytes.push(byte);
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// Runs a transcript, and writes it as it went.
fn replay(text: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut went = String::new();
    for step in steps(text) {
        match step {
            Step::Kept(line) => went += &format!("{line}\n"),
            Step::File {
                name,
                text,
                escaped,
            } => {
                let bytes = if escaped {
                    unescape(&text)
                } else {
                    text.into_bytes()
                };
                corpus::write(&folder.path().join(name), &bytes);
            }
            Step::Sparse { name, mib } => corpus::sparse(&folder.path().join(name), mib << 20),
            Step::Link { from, to } => link(&folder.path().join(from), to),
            Step::Run(command) => {
                let output = run(command, folder.path());
                went += &format!("$ {command}\n{output}\n");
            }
        }
    }
    format!("{}\n", went.trim_end())
}

#[cfg(unix)]
fn link(from: &Path, to: &str) {
    let made = std::os::unix::fs::symlink(to, from);
    assert!(made.is_ok(), "{}: {made:?}", from.display());
}

#[cfg(not(unix))]
fn link(_: &Path, _: &str) {}

/// The words of a command; those between single quotes are one.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.collect()
}

/// Runs one command in a folder: what it prints, what it complains of, how it ends.
pub(crate) fn run(command: &str, folder: &Path) -> String {
    let (command, lines) = match command.split_once(" | head -") {
        Some((command, lines)) => (command, lines.parse().unwrap_or(usize::MAX)),
        None => (command, usize::MAX),
    };
    let (command, input) = command.split_once(" < ").unwrap_or((command, ""));
    let words = words(command);
    match words.as_slice() {
        ["bzc", args @ ..] => {
            let input = if input.is_empty() {
                Vec::new()
            } else {
                corpus::bytes(&folder.join(input))
            };
            bzc(args, &input, folder, lines)
        }
        ["cat", name] => corpus::text(&folder.join(name)),
        ["ls", name] => {
            let top = folder.join(name);
            corpus::files(&top)
                .iter()
                .map(|path| format!("{}\n", corpus::below(path, &top)))
                .collect()
        }
        ["rm", name] => {
            corpus::remove(&folder.join(name));
            String::new()
        }
        _ => unreachable!("a transcript runs bzc, cat, ls or rm, not `{command}`"),
    }
}

fn bzc(args: &[&str], input: &[u8], folder: &Path, lines: usize) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bzc"))
        .args(args)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bzc starts");
    // A program that does not read its input may be gone before it is written.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    let ended = child.wait_with_output().expect("bzc ends");
    let clean = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace(&folder.display().to_string(), "[HERE]")
    };
    let mut output = String::new();
    for line in clean(&ended.stdout).lines().take(lines) {
        output += &format!("{line}\n");
    }
    for line in clean(&ended.stderr).lines() {
        output += format!("! {line}").trim_end();
        output.push('\n');
    }
    match ended.status.code() {
        Some(0) => output,
        Some(code) => format!("{output}? {code}\n"),
        None => format!("{output}? killed\n"),
    }
}

#[test]
fn transcripts_go_as_written() {
    let folder = corpus::root().join("tests/cli");
    let mut came_out = BTreeMap::new();
    for path in corpus::ending("tests/cli", ".txt") {
        came_out.insert(path.clone(), replay(&corpus::text(&path)).into_bytes());
    }
    assert!(came_out.len() >= 15, "the transcripts are gone");
    bless::settle(
        bless::there(&folder, |path| path.ends_with(".txt")),
        &came_out,
    );
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn a_manifest_that_may_not_be_read_is_reported() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a temporary folder");
    let program =
        "node a { memory = 2000Mi  reserve = 200Mi }\nadopt \"*.yaml\" { memory = 32Mi }\n";
    fs::write(home.path().join("budget.bz"), program).expect("a program");
    let secret = home.path().join("secret.yaml");
    fs::write(&secret, "kind: Pod\n").expect("a manifest");
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).expect("a mode");
    if fs::read(&secret).is_ok() {
        eprintln!("skipped: this user may read every file");
        return;
    }
    let ran = Command::new(env!("CARGO_BIN_EXE_bzc"))
        .arg("build")
        .current_dir(home.path())
        .output()
        .expect("bzc");
    let output = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{output}");
    assert!(
        output.contains("BZ6001")
            && output.contains("`secret.yaml` cannot be read: permission denied"),
        "{output}"
    );
    assert!(!home.path().join("out").exists(), "nothing is written");
}
