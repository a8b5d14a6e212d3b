//! The formatter against a table of small texts, the program of the design, and random programs in random
//! layouts: the tree and the comments stay, and formatting twice changes nothing.

use super::format;
use crate::base::random::Random;
use crate::base::span::{FileId, Span};
use crate::diag::Sink;
use crate::syntax::ast::{Expr, ExprKind, Item};
use crate::syntax::lexer::lex;
use crate::syntax::parse;
use crate::syntax::token::TokenKind;
use std::fmt::Write as _;

fn formatted(text: &str) -> String {
    format(text).unwrap_or_else(|errors| {
        let at = errors[0]
            .primary
            .as_ref()
            .map_or(0, |label| label.span.start as usize);
        unreachable!(
            "{}\n{}<<HERE>>{}",
            errors[0].message,
            &text[..at],
            &text[at..]
        )
    })
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (input, expected) in cases {
        assert_eq!(formatted(input), *expected, "from\n{input}");
        assert_eq!(formatted(expected), *expected, "formatting it again");
    }
}

#[test]
fn fields_values_and_headers() {
    check(&[
        ("", ""),
        (" \n\t\n", ""),
        ("\u{feff}edition=1", "edition = 1\n"),
        ("a=1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
        ("a=1 b=2", "a = 1\nb = 2\n"),
        ("cpu = 25m .. 50m", "cpu = 25m..50m\n"),
        ("a = - 1 ..- 2", "a = -1..-2\n"),
        ("a = b -c*- d/2+--e", "a = b - c * -d / 2 + --e\n"),
        ("a = ( (b+c) )*2", "a = ((b + c)) * 2\n"),
        ("a = 1 +\n  2", "a = 1 + 2\n"),
        ("a=\n\n1", "a = 1\n"),
        ("a = wsl . free", "a = wsl.free\n"),
        ("a = secret db/url", "a = secret db/url\n"),
        ("a = secret \"db\"/ \"url\"", "a = secret \"db\"/\"url\"\n"),
        ("a = surge  25%", "a = surge 25%\n"),
        ("a = max( b,c ,) / 2", "a = max(b, c) / 2\n"),
        ("expect a>=b", "expect a >= b\n"),
        ("expect(a+1)!=-b", "expect (a + 1) != -b\n"),
        ("expect a/b < secret c/d", "expect a / b < secret c/d\n"),
        ("expect = 1", "expect = 1\n"),
        (
            "use   \"tiers.bz\" use std.nodes",
            "use \"tiers.bz\"\nuse std.nodes\n",
        ),
        ("use\n\"a.bz\"", "use \"a.bz\"\n"),
        ("service a,b ,\n c{x=1}", "service a, b, c { x = 1 }\n"),
        (
            "workload web/nginx\n{ x = 1 }",
            "workload web/nginx { x = 1 }\n",
        ),
        ("override  memory=1", "override memory = 1\n"),
        ("override = 1", "override = 1\n"),
        (
            "budget platform=800Mi{tiers=[agent]}",
            "budget platform = 800Mi { tiers = [agent] }\n",
        ),
        ("\"a b\" = 1", "\"a b\" = 1\n"),
    ]);
}

#[test]
fn blocks() {
    let wide = |n: usize| format!("service a {{ x = \"{}\" }}", "x".repeat(n));
    assert_eq!(formatted(&wide(100)), wide(100) + "\n");
    assert_eq!(
        formatted(&wide(101)),
        format!("service a {{\n  x = \"{}\"\n}}\n", "x".repeat(101))
    );
    let nested = format!("a {{ b {{ c = 1 d=2 }} e = \"{}\" }}", "é".repeat(100));
    assert_eq!(
        formatted(&nested),
        format!(
            "a {{\n  b {{ c = 1  d = 2 }}\n  e = \"{}\"\n}}\n",
            "é".repeat(100)
        )
    );
    check(&[
        ("a { }", "a {}\n"),
        ("a {\n\n}", "a {}\n"),
        ("a {b{} c{ d=1 e=2}}", "a { b {}  c { d = 1  e = 2 } }\n"),
        ("a {\nb{c=1 d=2}}", "a {\n  b { c = 1  d = 2 }\n}\n"),
        ("a { b {\n c = 1 } }", "a {\n  b {\n    c = 1\n  }\n}\n"),
        (
            "a{\n\n\nb=1\n\n\n\nc=2\n\n\n}\n\n\nd=1\n\n",
            "a {\n  b = 1\n\n  c = 2\n}\n\nd = 1\n",
        ),
        (
            "a = \"\"\"x\"\"\" { b = 1 }",
            "a = \"\"\"x\"\"\" { b = 1 }\n",
        ),
    ]);
}

#[test]
fn alignment() {
    let long = "k".repeat(121);
    check(&[
        (
            "a = 1\nlong = 2\noverride x = 3",
            "a          = 1\nlong       = 2\noverride x = 3\n",
        ),
        ("a = 1\n\nlong = 2", "a = 1\n\nlong = 2\n"),
        ("a = 1\n# c\nlong = 2", "a = 1\n# c\nlong = 2\n"),
        (
            "a = 1\nb { x = 1 }\nlong = 2",
            "a = 1\nb { x = 1 }\nlong = 2\n",
        ),
        ("a = 1\nlet b = 2\nlong = 2", "a = 1\nlet b = 2\nlong = 2\n"),
        (
            "a = 1\nlonger = [\n1]\nbb = 2",
            "a = 1\nlonger = [\n  1,\n]\nbb = 2\n",
        ),
        (
            "a = 1\nlonger = \"\"\"\n\"\"\"\nbb = 2",
            "a = 1\nlonger = \"\"\"\n\"\"\"\nbb = 2\n",
        ),
        ("a { b = 1  long = 2 }", "a { b = 1  long = 2 }\n"),
        (
            "a=1 # x\nbbb=22 # y\nc{ # z\nd=1}",
            "a   = 1   # x\nbbb = 22  # y\nc {       # z\n  d = 1\n}\n",
        ),
        (
            "a=1 # x\n\nbbb=22 # y\nc{d=1}\ne{f=22}# z",
            "a = 1  # x\n\nbbb = 22  # y\nc { d = 1 }\ne { f = 22 }  # z\n",
        ),
        (
            &format!("{long} = 1 # x\na = 1 # y\nbb = 1"),
            &format!("{long} = 1  # x\na  = 1  # y\nbb = 1\n"),
        ),
        (
            "a = 1 # x\nb = \"\"\"\n longer\"\"\" # y",
            "a = 1  # x\nb = \"\"\"\n longer\"\"\"  # y\n",
        ),
        (
            "a = \"\"\"\n long long long\"\"\" # x\nb = 1 # y",
            "a = \"\"\"\n long long long\"\"\"  # x\nb = 1               # y\n",
        ),
    ]);
}

#[test]
fn comments() {
    check(&[
        ("#", "#\n"),
        ("#a \t\n#  b\n##c\n#!d\n#\te", "# a\n#  b\n##c\n#!d\n#\te\n"),
        ("#a\n\n\n#b\nc=1", "# a\n\n# b\nc = 1\n"),
        ("a=1\n\n\n#end\n\n", "a = 1\n\n# end\n"),
        (
            "a{\n\n#x\n\nb=1\n\n#y\n\n}#z",
            "a {\n  # x\n\n  b = 1\n\n  # y\n}  # z\n",
        ),
        ("a{#x\n}", "a {  # x\n}\n"),
        ("a{#x\n\n#y\nb=1}", "a {  # x\n  # y\n  b = 1\n}\n"),
        ("a#x\n=#y\n1#z", "# x\n# y\na = 1  # z\n"),
        ("b=1\n\na#x\n=#y\n1#z", "b = 1\n\n# x\n# y\na = 1  # z\n"),
        (
            "service a,#x\nb#y\n{c=1}",
            "# x\n# y\nservice a, b { c = 1 }\n",
        ),
        ("override#x\na=1", "# x\noverride a = 1\n"),
        ("a = 1 +#x\n2#y", "# x\na = 1 + 2  # y\n"),
        ("expect#x\na>=#y\nb", "# x\n# y\nexpect a >= b\n"),
        ("a = (#x\n[1,#y\n2])", "# x\n# y\na = ([1, 2])\n"),
        // A carriage return ends a comment and not a line.
        ("a { b = 1 #x\r c = 2 }", "a {\n  b = 1  # x\n  c = 2\n}\n"),
        (
            "a = [ #x\n1 ] #y\r { b = 1 }",
            "a = [  # x\n  1,\n] {  # y\n  b = 1\n}\n",
        ),
    ]);
}

#[test]
fn lists_and_calls() {
    let wide = |n: usize| format!("a = [\"{}\", b]", "x".repeat(n));
    assert_eq!(formatted(&wide(109)), wide(109) + "\n");
    assert_eq!(
        formatted(&wide(110)),
        format!("a = [\n  \"{}\",\n  b,\n]\n", "x".repeat(110))
    );
    check(&[
        ("a = [ ]", "a = []\n"),
        ("a = [\n\n]", "a = []\n"),
        ("a = [b,c,]", "a = [b, c]\n"),
        ("a = [b\nc,\n\n\nd]", "a = [\n  b,\n  c,\n\n  d,\n]\n"),
        ("a = [b\n(c)\n-d]", "a = [\n  b,\n  (c) - d,\n]\n"),
        (
            "a = [max\n(b)\nsurge\n25\ndb/url]",
            "a = [\n  max,\n  (b),\n  surge,\n  25,\n  db / url,\n]\n",
        ),
        ("a = ([b\nc])", "a = ([b, c])\n"),
        ("a = max(b\nc) + 1", "a = max(b, c) + 1\n"),
        ("a = max(b\nc)", "a = max(\n  b,\n  c,\n)\n"),
        (
            "a = [[b, c],\n[d,\ne]] { f = 1 }",
            "a = [\n  [b, c],\n  [\n    d,\n    e,\n  ],\n] { f = 1 }\n",
        ),
        (
            "a = [\"\"\"\n\"\"\", b]",
            "a = [\n  \"\"\"\n\"\"\",\n  b,\n]\n",
        ),
        ("a = [#x\n]", "a = [  # x\n]\n"),
        (
            "a = #w\n[ #x\n #y\nb, #z\n c # v\n , d\n\n#u\n] #t",
            "# w\na = [  # x\n  # y\n  b,  # z\n  c,  # v\n  d,\n\n  # u\n]  # t\n",
        ),
        ("a = [b, c +#x\nd]", "a = [\n  b,\n  # x\n  c + d,\n]\n"),
        (
            "a = [[b #x\n], [c #y\n] + #z\nd]",
            "a = [\n  [\n    b,  # x\n  ],\n  # y\n  # z\n  [c] + d,\n]\n",
        ),
    ]);
}

#[test]
fn text_blocks_are_kept_byte_for_byte() {
    let block = "\"\"\"\r\n  a  \n\n\n\t# no comment\n      \"\"\"";
    assert_eq!(
        formatted(&format!("x {{ y={block}#c\n}}")),
        format!("x {{\n  y = {block}  # c\n}}\n")
    );
}

#[test]
fn what_is_not_bz_is_not_touched() {
    assert_eq!(format("a = 1\nb =").map_err(|errors| errors.len()), Err(1));
    assert!(format("a {").is_err());
}

/// The program of the design as a person typed it, in a hurry.
const TYPED: &str = r#"edition=1


node wsl {
  memory = 3800Mi # MemTotal as the node reports it, not the advertised size
  cpu = 4
    reserve = 400Mi   # the OS and whatever else lives beside K3s

}
k3s {
  version = "v1.33.3+k3s1"
  memory = 600Mi       #the k3s process itself; measured, or the stdlib's figure if left out
  disable = [ traefik,servicelb, metrics-server ]
  flannel-backend = host-gw
  kube-apiserver-arg {
    max-requests-inflight = 50
    max-mutating-requests-inflight = 25
    request-timeout = 30s
  }
  kubelet-arg {

    housekeeping-interval = 30s
    image-gc-high-threshold = 50
    image-gc-low-threshold = 40
  }
}

component coredns {             # a packaged K3s component, kept patched in a way that survives a restart of k3s
  memory {request=32Mi limit=64Mi}
  cpu = 25m .. 50m
}

budget platform = 800Mi         # a named ceiling over a set of services; here: all of them

tier agent {
  memory=32Mi..48Mi
  cpu=25m..50m
}

service onboarding {
  tier = agent
  port = 8001
  image {
    runtime = fastapi           # a runtime of the stdlib: templates, ignore list, memory floor, tuning
    source = "services/onboarding"
    app = "app.main:app"
  }
}
service strategy { tier = agent port = 8002 image { runtime = fastapi source = "services/strategy" } }
service setup { tier = agent port = 8003 image = "ghcr.io/acme/setup:1.4.2" }

adopt "k8s/*.yaml" { # manifests that exist already: they get limits too, comments and order kept
  tier = agent # every container that is not named below
  workload postgres {memory = 256Mi}
  workload web/nginx {memory = 16Mi}
}

expect wsl.free>=500Mi # the language's own test: allocatable less all that can coexist at the peak"#;

const CANONICAL: &str = r#"edition = 1

node wsl {
  memory  = 3800Mi  # MemTotal as the node reports it, not the advertised size
  cpu     = 4
  reserve = 400Mi  # the OS and whatever else lives beside K3s
}
k3s {
  version         = "v1.33.3+k3s1"
  memory          = 600Mi  # the k3s process itself; measured, or the stdlib's figure if left out
  disable         = [traefik, servicelb, metrics-server]
  flannel-backend = host-gw
  kube-apiserver-arg {
    max-requests-inflight          = 50
    max-mutating-requests-inflight = 25
    request-timeout                = 30s
  }
  kubelet-arg {
    housekeeping-interval   = 30s
    image-gc-high-threshold = 50
    image-gc-low-threshold  = 40
  }
}

component coredns {  # a packaged K3s component, kept patched in a way that survives a restart of k3s
  memory { request = 32Mi  limit = 64Mi }
  cpu = 25m..50m
}

budget platform = 800Mi  # a named ceiling over a set of services; here: all of them

tier agent {
  memory = 32Mi..48Mi
  cpu    = 25m..50m
}

service onboarding {
  tier = agent
  port = 8001
  image {
    runtime = fastapi  # a runtime of the stdlib: templates, ignore list, memory floor, tuning
    source  = "services/onboarding"
    app     = "app.main:app"
  }
}
service strategy { tier = agent  port = 8002  image { runtime = fastapi  source = "services/strategy" } }
service setup { tier = agent  port = 8003  image = "ghcr.io/acme/setup:1.4.2" }

adopt "k8s/*.yaml" {  # manifests that exist already: they get limits too, comments and order kept
  tier = agent        # every container that is not named below
  workload postgres { memory = 256Mi }
  workload web/nginx { memory = 16Mi }
}

expect wsl.free >= 500Mi  # the language's own test: allocatable less all that can coexist at the peak
"#;

#[test]
fn the_program_of_the_design() {
    check(&[(TYPED, CANONICAL)]);
}

impl Random {
    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// What may stand between two tokens.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    /// Nothing.
    None,
    /// Blanks on one line.
    Blanks,
    /// At least a blank: anything.
    Apart,
    /// Anything or nothing.
    Free,
    /// A line break, with anything about it.
    Break,
}

/// Writes random programs, each in a random mood of layout.
struct Writer {
    random: Random,
    text: String,
    /// In a hundred gaps that allow them.
    breaks: u64,
    comments: u64,
    line_end: &'static str,
}

const WORDS: [&str; 7] = [
    "a", "tier", "memory", "host-gw", "override", "surge", "expect",
];

impl Writer {
    fn program(seed: u64) -> String {
        let mut random = Random(seed);
        let breaks = [0, 4, 30, 60][random.below(4) as usize];
        let comments = [0, 4, 25][random.below(3) as usize];
        let line_end = random.one_of(&["\n", "\n", "\r\n"]);
        let mut writer = Writer {
            random,
            text: String::new(),
            breaks,
            comments,
            line_end,
        };
        writer.gap(Gap::Free);
        writer.items(3);
        writer.gap(Gap::Free);
        writer.text
    }

    fn chance(&mut self, of_hundred: u64) -> bool {
        self.random.below(100) < of_hundred
    }

    fn gap(&mut self, gap: Gap) {
        if gap == Gap::None {
            return;
        }
        if gap != Gap::Free || self.chance(60) {
            self.text += self.random.one_of(&[" ", " ", "  ", "\t"]);
        }
        if gap == Gap::Blanks {
            return;
        }
        let mut broken = false;
        while self.chance(self.breaks) || (gap == Gap::Break && !broken) {
            broken = true;
            self.text += self.line_end;
            self.text += self.random.one_of(&["", " ", "      "]);
        }
        while self.chance(self.comments) {
            self.text +=
                self.random
                    .one_of(&["#", "#x ", "# y", "##", "#!z", "#   { x", "#é = [ y  "]);
            self.text += self.line_end;
            if self.chance(self.breaks) {
                self.text += self.line_end;
            }
        }
    }

    fn put(&mut self, gap: Gap, token: &str) {
        self.gap(gap);
        self.text += token;
    }

    fn name(&mut self, gap: Gap) {
        let name = self
            .random
            .one_of(&["a", "web", "k8s-x", "\"k8s/*.yaml\"", "\"é # = {\""]);
        self.put(gap, name);
    }

    fn joined_name(&mut self, gap: Gap) {
        self.name(gap);
        if self.chance(20) {
            let sign = self.random.one_of(&[".", "/"]);
            self.put(Gap::None, sign);
            self.name(Gap::None);
        }
    }

    fn names(&mut self) {
        self.joined_name(Gap::Blanks);
        while self.chance(30) {
            self.put(Gap::Free, ",");
            self.joined_name(Gap::Free);
        }
    }

    fn items(&mut self, depth: u64) {
        for _ in 0..self.random.below(5) {
            self.item(depth);
        }
    }

    fn item(&mut self, depth: u64) {
        self.gap(Gap::Apart);
        if self.chance(10) {
            self.text += "override";
            self.gap(Gap::Apart);
        }
        match self.random.below(10) {
            0 => {
                self.text += "expect";
                self.value(Gap::Apart, 2);
                if self.chance(80) {
                    let sign = self.random.one_of(&["<", "<=", ">", ">=", "==", "!="]);
                    self.put(Gap::Apart, sign);
                    self.value(Gap::Free, 2);
                }
            }
            1 => {
                self.text += "use";
                self.names();
            }
            kind => {
                let key = self.random.one_of(&[
                    "a",
                    "memory",
                    "flannel-backend",
                    "\"a b\"",
                    "cpu",
                    "reserve",
                ]);
                self.text += key;
                if kind >= 7 {
                    self.names();
                }
                let with_body = depth > 0 && kind % 2 == 0;
                if kind < 9 || !with_body {
                    self.put(Gap::Free, "=");
                    // A word in front of a `{` on the line below its `=` is taken for the next field.
                    self.value(if with_body { Gap::Blanks } else { Gap::Free }, 2);
                    if with_body {
                        self.gap(Gap::Blanks);
                    }
                }
                if with_body {
                    self.put(Gap::None, "{");
                    self.items(depth - 1);
                    self.put(Gap::Free, "}");
                } else if depth > 0 && kind == 3 {
                    self.item_with_block(depth);
                }
            }
        }
    }

    fn item_with_block(&mut self, depth: u64) {
        self.put(Gap::Apart, "image");
        self.put(Gap::Free, "{");
        self.items(depth - 1);
        self.put(Gap::Free, "}");
    }

    fn value(&mut self, gap: Gap, depth: u64) {
        self.sum(gap, depth);
        if self.chance(15) {
            self.put(Gap::Free, "..");
            self.sum(Gap::Free, depth);
        }
    }

    fn sum(&mut self, gap: Gap, depth: u64) {
        self.operand(gap, depth);
        while self.chance(15) {
            let sign = self.random.one_of(&["+", "-", "*", "/"]);
            self.put(Gap::Apart, sign);
            self.operand(Gap::Free, depth);
        }
    }

    fn operand(&mut self, gap: Gap, depth: u64) {
        match self.random.below(if depth == 0 { 6 } else { 10 }) {
            0 => {
                let number = self.random.one_of(&["1", "48Mi", "25%", "1.5", "30s"]);
                self.put(gap, number);
            }
            1 => {
                let text = self.random.one_of(&[
                    "\"x\"",
                    "\"\\\"#\"",
                    "\"\"\"x\"\"\"",
                    "\"\"\"\n # x \r\n\n\n  \"\"\"",
                ]);
                self.put(gap, text);
            }
            2 => {
                let word = self.random.one_of(&WORDS);
                self.put(gap, word);
                while self.chance(20) {
                    self.put(Gap::Free, ".");
                    self.put(Gap::Free, "free");
                }
            }
            3 => {
                self.put(gap, "secret");
                self.name(Gap::Blanks);
                self.put(Gap::None, "/");
                self.name(Gap::Free);
            }
            4 => {
                let word = self.random.one_of(&WORDS);
                self.put(gap, word);
                self.put(Gap::Blanks, "25%");
            }
            5 => {
                // On a line of its own it would be YAML's way to write a list, which is a fault.
                self.put(Gap::Blanks, "-");
                self.operand(Gap::Free, depth);
            }
            6 => {
                self.put(gap, "(");
                self.value(Gap::Free, depth - 1);
                self.put(Gap::Free, ")");
            }
            7 => {
                self.put(gap, "max");
                self.elements(Gap::None, "(", ")", depth - 1);
            }
            _ => self.elements(gap, "[", "]", depth - 1),
        }
    }

    fn elements(&mut self, gap: Gap, open: &str, close: &str, depth: u64) {
        self.put(gap, open);
        let count = self.random.below(5);
        let mut between = Gap::Free;
        for i in 0..count {
            if between == Gap::Break {
                // What begins with a minus goes on with the sum above, which may be a range already.
                self.sum(between, depth);
            } else {
                self.value(between, depth);
            }
            between = if self.chance(self.breaks) {
                Gap::Break
            } else {
                Gap::Free
            };
            if (between == Gap::Free && i + 1 < count) || self.chance(20) {
                self.put(Gap::Free, ",");
                between = Gap::Free;
            }
        }
        self.put(Gap::Free, close);
    }
}

/// What a text says, without its layout: the tree, the tokens without commas, the comments.
fn content(text: &str) -> [String; 3] {
    let mut sink = Sink::default();
    let parsed = parse(FileId::default(), text, &mut sink);
    let mut tree = String::new();
    items(text, &parsed.file.items, &mut tree);
    let tokens = lex(text);
    let written = |kept: Vec<&str>| kept.join("\n");
    let all = tokens
        .tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comma);
    let code = written(
        all.map(|token| &text[token.start as usize..token.end as usize])
            .collect(),
    );
    // The formatter may put a blank behind the `#` and cut those at the end.
    let said = |start: u32, end: u32| text[start as usize + 1..end as usize].trim();
    let comments = written(
        tokens
            .comments
            .iter()
            .map(|token| said(token.start, token.end))
            .collect(),
    );
    [tree, code, comments]
}

fn words(text: &str, span: Span) -> String {
    let text = &text[span.start as usize..span.end as usize];
    lex(text)
        .tokens
        .iter()
        .map(|token| &text[token.start as usize..token.end as usize])
        .collect()
}

fn items(text: &str, of: &[Item], out: &mut String) {
    for item in of {
        let key = words(text, item.key.span);
        let _ = write!(
            out,
            "{}{key}",
            if item.overriding().is_some() {
                "override "
            } else {
                ""
            }
        );
        for name in &item.names {
            let _ = write!(out, " {:?}:{}", name.shape, words(text, name.span));
        }
        if let Some(value) = &item.value {
            *out += " = ";
            expr(text, value, out);
        }
        if let Some(body) = &item.body {
            *out += " {\n";
            items(text, &body.items, out);
            *out += "}";
        }
        *out += "\n";
    }
}

fn expr(text: &str, value: &Expr, out: &mut String) {
    let mut all = |name: &str, parts: &[&Expr]| {
        let _ = write!(out, "{name}(");
        parts.iter().for_each(|part| {
            expr(text, part, out);
            *out += " ";
        });
        *out += ")";
    };
    match &value.kind {
        ExprKind::List(values) => all("list", &values.iter().collect::<Vec<_>>()),
        ExprKind::Call(call) => all(
            &words(text, call.function.span),
            &call.arguments.iter().collect::<Vec<_>>(),
        ),
        ExprKind::Range(ends) => all("range", &[&ends.0, &ends.1]),
        ExprKind::Binary(sign, sides) => all(sign.sign(), &[&sides.0, &sides.1]),
        ExprKind::Negative(of) => all("negative", &[of]),
        ExprKind::Tagged(tagged) => all(&words(text, tagged.0.span), &[&tagged.1]),
        ExprKind::Reference(parts) => {
            let part = |span| words(text, span);
            let _ = write!(
                out,
                "{} {} of {}",
                part(parts.kind.span),
                part(parts.key.span),
                part(parts.name.span)
            );
        }
        ExprKind::Number | ExprKind::Text | ExprKind::Path | ExprKind::Hole => {
            *out += &words(text, value.span)
        }
    }
}

#[test]
fn random_programs_keep_their_content_and_settle_at_once() {
    for seed in 0..1200 {
        let text = Writer::program(seed);
        let once = formatted(&text);
        assert_eq!(
            content(&text),
            content(&once),
            "seed {seed}:\n{text}\nbecame\n{once}"
        );
        assert_eq!(formatted(&once), once, "seed {seed}:\n{text}");
        if !text.contains("\"\"\"") {
            let blank_ends = once.lines().any(|line| line.ends_with([' ', '\t', '\r']));
            let blank_lines = ["\n\n\n", "{\n\n", "[\n\n", "\n\n}"]
                .iter()
                .any(|bad| once.contains(bad));
            assert!(
                !blank_ends && !blank_lines && !once.starts_with('\n'),
                "seed {seed}:\n{once}"
            );
        }
    }
}

#[test]
fn large_and_deep_files_cost_no_more_than_their_size() {
    // Shapes on which trying one line at each level, or looking back, would take for ever if it had no end.
    let services: String = (0..2000).fold(String::new(), |text, i| {
        text + &format!(
            "service s{i} {{ tier = agent port = {i} image {{ source = \"x\" }} }} # {i}\n"
        )
    });
    assert_eq!(formatted(&services).lines().count(), 2000);
    let deep = format!("{}x = 1{}", "a { ".repeat(127), " }".repeat(127));
    assert_eq!(formatted(&deep).lines().count(), 255);
    let lists = format!(
        "x = {}{}{}",
        "[".repeat(127),
        "a, ".repeat(5000),
        "]".repeat(127)
    );
    assert_eq!(formatted(&lists).lines().count(), 5000 + 2 * 127);
    let gap = format!("a = 1{}b = {}2", "\n".repeat(100_000), "#\n".repeat(20_000));
    assert_eq!(formatted(&gap).lines().count(), 20_003);
}
