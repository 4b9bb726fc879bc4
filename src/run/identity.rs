//! Identity resolution as a run does it: block, compare, score, cluster, with the model of the last version or a new one.

use crate::block::{self, RuleCounts};
use crate::cluster;
use crate::compare::Comparer;
use crate::config::Spec;
use crate::config::spec::BlockingRule;
use crate::engine::Engine;
use crate::error::Result;
use crate::report::IdentityReport;
use crate::score::{self, Model, ModelSource, ScoreCounts, TermFrequencies, Weights};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Clusters, Link, PossibleLink};

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
    let (records, deterministic, blocks, blocking) = stages.time("block", || {
        Ok(engine.compute(|| {
            let records = contacts.code(&identity.columns());
            let (deterministic, _) = block::block(&identity.deterministic, u64::MAX, &records);
            let (blocks, blocking) = block::block(&identity.blocking, identity.block_pairs_max, &records);
            (records, deterministic, blocks, blocking)
        }))
    })?;
    let comparer = Comparer::new(&identity.comparisons, &records);
    let (model, frequencies, model_source) = match known {
        Some((model, mut frequencies, source)) => {
            let mut new = TermFrequencies::count(&identity.comparisons, &records);
            new.settle();
            frequencies.extend(new);
            (model, frequencies, source)
        }
        None => stages.time("train", || {
            engine.compute(|| {
                let rules = |rules: &[BlockingRule]| block::block(rules, identity.block_pairs_max, &records);
                let (_, certain) = rules(&identity.training.deterministic);
                let certain_pairs = certain.iter().map(|counts| counts.pairs_new).sum();
                let (sessions, _) = rules(&identity.training.sessions);
                let model = score::train(identity, &records, &sessions, certain_pairs, &comparer);
                let (mut model, mut frequencies) = if identity.training.relations {
                    let model = score::fit(identity, &records, &blocks, &comparer, model);
                    let frequencies = score::strangers(identity, &records, &blocks, &comparer, &model)?;
                    (model, frequencies)
                } else {
                    (model, TermFrequencies::count(&identity.comparisons, &records))
                };
                score::state::settle(&mut model, &mut frequencies);
                Ok((model, frequencies, ModelSource::Trained))
            })
        })?,
    };
    let weights = Weights::new(&identity.comparisons, &model, &frequencies, &records)?;
    let (scored, counts) = stages.time("score", || {
        Ok(engine.compute(|| score::score(identity, &blocks, &deterministic, &weights, &comparer)))
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
