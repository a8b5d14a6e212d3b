//! What the components of Kubernetes refuse: the values of their arguments against `stdlib/v1/k3s-arg-rules.tsv`. A
//! component that refuses one does not start, and K3s with it.

use std::borrow::Cow;

use super::errors;
use crate::base::span::Spanned;
use crate::sema::values::Cx;
use crate::stdlib;

/// Arguments of one component, with their values as K3s passes them on.
pub(crate) type Arguments<'a> = [(Spanned<&'a str>, Cow<'a, str>)];

/// Reports every rule of the component that its arguments break. What an election of leaders needs is checked by nobody
/// where there is none: K3s holds one (`elects`) unless its datastore is SQLite, and passes `leader-elect=false` there
/// (k3s pkg/cluster/cluster.go, pkg/daemons/control/server.go).
pub(crate) fn check(cx: &Cx<'_>, component: &str, arguments: &Arguments<'_>, elects: bool) {
    if arguments.is_empty() {
        return;
    }
    let given = |name: &str| arguments.iter().find(|(other, _)| other.value == name);
    let elects = given("leader-elect").map_or(elects, |(_, value)| value == "true");
    let counts = |row: &stdlib::ArgumentRule| {
        row.component == component
            && (elects || !row.name.starts_with("leader-elect-"))
            && row.only_with.is_none_or(|other| given(other).is_some())
    };
    for row in stdlib::argument_rules().filter(counts) {
        let (own, other) = (given(row.name), row.other.and_then(given));
        let (Some((place, _)), Some(why)) = (own.or(other), broken(&row, own, other)) else {
            continue;
        };
        let also = other.filter(|_| own.is_some()).map(|(name, _)| name.span);
        cx.report(errors::refused_argument(&row, &why, place.span, also));
    }
}

/// Why the rule does not hold, if it does not. A value that Go reads and this does not is left to the component.
fn broken(
    row: &stdlib::ArgumentRule,
    value: Option<&(Spanned<&str>, Cow<'_, str>)>,
    other_value: Option<&(Spanned<&str>, Cow<'_, str>)>,
) -> Option<String> {
    let text =
        |pair: Option<&(Spanned<&str>, Cow<'_, str>)>| pair.map(|(_, text)| text.to_string());
    let (value, other_value) = (text(value), text(other_value));
    let other_name = row.other.unwrap_or_default();
    match row.kind {
        "int" | "duration" => within(row, &value?),
        "bool" => {
            let value = value?;
            let words = [
                "true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False",
            ];
            (!words.contains(&value.as_str()))
                .then(|| format!("`{value}` is neither true nor false"))
        }
        "one-of" => {
            let value = value?;
            let known = !row.what.split('|').any(|known| known == value);
            known.then(|| format!("`{value}` is none of {}", row.what.replace('|', ", ")))
        }
        "needs" => {
            (value.is_some() && other_value.is_none()).then(|| format!("it needs `{other_name}`"))
        }
        "not-with" => (value.is_some() && other_value.is_some())
            .then(|| format!("it cannot be combined with `{other_name}`")),
        _ => {
            if value.is_none() && other_value.is_none() {
                return None;
            }
            let mut defaults = row.what.split(' ');
            let value = value.or_else(|| defaults.clone().next().map(str::to_owned))?;
            let other_value = other_value.or_else(|| defaults.nth(1).map(str::to_owned))?;
            let (left, right) = (number(&value)?, number(&other_value)?);
            let pair = format!("{value} with `{other_name}` of {other_value}");
            let percent = row.what.split(' ').nth(2).and_then(number);
            match (row.kind, percent) {
                ("below", Some(percent))
                    if left.saturating_mul(percent) >= right.saturating_mul(100) =>
                {
                    Some(format!("{percent}% of it must be less, and it is {pair}"))
                }
                ("below", None) if left >= right => Some(format!("it must be less, and is {pair}")),
                ("at-most", _) if left > right => {
                    Some(format!("it must not be more, and is {pair}"))
                }
                ("sum-above-0", _) if left + right <= 0 => {
                    Some(format!("their sum must not be 0, and it is {pair}"))
                }
                _ => None,
            }
        }
    }
}

/// A whole number or a duration in its range.
fn within(row: &stdlib::ArgumentRule, text: &str) -> Option<String> {
    let read = match row.kind {
        "int" => whole(text),
        _ => duration(text),
    };
    let Some(value) = read else {
        // Go reads numbers of other bases too.
        let other_base = row.kind == "int" && text.starts_with('0') && text.len() > 1;
        let kind = if row.kind == "int" {
            "a whole number"
        } else {
            "a duration such as `30s`"
        };
        return (!other_base).then(|| format!("`{text}` is not {kind}"));
    };
    let (least, most) = row.what.split_once("..")?;
    if number(least).is_some_and(|least| value < least) {
        return Some(format!("{text} is less than {least}"));
    }
    number(most)
        .is_some_and(|most| value > most)
        .then(|| format!("{text} is more than {most}"))
}

/// A whole number, or a duration in nanoseconds.
fn number(text: &str) -> Option<i128> {
    whole(text).or_else(|| duration(text))
}

fn whole(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    (plain && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A duration as Go reads one, in nanoseconds: `1h30m`, `1.5s`, `-2ms`, `0`.
fn duration(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, behind) = rest.split_at(digits);
        let end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let scale = UNITS.iter().find(|(name, _)| *name == unit)?.1;
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let read = |digits: &str| match digits {
            "" => Some(0),
            digits => digits.parse::<i128>().ok(),
        };
        sum = sum.checked_add(read(whole)?.checked_mul(scale)?)?;
        // More than nine digits are less than a nanosecond of a second.
        let fraction = &fraction[..fraction.len().min(9)];
        let parts = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        sum = sum.checked_add(read(fraction)?.checked_mul(scale)? / parts)?;
        rest = behind;
    }
    Some(sign * sum)
}

#[cfg(test)]
mod tests {
    use super::{duration, whole};

    #[test]
    fn durations_are_read_as_go_does() {
        for (text, read) in [
            ("30s", Some(30_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            (".5s", Some(500_000_000)),
            ("-2ms", Some(-2_000_000)),
            ("0", Some(0)),
            ("30", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("5min", None),
            ("", None),
            ("-", None),
            ("99999999999999999999999999999999999999999h", None),
        ] {
            assert_eq!(duration(text), read, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_decimal() {
        let texts = ["50", "-1", "+3", "0", "010", "0x10", "50%", "", "1.0"];
        let read = texts.map(whole);
        assert_eq!(
            read,
            [
                Some(50),
                Some(-1),
                Some(3),
                Some(0),
                None,
                None,
                None,
                None,
                None
            ]
        );
    }
}
