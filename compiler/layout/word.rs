//! A text of a source that may stand in a Dockerfile, in a shell command and in a bake file: as it is, unquoted, as one
//! word. Whoever wrote the source chose it; nothing but a [`Word`] gets from there into a template.

use std::fmt;

/// The longest word: paths of Linux have at most so many bytes in one part.
const LONGEST: usize = 255;

/// A text without anything that a shell, Docker or BuildKit would read in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(String);

impl Word {
    /// Checks a text. The error says why it is no word.
    ///
    /// Letters and digits of any script and `._-/:@+=~` are taken; a call without arguments may end it, as in
    /// `shop:create_app()`.
    pub(crate) fn new(text: impl Into<String>) -> Result<Word, &'static str> {
        let text = text.into();
        let body = text.strip_suffix("()").unwrap_or(&text);
        let plain = |c: char| c.is_alphanumeric() || "._-/:@+=~".contains(c);
        if body.is_empty() {
            return Err("it is empty");
        }
        if text.len() > LONGEST {
            return Err("it is too long");
        }
        if !body.chars().all(plain) {
            return Err("a shell would read more than a name in it");
        }
        if body.starts_with('-') {
            return Err("a program would read an option in it");
        }
        if body.starts_with('/') || body.split('/').any(|part| part == "..") {
            return Err("it leads out of the source");
        }
        Ok(Word(text))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Word;

    #[test]
    fn a_word_is_read_by_nothing() {
        for text in [
            "a",
            "./cmd/my-tool",
            "shop.app:create_app()",
            "9.0.0+sha512.ab",
            "@scope/x",
            "größe",
            "1.27",
        ] {
            assert!(Word::new(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "()",
            "a b",
            "a;b",
            "$a",
            "a\nRUN b",
            "`a`",
            "a|b",
            "a&b",
            "'a'",
            "\"a\"",
            "a\\b",
            "-a",
            "/a",
            "../a",
            "a/../b",
            "${a}",
            "a#b",
            "a*",
            "(a)",
            "a\u{202e}b",
            "%{a}",
        ] {
            assert!(Word::new(text).is_err(), "{text:?}");
        }
        assert!(Word::new("a".repeat(300)).is_err());
    }
}
