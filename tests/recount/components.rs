//! What K3s packages, as it will run: from its own manifests as they are known here, and from what bzc wrote to change
//! them.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::pods::{check_containers, workload};
use super::{Faults, Files, MIB, by_name, bytes, is_kind, milli, name_of, objects, scalar, text};

/// What K3s packages (k3s-io/k3s, manifests/).
struct Packaged {
    name: &'static str,
    request: u128,
    limit: Option<u128>,
    cpu: u128,
    containers: u128,
    pods: u128,
    /// Pods beside those: surge of a rollout, or the jobs of an installation.
    transient: u128,
}

/// Request and limit in Mi, CPU in thousandths; containers, pods, transient pods.
type Row = (
    &'static str,
    &'static [&'static str],
    u128,
    Option<u128>,
    u128,
    [u128; 3],
);

const PACKAGED: [Row; 6] = [
    ("coredns", &["coredns"], 70, Some(170), 100, [1, 1, 1]),
    (
        "local-path-provisioner",
        &["local-storage"],
        0,
        None,
        0,
        [1, 1, 1],
    ),
    (
        "metrics-server",
        &["metrics-server"],
        70,
        None,
        100,
        [1, 1, 1],
    ),
    ("traefik", &["traefik"], 0, None, 0, [1, 1, 1]),
    (
        "svclb-traefik",
        &["servicelb", "traefik"],
        0,
        None,
        0,
        [2, 1, 0],
    ),
    ("helm-install-traefik", &["traefik"], 0, None, 0, [1, 0, 2]),
];

/// The components that no switch in `off` leaves out.
fn packaged(off: &BTreeSet<String>) -> Vec<Packaged> {
    let on = PACKAGED
        .iter()
        .filter(|(_, switches, ..)| !switches.iter().any(|name| off.contains(*name)));
    let read = |&(name, _, request, limit, cpu, [containers, pods, transient]): &Row| {
        let (request, limit) = (request * MIB, limit.map(|limit| limit * MIB));
        Packaged {
            name,
            request,
            limit,
            cpu,
            containers,
            pods,
            transient,
        }
    };
    on.map(read).collect()
}

/// `disable` of config.yaml: a list, or names with commas between.
fn disabled(config: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |text: &str| names.extend(text.split(',').map(|name| name.trim().to_owned()));
    match &config["disable"] {
        Value::Sequence(items) => items.iter().filter_map(Value::as_str).for_each(&mut add),
        Value::String(text) => add(text),
        _ => {}
    }
    names
}

/// What a LimitRange of kube-system gives to containers: (limit, request).
fn system_default(objects: &[Value]) -> Option<(u128, u128)> {
    let range = objects
        .iter()
        .find(|object| is_kind(object, "LimitRange"))?;
    let limits = range["spec"]["limits"].as_sequence()?;
    let item = limits
        .iter()
        .find(|item| item["type"].as_str() == Some("Container"))?;
    let limit = bytes(&scalar(&item["default"]["memory"])?)?;
    let request = scalar(&item["defaultRequest"]["memory"])
        .and_then(|text| bytes(&text))
        .unwrap_or(limit);
    Some((limit, request))
}

/// A packaged component as it will run.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: String,
    /// What one pod requests.
    pub(super) request: u128,
    /// What one pod may take. None where nothing limits it.
    pub(super) limit: Option<u128>,
    /// What one pod requests of CPU, in thousandths.
    pub(super) cpu: u128,
    pub(super) replicas: u128,
    pub(super) ending: u128,
    /// Whether each node has as many.
    pub(super) every_node: bool,
    /// Whether its priority is one of Kubernetes' two critical ones: then it pushes out pods of services, also while
    /// the pod that it replaces is still ending.
    pub(super) critical: bool,
}

impl Component {
    /// Pods that must find room at once.
    pub(super) fn peak(&self) -> u128 {
        if self.critical {
            self.ending
        } else {
            self.replicas
        }
    }
}

/// What a HelmChartConfig lays over the values of a chart.
fn helm_values(own: &[Value], chart: &str) -> Option<Option<Value>> {
    let config = own
        .iter()
        .find(|object| is_kind(object, "HelmChartConfig") && name_of(object) == chart);
    let Some(config) = config else {
        return Some(None);
    };
    serde_yaml::from_str(config["spec"]["valuesContent"].as_str()?)
        .ok()
        .map(Some)
}

pub(super) fn components(
    files: &Files,
    node: &str,
    config: &Value,
    faults: &mut Faults,
) -> Option<Vec<Component>> {
    let folder = format!("k3s/{node}/manifests/");
    let own = objects(files, &folder)?;
    let off = disabled(config);
    let dns = own
        .iter()
        .find(|object| is_kind(object, "Deployment") && name_of(object) == "coredns");
    let skip = text(files, &format!("{folder}coredns.yaml.skip"));
    faults.holds(dns.is_some() == skip.is_some(), || {
        "coredns.bzc.yaml and coredns.yaml.skip go together".to_owned()
    });
    faults.holds(dns.is_none() || !off.contains("coredns"), || {
        "coredns is disabled and written".to_owned()
    });
    let default = system_default(&own);
    let mut components = Vec::new();
    for stock in packaged(&off) {
        if let (Some(dns), "coredns") = (dns, stock.name) {
            check_containers(dns, true, faults);
            let own = workload(dns, None, &Value::Null, faults)?;
            components.push(Component {
                name: stock.name.to_owned(),
                request: own.pod.request,
                limit: Some(own.pod.limit),
                cpu: own.pod.cpu,
                replicas: own.replicas,
                // With Recreate a rollout waits; that nobody deletes its pod by hand is assumed.
                ending: match dns["spec"]["strategy"]["type"].as_str() {
                    Some("Recreate") => own.replicas,
                    _ => own.ending,
                },
                every_node: false,
                critical: dns["spec"]["template"]["spec"]["priorityClassName"].as_str()
                    == Some("system-cluster-critical"),
            });
            continue;
        }
        if let ("traefik", Some(values)) = (stock.name, helm_values(&own, "traefik")?) {
            let resources = &values["resources"];
            let memory = |list: &str| bytes(&scalar(&resources[list]["memory"])?);
            let strategy = &values["updateStrategy"]["rollingUpdate"];
            faults.holds(values["deployment"]["replicas"].as_u64() == Some(1), || {
                "traefik: replicas".to_owned()
            });
            faults.holds(strategy["maxSurge"].as_u64() == Some(0), || {
                "traefik: a rollout surges".to_owned()
            });
            let (request, limit) = (memory("requests")?, memory("limits")?);
            components.push(Component {
                name: stock.name.to_owned(),
                request,
                limit: Some(limit),
                cpu: scalar(&resources["requests"]["cpu"])
                    .and_then(|cpu| milli(&cpu))
                    .unwrap_or(0),
                replicas: 1,
                // Its successor may be there while it ends.
                ending: 2,
                every_node: false,
                critical: true,
            });
            continue;
        }
        // A LimitRange gives a container without a limit the default, and a request only where it has none.
        let given = |request: u128| {
            if request == 0 {
                default.map_or(0, |(_, request)| request)
            } else {
                request
            }
        };
        let request = if stock.limit.is_some() {
            stock.request
        } else {
            given(stock.request)
        };
        let limit = stock.limit.or(default.map(|(limit, _)| limit));
        faults.holds(limit.is_none_or(|limit| limit >= request), || {
            format!(
                "{}: admission refuses request {request} with limit {limit:?}",
                stock.name
            )
        });
        let ending = stock.pods + stock.transient;
        components.push(Component {
            name: stock.name.to_owned(),
            request: request * stock.containers,
            limit: limit.map(|limit| limit * stock.containers),
            cpu: stock.cpu * stock.containers,
            replicas: stock.pods,
            ending,
            every_node: stock.name.starts_with("svclb"),
            // All of K3s's manifests name one of the two classes (k3s-io/k3s, manifests/).
            critical: true,
        });
    }
    Some(components)
}

/// A label of a node, by its config.yaml.
fn label<'c>(config: &'c Value, key: &str) -> Option<&'c str> {
    let labels = config["node-label"].as_sequence()?.iter();
    let mut pairs = labels.filter_map(|label| label.as_str()?.split_once('='));
    pairs
        .find(|(known, _)| *known == key)
        .map(|(_, value)| value)
}

/// Whether pods of the load balancer for a Service of this pool come to a node of which this is the configuration
/// (k3s-io/k3s, pkg/cloudprovider/servicelb.go).
fn is_balanced(config: &Value, all: &[&Value], pool: Option<&str>) -> bool {
    const ENABLE: &str = "svccontroller.k3s.cattle.io/enablelb";
    const POOL: &str = "svccontroller.k3s.cattle.io/lbpool";
    all.iter().all(|config| label(config, ENABLE).is_none())
        || label(config, ENABLE) == Some("true")
            && pool.is_none_or(|pool| label(config, POOL) == Some(pool))
}

/// The pods of the load balancer on one node for Services, and what a label of the node makes of those for
/// Traefik. `server` is the configuration of the first server, `all` those of all nodes.
pub(super) fn balance(
    files: &Files,
    (config, server, all): (&Value, &Value, &[&Value]),
    components: &mut Vec<Component>,
) -> Option<()> {
    let mut traefik = components
        .iter_mut()
        .filter(|one| one.name == "svclb-traefik");
    if let Some(traefik) = traefik.next().filter(|_| !is_balanced(config, all, None)) {
        (traefik.replicas, traefik.ending) = (0, 0);
    }
    if disabled(server).contains("servicelb") {
        return Some(());
    }
    let adopted = objects(files, "adopted/")?;
    let of_service = |one: &&Value| {
        is_kind(one, "Service")
            && one["apiVersion"] == "v1"
            && one["spec"]["type"] == "LoadBalancer"
            && one["spec"]["loadBalancerClass"].is_null()
    };
    let place = |one: &Value| -> [String; 2] {
        let metadata = &one["metadata"];
        let labels = &metadata["labels"];
        let text = |value: &Value, or: &str| value.as_str().unwrap_or(or).to_owned();
        match labels["svccontroller.k3s.cattle.io/svcname"].as_str() {
            Some(name) => [
                text(
                    &labels["svccontroller.k3s.cattle.io/svcnamespace"],
                    "default",
                ),
                name.to_owned(),
            ],
            None => [
                text(&metadata["namespace"], "default"),
                name_of(one).to_owned(),
            ],
        }
    };
    let own = objects(files, "manifests/")?;
    let mut services: Vec<&Value> = adopted.iter().filter(of_service).collect();
    // A dump may have what was made for a Service, and not the Service.
    let made = adopted.iter().filter(|one| is_kind(one, "DaemonSet"));
    for made in made
        .filter(|one| !one["metadata"]["labels"]["svccontroller.k3s.cattle.io/svcname"].is_null())
    {
        if services.iter().all(|one| place(one) != place(made)) {
            services.push(made);
        }
    }
    // Those of the program come last, and leave the short names to adopted ones.
    let others = services.len();
    services.extend(own.iter().filter(of_service));
    for (at, service) in services.iter().enumerate() {
        let [namespace, name] = place(service);
        let name = name.as_str();
        let among = &services[..others.max(at + 1)];
        let alike = among.iter().filter(|one| place(one)[1] == name).count();
        let pool = service["metadata"]["labels"]["svccontroller.k3s.cattle.io/lbpool"].as_str();
        let pool = pool.or(service["spec"]["template"]["spec"]["nodeSelector"]["svccontroller.k3s.cattle.io/lbpool"].as_str());
        let pods = u128::from(is_balanced(config, all, pool));
        components.push(Component {
            name: match alike {
                1 if name != "traefik" => format!("svclb-{name}"),
                _ => format!("svclb-{namespace}.{name}"),
            },
            request: 0,
            limit: None,
            cpu: 0,
            replicas: pods,
            ending: pods,
            every_node: true,
            critical: true,
        });
    }
    Some(())
}

/// Each component as the report has it.
pub(super) fn compare_components(
    components: &[Component],
    stated: &Value,
    faults: &mut Faults,
) -> Option<()> {
    for component in components {
        let name = component.name.as_str();
        let Some(stated) = by_name(&stated["components"], name) else {
            faults
                .0
                .push(format!("{name} runs and is not in the report"));
            continue;
        };
        for (key, counted) in [
            ("requestBytes", component.request),
            ("cpuMilli", component.cpu),
            ("replicas", component.replicas),
            ("podsAtPeak", component.peak()),
            ("podsWithEnding", component.ending),
        ] {
            faults.same(&format!("{name}: {key}"), counted, &stated[key]);
        }
        let bounded = stated["bounded"].as_bool();
        faults.holds(bounded == Some(component.limit.is_some()), || {
            format!("{name}: bounded is {bounded:?}")
        });
        if let Some(limit) = component.limit {
            faults.same(&format!("{name}: limitBytes"), limit, &stated["limitBytes"]);
        }
    }
    let listed = stated["components"].as_sequence()?.len();
    faults.holds(listed == components.len(), || {
        format!(
            "{} components run, {listed} in the report",
            components.len()
        )
    });
    Some(())
}

/// How cert-manager calls the pods that answer for hosts.
const SOLVER: &str = "cm-acme-http-solver";

/// The pods by which cert-manager answers for the hosts of Ingresses that ask it for certificates, one for each, with
/// the amounts of its internal/apis/config/controller/v1alpha1/defaults.go.
pub(super) fn challenges(files: &Files) -> Option<Option<Component>> {
    const ASKS: [&str; 3] = [
        "cert-manager.io/cluster-issuer",
        "cert-manager.io/issuer",
        "kubernetes.io/tls-acme",
    ];
    let mut hosts = BTreeSet::new();
    for object in objects(files, "manifests/")? {
        let annotations = object["metadata"]["annotations"].as_mapping();
        let mut keys = annotations.into_iter().flat_map(serde_yaml::Mapping::keys);
        let asks = keys.any(|key| key.as_str().is_some_and(|key| ASKS.contains(&key)));
        if is_kind(&object, "Ingress") && asks {
            let entries = object["spec"]["tls"].as_sequence().into_iter().flatten();
            let named = entries.filter_map(|entry| entry["hosts"].as_sequence());
            hosts.extend(
                named
                    .flatten()
                    .filter_map(|host| host.as_str().map(str::to_owned)),
            );
        }
    }
    let pods = hosts.len() as u128;
    Some((pods > 0).then(|| Component {
        name: SOLVER.to_owned(),
        request: 64 * MIB,
        limit: Some(64 * MIB),
        cpu: 10,
        replicas: pods,
        ending: pods,
        every_node: false,
        critical: false,
    }))
}

/// Pods that bzc does not manage: those that the program says are there, of which no file but the report tells, and those
/// of cert-manager where the program does not.
pub(super) fn others(files: &Files, stated: &Value) -> Option<Vec<Component>> {
    let mut found = Vec::new();
    for component in stated["components"].as_sequence()? {
        if !component["origin"].as_str()?.starts_with("others.") {
            continue;
        }
        let number = |key: &str| component[key].as_u64().map(u128::from);
        found.push(Component {
            name: component["name"].as_str()?.to_owned(),
            request: number("requestBytes")?,
            limit: number("limitBytes"),
            cpu: number("cpuMilli")?,
            replicas: number("replicas")?,
            ending: number("podsWithEnding")?,
            every_node: component["everyNode"].as_bool()?,
            critical: false,
        });
    }
    let is_said = found.iter().any(|one| one.name == SOLVER);
    found.extend(challenges(files)?.filter(|_| !is_said));
    Some(found)
}
