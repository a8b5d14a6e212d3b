//! A large file to its items: cut where one item ends and the next begins, and read by as many threads as there are cores.

use crate::base::parallel::in_parts;
use crate::diag::Sink;
use crate::syntax::ast::Item;
use crate::syntax::token::{Token, TokenKind};

/// From this many tokens on, a file is cut in parts that are read at once. A service has about fifty.
const LARGE: usize = 20_000;

/// The items of a large file, where nothing is wrong with it; `read` reads them from one token until another. A file with
/// a fault is read as a whole instead: what is said of a fault may hang on what stands around it.
pub(super) fn items(
    tokens: &[Token],
    read: &(impl Fn(usize, usize, &mut Sink) -> (Box<[Item]>, bool) + Sync),
) -> Option<Box<[Item]>> {
    if tokens.len() < LARGE {
        return None;
    }
    let parts = in_parts(&whole_items(tokens)?, 100, |part| {
        let (first, last) = (part.first()?, part.last()?);
        let mut sink = Sink::default();
        let (items, braces_pair) = read(first.0, last.1, &mut sink);
        (braces_pair && sink.is_empty()).then_some(items)
    });
    let mut parts = parts.into_iter();
    let mut items = parts.next()??.into_vec();
    for part in parts {
        items.extend(part?);
    }
    Some(items.into_boxed_slice())
}

/// Where the items of a file begin and end that follow one with a block, as indices of tokens. Such an item begins at a
/// word that is the first of its line, behind a `}` that closes all: no item before it can go on there. `None` if braces
/// do not pair.
fn whole_items(tokens: &[Token]) -> Option<Vec<(usize, usize)>> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::OpenBrace => depth += 1,
            TokenKind::CloseBrace => depth = depth.checked_sub(1)?,
            _ => {}
        }
        let may_begin = depth == 0 && token.first_on_line && token.kind == TokenKind::Word;
        if may_begin && at > start && tokens[at - 1].kind == TokenKind::CloseBrace {
            items.push((start, at));
            start = at;
        }
    }
    items.push((start, tokens.len() - 1));
    (depth == 0).then_some(items)
}

#[cfg(test)]
mod tests {
    use crate::base::span::FileId;
    use crate::diag::Sink;
    use crate::syntax::lexer::lex;
    use crate::syntax::parser::parse;

    use super::{LARGE, whole_items};

    fn program(services: usize, last: &str) -> String {
        let service = |n| {
            format!(
                "# number {n}\nservice s{n} {{ tier = web  env {{ A = \"b\" }} }}\n  let l{n} = [\n{n}]\nexpect s{n} < 3\n"
            )
        };
        (0..services).map(service).collect::<String>() + last
    }

    /// The items of a text as they are read alone, behind as many blanks as stand before it in the whole.
    #[test]
    fn parts_read_as_the_whole() {
        let text = program(2000, "");
        assert!(lex(&text).tokens.len() > LARGE);
        let mut sink = Sink::default();
        let whole = parse(FileId::default(), &text, &mut sink);
        assert!(sink.is_empty() && whole.braces_pair);
        for at in (0..2000).step_by(97) {
            let start = text.find(&format!("# number {at}\n")).expect("it is there");
            let end = start + text[start..].find(" < 3\n").expect("it is there") + 5;
            let alone = " ".repeat(start) + &text[start..end];
            let alone = parse(FileId::default(), &alone, &mut sink).file.items;
            let same = &whole.file.items[3 * at..3 * at + 3];
            assert_eq!(format!("{same:?}"), format!("{alone:?}"));
        }
        assert_eq!(whole.file.items.len(), 6000);
    }

    #[test]
    fn an_item_begins_behind_a_block_only() {
        let text = "let a = 1\nservice s { x = 1\ny = 2 }\nlet b = [1,\n2]\nlet c = 3\nnode n { } k3s { }\n";
        let lexed = lex(text);
        let items = whole_items(&lexed.tokens).expect("braces pair");
        let text_of = |(from, until): (usize, usize)| {
            let (first, last) = (lexed.tokens[from], lexed.tokens[until]);
            &text[first.start as usize..last.start as usize]
        };
        let texts: Vec<&str> = items.into_iter().map(text_of).collect();
        let parts = [
            "let a = 1\nservice s { x = 1\ny = 2 }\n",
            "let b = [1,\n2]\nlet c = 3\nnode n { } k3s { }\n",
        ];
        assert_eq!(texts, parts);
        assert!(whole_items(&lex("a { } }\nb { }").tokens).is_none());
        assert!(whole_items(&lex("a { }\nb {").tokens).is_none());
    }

    #[test]
    fn a_fault_is_reported_as_in_a_small_file() {
        let fault = "service t { memory = }\nservice u { }\n";
        let found = |before: usize| {
            let mut sink = Sink::default();
            parse(FileId::default(), &program(before, fault), &mut sink);
            let found = sink.into_sorted();
            found
                .iter()
                .map(|one| one.message.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(2000), found(1));
        assert_eq!(found(1).len(), 1);
    }
}
