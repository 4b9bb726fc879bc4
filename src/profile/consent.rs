//! Consent, one channel at a time: which record's word counts, so that a withdrawal is never overridden by an older consent.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, TimestampMicrosecondArray, UInt32Array};
use rayon::prelude::*;

use super::ProfileSpec;
use super::members::Members;
use super::survive::{NOBODY, Ranks, times};
use crate::config::pipeline::{ConsentRule, Survivorship};
use crate::table::{CleanContacts, column};

/// What one record says of one channel.
#[derive(Debug, Clone, Copy)]
struct Statement {
    record: u32,
    is_given: bool,
    /// When it was said, if the export tells.
    said_at: Option<i64>,
    /// When it was said, else when the record was last changed.
    known_at: i64,
    trust: u16,
}

/// For each customer the record whose word counts; [`NOBODY`] where no record says anything. `None` if the project gave the column a rule
/// that takes no notice of what consent is.
pub(super) fn deciding(spec: &ProfileSpec<'_>, contacts: &CleanContacts, members: &Members, ranks: &Ranks, name: &str) -> Option<Vec<u32>> {
    let pick: fn(&[Statement]) -> Option<Statement> = match (spec.survivorship.get(name), spec.consent) {
        (None, ConsentRule::Latest) => latest,
        (None, ConsentRule::MostRestrictive) | (Some(Survivorship::AllTrue), _) => most_restrictive,
        (Some(Survivorship::AnyTrue), _) => most_permissive,
        (Some(_), _) => return None,
    };
    let given = contacts.display.column_by_name(name)?.as_boolean_opt()?;
    let said_at = times(contacts, &format!("{name}{}", column::AT_SUFFIX));
    let decided = (0..members.len()).into_par_iter().map(|customer| {
        let says = |&record: &u32| statement(given, said_at.as_ref(), ranks, record);
        let statements: Vec<Statement> = members.of(customer).iter().filter_map(says).collect();
        pick(&statements).map_or(NOBODY, |statement| statement.record)
    });
    Some(decided.collect())
}

fn statement(given: &BooleanArray, said_at: Option<&TimestampMicrosecondArray>, ranks: &Ranks, record: u32) -> Option<Statement> {
    let at = record as usize;
    let said_at = said_at.filter(|times| times.is_valid(at)).map(|times| times.value(at));
    given.is_valid(at).then(|| Statement {
        record,
        is_given: given.value(at),
        said_at,
        known_at: said_at.unwrap_or(ranks.updated[at]),
        trust: ranks.trust[at],
    })
}

/// The latest by its own time; of two at one time the withdrawal. A statement without a time may be newer or older than any other: as a
/// withdrawal it beats all, as a consent it yields to all.
fn latest(statements: &[Statement]) -> Option<Statement> {
    let undated = |statement: &&Statement| statement.said_at.is_none();
    let has_undated_withdrawal = statements.iter().filter(undated).any(|statement| !statement.is_given);
    if has_undated_withdrawal {
        return newest(statements, |statement| !statement.is_given);
    }
    let dated = statements.iter().filter(|statement| statement.said_at.is_some());
    let last = dated.max_by_key(|statement| {
        (
            statement.said_at,
            !statement.is_given,
            Reverse(statement.trust),
            Reverse(statement.record),
        )
    });
    last.copied().or_else(|| newest(statements, |_| true))
}

fn most_restrictive(statements: &[Statement]) -> Option<Statement> {
    newest(statements, |statement| !statement.is_given).or_else(|| newest(statements, |_| true))
}

fn most_permissive(statements: &[Statement]) -> Option<Statement> {
    newest(statements, |statement| statement.is_given).or_else(|| newest(statements, |_| true))
}

/// The newest that fits; ties: trust, then the smallest record.
fn newest(statements: &[Statement], fits: impl Fn(&Statement) -> bool) -> Option<Statement> {
    let fitting = statements.iter().filter(|statement| fits(statement));
    let newest = fitting.max_by_key(|statement| (statement.known_at, Reverse(statement.trust), Reverse(statement.record)));
    newest.copied()
}

/// `<name>_source` and `<name>_at`: the source of the record that decided, and when it was said, or where the export does not tell, when that
/// record was last changed.
pub(super) fn provenance(contacts: &CleanContacts, ranks: &Ranks, name: &str, deciding: &UInt32Array) -> [(String, ArrayRef); 2] {
    let source = contacts.text(column::SOURCE).expect("contacts have a source");
    let said_at = times(contacts, &format!("{name}{}", column::AT_SUFFIX));
    let at = |record: u32| {
        let own = said_at.as_ref().filter(|times| times.is_valid(record as usize));
        let updated = Some(ranks.updated[record as usize]).filter(|&time| time != i64::MIN);
        own.map(|times| times.value(record as usize)).or(updated)
    };
    let sources: StringArray = deciding
        .iter()
        .map(|record| record.map(|record| source.value(record as usize)))
        .collect();
    let times: TimestampMicrosecondArray = deciding.iter().map(|record| record.and_then(at)).collect();
    [
        (format!("{name}{}", column::SOURCE_SUFFIX), Arc::new(sources)),
        (format!("{name}{}", column::AT_SUFFIX), Arc::new(times.with_timezone("UTC"))),
    ]
}
