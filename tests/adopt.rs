//! Adopted manifests as a whole: the three forms say the same, what was patched needs no patch, and no text of others
//! makes the compiler panic. Layouts are `compiler/manifest/tests.rs`, sums are `tests/recount.rs`.

use std::collections::BTreeMap;

use bzc::{Compilation, MemoryWorld};
use serde::Deserialize;
use serde_yaml::Value;

use crate::support::{compile, corpus, ids, said};

/// The example, its program and its manifests.
fn example() -> (String, MemoryWorld, BTreeMap<String, String>) {
    let folder = corpus::root().join("examples/adopt");
    let mut world = MemoryWorld::default();
    let mut manifests = BTreeMap::new();
    for path in corpus::files(&folder.join("k8s")) {
        let name = corpus::below(&path, &folder);
        world.insert(name.clone(), corpus::bytes(&path));
        manifests.insert(name, corpus::text(&path));
    }
    assert!(manifests.len() > 5, "the example's manifests are gone");
    (corpus::text(&folder.join("budget.bz")), world, manifests)
}

/// The program with another form of its patches.
fn in_form(program: &str, form: &str) -> String {
    program.replacen(
        "  keep logs\n",
        &format!("  keep logs\n  patch = {form}\n"),
        1,
    )
}

fn built(world: &MemoryWorld, text: &str) -> Compilation {
    let compilation = compile(world, "budget.bz", text, None);
    assert!(!compilation.has_errors(), "{}", said(&compilation));
    compilation
}

/// The files of an output below a folder.
fn below(compilation: &Compilation, folder: &str) -> BTreeMap<String, String> {
    let files = compilation.output.iter().flat_map(|output| &output.files);
    let inside = files.filter_map(|(path, bytes)| Some((path.strip_prefix(folder)?, bytes)));
    inside
        .map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned()))
        .collect()
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|one| Value::deserialize(one).expect("YAML"))
        .collect()
}

/// A strategic merge, as far as bzc's patches need it: mappings by key, sequences of named things by name, null takes
/// away.
fn merge(base: &mut Value, patch: &Value) {
    match (base, patch) {
        (Value::Mapping(base), Value::Mapping(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    base.remove(key);
                } else {
                    merge(base.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (Value::Sequence(base), Value::Sequence(patch)) => {
            for item in patch {
                match base.iter_mut().find(|known| known["name"] == item["name"]) {
                    Some(known) => merge(known, item),
                    None => base.push(item.clone()),
                }
            }
        }
        (base, patch) => *base = patch.clone(),
    }
}

/// Objects one by one, those of Lists too, by kind, namespace and name.
fn objects<'t>(texts: impl Iterator<Item = &'t String>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for object in texts.flat_map(|text| documents(text)) {
        let items = object["items"]
            .as_sequence()
            .cloned()
            .unwrap_or_else(|| vec![object]);
        for item in items.into_iter().filter(|item| !item.is_null()) {
            let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let metadata = &item["metadata"];
            let id = [
                part(&item["kind"]),
                part(&metadata["namespace"]),
                part(&metadata["name"]),
            ]
            .join("/");
            assert!(found.insert(id.clone(), item).is_none(), "{id} twice");
        }
    }
    found
}

#[test]
fn the_three_forms_say_the_same() {
    let (program, world, manifests) = example();
    let copies = below(&built(&world, &program), "adopted/");
    assert_eq!(
        copies.keys().collect::<Vec<_>>(),
        manifests.keys().collect::<Vec<_>>()
    );

    let in_place = built(&world, &in_form(&program, "in-place"));
    let sources = &in_place.output.as_ref().expect("it has output").sources;
    let changed: BTreeMap<&String, &String> = copies
        .iter()
        .filter(|(path, text)| manifests[*path] != **text)
        .collect();
    assert_eq!(
        sources.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        changed.keys().copied().collect::<Vec<_>>()
    );
    for (path, bytes) in sources {
        assert_eq!(String::from_utf8_lossy(bytes), *changed[path], "{path}");
    }

    let patches = below(&built(&world, &in_form(&program, "kustomize")), "patches/");
    let originals: BTreeMap<_, _> = patches
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("originals/")?, text)))
        .collect();
    assert!(
        originals
            .iter()
            .all(|(path, text)| manifests[*path] == **text),
        "originals are as they were"
    );
    let mut merged = objects(originals.values().copied());
    let only = patches
        .iter()
        .filter(|(path, _)| !path.contains('/') && *path != "kustomization.yaml");
    let only = objects(only.map(|(_, text)| text));
    assert!(only.len() > 10, "the patches are gone");
    for (id, patch) in &only {
        merge(merged.get_mut(id).expect("a patch has its object"), patch);
    }
    let copied = objects(copies.values());
    for (id, object) in &copied {
        assert_eq!(merged[id], *object, "{id}");
    }
}

#[test]
fn what_was_patched_needs_no_patch() {
    let (program, mut world, _) = example();
    let text = in_form(&program, "in-place");
    for (path, bytes) in built(&world, &text).output.expect("it has output").sources {
        world.insert(path, bytes);
    }
    let again = built(&world, &text).output.expect("it has output");
    assert!(
        again.sources.is_empty(),
        "{:?}",
        again
            .sources
            .iter()
            .map(|(path, _)| path)
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_example_does_not_fit_as_it_was() {
    let (_, world, _) = example();
    let before = corpus::text(&corpus::root().join("examples/adopt/before.bz"));
    let compilation = compile(&world, "before.bz", &before, None);
    assert_eq!(
        ids(&compilation, true),
        ["BZ4001"],
        "{}",
        said(&compilation)
    );
    assert!(compilation.output.is_none());
}

#[test]
fn no_text_of_others_makes_the_compiler_panic() {
    let program = "node box { memory = 90000Mi  cpu = 64  reserve = 200Mi }\nk3s { memory = 500Mi }\nadopt \"k8s/*\" { memory = 32Mi  rollout = recreate }\n";
    let mut texts: Vec<String> = corpus::ending("tests/ui/used/k8s", ".yaml")
        .iter()
        .map(|path| corpus::text(path))
        .collect();
    texts.extend(example().2.into_values());
    let (mut patched, mut refused) = (0, 0);
    for text in texts {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(7).collect();
        for at in ends {
            let (before, after) = text.split_at(at);
            let rest = after
                .split_once(char::is_whitespace)
                .map_or("", |(_, rest)| rest);
            let mangled = [
                before.to_owned(),
                format!("{before}{rest}"),
                format!("{before}: {after}"),
                format!("{before}\n{after}"),
            ];
            for text in mangled {
                let world = MemoryWorld::with("k8s/a.yaml", text);
                let compilation = compile(&world, "budget.bz", program, None);
                if compilation.has_errors() {
                    refused += 1;
                } else {
                    patched += 1;
                }
            }
        }
    }
    assert!(
        patched > 500 && refused > 500,
        "{patched} patched, {refused} refused"
    );
}

/// Manifests without a namespace go to `default`, and so do the program's own objects here: its quota counts both.
#[test]
fn the_quota_of_the_default_namespace_counts_manifests_that_name_none() {
    let mut world = MemoryWorld::default();
    let object = |namespace: &str, more: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web{namespace}}}\nspec:\n  replicas: 3\n  \
             template: {{spec: {{containers: [{{name: c, image: \"nginx:1.27.4\"}}]}}}}\n{more}"
        )
    };
    let program = "node box { memory = 4000Mi  cpu = 4  reserve = 300Mi }\nnamespace = default\n\
                   service own { memory = 100Mi  image = \"ghcr.io/acme/a:1.0\" }\n\
                   adopt \"k8s/*.yaml\" { memory = 64Mi }\n";
    let quota = |world: &MemoryWorld, text: &str| {
        let files = below(&built(world, text), "manifests/");
        documents(&files["01-quota.yaml"])
    };
    world.insert("k8s/web.yaml".to_owned(), object("", "").into_bytes());
    let own = quota(&world, program);
    // The pod of `own` and its successor, and the three of the StatefulSet.
    assert_eq!(own[0]["spec"]["hard"]["pods"].as_str(), Some("5"));
    assert_eq!(own.len(), 2, "a quota and a LimitRange");
    let elsewhere = program.replace("namespace = default\n", "");
    let other = quota(&world, &elsewhere);
    assert_eq!(other[0]["spec"]["hard"]["pods"].as_str(), Some("2"));
    // Of two LimitRanges nobody knows which gives a default: none is written beside an adopted one.
    let range = "---\napiVersion: v1\nkind: LimitRange\nmetadata: {name: r}\n\
                 spec: {limits: [{type: Container, max: {memory: 1Gi}}]}\n";
    world.insert("k8s/web.yaml".to_owned(), object("", range).into_bytes());
    assert_eq!(quota(&world, program).len(), 1);
    assert_eq!(quota(&world, &elsewhere).len(), 2);
}

/// A LimitRange for what K3s packages is not written where it would limit a container that was adopted into kube-system.
#[test]
fn no_limit_range_of_kube_system_limits_what_was_adopted_there() {
    let program = "node box { memory = 4000Mi  cpu = 4  reserve = 300Mi }\n\
                   k3s { memory = 500Mi  disable = [traefik, servicelb, metrics-server] }\n\
                   adopt \"k8s/*.yaml\" { keep vip }\n";
    for (resources, written) in [
        ("requests: {memory: 128Mi}", false),
        ("requests: {memory: 16Mi}", false),
        ("limits: {memory: 128Mi}", true),
    ] {
        let mut world = MemoryWorld::default();
        let text = format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: vip, namespace: kube-system}}\nspec:\n  \
             template: {{spec: {{containers: [{{name: c, image: \"nginx:1.27.4\", resources: {{{resources}}}}}]}}}}\n"
        );
        world.insert("k8s/vip.yaml".to_owned(), text.into_bytes());
        let files = below(&built(&world, program), "k3s/box/manifests/");
        assert_eq!(
            files.contains_key("bzc-limits.yaml"),
            written,
            "{resources}"
        );
    }
}
