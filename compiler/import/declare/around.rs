//! What the declarations of a program share: objects that are about workloads.

use std::collections::{BTreeMap, BTreeSet};

use crate::import::data::Data;

/// What the declarations of a program share.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// The keys of each ConfigMap that becomes a `config`.
    pub(super) configs: BTreeMap<String, BTreeSet<String>>,
    /// Services: their specs, by name.
    pub(super) services: Vec<(String, Data)>,
    /// PodDisruptionBudgets.
    pub(super) disruptions: Vec<Data>,
    /// Autoscalers.
    pub(super) scalers: Vec<Data>,
}
