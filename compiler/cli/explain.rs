//! `bzc explain`: pages about the language and K3s, and where a number of a program comes from.

use std::path::Path;

use bzc::{Options, Session};

use super::args::{Colour, Explain, Format, Report};
use super::ui::{Ui, fail, out};
use super::{Exit, input};

/// Beginnings of the paths of a program's numbers.
const NUMBERS: [&str; 3] = ["service.", "budget.", "node."];

/// Prints what is known of a topic.
pub(super) fn run(explain: &Explain) -> Exit {
    let Some(topic) = &explain.topic else {
        let mut text = String::new();
        for (id, title) in bzc::codes() {
            text.push_str(&format!("{id:18} {title}\n"));
        }
        out(&text);
        return Exit::Clean;
    };
    let has_program = explain.file == Path::new("-") || explain.file.exists();
    let near = match bzc::explain(topic) {
        Ok(page) => {
            // `k3s.memory` is a field of the language and a number of the program.
            if has_program && topic.starts_with("k3s.") && number(explain, topic, true).is_some() {
                out("\n");
            }
            out(&page);
            return Exit::Clean;
        }
        Err(near) => near,
    };
    let named = NUMBERS.iter().any(|kind| topic.starts_with(kind));
    if topic.contains('.')
        && (named || has_program)
        && let Some(exit) = number(explain, topic, false)
    {
        return exit;
    }
    let lines = match near {
        Some(near) => vec![format!("did you mean `{near}`?")],
        None => vec![
            "`bzc explain` lists codes and lints; numbers of a program: service.NAME.memory, budget.NAME, node.NAME"
                .to_owned(),
        ],
    };
    fail(&format!("nothing is known of `{topic}`"), &lines);
    Exit::Usage
}

/// Prints where a number of the program comes from. Errors of the program are reported, unless the number is `aside`
/// from what was asked for. `None` if the program has no such number.
fn number(explain: &Explain, topic: &str, aside: bool) -> Option<Exit> {
    let report = Report {
        format: Format::Human,
        output_file: None,
        color: Colour::Auto,
    };
    let mut ui = Ui::new(&report);
    let Some(input) = input(&explain.file, &mut ui) else {
        return Some(Exit::Usage);
    };
    let options = Options {
        env: explain.env.clone(),
        ..Options::default()
    };
    let analysis = Session::default().read(&input.disk, &input.name, input.text);
    analysis.view(&input.disk, &options, |view| {
        let derivation = view.derivation(topic);
        if let Some(derivation) = &derivation {
            out(derivation);
        }
        let is_number = NUMBERS.iter().any(|kind| topic.starts_with(kind));
        if view.has_errors() && !aside && (derivation.is_some() || is_number) {
            ui.report(&view.diagnostics, analysis.sources());
            return Some(Exit::Findings);
        }
        derivation.map(|_| Exit::Clean)
    })
}
