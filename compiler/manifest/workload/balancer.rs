//! Services of type LoadBalancer, for which K3s makes pods of its own.

use std::ops::Range;

use super::place::HostPort;
use super::reader::Reader;
use crate::manifest::tree::{Fault, Yaml};

/// A Service of type LoadBalancer that no other load balancer is named for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Balancer {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// What its pods are called: `svclb-NAME`, with the namespace in it where several Services have the name.
    pub known_as: String,
    /// Where its name stands.
    pub at: Range<usize>,
    /// The nodes it chooses among those of the load balancer, by a label of its own.
    pub pool: Option<String>,
    /// How many ports it has: each is a container of its own.
    pub containers: u64,
    /// Those of TCP and UDP, which the pods take on their nodes.
    pub ports: Vec<HostPort>,
}

/// The annotation by which the pods get another class of priority than `system-node-critical`
/// (k3s pkg/cloudprovider/servicelb.go).
const PRIORITY: &str = "svccontroller.k3s.cattle.io/priorityclassname";

/// The label of a Service, and of nodes, that chooses among the nodes of the load balancer.
pub(crate) const POOL: &str = "svccontroller.k3s.cattle.io/lbpool";

impl<'t> Reader<'t> {
    /// What a Service asks of K3s's load balancer; none if it asks nothing. With a `loadBalancerClass` it asks another one
    /// (k8s.io/cloud-provider controllers/service).
    pub(super) fn balancer(
        &self,
        service: &'t Yaml,
        name: &str,
        namespace: Option<&str>,
    ) -> Result<Option<Balancer>, Fault> {
        let Some(spec) = self.get(service, "spec") else {
            return Ok(None);
        };
        let is_balanced = self.text(spec, "type").as_deref() == Some("LoadBalancer")
            && self.get(spec, "loadBalancerClass").is_none();
        if !is_balanced {
            return Ok(None);
        }
        let listed = self.items(spec, "ports")?;
        let mut ports = Vec::new();
        for port in listed {
            let udp = match self.text(port, "protocol").as_deref() {
                None | Some("TCP") => false,
                Some("UDP") => true,
                Some(_) => continue,
            };
            let Some(found) = self.get(port, "port") else {
                continue;
            };
            let Some(number) = found.text(self.source).and_then(|text| text.parse().ok()) else {
                return Err(Fault {
                    at: found.range(),
                    what: "it is no port".to_owned(),
                });
            };
            ports.push(HostPort {
                number,
                udp,
                at: found.range(),
            });
        }
        Ok(Some(Balancer {
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            known_as: format!("svclb-{name}"),
            at: self.named_at(service),
            pool: self
                .get(service, "metadata")
                .and_then(|metadata| self.get(metadata, "labels"))
                .and_then(|labels| self.text(labels, POOL))
                .filter(|pool| !pool.is_empty()),
            containers: listed.len() as u64,
            ports,
        }))
    }

    /// Whether the pods of a Service have a class of priority that bzc does not follow.
    pub(super) fn has_other_priority(&self, metadata: &'t Yaml) -> bool {
        let annotations = self.get(metadata, "annotations");
        annotations.is_some_and(|all| self.get(all, PRIORITY).is_some())
    }
}
