//! Keeps spreadsheets from taking a value for a formula: CSV has no types, and a cell that begins with `=` is run when the file is opened.

use std::borrow::Cow;

/// The value as a spreadsheet shows it unrun: with an apostrophe before a first `=`, `+`, `-`, `@`, tab or carriage return, and before an
/// apostrophe that stands there already, so that [`unguard`] gives every value back.
#[must_use]
pub fn guard(value: &str) -> Cow<'_, str> {
    if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value that [`guard`] was given. An apostrophe before anything else is part of the value.
#[must_use]
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(value) if value.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => value,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{guard, unguard};

    proptest! {
        #[test]
        fn what_is_guarded_runs_nowhere_and_comes_back(value in "[=+@'\t\r-]{0,3}[a-z]{0,2}") {
            prop_assert!(!guard(&value).starts_with(['=', '+', '-', '@', '\t', '\r']));
            let guarded = guard(&value);
            prop_assert_eq!(unguard(&guarded), value.as_str());
        }
    }

    #[test]
    fn other_values_stay_as_they_are() {
        assert_eq!((guard("C-7"), unguard("'n Haus"), unguard("")), ("C-7".into(), "'n Haus", ""));
    }
}
