//! From workloads of manifests to services, field by field. What no field of bz can express is listed by its path.

use super::draft::{Draft, Part, cpu, key, list, memory, quoted, texts};
use crate::manifest::tree::{Tree, Yaml};
use crate::manifest::workload::{Container, Role, Surge, Workload, WorkloadKind, objects};

/// Fields that a program can express, or that bzc writes itself. What is below `*` is checked on its own.
const TAKEN: [&str; 27] = [
    "apiVersion",
    "kind",
    "status",
    "metadata.name",
    "metadata.namespace",
    "metadata.creationTimestamp",
    "metadata.generation",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.selfLink",
    "metadata.uid",
    "spec.replicas",
    "spec.selector",
    "spec.serviceName",
    "spec.strategy",
    "spec.schedule",
    "spec.concurrencyPolicy",
    "spec.parallelism",
    "spec.completions",
    "spec.podReplacementPolicy",
    "template.metadata.creationTimestamp",
    "pod.containers",
    "pod.initContainers",
    "pod.restartPolicy",
    "pod.dnsPolicy",
    "pod.schedulerName",
    "spec.updateStrategy",
];
const TAKEN_OF_CONTAINER: [&str; 9] = [
    "name",
    "image",
    "resources",
    "env",
    "command",
    "args",
    "ports",
    "restartPolicy",
    "terminationMessagePath",
];

pub(super) fn read(name: &str, text: &str, tree: &Tree, draft: &mut Draft) -> Result<(), String> {
    let found = objects(text, tree, &()).map_err(|fault| {
        let line = text[..fault.at.start]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        format!("`{name}`, line {line}: {}", fault.what)
    })?;
    let mut roots: Vec<&Yaml> = Vec::new();
    for root in &tree.documents {
        match root.entry("items", text) {
            Some((_, items)) => roots.extend(items.items()),
            None => roots.push(root),
        }
    }
    for root in roots {
        let said = |key: &str| {
            root.entry(key, text)
                .and_then(|(_, value)| value.text(text))
                .unwrap_or_default()
        };
        match found
            .workloads
            .iter()
            .find(|workload| workload.whole == root.range())
        {
            Some(workload) => service(name, text, root, workload, draft),
            None if root.is_null(text) => {}
            None => {
                let metadata = root.entry("metadata", text).map(|(_, value)| value);
                let called = metadata
                    .and_then(|node| node.entry("name", text))
                    .and_then(|(_, value)| value.text(text));
                draft.leave(
                    name,
                    format!("{} `{}`", said("kind"), called.unwrap_or_default()),
                );
            }
        }
    }
    Ok(())
}

/// The value at a path of keys.
fn at<'n>(node: &'n Yaml, keys: &[&str], text: &str) -> Option<&'n Yaml> {
    keys.iter().try_fold(node, |node, key| {
        node.entry(key, text).map(|(_, value)| value)
    })
}

fn service(name: &str, text: &str, root: &Yaml, workload: &Workload, draft: &mut Draft) {
    let of = format!("{} `{}` ({name})", workload.kind_text, workload.name);
    let word = match workload.kind {
        WorkloadKind::Deployment => "service",
        WorkloadKind::StatefulSet => "stateful",
        WorkloadKind::DaemonSet => "daemon",
        WorkloadKind::Job => "job",
        WorkloadKind::CronJob => "cron",
        WorkloadKind::ReplicaSet | WorkloadKind::Pod => {
            draft.leave(
                &of,
                "a program declares no workload of this kind; `adopt` counts it",
            );
            return;
        }
    };
    let mut body: Vec<String> = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    let Some(pod) = at(root, &workload.pod, text) else {
        return;
    };
    let mains = workload
        .containers
        .iter()
        .filter(|container| container.role == Role::Main)
        .count();
    let mut other_containers: Vec<String> = Vec::new();
    let mut is_first = true;
    for container in &workload.containers {
        let node = pod_container(pod, container, text);
        let is_main = container.role == Role::Main && is_first;
        is_first &= container.role != Role::Main;
        let lines = match fields(container, node, text, is_main, &mut left_out) {
            Ok(lines) => lines,
            Err(why) => {
                draft.leave(&of, format!("container `{}` {why}", container.name));
                return;
            }
        };
        if is_main {
            if container.name != workload.name {
                left_out.push(format!("the name `{}` of its container", container.name));
            }
            body.extend(lines);
        } else {
            if container.role == Role::Main {
                left_out.push(format!(
                    "`{}` as a container that starts with the others: it is a sidecar now",
                    container.name
                ));
            }
            let word = if container.role == Role::Init {
                "init"
            } else {
                "sidecar"
            };
            other_containers.push(format!(
                "{word} {} {{ {} }}",
                key(&container.name),
                lines.join("\n")
            ));
        }
    }
    debug_assert!(mains > 0, "a workload without containers is none");
    match workload.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet if workload.replicas != 1 => {
            body.push(format!("replicas = {}", workload.replicas));
        }
        WorkloadKind::Job | WorkloadKind::CronJob => {
            if workload.replicas != 1 {
                body.push(format!("parallelism = {}", workload.replicas));
            }
            body.extend(
                workload
                    .completions
                    .filter(|n| *n != workload.replicas)
                    .map(|n| format!("completions = {n}")),
            );
        }
        _ => {}
    }
    if workload.kind == WorkloadKind::Deployment {
        body.extend(match workload.surge {
            Surge::Recreate => Some("rollout = recreate".to_owned()),
            Surge::Pods(0) | Surge::Percent(0) => None,
            Surge::Pods(n) => Some(format!("rollout = surge {n}")),
            Surge::Percent(percent) => Some(format!("rollout = surge {percent}%")),
        });
    }
    if workload.kind == WorkloadKind::CronJob {
        body.push(format!("schedule = {}", quoted(&workload.schedule)));
        match workload.concurrency.as_deref() {
            Some("Forbid") => {}
            Some("Replace") => body.push("concurrency = replace".to_owned()),
            _ => body.extend(["concurrency = allow".to_owned(), "at-most = 1".to_owned()]),
        }
    }
    left(root, workload, text, &mut left_out);
    let mut lines = vec![format!("{word} {} {{", workload.name)];
    lines.extend(body);
    lines.extend(other_containers);
    lines.push("}".to_owned());
    draft.services.push(Part {
        of: of.clone(),
        lines,
        by_line: false,
    });
    draft.namespaces.extend(workload.namespace.clone());
    if !left_out.is_empty() {
        draft.leave(&of, left_out.join(", "));
    }
}

fn pod_container<'n>(pod: &'n Yaml, container: &Container, text: &str) -> Option<&'n Yaml> {
    let list = if container.role == Role::Main {
        "containers"
    } else {
        "initContainers"
    };
    let mut items = at(pod, &[list], text)?.items().iter();
    items.find(|item| {
        item.entry("name", text)
            .is_some_and(|(_, name)| name.range() == container.at)
    })
}

/// The fields of a container, or why a program cannot have it.
fn fields(
    container: &Container,
    node: Option<&Yaml>,
    text: &str,
    is_main: bool,
    said: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let node = node.ok_or("comes from an anchor or a merge key")?;
    let limit = container
        .memory
        .limit
        .as_ref()
        .ok_or("has no memory limit, and without one nothing can be proved")?;
    let request = container
        .memory
        .request
        .as_ref()
        .map_or(limit.n, |amount| amount.n);
    let say =
        |n: u64| memory(n).ok_or_else(|| format!("has {n} bytes, which no unit of a program says"));
    let mut lines = vec![match (request == limit.n, is_main) {
        (true, _) => format!("memory = {}", say(limit.n)?),
        (false, true) => format!(
            "memory {{ request = {} limit = {} }}",
            say(request)?,
            say(limit.n)?
        ),
        (false, false) => {
            return Err("has a request below its limit, which a program can only give to the main container".to_owned());
        }
    }];
    let milli =
        |amount: &Option<crate::manifest::workload::Amount>| amount.as_ref().map(|amount| amount.n);
    lines.extend(cpu(
        milli(&container.cpu.request),
        milli(&container.cpu.limit),
    ));
    let image = at(node, &["image"], text)
        .and_then(|node| node.text(text))
        .ok_or("has no `image`")?;
    lines.push(format!("image = {}", quoted(image)));
    for field in ["command", "args"] {
        if let Some(items) = at(node, &[field], text).and_then(|node| texts(node, text)) {
            lines.push(format!("{field} = {}", list(items)));
        }
    }
    let mut env: Vec<String> = Vec::new();
    for item in at(node, &["env"], text).map_or(&[][..], Yaml::items) {
        let of = |keys: &[&str]| at(item, keys, text).and_then(|node| node.text(text));
        let Some(name) = of(&["name"]) else { continue };
        let secret = ["name", "key"].map(|field| of(&["valueFrom", "secretKeyRef", field]));
        match (of(&["value"]), secret) {
            (Some(value), _) => env.push(format!("{} = {}", key(name), quoted(value))),
            (None, [Some(secret), Some(field)]) if key(secret) == secret && key(field) == field => {
                env.push(format!("{} = secret {secret}/{field}", key(name)));
            }
            _ => said.push(format!("the variable `{name}` of `{}`", container.name)),
        }
    }
    if !env.is_empty() {
        lines.push(format!("env {{ {} }}", env.join("\n")));
    }
    let ports = at(node, &["ports"], text).map_or(&[][..], Yaml::items);
    match ports {
        [port] if is_main => {
            let number = at(port, &["containerPort"], text).and_then(|node| node.text(text));
            let host = at(port, &["hostPort"], text).and_then(|node| node.text(text));
            let udp = at(port, &["protocol"], text)
                .and_then(|node| node.text(text))
                .is_some_and(|word| word != "TCP");
            match number.filter(|_| !udp) {
                Some(number) => lines.push(format!("port = {number}")),
                None => said.push(format!("a port of `{}`", container.name)),
            }
            lines.extend(
                host.filter(|_| !udp)
                    .map(|host| format!("host-port = {host}")),
            );
        }
        [] => {}
        _ => said.push(format!("the ports of `{}`", container.name)),
    }
    for (field, _) in node.entries() {
        let field = field.text(text).unwrap_or_default();
        let noise = ["terminationMessagePolicy", "imagePullPolicy"];
        if !TAKEN_OF_CONTAINER.contains(&field) && !noise.contains(&field) {
            said.push(format!("`{field}` of `{}`", container.name));
        }
    }
    Ok(lines)
}

/// Lists the fields of an object that are not in the program.
fn left(root: &Yaml, workload: &Workload, text: &str, said: &mut Vec<String>) {
    let mut look = |node: Option<&Yaml>, prefix: &str, inner: &[&str]| {
        for (field, _) in node.map_or(&[][..], Yaml::entries) {
            let field = field.text(text).unwrap_or_default();
            let path = if prefix.is_empty() {
                field.to_owned()
            } else {
                format!("{prefix}.{field}")
            };
            if !TAKEN.contains(&path.as_str()) && !inner.contains(&field) {
                said.push(format!("`{path}`"));
            }
        }
    };
    look(Some(root), "", &["metadata", "spec"]);
    look(at(root, &["metadata"], text), "metadata", &[]);
    let (_, above) = workload.pod.split_last().unwrap_or((&"", &[]));
    look(
        at(root, &["spec"], text),
        "spec",
        &["template", "jobTemplate"],
    );
    if above.len() > 2 {
        look(
            at(root, &above[..above.len() - 1], text),
            "spec",
            &["template"],
        );
    }
    look(at(root, above, text), "template", &["metadata", "spec"]);
    let mut metadata = above.to_vec();
    metadata.push("metadata");
    look(at(root, &metadata, text), "template.metadata", &[]);
    look(at(root, &workload.pod, text), "pod", &[]);
}
