//! Images: those that exist, those that bzc writes a Dockerfile for, and the runtimes they are built for.

use super::id::{ImageId, RuntimeId};
use crate::base::id::listed;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::origin::Given;
use crate::base::quantity::Bytes;
use crate::base::span::Spanned;
use crate::layout::{Language, Layout};
use crate::template::{self, Templates};

/// What a service runs.
#[derive(Debug, Clone)]
pub(crate) enum Image<'a> {
    /// An image that exists.
    Name(Spanned<Cow<'a, str>>),
    /// One that bzc writes a Dockerfile for.
    Built(Box<BuiltImage<'a>>),
}

/// An image to be built.
#[derive(Debug, Clone)]
pub(crate) struct BuiltImage<'a> {
    /// Its runtime.
    pub runtime: RuntimeId,
    /// The folder with its source, as seen from the program.
    pub source: Spanned<Cow<'a, str>>,
    /// The name and tag it will have.
    pub name: Option<Cow<'a, str>>,
    /// The shared image it starts from.
    pub from: Option<ImageId>,
    /// The number of workers.
    pub workers: Option<Given<'a, u64>>,
    /// What its templates are filled with, by the names they have there: what the program says, else what the source
    /// shows, else what the runtime takes.
    pub values: BTreeMap<String, Param>,
    /// What the source shows, and in which file, a line each.
    pub found: Vec<String>,
    /// What the source shows.
    pub layout: Arc<Layout>,
    /// The port it listens on where the service has none.
    pub port: u16,
}

/// An image that others start from: the libraries, and nothing to start.
#[derive(Debug)]
pub(crate) struct SharedImage<'a> {
    /// What it is called in the program.
    pub name: Spanned<&'a str>,
    /// How it is built.
    pub image: BuiltImage<'a>,
}

listed!(ImageId: SharedImage<'a>);

impl SharedImage<'_> {
    /// The name and tag it has.
    pub(crate) fn reference(&self) -> String {
        self.image
            .name
            .as_ref()
            .map_or_else(|| format!("{}:local", self.name.value), ToString::to_string)
    }
}

/// The value of a parameter of a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Param {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// An amount of memory; templates see whole Mi.
    Memory(Bytes),
    /// A list of texts.
    Texts(Vec<String>),
}

/// A language or framework images are built for.
#[derive(Debug)]
pub(crate) struct Runtime<'a> {
    /// Its name.
    pub name: &'a str,
    /// How the layout of a source is read.
    pub language: Language,
    /// The constructors whose result a Python server serves.
    pub entry: Vec<Cow<'a, str>>,
    /// The least limit at which it was seen to answer.
    pub floor: Option<Given<'a, Bytes>>,
    /// The least at which it did not live by re-reading its own pages.
    pub calm: Option<Given<'a, Bytes>>,
    /// What each further worker adds to the floor. Without it, it has no workers.
    pub worker: Option<Given<'a, Bytes>>,
    /// What each further worker adds to what is calm, if that is something else.
    pub worker_calm: Option<Given<'a, Bytes>>,
    /// What needs less.
    pub leaner: Option<Cow<'a, str>>,
    /// The port it listens on.
    pub port: u16,
    /// The libraries without which it does not start.
    pub libraries: Vec<Cow<'a, str>>,
    /// Fields of `image` that must be said or seen.
    pub needs: Vec<&'a str>,
    /// The closed sets of `variant` and `manager`, the first taken where nothing is said.
    pub variants: Vec<&'a str>,
    /// The tools that install its libraries.
    pub managers: Vec<&'a str>,
    /// What its fields and parameters are where neither program nor source says so.
    pub params: BTreeMap<&'a str, Param>,
    /// The template of its Dockerfile, and where it is named.
    pub dockerfile: Spanned<String>,
    /// The template of its ignore list.
    pub ignore: Spanned<String>,
    /// The project's own templates.
    pub templates: Templates,
}

listed!(RuntimeId: Runtime<'a>);

/// The values of an image as templates see them.
pub(crate) fn template_values(
    image: &BuiltImage<'_>,
) -> impl Iterator<Item = (String, template::Value)> {
    image.values.iter().map(|(name, value)| {
        let value = match value {
            Param::Text(text) => template::Value::from(text.as_str()),
            Param::Flag(flag) => template::Value::from(*flag),
            Param::Count(n) => template::Value::from(*n),
            Param::Memory(bytes) => template::Value::from(bytes.n >> 20),
            Param::Texts(texts) => template::Value::from(texts.clone()),
        };
        (name.clone(), value)
    })
}
