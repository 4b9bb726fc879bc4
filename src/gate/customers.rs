//! Gates on the customers that came out: too many records, birth dates or given names of one, too many that are large.

use std::cmp::Reverse;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::inputs::named_row;
use super::{
    Accepted, CUSTOMER_BIRTH_DATES, CUSTOMER_GIVEN_NAMES, CUSTOMER_RECORDS, Case, LARGE_CUSTOMERS_SHARE, limit, result, watches_customers,
};
use crate::config::gates::GatesSpec;
use crate::error::{GateResult, OFFENDERS_MAX, Offender};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Coded, NULL_CODE, column};
use crate::text::nickname;

/// Records named of a customer.
const ROWS_NAMED_MAX: usize = 5;

/// Judges the customers. The results are sorted as in [`super::GATES`]; empty if all of these gates are off.
///
/// O(n log n) for n records, in about 8 bytes a record of customers that have several.
#[must_use]
pub fn customers(spec: &GatesSpec, contacts: &CleanContacts, keys: &Keys, accepted: &Accepted) -> Vec<GateResult> {
    if !watches_customers(spec) {
        return Vec::new();
    }
    let scene = Scene::new(contacts, keys);
    let count = |gate: &str, limit_of: Option<u32>, what: &str, values: &[u32]| {
        let (cases, above) = limit_of.map_or_else(Default::default, |limit_of| scene.worst(limit_of, what, values));
        let result = result(gate, limit(limit_of), cases, accepted);
        GateResult {
            offenders_count: above,
            ..result
        }
    };
    let distinct = |limit: Option<u32>, values: &dyn Fn() -> Option<Vec<u32>>| limit.and_then(|_| values()).unwrap_or_default();
    let birth_dates = distinct(spec.customer_birth_dates_max, &|| {
        scene.distinct_of(column::BIRTH_DATE, |_| true, None)
    });
    let given_names = distinct(spec.customer_given_names_max, &|| {
        scene.distinct_of(column::GIVEN_NAME, is_name, Some(pet_forms))
    });
    vec![
        count(CUSTOMER_RECORDS, spec.customer_records_max, "records", &scene.sizes),
        count(CUSTOMER_BIRTH_DATES, spec.customer_birth_dates_max, "birth_dates", &birth_dates),
        count(CUSTOMER_GIVEN_NAMES, spec.customer_given_names_max, "given_names", &given_names),
        scene.large(spec, accepted),
    ]
}

/// Who has which records.
struct Scene<'a> {
    contacts: &'a CleanContacts,
    keys: &'a Keys,
    /// Records of each customer.
    sizes: Vec<u32>,
}

impl<'a> Scene<'a> {
    fn new(contacts: &'a CleanContacts, keys: &'a Keys) -> Self {
        let mut sizes = vec![0_u32; keys.keys.len()];
        for &customer in &keys.of {
            sizes[customer as usize] += 1;
        }
        Self { contacts, keys, sizes }
    }

    /// Distinct values by customer of a column in matching form; `None` if nobody maps it. Values that `counts` does not take are left out,
    /// and those that `form` gives one text, or one number, are one.
    fn distinct_of(&self, name: &str, counts: fn(&str) -> bool, form: Option<fn(&str) -> Form<'_>>) -> Option<Vec<u32>> {
        let coded = self.contacts.code(&[name.to_owned()]);
        let column: &Coded = coded.column(name)?;
        let mut number_of: FxHashMap<Form<'_>, u32> = FxHashMap::default();
        let values = (0_u32..).zip(column.values().iter().flatten());
        let group: Vec<u32> = values
            .map(|(code, value)| match form {
                _ if !counts(value) => NULL_CODE,
                Some(form) => {
                    let next = u32::try_from(number_of.len()).expect("there are fewer forms than codes");
                    *number_of.entry(form(value)).or_insert(next)
                }
                None => code,
            })
            .collect();
        let several = |&(&customer, &code): &(&u32, &u32)| code != NULL_CODE && self.sizes[customer as usize] > 1;
        let mut held: Vec<(u32, u32)> = self
            .keys
            .of
            .par_iter()
            .zip(column.codes())
            .filter(several)
            .map(|(&customer, &code)| (customer, group[code as usize]))
            .filter(|(_, group)| *group != NULL_CODE)
            .collect();
        held.par_sort_unstable();
        held.dedup();
        let mut distinct: Vec<u32> = vec![0; self.sizes.len()];
        for (customer, _) in held {
            distinct[customer as usize] += 1;
        }
        Some(distinct)
    }

    /// A case for each of the worst customers above the limit, or for the worst of all, and how many are above it. Nothing if there are no
    /// values.
    fn worst(&self, limit_of: u32, what: &str, values: &[u32]) -> (Vec<Case>, u64) {
        let value = |customer: u32| values[customer as usize];
        let all = || (0..).take(values.len());
        let mut above: Vec<u32> = all().filter(|&customer| value(customer) > limit_of).collect();
        above.sort_by_key(|&customer| (Reverse(value(customer)), customer));
        let worst = all().max_by_key(|&customer| (value(customer), Reverse(customer)));
        let told = above.iter().copied().take(OFFENDERS_MAX).chain(worst.filter(|_| above.is_empty()));
        let case = |customer: u32| Case {
            limit: Some(limit_of.into()),
            offender: self.offender(customer, what, value(customer).into()),
        };
        (told.map(case).collect(), above.len() as u64)
    }

    fn offender(&self, customer: u32, what: &str, value: u64) -> Offender {
        let records = u64::from(self.sizes[customer as usize]);
        Offender {
            value: value as f64,
            customer_key: Some(self.keys.keys[customer as usize].to_string()),
            counts: [("records".to_owned(), records), (what.to_owned(), value)].into(),
            rows: self.rows(customer),
            ..Offender::default()
        }
    }

    /// Its first records.
    fn rows(&self, customer: u32) -> Vec<crate::error::OffendingRow> {
        let text = |name: &str| self.contacts.text(name).expect("contacts have a source and a record id");
        let (sources, ids) = (text(column::SOURCE), text(column::RECORD_ID));
        let own = self.keys.of.iter().enumerate().filter(|(_, of)| **of == customer);
        own.take(ROWS_NAMED_MAX)
            .map(|(record, _)| named_row(sources.value(record), ids.value(record)))
            .collect()
    }

    /// The share of customers of more than so many records, told by the largest of them.
    fn large(&self, spec: &GatesSpec, accepted: &Accepted) -> GateResult {
        let customers = self.sizes.len();
        let mut large: Vec<u32> = (0..)
            .take(customers)
            .filter(|&customer: &u32| self.sizes[customer as usize] > spec.large_customer_records)
            .collect();
        let value = if customers == 0 {
            0.0
        } else {
            large.len() as f64 / customers as f64
        };
        let count = large.len() as u64;
        let offender = Offender {
            value,
            counts: [("customers".to_owned(), customers as u64), ("customers_large".to_owned(), count)].into(),
            ..Offender::default()
        };
        let case = Case {
            limit: spec.large_customers_share_max,
            offender,
        };
        let mut result = result(LARGE_CUSTOMERS_SHARE, spec.large_customers_share_max, vec![case], accepted);
        if !result.passed {
            large.sort_by_key(|&customer| (Reverse(self.sizes[customer as usize]), customer));
            result.offenders_count = count;
            let offender = |&customer: &u32| Offender {
                limit: spec.large_customer_records.into(),
                ..self.offender(customer, "records", self.sizes[customer as usize].into())
            };
            result.offenders = large.iter().take(OFFENDERS_MAX).map(offender).collect();
        }
        result
    }
}

/// A given name for counting: a group of pet forms, or the name itself.
#[derive(PartialEq, Eq, Hash)]
enum Form<'a> {
    Group(u32),
    Name(&'a str),
}

/// A name with its pet forms. The matching form holds the first of several names only.
fn pet_forms(name: &str) -> Form<'_> {
    nickname::group(name).map_or(Form::Name(name), Form::Group)
}

/// Initials name nobody.
fn is_name(name: &str) -> bool {
    name.chars().nth(1).is_some()
}
