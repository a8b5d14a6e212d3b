//! Secrets: objects without a value in them for the output, and kustomizations that stand beside the files with values.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::artifact::Artifact;
use super::yaml::{comment, quote_if_needed};
use crate::plan::model::Plan;
use crate::program::SecretSource;
use crate::render::header;

/// How the last line of a generated kustomization begins: a hash of all lines above it shows whether somebody changed it.
const SEAL: &str = "# sha256 of the lines above: ";

/// SealedSecrets and ExternalSecrets, by name.
pub(super) fn objects(plan: &Plan<'_, '_>) -> Vec<Value> {
    let namespace = plan.program.namespace.value;
    let all = plan.program.secrets.iter();
    all.filter_map(|secret| match &secret.source {
        SecretSource::File(_) | SecretSource::Cluster => None,
        SecretSource::Sealed(object) => Some(object.clone()),
        SecretSource::External(store, path) => Some(json!({
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {
                "name": secret.name.value,
                "namespace": namespace,
                "labels": {
                    "app.kubernetes.io/managed-by": "bzc",
                    "app.kubernetes.io/part-of": namespace,
                },
            },
            "spec": {
                "secretStoreRef": { "kind": "ClusterSecretStore", "name": store },
                "dataFrom": [{ "extract": { "key": path } }],
            },
        })),
    })
    .collect()
}

/// A kustomization in each folder with files that Secrets are made of, by its path from the folder of the program. It stands
/// there and not in the output, because kustomize reads no file outside its own folder, and no value belongs into the output.
pub(crate) fn generators(plan: &Plan<'_, '_>) -> Vec<Artifact> {
    let mut folders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for secret in &plan.program.secrets {
        if let SecretSource::File(path) = &secret.source {
            let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
            folders
                .entry(folder)
                .or_default()
                .push((secret.name.value, file));
        }
    }
    folders
        .into_iter()
        .map(|(folder, files)| {
            let slash = if folder.is_empty() { "" } else { "/" };
            let path = format!("{folder}{slash}kustomization.yaml");
            (path, kustomization(plan, folder, &files).into_bytes())
        })
        .collect()
}

fn kustomization(plan: &Plan<'_, '_>, folder: &str, files: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let here = if folder.is_empty() { "." } else { folder };
    comment(&header(plan), &mut text);
    comment(
        &format!(
            "Makes Secrets of the files beside it, whose values are nowhere else: kubectl apply -k {here}\n\
             Keep those files out of git, or encrypted in it."
        ),
        &mut text,
    );
    text.push_str("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: ");
    quote_if_needed(plan.program.namespace.value, &mut text);
    text.push_str("\ngeneratorOptions:\n  disableNameSuffixHash: true\nsecretGenerator:\n");
    for (name, file) in files {
        let list = if file.ends_with(".env") {
            "envs"
        } else {
            "files"
        };
        text.push_str("- name: ");
        quote_if_needed(name, &mut text);
        text.push_str(&format!("\n  {list}:\n  - "));
        quote_if_needed(file, &mut text);
        text.push('\n');
    }
    let seal = hash(&text);
    text.push_str(SEAL);
    text.push_str(&seal);
    text.push('\n');
    text
}

fn hash(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text is a kustomization that bzc generated, and nobody changed since.
pub fn is_generated(text: &str) -> bool {
    text.rsplit_once(SEAL)
        .is_some_and(|(above, seal)| seal.trim_end() == hash(above))
}
