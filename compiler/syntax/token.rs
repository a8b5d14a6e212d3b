//! The kinds of token and how a message calls them.

use crate::base::span::{FileId, Span};

/// What a token is. Keywords are ordinary words: only their place makes them keywords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// A name or key: a letter or `_`, then letters, digits, `_` and `-`.
    Word,
    /// Digits, perhaps a fraction, and whatever suffix is attached.
    Number,
    /// `"text"` on one line.
    Text,
    /// `"""` text over several lines `"""`.
    TextBlock,
    /// A `"` without its end on the line, or `"""` without its end in the file.
    OpenText,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// `=`
    Equals,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==`
    EqualEqual,
    /// `!=`
    NotEqual,
    /// `#` to the end of the line. Kept beside the tree, not in it.
    Comment,
    /// A character that begins no token.
    Unknown,
    /// The end of the file.
    End,
}

impl TokenKind {
    /// The token in the words of a message.
    pub(crate) fn described(self) -> &'static str {
        match self {
            TokenKind::Word => "a name",
            TokenKind::Number => "a number",
            TokenKind::Text | TokenKind::TextBlock | TokenKind::OpenText => "a text",
            TokenKind::OpenBrace => "`{`",
            TokenKind::CloseBrace => "`}`",
            TokenKind::OpenBracket => "`[`",
            TokenKind::CloseBracket => "`]`",
            TokenKind::OpenParen => "`(`",
            TokenKind::CloseParen => "`)`",
            TokenKind::Comma => "`,`",
            TokenKind::Dot => "`.`",
            TokenKind::DotDot => "`..`",
            TokenKind::Equals => "`=`",
            TokenKind::Plus => "`+`",
            TokenKind::Minus => "`-`",
            TokenKind::Star => "`*`",
            TokenKind::Slash => "`/`",
            TokenKind::Less => "`<`",
            TokenKind::LessEqual => "`<=`",
            TokenKind::Greater => "`>`",
            TokenKind::GreaterEqual => "`>=`",
            TokenKind::EqualEqual => "`==`",
            TokenKind::NotEqual => "`!=`",
            TokenKind::Comment => "a comment",
            TokenKind::Unknown => "a character that begins nothing",
            TokenKind::End => "the end of the file",
        }
    }
}

/// One token: kind, place, and whether it is the first of its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Whether only blanks come before it on its line.
    pub first_on_line: bool,
    /// First byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

impl Token {
    /// Its place in `file`.
    pub(crate) fn span(self, file: FileId) -> Span {
        Span::new(file, self.start, self.end)
    }
}
