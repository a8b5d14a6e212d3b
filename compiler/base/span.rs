//! A place in a source file: file and byte offsets. Lines and columns are worked out only when a
//! message is printed (`source.rs`), never while compiling.

use std::num::NonZeroU32;

/// Which file of the [`SourceMap`](super::source::SourceMap) a span lies in. Counted from 1 inside, so that a span that
/// may be missing takes no more than a span: programs hold millions of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(NonZeroU32);

impl FileId {
    /// The first index of the standard library. Its modules have the same ids in every compilation, so that their trees
    /// can be kept from one to the next.
    pub(crate) const LIBRARY: u32 = 1 << 31;

    /// The file at this index.
    pub(crate) const fn new(index: u32) -> FileId {
        FileId(NonZeroU32::MIN.saturating_add(index))
    }

    /// Its index.
    pub(crate) const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl Default for FileId {
    fn default() -> FileId {
        FileId::new(0)
    }
}

/// A half-open range of bytes in one file, always on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` to before byte `end`.
    pub fn new(file: FileId, start: u32, end: u32) -> Span {
        Span { file, start, end }
    }

    /// The smallest span that holds both; both must lie in one file.
    pub fn to(self, other: Span) -> Span {
        Span {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Whether another span lies in this one; an empty one may stand at either end.
    pub fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The empty place right behind this span.
    pub fn after(self) -> Span {
        Span {
            start: self.end,
            ..self
        }
    }

    /// The empty place right before this span.
    pub fn before(self) -> Span {
        Span {
            end: self.start,
            ..self
        }
    }
}

/// A value and the place it was written at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    /// What was said.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub(crate) fn new(value: T, span: Span) -> Spanned<T> {
        Spanned { value, span }
    }
}
