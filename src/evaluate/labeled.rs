//! Quality against labels: metrics, every threshold, what was missed and why, and the worst errors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::estimate::{thresholds, whole_bits};
use super::known::{Known, LabelCounts, labeled, number};
use super::labels::Labels;
use super::metrics::{Evaluation, Quality, evaluate, ratio, whole_clusters};
use super::scene::Scene;
use super::sweep::{Edge, Measured, of_pairs, sweep};
use super::wrong::{Judge, MissCount, Wrong, false_negatives, false_positives, missed};
use crate::config::Spec;
use crate::error::Result;
use crate::score::{Weights, probability};
use crate::table::{PairPatterns, RefusalReason};

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
    /// Missed pairs that `misses` is about: all, or the first [`super::MISSES_LOOKED_AT_MAX`] in the order of the records.
    pub misses_looked_at: u64,
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

/// What comparing with labels gives.
pub(super) struct Compared {
    pub(super) quality: LabeledQuality,
    /// One pair a customer that holds several people: its heaviest wrong link; the heaviest first.
    pub(super) false_positives: Vec<Wrong>,
    /// One pair of two customers that are one person: the heaviest between them; the lightest first.
    pub(super) false_negatives: Vec<Wrong>,
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
    sweep(scene.records.len() as usize, known.truth(), &edges, &[0.0])[0].links
}

fn by_threshold(spec: &Spec, scene: &Scene, known: &Known) -> Vec<ThresholdQuality> {
    let (possible, current) = thresholds(spec);
    let taken = scene.links.iter().map(|link| Edge {
        left: link.left,
        right: link.right,
        weight: if Scene::is_certain(spec, link) {
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
    let mut measured = sweep(scene.records.len() as usize, known.truth(), &edges, &bits);
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

fn rules(scene: &Scene, known: &Known) -> Vec<RuleQuality> {
    let mut counts: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
    for link in &scene.links {
        if let Some(is_match) = known.is_match(link.left, link.right) {
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
