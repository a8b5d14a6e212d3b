//! Java: Maven or Gradle, the version of the language, and the modules that could each be the service.

use super::{Folder, Layout};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let gradle = ["build.gradle", "build.gradle.kts"]
        .into_iter()
        .find(|file| folder.has(file));
    let mut tools = Vec::new();
    if let Some(pom) = folder.text("pom.xml") {
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
        layout.choose(
            "module",
            modules
                .map(|name| (name.trim().to_owned(), "pom.xml".to_owned()))
                .collect(),
        );
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
    layout.choose("manager", tools);
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
