//! Bytes to the text of a program, or why they are none.

use crate::diag::Diagnostic;
use crate::world::ReadError;

/// A text that was read, or why it cannot be compiled at all.
pub fn decode(name: &str, bytes: Result<Vec<u8>, ReadError>) -> Result<String, Box<Diagnostic>> {
    let bytes = bytes
        .map_err(|why| {
            let error = Diagnostic::error("BZ0001", format!("`{name}` cannot be read: {why}"));
            match why {
                ReadError::NotFound => error.help(
                    "`bzc init` writes a program to begin with, and `bzc import` one from manifests or a compose file",
                ),
                _ => error,
            }
        })
        .map_err(Box::new)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..at];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = before
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .count()
                + 1;
            Diagnostic::error(
                "BZ0002",
                format!("`{name}` is not UTF-8: line {line}, byte {column} of it"),
            )
            .note("bz programs are UTF-8 text; an editor may have saved it in another encoding")
        })
        .map_err(Box::new)?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let error = Diagnostic::error("BZ0003", format!("`{name}` is empty"));
        return Err(Box::new(
            error.help("`bzc init` writes a program to begin with"),
        ));
    }
    Ok(text)
}
