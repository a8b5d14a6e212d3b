//! The calls that change the disk. There are no others in bzc (`tests/tidy.rs`), so that a run can be stopped, or
//! made to fail, at each of them: `tests/crash.rs` does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

/// What the names of temporary files begin with. Six letters or digits follow.
pub(super) const TEMPORARY: &str = ".bzc-tmp-";

/// Makes an empty temporary file in a folder.
#[cfg_attr(
    not(unix),
    expect(unused_variables, reason = "there are no modes elsewhere")
)]
pub(super) fn create_in(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    step()?;
    let open = |path: &Path| {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        options.write(true).create_new(true).open(path)
    };
    tempfile::Builder::new()
        .prefix(TEMPORARY)
        .rand_bytes(6)
        .make_in(folder, open)
}

pub(super) fn write(file: &mut File, content: &[u8]) -> io::Result<()> {
    #[cfg(debug_assertions)]
    fault::tear(file, content);
    step()?;
    file.write_all(content)
}

pub(super) fn sync(file: &File) -> io::Result<()> {
    step()?;
    file.sync_data()
}

pub(super) fn set_permissions(file: &File, permissions: fs::Permissions) -> io::Result<()> {
    step()?;
    file.set_permissions(permissions)
}

#[cfg(unix)]
pub(super) fn set_owner(file: &File, (user, group): (u32, u32)) -> io::Result<()> {
    step()?;
    std::os::unix::fs::fchown(file, Some(user), Some(group))
}

/// Gives a temporary file its name, in place of what has that name.
pub(super) fn rename(from: TempPath, to: &Path) -> io::Result<()> {
    step()?;
    from.persist(to).map_err(|failed| failed.error)
}

/// Gives a temporary file its name, unless something has it.
pub(super) fn rename_new(from: TempPath, to: &Path) -> io::Result<()> {
    step()?;
    from.persist_noclobber(to).map_err(|failed| failed.error)
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    step()?;
    fs::remove_file(path)
}

/// Removes a folder that is empty.
pub(super) fn remove_folder(path: &Path) -> io::Result<()> {
    step()?;
    fs::remove_dir(path)
}

/// Makes a folder with those above it, where they are not there.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    step()?;
    fs::create_dir_all(path)
}

/// Writes to what is no file: a pipe or a device.
pub(super) fn write_through(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut to = OpenOptions::new().write(true).open(path)?;
    to.write_all(content)
}

#[cfg(not(debug_assertions))]
#[expect(clippy::unnecessary_wraps, reason = "it fails in builds for tests")]
#[inline]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
use fault::step;

/// In builds for tests `BZC_FAULT=N:WHAT` says what becomes of the Nth of these calls: `kill` ends the process before
/// it, `tear` after half of what it writes, and a number is the error of the system that it gives.
#[cfg(debug_assertions)]
mod fault {
    use std::fs::File;
    use std::io::{self, Write as _};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static CALLS: AtomicU64 = AtomicU64::new(0);
    static PLAN: LazyLock<Option<(u64, String)>> = LazyLock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "builds for tests alone look for it"
        )]
        let plan = std::env::var("BZC_FAULT").ok()?;
        let (at, what) = plan.split_once(':')?;
        Some((at.parse().ok()?, what.to_owned()))
    });

    pub(super) fn step() -> io::Result<()> {
        let Some((at, what)) = &*PLAN else {
            return Ok(());
        };
        if CALLS.fetch_add(1, Ordering::SeqCst) != *at {
            return Ok(());
        }
        match what.parse() {
            Ok(code) => Err(io::Error::from_raw_os_error(code)),
            // Nothing is cleaned up, as when the power fails.
            Err(_) => std::process::abort(),
        }
    }

    /// Writes half of the content and ends, if that is the plan for this call.
    pub(super) fn tear(file: &mut File, content: &[u8]) {
        let Some((at, what)) = &*PLAN else { return };
        if what == "tear" && CALLS.load(Ordering::SeqCst) == *at {
            let _ = file.write_all(&content[..content.len() / 2]);
            std::process::abort();
        }
    }
}
