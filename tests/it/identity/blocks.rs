//! Blocks against all pairs, and the guard against large ones.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stammkunde::block::{block, count_new};
use stammkunde::config::spec::BlockingRule;
use stammkunde::table::tiles::{CandidateBatch, for_each_row, tiles_of_all};
use stammkunde::table::{Blocks, Candidate, CodedRecords, RecordIx, RuleIx};

use super::{on_threads, owned, records, rule};

/// Every pair of every rule that no earlier rule gives, as the tiles give them.
fn streamed(blocks: &Blocks, records: &CodedRecords) -> Vec<(usize, u32, u32)> {
    let mut pairs = Vec::new();
    for (rule, tile) in tiles_of_all(blocks) {
        let at = usize::from(rule.0);
        let mut batch = CandidateBatch::new(records, Some((blocks, rule)));
        let mut take = |candidates: &[Candidate]| {
            pairs.extend(
                candidates
                    .iter()
                    .map(|candidate| (at, candidate.pair.left.0, candidate.pair.right.0)),
            );
        };
        for_each_row(&blocks.rules[at], &tile, |left, rights| batch.add(left, rights, &mut take));
        batch.end(take);
    }
    pairs
}

/// Whether two records share a key, decided on their values.
fn share(rule: &BlockingRule, records: &CodedRecords, left: u32, right: u32) -> bool {
    rule.keys.iter().all(|key| {
        let column = records.column(&key.column).expect("the rule names columns of the test");
        let cut = |record: u32| {
            let length = key.prefix.map_or(usize::MAX, |length| length as usize);
            column
                .value(RecordIx(record))
                .map(|value| value.chars().take(length).collect::<String>())
        };
        cut(left).is_some() && cut(left) == cut(right)
    })
}

fn values() -> impl Strategy<Value = Vec<Option<String>>> {
    prop::collection::vec(prop::option::weighted(0.85, "[abü]{1,3}"), 40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn blocks_give_exactly_the_pairs_that_share_a_key_each_by_its_first_rule(a in values(), b in values(), c in values()) {
        let records = owned(&[("a", &a), ("b", &b), ("c", &c)]);
        let rules = [rule(&["a", "b"]), rule(&["c:2"]), rule(&["b:1", "c", "a:1"]), rule(&["a"])];
        let (blocks, mut counts) = block(&rules, u64::MAX, &records);
        count_new(&blocks, &records, &mut counts);
        let mut expected = BTreeSet::new();
        let mut in_blocks = vec![0; rules.len()];
        for left in 0..records.len() {
            for right in left + 1..records.len() {
                let sharing: Vec<usize> = (0..rules.len()).filter(|&at| share(&rules[at], &records, left, right)).collect();
                for &at in &sharing {
                    in_blocks[at] += 1;
                    let before = blocks.found_before(RuleIx(u16::try_from(at).unwrap()), &records.candidate(RecordIx(left), RecordIx(right)), &records);
                    prop_assert_eq!(before, sharing[0] < at);
                }
                if let Some(&first) = sharing.first() {
                    expected.insert((first, left, right));
                }
            }
        }
        let found = streamed(&blocks, &records);
        prop_assert_eq!(found.len(), expected.len(), "no pair comes twice");
        prop_assert_eq!(&found.iter().copied().collect::<BTreeSet<_>>(), &expected);
        for (at, counts) in counts.iter().enumerate() {
            prop_assert_eq!(counts.pairs, in_blocks[at]);
            prop_assert_eq!(counts.pairs, blocks.rules[at].pairs());
            prop_assert_eq!(counts.pairs_new, expected.iter().filter(|pair| pair.0 == at).count() as u64);
            prop_assert_eq!(counts.blocks_left_out + counts.blocks_refined + counts.pairs_left_out, 0);
        }
    }

    #[test]
    fn blocks_do_not_depend_on_the_order_of_rows(a in values(), b in values(), seed in 1_u64..1000) {
        let count = a.len();
        let mut order: Vec<usize> = (0..count).collect();
        let mut random = super::Random(seed);
        for at in (1..count).rev() {
            order.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
        }
        let shuffled = |values: &[Option<String>]| -> Vec<Option<String>> { order.iter().map(|&at| values[at].clone()).collect() };
        let rules = [rule(&["a:1"]), rule(&["b", "a:2"])];
        let records_first = owned(&[("a", &a), ("b", &b)]);
        let records_second = owned(&[("a", &shuffled(&a)), ("b", &shuffled(&b))]);
        let (first, counts_first) = block(&rules, 30, &records_first);
        let (second, counts_second) = block(&rules, 30, &records_second);
        prop_assert_eq!(counts_first, counts_second);
        let original = |record: u32| u32::try_from(order[record as usize]).unwrap();
        let back: BTreeSet<(usize, u32, u32)> = streamed(&second, &records_second)
            .into_iter()
            .map(|(at, left, right)| {
                let (left, right) = (original(left), original(right));
                (at, left.min(right), left.max(right))
            })
            .collect();
        prop_assert_eq!(back, streamed(&first, &records_first).into_iter().collect::<BTreeSet<_>>());
    }
}

#[test]
fn records_without_a_key_part_are_in_no_block() {
    let records = records(&[
        ("a", vec![Some("x"), Some("x"), None, Some("")]),
        ("b", vec![Some("y"), Some("y"), Some("y"), Some("y")]),
    ]);
    let (blocks, counts) = block(&[rule(&["a", "b"])], u64::MAX, &records);
    assert_eq!(streamed(&blocks, &records), [(0, 0, 1)]);
    assert_eq!(counts[0].records, 2);
}

#[test]
fn a_block_at_the_limit_stays_and_one_above_is_refined() {
    let columns = |size: usize| {
        let names: Vec<Option<String>> = (0..size).map(|at| Some(format!("name {}", at % 2))).collect();
        owned(&[("a", &vec![Some("x".to_owned()); size]), ("family_name", &names)])
    };
    for (size, blocks_refined, pairs) in [(3, 0, 3), (4, 0, 6), (5, 1, 1 + 3)] {
        let (_, counts) = block(&[rule(&["a"])], 6, &columns(size));
        assert_eq!(
            (counts[0].blocks_refined, counts[0].pairs),
            (blocks_refined, pairs),
            "{size} records"
        );
        assert_eq!(counts[0].blocks_left_out, 0);
    }
}

#[test]
fn what_no_column_can_split_is_left_out_and_counted() {
    let x = vec![Some("x"); 5];
    let city = vec![Some("q"), Some("q"), Some("r"), None, None];
    let records = records(&[("a", x.clone()), ("b", x), ("city", city)]);
    let (blocks, counts) = block(&[rule(&["a", "b", "city:9"]), rule(&["a"]), rule(&["city"])], 0, &records);
    assert_eq!(counts[0].blocks_left_out, 1, "two records in q are one pair too many");
    assert!(streamed(&blocks, &records).is_empty());
    assert_eq!(
        (counts[1].blocks_refined, counts[1].blocks_left_out, counts[1].pairs_left_out),
        (1, 2, 10)
    );
    let (blocks, counts) = block(&[rule(&["a"]), rule(&["city"])], 1, &records);
    assert_eq!((counts[0].blocks_refined, counts[0].pairs, counts[0].pairs_left_out), (1, 2, 8));
    assert_eq!(
        streamed(&blocks, &records),
        [(0, 0, 1), (0, 3, 4)],
        "records without a city stay together"
    );
}

#[test]
fn twenty_thousand_equal_emails_stay_bounded() {
    let count = 20_000;
    let records = owned(&[
        ("email", &vec![Some("info@example.com".to_owned()); count]),
        (
            "family_name",
            &(0..count).map(|at| Some(format!("family {}", at % 500))).collect::<Vec<_>>(),
        ),
        ("constant", &vec![Some("x".to_owned()); count]),
    ]);
    let rules = [rule(&["email"]), rule(&["constant"])];
    let (blocks, mut counts) = on_threads(2, || block(&rules, 10_000, &records));
    count_new(&blocks, &records, &mut counts);
    assert_eq!(counts[0].blocks, 500);
    assert_eq!(counts[0].pairs, 500 * 40 * 39 / 2);
    assert_eq!(counts[0].pairs + counts[0].pairs_left_out, 20_000 * 19_999 / 2);
    assert_eq!(counts[0].largest_blocks, [40; 5]);
    assert_eq!(counts[1].pairs_new, 0);
    assert_eq!(streamed(&blocks, &records).len() as u64, counts[0].pairs);
}

#[test]
fn no_records_give_no_blocks() {
    let records = records(&[("a", Vec::new())]);
    let (blocks, mut counts) = block(&[rule(&["a"])], 10, &records);
    count_new(&blocks, &records, &mut counts);
    assert!(streamed(&blocks, &records).is_empty());
    assert_eq!((counts[0].records, counts[0].pairs, counts[0].pairs_new), (0, 0, 0));
}

#[test]
fn a_coarse_rule_keeps_small_blocks_up_to_its_pairs() {
    // 708 equal values are 250,278 pairs: one block more than a coarse rule may give, whatever the number of records.
    let values = |common: usize| -> Vec<Option<String>> {
        let common = std::iter::repeat_n(Some("common".to_owned()), common);
        common.chain(["rare", "rare"].map(|value| Some(value.to_owned()))).collect()
    };
    let coarse = BlockingRule {
        coarse: true,
        ..rule(&["a"])
    };
    for (common, blocks_kept) in [(707, 2), (708, 1)] {
        let records = owned(&[("a", &values(common))]);
        let (blocks, counts) = block(std::slice::from_ref(&coarse), u64::MAX, &records);
        assert_eq!(blocks.rules[0].len(), blocks_kept, "{common} equal values");
        assert_eq!(counts[0].blocks_left_out, 2 - blocks_kept as u64);
    }
}
