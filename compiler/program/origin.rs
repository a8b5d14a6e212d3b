//! Values and where they were given.

use crate::base::span::Span;

/// Where a value was given: `[env.ENV.]kind.name.key`, and the place of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// The environment that gave it.
    pub env: Option<&'a str>,
    /// `service`, `tier`, `node`, ..; `std` for the library; `default` for a rule of the language.
    pub kind: &'static str,
    /// The declaration's name; may be empty (`k3s`).
    pub name: &'a str,
    /// The field.
    pub key: &'a str,
    /// The value. `None` for a default.
    pub span: Option<Span>,
}

impl<'a> Origin<'a> {
    /// A rule of the language, by its id in `spec/`.
    pub(crate) const fn default(rule: &'a str) -> Origin<'a> {
        Origin {
            env: None,
            kind: "default",
            name: "",
            key: rule,
            span: None,
        }
    }

    /// `tier.agent.memory`: how outputs name it, the same whatever line it stands on.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        if let Some(env) = self.env {
            path.push_str("env.");
            path.push_str(env);
            path.push('.');
        }
        for part in [self.kind, self.name, self.key] {
            if !part.is_empty() {
                if !path.is_empty() && !path.ends_with('.') {
                    path.push('.');
                }
                path.push_str(part);
            }
        }
        path
    }
}

/// A value with its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a, T> {
    /// What was said.
    pub value: T,
    /// Where.
    pub origin: Origin<'a>,
}
