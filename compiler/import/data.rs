//! YAML as plain data: aliases and merge keys are put in, and every value is owned. What a reader understands it takes out,
//! so that what is there at the end is what it did not understand.

use std::collections::BTreeMap;

use super::tree::said;
use crate::manifest::tree::{Kind, MOST_NODES, Style, Tree, Yaml};

/// The name of an entry that stands for the entries of another mapping.
const MERGE: &str = "<<";

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
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
    pub(super) fn documents(tree: &Tree, text: &str) -> Option<Vec<Data>> {
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
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Data::Text(text, _) => Some(text),
            Data::Null | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Data)] {
        match self {
            Data::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Data] {
        match self {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The value at a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Data> {
        path.iter().try_fold(self, |data, key| {
            let found = data.entries().iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value)
        })
    }

    /// The text at a path of keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_text()
    }

    /// Takes the entry of a key out. What is null is not there.
    pub(super) fn take(&mut self, key: &str) -> Option<Data> {
        let Data::Map(entries) = self else {
            return None;
        };
        let index = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.remove(index).1).filter(|value| *value != Data::Null)
    }

    /// Takes the entry of a path out, and what is empty then.
    pub(super) fn take_at(&mut self, path: &[&str]) -> Option<Data> {
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
    pub(super) fn take_text(&mut self, path: &[&str]) -> Option<String> {
        self.text_at(path)?;
        match self.take_at(path) {
            Some(Data::Text(text, _)) => Some(text),
            _ => None,
        }
    }

    /// Takes a count out. Anything else stays.
    pub(super) fn take_count(&mut self, path: &[&str]) -> Option<u64> {
        let n = self.text_at(path)?.trim().parse().ok()?;
        self.take_at(path);
        Some(n)
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Data::Null => true,
            Data::Text(..) => false,
            Data::List(items) => items.is_empty(),
            Data::Map(entries) => entries.is_empty(),
        }
    }

    /// The texts of a list, or the one text that stands for a list of one. `None` if something in it is no text.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Data::List(items) => {
                let items = items.iter().filter(|item| **item != Data::Null);
                items.map(Data::as_text).collect()
            }
            _ => self.as_text().map(|text| vec![text]),
        }
    }

    /// What is in it, one message a field: its path from here, and its value where that is short and no secret.
    pub(super) fn fields(&self, prefix: &str) -> Vec<String> {
        let mut all = Vec::new();
        for (key, value) in self.entries() {
            let path = match prefix {
                "" => key.clone(),
                prefix => format!("{prefix}.{key}"),
            };
            match value {
                Data::Map(inner) if !inner.is_empty() && inner.len() <= MOST_SPLIT => {
                    all.extend(value.fields(&path));
                }
                Data::Text(text, _) if text.len() <= MOST_SHOWN && !is_secret(key, text) => {
                    all.push(said(&format!("{path}: {text}")));
                }
                Data::Null => {}
                _ => all.push(said(&path)),
            }
        }
        all
    }
}

/// A mapping with more entries is named as a whole.
const MOST_SPLIT: usize = 6;
/// A text that is longer is not shown.
const MOST_SHOWN: usize = 60;

/// Words in the name of a variable whose value nobody else should see.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "pass",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "credential",
    "credentials",
    "salt",
];

/// Whether a variable of this name and value is one that belongs into a Secret. When in doubt it is.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    let harmless = ["", "true", "false", "yes", "no", "on", "off", "0", "1"];
    let lower = name.to_ascii_lowercase();
    if harmless.contains(&value.to_ascii_lowercase().as_str()) || lower.ends_with("_file") {
        return false;
    }
    // `scheme://user:password@host`
    let has_login = value.split_once("://").is_some_and(|(_, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let login = rest[..end].rsplit_once('@').map(|(login, _)| login);
        login.is_some_and(|login| login.contains(':'))
    });
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let named = words.any(|word| {
        SECRET_WORDS.contains(&word)
            || ["password", "passwd", "secret", "token", "apikey"]
                .iter()
                .any(|known| word.ends_with(known))
            || (word.ends_with("pass") && !["bypass", "compass"].contains(&word))
    });
    named || has_login || value.contains("-----BEGIN ")
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
    use crate::import::data::{Data, is_secret};
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
        assert_eq!(data.fields(""), ["`a.c`"]);
        data.take_at(&["a", "c"]);
        assert!(data.is_empty());
    }

    #[test]
    fn secrets_are_known_by_name_or_by_a_login() {
        for (name, value, is) in [
            ("POSTGRES_PASSWORD", "x", true),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", false),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/x", false),
            ("DATABASE_URL", "postgres://a:b@db/x", true),
            ("URL", "http://a.example/x:y@z", false),
            ("API_KEY", "abc", true),
            ("KEYCLOAK_HOST", "kc", false),
            ("MYSQLPASSWORD", "x", true),
            ("DBPASS", "x", true),
            ("BYPASS", "x", false),
        ] {
            assert_eq!(is_secret(name, value), is, "{name}={value}");
        }
    }
}
