//! The program that an import writes, as a tree, and its only printer. What an input says gets into the program through
//! [`Value`], [`Name`], [`key`] and comments alone: each of them escapes or refuses, so no input is ever read as program text.

use std::fmt::Write as _;

use crate::base::quantity::{Bytes, Cpu};
use crate::base::text::{is_unseen, one_line};

/// How wide a comment is before it is broken.
const WIDTH: usize = 96;
/// The most bytes of an input that a comment repeats.
const MOST_REPEATED: usize = 160;

/// The value of a field, as program text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(String);

impl Value {
    /// A text between quotes.
    pub(super) fn text(text: &str) -> Value {
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                c if is_unseen(c) => {
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out.push('"');
        Value(out)
    }

    /// A bare word where the text can be one, else a text.
    pub(super) fn word(text: &str) -> Value {
        match is_word(text) {
            true => Value(text.to_owned()),
            false => Value::text(text),
        }
    }

    /// A name.
    pub(super) fn name(name: &Name) -> Value {
        Value(name.0.clone())
    }

    /// A word of bz itself.
    pub(super) fn fixed(word: &'static str) -> Value {
        Value(word.to_owned())
    }

    /// A count.
    pub(super) fn count(n: u64) -> Value {
        Value(n.to_string())
    }

    /// A count with a unit of bz behind it: `30s`, `25%`.
    pub(super) fn unit(n: u64, unit: &'static str) -> Value {
        Value(format!("{n}{unit}"))
    }

    /// Memory in bytes. What is no whole Ki is rounded up: the language has no unit for it.
    pub(super) fn memory(n: u64) -> Value {
        let text = Bytes::new(n).to_string();
        match text.ends_with(|c: char| c.is_ascii_digit()) {
            true => Value(Bytes::new(n.div_ceil(1024).saturating_mul(1024)).to_string()),
            false => Value(text),
        }
    }

    /// CPU in thousandths.
    pub(super) fn cpu(milli: u64) -> Value {
        Value(Cpu::milli(milli).to_string())
    }

    /// `LOW..HIGH`.
    pub(super) fn range(low: &Value, high: &Value) -> Value {
        Value(format!("{}..{}", low.0, high.0))
    }

    /// `WORD VALUE`, such as `surge 25%`.
    pub(super) fn after(word: &'static str, value: &Value) -> Value {
        Value(format!("{word} {}", value.0))
    }

    /// The text between quotes, where nothing in it is escaped.
    pub(super) fn as_text(&self) -> String {
        self.0.trim_matches('"').to_owned()
    }

    /// `secret NAME/KEY` or `config NAME/KEY`. `None` if the key cannot be written so.
    pub(super) fn of_key(word: &'static str, name: &Name, key: &str) -> Option<Value> {
        is_word(key).then(|| Value(format!("{word} {}/{key}", name.0)))
    }

    /// The number, where it is a small count.
    pub(super) fn as_count(&self) -> Option<u16> {
        self.0.parse().ok()
    }

    /// `[A, B]`.
    pub(super) fn list(items: impl IntoIterator<Item = Value>) -> Value {
        let items: Vec<String> = items.into_iter().map(|item| item.0).collect();
        Value(format!("[{}]", items.join(", ")))
    }
}

/// A name that a declaration may have: a label of Kubernetes that begins with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    /// The name, if the text is one.
    pub(super) fn of(text: &str) -> Option<Name> {
        let sound = text.len() <= 63
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        sound.then(|| Name(text.to_owned()))
    }

    /// The nearest name to a text: small letters, `-` for what a name cannot have, at most `most` characters. `None` if
    /// nothing is left of it.
    pub(super) fn near(text: &str, most: usize) -> Option<Name> {
        let lower = text.trim().to_ascii_lowercase();
        let mapped = lower.chars().map(|c| match c {
            'a'..='z' | '0'..='9' => c,
            _ => '-',
        });
        let mut out = String::new();
        for c in mapped {
            if out.is_empty() && c.is_ascii_digit() {
                out.push('n');
            }
            if !(c == '-' && (out.is_empty() || out.ends_with('-'))) && out.len() < most {
                out.push(c);
            }
        }
        Name::of(out.trim_end_matches('-'))
    }

    /// Its text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of the program.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// `key = value`, with a comment behind it.
    Field {
        key: String,
        value: Value,
        note: Option<String>,
    },
    /// A block.
    Block(Block),
    /// A line of bz itself.
    Line(&'static str),
    /// A comment.
    Note(String),
    /// Something that the inputs have and the program does not, as a comment at its place.
    Left(String),
}

/// `head { .. }`.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// What stands before the brace, as program text.
    head: String,
    /// What it is in messages, such as `web (compose.yml)`; empty for a part of another.
    pub(super) of: String,
    /// What is in it.
    pub(super) items: Vec<Item>,
}

impl Block {
    /// A block of a declaration or of a field that has a name.
    pub(super) fn named(word: &'static str, name: &Name, of: impl Into<String>) -> Block {
        Block {
            head: format!("{word} {}", name.0),
            of: of.into(),
            items: Vec::new(),
        }
    }

    /// A block without a name.
    pub(super) fn plain(word: &'static str) -> Block {
        Block {
            head: word.to_owned(),
            of: String::new(),
            items: Vec::new(),
        }
    }

    /// A block whose key is a text of an input.
    pub(super) fn keyed(text: &str) -> Block {
        Block {
            head: key(text),
            of: String::new(),
            items: Vec::new(),
        }
    }

    /// A block that is about several texts, such as `adopt "a", "b"`.
    pub(super) fn texts(word: &'static str, texts: &[String], of: impl Into<String>) -> Block {
        let texts: Vec<String> = texts.iter().map(|text| Value::text(text).0).collect();
        Block {
            head: format!("{word} {}", texts.join(", ")),
            of: of.into(),
            items: Vec::new(),
        }
    }

    /// Whether it is a block of this word, without a name.
    pub(super) fn is(&self, word: &str) -> bool {
        self.head == word
    }

    /// The word for CPU: a tier that the service has gives some already.
    pub(super) fn cpu(&self) -> &'static str {
        let is_tier = |item: &Item| matches!(item, Item::Field { key, .. } if key == "tier");
        match self.items.iter().any(is_tier) {
            true => "override cpu",
            false => "cpu",
        }
    }

    /// Whether it declares a workload.
    pub(super) fn is_workload(&self) -> bool {
        let word = self.head.split(' ').next().unwrap_or_default();
        ["service", "stateful", "daemon", "job", "cron"].contains(&word)
    }

    /// Adds a field.
    pub(super) fn put(&mut self, key: &'static str, value: Value) {
        self.items.push(field(key, value));
    }

    /// Adds a field with a comment behind it.
    pub(super) fn put_noted(&mut self, key: &'static str, value: Value, note: impl Into<String>) {
        self.items.push(Item::Field {
            key: key.to_owned(),
            value,
            note: Some(note.into()),
        });
    }

    /// Adds a field whose key is a text of an input.
    pub(super) fn put_key(&mut self, text: &str, value: Value) {
        self.items.push(Item::Field {
            key: key(text),
            value,
            note: None,
        });
    }

    /// Adds a block, if there is something in it.
    pub(super) fn put_block(&mut self, block: Block) {
        if !block.items.is_empty() {
            self.items.push(Item::Block(block));
        }
    }

    /// Adds what is left out.
    pub(super) fn leave(&mut self, what: impl Into<String>) {
        self.items.push(Item::Left(what.into()));
    }

    /// Adds a comment.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        self.items.push(Item::Note(what.into()));
    }
}

/// A block whose head is program text already: keys that [`key`] made.
pub(super) fn plain_block(head: String) -> Block {
    Block {
        head,
        of: String::new(),
        items: Vec::new(),
    }
}

/// `key = value`.
pub(super) fn field(key: &'static str, value: Value) -> Item {
    Item::Field {
        key: key.to_owned(),
        value,
        note: None,
    }
}

/// A program text, and where each part of it begins: the byte, and the indices that lead to the part.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) places: Vec<(usize, Vec<usize>)>,
}

impl Printed {
    /// The innermost part at a byte.
    pub(super) fn at(&self, byte: usize) -> Option<&[usize]> {
        let after = self.places.partition_point(|(start, _)| *start <= byte);
        let (_, path) = self.places.get(after.checked_sub(1)?)?;
        Some(path)
    }
}

/// Prints a program.
pub(super) fn print(items: &[Item]) -> Printed {
    let mut printed = Printed::default();
    printed.text.push_str("edition = 1\n\n");
    items_of(items, &mut Vec::new(), &mut printed);
    printed
}

fn items_of(items: &[Item], path: &mut Vec<usize>, printed: &mut Printed) {
    for (index, item) in items.iter().enumerate() {
        path.push(index);
        printed.places.push((printed.text.len(), path.clone()));
        match item {
            Item::Field { key, value, note } => {
                let note = note.as_ref().map(|note| format!(" # {}", one_line(note)));
                let note = note.unwrap_or_default();
                let _ = writeln!(printed.text, "{key} = {}{note}", value.0);
                if path.len() == 1 {
                    printed.text.push('\n');
                }
            }
            Item::Block(block) => {
                let _ = writeln!(printed.text, "{} {{", block.head);
                items_of(&block.items, path, printed);
                printed.text.push_str("}\n");
                if path.len() == 1 {
                    printed.text.push('\n');
                }
            }
            Item::Line(line) => {
                printed.text.push_str(line);
                printed.text.push_str("\n\n");
            }
            Item::Note(what) => comment(&mut printed.text, what),
            Item::Left(what) => comment(&mut printed.text, &format!("left out: {what}")),
        }
        path.pop();
    }
}

/// Writes a comment, broken into lines.
fn comment(out: &mut String, text: &str) {
    let mut line = String::from("#");
    for word in one_line(text).split(' ') {
        if line.len() > 4 && line.len() + 1 + word.len() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#  ");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

/// A text of an input as a message repeats it: on one line, between backticks, and not too long.
pub(super) fn said(text: &str) -> String {
    let line = one_line(text).replace('`', "'");
    match line.char_indices().nth(MOST_REPEATED) {
        Some((end, _)) => format!("`{}..`", &line[..end]),
        None => format!("`{line}`"),
    }
}

/// A key as it can be written: bare, or between quotes.
pub(super) fn key(text: &str) -> String {
    match is_word(text) {
        true => text.to_owned(),
        false => Value::text(text).0,
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// What the parts leave out, one sentence each, with what it is of.
pub(super) fn left_out(items: &[Item]) -> Vec<String> {
    let mut all = Vec::new();
    collect(items, "", &mut all);
    all
}

fn collect(items: &[Item], of: &str, all: &mut Vec<String>) {
    for item in items {
        match item {
            Item::Block(block) if block.of.is_empty() => collect(&block.items, of, all),
            Item::Block(block) => collect(&block.items, &block.of, all),
            Item::Left(what) if of.is_empty() => all.push(one_line(what)),
            Item::Left(what) => all.push(one_line(&format!("{of}: {what}"))),
            Item::Field { .. } | Item::Line(_) | Item::Note(_) => {}
        }
    }
}

/// What is put in for an image that cannot be one, so that the service is counted.
const NO_IMAGE: &str = "put-in:local";

/// Whether a part is what an image to be built cannot be without.
fn is_needed_by_image(item: Option<&Item>, rest: &[usize]) -> bool {
    let (Some(Item::Block(block)), Some(at)) = (item, rest.first()) else {
        return false;
    };
    let field = match block.items.get(*at) {
        Some(Item::Field { key, .. }) => key.as_str(),
        _ => "",
    };
    block.head == "image" && ["source", "runtime"].contains(&field)
}

/// Puts what is left out into the place of a part, and says what it was. A part that is gone already stays so.
pub(super) fn leave_at(items: &mut Vec<Item>, path: &[usize], why: &str) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    // An image that is not built from its source is none.
    let goes_whole = is_needed_by_image(items.get(*first), rest);
    if let (Some(Item::Block(block)), [_, ..], false) = (items.get_mut(*first), rest, goes_whole) {
        leave_at(&mut block.items, rest, why);
        return;
    }
    let is_here = rest.is_empty() || goes_whole;
    let Some(item) = items.get_mut(*first).filter(|_| is_here) else {
        return;
    };
    let (what, is_image) = match &*item {
        Item::Field { key, value, .. } => {
            let is_image = key == "image" && *value != Value::text(NO_IMAGE);
            (said(&format!("{key} = {}", value.0)), is_image)
        }
        Item::Block(block) if block.of.is_empty() => (said(&block.head), block.head == "image"),
        Item::Block(block) => (format!("{}, {}", said(&block.head), block.of), false),
        Item::Line(_) | Item::Note(_) | Item::Left(_) => return,
    };
    *item = Item::Left(format!("{what}: {why}"));
    if is_image {
        items.insert(*first, field("image", Value::text(NO_IMAGE)));
    }
}

#[cfg(test)]
mod tests {
    use crate::import::tree::{Block, Item, Name, Value, print};

    #[test]
    fn no_text_leaves_its_place() {
        let evil = "a\nservice evil { }\u{2028}\"";
        let mut block = Block::named("service", &Name::near(evil, 63).expect("letters"), evil);
        block.put_key(evil, Value::text(evil));
        block.put_noted("memory", Value::memory(1 << 20), evil);
        block.leave(evil);
        block.note(evil);
        let printed = print(&[Item::Block(block)]);
        let lines: Vec<&str> = printed.text.lines().map(str::trim).collect();
        assert!(
            lines.iter().all(|line| !line.starts_with("service evil")),
            "{lines:?}"
        );
        assert!(!printed.text.contains('\u{2028}'));
        assert!(
            crate::fmt::format(&printed.text).is_ok(),
            "{}",
            printed.text
        );
    }

    #[test]
    fn names_are_labels() {
        for (text, name) in [
            ("my_app", Some("my-app")),
            ("1box", Some("n1box")),
            ("Box-1", Some("box-1")),
            ("--", None),
            ("", None),
        ] {
            let found = Name::near(text, 63);
            assert_eq!(found.as_ref().map(Name::as_str), name, "{text}");
        }
    }
}
