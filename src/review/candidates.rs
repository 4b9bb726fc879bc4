//! Pairs that a decision could change: links that hold two parts of a customer together, and pairs of customers that look alike.

use arrow::array::{Array, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::Float64Type;
use rustc_hash::FxHashMap;

use super::stakes::{Stakes, damaged};
use super::values::{self, Values};
use super::{Read, ReviewKind, ReviewPair, ReviewSide};
use crate::config::spec::IdentitySpec;
use crate::error::Result;
use crate::explain::bridges;
use crate::table::column::{
    CUSTOMER_KEY, LEFT_CUSTOMER_KEY, LEFT_RECORD_ID, LEFT_SOURCE, MATCH_PROBABILITY, MATCH_WEIGHT, REASON, RIGHT_CUSTOMER_KEY,
    RIGHT_RECORD_ID, RIGHT_SOURCE, RULE,
};
use crate::table::decisions::NamedRecord;
use crate::table::{DecisionKind, RefusalReason};

/// A pair with its score.
pub(super) struct Candidate {
    pub(super) score: f64,
    pub(super) left: NamedRecord,
    pub(super) right: NamedRecord,
    kind: ReviewKind,
    probability: f64,
    weight: f64,
    rule: String,
    refused_because: Option<String>,
    /// Whether a deterministic rule made the link, whatever the fields say.
    is_certain: bool,
    keys: [String; 2],
    records: [u64; 2],
    revenue: f64,
}

impl Candidate {
    /// Both records, as decisions name them: the smaller first.
    pub(super) fn names(&self) -> (NamedRecord, NamedRecord) {
        (self.left.clone(), self.right.clone())
    }

    /// How open the answer is: the variance of the match. Where a constraint refused what the model takes for a match, the model is believed no
    /// further than its threshold.
    fn openness(&self, match_probability: f64) -> f64 {
        let is_contradicted = self
            .refused_because
            .as_ref()
            .is_some_and(|reason| reason != RefusalReason::BelowThreshold.name());
        let probability = if is_contradicted {
            self.probability.min(match_probability)
        } else {
            self.probability
        };
        probability * (1.0 - probability)
    }

    /// Both record ids.
    pub(super) fn ids(&self) -> [&str; 2] {
        [&self.left.record_id, &self.right.record_id]
    }

    /// With the values of both records.
    pub(super) fn into_pair(self, values: &Values) -> ReviewPair {
        let [left_key, right_key] = self.keys;
        let side = |record: NamedRecord, customer_key, records| ReviewSide {
            values: values.get(&record).cloned().unwrap_or_default(),
            source: record.source,
            record_id: record.record_id,
            customer_key,
            records,
        };
        ReviewPair {
            kind: self.kind,
            score: self.score,
            match_probability: self.probability,
            match_weight: self.weight,
            rule: self.rule,
            refused_because: self.refused_because,
            revenue: self.revenue,
            left: side(self.left, left_key, self.records[0]),
            right: side(self.right, right_key, self.records[1]),
        }
    }
}

/// The columns of `links` and `possible_links` that a pair is made from.
struct Rows<'a> {
    names: [[&'a StringArray; 2]; 2],
    keys: [&'a StringArray; 2],
    weights: &'a Float64Array,
    probabilities: &'a Float64Array,
    rules: &'a StringArray,
    reasons: Option<&'a StringArray>,
}

impl<'a> Rows<'a> {
    fn of(batch: &'a RecordBatch, keys: [&str; 2]) -> Result<Self> {
        let text = |name: &str| batch[name].as_string_opt::<i32>().ok_or_else(|| damaged("links"));
        let number = |name: &str| batch[name].as_primitive_opt::<Float64Type>().ok_or_else(|| damaged("links"));
        Ok(Self {
            names: [
                [text(LEFT_SOURCE)?, text(LEFT_RECORD_ID)?],
                [text(RIGHT_SOURCE)?, text(RIGHT_RECORD_ID)?],
            ],
            keys: [text(keys[0])?, text(keys[1])?],
            weights: number(MATCH_WEIGHT)?,
            probabilities: number(MATCH_PROBABILITY)?,
            rules: text(RULE)?,
            reasons: batch.column_by_name(REASON).and_then(|reasons| reasons.as_string_opt()),
        })
    }

    fn name(&self, side: usize, row: usize) -> (&'a str, &'a str) {
        let [sources, ids] = self.names[side];
        (sources.value(row), ids.value(row))
    }

    /// The pair without a score.
    fn candidate(&self, row: usize, kind: ReviewKind, records: [u64; 2]) -> Candidate {
        let record = |side: usize| {
            let (source, record_id) = self.name(side, row);
            NamedRecord {
                source: source.to_owned(),
                record_id: record_id.to_owned(),
            }
        };
        let sides = [0, 1].map(|side| (record(side), self.keys[side].value(row).to_owned(), records[side]));
        let [(left, left_key, left_records), (right, right_key, right_records)] = sorted(sides);
        Candidate {
            score: 0.0,
            left,
            right,
            kind,
            probability: self.probabilities.value(row),
            weight: self.weights.value(row),
            rule: self.rules.value(row).to_owned(),
            refused_because: self.reasons.map(|reasons| reasons.value(row).to_owned()),
            is_certain: false,
            keys: [left_key, right_key],
            records: [left_records, right_records],
            revenue: 0.0,
        }
    }
}

/// By the names of the records, as decisions have them.
fn sorted<T>(mut sides: [(NamedRecord, T, u64); 2]) -> [(NamedRecord, T, u64); 2] {
    if sides[1].0 < sides[0].0 {
        sides.swap(0, 1);
    }
    sides
}

/// Every candidate of the kind, with its score.
pub(super) fn find(spec: &IdentitySpec, kind: ReviewKind, stakes: &Stakes, table: &Read<'_>) -> Result<Vec<Candidate>> {
    let mut found = Vec::new();
    let pair = [
        LEFT_SOURCE,
        LEFT_RECORD_ID,
        RIGHT_SOURCE,
        RIGHT_RECORD_ID,
        MATCH_WEIGHT,
        MATCH_PROBABILITY,
        RULE,
    ];
    if kind != ReviewKind::Bridge {
        let columns = [&pair[..], &[LEFT_CUSTOMER_KEY, RIGHT_CUSTOMER_KEY, REASON]].concat();
        found.extend(near(&table("possible_links", &columns)?, stakes)?);
    }
    if kind != ReviewKind::Near {
        let columns = [&pair[..], &[CUSTOMER_KEY]].concat();
        found.extend(weak(spec, &table("links", &columns)?)?);
    }
    // What a rule takes for certain is worth a look only where the records contradict it.
    let certain = found.iter().filter(|candidate| candidate.is_certain);
    let differing = values::differing(certain, table)?;
    found.retain(|candidate| !candidate.is_certain || differing.contains(&candidate.names()));
    for candidate in &mut found {
        let [left, right] = &candidate.keys;
        let other = if left == right { 0.0 } else { stakes.revenue(right) };
        candidate.revenue = stakes.revenue(left) + other;
        let records = candidate.records[0].min(candidate.records[1]) as f64;
        let stake = match kind {
            ReviewKind::Near | ReviewKind::Bridge => records,
            ReviewKind::Revenue => candidate.revenue,
            ReviewKind::All => records + candidate.revenue / stakes.revenue_average,
        };
        candidate.score = candidate.openness(spec.match_probability) * stake;
    }
    found.retain(|candidate| candidate.score > 0.0);
    Ok(found)
}

/// Of the links between two customers that were not taken the heaviest; without those that people refused.
fn near(batches: &[RecordBatch], stakes: &Stakes) -> Result<Vec<Candidate>> {
    let rows: Vec<Rows<'_>> = batches
        .iter()
        .map(|batch| Rows::of(batch, [LEFT_CUSTOMER_KEY, RIGHT_CUSTOMER_KEY]))
        .collect::<Result<_>>()?;
    let mut heaviest: FxHashMap<(&str, &str), (f64, usize, usize)> = FxHashMap::default();
    for (at, of) in rows.iter().enumerate() {
        for row in 0..of.rules.len() {
            let keys = (of.keys[0].value(row), of.keys[1].value(row));
            let is_decided = of
                .reasons
                .is_some_and(|reasons| reasons.value(row) == RefusalReason::CannotLink.name());
            if keys.0 == keys.1 || is_decided {
                continue;
            }
            let keys = (keys.0.min(keys.1), keys.0.max(keys.1));
            let weight = of.weights.value(row);
            let best = heaviest.entry(keys).or_insert((weight, at, row));
            if weight > best.0 {
                *best = (weight, at, row);
            }
        }
    }
    let candidate = |(_, at, row): (f64, usize, usize)| {
        let of = &rows[at];
        let records = [0, 1].map(|side| stakes.records(of.keys[side].value(row)));
        of.candidate(row, ReviewKind::Near, records)
    };
    Ok(heaviest.into_values().map(candidate).collect())
}

/// Links without which their customer falls into two; without those that people made. `links` is sorted by customer.
fn weak(spec: &IdentitySpec, batches: &[RecordBatch]) -> Result<Vec<Candidate>> {
    let is_certain = |rule: &str| spec.deterministic.iter().any(|known| known.name == rule);
    let rows: Vec<Rows<'_>> = batches
        .iter()
        .map(|batch| Rows::of(batch, [CUSTOMER_KEY, CUSTOMER_KEY]))
        .collect::<Result<_>>()?;
    let all: Vec<(usize, usize)> = rows
        .iter()
        .enumerate()
        .flat_map(|(at, of)| (0..of.rules.len()).map(move |row| (at, row)))
        .collect();
    let key = |(at, row): (usize, usize)| rows[at].keys[0].value(row);
    let mut found = Vec::new();
    for links in all.chunk_by(|a, b| key(*a) == key(*b)) {
        let mut nodes: FxHashMap<(&str, &str), usize> = FxHashMap::default();
        let mut node = |name| {
            let next = nodes.len();
            *nodes.entry(name).or_insert(next)
        };
        let edges: Vec<(usize, usize)> = links
            .iter()
            .map(|&(at, row)| (node(rows[at].name(0, row)), node(rows[at].name(1, row))))
            .collect();
        for bridge in bridges(nodes.len(), &edges) {
            let (at, row) = links[bridge.edge];
            let rule = rows[at].rules.value(row);
            if rule != DecisionKind::MustLink.name() {
                found.push(Candidate {
                    is_certain: is_certain(rule),
                    ..rows[at].candidate(row, ReviewKind::Bridge, bridge.sides.map(|side| side as u64))
                });
            }
        }
    }
    Ok(found)
}
