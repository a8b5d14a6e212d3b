//! The user's own helm, which renders charts that a program names. Nothing else is run, and nothing is read over a
//! network unless a chart's own templates are missing, which is an error of helm.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use bzc::Chart;

/// How often a chart is waited for, and how long each time: 60 s together, and somewhat more on a busy machine.
const WAITS: usize = 6_000;
const WAIT: Duration = Duration::from_millis(10);
/// What helm may print, in bytes: as much as bzc reads of one manifest.
const MOST: u64 = 16 << 20;

/// Runs `helm template` for a chart below a folder.
pub(crate) fn template(root: &Path, chart: &Chart) -> Result<Vec<u8>, String> {
    let mut command = Command::new("helm");
    command.arg("template").arg(&chart.release);
    // Relative paths that begin so are no options, and no charts of a repository.
    command.arg(format!("./{}", chart.folder));
    if let Some(namespace) = &chart.namespace {
        command.arg("--namespace").arg(namespace);
    }
    for values in &chart.values {
        command.arg("--values").arg(format!("./{values}"));
    }
    command.current_dir(root);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "`helm` is not on PATH".to_owned(),
        _ => format!("`helm` cannot be run: {error}"),
    })?;
    let (printed, said) = finish(child)?;
    match said {
        None => Ok(printed),
        Some(said) => Err(format!("`helm template` failed: {said}")),
    }
}

/// What a process prints, and what it says against it if it fails.
fn finish(mut child: Child) -> Result<(Vec<u8>, Option<String>), String> {
    let (printed, said) = (child.stdout.take(), child.stderr.take());
    // A full pipe holds a process up, so that both are read while it runs.
    let printed = thread::spawn(move || all_of(printed));
    let said = thread::spawn(move || all_of(said));
    let mut status = None;
    for _ in 0..WAITS {
        let waited = child.try_wait();
        status = waited.map_err(|error| format!("`helm` cannot be waited for: {error}"))?;
        if status.is_some() {
            break;
        }
        thread::sleep(WAIT);
    }
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        let seconds = (WAIT * u32::try_from(WAITS).unwrap_or(u32::MAX)).as_secs();
        return Err(format!("`helm template` took more than {seconds} s"));
    };
    let gone = |_| "`helm` cannot be read".to_owned();
    let (printed, said) = (printed.join().map_err(gone)?, said.join().map_err(gone)?);
    if printed.len() as u64 > MOST {
        return Err(format!("it renders to more than {} MiB", MOST >> 20));
    }
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.is_empty())
        .take(5)
        .collect();
    let why = (!status.success()).then(|| lines.join("; "));
    Ok((printed, why))
}

/// All that comes out of a pipe, up to one byte more than is taken. The rest is read and dropped.
fn all_of(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = pipe.by_ref().take(MOST + 1).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    }
    bytes
}
