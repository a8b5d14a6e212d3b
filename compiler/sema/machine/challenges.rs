//! The pods by which cert-manager answers for the hosts of ingresses: while a certificate is made, one for each host
//! (cert-manager pkg/issuer/acme/http/pod.go).

use std::collections::BTreeSet;

use crate::base::quantity::{Bytes, Cpu};
use crate::program::{Component, Given, ISSUER, Origin, Service};

/// How these pods are called, up to a hash (cert-manager pkg/issuer/acme/http/http.go).
const NAME: &str = "cm-acme-http-solver";
/// Their request and limit of memory, and their request and limit of CPU, as cert-manager sets them by default
/// (internal/apis/config/controller/v1alpha1/defaults.go, `acmeHTTP01SolverResource..`).
const MEMORY: u64 = 64 << 20;
const CPU: (u64, u64) = (10, 100);
/// The annotations that have cert-manager make the certificate of an Ingress (pkg/controller/certificate-shim).
const ASKS: [&str; 3] = [ISSUER, "cert-manager.io/issuer", "kubernetes.io/tls-acme"];

/// A pod for each host whose certificate cert-manager makes; none where there is no such host, or where the program says
/// itself, by `others cm-acme-http-solver`, what they take. An issuer that asks DNS instead makes none: bzc does not see
/// which it is, and they count.
pub(crate) fn challenges<'a>(
    services: &[Service<'a>],
    components: &[Component<'a>],
    namespace: Given<'a, &'a str>,
) -> Option<Component<'a>> {
    let ingresses = services.iter().flat_map(|service| &service.ingresses);
    let asking = ingresses.filter(|ingress| {
        let issuer = ingress.tls.as_ref().and_then(|tls| tls.issuer);
        let mut annotations = ingress.annotations.iter();
        issuer.is_some() || annotations.any(|(key, _)| ASKS.contains(key))
    });
    let hosts: BTreeSet<&str> = asking.map(|ingress| ingress.host.value).collect();
    if hosts.is_empty() || components.iter().any(|one| one.name == NAME) {
        return None;
    }
    fn given<'a, T>(value: T) -> Given<'a, T> {
        Given {
            value,
            origin: Origin::default("proof.components.challenges"),
        }
    }
    let memory = given(Bytes::new(MEMORY));
    Some(Component {
        name: NAME.into(),
        span: None,
        memory: Some((memory, Some(memory))),
        bound: None,
        seen: None,
        least: None,
        cpu: Some((given(Cpu::milli(CPU.0)), Some(given(Cpu::milli(CPU.1))))),
        containers: 1,
        pods: hosts.len() as u64,
        transient: 0,
        every_node: false,
        nodes: None,
        owned: false,
        image: None,
        foreign: true,
        namespace: Some(namespace),
        of: Vec::new(),
    })
}
