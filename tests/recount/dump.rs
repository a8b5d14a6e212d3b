//! Which objects count for nothing: those that are not to run, have ended, or count with what made them.

use serde_yaml::Value;

use super::{is_kind, name_of};

/// Whether an object says that none of its pods is to run: it is suspended, or Helm runs it for a test or a removal.
pub(super) fn is_idle(object: &Value) -> bool {
    let hook = object["metadata"]["annotations"]["helm.sh/hook"].as_str();
    let beside = |event: &str| event.starts_with("test") || event.ends_with("-delete");
    let suspends = is_kind(object, "Job") || is_kind(object, "CronJob");
    // What K3s packages counts as that, where a dump of a cluster has it.
    let packaged = [
        "coredns",
        "local-path-provisioner",
        "metrics-server",
        "traefik",
    ];
    let is_packaged = packaged.contains(&name_of(object))
        && object["metadata"]["namespace"] == "kube-system"
        && !object["metadata"]["uid"].is_null();
    suspends && object["spec"]["suspend"].as_bool() == Some(true)
        || is_packaged
        || hook.is_some_and(|hook| hook.split(',').all(|event| beside(event.trim())))
}

/// Whether an object of a dump counts for nothing: it has ended, or counts with the controller among `all` that made it.
pub(super) fn is_left_out(object: &Value, all: &[Value]) -> bool {
    let metadata = &object["metadata"];
    let by_hand = !metadata["annotations"]["cronjob.kubernetes.io/instantiate"].is_null();
    let owners = metadata["ownerReferences"].as_sequence();
    let owner = owners
        .and_then(|all| all.iter().find(|owner| owner["controller"] == true))
        .filter(|_| !by_hand);
    let hash = metadata["labels"]["pod-template-hash"].as_str();
    let made = |by: &Value| {
        let owner = owner.unwrap_or(&Value::Null);
        let deployed = owner["name"].as_str()
            == hash
                .map(|hash| format!("{}-{hash}", name_of(by)))
                .as_deref();
        let is_owner = by["kind"] == owner["kind"] && owner["name"] == name_of(by)
            || is_kind(by, "Deployment") && deployed && owner["kind"] == "ReplicaSet";
        is_owner && !is_idle(by) && by["metadata"]["namespace"] == metadata["namespace"]
    };
    let ended = match object["kind"].as_str() {
        Some("Pod") => matches!(
            object["status"]["phase"].as_str(),
            Some("Succeeded" | "Failed")
        ),
        Some("Job") => object["status"]["conditions"]
            .as_sequence()
            .is_some_and(|all| {
                all.iter().any(|one| {
                    one["status"] == "True"
                        && (one["type"] == "Complete" || one["type"] == "Failed")
                })
            }),
        _ => false,
    };
    // The load balancer of K3s makes a DaemonSet for each Service, which is counted as that.
    let by_service = !metadata["labels"]["svccontroller.k3s.cattle.io/svcname"].is_null();
    ended || by_service || owner.is_some() && all.iter().any(made)
}
