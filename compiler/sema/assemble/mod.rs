//! All files to one program: each declaration read by its own reader, and what only the whole can check.

mod declare;
mod envs;
mod errors;
pub(super) mod lets;

pub(crate) use envs::environments;

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::base::source::Provenance;
use crate::base::span::Span;
use crate::diag::Sink;
use crate::program::{FillPolicy, Given, Giver, Origin, Program, TRAEFIK};
use crate::sema::assemble::declare::{check_edition, declare};
use crate::sema::assemble::envs::{choose_env, names_of_envs, namespace};
use crate::sema::assemble::lets::{check_unused_lets, constants};
use crate::sema::decls::{Decls, LIBRARY, OTHERS};
use crate::sema::layers::Field;
use crate::sema::load::Loaded;
use crate::sema::machine::{addresses, balancers, challenges, component, k3s, node, settings};
use crate::sema::pod::ports::{check_node_ports, check_shared_ports};
use crate::sema::pod::{ingress, reach};
use crate::sema::trace::{Traced, Tracer};
use crate::sema::values::Cx;
use crate::sema::workload::{service, storage, tier};
use crate::sema::{
    account, adopt, budget, config, errors as general, evidence as readings, expect, image, kind,
    lock as locked, placement, secret,
};
use crate::syntax::NAMED;
use crate::syntax::ast::{Expr, ExprKind, Item, WordShape};
use crate::world::World;

/// Trees to program. `env` is the environment to compile for. `None` if there is nothing to plan: a fault was
/// found, or the file only declares things for others to use. With it comes what was given at a place, if one is asked
/// for.
pub(crate) fn analyze<'a>(
    loaded: &'a Loaded,
    env: Option<&str>,
    world: &dyn World,
    at: Option<Span>,
    sink: &mut Sink,
) -> (Option<Program<'a>>, Vec<Traced>) {
    let files = loaded.files.iter().map(|file| &**file);
    let cx = Cx {
        sources: &loaded.sources,
        sink: RefCell::new(std::mem::take(sink)),
        lets: BTreeMap::new(),
        tracer: at.map(|at| Tracer::new(files, at)),
    };
    let cx = constants(cx, loaded);
    let program = program(&cx, loaded, env, world);
    if !cx.sink.borrow().has_errors() {
        check_unused_lets(&cx);
    }
    *sink = cx.sink.into_inner();
    let traced = cx.tracer.map(|tracer| tracer.into_traced(&loaded.sources));
    (program, traced.unwrap_or_default())
}

pub(crate) fn program<'a>(
    cx: &Cx<'a>,
    loaded: &'a Loaded,
    env: Option<&str>,
    world: &dyn World,
) -> Option<Program<'a>> {
    let mut decls = Decls::new(cx, world);
    let mut envs: BTreeMap<&'a str, &'a Item> = BTreeMap::new();
    let mut fields: Vec<&'a Item> = Vec::new();
    let mut expects = Vec::new();
    let (mut survives, mut fills): (Option<&Item>, Option<&Item>) = (None, None);
    let (mut digests, mut evidence): (Option<&'a Item>, Option<&'a Item>) = (None, None);
    let mut lock: Option<&'a Item> = None;
    let (mut adopts, mut kinds, mut charts) = (Vec::new(), Vec::new(), Vec::new());
    for file in &loaded.files {
        let from_library = cx.sources.file(file.id).provenance == Provenance::Library;
        check_edition(cx, &file.items, from_library);
        for item in &file.items {
            let key = cx.key(item);
            let named = NAMED
                .iter()
                .chain(LIBRARY.iter().filter(|_| from_library))
                .find(|kind| **kind == key);
            if let Some(kind) = named {
                declare(&mut decls, kind, item, from_library);
                continue;
            }
            match key {
                "k3s" if decls.k3s.is_none() && item.names.is_empty() => decls.k3s = Some(item),
                "k3s" => match decls.k3s {
                    Some(first) if item.names.is_empty() => {
                        cx.report(general::declared_twice(
                            "k3s",
                            "",
                            first.key.span,
                            item.key.span,
                        ));
                    }
                    _ => cx.report(general::malformed("k3s", "k3s { .. }", item.span)),
                },
                "env" => match &*item.names {
                    [name] if name.shape != WordShape::Bare => {
                        cx.report(errors::quoted_env(name.span))
                    }
                    [name] if item.body.is_some() => {
                        if let Some(first) = envs.insert(cx.word(*name), item) {
                            let name_text = cx.word(*name);
                            cx.report(general::declared_twice(
                                "env",
                                name_text,
                                first.key.span,
                                name.span,
                            ));
                        }
                    }
                    _ => cx.report(general::malformed("env", "env prod { .. }", item.span)),
                },
                "expect" => match &item.value {
                    Some(Expr {
                        kind: ExprKind::Hole,
                        ..
                    }) => {}
                    Some(expr) => expects.push((item.span, expr)),
                    None => cx.report(general::malformed(
                        "expect",
                        "expect wsl.free >= 500Mi",
                        item.span,
                    )),
                },
                "namespace" => match fields.first() {
                    Some(first) => cx.report(general::declared_twice(
                        "namespace",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => fields.push(item),
                },
                "survive" => match survives {
                    Some(first) => cx.report(general::declared_twice(
                        "survive",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => survives = Some(item),
                },
                "fill" => match fills {
                    Some(first) => cx.report(general::declared_twice(
                        "fill",
                        "",
                        first.key.span,
                        item.key.span,
                    )),
                    None => fills = Some(item),
                },
                "digests" => once(cx, &mut digests, item, "digests = \"images.json\""),
                "evidence" => {
                    once(
                        cx,
                        &mut evidence,
                        item,
                        "evidence = \"budget.evidence.json\"",
                    );
                }
                "lock" => once(cx, &mut lock, item, "lock = \"budget.lock\""),
                "edition" | "let" | "use" => {}
                "adopt" => adopts.push(item),
                "kind" => kinds.push(item),
                "chart" => charts.push(item),
                _ => {
                    let known: Vec<&str> = NAMED.iter().chain(&OTHERS).copied().collect();
                    cx.report(errors::unknown_declaration(key, item.key.span, &known));
                }
            }
        }
    }
    for body in envs.values().filter_map(|item| item.body.as_ref()) {
        names_of_envs(cx, &body.items, &mut decls.mentioned);
    }
    for constant in decls.mentioned.iter().filter_map(|name| cx.lets.get(name)) {
        constant.used.set(true);
    }
    let program_start = loaded
        .files
        .first()
        .and_then(|file| file.items.first())
        .map(|item| item.key.span);
    let chosen = choose_env(&mut decls, &envs, env, &mut fields, program_start);
    let namespace = namespace(&decls, &fields);
    let mut nodes = node::nodes(&decls);
    let tiers = tier::tiers(&decls);
    let runtimes = image::runtimes(&decls);
    let images = image::shared(&decls, &runtimes);
    let configs = config::configs(&decls);
    let secrets = secret::secrets(&decls, namespace.value);
    let accounts = account::accounts(&decls);
    let digests = image::digests(&decls, digests);
    let mut services = service::services(&decls, &tiers, (&runtimes, &images));
    kind::check(cx, &kinds, &charts);
    let adopts = adopt::adopts(&decls, loaded, &adopts, &mut services);
    let mut budgets = budget::budgets(&decls, &services, &tiers);
    let is_library_file = nodes.is_empty() && services.is_empty() && expects.is_empty();
    if !is_library_file {
        // A declaration also looks unused if its only use is misspelt, so this waits until there are no errors.
        if !cx.sink.borrow().has_errors() {
            service::check_unused(&decls, &tiers, &services);
            secret::check(&decls, &secrets, &services);
            account::check_unused(&decls, &accounts, &services);
            image::check_unused(&decls, &images, &services);
        }
    } else {
        // The constants of a file that declares nothing else are there for programs that use it.
        cx.lets
            .values()
            .for_each(|constant| constant.used.set(true));
    }
    chosen?;
    if is_library_file {
        return None;
    }
    if nodes.is_empty() {
        if decls.of("node").next().is_none() {
            let place = services
                .first()
                .map(|service| service.name.span)
                .or(expects.first().map(|(span, _)| *span));
            cx.report(errors::no_node(place?));
        }
        return None;
    }
    let k3s = k3s::k3s(&decls)?;
    settings::settle_settings(&decls, &k3s, &mut nodes);
    addresses::settle(&decls, &mut nodes);
    check_node_ports(cx, &nodes, &services);
    // If a field of a node is misspelt, the node may have been meant as an agent.
    if !cx.sink.borrow().has_errors() {
        placement::check_servers(&decls, &nodes);
    }
    placement::settle(&decls, &nodes, &mut services);
    adopt::place::settle(&decls, loaded, &nodes, &mut services);
    let mut components = component::components(&decls, &nodes);
    components.extend(component::others(&decls));
    components.extend(challenges::challenges(&services, &components, namespace));
    balancers::balancers(
        &decls,
        loaded,
        (&nodes, &services, namespace.value),
        &mut components,
    );
    reach::check_enforced(cx, &nodes, &services);
    adopt::check_packaged(&decls, &components, &mut services);
    check_shared_ports(cx, &services);
    let has_traefik = components.iter().any(|one| one.name == TRAEFIK);
    ingress::settle(cx, has_traefik, &mut services);
    adopt::quota::complete(loaded, namespace.value, &mut services);
    let size = (namespace.value, nodes.len());
    adopt::quota::budgets(loaded, size, &services, &mut budgets);
    adopt::check_budgets(&decls, &services, &budgets);
    let uncounted = adopt::uncounted(&decls, loaded, &components);
    balancers::check_host_ports(
        &decls,
        loaded,
        (&nodes, &components),
        (&services, namespace.value),
    );
    if placement::first_server(&nodes).is_some() {
        storage::check(cx, (&nodes, &components), &services);
    }
    let open_nodes = placement::of_components(&nodes);
    let survive = survives.and_then(|item| survive(cx, item, nodes.len()));
    let expects = expect::expects(&decls, &services, &expects);
    let evidence = readings::evidence(&decls, evidence);
    let declared = envs.keys().copied().collect();
    let lock = lock.and_then(|item| locked::lock(&decls, item, declared));
    let source = cx.sources.files().first()?.name.as_str();
    let env = decls.env;
    Some(Program {
        source,
        env,
        namespace,
        nodes,
        k3s,
        components,
        budgets,
        tiers,
        services,
        secrets,
        accounts,
        configs,
        open_nodes,
        survive,
        fill: fills
            .and_then(|item| fill_policy(cx, item))
            .unwrap_or(FillPolicy::Proportional),
        expects,
        runtimes,
        images: images.into_iter().flatten().collect(),
        digests,
        evidence,
        lock,
        adopts,
        uncounted,
        manifests: &loaded.manifests,
        sources: &loaded.sources,
    })
}

/// Takes the item at the top of files that names a file, which may come once.
fn once<'a>(cx: &Cx<'a>, taken: &mut Option<&'a Item>, item: &'a Item, example: &str) {
    let key = cx.key(item);
    match *taken {
        None if item.value.is_some() && item.names.is_empty() => *taken = Some(item),
        Some(first) => {
            cx.report(general::declared_twice(
                key,
                "",
                first.key.span,
                item.key.span,
            ));
        }
        None => cx.report(general::malformed(key, example, item.span)),
    }
}

/// `fill = equal`: how ranges share what there is.
pub(crate) fn fill_policy<'a>(cx: &Cx<'a>, item: &'a Item) -> Option<FillPolicy> {
    let origin = Origin {
        env: None,
        giver: Giver::Declaration("fill"),
        name: "",
        key: "",
        span: None,
    };
    let (name, span) = cx.name(Field { item, origin }.value(cx)?, "fill")?;
    match name {
        "proportional" => Some(FillPolicy::Proportional),
        "equal" => Some(FillPolicy::Equal),
        _ => {
            cx.report(general::not_one_of(
                "fill",
                name,
                span,
                &["proportional", "equal"],
            ));
            None
        }
    }
}

/// `survive = 1`: the nodes that may be lost.
pub(crate) fn survive<'a>(cx: &Cx<'a>, item: &'a Item, nodes: usize) -> Option<Given<'a, u64>> {
    let span = item.value.as_ref().map_or(item.span, |value| value.span);
    let origin = Origin {
        env: None,
        giver: Giver::Declaration("survive"),
        name: "",
        key: "",
        span: Some(span),
    };
    let field = Field { item, origin };
    let value = cx.count(field.value(cx)?)?;
    match value {
        0 => None,
        1 if nodes > 1 => Some(field.given(1)),
        1 => {
            cx.report(errors::survive_without_nodes(nodes, span));
            None
        }
        _ => {
            cx.report(general::out_of_range("survive", "0 or 1 node", span));
            None
        }
    }
}
