//! What a version says about itself: the table `columns` and the report. Both are made from the finished tables.

use std::collections::BTreeMap;

use super::Job;
use super::shelf::Shelf;
use crate::dictionary;
use crate::error::Result;
use crate::model::{self, Table};
use crate::overview::{self, Subject};
use crate::table::VersionNumber;

impl Job<'_> {
    /// Makes both. Tables that are taken over from the last version are among them.
    pub(super) fn tell(&self, shelf: &mut Shelf<'_>) -> Result<()> {
        let Job {
            engine,
            spec,
            warehouse,
            previous,
            plan,
            ..
        } = *self;
        let carried = previous.carried(&spec.models, shelf.kept());
        let mut schemas = shelf.schemas().clone();
        if let Some(manifest) = previous.manifest() {
            for name in carried.keys() {
                if let Some(schema) = warehouse.schema(engine, manifest, name)? {
                    schemas.insert(name.clone(), schema);
                }
            }
        }
        schemas.insert(dictionary::COLUMNS.to_owned(), dictionary::columns_table(&[]).schema());
        let models = model::order(engine, spec, &[], &[])?;
        let columns = dictionary::columns_table(&dictionary::describe(spec, &models, &schemas));
        let columns = Table {
            schema: columns.schema(),
            batches: vec![columns],
        };
        shelf.put(dictionary::COLUMNS, columns)?;

        let mut rows: BTreeMap<String, u64> = carried.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect();
        rows.extend(shelf.rows());
        let subject = Subject {
            version: VersionNumber(plan.previous.map_or(1, |version| version.0 + 1)),
            as_of: plan.as_of,
            rows,
        };
        let tables = overview::Tables {
            schema: &|name| Ok(schemas.get(name).cloned()),
            rows: &|name, columns, head| match (shelf.read(name, columns, head)?, previous.manifest()) {
                (Some(rows), _) => Ok(rows),
                (None, Some(manifest)) => Ok(warehouse.read(engine, manifest, name, Some(columns))?.unwrap_or_default()),
                (None, None) => Ok(Vec::new()),
            },
        };
        let report = overview::report(engine, spec, &subject, &tables)?;
        shelf.add_page(overview::FILE, report)
    }
}
