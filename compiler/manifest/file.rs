//! A manifest of a project, or what a kustomization makes of several: its tree, its objects, and the place of every number in it.

use std::collections::BTreeMap;

use super::tree::Tree;
use super::workload::{Bounds, Objects};
use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Its text.
    pub file: FileId,
    /// Its path, as seen from the folder of the program.
    pub path: String,
    /// The pattern that means it.
    pub pattern: Span,
    /// Its text as a tree.
    pub tree: Tree,
    /// What the proof must know of it.
    pub objects: Objects,
    /// One a workload: a name that no other workload of the program has.
    pub known_as: Vec<String>,
    /// `path:line` of every place that a number may come from, by its first byte.
    places: BTreeMap<usize, String>,
    /// Where its values are written, if a kustomization makes them: its bytes are indices then.
    spans: Option<Vec<Span>>,
    /// Whether its objects are put together from other files, so that no text holds them as they are.
    pub is_built: bool,
    /// Whether it is what a chart renders to, and so one release.
    pub is_chart: bool,
    /// Whether a release of Helm makes its objects, so that nothing of it is given back.
    pub is_release: bool,
}

impl Manifest {
    /// A manifest of that text; the names of its workloads are given once all manifests are read.
    pub(crate) fn new(
        (file, path, pattern): (FileId, String, Span),
        text: &str,
        tree: Tree,
        objects: Objects,
    ) -> Manifest {
        let ends: Vec<usize> = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at)
            .collect();
        let line = |start: usize| ends.partition_point(|end| *end < start) + 1;
        let starts = starts(&objects).into_iter();
        let places = starts.map(|start| (start, format!("{path}:{}", line(start))));
        Manifest {
            places: places.collect(),
            file,
            path,
            pattern,
            tree,
            objects,
            known_as: Vec::new(),
            spans: None,
            is_built: false,
            is_chart: false,
            is_release: false,
        }
    }

    /// What a kustomization makes: of other files, or where not `is_built` only by itself. Each value stands at its span.
    pub(crate) fn of_kustomization(
        (file, path, pattern): (FileId, String, Span),
        tree: Tree,
        objects: Objects,
        (spans, is_built): (Vec<Span>, bool),
        sources: &SourceMap,
    ) -> Manifest {
        let place = |start: usize| {
            let span = spans.get(start)?;
            let (line, _) = sources.line_col(span.file, span.start);
            Some((start, format!("{}:{line}", sources.file(span.file).name)))
        };
        let places = starts(&objects).into_iter().filter_map(place).collect();
        Manifest {
            file,
            path,
            pattern,
            tree,
            objects,
            known_as: Vec::new(),
            places,
            spans: Some(spans),
            is_built,
            is_chart: false,
            is_release: false,
        }
    }

    /// `path:line` of a place that a number may come from.
    pub(crate) fn place(&self, range: &std::ops::Range<usize>) -> &str {
        self.places
            .get(&range.start)
            .map_or(&self.path, String::as_str)
    }

    /// A place in it.
    pub(crate) fn span(&self, range: &std::ops::Range<usize>) -> Span {
        match &self.spans {
            Some(spans) => spans
                .get(range.start)
                .copied()
                .unwrap_or(span(self.file, &(0..0))),
            None => span(self.file, range),
        }
    }
}

/// A place in a file.
pub(crate) fn span(file: FileId, range: &std::ops::Range<usize>) -> Span {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span::new(file, small(range.start), small(range.end))
}

/// The first bytes of everything that a number may come from.
fn starts(objects: &Objects) -> Vec<usize> {
    let mut starts: Vec<usize> = Vec::new();
    let amounts = |bounds: &Bounds| {
        let Bounds { request, limit } = bounds;
        [request, limit]
            .into_iter()
            .flatten()
            .map(|amount| amount.at.start)
            .collect::<Vec<_>>()
    };
    for workload in &objects.workloads {
        starts.push(workload.at.start);
        starts.extend(workload.replicas_at.as_ref().map(|at| at.start));
        starts.extend(workload.idle.as_ref().map(|at| at.start));
        starts.extend(workload.beyond.iter().map(|beyond| beyond.at.start));
        for container in &workload.containers {
            starts.push(container.at.start);
            starts.extend(amounts(&container.memory));
            starts.extend(amounts(&container.cpu));
        }
    }
    let of_quotas = objects.quotas.iter();
    starts.extend(
        of_quotas
            .flat_map(|quota| quota.places.values())
            .map(|at| at.start),
    );
    starts.extend(objects.counted.iter().map(|object| object.at.start));
    starts.extend(objects.balancers.iter().map(|balancer| balancer.at.start));
    starts.extend(objects.uncounted.iter().map(|object| object.at.start));
    starts.extend(objects.met.iter().map(|met| met.alone.at.start));
    starts.extend(objects.scalers.iter().map(|scaler| scaler.at.start));
    starts.extend(objects.injected.iter().map(|one| one.by.at.start));
    let entries = objects.ranges.iter().flat_map(|range| &range.entries);
    starts.extend(
        entries
            .flat_map(|entry| entry.places.values())
            .map(|at| at.start),
    );
    starts
}
