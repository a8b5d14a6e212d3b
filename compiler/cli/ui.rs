//! The one place that prints. Diagnostics for people go to standard error, what was asked for and what machines
//! read goes to standard output. A reader who has gone away is no error.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use bzc::{Diagnostic, SourceMap};

use super::args::{Colour, Format, Report};

/// How to print.
pub(crate) struct Ui {
    format: Format,
    colour: bool,
    output_file: Option<PathBuf>,
    /// What machines will read, until the end of the run.
    machine: String,
    /// SARIF is one document for all programs.
    sarif: Vec<String>,
}

impl Ui {
    pub(crate) fn new(report: &Report) -> Ui {
        let colour = match report.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                io::stderr().is_terminal()
                    && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
            }
        };
        Ui {
            format: report.format,
            colour,
            output_file: report.output_file.clone(),
            machine: String::new(),
            sarif: Vec::new(),
        }
    }

    /// Whether people read the output.
    pub(crate) fn for_people(&self) -> bool {
        matches!(self.format, Format::Human | Format::Short)
    }

    /// Says what the findings that follow are about, to people.
    pub(crate) fn heading(&self, text: &str) {
        if self.for_people() {
            err(&format!("{text}\n"));
        }
    }

    /// Reports findings of one program.
    pub(crate) fn report(&mut self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        if self.format == Format::Sarif {
            self.sarif.push(bzc::sarif(diagnostics, sources, env!("CARGO_PKG_VERSION")));
            return;
        }
        for diagnostic in diagnostics {
            match self.format {
                Format::Human => err(&format!("{}\n\n", bzc::human(diagnostic, sources, self.colour))),
                Format::Short => err(&format!("{}\n", bzc::short(diagnostic, sources))),
                Format::Json => self.machine.push_str(&format!("{}\n", bzc::json(diagnostic, sources))),
                Format::Github => self.machine.push_str(&format!("{}\n", bzc::github(diagnostic, sources))),
                Format::Sarif => {}
            }
        }
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        if self.format == Format::Human && errors > 0 {
            let ids: Vec<&str> = diagnostics.iter().filter(|d| d.is_error()).map(|d| d.id).collect();
            let first = ids.first().copied().unwrap_or_default();
            let count = if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") };
            err(&format!("{count}. For more about the first: bzc explain {first}\n"));
        }
    }

    /// Prints what machines read. Fails if the output file cannot be written.
    pub(crate) fn finish(self) -> Result<(), String> {
        let text = match self.format {
            Format::Sarif => merged(&self.sarif),
            _ => self.machine,
        };
        match self.output_file {
            Some(path) if !matches!(self.format, Format::Human | Format::Short) =>
            {
                #[expect(clippy::disallowed_methods, reason = "the report goes where the user said")]
                std::fs::write(&path, text).map_err(|error| format!("`{}` cannot be written: {error}", path.display()))
            }
            _ => {
                out(&text);
                Ok(())
            }
        }
    }
}

/// The runs of several SARIF logs in one.
fn merged(logs: &[String]) -> String {
    let mut parsed = logs.iter().filter_map(|log| serde_json::from_str::<serde_json::Value>(log).ok());
    let Some(mut first) = parsed.next() else { return String::new() };
    for mut next in parsed {
        if let (Some(runs), Some(more)) = (first["runs"].as_array_mut(), next["runs"].as_array_mut()) {
            runs.append(more);
        }
    }
    format!("{first:#}\n")
}

/// Prints what was asked for.
pub(crate) fn out(text: &str) {
    // Nobody is left to be told that standard output is gone.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints beside it.
pub(crate) fn err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// A failure that has no place in a program.
pub(crate) fn fail(message: &str, lines: &[String]) {
    let mut text = format!("error: {message}\n");
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    err(&text);
}
