//! Edits in every layout that manifests come in: what comes out to the byte, and what is refused.

use super::edit::{Want, apply};
use super::tree::{MOST_NODES, parse};
use super::workload::{Role, Surge, WorkloadKind, objects};

/// Sets request and limit of memory of every container, the way the compiler does.
fn with_memory(text: &str, memory: &str) -> Result<String, String> {
    let tree = parse(text, MOST_NODES).map_err(|fault| fault.what)?;
    let found = objects(text, &tree, &()).map_err(|fault| fault.what)?;
    let mut wants = Vec::new();
    for container in found
        .workloads
        .iter()
        .flat_map(|workload| &workload.containers)
    {
        for list in ["requests", "limits"] {
            let way = container.way.key("resources").key(list).key("memory");
            *way.within(&mut wants) = Want::Word(memory.to_owned());
        }
    }
    apply(text, &tree, &wants).map_err(|refusal| refusal.why)
}

/// A Deployment with these lines for its containers, and lines behind them.
fn deployment(containers: &str) -> String {
    let head = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n";
    format!("{head}{containers}")
}

fn becomes(before: &str, after: &str) {
    let changed = with_memory(&deployment(before), "48Mi");
    assert_eq!(changed, Ok(deployment(after)), "{before}");
    // What is there already stays as it is.
    assert_eq!(
        with_memory(&deployment(after), "48Mi"),
        Ok(deployment(after)),
        "{before}"
    );
}

#[test]
fn resources_are_added_changed_and_completed_in_place() {
    becomes(
        "      - name: a  # first\n        image: x\n      # between\n      - name: b\n        image: y\n",
        "      - name: a  # first\n        image: x\n        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n      # between\n      - name: b\n        image: y\n        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n",
    );
    becomes(
        "      - name: a\n        resources:\n            limits:\n                memory: '4Gi'   # far too much\n                cpu: 2\n        image: x\n",
        "      - name: a\n        resources:\n            limits:\n                memory: '48Mi'   # far too much\n                cpu: 2\n            requests:\n              memory: 48Mi\n        image: x\n",
    );
    becomes(
        "        - name: a\n          resources: {}  # none\n          image: x\n",
        "        - name: a\n          resources:  # none\n            requests:\n              memory: 48Mi\n            limits:\n              memory: 48Mi\n          image: x\n",
    );
    becomes(
        "      - name: a\n        resources:\n        image: x\n",
        "      - name: a\n        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n        image: x\n",
    );
    becomes(
        "      - name: a\n        image: x\n        resources: {limits: {memory: \"4Gi\", cpu: 1}}\t# a tab\n",
        "      - name: a\n        image: x\n        resources: {limits: {memory: \"48Mi\", cpu: 1}, requests: {memory: 48Mi}}\t# a tab\n",
    );
    becomes(
        "      - {name: a, image: x}\n",
        "      - {name: a, image: x, resources: {requests: {memory: 48Mi}, limits: {memory: 48Mi}}}\n",
    );
    becomes(
        "      - name: a\n        image: x\n        resources:\n          limits: ~\n          requests:\n            memory:   \n",
        "      - name: a\n        image: x\n        resources:\n          limits:\n            memory: 48Mi\n          requests:\n            memory: 48Mi   \n",
    );
}

#[test]
fn blocks_of_text_at_the_end_of_a_container_stay_whole() {
    becomes(
        "      - image: x\n        name: a\n        args:\n        - |\n          one\n\n          two\n\n",
        "      - image: x\n        name: a\n        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n        args:\n        - |\n          one\n\n          two\n\n",
    );
    becomes(
        "      - command: [sh]\n        image: x\n        args:\n        - >+\n          folded\n\n        name: a\n",
        "      - command: [sh]\n        image: x\n        args:\n        - >+\n          folded\n\n        name: a\n        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n",
    );
}

#[test]
fn line_ends_marks_and_missing_ends_stay() {
    let windows = deployment("      - name: a\n        image: x\n").replace('\n', "\r\n");
    let added = "        resources:\n          requests:\n            memory: 48Mi\n          limits:\n            memory: 48Mi\n";
    let changed = with_memory(&windows, "48Mi").expect("it can be patched");
    assert_eq!(changed, format!("{windows}{}", added.replace('\n', "\r\n")));

    let open = deployment("      - name: a\n        image: x");
    let changed = with_memory(&open, "48Mi").expect("it can be patched");
    assert_eq!(changed, format!("{open}\n{}", added.trim_end()));

    let marked = format!(
        "\u{feff}---\n# über\n{}\n...\n---\n---\n",
        deployment("      - name: ä\n        image: x\n").trim_end()
    );
    let changed = with_memory(&marked, "48Mi").expect("it can be patched");
    assert_eq!(
        changed,
        marked.replace("image: x\n", &format!("image: x\n{added}"))
    );
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [\n    {\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n     \"spec\": {\"containers\": [{\"name\": \"a\", \"image\": \"x\", \"resources\": {}}]}}\n  ]\n}\n";
    let changed = with_memory(text, "48Mi").expect("it can be patched");
    let read: serde_json::Value = serde_json::from_str(&changed).expect("it is JSON");
    assert_eq!(
        read["items"][0]["spec"]["containers"][0]["resources"]["limits"]["memory"],
        "48Mi"
    );
    assert_eq!(changed.lines().count(), text.lines().count());
}

#[test]
fn what_is_shared_or_merged_is_refused() {
    let refused = |containers: &str, why: &str| {
        let told = with_memory(&deployment(containers), "48Mi").expect_err("it is refused");
        assert!(told.contains(why), "{told}");
    };
    refused(
        "      - &a\n        name: a\n        image: x\n      - *a\n",
        "alias elsewhere",
    );
    refused(
        "      - name: a\n        image: x\n        resources: &r {limits: {memory: 1Gi}}\n      - name: b\n        image: x\n        resources: *r\n",
        "alias",
    );
    refused(
        "      - &a\n        name: a\n        image: x\n        resources: {}\n      - <<: *a\n        name: b\n",
        "",
    );
    // An anchor that nobody names is nobody's but its own.
    assert!(
        with_memory(
            &deployment(
                "      - name: a\n        image: x\n        resources: &r {limits: {memory: 1Gi}}\n"
            ),
            "48Mi"
        )
        .is_ok()
    );
    // A value of the container's own beside a merge key is its own.
    let own = "      - name: a\n        <<: {image: x}\n        resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi}}\n";
    assert!(with_memory(&deployment(own), "48Mi").is_ok());
}

#[test]
fn what_is_no_manifest_is_refused() {
    let fault = |text: &str| with_memory(text, "48Mi").expect_err("it is refused");
    assert!(fault("a: 1\na: 2\n").contains("`a` stands on line 1"));
    assert!(fault("a: !vault x\n").contains("!vault"));
    assert!(!fault("a:\n\t- b\n").is_empty());
    assert!(!fault("a: [1, 2\n").is_empty());
    assert!(!fault(&"[".repeat(10_000)).is_empty());
    let many: String = (0..40).map(|n| format!("k{n}: 1\n")).collect();
    assert!(fault(&format!("{many}k3: 2\n")).contains("line 4"));
    assert!(parse("[1, 2, 3]", 4).is_err());
    assert!(parse("a: &a [*a]\n", MOST_NODES).is_err());
    let unreadable = deployment(
        "      - name: a\n        image: x\n        resources: {limits: {memory: lots}}\n",
    );
    assert!(fault(&unreadable).contains("`lots`"));
}

#[test]
fn doubled_anchors_cost_what_their_text_costs() {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for n in 1..30 {
        text += &format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1);
    }
    text += "m0: &m0 {x: 1}\n";
    for n in 1..30 {
        text += &format!("m{n}: &m{n} {{<<: [*m{0}, *m{0}]}}\n", n - 1);
    }
    text += "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: b}\nspec: *m29\n";
    assert!(
        with_memory(&text, "48Mi")
            .expect_err("nobody follows that")
            .contains("deeper")
    );
}

/// One want at a way of keys from the top of the first document.
fn changed(text: &str, keys: &[&'static str], want: Want) -> Result<String, String> {
    let tree = parse(text, MOST_NODES).map_err(|fault| fault.what)?;
    let mut all = Want::nothing();
    *keys.iter().fold(&mut all, |at, key| at.at(key)) = want;
    apply(text, &tree, &[(0, all)]).map_err(|refusal| refusal.why)
}

#[test]
fn entries_can_go_and_named_items_can_come() {
    let text = "spec:\n  strategy:\n    rollingUpdate:\n      maxSurge: 1\n    type: x\n  b: 1\n";
    let gone = changed(text, &["spec", "strategy", "rollingUpdate"], Want::Absent);
    assert_eq!(
        gone.as_deref(),
        Ok("spec:\n  strategy:\n    type: x\n  b: 1\n")
    );
    let commented = text.replace("maxSurge: 1", "maxSurge: 1 # why\n      x: 1");
    assert!(
        changed(
            &commented,
            &["spec", "strategy", "rollingUpdate"],
            Want::Absent
        )
        .is_err_and(|why| why.contains("comment"))
    );
    let flow = changed("{a: {b: 1, c: 2, d: 3}}", &["a", "b"], Want::Absent);
    assert_eq!(flow.as_deref(), Ok("{a: {c: 2, d: 3}}"));
    let flow = changed("{a: {b: 1, c: 2}}", &["a", "c"], Want::Absent);
    assert_eq!(flow.as_deref(), Ok("{a: {b: 1}}"));

    let want = || {
        Want::Named(vec![(
            "K".to_owned(),
            Want::Map(vec![("value", Want::Text("1: a\n".to_owned()))]),
        )])
    };
    for (text, after) in [
        (
            "env:\n- name: A\n  value: b\n",
            "env:\n- name: A\n  value: b\n- name: \"K\"\n  value: \"1: a\\n\"\n",
        ),
        (
            "env:\n  -   name: A\n",
            "env:\n  -   name: A\n  - name: \"K\"\n    value: \"1: a\\n\"\n",
        ),
        (
            "env: [{name: A}]\n",
            "env: [{name: A}, {name: \"K\", value: \"1: a\\n\"}]\n",
        ),
        ("env: []\n", "env:\n- name: \"K\"\n  value: \"1: a\\n\"\n"),
        (
            "a: 1\n",
            "a: 1\nenv:\n- name: \"K\"\n  value: \"1: a\\n\"\n",
        ),
        (
            "env:\n- {name: K, value: old}\n",
            "env:\n- {name: K, value: \"1: a\\n\"}\n",
        ),
    ] {
        assert_eq!(changed(text, &["env"], want()).as_deref(), Ok(after));
    }
}

#[test]
fn an_edit_that_would_mean_something_else_is_refused() {
    // Behind the value stands what is no value: the line says more than the tree shows.
    assert!(
        changed(
            "a: {b: 1}\n",
            &["a", "b"],
            Want::Named(vec![("x".to_owned(), Want::nothing())])
        )
        .is_err()
    );
    assert!(changed("? a\n: 1\n", &["a"], Want::Map(vec![("b", Want::Count(1))])).is_err());
    assert!(changed("a: |\n  1\n", &["a"], Want::Count(1)).is_err());
}

#[test]
fn objects_are_read_as_kubernetes_would() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 3\n  strategy: {rollingUpdate: {maxSurge: 34%}}\n  template:\n    spec:\n      initContainers:\n      - {name: wait, resources: {limits: {memory: 0.5Gi, cpu: 1.5}}}\n      - {name: mesh, restartPolicy: Always}\n      containers:\n      - {name: app, image: x, resources: {requests: {memory: 128974848}, limits: {memory: 1e9}}}\n      volumes:\n      - {name: shm, emptyDir: {medium: Memory, sizeLimit: 1G}}\n      - {name: key, secret: {secretName: k}}\n---\napiVersion: batch/v1\nkind: CronJob\nmetadata: {generateName: r-}\nspec: {schedule: '* * * * *', jobTemplate: {spec: {parallelism: 2, template: {spec: {containers: [{name: a, image: x}]}}}}}\n---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {template: {spec: {containers: []}}}\n";
    let tree = parse(text, MOST_NODES).expect("YAML");
    let found = objects(text, &tree, &()).expect("objects");
    let [web, report] = found.workloads.as_slice() else {
        unreachable!("two workloads: {found:?}")
    };
    assert_eq!(
        (web.kind, web.replicas, web.surge),
        (WorkloadKind::Deployment, 3, Surge::Percent(34))
    );
    let roles: Vec<Role> = web
        .containers
        .iter()
        .map(|container| container.role)
        .collect();
    assert_eq!(roles, [Role::Init, Role::Sidecar, Role::Main]);
    let n = |amount: &Option<super::workload::Amount>| amount.as_ref().map(|amount| amount.n);
    assert_eq!(n(&web.containers[0].memory.limit), Some(1 << 29));
    assert_eq!(n(&web.containers[0].cpu.limit), Some(1500));
    assert_eq!(n(&web.containers[2].memory.request), Some(128_974_848));
    assert_eq!(n(&web.containers[2].memory.limit), Some(1_000_000_000));
    assert_eq!(web.in_memory, [("shm".to_owned(), Some(1_000_000_000))]);
    assert_eq!(web.secrets, ["key"]);
    assert_eq!(
        (report.kind, report.replicas, report.lingers),
        (WorkloadKind::CronJob, 2, true)
    );
    assert_eq!((report.name.as_str(), found.uncounted.len()), ("r-", 1));
}
