//! The rules of the specification, `r[proof.fill]` and the like, which reports and derivations name.

/// The chapters, in order.
const CHAPTERS: [(&str, &str); 16] = [
    ("01-lexical", include_str!("../../spec/01-lexical.md")),
    ("02-grammar", include_str!("../../spec/02-grammar.md")),
    ("03-names", include_str!("../../spec/03-names.md")),
    ("04-values", include_str!("../../spec/04-values.md")),
    (
        "05-declarations",
        include_str!("../../spec/05-declarations.md"),
    ),
    ("06-proof", include_str!("../../spec/06-proof.md")),
    ("07-k3s", include_str!("../../spec/07-k3s.md")),
    ("08-kubernetes", include_str!("../../spec/08-kubernetes.md")),
    ("09-images", include_str!("../../spec/09-images.md")),
    ("10-output", include_str!("../../spec/10-output.md")),
    (
        "11-diagnostics",
        include_str!("../../spec/11-diagnostics.md"),
    ),
    (
        "12-command-line",
        include_str!("../../spec/12-command-line.md"),
    ),
    ("13-adopt", include_str!("../../spec/13-adopt.md")),
    ("15-evidence", include_str!("../../spec/15-evidence.md")),
    ("16-doctor", include_str!("../../spec/16-doctor.md")),
    ("17-lock", include_str!("../../spec/17-lock.md")),
];

/// The id of a rule, if the line begins one.
fn id(line: &str) -> Option<&str> {
    line.strip_prefix("r[")?.strip_suffix(']')
}

/// The ids of all rules.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    CHAPTERS
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(id)
}

/// The text of a rule and where it stands. `None` if there is no such rule.
pub(super) fn rule(topic: &str) -> Option<String> {
    CHAPTERS.iter().find_map(|(chapter, text)| {
        let mut lines = text.lines();
        lines.find(|line| id(line) == Some(topic))?;
        let rule = lines.take_while(|line| id(line).is_none() && !line.starts_with('#'));
        let rule: Vec<&str> = rule.collect();
        let rule = rule.join("\n");
        Some(format!("{topic}\n\n{}\n\nspec/{chapter}.md\n", rule.trim()))
    })
}
