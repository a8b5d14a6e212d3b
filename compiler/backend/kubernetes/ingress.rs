//! The Ingress of a service: its hosts and paths, and the certificates of the hosts.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule,
    IngressServiceBackend, IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::object::own_metadata;
use crate::plan::model::Plan;
use crate::program::{self, ISSUER, Service};

/// The Ingress of a service that has one. All its hosts have one class (BZ5019).
pub(super) fn ingress(plan: &Plan<'_, '_>, service: &Service<'_>) -> Ingress {
    let all = &service.ingresses;
    let mut annotations: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in all.iter().flat_map(|ingress| &ingress.annotations) {
        annotations.insert((*key).to_owned(), value.to_string());
    }
    let mut issuers = all.iter().filter_map(|ingress| ingress.tls.as_ref());
    if let Some(issuer) = issuers.find_map(|tls| tls.issuer.filter(|_| tls.asks)) {
        annotations.insert(ISSUER.to_owned(), issuer.to_owned());
    }
    let mut metadata = own_metadata(plan, service);
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    let class = all.iter().find_map(|ingress| ingress.class);
    Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: Some(class.unwrap_or(program::TRAEFIK).to_owned()),
            rules: Some(rules(service)),
            tls: certificates(service),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    }
}

/// A rule for each host, in the order written, with its paths.
fn rules(service: &Service<'_>) -> Vec<IngressRule> {
    let mut rules: Vec<IngressRule> = Vec::new();
    for ingress in &service.ingresses {
        let host = (ingress.host.value != "*").then(|| ingress.host.value.to_owned());
        let path = HTTPIngressPath {
            path: Some(ingress.path.to_string()),
            path_type: "Prefix".to_owned(),
            backend: IngressBackend {
                service: Some(IngressServiceBackend {
                    name: service.name.value.to_owned(),
                    port: Some(ServiceBackendPort {
                        name: Some(ingress.port.to_owned()),
                        number: None,
                    }),
                }),
                resource: None,
            },
        };
        let known = rules.iter_mut().find(|rule| rule.host == host);
        match known.and_then(|rule| rule.http.as_mut()) {
            Some(http) => http.paths.push(path),
            None => rules.push(IngressRule {
                host,
                http: Some(HTTPIngressRuleValue { paths: vec![path] }),
            }),
        }
    }
    rules
}

/// The Secrets with certificates, each with its hosts.
fn certificates(service: &Service<'_>) -> Option<Vec<IngressTLS>> {
    let mut found: Vec<IngressTLS> = Vec::new();
    for ingress in &service.ingresses {
        let Some(tls) = &ingress.tls else { continue };
        let (host, secret) = (ingress.host.value.to_owned(), tls.secret.to_string());
        let known = found
            .iter_mut()
            .find(|one| one.secret_name.as_ref() == Some(&secret));
        match known.and_then(|one| one.hosts.as_mut()) {
            Some(hosts) if hosts.contains(&host) => {}
            Some(hosts) => hosts.push(host),
            None => found.push(IngressTLS {
                hosts: Some(vec![host]),
                secret_name: Some(secret),
            }),
        }
    }
    (!found.is_empty()).then_some(found)
}
