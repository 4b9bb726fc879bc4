//! Cells of CSV files that people open in a spreadsheet: nothing that an export held may become a formula there.

use std::borrow::Cow;

/// A value as a cell of CSV (RFC 4180, comma): quoted where it must be, and with an apostrophe in front where a spreadsheet would take it for
/// a formula. The CSV reader of sources and decisions takes the apostrophe off again.
#[must_use]
pub fn cell(value: &str) -> String {
    let guarded = guard(value);
    if guarded.contains(['"', ',', '\n', '\r', ';', '\t']) || guarded.starts_with(' ') || guarded.ends_with(' ') {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded.into_owned()
    }
}

/// A row of such cells, with its line end.
#[must_use]
pub fn row<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    values.into_iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}

/// The value, with an apostrophe in front if a spreadsheet would run it: behind any blanks a line of it starts with `=`, `+`, `-`, `@` or their
/// wide forms, or it starts with a tab or a line end (OWASP, CSV injection). A plain number stays one; a phone number in E.164 gets an
/// apostrophe: a spreadsheet would count it. So does a value that starts with an apostrophe: [`unguard`] gives every value back.
#[must_use]
pub fn guard(value: &str) -> Cow<'_, str> {
    if is_run(value) || value.starts_with('\'') {
        Cow::Owned(format!("'{value}"))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value that [`guard`] was given. An apostrophe before anything else is part of the value.
#[must_use]
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(value) if is_run(value) || value.starts_with('\'') => value,
        _ => cell,
    }
}

fn is_run(value: &str) -> bool {
    let is_blank = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}');
    let starts_formula = |line: &str| {
        line.trim_start_matches(is_blank)
            .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    };
    let is_number = || value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) && value.parse::<f64>().is_ok();
    let is_formula = value.starts_with(['\t', '\r', '\n']) || value.split(['\n', '\r']).any(starts_formula);
    is_formula && !is_number()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_guarded_runs_nowhere_and_comes_back(value in "[=+@'\t\r\n -]{0,3}[a-z0-9.]{0,2}") {
            let guarded = guard(&value);
            prop_assert!(guarded.starts_with('\'') || !is_run(&guarded), "{:?}", guarded);
            prop_assert_eq!(unguard(&guarded), value.as_str());
        }
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in [
            "=cmd|' /C calc'!A0",
            "+1+2",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{200b}@x",
            "＝1",
            "a\n=1",
            "+49301",
        ] {
            assert!(guard(formula).starts_with('\''), "{formula:?}");
            assert!(cell(formula).trim_start_matches('"').starts_with('\''), "{formula:?}");
        }
        for harmless in ["Al", "a=b", "", " ", "1-2", "C-1042", "al@example.org", "-5.0000", "0301"] {
            assert_eq!(guard(harmless), harmless);
            assert_eq!(unguard(harmless), harmless);
        }
        assert_eq!(unguard("'n Haus"), "'n Haus");
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        assert_eq!(row(["a", "b,c", "d\"e", "", "=1,2"]), "a,\"b,c\",\"d\"\"e\",,\"'=1,2\"\r\n");
        assert_eq!(cell("a\nb"), "\"a\nb\"");
    }
}
