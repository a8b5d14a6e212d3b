//! The formats for people, editors and GitHub.

use super::*;
use crate::base::source::Provenance;
use crate::base::span::Span;
use crate::diag::Edit;

fn one(text: &str) -> SourceMap {
    let mut sources = SourceMap::default();
    sources.add(
        "budget.bz".to_owned(),
        "budget.bz".to_owned(),
        text.to_owned(),
        Provenance::Project,
    );
    sources
}

const BUDGET: &str = "\
node wsl {
  memory = 3800Mi
}
budget platform = 128Mi
tier agent {
  memory = 32Mi..48Mi
}
service setup { tier = agent }
";

fn two() -> SourceMap {
    let mut sources = one(BUDGET);
    sources.add(
        "<std>/k3s.bz".to_owned(),
        "<std>/k3s.bz".to_owned(),
        "# measured\ncoredns = 64Mi\n".to_owned(),
        Provenance::Library,
    );
    sources
}

/// The first place of a text in a file.
fn at(sources: &SourceMap, file: u32, text: &str) -> Span {
    let start = sources
        .file(FileId::new(file))
        .text
        .find(text)
        .expect("the text is there") as u32;
    Span::new(FileId::new(file), start, start + text.len() as u32)
}

fn addend(what: &str, amount: &str, span: Option<Span>) -> Addend {
    Addend {
        what: what.to_owned(),
        amount: amount.to_owned(),
        span,
    }
}

#[track_caller]
fn shows(diagnostic: &Diagnostic, sources: &SourceMap, expected: &str) {
    let found = human(diagnostic, sources, false);
    assert_eq!(found, expected.trim_matches('\n'), "\n{found}\n");
}

#[test]
fn one_label() {
    let sources = one(BUDGET);
    let error = Diagnostic::error("BZ2001", "unknown tier `agent`")
        .at(at(&sources, 0, "agent"), "not declared");
    shows(
        &error,
        &sources,
        "
error[BZ2001]: unknown tier `agent`
 --> budget.bz:5:6
  |
5 | tier agent {
  |      ^^^^^ not declared
",
    );
    assert_eq!(
        short(&error, &sources),
        "budget.bz:5:6: error[BZ2001]: unknown tier `agent`"
    );
}

#[test]
fn a_lint_without_words_at_its_place() {
    let sources = one(BUDGET);
    let warning = Diagnostic::lint("unused-tier", "tier `agent` is never used")
        .at(at(&sources, 0, "agent"), "");
    shows(
        &warning,
        &sources,
        "
warning[unused-tier]: tier `agent` is never used
 --> budget.bz:5:6
  |
5 | tier agent {
  |      ^^^^^
",
    );
    assert_eq!(
        short(&warning, &sources),
        "budget.bz:5:6: warning[unused-tier]: tier `agent` is never used"
    );
}

#[test]
fn labels_in_two_files_and_the_sum() {
    let sources = two();
    let mut error = Diagnostic::error("BZ4001", "`platform` is over its budget by 128Mi")
        .at(at(&sources, 0, "128Mi"), "holds this much")
        .also(at(&sources, 0, "32Mi"), "the least each `agent` can have")
        .also(at(&sources, 1, "64Mi"), "coredns takes this")
        .note("requests are summed, not limits")
        .help("`bzc explain BZ4001` tells what is counted");
    error.addends = vec![
        addend("6 agents x 32Mi", "192Mi", Some(at(&sources, 0, "32Mi"))),
        addend("coredns", "64Mi", Some(at(&sources, 1, "64Mi"))),
        addend("total", "256Mi", None),
    ];
    shows(
        &error,
        &sources,
        "
error[BZ4001]: `platform` is over its budget by 128Mi
 --> budget.bz:4:19
  |
4 | budget platform = 128Mi
  |                   ^^^^^ holds this much
5 | tier agent {
6 |   memory = 32Mi..48Mi
  |            ---- the least each `agent` can have
  |
 ::: <std>/k3s.bz:2:11
  |
2 | coredns = 64Mi
  |           ---- coredns takes this
  |
  = sum: 6 agents x 32Mi  192Mi  budget.bz:6
         coredns           64Mi  <std>/k3s.bz:2
         total            256Mi
  = note: requests are summed, not limits
  = help: `bzc explain BZ4001` tells what is counted
",
    );
}

#[test]
fn a_long_sum_keeps_its_total_and_80_columns() {
    let sources = one("a = 1\n");
    let mut error = Diagnostic::error("BZ4001", "over by 1Mi");
    error.addends = (1..=30)
        .map(|number| addend(&format!("service {number}"), "1Mi", None))
        .collect();
    error.addends[1].what = "a very long description of what takes this much memory ".repeat(2);
    error.addends[1].span = Some(at(&sources, 0, "1"));
    error.addends.push(addend("total", "30Mi", None));
    let text = human(&error, &sources, false);
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    assert_eq!(
        lines[1],
        " = sum: service 1                                           1Mi"
    );
    assert_eq!(
        lines[2],
        "        a very long description of what takes this much     1Mi  budget.bz:1"
    );
    assert_eq!(
        lines[3],
        "          memory a very long description of what takes this"
    );
    assert_eq!(lines[4], "          much memory");
    assert_eq!(
        lines[22],
        "        service 20                                          1Mi"
    );
    assert_eq!(
        lines[23],
        "        ... and 10 more (--format json lists all)"
    );
    assert_eq!(
        lines[24],
        "        total                                              30Mi"
    );
    assert_eq!(lines.len(), 25);

    error.addends.pop();
    error.addends[29].span = Some(at(&sources, 0, "1"));
    assert!(human(&error, &sources, false).ends_with("... and 10 more (--format json lists all)"));
}

#[test]
fn helps_with_edits_are_drawn() {
    let sources = one(BUDGET);
    let line = at(&sources, 0, "service setup { tier = agent }\n");
    let error = Diagnostic::error("BZ3001", "needs more")
        .at(at(&sources, 0, "32Mi"), "too little")
        .fix("give it more", at(&sources, 0, "32Mi"), "37Mi")
        .help("or ask for less")
        .fix("remove the service", line, "")
        .fix("say which", line.before(), "service other {\n}\n");
    shows(
        &error,
        &sources,
        "
error[BZ3001]: needs more
 --> budget.bz:6:12
  |
6 |   memory = 32Mi..48Mi
  |            ^^^^ too little
  |
  = help: or ask for less
help: give it more
  |
6 -   memory = 32Mi..48Mi
6 +   memory = 37Mi..48Mi
  |
help: remove the service
  |
8 - service setup { tier = agent }
  |
help: say which
  |
8 + service other {
9 + }
  |
",
    );
}

#[test]
fn several_ways_to_make_it_fit_are_a_choice() {
    let sources = one(BUDGET);
    let mut error = Diagnostic::error("BZ4001", "over by 64Mi")
        .at(at(&sources, 0, "128Mi"), "")
        .fix(
            "raise the budget to 192Mi",
            at(&sources, 0, "128Mi"),
            "192Mi",
        )
        .fix(
            "remove `setup`",
            at(&sources, 0, "service setup { tier = agent }\n"),
            "",
        );
    // A change of two places is one proposal; one behind it overlaps and is dropped.
    let (low, high) = (at(&sources, 0, "32Mi"), at(&sources, 0, "48Mi"));
    let edits = [
        (low, "21Mi"),
        (at(&sources, 0, "wsl"), "big"),
        (high, "40Mi"),
        (low.to(high), "x"),
    ];
    let edits = edits
        .map(|(span, text)| Edit {
            span,
            text: text.to_owned(),
        })
        .into();
    error.helps.push(Help::new("lower the tier", edits));
    shows(
        &error,
        &sources,
        "
error[BZ4001]: over by 64Mi
 --> budget.bz:4:19
  |
4 | budget platform = 128Mi
  |                   ^^^^^
  |
  = help: any one of these makes it fit (each was checked):
          - raise the budget to 192Mi
              budget.bz:4  budget platform = 192Mi
          - remove `setup`
              budget.bz:8  (removed) service setup { tier = agent }
          - lower the tier
              budget.bz:1  node big {
              budget.bz:6  memory = 21Mi..40Mi
",
    );
}

#[test]
fn two_labels_on_a_line_and_a_block() {
    let sources = one(BUDGET);
    let error = Diagnostic::error("BZ3001", "both")
        .at(at(&sources, 0, "48Mi"), "the most")
        .also(at(&sources, 0, "32Mi"), "the least")
        .also(
            at(&sources, 0, "node wsl {\n  memory = 3800Mi\n}"),
            "the node",
        );
    shows(
        &error,
        &sources,
        "
error[BZ3001]: both
 --> budget.bz:6:18
  |
1 | / node wsl {
2 | |   memory = 3800Mi
3 | | }
  | |_- the node
...
6 |     memory = 32Mi..48Mi
  |              ----  ^^^^ the most
  |              |
  |              the least
",
    );
}

#[test]
fn tabs_and_wide_characters() {
    let sources = one("\tname = \"漢字\" x = 2\r\n\ty = 3\r\n");
    let error = Diagnostic::error("BZ3001", "two")
        .at(at(&sources, 0, "2"), "here")
        .also(at(&sources, 0, "漢字"), "wide")
        .also(at(&sources, 0, "3"), "next");
    shows(
        &error,
        &sources,
        "
error[BZ3001]: two
 --> budget.bz:1:18
  |
1 |     name = \"漢字\" x = 2
  |             ---- wide ^ here
2 |     y = 3
  |         - next
",
    );
    assert_eq!(
        short(&error, &sources),
        "budget.bz:1:18: error[BZ3001]: two"
    );
}

#[test]
fn ends_of_files() {
    for (text, line, column) in [
        ("", 1, 1),
        ("a", 1, 2),
        ("a\n", 2, 1),
        ("a\r\n", 2, 1),
        ("\n\n", 3, 1),
    ] {
        let sources = one(text);
        let error = Diagnostic::error("BZ1004", "`{` is never closed").at(
            Span::new(FileId::new(0), text.len() as u32, text.len() as u32),
            "the file ends here",
        );
        let shown = human(&error, &sources, false);
        assert!(
            shown.contains(&format!("--> budget.bz:{line}:{column}\n")),
            "{text:?}\n{shown}"
        );
        assert!(
            shown.ends_with(&format!("{}^ the file ends here", " ".repeat(column))),
            "{text:?}\n{shown}"
        );
        assert!(short(&error, &sources).starts_with(&format!("budget.bz:{line}:{column}: ")));
    }
}

#[test]
fn a_very_long_line_is_cut() {
    let text = format!("{} = needle {}\n", "x".repeat(2500), "y".repeat(2500));
    let sources = one(&text);
    let error = Diagnostic::error("BZ3001", "long")
        .at(at(&sources, 0, "needle"), "here")
        .fix("shorter", at(&sources, 0, "needle"), "pin");
    let shown = human(&error, &sources, false);
    assert!(
        shown.lines().all(|line| line.chars().count() <= 110),
        "{shown}"
    );
    assert!(
        shown.contains("= needle yyy") && shown.contains("^^^^^^ here"),
        "{shown}"
    );
    let help = "  = help: shorter\n            budget.bz:1  ...xxx";
    assert!(
        shown.contains(help) && shown.contains("x = pin yyy"),
        "{shown}"
    );
    assert!(
        shown
            .lines()
            .last()
            .is_some_and(|line| line.chars().count() <= 80),
        "{shown}"
    );
}

#[test]
fn without_a_place() {
    let sources = one("");
    let error = Diagnostic::error("BZ0001", "no file `x`\nat all")
        .note("looked in `.`")
        .help("a help of many words is cut between words so that nobody has to widen a window in order to read it");
    shows(
        &error,
        &sources,
        "
error[BZ0001]: no file `x`
               at all
 = note: looked in `.`
 = help: a help of many words is cut between words so that nobody has to
         widen a window in order to read it
",
    );
    assert_eq!(short(&error, &sources), "error[BZ0001]: no file `x` at all");
    assert!(
        github(&error, &sources)
            .starts_with("::error title=BZ0001::no file `x`%0Aat all%0Anote: looked")
    );
}

#[test]
fn colour_and_control_characters() {
    let sources = one("a\u{1b}[31m = 1\n");
    let error = Diagnostic::error("BZ3001", "bad \u{1b}[2J")
        .at(at(&sources, 0, "1"), "\u{1b}]\nb")
        .note("\u{1b}");
    assert!(human(&error, &sources, true).starts_with("\u{1b}[1m\u{1b}[91merror[BZ3001]"));
    assert!(!human(&error, &sources, false).contains('\u{1b}'));
    assert!(!short(&error, &sources).contains('\u{1b}'));
}

#[test]
fn commands_for_github_are_escaped() {
    let mut sources = SourceMap::default();
    sources.add(
        "a,b:c%.bz".to_owned(),
        "a,b:c%.bz".to_owned(),
        "a = 1\nb = 2\n".to_owned(),
        Provenance::Project,
    );
    let mut error = Diagnostic::error("BZ3001", "100% of\r\nit, all: gone")
        .at(at(&sources, 0, "1"), "this")
        .also(at(&sources, 0, "2"), "that")
        .note("n")
        .fix("less", at(&sources, 0, "1"), "0");
    error.addends = vec![
        addend("a", "1Mi", Some(at(&sources, 0, "1"))),
        addend("b", "12Mi", None),
    ];
    assert_eq!(
        github(&error, &sources),
        "::error file=a%2Cb%3Ac%25.bz,line=1,endLine=1,col=5,endColumn=6,title=BZ3001::100%25 of\\u{d}%0Ait, all: gone\
         %0Athis%0Aa,b:c%25.bz:2: that%0Asum: a   1Mi  a,b:c%25.bz:1%0A     b  12Mi%0Anote: n%0Ahelp: less\
         %0A  a,b:c%25.bz:1  a = 0"
    );
    let block = Diagnostic::lint("unused-tier", "m").at(Span::new(FileId::new(0), 0, 7), "");
    assert_eq!(
        github(&block, &sources),
        "::warning file=a%2Cb%3Ac%25.bz,line=1,endLine=2,title=unused-tier::m"
    );
}

/// Every two places of texts that are hard to draw, as labels and as edits.
#[test]
fn nothing_panics() {
    let texts = [
        "",
        "\n\n",
        "a\r\n\tb",
        "漢\n e\u{301}\n",
        "a\rb\n",
        "\u{feff}x\u{1b}\n",
        "{\n  \n}\n\n",
        "👩‍👧\n\u{202e}\0",
    ];
    for text in texts {
        let sources = one(text);
        let ends: Vec<_> = (0..=text.len())
            .filter(|end| text.is_char_boundary(*end))
            .collect();
        let spans: Vec<_> = ends
            .iter()
            .flat_map(|start| {
                ends.iter()
                    .filter(move |end| *end >= start)
                    .map(move |end| (*start, *end))
            })
            .map(|(start, end)| Span::new(FileId::new(0), start as u32, end as u32))
            .collect();
        for first in &spans {
            for second in &spans {
                let edit = |span: &Span, text: &str| Edit {
                    span: *span,
                    text: text.to_owned(),
                };
                let mut error = Diagnostic::error("BZ4001", "m")
                    .at(*first, "a")
                    .also(*second, "b");
                for (one, two) in [("", "x"), ("x\n", "\n"), ("\ty\nz", "")] {
                    let edits = vec![edit(first, one), edit(second, two)];
                    error.helps = vec![Help::new("h", edits)];
                    human(&error, &sources, false);
                }
                error.helps.push(error.helps[0].clone());
                human(&error, &sources, true);
                github(&error, &sources);
                short(&error, &sources);
            }
        }
    }
}
