//! A report.json as what it must be. Whatever is missing or of another type is named by its place.

use std::collections::BTreeMap;

use serde_json::Value;

/// The format that is understood.
const FORMAT: u64 = 1;

pub(super) struct Report<'v> {
    /// Whether ranges grow to the same size rather than by the same factor.
    pub(super) equal: bool,
    pub(super) level: Option<(u64, u64)>,
    pub(super) nodes: Vec<Node<'v>>,
    pub(super) placement: Placement<'v>,
    pub(super) theorems: Vec<Theorem<'v>>,
    pub(super) budgets: Vec<Budget<'v>>,
    pub(super) services: Vec<Service<'v>>,
    by_name: BTreeMap<&'v str, usize>,
}

impl<'v> Report<'v> {
    pub(super) fn service(&self, name: &str) -> Option<&Service<'v>> {
        self.by_name
            .get(name)
            .and_then(|index| self.services.get(*index))
    }

    /// The first node that takes what K3s packages.
    pub(super) fn open(&self) -> Option<usize> {
        self.nodes
            .iter()
            .position(|node| !node.components.is_empty())
    }

    pub(super) fn has_server(&self) -> bool {
        self.nodes.iter().any(|node| node.server)
    }

    /// The id of an addend that every node has one of.
    pub(super) fn id_of(&self, id: &str, at: usize) -> String {
        if self.nodes.len() == 1 {
            id.to_owned()
        } else {
            format!("{id}.{}", self.nodes[at].name)
        }
    }
}

/// How pods are said to come to their nodes.
pub(super) struct Placement<'v> {
    pub(super) kind: &'v str,
    pub(super) moments: Vec<Shown<'v>>,
}

/// For a moment, every service and then every component, the nodes with which the lemma is said to hold.
pub(super) struct Shown<'v> {
    pub(super) wave: Option<Wave<'v>>,
    pub(super) with: Vec<Vec<usize>>,
}

/// What rolls at once: a number, or a service that rolls alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wave<'v> {
    Of(u64),
    Alone(&'v str),
}

pub(super) struct Theorem<'v> {
    pub(super) id: &'v str,
    pub(super) name: &'v str,
    pub(super) node: Option<&'v str>,
    pub(super) verdict: &'v str,
    pub(super) statement: &'v str,
    pub(super) reasons: usize,
    pub(super) left: u64,
    pub(super) right: u64,
    pub(super) terms: Vec<Term<'v>>,
    pub(super) counts: Vec<Count<'v>>,
}

pub(super) struct Count<'v> {
    pub(super) id: &'v str,
    pub(super) left: u64,
    pub(super) right: Option<u64>,
    pub(super) terms: Vec<Term<'v>>,
}

pub(super) struct Term<'v> {
    /// Empty in lists that have no sides.
    pub(super) side: &'v str,
    pub(super) id: &'v str,
    pub(super) amount: u64,
    pub(super) times: Option<Vec<(u64, u64)>>,
    /// Empty in lists whose terms refer to nothing.
    pub(super) reference: &'v str,
    pub(super) has_origin: bool,
}

pub(super) struct Node<'v> {
    pub(super) name: &'v str,
    pub(super) server: bool,
    pub(super) memory: u64,
    pub(super) reserved_bytes: u64,
    pub(super) system: u64,
    pub(super) kube: u64,
    pub(super) eviction: u64,
    pub(super) allocatable: u64,
    pub(super) requests: u64,
    pub(super) limits: u64,
    pub(super) free: u64,
    pub(super) pods: u64,
    pub(super) max_pods: u64,
    pub(super) overcommit: Option<u64>,
    pub(super) cpu: Option<u64>,
    pub(super) cpu_requests: u64,
    pub(super) reserved: Vec<Term<'v>>,
    pub(super) components: Vec<Component<'v>>,
}

impl Node<'_> {
    /// The amount of a term of what is reserved; nothing if there is no such term.
    pub(super) fn reserved(&self, id: &str) -> u64 {
        self.reserved
            .iter()
            .find(|term| term.id == id)
            .map_or(0, |term| term.amount)
    }
}

pub(super) struct Component<'v> {
    pub(super) name: &'v str,
    pub(super) pods: u64,
    pub(super) ending: u64,
    pub(super) containers: u64,
    pub(super) request: u64,
    pub(super) limit: u64,
    pub(super) held: u64,
    pub(super) cpu: u64,
    pub(super) every_node: bool,
    pub(super) bounded: bool,
}

pub(super) struct Budget<'v> {
    pub(super) name: &'v str,
    pub(super) ceiling: u64,
    pub(super) used: u64,
    pub(super) free: u64,
    pub(super) services: Option<Vec<&'v str>>,
    pub(super) verdict: &'v str,
    pub(super) terms: Vec<Term<'v>>,
}

pub(super) struct Service<'v> {
    pub(super) name: &'v str,
    pub(super) choice: &'v str,
    pub(super) replicas: u64,
    pub(super) surge: u64,
    pub(super) peak: u64,
    pub(super) wave: Option<Wave<'v>>,
    pub(super) pods: u64,
    pub(super) nodes: Option<Vec<usize>>,
    pub(super) one_on_a_node: bool,
    pub(super) request: u64,
    pub(super) limit: u64,
    pub(super) low: u64,
    pub(super) floor: Option<u64>,
    pub(super) has_floor_origin: bool,
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) weight: Option<u64>,
    pub(super) cpu: u64,
    pub(super) main_cpu: u64,
    pub(super) secret_mounts: u64,
    pub(super) kind: &'v str,
    pub(super) main_request: u64,
    pub(super) main_limit: u64,
    pub(super) beside: Vec<Extra>,
    pub(super) adopted: bool,
    /// Whether every container has a limit.
    pub(super) bounded: bool,
    /// Whether a pod of a run may still be there beside its successor.
    pub(super) lingers: bool,
}

impl Service<'_> {
    /// How many of so many of its pods may be on a node.
    pub(super) fn on(&self, node: usize, pods: u64) -> u64 {
        match (
            self.nodes
                .as_ref()
                .is_none_or(|nodes| nodes.contains(&node)),
            self.one_on_a_node,
        ) {
            (false, _) => 0,
            (true, true) => pods.min(1),
            (true, false) => pods,
        }
    }
}

/// A container beside the main one.
pub(super) struct Extra {
    pub(super) stays: bool,
    pub(super) bytes: u64,
    pub(super) request: u64,
    pub(super) cpu: u64,
}

/// An object or a list of the report, and where it stands.
struct Item<'v> {
    value: &'v Value,
    path: String,
}

/// A value in a few words, for a message.
fn brief(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

impl<'v> Item<'v> {
    fn below(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn get(&self, key: &str) -> Result<&'v Value, String> {
        match self.value {
            Value::Object(map) => map
                .get(key)
                .ok_or_else(|| format!("`{}` is missing", self.below(key))),
            other => Err(format!(
                "`{}` is {}, not an object",
                self.path,
                brief(other)
            )),
        }
    }

    /// An object, or null.
    fn part(&self, key: &str) -> Result<Option<Item<'v>>, String> {
        let value = self.get(key)?;
        Ok((!value.is_null()).then(|| Item {
            value,
            path: self.below(key),
        }))
    }

    fn wrong<T>(&self, key: &str, value: &Value, wanted: &str) -> Result<T, String> {
        Err(format!(
            "`{}` is {}, not {wanted}",
            self.below(key),
            brief(value)
        ))
    }

    fn number(&self, key: &str) -> Result<u64, String> {
        let value = self.get(key)?;
        value
            .as_u64()
            .map_or_else(|| self.wrong(key, value, "a whole number of 64 bits"), Ok)
    }

    fn number_or_null(&self, key: &str) -> Result<Option<u64>, String> {
        if self.get(key)?.is_null() {
            Ok(None)
        } else {
            self.number(key).map(Some)
        }
    }

    fn text(&self, key: &str) -> Result<&'v str, String> {
        let value = self.get(key)?;
        value
            .as_str()
            .map_or_else(|| self.wrong(key, value, "a text"), Ok)
    }

    fn text_or_null(&self, key: &str) -> Result<Option<&'v str>, String> {
        if self.get(key)?.is_null() {
            Ok(None)
        } else {
            self.text(key).map(Some)
        }
    }

    fn truth(&self, key: &str) -> Result<bool, String> {
        let value = self.get(key)?;
        value
            .as_bool()
            .map_or_else(|| self.wrong(key, value, "true or false"), Ok)
    }

    fn values(&self, key: &str) -> Result<&'v [Value], String> {
        let value = self.get(key)?;
        value.as_array().map_or_else(
            || self.wrong(key, value, "a list"),
            |list| Ok(list.as_slice()),
        )
    }

    /// A list of objects.
    fn each<T>(
        &self,
        key: &str,
        read: impl Fn(&Item<'v>) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let values = self.values(key)?.iter().enumerate();
        values
            .map(|(at, value)| {
                read(&Item {
                    value,
                    path: format!("{}[{at}]", self.below(key)),
                })
            })
            .collect()
    }

    fn texts(&self, key: &str) -> Result<Vec<&'v str>, String> {
        let values = self.values(key)?.iter();
        values
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| self.wrong(key, value, "a list of texts"), Ok)
            })
            .collect()
    }

    /// Indices below `count`, each once, rising.
    fn indices(&self, key: &str, list: &Value, count: usize) -> Result<Vec<usize>, String> {
        let index = |value: &Value| {
            value
                .as_u64()
                .and_then(|n| usize::try_from(n).ok())
                .filter(|n| *n < count)
        };
        let indices: Option<Vec<usize>> = list
            .as_array()
            .and_then(|list| list.iter().map(index).collect());
        let rising = |indices: &Vec<usize>| indices.windows(2).all(|pair| pair[0] < pair[1]);
        indices.filter(rising).map_or_else(
            || self.wrong(key, list, "a list of nodes by their place in `nodes`"),
            Ok,
        )
    }

    /// A wave, by its number, or by the name of the service that rolls alone.
    fn wave(&self) -> Result<Option<Wave<'v>>, String> {
        match self.get("wave")? {
            Value::Null => Ok(None),
            Value::String(name) => Ok(Some(Wave::Alone(name))),
            _ => Ok(Some(Wave::Of(self.number("wave")?))),
        }
    }

    fn pair(&self, key: &str, value: &Value) -> Result<(u64, u64), String> {
        let pair = match value.as_array().map(Vec::as_slice) {
            Some([first, second]) => first.as_u64().zip(second.as_u64()),
            _ => None,
        };
        pair.map_or_else(
            || self.wrong(key, value, "two whole numbers of 64 bits"),
            Ok,
        )
    }
}

pub(super) fn report(value: &Value) -> Result<Report<'_>, String> {
    let top = Item {
        value,
        path: String::new(),
    };
    if !value.is_object() {
        return Err(format!("it is {}, not a report of bzc", brief(value)));
    }
    let Ok(format) = top.get("bzcReport") else {
        return Err("it is not a report of bzc: it has no `bzcReport`".to_owned());
    };
    match format.as_u64() {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => {
            return Err(format!(
                "it is of format {newer}, and this bzc knows {FORMAT}: use a newer bzc"
            ));
        }
        _ => {
            return Err(format!(
                "`bzcReport` is {}, which is no format of bzc's",
                brief(format)
            ));
        }
    }
    top.text("source")?;
    top.text_or_null("environment")?;
    let equal = match top.text("fill")? {
        "proportional" => false,
        "equal" => true,
        other => {
            return Err(format!(
                "`fill` is `{other}`, not `proportional` or `equal`"
            ));
        }
    };
    let level = top.get("level")?;
    let level = if level.is_null() {
        None
    } else {
        Some(top.pair("level", level)?)
    };
    let nodes = top.each("nodes", node)?;
    if nodes.is_empty() {
        return Err("`nodes` has no node".to_owned());
    }
    let services = top.each("services", |item| service(item, nodes.len()))?;
    let placed = top.get("placement")?;
    let placement = placement(
        &Item {
            value: placed,
            path: "placement".to_owned(),
        },
        nodes.len(),
    )?;
    let by_name = services
        .iter()
        .enumerate()
        .map(|(index, service)| (service.name, index))
        .collect();
    Ok(Report {
        equal,
        level,
        nodes,
        placement,
        theorems: top.each("theorems", theorem)?,
        budgets: top.each("budgets", budget)?,
        services,
        by_name,
    })
}

fn placement<'v>(item: &Item<'v>, nodes: usize) -> Result<Placement<'v>, String> {
    let moments = item.each("moments", |item| {
        let lists = ["services", "components"].map(|key| {
            let lists = item.values(key)?.iter();
            lists
                .map(|list| item.indices(key, list, nodes))
                .collect::<Result<Vec<_>, String>>()
        });
        let [services, components] = lists;
        Ok(Shown {
            wave: item.wave()?,
            with: [services?, components?].concat(),
        })
    });
    Ok(Placement {
        kind: item.text("kind")?,
        moments: moments?,
    })
}

fn theorem<'v>(item: &Item<'v>) -> Result<Theorem<'v>, String> {
    Ok(Theorem {
        id: item.text("id")?,
        name: item.text("name")?,
        node: item.text_or_null("node")?,
        verdict: item.text("verdict")?,
        statement: item.text("statement")?,
        reasons: item.texts("why")?.len(),
        left: item.number("leftBytes")?,
        right: item.number("rightBytes")?,
        terms: item.each("terms", |item| sided(item, "bytes"))?,
        counts: item.each("counts", count)?,
    })
}

fn count<'v>(item: &Item<'v>) -> Result<Count<'v>, String> {
    Ok(Count {
        id: item.text("id")?,
        left: item.number("left")?,
        right: item.number_or_null("right")?,
        terms: item.each("terms", |item| sided(item, "amount"))?,
    })
}

/// A term of an inequality.
fn sided<'v>(item: &Item<'v>, unit: &str) -> Result<Term<'v>, String> {
    Ok(Term {
        side: item.text("side")?,
        reference: item.text("ref")?,
        ..term(item, unit)?
    })
}

fn term<'v>(item: &Item<'v>, unit: &str) -> Result<Term<'v>, String> {
    item.text("what")?;
    item.text_or_null("formula")?;
    let times = match item.get("times")? {
        Value::Null => None,
        _ => Some(
            item.values("times")?
                .iter()
                .map(|pair| item.pair("times", pair))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Term {
        side: "",
        id: item.text("id")?,
        amount: item.number(unit)?,
        times,
        reference: "",
        has_origin: item.text_or_null("origin")?.is_some(),
    })
}

fn node<'v>(item: &Item<'v>) -> Result<Node<'v>, String> {
    item.text("memoryOrigin")?;
    Ok(Node {
        name: item.text("name")?,
        server: match item.text("role")? {
            "server" => true,
            "agent" => false,
            other => {
                return Err(format!(
                    "`{}` is `{other}`, not `server` or `agent`",
                    item.below("role")
                ));
            }
        },
        memory: item.number("memoryBytes")?,
        reserved_bytes: item.number("reservedBytes")?,
        system: item.number("systemReservedBytes")?,
        kube: item.number("kubeReservedBytes")?,
        eviction: item.number("evictionBytes")?,
        allocatable: item.number("allocatableBytes")?,
        requests: item.number("requestBytes")?,
        limits: item.number("limitBytes")?,
        free: item.number("freeBytes")?,
        pods: item.number("podsAtPeak")?,
        max_pods: item.number("maxPods")?,
        overcommit: item.number_or_null("overcommitPercent")?,
        cpu: item.number_or_null("cpuMilli")?,
        cpu_requests: item.number("cpuRequestMilli")?,
        reserved: item.each("reserved", |item| term(item, "bytes"))?,
        components: item.each("components", component)?,
    })
}

fn component<'v>(item: &Item<'v>) -> Result<Component<'v>, String> {
    item.text_or_null("origin")?;
    Ok(Component {
        name: item.text("name")?,
        pods: item.number("pods")?,
        ending: item.number("podsWithTransient")?,
        containers: item.number("containers")?,
        request: item.number("requestBytes")?,
        limit: item.number("limitBytes")?,
        held: item.number("heldBackBytes")?,
        cpu: item.number("cpuMilli")?,
        every_node: item.truth("everyNode")?,
        bounded: item.truth("bounded")?,
    })
}

fn budget<'v>(item: &Item<'v>) -> Result<Budget<'v>, String> {
    item.text("origin")?;
    Ok(Budget {
        name: item.text("name")?,
        ceiling: item.number("ceilingBytes")?,
        used: item.number("usedBytes")?,
        free: item.number("freeBytes")?,
        services: if item.get("services")?.is_null() {
            None
        } else {
            Some(item.texts("services")?)
        },
        verdict: item.text("verdict")?,
        terms: item.each("terms", |item| sided(item, "bytes"))?,
    })
}

fn service<'v>(item: &Item<'v>, nodes: usize) -> Result<Service<'v>, String> {
    item.text_or_null("tier")?;
    let adopted = item.part("adopted")?;
    if let Some(adopted) = &adopted {
        adopted.text("manifest")?;
    }
    Ok(Service {
        name: item.text("name")?,
        choice: item.text("choice")?,
        replicas: item.number("replicas")?,
        surge: item.number("surge")?,
        peak: item.number("podsAtPeak")?,
        wave: item.wave()?,
        pods: item.number("podsWithEnding")?,
        nodes: match item.get("nodes")? {
            Value::Null => None,
            list => Some(item.indices("nodes", list, nodes)?),
        },
        one_on_a_node: item.truth("oneOnANode")?,
        request: item.number("requestBytes")?,
        limit: item.number("limitBytes")?,
        low: item.number("lowBytes")?,
        floor: item.number_or_null("floorBytes")?,
        has_floor_origin: item.text_or_null("floorOrigin")?.is_some(),
        least: item.number("leastBytes")?,
        most: item.number("mostBytes")?,
        weight: item.number_or_null("weight")?,
        cpu: item.number("cpuMilli")?,
        main_cpu: item.number("mainCpuMilli")?,
        secret_mounts: item.number("secretMounts")?,
        kind: item.text("kind")?,
        main_request: item.number("mainRequestBytes")?,
        main_limit: item.number("mainLimitBytes")?,
        beside: item.each("beside", extra)?,
        adopted: adopted.is_some(),
        bounded: adopted
            .as_ref()
            .map_or(Ok(true), |adopted| adopted.truth("bounded"))?,
        lingers: adopted
            .as_ref()
            .map_or(Ok(false), |adopted| adopted.truth("lingers"))?,
    })
}

fn extra(item: &Item<'_>) -> Result<Extra, String> {
    item.text("name")?;
    item.text("origin")?;
    let stays = match item.text("role")? {
        "sidecar" => true,
        "init" => false,
        other => {
            return Err(format!(
                "`{}` is `{other}`, not `sidecar` or `init`",
                item.below("role")
            ));
        }
    };
    let bytes = item.number("bytes")?;
    Ok(Extra {
        stays,
        bytes,
        request: item.number("requestBytes")?,
        cpu: item.number("cpuMilli")?,
    })
}
