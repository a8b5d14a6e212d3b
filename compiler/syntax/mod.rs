//! Text to tree. Lexing cannot fail, parsing cannot fail: faults go to the sink and leave holes, on which
//! later phases are silent. The formatter and every other reader use this one parser.

pub(crate) mod ast;
mod errors;
pub(crate) mod lexer;
pub(crate) mod literal;
pub(crate) mod parser;
pub(crate) mod token;

pub(crate) use parser::parse;

/// The kinds a program declares by name.
pub(crate) const NAMED: [&str; 16] = [
    "node",
    "component",
    "others",
    "budget",
    "tier",
    "service",
    "stateful",
    "daemon",
    "job",
    "cron",
    "config",
    "secret",
    "service-account",
    "profile",
    "runtime",
    "image",
];
