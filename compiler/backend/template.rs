//! Templates of the standard library, filled with strings. Nothing else of bzc knows the template engine; no
//! YAML is ever made by it.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};

/// Fills a template. A name it uses and the context lacks is a fault of the library, which its tests find.
pub(super) fn fill(text: &str, context: &BTreeMap<&str, String>) -> String {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut filled =
        environment.render_str(text, context).expect("templates of the library use the names they are given");
    // The engine drops the line end of the last line.
    filled.push('\n');
    filled
}
