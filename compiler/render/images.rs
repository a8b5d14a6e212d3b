//! Images to be built, and their Dockerfiles and ignore files out of templates.

use std::collections::{BTreeMap, BTreeSet};

use super::errors;
use super::header::header;
use crate::base::quantity::MIB;
use crate::base::span::Spanned;
use crate::diag::Sink;
use crate::plan::model::Plan;
use crate::program::{BuiltImage, Image, Runtime, template_values};
use crate::template::{Context, Filler, Value};

/// An image to be built, of a service or for others to start from.
#[derive(Debug)]
pub(crate) struct Target<'p, 'a> {
    /// What it is called in the program.
    pub name: &'p str,
    /// The name and tag it will have.
    pub reference: String,
    /// How it is built.
    pub image: &'p BuiltImage<'a>,
    /// Its runtime.
    pub runtime: &'p Runtime<'a>,
    /// The service's own port.
    port: Option<u16>,
    /// What was decided for the service, in Mi.
    limit: u64,
}

/// An image to be built, with its texts.
#[derive(Debug)]
pub(crate) struct RenderedImage<'p, 'a> {
    /// What is built.
    pub target: Target<'p, 'a>,
    /// The Dockerfile.
    pub dockerfile: String,
    /// The ignore file.
    pub ignore: String,
}

/// All images to be built: the shared ones first.
pub(crate) fn targets<'p, 'a>(plan: &'p Plan<'p, 'a>) -> impl Iterator<Item = Target<'p, 'a>> {
    let runtime = |image: &'p BuiltImage<'a>| &plan.program.runtimes[image.runtime];
    let shared = plan.program.images.iter().map(move |shared| Target {
        name: shared.name.value,
        reference: shared.reference(),
        image: &shared.image,
        runtime: runtime(&shared.image),
        port: None,
        limit: 0,
    });
    let of_services = plan
        .program
        .services
        .iter()
        .zip(&plan.workloads)
        .filter_map(move |(service, workload)| {
            let Image::Built(image) = &service.image else {
                return None;
            };
            Some(Target {
                name: service.name.value,
                reference: service.image_name(image),
                image,
                runtime: runtime(image),
                port: service.ports.first().map(|port| port.number.value),
                limit: workload.limit.n / MIB,
            })
        });
    shared.chain(of_services)
}

/// What a target's templates are filled with.
fn context(plan: &Plan<'_, '_>, target: &Target<'_, '_>) -> Context {
    let source = target.image.source.value.as_ref();
    let mut found = Vec::new();
    if !target.image.found.is_empty() {
        found.push(format!("Seen in {source}:"));
        found.extend(target.image.found.iter().map(|fact| format!("  {fact}")));
    }
    let of_target = [
        ("header", Value::from(header(plan))),
        ("service", Value::from(target.name)),
        ("runtime", Value::from(target.runtime.name)),
        ("name", Value::from(target.reference.as_str())),
        ("source", Value::from(source)),
        (
            "path",
            Value::from(format!("out/images/{}/Dockerfile", target.name)),
        ),
        (
            "port",
            Value::from(target.port.unwrap_or(target.image.port)),
        ),
        // Whether anything asks it: a worker has no port.
        ("serves", Value::from(target.port.is_some())),
        ("limit", Value::from(target.limit)),
        ("found", Value::from(found)),
    ];
    template_values(target.image)
        .chain(of_target.map(|(name, value)| (name.to_owned(), value)))
        .collect()
}

/// The templates of the runtimes that something is built for, each read once.
fn fillers<'p, 'a>(all: &[Target<'p, 'a>]) -> BTreeMap<&'p str, Filler> {
    let mut fillers = BTreeMap::new();
    for target in all {
        let runtime = target.runtime;
        fillers.entry(runtime.name).or_insert_with(|| {
            Filler::new(
                &runtime.templates,
                &[&runtime.dockerfile.value, &runtime.ignore.value],
            )
        });
    }
    fillers
}

/// Fills the templates of all images. A template that cannot be filled is reported once where it is named, whatever
/// number of images are built from it.
pub(super) fn fill<'p, 'a>(plan: &'p Plan<'p, 'a>, sink: &mut Sink) -> Vec<RenderedImage<'p, 'a>> {
    let all: Vec<Target<'p, 'a>> = targets(plan).collect();
    let fillers = fillers(&all);
    let mut faults = BTreeSet::new();
    let mut rendered = Vec::with_capacity(all.len());
    for target in all {
        let context = context(plan, &target);
        let mut filled = |template: &'p Spanned<String>| {
            let text = fillers[target.runtime.name].fill(&template.value, &context);
            text.map_err(|fault| faults.insert((template.span, template.value.as_str(), fault)))
                .ok()
        };
        let dockerfile = filled(&target.runtime.dockerfile);
        let ignore = filled(&target.runtime.ignore);
        if let (Some(dockerfile), Some(ignore)) = (dockerfile, ignore) {
            rendered.push(RenderedImage {
                target,
                dockerfile,
                ignore,
            });
        }
    }
    for (span, name, fault) in faults {
        sink.push(errors::unfillable(name, &fault, span));
    }
    rendered
}
