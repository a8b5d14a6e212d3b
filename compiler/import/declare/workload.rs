//! A workload with what is about it.

use super::around::Around;
use super::pod;
use super::ports::{Ports, node_port};
use crate::import::data::Data;
use crate::import::patch::{OF_WORKLOAD, Patch};
use crate::import::tree::{Block, Item, Name, Value, said};

/// What the API server puts in where nothing is written, and what it writes for itself.
const DEFAULTS: [(&[&str], &str); 14] = [
    (&["spec", "revisionHistoryLimit"], "10"),
    (&["spec", "progressDeadlineSeconds"], "600"),
    (&["spec", "podManagementPolicy"], "OrderedReady"),
    (&["spec", "minReadySeconds"], "0"),
    (&["spec", "suspend"], "false"),
    (&["spec", "successfulJobsHistoryLimit"], "3"),
    (&["spec", "failedJobsHistoryLimit"], "1"),
    (&["spec", "completionMode"], "NonIndexed"),
    (&["spec", "updateStrategy", "type"], "RollingUpdate"),
    (
        &["spec", "updateStrategy", "rollingUpdate", "partition"],
        "0",
    ),
    (
        &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"],
        "1",
    ),
    (
        &["spec", "updateStrategy", "rollingUpdate", "maxSurge"],
        "0",
    ),
    (
        &[
            "spec",
            "persistentVolumeClaimRetentionPolicy",
            "whenDeleted",
        ],
        "Retain",
    ),
    (
        &["spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"],
        "Retain",
    ),
];
/// What bzc writes itself, or nobody needs.
const OWN: [&[&str]; 11] = [
    &["apiVersion"],
    &["kind"],
    &["metadata", "name"],
    &["metadata", "uid"],
    &["metadata", "creationTimestamp"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
    &["metadata", "selfLink"],
    &["spec", "selector"],
    &["spec", "serviceName"],
];
/// Annotations that tools keep for themselves.
const NOTES_OF_TOOLS: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
];

/// Declares a workload. `main` is the namespace of the program.
pub(super) fn read(
    word: &'static str,
    name: &Name,
    written: &str,
    what: &str,
    mut object: Data,
    main: &str,
    around: &mut Around,
) -> Item {
    let mut block = Block::named(word, name, what);
    if name.as_str() != written {
        block.note(format!("it was called {}", said(written)));
    }
    drop_known(&mut object, main);
    let mut job = Data::Null;
    if word == "cron" {
        schedule(&mut object, &mut block);
        job = object
            .take_at(&["spec", "jobTemplate"])
            .unwrap_or(Data::Null);
        job.take_at(&["metadata", "creationTimestamp"]);
    }
    let whole = if word == "cron" {
        &mut job
    } else {
        &mut object
    };
    if matches!(word, "cron" | "job") {
        runs(whole, &mut block);
    }
    let template = whole.take_at(&["spec", "template"]);
    let mut template = template.unwrap_or(Data::Map(Vec::new()));
    let claims = object.take_at(&["spec", "volumeClaimTemplates"]);
    let labels = template.at(&["metadata", "labels"]).cloned();
    let labels = labels.unwrap_or(Data::Null);
    let mut patch = Patch::default();
    let ports = pod::read(
        word,
        name,
        &mut template,
        claims,
        &mut block,
        around,
        &mut patch.pod,
    );
    if matches!(word, "service" | "stateful") {
        replicas(word, written, &mut object, &mut block, around);
    }
    if word == "service" {
        rollout(&mut object, &mut block);
    }
    if matches!(word, "service" | "stateful" | "daemon") {
        services((word, name), &labels, &ports, &mut block, around);
    }
    if matches!(word, "service" | "stateful") {
        disruption(&labels, &mut block, around);
    }
    for data in [&mut object, &mut job] {
        drop_labels(data, &labels);
    }
    patch.workload.take(&mut object, &OF_WORKLOAD);
    patch.job.take(&mut job, &OF_WORKLOAD);
    patch.put(word, &mut block);
    for (data, prefix) in [
        (&object, ""),
        (&job, "jobTemplate"),
        (&template, "template"),
    ] {
        for left in data.fields(prefix) {
            block.leave(left);
        }
    }
    Item::Block(block)
}

/// Takes out the labels that bzc gives an object: its own, and those of its pods.
fn drop_labels(object: &mut Data, of_pods: &Data) {
    for (key, value) in of_pods.entries() {
        if object.at(&["metadata", "labels", key]) == Some(value) {
            object.take_at(&["metadata", "labels", key]);
        }
    }
    for key in pod::OWN_LABELS {
        object.take_at(&["metadata", "labels", key]);
    }
}

/// Takes out what a program needs not say.
fn drop_known(object: &mut Data, main: &str) {
    for path in OWN {
        object.take_at(path);
    }
    for (path, default) in DEFAULTS {
        if object.text_at(path) == Some(default) {
            object.take_at(path);
        }
    }
    if object
        .text_at(&["metadata", "namespace"])
        .unwrap_or_default()
        == main
    {
        object.take_at(&["metadata", "namespace"]);
    }
    for note in NOTES_OF_TOOLS {
        object.take_at(&["metadata", "annotations", note]);
    }
}

fn schedule(object: &mut Data, block: &mut Block) {
    if let Some(schedule) = object.take_text(&["spec", "schedule"]) {
        block.put("schedule", Value::text(&schedule));
    }
    match object.take_text(&["spec", "concurrencyPolicy"]).as_deref() {
        Some("Forbid") => {}
        Some("Replace") => block.put("concurrency", Value::fixed("replace")),
        _ => {
            block.put("concurrency", Value::fixed("allow"));
            block.put_noted(
                "at-most",
                Value::count(1),
                "Kubernetes holds it to no number",
            );
        }
    }
}

fn runs(object: &mut Data, block: &mut Block) {
    for (key, field) in [
        ("parallelism", "parallelism"),
        ("completions", "completions"),
        ("backoffLimit", "retries"),
    ] {
        let n = object.take_count(&["spec", key]);
        // One pod is what bz takes where nothing is said, six retries what Kubernetes does.
        let default = if key == "backoffLimit" { 6 } else { 1 };
        if let Some(n) = n.filter(|n| *n != default) {
            block.put(field, Value::count(n));
        }
    }
    if let Some(n) = object.take_count(&["spec", "activeDeadlineSeconds"]) {
        block.put("deadline", Value::unit(n, "s"));
    }
}

/// `replicas`, or `scale` where an autoscaler is about the workload.
fn replicas(word: &str, written: &str, object: &mut Data, block: &mut Block, around: &mut Around) {
    let replicas = object.take_count(&["spec", "replicas"]);
    let scaler = around.scalers.iter().position(|scaler| {
        let of = scaler.text_at(&["spec", "scaleTargetRef", "name"]);
        of == Some(written) && word == "service" && scale(scaler).is_some()
    });
    let scaler = scaler.map(|at| around.scalers.remove(at));
    if let Some((least, most, cpu)) = scaler.as_ref().and_then(scale) {
        let range = Value::range(&Value::count(least), &Value::count(most));
        match cpu {
            80 => block.put("scale", range),
            cpu => {
                let mut scale = Block::plain("scale");
                scale.put("pods", range);
                scale.put("cpu", Value::unit(cpu, "%"));
                block.put_block(scale);
            }
        }
        return;
    }
    if let Some(n) = replicas.filter(|n| *n != 1) {
        block.put("replicas", Value::count(n));
    }
}

/// The fewest pods, the most, and the percentage of CPU, of an autoscaler that looks at CPU alone.
fn scale(scaler: &Data) -> Option<(u64, u64, u64)> {
    let count = |path: &[&str]| {
        scaler
            .text_at(path)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let least = count(&["spec", "minReplicas"]).unwrap_or(1);
    let most = count(&["spec", "maxReplicas"])?;
    if scaler.at(&["spec", "behavior"]).is_some() {
        return None;
    }
    let old = count(&["spec", "targetCPUUtilizationPercentage"]);
    let cpu = match (
        old,
        scaler.at(&["spec", "metrics"]).map_or(&[][..], Data::items),
    ) {
        (Some(cpu), []) => cpu,
        (None, []) => 80,
        (None, [metric]) => {
            let is_cpu = metric.text_at(&["resource", "name"]) == Some("cpu");
            let target = metric.text_at(&["resource", "target", "averageUtilization"]);
            target.filter(|_| is_cpu)?.parse().ok()?
        }
        _ => return None,
    };
    (least >= 1 && least <= most).then_some((least, most, cpu))
}

/// `strategy`. What Kubernetes takes where nothing is said is a quarter, rounded up.
fn rollout(object: &mut Data, block: &mut Block) {
    let mut strategy = object.take_at(&["spec", "strategy"]).unwrap_or(Data::Null);
    let kind = strategy.take_text(&["type"]);
    if kind.as_deref() == Some("Recreate") {
        block.put("rollout", Value::fixed("recreate"));
        return;
    }
    let surge = strategy.take_text(&["rollingUpdate", "maxSurge"]);
    let unavailable = strategy.take_text(&["rollingUpdate", "maxUnavailable"]);
    let surge = surge.unwrap_or_else(|| "25%".to_owned());
    let (digits, unit) = match surge.strip_suffix('%') {
        Some(digits) => (digits, "%"),
        None => (surge.as_str(), ""),
    };
    match digits.parse::<u64>() {
        // That is `replace`, which bz takes where nothing is said.
        Ok(0) => {}
        Ok(n) => block.put("rollout", Value::after("surge", &Value::unit(n, unit))),
        Err(_) => block.leave(said(&format!(
            "spec.strategy.rollingUpdate.maxSurge: {surge}"
        ))),
    }
    let is_usual = matches!(unavailable.as_deref(), None | Some("0" | "25%"))
        || (surge == "0" && unavailable.as_deref() == Some("1"));
    if let Some(unavailable) = unavailable.filter(|_| !is_usual) {
        block.leave(said(&format!(
            "spec.strategy.rollingUpdate.maxUnavailable: {unavailable}"
        )));
    }
}

/// Whether a selector by labels chooses pods with these.
fn selects(selector: Option<&Data>, labels: &Data) -> bool {
    let selector = selector.map_or(&[][..], Data::entries);
    let matches = |(key, value): &(String, Data)| labels.at(&[key]) == Some(value);
    !selector.is_empty() && selector.iter().all(matches)
}

/// The PodDisruptionBudget that is about the pods, if bz can say it.
fn disruption(labels: &Data, block: &mut Block, around: &mut Around) {
    let is_here = |one: &Data| selects(one.at(&["spec", "selector", "matchLabels"]), labels);
    let Some(at) = around.disruptions.iter().position(is_here) else {
        return;
    };
    let found = around.disruptions.remove(at);
    let mut inner = Block::plain("disruption-budget");
    for (key, field) in [
        ("minAvailable", "min-available"),
        ("maxUnavailable", "max-unavailable"),
    ] {
        let Some(text) = found.text_at(&["spec", key]) else {
            continue;
        };
        let (digits, unit) = match text.strip_suffix('%') {
            Some(digits) => (digits, "%"),
            None => (text, ""),
        };
        match digits.parse() {
            Ok(n) => inner.put(field, Value::unit(n, unit)),
            Err(_) => block.leave(said(&format!("PodDisruptionBudget spec.{key}: {text}"))),
        }
    }
    block.put_block(inner);
}

/// Services that lead to the pods. Bz makes one of the name of the workload, with the ports of its container.
fn services(
    (word, name): (&str, &Name),
    labels: &Data,
    ports: &Ports,
    block: &mut Block,
    around: &mut Around,
) {
    let all = std::mem::take(&mut around.services);
    let (here, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, one)| selects(one.at(&["spec", "selector"]), labels));
    around.services = others;
    for (written, service) in here {
        let of = said(&format!("Service {written}"));
        if written != name.as_str() {
            block.leave(format!(
                "{of}: bz makes one of the name {}; apply this one beside it, or change who calls it",
                said(name.as_str())
            ));
            continue;
        }
        let kind = service.text_at(&["spec", "type"]).unwrap_or("ClusterIP");
        if service.text_at(&["spec", "sessionAffinity"]) == Some("ClientIP") {
            block.leave(format!("{of}: its `sessionAffinity` is `ClientIP`"));
        }
        if kind == "LoadBalancer" {
            block.put("service-type", Value::fixed("load-balancer"));
        }
        if service.text_at(&["spec", "clusterIP"]) == Some("None") && word != "stateful" {
            block.put("headless", Value::fixed("true"));
        }
        for port in service.at(&["spec", "ports"]).map_or(&[][..], Data::items) {
            let number = port.text_at(&["port"]).unwrap_or_default();
            let target = port.text_at(&["targetPort"]).unwrap_or(number);
            if ports.number(target) != number.parse().ok() {
                block.leave(format!(
                    "{of}: its port {} leads to {}, and that of bz to the same number",
                    said(number),
                    said(target)
                ));
            }
            let outside = port.text_at(&["nodePort"]).filter(|_| kind == "NodePort");
            if let Some(outside) = outside.and_then(|port| port.parse().ok()) {
                node_port(block, ports, target, outside);
            }
        }
    }
}
