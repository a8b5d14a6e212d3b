//! What all objects share: who manages them, their metadata, and how they are printed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use serde::Serialize;

use crate::backend::yaml::to_yaml;
use crate::plan::model::Plan;
use crate::program::Service;

const NAME_LABEL: &str = "app.kubernetes.io/name";

pub(super) fn print<T: Serialize>(object: &T, out: &mut String) {
    to_yaml(object, out).expect("Kubernetes objects have text for keys");
}

/// Takes the objects of a file, one after the other.
pub(super) trait Takes {
    /// Takes one more.
    fn object<T: Serialize>(&mut self, object: &T);
}

/// Prints them, with a line between two.
pub(super) struct Printer<'o> {
    out: &'o mut String,
    has_some: bool,
}

impl Printer<'_> {
    /// A printer that appends to a text.
    pub(super) fn new(out: &mut String) -> Printer<'_> {
        let has_some = false;
        Printer { out, has_some }
    }
}

impl Takes for Printer<'_> {
    fn object<T: Serialize>(&mut self, object: &T) {
        if self.has_some {
            self.out.push_str("---\n");
        }
        self.has_some = true;
        print(object, self.out);
    }
}

/// Keeps them as data.
impl Takes for Vec<serde_json::Value> {
    fn object<T: Serialize>(&mut self, object: &T) {
        self.push(serde_json::to_value(object).expect("Kubernetes objects have text for keys"));
    }
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

/// The label by which the pods of a service are found.
pub(super) fn selector(service: &Service<'_>) -> BTreeMap<String, String> {
    selected(service.name.value)
}

/// The label by which the pods of a workload are found, by its name.
pub(super) fn selected(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME_LABEL.to_owned(), name.to_owned())])
}

/// The labels of the objects of a service and of its pods.
pub(super) fn own_labels(plan: &Plan<'_, '_>, service: &Service<'_>) -> BTreeMap<String, String> {
    let mut labels = labels(plan);
    labels.insert(NAME_LABEL.to_owned(), service.name.value.to_owned());
    labels.extend(
        service
            .pod
            .labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.to_string())),
    );
    labels
}

/// The metadata of the objects of a service, which all have its name.
pub(super) fn own_metadata(plan: &Plan<'_, '_>, service: &Service<'_>) -> ObjectMeta {
    labelled(plan, service.name.value, own_labels(plan, service))
}

/// A count as Kubernetes takes it.
pub(super) fn count(n: u64) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

pub(super) fn label_selector(service: &Service<'_>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector(service)),
        ..LabelSelector::default()
    }
}
