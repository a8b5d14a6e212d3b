//! Service accounts, and what they may ask of the API server.

use std::borrow::Cow;

use crate::base::span::Spanned;

/// A service account that the program declares.
#[derive(Debug, Clone)]
pub(crate) struct Account<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// What it may do.
    pub rules: Vec<Rule<'a>>,
    /// Whether that holds in all namespaces.
    pub cluster_wide: bool,
    /// Whether its pods get a token, if the program says.
    pub token: Option<bool>,
}

/// What an account may do with resources of one API group, or with paths of the API server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule<'a> {
    /// The API group of the resources; none for paths.
    pub group: Option<Cow<'a, str>>,
    /// Resources, or subresources as `pods/log`.
    pub resources: Vec<Cow<'a, str>>,
    /// What it may do.
    pub verbs: Vec<Cow<'a, str>>,
    /// The objects that it is about; all if empty.
    pub names: Vec<Cow<'a, str>>,
    /// Paths of the API server that are no resources.
    pub urls: Vec<Cow<'a, str>>,
}
