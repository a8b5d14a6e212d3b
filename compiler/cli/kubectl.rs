//! The user's own kubectl, with the cluster of their kubeconfig. Secrets are never asked for.

use std::process::{Command, Stdio};

/// What `kubectl` is asked for: whatever makes pods, bounds them or says where they run. Nothing secret is among it.
const KINDS: &str = "nodes,namespaces,deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,\
    replicationcontrollers,jobs.batch,cronjobs.batch,pods,horizontalpodautoscalers.autoscaling,limitranges,\
    resourcequotas,services,persistentvolumeclaims,priorityclasses.scheduling.k8s.io,runtimeclasses.node.k8s.io,\
    storageclasses.storage.k8s.io,mutatingwebhookconfigurations.admissionregistration.k8s.io";

/// What runs in the cluster, by one `kubectl get`. Only reads.
pub(super) fn cluster() -> Result<Vec<u8>, String> {
    run(&["get", KINDS, "--all-namespaces", "--output=json"], "60s")
}

/// The nodes alone, for somebody who asked for nothing and does not wait long.
pub(super) fn nodes() -> Result<Vec<u8>, String> {
    run(&["get", "nodes", "--output=json"], "5s")
}

/// The kubelet's stats/summary of a node, through the API server.
pub(super) fn summary(node: &str) -> Result<Vec<u8>, String> {
    let path = format!("/api/v1/nodes/{node}/proxy/stats/summary");
    run(&["get", "--raw", &path], "60s")
}

/// What `kubectl` prints within a time, or why it fails.
fn run(args: &[&str], timeout: &str) -> Result<Vec<u8>, String> {
    let mut command = Command::new("kubectl");
    command
        .args(args)
        .arg(format!("--request-timeout={timeout}"));
    command.stdin(Stdio::null());
    let done = command
        .output()
        .map_err(|error| format!("`kubectl` cannot be run: {error}"))?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    // Its log, `E1130 23:51:36 ..`, says over and over what the last line says in words.
    let of_log = |line: &str| {
        let digits = line.strip_prefix('E').and_then(|rest| rest.get(..4));
        digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let has_words = said.lines().any(|line| !of_log(line));
    let lines = said.lines().filter(|line| !(has_words && of_log(line)));
    let lines: Vec<&str> = lines.take(5).collect();
    Err(format!(
        "`kubectl {}` failed: {}",
        args[0],
        lines.join("; ")
    ))
}
