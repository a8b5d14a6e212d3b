//! Variables of compose: `.env`, and `${NAME:-default}` in the texts of a file (compose-spec, `12-interpolation.md`;
//! compose-spec/compose-go, `template/template.go`).

use super::data::Data;

/// Stands around the name of a variable that is set nowhere. A character for private use, so that no text has it.
const MARK: char = '\u{f8ff}';

/// How deep defaults may stand in each other.
const DEEPEST: usize = 8;

/// The lines of a `.env`.
pub(super) fn variables(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let value = value.trim();
        let quote = value.chars().next().filter(|c| ['"', '\''].contains(c));
        let value = match quote {
            Some(quote) => value[1..].split(quote).next().unwrap_or_default(),
            None => value.split(" #").next().unwrap_or_default().trim_end(),
        };
        all.push((name.trim().to_owned(), value.to_owned()));
    }
    all
}

/// Puts variables into all texts of a file.
pub(super) fn put_in(data: &mut Data, variables: &[(String, String)]) {
    match data {
        Data::Null => {}
        Data::Text(text, _) => {
            if text.contains(['$', MARK]) {
                *text = filled(&text.replace(MARK, "?"), variables, DEEPEST);
            }
        }
        Data::List(items) => items.iter_mut().for_each(|item| put_in(item, variables)),
        Data::Map(entries) => {
            let values = entries.iter_mut().map(|(_, value)| value);
            values.for_each(|value| put_in(value, variables));
        }
    }
}

/// The text with its variables put in. What is set nowhere stands between marks.
fn filled(text: &str, variables: &[(String, String)], deepest: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inner, after)) = rest.strip_prefix('{').and_then(braced) {
            out.push_str(&value(inner, variables, deepest));
            rest = after;
        } else {
            let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
            match end {
                0 => out.push('$'),
                end => out.push_str(&value(&rest[..end], variables, deepest)),
            }
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What stands before the brace that ends this one, and behind it.
fn braced(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The value of `NAME`, `NAME:-default`, `NAME-default`, `NAME:+other`, `NAME+other`, `NAME:?error` or `NAME?error`.
fn value(inner: &str, variables: &[(String, String)], deepest: usize) -> String {
    let end = inner.find(|c: char| !is_part(c)).unwrap_or(inner.len());
    let (name, operator) = inner.split_at(end);
    let set = variables.iter().rev().find(|(known, _)| known == name);
    let set = set.map(|(_, value)| value.as_str());
    let (must_be_full, operator) = match operator.strip_prefix(':') {
        Some(operator) => (true, operator),
        None => (false, operator),
    };
    let there = set.filter(|value| !must_be_full || !value.is_empty());
    let missing = format!("{MARK}{name}{MARK}");
    let fill = |text: &str| match deepest {
        0 => text.to_owned(),
        _ => filled(text, variables, deepest - 1),
    };
    match (operator.chars().next(), there) {
        (Some('-'), None) => fill(&operator[1..]),
        (Some('+'), Some(_)) => fill(&operator[1..]),
        (Some('+'), None) => String::new(),
        (_, Some(value)) => value.to_owned(),
        (_, None) => missing,
    }
}

/// Whether a variable in the text is set nowhere.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(MARK)
}

/// The names of the variables in a text that are set nowhere.
pub(super) fn open(text: &str) -> Vec<&str> {
    text.split(MARK).skip(1).step_by(2).collect()
}

/// The text as compose reads it: what is set nowhere is empty.
pub(super) fn closed(text: &str) -> String {
    text.split(MARK).step_by(2).collect()
}

/// The text as it was written, as far as variables go that are set nowhere.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split(MARK).enumerate() {
        match index % 2 {
            0 => out.push_str(part),
            _ => out.push_str(&format!("${{{part}}}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::import::variables::{DEEPEST, closed, filled, is_open, open, shown, variables};

    #[test]
    fn variables_are_put_in_as_compose_does() {
        let set = variables("A=1\n# no\nexport B=\"two words\" # c\nE=\nC=x #y\n");
        for (text, result) in [
            ("$A-${A}", "1-1"),
            ("${B}", "two words"),
            ("${C}", "x"),
            ("${N:-d}|${E:-d}|${E-d}|${N-d}", "d|d||d"),
            ("${N:-${A}}", "1"),
            ("${A:+set}|${N:+set}", "set|"),
            ("$$5 $${A} 100%$", "$5 ${A} 100%$"),
            ("${A:?must be set}", "1"),
        ] {
            assert_eq!(filled(text, &set, DEEPEST), result, "{text}");
        }
        let found = filled("a${N}b", &set, DEEPEST);
        assert!(is_open(&found));
        assert_eq!(closed(&found), "ab");
        assert_eq!(shown(&found), "a${N}b");
        assert_eq!(open(&found), ["N"]);
    }
}
