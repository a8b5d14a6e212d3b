//! Trees to a program whose every name is resolved and every value typed. What is wrong goes to the sink;
//! what depends on a fault is left out silently, so that one fault is told once.

pub mod adopt;
pub mod cx;
mod decls;
mod errors;
mod expect;
pub mod image;
pub mod kinds;
mod layers;
pub mod load;
mod machine;
mod placement;
mod pod;
mod service;

pub use adopt::manifests::load_manifests;
pub use decls::{analyze, environments, load_needed};
