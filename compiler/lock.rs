//! The lock: numbers that were chosen out of ranges, from text and back. A line has one of them, so that two branches
//! that move different numbers merge. The rules are those of `spec/17-lock.md`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::base::quantity::{ByteUnit, Bytes};

/// The format that is written and read.
const FORMAT: &str = "1";

/// What the first line of every lock begins with; the number of its format follows.
const HEAD: &str = "# bzc lock ";

/// What stands behind that in the first line.
const ABOUT: &str = ": the numbers that `bzc build` chose out of ranges. It keeps those that fit; `bzc build --refill` chooses anew.";

/// Numbers of services by the environment they were chosen for, and by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock(BTreeMap<Option<String>, BTreeMap<String, Bytes>>);

impl Lock {
    /// Reads the text of a lock.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with the line.
    pub(crate) fn read(bytes: &[u8]) -> Result<Lock, String> {
        let text = str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
        if let Some(line) = text.lines().position(is_conflict) {
            return Err(format!(
                "line {} is a conflict of a merge: take the lines of either side, `bzc build` settles the rest",
                line + 1
            ));
        }
        let mut lines = text.lines();
        let head = lines.next().and_then(|line| line.strip_prefix(HEAD));
        let format = head.and_then(|rest| rest.split(':').next());
        match format {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(format!(
                    "its format is {other}, and this bzc knows format {FORMAT}: build with the bzc that wrote it"
                ));
            }
            None => {
                return Err(format!(
                    "bzc did not write it: the first line of a lock begins with `{HEAD}{FORMAT}`"
                ));
            }
        }
        let mut lock = Lock::default();
        for (number, line) in (2..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
            let fault = |why: &str| format!("line {number}, `{}`, {why}", line.trim());
            let (env, service, memory) = entry(line)
                .ok_or_else(|| fault("is not of the form `service.NAME.memory = 48Mi`"))?;
            let numbers = lock.0.entry(env.map(str::to_owned)).or_default();
            if numbers.insert(service.to_owned(), memory).is_some() {
                return Err(fault("is about a number that stands above already"));
            }
        }
        Ok(lock)
    }

    /// The number of a service in an environment, or without one.
    pub(crate) fn number(&self, env: Option<&str>, service: &str) -> Option<Bytes> {
        let numbers = self.0.get(&env.map(str::to_owned))?;
        numbers.get(service).copied()
    }

    /// All numbers of an environment, by name.
    pub(crate) fn numbers(&self, env: Option<&str>) -> impl Iterator<Item = (&str, Bytes)> {
        let of = self.0.get(&env.map(str::to_owned));
        let numbers = of.into_iter().flatten();
        numbers.map(|(name, memory)| (name.as_str(), *memory))
    }

    /// The environments that it has numbers for.
    pub(crate) fn environments(&self) -> impl Iterator<Item = &str> {
        self.0.keys().flatten().map(String::as_str)
    }

    /// The same with other numbers for one environment, and without environments that are not among `known`.
    pub(crate) fn with(
        &self,
        env: Option<&str>,
        numbers: BTreeMap<String, Bytes>,
        known: &[&str],
    ) -> Lock {
        let mut all = self.0.clone();
        all.retain(|env, _| env.as_deref().is_none_or(|env| known.contains(&env)));
        all.insert(env.map(str::to_owned), numbers);
        all.retain(|_, numbers| !numbers.is_empty());
        Lock(all)
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}{FORMAT}{ABOUT}")?;
        for (env, numbers) in &self.0 {
            let env = env
                .as_ref()
                .map_or(String::new(), |env| format!("env.{env}."));
            for (service, memory) in numbers {
                writeln!(f, "{env}service.{service}.memory = {memory}")?;
            }
        }
        Ok(())
    }
}

/// Whether git put a line there because it could not merge.
fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

/// A line: the environment, the service, and its number.
fn entry(line: &str) -> Option<(Option<&str>, &str, Bytes)> {
    let (path, memory) = line.trim().split_once(" = ")?;
    let (env, path) = match path.strip_prefix("env.") {
        Some(rest) => rest.split_once('.').map(|(env, path)| (Some(env), path))?,
        None => (None, path),
    };
    let service = path.strip_prefix("service.")?.strip_suffix(".memory")?;
    let digits = memory.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, suffix) = memory.split_at(digits);
    let unit = match suffix {
        "" => ByteUnit::B,
        suffix => ByteUnit::from_suffix(suffix)?,
    };
    let bytes = amount.parse::<u64>().ok()?.checked_mul(unit.bytes())?;
    let is_whole = !service.is_empty() && env.is_none_or(|env| !env.is_empty());
    (is_whole && bytes > 0).then(|| (env, service, Bytes::new(bytes)))
}
