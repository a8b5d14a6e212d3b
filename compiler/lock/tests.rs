use std::collections::BTreeMap;

use super::Lock;
use crate::base::quantity::Bytes;

fn lock(lines: &[&str]) -> Result<Lock, String> {
    Lock::read(format!("# bzc lock 1: about\n{}\n", lines.join("\n")).as_bytes())
}

fn fault(lines: &[&str]) -> String {
    lock(lines).expect_err("it is no lock")
}

#[test]
fn what_is_written_is_read_again() {
    let numbers = |of: &[(&str, u64)]| -> BTreeMap<String, Bytes> {
        let numbers = of.iter();
        numbers
            .map(|(name, n)| ((*name).to_owned(), Bytes::new(*n)))
            .collect()
    };
    let plain = numbers(&[("web", 50 << 20), ("api.v2", 64_000_001)]);
    let prod = numbers(&[("web", 1 << 30)]);
    let written = Lock::default()
        .with(Some("prod"), prod, &["prod"])
        .with(None, plain, &["prod"]);
    let text = written.to_string();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "service.api.v2.memory = 64000001",
            "service.web.memory = 50Mi",
            "env.prod.service.web.memory = 1024Mi"
        ]
    );
    assert_eq!(Lock::read(text.as_bytes()).as_ref(), Ok(&written));
    // Git may write other ends of lines, and a person may leave a blank one.
    let windows = text.replace('\n', "\r\n") + "\r\n";
    assert_eq!(Lock::read(windows.as_bytes()).as_ref(), Ok(&written));
    assert_eq!(written.number(Some("prod"), "web"), Some(Bytes::mib(1024)));
    assert_eq!(written.number(None, "worker"), None);
    let without = written.with(None, BTreeMap::new(), &[]);
    assert_eq!(without, Lock::default());
}

#[test]
fn what_is_no_lock_is_refused_with_its_line() {
    let conflict = fault(&["<<<<<<< HEAD", "service.a.memory = 1Mi"]);
    assert!(
        conflict.starts_with("line 2 is a conflict of a merge"),
        "{conflict}"
    );
    for line in [
        "service.a.memory: 1Mi",
        "service.a.memory = 1.5Mi",
        "service.a.memory = 500m",
        "service.a.memory = 0Mi",
        "service.a.memory = -1Mi",
        "service.a.memory = 99999999999999Gi",
        "service.a.cpu = 1Mi",
        "service..memory = 1Mi",
        "env..service.a.memory = 1Mi",
        "env.prod = 1Mi",
        "# a comment",
    ] {
        let why = fault(&["", line]);
        assert!(
            why.starts_with(&format!("line 3, `{line}`, is not of the form")),
            "{why}"
        );
    }
    let twice = fault(&["service.a.memory = 1Mi", "service.a.memory = 1Mi"]);
    assert!(
        twice.ends_with("is about a number that stands above already"),
        "{twice}"
    );
    let newer = Lock::read(b"# bzc lock 2: about\n");
    assert!(newer.is_err_and(|why| why.starts_with("its format is 2")));
    for text in ["", "a: 1\n", "\u{feff}# bzc lock 1: about\n"] {
        assert!(
            Lock::read(text.as_bytes()).is_err_and(|why| why.starts_with("bzc did not write it"))
        );
    }
    assert!(Lock::read(b"\xff").is_err());
}
