//! Messages about programs that are wrong or odd: `ui/<id>-<slug>.bz`, with its messages in the `.stderr` of that name.
//!
//! The name says what is promised. `BZ4001-node.bz` raises one error, and it is BZ4001: one fault is reported once.
//! `unused-let.bz` raises no error and that lint once. `many-colons.bz` has a line `# faults: 3`, and raises so many.
//! A line `# env: prod` compiles for an environment. `ui/used/` holds files for others to use.
//!
//! `ui/bad/` holds what breaks that promise as yet, each with the reason in a line `# bad: ..`. One that keeps it has to
//! move out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bzc::Compilation;

use crate::support::world::Folder;
use crate::support::{applied, bless, check, compile, corpus, ids, said};

/// The programs of a folder, sorted.
fn inputs(folder: &Path) -> Vec<PathBuf> {
    corpus::entries(folder)
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(".bz"))
        .collect()
}

/// What a line `# key: value` at the top says.
fn directive<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let comments = text.lines().map_while(|line| line.strip_prefix("# "));
    comments
        .into_iter()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
}

/// Whether a program raises what its name says, and nothing more.
fn keeps_promise(name: &str, text: &str, compilation: &Compilation) -> bool {
    let (errors, lints) = (ids(compilation, true), ids(compilation, false));
    if let Some(count) = directive(text, "faults") {
        return name.starts_with("many-") && count.parse() == Ok(errors.len());
    }
    let known = bzc::codes()
        .map(|(id, _)| id)
        .filter(|id| name.starts_with(&format!("{id}-")));
    match known.max_by_key(|id| id.len()) {
        Some(code) if code.starts_with("BZ") => errors == [code],
        Some(lint) => errors.is_empty() && lints == [lint],
        None => false,
    }
}

/// Compiles all programs of a folder, compares what was said, and gives back which kept their promise.
fn run(folder: &Path) -> Vec<(String, String, Compilation, bool)> {
    let world = Folder::new(folder);
    let mut came_out = BTreeMap::new();
    let mut ran = Vec::new();
    for path in inputs(folder) {
        let text = corpus::text(&path);
        let name = format!("{}.bz", corpus::stem(&path));
        let compilation = compile(&world, &name, &text, directive(&text, "env"));
        came_out.insert(
            path.with_extension("stderr"),
            said(&compilation).into_bytes(),
        );
        let kept = keeps_promise(&name, &text, &compilation);
        ran.push((name, text, compilation, kept));
    }
    bless::settle(
        bless::there(folder, |path| {
            path.ends_with(".stderr") && !path.contains('/')
        }),
        &came_out,
    );
    ran
}

/// The codes and lints that the programs of `tests/ui` raise.
pub(crate) fn raised() -> BTreeSet<&'static str> {
    let folder = corpus::root().join("tests/ui");
    let world = Folder::new(&folder);
    let mut raised = BTreeSet::new();
    for path in inputs(&folder) {
        let text = corpus::text(&path);
        let name = format!("{}.bz", corpus::stem(&path));
        let compilation = compile(&world, &name, &text, directive(&text, "env"));
        raised.extend(compilation.diagnostics.iter().map(|found| found.id));
    }
    raised
}

#[test]
fn every_fault_is_reported_once_and_as_its_golden_says() {
    let ran = run(&corpus::root().join("tests/ui"));
    assert!(ran.len() >= 70, "the inputs are gone");
    let mut broken = Vec::new();
    for (name, text, compilation, kept) in &ran {
        if !kept {
            broken.push(format!(
                "{name}: errors {:?}, lints {:?}",
                ids(compilation, true),
                ids(compilation, false)
            ));
        }
        if compilation.has_errors() && compilation.output.is_some() {
            broken.push(format!("{name}: output in spite of errors"));
        }
        if directive(text, "bad").is_some() {
            broken.push(format!("{name}: says that it is bad, and is not in ui/bad"));
        }
    }
    assert!(
        broken.is_empty(),
        "not what the names promise:\n{}",
        broken.join("\n")
    );
}

#[test]
fn what_is_known_to_be_reported_badly_still_is() {
    for (name, text, _, kept) in run(&corpus::root().join("tests/ui/bad")) {
        assert!(
            directive(&text, "bad").is_some(),
            "ui/bad/{name}: a line `# bad: ..` says what is wrong with it"
        );
        assert!(
            !kept,
            "ui/bad/{name} is reported well now: move it out, and take its `# bad` line off"
        );
    }
}

/// Programs with a proposal that is known to be wrong. One that is right by now has to go from this list.
const WRONG: [&str; 0] = [];

/// Why an edit of a spelling would harm whoever applies it, although the program compiles behind it.
fn harm(replaced: &str, written: &str) -> Option<&'static str> {
    let first = |text: &str| text.split_whitespace().next().map(str::to_owned);
    if first(replaced).as_deref() == Some("secret") && first(written).as_deref() != Some("secret") {
        return Some("a reference to a Secret becomes something else");
    }
    let amount = |text: &str| {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let factor: u128 = match text[digits..].to_ascii_lowercase().trim() {
            "kb" | "k" => 1000,
            "mb" | "m" => 1000_u128.pow(2),
            "gb" | "g" => 1000_u128.pow(3),
            "ki" | "kib" => 1 << 10,
            "mi" | "mib" => 1 << 20,
            "gi" | "gib" => 1 << 30,
            _ => return None,
        };
        Some(text[..digits].parse::<u128>().ok()? * factor)
    };
    // `32m` are thousandths of a core or a byte, and nobody means them: `Mi` in their place is what was meant.
    if !replaced.ends_with('m') && amount(replaced) < amount(written) && amount(replaced).is_some()
    {
        return Some("an amount becomes a larger one");
    }
    if replaced.contains("..") && !written.contains("..") && amount(written).is_some() {
        return Some("a range becomes one amount");
    }
    let mut words = written.strip_prefix('[')?.split('"').skip(1).step_by(2);
    let program = words.next().filter(|program| program.contains(' '));
    program.and(Some("a command becomes a program with a blank in its name"))
}

#[test]
fn what_is_proposed_helps() {
    let folder = corpus::root().join("tests/ui");
    let world = Folder::new(&folder);
    let mut useless = Vec::new();
    let mut wrong = BTreeSet::new();
    let mut harmful = Vec::new();
    let mut tried = 0;
    for path in inputs(&folder) {
        let (text, name) = (corpus::text(&path), format!("{}.bz", corpus::stem(&path)));
        let compile = |text: &str| check(&world, &name, text, directive(text, "env"));
        let before = compile(&text);
        for diagnostic in &before.diagnostics {
            for help in diagnostic.helps.iter().filter(|help| help.is_fix()) {
                let Some(text) = applied(&text, &name, help, &before) else {
                    continue;
                };
                tried += 1;
                let spells = ["BZ1", "BZ2", "BZ3"]
                    .iter()
                    .any(|of| diagnostic.id.starts_with(of));
                for edit in help.edits.iter().filter(|_| spells) {
                    let source = before.sources.file(edit.span.file);
                    let replaced = &source.text[edit.span.start as usize..edit.span.end as usize];
                    if let Some(why) = harm(replaced, &edit.text) {
                        harmful.push(format!("{name}: `{replaced}` to `{}`: {why}", edit.text));
                    }
                }
                let after = compile(&text);
                let count =
                    |compilation: &Compilation| ids(compilation, diagnostic.is_error()).len();
                if count(&after) >= count(&before) {
                    wrong.insert(name.clone());
                    useless.push(format!(
                        "{name}: `{}` leads to {:?}",
                        help.text,
                        ids(&after, true)
                    ));
                }
            }
        }
    }
    assert!(tried > 40, "only {tried} proposals could be tried");
    assert!(harmful.is_empty(), "{}", harmful.join("\n"));
    let known = WRONG.map(str::to_owned).into();
    assert_eq!(
        wrong,
        known,
        "left: proposals that do not help, right: those known:\n{}",
        useless.join("\n")
    );
}
