//! What an object says of the chart that it has installed, or of the folder that it has applied: by the fields of Flux, of
//! K3s and of Argo CD.

use super::node::Node;
use super::workload::release::MetKind;

/// Where a chart comes from.
#[derive(Debug, Clone)]
pub(crate) enum ChartFrom {
    /// From an address, by the name of the chart there.
    Address(String, String),
    /// From what an object of this kind, namespace and name says, by this name or path there.
    Object(String, Option<String>, String, String),
    /// From a folder of the repository that holds the object.
    Folder(String),
    /// From the object itself, which bzc does not read.
    Unread(&'static str),
}

/// Where some of the values of a release stand. Later ones lie over earlier ones.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    /// In the object, as a map.
    Map(Node),
    /// In the object, as a text of YAML.
    Text(Node),
    /// At a key of a ConfigMap; an `optional` one may be missing.
    ConfigMap {
        name: String,
        key: String,
        optional: bool,
    },
    /// A file of the repository.
    File(String),
    /// One value, at keys with dots between them.
    One(String, Node),
    /// Somewhere bzc does not read, in words.
    Unread(String),
}

/// A chart that an object has installed.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) from: ChartFrom,
    /// The version that is asked for; empty where none is.
    pub(crate) version: String,
    pub(crate) values: Vec<Values>,
    /// Why what the chart makes is not all that there will be.
    pub(crate) besides: Vec<&'static str>,
}

/// What an object comes to.
#[derive(Debug, Clone)]
pub(crate) enum Installs {
    /// Charts.
    Charts(Vec<Release>),
    /// A folder of manifests, from the root of its repository.
    Folder(String),
    /// Something else, in words.
    Unread(&'static str),
}

/// Reads an object of one of the kinds.
pub(crate) fn installs(
    kind: MetKind,
    node: &Node,
    name: &str,
    namespace: Option<&str>,
) -> Installs {
    let empty = Node::map(node.at, []);
    let spec = node.get("spec").unwrap_or(&empty);
    let namespace = namespace.map(str::to_owned);
    match kind {
        MetKind::HelmRelease => Installs::Charts(vec![flux(spec, name, namespace)]),
        MetKind::HelmChart => Installs::Charts(vec![k3s(spec, name, namespace)]),
        MetKind::Application => argo(spec, name),
        MetKind::Kustomization => Installs::Folder(clean(spec.word("path"))),
        MetKind::HelmChartConfig | MetKind::Source | MetKind::ConfigMap => {
            Installs::Unread("it changes the values of a chart that bzc does not read")
        }
    }
}

/// A path without `./` and `/` around it.
fn clean(path: &str) -> String {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path == "." {
        String::new()
    } else {
        path.to_owned()
    }
}

fn given(node: &Node, key: &str) -> Option<String> {
    Some(node.word(key))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// fluxcd/helm-controller docs/spec/v2/helmreleases.md.
fn flux(spec: &Node, name: &str, namespace: Option<String>) -> Release {
    let target = given(spec, "targetNamespace");
    let own = match &target {
        Some(target) => format!("{target}-{name}"),
        None => name.to_owned(),
    };
    let object = |of: &Node, what: &str| {
        let place = given(of, "namespace").or_else(|| namespace.clone());
        ChartFrom::Object(
            of.word("kind").to_owned(),
            place,
            of.word("name").to_owned(),
            what.to_owned(),
        )
    };
    let chart = spec.down(&["chart", "spec"]);
    let from = match (spec.get("chartRef"), chart) {
        (Some(of), _) => object(of, ""),
        (None, Some(chart)) => match chart.get("sourceRef") {
            Some(of) => object(of, chart.word("chart")),
            None => ChartFrom::Unread("it names no source of its chart"),
        },
        (None, None) => ChartFrom::Unread("it names no chart"),
    };
    let mut values = Vec::new();
    if let Some(chart) = chart
        && (chart.get("valuesFiles").is_some() || chart.get("valuesFile").is_some())
    {
        values.push(Values::Unread(
            "files of its chart (`valuesFiles`)".to_owned(),
        ));
    }
    for of in spec.get("valuesFrom").map_or(&[][..], Node::items) {
        let name = of.word("name").to_owned();
        let optional = of.word("optional") == "true";
        values.push(match of.word("kind") {
            "ConfigMap" if of.get("targetPath").is_none() => Values::ConfigMap {
                name,
                key: given(of, "valuesKey").unwrap_or_else(|| "values.yaml".to_owned()),
                optional,
            },
            "ConfigMap" => Values::Unread(format!("a key of the ConfigMap `{name}`")),
            kind => Values::Unread(format!("the {kind} `{name}`")),
        });
    }
    values.extend(spec.get("values").cloned().map(Values::Map));
    let mut besides = Vec::new();
    if spec.get("postRenderers").is_some() {
        besides.push("its `postRenderers` change what its chart makes");
    }
    Release {
        name: given(spec, "releaseName").unwrap_or(own),
        namespace: target.or(namespace),
        from,
        version: chart.map_or("", |chart| chart.word("version")).to_owned(),
        values,
        besides,
    }
}

/// k3s-io/helm-controller pkg/apis/helm.cattle.io/v1/types.go.
fn k3s(spec: &Node, name: &str, namespace: Option<String>) -> Release {
    let chart = spec.word("chart");
    let from = if spec.get("chartContent").is_some() {
        ChartFrom::Unread("its chart is packed into `chartContent`")
    } else if let Some((address, name)) = chart
        .strip_prefix("oci://")
        .and_then(|rest| rest.rsplit_once('/'))
    {
        ChartFrom::Address(address.to_owned(), name.to_owned())
    } else if chart.contains("://") {
        ChartFrom::Unread("its chart is a packed file at an address")
    } else if chart.is_empty() {
        ChartFrom::Unread("it names no chart")
    } else {
        ChartFrom::Address(spec.word("repo").to_owned(), chart.to_owned())
    };
    let mut values = Vec::new();
    values.extend(spec.get("valuesContent").cloned().map(Values::Text));
    values.extend(spec.get("values").cloned().map(Values::Map));
    for secret in spec.get("valuesSecrets").map_or(&[][..], Node::items) {
        values.push(Values::Unread(format!(
            "the Secret `{}`",
            secret.word("name")
        )));
    }
    for (key, value) in spec.get("set").map_or(&[][..], Node::entries) {
        let key = key.text().unwrap_or_default().to_owned();
        values.push(Values::One(key, value.clone()));
    }
    Release {
        name: name.to_owned(),
        namespace: given(spec, "targetNamespace").or(namespace),
        from,
        version: spec.word("version").to_owned(),
        values,
        besides: vec!["K3s installs it by a job, of which nothing says what it takes"],
    }
}

/// argo-cd docs/user-guide/helm.md and application-specification.
fn argo(spec: &Node, name: &str) -> Installs {
    let single = spec.get("source").into_iter();
    let sources: Vec<&Node> = match spec.get("sources") {
        Some(several) => several.items().iter().collect(),
        None => single.collect(),
    };
    let namespace = spec.down(&["destination", "namespace"]);
    let namespace = namespace.and_then(Node::text).map(str::to_owned);
    let charts = sources
        .iter()
        .filter(|source| source.get("chart").is_some());
    let charts: Vec<Release> = charts
        .map(|source| argo_chart(source, name, namespace.clone()))
        .collect();
    let folders: Vec<&Node> = sources
        .iter()
        .copied()
        .filter(|source| source.get("chart").is_none() && source.get("ref").is_none())
        .collect();
    match (charts.is_empty(), folders.as_slice()) {
        (false, []) => Installs::Charts(charts),
        (true, [one]) if one.get("helm").is_some() => Installs::Charts(vec![Release {
            from: ChartFrom::Folder(clean(one.word("path"))),
            ..argo_chart(one, name, namespace)
        }]),
        (true, [one]) if one.get("plugin").is_none() && one.get("kustomize").is_none() => {
            Installs::Folder(clean(one.word("path")))
        }
        _ => Installs::Unread("it applies what bzc does not read"),
    }
}

fn argo_chart(source: &Node, name: &str, namespace: Option<String>) -> Release {
    let empty = Node::map(source.at, []);
    let helm = source.get("helm").unwrap_or(&empty);
    let mut values = Vec::new();
    for file in helm.get("valueFiles").map_or(&[][..], Node::items) {
        let file = file.text().unwrap_or_default();
        // `$values/path`: a file of another source, by its `ref`.
        values.push(
            match file.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
                Some((_, path)) => Values::File(clean(path)),
                None => Values::Unread(format!("the file `{file}` of its chart")),
            },
        );
    }
    values.extend(helm.get("values").cloned().map(Values::Text));
    values.extend(helm.get("valuesObject").cloned().map(Values::Map));
    for parameter in helm.get("parameters").map_or(&[][..], Node::items) {
        if let Some(value) = parameter.get("value") {
            values.push(Values::One(
                parameter.word("name").to_owned(),
                value.clone(),
            ));
        }
    }
    if helm.get("fileParameters").is_some() {
        values.push(Values::Unread("files (`fileParameters`)".to_owned()));
    }
    Release {
        name: given(helm, "releaseName").unwrap_or_else(|| name.to_owned()),
        namespace,
        from: ChartFrom::Address(
            source.word("repoURL").to_owned(),
            source.word("chart").to_owned(),
        ),
        version: source.word("targetRevision").to_owned(),
        values,
        besides: Vec::new(),
    }
}

/// The address of a source of Flux, what comes behind it for a chart of that name, and the version it asks for.
pub(crate) fn source(kind: &str, spec: &Node, what: &str) -> Option<(String, String, String)> {
    let url = spec.word("url");
    match kind {
        "HelmRepository" => Some((url.to_owned(), what.to_owned(), String::new())),
        "OCIRepository" => {
            let (address, name) = url.rsplit_once('/')?;
            let tag = spec.get("ref").map_or("", |by| match by.word("semver") {
                "" => by.word("tag"),
                range => range,
            });
            Some((address.to_owned(), name.to_owned(), tag.to_owned()))
        }
        _ => None,
    }
}

/// An address without its scheme and without a `/` at its end.
pub(crate) fn bare(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.trim_end_matches('/')
}

/// Lays values over others as Helm does: maps key by key, all else whole.
pub(crate) fn lay_over(below: &mut Node, over: Node) {
    use super::node::Kind;
    let Kind::Map(entries) = over.kind else {
        *below = over;
        return;
    };
    let Kind::Map(known) = &mut below.kind else {
        *below = Node {
            at: over.at,
            kind: Kind::Map(entries),
        };
        return;
    };
    for (key, value) in entries {
        match known.iter_mut().find(|(one, _)| one.text() == key.text()) {
            Some((_, old)) => lay_over(old, value),
            None => known.push((key, value)),
        }
    }
}
