//! Lints about amounts that contradict each other: a program that its own settings allow more than the limit of its
//! container, a container that is cut to a small part of what its manifest requests, and a limit below what was in use.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::base::quantity::{Bytes, MIB};
use crate::base::span::{Span, Spanned};
use crate::diag::Diagnostic;
use crate::plan::model::{Plan, Verdict};
use crate::plan::sufficiency::{PAUSE, needs};
use crate::program::{EnvValue, Memory, Service};
use crate::stdlib::{self, MemorySetting};

/// What a setting that was found in a text says.
struct Said<'t> {
    /// The setting with its number, as written.
    text: &'t str,
    /// What it bounds.
    what: &'static str,
    bytes: u64,
}

/// The amount of a setting at the beginning of a text, and how many bytes of it that is.
fn amount(text: &str, setting: &MemorySetting) -> Option<(u64, usize)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let rest = &text[digits..];
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let unit = match rest[..letters].to_ascii_lowercase().as_str() {
        "" => setting.unit,
        "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    Some((number.checked_mul(unit)?, digits + letters))
}

/// The first setting in a text that allows a container of this limit all of it or more. A setting begins where a word does.
fn past<'t>(text: &'t str, limit: Bytes, settings: &[MemorySetting]) -> Option<Said<'t>> {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut before = None;
    text.char_indices().find_map(|(at, first)| {
        let begins = !before.is_some_and(is_inside);
        before = u8::try_from(first).ok();
        if !begins {
            return None;
        }
        settings.iter().find_map(|setting| {
            let (bytes, length) = amount(text[at..].strip_prefix(setting.name)?, setting)?;
            (bytes >= limit.n).then(|| Said {
                text: &text[at..at + setting.name.len() + length],
                what: setting.what,
                bytes,
            })
        })
    })
}

/// A container as far as its settings go: name, limit, variables, command and arguments.
struct Contained<'p, 'a> {
    name: Spanned<&'a str>,
    limit: Bytes,
    env: &'p [(Spanned<&'a str>, EnvValue<'a>)],
    words: [&'p [Cow<'a, str>]; 2],
}

/// Warns of programs whose settings allow them the limit of their container, or more.
pub(super) fn settings(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    let settings: Vec<MemorySetting> = stdlib::memory_settings().collect();
    let mut text = String::new();
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let main = Contained {
            name: service.name,
            limit: workload.limit,
            env: &service.pod.env,
            words: [&service.pod.command, &service.pod.args],
        };
        let extras = service.extras.iter().map(|extra| Contained {
            name: extra.name,
            limit: extra.memory.value,
            env: &extra.env,
            words: [&extra.command, &extra.args],
        });
        for container in [main].into_iter().chain(extras) {
            let mut check = |text: &str, span| {
                if let Some(said) = past(text, container.limit, &settings) {
                    found.push(setting(&container, &said, span));
                }
            };
            for (name, value) in container.env {
                if let EnvValue::Text(value) = value {
                    text.clear();
                    text.extend([name.value, "=", value]);
                    check(&text, name.span);
                }
            }
            text.clear();
            for word in container.words.into_iter().flatten() {
                text.extend([" ", word]);
            }
            check(&text, container.name.span);
        }
    }
}

fn setting(container: &Contained<'_, '_>, said: &Said<'_>, span: Span) -> Diagnostic {
    let (name, limit) = (container.name.value, container.limit);
    let message = format!(
        "`{name}` has {limit}, and `{}` allows {} {}",
        said.text,
        said.what,
        Bytes::new(said.bytes)
    );
    Diagnostic::lint("past-limit", message)
        .at(span, "the kernel ends it before it reaches that")
        .help(format!(
            "leave room for the rest of the container: less than {limit}, or give `{name}` more"
        ))
}

/// A limit below so small a part of what its manifest requests is a large cut.
const LARGE_CUT: u64 = 4;

/// A container that is cut: its name with its workload, before and now.
struct Cut {
    name: String,
    before: Bytes,
    now: Bytes,
}

/// Warns of rules that cut containers to a small part of what their manifests request.
pub(super) fn cuts(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    let mut rules: BTreeMap<Span, Vec<Cut>> = BTreeMap::new();
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        for (span, cut) in cuts_of(service, workload.limit) {
            rules.entry(span).or_default().push(cut);
        }
    }
    for (span, mut all) in rules {
        // The deepest cut first.
        all.sort_by_key(|cut| cut.now.n.saturating_mul(1000) / cut.before.n.max(1));
        let Some(first) = all.first() else { continue };
        let more = match all.len() {
            1 => String::new(),
            2 => ", and cuts one more as much".to_owned(),
            n => format!(", and cuts {} more as much", n - 1),
        };
        let message = format!(
            "`{}` requests {} in its manifest, and is cut to {}",
            first.name, first.before, first.now
        );
        found.push(
            Diagnostic::lint("large-cut", message)
                .at(span, format!("cuts it to less than a quarter{more}"))
                .help("make sure that it runs with that, or give it more; what a manifest requests may be a guess too"),
        );
    }
}

fn cuts_of(service: &Service<'_>, limit: Bytes) -> Vec<(Span, Cut)> {
    let Some(adopted) = &service.adopted else {
        return Vec::new();
    };
    let pairs = adopted.object.containers.iter().zip(&adopted.containers);
    let cut = pairs.filter(|(_, held)| held.sets_memory);
    let cuts = cut.filter_map(|(container, held)| {
        // A limit alone is only what a container must not exceed.
        let before = container.memory.request.as_ref()?;
        let (now, span) = match held.extra {
            Some(extra) => {
                let extra = &service.extras[extra];
                (extra.memory.value, extra.memory.origin.span?)
            }
            None => match service.memory {
                Memory::Range { high, .. } => (limit, high.origin.span?),
                Memory::Burst { limit: given, .. } => (limit, given.origin.span?),
            },
        };
        let name = format!("{}/{}", service.name.value, container.name);
        let cut = Cut {
            name,
            before: Bytes::new(before.n),
            now,
        };
        (now.n.saturating_mul(LARGE_CUT) < before.n).then_some((span, cut))
    });
    cuts.collect()
}

/// Warns of limits that readings are against.
pub(super) fn insufficient(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    if plan.program.evidence.is_none() {
        return;
    }
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        if workload.peak() == 0 {
            continue;
        }
        for need in needs(plan.program, service, workload) {
            let why = need.why(service.name.value);
            if let (Verdict::Refuted, Some(why)) = (need.verdict(), why) {
                let most = need.lower().max(need.upper()).unwrap_or(0);
                let enough = most.saturating_add(need.in_memory).saturating_add(PAUSE);
                let enough = Bytes::new(enough.next_multiple_of(MIB));
                let lint = Diagnostic::lint("insufficient", why)
                    .at(service.name.span, "was seen to need more")
                    .help(format!(
                        "give it {enough} at the least, and more than that for other loads"
                    ));
                found.push(lint);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::past;
    use crate::base::quantity::Bytes;
    use crate::stdlib;

    #[test]
    fn settings_are_read_with_their_units() {
        let all = [
            ("JAVA_TOOL_OPTIONS=-Xmx512m -Xss1m", Some(512)),
            ("java -Xmx32m -jar app.jar", None),
            ("NODE_OPTIONS=--max-old-space-size=512", Some(512)),
            ("GOMEMLIMIT=512MiB", Some(512)),
            ("OTHER_GOMEMLIMIT=512MiB", None),
            ("redis-server --maxmemory 512mb --save ", Some(512)),
            ("redis-server --maxmemory-policy allkeys-lru", None),
            ("-c shared_buffers=512MB", Some(512)),
            ("-c shared_buffers=16384", Some(128)),
            ("-c shared_buffers=99999999999999999999", None),
            ("GOMEMLIMIT=off", None),
        ];
        let settings: Vec<_> = stdlib::memory_settings().collect();
        for (text, wanted) in all {
            let said = past(text, Bytes::mib(64), &settings).map(|said| said.bytes >> 20);
            assert_eq!(said, wanted, "{text}");
        }
    }
}
