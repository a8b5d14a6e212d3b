//! Text to tokens, with nom. The lexer never fails and never reports: an unclosed text or a character
//! that begins nothing becomes a token of its own kind, and the parser says so.

use nom::branch::alt;
use nom::bytes::complete::{tag, take, take_till, take_until, take_while};
use nom::character::complete::{char, digit1, satisfy};
use nom::combinator::{opt, rest, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded};
use nom::{IResult, Parser};

use super::token::{Token, TokenKind};

/// Bytes, because everything that ends a token is ASCII: no character is ever cut.
type Input<'s> = &'s [u8];
type Lexed<'s> = IResult<Input<'s>, TokenKind>;

/// Which bytes go on with a word: most of a program is words, and a table is faster than four comparisons.
const IN_WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        byte += 1;
    }
    table
};

/// The tokens of a text, comments apart, each list in order. The tokens end with [`TokenKind::End`].
#[derive(Debug)]
pub(crate) struct Tokens {
    /// All but the comments.
    pub tokens: Vec<Token>,
    /// The comments.
    pub comments: Vec<Token>,
}

/// Cuts a text into tokens. Together with blanks, tokens and comments cover it exactly.
pub(crate) fn lex(text: &str) -> Tokens {
    let mut lexed = Tokens {
        tokens: Vec::with_capacity(text.len() / 5),
        comments: Vec::new(),
    };
    let offset = |at: Input<'_>| {
        u32::try_from(text.len() - at.len()).expect("sources are smaller than 4 GiB")
    };
    // A byte order mark is what some editors put before any text.
    let mut input = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
    let mut first_on_line = true;
    loop {
        while let [blank @ (b' ' | b'\t' | b'\r' | b'\n'), after @ ..] = input {
            first_on_line |= *blank == b'\n';
            input = after;
        }
        let start = offset(input);
        let Ok((after, kind)) = token(input) else {
            break;
        };
        let token = Token {
            kind,
            first_on_line,
            start,
            end: offset(after),
        };
        match kind {
            TokenKind::Comment => lexed.comments.push(token),
            _ => lexed.tokens.push(token),
        }
        first_on_line = false;
        input = after;
    }
    let end = offset(input);
    lexed.tokens.push(Token {
        kind: TokenKind::End,
        first_on_line: true,
        start: end,
        end,
    });
    lexed
}

/// One token. Fails only at the end of the input: the last alternative takes any character.
fn token(input: Input<'_>) -> Lexed<'_> {
    match input.first() {
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => word(input),
        Some(b'0'..=b'9') => number(input),
        Some(b'"') => text(input),
        // A comment of a file with Windows line ends stops before the carriage return.
        Some(b'#') => {
            value(TokenKind::Comment, take_till(|b| b == b'\n' || b == b'\r')).parse(input)
        }
        Some(0x80..) => value(TokenKind::Unknown, take(character_length(input))).parse(input),
        _ => punctuation(input),
    }
}

/// Bytes of the character that begins here.
fn character_length(input: Input<'_>) -> usize {
    1 + input
        .iter()
        .skip(1)
        .take_while(|byte| (0x80..0xC0).contains(*byte))
        .count()
}

/// A word. `token` has checked its first letter.
fn word(input: Input<'_>) -> Lexed<'_> {
    value(TokenKind::Word, take_while(|b: u8| IN_WORD[usize::from(b)])).parse(input)
}

/// Digits, an optional fraction (a point that a digit follows, so that `1..4` is a range), a suffix.
fn number(input: Input<'_>) -> Lexed<'_> {
    let suffix = take_while(|b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'%');
    value(
        TokenKind::Number,
        (digit1, opt(pair(char('.'), digit1)), suffix),
    )
    .parse(input)
}

fn text(input: Input<'_>) -> Lexed<'_> {
    if !input.starts_with(b"\"\"\"") {
        let plain = || take_till(|b| matches!(b, b'"' | b'\\' | b'\n'));
        let escaped = preceded(char('\\'), pair(satisfy(|c| c != '\n'), plain()));
        let line = delimited(char('"'), pair(plain(), many0_count(escaped)), char('"'));
        return alt((
            value(TokenKind::Text, line),
            value(TokenKind::OpenText, take_till(|b| b == b'\n')),
        ))
        .parse(input);
    }
    let block = delimited(tag("\"\"\""), take_until("\"\"\""), tag("\"\"\""));
    alt((
        value(TokenKind::TextBlock, block),
        value(TokenKind::OpenText, rest),
    ))
    .parse(input)
}

fn punctuation(input: Input<'_>) -> Lexed<'_> {
    alt((
        alt((
            value(TokenKind::OpenBrace, char('{')),
            value(TokenKind::CloseBrace, char('}')),
            value(TokenKind::EqualEqual, tag("==")),
            value(TokenKind::Equals, char('=')),
            value(TokenKind::DotDot, tag("..")),
            value(TokenKind::Dot, char('.')),
            value(TokenKind::Comma, char(',')),
            value(TokenKind::OpenBracket, char('[')),
            value(TokenKind::CloseBracket, char(']')),
            value(TokenKind::OpenParen, char('(')),
            value(TokenKind::CloseParen, char(')')),
        )),
        alt((
            value(TokenKind::GreaterEqual, tag(">=")),
            value(TokenKind::LessEqual, tag("<=")),
            value(TokenKind::NotEqual, tag("!=")),
            value(TokenKind::Greater, char('>')),
            value(TokenKind::Less, char('<')),
            value(TokenKind::Plus, char('+')),
            value(TokenKind::Minus, char('-')),
            value(TokenKind::Star, char('*')),
            value(TokenKind::Slash, char('/')),
            value(TokenKind::Unknown, take(1_usize)),
        )),
    ))
    .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        lex(text).tokens.iter().map(|token| token.kind).collect()
    }

    #[test]
    fn ranges_fractions_and_hyphens() {
        use TokenKind::*;
        assert_eq!(kinds("32Mi..48Mi"), [Number, DotDot, Number, End]);
        assert_eq!(kinds("1..4"), [Number, DotDot, Number, End]);
        assert_eq!(kinds("1.5Gi"), [Number, End]);
        assert_eq!(
            kinds("max-requests-inflight = 50"),
            [Word, Equals, Number, End]
        );
        assert_eq!(kinds("a - b"), [Word, Minus, Word, End]);
        assert_eq!(kinds("web/nginx"), [Word, Slash, Word, End]);
    }

    #[test]
    fn texts_end_at_their_line() {
        use TokenKind::*;
        assert_eq!(kinds("\"a\\\"b\" x"), [Text, Word, End]);
        assert_eq!(kinds("\"open\nx"), [OpenText, Word, End]);
        assert_eq!(kinds("\"\"\"a\nb\"\"\" x"), [TextBlock, Word, End]);
        assert_eq!(kinds("\"\"\"a\nb"), [OpenText, End]);
        assert_eq!(kinds("\"\""), [Text, End]);
    }

    #[test]
    fn strange_characters_are_tokens_too() {
        assert_eq!(
            kinds("é;"),
            [TokenKind::Unknown, TokenKind::Unknown, TokenKind::End]
        );
        assert_eq!(kinds("\u{feff}a"), [TokenKind::Word, TokenKind::End]);
    }
}
