//! The manifests that a program adopts: files to trees to objects. What cannot be read, or cannot be counted, is said
//! with its place in the manifest, and nothing of that file is used.

use std::collections::BTreeMap;

use super::errors;
use super::files::{self, By, Reading, Refusal};
use super::kustomizations::{self, Chosen, Part};
use super::releases;
use crate::base::span::{FileId, Span};
use crate::diag::Sink;
use crate::kustomize::{Built, Files, Gap};
use crate::manifest::tree::{Fault, Kind, MOST_NODES, Style, Tree, Yaml, parse};
use crate::manifest::workload::{Objects, Uncounted, Workload, objects, template};
use crate::manifest::{Manifest, leave_out_owned, span};
use crate::sema::kind::Declared;
use crate::sema::load::{Library, Loaded};
use crate::world::World;

/// The span of a place in a manifest. `None` in a file that is one very long line, which no message can show.
fn showable(text: &str, file: FileId, range: &std::ops::Range<usize>) -> Option<Span> {
    const LONGEST: usize = 4096;
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..]
        .find('\n')
        .map_or(text.len(), |at| range.end + at);
    (end - start <= LONGEST).then(|| span(file, range))
}

/// Reads every manifest that the program adopts.
pub(crate) fn load_manifests(
    world: &dyn World,
    library: &Library,
    loaded: &mut Loaded,
    sink: &mut Sink,
) {
    let (taken, is_wrong) = files::taken(world, loaded, sink);
    let kinds = Declared::new(library, loaded);
    let mut reading = Reading::new(world, &mut loaded.sources);
    let mut chosen = kustomizations::choose(&mut reading, &taken);
    let mut load = Load {
        reading,
        kinds,
        nodes_left: MOST_NODES,
        manifests: Vec::new(),
        left_out: Vec::new(),
        is_wrong,
        sink,
    };
    load.all(&taken, &mut chosen);
    for manifest in &mut load.manifests {
        if let Some(namespace) = chosen.namespaces.get(&manifest.path) {
            manifest.objects.put_into(namespace);
        }
    }
    releases::count(
        world,
        &load.kinds,
        &mut load.reading,
        &taken,
        &mut load.manifests,
    );
    (loaded.manifests, loaded.left_out) = (load.manifests, load.left_out);
    loaded.manifests_missing = load.is_wrong;
    leave_out_owned(&mut loaded.manifests);
    name(loaded);
}

/// Manifests that are being read.
struct Load<'w, 'l> {
    reading: Reading<'w>,
    kinds: Declared<'l>,
    nodes_left: usize,
    manifests: Vec<Manifest>,
    left_out: Vec<(Span, String)>,
    is_wrong: bool,
    sink: &'w mut Sink,
}

impl Load<'_, '_> {
    fn all(&mut self, taken: &BTreeMap<String, By>, chosen: &mut Chosen) {
        for (path, by) in taken {
            let goes_on = match chosen.parts.get(path) {
                Some(Part::Elsewhere) => true,
                Some(Part::Unused) => {
                    self.left_out.push((by.at, self.reading.shown(path)));
                    true
                }
                Some(Part::Root { is_built }) => match chosen.built.remove(path) {
                    Some(built) => self.kustomization(path, by, built, *is_built),
                    None => self.file(path, by),
                },
                None => self.file(path, by),
            };
            if !goes_on {
                break;
            }
        }
    }

    fn refuse(&mut self, error: crate::diag::Diagnostic) {
        self.sink.push(error);
        self.is_wrong = true;
    }

    /// Reads one file; false if there is no sense in reading more.
    fn file(&mut self, path: &str, by: &By) -> bool {
        let shown = self.reading.shown(path);
        let unreadable = |why: &str| errors::manifest_unreadable(&shown, why, by.at);
        let read_file = match &by.chart {
            Some(chart) => self.reading.rendered(path, chart),
            None => self.reading.file(path),
        };
        let file = match read_file {
            Ok(file) => file,
            Err(Refusal::Unreadable(why)) if let Some(chart) = &by.chart => {
                self.refuse(errors::not_rendered(chart, &why, by.at));
                return true;
            }
            Err(Refusal::TooMuch) => {
                self.refuse(errors::manifests_too_large(Reading::most_mib(), by.at));
                return false;
            }
            Err(Refusal::Unreadable(why)) => {
                self.refuse(unreadable(&why));
                return true;
            }
            Err(Refusal::NoText(line)) => {
                self.refuse(unreadable(&format!("line {line} of it is not UTF-8")));
                return true;
            }
        };
        let text = self.reading.text(file);
        let place = (file, path.to_owned(), by.at);
        match read(text, self.nodes_left, &self.kinds) {
            Ok((tree, objects)) => {
                self.nodes_left = self.nodes_left.saturating_sub(tree.nodes);
                let mut manifest = Manifest::new(place, text, tree, objects);
                manifest.is_chart = by.chart.is_some();
                let release = by.chart.as_ref().and_then(|chart| chart.namespace.as_ref());
                if let Some(namespace) = release {
                    manifest.objects.install_into(namespace);
                }
                self.manifests.push(manifest);
            }
            // A pattern may meet what is no manifest, and a file that is named is meant to be one.
            Err(fault) if by.is_wild && template(text).is_some() => {
                let manifest = left_out(place, text, &fault);
                self.manifests.push(manifest);
            }
            // No object of Kubernetes goes without these.
            Err(_)
                if by.is_wild && !["apiVersion", "kind"].iter().any(|key| text.contains(key)) =>
            {
                self.left_out.push((by.at, shown));
            }
            Err(fault) if fault.at == (0..0) => {
                // The limit is about all manifests together: every further one would be over it as well.
                self.refuse(unreadable(&fault.what));
                return false;
            }
            Err(fault) => {
                let at = showable(text, file, &fault.at);
                self.refuse(errors::manifest_fault(&shown, &fault.what, at, by.at));
            }
        }
        true
    }

    /// Reads what a kustomization makes; false if there is no sense in reading more.
    fn kustomization(&mut self, path: &str, by: &By, mut built: Built, is_built: bool) -> bool {
        let Ok(file) = self.reading.file(path) else {
            return self.file(path, by);
        };
        let values = built.places.len();
        if values > self.nodes_left {
            let what =
                format!("with it there are more than {MOST_NODES} values, and bzc reads no more");
            let shown = self.reading.shown(path);
            self.refuse(errors::manifest_unreadable(&shown, &what, by.at));
            return false;
        }
        self.nodes_left -= values;
        let found = objects("", &built.tree, &self.kinds).and_then(|objects| {
            for (document, root) in built.tree.documents.iter().enumerate() {
                holds_template(root, "", has_workload(&objects, document))?;
            }
            Ok(objects)
        });
        let mut found = match found {
            Ok(objects) => objects,
            Err(fault) => {
                let shown = self.reading.shown(path);
                let place = built.places.get(fault.at.start).copied();
                self.refuse(errors::manifest_fault(&shown, &fault.what, place, by.at));
                return true;
            }
        };
        for gap in built.gaps {
            found.uncounted.push(uncounted(gap, &mut built.places));
        }
        // It is an object of its own, and no file without one.
        found.count += 1;
        let place = (file, path.to_owned(), by.at);
        let values = (built.places, is_built);
        let sources = self.reading.sources();
        let manifest = Manifest::of_kustomization(place, built.tree, found, values, sources);
        self.manifests.push(manifest);
        true
    }
}

/// What of a kustomization is not known.
fn uncounted(gap: Gap, places: &mut Vec<Span>) -> Uncounted {
    places.push(gap.at);
    Uncounted {
        what: gap.what,
        namespace: None,
        group: "kustomize.config.k8s.io".to_owned(),
        why: gap.why,
        of_unknown_kind: false,
        partly: gap.partly,
        in_system: true,
        at: places.len() - 1..places.len(),
    }
}

fn has_workload(objects: &Objects, document: usize) -> bool {
    let mut workloads = objects.workloads.iter();
    workloads.any(|workload| workload.way.document == document)
}

/// A template that a pattern met: nothing is counted of it, and nothing changed.
fn left_out(place: (FileId, String, Span), text: &str, fault: &Fault) -> Manifest {
    let object = Uncounted {
        what: format!("file {}", place.1),
        namespace: None,
        group: String::new(),
        why: "it is a template, and no manifest until it is rendered".to_owned(),
        of_unknown_kind: false,
        partly: false,
        in_system: true,
        at: fault.at.clone(),
    };
    let objects = Objects {
        uncounted: vec![object],
        count: 1,
        ..Objects::default()
    };
    Manifest::new(place, text, Tree::default(), objects)
}

fn read(text: &str, most: usize, kinds: &Declared<'_>) -> Result<(Tree, Objects), Fault> {
    let tree = parse(text, most).map_err(|fault| match template(text) {
        Some(at) => Fault {
            at,
            what: format!(
                "it is a template, and no YAML until it is rendered ({})",
                fault.what
            ),
        },
        None => fault,
    })?;
    let objects = objects(text, &tree, kinds)?;
    if template(text).is_some() {
        for (document, root) in tree.documents.iter().enumerate() {
            holds_template(root, text, has_workload(&objects, document))?;
        }
    }
    Ok((tree, objects))
}

/// Finds placeholders that a template engine has still to fill in. Without quotes they read as mappings whose key is a
/// mapping. With quotes only workloads are searched, and of these what bzc reads: elsewhere they may be data, as is all text
/// in block scalars.
fn holds_template(root: &Yaml, text: &str, has_workload: bool) -> Result<(), Fault> {
    let mut open = vec![(root, has_workload)];
    while let Some((node, is_read)) = open.pop() {
        let in_quotes = matches!(node.kind, Kind::Scalar(style, _) if style != Style::Block)
            && is_read
            && node.text(text).is_some_and(|value| value.contains("{{"));
        let entries = node.entries();
        if in_quotes
            || entries
                .iter()
                .any(|(key, _)| matches!(key.kind, Kind::Map(..)))
        {
            let what =
                "a value is a template: render the file first, and adopt what comes out".to_owned();
            return Err(Fault {
                at: node.range(),
                what,
            });
        }
        open.extend(node.items().iter().map(|item| (item, is_read)));
        for (key, value) in entries {
            let passed_on = key.text(text).is_some_and(|key| PASSED_ON.contains(&key));
            open.extend([(key, is_read), (value, is_read && !passed_on)]);
        }
    }
    Ok(())
}

/// Fields of a pod whose texts are for its programs: bzc neither reads nor writes them.
const PASSED_ON: [&str; 11] = [
    "annotations",
    "args",
    "command",
    "env",
    "image",
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "volumeMounts",
    "workingDir",
];

/// Gives every workload a unique name: that of its object; if several objects have it, with the kind appended; if that
/// is not enough, with the namespace prepended.
fn name(loaded: &mut Loaded) {
    let plain = |workload: &Workload| workload.name.clone();
    let kind =
        |workload: &Workload| format!("{}.{}", workload.name, workload.kind_text.to_lowercase());
    let full = |workload: &Workload| {
        format!(
            "{}.{}",
            workload.namespace.as_deref().unwrap_or("default"),
            kind(workload)
        )
    };
    let forms: [&dyn Fn(&Workload) -> String; 3] = [&plain, &kind, &full];
    let mut counts: Vec<BTreeMap<String, usize>> = Vec::new();
    for form in forms {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for workload in loaded
            .manifests
            .iter()
            .flat_map(|manifest| &manifest.objects.workloads)
        {
            *count.entry(form(workload)).or_default() += 1;
        }
        counts.push(count);
    }
    for manifest in &mut loaded.manifests {
        let known_as = manifest.objects.workloads.iter().map(|workload| {
            let unique = forms
                .iter()
                .zip(&counts)
                .map(|(form, count)| (form(workload), count));
            let unique = unique
                .filter(|(name, count)| count.get(name) == Some(&1))
                .map(|(name, _)| name)
                .next();
            unique.unwrap_or_else(|| full(workload))
        });
        manifest.known_as = known_as.collect();
    }
    name_balancers(loaded);
    let quotas = || {
        let all = loaded.manifests.iter();
        all.flat_map(|manifest| &manifest.objects.quotas)
    };
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for quota in quotas() {
        *names.entry(quota.name.clone()).or_default() += 1;
    }
    let all = loaded.manifests.iter_mut();
    for quota in all.flat_map(|manifest| &mut manifest.objects.quotas) {
        if names.get(&quota.name).is_some_and(|count| *count > 1) {
            let namespace = quota.namespace.as_deref().unwrap_or("default");
            quota.known_as = format!("{namespace}.{}", quota.name);
        }
    }
}

/// The pods that K3s makes for a Service are told apart by its name, and where several have it by its namespace too. Those
/// of Traefik's Service are packaged.
fn name_balancers(loaded: &mut Loaded) {
    let all = loaded.manifests.iter();
    let mut count: BTreeMap<String, usize> = [("traefik".to_owned(), 1)].into();
    for balancer in all.flat_map(|manifest| &manifest.objects.balancers) {
        *count.entry(balancer.name.clone()).or_default() += 1;
    }
    let all = loaded.manifests.iter_mut();
    for balancer in all.flat_map(|manifest| &mut manifest.objects.balancers) {
        if count.get(&balancer.name).is_some_and(|count| *count > 1) {
            let namespace = balancer.namespace.as_deref().unwrap_or("default");
            balancer.known_as = format!("svclb-{namespace}.{}", balancer.name);
        }
    }
}
