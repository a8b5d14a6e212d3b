//! The folder of an image's source: its layout, what a build would send, and what deserves a look in it.

use std::sync::Arc;

use super::errors;
use crate::layout::context::BuildContext;
use crate::layout::{self, Language, Layout, Value};
use crate::program::{BuiltImage, Param, Runtime, template_values};
use crate::sema::decls::Decls;
use crate::template::{Context, Filler};

/// Build contexts above this size get a warning: the source of a service of 48Mi has a few MB.
pub(crate) const LARGE: u64 = 100 << 20;

/// Reports what deserves a look in the source.
pub(crate) fn look<'a>(
    decls: &Decls<'_, 'a>,
    service: &str,
    runtime: &Runtime<'a>,
    image: &BuiltImage<'_>,
) {
    let (cx, layout) = (decls.cx, &image.layout);
    let (source, place) = (image.source.value.as_ref(), image.source.span);
    if layout.is_there == Some(false) {
        cx.report(errors::unseen(service, source, place));
    }
    if layout.is_there != Some(true) {
        return;
    }
    let manager = match image.values.get("manager") {
        Some(Param::Text(manager)) => manager.as_str(),
        _ => "",
    };
    let names_none = layout.text("manager") == Some("none") && manager != "none";
    if image.from.is_some() {
        // The libraries come with the image that this one starts from.
    } else if let Some(file) = &layout.unlocked {
        cx.report(errors::unlocked(source, Some(file), "", place));
    } else if names_none {
        let wanted = if runtime.language == Language::Python {
            "requirements.txt"
        } else {
            "package.json"
        };
        cx.report(errors::unlocked(source, None, wanted, place));
    }
    if runtime.libraries.iter().any(|library| library == "next")
        && layout.fact("standalone").is_none()
    {
        cx.report(errors::not_standalone(source, place));
    }
    let seen = match layout.fact("start").map(|fact| &fact.value) {
        Some(Value::Command(words)) => Param::Texts(words.clone()),
        _ => Param::Texts(Vec::new()),
    };
    let starts_own = image.from.is_some()
        || image
            .values
            .get("start")
            .is_some_and(|start| *start != Param::Texts(Vec::new()) && *start != seen);
    if let Some(libraries) = layout
        .libraries
        .as_ref()
        .filter(|libraries| libraries.complete && !starts_own)
    {
        for library in runtime
            .libraries
            .iter()
            .filter(|library| !libraries.names.contains(library.as_ref()))
        {
            cx.report(errors::missing_library(
                runtime.name,
                library,
                &libraries.from,
                place,
            ));
        }
    }
    if image.from.is_none() {
        settings(decls, image);
    }
    missing(decls, image);
    let context: Context = template_values(image)
        .chain([("header".to_owned(), "".into())])
        .collect();
    let Some(sent) = decls.build_context(source, runtime, &context) else {
        return;
    };
    if !sent.secrets.is_empty() {
        cx.report(errors::secrets(source, &sent.secrets, place));
    }
    if sent.bytes > LARGE || sent.more {
        cx.report(errors::large(
            source,
            sent.bytes,
            sent.more,
            sent.largest.as_ref(),
            place,
        ));
    }
}

/// Reports what the program wants copied into the image and what the source does not hold.
fn missing(decls: &Decls<'_, '_>, image: &BuiltImage<'_>) {
    let (source, place) = (image.source.value.as_ref(), image.source.span);
    let mut wanted: Vec<&String> = Vec::new();
    if let Some(Param::Texts(files)) = image.values.get("files") {
        wanted.extend(files);
    }
    if let Some(Param::Text(conf)) = image.values.get("conf") {
        wanted.push(conf);
    }
    for name in wanted {
        if layout::holds(decls.world, source, name) == Some(false) {
            decls.cx.report(errors::not_there(source, name, place));
        }
    }
}

/// Reports files of the source that the image does without.
fn settings(decls: &Decls<'_, '_>, image: &BuiltImage<'_>) {
    let (cx, layout) = (decls.cx, &image.layout);
    let (source, place) = (image.source.value.as_ref(), image.source.span);
    let texts = |key: &str| match image.values.get(key) {
        Some(Param::Texts(texts)) => texts.as_slice(),
        _ => &[],
    };
    let is_said = |file: &String| texts("keep").contains(file) || texts("leave_out").contains(file);
    for (file, why) in layout.left_out.iter().filter(|(file, _)| !is_said(file)) {
        cx.report(errors::left_out(source, file, why, place));
    }
    let own = matches!(image.values.get("conf"), Some(Param::Text(conf)) if !conf.is_empty());
    if let Some((file, is_whole)) = layout
        .nginx
        .as_ref()
        .filter(|(file, _)| !own && !is_said(file))
    {
        cx.report(errors::unused_nginx(source, file, *is_whole, place));
    }
    let is = |key: &str, word: &str| image.values.get(key) == Some(&Param::Text(word.to_owned()));
    let bare = is("variant", "distroless") || is("variant", "alpine");
    if bare
        && is("base", "")
        && !layout.native.is_empty()
        && texts("run_packages").len() + texts("build_packages").len() > 0
    {
        cx.report(errors::needs_packages(
            &layout.native,
            is("variant", "alpine"),
            place,
        ));
    }
    let is_in = |name: &String| {
        texts("files")
            .iter()
            .any(|file| file.trim_start_matches("./").split('/').next() == Some(name.as_str()))
    };
    for (name, file) in layout
        .read
        .iter()
        .filter(|(name, _)| !is_in(name) && !is_said(name))
    {
        cx.report(errors::not_in_image(source, name, file, place));
    }
    if let Some((libraries, from)) = &layout.compiled {
        cx.report(errors::compiled(libraries, from, place));
    }
}

impl<'a> Decls<'_, 'a> {
    /// What a build of a source would send. `None` if its ignore list cannot be filled, which is reported elsewhere.
    pub(crate) fn build_context(
        &self,
        source: &str,
        runtime: &Runtime<'a>,
        context: &Context,
    ) -> Option<Arc<BuildContext>> {
        let mut contexts = self.contexts.borrow_mut();
        let (ignores, known) = &mut *contexts;
        let name = runtime.ignore.value.as_str();
        let filler = ignores
            .entry(runtime.name)
            .or_insert_with(|| Filler::new(&runtime.templates, &[name]));
        let ignore = filler.fill(name, context).ok()?;
        let walked = known.entry((source.to_owned(), ignore));
        let build_context = walked.or_insert_with_key(|(_, ignore)| {
            Arc::new(layout::context::measure(self.world, source, ignore))
        });
        Some(Arc::clone(build_context))
    }

    /// The layout of a source. Services of one source are read once.
    pub(crate) fn layout(&self, source: &str, runtime: &Runtime<'a>) -> Arc<Layout> {
        let mut layouts = self.layouts.borrow_mut();
        let layout = layouts
            .entry((source.to_owned(), runtime.name))
            .or_insert_with(|| {
                let entry: Vec<&str> = runtime.entry.iter().map(AsRef::as_ref).collect();
                Arc::new(layout::detect(self.world, source, runtime.language, &entry))
            });
        Arc::clone(layout)
    }
}
