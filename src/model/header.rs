//! The header of a SQL file: what the table is called, what a row is, in which unit, and what it is for.

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
}

/// Reads the leading `--` lines. A line `-- key: text` starts a field, an indented comment line continues it; other keys are ignored.
#[must_use]
pub fn read(text: &str) -> Header {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix("--") else { break };
        match comment.split_once(':').filter(|(key, _)| is_key(key)) {
            Some((key, value)) => fields.push((key.trim().to_owned(), value.trim().to_owned())),
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
    }
}

/// At most one blank before a key: what is indented deeper continues the line before, colon or not.
fn is_key(key: &str) -> bool {
    let name = key.strip_prefix(' ').unwrap_or(key);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn continue_field(fields: &mut [(String, String)], text: &str) {
    if let Some((_, value)) = fields.last_mut().filter(|_| !text.is_empty()) {
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(text);
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
}
