//! All tests outside the crate, in one binary. Tests are data: a kind of test is one function over a folder of inputs,
//! and sees only the public API of `bzc` and the program itself.
//!
//! `BLESS=1 cargo test` writes what came out where an expectation stands, and removes expectations nobody asks for.

mod adopt;
mod adversary;
mod cli;
mod crash;
mod determinism;
mod doctor;
mod fmt;
mod formats;
mod generate;
mod golden;
mod import;
mod init;
mod kinds;
mod kustomize;
mod layouts;
mod ledger;
mod lock;
mod next;
mod properties;
mod proposals;
mod readme;
mod recount;
mod registry;
mod robustness;
mod schema;
mod spec;
mod support;
mod tidy;
mod trace;
mod ui;
mod verdicts;
mod verify;
