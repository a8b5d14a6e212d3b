//! Text and numbers, nothing of the language: places in source files, quantities with a dimension,
//! and how near two words are. Every other module may use these; they use nothing.

pub mod quantity;
pub mod source;
pub mod span;
pub mod suggest;
pub mod text;
