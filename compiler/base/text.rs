//! Prose in lines of a width, and texts of others as they are shown: nothing in them acts on a terminal or a log.

/// Words in lines of at most `width` characters, as far as words allow.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The first names of a list, and how many more there are: `a, b and 3 more`.
pub fn few<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether a character is not seen, and may act instead: control characters, what breaks lines, what changes the
/// direction of a text, and what is no character.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The first character of a text that readers of YAML refuse, however it is written: `kubectl kustomize` does, and with it
/// the whole folder (sigs.k8s.io/yaml, `yaml_reader_update_buffer`).
pub(crate) fn refused_in_yaml(text: &str) -> Option<(usize, char)> {
    // Every variable and label is asked, and nearly all are plain.
    if text.bytes().all(|byte| byte < 0x7f) {
        return None;
    }
    let is_refused =
        |c: char| matches!(c, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    text.char_indices().find(|(_, c)| is_refused(*c))
}

/// A text on one line, with what is not seen spelled out.
pub fn one_line(text: &str) -> String {
    spelled_out(text, is_unseen)
}

/// A text with what is not seen spelled out, except where lines end.
pub fn visible(text: &str) -> String {
    spelled_out(text, |c| is_unseen(c) && !matches!(c, '\n' | '\t'))
}

fn spelled_out(text: &str, is_odd: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match is_odd(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{is_unseen, one_line, refused_in_yaml, visible};

    #[test]
    fn what_acts_is_spelled_out() {
        let hostile = "a\u{1b}[31m\n::error::x\r\u{85}\u{9b}\u{2028}\u{202e}\u{feff}\u{fffe}";
        let line = one_line(hostile);
        assert!(!line.chars().any(is_unseen), "{line}");
        assert!(line.starts_with("a\\u{1b}[31m\\u{a}::error::x"), "{line}");
        assert_eq!(visible("a\tb\nc\u{7}"), "a\tb\nc\\u{7}");
        assert_eq!(one_line("caf\u{e9} \u{1f600}"), "caf\u{e9} \u{1f600}");
    }

    #[test]
    fn what_kustomize_refuses_is_known() {
        for c in [
            '\u{7f}', '\u{80}', '\u{84}', '\u{9f}', '\u{fffe}', '\u{ffff}',
        ] {
            assert_eq!(refused_in_yaml(&format!("a{c}")), Some((1, c)));
        }
        assert_eq!(
            refused_in_yaml("\0\t\n\u{1b}~\u{85}\u{a0}\u{2028}\u{fffd}"),
            None
        );
    }
}
