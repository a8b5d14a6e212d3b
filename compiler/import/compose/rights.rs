//! What compose says of users, rights and the place that a process starts in: `security`, `pull-policy` and a `patch`.

use crate::import::data::Data;
use crate::import::patch::{Fields, Patch};
use crate::import::tree::{Block, Name, Value, said};
use crate::import::variables::{closed, shown};

/// Fields of compose and those of Kubernetes: of the container.
const OF_CONTAINER: [(&str, &str); 3] = [
    ("stdin_open", "stdin"),
    ("tty", "tty"),
    ("working_dir", "workingDir"),
];
/// Fields that are lists of texts, of the pod.
const LISTS: [(&str, &[&str]); 2] = [
    ("dns", &["dnsConfig", "nameservers"]),
    ("dns_search", &["dnsConfig", "searches"]),
];
/// Words for `pull_policy`.
const PULLS: [(&str, &str); 4] = [
    ("always", "always"),
    ("if_not_present", "if-not-present"),
    ("missing", "if-not-present"),
    ("never", "never"),
];

/// Takes what is about rights.
pub(super) fn take(body: &mut Data, name: &Name, block: &mut Block) {
    security(body, block);
    if let Some(text) = body.take_text(&["pull_policy"]) {
        let text = closed(&text);
        match PULLS.iter().find(|(written, _)| *written == text) {
            Some((_, word)) => block.put("pull-policy", Value::fixed(word)),
            // An image that is built is there.
            None if text == "build" || text.is_empty() => {}
            None => block.leave(said(&format!("pull_policy: {text}"))),
        }
    }
    let mut annotations = Block::plain("annotations");
    for (key, value) in pairs(body.take("annotations").as_ref()) {
        annotations.put_key(&key, Value::text(&value));
    }
    block.put_block(annotations);
    let (mut patch, mut container) = (Patch::default(), Fields::default());
    for (from, to) in OF_CONTAINER {
        if let Some(value) = body.take(from) {
            let value = match value {
                Data::Text(text, is_plain) => Data::Text(closed(&text), is_plain),
                other => other,
            };
            container.add(&[to], &value);
        }
    }
    for (from, to) in LISTS {
        let texts = body.take(from);
        let texts = texts.as_ref().and_then(Data::texts).unwrap_or_default();
        let texts: Vec<Data> = { texts.into_iter() }
            .map(|text| Data::Text(closed(text), false))
            .collect();
        if !texts.is_empty() {
            patch.pod.add(to, &Data::List(texts));
        }
    }
    for (from, to) in [("pid", "hostPID"), ("ipc", "hostIPC")] {
        if body.text_at(&[from]) == Some("host") {
            body.take(from);
            patch.pod.add(&[to], &Data::Text("true".to_owned(), true));
        }
    }
    sysctls(body, &mut patch);
    patch.pod.add_named("containers", name.as_str(), container);
    patch.put("", block);
}

/// `user`, capabilities and what else a process may do.
fn security(body: &mut Data, block: &mut Block) {
    let mut security = Block::plain("security");
    if let Some(text) = body.take_text(&["user"]) {
        let written = closed(&text);
        let (user, group) = written.split_once(':').unwrap_or((&written, ""));
        let number = |text: &str| text.parse::<u64>().ok();
        match (number(user), number(group), group) {
            (Some(user), None, "") => block.put("user", Value::count(user)),
            (Some(user), Some(group), _) => {
                security.put("run-as", Value::count(user));
                security.put("run-as-group", Value::count(group));
            }
            _ => block.leave(format!(
                "{}: bz takes a number",
                said(&format!("user: {}", shown(&text)))
            )),
        }
    }
    for (from, to) in [
        ("privileged", "privileged"),
        ("read_only", "read-only-root"),
    ] {
        if let Some(text) = body.take_text(&[from])
            && closed(&text) == "true"
        {
            security.put(to, Value::fixed("true"));
        }
    }
    let options = body.take("security_opt").unwrap_or(Data::Null);
    for option in options.items().iter().filter_map(Data::as_text) {
        match closed(option).replace('=', ":").as_str() {
            "no-new-privileges" | "no-new-privileges:true" => {
                security.put("allow-privilege-escalation", Value::fixed("false"));
            }
            "no-new-privileges:false" => {}
            "seccomp:unconfined" => security.put("seccomp", Value::fixed("unconfined")),
            _ => block.leave(said(&format!("security_opt: {}", shown(option)))),
        }
    }
    for (from, to) in [("cap_drop", "drop"), ("cap_add", "add")] {
        let Some(given) = body.take(from) else {
            continue;
        };
        let names = given.texts().unwrap_or_default().into_iter().map(closed);
        let names = names.map(|name| {
            let name = name.to_ascii_uppercase();
            Value::word(name.strip_prefix("CAP_").unwrap_or(&name))
        });
        security.put(to, Value::list(names));
    }
    block.put_block(security);
}

/// `sysctls`, a mapping or a list of `NAME=VALUE`.
fn sysctls(body: &mut Data, patch: &mut Patch) {
    let items = pairs(body.take("sysctls").as_ref()).into_iter();
    let items: Vec<Data> = items
        .map(|(name, value)| {
            let entry = |key: &str, text: String| (key.to_owned(), Data::Text(text, false));
            Data::Map(vec![entry("name", name), entry("value", value)])
        })
        .collect();
    if !items.is_empty() {
        patch
            .pod
            .add(&["securityContext", "sysctls"], &Data::List(items));
    }
}

/// The entries of a mapping, or those of a list of `NAME=VALUE`.
fn pairs(given: Option<&Data>) -> Vec<(String, String)> {
    let Some(given) = given else {
        return Vec::new();
    };
    let of_map = given.entries().iter();
    let of_map = of_map.filter_map(|(key, value)| Some((key.clone(), closed(value.as_text()?))));
    let of_list = given.items().iter().filter_map(Data::as_text);
    let of_list = of_list.filter_map(|text| {
        let (key, value) = text.split_once('=')?;
        Some((key.to_owned(), closed(value)))
    });
    of_map.chain(of_list).collect()
}
