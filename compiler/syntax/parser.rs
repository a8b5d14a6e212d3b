//! Tokens to tree, by recursive descent with recovery: a fault inside an item is reported once, the item
//! gets a hole, and reading goes on at the next line that begins one.

mod habits;

use super::ast::{
    Body, Call, Expr, ExprKind, File, Item, OVERRIDE, Operator, Reference, Word, WordShape,
};
use super::errors;
use super::lexer::lex;
use super::token::{Token, TokenKind};
use crate::base::span::{FileId, Span};
use crate::diag::Sink;

/// Blocks, lists and parentheses may nest this deep; more is an error, not a stack overflow.
const MAX_DEPTH: u32 = 128;

/// A value may have this many operators: its tree is as deep as it is long.
const MAX_OPERATORS: u32 = 1000;

/// A file's tree, and whether its braces pair up. If they do not, what belongs to what is a guess, and
/// later phases would only report its consequences.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The tree.
    pub file: File,
    /// Whether every brace has its counterpart.
    pub braces_pair: bool,
}

/// Reads the text of `id`. Never fails; what is wrong goes to the sink.
pub(crate) fn parse(id: FileId, text: &str, sink: &mut Sink) -> Parsed {
    let lexed = lex(text);
    let mut parser = Parser {
        id,
        text,
        tokens: &lexed.tokens,
        at: 0,
        depth: 0,
        stack: Vec::new(),
        operators: 0,
        open: Vec::new(),
        suspect: None,
        braces_pair: true,
        sink,
    };
    let items = parser.items();
    let braces_pair = parser.braces_pair;
    Parsed {
        file: File {
            id,
            items,
            comments: lexed.comments,
        },
        braces_pair,
    }
}

/// A fault was reported; skip to the next item.
struct Reported;

type Read<T> = Result<T, Reported>;

struct Parser<'p> {
    id: FileId,
    text: &'p str,
    tokens: &'p [Token],
    at: usize,
    depth: u32,
    /// Items of the blocks being read, outermost first.
    stack: Vec<Item>,
    /// Operators in the item being read.
    operators: u32,
    /// The `{` of the blocks being read.
    open: Vec<Token>,
    /// The block that was open when an item began in the first column. It is likely the one that lacks its `}`.
    suspect: Option<Token>,
    braces_pair: bool,
    sink: &'p mut Sink,
}

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    fn peek_second(&self) -> Token {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    fn next_is(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    fn eat(&mut self, kind: TokenKind) -> Option<Token> {
        self.next_is(kind).then(|| self.next())
    }

    fn span(&self, token: Token) -> Span {
        token.span(self.id)
    }

    fn previous(&self) -> Span {
        self.span(self.tokens[self.at.saturating_sub(1)])
    }

    fn text_of(&self, token: Token) -> &str {
        &self.text[token.start as usize..token.end as usize]
    }

    fn is_word(&self, token: Token, word: &str) -> bool {
        token.kind == TokenKind::Word && self.text_of(token) == word
    }

    /// Items up to the `}` of the block being read, or to the end of the file.
    fn items(&mut self) -> Box<[Item]> {
        // Items of all open blocks are gathered on one stack, so that each block gets a slice of just its size.
        let first = self.stack.len();
        self.push_items(None);
        self.stack.drain(first..).collect()
    }

    /// The items of a block; with `head` those of lines that are indented further than its line.
    fn push_items(&mut self, head: Option<Span>) {
        loop {
            let token = self.peek();
            if token.first_on_line && head.is_some_and(|head| !self.is_inside(token, head)) {
                return;
            }
            match token.kind {
                TokenKind::End => return,
                TokenKind::CloseBrace if !self.open.is_empty() => return,
                TokenKind::CloseBrace => {
                    self.sink.push(errors::unmatched_brace(self.span(token)));
                    self.braces_pair = false;
                    self.next();
                }
                TokenKind::Word | TokenKind::Text => {
                    let in_first_column =
                        token.start == 0 || self.text.as_bytes()[token.start as usize - 1] == b'\n';
                    if in_first_column && self.suspect.is_none() {
                        self.suspect = self.open.last().copied();
                    }
                    let item = self.item();
                    self.stack.push(item);
                }
                _ => {
                    self.sink.push(errors::expected_item(
                        self.span(token),
                        self.text_of(token),
                        token.kind,
                    ));
                    self.next();
                    self.skip_item();
                }
            }
        }
    }

    /// Passes over what is left of a faulty item: to a line that begins with a word, or to the end of the block.
    fn skip_item(&mut self) {
        let mut depth = 0_u32;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::End => return,
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace if depth == 0 => return,
                TokenKind::CloseBrace => depth -= 1,
                TokenKind::Word | TokenKind::Text if depth == 0 && token.first_on_line => return,
                _ => {}
            }
            self.next();
        }
    }

    /// One item. What could not be read of it is a hole, so that nobody calls it missing.
    fn item(&mut self) -> Item {
        self.operators = 0;
        let start = self.span(self.peek());
        let second = self.peek_second().kind;
        let overrides = self.is_word(self.peek(), OVERRIDE)
            && matches!(second, TokenKind::Word | TokenKind::Text);
        if overrides {
            self.next();
        }
        let key = self.word();
        let mut item = Item {
            span: start,
            overrides,
            key,
            names: Box::default(),
            value: None,
            body: None,
        };
        let key_text = &self.text[key.span.start as usize..key.span.end as usize];
        let is_field = matches!(self.peek().kind, TokenKind::Equals | TokenKind::OpenBrace);
        let read = match key_text {
            "expect" if !is_field => self.comparison().map(|value| item.value = Some(value)),
            "use" | "keep" if !is_field => self.names(key).map(|names| item.names = names.into()),
            _ => self.fields_of(&mut item),
        };
        if read.is_err() {
            self.skip_item();
            if item.value.is_none() && item.body.is_none() {
                item.value = Some(Expr {
                    span: key.span.after(),
                    kind: ExprKind::Hole,
                });
            }
        }
        item.span = start.to(self.previous());
        item
    }

    /// `names`, then `= value`, then a body, each where it stands.
    fn fields_of(&mut self, item: &mut Item) -> Read<()> {
        if matches!(self.peek().kind, TokenKind::Word | TokenKind::Text)
            && !self.peek().first_on_line
        {
            item.names = self.names(item.key)?.into();
        }
        let token = self.peek();
        match token.kind {
            TokenKind::Equals if self.peek_second().kind == TokenKind::OpenBrace => {
                self.sink
                    .push(errors::equals_before_block(self.span(token)));
                self.next();
                item.body = Some(self.body()?);
                Ok(())
            }
            TokenKind::Equals => {
                self.next();
                item.value = Some(self.value(item.key)?);
                if self.next_is(TokenKind::OpenBrace) && !self.peek().first_on_line {
                    item.body = Some(self.body()?);
                }
                self.no_separator();
                Ok(())
            }
            TokenKind::OpenBrace => {
                item.body = Some(self.body()?);
                self.no_separator();
                Ok(())
            }
            TokenKind::Unknown if self.text_of(token) == ":" => self.behind_colon(item),
            TokenKind::Word | TokenKind::Text
                if !item.names.is_empty() && self.is_inside(token, item.key.span) =>
            {
                let behind = item.names.last().map_or(item.key.span, |name| name.span);
                self.sink
                    .push(errors::missing_brace(item.key.span.to(behind), behind));
                let open = self.tokens[self.at - 1];
                item.body = Some(self.block(open)?);
                Ok(())
            }
            _ => {
                let behind = item.names.last().map_or(item.key.span, |name| name.span);
                let key = &self.text[item.key.span.start as usize..item.key.span.end as usize];
                let found = self.text_of(token);
                let second = self.peek_second().kind;
                let is_head = matches!(second, TokenKind::Equals | TokenKind::OpenBrace);
                self.sink.push(match item.names.first() {
                    None => errors::missing_equals(key, item.key.span, found, token.kind, is_head),
                    Some(first) => errors::missing_body(
                        key,
                        item.key.span,
                        first.span,
                        behind,
                        found,
                        token.kind,
                    ),
                });
                Err(Reported)
            }
        }
    }

    /// Whether a token begins a line that is indented further than the line of `head`, so that it was meant to be
    /// part of what `head` declares.
    fn is_inside(&self, token: Token, head: Span) -> bool {
        let column = |at: u32| {
            let before = &self.text[..at as usize];
            before.len() - before.rfind('\n').map_or(0, |line| line + 1)
        };
        token.first_on_line && column(token.start) > column(head.start)
    }

    /// Fields are separated by blanks. A `,` or `;` behind one is a habit from other languages: it is reported and
    /// skipped.
    fn no_separator(&mut self) {
        let token = self.peek();
        if token.kind == TokenKind::Comma
            || (token.kind == TokenKind::Unknown && self.text_of(token) == ";")
        {
            self.sink
                .push(errors::separator(self.span(token), self.text_of(token)));
            self.next();
        }
    }

    fn names(&mut self, key: Word) -> Read<Vec<Word>> {
        let mut names = Vec::new();
        loop {
            let token = self.peek();
            if !matches!(token.kind, TokenKind::Word | TokenKind::Text) {
                self.sink.push(errors::expected(
                    "a name",
                    self.text_of(token),
                    token.kind,
                    self.span(token),
                    key.span,
                ));
                return Err(Reported);
            }
            names.push(self.joined_word());
            if self.eat(TokenKind::Comma).is_none() {
                return Ok(names);
            }
        }
    }

    fn word(&mut self) -> Word {
        let token = self.next();
        let shape = if token.kind == TokenKind::Text {
            WordShape::Quoted
        } else {
            WordShape::Bare
        };
        Word {
            span: self.span(token),
            shape,
        }
    }

    /// A word, or words joined by `.` or `/` without blanks between.
    fn joined_word(&mut self) -> Word {
        let mut word = self.word();
        while matches!(self.peek().kind, TokenKind::Dot | TokenKind::Slash)
            && self.peek().start == word.span.end
            && self.peek_second().start == self.peek().end
            && matches!(self.peek_second().kind, TokenKind::Word | TokenKind::Text)
        {
            self.next();
            let next = self.word();
            word = Word {
                span: word.span.to(next.span),
                shape: WordShape::Joined,
            };
        }
        word
    }

    fn body(&mut self) -> Read<Box<Body>> {
        let open = self.next();
        self.block(open)
    }

    /// What stands behind `open` up to its `}`.
    fn block(&mut self, open: Token) -> Read<Box<Body>> {
        if self.depth >= MAX_DEPTH {
            self.sink.push(errors::too_deep(self.span(open), MAX_DEPTH));
            // The meaning of such deeply nested blocks is not worth reporting on.
            self.braces_pair = false;
            self.skip_to_close();
            return Err(Reported);
        }
        self.depth += 1;
        self.open.push(open);
        let items = self.items();
        self.open.pop();
        self.depth -= 1;
        match self.eat(TokenKind::CloseBrace) {
            Some(close) => Ok(Box::new(Body {
                span: self.span(open).to(self.span(close)),
                items,
            })),
            None => {
                // The innermost block meets the end first; those around it lack a `}` for the same reason.
                if self.braces_pair {
                    let culprit = self.suspect.unwrap_or(open);
                    self.sink
                        .push(errors::unclosed(self.span(culprit), "{", "}"));
                    self.braces_pair = false;
                }
                Ok(Box::new(Body {
                    span: self.span(open).to(self.previous()),
                    items,
                }))
            }
        }
    }

    /// Passes over everything up to the brace that closes the one just read.
    fn skip_to_close(&mut self) {
        let mut depth = 1_u32;
        while depth > 0 && !self.next_is(TokenKind::End) {
            match self.next().kind {
                TokenKind::OpenBrace => depth += 1,
                TokenKind::CloseBrace => depth -= 1,
                _ => {}
            }
        }
        if depth > 0 {
            self.braces_pair = false;
        }
    }

    /// What stands behind `key =`.
    fn value(&mut self, key: Word) -> Read<Expr> {
        let token = self.peek();
        let begins_next_field = matches!(token.kind, TokenKind::Word | TokenKind::Text)
            && token.first_on_line
            && matches!(
                self.peek_second().kind,
                TokenKind::Equals | TokenKind::OpenBrace
            );
        if begins_next_field || matches!(token.kind, TokenKind::CloseBrace | TokenKind::End) {
            let key_text = &self.text[key.span.start as usize..key.span.end as usize];
            self.sink
                .push(errors::missing_value(key_text, self.previous()));
            return Ok(Expr {
                span: self.previous().after(),
                kind: ExprKind::Hole,
            });
        }
        let begun = self.list_of_dashes(self.previous());
        if let Some(hole) = begun.or_else(|| self.pair_of_ports(key)) {
            return Ok(hole);
        }
        let value = self.alternatives()?;
        Ok(self.apart(&value).unwrap_or(value))
    }

    fn comparison(&mut self) -> Read<Expr> {
        let left = self.range()?;
        let operator = match self.peek().kind {
            TokenKind::Less => Operator::Less,
            TokenKind::LessEqual => Operator::LessEqual,
            TokenKind::Greater => Operator::Greater,
            TokenKind::GreaterEqual => Operator::GreaterEqual,
            TokenKind::EqualEqual => Operator::Equal,
            TokenKind::NotEqual => Operator::NotEqual,
            TokenKind::Equals => {
                self.sink
                    .push(errors::single_equals(self.span(self.peek())));
                self.next();
                self.range()?;
                return Ok(Expr {
                    span: left.span,
                    kind: ExprKind::Hole,
                });
            }
            _ => return Ok(left),
        };
        self.next();
        let right = self.range()?;
        Ok(binary(operator, left, right))
    }

    /// `a or b or c`: the first that there is.
    fn alternatives(&mut self) -> Read<Expr> {
        let mut left = self.range()?;
        while self.is_word(self.peek(), "or") && !self.peek().first_on_line {
            self.count_operator()?;
            let right = self.range()?;
            left = binary(Operator::Or, left, right);
        }
        Ok(left)
    }

    fn range(&mut self) -> Read<Expr> {
        let low = self.sum()?;
        if let Some(hole) = self.text_without_quotes(&low) {
            return Ok(hole);
        }
        if self.eat(TokenKind::DotDot).is_none() {
            return Ok(low);
        }
        self.third_dot();
        let high = self.sum()?;
        Ok(Expr {
            span: low.span.to(high.span),
            kind: ExprKind::Range(Box::new((low, high))),
        })
    }

    fn sum(&mut self) -> Read<Expr> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek().kind {
                TokenKind::Plus => Operator::Plus,
                TokenKind::Minus => Operator::Minus,
                _ => return Ok(left),
            };
            self.count_operator()?;
            let right = self.product()?;
            left = binary(operator, left, right);
        }
    }

    /// Passes over an operator, unless the value has too many of them.
    fn count_operator(&mut self) -> Read<()> {
        let token = self.next();
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            self.sink
                .push(errors::too_long(self.span(token), MAX_OPERATORS));
            return Err(Reported);
        }
        Ok(())
    }

    fn product(&mut self) -> Read<Expr> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek().kind {
                TokenKind::Star => Operator::Times,
                TokenKind::Slash => Operator::Divide,
                _ => return Ok(left),
            };
            self.count_operator()?;
            let right = self.unary()?;
            left = binary(operator, left, right);
        }
    }

    fn unary(&mut self) -> Read<Expr> {
        let Some(minus) = self.eat(TokenKind::Minus) else {
            return self.primary();
        };
        let operand = self.nested(minus, Self::unary)?;
        Ok(Expr {
            span: self.span(minus).to(operand.span),
            kind: ExprKind::Negative(Box::new(operand)),
        })
    }

    /// Reads something one level deeper, or reports that it is too deep.
    fn nested<T>(&mut self, opening: Token, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            self.sink
                .push(errors::too_deep(self.span(opening), MAX_DEPTH));
            return Err(Reported);
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    fn primary(&mut self) -> Read<Expr> {
        let token = self.peek();
        let span = self.span(token);
        match token.kind {
            TokenKind::Number => {
                self.next();
                Ok(Expr {
                    span,
                    kind: ExprKind::Number,
                })
            }
            TokenKind::Text | TokenKind::TextBlock => {
                self.next();
                Ok(Expr {
                    span,
                    kind: ExprKind::Text,
                })
            }
            TokenKind::OpenText => {
                self.sink.push(errors::unclosed_text(span));
                self.next();
                Ok(Expr {
                    span,
                    kind: ExprKind::Hole,
                })
            }
            TokenKind::Word => self.word_value(),
            TokenKind::OpenBracket => {
                self.next();
                let items =
                    self.nested(token, |parser| parser.list(token, TokenKind::CloseBracket))?;
                Ok(Expr {
                    span: span.to(self.previous()),
                    kind: ExprKind::List(items.into()),
                })
            }
            TokenKind::OpenParen => {
                self.next();
                let inner = self.nested(token, Self::alternatives)?;
                if self.eat(TokenKind::CloseParen).is_none() {
                    self.sink.push(errors::unclosed(span, "(", ")"));
                    return Err(Reported);
                }
                Ok(Expr {
                    span: span.to(self.previous()),
                    ..inner
                })
            }
            kind => {
                if let Some(hole) = self.single_quotes() {
                    return Ok(hole);
                }
                self.sink.push(errors::expected(
                    "a value",
                    self.text_of(token),
                    kind,
                    span,
                    self.previous(),
                ));
                Err(Reported)
            }
        }
    }

    /// A value that begins with a word: a path, a call, `secret name/key`, `surge 25%`.
    fn word_value(&mut self) -> Read<Expr> {
        if let Some(hole) = self.reference_otherwise() {
            return Ok(hole);
        }
        let token = self.peek();
        let second = self.peek_second();
        let third = self.tokens[(self.at + 2).min(self.tokens.len() - 1)];
        if second.kind == TokenKind::OpenParen && second.start == token.end {
            let name = self.word();
            let open = self.next();
            let arguments = self.nested(open, |parser| parser.list(open, TokenKind::CloseParen))?;
            let call = Call {
                function: name,
                arguments,
            };
            return Ok(Expr {
                span: name.span.to(self.previous()),
                kind: ExprKind::Call(Box::new(call)),
            });
        }
        let named =
            matches!(second.kind, TokenKind::Word | TokenKind::Text) && !second.first_on_line;
        if named && third.kind == TokenKind::Slash && third.start == second.end {
            let kind = self.word();
            let name = self.word();
            self.next();
            let token = self.peek();
            if !matches!(token.kind, TokenKind::Word | TokenKind::Text) {
                self.sink.push(errors::expected(
                    "a key",
                    self.text_of(token),
                    token.kind,
                    self.span(token),
                    kind.span,
                ));
                return Err(Reported);
            }
            let key = self.word();
            let reference = Box::new(Reference { kind, name, key });
            return Ok(Expr {
                span: kind.span.to(key.span),
                kind: ExprKind::Reference(reference),
            });
        }
        if second.kind == TokenKind::Number && !second.first_on_line {
            let tag = self.word();
            let number = self.primary()?;
            return Ok(Expr {
                span: tag.span.to(number.span),
                kind: ExprKind::Tagged(Box::new((tag, number))),
            });
        }
        let mut span = self.word().span;
        while self.next_is(TokenKind::Dot)
            && matches!(self.peek_second().kind, TokenKind::Word | TokenKind::Text)
        {
            self.next();
            span = span.to(self.word().span);
        }
        Ok(Expr {
            span,
            kind: ExprKind::Path,
        })
    }

    /// Values separated by commas or line breaks up to `close`.
    fn list(&mut self, open: Token, close: TokenKind) -> Read<Vec<Expr>> {
        let mut values = Vec::new();
        loop {
            if self.eat(close).is_some() {
                return Ok(values);
            }
            let begins_item = self.peek().first_on_line
                && matches!(self.peek().kind, TokenKind::Word)
                && matches!(
                    self.peek_second().kind,
                    TokenKind::Equals | TokenKind::OpenBrace
                );
            if begins_item || matches!(self.peek().kind, TokenKind::End | TokenKind::CloseBrace) {
                let (opened, closes) = if close == TokenKind::CloseBracket {
                    ("[", "]")
                } else {
                    ("(", ")")
                };
                self.sink
                    .push(errors::unclosed(self.span(open), opened, closes));
                return Err(Reported);
            }
            values.push(self.range()?);
            if self.eat(TokenKind::Comma).is_none()
                && !self.next_is(close)
                && !self.peek().first_on_line
            {
                let token = self.peek();
                let wanted = if close == TokenKind::CloseBracket {
                    "`,` or `]`"
                } else {
                    "`,` or `)`"
                };
                self.sink.push(errors::expected(
                    wanted,
                    self.text_of(token),
                    token.kind,
                    self.span(token),
                    self.previous(),
                ));
                return Err(Reported);
            }
        }
    }
}

fn binary(operator: Operator, left: Expr, right: Expr) -> Expr {
    Expr {
        span: left.span.to(right.span),
        kind: ExprKind::Binary(operator, Box::new((left, right))),
    }
}
