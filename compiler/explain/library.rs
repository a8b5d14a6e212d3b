//! The library's own lines: what an origin such as `std.k3s.shim`, `runtime.fastapi.floor` or `std/k3s.bz:15` leads to, and
//! a runtime or module as it stands there.

use crate::base::text::wrapped;
use crate::stdlib;

/// Columns of an explanation without its margin.
pub(super) const WIDTH: usize = 76;

/// The page of a runtime, of a module, or of one line of the library. `None` if it is none of these.
pub(super) fn page(topic: &str) -> Option<String> {
    if let Some((path, line)) = topic
        .strip_prefix("std/")
        .and_then(|rest| rest.split_once(".bz:"))
    {
        let (name, text) = stdlib::modules().find(|(name, _)| name == path)?;
        let at = line.parse::<usize>().ok()?.checked_sub(1)?;
        let line = text
            .lines()
            .nth(at)
            .filter(|line| !line.trim().is_empty())?;
        return Some(shown(topic, &name, &[line]));
    }
    let module = |name: &str| stdlib::modules().find(|(known, _)| known == name);
    if let Some((name, text)) = module(&format!("runtimes/{topic}")) {
        return Some(whole(topic, &name, text));
    }
    let (giver, rest) = topic.split_once('.')?;
    match (giver, rest.split_once('.')) {
        ("std", None) => module(rest).map(|(name, text)| whole(topic, &name, text)),
        ("std", Some((of, key))) => {
            let (name, text) = module(stdlib::K3S)?;
            lines(topic, &name, text, of, key)
        }
        ("runtime", Some((of, key))) => {
            let (name, text) = module(&format!("runtimes/{of}"))?;
            lines(topic, &name, text, of, key)
        }
        _ => None,
    }
}

/// A module without its edition.
fn whole(topic: &str, name: &str, text: &str) -> String {
    let text = text.split_once('\n').map_or(text, |(_, rest)| rest);
    format!("{topic}\n\n{}\n\nstd/{name}.bz\n", text.trim())
}

/// The lines of a key in the blocks that a name means: those of `figures`, which have K3s's, or the one of that name. Of a
/// block that has no such key, all of it.
fn lines(topic: &str, name: &str, text: &str, of: &str, key: &str) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    for line in text.lines() {
        block.push(line);
        if line.starts_with('}') || (line.ends_with('}') && !line.starts_with(' ')) {
            let head = block
                .iter()
                .position(|line| line.contains('{') && !line.starts_with(['#', ' ']));
            let lines = &block[head.unwrap_or(0)..];
            let words: Vec<&str> = lines[0]
                .split_whitespace()
                .take_while(|word| *word != "{")
                .collect();
            if words.contains(&of) || (of == stdlib::K3S && words.first() == Some(&"figures")) {
                let has = |line: &&&str| {
                    line.trim_start()
                        .strip_prefix(key)
                        .is_some_and(|rest| rest.trim_start().starts_with(['=', '{']))
                };
                let of_key: Vec<&str> = lines.iter().filter(has).copied().collect();
                match (of_key.is_empty(), of == stdlib::K3S) {
                    (false, _) => {
                        found.push(lines[0]);
                        found.extend(of_key);
                    }
                    (true, false) => found.extend(lines),
                    (true, true) => {}
                }
            }
            block.clear();
        }
    }
    (!found.is_empty()).then(|| shown(topic, name, &found))
}

/// Lines of a module, each with its comment, which is the source of its number, below it.
fn shown(topic: &str, name: &str, lines: &[&str]) -> String {
    let mut out = format!("{topic}\n\n");
    for line in lines {
        let (code, comment) = line.split_once('#').unwrap_or((line, ""));
        if !code.trim().is_empty() {
            out.push_str(&format!("  {}\n", code.trim_end()));
        }
        for line in wrapped(comment.trim(), WIDTH - 6) {
            if !line.is_empty() {
                out.push_str(&format!("        {line}\n"));
            }
        }
    }
    out + &format!("\nstd/{name}.bz\n")
}
