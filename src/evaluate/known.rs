//! Labels bound to the records of a version: who is which person, or which pairs are one.

use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::labels::{Labels, Name};
use super::scene::{Lookup, Scene};
use super::sweep::Truth;
use crate::error::{Error, Result};
use crate::table::NULL_CODE;

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

/// Labels as numbers.
pub(super) enum Known {
    /// Person of each record, [`NULL_CODE`] = not labeled.
    Clusters(Vec<u32>),
    Pairs(Vec<(u32, u32, bool)>),
}

impl Known {
    /// As the measures take them.
    pub(super) fn truth(&self) -> Truth<'_> {
        match self {
            Self::Clusters(of) => Truth::Clusters(of),
            Self::Pairs(pairs) => Truth::Pairs(pairs),
        }
    }

    /// What labels say about a pair; `left < right`.
    pub(super) fn is_match(&self, left: u32, right: u32) -> Option<bool> {
        match self {
            Self::Clusters(of) => {
                let (left, right) = (of[left as usize], of[right as usize]);
                (left != NULL_CODE && right != NULL_CODE).then_some(left == right)
            }
            Self::Pairs(pairs) => {
                let found = pairs.binary_search_by_key(&(left, right), |&(left, right, _)| (left, right));
                found.ok().map(|at| pairs[at].2)
            }
        }
    }
}

/// The labeled records with their people.
pub(super) fn labeled(of: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    (0_u32..)
        .zip(of)
        .filter(|(_, person)| **person != NULL_CODE)
        .map(|(record, &person)| (record, person))
}

/// Finds the records of the labels.
///
/// # Errors
/// `Input` if a record is labeled twice, an id is ambiguous, or no label is about a record of the version.
pub(super) fn number(scene: &Scene, labels: &Labels) -> Result<(Known, LabelCounts)> {
    let lookup = scene.lookup();
    let mut lacking: FxHashSet<&Name> = FxHashSet::default();
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
    lacking: &mut FxHashSet<&'a Name>,
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
    lacking: &mut FxHashSet<&'a Name>,
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
