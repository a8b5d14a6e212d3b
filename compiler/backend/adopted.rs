//! Adopted manifests in the output: patched copies below `adopted/`, or the originals below `patches/` with a patch a
//! workload and a kustomization that lays them over each other.

use super::artifact::Artifact;
use super::yaml::{comment, quote_if_needed, to_yaml};
use crate::plan::model::Plan;
use crate::program::Form;
use crate::render::header;
use crate::render::{Patched, change, merge_patch};

/// The folder of the originals, below that of their patches: a kustomization reads nothing outside its own folder.
const ORIGINALS: &str = "originals";

pub(super) fn emit(plan: &Plan<'_, '_>, patched: &[Patched], files: &mut Vec<Artifact>) {
    let program = plan.program;
    let path = |patched: &Patched| program.manifests[patched.manifest].path.as_str();
    let copies = patched.iter().filter(|patched| patched.form == Form::Copy);
    files.extend(copies.map(|copy| {
        (
            format!("adopted/{}", path(copy)),
            copy.text.clone().into_bytes(),
        )
    }));
    let mut resources: Vec<String> = Vec::new();
    for original in patched
        .iter()
        .filter(|patched| patched.form == Form::Kustomize)
    {
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
    let mut names = Vec::new();
    for (service, workload) in program.services.iter().zip(&plan.workloads) {
        let Some(adopted) = service.adopted.as_ref() else {
            continue;
        };
        let change = change(plan, service, adopted, workload);
        if program.adopts[adopted.adopt].form != Form::Kustomize || change.is_empty() {
            continue;
        }
        let mut text = String::new();
        comment(&head, &mut text);
        comment(
            &format!("The object stands in {}.", adopted.place),
            &mut text,
        );
        to_yaml(&merge_patch(&change), &mut text).expect("a patch has text for keys");
        let name = match service.name.value {
            "kustomization" => "0-kustomization.yaml".to_owned(),
            name => format!("{}.yaml", name.replace('/', "-")),
        };
        files.push((format!("patches/{name}"), text.into_bytes()));
        names.push(name);
    }
    let mut text = String::new();
    comment(&head, &mut text);
    comment("kubectl apply -k out/patches", &mut text);
    text.push_str("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n");
    for resource in resources {
        text.push_str("- ");
        quote_if_needed(&resource, &mut text);
        text.push('\n');
    }
    if !names.is_empty() {
        text.push_str("patches:\n");
        for name in names {
            text.push_str("- path: ");
            quote_if_needed(&name, &mut text);
            text.push('\n');
        }
    }
    files.push(("patches/kustomization.yaml".to_owned(), text.into_bytes()));
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
