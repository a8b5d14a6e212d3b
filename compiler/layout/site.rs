//! Folders of files for a web server: as they lie there, or as a build by Node makes them.

use serde_json::Value;

use super::node::without_comments;
use super::{Folder, Layout, join, node, settings};

/// What builds a site, and the folder that it makes where its configuration says nothing else. The first that a package
/// names counts: what serves others, as vite does, is last.
const BUILDERS: [(&str, &str, &str); 18] = [
    ("react-scripts", "build", ""),
    ("@docusaurus/core", "build", ""),
    ("gatsby", "public", ""),
    ("@11ty/eleventy", "_site", ""),
    ("@sveltejs/adapter-static", "build", ""),
    ("vitepress", ".vitepress/dist", ""),
    ("astro", "dist", "astro.config"),
    ("nuxt", ".output/public", ""),
    ("next", "out", ""),
    ("@vue/cli-service", "dist", "vue.config"),
    ("ember-cli", "dist", ""),
    ("@rsbuild/core", "dist", "rsbuild.config"),
    ("@stencil/core", "www", ""),
    ("preact-cli", "build", ""),
    ("vite", "dist", "vite.config"),
    ("parcel", "dist", ""),
    ("webpack", "dist", "webpack.config"),
    ("rollup", "dist", "rollup.config"),
];

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let package: Value = folder
        .text("package.json")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    settings::nginx(folder, layout);
    if package["scripts"]["build"].is_string() {
        node::manager(folder, &package, layout);
        node::version(folder, &package, layout);
        settings::of_bundler(folder, layout);
        layout.say("build", "build", "package.json");
        output(folder, &package, layout);
    } else if folder.has("index.html") {
        layout.say("app", ".", "index.html");
    } else {
        let places = [
            "public", "site", "www", "html", "static", "dist", "build", "docs",
        ];
        let with_page = places
            .into_iter()
            .map(|place| (place.to_owned(), format!("{place}/index.html")));
        layout.choose(
            "app",
            with_page.filter(|(_, page)| folder.has(page)).collect(),
        );
    }
    let what = "neither a folder of it has an index.html, nor is a script `build` of package.json known to make one";
    layout.check_entry(what, "", "say which folder is handed out: `app = \"dist\"`");
}

/// The folder that a build makes.
fn output(folder: &Folder<'_>, package: &Value, layout: &mut Layout) {
    if folder.has("angular.json") {
        angular(folder, layout);
        return;
    }
    let uses = |name: &str| {
        package["dependencies"][name].is_string() || package["devDependencies"][name].is_string()
    };
    let script = package["scripts"]["build"].as_str().unwrap_or_default();
    let runs = |name: &str| {
        let program = name
            .rsplit('/')
            .next()
            .unwrap_or(name)
            .trim_end_matches("-cli");
        script.split_whitespace().any(|word| word == program)
    };
    let builder = BUILDERS.iter().find(|(name, ..)| uses(name) || runs(name));
    let Some((_, usual, config)) = builder else {
        return;
    };
    let files = folder.list("");
    let named = |name: &str| {
        let is_code = [".js", ".mjs", ".cjs", ".ts", ".mts"]
            .iter()
            .any(|end| name.ends_with(end));
        !config.is_empty() && name.starts_with(config) && is_code
    };
    let config = files
        .iter()
        .map(|entry| &entry.name)
        .find(|name| named(name));
    let said = config.and_then(|config| Some((folder_of(&folder.text(config)?)?, config.clone())));
    let (output, from) = said.unwrap_or(((*usual).to_owned(), "package.json".to_owned()));
    layout.say("app", output, from);
}

/// The folder that a configuration names: `outDir: "site"`, `outputDir`, `path: path.resolve(__dirname, "site")`.
fn folder_of(config: &str) -> Option<String> {
    let code = without_comments(config);
    ["outDir", "outputDir", "__dirname,"]
        .iter()
        .find_map(|sign| {
            let rest = code.split_once(sign)?.1.trim_start_matches([':', ' ']);
            let quote = rest
                .chars()
                .next()
                .filter(|c| ['"', '\'', '`'].contains(c))?;
            let text = rest[1..].split(quote).next()?;
            Some(
                text.trim_start_matches("./")
                    .trim_end_matches('/')
                    .to_owned(),
            )
        })
}

/// The folder that Angular makes of its one application: what `outputPath` says, and `browser` in it where the builder
/// makes more than that.
fn angular(folder: &Folder<'_>, layout: &mut Layout) {
    let workspace: Value = folder
        .text("angular.json")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let projects = workspace["projects"].as_object().into_iter().flatten();
    let default = workspace["defaultProject"].as_str();
    let mut found = Vec::new();
    for (name, project) in projects {
        let is_library = project["projectType"].as_str() == Some("library");
        let build = if project["architect"].is_null() {
            &project["targets"]["build"]
        } else {
            &project["architect"]["build"]
        };
        if is_library || build.is_null() || default.is_some_and(|default| default != name) {
            continue;
        }
        let path = &build["options"]["outputPath"];
        let base = path.as_str().or(path["base"].as_str());
        let base = base.map_or_else(
            || join("dist", name),
            |base| base.trim_end_matches('/').to_owned(),
        );
        let is_new = build["builder"]
            .as_str()
            .is_some_and(|builder| builder.ends_with(":application"));
        let inside = match path["browser"].as_str() {
            Some(inside) => inside,
            None if is_new => "browser",
            None => "",
        };
        let output = if inside.is_empty() {
            base
        } else {
            join(&base, inside)
        };
        found.push((
            output.trim_start_matches("./").to_owned(),
            "angular.json".to_owned(),
        ));
    }
    layout.choose("app", found);
}
