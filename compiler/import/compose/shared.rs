//! What the services of a project share.

use std::collections::{BTreeMap, BTreeSet};

use crate::import::tree::Name;
use crate::world::World;

/// What the services of a project share.
pub(super) struct Shared<'p> {
    pub(super) world: &'p dyn World,
    pub(super) names: &'p str,
    /// The folder of the project, as seen from that of the program.
    pub(super) folder: &'p str,
    /// How a folder of the node for the files of the project is called.
    pub(super) project: Name,
    /// How many services mount a volume of the project.
    pub(super) mounts: BTreeMap<String, usize>,
    /// Passwords by the names of their variables, the longest first.
    pub(super) passwords: Vec<(String, String)>,
    /// All texts of other services, by which one can see who is called.
    pub(super) called: BTreeSet<String>,
}
