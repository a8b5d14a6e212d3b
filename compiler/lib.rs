//! The bzc compiler: one small file that says what a machine has and what its services need, to K3s
//! configuration, Kubernetes manifests, Dockerfiles, and a proof that it all fits.
//!
//! | arrow | function | can it fail |
//! | --- | --- | --- |
//! | text to tree | `syntax::parse` | no: faults leave holes |
//! | tree to program | `sema::analyze` | reports, keeps what it has |
//! | program to plan | `plan::plan` | reports; no plan if anything does not hold |
//! | plan to texts of others | `render::render` | reports; nothing comes out if one of them cannot take its numbers |
//! | plan and those texts to files | `backend::emit` | no |
//!
//! The outside world is a [`World`] that reads files; nothing here writes.

mod admission;
mod backend;
mod base;
mod baseline;
mod compile;
mod diag;
mod doctor;
mod evidence;
mod explain;
mod fmt;
mod import;
mod kept;
mod kustomize;
mod layout;
mod ledger;
mod lint;
mod lock;
mod manifest;
mod next;
mod plan;
mod program;
mod render;
mod report;
mod restarts;
mod schema;
mod sema;
mod stdlib;
mod syntax;
mod template;
mod verify;
mod world;

pub use backend::{Artifact, Files, is_generated};
pub use base::encoding::text_of_bytes;
pub use base::source::{Provenance, SourceFile, SourceMap};
pub use base::span::{FileId, Span};
pub use base::text::{few, one_line, visible};
pub use baseline::comment::comment;
pub use baseline::{changes, compare};
pub use compile::{
    Analysis, Compilation, Options, Output, Session, Traced, View, compile, decode, promises,
};
pub use diag::log::{Conclusion, Log, Machine};
pub use diag::render::{human, short};
pub use diag::tool::Tool;
pub use diag::{Addend, Applicability, Diagnostic, Edit, Help, Label, Severity};
pub use doctor::{Diagnosis, doctor, nodes_of};
pub use evidence::{Evidence, How, Of, Origin, Reading, Subject};
pub use explain::{codes, explain};
pub use fmt::{format, unformatted};
pub use import::{Imported, Manifests, Source, import};
pub use kept::Kept;
pub use next::quoted as shell_word;
pub use restarts::{FileChange, Object, Restarts, restarts};
pub use schema::{Field, Word, fields, words};
pub use verify::{Verified, verify};
pub use world::{Chart, Entry, MAX_SOURCE_BYTES, MemoryWorld, Overlay, ReadError, World};
