//! Volumes of compose: a named one becomes a claim, a folder of the host stays one, what is only memory stays that.

use std::collections::{BTreeMap, BTreeSet};

use super::shared::Shared;
use super::words::bytes;
use crate::base::quantity::MIB;
use crate::import::data::Data;
use crate::import::tree::{Block, Name, Value, said};
use crate::import::variables::{closed, shown};

/// What is put in for a volume whose size nobody says.
const UNSIZED: u64 = 1024 * MIB;
/// The same for a folder in memory.
const UNSIZED_TMPFS: u64 = 64 * MIB;
/// Where the files of a project go on the node.
const FILES: &str = "/srv";

/// A volume as a service mounts it.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    kind: Kind,
    path: String,
    read_only: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Named(String),
    Host(String),
    Anonymous,
    Memory(Option<u64>),
}

/// Counts which volumes of the project a service mounts.
pub(super) fn count(body: &Data, counts: &mut BTreeMap<String, usize>) {
    let items = body.at(&["volumes"]).map_or(&[][..], Data::items);
    for mount in items.iter().filter_map(read) {
        if let Kind::Named(name) = mount.kind {
            *counts.entry(name).or_default() += 1;
        }
    }
}

/// Takes `volumes` and `tmpfs`. `claims` says whether each pod may have claims of its own; whether it then has one comes
/// back.
pub(super) fn take(body: &mut Data, block: &mut Block, shared: &Shared<'_>, claims: bool) -> bool {
    let mut mounts = Vec::new();
    for item in body.take("volumes").unwrap_or(Data::Null).items() {
        match read(item) {
            Some(mount) => mounts.push(mount),
            None => block.leave(match item {
                Data::Text(text, _) => said(&format!("volumes: {}", shown(text))),
                _ => "`volumes`: one has no `target`".to_owned(),
            }),
        }
    }
    let tmpfs = body.take("tmpfs").unwrap_or(Data::Null);
    for text in tmpfs.texts().unwrap_or_default() {
        let text = closed(text);
        let (path, options) = text.split_once(':').unwrap_or((&text, ""));
        let size = options
            .split(',')
            .find_map(|option| option.strip_prefix("size="));
        mounts.push(Mount {
            kind: Kind::Memory(size.and_then(bytes)),
            path: path.to_owned(),
            read_only: false,
        });
    }
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    let mut has_claim = false;
    for mount in mounts {
        if !paths.insert(mount.path.clone()) {
            continue;
        }
        match &mount.kind {
            Kind::Host(host) if host.ends_with("docker.sock") => {
                block.leave(format!(
                    "{}: K3s runs no Docker",
                    said(&format!("volumes: {host}"))
                ));
                continue;
            }
            _ => {}
        }
        let Some(name) = name(&mount, &mut names) else {
            block.leave(format!("{}: no volume can be called so", said(&mount.path)));
            continue;
        };
        let alone = match &mount.kind {
            Kind::Named(name) => claims && shared.mounts.get(name).is_none_or(|n| *n < 2),
            _ => false,
        };
        has_claim |= alone;
        block.put_block(volume(&mount, &name, alone, shared));
    }
    has_claim
}

fn volume(mount: &Mount, name: &Name, alone: bool, shared: &Shared<'_>) -> Block {
    let mut volume = Block::named("volume", name, "");
    volume.put("path", Value::text(&mount.path));
    match &mount.kind {
        Kind::Named(_) if alone => volume.put_noted(
            "storage",
            Value::memory(UNSIZED),
            "compose gives no size: put it in",
        ),
        Kind::Named(named) => {
            let claim = Name::near(named, 63).unwrap_or_else(|| name.clone());
            volume.put_noted(
                "claim",
                Value::name(&claim),
                "several pods share it: make this PersistentVolumeClaim before",
            );
        }
        Kind::Host(host) if host.starts_with('/') => volume.put("host", Value::text(host)),
        Kind::Host(host) => {
            let inside = host
                .split('/')
                .filter(|part| !["", ".", "..", "~"].contains(part));
            let inside: Vec<&str> = inside.collect();
            let mut place = format!("{FILES}/{}", shared.project.as_str());
            for part in inside {
                place = format!("{place}/{part}");
            }
            volume.put_noted(
                "host",
                Value::text(&place),
                format!("{} of compose: put it there on the node", said(host)),
            );
        }
        Kind::Anonymous => volume.put_noted(
            "disk",
            Value::memory(UNSIZED),
            "compose gives no size: put it in",
        ),
        Kind::Memory(Some(n)) => volume.put("memory", Value::memory(*n)),
        Kind::Memory(None) => volume.put_noted(
            "disk",
            Value::memory(UNSIZED_TMPFS),
            "`tmpfs` without a size; `memory = 16Mi` keeps it in memory, at the cost of the limit",
        ),
    }
    if mount.read_only {
        volume.put("read-only", Value::fixed("true"));
    }
    volume
}

/// A name that no other volume of the service has.
fn name(mount: &Mount, taken: &mut BTreeSet<Name>) -> Option<Name> {
    let last = mount.path.rsplit('/').find(|part| !part.is_empty());
    let wanted = match &mount.kind {
        Kind::Named(name) => Name::near(name, 50),
        _ => None,
    };
    let wanted = wanted.or_else(|| Name::near(last.unwrap_or("root"), 50));
    let wanted = wanted.or_else(|| Name::of("data"))?;
    let numbered = (2..1000).filter_map(|n| Name::of(&format!("{}-{n}", wanted.as_str())));
    let mut all = std::iter::once(wanted.clone()).chain(numbered);
    let free = all.find(|name| !taken.contains(name))?;
    taken.insert(free.clone());
    Some(free)
}

/// `[SOURCE:]TARGET[:MODE]`, or a mapping.
fn read(item: &Data) -> Option<Mount> {
    if let Data::Map(_) = item {
        let path = closed(item.text_at(&["target"])?);
        let source = item.text_at(&["source"]).or(item.text_at(&["src"]));
        let source = source.map(closed).filter(|source| !source.is_empty());
        let size = item.text_at(&["tmpfs", "size"]).and_then(bytes);
        let kind = match (item.text_at(&["type"]), source) {
            (Some("tmpfs"), _) => Kind::Memory(size),
            (Some("bind"), Some(source)) => Kind::Host(source),
            (Some("volume") | None, Some(source)) => Kind::Named(source),
            (Some("volume") | None, None) => Kind::Anonymous,
            _ => return None,
        };
        let read_only = item.text_at(&["read_only"]) == Some("true");
        return mount(kind, path, read_only);
    }
    let text = closed(item.as_text()?);
    let mut parts = text.split(':');
    let (first, second, mode) = (parts.next()?, parts.next(), parts.next());
    let Some(path) = second else {
        return mount(Kind::Anonymous, first.to_owned(), false);
    };
    let kind = match first.starts_with(['/', '.', '~']) || first.contains('/') {
        true => Kind::Host(first.to_owned()),
        false => Kind::Named(first.to_owned()),
    };
    let read_only = mode.is_some_and(|mode| mode.split(',').any(|word| word == "ro"));
    mount(kind, path.to_owned(), read_only)
}

fn mount(kind: Kind, path: String, read_only: bool) -> Option<Mount> {
    let empty = matches!(&kind, Kind::Named(name) | Kind::Host(name) if name.is_empty());
    (path.starts_with('/') && !empty).then_some(Mount {
        kind,
        path,
        read_only,
    })
}

#[cfg(test)]
mod tests {
    use crate::import::compose::mounts::{Kind, Mount, read};
    use crate::import::data::Data;

    #[test]
    fn volumes_are_read_in_all_short_forms() {
        let of = |text: &str| read(&Data::Text(text.to_owned(), false));
        let mount = |kind, path: &str, read_only| {
            Some(Mount {
                kind,
                path: path.to_owned(),
                read_only,
            })
        };
        assert_eq!(of("/data"), mount(Kind::Anonymous, "/data", false));
        assert_eq!(
            of("db:/d"),
            mount(Kind::Named("db".to_owned()), "/d", false)
        );
        assert_eq!(
            of("./c:/c:ro,z"),
            mount(Kind::Host("./c".to_owned()), "/c", true)
        );
        assert_eq!(of("data"), None);
    }
}
