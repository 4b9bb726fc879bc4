//! What the last version knew of pairs: the links of a run that takes it over are those of one that compares everything.

use stammkunde::block::block;
use stammkunde::compare::Comparer;
use stammkunde::score::{KnownPairs, Model, ScoredPairs, TermFrequencies, Weights, fingerprints, likely_again, links, train};
use stammkunde::table::{Blocks, CodedRecords, Link, NULL_CODE, Pair};

use super::links::{coded, town, town_spec};
use super::{Random, rule};
use stammkunde::config::spec::IdentitySpec;

/// Rows by name, so that a record can be found again in another version.
type Rows = Vec<(u64, Vec<Option<String>>)>;

fn rows(seed: u64) -> Rows {
    let columns = town(seed);
    let row = |at: usize| columns.iter().map(|(_, values)| values[at].clone()).collect();
    (0..columns[0].1.len()).map(|at| (at as u64, row(at))).collect()
}

fn records(rows: &Rows) -> CodedRecords {
    let names = ["given_name", "family_name", "birth_date", "email"];
    let column = |at: usize| rows.iter().map(|(_, values)| values[at].clone()).collect();
    coded(&names.iter().enumerate().map(|(at, name)| (*name, column(at))).collect::<Vec<_>>())
}

/// Changes, removes and adds some rows; row ids stay ascending.
fn change(rows: &mut Rows, random: &mut Random) {
    for _ in 0..random.below(6) {
        let at = random.below(rows.len() as u64) as usize;
        let other = random.below(rows.len() as u64) as usize;
        match random.below(4) {
            0 => drop(rows.remove(at)),
            1 => {
                let column = random.below(4) as usize;
                rows[at].1[column] = rows[other].1[column].clone();
            }
            2 => rows[at].1[0] = Some(format!("new{}", random.below(3))),
            _ => {
                let next = rows.last().expect("there are rows").0 + 1;
                let values = rows[at].1.clone();
                rows.push((next, values));
            }
        }
    }
}

struct World {
    spec: IdentitySpec,
    model: Model,
    frequencies: TermFrequencies,
}

impl World {
    /// Scored links, what they leave to the next run, and how many pairs were compared.
    fn resolve(&self, records: &CodedRecords, known: Option<&KnownPairs>) -> (Vec<Link>, ScoredPairs, u64) {
        let Self { spec, model, frequencies } = self;
        let comparer = Comparer::new(&spec.comparisons, records);
        let weights = Weights::new(&spec.comparisons, model, frequencies, records).expect("the model was trained for this");
        let (blocks, _) = block(&spec.blocking, spec.block_pairs_max, records);
        let likely = likely_again(spec, (records, &blocks), &weights, &comparer, known);
        let (links, counts) = links(spec, records, &likely, &Blocks::default(), &weights, &comparer);
        let pair = |link: &Link| {
            let (left, right) = (link.left, link.right);
            (Pair { left, right }, link.pattern)
        };
        let scored = ScoredPairs::new(
            "same".to_owned(),
            fingerprints(&spec.comparisons, frequencies, records),
            &blocks,
            links.iter().map(pair).collect(),
        );
        (links, scored, counts.pairs)
    }
}

#[test]
fn links_are_the_same_whether_pairs_are_known_or_compared() {
    for (seed, block_pairs_max) in [(1, u64::MAX), (2, 60), (3, 20), (4, 6)] {
        let mut spec = town_spec();
        spec.deterministic.clear();
        spec.block_pairs_max = block_pairs_max;
        spec.blocking.insert(1, rule(&["given_name"]));
        let mut rows = rows(seed);
        let first = records(&rows);
        let comparer = Comparer::new(&spec.comparisons, &first);
        let (sessions, _) = block(&spec.training.sessions, u64::MAX, &first);
        let world = World {
            model: train(&spec, &first, &sessions, 300, &comparer),
            frequencies: TermFrequencies::count(&spec.comparisons, &first),
            spec,
        };
        let (_, mut scored, all) = world.resolve(&first, None);
        let mut random = Random(seed + 10);
        let mut compared_at_all = 0;
        for step in 0..20 {
            let before: Vec<u64> = rows.iter().map(|(id, _)| *id).collect();
            change(&mut rows, &mut random);
            let now = records(&rows);
            let position = |id: &u64| {
                before
                    .binary_search(id)
                    .map_or(NULL_CODE, |at| u32::try_from(at).expect("few rows"))
            };
            let then_of: Vec<u32> = rows.iter().map(|(id, _)| position(id)).collect();
            let today = fingerprints(&world.spec.comparisons, &world.frequencies, &now);
            let known = KnownPairs::locate(&scored, &then_of, &today);
            let (links, left, compared) = world.resolve(&now, Some(&known));
            let (expected, left_by_full, _) = world.resolve(&now, None);
            assert_eq!(links, expected, "seed {seed}, step {step}");
            let (batches, batches_by_full) = (left.to_batches(), left_by_full.to_batches());
            assert_eq!(batches, batches_by_full, "seed {seed}, step {step}: what is left to the next run");
            scored = ScoredPairs::from_batches(&[batches.0], &[batches.1]).expect("what was written is read");
            compared_at_all += compared;
        }
        // Where blocks are split, who stands in which depends on the others: such rules are compared anew.
        if block_pairs_max == u64::MAX {
            assert!(
                compared_at_all < 20 * all / 4,
                "{compared_at_all} of 20 times {all} pairs were compared"
            );
        }
    }
}

#[test]
fn an_equal_record_has_an_equal_fingerprint_and_any_other_value_or_frequency_another() {
    let spec = town_spec();
    let mut rows = rows(5);
    let frequencies = TermFrequencies::default();
    let before = fingerprints(&spec.comparisons, &frequencies, &records(&rows));
    // The birth date is weighed by no frequency, so only the record itself changes.
    rows[3].1[2] = Some("1900-01-01".to_owned());
    let after = fingerprints(&spec.comparisons, &frequencies, &records(&rows));
    let changed: Vec<usize> = (0..rows.len()).filter(|&at| before[at] != after[at]).collect();
    assert_eq!(changed, [3]);
    // A given name counts by how many hold it: who holds the same has another weight.
    let name = rows[3].1[0].clone();
    rows[3].1[0] = Some("nobody's".to_owned());
    let last = fingerprints(&spec.comparisons, &frequencies, &records(&rows));
    for (at, (_, values)) in rows
        .iter()
        .enumerate()
        .filter(|(_, (_, values))| values[0] == name && name.is_some())
    {
        assert_ne!(after[at], last[at], "{values:?}");
    }
}
