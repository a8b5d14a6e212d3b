//! Volumes, and where containers mount them.

use super::around::Around;
use crate::import::data::Data;
use crate::import::patch::Fields;
use crate::import::tree::{Block, Name, Value, said};
use crate::manifest::workload::bytes;

/// What is put in for a folder whose size nobody says.
const UNSIZED: u64 = 1 << 30;

/// A volume of a pod.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    data: Data,
    /// Whether each pod has a claim of its own for it.
    is_template: bool,
}

/// A mount of a container.
#[derive(Debug)]
pub(super) struct Mount {
    name: String,
    path: String,
    read_only: bool,
    /// What else it says.
    rest: Data,
}

/// Volumes that the proof does not count, and for which bz has no word.
const UNCOUNTED: [&str; 4] = ["csi", "iscsi", "nfs", "image"];

impl Source {
    /// Whether a patch can bring the volume, and has to.
    fn is_patch(&self, mount: &Mount) -> bool {
        let has = |kind: &str| self.data.at(&[kind]).is_some();
        let is_plain = ["configMap", "hostPath"].iter().any(|kind| has(kind));
        let is_typed = self
            .data
            .text_at(&["hostPath", "type"])
            .is_some_and(|kind| !kind.is_empty());
        let is_odd = !mount.rest.is_empty() || is_typed;
        let mut fields = Fields::default();
        (UNCOUNTED.iter().any(|kind| has(kind)) || (is_plain && is_odd))
            && fields.add_item("volumes", &self.whole())
    }

    /// The volume as Kubernetes has it.
    fn whole(&self) -> Data {
        with(&[("name", &self.name)], &self.data)
    }
}

impl Mount {
    /// The mount as Kubernetes has it.
    fn whole(&self) -> Data {
        let mut whole = with(
            &[("name", &self.name), ("mountPath", &self.path)],
            &self.rest,
        );
        if let (true, Data::Map(entries)) = (self.read_only, &mut whole) {
            let yes = Data::Text("true".to_owned(), true);
            entries.push(("readOnly".to_owned(), yes));
        }
        whole
    }
}

/// A mapping with more texts before it.
fn with(texts: &[(&str, &String)], rest: &Data) -> Data {
    let text =
        |(key, text): &(&str, &String)| ((*key).to_owned(), Data::Text((*text).clone(), false));
    let first = texts.iter().map(text);
    Data::Map(first.chain(rest.entries().iter().cloned()).collect())
}

/// The volumes of a pod, and the templates of claims.
pub(super) fn sources(volumes: Option<Data>, claims: Option<Data>) -> Vec<Source> {
    let mut all = Vec::new();
    for mut data in volumes.unwrap_or(Data::Null).items().iter().cloned() {
        let name = data.take_text(&["name"]).unwrap_or_default();
        all.push(Source {
            name,
            data,
            is_template: false,
        });
    }
    for mut data in claims.unwrap_or(Data::Null).items().iter().cloned() {
        let name = data.take_text(&["metadata", "name"]).unwrap_or_default();
        for known in ["apiVersion", "kind", "status"] {
            data.take(known);
        }
        data.take_at(&["metadata", "creationTimestamp"]);
        all.push(Source {
            name,
            data,
            is_template: true,
        });
    }
    all
}

/// Takes `volumeMounts`.
pub(super) fn mounts(container: &mut Data) -> Vec<Mount> {
    let Some(Data::List(items)) = container.take("volumeMounts") else {
        return Vec::new();
    };
    let mount = |mut item: Data| {
        let (name, path) = (item.take_text(&["name"])?, item.take_text(&["mountPath"])?);
        let read_only = item.take_text(&["readOnly"]).as_deref() == Some("true");
        Some(Mount {
            name,
            path,
            read_only,
            rest: item,
        })
    };
    items.into_iter().filter_map(mount).collect()
}

/// Writes the volumes that the main container mounts.
/// `patches` are what is laid over the container and over the pod.
pub(super) fn put(
    mounts: &[Mount],
    volumes: &[Source],
    block: &mut Block,
    around: &Around,
    patches: (&mut Fields, &mut Fields),
) {
    let (container, pod) = patches;
    let is_plain = |name: &str| {
        mounts
            .iter()
            .any(|one| one.name == name && one.rest.is_empty())
    };
    let mut seen: Vec<&str> = Vec::new();
    for mount in mounts {
        let is_first = !seen.contains(&mount.name.as_str());
        let is_mounted = is_plain(&mount.name) && (!is_first || !mount.rest.is_empty());
        let source = volumes.iter().find(|source| source.name == mount.name);
        let is_brought = is_mounted || source.is_some_and(|source| source.is_patch(mount));
        if is_brought && container.add_item("volumeMounts", &mount.whole()) {
            if let Some(source) = source.filter(|_| !is_mounted) {
                pod.add_item("volumes", &source.whole());
            }
            continue;
        }
        if seen.contains(&mount.name.as_str()) {
            block.leave(format!(
                "the mount of {} at {}: it is mounted already",
                said(&mount.name),
                said(&mount.path)
            ));
            continue;
        }
        seen.push(&mount.name);
        one(mount, volumes, block, around, None);
    }
}

/// Writes the mounts of another container. A volume that the main container does not mount it then has as well.
pub(super) fn put_others(
    mounts: &[Mount],
    of_main: &[Mount],
    volumes: &[Source],
    extra: &mut Block,
    block: &mut Block,
    around: &Around,
) {
    let mut inner = Block::plain("mounts");
    for mount in mounts {
        if !mount.rest.is_empty() {
            let rest = mount.rest.fields("volumeMounts").join(", ");
            inner.leave(format!("the mount at {}: {rest}", said(&mount.path)));
            continue;
        }
        let is_known = of_main
            .iter()
            .any(|known| known.name == mount.name && known.rest.is_empty());
        let note = "another container mounts it: bz gives it to the main one too";
        if is_known || one(mount, volumes, block, around, Some(note)) {
            inner.put_key(&mount.name, Value::text(&mount.path));
        }
    }
    extra.put_block(inner);
}

/// Writes one volume. `false` if a program cannot say it.
fn one(
    mount: &Mount,
    volumes: &[Source],
    block: &mut Block,
    around: &Around,
    note: Option<&str>,
) -> bool {
    let at = format!("the volume {} at {}", said(&mount.name), said(&mount.path));
    if !mount.rest.is_empty() {
        block.leave(format!(
            "{at}: {}",
            mount.rest.fields("volumeMounts").join(", ")
        ));
        return false;
    }
    let source = volumes.iter().find(|source| source.name == mount.name);
    let (Some(source), Some(name)) = (source, Name::of(&mount.name)) else {
        block.leave(format!("{at}: no volume is called so"));
        return false;
    };
    let mut volume = Block::named("volume", &name, "");
    if let Some(note) = note {
        volume.note(note);
    }
    volume.put("path", Value::text(&mount.path));
    let mut data = source.data.clone();
    let is_said = match source.is_template {
        true => claim(&mut data, &mut volume),
        false => source_of(&mut data, &mut volume, around),
    };
    let left = data.fields("volumes");
    if !is_said || !left.is_empty() {
        block.leave(format!(
            "{at}: {}",
            match left.is_empty() {
                true => "bz has no such volume".to_owned(),
                false => left.join(", "),
            }
        ));
    }
    if !is_said {
        return false;
    }
    if mount.read_only {
        volume.put("read-only", Value::fixed("true"));
    }
    block.put_block(volume);
    true
}

/// A template of a claim.
fn claim(data: &mut Data, volume: &mut Block) -> bool {
    let storage = data.take_text(&["spec", "resources", "requests", "storage"]);
    let Some(n) = storage.as_deref().and_then(bytes) else {
        return false;
    };
    volume.put("storage", Value::memory(n));
    if let Some(class) = data.take_text(&["spec", "storageClassName"]) {
        volume.put("class", Value::word(&class));
    }
    let modes = data.at(&["spec", "accessModes"]).and_then(Data::texts);
    if modes.is_none_or(|modes| modes == ["ReadWriteOnce"]) {
        data.take_at(&["spec", "accessModes"]);
    }
    if data.text_at(&["spec", "volumeMode"]) == Some("Filesystem") {
        data.take_at(&["spec", "volumeMode"]);
    }
    true
}

/// A volume of the pod.
fn source_of(data: &mut Data, volume: &mut Block, around: &Around) -> bool {
    // The API server puts it in where nothing is written.
    for kind in ["configMap", "secret"] {
        if matches!(data.text_at(&[kind, "defaultMode"]), Some("420" | "0644")) {
            data.take_at(&[kind, "defaultMode"]);
        }
    }
    if data.text_at(&["hostPath", "type"]) == Some("") {
        data.take_at(&["hostPath", "type"]);
    }
    if data.at(&["emptyDir"]).is_some() {
        let size = data.take_text(&["emptyDir", "sizeLimit"]);
        let size = size.as_deref().and_then(bytes);
        let in_memory = data.take_text(&["emptyDir", "medium"]).as_deref() == Some("Memory");
        data.take("emptyDir");
        match (in_memory, size) {
            (true, Some(n)) => volume.put("memory", Value::memory(n)),
            (false, Some(n)) => volume.put("disk", Value::memory(n)),
            (in_memory, None) => {
                let was = if in_memory { "in memory, " } else { "" };
                volume.put_noted(
                    "disk",
                    Value::memory(UNSIZED),
                    format!("{was}without a size: put it in"),
                );
            }
        }
        return true;
    }
    let config = data.text_at(&["configMap", "name"]);
    let is_known = config.is_some_and(|config| around.configs.contains_key(config));
    let fields: [(&[&str], &'static str, bool); 4] = [
        (&["configMap", "name"], "config", is_known),
        (&["secret", "secretName"], "secret", true),
        (&["persistentVolumeClaim", "claimName"], "claim", true),
        (&["hostPath", "path"], "host", true),
    ];
    for (path, field, is_possible) in fields {
        let Some(text) = data
            .text_at(path)
            .map(str::to_owned)
            .filter(|_| is_possible)
        else {
            continue;
        };
        // Files by other names, or not all of them, bz cannot say.
        if path
            .first()
            .is_some_and(|kind| data.at(&[kind, "items"]).is_some())
        {
            return false;
        }
        data.take_at(path);
        match field {
            "host" => volume.put(field, Value::text(&text)),
            _ => volume.put(field, Value::word(&text)),
        }
        return true;
    }
    false
}
