use proptest::prelude::*;

use super::{Evidence, How, Of, Origin, Reading, Subject, is_stale};

fn subject() -> impl Strategy<Value = Subject> {
    let of = prop_oneof![Just(Of::Service), Just(Of::Component), Just(Of::Node)];
    (of, "[ab]", "[ab]").prop_map(|(of, name, part)| Subject { of, name, part })
}

fn reading() -> impl Strategy<Value = (Origin, Reading)> {
    let image = prop_oneof![Just(None), "[ab]:[12]".prop_map(Some)];
    let how = prop_oneof![
        Just(How::Bisect),
        Just(How::Peak),
        Just(How::Sample),
        Just(How::Oom)
    ];
    let minute = |minute: u8| format!("2026-11-30T12:{minute:02}:00Z");
    (how, image, 1..40_u64, 0..30_u8, 30..60_u8, 0..900_u64).prop_map(
        move |(how, image, bytes, first, last, seconds)| {
            let (lower, upper, limit) = how.bounds(bytes);
            let origin = Origin {
                how,
                image,
                digest: None,
                version: None,
            };
            let reading = Reading {
                lower,
                upper,
                limit,
                seconds,
                first: minute(first),
                last: minute(last),
            };
            (origin, reading)
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    proptest::collection::vec((subject(), reading()), 0..12).prop_map(|readings| {
        let mut evidence = Evidence::default();
        for (subject, (origin, reading)) in readings {
            evidence
                .add(subject, origin, &reading)
                .expect("it is a reading as one can be made");
        }
        evidence
    })
}

fn merged(one: &Evidence, other: &Evidence) -> Evidence {
    let mut merged = one.clone();
    merged.merge(other);
    merged
}

proptest! {
    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        a in evidence(), b in evidence(), c in evidence()
    ) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a.clone());
        prop_assert_eq!(merged(&merged(&a, &b), &b), merged(&a, &b));
    }

    #[test]
    fn what_is_written_is_read_again(a in evidence()) {
        prop_assert_eq!(Evidence::read(a.text().as_bytes()), Ok(a));
    }

    #[test]
    fn an_interval_only_widens_upwards(a in evidence(), b in evidence(), of in subject()) {
        let both = merged(&a, &b);
        let (before, after) = (a.interval(&of, None), both.interval(&of, None));
        let lower = |of: super::Interval<'_>| of.lower.and_then(|(_, reading)| reading.lower);
        let upper = |of: super::Interval<'_>| of.upper.and_then(|(_, reading)| reading.upper);
        prop_assert!(lower(after) >= lower(before));
        prop_assert!(upper(after) >= upper(before));
    }
}

/// A file with one reading, some of whose fields are replaced or added.
fn file(fields: &str) -> String {
    format!(
        "{{\"bzcEvidence\": 1, \"readings\": [{{\"of\": \"service\", \"name\": \"api\", \"part\": \"api\", \
         \"first\": \"2026-11-30T12:00:00Z\", \"last\": \"2026-11-30T12:10:00Z\", {fields}}}]}}"
    )
}

#[test]
fn a_reading_claims_no_more_than_it_can() {
    let good = [
        "\"how\": \"sample\", \"lowerBytes\": 5",
        "\"how\": \"peak\", \"upperBytes\": 5",
        "\"how\": \"peak\", \"upperBytes\": 5, \"limitBytes\": 6",
        "\"how\": \"peak\", \"lowerBytes\": 5, \"limitBytes\": 6",
        "\"how\": \"bisect\", \"upperBytes\": 5, \"lowerBytes\": 4",
        "\"how\": \"oom\", \"lowerBytes\": 6, \"limitBytes\": 5",
    ];
    for fields in good {
        assert!(Evidence::read(file(fields).as_bytes()).is_ok(), "{fields}");
    }
    let bad = [
        ("\"how\": \"sample\", \"lowerBytes\": 0", "no memory cgroup"),
        ("\"how\": \"sample\", \"upperBytes\": 5", "no upper bound"),
        ("\"how\": \"sample\"", "has `lowerBytes`"),
        ("\"how\": \"peak\"", "has `upperBytes`"),
        (
            "\"how\": \"peak\", \"upperBytes\": 6, \"limitBytes\": 6",
            "reached the limit",
        ),
        ("\"how\": \"bisect\", \"lowerBytes\": 6", "has `upperBytes`"),
        ("\"how\": \"oom\", \"limitBytes\": 5", "needs more"),
        ("\"how\": \"oom\", \"lowerBytes\": 5", "needs more"),
        (
            "\"how\": \"oom\", \"lowerBytes\": 5, \"limitBytes\": 5",
            "needs more",
        ),
        ("\"how\": \"guess\"", "unknown variant"),
        (
            "\"how\": \"sample\", \"lowerBytes\": 5, \"peak\": 5",
            "unknown field",
        ),
        (
            "\"how\": \"sample\", \"lowerBytes\": -5",
            "readings[0].lowerBytes",
        ),
    ];
    for (fields, why) in bad {
        let said = Evidence::read(file(fields).as_bytes()).expect_err(fields);
        assert!(said.contains(why) && said.contains("readings[0]"), "{said}");
    }
    let times = file("\"how\": \"sample\", \"lowerBytes\": 5").replace("12:10:00Z", "11:00");
    assert!(Evidence::read(times.as_bytes()).is_err());
    for (text, why) in [
        ("", "not JSON"),
        ("{}", "no `bzcEvidence`"),
        (
            "{\"bzcEvidence\": 2, \"anything\": 1}",
            "of format 2, and this bzc reads 1",
        ),
        ("{\"bzcEvidence\": 1}", "missing field `readings`"),
    ] {
        let said = Evidence::read(text.as_bytes()).expect_err(text);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn another_image_is_stale() {
    let (one, two) = (
        format!("sha256:{}", "1".repeat(64)),
        format!("sha256:{}", "2".repeat(64)),
    );
    let at = |name: &str, digest: &str| format!("{name}@{digest}");
    let cases = [
        (
            Some("redis:7"),
            None,
            "docker.io/library/redis:7".to_owned(),
            false,
        ),
        (Some("redis"), None, "redis:latest".to_owned(), false),
        (Some("redis:7"), None, "redis:8".to_owned(), true),
        (
            Some("a/redis:7"),
            None,
            "docker.io/a/redis:7".to_owned(),
            false,
        ),
        (
            Some("registry.lan:5000/api:1"),
            None,
            "registry.lan:5000/api:1".to_owned(),
            false,
        ),
        (
            Some("registry.lan:5000/api:1"),
            None,
            "registry.lan:5000/api:2".to_owned(),
            true,
        ),
        (None, None, "redis:8".to_owned(), false),
        // A digest decides, whatever the tag.
        (Some("redis:7"), Some(&one), at("redis:8", &one), false),
        (Some("redis:7"), Some(&one), at("redis:7", &two), true),
        (Some("redis:7"), Some(&one), "redis:7".to_owned(), false),
        (None, Some(&two), at("redis:7", &one), true),
    ];
    for (image, digest, reference, stale) in cases {
        let origin = Origin {
            how: How::Peak,
            image: image.map(str::to_owned),
            digest: digest.cloned(),
            version: None,
        };
        assert_eq!(
            is_stale(&origin, &reference),
            stale,
            "{origin:?} {reference}"
        );
    }
}
