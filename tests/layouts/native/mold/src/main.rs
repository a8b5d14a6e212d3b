//! Nothing is done here.
fn main() {}
