use proptest::prelude::*;

use super::{Language, Layout, Value, detect, listens, version};
use crate::world::MemoryWorld;

/// What is seen in a folder of these files.
fn seen(language: Language, entries: &[&str], files: &[(&str, &str)]) -> Layout {
    let mut world = MemoryWorld::default();
    for (path, text) in files {
        world.insert(format!("s/{path}"), *text);
    }
    detect(&world, "s", language, entries)
}

/// The answer to one question, or all candidates.
fn answer(layout: &Layout, key: &str) -> String {
    let choice = layout.choices.iter().find(|choice| choice.key == key);
    match (layout.fact(key).map(|fact| &fact.value), choice) {
        (Some(Value::Text(text)), None) => text.clone(),
        (Some(Value::Flag(flag)), None) => flag.to_string(),
        (Some(Value::Texts(texts)), None) => texts.join(" "),
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
        app(r#"{"scripts":{"start":"A=1 node -r x src/go.js"}}"#, &[]),
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
