//! The workloads that operators make of objects, by the declaration of their kind (`manifest/kind.rs`).

mod pod;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::WorkloadKind;
use super::beyond::{Beyond, is_in_sums};
use super::{Amount, Bounds, Container, Fault, MadeOf, Reader, Surge, Unavailable, Way, Workload};
use crate::admission::{Resources, Role};
use crate::manifest::kind::{Condition, Figure, Figures, Maker, Makes, Part, Path, Root, Value};
use crate::manifest::tree::{Kind, Yaml};

/// An item of a list, or an entry of a map with its key.
#[derive(Clone, Copy)]
struct Item<'t> {
    key: Option<&'t str>,
    node: &'t Yaml,
}

/// An object, or an item in it, or a volume of that item.
#[derive(Clone, Copy)]
struct Scope<'t> {
    object: &'t Yaml,
    item: Option<Item<'t>>,
    volume: Option<&'t Yaml>,
    /// Whether an empty map is nothing, as in templates of Helm.
    is_chart: bool,
}

/// A number of pods, and where it stands if it is one of the object's.
type Pods = (u64, Option<Range<usize>>);

/// The most that a number of pods can be.
const MOST: u64 = 100_000;

impl<'t> Reader<'t> {
    /// The workloads that an operator makes of an object, and why that may not be all: there are none where the object
    /// does not say enough.
    pub(super) fn made(
        &self,
        object: &'t Yaml,
        maker: &Arc<Maker>,
        (api_version, kind_text, name, namespace): (&str, &str, &str, Option<&String>),
        way: &Way,
    ) -> Result<(Vec<Workload>, Vec<String>), Fault> {
        let whole = Scope {
            object,
            item: None,
            volume: None,
            is_chart: maker.is_chart,
        };
        let mut workloads = Vec::new();
        let there: Vec<&Makes> = maker
            .makes
            .iter()
            .filter(|makes| makes.each.is_some() || self.asked(whole, &makes.on))
            .collect();
        let scopes: Vec<Vec<Scope<'t>>> = there
            .iter()
            .map(|makes| self.scopes(whole, makes))
            .collect();
        let is_alone = maker.is_chart && scopes.iter().flatten().count() == 1;
        for (makes, scopes) in there.iter().zip(scopes) {
            for (index, scope) in scopes.into_iter().enumerate() {
                let item_name = scope.item.map(|item| {
                    let key = item.key.map(str::to_owned);
                    key.or_else(|| self.text(item.node, "name"))
                        .unwrap_or_else(|| format!("{index:02}"))
                });
                let own = match (item_name, there.len()) {
                    _ if is_alone => name.to_owned(),
                    (Some(item), _) if maker.is_chart => format!("{name}-{item}"),
                    (Some(item), 1) => format!("{name}-{item}"),
                    (Some(item), _) => format!("{name}-{}-{item}", makes.name),
                    (None, 1) => name.to_owned(),
                    (None, _) => format!("{name}-{}", makes.name),
                };
                let of = (api_version, kind_text, own, namespace);
                match self.make(scope, maker, makes, of, (name, way))? {
                    Some(workload)
                        if workload.containers.iter().all(|one| one.role != Role::Main) =>
                    {
                        let mut all = maker.unknown.iter();
                        let known = all.find(|unknown| self.asked(whole, &unknown.on));
                        let why = known.map_or("shows no containers", |unknown| &unknown.why);
                        return Ok((Vec::new(), vec![format!("it {why}")]));
                    }
                    Some(workload) => workloads.push(workload),
                    None => {
                        let paths = makes.replicas.iter().flat_map(Value::paths);
                        let paths: Vec<String> =
                            paths.map(|path| format!("`{}`", path.written())).collect();
                        let why = format!(
                            "it says nothing at {}, where its kind has the number of its pods",
                            paths.join(" or ")
                        );
                        return Ok((Vec::new(), vec![why]));
                    }
                }
            }
        }
        let unknown = maker.unknown.iter();
        let unknown = unknown.filter(|unknown| self.asked(whole, &unknown.on));
        let why = unknown.map(|unknown| format!("it {}", unknown.why));
        Ok((workloads, why.collect()))
    }

    /// The object, or each item of it, of which a workload is made.
    fn scopes(&self, whole: Scope<'t>, makes: &Makes) -> Vec<Scope<'t>> {
        let Some(path) = &makes.each else {
            return vec![whole];
        };
        let found = self.walk(whole, path);
        let items = found.map_or(Vec::new(), |found| self.entries_of(found));
        items
            .into_iter()
            .map(|item| Scope {
                item: Some(item),
                ..whole
            })
            .filter(|scope| self.asked(*scope, &makes.on))
            .collect()
    }

    /// The items of a list, or of a map with their keys, those of a map that say `enabled: false` left out.
    fn entries_of(&self, found: &'t Yaml) -> Vec<Item<'t>> {
        let items = found.items().iter().filter_map(|item| self.real(item));
        let items = items.map(|node| Item { key: None, node });
        // Templates of Helm take the entries of a map by the order of their keys.
        let mut sorted: Vec<&'t (Yaml, Yaml)> = found.entries().iter().collect();
        sorted.sort_by_key(|(key, _)| key.text(self.source));
        let entries = sorted.into_iter().filter_map(|(key, value)| {
            let (key, node) = (key.text(self.source)?, self.real(value)?);
            let is_map = matches!(node.kind, Kind::Map(..));
            let enabled = self.get(node, "enabled");
            let is_on = enabled.is_none_or(|enabled| self.says(enabled));
            (is_map && is_on).then_some(Item {
                key: Some(key),
                node,
            })
        });
        items.chain(entries).collect()
    }

    fn asked(&self, scope: Scope<'t>, on: &Condition) -> bool {
        let holds = match (&on.when, &on.is) {
            (Some(when), Some(is)) => self.text_of(scope, when) == Some(is),
            (Some(when), None) => self.is_there(scope, when),
            (None, _) => true,
        };
        holds
            && !on
                .unless
                .as_ref()
                .is_some_and(|value| self.is_there(scope, value))
    }

    /// The text that a value comes to.
    fn text_of<'v>(&self, scope: Scope<'t>, value: &'v Value) -> Option<&'v str>
    where
        't: 'v,
    {
        match value {
            Value::Text(text) => Some(text),
            Value::At(path) => self
                .walk(scope, path)?
                .text(self.source)
                .filter(|text| !text.is_empty()),
            Value::Either(sides) => self
                .text_of(scope, &sides.0)
                .or_else(|| self.text_of(scope, &sides.1)),
            _ => None,
        }
    }

    /// Whether there is something at a value that is no refusal.
    fn is_there(&self, scope: Scope<'t>, value: &Value) -> bool {
        match value {
            Value::Count(n) | Value::Percent(n) => *n > 0,
            Value::Text(text) => !text.is_empty(),
            Value::At(path) => {
                let node = self.walk(scope, path);
                let is_nothing = |node: &Yaml| {
                    scope.is_chart && matches!(&node.kind, Kind::Map(_, of) if of.is_empty())
                };
                node.is_some_and(|node| self.says(node) && !is_nothing(node))
            }
            Value::Either(sides) | Value::Sum(sides) => {
                self.is_there(scope, &sides.0) || self.is_there(scope, &sides.1)
            }
            Value::Product(sides) => {
                self.is_there(scope, &sides.0) && self.is_there(scope, &sides.1)
            }
        }
    }

    /// Whether a node is more than nothing, `false`, zero, and an empty list or text: an empty block asks for something
    /// with all its defaults.
    fn says(&self, node: &'t Yaml) -> bool {
        match node.text(self.source) {
            Some(text) => !matches!(text, "" | "false" | "False" | "FALSE" | "0"),
            None => !matches!(&node.kind, Kind::List(_, items) if items.is_empty()),
        }
    }

    /// What stands at a path. In a list a key means the item of that name, or an item that has the rest of the path.
    fn walk(&self, scope: Scope<'t>, path: &Path) -> Option<&'t Yaml> {
        let start = match path.root {
            Root::Item => scope.item?.node,
            Root::Volume => scope.volume?,
            Root::Object => scope.object,
        };
        self.follow(start, &path.keys)
    }

    fn follow(&self, node: &'t Yaml, keys: &[String]) -> Option<&'t Yaml> {
        let node = self.real(node)?;
        let Some((key, rest)) = keys.split_first() else {
            return (!node.is_null(self.source)).then_some(node);
        };
        let items = node.items().iter().filter_map(|item| self.real(item));
        let named = items
            .clone()
            .filter(|item| self.text(item, "name").as_ref() == Some(key));
        let mut found = named.filter_map(|item| self.follow(item, rest));
        let mut having = items.filter_map(|item| self.follow(self.get(item, key)?, rest));
        match node.items() {
            [] => self.follow(self.get(node, key)?, rest),
            _ => found.next().or_else(|| having.next()),
        }
    }

    /// The first node that a value names.
    fn node(&self, scope: Scope<'t>, value: &Value) -> Option<&'t Yaml> {
        match value {
            Value::At(path) => self.walk(scope, path),
            Value::Either(sides) => self
                .node(scope, &sides.0)
                .or_else(|| self.node(scope, &sides.1)),
            _ => None,
        }
    }

    /// How many pods a value comes to.
    fn pods(&self, scope: Scope<'t>, value: &Value) -> Result<Option<Pods>, Fault> {
        let both = |sides: &(Value, Value), join: fn(u64, u64) -> u64| {
            let left = self.pods(scope, &sides.0)?;
            let right = self.pods(scope, &sides.1)?;
            Ok(left
                .zip(right)
                .map(|((a, at), (b, other))| (join(a, b).min(MOST), at.or(other))))
        };
        match value {
            Value::Count(n) => Ok(Some((*n, None))),
            Value::Percent(_) | Value::Text(_) => Ok(None),
            Value::At(path) => {
                let Some(node) = self.walk(scope, path) else {
                    return Ok(None);
                };
                let n = node.text(self.source).and_then(|text| text.parse().ok());
                match n.filter(|n| *n <= MOST) {
                    Some(n) => Ok(Some((n, Some(node.range())))),
                    None => Err(Fault {
                        at: node.range(),
                        what: format!("`{}` is no number of pods", path.written()),
                    }),
                }
            }
            Value::Either(sides) => match self.pods(scope, &sides.0)? {
                Some(found) => Ok(Some(found)),
                None => self.pods(scope, &sides.1),
            },
            Value::Product(sides) => both(sides, u64::saturating_mul),
            Value::Sum(sides) => both(sides, u64::saturating_add),
        }
    }

    /// A reader of values that were put together from those of this one.
    fn inner<'i>(&self) -> Reader<'i>
    where
        't: 'i,
    {
        Reader {
            source: self.source,
            kinds: self.kinds,
            anchors: self.anchors.clone(),
            too_deep: Cell::new(false),
            odd: Rc::clone(&self.odd),
        }
    }

    /// What a rollout adds.
    fn surge_of(&self, scope: Scope<'t>, value: &Value) -> Result<Option<Surge>, Fault> {
        match value {
            Value::Percent(percent) => Ok(Some(Surge::Percent(*percent))),
            Value::At(path) => self
                .walk(scope, path)
                .map(|node| self.surge(node))
                .transpose(),
            Value::Either(sides) => match self.surge_of(scope, &sides.0)? {
                Some(found) => Ok(Some(found)),
                None => self.surge_of(scope, &sides.1),
            },
            other => Ok(self.pods(scope, other)?.map(|(n, _)| Surge::Pods(n))),
        }
    }

    fn make(
        &self,
        scope: Scope<'t>,
        maker: &Arc<Maker>,
        makes: &Makes,
        (api_version, kind_text, name, namespace): (&str, &str, String, Option<&String>),
        (object_name, way): (&str, &Way),
    ) -> Result<Option<Workload>, Fault> {
        let replicas = match &makes.replicas {
            None => Some((1, None)),
            Some(value) => self.pods(scope, value)?,
        };
        let Some((replicas, replicas_at)) = replicas else {
            return Ok(None);
        };
        let at = self.named_at(scope.object);
        // The labels by which charts select their pods, https://helm.sh/docs/chart_best_practices/labels.
        let labels = match maker.is_chart {
            true => vec![
                ("app.kubernetes.io/name", object_name),
                ("app.kubernetes.io/instance", object_name),
            ],
            false => Vec::new(),
        };
        let (pod, metadata) = self.pod_of(scope, (makes, &maker.volumes), labels, &at);
        let inner = self.inner();
        let containers = self.made_containers(scope, makes, way, &at)?;
        let mut beyond = inner.beyond(&pod, Some(&metadata));
        for container in &containers {
            beyond.extend(others_of(container, &at, &beyond));
        }
        let place = makes.place.as_ref().and_then(|path| self.walk(scope, path));
        let place = match place {
            // Beside the fields of a pod, values of a chart may have containers in a form of their own.
            Some(of) if maker.is_chart => {
                inner.place(&self.without_containers(of), Some(&metadata))?
            }
            Some(of) => self.place(of, Some(&metadata))?,
            None => inner.place(&pod, Some(&metadata))?,
        };
        let grace = match &makes.grace {
            Some(value) => self.pods(scope, value)?,
            None => None,
        };
        let grace = grace.map_or(30, |(seconds, _)| seconds);
        let text = |value: &Option<Value>| {
            let text = value.as_ref().and_then(|value| self.text_of(scope, value));
            text.map(str::to_owned)
        };
        let recreates = text(&makes.strategy).as_deref() == Some("Recreate");
        let suspend = makes.suspend.as_ref();
        let suspend = suspend.and_then(|value| self.node(scope, value));
        let claims = makes.claims.as_ref();
        let mut workload = Workload {
            is_installed: false,
            kind: makes.kind,
            api_version: api_version.to_owned(),
            kind_text: kind_text.to_owned(),
            name,
            namespace: namespace.cloned(),
            at: at.clone(),
            whole: scope.object.range(),
            way: way.clone(),
            pod: Vec::new(),
            containers,
            replicas,
            replicas_at,
            completions: None,
            surge: match &makes.surge {
                Some(value) if !recreates => {
                    self.surge_of(scope, value)?.unwrap_or(Surge::Percent(25))
                }
                _ => Surge::Recreate,
            },
            unavailable: Unavailable::Percent(25),
            revisions: 10,
            kept_runs: 0,
            retries: 6,
            has_rolling_update: false,
            concurrency: text(&makes.concurrency),
            schedule: text(&makes.schedule).unwrap_or_default(),
            lingers: matches!(makes.kind, WorkloadKind::Job | WorkloadKind::CronJob),
            grace: inner.whole(&pod, "terminationGracePeriodSeconds", grace),
            in_memory: Vec::new(),
            secrets: Vec::new(),
            keeps_claims: claims.is_some_and(|value| self.is_there(scope, value)),
            shared_claims: Vec::new(),
            claims_each: Vec::new(),
            has_deadline: false,
            crosses_namespaces: inner.crosses_namespaces(&pod)?,
            place,
            beyond,
            refuses_injection: inner.refuses_injection(Some(&metadata)),
            owner: match self.get(scope.object, "metadata") {
                Some(metadata) => self.owner(metadata)?,
                None => None,
            },
            idle: suspend
                .filter(|node| node.text(self.source) == Some("true"))
                .map(Yaml::range),
            hook: None,
            instance: None,
            from_cluster: false,
            made_of: Some(MadeOf {
                kind: maker.name.clone(),
                name: object_name.to_owned(),
            }),
        };
        inner.volumes(&pod, &mut workload)?;
        Ok(Some(workload))
    }

    /// The containers of a workload: those that the operator makes, with those of the object laid over them.
    fn made_containers(
        &self,
        scope: Scope<'t>,
        makes: &Makes,
        way: &Way,
        at: &Range<usize>,
    ) -> Result<Vec<Container>, Fault> {
        let mut all: Vec<(Container, &Part)> = Vec::new();
        for part in &makes.parts {
            if self.asked(scope, &part.on) {
                all.push((self.part(scope, part, way, at)?, part));
            }
        }
        let template = makes.template.as_ref();
        let pod = template
            .and_then(|path| self.walk(scope, path))
            .and_then(|template| self.get(template, "spec"));
        let mut given = match pod {
            Some(pod) => self.containers(pod, way, None)?,
            None => Vec::new(),
        };
        for (path, list) in [
            (&makes.inits, "initContainers"),
            (&makes.containers, "containers"),
        ] {
            let Some(found) = path.as_ref().and_then(|path| self.walk(scope, path)) else {
                continue;
            };
            for item in self.containers_of(scope, makes, found, at) {
                let inner = self.inner();
                given.extend(inner.container(&item, list, way.clone(), None)?);
            }
        }
        let mut containers: Vec<Container> = Vec::new();
        for (made, part) in all {
            let over = given
                .iter()
                .position(|given| given.name == made.name)
                .map(|at| given.remove(at));
            let mut container = match over {
                None => made,
                Some(over) => laid_over(made, over),
            };
            complete(&mut container, part, at);
            containers.push(container);
        }
        containers.extend(given);
        // Those that run first, in order, then the others.
        containers.sort_by_key(|container| container.role == Role::Main);
        Ok(containers)
    }

    fn part(
        &self,
        scope: Scope<'t>,
        part: &Part,
        way: &Way,
        at: &Range<usize>,
    ) -> Result<Container, Fault> {
        let resources = part
            .resources
            .as_ref()
            .and_then(|value| self.node(scope, value));
        Ok(Container {
            name: part.name.clone(),
            at: resources.map_or(at.clone(), Yaml::range),
            way: way.clone(),
            role: part.role,
            memory: self.bounds(resources, "memory", ["requests", "limits"])?,
            cpu: self.bounds(resources, "cpu", ["requests", "limits"])?,
            requests: self.list(resources, "requests")?.amounts,
            limits: self.list(resources, "limits")?.amounts,
        })
    }
}

/// A container of an operator with what the object says of it, amount by amount.
fn laid_over(made: Container, over: Container) -> Container {
    let bounds = |made: Bounds, over: Bounds| Bounds {
        request: over.request.or(made.request),
        limit: over.limit.or(made.limit),
    };
    let list = |mut made: Resources, over: Resources| {
        made.extend(over);
        made
    };
    Container {
        name: over.name,
        at: over.at,
        way: over.way,
        role: made.role,
        memory: bounds(made.memory, over.memory),
        cpu: bounds(made.cpu, over.cpu),
        requests: list(made.requests, over.requests),
        limits: list(made.limits, over.limits),
    }
}

/// Gives a container what its operator gives it where the object says nothing.
fn complete(container: &mut Container, part: &Part, at: &Range<usize>) {
    let Container {
        memory,
        cpu,
        requests,
        limits,
        ..
    } = container;
    let mut give = |bounds: &mut Bounds, figures: &Figures, resource: &str, factor: u64| {
        let Figures { request, limit } = figures;
        let pairs = [
            (&mut bounds.request, request, &mut *requests),
            (&mut bounds.limit, limit, &mut *limits),
        ];
        for (bound, figure, list) in pairs {
            if let (None, Some(figure)) = (&bound, figure) {
                *bound = Some(of_figure(figure, at));
                list.insert(
                    resource.to_owned(),
                    u128::from(figure.n) * u128::from(factor),
                );
            }
        }
    };
    give(memory, &part.memory, "memory", 1000);
    give(cpu, &part.cpu, "cpu", 1);
    if let (Some(limit), Some(least)) = (&mut memory.limit, &part.least)
        && limit.n < least.n
    {
        *limit = of_figure(least, at);
        limits.insert("memory".to_owned(), u128::from(least.n) * 1000);
    }
}

fn of_figure(figure: &Figure, at: &Range<usize>) -> Amount {
    Amount {
        n: figure.n,
        text: String::new(),
        at: at.clone(),
        by: Some(Arc::clone(&figure.by)),
    }
}

/// What a container asks for that no sum holds, unless it was said.
fn others_of(container: &Container, at: &Range<usize>, known: &[Beyond]) -> Vec<Beyond> {
    let lists = [&container.requests, &container.limits]
        .into_iter()
        .flatten();
    let mut all: Vec<Beyond> = Vec::new();
    for (resource, amount) in lists {
        let asks = Beyond::asks(resource, at.clone());
        let mut said = known.iter().chain(&all);
        let is_new = said.all(|beyond| beyond.resource != asks.resource);
        if *amount > 0 && !is_in_sums(resource) && is_new {
            all.push(asks);
        }
    }
    all
}
