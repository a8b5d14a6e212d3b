//! Addresses of pods: each node has a range out of `cluster-cidr`, and a pod more than it has addresses waits for one
//! for ever. From `max-pods` of the nodes comes the mask that the controller manager is given.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::errors;
use crate::base::span::{Span, Spanned};
use crate::program::{Node, Role, Setting, SettingValue};
use crate::sema::decls::Decls;

const ARGUMENTS: &str = "kube-controller-manager-arg";
/// The range of K3s (k3s-io/k3s pkg/cli/cmds/server.go) and the mask of the controller manager (kubernetes
/// pkg/controller/nodeipam/config), where none is given.
const CLUSTER: (&str, u32) = ("10.42.0.0/16", 24);
/// Of a range the first address is its name, the second the bridge of the node, the last the broadcast
/// (containernetworking/plugins plugins/ipam/host-local/backend/allocator/range.go).
const NOT_FOR_PODS: u64 = 3;

/// Addresses that pods of one node can have.
fn addresses(mask: u32) -> u64 {
    (1_u64 << 32_u32.saturating_sub(mask)).saturating_sub(NOT_FOR_PODS)
}

/// Gives every server the mask that `max-pods` of all nodes need; an error where there is none.
pub(crate) fn settle<'a>(decls: &Decls<'_, 'a>, nodes: &mut [Node<'a>]) {
    let most = nodes.iter().max_by_key(|node| node.max_pods.value);
    let Some((pods, Some(span))) =
        most.map(|node| (node.max_pods.value, node.max_pods.origin.span))
    else {
        return;
    };
    let Some(server) = nodes.iter().find(|node| node.role == Role::Server) else {
        return;
    };
    let Some((prefix, dual)) = cluster_prefix(server) else {
        return;
    };
    let name = match dual {
        true => "node-cidr-mask-size-ipv4",
        false => "node-cidr-mask-size",
    };
    let given = argument(server, name);
    // 0 is the default to the controller-manager.
    let written = given.and_then(|(text, _)| text.parse().ok());
    let mask = written.filter(|mask| *mask != 0).unwrap_or(CLUSTER.1);
    if pods <= addresses(mask) {
        return;
    }
    let report = |why: String, also: Option<Span>| {
        decls
            .cx
            .report(errors::too_few_addresses(pods, &why, span, also));
    };
    if let Some((_, place)) = given {
        let why = format!("`{name}` gives a node {}", addresses(mask));
        return report(why, Some(place));
    }
    let count = u64::try_from(nodes.len()).unwrap_or(u64::MAX);
    let wide = |mask: &u32| addresses(*mask) >= pods;
    let Some(mask) = (prefix..CLUSTER.1).rev().find(wide) else {
        let why = format!("all of `cluster-cidr` has {}", addresses(prefix));
        return report(why, None);
    };
    if count > 1_u64 << (mask - prefix) {
        let why = format!(
            "`cluster-cidr` has {} such ranges for {count} nodes",
            1_u64 << (mask - prefix)
        );
        return report(why, None);
    }
    for node in nodes.iter_mut().filter(|node| node.role == Role::Server) {
        let pair = (Spanned::new(name, span), Cow::Owned(mask.to_string()));
        let setting = node
            .config
            .iter_mut()
            .find(|setting| setting.key == ARGUMENTS);
        match setting.map(|setting| &mut setting.value) {
            Some(SettingValue::Arguments(arguments)) => {
                arguments.push(pair);
                arguments.sort_by_key(|(name, _)| name.value);
            }
            _ => {
                node.config.push(Setting {
                    key: ARGUMENTS,
                    value: SettingValue::Arguments(vec![pair]),
                });
                node.config.sort_by_key(|setting| setting.key);
            }
        }
    }
}

/// The length of the prefix of the cluster's range of IPv4, and whether there is one of IPv6 beside it.
fn cluster_prefix(server: &Node<'_>) -> Option<(u32, bool)> {
    let texts: Vec<&str> = match server.setting("cluster-cidr") {
        Some(SettingValue::List(items)) => items
            .iter()
            .flat_map(|item| item.value.split(','))
            .collect(),
        _ => vec![CLUSTER.0],
    };
    let prefix = |text: &&str| {
        let (address, bits) = text.trim().split_once('/')?;
        address.parse::<Ipv4Addr>().ok()?;
        bits.parse().ok().filter(|bits| *bits <= 32)
    };
    Some((texts.iter().find_map(prefix)?, texts.len() > 1))
}

/// What an argument of the controller manager is set to, and where.
fn argument<'n>(server: &'n Node<'_>, name: &str) -> Option<(&'n str, Span)> {
    let Some(SettingValue::Arguments(arguments)) = server.setting(ARGUMENTS) else {
        return None;
    };
    let (name, text) = arguments.iter().find(|(other, _)| other.value == name)?;
    Some((text, name.span))
}
