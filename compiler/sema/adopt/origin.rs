//! Where numbers of manifests were given.

use crate::manifest::Manifest;
use crate::program::{Giver, Origin};

/// A place in a manifest as the origin of a number: reports name it by path and line.
pub(super) fn origin<'a>(manifest: &'a Manifest, range: &std::ops::Range<usize>) -> Origin<'a> {
    Origin {
        env: None,
        giver: Giver::Manifest,
        name: manifest.place(range),
        key: "",
        span: Some(manifest.span(range)),
    }
}
