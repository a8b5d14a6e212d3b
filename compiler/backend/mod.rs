//! A plan and the texts of others that carry its numbers to files: K3s's configuration, Kubernetes objects,
//! Dockerfiles, the report. Nothing can fail here: what could was reported before. The same plan gives the same bytes.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod adopted;
mod artifact;
mod dockerfile;
mod k3s;
mod kubernetes;
pub(crate) mod report;
mod yaml;

pub use artifact::Artifact;
pub(crate) use k3s::argument_note;

use crate::plan::model::Plan;
use crate::render::Rendered;

/// All files of a plan, sorted by path.
pub(crate) fn emit(plan: &Plan<'_, '_>, rendered: &Rendered<'_, '_>) -> Vec<Artifact> {
    let mut files = Vec::with_capacity(plan.workloads.len() + 16);
    k3s::emit(plan, &mut files);
    kubernetes::emit(plan, &mut files);
    dockerfile::emit(plan, &rendered.images, &mut files);
    adopted::emit(plan, &rendered.manifests, &mut files);
    files.push(("report.json".to_owned(), report::json(plan).into_bytes()));
    files.push(("report.md".to_owned(), report::markdown(plan).into_bytes()));
    files.sort();
    files
}
