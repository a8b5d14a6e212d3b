//! `bzc diff --report`: a program beside an earlier report.json, as a table or as the comment on a pull request.

use std::path::Path;

use super::args::{Format, Inputs, Report};
use super::ui::{fail, out};
use super::world::read;
use super::{Exit, bug, each_without_errors};

/// Compares what a program compiles to with an earlier report. Nothing is read from the output folder.
pub(super) fn run(inputs: &Inputs, earlier: &Path) -> Exit {
    let is_comment = inputs.report.format == Format::Markdown;
    // Findings of a program that cannot be compared are for people.
    let inputs = &Inputs {
        files: inputs.files.clone(),
        env: inputs.env.clone(),
        offline: inputs.offline,
        report: Report {
            format: if is_comment {
                Format::Human
            } else {
                inputs.report.format
            },
            output_file: inputs.report.output_file.clone(),
            color: inputs.report.color,
        },
    };
    let unusable = |why: &str| {
        fail(
            &format!("`{}` is no earlier report: {why}", earlier.display()),
            &[],
        );
        Exit::Usage
    };
    if inputs.files.len() > 1 {
        fail("`--report` takes one program", &[]);
        return Exit::Usage;
    }
    let before = match read(earlier) {
        Ok(before) => before,
        Err(why) => return unusable(&why.to_string()),
    };
    each_without_errors(inputs, false, |input, _, view, _| {
        let disagreements = view.disagreements();
        if !disagreements.is_empty() {
            return bug::disagrees(&disagreements);
        }
        let Some(now) = view.report() else {
            fail(
                &format!("`{}` has no node: there is nothing to compare", input.shown),
                &[],
            );
            return Exit::Usage;
        };
        let compared = match is_comment {
            true => bzc::comment(&before, now),
            false => bzc::compare(now, &before),
        };
        match compared {
            Ok(text) => {
                out(&text);
                Exit::Clean
            }
            Err(why) => unusable(&why),
        }
    })
}
