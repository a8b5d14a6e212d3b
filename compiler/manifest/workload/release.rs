//! Objects that have a chart of Helm installed, or a folder of manifests applied, and the objects in which they say where
//! these come from. What they come to is found once all manifests are read.

use super::quiet::Uncounted;
use super::way::Way;

/// What an object of a tool for deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MetKind {
    /// `HelmRelease` of Flux.
    HelmRelease,
    /// `HelmChart` of K3s.
    HelmChart,
    /// `HelmChartConfig` of K3s.
    HelmChartConfig,
    /// `Application` of Argo CD.
    Application,
    /// `Kustomization` of Flux.
    Kustomization,
    /// Where a chart comes from: `HelmRepository`, `OCIRepository`, `GitRepository`, `Bucket` or `HelmChart` of Flux.
    Source,
    /// A ConfigMap, which may hold values.
    ConfigMap,
}

/// Such an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Met {
    /// What it is.
    pub kind: MetKind,
    /// Its kind, as written.
    pub kind_text: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Option<String>,
    /// The way to it.
    pub way: Way,
    /// What it is where nothing is known of what it installs.
    pub alone: Uncounted,
}

/// The kinds, each with its group.
const KINDS: [(&str, &str, MetKind); 11] = [
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        MetKind::HelmRelease,
    ),
    ("helm.cattle.io", "HelmChart", MetKind::HelmChart),
    (
        "helm.cattle.io",
        "HelmChartConfig",
        MetKind::HelmChartConfig,
    ),
    ("argoproj.io", "Application", MetKind::Application),
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        MetKind::Kustomization,
    ),
    (
        "source.toolkit.fluxcd.io",
        "HelmRepository",
        MetKind::Source,
    ),
    ("source.toolkit.fluxcd.io", "OCIRepository", MetKind::Source),
    ("source.toolkit.fluxcd.io", "GitRepository", MetKind::Source),
    ("source.toolkit.fluxcd.io", "Bucket", MetKind::Source),
    ("source.toolkit.fluxcd.io", "HelmChart", MetKind::Source),
    ("", "ConfigMap", MetKind::ConfigMap),
];

impl MetKind {
    /// The one of that group and name.
    pub(crate) fn of(group: &str, kind: &str) -> Option<MetKind> {
        let mut known = KINDS.iter();
        let found = known.find(|(of, name, _)| *of == group && *name == kind);
        found.map(|(_, _, kind)| *kind)
    }

    /// Whether it makes pods, by way of what it installs.
    pub(crate) fn installs(self) -> bool {
        !matches!(self, MetKind::Source | MetKind::ConfigMap)
    }
}
