//! report.json as text: from data to bytes with a line for what may change, and the digest over them.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use sha2::{Digest, Sha256};

use super::Report;

/// A report as text: a line for every service and every addend, so that what changes is a line.
pub(crate) fn json(report: &Report<'_>) -> String {
    let mut out = body(report);
    let digest = sum_of(out.as_bytes());
    let _ = write!(out, "{}", ending(&digest));
    out
}

/// Whether the digest of a report, which was read from `text`, is the one that it must have. A text that is as bzc
/// writes it is not printed again for that.
pub(crate) fn has_its_digest(report: &Report<'_>, text: &str) -> bool {
    let Some(stated) = report.digest.as_deref() else {
        return false;
    };
    let as_written = text.strip_suffix(ending(stated).as_str());
    as_written.is_some_and(|body| sum_of(body.as_bytes()) == stated)
        || sum_of(body(report).as_bytes()) == stated
}

fn ending(digest: &str) -> String {
    format!("  \"digest\": \"{digest}\"\n}}\n")
}

fn sum_of(bytes: &[u8]) -> String {
    let sum = Sha256::digest(bytes);
    sum.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn body(report: &Report<'_>) -> String {
    let Report {
        bzc_report,
        source,
        environment,
        theorems,
        namespace,
        fill,
        level,
        placement,
        nodes,
        budgets,
        services,
        quotas,
        uncounted,
        digest: _,
    } = report;
    let mut out = b"{\n".to_vec();
    field(&mut out, "bzcReport", bzc_report, LINE);
    field(&mut out, "source", source, LINE);
    field(&mut out, "environment", environment, LINE);
    list(&mut out, "theorems", theorems, BLOCK);
    field(&mut out, "namespace", namespace, LINE);
    field(&mut out, "fill", fill, LINE);
    field(&mut out, "level", level, LINE);
    field(&mut out, "placement", placement, BLOCK);
    list(&mut out, "nodes", nodes, BLOCK);
    list(&mut out, "budgets", budgets, LINE);
    list(&mut out, "services", services, LINE);
    if !quotas.is_empty() {
        list(&mut out, "quotas", quotas, BLOCK);
    }
    if !uncounted.is_empty() {
        list(&mut out, "uncounted", uncounted, LINE);
    }
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Levels of an element that are broken into lines: none of a service, fields and the elements of lists of a node.
const LINE: usize = 0;
const BLOCK: usize = 2;

fn key(out: &mut Vec<u8>, key: &str) {
    out.extend([b"  \"", key.as_bytes(), b"\": "].concat());
}

fn field(out: &mut Vec<u8>, name: &str, value: &impl Serialize, broken: usize) {
    key(out, name);
    print(out, value, Layout::new(broken, 2));
    out.extend(b",\n");
}

fn list<T: Serialize>(out: &mut Vec<u8>, name: &str, values: &[T], broken: usize) {
    key(out, name);
    out.extend(b"[");
    for (at, value) in values.iter().enumerate() {
        out.extend(if at == 0 { &b"\n    "[..] } else { b",\n    " });
        print(out, value, Layout::new(broken, 4));
    }
    out.extend(if values.is_empty() {
        &b"],\n"[..]
    } else {
        b"\n  ],\n"
    });
}

fn print(out: &mut Vec<u8>, value: &impl Serialize, layout: Layout) {
    let mut serializer = serde_json::Serializer::with_formatter(out, layout);
    value
        .serialize(&mut serializer)
        .expect("a tree of texts and numbers");
}

/// JSON whose outer levels are broken into lines, and whose inner ones are on one, with blanks.
struct Layout {
    broken: usize,
    indent: usize,
    depth: usize,
    /// Whether the list or object that ends next has anything in it.
    filled: bool,
}

impl Layout {
    fn new(broken: usize, indent: usize) -> Layout {
        Layout {
            broken,
            indent,
            depth: 0,
            filled: false,
        }
    }

    fn begin<W: ?Sized + Write>(&mut self, writer: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        writer.write_all(sign)
    }

    fn element<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.filled = true;
        match (self.depth <= self.broken, first) {
            (true, true) => self.line(writer),
            (true, false) => {
                writer.write_all(b",")?;
                self.line(writer)
            }
            (false, true) => Ok(()),
            (false, false) => writer.write_all(b", "),
        }
    }

    fn end<W: ?Sized + Write>(&mut self, writer: &mut W, sign: &[u8]) -> io::Result<()> {
        let broken = self.depth <= self.broken && self.filled;
        self.depth -= 1;
        if broken {
            self.line(writer)?;
        }
        self.filled = true;
        writer.write_all(sign)
    }

    fn line<W: ?Sized + Write>(&self, writer: &mut W) -> io::Result<()> {
        let indent = self.indent + 2 * self.depth;
        write!(writer, "\n{:indent$}", "")
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
