//! Adopted manifests in the output: patched copies below `adopted/`, or the originals below `patches/` with a patch a
//! workload and a kustomization that lays them over each other. What a kustomization of theirs makes is patched where it
//! lies. And one kustomization for all that is applied.

use super::artifact::Artifact;
use super::yaml::{comment, quote_if_needed, to_yaml};
use crate::plan::model::Plan;
use crate::program::Form;
use crate::render::header;
use crate::render::{Patched, Together, change, merge_patch};

/// The way from `patches/` in the output to the folder of the program.
const TO_PROGRAM: &str = "../..";
/// Where the kustomization for all that is applied lies in the output.
pub(crate) const ALL: &str = "kustomization.yaml";
/// The folder of the originals, below that of their patches: a kustomization reads nothing outside its own folder.
const ORIGINALS: &str = "originals";

pub(super) fn emit(plan: &Plan<'_, '_>, patched: &[Patched], files: &mut Vec<Artifact>) {
    let program = plan.program;
    let path = |patched: &Patched| program.manifests[patched.manifest].path.as_str();
    let is_built = |patched: &&Patched| program.manifests[patched.manifest].is_built;
    let files_only = patched.iter().filter(|patched| !is_built(patched));
    let copies = files_only
        .clone()
        .filter(|patched| patched.form == Form::Copy);
    files.extend(copies.map(|copy| {
        (
            format!("adopted/{}", path(copy)),
            copy.text.clone().into_bytes(),
        )
    }));
    let mut resources: Vec<String> = Vec::new();
    for kustomization in patched.iter().filter(is_built) {
        // One beside the program cannot be a base of what lies below it, and nothing of it changes.
        if let Some((folder, _)) = path(kustomization).rsplit_once('/') {
            resources.push(format!("{TO_PROGRAM}/{folder}"));
        }
    }
    for original in files_only.filter(|patched| patched.form == Form::Kustomize) {
        let place = format!("{ORIGINALS}/{}", path(original));
        files.push((
            format!("patches/{place}"),
            original.text.clone().into_bytes(),
        ));
        // A kustomization of theirs, or a file of values, is no resource.
        if program.manifests[original.manifest].objects.count > 0 {
            resources.push(place);
        }
    }
    if resources.is_empty() {
        return;
    }
    let head = header(plan);
    let patches = patches(plan, &head);
    let names: Vec<&str> = patches.iter().map(|(name, _)| name.as_str()).collect();
    let text = kustomization(&head, &resources, &names);
    files.push(("patches/kustomization.yaml".to_owned(), text.into_bytes()));
    files.extend(
        patches
            .into_iter()
            .map(|(name, text)| (format!("patches/{name}"), text.into_bytes())),
    );
}

/// A patch for each workload that changes and is given back by a kustomization: the name of its file, and its text.
fn patches(plan: &Plan<'_, '_>, head: &str) -> Vec<(String, String)> {
    let program = plan.program;
    let mut patches = Vec::new();
    for (service, workload) in program.services.iter().zip(&plan.workloads) {
        let Some(adopted) = service.adopted.as_ref() else {
            continue;
        };
        let change = change(plan, service, adopted, workload);
        let form = program.adopts[adopted.adopt].form;
        let is_laid_over = form == Form::Kustomize || program.manifests[adopted.manifest].is_built;
        if !is_laid_over || change.is_empty() {
            continue;
        }
        let mut text = String::new();
        comment(head, &mut text);
        let place = format!("The object stands in {}.", adopted.place);
        comment(&place, &mut text);
        to_yaml(&merge_patch(&change), &mut text).expect("a patch has text for keys");
        let name = match service.name.value {
            "kustomization" => "0-kustomization.yaml".to_owned(),
            name => format!("{}.yaml", name.replace('/', "-")),
        };
        patches.push((name, text));
    }
    patches
}

/// The kustomization that lays patches over originals.
fn kustomization(head: &str, resources: &[String], patches: &[&str]) -> String {
    let mut text = String::new();
    comment(head, &mut text);
    comment(
        "Laid over what others wrote by `kubectl apply -k out`, or by a post-renderer of Helm.",
        &mut text,
    );
    text.push_str("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n");
    let mut item = |key: &str, value: &str| {
        text.push_str(key);
        quote_if_needed(value, &mut text);
        text.push('\n');
    };
    for resource in resources {
        item("- ", resource);
    }
    for (index, name) in patches.iter().enumerate() {
        let key = if index == 0 {
            "patches:\n- path: "
        } else {
            "- path: "
        };
        item(key, name);
    }
    text
}

/// The kustomization, if there is anything for it: kustomize refuses one of nothing.
pub(super) fn emit_kustomization(
    plan: &Plan<'_, '_>,
    together: &Together,
    has_manifests: bool,
    files: &mut Vec<Artifact>,
) {
    let of_bzc = has_manifests.then_some("manifests");
    let mut resources = of_bzc
        .into_iter()
        .chain(together.resources.iter().map(String::as_str))
        .peekable();
    if resources.peek().is_none() {
        return;
    }
    let mut text = String::new();
    comment(&header(plan), &mut text);
    comment("All that is applied: kubectl apply -k out", &mut text);
    text.push_str("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n");
    for resource in resources {
        text.push_str("- ");
        quote_if_needed(resource, &mut text);
        text.push('\n');
    }
    files.push((ALL.to_owned(), text.into_bytes()));
}

/// The source files that are to change in place: path and new text.
pub(crate) fn sources(plan: &Plan<'_, '_>, patched: &[Patched]) -> Vec<Artifact> {
    let program = plan.program;
    let in_place = patched
        .iter()
        .filter(|patched| patched.form == Form::InPlace);
    let changed = in_place.filter(|patched| {
        program
            .sources
            .file(program.manifests[patched.manifest].file)
            .text
            != patched.text
    });
    changed
        .map(|patched| {
            (
                program.manifests[patched.manifest].path.clone(),
                patched.text.clone().into_bytes(),
            )
        })
        .collect()
}
