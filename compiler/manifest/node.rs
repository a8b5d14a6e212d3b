//! Values that come from several files: each knows the place it was written at, wherever it is put.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::file::span;
use super::tree::{self, Style, Tree, Yaml};
use crate::base::span::{FileId, Span};

/// The place of a value: an index of [`Places`].
pub(crate) type At = u32;

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A scalar, and whether it is a text by its tag.
    Scalar(Style, Rc<str>, bool),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<(Node, Node)>),
}

/// A value or a key. Aliases and merge keys are followed.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) kind: Kind,
}

impl Node {
    /// A text that stands for what is written at a place.
    pub(crate) fn scalar(at: At, text: &str) -> Node {
        let kind = Kind::Scalar(Style::Plain, text.into(), false);
        Node { at, kind }
    }

    /// A mapping of these entries, all at one place.
    pub(crate) fn map(at: At, entries: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
        let entries = entries.into_iter();
        let kind = Kind::Map(
            entries
                .map(|(key, value)| (Node::scalar(at, key), value))
                .collect(),
        );
        Node { at, kind }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(_, text, _) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(Style::Plain, text, false) => {
                matches!(&**text, "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }

    pub(crate) fn entries(&self) -> &[(Node, Node)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The value at a key; none where it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let mut entries = self.entries().iter();
        let found = entries.find(|(name, _)| name.text() == Some(key));
        found.map(|(_, value)| value).filter(|one| !one.is_null())
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Kind::Map(entries) = &mut self.kind else {
            return None;
        };
        let mut entries = entries.iter_mut();
        let found = entries.find(|(name, _)| name.text() == Some(key));
        found.map(|(_, value)| value)
    }

    /// The text at a key; empty where there is none.
    pub(crate) fn word(&self, key: &str) -> &str {
        self.get(key).and_then(Node::text).unwrap_or_default()
    }

    /// The value at the end of several keys.
    pub(crate) fn down(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(crate) fn down_mut(&mut self, keys: &[&str]) -> Option<&mut Node> {
        keys.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// Puts a value at the end of several keys; mappings that are missing are made.
    pub(crate) fn put(&mut self, keys: &[&str], value: Node) {
        let Some((key, rest)) = keys.split_first() else {
            *self = value;
            return;
        };
        let at = value.at;
        if !matches!(self.kind, Kind::Map(_)) {
            self.kind = Kind::Map(Vec::new());
        }
        let Kind::Map(entries) = &mut self.kind else {
            return;
        };
        let known = entries
            .iter()
            .position(|(name, _)| name.text() == Some(*key));
        let index = known.unwrap_or_else(|| {
            entries.push((Node::scalar(at, key), Node::scalar(at, "")));
            entries.len() - 1
        });
        entries[index].1.put(rest, value);
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Node> {
        let Kind::Map(entries) = &mut self.kind else {
            return None;
        };
        let at = entries
            .iter()
            .position(|(name, _)| name.text() == Some(key))?;
        Some(entries.remove(at).1)
    }

    /// The value as the reader of manifests takes it: its bytes are the number of its place.
    pub(crate) fn yaml(&self) -> Yaml {
        let kind = match &self.kind {
            Kind::Scalar(style, text, _) => tree::Kind::Scalar(*style, Some((&**text).into())),
            Kind::List(items) => tree::Kind::List(false, items.iter().map(Node::yaml).collect()),
            Kind::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(key, value)| (key.yaml(), value.yaml()));
                tree::Kind::Map(false, pairs.collect())
            }
        };
        Yaml {
            start: self.at,
            end: self.at + 1,
            anchor: 0,
            is_text: matches!(self.kind, Kind::Scalar(_, _, true)),
            kind,
        }
    }
}

/// Where every value is written.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) spans: Vec<Span>,
}

/// Deeper than this nobody writes, and a stack has an end.
const DEEPEST: usize = 100;

/// Where the bytes of a value stand.
type SpanOf<'s> = dyn Fn(&Range<usize>) -> Span + 's;

/// A file that is being made values of.
struct Source<'t> {
    text: &'t str,
    span: Option<&'t SpanOf<'t>>,
    /// The place of all values, where they stand in a text within a file.
    within: At,
    anchors: BTreeMap<u32, &'t Yaml>,
    most: usize,
}

impl Places {
    /// The documents of a file as values.
    pub(crate) fn documents(
        &mut self,
        text: &str,
        file: FileId,
        most: usize,
    ) -> Result<Vec<Node>, String> {
        self.read(text, Some(&|at: &Range<usize>| span(file, at)), 0, most)
    }

    /// The documents of a text that stands in a value of a file.
    pub(crate) fn inline(
        &mut self,
        text: &str,
        within: At,
        most: usize,
    ) -> Result<Vec<Node>, String> {
        self.read(text, None, within, most)
    }

    fn read(
        &mut self,
        text: &str,
        span: Option<&SpanOf<'_>>,
        within: At,
        most: usize,
    ) -> Result<Vec<Node>, String> {
        let tree = tree::parse(text, most).map_err(|fault| fault.what)?;
        let source = Source {
            text,
            span,
            within,
            anchors: tree.anchored(),
            most,
        };
        let documents = tree.documents.iter();
        documents.map(|one| self.node(one, &source, 0)).collect()
    }

    /// A value of a tree that was read before, whose bytes stand at these places.
    pub(crate) fn value(
        &mut self,
        (tree, text): (&Tree, &str),
        yaml: &Yaml,
        span: &SpanOf<'_>,
        most: usize,
    ) -> Result<Node, String> {
        let source = Source {
            text,
            span: Some(span),
            within: 0,
            anchors: tree.anchored(),
            most,
        };
        self.node(yaml, &source, 0)
    }

    /// A value with all that aliases and merge keys stand for.
    fn node(&mut self, yaml: &Yaml, source: &Source<'_>, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err("its values are nested deeper than bzc follows".to_owned());
        }
        if let tree::Kind::Alias(anchor) = &yaml.kind {
            let named = source.anchors.get(anchor);
            let named = named.ok_or("an alias names nothing")?;
            return self.node(named, source, depth + 1);
        }
        if self.spans.len() >= source.most {
            return Err("with it there are more values than bzc reads".to_owned());
        }
        let at = match source.span {
            Some(span) => {
                self.spans.push(span(&yaml.range()));
                u32::try_from(self.spans.len() - 1).unwrap_or(u32::MAX)
            }
            // A text within a value is as long as that at the most.
            None => source.within,
        };
        let kind = match &yaml.kind {
            tree::Kind::Scalar(style, _) => {
                let text = yaml.text(source.text).unwrap_or_default();
                Kind::Scalar(*style, text.into(), yaml.is_text)
            }
            tree::Kind::List(_, items) => {
                let items = items.iter().map(|item| self.node(item, source, depth + 1));
                Kind::List(items.collect::<Result<_, _>>()?)
            }
            tree::Kind::Map(_, entries) => Kind::Map(self.entries(entries, source, depth)?),
            tree::Kind::Alias(_) => Kind::List(Vec::new()),
        };
        Ok(Node { at, kind })
    }

    /// The entries of a mapping, those that are merged into it behind its own.
    fn entries(
        &mut self,
        entries: &[(Yaml, Yaml)],
        source: &Source<'_>,
        depth: usize,
    ) -> Result<Vec<(Node, Node)>, String> {
        let mut found: Vec<(Node, Node)> = Vec::new();
        let is_merge = |key: &Yaml| key.text(source.text) == Some("<<");
        for (key, value) in entries.iter().filter(|(key, _)| !is_merge(key)) {
            let key = self.node(key, source, depth + 1)?;
            // Placeholders of a template engine read so.
            if key.text().is_none() {
                return Err("one of its keys is no text: it may be a template".to_owned());
            }
            found.push((key, self.node(value, source, depth + 1)?));
        }
        for (_, value) in entries.iter().filter(|(key, _)| is_merge(key)) {
            let merged = self.node(value, source, depth + 1)?;
            let maps = match merged.kind {
                Kind::List(items) => items,
                _ => vec![merged],
            };
            for (key, value) in maps.into_iter().flat_map(|map| match map.kind {
                Kind::Map(entries) => entries,
                _ => Vec::new(),
            }) {
                if found.iter().all(|(known, _)| known.text() != key.text()) {
                    found.push((key, value));
                }
            }
        }
        Ok(found)
    }
}
