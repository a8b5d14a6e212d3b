//! Java: Maven or Gradle, the version of the language, and the modules that could each be the service.

use super::{Folder, Layout, Libraries, Word, join, shown};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let gradle = ["build.gradle", "build.gradle.kts"]
        .into_iter()
        .find(|file| folder.has(file));
    let mut tools = Vec::new();
    if let Some(pom) = folder.text("pom.xml").map(|pom| without_comments(&pom)) {
        tools.push(("maven".to_owned(), "pom.xml".to_owned()));
        let asked = [
            "maven.compiler.release",
            "java.version",
            "maven.compiler.target",
            "maven.compiler.source",
            "release",
        ];
        if let Some(asked) = asked
            .iter()
            .find_map(|name| element(&pom, name))
            .and_then(|text| number(&text))
        {
            layout.say("version", asked, "pom.xml");
        }
        let modules = pom
            .split("<module>")
            .skip(1)
            .filter_map(|rest| rest.split("</module>").next());
        if pom.contains("<module>")
            || folder.has(".mvn/maven.config")
            || folder.has(".mvn/extensions.xml")
        {
            layout.say_local("pom.xml");
        }
        let modules: Vec<(String, String)> = modules
            .map(|name| {
                (
                    name.trim().trim_end_matches('/').to_owned(),
                    "pom.xml".to_owned(),
                )
            })
            .collect();
        runs_by_itself(folder, &pom, &modules, layout);
        layout.choose("module", modules);
    }
    if let Some(file) = gradle {
        tools.push(("gradle".to_owned(), file.to_owned()));
        let text = folder.text(file).unwrap_or_default();
        let after = |word: &str| {
            text.split(word)
                .nth(1)
                .map(|rest| rest.trim_start_matches([' ', '=', '(', '\'', '"']))
        };
        let signs = [
            "JavaLanguageVersion.of(",
            "JavaVersion.VERSION_",
            "sourceCompatibility",
        ];
        if let Some(asked) = signs.iter().find_map(|sign| number(after(sign)?)) {
            layout.say("version", asked, file);
        }
        layout.say("script", file, file);
        let signs = [
            "org.springframework.boot",
            "shadow",
            "Main-Class",
            "quarkus",
            "micronaut",
            "ktor",
            "spring.boot",
            "springBoot",
        ];
        let of_projects = folder
            .folders("")
            .into_iter()
            .filter_map(|name| folder.text(&join(&name, file)));
        if !std::iter::once(text.clone())
            .chain(of_projects)
            .any(|text| signs.iter().any(|sign| text.contains(sign)))
        {
            let what = "no plugin in it makes a jar that runs by itself, with its libraries and the name of its main class";
            let help = "add `com.gradleup.shadow` or `org.springframework.boot`, or say which file is the jar: `app = \"build/libs/app.jar\"`";
            layout.no_entry("app", what, file, help);
        }
        let settings = ["settings.gradle", "settings.gradle.kts"]
            .into_iter()
            .find(|file| folder.has(file));
        if let Some(settings) = settings {
            layout.say("settings", settings, settings);
        }
        // The script may read anything else: a catalogue of versions, properties, its own code, other projects.
        let folders = folder.folders("");
        let read = ["gradle/libs.versions.toml", "gradle.properties"]
            .iter()
            .any(|file| folder.has(file));
        if read
            || settings.is_some_and(|file| {
                folder
                    .text(file)
                    .is_some_and(|text| text.contains("include"))
            })
            || folders.iter().any(|name| name == "buildSrc")
        {
            layout.say_local(file);
        }
        if folder.has("gradle.lockfile") {
            layout.flag("lock", "gradle.lockfile");
        }
    }
    let files = ["pom.xml", "build.gradle", "build.gradle.kts"];
    if let Some((file, text)) = files
        .into_iter()
        .find_map(|file| Some((file, folder.text(file)?)))
    {
        // What brings a framework: only these names are looked for.
        let starters = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
        layout.libraries = Some(Libraries {
            from: file.to_owned(),
            names: starters
                .filter(|word| word.contains("starter"))
                .map(str::to_owned)
                .collect(),
            complete: false,
        });
    }
    if tools.is_empty() {
        let help = "say `source` of the folder that holds pom.xml or build.gradle";
        layout.no_entry(
            "manager",
            "there is neither pom.xml nor build.gradle",
            "",
            help,
        );
    }
    layout.choose("manager", tools);
}

/// Whether something in the build scripts makes a jar with its libraries, whose manifest names what to start.
fn runs_by_itself(
    folder: &Folder<'_>,
    pom: &str,
    modules: &[(String, String)],
    layout: &mut Layout,
) {
    let signs = [
        "spring-boot-maven-plugin",
        "maven-shade-plugin",
        "maven-assembly-plugin",
        "mainClass",
        "quarkus",
        "micronaut",
        "Main-Class",
        "mainclass",
        "helidon",
        "onejar",
    ];
    let makes = |text: &str| signs.iter().any(|sign| text.contains(sign));
    let of_modules = modules
        .iter()
        .filter_map(|(name, _)| folder.text(&join(name, "pom.xml")));
    if !makes(pom) && !of_modules.into_iter().any(|text| makes(&text)) {
        let what = "no plugin in it makes a jar that runs by itself, with its libraries and the name of its main class";
        let help = "add spring-boot-maven-plugin or maven-shade-plugin, or say which file is the jar: `app = \"target/app.jar\"`";
        layout.no_entry("app", what, "pom.xml", help);
    }
    for (name, _) in modules
        .iter()
        .filter(|(name, _)| Word::new(name.clone()).is_ok() && !folder.has(&join(name, "pom.xml")))
    {
        let what = format!("the module `{}` is not in the source", shown(name));
        layout.missing(
            what,
            "pom.xml",
            name,
            "make the folder that holds all modules the source",
        );
    }
}

/// XML without its comments.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| Some(part.split_once("-->")?.1));
    std::iter::once(first).chain(rest).collect()
}

/// The text of the first element of a name.
fn element(pom: &str, name: &str) -> Option<String> {
    let (_, rest) = pom.split_once(&format!("<{name}>"))?;
    Some(rest.split('<').next()?.trim().to_owned())
}

/// `21` of `21)`, `8` of `1.8`.
fn number(text: &str) -> Option<String> {
    let text = text.strip_prefix("1.").unwrap_or(text);
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}
