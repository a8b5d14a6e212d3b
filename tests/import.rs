//! What `bzc import` makes of the files of others. `import/<case>/in/` is a folder that is imported whole; beside it are
//! the program that comes out, `budget.bz`, and what it leaves out, `left-out.txt`. Every program compiles, or does not
//! fit. With a file `declare` there, the workloads of its manifests are declared.

use std::collections::BTreeMap;
use std::path::Path;

use bzc::{Manifests, MemoryWorld, Source};
use serde::Deserialize as _;
use serde_yaml::Value;

use crate::support::{bless, check, compile, corpus, said};

/// A case: its files as a world, and as what is to be imported.
fn read(folder: &Path) -> (MemoryWorld, Vec<Source>) {
    let (mut world, mut sources) = (MemoryWorld::default(), Vec::new());
    let inside = folder.join("in");
    for file in corpus::files(&inside) {
        let (path, bytes) = (corpus::below(&file, &inside), corpus::bytes(&file));
        world.insert(path.clone(), bytes.clone());
        let is_wanted = ["yaml", "yml", "json", "env"]
            .iter()
            .any(|ending| path.ends_with(&format!(".{ending}")));
        if is_wanted {
            sources.push(Source {
                name: path.clone(),
                path: Some(path),
                bytes,
                is_named: false,
            });
        }
    }
    (world, sources)
}

/// One file of that name and text.
fn one(name: &str, text: &str) -> (MemoryWorld, Vec<Source>) {
    let source = Source {
        name: name.to_owned(),
        path: Some(name.to_owned()),
        bytes: text.as_bytes().to_vec(),
        is_named: true,
    };
    (MemoryWorld::with(name, text), vec![source])
}

/// That a program compiles, errors of not fitting aside, and is in canonical form.
fn assert_compiles(world: &MemoryWorld, program: &str, what: &str) {
    let compilation = check(world, "budget.bz", program, None);
    let mut errors = compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error());
    assert!(
        errors.all(|found| found.id.starts_with("BZ4")),
        "{what}:\n{}\n{program}",
        said(&compilation)
    );
    assert_eq!(bzc::format(program).as_deref(), Ok(program), "{what}");
}

#[test]
fn folders_come_in_as_written() {
    let top = corpus::root().join("tests/import");
    let mut came_out = BTreeMap::new();
    for folder in corpus::folders(&top) {
        let (world, sources) = read(&folder);
        let manifests = match folder.join("declare").is_file() {
            true => Manifests::Declare,
            false => Manifests::Adopt,
        };
        let imported = bzc::import(&world, sources, manifests).unwrap_or_else(|why| {
            unreachable!("{}: {why}", corpus::shown(&folder));
        });
        assert_compiles(&world, &imported.program, &corpus::shown(&folder));
        let left_out = imported.left_out.iter().map(|line| format!("{line}\n"));
        let left_out: String = left_out.collect();
        came_out.insert(folder.join("left-out.txt"), left_out.into_bytes());
        came_out.insert(folder.join("budget.bz"), imported.program.into_bytes());
    }
    assert!(came_out.len() >= 14, "the cases are gone");
    let there = bless::there(&top, |path| {
        path.ends_with("/budget.bz") || path.ends_with("/left-out.txt")
    });
    bless::settle(there, &came_out);
}

/// What bzc writes for a program says all of it: imported again it is the same program, but for comments.
#[test]
fn what_is_built_of_declarations_declares_the_same() {
    let folder = corpus::root().join("tests/import/declare");
    let (world, sources) = read(&folder);
    let first = bzc::import(&world, sources, Manifests::Declare).expect("it is YAML");
    let compilation = compile(&world, "budget.bz", &first.program, None);
    let Some(output) = &compilation.output else {
        unreachable!("{}\n{}", first.program, said(&compilation))
    };
    let built = output.files.iter();
    let built = built.filter(|(path, _)| path.starts_with("manifests/") && path.ends_with(".yaml"));
    let sources: Vec<Source> = built
        .map(|(path, bytes)| Source {
            name: path.clone(),
            path: None,
            bytes: bytes.clone(),
            is_named: false,
        })
        .collect();
    let second = bzc::import(&world, sources, Manifests::Declare).expect("it is YAML");
    assert_eq!(workloads(&second.program), workloads(&first.program));
}

/// What is built of declarations says what the manifests say: what it does not is written down in `lost.txt`, and all of
/// that is left out by name.
#[test]
fn declarations_say_what_the_manifests_say() {
    let top = corpus::root().join("tests/import");
    let mut came_out = BTreeMap::new();
    for folder in corpus::folders(&top) {
        if !folder.join("declare").is_file() {
            continue;
        }
        let (world, sources) = read(&folder);
        let mut manifests = Vec::new();
        for source in &sources {
            manifests.extend(objects(&source.bytes));
        }
        let imported = bzc::import(&world, sources, Manifests::Declare).expect("it is YAML");
        let program = imported.program.replace("3800Mi", "64Gi");
        let compilation = compile(&world, "budget.bz", &program, None);
        let Some(output) = &compilation.output else {
            unreachable!("{program}\n{}", said(&compilation))
        };
        let mut built = Vec::new();
        for (path, bytes) in &output.files {
            if path.starts_with("manifests/") && path.ends_with(".yaml") {
                built.extend(objects(bytes));
            }
        }
        let mut lost = String::new();
        for object in &manifests {
            let called = format!(
                "{} {}",
                word(object, "kind"),
                word(&object["metadata"], "name")
            );
            let same = |other: &&Value| {
                other["kind"] == object["kind"]
                    && other["metadata"]["name"] == object["metadata"]["name"]
            };
            match built.iter().find(same) {
                Some(other) => {
                    let mut paths = Vec::new();
                    missing("", object, other, &mut paths);
                    paths
                        .iter()
                        .for_each(|path| lost += &format!("{called}: {path}\n"));
                }
                None => lost += &format!("{called}\n"),
            }
        }
        came_out.insert(folder.join("lost.txt"), lost.into_bytes());
    }
    assert!(came_out.len() >= 2, "the cases are gone");
    let there = bless::there(&top, |path| path.ends_with("/lost.txt"));
    bless::settle(there, &came_out);
}

/// The documents of a file.
fn objects(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    let documents = serde_yaml::Deserializer::from_str(&text);
    let documents = documents.map(|one| Value::deserialize(one).expect("YAML"));
    documents.filter(|one| one["kind"].is_string()).collect()
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The paths of what is in the first and not in the second. Items of lists are found by what names them.
fn missing(path: &str, was: &Value, is: &Value, out: &mut Vec<String>) {
    // A selector and the labels it looks for are those of bzc, whose names follow from those of the program.
    if path == ".spec.selector" || path == ".spec.serviceName" || path == ".status" {
        return;
    }
    match (was, is) {
        (Value::Mapping(was), Value::Mapping(_)) => {
            for (key, value) in was {
                let key = key.as_str().unwrap_or_default();
                missing(&format!("{path}.{key}"), value, &is[key], out);
            }
        }
        (Value::Sequence(was), Value::Sequence(is)) => {
            for item in was {
                let keys = [
                    "mountPath",
                    "name",
                    "containerPort",
                    "port",
                    "key",
                    "host",
                    "ip",
                ];
                let by = keys.iter().find(|key| !item[**key].is_null());
                let other = is.iter().find(|other| match by {
                    Some(key) => other[*key] == item[*key],
                    None => *other == item,
                });
                let called = by.map_or_else(|| "-".to_owned(), |key| format!("{:?}", item[*key]));
                match other {
                    Some(other) => missing(&format!("{path}[{called}]"), item, other, out),
                    None => out.push(format!("{path}[{called}]")),
                }
            }
        }
        (was, is) if was == is => {}
        (was, is) => out.push(format!("{path}: {was:?} is {is:?}")),
    }
}

/// The declarations of a program by their first lines, with their lines in order.
fn workloads(program: &str) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut head = String::new();
    for line in program.lines() {
        let code = line.split('#').next().unwrap_or_default();
        let code: Vec<&str> = code.split_whitespace().collect();
        let code = code.join(" ").replace("override ", "");
        // What is chosen out of a range or a tier is one number when it comes back.
        if code.starts_with("memory = ") || code.starts_with("tier = ") {
            continue;
        }
        if !line.starts_with(' ') && code.ends_with('{') {
            head = code;
        } else if !code.is_empty() {
            all.entry(head.clone()).or_default().push(code);
        }
    }
    all.retain(|head, _| !head.starts_with("node ") && !head.is_empty());
    all
}

#[test]
fn a_configuration_of_k3s_comes_back_equal() {
    let config = "\
write-kubeconfig-mode: \"0644\"
node-name: pi-1
disable: traefik
tls-san: [pi.lan, 10.0.0.2]
flannel-backend: host-gw
secrets-encryption: true
etcd-snapshot-retention: 20
kubelet-arg:
- max-pods=60
- container-log-max-size=5Mi
kube-apiserver-arg: [request-timeout=30s]
";
    let (world, sources) = one("config.yaml", config);
    let imported = bzc::import(&world, sources, Manifests::Adopt).expect("it is YAML");
    assert!(imported.left_out.is_empty(), "{:?}", imported.left_out);
    let compilation = compile(&world, "budget.bz", &imported.program, None);
    let Some(output) = &compilation.output else {
        unreachable!("{}\n{}", imported.program, said(&compilation))
    };
    let built = output
        .files
        .iter()
        .find(|(path, _)| path == "k3s/pi-1/config.yaml")
        .map(|(_, bytes)| bytes);
    let built: Value = serde_yaml::from_slice(built.expect("the node has its name")).expect("YAML");
    let wanted: Value = serde_yaml::from_str(config).expect("YAML");
    // K3s takes one text for a list of one.
    let as_list = |value: &Value| match value.as_sequence() {
        Some(items) => items.clone(),
        None => vec![value.clone()],
    };
    for (key, value) in wanted.as_mapping().expect("a mapping") {
        let key = key.as_str().expect("a text");
        let built = as_list(&built[key]);
        let kept = as_list(value);
        match key {
            "kubelet-arg" => assert!(kept.iter().all(|item| built.contains(item)), "{built:?}"),
            _ => assert_eq!(built, kept, "{key}"),
        }
    }
}

#[test]
fn what_is_nothing_is_reported_with_its_place() {
    for (text, why) in [
        ("a: 1\n", "`x` holds no Kubernetes object"),
        ("a: [\n", "`x`, line 1"),
        ("{% if a %}\n", "template"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, resources: {limits: {memory: lots}}}]}\n",
            "line 4",
        ),
    ] {
        let (world, sources) = one("x", text);
        let message =
            bzc::import(&world, sources, Manifests::Adopt).expect_err("it cannot be imported");
        assert!(message.contains(why), "{text}: {message}");
    }
}

/// No text of an input is read as program text: a stranger's file declares nothing.
#[test]
fn hostile_texts_stay_texts() {
    let evil =
        "x\\n}\\nservice evil { memory = 1Mi  image = \\\"a:1\\\" }\\nbudget all = 1Mi\\u2028# ";
    let keys = [
        "image",
        "command",
        "entrypoint",
        "user",
        "mem_limit",
        "cpus",
        "stop_grace_period",
        "hostname",
        "container_name",
        "working_dir",
        "restart",
        "env_file",
        "extends",
        "network_mode",
        "platform",
        "scale",
        "x-a",
        "build",
        "tmpfs",
    ];
    for key in keys {
        let text =
            format!("services:\n  a:\n    image: \"a:1\"\n    command: b\n    {key}: \"{evil}\"\n")
                .replacen(
                    &format!(
                        "    {key}: {}\n",
                        if key == "image" { "\"a:1\"" } else { "b" }
                    ),
                    "",
                    1,
                );
        assert_harmless("compose.yaml", &text, key);
    }
    for key in [
        "environment",
        "ports",
        "volumes",
        "profiles",
        "secrets",
        "expose",
        "depends_on",
    ] {
        let text = format!("services:\n  a: {{image: \"a:1\", {key}: [\"{evil}\"]}}\n");
        assert_harmless("compose.yaml", &text, key);
        let text =
            format!("services:\n  a: {{image: \"a:1\", {key}: {{\"{evil}\": \"{evil}\"}}}}\n");
        assert_harmless("compose.yaml", &text, key);
    }
    for key in [
        "node-name",
        "disable",
        "tls-san",
        "kubelet-arg",
        "token",
        "flannel-backend",
        "node-label",
    ] {
        assert_harmless("config.yaml", &format!("{key}: \"{evil}\"\n"), key);
        assert_harmless("config.yaml", &format!("{key}: [\"{evil}={evil}\"]\n"), key);
    }
    let text = format!(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: n, labels: {{\"{evil}\": \"{evil}\"}}}}\nspec: {{taints: [{{key: \"{evil}\", effect: \"{evil}\"}}]}}\nstatus: {{capacity: {{memory: 4Gi}}, nodeInfo: {{kubeletVersion: \"v1.33.1+k3s1{evil}\"}}}}\n"
    );
    assert_harmless("nodes.yaml", &text, "Node");
}

fn assert_harmless(name: &str, text: &str, what: &str) {
    let (world, sources) = one(name, text);
    let Ok(imported) = bzc::import(&world, sources, Manifests::Adopt) else {
        return;
    };
    assert_compiles(&world, &imported.program, what);
    let lines = imported
        .program
        .lines()
        .chain(imported.left_out.iter().map(String::as_str));
    for line in lines {
        let line = line.trim_start();
        assert!(
            !line.starts_with("service evil") && !line.starts_with("budget"),
            "{what}:\n{}",
            imported.program
        );
    }
}

/// A `kubectl` that answers from a file and writes down what it was asked for.
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
fn the_cluster_is_asked_once_and_only_read() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    let home = tempfile::tempdir().expect("a temporary folder");
    let tools = home.path().join("tools");
    let dump = corpus::root().join("tests/import/dump/in/cluster.json");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\ncat '{}'\n",
        home.path().join("asked").display(),
        dump.display()
    );
    corpus::write(&tools.join("kubectl"), script.as_bytes());
    fs::set_permissions(tools.join("kubectl"), Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").unwrap_or_default();
    let project = home.path().join("project");
    fs::create_dir(&project).expect("a folder");
    let run = |path: &str, args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_bzc"))
            .args(args)
            .current_dir(&project)
            .env("PATH", path)
            .output()
            .expect("bzc")
    };
    let with_tools = format!("{}:{path}", tools.display());
    let ran = run(&with_tools, &["import", "--from-cluster"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let asked = corpus::text(&home.path().join("asked"));
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(
        asked.starts_with("get ") && !asked.contains("secret"),
        "{asked}"
    );
    let program = corpus::text(&project.join("budget.bz"));
    assert!(
        program.contains("node pi-2") && program.contains("adopt \"cluster.json\""),
        "{program}"
    );
    assert_eq!(
        corpus::bytes(&project.join("cluster.json")),
        corpus::bytes(&dump)
    );
    let ran = run(&with_tools, &["check"]);
    assert_eq!(
        ran.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let ran = run(&with_tools, &["import", "--from-cluster", "--out", "b.bz"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("`cluster.json` exists"), "{said}");
    let nowhere = home.path().display().to_string();
    fs::remove_file(project.join("cluster.json")).expect("it is there");
    let ran = run(&nowhere, &["import", "--from-cluster", "--out", "b.bz"]);
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("`kubectl` cannot be run"), "{said}");
}
