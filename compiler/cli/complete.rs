//! What shells and readers of manuals are told of the command line: scripts by which shells ask bzc what fits, and man pages.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Zsh};

use super::args::{Cli, Shell};
use super::ui::{fail, out};
use super::write::{Was, Written, write_all};
use super::{Exit, report_write};

/// The variable by which a shell asks for what fits.
const ASKED: &str = "COMPLETE";

/// Answers a shell that asks what fits, and ends. Does nothing otherwise.
pub(super) fn answer() {
    CompleteEnv::with_factory(Cli::command)
        .var(ASKED)
        .complete();
}

/// Prints the script by which a shell asks. That of nushell knows commands and options only.
pub(super) fn script(shell: Shell) -> Exit {
    let mut script = Vec::new();
    let dynamic: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
        Shell::Nushell => {
            let nushell = clap_complete_nushell::Nushell;
            clap_complete::generate(nushell, &mut Cli::command(), "bzc", &mut script);
            out(&String::from_utf8_lossy(&script));
            return Exit::Clean;
        }
    };
    match dynamic.write_registration(ASKED, "bzc", "bzc", "bzc", &mut script) {
        Ok(()) => {
            out(&String::from_utf8_lossy(&script));
            Exit::Clean
        }
        Err(error) => {
            fail(&format!("the script cannot be made: {error}"), &[]);
            Exit::Bug
        }
    }
}

/// Writes a man page of bzc and one of each command into a folder.
pub(super) fn manual(folder: &Path) -> Exit {
    let mut cli = Cli::command();
    cli.build();
    let commands = cli
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let named = |command: &Command| {
        command
            .get_display_name()
            .unwrap_or(command.get_name())
            .to_owned()
    };
    let mut pages = Vec::new();
    for command in std::iter::once(&cli)
        .chain(commands)
        .filter(|command| command.get_name() != "help")
    {
        let mut page = Vec::new();
        let name = named(command);
        if let Err(error) = clap_mangen::Man::new(command.clone()).render(&mut page) {
            fail(&format!("the page of {name} cannot be made: {error}"), &[]);
            return Exit::Bug;
        }
        pages.push((folder.join(format!("{name}.1")), page));
    }
    let files = pages.iter().map(|(path, page)| Written {
        path,
        was: Was::Anything,
        content: page,
    });
    match write_all(&files.collect::<Vec<_>>()) {
        Ok(()) => Exit::Clean,
        Err(error) => report_write(&error),
    }
}
