//! The text of a number or a text literal to what it says, with nom.

use std::borrow::Cow;

use nom::Parser;
use nom::character::complete::{char, digit1, hex_digit1};
use nom::combinator::{all_consuming, map_res, opt, rest};
use nom::error::Error;
use nom::sequence::{delimited, preceded};

use crate::base::quantity::ByteUnit;

/// A number as written: `1.5Gi` is 15 with one decimal and the suffix `Gi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<'t> {
    /// All digits, without the point.
    pub digits: u64,
    /// How many of them are decimals.
    pub decimals: u32,
    /// The suffix behind them.
    pub suffix: &'t str,
}

/// Reads the text of a number token; `None` if its digits do not fit 64 bits.
pub(crate) fn number(text: &str) -> Option<Number<'_>> {
    let mut parts = all_consuming((
        digit1::<&str, Error<&str>>,
        opt(preceded(char('.'), digit1)),
        rest,
    ));
    let (_, (whole, fraction, suffix)) = parts.parse(text).ok()?;
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let mut digits: u64 = whole.parse().ok()?;
    for digit in fraction.bytes() {
        digits = digits
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))?;
    }
    Some(Number {
        digits,
        decimals: u32::try_from(fraction.len()).ok()?,
        suffix,
    })
}

/// A number with a unit of elsewhere as bz writes it, or one of bz that does not come out whole: `2GB` is `1907Mi`, `32mib`
/// is `32Mi`, `1.9Gi` is `1945Mi`, `30sec` is `30s`. Memory is rounded down to whole Mi, below 1Mi to whole Ki.
/// `None` if the unit is not known.
pub(crate) fn meant(text: &str) -> Option<String> {
    let number = number(text)?;
    let digits = &text[..text.len() - number.suffix.len()];
    let unit = number.suffix.to_ascii_lowercase();
    let known = ByteUnit::from_suffix(number.suffix).map(|unit| u128::from(unit.bytes()));
    let factor: u128 = match unit.as_str() {
        _ if known.is_some() => known?,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" | "g" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        "ms" | "s" | "h" => return Some(format!("{digits}{unit}")),
        "sec" | "secs" | "second" | "seconds" => return Some(format!("{digits}s")),
        "min" | "mins" | "minute" | "minutes" => return Some(format!("{digits}min")),
        "hours" | "hour" | "hr" | "hrs" => return Some(format!("{digits}h")),
        "cpu" | "cpus" | "core" | "cores" => return Some(digits.to_owned()),
        _ => return None,
    };
    let own = match unit.get(..1)? {
        "k" => "Ki",
        "m" => "Mi",
        _ => "Gi",
    };
    if number.decimals == 0 && factor.is_power_of_two() && !unit.starts_with('t') {
        return Some(format!("{digits}{own}"));
    }
    let bytes = u128::from(number.digits) * factor / 10_u128.checked_pow(number.decimals)?;
    match (bytes >> 20, bytes >> 10) {
        (0, 0) => None,
        (0, kibi) => Some(format!("{kibi}Ki")),
        (mebi, _) => Some(format!("{mebi}Mi")),
    }
}

/// Reads the text of a text token, quotes included. An unknown escape is an error with its byte offset in `text`.
pub(crate) fn text(text: &str) -> Result<Cow<'_, str>, usize> {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        return Ok(Cow::Owned(outdented(
            block.strip_suffix("\"\"\"").unwrap_or(block),
        )));
    }
    let inner = &text[1..text.len() - 1];
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut left = inner;
    while let Some(at) = left.find('\\') {
        out.push_str(&left[..at]);
        let (after, character) =
            escape(&left[at + 1..]).ok_or(1 + inner.len() - left.len() + at)?;
        out.push(character);
        left = after;
    }
    out.push_str(left);
    Ok(Cow::Owned(out))
}

/// What follows a backslash.
fn escape(input: &str) -> Option<(&str, char)> {
    let simple = input.chars().next().and_then(|c| {
        Some(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '"' => '"',
            '\\' => '\\',
            _ => return None,
        })
    });
    if let Some(character) = simple {
        return Some((&input[1..], character));
    }
    let code = map_res(hex_digit1::<&str, Error<&str>>, |hex: &str| {
        u32::from_str_radix(hex, 16)
    });
    let (after, code) = preceded(char('u'), delimited(char('{'), code, char('}')))
        .parse(input)
        .ok()?;
    char::from_u32(code).map(|character| (after, character))
}

/// A text block without the line its opening quotes stand on and without the indentation of its closing ones.
fn outdented(block: &str) -> String {
    let body = block
        .strip_prefix("\r\n")
        .or_else(|| block.strip_prefix('\n'))
        .unwrap_or(block);
    let last_line = body.rsplit('\n').next().unwrap_or_default();
    let indent = if last_line.trim().is_empty() {
        last_line.len()
    } else {
        0
    };
    let kept = &body[..body.len() - indent];
    let mut out = String::with_capacity(kept.len());
    for line in kept.split_inclusive('\n') {
        let blanks = line
            .bytes()
            .take(indent)
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        out.push_str(&line[blanks..]);
    }
    out.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_decimals_and_suffix() {
        assert_eq!(
            number("48Mi"),
            Some(Number {
                digits: 48,
                decimals: 0,
                suffix: "Mi"
            })
        );
        assert_eq!(
            number("1.50Gi"),
            Some(Number {
                digits: 15,
                decimals: 1,
                suffix: "Gi"
            })
        );
        assert_eq!(
            number("40%"),
            Some(Number {
                digits: 40,
                decimals: 0,
                suffix: "%"
            })
        );
        assert_eq!(number("99999999999999999999"), None);
    }

    #[test]
    fn units_of_elsewhere_are_what_they_mean_in_bz() {
        let all = [
            ("2GB", Some("1907Mi")),
            ("300MB", Some("286Mi")),
            ("1.9Gi", Some("1945Mi")),
            ("0.3Mi", Some("307Ki")),
            ("500kb", Some("488Ki")),
            ("32mib", Some("32Mi")),
            ("1g", Some("1Gi")),
            ("1TiB", Some("1048576Mi")),
            ("30sec", Some("30s")),
            ("2cores", Some("2")),
            ("2fa", None),
            ("1kb", None),
        ];
        for (text, wanted) in all {
            assert_eq!(meant(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn texts_lose_quotes_and_escapes() {
        assert_eq!(text("\"a\""), Ok(Cow::Borrowed("a")));
        assert_eq!(
            text(r#""a\n\"\u{e9}""#),
            Ok(Cow::Owned("a\n\"é".to_owned()))
        );
        assert_eq!(text(r#""ab\q""#), Err(3));
        assert_eq!(text(r#""\u{110000}""#), Err(1));
    }

    #[test]
    fn blocks_lose_their_indentation() {
        let block = "\"\"\"\n    a:\n      b: 1\n\n    \"\"\"";
        assert_eq!(text(block).as_deref(), Ok("a:\n  b: 1\n\n"));
        assert_eq!(text("\"\"\"x\"\"\"").as_deref(), Ok("x"));
    }
}
