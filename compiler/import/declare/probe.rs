//! Probes.

use super::ports::Ports;
use crate::import::data::Data;
use crate::import::patch::Fields;
use crate::import::tree::{Block, Value};

/// Fields of times: the field of Kubernetes, that of bz, and what Kubernetes takes where nothing is said.
const TIMES: [(&str, &str, u64); 3] = [
    ("initialDelaySeconds", "delay", 0),
    ("periodSeconds", "period", 10),
    ("timeoutSeconds", "timeout", 1),
];

/// Adds a probe to a workload.
pub(super) fn put(
    field: &'static str,
    key: &str,
    mut probe: Data,
    ports: &Ports,
    block: &mut Block,
    patch: &mut Fields,
) {
    // The API server puts it in where nothing is written.
    for (path, default) in [
        (&["successThreshold"] as &[&str], "1"),
        (&["httpGet", "scheme"], "HTTP"),
    ] {
        if probe.text_at(path) == Some(default) {
            probe.take_at(path);
        }
    }
    let mut inner = Block::plain(field);
    let port = |text: &str| ports.number(text);
    if let Some(mut http) = probe.take("httpGet") {
        let path = http.take_text(&["path"]);
        inner.put("path", Value::text(path.as_deref().unwrap_or("/")));
        let asked = http.take_text(&["port"]).as_deref().and_then(port);
        if let Some(port) = asked.filter(|asked| ports.main() != Some(*asked)) {
            inner.put("port", Value::count(port.into()));
        }
        if !http.is_empty() && !patch.add(&[key, "httpGet"], &http) {
            for what in http.fields(&format!("{key}.httpGet")) {
                inner.leave(what);
            }
        }
    } else if let Some(tcp) = probe
        .take_text(&["tcpSocket", "port"])
        .as_deref()
        .and_then(port)
    {
        inner.put("tcp", Value::count(tcp.into()));
    } else if let Some(exec) = probe.take_at(&["exec", "command"]) {
        let words = exec.texts().unwrap_or_default();
        inner.put("exec", Value::list(words.into_iter().map(Value::text)));
    } else {
        if !patch.add(&[key], &probe) {
            for what in probe.fields(key) {
                block.leave(what);
            }
        }
        return;
    }
    for (written, field, default) in TIMES {
        if let Some(n) = probe.take_count(&[written]).filter(|n| *n != default) {
            inner.put(field, Value::unit(n, "s"));
        }
    }
    if let Some(n) = probe.take_count(&["failureThreshold"]).filter(|n| *n != 3) {
        inner.put("failures", Value::count(n));
    }
    for rest in ["successThreshold", "terminationGracePeriodSeconds"] {
        if let Some(value) = probe.take(rest) {
            patch.add(&[key, rest], &value);
        }
    }
    for what in probe.fields(key) {
        inner.leave(what);
    }
    block.put_block(inner);
}
