//! Text and numbers, nothing of the language: places in source files, quantities with a dimension,
//! and how near two words are. Every other module may use these; they use nothing.

pub mod quantity;
#[cfg(test)]
pub(crate) mod random;
pub mod source;
pub mod span;
pub mod suggest;
pub mod text;
