//! The standard library: files of bz, tables and templates that travel inside the binary. A file is parsed
//! only when a program needs it, and lies in the source map like any other, so that a message can point into it.

/// The edition every source names. An edition fixes what sources mean and what numbers the library gives.
pub(crate) const EDITION: u64 = 1;

/// What `use std.NAME` can name.
pub(crate) const MODULES: [&str; 2] = ["profiles", "tiers"];

/// The module with what K3s itself takes and packages. Every program with a node needs it.
pub(crate) const K3S: &str = "k3s";

/// Every file of bz in the library by its path below `std/`, with its text.
pub(crate) fn modules() -> impl Iterator<Item = (String, &'static str)> {
    let runtimes = RUNTIMES
        .iter()
        .map(|(name, text)| (format!("runtimes/{name}"), *text));
    let others = [
        (K3S, include_str!("../stdlib/v1/k3s.bz")),
        ("profiles", PROFILES),
        ("tiers", TIERS),
    ];
    let kinds = KINDS
        .iter()
        .map(|(group, text)| (format!("kinds/{group}"), *text));
    let charts = CHARTS
        .iter()
        .map(|(name, text)| (format!("charts/{name}"), *text));
    others
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text))
        .chain(runtimes)
        .chain(kinds)
        .chain(charts)
}

const TIERS: &str = include_str!("../stdlib/v1/tiers.bz");
const PROFILES: &str = include_str!("../stdlib/v1/profiles.bz");

macro_rules! runtimes {
    ($($name:literal)*) => {
        /// The library's runtimes, sorted by name, each with its text.
        pub(crate) const RUNTIMES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../stdlib/v1/runtimes/", $name, ".bz"))),)*];
    };
}

runtimes! {
    "django" "express" "fastapi" "fastify" "flask" "generic" "go" "java" "nextjs" "node" "python" "rust" "starlette" "static"
}

macro_rules! kinds {
    ($($group:literal)*) => {
        /// The groups of which the library knows kinds that make pods, sorted, each with its text.
        pub(crate) const KINDS: &[(&str, &str)] =
            &[$(($group, include_str!(concat!("../stdlib/v1/kinds/", $group, ".bz"))),)*];
    };
}

kinds! {
    "acid.zalan.do" "argoproj.io" "databases.spotahome.com" "dragonflydb.io" "elasticsearch.k8s.elastic.co"
    "k8s.mariadb.com" "kafka.strimzi.io" "keda.sh" "monitoring.coreos.com" "postgres-operator.crunchydata.com"
    "postgresql.cnpg.io" "serving.knative.dev"
}

macro_rules! charts {
    ($($name:literal)*) => {
        /// The charts of which the library knows what they make of values, sorted, each with its text.
        pub(crate) const CHARTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../stdlib/v1/charts/", $name, ".bz"))),)*];
    };
}

charts! {
    "app-template"
}

macro_rules! templates {
    ($($name:literal)*) => {
        /// The library's templates and ignore lists, by name.
        pub(crate) const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../stdlib/v1/runtimes/", $name))),)*];
    };
}

templates! {
    "common.dockerignore" "compiled.dockerignore" "django.dockerfile" "fastapi.dockerfile" "flask.dockerfile" "generic.dockerfile"
    "go.dockerfile" "head.dockerfile" "java.dockerfile" "kept.dockerignore" "label.dockerfile" "nextjs.dockerfile"
    "node-install.dockerfile" "node-tool.dockerfile" "node.dockerfile" "node.dockerignore" "other.dockerignore" "packages.dockerfile"
    "pdm.txt"
    "plain-python.dockerfile" "poetry.txt" "python.dockerfile" "python.dockerignore" "rust.dockerfile" "starlette.dockerfile"
    "static.dockerfile"
}

/// A template or ignore list of the library.
pub(crate) fn template(name: &str) -> Option<&'static str> {
    TEMPLATES
        .iter()
        .find(|(template, _)| *template == name)
        .map(|(_, text)| *text)
}

/// A row of the table of K3s's own configuration keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// The key as config.yaml spells it.
    pub key: &'static str,
    /// `bool`, `int`, `string`, `list` or `duration`.
    pub kind: &'static str,
    /// `server`, `agent` or `both`.
    pub scope: &'static str,
    /// `ok`, `hidden`, `experimental`, `deprecated` or `removed`.
    pub status: &'static str,
    /// The Kubernetes minor it came with, where that is after 1.30.
    pub since: Option<u32>,
    /// What K3s takes when it is left out.
    pub default: Option<&'static str>,
    /// The closed set of its values.
    pub values: Option<&'static str>,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// A row of the table of arguments of the components that K3s runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Argument {
    /// `kubelet`, `kube-apiserver`, ..
    pub component: &'static str,
    /// Without leading dashes.
    pub name: &'static str,
    /// What it does for memory: `saves`, `peak`, `none`, `costs`, `accounting`, `unmeasured`.
    pub memory: Option<&'static str>,
    /// `ok`, `deprecated` or `removed`.
    pub status: &'static str,
    /// What the component takes when it is left out.
    pub default: Option<&'static str>,
    /// What it really does.
    pub note: Option<&'static str>,
}

/// A row of the table of what makes a component refuse its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArgumentRule {
    /// `kubelet`, `kube-apiserver`, ..
    pub component: &'static str,
    /// The argument that it is about.
    pub name: &'static str,
    /// `int`, `duration`, `one-of`, `bool`, `below`, `at-most`, `sum-above-0`, `needs` or `not-with`.
    pub kind: &'static str,
    /// The other argument that the last five are about.
    pub other: Option<&'static str>,
    /// The range, the values, or the defaults of the two arguments.
    pub what: &'static str,
    /// The argument without which nobody looks.
    pub only_with: Option<&'static str>,
    /// Where it was read.
    pub source: &'static str,
}

/// A row of the table of libraries that take memory when they are imported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heavy {
    /// `python` or `node`.
    pub language: &'static str,
    /// As lock files call it.
    pub library: &'static str,
    /// What it adds to the floor and to the calm limit, in Mi. `None` if nobody has measured it.
    pub adds: Option<(u64, u64)>,
    /// Libraries that it imports itself, so that they are not counted twice.
    pub brings: &'static str,
    /// What was measured.
    pub measured: Option<&'static str>,
}

/// A release of K3s, in the order in which they came: `v1.33.7+k3s3` is `{ 33, 7, 3 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Release {
    /// The minor of Kubernetes.
    pub minor: u32,
    /// Its patch.
    pub patch: u32,
    /// K3s's own count of its releases of this patch; 1 where it is left out.
    pub build: u32,
}

impl Release {
    /// Reads `v1.33.3+k3s1`, also `v1.33.3-rc1+k3s1`, and without the `v` or what follows the patch.
    pub(crate) fn parse(text: &str) -> Option<Release> {
        let rest = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.")?;
        let (minor, rest) = rest.split_once('.')?;
        let (patch, suffix) = rest.split_at(rest.find(['-', '+']).unwrap_or(rest.len()));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let build = suffix
            .split_once("+k3s")
            .and_then(|(_, build)| number(build));
        suffix.bytes().all(plain).then_some(Release {
            minor: number(minor)?,
            patch: number(patch)?,
            build: build.unwrap_or(1),
        })
    }
}

/// The CoreDNS that K3s packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CorednsOf {
    /// The tag of `rancher/mirrored-coredns-coredns`.
    pub tag: &'static str,
    /// Whether the table has this very release. Otherwise the tag is that of the newest release before it.
    pub known: bool,
}

/// What a release packages; without a release, what the newest known one of the minor does. `None` only if the table
/// is empty.
pub(crate) fn coredns(minor: u32, release: Option<Release>) -> Option<CorednsOf> {
    let mut found = None;
    for row in rows(COREDNS) {
        let mut cells = row.split('\t');
        let (first, last) = (cells.next()?, cells.next()?);
        let (first, last) = (Release::parse(first)?, Release::parse(last)?);
        let begun = release.map_or(first.minor <= minor, |release| first <= release);
        if begun || found.is_none() {
            found = Some(CorednsOf {
                tag: cells.next()?,
                known: release.is_some_and(|release| (first..=last).contains(&release)),
            });
        }
    }
    found
}

const COREDNS: &str = include_str!("../stdlib/v1/coredns.tsv");
const SETTINGS: &str = include_str!("../stdlib/v1/memory-settings.tsv");
const HEAVY: &str = include_str!("../stdlib/v1/heavy.tsv");
const IMAGES: &str = include_str!("../stdlib/v1/images.tsv");
const RUNTIME_TIERS: &str = include_str!("../stdlib/v1/runtime-tiers.tsv");
const NATIVE: &str = include_str!("../stdlib/v1/native.tsv");
const WHEELS: &str = include_str!("../stdlib/v1/wheels.tsv");
const VERSIONS: &str = include_str!("../stdlib/v1/versions.tsv");
const FLAGS: &str = include_str!("../stdlib/v1/k3s-flags.tsv");
const RULES: &str = include_str!("../stdlib/v1/k3s-arg-rules.tsv");
const ARGUMENTS: &str = include_str!("../stdlib/v1/k3s-args.tsv");

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// `-` stands for an empty cell.
fn cell(text: &'static str) -> Option<&'static str> {
    (text != "-" && !text.is_empty()).then_some(text)
}

/// All keys of K3s's config.yaml.
pub(crate) fn flags() -> impl Iterator<Item = Flag> {
    rows(FLAGS).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Flag {
            key: cells.next()?,
            kind: cells.next()?,
            scope: cells.next()?,
            status: cells.next()?,
            since: cell(cells.next()?).and_then(|since| since.strip_prefix("1.")?.parse().ok()),
            default: cell(cells.next()?),
            values: cell(cells.next()?),
            meaning: cells.next()?,
        })
    })
}

/// The row of one key. The table is small: reading it through costs some microseconds.
pub(crate) fn flag(key: &str) -> Option<Flag> {
    flags().find(|flag| flag.key == key)
}

/// All known arguments of all components.
pub(crate) fn arguments() -> impl Iterator<Item = Argument> {
    rows(ARGUMENTS).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Argument {
            component: cells.next()?,
            name: cells.next()?,
            memory: cell(cells.next()?),
            status: cells.next()?,
            default: cell(cells.next()?),
            note: cell(cells.next()?),
        })
    })
}

/// The row of one argument.
pub(crate) fn argument(component: &str, name: &str) -> Option<Argument> {
    arguments().find(|row| row.component == component && row.name == name)
}

/// All that makes components refuse their arguments.
pub(crate) fn argument_rules() -> impl Iterator<Item = ArgumentRule> {
    rows(RULES).filter_map(|row| {
        let mut cells = row.split('\t');
        let (component, name, rule) = (cells.next()?, cells.next()?, cells.next()?);
        let (rule, only_with) = match rule.split_once(" if ") {
            Some((rule, other)) => (rule, Some(other)),
            None => (rule, None),
        };
        let (kind, what) = rule.split_once(' ').unwrap_or((rule, ""));
        let (other, what) = match kind {
            "int" | "duration" | "one-of" | "bool" => (None, what),
            _ => {
                let (other, what) = what.split_once(' ').unwrap_or((what, ""));
                (Some(other), what)
            }
        };
        Some(ArgumentRule {
            component,
            name,
            kind,
            other,
            what,
            only_with,
            source: cells.next()?,
        })
    })
}

/// What a library with native code needs beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Native {
    /// The language it is for.
    pub language: &'static str,
    /// Its name, in lower case.
    pub library: &'static str,
    /// Packages of Debian that building needs, and `cgo`.
    build: &'static str,
    /// Packages of Debian that running needs.
    run: &'static str,
}

impl Native {
    /// The packages of Debian that building needs.
    pub(crate) fn build(&self) -> impl Iterator<Item = &'static str> {
        self.build
            .split(',')
            .filter(|name| !["-", "cgo"].contains(name))
    }

    /// The packages of Debian that running needs.
    pub(crate) fn run(&self) -> impl Iterator<Item = &'static str> {
        self.run.split(',').filter(|name| *name != "-")
    }

    /// Whether it is nothing without cgo.
    pub(crate) fn is_cgo(&self) -> bool {
        self.build.split(',').any(|name| name == "cgo")
    }
}

/// All libraries with native code that are known.
pub(crate) fn native() -> impl Iterator<Item = Native> {
    rows(NATIVE).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Native {
            language: cells.next()?,
            library: cells.next()?,
            build: cells.next()?,
            run: cells.next()?,
        })
    })
}

/// The first version of a library that comes built for a version of Python, for those of which earlier ones do not build
/// with it: the minor version of Python, and the version.
pub(crate) fn first_wheels(library: &str) -> impl Iterator<Item = (u64, &'static str)> {
    const MINORS: [u64; 4] = [11, 12, 13, 14];
    let mut all = rows(WHEELS).map(|row| row.split('\t'));
    let row =
        all.find_map(|mut cells| (cells.next()? == library).then(|| cells.collect::<Vec<&str>>()));
    MINORS.into_iter().zip(row.into_iter().flatten())
}

/// The day on which the table of versions was read.
pub(crate) const VERSIONS_READ: &str = "2026-11-30";

/// A version of a language that official images are there for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    /// As tags have it.
    pub version: &'static str,
    /// The day after which it gets no more fixes, if one is set.
    pub ended: Option<&'static str>,
}

/// The known versions of a language, from the oldest.
pub(crate) fn versions(language: &str) -> impl Iterator<Item = Version> {
    rows(VERSIONS).filter_map(move |row| {
        let mut cells = row.split('\t');
        (cells.next()? == language).then_some(())?;
        Some(Version {
            version: cells.next()?,
            ended: cell(cells.next()?),
        })
    })
}

/// All libraries that are known to take memory.
pub(crate) fn heavy() -> impl Iterator<Item = Heavy> {
    rows(HEAVY).filter_map(|row| {
        let mut cells = row.split('\t');
        let (language, library) = (cells.next()?, cells.next()?);
        let (floor, calm) = (cells.next()?.parse().ok(), cells.next()?.parse().ok());
        let (brings, measured) = (cells.next()?, cell(cells.next()?));
        Some(Heavy {
            language,
            library,
            adds: floor.zip(calm),
            brings,
            measured,
        })
    })
}

/// A setting by which a program is allowed to take so much memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemorySetting {
    /// What stands before its number.
    pub name: &'static str,
    /// The unit of a number without one, in bytes.
    pub unit: u64,
    /// What it bounds.
    pub what: &'static str,
}

/// All settings of memory that are known.
pub(crate) fn memory_settings() -> impl Iterator<Item = MemorySetting> {
    rows(SETTINGS).filter_map(|row| {
        let mut cells = row.split('\t');
        Some(MemorySetting {
            name: cells.next()?,
            unit: cells.next()?.parse().ok()?,
            what: cells.next()?,
        })
    })
}

/// A row of the table of images that many people run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Image {
    /// Its name, without registry and tag.
    pub name: &'static str,
    /// The port that it listens on.
    pub port: u16,
    /// The tier of `std.tiers` that holds it, where it was measured.
    pub tier: Option<&'static str>,
}

/// All images that the library knows.
pub(crate) fn images() -> impl Iterator<Item = Image> {
    rows(IMAGES).filter_map(|row| {
        let mut cells = row.split('\t');
        let (name, port) = (cells.next()?, cells.next()?.parse().ok()?);
        let tier = cell(cells.next()?);
        Some(Image { name, port, tier })
    })
}

/// Runtimes, each with the tier of `std.tiers` that holds a plain service of it.
pub(crate) fn runtime_tiers() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(RUNTIME_TIERS).filter_map(|row| row.split_once('\t'))
}

/// The tiers of `std.tiers` with the most that each may have, in Mi, the smallest first.
pub(crate) fn tiers() -> impl Iterator<Item = (&'static str, u64)> {
    TIERS.split("\ntier ").skip(1).filter_map(|text| {
        let (name, body) = text.split_once(' ')?;
        let most = body.split("..").nth(1)?.split("Mi").next()?.parse().ok()?;
        Some((name, most))
    })
}

/// The profiles of `std.profiles`.
pub(crate) fn profiles() -> impl Iterator<Item = &'static str> {
    let declared = PROFILES.split("\nprofile ").skip(1);
    declared.filter_map(|text| text.split(' ').next())
}

#[cfg(test)]
mod tests {
    use super::{COREDNS, RUNTIMES, Release, TEMPLATES, coredns, heavy, rows, tiers};

    #[test]
    fn tables_can_be_read() {
        assert_eq!(heavy().count(), rows(super::HEAVY).count());
        assert_eq!(
            super::memory_settings().count(),
            rows(super::SETTINGS).count()
        );
        assert_eq!(super::images().count(), rows(super::IMAGES).count());
        assert_eq!(super::argument_rules().count(), rows(super::RULES).count());
        for rule in super::argument_rules() {
            for name in [Some(rule.name), rule.other, rule.only_with]
                .into_iter()
                .flatten()
            {
                let row = super::argument(rule.component, name);
                assert!(row.is_some(), "{} {name}", rule.component);
            }
            let arguments = ["below", "at-most", "sum-above-0", "needs", "not-with"];
            let kinds = ["int", "duration", "one-of", "bool"];
            assert!(kinds.contains(&rule.kind) || arguments.contains(&rule.kind));
        }
        let found: Vec<_> = tiers().collect();
        assert_eq!(
            found,
            [
                ("nano", 24),
                ("micro", 48),
                ("small", 64),
                ("medium", 128),
                ("large", 256)
            ]
        );
        assert!(RUNTIMES.is_sorted() && TEMPLATES.is_sorted() && super::KINDS.is_sorted());
    }

    #[test]
    fn releases_have_an_order() {
        let read = |text| Release::parse(text).map(|r| (r.minor, r.patch, r.build));
        assert_eq!(read("v1.33.7+k3s3"), Some((33, 7, 3)));
        assert_eq!(read("1.33.7"), Some((33, 7, 1)));
        assert_eq!(read("v1.33.7-rc1+k3s1"), Some((33, 7, 1)));
        for text in ["1.33", "v1.33.x", "v1.33.+k3s1", "2.1.0", "v1.33.1+k3s1 "] {
            assert_eq!(Release::parse(text), None, "{text}");
        }
        let ends: Vec<Release> = rows(COREDNS)
            .flat_map(|row| row.split('\t').take(2).filter_map(Release::parse))
            .collect();
        assert!(ends.is_sorted() && ends.len() == 2 * rows(COREDNS).count());
    }

    #[test]
    fn coredns_is_that_of_the_release() {
        let of = |text: &str| {
            let release = Release::parse(text)?;
            coredns(release.minor, Some(release)).map(|found| (found.tag, found.known))
        };
        assert_eq!(of("v1.33.7+k3s1"), Some(("1.13.1", true)));
        assert_eq!(of("v1.33.7+k3s3"), Some(("1.14.0", true)));
        assert_eq!(of("v1.33.11+k3s1"), Some(("1.14.2", false)), "in a gap");
        assert_eq!(of("v1.36.3+k3s1"), Some(("1.14.6", true)));
        assert_eq!(of("v1.36.9+k3s1"), Some(("1.14.6", false)), "newer");
        assert_eq!(of("v1.29.9+k3s1"), Some(("1.10.1", false)), "older");
        let without = coredns(34, None).map(|found| (found.tag, found.known));
        assert_eq!(without, Some(("1.14.4", false)));
    }
}
