//! DNS labels, which the names of most Kubernetes objects must be.

/// What keeps a text from being a DNS label (RFC 1123) that also begins with a letter, as names of Kubernetes
/// Services must (RFC 1035).
pub(crate) fn label_fault(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.len() > 63 {
        Some("it is longer than 63 characters")
    } else if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("it has capital letters")
    } else if name.contains('_') {
        Some("it has an underscore")
    } else if !name.bytes().all(allowed) {
        Some("it has characters other than a to z, 0 to 9 and `-`")
    } else if name.ends_with('-') {
        Some("it ends with `-`")
    } else if !name.as_bytes().first().is_some_and(u8::is_ascii_lowercase) {
        Some("it does not begin with a letter")
    } else {
        None
    }
}
