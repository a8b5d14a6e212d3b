//! What a person sees of a plan: `bzc plan` of every example, as a snapshot that holds the program too.
//! `INSTA_UPDATE=always cargo test ledger` writes them anew.

use bzc::{MemoryWorld, Options, Session};

use crate::generate::{self, Rng, Size};
use crate::golden::examples;
use crate::support::corpus;
use crate::support::world::Folder;

#[test]
fn ledgers_of_examples_are_as_seen() {
    let mut seen = 0;
    for case in examples() {
        let text = case.text();
        let world = Folder::new(&case.folder);
        let analysis = Session::default().read(&world, case.program, text.clone());
        let ledger = analysis.view(&world, &Options::default(), |view| view.ledger(64));
        let ledger = ledger.unwrap_or_default();
        assert!(
            ledger.contains("liveness"),
            "{} has no ledger",
            corpus::shown(&case.folder)
        );
        let name = corpus::stem(&case.folder);
        insta::with_settings!({ description => text, omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, ledger);
        });
        seen += 1;
    }
    assert!(seen >= 4, "only {seen} examples");
}

/// One service of the size that the last line promises fits, and one of a Mi more does not.
#[test]
fn the_largest_service_that_is_promised_fits() {
    let session = Session::default();
    let world = MemoryWorld::default();
    let mut tried = 0;
    for seed in 0..120 {
        let mut rng = Rng::new(seed);
        let size = *rng.pick(&[Size::Tiny, Size::Small]);
        let program = generate::any(40_000 + seed, size, (40, 95));
        let (text, env) = (program.text(), program.env());
        let options = Options {
            env,
            ..Default::default()
        };
        let analysis = session.read(&world, "budget.bz", text.clone());
        let ledger = analysis.view(&world, &options, |view| view.ledger(64));
        let ledger = ledger.unwrap_or_default();
        let said = ledger.split("one service of up to ").nth(1);
        let Some(most) = said.and_then(|rest| rest.split("Mi").next()?.parse::<u64>().ok()) else {
            continue;
        };
        tried += 1;
        let holds = |memory: u64| {
            let more =
                format!("{text}\nservice one-more {{ memory = {memory}Mi  image = \"a/b:1\" }}\n");
            let found = session.check(&world, "budget.bz", more, &options);
            !found.has_errors()
        };
        assert!(holds(most), "{most}Mi more do not fit:\n{text}");
        assert!(!holds(most + 1), "{most}Mi more are not the most:\n{text}");
    }
    assert!(tried > 8, "{tried} programs have room");
}
