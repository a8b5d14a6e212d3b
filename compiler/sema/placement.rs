//! Several machines as one cluster: what a service says about where its pods may run, and which nodes take them.
//! From labels and taints of nodes, selectors and tolerations of services come indices of nodes.

mod errors;

use std::borrow::Cow;

use crate::base::span::Spanned;
use crate::program::{Kind, Node, Place, Role, Service};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::labels;

/// What K3s's own pods tolerate: a taint of this name keeps only others away (k3s manifests/coredns.yaml,
/// manifests/metrics-server, pkg/cloudprovider/servicelb.go).
pub(crate) const CRITICAL: &str = "CriticalAddonsOnly";

/// Taints of a node by name: pods that do not tolerate one are not placed there.
pub(crate) fn taints<'a>(fields: &Fields<'_, 'a>) -> Vec<Spanned<&'a str>> {
    let names = fields.names("taints").unwrap_or_default();
    names
        .into_iter()
        .map(|(name, span)| Spanned::new(name, span))
        .collect()
}

/// Where a service wants its pods.
pub(crate) fn place<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    kind: &Kind<'a>,
) -> Place<'a> {
    let cx = decls.cx;
    let one = fields.name("node").and_then(|given| {
        let span = given.origin.span?;
        Some(vec![decls.index("node", given.value, span)?])
    });
    let several = fields.names("nodes").map(|names| {
        let mut nodes: Vec<usize> = names
            .into_iter()
            .filter_map(|(name, span)| decls.index("node", name, span))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    });
    let span = |key| fields.get(key).and_then(|field| field.origin.span);
    if let (Some(first), Some(second)) = (span("node"), span("nodes")) {
        cx.report(general::given_twice("node", first, second));
    }
    let apart = fields.name("anti-affinity").filter(|given| {
        let place = given.origin.span.unwrap_or(fields.span);
        if given.value != "node" {
            cx.report(general::not_one_of(
                "anti-affinity",
                given.value,
                place,
                &["node"],
            ));
        } else if !matches!(kind, Kind::Deployment(_) | Kind::StatefulSet) {
            cx.report(errors::apart_without_replicas(place));
        }
        true
    });
    for (name, span) in fields.names("tolerations").unwrap_or_default() {
        let known = || {
            decls
                .of("node")
                .filter_map(|decl| super::decls::fields(decls, "node", decl))
        };
        if !known().any(|node| taints(&node).iter().any(|taint| taint.value == name)) {
            cx.report(errors::unknown_taint(name, span));
        }
    }
    Place {
        span: span("node").or(span("nodes")).or(span("node-selector")),
        named: one.or(several),
        selector: labels(fields, "node-selector"),
        tolerations: fields
            .names("tolerations")
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| name)
            .collect(),
        apart: apart.is_some(),
        nodes: None,
    }
}

/// Finds the nodes that may take the pods of each service; an error where there is none.
pub(crate) fn settle<'a>(decls: &Decls<'_, 'a>, nodes: &[Node<'a>], services: &mut [Service<'a>]) {
    for service in services
        .iter_mut()
        .filter(|service| service.adopted.is_none())
    {
        let place = &mut service.pod.place;
        let has = |node: &Node<'a>, (key, value): &(&'a str, Cow<'a, str>)| {
            node.labels
                .iter()
                .any(|(other, text)| other == key && text == value)
        };
        let mut why = Vec::new();
        let mut may: Vec<u16> = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let name = node.name.value;
            if place
                .named
                .as_ref()
                .is_some_and(|named| !named.contains(&index))
            {
                continue;
            }
            let taint = node
                .taints
                .iter()
                .find(|taint| !place.tolerations.contains(&taint.value));
            if let Some((key, value)) = place.selector.iter().find(|label| !has(node, label)) {
                why.push(format!("`{name}` has no label `{key} = {value}`"));
            } else if let Some(taint) = taint {
                why.push(format!(
                    "`{name}` has the taint `{}`, which it does not tolerate",
                    taint.value
                ));
            } else {
                may.extend(u16::try_from(index));
            }
        }
        if may.is_empty() {
            let span = place.span.unwrap_or(service.name.span);
            decls
                .cx
                .report(general::no_node_takes(service.name.value, &why, span));
        }
        if may.len() < nodes.len() {
            place.nodes = Some(may);
        }
    }
}

/// The nodes that take what K3s packages: those without a taint that its pods do not tolerate; none if all do.
pub(crate) fn of_components(nodes: &[Node<'_>]) -> Option<Vec<u16>> {
    let open = |node: &Node<'_>| node.taints.iter().all(|taint| taint.value == CRITICAL);
    let may: Vec<u16> = (0..)
        .zip(nodes)
        .filter(|(_, node)| open(node))
        .map(|(index, _)| index)
        .collect();
    (may.len() < nodes.len()).then_some(may)
}

/// Several servers keep their state in etcd, which needs an odd number of them, or in a datastore outside.
pub(crate) fn check_servers<'a>(decls: &Decls<'_, 'a>, nodes: &[Node<'a>]) {
    let servers: Vec<&Node<'_>> = nodes
        .iter()
        .filter(|node| node.role == Role::Server)
        .collect();
    let outside = servers
        .iter()
        .all(|node| node.setting("datastore-endpoint").is_some());
    if let [_, .., last] = servers.as_slice()
        && servers.len().is_multiple_of(2)
        && !outside
    {
        decls
            .cx
            .report(errors::even_servers(servers.len(), last.name.span));
    }
}

/// Whether the servers keep their state in etcd, which takes more memory than SQLite.
pub(crate) fn has_etcd(servers: usize, fields: &Fields<'_, '_>) -> bool {
    !fields.has("datastore-endpoint") && (servers > 1 || fields.flag("cluster-init") == Some(true))
}

/// The first server: the one the others join.
pub fn first_server<'n, 'a>(nodes: &'n [Node<'a>]) -> Option<&'n Node<'a>> {
    nodes.iter().find(|node| node.role == Role::Server)
}
