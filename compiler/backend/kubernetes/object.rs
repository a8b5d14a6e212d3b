//! What all objects share: who manages them, their metadata, and how they are printed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::backend::yaml::to_yaml;
use crate::plan::model::Plan;

pub(super) fn print<T: Serialize>(object: &T, out: &mut String) {
    to_yaml(object, out).expect("Kubernetes objects have text for keys");
}

/// Labels of everything bzc writes for a namespace.
pub(super) fn labels(plan: &Plan<'_, '_>) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/managed-by".to_owned(), "bzc".to_owned()),
        (
            "app.kubernetes.io/part-of".to_owned(),
            plan.program.namespace.value.to_owned(),
        ),
    ])
}

pub(super) fn metadata(plan: &Plan<'_, '_>, name: &str) -> ObjectMeta {
    labelled(plan, name, labels(plan))
}

pub(super) fn labelled(
    plan: &Plan<'_, '_>,
    name: &str,
    labels: BTreeMap<String, String>,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(plan.program.namespace.value.to_owned()),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}
