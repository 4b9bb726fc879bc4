//! Signs of over-merging that need no labels: how large customers are, and how many of them are several people by their own fields.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::ratio;
use crate::table::{Coded, CodedRecords, NULL_CODE, column};

/// Columns whose values are counted, and how many a customer may have before it is a sign. People change family names and use several given
/// names; nobody has two birthdays.
pub(super) const COUNTED: [(&str, u64); 3] = [(column::BIRTH_DATE, 1), (column::GIVEN_NAME, 3), (column::FAMILY_NAME, 3)];
/// Name of the indicator of size.
const RECORDS: &str = "records";

/// Customers that look like several people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// What is counted by customer: `records`, or distinct values of a column.
    pub of: String,
    /// A sign if there are more than these.
    pub more_than: u64,
    /// Customers with more.
    pub customers: u64,
    /// As a share of all customers.
    pub share: f64,
    /// As a share of the customers of two or more records.
    pub share_of_merged: f64,
}

/// A customer with many signs, to look at with `explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspect {
    /// Its key.
    pub customer_key: String,
    /// Its records.
    pub records: u64,
    /// Distinct values of each column that has more than it should: column → number.
    pub values: Vec<(String, u64)>,
}

/// How many customers have this many records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeCount {
    /// Records.
    pub records: u64,
    /// Customers.
    pub customers: u64,
}

/// Customers by their number of records, ascending.
#[must_use]
pub(super) fn sizes(customers: &Coded) -> Vec<SizeCount> {
    let mut sizes: Vec<u64> = customers.counts().iter().map(|&count| u64::from(count)).collect();
    sizes.sort_unstable();
    sizes
        .chunk_by(|a, b| a == b)
        .map(|equal| SizeCount {
            records: equal[0],
            customers: equal.len() as u64,
        })
        .collect()
}

/// Counts every sign, and gives the `examples` customers with most of them: by the signs, then by the records, then by the key.
#[must_use]
pub(super) fn conflicts(records: &CodedRecords, customers: &Coded, records_max: u64, examples: usize) -> (Vec<Conflict>, Vec<Suspect>) {
    let sizes: Vec<u64> = customers.counts().iter().map(|&count| u64::from(count)).collect();
    let merged = sizes.iter().filter(|&&size| size > 1).count() as u64;
    let mut counted = vec![(RECORDS, records_max, sizes.clone())];
    for (name, more_than) in COUNTED {
        if let Some(column) = records.column(name) {
            counted.push((name, more_than, distinct(column, customers)));
        }
    }
    let conflicts = counted.iter().map(|(name, more_than, values)| {
        let found = values.iter().filter(|&count| count > more_than).count() as u64;
        Conflict {
            of: (*name).to_owned(),
            more_than: *more_than,
            customers: found,
            share: ratio(found.into(), sizes.len() as u128),
            share_of_merged: ratio(found.into(), merged.into()),
        }
    });
    let conflicts = conflicts.collect();
    let mut suspects: Vec<(usize, u64, usize)> = (0..sizes.len())
        .map(|customer| {
            let signs = counted
                .iter()
                .filter(|(_, more_than, values)| values[customer] > *more_than)
                .count();
            (signs, sizes[customer], customer)
        })
        .filter(|(signs, _, _)| *signs > 0)
        .collect();
    suspects.sort_unstable_by_key(|&(signs, size, customer)| (std::cmp::Reverse((signs, size)), customer));
    let suspects = suspects.into_iter().take(examples).map(|(_, size, customer)| Suspect {
        customer_key: customers.values().value(customer).to_owned(),
        records: size,
        values: counted[1..]
            .iter()
            .filter(|(_, more_than, values)| values[customer] > *more_than)
            .map(|(name, _, values)| ((*name).to_owned(), values[customer]))
            .collect(),
    });
    (conflicts, suspects.collect())
}

/// Distinct values of a column, by customer.
fn distinct(column: &Coded, customers: &Coded) -> Vec<u64> {
    let mut held: Vec<(u32, u32)> = customers
        .codes()
        .iter()
        .zip(column.codes())
        .filter(|(_, code)| **code != NULL_CODE)
        .map(|(&customer, &code)| (customer, code))
        .collect();
    held.sort_unstable();
    held.dedup();
    let mut distinct = vec![0; customers.counts().len()];
    for (customer, _) in held {
        distinct[customer as usize] += 1;
    }
    distinct
}
