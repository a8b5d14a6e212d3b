//! What was measured, in words: the common safety factor, what ranges grow by, and the readings behind the limits of a
//! service.

use crate::base::quantity::in_mib;
use crate::plan::model::{Choice, Draft, Plan, Promise, Verdict, Workload};
use crate::plan::sufficiency::{self, times};
use crate::program::{Program, Service};

/// The common safety factor, where all services were measured.
pub(super) fn margin(plan: &Plan<'_, '_>) -> String {
    let mut theorems = plan.theorems.iter();
    let proved = theorems.any(|theorem| {
        theorem.promise == Promise::Sufficiency && theorem.verdict == Verdict::Proved
    });
    match sufficiency::safety(plan).filter(|_| proved) {
        Some(factor) => format!(
            "; every service has at least {} times its measured peak",
            times(factor)
        ),
        None => String::new(),
    }
}

/// What ranges grow in proportion to.
pub(super) fn share(plan: &Draft<'_, '_>) -> &'static str {
    let ranges = || { plan.workloads.iter() }.filter(|one| one.choice == Choice::Level);
    let measured = ranges().filter(|one| one.main_measured.is_some()).count();
    match measured {
        0 => "its least",
        n if n == ranges().count() => "its measured peak",
        _ => "its measured peak, its least where nothing was measured",
    }
}

/// The readings behind what is said of the limits of a service, and the verdict that they give.
pub(super) fn readings(
    program: &Program<'_>,
    service: &Service<'_>,
    workload: &Workload<'_>,
) -> Vec<(String, String)> {
    let Some(measured) = &program.evidence else {
        return Vec::new();
    };
    let needs = sufficiency::needs(program, service, workload);
    let mut rows = Vec::new();
    for need in &needs {
        let name = match need.container == service.name.value {
            true => String::new(),
            false => format!("`{}`: ", need.container),
        };
        let bounds = [
            (need.lower(), need.known.lower, "at least"),
            (need.upper(), need.known.upper, "measured with"),
        ];
        for (bound, read, what) in bounds {
            if let (Some(bytes), Some((origin, reading))) = (bound, read) {
                let how = origin.how.words();
                let text = format!("{name}{what} {}: {how}, {}", in_mib(bytes), reading.last);
                rows.push((text, measured.file.to_string()));
            }
        }
        if let Some(why) = need.why(service.name.value) {
            rows.push((why, String::new()));
        }
    }
    let verdict = sufficiency::of_service(&needs);
    let text = format!("whether that is enough: {}", verdict.word());
    rows.push((text, "rule proof.sufficiency".to_owned()));
    rows
}
