//! The faults that the reader of the parent module reports: one function a fault.

use std::ops::RangeInclusive;

use crate::base::quantity::Bytes;
use crate::base::span::Span;
use crate::diag::Diagnostic;
use crate::program::Given;
use crate::schema;
use crate::sema::errors::{in_bz, or_nearest};
use crate::stdlib::{ArgumentRule, Flag};

pub(crate) fn overcommit_below_all(value: u64, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3007",
        format!("an overcommit of {value}% is less than what there is"),
    )
    .at(span, "must be 100% or more")
    .help("to keep memory free, write `expect NODE.free >= ..`")
}

pub(crate) fn number_for_text(key: &str, text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3009",
        format!("`{key}` is a text to K3s, and this is a number"),
    )
    .at(span, "expected a text")
    .fix(
        "texts stand between double quotes",
        span,
        format!("\"{text}\""),
    )
}

pub(crate) fn unknown_flag(key: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ5002", format!("K3s has no key `{key}`")).at(
        span,
        "K3s would skip it with a warning, and nothing would happen",
    );
    if let Some(word) = schema::word("k3s", key) {
        return in_bz(error, word, span);
    }
    let of_component = crate::stdlib::arguments().find(|row| row.name == key);
    match (key, of_component) {
        ("eviction-hard" | "max-pods", _) => error.help(format!("`{key}` is a field of the node")),
        (_, Some(row)) => {
            let block = format!("{}-arg {{ {key} = .. }}", row.component);
            error.help(format!("it is an argument of {}: `{block}`", row.component))
        }
        (_, None) => or_nearest(error, near, span),
    }
}

pub(crate) fn removed_flag(flag: &Flag, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5003", format!("`{}` was removed from K3s", flag.key))
        .at(span, "gone")
        .note(flag.meaning)
}

pub(crate) fn flag_too_new(flag: &Flag, since: u32, minor: u32, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5004", format!("K3s 1.{minor} has no key `{}`", flag.key))
        .at(span, format!("came with 1.{since}"))
        .note(flag.meaning)
}

pub(crate) fn flag_of_other_role(flag: &Flag, role: &str, span: Span) -> Diagnostic {
    let consequence = match role {
        "agent" => "an agent would not start with it",
        _ => "a server would skip it",
    };
    Diagnostic::error(
        "BZ5005",
        format!("`{}` is not a key of a K3s {role}", flag.key),
    )
    .at(span, consequence)
}

pub(crate) fn computed_argument(name: &str, instead: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5006", format!("`{name}` is what bzc computes"))
        .at(span, "a number written here would not be proved")
        .help(instead)
}

pub(crate) fn component_disabled(name: &str, span: Span, off: Span) -> Diagnostic {
    Diagnostic::error("BZ5007", format!("component `{name}` is disabled"))
        .at(span, "changed here")
        .also(off, "disabled here")
}

pub(crate) fn component_fixed(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ5007", format!("component `{name}` cannot be changed"))
        .at(span, "K3s restores its own manifest of this at every start");
    match name {
        "svclb-traefik" => error.note("K3s makes its pods in its own code, and nothing there gives them limits"),
        "helm-install-traefik" => {
            error.note("the Helm controller makes its pods, and nothing there is about one chart")
        }
        _ => error.note("to keep it, bzc would have to carry all of that manifest: roles, images, a registered API"),
    }
    .note("`coredns` and `traefik` can be changed: bzc writes what K3s keeps")
}

pub(crate) fn component_without_helm(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("component `{name}` is a chart, and `disable-helm-controller` is set"),
    )
    .at(
        span,
        "nothing would install it, nor read what is changed of it",
    )
}

/// `image` of another component than CoreDNS.
pub(crate) fn image_of_component(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5007", format!("the image of `{name}` cannot be changed"))
        .at(span, "only that of `coredns` is written by bzc")
}

pub(crate) fn component_on_agent(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("component `{name}` is changed on the servers, and this node is an agent"),
    )
    .at(span, "would be ignored")
}

pub(crate) fn others_of_k3s(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5007",
        format!("`{name}` is what K3s packages, and is counted already"),
    )
    .at(span, "would be counted twice")
}

/// Whose pods hold a port of the nodes: of the Service of this name, or of that of Traefik's chart.
fn holder(of: Option<(&str, Span)>) -> String {
    match of {
        None => "Traefik".to_owned(),
        Some((name, _)) => format!("the Service `{name}`"),
    }
}

/// `of` is the Service that the load balancer took the port for, and where; `None` for that of Traefik's chart.
pub(crate) fn port_of_balancer(port: u16, of: Option<(&str, Span)>, span: Span) -> Diagnostic {
    let holder = holder(of);
    let error = Diagnostic::error(
        "BZ5008",
        format!("host port {port} is taken by K3s's own load balancer, for {holder}"),
    )
    .at(span, "a pod with it would stay Pending");
    match of {
        None => error.help("disable `traefik` or `servicelb`, or let Traefik serve it"),
        Some((_, first)) => error
            .also(first, "taken on every node here")
            .help("give one of them another port, or leave it to the Service"),
    }
}

/// Two Services whose pods of the load balancer would want the same port of the same nodes.
pub(crate) fn port_of_two_services(
    (port, name): (u16, &str),
    of: Option<(&str, Span)>,
    span: Span,
) -> Diagnostic {
    let holder = holder(of);
    let error = Diagnostic::error(
        "BZ5008",
        format!(
            "port {port} of the Service `{name}` is taken by K3s's own load balancer, for {holder}"
        ),
    )
    .at(span, format!("its pods `svclb-{name}` would stay Pending"));
    match of {
        None => error.help(
            "disable `traefik` or `servicelb`, give it another port, or let Traefik serve it",
        ),
        Some((_, first)) => error
            .also(first, "taken on every node here")
            .help("give one of them another port, or another type than LoadBalancer"),
    }
}

pub(crate) fn trimmed(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", format!("`{key}` has a blank at an end"))
        .at(span, "K3s would cut it off")
}

pub(crate) fn own_key_in_node(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2003", format!("`{key}` is said once, for all nodes"))
        .at(span, "would be ignored here")
        .help("write it in the `k3s` of the program")
}

pub(crate) fn not_an_argument(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5006", format!("`{name}` is not written as an argument is"))
        .at(span, "only lower-case letters, digits and `-`")
        .note("K3s splits an argument at its first `=`, and the kubelet reads `_` as `-`: a different argument could hide in it")
}

pub(crate) fn not_a_version(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5014",
        format!("`{text}` is not the version of a K3s release"),
    )
    .at(span, "expected something like v1.33.3+k3s1")
}

pub(crate) fn unknown_minor(text: &str, known: &RangeInclusive<u32>, span: Span) -> Diagnostic {
    let (first, last) = (known.start(), known.end());
    Diagnostic::lint(
        "unknown-version",
        format!("bzc has no tables for K3s {text}"),
    )
    .at(
        span,
        format!("it knows 1.{first} to 1.{last}, and takes the nearest"),
    )
}

pub(crate) fn deprecated_flag(flag: &Flag, span: Span) -> Diagnostic {
    Diagnostic::lint("deprecated-key", format!("`{}` is deprecated", flag.key))
        .at(span, "will go")
        .note(flag.meaning)
}

pub(crate) fn unknown_argument(
    component: &str,
    name: &str,
    span: Span,
    near: Option<&str>,
) -> Diagnostic {
    let lint = Diagnostic::lint(
        "unknown-argument",
        format!("{component} has no argument `{name}` that bzc knows"),
    )
    .at(
        span,
        "K3s passes it on, and the component may refuse to start",
    );
    or_nearest(lint, near, span)
}

pub(crate) fn removed_argument(component: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5018",
        format!("{component} of K3s has no argument `{name}`"),
    )
    .at(span, "K3s passes it on, and does not start")
}

/// A component that bzc writes, with less than it starts with.
pub(crate) fn component_below_least(
    name: &str,
    limit: Given<'_, Bytes>,
    least: Given<'_, Bytes>,
    span: Option<Span>,
) -> Diagnostic {
    let least_text = least.value.to_string();
    let message = format!(
        "`{name}` may have at most {}, and does not become ready below {least_text}",
        limit.value
    );
    let mut error = Diagnostic::error("BZ4002", message).note(
        "after a reboot the pages of its own program are charged to its limit, and reading them again and again is all it does",
    );
    if let Some(measured) = least.origin.span {
        error = error.also(measured, "measured");
    }
    match span {
        Some(span) => {
            error
                .at(span, "the most it may have")
                .guess("give it that much", span, least_text)
        }
        None => error,
    }
}

/// `disable = [flannel]`: K3s takes any name, and leaves out the manifest that is called so.
pub(crate) fn unknown_addon(name: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let lint = Diagnostic::lint(
        "unknown-addon",
        format!("K3s packages nothing called `{name}`"),
    )
    .at(span, "K3s takes it and leaves nothing out");
    match near {
        Some(near) => or_nearest(lint, Some(near), span),
        None => lint.note("a manifest of yours that is called so is deleted, and what it made"),
    }
}

/// `disable = ["bzc-limits"]`.
pub(crate) fn disables_our_own(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3011", format!("`disable` cannot be `{name}`"))
        .at(span, "K3s would delete the manifest that bzc writes")
}

/// More pods than addresses for them.
pub(crate) fn too_few_addresses(
    pods: u64,
    why: &str,
    span: Span,
    also: Option<Span>,
) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3007",
        format!("a node has no addresses for {pods} pods: {why}"),
    )
    .at(span, "the pods the kubelet takes")
    .note("a pod without an address waits for one in ContainerCreating");
    match also {
        Some(also) => error.also(also, "the range of a node"),
        None => error,
    }
}

/// A value with which a component does not start.
pub(crate) fn refused_argument(
    rule: &ArgumentRule,
    why: &str,
    span: Span,
    also: Option<Span>,
) -> Diagnostic {
    let ArgumentRule {
        component,
        name,
        source,
        ..
    } = rule;
    let message = format!("{component} refuses its `{name}`: {why}");
    let error = Diagnostic::error("BZ5018", message)
        .at(span, "K3s passes it on, and does not start")
        .note(format!("the rule is from {source}"));
    match also {
        Some(also) => error.also(also, "the other one"),
        None => error,
    }
}

pub(crate) fn not_a_registry(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ3012",
        format!("`{name}` is no registry: only its host counts"),
    )
    .at(span, "not a host");
    let host = name.split("://").last().unwrap_or(name);
    let host = host.split('/').next().unwrap_or(host);
    match host {
        "" => error,
        host => error.fix(
            format!("the host alone is `{host}`"),
            span,
            format!("\"{host}\""),
        ),
    }
}

pub(crate) fn mirror_without_scheme(mirror: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("the mirror `{mirror}` has no scheme"))
        .at(span, "https or http?")
        .help(format!(
            "write `\"https://{mirror}\"`, or `http://` where it is in your own network"
        ))
}

pub(crate) fn login_in_mirror(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", "a login does not belong into a program")
        .at(span, "would be in every output")
        .help("write the host alone, and `configs` with the login into registries.yaml on the node")
}

pub(crate) fn limit_below_counted(limit: Bytes, counted: Bytes, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3007",
        format!("`limit` must be at least what is counted of K3s, {counted}"),
    )
    .at(span, format!("{limit} is less"))
    .note("`memory` of `k3s` is the most that it was seen to take: with less it would be ended again and again")
}

pub(crate) fn not_a_device(name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error("BZ5001", format!("`{name}` is not the name of a device"))
        .at(span, "no device plugin may offer it");
    match name {
        "ephemeral-storage" => error.help("say how large the disk is: `disk = 40Gi`"),
        "cpu" | "memory" => error.help(format!("`{name}` is a field of the node")),
        _ => error.help("a device is called by a domain and a name: `\"nvidia.com/gpu\" = 1`"),
    }
}
