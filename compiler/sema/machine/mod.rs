//! Readers of what a machine is: `node`, `k3s`, `component` and `others`.

pub(super) mod addresses;
pub(super) mod arguments;
pub(super) mod balancers;
pub(super) mod challenges;
pub(super) mod component;
mod errors;
pub(super) mod k3s;
pub(super) mod node;
mod registries;
mod rules;
pub(super) mod settings;
mod supplies;
