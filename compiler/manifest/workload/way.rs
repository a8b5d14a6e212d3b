//! Ways from the root of a document to what stands in it, for reading that again and for changing it.

use crate::manifest::edit::Want;
use crate::manifest::tree::{Tree, Yaml};

/// Where an object or a part of one stands: the document, and the way from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The document, by index.
    pub document: usize,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Key(&'static str),
    Item(usize),
}

impl Way {
    /// The way to a document.
    pub(crate) fn to(document: usize) -> Way {
        Way {
            document,
            steps: Vec::new(),
        }
    }

    /// The way on from here by a key.
    pub(crate) fn key(&self, key: &'static str) -> Way {
        self.on(Step::Key(key))
    }

    /// The way on from here by a place in a sequence.
    pub(crate) fn item(&self, index: usize) -> Way {
        self.on(Step::Item(index))
    }

    fn on(&self, step: Step) -> Way {
        let mut way = self.clone();
        way.steps.push(step);
        way
    }

    /// What stands at its end.
    pub(crate) fn find<'t>(&self, tree: &'t Tree, source: &str) -> Option<&'t Yaml> {
        let root = tree.documents.get(self.document)?;
        self.steps.iter().try_fold(root, |node, step| match step {
            Step::Key(key) => node.entry(key, source).map(|(_, value)| value),
            Step::Item(index) => node.items().get(*index),
        })
    }

    /// What is wanted at its end, within what is wanted of the document.
    pub(crate) fn within<'w>(&self, wants: &'w mut Vec<(usize, Want)>) -> &'w mut Want {
        let at = wants
            .iter()
            .position(|(document, _)| *document == self.document)
            .unwrap_or_else(|| {
                wants.push((self.document, Want::nothing()));
                wants.len() - 1
            });
        self.steps
            .iter()
            .fold(&mut wants[at].1, |want, step| match step {
                Step::Key(key) => want.at(key),
                Step::Item(index) => want.item(*index),
            })
    }
}
