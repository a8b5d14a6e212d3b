//! What the kinds of test share.

pub(crate) mod bless;
pub(crate) mod corpus;
pub(crate) mod fence;
pub(crate) mod world;

use std::cmp::Reverse;

use bzc::{Compilation, Help, Options, Session, World};

/// Compiles a text as the program `name` of a folder.
pub(crate) fn compile(
    folder: &dyn World,
    name: &str,
    text: &str,
    env: Option<&str>,
) -> Compilation {
    let options = Options {
        env: env.map(str::to_owned),
        ..Default::default()
    };
    bzc::compile(folder, name, text.to_owned(), &options)
}

/// The same without its files.
pub(crate) fn check(folder: &dyn World, name: &str, text: &str, env: Option<&str>) -> Compilation {
    let options = Options {
        env: env.map(str::to_owned),
        ..Default::default()
    };
    Session::default().check(folder, name, text.to_owned(), &options)
}

/// All diagnostics, as people read them.
pub(crate) fn said(compilation: &Compilation) -> String {
    let messages = compilation
        .diagnostics
        .iter()
        .map(|diagnostic| bzc::human(diagnostic, &compilation.sources, false));
    messages
        .map(|text| format!("{}\n", text.trim_end_matches('\n')))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The codes of the errors, or the names of the lints, in the order in which they are printed.
pub(crate) fn ids(compilation: &Compilation, errors: bool) -> Vec<&'static str> {
    compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error() == errors)
        .map(|found| found.id)
        .collect()
}

/// The program with one proposal applied; `None` if that changes another file.
pub(crate) fn applied(
    text: &str,
    name: &str,
    help: &Help,
    compilation: &Compilation,
) -> Option<String> {
    let mut edits: Vec<_> = help.edits.iter().collect();
    // From the end on, so that the places of the others stay.
    edits.sort_by_key(|edit| Reverse(edit.span));
    let mut text = text.to_owned();
    for edit in edits {
        if compilation.sources.file(edit.span.file).name != name {
            return None;
        }
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    Some(text)
}
