//! `bzc fmt`: programs in canonical form, or which are not.

use std::path::{Path, PathBuf};

use bzc::{Provenance, SourceMap};

use super::args::Fmt;
use super::ui::{Ui, err, fail, out};
use super::write::{Was, Written, write_all};
use super::{Exit, Input, diff, each_file, paths, report_write};

/// Formats every program, or reports those that are not formatted.
pub(super) fn run(fmt: &Fmt) -> Exit {
    let files: Vec<PathBuf> = fmt
        .files
        .iter()
        .flat_map(|path| paths::below(path))
        .collect();
    if files.is_empty() {
        fail("no program was found: their names end in `.bz`", &[]);
        return Exit::Usage;
    }
    each_file(&files, &fmt.report, |path, input, ui| {
        one(fmt, path, input, ui)
    })
}

fn one(fmt: &Fmt, path: &Path, input: &Input, ui: &mut Ui) -> Exit {
    let mut sources = SourceMap::default();
    sources.add(
        input.name.clone(),
        input.shown.clone(),
        input.text.clone(),
        Provenance::Project,
    );
    let formatted = match bzc::format(&input.text) {
        Ok(formatted) => formatted,
        Err(diagnostics) => {
            ui.report(&diagnostics, &sources);
            return Exit::Findings;
        }
    };
    let to_stdout = path == Path::new("-") && !fmt.check && !fmt.diff;
    if to_stdout {
        out(&formatted);
        return Exit::Clean;
    }
    if formatted == input.text {
        return Exit::Clean;
    }
    if fmt.diff {
        out(&diff(&input.text, &formatted, &path.display().to_string()));
    } else if fmt.check && !ui.for_people() {
        ui.report(&bzc::unformatted(&sources, &formatted), &sources);
    } else if fmt.check {
        err(&format!("not formatted: {}\n", path.display()));
    }
    if fmt.check || fmt.diff {
        return Exit::Findings;
    }
    let written = write_all(&[Written {
        path,
        was: Was::Content(input.text.as_bytes()),
        content: formatted.as_bytes(),
    }]);
    if let Err(error) = written {
        return report_write(&error);
    }
    err(&format!("formatted {}\n", path.display()));
    Exit::Clean
}
