//! Lints about the whole program or its plan, and the comments that allow a lint. Lints about one declaration are
//! reported by its reader in `sema`.

mod sizes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::quantity::{Bytes, MIB};
use crate::base::secret::is_secret;
use crate::base::source::SourceMap;
use crate::base::span::Span;
use crate::diag::lints::LINTS;
use crate::diag::{Diagnostic, Severity};
use crate::layout::Language;
use crate::plan::beyond::Found;
use crate::plan::{self, model::Plan};
use crate::program::{
    Component, EPHEMERAL, EnvValue, Giver, Image, Kind, LOCAL_STORAGE, Node, Param, ProbeAction,
    Program, SettingValue,
};
use crate::stdlib::{self, Heavy};
use crate::syntax::ast::File;

/// Below this limit, in Mi, a library that is known to be large and was not measured gets a warning.
const UNMEASURED: u64 = 256;

/// Adds the findings about a program that compiles.
pub(crate) fn run(program: &Program<'_>, plan: Option<&Plan<'_, '_>>, found: &mut Vec<Diagnostic>) {
    if let Some(plan) = plan {
        below_calm(plan, found);
        past_limit(plan, found);
        sizes::settings(plan, found);
        sizes::cuts(plan, found);
        sizes::insufficient(plan, found);
        heavy(plan, found);
        low_limit(plan, found);
        uncounted_part(plan, found);
        found.extend(plan::admission::judged(plan).waits);
        found.extend(plan::limits_together(plan));
    }
    for node in &program.nodes {
        if node.reserve.is_none() {
            let lint = Diagnostic::lint(
                "missing-reserve",
                format!("node `{}` has no `reserve`", node.name.value),
            );
            found.push(lint.at(node.name.span, "isolation stays unknown").help(
                "give what the OS and everything except K3s takes: `free -m` before K3s is started, plus a margin",
            ));
        }
    }
    let servers = program.servers().count();
    if let (Some(span), Some(wanted)) = (
        program.survive.and_then(|survive| survive.origin.span),
        program.servers_wanted(),
    ) {
        let has = if servers == 1 {
            "one server".to_owned()
        } else {
            format!("{servers} servers")
        };
        let lint = Diagnostic::lint(
            "single-server",
            format!("the cluster has {has}, and must survive the loss of a node"),
        );
        found.push(lint.at(span, "survival stays unknown").note(format!(
            "without its server, running pods go on, but no pod is scheduled again: {wanted} servers survive the loss of one",
        )));
    }
    packages(program, found);
    plain_secrets(program, found);
    let server = program.servers().next().is_some();
    let metrics = program
        .components
        .iter()
        .any(|component| component.name == "metrics-server");
    for service in &program.services {
        if let (Kind::Deployment(Some(scale)), true, false) = (&service.kind, server, metrics) {
            let message = format!(
                "`{}` scales by its use of CPU, and metrics-server is disabled",
                service.name.value
            );
            let lint = Diagnostic::lint("scale-without-metrics", message)
                .help("leave `metrics-server` out of `disable`, or give a number of `replicas`");
            let place = scale.most.origin.span.unwrap_or(service.name.span);
            found.push(lint.at(place, "stays at its minimum, because nothing measures CPU"));
        }
        // The images of adopted workloads are chosen by whoever writes their manifests.
        if service.adopted.is_some() {
            continue;
        }
        let main = match &service.image {
            Image::Name(name) => Some((service.name.value, name)),
            Image::Built(_) => None,
        };
        let extras = service
            .extras
            .iter()
            .map(|extra| (extra.name.value, &extra.image));
        for (of, image) in main.into_iter().chain(extras) {
            let Some(why) = unpinned(&image.value) else {
                continue;
            };
            let lint = Diagnostic::lint("unpinned-image", format!("the image of `{of}` {why}"));
            let lint = lint.at(
                image.span,
                "what it names can change, and so can its memory",
            );
            found.push(lint.help("name a version, or a digest"));
        }
        if let Image::Built(image) = &service.image
            && let Some((port, file)) = &image.layout.listens
            && !service.ports.is_empty()
            && service
                .ports
                .iter()
                .all(|given| given.number.value != *port)
        {
            let (name, given) = (service.name.value, service.ports[0].number);
            let message = format!(
                "`{name}` has port {}, and listens on {port} ({file})",
                given.value
            );
            let lint =
                Diagnostic::lint("port-mismatch", message).at(given.span, "nothing listens there");
            found.push(lint.fix(
                "the port that its source names",
                given.span,
                port.to_string(),
            ));
        }
        for probe in &service.pod.probes {
            if let ProbeAction::Exec(_, span) = probe.action {
                let message = format!(
                    "a probe of `{}` runs a command inside its memory limit",
                    service.name.value
                );
                found.push(
                    Diagnostic::lint("exec-probe", message)
                        .at(span, "counts against the limit")
                        .note("`python -c` with urllib takes 15Mi (measured); an HTTP or TCP probe takes nothing"),
                );
            }
        }
    }
}

/// The lowest peak of a server's K3s that was measured under load: anonymous memory with 3 services after rollouts,
/// Traefik disabled (K3s 1.36.3; 291 MiB without load).
const K3S_PEAK: Bytes = Bytes::mib(390);
/// What `ps` shows of K3s: anonymous memory and some 214 MiB of the pages of its program (the same measurements).
const K3S_RSS: std::ops::RangeInclusive<Bytes> = Bytes::mib(477)..=Bytes::mib(634);

/// Warns of figures for the K3s process that were read from the wrong number.
fn process(program: &Program<'_>, found: &mut Vec<Diagnostic>) {
    let traefik = program.runs("traefik");
    let mut reported = None;
    for node in program.servers() {
        let given = node.process.memory;
        let Some(span) = given
            .origin
            .span
            .filter(|_| given.origin.giver != Giver::Library)
        else {
            continue;
        };
        if reported == Some(span) {
            continue;
        }
        reported = Some(span);
        let measured = given.value.n % Bytes::mib(10).n != 0;
        let lint = |message: String, label: &str| {
            Diagnostic::lint("k3s-memory", message).at(span, label).help(
                "take the peak of `RssAnon` in /proc/PID/status of k3s, over some rollouts: `bzc explain k3s-memory`",
            )
        };
        if given.value < K3S_PEAK {
            let message = format!(
                "K3s of a server takes more than {} at its peak",
                given.value
            );
            found.push(lint(
                message,
                "a server without Traefik was measured at 390Mi after rollouts",
            ));
        } else if K3S_RSS.contains(&given.value) && measured && !traefik {
            let message = format!("{} looks like what `ps` shows of K3s", given.value);
            found.push(lint(message, "that has some 214Mi of file pages in it"));
        }
    }
}

/// Warns about packaged components and K3s settings.
fn packages(program: &Program<'_>, found: &mut Vec<Diagnostic>) {
    process(program, found);
    let local = program.runs(LOCAL_STORAGE);
    if let Some(node) = program.servers().find(|node| {
        matches!(
            node.setting("disable-kube-proxy"),
            Some(SettingValue::Bool(true))
        )
    }) && local
    {
        let message = "without kube-proxy the local path provisioner starts again and again";
        let lint = Diagnostic::lint("no-kube-proxy", message.to_owned())
            .at(node.name.span, "its K3s has `disable-kube-proxy`")
            .note("it finds the API server by the address of a Service, which nothing answers")
            .help("disable `local-storage` too, or run a replacement of kube-proxy and allow this");
        found.push(lint);
    }
    let says = |node: &Node<'_>| match node.setting("kubelet-arg") {
        Some(SettingValue::Arguments(all)) => {
            all.iter().any(|(name, _)| name.value == "fail-cgroupv1")
        }
        _ => false,
    };
    if let (Some(version), true) = (
        program.k3s.version,
        program
            .k3s
            .release
            .is_some_and(|release| (35..=program.k3s.minor).contains(&release.minor)),
    ) && let Some(span) = version.origin.span
        && !program.nodes.iter().all(says)
    {
        let message = format!(
            "with {} the kubelet does not start on cgroup v1",
            version.value
        );
        let lint = Diagnostic::lint("cgroup-v1", message)
            .at(span, "from 1.35 on `fail-cgroupv1` is true")
            .note("`stat -fc %T /sys/fs/cgroup` prints `cgroup2fs` on a machine with cgroup v2")
            .help("confirm it with `kubelet-arg { fail-cgroupv1 = true }`, or write `false` until the machine has cgroup v2");
        found.push(lint);
    }
    let writes = |component: &&Component<'_>| {
        component.name == "coredns" && component.owned && component.image.is_none()
    };
    let k3s = &program.k3s;
    if let (Some(version), true) = (k3s.version, program.components.iter().any(|c| writes(&c)))
        && let Some(coredns) = stdlib::coredns(k3s.minor, k3s.release)
        && !coredns.known
        && k3s
            .release
            .is_some_and(|release| release.minor == k3s.minor)
        && let Some(span) = version.origin.span
    {
        let message = format!("it is not known which CoreDNS {} packages", version.value);
        found.push(
            Diagnostic::lint("unknown-coredns", message)
                .at(span, format!("assumed to be {}, that of the release before", coredns.tag))
                .help("give the image that it has: `component coredns { image = \"rancher/mirrored-coredns-coredns:..\" }`"),
        );
    }
}

/// Warns of limits in manifests with which no container starts.
fn low_limit(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    for one in plan::floor::too_low(plan) {
        let message = format!(
            "`{}` of `{}` may have at most `{}`, and no container starts below {}",
            one.container, one.service, one.limit, one.least
        );
        let lint = Diagnostic::lint("low-limit", message).at(one.pattern, "of these manifests");
        let lint = lint.also(one.at, "the most it may have");
        found.push(lint.help(format!("give it {} or more", one.least)));
    }
}

/// Warns of what adopted pods ask for or are given that no sum holds: once for each such thing.
fn uncounted_part(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    let mut alike: BTreeMap<&str, Vec<Found<'_>>> = BTreeMap::new();
    for one in plan::beyond::found(plan) {
        alike.entry(&one.beyond.what).or_default().push(one);
    }
    for (what, all) in alike {
        let Some(first) = all.first() else { continue };
        let services: BTreeSet<&str> = all.iter().map(|one| one.service).collect();
        let more = match services.len() {
            0 | 1 => String::new(),
            2 => "; so does one more".to_owned(),
            n => format!("; so do {} more", n - 1),
        };
        let message = format!("`{}` {what}{more}", first.service);
        let place = first.manifest.span(&first.beyond.at);
        let lint = Diagnostic::lint("uncounted-part", message);
        let lint = lint.at(first.manifest.pattern, "of these manifests");
        let unknown = match first.beyond.takes_memory {
            true => "non-interference and liveness are unknown for it",
            false => "liveness is unknown for it",
        };
        let lint = lint.also(place, "here").note(unknown);
        found.push(match first.beyond.resource.as_deref() {
            None => lint,
            Some(EPHEMERAL) => lint.help("say how large the disk of each node is: `disk = 40Gi`"),
            Some(device) if !device.contains('/') => lint,
            Some(device) => lint.help(format!(
                "say which node has it: `devices {{ \"{device}\" = 1 }}`"
            )),
        });
    }
}

/// Warns of limits between the floor of a runtime and its calm limit.
fn below_calm(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let Image::Built(image) = &service.image else {
            continue;
        };
        let runtime = &plan.program.runtimes[image.runtime];
        let Some(mut calm) = runtime.calm else {
            continue;
        };
        if let (Some(workers), Some(worker)) =
            (image.workers, runtime.worker_calm.or(runtime.worker))
        {
            calm.value = Bytes::new(calm.value.n + (workers.value.max(1) - 1) * worker.value.n);
        }
        if workload.limit >= calm.value {
            continue;
        }
        let message = format!(
            "`{}` has {}, and {} is calm from {}",
            service.name.value, workload.limit, runtime.name, calm.value
        );
        let mut lint = Diagnostic::lint("below-calm", message).at(
            service.name.span,
            "answers, slowly, by reading its own pages again and again",
        );
        if let Some(span) = calm.origin.span {
            lint = lint.also(span, "measured");
        }
        if let Some(leaner) = &runtime.leaner {
            lint = lint.note(leaner.to_string());
        }
        lint = lint.help(would_do(calm.value));
        found.push(lint);
    }
}

/// Warns of programs that may take more memory than their limit: a heap of 64Mi in a container of 48Mi.
fn past_limit(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let Image::Built(image) = &service.image else {
            continue;
        };
        for (name, value) in &image.values {
            let Param::Memory(bytes) = value else {
                continue;
            };
            if *bytes < workload.limit {
                continue;
            }
            let name = name.replace('_', "-");
            let message = format!(
                "`{}` has {}, and its `{name}` ends at {bytes}",
                service.name.value, workload.limit
            );
            found.push(
                Diagnostic::lint("past-limit", message)
                    .at(
                        image.source.span,
                        "the kernel ends it before it reaches that",
                    )
                    .help(format!(
                        "leave room for the rest of the container: less than {}",
                        workload.limit
                    )),
            );
        }
    }
}

/// Warns of libraries that leave no room in the limit, with what importing each takes.
fn heavy(plan: &Plan<'_, '_>, found: &mut Vec<Diagnostic>) {
    for (service, workload) in plan.program.services.iter().zip(&plan.workloads) {
        let Image::Built(image) = &service.image else {
            continue;
        };
        let Some(libraries) = &image.layout.libraries else {
            continue;
        };
        let runtime = &plan.program.runtimes[image.runtime];
        let language = match runtime.language {
            Language::Python => "python",
            Language::Node => "node",
            Language::Java => "java",
            _ => continue,
        };
        let has = |name: &str| libraries.names.contains(name);
        let all: Vec<Heavy> = stdlib::heavy()
            .filter(|row| row.language == language && has(row.library))
            .collect();
        let brought = |row: &Heavy| {
            all.iter().any(|other| {
                other.adds.is_some() && other.brings.split(',').any(|name| name == row.library)
            })
        };
        let counted: Vec<&Heavy> = all.iter().filter(|row| !brought(row)).collect();
        let more: u64 = counted
            .iter()
            .filter_map(|row| row.adds)
            .map(|(_, calm)| calm)
            .sum();
        let base = runtime.calm.map_or(0, |calm| calm.value.n);
        let needed = Bytes::new(base + more * MIB);
        let unmeasured =
            counted.iter().any(|row| row.adds.is_none()) && workload.limit < Bytes::mib(UNMEASURED);
        if counted.is_empty() || (workload.limit >= needed && !unmeasured) {
            continue;
        }
        let names: Vec<String> = counted
            .iter()
            .map(|row| format!("`{}`", row.library))
            .collect();
        let (name, limit) = (service.name.value, workload.limit);
        let message = match more {
            0 => format!("`{name}` has {limit}, and imports {}", names.join(", ")),
            _ => format!(
                "`{name}` has {limit}, and {} with {} is calm from {needed}",
                runtime.name,
                names.join(", ")
            ),
        };
        let mut lint = Diagnostic::lint("heavy-library", message)
            .at(image.source.span, format!("by {}", libraries.from));
        for row in counted {
            lint = lint.note(match (row.adds, row.measured) {
                (Some((_, calm)), Some(measured)) => {
                    format!(
                        "`{}` takes {calm}Mi more (measured: {measured})",
                        row.library
                    )
                }
                _ => format!(
                    "`{}` was not measured: `bzc` cannot say what it takes",
                    row.library
                ),
            });
        }
        found.push(match more {
            0 => lint.help("measure it under its limit before trusting it"),
            _ => lint.help(would_do(needed)),
        });
    }
}

/// A help that names an amount, and the smallest tier with room for it.
fn would_do(needed: Bytes) -> String {
    match stdlib::tiers().find(|(_, most)| Bytes::mib(*most) >= needed) {
        Some((tier, most)) => {
            format!("give it {needed}; tier `{tier}` of `std.tiers` has up to {most}Mi")
        }
        None => format!("give it {needed}"),
    }
}

fn unpinned(name: &str) -> Option<&'static str> {
    if name.contains("@sha256:") {
        return None;
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        None => Some("has no tag"),
        Some((_, "latest")) => Some("is tagged `latest`"),
        Some(_) => None,
    }
}

/// Variables whose texts look like passwords or keys: they end up in the output, and in git.
fn plain_secrets(program: &Program<'_>, found: &mut Vec<Diagnostic>) {
    let mut places = BTreeSet::new();
    for service in &program.services {
        let extras = service.extras.iter().flat_map(|extra| &extra.env);
        for (name, value) in service.pod.env.iter().chain(extras) {
            let EnvValue::Text(text) = value else {
                continue;
            };
            // A text that takes another variable in holds no secret itself.
            let is_plain = is_secret(name.value, text) && !text.contains("$(");
            if is_plain && places.insert(name.span) {
                let lint = Diagnostic::lint(
                    "plain-secret",
                    format!(
                        "`{}` looks like a secret, and stands in plain text",
                        name.value
                    ),
                );
                found.push(lint.at(name.span, "everybody who reads the program or its output has it").help(
                    "write it into a file that stays out of git, `secret NAME { from = \"secrets/NAME.env\" }`, and \
                     `secret NAME/KEY` here",
                ));
            }
        }
    }
}

/// `# bzc: allow(name) because reason`.
struct Allow<'s> {
    name: &'s str,
    reason: &'s str,
    span: Span,
    line: usize,
    used: bool,
}

/// Removes the warnings that the program allows, and reports allowances that are wrong or allow nothing.
pub(crate) fn apply_allows(files: &[Arc<File>], sources: &SourceMap, found: &mut Vec<Diagnostic>) {
    let mut allows: Vec<Allow<'_>> = Vec::new();
    for file in files {
        for comment in &file.comments {
            let span = comment.span(file.id);
            let text = sources.text(span).trim_start_matches('#').trim();
            let Some(rest) = text
                .strip_prefix("bzc:")
                .map(str::trim)
                .and_then(|rest| rest.strip_prefix("allow("))
            else {
                continue;
            };
            let (name, after) = rest.split_once(')').unwrap_or((rest, ""));
            let reason = after.trim().strip_prefix("because").map_or("", str::trim);
            let (line, _) = sources.line_col(file.id, span.start);
            // A comment on a line of its own is about the next line.
            let line = if comment.first_on_line {
                line + 1
            } else {
                line
            };
            allows.push(Allow {
                name: name.trim(),
                reason,
                span,
                line,
                used: false,
            });
        }
    }
    if allows.is_empty() {
        return;
    }
    found.retain(|diagnostic| {
        let (Severity::Warning, Some(label)) = (diagnostic.severity, &diagnostic.primary) else {
            return true;
        };
        let (line, _) = sources.line_col(label.span.file, label.span.start);
        let allow = allows.iter_mut().find(|allow| {
            allow.name == diagnostic.id
                && allow.line == line
                && allow.span.file == label.span.file
                && !allow.reason.is_empty()
        });
        match allow {
            Some(allow) => {
                allow.used = true;
                false
            }
            None => true,
        }
    });
    // If errors stopped the plan, its lints are missing, so an allowance may look stale.
    let complete = !found.iter().any(Diagnostic::is_error);
    for allow in allows {
        let stale = |message: String| Diagnostic::lint("stale-allow", message).at(allow.span, "");
        if !LINTS.iter().any(|lint| lint.name == allow.name) {
            found.push(stale(format!("no lint is called `{}`", allow.name)));
        } else if allow.reason.is_empty() {
            found.push(stale(format!(
                "`allow({})` needs a reason: `because ..`",
                allow.name
            )));
        } else if !allow.used && complete {
            found.push(stale(format!(
                "`allow({})` allows nothing here",
                allow.name
            )));
        }
    }
}
