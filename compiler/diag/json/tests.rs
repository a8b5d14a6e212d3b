//! A finding as a line of JSON.

use super::*;
use crate::diag::samples::{error, sources};

#[test]
fn one_line_with_everything() {
    let expected = concat!(
        r#"{"addends":[{"amount":"1Mi","place":"my budget.bz:2","what":"c"},"#,
        r#"{"amount":"1Mi","place":null,"what":"total"}],"bzcDiagnostics":1,"code":"BZ4001","file":"my budget.bz","helps":["#,
        r#"{"applicability":null,"edits":[],"left":null,"text":"h"},{"applicability":"maybe-incorrect","edits":["#,
        r#"{"column":5,"end":17,"endColumn":6,"endLine":2,"file":"my budget.bz","line":2,"start":16,"text":"0"},"#,
        r#"{"column":5,"end":5,"endColumn":6,"endLine":1,"file":"<std>/k3s.bz","line":1,"start":4,"text":"3"},"#,
        r#"{"column":9,"end":11,"endColumn":10,"endLine":1,"file":"my budget.bz","line":1,"start":10,"text":""}"#,
        r#"],"left":null,"text":"both"}],"labels":[{"file":"my budget.bz","primary":true,"span":"#,
        r#"{"column":9,"end":11,"endColumn":10,"endLine":1,"line":1,"start":10},"text":"here"},"#,
        r#"{"file":"<std>/k3s.bz","primary":false,"span":"#,
        r#"{"column":5,"end":5,"endColumn":6,"endLine":1,"line":1,"start":4},"text":""}],"#,
        r#""message":"over by 1Mi","notes":["n"],"severity":"error","#,
        r#""span":{"column":9,"end":11,"endColumn":10,"endLine":1,"line":1,"start":10},"type":"finding"}"#,
    );
    assert_eq!(json(&error(), &sources()), expected);
}

#[test]
fn without_a_place_there_is_null() {
    let text = json(&Diagnostic::lint("unused-tier", "a\nb"), &sources());
    assert_eq!(
        text,
        r#"{"addends":[],"bzcDiagnostics":1,"code":"unused-tier","file":null,"helps":[],"labels":[],"message":"a\nb","notes":[],"severity":"warning","span":null,"type":"finding"}"#
    );
}
