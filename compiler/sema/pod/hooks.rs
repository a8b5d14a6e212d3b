//! What happens around the life of a pod: hooks, and how many pods may be taken away at once.

use super::errors;
use super::ports::port_number;
use crate::base::quantity::Millis;
use crate::program::{Dim, Disruption, HookAction, Port, Share};
use crate::sema::errors as general;
use crate::sema::layers::{Fields, whole_seconds};

/// The ways of a hook.
const WAYS: [&str; 3] = ["exec", "path", "sleep"];

/// `pre-stop { sleep = 5s }`. `grace` is how many seconds a pod has to end.
pub(crate) fn hook<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
    ports: &[Port<'a>],
    grace: u64,
) -> Option<HookAction<'a>> {
    let cx = fields.cx;
    let block = Fields::of_body(cx, key, fields.get(key)?)?;
    block.check_keys("hook");
    let mut given = WAYS.into_iter().filter_map(|way| block.get(way));
    let Some(way) = given.next() else {
        block.missing("exec, path or sleep", "pre-stop { sleep = 5s }");
        return None;
    };
    if let Some(second) = given.next() {
        cx.report(errors::hook_of_two(key, second.item.key.span));
        return None;
    }
    let place = way.origin.span.unwrap_or(block.span);
    match cx.key(way.item) {
        "exec" => {
            let command = block.command("exec")?;
            if command.is_empty() {
                cx.report(errors::hook_without_command(place));
            }
            Some(HookAction::Exec(command))
        }
        "sleep" => {
            let time = whole_seconds(&block, "sleep")?;
            // Kubernetes refuses others (pkg/apis/core/validation: `validateSleepAction`).
            if !(1000..=grace.saturating_mul(1000)).contains(&time.0) {
                cx.report(errors::sleep_beyond_grace(grace, place));
            }
            Some(HookAction::Sleep(Millis(time.0)))
        }
        _ => {
            let path = cx.string(way.value(cx)?)?;
            if !path.starts_with('/') {
                cx.report(errors::hook_path(&path, place));
            }
            let port = match block.get("port") {
                Some(field) => port_number(cx, field.value(cx)?)?.value,
                None => match ports.first() {
                    Some(port) => port.number.value,
                    None => {
                        cx.report(errors::hook_without_port(key, block.span));
                        return None;
                    }
                },
            };
            Some(HookAction::Http(path, port))
        }
    }
}

/// `disruption-budget { max-unavailable = 1 }` of a workload with so many pods at rest.
pub(crate) fn disruption(fields: &Fields<'_, '_>, pods: u64) -> Option<Disruption> {
    let cx = fields.cx;
    let key = "disruption-budget";
    let block = Fields::of_body(cx, key, fields.get(key)?)?;
    block.check_keys(key);
    let least = block.get("min-available");
    let field = match (least, block.get("max-unavailable")) {
        (Some(_), Some(second)) => {
            cx.report(errors::both_disruptions(second.item.key.span));
            return None;
        }
        (one, other) => one.or(other),
    };
    let Some(field) = field else {
        block.missing(
            "min-available or max-unavailable",
            "disruption-budget { max-unavailable = 1 }",
        );
        return None;
    };
    let value = field.value(cx)?;
    let number = cx.number(value)?;
    let share = match number.dim {
        Dim::Percent if number.n <= 100 => Share::Percent(number.n),
        Dim::Count if number.n <= u64::from(i32::MAX.unsigned_abs()) => Share::Pods(number.n),
        _ => {
            let range = "a number of pods, or 0% to 100%";
            cx.report(general::out_of_range(cx.key(field.item), range, value.span));
            return None;
        }
    };
    // Kubernetes rounds both up (pkg/controller/disruption: `getExpectedPodCount`).
    let amount = match share {
        Share::Pods(pods) => pods,
        Share::Percent(percent) => (percent * pods).div_ceil(100),
    };
    let stay = if least.is_some() {
        amount
    } else {
        pods.saturating_sub(amount)
    };
    if pods > 0 && stay >= pods {
        cx.report(errors::endless_drain(pods, value.span));
    }
    Some(match least {
        Some(_) => Disruption::MinAvailable(share),
        None => Disruption::MaxUnavailable(share),
    })
}
