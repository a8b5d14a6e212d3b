//! Kinds that make pods against pods that were worked out by hand: `kinds/NAME/main.bz` adopts objects of operators in
//! `k8s/`; `pods/` has the workloads that the operator makes of them, written down from its documentation as Kubernetes
//! would have them. Both must come to the same pods, and to the promises in `promises`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::world::Folder;
use crate::support::{bless, compile, corpus, said};

/// What of a service must be the same, whoever makes its pods.
const SAME: [&str; 9] = [
    "requestBytes",
    "limitBytes",
    "mainRequestBytes",
    "mainLimitBytes",
    "cpuMilli",
    "replicas",
    "surge",
    "podsAtPeak",
    "podsWithEnding",
];

fn report(folder: &Folder, text: &str) -> Value {
    let compilation = compile(folder, "main.bz", text, None);
    let told = said(&compilation);
    let Some(output) = compilation.output else {
        unreachable!("it does not compile:\n{told}\n{text}");
    };
    let file = output
        .files
        .into_iter()
        .find(|(path, _)| path == "report.json");
    let (_, bytes) = file.expect("every output has a report");
    serde_json::from_slice(&bytes).expect("a report is JSON")
}

/// The pods of every service.
fn pods(report: &Value) -> BTreeMap<String, Vec<String>> {
    let services = report["services"].as_array().map_or(&[][..], Vec::as_slice);
    let row = |service: &Value| {
        let values = SAME.map(|key| format!("{key} {}", service[key]));
        let bounded = format!("bounded {}", service["adopted"]["bounded"]);
        let name = service["name"].as_str().unwrap_or_default().to_owned();
        (name, values.into_iter().chain([bounded]).collect())
    };
    services.iter().map(row).collect()
}

/// `liveness unknown`, and below it why. They may be blessed; the pods may not.
fn promises(report: &Value) -> String {
    let mut lines = String::new();
    for theorem in report["theorems"].as_array().into_iter().flatten() {
        let word = |key: &str| theorem[key].as_str().unwrap_or_default();
        if ["isolation", "non-interference", "liveness"].contains(&word("name")) {
            lines += &format!("{} {}\n", word("name"), word("verdict"));
            for why in theorem["why"].as_array().into_iter().flatten() {
                lines += &format!("  {}\n", why.as_str().unwrap_or_default());
            }
        }
    }
    lines
}

#[test]
fn operators_make_the_pods_that_were_worked_out_by_hand() {
    let (mut faults, mut told) = (Vec::new(), BTreeMap::new());
    for case in corpus::folders(&corpus::root().join("tests/kinds")) {
        let (folder, name) = (Folder::new(&case), corpus::shown(&case));
        let program = corpus::text(&case.join("main.bz"));
        let made = report(&folder, &program);
        let by_hand = report(
            &folder,
            &program.replace("adopt \"k8s/*.yaml\"", "adopt \"pods/*.yaml\""),
        );
        let (counted, worked_out) = (pods(&made), pods(&by_hand));
        for name_of in counted.keys().chain(worked_out.keys()) {
            let (ours, theirs) = (counted.get(name_of), worked_out.get(name_of));
            if ours != theirs {
                faults.push(format!(
                    "{name}: `{name_of}`\n  counted {ours:?}\n  by hand {theirs:?}"
                ));
            }
        }
        let path = case.join("promises");
        told.insert(path, promises(&made).into_bytes());
    }
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    bless::settle(told.keys().cloned().collect(), &told);
}
