//! Containers.

use super::around::Around;
use super::ports::{Ports, take};
use super::probe;
use crate::admission::amount;
use crate::base::secret::is_secret;
use crate::import::data::Data;
use crate::import::figures;
use crate::import::patch::Fields;
use crate::import::tree::{Block, Item, Name, Value, said};
use crate::manifest::workload::bytes;
use crate::manifest::workload::place::FIELDS;

/// What the API server puts in where nothing is written.
const DEFAULTS: [(&str, &str); 2] = [
    ("terminationMessagePath", "/dev/termination-log"),
    ("terminationMessagePolicy", "File"),
];
/// Words for `imagePullPolicy`.
const PULLS: [(&str, &str); 3] = [
    ("Always", "always"),
    ("IfNotPresent", "if-not-present"),
    ("Never", "never"),
];

/// The main container of a workload.
pub(super) fn main(
    word: &str,
    name: &Name,
    container: &mut Data,
    block: &mut Block,
    around: &Around,
    patch: &mut Fields,
) -> Ports {
    common(name, container, block, around, patch);
    memory(container, block);
    cpu(container, block);
    if let Some(policy) = container.take_text(&["imagePullPolicy"]) {
        match PULLS.iter().find(|(written, _)| *written == policy) {
            Some((_, word)) => block.put("pull-policy", Value::fixed(word)),
            None => block.leave(said(&format!("imagePullPolicy: {policy}"))),
        }
    }
    if matches!(word, "job" | "cron") {
        hooks(container, &Ports::default(), block);
        return Ports::default();
    }
    let ports = take(container, block);
    hooks(container, &ports, block);
    for (key, field) in [
        ("readinessProbe", "readiness"),
        ("livenessProbe", "liveness"),
        ("startupProbe", "startup"),
    ] {
        if let Some(probe) = container.take(key) {
            probe::put(field, key, probe, &ports, block, patch);
        }
    }
    ports
}

/// `lifecycle`.
fn hooks(container: &mut Data, ports: &Ports, block: &mut Block) {
    for (key, field) in [("postStart", "post-start"), ("preStop", "pre-stop")] {
        let Some(mut hook) = container.take_at(&["lifecycle", key]) else {
            continue;
        };
        let mut inner = Block::plain(field);
        let port = hook.take_text(&["httpGet", "port"]);
        if let Some(words) = hook.take_at(&["exec", "command"]).and_then(|one| {
            let words = one.texts()?.into_iter().map(Value::text);
            Some(Value::list(words))
        }) {
            inner.put("exec", words);
        } else if let Some(n) = hook.take_count(&["sleep", "seconds"]) {
            inner.put("sleep", Value::unit(n, "s"));
        } else if let Some(port) = port.as_deref().and_then(|port| ports.number(port)) {
            let path = hook.take_text(&["httpGet", "path"]);
            inner.put("path", Value::text(path.as_deref().unwrap_or("/")));
            inner.put("port", Value::count(port.into()));
        }
        for what in hook.fields(&format!("lifecycle.{key}")) {
            block.leave(what);
        }
        block.put_block(inner);
    }
}

/// A sidecar or an init container.
pub(super) fn other(
    name: &Name,
    container: &mut Data,
    block: &mut Block,
    around: &Around,
    patch: &mut Fields,
) {
    common(name, container, block, around, patch);
    let request = container.take_text(&["resources", "requests", "memory"]);
    let limit = container.take_text(&["resources", "limits", "memory"]);
    let amount = limit.as_deref().or(request.as_deref()).and_then(bytes);
    match (amount, &request, &limit) {
        (Some(n), Some(request), Some(limit)) if request != limit => block.put_noted(
            "memory",
            Value::memory(n),
            format!(
                "it requested {}: of such a container bz takes one number",
                said(request)
            ),
        ),
        (Some(n), _, Some(_)) => block.put("memory", Value::memory(n)),
        (Some(n), ..) => block.put_noted("memory", Value::memory(n), "it had no limit: put it in"),
        (None, ..) => block.put_noted(
            "memory",
            Value::memory(64 << 20),
            "it had no limit: put in what it takes",
        ),
    }
    cpu(container, block);
}

/// The policy that Kubernetes takes for an image, where nothing is said.
fn usual_policy(container: &Data) -> &'static str {
    let image = container.text_at(&["image"]).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    match image.ends_with(":latest") || !name.contains(':') {
        true => "Always",
        false => "IfNotPresent",
    }
}

/// The policy of a container, where it is another than the usual one.
pub(super) fn odd_policy(container: &Data) -> Option<String> {
    let policy = container.text_at(&["imagePullPolicy"])?;
    (policy != usual_policy(container)).then(|| policy.to_owned())
}

/// Keeps the policy of a container beside one whose policy the program gives to all.
pub(super) fn except_policy(container: &mut Data, of_all: &str, patch: &mut Fields) {
    let written = container.take_text(&["imagePullPolicy"]);
    let policy = written.unwrap_or_else(|| usual_policy(container).to_owned());
    if policy != of_all {
        patch.add(&["imagePullPolicy"], &Data::Text(policy, false));
    }
}

/// What all containers have.
fn common(
    name: &Name,
    container: &mut Data,
    block: &mut Block,
    around: &Around,
    patch: &mut Fields,
) {
    container.take("name");
    if odd_policy(container).is_none() {
        container.take("imagePullPolicy");
    }
    let image = container.take_text(&["image"]).unwrap_or_default();
    block.put("image", Value::text(&image));
    for (key, default) in DEFAULTS {
        if container.text_at(&[key]) == Some(default) {
            container.take(key);
        }
    }
    for key in ["command", "args"] {
        let Some(given) = container.take(key) else {
            continue;
        };
        match given.texts() {
            Some(words) => {
                block.put(
                    if key == "args" { "args" } else { "command" },
                    Value::list(words.into_iter().map(Value::text)),
                );
            }
            None => block.leave(said(key)),
        }
    }
    env(name, container, block, around, patch);
    env_from(container, block, around);
}

fn env(name: &Name, container: &mut Data, block: &mut Block, around: &Around, patch: &mut Fields) {
    let Some(Data::List(items)) = container.take("env") else {
        return;
    };
    let mut env = Block::plain("env");
    let mut literals = Vec::new();
    for item in items {
        let variable = item.text_at(&["name"]).unwrap_or_default();
        let from = |kind: &str| {
            let of = |field: &str| item.text_at(&["valueFrom", kind, field]);
            let is_needed = of("optional") != Some("true");
            of("name").zip(of("key")).filter(|_| is_needed)
        };
        let value = match (
            item.at(&["value"]),
            from("secretKeyRef"),
            from("configMapKeyRef"),
        ) {
            (Some(value), ..) => {
                let text = value.as_text().unwrap_or_default();
                match is_secret(variable, text) {
                    true => {
                        literals.push(format!("--from-literal={variable}=.."));
                        Value::of_key("secret", name, variable)
                    }
                    false => Some(Value::text(text)),
                }
            }
            (_, Some((secret, key)), _) => {
                Name::of(secret).and_then(|secret| Value::of_key("secret", &secret, key))
            }
            (.., Some((config, key))) => {
                let has = around
                    .configs
                    .get(config)
                    .is_some_and(|keys| keys.contains(key));
                let config = Name::of(config).filter(|_| has);
                config.and_then(|config| Value::of_key("config", &config, key))
            }
            _ if let Some(path) = item.text_at(&["valueFrom", "fieldRef", "fieldPath"]) => {
                field(path)
            }
            _ if let Some(path) = item.text_at(&["valueFrom", "resourceFieldRef", "resource"]) => {
                let of = item.at(&["valueFrom", "resourceFieldRef"]);
                let is_plain = of.is_some_and(|of| of.entries().len() == 1);
                field(path).filter(|_| is_plain)
            }
            // A variable without a value is empty.
            _ if item.at(&["valueFrom"]).is_none() => Some(Value::text("")),
            _ => None,
        };
        match value {
            Some(value) => env.put_key(variable, value),
            None if item.at(&["valueFrom"]).is_some() && patch.add_item("env", &item) => {}
            None => env.leave(format!(
                "{}: {}",
                said(variable),
                item.fields("")
                    .iter()
                    .filter(|field| !field.starts_with("`name"))
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            )),
        }
    }
    if !literals.is_empty() {
        env.note(format!(
            "passwords stay out of programs: kubectl create secret generic {} {}",
            name.as_str(),
            literals.join(" ")
        ));
    }
    block.put_block(env);
}

/// A field of the pod, or an amount of its container, where a variable of bz can hold it.
fn field(path: &str) -> Option<Value> {
    let known = FIELDS.iter().find(|known| **known == path);
    known.map(|known| Value::fixed(known))
}

fn env_from(container: &mut Data, block: &mut Block, around: &Around) {
    let Some(Data::List(items)) = container.take("envFrom") else {
        return;
    };
    let (mut configs, mut secrets) = (Vec::new(), Vec::new());
    for item in items {
        let config = item.text_at(&["configMapRef", "name"]);
        let secret = item.text_at(&["secretRef", "name"]);
        let is_plain = item.at(&["prefix"]).is_none()
            && ["configMapRef", "secretRef"]
                .iter()
                .all(|of| item.text_at(&[of, "optional"]) != Some("true"));
        match (config, secret) {
            (Some(config), _) if is_plain && around.configs.contains_key(config) => {
                configs.push(Value::word(config));
            }
            (_, Some(secret)) if is_plain => secrets.push(Value::word(secret)),
            _ => block.leave(format!("`envFrom`: {}", item.fields("").join(", "))),
        }
    }
    if !configs.is_empty() {
        block.put("configs", Value::list(configs));
    }
    if !secrets.is_empty() {
        block.put("secrets", Value::list(secrets));
    }
}

fn memory(container: &mut Data, block: &mut Block) {
    let mut take = |which: &str| {
        let text = container.take_text(&["resources", which, "memory"])?;
        bytes(&text).filter(|n| *n > 0)
    };
    let given = (take("requests"), take("limits"));
    let image = block.items.iter().find_map(|item| match item {
        Item::Field { key, value, .. } if key == "image" => Some(value.as_text()),
        _ => None,
    });
    let size = figures::of_image(&image.unwrap_or_default());
    let said = [
        "it had a request and no limit: put in a limit",
        "it had no limit",
    ];
    figures::put_memory(block, given, size, said);
}

fn cpu(container: &mut Data, block: &mut Block) {
    let mut take = |which: &str| {
        let text = container.take_text(&["resources", which, "cpu"])?;
        let milli = amount(&text)?.div_ceil(1);
        u64::try_from(milli).ok().filter(|n| *n > 0)
    };
    match (take("requests"), take("limits")) {
        (Some(request), Some(limit)) if request < limit => {
            block.put(
                block.cpu(),
                Value::range(&Value::cpu(request), &Value::cpu(limit)),
            );
        }
        (_, Some(limit)) => block.put(block.cpu(), Value::cpu(limit)),
        (Some(request), None) => {
            let mut cpu = Block::plain(block.cpu());
            cpu.put("request", Value::cpu(request));
            block.put_block(cpu);
        }
        (None, None) => {}
    }
}

/// What was not read of a container.
pub(super) fn rest(container: &Data, block: &mut Block) {
    for what in container.fields("") {
        block.leave(what);
    }
}
