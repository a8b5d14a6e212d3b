//! What an output is made of.

/// One file of the output: its path below the output folder, with forward slashes, and its bytes.
pub type Artifact = (String, Vec<u8>);
