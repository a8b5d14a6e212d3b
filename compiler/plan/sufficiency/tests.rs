use proptest::prelude::*;

use super::{Need, PAUSE};
use crate::base::quantity::MIB;
use crate::evidence::{Evidence, How, Of, Origin, Reading, Subject};
use crate::plan::model::Verdict;

fn subject() -> Subject {
    Subject {
        of: Of::Service,
        name: "api".to_owned(),
        part: "api".to_owned(),
    }
}

/// Readings by how they were made, in bytes.
fn evidence(readings: &[(How, u64)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (how, bytes) in readings.iter().copied() {
        let (lower, upper, limit) = how.bounds(bytes);
        let origin = Origin {
            how,
            image: None,
            digest: None,
            version: None,
        };
        let time = "2026-11-30T12:00:00Z".to_owned();
        let reading = Reading {
            lower,
            upper,
            limit,
            seconds: 0,
            first: time.clone(),
            last: time,
        };
        evidence
            .add(subject(), origin, &reading)
            .expect("it is a reading as one can be made");
    }
    evidence
}

fn verdict(evidence: &Evidence, limit: u64) -> Verdict {
    let need = Need {
        container: "api",
        limit: Some(limit),
        in_memory: 0,
        known: evidence.interval(&subject(), None),
    };
    need.verdict()
}

fn reading() -> impl Strategy<Value = (How, u64)> {
    let how = prop_oneof![
        Just(How::Bisect),
        Just(How::Peak),
        Just(How::Sample),
        Just(How::Oom)
    ];
    (how, 1..96 * MIB)
}

proptest! {
    #[test]
    fn no_evidence_takes_a_refutation_back(
        before in proptest::collection::vec(reading(), 0..5),
        more in proptest::collection::vec(reading(), 0..5),
        limit in 1..96 * MIB,
    ) {
        let mut all = evidence(&before);
        let refuted = verdict(&all, limit) == Verdict::Refuted;
        all.merge(&evidence(&more));
        prop_assert!(!refuted || verdict(&all, limit) == Verdict::Refuted);
    }

    #[test]
    fn what_confirms_takes_no_proof_away(
        before in proptest::collection::vec(reading(), 0..5),
        (how, bytes) in reading(),
        limit in PAUSE..96 * MIB,
    ) {
        let mut all = evidence(&before);
        let proved = verdict(&all, limit) == Verdict::Proved;
        let known = all.interval(&subject(), None);
        let most = known.upper.and_then(|(_, reading)| reading.upper).unwrap_or(0);
        let confirms = match how {
            How::Bisect | How::Peak => bytes <= limit - PAUSE,
            How::Sample => bytes <= most,
            How::Oom => bytes < most,
        };
        all.merge(&evidence(&[(how, bytes)]));
        prop_assert!(!(proved && confirms) || verdict(&all, limit) == Verdict::Proved);
    }

    #[test]
    fn only_an_upper_bound_proves(
        readings in proptest::collection::vec(reading(), 0..5),
        limit in 1..96 * MIB,
    ) {
        let has_upper = readings.iter().any(|(how, _)| matches!(how, How::Bisect | How::Peak));
        prop_assert!(has_upper || verdict(&evidence(&readings), limit) != Verdict::Proved);
    }
}

#[test]
fn verdicts_at_their_edges() {
    let mib = |n: u64| n * MIB;
    let cases = [
        (vec![], Verdict::Unknown),
        (vec![(How::Peak, mib(47))], Verdict::Proved),
        // The pod's own process may need the rest.
        (vec![(How::Peak, mib(47) + 1)], Verdict::Unknown),
        (vec![(How::Peak, mib(48))], Verdict::Unknown),
        (vec![(How::Bisect, mib(48) + 1)], Verdict::Refuted),
        (vec![(How::Sample, mib(48))], Verdict::Unknown),
        (vec![(How::Sample, mib(48) + 1)], Verdict::Refuted),
        (vec![(How::Oom, mib(48))], Verdict::Refuted),
        (vec![(How::Oom, mib(47))], Verdict::Unknown),
        // More was in use than what was measured to be enough.
        (
            vec![(How::Bisect, mib(30)), (How::Sample, mib(40))],
            Verdict::Unknown,
        ),
        (
            vec![(How::Bisect, mib(40)), (How::Sample, mib(40))],
            Verdict::Proved,
        ),
        (
            vec![(How::Oom, mib(32)), (How::Peak, mib(40))],
            Verdict::Proved,
        ),
    ];
    for (readings, wanted) in cases {
        assert_eq!(
            verdict(&evidence(&readings), mib(48)),
            wanted,
            "{readings:?}"
        );
    }
}
