//! What the edits of a help come to: drawn by the renderer as a change, or in few words as a line of a list.

use annotate_snippets::{Patch, Snippet};

use super::cut::{SOURCE_WIDTH, TEXT_WIDTH, file_name, line_end, line_start, visible, window};
use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};
use crate::diag::{Edit, Help};

/// The lines of one change that a list shows.
const LONGEST_CHANGE: usize = 6;

/// A part of a file that edits change, from the beginning of a line to the end of one.
struct Change<'a> {
    file: FileId,
    start: usize,
    end: usize,
    edits: Vec<&'a Edit>,
}

impl Change<'_> {
    /// The part as it reads after the edits.
    fn after(&self, sources: &SourceMap) -> String {
        let text = &*sources.file(self.file).text;
        let mut after = String::new();
        let mut at = self.start;
        for edit in &self.edits {
            after += &text[at..edit.span.start as usize];
            after += &edit.text;
            at = edit.span.end as usize;
        }
        after + &text[at..self.end]
    }
}

/// The parts that edits change, in order. Of edits that overlap the later one is dropped: they were never checked
/// together.
fn changes<'a>(edits: &'a [Edit], sources: &SourceMap) -> Vec<Change<'a>> {
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span);
    let mut found: Vec<Change> = Vec::new();
    for edit in edits {
        let Edit {
            span: Span { file, start, end },
            text: by,
        } = edit;
        let (file, start, end) = (*file, *start as usize, *end as usize);
        let text = &*sources.file(file).text;
        let from = line_start(text, start);
        // An edit of whole lines leaves the line behind it as it is.
        let whole_lines = end == line_start(text, end)
            && (by.ends_with('\n') || (by.is_empty() && from == start));
        let to = if whole_lines {
            end
        } else {
            line_end(text, end)
        };
        match found.last_mut() {
            Some(last)
                if last.file == file
                    && start < last.edits.last().map_or(0, |edit| edit.span.end as usize) => {}
            Some(last) if last.file == file && from < last.end => {
                last.end = last.end.max(to);
                last.edits.push(edit);
            }
            _ => found.push(Change {
                file,
                start: from,
                end: to,
                edits: vec![edit],
            }),
        }
    }
    found
}

/// What edits come to: the place of each change and how its lines read afterwards.
pub(super) fn changed(edits: &[Edit], sources: &SourceMap) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes(edits, sources) {
        let text = &*sources.file(change.file).text;
        let place = visible(&sources.place(Span {
            start: change.start as u32,
            ..change.edits[0].span
        }));
        let width = place.chars().count();
        let after = change.after(sources);
        let (mark, read) = match after.trim() {
            "" => ("(removed) ", &text[change.start..change.end]),
            _ => ("", after.as_str()),
        };
        // Beside the text there are an indent, two blanks and two ellipses.
        let room = TEXT_WIDTH.saturating_sub(width + mark.len() + 12).max(24);
        let mut read = read
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .peekable();
        let indent = read
            .peek()
            .map_or(0, |line| line.len() - line.trim_start().len());
        let mut around = text[change.start..change.edits[0].span.start as usize]
            .chars()
            .count();
        for (number, line) in read.enumerate() {
            if number == LONGEST_CHANGE {
                lines.push(format!("{:width$}  ...", ""));
                break;
            }
            let line = visible(line.get(indent..).unwrap_or(line.trim_start()));
            let place = if number == 0 { place.as_str() } else { "" };
            lines.push(format!(
                "{place:width$}  {mark}{}",
                clipped(&line, around, room)
            ));
            around = 0;
        }
    }
    lines
}

/// As much of a line as there is room for, with what is around one of its columns.
fn clipped(line: &str, around: usize, room: usize) -> String {
    let length = line.chars().count();
    if length <= room {
        return line.to_owned();
    }
    let from = around.saturating_sub(room / 2).min(length - room);
    let part: String = line.chars().skip(from).take(room).collect();
    format!(
        "{}{part}{}",
        if from > 0 { "..." } else { "" },
        if from + room < length { "..." } else { "" }
    )
}

/// The edits of a help as the renderer draws them. None where it would draw them badly: it does not cut long lines.
pub(super) fn patches<'a>(
    help: &'a Help,
    sources: &'a SourceMap,
) -> Option<Vec<Snippet<'a, Patch<'a>>>> {
    let changes = changes(&help.edits, sources);
    let long = |text: &str| text.lines().any(|line| line.chars().count() > SOURCE_WIDTH);
    let drawn = |change: &Change| {
        let before = &sources.file(change.file).text[change.start..change.end];
        !long(before) && !long(&change.after(sources))
    };
    if changes.is_empty() || !changes.iter().all(drawn) {
        return None;
    }
    let snippet = |change: Change<'a>| {
        let spans = change.edits.iter().map(|edit| edit.span);
        let (start, line, text) = window(spans, change.file, sources);
        let patches = change.edits.into_iter().map(move |edit| {
            Patch::new(
                edit.span.start as usize - start..edit.span.end as usize - start,
                edit.text.as_str(),
            )
        });
        Snippet::source(text)
            .path(file_name(change.file, sources))
            .line_start(line)
            .patches(patches)
    };
    Some(changes.into_iter().map(snippet).collect())
}
