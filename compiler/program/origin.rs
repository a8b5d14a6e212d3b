//! Values and where they were given.

use crate::base::span::Span;

/// The words that declare workloads. They share one set of names: those of files, labels and Kubernetes Services.
pub(crate) const WORKLOADS: [&str; 5] = ["service", "stateful", "daemon", "job", "cron"];

/// Who gives a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Giver {
    /// The language, by a rule of `spec/`.
    Rule,
    /// The standard library.
    Library,
    /// An adopted manifest.
    Manifest,
    /// A tier.
    Tier,
    /// A workload, by the word that declares it: `service`, `daemon`, ..
    Workload(&'static str),
    /// Another declaration, by its word: `node`, `budget`, `let`, ..
    Declaration(&'static str),
}

impl Giver {
    /// The declaration that begins with a word of the language.
    pub(crate) fn declared(word: &'static str) -> Giver {
        match word {
            "tier" => Giver::Tier,
            _ if WORKLOADS.contains(&word) => Giver::Workload(word),
            _ => Giver::Declaration(word),
        }
    }

    /// How paths begin. The path of a value of a manifest is its place alone.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Giver::Rule => "default",
            Giver::Library => "std",
            Giver::Manifest => "",
            Giver::Tier => "tier",
            Giver::Workload(word) | Giver::Declaration(word) => word,
        }
    }
}

/// Where a value was given: `[env.ENV.]giver.name.key`, and the place of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// The environment that gave it.
    pub env: Option<&'a str>,
    /// Who gave it.
    pub giver: Giver,
    /// The declaration's name, which may be empty (`k3s`); of a manifest the file and line.
    pub name: &'a str,
    /// The field; the id of a rule.
    pub key: &'a str,
    /// The value. `None` for a default.
    pub span: Option<Span>,
}

impl<'a> Origin<'a> {
    /// A rule of the language, by its id in `spec/`.
    pub(crate) const fn default(rule: &'a str) -> Origin<'a> {
        Origin {
            env: None,
            giver: Giver::Rule,
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
        for part in [self.giver.word(), self.name, self.key] {
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
