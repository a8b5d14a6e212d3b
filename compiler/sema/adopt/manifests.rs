//! The manifests that a program adopts: patterns to paths to trees to objects. What cannot be read, or cannot be
//! counted, is said with its place in the manifest, and nothing of that file is used.

use std::collections::BTreeMap;

use super::errors;
use crate::base::encoding::text_of_bytes;
use crate::base::source::Provenance;
use crate::base::span::{FileId, Span};
use crate::base::suggest::nearest;
use crate::diag::Sink;
use crate::manifest::tree::{Fault, Kind, MOST_NODES, Style, Tree, Yaml, parse};
use crate::manifest::workload::{Objects, Uncounted, Workload, objects, template};
use crate::manifest::{Manifest, leave_out_owned, span};
use crate::sema::kind::Declared;
use crate::sema::load::{Library, Loaded};
use crate::syntax::ast::WordShape;
use crate::world::{Entry, ReadError, World, resolve};
use glob::{MatchOptions, Pattern};

/// All manifests of a program together have at most so many bytes.
const MOST_BYTES: usize = 48 << 20;
/// A walk gives up after so many files and asks for a narrower pattern.
const MOST_ENTRIES: usize = 100_000;
/// Folders below folders.
const DEEPEST: usize = 32;
/// What marks a folder that bzc wrote.
const OUTPUT: &str = ".bzc-manifest.json";

/// The span of a place in a manifest. `None` in a file that is one very long line, which no message can show.
fn showable(text: &str, file: FileId, range: &std::ops::Range<usize>) -> Option<Span> {
    const LONGEST: usize = 4096;
    let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[range.end..]
        .find('\n')
        .map_or(text.len(), |at| range.end + at);
    (end - start <= LONGEST).then(|| span(file, range))
}

/// The quoted patterns of all `adopt` at the top of all files.
fn patterns(loaded: &Loaded) -> Vec<Span> {
    let items = loaded.files.iter().flat_map(|file| &file.items);
    let adopts = items.filter(|item| loaded.sources.text(item.key.span) == "adopt");
    let names = adopts.flat_map(|item| {
        item.names
            .iter()
            .filter(|name| name.shape == WordShape::Quoted)
    });
    names.map(|name| name.span).collect()
}

/// Reads every manifest that the program adopts.
pub(crate) fn load_manifests(
    world: &dyn World,
    library: &Library,
    loaded: &mut Loaded,
    sink: &mut Sink,
) {
    let kinds = Declared::new(library, loaded);
    let mut nodes_left = MOST_NODES;
    let mut bytes_left = MOST_BYTES;
    let mut taken: BTreeMap<String, Span> = BTreeMap::new();
    for at in patterns(loaded) {
        let written = loaded.sources.text(at).trim_matches('"').to_owned();
        let from = loaded.sources.file(at.file).name.clone();
        let Some(paths) = matching(world, &from, &written, at, sink) else {
            continue;
        };
        for path in paths {
            let shown = world.shown(&path);
            if let Some(first) = taken.insert(path.clone(), at) {
                sink.push(errors::adopted_twice(&shown, first, at));
                continue;
            }
            let text = match world.read(&path) {
                Ok(bytes) if bytes.len() > bytes_left => {
                    sink.push(errors::manifests_too_large(MOST_BYTES >> 20, at));
                    return;
                }
                Ok(bytes) => {
                    bytes_left -= bytes.len();
                    text_of_bytes(bytes)
                }
                Err(why) => {
                    sink.push(errors::manifest_unreadable(&shown, &why.to_string(), at));
                    continue;
                }
            };
            let text = match text {
                Ok(text) => text,
                Err(error) => {
                    let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                    sink.push(errors::manifest_unreadable(
                        &shown,
                        &format!("line {line} of it is not UTF-8"),
                        at,
                    ));
                    continue;
                }
            };
            let file = loaded
                .sources
                .add(path.clone(), shown.clone(), text, Provenance::Manifest);
            let text = &loaded.sources.file(file).text;
            match read(text, nodes_left, &kinds) {
                Ok((tree, objects)) => {
                    nodes_left = nodes_left.saturating_sub(tree.nodes);
                    let manifest = Manifest::new(file, path, at, text, tree, objects);
                    loaded.manifests.push(manifest);
                }
                // A pattern may meet what is no manifest, and a file that is named is meant to be one.
                Err(fault) if written.contains(['*', '?', '[']) && template(text).is_some() => {
                    let manifest = left_out((file, path, at), text, &fault);
                    loaded.manifests.push(manifest);
                }
                Err(fault) if fault.at == (0..0) => {
                    // The limit is about all manifests together: every further one would be over it as well.
                    sink.push(errors::manifest_unreadable(&shown, &fault.what, at));
                    break;
                }
                Err(fault) => sink.push(errors::manifest_fault(
                    &shown,
                    &fault.what,
                    showable(text, file, &fault.at),
                    at,
                )),
            }
        }
    }
    loaded.manifests_missing = loaded.manifests.len() < taken.len();
    loaded.manifests.sort_by(|a, b| a.path.cmp(&b.path));
    into_namespaces(&mut loaded.manifests);
    leave_out_owned(&mut loaded.manifests);
    name(loaded);
}

/// A template that a pattern met: nothing is counted of it, and nothing changed.
fn left_out((file, path, at): (FileId, String, Span), text: &str, fault: &Fault) -> Manifest {
    let object = Uncounted {
        what: format!("file {path}"),
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
    Manifest::new(file, path, at, text, Tree::default(), objects)
}

/// Puts objects into the namespaces that a kustomization beside their file puts them into.
fn into_namespaces(manifests: &mut [Manifest]) {
    let folder = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    let mut namespaces: BTreeMap<String, String> = BTreeMap::new();
    for manifest in &*manifests {
        let Some(kustomization) = &manifest.objects.kustomization else {
            continue;
        };
        let Some(namespace) = &kustomization.namespace else {
            continue;
        };
        let beside = folder(&manifest.path);
        for file in &kustomization.files {
            let path = match beside.as_str() {
                "" => file.clone(),
                beside => format!("{beside}/{file}"),
            };
            namespaces.insert(path, namespace.clone());
        }
    }
    for manifest in manifests {
        if let Some(namespace) = namespaces.get(&manifest.path) {
            manifest.objects.put_into(namespace);
        }
    }
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
            let has_workload = objects
                .workloads
                .iter()
                .any(|workload| workload.way.document == document);
            holds_template(root, text, has_workload)?;
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

/// All files that a pattern means, sorted. `None` if there is none, which is reported.
fn matching(
    world: &dyn World,
    from: &str,
    written: &str,
    at: Span,
    sink: &mut Sink,
) -> Option<Vec<String>> {
    let wild = |part: &str| part.contains(['*', '?', '[']);
    let parts: Vec<&str> = written.split('/').collect();
    let first_wild = parts
        .iter()
        .position(|part| wild(part))
        .unwrap_or(parts.len().saturating_sub(1));
    let (fixed, rest) = parts.split_at(first_wild);
    let folder = if fixed.is_empty() {
        "./x".to_owned()
    } else {
        format!("{}/x", fixed.join("/"))
    };
    let Some(folder) = resolve(from, &folder) else {
        sink.push(errors::adopt_outside(written, at));
        return None;
    };
    let folder = folder
        .strip_suffix('x')
        .unwrap_or(&folder)
        .trim_end_matches('/')
        .to_owned();
    let pattern = match Pattern::new(&rest.join("/")) {
        Ok(pattern) => pattern,
        Err(error) => {
            sink.push(errors::not_a_pattern(written, error.msg, at));
            return None;
        }
    };
    let depth = if rest.contains(&"**") {
        DEEPEST
    } else {
        rest.len()
    };
    let mut walk = Walk {
        world,
        pattern,
        found: Vec::new(),
        near: Vec::new(),
        seen: 0,
    };
    let done = walk.folder(&folder, "", depth);
    if let Err((path, why)) = done {
        // A folder that does not exist holds no file that matches, which is reported below.
        if why != ReadError::NotFound {
            sink.push(errors::manifest_unreadable(
                &world.shown(&path),
                &why.to_string(),
                at,
            ));
            return None;
        }
    }
    if walk.seen > MOST_ENTRIES {
        sink.push(errors::too_many_files(MOST_ENTRIES, at));
        return None;
    }
    if walk.found.is_empty() {
        let near = nearest(written, walk.near.iter().map(String::as_str)).map(str::to_owned);
        sink.push(errors::matches_no_file(written, near.as_deref(), at));
        return None;
    }
    walk.found.sort();
    Some(walk.found)
}

struct Walk<'w> {
    world: &'w dyn World,
    pattern: Pattern,
    found: Vec<String>,
    /// Other files in the folder, for "did you mean".
    near: Vec<String>,
    seen: usize,
}

impl Walk<'_> {
    /// `below` is what lies between the folder the pattern begins in and this one.
    fn folder(
        &mut self,
        folder: &str,
        below: &str,
        depth: usize,
    ) -> Result<(), (String, ReadError)> {
        const OPTIONS: MatchOptions = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let names = self
            .world
            .list(folder)
            .map_err(|why| (folder.to_owned(), why))?;
        // A folder that bzc wrote is never its input.
        if names.iter().any(|entry| entry.name == OUTPUT) {
            return Ok(());
        }
        let join = |folder: &str, name: &str| {
            if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            }
        };
        for Entry {
            name, is_folder, ..
        } in names
        {
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Ok(());
            }
            let inside = join(below, &name);
            if is_folder {
                if depth > 1 && !name.starts_with('.') {
                    self.folder(&join(folder, &name), &inside, depth - 1)?;
                }
            } else if self.pattern.matches_with(&inside, OPTIONS) {
                self.found.push(join(folder, &name));
            } else if name.ends_with(".yaml") || name.ends_with(".yml") {
                self.near.push(join(folder, &name));
            }
        }
        Ok(())
    }
}

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
