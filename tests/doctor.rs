//! What the doctor says of clusters: `doctor/CASE/in/*.json`, sorted by name, to `doctor/CASE/out.txt`, with the cases
//! that are awkward: containers that were started again, working sets of 0, fields that are missing, static pods, several
//! nodes. And the same through a `kubectl` on PATH.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{bless, corpus};

fn files(case: &Path) -> Vec<(String, Vec<u8>)> {
    let inputs = corpus::entries(&case.join("in"));
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        (name.into_owned(), corpus::bytes(path))
    };
    inputs.iter().map(read).collect()
}

#[test]
fn clusters_are_diagnosed() {
    let top = corpus::root().join("tests/doctor");
    let mut came_out = BTreeMap::new();
    for case in corpus::folders(&top) {
        let diagnosis = bzc::doctor(&files(&case)).expect("it can be read");
        came_out.insert(case.join("out.txt"), diagnosis.text.into_bytes());
    }
    let there = bless::there(&top, |path| path.ends_with("/out.txt"));
    bless::settle(there, &came_out);
}

#[test]
fn what_cannot_be_read_is_said() {
    let of = |text: &str| bzc::doctor(&[("x.json".to_owned(), text.as_bytes().to_vec())]);
    for (text, why) in [
        ("kind: List\n", "`x.json` is not JSON"),
        ("{\"kind\": \"List\", \"items\": [", "`x.json` is not JSON"),
        ("", "neither nodes nor pods"),
        ("{}", "neither nodes nor pods"),
        ("[1, null, {\"items\": 3}]", "neither nodes nor pods"),
    ] {
        let said = of(text).expect_err(text);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn symptoms_are_explained() {
    for topic in [
        "TLS handshake timeout",
        "Unable to connect to the server: net/http: tls handshake timeout",
        "http2: client connection lost",
        "OOMKilled",
        "0/3 nodes are available: 3 Insufficient memory.",
    ] {
        let page = bzc::explain(topic).expect(topic);
        assert!(page.contains("bzc doctor"), "{page}");
    }
    assert!(bzc::explain("no such thing as this").is_err());
}

/// A `kubectl` that answers from files, does not know the summary of one node, and writes down what it was asked for.
#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
fn a_cluster_is_asked_and_only_read() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    let home = tempfile::tempdir().expect("a temporary folder");
    let case = corpus::root().join("tests/doctor/several-nodes/in");
    let asked = home.path().join("asked");
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\ncase \"$*\" in\n*nodes/a/*) cat '{case}/summary-a.json';;\n\
         *--raw*) echo 'error: the node does not answer' >&2; exit 1;;\n\
         *) cat '{case}/nodes.json';;\nesac\n",
        asked.display(),
        case = case.display(),
    );
    let tools = home.path().join("tools");
    corpus::write(&tools.join("kubectl"), script.as_bytes());
    fs::set_permissions(tools.join("kubectl"), Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").unwrap_or_default();
    let run = |path: &str| {
        Command::new(env!("CARGO_BIN_EXE_bzc"))
            .arg("doctor")
            .current_dir(home.path())
            .env("PATH", path)
            .output()
            .expect("bzc")
    };
    let ran = run(&format!("{}:{path}", tools.display()));
    let (said, noted) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert_eq!(ran.status.code(), Some(1), "{said}{noted}");
    assert!(said.contains("700Mi by K3s"), "{said}");
    assert!(
        noted.contains("no summary of node `b`: `kubectl get` failed: error: the node does not"),
        "{noted}"
    );
    let asked = corpus::text(&asked);
    assert_eq!(asked.lines().count(), 4, "{asked}");
    assert!(
        asked.lines().all(|line| line.starts_with("get ")) && !asked.contains("secret"),
        "{asked}"
    );
    let ran = run(&home.path().display().to_string());
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("`kubectl` cannot be run"), "{said}");
}
