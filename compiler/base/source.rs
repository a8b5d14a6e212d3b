//! All source texts of one compilation, by file, and the way from a byte offset to line and column.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

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

/// One source text.
#[derive(Debug)]
pub struct SourceFile {
    /// As outputs name it: relative to the folder of the program, `std/...` for the standard library.
    pub name: String,
    /// As messages name it: the same behind the folder of the program, as the user gave that.
    pub shown: String,
    /// The text.
    pub text: Cow<'static, str>,
    /// Who wrote it.
    pub provenance: Provenance,
    /// Where its lines begin, once somebody asks for one: a ledger names a line for every service.
    lines: OnceLock<Box<[u32]>>,
}

impl SourceFile {
    /// A text under its two names.
    pub fn new(
        name: String,
        shown: String,
        text: Cow<'static, str>,
        provenance: Provenance,
    ) -> SourceFile {
        SourceFile {
            name,
            shown,
            text,
            provenance,
            lines: OnceLock::new(),
        }
    }

    /// Where its lines begin.
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let feeds = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(feeds).map(small).collect()
        })
    }
}

/// An offset in a source.
fn small(offset: usize) -> u32 {
    u32::try_from(offset).expect("a source has at most 32 MiB")
}

/// The texts of one compilation. Files are only ever added, so spans stay valid.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    /// The modules of the standard library, whichever the program uses.
    library: Arc<[SourceFile]>,
}

impl SourceMap {
    /// No files yet but those of the standard library.
    pub(crate) fn with_library(library: Arc<[SourceFile]>) -> SourceMap {
        SourceMap {
            files: Vec::new(),
            library,
        }
    }

    /// Adds a file of the project or a manifest, and gives its id. `shown` is what messages call it.
    pub fn add(
        &mut self,
        name: String,
        shown: String,
        text: String,
        provenance: Provenance,
    ) -> FileId {
        let id = u32::try_from(self.files.len()).expect("memory ends before 2^31 files");
        self.files
            .push(SourceFile::new(name, shown, Cow::Owned(text), provenance));
        FileId::new(id)
    }

    /// The file behind an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        match id.index().checked_sub(FileId::LIBRARY) {
            Some(module) => &self.library[module as usize],
            None => &self.files[id.index() as usize],
        }
    }

    /// Whether a span lies in the standard library.
    pub fn is_library(&self, span: Span) -> bool {
        self.file(span.file).provenance == Provenance::Library
    }

    /// The files of the project and the manifests in the order they were added, the program first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file of the project, or the manifest, with this name.
    pub fn find(&self, name: &str) -> Option<FileId> {
        let at = self.files.iter().position(|file| file.name == name)?;
        Some(FileId::new(small(at)))
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn line_col(&self, file: FileId, offset: u32) -> (usize, usize) {
        let (line, before) = self.line(file, offset);
        (line + 1, before.chars().count() + 1)
    }

    /// Line and column of a byte offset, both from 0; columns count UTF-16 code units, as the Language Server Protocol
    /// has them.
    pub fn utf16(&self, file: FileId, offset: u32) -> (usize, usize) {
        let (line, before) = self.line(file, offset);
        (line, before.encode_utf16().count())
    }

    /// The byte offset of a line and a column as [`SourceMap::utf16`] gives them. A column behind the end of its line is
    /// that end, a line behind the last one is the end of the file, and a column within a character is where that begins.
    pub fn offset_of_utf16(&self, file: FileId, line: usize, column: usize) -> u32 {
        let file = self.file(file);
        let Some(start) = file.lines().get(line) else {
            return small(file.text.len());
        };
        let rest = file.text[*start as usize..].lines().next();
        let rest = rest.unwrap_or_default();
        let mut units = 0;
        let within = rest.char_indices().find(|(_, char)| {
            units += char.len_utf16();
            units > column
        });
        start + small(within.map_or(rest.len(), |(at, _)| at))
    }

    /// The line that a byte offset is on, counted from 0, and what stands on it before the offset.
    fn line(&self, file: FileId, offset: u32) -> (usize, &str) {
        let file = self.file(file);
        let line = file.lines().partition_point(|start| *start <= offset) - 1;
        let start = file.lines()[line];
        (line, &file.text[start as usize..offset as usize])
    }

    /// `file:line` of where a span begins, as ledgers and messages cite it.
    pub fn place(&self, span: Span) -> String {
        let (line, _) = self.line_col(span.file, span.start);
        format!("{}:{line}", self.file(span.file).shown)
    }

    /// The comment that ends the line a span is on, without its `#`: where the standard library cites its sources.
    pub fn comment_behind(&self, span: Span) -> Option<&str> {
        let rest = &self.file(span.file).text[span.end as usize..];
        let line = rest.lines().next().unwrap_or_default();
        line.find('#').map(|at| line[at + 1..].trim())
    }
}

#[cfg(test)]
mod tests {
    use super::{Provenance, SourceMap};

    #[test]
    fn editors_count_utf_16_and_people_characters() {
        let mut sources = SourceMap::default();
        let text = "a\r\n😀é x\n\nend";
        let name = || "budget.bz".to_owned();
        let file = sources.add(name(), name(), text.to_owned(), Provenance::Project);
        let x = u32::try_from(text.find('x').expect("it is there")).expect("a small number");
        assert_eq!(sources.line_col(file, x), (2, 4));
        assert_eq!(sources.utf16(file, x), (1, 4));
        for (at, _) in text.char_indices().filter(|(_, char)| *char != '\n') {
            let at = u32::try_from(at).expect("a small number");
            let (line, column) = sources.utf16(file, at);
            assert_eq!(sources.offset_of_utf16(file, line, column), at);
        }
        // Within the two units of a character, behind a line, behind the text.
        assert_eq!(sources.offset_of_utf16(file, 1, 1), 3);
        assert_eq!(sources.offset_of_utf16(file, 0, 9), 1);
        assert_eq!(sources.offset_of_utf16(file, 9, 0) as usize, text.len());
    }
}
