//! `bzc import`: files, folders, standard input and the user's cluster to a program. It finds what there is to read and
//! writes what came out; what the files mean the library knows.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use bzc::{Manifests, Overlay, Source, World as _};

use super::args::Import;
use super::ui::{err, fail, note, out};
use super::world::{Disk, read, read_stdin};
use super::{Exit, kubectl, report_write, write};

/// A walk through folders ends with an error after so many files.
const MOST_FILES: usize = 20_000;
/// How deep folders are walked.
const DEEPEST: usize = 32;
/// What is never looked into: libraries of others.
const PASSED_OVER: [&str; 2] = ["node_modules", "vendor"];
/// What marks a folder that bzc wrote.
const OUTPUT: &str = ".bzc-manifest.json";
/// Where the answer of the cluster is kept.
const CLUSTER: &str = "cluster.json";
/// Where objects of standard input are kept.
const STDIN: &str = "imported.yaml";

/// Writes a program from the files of others. What it leaves out goes to standard error, a line each.
pub(super) fn run(import: &Import) -> Exit {
    let to_stdout = import.out == Path::new("-");
    if !to_stdout && import.out.symlink_metadata().is_ok() {
        fail(
            &format!("`{}` exists, and is left as it is", import.out.display()),
            &["`--out` names another file".to_owned()],
        );
        return Exit::Usage;
    }
    let folder = match import.out.parent() {
        Some(parent) if !to_stdout && parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    if !to_stdout {
        write::sweep([folder.as_path()].into_iter());
    }
    let mut found = Found::in_folder(&folder, !to_stdout);
    if let Err(why) = found.all(import) {
        fail(&why, &[]);
        return Exit::Usage;
    }
    let disk = Disk::new(folder.clone());
    for path in found.kept.keys() {
        if folder.join(path).symlink_metadata().is_ok() {
            fail(
                &format!("`{}` exists, and is left as it is", disk.shown(path)),
                &["what was read would be kept there: move it away".to_owned()],
            );
            return Exit::Usage;
        }
    }
    let world = Overlay::new(&disk, found.kept);
    let manifests = match import.declare {
        true => Manifests::Declare,
        false => Manifests::Adopt,
    };
    let imported = match bzc::import(&world, found.sources, manifests) {
        Ok(imported) => imported,
        Err(why) => {
            let mut lines = why.lines().map(str::to_owned);
            let first = lines.next().unwrap_or_default();
            fail(&first, &lines.collect::<Vec<_>>());
            return Exit::Findings;
        }
    };
    let left_out: Vec<&String> = found.unread.iter().chain(&imported.left_out).collect();
    if !left_out.is_empty() {
        err("left out:\n");
        left_out.iter().for_each(|what| note(&format!("  {what}")));
    }
    let exit = match import.strict && !left_out.is_empty() {
        true => Exit::Findings,
        false => Exit::Clean,
    };
    if to_stdout {
        out(&imported.program);
        return exit;
    }
    let kept = world.files().iter();
    let kept = kept.filter(|(path, _)| imported.adopted.contains(path));
    let mut files: Vec<(PathBuf, &[u8])> = kept
        .map(|(path, bytes)| (folder.join(path), bytes.as_slice()))
        .collect();
    files.push((import.out.clone(), imported.program.as_bytes()));
    let new = |(path, content)| write::Written {
        path,
        was: write::Was::Nothing,
        content,
    };
    let files: Vec<_> = files
        .iter()
        .map(|(path, content)| new((path.as_path(), *content)))
        .collect();
    if let Err(error) = write::write_all(&files) {
        return report_write(&error);
    }
    let shown = import.out.display();
    out(&format!(
        "wrote {shown} with {}: put in what your machine has, then run `bzc check {shown}`\n",
        what_is_in(&imported)
    ));
    exit
}

fn what_is_in(imported: &bzc::Imported) -> String {
    let count = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    let services = count(imported.services, "service");
    match imported.adopted.len() {
        0 => services,
        n if imported.services == 0 => count(n, "adopted file"),
        n => format!("{services} and {}", count(n, "adopted file")),
    }
}

/// What there is to read.
pub(super) struct Found {
    /// The folder of the program.
    root: PathBuf,
    /// Whether a file may be written beside the program.
    keeps: bool,
    pub(super) sources: Vec<Source>,
    /// Files of folders that cannot be read, with the reason.
    pub(super) unread: Vec<String>,
    /// What is kept beside the program if it is adopted, by path.
    kept: BTreeMap<String, Vec<u8>>,
}

impl Found {
    /// Nothing yet, for a program in that folder.
    pub(super) fn in_folder(folder: &Path, keeps: bool) -> Found {
        Found {
            root: folder
                .canonicalize()
                .unwrap_or_else(|_| folder.to_path_buf()),
            keeps,
            sources: Vec::new(),
            unread: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    fn all(&mut self, import: &Import) -> Result<(), String> {
        if import.from_cluster {
            let bytes = kubectl::cluster()?;
            self.keep(CLUSTER, "the cluster", bytes);
        }
        for path in &import.files {
            if path == Path::new("-") {
                let bytes = read_stdin();
                let bytes =
                    bytes.map_err(|why| format!("`standard input` cannot be read: {why}"))?;
                self.keep(STDIN, "standard input", bytes);
            } else if path.is_dir() {
                self.walk(path, 0)?;
            } else {
                self.file(path, true)?;
                // Compose reads the variables beside its file.
                let beside = path.with_file_name(".env");
                let is_known = self
                    .sources
                    .iter()
                    .any(|known| Path::new(&known.name) == beside);
                if beside.is_file() && !is_known {
                    self.file(&beside, false)?;
                }
            }
        }
        Ok(())
    }

    /// What comes from no file: it is kept in one, so that the program can adopt it.
    fn keep(&mut self, path: &str, name: &str, bytes: Vec<u8>) {
        if self.keeps {
            self.kept.insert(path.to_owned(), bytes.clone());
        }
        self.sources.push(Source {
            name: name.to_owned(),
            path: self.keeps.then(|| path.to_owned()),
            bytes,
            is_named: true,
        });
    }

    fn file(&mut self, path: &Path, is_named: bool) -> Result<(), String> {
        let shown = path.display().to_string();
        let bytes = read(path).map_err(|why| format!("`{shown}` cannot be read: {why}"))?;
        self.sources.push(Source {
            name: shown,
            path: self.inside(path),
            bytes,
            is_named,
        });
        Ok(())
    }

    /// The path as seen from the folder of the program.
    fn inside(&self, path: &Path) -> Option<String> {
        let real = path.canonicalize().ok()?;
        let parts = real.strip_prefix(&self.root).ok()?.components();
        let parts: Option<Vec<&str>> = parts
            .map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect();
        parts.map(|parts| parts.join("/"))
    }

    /// Takes every file of a folder that may be something to import.
    pub(super) fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), String> {
        let fault =
            |error: &std::io::Error| format!("`{}` cannot be read: {error}", folder.display());
        let entries = fs::read_dir(folder).map_err(|error| fault(&error))?;
        let mut entries: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .map_err(|error| fault(&error))?;
        entries.sort();
        if depth > DEEPEST || entries.iter().any(|entry| entry.ends_with(OUTPUT)) {
            return Ok(());
        }
        for path in entries {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let is_link = path.is_symlink();
            if path.is_dir() {
                let is_passed_over = name.starts_with('.') || PASSED_OVER.contains(&name);
                if !is_link && !is_passed_over {
                    self.walk(&path, depth + 1)?;
                }
            } else if path.is_file() && is_wanted(name) {
                if self.sources.len() >= MOST_FILES {
                    return Err(format!(
                        "there are more than {MOST_FILES} files: name the folders that matter"
                    ));
                }
                let path = path
                    .strip_prefix("./")
                    .map(Path::to_path_buf)
                    .unwrap_or(path);
                if let Err(why) = self.file(&path, false) {
                    self.unread.push(why);
                }
            }
        }
        Ok(())
    }
}

/// Whether a file of a folder may be something to import.
fn is_wanted(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    name == ".env" || (!name.starts_with('.') && matches!(ending, Some("yaml" | "yml" | "json")))
}
