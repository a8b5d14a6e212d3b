//! What logs say of bzc itself: its version, and where it is published.

/// What is said of bzc itself.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// The version of bzc.
    pub version: &'static str,
    /// Where its sources are published; empty if nowhere.
    pub repository: &'static str,
}

impl Tool {
    /// Where the page of a code or lint is published.
    pub(super) fn page(self, folder: &str, id: &str) -> Option<String> {
        let Tool {
            version,
            repository,
        } = self;
        (!repository.is_empty())
            .then(|| format!("{repository}/blob/v{version}/spec/{folder}/{id}.md"))
    }
}
