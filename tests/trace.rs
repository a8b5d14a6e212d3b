//! What an editor asks of an analysis: the value at a place, where it comes from, what was decided out of it; and an
//! analysis that is kept gives the same a second time.

use bzc::{Analysis, MemoryWorld, Options, Session, Span, Traced};

const PROGRAM: &str = "\
edition = 1
let base = 16Mi
tier agent { memory = 2 * base..48Mi }
node pi { memory = 2000Mi  reserve = 200Mi }
k3s { memory = 500Mi  disable = [traefik, servicelb, metrics-server] }
budget all = 512Mi
service api, web { tier = agent  image = \"acme/api:1\"  replicas = 2 }
service db { memory = base * 4  image = \"acme/db:1\"  cpu = 1  env { MODE = \"fast\" } }
env prod { service db { override memory = 96Mi } }
";

fn analysis(world: &MemoryWorld) -> Analysis {
    Session::default().read(world, "budget.bz", PROGRAM.to_owned())
}

/// What is at the first byte of `needle`, which stands once in the program behind `after`.
fn traced(after: &str, needle: &str, env: Option<&str>) -> Vec<Traced> {
    let world = MemoryWorld::default();
    let analysis = analysis(&world);
    let options = Options {
        env: env.map(str::to_owned),
        ..Default::default()
    };
    let from = PROGRAM.find(after).expect("it is in the program");
    let at = from + PROGRAM[from..].find(needle).expect("it is behind it");
    let at = u32::try_from(at).expect("a small number");
    let file = analysis.sources().find("budget.bz");
    let file = file.expect("it is the program");
    analysis.trace(&world, &options, Span::new(file, at, at))
}

/// Path, value and decided numbers, a line each.
fn shown(traced: &[Traced]) -> String {
    let line = |given: &Traced| {
        let value = given.value.as_deref().unwrap_or("-");
        let decided: Vec<String> = given
            .decided
            .iter()
            .map(|(path, number)| format!("{path} {number}"))
            .collect();
        format!("{} = {value}; {}", given.path, decided.join(", "))
    };
    traced.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_place_gives_its_value_its_origin_and_what_was_decided() {
    let agents = "service.api.memory 48Mi, service.web.memory 48Mi";
    let pi = "node.pi.allocatable 805Mi, node.pi.free 357Mi";
    let places = [
        ("let", "base", "let.base = 16Mi; ".to_owned()),
        (
            "tier agent",
            "memory",
            format!("tier.agent.memory = 2 * base..48Mi; {agents}"),
        ),
        (
            "tier agent",
            "* base",
            format!("tier.agent.memory = 32Mi; {agents}"),
        ),
        (
            "tier agent",
            "base",
            format!("tier.agent.memory = 16Mi; {agents}"),
        ),
        (
            "tier agent",
            "48Mi",
            format!("tier.agent.memory = 48Mi; {agents}"),
        ),
        ("node", "pi", format!("node.pi = -; {pi}")),
        ("node", "200Mi", format!("node.pi.reserve = 200Mi; {pi}")),
        (
            "budget",
            "512Mi",
            "budget.all = 512Mi; budget.all.used 256Mi".to_owned(),
        ),
        (
            "service",
            "web",
            "service.web = -; service.web.memory 48Mi".to_owned(),
        ),
        ("service", "agent", "service.api.tier = agent; ".to_owned()),
        (
            "service db",
            "memory",
            "service.db.memory = 64Mi; service.db.memory 64Mi".to_owned(),
        ),
        ("service db", "1  env", "service.db.cpu = 1; ".to_owned()),
        (
            "service db",
            "\"fast",
            "service.db.MODE = \"fast\"; ".to_owned(),
        ),
    ];
    for (after, needle, expected) in places {
        let given = shown(&traced(after, needle, None));
        assert_eq!(given, expected, "`{needle}` behind `{after}`");
    }
    let prod = |env| shown(&traced("env prod", "96Mi", env));
    let expected = "env.prod.service.db.memory = 96Mi; service.db.memory 96Mi";
    assert_eq!(prod(Some("prod")), expected);
    assert_eq!(prod(None), "", "it is not what the program says by itself");
}

#[test]
fn numbers_of_a_manifest_have_their_place_there() {
    let program = "node pi { memory = 2000Mi  reserve = 200Mi }\nadopt \"*.yaml\" { }\n";
    let manifest = "\
apiVersion: v1
kind: Pod
metadata: {name: db}
spec: {containers: [{name: db, image: \"postgres:16.4\", resources: {requests: {memory: 96Mi}, limits: {memory: 96Mi}}}]}
";
    let mut world = MemoryWorld::with("db.yaml", manifest);
    world.insert("budget.bz", program);
    let analysis = Session::default().read(&world, "budget.bz", program.to_owned());
    let file = analysis.sources().find("db.yaml").expect("it is adopted");
    let at = u32::try_from(manifest.rfind("96Mi").expect("it is there")).expect("small");
    let given = analysis.trace(&world, &Options::default(), Span::new(file, at, at));
    assert_eq!(shown(&given), "db.yaml:4 = 96Mi; service.db.memory 96Mi");
}

#[test]
fn blank_space_gives_nothing() {
    assert_eq!(traced("edition", "\n", None), []);
}

#[test]
fn what_is_kept_gives_the_same_again() {
    let world = MemoryWorld::default();
    let analysis = analysis(&world);
    let prod = Options {
        env: Some("prod".to_owned()),
        ..Default::default()
    };
    let once = |options: &Options| {
        analysis.view(&world, options, |view| {
            (
                view.diagnostics.clone(),
                view.output().map(|output| output.files),
                view.ledger(64),
                view.derivation("service.db.memory"),
            )
        })
    };
    let (first, other, second) = (
        once(&Options::default()),
        once(&prod),
        once(&Options::default()),
    );
    assert_eq!(first, second);
    assert_ne!(first, other);
    let fresh = bzc::compile(&world, "budget.bz", PROGRAM.to_owned(), &prod);
    assert_eq!(other.1, fresh.output.map(|output| output.files));
    assert_eq!(other.0, fresh.diagnostics);
}
