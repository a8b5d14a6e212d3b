//! Images to be built: a Dockerfile and, beside it, the ignore file that BuildKit looks for there.

use super::{Artifact, header};
use crate::base::quantity::MIB;
use crate::base::span::Span;
use crate::plan::model::{Plan, Workload};
use crate::sema::hir::{BuiltImage, Image, Runtime, Service};
use crate::sema::image::template_values;
use crate::template::{Context, Value, fill};

/// The name an image has until the program gives it one.
pub(super) fn image_name<'a>(service: &'a Service<'_>, image: &'a BuiltImage<'_>) -> String {
    match &image.name {
        Some(name) => name.to_string(),
        None => format!("{}:local", service.name.value),
    }
}

type Built<'p, 'a> = (&'p Service<'a>, &'p Workload<'a>, &'p BuiltImage<'a>, &'p Runtime<'a>);

/// The services whose images are built.
fn built<'p, 'a>(plan: &'p Plan<'p, 'a>) -> impl Iterator<Item = Built<'p, 'a>> {
    plan.program.services.iter().zip(&plan.workloads).filter_map(|(service, workload)| match &service.image {
        Image::Built(image) => Some((service, workload, &**image, &plan.program.runtimes[image.runtime])),
        Image::Name(_) => None,
    })
}

/// What a service's templates are filled with.
fn context(plan: &Plan<'_, '_>, (service, workload, image, runtime): Built<'_, '_>) -> Context {
    let name = service.name.value;
    let source = image.source.value.as_ref();
    let port = service.ports.first().map_or(image.port, |port| port.number.value);
    let mut found = Vec::new();
    if !image.found.is_empty() {
        found.push(format!("Seen in {source}:"));
        found.extend(image.found.iter().map(|fact| format!("  {fact}")));
    }
    let own = [
        ("header", Value::from(header(plan))),
        ("service", Value::from(name)),
        ("runtime", Value::from(runtime.name)),
        ("name", Value::from(image_name(service, image))),
        ("source", Value::from(source)),
        ("path", Value::from(format!("out/images/{name}/Dockerfile"))),
        ("port", Value::from(port)),
        // Whether anything asks it: a worker has no port.
        ("serves", Value::from(!service.ports.is_empty())),
        ("limit", Value::from(workload.limit.n / MIB)),
        ("found", Value::from(found)),
    ];
    template_values(image).chain(own.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// Templates that cannot be filled: where each is named, its name, and why. Those of the library are none of them,
/// which its tests show.
pub fn faults(plan: &Plan<'_, '_>) -> Vec<(Span, String, String)> {
    let mut faults = Vec::new();
    for built in built(plan).filter(|(.., runtime)| !runtime.templates.is_empty()) {
        let (.., runtime) = built;
        let context = context(plan, built);
        for template in [&runtime.dockerfile, &runtime.ignore] {
            if let Err(why) = fill(&runtime.templates, &template.value, &context) {
                faults.push((template.span, template.value.clone(), why));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

pub(super) fn emit(plan: &Plan<'_, '_>, files: &mut Vec<Artifact>) {
    for built in built(plan) {
        let (service, .., runtime) = built;
        let context = context(plan, built);
        let parts = [("Dockerfile", &runtime.dockerfile), ("Dockerfile.dockerignore", &runtime.ignore)];
        for (file, template) in parts {
            let text = fill(&runtime.templates, &template.value, &context);
            debug_assert!(text.is_ok(), "{}: {text:?}", template.value);
            // What `faults` would have told.
            let text = text.unwrap_or_else(|why| format!("# {why}\n"));
            files.push((format!("images/{}/{file}", service.name.value), text.into_bytes()));
        }
    }
}
