//! What commands of a source start: lines of a Procfile, scripts, `CMD` of a Dockerfile that lies there. They are split
//! as a shell would split them, and only as long as it would do nothing else.

use super::{Folder, join};

/// A command that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// The commands that run one after the other, each as words; the last is the one that stays.
    pub steps: Vec<Vec<String>>,
    /// The file that says so.
    pub from: String,
}

/// The commands of a line, which `&&` and `;` stand between. `None` if a shell would do more: pipes, files, background.
pub(super) fn steps(line: &str) -> Option<Vec<Vec<String>>> {
    let mut steps = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (_, '`') => return None,
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '$') if chars.peek() == Some(&'(') => return None,
            (None, '&') if chars.next_if_eq(&'&').is_some() => end(&mut steps, &mut word, true),
            (None, ';' | '\n') => end(&mut steps, &mut word, true),
            (None, '&' | '|' | '<' | '>' | '(' | ')') => return None,
            (None, c) if c.is_whitespace() => end(&mut steps, &mut word, false),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end(&mut steps, &mut word, false);
    steps.retain(|step| !step.is_empty());
    (quote.is_none() && !steps.is_empty()).then_some(steps)
}

fn end(steps: &mut Vec<Vec<String>>, word: &mut Option<String>, of_step: bool) {
    if let (Some(word), Some(step)) = (word.take(), steps.last_mut()) {
        step.push(word);
    }
    if of_step {
        steps.push(Vec::new());
    }
}

/// The processes of a Procfile: their names and commands.
pub(super) fn procfile(folder: &Folder<'_>) -> Vec<(String, String)> {
    let text = folder.text("Procfile").unwrap_or_default();
    let processes = text.lines().filter_map(|line| {
        let (name, command) = line.split_once(':')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let named = !name.is_empty() && name.chars().all(plain);
        named.then(|| (name.to_owned(), command.trim().to_owned()))
    });
    // Tasks of a release are no processes that stay.
    processes.filter(|(name, _)| name != "release").collect()
}

/// What a Dockerfile that lies in the source says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Existing {
    /// The images of its stages.
    pub images: Vec<String>,
    /// `ENTRYPOINT` and `CMD` of its last stage.
    pub command: Option<Command>,
    /// What it installs by apt-get or apk.
    pub packages: Vec<String>,
}

/// Reads the Dockerfile of a source, if there is one.
pub(super) fn dockerfile(folder: &Folder<'_>) -> Existing {
    let mut found = Existing::default();
    let Some(text) = folder.text("Dockerfile") else {
        return found;
    };
    let (mut entrypoint, mut cmd) = (None, None);
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        whole.push_str(line.trim_end_matches('\\'));
        if line.ends_with('\\') {
            whole.push(' ');
            continue;
        }
        let instruction = std::mem::take(&mut whole);
        let (name, rest) = instruction
            .split_once(char::is_whitespace)
            .unwrap_or((&instruction, ""));
        match name.to_ascii_uppercase().as_str() {
            "FROM" => {
                (entrypoint, cmd) = (None, None);
                let image = rest.split_whitespace().find(|word| !word.starts_with("--"));
                found.images.extend(image.map(str::to_owned));
            }
            "ENTRYPOINT" => entrypoint = started(rest),
            "CMD" => cmd = started(rest),
            "RUN" => found.packages.extend(installed(rest)),
            _ => {}
        }
    }
    let steps = match (entrypoint, cmd) {
        (Some(mut first), Some(second)) if first.len() == 1 && second.len() == 1 => {
            first[0].extend(second.into_iter().flatten());
            Some(first)
        }
        (Some(steps), None) | (None, Some(steps)) => Some(steps),
        _ => None,
    };
    found.packages.sort();
    found.packages.dedup();
    found.command = steps.map(|steps| Command {
        steps,
        from: "Dockerfile".to_owned(),
    });
    found
}

/// The words of `CMD`, in either of its forms.
fn started(rest: &str) -> Option<Vec<Vec<String>>> {
    let words: Vec<String> = match serde_json::from_str(rest.trim()) {
        Ok(words) => words,
        Err(_) => return steps(rest),
    };
    match words.as_slice() {
        [shell, flag, line] if shell.ends_with("sh") && flag.ends_with('c') => steps(line),
        _ => Some(vec![words]),
    }
}

/// The packages that a command installs.
fn installed(run: &str) -> Vec<String> {
    let mut found = Vec::new();
    for step in run.split("&&").flat_map(|step| step.split(';')) {
        let words: Vec<&str> = step.split_whitespace().collect();
        let is = |tools: &[&str], verb: &str| {
            words.first().is_some_and(|word| tools.contains(word)) && words.contains(&verb)
        };
        if is(&["apt-get", "apt"], "install") || is(&["apk"], "add") {
            let plain = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
            let names = words
                .iter()
                .skip(1)
                .filter_map(|word| word.split('=').next());
            let names = names.filter(|word| !["install", "add", "update"].contains(word));
            let names =
                names.filter(|word| !word.starts_with(['-', '.']) && word.chars().all(plain));
            found.extend(names.map(str::to_owned));
        }
    }
    found
}

/// A file of a source by a path that a command has, if it lies there.
pub(super) fn file_of(folder: &Folder<'_>, path: &str) -> Option<String> {
    let path = path.trim_start_matches("./");
    let path = path.strip_prefix("/app/").unwrap_or(path);
    folder.has(path).then(|| path.to_owned())
}

/// The file of a Python module, and the folder that it is imported from.
pub(super) fn module_file(folder: &Folder<'_>, module: &str) -> Option<(String, String)> {
    let inside = module.replace('.', "/");
    ["", "src"].into_iter().find_map(|root| {
        let path = join(root, &inside);
        let places = [
            format!("{path}.py"),
            format!("{path}/__init__.py"),
            format!("{path}/__main__.py"),
        ];
        let file = places.into_iter().find(|file| folder.has(file))?;
        Some((file, root.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::{dockerfile, installed, steps};
    use crate::layout::Folder;
    use crate::world::MemoryWorld;

    #[test]
    fn lines_are_split_as_a_shell_splits_them() {
        let split = |line: &str| {
            steps(line).map(|steps| {
                steps
                    .iter()
                    .map(|step| step.join("|"))
                    .collect::<Vec<_>>()
                    .join(" ; ")
            })
        };
        assert_eq!(
            split("A=1 node  'x y.js' \"z\"").as_deref(),
            Some("A=1|node|x y.js|z")
        );
        assert_eq!(
            split("npm run build && node a.js").as_deref(),
            Some("npm|run|build ; node|a.js")
        );
        assert_eq!(split("node a\\ b ''").as_deref(), Some("node|a b|"));
        for line in [
            "a | b", "a > b", "a & b", "a || b", "`a`", "$(a)", "'a", "", "(a)",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn a_dockerfile_is_evidence() {
        let text = "FROM node:20 AS build\nCMD [\"x\"]\nFROM --platform=linux/amd64 python:3.11-slim\n\
                    RUN apt-get update && apt-get install -y --no-install-recommends \\\n  libpq-dev gcc=4:12 \\\n  && rm x\n\
                    ENTRYPOINT [\"python\"]\nCMD [\"main.py\", \"$A\"]\n";
        let world = MemoryWorld::with("Dockerfile", text);
        let found = dockerfile(&Folder {
            world: &world,
            path: "",
        });
        assert_eq!(found.images, ["node:20", "python:3.11-slim"]);
        assert_eq!(found.packages, ["gcc", "libpq-dev"]);
        assert_eq!(
            found.command.map(|command| command.steps),
            Some(vec![vec![
                "python".to_owned(),
                "main.py".to_owned(),
                "$A".to_owned()
            ]])
        );
        assert_eq!(
            installed("apk add --no-cache libpq && echo add x"),
            ["libpq"]
        );
    }
}
