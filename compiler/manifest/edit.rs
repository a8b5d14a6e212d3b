//! Changes of a manifest that leave every other byte as it is: a tree, and what is wanted in it, to a new text.
//!
//! Two steps that know nothing of each other. The first turns what is wanted into splices of the text. The second
//! reads the new text and compares it with the old tree: what was wanted must be there, and everything else must be
//! what it was. If it is not, the edit is refused: so a layout that nobody thought of costs a refusal, never a file.

mod compare;
mod want;

use compare::{check, says};
use std::ops::Range;
use want::refuse;
pub(crate) use want::{Refusal, Want};

use super::tree::{Kind, Style, Tree, Yaml};

/// Bytes that are replaced.
type Splice = (Range<usize>, String);

struct Editor<'t> {
    source: &'t str,
    tree: &'t Tree,
    splices: Vec<Splice>,
    /// Blanks a level of the file is indented by.
    step: usize,
}

/// Changes a file: for each of its documents, by index, what is wanted in it. The new text; the same text, if all of
/// it is there already.
///
/// # Errors
///
/// Where a value is shared, where it stands in a form that cannot be changed alone, and where the new text would not be
/// the old one with what was wanted.
pub(crate) fn apply(source: &str, tree: &Tree, wants: &[(usize, Want)]) -> Result<String, Refusal> {
    let mut editor = Editor {
        source,
        tree,
        splices: Vec::new(),
        step: 2,
    };
    for (document, want) in wants {
        let Some(root) = tree.documents.get(*document) else {
            continue;
        };
        editor.step = step(root, source);
        editor.change(root, want)?;
    }
    let mut splices = editor.splices;
    if splices.is_empty() {
        return Ok(source.to_owned());
    }
    // Of lines that are added in one place, those of the inner mapping come first.
    let blanks = |text: &str| {
        let text = text.trim_start_matches(['\r', '\n']);
        text.len() - text.trim_start_matches(' ').len()
    };
    splices.sort_by_key(|(range, new)| (range.start, range.end, std::cmp::Reverse(blanks(new))));
    let mut text = String::with_capacity(
        source.len() + splices.iter().map(|(_, new)| new.len()).sum::<usize>(),
    );
    let mut at = 0;
    for (range, new) in splices {
        let Some(before) = source.get(at..range.start) else {
            return refuse(range, "two changes meet in one place");
        };
        text.push_str(before);
        text.push_str(&new);
        at = range.end;
    }
    text.push_str(&source[at..]);
    check(source, tree, &text, wants)?;
    Ok(text)
}

/// The least indentation of a mapping below another one.
fn step(root: &Yaml, source: &str) -> usize {
    let mut found = None;
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let column = column(source, node.start as usize);
        for (_, value) in node.entries() {
            if let (Kind::Map(false, _), Kind::Map(false, _)) = (&node.kind, &value.kind) {
                let deeper = column_of(value, source).saturating_sub(column);
                if deeper > 0 && found.is_none_or(|known| deeper < known) {
                    found = Some(deeper);
                }
            }
            open.push(value);
        }
        open.extend(node.items());
    }
    found.unwrap_or(2)
}

fn column_of(node: &Yaml, source: &str) -> usize {
    column(source, node.start as usize)
}

/// How many bytes stand before a place on its line.
fn column(source: &str, at: usize) -> usize {
    let start = source[..at].rfind('\n').map_or(0, |at| at + 1);
    let bom = if source[start..at].starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    at - start - bom
}

/// How a line that holds this place ends.
fn line_end(source: &str, at: usize) -> &'static str {
    let windows = match source[at..].find('\n') {
        Some(end) => source[..at + end].ends_with('\r'),
        None => source.contains("\r\n"),
    };
    if windows { "\r\n" } else { "\n" }
}

impl Editor<'_> {
    fn splice(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.splices.push((range, text.into()));
    }

    /// Whether an alias somewhere shows the same node.
    fn check_shared(&self, node: &Yaml) -> Result<(), Refusal> {
        if node.anchor > 0 && self.tree.shared.contains_key(&node.anchor) {
            return refuse(
                node.range(),
                "an alias elsewhere in the file shows the same value, and would change with it",
            );
        }
        Ok(())
    }

    fn change(&mut self, node: &Yaml, want: &Want) -> Result<(), Refusal> {
        if want.is_nothing() {
            return Ok(());
        }
        self.check_shared(node)?;
        match (want, &node.kind) {
            (_, Kind::Alias(_)) => refuse(node.range(), "the value comes from an anchor"),
            (Want::Map(wants), Kind::Map(flow, entries)) => {
                let merges = entries
                    .iter()
                    .any(|(key, _)| key.text(self.source) == Some("<<"));
                for (key, want) in wants.iter().filter(|(_, want)| !want.is_nothing()) {
                    match node.entry(key, self.source) {
                        Some((at, value)) => self.change_entry(node, *flow, (at, value), want)?,
                        None if *want == Want::Absent => {}
                        None if merges => {
                            return refuse(
                                node.range(),
                                format!("`{key}` may come from a merge key (`<<`)"),
                            );
                        }
                        None => self.insert(node, *flow, entries, key, want)?,
                    }
                }
                Ok(())
            }
            (Want::Items(wants), Kind::List(_, items)) => {
                for (index, want) in wants {
                    let Some(item) = items.get(*index) else {
                        return refuse(node.range(), "an item is missing");
                    };
                    self.change(item, want)?;
                }
                Ok(())
            }
            (Want::Named(wants), Kind::List(flow, items)) => {
                for (name, want) in wants {
                    let named = |item: &&Yaml| {
                        item.entry("name", self.source)
                            .and_then(|(_, value)| value.text(self.source))
                            == Some(name)
                    };
                    match items.iter().find(named) {
                        Some(item) => self.change(item, want)?,
                        None => self.append(node, *flow, items, name, want)?,
                    }
                }
                Ok(())
            }
            (Want::Word(_) | Want::Count(_) | Want::Text(_), Kind::Scalar(style, _)) => {
                self.set_scalar(node, *style, want)
            }
            _ => refuse(
                node.range(),
                "the value is of another kind than Kubernetes wants here",
            ),
        }
    }

    fn set_scalar(&mut self, node: &Yaml, style: Style, want: &Want) -> Result<(), Refusal> {
        if says(node, self.source, want) {
            return Ok(());
        }
        let new = match (style, want) {
            (Style::Block, _) => return refuse(node.range(), "the value is written as a block"),
            (Style::Single, Want::Word(word)) => format!("'{word}'"),
            (Style::Double, Want::Word(word)) => format!("\"{word}\""),
            _ => inline(want, false),
        };
        self.splice(node.range(), new);
        Ok(())
    }

    /// Changes the value of a key that is there.
    fn change_entry(
        &mut self,
        map: &Yaml,
        flow: bool,
        (key, value): (&Yaml, &Yaml),
        want: &Want,
    ) -> Result<(), Refusal> {
        if *want == Want::Absent {
            return self.remove(map, flow, key, value);
        }
        let holds_nothing = value.is_null(self.source)
            || matches!((&value.kind, want), (Kind::Map(true, entries), Want::Map(_)) if entries.is_empty())
            || matches!((&value.kind, want), (Kind::List(true, items), Want::Named(_)) if items.is_empty());
        if !holds_nothing {
            return self.change(value, want);
        }
        if value.anchor > 0 {
            return refuse(key.range(), "the value has an anchor");
        }
        let colon = self.colon(key)?;
        let is_scalar = !matches!(want, Want::Map(_) | Want::Named(_));
        if value.is_empty() && (flow || is_scalar) {
            self.splice(colon..colon, format!(" {}", inline(want, self.quotes(map))));
            return Ok(());
        }
        if flow || is_scalar {
            self.splice(value.range(), inline(want, self.quotes(map)));
            return Ok(());
        }
        // A block below the key, whatever stands behind the key stays there.
        if !value.is_empty() {
            let behind = self.source[value.range().end..].chars().next();
            let ends = behind.is_none_or(|c| c == '\n' || c == '\r');
            let blanks = if ends {
                self.source[colon..value.range().start].len()
            } else {
                1
            };
            self.splice(
                value.range().start.saturating_sub(blanks).max(colon)..value.range().end,
                "",
            );
        }
        let from = if value.is_empty() {
            colon
        } else {
            value.range().end
        };
        self.insert_lines(
            from,
            &block(
                want,
                column_of(key, self.source),
                self.step,
                matches!(want, Want::Map(_)),
            ),
        );
        Ok(())
    }

    /// The place right behind the colon of a key.
    fn colon(&self, key: &Yaml) -> Result<usize, Refusal> {
        let rest = &self.source[key.range().end..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match rest[blanks..].starts_with(':') {
            true => Ok(key.range().end + blanks + 1),
            false => refuse(key.range(), "the key is written with `?`"),
        }
    }

    /// Puts lines behind the line of a place.
    fn insert_lines(&mut self, from: usize, lines: &[String]) {
        let end = line_end(self.source, from);
        match self.source[from..].find('\n') {
            Some(at) => {
                let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
                self.splice(from + at + 1..from + at + 1, text);
            }
            // The last line has no end, and the new last line has none either.
            None => {
                let text: String = lines.iter().map(|line| format!("{end}{line}")).collect();
                self.splice(self.source.len()..self.source.len(), text);
            }
        }
    }

    /// Whether keys of a mapping between braces stand between quotes.
    fn quotes(&self, map: &Yaml) -> bool {
        let quoted = |key: &Yaml| matches!(key.kind, Kind::Scalar(Style::Double, _));
        match map.entries().first() {
            Some((key, _)) => quoted(key),
            None => self
                .source
                .trim_start_matches('\u{feff}')
                .trim_start()
                .starts_with('{'),
        }
    }

    /// Adds an entry to a mapping.
    fn insert(
        &mut self,
        map: &Yaml,
        flow: bool,
        entries: &[(Yaml, Yaml)],
        key: &'static str,
        want: &Want,
    ) -> Result<(), Refusal> {
        if flow {
            let quotes = self.quotes(map);
            let name = if quotes {
                format!("\"{key}\"")
            } else {
                key.to_owned()
            };
            let entry = format!("{name}: {}", inline(want, quotes));
            let Some((last, value)) = entries.last() else {
                let at = map.range().start + 1;
                self.splice(at..at, entry);
                return Ok(());
            };
            if value.is_empty() {
                return refuse(last.range(), "a key between braces has no value");
            }
            let between = &self.source[map.range().start..last.range().start];
            let gap = match between.contains('\n') {
                true => {
                    let indent = " ".repeat(column_of(last, self.source));
                    format!("{}{indent}", line_end(self.source, map.range().start))
                }
                false => " ".to_owned(),
            };
            self.splice(
                value.range().end..value.range().end,
                format!(",{gap}{entry}"),
            );
            return Ok(());
        }
        let Some((first, _)) = entries.first() else {
            return refuse(map.range(), "the mapping is empty");
        };
        let column = column_of(first, self.source);
        let lines = block(
            &Want::Map(vec![(key, want.clone())]),
            column,
            self.step,
            false,
        );
        // Behind the last entry whose end is plain to see: text behind `|` may go on after its last line.
        let tail = entries
            .iter()
            .rev()
            .find_map(|(key, value)| self.tail(key, value));
        match tail {
            Some(from) => self.insert_lines(from, &lines),
            None => {
                let at = first.range().start;
                let end = line_end(self.source, at);
                let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
                self.splice(
                    at..at,
                    format!("{}{}", text.trim_start_matches(' '), " ".repeat(column)),
                );
            }
        }
        Ok(())
    }

    /// Where the last value of an entry ends; `None` where that is hard to say.
    fn tail(&self, key: &Yaml, value: &Yaml) -> Option<usize> {
        match &value.kind {
            Kind::Scalar(Style::Block, _) => None,
            _ if value.is_empty() => self.colon(key).ok(),
            Kind::Map(false, entries) => entries
                .last()
                .and_then(|(key, value)| self.tail(key, value)),
            Kind::List(false, items) => {
                let last = items.last().filter(|item| !item.is_empty())?;
                self.tail(last, last)
            }
            _ => Some(value.range().end),
        }
    }

    /// Adds a named item to a sequence.
    fn append(
        &mut self,
        list: &Yaml,
        flow: bool,
        items: &[Yaml],
        name: &str,
        want: &Want,
    ) -> Result<(), Refusal> {
        let Some(last) = items.last() else {
            return refuse(list.range(), "the sequence is empty");
        };
        let mut entries = vec![("name", Want::Text(name.to_owned()))];
        if let Want::Map(more) = want {
            entries.extend(more.iter().cloned());
        }
        let item = Want::Map(entries);
        if flow {
            let quotes = self.quotes(last);
            self.splice(
                last.range().end..last.range().end,
                format!(", {}", inline(&item, quotes)),
            );
            return Ok(());
        }
        let before = self.source[..last.range().start].trim_end_matches([' ', '\t']);
        let Some(before) = before.strip_suffix('-') else {
            return refuse(last.range(), "an item stands alone");
        };
        let Some(from) = self.tail(last, last) else {
            return refuse(last.range(), "an item ends with a block");
        };
        let dash = column(self.source, before.len());
        let mut lines = block(&item, dash + 2, self.step, false);
        if let Some(first) = lines.first_mut() {
            first.replace_range(dash..dash + 1, "-");
        }
        self.insert_lines(from, &lines);
        Ok(())
    }

    /// Takes an entry away with its lines.
    fn remove(&mut self, map: &Yaml, flow: bool, key: &Yaml, value: &Yaml) -> Result<(), Refusal> {
        self.check_shared(value)?;
        let end = self.tail(key, value);
        let (Some(end), true) = (end, map.entries().len() > 1) else {
            return refuse(key.range(), "it cannot be taken away alone");
        };
        let removed = key.range().start..end;
        if self.source[removed.clone()].contains('#') {
            return refuse(removed, "a comment stands in what has to go");
        }
        if flow {
            let rest = &self.source[end..];
            let gap = rest.len() - rest.trim_start().len();
            if rest[gap..].starts_with(',') {
                let behind = &rest[gap + 1..];
                let blanks = behind.len() - behind.trim_start_matches(' ').len();
                self.splice(removed.start..end + gap + 1 + blanks, "");
                return Ok(());
            }
            let before = self.source[..removed.start].trim_end();
            return match before.strip_suffix(',') {
                Some(before) => {
                    self.splice(before.len()..end, "");
                    Ok(())
                }
                None => refuse(removed, "it cannot be taken away alone"),
            };
        }
        let line = self.source[..removed.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let begins_line = self.source[line..removed.start]
            .bytes()
            .all(|byte| byte == b' ');
        let behind = self.source[end..]
            .find('\n')
            .map_or(self.source.len(), |at| end + at + 1);
        if !begins_line || !self.source[end..behind].trim().is_empty() {
            return refuse(removed, "it shares a line with something else");
        }
        self.splice(line..behind, "");
        Ok(())
    }
}

/// A value on one line. Between braces nothing but braces is safe below.
fn inline(want: &Want, quotes: bool) -> String {
    let key = |key: &str| {
        if quotes {
            format!("\"{key}\"")
        } else {
            key.to_owned()
        }
    };
    match want {
        Want::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, want)| format!("{}: {}", key(name), inline(want, quotes)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Want::Named(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|(name, want)| {
                    let mut entries = vec![("name", Want::Text(name.clone()))];
                    if let Want::Map(more) = want {
                        entries.extend(more.iter().cloned());
                    }
                    inline(&Want::Map(entries), quotes)
                })
                .collect();
            format!("[{}]", items.join(", "))
        }
        Want::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(item, quotes)).collect();
            format!("[{}]", items.join(", "))
        }
        Want::Word(word) if quotes => format!("\"{word}\""),
        Want::Word(word) => word.clone(),
        Want::Count(n) => n.to_string(),
        // JSON's quotes are YAML's.
        Want::Text(text) => serde_json::Value::String(text.clone()).to_string(),
        Want::Items(_) | Want::Absent => "null".to_owned(),
    }
}

/// A value as lines; those of a mapping stand at `column`, or one step deeper.
fn block(want: &Want, column: usize, step: usize, deeper: bool) -> Vec<String> {
    let column = if deeper { column + step } else { column };
    let indent = " ".repeat(column);
    let mut lines = Vec::new();
    match want {
        Want::Map(entries) => {
            for (key, want) in entries {
                match want {
                    Want::Map(inner) if !inner.is_empty() => {
                        lines.push(format!("{indent}{key}:"));
                        lines.extend(block(want, column, step, true));
                    }
                    Want::Named(_) => {
                        lines.push(format!("{indent}{key}:"));
                        lines.extend(block(want, column, step, false));
                    }
                    _ => lines.push(format!("{indent}{key}: {}", inline(want, false))),
                }
            }
        }
        Want::Named(items) => {
            for (name, want) in items {
                lines.push(format!(
                    "{indent}- name: {}",
                    inline(&Want::Text(name.clone()), false)
                ));
                lines.extend(block(want, column + 2, step, false));
            }
        }
        _ => lines.push(format!("{indent}{}", inline(want, false))),
    }
    lines
}
