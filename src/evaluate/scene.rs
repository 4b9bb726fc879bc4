//! The newest version opened as a whole: its records as matching sees them, who is which customer, and the links between them.

use arrow::array::{AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use rustc_hash::FxHashMap;

use crate::block;
use crate::config::Spec;
use crate::config::spec::BlockingRule;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::score::{self, Model, TermFrequencies};
use crate::standardize;
use crate::table::{Blocks, Coded, CodedRecords, Contacts, VersionNumber, column};

/// The newest version in memory. Records are numbered in canonical order.
pub(super) struct Scene {
    pub(super) version: VersionNumber,
    /// Source of each record.
    pub(super) sources: StringArray,
    /// Id of each record.
    pub(super) record_ids: StringArray,
    /// Customer of each record; values are the keys.
    pub(super) customers: Coded,
    /// What matching reads, and the columns of [`super::conflicts`].
    pub(super) records: CodedRecords,
    pub(super) model: Model,
    pub(super) frequencies: TermFrequencies,
    /// Links inside customers.
    pub(super) links: Vec<SceneLink>,
    /// Links that were not taken.
    pub(super) possible: Vec<SceneLink>,
}

/// A published link.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SceneLink {
    /// The smaller record.
    pub(super) left: u32,
    /// The larger record.
    pub(super) right: u32,
    /// Match weight in bits as published: that of a deterministic rule is raised to the threshold.
    pub(super) weight: f64,
    pub(super) rule: String,
    /// Why it was not taken; empty for links.
    pub(super) reason: String,
}

/// Records by source and id.
pub(super) struct Lookup<'a> {
    by_name: FxHashMap<(&'a str, &'a str), u32>,
    /// By id alone; `None` if several sources have it.
    by_id: FxHashMap<&'a str, Option<u32>>,
}

impl Scene {
    /// Reads the newest version.
    ///
    /// # Errors
    /// `Input` if nothing is published yet, `Environment` for the store or a damaged file.
    pub(super) fn open(engine: &Engine, spec: &Spec, also: &[&str]) -> Result<Self> {
        let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
        let manifest = warehouse.newest(engine)?;
        let (model, frequencies) = score::state::read(|name| warehouse.state(engine, &manifest, name))?.ok_or_else(|| {
            Error::environment("the version has no model")
                .with("version", manifest.version.to_string())
                .hint("run the job again with --retrain")
        })?;
        let (contacts, customers) = engine.compute(|| sorted_contacts(engine, &warehouse, &manifest))?;
        let text = |name: &str| contacts.batch()[name].as_string::<i32>().clone();
        let (sources, record_ids) = (text(column::SOURCE), text(column::RECORD_ID));
        let mut columns = spec.identity.columns();
        columns.extend(also.iter().map(|name| (*name).to_owned()));
        columns.sort();
        columns.dedup();
        let records = engine.compute(|| standardize::standardize(&contacts, &spec.country).contacts.code(&columns));
        let mut scene = Self {
            version: manifest.version,
            sources,
            record_ids,
            customers,
            records,
            model,
            frequencies,
            links: Vec::new(),
            possible: Vec::new(),
        };
        let lookup = scene.lookup();
        let links = links(&warehouse.read(engine, &manifest, "links", None)?.unwrap_or_default(), &lookup)?;
        let possible = links_of(engine, &warehouse, &manifest, &lookup)?;
        (scene.links, scene.possible) = (links, possible);
        Ok(scene)
    }

    /// Records by name.
    pub(super) fn lookup(&self) -> Lookup<'_> {
        let mut by_name = FxHashMap::default();
        let mut by_id: FxHashMap<&str, Option<u32>> = FxHashMap::default();
        for (record, (source, id)) in (0_u32..).zip(self.sources.iter().zip(&self.record_ids)) {
            let (source, id) = (source.unwrap_or_default(), id.unwrap_or_default());
            by_name.insert((source, id), record);
            by_id.entry(id).and_modify(|known| *known = None).or_insert(Some(record));
        }
        Lookup { by_name, by_id }
    }

    /// Customer of a record, as a number.
    pub(super) fn customer(&self, record: u32) -> u32 {
        self.customers.codes()[record as usize]
    }

    /// Whether two records are one customer.
    pub(super) fn together(&self, left: u32, right: u32) -> bool {
        self.customer(left) == self.customer(right)
    }

    /// The blocks that a run makes of these records.
    pub(super) fn blocks(&self, spec: &Spec) -> Blocks {
        block::block(&spec.identity.blocking, spec.identity.block_pairs_max, &self.records).0
    }

    /// Whether a link holds at every threshold: one of a deterministic rule, or of anything else that is no blocking rule. Rules of both kinds
    /// that have one name count as deterministic: they find the same pairs.
    pub(super) fn is_certain(spec: &Spec, link: &SceneLink) -> bool {
        let named = |rule: &BlockingRule| rule.name == link.rule;
        spec.identity.deterministic.iter().any(named) || !spec.identity.blocking.iter().any(named)
    }

    /// For each customer its records, ascending.
    pub(super) fn members(&self) -> Vec<Vec<u32>> {
        let mut members = vec![Vec::new(); self.customers.counts().len()];
        for (record, &customer) in (0_u32..).zip(self.customers.codes()) {
            members[customer as usize].push(record);
        }
        members
    }
}

impl Lookup<'_> {
    /// The record of that name.
    ///
    /// # Errors
    /// `Input` if only an id is given and several sources have it.
    pub(super) fn find(&self, source: Option<&str>, id: &str) -> Result<Option<u32>> {
        if let Some(source) = source {
            return Ok(self.by_name.get(&(source, id)).copied());
        }
        match self.by_id.get(id) {
            None => Ok(None),
            Some(Some(record)) => Ok(Some(*record)),
            Some(None) => Err(Error::input("a labeled record id is used by several sources")
                .hint("add a column `source` to the labels, or name theirs with --source")),
        }
    }
}

/// The contacts in canonical order without the column of keys, and the customer of each.
fn sorted_contacts(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest) -> Result<(Contacts, Coded)> {
    let batches = warehouse.read(engine, manifest, "contacts", None)?.unwrap_or_default();
    let damaged = |error: arrow::error::ArrowError| Error::internal("the published contacts cannot be sorted").because(error);
    let Some(schema) = batches.first().map(RecordBatch::schema) else {
        return Err(Error::environment("the version has no contacts").with("version", manifest.version.to_string()));
    };
    let all = concat_batches(&schema, &batches).map_err(damaged)?;
    let by = |name: &str| {
        let values = all.column_by_name(name).cloned();
        let values = values.ok_or_else(|| Error::environment("the published contacts lack a column").with("column", name));
        values.map(|values| SortColumn { values, options: None })
    };
    let order = lexsort_to_indices(&[by(column::SOURCE)?, by(column::RECORD_ID)?], None).map_err(damaged)?;
    let mut sorted = take_record_batch(&all, &order).map_err(damaged)?;
    by(column::CUSTOMER_KEY)?;
    let position = sorted.schema().index_of(column::CUSTOMER_KEY).map_err(damaged)?;
    let keys = sorted.remove_column(position);
    let customers = Coded::encode(column::CUSTOMER_KEY, keys.as_string::<i32>());
    Ok((Contacts::new(sorted), customers))
}

fn links_of(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest, lookup: &Lookup<'_>) -> Result<Vec<SceneLink>> {
    links(
        &warehouse.read(engine, manifest, "possible_links", None)?.unwrap_or_default(),
        lookup,
    )
}

/// Rows of `links` or `possible_links`; those of records that the version does not have are left out.
fn links(batches: &[RecordBatch], lookup: &Lookup<'_>) -> Result<Vec<SceneLink>> {
    let mut links = Vec::new();
    for batch in batches {
        let text = |name: &str| -> Result<&StringArray> {
            let found = batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>());
            found.ok_or_else(|| Error::environment("a published table of links lacks a column").with("column", name))
        };
        let names = [
            (text(column::LEFT_SOURCE)?, text(column::LEFT_RECORD_ID)?),
            (text(column::RIGHT_SOURCE)?, text(column::RIGHT_RECORD_ID)?),
        ];
        let rules = text(column::RULE)?;
        let reasons = text(column::REASON).ok();
        let weights: &Float64Array = batch
            .column_by_name(column::MATCH_WEIGHT)
            .and_then(|values| values.as_primitive_opt())
            .ok_or_else(|| Error::environment("a published table of links has no match weights"))?;
        for row in 0..batch.num_rows() {
            let record = |(sources, ids): (&StringArray, &StringArray)| lookup.find(Some(sources.value(row)), ids.value(row));
            let (Some(one), Some(other)) = (record(names[0])?, record(names[1])?) else {
                continue;
            };
            links.push(SceneLink {
                left: one.min(other),
                right: one.max(other),
                weight: weights.value(row),
                rule: rules.value(row).to_owned(),
                reason: reasons.map_or_else(String::new, |reasons| reasons.value(row).to_owned()),
            });
        }
    }
    Ok(links)
}
