//! References to images, as containerd reads them.

use super::errors;
use crate::base::span::Span;
use crate::sema::values::Cx;

/// An image reference as containerd reads it, roughly: no blanks, lower case before the tag, not empty.
pub(crate) fn check_image(cx: &Cx<'_>, name: &str, span: Span) {
    let path = name.split('@').next().unwrap_or(name);
    let after_slash = path.rfind('/').map_or(0, |at| at + 1);
    let repository = path[after_slash..]
        .find(':')
        .map_or(path, |at| &path[..after_slash + at]);
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    let (host, rest) = repository.split_once('/').unwrap_or(("", repository));
    let host_is_fine = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".-:_".contains(c));
    let (tag, digest) = (
        path[repository.len()..].strip_prefix(':'),
        name.split_once('@').map(|(_, digest)| digest),
    );
    let tag_is_fine = |tag: &str| {
        tag.len() <= 128
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let fault = if name.is_empty() {
        "it is empty"
    } else if name.contains("://") {
        "it is a URL; leave out what stands before `//`, and that"
    } else if name.chars().any(char::is_whitespace) {
        "it has a blank"
    } else if !rest.chars().all(allowed) || !host_is_fine || rest.is_empty() || rest.ends_with('/')
    {
        "a repository is lower-case letters, digits, `.`, `_`, `-` and `/`"
    } else if name.ends_with(':') || name.ends_with('@') {
        "nothing follows its tag or digest sign"
    } else if tag.is_some_and(|tag| !tag_is_fine(tag)) {
        "a tag is letters, digits, `_`, `.` and `-`, 128 at most"
    } else if digest.is_some_and(|digest| !is_digest(digest)) {
        "a digest is `sha256:` and 64 hexadecimal digits"
    } else {
        return;
    };
    cx.report(errors::not_an_image(name, fault, span));
}

/// `sha256:` and 64 hexadecimal digits.
pub(crate) fn is_digest(digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:");
    hex.is_some_and(|hex| {
        hex.len() == 64
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}
