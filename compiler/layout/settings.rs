//! Files of settings that a build reads and that an ignore file leaves out, because such files often hold secrets: those
//! without any come back, of the others it is said that the build does not see them.

use super::{Folder, Layout, Word};

/// Beginnings of variables that bundlers write into pages, which anybody may read.
const PUBLIC: [&str; 8] = [
    "VITE_",
    "REACT_APP_",
    "NEXT_PUBLIC_",
    "VUE_APP_",
    "GATSBY_",
    "NUXT_PUBLIC_",
    "PUBLIC_",
    "NODE_ENV",
];
/// What lines of `.npmrc` have that log in somewhere.
const LOGINS: [&str; 7] = [
    "_auth",
    "_password",
    "username",
    "certfile",
    "keyfile",
    "${",
    "//",
];

/// `.npmrc` decides how packages are installed: `legacy-peer-deps`, another registry.
pub(super) fn npmrc(folder: &Folder<'_>, layout: &mut Layout) {
    let Some(text) = folder.text(".npmrc") else {
        return;
    };
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let is_login = |line: &str| {
        // The address of a registry, in which a name before an `@` logs in.
        let is_address = line.split_once('=').is_some_and(|(key, address)| {
            (key.trim() == "registry" || key.trim().ends_with(":registry"))
                && !address.contains('@')
        });
        let mut signs = LOGINS.iter();
        signs.any(|sign| line.contains(sign) && !(is_address && *sign == "//"))
    };
    if lines.into_iter().any(is_login) {
        layout.left_out.push((
            ".npmrc".to_owned(),
            "installing packages reads it, and it may hold a login",
        ));
    } else {
        layout.flag("npmrc", ".npmrc");
    }
}

/// `.env` and `.env.production`, which bundlers read when a site is built.
pub(super) fn of_bundler(folder: &Folder<'_>, layout: &mut Layout) {
    let mut kept = Vec::new();
    for file in [".env", ".env.production"] {
        let Some(text) = folder.text(file) else {
            continue;
        };
        let mut keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let is_public = |line: &str| {
            let key = line.trim_start_matches("export ");
            PUBLIC.iter().any(|prefix| key.starts_with(prefix))
        };
        if keys.all(is_public) {
            kept.extend(Word::new(file));
        } else {
            layout.left_out.push((
                file.to_owned(),
                "the build reads it, and not all in it is meant for a page",
            ));
        }
    }
    if !kept.is_empty() {
        layout.put(
            "settings_kept",
            super::Value::Texts(kept),
            "the variables in it",
        );
    }
}

/// The configuration of nginx that lies in a site: what it says of paths and of an API is not in the image by itself.
pub(super) fn nginx(folder: &Folder<'_>, layout: &mut Layout) {
    for file in [
        "nginx.conf",
        "default.conf",
        "nginx/nginx.conf",
        "nginx/default.conf",
    ] {
        if let Some(text) = folder.text(file) {
            layout.nginx = Some((
                file.to_owned(),
                text.contains("http {") || text.contains("http{"),
            ));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{npmrc, of_bundler};
    use crate::layout::{Folder, Layout};
    use crate::world::MemoryWorld;

    #[test]
    fn settings_without_secrets_come_back() {
        let see = |file: &str, text: &str| {
            let world = MemoryWorld::with(file, text);
            let folder = Folder {
                world: &world,
                path: "",
            };
            let mut layout = Layout::default();
            npmrc(&folder, &mut layout);
            of_bundler(&folder, &mut layout);
            (layout.facts.len(), layout.left_out.len())
        };
        assert_eq!(
            see(
                ".npmrc",
                "# a\nlegacy-peer-deps=true\nregistry=https://npm.lan/\n"
            ),
            (1, 0)
        );
        assert_eq!(see(".npmrc", "@a:registry=https://npm.lan/\n"), (1, 0));
        assert_eq!(see(".npmrc", "//npm.lan/:_authToken=abc\n"), (0, 1));
        assert_eq!(
            see(".npmrc", "registry=https://me:secret@npm.lan/\n"),
            (0, 1)
        );
        assert_eq!(see(".env.production", "VITE_API=https://api.lan\n"), (1, 0));
        assert_eq!(see(".env", "VITE_API=x\nDATABASE_URL=y\n"), (0, 1));
        assert_eq!(see("other", ""), (0, 0));
    }
}
