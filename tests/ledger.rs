//! What a person sees of a plan: `bzc plan` of every example, as a snapshot that holds the program too.
//! `INSTA_UPDATE=always cargo test ledger` writes them anew.

use bzc::{Options, Session};

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
