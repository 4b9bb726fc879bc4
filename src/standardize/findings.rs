//! What a value turned out to be when it became null: a placeholder, which is counted, or damage, which goes to `rejects`.

use std::collections::BTreeMap;

use arrow::array::StringArray;

use crate::table::{RecordKind, Reject, RejectLevel, Rejects};

/// Why a value was not taken, or only partly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Says nothing; counted under `column/kind`.
    Placeholder(&'static str),
    /// Damaged; goes to `rejects` with this reason.
    Damaged(&'static str),
}

/// All findings of some columns.
#[derive(Debug, Default)]
pub struct Findings {
    placeholders: BTreeMap<String, u64>,
    rejects: Rejects,
}

impl Findings {
    /// Takes the findings of one column, whose raw values are `raw` and whose source names are `sources`. `found` names codes.
    pub fn of_column(field: &str, sources: Option<&StringArray>, raw: &StringArray, codes: &[u32], found: &[(u32, Finding)]) -> Self {
        let mut all = Self::default();
        let Some(&(last, _)) = found.last() else { return all };
        let mut by_code: Vec<Option<Finding>> = vec![None; last as usize + 1];
        for &(code, finding) in found {
            by_code[code as usize] = Some(finding);
        }
        for (row, &code) in codes.iter().enumerate() {
            if let Some(Some(finding)) = by_code.get(code as usize) {
                all.add(field, *finding, sources, row, || raw.value(row).to_owned());
            }
        }
        all
    }

    /// Takes one finding. `content` gives the raw value as text.
    pub fn add(&mut self, field: &str, finding: Finding, sources: Option<&StringArray>, row: usize, content: impl FnOnce() -> String) {
        match finding {
            Finding::Placeholder(kind) => match self.placeholders.get_mut(&key(field, kind)) {
                Some(count) => *count += 1,
                None => {
                    self.placeholders.insert(key(field, kind), 1);
                }
            },
            Finding::Damaged(reason) => self.rejects.push(Reject {
                source: sources.map(|sources| sources.value(row).to_owned()).unwrap_or_default(),
                record: Some(RecordKind::Contacts.name().to_owned()),
                file: None,
                line: None,
                level: RejectLevel::Value,
                reason: reason.to_owned(),
                field: Some(field.to_owned()),
                content: Some(content()),
            }),
        }
    }

    /// Takes over another column's.
    pub fn append(&mut self, other: Self) {
        for (key, count) in other.placeholders {
            *self.placeholders.entry(key).or_default() += count;
        }
        self.rejects.append(other.rejects);
    }

    /// Counts by `column/kind`, and the rejects, sorted.
    pub fn finish(self) -> (BTreeMap<String, u64>, Rejects) {
        let mut rejects = self.rejects;
        rejects.sort();
        (self.placeholders, rejects)
    }
}

fn key(field: &str, kind: &str) -> String {
    format!("{field}/{kind}")
}
