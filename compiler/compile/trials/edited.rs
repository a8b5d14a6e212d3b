//! Sources with edits made: as a world that the compiler reads, and the way back from a place in them to the place
//! before.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::base::source::{Provenance, SourceMap};
use crate::base::span::Span;
use crate::diag::Edit;
use crate::world::{Overlay, World};

/// The world with edits applied; `None` if one of them is in the standard library.
pub(super) fn edited<'w>(
    world: &'w dyn World,
    sources: &SourceMap,
    edits: &[Edit],
) -> Option<Overlay<'w>> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    // From the last to the first, so that earlier offsets stay right.
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| Reverse(edit.span));
    for edit in edits {
        let file = sources.file(edit.span.file);
        if file.provenance == Provenance::Library {
            return None;
        }
        let content = files
            .entry(file.name.clone())
            .or_insert_with(|| file.text.to_string());
        content.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    let files = files.into_iter();
    let files = files.map(|(path, text)| (path, text.into_bytes()));
    Some(Overlay::new(world, files.collect()))
}

/// Edits of sources that were edited before, put with those before: what both come to, as edits of the first sources.
/// `None` where one changes what another has changed. Files keep their ids, for edits leave `use` alone.
pub(super) fn followed_by(before: &[Edit], after: Vec<Edit>) -> Option<Vec<Edit>> {
    let mut all = before.to_vec();
    all.sort_by_key(|edit| edit.span);
    for edit in after {
        let (span, behind) = back(before, edit.span)?;
        let at = span.start;
        match all
            .iter_mut()
            .find(|known| known.span == span && span.start == span.end)
        {
            // Two texts at one place: one behind the other.
            Some(known) if behind.contains(&at) => known.text += &edit.text,
            Some(known) => known.text.insert_str(0, &edit.text),
            None => all.push(Edit { span, ..edit }),
        }
    }
    Some(all)
}

/// The place before some edits of a place behind them, and the places at which a text of theirs ends right where it
/// begins. `None` if it touches what they changed.
fn back(edits: &[Edit], span: Span) -> Option<(Span, Vec<u32>)> {
    let mut edits: Vec<&Edit> = edits.iter().filter(|e| e.span.file == span.file).collect();
    edits.sort_by_key(|edit| edit.span);
    let (mut start, mut end) = (i64::from(span.start), i64::from(span.end));
    let mut behind = Vec::new();
    for edit in edits {
        let (from, to) = (i64::from(edit.span.start), i64::from(edit.span.end));
        let length = i64::try_from(edit.text.len()).ok()?;
        let inserts = from == to && start == end;
        // `start` and `end` are where they would be with only the edits before this one undone.
        if start > from + length || (inserts && start == from + length) {
            if inserts && start == from + length {
                behind.push(edit.span.start);
            }
            start += to - from - length;
            end += to - from - length;
        } else if !(end < from || (inserts && end == from)) {
            return None;
        }
    }
    let place = |at: i64| u32::try_from(at).ok();
    let span = Span {
        start: place(start)?,
        end: place(end)?,
        ..span
    };
    Some((span, behind))
}
