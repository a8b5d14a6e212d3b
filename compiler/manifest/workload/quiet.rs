//! Objects that are neither counted nor of a kind that is known to make no pods (`schema/quiet.tsv`): they may make
//! pods that nobody counted.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use super::reader::Reader;
use crate::manifest::tree::Yaml;

const QUIET: &str = include_str!("../../schema/quiet.tsv");

/// The group of an `apiVersion`; that of `v1` is empty.
pub(crate) fn group(api_version: &str) -> &str {
    api_version
        .rsplit_once('/')
        .map_or("", |(group, _version)| group)
}

/// Whether objects of a kind are known to make no pods, in whatever version of their API.
pub(crate) fn is_quiet(group: &str, kind: &str) -> bool {
    // Asked once for every object of every manifest.
    static KINDS: OnceLock<BTreeSet<(&str, &str)>> = OnceLock::new();
    let kinds = KINDS.get_or_init(|| {
        let rows = QUIET.lines().skip(1).map(|row| row.split('\t'));
        rows.filter_map(|mut row| Some((row.next()?, row.next()?)))
            .flat_map(|(group, kinds)| kinds.split(' ').map(move |kind| (group, kind)))
            .collect()
    });
    let group = if group.is_empty() { "core" } else { group };
    kinds.contains(&(group, kind))
}

/// An object whose pods are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Uncounted {
    /// `KIND NAME`.
    pub what: String,
    /// The namespace that it says it is in.
    pub namespace: Option<String>,
    /// The group of its API, empty for that of `v1`.
    pub group: String,
    /// Why.
    pub why: String,
    /// Whether bzc knows nothing of its kind, so that the program may say what such objects make.
    pub of_unknown_kind: bool,
    /// Whether some of its pods are counted, and only what else it makes is not known.
    pub partly: bool,
    /// Whether pods of it may be in this namespace of K3s's own.
    pub in_system: bool,
    /// Where it stands.
    pub at: Range<usize>,
}

impl<'t> Reader<'t> {
    /// Why it is not known that an object makes no pods, and whether that is because bzc knows nothing of its kind; none
    /// where it is known.
    pub(super) fn may_make_pods(
        &self,
        group: &str,
        kind: &str,
        spec: Option<&'t Yaml>,
    ) -> Option<(&'static str, bool)> {
        let known = |why| (why, false);
        let get = |key: &str| spec.and_then(|spec| self.get(spec, key));
        match (group, kind) {
            // cert-manager pkg/issuer/acme/http: a pod answers each challenge, with a limit of 64Mi.
            ("cert-manager.io", "Issuer" | "ClusterIssuer") => {
                let solvers = get("acme").and_then(|acme| self.get(acme, "solvers"))?;
                let solvers = self.real(solvers)?.items();
                let http = |solver| self.get(solver, "http01").is_some();
                solvers.iter().any(http).then_some(known(
                    "cert-manager answers each HTTP-01 challenge with a pod",
                ))
            }
            _ if is_quiet(group, kind) => None,
            _ => {
                let template = get("template").and_then(|node| self.get(node, "spec"));
                let shows = [template, spec]
                    .into_iter()
                    .flatten()
                    .any(|spec| self.get(spec, "containers").is_some());
                let why = match shows {
                    true => "it makes pods in a way that bzc does not know",
                    false => "bzc does not know this kind, nor what pods it makes",
                };
                Some((why, true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row a group, sorted kinds in it, and a source.
    #[test]
    fn the_table_is_whole() {
        let mut groups = BTreeSet::new();
        for row in QUIET.lines().skip(1) {
            let columns: Vec<&str> = row.split('\t').collect();
            assert_eq!(columns.len(), 3, "{row}");
            let (group, kinds, source) = (columns[0], columns[1], columns[2]);
            assert!(groups.insert(group), "{group} is there twice");
            assert!(kinds.split(' ').is_sorted(), "{row}");
            assert!(!source.is_empty(), "{row}");
        }
    }

    /// A kind goes by its group: that of a chart to fetch is not that of a chart to install.
    #[test]
    fn a_kind_goes_by_its_group() {
        assert!(is_quiet(group("v1"), "Service"));
        assert!(!is_quiet(group("serving.knative.dev/v1"), "Service"));
        assert!(is_quiet(group("source.toolkit.fluxcd.io/v1"), "HelmChart"));
        assert!(!is_quiet(group("helm.cattle.io/v1"), "HelmChart"));
        assert!(!is_quiet(group("core/v1"), "Pod"));
    }
}
