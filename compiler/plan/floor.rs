//! The least memory with which the runtime of an image was seen to answer.

use crate::base::quantity::Bytes;
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
