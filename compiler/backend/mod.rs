//! A plan and the texts of others that carry its numbers to files: K3s's configuration, Kubernetes objects,
//! Dockerfiles, the report. Nothing can fail here: what could was reported before. The same plan gives the same bytes.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod adopted;
mod artifact;
mod dockerfile;
mod k3s;
mod kubernetes;
pub(crate) mod report;
mod secrets;
mod yaml;

pub use artifact::{Artifact, Files};
pub(crate) use k3s::{argument_note, flags};
pub(crate) use kubernetes::{objects_of, waves};
pub(crate) use secrets::generators;
pub use secrets::is_generated;

use std::sync::OnceLock;

use self::artifact::Content;
use crate::plan::model::Plan;
use crate::render::{Rendered, together};

/// All files of a plan. `report` keeps the text of report.json.
pub(crate) fn emit<'p>(
    plan: &'p Plan<'_, '_>,
    rendered: &'p Rendered<'_, '_>,
    report: &'p OnceLock<String>,
) -> Files<'p> {
    let mut printed = Vec::new();
    k3s::emit(plan, &mut printed);
    let together = together(plan, &rendered.manifests);
    let has_manifests = kubernetes::emit(plan, together.has_namespace, &mut printed);
    dockerfile::emit(plan, &rendered.images, &mut printed);
    adopted::emit(plan, &rendered.manifests, &mut printed);
    adopted::emit_kustomization(plan, &together, has_manifests, &mut printed);
    printed.push(("report.md".to_owned(), report::markdown(plan).into_bytes()));
    let printed = printed
        .into_iter()
        .map(|(path, bytes)| (path, Content::Printed(bytes)));
    let report = (
        "report.json".to_owned(),
        Content::Kept(report, Box::new(|| report::json(plan))),
    );
    Files::sorted(
        printed
            .chain(kubernetes::workloads(plan, &rendered.overlaid))
            .chain([report])
            .collect(),
    )
}
