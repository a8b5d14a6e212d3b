//! `component` and `others`: pods on the nodes that are no services, and what they make of services.

use std::borrow::Cow;

use super::errors;
use crate::base::quantity::Bytes;
use crate::base::span::Spanned;
use crate::base::suggest::nearest;
use crate::program::{Component, Given, Giver, Node, Role, SettingValue};
use crate::sema::decls::{Decl, Decls, fields};
use crate::sema::errors as general;
use crate::sema::image::reference::check_image;
use crate::sema::layers::{Fields, Layer};
use crate::sema::machine::node::MOST_PODS;
use crate::sema::names::check_label;
use crate::sema::workload::resources::{check_order, cpu};

/// The components that can be changed so that it lasts: CoreDNS by a manifest beside an empty `coredns.yaml.skip`,
/// Traefik by the HelmChartConfig that K3s lays over its chart (k3s-io/docs, add-ons/helm).
pub(crate) const KEPT: [&str; 2] = ["coredns", "traefik"];

/// Whether the program says `component NAME = stock`: it stays as K3s packages it.
fn is_stock<'a>(decls: &Decls<'_, 'a>, own: Decl<'a>) -> bool {
    let cx = decls.cx;
    let change = decls.change("component", own.name);
    let mut stock = false;
    for item in [Some(own.item), change].into_iter().flatten() {
        stock = match &item.value {
            None => item.body.is_none() && stock,
            Some(value) => {
                if let Some((word, span)) = cx.name(value, "component")
                    && word != "stock"
                {
                    cx.report(general::not_one_of("component", word, span, &["stock"]));
                }
                item.body.is_none()
            }
        };
    }
    stock
}

/// The names that all servers disable.
pub(crate) fn disabled<'n>(nodes: &'n [Node<'_>]) -> Vec<Spanned<Cow<'n, str>>> {
    // Every server deploys what it does not disable: a component is absent only if all servers disable it.
    let disables = |node: &'n Node<'_>| match node.setting("disable") {
        Some(SettingValue::List(items)) => items
            .iter()
            .flat_map(|item| item.value.split(',').map(move |name| (name, item.span)))
            .map(|(name, span)| Spanned::new(Cow::Owned(name.trim().to_owned()), span))
            .collect(),
        _ => Vec::new(),
    };
    let servers = || nodes.iter().filter(|node| node.role == Role::Server);
    let mut disabled: Vec<Spanned<Cow<'n, str>>> =
        servers().next().map(disables).unwrap_or_default();
    for server in servers().skip(1) {
        let also = disables(server);
        disabled.retain(|item| also.iter().any(|other| other.value == item.value));
    }
    disabled
}

/// What the library says of a component.
pub(crate) fn library<'c, 'a>(decls: &'c Decls<'_, 'a>, name: &str) -> Option<Fields<'c, 'a>> {
    let decl = decls.packaged.get(name)?;
    let layer = Layer {
        env: None,
        giver: Giver::Library,
        name: decl.name,
        items: &decl.item.body.as_ref()?.items,
    };
    Some(Fields::new(decls.cx, "component", decl.span, vec![layer]))
}

/// The components of this K3s that are not disabled, with what the program changes of them.
pub(crate) fn components<'a>(decls: &Decls<'_, 'a>, nodes: &[Node<'a>]) -> Vec<Component<'a>> {
    let cx = decls.cx;
    let servers = || nodes.iter().filter(|node| node.role == Role::Server);
    let without_helm = |node: &Node<'a>| {
        matches!(
            node.setting("disable-helm-controller"),
            Some(SettingValue::Bool(true))
        )
    };
    let disabled = disabled(nodes);
    let agents_only = servers().next().is_none();
    let mut components = Vec::new();
    for decl in decls.packaged.values() {
        let Some(stock) = library(decls, decl.name) else {
            continue;
        };
        let switches = stock.names("disable").unwrap_or_default();
        let off = disabled
            .iter()
            .find(|item| switches.iter().any(|(switch, _)| *switch == item.value));
        let own = decls.get("component", decl.name);
        if let Some(off) = off {
            if let Some(own) = own {
                cx.report(errors::component_disabled(own.name, own.span, off.span));
            }
            continue;
        }
        let kept_stock = own.is_some_and(|own| is_stock(decls, own));
        let changed = own
            .filter(|_| !kept_stock)
            .and_then(|own| fields(decls, "component", own));
        if let (Some(own), true) = (own, agents_only) {
            cx.report(errors::component_on_agent(own.name, own.span));
            continue;
        }
        if let (Some(changed), Some(own)) = (&changed, own) {
            changed.check_keys("component");
            if let (Some(image), true) = (changed.get("image"), decl.name != "coredns") {
                cx.report(errors::image_of_component(own.name, image.item.key.span));
            }
            if !KEPT.contains(&decl.name) {
                cx.report(errors::component_fixed(own.name, own.span));
            } else if let (true, "traefik") = (servers().any(without_helm), decl.name) {
                cx.report(errors::component_without_helm(own.name, own.span));
            }
        }
        if !KEPT.contains(&decl.name) && changed.is_some() {
            continue;
        }
        // What K3s gives CoreDNS counts twice its limit, so bzc writes it unless the program says otherwise.
        let least = stock.memory("least");
        let owned = changed.is_some() || (least.is_some() && !kept_stock && !agents_only);
        // What bzc writes itself has a limit: the request, or the library's figure where the program gives neither.
        let own_memory = changed.as_ref().and_then(request_and_limit);
        let own_memory = own_memory
            .or(least.or(stock.memory("bound")).map(|figure| (figure, None)))
            .map(|(request, limit)| (request, limit.or(Some(request))))
            .filter(|_| owned);
        if let (Some((_, Some(limit))), Some(least)) = (own_memory, least)
            && limit.value < least.value
        {
            let span = limit.origin.span.or(own.map(|own| own.span));
            cx.report(errors::component_below_least(decl.name, limit, least, span));
        }
        let memory = own_memory.or_else(|| request_and_limit(&stock));
        let stock_cpu = cpu(&stock);
        let cpu = changed.as_ref().and_then(cpu).or(stock_cpu);
        let image = changed.as_ref().and_then(|fields| fields.string("image"));
        if let Some((image, span)) = image
            .as_ref()
            .and_then(|image| Some((image, image.origin.span?)))
        {
            check_image(cx, &image.value, span);
        }
        let pods = stock.count("pods").map_or(1, |given| given.value);
        components.push(Component {
            name: decl.name.into(),
            span: own.map(|own| own.span),
            memory,
            bound: stock.memory("bound"),
            seen: stock.memory("seen"),
            least,
            cpu,
            containers: stock.count("containers").map_or(1, |given| given.value),
            pods,
            // A manifest of bzc's own recreates its pod, so that no second one overlaps it. A chart is rolled out.
            transient: if owned && decl.name == "coredns" {
                0
            } else {
                stock.count("transient").map_or(0, |given| given.value)
            },
            every_node: stock.flag("every-node") == Some(true),
            nodes: None,
            owned,
            image,
            foreign: false,
            namespace: None,
            of: Vec::new(),
        });
    }
    for own in decls.of("component") {
        if !decls.packaged.contains_key(own.name) {
            let near = nearest(own.name, decls.packaged.keys().copied());
            cx.report(general::unknown_name("component", own.name, own.span, near));
        }
    }
    components
}

/// `others NAME { pods = 3  memory = 64Mi }`: pods that bzc does not write, each of which takes that much at most. With
/// `of = ["Cluster/pg"]` they are those of adopted objects.
pub(crate) fn others<'a>(decls: &Decls<'_, 'a>) -> Vec<Component<'a>> {
    let read = |decl: Decl<'a>| {
        let fields = fields(decls, "others", decl)?;
        fields.check_keys("others");
        if decls.packaged.contains_key(decl.name) {
            decls.cx.report(errors::others_of_k3s(decl.name, decl.span));
        }
        let memory = request_and_limit(&fields);
        if memory.is_none() && fields.get("memory").is_none() {
            fields.missing("memory", "memory = 64Mi");
        }
        let (request, limit) = memory?;
        let pods = fields.count("pods").map_or(1, |given| given.value);
        if pods > MOST_PODS {
            decls
                .cx
                .report(general::out_of_range("pods", "0 to 65535", decl.span));
        }
        let namespace = fields.name("namespace");
        if let Some(given) = namespace {
            let span = given.origin.span.unwrap_or(decl.span);
            check_label(decls.cx, "namespace", given.value, span);
        }
        Some(Component {
            name: decl.name.into(),
            span: Some(decl.span),
            memory: Some((request, limit.or(Some(request)))),
            bound: None,
            seen: None,
            least: None,
            cpu: cpu(&fields),
            containers: 1,
            pods,
            // The program does not say how they are replaced: at worst all of them are ending while their successors
            // start.
            transient: pods,
            every_node: fields.flag("every-node") == Some(true),
            nodes: None,
            owned: false,
            image: None,
            foreign: true,
            namespace,
            of: fields.placed_strings("of").unwrap_or_default(),
        })
    };
    decls.of("others").filter_map(read).collect()
}

/// Request and limit of a `memory { request = .. limit = .. }` or `memory = 48Mi`.
pub(crate) fn request_and_limit<'a>(
    fields: &Fields<'_, 'a>,
) -> Option<(Given<'a, Bytes>, Option<Given<'a, Bytes>>)> {
    let cx = fields.cx;
    let field = fields.get("memory")?;
    if field.item.body.is_some() {
        let block = Fields::of_body(cx, "memory", field)?;
        block.check_keys("memory");
        let (request, limit) = (block.memory("request"), block.memory("limit"));
        check_order("memory", request, limit, cx);
        return Some((request.or(limit)?, limit));
    }
    let value = cx.memory(field.value(cx)?)?;
    Some((field.given(value), Some(field.given(value))))
}
