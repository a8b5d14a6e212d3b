//! What an `adopt` says: rules about workloads and containers, and what is kept.

use std::cell::RefCell;

use super::errors;
use crate::base::quantity::Bytes;
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::manifest::Manifest;
use crate::manifest::workload::{Surge, Workload, WorkloadKind};
use crate::program::{
    AdoptId, Concurrency, Form, Given, Giver, ManifestId, Origin, Rollout, TierId,
};
use crate::sema::decls::Decls;
use crate::sema::errors as general;
use crate::sema::layers::{Fields, Layer};
use crate::sema::names::check_label;
use crate::sema::workload::resources::rollout;
use crate::syntax::ast::Item;

/// `workload NAME { .. }` or `workload NAME/CONTAINER { .. }`.
pub(super) struct Rule<'c, 'a> {
    pub(super) workload: &'a str,
    pub(super) container: Option<&'a str>,
    pub(super) span: Span,
    pub(super) fields: Fields<'c, 'a>,
    pub(super) tier: Option<TierId>,
}

/// `keep NAME` or `keep NAME/CONTAINER`.
pub(super) struct Keep<'a> {
    pub(super) workload: &'a str,
    pub(super) container: Option<&'a str>,
    pub(super) span: Span,
}

/// One `adopt`, read.
pub(super) struct Reading<'c, 'a> {
    pub(super) decls: &'c Decls<'c, 'a>,
    pub(super) pattern: &'a str,
    pub(super) general: Fields<'c, 'a>,
    pub(super) tier: Option<TierId>,
    pub(super) rules: Vec<Rule<'c, 'a>>,
    pub(super) keeps: Vec<Keep<'a>>,
    pub(super) form: Form,
    /// What a container without a limit is assumed to take.
    pub(super) unlimited: Option<Given<'a, Bytes>>,
    pub(super) adopt: AdoptId,
    /// Containers that no rule is about.
    pub(super) unmatched: RefCell<Vec<errors::Unmatched>>,
}

pub(super) fn reading<'c, 'a>(
    decls: &'c Decls<'c, 'a>,
    item: &'a Item,
    adopt: AdoptId,
) -> Option<Reading<'c, 'a>> {
    let cx = decls.cx;
    let pattern = cx.word(item.names[0]);
    let own = Fields::new(
        cx,
        "adopt",
        item.key.span,
        vec![layer("adopt", pattern, item)],
    );
    own.check_keys("adopt");
    if let Some(word) = item.overriding() {
        cx.report(general::overrides_nothing("adopt", item.key.span, word));
    }
    let (general, tier) = with_tier(decls, &own, "adopt", pattern, item);
    let unlimited = own.memory("unlimited");
    // Its patterns were read with those of the `adopt`.
    let _ = own.strings("except");
    check_helm(&own);
    let mut form = Form::Copy;
    if let Some(given) = own.name("patch") {
        form = match given.value {
            "kustomize" => Form::Kustomize,
            "copy" => Form::Copy,
            "in-place" => Form::InPlace,
            other => {
                let place = given.origin.span.unwrap_or(item.key.span);
                cx.report(general::not_one_of(
                    "patch",
                    other,
                    place,
                    &["kustomize", "copy", "in-place"],
                ));
                return None;
            }
        };
    }
    let mut rules: Vec<Rule<'c, 'a>> = Vec::new();
    for field in own.all("workload") {
        if field.item.body.is_none() || field.item.names.is_empty() {
            if !field.item.is_hole() {
                let example = "workload postgres { memory = 256Mi }";
                cx.report(general::malformed("workload", example, field.item.span));
            }
            continue;
        }
        for name in &field.item.names {
            let (workload, container) = split(cx.word(*name));
            let own = Fields::new(
                cx,
                "workload",
                name.span,
                vec![layer("workload", cx.word(*name), field.item)],
            );
            let place = match container {
                Some(_) => "adopt.container",
                None => "adopt.workload",
            };
            own.check_keys(place);
            let (fields, tier) = with_tier(decls, &own, "workload", cx.word(*name), field.item);
            let same = rules
                .iter()
                .find(|rule| rule.workload == workload && rule.container == container);
            if let Some(first) = same {
                cx.report(general::declared_twice(
                    "workload",
                    cx.word(*name),
                    first.span,
                    name.span,
                ));
                continue;
            }
            rules.push(Rule {
                workload,
                container,
                span: name.span,
                fields,
                tier,
            });
        }
    }
    let mut keeps = Vec::new();
    for field in own.all("keep") {
        if field.item.names.is_empty() || field.item.value.is_some() || field.item.body.is_some() {
            if !field.item.is_hole() {
                cx.report(general::malformed(
                    "keep",
                    "keep postgres, web/nginx",
                    field.item.span,
                ));
            }
            continue;
        }
        keeps.extend(field.item.names.iter().map(|name| {
            let (workload, container) = split(cx.word(*name));
            Keep {
                workload,
                container,
                span: name.span,
            }
        }));
    }
    Some(Reading {
        decls,
        pattern,
        general,
        tier,
        rules,
        keeps,
        form,
        unlimited,
        adopt,
        unmatched: RefCell::default(),
    })
}

/// What is wrong with a `helm` block; what it says was read when its chart was rendered.
fn check_helm(own: &Fields<'_, '_>) {
    let block = own
        .get("helm")
        .and_then(|field| Fields::of_body(own.cx, "helm", field));
    let Some(block) = block else { return };
    block.check_keys("adopt.helm");
    let _ = block.strings("values");
    for key in ["release", "namespace"] {
        if let Some(given) = block.name(key) {
            let place = given.origin.span.unwrap_or(own.span);
            check_label(own.cx, key, given.value, place);
        }
    }
}

pub(super) fn layer<'a>(kind: &'static str, name: &'a str, item: &'a Item) -> Layer<'a> {
    let items = item.body.as_ref().map_or(&[][..], |body| &body.items);
    Layer {
        env: None,
        giver: Giver::declared(kind),
        name,
        items,
    }
}

/// The fields of a block over those of the tier that it names.
pub(super) fn with_tier<'c, 'a>(
    decls: &'c Decls<'c, 'a>,
    own: &Fields<'c, 'a>,
    kind: &'static str,
    name: &'a str,
    item: &'a Item,
) -> (Fields<'c, 'a>, Option<TierId>) {
    let mut layers = vec![layer(kind, name, item)];
    let mut tier = None;
    if let Some(given) = own.name("tier") {
        tier = decls.id(
            "tier",
            given.value,
            given.origin.span.unwrap_or(item.key.span),
        );
        if let Some(of_tier) = decls.get("tier", given.value) {
            let mut below = decls.layers("tier", of_tier.name, of_tier.item);
            below.append(&mut layers);
            layers = below;
        }
    }
    (Fields::new(decls.cx, kind, own.span, layers), tier)
}

/// `web/nginx` is a container of a workload.
pub(super) fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('/') {
        Some((workload, container)) => (workload, Some(container)),
        None => (name, None),
    }
}

/// Whether a name in a rule means a workload: the name of its object, or the unique name that bzc gave it.
pub(super) fn means(name: &str, object: &Workload, known: &str) -> bool {
    name == object.name || name == known
}

impl<'c, 'a> Reading<'c, 'a> {
    /// Reports rules and `keep`s that match no workload or container.
    pub(super) fn check_rules(&self, manifests: &[(ManifestId, &'a Manifest)]) {
        let cx = self.decls.cx;
        let objects = || {
            manifests
                .iter()
                .flat_map(|(_, manifest)| manifest.objects.workloads.iter().zip(&manifest.known_as))
                .map(|(object, known)| (object, known.as_str()))
        };
        let rules = self
            .rules
            .iter()
            .map(|rule| (rule.workload, rule.container, rule.span));
        for (workload, container, span) in
            rules.chain(self.keeps.iter().map(|k| (k.workload, k.container, k.span)))
        {
            let named: Vec<&Workload> = objects()
                .filter(|(object, known)| means(workload, object, known))
                .map(|(object, _)| object)
                .collect();
            if named.is_empty() {
                let known: Vec<&str> = objects().map(|(object, _)| object.name.as_str()).collect();
                let near = nearest(workload, known);
                cx.report(errors::no_such_workload(workload, near, self.pattern, span));
                continue;
            }
            let made = named.iter().find_map(|object| object.made_of.as_ref());
            if let Some(made) = made {
                cx.report(errors::of_an_operator(workload, &made.kind, span));
                continue;
            }
            let Some(container) = container else { continue };
            let containers: Vec<&str> = named
                .iter()
                .flat_map(|object| &object.containers)
                .map(|known| known.name.as_str())
                .collect();
            if !containers.contains(&container) {
                cx.report(errors::no_such_container(
                    workload,
                    container,
                    &containers,
                    span,
                ));
            }
        }
        for keep in &self.keeps {
            let same = |rule: &&Rule<'_, '_>| {
                rule.workload == keep.workload && rule.container == keep.container
            };
            if let Some(rule) = self.rules.iter().find(same) {
                cx.report(errors::kept_and_ruled(rule.workload, rule.span, keep.span));
            }
        }
    }

    /// The rule about a workload as a whole.
    pub(super) fn rule(&self, object: &Workload, known: &str) -> Option<&Rule<'c, 'a>> {
        self.rules
            .iter()
            .find(|rule| rule.container.is_none() && means(rule.workload, object, known))
    }

    /// What happens when runs of a CronJob overlap, and whether a rule decides it.
    pub(super) fn concurrency(
        &self,
        object: &Workload,
        rule: Option<&Rule<'c, 'a>>,
    ) -> (Concurrency, bool) {
        let cx = self.decls.cx;
        let at_most = rule.and_then(|rule| rule.fields.count("at-most"));
        let runs = at_most.map_or(1, |given| given.value.clamp(1, 100_000));
        let written = match object.concurrency.as_deref() {
            Some("Forbid") => "forbid",
            Some("Replace") => "replace",
            _ => "allow",
        };
        let given = rule.and_then(|rule| rule.fields.name("concurrency"));
        let word = given.map_or(written, |given| given.value);
        let concurrency = match word {
            "forbid" => Concurrency::Forbid,
            "replace" => Concurrency::Replace,
            "allow" => Concurrency::Allow(runs),
            other => {
                let place = given
                    .and_then(|given| given.origin.span)
                    .unwrap_or(self.general.span);
                cx.report(general::not_one_of(
                    "concurrency",
                    other,
                    place,
                    &["forbid", "replace", "allow"],
                ));
                Concurrency::Forbid
            }
        };
        if let (Some(given), Concurrency::Forbid | Concurrency::Replace) = (at_most, concurrency) {
            cx.report(general::bound_without_allow(
                given.origin.span.unwrap_or(self.general.span),
            ));
        }
        (concurrency, word != written)
    }

    pub(super) fn rollout(
        &self,
        object: &Workload,
        known: &str,
        rule: Option<&Rule<'c, 'a>>,
        origin: Origin<'a>,
    ) -> (Given<'a, Rollout>, bool) {
        let written = match object.surge {
            Surge::Recreate => Rollout::Recreate,
            Surge::Pods(0) | Surge::Percent(0) => Rollout::Replace,
            Surge::Pods(n) => Rollout::Surge(n),
            Surge::Percent(percent) => Rollout::SurgePercent(percent),
        };
        let of_rule = rule.and_then(|rule| rollout(&rule.fields));
        let is_deployment = object.kind == WorkloadKind::Deployment;
        if let (Some(given), false) = (of_rule, is_deployment) {
            let span = given.origin.span.unwrap_or(self.general.span);
            self.decls.cx.report(errors::not_of_this_kind(
                "rollout",
                &object.kind_text,
                known,
                span,
            ));
        }
        match of_rule.or_else(|| rollout(&self.general)).filter(|_| {
            is_deployment && object.made_of.is_none() && self.keeps_all(object, known).is_none()
        }) {
            Some(given) => (given, given.value != written),
            None => (
                Given {
                    value: written,
                    origin,
                },
                false,
            ),
        }
    }

    /// The `keep` about a workload as a whole.
    pub(super) fn keeps_all(&self, object: &Workload, known: &str) -> Option<Span> {
        let mut all = self.keeps.iter();
        all.find(|keep| keep.container.is_none() && means(keep.workload, object, known))
            .map(|keep| keep.span)
            .or_else(|| self.is_packaged(object, known).then_some(self.general.span))
    }

    /// Whether it is what K3s packages, met in a dump of a cluster, and no rule is about it: K3s would undo every change.
    pub(super) fn is_packaged(&self, object: &Workload, known: &str) -> bool {
        object.from_cluster
            && object.namespace.as_deref() == Some("kube-system")
            && self.decls.packaged.contains_key(object.name.as_str())
            && self.rule(object, known).is_none()
    }
}
