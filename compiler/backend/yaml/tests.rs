//! Spellings by table, layouts by literal, and everything else by reading back what was printed.

use super::{comment, quote_if_needed, to_yaml};
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, ContainerPort, EnvVar, HTTPGetAction, PodSpec, PodTemplateSpec, Probe,
    ResourceRequirements, Secret,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use k8s_openapi::jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn print<T: Serialize + ?Sized>(value: &T) -> String {
    let mut out = String::new();
    to_yaml(value, &mut out).expect("the value has scalar keys only");
    out
}

fn spell(s: &str) -> String {
    let mut out = String::new();
    quote_if_needed(s, &mut out);
    out
}

#[test]
fn plain_strings_stay_plain() {
    for s in [
        "a",
        "registry.example.com/app:1.0",
        "memory.available<100Mi",
        "48Mi",
        "250m",
        "30s",
        "v1.33.3+k3s1",
        "apps/v1",
        "/healthz",
        "/",
        "max-requests-inflight=50",
        "--kubelet-arg=eviction-hard=memory.available<100Mi",
        "-c",
        "-e",
        "-y",
        "10.42.0.0/16",
        "http://127.0.0.1:8080/?a=b&c=d#e",
        "a b",
        "a#b",
        "a:b",
        "$(POD_IP)",
        "sha256:0123abcd",
        "he said \"no\"",
        "C:\\temp",
        "a,b",
        "a{b}[c]",
        "rw-rw-r--",
        "true story",
        "nope",
        "nullable",
        "information",
        "Größe",
        "名前",
        "été",
        "_private",
        ".dockerignore",
        "0.5Gi",
        "1e3x",
        "0xyz/1",
        "2024-01-01T00-backup",
        "0day",
    ] {
        assert_eq!(spell(s), s);
    }
}

/// What some reader of YAML 1.1 or 1.2 takes for something else, or fails on.
#[test]
fn traps_are_quoted() {
    let traps = "
        y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE tRuE false False FALSE
        null Null NULL ~ ~/x
        0 1 50 -1 +1 007 0644 08 0o7 0O17 -0o7 0b1 0b1010_0111 -0b11 0x1F 0X1f -0xff 0x 0x_1F
        0x1p-2 0x1.8P+3 1_000 _1 1__0 1,000 1. .5 -.5 +.5 1.5 1e3 1E3 1e+3 1.5e-3 12e03 1_0.5
        6.8523015e+5 685.230_15e+03 190:20:30 190:20:30.15 1:30 -1:30 8080:80 10.42.0.0 1.2.3
        .inf .Inf .INF -.inf +.inf .nan .NaN .NAN inf -Inf +Infinity nan NaN
        2001-12-14 2001-1-1 2001-12-14t21:59:43.10-05:00 2001-12-15T02:59:43.1Z 12:30:45
        = << =a <a - -- --- ---a ... ...a . .. + : :a a: a:b: ? ?a , ,a [ [a] ] { {a} } {{a}}
        # #a & &a * *a ! !a !!str | |a > >a ' 'a' \" \"a\" % %a @ @a ` `a` \\ \\a ^ ;
        -? -# -:
    ";
    let phrases = [
        "",
        " ",
        " a",
        "a ",
        "- a",
        "--- a",
        "... a",
        "? a",
        "a: b",
        "a :",
        "a #b",
        "a: ",
        "2001-12-14 21:59:43.10 -5",
        "1 2",
        "a\tb",
        "\ta",
        "a\t",
        "a\nb",
        "a\n",
        "\n",
        "a\rb",
        "a\u{0}",
        "a\u{7f}",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{2028}b",
        "\u{feff}a",
        "a\u{fffe}",
        "a\u{202e}b",
        "٣",
        "½",
        "🦀",
        "e\u{301}",
    ];
    for s in traps.split_whitespace().chain(phrases) {
        let spelt = spell(s);
        assert!(
            spelt.starts_with('"') && spelt.ends_with('"'),
            "{s:?} became {spelt}"
        );
        assert!(!spelt.contains('\n'), "{s:?} became {spelt}");
        let read: String = serde_yaml::from_str(&spelt).expect("a quoted scalar is YAML");
        assert_eq!(read, s);
    }
}

#[test]
fn escapes() {
    assert_eq!(spell("50"), r#""50""#);
    assert_eq!(spell("say \"hi\": C:\\"), r#""say \"hi\": C:\\""#);
    assert_eq!(spell("a\tb\r\nc"), r#""a\tb\r\nc""#);
    assert_eq!(
        spell("\u{0}\u{1b}\u{7f}\u{85}"),
        r#""\u0000\u001b\u007f\u0085""#
    );
    assert_eq!(spell("\u{a0}\u{2028}\u{feff}"), r#""\u00a0\u2028\ufeff""#);
    assert_eq!(spell("🦀 ½: é"), r#""🦀 ½: é""#);
}

#[test]
fn collections() {
    assert_eq!(print(&json!({})), "{}\n");
    assert_eq!(print(&json!([])), "[]\n");
    assert_eq!(print(&json!(null)), "null\n");
    assert_eq!(print(&json!("a\nb\n")), "\"a\\nb\\n\"\n");
    let value = json!({
        "args": ["a", "50", 50, true, null],
        "empty": [{}, [], [[]], [{}]],
        "items": [{"a": 1, "b": {"c": [1, 2]}, "d": {}}, {"a": []}],
        "lists": [["x", "y"], [["z"]], [{"k": "v", "l": "w"}]],
        "on": {"~": {"8080": "x"}},
    });
    let expected = r#"
args:
- a
- "50"
- 50
- true
- null
empty:
- {}
- []
- - []
- - {}
items:
- a: 1
  b:
    c:
    - 1
    - 2
  d: {}
- a: []
lists:
- - x
  - "y"
- - - z
- - k: v
    l: w
"on":
  "~":
    "8080": x
"#;
    assert_eq!(print(&value), expected[1..]);
}

#[test]
fn blocks() {
    let value = json!({
        "clip": "a\nb: #c\n\n\td \n",
        "keep": "a\n\n",
        "lead": " a\nb\n",
        "line": "\na\n",
        "list": ["x\ny", ["x\n"], {"deep": "x\ny\n"}],
        "none": "\n\n",
        "strip": "a\nb",
        "tab": "\ta\nb",
        "trail": "a\nb ",
        "void": "a\n  \nb",
        "windows": "a\r\nb",
    });
    let expected = r#"
clip: |
  a
  b: #c

  	d·
keep: |+
  a

lead: |2
   a
  b
line: |2

  a
list:
- |-
  x
  y
- - |
    x
- deep: |
    x
    y
none: "\n\n"
strip: |-
  a
  b
tab: |2-
  	a
  b
trail: "a\nb "
void: "a\n  \nb"
windows: "a\r\nb"
"#;
    let text = print(&value);
    assert_eq!(text, expected[1..].replace('·', " "));
    let read: Value = serde_yaml::from_str(&text).expect("blocks are YAML");
    assert_eq!(read, value);
}

/// One of each of serde's shapes that JSON values do not have.
enum Shape {
    Unit,
    Newtype(u128),
    Tuple(i8, f64),
    Bytes(&'static [u8]),
    Key(Box<Shape>),
    Char(char),
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Shape::Unit => serializer.serialize_unit_variant("Shape", 0, "Off"),
            Shape::Newtype(n) => serializer.serialize_newtype_variant("Shape", 1, "newtype", n),
            Shape::Tuple(a, b) => {
                use serde::ser::SerializeTupleVariant;
                let mut tuple = serializer.serialize_tuple_variant("Shape", 2, "tuple", 2)?;
                tuple.serialize_field(a)?;
                tuple.serialize_field(b)?;
                tuple.end()
            }
            Shape::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Shape::Key(key) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry(key, &())?;
                map.end()
            }
            Shape::Char(c) => serializer.serialize_char(*c),
        }
    }
}

#[test]
fn other_shapes() {
    let shapes = [
        Shape::Unit,
        Shape::Newtype(u128::MAX),
        Shape::Tuple(-1, 1e20),
        Shape::Tuple(0, f64::NEG_INFINITY),
        Shape::Bytes(b"a\n"),
        Shape::Key(Box::new(Shape::Unit)),
        Shape::Char('='),
    ];
    let expected = r#"
- "Off"
- newtype: 340282366920938463463374607431768211455
- tuple:
  - -1
  - 100000000000000000000.0
- tuple:
  - 0
  - -.inf
- - 97
  - 10
- "Off": null
- "="
"#;
    assert_eq!(print(&shapes), expected[1..]);
}

#[test]
fn a_key_that_is_no_scalar_is_refused() {
    for key in [
        Shape::Newtype(1),
        Shape::Tuple(1, 1.5),
        Shape::Bytes(b""),
        Shape::Key(Box::new(Shape::Unit)),
    ] {
        let mut out = String::from("kept\n");
        assert!(to_yaml(&Shape::Key(Box::new(key)), &mut out).is_err());
        assert_eq!(out, "kept\n");
    }
}

#[test]
fn long_keys_are_explicit() {
    let long = "k".repeat(2000);
    let value = json!({"a": {(long.clone()): ["x"]}, "b": [{(long.clone()): {"c": "y\nz\n"}}]});
    let text = print(&value);
    assert!(text.contains(&format!("\n  ? {long}\n  :\n  - x\n")));
    let read: Value = serde_yaml::from_str(&text).expect("explicit keys are YAML");
    assert_eq!(read, value);
}

#[test]
fn comments_cannot_break_out() {
    let mut out = String::new();
    comment("one\n\ntwo  \n \u{1}three\u{85}four\rfive: ü\n", &mut out);
    let expected = "# one\n#\n# two\n#  \u{fffd}three\u{fffd}four\u{fffd}five: ü\n";
    assert_eq!(out, expected);
}

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn deployment() -> Deployment {
    let quantities = |memory: &str, cpu: &str| {
        let of = |(key, value): (&str, &str)| (key.to_owned(), Quantity(value.to_owned()));
        Some([("cpu", cpu), ("memory", memory)].map(of).into())
    };
    let probe = Probe {
        http_get: Some(HTTPGetAction {
            path: Some("/healthz".to_owned()),
            port: IntOrString::String("http".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(10),
        ..Probe::default()
    };
    let container = Container {
        name: "web".to_owned(),
        image: Some("registry.example.com/web:1.0".to_owned()),
        args: Some(vec![
            "--listen=:8080".to_owned(),
            "50".to_owned(),
            "-v".to_owned(),
        ]),
        env: Some(vec![
            EnvVar {
                name: "GOMEMLIMIT".to_owned(),
                value: Some("40MiB".to_owned()),
                value_from: None,
            },
            EnvVar {
                name: "DEBUG".to_owned(),
                value: Some("off".to_owned()),
                value_from: None,
            },
        ]),
        ports: Some(vec![ContainerPort {
            container_port: 8080,
            name: Some("http".to_owned()),
            ..ContainerPort::default()
        }]),
        liveness_probe: Some(probe),
        resources: Some(ResourceRequirements {
            requests: quantities("48Mi", "50m"),
            limits: quantities("64Mi", "1"),
            claims: None,
        }),
        ..Container::default()
    };
    Deployment {
        metadata: ObjectMeta {
            name: Some("web".to_owned()),
            namespace: Some("shop".to_owned()),
            labels: Some(map([("app.kubernetes.io/name", "web")])),
            annotations: Some(map([("bzc.dev/budget", "64Mi"), ("note", "a: b")])),
            creation_timestamp: Some(Time(Timestamp::UNIX_EPOCH)),
            ..ObjectMeta::default()
        },
        spec: Some(DeploymentSpec {
            replicas: Some(2),
            selector: LabelSelector {
                match_labels: Some(map([("app.kubernetes.io/name", "web")])),
                match_expressions: None,
            },
            strategy: Some(DeploymentStrategy::default()),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(map([("app.kubernetes.io/name", "web")])),
                    ..ObjectMeta::default()
                }),
                spec: Some(PodSpec {
                    containers: vec![container],
                    ..PodSpec::default()
                }),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

#[test]
fn kubernetes_deployment() {
    let expected = r#"
apiVersion: apps/v1
kind: Deployment
metadata:
  annotations:
    bzc.dev/budget: 64Mi
    note: "a: b"
  creationTimestamp: "1970-01-01T00:00:00Z"
  labels:
    app.kubernetes.io/name: web
  name: web
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: web
  strategy: {}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: web
    spec:
      containers:
      - args:
        - --listen=:8080
        - "50"
        - -v
        env:
        - name: GOMEMLIMIT
          value: 40MiB
        - name: DEBUG
          value: "off"
        image: registry.example.com/web:1.0
        livenessProbe:
          httpGet:
            path: /healthz
            port: http
          periodSeconds: 10
        name: web
        ports:
        - containerPort: 8080
          name: http
        resources:
          limits:
            cpu: "1"
            memory: 64Mi
          requests:
            cpu: 50m
            memory: 48Mi
"#;
    let text = print(&deployment());
    assert_eq!(text, expected[1..]);
    let read: Deployment = serde_yaml::from_str(&text).expect("it is a Deployment");
    assert_eq!(read, deployment());
}

#[test]
fn kubernetes_files_and_bytes() {
    let files = ConfigMap {
        data: Some(map([("Corefile", ".:53 {\n    errors\n}\n")])),
        ..ConfigMap::default()
    };
    let expected = "apiVersion: v1\nkind: ConfigMap\ndata:\n  Corefile: |\n    .:53 {\n\
                    \x20       errors\n    }\nmetadata: {}\n";
    assert_eq!(print(&files), expected);
    let secret = Secret {
        data: Some([("key".to_owned(), ByteString(b"value?".to_vec()))].into()),
        ..Secret::default()
    };
    let expected = "apiVersion: v1\nkind: Secret\ndata:\n  key: dmFsdWU/\nmetadata: {}\n";
    assert_eq!(print(&secret), expected);
    let port = |port| print(&json!([port]));
    assert_eq!(port(json!(IntOrString::Int(80))), "- 80\n");
    assert_eq!(
        port(json!(IntOrString::String("80".to_owned()))),
        "- \"80\"\n"
    );
}

/// Strings out of the pieces that have a meaning in YAML, and out of any characters.
fn strings() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = "\
        a|b|Z|é|0|1|8|.|-|+|_|e|x|o|:|,|#|'|\"|\\|%|@|`|!|&|*|?|{|}|[|]|<|=|~|/|$|\
        yes|no|on|null|true|inf|nan|0x|1:30|2001-01-01| | |  |: | #|- |---|...|\
        \n|\n|\n\n|\n |\t|\r|\u{0}|\u{7f}|\u{85}|\u{a0}|\u{2028}|\u{202e}|\u{feff}|\u{ffff}|🦀|٣"
        .split('|')
        .chain(["|", ">"])
        .collect();
    let piece = proptest::sample::select(pieces).prop_map(str::to_owned);
    let any = any::<char>().prop_map(String::from);
    proptest::collection::vec(prop_oneof![9 => piece, 1 => any], 0..8).prop_map(|v| v.concat())
}

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        6 => strings().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(strings(), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Runs `check` on the same 500 inputs every time.
fn check<S: Strategy>(strategy: &S, check: impl Fn(S::Value)) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config {
        cases: 500,
        failure_persistence: None,
        ..Config::default()
    };
    let result = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        check(value);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn strings_read_back() {
    check(&strings(), |s| {
        let spelt = spell(&s);
        assert!(!spelt.contains('\n'));
        let read: serde_yaml::Value = serde_yaml::from_str(&spelt).expect("a scalar is YAML");
        assert_eq!(read, serde_yaml::Value::String(s), "{spelt}");
    });
}

#[test]
fn trees_read_back() {
    check(&trees(), |tree| {
        let text = print(&tree);
        let read: serde_yaml::Value = serde_yaml::from_str(&text).expect("a tree is YAML");
        let wanted = serde_yaml::to_value(&tree).expect("a tree has a YAML value");
        assert_eq!(read, wanted, "{text}");
    });
}

#[test]
fn comments_read_as_nothing() {
    check(&strings(), |s| {
        let mut out = String::new();
        comment(&s, &mut out);
        let read: serde_yaml::Value = serde_yaml::from_str(&out).expect("comments are YAML");
        assert_eq!(read, serde_yaml::Value::Null, "{out}");
    });
}
