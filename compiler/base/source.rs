//! All source texts of one compilation, by file, and the way from a byte offset to line and column.

use super::span::{FileId, Span};

/// Who wrote a source text. What the compiler believes of a text hangs on this and never on its name: a project may
/// have a folder `std` of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provenance {
    /// The standard library, which travels inside the binary.
    Library,
    /// The program or a file that it uses.
    Project,
    /// A manifest that the program adopts.
    Manifest,
}

/// One source text under the name that messages call it by.
#[derive(Debug)]
pub struct SourceFile {
    /// As messages and outputs name it: relative to the project root, `std/...` for the standard library.
    pub name: String,
    /// The text.
    pub text: String,
    /// Who wrote it.
    pub provenance: Provenance,
}

/// The texts of one compilation. Files are only ever added, so spans stay valid.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a file and gives its id.
    pub fn add(&mut self, name: String, text: String, provenance: Provenance) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("fewer than 2^32 files"));
        self.files.push(SourceFile {
            name,
            text,
            provenance,
        });
        id
    }

    /// The file behind an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// Whether a span lies in the standard library.
    pub fn is_library(&self, span: Span) -> bool {
        self.file(span.file).provenance == Provenance::Library
    }

    /// All files in the order they were added.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn line_col(&self, file: FileId, offset: u32) -> (usize, usize) {
        let before = &self.file(file).text[..offset as usize];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    /// `file:line` of where a span begins, as ledgers and notes cite it.
    pub fn place(&self, span: Span) -> String {
        let (line, _) = self.line_col(span.file, span.start);
        format!("{}:{line}", self.file(span.file).name)
    }

    /// The comment that ends the line a span is on, without its `#`: where the standard library cites its sources.
    pub fn comment_behind(&self, span: Span) -> Option<&str> {
        let rest = &self.file(span.file).text[span.end as usize..];
        let line = rest.lines().next().unwrap_or_default();
        line.find('#').map(|at| line[at + 1..].trim())
    }
}
