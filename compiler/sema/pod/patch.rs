//! `patch`: what a program lays over the objects of a workload, from a block or from a file.

use serde_json::{Map, Value};

use super::errors;
use crate::kustomize::overlay;
use crate::program::Patch;
use crate::sema::decls::Decls;
use crate::sema::layers::Fields;
use crate::sema::values::Cx;
use crate::syntax::ast::{Body, Expr, ExprKind};
use crate::world::resolve;

/// The patches of a workload, in order.
pub(crate) fn patches<'a>(decls: &Decls<'_, 'a>, fields: &Fields<'_, 'a>) -> Vec<Patch> {
    let cx = decls.cx;
    let Some(field) = fields.get("patch") else {
        return Vec::new();
    };
    let span = field.item.key.span;
    if let Some(body) = &field.item.body {
        let value = block(cx, body);
        return vec![Patch {
            span,
            kind: None,
            value,
        }];
    }
    let Some(path) = field.value(cx).and_then(|value| cx.string(value)) else {
        return Vec::new();
    };
    let place = field.origin.span.unwrap_or(span);
    match of_file(decls, &path, cx.sources.file(place.file).name.as_str()) {
        Ok(values) if values.is_empty() => {
            cx.report(errors::unreadable_patch(
                &path,
                "there is nothing in it",
                place,
            ));
            Vec::new()
        }
        Ok(values) => {
            let values = values.into_iter();
            values
                .map(|value| Patch {
                    span: place,
                    kind: value["kind"].as_str().map(str::to_owned),
                    value,
                })
                .collect()
        }
        Err(why) => {
            cx.report(errors::unreadable_patch(&path, &why, place));
            Vec::new()
        }
    }
}

fn of_file(decls: &Decls<'_, '_>, path: &str, home: &str) -> Result<Vec<Value>, String> {
    let full = resolve(home, path).ok_or("it lies outside the project")?;
    let bytes = decls.world.read(&full).map_err(|why| why.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8")?;
    overlay::documents(&text)
}

/// A block as data. What has a name behind its key is an item of a list of that key, whose `name` it is.
fn block(cx: &Cx<'_>, body: &Body) -> Value {
    let mut map = Map::new();
    for item in &body.items {
        let key = cx.key(item);
        let inner = match (&item.value, &item.body) {
            (Some(value), _) => data(cx, value),
            (None, Some(body)) => Some(block(cx, body)),
            (None, None) => None,
        };
        let Some(mut inner) = inner else { continue };
        let Some(name) = item.names.first() else {
            if map.insert(key.to_owned(), inner).is_some() {
                cx.report(errors::twice_in_a_patch(key, item.key.span));
            }
            continue;
        };
        if let Value::Object(fields) = &mut inner {
            fields.insert("name".to_owned(), cx.word(*name).into());
        }
        let list = map.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        match list {
            Value::Array(items) => items.push(inner),
            _ => cx.report(errors::twice_in_a_patch(key, item.key.span)),
        }
    }
    Value::Object(map)
}

/// A value as data: numbers of no unit and `true` and `false` are none of texts, a number with a unit is.
fn data(cx: &Cx<'_>, expr: &Expr) -> Option<Value> {
    let text = cx.text(expr.span);
    match &expr.kind {
        ExprKind::Number => Some(match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => text.into(),
        }),
        ExprKind::Text => cx
            .text_literal(expr.span)
            .map(|text| text.into_owned().into()),
        ExprKind::Path if text == "true" => Some(true.into()),
        ExprKind::Path if text == "false" => Some(false.into()),
        ExprKind::Path if text == "null" => Some(Value::Null),
        ExprKind::Path => Some(text.into()),
        ExprKind::Negative(inner) => {
            let number = cx.text(inner.span).parse::<i64>().ok()?;
            Some((-number).into())
        }
        ExprKind::List(items) => {
            let items: Option<Vec<Value>> = items.iter().map(|item| data(cx, item)).collect();
            items.map(Value::Array)
        }
        ExprKind::Hole => None,
        ExprKind::Range(_)
        | ExprKind::Binary(..)
        | ExprKind::Call(_)
        | ExprKind::Reference(_)
        | ExprKind::Tagged(_) => {
            cx.report(errors::not_data(expr.span));
            None
        }
    }
}
