//! Variables of a service, and passwords: what looks like one becomes the key of a Secret, by its name alone, wherever it
//! stands.

use super::shared::Shared;
use crate::base::secret::is_secret;
use crate::import::data::Data;
use crate::import::tree::{Block, Name, Value, said};
use crate::import::variables::{closed, is_open, open, shown};

/// A shorter text is no password that could be told from other texts.
const SHORTEST: usize = 4;

/// Passwords of a project by the names of their variables.
pub(super) fn passwords(
    services: &[(String, Data)],
    set: &[(String, String)],
) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let given = services
        .iter()
        .flat_map(|(_, body)| pairs(body.at(&["environment"])));
    let given = given.filter_map(|(name, value)| Some((name, value?)));
    let given: Vec<(String, String)> = given.chain(set.iter().cloned()).collect();
    // What is a name, too, is no password that is worth to be hidden: `postgres` of `POSTGRES_USER`.
    let is_name = |text: &str| {
        let plain = |(name, value): &(String, String)| value == text && !is_secret(name, value);
        let in_image = |body: &Data| {
            body.text_at(&["image"])
                .is_some_and(|image| image.contains(text))
        };
        let called = services
            .iter()
            .any(|(name, body)| name == text || in_image(body));
        called || given.iter().any(plain)
    };
    for (name, value) in given.iter().cloned() {
        let is_one = value.len() >= SHORTEST
            && !is_open(&value)
            && is_secret(&name, &value)
            && !is_name(&value);
        if is_one && all.iter().all(|(_, known)| *known != value) {
            all.push((name, value));
        }
    }
    // The longest first: one may be part of another.
    all.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    all
}

/// The variables of `environment`, those without a value among them.
fn pairs(given: Option<&Data>) -> Vec<(String, Option<String>)> {
    let Some(given) = given else {
        return Vec::new();
    };
    let text = |value: &Data| value.as_text().map(str::to_owned);
    let entries = given.entries().iter();
    let mut pairs: Vec<(String, Option<String>)> = entries
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    // Of a variable that is given twice the last value counts.
    for item in given.items().iter().filter_map(Data::as_text) {
        let (name, value) = match item.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (item.to_owned(), None),
        };
        pairs.retain(|(known, _)| *known != name);
        pairs.push((name, value));
    }
    pairs
}

/// The variables of a service.
pub(super) struct Environment<'s> {
    pairs: Vec<(String, Option<String>)>,
    /// Variables that hold passwords, which stood in commands.
    from_commands: Vec<String>,
    passwords: &'s [(String, String)],
}

impl<'s> Environment<'s> {
    /// Takes `environment`.
    pub(super) fn take(body: &mut Data, shared: &'s Shared<'_>) -> Environment<'s> {
        Environment {
            pairs: pairs(body.take("environment").as_ref()),
            from_commands: Vec::new(),
            passwords: &shared.passwords,
        }
    }

    /// Whether a text has a password in it.
    pub(super) fn has_password(&self, text: &str) -> bool {
        self.passwords
            .iter()
            .any(|(_, value)| text.contains(value.as_str()))
    }

    /// A command with `$(VARIABLE)` for passwords, which the kubelet puts in.
    pub(super) fn without_passwords(&mut self, words: &[String]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for word in words {
            let before = out.last().filter(|word| word.starts_with('-')).cloned();
            let mut word = word.clone();
            for (name, value) in self.passwords {
                if word.contains(value.as_str()) {
                    word = word.replace(value.as_str(), &format!("$({name})"));
                    self.from_commands.push(name.clone());
                }
            }
            let (flag, value) = match (word.split_once('='), before) {
                (Some((flag, value)), _) if word.starts_with('-') => {
                    (flag.to_owned(), value.to_owned())
                }
                (_, Some(flag)) => (flag, word.clone()),
                _ => (String::new(), String::new()),
            };
            let name = variable(&flag);
            let is_plain = !value.contains("$(") && !value.starts_with(['-', '/']);
            if value.len() >= SHORTEST && is_plain && is_secret(&name, &value) {
                word = word.replacen(&value, &format!("$({name})"), 1);
                self.from_commands.push(name);
            }
            out.push(word);
        }
        out
    }

    /// Writes `env`.
    pub(super) fn put(self, name: &Name, block: &mut Block) {
        let mut env = Block::plain("env");
        let mut secrets: Vec<String> = Vec::new();
        let mut left: Vec<String> = Vec::new();
        for (variable, value) in &self.pairs {
            let Some(value) = value else {
                left.push(format!(
                    "{}: compose takes it from whoever starts it",
                    said(variable)
                ));
                continue;
            };
            if is_secret(variable, value) || self.has_password(value) {
                secrets.push(variable.clone());
            } else if is_open(value) {
                let names: Vec<String> = open(value).iter().map(|name| said(name)).collect();
                let whole = said(&format!("{variable}={}", shown(value)));
                left.push(format!("{whole}: {} is set nowhere", names.join(", ")));
            } else {
                env.put_key(variable, Value::text(value));
            }
        }
        for variable in &self.from_commands {
            if !secrets.contains(variable) {
                secrets.push(variable.clone());
            }
        }
        let mut literals = Vec::new();
        for variable in &secrets {
            match Value::of_key("secret", name, variable) {
                Some(key) => {
                    env.put_key(variable, key);
                    literals.push(format!("--from-literal={variable}=.."));
                }
                None => left.push(format!("{}: it looks like a password", said(variable))),
            }
        }
        if !literals.is_empty() {
            env.note(format!(
                "passwords stay out of programs: kubectl create secret generic {} {}",
                name.as_str(),
                literals.join(" ")
            ));
        }
        left.into_iter().for_each(|what| env.leave(what));
        block.put_block(env);
    }
}

/// The name of a variable for the value of a flag: `--require-pass` is `REQUIRE_PASS`.
fn variable(flag: &str) -> String {
    let name = flag.trim_start_matches('-').to_ascii_uppercase();
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Takes `env_file`: a Secret of all its variables.
pub(super) fn take_files(body: &mut Data, name: &Name, block: &mut Block) {
    let Some(files) = body.take("env_file") else {
        return;
    };
    let path = |item| Data::as_text(item).or(Data::text_at(item, &["path"]));
    let paths: Vec<&str> = match &files {
        Data::List(items) => items.iter().filter_map(path).collect(),
        one => path(one).into_iter().collect(),
    };
    let Some(secret) = Name::near(&format!("{}-env", name.as_str()), 63) else {
        return;
    };
    let from = paths
        .iter()
        .map(|path| format!("--from-env-file={}", closed(path)));
    let from: Vec<String> = from.collect();
    block.put_noted(
        "secrets",
        Value::list([Value::name(&secret)]),
        format!(
            "kubectl create secret generic {} {}",
            secret.as_str(),
            from.join(" ")
        ),
    );
}
