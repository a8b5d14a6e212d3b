//! Machines, and what K3s is on them.

use super::id::{ComponentId, NodeId};
use crate::base::id::listed;
use std::borrow::Cow;

use super::origin::Given;
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::{Span, Spanned};
use crate::stdlib::Release;

/// What a machine is in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs the control plane and pods.
    Server,
    /// Runs pods only.
    Agent,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// None is placed there.
    NoSchedule,
    /// None is placed there while another node has room.
    PreferNoSchedule,
    /// None is placed there, and none stays.
    NoExecute,
}

impl Effect {
    /// All of them, as Kubernetes calls them.
    pub(crate) const NAMES: [(&'static str, Effect); 3] = [
        ("NoSchedule", Effect::NoSchedule),
        ("PreferNoSchedule", Effect::PreferNoSchedule),
        ("NoExecute", Effect::NoExecute),
    ];

    /// As Kubernetes calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        }
    }
}

/// What keeps pods from a node that do not tolerate it.
#[derive(Debug, Clone)]
pub(crate) struct Taint {
    /// What it is called; tolerations name it.
    pub key: String,
    /// What follows its `=`.
    pub value: String,
    /// What it does.
    pub effect: Effect,
    /// Whether `node-taint` of K3s's own keys has it.
    pub in_config: bool,
}

impl Taint {
    /// Reads `KEY`, `KEY:EFFECT`, `KEY=VALUE` and `KEY=VALUE:EFFECT`. A value left out is `true`, an effect `NoSchedule`.
    pub(crate) fn parse(text: &str) -> Option<Taint> {
        let (rest, effect) = match text.rsplit_once(':') {
            Some((rest, effect)) => {
                let known = Effect::NAMES.iter().find(|(name, _)| *name == effect)?;
                (rest, known.1)
            }
            None => (text, Effect::NoSchedule),
        };
        let (key, value) = rest.split_once('=').unwrap_or((rest, "true"));
        (!key.is_empty()).then(|| Taint {
            key: key.to_owned(),
            value: value.to_owned(),
            effect,
            in_config: false,
        })
    }

    /// Whether it keeps pods away, rather than prefer that they go elsewhere.
    pub(crate) fn keeps_away(&self) -> bool {
        self.effect != Effect::PreferNoSchedule
    }
}

/// The architectures that K3s is released for and a node may have, as Kubernetes calls them.
pub(crate) const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// The labels that a kubelet gives its node by its architecture (pkg/kubelet/kubelet_node_status.go).
pub(crate) const OF_ARCHITECTURE: [&str; 2] = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/// What K3s gives every node (k3s pkg/agent/run.go and its cloud provider, pkg/cloudprovider/instances.go).
const OF_EVERY_NODE: [(&str, &str); 4] = [
    ("kubernetes.io/os", "linux"),
    ("beta.kubernetes.io/os", "linux"),
    ("node.kubernetes.io/instance-type", "k3s"),
    ("beta.kubernetes.io/instance-type", "k3s"),
];

/// What a node has of a resource that is counted by its name.
#[derive(Debug, Clone)]
pub(crate) struct Supply<'a> {
    /// As Kubernetes calls it: `ephemeral-storage`, `nvidia.com/gpu`.
    pub resource: &'a str,
    /// What the program says: bytes, or pieces.
    pub has: Given<'a, u64>,
    /// What the kubelet keeps of it from pods, with what is reserved.
    pub kept: u64,
    /// What the program reserves of it.
    pub reserved: u64,
}

impl Supply<'_> {
    /// What the scheduler may give to pods.
    pub(crate) fn usable(&self) -> u64 {
        self.has.value.saturating_sub(self.kept)
    }
}

/// What one pod asks for of a resource that is counted by its name.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    /// As Kubernetes calls it.
    pub resource: String,
    /// Bytes, or pieces, that the scheduler counts.
    pub each: Given<'a, u64>,
}

/// The name of the storage that containers write to and that ends with their pod.
pub(crate) const EPHEMERAL: &str = "ephemeral-storage";

/// A machine.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// Its name.
    pub name: Spanned<&'a str>,
    /// `MemTotal`.
    pub memory: Given<'a, Bytes>,
    /// What it has to compute with; without it nothing is known of CPU.
    pub cpu: Option<Given<'a, Cpu>>,
    /// CPU of it that no pod gets, for the OS and K3s: `cpu` is without it.
    pub reserved_cpu: Option<Cpu>,
    /// Local disk that no pod gets, for requests of `ephemeral-storage`.
    pub reserved_disk: Option<Bytes>,
    /// What the OS and everything else that is not K3s takes; without it isolation is unknown.
    pub reserve: Option<Given<'a, Bytes>>,
    /// `memory.available` under which the kubelet evicts.
    pub eviction: Given<'a, Bytes>,
    /// Server or agent.
    pub role: Role,
    /// How far limits may exceed what pods have, in percent; `None` means not at all.
    pub overcommit: Option<Given<'a, u64>>,
    /// Pods the kubelet takes.
    pub max_pods: Given<'a, u64>,
    /// What it has of resources that are counted by their names: `ephemeral-storage`, and devices.
    pub supplies: Vec<Supply<'a>>,
    /// Labels of its Node object.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Its architecture, one of `ARCHITECTURES`; `None` where the program does not say.
    pub arch: Option<&'static str>,
    /// Its taints: those of `taints`, and those of its `node-taint`.
    pub taints: Vec<Taint>,
    /// Where other nodes reach it; by its name if it does not say.
    pub address: Option<Cow<'a, str>>,
    /// What K3s takes there.
    pub process: Process<'a>,
    /// Right behind its declaration.
    pub behind: Span,
    /// Keys of its config.yaml, sorted.
    pub config: Vec<Setting<'a>>,
    /// What K3s's own process is held to.
    pub limit: Option<Given<'a, Bytes>>,
    /// Registries, sorted, and the mirrors that are asked for their images, in this order.
    pub registries: Vec<(&'a str, Vec<Cow<'a, str>>)>,
}

listed!(NodeId: Node<'a>);

impl<'a> Node<'a> {
    /// What its config.yaml sets a key to.
    pub(crate) fn setting(&self, key: &str) -> Option<&SettingValue<'a>> {
        self.config
            .iter()
            .find(|setting| setting.key == key)
            .map(|setting| &setting.value)
    }
}

impl Node<'_> {
    /// What it says it has of a resource by name.
    pub(crate) fn supply(&self, resource: &str) -> Option<&Supply<'_>> {
        let mut all = self.supplies.iter();
        all.find(|supply| supply.resource == resource)
    }

    /// The labels that K3s gives it whatever its role and its name are.
    pub(crate) fn labels_of_k3s(&self) -> impl Iterator<Item = (&str, &str)> {
        let arch = self.arch.into_iter();
        let of_arch = arch.flat_map(|arch| OF_ARCHITECTURE.map(|key| (key, arch)));
        OF_EVERY_NODE.into_iter().chain(of_arch)
    }

    /// The labels that the program gives it: its `labels`, and those of `node-label`.
    pub(crate) fn given_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self
            .labels
            .iter()
            .map(|(key, value)| (*key, value.as_ref()));
        let more = match self.setting("node-label") {
            Some(SettingValue::List(more)) => more.as_slice(),
            _ => &[],
        };
        let more = more.iter();
        own.chain(more.map(|label| label.value.split_once('=').unwrap_or((&label.value, ""))))
    }

    /// The unit of systemd that K3s's installer makes for it.
    pub(crate) const fn unit(&self) -> &'static str {
        match self.role {
            Role::Server => "k3s",
            Role::Agent => "k3s-agent",
        }
    }

    /// The name it has in the cluster: what its config.yaml says, or its name in the program.
    pub(crate) fn cluster_name(&self) -> &str {
        match self.setting("node-name") {
            Some(SettingValue::Text(name)) => name,
            _ => self.name.value,
        }
    }
}

/// What `k3s { }` says.
#[derive(Debug)]
pub(crate) struct K3s<'a> {
    /// The version as written, and its minor.
    pub version: Option<Given<'a, &'a str>>,
    /// Right behind the `{` of its block, if it has one.
    pub inside: Option<Span>,
    /// The Kubernetes minor whose tables apply.
    pub minor: u32,
    /// The release that the version names.
    pub release: Option<Release>,
}

/// What K3s takes on one node, in addition to the pods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process<'a> {
    /// Anonymous memory of the K3s process of a server or an agent at its peak (`RssAnon` of `/proc/PID/status`).
    pub memory: Given<'a, Bytes>,
    /// Pages of the binary that K3s and containerd both run from and that have to stay resident, once a node.
    pub file_pages: Given<'a, Bytes>,
    /// Anonymous memory of containerd.
    pub containerd: Given<'a, Bytes>,
    /// containerd's shim of one pod, and the kernel's memory for it that no pod pays for.
    pub shim: Given<'a, Bytes>,
    /// What K3s and containerd grow by for each pod beyond `pods_measured`.
    pub pod_growth: Given<'a, Bytes>,
    /// What K3s takes for the custom resources of Traefik, which it installs unless `traefik` is disabled. `None` where
    /// `memory` was measured and has them in it.
    pub traefik_crds: Option<Given<'a, Bytes>>,
    /// What a server takes while K3s of another node starts and joins it. `None` on an agent, and where `memory` was
    /// measured and has that in it.
    pub joins: Option<Given<'a, Bytes>>,
    /// The number of pods with which `memory` and `containerd` were measured.
    pub pods_measured: Given<'a, u64>,
}

/// One key of config.yaml.
#[derive(Debug, Clone)]
pub(crate) struct Setting<'a> {
    /// As K3s spells it.
    pub key: &'a str,
    /// What it is set to.
    pub value: SettingValue<'a>,
}

/// What a key of config.yaml is set to.
#[derive(Debug, Clone)]
pub(crate) enum SettingValue<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(u64),
    /// Text, printed quoted where a YAML reader could take it for something else.
    Text(Cow<'a, str>),
    /// A list of texts.
    List(Vec<Spanned<Cow<'a, str>>>),
    /// `key=value` arguments of a component, sorted by key.
    Arguments(Vec<(Spanned<&'a str>, Cow<'a, str>)>),
}

/// How a packaged component is run.
#[derive(Debug, Clone)]
pub(crate) struct Component<'a> {
    /// Its name, K3s's own.
    pub name: Cow<'a, str>,
    /// Where the program changes it.
    pub span: Option<Span>,
    /// Request and limit of memory. `None` where K3s sets neither.
    pub memory: Option<(Given<'a, Bytes>, Option<Given<'a, Bytes>>)>,
    /// What a limit range must allow a pod that has no limit of its own.
    pub bound: Option<Given<'a, Bytes>>,
    /// The most that one was seen to take, where the library knows it.
    pub seen: Option<Given<'a, Bytes>>,
    /// The least limit that it works with, where one is known.
    pub least: Option<Given<'a, Bytes>>,
    /// Request and limit of CPU.
    pub cpu: Option<(Given<'a, Cpu>, Option<Given<'a, Cpu>>)>,
    /// Containers in one pod.
    pub containers: u64,
    /// Pods at rest.
    pub pods: u64,
    /// Pods beyond those, at most, while it is rolled out or on its way out.
    pub transient: u64,
    /// Whether it is a DaemonSet: `pods` is then the number on each node that takes it.
    pub every_node: bool,
    /// The nodes to which a label holds it; `None` if it may be on all that take packaged pods.
    pub nodes: Option<Vec<NodeId>>,
    /// Whether bzc writes its manifest, because the program changes it or the library says so.
    pub owned: bool,
    /// The image that the program gives it instead of K3s's.
    pub image: Option<Given<'a, Cow<'a, str>>>,
    /// Whether it is none of K3s's, but pods the program says there are.
    pub foreign: bool,
    /// The namespace of these pods, where the program says it.
    pub namespace: Option<Given<'a, &'a str>>,
    /// Adopted objects that make these pods, as `KIND/NAME` or `NAMESPACE/KIND/NAME`.
    pub of: Vec<Spanned<Cow<'a, str>>>,
}

listed!(ComponentId: Component<'a>);

impl Component<'_> {
    /// Whether K3s's load balancer makes its pods.
    pub(crate) fn of_balancer(&self) -> bool {
        self.name.starts_with("svclb-") && !self.foreign
    }

    /// Who brings it, behind its name.
    pub(crate) const fn whose(&self) -> &'static str {
        if self.foreign {
            "which bzc does not manage"
        } else {
            "which K3s packages"
        }
    }
}
