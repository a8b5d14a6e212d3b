//! What is said of a program that does not fit: the excess first, every addend with its place, and proposals
//! that are applied and compiled again before anyone sees them.

mod counts;
mod expectation;
mod floors;
mod limits;
mod list;
mod memory;
mod nodes;
mod supplies;

pub(super) use counts::over_count;
pub(super) use expectation::{expectation, unmet_promise};
pub(super) use floors::{below_floor, component_below_floor, extra_below_floor};
pub(crate) use limits::limits_together;
pub(super) use limits::over_limits;
pub(super) use memory::over_memory;
pub(super) use nodes::{lost, nowhere};
pub(super) use supplies::over_supply;
