//! `node`: a machine, and what K3s takes on it.

use super::errors;
use super::supplies::supplies;
use crate::base::quantity::{Bytes, Cpu};
use crate::base::span::Spanned;
use crate::program::{ARCHITECTURES, Given, Giver, Node, Origin, Process, Role};
use crate::sema::decls::{Decl, Decls, fields};
use crate::sema::errors as general;
use crate::sema::layers::{Field, Fields, Layer};
use crate::sema::machine::k3s::{k3s_layers, own_k3s_layers};
use crate::sema::names::{check_label, labels};
use crate::sema::placement::{has_etcd, taints};

/// More pods than any node takes.
pub(crate) const MOST_PODS: u64 = 65_535;

/// What a node is in the cluster: a server, unless it says otherwise.
pub(crate) fn role_of(fields: &Fields<'_, '_>) -> Role {
    let Some(given) = fields.name("role") else {
        return Role::Server;
    };
    match given.value {
        "server" => Role::Server,
        "agent" => Role::Agent,
        other => {
            let span = given.origin.span.unwrap_or(fields.span);
            fields.cx.report(general::not_one_of(
                "role",
                other,
                span,
                &["server", "agent"],
            ));
            Role::Server
        }
    }
}

/// The architecture of a node, if it says one.
fn arch_of(fields: &Fields<'_, '_>) -> Option<&'static str> {
    let given = fields.name("arch")?;
    let known = ARCHITECTURES.iter().find(|known| **known == given.value);
    if known.is_none() {
        let span = given.origin.span.unwrap_or(fields.span);
        fields.cx.report(general::not_one_of(
            "arch",
            given.value,
            span,
            &ARCHITECTURES,
        ));
    }
    known.copied()
}

pub(crate) fn nodes<'a>(decls: &Decls<'_, 'a>) -> Vec<Node<'a>> {
    let all = decls
        .of("node")
        .filter_map(|decl| fields(decls, "node", decl));
    let servers = all.filter(|fields| role_of(fields) == Role::Server).count();
    decls
        .of("node")
        .filter_map(|decl| {
            let cx = decls.cx;
            let fields = fields(decls, "node", decl)?;
            fields.check_keys("node");
            check_label(cx, "node", decl.name, decl.span);
            let role = role_of(&fields);
            let cpu = fields.cpu("cpu");
            let (reserve, reserved_cpu, reserved_disk) = reserve(&fields, cpu);
            // Pods compute with what is left.
            let cpu = match (cpu, reserved_cpu) {
                (Some(given), Some(reserved)) => Some(Given {
                    value: Cpu::milli(given.value.milli - reserved.milli),
                    ..given
                }),
                (cpu, _) => cpu,
            };
            let eviction = fields
                .memory("eviction-hard")
                .or_else(|| library_memory(decls, "node", "eviction-hard"));
            if let Some((given, span)) =
                eviction.and_then(|given| Some((given, given.origin.span?)))
                && given.value.n == 0
            {
                cx.report(general::out_of_range(
                    "eviction-hard",
                    "more than 0: with 0 the kubelet does not start",
                    span,
                ));
            }
            let overcommit = fields.percent("overcommit");
            if let Some(given) = overcommit.filter(|given| given.value > 10_000) {
                cx.report(general::out_of_range(
                    "overcommit",
                    "at most 10000%",
                    given.origin.span.unwrap_or(decl.span),
                ));
            }
            if let Some(given) = overcommit.filter(|given| given.value < 100) {
                cx.report(errors::overcommit_below_all(
                    given.value,
                    given.origin.span.unwrap_or(decl.span),
                ));
            }
            let max_pods = fields.count("max-pods").unwrap_or(Given {
                value: 110,
                origin: Origin::default("kubelet.max-pods"),
            });
            let Some(memory) = fields.memory("memory") else {
                if fields.get("memory").is_none() {
                    fields.missing("memory", "memory = 3800Mi");
                }
                return None;
            };
            Some(Node {
                name: Spanned::new(decl.name, decl.span),
                memory,
                cpu,
                reserved_cpu,
                reserved_disk,
                reserve,
                eviction: eviction?,
                role,
                overcommit,
                max_pods,
                supplies: supplies(&fields, reserved_disk),
                labels: labels(&fields, "labels"),
                arch: arch_of(&fields),
                taints: taints(&fields),
                address: fields.string("address").map(|given| given.value),
                process: process(decls, decl, role, servers)?,
                behind: decl.item.span.after(),
                // Known once K3s is: `settle_settings`.
                config: Vec::new(),
                limit: None,
                registries: Vec::new(),
            })
        })
        .collect()
}

type Reserved<'a> = (Option<Given<'a, Bytes>>, Option<Cpu>, Option<Bytes>);

/// What no pod gets of a node that has so much CPU: `reserve = 300Mi`, or a block with CPU and disk.
fn reserve<'a>(fields: &Fields<'_, 'a>, cpu: Option<Given<'a, Cpu>>) -> Reserved<'a> {
    let cx = fields.cx;
    let has_block = |field: &Field<'a>| field.item.body.is_some();
    let Some(field) = fields.get("reserve").filter(has_block) else {
        return (fields.memory("reserve"), None, None);
    };
    let Some(block) = Fields::of_body(cx, "reserve", field) else {
        return (None, None, None);
    };
    block.check_keys("reserve");
    let reserved = block.cpu("cpu");
    let too_much = reserved.filter(|given| {
        let has = cpu.map(|cpu| cpu.value.milli);
        has.is_some_and(|has| given.value.milli >= has)
    });
    if let Some(given) = too_much {
        let span = given.origin.span.unwrap_or(block.span);
        cx.report(general::out_of_range("cpu", "less than the node has", span));
    }
    let reserved = reserved.filter(|_| too_much.is_none());
    let (memory, disk) = (block.memory("memory"), block.memory("disk"));
    (
        memory.map(|given| Given {
            origin: Origin {
                key: "reserve",
                ..given.origin
            },
            ..given
        }),
        reserved.map(|given| given.value),
        disk.map(|given| given.value),
    )
}

/// A figure of the library: `figures NAME { KEY = .. }` in `std/k3s.bz`.
pub(crate) fn library_memory<'a>(
    decls: &Decls<'_, 'a>,
    name: &str,
    key: &'a str,
) -> Option<Given<'a, Bytes>> {
    library_fields(decls, name)?.memory(key)
}

fn library_fields<'c, 'a>(decls: &Decls<'c, 'a>, name: &str) -> Option<Fields<'c, 'a>> {
    let decl = decls.get("figures", name)?;
    let items = &decl.item.body.as_ref()?.items;
    let layer = Layer {
        env: None,
        giver: Giver::Library,
        name: "k3s",
        items,
    };
    Some(Fields::new(decls.cx, "figures", decl.span, vec![layer]))
}

/// What K3s takes on a node: what the node says; what the program says of its servers, or of all where it has none;
/// the library's figure.
pub(crate) fn process<'a>(
    decls: &Decls<'_, 'a>,
    node: Decl<'a>,
    role: Role,
    servers: usize,
) -> Option<Process<'a>> {
    let (shared, own) = (k3s_layers(decls), own_k3s_layers(decls, node));
    let all = Fields::new(
        decls.cx,
        "k3s",
        node.span,
        shared.iter().chain(&own).copied().collect(),
    );
    let measured = match role {
        Role::Agent if servers > 0 => Fields::new(decls.cx, "k3s", node.span, own),
        Role::Agent | Role::Server => all.clone(),
    };
    let figures = match role {
        Role::Server if has_etcd(servers, &all) => "server-with-etcd",
        Role::Server => "server",
        Role::Agent => "agent",
    };
    let figure = |key: &'a str| {
        measured
            .memory(key)
            .or_else(|| library_memory(decls, figures, key))
    };
    // A figure that the program measured has these in it.
    let in_memory = |key: &'a str| match measured.get("memory") {
        Some(_) => None,
        None => library_memory(decls, figures, key),
    };
    Some(Process {
        memory: figure("memory")?,
        containerd: figure("containerd")?,
        file_pages: figure("file-pages")?,
        shim: figure("shim")?,
        pod_growth: library_memory(decls, figures, "pod-growth")?,
        pods_measured: library_fields(decls, figures)?.count("pods-measured")?,
        traefik_crds: in_memory("traefik-crds"),
        joins: in_memory("joins"),
    })
}
