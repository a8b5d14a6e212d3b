//! A diagnostic as text: for a person (drawn by `annotate-snippets`, the renderer of rustc and cargo), as one
//! line, and as a workflow command of GitHub. No text ends in a line feed; whoever prints adds what stands between.
//!
//! Lines and columns are worked out here and only for what is printed. A snippet is cut from its file before it is
//! drawn, so that a thousand findings do not mean a thousand walks over a whole file.

mod cut;
mod edits;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use self::cut::{SOURCE_WIDTH, TEXT_WIDTH, file_name, visible, window};
use self::edits::{changed, patches};
use super::{Addend, Diagnostic, Help, Label, Severity};
use crate::base::source::SourceMap;
use crate::base::span::FileId;
use crate::base::text::{self, one_line};

/// The longest sum that is printed whole, and what is printed of a longer one.
const LONGEST_SUM: usize = 24;
const SHOWN_OF_A_LONGER_SUM: usize = 20;

/// The diagnostic as a terminal shows it: message, snippets, the sum, notes and helps.
pub fn human(diagnostic: &Diagnostic, sources: &SourceMap, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(text::visible(&diagnostic.message))
        .id(diagnostic.id);
    let mut main = Group::with_title(title).elements(snippets(diagnostic, sources));
    if !diagnostic.addends.is_empty() {
        let rows = sum(&diagnostic.addends, sources).join("\n");
        main = main.element(Level::NOTE.with_name("sum").message(rows));
    }
    for note in &diagnostic.notes {
        main = main.element(Level::NOTE.message(paragraph(note)));
    }
    let mut changes = Vec::new();
    let (together, alone) = by_steps(diagnostic);
    if is_choice(diagnostic, &alone) {
        main = main.element(Level::HELP.message(choice(&alone, sources)));
    } else {
        for help in alone {
            match patches(help, sources) {
                Some(patches) => {
                    let title = Level::HELP.secondary_title(paragraph(&help.text));
                    changes.push(Group::with_title(title).elements(patches));
                }
                None => {
                    let mut text = paragraph(&help.text);
                    for line in changed(&help.edits, sources) {
                        text = text + "\n  " + &line;
                    }
                    main = main.element(Level::HELP.message(text));
                }
            }
        }
    }
    for help in together {
        main = main.element(Level::HELP.message(one_after_the_other(help, sources)));
    }
    changes.insert(0, main);
    let text = renderer.term_width(SOURCE_WIDTH).render(&changes);
    match &diagnostic.primary {
        Some(_) => text,
        // The renderer draws the margin of a snippet even where there is none.
        None => text
            .lines()
            .filter(|line| line.trim() != "|")
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

/// The diagnostic as one line, `budget.bz:12:3: error[BZ2001]: message`, as editors and `grep` want it.
pub fn short(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let Diagnostic {
        severity,
        id,
        message,
        ..
    } = diagnostic;
    let place = diagnostic
        .primary
        .as_ref()
        .map_or_else(String::new, |label| {
            let (line, column) = sources.line_col(label.span.file, label.span.start);
            format!("{}:{line}:{column}: ", sources.file(label.span.file).shown)
        });
    visible(&format!("{place}{}[{id}]: {message}", severity.word())).replace('\n', " ")
}

/// The diagnostic as a workflow command, which GitHub shows at the line in a pull request.
pub(super) fn github(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut properties = Vec::new();
    if let Some(Label { span, .. }) = diagnostic.primary {
        let (line, column) = sources.line_col(span.file, span.start);
        let (end_line, end_column) = sources.line_col(span.file, span.end);
        properties.push(("file", sources.file(span.file).shown.clone()));
        properties.push(("line", line.to_string()));
        properties.push(("endLine", end_line.to_string()));
        // GitHub takes columns only for a place within one line.
        if line == end_line {
            properties.push(("col", column.to_string()));
            properties.push(("endColumn", end_column.to_string()));
        }
    }
    properties.push(("title", diagnostic.id.to_owned()));
    let properties: Vec<_> = properties
        .into_iter()
        .map(|(name, value)| {
            let value = escape_data(&value).replace(':', "%3A").replace(',', "%2C");
            format!("{name}={value}")
        })
        .collect();

    let mut text = vec![diagnostic.message.clone()];
    text.extend(
        diagnostic
            .primary
            .iter()
            .map(|label| label.text.clone())
            .filter(|text| !text.is_empty()),
    );
    for label in diagnostic
        .secondary
        .iter()
        .filter(|label| !label.text.is_empty())
    {
        text.push(format!("{}: {}", sources.place(label.span), label.text));
    }
    text.extend(details(diagnostic, sources));
    format!(
        "::{} {}::{}",
        diagnostic.severity.word(),
        properties.join(","),
        escape_data(&text.join("\n"))
    )
}

/// A value in the data of a workflow command.
fn escape_data(text: &str) -> String {
    text::visible(text).replace('%', "%25").replace('\n', "%0A")
}

/// Everything but the message and the labels, one line each, for formats that have a single field for text.
pub(super) fn details(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<String> {
    let mut lines = Vec::new();
    for (row, text) in sum(&diagnostic.addends, sources).into_iter().enumerate() {
        lines.push(format!(
            "{}{text}",
            if row == 0 { "sum: " } else { "     " }
        ));
    }
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    let (together, alone) = by_steps(diagnostic);
    if is_choice(diagnostic, &alone) {
        lines.push(format!("help: {}", choice(&alone, sources)));
    } else {
        for help in alone {
            lines.push(format!("help: {}", help.text));
            lines.extend(
                changed(&help.edits, sources)
                    .into_iter()
                    .map(|line| format!("  {line}")),
            );
        }
    }
    for help in together {
        lines.push(format!("help: {}", one_after_the_other(help, sources)));
    }
    lines
}

/// The labelled parts of the files, the one with the primary label first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a SourceMap,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = diagnostic
        .primary
        .iter()
        .map(|label| (AnnotationKind::Primary, label));
    let secondary = diagnostic
        .secondary
        .iter()
        .map(|label| (AnnotationKind::Context, label));
    let mut files: Vec<(FileId, Vec<(AnnotationKind, &Label)>)> = Vec::new();
    for (kind, label) in primary.chain(secondary) {
        match files.iter_mut().find(|(file, _)| *file == label.span.file) {
            Some((_, labels)) => labels.push((kind, label)),
            None => files.push((label.span.file, vec![(kind, label)])),
        }
    }
    files
        .into_iter()
        .map(|(file, labels)| {
            let (start, line, text) =
                window(labels.iter().map(|(_, label)| label.span), file, sources);
            let annotations = labels.into_iter().map(move |(kind, label)| {
                let annotation =
                    kind.span(label.span.start as usize - start..label.span.end as usize - start);
                annotation.label(Some(one_line(&label.text)).filter(|text| !text.is_empty()))
            });
            Snippet::source(text)
                .path(file_name(file, sources))
                .line_start(line)
                .annotations(annotations)
        })
        .collect()
}

/// A sum as a table, a row each: what, how much, where the number was written.
fn sum(addends: &[Addend], sources: &SourceMap) -> Vec<String> {
    let whole = if addends.len() > LONGEST_SUM {
        SHOWN_OF_A_LONGER_SUM
    } else {
        addends.len()
    };
    let (shown, rest) = addends.split_at(whole);
    // The total comes last and has no place; it is shown even where the middle is left out.
    let total = rest.last().filter(|last| last.span.is_none());
    let left_out = rest.len() - usize::from(total.is_some());
    let row = |addend: &Addend| {
        let place = addend
            .span
            .map_or_else(String::new, |span| one_line(&sources.place(span)));
        (one_line(&addend.what), one_line(&addend.amount), place)
    };
    let mut table: Vec<_> = shown.iter().map(row).collect();
    if left_out > 0 {
        table.push((
            format!("... and {left_out} more (--format json lists all)"),
            String::new(),
            String::new(),
        ));
    }
    table.extend(total.map(row));

    let amounts = table
        .iter()
        .map(|row| row.1.chars().count())
        .max()
        .unwrap_or_default();
    let places = table
        .iter()
        .map(|row| row.2.chars().count())
        .max()
        .unwrap_or_default();
    let whats = table
        .iter()
        .filter(|row| !row.1.is_empty())
        .map(|row| row.0.chars().count())
        .max();
    let whats = whats
        .unwrap_or_default()
        .min(TEXT_WIDTH.saturating_sub(amounts + places + 4).max(16));
    let mut rows = Vec::new();
    for (what, amount, place) in table {
        if amount.is_empty() {
            rows.push(what);
            continue;
        }
        for (number, part) in wrapped(&what, whats).into_iter().enumerate() {
            if number == 0 {
                rows.push(
                    format!("{part:whats$}  {amount:>amounts$}  {place}")
                        .trim_end()
                        .to_owned(),
                );
            } else {
                rows.push(format!("  {part}"));
            }
        }
    }
    rows
}

/// A text as lines that fit behind `= note: `, or behind `- ` there, without control characters.
fn paragraph(text: &str) -> String {
    visible(text)
        .lines()
        .flat_map(|line| wrapped(line, TEXT_WIDTH - 2))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A line cut between words where it is too long; a word that is too long stays whole.
fn wrapped(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 1 + word.chars().count() <= width => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Helps that are several changes one after the other, and all others.
fn by_steps(diagnostic: &Diagnostic) -> (Vec<&Help>, Vec<&Help>) {
    let helps = diagnostic.helps.iter();
    helps.partition(|help| !help.steps.is_empty())
}

/// Whether helps are the planner's: any one of them is enough.
fn is_choice(diagnostic: &Diagnostic, helps: &[&Help]) -> bool {
    helps.len() > 1
        && diagnostic.id.starts_with("BZ4")
        && helps.iter().all(|help| !help.edits.is_empty())
}

/// Proposals of which one is enough, each with the lines as they would read.
fn choice(helps: &[&Help], sources: &SourceMap) -> String {
    let mut text = "any one of these makes it fit (each was checked):".to_owned();
    for help in helps {
        text = text + "\n- " + &paragraph(&help.text).replace('\n', "\n  ");
        for line in changed(&help.edits, sources) {
            text = text + "\n    " + &line;
        }
    }
    text
}

/// Changes one after the other, each with what is left behind it, and the lines as they would read after all of them.
fn one_after_the_other(help: &Help, sources: &SourceMap) -> String {
    let mut text = match help.left {
        None => "these together make it fit (checked):".to_owned(),
        Some(_) => {
            "what saves most, one after the other, does not make it fit (checked):".to_owned()
        }
    };
    for step in &help.steps {
        text = text + "\n- " + &paragraph(step).replace('\n', "\n  ");
    }
    for line in changed(&help.edits, sources) {
        text = text + "\n    " + &line;
    }
    text
}

#[cfg(test)]
mod tests;
