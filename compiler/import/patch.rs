//! `patch`: fields of Kubernetes for which bz has no word, and which the proof does not count. They are gathered as data
//! while a workload is read, and become one block at its end.

use super::data::Data;
use super::tree::{Block, Item, Value, key, plain_block};

/// Fields of a workload or of the Job of a timetable, by their paths.
pub(super) const OF_WORKLOAD: [&[&str]; 10] = [
    &["metadata", "labels"],
    &["metadata", "annotations"],
    &["spec", "completionMode"],
    &["spec", "minReadySeconds"],
    &["spec", "persistentVolumeClaimRetentionPolicy"],
    &["spec", "podManagementPolicy"],
    &["spec", "progressDeadlineSeconds"],
    &["spec", "startingDeadlineSeconds"],
    &["spec", "timeZone"],
    &["spec", "ttlSecondsAfterFinished"],
];
/// Fields of the spec of a pod.
pub(super) const OF_POD: [&[&str]; 17] = [
    &["automountServiceAccountToken"],
    &["dnsConfig"],
    &["dnsPolicy"],
    &["hostIPC"],
    &["hostPID"],
    &["hostUsers"],
    &["hostname"],
    &["restartPolicy"],
    &["securityContext", "appArmorProfile"],
    &["securityContext", "fsGroupChangePolicy"],
    &["securityContext", "seLinuxOptions"],
    &["securityContext", "supplementalGroups"],
    &["securityContext", "supplementalGroupsPolicy"],
    &["securityContext", "sysctls"],
    &["setHostnameAsFQDN"],
    &["shareProcessNamespace"],
    &["subdomain"],
];
/// Fields of a container.
pub(super) const OF_CONTAINER: [&[&str]; 9] = [
    &["imagePullPolicy"],
    &["lifecycle"],
    &["securityContext"],
    &["stdin"],
    &["stdinOnce"],
    &["terminationMessagePath"],
    &["terminationMessagePolicy"],
    &["tty"],
    &["workingDir"],
];

/// What is to be laid over a workload.
#[derive(Debug, Default)]
pub(super) struct Patch {
    /// Over the object itself.
    pub(super) workload: Fields,
    /// Over the Job of a timetable.
    pub(super) job: Fields,
    /// Over the spec of its pods.
    pub(super) pod: Fields,
}

/// Fields that were gathered.
#[derive(Debug)]
pub(super) struct Fields(Data);

impl Default for Fields {
    fn default() -> Fields {
        Fields(Data::Map(Vec::new()))
    }
}

impl Fields {
    /// Moves what stands at these paths, where a block can say it.
    pub(super) fn take(&mut self, data: &mut Data, paths: &[&[&str]]) {
        for path in paths {
            if data.at(path).is_some_and(is_said)
                && let Some(value) = data.take_at(path)
            {
                self.set(path, value);
            }
        }
    }

    /// Adds a value. `false` if no block can say it.
    pub(super) fn add(&mut self, path: &[&str], value: &Data) -> bool {
        let said = is_said(value);
        if said {
            self.set(path, value.clone());
        }
        said
    }

    /// Adds an item to a list, whose `name` it has. `false` if no block can say it.
    pub(super) fn add_item(&mut self, list: &str, item: &Data) -> bool {
        let whole = Data::List(vec![item.clone()]);
        if !is_said(&whole) {
            return false;
        }
        let mut items = match self.0.take(list) {
            Some(Data::List(items)) => items,
            _ => Vec::new(),
        };
        items.push(item.clone());
        self.set(&[list], Data::List(items));
        true
    }

    /// Adds the fields of an item of a list, of the name that it has in the program.
    pub(super) fn add_named(&mut self, list: &str, name: &str, fields: Fields) {
        if let Data::Map(mut entries) = fields.0
            && !entries.is_empty()
        {
            entries.insert(0, ("name".to_owned(), Data::Text(name.to_owned(), false)));
            self.add_item(list, &Data::Map(entries));
        }
    }

    fn set(&mut self, path: &[&str], value: Data) {
        let mut at = &mut self.0;
        for key in path {
            if !matches!(at, Data::Map(_)) {
                *at = Data::Map(Vec::new());
            }
            let Data::Map(entries) = at else { return };
            let index = entries.iter().position(|(known, _)| known == key);
            let index = index.unwrap_or_else(|| {
                entries.push(((*key).to_owned(), Data::Null));
                entries.len() - 1
            });
            let Some((_, inner)) = entries.get_mut(index) else {
                return;
            };
            at = inner;
        }
        *at = value;
    }
}

impl Patch {
    /// Writes the block. `word` is the kind of the workload.
    pub(super) fn put(self, word: &str, block: &mut Block) {
        let mut whole = self.workload;
        let mut job = self.job;
        if !self.pod.0.is_empty() {
            let template = ["spec", "template", "spec"];
            let of = if word == "cron" { &mut job } else { &mut whole };
            of.set(&template, self.pod.0);
        }
        if !job.0.is_empty() {
            for (key, value) in job.0.entries() {
                whole.set(&["spec", "jobTemplate", key], value.clone());
            }
        }
        block.put_block(inner(Block::plain("patch"), &whole.0));
    }
}

/// A mapping as the items of a block.
fn inner(mut block: Block, data: &Data) -> Block {
    for (name, value) in data.entries() {
        match value {
            Data::Null => {}
            Data::Map(_) => block.put_block(inner(Block::keyed(name), value)),
            Data::List(items) if items.iter().any(|item| !item.entries().is_empty()) => {
                for item in items {
                    let mut rest = item.clone();
                    let called = rest.take_text(&["name"]).unwrap_or_default();
                    let one = plain_block(format!("{} {}", key(name), key(&called)));
                    block.items.push(Item::Block(inner(one, &rest)));
                }
            }
            Data::List(items) => {
                let items = items.iter().filter_map(scalar);
                block.put_key(name, Value::list(items));
            }
            Data::Text(..) => {
                if let Some(value) = scalar(value) {
                    block.put_key(name, value);
                }
            }
        }
    }
    block
}

/// Whether a block can say a value: an item of a list needs a name, where it is a mapping.
fn is_said(data: &Data) -> bool {
    match data {
        Data::Null => true,
        Data::Text(..) => scalar(data).is_some(),
        Data::Map(entries) => entries.iter().all(|(_, value)| is_said(value)),
        Data::List(items) => {
            let is_item = |item: &Data| item.text_at(&["name"]).is_some() && is_said(item);
            items.iter().all(|item| scalar(item).is_some()) || items.iter().all(is_item)
        }
    }
}

/// A scalar with its type: what stands without quotes may be a number or a truth value.
fn scalar(data: &Data) -> Option<Value> {
    let Data::Text(text, is_plain) = data else {
        return None;
    };
    let number = text.parse::<i64>().ok();
    let is_odd = text.starts_with(['0', '-', '+']) && text != "0";
    match (*is_plain, text.as_str(), number) {
        (true, "true", _) => Some(Value::fixed("true")),
        (true, "false", _) => Some(Value::fixed("false")),
        (true, _, Some(n)) if !is_odd => u64::try_from(n).ok().map(Value::count),
        // Octal and negative numbers, and those with a point, are left out rather than made texts.
        (true, text, _) if text.starts_with(|c: char| "+-.0123456789".contains(c)) => None,
        _ => Some(Value::text(text)),
    }
}

#[cfg(test)]
mod tests {
    use crate::import::data::Data;
    use crate::import::patch::{Fields, is_said};

    fn text(text: &str, is_plain: bool) -> Data {
        Data::Text(text.to_owned(), is_plain)
    }

    #[test]
    fn what_has_no_name_is_not_said() {
        let pair = |key: &str, value| (key.to_owned(), value);
        let header = Data::Map(vec![
            pair("name", text("Host", true)),
            pair("value", text("a", true)),
        ]);
        let alias = Data::Map(vec![pair("ip", text("10.0.0.1", false))]);
        assert!(is_said(&Data::List(vec![header])));
        assert!(!is_said(&Data::List(vec![alias])));
        assert!(!is_said(&text("0644", true)));
        assert!(is_said(&text("0644", false)));
        let mut fields = Fields::default();
        let mut data = Data::Map(vec![pair("tty", text("true", true))]);
        fields.take(&mut data, &[&["tty"], &["stdin"]]);
        assert!(data.is_empty() && fields.0.at(&["tty"]).is_some());
    }
}
