//! One service of compose. What is read is taken out of it, and what remains is left out by name.

use super::environment::{Environment, take_files};
use super::health;
use super::mounts;
use super::ports;
use super::rights;
use super::shared::Shared;
use super::words::{bytes, milli, seconds, split};
use crate::import::data::Data;
use crate::import::figures::{self, Size};
use crate::import::tree::{Block, Item, Name, Value, said};
use crate::import::variables::{closed, is_open, shown};

/// What compose says that Kubernetes does anyway, or that means nothing to it.
const NOT_NEEDED: [&str; 11] = [
    "attach",
    "container_name",
    "develop",
    "expose",
    "hostname",
    "init",
    "links",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "stop_signal",
];

/// What is left out with a reason.
const REASONS: [(&str, &str); 21] = [
    ("cgroup", "the kubelet makes the cgroups of pods"),
    ("cgroup_parent", "the kubelet makes the cgroups of pods"),
    ("configs", "write a `config` and a `volume` that mounts it"),
    ("cpuset", "the kubelet gives CPUs"),
    ("cpu_shares", "`request` of `cpu` does that"),
    (
        "depends_on",
        "pods start in any order, and what needs another tries again",
    ),
    ("devices", "a pod gets devices from a device plugin"),
    ("external_links", "a Service has a name for everything"),
    (
        "extra_hosts",
        "a file of `patch` with `hostAliases` does that",
    ),
    ("gpus", "a pod gets devices from a device plugin"),
    (
        "labels",
        "they are read by what watches Docker, and nothing of that runs here",
    ),
    ("logging", "the kubelet keeps what a pod writes"),
    ("memswap_limit", "K3s gives pods no swap"),
    ("network_mode", "a pod has an address of its own"),
    (
        "pids_limit",
        "the kubelet limits processes, by `pod-max-pids`",
    ),
    (
        "platform",
        "`node-selector` with `kubernetes.io/arch` does that",
    ),
    ("post_start", "bz has no field for it"),
    ("pre_stop", "bz has no field for it"),
    ("runtime", "the nodes have one runtime"),
    ("shm_size", "a `volume` with `memory` at /dev/shm does that"),
    (
        "ulimits",
        "containerd gives all containers those of its unit",
    ),
];

/// Reads a service.
pub(super) fn read(written: &str, name: Name, mut body: Data, shared: &Shared<'_>) -> Item {
    let of = format!("service {} of {}", said(written), said(shared.names));
    let mut block = Block::plain("");
    if name.as_str() != written {
        block.note(format!("compose calls it {}", said(written)));
    }
    if let Some(profiles) = body.take("profiles") {
        let names = profiles.texts().unwrap_or_default().join(", ");
        block.note(format!(
            "compose starts it only with the profile {}",
            said(&names)
        ));
    }
    let runs = image(&mut body, &name, &mut block, shared);
    memory(&mut body, &runs, &mut block);
    cpu(&mut body, &mut block);
    let mode = body.take_text(&["deploy", "mode"]);
    let replicas = body.take_count(&["deploy", "replicas"]);
    let scale = body.take_count(&["scale"]);
    let replicas = replicas.or(scale).unwrap_or(1);
    let is_job = mode.as_deref().is_some_and(|mode| mode.ends_with("-job"));
    let is_daemon = mode.as_deref() == Some("global");
    let claims = replicas == 1 && !is_job && !is_daemon;
    let mut environment = Environment::take(&mut body, shared);
    commands(&mut body, &mut block, &mut environment);
    let known = match &runs {
        Runs::Image(image) => figures::port(image),
        Runs::Built(_) | Runs::Unsaid => None,
    };
    let is_called = shared.called.contains(written);
    match is_job {
        true => drop(body.take("ports")),
        false => ports::take(&mut body, &mut block, known, is_called, claims || is_daemon),
    }
    let first_port = first_port(&block);
    match is_job {
        true => drop(body.take("healthcheck")),
        false => health::take(&mut body, &mut block, first_port, &environment),
    }
    environment.put(&name, &mut block);
    take_files(&mut body, &name, &mut block);
    let has_claim = mounts::take(&mut body, &mut block, shared, claims);
    secrets(&mut body, &name, &mut block);
    others(&mut body, &mut block);
    rights::take(&mut body, &name, &mut block);
    rest(&mut body, &mut block);
    let word = match (is_job, is_daemon, has_claim) {
        (true, ..) => "job",
        (_, true, _) => "daemon",
        (.., true) => "stateful",
        _ => "service",
    };
    if replicas != 1 && !is_daemon {
        let key = if is_job { "parallelism" } else { "replicas" };
        block.put(key, Value::count(replicas));
    }
    let mut whole = Block::named(word, &name, of);
    whole.items = block.items;
    Item::Block(whole)
}

/// What a service runs.
enum Runs {
    /// An image of this name.
    Image(String),
    /// One that bzc builds for a runtime.
    Built(&'static str),
    /// Nothing says it.
    Unsaid,
}

/// The image, or what one is built of.
fn image(body: &mut Data, name: &Name, block: &mut Block, shared: &Shared<'_>) -> Runs {
    let written = body.take("image");
    let written = written.as_ref().and_then(Data::as_text);
    if let Some(mut build) = body.take("build") {
        let context = match &build {
            Data::Text(context, _) => Some(context.clone()),
            _ => build.take_text(&["context"]),
        };
        let context = closed(&context.unwrap_or_else(|| ".".to_owned()));
        let runtime = figures::runtime_of(shared.world, shared.folder, &context);
        for what in build.fields("build") {
            block.leave(what);
        }
        if let Some((runtime, source)) = runtime {
            let mut image = Block::plain("image");
            image.put("runtime", Value::word(runtime));
            image.put("source", Value::text(&source));
            if let Some(name) = written.filter(|image| !is_open(image)) {
                image.put("name", Value::text(name));
            }
            block.put_block(image);
            return Runs::Built(runtime);
        }
        let local = format!("{}:local", name.as_str());
        let image = written.filter(|image| !is_open(image)).unwrap_or(&local);
        block.put_noted(
            "image",
            Value::text(image),
            format!(
                "built of {} by its own Dockerfile; `image {{ runtime  source }}` writes one",
                said(&context)
            ),
        );
        return Runs::Image(image.to_owned());
    }
    let Some(written) = written else {
        let local = format!("{}:local", name.as_str());
        block.put_noted(
            "image",
            Value::text(&local),
            "compose gives none: put it in",
        );
        return Runs::Unsaid;
    };
    let image = closed(written);
    let image = image.trim_end_matches(':');
    let sound = !image.is_empty() && !image.contains("//") && !image.starts_with(['/', ':', '.']);
    match (is_open(written), sound) {
        (false, _) => block.put("image", Value::text(image)),
        (true, true) => block.put_noted(
            "image",
            Value::text(image),
            format!("{}: put in what it stands for", said(&shown(written))),
        ),
        (true, false) => {
            let local = format!("{}:local", name.as_str());
            let note = format!("{}: put in what it stands for", said(&shown(written)));
            block.put_noted("image", Value::text(&local), note);
        }
    }
    Runs::Image(image.to_owned())
}

/// Memory: what compose says, else what is known of the image, else a range to fill in.
fn memory(body: &mut Data, runs: &Runs, block: &mut Block) {
    let mut one = |new: &[&str], old: &str| {
        let newer = body.take_text(new);
        let older = body.take_text(&[old]);
        let text = newer.or(older)?;
        let n = bytes(&closed(&text)).filter(|n| *n > 0);
        if n.is_none() {
            block.leave(format!(
                "{}: it is no size",
                said(&format!("{old}: {}", shown(&text)))
            ));
        }
        n
    };
    let limit = one(&["deploy", "resources", "limits", "memory"], "mem_limit");
    let request = one(
        &["deploy", "resources", "reservations", "memory"],
        "mem_reservation",
    );
    let size = match runs {
        Runs::Built(runtime) => figures::of_runtime(runtime),
        Runs::Image(image) => figures::of_image(image),
        Runs::Unsaid => Size::Unknown,
    };
    let said = [
        "compose reserves it, and limits nothing: put in a limit",
        "compose gives no limit",
    ];
    figures::put_memory(block, (request, limit), size, said);
}

fn cpu(body: &mut Data, block: &mut Block) {
    let mut one = |path: &[&str]| body.take_text(path).and_then(|text| milli(&closed(&text)));
    let newer = one(&["deploy", "resources", "limits", "cpus"]);
    let older = one(&["cpus"]);
    let limit = newer.or(older).filter(|n| *n > 0);
    let request = one(&["deploy", "resources", "reservations", "cpus"]).filter(|n| *n > 0);
    match (request, limit) {
        (Some(request), Some(limit)) if request < limit => {
            block.put(
                block.cpu(),
                Value::range(&Value::cpu(request), &Value::cpu(limit)),
            );
        }
        (_, Some(limit)) => {
            let mut cpu = Block::plain(block.cpu());
            // A limit alone would be the request too, and compose reserves nothing.
            cpu.put("request", Value::cpu((limit / 10).max(1)));
            cpu.put("limit", Value::cpu(limit));
            block.put_block(cpu);
        }
        (Some(request), None) => {
            let mut cpu = Block::plain(block.cpu());
            cpu.put("request", Value::cpu(request));
            block.put_block(cpu);
        }
        (None, None) => {}
    }
}

fn commands(body: &mut Data, block: &mut Block, environment: &mut Environment<'_>) {
    for (from, to) in [("entrypoint", "command"), ("command", "args")] {
        let Some(given) = body.take(from) else {
            continue;
        };
        let words = match &given {
            Data::Text(line, _) => split(&closed(line)),
            _ => given
                .texts()
                .map(|words| words.into_iter().map(closed).collect()),
        };
        match words {
            Some(words) if words.is_empty() => {}
            Some(words) => {
                let words = environment.without_passwords(&words);
                block.put(to, Value::list(words.iter().map(|word| Value::text(word))));
            }
            None => block.leave(format!("`{from}`: a quote in it does not end")),
        }
    }
}

/// `secrets`: the files of one Secret, where compose puts them.
fn secrets(body: &mut Data, name: &Name, block: &mut Block) {
    let Some(given) = body.take("secrets") else {
        return;
    };
    let source = |item| Data::as_text(item).or(Data::text_at(item, &["source"]));
    let names: Vec<&str> = given.items().iter().filter_map(source).collect();
    let (Some(secret), Some(volume)) = (
        Name::near(&format!("{}-secrets", name.as_str()), 63),
        Name::of("secrets"),
    ) else {
        return;
    };
    let files: Vec<String> = names
        .iter()
        .map(|name| format!("--from-file={}=..", closed(name)))
        .collect();
    let mut mount = Block::named("volume", &volume, "");
    mount.put("path", Value::text("/run/secrets"));
    mount.put_noted(
        "secret",
        Value::name(&secret),
        format!(
            "kubectl create secret generic {} {}",
            secret.as_str(),
            files.join(" ")
        ),
    );
    block.put_block(mount);
}

/// The small fields.
fn others(body: &mut Data, block: &mut Block) {
    if let Some(text) = body.take_text(&["stop_grace_period"]) {
        match seconds(&closed(&text)) {
            Some(n) => block.put("grace", Value::unit(n, "s")),
            None => block.leave(said(&format!("stop_grace_period: {}", shown(&text)))),
        }
    }
    if ["always", "unless-stopped", "on-failure"]
        .iter()
        .any(|word| {
            body.text_at(&["restart"])
                .is_some_and(|text| text.starts_with(word))
        })
    {
        body.take("restart");
    }
    body.take_at(&["deploy", "restart_policy"]);
    for key in NOT_NEEDED {
        body.take(key);
    }
}

/// What was not read.
fn rest(body: &mut Data, block: &mut Block) {
    for (key, why) in REASONS {
        if body.take(key).is_some() {
            block.leave(format!("{}: {why}", said(key)));
        }
    }
    if let Some(extends) = body.take("extends") {
        let file = extends.text_at(&["file"]).unwrap_or_default();
        block.leave(format!(
            "`extends`: {} is not there, or has no such service",
            said(&shown(file))
        ));
    }
    if let Data::Map(entries) = &mut *body {
        let is_empty = |value: &Data| value.as_text().is_some_and(|text| closed(text).is_empty());
        entries.retain(|(key, value)| !key.starts_with("x-") && !is_empty(value));
    }
    for what in body.fields("") {
        block.leave(what.replace('\u{f8ff}', "$"));
    }
}

/// The port that the block gives.
fn first_port(block: &Block) -> Option<u16> {
    block.items.iter().find_map(|item| match item {
        Item::Field { key, value, .. } if key == "port" => value.as_count(),
        _ => None,
    })
}
