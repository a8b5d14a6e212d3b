//! The findings of a run in the formats that machines read: collected program by program, printed at its end.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::json::{FORMAT, json as line};
use super::render::{details, github};
use super::tool::Tool;
use super::{Diagnostic, Severity, sarif};
use crate::base::source::SourceMap;
use crate::base::span::{FileId, Span};

/// A format that machines read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// A JSON object a line, the last of which is a summary where programs were concluded.
    Json,
    /// Workflow commands of GitHub.
    Github,
    /// A SARIF 2.1.0 log.
    Sarif,
    /// A code quality report of GitLab.
    Gitlab,
    /// Test suites in the form of JUnit.
    Junit,
    /// The diagnostic format of reviewdog.
    Rdjson,
}

/// What became of one program, in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conclusion {
    /// The program, as messages call it.
    pub file: String,
    /// Its environment.
    pub env: Option<String>,
    /// How many errors it has.
    pub errors: usize,
    /// Its promises that are unknown.
    pub unknown: Vec<String>,
    /// Its promises that are assumed.
    pub assumed: Vec<String>,
}

/// The findings of a run.
#[derive(Debug)]
pub struct Log {
    format: Machine,
    tool: Tool,
    text: String,
    results: Vec<Value>,
    /// Suites of JUnit: the program, and its cases.
    suites: Vec<(String, String)>,
    ids: BTreeMap<&'static str, Severity>,
    seen: BTreeMap<String, u32>,
    counts: [usize; 3],
    conclusions: Vec<Conclusion>,
}

impl Log {
    /// No findings yet.
    pub fn new(format: Machine, tool: Tool) -> Log {
        Log {
            format,
            tool,
            text: String::new(),
            results: Vec::new(),
            suites: Vec::new(),
            ids: BTreeMap::new(),
            seen: BTreeMap::new(),
            counts: [0; 3],
            conclusions: Vec::new(),
        }
    }

    /// Takes the findings of a program, by the name that messages call it.
    pub fn add(&mut self, program: &str, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let mut cases = String::new();
        for diagnostic in diagnostics {
            self.ids.entry(diagnostic.id).or_insert(diagnostic.severity);
            self.counts[usize::from(!diagnostic.is_error())] += 1;
            self.counts[2] += usize::from(diagnostic.certain_edits().is_some());
            let print = self.fingerprint(diagnostic, sources);
            match self.format {
                Machine::Json => self.text += &format!("{}\n", line(diagnostic, sources)),
                Machine::Github => self.text += &format!("{}\n", github(diagnostic, sources)),
                Machine::Sarif => self
                    .results
                    .push(sarif::result(diagnostic, sources, &print)),
                Machine::Gitlab => self
                    .results
                    .push(issue(program, diagnostic, sources, &print)),
                Machine::Junit => cases += &case(program, diagnostic, sources),
                Machine::Rdjson => self
                    .results
                    .push(remark(self.tool, program, diagnostic, sources)),
            }
        }
        if self.format == Machine::Junit {
            self.suites.push((program.to_owned(), cases));
        }
    }

    /// Takes what became of a program.
    pub fn conclude(&mut self, conclusion: Conclusion) {
        self.conclusions.push(conclusion);
    }

    /// A text that stays the same while lines move: of the code, the file, the line of the place, and which of those that
    /// are equal in all of these it is.
    fn fingerprint(&mut self, diagnostic: &Diagnostic, sources: &SourceMap) -> String {
        let (file, line) = match &diagnostic.primary {
            None => ("", ""),
            Some(label) => {
                let source = sources.file(label.span.file);
                let (start, text) = (label.span.start as usize, &*source.text);
                let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
                let to = text[start..].find('\n').map_or(text.len(), |at| start + at);
                (source.shown.as_str(), text[from..to].trim())
            }
        };
        let digest = Sha256::digest(format!("{}\0{file}\0{line}", diagnostic.id));
        let hash: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let count = self.seen.entry(hash.clone()).or_insert(0);
        *count += 1;
        format!("{hash}:{count}")
    }

    /// The text of the whole run.
    pub fn finish(self) -> String {
        match self.format {
            Machine::Json if self.conclusions.is_empty() => self.text,
            Machine::Json => format!("{}{}\n", self.text, self.summary()),
            Machine::Github => self.text,
            Machine::Sarif => sarif::log(self.tool, &self.ids, self.results),
            Machine::Gitlab => format!("{:#}\n", Value::Array(self.results)),
            Machine::Junit => suites(&self.suites),
            Machine::Rdjson => {
                let mut source = json!({ "name": "bzc" });
                if !self.tool.repository.is_empty() {
                    source["url"] = json!(self.tool.repository);
                }
                let all = json!({ "source": source, "diagnostics": self.results });
                format!("{all:#}\n")
            }
        }
    }

    /// The last object of the JSON format.
    fn summary(&self) -> Value {
        let programs: Vec<_> = self
            .conclusions
            .iter()
            .map(|one| {
                json!({
                    "file": one.file,
                    "env": one.env,
                    "errors": one.errors,
                    "unknown": one.unknown,
                    "assumed": one.assumed,
                })
            })
            .collect();
        let [errors, warnings, fixable] = self.counts;
        json!({
            "bzcDiagnostics": FORMAT,
            "type": "summary",
            "version": self.tool.version,
            "errors": errors,
            "warnings": warnings,
            "fixable": fixable,
            "programs": programs,
        })
    }
}

/// Message and details in one text.
fn described(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut text = vec![diagnostic.message.clone()];
    text.extend(details(diagnostic, sources));
    text.join("\n")
}

/// The file of a finding and its first and last line. Without a place it is the first line of the program.
fn lines(program: &str, diagnostic: &Diagnostic, sources: &SourceMap) -> (String, usize, usize) {
    match &diagnostic.primary {
        None => (program.to_owned(), 1, 1),
        Some(label) => {
            let Span { file, start, end } = label.span;
            let (first, last) = (
                sources.line_col(file, start).0,
                sources.line_col(file, end).0,
            );
            (sources.file(file).shown.clone(), first, last)
        }
    }
}

/// An issue of GitLab's code quality report.
fn issue(program: &str, diagnostic: &Diagnostic, sources: &SourceMap, print: &str) -> Value {
    let (path, begin, end) = lines(program, diagnostic, sources);
    json!({
        "description": described(diagnostic, sources),
        "check_name": diagnostic.id,
        "fingerprint": print,
        "severity": match diagnostic.severity {
            Severity::Error => "critical",
            Severity::Warning => "minor",
        },
        "location": { "path": path, "lines": { "begin": begin, "end": end } },
    })
}

/// A text in an attribute or element of XML. Signs that XML 1.0 has no way to write are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// A finding as a case of JUnit: an error is a failure, a warning is output of a case that passes.
fn case(program: &str, diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let (path, line, _) = lines(program, diagnostic, sources);
    let (id, message) = (diagnostic.id, escaped(&diagnostic.message));
    let text = escaped(&format!(
        "{path}:{line}: {}",
        described(diagnostic, sources)
    ));
    let inside = match diagnostic.severity {
        Severity::Error => format!("<failure type=\"{id}\" message=\"{message}\">{text}</failure>"),
        Severity::Warning => format!("<system-out>warning[{id}]: {text}</system-out>"),
    };
    let (class, name) = (escaped(&path), escaped(&format!("{id} at line {line}")));
    format!(
        "    <testcase classname=\"{class}\" name=\"{name}\">\n      {inside}\n    </testcase>\n"
    )
}

/// Test suites, one a program. A program of which there is nothing to say is a case that passes.
fn suites(suites: &[(String, String)]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bzc\">\n");
    for (program, cases) in suites {
        let name = escaped(program);
        let clean = format!("    <testcase classname=\"{name}\" name=\"bzc\"/>\n");
        let cases = if cases.is_empty() { &clean } else { cases };
        let (tests, failures) = (
            cases.matches("<testcase ").count(),
            cases.matches("<failure ").count(),
        );
        out += &format!(
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n"
        );
        out += &format!("{cases}  </testsuite>\n");
    }
    out + "</testsuites>\n"
}

/// A place for reviewdog, which counts columns in bytes.
fn range(span: Span, sources: &SourceMap) -> Value {
    let point = |offset: u32| {
        let text = &sources.file(span.file).text[..offset as usize];
        let line = text.rfind('\n').map_or(0, |at| at + 1);
        json!({ "line": sources.line_col(span.file, offset).0, "column": text.len() - line + 1 })
    };
    json!({ "start": point(span.start), "end": point(span.end) })
}

/// A finding for reviewdog. What it suggests is one edit, so only such helps are suggestions.
fn remark(tool: Tool, program: &str, diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let place = diagnostic.primary.as_ref().map(|label| label.span);
    let mut location = json!({ "path": lines(program, diagnostic, sources).0 });
    if let Some(span) = place {
        location["range"] = range(span, sources);
    }
    let here = |file: FileId| place.is_some_and(|span| span.file == file);
    let suggestions: Vec<_> = diagnostic
        .helps
        .iter()
        .filter(|help| help.is_fix())
        .filter_map(|help| match help.edits.as_slice() {
            [edit] if here(edit.span.file) => {
                Some(json!({ "range": range(edit.span, sources), "text": edit.text }))
            }
            _ => None,
        })
        .collect();
    let mut code = json!({ "value": diagnostic.id });
    let folder = if diagnostic.is_error() {
        "errors"
    } else {
        "lints"
    };
    if let Some(link) = tool.page(folder, diagnostic.id) {
        code["url"] = json!(link);
    }
    json!({
        "message": described(diagnostic, sources),
        "severity": diagnostic.severity.word().to_ascii_uppercase(),
        "location": location,
        "code": code,
        "suggestions": suggestions,
    })
}

#[cfg(test)]
mod tests;
