//! Each test builds in a folder of its own and looks at every file that is there afterwards.
#![allow(
    clippy::disallowed_methods,
    reason = "tests set up files and look at them"
)]

use std::collections::BTreeMap;
use std::fs::{self, FileTimes};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bzc::Files;

use super::{
    Done, Fate, MANIFEST, Was, WriteError, WriteErrorKind, Written, apply, hash, survey, write_all,
    write_report,
};

fn files(list: &[(&str, &str)]) -> Files<'static> {
    let artifacts: Vec<_> = list
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    artifacts.into()
}

/// An output folder that does not exist yet, in a temporary folder that does.
struct Place {
    home: tempfile::TempDir,
    out: PathBuf,
}

impl Place {
    fn new() -> Place {
        let home = tempfile::tempdir().expect("a temporary folder");
        let out = home.path().join("out");
        Place { home, out }
    }

    fn with(list: &[(&str, &str)]) -> Place {
        let place = Place::new();
        place.build(list).expect("the first build");
        place
    }

    fn build(&self, list: &[(&str, &str)]) -> Result<Done, WriteError> {
        apply(survey(&self.out, "shop.bz", &files(list))?)
    }

    fn refused(&self, list: &[(&str, &str)], kind: WriteErrorKind) -> WriteError {
        let before = self.state();
        let error = self.build(list).expect_err("a build that must fail");
        assert_eq!(error.kind, kind, "{error:?}");
        assert_eq!(self.state(), before, "a refused build wrote something");
        error
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.out.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    /// Every file with its content, every folder, and every link, below the folder that holds `out`.
    fn state(&self) -> BTreeMap<PathBuf, Option<String>> {
        fn walk(dir: &Path, found: &mut BTreeMap<PathBuf, Option<String>>) {
            for entry in fs::read_dir(dir).expect("a folder") {
                let path = entry.expect("an entry").path();
                let kind = fs::symlink_metadata(&path).expect("metadata").file_type();
                if kind.is_file() {
                    found.insert(path.clone(), Some(fs::read_to_string(path).expect("text")));
                } else {
                    found.insert(path.clone(), None);
                    if kind.is_dir() {
                        walk(&path, found);
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.home.path(), &mut found);
        found
    }

    /// What is in `out` except the manifest, folders with a slash at the end.
    fn holds(&self) -> Vec<(String, String)> {
        let mut list = Vec::new();
        for (path, text) in self.state() {
            let Ok(path) = path.strip_prefix(&self.out) else {
                continue;
            };
            let path = path.to_str().expect("a plain path").to_owned();
            match text {
                _ if path.is_empty() || path == MANIFEST => {}
                Some(text) => list.push((path, text)),
                None => list.push((path + "/", String::new())),
            }
        }
        list
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.out.join(MANIFEST)).expect("a manifest")
    }

    fn write_manifest(&self, entries: &str) {
        let text = format!("{{\"bzc\": 1, \"source\": \"shop.bz\", \"files\": {{{entries}}}}}");
        self.put(MANIFEST, &text);
    }

    /// Moves a file's time, so that a rewrite shows and no test depends on the grain of the clock.
    fn age(&self, path: &str, seconds: u64) {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(self.out.join(path))
            .expect("a file");
        let time = file
            .metadata()
            .and_then(|metadata| metadata.modified())
            .expect("a time");
        file.set_times(FileTimes::new().set_modified(time - Duration::from_secs(seconds)))
            .expect("a time set");
    }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn a_new_build_writes_the_files_and_a_manifest() {
    let place = Place::new();
    let done = place
        .build(&[("a.yaml", "a"), ("k/b.yaml", "b")])
        .expect("a build");
    assert_eq!((done.counts.new, done.counts.unchanged), (2, 0));
    assert_eq!(
        place.holds(),
        pairs(&[("a.yaml", "a"), ("k/", ""), ("k/b.yaml", "b")])
    );
    let (a, b) = (hash(b"a"), hash(b"b"));
    let manifest = format!(
        "{{\n  \"bzc\": 1,\n  \"source\": \"shop.bz\",\n  \"files\": {{\n    \"a.yaml\": \"{a}\",\n    \"k/b.yaml\": \"{b}\"\n  }}\n}}\n"
    );
    assert_eq!(place.manifest(), manifest);
    assert_eq!(
        a,
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    );
}

#[cfg(unix)]
#[test]
fn files_are_readable_and_not_executable() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::with(&[("a", "a")]);
    let mode = fs::metadata(place.out.join("a"))
        .expect("a file")
        .permissions()
        .mode()
        & 0o777;
    // The umask may take away more, but never from the owner.
    assert_eq!((mode & 0o600, mode & !0o644), (0o600, 0), "{mode:o}");
}

#[test]
fn a_build_that_changes_nothing_writes_nothing() {
    let list = [("a", "a"), ("k/b", "b")];
    let place = Place::with(&list);
    for path in ["a", "k/b", MANIFEST] {
        place.age(path, 1000);
    }
    let times = || {
        let time = |path: &str| {
            fs::metadata(place.out.join(path))
                .and_then(|data| data.modified())
                .expect("a time")
        };
        ["", "k", "a", "k/b", MANIFEST].map(time)
    };
    let before = times();
    let done = place.build(&list).expect("a build");
    assert_eq!(
        (done.counts.unchanged, done.counts.new, done.counts.changed),
        (2, 0, 0)
    );
    // The folders' times show that not even a temporary file came and went.
    assert_eq!(times(), before);
}

#[test]
fn a_changed_file_is_replaced_and_the_others_are_not_written() {
    let place = Place::with(&[("a", "a"), ("b", "b")]);
    place.age("b", 1000);
    let old = fs::metadata(place.out.join("b"))
        .and_then(|data| data.modified())
        .expect("a time");
    let list = files(&[("a", "longer"), ("b", "b")]);
    let found = survey(&place.out, "shop.bz", &list).expect("a survey");
    assert!(!found.is_clean());
    let [change] = found.changes.as_slice() else {
        unreachable!("one change")
    };
    assert_eq!(
        (change.fate, change.old.as_deref(), change.new.as_deref()),
        (Fate::Changed, Some(&b"a"[..]), Some(&b"longer"[..]))
    );
    apply(found).expect("a build");
    assert_eq!(place.holds(), pairs(&[("a", "longer"), ("b", "b")]));
    assert_eq!(
        fs::metadata(place.out.join("b"))
            .and_then(|data| data.modified())
            .expect("a time"),
        old
    );
    assert!(
        survey(&place.out, "shop.bz", &list)
            .expect("a survey")
            .is_clean()
    );
}

#[test]
fn hand_edited_and_foreign_files_are_all_named_and_nothing_is_written() {
    let place = Place::with(&[("a", "a"), ("b", "b"), ("gone", "g")]);
    place.put("a", "by hand");
    place.put("new/c", "mine");
    let error = place.refused(
        &[("a", "a2"), ("b", "b2"), ("new/c", "c")],
        WriteErrorKind::Refused,
    );
    assert!(error.message.starts_with("2 files in"), "{}", error.message);
    let lines = [
        "`a` was changed since bzc wrote it",
        "`new/c` was not written by bzc",
        super::ADVICE,
    ];
    assert_eq!(error.lines, lines);
}

#[test]
fn an_edit_that_moved_into_the_program_is_taken_over() {
    let place = Place::with(&[("a", "a")]);
    place.age(MANIFEST, 1000);
    place.put("a", "edit");
    place.refused(&[("a", "a")], WriteErrorKind::Refused);
    place
        .build(&[("a", "edit")])
        .expect("the same content is no conflict");
    assert!(place.manifest().contains(&hash(b"edit")));
    place
        .build(&[("a", "a2")])
        .expect("the file is bzc's own again");
    assert_eq!(place.holds(), pairs(&[("a", "a2")]));
}

#[test]
fn a_foreign_file_with_the_wanted_content_is_adopted() {
    let place = Place::new();
    place.put("a", "a");
    place.age("a", 1000);
    let list = files(&[("a", "a")]);
    assert!(
        survey(&place.out, "shop.bz", &list)
            .expect("a survey")
            .is_clean()
    );
    place.build(&[("a", "a")]).expect("a build");
    assert!(place.manifest().contains(&hash(b"a")));
    place.build(&[("a", "b")]).expect("a build");
    assert_eq!(place.holds(), pairs(&[("a", "b")]));
}

#[test]
fn stale_files_go_with_the_folders_they_leave_empty() {
    let place = Place::with(&[("a", "a"), ("k/l/m/b", "b"), ("k/n/c", "c"), ("x/d", "d")]);
    place.put("x/mine", "mine");
    fs::create_dir(place.out.join("empty")).expect("a folder of the user");
    let done = place.build(&[("a", "a"), ("k/n/c", "c")]).expect("a build");
    assert_eq!(done.counts.stale, 2);
    let left = [
        ("a", "a"),
        ("empty/", ""),
        ("k/", ""),
        ("k/n/", ""),
        ("k/n/c", "c"),
        ("x/", ""),
        ("x/mine", "mine"),
    ];
    assert_eq!(place.holds(), pairs(&left));
    place.build(&[]).expect("a build");
    assert_eq!(
        place.holds(),
        pairs(&[("empty/", ""), ("x/", ""), ("x/mine", "mine")])
    );
    assert!(place.out.is_dir());
}

#[test]
fn an_edited_stale_file_is_kept_and_forgotten() {
    let place = Place::with(&[("a", "a"), ("b", "b"), ("c", "c")]);
    place.put("b", "by hand");
    fs::remove_file(place.out.join("c")).expect("a file that was there");
    let done = place.build(&[("a", "a")]).expect("a build");
    assert_eq!((done.kept, done.counts.stale), (vec!["b".to_owned()], 0));
    assert_eq!(place.holds(), pairs(&[("a", "a"), ("b", "by hand")]));
    assert!(!place.manifest().contains("\"b\""));
    assert!(place.build(&[("a", "a")]).expect("a build").kept.is_empty());
}

#[test]
fn a_file_deleted_by_hand_comes_back() {
    let place = Place::with(&[("k/a", "a")]);
    fs::remove_dir_all(place.out.join("k")).expect("a folder that was there");
    place.build(&[("k/a", "a")]).expect("a build");
    assert_eq!(place.holds(), pairs(&[("k/", ""), ("k/a", "a")]));
}

#[cfg(unix)]
#[test]
fn links_below_the_folder_are_refused_and_the_folder_may_be_one() {
    use std::os::unix::fs::symlink;
    let list = [("k/a", "a")];
    let place = Place::with(&list);
    let real = place.home.path().join("real");
    fs::rename(place.out.join("k"), &real).expect("a rename");
    symlink(&real, place.out.join("k")).expect("a link");
    for wanted in [&list[..], &[("k/a", "new")], &[]] {
        let error = place.refused(wanted, WriteErrorKind::Usage);
        assert!(
            error.message.ends_with("out/k` is a symbolic link"),
            "{}",
            error.message
        );
    }
    fs::remove_file(place.out.join("k")).expect("a link");
    fs::create_dir(place.out.join("k")).expect("a folder");
    symlink(real.join("a"), place.out.join("k/a")).expect("a link");
    let error = place.refused(&list, WriteErrorKind::Usage);
    assert!(
        error.message.ends_with("out/k/a` is a symbolic link"),
        "{}",
        error.message
    );
    fs::remove_file(place.out.join("k/a")).expect("a link");
    fs::rename(place.out.join(MANIFEST), real.join(MANIFEST)).expect("a rename");
    symlink(real.join(MANIFEST), place.out.join(MANIFEST)).expect("a link");
    place.refused(&list, WriteErrorKind::Usage);

    let place = Place::with(&list);
    let real = place.home.path().join("real");
    fs::rename(&place.out, &real).expect("a rename");
    symlink(&real, &place.out).expect("a link");
    place.build(&[("b", "b")]).expect("a build through a link");
    assert_eq!(
        (real.join("b").is_file(), real.join("k").exists()),
        (true, false)
    );
    assert!(
        fs::symlink_metadata(&place.out)
            .expect("metadata")
            .is_symlink()
    );
}

#[test]
fn what_is_in_the_way_is_named() {
    let place = Place::new();
    fs::write(&place.out, "a file").expect("a file");
    let error = place.refused(&[("a", "a")], WriteErrorKind::Usage);
    assert!(
        error.message.ends_with("out` is not a folder"),
        "{}",
        error.message
    );

    let place = Place::with(&[("a", "a")]);
    place.put("t/inside", "mine");
    place.put("f", "mine");
    let error = place.refused(&[("a", "a2"), ("t", "t")], WriteErrorKind::Usage);
    assert!(
        error.message.ends_with("out/t` is in the way of a file"),
        "{}",
        error.message
    );
    let error = place.refused(&[("a", "a2"), ("f/b", "b")], WriteErrorKind::Usage);
    assert!(
        error.message.ends_with("out/f` is in the way of a folder"),
        "{}",
        error.message
    );
}

#[test]
fn a_manifest_that_cannot_be_trusted_stops_the_build() {
    let place = Place::with(&[("a", "a")]);
    let good = place.manifest();
    let damaged = [
        "",
        "{",
        "[]",
        "{\"bzc\": 1}",
        "{\"bzc\": \"1\", \"source\": \"shop.bz\", \"files\": {}}",
        "{\"bzc\": 1, \"source\": \"shop.bz\", \"files\": {\"a\": 5}}",
        "{\"bzc\": 1, \"source\": \"shop.bz\", \"files\": {\"a\": [\"00\", 5]}}",
        &good.replace("\n  \"files\"", "\n<<<<<<< HEAD\n  \"files\""),
    ];
    for text in damaged {
        place.put(MANIFEST, text);
        let error = place.refused(&[("a", "b")], WriteErrorKind::Usage);
        assert!(
            error.message.ends_with("is damaged"),
            "{text}: {}",
            error.message
        );
    }
    place.put(MANIFEST, &good.replace("\"bzc\": 1", "\"bzc\": 2"));
    let error = place.refused(&[("a", "b")], WriteErrorKind::Usage);
    assert!(
        error.message.ends_with("was written by a newer bzc"),
        "{}",
        error.message
    );
    place.put(MANIFEST, &good.replace("shop.bz", "blog.bz"));
    let error = place.refused(&[("a", "b")], WriteErrorKind::Usage);
    assert!(
        error
            .message
            .ends_with("belongs to `blog.bz`, not to `shop.bz`"),
        "{}",
        error.message
    );
}

#[test]
fn a_manifest_cannot_reach_outside_the_folder() {
    let place = Place::with(&[("a", "a")]);
    fs::write(place.home.path().join("x"), "mine").expect("a file");
    let absolute = place.home.path().join("x");
    let absolute = absolute.to_str().expect("a plain path");
    for path in [
        "../x",
        "k/../../x",
        absolute,
        "",
        "k//x",
        "./x",
        MANIFEST,
        ".bzc-tmp-x",
        "k\\\\x",
        "x\\u0000",
    ] {
        place.write_manifest(&format!("\"{path}\": \"{}\"", hash(b"mine")));
        let error = place.refused(&[("a", "a")], WriteErrorKind::Usage);
        assert!(
            error.message.ends_with("is damaged"),
            "{path}: {}",
            error.message
        );
    }
}

#[test]
fn artifacts_that_fit_no_folder_are_an_error() {
    let place = Place::with(&[("a", "a")]);
    for path in ["../x", "/x", "", "k//x", MANIFEST] {
        place.refused(&[(path, "x")], WriteErrorKind::Usage);
    }
    place.refused(&[("b", "1"), ("b", "2")], WriteErrorKind::Usage);
    place.refused(&[("b", "1"), ("a", "2")], WriteErrorKind::Usage);
    let error = place.refused(
        &[("n", "1"), ("n-m", "2"), ("n/m", "3")],
        WriteErrorKind::Usage,
    );
    assert_eq!(error.message, "the artifact `n/m` needs `n` to be a folder");
}

/// Every state a killed run can leave: the manifest with both hashes, and each file old or new.
#[test]
fn a_run_after_a_killed_one_knows_both_states() {
    let both = |old: &str, new: &str| {
        format!(
            "[\"{}\", \"{}\"]",
            hash(old.as_bytes()),
            hash(new.as_bytes())
        )
    };
    for done in 0..16 {
        // A different program each time: the old one again, the one that was killed, and a third.
        let wanted = ["a", "a2", "a3"][done % 3];
        let place = Place::with(&[("a", "a"), ("b", "b"), ("stale/s", "s")]);
        let (new, s) = (hash(b"n"), hash(b"s"));
        let (a, b) = (both("a", "a2"), both("b", "b2"));
        place.write_manifest(&format!(
            "\"a\": {a}, \"b\": {b}, \"n/n\": [\"{new}\"], \"stale/s\": [\"{s}\"]"
        ));
        for (bit, path, text) in [(1, "a", "a2"), (2, "b", "b2"), (4, "n/n", "n")] {
            if done & bit != 0 {
                place.put(path, text);
            }
        }
        if done & 8 != 0 {
            fs::remove_file(place.out.join("stale/s")).expect("a file");
        }
        place.put(".bzc-tmp-killed", "hal");
        place.put("stale/.bzc-tmp-KILLED", "hal");
        place
            .build(&[("a", wanted), ("c", "c")])
            .expect("a build after a killed one");
        assert_eq!(
            place.holds(),
            pairs(&[("a", wanted), ("c", "c")]),
            "{done:04b}"
        );
        assert!(!place.manifest().contains('['));
    }
}

#[test]
fn an_unfinished_manifest_is_finished_even_when_no_file_differs() {
    let place = Place::with(&[("a", "a")]);
    let good = place.manifest();
    place.write_manifest(&format!(
        "\"a\": [\"{}\", \"{}\"]",
        hash(b"old"),
        hash(b"a")
    ));
    place.build(&[("a", "a")]).expect("a build");
    assert_eq!(place.manifest(), good);
}

/// Stands for a full disk or a refused permission, which a test cannot have everywhere (root may write everything):
/// the system says no to one file of many after the survey, because a folder it needs became a file.
#[test]
fn a_failed_write_leaves_every_file_whole_and_known() {
    let place = Place::with(&[("a", "a"), ("b", "b")]);
    let list = files(&[("a", "a2"), ("b", "b2"), ("k/c", "c")]);
    let found = survey(&place.out, "shop.bz", &list).expect("a survey");
    place.put("k", "a file now");
    let error = apply(found).expect_err("a folder that cannot be created");
    assert_eq!(error.kind, WriteErrorKind::Io);
    assert!(
        error.message.starts_with("cannot create `"),
        "{}",
        error.message
    );
    // Nothing was renamed, and no temporary file is left.
    assert_eq!(
        place.holds(),
        pairs(&[("a", "a"), ("b", "b"), ("k", "a file now")])
    );
    assert!(
        place
            .manifest()
            .contains(&format!("[\"{}\",\"{}\"]", hash(b"a"), hash(b"a2")))
    );
    fs::remove_file(place.out.join("k")).expect("a file");
    place.build(&[("a", "a3"), ("b", "b2")]).expect("a build");
    assert_eq!(place.holds(), pairs(&[("a", "a3"), ("b", "b2")]));
}

#[test]
fn a_folder_that_cannot_be_created_is_an_error_with_its_path() {
    let place = Place::new();
    let file = place.home.path().join("file");
    fs::write(&file, "a file").expect("a file");
    let out = file.join("out");
    let list = files(&[("a", "a")]);
    let error = survey(&out, "shop.bz", &list)
        .and_then(apply)
        .expect_err("a file is no folder");
    assert_eq!(error.kind, WriteErrorKind::Io);
    assert!(
        error.message.contains(out.to_str().expect("a plain path")),
        "{}",
        error.message
    );
}

#[test]
fn what_changes_between_survey_and_apply_is_not_lost() {
    let place = Place::with(&[("a", "a"), ("b", "b"), ("s", "s")]);
    let list = files(&[("a", "a2"), ("b", "b2"), ("n", "n")]);
    for (path, text) in [
        ("b", "saved just now"),
        ("n", "mine"),
        ("s", "saved just now"),
    ] {
        let before = fs::read_to_string(place.out.join(path)).ok();
        let found = survey(&place.out, "shop.bz", &list).expect("a survey");
        place.put(path, text);
        let error = apply(found).expect_err("a file that changed");
        assert_eq!(error.kind, WriteErrorKind::Refused);
        assert_eq!(
            fs::read_to_string(place.out.join(path)).expect("a file"),
            text
        );
        match before {
            Some(before) => place.put(path, &before),
            None => fs::remove_file(place.out.join(path)).expect("a file"),
        }
    }
    // What was renamed before the refusal is known, so this needs no help.
    place
        .build(&[("a", "a3"), ("b", "b3"), ("s", "s2")])
        .expect("a build");
    assert_eq!(
        place.holds(),
        pairs(&[("a", "a3"), ("b", "b3"), ("s", "s2")])
    );
}

#[test]
fn the_empty_path_is_the_current_folder() {
    let list = files(&[("no-such-folder/a", "a")]);
    let found = survey(Path::new(""), "shop.bz", &list).expect("a survey");
    assert_eq!((found.out, found.counts().new), (Path::new("."), 1));
}

fn changed<'a>(path: &'a Path, was: &'a [u8], content: &'a [u8]) -> Written<'a> {
    let was = Was::Content(was);
    Written { path, was, content }
}

fn made<'a>(path: &'a Path, content: &'a [u8]) -> Written<'a> {
    let was = Was::Nothing;
    Written { path, was, content }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// The mode and the owner of a file.
#[cfg(unix)]
fn kept(path: &Path) -> (u32, u32, u32) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let metadata = fs::metadata(path).expect("metadata");
    let mode = metadata.permissions().mode() & 0o7777;
    (mode, metadata.uid(), metadata.gid())
}

#[cfg(unix)]
#[test]
fn files_of_the_user_are_replaced_all_or_none_with_their_modes_and_through_links() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    place.put("a.yaml", "a");
    place.put("real.yaml", "b");
    let (a, real, link) = (
        place.out.join("a.yaml"),
        place.out.join("real.yaml"),
        place.out.join("link.yaml"),
    );
    symlink("real.yaml", &link).expect("a link");
    set_mode(&real, 0o444);
    let before = place.state();
    let files = [changed(&a, b"a", b"new a"), changed(&link, b"b", b"new b")];
    let refused = write_all(&files).expect_err("one is read-only");
    assert_eq!(refused.kind, WriteErrorKind::Refused);
    assert!(refused.message.contains("read-only"), "{refused:?}");
    assert_eq!(
        place.state(),
        before,
        "nothing is written, and nothing left beside"
    );
    set_mode(&real, 0o640);
    let before = kept(&real);
    write_all(&files).expect("both may be written");
    assert!(link.is_symlink(), "the link is still one");
    assert_eq!(fs::read_to_string(&real).expect("the file"), "new b");
    assert_eq!(kept(&real), before);
    let stale = [changed(&a, b"a", b"newer")];
    let refused = write_all(&stale).expect_err("somebody else changed it");
    assert_eq!(refused.kind, WriteErrorKind::Refused);
    assert_eq!(fs::read_to_string(&a).expect("the file"), "new a");
}

#[cfg(unix)]
#[test]
fn an_owner_is_kept_where_that_is_allowed() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let place = Place::new();
    place.put("a", "a");
    let a = place.out.join("a");
    if fs::metadata(&a).expect("metadata").uid() != 0 {
        return; // Only root may give a file away.
    }
    chown(&a, Some(1234), Some(4321)).expect("root may");
    set_mode(&a, 0o2600);
    write_all(&[changed(&a, b"a", b"b")]).expect("a write");
    assert_eq!(kept(&a), (0o2600, 1234, 4321));
}

#[cfg(unix)]
#[test]
fn an_output_keeps_the_mode_that_somebody_gave_it_and_stays_where_it_is_read_only() {
    let place = Place::with(&[("a", "a"), ("b", "b")]);
    let a = place.out.join("a");
    set_mode(&a, 0o600);
    place.build(&[("a", "a2"), ("b", "b")]).expect("a build");
    assert_eq!(kept(&a).0, 0o600);
    set_mode(&a, 0o400);
    let refused = place.refused(&[("a", "a3"), ("b", "b3")], WriteErrorKind::Refused);
    assert!(refused.message.contains("read-only"), "{refused:?}");
    place.refused(&[("b", "b")], WriteErrorKind::Refused);
}

#[test]
fn new_files_come_all_or_none_and_over_nothing() {
    let place = Place::new();
    place.put("there", "mine");
    let (one, two, there) = (
        place.out.join("one"),
        place.out.join("deep/two"),
        place.out.join("there"),
    );
    let refused = write_all(&[made(&one, b"1"), made(&there, b"2")]).expect_err("one is there");
    assert_eq!(refused.kind, WriteErrorKind::Usage);
    assert_eq!(place.holds(), pairs(&[("there", "mine")]));
    write_all(&[made(&one, b"1"), made(&two, b"2")]).expect("both are new");
    assert_eq!(fs::read_to_string(two).expect("the file"), "2");
}

#[cfg(unix)]
#[test]
fn a_new_file_does_not_take_the_place_of_a_link_that_leads_nowhere() {
    let place = Place::new();
    fs::create_dir_all(&place.out).expect("a folder");
    let link = place.out.join("link");
    std::os::unix::fs::symlink("nowhere", &link).expect("a link");
    write_all(&[made(&link, b"1")]).expect_err("the name is taken");
    assert!(link.is_symlink() && !link.exists());
}

#[test]
fn what_killed_runs_left_goes_and_what_only_looks_like_it_stays() {
    let place = Place::new();
    for name in [".bzc-tmp-a1B2c3", ".bzc-tmp-notes", ".bzc-tmp-", "a"] {
        place.put(name, "x");
    }
    write_all(&[changed(&place.out.join("a"), b"x", b"y")]).expect("a write");
    let left = [(".bzc-tmp-", "x"), (".bzc-tmp-notes", "x"), ("a", "y")];
    assert_eq!(place.holds(), pairs(&left));
}

#[test]
fn a_report_replaces_reports_alone() {
    let place = Place::new();
    let path = place.out.join("report");
    let finding = "{\"severity\": \"error\", \"message\": \"m\"}\n";
    let sarif = "{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"bzc\"}}}]}";
    for earlier in [
        "",
        finding,
        sarif,
        "::error file=a::x\n",
        "::warning file=a::x",
    ] {
        place.put("report", earlier);
        write_report(&path, "new").expect("a report is replaced");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "new");
    }
    for other in [
        "edition = 1\n",
        "{}",
        "{\"severity\": 1}",
        "{\"runs\": []}",
        "\n",
    ] {
        place.put("report", other);
        let refused = write_report(&path, "new").expect_err("it is no report");
        assert_eq!(refused.kind, WriteErrorKind::Usage);
        assert_eq!(fs::read_to_string(&path).expect("the file"), other);
    }
    write_report(&place.out, "new").expect_err("a folder");
    write_report(&place.out.join("new"), "new").expect("a new file");
}

#[cfg(unix)]
#[test]
fn a_report_goes_into_a_device_as_it_is() {
    write_report(Path::new("/dev/null"), "new").expect("it takes anything");
    write_report(Path::new("/dev/full"), "new").expect_err("it takes nothing");
}
