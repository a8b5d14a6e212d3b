//! Whole outputs. `golden/<case>/main.bz` compiles to exactly `golden/<case>/expected/`. Each line of `args` is one run
//! (`none`, or `--env NAME`): the first in full, the others as a diff against it in `expected.<run>.diff`. What a
//! program is warned of is in `expected.stderr`. Examples keep their output where their user finds it, in `out/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::world::Folder;
use crate::support::{bless, compile, corpus, said};

/// A program with what it compiles to, for all tests that want working programs.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    /// The name of the program in the folder.
    pub(crate) program: &'static str,
    /// The environments to compile for.
    pub(crate) runs: Vec<Option<String>>,
}

impl Case {
    pub(crate) fn text(&self) -> String {
        corpus::text(&self.folder.join(self.program))
    }

    /// The files of one run, and what was said.
    pub(crate) fn run(&self, text: &str, env: Option<&str>) -> (BTreeMap<String, Vec<u8>>, String) {
        let compilation = compile(&Folder::new(&self.folder), self.program, text, env);
        let messages = said(&compilation);
        let Some(output) = compilation.output else {
            unreachable!(
                "{} does not compile:\n{messages}",
                corpus::shown(&self.folder)
            );
        };
        (output.files.into_iter().collect(), messages)
    }
}

/// All goldens, sorted.
pub(crate) fn goldens() -> Vec<Case> {
    corpus::folders(&corpus::root().join("tests/golden"))
        .into_iter()
        .map(|folder| {
            let args =
                corpus::text_if_any(&folder.join("args")).unwrap_or_else(|| "none\n".to_owned());
            let runs = args.lines().map(|line| match line.strip_prefix("--env ") {
                Some(env) => Some(env.to_owned()),
                None => {
                    assert_eq!(
                        line,
                        "none",
                        "{}/args: `none` or `--env NAME`",
                        corpus::shown(&folder)
                    );
                    None
                }
            });
            Case {
                program: "main.bz",
                runs: runs.collect(),
                folder,
            }
        })
        .collect()
}

/// All examples with a program, sorted.
pub(crate) fn examples() -> Vec<Case> {
    let folders = corpus::folders(&corpus::root().join("examples")).into_iter();
    let with_program = folders.filter(|folder| folder.join("budget.bz").is_file());
    with_program
        .map(|folder| Case {
            folder,
            program: "budget.bz",
            runs: vec![None],
        })
        .collect()
}

fn is_expectation(path: &str) -> bool {
    let (_, inside) = path.split_once('/').unwrap_or_default();
    inside.starts_with("expected")
}

#[test]
fn goldens_compile_to_their_expected_files() {
    let cases = goldens();
    assert!(cases.len() >= 8, "the goldens are gone");
    let mut came_out = BTreeMap::new();
    for case in &cases {
        let text = case.text();
        let mut first = None;
        for env in &case.runs {
            let (files, messages) = case.run(&text, env.as_deref());
            assert!(
                files.keys().all(|path| is_plain(path)),
                "{}: odd paths",
                corpus::shown(&case.folder)
            );
            let Some((full, full_messages)) = &first else {
                for (path, bytes) in &files {
                    came_out.insert(case.folder.join("expected").join(path), bytes.clone());
                }
                if !messages.is_empty() {
                    came_out.insert(
                        case.folder.join("expected.stderr"),
                        messages.clone().into_bytes(),
                    );
                }
                first = Some((files, messages));
                continue;
            };
            let mut diff = bless::tree_diff(full, &files);
            diff += &bless::diff(full_messages, &messages, "stderr");
            let run = env.as_deref().unwrap_or("none");
            came_out.insert(
                case.folder.join(format!("expected.{run}.diff")),
                diff.into_bytes(),
            );
        }
    }
    bless::settle(
        bless::there(&corpus::root().join("tests/golden"), is_expectation),
        &came_out,
    );
}

fn is_plain(path: &str) -> bool {
    path.split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..")
        && !path.contains('\\')
}

#[test]
fn examples_compile_to_their_out_folder() {
    let cases = examples();
    assert!(!cases.is_empty(), "the examples are gone");
    let mut faults = Vec::new();
    let mut came_out = BTreeMap::new();
    for case in &cases {
        // The program itself writes, so that its manifest is there too and the next `bzc build` may replace the files.
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let out = temporary.path().join("out");
        let ended = Command::new(env!("CARGO_BIN_EXE_bzc"))
            .args(["build", "budget.bz", "--out"])
            .arg(&out)
            .current_dir(&case.folder)
            .output()
            .expect("bzc runs");
        if !ended.status.success() {
            faults.push(format!(
                "{}: {}",
                corpus::shown(&case.folder),
                String::from_utf8_lossy(&ended.stderr)
            ));
            continue;
        }
        for path in corpus::files(&out) {
            let place = case.folder.join("out").join(corpus::below(&path, &out));
            came_out.insert(place, corpus::bytes(&path));
        }
    }
    assert!(
        faults.is_empty(),
        "an example compiles:\n{}",
        faults.join("\n")
    );
    let there = |path: &str| path.split('/').nth(1) == Some("out");
    bless::settle(
        bless::there(&corpus::root().join("examples"), there),
        &came_out,
    );
}

#[test]
fn every_golden_and_example_is_a_program() {
    for case in goldens().iter().chain(&examples()) {
        let program = case.folder.join(case.program);
        assert!(
            Path::new(&program).is_file(),
            "{} is missing",
            corpus::shown(&program)
        );
        assert!(
            !case.runs.is_empty(),
            "{}: an empty `args`",
            corpus::shown(&case.folder)
        );
    }
}
