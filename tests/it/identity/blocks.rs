//! Blocks against all pairs, and the guard against large ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stammkunde::block::{block, count_new};
use stammkunde::config::spec::{BlockingRule, KeyPart};
use stammkunde::table::tiles::{CandidateBatch, for_each_row, tiles_of_all};
use stammkunde::table::{Blocks, Candidate, CodedRecords, RecordIx, RuleIx};

use super::{Random, on_threads, owned, records, rule};

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

/// Columns `c00` and up of so many different values each; half of the records repeat another, but for some gaps and changes.
fn repeating(seed: u64, sizes: &[u64]) -> CodedRecords {
    let mut random = Random(seed);
    let mut rows: Vec<Vec<Option<String>>> = Vec::new();
    for _ in 0..60 {
        let mut row: Vec<Option<String>> = sizes.iter().map(|&size| Some(format!("{:03}", random.below(size) * 7))).collect();
        if let Some(other) = (!rows.is_empty() && random.is(0.5)).then(|| random.below(rows.len() as u64)) {
            row.clone_from(&rows[usize::try_from(other).unwrap()]);
        }
        if random.is(0.2) {
            let at = usize::try_from(random.below(sizes.len() as u64)).unwrap();
            row[at] = random.is(0.5).then(|| format!("{:03}", random.below(sizes[at]) * 7));
        }
        rows.push(row);
    }
    let names: Vec<String> = (0..sizes.len()).map(|at| format!("c{at:02}")).collect();
    let columns: Vec<Vec<Option<String>>> = (0..sizes.len())
        .map(|at| rows.iter().map(|row| row[at].clone()).collect())
        .collect();
    let named: Vec<(&str, &[Option<String>])> = names.iter().map(String::as_str).zip(columns.iter().map(Vec::as_slice)).collect();
    owned(&named)
}

/// The key of a record as texts; `None` if a part is missing.
fn key_of(rule: &BlockingRule, records: &CodedRecords, record: u32) -> Option<Vec<String>> {
    let part = |key: &KeyPart| {
        let value = records
            .column(&key.column)
            .expect("the rule names columns of the test")
            .value(RecordIx(record))?;
        Some(
            value
                .chars()
                .take(key.prefix.map_or(usize::MAX, |length| length as usize))
                .collect(),
        )
    };
    rule.keys.iter().map(part).collect()
}

/// Whether two records share a key, decided on their values.
fn share(rule: &BlockingRule, records: &CodedRecords, left: u32, right: u32) -> bool {
    let key = key_of(rule, records, left);
    key.is_some() && key == key_of(rule, records, right)
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
    fn blocks_of_any_number_of_parts_are_those_of_a_slow_grouping(
        seed in 1_u64..u64::MAX,
        sizes in prop::collection::vec((1_u64..60, prop::option::weighted(0.4, 1_u32..4)), 1..24),
    ) {
        // Up to 23 parts of up to 6 bits: below and above what one integer holds. Half of the records repeat another.
        let records = repeating(seed, &sizes.iter().map(|size| size.0).collect::<Vec<_>>());
        let parts: Vec<String> = sizes.iter().enumerate().map(|(at, (_, prefix))| match prefix {
            Some(length) => format!("c{at:02}:{length}"),
            None => format!("c{at:02}"),
        }).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let rules = [rule(&parts), rule(&parts[parts.len() / 2..]), rule(&parts[..1])];
        let (blocks, counts) = block(&rules, u64::MAX, &records);
        for (at, rule) in rules.iter().enumerate() {
            let mut groups: BTreeMap<Vec<String>, Vec<u32>> = BTreeMap::new();
            for record in 0..records.len() {
                if let Some(key) = key_of(rule, &records, record) {
                    groups.entry(key).or_default().push(record);
                }
            }
            prop_assert_eq!(counts[at].records, groups.values().map(|group| group.len() as u64).sum::<u64>());
            let expected: Vec<&[u32]> = groups.values().filter(|group| group.len() > 1).map(Vec::as_slice).collect();
            let found: Vec<&[u32]> = (0..blocks.rules[at].len()).map(|block| blocks.rules[at].block(block)).collect();
            prop_assert_eq!(found, expected, "{}", rule.name);
        }
    }

    #[test]
    fn a_pair_is_found_before_where_an_earlier_rule_has_it_in_a_block(seed in 1_u64..u64::MAX) {
        // Rules of every kind: whole columns, prefixes, blocks that were refined, coarse ones of which blocks were left out, long keys.
        let records = repeating(seed, &[3, 2, 40, 12, 5, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60]);
        let coarse = |parts: &[&str]| BlockingRule { coarse: true, ..rule(parts) };
        let long: Vec<String> = (5..17).map(|at| format!("c{at:02}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let rules = [
            coarse(&["c01"]),
            rule(&["c03", "c04:2"]),
            rule(&["c00"]),
            coarse(&["c02"]),
            rule(&long),
            rule(&["c02:2"]),
            rule(&["c04"]),
        ];
        let (blocks, counts) = block(&rules, 60, &records);
        prop_assert!(counts[2].blocks_refined > 0);
        let mut block_of = vec![vec![None; records.len() as usize]; rules.len()];
        for (at, of_rule) in block_of.iter_mut().enumerate() {
            for block in 0..blocks.rules[at].len() {
                blocks.rules[at].block(block).iter().for_each(|&record| of_rule[record as usize] = Some(block));
            }
        }
        let together = |at: usize, left: u32, right: u32| {
            let block = block_of[at][left as usize];
            block.is_some() && block == block_of[at][right as usize]
        };
        let mut expected = BTreeSet::new();
        for left in 0..records.len() {
            for right in left + 1..records.len() {
                let sharing: Vec<usize> = (0..rules.len()).filter(|&at| together(at, left, right)).collect();
                let candidate = records.candidate(RecordIx(left), RecordIx(right));
                prop_assert_eq!(blocks.shared.count(&candidate, &records), sharing.len());
                if let Some(&first) = sharing.first() {
                    expected.insert((first, left, right));
                }
            }
        }
        let found = streamed(&blocks, &records);
        prop_assert_eq!(found.len(), expected.len());
        prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
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

#[test]
fn coarse_rules_that_left_blocks_out_do_not_take_their_pairs_from_later_rules() {
    // 708 equal values are one pair more than a coarse rule may give; its small blocks stay.
    let count = 760;
    let common: Vec<Option<String>> = (0..count)
        .map(|at| {
            Some(if at < 708 {
                "common".to_owned()
            } else {
                format!("rare {}", at / 2)
            })
        })
        .collect();
    let pairs: Vec<Option<String>> = (0..count).map(|at| Some(format!("{}", at / 2))).collect();
    let records = owned(&[("a", &common), ("b", &pairs)]);
    let rules = [
        BlockingRule {
            coarse: true,
            ..rule(&["a"])
        },
        rule(&["b"]),
    ];
    let (blocks, mut counts) = block(&rules, u64::MAX, &records);
    count_new(&blocks, &records, &mut counts);
    assert_eq!((counts[0].blocks_left_out, counts[0].pairs_new), (1, 26));
    assert_eq!(counts[1].pairs_new, 354, "the pairs of the block that was left out, and only they");
    let by_rule = |at: usize| streamed(&blocks, &records).iter().filter(|pair| pair.0 == at).count();
    assert_eq!((by_rule(0), by_rule(1)), (26, 354));
}

#[test]
fn sixty_four_rules_on_sixty_four_columns_find_each_pair_once() {
    let count = 130_usize;
    let names: Vec<String> = (0..64).map(|at| format!("c{at:02}")).collect();
    // Records 2n and 2n + 1 agree on column n alone, the last two on all.
    let columns: Vec<Vec<Option<String>>> = (0..64)
        .map(|column| {
            let value = |at: usize| if at / 2 == column || at >= 128 { at / 2 } else { 1000 + at };
            (0..count)
                .map(|at| (at % 2 == column % 2 || at / 2 == column || at >= 128).then(|| value(at).to_string()))
                .collect()
        })
        .collect();
    let named: Vec<(&str, &[Option<String>])> = names.iter().map(String::as_str).zip(columns.iter().map(Vec::as_slice)).collect();
    let records = owned(&named);
    let rules: Vec<BlockingRule> = names.iter().map(|name| rule(&[name])).collect();
    let (blocks, mut counts) = block(&rules, u64::MAX, &records);
    count_new(&blocks, &records, &mut counts);
    let new: Vec<u64> = counts.iter().map(|counts| counts.pairs_new).collect();
    assert_eq!(new, [vec![2], vec![1; 63]].concat());
    let candidate = records.candidate(RecordIx(128), RecordIx(129));
    assert_eq!((candidate.equal, candidate.missing), (u64::MAX, 0));
    assert_eq!(blocks.shared.count(&candidate, &records), 64);
    let candidate = records.candidate(RecordIx(126), RecordIx(127));
    assert_eq!((candidate.equal, candidate.missing), (1 << 63, u64::MAX >> 1));
}
