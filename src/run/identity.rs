//! Identity resolution as a run does it: block, compare, score, cluster, with the model of the last version or a new one.

use std::collections::BTreeMap;

use crate::block::{self, RuleCounts};
use crate::cluster;
use crate::compare::Comparer;
use crate::config::Spec;
use crate::config::spec::{BlockingRule, ComparisonSpec, IdentitySpec, TrainingSpec};
use crate::engine::Engine;
use crate::error::Result;
use crate::report::{DecisionCounts, GenericCounts, IdentityReport};
use crate::score::{self, KnownPairs, Likely, Model, ModelSource, ScoreCounts, ScoredPairs, TermFrequencies, Weights};
use crate::table::identity::LinkOrigin;
use crate::table::keys::Keys;
use crate::table::{
    Blocks, CleanContacts, Clusters, Coded, CodedRecords, DecisionKind, Decisions, GenericValue, Link, Pair, Pattern, PossibleLink,
};

use super::Stages;

/// Everything identity resolution found.
#[derive(Debug)]
pub struct Resolved {
    /// Parameters used.
    pub model: Model,
    /// Term frequencies used.
    pub frequencies: TermFrequencies,
    /// Where both come from.
    pub model_source: ModelSource,
    /// Counts by blocking rule.
    pub blocking: Vec<RuleCounts>,
    /// Pairs compared.
    pub counts: ScoreCounts,
    /// Values that too many people share.
    pub generic: Vec<GenericValue>,
    /// Links at or above the match threshold.
    pub links: Vec<Link>,
    /// Links refused or below it.
    pub possible: Vec<PossibleLink>,
    /// Which records are one customer.
    pub clusters: Clusters,
    /// What the next run need not compare again, if it was asked for.
    pub scored: Option<ScoredPairs>,
}

/// What a run starts from.
#[derive(Debug, Default)]
pub struct Before<'a> {
    /// The model to use; without one a model is trained.
    pub model: Option<(Model, TermFrequencies, ModelSource)>,
    /// What was scored with this very model by these very rules, and the position that each record had there.
    pub scored: Option<(&'a ScoredPairs, Vec<u32>)>,
    /// Names the rules, if the next run wants to know what was scored by them.
    pub basis: Option<String>,
}

/// The records as matching sees them, and the pairs to compare.
pub struct Blocked {
    /// Records.
    pub records: CodedRecords,
    /// Blocks of the blocking rules.
    pub blocks: Blocks,
    /// Exact counts of them.
    pub counts: Vec<RuleCounts>,
}

impl Blocked {
    /// Codes and blocks.
    pub fn new(spec: &IdentitySpec, contacts: &CleanContacts) -> Self {
        let records = contacts.code(&spec.columns());
        let (blocks, counts) = block::block(&spec.blocking, spec.block_pairs_max, &records);
        Self { records, blocks, counts }
    }

    /// Counts the pairs that each rule adds, as scoring them would.
    pub fn count_new(&mut self) {
        block::count_new(&self.blocks, &self.records, &mut self.counts);
    }

    /// Bytes that codes and blocks take.
    pub fn memory_bytes(&self) -> u64 {
        let codes: usize = self.records.columns().iter().map(Coded::memory_bytes).sum();
        let entries: usize = self.blocks.rules.iter().map(|rule| rule.order.len() + rule.starts.len()).sum();
        (codes + entries * size_of::<u32>()) as u64 + u64::from(self.records.len()) * BYTES_A_RECORD
    }
}

/// What a record takes beside its codes by column: its line of codes, and the rules that have it in a block.
const BYTES_A_RECORD: u64 = 64 + 8;

/// Resolves the contacts. Gives what was compared too.
pub fn resolve(
    engine: &Engine,
    spec: &Spec,
    contacts: &CleanContacts,
    decisions: &Decisions,
    before: Before<'_>,
    stages: &mut Stages<'_>,
) -> Result<(Blocked, Resolved)> {
    let identity = &spec.identity;
    let mut blocked = stages.time("block", || {
        engine.memory().reserve(contacts.len() as u64 * BYTES_A_RECORD)?;
        Ok(engine.compute(|| Blocked::new(identity, contacts)))
    })?;
    let comparer = stages.part("block", || {
        Ok(engine.compute(|| Comparer::new(&identity.comparisons, &blocked.records)))
    })?;
    let (model, frequencies, model_source) = match before.model {
        Some((model, frequencies, source)) => (model, Some(frequencies), source),
        None => {
            let model = stages.time("train", || Ok(engine.compute(|| train(identity, &blocked, &comparer))))?;
            let frequencies =
                (!identity.training.relations).then(|| settled(TermFrequencies::count(&identity.comparisons, &blocked.records)));
            (model, frequencies, ModelSource::Trained)
        }
    };
    let (linked, frequencies) = stages.time("score", || {
        engine.compute(|| {
            let of_records = |frequencies: &_| score::fingerprints(&identity.comparisons, frequencies, &blocked.records);
            let mut fingerprints = frequencies
                .as_ref()
                .filter(|_| before.basis.is_some() || before.scored.is_some())
                .map(of_records);
            let known = before.scored.as_ref().zip(fingerprints.as_ref());
            let known = known.map(|((scored, then_of), fingerprints)| KnownPairs::locate(scored, then_of, fingerprints));
            let (likely, frequencies) = compare(identity, &blocked, &model, frequencies, (&comparer, known.as_ref()))?;
            drop(known);
            let weights = Weights::new(&identity.comparisons, &model, &frequencies, &blocked.records)?;
            let mut linked = link(identity, &blocked.records, likely, &weights, &comparer, decisions);
            if let Some(basis) = before.basis {
                let fingerprints = fingerprints.take().unwrap_or_else(|| of_records(&frequencies));
                linked.scored = Some(ScoredPairs::new(
                    basis,
                    fingerprints,
                    &blocked.blocks,
                    std::mem::take(&mut linked.by_rules),
                ));
            }
            Ok((linked, frequencies))
        })
    })?;
    drop(comparer);
    for (rule, &pairs) in blocked.counts.iter_mut().zip(&linked.compared) {
        rule.pairs_new = pairs;
    }
    let records = &blocked.records;
    let (clusters, possible, links) = stages.time("cluster", || {
        let threshold = score::weight_of(identity.match_probability);
        let apart = decisions.pairs(DecisionKind::CannotLink);
        let (clusters, possible) = engine.compute(|| cluster::cluster(&identity.cluster, records, &linked.links, &apart, threshold));
        let is_taken = |link: &&Link| link.weight >= threshold && clusters.together(link.left, link.right);
        let links = linked.links.iter().filter(is_taken).copied().collect();
        Ok((clusters, possible, links))
    })?;
    let resolved = Resolved {
        model,
        frequencies,
        model_source,
        blocking: blocked.counts.clone(),
        counts: linked.counts,
        generic: linked.generic,
        links,
        possible,
        clusters,
        scored: linked.scored,
    };
    Ok((blocked, resolved))
}

/// A model from the records themselves.
fn train(spec: &IdentitySpec, blocked: &Blocked, comparer: &Comparer<'_>) -> Model {
    let Blocked { records, blocks, .. } = blocked;
    let TrainingSpec {
        deterministic, sessions, ..
    } = &spec.training;
    let rules: Vec<BlockingRule> = deterministic.iter().chain(sessions).cloned().collect();
    let (mut training, mut counts) = block::block(&rules, spec.block_pairs_max, records);
    let sessions = Blocks {
        rules: training.rules.split_off(deterministic.len()),
        ..Blocks::default()
    };
    counts.truncate(deterministic.len());
    block::count_new(&training, records, &mut counts);
    let certain_pairs = counts.iter().map(|counts| counts.pairs_new).sum();
    let model = score::train(spec, records, &sessions, certain_pairs, comparer);
    let mut model = if spec.training.relations {
        score::fit(spec, records, blocks, comparer, model)
    } else {
        model
    };
    model.settle();
    model
}

/// Frequencies as a file of them reads back.
fn settled(mut frequencies: TermFrequencies) -> TermFrequencies {
    frequencies.settle();
    frequencies
}

/// Looks at every candidate pair once, and finds the frequencies that weigh them, unless they are known.
fn compare(
    spec: &IdentitySpec,
    blocked: &Blocked,
    model: &Model,
    frequencies: Option<TermFrequencies>,
    (comparer, known): (&Comparer<'_>, Option<&KnownPairs>),
) -> Result<(Likely, TermFrequencies)> {
    let Blocked { records, blocks, .. } = blocked;
    let upper = match &frequencies {
        Some(frequencies) => Weights::new(&spec.comparisons, model, frequencies, records),
        None => score::upper_weights(spec, records, model),
    }?;
    let likely = score::likely_again(spec, (records, blocks), &upper, comparer, known);
    let frequencies = match frequencies {
        Some(frequencies) => frequencies,
        None => settled(score::strangers(spec, records, &likely.pairs, model)?),
    };
    Ok((likely, frequencies))
}

/// What scoring, rules and people say of pairs.
struct Linked {
    links: Vec<Link>,
    counts: ScoreCounts,
    /// Pairs compared, by rule.
    compared: Vec<u64>,
    generic: Vec<GenericValue>,
    /// Pairs and levels of the scored links.
    by_rules: Vec<(Pair, Pattern)>,
    scored: Option<ScoredPairs>,
}

/// Weighs the pairs, finds the values that deterministic rules must ignore, and adds what rules and people link.
fn link(
    spec: &IdentitySpec,
    records: &CodedRecords,
    likely: Likely,
    weights: &Weights<'_>,
    comparer: &Comparer<'_>,
    decisions: &Decisions,
) -> Linked {
    let (scored, counts) = score::links(spec, records, &likely, &Blocks::default(), weights, comparer);
    let threshold = score::weight_of(spec.match_probability);
    let holds_without = |link: &Link, column: &str| {
        let reads = |(_, comparison): &(usize, &ComparisonSpec)| comparison.columns().iter().any(|name| name == column);
        let silenced = spec.comparisons.iter().enumerate().filter(reads);
        let pattern = silenced.fold(link.pattern, |pattern, (position, _)| pattern.raised(position, 0));
        weights.weight(pattern, link.left, link.right) >= threshold
    };
    let generic = cluster::generic(&spec.generic_values, &spec.deterministic, records, &scored, &holds_without);
    let certain = if generic.is_empty() {
        block::block(&spec.deterministic, u64::MAX, records).0
    } else {
        let records = cluster::without(&generic, &spec.deterministic, records);
        block::block(&spec.deterministic, u64::MAX, &records).0
    };
    let (certain, _) = score::links(spec, records, &Likely::default(), &certain, weights, comparer);
    let must = decisions.pairs(DecisionKind::MustLink).into_iter().map(|(left, right)| {
        let pattern = comparer.pattern(left, right);
        Link {
            left,
            right,
            weight: weights.weight(pattern, left, right).max(threshold),
            origin: LinkOrigin::Decision,
            pattern,
        }
    });
    let by_rules = scored.iter().map(|link| {
        let (left, right) = (link.left, link.right);
        (Pair { left, right }, link.pattern)
    });
    Linked {
        by_rules: by_rules.collect(),
        scored: None,
        links: score::merge(must.collect(), score::merge(certain, scored)),
        counts,
        compared: likely.compared,
        generic,
    }
}

impl Resolved {
    /// The numbers of it.
    #[must_use]
    pub fn report(&self, keys: &Keys, decisions: &Decisions) -> IdentityReport {
        let mut sizes = vec![0_u64; keys.keys.len()];
        for &key in &keys.of {
            sizes[key as usize] += 1;
        }
        IdentityReport {
            records: keys.of.len() as u64,
            customers: keys.keys.len() as u64,
            largest_customer: sizes.into_iter().max().unwrap_or(0),
            blocking: self.blocking.clone(),
            pairs: self.counts.clone(),
            possible_links: self.possible.len() as u64,
            refused_links: self.refused(),
            generic_values: self.generic_counts(),
            decisions: DecisionCounts::of(decisions),
            model_reused: self.model_source != ModelSource::Trained,
            model_source: self.model_source,
            training: self.model.training.clone(),
        }
    }

    /// Refused links by reason.
    fn refused(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for possible in &self.possible {
            *counts.entry(possible.reason.name().to_owned()).or_default() += 1;
        }
        counts
    }

    fn generic_counts(&self) -> Vec<GenericCounts> {
        let of_column = |values: &[GenericValue]| GenericCounts {
            column: values[0].column.clone(),
            values: values.len() as u64,
            records: values.iter().map(|value| u64::from(value.records)).sum(),
        };
        self.generic.chunk_by(|a, b| a.column == b.column).map(of_column).collect()
    }
}
