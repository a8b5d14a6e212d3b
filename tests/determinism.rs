//! The same program gives the same bytes: again, from another folder, and through the command line.

use std::collections::BTreeMap;
use std::process::Command;

use crate::golden::{Case, examples, goldens};
use crate::support::corpus;

fn all() -> Vec<Case> {
    goldens().into_iter().chain(examples()).collect()
}

#[test]
fn twice_is_once() {
    for case in all() {
        let text = case.text();
        for env in &case.runs {
            let (first, second) = (
                case.run(&text, env.as_deref()),
                case.run(&text, env.as_deref()),
            );
            assert!(
                first == second,
                "{}: the second time differs",
                corpus::shown(&case.folder)
            );
        }
    }
}

#[test]
fn neither_the_folder_nor_the_way_in_counts() {
    for case in all() {
        let elsewhere = tempfile::tempdir().expect("a temporary folder");
        let there = elsewhere.path().join("some where").join("é");
        let outputs = [case.folder.join("expected"), case.folder.join("out")];
        let is_input =
            |path: &&std::path::PathBuf| outputs.iter().all(|folder| !path.starts_with(folder));
        for path in corpus::files(&case.folder).iter().filter(is_input) {
            corpus::write(
                &there.join(corpus::below(path, &case.folder)),
                &corpus::bytes(path),
            );
        }
        let env = case.runs[0].clone();
        let mut bzc = Command::new(env!("CARGO_BIN_EXE_bzc"));
        let program = there.join(case.program);
        let top = program.with_file_name("out");
        bzc.arg("build").arg(&program);
        let ended = bzc
            .args(env.iter().flat_map(|env| ["--env", env.as_str()]))
            .output()
            .expect("bzc runs");
        assert!(
            ended.status.success(),
            "{}: {}",
            corpus::shown(&case.folder),
            String::from_utf8_lossy(&ended.stderr)
        );
        let mut written: BTreeMap<String, Vec<u8>> = corpus::files(&top)
            .iter()
            .map(|path| (corpus::below(path, &top), corpus::bytes(path)))
            .collect();
        assert!(
            written.remove(".bzc-manifest.json").is_some(),
            "no manifest was written"
        );
        let (here, _) = case.run(&case.text(), env.as_deref());
        assert!(
            here == written,
            "{}: elsewhere it differs",
            corpus::shown(&case.folder)
        );
    }
}
