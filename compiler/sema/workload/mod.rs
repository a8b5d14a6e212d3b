//! Readers of workloads: `service`, `stateful`, `daemon`, `job`, `cron`, and the tiers they share.

mod containers;
mod errors;
mod kinds;
pub(super) mod resources;
pub(super) mod service;
pub(super) mod storage;
pub(super) mod tier;
