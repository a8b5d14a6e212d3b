//! The verdicts against an adversary who chooses order and node, and against all assignments.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one verdict, whatever others there are"
)]

mod made;

use super::cases::{self, Class, Node, cluster, decide, place, survives_one};
use super::search::{Outcome, Search};
use super::{BUDGET, Certificate, Dimension, Packing, Spread};
use crate::base::id::Id;
use crate::base::random::Random;
use crate::program::NodeId;
use made::*;

const MI: u64 = 1 << 20;

#[test]
fn what_is_admitted_in_any_order_never_gets_stuck() {
    let mut random = Random(1);
    let mut admitted = [0; 4];
    let (mut rightly, mut wrongly) = (0, 0);
    for case in 0..8000 {
        let (nodes, classes) = random.cluster(6);
        let verdict = place(&nodes, &classes);
        if matches!(verdict, Packing::AnyOrder(_)) {
            assert_eq!(
                reach(&nodes, &classes),
                (false, true),
                "{nodes:?} {classes:?}"
            );
            let restricted = classes.iter().any(|class| class.nodes.is_some());
            let single = classes
                .iter()
                .any(|class| class.spread != Spread::Any && class.count > 1);
            admitted[usize::from(restricted) + 2 * usize::from(single)] +=
                usize::from(nodes.len() > 1);
        } else if case % 4 == 0 && !matches!(verdict, Packing::Impossible(_)) {
            *(if reach(&nodes, &classes).0 {
                &mut rightly
            } else {
                &mut wrongly
            }) += 1;
        }
    }
    // The cases say something, and what is refused can mostly get stuck.
    assert!(
        admitted.iter().all(|&admitted| admitted > 20),
        "{admitted:?}"
    );
    assert!(rightly > 2 * wrongly, "{rightly} {wrongly}");
}

#[test]
fn large_clusters_keep_what_is_said_of_them() {
    let mut random = Random(7);
    let (mut said, mut outlived, mut stuck) = ([0; 4], 0, 0);
    for _ in 0..4000 {
        let (nodes, classes) = random.wide();
        match decide(&nodes, &classes, None, 20_000) {
            Packing::AnyOrder(_) => {
                said[0] += 1;
                for _ in 0..40 {
                    assert_eq!(
                        random.game(&nodes, &classes, None),
                        Ok(()),
                        "{nodes:?} {classes:?}"
                    );
                }
                for lost in 0..nodes.len() {
                    if let Packing::AnyOrder(_) = decide(&nodes, &classes, Some(lost), 1000) {
                        outlived += 1;
                        for _ in 0..10 {
                            assert_eq!(
                                random.game(&nodes, &classes, Some(lost)),
                                Ok(()),
                                "{nodes:?} {classes:?}"
                            );
                        }
                    }
                }
            }
            Packing::Packed(rows) => {
                said[1] += 1;
                assert!(
                    is_placement(&nodes, &classes, &rows),
                    "{nodes:?} {classes:?} {rows:?}"
                );
                stuck += usize::from((0..40).any(|_| random.game(&nodes, &classes, None).is_err()));
            }
            Packing::Impossible(_) => {
                said[2] += 1;
                // An order that ends well would be a placement.
                let none = (0..40).all(|_| random.game(&nodes, &classes, None).is_err());
                assert!(none, "{nodes:?} {classes:?}");
            }
            Packing::Undecided => said[3] += 1,
        }
    }
    // The cases say something, and what needs pins mostly gets stuck without them.
    assert!(
        said[..3].iter().all(|&cases| cases > 400) && said[3] < 400 && outlived > 300,
        "{said:?} {outlived}"
    );
    assert!(stuck * 2 > said[1], "{stuck} of {}", said[1]);
}

/// The pods of one row of a placement, each pinned to its node.
fn pins(classes: &[Class], node: u16, row: &[u64]) -> Vec<Class> {
    let pin = |(class, &count): (&Class, &u64)| Class {
        count,
        nodes: Some(vec![node]),
        ..class.clone()
    };
    classes.iter().zip(row).map(pin).collect()
}

#[test]
fn the_packing_agrees_with_all_assignments() {
    let mut random = Random(2);
    let (mut packed, mut exhausted, mut long) = (0, 0, 0);
    for case in 0..8000 {
        let (nodes, classes) = if case % 2 == 0 {
            random.cluster(8)
        } else {
            random.tight()
        };
        let feasible = packs(&nodes, &classes);
        let verdict = place(&nodes, &classes);
        assert!(
            is_right(&verdict, &nodes, &classes, feasible),
            "{nodes:?} {classes:?} {verdict:?}"
        );
        if let Packing::Packed(rows) = &verdict {
            let pinned: Vec<Class> = (0..)
                .zip(rows)
                .flat_map(|(j, row)| pins(&classes, j, row))
                .collect();
            assert!(
                matches!(place(&nodes, &pinned), Packing::AnyOrder(_)),
                "{nodes:?} {classes:?} {rows:?}"
            );
        }
        // The search alone, without what comes before it.
        let cluster = cluster(&nodes, &classes);
        match Search::new(&cluster, BUDGET).run() {
            Outcome::Found(filled) => {
                packed += 1;
                let rows = cluster.by_class(&filled, &cases::classes(&classes));
                assert!(
                    feasible && is_placement(&nodes, &classes, &rows),
                    "{nodes:?} {classes:?} {rows:?}"
                );
            }
            Outcome::Exhausted(states) => {
                exhausted += usize::from(matches!(
                    verdict,
                    Packing::Impossible(Certificate::Exhausted { .. })
                ));
                long += usize::from(states > 2);
                assert!(!feasible, "{nodes:?} {classes:?}");
            }
            Outcome::GivenUp => assert_eq!(nodes.len(), 0, "{nodes:?} {classes:?}"),
        }
    }
    assert!(
        packed > 3000 && exhausted > 500 && long > 100,
        "{packed} {exhausted} {long}"
    );
}

#[test]
fn one_node_is_the_plain_sum() {
    let mut random = Random(3);
    for _ in 0..2000 {
        let (mut nodes, mut classes) = random.cluster(8);
        nodes.truncate(1);
        classes
            .iter_mut()
            .for_each(|class| (class.nodes, class.spread) = (None, Spread::Any));
        let sum = |size: fn(&Class) -> u64| {
            classes
                .iter()
                .map(|class| size(class) * class.count)
                .sum::<u64>()
        };
        let sums = [
            sum(|class| class.memory),
            sum(|class| class.cpu),
            sum(|_| 1),
        ];
        let fits = sums
            .iter()
            .zip(room(&nodes[0]))
            .all(|(sum, room)| *sum <= room);
        let verdict = place(&nodes, &classes);
        assert_eq!(
            matches!(verdict, Packing::AnyOrder(_)),
            fits,
            "{nodes:?} {classes:?}"
        );
        assert_eq!(
            matches!(verdict, Packing::Impossible(_)),
            !fits,
            "{nodes:?} {classes:?}"
        );
    }
}

#[test]
fn a_lost_node_is_as_if_it_had_never_been() {
    let mut random = Random(4);
    for _ in 0..1000 {
        let (nodes, classes) = random.cluster(6);
        let verdicts = survives_one(&nodes, &classes);
        assert_eq!(verdicts.len(), nodes.len());
        for (lost, verdict) in verdicts.iter().enumerate() {
            // A node without room for one pod stands for none.
            let mut left = nodes.clone();
            left[lost].pods = 0;
            assert!(
                is_right(verdict, &left, &classes, packs(&left, &classes)),
                "{left:?} {classes:?} {verdict:?}"
            );
            let any_order = |verdict: &Packing| matches!(verdict, Packing::AnyOrder(_));
            assert_eq!(any_order(verdict), any_order(&place(&left, &classes)));
        }
    }
}

#[test]
fn what_is_pinned_to_a_lost_node_is_lost() {
    let pinned = |k: u16| Class {
        nodes: Some(vec![k]),
        ..class(u64::from(k) + 1, 2)
    };
    let classes: Vec<Class> = (0..12).map(pinned).collect();
    assert!(matches!(
        place(&[const { node(24) }; 12], &classes),
        Packing::AnyOrder(_)
    ));
    for (lost, verdict) in survives_one(&[const { node(24) }; 12], &classes)
        .into_iter()
        .enumerate()
    {
        assert_eq!(
            verdict,
            Packing::Impossible(Certificate::TooLarge { class: lost })
        );
    }
    // With more groups of nodes than unions are tried of, some are still safe and some are not.
    let with = |memory: u64| {
        classes
            .iter()
            .cloned()
            .chain([class(memory, 1)])
            .collect::<Vec<Class>>()
    };
    assert!(matches!(
        place(&[const { node(24) }; 12], &with(1)),
        Packing::Packed(_)
    ));
    assert!(matches!(
        place(&[const { node(26) }; 12], &with(2)),
        Packing::AnyOrder(_)
    ));
}

#[test]
fn restrictions_cost_the_freedom_of_order() {
    // Any node does, until a pod insists on one that the others can fill.
    let nodes = [node(5), node(5)];
    assert!(matches!(
        place(&nodes, &[class(1, 6)]),
        Packing::AnyOrder(_)
    ));
    let pinned = Class {
        nodes: Some(vec![0]),
        ..class(1, 1)
    };
    assert!(matches!(
        place(&nodes, &[class(1, 5), pinned.clone()]),
        Packing::Packed(_)
    ));
    assert!(matches!(
        place(&nodes, &[class(1, 4), pinned.clone()]),
        Packing::AnyOrder(_)
    ));
    // What is pinned elsewhere does not count.
    let elsewhere = Class {
        nodes: Some(vec![1]),
        ..class(1, 4)
    };
    assert!(matches!(
        place(&nodes, &[class(1, 1), elsewhere, pinned]),
        Packing::AnyOrder(_)
    ));
    // A free pod is safe where one node alone is safe: the smaller B.
    let heavy = Class {
        nodes: Some(vec![0]),
        ..class(5, 1)
    };
    assert!(matches!(
        place(
            &[node(5), node(50)],
            &[
                Class {
                    nodes: Some(vec![1]),
                    ..class(6, 1)
                },
                heavy
            ]
        ),
        Packing::AnyOrder(_)
    ));
    // Two that may not share a node block one for each other.
    let apart = Class {
        spread: Spread::AtMostOnePerNode,
        ..class(1, 2)
    };
    assert!(matches!(
        place(&nodes, &[class(1, 4), apart.clone()]),
        Packing::AnyOrder(_)
    ));
    assert!(matches!(
        place(&nodes, &[class(1, 5), apart]),
        Packing::Packed(_)
    ));
    // A large pod can fill but one node.
    assert!(matches!(
        place(&[node(10), node(10), node(10)], &[class(7, 3)]),
        Packing::AnyOrder(_)
    ));
}

#[test]
fn what_is_impossible_says_why() {
    let why = |nodes: &[Node], classes: &[Class]| match place(nodes, classes) {
        Packing::Impossible(certificate) => Some(certificate),
        _ => None,
    };
    let volume = |dimension, nodes: Vec<usize>, needed, have| {
        Some(Certificate::Volume {
            dimension,
            nodes: nodes.into_iter().map(NodeId::new).collect(),
            needed,
            have,
        })
    };
    let nodes = [
        Node {
            cpu: Some(10),
            ..node(20)
        },
        Node { pods: 3, ..node(9) },
    ];
    assert_eq!(
        why(&nodes, &[class(3, 10)]),
        volume(Dimension::Memory, vec![0, 1], 30, 29)
    );
    let pinned = |class| Class {
        nodes: Some(vec![1]),
        ..class
    };
    assert_eq!(
        why(&nodes, &[class(3, 4), pinned(class(1, 4))]),
        volume(Dimension::Pods, vec![1], 4, 3)
    );
    assert_eq!(
        why(
            &nodes,
            &[Class {
                nodes: Some(vec![0]),
                cpu: 4,
                ..class(1, 3)
            }]
        ),
        volume(Dimension::Cpu, vec![0], 12, 10)
    );
    // Too large for the other node is as good as pinned.
    assert_eq!(
        why(&nodes, &[class(10, 1), class(11, 1)]),
        volume(Dimension::Memory, vec![0], 21, 20)
    );
    assert_eq!(
        why(&nodes, &[class(1, 1), pinned(class(10, 1))]),
        Some(Certificate::TooLarge { class: 1 })
    );
    assert_eq!(
        why(&nodes, &[pinned(class(1, 0)), class(21, 1)]),
        Some(Certificate::TooLarge { class: 1 })
    );
    assert_eq!(
        why(&[], &[class(1, 1)]),
        Some(Certificate::TooLarge { class: 0 })
    );
    let apart = Class {
        spread: Spread::AtMostOnePerNode,
        ..class(1, 3)
    };
    assert_eq!(
        why(&nodes, &[apart]),
        Some(Certificate::Apart {
            class: 0,
            count: 3,
            nodes: 2
        })
    );
    assert_eq!(
        why(&[node(10), node(10)], &[class(6, 3)]).map(|_| ()),
        Some(())
    );
    assert!(matches!(place(&[], &[]), Packing::AnyOrder(_)));
    assert!(matches!(place(&[], &[class(1, 0)]), Packing::AnyOrder(_)));
}

#[test]
fn sums_are_bounded() {
    let (large, most) = (node(u64::MAX), u64::MAX);
    let all = Class {
        memory: most,
        cpu: most,
        ..class(0, most)
    };
    assert!(matches!(
        place(std::slice::from_ref(&large), &[all.clone(), all]),
        Packing::Impossible(_)
    ));
    let endless = Node {
        pods: most,
        ..large.clone()
    };
    assert_eq!(
        place(&[endless.clone(), endless.clone()], &[class(1, most)]),
        Packing::Undecided
    );
    let nodes = [Node { pods: 1, ..node(1) }, endless.clone(), endless];
    let classes = [
        Class {
            cpu: most,
            ..class(1 << 31, 1 << 32)
        },
        Class {
            nodes: Some(vec![0, 9]),
            ..class(1, 0)
        },
    ];
    assert!(matches!(place(&nodes, &classes), Packing::AnyOrder(_)));
    let classes = [
        Class {
            cpu: most,
            ..class(most, 2)
        },
        Class {
            nodes: Some(vec![0, 0, 9]),
            cpu: 1,
            ..class(1, 1)
        },
    ];
    assert!(matches!(place(&nodes, &classes), Packing::AnyOrder(_)));
}

#[test]
fn tight_clusters_are_decided() {
    let of = |sizes: &[(u64, u64)]| {
        sizes
            .iter()
            .map(|&(memory, count)| class(memory * MI, count))
            .collect::<Vec<_>>()
    };
    let nodes = |rooms: &[u64]| {
        rooms
            .iter()
            .map(|&room| node(room * MI))
            .collect::<Vec<_>>()
    };
    let certain = |nodes: &[Node], classes: &[Class]| match place(nodes, classes) {
        Packing::Packed(rows) => is_placement(nodes, classes, &rows).then_some(true),
        Packing::Impossible(Certificate::Exhausted { .. }) => Some(false),
        _ => None,
    };
    // 60 pods with 2Mi to spare; all sizes are multiples of three, which the rooms are not.
    let threes = of(&[(228, 13), (147, 9), (54, 12), (141, 8), (177, 9), (72, 9)]);
    assert_eq!(
        certain(&nodes(&[2595, 1399, 1412, 1348, 1552]), &threes),
        Some(false)
    );
    assert_eq!(
        certain(&nodes(&[2596, 1398, 1412, 1348, 1552]), &threes),
        Some(false)
    );
    assert_eq!(
        certain(&nodes(&[2595, 1401, 1413, 1347, 1551]), &threes),
        Some(true)
    );
    // Too many large pods among small ones.
    let mut classes = of(&[(60, 11)]);
    classes.extend((0..20).map(|k| class((5 + k) * MI, 1)));
    assert_eq!(certain(&nodes(&[100; 10]), &classes), Some(false));
    // Sums that just do not come out.
    let classes = of(&[(210, 8), (177, 10), (66, 5), (101, 14), (109, 8), (165, 15)]);
    assert_eq!(certain(&nodes(&[3716, 2289, 2543]), &classes), Some(true));
}

#[test]
fn many_services_are_decided() {
    let mut random = Random(5);
    let classes: Vec<Class> = (0..1000)
        .map(|_| class(random.below(100 * MI) + 16 * MI, 1 + random.below(2)))
        .collect();
    let sum: u64 = classes.iter().map(|class| class.memory * class.count).sum();
    let nodes = |percent: u64| vec![node(sum / 2000 * percent); 20];
    assert!(matches!(place(&nodes(130), &classes), Packing::AnyOrder(_)));
    let verdict = place(&nodes(101), &classes);
    assert!(is_right(&verdict, &nodes(101), &classes, true));
    assert_eq!(verdict, place(&nodes(101), &classes));
    // The last hundred bytes of each node: nobody knows, and says so soon.
    let exact = vec![node(sum / 20 + 1); 20];
    let soon = || decide(&exact, &classes, None, 50_000);
    assert_eq!(soon(), Packing::Undecided);
}

#[test]
fn the_order_of_the_classes_changes_no_verdict() {
    let mut random = Random(6);
    for _ in 0..1000 {
        let (nodes, mut classes) = random.tight();
        let before = place(&nodes, &classes);
        assert_eq!(before, place(&nodes, &classes));
        classes.reverse();
        let after = match place(&nodes, &classes) {
            Packing::Packed(mut rows) => {
                rows.iter_mut().for_each(|row| row.reverse());
                Packing::Packed(rows)
            }
            verdict => verdict,
        };
        assert_eq!(
            std::mem::discriminant(&before),
            std::mem::discriminant(&after),
            "{nodes:?} {classes:?}"
        );
    }
}
