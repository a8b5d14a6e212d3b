//! Charts that an `adopt` has rendered: what of them goes into the hash by which the result is kept, and the asking.

use sha2::{Digest, Sha256};

use crate::sema::dns::label_fault;
use crate::sema::load::Loaded;
use crate::syntax::ast::{Expr, ExprKind, Item};
use crate::syntax::literal;
use crate::world::{Chart, ReadError, World, resolve};

/// The folder in which results are kept, beside the program. It may go into version control, for machines without helm.
const KEPT: &str = ".bzc/helm";
/// The most files of a chart, and the deepest folders in it.
const MOST_FILES: usize = 10_000;
const DEEPEST: usize = 16;
/// What a chart is known by.
pub(super) const CHART: &str = "Chart.yaml";

/// The chart that a name of an `adopt` with a `helm` block means; none where the `adopt` has no such block. What is wrong
/// with the block itself is said where the rules are read.
pub(super) fn chart(
    world: &dyn World,
    item: &Item,
    loaded: &Loaded,
    written: &str,
) -> Option<Result<Chart, String>> {
    let mut blocks = loaded.entries(item, "helm");
    let block = blocks.find(|block| block.body.is_some())?;
    let from = &loaded.sources.file(item.key.span.file).name;
    Some(read(world, block, loaded, from, written))
}

fn read(
    world: &dyn World,
    block: &Item,
    loaded: &Loaded,
    from: &str,
    written: &str,
) -> Result<Chart, String> {
    let outside = |path: &str| format!("`{path}` lies outside the folder of the program");
    let folder = resolve(from, written).ok_or_else(|| outside(written))?;
    if world.read(&format!("{folder}/{CHART}")).is_err() {
        return Err(format!("there is no `{CHART}` in it"));
    }
    let value = |key| {
        loaded
            .entries(block, key)
            .find_map(|item| item.value.as_ref())
    };
    let name = |key| {
        value(key)
            .map(|value| text(value, loaded))
            .filter(|text| label_fault(text).is_none())
    };
    let last = folder.rsplit('/').next().unwrap_or(&folder).to_owned();
    let mut values = Vec::new();
    if let Some(ExprKind::List(list)) = value("values").map(|value| &value.kind) {
        for one in list {
            let path = text(one, loaded);
            values.push(resolve(from, &path).ok_or_else(|| outside(&path))?);
        }
    }
    let mut chart = Chart {
        release: name("release").unwrap_or(last),
        namespace: name("namespace"),
        folder,
        values,
        kept: String::new(),
    };
    let hash = hash(world, &chart)?;
    chart.kept = format!("{KEPT}/{}-{hash}.yaml", chart.release);
    Ok(chart)
}

/// A text between quotes, or a bare word.
fn text(value: &Expr, loaded: &Loaded) -> String {
    let written = loaded.sources.text(value.span);
    match value.kind {
        ExprKind::Text => literal::text(written)
            .map(|text| text.into_owned())
            .unwrap_or_default(),
        _ => written.to_owned(),
    }
}

/// The hash of all that the result depends on: the files of the chart, those of values, and the names.
fn hash(world: &dyn World, chart: &Chart) -> Result<String, String> {
    let mut hash = Sha256::new();
    let mut add = |name: &str, bytes: &[u8]| {
        for part in [name.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    };
    add("release", chart.release.as_bytes());
    add(
        "namespace",
        chart.namespace.as_deref().unwrap_or_default().as_bytes(),
    );
    let unreadable = |path: &str, why: ReadError| format!("`{path}` cannot be read: {why}");
    for path in files(world, &chart.folder)? {
        let bytes = world.read(&path).map_err(|why| unreadable(&path, why))?;
        add(path.strip_prefix(&chart.folder).unwrap_or(&path), &bytes);
    }
    for path in &chart.values {
        let bytes = world.read(path).map_err(|why| unreadable(path, why))?;
        add("values", &bytes);
    }
    let digest = hash.finalize();
    Ok(digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// All files of a chart, sorted.
fn files(world: &dyn World, folder: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let entries = world
            .list(&folder)
            .map_err(|why| format!("`{folder}` cannot be read: {why}"))?;
        for entry in entries {
            let path = format!("{folder}/{}", entry.name);
            match entry.is_folder {
                true if depth < DEEPEST => open.push((path, depth + 1)),
                true => return Err(format!("its folders are deeper than {DEEPEST}")),
                false => found.push(path),
            }
            if found.len() > MOST_FILES {
                return Err(format!("it has more than {MOST_FILES} files"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a chart renders to: what is kept, or what the world makes of it.
pub(super) fn rendered(world: &dyn World, chart: &Chart) -> Result<Vec<u8>, String> {
    match world.read(&chart.kept) {
        Ok(bytes) => Ok(bytes),
        Err(ReadError::NotFound) => world.helm(chart),
        Err(why) => Err(format!("`{}` cannot be read: {why}", chart.kept)),
    }
}
