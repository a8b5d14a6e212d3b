//! All printing. Diagnostics for people go to standard error; results, and whatever machines read, go to standard
//! output. It is no error if nobody reads standard output any more.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::OnceLock;

use bzc::{Conclusion, Diagnostic, Log, Machine, Provenance, SourceMap, Tool};

use super::args::{Colour, Format, Report};
use super::write::{WriteError, write_report};

const TOOL: Tool = Tool {
    version: env!("CARGO_PKG_VERSION"),
    repository: env!("CARGO_PKG_REPOSITORY"),
};

/// The format that machines read, if it is one.
fn machine(format: Format) -> Option<Machine> {
    match format {
        Format::Human | Format::Short | Format::Markdown => None,
        Format::Json => Some(Machine::Json),
        Format::Github => Some(Machine::Github),
        Format::Sarif => Some(Machine::Sarif),
        Format::Gitlab => Some(Machine::Gitlab),
        Format::Junit => Some(Machine::Junit),
        Format::Rdjson => Some(Machine::Rdjson),
    }
}

/// How to print.
pub(crate) struct Ui {
    format: Format,
    /// Whether findings are coloured, and whether what was asked for is.
    colour: bool,
    paint: bool,
    output_file: Option<PathBuf>,
    /// What machines read, collected until the end of the run; `None` where people read.
    log: Option<Log>,
    quiet: bool,
    statistics: bool,
    /// Findings by code or lint: how many there are, and how many can be mended.
    counts: BTreeMap<&'static str, (usize, usize)>,
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
            log: machine(report.format).map(|format| Log::new(format, TOOL)),
            quiet: false,
            statistics: false,
            counts: BTreeMap::new(),
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

    /// A ledger as it is shown, with colours for the signs of bars and for verdicts. It says the same without them.
    pub(crate) fn painted(&self, ledger: &str) -> String {
        let ledger = &bzc::visible(ledger);
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

    /// Leaves out warnings and summaries, or shows how many findings there are of each code instead of them.
    pub(crate) fn show_less(&mut self, quiet: bool, statistics: bool) {
        self.quiet = quiet;
        self.statistics = statistics && self.for_people();
    }

    /// Reports findings of one program.
    pub(crate) fn report(&mut self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let shown = |one: &&Diagnostic| one.is_error() || !self.quiet;
        if let Some(log) = &mut self.log {
            let shown: Vec<Diagnostic> = diagnostics.iter().filter(shown).cloned().collect();
            let files = sources.files().iter();
            let program = files
                .filter(|file| file.provenance == Provenance::Project)
                .map(|file| file.shown.as_str())
                .next();
            log.add(program.unwrap_or_default(), &shown, sources);
            return;
        }
        let shown: Vec<&Diagnostic> = diagnostics.iter().filter(shown).collect();
        if self.statistics {
            for one in shown {
                let (count, fixable) = self.counts.entry(one.id).or_default();
                *count += 1;
                *fixable += usize::from(one.certain_edits().is_some());
            }
            return;
        }
        for diagnostic in &shown {
            match self.format {
                Format::Short => err(&format!("{}\n", bzc::short(diagnostic, sources))),
                _ => err(&format!(
                    "{}\n\n",
                    bzc::human(diagnostic, sources, self.colour)
                )),
            }
        }
        if self.format == Format::Human && !shown.is_empty() {
            err(&counted(&shown));
        }
    }

    /// Says what became of a program, to machines.
    pub(crate) fn conclude(&mut self, conclusion: Conclusion) {
        if let Some(log) = &mut self.log {
            log.conclude(conclusion);
        }
    }

    /// Prints what is said at the end of a run. Fails if the output file cannot be written.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        if self.statistics {
            out(&statistics(&self.counts));
        }
        let Some(log) = self.log else {
            return Ok(());
        };
        let text = log.finish();
        match self.output_file {
            Some(path) => write_report(&path, &text),
            None => {
                out(&text);
                Ok(())
            }
        }
    }
}

/// `2 errors`, and nothing of what there is none of.
fn amount(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    }
}

/// The line behind the findings of a program.
fn counted(shown: &[&Diagnostic]) -> String {
    let errors = shown.iter().filter(|one| one.is_error()).count();
    let fixable = shown
        .iter()
        .filter(|one| one.certain_edits().is_some())
        .count();
    let counts = [
        amount(errors, "error"),
        amount(shown.len() - errors, "warning"),
    ];
    let mut line = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if fixable > 0 {
        line += &format!("; `bzc check --fix` mends {fixable}");
    }
    if let Some(first) = shown.iter().find(|one| one.is_error()) {
        line += &format!(". For more about the first: bzc explain {}", first.id);
    }
    line + "\n"
}

/// Findings by code and lint, the most frequent first.
fn statistics(counts: &BTreeMap<&str, (usize, usize)>) -> String {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(id, (count, _))| (std::cmp::Reverse(*count), **id));
    let titles: BTreeMap<&str, &str> = bzc::codes().collect();
    let widest = rows
        .iter()
        .map(|(id, _)| id.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for (id, (count, fixable)) in rows {
        let title = titles.get(id).copied().unwrap_or_default();
        let mends = match fixable {
            0 => String::new(),
            n => format!("; `--fix` mends {n}"),
        };
        text += &format!("{count:5}  {id:widest$}  {title}{mends}\n");
    }
    text
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

/// Prints a failure that has no place in a program. What it repeats of others stays on its line.
pub(crate) fn fail(message: &str, lines: &[String]) {
    let mut text = format!("error: {}\n", bzc::one_line(message));
    for line in lines {
        text.push_str(&format!("  {}\n", bzc::one_line(line)));
    }
    err(&text);
}

/// Prints a remark that has no place in a program, on one line.
pub(crate) fn note(text: &str) {
    err(&format!("{}\n", bzc::one_line(text)));
}
