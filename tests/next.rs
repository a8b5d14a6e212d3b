//! What `build --next` says, run by a shell: commands that stand in for docker, k3s, kubectl and their like get what they
//! must. Of every example and every golden, each file for a node has come to its place there, each built image to the nodes
//! or a registry, and each object to kubectl, once; K3s restarts behind all that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_yaml::Value;

use crate::golden::{examples, goldens};
use crate::support::corpus;

/// A program that was built, and where its steps put things.
struct Run {
    folder: PathBuf,
    /// A folder a node, as the stand-ins write it.
    root: PathBuf,
    /// The lines that were run.
    steps: Vec<String>,
    /// What docker, kubectl and systemctl were called with, in order.
    log: Vec<String>,
}

/// Builds a program in a copy of its folder and runs what comes next.
fn run(folder: &Path, program: &str, home: &Path) -> Run {
    let (copy, root) = (home.join("project"), home.join("root"));
    for path in corpus::files(folder) {
        let below = corpus::below(&path, folder);
        if !below.starts_with("out/") && !below.starts_with("expected") {
            corpus::write(&copy.join(&below), &corpus::bytes(&path));
        }
    }
    let built = Command::new(env!("CARGO_BIN_EXE_bzc"))
        .args(["build", "--next", "--offline", program])
        .current_dir(&copy)
        .output()
        .expect("bzc starts");
    let said = String::from_utf8_lossy(&built.stdout).into_owned();
    assert!(
        built.status.success(),
        "{}: {}",
        corpus::shown(folder),
        String::from_utf8_lossy(&built.stderr)
    );
    let steps: Vec<String> = said
        .lines()
        .skip_while(|line| *line != "next, in this order:")
        .skip(1)
        .map(|line| line.trim().to_owned())
        .collect();
    corpus::write(&root.join("log"), b"");
    let path = format!(
        "{}:/usr/bin:/bin",
        corpus::root().join("tests/next/bin").display()
    );
    let shell = Command::new("sh")
        .args(["-e", "-c", &steps.join("\n")])
        .current_dir(&copy)
        .env("PATH", path)
        .env("ROOT", &root)
        .env("NODE", "here")
        .output()
        .expect("a shell");
    assert!(
        shell.status.success() && shell.stderr.is_empty(),
        "{}: {}\n{said}",
        corpus::shown(folder),
        String::from_utf8_lossy(&shell.stderr)
    );
    Run {
        log: corpus::text(&root.join("log"))
            .lines()
            .map(str::to_owned)
            .collect(),
        folder: copy,
        root,
        steps,
    }
}

impl Run {
    /// The folder of a node: that of the host to which its configuration goes, or of the machine itself.
    fn node(&self, name: &str) -> PathBuf {
        let config = format!("out/k3s/{name}/config.yaml");
        let step = self.steps.iter().find(|line| line.contains(&config));
        let host = step.and_then(|line| line.strip_prefix("ssh ")?.split(' ').next());
        self.root.join(host.unwrap_or("here"))
    }

    /// Every file of a node is in K3s's folders there, byte for byte, and K3s has restarted behind all else.
    fn nodes(&self, faults: &mut Vec<String>) {
        let out = self.folder.join("out/k3s");
        for node in corpus::folders(&out) {
            let name = corpus::below(&node, &out);
            let there = self.node(&name);
            for file in corpus::files(&node) {
                let below = corpus::below(&file, &node);
                let target = match below.strip_prefix("manifests/") {
                    Some(name) => format!("var/lib/rancher/k3s/server/manifests/{name}"),
                    None if below.ends_with(".conf") => format!("etc/systemd/system/{below}"),
                    None => format!("etc/rancher/k3s/{below}"),
                };
                let target = there.join(target);
                if !target.is_file() || corpus::bytes(&target) != corpus::bytes(&file) {
                    faults.push(format!(
                        "{name}: {below} has not come to {}",
                        target.display()
                    ));
                }
            }
        }
        let restarts = self
            .log
            .iter()
            .filter(|line| line.starts_with("systemctl ") && line.contains(" restart "))
            .count();
        if restarts != corpus::folders(&out).len() {
            faults.push(format!("{restarts} restarts of K3s"));
        }
        let last = self
            .log
            .iter()
            .rposition(|line| !line.starts_with("systemctl "));
        let first = self
            .log
            .iter()
            .position(|line| line.starts_with("systemctl "));
        if first < last {
            faults.push("K3s restarts before all is applied".to_owned());
        }
    }

    /// The command line that is said for a node has what its configuration has.
    fn flags(&self, faults: &mut Vec<String>) {
        let out = self.folder.join("out/k3s");
        for node in corpus::folders(&out) {
            let name = corpus::below(&node, &out);
            let begins = format!("# {name} without config.yaml: k3s ");
            let line = self
                .steps
                .iter()
                .find_map(|line| line.strip_prefix(&begins));
            let line = line
                .and_then(|line| line.split_once(' '))
                .unwrap_or_default()
                .1;
            let words = Command::new("sh")
                .args(["-c", &format!("printf '%s\\n' {line}")])
                .output()
                .expect("a shell");
            let words = String::from_utf8_lossy(&words.stdout).into_owned();
            let said: Vec<&str> = words.lines().filter(|word| !word.is_empty()).collect();
            let config = corpus::text(&node.join("config.yaml"));
            let config: Value = serde_yaml::from_str(&config).expect("YAML");
            let scalar = |value: &Value| match value {
                Value::String(text) => text.clone(),
                other => serde_json::to_string(other).unwrap_or_default(),
            };
            let mut wanted = Vec::new();
            for (key, value) in config.as_mapping().into_iter().flatten() {
                let key = key.as_str().unwrap_or_default();
                match value {
                    Value::Sequence(items) => {
                        wanted.extend(items.iter().map(|item| format!("--{key}={}", scalar(item))));
                    }
                    value => wanted.push(format!("--{key}={}", scalar(value))),
                }
            }
            if said != wanted {
                faults.push(format!(
                    "{name}: flags are {said:?}, config.yaml has {wanted:?}"
                ));
            }
        }
    }

    /// Every image that bzc has a Dockerfile for and that something runs was built, and pushed or brought to a node.
    fn images(&self, faults: &mut Vec<String>) {
        let Some(bake) = corpus::text_if_any(&self.folder.join("out/images/docker-bake.hcl"))
        else {
            return;
        };
        let tags = bake
            .lines()
            .filter_map(|line| line.trim().strip_prefix("tags")?.split('"').nth(1));
        let tags: BTreeSet<&str> = tags.collect();
        let manifests = corpus::files(&self.folder.join("out/manifests"));
        let texts: Vec<String> = manifests.iter().map(|path| corpus::text(path)).collect();
        let runs = |tag: &str| {
            let mut lines = texts.iter().flat_map(|text| text.lines());
            lines.any(|line| {
                line.trim_start_matches([' ', '-'])
                    .strip_prefix("image: ")
                    .is_some_and(|image| image.trim_matches('"') == tag)
            })
        };
        let lists = corpus::files(&self.root)
            .into_iter()
            .filter(|path| path.ends_with("images"));
        let imported: String = lists.map(|path| corpus::text(&path)).collect();
        for tag in tags.into_iter().filter(|tag| runs(tag)) {
            let how = match tag.contains('/') {
                true => "--push",
                false => "--load",
            };
            if !self
                .log
                .iter()
                .any(|line| line.starts_with("bake ") && line.contains(how))
            {
                faults.push(format!("{tag} was not built with {how}"));
            }
            if how == "--load" && !imported.lines().any(|line| line == tag) {
                faults.push(format!("{tag} came to no node"));
            }
        }
    }

    /// Every file of objects was applied once: by the kustomization, or by itself.
    fn objects(&self, faults: &mut Vec<String>) {
        let mut given: Vec<PathBuf> = Vec::new();
        let mut folders = BTreeSet::new();
        for line in self
            .log
            .iter()
            .filter(|line| line.starts_with("kubectl apply") || line.starts_with("kubectl create"))
        {
            let words: Vec<&str> = line.split(' ').collect();
            for pair in words.windows(2) {
                match pair {
                    ["-k", folder] if folders.insert((*folder).to_owned()) => {
                        self.reached(&self.folder.join(folder), &mut given, faults)
                    }
                    ["--filename", file] => given.push(self.folder.join(file)),
                    _ => {}
                }
            }
        }
        let out = self.folder.join("out");
        let by_helm = self
            .steps
            .iter()
            .any(|line| line.starts_with("# helm upgrade"));
        for path in corpus::files(&out) {
            let below = corpus::below(&path, &out);
            let first = below.split('/').next().unwrap_or_default();
            let is_part = below.ends_with("kustomization.yaml")
                || (first == "patches" && (by_helm || !below.contains("/originals/")));
            if !["manifests", "adopted", "patches"].contains(&first)
                || is_part
                || !has_objects(&path)
            {
                continue;
            }
            match given.iter().filter(|one| **one == path).count() {
                1 => {}
                n => faults.push(format!("{below} was applied {n} times")),
            }
        }
    }

    /// The files that a kustomization takes.
    fn reached(&self, folder: &Path, given: &mut Vec<PathBuf>, faults: &mut Vec<String>) {
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let Some(text) = names
            .iter()
            .find_map(|name| corpus::text_if_any(&folder.join(name)))
        else {
            faults.push(format!("{} is no kustomization", folder.display()));
            return;
        };
        let file: Value = serde_yaml::from_str(&text).expect("YAML");
        for resource in file["resources"].as_sequence().into_iter().flatten() {
            let path = folder.join(resource.as_str().unwrap_or_default());
            match (path.is_dir(), path.is_file()) {
                (true, _)
                    if path.starts_with(self.folder.join("out"))
                        && !path.to_string_lossy().contains("..") =>
                {
                    self.reached(&path, given, faults)
                }
                // A kustomization of the project: what it makes is its own affair.
                (true, _) => {}
                (_, true) => given.push(path),
                _ => faults.push(format!("{} is not there", path.display())),
            }
        }
    }
}

/// Whether a file has an object in it.
fn has_objects(path: &Path) -> bool {
    let text = corpus::text(path);
    let objects = serde_yaml::Deserializer::from_str(&text);
    let mut values = objects
        .map(|object| <Value as serde::Deserialize>::deserialize(object).unwrap_or(Value::Null));
    values.any(|object| object.get("kind").is_some() && object.get("apiVersion").is_some())
}

#[cfg(unix)]
#[test]
fn what_comes_next_runs_and_brings_everything_where_it_belongs() {
    let mut faults = Vec::new();
    let mut cases = examples();
    cases.extend(goldens());
    let mut several = 0;
    for case in &cases {
        let home = tempfile::tempdir().expect("a temporary folder");
        let ran = run(&case.folder, case.program, home.path());
        let mut found = Vec::new();
        ran.nodes(&mut found);
        ran.flags(&mut found);
        ran.images(&mut found);
        ran.objects(&mut found);
        several += usize::from(ran.steps.iter().any(|line| line.starts_with("ssh ")));
        let name = corpus::shown(&case.folder);
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("{name}: {fault}\n  {}", ran.steps.join("\n  "))),
        );
    }
    assert!(several >= 3, "no case has several nodes");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
