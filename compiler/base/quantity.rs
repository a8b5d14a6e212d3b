//! Quantities with a dimension, as integers: bytes, thousandths of a core, milliseconds, percent.
//! A quantity remembers the unit it was written in, so that it is printed as it was written.

use std::cmp::Ordering;
use std::fmt;

/// 2^20 bytes: the step in which the compiler chooses memory.
pub(crate) const MIB: u64 = 1 << 20;

/// The unit an amount of memory was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteUnit {
    /// Plain bytes.
    B,
    /// 1000 bytes, Kubernetes' `k`.
    Kilo,
    /// 1000^2 bytes.
    Mega,
    /// 1000^3 bytes.
    Giga,
    /// 1024 bytes.
    Kibi,
    /// 1024^2 bytes.
    Mebi,
    /// 1024^3 bytes.
    Gibi,
}

impl ByteUnit {
    /// The unit a suffix stands for; Kubernetes' spelling only.
    pub(crate) fn from_suffix(suffix: &str) -> Option<ByteUnit> {
        Some(match suffix {
            "k" => ByteUnit::Kilo,
            "M" => ByteUnit::Mega,
            "G" => ByteUnit::Giga,
            "Ki" => ByteUnit::Kibi,
            "Mi" => ByteUnit::Mebi,
            "Gi" => ByteUnit::Gibi,
            _ => return None,
        })
    }

    /// Bytes in one of the unit.
    pub(crate) const fn bytes(self) -> u64 {
        match self {
            ByteUnit::B => 1,
            ByteUnit::Kilo => 1000,
            ByteUnit::Mega => 1_000_000,
            ByteUnit::Giga => 1_000_000_000,
            ByteUnit::Kibi => 1 << 10,
            ByteUnit::Mebi => 1 << 20,
            ByteUnit::Gibi => 1 << 30,
        }
    }

    /// How Kubernetes spells it.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            ByteUnit::B => "",
            ByteUnit::Kilo => "k",
            ByteUnit::Mega => "M",
            ByteUnit::Giga => "G",
            ByteUnit::Kibi => "Ki",
            ByteUnit::Mebi => "Mi",
            ByteUnit::Gibi => "Gi",
        }
    }
}

/// An amount of memory in whole bytes. Compares by bytes alone; prints in the unit it was written in
/// if it is a whole number of those, else in the largest unit that divides it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes {
    /// Bytes.
    pub n: u64,
    unit: ByteUnit,
}

impl Bytes {
    /// That many bytes, printed in Mi where that is whole.
    pub(crate) const fn new(n: u64) -> Bytes {
        Bytes {
            n,
            unit: ByteUnit::Mebi,
        }
    }

    /// That many bytes, printed in `unit` where that is whole.
    pub(crate) const fn with_unit(n: u64, unit: ByteUnit) -> Bytes {
        Bytes { n, unit }
    }

    /// Whole mebibytes.
    pub(crate) const fn mib(n: u64) -> Bytes {
        Bytes::new(n * MIB)
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        self.n == other.n
    }
}
impl Eq for Bytes {}
impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Bytes) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Bytes {
    fn cmp(&self, other: &Bytes) -> Ordering {
        self.n.cmp(&other.n)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LARGEST_FIRST: [ByteUnit; 6] = [
            ByteUnit::Gibi,
            ByteUnit::Mebi,
            ByteUnit::Giga,
            ByteUnit::Mega,
            ByteUnit::Kibi,
            ByteUnit::Kilo,
        ];
        let whole = |unit: &ByteUnit| self.n.is_multiple_of(unit.bytes());
        let unit = match self.unit {
            unit if whole(&unit) => unit,
            _ if self.n == 0 => ByteUnit::B,
            _ => LARGEST_FIRST.into_iter().find(whole).unwrap_or(ByteUnit::B),
        };
        write!(f, "{}{}", self.n / unit.bytes(), unit.suffix())
    }
}

/// Bytes as a ledger prints them: in Mi, with up to two decimals cut (not rounded) where it is not whole.
pub(crate) fn in_mib(n: u64) -> String {
    let (whole, rest) = (n / MIB, n % MIB);
    match rest * 100 / MIB {
        0 if rest == 0 => format!("{whole}Mi"),
        cents => format!("{whole}.{cents:02}Mi"),
    }
}

/// CPU in thousandths of a core. `written_in_cores` keeps `2` from becoming `2000m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cpu {
    /// Thousandths of a core.
    pub milli: u64,
    /// Whether it was written as a number of cores.
    pub written_in_cores: bool,
}

impl Cpu {
    /// Thousandths of a core, printed with `m`.
    pub(crate) const fn milli(milli: u64) -> Cpu {
        Cpu {
            milli,
            written_in_cores: false,
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.milli {
            milli if self.written_in_cores && milli % 1000 == 0 => write!(f, "{}", milli / 1000),
            milli => write!(f, "{milli}m"),
        }
    }
}

/// A length of time in milliseconds; prints as Go writes durations (`30s`, `1m30s`, `500ms`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Millis(pub u64);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes) = (self.0 / 3_600_000, self.0 / 60_000 % 60);
        let (seconds, millis) = (self.0 / 1000 % 60, self.0 % 1000);
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (n, unit) in [(hours, "h"), (minutes, "m"), (seconds, "s"), (millis, "ms")] {
            if n > 0 {
                write!(f, "{n}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_prints_as_written_or_in_the_largest_whole_unit() {
        assert_eq!(
            Bytes::with_unit(1 << 30, ByteUnit::Mebi).to_string(),
            "1024Mi"
        );
        assert_eq!(Bytes::with_unit(1 << 30, ByteUnit::Gibi).to_string(), "1Gi");
        assert_eq!(
            Bytes::with_unit(64_000_000, ByteUnit::Mega).to_string(),
            "64M"
        );
        assert_eq!(Bytes::new(64_000_000).to_string(), "64M");
        assert_eq!(
            Bytes::with_unit(1 << 29, ByteUnit::Gibi).to_string(),
            "512Mi"
        );
        assert_eq!(Bytes::new(1).to_string(), "1");
        assert_eq!(Bytes::with_unit(1, ByteUnit::Gibi).to_string(), "1");
    }

    #[test]
    fn ledger_cuts_and_never_rounds_up() {
        assert_eq!(in_mib(48 * MIB), "48Mi");
        assert_eq!(in_mib(48 * MIB + 1), "48.00Mi");
        assert_eq!(in_mib(MIB + MIB / 2), "1.50Mi");
    }

    #[test]
    fn cpu_and_time_print_as_the_field_writes_them() {
        assert_eq!(
            Cpu {
                milli: 2000,
                written_in_cores: true
            }
            .to_string(),
            "2"
        );
        assert_eq!(Cpu::milli(250).to_string(), "250m");
        assert_eq!(Millis(30_000).to_string(), "30s");
        assert_eq!(Millis(90_500).to_string(), "1m30s500ms");
        assert_eq!(Millis(0).to_string(), "0s");
    }
}
