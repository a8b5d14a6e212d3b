//! Source text to canonical source text, of which there is one and no options. The tree says what an item,
//! a list and a block is; what is printed are the tokens of the source, so that nothing the tree leaves out
//! (parentheses, the spelling of a number) can be lost. Comments are taken from their own list, in order,
//! at the places where a line may carry them; one that stands elsewhere moves to the line before its item.
//!
//! Lines are made first, each with its indentation, code and comment, and aligned when all are known.
//! Whether something fits is decided before alignment: otherwise a neighbour could break a line, and
//! formatting twice could differ from formatting once.

use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};
use crate::diag::{Diagnostic, Sink};
use crate::syntax::ast::{Body, Expr, ExprKind, Item};
use crate::syntax::lexer::lex;
use crate::syntax::parse;
use crate::syntax::token::{Token, TokenKind};

/// A block or list that was written on one line is broken if it would pass this column. Also the column
/// past which a line no longer moves the `=` and the comments of its neighbours: so the output stays
/// linear in the input, and one long line does not push all comments off the screen.
const WIDTH: usize = 120;

/// Blanks a level.
const STEP: usize = 2;

/// The canonical form of a text, or why it is not bz. The spans of the diagnostics lie in the first file
/// of a [`SourceMap`](crate::base::source::SourceMap).
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let mut sink = Sink::default();
    let parsed = parse(FileId::default(), text, &mut sink);
    if sink.has_errors() {
        return Err(sink.into_sorted());
    }
    let mut tokens = lex(text).tokens;
    // The end of the file has no text to print.
    tokens.pop();
    let mut formatter = Formatter {
        text,
        tokens,
        comments: parsed.file.comments,
        taken: 0,
        lines: Vec::new(),
    };
    formatter.items(&parsed.file.items, 0);
    formatter.comments_before(u32::MAX, 0);
    Ok(render(formatter.lines))
}

/// That a program is not in its canonical form, as a finding with the edit that brings it there: of the lines between the
/// first and the last that differ. `sources` has the program as its first file.
pub fn unformatted(sources: &SourceMap, formatted: &str) -> Vec<Diagnostic> {
    let text = &*sources.file(FileId::default()).text;
    let mut start = 0;
    let together = text
        .split_inclusive('\n')
        .zip(formatted.split_inclusive('\n'));
    for (line, _) in together.take_while(|(old, new)| old == new) {
        start += line.len();
    }
    let (old, new) = (&text[start..], &formatted[start..]);
    let mut same = 0;
    let backwards = old
        .split_inclusive('\n')
        .rev()
        .zip(new.split_inclusive('\n').rev());
    for (line, _) in backwards.take_while(|(old, new)| old == new) {
        same += line.len();
    }
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span::new(FileId::default(), offset(start), offset(text.len() - same));
    vec![
        Diagnostic::error("BZ0005", "the program is not formatted")
            .at(span, "`bzc fmt` writes this in another form")
            .fix("write it so", span, &new[..new.len() - same]),
    ]
}

/// A line to be written. A text block is part of one: its code then holds line breaks.
#[derive(Debug, Default)]
struct Line {
    /// Blanks before the code, or before the comment of a line that is only that.
    indent: usize,
    /// What is not comment.
    code: String,
    /// Where in the code the ` =` begins that is aligned with those of the neighbours.
    assign: Option<usize>,
    /// The comment, with its `#`.
    comment: Option<String>,
    /// A blank line comes before.
    blank: bool,
    /// It ends with an opening bracket or brace, behind which no blank line is kept.
    opens: bool,
}

impl Line {
    fn new(indent: usize, code: &str) -> Line {
        Line {
            indent,
            code: code.to_owned(),
            ..Line::default()
        }
    }

    /// The column behind its code; of a text block, behind its last line.
    fn columns(&self) -> usize {
        match self.code.rsplit_once('\n') {
            Some((_, last)) => width(last),
            None => self.indent + width(&self.code),
        }
    }

    /// Whether a comment stands behind code.
    fn trails(&self) -> bool {
        self.comment.is_some() && !self.code.is_empty()
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

struct Formatter<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    comments: Vec<Token>,
    /// How many of the comments are in the lines.
    taken: usize,
    lines: Vec<Line>,
}

impl<'t> Formatter<'t> {
    fn source(&self, start: u32, end: u32) -> &'t str {
        &self.text[start as usize..end as usize]
    }

    fn tokens_in(&self, start: u32, end: u32) -> &[Token] {
        let from = self.tokens.partition_point(|token| token.start < start);
        let to = self.tokens.partition_point(|token| token.end <= end);
        self.tokens.get(from..to).unwrap_or_default()
    }

    fn has_comment(&self, span: Span) -> bool {
        let next = self
            .comments
            .partition_point(|comment| comment.start < span.start);
        self.comments
            .get(next)
            .is_some_and(|comment| comment.start < span.end)
    }

    /// Whether the source has a line break between the first and last byte of a span.
    fn spans_lines(&self, span: Span) -> bool {
        self.source(span.start, span.end).contains('\n')
    }

    /// Whether the source has an empty line before this place.
    fn blank_before(&self, start: u32) -> bool {
        let bytes = self.text.as_bytes()[..start as usize].iter().rev();
        bytes
            .take_while(|byte| byte.is_ascii_whitespace())
            .filter(|byte| **byte == b'\n')
            .count()
            > 1
    }

    /// The elements of a list or call, which can be broken over lines, and the place behind its bracket. Only
    /// where it is all of the value: inside a sum or in parentheses it stays on one line.
    fn sequence<'e>(&self, value: &'e Expr) -> Option<(&'e [Expr], u32)> {
        let start = value.span.start;
        match &value.kind {
            ExprKind::List(elements) if self.source(start, start + 1) == "[" => {
                Some((elements, start + 1))
            }
            ExprKind::Call(call) if call.function.span.start == start => {
                Some((&call.arguments, call.function.span.end + 1))
            }
            _ => None,
        }
    }

    fn push(&mut self, mut line: Line) {
        line.blank &= self.lines.last().is_some_and(|last| !last.opens);
        self.lines.push(line);
    }

    /// The next comment, if it begins before `end`.
    fn take_comment(&mut self, end: u32) -> Option<(Token, String)> {
        let comment = *self
            .comments
            .get(self.taken)
            .filter(|comment| comment.start < end)?;
        self.taken += 1;
        let text = self.source(comment.start, comment.end).trim_end();
        let said = text.trim_start_matches('#');
        let apart = said.is_empty() || text.starts_with("##") || said.starts_with([' ', '\t', '!']);
        Some((
            comment,
            if apart {
                text.to_owned()
            } else {
                format!("# {said}")
            },
        ))
    }

    /// Takes the comments up to a place between two items or elements: behind the line before if they
    /// stood there, else on lines of their own.
    fn comments_before(&mut self, end: u32, indent: usize) {
        while let Some((token, text)) = self.take_comment(end) {
            match self.lines.last_mut() {
                Some(last) if !token.first_on_line && last.comment.is_none() => {
                    last.comment = Some(text)
                }
                _ => {
                    let blank = self.blank_before(token.start);
                    self.push(Line {
                        indent,
                        comment: Some(text),
                        blank,
                        ..Line::default()
                    });
                }
            }
        }
    }

    /// Begins the line of an item or element: takes the comments before it, and those within it that have
    /// no place of their own there.
    fn begin(&mut self, start: u32, end: u32, value: Option<&Expr>, indent: usize) -> Line {
        self.comments_before(start, indent);
        // A list keeps the comments between its elements; then only those before it are out of place.
        let keeps =
            value.filter(|value| self.sequence(value).is_some() && self.has_comment(value.span));
        let misplaced_before = keeps.map_or(end, |value| value.span.start);
        let mut blank = self.blank_before(start);
        while let Some((_, text)) = self.take_comment(misplaced_before) {
            self.push(Line {
                indent,
                comment: Some(text),
                blank,
                ..Line::default()
            });
            blank = false;
        }
        Line {
            indent,
            blank,
            ..Line::default()
        }
    }

    fn items(&mut self, items: &[Item], indent: usize) {
        for item in items {
            self.item(item, indent);
        }
    }

    fn item(&mut self, item: &Item, indent: usize) {
        let head_end = item
            .body
            .as_ref()
            .map_or(item.span.end, |body| body.span.start);
        let mut line = self.begin(item.span.start, head_end, item.value.as_ref(), indent);
        let lines_before = self.lines.len();
        let assign = self.header(item, &mut line.code);
        if let Some(value) = &item.value {
            line = self.value(line, value);
        }
        if let Some(body) = &item.body {
            line = self.body(line, body);
        }
        let on_one_line = self.lines.len() == lines_before && !line.code.contains('\n');
        line.assign =
            assign.filter(|_| on_one_line && item.names.is_empty() && item.body.is_none());
        self.push(line);
    }

    /// Appends what stands before the value or body, and what joins it to a value; if that is a ` =`, says where.
    fn header(&self, item: &Item, out: &mut String) -> Option<usize> {
        let end = item.names.last().unwrap_or(&item.key).span.end;
        self.flat(item.span.start, end, true, out);
        let value = item.value.as_ref()?;
        let at = out.len();
        // Between the word `expect` and what it expects stands nothing.
        let assigns = !self.tokens_in(end, value.span.start).is_empty();
        out.push_str(if assigns { " = " } else { " " });
        assigns.then_some(at)
    }

    /// Appends a value to a line. If it is a list or call that must be broken, the line it ends on is given back.
    fn value(&mut self, mut line: Line, value: &Expr) -> Line {
        let Some((elements, opened)) = self.sequence(value) else {
            self.flat(value.span.start, value.span.end, false, &mut line.code);
            return line;
        };
        let commented = self.has_comment(value.span);
        // Each token takes a column, so what has more of them need not be tried.
        let small = self.tokens_in(value.span.start, value.span.end).len() <= WIDTH;
        if !commented && (elements.is_empty() || (small && !self.spans_lines(value.span))) {
            let before = line.code.len();
            self.flat(value.span.start, value.span.end, false, &mut line.code);
            if elements.is_empty() || line.columns() <= WIDTH {
                return line;
            }
            line.code.truncate(before);
        }
        let indent = line.indent;
        let close = value.span.end - 1;
        line.code.push_str(self.source(value.span.start, opened));
        line.opens = true;
        self.push(line);
        for element in elements {
            let line = self.begin(
                element.span.start,
                element.span.end,
                Some(element),
                indent + STEP,
            );
            let mut line = self.value(line, element);
            line.code.push(',');
            self.push(line);
        }
        self.comments_before(close, indent + STEP);
        Line::new(indent, self.source(close, value.span.end))
    }

    /// Appends a block to the line of its header. If it is broken, the line it ends on is given back.
    fn body(&mut self, mut line: Line, body: &Body) -> Line {
        let commented = self
            .comments
            .get(self.taken)
            .is_some_and(|comment| comment.start < body.span.end);
        line.code.push_str(" {");
        if body.items.is_empty() && !commented {
            line.code.push('}');
            return line;
        }
        if !commented && !self.spans_lines(body.span) {
            let before = line.code.len();
            if self.flat_items(&body.items, &mut line.code, before) && line.columns() <= WIDTH {
                return line;
            }
            line.code.truncate(before);
        }
        let indent = line.indent;
        line.opens = true;
        self.push(line);
        self.items(&body.items, indent + STEP);
        self.comments_before(body.span.end, indent + STEP);
        Line::new(indent, "}")
    }

    /// Appends the items of a block, and its `}`, on one line. Gives up when what stands behind byte
    /// `from` is certain not to fit, so that each level of nested blocks costs no more than a line.
    fn flat_items(&self, items: &[Item], out: &mut String, from: usize) -> bool {
        for (i, item) in items.iter().enumerate() {
            out.push_str(if i == 0 { " " } else { "  " });
            self.header(item, out);
            if let Some(value) = &item.value {
                self.flat(value.span.start, value.span.end, false, out);
            }
            if let Some(body) = &item.body {
                out.push_str(" {");
                if !self.flat_items(&body.items, out, from) {
                    return false;
                }
            }
            // A character has at most four bytes.
            if out.len() - from > 4 * WIDTH {
                return false;
            }
        }
        out.push_str(if items.is_empty() { "}" } else { " }" });
        true
    }

    /// Appends the tokens from `start` to `end` on one line. In a header `/` joins two names, in a value it
    /// divides, unless it stands in `secret name/key`.
    fn flat(&self, start: u32, end: u32, in_header: bool, out: &mut String) {
        use TokenKind::*;
        let tokens = self.tokens_in(start, end);
        let mut glue = true;
        let mut before: [Option<Token>; 2] = [None, None];
        for (i, token) in tokens.iter().enumerate() {
            let kind = token.kind;
            let next = tokens.get(i + 1).map(|next| next.kind);
            if kind == Comma && matches!(next, Some(CloseBracket | CloseParen)) {
                continue;
            }
            let [second_last, last] = before;
            let last_kind = last.map(|last| last.kind);
            let behind_value = matches!(
                last_kind,
                Some(Word | Number | Text | TextBlock | CloseBracket | CloseParen)
            );
            let begins_value = matches!(
                kind,
                Word | Number | Text | TextBlock | OpenBracket | OpenParen
            );
            // In a list a line break separates as a comma does.
            if behind_value && begins_value && token.first_on_line && !in_header {
                out.push(',');
            }
            // Two words on one line of a value are the beginning of a reference.
            let in_reference = matches!(last_kind, Some(Word | Text))
                && last.is_some_and(|last| !last.first_on_line)
                && second_last.is_some_and(|token| token.kind == Word);
            let joins =
                matches!(kind, Dot | DotDot) || (kind == Slash && (in_header || in_reference));
            let calls = kind == OpenParen
                && last.is_some_and(|last| last.kind == Word && last.end == token.start);
            if !glue && !joins && !calls && !matches!(kind, CloseBracket | CloseParen | Comma) {
                out.push(' ');
            }
            out.push_str(self.source(token.start, token.end));
            glue = joins
                || matches!(kind, OpenBracket | OpenParen)
                || (kind == Minus && !behind_value);
            before = [last, Some(*token)];
        }
    }
}

/// Aligns lines and writes them.
fn render(mut lines: Vec<Line>) -> String {
    let not_too_long = |width: &usize| *width <= WIDTH;
    for run in lines
        .chunk_by_mut(|line, next| line.assign.is_some() && next.assign.is_some() && !next.blank)
    {
        let key_width = |line: &Line| line.assign.map(|at| width(&line.code[..at]));
        let longest = run
            .iter()
            .filter_map(key_width)
            .filter(not_too_long)
            .max()
            .unwrap_or(0);
        for line in run {
            if let (Some(at), Some(width)) = (line.assign, key_width(line)) {
                line.code
                    .insert_str(at, &" ".repeat(longest.saturating_sub(width)));
            }
        }
    }
    let mut out = String::new();
    let goes_on = |line: &Line, next: &Line| {
        line.trails() && next.trails() && !next.blank && !next.code.contains('\n')
    };
    for run in lines.chunk_by(goes_on) {
        let longest = run
            .iter()
            .map(Line::columns)
            .filter(not_too_long)
            .max()
            .unwrap_or(0);
        for line in run {
            out.push_str(if line.blank { "\n" } else { "" });
            out.push_str(&" ".repeat(line.indent));
            out.push_str(&line.code);
            if let Some(comment) = &line.comment {
                if line.trails() {
                    out.push_str(&" ".repeat(longest.saturating_sub(line.columns()) + 2));
                }
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests;
