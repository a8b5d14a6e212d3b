//! Several machines as one cluster: what a service says about where its pods may run, and which nodes take them.
//! From labels and taints of nodes, selectors and tolerations of services come indices of nodes.

mod errors;

use std::borrow::Cow;

use crate::base::id::numbered;
use crate::base::span::Span;
use crate::program::{
    Effect, Kind, Node, NodeId, OF_ARCHITECTURE, Place, Role, Service, SettingValue, Taint,
};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::labels;
use crate::syntax::ast::{Expr, ExprKind};

/// The taint that all packaged pods tolerate with any effect (k3s-io/k3s manifests/coredns.yaml, local-storage.yaml,
/// metrics-server, pkg/cloudprovider/servicelb.go; the chart of Traefik).
const CRITICAL: &str = "CriticalAddonsOnly";
/// The usual taint of a server. Packaged pods tolerate it with the effect `NoSchedule` only.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// Taints of a node: names, and texts as `kubectl taint` spells them.
pub(crate) fn taints<'a>(fields: &Fields<'_, 'a>) -> Vec<Taint> {
    let cx = fields.cx;
    let values = fields.get("taints").and_then(|field| field.value(cx));
    let values = values.and_then(|value| cx.list(value)).unwrap_or_default();
    let read = |value: &'a Expr| {
        let text = key_of_taint(fields, value)?;
        let taint = Taint::parse(&text);
        if taint.is_none() {
            cx.report(errors::not_a_taint(&text, value.span));
        }
        taint
    };
    values.iter().filter_map(read).collect()
}

/// A taint or its key as it is written: a name, or a text where it is none.
fn key_of_taint<'a>(fields: &Fields<'_, 'a>, value: &'a Expr) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let text = cx.text(value.span);
    match value.kind {
        ExprKind::Text => cx.string(value),
        ExprKind::Path if !text.contains('.') => Some(Cow::Borrowed(text)),
        ExprKind::Hole => None,
        _ => {
            cx.report(errors::taint_without_quotes(text, value.span));
            None
        }
    }
}

/// What `tolerations` of a service lists: keys of taints.
fn tolerations<'a>(fields: &Fields<'_, 'a>) -> Vec<(Cow<'a, str>, Span)> {
    let cx = fields.cx;
    let values = fields.get("tolerations").and_then(|field| field.value(cx));
    let values = values.and_then(|value| cx.list(value)).unwrap_or_default();
    let read = |value: &'a Expr| Some((key_of_taint(fields, value)?, value.span));
    values.iter().filter_map(read).collect()
}

/// The taints that a node gives by K3s's own key, `node-taint`.
pub(crate) fn taints_of_config<'a>(node: &Node<'a>) -> Vec<Taint> {
    let Some(SettingValue::List(items)) = node.setting("node-taint") else {
        return Vec::new();
    };
    let texts = items.iter().flat_map(|item| item.value.split(','));
    let taints = texts.filter_map(|text| Taint::parse(text.trim()));
    taints
        .map(|taint| Taint {
            in_config: true,
            ..taint
        })
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
        Some(vec![decls.id("node", given.value, span)?])
    });
    let several = fields.names("nodes").map(|names| {
        let mut nodes: Vec<NodeId> = names
            .into_iter()
            .filter_map(|(name, span)| decls.id("node", name, span))
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
    Place {
        span: span("node").or(span("nodes")).or(span("node-selector")),
        named: one.or(several),
        selector: labels(fields, "node-selector"),
        tolerations: tolerations(fields),
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
        for (key, span) in &place.tolerations {
            let mut taints = nodes.iter().flat_map(|node| &node.taints);
            if !taints.any(|taint| taint.key == *key) {
                decls.cx.report(errors::unknown_taint(key, *span));
            }
        }
        let has = |node: &Node<'a>, (key, value): &(&'a str, Cow<'a, str>)| {
            let given = |(other, text): &(&str, Cow<'a, str>)| other == key && text == value;
            node.labels.iter().any(given)
                || node
                    .labels_of_k3s()
                    .any(|label| label == (*key, value.as_ref()))
        };
        let mut why = Vec::new();
        let mut may: Vec<NodeId> = Vec::new();
        for (id, node) in numbered(nodes) {
            let name = node.name.value;
            if place
                .named
                .as_ref()
                .is_some_and(|named| !named.contains(&id))
            {
                continue;
            }
            let tolerated =
                |taint: &Taint| place.tolerations.iter().any(|(key, _)| *key == taint.key);
            let mut keeping = node.taints.iter().filter(|taint| taint.keeps_away());
            let taint = keeping.find(|taint| !tolerated(taint));
            if let Some((key, value)) = place.selector.iter().find(|label| !has(node, label)) {
                why.push(match OF_ARCHITECTURE.contains(key) && node.arch.is_none() {
                    true => format!("`{name}` does not say its `arch`"),
                    false => format!("`{name}` has no label `{key} = {value}`"),
                });
            } else if let Some(taint) = taint {
                why.push(format!(
                    "`{name}` has the taint `{}`, which it does not tolerate",
                    taint.key
                ));
            } else {
                may.push(id);
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

/// The nodes that take packaged pods: those without a taint that these do not tolerate. `None` if all nodes do.
pub(crate) fn of_components(nodes: &[Node<'_>]) -> Option<Vec<NodeId>> {
    let tolerated = |taint: &Taint| {
        let server = taint.key == CONTROL_PLANE && taint.effect == Effect::NoSchedule;
        taint.key == CRITICAL || server || !taint.keeps_away()
    };
    let open = |node: &Node<'_>| node.taints.iter().all(tolerated);
    let may: Vec<NodeId> = numbered(nodes)
        .filter(|(_, node)| open(node))
        .map(|(id, _)| id)
        .collect();
    (may.len() < nodes.len()).then_some(may)
}

/// Checks the number of servers: several keep their state in etcd, which needs an odd number of them, or outside.
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
pub(super) fn first_server<'n, 'a>(nodes: &'n [Node<'a>]) -> Option<&'n Node<'a>> {
    nodes.iter().find(|node| node.role == Role::Server)
}
