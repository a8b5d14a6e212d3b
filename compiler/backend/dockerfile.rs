//! Images to be built: a Dockerfile and, beside it, the ignore file that BuildKit looks for there; and one file that
//! builds them all.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Artifact, header};
use crate::base::quantity::MIB;
use crate::base::span::Span;
use crate::plan::model::Plan;
use crate::program::{BuiltImage, Image, Runtime, Service, template_values};
use crate::template::{Context, Filler, Value};

/// The name an image has until the program gives it one.
pub(super) fn image_name<'a>(service: &'a Service<'_>, image: &'a BuiltImage<'_>) -> String {
    match &image.name {
        Some(name) => name.to_string(),
        None => format!("{}:local", service.name.value),
    }
}

/// An image to be built, of a service or for others to start from.
struct Target<'p, 'a> {
    name: &'p str,
    reference: String,
    image: &'p BuiltImage<'a>,
    runtime: &'p Runtime<'a>,
    /// The service's own port.
    port: Option<u16>,
    /// What was decided for the service, in Mi.
    limit: u64,
}

/// All images to be built: the shared ones first.
fn targets<'p, 'a>(plan: &'p Plan<'p, 'a>) -> impl Iterator<Item = Target<'p, 'a>> {
    let runtime = |image: &'p BuiltImage<'a>| &plan.program.runtimes[image.runtime];
    let shared = plan.program.images.iter().map(move |shared| Target {
        name: shared.name.value,
        reference: shared.reference(),
        image: &shared.image,
        runtime: runtime(&shared.image),
        port: None,
        limit: 0,
    });
    let own = plan
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
                reference: image_name(service, image),
                image,
                runtime: runtime(image),
                port: service.ports.first().map(|port| port.number.value),
                limit: workload.limit.n / MIB,
            })
        });
    shared.chain(own)
}

/// What a target's templates are filled with.
fn context(plan: &Plan<'_, '_>, target: &Target<'_, '_>) -> Context {
    let source = target.image.source.value.as_ref();
    let mut found = Vec::new();
    if !target.image.found.is_empty() {
        found.push(format!("Seen in {source}:"));
        found.extend(target.image.found.iter().map(|fact| format!("  {fact}")));
    }
    let own = [
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
        .chain(own.map(|(name, value)| (name.to_owned(), value)))
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

/// Templates that cannot be filled: where each is named, its name, and why. Those of the library are none of them,
/// which its tests show.
pub fn faults(plan: &Plan<'_, '_>) -> Vec<(Span, String, String)> {
    let mut faults = Vec::new();
    let own: Vec<Target<'_, '_>> = targets(plan)
        .filter(|target| !target.runtime.templates.is_empty())
        .collect();
    let fillers = fillers(&own);
    for target in &own {
        let context = context(plan, target);
        for template in [&target.runtime.dockerfile, &target.runtime.ignore] {
            if let Err(why) = fillers[target.runtime.name].fill(&template.value, &context) {
                faults.push((template.span, template.value.clone(), why));
            }
        }
    }
    faults.sort();
    faults.dedup();
    faults
}

pub(super) fn emit(plan: &Plan<'_, '_>, files: &mut Vec<Artifact>) {
    let all: Vec<Target<'_, '_>> = targets(plan).collect();
    let fillers = fillers(&all);
    for target in &all {
        let context = context(plan, target);
        let parts = [
            ("Dockerfile", &target.runtime.dockerfile),
            ("Dockerfile.dockerignore", &target.runtime.ignore),
        ];
        for (file, template) in parts {
            let text = fillers[target.runtime.name].fill(&template.value, &context);
            debug_assert!(text.is_ok(), "{}: {text:?}", template.value);
            // What `faults` would have told.
            let text = text.unwrap_or_else(|why| format!("# {why}\n"));
            files.push((format!("images/{}/{file}", target.name), text.into_bytes()));
        }
    }
    if !all.is_empty() {
        files.push((
            "images/docker-bake.hcl".to_owned(),
            bake(plan, &all).into_bytes(),
        ));
    }
}

/// The images of the report, with what was seen of each and in which file.
pub(super) fn table(plan: &Plan<'_, '_>) -> String {
    let mut text = String::new();
    for target in targets(plan) {
        if text.is_empty() {
            text.push_str("\n## Images\n\n| image | runtime | source | seen there |\n| --- | --- | --- | --- |\n");
        }
        let seen = if target.image.found.is_empty() {
            "nothing".to_owned()
        } else {
            target.image.found.join(", ")
        };
        let (reference, runtime, source) = (
            &target.reference,
            target.runtime.name,
            &target.image.source.value,
        );
        let _ = writeln!(text, "| {reference} | {runtime} | {source} | {seen} |");
    }
    text
}

/// All images in one file for `docker buildx bake`, which builds what others start from first, and the rest at once.
fn bake(plan: &Plan<'_, '_>, all: &[Target<'_, '_>]) -> String {
    let names: Vec<&str> = all.iter().map(|target| target.name).collect();
    let mut text = format!(
        "# {}\n# Build all images in the folder of the program:\n\
         #   docker buildx bake --file out/images/docker-bake.hcl --metadata-file images.json\n\n\
         group \"default\" {{\n  targets = {}\n}}\n",
        header(plan),
        list(&names)
    );
    for target in all {
        let source = target.image.source.value.as_ref();
        // bake looks for a Dockerfile from the context on.
        let steps = source.split('/').filter(|part| !matches!(*part, "" | "."));
        let up: String = steps.map(|_| "../").collect();
        let mut entries = vec![
            ("context", quoted(source)),
            (
                "dockerfile",
                quoted(&format!("{up}out/images/{}/Dockerfile", target.name)),
            ),
            ("tags", list(&[&target.reference])),
        ];
        if let Some(base) = target
            .image
            .from
            .and_then(|index| plan.program.images.get(index))
        {
            let from = (
                quoted(&base.reference()),
                quoted(&format!("target:{}", base.name.value)),
            );
            entries.push(("contexts", format!("{{ {} = {} }}", from.0, from.1)));
        }
        let width = entries.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let _ = write!(text, "\ntarget {} {{\n", quoted(target.name));
        for (key, value) in entries {
            let _ = writeln!(text, "  {key:width$} = {value}");
        }
        text.push_str("}\n");
    }
    text
}

/// A text as HCL quotes it; `${` and `%{` would begin a template.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

fn list(texts: &[&str]) -> String {
    format!(
        "[{}]",
        texts
            .iter()
            .map(|text| quoted(text))
            .collect::<Vec<_>>()
            .join(", ")
    )
}
