//! What `kustomize build` makes of a folder, as far as pods and what bounds them are concerned: a tree of objects whose
//! values know the file and the line that they come from. What kustomize does and this does not is a [`Gap`].
//!
//! The order of changes is kustomize's (api/internal/target/kusttarget.go): resources, generators, components, then the
//! patches and changes of the kustomization itself. Images, and contents of ConfigMaps and Secrets, say nothing of what is
//! counted.

mod change;
mod names;
pub(crate) mod overlay;
mod patch;
mod resource;

use std::collections::BTreeSet;

use crate::base::span::Span;
use crate::manifest::node::{At, Kind, Node, Places};
use crate::manifest::tree::{MOST_NODES, Tree};
use crate::world::resolve;
pub(crate) use names::{FILES, Files, Named, is_kustomization, named};
use names::{is_remote, lists};
use resource::{Id, Resource, Selector};

/// Something that kustomize does and bzc does not.
#[derive(Debug)]
pub(crate) struct Gap {
    /// `KIND NAME`: the kustomization, or what it takes from elsewhere.
    pub what: String,
    /// Why.
    pub why: String,
    /// Whether it is about objects that are counted.
    pub partly: bool,
    /// Where it stands.
    pub at: Span,
}

/// What a kustomization makes.
#[derive(Debug)]
pub(crate) struct Built {
    /// Its objects. The bytes of a value are its index in `places`, and the next.
    pub tree: Tree,
    /// Where the values are written.
    pub places: Vec<Span>,
    /// What it does besides.
    pub gaps: Vec<Gap>,
    /// All files that it names, by their paths.
    pub reached: BTreeSet<String>,
}

/// Builds a kustomization, by the path of its file. Without `with_resources` it has only what it generates, or takes from
/// elsewhere.
pub(crate) fn build(files: &mut dyn Files, path: &str, with_resources: bool) -> Built {
    let mut builder = Builder {
        files,
        places: Places::default(),
        gaps: Vec::new(),
        reached: BTreeSet::new(),
        within: Vec::new(),
        with_resources,
    };
    let mut all = builder.accumulate(path, Vec::new(), None);
    change::references(&mut all);
    all.retain(|one| {
        let mark = "config.kubernetes.io/local-config";
        let mark = one.node.down(&["metadata", "annotations", mark]);
        mark.is_none_or(|mark| mark.text() == Some("false"))
    });
    Built {
        tree: Tree::of(all.iter().map(|one| one.node.yaml()).collect()),
        places: builder.places.spans,
        gaps: builder.gaps,
        reached: builder.reached,
    }
}

struct Builder<'f> {
    files: &'f mut dyn Files,
    places: Places,
    gaps: Vec<Gap>,
    reached: BTreeSet<String>,
    /// The kustomizations that are being built, the innermost last.
    within: Vec<String>,
    with_resources: bool,
}

/// The folder of a path; `.` is that of the program.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

impl Builder<'_> {
    fn here(&self) -> &str {
        self.within.last().map_or("", String::as_str)
    }

    /// Takes note of something that is not known of the objects of the kustomization that is being built.
    fn gap(&mut self, at: At, why: String) {
        let what = format!("Kustomization {}", folder(self.here()));
        self.gap_of(at, what, why, true);
    }

    fn gap_of(&mut self, at: At, what: String, why: String, partly: bool) {
        if let Some(at) = self.places.spans.get(at as usize).copied() {
            self.gaps.push(Gap {
                what,
                why,
                partly,
                at,
            });
        }
    }

    /// The documents of a file beside the kustomization that is being built.
    fn documents(&mut self, path: &str) -> Result<(String, Vec<Node>), String> {
        let outside = || format!("`{path}` lies outside the folder of the program");
        let path = resolve(self.here(), path).ok_or_else(outside)?;
        self.reached.insert(path.clone());
        let documents = self.read(&path)?;
        Ok((path, documents))
    }

    fn read(&mut self, path: &str) -> Result<Vec<Node>, String> {
        let said = |why: String| format!("`{path}` cannot be read: {why}");
        let file = self.files.read(path).map_err(said)?;
        let text = self.files.text(file);
        self.places.documents(text, file, MOST_NODES).map_err(said)
    }

    /// The objects of a kustomization; those of a component are all of the kustomization that takes it. `at` is where it is
    /// named.
    fn accumulate(&mut self, path: &str, all: Vec<Resource>, at: Option<At>) -> Vec<Resource> {
        const DEEPEST: usize = 32;
        self.reached.insert(path.to_owned());
        let known = self.within.iter().any(|one| one == path);
        if known || self.within.len() > DEEPEST {
            let why = format!("`{}` takes itself", folder(path));
            at.into_iter().for_each(|at| self.gap(at, why.clone()));
            return all;
        }
        let read = self
            .read(path)
            .map(|documents| documents.into_iter().next());
        let root = match (read, at) {
            (Ok(Some(root)), _) => root,
            (Err(why), Some(at)) => {
                self.gap(at, why);
                return all;
            }
            // The caller has read it before, and says what is wrong with it.
            (Ok(None) | Err(_), _) => return all,
        };
        self.within.push(path.to_owned());
        self.check_keys(&root);
        let mut all = self.resources(&root, all);
        self.generate(&root, &mut all);
        for component in lists(&root, &["components"]) {
            let name = component.text().unwrap_or_default().to_owned();
            if is_remote(&name) {
                self.remote(component.at, &name);
                continue;
            }
            let inside = resolve(self.here(), &format!("{name}/x"));
            let inside = inside.map(|path| folder(&path).to_owned());
            let of = inside.and_then(|inside| self.files.kustomization(&inside));
            match of {
                // What bzc gives back is put over what is read, and no part of it.
                Some(path) if self.files.is_output(&path) => {}
                Some(path) => all = self.accumulate(&path, all, Some(component.at)),
                None => self.gap(component.at, format!("`{name}` holds no kustomization")),
            }
        }
        self.change(&root, &mut all);
        self.within.pop();
        all
    }

    /// Names what bzc reads of no kustomization.
    fn check_keys(&mut self, root: &Node) {
        for (key, value) in root.entries() {
            let name = key.text().unwrap_or_default();
            if value.is_null() {
                continue;
            }
            if ["helmCharts", "helmChartInflationGenerator"].contains(&name) {
                for chart in value.items() {
                    let called = [chart.word("name"), chart.word("chartName")].concat();
                    let why = "kustomize renders this chart, and bzc does not read it";
                    self.gap_of(chart.at, format!("chart {called}"), why.to_owned(), false);
                }
            }
            if name == "configurations" && self.configures_names_only(value) {
                continue;
            }
            if let Some(why) = names::why_not(name, value) {
                self.gap(key.at, why);
            }
        }
    }

    /// Whether files of `configurations` say only where objects name each other.
    fn configures_names_only(&mut self, files: &Node) -> bool {
        let names = ["images", "nameReference", "varReference"];
        files.items().iter().all(|file| {
            let documents = self.documents(file.text().unwrap_or_default());
            documents.is_ok_and(|(_, documents)| {
                let mut keys = documents.iter().flat_map(Node::entries);
                keys.all(|(key, _)| key.text().is_some_and(|key| names.contains(&key)))
            })
        })
    }

    fn remote(&mut self, at: At, name: &str) {
        let why = "it is taken from elsewhere, and bzc reads nothing over a network";
        self.gap_of(at, format!("resource {name}"), why.to_owned(), false);
    }

    fn resources(&mut self, root: &Node, mut all: Vec<Resource>) -> Vec<Resource> {
        for item in lists(root, &["resources", "bases"]) {
            let name = item.text().unwrap_or_default();
            if is_remote(name) {
                self.remote(item.at, name);
                continue;
            }
            if !self.with_resources {
                continue;
            }
            let inside = resolve(self.here(), &format!("{name}/x"));
            let inside = inside.map(|path| folder(&path).to_owned());
            let of = inside.and_then(|inside| self.files.kustomization(&inside));
            let found = match of {
                Some(path) => self.accumulate(&path, Vec::new(), Some(item.at)),
                None => match self.documents(name) {
                    Ok((_, documents)) => self.objects(documents),
                    Err(why) => {
                        self.gap_of(item.at, format!("resource {name}"), why, false);
                        continue;
                    }
                },
            };
            for resource in found {
                self.append(&mut all, resource, item.at);
            }
        }
        all
    }

    /// Objects of documents, those of Lists one by one.
    fn objects(&mut self, documents: Vec<Node>) -> Vec<Resource> {
        let mut objects = Vec::new();
        for document in documents {
            let kind = document.word("kind");
            if kind.ends_with("List") && document.get("items").is_some() {
                objects.extend(
                    document
                        .get("items")
                        .into_iter()
                        .flat_map(Node::items)
                        .cloned(),
                );
            } else if !document.is_null() {
                objects.push(document);
            }
        }
        objects.into_iter().map(Resource::new).collect()
    }

    /// kustomize refuses what two resources are called.
    fn append(&mut self, all: &mut Vec<Resource>, resource: Resource, at: At) {
        let id = resource.id();
        match all.iter().any(|one| one.id() == id) {
            true => self.gap(at, format!("kustomize refuses `{}` twice", id.shown())),
            false => all.push(resource),
        }
    }

    /// ConfigMaps and Secrets that a kustomization makes of files. What is in them is not looked at.
    fn generate(&mut self, root: &Node, all: &mut Vec<Resource>) {
        for (list, kind) in [
            ("configMapGenerator", "ConfigMap"),
            ("secretGenerator", "Secret"),
        ] {
            for item in lists(root, &[list]) {
                for name in names::of_generator(item) {
                    self.reached.extend(resolve(self.here(), &name));
                }
                if !matches!(item.word("behavior"), "" | "create" | "unspecified") {
                    continue;
                }
                let name = Node::scalar(item.at, item.word("name"));
                let mut metadata = vec![("name", name)];
                metadata.extend(item.get("namespace").cloned().map(|one| ("namespace", one)));
                let metadata = Node::map(item.at, metadata);
                let object = [
                    ("apiVersion", Node::scalar(item.at, "v1")),
                    ("kind", Node::scalar(item.at, kind)),
                    ("metadata", metadata),
                ];
                let object = Resource::new(Node::map(item.at, object));
                self.append(all, object, item.at);
            }
        }
    }

    /// The changes of a kustomization in their order.
    fn change(&mut self, root: &Node, all: &mut Vec<Resource>) {
        for item in lists(root, &["patchesStrategicMerge"]) {
            let text = item.text().unwrap_or_default();
            let patches = match text.contains('\n') {
                true => self.places.inline(text, item.at, MOST_NODES),
                false => self.beside(text),
            };
            self.apply(item, patches, None, all);
        }
        for item in lists(root, &["patches"]) {
            let target = item.get("target").cloned();
            let patches = self.patch_of(item);
            if item
                .get("options")
                .is_some_and(|options| !options.entries().is_empty())
            {
                self.gap(item.at, "bzc does not know `options` of a patch".to_owned());
            }
            self.apply(item, patches, target.as_ref(), all);
        }
        if let Some(namespace) = root.get("namespace") {
            change::namespace(all, namespace);
        }
        for (key, is_prefix) in [("namePrefix", true), ("nameSuffix", false)] {
            let text = root.word(key);
            if !text.is_empty() {
                change::affix(all, text, is_prefix);
            }
        }
        for label in lists(root, &["labels"]) {
            let is = |key: &str| label.word(key) == "true";
            let (selects, on_pods) = (is("includeSelectors"), is("includeTemplates"));
            if let Some(pairs) = label.get("pairs") {
                change::marks(all, "labels", pairs, on_pods || selects, selects);
            }
            if label.get("fields").is_some() {
                self.gap(
                    label.at,
                    "bzc does not know `fields` of `labels`".to_owned(),
                );
            }
        }
        if let Some(pairs) = root.get("commonLabels") {
            change::marks(all, "labels", pairs, true, true);
        }
        if let Some(pairs) = root.get("commonAnnotations") {
            change::marks(all, "annotations", pairs, true, false);
        }
        for item in lists(root, &["patchesJson6902"]) {
            let target = item.get("target").cloned();
            let patches = self.patch_of(item);
            self.apply(item, patches, target.as_ref(), all);
        }
        for item in lists(root, &["replicas"]) {
            let (name, count) = (item.word("name"), item.get("count"));
            let found = count.is_some_and(|count| change::replicas(all, name, count));
            if !found {
                self.gap(
                    item.at,
                    format!("no object of `replicas` is called `{name}`"),
                );
            }
        }
    }

    fn beside(&mut self, path: &str) -> Result<Vec<Node>, String> {
        let path_of = resolve(self.here(), path).unwrap_or_default();
        // What bzc gives back is put over what is read, and no part of it.
        match self.files.is_output(&path_of) {
            true => Ok(Vec::new()),
            false => Ok(self.documents(path)?.1),
        }
    }

    /// The documents of an entry of `patches`: those of a file, or of the text in it.
    fn patch_of(&mut self, item: &Node) -> Result<Vec<Node>, String> {
        match (item.get("path"), item.get("patch")) {
            (Some(path), _) => self.beside(path.text().unwrap_or_default()),
            (None, Some(patch)) => {
                let text = patch.text().unwrap_or_default();
                self.places.inline(text, patch.at, MOST_NODES)
            }
            (None, None) => Err("a patch has neither `path` nor `patch`".to_owned()),
        }
    }

    /// Applies the documents of a patch, or says why it cannot.
    fn apply(
        &mut self,
        item: &Node,
        patches: Result<Vec<Node>, String>,
        target: Option<&Node>,
        all: &mut Vec<Resource>,
    ) {
        let patches = match patches {
            Ok(patches) => patches,
            Err(why) => return self.gap(item.at, why),
        };
        // All its resources are counted as they are, without what it changes.
        if !self.with_resources {
            return;
        }
        for patch in patches.iter().filter(|patch| !patch.is_null()) {
            if let Err(why) = apply(patch, target, all) {
                self.gap(item.at, why);
            }
        }
    }
}

/// Applies one patch to what it is about.
fn apply(patch: &Node, target: Option<&Node>, all: &mut Vec<Resource>) -> Result<(), String> {
    let selector = target.map(Selector::new).transpose()?;
    if matches!(patch.kind, Kind::List(_)) {
        let selector = selector.ok_or("a JSON patch has no `target`")?;
        for resource in all.iter_mut().filter(|one| selector.takes(one)) {
            resource.remember();
            patch::json(&mut resource.node, patch)?;
        }
        return Ok(());
    }
    let about = Id::of(patch);
    let is_about = |one: &Resource| match &selector {
        Some(selector) => selector.takes(one),
        None => one.ids().contains(&about),
    };
    let taken = all.iter().filter(|one| is_about(one)).count();
    if selector.is_none() && taken != 1 {
        let found = if taken == 0 { "no" } else { "more than one" };
        let shown = about.shown();
        return Err(format!(
            "{found} object is what a patch of `{shown}` is about"
        ));
    }
    if patch.word("$patch") == "delete" {
        all.retain(|one| !is_about(one));
        return Ok(());
    }
    let mut change = patch.clone();
    for key in ["apiVersion", "kind"] {
        change.remove(key);
    }
    for key in ["name", "namespace"] {
        change.get_mut("metadata").and_then(|one| one.remove(key));
    }
    for resource in all.iter_mut().filter(|one| is_about(one)) {
        let has_schema = resource.id().has_schema();
        patch::merge(&mut resource.node, &change, has_schema)?;
    }
    Ok(())
}
