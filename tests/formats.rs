//! The formats that machines read: what every program of `tests/ui` says, as its schema says.

use bzc::{Conclusion, Log, Machine, Options, Session, Tool};
use serde_json::Value;

use crate::support::corpus;
use crate::support::world::Folder;
use crate::verify::violations;

const TOOL: Tool = Tool {
    version: "0.1.0",
    repository: "",
};

/// What is said of all programs of `tests/ui`, in some formats.
fn said<const N: usize>(formats: [Machine; N]) -> [String; N] {
    let folder = corpus::root().join("tests/ui");
    let world = Folder::new(&folder);
    let session = Session::default().without_proposals();
    let mut logs = formats.map(|format| Log::new(format, TOOL));
    let programs = corpus::entries(&folder);
    let is_program = |path: &&std::path::PathBuf| path.extension().is_some_and(|end| end == "bz");
    for path in programs.iter().filter(is_program) {
        let name = format!("{}.bz", corpus::stem(path));
        let options = Options::default();
        let compilation = session.check(&world, &name, corpus::text(path), &options);
        for log in &mut logs {
            log.add(&name, &compilation.diagnostics, &compilation.sources);
        }
    }
    let concluded = |mut log: Log| {
        log.conclude(Conclusion {
            file: "a.bz".to_owned(),
            env: Some("prod".to_owned()),
            errors: 0,
            unknown: vec!["sufficiency".to_owned()],
            assumed: Vec::new(),
        });
        log.finish()
    };
    logs.map(concluded)
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| unreachable!("{error}: {text}"))
}

#[test]
fn lines_are_as_the_schema_says() {
    let schema = value(&corpus::text(
        &corpus::root().join("spec/diagnostics.schema.json"),
    ));
    let [text] = said([Machine::Json]);
    let mut faults = Vec::new();
    for line in text.lines().map(value) {
        let kind = line["type"].as_str().unwrap_or_default();
        violations(&schema, &schema["$defs"][kind], &line, kind, &mut faults);
    }
    assert!(text.lines().count() > 300, "{}", text.lines().count());
    faults.truncate(20);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn findings_of_other_tools_have_what_these_need() {
    let formats = [
        Machine::Sarif,
        Machine::Gitlab,
        Machine::Junit,
        Machine::Rdjson,
    ];
    let [all, issues, cases, remarks] = said(formats);
    let (all, issues, remarks) = (value(&all), value(&issues), value(&remarks));
    let results = all["runs"][0]["results"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let rules = &all["runs"][0]["tool"]["driver"]["rules"];
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap_or(u64::MAX) as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        for of in ["shortDescription", "fullDescription"] {
            assert!(
                rule[of]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{rule}"
            );
        }
    }
    let issues = issues.as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(issues.len(), results.len());
    let mut prints: Vec<&str> = issues
        .iter()
        .filter_map(|issue| issue["fingerprint"].as_str())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(
        prints.len(),
        issues.len(),
        "fingerprints tell findings apart"
    );
    assert_eq!(
        remarks["diagnostics"].as_array().map(Vec::len),
        Some(issues.len())
    );
    let cases = cases.matches("<testcase ").count();
    assert!(cases >= issues.len(), "{cases}");
}
