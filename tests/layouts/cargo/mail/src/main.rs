//! A part of the layout that a test looks at.

fn main() {}
