//! Names in sentences.

use crate::base::text::few;

/// Names of services, the first few of them.
pub(super) fn named(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    few(&quoted, SHOWN)
}
