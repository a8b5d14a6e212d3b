//! Trees to a program whose every name is resolved and every value typed. What is wrong goes to the sink;
//! what depends on a fault is left out silently, so that one fault is reported once.

mod account;
pub(crate) mod adopt;
mod assemble;
mod budget;
mod config;
mod decls;
mod dns;
mod errors;
mod evidence;
mod expect;
mod image;
mod kind;
mod layers;
pub(crate) mod load;
mod lock;
mod machine;
mod names;
mod placement;
mod pod;
mod secret;
mod trace;
mod values;
mod workload;

pub(crate) use adopt::manifests::load_manifests;
pub(crate) use assemble::{analyze, environments};
pub(crate) use load::load_needed;
pub use trace::Traced;
