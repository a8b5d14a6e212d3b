//! `bzc plan`: the ledger of a program, a comparison with a baseline, and what one service more would change.

use std::path::Path;

use bzc::{Diagnostic, Options, Session, View};

use super::args::{Inputs, Plan, Report};
use super::deny::denial;
use super::ui::{self, Ui, fail, out};
use super::world::read;
use super::{Exit, Input, bug, each_planned};

fn inputs(plan: &Plan) -> Inputs {
    Inputs {
        files: vec![plan.file.clone()],
        env: plan.env.clone(),
        offline: plan.offline,
        report: Report {
            format: plan.report.format,
            output_file: plan.report.output_file.clone(),
            color: plan.report.color,
        },
    }
}

/// Shows the ledger of a program, or what one declaration more would change.
pub(super) fn run(plan: &Plan) -> Exit {
    if let Some(declared) = &plan.add {
        return add(plan, declared);
    }
    let baseline = match plan.baseline.as_deref().map(|path| (path, read(path))) {
        None => None,
        Some((_, Ok(bytes))) => Some(bytes),
        Some((path, Err(error))) => {
            fail(
                &format!("`{}` cannot be read as a baseline: {error}", path.display()),
                &[],
            );
            return Exit::Usage;
        }
    };
    let over = |view: &View<'_, '_>, ui: &mut Ui| {
        if let (Some(text), false) = (view.excess(ui::columns()), plan.json) {
            out(&ui.painted(&text));
        }
    };
    each_planned(&inputs(plan), false, over, |input, _, view, ui| {
        let disagreements = view.disagreements();
        if !disagreements.is_empty() {
            return bug::disagrees(&disagreements);
        }
        let text = match plan.json {
            true => view.report().map(str::to_owned),
            false => view.ledger(ui::columns()),
        };
        let Some(text) = text else {
            let shown = &input.shown;
            fail(
                &format!("`{shown}` has no node: there is nothing to plan"),
                &[],
            );
            return Exit::Usage;
        };
        if plan.json {
            out(&text);
            return denial(&plan.denied, &view.diagnostics, view);
        }
        let compared = baseline
            .as_ref()
            .zip(view.report())
            .map(|(baseline, report)| bzc::compare(report, baseline));
        match compared.transpose() {
            Ok(table) => {
                out(&ui.painted(&text));
                table
                    .into_iter()
                    .for_each(|table| out(&format!("\n{table}")));
                denial(&plan.denied, &view.diagnostics, view)
            }
            Err(why) => {
                let path = plan
                    .baseline
                    .as_deref()
                    .unwrap_or_else(|| Path::new(""))
                    .display();
                fail(&format!("`{path}` is no baseline: {why}"), &[]);
                Exit::Usage
            }
        }
    })
}

/// Compiles the program as it is and with one declaration more, and says what changes: whether that fits, which limits
/// move, and what would help where it does not.
fn add(plan: &Plan, declared: &str) -> Exit {
    let declared = match declaration(declared) {
        Ok(declared) => declared,
        Err(why) => {
            fail(
                &why,
                &["for example `--add 'name=cache memory=64Mi'`".to_owned()],
            );
            return Exit::Usage;
        }
    };
    let over = |view: &View<'_, '_>, ui: &mut Ui| {
        if let Some(text) = view.excess(ui::columns()) {
            out(&ui.painted(&text));
        }
    };
    each_planned(&inputs(plan), false, over, |input, _, view, ui| {
        let Some(before) = view.report() else {
            let shown = &input.shown;
            fail(
                &format!("`{shown}` has no node: there is nothing to plan"),
                &[],
            );
            return Exit::Usage;
        };
        with_one_more(plan, &declared, input, (&view.diagnostics, before), ui)
    })
}

fn with_one_more(
    plan: &Plan,
    declared: &str,
    input: &Input,
    (found, before): (&[Diagnostic], &str),
    ui: &mut Ui,
) -> Exit {
    let options = Options {
        env: plan.env.clone(),
        ..Options::default()
    };
    let text = format!("{}\n{declared}\n", input.text.trim_end());
    let analysis = Session::default().read(&input.disk, &input.name, text);
    analysis.view(&input.disk, &options, |view| {
        // What was found of the program as it is has been reported.
        let new = view.diagnostics.iter().filter(|one| !found.contains(one));
        let new: Vec<Diagnostic> = new.cloned().collect();
        if !new.is_empty() {
            ui.heading(&format!("with `{declared}` at the end of {}:", input.shown));
        }
        ui.report(&new, analysis.sources());
        if view.has_errors() {
            if let Some(text) = view.excess(ui::columns()) {
                out(&ui.painted(&text));
                out("\nit does not fit\n");
            }
            return Exit::Findings;
        }
        let disagreements = view.disagreements();
        if !disagreements.is_empty() {
            return bug::disagrees(&disagreements);
        }
        let (Some(now), Some(summary)) = (view.report(), view.summary()) else {
            return Exit::Findings;
        };
        match bzc::changes(before, now) {
            Ok(changes) => {
                out(&format!("it fits\n\n{summary}\n\n{changes}"));
                denial(&plan.denied, &new, view)
            }
            Err(why) => {
                fail(&format!("the reports cannot be compared: {why}"), &[]);
                Exit::Bug
            }
        }
    })
}

/// The image of a service that is only thought of.
const NO_IMAGE: &str = "image = \"example.org/added:0\"";

/// The declaration that `--add` means: `name=cache memory=64Mi` is a service with these fields, and anything with a
/// block is a declaration as it is written in a program. An image does not matter and may be left out.
fn declaration(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(end) = text.rfind('}') {
        let runs = ["service", "stateful", "daemon", "job", "cron"];
        let kind = text.split_whitespace().next().unwrap_or_default();
        let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        return Ok(
            match runs.contains(&kind) && !words().any(|word| word == "image") {
                true => format!("{}  {NO_IMAGE} {}", text[..end].trim_end(), &text[end..]),
                false => text.to_owned(),
            },
        );
    }
    let mut name = "added";
    let mut fields: Vec<String> = Vec::new();
    for pair in text.split_whitespace() {
        match pair.split_once('=') {
            Some(("name", value)) => name = value,
            Some(("image", value)) => {
                fields.push(format!("image = \"{}\"", value.trim_matches('"')));
            }
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                fields.push(format!("{key} = {value}"));
            }
            _ => return Err(format!("`{pair}` is no `KEY=VALUE` of a service to add")),
        }
    }
    if !fields.iter().any(|field| field.starts_with("image = ")) {
        fields.push(NO_IMAGE.to_owned());
    }
    Ok(format!("service {name} {{ {} }}", fields.join("  ")))
}

#[cfg(test)]
mod tests {
    use super::declaration;

    #[test]
    fn pairs_and_blocks_are_declarations() {
        let all = [
            (
                "name=cache memory=64Mi",
                "service cache { memory = 64Mi  image = \"example.org/added:0\" }",
            ),
            (
                "memory=64Mi..96Mi image=redis:7 replicas=2",
                "service added { memory = 64Mi..96Mi  image = \"redis:7\"  replicas = 2 }",
            ),
            (
                "stateful db { memory = 64Mi }",
                "stateful db { memory = 64Mi  image = \"example.org/added:0\" }",
            ),
            ("others x { memory = 64Mi }", "others x { memory = 64Mi }"),
        ];
        for (text, wanted) in all {
            assert_eq!(declaration(text).as_deref(), Ok(wanted));
        }
        assert!(declaration("cache 64Mi").is_err());
    }
}
