//! Lines of sources as they are cut and cleaned for showing, and how wide what is shown may be.

use std::borrow::Cow;

use annotate_snippets::normalize_untrusted_str;

use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};
use crate::base::text;

/// The width that source lines are cut to.
pub(super) const SOURCE_WIDTH: usize = 100;

/// Columns for a note, a help or a row of a sum: 80 without a line number of four digits and ` = note: ` behind it.
pub(super) const TEXT_WIDTH: usize = 68;

/// The whole lines around some places of a file: where they begin, in which line, and their text.
pub(super) fn window(
    spans: impl Iterator<Item = Span> + Clone,
    file: FileId,
    sources: &SourceMap,
) -> (usize, usize, Cow<'_, str>) {
    let text = &*sources.file(file).text;
    let first = spans
        .clone()
        .map(|span| span.start as usize)
        .min()
        .unwrap_or_default();
    let last = spans
        .clone()
        .map(|span| span.end as usize)
        .max()
        .unwrap_or_default();
    let start = line_start(text, first);
    let line = text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
    let shown = &text[start..line_end(text, last)];
    // The renderer does not count the empty line behind the last line feed, where the end of a file is.
    let at_end = spans
        .into_iter()
        .any(|span| span.start as usize == text.len());
    let mut shown = with_signs(shown);
    if at_end && shown.ends_with('\n') {
        shown.to_mut().push('\n');
    }
    (start, line, shown)
}

/// A source with a sign of as many bytes for each character that is not seen and that the renderer would print as it is:
/// places in it stay right.
fn with_signs(source: &str) -> Cow<'_, str> {
    let is_odd = |c: char| !c.is_ascii() && text::is_unseen(c);
    match source.contains(is_odd) {
        false => Cow::Borrowed(source),
        true => Cow::Owned(
            source
                .chars()
                .map(|c| match (is_odd(c), c.len_utf8()) {
                    (true, 2) => '\u{b7}',
                    (true, _) => '\u{fffd}',
                    (false, _) => c,
                })
                .collect(),
        ),
    }
}

/// The byte that the line around a byte begins with.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |feed| feed + 1)
}

/// The byte behind the line around a byte and its line feed.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |feed| at + feed + 1)
}

pub(super) fn file_name(file: FileId, sources: &SourceMap) -> String {
    visible(&sources.file(file).shown)
}

/// Text without what would act on the terminal. Tabs are blanks.
pub(super) fn visible(text: &str) -> String {
    normalize_untrusted_str(&text::visible(text))
}
