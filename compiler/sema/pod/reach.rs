//! How others reach the pods of a workload: the type of its Service, and who may open connections to it.

use super::errors;
use crate::base::suggest::nearest;
use crate::program::{Node, Peer, Port, Reach, Service, ServiceType, SettingValue};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::names::check_label;
use crate::sema::values::Cx;
use crate::syntax::ast::ExprKind;

/// The types of Services, by their words.
const TYPES: [(&str, ServiceType); 3] = [
    ("cluster-ip", ServiceType::ClusterIp),
    ("node-port", ServiceType::NodePort),
    ("load-balancer", ServiceType::LoadBalancer),
];

pub(crate) fn reach<'a>(
    decls: &Decls<'_, 'a>,
    fields: &Fields<'_, 'a>,
    ports: &[Port<'a>],
) -> Reach<'a> {
    let cx = decls.cx;
    let place = |key| fields.get(key).and_then(|field| field.origin.span);
    for key in ["service-type", "headless"] {
        if let Some(span) = place(key).filter(|_| ports.is_empty()) {
            cx.report(errors::of_no_port(key, span));
        }
    }
    let service_type = fields.one_of("service-type", &TYPES);
    let headless = fields.flag("headless");
    let node_port = ports.iter().find_map(|port| port.node_port);
    let outer = service_type.filter(|given| *given != ServiceType::ClusterIp);
    if let Some(span) = place("headless").filter(|_| headless == Some(true)) {
        let (what, also) = ("a port of nodes and no address", "service-type");
        if let Some(also) = node_port.map(|port| port.span).or(outer.and(place(also))) {
            cx.report(errors::two_services(span, what, also));
        }
    }
    if let (Some(ServiceType::ClusterIp), Some(port)) = (service_type, node_port) {
        let span = place("service-type").unwrap_or(fields.span);
        cx.report(errors::two_services(
            span,
            "a port of nodes and the type `cluster-ip`",
            port.span,
        ));
    }
    Reach {
        service_type,
        headless,
        allow_from: allow_from(decls, fields),
    }
}

/// The workloads by name and the namespaces by text that may open connections.
fn allow_from<'a>(decls: &Decls<'_, 'a>, fields: &Fields<'_, 'a>) -> Option<Vec<Peer<'a>>> {
    let cx = decls.cx;
    let list = cx.list(fields.get("allow-from")?.value(cx)?)?;
    let mut peers = Vec::new();
    for one in list {
        if let ExprKind::Text = cx.resolve(one).kind {
            let namespace = cx.string(one)?;
            check_label(cx, "namespace", &namespace, one.span);
            peers.push(Peer::Namespace(namespace));
            continue;
        }
        let (name, span) = cx.name(one, "allow-from")?;
        if !decls.has_workload(name) {
            let near = nearest(name, decls.workloads().map(|(_, decl)| decl.name));
            cx.report(general::unknown_name("workload", name, span, near));
        }
        peers.push(Peer::Workload(name));
    }
    Some(peers)
}

/// Reports `allow-from` where K3s's controller of NetworkPolicies is off, and no network of others may have its own.
pub(crate) fn check_enforced(cx: &Cx<'_>, nodes: &[Node<'_>], services: &[Service<'_>]) {
    let mut limited = { services.iter() }.filter(|one| one.pod.reach.allow_from.is_some());
    let Some(service) = limited.next() else {
        return;
    };
    let is_off = |node: &Node<'_>| {
        let off = node.setting("disable-network-policy");
        let backend = node.setting("flannel-backend");
        matches!(off, Some(SettingValue::Bool(true)))
            && !matches!(backend, Some(SettingValue::Text(text)) if text == "none")
    };
    if nodes.iter().any(is_off) {
        cx.report(errors::unenforced(service.name.span));
    }
}
