//! The texts of others that carry numbers of the plan: templates are filled, adopted manifests patched. This is the last
//! phase that can refuse anything, because what stands in those texts is not ours; what comes after it only prints.

mod errors;
mod header;
mod images;
mod manifests;
mod overlay;
mod together;

pub(crate) use header::header;
pub(crate) use images::{RenderedImage, targets};
pub(crate) use manifests::{Patched, change, merge_patch};
pub(crate) use overlay::overlaid;
pub(crate) use together::{Apart, Together, together};

use std::collections::BTreeMap;

use crate::diag::Sink;
use crate::plan::model::Plan;
use crate::program::ServiceId;

/// Templates and adopted manifests as they go into the output.
#[derive(Debug)]
pub(crate) struct Rendered<'p, 'a> {
    /// One an image to be built, in the order of [`targets`].
    pub images: Vec<RenderedImage<'p, 'a>>,
    /// Adopted manifests.
    pub manifests: Vec<Patched>,
    /// The objects of workloads over which the program lays patches.
    pub overlaid: Overlaid,
}

/// Objects by the workload that they belong to.
pub(crate) type Overlaid = BTreeMap<ServiceId, Vec<serde_json::Value>>;

/// Fills every template and patches every adopted manifest. `None` if one of them cannot be, which is reported.
pub(crate) fn render<'p, 'a>(plan: &'p Plan<'p, 'a>, sink: &mut Sink) -> Option<Rendered<'p, 'a>> {
    let images = images::fill(plan, sink);
    let manifests = manifests::patch(plan, sink);
    let rendered = Rendered {
        images,
        manifests,
        overlaid: Overlaid::new(),
    };
    (!sink.has_errors()).then_some(rendered)
}
