//! YAML that other people wrote: read with the place of every value (`tree.rs`), and changed so that every byte
//! outside the change stays (`edit.rs`). What Kubernetes makes of it is in `workload.rs`.
//!
//! The parser is granit-parser: YAML 1.2 events with byte offsets, pure Rust. Nothing here ever follows an alias more
//! than once for a value, so a file that doubles its anchors costs as much as any other of its length.

pub(crate) mod data;
pub(crate) mod edit;
mod file;
pub(crate) mod kind;
pub(crate) mod node;
mod owned;
pub(crate) mod release;
pub(crate) mod tree;
pub(crate) mod workload;

pub(crate) use file::{Manifest, span};
pub(crate) use owned::leave_out_owned;

#[cfg(test)]
mod tests;
