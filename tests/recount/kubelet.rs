//! What config.yaml tells the kubelet.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::Faults;
use super::quantity::bytes;

/// What config.yaml tells the kubelet: the values of each argument, in order.
pub(super) fn kubelet_arguments(config: &Value) -> Option<BTreeMap<String, Vec<String>>> {
    let mut arguments: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in config["kubelet-arg"].as_sequence()? {
        let (key, value) = line.as_str()?.split_once('=')?;
        arguments
            .entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    Some(arguments)
}

/// The one value of an argument; none if it is absent.
pub(super) fn single(
    arguments: &BTreeMap<String, Vec<String>>,
    key: &str,
    faults: &mut Faults,
) -> Option<String> {
    let values = arguments.get(key)?;
    faults.holds(values.len() == 1, || {
        format!("kubelet-arg {key} is given {} times", values.len())
    });
    values.last().cloned()
}

/// `memory` out of `memory=1Gi,cpu=100m`.
pub(super) fn reserved(argument: Option<String>) -> Option<u128> {
    let Some(argument) = argument else {
        return Some(0);
    };
    let pairs = argument.split(',').filter_map(|pair| pair.split_once('='));
    let memory: Vec<&str> = pairs
        .filter(|(key, _)| *key == "memory")
        .map(|(_, value)| value)
        .collect();
    bytes(memory.last()?)
}

/// The threshold out of `memory.available<100Mi,nodefs.available<5%`.
pub(super) fn eviction(argument: &str, capacity: u128, faults: &mut Faults) -> Option<u128> {
    let signals: BTreeMap<&str, &str> = argument
        .split(',')
        .filter_map(|signal| signal.split_once('<'))
        .collect();
    // The flag replaces K3s's own two; without them a full disk stops evicting.
    for signal in ["nodefs.available", "imagefs.available"] {
        faults.holds(signals.contains_key(signal), || {
            format!("eviction-hard lacks {signal}")
        });
    }
    let threshold = signals.get("memory.available")?;
    match threshold.strip_suffix('%') {
        Some(percent) => Some(capacity * percent.parse::<u128>().ok()? / 100),
        None => bytes(threshold),
    }
}
