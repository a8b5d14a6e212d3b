//! Templates of Dockerfiles and ignore files, filled with what is known of an image. Nothing else of bzc knows the
//! template engine; no YAML is ever made by it.

use std::collections::BTreeMap;

pub(crate) use minijinja::Value;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use crate::stdlib;

/// Steps after which a template counts as one that never ends.
const FUEL: u64 = 200_000;

/// The most values in a list that is printed, nested lists included, and how deep lists may nest.
const MOST_VALUES: usize = 10_000;
const DEEPEST: usize = 64;

/// The values of names in a template.
pub(crate) type Context = BTreeMap<String, Value>;

/// A project's templates by the names that other templates call them by. Those of the library are called `std/NAME`.
pub(crate) type Templates = BTreeMap<String, String>;

/// Why a template cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// The template that the fault lies in, and the line of it, from 1.
    pub place: Option<(String, usize)>,
    /// What is wrong there, in the words of the engine.
    pub what: String,
}

/// Parsed templates, which can be filled any number of times.
pub(crate) struct Filler {
    environment: Environment<'static>,
    /// Why a template could not be parsed.
    fault: Option<Fault>,
}

impl Filler {
    /// Reads templates, with all that they name.
    pub(crate) fn new(own: &Templates, names: &[&str]) -> Filler {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(|out, _, value| Ok(out.write_str(&printed(value)?)?));
        environment.add_filter("exec", exec);
        let mut fault = None;
        for wanted in needed(own, names) {
            let Some(text) = text_of(own, &wanted) else {
                continue;
            };
            if let Some(line) = repeats_a_list(text) {
                let what = "a list is not multiplied in a template".to_owned();
                let place = Some((wanted, line));
                fault = fault.or(Some(Fault { place, what }));
                continue;
            }
            let added = environment.add_template_owned(wanted, text.to_owned());
            fault = fault.or(added.err().map(|error| fault_of(&error)));
        }
        Filler { environment, fault }
    }

    /// Fills a template.
    pub(crate) fn fill(&self, name: &str, context: &Context) -> Result<String, Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let template = self
            .environment
            .get_template(name)
            .map_err(|error| fault_of(&error))?;
        let mut filled = template.render(context).map_err(|error| fault_of(&error))?;
        // The engine drops the line end of the last line.
        filled.truncate(filled.trim_end().len());
        filled.push('\n');
        Ok(filled.trim_start_matches('\n').to_owned())
    }
}

/// The text of a template.
pub(crate) fn text_of<'t>(own: &'t Templates, name: &str) -> Option<&'t str> {
    match name.strip_prefix("std/") {
        Some(library) => stdlib::template(library),
        None => own.get(name).map(String::as_str),
    }
}

/// Templates with all that they name, so that only those are read.
fn needed(own: &Templates, names: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut next = 0;
    while let Some(name) = found.get(next).cloned() {
        next += 1;
        for other in text_of(own, &name).into_iter().flat_map(named) {
            if !found.iter().any(|known| known == other) {
                found.push(other.to_owned());
            }
        }
    }
    found
}

/// The templates that a template names in `extends`, `include`, `import` and `from`.
pub(crate) fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split("{%").skip(1).filter_map(|rest| {
        let statement = rest.split("%}").next()?.trim_matches(['-', '+', ' ', '\n']);
        let word = statement.split_whitespace().next()?;
        let names = ["extends", "include", "import", "from"].contains(&word);
        names.then(|| statement.split(['"', '\'']).nth(1)).flatten()
    })
}

/// The line of an expression that multiplies and writes a list, from 1. What is known when a template is read the engine
/// computes then, without counting: `5 in [0] * 100000000` would keep it for minutes.
fn repeats_a_list(text: &str) -> Option<usize> {
    let begins = text.match_indices('{');
    let blocks = begins.filter_map(|(at, _)| {
        let end = match text.get(at..at + 2)? {
            "{{" => "}}",
            "{%" => "%}",
            _ => return None,
        };
        let inner = &text[at + 2..];
        Some((at, &inner[..inner.find(end).unwrap_or(inner.len())]))
    });
    // `items[0]` and `f(a, b)` are no lists.
    let is_list = |block: &str| {
        block.match_indices(['[', '(']).any(|(at, bracket)| {
            let before = block[..at].trim_end().chars().next_back();
            let is_inside = before.is_some_and(|c| c.is_alphanumeric() || "_)]".contains(c));
            !is_inside && (bracket == "[" || block[at..].contains(','))
        })
    };
    let mut found = blocks.filter(|(_, block)| block.contains('*') && is_list(block));
    found
        .next()
        .map(|(at, _)| text[..at].matches('\n').count() + 1)
}

/// A value as text. The engine counts what is printed only afterwards, and a list that is repeated takes no memory
/// until it is printed: `[0] * 100000000` is a small value with a long text.
fn printed(value: &Value) -> Result<String, Error> {
    let mut open = vec![(value.clone(), 0)];
    let mut seen = 0;
    while let Some((value, depth)) = open.pop() {
        seen += 1;
        let is_map = value.kind() == ValueKind::Map;
        if is_map || matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            // Counting stops at one more than is allowed.
            for inner in value.try_iter()?.take(MOST_VALUES + 1) {
                if is_map {
                    open.push((value.get_item(&inner)?, depth + 1));
                }
                open.push((inner, depth + 1));
            }
        }
        if seen + open.len() > MOST_VALUES || depth > DEEPEST {
            let why = format!("a list has more than {MOST_VALUES} values, or is too deep");
            return Err(Error::new(ErrorKind::InvalidOperation, why));
        }
    }
    Ok(value.to_string())
}

/// `["a", "b"]`: a command as Dockerfiles write one that no shell reads.
fn exec(words: &Value) -> Result<String, Error> {
    if words.len().is_none_or(|count| count > MOST_VALUES) {
        let why = format!("`exec` takes a list of at most {MOST_VALUES} words");
        return Err(Error::new(ErrorKind::InvalidOperation, why));
    }
    let words: Vec<Value> = words.try_iter()?.collect();
    if words.iter().any(Value::is_undefined) {
        return Err(Error::new(ErrorKind::UndefinedError, "a word of a command"));
    }
    let words: Vec<String> = words.iter().map(printed).collect::<Result<_, _>>()?;
    let texts: Result<Vec<String>, _> = words.iter().map(serde_json::to_string).collect();
    let texts =
        texts.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(format!("[{}]", texts.join(", ")))
}

/// The engine's message in one line. For a fault in an included template this is the fault itself.
fn fault_of(error: &Error) -> Fault {
    let inner = std::error::Error::source(error).and_then(|inner| inner.downcast_ref::<Error>());
    if let Some(inner) = inner {
        return fault_of(inner);
    }
    let place = error.name().map(str::to_owned).zip(error.line());
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it does not end".to_owned(),
        ErrorKind::InvalidOperation
            if error
                .detail()
                .is_some_and(|detail| detail.contains("recursion limit")) =>
        {
            "it takes itself in, and does not end".to_owned()
        }
        kind => error
            .detail()
            .map_or_else(|| kind.to_string(), |detail| format!("{kind}, {detail}")),
    };
    Fault { place, what }
}

#[cfg(test)]
mod tests {
    use super::{Context, Fault, Filler, Templates, Value};

    fn filled(text: &str) -> Result<String, Fault> {
        let own = Templates::from([("t".to_owned(), text.to_owned())]);
        Filler::new(&own, &["t"]).fill(
            "t",
            &Context::from([("words".to_owned(), Value::from(vec!["a", "b \"c\""]))]),
        )
    }

    #[test]
    fn a_template_ends_or_says_why_not() {
        let fails = |text: &str, why: &str| {
            let fault = filled(text).expect_err(text);
            assert_eq!(fault.place, Some(("t".to_owned(), 1)), "{text}");
            assert!(fault.what.contains(why), "{text}: {}", fault.what);
        };
        assert_eq!(
            filled("CMD {{ words | exec }}\n"),
            Ok("CMD [\"a\", \"b \\\"c\\\"\"]\n".to_owned())
        );
        fails("{{ nothing }}", "undefined value");
        fails("{% if %}", "syntax error");
        fails("{% include \"gone\" %}", "gone");
        fails("{% include \"t\" %}", "takes itself in");
        fails(
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "does not end",
        );
        for long in [
            "{{ words * 40000000 }}",
            "{% set n = words * 10000 %}{{ [n, n] }}",
            "{% set n = words * 1000000 %}{{ {'a': n} }}",
            "{% set x %}{{ words * 40000000 }}{% endset %}",
            "{% set n = namespace(a=[0]) %}{% for i in range(50) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
        ] {
            fails(long, "more than 10000 values");
        }
        // What is constant the engine computes while it reads, without counting.
        for endless in [
            "{{ [0] * 100000000 }}",
            "{{ 5 in ([0] * 100000000) }}",
            "{{ ( 100000000 *[0]) | string }}",
            "{% set a, b = [0] * 100000000 %}",
            "{%- if (1, 2) * 100000000 == (1, 2) * 100000000 -%}{% endif %}",
            "{% if x %}{% endif %}{{ [[0] * 10000] * 10000 }}",
        ] {
            fails(endless, "is not multiplied");
        }
        fails("{% for a in words * 9999999 %}{% endfor %}", "does not end");
        fails("{{ 5 in words * 9999999 }}", "does not end");
        fails("{{ words * 1000000 | exec }}", "at most 10000 words");
        assert_eq!(
            filled("{{ words[0] }} {{ 2 * 3 }} {{ [1] }}"),
            Ok("a 6 [1]\n".to_owned())
        );
        fails("{{ 1 | exec }}", "a list of at most");
        assert_eq!(
            filled("{{ [words, {'a': 1.5}] }}"),
            Ok("[['a', 'b \"c\"'], {'a': 1.5}]\n".to_owned())
        );
    }
}
