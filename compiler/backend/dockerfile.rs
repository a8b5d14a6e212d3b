//! Images to be built: a Dockerfile and, beside it, the ignore file that BuildKit looks for there.

use std::collections::BTreeMap;

use super::template::fill;
use super::{Artifact, header};
use crate::plan::model::Plan;
use crate::sema::hir::{BuiltImage, Image, Service};
use crate::stdlib;

/// The name an image has until the program gives it one.
pub(super) fn image_name<'a>(service: &'a Service<'_>, image: &'a BuiltImage<'_>) -> String {
    match &image.name {
        Some(name) => name.to_string(),
        None => format!("{}:local", service.name.value),
    }
}

pub(super) fn emit(plan: &Plan<'_, '_>, files: &mut Vec<Artifact>) {
    for service in &plan.program.services {
        let Image::Built(image) = &service.image else { continue };
        let runtime = &plan.program.runtimes[image.runtime];
        let name = service.name.value;
        let folder = format!("images/{name}");
        let workers = image.workers.map_or(1, |workers| workers.value);
        let port = service.ports.first().map_or(8000, |port| port.number.value);
        let context = BTreeMap::from([
            ("header", header(plan)),
            ("service", name.to_owned()),
            ("name", image_name(service, image)),
            ("source", image.source.to_string()),
            ("path", format!("out/{folder}/Dockerfile")),
            ("base", image.base.as_deref().unwrap_or(runtime.base).to_owned()),
            ("app", image.app.as_ref().map_or(runtime.app, |app| app.value.as_ref()).to_owned()),
            ("port", port.to_string()),
            ("workers_args", if workers > 1 { format!(", \"--workers\", \"{workers}\"") } else { String::new() }),
            ("workers_reason", if workers > 1 { " a worker".to_owned() } else { String::new() }),
        ]);
        for (file, template) in [("Dockerfile", runtime.dockerfile), ("Dockerfile.dockerignore", runtime.ignore)] {
            let text = stdlib::template(template).unwrap_or_default();
            files.push((format!("{folder}/{file}"), fill(text, &context).into_bytes()));
        }
    }
}
