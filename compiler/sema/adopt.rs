//! Adopted manifests to services: what a rule gives, else what the manifest says, else what Kubernetes makes of
//! saying nothing. The planner sees them as any other service; `program::Adopted` remembers what must change in the
//! text.

mod containers;
mod errors;
mod files;
mod folders;
mod helm;
mod kustomizations;
pub(crate) mod manifests;
mod origin;
pub(super) mod place;
pub(super) mod quota;
mod releases;
mod resize;
mod rules;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use super::decls::Decls;
use super::load::Loaded;
use super::values::Cx;
use crate::base::id::{Id, numbered};
use crate::base::span::Span;
use crate::base::suggest::nearest;
use crate::manifest::workload::Scaler;
use crate::manifest::workload::vertical::Vertical;
use crate::manifest::{self, Manifest};
use crate::program::{self, Adopt, AdoptId, Budget, Component, ManifestId, Service, Uncounted};
use crate::sema::errors as general;
use crate::syntax::ast::{Item, WordShape};
use rules::reading;
use workload::{is_bounded, resizes, scales};

/// Reads every `adopt`, and adds what is adopted to the services, which stay sorted by name.
pub(super) fn adopts<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    items: &[&'a Item],
    services: &mut Vec<Service<'a>>,
) -> Vec<Adopt> {
    let cx = decls.cx;
    let mut adopts = Vec::new();
    let own = services.len();
    for item in items {
        let quoted = item
            .names
            .iter()
            .all(|name| name.shape == WordShape::Quoted)
            && !item.names.is_empty();
        if !quoted || item.body.is_none() {
            if !item.is_hole() {
                let example = "adopt \"k8s/*.yaml\" { tier = agent }";
                cx.report(general::malformed("adopt", example, item.span));
            }
            continue;
        }
        let Some(reading) = reading(decls, item, AdoptId::new(adopts.len())) else {
            continue;
        };
        let patterns: Vec<Span> = item.names.iter().map(|name| name.span).collect();
        let mine: Vec<(ManifestId, &'a Manifest)> = numbered(&loaded.manifests)
            .filter(|(_, manifest)| patterns.contains(&manifest.pattern))
            .collect();
        // A rule may be about a manifest that could not be read, which has been reported.
        if !loaded.manifests_missing && !mine.is_empty() {
            reading.check_rules(&mine);
        }
        for (id, manifest) in mine {
            services.extend(reading.services(loaded, id, manifest));
        }
        check_objects(cx, loaded, item);
        let unmatched = reading.unmatched.into_inner();
        if !unmatched.is_empty() {
            cx.report(errors::unmatched(&unmatched, item.names[0].span));
        }
        adopts.push(Adopt {
            patterns,
            form: reading.form,
            inside: item.body.as_ref().map(|body| body.inside()),
        });
    }
    if services.len() > own {
        check_names(decls, loaded, services, own);
        services.sort_by_key(|service| service.name.value);
    }
    adopts
}

/// Reports the files of an `adopt` that are no manifests, at the first of its patterns that means some.
fn check_objects(cx: &Cx<'_>, loaded: &Loaded, item: &Item) {
    let by_pattern = item.names.iter().map(|name| {
        let manifests = loaded.manifests.iter();
        let empty = manifests.filter(|one| one.pattern == name.span && one.objects.count == 0);
        let shown = empty.map(|one| cx.sources.file(one.file).shown.clone());
        let left_out = loaded.left_out.iter();
        let others = left_out.filter(|(at, _)| *at == name.span);
        let mut paths: Vec<String> = shown
            .chain(others.map(|(_, shown)| shown.clone()))
            .collect();
        paths.sort();
        (name.span, paths)
    });
    let found: Vec<(Span, Vec<String>)> =
        by_pattern.filter(|(_, paths)| !paths.is_empty()).collect();
    if let Some((at, _)) = found.first() {
        let paths: Vec<String> = found.iter().flat_map(|(_, paths)| paths.clone()).collect();
        cx.report(errors::no_object(&paths, *at));
    }
}

/// Adopted objects that may make pods, where no `others` says how much these take.
pub(super) fn uncounted<'a>(
    decls: &Decls<'_, 'a>,
    loaded: &'a Loaded,
    components: &[Component<'a>],
) -> Vec<Uncounted<'a>> {
    let all = || {
        let manifests = loaded.manifests.iter();
        manifests.flat_map(|manifest| {
            let scalers = manifest.objects.scalers.iter();
            let alone = scalers
                .filter(|scaler| !scales_something(loaded, scaler))
                .map(|scaler| &scaler.alone);
            let verticals = manifest.objects.verticals.iter();
            let verticals = verticals.filter_map(|vertical| unfollowed(loaded, vertical));
            let objects = manifest
                .objects
                .uncounted
                .iter()
                .chain(alone)
                .chain(verticals);
            objects.map(move |object| (manifest, object, object.what.replacen(' ', "/", 1)))
        })
    };
    let full = |object: &manifest::workload::Uncounted, name: &str| {
        format!("{}/{name}", program::namespace(object.namespace.as_deref()))
    };
    // Names with the namespace and without.
    let known: Vec<[String; 2]> = all()
        .map(|(_, object, name)| [full(object, &name), name])
        .collect();
    let mut counted: BTreeSet<&str> = BTreeSet::new();
    for of in components.iter().flat_map(|component| &component.of) {
        let name = of.value.as_ref();
        // The object may be in a manifest that could not be read.
        if !known.iter().flatten().any(|known| known == name) && !loaded.manifests_missing {
            let [long, short] = [0, 1].map(|at| known.iter().map(move |names| names[at].as_str()));
            let near = match name.matches('/').count() {
                2 => nearest(name, long),
                _ => nearest(name, short),
            };
            decls.cx.report(errors::of_nothing(name, of.span, near));
        }
        counted.insert(name);
    }
    let left = all().filter(|(_, object, name)| {
        !counted.contains(name.as_str()) && !counted.contains(full(object, name).as_str())
    });
    left.map(|(manifest, object, name)| {
        let place = manifest.span(&object.at);
        let lint = errors::uncounted(object, &name, place, manifest.pattern);
        decls.cx.report(lint);
        Uncounted {
            object,
            place: manifest.place(&object.at),
        }
    })
    .collect()
}

/// What a VerticalPodAutoscaler is where it cannot be followed: nothing that it resizes was adopted, or a container of it
/// may be given any amount.
fn unfollowed<'a>(
    loaded: &'a Loaded,
    vertical: &'a Vertical,
) -> Option<&'a manifest::workload::Uncounted> {
    let manifests = loaded.manifests.iter();
    let workloads = manifests.flat_map(|manifest| &manifest.objects.workloads);
    let mut resized = workloads
        .filter(|object| resizes(vertical, object))
        .peekable();
    if resized.peek().is_none() {
        return Some(&vertical.alone).filter(|_| !loaded.manifests_missing);
    }
    resized
        .any(|object| !is_bounded(vertical, object))
        .then_some(&vertical.open)
}

/// Whether something that an autoscaler scales was adopted.
fn scales_something(loaded: &Loaded, scaler: &Scaler) -> bool {
    let manifests = loaded.manifests.iter();
    let mut workloads = manifests.flat_map(|manifest| &manifest.objects.workloads);
    // What could not be read may well be what it scales.
    loaded.manifests_missing || workloads.any(|object| scales(scaler, object))
}

/// Reports services of the same name, adopted or declared.
fn check_names<'a>(decls: &Decls<'_, 'a>, loaded: &Loaded, services: &[Service<'a>], own: usize) {
    let path = |service: &Service<'a>| {
        let adopted = service.adopted.as_ref();
        adopted.map_or("", |adopted| {
            loaded.manifests[adopted.manifest.index()].path.as_str()
        })
    };
    let mut seen: BTreeMap<&str, &Service<'a>> = BTreeMap::new();
    for (index, service) in services.iter().enumerate() {
        if let Some(other) = seen.insert(service.name.value, service)
            && index >= own
        {
            let first = other.name.span;
            decls
                .cx
                .report(match decls.has_workload(service.name.value) {
                    true => {
                        errors::same_name_as_service(service.name.value, first, service.name.span)
                    }
                    false => {
                        let by = [path(other), path(service)];
                        errors::same_object(service.name.value, first, service.name.span, by)
                    }
                });
        }
    }
}

/// What K3s packages is counted already. In a dump of a cluster it has no pods of its own; of somebody who wrote it, it is
/// refused, for K3s puts its own back at every start.
pub(super) fn check_packaged<'a>(
    decls: &Decls<'_, 'a>,
    components: &[Component<'a>],
    services: &mut [Service<'a>],
) {
    for service in services {
        let Some(adopted) = &service.adopted else {
            continue;
        };
        let object = adopted.object;
        let in_system = object.namespace.as_deref() == Some("kube-system");
        if !in_system || components.iter().all(|one| one.name != object.name) {
            continue;
        }
        match object.from_cluster {
            true => service.replicas.value = 0,
            false => decls
                .cx
                .report(errors::packaged(&object.name, service.name.span)),
        }
    }
}

/// Refuses budgets over containers without a limit: such a budget would prove nothing.
pub(super) fn check_budgets<'a>(
    decls: &Decls<'_, 'a>,
    services: &[Service<'a>],
    budgets: &[Budget<'a>],
) {
    for budget in budgets {
        for (_, service) in numbered(services).filter(|(id, _)| budget.is_over(*id)) {
            let Some(adopted) = &service.adopted else {
                continue;
            };
            if let (Some(container), 1..) = (adopted.unbounded(), service.replicas.value) {
                let (name, at) = (service.name.value, service.name.span);
                let error = errors::unbounded_in_budget(
                    budget.name.value,
                    name,
                    container,
                    at,
                    budget.name.span,
                );
                decls.cx.report(error);
            }
        }
    }
}
