//! Values of compose as it reads them: commands, sizes, times, shares of CPU.

/// The words of a command that is one text, as a shell splits them (google/shlex, which compose-go uses).
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        c => word.push(c),
                    }
                }
            }
            '\\' => {
                let next = chars.next()?;
                if next != '\n' {
                    word.get_or_insert_default().push(next);
                }
            }
            c if c.is_whitespace() => words.extend(word.take()),
            '#' if word.is_none() => break,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// `512m`, `1.5g`, `1gb`: bytes, in powers of 1024 (docker/go-units `RAMInBytes`).
pub(super) fn bytes(text: &str) -> Option<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (digits, unit) = lower.split_at(end.unwrap_or(lower.len()));
    let power = match unit.trim().trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    let thousandths = thousandths(digits)?;
    let bytes = thousandths.checked_mul(1024_u128.pow(power))? / 1000;
    u64::try_from(bytes).ok()
}

/// `1.5` CPUs in thousandths.
pub(super) fn milli(text: &str) -> Option<u64> {
    u64::try_from(thousandths(text.trim())?).ok()
}

fn thousandths(text: &str) -> Option<u128> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let rest: String = rest.chars().chain("000".chars()).take(3).collect();
    let whole: u128 = match whole {
        "" => 0,
        whole => whole.parse().ok()?,
    };
    whole.checked_mul(1000)?.checked_add(rest.parse().ok()?)
}

/// `1m30s` in whole seconds, rounded up (time.ParseDuration of Go).
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(end);
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let milli = match unit {
            "us" | "ns" => 0,
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(thousandths(digits)?.checked_mul(milli)? / 1000)?;
        rest = after;
    }
    u64::try_from(total.div_ceil(1000)).ok()
}

#[cfg(test)]
mod tests {
    use crate::import::compose::words::{bytes, milli, seconds, split};

    #[test]
    fn commands_are_split_as_a_shell_does() {
        let said = split("serve --port 80 \"a b\" 'c d'e \\\n f\\ g").expect("it ends");
        assert_eq!(said, ["serve", "--port", "80", "a b", "c de", "f g"]);
        assert_eq!(split("a \"b"), None);
    }

    #[test]
    fn sizes_and_times_are_those_of_docker() {
        assert_eq!(bytes("1.5g"), Some(3 << 29));
        assert_eq!(bytes("256M"), Some(256 << 20));
        assert_eq!(bytes("64mib"), Some(64 << 20));
        assert_eq!(bytes("lots"), None);
        assert_eq!(milli("0.5"), Some(500));
        assert_eq!(seconds("1m30s"), Some(90));
        assert_eq!(seconds("500ms"), Some(1));
        assert_eq!(seconds("x"), None);
    }
}
