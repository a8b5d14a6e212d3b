//! The formats for programs: JSON and SARIF.

use super::*;
use crate::base::source::Provenance;
use crate::diag::{Addend, Help};

fn sources() -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(
        "my budget.bz".to_owned(),
        "my budget.bz".to_owned(),
        "a = \"漢\" b\nc = 1\n".to_owned(),
        Provenance::Project,
    );
    sources.add(
        "<std>/k3s.bz".to_owned(),
        "<std>/k3s.bz".to_owned(),
        "d = 2\n".to_owned(),
        Provenance::Library,
    );
    sources
}

fn error() -> Diagnostic {
    // `b`, `1` and `2`.
    let [b, one, two] = [
        Span::new(FileId(0), 10, 11),
        Span::new(FileId(0), 16, 17),
        Span::new(FileId(1), 4, 5),
    ];
    let mut error = Diagnostic::error("BZ4001", "over by 1Mi")
        .at(b, "here")
        .also(two, "")
        .note("n")
        .help("h");
    error.addends = vec![
        Addend {
            what: "c".to_owned(),
            amount: "1Mi".to_owned(),
            span: Some(one),
        },
        Addend {
            what: "total".to_owned(),
            amount: "1Mi".to_owned(),
            span: None,
        },
    ];
    let edit = |span: Span, text: &str| Edit {
        span,
        text: text.to_owned(),
    };
    error.helps.push(Help::new(
        "both",
        vec![edit(one, "0"), edit(two, "3"), edit(b, "")],
    ));
    error
}

#[test]
fn one_line_with_everything() {
    let expected = concat!(
        r#"{"addends":[{"amount":"1Mi","place":"my budget.bz:2","what":"c"},"#,
        r#"{"amount":"1Mi","place":null,"what":"total"}],"code":"BZ4001","file":"my budget.bz","helps":["#,
        r#"{"edits":[],"left":null,"text":"h"},{"edits":["#,
        r#"{"column":5,"end":17,"endColumn":6,"endLine":2,"file":"my budget.bz","line":2,"start":16,"text":"0"},"#,
        r#"{"column":5,"end":5,"endColumn":6,"endLine":1,"file":"<std>/k3s.bz","line":1,"start":4,"text":"3"},"#,
        r#"{"column":9,"end":11,"endColumn":10,"endLine":1,"file":"my budget.bz","line":1,"start":10,"text":""}"#,
        r#"],"left":null,"text":"both"}],"labels":[{"file":"my budget.bz","primary":true,"span":"#,
        r#"{"column":9,"end":11,"endColumn":10,"endLine":1,"line":1,"start":10},"text":"here"},"#,
        r#"{"file":"<std>/k3s.bz","primary":false,"span":"#,
        r#"{"column":5,"end":5,"endColumn":6,"endLine":1,"line":1,"start":4},"text":""}],"#,
        r#""message":"over by 1Mi","notes":["n"],"severity":"error","#,
        r#""span":{"column":9,"end":11,"endColumn":10,"endLine":1,"line":1,"start":10}}"#,
    );
    assert_eq!(json(&error(), &sources()), expected);
}

#[test]
fn without_a_place_there_is_null() {
    let text = json(&Diagnostic::lint("unused-tier", "a\nb"), &sources());
    assert_eq!(
        text,
        r#"{"addends":[],"code":"unused-tier","file":null,"helps":[],"labels":[],"message":"a\nb","notes":[],"severity":"warning","span":null}"#
    );
}

#[test]
fn sarif_has_rules_results_and_fixes() {
    let found = [
        Diagnostic::lint("unused-tier", "w"),
        error(),
        Diagnostic::error("BZ4001", "again"),
    ];
    let log: Value = serde_json::from_str(&sarif(&found, &sources(), "0.1.0")).expect("it is JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(
        run["tool"]["driver"],
        json!({ "name": "bzc", "version": "0.1.0", "rules": [
            { "id": "BZ4001", "defaultConfiguration": { "level": "error" }, "help": { "text": "bzc explain BZ4001" } },
            { "id": "unused-tier", "defaultConfiguration": { "level": "warning" },
              "help": { "text": "bzc explain unused-tier" } },
        ] })
    );
    assert_eq!(
        run["results"][0],
        json!({ "ruleId": "unused-tier", "ruleIndex": 1, "level": "warning", "message": { "text": "w" }, "locations": [] })
    );
    assert_eq!(run["results"][2]["ruleIndex"], 0);
    let region = |line: u32, column: u32| json!({ "startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1 });
    let deleted = |line: u32, column: u32, byte: u32| {
        let mut region = region(line, column);
        region["byteOffset"] = json!(byte);
        region["byteLength"] = json!(1);
        region
    };
    let replaced = |region: Value, text: &str| json!({ "deletedRegion": region, "insertedContent": { "text": text } });
    assert_eq!(
        run["results"][1],
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
fn an_empty_log_is_a_log() {
    let log: Value = serde_json::from_str(&sarif(&[], &sources(), "0.1.0")).expect("it is JSON");
    assert_eq!(log["runs"][0]["results"], json!([]));
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"], json!([]));
}
