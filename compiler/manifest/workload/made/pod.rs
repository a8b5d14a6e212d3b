//! The pod of a workload that an operator or a chart makes, put together as Kubernetes would have it, so that it is read
//! as any other pod is.

use std::ops::Range;

use super::{Item, Scope};
use crate::manifest::kind::{Makes, Value, Volume, VolumeKind};
use crate::manifest::tree::{Kind, Style, Yaml};
use crate::manifest::workload::Reader;

/// The lists of containers in a pod, the first of those that run first.
const LISTS: [&str; 2] = ["initContainers", "containers"];

/// A text that no file holds, at a place.
pub(super) fn scalar(at: &Range<usize>, text: &str) -> Yaml {
    node(at, Kind::Scalar(Style::Single, Some(text.into())))
}

/// A mapping that no file holds, at a place.
pub(super) fn map<'k>(
    at: &Range<usize>,
    entries: impl IntoIterator<Item = (&'k str, Yaml)>,
) -> Yaml {
    let entries = entries.into_iter();
    let entries = entries.map(|(key, value)| (scalar(at, key), value));
    node(at, Kind::Map(false, entries.collect()))
}

fn node(at: &Range<usize>, kind: Kind) -> Yaml {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Yaml {
        start: small(at.start),
        end: small(at.end),
        anchor: 0,
        is_text: true,
        kind,
    }
}

impl<'t> Reader<'t> {
    /// The pod that a declaration describes, with a metadata that has its labels and annotations.
    pub(super) fn pod_of(
        &self,
        scope: Scope<'t>,
        (makes, volumes): (&Makes, &[Volume]),
        labels: Vec<(&str, &str)>,
        at: &Range<usize>,
    ) -> (Yaml, Yaml) {
        let template = makes
            .template
            .as_ref()
            .and_then(|path| self.walk(scope, path));
        let mut sources = Vec::new();
        sources.extend(template.and_then(|template| self.get(template, "spec")));
        sources.extend(self.all(scope, makes.pod.as_ref()));
        let mut pod: Vec<(Yaml, Yaml)> = Vec::new();
        for source in sources {
            for (key, value) in source.entries() {
                let text = key.text(self.source);
                let is_known = pod.iter().any(|(known, _)| known.text(self.source) == text);
                if !is_known && (makes.pod.is_none() || self.is_given(value)) {
                    pod.push((key.clone(), value.clone()));
                }
            }
        }
        for (path, list) in [(&makes.inits, LISTS[0]), (&makes.containers, LISTS[1])] {
            let found = path.as_ref().and_then(|path| self.walk(scope, path));
            let items: Vec<Yaml> = found
                .into_iter()
                .flat_map(|found| self.containers_of(scope, makes, found, at))
                .collect();
            self.add_to(&mut pod, list, items, at);
        }
        let volumes = self.volumes_of(scope, volumes, at);
        self.add_to(&mut pod, "volumes", volumes, at);
        let metadata = match template.and_then(|template| self.get(template, "metadata")) {
            Some(metadata) => metadata.clone(),
            None => self.metadata(scope, makes, labels, at),
        };
        (node(at, Kind::Map(false, pod)), metadata)
    }

    /// A mapping without the lists of containers in it.
    pub(super) fn without_containers(&self, of: &'t Yaml) -> Yaml {
        let mut copy = of.clone();
        if let Kind::Map(_, entries) = &mut copy.kind {
            entries.retain(|(key, _)| {
                key.text(self.source)
                    .is_none_or(|key| !LISTS.contains(&key))
            });
        }
        copy
    }

    /// Puts items into a list of a pod; those of the same name are already in it.
    fn add_to(&self, pod: &mut Vec<(Yaml, Yaml)>, list: &str, items: Vec<Yaml>, at: &Range<usize>) {
        if items.is_empty() {
            return;
        }
        let known = pod
            .iter_mut()
            .find(|(key, _)| key.text(self.source) == Some(list));
        match known {
            Some((
                _,
                Yaml {
                    kind: Kind::List(_, all),
                    ..
                },
            )) => all.extend(items),
            Some((_, other)) => *other = node(at, Kind::List(false, items)),
            None => pod.push((scalar(at, list), node(at, Kind::List(false, items)))),
        }
    }

    /// Labels and annotations of pods whose fields stand beside them.
    fn metadata(
        &self,
        scope: Scope<'t>,
        makes: &Makes,
        labels: Vec<(&str, &str)>,
        at: &Range<usize>,
    ) -> Yaml {
        let sources: Vec<&'t Yaml> = self.all(scope, makes.pod.as_ref());
        let marks = |list: &str| {
            let of = sources.iter().filter_map(|source| self.get(source, list));
            let mut all: Vec<(Yaml, Yaml)> = Vec::new();
            for (key, value) in of.flat_map(Yaml::entries) {
                let text = key.text(self.source);
                if all.iter().all(|(known, _)| known.text(self.source) != text) {
                    all.push((key.clone(), value.clone()));
                }
            }
            all
        };
        let mut all = marks("labels");
        for (key, value) in labels {
            all.push((scalar(at, key), scalar(at, value)));
        }
        let of = |entries| node(at, Kind::Map(false, entries));
        map(
            at,
            [
                ("labels", of(all)),
                ("annotations", of(marks("annotations"))),
            ],
        )
    }

    /// All nodes that the sides of a value name, in order.
    fn all(&self, scope: Scope<'t>, value: Option<&Value>) -> Vec<&'t Yaml> {
        match value {
            Some(Value::At(path)) => self.walk(scope, path).into_iter().collect(),
            Some(Value::Either(sides)) => {
                let mut all = self.all(scope, Some(&sides.0));
                all.extend(self.all(scope, Some(&sides.1)));
                all
            }
            _ => Vec::new(),
        }
    }

    /// Whether a value is more than what templates of Helm take for nothing.
    fn is_given(&self, value: &'t Yaml) -> bool {
        let Some(value) = self.real(value) else {
            return false;
        };
        match &value.kind {
            Kind::Map(_, entries) => !entries.is_empty(),
            Kind::List(_, items) => !items.is_empty(),
            _ => !value.is_null(self.source) && value.text(self.source) != Some(""),
        }
    }

    /// The containers of a list or of a map, each with its name, and with the defaults of all where it says nothing.
    pub(super) fn containers_of(
        &self,
        scope: Scope<'t>,
        makes: &Makes,
        found: &'t Yaml,
        at: &Range<usize>,
    ) -> Vec<Yaml> {
        let defaults = makes
            .container_defaults
            .as_ref()
            .and_then(|path| self.walk(scope, path));
        let items = self.entries_of(found);
        items
            .into_iter()
            .map(|item| self.container_of(item, defaults, at))
            .collect()
    }

    fn container_of(&self, item: Item<'t>, defaults: Option<&'t Yaml>, at: &Range<usize>) -> Yaml {
        let mut container = item.node.clone();
        let Kind::Map(_, entries) = &mut container.kind else {
            return container;
        };
        for (key, value) in defaults.map_or(&[][..], Yaml::entries) {
            let text = key.text(self.source);
            let own = entries
                .iter()
                .position(|(known, _)| known.text(self.source) == text);
            let says = text.is_some_and(|text| {
                self.get(item.node, text)
                    .is_some_and(|own| self.is_given(own))
            });
            match own {
                _ if says => {}
                Some(own) => entries[own].1 = value.clone(),
                None => entries.push((key.clone(), value.clone())),
            }
        }
        if let Some(key) = item.key {
            let name = self.text(item.node, "nameOverride");
            let name = name.as_deref().filter(|name| !name.is_empty());
            entries.push((scalar(at, "name"), scalar(at, name.unwrap_or(key))));
        }
        container
    }

    fn volumes_of(&self, scope: Scope<'t>, volumes: &[Volume], at: &Range<usize>) -> Vec<Yaml> {
        let mut all = Vec::new();
        for volume in volumes {
            let found = self.walk(scope, &volume.each);
            for entry in found.map_or(Vec::new(), |found| self.entries_of(found)) {
                let scope = Scope {
                    volume: Some(entry.node),
                    ..scope
                };
                if self.asked(scope, &volume.on) && self.has_volume(scope, volume) {
                    let name = entry.key.unwrap_or("volume");
                    all.push(self.volume(scope, volume, name, at));
                }
            }
        }
        all
    }

    /// Whether the item that pods are made of has a volume.
    fn has_volume(&self, scope: Scope<'t>, volume: &Volume) -> bool {
        let found = |path: &Option<_>| path.as_ref().and_then(|path| self.walk(scope, path));
        if found(&volume.all).is_some_and(|node| self.is_given(node)) {
            return true;
        }
        let only = found(&volume.only).filter(|only| self.is_given(only));
        let key = scope.item.and_then(|item| item.key);
        match (only, key) {
            (Some(only), Some(key)) => self.get(only, key).is_some_and(|node| self.is_given(node)),
            _ => true,
        }
    }

    fn volume(&self, scope: Scope<'t>, volume: &Volume, name: &str, at: &Range<usize>) -> Yaml {
        let found = volume.at.as_ref().and_then(|path| self.walk(scope, path));
        let block = |key: &str| found.map(|found| (key.to_owned(), found.clone()));
        let source = match volume.kind {
            VolumeKind::Memory => {
                let mut of = vec![("medium".to_owned(), scalar(at, "Memory"))];
                of.extend(block("sizeLimit"));
                ("emptyDir", of)
            }
            VolumeKind::Secret => ("secret", Vec::new()),
            VolumeKind::Claim => (
                "persistentVolumeClaim",
                block("claimName").into_iter().collect(),
            ),
            VolumeKind::Any => {
                let mut whole = found.cloned().unwrap_or_else(|| map(at, []));
                if let Kind::Map(_, entries) = &mut whole.kind {
                    entries.push((scalar(at, "name"), scalar(at, name)));
                }
                return whole;
            }
        };
        let (key, of) = source;
        let of = map(
            at,
            of.iter().map(|(key, value)| (key.as_str(), value.clone())),
        );
        map(at, [("name", scalar(at, name)), (key, of)])
    }
}
