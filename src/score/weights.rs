//! Match weights: the model bound to the records that are scored, so that a pair costs one look-up and one addition a comparison.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frequency::TermFrequencies;
use super::model::{ComparisonModel, ELSE_LABEL, LevelModel, Model, RelationComparison, RelationModel};
use super::weight_of;
use crate::config::spec::{ComparisonSpec, Test};
use crate::error::{Error, Result};
use crate::table::bounds::{LevelBits, ValueBits, WeightBounds};
use crate::table::{Coded, CodedRecords, Pair, Pattern, RecordIx};

/// Label of the level of a comparison that a missing value makes silent.
pub const NULL_LABEL: &str = "null";
/// Most relations of a model.
const RELATIONS_MAX: usize = 4;
/// Patterns that a [`Weighing`] remembers.
const KNOWN_BITS: u32 = 10;
/// Guards the logarithm; trained parameters are larger.
const PROBABILITY_MIN: f64 = 1e-300;
/// Bits below which a relation explains nothing, and above which it explains all.
const RELATED_MIN: f64 = -30.0;
const RELATED_MAX: f64 = 1000.0;

/// Weights of a model bound to coded records, term frequencies included.
#[derive(Debug)]
pub struct Weights<'a> {
    prior: f64,
    comparisons: Vec<Comparison>,
    adjustments: Vec<Adjustment<'a>>,
    relations: Vec<Relation>,
}

/// A reason why different people agree, bound like the matches.
#[derive(Debug)]
struct Relation {
    name: String,
    /// log2 of its odds against strangers among random pairs.
    prior: f64,
    /// By comparison: log2(level / u) by pattern value, and whether term frequencies count.
    comparisons: Vec<([f64; 16], bool)>,
}

/// Name of the weight part that relations take.
pub const RELATIONS_PART: &str = "other people";

/// Levels by pattern value: null first, then else, then up.
#[derive(Debug)]
struct Comparison {
    name: String,
    labels: Vec<String>,
    /// 16 entries, so that four bits of a pattern are always an index.
    weights: [f64; 16],
    adjusted_by: [Option<u16>; 16],
}

/// log2(u of equality) − log2(term frequency), by the code of a value.
#[derive(Debug)]
struct Adjustment<'a> {
    column: String,
    exact_u: f64,
    bits: ValueBits<'a>,
    /// The most bits of any value, at least 0 (two missing values).
    most: f64,
}

/// The part of one comparison in a pair's weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WeightPart {
    /// Comparison.
    pub comparison: String,
    /// Label of the level that held, `null` or `else` included.
    pub level: String,
    /// log2(m / u); 0 for null.
    pub weight: f64,
    /// Term-frequency adjustment in bits.
    pub term_frequency_adjustment: f64,
}

impl<'a> Weights<'a> {
    /// Binds a model.
    ///
    /// # Errors
    /// `Config` if the model was trained with other comparisons or levels (hint: `--retrain`), or if a term-frequency column is not coded.
    pub fn new(comparisons: &[ComparisonSpec], model: &Model, frequencies: &TermFrequencies, records: &'a CodedRecords) -> Result<Self> {
        Self::with(comparisons, model, &|column| frequencies.of_codes(column), records)
    }

    /// Binds a model; `frequencies` gives those of a column by code.
    pub(super) fn with(
        comparisons: &[ComparisonSpec],
        model: &Model,
        frequencies: &dyn Fn(&Coded) -> Vec<f64>,
        records: &'a CodedRecords,
    ) -> Result<Self> {
        if comparisons.len() != model.comparisons.len() || model.relations.len() > RELATIONS_MAX {
            return Err(other_model("the model has another number of comparisons"));
        }
        let mut weights = Self {
            prior: weight_of(model.probability_two_random_records_match),
            comparisons: Vec::with_capacity(comparisons.len()),
            adjustments: Vec::new(),
            relations: model.relations.iter().map(|relation| Relation::bind(relation, model)).collect(),
        };
        for (spec, trained) in comparisons.iter().zip(&model.comparisons) {
            check(spec, trained)?;
            let comparison = weights.bind(spec, trained, frequencies, records)?;
            weights.comparisons.push(comparison);
        }
        Ok(weights)
    }

    fn bind(
        &mut self,
        spec: &ComparisonSpec,
        trained: &ComparisonModel,
        frequencies: &dyn Fn(&Coded) -> Vec<f64>,
        records: &'a CodedRecords,
    ) -> Result<Comparison> {
        let mut comparison = Comparison {
            name: spec.name.clone(),
            labels: vec![NULL_LABEL.to_owned()],
            weights: [0.0; 16],
            adjusted_by: [None; 16],
        };
        for (position, level) in trained.levels.iter().enumerate().rev() {
            let value = comparison.labels.len();
            comparison.labels.push(level.label.clone());
            comparison.weights[value] = weight(level);
            let term_frequency = spec.levels.get(position).and_then(|level| level.term_frequency.as_ref());
            if let Some(column) = term_frequency.filter(|_| weight(level) != 0.0) {
                let adjustment = self.adjustment(column, exact_u(spec, trained, column, level), frequencies, records)?;
                comparison.adjusted_by[value] = Some(adjustment);
            }
        }
        Ok(comparison)
    }

    /// The adjustment by a column with this u of equality, shared by all levels that need the same.
    fn adjustment(&mut self, name: &str, exact_u: f64, frequencies: &dyn Fn(&Coded) -> Vec<f64>, records: &'a CodedRecords) -> Result<u16> {
        let same = |known: &Adjustment<'_>| known.column == name && known.exact_u.to_bits() == exact_u.to_bits();
        let at = match self.adjustments.iter().position(same) {
            Some(at) => at,
            None => {
                let position = records
                    .position(name)
                    .ok_or_else(|| Error::config("a term-frequency column is not among the matching columns").with("column", name))?;
                let frequencies = frequencies(&records.columns()[position]).into_iter();
                let bits: Vec<f64> = frequencies.map(|frequency| exact_u.log2() - frequency.log2()).collect();
                self.adjustments.push(Adjustment {
                    column: name.to_owned(),
                    exact_u,
                    most: bits.iter().copied().fold(0.0, f64::max),
                    bits: ValueBits {
                        records,
                        column: position,
                        bits,
                    },
                });
                self.adjustments.len() - 1
            }
        };
        Ok(u16::try_from(at).expect("there are at most 16 × 14 levels"))
    }

    /// Prior weight log2(λ / (1 − λ)).
    #[must_use]
    pub fn prior(&self) -> f64 {
        self.prior
    }

    /// Match weight of a pair with this pattern: prior, weights and term-frequency adjustments, less what relations explain.
    #[must_use]
    pub fn weight(&self, pattern: Pattern, left: RecordIx, right: RecordIx) -> f64 {
        self.weigh(&self.sums(pattern), left, right)
    }

    /// [`Weights::weight`] for many pairs: what a pattern says is looked up where an earlier pair had the same.
    #[must_use]
    pub fn weighing(&self) -> Weighing<'_> {
        let none = (Pattern(u64::MAX), Sums::default());
        Weighing {
            weights: self,
            known: vec![none; 1 << KNOWN_BITS],
        }
    }

    /// What a pattern says before the values are looked at.
    fn sums(&self, pattern: Pattern) -> Sums {
        let mut sums = Sums {
            matches: self.prior,
            ..Sums::default()
        };
        for (sum, relation) in sums.relations.iter_mut().zip(&self.relations) {
            *sum = relation.prior;
        }
        for (position, comparison) in self.comparisons.iter().enumerate() {
            let value = usize::from(pattern.level(position));
            sums.matches += comparison.weights[value];
            for (sum, relation) in sums.relations.iter_mut().zip(&self.relations) {
                *sum += relation.comparisons[position].0[value];
            }
            if let Some(adjustment) = comparison.adjusted_by[value] {
                sums.adjusted |= 1 << position;
                sums.adjusted_by[position] = adjustment;
            }
        }
        sums
    }

    fn weigh(&self, sums: &Sums, left: RecordIx, right: RecordIx) -> f64 {
        let (matches, relations) = self.adjust(sums, left, right);
        matches - explained(&relations[..self.relations.len()])
    }

    /// The sums with term-frequency adjustments, in model order.
    fn adjust(&self, sums: &Sums, left: RecordIx, right: RecordIx) -> (f64, [f64; RELATIONS_MAX]) {
        let (mut matches, mut relations) = (sums.matches, sums.relations);
        let mut adjusted = sums.adjusted;
        while adjusted != 0 {
            let position = adjusted.trailing_zeros() as usize;
            adjusted &= adjusted - 1;
            let adjustment = &self.adjustments[usize::from(sums.adjusted_by[position])];
            let bits = adjustment.bits.of_pair(Pair { left, right });
            matches += bits;
            for (sum, relation) in relations.iter_mut().zip(&self.relations) {
                if relation.comparisons[position].1 {
                    *sum += bits;
                }
            }
        }
        (matches, relations)
    }

    /// What relations explain of a pair, and the one that explains most.
    fn related(&self, pattern: Pattern, left: RecordIx, right: RecordIx) -> (f64, Option<&str>) {
        let (_, sums) = self.adjust(&self.sums(pattern), left, right);
        let sums = &sums[..self.relations.len()];
        let heaviest = self.relations.iter().zip(sums).filter(|(_, sum)| **sum > RELATED_MIN);
        let heaviest = heaviest.max_by(|a, b| a.1.total_cmp(b.1));
        (explained(sums), heaviest.map(|(relation, _)| relation.name.as_str()))
    }

    /// What every level adds, for a stage that stops at pairs which cannot reach `least`.
    #[must_use]
    pub fn bounds(&self, least: f64) -> WeightBounds<'_> {
        let level = |comparison: &Comparison, value: usize| {
            let adjustment = comparison.adjusted_by[value].map(|at| &self.adjustments[usize::from(at)]);
            LevelBits {
                bits: comparison.weights[value],
                by_value: adjustment.map(|adjustment| &adjustment.bits),
                most: comparison.weights[value] + adjustment.map_or(0.0, |adjustment| adjustment.most),
            }
        };
        WeightBounds {
            start: self.prior,
            least,
            comparisons: self
                .comparisons
                .iter()
                .map(|comparison| std::array::from_fn(|value| level(comparison, value)))
                .collect(),
        }
    }

    /// The same weight as the sum of its parts, in model order; prior not included.
    #[must_use]
    pub fn parts(&self, pattern: Pattern, left: RecordIx, right: RecordIx) -> Vec<WeightPart> {
        let part = |(position, comparison): (usize, &Comparison)| {
            let value = usize::from(pattern.level(position));
            let adjustment = comparison.adjusted_by[value].map(|at| self.adjustments[usize::from(at)].bits.of_pair(Pair { left, right }));
            WeightPart {
                comparison: comparison.name.clone(),
                level: comparison.labels[value].clone(),
                weight: comparison.weights[value],
                term_frequency_adjustment: adjustment.unwrap_or(0.0),
            }
        };
        let mut parts: Vec<WeightPart> = self.comparisons.iter().enumerate().map(part).collect();
        if let (weight, Some(name)) = self.related(pattern, left, right) {
            parts.push(WeightPart {
                comparison: RELATIONS_PART.to_owned(),
                level: name.to_owned(),
                weight: -weight,
                term_frequency_adjustment: 0.0,
            });
        }
        parts
    }
}

/// log2(1 + Σ odds of the relations against strangers). The odds of a match against everything else are those against strangers divided by
/// this.
fn explained(relations: &[f64]) -> f64 {
    let odds = relations
        .iter()
        .filter(|sum| **sum > RELATED_MIN)
        .map(|sum| sum.min(RELATED_MAX).exp2());
    (1.0 + odds.sum::<f64>()).log2()
}

/// What a pattern says, before term frequencies.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    matches: f64,
    relations: [f64; RELATIONS_MAX],
    /// Comparisons whose level is adjusted, one bit each, and by what.
    adjusted: u16,
    adjusted_by: [u16; Pattern::COMPARISONS_MAX],
}

/// Weighs many pairs.
#[derive(Debug)]
pub struct Weighing<'a> {
    weights: &'a Weights<'a>,
    known: Vec<(Pattern, Sums)>,
}

impl Weighing<'_> {
    /// As [`Weights::weight`], to the last bit.
    pub fn weight(&mut self, pattern: Pattern, left: RecordIx, right: RecordIx) -> f64 {
        let hash = pattern.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - KNOWN_BITS);
        let known = &mut self.known[usize::try_from(hash).expect("ten bits")];
        if known.0 != pattern {
            *known = (pattern, self.weights.sums(pattern));
        }
        self.weights.weigh(&known.1, left, right)
    }
}

impl Relation {
    fn bind(relation: &RelationModel, model: &Model) -> Self {
        let bits = |(related, trained): (&RelationComparison, &ComparisonModel)| {
            let mut weights = [0.0; 16];
            for (value, (level, &probability)) in trained.levels.iter().rev().zip(related.levels.iter().rev()).enumerate() {
                weights[value + 1] = (probability.max(PROBABILITY_MIN) / level.u.max(PROBABILITY_MIN)).log2();
            }
            (weights, related.adjusted)
        };
        Self {
            name: relation.name.clone(),
            prior: weight_of(relation.probability_two_random_records),
            comparisons: relation.comparisons.iter().zip(&model.comparisons).map(bits).collect(),
        }
    }
}

/// log2(m / u).
fn weight(level: &LevelModel) -> f64 {
    (level.m.max(PROBABILITY_MIN) / level.u.max(PROBABILITY_MIN)).log2()
}

/// u of the level that is equality of this column in the first comparison that is adjusted by it.
pub(super) fn column_u(specs: &[ComparisonSpec], model: &Model, column: &str) -> Option<f64> {
    specs.iter().zip(&model.comparisons).find_map(|(spec, trained)| {
        let at = spec
            .levels
            .iter()
            .position(|level| level.term_frequency.as_deref() == Some(column))?;
        Some(exact_u(spec, trained, column, &trained.levels[at]))
    })
}

/// u of the level of the same comparison that is equality of exactly this column; the level's own u if there is none.
fn exact_u(spec: &ComparisonSpec, trained: &ComparisonModel, column: &str, level: &LevelModel) -> f64 {
    let exact = spec
        .levels
        .iter()
        .position(|level| matches!(&level.test, Test::Exact(columns) if columns.len() == 1 && columns[0] == column));
    let u = exact.map_or(level.u, |at| trained.levels[at].u);
    u.max(PROBABILITY_MIN)
}

fn check(spec: &ComparisonSpec, trained: &ComparisonModel) -> Result<()> {
    let labels = spec.levels.iter().map(|level| level.label.as_str()).chain([ELSE_LABEL]);
    let same = spec.name == trained.name && labels.eq(trained.levels.iter().map(|level| level.label.as_str()));
    if same {
        Ok(())
    } else {
        Err(other_model("the model was trained with other comparisons").with("comparison", &spec.name))
    }
}

fn other_model(message: &str) -> Error {
    Error::config(message).hint("train a new model with --retrain")
}
