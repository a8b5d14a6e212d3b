//! The keys of config.yaml, each checked against the table of this K3s.

use std::borrow::Cow;

use super::errors;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{Given, Giver, K3s, Node, Origin, Role, Setting, SettingValue};
use crate::schema;
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::Fields;
use crate::sema::machine::arguments::{arguments, written_or};
use crate::sema::machine::k3s::{k3s_layers, own_k3s_layers};
use crate::sema::machine::node::MOST_PODS;
use crate::sema::machine::registries::{limit, registries};
use crate::sema::placement::taints_of_config;
use crate::sema::values::Cx;
use crate::stdlib::{self, Flag};
use crate::syntax::ast::{Expr, ExprKind};

/// The keys of config.yaml of every node: those all have, and its own over them.
pub(crate) fn settle_settings<'a>(decls: &Decls<'_, 'a>, k3s: &K3s<'a>, nodes: &mut [Node<'a>]) {
    let cx = decls.cx;
    let mixed = nodes.iter().any(|node| node.role != nodes[0].role);
    for node in nodes {
        let mut layers = k3s_layers(decls);
        let shared: Vec<&str> = layers
            .iter()
            .flat_map(|layer| layer.items)
            .map(|item| cx.key(item))
            .collect();
        let own = decls
            .get("node", node.name.value)
            .map(|decl| own_k3s_layers(decls, decl))
            .unwrap_or_default();
        for item in own.iter().flat_map(|layer| layer.items) {
            let key = cx.key(item);
            // What the whole cluster runs is one for all nodes.
            if matches!(key, "version" | "profile") {
                cx.report(errors::own_key_in_node(key, item.key.span));
            }
        }
        let given = |key: &&str| {
            own.iter()
                .flat_map(|layer| layer.items)
                .any(|item| cx.key(item) == *key)
        };
        let for_others: Vec<&str> = shared
            .into_iter()
            .filter(|key| mixed && !given(key))
            .collect();
        layers.extend(own.iter().copied());
        let fields = Fields::new(cx, "k3s", node.name.span, layers);
        node.config = settings(&fields, k3s.minor, node.role, &for_others);
        node.registries = registries(&fields);
        node.limit = limit(&fields, node);
        let taints = taints_of_config(node);
        node.taints.extend(taints);
        take_max_pods(decls, node);
    }
}

/// The keys of config.yaml of a node, each checked against the table of this minor. Sorted by key. `for_others` are
/// those that the program gives for all nodes where some have the other role.
pub(crate) fn settings<'a>(
    fields: &Fields<'_, 'a>,
    minor: u32,
    role: Role,
    for_others: &[&str],
) -> Vec<Setting<'a>> {
    let cx = fields.cx;
    let mut settings: Vec<Setting<'a>> = Vec::new();
    for (key, span) in fields.keys() {
        if schema::keys("k3s").contains(&key) || settings.iter().any(|setting| setting.key == key) {
            continue;
        }
        let Some(flag) = stdlib::flag(key) else {
            let known = stdlib::flags()
                .filter(|flag| flag.status != "removed")
                .map(|flag| flag.key);
            let near = nearest(key, known.chain(schema::keys("k3s").iter().copied()));
            cx.report(errors::unknown_flag(key, span, near));
            continue;
        };
        if for_others.contains(&key) && wrong_role(&flag, role).is_some() {
            continue;
        }
        if !flag_is_there(fields, &flag, minor, role, span) {
            continue;
        }
        if let Some(value) = setting(fields, key, &flag) {
            settings.push(Setting { key, value });
        }
    }
    settings.sort_by_key(|setting| setting.key);
    settings
}

/// `max-pods` as an argument of the kubelet counts as that of the node.
pub(crate) fn take_max_pods<'a>(decls: &Decls<'_, 'a>, node: &mut Node<'a>) {
    let arguments = node
        .config
        .iter()
        .filter_map(|setting| match &setting.value {
            SettingValue::Arguments(arguments) if setting.key == "kubelet-arg" => Some(arguments),
            _ => None,
        });
    let is_max_pods = |name: &str| name.trim_end_matches(['+', '-']) == "max-pods";
    let Some((name, value)) = arguments
        .flatten()
        .find(|(name, _)| is_max_pods(name.value))
    else {
        return;
    };
    if let Some(span) = node.max_pods.origin.span {
        decls
            .cx
            .report(general::given_twice("max-pods", span, name.span));
        return;
    }
    match value.parse() {
        Ok(value) if value <= MOST_PODS => {
            let origin = Origin {
                env: None,
                giver: Giver::Declaration("k3s"),
                name: "kubelet-arg",
                key: "max-pods",
                span: Some(name.span),
            };
            node.max_pods = Given { value, origin };
        }
        Ok(_) | Err(_) => {
            decls
                .cx
                .report(general::out_of_range("max-pods", "0 to 65535", name.span))
        }
    }
}

/// The role in which K3s does not take the key, if it is this one.
pub(crate) fn wrong_role(flag: &Flag, role: Role) -> Option<&'static str> {
    match (flag.scope, role) {
        ("server", Role::Agent) => Some("agent"),
        ("agent", Role::Server) => Some("server"),
        _ => None,
    }
}

/// Whether K3s of this minor takes the key in this role; reports where it does not.
pub(crate) fn flag_is_there(
    fields: &Fields<'_, '_>,
    flag: &Flag,
    minor: u32,
    role: Role,
    span: Span,
) -> bool {
    let cx = fields.cx;
    if flag.status == "removed" {
        cx.report(errors::removed_flag(flag, span));
        return false;
    }
    if let Some(since) = flag.since.filter(|since| minor < *since) {
        cx.report(errors::flag_too_new(flag, since, minor, span));
        return false;
    }
    if let Some(role) = wrong_role(flag, role) {
        cx.report(errors::flag_of_other_role(flag, role, span));
        return false;
    }
    if flag.status == "deprecated" {
        cx.report(errors::deprecated_flag(flag, span));
    }
    true
}

pub(crate) fn setting<'a>(
    fields: &Fields<'_, 'a>,
    key: &'a str,
    flag: &Flag,
) -> Option<SettingValue<'a>> {
    let cx = fields.cx;
    if key.ends_with("-arg") {
        return Some(SettingValue::Arguments(arguments(fields, key)));
    }
    let field = fields.get(key)?;
    let value = field.value(cx)?;
    match flag.kind {
        "bool" => fields.flag(key).map(SettingValue::Bool),
        "int" => cx.count(value).map(SettingValue::Int),
        "duration" => match cx.resolve(value).kind {
            ExprKind::Text => cx.string(value).map(SettingValue::Text),
            _ => cx
                .duration(value)
                .map(|duration| SettingValue::Text(written_or(cx.text(value.span), duration))),
        },
        "list" => {
            let list = cx.list(value)?;
            let texts = list.iter().filter_map(|value| {
                let text = word_or_text(fields, value, flag)?;
                Some(Spanned::new(text, value.span))
            });
            Some(SettingValue::List(texts.collect()))
        }
        _ => word_or_text(fields, value, flag).map(SettingValue::Text),
    }
}

/// A text; where K3s takes one of a closed set, a bare name of that set.
pub(crate) fn word_or_text<'a>(
    fields: &Fields<'_, 'a>,
    value: &'a Expr,
    flag: &Flag,
) -> Option<Cow<'a, str>> {
    let cx = fields.cx;
    let value = cx.resolve(value);
    if let ExprKind::Text = value.kind
        && cx
            .text_literal(value.span)
            .is_some_and(|text| text.trim() != text)
    {
        cx.report(errors::trimmed(flag.key, value.span));
    }
    let text = match (&value.kind, flag.values) {
        (ExprKind::Path, Some(_)) => Cow::Borrowed(cx.text(value.span)),
        (ExprKind::Number, _) => {
            cx.report(errors::number_for_text(
                flag.key,
                cx.text(value.span),
                value.span,
            ));
            return None;
        }
        _ => cx.string(value)?,
    };
    if flag.key == "disable" {
        check_addons(cx, flag, &text, value.span);
    } else if let Some(values) = flag.values {
        let known: Vec<&str> = values.split('|').collect();
        let open = known
            .iter()
            .any(|value| value.contains(' ') || value.contains('.'));
        if !open && !known.contains(&text.as_ref()) {
            cx.report(general::not_one_of(flag.key, &text, value.span, &known));
            return None;
        }
    }
    Some(text)
}

/// Names of manifests in `disable`: K3s splits them at commas and takes any (k3s-io/k3s pkg/deploy/controller.go,
/// `shouldDisableFile`).
fn check_addons(cx: &Cx<'_>, flag: &Flag, text: &str, span: Span) {
    let known = || flag.values.unwrap_or_default().split('|');
    for name in text.split(',').map(str::trim) {
        if name.starts_with("bzc-") || name == "coredns.bzc" {
            cx.report(errors::disables_our_own(name, span));
        } else if !known().any(|known| known == name) {
            cx.report(errors::unknown_addon(name, span, nearest(name, known())));
        }
    }
}
