//! Why records of two people agree although no one erred: they live together, or they have one name. Fellegi and Sunter's strangers agree
//! on every field by chance alone; relatives and namesakes agree on half of the fields at once, and would be taken for one person.
//!
//! Each relation is a class of pairs of its own beside matches and strangers (a latent class model, as in Larsen and Rubin, 2001): in the
//! comparisons that it explains its pairs agree as often as training finds, in all others as seldom as strangers do.

use super::model::{ComparisonModel, RelationComparison, RelationModel};
use crate::config::spec::{ComparisonSpec, Test};
use crate::table::column::{
    BIRTH_DATE, EMAIL, EMAIL_LOCAL, FAMILY_NAME, FAMILY_NAME_PHONETIC, FULL_NAME, GENDER, GIVEN_NAME, GIVEN_NAME_PHONETIC, NAME_TOKENS,
};

/// The relations that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// People of one household share address, family name, and at times phone and mailbox; not the given name and the birthday.
    Household,
    /// Namesakes share their names, and so the look of mailboxes that are made of names; never the whole address of a mailbox.
    Namesake,
}

/// Positions of two levels, the else level at 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crossing {
    /// One name equals the other record's other name.
    pub(super) crossed: usize,
    /// Both do.
    pub(super) swapped: usize,
}

/// Start of a relation's share of all pairs, as a part of λ.
const SHARE_OF_MATCHES: f64 = 0.2;

impl Relation {
    pub(super) const ALL: [Self; 2] = [Self::Household, Self::Namesake];

    fn name(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Namesake => "namesake",
        }
    }

    /// Which levels of a comparison the relation explains, from the most specific, the else level last.
    pub(super) fn explains(self, comparison: &ComparisonSpec) -> Vec<bool> {
        let columns = comparison.columns();
        let reads = |names: &[&str]| columns.iter().any(|column| names.contains(&column.as_str()));
        let whole_mailbox = |test: &Test| matches!(test, Test::Exact(columns) if columns.iter().any(|column| column == EMAIL));
        let all = |explained: bool| vec![explained; comparison.levels.len() + 1];
        match self {
            Self::Household => all(!reads(&[
                GIVEN_NAME,
                GIVEN_NAME_PHONETIC,
                FULL_NAME,
                NAME_TOKENS,
                BIRTH_DATE,
                GENDER,
            ])),
            Self::Namesake if reads(&[EMAIL, EMAIL_LOCAL]) => {
                let levels = comparison.levels.iter().map(|level| !whole_mailbox(&level.test));
                levels.chain([true]).collect()
            }
            Self::Namesake => all(reads(&[
                GIVEN_NAME,
                GIVEN_NAME_PHONETIC,
                FAMILY_NAME,
                FAMILY_NAME_PHONETIC,
                FULL_NAME,
                NAME_TOKENS,
            ])),
        }
    }

    /// The levels of names in the wrong fields where the relation shares the family name: one record of a relative with swapped names
    /// has it where the other has the given name, so crossed names are as frequent among relatives as swapped ones in one person's records.
    pub(super) fn crossing(self, comparison: &ComparisonSpec) -> Option<Crossing> {
        let count = comparison.levels.len();
        let at = |wanted: fn(&Test) -> bool| comparison.levels.iter().position(|level| wanted(&level.test)).map(|at| count - at);
        if self != Self::Household {
            return None;
        }
        Some(Crossing {
            crossed: at(|test| matches!(test, Test::Crossed(..)))?,
            swapped: at(|test| matches!(test, Test::Swapped(..)))?,
        })
    }

    /// Whether relatives share a value because they are related, so that a rare one says more; namesakes meet by chance.
    fn adjusted(self) -> bool {
        self == Self::Household
    }

    /// The relation before training: like matches where it explains, like strangers elsewhere. `None` unless it explains some comparisons
    /// and leaves others: without a contrast it could not be told from a match.
    pub(super) fn untrained(self, specs: &[ComparisonSpec], trained: &[ComparisonModel], lambda: f64) -> Option<RelationModel> {
        let explained: Vec<Vec<bool>> = specs.iter().map(|spec| self.explains(spec)).collect();
        let explains = |levels: &Vec<bool>| levels.iter().any(|&level| level);
        if explained.iter().all(explains) || !explained.iter().any(explains) {
            return None;
        }
        let comparisons = trained
            .iter()
            .zip(&explained)
            .map(|(model, explained)| RelationComparison {
                adjusted: self.adjusted() && explained.iter().all(|&level| level),
                levels: model
                    .levels
                    .iter()
                    .zip(explained)
                    .map(|(level, &explained)| if explained { level.m } else { level.u })
                    .collect(),
            })
            .collect();
        Some(RelationModel {
            name: self.name().to_owned(),
            probability_two_random_records: lambda * SHARE_OF_MATCHES,
            comparisons,
        })
    }
}
