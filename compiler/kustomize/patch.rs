//! Patches as kustomize applies them: strategic merges (kyaml yaml/merge2) and JSON patches (RFC 6902).

use crate::manifest::node::{Kind, Node};

/// What tells the items of a list apart, by the name of the list, in the APIs of which kustomize has the schema. Lists that
/// are not here are replaced.
const MERGE_KEYS: [(&str, &[&str]); 13] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("volumes", &["name"]),
    ("env", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("hostAliases", &["ip"]),
    (
        "topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
    ),
    ("resourceClaims", &["name"]),
    ("schedulingGates", &["name"]),
    ("ownerReferences", &["uid"]),
];

/// What says of a mapping or an item that it is not merged.
const DIRECTIVE: &str = "$patch";

/// Lays a strategic merge over a value. `has_schema` says whether kustomize knows the lists of its API.
///
/// # Errors
///
/// Why it is not known what kustomize would make of it.
pub(super) fn merge(target: &mut Node, patch: &Node, has_schema: bool) -> Result<(), String> {
    let (Kind::Map(_), Kind::Map(entries)) = (&target.kind, &patch.kind) else {
        *target = clean(patch)?;
        return Ok(());
    };
    for (key, value) in entries {
        let name = key.text().unwrap_or_default();
        if is_directive(name)? {
            continue;
        }
        if value.is_null() || value.word(DIRECTIVE) == "delete" {
            target.remove(name);
            continue;
        }
        let Some(known) = target.get_mut(name).filter(|known| !known.is_null()) else {
            target.remove(name);
            let value = clean(value)?;
            if let Kind::Map(entries) = &mut target.kind {
                entries.push((key.clone(), value));
            }
            continue;
        };
        let keys = MERGE_KEYS.iter().find(|(list, _)| *list == name);
        match (&mut known.kind, &value.kind) {
            (Kind::Map(_), Kind::Map(_)) if value.word(DIRECTIVE) != "replace" => {
                merge(known, value, has_schema)?;
            }
            (Kind::List(items), Kind::List(patches)) if has_schema && name == "ports" => {
                let keys = match patches.iter().any(|port| port.get("port").is_some()) {
                    true => &["port", "protocol"],
                    false => &["containerPort", "protocol"],
                };
                merge_lists(items, patches, keys)?;
            }
            (Kind::List(items), Kind::List(patches))
                if has_schema && let Some((_, keys)) = keys =>
            {
                merge_lists(items, patches, keys)?;
            }
            _ => *known = clean(value)?,
        }
    }
    Ok(())
}

/// Merges items by their keys. As kustomize puts them, those of the patch come first, and the others behind them.
fn merge_lists(items: &mut Vec<Node>, patches: &[Node], keys: &[&str]) -> Result<(), String> {
    let replaces = |patch: &Node| patch.word(DIRECTIVE) == "replace" && patch.entries().len() == 1;
    if patches.iter().any(replaces) {
        let rest = patches.iter().filter(|patch| !replaces(patch));
        *items = rest.map(clean).collect::<Result<_, _>>()?;
        return Ok(());
    }
    let mut merged = Vec::new();
    for patch in patches {
        if patch.get(keys[0]).is_none() {
            return Err(format!(
                "an item of a list in a patch has no `{}`, by which it would be merged",
                keys[0]
            ));
        }
        let same = |item: &Node| keys.iter().all(|key| item.word(key) == patch.word(key));
        let known = items.iter().position(same).map(|at| items.remove(at));
        match (known, patch.word(DIRECTIVE)) {
            (_, "delete") => {}
            (Some(mut item), directive) if directive != "replace" => {
                merge(&mut item, patch, true)?;
                merged.push(item);
            }
            _ => merged.push(clean(patch)?),
        }
    }
    merged.append(items);
    *items = merged;
    Ok(())
}

/// Whether a key speaks to kustomize and is no value.
fn is_directive(key: &str) -> Result<bool, String> {
    match key {
        DIRECTIVE => Ok(true),
        _ if key.starts_with("$setElementOrder/") => Ok(true),
        _ if key.starts_with('$') => Err(format!("bzc does not know `{key}` in a patch")),
        _ => Ok(false),
    }
}

/// A value of a patch where there is nothing to merge with: nulls and directives say nothing there.
fn clean(patch: &Node) -> Result<Node, String> {
    let kind = match &patch.kind {
        Kind::Map(entries) => {
            let mut kept = Vec::new();
            for (key, value) in entries {
                let gone = value.is_null() || value.word(DIRECTIVE) == "delete";
                if !is_directive(key.text().unwrap_or_default())? && !gone {
                    kept.push((key.clone(), clean(value)?));
                }
            }
            Kind::Map(kept)
        }
        Kind::List(items) => {
            let there = items.iter().filter(|item| item.word(DIRECTIVE).is_empty());
            Kind::List(there.map(clean).collect::<Result<_, _>>()?)
        }
        scalar @ Kind::Scalar(..) => scalar.clone(),
    };
    Ok(Node { at: patch.at, kind })
}

/// Applies a JSON patch to an object.
///
/// # Errors
///
/// Why the patch does not apply: kustomize ends there.
pub(super) fn json(target: &mut Node, operations: &Node) -> Result<(), String> {
    for operation in operations.items() {
        let path = pointer(operation.word("path"))?;
        match operation.word("op") {
            "add" => add(target, &path, value_of(operation)?)?,
            "remove" => _ = take(target, &path)?,
            "replace" => *find(target, &path)? = value_of(operation)?,
            "test" => {
                if !same(find(target, &path)?, &value_of(operation)?) {
                    let path = operation.word("path");
                    return Err(format!("the test of `{path}` in a patch fails"));
                }
            }
            "move" => {
                let moved = take(target, &pointer(operation.word("from"))?)?;
                add(target, &path, moved)?;
            }
            "copy" => {
                let copied = find(target, &pointer(operation.word("from"))?)?.clone();
                add(target, &path, copied)?;
            }
            other => return Err(format!("`{other}` is no operation of a JSON patch")),
        }
    }
    Ok(())
}

fn value_of(operation: &Node) -> Result<Node, String> {
    let mut entries = operation.entries().iter();
    let value = entries.find(|(key, _)| key.text() == Some("value"));
    let value = value.ok_or("an operation of a JSON patch has no `value`")?;
    Ok(value.1.clone())
}

/// The steps of a JSON pointer (RFC 6901).
fn pointer(text: &str) -> Result<Vec<String>, String> {
    let rest = text.strip_prefix('/');
    let rest = rest.ok_or_else(|| format!("`{text}` in a JSON patch is no path"))?;
    let steps = rest.split('/');
    Ok(steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect())
}

fn find<'n>(node: &'n mut Node, path: &[String]) -> Result<&'n mut Node, String> {
    let missing = || format!("a patch is about `/{}`, which is not there", path.join("/"));
    let mut node = node;
    for step in path {
        node = match &mut node.kind {
            Kind::Map(entries) => {
                let mut entries = entries.iter_mut();
                let found = entries.find(|(key, _)| key.text() == Some(step));
                found.map(|(_, value)| value).ok_or_else(missing)?
            }
            Kind::List(items) => {
                let at: Option<usize> = step.parse().ok();
                at.and_then(|at| items.get_mut(at)).ok_or_else(missing)?
            }
            Kind::Scalar(..) => return Err(missing()),
        };
    }
    Ok(node)
}

fn add(target: &mut Node, path: &[String], value: Node) -> Result<(), String> {
    let Some((last, above)) = path.split_last() else {
        *target = value;
        return Ok(());
    };
    let parent = find(target, above)?;
    match &mut parent.kind {
        Kind::Map(_) => parent.put(&[last], value),
        Kind::List(items) => {
            let at = match last.as_str() {
                "-" => Some(items.len()),
                index => index.parse().ok().filter(|at| *at <= items.len()),
            };
            let at = at.ok_or_else(|| format!("a patch adds at `{last}` of a shorter list"))?;
            items.insert(at, value);
        }
        Kind::Scalar(..) => return Err(format!("a patch adds `{last}` to what holds nothing")),
    }
    Ok(())
}

fn take(target: &mut Node, path: &[String]) -> Result<Node, String> {
    find(target, path)?;
    let gone = || "a patch takes away the whole object".to_owned();
    let (last, above) = path.split_last().ok_or_else(gone)?;
    let parent = find(target, above)?;
    let at: Option<usize> = last.parse().ok();
    let taken = match (&mut parent.kind, at) {
        (Kind::List(items), Some(at)) if at < items.len() => Some(items.remove(at)),
        _ => parent.remove(last),
    };
    taken.ok_or_else(gone)
}

/// Whether two values say the same.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::Scalar(_, a, _), Kind::Scalar(_, b, _)) => a == b,
        (Kind::List(a), Kind::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Kind::Map(entries), Kind::Map(others)) => {
            let has = |key: &Node, value: &Node| {
                let mut others = others.iter();
                others.any(|(other, there)| other.text() == key.text() && same(value, there))
            };
            entries.len() == others.len() && entries.iter().all(|(key, value)| has(key, value))
        }
        _ => false,
    }
}
