//! Ports of containers and of nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::errors;
use crate::base::span::{Span, Spanned};
use crate::program::{Node, NodeId, Port, Role, Service, SettingValue};
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::check_label;
use crate::sema::values::Cx;
use crate::syntax::ast::Expr;

/// A number of a port. `None` with a report where it is none.
pub(crate) fn port_number<'a>(cx: &Cx<'a>, expr: &'a Expr) -> Option<Spanned<u16>> {
    let number = cx.count(expr)?;
    match u16::try_from(number) {
        Ok(port) if port > 0 => Some(Spanned::new(port, expr.span)),
        _ => {
            cx.report(general::out_of_range("port", "1 to 65535", expr.span));
            None
        }
    }
}

/// Kubernetes' default range of node ports.
pub(crate) const NODE_PORTS: RangeInclusive<u16> = 30000..=32767;

pub(crate) fn ports<'a>(fields: &Fields<'_, 'a>) -> Vec<Port<'a>> {
    let cx = fields.cx;
    let outer = |key: &'a str| {
        fields
            .get(key)
            .and_then(|field| port_number(cx, field.value(cx)?))
    };
    let (node_port, host_port) = (outer("node-port"), outer("host-port"));
    let mut ports = Vec::with_capacity(usize::from(fields.has("port")));
    if let Some(field) = fields.get("port") {
        if let Some(number) = field.value(cx).and_then(|value| port_number(cx, value)) {
            ports.push(Port {
                name: "http",
                number,
                node_port,
                host_port,
                udp: false,
            });
        }
    } else if let Some(port) = node_port.or(host_port) {
        cx.report(errors::port_without_port(port.span));
    }
    for entry in if fields.get("ports").is_some() {
        fields.entries("ports")
    } else {
        Vec::new()
    } {
        let name = cx.key(entry.item);
        let span = entry.item.key.span;
        if name.len() > 15 {
            cx.report(general::not_a_label(
                "port",
                name,
                "it is longer than 15 characters",
                span,
            ));
        } else if name.contains("--") {
            cx.report(general::not_a_label(
                "port",
                name,
                "it has two hyphens in a row",
                span,
            ));
        } else {
            check_label(cx, "port", name, span);
        }
        if let Some(other) = ports.iter().find(|port: &&Port<'_>| port.name == name) {
            cx.report(general::given_twice(name, other.number.span, span));
            continue;
        }
        let mut port = None;
        if entry.item.body.is_some() {
            let Some(block) = Fields::of_body(cx, "port", entry) else {
                continue;
            };
            block.check_keys("port");
            let inner = |key: &'a str| {
                block
                    .get(key)
                    .and_then(|field| port_number(cx, field.value(cx)?))
            };
            let (number, node_port, host_port) =
                (inner("port"), inner("node-port"), inner("host-port"));
            if number.is_none() && block.get("port").is_none() {
                block.missing("port", "http { port = 8080  node-port = 30080 }");
            }
            let udp = block.flag("udp").unwrap_or_default();
            port = number.map(|number| Port {
                name,
                number,
                node_port,
                host_port,
                udp,
            });
        } else if let Some(number) = entry.value(cx).and_then(|value| port_number(cx, value)) {
            port = Some(Port {
                name,
                number,
                node_port: None,
                host_port: None,
                udp: false,
            });
        }
        if let Some(port) = port {
            let clash = |other: &&Port<'_>| {
                other.number.value == port.number.value && other.udp == port.udp
            };
            if let Some(other) = ports.iter().find(clash) {
                cx.report(errors::same_port(
                    "container port",
                    port.number.value,
                    other.number.span,
                    port.number.span,
                ));
            }
            ports.push(port);
        }
    }
    // Containers with the network of their node listen on its own ports.
    if fields.flag("host-network") == Some(true) {
        for port in &mut ports {
            if let Some(other) = port
                .host_port
                .filter(|other| other.value != port.number.value)
            {
                cx.report(errors::other_host_port(port.number.value, other.span));
            }
            port.host_port = Some(port.number);
        }
    }
    ports
}

/// The range of node ports: the setting of the first server, or Kubernetes' default. `None` if the setting is written
/// in a form that bzc does not read.
pub(crate) fn node_ports(nodes: &[Node<'_>]) -> Option<RangeInclusive<u16>> {
    const KEY: &str = "service-node-port-range";
    let server = nodes.iter().find(|node| node.role == Role::Server);
    let argument = |node: &Node<'_>| match node.setting("kube-apiserver-arg")? {
        SettingValue::Arguments(arguments) => arguments
            .iter()
            .find(|(name, _)| name.value == KEY)
            .map(|(_, value)| value.to_string()),
        _ => None,
    };
    let set = server.and_then(|node| match node.setting(KEY) {
        Some(SettingValue::Text(range)) => Some(range.to_string()),
        Some(_) => Some(String::new()),
        None => argument(node),
    });
    let Some(range) = set else {
        return Some(NODE_PORTS);
    };
    let (low, high) = range.split_once('-')?;
    Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
}

/// Reports node ports outside of the cluster's range (Kubernetes, `--service-node-port-range`).
pub(crate) fn check_node_ports(cx: &Cx<'_>, nodes: &[Node<'_>], services: &[Service<'_>]) {
    let Some(range) = node_ports(nodes) else {
        return;
    };
    let ports = services
        .iter()
        .flat_map(|service| &service.ports)
        .filter_map(|port| port.node_port);
    // A header of several names gives each the same port.
    let outside: BTreeSet<Span> = ports
        .filter(|port| !range.contains(&port.value))
        .map(|port| port.span)
        .collect();
    for span in outside {
        cx.report(general::out_of_range(
            "node-port",
            &format!("{} to {}", range.start(), range.end()),
            span,
        ));
    }
}

/// The nodes on which a port is taken, and where that is written.
type Taken<'n> = (Option<&'n [NodeId]>, Span);

/// Two services may share a container port; a node port belongs to one of the cluster, a host port to one of a node.
pub(crate) fn check_shared_ports(cx: &Cx<'_>, services: &[Service<'_>]) {
    let mut taken: BTreeMap<_, Vec<Taken<'_>>> = BTreeMap::new();
    let ports = services
        .iter()
        .flat_map(|service| service.ports.iter().map(move |port| (service, port)));
    for (service, port) in ports {
        // A node port is one of every node.
        let nodes = service.pod.place.nodes.as_deref();
        let both = [
            ("node port", port.node_port, None),
            ("host port", port.host_port, nodes),
        ];
        for (kind, number, nodes) in both
            .into_iter()
            .filter_map(|(kind, number, nodes)| Some((kind, number?, nodes)))
        {
            let others = taken.entry((kind, number.value, port.udp)).or_default();
            match others.iter().find(|(other, _)| meet(*other, nodes)) {
                Some((_, first)) => {
                    cx.report(errors::same_port(kind, number.value, *first, number.span))
                }
                None => others.push((nodes, number.span)),
            }
        }
    }
}

/// Whether two services may have pods on the same node; `None` is every node.
pub(crate) fn meet(one: Option<&[NodeId]>, other: Option<&[NodeId]>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.iter().any(|node| other.contains(node)),
        (None, _) | (_, None) => true,
    }
}
