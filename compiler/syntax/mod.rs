//! Text to tree. Lexing cannot fail, parsing cannot fail: faults go to the sink and leave holes, on which
//! later phases are silent. The formatter and every other reader use this one parser.

pub mod ast;
mod errors;
pub mod lexer;
pub mod literal;
pub mod parser;
pub mod token;

pub use parser::parse;
