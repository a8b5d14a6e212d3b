//! Resources that are counted by their names, ephemeral storage and devices: what pods ask for, and which nodes have it.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::pods::{pod_sum, pod_template};
use super::quantity::{bytes, scalar};
use super::{Demand, Faults, Files, by_name, text};

/// What a pod of an object asks for, by name.
pub(super) fn asks(object: &Value) -> BTreeMap<String, u128> {
    let pod = pod_template(object);
    let request = |container: &Value, resource: &str| {
        let list = |which: &str| scalar(&container["resources"][which][resource]);
        let text = list("requests").or_else(|| list("limits"));
        text.and_then(|text| bytes(&text)).unwrap_or(0)
    };
    let containers = ["initContainers", "containers"].map(|key| &pod[key]);
    let containers = containers.into_iter().filter_map(Value::as_sequence);
    let lists = containers.flatten().flat_map(|container| {
        let lists = ["requests", "limits"].map(|which| &container["resources"][which]);
        lists.into_iter().filter_map(Value::as_mapping)
    });
    let names: BTreeSet<&str> = lists
        .flat_map(|list| list.keys().filter_map(Value::as_str))
        .filter(|name| !["cpu", "memory"].contains(name))
        .collect();
    let sums = names.into_iter().map(|name| {
        let sum = pod_sum(pod, &|container| request(container, name));
        (name.to_owned(), sum)
    });
    sums.filter(|(_, sum)| *sum > 0).collect()
}

/// Takes the nodes without a device that pods ask for out of those that take them, if any has it.
pub(super) fn with_devices(asks: &BTreeMap<String, u128>, report: &Value, nodes: &mut [bool]) {
    let has = |at: usize, device: &str| {
        let supplies = report["nodes"][at]["supplies"].as_sequence();
        let mut supplies = supplies.into_iter().flatten();
        supplies.any(|supply| supply["resource"] == device)
    };
    for device in asks.keys().filter(|name| name.contains('/')) {
        if (0..nodes.len()).any(|at| nodes[at] && has(at, device)) {
            (0..nodes.len()).for_each(|at| nodes[at] &= has(at, device));
        }
    }
}

/// Compares what a service asks for with what the report says, as far as its own manifest says it: a LimitRange may give
/// more.
pub(super) fn check_asks(
    name: &str,
    asks: &BTreeMap<String, u128>,
    service: &Value,
    faults: &mut Faults,
) {
    for (resource, asked) in asks {
        let stated = service["asks"].as_sequence().into_iter().flatten();
        let mut stated = stated.filter(|ask| ask["resource"] == resource.as_str());
        let each = stated.next().map_or(Value::Null, |ask| ask["each"].clone());
        faults.same(&format!("{name}: {resource}"), *asked, &each);
    }
}

/// What is asked for on each node is what the pods that may be there ask for, and no more than there is where liveness is
/// proved.
pub(super) fn check_supplies(
    files: &Files,
    report: &Value,
    names: &[&str],
    demand: &Demand,
    faults: &mut Faults,
) -> Option<()> {
    let mut theorems = report["theorems"].as_sequence()?.iter();
    let proved = theorems.any(|one| one["id"] == "T4" && one["verdict"] == "proved");
    for (at, name) in names.iter().enumerate() {
        let stated = by_name(&report["nodes"], name)?["supplies"].as_sequence();
        for supply in stated.into_iter().flatten() {
            let resource = supply["resource"].as_str()?;
            let asked = demand.worst(|workload, pods| {
                let each = workload.asks.get(resource).copied().unwrap_or(0);
                each * workload.on(at, pods)
            });
            faults.same(&format!("{name}: {resource}"), asked, &supply["asked"]);
            if resource == "ephemeral-storage" {
                let config = text(files, &format!("k3s/{name}/config.yaml"))?;
                let mut parts = config.split([',', '=', '"', '\n']).map(str::trim);
                let is_next = parts.any(|part| part == resource);
                let reserved = parts.next().filter(|_| is_next).map_or(Some(0), bytes)?;
                faults.same(
                    &format!("{name}: {resource} that is reserved"),
                    reserved,
                    &supply["reserved"],
                );
            }
            let has = u128::from(supply["has"].as_u64()? - supply["kept"].as_u64()?);
            faults.holds(asked <= has || !proved, || {
                format!("{name}: {asked} of `{resource}` are asked for, {has} are there")
            });
        }
    }
    Some(())
}
