//! Spellings of YAML, compose and other languages, read as they are meant: each is reported once, with what bz writes
//! in its place, and reading goes on behind it.

use super::{Parser, Read, Reported};
use crate::base::span::Span;
use crate::syntax::NAMED;
use crate::syntax::ast::{Body, Expr, ExprKind, Item, Word};
use crate::syntax::errors;
use crate::syntax::literal;
use crate::syntax::token::{Token, TokenKind};

fn hole(span: Span) -> Expr {
    Expr {
        span,
        kind: ExprKind::Hole,
    }
}

/// A part of `secret NAME/KEY` as it is written: a word, or a text.
fn part(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    match plain && text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => text.to_owned(),
        false => format!("\"{text}\""),
    }
}

impl Parser<'_> {
    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// Whether the next token follows the last one without a blank.
    fn is_glued(&self) -> bool {
        self.peek().start == self.previous().end && self.at > 0
    }

    /// What stands behind `key:` or `key name:`, with the `:` as the next token.
    pub(super) fn behind_colon(&mut self, item: &mut Item) -> Read<()> {
        let colon = self.next();
        let colon = self.span(colon);
        let key = self.slice(item.key.span).to_owned();
        let on_line = |token: Token| !token.first_on_line;
        let named = self.depth == 0 && (NAMED.contains(&key.as_str()) || key == "env");
        let is_name = matches!(self.peek().kind, TokenKind::Word | TokenKind::Text);
        if named && item.names.is_empty() && is_name && on_line(self.peek()) {
            item.names = self.names(item.key)?.into();
        }
        let behind = item.names.last().map_or(item.key.span, |name| name.span);
        let head = item.key.span.to(behind);
        let nameless = named && item.names.is_empty();
        let token = self.peek();
        let blocks = if token.kind == TokenKind::OpenBrace && on_line(token) {
            item.body = Some(self.body()?);
            Some(None)
        } else if is_block_begin(token.kind) && self.is_inside(token, item.key.span) {
            item.body = Some(self.indented(token, item.key.span)?);
            Some(Some(self.previous().after()))
        } else {
            None
        };
        if let Some(end) = blocks {
            let margin = self.margin(item.key.span);
            let head = (key.as_str(), head);
            self.sink.push(match nameless {
                true => errors::colon_without_name(head, colon),
                false => errors::colon_before_block(head, colon, behind, end, &margin),
            });
            return match nameless {
                // What a declaration without a name means is not known.
                true => {
                    item.body = None;
                    Err(Reported)
                }
                false => Ok(()),
            };
        }
        if !item.names.is_empty() {
            self.sink
                .push(errors::colon_without_block((&key, head), colon));
            return Err(Reported);
        }
        if let Some(list) = self.list_of_dashes(colon) {
            item.value = Some(list);
            return Ok(());
        }
        self.sink
            .push(errors::colon(&key, item.key.span, colon, nameless));
        if token.first_on_line || nameless {
            return Err(Reported);
        }
        item.value = Some(self.value(item.key)?);
        self.no_separator();
        Ok(())
    }

    /// Items of lines that are indented further than the line of `head`, as a block.
    fn indented(&mut self, opening: Token, head: Span) -> Read<Box<Body>> {
        let start = self.span(opening);
        let first = self.stack.len();
        self.nested(opening, |parser| {
            parser.push_items(Some(head));
            Ok(())
        })?;
        Ok(Box::new(Body {
            span: start.to(self.previous()),
            items: self.stack.drain(first..).collect(),
        }))
    }

    /// The blanks before the line of a span.
    fn margin(&self, of: Span) -> String {
        let before = &self.text[..of.start as usize];
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let margin = before[line..].chars();
        margin.take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    /// A list with a dash and a line for each element, in place of what follows `behind`: a `=` or a `:`.
    pub(super) fn list_of_dashes(&mut self, behind: Span) -> Option<Expr> {
        let dashed = |parser: &Self| {
            let (dash, first) = (parser.peek(), parser.peek_second());
            dash.kind == TokenKind::Minus
                && dash.first_on_line
                && first.start > dash.end
                && !first.first_on_line
        };
        if !dashed(self) {
            return None;
        }
        let dash = self.span(self.peek());
        let mut elements: Option<Vec<String>> = Some(Vec::new());
        while dashed(self) {
            let dash = self.next();
            let (dash, start) = (self.span(dash), self.span(self.peek()));
            let ends = |parser: &Self| {
                matches!(parser.peek().kind, TokenKind::End | TokenKind::CloseBrace)
                    || parser.peek().first_on_line && !parser.is_inside(parser.peek(), dash)
            };
            while !ends(self) {
                self.next();
            }
            let text = self.slice(start.to(self.previous()));
            let is_word = part(text.trim_matches('"')) == text || text.starts_with('"');
            let is_simple = is_word && !text.trim_matches('"').contains(['"', ' ', '\n']);
            elements = elements.filter(|_| is_simple);
            if let Some(elements) = &mut elements {
                elements.push(text.to_owned());
            }
        }
        let list = elements.map(|elements| format!("[{}]", elements.join(", ")));
        let colon = self.slice(behind) == ":";
        let replaced = Span {
            start: if colon { behind.start } else { behind.end },
            ..behind.to(self.previous())
        };
        let list = list.map(|list| format!("{} {list}", if colon { " =" } else { "" }));
        self.sink.push(errors::yaml_list(dash, replaced, list));
        Some(hole(dash))
    }

    /// `80:8080` behind `port`, as compose writes the port of the machine and that of the container.
    pub(super) fn pair_of_ports(&mut self, key: Word) -> Option<Expr> {
        let number = |at: usize| self.tokens.get(self.at + at).copied();
        let (host, colon, port) = (number(0)?, number(1)?, number(2)?);
        let glued = host.end == colon.start && colon.end == port.start;
        let kinds = [host.kind, port.kind] == [TokenKind::Number; 2] && self.text_of(colon) == ":";
        if !glued || !kinds || self.slice(key.span) != "port" {
            return None;
        }
        let span = self.span(host).to(self.span(port));
        let (host, port) = (self.text_of(host), self.text_of(port));
        let error = errors::pair_of_ports(host, port, span);
        self.at += 3;
        self.sink.push(error);
        Some(hole(span))
    }

    /// A number and its unit with a blank between, or two numbers with `to` between.
    pub(super) fn apart(&mut self, value: &Expr) -> Option<Expr> {
        let (next, second) = (self.peek(), self.peek_second());
        if !matches!(value.kind, ExprKind::Number)
            || next.kind != TokenKind::Word
            || next.first_on_line
        {
            return None;
        }
        let (number, word) = (self.slice(value.span), self.text_of(next));
        let all = value.span.to(self.span(next));
        if word == "to" && second.kind == TokenKind::Number && !second.first_on_line {
            let all = value.span.to(self.span(second));
            let range = format!("{number}..{}", self.text_of(second));
            self.sink.push(errors::range_in_words(all, range));
            self.at += 2;
            return Some(hole(all));
        }
        let named = matches!(second.kind, TokenKind::Word | TokenKind::Text);
        let is_key = matches!(second.kind, TokenKind::Equals | TokenKind::OpenBrace)
            // The one unit that is a word of the language too.
            || word == "cpu" && named && !second.first_on_line;
        if is_key {
            return None;
        }
        let joined = format!("{number}{word}");
        let is_unit = matches!(word, "k" | "M" | "G" | "m") || literal::meant(&joined).is_some();
        if !is_unit {
            return None;
        }
        let own = ["k", "M", "G", "m", "Ki", "Mi", "Gi", "ms", "s", "min", "h"].contains(&word);
        let meant = literal::meant(&joined).filter(|_| !own).unwrap_or(joined);
        self.sink
            .push(errors::detached_unit(number, all, own, meant));
        self.next();
        Some(hole(all))
    }

    /// The third point of `32Mi...48Mi`.
    pub(super) fn third_dot(&mut self) {
        if self.peek().kind == TokenKind::Dot && self.is_glued() {
            let dot = self.next();
            self.sink.push(errors::third_dot(self.span(dot)));
        }
    }

    /// A text without quotes, such as `postgres:16`, of which `begun` was read.
    pub(super) fn text_without_quotes(&mut self, begun: &Expr) -> Option<Expr> {
        let sign = self.peek();
        if sign.kind != TokenKind::Unknown
            || !self.is_glued()
            || !matches!(self.text_of(sign), ":" | "@")
        {
            return None;
        }
        let ends = |kind| {
            matches!(
                kind,
                TokenKind::Comma
                    | TokenKind::OpenBrace
                    | TokenKind::CloseBrace
                    | TokenKind::CloseBracket
                    | TokenKind::CloseParen
                    | TokenKind::End
            )
        };
        while self.is_glued() && !ends(self.peek().kind) {
            self.next();
        }
        let span = begun.span.to(self.previous());
        let text = self.slice(span).replace('"', "");
        self.sink.push(errors::text_without_quotes(&text, span));
        Some(hole(span))
    }

    /// A text between single quotes.
    pub(super) fn single_quotes(&mut self) -> Option<Expr> {
        let open = self.peek();
        let rest = self
            .text
            .get(open.end as usize..)
            .filter(|_| self.text_of(open) == "'")?;
        let length = rest.lines().next().unwrap_or_default().find('\'')?;
        let end = open.end + u32::try_from(length).ok()? + 1;
        let span = Span {
            end,
            ..self.span(open)
        };
        let inner = rest[..length].replace('\\', "\\\\").replace('"', "\\\"");
        self.sink.push(errors::single_quotes(&inner, span));
        while self.peek().start < end && self.peek().kind != TokenKind::End {
            self.next();
        }
        Some(hole(span))
    }

    /// `secret(pg, password)`, `secret "pg/password"` and `secret pg.password`: bz writes `secret pg/password`.
    pub(super) fn reference_otherwise(&mut self) -> Option<Expr> {
        let at = |at: usize| self.tokens[(self.at + at).min(self.tokens.len() - 1)];
        let (kind, second, third) = (at(0), at(1), at(2));
        let word = self.text_of(kind);
        if !["secret", "config"].contains(&word) || second.first_on_line {
            return None;
        }
        let follows = third.start == second.end && !third.first_on_line;
        let count = match second.kind {
            TokenKind::OpenParen => {
                let line = self.tokens[self.at + 2..].iter();
                let mut line = line.take_while(|token| !token.first_on_line);
                3 + line.position(|token| token.kind == TokenKind::CloseParen)?
            }
            TokenKind::Text if third.kind == TokenKind::Slash && follows => return None,
            TokenKind::Text if self.text_of(second).contains(['/', '.', ':']) => 2,
            TokenKind::Word if third.kind == TokenKind::Dot && follows => 4,
            _ => return None,
        };
        let end = at(count - 1);
        let is_key = |token: Token| matches!(token.kind, TokenKind::Equals | TokenKind::OpenBrace);
        if end.kind == TokenKind::End || is_key(at(count)) {
            return None;
        }
        let span = self.span(kind).to(self.span(end));
        let inner = self.slice(self.span(second).to(self.span(end)));
        let between: &[char] = match inner.contains('/') {
            true => &['/'],
            false => &['.', ',', ':'],
        };
        let plain = |c: char| "()\" ".contains(c);
        let names: Vec<String> = inner
            .split(between)
            .map(|name| part(name.trim_matches(plain)))
            .collect();
        let path = match names.as_slice() {
            [name, key] if names.iter().all(|name| name != "\"\"") => {
                Some(format!("{word} {name}/{key}"))
            }
            _ => None,
        };
        let error = errors::reference_otherwise(word, span, path);
        self.sink.push(error);
        self.at += count;
        Some(hole(span))
    }
}

/// Whether an item begins with this.
fn is_block_begin(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Word | TokenKind::Text)
}
