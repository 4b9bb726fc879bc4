//! Quality against labels: metrics, every threshold, what was missed and why, and the worst errors.

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{rules_of, thresholds, whole_bits};
use super::labels::{Labels, Name};
use super::metrics::{Evaluation, Quality, evaluate, ratio};
use super::scene::{Lookup, Scene};
use super::sweep::{Edge, Measured, Truth, of_pairs, sweep};
use crate::config::Spec;
use crate::error::{Error, Result};
use crate::score::{Weights, probability};
use crate::table::pairs::BATCH_PAIRS;
use crate::table::{Blocks, NULL_CODE, Pair, PairPatterns, RecordIx, RefusalReason};

/// Most missed pairs that are looked at one by one. Metrics count all.
pub const MISSES_LOOKED_AT_MAX: u64 = 5_000_000;
/// Whole bits of match weight at which thresholds are told, at most.
const BITS_MAX: i32 = 40;

/// Quality against labels. Everything is about labeled records that the version has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabeledQuality {
    /// What the labels are.
    pub labels: LabelCounts,
    /// Pairs that are linked directly, against all true pairs.
    pub links: Quality,
    /// Pairs of records in one customer, against all true pairs: the F1 that papers call pairwise or cluster-pair.
    pub pairs: Quality,
    /// B-cubed (Bagga and Baldwin 1998); of labeled clusters only.
    pub b_cubed: Option<Quality>,
    /// Whole clusters: precision is the share of customers that hold exactly the records of one person, recall the share of people whose
    /// records are exactly one customer. Of labeled clusters only.
    pub clusters: Option<Quality>,
    /// Customers with a labeled record.
    pub customers: u64,
    /// People of the labels; 0 if pairs are labeled.
    pub people: u64,
    /// The same at other thresholds, ascending: see [`ThresholdQuality`].
    pub thresholds: Vec<ThresholdQuality>,
    /// Links and wrong links by the rule that found them, most wrong ones first.
    pub rules: Vec<RuleQuality>,
    /// Why true pairs were missed, most frequent first.
    pub misses: Vec<MissCount>,
    /// Missed pairs that `misses` is about: all, or the first [`MISSES_LOOKED_AT_MAX`] in the order of the records.
    pub misses_looked_at: u64,
}

/// How many labels there are, and how many count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelCounts {
    /// `clusters`: each record has a person; `pairs`: each pair has a verdict.
    pub kind: LabelKind,
    /// Labels in the file: records, or pairs.
    pub labels: u64,
    /// Labels that count: the version has the record, or both records of the pair.
    pub labels_used: u64,
    /// Labeled records that the version lacks.
    pub records_lacking: u64,
    /// Records of the version without a label.
    pub records_unlabeled: u64,
}

/// What a row of labels is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// A record and its person.
    Clusters,
    /// Two records and a verdict.
    Pairs,
}

/// Quality of the connected components of all published links at or above a threshold: `links`, and those `possible_links` that are only
/// below the threshold of the run. Links that a constraint refused join nothing, links of deterministic rules hold at every threshold. At the
/// threshold of the run these are the published customers. Below the possible threshold nothing is known, so nothing is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdQuality {
    /// Threshold in bits of match weight.
    pub match_weight: f64,
    /// The same as a probability.
    pub match_probability: f64,
    /// Whether this is the threshold of the project.
    pub is_current: bool,
    /// Components, of labeled and other records.
    pub customers: u64,
    /// Direct links.
    pub links: Quality,
    /// Pairs in one component.
    pub pairs: Quality,
    /// B-cubed.
    pub b_cubed: Option<Quality>,
}

/// What the links of a rule are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleQuality {
    /// Rule that found the links first.
    pub rule: String,
    /// Its links between labeled records.
    pub links: u64,
    /// Those between different people.
    pub wrong: u64,
    /// The others, as a share.
    pub precision: f64,
}

/// Pairs that were missed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissCount {
    /// `not_compared` (no blocking rule pairs them), `below_threshold`, or the constraint that refused the link.
    pub reason: String,
    /// Pairs.
    pub pairs: u64,
    /// Those of them whose own weight reaches the threshold.
    pub pairs_above_threshold: u64,
}

/// A pair that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) weight: f64,
    pub(super) reason: String,
}

/// What comparing with labels gives.
pub(super) struct Compared {
    pub(super) quality: LabeledQuality,
    /// One pair a customer that holds several people: its heaviest wrong link; the heaviest first.
    pub(super) false_positives: Vec<Wrong>,
    /// One pair of two customers that are one person: the heaviest between them; the lightest first.
    pub(super) false_negatives: Vec<Wrong>,
}

/// Labels as numbers.
enum Known {
    /// Person of each record, [`NULL_CODE`] = not labeled.
    Clusters(Vec<u32>),
    Pairs(Vec<(u32, u32, bool)>),
}

/// Compares a version with labels.
///
/// # Errors
/// `Input` if a record is labeled twice, an id is ambiguous, or no label is about a record of the version.
pub(super) fn compare<P: PairPatterns>(
    spec: &Spec,
    scene: &Scene,
    labels: &Labels,
    weights: &Weights<'_>,
    patterns: &P,
) -> Result<Compared> {
    let (known, counts) = number(scene, labels)?;
    let blocks = scene.blocks(spec);
    let judge = Judge {
        scene,
        weights,
        patterns,
        blocks: &blocks,
        refused: scene
            .possible
            .iter()
            .filter(|link| is_refused(&link.reason))
            .map(|link| ((link.left, link.right), link.reason.as_str()))
            .collect(),
        threshold: thresholds(spec).1,
    };
    let (misses, looked_at) = missed(scene, &known);
    let misses = judge.weigh(&misses);
    let (measured, evaluation, clusters) = measure(scene, &known);
    let thresholds = by_threshold(spec, scene, &known);
    let links = links_at(scene, &known);
    let quality = LabeledQuality {
        labels: counts,
        links,
        pairs: measured,
        b_cubed: evaluation.map(|evaluation| evaluation.b_cubed),
        clusters,
        customers: customers(scene, &known),
        people: evaluation.map_or(0, |evaluation| evaluation.clusters_true),
        thresholds,
        rules: rules(scene, &known),
        misses: judge.count(&misses),
        misses_looked_at: looked_at,
    };
    Ok(Compared {
        quality,
        false_positives: false_positives(scene, &known, &judge),
        false_negatives: false_negatives(scene, &judge, misses),
    })
}

fn is_refused(reason: &str) -> bool {
    reason != RefusalReason::BelowThreshold.name()
}

/// Finds the records of the labels.
fn number(scene: &Scene, labels: &Labels) -> Result<(Known, LabelCounts)> {
    let lookup = scene.lookup();
    let mut lacking: rustc_hash::FxHashSet<&Name> = rustc_hash::FxHashSet::default();
    let mut counts = LabelCounts {
        kind: LabelKind::Clusters,
        labels: 0,
        labels_used: 0,
        records_lacking: 0,
        records_unlabeled: 0,
    };
    let mut labeled = vec![false; scene.records.len() as usize];
    let known = match labels {
        Labels::Clusters(rows) => {
            counts.labels = rows.len() as u64;
            Known::Clusters(number_clusters(&lookup, rows, &mut labeled, &mut lacking)?)
        }
        Labels::Pairs(rows) => {
            counts.kind = LabelKind::Pairs;
            counts.labels = rows.len() as u64;
            Known::Pairs(number_pairs(&lookup, rows, &mut labeled, &mut lacking)?)
        }
    };
    counts.labels_used = match &known {
        Known::Clusters(_) => labeled.iter().filter(|labeled| **labeled).count() as u64,
        Known::Pairs(pairs) => pairs.len() as u64,
    };
    counts.records_lacking = lacking.len() as u64;
    counts.records_unlabeled = labeled.iter().filter(|labeled| !**labeled).count() as u64;
    if counts.labels_used == 0 {
        return Err(Error::input("no label is about a record of the version")
            .with("labels", counts.labels.to_string())
            .with("version", scene.version.to_string())
            .hint("record ids are those of latest/identities.parquet; name the columns with --id, --source and --cluster"));
    }
    Ok((known, counts))
}

fn number_clusters<'a>(
    lookup: &Lookup<'_>,
    rows: &'a [(Name, String)],
    labeled: &mut [bool],
    lacking: &mut rustc_hash::FxHashSet<&'a Name>,
) -> Result<Vec<u32>> {
    let mut people: FxHashMap<&str, u32> = FxHashMap::default();
    let mut of = vec![NULL_CODE; labeled.len()];
    for (name, cluster) in rows {
        let Some(record) = lookup.find(name.0.as_deref(), &name.1)? else {
            lacking.insert(name);
            continue;
        };
        let next = u32::try_from(people.len()).expect("there are fewer people than records");
        let person = *people.entry(cluster).or_insert(next);
        if std::mem::replace(&mut labeled[record as usize], true) {
            return Err(Error::input("a record is labeled twice")
                .hint("give each record one row; if ids repeat between sources, name the column with --source"));
        }
        of[record as usize] = person;
    }
    Ok(of)
}

fn number_pairs<'a>(
    lookup: &Lookup<'_>,
    rows: &'a [(Name, Name, bool)],
    labeled: &mut [bool],
    lacking: &mut rustc_hash::FxHashSet<&'a Name>,
) -> Result<Vec<(u32, u32, bool)>> {
    let mut pairs = Vec::with_capacity(rows.len());
    for (left, right, is_match) in rows {
        let mut find = |name: &'a Name| -> Result<Option<u32>> {
            let found = lookup.find(name.0.as_deref(), &name.1)?;
            match found {
                Some(record) => labeled[record as usize] = true,
                None => drop(lacking.insert(name)),
            }
            Ok(found)
        };
        if let (Some(left), Some(right)) = (find(left)?, find(right)?) {
            if left == right {
                return Err(Error::input("a labeled pair is one record twice").hint("give two different records"));
            }
            pairs.push((left.min(right), left.max(right), *is_match));
        }
    }
    pairs.sort_unstable();
    let rows = pairs.len();
    pairs.dedup_by_key(|(left, right, _)| (*left, *right));
    if pairs.len() < rows {
        return Err(Error::input("a pair is labeled twice").hint("give each pair one row"));
    }
    Ok(pairs)
}

/// Quality of the published customers; B-cubed and whole clusters of labeled clusters only.
fn measure(scene: &Scene, known: &Known) -> (Quality, Option<Evaluation>, Option<Quality>) {
    match known {
        Known::Clusters(of) => {
            let records: Vec<(u32, u32)> = labeled(of).map(|(record, person)| (person, scene.customer(record))).collect();
            let evaluation = evaluate(&records);
            (evaluation.pairs, Some(evaluation), Some(whole_clusters(&records)))
        }
        Known::Pairs(pairs) => (of_pairs(pairs, |left, right| scene.together(left, right)), None, None),
    }
}

fn labeled(of: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    (0_u32..)
        .zip(of)
        .filter(|(_, person)| **person != NULL_CODE)
        .map(|(record, &person)| (record, person))
}

/// Clusters that are exactly one of the other side.
fn whole_clusters(records: &[(u32, u32)]) -> Quality {
    let (mut cells, mut people, mut customers) = (FxHashMap::default(), FxHashMap::default(), FxHashMap::default());
    for &(person, customer) in records {
        *cells.entry((person, customer)).or_insert(0_u64) += 1;
        *people.entry(person).or_insert(0_u64) += 1;
        *customers.entry(customer).or_insert(0_u64) += 1;
    }
    let is_whole = |((person, customer), count): (&(u32, u32), &u64)| people[person] == *count && customers[customer] == *count;
    let both = cells.iter().filter(|&cell| is_whole(cell)).count();
    Quality::of_counts(both as u128, customers.len() as u128, people.len() as u128)
}

fn customers(scene: &Scene, known: &Known) -> u64 {
    let mut customers: Vec<u32> = match known {
        Known::Clusters(of) => labeled(of).map(|(record, _)| scene.customer(record)).collect(),
        Known::Pairs(pairs) => pairs
            .iter()
            .flat_map(|&(left, right, _)| [scene.customer(left), scene.customer(right)])
            .collect(),
    };
    customers.sort_unstable();
    customers.dedup();
    customers.len() as u64
}

/// Published links alone, without what follows from them.
fn links_at(scene: &Scene, known: &Known) -> Quality {
    let edges: Vec<Edge> = scene
        .links
        .iter()
        .map(|link| Edge {
            left: link.left,
            right: link.right,
            weight: 0.0,
        })
        .collect();
    sweep(scene.records.len() as usize, truth(known), &edges, &[0.0])[0].links
}

fn truth(known: &Known) -> Truth<'_> {
    match known {
        Known::Clusters(of) => Truth::Clusters(of),
        Known::Pairs(pairs) => Truth::Pairs(pairs),
    }
}

fn by_threshold(spec: &Spec, scene: &Scene, known: &Known) -> Vec<ThresholdQuality> {
    let (possible, current) = thresholds(spec);
    let taken = scene.links.iter().map(|link| Edge {
        left: link.left,
        right: link.right,
        weight: if Scene::is_deterministic(spec, link) {
            f64::INFINITY
        } else {
            link.weight
        },
    });
    let lighter = scene.possible.iter().filter(|link| !is_refused(&link.reason)).map(|link| Edge {
        left: link.left,
        right: link.right,
        weight: link.weight,
    });
    let edges: Vec<Edge> = taken.chain(lighter).collect();
    let heaviest = edges
        .iter()
        .map(|edge| edge.weight)
        .filter(|weight| weight.is_finite())
        .fold(current, f64::max);
    let mut bits: Vec<f64> = (whole_bits(possible.ceil())..=(whole_bits(heaviest) + 1).min(BITS_MAX))
        .map(f64::from)
        .collect();
    bits.retain(|bits| *bits != current);
    bits.push(current);
    bits.sort_unstable_by(|a, b| b.total_cmp(a));
    let mut measured = sweep(scene.records.len() as usize, truth(known), &edges, &bits);
    measured.reverse();
    let told = |measured: Measured| ThresholdQuality {
        match_weight: measured.threshold,
        match_probability: probability(measured.threshold),
        is_current: measured.threshold.to_bits() == current.to_bits(),
        customers: measured.clusters,
        links: measured.links,
        pairs: measured.pairs,
        b_cubed: measured.b_cubed,
    };
    measured.into_iter().map(told).collect()
}

/// What labels say about a pair.
fn is_match(known: &Known, left: u32, right: u32) -> Option<bool> {
    match known {
        Known::Clusters(of) => {
            let (left, right) = (of[left as usize], of[right as usize]);
            (left != NULL_CODE && right != NULL_CODE).then_some(left == right)
        }
        Known::Pairs(pairs) => {
            let found = pairs.binary_search_by_key(&(left, right), |&(left, right, _)| (left, right));
            found.ok().map(|at| pairs[at].2)
        }
    }
}

fn rules(scene: &Scene, known: &Known) -> Vec<RuleQuality> {
    let mut counts: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
    for link in &scene.links {
        if let Some(is_match) = is_match(known, link.left, link.right) {
            let (links, wrong) = counts.entry(&link.rule).or_default();
            *links += 1;
            *wrong += u64::from(!is_match);
        }
    }
    let told = |(rule, (links, wrong)): (&str, (u64, u64))| RuleQuality {
        rule: rule.to_owned(),
        links,
        wrong,
        precision: ratio((links - wrong).into(), links.into()),
    };
    let mut rules: Vec<RuleQuality> = counts.into_iter().map(told).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.wrong));
    rules
}

/// True pairs that are apart, in the order of people and records, and how many are given.
fn missed(scene: &Scene, known: &Known) -> (Vec<Pair>, u64) {
    let mut pairs = Vec::new();
    let mut push = |left: u32, right: u32| {
        pairs.push(Pair {
            left: RecordIx(left.min(right)),
            right: RecordIx(left.max(right)),
        });
        pairs.len() as u64 >= MISSES_LOOKED_AT_MAX
    };
    match known {
        Known::Pairs(labeled) => {
            for &(left, right, is_match) in labeled {
                if is_match && !scene.together(left, right) && push(left, right) {
                    break;
                }
            }
        }
        Known::Clusters(of) => {
            let mut sorted: Vec<(u32, u32)> = labeled(of).map(|(record, person)| (person, record)).collect();
            sorted.sort_unstable();
            'people: for records in sorted.chunk_by(|a, b| a.0 == b.0) {
                for (position, &(_, left)) in records.iter().enumerate() {
                    for &(_, right) in &records[position + 1..] {
                        if !scene.together(left, right) && push(left, right) {
                            break 'people;
                        }
                    }
                }
            }
        }
    }
    let looked_at = pairs.len() as u64;
    (pairs, looked_at)
}

/// Says why a pair is apart.
struct Judge<'a, P> {
    scene: &'a Scene,
    weights: &'a Weights<'a>,
    patterns: &'a P,
    blocks: &'a Blocks,
    refused: FxHashMap<(u32, u32), &'a str>,
    threshold: f64,
}

const NOT_COMPARED: &str = "not_compared";

impl<P: PairPatterns> Judge<'_, P> {
    fn weigh(&self, pairs: &[Pair]) -> Vec<(Pair, f64)> {
        let (mut scratch, mut found) = (self.patterns.scratch(), Vec::new());
        let mut weighed = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(BATCH_PAIRS) {
            self.patterns.patterns(&mut scratch, chunk, &mut found);
            weighed.extend(
                chunk
                    .iter()
                    .zip(&found)
                    .map(|(&pair, &pattern)| (pair, self.weights.weight(pattern, pair.left, pair.right))),
            );
        }
        weighed
    }

    fn reason(&self, pair: Pair, weight: f64) -> &str {
        let (left, right) = (pair.left.0, pair.right.0);
        match self.refused.get(&(left, right)) {
            Some(reason) => reason,
            None if rules_of(self.blocks, left, right) == 0 => NOT_COMPARED,
            None if weight < self.threshold => RefusalReason::BelowThreshold.name(),
            None => "not_taken",
        }
    }

    fn count(&self, misses: &[(Pair, f64)]) -> Vec<MissCount> {
        let mut counts: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
        for &(pair, weight) in misses {
            let (pairs, above) = counts.entry(self.reason(pair, weight)).or_default();
            *pairs += 1;
            *above += u64::from(weight >= self.threshold);
        }
        let told = |(reason, (pairs, pairs_above_threshold)): (&str, (u64, u64))| MissCount {
            reason: reason.to_owned(),
            pairs,
            pairs_above_threshold,
        };
        let mut counts: Vec<MissCount> = counts.into_iter().map(told).collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.pairs));
        counts
    }

    fn wrong(&self, pair: Pair, weight: f64) -> Wrong {
        let apart = !self.scene.together(pair.left.0, pair.right.0);
        Wrong {
            left: pair.left.0,
            right: pair.right.0,
            weight,
            reason: if apart {
                self.reason(pair, weight).to_owned()
            } else {
                String::new()
            },
        }
    }
}

/// The heaviest wrong pair of each customer, the heaviest first.
fn false_positives<P: PairPatterns>(scene: &Scene, known: &Known, judge: &Judge<'_, P>) -> Vec<Wrong> {
    let pair = |left: u32, right: u32| Pair {
        left: RecordIx(left),
        right: RecordIx(right),
    };
    let pairs: Vec<Pair> = match known {
        Known::Clusters(_) => {
            let links = scene
                .links
                .iter()
                .filter(|link| is_match(known, link.left, link.right) == Some(false));
            links.map(|link| pair(link.left, link.right)).collect()
        }
        Known::Pairs(pairs) => {
            let wrong = pairs
                .iter()
                .filter(|(left, right, is_match)| !is_match && scene.together(*left, *right));
            wrong.map(|&(left, right, _)| pair(left, right)).collect()
        }
    };
    let found = heaviest(judge.weigh(&pairs), |pair| (scene.customer(pair.left.0), 0));
    let mut wrong: Vec<Wrong> = found.into_iter().map(|(pair, weight)| judge.wrong(pair, weight)).collect();
    wrong.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    wrong
}

/// The heaviest missed pair between each two customers, the lightest first.
fn false_negatives<P: PairPatterns>(scene: &Scene, judge: &Judge<'_, P>, misses: Vec<(Pair, f64)>) -> Vec<Wrong> {
    let customers = |pair: Pair| {
        let (left, right) = (scene.customer(pair.left.0), scene.customer(pair.right.0));
        (left.min(right), left.max(right))
    };
    let mut wrong: Vec<Wrong> = heaviest(misses, customers)
        .into_iter()
        .map(|(pair, weight)| judge.wrong(pair, weight))
        .collect();
    wrong.sort_by(|a, b| {
        a.weight
            .total_cmp(&b.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    wrong
}

/// Of each group the heaviest pair; of equally heavy ones the first.
fn heaviest(pairs: Vec<(Pair, f64)>, group: impl Fn(Pair) -> (u32, u32)) -> Vec<(Pair, f64)> {
    let mut best: FxHashMap<(u32, u32), (Pair, f64)> = FxHashMap::default();
    for (pair, weight) in pairs {
        let known = best.entry(group(pair)).or_insert((pair, weight));
        if weight > known.1 || (weight.to_bits() == known.1.to_bits() && pair < known.0) {
            *known = (pair, weight);
        }
    }
    best.into_values().collect()
}
