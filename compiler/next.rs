//! What is run after a build, in order: from the plan, and from what the build changed, to lines for a shell. Images are
//! built and brought to where they run, files go to K3s's folders, manifests to the cluster, and K3s restarts last: with a
//! smaller limit for all pods the kernel could end some that have not been replaced yet.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::backend::adopted::ALL;
use crate::backend::{flags, generators, waves};
use crate::base::id::{ids, numbered};
use crate::plan::model::Plan;
use crate::program::{Image, Node, Role};
use crate::render::{Apart, Rendered, together};
use crate::restarts::{FileChange, Object, Restarts};

/// Where K3s reads its configuration.
const CONFIG: &str = "/etc/rancher/k3s";
/// Where K3s reads manifests that it applies by itself.
const MANIFESTS: &str = "/var/lib/rancher/k3s/server/manifests";
/// Where systemd reads what is laid over units.
const UNITS: &str = "/etc/systemd/system";
/// How long a wave may take to roll out.
const WAVE_TIMEOUT: &str = "10m";
/// Kinds of which bzc does not say that they are to be deleted: data goes with them.
const WITH_DATA: [&str; 4] = [
    "Namespace",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Secret",
];

/// The files of an output, as paths, and what became of them.
#[derive(Debug)]
pub(crate) struct Output<'o> {
    /// The folder, as seen from that of the program.
    folder: &'o str,
    /// All files below it.
    files: BTreeSet<&'o str>,
    /// Those that are new or have changed; all if all is to be said.
    changed: BTreeSet<&'o str>,
    /// Those that are new.
    new: BTreeSet<&'o str>,
    /// Those that are no longer made.
    gone: BTreeSet<&'o str>,
    /// What starts again; none if all is to be said.
    restarts: Option<&'o Restarts>,
}

impl<'o> Output<'o> {
    pub(crate) fn new(
        folder: &'o str,
        files: impl Iterator<Item = &'o str>,
        changes: Option<(&'o [FileChange<'o>], &'o Restarts)>,
    ) -> Output<'o> {
        let files: BTreeSet<&str> = files.collect();
        let list = changes.map_or(&[][..], |(list, _)| list);
        let those = |is: &dyn Fn(&FileChange<'_>) -> bool| -> BTreeSet<&'o str> {
            let paths = list.iter().filter(|file| is(file));
            paths.map(|file| file.path).collect()
        };
        Output {
            folder,
            changed: match changes {
                Some(_) => those(&|file| file.new.is_some()),
                None => files.clone(),
            },
            new: those(&|file| file.old.is_none()),
            gone: those(&|file| file.new.is_none()),
            files,
            restarts: changes.map(|(_, restarts)| restarts),
        }
    }

    fn has_changed(&self, path: &str) -> bool {
        self.changed.contains(path)
    }

    /// The changed files below a folder, as they are called there.
    fn changed_below(&self, folder: &str) -> std::vec::IntoIter<&'o str> {
        below(&self.changed, folder)
    }

    fn path(&self, below: &str) -> String {
        quoted(&format!("{}/{below}", self.folder))
    }
}

/// The paths below a folder, as they are called there.
fn below<'o>(paths: &BTreeSet<&'o str>, folder: &str) -> std::vec::IntoIter<&'o str> {
    let folder = format!("{folder}/");
    let from = (Bound::Included(folder.as_str()), Bound::Unbounded);
    let inside = paths.range::<str, _>(from);
    let inside: Vec<&'o str> = inside
        .map_while(|path| path.strip_prefix(&folder))
        .collect();
    inside.into_iter()
}

/// The lines to run in the folder of the program, none if nothing is left to do. Lines that begin with `#` are comments.
pub(crate) fn next(
    plan: &Plan<'_, '_>,
    rendered: &Rendered<'_, '_>,
    output: &Output<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    images(plan, output, &mut lines);
    for node in in_order(plan) {
        files_of_node(node, output, is_remote(plan, node), &mut lines);
    }
    deletions(output, &mut lines);
    applies(plan, rendered, output, &mut lines);
    for node in in_order(plan) {
        let folder = format!("k3s/{}", node.name.value);
        let config = format!("{folder}/config.yaml");
        // A comment that changes restarts nothing.
        let reads_anew = match output.restarts {
            None => true,
            Some(restarts) => {
                output.new.contains(config.as_str()) || restarts.k3s.contains(node.name.value)
            }
        };
        if reads_anew {
            if output.restarts.is_none() || output.new.contains(config.as_str()) {
                lines.extend(installs(plan, node));
            }
            // systemd reads what is laid over a unit only when it is told to.
            let mut of_unit = output.changed_below(&folder);
            let is_remote = is_remote(plan, node);
            if of_unit.any(|file| file.ends_with(".conf")) {
                lines.push(on(node, is_remote, "systemctl daemon-reload"));
            }
            let restart = format!("systemctl restart {}", node.unit());
            lines.push(on(node, is_remote, &restart));
        }
    }
    lines
}

/// How K3s comes to a node: by its install script, which finds the configuration that was copied, or with all of it as
/// flags instead.
fn installs(plan: &Plan<'_, '_>, node: &Node<'_>) -> Vec<String> {
    let found = numbered(&plan.program.nodes).find(|(_, one)| std::ptr::eq(*one, node));
    let Some((at, _)) = found else {
        return Vec::new();
    };
    let role = match node.role {
        Role::Server => "server",
        Role::Agent => "agent",
    };
    let name = node.name.value;
    let version = plan
        .program
        .k3s
        .version
        .as_ref()
        .map_or_else(String::new, |version| {
            format!("INSTALL_K3S_VERSION={} ", quoted(version.value))
        });
    let flags: Vec<String> = flags(plan, at).iter().map(|flag| quoted(flag)).collect();
    vec![
        format!(
            "# {name} without K3s, instead of its restart: curl -sfL https://get.k3s.io | {version}INSTALL_K3S_EXEC={role} sh -"
        ),
        format!(
            "# {name} without config.yaml: k3s {role} {}",
            flags.join(" ")
        ),
    ]
}

/// Servers before agents, for these ask the servers.
fn in_order<'p, 'a>(plan: &'p Plan<'_, 'a>) -> impl Iterator<Item = &'p Node<'a>> {
    let of = |role| {
        let nodes = plan.program.nodes.iter();
        nodes.filter(move |node| node.role == role)
    };
    of(Role::Server).chain(of(Role::Agent))
}

/// Whether commands for a node go over ssh: where there are several nodes, or one with an address.
fn is_remote(plan: &Plan<'_, '_>, node: &Node<'_>) -> bool {
    plan.on_several_nodes() || node.address.is_some()
}

/// A command with the rights of root, on a node.
fn on(node: &Node<'_>, is_remote: bool, command: &str) -> String {
    match is_remote {
        true => format!("ssh {} sudo {command}", host(node)),
        false => format!("sudo {command}"),
    }
}

fn host(node: &Node<'_>) -> String {
    quoted(node.address.as_deref().unwrap_or(node.name.value))
}

/// Builds images, and brings them to a registry where their names have one, else to the nodes that may run them.
fn images(plan: &Plan<'_, '_>, output: &Output<'_>, lines: &mut Vec<String>) {
    let program = plan.program;
    let bake = "images/docker-bake.hcl";
    let touched = |name: &str| {
        let folder = format!("images/{name}");
        output.changed_below(&folder).next().is_some()
    };
    let built = || {
        let services = numbered(&program.services);
        services.filter_map(|(id, service)| match &service.image {
            Image::Built(image) => Some((id, service.name.value, service.image_name(image))),
            Image::Name(_) => None,
        })
    };
    let based = program.images.iter().any(|image| touched(image.name.value));
    let one = built().any(|(_, name, _)| touched(name));
    let all = based || (!one && output.changed_below("images").next().is_some());
    let wanted: Vec<_> = built()
        .filter(|(_, name, _)| all || touched(name))
        .collect();
    let file = output.path(bake);
    for (goes_to_registry, flag) in [(true, "--push"), (false, "--load")] {
        let these = wanted
            .iter()
            .filter(|(.., reference)| has_registry(reference) == goes_to_registry);
        let names: Vec<&str> = these.clone().map(|(_, name, _)| *name).collect();
        if names.is_empty() {
            continue;
        }
        let is_default = names.len() == built().count();
        let targets = match is_default {
            true => String::new(),
            false => format!(" {}", names.join(" ")),
        };
        lines.push(format!("docker buildx bake --file {file} {flag}{targets}"));
        if goes_to_registry {
            continue;
        }
        for at in ids(&program.nodes) {
            let node = &program.nodes[at];
            let here = these
                .clone()
                .filter(|(id, ..)| plan.workloads[*id].may_be_on(at));
            let references: BTreeSet<String> = here.map(|(.., one)| quoted(one)).collect();
            if references.is_empty() {
                continue;
            }
            let references: Vec<String> = references.into_iter().collect();
            let import = on(node, is_remote(plan, node), "k3s ctr images import -");
            lines.push(format!("docker save {} | {import}", references.join(" ")));
        }
    }
}

/// Whether the name of an image says where it is pushed to: it has a host or an owner, and the host is not this one.
fn has_registry(reference: &str) -> bool {
    reference.contains('/') && !reference.starts_with("localhost/")
}

/// Copies what changed for a node to the folders of K3s: files that keep K3s from its own manifest come first.
fn files_of_node(node: &Node<'_>, output: &Output<'_>, is_remote: bool, lines: &mut Vec<String>) {
    let folder = format!("k3s/{}", node.name.value);
    let mut files: Vec<&str> = output.changed_below(&folder).collect();
    files.sort_by_key(|path| {
        (
            path.starts_with("manifests/"),
            !path.ends_with(".skip"),
            *path,
        )
    });
    for file in files {
        // What another hand wrote into K3s's folder is kept beside it.
        let keeps = if file.starts_with("manifests/") {
            ""
        } else {
            " -b"
        };
        let target = target(file);
        let source = output.path(&format!("{folder}/{file}"));
        let install = format!("install -D -m 600{keeps}");
        let target = quoted(&target);
        lines.push(match is_remote {
            true => {
                let command = on(node, true, &format!("{install} /dev/stdin {target}"));
                format!("{command} < {source}")
            }
            false => on(node, false, &format!("{install} {source} {target}")),
        });
    }
    for file in below(&output.gone, &folder) {
        let rm = format!("rm -f {}", quoted(&target(file)));
        lines.push(on(node, is_remote, &rm));
    }
}

/// Where a file of a node goes there.
fn target(file: &str) -> String {
    match file.strip_prefix("manifests/") {
        Some(name) => format!("{MANIFESTS}/{name}"),
        None if file.ends_with(".conf") => format!("{UNITS}/{file}"),
        None => format!("{CONFIG}/{file}"),
    }
}

/// Deletes what is no longer made, and what Kubernetes does not change.
fn deletions(output: &Output<'_>, lines: &mut Vec<String>) {
    let Some(found) = output.restarts else {
        return;
    };
    let delete = |object: &Object, flags: &str| {
        let namespace = match &object.namespace {
            Some(namespace) => format!(" --namespace {}", quoted(namespace)),
            None => String::new(),
        };
        let kind = match object.group.as_str() {
            "" => object.kind.to_ascii_lowercase(),
            group => format!("{}.{group}", object.kind.to_ascii_lowercase()),
        };
        format!(
            "kubectl delete --ignore-not-found{flags}{namespace} {kind}/{}",
            quoted(&object.name)
        )
    };
    for object in &found.gone {
        let line = delete(object, "");
        lines.push(match WITH_DATA.contains(&object.kind.as_str()) {
            true => format!("# its data would go with it: {line}"),
            false => line,
        });
    }
    for object in &found.replaced {
        // Its pods and their volumes stay, and those that are made anew take them over.
        let keeps_pods = ["StatefulSet", "Deployment", "DaemonSet"].contains(&object.kind.as_str());
        lines.push(delete(
            object,
            if keeps_pods { " --cascade=orphan" } else { "" },
        ));
    }
}

/// Applies what changed: one kustomization, wave by wave where rollouts must not overlap, and what no kustomization takes.
fn applies(
    plan: &Plan<'_, '_>,
    rendered: &Rendered<'_, '_>,
    output: &Output<'_>,
    lines: &mut Vec<String>,
) {
    let folders = ["manifests", "adopted", "patches"];
    let changed = folders
        .iter()
        .any(|folder| output.changed_below(folder).next().is_some())
        || output.has_changed(ALL);
    if changed && output.files.contains(ALL) {
        let folder = quoted(output.folder);
        let waves = waves(plan);
        match waves.is_empty() {
            true => lines.push(format!("kubectl apply -k {folder}")),
            false => lines.push(format!("kubectl apply -k {folder} --selector '!bzc/wave'")),
        }
        // The namespace is there now, and pods wait for their Secrets. Whether values have changed shows in no output.
        if output.restarts.is_none() {
            lines.extend(generators(plan).iter().map(|(kustomization, _)| {
                let folder = kustomization.rsplit_once('/');
                format!(
                    "kubectl apply -k {}",
                    quoted(folder.map_or(".", |(folder, _)| folder))
                )
            }));
        }
        let namespace = quoted(plan.program.namespace.value);
        for wave in waves {
            let selector = format!("--selector bzc/wave={wave}");
            lines.push(format!("kubectl apply -k {folder} {selector}"));
            lines.push(format!(
                "kubectl rollout status deployment --namespace {namespace} {selector} --timeout {WAVE_TIMEOUT}"
            ));
        }
    }
    for apart in together(plan, &rendered.manifests).apart {
        lines.extend(match apart {
            Apart::File(path, namespace) if output.has_changed(&path) => {
                let namespace = namespace.map(|name| format!(" --namespace {}", quoted(&name)));
                let namespace = namespace.unwrap_or_default();
                Some(format!(
                    "kubectl apply{namespace} --filename {}",
                    output.path(&path)
                ))
            }
            Apart::Create(path) if output.has_changed(&path) => {
                Some(format!("kubectl create --filename {}", output.path(&path)))
            }
            Apart::Source(path)
                if output.restarts.is_none() || output.has_changed(&format!("adopted/{path}")) =>
            {
                Some(format!("kubectl apply --filename {}", quoted(&path)))
            }
            Apart::Kustomization(folder) if output.restarts.is_none() => {
                Some(format!("kubectl apply -k {}", quoted(&folder)))
            }
            Apart::PostRenderer if output.changed_below("patches").next().is_some() => {
                let patches = output.path("patches");
                Some(format!(
                    "# helm upgrade, with `kubectl kustomize {patches}` as its post-renderer"
                ))
            }
            Apart::File(..)
            | Apart::Create(_)
            | Apart::Source(_)
            | Apart::Kustomization(_)
            | Apart::PostRenderer => None,
        });
    }
}

/// A text as one word of a shell.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@=,+%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::{has_registry, quoted};

    #[test]
    fn words_of_a_shell() {
        assert_eq!(quoted("out/k3s/vps"), "out/k3s/vps");
        assert_eq!(quoted("my out"), "'my out'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_name_says_where_an_image_goes() {
        let all = [
            ("api:local", false),
            ("localhost/api:1", false),
            ("acme/api:1", true),
            ("ghcr.io/acme/api:1", true),
            ("localhost:5000/api:1", true),
        ];
        for (reference, is) in all {
            assert_eq!(has_registry(reference), is, "{reference}");
        }
    }
}
