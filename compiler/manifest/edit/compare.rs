//! Whether a text that was changed says what the original said, but for the values that were asked for.

use super::want::{Refusal, Want, refuse};
use crate::manifest::tree::{Kind, Style, Tree, Yaml, parse};

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
    /// Whether a value is the old one with what is wanted of it.
    fn same(&self, old: Option<&Yaml>, new: Option<&Yaml>, want: Option<&Want>) -> bool {
        let want = want.filter(|want| !want.is_nothing());
        let (new, want) = match (new, want) {
            (None, Some(Want::Absent)) => return true,
            (None, None) => return old.is_none(),
            (None, Some(_)) | (Some(_), Some(Want::Absent)) => return false,
            (Some(new), want) => (new, want),
        };
        let old_items = old.map_or(&[][..], Yaml::items);
        match want {
            None => old.is_some_and(|old| self.equal(old, new)),
            Some(Want::Map(wants)) => self.same_map(old, new, wants),
            Some(Want::Items(wants)) => self.same_items(old_items, new.items(), wants),
            Some(Want::Named(wants)) => self.same_named(old_items, new.items(), wants),
            Some(Want::List(wants)) => {
                let mut pairs = new.items().iter().zip(wants);
                old.is_none_or(|old| old.is_null(self.old))
                    && new.items().len() == wants.len()
                    && pairs.all(|(item, want)| self.same(None, Some(item), Some(want)))
            }
            Some(scalar) => says(new, self.new, scalar),
        }
    }

    /// Whether a mapping has every old key, and of new keys those that are wanted.
    fn same_map(&self, old: Option<&Yaml>, new: &Yaml, wants: &[(&'static str, Want)]) -> bool {
        let wanted = |key: &str| {
            let want = wants.iter().find(|(name, _)| *name == key);
            want.map(|(_, want)| want)
        };
        let after = |key: &str| new.entry(key, self.new).map(|(_, value)| value);
        let mut old_entries = old.map_or(&[][..], Yaml::entries).iter();
        let kept = old_entries.all(|(key, value)| {
            let key = key.text(self.old);
            self.same(Some(value), key.and_then(after), key.and_then(wanted))
        });
        let is_old = |key: &str| old.is_some_and(|old| old.entry(key, self.old).is_some());
        let added = new.entries().iter().all(|(key, value)| {
            key.text(self.new).is_some_and(|key| {
                is_old(key)
                    || wanted(key).is_some_and(|want| self.same(None, Some(value), Some(want)))
            })
        });
        let all = wants
            .iter()
            .all(|(key, want)| want.is_nothing() || *want == Want::Absent || after(key).is_some());
        matches!(new.kind, Kind::Map(..)) && kept && added && all
    }

    /// Whether a list has the old items, some of them with what is wanted at their index.
    fn same_items(&self, old: &[Yaml], new: &[Yaml], wants: &[(usize, Want)]) -> bool {
        let wanted = |index: usize| {
            let want = wants.iter().find(|(at, _)| *at == index);
            want.map(|(_, want)| want)
        };
        let mut pairs = old.iter().zip(new).enumerate();
        old.len() == new.len()
            && pairs.all(|(at, (old, new))| self.same(Some(old), Some(new), wanted(at)))
    }

    /// Whether a list has the old items, some of them with what is wanted by their names, and behind them those that
    /// are new.
    fn same_named(&self, old: &[Yaml], new: &[Yaml], wants: &[(String, Want)]) -> bool {
        let wanted =
            |name: Option<&str>| wants.iter().find(|(known, _)| Some(known.as_str()) == name);
        let kept = old.iter().zip(new).all(|(old, new)| {
            let want = wanted(name_of(old, self.old)).map(|(_, want)| want);
            self.same(Some(old), Some(new), want)
        });
        let added = new.iter().skip(old.len()).all(|item| {
            let Some((name, Want::Map(fields))) = wanted(name_of(item, self.new)) else {
                return false;
            };
            let mut all = vec![("name", Want::Text(name.clone()))];
            all.extend(fields.iter().cloned());
            self.same(None, Some(item), Some(&Want::Map(all)))
        });
        let all = wants.iter().all(|(name, _)| {
            let mut names = new.iter().map(|item| name_of(item, self.new));
            names.any(|known| known == Some(name))
        });
        old.len() <= new.len() && kept && added && all
    }

    /// Whether two values are the same, in the same way of writing.
    fn equal(&self, old: &Yaml, new: &Yaml) -> bool {
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
                let pair = |((key, value), (other, after)): (&(Yaml, Yaml), &(Yaml, Yaml))| {
                    self.equal(key, other) && self.equal(value, after)
                };
                before.len() == after.len() && before.iter().zip(after).all(pair)
            }
            _ => false,
        }
    }
}

/// The `name` of an item of a list.
fn name_of<'t>(item: &'t Yaml, source: &'t str) -> Option<&'t str> {
    let (_, name) = item.entry("name", source)?;
    name.text(source)
}

/// Whether a scalar says what is wanted.
pub(super) fn says(node: &Yaml, source: &str, want: &Want) -> bool {
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
