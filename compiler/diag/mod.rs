//! What the compiler says about a program: errors with a code, lints with a name, each with places,
//! the numbers behind it and, where one is known, a change that has been checked.
//!
//! A phase pushes into a [`Sink`] and goes on; only the gates of `compile.rs` stop.

pub(crate) mod codes;
mod json;
pub(crate) mod lints;
pub(crate) mod log;
mod proposal;
pub(crate) mod render;
#[cfg(test)]
mod samples;
mod sarif;
pub(crate) mod tool;

use crate::base::span::Span;
pub use proposal::Edit;
pub(crate) use proposal::{Number, Proposal, Unit, Way};

/// How bad it is. Errors stop output; warnings never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program cannot be compiled.
    Error,
    /// The program can be compiled, but something about it deserves a look.
    Warning,
}

impl Severity {
    /// The word used in every format.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is wrong or notable there; may be empty.
    pub text: String,
}

/// How sure it is that edits are what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applicability {
    /// They say the same in bz: `bzc check --fix` makes them.
    Certain,
    /// They are one of several ways, or a guess at what was meant.
    Guess,
}

impl Applicability {
    /// The word of rustc, which editors know.
    pub const fn word(self) -> &'static str {
        match self {
            Applicability::Certain => "machine-applicable",
            Applicability::Guess => "maybe-incorrect",
        }
    }
}

/// A way out. With edits, an editor can apply it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// The proposal in words.
    pub text: String,
    /// The proposal as changes of the source; all of them together.
    pub edits: Vec<Edit>,
    /// How sure it is that the edits are what is meant.
    pub applicability: Applicability,
    /// Whether it needs something that no program can change: another machine.
    pub needs_machine: bool,
    /// Of several changes one after the other: each in words, with what the compiler says is left behind it.
    pub steps: Vec<String>,
    /// What the compiler says is left once all of it is done; `None` where that is nothing.
    pub left: Option<String>,
}

impl Help {
    /// A proposal that is one change, and does away with the fault.
    pub fn new(text: impl Into<String>, edits: Vec<Edit>) -> Help {
        Help {
            text: text.into(),
            edits,
            applicability: Applicability::Guess,
            needs_machine: false,
            steps: Vec::new(),
            left: None,
        }
    }

    /// A proposal that says the same as what is written, as bz writes it.
    pub fn certain(text: impl Into<String>, edits: Vec<Edit>) -> Help {
        Help {
            applicability: Applicability::Certain,
            ..Help::new(text, edits)
        }
    }

    /// Whether the edits do away with the fault.
    pub fn is_fix(&self) -> bool {
        !self.edits.is_empty() && self.left.is_none()
    }
}

/// One line of a sum: how much, of what, and where that number was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addend {
    /// What the amount is for, with its formula if it has one (`6 x 32Mi`).
    pub what: String,
    /// How much, in the unit of the sum.
    pub amount: String,
    /// Where the number was written.
    pub span: Option<Span>,
}

/// One fault, reported once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The code of an error (`BZ4001`) or the name of a lint (`unpinned-image`).
    pub id: &'static str,
    /// Stands alone: the fault and its numbers.
    pub message: String,
    /// Where the fault is. Absent only when there is no source text to point at.
    pub primary: Option<Label>,
    /// Where the other numbers or names come from.
    pub secondary: Vec<Label>,
    /// The sum behind a budget error, every addend.
    pub addends: Vec<Addend>,
    /// Further facts, a line each.
    pub notes: Vec<String>,
    /// What would help.
    pub helps: Vec<Help>,
    /// By how much something is over, in bytes, thousandths of a core or pods, where that is the fault. It orders changes by
    /// what they leave; messages tell it in words.
    pub over: Option<u64>,
    /// Changes that may help and that nobody has tried yet: `compile/trials.rs` makes helps of those that do.
    pub(crate) proposals: Vec<Proposal>,
}

impl Diagnostic {
    /// An error with a registered code.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message.into())
    }

    /// A warning by a registered lint.
    pub fn lint(name: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, name, message.into())
    }

    fn new(severity: Severity, id: &'static str, message: String) -> Diagnostic {
        Diagnostic {
            severity,
            id,
            message,
            primary: None,
            secondary: Vec::new(),
            addends: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            over: None,
            proposals: Vec::new(),
        }
    }

    /// Says where the fault is and what is there.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.primary = Some(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Points at a further place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Proposes something in words.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.helps.push(Help::new(text, Vec::new()));
        self
    }

    /// Proposes a replacement of source text that says what is meant, as bz writes it.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, span: Span, by: impl Into<String>) -> Diagnostic {
        let edits = vec![Edit {
            span,
            text: by.into(),
        }];
        self.helps.push(Help::certain(text, edits));
        self
    }

    /// Proposes a replacement of source text that may be what is meant.
    #[must_use]
    pub fn guess(self, text: impl Into<String>, span: Span, by: impl Into<String>) -> Diagnostic {
        let mut diagnostic = self.fix(text, span, by);
        if let Some(help) = diagnostic.helps.last_mut() {
            help.applicability = Applicability::Guess;
        }
        diagnostic
    }

    /// The edits that say the same as what is written, as bz writes it. `None` if there are none.
    pub fn certain_edits(&self) -> Option<&[Edit]> {
        let certain = |help: &&Help| help.is_fix() && help.applicability == Applicability::Certain;
        self.helps.iter().find(certain).map(|help| &*help.edits)
    }

    /// Whether it stops output.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Collects the findings of all phases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sink {
    found: Vec<Diagnostic>,
}

impl Sink {
    /// Takes a finding.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Takes all that another has.
    pub(crate) fn append(&mut self, mut other: Sink) {
        self.found.append(&mut other.found);
    }

    /// The message of the first error.
    pub(crate) fn first_error(&self) -> Option<&str> {
        let error = self.found.iter().find(|found| found.is_error())?;
        Some(&error.message)
    }

    /// Whether anything so far stops output.
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// All findings in the order in which they are printed: by place, errors before warnings at one place, without
    /// duplicates. Findings without a place come first.
    pub(crate) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found;
        found.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.primary.as_ref().map(|label| label.span);
            (place(a), a.severity, a.id, &a.message).cmp(&(place(b), b.severity, b.id, &b.message))
        });
        found.dedup();
        found
    }
}
