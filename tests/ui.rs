//! What is said of programs that are wrong or odd: `ui/<id>-<slug>.bz` with all of it in `.stderr` beside it.
//!
//! The name says what is promised. `BZ4001-node.bz` raises one error, and it is BZ4001: one fault is told once.
//! `unused-let.bz` raises no error and that lint once. `many-colons.bz` begins with `# faults: 3`, and raises so many errors.
//! A first line `# env: prod` compiles for an environment. `ui/used/` holds files for others to use.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bzc::Want;

use crate::support::world::Folder;
use crate::support::{bless, compile, corpus, ids, said};

/// The inputs, sorted.
pub(crate) fn inputs() -> Vec<PathBuf> {
    let all = corpus::entries(&corpus::root().join("tests/ui"));
    all.into_iter().filter(|path| path.to_string_lossy().ends_with(".bz")).collect()
}

/// What `# key: value` in the first line says.
pub(crate) fn directive<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().next()?.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": ")
}

#[test]
fn every_fault_is_told_as_written_beside_it() {
    let folder = corpus::root().join("tests/ui");
    let world = Folder::new(&folder);
    let mut came_out = BTreeMap::new();
    let mut broken = Vec::new();
    for path in inputs() {
        let text = corpus::text(&path);
        let name = format!("{}.bz", corpus::stem(&path));
        let compilation = compile(&world, &name, &text, directive(&text, "env"), Want::Files);
        came_out.insert(path.with_extension("stderr"), said(&compilation).into_bytes());
        let (errors, lints) = (ids(&compilation, true), ids(&compilation, false));
        let kept = match directive(&text, "faults") {
            Some(count) => name.starts_with("many-") && count.parse() == Ok(errors.len()),
            None => match bzc::codes().map(|(id, _)| id).filter(|id| name.starts_with(id)).max_by_key(|id| id.len()) {
                Some(code) if code.starts_with("BZ") => errors == [code],
                Some(lint) => errors.is_empty() && lints == [lint],
                None => false,
            },
        };
        if !kept {
            broken.push(format!("{name}: errors {errors:?}, lints {lints:?}"));
        }
        if errors.is_empty() != compilation.output.is_some() {
            broken.push(format!("{name}: output and errors, or neither"));
        }
    }
    let folder = bless::there(&folder, |path| path.ends_with(".stderr"));
    bless::settle(folder, &came_out);
    assert!(broken.is_empty(), "not what the names promise:\n{}", broken.join("\n"));
}
