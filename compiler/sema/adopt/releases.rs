//! What releases of Helm come to that adopted manifests have: the values that they give their chart, merged as Helm merges
//! them, and what the chart makes of these by its declaration. What cannot be found is uncounted, with the reason.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::files::{By, Reading};
use super::folders::Folders;
use crate::base::span::Span;
use crate::kustomize::Files;
use crate::manifest::Manifest;
use crate::manifest::kind::{Chart, Kinds, Maker};
use crate::manifest::node::{At, Kind, Node, Places};
use crate::manifest::release::{
    ChartFrom, Installs, Release, Values, bare, installs, lay_over, source,
};
use crate::manifest::tree::{MOST_NODES, Tree};
use crate::manifest::workload::release::{Met, MetKind};
use crate::manifest::workload::{Uncounted, objects};
use crate::sema::errors::listed;
use crate::sema::kind::Declared;
use crate::world::World;

/// Values of these keys decide what is counted: what is still to be filled in there is not known.
const READ: [&str; 8] = [
    "affinity",
    "enabled",
    "nodeSelector",
    "replicas",
    "resources",
    "tolerations",
    "topologySpreadConstraints",
    "type",
];

/// Counts what the releases among the manifests install, and names those of which that is not known.
pub(super) fn count(
    world: &dyn World,
    kinds: &Declared<'_>,
    reading: &mut Reading<'_>,
    taken: &BTreeMap<String, By>,
    manifests: &mut Vec<Manifest>,
) {
    let installing =
        |manifest: &Manifest| manifest.objects.met.iter().any(|met| met.kind.installs());
    if !manifests.iter().any(installing) {
        return;
    }
    let folders = Folders { world, taken };
    let mut all = All {
        manifests,
        index: BTreeMap::new(),
        reading,
        kinds,
        folders,
    };
    for (at, manifest) in all.manifests.iter().enumerate() {
        for (met, one) in manifest.objects.met.iter().enumerate() {
            let key = (one.kind_text.clone(), one.name.clone());
            all.index.entry(key).or_default().push((at, met));
        }
    }
    let mut made = Vec::new();
    let mut uncounted: Vec<(usize, Uncounted)> = Vec::new();
    let mut known = Vec::new();
    for (at, manifest) in all.manifests.iter().enumerate() {
        for met in manifest
            .objects
            .met
            .iter()
            .filter(|met| met.kind.installs())
        {
            known.push((at, met.clone()));
        }
    }
    for (at, met) in known {
        match all.installs(at, &met) {
            Ok(found) => made.extend(found),
            Err(why) => uncounted.push((
                at,
                Uncounted {
                    why,
                    ..met.alone.clone()
                },
            )),
        }
    }
    for (at, object) in uncounted {
        manifests[at].objects.uncounted.push(object);
    }
    manifests.extend(made);
    manifests.sort_by(|a, b| a.path.cmp(&b.path));
}

/// All manifests, while releases are counted.
struct All<'m, 'w, 'l> {
    manifests: &'m mut Vec<Manifest>,
    /// Where objects are, by kind and name.
    index: BTreeMap<(String, String), Vec<(usize, usize)>>,
    reading: &'m mut Reading<'w>,
    kinds: &'m Declared<'l>,
    folders: Folders<'m>,
}

/// A chart that is known, and why that may not be all.
struct Known {
    maker: Arc<Maker>,
    besides: Vec<String>,
}

/// One kind that is known, whatever it is called.
struct One(Arc<Maker>);

impl Kinds for One {
    fn maker(&self, _: &str, _: &str) -> Option<Arc<Maker>> {
        Some(Arc::clone(&self.0))
    }
}

impl All<'_, '_, '_> {
    /// What an object installs; or why that is not known.
    fn installs(&mut self, at: usize, met: &Met) -> Result<Vec<Manifest>, String> {
        let mut places = Places::default();
        let node = self.node(&mut places, at, met)?;
        if met.kind == MetKind::HelmChartConfig {
            return match self.find("HelmChart", &met.name, met.namespace.as_deref()) {
                Some(_) => Ok(Vec::new()),
                None => Err("it changes the values of a chart that bzc does not read".to_owned()),
            };
        }
        match installs(met.kind, &node, &met.name, met.namespace.as_deref()) {
            Installs::Unread(why) => Err(why.to_owned()),
            Installs::Folder(path) => self.folders.check(&path, &node).map(|()| Vec::new()),
            Installs::Charts(releases) => {
                let mut made = Vec::new();
                for release in releases {
                    let node = node.clone();
                    made.push(self.release(at, met, node, release, &mut places)?);
                }
                Ok(made)
            }
        }
    }

    /// An object as values that know their places.
    fn node(&self, places: &mut Places, at: usize, met: &Met) -> Result<Node, String> {
        let manifest = &self.manifests[at];
        let text = match manifest.is_built {
            true => "",
            false => self.reading.text(manifest.file),
        };
        let yaml = met.way.find(&manifest.tree, text);
        let yaml = yaml.ok_or("it stands behind an alias")?;
        let span = |at: &Range<usize>| -> Span { manifest.span(at) };
        places.value((&manifest.tree, text), yaml, &span, MOST_NODES)
    }

    /// The object of that kind and name: that of the namespace, or the only one.
    fn find(&self, kind: &str, name: &str, namespace: Option<&str>) -> Option<(usize, Met)> {
        let found = self.index.get(&(kind.to_owned(), name.to_owned()))?;
        let met = |&(at, met): &(usize, usize)| (at, self.manifests[at].objects.met[met].clone());
        let mut same = found.iter().map(met);
        let same = same.find(|(_, met)| met.namespace.as_deref() == namespace);
        match (same, found.as_slice()) {
            (Some(same), _) => Some(same),
            (None, [one]) => Some(met(one)),
            (None, _) => None,
        }
    }

    fn release(
        &mut self,
        at: usize,
        met: &Met,
        node: Node,
        release: Release,
        places: &mut Places,
    ) -> Result<Manifest, String> {
        let Known { maker, besides } = self.chart(&release)?;
        let values = self.values(met, &release, &node, places)?;
        let metadata = node.get("metadata");
        let name_at = metadata.and_then(|metadata| metadata.get("name"));
        let name_at = name_at.map_or(node.at, |name| name.at);
        let mut named = vec![("name", Node::scalar(name_at, &release.name))];
        if let Some(namespace) = &release.namespace {
            named.push(("namespace", Node::scalar(name_at, namespace)));
        }
        let object = Node::map(
            node.at,
            [
                ("apiVersion", Node::scalar(node.at, node.word("apiVersion"))),
                ("kind", Node::scalar(node.at, &met.kind_text)),
                ("metadata", Node::map(name_at, named)),
                ("values", values),
            ],
        );
        let tree = Tree::of(vec![object.yaml()]);
        let mut found = objects("", &tree, &One(maker)).map_err(|fault| fault.what)?;
        let partly = !found.workloads.is_empty();
        let here = node.at as usize..node.at as usize + 1;
        for object in &mut found.uncounted {
            let (why, partly) = (std::mem::take(&mut object.why), object.partly);
            *object = Uncounted {
                why,
                partly,
                at: here.clone(),
                ..met.alone.clone()
            };
        }
        for why in besides {
            found.uncounted.push(Uncounted {
                why,
                partly,
                at: here.clone(),
                ..met.alone.clone()
            });
        }
        let manifest = &self.manifests[at];
        let place = (manifest.file, manifest.path.clone(), manifest.pattern);
        let spans = (places.spans.clone(), true);
        let sources = self.reading.sources();
        let mut made = Manifest::of_kustomization(place, tree, found, spans, sources);
        made.is_release = true;
        Ok(made)
    }

    /// The chart of a release, by a declaration.
    fn chart(&self, release: &Release) -> Result<Known, String> {
        let mut besides: Vec<String> = release
            .besides
            .iter()
            .map(|why| (*why).to_owned())
            .collect();
        let (address, name, version) = match &release.from {
            ChartFrom::Unread(why) => return Err((*why).to_owned()),
            ChartFrom::Folder(path) => return Err(in_folder(path)),
            ChartFrom::Address(address, name) => {
                (Some(address.clone()), name.clone(), String::new())
            }
            ChartFrom::Object(kind, namespace, name, what) => {
                let found = self.find(kind, name, namespace.as_deref());
                match (found, kind.as_str()) {
                    (_, "GitRepository" | "Bucket") => return Err(in_folder(what)),
                    (Some((at, met)), _) => {
                        let mut places = Places::default();
                        let node = self.node(&mut places, at, &met)?;
                        let spec = node.get("spec").ok_or("its source says nothing")?;
                        let of = source(kind, spec, what);
                        let of = of.ok_or_else(|| format!("its chart comes from a {kind}"))?;
                        (Some(of.0), of.1, of.2)
                    }
                    (None, _) => {
                        besides.push(format!(
                            "the {kind} `{name}` that its chart comes from is not adopted, and may have another chart of \
                             that name"
                        ));
                        let of = if what.is_empty() { name } else { what };
                        (None, of.clone(), String::new())
                    }
                }
            }
        };
        let version = if version.is_empty() {
            &release.version
        } else {
            &version
        };
        let charts = self.kinds.charts(&name);
        if charts.is_empty() {
            return Err(format!(
                "it installs the chart `{name}`, which bzc does not know"
            ));
        }
        let of_address: Vec<&Chart> = match &address {
            None => charts.iter().collect(),
            Some(address) => {
                let address = bare(address);
                let is_known = |chart: &&Chart| chart.from.iter().any(|from| bare(from) == address);
                charts.iter().filter(is_known).collect()
            }
        };
        if of_address.is_empty() {
            return Err(format!(
                "its chart `{name}` comes from `{}`, and bzc knows one of that name from elsewhere",
                address.unwrap_or_default()
            ));
        }
        let of_version = of_address
            .iter()
            .find(|chart| chart.versions.iter().any(|known| begins(version, known)));
        let chart = match of_version {
            Some(chart) => chart,
            None => {
                let versions = of_address.iter().flat_map(|chart| &chart.versions);
                let mut known: Vec<&str> = versions.map(String::as_str).collect();
                known.sort_unstable();
                let asked = match version.as_str() {
                    "" => "it asks for none".to_owned(),
                    version => format!("it asks for `{version}`"),
                };
                besides.push(format!(
                    "of its chart `{name}` bzc knows version {}, and {asked}",
                    listed(&known)
                ));
                let newest = |chart: &&&Chart| {
                    let numbers = chart
                        .versions
                        .iter()
                        .filter_map(|one| one.parse::<u64>().ok());
                    numbers.max()
                };
                of_address
                    .iter()
                    .max_by_key(newest)
                    .expect("it is not empty")
            }
        };
        Ok(Known {
            maker: Arc::clone(&chart.maker),
            besides,
        })
    }

    /// The values of a release, merged.
    fn values(
        &mut self,
        met: &Met,
        release: &Release,
        node: &Node,
        places: &mut Places,
    ) -> Result<Node, String> {
        let mut merged = Node::map(node.at, []);
        for values in &release.values {
            match values {
                Values::Map(values) => lay_over(&mut merged, values.clone()),
                Values::Text(text) => {
                    let within = text.at;
                    let text = text.text().unwrap_or_default().to_owned();
                    self.text(&mut merged, places, &text, within)?;
                }
                Values::One(key, value) => put(&mut merged, key, value)?,
                Values::File(path) => {
                    let unread = |why: String| format!("its values are in `{path}`: {why}");
                    let file = self.reading.read(path).map_err(unread)?;
                    let text = self.reading.text(file).to_owned();
                    let found = places.documents(&text, file, MOST_NODES).map_err(unread)?;
                    if let Some(values) = found.into_iter().next() {
                        lay_over(&mut merged, values);
                    }
                }
                Values::ConfigMap {
                    name,
                    key,
                    optional,
                } => {
                    let found = self.find("ConfigMap", name, met.namespace.as_deref());
                    let Some((at, config)) = found else {
                        if *optional {
                            continue;
                        }
                        return Err(format!(
                            "its values are in the ConfigMap `{name}`, which is not adopted"
                        ));
                    };
                    let config = self.node(places, at, &config)?;
                    let text = config.down(&["data", key.as_str()]);
                    let Some(text) = text.filter(|text| text.text().is_some()) else {
                        return Err(format!(
                            "its values are at `{key}` of the ConfigMap `{name}`, where there is nothing"
                        ));
                    };
                    let within = text.at;
                    let text = text.text().unwrap_or_default().to_owned();
                    self.text(&mut merged, places, &text, within)?;
                }
                Values::Unread(what) => {
                    return Err(format!("its values are in {what}, which bzc does not read"));
                }
            }
        }
        if met.kind == MetKind::HelmChart
            && let Some((at, config)) =
                self.find("HelmChartConfig", &met.name, met.namespace.as_deref())
        {
            let config = self.node(places, at, &config)?;
            if let Some(text) = config.down(&["spec", "valuesContent"]) {
                let within = text.at;
                let text = text.text().unwrap_or_default().to_owned();
                self.text(&mut merged, places, &text, within)?;
            }
        }
        let namespace = release.namespace.as_deref().unwrap_or("default");
        fill(&mut merged, &release.name, namespace);
        unfilled(&merged, false)?;
        Ok(merged)
    }

    /// Lays a text of YAML over values.
    fn text(
        &mut self,
        merged: &mut Node,
        places: &mut Places,
        text: &str,
        within: At,
    ) -> Result<(), String> {
        let found = places.inline(text, within, MOST_NODES);
        let found = found.map_err(|why| format!("its values are no YAML: {why}"))?;
        if let Some(values) = found.into_iter().next().filter(|values| !values.is_null()) {
            lay_over(merged, values);
        }
        Ok(())
    }
}

fn in_folder(path: &str) -> String {
    format!(
        "its chart is the folder `{}`: `adopt \"{}\" {{ helm {{ values = [..] }} }}` has it rendered",
        path.trim_start_matches("./"),
        path.trim_start_matches("./").trim_end_matches('/')
    )
}

/// Puts one value at keys with dots between them, as `helm --set` does.
fn put(merged: &mut Node, key: &str, value: &Node) -> Result<(), String> {
    if key.contains(['[', '\\', ',']) {
        return Err(format!(
            "its values are set at `{key}`, which bzc does not read"
        ));
    }
    let keys: Vec<&str> = key.split('.').collect();
    merged.put(&keys, value.clone());
    Ok(())
}

/// Whether a version that is asked for is one of those that begin so.
fn begins(version: &str, known: &str) -> bool {
    let version = version.trim().trim_start_matches(['^', '~', '=', 'v']);
    let rest = version.strip_prefix(known);
    rest.is_some_and(|rest| {
        let ends = rest.is_empty() || rest.starts_with(['.', '-', '+']);
        ends && !rest.contains([' ', ',', '<', '>', '|'])
    })
}

/// Fills in what templates in values mostly name.
fn fill(node: &mut Node, name: &str, namespace: &str) {
    match &mut node.kind {
        Kind::Scalar(_, text, _) => {
            if text.contains("{{") {
                let mut filled = text.to_string();
                for (value, by) in [("Name", name), ("Namespace", namespace)] {
                    for (open, close) in [("{{ ", " }}"), ("{{", "}}"), ("{{- ", " -}}")] {
                        filled = filled.replace(&format!("{open}.Release.{value}{close}"), by);
                    }
                }
                *text = filled.into();
            }
        }
        Kind::List(items) => items
            .iter_mut()
            .for_each(|item| fill(item, name, namespace)),
        Kind::Map(entries) => {
            for (_, value) in entries.iter_mut() {
                fill(value, name, namespace);
            }
        }
    }
}

/// Says that a value is still to be filled in where bzc reads it.
fn unfilled(node: &Node, is_read: bool) -> Result<(), String> {
    match &node.kind {
        Kind::Scalar(_, text, _) if is_read => {
            for (mark, what) in [("{{", "a template"), ("${", "a variable")] {
                if text.contains(mark) {
                    return Err(format!(
                        "`{text}` in its values is {what}, which bzc does not fill in"
                    ));
                }
            }
            Ok(())
        }
        Kind::Scalar(..) => Ok(()),
        Kind::List(items) => items.iter().try_for_each(|item| unfilled(item, is_read)),
        Kind::Map(entries) => entries.iter().try_for_each(|(key, value)| {
            let reads = key.text().is_some_and(|key| READ.contains(&key));
            unfilled(value, is_read || reads)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::begins;

    #[test]
    fn a_version_begins_with_what_is_known() {
        for version in ["4", "4.1.1", "v4.1.1", "~4.1", "^4", "4.x", "4.0.0-beta1"] {
            assert!(begins(version, "4"), "{version}");
        }
        for version in ["", "40.1", "5.1.0", ">=4", "4.0.0 || 5.0.0", "*", "1.4"] {
            assert!(!begins(version, "4"), "{version}");
        }
    }
}
