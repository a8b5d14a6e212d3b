//! Cases of Kubernetes' own unit tests and documentation: `plugin/pkg/admission/limitranger/admission_test.go`,
//! `pkg/quota/v1/evaluator/core/*_test.go`, `apiserver/pkg/admission/plugin/resourcequota/admission_test.go`,
//! https://kubernetes.io/docs/concepts/policy/limit-range/ and https://kubernetes.io/docs/concepts/policy/resource-quotas/.

use super::limits::{
    Found, Limits, Of, Refusal, Rule, claim_refusals, give_defaults, invalid, refusals,
};
use super::quota::{
    Ends, Member, Quota, Scope, ServiceType, Test, claim_usage, judge, objects, pod_usage,
    service_usage,
};
use super::{Amount, Container, Pod, Resources, Role, amount, pieces, shown};

/// `cpu=100m memory=64Mi`.
fn list(text: &str) -> Resources {
    text.split_whitespace()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, amount)| (name.to_owned(), amount_of(amount)))
        .collect()
}

fn amount_of(text: &str) -> Amount {
    amount(text).expect("the cases are written well")
}

fn container(role: Role, requests: &str, limits: &str) -> Container {
    let mut container = Container {
        name: "foo".to_owned(),
        role,
        requests: list(requests),
        limits: list(limits),
    };
    container.complete();
    container
}

fn pod(containers: &[(Role, &str, &str)]) -> Pod {
    let all = containers
        .iter()
        .map(|(role, requests, limits)| container(*role, requests, limits));
    Pod {
        containers: all.collect(),
        ..Pod::default()
    }
}

/// `n` containers that are alike.
fn alike(n: usize, requests: &str, limits: &str) -> Pod {
    pod(&vec![(Role::Main, requests, limits); n])
}

fn range(of: Of, min: &str, max: &str, ratio: &str) -> Limits {
    Limits {
        min: list(min),
        max: list(max),
        ratio: list(ratio),
        ..Limits::nothing(of)
    }
}

/// An entry with these defaults, completed as the API server does.
fn defaults(min: &str, max: &str, default: &str, default_request: &str) -> Limits {
    let mut limits = Limits {
        default: list(default),
        default_request: list(default_request),
        ..range(Of::Container, min, max, "")
    };
    limits.complete();
    limits
}

#[test]
fn a_limit_is_the_request_where_none_is_given() {
    let one = container(Role::Main, "cpu=50m", "cpu=100m memory=64Mi");
    assert_eq!(one.requests, list("cpu=50m memory=64Mi"));
}

#[test]
fn max_is_the_default_and_min_is_only_the_default_request() {
    let cases = [
        // min, max, default, defaultRequest; default and defaultRequest completed.
        ("", "memory=1Gi", "", "", "memory=1Gi", "memory=1Gi"),
        ("memory=1Gi", "", "", "", "", "memory=1Gi"),
        ("", "", "memory=1Gi", "", "memory=1Gi", "memory=1Gi"),
        (
            "memory=64Mi",
            "memory=1Gi",
            "",
            "",
            "memory=1Gi",
            "memory=1Gi",
        ),
        ("cpu=100m", "cpu=1", "", "cpu=200m", "cpu=1", "cpu=200m"),
        (
            "cpu=100m",
            "memory=1Gi",
            "cpu=500m",
            "",
            "cpu=500m memory=1Gi",
            "cpu=500m memory=1Gi",
        ),
    ];
    for (min, max, default, request, then_default, then_request) in cases {
        let limits = defaults(min, max, default, request);
        assert_eq!(limits.default, list(then_default), "{min} {max} {default}");
        assert_eq!(
            limits.default_request,
            list(then_request),
            "{min} {max} {default}"
        );
    }
    let mut of_pod = range(Of::Pod, "memory=1Mi", "memory=1Gi", "");
    of_pod.complete();
    assert!(of_pod.default.is_empty() && of_pod.default_request.is_empty());
}

/// The documentation's example: a default limit of 500m under a request of 700m is no valid pod.
#[test]
fn a_default_limit_may_make_a_pod_invalid() {
    let limits = defaults("cpu=100m", "cpu=1", "cpu=500m", "cpu=500m");
    let mut conflicts = container(Role::Main, "cpu=700m", "");
    assert!(give_defaults(&mut conflicts, [&limits].into_iter()).is_empty());
    assert_eq!(
        invalid(&conflicts),
        Some(("cpu", amount_of("700m"), amount_of("500m")))
    );
    let mut both = container(Role::Main, "cpu=700m", "cpu=700m");
    give_defaults(&mut both, [&limits].into_iter());
    assert_eq!(invalid(&both), None);
    // What cannot be shared has the same request and limit.
    let uneven = container(Role::Main, "example.com/dongle=1", "example.com/dongle=2");
    assert!(invalid(&uneven).is_some());
}

/// `TestMergePodResourceRequirements`.
#[test]
fn only_what_is_missing_is_given() {
    let limits = defaults(
        "cpu=25m memory=1Mi",
        "cpu=100m memory=2Gi",
        "cpu=75m memory=10Mi",
        "cpu=50m memory=5Mi",
    );
    let mut empty = container(Role::Main, "", "");
    give_defaults(&mut empty, [&limits].into_iter());
    assert_eq!(empty.requests, list("cpu=50m memory=5Mi"));
    assert_eq!(empty.limits, list("cpu=75m memory=10Mi"));
    let mut some = container(Role::Main, "memory=512Mi", "");
    give_defaults(&mut some, [&limits].into_iter());
    assert_eq!(some.requests, list("cpu=50m memory=512Mi"));
    assert_eq!(some.limits, list("cpu=75m memory=10Mi"));
    let mut all = container(Role::Init, "cpu=200m memory=1G", "cpu=400m memory=2G");
    let before = all.clone();
    give_defaults(&mut all, [&limits].into_iter());
    assert_eq!(all, before);
}

#[test]
fn several_ranges_must_give_the_same() {
    let (a, b) = (
        defaults("", "", "memory=64Mi", ""),
        defaults("", "memory=1Gi", "memory=128Mi", ""),
    );
    let mut one = container(Role::Main, "", "");
    let unsettled = give_defaults(&mut one, [&a, &b].into_iter());
    assert_eq!(unsettled, ["memory"]);
    assert_eq!(one.limits, list("memory=128Mi"));
    let mut own = container(Role::Main, "", "memory=32Mi");
    assert!(give_defaults(&mut own, [&a, &b].into_iter()).is_empty());
    let mut same = container(Role::Main, "", "");
    assert!(give_defaults(&mut same, [&a, &a].into_iter()).is_empty());
    // Each gives what the other does not.
    let cpu = defaults("", "", "cpu=1", "");
    let mut two = container(Role::Main, "", "");
    assert!(give_defaults(&mut two, [&a, &cpu].into_iter()).is_empty());
    assert_eq!(two.limits, list("cpu=1 memory=64Mi"));
}

/// `TestPodLimitFunc`, with the names that the cases have there.
#[test]
fn the_pods_of_kubernetes_own_test_are_judged_as_there() {
    use Of::{Container as C, Pod as P};
    let admitted = [
        (
            "ctr-min-cpu-request",
            alike(1, "cpu=100m", ""),
            range(C, "cpu=50m", "", ""),
        ),
        (
            "ctr-min-cpu-request-limit",
            alike(1, "cpu=100m", "cpu=200m"),
            range(C, "cpu=50m", "", ""),
        ),
        (
            "ctr-max-cpu-limit",
            alike(1, "", "cpu=1"),
            range(C, "", "cpu=2", ""),
        ),
        (
            "ctr-max-cpu-ratio",
            alike(1, "cpu=500m", "cpu=750m"),
            range(C, "", "", "cpu=1.5"),
        ),
        (
            "pod-min-cpu-request",
            alike(2, "cpu=75m", ""),
            range(P, "cpu=100m", "", ""),
        ),
        (
            "pod-min-memory-request",
            alike(2, "memory=60Mi", ""),
            range(P, "memory=100Mi", "", ""),
        ),
        (
            "pod-init-min-memory-request",
            pod(&[
                (Role::Main, "memory=60Mi", ""),
                (Role::Main, "memory=60Mi", ""),
                (Role::Init, "memory=100Mi", ""),
            ]),
            range(P, "memory=100Mi", "", ""),
        ),
        (
            "pod-max-cpu-limit",
            alike(2, "", "cpu=1"),
            range(P, "", "cpu=2", ""),
        ),
        (
            "pod-init-max-cpu-limit",
            pod(&[
                (Role::Init, "", "cpu=2"),
                (Role::Init, "", "cpu=2"),
                (Role::Main, "", "cpu=1"),
                (Role::Main, "", "cpu=1"),
            ]),
            range(P, "", "cpu=2", ""),
        ),
        (
            "pod-max-mem-ratio",
            alike(3, "memory=300Mi", "memory=450Mi"),
            range(P, "", "memory=2Gi", "memory=1.5"),
        ),
        (
            "ctr-1-max-local-ephemeral-storage-limit",
            alike(1, "", "ephemeral-storage=500Mi"),
            range(C, "", "ephemeral-storage=1Gi", ""),
        ),
    ];
    for (name, pod, limits) in admitted {
        assert_eq!(refusals(&limits, &pod), [], "{name}");
    }
    let refused = [
        (
            "ctr-min-cpu-request",
            alike(1, "cpu=40m", ""),
            range(C, "cpu=50m", "", ""),
        ),
        (
            "ctr-min-cpu-no-request-limit",
            alike(1, "", ""),
            range(C, "cpu=50m", "", ""),
        ),
        (
            "ctr-max-mem-no-request-limit",
            alike(1, "", ""),
            range(C, "", "memory=2Gi", ""),
        ),
        (
            "ctr-max-mem-request",
            alike(1, "memory=250Mi", ""),
            range(C, "", "memory=1Gi", ""),
        ),
        (
            "ctr-max-cpu-ratio",
            alike(1, "cpu=1250m", "cpu=2500m"),
            range(C, "", "", "cpu=1"),
        ),
        (
            "ctr-max-mem-ratio",
            alike(1, "memory=500Mi", "memory=750Mi"),
            range(C, "", "", "memory=1.4"),
        ),
        (
            "pod-min-cpu-request",
            alike(1, "cpu=75m", ""),
            range(P, "cpu=100m", "", ""),
        ),
        (
            "pod-min-memory-request",
            alike(1, "memory=60Mi", ""),
            range(P, "memory=100Mi", "", ""),
        ),
        (
            "pod-max-mem-limit",
            alike(3, "", "memory=500Mi"),
            range(P, "", "memory=1Gi", ""),
        ),
        (
            "pod-max-mem-ratio",
            alike(3, "memory=250Mi", "memory=500Mi"),
            range(P, "", "memory=2Gi", "memory=1.5"),
        ),
        (
            "pod-init-max-cpu-limit",
            pod(&[(Role::Init, "", "cpu=3"), (Role::Main, "", "cpu=1")]),
            range(P, "", "cpu=2", ""),
        ),
    ];
    for (name, pod, limits) in refused {
        assert_ne!(refusals(&limits, &pod), [], "{name}");
    }
}

#[test]
fn a_refusal_says_what_it_found() {
    let limits = range(Of::Container, "", "memory=256Mi", "");
    assert_eq!(
        refusals(&limits, &alike(1, "", "memory=512Mi")),
        [Refusal {
            container: Some(0),
            resource: "memory".to_owned(),
            rule: Rule::Max,
            bound: amount_of("256Mi"),
            found: Found::Limit(amount_of("512Mi")),
        }]
    );
}

/// `TestPersistentVolumeClaimLimitFunc`.
#[test]
fn claims_are_held_to_the_least_and_the_most_of_their_request() {
    let limits = range(Of::Claim, "storage=1Gi", "storage=10Gi", "storage=1");
    assert_eq!(claim_refusals(&limits, &list("storage=10Gi")), []);
    for (amount, rule) in [("500Mi", Rule::Min), ("20Gi", Rule::Max)] {
        let refused = claim_refusals(&limits, &list(&format!("storage={amount}")));
        let rules: Vec<Rule> = refused.iter().map(|refusal| refusal.rule).collect();
        assert_eq!(rules, [rule], "{amount}");
    }
    let of_containers = range(Of::Container, "storage=1Gi", "", "");
    assert_eq!(claim_refusals(&of_containers, &list("storage=1Mi")), []);
}

#[test]
fn a_range_in_the_wrong_order_is_told() {
    let cases = [
        (
            "memory=2Gi",
            "memory=1Gi",
            "",
            "",
            Some(("memory", "min", "max")),
        ),
        (
            "",
            "memory=1Gi",
            "",
            "memory=2Gi",
            Some(("memory", "defaultRequest", "max")),
        ),
        (
            "memory=64Mi",
            "",
            "memory=32Mi",
            "",
            Some(("memory", "min", "defaultRequest")),
        ),
        ("memory=64Mi", "memory=1Gi", "", "", None),
    ];
    for (min, max, default, request, found) in cases {
        assert_eq!(
            defaults(min, max, default, request).contradiction(),
            found,
            "{min} {max} {default} {request}"
        );
    }
}

/// `TestPodEvaluatorUsage`.
#[test]
fn a_pod_adds_what_kubernetes_counts() {
    let own = "pods=1 count/pods=1";
    let cases = [
        (
            Role::Init,
            "cpu=1m",
            "cpu=2m",
            "requests.cpu=1m limits.cpu=2m cpu=1m",
        ),
        (
            Role::Main,
            "ephemeral-storage=32Mi",
            "ephemeral-storage=64Mi",
            "ephemeral-storage=32Mi requests.ephemeral-storage=32Mi limits.ephemeral-storage=64Mi",
        ),
        (
            Role::Init,
            "hugepages-2Mi=100Mi",
            "",
            "hugepages-2Mi=100Mi requests.hugepages-2Mi=100Mi",
        ),
        (
            Role::Main,
            "example.com/dongle=3",
            "example.com/dongle=3",
            "requests.example.com/dongle=3",
        ),
    ];
    for (role, requests, limits, usage) in cases {
        let usage = list(&format!("{usage} {own}"));
        assert_eq!(pod_usage(&pod(&[(role, requests, limits)])), usage);
    }
    // "init container maximums override sum of containers", and sidecars beside them.
    let many = pod(&[
        (Role::Init, "cpu=4", "cpu=8"),
        (Role::Sidecar, "cpu=1", "cpu=2"),
        (Role::Init, "cpu=4", "cpu=8"),
        (Role::Main, "cpu=1", "cpu=2"),
        (Role::Main, "cpu=2", "cpu=3"),
    ]);
    let usage = list(&format!("{own} cpu=5 requests.cpu=5 limits.cpu=10"));
    assert_eq!(pod_usage(&many), usage);
}

/// `TestPodConstraintsFunc`: init containers, too, and only of CPU and memory.
#[test]
fn what_is_held_must_be_given_of_cpu_and_memory_only() {
    let quota = |hard: &str| Quota {
        hard: list(hard),
        scopes: Vec::new(),
    };
    let missing = |hard: &str, requests: &str, limits: &str| {
        let quota = quota(hard);
        let found = quota.missing(&container(Role::Init, requests, limits));
        found.join(" ")
    };
    assert_eq!(missing("memory=1Gi", "cpu=1m", "cpu=2m"), "memory");
    assert_eq!(
        missing("requests.cpu=1 limits.cpu=2", "", ""),
        "limits.cpu requests.cpu"
    );
    assert_eq!(
        missing("limits.memory=1Gi", "memory=64Mi", ""),
        "limits.memory"
    );
    assert_eq!(missing("requests.memory=1Gi", "", "memory=64Mi"), "");
    assert_eq!(
        missing(
            "limits.ephemeral-storage=1Gi pods=4 requests.nvidia.com/gpu=4",
            "",
            ""
        ),
        ""
    );
}

#[test]
fn scopes_choose_pods_as_kubernetes_does() {
    let scope = |name: &str, test, values: &[&str]| Scope {
        name: name.to_owned(),
        test,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let counts = |scope: Scope, pod: &Pod| {
        let quota = Quota {
            hard: list("pods=1"),
            scopes: vec![scope],
        };
        quota.counts_pod(pod)
    };
    let plain = alike(1, "", "");
    let asking = alike(1, "", "memory=64Mi");
    let other = alike(1, "ephemeral-storage=1Gi", "");
    let ends = Pod {
        has_deadline: true,
        ..plain.clone()
    };
    let high = Pod {
        priority_class: Some("high".to_owned()),
        ..plain.clone()
    };
    let far = Pod {
        crosses_namespaces: true,
        ..plain.clone()
    };
    let exists = |name: &str| scope(name, Test::Exists, &[]);
    assert!(counts(exists("Terminating"), &ends) && !counts(exists("Terminating"), &plain));
    assert!(!counts(exists("NotTerminating"), &ends) && counts(exists("NotTerminating"), &plain));
    assert!(counts(exists("BestEffort"), &plain) && counts(exists("BestEffort"), &other));
    assert!(counts(exists("NotBestEffort"), &asking) && !counts(exists("BestEffort"), &asking));
    assert!(counts(exists("PriorityClass"), &high) && !counts(exists("PriorityClass"), &plain));
    assert!(counts(exists("CrossNamespacePodAffinity"), &far));
    assert!(!counts(exists("CrossNamespacePodAffinity"), &plain));
    let class = |test, values: &[&str]| scope("PriorityClass", test, values);
    assert!(counts(class(Test::In, &["high", "low"]), &high));
    assert!(
        !counts(class(Test::In, &["low"]), &high) && !counts(class(Test::In, &["low"]), &plain)
    );
    // As labels are compared: what has no class is not one of them.
    assert!(counts(class(Test::NotIn, &["high"]), &plain));
    assert!(counts(class(Test::DoesNotExist, &[]), &plain));
    // A quota that holds nothing of pods counts none.
    let of_objects = Quota {
        hard: list("services=1"),
        scopes: Vec::new(),
    };
    assert!(!of_objects.counts_pod(&plain) && of_objects.counts_objects());
}

/// `TestServiceEvaluatorUsage` and `TestPersistentVolumeClaimEvaluatorUsage`.
#[test]
fn services_and_claims_add_what_kubernetes_counts() {
    let own = "services=1 count/services=1";
    assert_eq!(service_usage(ServiceType::Inside, 3), list(own));
    assert_eq!(
        service_usage(ServiceType::NodePort, 2),
        list(&format!("{own} services.nodeports=2"))
    );
    assert_eq!(
        service_usage(ServiceType::LoadBalancer, 2),
        list(&format!(
            "{own} services.nodeports=2 services.loadbalancers=1"
        ))
    );
    assert_eq!(
        claim_usage(Some(amount_of("10Gi")), Some("gold")),
        list(
            "persistentvolumeclaims=1 count/persistentvolumeclaims=1 requests.storage=10Gi
             gold.storageclass.storage.k8s.io/persistentvolumeclaims=1
             gold.storageclass.storage.k8s.io/requests.storage=10Gi"
        )
    );
    assert_eq!(
        claim_usage(None, Some("")),
        list("persistentvolumeclaims=1 count/persistentvolumeclaims=1")
    );
}

/// How one resource ends for workloads of `[rest, most]` pods of 64Mi each, the second of which waits for a new pod
/// before an old one goes.
fn ends(hard: &str, counts: [[u64; 2]; 2], kept: u64) -> Ends {
    let usage = pod_usage(&alike(1, "memory=64Mi", "memory=64Mi"));
    let member = |[rest, most]: [u64; 2], waits, kept| Member {
        usage: &usage,
        rest,
        most,
        waits,
        kept,
    };
    let members = [member(counts[0], false, kept), member(counts[1], true, 0)];
    let quota = Quota {
        hard: list(hard),
        scopes: Vec::new(),
    };
    let none = Resources::new();
    let balances = judge(&quota, &members, (&none, &none));
    assert_eq!(balances.len(), 1);
    balances[0].ends.clone()
}

#[test]
fn a_rollout_waits_for_room_or_never_ends() {
    let memory = |mib: u64| format!("requests.memory={mib}Mi");
    assert_eq!(
        ends(&memory(256), [[2, 4], [1, 2]], 0),
        Ends::Waits(amount_of("384Mi"))
    );
    assert_eq!(ends(&memory(384), [[2, 4], [1, 2]], 0), Ends::Fits);
    assert_eq!(ends(&memory(191), [[2, 4], [1, 2]], 0), Ends::Over);
    // At rest all are there, and the first new pod of the second is refused for ever.
    assert_eq!(ends(&memory(192), [[2, 4], [1, 2]], 0), Ends::Stuck(1));
    assert_eq!(ends(&memory(192), [[3, 6], [0, 0]], 0), Ends::Stuck(1));
    assert_eq!(ends("pods=3", [[2, 4], [1, 2]], 0), Ends::Stuck(1));
    // What has ended counts among `count/pods`, and among `pods` it does not.
    assert_eq!(ends("pods=6", [[2, 4], [1, 2]], 3), Ends::Fits);
    assert_eq!(
        ends("count/pods=5", [[2, 4], [1, 2]], 3),
        Ends::Fills(pieces(6))
    );
    // All that is kept leaves no room for the new pod of the second.
    assert_eq!(
        ends("count/pods=6", [[2, 4], [1, 2]], 3),
        Ends::Fills(pieces(6))
    );
    assert_eq!(
        ends("count/pods=8", [[2, 4], [1, 2]], 3),
        Ends::Waits(pieces(9))
    );
    assert_eq!(ends("count/pods=9", [[2, 4], [1, 2]], 3), Ends::Fits);
}

#[test]
fn a_quota_with_a_scope_counts_no_other_objects() {
    let rest = objects(&["configmaps", "count/configmaps"], 3);
    let mut quota = Quota {
        hard: list("configmaps=2"),
        scopes: Vec::new(),
    };
    assert_eq!(judge(&quota, &[], (&rest, &rest))[0].ends, Ends::Over);
    quota.scopes = vec![Scope {
        name: "NotTerminating".to_owned(),
        test: Test::Exists,
        values: Vec::new(),
    }];
    assert_eq!(judge(&quota, &[], (&rest, &rest))[0].ends, Ends::Fits);
}

#[test]
fn amounts_are_shown_as_they_are_written() {
    for (resource, text) in [
        ("requests.cpu", "250m"),
        ("cpu", "2"),
        ("limits.memory", "64Mi"),
        ("gold.storageclass.storage.k8s.io/requests.storage", "512Mi"),
        (
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims",
            "10",
        ),
        ("pods", "3"),
        ("requests.nvidia.com/gpu", "4"),
        ("hugepages-2Mi", "100Mi"),
    ] {
        assert_eq!(shown(resource, amount_of(text)), text);
    }
}
