//! Which variables hold what nobody else should see.

/// Words in the name of a variable whose value nobody else should see.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "pass",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "credential",
    "credentials",
    "salt",
];

/// Whether a variable of this name and value is one that belongs into a Secret. When in doubt it is.
pub(crate) fn is_secret(name: &str, value: &str) -> bool {
    let harmless = ["", "true", "false", "yes", "no", "on", "off", "0", "1"];
    if { harmless.iter() }.any(|word| value.eq_ignore_ascii_case(word)) {
        return false;
    }
    let ends_with = |text: &str, end: &str| {
        let tail = text
            .len()
            .checked_sub(end.len())
            .and_then(|at| text.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    if ends_with(name, "_file") {
        return false;
    }
    // `scheme://user:password@host`
    let address = value.contains(':').then(|| value.split_once("://"));
    let has_login = address.flatten().is_some_and(|(_, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let login = rest[..end].rsplit_once('@').map(|(login, _)| login);
        login.is_some_and(|login| login.contains(':'))
    });
    let is_one_of = |word: &str, of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one));
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let named = words.any(|word| {
        is_one_of(word, &SECRET_WORDS)
            || ["password", "passwd", "secret", "token", "apikey"]
                .iter()
                .any(|known| ends_with(word, known))
            || (ends_with(word, "pass") && !is_one_of(word, &["bypass", "compass"]))
    });
    named || has_login || value.contains('-') && value.contains("-----BEGIN ")
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets_are_known_by_name_or_by_a_login() {
        for (name, value, is) in [
            ("POSTGRES_PASSWORD", "x", true),
            ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes", false),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/x", false),
            ("DATABASE_URL", "postgres://a:b@db/x", true),
            ("URL", "http://a.example/x:y@z", false),
            ("API_KEY", "abc", true),
            ("KEYCLOAK_HOST", "kc", false),
            ("MYSQLPASSWORD", "x", true),
            ("DBPASS", "x", true),
            ("BYPASS", "x", false),
        ] {
            assert_eq!(is_secret(name, value), is, "{name}={value}");
        }
    }
}
