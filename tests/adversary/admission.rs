//! What the API server does with a new pod or claim before it stores it: defaults, the priority of its class, then the
//! admission plugins LimitRanger and ResourceQuota, in this order (plugin/pkg/admission/limitranger/admission.go,
//! pkg/apis/core/v1/defaults.go, pkg/quota/v1/evaluator/core).

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::pod::Template;
use super::quantity::{Amount, Resources, each, resources, text};

/// One item of a LimitRange.
#[derive(Debug, Clone)]
struct Item {
    namespace: String,
    kind: String,
    default: Resources,
    default_request: Resources,
    min: Resources,
    max: Resources,
    ratio: Resources,
}

#[derive(Debug, Clone)]
pub(super) struct Quota {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) hard: Resources,
    /// Scope, operator and values.
    scopes: Vec<(String, String, Vec<String>)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    items: Vec<Item>,
    pub(super) quotas: Vec<Quota>,
    /// By name: value, whether it never preempts.
    classes: BTreeMap<String, (i64, bool)>,
    global: Option<String>,
    /// What all objects of a namespace but pods and claims come to.
    objects: BTreeMap<String, Resources>,
}

/// Those of containers have defaults that follow from each other (SetDefaults_LimitRangeItem).
fn item(namespace: &str, value: &Value) -> Item {
    let list = |key: &str| resources(&value[key]);
    let mut item = Item {
        namespace: namespace.to_owned(),
        kind: text(&value["type"]).unwrap_or_default(),
        default: list("default"),
        default_request: list("defaultRequest"),
        min: list("min"),
        max: list("max"),
        ratio: list("maxLimitRequestRatio"),
    };
    if item.kind == "Container" {
        let fill = |to: &mut Resources, from: &Resources| {
            for (name, amount) in from {
                to.entry(name.clone()).or_insert(*amount);
            }
        };
        fill(&mut item.default, &item.max);
        fill(&mut item.default_request, &item.default);
        fill(&mut item.default_request, &item.min);
    }
    item
}

impl Item {
    /// min, max and ratio, in whose absence a request or a limit is refused too.
    fn check(&self, requests: &Resources, limits: &Resources) -> Result<(), String> {
        let fail = |what: &str, name: &String| Err(format!("{what} of {name} per {}", self.kind));
        for (name, least) in &self.min {
            if requests.get(name).is_none_or(|n| n < least)
                || limits.get(name).is_some_and(|n| n < least)
            {
                return fail("min", name);
            }
        }
        let claim = self.kind == "PersistentVolumeClaim";
        for (name, most) in &self.max {
            let limit = if claim {
                requests.get(name)
            } else {
                limits.get(name)
            };
            if limit.is_none_or(|n| n > most) || requests.get(name).is_some_and(|n| n > most) {
                return fail("max", name);
            }
        }
        for (name, ratio) in &self.ratio {
            let (request, limit) = (
                requests.get(name).unwrap_or(&0),
                limits.get(name).unwrap_or(&0),
            );
            if *request == 0 || *limit == 0 || limit * 1000 > request * ratio {
                return fail("ratio", name);
            }
        }
        Ok(())
    }
}

/// What a pod counts for in a quota (podComputeUsageHelper).
pub(super) fn usage(requests: &Resources, limits: &Resources) -> Resources {
    let mut used = Resources::from([("pods".to_owned(), 1000)]);
    for (name, amount) in requests {
        used.insert(format!("requests.{name}"), *amount);
        if !name.contains('/') {
            used.insert(name.clone(), *amount);
        }
    }
    for (name, amount) in limits
        .iter()
        .filter(|(name, _)| ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()))
    {
        used.insert(format!("limits.{name}"), *amount);
    }
    used
}

/// The two for which a quota makes a word of every container compulsory.
const COMPULSORY: [&str; 6] = [
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
];

pub(super) fn add(to: &mut Resources, from: &Resources) {
    for (name, amount) in from {
        *to.entry(name.clone()).or_default() += amount;
    }
}

impl Quota {
    /// Whether it counts objects other than pods.
    pub(super) fn counts_objects(&self) -> bool {
        self.scopes.is_empty()
    }

    pub(super) fn counts(&self, pod: &Template) -> bool {
        self.scopes
            .iter()
            .all(|(scope, operator, values)| match scope.as_str() {
                "Terminating" => pod.deadline,
                "NotTerminating" => !pod.deadline,
                "BestEffort" => pod.best_effort(),
                "NotBestEffort" => !pod.best_effort(),
                "PriorityClass" => match (operator.as_str(), &pod.class) {
                    ("In", class) => class.as_ref().is_some_and(|class| values.contains(class)),
                    ("NotIn", class) => class.as_ref().is_none_or(|class| !values.contains(class)),
                    ("DoesNotExist", class) => class.is_none(),
                    (_, class) => class.is_some(),
                },
                "CrossNamespacePodAffinity" => false,
                _ => true,
            })
    }
}

impl Rules {
    pub(super) fn new(objects: &[Value]) -> Rules {
        let mut rules = Rules::default();
        for (name, value) in [
            ("system-cluster-critical", 2_000_000_000),
            ("system-node-critical", 2_000_001_000),
        ] {
            rules.classes.insert(name.to_owned(), (value, false));
        }
        for object in objects {
            let name = text(&object["metadata"]["name"]).unwrap_or_default();
            let namespace = super::workload::namespace(object);
            match object["kind"].as_str() {
                Some("LimitRange") => {
                    rules.items.extend(
                        each(&object["spec"]["limits"]).map(|value| item(&namespace, value)),
                    );
                }
                Some("ResourceQuota") => rules.quotas.push(quota(name, namespace, &object["spec"])),
                Some("PriorityClass") => {
                    let value = object["value"].as_i64().unwrap_or(0);
                    if object["globalDefault"] == true {
                        rules.global = Some(name.clone());
                    }
                    rules
                        .classes
                        .insert(name, (value, object["preemptionPolicy"] == "Never"));
                }
                _ => {}
            }
        }
        rules
    }

    /// Whether one more object fits into all quotas of its namespace, which then count it.
    pub(super) fn take(&mut self, object: &Value) -> Result<(), String> {
        let namespace = super::workload::namespace(object);
        let count = objects(object);
        let used = self.objects.entry(namespace.clone()).or_insert_with(|| {
            // The one that the controller manager makes in every namespace.
            [
                ("configmaps".to_owned(), 1000),
                ("count/configmaps".to_owned(), 1000),
            ]
            .into()
        });
        let mut next = used.clone();
        add(&mut next, &count);
        for quota in self
            .quotas
            .iter()
            .filter(|quota| quota.namespace == namespace && quota.scopes.is_empty())
        {
            let over = |(name, hard): &(&String, &Amount)| {
                count.contains_key(*name) && next.get(*name) > Some(hard)
            };
            if let Some((name, _)) = quota.hard.iter().find(over) {
                return Err(format!("quota {}: {name}", quota.name));
            }
        }
        *used = next;
        Ok(())
    }

    /// The pod as it is stored, or why it is refused whatever else there is.
    pub(super) fn admit(&self, template: &Template) -> Result<Template, String> {
        let mut pod = template.clone();
        if pod.class.is_none() {
            pod.class.clone_from(&self.global);
        }
        if let Some(class) = &pod.class {
            let known = self
                .classes
                .get(class)
                .ok_or_else(|| format!("no class {class}"))?;
            (pod.priority, pod.never_preempts) = *known;
        }
        for one in pod.all_mut() {
            for (name, limit) in &one.limits {
                one.requests.entry(name.clone()).or_insert(*limit);
            }
        }
        let items: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| item.namespace == pod.namespace)
            .collect();
        for item in items.iter().filter(|item| item.kind == "Container") {
            for one in pod.all_mut() {
                for (to, from) in [
                    (&mut one.limits, &item.default),
                    (&mut one.requests, &item.default_request),
                ] {
                    for (name, amount) in from {
                        to.entry(name.clone()).or_insert(*amount);
                    }
                }
            }
        }
        for one in pod.all() {
            let over = one
                .requests
                .iter()
                .find(|(name, n)| one.limits.get(*name).is_some_and(|limit| limit < n));
            if let Some((name, _)) = over {
                return Err(format!("a request of {name} is over its limit"));
            }
        }
        for item in items {
            match item.kind.as_str() {
                "Container" => pod
                    .all()
                    .try_for_each(|one| item.check(&one.requests, &one.limits))?,
                "Pod" => item.check(&pod.requests(), &pod.limits())?,
                _ => {}
            }
        }
        Ok(pod)
    }

    /// Whether the quotas of its namespace take a pod beside others that are stored.
    pub(super) fn quota(
        &self,
        pod: &Template,
        others: &[&Template],
        ended: usize,
    ) -> Result<(), String> {
        for quota in self
            .quotas
            .iter()
            .filter(|quota| quota.namespace == pod.namespace && quota.counts(pod))
        {
            let compulsory = |name: &&&str| quota.hard.contains_key(**name);
            for name in COMPULSORY.iter().filter(compulsory) {
                if pod
                    .all()
                    .any(|one| !usage(&one.requests, &one.limits).contains_key(*name))
                {
                    return Err(format!("quota {}: no {name}", quota.name));
                }
            }
            let mut used = usage(&pod.requests(), &pod.limits());
            used.insert("count/pods".to_owned(), 1000);
            let asked: Vec<String> = used.keys().cloned().collect();
            for other in others
                .iter()
                .filter(|other| other.namespace == pod.namespace && quota.counts(other))
            {
                add(&mut used, &usage(&other.requests(), &other.limits()));
                *used.entry("count/pods".to_owned()).or_default() += 1000;
            }
            *used.entry("count/pods".to_owned()).or_default() += 1000 * ended as Amount;
            let over = |(name, hard): &(&String, &Amount)| {
                asked.contains(*name) && used.get(*name) > Some(hard)
            };
            if let Some((name, _)) = quota.hard.iter().find(over) {
                return Err(format!("quota {}: {name}", quota.name));
            }
        }
        Ok(())
    }

    /// A new claim: LimitRanger, then the quotas, which count it.
    pub(super) fn claim(&mut self, namespace: &str, spec: &Value) -> Result<(), String> {
        let requests = resources(&spec["resources"]["requests"]);
        let items = self
            .items
            .iter()
            .filter(|item| item.namespace == namespace && item.kind == "PersistentVolumeClaim");
        { items }.try_for_each(|item| item.check(&requests, &Resources::new()))?;
        let mut object = Value::Mapping(serde_yaml::Mapping::new());
        object["kind"] = "PersistentVolumeClaim".into();
        object["metadata"]["namespace"] = namespace.into();
        object["spec"] = spec.clone();
        self.take(&object)
    }
}

fn quota(name: String, namespace: String, spec: &Value) -> Quota {
    let plain = each(&spec["scopes"])
        .filter_map(text)
        .map(|scope| (scope, "Exists".to_owned(), Vec::new()));
    let selected = each(&spec["scopeSelector"]["matchExpressions"]).map(|one| {
        let values = each(&one["values"]).filter_map(text).collect();
        (
            text(&one["scopeName"]).unwrap_or_default(),
            text(&one["operator"]).unwrap_or_default(),
            values,
        )
    });
    let scopes = plain.chain(selected).collect();
    Quota {
        name,
        namespace,
        hard: resources(&spec["hard"]),
        scopes,
    }
}

/// What an object that is no pod counts for.
pub(super) fn objects(object: &Value) -> Resources {
    let mut used = Resources::new();
    let mut one = |name: &str, many: Amount| {
        *used.entry(name.to_owned()).or_default() += many * 1000;
    };
    let spec = &object["spec"];
    match object["kind"].as_str().unwrap_or_default() {
        "Service" => {
            one("services", 1);
            one("count/services", 1);
            let ports = each(&spec["ports"]).count() as Amount;
            let explicit = each(&spec["ports"])
                .filter(|port| port["nodePort"].is_number())
                .count() as Amount;
            match spec["type"].as_str() {
                Some("NodePort") => one("services.nodeports", ports),
                Some("LoadBalancer") => {
                    one("services.loadbalancers", 1);
                    let all = spec["allocateLoadBalancerNodePorts"] != false;
                    one("services.nodeports", if all { ports } else { explicit });
                }
                _ => {}
            }
        }
        "ConfigMap" => {
            one("configmaps", 1);
            one("count/configmaps", 1);
        }
        "Secret" => {
            one("secrets", 1);
            one("count/secrets", 1);
        }
        "PersistentVolumeClaim" => {
            one("persistentvolumeclaims", 1);
            one("count/persistentvolumeclaims", 1);
            let storage = resources(&spec["resources"]["requests"])
                .get("storage")
                .copied()
                .unwrap_or(0);
            let class = text(&spec["storageClassName"]).unwrap_or_else(|| "local-path".to_owned());
            let of_class = format!("{class}.storageclass.storage.k8s.io");
            used.insert("requests.storage".to_owned(), storage);
            used.insert(format!("{of_class}/requests.storage"), storage);
            used.insert(format!("{of_class}/persistentvolumeclaims"), 1000);
        }
        "ResourceQuota" => {
            one("resourcequotas", 1);
            one("count/resourcequotas", 1);
        }
        "Deployment" => {
            one("count/deployments.apps", 1);
            one("count/replicasets.apps", 1);
        }
        "ReplicaSet" => one("count/replicasets.apps", 1),
        "StatefulSet" => one("count/statefulsets.apps", 1),
        "DaemonSet" => one("count/daemonsets.apps", 1),
        "Job" => one("count/jobs.batch", 1),
        "CronJob" => one("count/cronjobs.batch", 1),
        _ => {}
    }
    used
}
