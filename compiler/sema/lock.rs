//! `lock`: the file that keeps what was chosen out of ranges. `build` writes it, and before the first there is none.

use super::decls::Decls;
use super::errors;
use crate::lock::Lock;
use crate::program::Locked;
use crate::syntax::ast::Item;
use crate::world::{ReadError, resolve};

/// The file that `item` names, with what is in it. None if that is no lock, which is reported.
pub(super) fn lock<'a>(
    decls: &Decls<'_, 'a>,
    item: &'a Item,
    environments: Vec<&'a str>,
) -> Option<Locked<'a>> {
    let cx = decls.cx;
    let value = item.value.as_ref()?;
    let file = cx.string(value)?;
    let place = cx.resolve(value).span;
    let fault = |why: &str| cx.report(errors::no_lock(&file, why, place));
    let Some(path) = resolve(&cx.sources.file(place.file).name, &file) else {
        fault("it lies outside the project");
        return None;
    };
    let kept = match decls.world.read(&path) {
        Ok(bytes) => match Lock::read(&bytes) {
            Ok(lock) => Some((bytes, lock)),
            Err(why) => {
                fault(&why);
                return None;
            }
        },
        Err(ReadError::NotFound) => None,
        Err(why) => {
            fault(&why.to_string());
            return None;
        }
    };
    Some(Locked {
        file,
        path,
        kept,
        environments,
    })
}
