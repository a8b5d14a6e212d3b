//! What the quotas of a cluster count while nothing is rolled out, by the rules of `admission`, against what report.json
//! says that they count.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::admission::{Rules, add, objects, usage};
use super::files::{Cluster, Files};
use super::quantity::{Amount, Resources, each, text};
use super::workload::{Concurrency, Kind, Workload, namespace, workloads};

/// Pods of a workload while nothing is rolled out, as many as an autoscaler may have.
fn at_rest(one: &Workload, nodes: usize) -> usize {
    match one.kind {
        Kind::DaemonSet { .. } => nodes,
        Kind::Job(run) => run.pods,
        Kind::Cron(run, Concurrency::Allow(runs)) => run.pods * runs,
        Kind::Cron(run, Concurrency::Forbid | Concurrency::Replace(_)) => run.pods,
        Kind::Deployment { .. } | Kind::ReplicaSet | Kind::StatefulSet { .. } | Kind::Pod => {
            one.scale.map_or(one.replicas, |(_, most)| most)
        }
    }
}

/// What there is of each resource in a namespace, beside pods.
fn beside(cluster: &Cluster, all: &[Workload], place: &str) -> Resources {
    let mut used = Resources::new();
    let here = || cluster.objects.iter().filter(|one| namespace(one) == place);
    // What Kubernetes makes in every namespace, and in the first one, is there once, also where a dump has it.
    let made: [(&str, &str, &[&str]); 3] = [
        (
            "ConfigMap",
            "kube-root-ca.crt",
            &["configmaps", "count/configmaps"],
        ),
        ("ServiceAccount", "default", &["count/serviceaccounts"]),
        ("Service", "kubernetes", &["services", "count/services"]),
    ];
    for (kind, name, counts) in made {
        let there = here().any(|one| one["kind"] == kind && one["metadata"]["name"] == name);
        if !there && (kind != "Service" || place == "default") {
            let each = counts.iter().map(|count| ((*count).to_owned(), 1000));
            add(&mut used, &each.collect());
        }
    }
    let of_pods: Vec<String> = { all.iter().filter(|one| one.template.namespace == place) }
        .flat_map(|one| {
            let pods = 0..at_rest(one, cluster.nodes.len());
            let claims = one.claims.iter();
            claims.flat_map(move |(claim, _)| {
                pods.clone()
                    .map(move |pod| format!("{claim}-{}-{pod}", one.name))
            })
        })
        .collect();
    // A claim of a StatefulSet's pod that a dump has.
    let is_made = |one: &&Value| {
        let name = one["metadata"]["name"].as_str();
        one["kind"] == "PersistentVolumeClaim"
            && name.is_some_and(|name| of_pods.iter().any(|made| made == name))
    };
    for object in here().filter(|one| !is_made(one)) {
        add(&mut used, &objects(object));
    }
    for one in all.iter().filter(|one| one.template.namespace == place) {
        for (_, spec) in &one.claims {
            let mut claim = Value::Mapping(serde_yaml::Mapping::new());
            claim["kind"] = "PersistentVolumeClaim".into();
            claim["spec"] = spec.clone();
            for _ in 0..at_rest(one, cluster.nodes.len()) {
                add(&mut used, &objects(&claim));
            }
        }
    }
    used
}

/// Where report.json says something else of a quota.
pub(crate) fn quota_faults(files: &Files) -> Result<Vec<String>, String> {
    let report = files.iter().find(|(path, _)| path == "report.json");
    let (_, report) = report.ok_or("no report")?;
    let report: Value = serde_yaml::from_slice(report).map_err(|error| error.to_string())?;
    let cluster = Cluster::new(files)?;
    let all = workloads(&cluster);
    let rules = Rules::new(&cluster.objects);
    let number = |entry: &Value, key: &str| entry[key].as_u64().map(Amount::from);
    let key = |entry: &Value| {
        Some((
            text(&entry["namespace"])?,
            text(&entry["name"])?,
            text(&entry["resource"])?,
        ))
    };
    let stated: BTreeMap<_, &Value> = each(&report["quotas"])
        .filter_map(|entry| Some((key(entry)?, entry)))
        .collect();
    let mut faults = Vec::new();
    // The one that bzc writes is checked for itself.
    let theirs = rules.quotas.iter().filter(|quota| quota.name != "bzc");
    let mut seen = 0;
    for quota in theirs {
        let mut used = match quota.counts_objects() {
            true => beside(&cluster, &all, &quota.namespace),
            false => Resources::new(),
        };
        for one in all
            .iter()
            .filter(|one| one.template.namespace == quota.namespace)
        {
            // What is refused, bzc does not promise to run.
            let Ok(pod) = rules.admit(&one.template) else {
                continue;
            };
            if quota.counts(&pod) {
                let mut each = usage(&pod.requests(), &pod.limits());
                each.insert("count/pods".to_owned(), 1000);
                for _ in 0..at_rest(one, cluster.nodes.len()) {
                    add(&mut used, &each);
                }
            }
        }
        for (resource, hard) in &quota.hard {
            let name = (
                quota.namespace.clone(),
                quota.name.clone(),
                resource.clone(),
            );
            let Some(entry) = stated.get(&name) else {
                // Of what no LimitRange settles nothing is stated, and then nothing is promised.
                if cluster.promises.proved {
                    faults.push(format!("{name:?}: the report has no sum"));
                }
                continue;
            };
            seen += 1;
            let counted = used.get(resource).copied().unwrap_or(0);
            for (key, counted) in [("hardMilli", *hard), ("restMilli", counted)] {
                if number(entry, key) != Some(counted) {
                    faults.push(format!(
                        "{name:?}: {key} counted {counted}, report.json says {}",
                        serde_yaml::to_string(&entry[key])
                            .unwrap_or_default()
                            .trim()
                    ));
                }
            }
        }
    }
    if seen != stated.len() {
        faults.push(format!(
            "{} sums of quotas, {seen} are of quotas",
            stated.len()
        ));
    }
    Ok(faults)
}
