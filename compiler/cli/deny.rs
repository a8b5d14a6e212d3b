//! `--deny`: from the names on the command line and the findings of a program to an exit code.

use super::Exit;
use super::args::Denied;
use super::ui::fail;

/// The name that denies a promise among others. Sufficiency is unknown wherever a pod runs that nobody measured: only
/// its own name denies that.
fn among<'n>(verdict: &'n str, promise: &'n str) -> &'n str {
    match promise {
        "sufficiency" if verdict == "unknown" => promise,
        _ => verdict,
    }
}

/// Reports the findings that `--deny` names, and whether there are any.
pub(crate) fn denial(denied: &Denied, found: &[bzc::Diagnostic], view: &bzc::View<'_, '_>) -> Exit {
    let denies = |names: [&str; 2]| {
        denied
            .what
            .iter()
            .any(|name| names.contains(&name.as_str()))
    };
    let mut lints: Vec<&str> = found
        .iter()
        .filter(|found| !found.is_error())
        .map(|warning| warning.id)
        .filter(|lint| denies(["warnings", lint]))
        .collect();
    lints.sort_unstable();
    lints.dedup();
    let warnings = lints.into_iter().map(|lint| format!("warning `{lint}`"));
    let stand = [
        ("refuted", view.refuted()),
        ("unknown", view.unknown()),
        ("assumed", view.assumed()),
    ];
    let promises = stand.iter().flat_map(|(verdict, promises)| {
        let denied = promises
            .iter()
            .filter(|name| denies([among(verdict, name), name]));
        denied.map(move |promise| format!("{promise} is {verdict}"))
    });
    let lines: Vec<String> = warnings.chain(promises).collect();
    if lines.is_empty() {
        return Exit::Clean;
    }
    fail("`--deny` names what is found here", &lines);
    Exit::Findings
}
