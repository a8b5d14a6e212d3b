//! What a kustomization names, and what it may say (api/types/kustomization.go).

use crate::base::span::FileId;
use crate::manifest::node::{Node, Places};
use crate::manifest::tree::MOST_NODES;
use crate::world::resolve;

/// What a kustomization reads files through.
pub(crate) trait Files {
    /// A file of the project, by its path from the folder of the program: its number among the sources, or why it cannot
    /// be read.
    fn read(&mut self, path: &str) -> Result<FileId, String>;
    /// The text of a file that was read.
    fn text(&self, file: FileId) -> &str;
    /// The kustomization in a folder, if that is a folder with one.
    fn kustomization(&self, folder: &str) -> Option<String>;
    /// Whether bzc wrote the folder that a path is in.
    fn is_output(&self, path: &str) -> bool;
}

/// The names that kustomize looks for in a folder (api/konfig/general.go).
pub(crate) const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a path is that of a kustomization.
pub(crate) fn is_kustomization(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    FILES.contains(&name)
}

/// What a kustomization names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Whether it is a component, which is only a part of others.
    pub is_component: bool,
    /// Kustomizations that it takes.
    pub kustomizations: Vec<String>,
    /// Files of objects that it takes.
    pub files: Vec<String>,
    /// Other files that it reads.
    pub others: Vec<String>,
    /// The namespace that it puts objects into.
    pub namespace: Option<String>,
    /// Whether it leaves what is counted of its objects as it is, but for the namespace.
    pub is_plain: bool,
}

/// Fields by which nothing that is counted changes, and that name no resources.
const PLAIN: [&str; 16] = [
    "apiVersion",
    "buildMetadata",
    "configMapGenerator",
    "crds",
    "generatorOptions",
    "helmGlobals",
    "imageTags",
    "images",
    "kind",
    "metadata",
    "namespace",
    "resources",
    "secretGenerator",
    "sortOptions",
    "validators",
    "vars",
];

/// Fields that are read.
const READ: [&str; 11] = [
    "bases",
    "commonAnnotations",
    "commonLabels",
    "components",
    "labels",
    "namePrefix",
    "nameSuffix",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replicas",
];

/// Why it is not known what a field makes of objects; none where it is.
pub(super) fn why_not(key: &str, value: &Node) -> Option<String> {
    match key {
        "helmCharts" | "helmChartInflationGenerator" => None,
        "replacements" if value.items().iter().all(is_harmless) => None,
        "replacements" | "configurations" | "generators" | "openapi" | "transformers" => Some(
            format!("bzc does not know what `{key}` makes of its objects"),
        ),
        _ if PLAIN.contains(&key) || READ.contains(&key) => None,
        _ => Some(format!("kustomize knows no `{key}`, and refuses it")),
    }
}

/// Whether a replacement puts values only where nothing is counted.
fn is_harmless(replacement: &Node) -> bool {
    let targets = replacement.get("targets").map_or(&[][..], Node::items);
    let paths = targets.iter().flat_map(|target| {
        let paths = target.get("fieldPaths").map_or(&[][..], Node::items);
        paths.iter().map(|path| path.text().unwrap_or_default())
    });
    // By default a target is `metadata.name`.
    let all_named = targets
        .iter()
        .all(|target| target.get("fieldPaths").is_some());
    let is_data = |path: &str| {
        let parts = [".env.", ".image", ".args", ".command", ".tls", ".rules."];
        path.starts_with("data.")
            || path.starts_with("stringData.")
            || parts.iter().any(|part| path.contains(part))
    };
    all_named && replacement.get("source").is_some() && paths.into_iter().all(is_data)
}

/// Whether labels or annotations ask for no containers, and make no hooks of objects. What all objects get alike changes
/// nothing of which pods are near which.
fn says_nothing_of_pods(pairs: &Node) -> bool {
    let marks = ["inject", "istio", "dapr", "hook", "config.kubernetes.io"];
    let keys = pairs.entries().iter().filter_map(|(key, _)| key.text());
    keys.into_iter()
        .all(|key| !marks.iter().any(|mark| key.contains(mark)))
}

/// The items of the lists at these keys.
pub(super) fn lists<'n>(root: &'n Node, keys: &'n [&str]) -> impl Iterator<Item = &'n Node> {
    keys.iter()
        .filter_map(|key| root.get(key))
        .flat_map(Node::items)
}

/// Whether a resource is taken over a network.
pub(super) fn is_remote(name: &str) -> bool {
    let starts = [
        "github.com/",
        "git@",
        "git::",
        "gitlab.com/",
        "bitbucket.org/",
    ];
    name.contains("://") || name.contains("?ref=") || starts.iter().any(|one| name.starts_with(one))
}

/// The files that a generator reads.
pub(super) fn of_generator(item: &Node) -> Vec<String> {
    let files = lists(item, &["files", "envs"]).filter_map(Node::text);
    let files = files.map(|file| {
        file.rsplit_once('=')
            .map_or(file, |(_, file)| file)
            .to_owned()
    });
    files
        .chain(item.get("env").and_then(Node::text).map(str::to_owned))
        .collect()
}

/// What the kustomization at a path names. None where it cannot be read.
pub(crate) fn named(files: &mut dyn Files, path: &str) -> Result<Named, String> {
    let file = files.read(path)?;
    let mut places = Places::default();
    let documents = places.documents(files.text(file), file, MOST_NODES)?;
    let Some(root) = documents.into_iter().next() else {
        return Ok(Named::default());
    };
    let mut named = Named {
        is_component: root.word("kind") == "Component",
        namespace: root
            .get("namespace")
            .and_then(Node::text)
            .map(str::to_owned),
        ..Named::default()
    };
    let there = root.entries().iter().filter(|(_, value)| !value.is_null());
    named.is_plain = there.clone().all(|(key, value)| match key.text() {
        Some("labels") => value.items().iter().all(|label| {
            let pairs = label.get("pairs");
            label.get("fields").is_none() && pairs.is_none_or(says_nothing_of_pods)
        }),
        Some("commonLabels" | "commonAnnotations") => says_nothing_of_pods(value),
        key => PLAIN.contains(&key.unwrap_or_default()),
    });
    for item in lists(&root, &["resources", "bases", "components"]).filter_map(Node::text) {
        if is_remote(item) {
            continue;
        }
        let inside = resolve(path, &format!("{item}/x")).unwrap_or_default();
        let inside = inside.strip_suffix('x').unwrap_or_default();
        match files.kustomization(inside.trim_end_matches('/')) {
            Some(found) => named.kustomizations.push(found),
            None => named.files.extend(resolve(path, item)),
        }
    }
    let of_generators = lists(&root, &["configMapGenerator", "secretGenerator"]);
    let mut others: Vec<String> = of_generators.flat_map(of_generator).collect();
    let paths = lists(
        &root,
        &[
            "crds",
            "configurations",
            "transformers",
            "generators",
            "validators",
        ],
    );
    let paths = paths.chain(lists(&root, &["patchesStrategicMerge"]));
    others.extend(
        paths
            .filter_map(Node::text)
            .filter(|text| !text.contains('\n'))
            .map(str::to_owned),
    );
    let patches = lists(&root, &["patches", "patchesJson6902", "replacements"]);
    others.extend(
        patches
            .filter_map(|patch| patch.get("path")?.text())
            .map(str::to_owned),
    );
    let charts = lists(&root, &["helmCharts", "helmChartInflationGenerator"]);
    for chart in charts {
        others.extend(
            chart
                .get("valuesFile")
                .or(chart.get("values"))
                .and_then(Node::text)
                .map(str::to_owned),
        );
        others.extend(
            lists(chart, &["additionalValuesFiles"])
                .filter_map(Node::text)
                .map(str::to_owned),
        );
    }
    named.others = others
        .iter()
        .filter_map(|other| resolve(path, other))
        .collect();
    Ok(named)
}
