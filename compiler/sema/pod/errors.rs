//! The faults that the reader of the parent module reports: one function a fault.

use crate::base::span::Span;
use crate::diag::Diagnostic;

pub(crate) fn unknown_config_key(
    config: &str,
    key: &str,
    span: Span,
    near: Option<&str>,
) -> Diagnostic {
    let error = Diagnostic::error("BZ2001", format!("config `{config}` has no key `{key}`"))
        .at(span, "not in it");
    match near {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error,
    }
}

pub(crate) fn user_twice(user: Span, security: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ2004",
        "`user` and `security` both say which user it runs as",
    )
    .at(security, "again")
    .also(user, "first here")
    .help("`user = 1000` is short for `security { run-as = 1000 }`: leave one of them out")
}

pub(crate) fn root_that_is_refused(span: Span, also: Option<Span>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ5012",
        "it runs as root, and `run-as-non-root` refuses root",
    )
    .at(span, "user 0 is root")
    .help("give it another user, such as `run-as = 1000`, or `run-as-non-root = false`");
    match also {
        Some(also) => error.also(also, "refuses root"),
        None => error,
    }
}

pub(crate) fn escalation_of_privileged(what: &str, span: Span, also: Option<Span>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ5012",
        format!(
            "`{what}` always allows to get more rights, and `allow-privilege-escalation` is false"
        ),
    )
    .at(span, "Kubernetes refuses both together");
    match also {
        Some(also) => error.also(also, "does not allow it"),
        None => error,
    }
}

pub(crate) fn unknown_capability(name: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error("BZ3011", format!("Linux has no capability `{name}`"))
        .at(span, "the container runtime would not start the container");
    match near {
        Some(near) => error.guess(format!("did you mean `{near}`?"), span, near),
        None => error.help("for example `drop = [ALL]  add = [NET_BIND_SERVICE]`"),
    }
}

pub(crate) fn ingress_without_port(span: Span) -> Diagnostic {
    Diagnostic::error("BZ5010", "an ingress leads to a port, and there is none")
        .at(span, "leads nowhere")
        .help("give the service a `port`")
}

pub(crate) fn ingress_to_udp(port: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("an ingress carries HTTP, and port `{port}` is UDP"),
    )
    .at(span, "cannot be reached this way")
}

pub(crate) fn ingress_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("the path of an ingress begins with `/`, and `{path}` does not"),
    )
    .at(span, "not a path")
    .fix("begin it with `/`", span, format!("\"/{path}\""))
}

pub(crate) fn not_a_host(host: &str, fault: &str, fixed: Option<&str>, span: Span) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ5001",
        format!("`{host}` cannot be the host of an ingress: {fault}"),
    )
    .at(span, "Kubernetes would refuse it");
    match fixed {
        Some(fixed) => error.fix(format!("the host alone is `{fixed}`"), span, format!("\"{fixed}\"")),
        None => error.help("for example `ingress \"shop.example.com\" { path = \"/api\" }`; `ingress \"*\"` is any host"),
    }
}

pub(crate) fn same_ingress(
    (host, path): (&str, &str),
    (service, span): (&str, Span),
    (other, first): (&str, Span),
) -> Diagnostic {
    let whose = match service == other {
        true => format!("twice by `{service}`"),
        false => format!("by `{other}` and by `{service}`"),
    };
    Diagnostic::error("BZ5019", format!("`{host}{path}` is served {whose}"))
        .at(span, "again")
        .also(first, "first here")
        .help("give one of them another host or another `path`")
}

pub(crate) fn two_of_one(
    (what, service): (&str, &str),
    (other, span): (&str, Span),
    (name, first): (&str, Span),
) -> Diagnostic {
    Diagnostic::error(
        "BZ5019",
        format!("the ingresses of `{service}` have two {what}, `{name}` and `{other}`"),
    )
    .at(span, "another one")
    .also(first, "first here")
    .note("they are one Ingress, which has room for one")
}

pub(crate) fn tls_of_any_host(span: Span) -> Diagnostic {
    Diagnostic::error("BZ5019", "a certificate is for a host, and `*` is any")
        .at(span, "for which host?")
        .help("name the host: `ingress \"shop.example.com\" { .. }`")
}

pub(crate) fn no_ingress_class(service: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5020",
        format!("nothing serves the ingress of `{service}`: Traefik is disabled"),
    )
    .at(span, "no request would come")
    .help(
        "take `traefik` out of `disable`, or name the class of another controller: `class = nginx`",
    )
}

pub(crate) fn empty_command(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a probe runs a command, and this list is empty")
        .at(span, "nothing to run")
}

pub(crate) fn without_storage(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ3012", format!("`{key}` belongs to `storage`"))
        .at(span, "a claim that exists has it already")
}

pub(crate) fn same_port(kind: &str, number: u16, first: Span, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5008", format!("{kind} {number} is taken"))
        .at(span, "again")
        .also(first, "first here")
}

pub(crate) fn probe_without_port(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5010", format!("the {key} probe has no port to ask"))
        .at(span, "the service has no port")
        .help("give the service a `port`, or the probe its own")
}

pub(crate) fn probe_of_two(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("the {key} probe asks in two ways at once"),
    )
    .at(span, "the second")
    .note("it is one of `path`, `tcp` and `exec`")
}

pub(crate) fn probe_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("the path of a probe begins with `/`, and `{path}` does not"),
    )
    .at(span, "not a path")
    .fix("begin it with `/`", span, format!("\"/{path}\""))
}

pub(crate) fn port_without_port(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        "a node or host port leads to the service's `port`, and it has none",
    )
    .at(span, "leads nowhere")
    .help("give the service a `port`")
}

pub(crate) fn not_a_variable(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5011",
        format!("`{name}` cannot be the name of an environment variable"),
    )
    .at(span, "Kubernetes would refuse it")
}

pub(crate) fn two_sources(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        format!("volume `{name}` has more than one source"),
    )
    .at(span, "the second")
}

pub(crate) fn unreadable_patch(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5022",
        format!("the patch `{path}` cannot be read: {why}"),
    )
    .at(span, "named here")
}

pub(crate) fn twice_in_a_patch(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ2004", format!("`{key}` is given twice in this patch")).at(span, "again")
}

pub(crate) fn not_data(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ3009",
        "a patch takes texts, numbers, `true`, `false`, lists and blocks",
    )
    .at(span, "none of these")
}

pub(crate) fn unknown_field(path: &str, span: Span, near: Option<&str>) -> Diagnostic {
    let error = Diagnostic::error(
        "BZ2001",
        format!("a variable cannot hold `{path}` of its pod"),
    )
    .at(span, "not one of the fields that Kubernetes gives");
    match near {
        Some(near) => error.guess(format!("did you mean `{near}`?"), span, near),
        None => error.help(
            "for example `status.podIP`, `metadata.name`, `spec.nodeName` or `limits.memory`; a text stands between quotes",
        ),
    }
}

pub(crate) fn hook_of_two(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5012", format!("`{key}` does two things at once"))
        .at(span, "the second")
        .note("it is one of `exec`, `path` and `sleep`")
}

pub(crate) fn hook_without_port(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5010", format!("`{key}` has no port to ask"))
        .at(span, "the workload has no port")
        .help("give the workload a `port`, or the hook its own")
}

pub(crate) fn hook_path(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("the path of a hook begins with `/`, and `{path}` does not"),
    )
    .at(span, "not a path")
    .fix("begin it with `/`", span, format!("\"/{path}\""))
}

pub(crate) fn hook_without_command(span: Span) -> Diagnostic {
    Diagnostic::error("BZ3009", "a hook runs a command, and this list is empty")
        .at(span, "nothing to run")
}

pub(crate) fn sleep_beyond_grace(grace: u64, span: Span) -> Diagnostic {
    let range = format!("1s to {grace}s");
    Diagnostic::error("BZ3007", format!("`sleep` must be {range}"))
        .at(span, "out of range")
        .note(format!(
            "a pod has {grace} seconds to end, with its hook: Kubernetes refuses a longer one"
        ))
        .help("a longer time to end is `grace = 60s`")
}

pub(crate) fn both_disruptions(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5012",
        "`min-available` and `max-unavailable` say the same in two ways",
    )
    .at(span, "the second")
}

pub(crate) fn endless_drain(pods: u64, span: Span) -> Diagnostic {
    let of = match pods {
        1 => "its one pod".to_owned(),
        _ => format!("none of its {pods} pods"),
    };
    let says = match pods {
        1 => format!("{of} may never be taken away"),
        _ => format!("{of} may ever be taken away"),
    };
    Diagnostic::error("BZ3007", format!("with this budget {says}"))
        .at(span, "a drain of its node would wait for ever")
        .help("write `max-unavailable = 1`, or leave the budget out")
}

pub(crate) fn of_no_port(key: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("`{key}` is about the Service, and without a port there is none"),
    )
    .at(span, "about nothing")
    .help("give the workload a `port`")
}

pub(crate) fn two_services(span: Span, what: &str, also: Span) -> Diagnostic {
    Diagnostic::error("BZ5012", format!("the Service cannot have {what}"))
        .at(span, "cannot be together")
        .also(also, "with this")
}

pub(crate) fn unenforced(span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5024",
        "nothing holds anybody to `allow-from`: `disable-network-policy` switches K3s's controller off",
    )
    .at(span, "would be without effect")
    .help("take `disable-network-policy` out of `k3s`; with a network of others, say `flannel-backend = none`")
}

pub(crate) fn spread_over(label: &str, span: Span) -> Diagnostic {
    Diagnostic::error("BZ5001", format!("`{label}` cannot be a label of nodes"))
        .at(span, "Kubernetes would refuse it")
        .help("for example `spread = node`, or `spread = \"topology.kubernetes.io/zone\"`")
}

pub(crate) fn other_host_port(port: u16, span: Span) -> Diagnostic {
    Diagnostic::error(
        "BZ5010",
        format!("with `host-network` port {port} is that port of the node, and no other"),
    )
    .at(span, "leads nowhere")
    .help("leave out `host-port`")
}
