//! The register of lints: warnings with a name that can be allowed where they are meant, with
//! `# bzc: allow(name) because ..` on the line above or behind. Their pages are `spec/lints/NAME.md`.

/// A registered lint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lint {
    /// Its name, which reads after "allow".
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Its page.
    pub page: &'static str,
}

macro_rules! lints {
    ($($name:literal $title:literal)*) => {
        /// All lints, sorted by name.
        pub(crate) const LINTS: &[Lint] = &[
            $(Lint { name: $name, title: $title, page: include_str!(concat!("../../spec/lints/", $name, ".md")) },)*
        ];
    };
}

lints! {
    "adopted-as-is" "an adopted container that no rule is about"
    "below-calm" "a limit at which a runtime is known to be slow"
    "blank-in-command" "a command whose first word has a blank"
    "cgroup-v1" "a K3s that does not start on cgroup v1"
    "deprecated-key" "a deprecated key of K3s"
    "exec-probe" "a probe that runs inside the container's limit"
    "heavy-library" "a library that leaves no room in the limit"
    "insufficient" "a limit below what was in use"
    "k3s-memory" "a figure of K3s that is not its peak of anonymous memory"
    "large-context" "a large build context"
    "large-cut" "an adopted container that is cut to a small part of its request"
    "left-out" "a file that a build reads and does not get"
    "limits-together" "limits that may come to more than pods can take together"
    "low-limit" "an adopted limit with which no container starts"
    "missing-library" "a library that the image starts and the source does not name"
    "missing-output" "a build that does not make what the image copies"
    "missing-reserve" "a node without a reserve"
    "native-library" "a library whose native code may be missing"
    "no-kube-proxy" "a component that does not work without kube-proxy"
    "no-lock-file" "libraries without a lock file"
    "past-end" "a version of a language that gets no more fixes"
    "past-limit" "a program that may take more memory than its limit"
    "plain-secret" "a password or key in plain text"
    "port-mismatch" "a port that nothing listens on"
    "rollout-waits" "a rollout that waits for room in a quota"
    "scale-without-metrics" "a scale that nothing can act on"
    "secret-in-context" "a file that looks like a secret in a build context"
    "single-server" "a cluster that must survive a loss with too few servers"
    "skipped-step" "a command that a source runs before it starts"
    "stale-allow" "an allowance that allows nothing"
    "uncounted-object" "an object whose pods are not counted"
    "uncounted-part" "what adopted pods ask for or are given, and no sum holds"
    "unknown-addon" "a name in `disable` that K3s does not package"
    "unknown-argument" "an argument its component may refuse"
    "unknown-coredns" "a K3s release whose CoreDNS is not known"
    "unknown-version" "a K3s version without tables"
    "unpinned-image" "an image whose content can change under its name"
    "unseen-source" "an image from a folder that is not there"
    "unused" "declared and never used"
}
