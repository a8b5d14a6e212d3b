//! report.json as a certificate: every report that bzc writes verifies, and a report in which anything was changed
//! that can be computed from the rest does not. `spec/report.schema.json` says what a report consists of.

use std::collections::BTreeSet;

use bzc::{MemoryWorld, Verified};
use serde_json::{Value, json};

use crate::generate::{self, Size};
use crate::golden::{examples, goldens};
use crate::support::corpus;

/// Whether an amount of a pod is that of an init container, rather than of its main container and sidecars together.
fn init_decides(service: &Value, all: &str, main: &str) -> bool {
    let key = if all == "cpuMilli" { all } else { "bytes" };
    let extras = service["beside"].as_array().into_iter().flatten();
    let stays = extras
        .filter(|extra| extra["role"] == "sidecar")
        .filter_map(|extra| extra[key].as_u64());
    service[all].as_u64() != service[main].as_u64().map(|main| main + stays.sum::<u64>())
}

/// Whether a number is one that nothing else in its report tells: an input of the program, where it decided nothing.
fn decided_nothing(report: &Value, place: &str) -> bool {
    let (above, key) = place.rsplit_once('/').unwrap_or_default();
    let part = report.pointer(above).unwrap_or(&Value::Null);
    match key {
        // A low end below the floor that raised it; an upper end that was not reached, and the weight on the way.
        "lowBytes" => !part["floorBytes"].is_null() || init_decides(part, "leastBytes", "lowBytes"),
        "floorBytes" => init_decides(part, "leastBytes", "floorBytes"),
        "mainLimitBytes" => init_decides(part, "limitBytes", "mainLimitBytes"),
        "mainCpuMilli" => init_decides(part, "cpuMilli", "mainCpuMilli"),
        // Only what rolls out at the worst moment is part of a sum.
        "wave" => true,
        // An upper end that was not reached, and what a service grows by beside others.
        "highBytes" => part["choice"] == "level" || init_decides(part, "mostBytes", "highBytes"),
        "weight" => true,
        // What was read, where it changes no verdict.
        "lowerBytes" | "upperBytes" | "inMemoryBytes" => above.contains("/evidence/"),

        // Pods at rest of what counts with all that may be there.
        "replicas" if above.contains("/components/") => part["preempts"] == true,
        "surge" => part["preempts"] == true,
        "secretMounts" => part["podsWithEnding"] == 0,
        // What is assumed of a container that requests more.
        "assumedBytes" => {
            let service = above
                .strip_suffix("/adopted")
                .and_then(|service| report.pointer(service));
            service.is_some_and(|service| {
                service["mainRequestBytes"].as_u64() > part["assumedBytes"].as_u64()
            })
        }
        // What pods ask for by a name where no node says that it has some, so that T4 is unknown, and what a node has where
        // less is asked for.
        "each" if above.contains("/asks/") => {
            let nodes = report["nodes"].as_array().into_iter().flatten();
            let mut supplies = nodes
                .filter_map(|node| node["supplies"].as_array())
                .flatten();
            supplies.all(|supply| supply["resource"] != part["resource"])
        }
        "has" if above.contains("/supplies/") => {
            part["kept"] == 0 && part["asked"].as_u64() <= part["has"].as_u64()
        }
        // A container beside the main one that does not run when the pod needs the most.
        "bytes" | "cpuMilli" if above.contains("/beside/") => {
            let service = above
                .split("/beside/")
                .next()
                .and_then(|service| report.pointer(service));
            let (all, main) = if key == "bytes" {
                ("limitBytes", "mainLimitBytes")
            } else {
                (key, "mainCpuMilli")
            };
            part["role"] == "init"
                || service.is_some_and(|service| init_decides(service, all, main))
        }
        _ => false,
    }
}

/// The report of every golden and every example, with its name.
fn reports() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for case in goldens().iter().chain(&examples()) {
        let text = case.text();
        for env in &case.runs {
            let (mut files, _) = case.run(&text, env.as_deref());
            let name = format!(
                "{} {}",
                corpus::shown(&case.folder),
                env.as_deref().unwrap_or_default()
            );
            found.extend(files.remove("report.json").map(|bytes| (name, bytes)));
        }
    }
    found
}

/// The report of a text that fits.
fn compiled(text: &str, env: Option<String>) -> Option<Vec<u8>> {
    let options = bzc::Options {
        env,
        ..Default::default()
    };
    let output = bzc::compile(
        &MemoryWorld::default(),
        "budget.bz",
        text.to_owned(),
        &options,
    )
    .output?;
    output
        .files
        .into_iter()
        .find(|(path, _)| path == "report.json")
        .map(|(_, bytes)| bytes)
}

/// Limits above what there is, and ranges that were stopped.
const OVERCOMMITTED: &str = "edition = 1
node box { memory = 2100Mi  cpu = 2  reserve = 200Mi  overcommit = 160% }
k3s { memory = 400Mi  disable = [traefik, servicelb] }
component coredns = stock
budget front = 200Mi { services = [a, b] }
service a { memory = 16Mi..300Mi  cpu = 30m  replicas = 2  rollout = surge 1  image = \"ghcr.io/acme/a:1.0\" }
service b { memory = 16Mi..96Mi  weight = 2  image = \"ghcr.io/acme/b:1.0\" }
service c { memory { request = 100Mi  limit = 300Mi }  image = \"ghcr.io/acme/c:1.0\" }
";

/// Every kind of workload, and containers beside the main one.
const KINDS: &str = "edition = 1
node box { memory = 3000Mi  cpu = 4  reserve = 200Mi }
k3s { memory = 400Mi  disable = [traefik, servicelb] }
budget all = 600Mi
service api {
  memory = 32Mi..64Mi  cpu = 50m..200m  scale = 1..3  image = \"ghcr.io/acme/api:1.0\"
  init migrate { image = \"ghcr.io/acme/migrate:1.0\"  memory = 20Mi  cpu = 10m }
  sidecar log { image = \"ghcr.io/acme/log:1.0\"  memory = 16Mi  cpu = 10m }
}
service web {
  memory = 16Mi..400Mi  image = \"ghcr.io/acme/web:1.0\"
  sidecar mesh { image = \"ghcr.io/acme/mesh:1.0\"  memory = 12Mi }
  init warm { image = \"ghcr.io/acme/warm:1.0\"  memory = 100Mi }
}
stateful db { memory { request = 64Mi  limit = 80Mi }  replicas = 2  image = \"postgres:17.2-alpine\" }
daemon probe { memory = 16Mi  image = \"ghcr.io/acme/probe:1.0\" }
job seed { memory = 24Mi  parallelism = 2  image = \"ghcr.io/acme/seed:1.0\" }
cron tidy { memory = 20Mi  schedule = \"@daily\"  concurrency = replace  image = \"ghcr.io/acme/tidy:1.0\" }
cron report {
  memory = 12Mi  schedule = \"@daily\"  concurrency = allow  at-most = 3  image = \"ghcr.io/acme/report:1.0\"
}
";

/// Several nodes that are not alike, waves, pods that keep apart, and a pod for every node. Any order ends well.
const NODES: &str = "edition = 1
node a { memory = 3000Mi  cpu = 4  reserve = 200Mi  labels { disk = \"ssd\" } }
node b { memory = 3000Mi  cpu = 4  reserve = 200Mi  role = agent  labels { disk = \"ssd\" } }
node c { memory = 2000Mi  cpu = 2  reserve = 200Mi  role = agent  taints = [gpu]  max-pods = 30 }
k3s { memory = 400Mi  disable = [traefik, servicelb] }
service web { memory = 32Mi..64Mi  cpu = 20m  replicas = 2  anti-affinity = node  image = \"ghcr.io/acme/web:1.0\" }
service api {
  memory = 32Mi..64Mi  cpu = 20m  replicas = 3  rollout = surge 1  wave = 2  image = \"ghcr.io/acme/api:1.0\"
  node-selector { disk = \"ssd\" }
}
service model {
  memory { request = 64Mi  limit = 80Mi }  cpu = 20m  rollout = surge 1  wave = 1  nodes = [b, c]  tolerations = [gpu]
  image = \"ghcr.io/acme/model:1.0\"
}
service solo { memory = 40Mi  cpu = 10m  rollout = serial  image = \"ghcr.io/acme/solo:1.0\" }
daemon log { memory = 24Mi  cpu = 10m  tolerations = [gpu]  image = \"ghcr.io/acme/log:1.0\" }
";

/// Three servers, any of which may be lost.
const SURVIVING: &str = "edition = 1
survive = 1
node a { memory = 3000Mi  cpu = 4  reserve = 200Mi }
node b { memory = 3000Mi  cpu = 4  reserve = 200Mi }
node c { memory = 2600Mi  cpu = 4  reserve = 200Mi }
k3s { memory = 500Mi  disable = [traefik, servicelb, metrics-server] }
component coredns { memory = 64Mi }
budget all = 2000Mi
service api { memory = 64Mi..200Mi  cpu = 100m  replicas = 5  rollout = serial  image = \"ghcr.io/acme/api:1.0\" }
service web { memory = 32Mi..900Mi  cpu = 100m  replicas = 2  anti-affinity = node  image = \"ghcr.io/acme/web:1.0\" }
";

/// So full that every service is held to nodes.
const PINNED: &str = "edition = 1
node a { memory = 1700Mi  cpu = 4  reserve = 200Mi }
node b { memory = 1300Mi  cpu = 4  reserve = 200Mi  role = agent }
k3s { memory = 400Mi  disable = [traefik, servicelb, metrics-server, local-storage] }
component coredns { memory = 64Mi }
service large { memory = 400Mi  cpu = 50m  image = \"ghcr.io/acme/large:1.0\" }
service small { memory = 40Mi..100Mi  cpu = 20m  replicas = 4  image = \"ghcr.io/acme/small:1.0\" }
service medium { memory = 150Mi..300Mi  cpu = 20m  image = \"ghcr.io/acme/medium:1.0\" }
";

/// The reports of all goldens and examples, and of programs that have what those lack.
fn more_reports() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = reports()
        .iter()
        .map(|(name, report)| (name.clone(), value(report)))
        .collect();
    let texts = [
        ("overcommitted", OVERCOMMITTED, "one-node"),
        ("kinds", KINDS, "one-node"),
        ("nodes", NODES, "any-order"),
        ("surviving", SURVIVING, "any-order"),
        ("pinned", PINNED, "pinned"),
    ];
    for (name, text, placement) in texts {
        let report = value(&compiled(text, None).expect(name));
        assert_eq!(report["placement"]["kind"], placement, "{name}");
        all.push((name.to_owned(), report));
    }
    all
}

fn value(report: &[u8]) -> Value {
    serde_json::from_slice(report).expect("bzc writes JSON")
}

/// The faults of a report beside its digest, which knows of every change; what cannot be read is a fault too.
fn faults(report: &Value) -> Vec<String> {
    let faults = found(report).into_iter();
    faults.filter(|fault| !of_digest(fault)).collect()
}

fn of_digest(fault: &str) -> bool {
    fault.starts_with("digest: ")
}

/// Everything that is found in a report, its digest too.
fn found(report: &Value) -> Vec<String> {
    match bzc::verify(report.to_string().as_bytes()) {
        Ok(verified) => verified.faults,
        Err(why) => vec![why],
    }
}

/// Every value in a report by its JSON pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found)),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
    found.push(at.to_owned());
}

fn changed(report: &Value, pointer: &str, to: Value) -> Value {
    let mut report = report.clone();
    *report
        .pointer_mut(pointer)
        .expect("the pointer was made from it") = to;
    report
}

#[test]
fn every_report_of_a_golden_or_an_example_verifies() {
    let reports = reports();
    assert!(reports.len() >= 15, "the goldens are gone");
    for (name, report) in &reports {
        let verified = bzc::verify(report).expect(name);
        assert_eq!(verified.faults, Vec::<String>::new(), "{name}");
        // Two for every node, two for all, and survival where it is asked for.
        let parsed = value(report);
        let nodes = parsed["nodes"].as_array().map_or(0, Vec::len);
        let survives = parsed["theorems"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|t| t["id"] == "T5")
            .count();
        assert_eq!(verified.promises, 2 * nodes + 2 + survives, "{name}");
        assert!(verified.sums > 20, "{name}: only {} sums", verified.sums);
    }
}

#[test]
fn every_report_of_a_generated_program_verifies() {
    let mut seen = BTreeSet::new();
    let mut reports = 0;
    for seed in 0..600 {
        let size = if seed % 4 == 0 {
            Size::Full
        } else {
            Size::Small
        };
        let program = generate::any(70_000 + seed, size, (50, 103));
        let text = program.text();
        let Some(report) = compiled(&text, program.env()) else {
            continue;
        };
        let verified = bzc::verify(&report);
        let agrees = matches!(&verified, Ok(Verified { faults, .. }) if faults.is_empty());
        assert!(agrees, "seed {seed}: {verified:?}\n{text}");
        reports += 1;
        let report = value(&report);
        seen.insert(report["placement"]["kind"].to_string());
        seen.extend(
            report["services"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|service| service["choice"].to_string()),
        );
        seen.extend(
            report["theorems"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|theorem| theorem["verdict"].to_string()),
        );
    }
    assert!(reports > 100, "only {reports} programs fit");
    let wanted = [
        "any-order",
        "assumed",
        "burst",
        "ceiling",
        "level",
        "one-node",
        "pinned",
        "proved",
        "relaxed",
        "unknown",
        "written",
    ];
    let seen: Vec<String> = seen.into_iter().collect();
    assert_eq!(
        seen,
        wanted.map(|word| format!("\"{word}\"")),
        "the programs do not show everything"
    );
}

#[test]
fn a_verdict_over_readings_that_was_changed_is_found() {
    let name = "tests/golden/evidence ";
    let (_, report) = { more_reports().into_iter() }
        .find(|(found, _)| found == name)
        .expect("there is such a golden");
    let mut places = vec!["/theorems/2/verdict".to_owned()];
    let services = report["services"].as_array().map_or(0, Vec::len);
    places.extend((0..services).map(|at| format!("/services/{at}/evidence/verdict")));
    for place in places {
        let stated = report.pointer(&place).expect("every service was read of");
        for verdict in ["proved", "refuted", "unknown"] {
            let faults = faults(&changed(&report, &place, verdict.into()));
            assert_eq!(faults.is_empty(), stated == verdict, "{place}: {verdict}");
        }
    }
}

#[test]
fn a_number_that_was_changed_is_found() {
    let mut missed = BTreeSet::new();
    let (mut numbers, mut free) = (0, 0);
    for (name, report) in more_reports() {
        assert_eq!(faults(&report), Vec::<String>::new(), "{name}");
        let mut places = Vec::new();
        pointers(&report, "", &mut places);
        for place in places {
            let Some(number) = report.pointer(&place).and_then(Value::as_u64) else {
                continue;
            };
            numbers += 1;
            let more = changed(&report, &place, (number + 1).into());
            let faults = found(&more);
            assert!(!faults.is_empty(), "{name}: {place}, {number}");
            if faults.iter().any(|fault| !of_digest(fault)) {
                continue;
            }
            free += 1;
            if !decided_nothing(&report, &place) {
                missed.insert(format!("{name}: {place}, {number}"));
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {numbers} changes are not found:\n{missed:#?}",
        missed.len()
    );
    assert!(
        numbers > 2000 && free < numbers / 30,
        "{free} of {numbers} changes are not found"
    );
}

/// An element that is missing from a list or there twice is found, and so is a verdict that claims too much.
fn nothing_is_left_out(report: &Value) {
    let mut places = Vec::new();
    pointers(report, "", &mut places);
    let mut lists = 0;
    for place in &places {
        let Some(Value::Array(list)) = report.pointer(place) else {
            continue;
        };
        // A budget, and a further reason, no other number tells; neither is claimed then.
        if place.ends_with("/budgets") || place.ends_with("/why") {
            continue;
        }
        for index in 0..list.len() {
            let mut shorter = list.clone();
            shorter.remove(index);
            let found = faults(&changed(report, place, shorter.into()));
            // The lemma may hold with fewer nodes too; and what is not promised is not claimed.
            let is_witness =
                place.starts_with("/placement/moments/") && place.matches('/').count() == 5;
            let is_promise = list[index]["id"] == "T5";
            assert!(
                is_witness || is_promise || !found.is_empty(),
                "{place} without its element {index}"
            );
            let mut longer = list.clone();
            longer.push(list[index].clone());
            let found = faults(&changed(report, place, longer.into()));
            assert!(!found.is_empty(), "{place} with its element {index} twice");
            lists += 1;
        }
    }
    assert!(lists > 30, "only {lists} elements");
    for (at, theorem) in report["theorems"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        for verdict in ["proved", "relaxed", "assumed", "unknown", "true"] {
            if theorem["verdict"] != verdict {
                let found = faults(&changed(
                    report,
                    &format!("/theorems/{at}/verdict"),
                    verdict.into(),
                ));
                assert!(!found.is_empty(), "{} called {verdict}", theorem["id"]);
            }
        }
    }
}

#[test]
fn what_is_left_out_or_called_otherwise_is_found() {
    let of = |text| value(&compiled(text, None).expect("it compiles"));
    [NODES, SURVIVING, PINNED]
        .into_iter()
        .for_each(|text| nothing_is_left_out(&of(text)));
    let nodes = of(NODES);
    for (place, to) in [
        ("/placement/kind", json!("pinned")),
        ("/placement/kind", json!("unknown")),
        ("/placement/moments/0/services/0", json!([2])),
        ("/placement/moments/0/wave", json!(null)),
        ("/services/0/nodes", json!(null)),
        ("/services/0/nodes", json!(["a"])),
        ("/services/4/oneOnANode", json!(false)),
        ("/nodes/2/name", json!("a")),
    ] {
        assert!(
            !faults(&changed(&nodes, place, to.clone())).is_empty(),
            "{place} as {to}"
        );
    }
    let report = of(OVERCOMMITTED);
    nothing_is_left_out(&report);
    for (place, to) in [
        ("/theorems/2/why", json!([])),
        ("/theorems/0/statement", json!("all is well")),
        ("/theorems/0/terms/0/side", json!("right")),
        ("/theorems/0/terms/0/ref", json!("/nodes")),
        ("/nodes/0/components/0/bounded", json!(false)),
        ("/nodes/0/overcommitPercent", json!(null)),
        ("/nodes/0/restLimitBytes", json!(0)),
        ("/budgets/0/verdict", json!("unknown")),
        ("/budgets/0/services/0", json!("nobody")),
        ("/services/0/choice", json!("ceiling")),
        ("/level", json!(null)),
    ] {
        assert!(
            !faults(&changed(&report, place, to.clone())).is_empty(),
            "{place} as {to}"
        );
    }
}

#[test]
fn a_disagreement_is_said_in_numbers() {
    let report = compiled(
        "node box { memory = 2000Mi  cpu = 2  reserve = 200Mi }\nk3s { memory = 400Mi }\n",
        None,
    );
    let report = value(&report.expect("it compiles"));
    let right = report["theorems"][1]["rightBytes"]
        .as_u64()
        .unwrap_or_default();
    let found = faults(&changed(&report, "/theorems/1/leftBytes", 100.into()));
    let left = &report["theorems"][1]["leftBytes"];
    assert_eq!(
        found,
        [
            format!("T2: leftBytes is 100, limits come to {left}"),
            format!("T2: leftBytes is 100, its terms sum to {left}"),
        ]
    );
    // Liveness does not hold beyond what is allocatable.
    let last = report["theorems"]
        .as_array()
        .map_or(0, |list| list.len() - 1);
    let found = faults(&changed(
        &report,
        &format!("/theorems/{last}/leftBytes"),
        (right + 1).into(),
    ));
    let asked = &report["theorems"][last]["leftBytes"];
    let first = format!("T4: leftBytes is {}, its terms sum to {asked}", right + 1);
    let second = format!("T4: {} is not within {right}", right + 1);
    assert_eq!(found, [first, second]);
}

#[test]
fn what_is_no_report_is_refused_and_nothing_panics() {
    for (text, why) in [
        (
            "",
            "it is not JSON: EOF while parsing a value at line 1 column 0",
        ),
        ("[]", "it is not a report of bzc"),
        ("{}", "it is not a report of bzc: it has no `bzcReport`"),
        (
            "{\"bzcReport\": 3}",
            "it is of format 3, and this bzc knows 2: use a newer bzc",
        ),
        (
            "{\"bzcReport\": 1}",
            "it is of format 1, and this bzc knows 2: use the bzc that wrote it",
        ),
        ("{\"bzcReport\": -1}", "it is not a report of bzc"),
        ("{\"bzcReport\": 1.0}", "it is not a report of bzc"),
        (
            "{\"bzcReport\": 2}",
            "`.`: missing field `source` at line 1 column 16",
        ),
    ] {
        assert_eq!(bzc::verify(text.as_bytes()), Err(why.to_owned()), "{text}");
    }
    for text in [
        "[".repeat(100_000),
        format!("{{\"bzcReport\": {}}}", "9".repeat(400)),
        "{\"a\": 1e999}".to_owned(),
    ] {
        assert!(bzc::verify(text.as_bytes()).is_err(), "{:.20}", text);
    }
    assert!(bzc::verify(b"\xff\xfe").is_err());

    let report = value(&compiled(OVERCOMMITTED, None).expect("it compiles"));
    let mut places = Vec::new();
    pointers(&report, "", &mut places);
    let (mut agree, mut tried) = (BTreeSet::new(), 0);
    let odd = [
        json!(null),
        json!(-1),
        json!(u64::MAX),
        json!(0.5),
        json!("x"),
        json!([]),
        json!([1]),
        json!({}),
    ];
    for place in &places {
        for odd in &odd {
            let found = faults(&changed(&report, place, odd.clone()));
            if found.is_empty() && report.pointer(place) != Some(odd) {
                agree.insert(place.as_str());
            }
            tried += 1;
        }
    }
    assert!(tried > 1000, "only {tried} values");
    // Texts for people, names, and where something was given.
    let telling = |place: &&str| {
        let key = place.rsplit('/').next().unwrap_or_default();
        let texts = [
            "formula",
            "what",
            "origin",
            "memoryOrigin",
            "floorOrigin",
            "tier",
            "source",
            "environment",
            "budgets",
            "digest",
            "namespace",
            "name",
        ];
        let reason = place.contains("/why/") || key == "why" || place.contains("/origin/");
        !(texts.contains(&key) || reason || decided_nothing(&report, place))
    };
    let odd: Vec<&&str> = agree.iter().filter(|place| telling(place)).collect();
    assert!(
        odd.is_empty(),
        "these say anything and still agree: {odd:?}"
    );
}

/// What of `value` is not as the schema says, in the part of JSON Schema that the schema uses.
pub(crate) fn violations(
    root: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix("#/$defs/"))
    {
        return violations(root, &root["$defs"][name], value, at, found);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    let fits = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        Value::String(kind) => is(kind),
        _ => schema.get("const").is_some(),
    };
    let allowed = schema["enum"]
        .as_array()
        .is_none_or(|words| words.contains(value));
    let fixed = schema.get("const").is_none_or(|fixed| fixed == value);
    let length = value.as_array().map_or(0, Vec::len) as u64;
    let least = schema["minItems"]
        .as_u64()
        .is_none_or(|least| value.is_null() || least <= length);
    let most = schema["maxItems"]
        .as_u64()
        .is_none_or(|most| length <= most);
    if !(fits && allowed && fixed && least && most) {
        found.push(format!("{at}: {value} is not {schema}"));
    }
    if let Some(map) = value.as_object() {
        let known: Vec<&String> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
            .collect();
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        // What nearly every report has not is left out there.
        let needed: Vec<&str> = known
            .iter()
            .map(|key| key.as_str())
            .filter(|key| {
                ![
                    "arch",
                    "asks",
                    "assumedBytes",
                    "evidence",
                    "hook",
                    "of",
                    "quotas",
                    "release",
                    "runsEnding",
                    "supplies",
                    "uncounted",
                ]
                .contains(key)
            })
            .collect();
        if schema["additionalProperties"] != false || needed != required {
            found.push(format!("{at}: the schema is not strict"));
        }
        found.extend(
            needed
                .iter()
                .filter(|key| !map.contains_key(**key))
                .map(|key| format!("{at}: no `{key}`")),
        );
        found.extend(
            map.keys()
                .filter(|key| !known.contains(key))
                .map(|key| format!("{at}: `{key}` is not known")),
        );
        for (key, value) in map {
            violations(
                root,
                &schema["properties"][key],
                value,
                &format!("{at}/{key}"),
                found,
            );
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        violations(
            root,
            &schema["items"],
            value,
            &format!("{at}/{index}"),
            found,
        );
    }
}

#[test]
fn reports_are_as_the_schema_says() {
    let schema = value(&corpus::bytes(
        &corpus::root().join("spec/report.schema.json"),
    ));
    for (name, report) in more_reports() {
        let mut found = Vec::new();
        violations(&schema, &schema, &report, "", &mut found);
        assert!(found.is_empty(), "{name}\n{}", found.join("\n"));
    }
}

#[test]
fn the_schema_says_what_everything_is() {
    let schema = value(&corpus::bytes(
        &corpus::root().join("spec/report.schema.json"),
    ));
    let objects = schema["$defs"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, part)| (name.as_str(), part));
    for (name, part) in objects.chain([("report", &schema)]) {
        assert!(part["description"].is_string(), "{name} has no description");
        for (key, property) in part["properties"].as_object().into_iter().flatten() {
            assert!(
                property["description"].is_string(),
                "{name}.{key} has no description"
            );
        }
    }
}

#[test]
fn the_specification_lists_every_term_of_the_reserve() {
    let schema = value(&corpus::bytes(
        &corpus::root().join("spec/report.schema.json"),
    ));
    let ids = &schema["$defs"]["reserved"]["properties"]["id"]["enum"];
    let ids: Vec<&str> = { ids.as_array().into_iter().flatten() }
        .filter_map(Value::as_str)
        .collect();
    assert!(ids.len() >= 9, "{ids:?}");
    // The text between two marks, and which terms it leaves out.
    for (file, begin, end, left_out) in [
        ("06-proof.md", "\n`reserved = ", "`", &[][..]),
        ("06-proof.md", "OS need.\n`", "`", &["eviction"]),
        ("07-k3s.md", "with `N = ", "`", &["os", "eviction"]),
        ("10-output.md", "The ids are ", ", in this order", &[]),
    ] {
        let text = corpus::text(&corpus::root().join("spec").join(file));
        let list = text.split_once(begin).expect(begin).1;
        let list = list.split_once(end).expect(end).0;
        let listed: Vec<&str> = list
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .filter(|word| !word.is_empty() && *word != "and")
            .collect();
        let expected: Vec<&str> = { ids.iter() }
            .filter(|id| !left_out.contains(id))
            .copied()
            .collect();
        assert_eq!(listed, expected, "{file}: {begin}");
    }
}
