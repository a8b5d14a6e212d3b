//! What the scripts of package.json start: a file by node, or the program of a package. Scripts that run others are
//! followed; what only makes sense while somebody develops is refused by name.

use serde_json::Value;

use super::command::steps;
use super::{Folder, join, shown};

/// How far scripts are followed.
const DEEPEST: usize = 8;

/// Programs that start a server, with the package that brings each, where it is called otherwise.
const PROGRAMS: [(&str, &str); 12] = [
    ("fastify", "fastify-cli"),
    ("functions-framework", "@google-cloud/functions-framework"),
    ("medusa", "@medusajs/cli"),
    ("moleculer-runner", "moleculer"),
    ("pm2-runtime", "pm2"),
    ("react-router-serve", "@react-router/serve"),
    ("remix-serve", "@remix-run/serve"),
    ("sb", "storybook"),
    ("strapi", "@strapi/strapi"),
    ("swc-node", "@swc-node/register"),
    ("ts-node-esm", "ts-node"),
    ("babel-node", "@babel/node"),
];
/// Programs that serve the source of a site while somebody works on it.
const OF_SITES: [&str; 16] = [
    "astro",
    "craco",
    "docusaurus",
    "expo",
    "gatsby",
    "ng",
    "parcel",
    "react-app-rewired",
    "react-scripts",
    "rsbuild",
    "snowpack",
    "vite",
    "vue-cli-service",
    "webpack",
    "webpack-dev-server",
    "http-server",
];
/// Programs that keep several others.
const OF_SEVERAL: [&str; 9] = [
    "concurrently",
    "foreman",
    "honcho",
    "npm-run-all",
    "nf",
    "pm2",
    "run-p",
    "supervisord",
    "turbo",
];
/// Programs that start another again when a file changes. What they start is started.
const WATCHERS: [&str; 5] = [
    "forever",
    "node-dev",
    "nodemon",
    "node-supervisor",
    "supervisor",
];
/// Programs that run TypeScript without a build.
const OF_TYPESCRIPT: [&str; 8] = [
    "babel-node",
    "esno",
    "swc-node",
    "ts-node",
    "ts-node-dev",
    "ts-node-esm",
    "tsnd",
    "tsx",
];
/// Flags of node that are followed by their value.
const FLAGS_WITH_VALUE: [&str; 9] = [
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
    "-C",
    "--conditions",
    "--title",
];

/// What is started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Start {
    /// Variables that it is given, as `A=1`.
    pub env: Vec<String>,
    /// Options of node.
    pub flags: Vec<String>,
    /// The file that node runs; empty where a program of a package is started.
    pub file: String,
    /// The program of a package.
    pub program: String,
    /// What the file or the program is given.
    pub arguments: Vec<String>,
    /// Whether the program is only there for developers.
    pub dev: bool,
    /// Commands that run before it, and that an image does not run.
    pub skipped: Vec<String>,
    /// The file that says so.
    pub from: String,
}

/// Why a script starts nothing that an image could start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoStart {
    /// What it runs, and what is wrong with that.
    pub what: String,
    /// What would help.
    pub help: &'static str,
}

/// The scripts of a package.
pub(super) struct Scripts<'s> {
    pub folder: &'s Folder<'s>,
    pub package: &'s Value,
}

impl Scripts<'_> {
    /// A script by its name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.package["scripts"][name].as_str()
    }

    /// Whether package.json names a package, and whether for developers alone.
    fn has(&self, name: &str) -> Option<bool> {
        let names = |table: &str| self.package[table].get(name).is_some();
        let of_all = names("dependencies") || names("optionalDependencies");
        (of_all || names("devDependencies")).then_some(!of_all)
    }

    /// What the script of a name starts.
    pub(super) fn start(&self, name: &str) -> Option<Result<Start, NoStart>> {
        Some(self.follow(self.get(name)?, name, 0))
    }

    /// What a line starts.
    pub(super) fn follow(&self, line: &str, name: &str, depth: usize) -> Result<Start, NoStart> {
        let no = |what: String, help| Err(NoStart { what, help });
        let Some(mut steps) = steps(line).filter(|_| depth < DEEPEST) else {
            return no(
                format!("`{name}` is `{}`, which takes a shell", shown(line)),
                "say what runs: `start = [\"node\", \"server.js\"]`",
            );
        };
        let last = steps.pop().unwrap_or_default();
        let mut start = self.step(&last, name, depth)?;
        let before = steps.iter().filter(|step| !self.is_build(step));
        start.skipped.extend(before.map(|step| step.join(" ")));
        Ok(start)
    }

    /// What the words of one command start.
    pub(super) fn step(
        &self,
        words: &[String],
        name: &str,
        depth: usize,
    ) -> Result<Start, NoStart> {
        let mut env = Vec::new();
        let mut rest = words;
        while let Some((first, others)) = rest.split_first() {
            let is_variable = first.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            });
            if is_variable {
                env.push(first.clone());
            } else if ![
                "cross-env",
                "cross-env-shell",
                "env",
                "exec",
                "npx",
                "pnpx",
                "bunx",
                "dumb-init",
                "tini",
                "--",
            ]
            .contains(&first.as_str())
            {
                break;
            }
            rest = others;
        }
        let Some((program, arguments)) = rest.split_first() else {
            return Err(NoStart {
                what: format!("`{name}` starts nothing"),
                help: "say what runs: `start = [\"node\", \"server.js\"]`",
            });
        };
        let program = program.rsplit('/').next().unwrap_or(program);
        let mut start = self.program(program, arguments, name, depth)?;
        env.retain(|variable| !variable.starts_with("NODE_ENV="));
        start.env.splice(0..0, env);
        if let Some(word) = start
            .arguments
            .iter()
            .chain(&start.flags)
            .find(|word| word.contains('$'))
        {
            return Err(NoStart {
                what: format!(
                    "`{name}` is given `{}`, which only a shell knows",
                    shown(word)
                ),
                help: "say what runs: `start = [\"node\", \"server.js\"]`",
            });
        }
        Ok(start)
    }

    fn program(
        &self,
        program: &str,
        arguments: &[String],
        name: &str,
        depth: usize,
    ) -> Result<Start, NoStart> {
        let no = |what: String, help| Err(NoStart { what, help });
        let first = arguments.first().map_or("", String::as_str);
        match program {
            "npm" | "yarn" | "pnpm" | "bun" => self.script(program, arguments, name, depth),
            "node" | "nodejs" => Ok(by_node(arguments)),
            _ if WATCHERS.contains(&program) => self.watched(arguments, name, depth),
            "nest" if first == "start" => Ok(Start {
                file: match arguments.get(1).filter(|word| !word.starts_with('-')) {
                    Some(app) => format!("dist/apps/{app}/main.js"),
                    None => "dist/main.js".to_owned(),
                },
                ..Start::default()
            }),
            "nx" => self.nx(name),
            "next" if first == "start" => Ok(self.of_package("next", arguments, name)?),
            _ if OF_SITES.contains(&program) || program == "next" => no(
                format!("`{name}` runs `{program}`, the server of somebody who works on a site"),
                "a site that is built is `runtime = static`, or `runtime = nextjs`",
            ),
            _ if OF_SEVERAL.contains(&program) => no(
                format!("`{name}` runs `{program}`, which keeps several programs"),
                "each program is a service: say for each what runs, as in `start = [\"node\", \"server.js\"]`",
            ),
            _ if OF_TYPESCRIPT.contains(&program) => {
                let rest: Vec<String> = arguments
                    .iter()
                    .filter(|word| *word != "watch")
                    .cloned()
                    .collect();
                let rest: Vec<String> = rest
                    .into_iter()
                    .filter(|word| {
                        ![
                            "--respawn",
                            "--watch",
                            "--clear-screen",
                            "--transpile-only-watch",
                        ]
                        .contains(&word.as_str())
                    })
                    .collect();
                self.of_package(program, &rest, name)
            }
            _ => self.of_package(program, arguments, name),
        }
    }

    /// `npm run NAME`, `yarn NAME` and their like.
    fn script(
        &self,
        tool: &str,
        arguments: &[String],
        name: &str,
        depth: usize,
    ) -> Result<Start, NoStart> {
        let mut words = arguments
            .iter()
            .filter(|word| !word.starts_with('-'))
            .map(String::as_str);
        let mut wanted = words.next().unwrap_or_default();
        if ["run", "run-script", "exec"].contains(&wanted) {
            wanted = words.next().unwrap_or_default();
        }
        if let Some(line) = self.get(wanted) {
            return self.follow(line, wanted, depth + 1);
        }
        if tool == "bun" && (wanted.ends_with(".ts") || wanted.ends_with(".js")) {
            return Err(NoStart {
                what: format!(
                    "`{name}` runs `bun {}`, which Node does not know",
                    shown(wanted)
                ),
                help: "say what runs: `start = [\"node\", \"server.js\"]`",
            });
        }
        if tool == "npm" || wanted.is_empty() {
            return Err(NoStart {
                what: format!(
                    "`{name}` runs the script `{}`, and package.json has none",
                    shown(wanted)
                ),
                help: "say what runs: `start = [\"node\", \"server.js\"]`",
            });
        }
        let rest: Vec<String> = words.map(str::to_owned).collect();
        self.program(wanted, &rest, name, depth + 1)
    }

    /// What a watcher starts: its command, or a file as node starts it.
    fn watched(&self, arguments: &[String], name: &str, depth: usize) -> Result<Start, NoStart> {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-x" | "--exec" => {
                    let line = words.next().map_or("", String::as_str);
                    return self.follow(line, name, depth + 1);
                }
                "-w" | "--watch" | "-e" | "--ext" | "-i" | "--ignore" | "--delay" | "-d" => {
                    words.next();
                }
                flag if flag.starts_with('-') => {}
                file if file.ends_with(".ts") => {
                    let runner = ["tsx", "ts-node"]
                        .into_iter()
                        .find(|runner| self.has(runner).is_some());
                    return self.of_package(
                        runner.unwrap_or("ts-node"),
                        std::slice::from_ref(word),
                        name,
                    );
                }
                file => {
                    let mut start = Start {
                        file: file.to_owned(),
                        ..Start::default()
                    };
                    start.arguments.extend(words.cloned());
                    return Ok(start);
                }
            }
        }
        Ok(Start {
            file: ".".to_owned(),
            ..Start::default()
        })
    }

    /// A program that a package of package.json brings.
    fn of_package(
        &self,
        program: &str,
        arguments: &[String],
        name: &str,
    ) -> Result<Start, NoStart> {
        let package = PROGRAMS
            .iter()
            .find(|(bin, _)| *bin == program)
            .map_or(program, |(_, package)| package);
        let Some(dev) = self.has(package).or_else(|| self.has(program)) else {
            return Err(NoStart {
                what: format!(
                    "`{name}` runs `{}`, which no package of package.json is known to bring",
                    shown(program)
                ),
                help: "say what runs: `start = [\"node\", \"server.js\"]`",
            });
        };
        Ok(Start {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            dev,
            ..Start::default()
        })
    }

    /// What nx builds of the one project of a repository.
    fn nx(&self, name: &str) -> Result<Start, NoStart> {
        let project: Value = self
            .folder
            .text("project.json")
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let options = &project["targets"]["build"]["options"];
        let built = options["outputPath"]
            .as_str()
            .zip(options["main"].as_str())
            .map(|(folder, main)| {
                let stem = main
                    .rsplit('/')
                    .next()
                    .unwrap_or(main)
                    .trim_end_matches(".ts")
                    .trim_end_matches(".js");
                join(
                    folder.trim_start_matches("./").trim_end_matches('/'),
                    &format!("{stem}.js"),
                )
            });
        match built {
            Some(file) => Ok(Start {
                file,
                from: "project.json".to_owned(),
                ..Start::default()
            }),
            None => Err(NoStart {
                what: format!(
                    "`{name}` runs `nx`, and no project.json at the top says what its build makes"
                ),
                help: "say what the build makes: `app = \"dist/apps/api/main.js\"`",
            }),
        }
    }

    /// Whether a command only makes what the script `build` makes too, or nothing at all.
    fn is_build(&self, step: &[String]) -> bool {
        let makes = ["rimraf", "rm", "mkdir", "echo", "true"];
        let first = step
            .first()
            .map_or("", |word| word.rsplit('/').next().unwrap_or(word));
        let builds = self.get("build").is_some()
            && step.iter().any(|word| {
                [
                    "tsc", "webpack", "babel", "esbuild", "swc", "tsup", "install", "ci",
                ]
                .contains(&word.as_str())
                    || word.contains("build")
            });
        makes.contains(&first) || builds
    }
}

/// `node -r ./trace src/server.js --port 3000`.
fn by_node(arguments: &[String]) -> Start {
    let mut start = Start::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if FLAGS_WITH_VALUE.contains(&word.as_str()) {
            start.flags.push(word.clone());
            start.flags.extend(words.next().cloned());
        } else if word.starts_with("--watch") || word.starts_with("--inspect") {
            // They are for somebody who works on it.
        } else if word.starts_with('-') {
            start.flags.push(word.clone());
        } else {
            start.file.clone_from(word);
            start.arguments = words.cloned().collect();
            break;
        }
    }
    start
}
