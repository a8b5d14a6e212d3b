//! The command line as clap parses it. `cli/mod.rs` runs it.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{candidates, paths};

#[derive(Debug, Parser)]
#[command(
    name = "bzc",
    version,
    about = "Compiles a memory budget for a small K3s machine, and proves that it all fits"
)]
#[command(
    after_help = "Exit codes: 0 clean; 1 errors in the program, files would change, or a report disagrees with itself; 2 usage or input; 101 a bug in bzc"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compile and write the output folder
    Build(Build),
    /// Compile and report, write nothing
    Check(Check),
    /// Show the ledger: what takes the memory, and what is proved
    Plan(Plan),
    /// Show what `build` would change
    Diff(Diff),
    /// Format programs in place
    Fmt(Fmt),
    /// Explain an error code, a lint, a field, a key of K3s, a rule, or a number of the program
    Explain(Explain),
    /// Re-check the proof that a report.json states, from its own numbers
    Verify(Verify),
    /// Look at the machine and the folder, and write a first program for what is there
    Init(Init),
    /// Write a program from manifests, a K3s config.yaml or a docker-compose file, and list what it leaves out
    Import(Import),
    /// Say what is wrong with the memory of a running cluster, and what it looks like from outside
    Doctor(Doctor),
    /// Print a completion script for a shell
    Completions {
        /// The shell, and the line that installs its script
        shell: Shell,
    },
    /// Write man pages
    #[command(hide = true)]
    Man {
        /// Where to write them
        folder: PathBuf,
    },
}

/// A shell that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    /// `source <(bzc completions bash)` in ~/.bashrc
    Bash,
    /// `eval (bzc completions elvish | slurp)` in ~/.elvish/rc.elv
    Elvish,
    /// `bzc completions fish | source` in ~/.config/fish/config.fish
    Fish,
    /// `bzc completions nushell | save --force ($nu.user-autoload-dirs.0 | path join bzc.nu)`, once
    Nushell,
    /// `bzc completions powershell | Out-String | Invoke-Expression` in $PROFILE
    Powershell,
    /// `source <(bzc completions zsh)` in ~/.zshrc, behind `compinit`
    Zsh,
}

#[derive(Debug, Args)]
pub(crate) struct Inputs {
    /// Programs, or folders with a `budget.bz`; `-` for standard input
    #[arg(value_name = "FILE", default_value = "budget.bz", value_parser = PathBufValueParser::new().map(paths::program))]
    pub(crate) files: Vec<PathBuf>,
    /// Compile for this environment of the program
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(candidates::environments))]
    pub(crate) env: Option<String>,
    /// Run no helm: charts come from what is kept in `.bzc/helm`
    #[arg(long)]
    pub(crate) offline: bool,
    #[command(flatten)]
    pub(crate) report: Report,
}

/// Findings that make a run fail although they are no errors.
#[derive(Debug, Args)]
pub(crate) struct Denied {
    /// Exit with 1 if there is a warning (`warnings`), one of a lint (its name), an unknown promise (`unknown`), an
    /// assumed one (`assumed`), a refuted one (`refuted`), or if one promise is either (its name: isolation, non-interference, sufficiency,
    /// liveness, survival)
    #[arg(long = "deny", value_name = "WHAT", value_delimiter = ',', value_parser = candidates::denied, add = ArgValueCompleter::new(candidates::denials))]
    pub(crate) what: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Report {
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Write the report to a file instead (formats other than human)
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Whether to colour
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    pub(crate) color: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people, on standard error
    Human,
    /// A line a finding, on standard error
    Short,
    /// A JSON object a line and a summary, on standard output
    Json,
    /// GitHub workflow commands, on standard output
    Github,
    /// A SARIF 2.1.0 log, on standard output
    Sarif,
    /// A code quality report of GitLab, on standard output
    Gitlab,
    /// Test suites as JUnit writes them, on standard output
    Junit,
    /// What reviewdog reads, on standard output
    Rdjson,
    /// With `diff --report`: a comment on a pull request, on standard output
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) denied: Denied,
    /// Output folder [default: `out` next to the program]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write nothing; exit with 1 if the output folder or the lock is not what would be written
    #[arg(long)]
    pub(crate) check: bool,
    /// Show the changes
    #[arg(long)]
    pub(crate) diff: bool,
    /// Choose all numbers anew that the `lock` of the program has
    #[arg(long, conflicts_with = "check")]
    pub(crate) refill: bool,
    /// Write the manifests adopted with `patch = in-place`, too, and show how
    #[arg(long, conflicts_with = "check")]
    pub(crate) write_sources: bool,
    /// Say all that is to be run next, whatever changed [on a terminal: what is to be run for what changed]
    #[arg(long, conflicts_with_all = ["check", "quiet"])]
    pub(crate) next: bool,
    /// Print no summary, and not what is to be run next
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    #[command(flatten)]
    pub(crate) denied: Denied,
    /// Make the changes that say the same in bz, and report what is left
    #[arg(long)]
    pub(crate) fix: bool,
    /// Show the changes of `--fix` and make none; exit with 1 if there are any
    #[arg(long, requires = "fix")]
    pub(crate) diff: bool,
    /// Count findings by code and lint instead of showing them
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Report errors, and nothing else
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Check again whenever a file changes, and say what changed in the ledger
    #[arg(long, conflicts_with_all = ["fix", "statistics", "output_file"])]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The program, or a folder with a `budget.bz`; `-` for standard input
    #[arg(value_name = "FILE", default_value = "budget.bz", value_parser = PathBufValueParser::new().map(paths::program))]
    pub(crate) file: PathBuf,
    /// Compile for this environment of the program
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Run no helm: charts come from what is kept in `.bzc/helm`
    #[arg(long)]
    pub(crate) offline: bool,
    /// Print report.json instead
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) json: bool,
    /// Say whether one service more would fit, and what it would change: `name=cache memory=64Mi`, or a declaration such
    /// as `service cache { memory = 64Mi }`
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["json", "baseline"])]
    pub(crate) add: Option<String>,
    /// Compare with an earlier report.json, or with a stats/summary of the kubelet
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) denied: Denied,
    #[command(flatten)]
    pub(crate) report: Report,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) inputs: Inputs,
    /// Say what starts again if the changes are applied, instead of how files differ; with `--format json` as an object
    #[arg(long)]
    pub(crate) restarts: bool,
    /// Compare with an earlier report.json instead of the output folder; `--format markdown` is a comment on a pull request
    #[arg(long = "report", value_name = "FILE", conflicts_with_all = ["out", "restarts"])]
    pub(crate) earlier: Option<PathBuf>,
    /// Output folder [default: `out` next to the program]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Programs, or folders with programs below; `-` for standard input, formatted to standard output
    #[arg(value_name = "FILE", default_value = "budget.bz")]
    pub(crate) files: Vec<PathBuf>,
    /// Write nothing; exit with 1 if a file is not formatted
    #[arg(long)]
    pub(crate) check: bool,
    /// Show the changes
    #[arg(long)]
    pub(crate) diff: bool,
    #[command(flatten)]
    pub(crate) report: Report,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code (BZ4001), a lint (unused), what is seen ("TLS handshake timeout"), a key (k3s.flannel-backend), an argument (k3s.kubelet-arg.max-pods), a rule
    /// (proof.fill), or a number of the program (service.NAME.memory, budget.NAME, node.NAME, k3s.memory)
    #[arg(value_name = "CODE or PATH", add = ArgValueCompleter::new(candidates::topics))]
    pub(crate) topic: Option<String>,
    /// The program, for a number of it
    #[arg(value_name = "FILE", default_value = "budget.bz")]
    pub(crate) file: PathBuf,
    /// Compile for this environment of the program
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Reports; `-` for standard input
    #[arg(value_name = "REPORT", default_value = "out/report.json")]
    pub(crate) reports: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Folders, whole repositories, manifests, dumps of `kubectl get -A -o yaml` or json, a K3s config.yaml with its
    /// drop-ins, compose files; `-` for standard input
    #[arg(value_name = "PATH", required_unless_present = "from_cluster")]
    pub(crate) files: Vec<PathBuf>,
    /// Ask the cluster of your kubeconfig what runs there, by one `kubectl get`, and keep the answer in `cluster.json`
    #[arg(long)]
    pub(crate) from_cluster: bool,
    /// Declare the workloads of manifests, instead of adopting them
    #[arg(long)]
    pub(crate) declare: bool,
    /// Exit with 1 if anything was left out
    #[arg(long)]
    pub(crate) strict: bool,
    /// Where to write the program; `-` for standard output
    #[arg(long, value_name = "FILE", default_value = "budget.bz")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Dumps of `kubectl get nodes,pods,deployments,resourcequotas -A -o json`, the kubelet's stats/summary of each node,
    /// folders of these; `-` for standard input. Without any, your kubectl is asked, and nothing is changed
    #[arg(value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Begin a program from it, as `import` does
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it
    #[arg(value_name = "FILE", default_value = "budget.bz")]
    pub(crate) file: PathBuf,
    /// Take what the machine says from files of this folder, instead of this machine: `meminfo`, `nproc`, `hostname`,
    /// `k3s-version`, `config.yaml`, and `nodes.json` of `kubectl get nodes -o json`
    #[arg(long, value_name = "DIR")]
    pub(crate) machine: Option<PathBuf>,
}
