//! What is wanted of a text, and why it may be refused.

use std::ops::Range;

/// What a value is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    /// A mapping with these entries, and whatever else it has.
    Map(Vec<(&'static str, Want)>),
    /// A sequence with these items at these places, and whatever else it has.
    Items(Vec<(usize, Want)>),
    /// A sequence of mappings with a `name`: those with these names, and whatever else it has.
    Named(Vec<(String, Want)>),
    /// A sequence of these, where there was nothing.
    List(Vec<Want>),
    /// A text that needs no quotes, such as `48Mi`.
    Word(String),
    /// A whole number.
    Count(u64),
    /// Any text.
    Text(String),
    /// Nothing: the key is not there.
    Absent,
}

impl Want {
    /// An empty mapping.
    pub(crate) fn nothing() -> Want {
        Want::Map(Vec::new())
    }

    /// Whether it asks for nothing at all.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Want::Map(entries) => entries.iter().all(|(_, want)| want.is_nothing()),
            Want::Items(items) => items.iter().all(|(_, want)| want.is_nothing()),
            Want::Named(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The want at a key of this mapping, made if it is not there.
    pub(crate) fn at(&mut self, key: &'static str) -> &mut Want {
        if !matches!(self, Want::Map(_)) {
            *self = Want::nothing();
        }
        let Want::Map(entries) = self else {
            unreachable!("it was made a mapping")
        };
        let at = entries
            .iter()
            .position(|(known, _)| *known == key)
            .unwrap_or_else(|| {
                entries.push((key, Want::nothing()));
                entries.len() - 1
            });
        &mut entries[at].1
    }

    /// The want at a place of this sequence, made if it is not there.
    pub(crate) fn item(&mut self, index: usize) -> &mut Want {
        if !matches!(self, Want::Items(_)) {
            *self = Want::Items(Vec::new());
        }
        let Want::Items(items) = self else {
            unreachable!("it was made a sequence")
        };
        let at = items
            .iter()
            .position(|(known, _)| *known == index)
            .unwrap_or_else(|| {
                items.push((index, Want::nothing()));
                items.len() - 1
            });
        &mut items[at].1
    }
}

/// Why a file is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What stands in the way.
    pub at: Range<usize>,
    /// In words.
    pub why: String,
}

pub(super) fn refuse<T>(at: Range<usize>, why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        at,
        why: why.into(),
    })
}
