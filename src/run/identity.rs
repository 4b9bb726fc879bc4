//! Identity resolution as a run does it: block, compare, score, cluster, with the model of the last version or a new one.

use crate::block::{self, RuleCounts};
use crate::cluster;
use crate::compare::Comparer;
use crate::config::Spec;
use crate::config::spec::IdentitySpec;
use crate::engine::Engine;
use crate::error::Result;
use crate::report::IdentityReport;
use crate::score::{self, Model, ModelSource, ScoreCounts, TermFrequencies, Weights};
use crate::table::keys::Keys;
use crate::table::{Blocks, CleanContacts, Clusters, CodedRecords, Link, PossibleLink};

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
    /// Links at or above the match threshold.
    pub links: Vec<Link>,
    /// Links refused or below it.
    pub possible: Vec<PossibleLink>,
    /// Which records are one customer.
    pub clusters: Clusters,
}

/// Resolves the contacts. `known` is the model to use; without one a model is trained.
pub fn resolve(
    engine: &Engine,
    spec: &Spec,
    contacts: &CleanContacts,
    known: Option<(Model, TermFrequencies, ModelSource)>,
    stages: &mut Stages<'_>,
) -> Result<Resolved> {
    let identity = &spec.identity;
    let (records, deterministic, blocks, mut blocking) = stages.time("block", || {
        Ok(engine.compute(|| {
            let records = contacts.code(&identity.columns());
            let (deterministic, _) = block::block(&identity.deterministic, u64::MAX, &records);
            let (blocks, blocking) = block::block(&identity.blocking, identity.block_pairs_max, &records);
            (records, deterministic, blocks, blocking)
        }))
    })?;
    let comparer = stages.part("block", || Ok(engine.compute(|| Comparer::new(&identity.comparisons, &records))))?;
    let (model, frequencies, model_source) = match known {
        Some((model, frequencies, source)) => (model, Some(frequencies), source),
        None => {
            let model = stages.time("train", || Ok(engine.compute(|| train(identity, &records, &blocks, &comparer))))?;
            let frequencies = (!identity.training.relations).then(|| settled(TermFrequencies::count(&identity.comparisons, &records)));
            (model, frequencies, ModelSource::Trained)
        }
    };
    let (scored, counts, frequencies) = stages.time("score", || {
        engine.compute(|| {
            let upper = match &frequencies {
                Some(frequencies) => Weights::new(&identity.comparisons, &model, frequencies, &records),
                None => score::upper_weights(identity, &records, &model),
            }?;
            let likely = score::likely(identity, &records, &blocks, &upper, &comparer);
            let frequencies = match frequencies {
                Some(frequencies) => frequencies,
                None => settled(score::strangers(identity, &records, &likely.pairs, &model)?),
            };
            let weights = Weights::new(&identity.comparisons, &model, &frequencies, &records)?;
            let (links, counts) = score::links(identity, &records, &likely, &deterministic, &weights, &comparer);
            for (rule, &pairs) in blocking.iter_mut().zip(&likely.compared) {
                rule.pairs_new = pairs;
            }
            Ok((links, counts, frequencies))
        })
    })?;
    let (clusters, possible, links) = stages.time("cluster", || {
        let threshold = score::weight_of(identity.match_probability);
        let (clusters, possible) = engine.compute(|| cluster::cluster(&identity.cluster, &records, &scored, threshold));
        let links = scored
            .iter()
            .filter(|link| link.weight >= threshold && clusters.together(link.left, link.right))
            .copied()
            .collect();
        Ok((clusters, possible, links))
    })?;
    Ok(Resolved {
        model,
        frequencies,
        model_source,
        blocking,
        counts,
        links,
        possible,
        clusters,
    })
}

/// A model from the records themselves.
fn train(identity: &IdentitySpec, records: &CodedRecords, blocks: &Blocks, comparer: &Comparer<'_>) -> Model {
    let (certain, mut counts) = block::block(&identity.training.deterministic, identity.block_pairs_max, records);
    block::count_new(&certain, records, &mut counts);
    let certain_pairs = counts.iter().map(|counts| counts.pairs_new).sum();
    let (sessions, _) = block::block(&identity.training.sessions, identity.block_pairs_max, records);
    let model = score::train(identity, records, &sessions, certain_pairs, comparer);
    let mut model = if identity.training.relations {
        score::fit(identity, records, blocks, comparer, model)
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

impl Resolved {
    /// The numbers of it.
    #[must_use]
    pub fn report(&self, keys: &Keys) -> IdentityReport {
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
            model_reused: self.model_source != ModelSource::Trained,
            model_source: self.model_source,
            training: self.model.training.clone(),
        }
    }
}
