//! From files of other tools to a first program: manifests and `kubectl get -o yaml` dumps, a K3s config.yaml, the
//! services of a docker-compose file. What a program cannot express is listed, never guessed.
//!
//! The program is compiled before it is printed. A field of K3s or a service that the compiler refuses is taken out
//! again and listed with the compiler's message. So the result compiles, or it does not fit and says by how much.

mod draft;
mod manifests;
mod settings;

use self::draft::Draft;
use crate::compile::{Options, Session};
use crate::fmt::format;
use crate::manifest::tree::{MOST_NODES, Tree, Yaml, parse};
use crate::world::MemoryWorld;

/// A program, and what it leaves out.
#[derive(Debug)]
pub struct Imported {
    /// The program, in canonical form.
    pub program: String,
    /// What the files have and the program does not, with the reason, one sentence each.
    pub left_out: Vec<String>,
    /// How many services it has.
    pub services: usize,
}

/// Reads files, each with the name messages call it by, and writes a program for them.
///
/// # Errors
///
/// The name and line of a file that is not YAML, or the name of one that holds nothing to import.
pub fn import(files: &[(String, String)]) -> Result<Imported, String> {
    let mut draft = Draft::default();
    for (name, text) in files {
        let tree = parse(text, MOST_NODES).map_err(|fault| {
            let line = text[..fault.at.start]
                .bytes()
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            let template = crate::manifest::workload::template(text)
                .map_or("", |_| "; it looks like a template: render it first");
            format!("`{name}`, line {line}: {}{template}", fault.what)
        })?;
        read(name, text, &tree, &mut draft)?;
    }
    Ok(settle(draft))
}

fn read(name: &str, text: &str, tree: &Tree, draft: &mut Draft) -> Result<(), String> {
    let is_object = |root: &Yaml| {
        root.entry("kind", text).is_some() && root.entry("apiVersion", text).is_some()
    };
    let mut known = false;
    if tree.documents.iter().any(is_object) {
        return manifests::read(name, text, tree, draft);
    }
    for root in &tree.documents {
        if let Some((_, services)) = root.entry("services", text) {
            settings::compose(name, text, root, services, draft);
            known = true;
        } else if root.entries().iter().any(|(key, _)| {
            key.text(text)
                .is_some_and(|key| crate::stdlib::flag(key).is_some())
        }) {
            settings::k3s(name, text, root, draft);
            known = true;
        }
    }
    match known {
        true => Ok(()),
        false => Err(format!(
            "`{name}` holds no Kubernetes object, no key of K3s and no service of docker-compose"
        )),
    }
}

/// The program text of all parts.
fn program(draft: &Draft) -> (String, Vec<(usize, usize, usize)>) {
    let mut text = String::from("edition = 1\n\n");
    if let [namespace] = draft.namespaces.as_slice() {
        text += &format!("namespace = {namespace}\n\n");
    }
    let node = draft.node.as_deref().unwrap_or("box");
    text += "# Nothing that was imported says what the machine has: put in its own numbers.\n";
    text += &format!(
        "node {node} {{\nmemory = 3800Mi # MemTotal of /proc/meminfo\nreserve = 400Mi # the OS and whatever else lives beside K3s\n}}\n\n"
    );
    // Where each line of each part begins: part, line, byte.
    let mut places = Vec::new();
    for (index, part) in draft.k3s.iter().chain(&draft.services).enumerate() {
        for (line, content) in part.lines.iter().enumerate() {
            places.push((index, line, text.len()));
            text += content;
            text.push('\n');
        }
        text.push('\n');
    }
    (text, places)
}

/// Compiles the program and takes out what is refused, until nothing is.
fn settle(mut draft: Draft) -> Imported {
    draft.namespaces.sort();
    draft.namespaces.dedup();
    if draft.namespaces.len() > 1 {
        let all = draft.namespaces.join(", ");
        draft.leave(
            "namespaces",
            format!("a program has one, and these are several: {all}"),
        );
    }
    let (session, world) = (Session::default(), MemoryWorld::default());
    loop {
        let (text, places) = program(&draft);
        let analysis = session.read(&world, "budget.bz", text.clone());
        let found = analysis.view(&world, &Options::default(), |view| view.diagnostics.clone());
        // If the program does not fit, the user has to decide; any other error is a fault of the import.
        let faults = found
            .iter()
            .filter(|found| found.is_error() && !found.id.starts_with("BZ4"));
        let mut out: Vec<(usize, usize, String)> = Vec::new();
        let mut header = None;
        for fault in faults {
            let Some(label) = fault
                .primary
                .as_ref()
                .filter(|label| !analysis.sources().is_library(label.span))
            else {
                continue;
            };
            let at = places.partition_point(|(.., start)| *start <= label.span.start as usize);
            if at == 0 && !draft.namespaces.is_empty() {
                // The namespace and the node that the import makes up stand above all parts.
                header = Some(fault.message.clone());
            }
            if let Some((part, line, _)) = at.checked_sub(1).and_then(|at| places.get(at)) {
                out.push((*part, *line, fault.message.clone()));
            }
        }
        if let Some(why) = header {
            draft.left_out.push(format!(
                "namespace `{}`: {why}",
                draft.namespaces.join(", ")
            ));
            draft.namespaces.clear();
            continue;
        }
        out.sort();
        out.dedup_by_key(|(part, line, _)| (*part, *line));
        if out.is_empty() {
            let services = draft.services.len();
            let program = format(&text).unwrap_or(text);
            return Imported {
                program,
                left_out: draft.left_out,
                services,
            };
        }
        let parts = draft.k3s.len();
        for (part, line, why) in out.into_iter().rev() {
            let from = if part < parts {
                &mut draft.k3s
            } else {
                &mut draft.services
            };
            let index = if part < parts { part } else { part - parts };
            let Some(found) = from.get_mut(index) else {
                continue;
            };
            let of = found.of.clone();
            if found.by_line && line > 0 && line + 1 < found.lines.len() {
                let gone = found.lines.remove(line);
                draft
                    .left_out
                    .push(format!("{of}: `{}`: {why}", gone.trim()));
            } else {
                from.remove(index);
                draft.left_out.push(format!("{of}: {why}"));
            }
        }
    }
}
