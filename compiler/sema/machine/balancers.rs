//! The pods that K3s's load balancer makes for Services: one on every node for each Service of type LoadBalancer, with a
//! container and a port of the node for each port (k3s pkg/cloudprovider/servicelb.go).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::component::{disabled, library};
use super::errors;
use crate::base::id::numbered;
use crate::base::span::Span;
use crate::manifest::Manifest;
use crate::manifest::workload::balancer::{Balancer, POOL};
use crate::program::{Component, Node, NodeId, Service, ServiceType, TRAEFIK};
use crate::sema::decls::Decls;
use crate::sema::load::Loaded;
use crate::sema::placement;
use crate::sema::pod::ports::meet;

/// The pods that K3s's load balancer makes for the chart of Traefik, and the library's figures for all of its kind.
const OF_TRAEFIK: &str = "svclb-traefik";
/// What `disable` switches the load balancer off with.
const SWITCH: &str = "servicelb";
/// Where a node has this label, only those have pods on which it is `true`.
const ENABLE: &str = "svccontroller.k3s.cattle.io/enablelb";

/// The ports of the nodes that Traefik's Service has by its chart.
const TRAEFIK_PORTS: [u16; 2] = [80, 443];

/// The nodes whose labels let pods of the load balancer come, for a Service of this pool; `None` if no node has the label.
fn labelled(nodes: &[Node<'_>], pool: Option<&str>) -> Option<Vec<NodeId>> {
    let label = |node: &Node<'_>, key: &str| {
        let mut labels = node.given_labels();
        labels
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value.to_owned())
    };
    if nodes.iter().all(|node| label(node, ENABLE).is_none()) {
        return None;
    }
    let chosen = |node: &Node<'_>| {
        label(node, ENABLE).as_deref() == Some("true")
            && pool.is_none_or(|pool| label(node, POOL).as_deref() == Some(pool))
    };
    let all = numbered(nodes).filter(|(_, node)| chosen(node));
    Some(all.map(|(id, _)| id).collect())
}

/// A Service of type LoadBalancer that the load balancer works for.
struct Balanced<'a> {
    name: &'a str,
    /// What its pods are called.
    known_as: Cow<'a, str>,
    pool: Option<&'a str>,
    containers: u64,
    /// Its ports, whether each is one of UDP, and where it stands.
    ports: Vec<(u16, bool, Span)>,
}

/// The Services that the load balancer works for: adopted ones, and those of the program. In a dump there is that of
/// Traefik's chart, too.
fn of_services<'a>(
    loaded: &'a Loaded,
    has_traefik: bool,
    (services, namespace): (&[Service<'a>], &str),
) -> Vec<Balanced<'a>> {
    let adopted = loaded.manifests.iter();
    let adopted = adopted.flat_map(|of| of.objects.balancers.iter().map(move |one| (of, one)));
    let adopted = adopted.filter(|(_, one)| {
        let system = one.namespace.as_deref() == Some("kube-system");
        !(has_traefik && system && one.name == "traefik")
    });
    let adopted = adopted.map(|(manifest, one): (&Manifest, &Balancer)| Balanced {
        name: &one.name,
        known_as: Cow::Borrowed(one.known_as.as_str()),
        pool: one.pool.as_deref(),
        containers: one.containers,
        ports: { one.ports.iter() }
            .map(|port| (port.number, port.udp, manifest.span(&port.at)))
            .collect(),
    });
    let mut all: Vec<Balanced<'_>> = adopted.collect();
    let adopted: BTreeSet<&str> = all.iter().map(|one| one.name).collect();
    let own = services.iter().filter(|service| {
        service.adopted.is_none() && service.service_type() == ServiceType::LoadBalancer
    });
    all.extend(own.map(|service| {
        let name = service.name.value;
        let known_as = match adopted.contains(name) || name == TRAEFIK {
            true => format!("svclb-{namespace}.{name}"),
            false => format!("svclb-{name}"),
        };
        let ports = service.ports.iter();
        Balanced {
            name,
            known_as: Cow::Owned(known_as),
            pool: None,
            containers: service.ports.len() as u64,
            ports: ports
                .map(|port| (port.number.value, port.udp, port.number.span))
                .collect(),
        }
    }));
    all
}

/// Adds the pods for Services to the components, and holds all of the load balancer to the nodes that are labelled for it.
pub(crate) fn balancers<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    (nodes, services, namespace): (&[Node<'a>], &[Service<'a>], &str),
    components: &mut Vec<Component<'a>>,
) {
    let of_traefik = components.iter_mut().find(|one| one.name == OF_TRAEFIK);
    let has_traefik = of_traefik.is_some();
    if let Some(component) = of_traefik {
        component.nodes = labelled(nodes, None);
    }
    let is_off = disabled(nodes).iter().any(|item| item.value == SWITCH);
    let Some(stock) = library(decls, OF_TRAEFIK).filter(|_| !is_off) else {
        return;
    };
    for balanced in of_services(loaded, has_traefik, (services, namespace)) {
        let name = balanced.known_as;
        if let Some(own) = components.iter().find(|one| one.name == name)
            && let Some(span) = own.span
        {
            decls.cx.report(errors::others_of_k3s(&name, span));
            continue;
        }
        components.push(Component {
            name,
            span: None,
            memory: None,
            bound: stock.memory("bound"),
            seen: None,
            least: None,
            cpu: None,
            containers: balanced.containers,
            pods: 1,
            // A DaemonSet waits until the pod before has ended.
            transient: 0,
            every_node: true,
            nodes: labelled(nodes, balanced.pool),
            owned: false,
            image: None,
            foreign: false,
            namespace: None,
            of: Vec::new(),
        });
    }
}

/// A port that the load balancer holds on its nodes.
struct Held<'a> {
    number: u16,
    udp: bool,
    nodes: Option<Vec<NodeId>>,
    /// For which Service, and where its port stands; `None` for that of Traefik's chart.
    of: Option<(&'a str, Span)>,
}

/// Ports of the nodes that the load balancer takes are taken once.
pub(crate) fn check_host_ports<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    (nodes, components): (&[Node<'a>], &[Component<'a>]),
    (services, namespace): (&[Service<'a>], &str),
) {
    let open = placement::of_components(nodes);
    let of = |name: &str| {
        components
            .iter()
            .find(|one| one.name == name && !one.foreign)
    };
    let both = |component: &Component<'_>| match (&open, &component.nodes) {
        (Some(open), Some(nodes)) => {
            let both = nodes.iter().filter(|node| open.contains(node));
            Some(both.copied().collect())
        }
        (one, None) | (None, one) => one.clone(),
    };
    let mut held: Vec<Held<'_>> = Vec::new();
    if let Some(traefik) = of(OF_TRAEFIK) {
        held.extend(TRAEFIK_PORTS.map(|number| Held {
            number,
            udp: false,
            nodes: both(traefik),
            of: None,
        }));
    }
    for balanced in of_services(loaded, of(OF_TRAEFIK).is_some(), (services, namespace)) {
        let Some(component) = of(&balanced.known_as) else {
            continue;
        };
        for (number, udp, span) in balanced.ports {
            let next = Held {
                number,
                udp,
                nodes: both(component),
                of: Some((balanced.name, span)),
            };
            match taken(&held, number, udp, next.nodes.as_deref()) {
                Some(first) => decls.cx.report(errors::port_of_two_services(
                    (number, balanced.name),
                    first.of,
                    span,
                )),
                None => held.push(next),
            }
        }
    }
    for service in services {
        let at = service.pod.place.nodes.as_deref();
        for port in &service.ports {
            let Some(number) = port.host_port else {
                continue;
            };
            if let Some(first) = taken(&held, number.value, port.udp, at) {
                decls.cx.report(errors::port_of_balancer(
                    number.value,
                    first.of,
                    number.span,
                ));
            }
        }
    }
}

fn taken<'h, 'a>(
    held: &'h [Held<'a>],
    number: u16,
    udp: bool,
    nodes: Option<&[NodeId]>,
) -> Option<&'h Held<'a>> {
    let mut all = held.iter();
    all.find(|one| (one.number, one.udp) == (number, udp) && meet(one.nodes.as_deref(), nodes))
}
