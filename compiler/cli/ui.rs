//! All printing. Diagnostics for people go to standard error; results, and whatever machines read, go to standard
//! output. It is no error if nobody reads standard output any more.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use bzc::{Diagnostic, SourceMap};

use super::args::{Colour, Format, Report};
use super::write::{WriteError, write_report};

/// How to print.
pub(crate) struct Ui {
    format: Format,
    /// Whether findings are coloured, and whether what was asked for is.
    colour: bool,
    paint: bool,
    output_file: Option<PathBuf>,
    /// Output for machines, collected until the end of the run.
    machine: String,
    /// SARIF logs, which become one document for all programs.
    sarif: Vec<String>,
}

impl Ui {
    pub(crate) fn new(report: &Report) -> Ui {
        let auto =
            |is_terminal: bool, choice| is_terminal && choice != anstream::ColorChoice::Never;
        let (colour, paint) = match report.color {
            Colour::Always => (true, true),
            Colour::Never => (false, false),
            Colour::Auto => (
                auto(
                    io::stderr().is_terminal(),
                    anstream::AutoStream::choice(&io::stderr()),
                ),
                auto(
                    io::stdout().is_terminal(),
                    anstream::AutoStream::choice(&io::stdout()),
                ),
            ),
        };
        Ui {
            format: report.format,
            colour,
            paint,
            output_file: report.output_file.clone(),
            machine: String::new(),
            sarif: Vec::new(),
        }
    }

    /// How findings are reported.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether the output is for people.
    pub(crate) fn for_people(&self) -> bool {
        matches!(self.format, Format::Human | Format::Short)
    }

    /// Prints what the following findings are about, for people only.
    pub(crate) fn heading(&self, text: &str) {
        if self.for_people() {
            err(&format!("{text}\n"));
        }
    }

    /// A ledger with colours for the signs of bars and for verdicts. It says the same without them.
    pub(crate) fn painted(&self, ledger: &str) -> String {
        const SIGNS: [(char, &str); 5] = [
            ('█', "34"),
            ('▓', "33"),
            ('▒', "35"),
            ('#', "32"),
            ('░', "2"),
        ];
        const VERDICTS: [(&str, &str); 5] = [
            ("proved", "32"),
            ("refuted", "31"),
            ("unknown", "33"),
            ("assumed", "33"),
            ("relaxed", "35"),
        ];
        if !self.paint {
            return ledger.to_owned();
        }
        let paint = |text: &str, colour: &str| format!("\x1b[{colour}m{text}\x1b[0m");
        let mut out = String::with_capacity(ledger.len() * 2);
        for line in ledger.lines() {
            let bar = line.trim_start();
            if SIGNS.iter().any(|(sign, _)| bar.starts_with(*sign)) {
                let mut rest = line;
                while let Some(first) = rest.chars().next() {
                    let end = rest.find(|c| c != first).unwrap_or(rest.len());
                    let (run, after) = rest.split_at(end);
                    match SIGNS.iter().find(|(sign, _)| *sign == first) {
                        Some((_, colour)) => out.push_str(&paint(run, colour)),
                        None => out.push_str(run),
                    }
                    rest = after;
                }
            } else {
                let verdict = VERDICTS
                    .iter()
                    .find(|(word, _)| line.contains(&format!("  {word}  ")));
                match verdict {
                    Some((word, colour)) => {
                        out.push_str(&line.replacen(word, &paint(word, colour), 1))
                    }
                    None => out.push_str(line),
                }
            }
            out.push('\n');
        }
        out
    }

    /// Reports findings of one program.
    pub(crate) fn report(&mut self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        if self.format == Format::Sarif {
            self.sarif
                .push(bzc::sarif(diagnostics, sources, env!("CARGO_PKG_VERSION")));
            return;
        }
        for diagnostic in diagnostics {
            match self.format {
                Format::Human => err(&format!(
                    "{}\n\n",
                    bzc::human(diagnostic, sources, self.colour)
                )),
                Format::Short => err(&format!("{}\n", bzc::short(diagnostic, sources))),
                Format::Json => self
                    .machine
                    .push_str(&format!("{}\n", bzc::json(diagnostic, sources))),
                Format::Github => self
                    .machine
                    .push_str(&format!("{}\n", bzc::github(diagnostic, sources))),
                Format::Sarif => {}
            }
        }
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        if self.format == Format::Human && errors > 0 {
            let ids: Vec<&str> = diagnostics
                .iter()
                .filter(|d| d.is_error())
                .map(|d| d.id)
                .collect();
            let first = ids.first().copied().unwrap_or_default();
            let count = if errors == 1 {
                "1 error".to_owned()
            } else {
                format!("{errors} errors")
            };
            err(&format!(
                "{count}. For more about the first: bzc explain {first}\n"
            ));
        }
    }

    /// Prints what machines read. Fails if the output file cannot be written.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        let text = match self.format {
            Format::Sarif => merged(&self.sarif),
            _ => self.machine,
        };
        match self.output_file {
            Some(path) if !matches!(self.format, Format::Human | Format::Short) => {
                write_report(&path, &text)
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
    let mut parsed = logs
        .iter()
        .filter_map(|log| serde_json::from_str::<serde_json::Value>(log).ok());
    let Some(mut first) = parsed.next() else {
        return String::new();
    };
    for mut next in parsed {
        if let (Some(runs), Some(more)) =
            (first["runs"].as_array_mut(), next["runs"].as_array_mut())
        {
            runs.append(more);
        }
    }
    format!("{first:#}\n")
}

/// The width of standard output in columns, or one that fits anywhere if it is no terminal.
pub(crate) fn columns() -> usize {
    terminal_size::terminal_size_of(io::stdout())
        .map_or(64, |(terminal_size::Width(columns), _)| {
            usize::from(columns)
        })
}

/// Why standard output did not take something.
static UNWRITTEN: OnceLock<io::Error> = OnceLock::new();

/// Prints to standard output. If it is closed there is nobody who wants to know; what else goes wrong `unwritten` has.
pub(crate) fn out(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = UNWRITTEN.set(error);
    }
}

/// Why not all of standard output was written, if so.
pub(crate) fn unwritten() -> Option<&'static io::Error> {
    UNWRITTEN.get()
}

/// Prints to standard error.
pub(crate) fn err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a failure that has no place in a program.
pub(crate) fn fail(message: &str, lines: &[String]) {
    let mut text = format!("error: {message}\n");
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    err(&text);
}
