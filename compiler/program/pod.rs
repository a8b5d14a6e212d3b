//! Pods: sidecars and init containers, and what is part of a pod and does not matter for the proof.

use super::id::{ExtraId, NodeId};
use crate::base::id::listed;
use std::borrow::Cow;

use super::origin::Given;
use crate::base::quantity::{Bytes, Cpu, Millis};
use crate::base::span::{Span, Spanned};

/// What does not matter for the proof, but is part of the pod.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pod<'a> {
    /// Environment variables, in the order written.
    pub env: Vec<(Spanned<&'a str>, EnvValue<'a>)>,
    /// ConfigMaps whose keys all become variables.
    pub configs: Vec<&'a str>,
    /// Secrets whose keys all become variables.
    pub secrets: Vec<&'a str>,
    /// Replaces the image's entry point.
    pub command: Vec<Cow<'a, str>>,
    /// Replaces the image's arguments.
    pub args: Vec<Cow<'a, str>>,
    /// Probes by kind.
    pub probes: Vec<Probe<'a>>,
    /// Volumes, in the order written.
    pub volumes: Vec<Volume<'a>>,
    /// Where it may run.
    pub place: Place<'a>,
    /// Labels in addition to those that bzc sets.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Annotations of the pod.
    pub annotations: Vec<(&'a str, Cow<'a, str>)>,
    /// How long a pod may take to end.
    pub grace: Option<Millis>,
    /// The service account it runs as.
    pub service_account: Option<&'a str>,
    /// Secrets for pulling its image.
    pub pull_secrets: Vec<&'a str>,
    /// What its processes may do.
    pub security: Option<Box<Security<'a>>>,
    /// When the kubelet pulls its images, if the program says.
    pub pull_policy: Option<&'static str>,
    /// Whether its containers have the network of their node.
    pub host_network: bool,
    /// What the kubelet does in the main container once it has started.
    pub post_start: Option<HookAction<'a>>,
    /// What it does there before the container is to end.
    pub pre_stop: Option<HookAction<'a>>,
    /// The label of nodes over whose values its pods are spread, where there is room.
    pub spread: Option<Cow<'a, str>>,
    /// How many of its pods may be taken away at once.
    pub disruption: Option<Disruption>,
    /// How others reach it.
    pub reach: Reach<'a>,
}

/// What the processes of a pod may do. What the program does not say is Kubernetes' default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Security<'a> {
    /// The numeric user they run as.
    pub run_as: Option<u64>,
    /// Their group.
    pub run_as_group: Option<u64>,
    /// The group that owns the volumes.
    pub fs_group: Option<u64>,
    /// Whether the kubelet refuses to run them as root.
    pub non_root: Option<bool>,
    /// Whether a process may get more rights than its parent has.
    pub escalation: Option<bool>,
    /// Whether the root file system of every container can only be read.
    pub read_only_root: Option<bool>,
    /// Capabilities that every container loses.
    pub drop: Vec<&'a str>,
    /// Capabilities that the main container gets.
    pub add: Vec<&'a str>,
    /// Which system calls they may make.
    pub seccomp: Option<Seccomp<'a>>,
    /// Whether the main container has all rights of the node's root.
    pub privileged: Option<bool>,
}

/// Which system calls the processes of a pod may make.
#[derive(Debug, Clone)]
pub(crate) enum Seccomp<'a> {
    /// Those that the container runtime allows.
    RuntimeDefault,
    /// All.
    Unconfined,
    /// Those of a profile on the node, by its path below the kubelet's folder of profiles.
    Localhost(Cow<'a, str>),
}

/// A way from outside of the cluster to a port of a service: a host and a path of HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Ingress<'a> {
    /// The host; `*` for any.
    pub host: Spanned<&'a str>,
    /// How paths begin that lead here.
    pub path: Cow<'a, str>,
    /// The name of the port.
    pub port: &'a str,
    /// The class of the controller that serves it, as the program gives it.
    pub class: Option<&'a str>,
    /// The Secret with its certificate.
    pub tls: Option<Tls<'a>>,
    /// Annotations of the object.
    pub annotations: Vec<(&'a str, Cow<'a, str>)>,
}

/// The annotation by which cert-manager makes the Secrets that an Ingress names (cert-manager, ingress-shim).
pub(crate) const ISSUER: &str = "cert-manager.io/cluster-issuer";

/// The certificate of a host.
#[derive(Debug, Clone)]
pub(crate) struct Tls<'a> {
    /// The Secret that holds it.
    pub secret: Cow<'a, str>,
    /// The ClusterIssuer of cert-manager that makes it.
    pub issuer: Option<&'a str>,
    /// Whether the Ingress of this service asks the issuer for it: of several with the same Secret one does.
    pub asks: bool,
}

/// Where the pods of a service may run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place<'a> {
    /// Where the program says so.
    pub span: Option<Span>,
    /// The nodes it names, sorted.
    pub named: Option<Vec<NodeId>>,
    /// Labels that a node must have.
    pub selector: Vec<(&'a str, Cow<'a, str>)>,
    /// Taints of nodes that do not keep it away.
    pub tolerations: Vec<(Cow<'a, str>, Span)>,
    /// Whether no two of its pods may share a node.
    pub apart: bool,
    /// What follows: the nodes that may take its pods, sorted; none if all may.
    pub nodes: Option<Vec<NodeId>>,
}

/// A sidecar or an init container.
#[derive(Debug, Clone)]
pub(crate) struct Extra<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Whether it keeps running with the main container (`sidecar`) or must end before that starts (`init`).
    pub stays: bool,
    /// What it runs.
    pub image: Spanned<Cow<'a, str>>,
    /// Memory, as request and limit.
    pub memory: Given<'a, Bytes>,
    /// The request, where an adopted manifest keeps one below the limit.
    pub request: Option<Given<'a, Bytes>>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Environment variables.
    pub env: Vec<(Spanned<&'a str>, EnvValue<'a>)>,
    /// ConfigMaps whose keys all become variables.
    pub configs: Vec<&'a str>,
    /// Secrets whose keys all become variables.
    pub secrets: Vec<&'a str>,
    /// Replaces the image's entry point.
    pub command: Vec<Cow<'a, str>>,
    /// Replaces the image's arguments.
    pub args: Vec<Cow<'a, str>>,
    /// Volumes of the pod by name, and where this container sees them.
    pub mounts: Vec<(&'a str, Cow<'a, str>)>,
}

listed!(ExtraId: Extra<'a>);

/// A port of a container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its number.
    pub number: Spanned<u16>,
    /// The port of every node it is reached by.
    pub node_port: Option<Spanned<u16>>,
    /// The port of the one node it runs on.
    pub host_port: Option<Spanned<u16>>,
    /// UDP rather than TCP.
    pub udp: bool,
}

/// The value of an environment variable.
#[derive(Debug, Clone)]
pub(crate) enum EnvValue<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A key of a Secret.
    Secret(&'a str, Cow<'a, str>),
    /// A key of a ConfigMap.
    Config(&'a str, Cow<'a, str>),
    /// A field of the pod, or an amount of its container, by its path in Kubernetes.
    Field(&'a str),
}

/// What the kubelet does in the main container once it has started, or before it ends.
#[derive(Debug, Clone)]
pub(crate) enum HookAction<'a> {
    /// GET of a path on a port.
    Http(Cow<'a, str>, u16),
    /// Runs a command in the container, at the container's cost.
    Exec(Vec<Cow<'a, str>>),
    /// Waits, in whole seconds.
    Sleep(Millis),
}

/// How many pods of a workload may be taken away at once, by a drain of a node for instance.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disruption {
    /// So many stay.
    MinAvailable(Share),
    /// So many may be missing.
    MaxUnavailable(Share),
}

/// A number of pods.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// So many.
    Pods(u64),
    /// A part of all.
    Percent(u64),
}

/// How others reach the pods of a workload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach<'a> {
    /// The type of its Service, as the program gives it.
    pub service_type: Option<ServiceType>,
    /// Whether its Service has no address of its own, as the program gives it.
    pub headless: Option<bool>,
    /// Who may open connections to it; none if all may.
    pub allow_from: Option<Vec<Peer<'a>>>,
}

/// The type of a Kubernetes Service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServiceType {
    /// An address within the cluster.
    ClusterIp,
    /// Also a port of every node.
    NodePort,
    /// Also an address from a load balancer: K3s's takes the Service's ports on the nodes.
    LoadBalancer,
}

impl ServiceType {
    /// As Kubernetes writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            ServiceType::ClusterIp => "ClusterIP",
            ServiceType::NodePort => "NodePort",
            ServiceType::LoadBalancer => "LoadBalancer",
        }
    }
}

/// Who may open connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer<'a> {
    /// The pods of a workload of the program.
    Workload(&'a str),
    /// All pods of a namespace.
    Namespace(Cow<'a, str>),
}

/// Which probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeKind {
    /// Whether requests may come.
    Readiness,
    /// Whether it must be restarted.
    Liveness,
    /// Whether it has started.
    Startup,
}

/// A probe.
#[derive(Debug, Clone)]
pub(crate) struct Probe<'a> {
    /// Which.
    pub kind: ProbeKind,
    /// What it does.
    pub action: ProbeAction<'a>,
    /// Wait before the first.
    pub delay: Option<Millis>,
    /// Time between two.
    pub period: Option<Millis>,
    /// How long one may take.
    pub timeout: Option<Millis>,
    /// Failures in a row that count.
    pub failures: Option<u64>,
}

/// What a probe does.
#[derive(Debug, Clone)]
pub(crate) enum ProbeAction<'a> {
    /// GET of a path on a port.
    Http(Cow<'a, str>, u16),
    /// Opens a port.
    Tcp(u16),
    /// Runs a command in the container, at the container's cost.
    Exec(Vec<Cow<'a, str>>, Span),
}

/// A volume.
#[derive(Debug, Clone)]
pub(crate) struct Volume<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// Where the container sees it.
    pub path: Cow<'a, str>,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// What it is.
    pub source: VolumeSource<'a>,
}

/// What a volume is.
#[derive(Debug, Clone)]
pub(crate) enum VolumeSource<'a> {
    /// A PersistentVolumeClaim that exists, which all pods share.
    Claim(&'a str),
    /// Claims that each pod of an adopted StatefulSet keeps.
    OwnClaims,
    /// Claims that the program makes: one for each pod of a StatefulSet, or one that all pods of another workload share.
    Storage(Storage<'a>),
    /// A ConfigMap.
    Config(&'a str),
    /// A Secret: its bytes lie in memory that no pod pays for.
    Secret(&'a str),
    /// A folder on disk that lives as long as the pod.
    Disk(Option<Bytes>),
    /// The same in memory, charged to the container.
    Memory(Given<'a, Bytes>),
    /// A folder of the node.
    Host(Cow<'a, str>),
}

/// A claim that the program makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage<'a> {
    /// How much it asks for.
    pub size: Bytes,
    /// Its storage class; none for the cluster's default.
    pub class: Option<&'a str>,
    /// Whether pods on several nodes may use it at once (`ReadWriteMany`).
    pub many: bool,
}
