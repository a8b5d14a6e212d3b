//! What programs are made of: random numbers, and pieces of text.

#[path = "../../compiler/base/random.rs"]
mod random;

use random::Random;

/// Picks from lists and ranges.
pub(crate) struct Rng(Random);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(Random(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .wrapping_add(0x1234_5678),
        ))
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// True in `percent` of the cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    /// An index below `count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.0.below(count as u64)).expect("below a usize")
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.index(from.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.index(at + 1));
        }
    }
}

/// A piece of a program: `head` alone, or `head { body }`.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub head: String,
    pub body: Option<Vec<Item>>,
}

impl Item {
    pub(crate) fn line(head: impl Into<String>) -> Item {
        Item {
            head: head.into(),
            body: None,
        }
    }

    pub(crate) fn block(head: impl Into<String>, body: Vec<Item>) -> Item {
        Item {
            head: head.into(),
            body: Some(body),
        }
    }

    fn print(&self, indent: usize, out: &mut String) {
        out.push_str(&" ".repeat(indent));
        out.push_str(&self.head);
        if let Some(body) = &self.body {
            out.push_str(" {\n");
            body.iter().for_each(|item| item.print(indent + 2, out));
            out.push_str(&" ".repeat(indent));
            out.push('}');
        }
        out.push('\n');
    }
}

/// `key = value` for those that are given.
pub(super) fn given<const N: usize>(fields: [(&str, Option<String>); N]) -> Vec<Item> {
    fields
        .into_iter()
        .filter_map(|(key, value)| Some(Item::line(format!("{key} = {}", value?))))
        .collect()
}

/// The text of a list of items.
pub(crate) fn print(items: &[Item]) -> String {
    let mut out = String::new();
    items.iter().for_each(|item| item.print(0, &mut out));
    out
}
