use proptest::prelude::*;

use super::{Language, Layout, Value, Word, detect, listens, version};
use crate::world::MemoryWorld;

/// What is seen in a folder of these files.
pub(super) fn seen(language: Language, entries: &[&str], files: &[(&str, &str)]) -> Layout {
    let mut world = MemoryWorld::default();
    for (path, text) in files {
        world.insert(format!("s/{path}"), *text);
    }
    detect(&world, "s", language, entries)
}

/// The answer to one question, or all candidates.
pub(super) fn answer(layout: &Layout, key: &str) -> String {
    let choice = layout.choices.iter().find(|choice| choice.key == key);
    match (layout.fact(key).map(|fact| &fact.value), choice) {
        (Some(Value::Text(word)), None) => word.to_string(),
        (Some(Value::Flag(flag)), None) => flag.to_string(),
        (Some(Value::Texts(words)), None) => {
            words.iter().map(Word::as_str).collect::<Vec<_>>().join(" ")
        }
        (Some(Value::Command(words)), None) => words.join(" "),
        (None, Some(choice)) => {
            let all: Vec<&str> = choice
                .candidates
                .iter()
                .map(|(value, _)| value.as_str())
                .collect();
            format!("one of {}", all.join(" "))
        }
        (None, None) => "nothing".to_owned(),
        (Some(_), Some(_)) => "an answer and a question".to_owned(),
    }
}

#[test]
fn servers_of_python() {
    let app = |files: &[(&str, &str)]| answer(&seen(Language::Python, &["FastAPI"], files), "app");
    assert_eq!(app(&[("main.py", "app = FastAPI()")]), "main:app");
    assert_eq!(
        app(&[("a/b/main.py", "api: FastAPI = fastapi.FastAPI(\n")]),
        "a.b.main:api"
    );
    assert_eq!(
        app(&[("src/shop/app.py", "app = FastAPI()")]),
        "shop.app:app"
    );
    assert_eq!(
        app(&[("src/main.py", "from src.x import y\napp = FastAPI()")]),
        "src.main:app"
    );
    assert_eq!(
        app(&[
            ("app/main.py", "app = create_app()"),
            ("app/web.py", "def create_app():")
        ]),
        "app.main:app"
    );
    assert_eq!(
        app(&[("app/web.py", "def create_app(): pass")]),
        "app.web:create_app()"
    );
    assert_eq!(app(&[("x.py", "server = FastAPI()")]), "x:server");
    // A line that is indented, a comparison, a comment or in a test is no server.
    let none =
        "    app = FastAPI()\nif app == FastAPI(): pass\n# app = FastAPI()\nx = [FastAPI()]\n";
    assert_eq!(
        app(&[("main.py", none), ("tests/main.py", "app = FastAPI()")]),
        "nothing"
    );
    assert_eq!(
        app(&[("main.py", "sub = FastAPI()\napp = FastAPI()")]),
        "main:app"
    );
    assert_eq!(
        app(&[("a.py", "x = FastAPI()"), ("b.py", "y = FastAPI()")]),
        "one of a:x b:y"
    );
}

#[test]
fn what_installing_reads_beside_the_lock_file() {
    let pip = |text: &str, key: &str| {
        let files = [
            ("requirements.txt", text),
            ("a.txt", "-r requirements.txt\n-r b/c.txt"),
            ("b/c.txt", "-c ../a.txt\nx"),
        ];
        answer(&seen(Language::Python, &[], &files), key)
    };
    assert_eq!(pip("-r a.txt\nfastapi==1", "includes"), "a.txt b/c.txt");
    assert_eq!(
        pip("--requirement=b/c.txt # all\n-rgone.txt", "includes"),
        "a.txt b/c.txt"
    );
    assert_eq!(
        pip(
            "-r ../a.txt\n-r /a.txt\n-r $X.txt\nx==1 --hash=sha256:a",
            "includes"
        ),
        "nothing"
    );
    assert_eq!(pip("-e ./lib", "local"), "true");
    assert_eq!(pip("lib @ file:lib", "local"), "true");
    assert_eq!(
        pip(
            "-e git+https://host/lib\nlib @ https://host/lib.whl",
            "local"
        ),
        "nothing"
    );
    let locked = |text: &str| {
        let layout = seen(
            Language::Python,
            &[],
            &[("requirements.txt", "-r a.txt"), ("a.txt", text)],
        );
        (
            layout.unlocked,
            layout.libraries.map(|libraries| libraries.complete),
        )
    };
    assert_eq!(locked("x==1 \\\n  --hash=sha256:a"), (None, Some(true)));
    assert_eq!(
        locked("x"),
        (Some("requirements.txt".to_owned()), Some(true))
    );
    assert_eq!(locked("-r gone.txt"), (None, Some(false)));
    let node =
        |text: &str, key: &str| answer(&seen(Language::Node, &[], &[("package.json", text)]), key);
    assert_eq!(
        node(r#"{"scripts":{"prepare":"husky"}}"#, "prepare"),
        "true"
    );
    assert_eq!(
        node(r#"{"scripts":{"prepare":"husky"}}"#, "local"),
        "nothing"
    );
    assert_eq!(
        node(r#"{"scripts":{"postinstall":"prisma generate"}}"#, "local"),
        "true"
    );
    assert_eq!(node(r#"{"dependencies":{"a":"file:a"}}"#, "local"), "true");
    assert_eq!(
        node(
            r#"{"dependencies":{"a":"^1"},"scripts":{"start":"node a"}}"#,
            "local"
        ),
        "nothing"
    );
    let go = |text: &str| answer(&seen(Language::Go, &[], &[("go.mod", text)]), "local");
    assert_eq!(go("module a\nreplace b => ./b\n"), "true");
    assert_eq!(go("module a\nreplace b => c v1\n"), "nothing");
    let rust = |channel: &str| {
        let toolchain = format!("[toolchain]\nchannel = \"{channel}\"\n");
        answer(
            &seen(
                Language::Rust,
                &[],
                &[("Cargo.toml", ""), ("rust-toolchain.toml", &toolchain)],
            ),
            "toolchain",
        )
    };
    assert_eq!(
        (rust("1.88.0"), rust("nightly")),
        ("true".to_owned(), "nothing".to_owned())
    );
}

#[test]
fn programs_of_python() {
    let app = |files: &[(&str, &str)]| answer(&seen(Language::Python, &[], files), "app");
    assert_eq!(app(&[("main.py", "")]), "main");
    assert_eq!(app(&[("mailer/__main__.py", "")]), "mailer");
    assert_eq!(
        app(&[
            ("main.py", ""),
            ("run.py", "if __name__ == '__main__': go()")
        ]),
        "run"
    );
    assert_eq!(app(&[("main.py", ""), ("run.py", "")]), "one of main run");
}

#[test]
fn versions_that_projects_take() {
    let python = |requires: &str| {
        let text = format!("[project]\nname = \"x\"\nrequires-python = \"{requires}\"\n");
        answer(
            &seen(Language::Python, &[], &[("pyproject.toml", &text)]),
            "version",
        )
    };
    let cases = [
        (">=3.8", "3.13"),
        (">=3.14", "3.14"),
        (">=3.11,<3.13", "3.12"),
        ("~=3.11", "3.13"),
        ("~=3.11.2", "3.11"),
        ("==3.10.*", "3.10"),
        ("<3.12", "3.11"),
        ("^3.9", "3.13"),
        ("<3.0", "nothing"),
        ("soon", "nothing"),
    ];
    for (requires, expected) in cases {
        assert_eq!(python(requires), expected, "{requires}");
    }
    assert_eq!(version("v22.11.0", 1).as_deref(), Some("22"));
    assert_eq!(version("1.88.0", 2).as_deref(), Some("1.88"));
    assert_eq!(version("stable", 2), None);
    assert_eq!(version("lts/*", 1), None);
}

#[test]
fn tools_of_python() {
    let manager = |files: &[(&str, &str)]| answer(&seen(Language::Python, &[], files), "manager");
    assert_eq!(manager(&[("x.py", "")]), "none");
    assert_eq!(manager(&[("requirements.txt", "")]), "pip");
    assert_eq!(manager(&[("requirements.txt", ""), ("uv.lock", "")]), "uv");
    assert_eq!(
        manager(&[("pyproject.toml", "[project]\nname = \"x\"")]),
        "pyproject"
    );
    assert_eq!(
        manager(&[("pdm.lock", ""), ("poetry.lock", "")]),
        "one of pdm poetry"
    );
}

#[test]
fn libraries_are_those_of_the_service() {
    let lock = "[[package]]\nname = \"A_b\"\ndependencies = [{ name = \"c\" }]\n[[package]]\nname = \"c\"\n\
                [[package]]\nname = \"pandas\"\n";
    let project = "[project]\nname = \"x\"\ndependencies = [\"a.b>=1 ; python_version > '3'\"]\n";
    let layout = seen(
        Language::Python,
        &[],
        &[("uv.lock", lock), ("pyproject.toml", project)],
    );
    let names: Vec<String> = layout
        .libraries
        .map(|found| found.names.into_iter().collect())
        .unwrap_or_default();
    assert_eq!(names, ["a-b", "c"]);
    let text = "-r base.txt\nFastAPI[standard]==1 # web\n";
    let layout = seen(Language::Python, &[], &[("requirements.txt", text)]);
    let found = layout.libraries.unwrap_or_default();
    assert!(!found.complete && found.names.contains("fastapi") && found.names.contains("uvicorn"));
}

#[test]
fn entries_of_node() {
    let app = |package: &str, files: &[(&str, &str)]| {
        let mut all = vec![("package.json", package)];
        all.extend(files);
        answer(&seen(Language::Node, &[], &all), "app")
    };
    assert_eq!(
        app(
            r#"{"scripts":{"start":"A=1 node -r x src/go.js"}}"#,
            &[("src/go.js", "")]
        ),
        "src/go.js"
    );
    assert_eq!(
        app(r#"{"scripts":{"start":"node ."}}"#, &[("index.js", "")]),
        "index.js"
    );
    assert_eq!(
        app(r#"{"main":"./lib/x.js"}"#, &[("lib/x.js", "")]),
        "lib/x.js"
    );
    assert_eq!(
        app(r#"{"main":"gone.js"}"#, &[("src/index.js", "")]),
        "src/index.js"
    );
    assert_eq!(
        app("{}", &[("app.js", ""), ("server.js", "")]),
        "one of app.js server.js"
    );
    assert_eq!(app("not json", &[]), "nothing");
    let two = [("yarn.lock", ""), ("package-lock.json", "{}")];
    assert_eq!(
        answer(&seen(Language::Node, &[], &two), "manager"),
        "one of npm yarn"
    );
    let named = [
        ("package.json", r#"{"packageManager":"npm@11.0.0"}"#),
        two[0],
        two[1],
    ];
    assert_eq!(answer(&seen(Language::Node, &[], &named), "manager"), "npm");
}

#[test]
fn programs_of_go_and_rust() {
    let main = "package main\n\nfunc main() {}\n";
    let go = |files: &[(&str, &str)]| answer(&seen(Language::Go, &[], files), "app");
    assert_eq!(
        go(&[
            ("go.mod", ""),
            ("x.go", main),
            ("gen.go", "//go:build ignore\n\npackage main")
        ]),
        "."
    );
    assert_eq!(
        go(&[
            ("go.mod", ""),
            ("cmd/a/a.go", main),
            ("vendor/b/b.go", main)
        ]),
        "./cmd/a"
    );
    assert_eq!(
        go(&[("go.mod", ""), ("a/a.go", main), ("a_test.go", main)]),
        "./a"
    );
    let rust = |files: &[(&str, &str)]| answer(&seen(Language::Rust, &[], files), "app");
    let package = "[package]\nname = \"x\"\n";
    assert_eq!(rust(&[("Cargo.toml", package), ("src/main.rs", "")]), "x");
    assert_eq!(
        rust(&[
            ("Cargo.toml", package),
            ("src/lib.rs", ""),
            ("src/bin/y.rs", "")
        ]),
        "y"
    );
    let both = [
        ("Cargo.toml", package),
        ("src/main.rs", ""),
        ("src/bin/z/main.rs", ""),
    ];
    assert_eq!(rust(&both), "one of x z");
    let named = "[package]\nname = \"x\"\ndefault-run = \"z\"\n";
    assert_eq!(rust(&[("Cargo.toml", named), both[1], both[2]]), "z");
}

#[test]
fn servers_that_are_seen_by_more_than_their_name() {
    let see = |files: &[(&str, &str)]| {
        let layout = seen(Language::Python, &["FastAPI"], files);
        format!("{} in {}", answer(&layout, "app"), answer(&layout, "root"))
    };
    let cases: [(&[(&str, &str)], &str); 12] = [
        (
            &[("main.py", "app: FastAPI = make()")],
            "main:app in nothing",
        ),
        (
            &[
                ("main.py", "app = build()"),
                ("f.py", "def build():\n    return FastAPI()\n"),
            ],
            "main:app in nothing",
        ),
        (&[("main.py", "app = typer.Typer()")], "nothing in nothing"),
        (
            &[("x.py", "def site(a: int = (1, 2), *, b=3) -> FastAPI:\n")],
            "x:site() in nothing",
        ),
        (
            &[(
                "x.py",
                "def create_app(\n    settings: Settings,\n) -> FastAPI:\n",
            )],
            "nothing in nothing",
        ),
        (
            &[
                (
                    "backend/app/main.py",
                    "from app.core import x\napp = FastAPI()",
                ),
                ("backend/app/core.py", ""),
            ],
            "app.main:app in backend",
        ),
        (
            &[
                ("backend/main.py", "import models, os\napp = FastAPI()"),
                ("backend/models.py", ""),
            ],
            "main:app in backend",
        ),
        (
            &[
                ("src/main.py", "from .db import x\napp = FastAPI()"),
                ("src/db.py", ""),
            ],
            "src.main:app in nothing",
        ),
        (
            &[
                ("a.py", "x = FastAPI()"),
                ("b.py", "y = FastAPI()"),
                (
                    "Procfile",
                    "web: gunicorn -k uvicorn.workers.UvicornWorker --bind :$PORT b:y\nworker: x\n",
                ),
            ],
            "b:y in nothing",
        ),
        (
            &[
                ("a.py", "x = FastAPI()"),
                ("b.py", "y = FastAPI()"),
                (
                    "Dockerfile",
                    "FROM python\nCMD uvicorn a:x --host 0.0.0.0\n",
                ),
            ],
            "a:x in nothing",
        ),
        (
            &[
                ("a.py", "x = FastAPI()"),
                ("Dockerfile", "FROM python\nCMD [\"uvicorn\", \"gone:x\"]\n"),
            ],
            "a:x in nothing",
        ),
        (
            &[
                ("a.py", "x = FastAPI()"),
                (
                    "Dockerfile",
                    "FROM python\nCMD [\"fastapi\", \"run\", \"a.py\"]\n",
                ),
            ],
            "a:app in nothing",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(see(files), expected, "{files:?}");
    }
}

#[test]
fn programs_of_python_by_commands_and_scripts() {
    let see = |files: &[(&str, &str)]| {
        let layout = seen(Language::Python, &[], files);
        ["app", "arguments", "call"]
            .map(|key| answer(&layout, key))
            .join("; ")
    };
    assert_eq!(see(&[("recommend.py", "")]), "recommend; nothing; nothing");
    assert_eq!(
        see(&[("a.py", ""), ("b.py", ""), ("setup.py", "")]),
        "one of a b; nothing; nothing"
    );
    assert_eq!(
        see(&[
            ("a.py", ""),
            ("b.py", ""),
            ("Procfile", "worker: python -u b.py --loop\n")
        ]),
        "b; --loop; nothing"
    );
    assert_eq!(
        see(&[
            ("tool/cli.py", ""),
            (
                "pyproject.toml",
                "[project]\nname = \"t\"\n[project.scripts]\nt = \"tool.cli:run\"\n"
            )
        ]),
        "nothing; nothing; -c import sys; from tool.cli import run; sys.exit(run())"
    );
    assert_eq!(see(&[("locustfile.py", "")]), "nothing; nothing; nothing");
}

#[test]
fn scripts_of_node_are_followed() {
    let see = |package: &str, files: &[(&str, &str)]| {
        let mut all = vec![("package.json", package)];
        all.extend(files);
        let layout = seen(Language::Node, &[], &all);
        let parts =
            ["env", "start", "flags", "app", "arguments", "dev"].map(|key| answer(&layout, key));
        let parts: Vec<String> = parts.into_iter().filter(|part| part != "nothing").collect();
        match layout.faults.first() {
            Some(fault) => format!("no: {}", fault.what),
            None => parts.join(" / "),
        }
    };
    let there = [
        ("server/server.js", ""),
        ("src/main.js", ""),
        ("app.js", ""),
    ];
    let cases = [
        (
            r#"{"scripts":{"start":"npm run go","go":"node server/server.js"}}"#,
            "server/server.js",
        ),
        (
            r#"{"scripts":{"start":"yarn go","go":"cross-env A=1 NODE_ENV=x node --enable-source-maps server/server --a 1"}}"#,
            "A=1 / --enable-source-maps / server/server.js / --a 1",
        ),
        (
            r#"{"scripts":{"start":"fastify start -l info app.js"},"main":"app.js","dependencies":{"fastify-cli":"1"}}"#,
            "/app/node_modules/.bin/fastify start -l info app.js",
        ),
        (r#"{"scripts":{"start":"nodemon app.js"}}"#, "app.js"),
        (
            r#"{"scripts":{"start":"tsx watch src/x.ts"},"devDependencies":{"tsx":"4"}}"#,
            "/app/node_modules/.bin/tsx src/x.ts / true",
        ),
        (
            r#"{"scripts":{"start":"nest start","start:prod":"node dist/main","build":"nest build"}}"#,
            "dist/main.js",
        ),
        (
            r#"{"scripts":{"start":"nest start","build":"nest build"}}"#,
            "dist/main.js",
        ),
        (
            r#"{"scripts":{"start":"npm run build && node dist/x.js","build":"tsc"}}"#,
            "dist/x.js",
        ),
        (
            r#"{"scripts":{"start":"npm run start"}}"#,
            "no: `start` is `npm run start`, which takes a shell",
        ),
        (
            r#"{"scripts":{"start":"node app.js | pino-pretty"}}"#,
            "no: `start` is `node app.js | pino-pretty`, which takes a shell",
        ),
        (
            r#"{"scripts":{"start":"vite"}}"#,
            "no: `start` runs `vite`, the server of somebody who works on a site",
        ),
        (
            r#"{"scripts":{"start":"next start"},"dependencies":{"next":"16"}}"#,
            "/app/node_modules/.bin/next start",
        ),
        (
            r#"{"scripts":{"start":"serve-it"}}"#,
            "no: `start` runs `serve-it`, which no package of package.json is known to bring",
        ),
        (
            r#"{"scripts":{"start":"node $X.js"}}"#,
            "no: `$X.js` is started, it is not there, and no script makes it",
        ),
    ];
    for (package, expected) in cases {
        assert_eq!(see(package, &there), expected, "{package}");
    }
    let web = [
        ("Procfile", "web: node src/main.js\nworker: node app.js\n"),
        there[1],
        there[2],
    ];
    assert_eq!(see(r#"{"scripts":{"start":"vite"}}"#, &web), "src/main.js");
    let own = [
        ("Dockerfile", "FROM node:22\nCMD [\"node\", \"app.js\"]\n"),
        there[2],
    ];
    assert_eq!(see(r#"{"scripts":{"start":"vite"}}"#, &own), "app.js");
}

#[test]
fn what_a_site_is_built_to() {
    let see = |package: &str, files: &[(&str, &str)]| {
        let mut all = vec![("package.json", package)];
        all.extend(files);
        answer(&seen(Language::Static, &[], &all), "app")
    };
    let vite = r#"{"scripts":{"build":"vite build"}}"#;
    assert_eq!(see(vite, &[]), "dist");
    assert_eq!(
        see(
            vite,
            &[(
                "vite.config.ts",
                "build: { outDir: './site' } // outDir: 'old'"
            )]
        ),
        "site"
    );
    assert_eq!(see(r#"{"scripts":{"build":"make"}}"#, &[]), "nothing");
    let angular = |build: &str| {
        let text = format!(
            r#"{{"projects":{{"a":{{"architect":{{"build":{build}}}}},"lib":{{"projectType":"library","architect":{{"build":{{}}}}}}}}}}"#
        );
        see(
            r#"{"scripts":{"build":"ng build"}}"#,
            &[("angular.json", &text)],
        )
    };
    assert_eq!(
        angular(r#"{"builder":"x:browser","options":{"outputPath":"dist/a"}}"#),
        "dist/a"
    );
    assert_eq!(
        angular(r#"{"builder":"@angular/build:application"}"#),
        "dist/a/browser"
    );
    assert_eq!(
        angular(
            r#"{"builder":"x:application","options":{"outputPath":{"base":"out","browser":""}}}"#
        ),
        "out"
    );
}

#[test]
fn packages_of_a_workspace_that_are_the_service() {
    let package = |name: &str| format!("[package]\nname = \"{name}\"\n");
    let (server, tool, fuzz) = (package("server"), package("tool"), package("fuzz"));
    let see = |top: &str| {
        let files = [
            ("Cargo.toml", top),
            ("server/Cargo.toml", server.as_str()),
            ("server/src/main.rs", ""),
            ("tool/Cargo.toml", tool.as_str()),
            ("tool/src/main.rs", ""),
            ("fuzz/Cargo.toml", fuzz.as_str()),
            ("fuzz/src/main.rs", ""),
        ];
        answer(&seen(Language::Rust, &[], &files), "app")
    };
    assert_eq!(
        see("[workspace]\nmembers = [\"*\"]\ndefault-members = [\"server\"]\n"),
        "server"
    );
    assert_eq!(
        see("[workspace]\nmembers = [\"server\", \"fuzz\"]\n"),
        "server"
    );
    assert_eq!(
        see("[workspace]\nmembers = [\"server\", \"tool\"]\n"),
        "one of server tool"
    );
}

#[test]
fn ports_that_are_written_down() {
    assert_eq!(listens("app.listen(3000)"), Some(3000));
    assert_eq!(listens("http.ListenAndServe(\":8080\", nil)"), Some(8080));
    assert_eq!(listens("bind(\"0.0.0.0:7000\")"), Some(7000));
    assert_eq!(listens("listen(process.env.PORT || 3000)"), None);
    assert_eq!(listens("listen(3000); other.listen(4000)"), None);
    assert_eq!(listens("listen(99999999)"), None);
}

proptest! {
    /// Whatever the files hold, looking at them ends without a panic.
    #[test]
    fn no_file_is_too_odd(text in "\\PC{0,200}", lines in "([a-z\\[\\]{}\"'=:.,()@^~><*/ -]{0,40}\n){0,8}") {
        let names = [
            "pyproject.toml", "uv.lock", "requirements.txt", "main.py", ".python-version", "package.json", "yarn.lock",
            "go.mod", "main.go", "Cargo.toml", "src/main.rs", "pom.xml", "build.gradle", "index.js", ".nvmrc",
        ];
        for (_, language) in super::LANGUAGES {
            for content in [&text, &lines] {
                let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, content.as_str())).collect();
                seen(language, &["FastAPI"], &files);
            }
        }
        super::context::measure(&MemoryWorld::with("s/a", "x"), "s", &lines);
    }
}
