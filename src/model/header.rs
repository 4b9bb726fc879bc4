//! The header of a SQL file: what the table is called, what a row is, in which unit, what it is for, and what each column holds.

/// Header fields; empty where the file says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// `-- name:`.
    pub name: String,
    /// `-- grain:`.
    pub grain: String,
    /// `-- unit:`.
    pub unit: Option<String>,
    /// `-- description:`, continuation lines joined by a space.
    pub description: String,
    /// `-- hint:` of an audit: what to do if it fails.
    pub hint: Option<String>,
    /// `-- show:` of an audit: columns whose values may be told if it fails, so none that says something of a person.
    pub show: Vec<String>,
    /// `-- columns:`, in the order of the file.
    pub columns: Vec<DescribedColumn>,
}

/// One line of `-- columns:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Name of the output column, as written.
    pub name: String,
    /// What stands in brackets behind the name, e.g. `share`, `days`, `reporting currency`.
    pub unit: Option<String>,
    /// What it holds, continuation lines joined by a space.
    pub description: String,
    /// Line in the file, from 1.
    pub line: usize,
}

/// Reads the leading `--` lines. A line `-- key: text` starts a field, an indented comment line continues it; other keys are ignored.
/// Below `-- columns:`, the first line gives the indent of all columns (`--   name [unit]: text`); what is indented deeper continues one,
/// and a line that is indented less ends them: what follows is a remark.
#[must_use]
pub fn read(text: &str) -> Header {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut columns = Columns::default();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix("--") else { break };
        match comment.split_once(':').filter(|(key, _)| is_key(key)) {
            Some((key, value)) => fields.push((key.trim().to_owned(), value.trim().to_owned())),
            None if fields.last().is_some_and(|(key, _)| key == "columns") => columns.add(number + 1, comment),
            None => continue_field(&mut fields, comment.trim()),
        }
    }
    let take = |key: &str| {
        let found = fields.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    Header {
        name: take("name").unwrap_or_default(),
        grain: take("grain").unwrap_or_default(),
        unit: take("unit"),
        description: take("description").unwrap_or_default(),
        hint: take("hint"),
        show: take("show")
            .map(|names| names.split(',').map(|name| name.trim().to_owned()).collect())
            .unwrap_or_default(),
        columns: columns.read,
    }
}

/// At most one blank before a key: what is indented deeper continues the line before, colon or not.
fn is_key(key: &str) -> bool {
    let name = key.strip_prefix(' ').unwrap_or(key);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn continue_field(fields: &mut [(String, String)], text: &str) {
    if let Some((_, value)) = fields.last_mut() {
        join(value, text);
    }
}

fn join(value: &mut String, text: &str) {
    if !value.is_empty() && !text.is_empty() {
        value.push(' ');
    }
    value.push_str(text);
}

/// The lines below `-- columns:`.
#[derive(Default)]
struct Columns {
    /// Blanks before the name of a column.
    indent: usize,
    /// A line that was indented less came.
    is_over: bool,
    read: Vec<DescribedColumn>,
}

impl Columns {
    fn add(&mut self, line: usize, comment: &str) {
        let text = comment.trim_start();
        let indent = comment.len() - text.len();
        if self.read.is_empty() {
            self.indent = indent;
        }
        self.is_over |= indent < self.indent && !text.is_empty();
        match self.read.last_mut() {
            _ if self.is_over => {}
            Some(column) if indent > self.indent || text.is_empty() => join(&mut column.description, text),
            _ if text.is_empty() => {}
            _ => self.read.push(column(line, text)),
        }
    }
}

/// `name [unit]: text`. A line without a colon is a name without a text.
fn column(line: usize, text: &str) -> DescribedColumn {
    let (head, description) = text.split_once(':').unwrap_or((text, ""));
    let bracketed = head
        .trim_end()
        .strip_suffix(']')
        .and_then(|head| head.split_once('['))
        .map(|(name, unit)| (name, unit.trim()));
    let (name, unit) = bracketed.map_or((head, None), |(name, unit)| (name, Some(unit).filter(|unit| !unit.is_empty())));
    DescribedColumn {
        name: name.trim().to_owned(),
        unit: unit.map(str::to_owned),
        description: description.trim().to_owned(),
        line,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_description_goes_on_over_indented_lines_with_colons() {
        let header = read("-- name: t\n-- grain: one row\n-- description: first\n--   second: part\n--   third\nSELECT 1 -- name: x\n");
        assert_eq!(header.name, "t");
        assert_eq!(header.grain, "one row");
        assert_eq!(header.unit, None);
        assert_eq!(header.description, "first second: part third");
    }

    #[test]
    fn a_file_without_a_header_has_an_empty_one() {
        assert_eq!(read("SELECT 1"), super::Header::default());
    }

    #[test]
    fn columns_have_a_unit_in_brackets_and_go_on_in_deeper_lines() {
        let header = read(
            "-- name: t\n-- description: d\n-- columns:\n--   customer_key: The customer.\n--   churn_rate [share]: Lost: by\n--     average: long\n\
             --     text.\n--   paid [reporting currency] : Money.\n-- unit: euro\n--   and more\nSELECT 1\n",
        );
        let read: Vec<(&str, Option<&str>, &str, usize)> = header
            .columns
            .iter()
            .map(|column| (&*column.name, column.unit.as_deref(), &*column.description, column.line))
            .collect();
        assert_eq!(
            read,
            [
                ("customer_key", None, "The customer.", 4),
                ("churn_rate", Some("share"), "Lost: by average: long text.", 5),
                ("paid", Some("reporting currency"), "Money.", 8),
            ]
        );
        assert_eq!(header.unit.as_deref(), Some("euro and more"));
        assert_eq!(header.description, "d");
    }

    #[test]
    fn a_line_without_a_colon_is_a_column_that_nothing_is_said_of() {
        let header = read("-- columns:\n--  a\n--  b []: B.\n--\n-- A remark: not of b.\n--  c: No column.\nSELECT 1\n");
        let read: Vec<(&str, &str)> = header.columns.iter().map(|column| (&*column.name, &*column.description)).collect();
        assert_eq!(read, [("a", ""), ("b", "B.")]);
        assert_eq!(header.columns[1].unit, None);
    }
}
