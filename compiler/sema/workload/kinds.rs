//! What one kind of workload has and the others have not: replicas, scale, runs, schedules.

use super::errors;
use crate::base::span::Span;
use crate::program::{Concurrency, Given, Kind, Origin, Run, Scale, Schedule, is_cron};
use crate::sema::errors as general;
use crate::sema::layers::{Fields, whole_seconds};
use crate::syntax::ast::ExprKind;

/// The kind of a workload, and how many pods it has at rest or, where it scales, at most.
pub(crate) fn kind<'a>(
    fields: &Fields<'_, 'a>,
    kind: &str,
    span: Span,
) -> Option<(Kind<'a>, Given<'a, u64>)> {
    let one = |rule: &'a str| Given {
        value: 1,
        origin: Origin::default(rule),
    };
    match kind {
        "daemon" => Some((Kind::DaemonSet, one("kubernetes.daemonset.pods"))),
        "job" => {
            let (run, pods) = run(fields, span);
            Some((Kind::Job(run), pods))
        }
        "cron" => {
            let (run, mut pods) = run(fields, span);
            let schedule = schedule(fields)?;
            if let Concurrency::Allow(runs) = schedule.concurrency {
                pods.value = pods.value.saturating_mul(runs);
                if pods.value > 100_000 {
                    fields.cx.report(general::out_of_range(
                        "parallelism times at-most",
                        "at most 100000",
                        span,
                    ));
                }
            }
            Some((Kind::CronJob(run, schedule), pods))
        }
        _ => {
            let replicas = count(fields, "replicas", 0, span);
            let scale = if kind == "service" {
                scale(fields)
            } else {
                None
            };
            if let (Some(scale), Some(replicas)) = (&scale, replicas) {
                let place = replicas.origin.span.unwrap_or(span);
                fields.cx.report(general::scale_and_replicas(
                    place,
                    scale.most.origin.span.unwrap_or(span),
                ));
            }
            let pods = match &scale {
                Some(scale) => scale.most,
                None => replicas.unwrap_or(one("kubernetes.deployment.replicas")),
            };
            Some((
                if kind == "stateful" {
                    Kind::StatefulSet
                } else {
                    Kind::Deployment(scale)
                },
                pods,
            ))
        }
    }
}

/// A count of pods, in bounds.
pub(crate) fn count<'a>(
    fields: &Fields<'_, 'a>,
    key: &'static str,
    least: u64,
    span: Span,
) -> Option<Given<'a, u64>> {
    let given = fields.count(key)?;
    if given.value > 100_000 || given.value < least {
        let range = format!("{least} to 100000");
        fields.cx.report(general::out_of_range(
            key,
            &range,
            given.origin.span.unwrap_or(span),
        ));
        return None;
    }
    Some(given)
}

/// `scale = 1..4`, or `scale { pods = 1..4  cpu = 70% }`.
pub(crate) fn scale<'a>(fields: &Fields<'_, 'a>) -> Option<Box<Scale<'a>>> {
    /// The default of `kubectl autoscale`.
    const CPU: u64 = 80;
    let cx = fields.cx;
    let field = fields.get("scale")?;
    let (pods, cpu) = if field.item.body.is_some() {
        let block = Fields::of_body(cx, "scale", field)?;
        block.check_keys("scale");
        let Some(pods) = block.get("pods") else {
            block.missing("pods", "pods = 1..4");
            return None;
        };
        let cpu = block.percent("cpu");
        if let Some((given, span)) = cpu.and_then(|given| Some((given, given.origin.span?)))
            && !(1..=100).contains(&given.value)
        {
            cx.report(general::out_of_range(
                "cpu",
                "1% to 100% of the request",
                span,
            ));
        }
        (pods, cpu.map_or(CPU, |given| given.value))
    } else {
        (field, CPU)
    };
    let expr = cx.resolve(pods.value(cx)?);
    let ExprKind::Range(ends) = &expr.kind else {
        if !matches!(expr.kind, ExprKind::Hole) {
            cx.report(general::malformed("scale", "scale = 1..4", expr.span));
        }
        return None;
    };
    let (least, most) = (cx.count(&ends.0)?, cx.count(&ends.1)?);
    if least == 0 || most > 100_000 {
        cx.report(general::out_of_range(
            "scale",
            "1 to 100000 pods",
            expr.span,
        ));
        return None;
    }
    if least > most {
        cx.report(errors::reversed_range(
            &least.to_string(),
            &most.to_string(),
            expr.span,
        ));
        return None;
    }
    if fields.get("cpu").is_none() {
        cx.report(errors::scale_without_cpu(field.item.key.span));
    }
    let origin = Origin {
        span: Some(ends.1.span),
        ..pods.origin
    };
    Some(Box::new(Scale {
        least,
        most: Given {
            value: most,
            origin,
        },
        cpu,
    }))
}

/// How a job runs, and how many of its pods there are at once.
pub(crate) fn run<'a>(fields: &Fields<'_, 'a>, span: Span) -> (Run, Given<'a, u64>) {
    let default = Given {
        value: 1,
        origin: Origin::default("kubernetes.job.parallelism"),
    };
    let parallelism = count(fields, "parallelism", 1, span).unwrap_or(default);
    let mut parallelism = parallelism;
    let completions =
        count(fields, "completions", 1, span).map_or(parallelism.value, |given| given.value);
    // Kubernetes starts no more pods than are still to succeed.
    parallelism.value = parallelism.value.min(completions);
    let retries = count(fields, "retries", 0, span).map(|given| given.value);
    let deadline = whole_seconds(fields, "deadline");
    (
        Run {
            parallelism: parallelism.value,
            completions,
            retries,
            deadline,
        },
        parallelism,
    )
}

/// When a CronJob runs, and what bounds the runs that overlap.
pub(crate) fn schedule<'a>(fields: &Fields<'_, 'a>) -> Option<Box<Schedule<'a>>> {
    let cx = fields.cx;
    let Some(cron) = fields.string("schedule") else {
        if !fields.has("schedule") {
            fields.missing("schedule", "schedule = \"*/15 * * * *\"");
        }
        return None;
    };
    if !is_cron(&cron.value) {
        cx.report(errors::not_a_schedule(
            &cron.value,
            cron.origin.span.unwrap_or(fields.span),
        ));
    }
    let at_most = count(fields, "at-most", 1, fields.span);
    let mut concurrency = Concurrency::Forbid;
    if let Some(given) = fields.name("concurrency") {
        let place = given.origin.span.unwrap_or(fields.span);
        concurrency = match (given.value, at_most) {
            ("forbid", _) => Concurrency::Forbid,
            ("replace", _) => Concurrency::Replace,
            ("allow", Some(runs)) => Concurrency::Allow(runs.value),
            ("allow", None) => {
                cx.report(errors::unbounded_cron(place));
                return None;
            }
            (other, _) => {
                cx.report(general::not_one_of(
                    "concurrency",
                    other,
                    place,
                    &["forbid", "replace", "allow"],
                ));
                return None;
            }
        };
    }
    if let (Some(runs), Concurrency::Forbid | Concurrency::Replace) = (at_most, concurrency) {
        cx.report(general::bound_without_allow(
            runs.origin.span.unwrap_or(fields.span),
        ));
    }
    Some(Box::new(Schedule {
        cron: cron.value,
        concurrency,
    }))
}
