//! What `bzc init` writes and says. `init/<case>/machine/` is what the machine says, a file each, and `project/` the folder
//! that it is run in; beside them are the program, `budget.bz`, and `said.txt`: what it said, and what `bzc check` says of
//! the program. Nothing of the machine that runs the test is read.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::run;
use crate::support::{bless, corpus};

fn copy(from: &Path, to: &Path) {
    for file in corpus::files(from) {
        corpus::write(&to.join(corpus::below(&file, from)), &corpus::bytes(&file));
    }
}

#[test]
fn a_first_program_fits_what_is_there() {
    let top = corpus::root().join("tests/init");
    let mut came_out = BTreeMap::new();
    let cases = corpus::folders(&top);
    assert!(cases.len() >= 10, "the folders are gone");
    for case in &cases {
        let home = tempfile::tempdir().expect("a temporary folder");
        let project = home.path().join("project");
        copy(&case.join("machine"), &home.path().join("machine"));
        copy(&case.join("project"), &project);
        let mut said = String::new();
        let commands = [
            "bzc init --machine ../machine",
            "bzc check",
            "bzc fmt --check",
            "bzc init --machine ../machine",
        ];
        for command in commands {
            said += &format!("$ {command}\n{}\n", run(command, &project));
        }
        let program = corpus::text(&project.join("budget.bz"));
        // What does not fit, for the machine is small, is said by `check`; nothing else is wrong with it.
        let errors = said.lines().filter(|line| line.starts_with("! error[BZ"));
        let wrong: Vec<&str> = errors
            .filter(|line| !line.starts_with("! error[BZ4"))
            .collect();
        assert!(
            wrong.is_empty(),
            "{}: {wrong:?}\n{program}",
            corpus::shown(case)
        );
        let exists = said
            .trim_end()
            .ends_with("! error: `budget.bz` exists, and is left as it is\n? 2");
        assert!(
            exists,
            "{}: it writes over a program:\n{said}",
            corpus::shown(case)
        );
        came_out.insert(case.join("budget.bz"), program.into_bytes());
        came_out.insert(
            case.join("said.txt"),
            format!("{}\n", said.trim_end()).into_bytes(),
        );
    }
    let is_expectation = |path: &str| {
        let mut parts = path.split('/').skip(1);
        matches!(
            (parts.next(), parts.next()),
            (Some("budget.bz" | "said.txt"), None)
        )
    };
    bless::settle(bless::there(&top, is_expectation), &came_out);
}
