//! `digests`: which images were built.

use std::collections::BTreeMap;

use super::errors;
use crate::sema::decls::Decls;
use crate::sema::image::reference::is_digest;
use crate::syntax::ast::Item;
use crate::world::{ReadError, resolve};

/// The digests of images by target, from the metadata that `docker buildx bake` wrote into the file that `digests`
/// names. Before the first build there is none.
pub(crate) fn digests<'a>(
    decls: &Decls<'_, 'a>,
    item: Option<&'a Item>,
) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    let cx = decls.cx;
    let Some(value) = item.and_then(|item| item.value.as_ref()) else {
        return digests;
    };
    let Some(path) = cx.string(value) else {
        return digests;
    };
    let place = cx.resolve(value).span;
    let home = cx.sources.file(place.file).name.as_str();
    let Some(full) = resolve(home, &path) else {
        cx.report(errors::no_metadata(
            &path,
            "it lies outside the project",
            place,
        ));
        return digests;
    };
    let bytes = match decls.world.read(&full) {
        Ok(bytes) => bytes,
        Err(ReadError::NotFound) => return digests,
        Err(why) => {
            cx.report(errors::no_metadata(&path, &why.to_string(), place));
            return digests;
        }
    };
    let parsed: Result<BTreeMap<String, serde_json::Value>, _> = serde_json::from_slice(&bytes);
    let Ok(targets) = parsed else {
        cx.report(errors::no_metadata(
            &path,
            "it is not a JSON object by target",
            place,
        ));
        return digests;
    };
    for (target, metadata) in &targets {
        let Some(digest) = metadata.get("containerimage.digest") else {
            continue;
        };
        match digest.as_str().filter(|digest| is_digest(digest)) {
            Some(digest) => drop(digests.insert(target.clone(), digest.to_owned())),
            None => cx.report(errors::no_metadata(
                &path,
                &format!("the digest of `{target}` is none"),
                place,
            )),
        }
    }
    digests
}
