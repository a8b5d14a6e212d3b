//! `evidence`: readings of memory that was in use. Without the field it is the file beside the program that has its
//! name: `budget.evidence.json` of `budget.bz`.

use std::borrow::Cow;

use super::decls::Decls;
use super::errors;
use crate::evidence::Evidence;
use crate::program::Measured;
use crate::syntax::ast::Item;
use crate::world::{ReadError, resolve};

/// The readings of the file that `item` names, or else of the one that lies beside the program. None if there is none.
pub(super) fn evidence<'a>(decls: &Decls<'_, 'a>, item: Option<&'a Item>) -> Option<Measured<'a>> {
    let cx = decls.cx;
    let (file, place) = match item {
        Some(item) => {
            let value = item.value.as_ref()?;
            let file = cx.string(value)?;
            (file, Some(cx.resolve(value).span))
        }
        None => {
            let program = cx.sources.files().first()?.name.as_str();
            let stem = program.strip_suffix(".bz").unwrap_or(program);
            (Cow::Owned(format!("{stem}.evidence.json")), None)
        }
    };
    let home = place.map_or("", |place| cx.sources.file(place.file).name.as_str());
    let fault = |why: &str| cx.report(errors::no_evidence(&file, why, place));
    let Some(full) = resolve(home, &file) else {
        fault("it lies outside the project");
        return None;
    };
    let bytes = match decls.world.read(&full) {
        Ok(bytes) => bytes,
        // Before the first measurement there is none.
        Err(ReadError::NotFound) => return None,
        Err(why) => {
            fault(&why.to_string());
            return None;
        }
    };
    match Evidence::read(&bytes) {
        Ok(evidence) => Some(Measured { file, evidence }),
        Err(why) => {
            fault(&why);
            None
        }
    }
}
