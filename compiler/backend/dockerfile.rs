//! Images to be built: a Dockerfile and, beside it, the ignore file that BuildKit looks for there; and one file that
//! builds them all.

use std::fmt::Write;

use super::artifact::Artifact;
use crate::plan::model::Plan;
use crate::render::header;
use crate::render::{RenderedImage, targets};

pub(super) fn emit(
    plan: &Plan<'_, '_>,
    images: &[RenderedImage<'_, '_>],
    files: &mut Vec<Artifact>,
) {
    for image in images {
        let folder = format!("images/{}", image.target.name);
        let (dockerfile, ignore) = (image.dockerfile.as_bytes(), image.ignore.as_bytes());
        files.push((format!("{folder}/Dockerfile"), dockerfile.to_vec()));
        files.push((format!("{folder}/Dockerfile.dockerignore"), ignore.to_vec()));
    }
    if !images.is_empty() {
        files.push((
            "images/docker-bake.hcl".to_owned(),
            bake(plan, images).into_bytes(),
        ));
    }
}

/// The images of the report, with what was seen of each and in which file.
pub(super) fn table(plan: &Plan<'_, '_>) -> String {
    let mut text = String::new();
    for target in targets(plan) {
        if text.is_empty() {
            text.push_str("\n## Images\n\n| image | runtime | source | seen there |\n| --- | --- | --- | --- |\n");
        }
        let seen = if target.image.found.is_empty() {
            "nothing".to_owned()
        } else {
            target.image.found.join(", ")
        };
        let (reference, runtime, source) = (
            &target.reference,
            target.runtime.name,
            &target.image.source.value,
        );
        let _ = writeln!(text, "| {reference} | {runtime} | {source} | {seen} |");
    }
    text
}

/// All images in one file for `docker buildx bake`, which builds what others start from first, and the rest at once.
fn bake(plan: &Plan<'_, '_>, images: &[RenderedImage<'_, '_>]) -> String {
    let names: Vec<&str> = images.iter().map(|image| image.target.name).collect();
    let mut text = format!(
        "# {}\n# Build all images in the folder of the program:\n\
         #   docker buildx bake --file out/images/docker-bake.hcl --metadata-file images.json\n\n\
         group \"default\" {{\n  targets = {}\n}}\n",
        header(plan),
        list(&names)
    );
    for RenderedImage { target, .. } in images {
        let source = target.image.source.value.as_ref();
        // bake looks for a Dockerfile from the context on.
        let steps = source.split('/').filter(|part| !matches!(*part, "" | "."));
        let up: String = steps.map(|_| "../").collect();
        let mut entries = vec![
            ("context", quoted(source)),
            (
                "dockerfile",
                quoted(&format!("{up}out/images/{}/Dockerfile", target.name)),
            ),
            ("tags", list(&[&target.reference])),
        ];
        if let Some(base) = target.image.from.map(|id| &plan.program.images[id]) {
            let from = (
                quoted(&base.reference()),
                quoted(&format!("target:{}", base.name.value)),
            );
            entries.push(("contexts", format!("{{ {} = {} }}", from.0, from.1)));
        }
        let width = entries.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let _ = write!(text, "\ntarget {} {{\n", quoted(target.name));
        for (key, value) in entries {
            let _ = writeln!(text, "  {key:width$} = {value}");
        }
        text.push_str("}\n");
    }
    text
}

/// A text as HCL quotes it; `${` and `%{` would begin a template.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

fn list(texts: &[&str]) -> String {
    format!(
        "[{}]",
        texts
            .iter()
            .map(|text| quoted(text))
            .collect::<Vec<_>>()
            .join(", ")
    )
}
