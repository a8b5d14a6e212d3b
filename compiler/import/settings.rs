//! From a K3s config.yaml to `k3s`, and from the services of a docker-compose file to services.

use super::draft::{Draft, Part, key, list, memory, quoted, texts};
use crate::manifest::tree::{Kind, Style, Yaml};
use crate::manifest::workload::bytes;
use crate::stdlib::{Flag, flag};

/// Keys and values of K3s.
pub(super) fn k3s(name: &str, text: &str, root: &Yaml, draft: &mut Draft) {
    let mut part = Part {
        of: name.to_owned(),
        lines: vec!["k3s {".to_owned()],
        by_line: true,
    };
    for (name_node, value) in root.entries() {
        let Some(written) = name_node.text(text) else {
            continue;
        };
        // What is null is not set.
        if value.is_null(text) {
            continue;
        }
        let Some(flag) = flag(written) else {
            draft.leave(
                name,
                format!("`{written}`: K3s knows no such key, and ignores it"),
            );
            continue;
        };
        let said = |line: &String| line.split_whitespace().next() == Some(written);
        if draft
            .k3s
            .first()
            .is_some_and(|first| first.lines.iter().any(said))
        {
            draft.leave(name, format!("`{written}`: another file gives it"));
            continue;
        }
        if written.ends_with("-arg") {
            arguments(name, written, value, text, &mut part, draft);
            continue;
        }
        match setting(&flag, value, text) {
            Some(said) => {
                if written == "node-name" {
                    draft.node = value
                        .text(text)
                        .filter(|name| key(name) == **name)
                        .map(str::to_owned);
                }
                part.lines.push(format!("{written} = {said}"));
            }
            None => draft.leave(
                name,
                format!("`{written}`: its value is not {}", a(flag.kind)),
            ),
        }
    }
    part.lines.push("}".to_owned());
    // A program has one `k3s` block; the keys of a further file are added to it line by line.
    match draft.k3s.first_mut() {
        Some(first) => {
            part.lines.pop();
            let at = first.lines.len() - 1;
            first.lines.splice(at..at, part.lines.into_iter().skip(1));
        }
        None => draft.k3s.push(part),
    }
}

fn a(kind: &str) -> String {
    match kind {
        "int" => "a whole number".to_owned(),
        "bool" => "true or false".to_owned(),
        other => format!("a {other}"),
    }
}

fn setting(flag: &Flag, value: &Yaml, text: &str) -> Option<String> {
    let word = |text: &str| match flag
        .values
        .is_some_and(|values| values.split('|').any(|known| known == text))
    {
        true => text.to_owned(),
        false => quoted(text),
    };
    match flag.kind {
        "bool" => match value.text(text)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        "int" => value.text(text)?.parse::<u64>().ok().map(|n| n.to_string()),
        "list" => {
            let items: Vec<String> = texts(value, text)?.into_iter().map(word).collect();
            Some(format!("[{}]", items.join(", ")))
        }
        _ => value.text(text).map(|said| match octal(value, said) {
            // What looks octal is a number to K3s's reader of YAML, and printed in decimal.
            Some(n) => quoted(&n.to_string()),
            None => word(said),
        }),
    }
}

fn octal(value: &Yaml, said: &str) -> Option<u64> {
    let plain = matches!(value.kind, Kind::Scalar(Style::Plain, _)) && !value.is_text;
    let digits = said.strip_prefix('0').filter(|rest| !rest.is_empty())?;
    plain.then(|| u64::from_str_radix(digits, 8).ok()).flatten()
}

/// The argument of all components that adds up where it is repeated (k8s.io/component-base/cli/flag MapStringBool).
const MERGED: &str = "feature-gates";

/// `kubelet-arg: [max-pods=50]`.
fn arguments(
    name: &str,
    written: &str,
    value: &Yaml,
    text: &str,
    part: &mut Part,
    draft: &mut Draft,
) {
    let Some(items) = texts(value, text) else {
        draft.leave(name, format!("`{written}`: its value is not a list"));
        return;
    };
    let mut given: Vec<(&str, String)> = Vec::new();
    for item in items {
        match item.split_once('=') {
            Some((argument, said)) => {
                let before = given.iter_mut().find(|(known, _)| *known == argument);
                match before.filter(|_| argument == MERGED) {
                    Some((_, before)) => *before = format!("{before},{said}"),
                    None => given.push((argument, said.to_owned())),
                }
            }
            None => draft.leave(name, format!("`{written}`: `{item}` has no `=`")),
        }
    }
    if !given.is_empty() {
        part.lines.push(format!("{written} {{"));
        let lines = given.iter();
        let lines = lines.map(|(argument, said)| format!("{} = {}", key(argument), quoted(said)));
        part.lines.extend(lines);
        part.lines.push("}".to_owned());
    }
}

/// Fields of a docker-compose service that a program can express.
const TAKEN: [&str; 9] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "ports",
    "mem_limit",
    "mem_reservation",
    "cpus",
    "deploy",
];

/// The services of a docker-compose file.
pub(super) fn compose(name: &str, text: &str, root: &Yaml, services: &Yaml, draft: &mut Draft) {
    for (other, _) in root.entries() {
        if let Some(other) = other
            .text(text)
            .filter(|key| !["services", "version", "name"].contains(key))
        {
            draft.leave(name, format!("`{other}`"));
        }
    }
    for (service, body) in services.entries() {
        let Some(service) = service.text(text) else {
            continue;
        };
        let of = format!("{service} ({name})");
        let get = |path: &[&str]| {
            path.iter().try_fold(body, |node, key| {
                node.entry(key, text).map(|(_, value)| value)
            })
        };
        let said = |path: &[&str]| get(path).and_then(|node| node.text(text));
        let mut lines = vec![format!("service {service} {{")];
        let limit = said(&["deploy", "resources", "limits", "memory"]).or(said(&["mem_limit"]));
        let Some(limit) = limit.and_then(compose_bytes).and_then(memory) else {
            draft.leave(&of, "it has no memory limit that a program can say, and without one nothing can be proved");
            continue;
        };
        let request =
            said(&["deploy", "resources", "reservations", "memory"]).or(said(&["mem_reservation"]));
        lines.push(match request.and_then(compose_bytes).and_then(memory) {
            Some(request) if request != limit => {
                format!("memory {{ request = {request} limit = {limit} }}")
            }
            _ => format!("memory = {limit}"),
        });
        let Some(image) = said(&["image"]) else {
            draft.leave(&of, "it has no `image`");
            continue;
        };
        lines.push(format!("image = {}", quoted(image)));
        for (from, to) in [("entrypoint", "command"), ("command", "args")] {
            match get(&[from]).map(|node| (texts(node, text), &node.kind)) {
                Some((Some(items), Kind::List(..))) => {
                    lines.push(format!("{to} = {}", list(items)))
                }
                Some(_) => draft.leave(&of, format!("`{from}`: it is no list")),
                None => {}
            }
        }
        if let Some(environment) = get(&["environment"]) {
            let mut pairs: Vec<(String, String)> = Vec::new();
            for (variable, value) in environment.entries() {
                pairs.extend(
                    variable
                        .text(text)
                        .zip(value.text(text))
                        .map(|(k, v)| (k.to_owned(), v.to_owned())),
                );
            }
            for item in environment
                .items()
                .iter()
                .filter_map(|item| item.text(text))
            {
                match item.split_once('=') {
                    Some((variable, value)) => pairs.push((variable.to_owned(), value.to_owned())),
                    None => draft.leave(
                        &of,
                        format!("`environment`: `{item}` is taken from whoever starts it"),
                    ),
                }
            }
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(k, v)| format!("{} = {}", key(k), quoted(v)))
                .collect();
            lines.push(format!("env {{ {} }}", pairs.join(" ")));
        }
        let ports = get(&["ports"]).map(|node| {
            node.items()
                .iter()
                .filter_map(|item| item.text(text))
                .collect::<Vec<_>>()
        });
        for (at, port) in ports.unwrap_or_default().into_iter().enumerate() {
            let inside = port.rsplit(':').next().unwrap_or(port);
            match (at, inside.parse::<u16>()) {
                (0, Ok(number)) => lines.push(format!("port = {number}")),
                _ => draft.leave(&of, format!("port `{port}`")),
            }
            if port.contains(':') {
                draft.leave(&of, format!("the port of the host in `{port}`"));
            }
        }
        for (field, _) in body.entries() {
            if let Some(field) = field.text(text).filter(|field| !TAKEN.contains(field)) {
                draft.leave(&of, format!("`{field}`"));
            }
        }
        if get(&["cpus"]).is_some() || get(&["deploy", "resources", "limits", "cpus"]).is_some() {
            draft.leave(&of, "`cpus`");
        }
        lines.push("}".to_owned());
        draft.services.push(Part {
            of,
            lines,
            by_line: false,
        });
    }
}

/// `512m`, `1g`, `1gb`: docker's units are powers of 1024.
fn compose_bytes(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(lower.len());
    let (digits, unit) = lower.split_at(end);
    let unit = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => return digits.parse().ok(),
        "k" => "Ki",
        "m" => "Mi",
        "g" => "Gi",
        _ => return None,
    };
    bytes(&format!("{digits}{unit}"))
}
