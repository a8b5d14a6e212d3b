//! Proves every program as it is and in its environments, and reports.

use bzc::{Conclusion, Diagnostic, Options, SourceMap, View};

use super::args::Check;
use super::deny::denial;
use super::ui::out;
use super::{Exit, Input, bug, each_program};

/// What wants to see each view, with the program and environment that it is of and the texts that it was made from.
pub(super) type Seen<'s> = dyn FnMut((&Input, Option<&str>), &View<'_, '_>, &SourceMap) + 's;

/// Proves every program once. `seen` gets each view.
pub(super) fn once(check: &Check, seen: &mut Seen<'_>) -> Exit {
    each_program(&check.inputs, |input, analysis, ui| {
        ui.show_less(check.quiet, check.statistics);
        let mut exit = Exit::Clean;
        let mut reported: Vec<Diagnostic> = Vec::new();
        let envs: Vec<Option<String>> = match &check.inputs.env {
            Some(env) => vec![Some(env.clone())],
            None => {
                let envs = analysis.environments().into_iter().map(Some);
                std::iter::once(None).chain(envs).collect()
            }
        };
        let is_only = envs.len() == 1;
        for env in envs {
            let options = Options {
                env: env.clone(),
                ..Options::default()
            };
            analysis.view(&input.disk, &options, |view| {
                // Findings that were reported for the program as it is are not repeated.
                let new = view
                    .diagnostics
                    .iter()
                    .filter(|found| !reported.contains(found));
                let new: Vec<Diagnostic> = new.cloned().collect();
                let heading = env.as_ref().filter(|_| !is_only);
                if let (Some(env), false) = (heading, new.is_empty()) {
                    ui.heading(&format!("in environment `{env}`:"));
                }
                ui.report(&new, analysis.sources());
                ui.conclude(conclusion(input, env.as_deref(), view));
                seen((input, env.as_deref()), view, analysis.sources());
                let disagreements = view.disagreements();
                if view.has_errors() {
                    exit = exit.max(Exit::Findings);
                } else if !disagreements.is_empty() {
                    exit = bug::disagrees(&disagreements);
                } else {
                    if ui.for_people() && !check.quiet {
                        out(&proved(input, view, heading.map(String::as_str)));
                    }
                    exit = exit.max(denial(&check.denied, &new, view));
                }
                if env.is_none() {
                    reported = new;
                }
            });
        }
        exit
    })
}

/// What became of a program, for machines.
fn conclusion(input: &Input, env: Option<&str>, view: &View<'_, '_>) -> Conclusion {
    let names = |promises: Vec<&str>| promises.into_iter().map(str::to_owned).collect();
    let planned = !view.has_errors();
    Conclusion {
        file: input.shown.clone(),
        env: env.map(str::to_owned),
        errors: view
            .diagnostics
            .iter()
            .filter(|found| found.is_error())
            .count(),
        unknown: if planned {
            names(view.unknown())
        } else {
            Vec::new()
        },
        assumed: if planned {
            names(view.assumed())
        } else {
            Vec::new()
        },
    }
}

/// The line that `check` prints for a program, or one of its environments, without errors.
fn proved(input: &Input, view: &View<'_, '_>, env: Option<&str>) -> String {
    let within = env.map_or_else(String::new, |env| format!("{env}: "));
    match view.summary() {
        Some(summary) => format!("{within}{summary}\n"),
        None => format!(
            "{} declares things for other programs: no node, nothing to prove\n",
            input.shown
        ),
    }
}
