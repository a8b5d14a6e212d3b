//! The program that an import is writing: its parts as lines, and how values are written there.

use crate::base::quantity::{Bytes, Cpu};
use crate::manifest::tree::{Kind, Yaml};

/// A declaration of the program that is being written.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Its name in messages, such as `web (k8s/web.yaml)`.
    pub(super) of: String,
    /// Its lines.
    pub(super) lines: Vec<String>,
    /// Whether a refused line is taken out alone. Otherwise the whole part is.
    pub(super) by_line: bool,
}

/// The parts that were found so far, and what is left out.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) node: Option<String>,
    pub(super) namespaces: Vec<String>,
    pub(super) k3s: Vec<Part>,
    pub(super) services: Vec<Part>,
    pub(super) left_out: Vec<String>,
}

impl Draft {
    pub(super) fn leave(&mut self, of: &str, what: impl AsRef<str>) {
        self.left_out.push(format!("{of}: {}", what.as_ref()));
    }
}

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key as it can be written: bare, or between quotes.
pub(super) fn key(text: &str) -> String {
    let bare = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { text.to_owned() } else { quoted(text) }
}

/// A list of texts.
pub(super) fn list<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    format!(
        "[{}]",
        items.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
    )
}

/// Memory as a program writes it. `None` for bytes that are not whole Ki: the language has no unit for them.
pub(super) fn memory(n: u64) -> Option<String> {
    let text = Bytes::new(n).to_string();
    (!text.ends_with(|c: char| c.is_ascii_digit())).then_some(text)
}

/// CPU as a field.
pub(super) fn cpu(request: Option<u64>, limit: Option<u64>) -> Option<String> {
    let text = |milli: u64| Cpu::milli(milli).to_string();
    match (request.or(limit), limit) {
        (Some(request), Some(limit)) if request == limit => Some(format!("cpu = {}", text(limit))),
        (Some(request), Some(limit)) => Some(format!("cpu = {}..{}", text(request), text(limit))),
        (Some(request), None) => Some(format!("cpu {{ request = {} }}", text(request))),
        (None, _) => None,
    }
}

/// The scalars of a list, or the one scalar that stands for a list of one.
pub(super) fn texts<'n>(node: &'n Yaml, text: &'n str) -> Option<Vec<&'n str>> {
    match &node.kind {
        Kind::List(_, items) => {
            let items = items.iter().filter(|item| !item.is_null(text));
            items.map(|item| item.text(text)).collect()
        }
        _ => node.text(text).map(|one| vec![one]),
    }
}
