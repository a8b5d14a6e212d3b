//! The evidence file: readings of memory that was in use, from JSON to intervals and back. A reading never proves more
//! than it can: one moment's use is a lower bound of what is needed, a high-water mark below the limit an upper bound for
//! the load at that time, a kill a lower bound above the limit. The rules are those of `spec/15-evidence.md`, and
//! `spec/evidence.schema.json` says the same for other readers.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The format that is written and read.
const FORMAT: u64 = 1;

/// What a reading is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// What kind of thing it is.
    pub of: Of,
    /// Its name: of a service or component as the program calls it, of a node as the cluster does.
    pub name: String,
    /// The container of it, or what of the node: `k3s` is the cgroup of the K3s service.
    pub part: String,
}

/// What kind of thing a reading is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// A container of a service.
    Service,
    /// A container of what K3s packages.
    Component,
    /// A part of a node outside of pods.
    Node,
}

impl Of {
    const fn word(self) -> &'static str {
        match self {
            Of::Service => "service",
            Of::Component => "component",
            Of::Node => "node",
        }
    }
}

/// How a reading was made, which says what it can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Limits were tried until the least was found at which it answers and does not thrash: an upper bound.
    Bisect,
    /// The kernel's high-water mark stayed below the limit: an upper bound.
    Peak,
    /// What was in use at one moment: a lower bound.
    Sample,
    /// It was killed at a limit: a lower bound above it.
    Oom,
}

impl How {
    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            How::Bisect => "the least limit at which it answered",
            How::Peak => "the most that was ever in use",
            How::Sample => "in use at a moment",
            How::Oom => "killed at its limit",
        }
    }

    /// Lower and upper bound and limit of a reading of so many bytes that claims all it may.
    #[cfg(test)]
    pub(crate) const fn bounds(self, bytes: u64) -> (Option<u64>, Option<u64>, Option<u64>) {
        match self {
            How::Bisect => (None, Some(bytes), None),
            How::Peak => (None, Some(bytes), Some(bytes + 1)),
            How::Sample => (Some(bytes), None, None),
            How::Oom => (Some(bytes + 1), None, Some(bytes)),
        }
    }
}

/// Where readings come from: those that agree in it are one, and are merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// How they were made.
    pub how: How,
    /// The image that ran, as the pod named it.
    pub image: Option<String>,
    /// Its digest, `sha256:..`.
    pub digest: Option<String>,
    /// What it was read on: the version of K3s, or of the kernel.
    pub version: Option<String>,
}

/// What readings of one origin come to. All amounts are bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// At least this much is needed.
    pub lower: Option<u64>,
    /// No more than this is needed, for the load that was there.
    pub upper: Option<u64>,
    /// The highest limit that was in force.
    pub limit: Option<u64>,
    /// The longest that was looked at without a break, in seconds.
    pub seconds: u64,
    /// The time of the first, `2026-11-30T12:00:00Z`.
    pub first: String,
    /// The time of the last.
    pub last: String,
}

impl Reading {
    /// Takes in another of the same origin: the highest lower and the highest upper bound, over all of the time.
    fn merge(&mut self, other: &Reading) {
        self.lower = self.lower.max(other.lower);
        self.upper = self.upper.max(other.upper);
        self.limit = self.limit.max(other.limit);
        self.seconds = self.seconds.max(other.seconds);
        if other.first < self.first {
            self.first.clone_from(&other.first);
        }
        if other.last > self.last {
            self.last.clone_from(&other.last);
        }
    }

    /// What keeps it from being a reading that can be made in that way.
    fn fault(&self, how: How) -> Option<String> {
        let is_time = |text: &str| {
            let form = "0000-00-00T00:00:00Z";
            let same = |(is, wanted): (u8, u8)| match wanted {
                b'0' => is.is_ascii_digit(),
                _ => is == wanted,
            };
            text.len() == form.len() && text.bytes().zip(form.bytes()).all(same)
        };
        let zero = [self.lower, self.upper, self.limit].contains(&Some(0));
        let (lower, upper, limit) = (self.lower, self.upper, self.limit);
        let why = match how {
            _ if zero => "0 bytes mean that there was no memory cgroup, not that nothing was used",
            _ if !is_time(&self.first) || !is_time(&self.last) => {
                "`first` and `last` are times such as 2026-11-30T12:00:00Z"
            }
            _ if self.first > self.last => "`first` is later than `last`",
            How::Sample if upper.is_some() => {
                "what was in use at a moment is no upper bound: leave `upperBytes` out"
            }
            How::Sample if lower.is_none() => "a sample has `lowerBytes`",
            How::Oom if upper.is_some() => "what was killed shows no upper bound",
            How::Oom if limit.is_none() || lower <= limit => {
                "what was killed at `limitBytes` needs more: `lowerBytes` is above it"
            }
            How::Peak if upper.is_none() && lower.is_none() => {
                "a peak has `upperBytes`, or `lowerBytes` where it reached its limit"
            }
            How::Peak if upper.is_some() && limit.is_some() && upper >= limit => {
                "a peak that reached the limit shows no upper bound: leave `upperBytes` out"
            }
            How::Bisect if upper.is_none() => {
                "`bisect` has `upperBytes`, the least limit at which it answered"
            }
            How::Peak | How::Bisect | How::Sample | How::Oom => return None,
        };
        Some(why.to_owned())
    }
}

/// A reading as the file has it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    of: Of,
    name: String,
    part: String,
    how: How,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lower_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upper_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit_bytes: Option<u64>,
    #[serde(default)]
    seconds: u64,
    first: String,
    last: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    bzc_evidence: u64,
    readings: Vec<Line>,
}

/// All readings, by what they are about and by where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    readings: BTreeMap<Subject, BTreeMap<Origin, Reading>>,
}

impl Evidence {
    /// Reads a file. `Err` says what is wrong with it, and where.
    pub fn read(bytes: &[u8]) -> Result<Evidence, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            bzc_evidence: Option<u64>,
        }
        let head: Head =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        match head.bzc_evidence {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "it is of format {other}, and this bzc reads {FORMAT}"
                ));
            }
            None => return Err("it has no `bzcEvidence`, which says its format".to_owned()),
        }
        let json = &mut serde_json::Deserializer::from_slice(bytes);
        let written: Written = serde_path_to_error::deserialize(json)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
        debug_assert_eq!(written.bzc_evidence, FORMAT);
        let mut evidence = Evidence::default();
        for (at, line) in written.readings.into_iter().enumerate() {
            let subject = Subject {
                of: line.of,
                name: line.name,
                part: line.part,
            };
            let origin = Origin {
                how: line.how,
                image: line.image,
                digest: line.digest,
                version: line.version,
            };
            let reading = Reading {
                lower: line.lower_bytes,
                upper: line.upper_bytes,
                limit: line.limit_bytes,
                seconds: line.seconds,
                first: line.first,
                last: line.last,
            };
            evidence
                .add(subject, origin, &reading)
                .map_err(|why| format!("`readings[{at}]`: {why}"))?;
        }
        Ok(evidence)
    }

    /// Adds a reading. `Err` says why it is none.
    pub fn add(&mut self, of: Subject, origin: Origin, reading: &Reading) -> Result<(), String> {
        if let Some(why) = reading.fault(origin.how) {
            let Subject { of, name, part } = of;
            return Err(format!("{} `{name}`, `{part}`: {why}", of.word()));
        }
        self.put(of, origin, reading);
        Ok(())
    }

    fn put(&mut self, of: Subject, origin: Origin, reading: &Reading) {
        let readings = self.readings.entry(of).or_default();
        match readings.get_mut(&origin) {
            Some(known) => known.merge(reading),
            None => drop(readings.insert(origin, reading.clone())),
        }
    }

    /// Takes in all that another file has. It does not matter which takes in which, in what order, or how often.
    pub fn merge(&mut self, other: &Evidence) {
        for (subject, readings) in &other.readings {
            for (origin, reading) in readings {
                self.put(subject.clone(), origin.clone(), reading);
            }
        }
    }

    /// All readings, sorted.
    pub fn readings(&self) -> impl Iterator<Item = (&Subject, &Origin, &Reading)> {
        { self.readings.iter() }
            .flat_map(|(of, readings)| readings.iter().map(move |(o, r)| (of, o, r)))
    }

    /// The text of the file: a line a reading, sorted.
    pub fn text(&self) -> String {
        let lines = self.readings().map(|(subject, origin, reading)| {
            let (origin, reading) = (origin.clone(), reading.clone());
            let line = Line {
                of: subject.of,
                name: subject.name.clone(),
                part: subject.part.clone(),
                how: origin.how,
                image: origin.image,
                digest: origin.digest,
                version: origin.version,
                lower_bytes: reading.lower,
                upper_bytes: reading.upper,
                limit_bytes: reading.limit,
                seconds: reading.seconds,
                first: reading.first,
                last: reading.last,
            };
            serde_json::to_string(&line).expect("texts and numbers are JSON")
        });
        let lines: Vec<String> = lines.map(|line| format!("\n    {line}")).collect();
        let end = if lines.is_empty() { "" } else { "\n  " };
        format!(
            "{{\n  \"bzcEvidence\": {FORMAT},\n  \"readings\": [{}{end}]\n}}\n",
            lines.join(",")
        )
    }

    /// What is known of a part that runs this image; of no image in particular with none. What was read of another image
    /// is stale, and is left out.
    pub(crate) fn interval(&self, of: &Subject, image: Option<&str>) -> Interval<'_> {
        let mut interval = Interval::default();
        for (origin, reading) in self.readings.get(of).into_iter().flatten() {
            if image.is_some_and(|image| is_stale(origin, image)) {
                interval.stale = Some(origin);
                continue;
            }
            let found = Some((origin, reading));
            if reading.lower > interval.lower.and_then(|(_, reading)| reading.lower) {
                interval.lower = found;
            }
            if reading.upper > interval.upper.and_then(|(_, reading)| reading.upper) {
                interval.upper = found;
            }
        }
        interval
    }
}

/// What readings of one thing come to: the need lies between two of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Interval<'e> {
    /// The reading with the highest lower bound.
    pub lower: Option<(&'e Origin, &'e Reading)>,
    /// The reading with the highest upper bound.
    pub upper: Option<(&'e Origin, &'e Reading)>,
    /// A reading of another image.
    pub stale: Option<&'e Origin>,
}

/// Whether readings were made of another image than the one of this reference.
fn is_stale(origin: &Origin, image: &str) -> bool {
    let (name, digest) = parts(image);
    let (read, read_digest) = origin.image.as_deref().map_or(("", None), parts);
    match (digest, origin.digest.as_deref().or(read_digest)) {
        (Some(digest), Some(read)) => digest != read,
        _ => !read.is_empty() && tagged(name) != tagged(read),
    }
}

/// A reference without its digest, and the digest.
fn parts(image: &str) -> (&str, Option<&str>) {
    image
        .split_once('@')
        .map_or((image, None), |(name, digest)| (name, Some(digest)))
}

/// The name of an image with its tag, as containerd writes it out (distribution/reference `ParseDockerRef`).
fn tagged(name: &str) -> String {
    let (host, rest) = name.split_once('/').unwrap_or(("", name));
    let is_host = host.contains(['.', ':']) || host == "localhost";
    let path = match (is_host, host) {
        (true, "docker.io" | "index.docker.io") if !rest.contains('/') => {
            format!("docker.io/library/{rest}")
        }
        (true, "index.docker.io") => format!("docker.io/{rest}"),
        (true, _) => name.to_owned(),
        (false, "") => format!("docker.io/library/{name}"),
        (false, _) => format!("docker.io/{name}"),
    };
    let last = path.rsplit('/').next().unwrap_or(&path);
    match last.contains(':') {
        true => path,
        false => format!("{path}:latest"),
    }
}
