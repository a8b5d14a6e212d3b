//! Limits below what a container needs to run at all.

use crate::base::quantity::{Bytes, in_mib};
use crate::diag::Diagnostic;
use crate::plan::floor::floor;
use crate::program::{Component, Extra, Given, Giver, Image, Memory, Program, Service};
/// A limit below what its container needs to run at all.
pub(crate) fn below_floor(
    program: &Program<'_>,
    service: &Service<'_>,
    written: Given<'_, Bytes>,
    least: Given<'_, Bytes>,
    in_memory: u64,
) -> Diagnostic {
    let name = service.name.value;
    let message = format!(
        "`{name}` may have at most {}, and needs at least {}",
        written.value, least.value
    );
    let span = written.origin.span.unwrap_or(service.name.span);
    let mut error = Diagnostic::error("BZ4002", message).at(span, "the most it may have");
    if !matches!(written.origin.giver, Giver::Workload(_)) {
        error = error.also(service.name.span, "this service");
    }
    error = match (least.origin.span, floor(program, service)) {
        (Some(span), Some(_)) => {
            let (workers, each) = match &service.image {
                Image::Built(image) => {
                    let each = program.runtimes[image.runtime].worker;
                    (
                        image.workers.map_or(0, |workers| workers.value - 1),
                        each.map_or(0, |each| each.value.n),
                    )
                }
                Image::Name(_) => (0, 0),
            };
            let error = error.also(span, "the least at which it was seen to answer");
            match workers {
                0 => error,
                1 => error.note(format!("with a further worker, {}", Bytes::new(each))),
                n => error.note(format!(
                    "with {n} further workers, {} each",
                    Bytes::new(each)
                )),
            }
        }
        _ => error.note(
            "below 12Mi a container does not start: runc itself needs that before the program runs",
        ),
    };
    if let (Image::Built(image), Some(_)) = (&service.image, least.origin.span) {
        let leaner = program.runtimes[image.runtime].leaner.as_ref();
        error.notes.extend(leaner.map(ToString::to_string));
    }
    if in_memory > 0 {
        error = error.note(format!(
            "{} of it for volumes in memory, which are charged to the limit",
            in_mib(in_memory)
        ));
    }
    match service.memory {
        Memory::Range { low, high } if low.origin.span != high.origin.span => {
            error.guess("raise the upper end", span, least.value.to_string())
        }
        Memory::Range { .. } => error.guess("give it that much", span, least.value.to_string()),
        Memory::Burst { .. } => error.guess("raise the limit", span, least.value.to_string()),
    }
}

/// The same of a component that the program changes.
pub(crate) fn component_below_floor(
    component: &Component<'_>,
    limit: Given<'_, Bytes>,
    least: Bytes,
) -> Diagnostic {
    let message = format!(
        "`{}` may have at most {}, and no container starts below {least}",
        component.name, limit.value
    );
    let error = Diagnostic::error("BZ4002", message);
    match limit.origin.span.or(component.span) {
        Some(span) => error.at(span, "the most it may have").guess(
            "give it that much",
            span,
            least.to_string(),
        ),
        None => error,
    }
}

/// The same for a sidecar or an init container.
pub(crate) fn extra_below_floor(extra: &Extra<'_>, least: Bytes) -> Diagnostic {
    let message = format!(
        "`{}` may have {}, and no container starts below {least}",
        extra.name.value, extra.memory.value
    );
    let span = extra.memory.origin.span.unwrap_or(extra.name.span);
    Diagnostic::error("BZ4002", message)
        .at(span, "too little")
        .guess("give it that much", span, least.to_string())
}
