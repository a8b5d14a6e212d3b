//! Folders of files for a web server: as they lie there, or as a build by Node makes them.

use serde_json::Value;

use super::{Folder, Layout, node};

pub(super) fn detect(folder: &Folder<'_>, layout: &mut Layout) {
    let package: Value = folder
        .text("package.json")
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    if package["scripts"]["build"].is_string() {
        node::manager(folder, &package, layout);
        layout.flag("build", "package.json");
        let uses = |name: &str| {
            package["dependencies"][name].is_string()
                || package["devDependencies"][name].is_string()
        };
        let output = if uses("react-scripts") || uses("@docusaurus/core") {
            "build"
        } else if uses("next") {
            "out"
        } else {
            "dist"
        };
        layout.say("app", output, "package.json");
        return;
    }
    if folder.has("index.html") {
        layout.say("app", ".", "index.html");
        return;
    }
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
