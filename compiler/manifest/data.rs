//! YAML as plain data: aliases and merge keys are put in, and every value is owned. What a reader understands it takes out,
//! so that what is there at the end is what it did not understand.

use std::collections::BTreeMap;

use super::tree::{Kind, MOST_NODES, Style, Tree, Yaml};

/// The name of an entry that stands for the entries of another mapping.
const MERGE: &str = "<<";

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Data {
    /// Nothing.
    Null,
    /// A scalar, and whether it stands without quotes.
    Text(String, bool),
    /// A list.
    List(Vec<Data>),
    /// A mapping, in order.
    Map(Vec<(String, Data)>),
}

impl Data {
    /// The documents of a file. `None` where its aliases make too much of it.
    pub(crate) fn documents(tree: &Tree, text: &str) -> Option<Vec<Data>> {
        let mut reader = Reader {
            text,
            anchors: BTreeMap::new(),
            left: MOST_NODES,
        };
        let mut documents = Vec::new();
        for root in &tree.documents {
            reader.anchors.clear();
            reader.find(root);
            documents.push(reader.read(root)?);
        }
        Some(documents)
    }

    /// The text of a scalar.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Data::Text(text, _) => Some(text),
            Data::Null | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[(String, Data)] {
        match self {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Data] {
        match self {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The value at a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Data> {
        path.iter().try_fold(self, |data, key| {
            let found = data.entries().iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value)
        })
    }

    /// The text at a path of keys.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_text()
    }

    /// Takes the entry of a key out. What is null is not there.
    pub(crate) fn take(&mut self, key: &str) -> Option<Data> {
        let Data::Map(entries) = self else {
            return None;
        };
        let index = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(index).1).filter(|value| *value != Data::Null)
    }

    /// Takes the entry of a path out, and what is empty then.
    pub(crate) fn take_at(&mut self, path: &[&str]) -> Option<Data> {
        let (first, rest) = path.split_first()?;
        if rest.is_empty() {
            return self.take(first);
        }
        let Data::Map(entries) = self else {
            return None;
        };
        let index = entries.iter().position(|(name, _)| name == first)?;
        let found = entries[index].1.take_at(rest);
        if entries[index].1.is_empty() {
            entries.remove(index);
        }
        found
    }

    /// Takes a text out. Anything else stays.
    pub(crate) fn take_text(&mut self, path: &[&str]) -> Option<String> {
        self.text_at(path)?;
        match self.take_at(path) {
            Some(Data::Text(text, _)) => Some(text),
            _ => None,
        }
    }

    /// Takes a count out. Anything else stays.
    pub(crate) fn take_count(&mut self, path: &[&str]) -> Option<u64> {
        let n = self.text_at(path)?.trim().parse().ok()?;
        self.take_at(path);
        Some(n)
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Data::Null => true,
            Data::Text(..) => false,
            Data::List(items) => items.is_empty(),
            Data::Map(entries) => entries.is_empty(),
        }
    }

    /// The texts of a list, or the one text that stands for a list of one. `None` if something in it is no text.
    pub(crate) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Data::List(items) => {
                let items = items.iter().filter(|item| **item != Data::Null);
                items.map(Data::as_text).collect()
            }
            _ => self.as_text().map(|text| vec![text]),
        }
    }
}

/// Makes data of a tree.
struct Reader<'t> {
    text: &'t str,
    anchors: BTreeMap<u32, &'t Yaml>,
    /// How many more values may come out.
    left: usize,
}

impl<'t> Reader<'t> {
    /// Finds the anchors below a value.
    fn find(&mut self, node: &'t Yaml) {
        if node.anchor != 0 {
            self.anchors.insert(node.anchor, node);
        }
        node.items().iter().for_each(|item| self.find(item));
        for (key, value) in node.entries() {
            self.find(key);
            self.find(value);
        }
    }

    fn read(&mut self, node: &'t Yaml) -> Option<Data> {
        self.left = self.left.checked_sub(1)?;
        Some(match &node.kind {
            Kind::Alias(number) => match self.anchors.get(number).copied() {
                Some(named) => self.read(named)?,
                None => Data::Null,
            },
            Kind::Scalar(style, _) => match node.is_null(self.text) {
                true => Data::Null,
                false => {
                    let plain = *style == Style::Plain && !node.is_text;
                    Data::Text(node.text(self.text)?.to_owned(), plain)
                }
            },
            Kind::List(_, items) => {
                let items = items.iter().map(|item| self.read(item));
                Data::List(items.collect::<Option<_>>()?)
            }
            Kind::Map(_, entries) => self.map(entries)?,
        })
    }

    /// A mapping with what is merged into it. Its own entries count first, then those of the first that is merged.
    fn map(&mut self, entries: &'t [(Yaml, Yaml)]) -> Option<Data> {
        let mut all: Vec<(String, Data)> = Vec::new();
        let mut merged: Vec<Data> = Vec::new();
        for (key, value) in entries {
            let plain = matches!(key.kind, Kind::Scalar(Style::Plain, _));
            match key.text(self.text) {
                Some(MERGE) if plain => match self.read(value)? {
                    Data::List(several) => merged.extend(several),
                    one => merged.push(one),
                },
                Some(key) => all.push((key.to_owned(), self.read(value)?)),
                // A mapping or a list as a key means nothing in any of the formats that are read.
                None => {}
            }
        }
        for one in merged {
            for (key, value) in one.entries() {
                if all.iter().all(|(known, _)| known != key) {
                    all.push((key.clone(), value.clone()));
                }
            }
        }
        Some(Data::Map(all))
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::data::Data;
    use crate::manifest::tree::{MOST_NODES, parse};

    fn read(text: &str) -> Option<Data> {
        let tree = parse(text, MOST_NODES).expect("YAML");
        Data::documents(&tree, text)?.into_iter().next()
    }

    #[test]
    fn merge_keys_and_aliases_are_put_in() {
        let data = read("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{y: 5}, *a]}\n");
        let data = data.expect("small");
        let at = |path: &[&str]| data.text_at(path).map(str::to_owned);
        assert_eq!(at(&["b", "x"]).as_deref(), Some("1"));
        assert_eq!(at(&["b", "y"]).as_deref(), Some("3"));
        assert_eq!(at(&["c", "y"]).as_deref(), Some("2"));
        assert_eq!(at(&["d", "y"]).as_deref(), Some("5"));
    }

    #[test]
    fn what_aliases_blow_up_is_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..9 {
            let all = vec![format!("*a{}", n - 1); 10].join(", ");
            text += &format!("a{n}: &a{n} [{all}]\n");
        }
        assert_eq!(read(&text), None);
    }

    #[test]
    fn what_is_taken_is_gone() {
        let mut data = read("a: {b: 1, c: [2]}\nn: ~\n").expect("small");
        assert_eq!(data.take_count(&["a", "b"]), Some(1));
        assert_eq!(data.take("n"), None);
        data.take_at(&["a", "c"]);
        assert!(data.is_empty());
    }
}
