//! Random trees of kustomizations, the same for the same seed: a base, perhaps a second one, a component, and overlays over
//! each other. Names are followed, so that patches find what they are about.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::generate::Rng;

/// Random numbers from 0.
struct Dice(Rng);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0.range(0, most - 1)
    }

    fn index(&mut self, count: usize) -> usize {
        self.0.index(count)
    }
}

/// The folder of the outermost kustomization.
pub(super) const ENTRY: &str = "top";

const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "CronJob"];

/// A workload of a base, with the names by which an overlay may call it.
struct Workload {
    kind: &'static str,
    name: String,
    containers: usize,
}

impl Workload {
    /// Everything above the spec of its pods, and what closes it.
    fn around(&self, pod: &str) -> String {
        let group = if self.kind == "CronJob" {
            "batch"
        } else {
            "apps"
        };
        let head = format!(
            "apiVersion: {group}/v1\nkind: {}\nmetadata: {{name: {}}}\n",
            self.kind, self.name
        );
        match self.kind {
            "CronJob" => format!(
                "{head}spec: {{jobTemplate: {{spec: {{template: {{spec: {{{pod}}}}}}}}}}}\n"
            ),
            _ => format!("{head}spec: {{template: {{spec: {{{pod}}}}}}}\n"),
        }
    }

    fn path(&self) -> &'static str {
        match self.kind {
            "CronJob" => "/spec/jobTemplate/spec/template/spec",
            _ => "/spec/template/spec",
        }
    }
}

/// A tree: paths to texts.
pub(super) fn tree(seed: u64) -> BTreeMap<String, String> {
    let mut rng = Dice(Rng::new(7_000 + seed));
    let mut files = BTreeMap::new();
    let mut all = Vec::new();
    for base in 0..=rng.below(2) {
        all.extend(base_of(&mut rng, &format!("base{base}"), &mut files));
    }
    let bases: Vec<String> = files
        .keys()
        .filter_map(|path: &String| path.strip_suffix("/kustomization.yaml"))
        .map(|folder| format!("../{folder}"))
        .collect();
    let mut below = bases.join(", ");
    let layers = 1 + rng.below(3);
    for layer in 0..layers {
        let folder = match layer + 1 == layers {
            true => ENTRY.to_owned(),
            false => format!("layer{layer}"),
        };
        overlay(&mut rng, &folder, &below, &mut all, &mut files);
        below = format!("../{folder}");
    }
    files
}

/// A base of some workloads and what belongs to them.
fn base_of(rng: &mut Dice, folder: &str, files: &mut BTreeMap<String, String>) -> Vec<Workload> {
    let mut workloads = Vec::new();
    let mut resources = Vec::new();
    for index in 0..1 + rng.below(3) {
        let kind = KINDS[rng.index(4)];
        let name = format!("{folder}-{}{index}", ["web", "db", "job"][rng.index(3)]);
        let containers = 1 + rng.index(2);
        let list: Vec<String> = (0..containers)
            .map(|at| container(rng, &format!("c{at}"), true))
            .collect();
        let mut pod = format!("containers: [{}]", list.join(", "));
        if rng.below(3) == 0 {
            let _ = write!(pod, ", initContainers: [{}]", container(rng, "init", true));
        }
        let mut text = String::new();
        let workload = Workload {
            kind,
            name,
            containers,
        };
        if rng.below(4) == 0 {
            let claim = format!("{}-data", workload.name);
            let _ = write!(
                pod,
                ", volumes: [{{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}]"
            );
            let _ = write!(
                text,
                "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {claim}}}\nspec: {{resources: {{requests: {{storage: 1Gi}}}}}}\n---\n"
            );
        }
        if rng.below(4) == 0 {
            let _ = write!(
                text,
                "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {}-class}}\nvalue: {}\n---\n",
                workload.name,
                10 + rng.below(9)
            );
            let _ = write!(pod, ", priorityClassName: {}-class", workload.name);
        }
        if workload.kind == "CronJob" {
            pod += ", restartPolicy: Never";
        }
        let mut object = workload.around(&pod);
        if workload.kind == "CronJob" {
            object = object.replace(
                "spec: {jobTemplate",
                "spec: {schedule: \"0 3 * * *\", concurrencyPolicy: Forbid, jobTemplate",
            );
        }
        if matches!(workload.kind, "Deployment" | "StatefulSet") && rng.below(2) == 0 {
            object = object.replacen(
                "spec: {",
                &format!("spec: {{replicas: {}, ", 1 + rng.below(3)),
                1,
            );
        }
        text += &object;
        if workload.kind == "Deployment" && rng.below(3) == 0 {
            let most = 2 + rng.below(4);
            let _ = write!(
                text,
                "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {0}}}\nspec: {{maxReplicas: {most}, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {0}}}}}\n",
                workload.name
            );
        }
        files.insert(format!("{folder}/w{index}.yaml"), text);
        resources.push(format!("w{index}.yaml"));
        workloads.push(workload);
    }
    if rng.below(4) == 0 {
        files.insert(format!("{folder}/bounds.yaml"), format!("apiVersion: v1\nkind: LimitRange\nmetadata: {{name: {folder}}}\nspec: {{limits: [{{type: Container, default: {{memory: {}Mi}}}}]}}\n", 160 + rng.below(64)));
        resources.push("bounds.yaml".to_owned());
    }
    let mut text = format!("resources: [{}]\n", resources.join(", "));
    if rng.below(3) == 0 {
        let _ = writeln!(text, "namePrefix: {folder}-");
    }
    if rng.below(3) == 0 {
        let _ = writeln!(
            text,
            "configMapGenerator: [{{name: {folder}-settings, literals: [A=b]}}]"
        );
    }
    files.insert(format!("{folder}/kustomization.yaml"), text);
    workloads
}

/// Amounts of a container. Those of patches give both, so that no request comes to lie above a limit.
fn amounts(rng: &mut Dice, of_patch: bool) -> String {
    let limit = 32 + 8 * rng.below(16);
    let request = limit / 2;
    match rng.below(3) {
        0 if !of_patch => format!("{{limits: {{memory: {limit}Mi}}}}"),
        1 if !of_patch => format!("{{requests: {{memory: {request}Mi}}}}"),
        _ => format!("{{requests: {{memory: {request}Mi}}, limits: {{memory: {limit}Mi}}}}"),
    }
}

fn container(rng: &mut Dice, name: &str, with_image: bool) -> String {
    let image = if with_image {
        ", image: \"nginx:1.27.4\""
    } else {
        ""
    };
    format!(
        "{{name: {name}{image}, resources: {}}}",
        amounts(rng, !with_image)
    )
}

/// An overlay that changes some of what lies below it.
fn overlay(
    rng: &mut Dice,
    folder: &str,
    below: &str,
    all: &mut Vec<Workload>,
    files: &mut BTreeMap<String, String>,
) {
    let mut text = format!("resources: [{below}]\n");
    let mut patches = String::new();
    let mut merges = String::new();
    let mut replicas = String::new();
    let mut gone = Vec::new();
    for (index, workload) in all.iter().enumerate() {
        match rng.below(8) {
            0 => {
                let pod = format!("containers: [{}]", container(rng, "c0", false));
                files.insert(format!("{folder}/p{index}.yaml"), workload.around(&pod));
                let _ = writeln!(patches, "- path: p{index}.yaml");
            }
            1 => {
                let pod = format!(
                    "containers: [{}, {}]",
                    container(rng, &format!("more-{folder}"), true),
                    container(rng, "c0", false)
                );
                let _ = writeln!(
                    patches,
                    "- patch: |-\n    {}",
                    workload.around(&pod).trim_end().replace('\n', "\n    ")
                );
            }
            2 if workload.containers > 1 => {
                let pod = "containers: [{name: c1, $patch: delete}]";
                files.insert(format!("{folder}/m{index}.yaml"), workload.around(pod));
                let _ = writeln!(merges, "- m{index}.yaml");
            }
            3 => {
                let pod = "containers: [{name: c0, resources: {limits: {memory: null}}}]";
                let _ = writeln!(
                    merges,
                    "- |-\n  {}",
                    workload.around(pod).trim_end().replace('\n', "\n  ")
                );
            }
            4 => {
                let _ = writeln!(
                    patches,
                    "- target: {{kind: {}, name: \".*{}\"}}\n  patch: |-\n    - op: add\n      path: {}/containers/-\n      value: {}",
                    workload.kind,
                    workload.name,
                    workload.path(),
                    container(rng, &format!("json-{folder}"), true)
                );
            }
            5 if matches!(workload.kind, "Deployment" | "StatefulSet") => {
                let _ = writeln!(
                    replicas,
                    "- {{name: {}, count: {}}}",
                    workload.name,
                    1 + rng.below(4)
                );
            }
            // An autoscaler would be left without what it scales.
            6 if rng.below(3) == 0
                && all.len() > gone.len() + 1
                && workload.kind != "Deployment" =>
            {
                let whole = workload
                    .around("")
                    .replacen("spec: {", "$patch: delete\nspec: {", 1);
                files.insert(format!("{folder}/gone{index}.yaml"), whole);
                let _ = writeln!(patches, "- path: gone{index}.yaml");
                gone.push(index);
            }
            _ => {}
        }
    }
    if rng.below(3) == 0 {
        let name = format!("part-{folder}");
        let part = format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- target: {{kind: StatefulSet|DaemonSet}}\n  patch: |-\n    - op: add\n      path: /spec/template/spec/containers/0/resources\n      value: {}\n",
            amounts(rng, true)
        );
        files.insert(format!("{name}/kustomization.yaml"), part);
        let _ = writeln!(text, "components: [../{name}]");
    }
    for (key, list) in [
        ("patches", &patches),
        ("patchesStrategicMerge", &merges),
        ("replicas", &replicas),
    ] {
        if !list.is_empty() {
            let _ = write!(text, "{key}:\n{list}");
        }
    }
    if rng.below(2) == 0 {
        let _ = writeln!(text, "namePrefix: {folder}-");
    }
    if rng.below(4) == 0 {
        let _ = writeln!(text, "nameSuffix: -v{}", rng.below(9));
    }
    // An overlay calls objects by the namespace that they were in first, so only the outermost one sets it.
    if folder == ENTRY && rng.below(2) == 0 {
        let _ = writeln!(text, "namespace: space{}", rng.below(3));
    }
    if rng.below(4) == 0 {
        let _ = writeln!(text, "commonAnnotations: {{linkerd.io/inject: enabled}}");
    }
    if rng.below(4) == 0 {
        let _ = writeln!(
            text,
            "labels: [{{pairs: {{layer: {folder}}}, includeSelectors: true}}]"
        );
    }
    files.insert(format!("{folder}/kustomization.yaml"), text);
    for index in gone.into_iter().rev() {
        all.remove(index);
    }
}
