//! Kubernetes' quantities, from YAML to whole thousandths (k8s.io/apimachinery, pkg/api/resource/quantity.go).

use std::collections::BTreeMap;

use serde_yaml::Value;

/// Thousandths of a byte, of a core or of a piece.
pub(super) type Amount = i128;

/// Amounts by the names that Kubernetes gives them: `memory`, `cpu`, `nvidia.com/gpu`.
pub(super) type Resources = BTreeMap<String, Amount>;

const SUFFIXES: [(&str, Amount); 15] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    // Below one: divided by, not multiplied with.
    ("m", -1_000),
    ("u", -1_000_000),
    ("n", -1_000_000_000),
];

/// A quantity as it is written. What is finer than a thousandth is rounded up, as Kubernetes does.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let suffix = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix));
    let (number, factor) = match suffix {
        Some((suffix, factor)) => (text.strip_suffix(suffix)?, *factor),
        None => (text, 1),
    };
    let (number, exponent) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<u32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: Amount = format!("{whole}{fraction}").parse().ok()?;
    let above = digits * 1000 * 10_i128.pow(exponent) * factor.max(1);
    let below = 10_i128.pow(u32::try_from(fraction.len()).ok()?) * (-factor).max(1);
    Some((above + below - 1).div_euclid(below))
}

/// The text of a scalar.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A mapping of amounts. What is no quantity is left out.
pub(super) fn resources(value: &Value) -> Resources {
    let entries = value.as_mapping().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((text(key)?, amount(&text(value)?)?)))
        .collect()
}

/// A mapping of texts, as labels are.
pub(super) fn texts(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_mapping().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
        .collect()
}

/// The elements of a sequence, none if it is not there.
pub(super) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_sequence().into_iter().flatten()
}

/// A number that may be missing.
pub(super) fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

#[test]
fn quantities_are_read_as_kubernetes_does() {
    let cases = [
        ("1", 1_000),
        ("100m", 100),
        ("0.5", 500),
        ("64Mi", 64 << 20),
        ("1.5Gi", 3 << 29),
        ("12e6", 12_000_000_000),
        ("1n", 1),
        ("40M", 40_000_000_000),
    ];
    for (text, wanted) in cases {
        let wanted = if text.ends_with('i') {
            wanted * 1000
        } else {
            wanted
        };
        assert_eq!(amount(text), Some(wanted), "{text}");
    }
    assert_eq!(amount("much"), None);
}
