//! What stands at the top of files, sorted by kind and name.

use super::errors;
use crate::sema::decls::{Decl, Decls};
use crate::sema::errors as general;
use crate::sema::values::Cx;
use crate::stdlib;
use crate::syntax::ast::{Item, WordShape};

/// A file that does not say which edition of the language it is written in is of the first.
pub(crate) fn check_edition<'a>(cx: &Cx<'a>, items: &'a [Item], from_library: bool) {
    let mut editions = items.iter().filter(|item| cx.key(item) == "edition");
    let Some(item) = editions.next() else { return };
    if let Some(second) = editions.next() {
        cx.report(general::given_twice(
            "edition",
            item.key.span,
            second.key.span,
        ));
    }
    let Some(value) = &item.value else {
        cx.report(general::malformed("edition", "edition = 1", item.span));
        return;
    };
    if let Some(number) = cx.count(value)
        && number != stdlib::EDITION
        && !from_library
    {
        cx.report(errors::unknown_edition(number, value.span));
    }
}

/// Declares `kind a, b { .. }` under each of its names.
pub(crate) fn declare<'a>(
    decls: &mut Decls<'_, 'a>,
    kind: &'static str,
    item: &'a Item,
    from_library: bool,
) {
    let cx = decls.cx;
    if item.names.is_empty() {
        if !item.is_hole() {
            cx.report(errors::declaration_without_name(kind, item.key.span));
        }
        return;
    }
    if let Some(word) = item.overriding() {
        cx.report(general::overrides_nothing(kind, item.key.span, word));
    }
    for name in &item.names {
        let text = cx.word(*name);
        if name.shape != WordShape::Bare {
            cx.report(errors::not_a_plain_name(kind, text, name.span));
            continue;
        }
        let decl = Decl {
            item,
            name: text,
            span: name.span,
        };
        if kind == "component" && from_library {
            decls.packaged.insert(text, decl);
            continue;
        }
        match decls.add(kind, decl) {
            // The library comes last, but what it declares counts as declared first.
            Some(own) if from_library => {
                cx.report(general::declared_twice(kind, text, name.span, own.span))
            }
            Some(first) => cx.report(general::declared_twice(kind, text, first.span, name.span)),
            None => {}
        }
    }
}
