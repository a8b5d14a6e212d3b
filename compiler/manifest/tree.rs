//! YAML text to a tree whose values know their bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};

/// Files with more bytes are refused: a release of a large operator has five million.
pub(crate) const MOST_BYTES: usize = 16 << 20;
/// The most values that all files of a program may have together, keys included. It bounds the memory of their trees.
pub(crate) const MOST_NODES: usize = 1 << 20;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// Between `'`.
    Single,
    /// Between `"`.
    Double,
    /// Behind `|` or `>`.
    Block,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A scalar; its text, where that is not the bytes of its span.
    Scalar(Style, Option<Box<str>>),
    /// A sequence, and whether it stands between brackets.
    List(bool, Vec<Yaml>),
    /// A mapping, and whether it stands between braces.
    Map(bool, Vec<(Yaml, Yaml)>),
    /// `*name`: the number of the anchor.
    Alias(u32),
}

/// A value or a key.
#[derive(Debug, Clone)]
pub(crate) struct Yaml {
    /// The first byte.
    pub start: u32,
    /// Behind the last.
    pub end: u32,
    /// The number of its anchor; 0 where it has none.
    pub anchor: u32,
    /// Whether it is tagged `!!str`, so that a number is a text.
    pub is_text: bool,
    /// What it is.
    pub kind: Kind,
}

impl Yaml {
    /// Its bytes.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The text of a scalar.
    pub(crate) fn text<'n>(&'n self, source: &'n str) -> Option<&'n str> {
        match &self.kind {
            Kind::Scalar(_, Some(text)) => Some(text),
            Kind::Scalar(_, None) => source.get(self.range()),
            _ => None,
        }
    }

    /// Whether nothing is written where a value could be.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Style::Plain, _)) && self.start == self.end
    }

    /// Whether it is YAML's null, written or not.
    pub(crate) fn is_null(&self, source: &str) -> bool {
        let plain = matches!(self.kind, Kind::Scalar(Style::Plain, _));
        plain
            && !self.is_text
            && matches!(self.text(source), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[(Yaml, Yaml)] {
        match &self.kind {
            Kind::Map(_, entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none of anything else.
    pub(crate) fn items(&self) -> &[Yaml] {
        match &self.kind {
            Kind::List(_, items) => items,
            _ => &[],
        }
    }

    /// The entry of a mapping with this key, if the mapping itself has it.
    pub(crate) fn entry<'n>(&'n self, key: &str, source: &str) -> Option<&'n (Yaml, Yaml)> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text(source) == Some(key))
    }
}

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The bytes it is about.
    pub at: Range<usize>,
    /// In words.
    pub what: String,
}

/// A file: the roots of its documents.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// One a document; an empty document is a null.
    pub documents: Vec<Yaml>,
    /// The places of all anchors that some alias names, by number.
    pub shared: BTreeMap<u32, Range<usize>>,
    /// How many values it has, about.
    pub nodes: usize,
    /// All anchors, by number.
    anchors: BTreeMap<u32, (usize, usize)>,
}

impl Tree {
    /// All values that aliases may name, by the numbers of their anchors.
    pub(crate) fn anchored(&self) -> BTreeMap<u32, &Yaml> {
        let mut anchors = BTreeMap::new();
        if !self.shared.is_empty() {
            let mut open: Vec<&Yaml> = self.documents.iter().collect();
            while let Some(node) = open.pop() {
                if node.anchor > 0 {
                    anchors.insert(node.anchor, node);
                }
                open.extend(node.items());
                open.extend(node.entries().iter().flat_map(|(key, value)| [key, value]));
            }
        }
        anchors
    }

    /// A tree of values that were put together, rather than read from one text.
    pub(crate) fn of(documents: Vec<Yaml>) -> Tree {
        Tree {
            documents,
            ..Tree::default()
        }
    }
}

/// A collection that is being read.
struct Open {
    node: Yaml,
    /// The key that waits for its value.
    key: Option<Yaml>,
    /// The keys of a mapping that has many: data of a ConfigMap may have thousands.
    seen: BTreeMap<Box<str>, u32>,
}

impl Open {
    /// An empty list or map.
    fn new((start, end): (u32, u32), anchor: usize, kind: Kind) -> Open {
        Open {
            node: Yaml {
                start,
                end,
                anchor: number(anchor),
                is_text: false,
                kind,
            },
            key: None,
            seen: BTreeMap::new(),
        }
    }
}

fn offset(n: Option<usize>) -> u32 {
    u32::try_from(n.unwrap_or_default()).unwrap_or(u32::MAX)
}

/// The number of an anchor as the tree keeps it.
fn number(anchor: usize) -> u32 {
    u32::try_from(anchor).unwrap_or(u32::MAX)
}

/// Reads a file of at most `most` values.
///
/// # Errors
///
/// What is no YAML, has a key twice or a tag of its own, or is too large.
pub(crate) fn parse(source: &str, most: usize) -> Result<Tree, Fault> {
    if source.len() > MOST_BYTES {
        let what = format!(
            "it has {} MiB, and bzc reads manifests of at most {}",
            source.len() >> 20,
            MOST_BYTES >> 20
        );
        return Err(Fault { at: 0..0, what });
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder::new(source);
    for event in Parser::new_from_str_with_options(source, options) {
        let (event, span) = event.map_err(|error| not_yaml(source, &error))?;
        builder.tree.nodes += 1;
        if builder.tree.nodes > most {
            let what =
                format!("with it there are more than {MOST_NODES} values, and bzc reads no more");
            return Err(Fault { at: 0..0, what });
        }
        if let Some(value) = builder.event(event, &span)? {
            builder.put(value)?;
        }
    }
    Ok(builder.tree)
}

/// What the parser says of a text that is no YAML, and where.
fn not_yaml(source: &str, error: &ScanError) -> Fault {
    let at = error.marker().byte_offset().unwrap_or_default();
    let mut before = (0..=at.min(source.len())).rev();
    let at = before.find(|at| source.is_char_boundary(*at));
    let at = at.unwrap_or_default();
    Fault {
        at: at..at,
        what: error.info(),
    }
}

/// Makes a tree of the events of the parser.
struct Builder<'s> {
    source: &'s str,
    tree: Tree,
    /// The collections that have begun and not ended, the innermost last.
    open: Vec<Open>,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Builder<'s> {
        Builder {
            source,
            tree: Tree {
                documents: Vec::new(),
                shared: BTreeMap::new(),
                nodes: 0,
                anchors: BTreeMap::new(),
            },
            open: Vec::new(),
        }
    }

    /// The value that ends with an event, if one does.
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<Option<Yaml>, Fault> {
        let (start, end) = (
            offset(span.start.byte_offset()),
            offset(span.end.byte_offset()),
        );
        let source = self.source;
        Ok(match event {
            Event::Scalar(text, style, anchor, tag) => {
                // Some printers write the key for what they merge with its tag (go-yaml, for one).
                let merges = |tag: &&Tag| &*text == "<<" && tag.original() == "!!merge";
                let tag = tag.as_deref().filter(|tag| !merges(tag));
                let is_text = check_tag(tag, source, span)?;
                let anchor = number(anchor);
                Some(scalar(source, text, style, (start, end), anchor, is_text))
            }
            Event::Alias(anchor) => {
                let anchor = number(anchor);
                let Some((from, to)) = self.tree.anchors.get(&anchor).copied() else {
                    return Err(Fault {
                        at: start as usize..end as usize,
                        what: "an alias stands inside what it names".to_owned(),
                    });
                };
                self.tree.shared.insert(anchor, from..to);
                Some(Yaml {
                    start,
                    end,
                    anchor: 0,
                    is_text: false,
                    kind: Kind::Alias(anchor),
                })
            }
            Event::SequenceStart(style, anchor, tag) => {
                check_tag(tag.as_deref(), source, span)?;
                let kind = Kind::List(style == StructureStyle::Flow, Vec::new());
                self.open.push(Open::new((start, end), anchor, kind));
                None
            }
            Event::MappingStart(style, anchor, tag) => {
                check_tag(tag.as_deref(), source, span)?;
                let kind = Kind::Map(style == StructureStyle::Flow, Vec::new());
                self.open.push(Open::new((start, end), anchor, kind));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let ended = self.open.pop();
                ended.map(|Open { mut node, .. }| {
                    close(&mut node, end);
                    node
                })
            }
            _ => None,
        })
    }

    /// Puts a value into the collection that it stands in; one that stands in none is a document.
    fn put(&mut self, value: Yaml) -> Result<(), Fault> {
        if value.anchor > 0 {
            let place = (value.start as usize, value.end as usize);
            self.tree.anchors.insert(value.anchor, place);
        }
        let Some(Open { node, key, seen }) = self.open.last_mut() else {
            self.tree.documents.push(value);
            return Ok(());
        };
        match &mut node.kind {
            Kind::List(_, items) => items.push(value),
            Kind::Map(_, entries) => match key.take() {
                None => *key = Some(value),
                Some(key) => {
                    check_key(self.source, entries, seen, &key)?;
                    entries.push((key, value));
                }
            },
            Kind::Scalar(..) | Kind::Alias(_) => {}
        }
        Ok(())
    }
}

fn scalar(
    source: &str,
    text: Cow<'_, str>,
    style: ScalarStyle,
    (start, end): (u32, u32),
    anchor: u32,
    is_text: bool,
) -> Yaml {
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        _ => Style::Block,
    };
    // Where nothing is written, the place is that of what comes next.
    let end = if style == Style::Plain && text.is_empty() {
        start
    } else {
        end
    };
    let is_same = source.get(start as usize..end as usize) == Some(&*text);
    let decoded = (!is_same).then(|| text.into_owned().into_boxed_str());
    Yaml {
        start,
        end,
        anchor,
        is_text,
        kind: Kind::Scalar(style, decoded),
    }
}

/// The bounds of a collection, once all of it is known.
fn close(node: &mut Yaml, end: u32) {
    let (flow, first, last) = match &node.kind {
        Kind::List(flow, items) => (*flow, items.first(), items.last()),
        Kind::Map(flow, entries) => {
            let last = entries
                .last()
                .map(|(key, value)| if value.is_empty() { key } else { value });
            (*flow, entries.first().map(|(key, _)| key), last)
        }
        Kind::Scalar(..) | Kind::Alias(_) => return,
    };
    match (flow, first, last) {
        (false, Some(first), Some(last)) => {
            let (start, end) = (first.start, last.end);
            (node.start, node.end) = (start, end);
        }
        _ => node.end = end,
    }
}

/// Whether a tag makes a text of a scalar. Tags of YAML's own schema are no more than what the value is anyway.
fn check_tag(tag: Option<&Tag>, source: &str, span: &Span) -> Result<bool, Fault> {
    let Some(tag) = tag else { return Ok(false) };
    match tag.core_suffix() {
        Some(suffix) => Ok(suffix == "str"),
        None => {
            let start = span
                .start
                .byte_offset()
                .unwrap_or_default()
                .min(source.len());
            Err(Fault {
                at: start..start,
                what: format!("the tag `{}` means nothing to Kubernetes", tag.original()),
            })
        }
    }
}

/// A key may come once.
fn check_key(
    source: &str,
    entries: &[(Yaml, Yaml)],
    seen: &mut BTreeMap<Box<str>, u32>,
    key: &Yaml,
) -> Result<(), Fault> {
    const FEW: usize = 16;
    let Some(text) = key.text(source) else {
        return Ok(());
    };
    let first = match entries.len() {
        0..FEW => entries
            .iter()
            .find(|(other, _)| other.text(source) == Some(text))
            .map(|(other, _)| other.start),
        _ => {
            if seen.is_empty() {
                let known = entries
                    .iter()
                    .filter_map(|(key, _)| Some((key.text(source)?.into(), key.start)));
                seen.extend(known);
            }
            seen.insert(text.into(), key.start)
        }
    };
    match first {
        Some(first) => {
            let line = source[..first as usize]
                .bytes()
                .filter(|byte| *byte == b'\n')
                .count()
                + 1;
            Err(Fault {
                at: key.range(),
                what: format!("the key `{text}` stands on line {line} already"),
            })
        }
        None => Ok(()),
    }
}
