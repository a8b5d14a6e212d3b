//! `securityContext` of a pod and of its main container.

use crate::import::data::Data;
use crate::import::tree::{Block, Value};

/// Users, groups and truth values: where they stand, and the field of bz.
const OF_POD: [(&str, &str); 3] = [
    ("runAsUser", "run-as"),
    ("runAsGroup", "run-as-group"),
    ("fsGroup", "fs-group"),
];
const OF_CONTAINER: [(&str, &str); 3] = [
    ("allowPrivilegeEscalation", "allow-privilege-escalation"),
    ("readOnlyRootFilesystem", "read-only-root"),
    ("privileged", "privileged"),
];

/// Writes `security`. `is_alone` says whether the pod has this container and no other: what bz says of all containers is
/// what it says of this one then.
pub(super) fn put(spec: &mut Data, main: &mut Data, is_alone: bool, block: &mut Block) {
    let mut security = Block::plain("security");
    for (key, field) in OF_POD {
        let of_main = is_alone && key != "fsGroup";
        let main = of_main.then(|| main.take_count(&["securityContext", key]));
        let pod = spec.take_count(&["securityContext", key]);
        if let Some(n) = main.flatten().or(pod) {
            security.put(field, Value::count(n));
        }
    }
    let has_user = !security.items.is_empty();
    let mut non_root = spec.take_text(&["securityContext", "runAsNonRoot"]);
    if is_alone && let Some(of_main) = main.take_text(&["securityContext", "runAsNonRoot"]) {
        non_root = Some(of_main);
    }
    match non_root.as_deref() {
        Some("true") => security.put("run-as-non-root", Value::fixed("true")),
        // Bz takes it to be meant where a user is given.
        _ if has_user => security.put("run-as-non-root", Value::fixed("false")),
        _ => {}
    }
    let seccomp = |data: &mut Data| {
        let path = ["securityContext", "seccompProfile", "type"];
        let word = match data.text_at(&path)? {
            "RuntimeDefault" => "runtime-default",
            "Unconfined" => "unconfined",
            _ => return None,
        };
        data.take_at(&path);
        Some(word)
    };
    let of_main = if is_alone { seccomp(main) } else { None };
    if let Some(word) = of_main.or_else(|| seccomp(spec)) {
        security.put("seccomp", Value::fixed(word));
    }
    if is_alone {
        for (key, field) in OF_CONTAINER {
            match main.take_text(&["securityContext", key]).as_deref() {
                Some("true") => security.put(field, Value::fixed("true")),
                Some("false") if field == "allow-privilege-escalation" => {
                    security.put(field, Value::fixed("false"));
                }
                _ => {}
            }
        }
        for field in ["drop", "add"] {
            let path = ["securityContext", "capabilities", field];
            let names = main.at(&path).and_then(Data::texts);
            if let Some(names) = names.filter(|names| !names.is_empty()) {
                let names = Value::list(names.into_iter().map(Value::word));
                security.put(field, names);
                main.take_at(&path);
            }
        }
    }
    block.put_block(security);
}
