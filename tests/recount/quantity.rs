//! Quantities of Kubernetes, and the values of YAML that hold them.

use serde_yaml::Value;

/// A quantity of Kubernetes as a fraction: `500m` is 500/1000, `1.5Gi` is 15 * 2^30 / 10, `1e3` is 1000.
pub(super) fn quantity(text: &str) -> Option<(u128, u128)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let mut below = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let above = match suffix {
        "" => 1,
        "n" | "u" | "m" => {
            below *= match suffix {
                "n" => 1_000_000_000,
                "u" => 1_000_000,
                _ => 1000,
            };
            1
        }
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "P" => 1_000_000_000_000_000,
        "E" => 1_000_000_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "Pi" => 1 << 50,
        "Ei" => 1 << 60,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let ten = 10_u128.checked_pow(power.unsigned_abs())?;
            if power < 0 {
                below *= ten;
            }
            if power < 0 { 1 } else { ten }
        }
    };
    Some((digits.checked_mul(above)?, below))
}

/// Whole bytes, rounded up as Kubernetes does.
pub(super) fn bytes(text: &str) -> Option<u128> {
    quantity(text).map(|(above, below)| above.div_ceil(below))
}

/// Thousandths, rounded up.
pub(super) fn milli(text: &str) -> Option<u128> {
    quantity(text).map(|(above, below)| (above * 1000).div_ceil(below))
}

/// A value of YAML as the text of a quantity.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
