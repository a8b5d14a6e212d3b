//! The fenced blocks of a Markdown text.

/// A fence: what stands behind its opening backticks, and what it holds.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The line of the opening backticks, from 1.
    pub(crate) line: usize,
    /// The first word behind them.
    pub(crate) language: String,
    /// The further words, split at `=`.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Fence {
    /// The value of `name=value`.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// All fences, in order. `Err` has the line of one that is never closed.
pub(crate) fn fences(markdown: &str) -> Result<Vec<Fence>, usize> {
    let mut fences = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let ticks: String = line
            .trim_start()
            .chars()
            .take_while(|c| *c == '`')
            .collect();
        if ticks.len() < 3 {
            continue;
        }
        let mut words = line.trim_start()[ticks.len()..].split_whitespace();
        let language = words.next().unwrap_or_default().to_owned();
        let split = |word: &str| {
            word.split_once('=')
                .map_or((word.to_owned(), String::new()), |(k, v)| {
                    (k.to_owned(), v.to_owned())
                })
        };
        let attributes = words.map(split).collect();
        let mut text = String::new();
        loop {
            let Some((_, inside)) = lines.next() else {
                return Err(at + 1);
            };
            if inside.trim() == ticks {
                break;
            }
            text.push_str(inside.strip_prefix(indent).unwrap_or(inside));
            text.push('\n');
        }
        fences.push(Fence {
            line: at + 1,
            language,
            attributes,
            text,
        });
    }
    Ok(fences)
}

#[test]
fn fences_have_words_and_text() {
    let found = fences("a\n```bz error=BZ4001 env=prod\nx = 1\n```\n  ````text\n  ```\n  ````\n")
        .unwrap_or_default();
    let shown: Vec<_> = found
        .iter()
        .map(|f| {
            (
                f.line,
                f.language.as_str(),
                f.attribute("error"),
                f.text.as_str(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (2, "bz", Some("BZ4001"), "x = 1\n"),
            (5, "text", None, "```\n")
        ]
    );
    assert_eq!(fences("```bz\nopen").err(), Some(1));
}
