//! The formats that are one document for a run.

use super::*;
use crate::diag::samples::{error, sources};

const TOOL: Tool = Tool {
    version: "0.1.0",
    repository: "",
};

/// Two errors of one code at one place and none, and a lint.
fn logged(format: Machine, tool: Tool) -> String {
    let mut log = Log::new(format, tool);
    let found = [
        Diagnostic::lint("unused", "w"),
        error(),
        Diagnostic::error("BZ4001", "again"),
    ];
    log.add("my budget.bz", &found, &sources());
    log.conclude(Conclusion {
        file: "my budget.bz".to_owned(),
        env: None,
        errors: 2,
        unknown: vec!["sufficiency".to_owned()],
        assumed: Vec::new(),
    });
    log.finish()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn json_ends_in_a_summary() {
    let text = logged(Machine::Json, TOOL);
    assert_eq!(text.lines().count(), 4);
    assert_eq!(
        value(text.lines().last().unwrap_or_default()),
        json!({
            "bzcDiagnostics": 1,
            "type": "summary",
            "version": "0.1.0",
            "errors": 2,
            "warnings": 1,
            "fixable": 0,
            "programs": [{
                "file": "my budget.bz", "env": null, "errors": 2, "unknown": ["sufficiency"], "assumed": [],
            }],
        })
    );
}

#[test]
fn sarif_has_rules_results_and_fixes() {
    let log = value(&logged(Machine::Sarif, TOOL));
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    assert_eq!(
        (&driver["name"], &driver["version"]),
        (&json!("bzc"), &json!("0.1.0"))
    );
    let rule = &driver["rules"][0];
    assert_eq!(rule["id"], "BZ4001");
    assert_eq!(rule["name"], "OverMemory");
    assert_eq!(rule["defaultConfiguration"], json!({ "level": "error" }));
    for text in [
        &rule["shortDescription"]["text"],
        &rule["fullDescription"]["text"],
        &rule["help"]["markdown"],
    ] {
        assert!(
            text.as_str().is_some_and(|text| !text.is_empty()),
            "{rule:#}"
        );
    }
    assert!(rule.get("helpUri").is_none());
    assert_eq!(driver["rules"][1]["name"], "Unused");
    let of = |at: usize| &run["results"][at];
    assert_eq!(
        [0, 1, 2].map(|at| of(at)["ruleIndex"].clone()),
        [json!(1), json!(0), json!(0)]
    );
    assert_eq!(of(0)["locations"], json!([]));
    let region = |line: u32, column: u32| json!({ "startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1 });
    let deleted = |line: u32, column: u32, byte: u32| {
        let mut region = region(line, column);
        region["byteOffset"] = json!(byte);
        region["byteLength"] = json!(1);
        region
    };
    let replaced = |region: Value, text: &str| json!({ "deletedRegion": region, "insertedContent": { "text": text } });
    let mut result = of(1).clone();
    result
        .as_object_mut()
        .expect("an object")
        .remove("partialFingerprints");
    assert_eq!(
        result,
        json!({
            "ruleId": "BZ4001",
            "ruleIndex": 0,
            "level": "error",
            "message": { "text": "over by 1Mi\nsum: c      1Mi  my budget.bz:2\n     total  1Mi\nnote: n\nhelp: h\n\
                help: both\n  my budget.bz:1  a = \"漢\"\n  my budget.bz:2  c = 0\n  <std>/k3s.bz:1  d = 3" },
            "locations": [{
                "physicalLocation": { "artifactLocation": { "uri": "my%20budget.bz" }, "region": region(1, 9) },
                "message": { "text": "here" },
            }],
            "relatedLocations": [{
                "physicalLocation": { "artifactLocation": { "uri": "%3Cstd%3E/k3s.bz" }, "region": region(1, 5) },
            }],
            "fixes": [{ "description": { "text": "both" }, "artifactChanges": [
                { "artifactLocation": { "uri": "my%20budget.bz" },
                  "replacements": [replaced(deleted(2, 5, 16), "0"), replaced(deleted(1, 9, 10), "")] },
                { "artifactLocation": { "uri": "%3Cstd%3E/k3s.bz" }, "replacements": [replaced(deleted(1, 5, 4), "3")] },
            ] }],
        })
    );
}

#[test]
fn a_published_repository_is_linked() {
    let tool = Tool {
        repository: "https://git.example.org/bzc",
        ..TOOL
    };
    let page = "https://git.example.org/bzc/blob/v0.1.0/spec/errors/BZ4001.md";
    let log = value(&logged(Machine::Sarif, tool));
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["informationUri"], tool.repository);
    assert_eq!(driver["rules"][0]["helpUri"], page);
    let remarks = value(&logged(Machine::Rdjson, tool));
    assert_eq!(remarks["diagnostics"][1]["code"]["url"], page);
}

#[test]
fn fingerprints_are_of_the_line_and_count_what_is_equal() {
    let prints = |text: &str| {
        let mut sources = SourceMap::default();
        let name = "budget.bz".to_owned();
        sources.add(
            name.clone(),
            name,
            text.to_owned(),
            crate::base::source::Provenance::Project,
        );
        let at = u32::try_from(text.find("here").unwrap_or_default()).unwrap_or_default();
        let one = Diagnostic::error("BZ4001", "m").at(Span::new(FileId::new(0), at, at + 4), "");
        let mut log = Log::new(Machine::Gitlab, TOOL);
        log.add("budget.bz", &[one.clone(), one], &sources);
        let all = value(&log.finish());
        [0, 1].map(|at| {
            all[at]["fingerprint"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
    };
    let [first, second] = prints("a = here\n");
    assert_ne!(first, second);
    assert_eq!(prints("new\n\n  a = here  \n"), [first.clone(), second]);
    assert_ne!(prints("b = here\n")[0], first);
}

#[test]
fn an_empty_run_is_a_document() {
    let mut log = Log::new(Machine::Sarif, TOOL);
    log.add("a.bz", &[], &sources());
    let run = value(&log.finish())["runs"][0].clone();
    assert_eq!(
        (&run["results"], &run["tool"]["driver"]["rules"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(Log::new(Machine::Gitlab, TOOL).finish(), "[]\n");
    let mut log = Log::new(Machine::Junit, TOOL);
    log.add("a&b.bz", &[], &sources());
    assert_eq!(
        log.finish(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bzc\">\n  \
         <testsuite name=\"a&amp;b.bz\" tests=\"1\" failures=\"0\" errors=\"0\">\n    \
         <testcase classname=\"a&amp;b.bz\" name=\"bzc\"/>\n  </testsuite>\n</testsuites>\n"
    );
}

#[test]
fn gitlab_gets_issues_with_lines() {
    let issues = value(&logged(Machine::Gitlab, TOOL));
    assert_eq!(issues.as_array().map(Vec::len), Some(3));
    assert_eq!(issues[0]["severity"], "minor");
    assert_eq!(issues[1]["severity"], "critical");
    assert_eq!(issues[1]["check_name"], "BZ4001");
    assert_eq!(
        issues[1]["location"],
        json!({ "path": "my budget.bz", "lines": { "begin": 1, "end": 1 } })
    );
}

#[test]
fn errors_fail_in_junit_and_warnings_do_not() {
    let text = logged(Machine::Junit, TOOL);
    assert!(text.contains("tests=\"3\" failures=\"2\""), "{text}");
    assert!(
        text.contains(
            "<failure type=\"BZ4001\" message=\"over by 1Mi\">my budget.bz:1: over by 1Mi\nsum: "
        ),
        "{text}"
    );
    assert!(
        text.contains("<system-out>warning[unused]: my budget.bz:1: w</system-out>"),
        "{text}"
    );
    assert_eq!(escaped("a<b>\u{0}\u{1b}&\"\n"), "a&lt;b&gt;&amp;&quot;\n");
}

#[test]
fn reviewdog_counts_bytes() {
    let remarks = value(&logged(Machine::Rdjson, TOOL));
    let remark = &remarks["diagnostics"][1];
    assert_eq!(remark["severity"], "ERROR");
    assert_eq!(
        remark["location"],
        json!({ "path": "my budget.bz", "range": {
            "start": { "line": 1, "column": 11 }, "end": { "line": 1, "column": 12 },
        } })
    );
    // Its help has three edits, which suggestions cannot be.
    assert_eq!(remark["suggestions"], json!([]));
}
