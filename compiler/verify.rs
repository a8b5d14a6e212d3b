//! Re-checks a report.json from its own numbers: every sum is added up again, every inequality compared, every
//! verdict held against what it needs. It knows the rules of `spec/06-proof.md` and nothing of the code that
//! plans, so that a fault there is found here and not repeated.
//!
//! All arithmetic is in 128 bits and saturates. No report can state a saturated sum, so such a sum disagrees.

mod evidence;
mod lemma;
mod level;
mod limits;
mod nodes;
mod promises;
mod quotas;
mod services;
mod supplies;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Deserialize;
use serde_json::error::Category;

use crate::report::text::has_its_digest;
use crate::report::{
    Component, FORMAT, HookPhase, Report, Role, Service, Side, SidedTerm, Term, Wave,
};

/// The result for a report that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Promises that were re-checked.
    pub promises: usize,
    /// Budgets that were re-checked.
    pub budgets: usize,
    /// Numbers that were computed again and agree.
    pub sums: usize,
    /// Disagreements, one line each.
    pub faults: Vec<String>,
}

/// Re-checks a report. `Err` says why it cannot be read as one.
pub fn verify(report: &[u8]) -> Result<Verified, String> {
    let text = str::from_utf8(report).map_err(|error| not_json(&error))?;
    let report = read(text)?;
    let mut verified = agree(&report);
    if !has_its_digest(&report, text) {
        let fault = "digest: it is not that of this report, which was changed after it was written";
        verified.faults.push(fault.to_owned());
    }
    Ok(verified)
}

/// Re-checks the data of a report.
pub(crate) fn agree(report: &Report<'_>) -> Verified {
    let facts = Facts::new(report);
    let mut check = Check::default();
    check.services(&facts);
    (0..report.nodes.len()).for_each(|at| {
        check.components(&facts, at);
        check.node(&facts, at);
    });
    check.theorems(&facts);
    check.placement(&facts);
    report
        .budgets
        .iter()
        .for_each(|budget| check.budget(&facts, budget));
    check.quotas(&facts);
    check.supplies(&facts);
    check.level(&facts);
    Verified {
        promises: report.theorems.len(),
        budgets: report.budgets.len(),
        sums: check.sums,
        faults: check.faults,
    }
}

/// Parses a report. A field that is missing, unknown, given twice or of another type is an error.
fn read(text: &str) -> Result<Report<'_>, String> {
    let report = serde_json::from_str(text)
        .ok()
        .filter(|report: &Report<'_>| report.bzc_report == FORMAT)
        .map_or_else(|| read_with_places(text), Ok)?;
    if report.nodes.is_empty() {
        return Err("`nodes` has no node".to_owned());
    }
    Ok(report)
}

/// Parses a report that has a fault, slower, for the place of it.
fn read_with_places(text: &str) -> Result<Report<'_>, String> {
    /// The field that all versions of the format have.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head {
        bzc_report: Option<u64>,
    }
    let head: Head = serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => "it is not a report of bzc".to_owned(),
        Category::Io | Category::Syntax | Category::Eof => not_json(&error),
    })?;
    match head.bzc_report {
        None => return Err("it is not a report of bzc: it has no `bzcReport`".to_owned()),
        Some(FORMAT) => {}
        Some(other) => {
            let bzc = if other > FORMAT {
                "a newer bzc"
            } else {
                "the bzc that wrote it"
            };
            return Err(format!(
                "it is of format {other}, and this bzc knows {FORMAT}: use {bzc}"
            ));
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let report = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(report)
}

fn not_json(why: &dyn Display) -> String {
    format!("it is not JSON: {why}")
}

/// A report with indices for what is looked up often.
struct Facts<'r> {
    report: &'r Report<'r>,
    services: BTreeMap<&'r str, &'r Service<'r>>,
    /// For each service, the indices of the nodes that may take it. None if all may, or if it names an unknown node.
    places: Vec<Option<Vec<usize>>>,
    /// The moments of a rollout: one for each wave, or a single one without a rollout; each without a hook of Helm and
    /// with every hook.
    moments: Vec<At<'r>>,
}

/// A moment of a rollout.
#[derive(Clone, Copy)]
struct At<'r> {
    wave: Option<&'r Wave<'r>>,
    hook: Option<&'r Service<'r>>,
}

impl<'r> Facts<'r> {
    fn new(report: &'r Report<'r>) -> Facts<'r> {
        let at: BTreeMap<&str, usize> = report
            .nodes
            .iter()
            .map(|node| node.name.as_ref())
            .zip(0..)
            .collect();
        let place = |service: &Service<'_>| -> Option<Vec<usize>> {
            service
                .nodes
                .as_ref()?
                .iter()
                .map(|name| at.get(name.as_ref()).copied())
                .collect()
        };
        let waves: BTreeSet<&Wave<'_>> = report
            .services
            .iter()
            .filter(|service| service.surge > 0)
            .filter_map(|service| service.wave.as_ref())
            .collect();
        let waves: Vec<Option<&Wave<'_>>> = match waves.is_empty() {
            true => vec![None],
            false => waves.into_iter().map(Some).collect(),
        };
        let hooks = report.services.iter().filter(|one| one.hook.is_some());
        let hooks: Vec<Option<&Service<'_>>> = [None].into_iter().chain(hooks.map(Some)).collect();
        let at = |wave| hooks.iter().map(move |&hook| At { wave, hook });
        Facts {
            report,
            services: report
                .services
                .iter()
                .map(|service| (service.name.as_ref(), service))
                .collect(),
            places: report.services.iter().map(place).collect(),
            moments: waves.into_iter().flat_map(at).collect(),
        }
    }

    /// How many of `pods` pods of a service may be on a node.
    fn on(&self, service: usize, node: usize, pods: u64) -> u64 {
        let takes = self.places[service]
            .as_ref()
            .is_none_or(|nodes| nodes.contains(&node));
        match (takes, self.report.services[service].one_on_a_node) {
            (false, _) => 0,
            // A DaemonSet that surges has a new pod beside the old one.
            (true, true) if self.doubles(service) => pods.min(2),
            (true, true) => pods.min(1),
            (true, false) => pods,
        }
    }

    /// Whether a service is a DaemonSet that surges.
    fn doubles(&self, service: usize) -> bool {
        let service = &self.report.services[service];
        service.kind == "DaemonSet" && service.surge > 0
    }

    /// The first node that takes what K3s packages.
    fn open(&self) -> Option<usize> {
        self.report
            .nodes
            .iter()
            .position(|node| !node.components.is_empty())
    }

    fn has_server(&self) -> bool {
        self.report
            .nodes
            .iter()
            .any(|node| node.role == Role::Server)
    }

    /// The id of an addend that every node has one of.
    fn id_of(&self, id: &str, at: usize) -> String {
        match self.report.nodes.as_slice() {
            [_] => id.to_owned(),
            nodes => format!("{id}.{}", nodes[at].name),
        }
    }

    /// The largest sum over services at any moment. `amount` gets the index of a service and its pods at that moment.
    fn at_worst(&self, amount: impl Fn(usize, u64) -> u128) -> u128 {
        let at = |moment: &At<'_>| {
            let services = self.report.services.iter().enumerate();
            sum(services.map(|(index, service)| amount(index, pods_at(service, *moment))))
        };
        self.moments.iter().map(at).max().unwrap_or(0)
    }
}

/// Pods of a service that must find room at a moment.
fn pods_at(service: &Service<'_>, moment: At<'_>) -> u64 {
    let is_running = |hook: &Service<'_>| hook.name == service.name;
    let of_release =
        |hook: &&Service<'_>| hook.release.is_some() && hook.release == service.release;
    let phase = moment.hook.filter(of_release).and_then(|hook| hook.hook);
    match (service.wave.as_ref(), phase) {
        _ if service.hook.is_some() => match moment.hook.is_some_and(is_running) {
            true => service.pods_at_peak,
            false => 0,
        },
        (_, Some(HookPhase::Before)) => 0,
        (_, Some(HookPhase::Rest)) => service.replicas,
        (None, _) => service.pods_at_peak,
        (wave, _) if wave == moment.wave => service.pods_at_peak,
        (Some(_), _) => service.replicas,
    }
}

/// A sum in 128 bits.
fn sum(terms: impl Iterator<Item = u128>) -> u128 {
    terms.fold(0, u128::saturating_add)
}

fn times(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

/// What all pods of a component ask for, if each pod asks for `each`.
fn asked_of(component: &Component<'_>, each: u64) -> u128 {
    times(component.pods_at_peak, each)
}

/// An addend as the verifier computes it.
struct Expected {
    side: Option<Side>,
    id: String,
    reference: String,
    amount: u128,
    /// The two factors, if the addend is a product: how many times, and how much.
    product: Option<(u128, Option<u128>)>,
    what: &'static str,
}

impl Expected {
    fn new(side: Side, id: &str, reference: &str, amount: u128, what: &'static str) -> Expected {
        Expected {
            side: Some(side),
            id: id.to_owned(),
            reference: reference.to_owned(),
            amount,
            product: None,
            what,
        }
    }

    /// The addend of a component: so many pods, each taking so much.
    fn of_component(
        (node, index): (usize, usize),
        component: &Component<'_>,
        pods: u128,
        each: u64,
    ) -> Expected {
        Expected {
            product: Some((pods, Some(each.into()))),
            ..Expected::new(
                Side::Left,
                &format!("component.{}", component.name),
                &format!("/nodes/{node}/components/{index}"),
                pods.saturating_mul(each.into()),
                "its component makes",
            )
        }
    }
}

/// An addend as the report states it, of an inequality or of a node's reserve.
struct Stated<'r> {
    side: Option<Side>,
    id: &'r str,
    amount: u64,
    times: Option<[u64; 2]>,
    reference: &'r str,
}

impl<'r> From<&'r SidedTerm<'r>> for Stated<'r> {
    fn from(term: &'r SidedTerm<'r>) -> Stated<'r> {
        Stated {
            side: Some(term.side),
            id: &term.id,
            amount: term.amount,
            times: term.times,
            reference: &term.reference,
        }
    }
}

impl<'r> From<&'r Term<'r>> for Stated<'r> {
    fn from(term: &'r Term<'r>) -> Stated<'r> {
        Stated {
            side: None,
            id: &term.id,
            amount: term.bytes,
            times: term.times,
            reference: "",
        }
    }
}

/// Counts agreements and collects disagreements.
#[derive(Default)]
struct Check {
    sums: usize,
    faults: Vec<String>,
}

impl Check {
    fn fault(&mut self, place: &str, what: &str) {
        self.faults.push(format!("{place}: {what}"));
    }

    fn holds(&mut self, place: &str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(place, &what());
        }
    }

    /// Compares a stated number with a computed one: `T2: leftBytes is 100, its terms sum to 120`.
    fn same(&mut self, place: &str, key: &str, stated: u64, how: &str, counted: u128) {
        if u128::from(stated) == counted {
            self.sums += 1;
        } else {
            self.fault(place, &format!("{key} is {stated}, {how} {counted}"));
        }
    }

    fn difference(
        &mut self,
        place: &str,
        (key, stated): (&str, u64),
        what: &str,
        counted: Option<u128>,
    ) {
        match counted {
            Some(counted) => self.same(place, key, stated, &format!("{what} is"), counted),
            None => self.fault(place, &format!("{key} is {stated}, {what} is below zero")),
        }
    }

    /// Compares stated addends with the computed ones: each must be there once, there are no others, and each is the
    /// product of its factors.
    fn terms<'r, T>(&mut self, place: &str, terms: &'r [T], expected: &[Expected])
    where
        Stated<'r>: From<&'r T>,
    {
        let terms: Vec<Stated<'r>> = terms.iter().map(Stated::from).collect();
        for expected in expected {
            let same = |term: &&Stated<'_>| term.id == expected.id && term.side == expected.side;
            let mut found = terms.iter().filter(same);
            let Some(term) = found.next() else {
                self.fault(place, &format!("the term `{}` is missing", expected.id));
                continue;
            };
            self.holds(place, found.next().is_none(), || {
                format!("the term `{}` is there twice", expected.id)
            });
            let key = format!("the term `{}`", term.id);
            self.same(place, &key, term.amount, expected.what, expected.amount);
            self.holds(place, term.reference == expected.reference, || {
                format!(
                    "{key} refers to `{}`, not to `{}`",
                    term.reference, expected.reference
                )
            });
            match (term.times, expected.product) {
                (None, None) => {}
                (Some(_), None) => self.fault(place, &format!("{key} is no product")),
                (None, Some(_)) => self.fault(place, &format!("{key} lacks its factors")),
                (Some([count, each]), Some((counted, amount))) => {
                    self.same(
                        place,
                        &key,
                        term.amount,
                        "its factors make",
                        times(count, each),
                    );
                    self.same(
                        place,
                        &format!("{key}: a factor"),
                        count,
                        "there are",
                        counted,
                    );
                    if let Some(amount) = amount {
                        self.same(place, &format!("{key}: a factor"), each, "each is", amount);
                    }
                }
            }
        }
        for term in &terms {
            let known = |expected: &Expected| expected.id == term.id && expected.side == term.side;
            self.holds(place, expected.iter().any(known), || {
                format!("the term `{}` does not belong there", term.id)
            });
        }
    }
}
