//! Patches of a program over the objects that bzc writes for it: the strategic merge of kustomize, from data to data, and
//! what the reader of manifests sees before and after.

use serde_json::{Map, Number, Value};

use super::patch::merge;
use crate::base::span::FileId;
use crate::manifest::node::{At, Kind, Node, Places};
use crate::manifest::tree::{MOST_NODES, Style, Tree};
use crate::manifest::workload::{self, Objects};

/// All values stand at one place, so that two readings differ only where they say something else.
const HERE: At = 0;

/// The documents of a file of patches.
///
/// # Errors
///
/// Why it is no YAML, or none that bzc follows.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut places = Places::default();
    let documents = places.documents(text, FileId::default(), MOST_NODES)?;
    Ok(documents
        .iter()
        .filter(|one| !one.is_null())
        .map(value)
        .collect())
}

/// An object with a patch laid over it.
///
/// # Errors
///
/// Why it is not known what kustomize would make of it.
pub(crate) fn merged(object: &Value, patch: &Value) -> Result<Value, String> {
    let mut target = node(object);
    merge(&mut target, &node(patch), true)?;
    Ok(value(&target))
}

/// What the proof reads in objects.
///
/// # Errors
///
/// What it cannot understand.
pub(crate) fn read(objects: &[Value]) -> Result<Objects, String> {
    let tree = Tree::of(objects.iter().map(|object| node(object).yaml()).collect());
    workload::objects("", &tree, &()).map_err(|fault| fault.what)
}

fn node(value: &Value) -> Node {
    let kind = match value {
        Value::Null => Kind::Scalar(Style::Plain, "null".into(), false),
        Value::Bool(flag) => Kind::Scalar(Style::Plain, flag.to_string().into(), false),
        Value::Number(number) => Kind::Scalar(Style::Plain, number.to_string().into(), false),
        Value::String(text) => Kind::Scalar(Style::Double, text.as_str().into(), true),
        Value::Array(items) => Kind::List(items.iter().map(node).collect()),
        Value::Object(entries) => Kind::Map(
            entries
                .iter()
                .map(|(key, value)| (Node::scalar(HERE, key), node(value)))
                .collect(),
        ),
    };
    Node { at: HERE, kind }
}

/// A value as data. Of words without quotes `true`, `false`, nulls and whole numbers are no texts.
fn value(node: &Node) -> Value {
    match &node.kind {
        _ if node.is_null() => Value::Null,
        Kind::Scalar(Style::Plain, text, false) => match &**text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => match text.parse::<i64>() {
                Ok(number) => Value::Number(Number::from(number)),
                Err(_) => Value::String(text.to_owned()),
            },
        },
        Kind::Scalar(_, text, _) => Value::String((**text).to_owned()),
        Kind::List(items) => Value::Array(items.iter().map(value).collect()),
        Kind::Map(entries) => {
            let entries = entries.iter();
            let named =
                entries.map(|(key, one)| (key.text().unwrap_or_default().to_owned(), value(one)));
            Value::Object(named.collect::<Map<_, _>>())
        }
    }
}
