//! Text and numbers, nothing of the language: places in source files, quantities with a dimension,
//! and how near two words are. Every other module may use these; they use nothing.

pub(crate) mod encoding;
pub(crate) mod id;
pub(crate) mod quantity;
#[cfg(test)]
pub(crate) mod random;
pub(crate) mod secret;
pub(crate) mod source;
pub(crate) mod span;
pub(crate) mod suggest;
pub(crate) mod text;
