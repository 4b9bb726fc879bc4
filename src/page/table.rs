//! Tables of numbers: how a value is written, and the markup.

use serde_json::{Map, Value};

use super::Html;

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As it is, to the left.
    Text,
    /// Words that the program chose, in code: to the left, `_` as blanks.
    Words,
    /// A whole number with separators of thousands.
    Count,
    /// 0 to 1 as percent with one digit.
    Share,
    /// An amount with two digits.
    Money,
    /// A number with that many digits.
    Number(usize),
}

impl Format {
    fn is_left(self) -> bool {
        matches!(self, Self::Text | Self::Words)
    }
}

/// A column of a table: key of the value in the rows, heading, and how it is written.
pub type Column = (&'static str, &'static str, Format);

/// A row: values by key.
pub type Row = Map<String, Value>;

/// A table that scrolls by itself where it is wider than the page. Null is an en dash.
#[must_use]
pub fn table(columns: &[Column], rows: &[Row]) -> Html {
    let mut html = Html::default();
    html.raw("<div class=\"scroll\"><table><thead><tr>");
    for (_, heading, format) in columns {
        html.raw(if format.is_left() {
            "<th scope=\"col\">"
        } else {
            "<th scope=\"col\" class=\"n\">"
        })
        .text(heading)
        .raw("</th>");
    }
    html.raw("</tr></thead><tbody>\n");
    for row in rows {
        html.raw("<tr>");
        for (key, _, format) in columns {
            html.raw(if format.is_left() { "<td>" } else { "<td class=\"n\">" })
                .text(&written(row.get(*key).unwrap_or(&Value::Null), *format))
                .raw("</td>");
        }
        html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n");
    html
}

/// A value as text.
#[must_use]
pub fn written(value: &Value, format: Format) -> String {
    match (value, format) {
        (Value::Null, _) => "–".to_owned(),
        (Value::String(text), Format::Words) => text.replace('_', " "),
        (Value::String(text), _) => text.clone(),
        (Value::Bool(is), _) => if *is { "yes" } else { "no" }.to_owned(),
        (Value::Number(number), format) => number.as_f64().map_or_else(String::new, |number| of_number(number, format)),
        (other, _) => other.to_string(),
    }
}

fn of_number(number: f64, format: Format) -> String {
    match format {
        Format::Text | Format::Words => {
            let text = format!("{number:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Format::Count => thousands(&format!("{number:.0}")),
        Format::Share => format!("{:.1} %", number * 100.0),
        Format::Money => thousands(&format!("{number:.2}")),
        Format::Number(digits) => thousands(&format!("{number:.digits$}")),
    }
}

/// Commas between thousands.
fn thousands(number: &str) -> String {
    let (sign, rest) = number.strip_prefix('-').map_or(("", number), |rest| ("\u{2212}", rest));
    let (whole, fraction) = rest
        .split_once('.')
        .map_or((rest, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut text = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{text}.{fraction}"),
        None => format!("{sign}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_people_read_them() {
        for (value, format, text) in [
            (json!(1234567), Format::Count, "1,234,567"),
            (json!(-1234.5), Format::Money, "\u{2212}1,234.50"),
            (json!(0.1234), Format::Share, "12.3 %"),
            (json!(999), Format::Count, "999"),
            (json!(1.5), Format::Text, "1.5"),
            (json!(null), Format::Count, "–"),
            (json!("at_risk"), Format::Words, "at risk"),
            (json!(2.0), Format::Number(3), "2.000"),
        ] {
            assert_eq!(written(&value, format), text);
        }
    }

    #[test]
    fn a_table_escapes_what_it_shows() {
        let row: Row = json!({ "name": "<b>", "n": 2 }).as_object().cloned().expect("an object");
        let html = table(&[("name", "Name", Format::Text), ("n", "Rows", Format::Count)], &[row]);
        assert!(html.as_str().contains("<td>&lt;b&gt;</td><td class=\"n\">2</td>"));
    }
}
