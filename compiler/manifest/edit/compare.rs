//! Whether a text that was changed says what the original said, but for the values that were asked for.

use super::want::{Refusal, Want, refuse};
use crate::manifest::tree::{Kind, Node, Style, Tree, parse};

/// Reads what an edit made, and compares.
pub(super) fn check(
    old: &str,
    tree: &Tree,
    new: &str,
    wants: &[(usize, Want)],
) -> Result<(), Refusal> {
    let why = "what the change made of it is not the old file with the new values";
    let read = parse(new, usize::MAX).map_err(|fault| Refusal {
        at: 0..0,
        why: format!("{why}: {}", fault.what),
    })?;
    let comparison = Comparison { old, new };
    if read.documents.len() != tree.documents.len() {
        return refuse(0..0, why);
    }
    for (index, (before, after)) in tree.documents.iter().zip(&read.documents).enumerate() {
        let want = wants
            .iter()
            .find(|(document, _)| *document == index)
            .map(|(_, want)| want);
        if !comparison.same(Some(before), Some(after), want) {
            return refuse(before.range(), why);
        }
    }
    Ok(())
}

/// Two texts that are compared as data, anchors and ways of writing scalars among it.
pub(super) struct Comparison<'t> {
    old: &'t str,
    new: &'t str,
}

impl Comparison<'_> {
    fn same(&self, old: Option<&Node>, new: Option<&Node>, want: Option<&Want>) -> bool {
        let want = want.filter(|want| !want.is_nothing());
        let (new, want) = match (new, want) {
            (None, Some(Want::Absent)) => return true,
            (None, None) => return old.is_none(),
            (None, Some(_)) | (Some(_), Some(Want::Absent)) => return false,
            (Some(new), want) => (new, want),
        };
        match want {
            None => old.is_some_and(|old| self.equal(old, new)),
            Some(Want::Map(wants)) => {
                let mut old_keys = old.map_or(&[][..], Node::entries).iter();
                let find = |key: &str| {
                    wants
                        .iter()
                        .find(|(name, _)| *name == key)
                        .map(|(_, want)| want)
                };
                let kept = old_keys.all(|(key, value)| {
                    let text = key.text(self.old);
                    let after = text
                        .and_then(|text| new.entry(text, self.new))
                        .map(|(_, value)| value);
                    self.same(Some(value), after, text.and_then(find))
                });
                let known = |key: &str| old.is_some_and(|old| old.entry(key, self.old).is_some());
                let added = new.entries().iter().all(|(key, value)| {
                    let Some(text) = key.text(self.new) else {
                        return false;
                    };
                    known(text)
                        || find(text).is_some_and(|want| self.same(None, Some(value), Some(want)))
                });
                let all = wants.iter().all(|(key, want)| {
                    want.is_nothing() || *want == Want::Absent || new.entry(key, self.new).is_some()
                });
                matches!(new.kind, Kind::Map(..)) && kept && added && all
            }
            Some(Want::Items(wants)) => {
                let (before, after) = (old.map_or(&[][..], Node::items), new.items());
                let want = |index: usize| {
                    wants
                        .iter()
                        .find(|(at, _)| *at == index)
                        .map(|(_, want)| want)
                };
                let mut pairs = before.iter().zip(after).enumerate();
                before.len() == after.len()
                    && pairs.all(|(at, (a, b))| self.same(Some(a), Some(b), want(at)))
            }
            Some(Want::Named(wants)) => {
                let (before, after) = (old.map_or(&[][..], Node::items), new.items());
                let name = |node: &Node, source: &str| {
                    node.entry("name", source)
                        .and_then(|(_, value)| value.text(source))
                        .map(str::to_owned)
                };
                let want = |name: Option<String>| {
                    wants.iter().find(|(known, _)| Some(known) == name.as_ref())
                };
                let kept = before.iter().zip(after).all(|(a, b)| {
                    let wanted = want(name(a, self.old)).map(|(_, want)| want);
                    self.same(Some(a), Some(b), wanted)
                });
                let fresh = after.iter().skip(before.len()).all(|node| {
                    let Some((text, Want::Map(wanted))) = want(name(node, self.new)) else {
                        return false;
                    };
                    let mut all = vec![("name", Want::Text(text.clone()))];
                    all.extend(wanted.iter().cloned());
                    self.same(None, Some(node), Some(&Want::Map(all)))
                });
                let all = wants.iter().all(|(wanted, _)| {
                    after
                        .iter()
                        .any(|node| name(node, self.new).as_ref() == Some(wanted))
                });
                before.len() <= after.len() && kept && fresh && all
            }
            Some(Want::List(wants)) => {
                let after = new.items();
                let mut pairs = after.iter().zip(wants);
                old.is_none_or(|old| old.is_null(self.old))
                    && after.len() == wants.len()
                    && pairs.all(|(item, want)| self.same(None, Some(item), Some(want)))
            }
            Some(scalar) => says(new, self.new, scalar),
        }
    }

    fn equal(&self, old: &Node, new: &Node) -> bool {
        if (old.anchor, old.is_text) != (new.anchor, new.is_text) {
            return false;
        }
        match (&old.kind, &new.kind) {
            (Kind::Scalar(before, _), Kind::Scalar(after, _)) => {
                before == after && old.text(self.old) == new.text(self.new)
            }
            (Kind::Alias(before), Kind::Alias(after)) => before == after,
            (Kind::List(_, before), Kind::List(_, after)) => {
                before.len() == after.len()
                    && before.iter().zip(after).all(|(a, b)| self.equal(a, b))
            }
            (Kind::Map(_, before), Kind::Map(_, after)) => {
                let pair = |((key, value), (other, after)): (&(Node, Node), &(Node, Node))| {
                    self.equal(key, other) && self.equal(value, after)
                };
                before.len() == after.len() && before.iter().zip(after).all(pair)
            }
            _ => false,
        }
    }
}

/// Whether a scalar says what is wanted.
pub(super) fn says(node: &Node, source: &str, want: &Want) -> bool {
    let Some(text) = node.text(source) else {
        return false;
    };
    let plain = matches!(node.kind, Kind::Scalar(Style::Plain, _)) && !node.is_text;
    match want {
        Want::Word(word) => text == word,
        Want::Count(n) => plain && text == n.to_string(),
        Want::Text(wanted) => {
            text == wanted && (!plain || text.starts_with(|c: char| c.is_ascii_alphabetic()))
        }
        _ => false,
    }
}
