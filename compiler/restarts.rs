//! What starts again when an output is applied: from the files of a build before and after, the workloads whose pods are
//! replaced, the objects that Kubernetes does not change in place, those that are no longer made, and the nodes whose K3s
//! must restart, for it reads its configuration only when it starts.
//!
//! A Deployment, StatefulSet or DaemonSet replaces its pods when its pod template changes in anything. Templates are
//! compared as data: a comment restarts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::str;

use serde::Serialize;

use crate::base::text::few;
use crate::manifest::data::Data;
use crate::manifest::tree::{MOST_NODES, parse};

/// A file of the output before and after. A manifest that is changed in place counts as `adopted/PATH`.
#[derive(Debug, Clone, Copy)]
pub struct FileChange<'f> {
    /// Its path below the output folder.
    pub path: &'f str,
    /// What it had; none if it is new.
    pub old: Option<&'f [u8]>,
    /// What it has; none if it is no longer made.
    pub new: Option<&'f [u8]>,
}

/// An object in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Object {
    /// Its namespace, where its manifest says one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its API group; empty for Kubernetes' first.
    pub group: String,
}

/// What starts again, each list sorted.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Restarts {
    /// Workloads whose pods are replaced by new ones.
    pub workloads: BTreeSet<Object>,
    /// Nodes, as the program calls them, whose K3s must restart.
    pub k3s: BTreeSet<String>,
    /// Objects of which Kubernetes refuses the change: they are deleted first, and made again.
    pub replaced: BTreeSet<Object>,
    /// Objects that are no longer made. Nothing removes them by itself.
    pub gone: BTreeSet<Object>,
    /// Changed objects of other API groups: what their operators restart is not known.
    pub operators: BTreeSet<Object>,
    /// Files that are no YAML, before or after: what they restart is not known.
    pub unread: BTreeSet<String>,
}

/// Fields of a Job that Kubernetes does not change (pkg/apis/batch/validation, `ValidateJobSpecUpdate`).
const OF_A_JOB: [&str; 8] = [
    "backoffLimitPerIndex",
    "completionMode",
    "completions",
    "managedBy",
    "podFailurePolicy",
    "selector",
    "successPolicy",
    "template",
];
/// Those of a StatefulSet (pkg/apis/apps/validation, `ValidateStatefulSetUpdate`).
const OF_A_STATEFUL_SET: [&str; 4] = [
    "podManagementPolicy",
    "selector",
    "serviceName",
    "volumeClaimTemplates",
];

/// Where a file of the output goes.
enum Place<'f> {
    /// To the configuration of K3s on a node.
    Config(&'f str),
    /// Next to it, where K3s or systemd reads it for K3s.
    BesideConfig(&'f str),
    /// To the cluster, by K3s.
    Packaged,
    /// To the cluster, by kubectl.
    Own,
    /// To the cluster, and others wrote it.
    Adopted,
    /// Over an object of others.
    Patch,
    /// Nowhere.
    Stays,
}

fn place(path: &str) -> Place<'_> {
    let (first, rest) = path.split_once('/').unwrap_or(("", path));
    match (first, rest) {
        (_, "kustomization.yaml") => Place::Stays,
        ("k3s", rest) => match rest.split_once('/') {
            Some((_, file)) if file.starts_with("manifests/") => Place::Packaged,
            Some((node, "config.yaml")) => Place::Config(node),
            Some((node, _)) => Place::BesideConfig(node),
            None => Place::Stays,
        },
        ("manifests", _) => Place::Own,
        ("adopted", _) => Place::Adopted,
        ("patches", rest) if rest.starts_with("originals/") => Place::Adopted,
        ("patches", _) => Place::Patch,
        _ => Place::Stays,
    }
}

/// The lines of a file that are no comments, none of one that is not there.
fn without_comments(text: Option<&[u8]>) -> Vec<&[u8]> {
    let lines = text.unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"#")).collect()
}

/// Objects by what they are known by.
type Objects = BTreeMap<Object, Data>;

/// Compares what a build changes with what it was.
pub fn restarts<'f>(files: impl IntoIterator<Item = FileChange<'f>>) -> Restarts {
    let mut found = Restarts::default();
    let (mut before, mut after) = (Objects::new(), Objects::new());
    let mut made_before = BTreeSet::new();
    let (mut beside, mut new_nodes) = (BTreeSet::new(), BTreeSet::new());
    for FileChange { path, old, new } in files {
        let place = place(path);
        if let Place::Stays = place {
            continue;
        }
        if let Place::BesideConfig(node) = place {
            if without_comments(old) != without_comments(new) {
                beside.insert(node);
            }
            continue;
        }
        let (Some(was), Some(is)) = (documents(old), documents(new)) else {
            found.unread.insert(path.to_owned());
            continue;
        };
        if let Place::Config(node) = place {
            match old {
                Some(_) if same_lists(&was, &is) => {}
                Some(_) => _ = found.k3s.insert(node.to_owned()),
                None => _ = new_nodes.insert(node),
            }
            continue;
        }
        let (mut old, mut new) = (Objects::new(), Objects::new());
        was.into_iter().for_each(|object| put(object, &mut old));
        is.into_iter().for_each(|object| put(object, &mut new));
        match place {
            Place::Patch => {
                found.patched(&old, &new);
                continue;
            }
            Place::Own => made_before.extend(old.keys().cloned()),
            Place::Config(_)
            | Place::BesideConfig(_)
            | Place::Packaged
            | Place::Adopted
            | Place::Stays => {}
        }
        before.append(&mut old);
        after.append(&mut new);
    }
    // On a new node nothing has started yet.
    let again = beside.difference(&new_nodes);
    found.k3s.extend(again.map(|node| (*node).to_owned()));
    for (object, new) in &after {
        if let Some(old) = before.get(object) {
            found.changed(object, old, new);
        }
    }
    let gone = made_before.into_iter();
    found.gone = gone.filter(|one| !after.contains_key(one)).collect();
    found
}

/// The documents of a file; none where it is no YAML.
fn documents(bytes: Option<&[u8]>) -> Option<Vec<Data>> {
    let text = str::from_utf8(bytes.unwrap_or_default()).ok()?;
    let tree = parse(text, MOST_NODES).ok()?;
    Data::documents(&tree, text)
}

/// Puts an object, or those of a list of objects, under what it is known by. What has no name is left out: it is made anew
/// each time.
fn put(data: Data, all: &mut Objects) {
    let Some(kind) = data.text_at(&["kind"]).map(str::to_owned) else {
        return;
    };
    if let (true, Some(items)) = (kind.ends_with("List"), data.at(&["items"])) {
        items.items().iter().for_each(|item| put(item.clone(), all));
        return;
    }
    let metadata = |key: &str| data.text_at(&["metadata", key]).map(str::to_owned);
    let version = data.text_at(&["apiVersion"]).unwrap_or_default();
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let Some(name) = metadata("name") else {
        return;
    };
    let object = Object {
        namespace: metadata("namespace"),
        name,
        kind,
        group: group.to_owned(),
    };
    all.insert(object, data);
}

impl Restarts {
    /// Whether nothing starts again, and nothing is to be deleted.
    pub fn is_empty(&self) -> bool {
        *self == Restarts::default()
    }

    /// What a changed object means.
    fn changed(&mut self, object: &Object, old: &Data, new: &Data) {
        let differs = |keys: &[&str]| {
            let of = |data| Data::at(data, keys);
            !same_if_any(of(old), of(new))
        };
        let in_any = |keys: &[&str]| keys.iter().any(|key| differs(&["spec", key]));
        let replaced = match (object.group.as_str(), object.kind.as_str()) {
            ("apps", "StatefulSet") => in_any(&OF_A_STATEFUL_SET),
            ("apps", "Deployment" | "DaemonSet") => in_any(&["selector"]),
            ("batch", "Job") => in_any(&OF_A_JOB),
            ("", "Pod") => differs(&["spec"]),
            (group, _) if is_of_others(group) => {
                if !same(old, new) {
                    self.operators.insert(object.clone());
                }
                false
            }
            _ => false,
        };
        if replaced {
            self.replaced.insert(object.clone());
        } else if object.rolls() && differs(&["spec", "template"]) {
            self.workloads.insert(object.clone());
        }
    }

    /// What a patch over an object of others means: one that comes or goes changes the object as well.
    fn patched(&mut self, old: &Objects, new: &Objects) {
        for object in old.keys().chain(new.keys()) {
            let template = |all: &Objects| all.get(object)?.at(&["spec", "template"]).cloned();
            if object.rolls() && !same_if_any(template(old).as_ref(), template(new).as_ref()) {
                self.workloads.insert(object.clone());
            }
            if is_of_others(&object.group) {
                self.operators.insert(object.clone());
            }
        }
    }

    /// The same in words, a line each thing, for people. Objects in the namespace `home` are called by their names alone;
    /// no more than `most` are named in a line.
    pub fn lines(&self, home: &str, most: usize) -> Vec<String> {
        let named = |objects: &BTreeSet<Object>, with_kind: bool| {
            let shown = objects.iter().map(|object| object.shown(home, with_kind));
            few(&shown.collect::<Vec<_>>(), most)
        };
        let mut first = Vec::new();
        if !self.workloads.is_empty() {
            first.push(format!("restarts {}", named(&self.workloads, false)));
        }
        if !self.k3s.is_empty() {
            let nodes = few(&self.k3s.iter().collect::<Vec<_>>(), most);
            first.push(format!("K3s on {nodes} must restart"));
        }
        let mut lines = Vec::new();
        if !first.is_empty() {
            lines.push(first.join("; "));
        }
        let mut line = |what: &str, names: String| lines.push(format!("{what}: {names}"));
        if !self.replaced.is_empty() {
            let names = named(&self.replaced, true);
            line(
                "Kubernetes does not change these, they are made anew",
                names,
            );
        }
        if !self.gone.is_empty() {
            let names = named(&self.gone, true);
            line(
                "no longer made, and in the cluster until they are deleted",
                names,
            );
        }
        if !self.operators.is_empty() {
            let names = named(&self.operators, true);
            line("what their operators restart is not known", names);
        }
        if !self.unread.is_empty() {
            let names = few(&self.unread.iter().collect::<Vec<_>>(), most);
            line(
                "what these files restart is not known, they are no YAML",
                names,
            );
        }
        lines
    }

    /// The same as one line of JSON, with the program it is about.
    ///
    /// # Errors
    ///
    /// None that can happen: all is text.
    pub fn json(&self, program: &str) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Line<'l> {
            program: &'l str,
            #[serde(flatten)]
            restarts: &'l Restarts,
        }
        serde_json::to_string(&Line {
            program,
            restarts: self,
        })
    }
}

impl Object {
    /// Whether its pods are replaced when their template changes.
    fn rolls(&self) -> bool {
        let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
        self.group == "apps" && kinds.contains(&self.kind.as_str())
    }

    fn shown(&self, home: &str, with_kind: bool) -> String {
        let kind = match with_kind {
            true => format!("{} ", self.kind),
            false => String::new(),
        };
        match self
            .namespace
            .as_deref()
            .filter(|namespace| *namespace != home)
        {
            Some(namespace) => format!("{kind}{namespace}/{}", self.name),
            None => format!("{kind}{}", self.name),
        }
    }
}

/// Whether an API group is not of Kubernetes.
fn is_of_others(group: &str) -> bool {
    group.contains('.') && !group.ends_with(".k8s.io")
}

fn same_if_any(one: Option<&Data>, other: Option<&Data>) -> bool {
    let is_there = |data: &&Data| **data != Data::Null;
    match (one.filter(is_there), other.filter(is_there)) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn same_lists(one: &[Data], other: &[Data]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
}

/// Whether two values mean the same: the order of keys does not matter, nor quotes around what is a text anyway.
fn same(one: &Data, other: &Data) -> bool {
    match (one, other) {
        (Data::Text(one, plain), Data::Text(other, also)) => {
            one == other && (plain == also || !may_be_no_text(one))
        }
        (Data::List(one), Data::List(other)) => same_lists(one, other),
        (Data::Map(one), Data::Map(other)) => {
            let count = |entries: &[(String, Data)]| {
                let there = entries.iter().filter(|(_, value)| *value != Data::Null);
                there.count()
            };
            let other: BTreeMap<&str, &Data> = {
                let entries = other.iter();
                entries.map(|(key, value)| (key.as_str(), value)).collect()
            };
            count(one)
                == other
                    .values()
                    .filter(|value| ***value != Data::Null)
                    .count()
                && one
                    .iter()
                    .all(|(key, value)| same_if_any(Some(value), other.get(key.as_str()).copied()))
        }
        (Data::Null, Data::Null) => true,
        _ => false,
    }
}

/// Whether a scalar without quotes could be a number or a truth value.
fn may_be_no_text(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        || words.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{FileChange, Restarts, restarts};

    fn deployment(name: &str, limit: &str) -> String {
        format!(
            "# a comment\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: apps\nspec:\n  replicas: 1\n  \
             template:\n    spec:\n      containers:\n      - name: {name}\n        resources: {{limits: {{memory: {limit}}}}}\n"
        )
    }

    fn said(files: &[(&str, Option<&str>, Option<&str>)]) -> Vec<String> {
        found(files).lines("apps", 3)
    }

    fn found(files: &[(&str, Option<&str>, Option<&str>)]) -> Restarts {
        restarts(files.iter().map(|(path, old, new)| FileChange {
            path,
            old: old.map(str::as_bytes),
            new: new.map(str::as_bytes),
        }))
    }

    #[test]
    fn a_changed_template_restarts_and_a_comment_does_not() {
        let (small, large) = (deployment("api", "48Mi"), deployment("api", "64Mi"));
        let path = "manifests/api.yaml";
        assert_eq!(
            said(&[(path, Some(&small), Some(&large))]),
            ["restarts api"]
        );
        let commented = small.replace("a comment", "another");
        assert!(said(&[(path, Some(&small), Some(&commented))]).is_empty());
        let more = small.replace("replicas: 1", "replicas: 2");
        assert!(said(&[(path, Some(&small), Some(&more))]).is_empty());
        let quoted = small.replace("48Mi", "\"48Mi\"");
        // `48Mi` begins like a number, so the two are not taken for one.
        assert_eq!(
            said(&[(path, Some(&small), Some(&quoted))]),
            ["restarts api"]
        );
        let quoted = small.replace("- name: api", "- name: \"api\"");
        assert!(said(&[(path, Some(&small), Some(&quoted))]).is_empty());
        // New ones start, and restart nothing.
        assert!(said(&[(path, None, Some(&small))]).is_empty());
    }

    #[test]
    fn what_is_gone_is_named_unless_it_moved_or_others_wrote_it() {
        let api = deployment("api", "48Mi");
        let gone = ["no longer made, and in the cluster until they are deleted: Deployment api"];
        assert_eq!(said(&[("manifests/api.yaml", Some(&api), None)]), gone);
        let moved = ("adopted/k8s/api.yaml", None, Some(api.as_str()));
        assert!(said(&[("manifests/api.yaml", Some(&api), None), moved]).is_empty());
        assert!(said(&[("adopted/k8s/api.yaml", Some(&api), None)]).is_empty());
    }

    #[test]
    fn k3s_restarts_for_its_configuration_and_not_for_its_manifests() {
        let config = ("k3s/vps/config.yaml", Some("a: 1\n"), Some("a: 2\n"));
        let same = ("k3s/pi/config.yaml", Some("a: 1\n"), Some("# why\na: 1\n"));
        let new = ("k3s/new/config.yaml", None, Some("a: 1\n"));
        assert_eq!(said(&[config, same, new]), ["K3s on vps must restart"]);
        let (old, new) = (deployment("coredns", "64Mi"), deployment("coredns", "80Mi"));
        let (old, new) = (
            old.replace("apps\n", "kube-system\n"),
            new.replace("apps\n", "kube-system\n"),
        );
        let packaged = (
            "k3s/vps/manifests/coredns.bzc.yaml",
            Some(old.as_str()),
            Some(new.as_str()),
        );
        assert_eq!(
            said(&[config, packaged]),
            ["restarts kube-system/coredns; K3s on vps must restart"]
        );
    }

    #[test]
    fn patches_that_come_and_go_restart_what_they_lie_over() {
        let patch = deployment("web", "48Mi");
        let path = "patches/web.yaml";
        assert_eq!(said(&[(path, None, Some(&patch))]), ["restarts web"]);
        assert_eq!(said(&[(path, Some(&patch), None)]), ["restarts web"]);
        assert!(said(&[(path, Some(&patch), Some(&patch))]).is_empty());
    }

    #[test]
    fn what_kubernetes_does_not_change_is_made_anew() {
        let job = |limit: &str| {
            let text = deployment("load", limit);
            text.replace("apps/v1", "batch/v1")
                .replace("Deployment", "Job")
        };
        let (small, large) = (job("48Mi"), job("64Mi"));
        let line = ["Kubernetes does not change these, they are made anew: Job load"];
        assert_eq!(
            said(&[("manifests/load.yaml", Some(&small), Some(&large))]),
            line
        );
    }

    #[test]
    fn lists_and_other_kinds_are_read_too() {
        let list = |limit: &str| {
            let object = deployment("web", limit).replace('\n', "\n  ");
            format!(
                "apiVersion: v1\nkind: List\nitems:\n- {}\n",
                object.trim_end().trim_start_matches("# a comment\n  ")
            )
        };
        let (small, large) = (list("48Mi"), list("64Mi"));
        assert_eq!(
            said(&[("adopted/all.yaml", Some(&small), Some(&large))]),
            ["restarts web"]
        );
        let cluster = |n: u8| {
            format!(
                "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {{name: db}}\nspec: {{n: {n}}}\n"
            )
        };
        let (old, new) = (cluster(1), cluster(2));
        assert_eq!(
            said(&[("adopted/db.yaml", Some(&old), Some(&new))]),
            ["what their operators restart is not known: Cluster db"]
        );
        let bad = ("adopted/x.yaml", Some("a: [\n"), Some("a: 1\n"));
        assert_eq!(found(&[bad]).unread.len(), 1);
    }

    #[test]
    fn long_lists_are_cut() {
        let texts: Vec<(String, String, String)> = (0..5)
            .map(|n| {
                let name = format!("s{n}");
                (
                    format!("manifests/{name}.yaml"),
                    deployment(&name, "1Mi"),
                    deployment(&name, "2Mi"),
                )
            })
            .collect();
        let files: Vec<_> = texts
            .iter()
            .map(|(path, old, new)| (path.as_str(), Some(old.as_str()), Some(new.as_str())))
            .collect();
        assert_eq!(said(&files), ["restarts s0, s1, s2 and 2 more"]);
        let json = found(&files).json("budget.bz").expect("text");
        assert!(
            json.starts_with(
                "{\"program\":\"budget.bz\",\"workloads\":[{\"namespace\":\"apps\",\"name\":\"s0\""
            ),
            "{json}"
        );
    }
}
