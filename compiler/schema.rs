//! The language as data: every field of every declaration, and the words that people bring from elsewhere. Key checks,
//! messages, `bzc explain` and the tables of `spec/05-declarations.md` are made from these two tables.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A field of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The declaration or block it stands in: `service`, `volume`, `adopt.workload`, ..
    pub place: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What its value is.
    pub takes: &'static str,
    /// Its value when it is left out. Empty if one of several fields is required.
    pub without: &'static str,
    /// The version of bzc it came with.
    pub since: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// An example, together with the fields that it needs.
    pub example: &'static str,
}

/// What to write in bz for a word of Kubernetes, compose or Terraform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word, as it is written elsewhere.
    pub word: &'static str,
    /// The declarations and blocks in which people write it, separated by blanks; `program` is the top of a file, where
    /// `field` is a declaration.
    pub places: &'static str,
    /// The field to write. Empty if there is none.
    pub field: &'static str,
    /// How to write it. Empty if only the name differs.
    pub say: &'static str,
}

const FIELDS: &str = include_str!("schema/fields.tsv");
const WORDS: &str = include_str!("schema/words.tsv");

/// The rows of a table without its header.
fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().skip(1).map(|row| row.split('\t').collect())
}

/// All fields. Those of one place are in the order in which messages list them.
pub fn fields() -> impl Iterator<Item = Field> {
    rows(FIELDS)
        .filter_map(|row| <[&str; 7]>::try_from(row).ok())
        .flat_map(|[places, key, takes, without, since, meaning, example]| {
            places.split(' ').map(move |place| Field {
                place,
                key,
                takes,
                without,
                since,
                meaning,
                example,
            })
        })
}

/// The fields of one declaration or block.
pub(crate) fn fields_of(place: &str) -> impl Iterator<Item = Field> {
    fields().filter(move |field| field.place == place)
}

/// What the value of a field is. `None` if there is no such field.
pub(crate) fn takes(place: &str, key: &str) -> Option<&'static str> {
    let mut of_place = fields_of(place);
    of_place
        .find(|field| field.key == key)
        .map(|field| field.takes)
}

/// The name of the block that a field takes as its value, if it takes one.
pub(crate) fn block_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "volume" => "volume",
        "sidecar" => "sidecar",
        "init" => "init",
        "image" => "image",
        "ingress" => "ingress",
        "tls" => "tls",
        "pre-stop" | "post-start" => "hook",
        "disruption-budget" => "disruption-budget",
        "rule" => "rule",
        "reserve" => "reserve",
        "registries" => "registry",
        "security" => "security",
        "memory" => "memory",
        "cpu" => "cpu",
        "scale" => "scale",
        "ports" => "port",
        "readiness" | "liveness" | "startup" => "probe",
        "workload" => "adopt.workload",
        "helm" => "adopt.helm",
        "container" => "kind.container",
        "unknown" => "kind.unknown",
        "service" | "stateful" | "daemon" | "job" | "cron" => "kind.workload",
        _ => return None,
    })
}

/// The keys of one declaration or block. None if there is no such place.
pub(crate) fn keys(place: &str) -> &'static [&'static str] {
    // This is called once for every declaration of a program.
    static KEYS: OnceLock<BTreeMap<&str, Vec<&str>>> = OnceLock::new();
    let all = KEYS.get_or_init(|| {
        let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for field in fields() {
            keys.entry(field.place).or_default().push(field.key);
        }
        keys
    });
    all.get(place).map_or(&[], Vec::as_slice)
}

/// All words from elsewhere.
pub fn words() -> impl Iterator<Item = Word> {
    rows(WORDS)
        .filter_map(|row| <[&str; 4]>::try_from(row).ok())
        .flat_map(|[words, places, field, say]| {
            words.split(' ').map(move |word| Word {
                word,
                places,
                field,
                say,
            })
        })
}

/// The declarations and blocks that have a field of this name, in the order of the table.
pub(crate) fn places_of(key: &str) -> impl Iterator<Item = &'static str> {
    fields()
        .filter(move |field| field.key == key)
        .map(|field| field.place)
}

/// The row of a word from elsewhere for a place. `memLimit`, `mem-limit` and `mem_limit` are one word.
pub(crate) fn word(place: &str, key: &str) -> Option<Word> {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    let key = plain(key);
    words()
        .find(|word| plain(word.word) == key && word.places.split(' ').any(|other| other == place))
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, WORDS, fields, keys, rows, words};

    #[test]
    fn tables_can_be_read() {
        assert!(rows(FIELDS).all(|row| row.len() == 7 && !row[0].is_empty()));
        assert!(rows(WORDS).all(|row| row.len() == 4));
        assert!(words().count() >= rows(WORDS).count());
    }

    #[test]
    fn a_field_is_one_row_of_its_place() {
        for field in fields() {
            let same = keys(field.place).iter().filter(|key| **key == field.key);
            assert_eq!(same.count(), 1, "{}.{}", field.place, field.key);
            assert!(!field.meaning.is_empty() && !field.example.is_empty());
        }
    }

    #[test]
    fn words_are_none_of_the_fields_and_lead_to_one() {
        for word in words() {
            for place in word.places.split(' ').filter(|place| *place != "program") {
                let keys = keys(place);
                assert!(!keys.is_empty(), "no place is called `{place}`");
                assert!(!keys.contains(&word.word), "{place} has `{}`", word.word);
                let leads = !word.field.is_empty() && keys.contains(&word.field);
                assert!(leads || !word.say.is_empty(), "{} in {place}", word.word);
            }
        }
    }
}
