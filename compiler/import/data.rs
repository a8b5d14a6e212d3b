//! What an import says of plain data: what is in it that no reader understood, and what of it is a secret.

use super::tree::said;
use crate::base::secret::is_secret;
pub(super) use crate::manifest::data::Data;

impl Data {
    /// What is in it, one message a field: its path from here, and its value where that is short and no secret.
    pub(super) fn fields(&self, prefix: &str) -> Vec<String> {
        let mut all = Vec::new();
        for (key, value) in self.entries() {
            let path = match prefix {
                "" => key.clone(),
                prefix => format!("{prefix}.{key}"),
            };
            match value {
                Data::Map(inner) if !inner.is_empty() && inner.len() <= MOST_SPLIT => {
                    all.extend(value.fields(&path));
                }
                Data::Text(text, _) if text.len() <= MOST_SHOWN && !is_secret(key, text) => {
                    all.push(said(&format!("{path}: {text}")));
                }
                Data::Null => {}
                _ => all.push(said(&path)),
            }
        }
        all
    }
}

/// A mapping with more entries is named as a whole.
const MOST_SPLIT: usize = 6;
/// A text that is longer is not shown.
const MOST_SHOWN: usize = 60;
