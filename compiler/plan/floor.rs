//! The least memory with which the runtime of an image was seen to answer.

use super::model::{LEAST_LIMIT, Plan};
use crate::base::quantity::Bytes;
use crate::base::span::Span;
use crate::program::{Given, Image, Program, Service};

/// The measured floor of a service's runtime, with its further workers.
pub(super) fn floor<'a>(program: &Program<'a>, service: &Service<'a>) -> Option<Given<'a, Bytes>> {
    let Image::Built(image) = &service.image else {
        return None;
    };
    let runtime = &program.runtimes[image.runtime];
    let mut floor = runtime.floor?;
    if let (Some(workers), Some(worker)) = (image.workers, runtime.worker) {
        let further = (workers.value - 1) * worker.value.n;
        floor.value = Bytes::new(floor.value.n + further);
    }
    Some(floor)
}

/// A container that keeps a limit of its manifest with which no container starts.
pub(crate) struct TooLow<'p> {
    /// The service.
    pub service: &'p str,
    /// The container.
    pub container: &'p str,
    /// Its limit, as written.
    pub limit: &'p str,
    /// The least with which one starts.
    pub least: Bytes,
    /// Where the limit stands.
    pub at: Span,
    /// The pattern that met its manifest.
    pub pattern: Span,
}

/// All of these that are to run. Limits that a rule gives are errors, where they are that low.
pub(crate) fn too_low<'p>(plan: &Plan<'p, '_>) -> Vec<TooLow<'p>> {
    let program = plan.program;
    let services = program.services.iter().zip(&plan.workloads);
    let adopted = services
        .filter(|(_, workload)| workload.peak() > 0)
        .filter_map(|(service, _)| Some((service, service.adopted.as_ref()?)));
    let all = adopted.flat_map(|(service, adopted)| {
        let manifest = &program.manifests[adopted.manifest];
        let pairs = adopted.object.containers.iter().zip(&adopted.containers);
        let kept = pairs.filter(|(_, held)| !held.sets_memory);
        kept.filter_map(move |(container, _)| {
            let limit = container.memory.limit.as_ref()?;
            (limit.n < LEAST_LIMIT.n).then(|| TooLow {
                service: service.name.value,
                container: &container.name,
                limit: limit.text.trim(),
                least: LEAST_LIMIT,
                at: manifest.span(&limit.at),
                pattern: manifest.pattern,
            })
        })
    });
    all.collect()
}
