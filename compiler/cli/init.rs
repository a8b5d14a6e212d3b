//! `bzc init`: looks at the machine and at the folder, and writes the program that fits what is there. What it reads of
//! the machine goes through the same door as what `bzc import` reads: as a Node, a configuration of K3s, manifests, compose
//! files. It asks nothing, changes nothing, and says where each number comes from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bzc::{Manifests, Source};
use serde_json::json;

use super::args::Init;
use super::import::Found;
use super::ui::{err, fail, out};
use super::world::{Disk, read};
use super::write::{self, Was, Written};
use super::{Exit, kubectl, report_write};

/// The program where there is nothing to begin with.
const STARTER: &str = include_str!("starter.bz");
/// Where K3s reads its configuration.
const K3S_CONFIG: &str = "/etc/rancher/k3s/config.yaml";
/// What `--machine` names files by: what the machine says, a file each.
const MEMINFO: &str = "meminfo";
const NPROC: &str = "nproc";
const K3S_VERSION: &str = "k3s-version";
const CONFIG: &str = "config.yaml";
const NODES: &str = "nodes.json";
const HOSTNAME: &str = "hostname";
/// How many files are named that were found.
const MOST_NAMED: usize = 6;
/// How deep source folders are looked for.
const DEEPEST: usize = 3;

/// What shows that a folder has the source of a service.
const MARKS: [&str; 10] = [
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
    "index.html",
];
/// Folders that are no service of their own.
const PASSED_OVER: [&str; 8] = [
    "node_modules",
    "vendor",
    "target",
    "dist",
    "build",
    "out",
    "tests",
    "test",
];

/// What the machine says of itself, as text; none of what it does not say.
#[derive(Debug, Default)]
struct Readings {
    meminfo: Option<String>,
    cpus: Option<u64>,
    hostname: Option<String>,
    k3s_version: Option<String>,
    config: Option<Vec<u8>>,
    /// The answer of `kubectl get nodes`.
    nodes: Option<Vec<u8>>,
}

impl Readings {
    /// What is read of this machine; of the cluster of the kubeconfig where K3s is not here.
    fn here() -> Readings {
        let k3s_version = version_of_k3s();
        let asks = k3s_version.is_none() && has_kubeconfig();
        Readings {
            meminfo: text(Path::new("/proc/meminfo")),
            cpus: std::thread::available_parallelism()
                .ok()
                .and_then(|n| u64::try_from(n.get()).ok()),
            hostname: text(Path::new("/etc/hostname")),
            config: read(Path::new(K3S_CONFIG)).ok(),
            nodes: match asks {
                true => kubectl::nodes().ok(),
                false => None,
            },
            k3s_version,
        }
    }

    /// What files of a folder say in its place.
    fn of(folder: &Path) -> Readings {
        let file = |name| text(&folder.join(name));
        Readings {
            meminfo: file(MEMINFO),
            cpus: file(NPROC).and_then(|text| text.trim().parse().ok()),
            hostname: file(HOSTNAME),
            k3s_version: file(K3S_VERSION),
            config: read(&folder.join(CONFIG)).ok(),
            nodes: read(&folder.join(NODES)).ok(),
        }
    }

    /// MemTotal in whole Mi, rounded down.
    fn memory(&self) -> Option<u64> {
        let line = self
            .meminfo
            .as_ref()?
            .lines()
            .find(|line| line.starts_with("MemTotal:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib / 1024).filter(|mib| *mib > 0)
    }

    /// `v1.33.3+k3s1`.
    fn version(&self) -> Option<&str> {
        let words = self.k3s_version.as_ref()?.split_whitespace();
        words
            .into_iter()
            .find(|word| word.starts_with('v') && word.contains("+k3s"))
    }

    /// The Node that the machine is or would be, and what was read where.
    fn node(&self) -> Option<(Vec<u8>, String)> {
        let mib = self.memory()?;
        let mut seen = format!("{mib}Mi, MemTotal of /proc/meminfo");
        let mut capacity = json!({ "memory": format!("{mib}Mi") });
        if let Some(cpus) = self.cpus {
            seen += &format!("; {cpus} CPUs");
            capacity["cpu"] = cpus.to_string().into();
        }
        let mut info = json!({});
        if let Some(version) = self.version() {
            seen += &format!("; {version}, by `k3s --version`");
            info["kubeletVersion"] = version.into();
        }
        let name = self.hostname.as_deref().unwrap_or_default().trim();
        let name: String = name
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let name = name.trim_matches('-');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 63;
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": if is_name { name } else { "box" },
                "labels": { "node-role.kubernetes.io/control-plane": "true" },
            },
            "status": { "capacity": capacity, "nodeInfo": info },
        });
        Some((node.to_string().into_bytes(), seen))
    }
}

/// The text of a small file.
fn text(path: &Path) -> Option<String> {
    String::from_utf8(read(path).ok()?).ok()
}

/// What `k3s --version` prints, if it is there and ends well.
fn version_of_k3s() -> Option<String> {
    let mut command = Command::new("k3s");
    command.arg("--version");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let done = command.output().ok()?;
    done.status.success().then_some(())?;
    String::from_utf8(done.stdout).ok()
}

/// Whether kubectl knows a cluster: without a kubeconfig it would ask this machine.
fn has_kubeconfig() -> bool {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|paths| !paths.is_empty());
    let home = std::env::var_os("HOME").map(PathBuf::from);
    named || home.is_some_and(|home| home.join(".kube/config").is_file())
}

/// Writes a first program for what is there.
pub(super) fn run(init: &Init) -> Exit {
    // Nothing is looked at for a program that would not be written.
    if init.file.exists() {
        let shown = init.file.display();
        fail(&format!("`{shown}` exists, and is left as it is"), &[]);
        return Exit::Usage;
    }
    let folder = match init.file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let readings = match &init.machine {
        Some(machine) if !machine.is_dir() => {
            fail(&format!("`{}` is no folder", machine.display()), &[]);
            return Exit::Usage;
        }
        Some(machine) => Readings::of(machine),
        None => Readings::here(),
    };
    let (program, said) = match program(&readings, &folder) {
        Ok(made) => made,
        Err(why) => {
            fail(&why, &[]);
            return Exit::Usage;
        }
    };
    let written = write::write_all(&[Written {
        path: &init.file,
        was: Was::Nothing,
        content: program.as_bytes(),
    }]);
    if let Err(error) = written {
        return report_write(&error);
    }
    said.seen.iter().for_each(|line| out(&format!("{line}\n")));
    let shown = init.file.display();
    out(&format!(
        "wrote {shown}: read it, then run `bzc check {shown}`\n"
    ));
    if !said.left_out.is_empty() {
        err("left out:\n");
        said.left_out
            .iter()
            .for_each(|what| err(&format!("  {what}\n")));
    }
    Exit::Clean
}

/// What is told of a program.
#[derive(Default)]
struct Said {
    /// What was seen, a line each.
    seen: Vec<String>,
    left_out: Vec<String>,
}

/// The program for what is there, and what is to be said of it.
fn program(readings: &Readings, folder: &Path) -> Result<(String, Said), String> {
    let mut said = Said::default();
    let mut comments = Vec::new();
    let mut found = Found::in_folder(folder, false);
    let machine = machine(readings, &mut found.sources, &mut said, &mut comments);
    let of_machine = found.sources.len();
    if folder.is_dir() {
        found.walk(folder, 0)?;
    }
    said.left_out.append(&mut found.unread);
    let charts = charts(&mut found.sources);
    let mut tail = String::new();
    for chart in &charts {
        let adopt = format!("adopt \"{chart}\" {{ helm {{ }} }}");
        said.left_out.push(format!(
            "`{chart}` is a chart: with `{adopt}` your own helm renders it"
        ));
        tail.push_str(&format!(
            "\n# Your own helm renders this chart:\n# {adopt}\n"
        ));
    }
    let mut of_folders = false;
    if found.sources.len() == of_machine {
        let sources = source_folders(folder);
        if !sources.is_empty() {
            said.seen
                .push(format!("here: the source folders {}", sources.join(", ")));
            found.sources.push(as_compose(folder, &sources));
            of_folders = true;
        }
    } else {
        let names: Vec<&str> = found.sources[of_machine..]
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        said.seen
            .push(format!("here: {}", bzc::few(&names, MOST_NAMED)));
    }
    let has_project = found.sources.len() > of_machine;
    let world = Disk::new(folder.to_path_buf());
    let imported = match (machine || has_project)
        .then(|| bzc::import(&world, found.sources, Manifests::Adopt))
    {
        Some(Ok(imported)) => imported,
        Some(Err(_)) | None => {
            said.seen.push(
                "nothing here or on the machine says what there is: this is an example".to_owned(),
            );
            return Ok((STARTER.to_owned(), said));
        }
    };
    said.left_out.extend(imported.left_out);
    let mut text = imported.program;
    if of_folders {
        text = text.replace("compose gives no limit", "nothing says a limit yet");
    }
    if imported.services == 0 && imported.adopted.is_empty() && charts.is_empty() {
        text = with_example(&text);
        said.seen
            .push("here: nothing to run yet; `hello` is an example".to_owned());
    }
    Ok((with_comments(&(text + &tail), &comments), said))
}

/// Takes the files of charts out, and says in which folders these are.
fn charts(sources: &mut Vec<Source>) -> Vec<String> {
    let of_chart = |source: &Source| {
        source
            .path
            .as_ref()?
            .strip_suffix("/Chart.yaml")
            .map(str::to_owned)
    };
    let mut folders: Vec<String> = sources.iter().filter_map(of_chart).collect();
    folders.sort();
    // A chart within a chart is rendered with it.
    let all = folders.clone();
    let is_below = |path: &str, folder: &String| {
        path.strip_prefix(folder.as_str())
            .is_some_and(|rest| rest.starts_with('/'))
    };
    folders.retain(|folder| !all.iter().any(|other| is_below(folder, other)));
    sources.retain(|source| {
        let path = source.path.as_deref().unwrap_or_default();
        !folders.iter().any(|folder| is_below(path, folder))
    });
    folders
}

/// What the machine says, as files to import. Whether it says what it has.
fn machine(
    readings: &Readings,
    sources: &mut Vec<Source>,
    said: &mut Said,
    comments: &mut Vec<String>,
) -> bool {
    let source = |name: &str, bytes: &[u8]| Source {
        name: name.to_owned(),
        path: None,
        bytes: bytes.to_vec(),
        is_named: true,
    };
    let mut knows = false;
    if let Some(nodes) = &readings.nodes {
        sources.push(source("kubectl get nodes", nodes));
        said.seen.push(
            "machine: the nodes of the cluster of your kubeconfig, by `kubectl get nodes`"
                .to_owned(),
        );
        comments.push("The nodes as `kubectl get nodes` has them: memory is MemTotal.".to_owned());
        knows = true;
    } else if let Some((node, seen)) = readings.node() {
        sources.push(source("this machine", &node));
        let mut line = format!("machine: {seen}");
        if readings.version().is_none() {
            line += "; no K3s is here, so put in what the machine has that will run it";
        }
        comments.push(format!("This machine: {seen}."));
        said.seen.push(line);
        knows = true;
    }
    if let Some(config) = &readings.config {
        sources.push(source(K3S_CONFIG, config));
        said.seen.push(format!("K3s: {K3S_CONFIG}"));
        comments.push(format!("K3s: as {K3S_CONFIG} has it."));
    }
    comments.push("`reserve` is a guess where nothing says it: the OS and what lives beside K3s, as `free -m` shows it before K3s starts.".to_owned());
    knows
}

/// The program with comments above its first node.
fn with_comments(text: &str, comments: &[String]) -> String {
    let at = text.find("\nnode ").map_or(0, |at| at + 1);
    let mut out = text[..at].to_owned();
    for comment in comments {
        out.push_str(&format!("# {comment}\n"));
    }
    out.push_str(&text[at..]);
    bzc::format(&out).unwrap_or(out)
}

/// A program of nodes with the services of the starter.
fn with_example(text: &str) -> String {
    let from = STARTER.find("# What services share").unwrap_or(0);
    let to = STARTER.find("expect ").unwrap_or(STARTER.len());
    format!("{}\n\n{}\n", text.trim_end(), STARTER[from..to].trim_end())
}

/// Folders with the source of something to run, as seen from the program; the folder itself is `.`.
fn source_folders(top: &Path) -> Vec<String> {
    let mut found = Vec::new();
    look(top, "", 0, &mut found);
    found.sort();
    found
}

fn look(top: &Path, below: &str, depth: usize, found: &mut Vec<String>) {
    let folder = top.join(below);
    if MARKS.iter().any(|mark| folder.join(mark).is_file()) {
        found.push(match below {
            "" => ".".to_owned(),
            below => below.to_owned(),
        });
        return;
    }
    let Ok(entries) = fs::read_dir(&folder) else {
        return;
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()))
        .collect();
    names.sort();
    for name in names.iter().filter(|_| depth < DEEPEST) {
        let path = match below {
            "" => name.clone(),
            below => format!("{below}/{name}"),
        };
        look(top, &path, depth + 1, found);
    }
}

/// Source folders as the compose file that would build them: a service each, called as its folder.
fn as_compose(top: &Path, folders: &[String]) -> Source {
    let mut services = serde_json::Map::new();
    for folder in folders {
        let whole = top.join(folder).canonicalize().unwrap_or_default();
        let last = whole.file_name().and_then(|name| name.to_str());
        let name = match folder.as_str() {
            "." => "app",
            _ => last.unwrap_or("app"),
        };
        let name = match services.contains_key(name) {
            true => folder.replace('/', "-"),
            false => name.to_owned(),
        };
        services.insert(name, json!({ "build": folder }));
    }
    Source {
        name: "source folders".to_owned(),
        path: Some("source-folders".to_owned()),
        bytes: json!({ "services": services }).to_string().into_bytes(),
        is_named: true,
    }
}
