//! Writing delimited text: a field is quoted where it must be.

/// Writes rows into a buffer.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) text: String,
    pub(super) count: u64,
    delimiter: char,
    line_end: &'static str,
}

impl Rows {
    pub(super) fn new(delimiter: char, line_end: &'static str) -> Self {
        Self {
            text: String::new(),
            count: 0,
            delimiter,
            line_end,
        }
    }

    /// One row.
    pub(super) fn row<S: AsRef<str>>(&mut self, fields: &[S]) {
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                self.text.push(self.delimiter);
            }
            self.field(field.as_ref());
        }
        self.text.push_str(self.line_end);
        self.count += 1;
    }

    fn field(&mut self, field: &str) {
        if field.contains(['"', '\n', '\r', self.delimiter]) {
            self.text.push('"');
            self.text.push_str(&field.replace('"', "\"\""));
            self.text.push('"');
        } else {
            self.text.push_str(field);
        }
    }
}
