//! Reads the distinct values of a column, in parallel, and maps the results back: a city or a given name is read once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StringBuilder, UInt32Array};
use arrow::compute::{concat, take};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::MATCHING_CHARACTERS_MAX;
use super::findings::Finding;
use super::single::Cleaned;
use crate::table::column::MATCHING;
use crate::table::order::Interner;
use crate::table::{Coded, NULL_CODE};

/// A column as one code a row and its distinct keys; position = code.
pub struct Distinct<K> {
    /// One code a row, [`NULL_CODE`] where the key is missing.
    pub codes: Vec<u32>,
    /// Keys in order of first appearance.
    pub keys: Vec<K>,
    /// Whether the display forms are wanted.
    pub shows: bool,
}

impl<'a> Distinct<&'a str> {
    /// The distinct texts of a column. O(rows) hashing.
    pub fn texts(column: &'a StringArray, shows: bool) -> Self {
        let mut interner = Interner::default();
        let codes = interner.codes(column);
        Self {
            codes,
            keys: interner.into_values(),
            shows,
        }
    }

    /// The distinct pairs of a text and the code of something it depends on, such as the country of its row.
    pub fn with(self, others: &[u32]) -> Distinct<(&'a str, u32)> {
        let mut keys: Vec<(&'a str, u32)> = Vec::with_capacity(self.keys.len());
        // Nearly every text stands beside one other value only: the first is looked up by position.
        let mut first: Vec<u32> = vec![NULL_CODE; self.keys.len()];
        let mut further: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut add = |text: u32, other: u32| {
            keys.push((self.keys[text as usize], other));
            u32::try_from(keys.len() - 1).expect("a table has fewer than 2^32 records")
        };
        let mut seen: Vec<u32> = vec![NULL_CODE; self.keys.len()];
        let mut codes = self.codes;
        for (code, &other) in codes.iter_mut().zip(others) {
            let text = *code;
            if text == NULL_CODE {
                continue;
            }
            let at = text as usize;
            *code = if first[at] == NULL_CODE {
                first[at] = add(text, other);
                seen[at] = other;
                first[at]
            } else if seen[at] == other {
                first[at]
            } else {
                *further.entry((text, other)).or_insert_with(|| add(text, other))
            };
        }
        Distinct {
            codes,
            keys,
            shows: self.shows,
        }
    }
}

impl<K: Copy + Sync> Distinct<K> {
    /// Reads every distinct key once.
    pub fn clean(self, clean: impl Fn(K) -> Cleaned + Sync) -> Values<K> {
        let [forms] = Forms::of(&self.keys, |key| {
            let cleaned = clean(key);
            let display = cleaned.display.filter(|_| self.shows);
            [Cleaned { display, ..cleaned }]
        });
        Values {
            codes: self.codes,
            keys: self.keys,
            forms,
        }
    }
}

/// A column that was read: the key of each row, and the forms of each key.
pub struct Values<K> {
    /// One code a row.
    pub codes: Vec<u32>,
    /// Position = code.
    pub keys: Vec<K>,
    /// Position = code.
    pub forms: Forms,
}

impl<'a> Values<(&'a str, u32)> {
    /// The same column by its texts alone.
    pub fn without_country(self) -> Values<&'a str> {
        Values {
            codes: self.codes,
            keys: self.keys.into_iter().map(|(text, _)| text).collect(),
            forms: self.forms,
        }
    }
}

impl Values<&str> {
    /// Whether every value is in display form already: then the column can stay as it is.
    pub fn is_clean(&self) -> bool {
        self.forms
            .display
            .iter()
            .zip(&self.keys)
            .all(|(display, key)| display == Some(*key))
    }
}

/// Standard forms of a list of values, column by column.
pub struct Forms {
    /// For people.
    pub display: StringArray,
    /// For matching.
    pub matching: StringArray,
    /// For matching, derived.
    pub derived: StringArray,
    /// Positions whose form is missing for a reason, ascending.
    pub findings: Vec<(u32, Finding)>,
}

/// Keys that one task reads.
const KEYS_OF_TASK: usize = 16 << 10;

#[derive(Default)]
struct Part {
    display: StringBuilder,
    matching: StringBuilder,
    derived: StringBuilder,
    findings: Vec<(u32, Finding)>,
}

impl Part {
    fn push(&mut self, position: usize, cleaned: &Cleaned) {
        self.display.append_option(cleaned.display.as_deref());
        self.matching.append_option(cleaned.matching.as_deref());
        self.derived.append_option(cleaned.derived.as_deref());
        if let Some(finding) = cleaned.finding {
            let position = u32::try_from(position).expect("a table has fewer than 2^32 records");
            self.findings.push((position, finding));
        }
    }
}

impl Forms {
    /// Reads each key to `N` results. The same for any number of threads.
    pub fn of<K: Copy + Sync, const N: usize>(keys: &[K], clean: impl Fn(K) -> [Cleaned; N] + Sync) -> [Self; N] {
        let read = |(task, keys): (usize, &[K])| {
            let mut parts: [Part; N] = std::array::from_fn(|_| Part::default());
            for (position, &key) in keys.iter().enumerate() {
                for (part, cleaned) in parts.iter_mut().zip(&clean(key)) {
                    part.push(task * KEYS_OF_TASK + position, cleaned);
                }
            }
            parts
        };
        let mut tasks: Vec<[Part; N]> = keys.par_chunks(KEYS_OF_TASK).enumerate().map(read).collect();
        std::array::from_fn(|of| Self::join(tasks.iter_mut().map(|parts| std::mem::take(&mut parts[of])).collect()))
    }

    fn join(mut parts: Vec<Part>) -> Self {
        let mut column = |part: fn(&mut Part) -> &mut StringBuilder| {
            let pieces: Vec<StringArray> = parts.iter_mut().map(|of| part(of).finish()).collect();
            joined(&pieces.iter().collect::<Vec<_>>())
        };
        let (display, matching, derived) = (
            column(|part| &mut part.display),
            column(|part| &mut part.matching),
            column(|part| &mut part.derived),
        );
        Self {
            display,
            matching,
            derived,
            findings: parts.into_iter().flat_map(|part| part.findings).collect(),
        }
    }

    /// The forms of several lists as one list; findings stay behind.
    pub fn chain(all: &[&Self]) -> Self {
        let column = |of: fn(&Self) -> &StringArray| joined(&all.iter().map(|forms| of(forms)).collect::<Vec<_>>());
        Self {
            display: column(|forms| &forms.display),
            matching: column(|forms| &forms.matching),
            derived: column(|forms| &forms.derived),
            findings: Vec::new(),
        }
    }

    /// Number of forms.
    pub fn len(&self) -> usize {
        self.display.len()
    }

    /// The matching form at a position.
    pub fn matching_at(&self, position: u32) -> Option<&str> {
        let at = position as usize;
        self.matching.is_valid(at).then(|| self.matching.value(at))
    }

    /// A position, unless there is no display form at it.
    pub fn shown(&self, position: u32) -> u32 {
        if position != NULL_CODE && self.display.is_valid(position as usize) {
            position
        } else {
            NULL_CODE
        }
    }
}

fn joined(pieces: &[&StringArray]) -> StringArray {
    match pieces {
        [] => StringArray::new_null(0),
        [only] => (*only).clone(),
        _ => {
            let pieces: Vec<&dyn Array> = pieces.iter().map(|piece| *piece as &dyn Array).collect();
            let all = concat(&pieces).expect("forms of one column hold less than 2 GiB");
            all.as_any().downcast_ref::<StringArray>().expect("texts were joined").clone()
        }
    }
}

/// A text column from a position in `forms` for each row.
pub fn display(positions: &[u32], forms: &StringArray) -> ArrayRef {
    let rows: UInt32Array = positions.iter().map(|&at| (at != NULL_CODE).then_some(at)).collect();
    take(forms, &rows, None).expect("every code is a position of a form")
}

/// A column for matching from a position in `forms` for each row. Texts are cut at [`MATCHING_CHARACTERS_MAX`]; an identifier is compared
/// whole or not at all.
pub fn matching(name: &str, positions: Vec<u32>, forms: &StringArray) -> ArrayRef {
    let is_short = |value: &str| value.len() <= MATCHING_CHARACTERS_MAX;
    if !MATCHING.contains(&name) || forms.iter().flatten().all(is_short) {
        return Arc::new(Coded::of_forms(name, positions, forms).to_dictionary());
    }
    let head = |value: &str| value.char_indices().nth(MATCHING_CHARACTERS_MAX).map_or(value.len(), |(at, _)| at);
    let cut: StringArray = forms.iter().map(|value| value.map(|value| &value[..head(value)])).collect();
    Arc::new(Coded::of_forms(name, positions, &cut).to_dictionary())
}
