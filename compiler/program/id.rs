//! The ids of what a program lists. Whatever refers to an item of a list holds its id.

use crate::base::id::id;

id! {
    /// A node.
    NodeId
}
id! {
    /// A service.
    ServiceId
}
id! {
    /// A tier.
    TierId
}
id! {
    /// A budget.
    BudgetId
}
id! {
    /// A component that K3s packages.
    ComponentId
}
id! {
    /// A runtime.
    RuntimeId
}
id! {
    /// An image that others start from.
    ImageId
}
id! {
    /// An adopted manifest.
    ManifestId
}
id! {
    /// An `adopt`.
    AdoptId
}
id! {
    /// A sidecar or an init container of a service.
    ExtraId
}
