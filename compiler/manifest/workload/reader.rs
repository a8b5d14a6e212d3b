//! Values of a manifest by their keys, aliases and merge keys followed, with what is wrong about them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use crate::admission::amount;
use crate::base::text::is_unseen;
use crate::manifest::kind::{GivenBy, Kinds};
use crate::manifest::tree::{Fault, Kind, Tree, Yaml};

/// An amount as a manifest gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Bytes, or thousandths of a core.
    pub n: u64,
    /// As written.
    pub text: String,
    /// Where; the object, where its kind gives the amount.
    pub at: Range<usize>,
    /// The declaration of its kind that gives it, if the object does not.
    pub by: Option<Arc<GivenBy>>,
}

/// Request and limit of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// What the scheduler counts.
    pub request: Option<Amount>,
    /// What the kernel holds it to.
    pub limit: Option<Amount>,
}

/// A text and its tree, in which aliases are followed.
pub(super) struct Reader<'t> {
    pub(super) source: &'t str,
    /// Who knows what operators make of objects.
    pub(super) kinds: &'t dyn Kinds,
    /// What aliases stand for.
    pub(super) anchors: BTreeMap<u32, &'t Yaml>,
    /// Whether merge keys went deeper than is followed: then a value may be missing that there is.
    pub(super) too_deep: Cell<bool>,
    /// A name, or another word of Kubernetes, with a character that is not seen. Kubernetes takes none, and what
    /// repeats the word could act on a terminal or a log.
    pub(super) odd: Rc<Cell<Option<(u32, u32)>>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(source: &'t str, tree: &'t Tree, kinds: &'t dyn Kinds) -> Reader<'t> {
        Reader {
            source,
            kinds,
            anchors: tree.anchored(),
            too_deep: Cell::new(false),
            odd: Rc::default(),
        }
    }

    /// What a node stands for: itself, or what its alias names.
    pub(super) fn real(&self, node: &'t Yaml) -> Option<&'t Yaml> {
        match &node.kind {
            Kind::Alias(anchor) => self.anchors.get(anchor).copied(),
            _ => Some(node),
        }
    }

    /// The value at a key, its own or merged; nulls are nothing.
    pub(super) fn get(&self, node: &'t Yaml, key: &str) -> Option<&'t Yaml> {
        let found = self.look(node, key, 0)?;
        (!found.is_null(self.source)).then_some(found)
    }

    fn look(&self, node: &'t Yaml, key: &str, depth: usize) -> Option<&'t Yaml> {
        const DEEPEST: usize = 3;
        let node = self.real(node)?;
        if let Some((_, value)) = node.entry(key, self.source) {
            return self.real(value);
        }
        let (_, merged) = node.entry("<<", self.source)?;
        if depth == DEEPEST {
            self.too_deep.set(true);
            return None;
        }
        match self.real(merged)? {
            Yaml {
                kind: Kind::List(_, items),
                ..
            } => items
                .iter()
                .take(16)
                .find_map(|item| self.look(item, key, depth + 1)),
            one => self.look(one, key, depth + 1),
        }
    }

    /// The word at a key: a name, or one of a few that Kubernetes knows.
    pub(super) fn text(&self, node: &'t Yaml, key: &str) -> Option<String> {
        self.word(self.get(node, key)?).map(str::to_owned)
    }

    /// A word.
    pub(super) fn word(&self, node: &'t Yaml) -> Option<&'t str> {
        let text = node.text(self.source)?;
        if text.chars().any(is_unseen) && self.odd.get().is_none() {
            self.odd.set(Some((node.start, node.end)));
        }
        Some(text)
    }

    pub(super) fn items(&self, node: &'t Yaml, key: &'static str) -> Result<&'t [Yaml], Fault> {
        match self.get(node, key) {
            None => Ok(&[]),
            Some(Yaml {
                kind: Kind::List(_, items),
                ..
            }) => Ok(items),
            Some(other) => Err(Fault {
                at: other.range(),
                what: format!("`{key}` is no list"),
            }),
        }
    }

    pub(super) fn count(
        &self,
        node: &'t Yaml,
        key: &'static str,
    ) -> Result<Option<(u64, Range<usize>)>, Fault> {
        let Some(value) = self.get(node, key) else {
            return Ok(None);
        };
        let n = value
            .text(self.source)
            .and_then(|text| text.parse().ok())
            .filter(|n| *n <= 100_000);
        match n {
            Some(n) => Ok(Some((n, value.range()))),
            None => Err(Fault {
                at: value.range(),
                what: format!("`{key}` is no number of pods"),
            }),
        }
    }

    /// A quantity: bytes, or thousandths of a core.
    pub(super) fn amount(
        &self,
        node: &'t Yaml,
        key: &'static str,
    ) -> Result<Option<Amount>, Fault> {
        let Some(value) = self.get(node, key) else {
            return Ok(None);
        };
        let text = value.text(self.source).unwrap_or_default().to_owned();
        let n = amount(text.trim()).map(|n| {
            if key.ends_with("cpu") {
                n
            } else {
                n.div_ceil(1000)
            }
        });
        match n
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n <= 1 << 56)
        {
            Some(n) => Ok(Some(Amount {
                n,
                text,
                at: value.range(),
                by: None,
            })),
            None => Err(Fault {
                at: value.range(),
                what: format!("`{text}` is no amount that Kubernetes knows"),
            }),
        }
    }

    pub(super) fn bounds(
        &self,
        resources: Option<&'t Yaml>,
        key: &'static str,
        of: [&str; 2],
    ) -> Result<Bounds, Fault> {
        let Some(resources) = resources else {
            return Ok(Bounds::default());
        };
        let one = |list: &str| match self.get(resources, list) {
            Some(list) => self.amount(list, key),
            None => Ok(None),
        };
        Ok(Bounds {
            request: one(of[0])?,
            limit: one(of[1])?,
        })
    }
}
