//! What a build would send to the builder: the files of a folder that no pattern of its ignore file leaves out.

use super::{Folder, join};
use crate::world::World;

/// A walk ends after so many files; a context that has more is large anyway.
const MOST_FILES: usize = 20_000;
/// Folders in folders, at most.
const DEEPEST: usize = 32;

/// What a build sends to the builder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BuildContext {
    /// How many bytes.
    pub bytes: u64,
    /// How many files.
    pub files: usize,
    /// Whether there are more files than were looked at.
    pub more: bool,
    /// The largest file or folder directly in it, and its bytes.
    pub largest: Option<(String, u64)>,
    /// Paths of files that look like secrets by their names, sorted.
    pub secrets: Vec<String>,
}

/// Measures the files of a folder that an ignore file does not leave out. `ignore` is the text of that file.
pub(crate) fn measure(world: &dyn World, source: &str, ignore: &str) -> BuildContext {
    let path = super::plain(source);
    let folder = Folder { world, path: &path };
    let patterns: Vec<(bool, Vec<&str>)> = ignore.lines().filter_map(pattern).collect();
    let may_be_kept = patterns.iter().any(|(kept, _)| *kept);
    let mut context = BuildContext::default();
    for top in folder.list("") {
        let before = context.bytes;
        walk(&folder, "", &top, &patterns, may_be_kept, 0, &mut context);
        let bytes = context.bytes - before;
        if bytes > context.largest.as_ref().map_or(0, |(_, most)| *most) {
            context.largest = Some((
                if top.is_folder {
                    format!("{}/", top.name)
                } else {
                    top.name
                },
                bytes,
            ));
        }
    }
    context.secrets.sort();
    context
}

fn walk(
    folder: &Folder<'_>,
    above: &str,
    entry: &crate::world::Entry,
    patterns: &[(bool, Vec<&str>)],
    may_be_kept: bool,
    depth: usize,
    context: &mut BuildContext,
) {
    let path = join(above, &entry.name);
    let fate = fate(&path, patterns);
    let left_out = fate == Some(false);
    if context.files >= MOST_FILES || depth > DEEPEST {
        context.more = true;
    } else if entry.is_folder {
        // Files in a folder that is left out are kept only if a later pattern keeps them.
        if !left_out || may_be_kept {
            for inside in folder.list(&path) {
                walk(
                    folder,
                    &path,
                    &inside,
                    patterns,
                    may_be_kept,
                    depth + 1,
                    context,
                );
            }
        }
    } else if !left_out {
        context.files += 1;
        context.bytes += entry.bytes;
        // A file that a pattern keeps by its name is there on purpose.
        if fate.is_none() && looks_secret(&entry.name) {
            context.secrets.push(path);
        }
    }
}

/// A line of an ignore file: whether it keeps, and the parts of its path.
fn pattern(line: &str) -> Option<(bool, Vec<&str>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (kept, line) = line
        .strip_prefix('!')
        .map_or((false, line), |line| (true, line));
    let parts = line
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    Some((kept, parts))
}

/// Whether the last pattern that fits keeps a path or leaves it out. One that fits a folder fits all in it.
fn fate(path: &str, patterns: &[(bool, Vec<&str>)]) -> Option<bool> {
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &[&str]| (1..=parts.len()).any(|end| matches(pattern, &parts[..end]));
    patterns
        .iter()
        .rev()
        .find(|(_, pattern)| fits(pattern))
        .map(|(kept, _)| *kept)
}

fn matches(pattern: &[&str], parts: &[&str]) -> bool {
    match (pattern.split_first(), parts.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=parts.len()).any(|from| matches(rest, &parts[from..])),
        (Some((first, rest)), Some((part, others))) => {
            glob(first.as_bytes(), part.as_bytes()) && matches(rest, others)
        }
        _ => false,
    }
}

/// `*`, `?` and `[..]` within one part of a path, as Go's filepath.Match reads them.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|from| glob(rest, &text[from..])),
        Some((b'?', rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((b'[', rest)) => match (
            rest.iter().position(|byte| *byte == b']'),
            text.split_first(),
        ) {
            (Some(end), Some((byte, others))) => {
                rest[..end].contains(byte) && glob(&rest[end + 1..], others)
            }
            _ => false,
        },
        Some((byte, rest)) => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

/// Whether a file looks like it holds secrets, by its name. `.env.example` and public keys do not.
fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let harmless = ["example", "sample", "template", "dist"]
        .iter()
        .any(|word| name.ends_with(word));
    let ends = [
        ".pem",
        ".key",
        ".p12",
        ".pfx",
        ".jks",
        ".keystore",
        ".kubeconfig",
        ".tfstate",
        ".tfvars",
        ".ovpn",
    ];
    let whole = [
        ".netrc",
        ".pypirc",
        ".npmrc",
        ".htpasswd",
        ".git-credentials",
        "credentials.json",
        "kubeconfig",
    ];
    let words = [
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "service-account",
        "secrets.",
    ];
    let env = name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    let is_code = [
        ".py", ".js", ".ts", ".go", ".rs", ".java", ".pub", ".html", ".css",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    !harmless
        && !is_code
        && (env
            || ends.iter().any(|end| name.ends_with(end))
            || whole.contains(&name.as_str())
            || words.iter().any(|word| name.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::{fate, looks_secret, measure, pattern};
    use crate::world::MemoryWorld;

    #[test]
    fn patterns_are_those_of_docker() {
        let left_out = |ignore: &str, path: &str| {
            let patterns: Vec<_> = ignore.lines().filter_map(pattern).collect();
            fate(path, &patterns) == Some(false)
        };
        assert!(left_out("**/.env", ".env") && left_out("**/.env", "a/b/.env"));
        assert!(left_out(".env", ".env") && !left_out(".env", "a/.env"));
        assert!(left_out("**/.git", ".git/objects/ab/cd"));
        assert!(left_out("**/*.py[cod]", "a/b.pyc") && !left_out("**/*.py[cod]", "a/b.py"));
        assert!(left_out("*/target", "a/target/x") && !left_out("*/target", "target/x"));
        assert!(!left_out("**/*.pem\n!certs/ca.pem", "certs/ca.pem"));
        assert!(left_out("/docs/", "docs/a.md") && !left_out("# docs", "# docs"));
    }

    #[test]
    fn names_of_secrets() {
        for name in [
            ".env",
            ".env.prod",
            "prod.env",
            "tls.key",
            "id_rsa",
            "secrets.yaml",
            "service-account-x.json",
        ] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [
            ".env.example",
            "id_rsa.pub",
            "secrets.py",
            "main.py",
            "monkey",
            "key.txt",
        ] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn what_is_left_out_is_neither_counted_nor_reported() {
        let mut world = MemoryWorld::default();
        for path in [
            "a/main.py",
            "a/.env",
            "a/x/tls.key",
            "a/certs/ca.pem",
            "a/.git/config",
        ] {
            world.insert(path, "12345");
        }
        let found = measure(&world, "a", "**/.env\n**/.git\n**/*.pem\n!certs/ca.pem\n");
        assert_eq!((found.files, found.bytes), (3, 15));
        assert_eq!(found.secrets, ["x/tls.key"]);
    }
}
