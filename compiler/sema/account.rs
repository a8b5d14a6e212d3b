//! `service-account`: who pods are for the API server, and what they may ask of it.

mod errors;

use std::borrow::Cow;

use super::decls::{Decl, Decls, fields};
use super::errors as general;
use super::layers::Fields;
use super::names::check_label;
use crate::base::span::{Span, Spanned};
use crate::base::suggest::nearest;
use crate::program::{Account, Rule, Service};
use crate::syntax::ast::ExprKind;

/// What may be done with a resource (Kubernetes, authorization and RBAC).
const VERBS: [&str; 14] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
];

/// Resources of Kubernetes 1.36 by their API group, those that are in no namespace behind the bar.
const RESOURCES: [(&str, &str, &str); 11] = [
    (
        "",
        "configmaps endpoints events limitranges persistentvolumeclaims pods replicationcontrollers resourcequotas secrets \
         serviceaccounts services",
        "componentstatuses namespaces nodes persistentvolumes",
    ),
    (
        "apps",
        "controllerrevisions daemonsets deployments replicasets statefulsets",
        "",
    ),
    ("autoscaling", "horizontalpodautoscalers", ""),
    ("batch", "cronjobs jobs", ""),
    ("coordination.k8s.io", "leases", ""),
    ("discovery.k8s.io", "endpointslices", ""),
    (
        "networking.k8s.io",
        "ingresses networkpolicies",
        "ingressclasses",
    ),
    ("policy", "poddisruptionbudgets", ""),
    (
        "rbac.authorization.k8s.io",
        "rolebindings roles",
        "clusterrolebindings clusterroles",
    ),
    ("scheduling.k8s.io", "", "priorityclasses"),
    (
        "storage.k8s.io",
        "csistoragecapacities",
        "csidrivers csinodes storageclasses volumeattachments",
    ),
];

/// The accounts of the program, sorted by name.
pub(crate) fn accounts<'a>(decls: &Decls<'_, 'a>) -> Vec<Account<'a>> {
    let all = decls.of("service-account");
    all.filter_map(|decl| account(decls, decl)).collect()
}

fn account<'a>(decls: &Decls<'_, 'a>, decl: Decl<'a>) -> Option<Account<'a>> {
    let cx = decls.cx;
    check_label(cx, "service account", decl.name, decl.span);
    let block = fields(decls, "service-account", decl)?;
    block.check_keys("service-account");
    let cluster_wide = block.flag("cluster-wide").unwrap_or_default();
    let mut rules = Vec::new();
    for field in block.all("rule") {
        if let Some(fields) = Fields::of_body(cx, "rule", field) {
            fields.check_keys("rule");
            rules.extend(rule(&fields, cluster_wide));
        }
    }
    Some(Account {
        name: Spanned::new(decl.name, decl.span),
        rules,
        cluster_wide,
        token: block.flag("token"),
    })
}

/// A rule as the program has it: one for each API group of its resources.
fn rule<'a>(fields: &Fields<'_, 'a>, cluster_wide: bool) -> Vec<Rule<'a>> {
    let cx = fields.cx;
    let (resources, urls) = (words(fields, "resources"), words(fields, "urls"));
    let verbs = words(fields, "verbs");
    for (verb, span, is_text) in &verbs {
        if !is_text && !VERBS.contains(&verb.as_ref()) {
            cx.report(errors::unknown_verb(verb, *span, nearest(verb, VERBS)));
        }
    }
    if resources.is_empty() && urls.is_empty() {
        fields.missing(
            "resources",
            "rule { resources = [pods]  verbs = [get, list] }",
        );
    }
    if verbs.is_empty() {
        fields.missing("verbs", "verbs = [get, list, watch]");
    }
    let only = |list: &[Found<'a>]| -> Vec<Cow<'a, str>> {
        list.iter().map(|(word, ..)| word.clone()).collect()
    };
    let names: Vec<Cow<'a, str>> = only(&words(fields, "names"));
    let mut rules: Vec<Rule<'a>> = Vec::new();
    let given = words(fields, "group").into_iter().next();
    for (resource, span, _) in resources {
        let group = match &given {
            Some((group, ..)) => group.clone(),
            None => match group_of(&resource) {
                Some((_, true)) if !cluster_wide => {
                    cx.report(errors::in_no_namespace(&resource, span));
                    continue;
                }
                Some((group, _)) => Cow::Borrowed(group),
                None => {
                    let near = nearest(&resource, known());
                    cx.report(errors::unknown_resource(&resource, span, near));
                    continue;
                }
            },
        };
        match rules
            .iter_mut()
            .find(|rule| rule.group.as_ref() == Some(&group))
        {
            Some(rule) => rule.resources.push(resource),
            None => rules.push(Rule {
                group: Some(group),
                resources: vec![resource],
                verbs: only(&verbs),
                names: names.clone(),
                urls: Vec::new(),
            }),
        }
    }
    if let Some((_, span, _)) = urls.first() {
        if !cluster_wide {
            cx.report(errors::urls_of_one_namespace(*span));
        }
        rules.push(Rule {
            verbs: only(&verbs),
            urls: only(&urls),
            ..Rule::default()
        });
    }
    rules
}

/// A word, where it stands, and whether it is a text.
type Found<'a> = (Cow<'a, str>, Span, bool);

/// The names and texts of a field: a list, or one alone.
fn words<'a>(fields: &Fields<'_, 'a>, key: &'static str) -> Vec<Found<'a>> {
    let cx = fields.cx;
    let Some(value) = fields.get(key).and_then(|field| field.value(cx)) else {
        return Vec::new();
    };
    let all = match (key, &cx.resolve(value).kind) {
        ("group", _) => std::slice::from_ref(value),
        _ => cx.list(value).unwrap_or_default(),
    };
    let word = |one| match cx.resolve(one).kind {
        ExprKind::Text => Some((cx.string(one)?, one.span, true)),
        _ => cx
            .name(one, key)
            .map(|(name, span)| (name.into(), span, false)),
    };
    all.iter().filter_map(word).collect()
}

/// The API group of a resource or a subresource, and whether its objects are in no namespace.
fn group_of(resource: &str) -> Option<(&'static str, bool)> {
    let whole = resource.split('/').next().unwrap_or(resource);
    let has = |names: &str| {
        names
            .split(' ')
            .any(|name| name == whole && !name.is_empty())
    };
    let mut all = RESOURCES.iter();
    all.find_map(
        |(group, inside, outside)| match (has(inside), has(outside)) {
            (true, _) => Some((*group, false)),
            (_, true) => Some((*group, true)),
            _ => None,
        },
    )
}

fn known() -> impl Iterator<Item = &'static str> {
    let all = RESOURCES.iter();
    all.flat_map(|(_, inside, outside)| inside.split(' ').chain(outside.split(' ')))
}

/// Reports accounts that no pod has.
pub(crate) fn check_unused(
    decls: &Decls<'_, '_>,
    accounts: &[Account<'_>],
    services: &[Service<'_>],
) {
    let named = || services.iter().filter_map(|one| one.pod.service_account);
    for account in accounts {
        let name = account.name.value;
        if !named().any(|other| other == name) && !decls.mentioned.contains(name) {
            // An account that the program does not declare may be in the cluster, or be misspelt.
            let others =
                named().filter(|other| accounts.iter().all(|one| one.name.value != *other));
            let finding = general::unused("service-account", name, account.name.span);
            decls.cx.report(match nearest(name, others) {
                Some(near) => finding.help(format!(
                    "a workload names `{near}`, which is not declared: did it mean `{name}`?"
                )),
                None => finding,
            });
        }
    }
}
