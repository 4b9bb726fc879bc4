//! One self-contained HTML file: frame, styles, scripts and escaping. No network, and nothing from data that a browser could run.
//!
//! Texts of the program are `&'static str` and written as they are ([`Html::raw`]); everything else goes through [`Html::text`],
//! [`Html::value`] or [`Html::data`], which escape. The policy in the head lets run only the scripts whose hash it lists, and load nothing.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

mod base64;
pub mod table;

/// Scripts that draw charts, in the order in which they must run.
pub const CHARTS: [&str; 4] = [
    include_str!("vendor/vega.min.js"),
    include_str!("vendor/vega-lite.min.js"),
    include_str!("vendor/vega-embed.min.js"),
    include_str!("charts.js"),
];

/// Script of the search box.
pub const SEARCH: [&str; 1] = [include_str!("search.js")];

/// What the licenses of [`CHARTS`] ask to be repeated wherever they are.
pub const CHARTS_LICENSES: [(&str, &str); 4] = [
    ("Vega 6.4.0", include_str!("vendor/vega.LICENSE")),
    ("Vega-Lite 6.4.3", include_str!("vendor/vega-lite.LICENSE")),
    ("Vega-Embed 7.3.0", include_str!("vendor/vega-embed.LICENSE")),
    ("Vega-Interpreter 2.3.2", include_str!("vendor/vega-interpreter.LICENSE")),
];

const STYLE: &str = include_str!("style.css");

/// Markup that is safe to show: made from constants and escaped values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Adds markup of the program.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds a text, between tags.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape(&mut self.0, text);
        self
    }

    /// Adds an attribute with a value: ` name="value"`.
    pub fn value(&mut self, name: &'static str, value: &str) -> &mut Self {
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape(&mut self.0, value);
        self.0.push('"');
        self
    }

    /// Adds markup that was made like this one.
    pub fn html(&mut self, html: &Html) -> &mut Self {
        self.0.push_str(&html.0);
        self
    }

    /// Adds JSON as a block of data that no browser runs, and that no text inside it can end.
    pub fn data(&mut self, value: &serde_json::Value) -> &mut Self {
        self.0.push_str("<script type=\"application/json\">");
        for character in value.to_string().chars() {
            match character {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    write!(self.0, "\\u{:04x}", u32::from(character)).expect("a string can be written to");
                }
                other => self.0.push(other),
            }
        }
        self.0.push_str("</script>");
        self
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text as it may stand between tags and in quoted attributes. Control characters that HTML forbids become U+FFFD.
fn escape(target: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => target.push_str("&lt;"),
            '>' => target.push_str("&gt;"),
            '&' => target.push_str("&amp;"),
            '"' => target.push_str("&quot;"),
            '\'' => target.push_str("&#39;"),
            '\n' | '\t' => target.push(character),
            control if control.is_control() => target.push('\u{fffd}'),
            other => target.push(other),
        }
    }
}

/// An id or a link inside the page from any name: lower-case letters, digits and hyphens.
#[must_use]
pub fn anchor(name: &str) -> String {
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect()
}

/// A page: `body` in the frame, with the scripts behind it. Equal parts give equal bytes.
#[must_use]
pub fn page(title: &str, body: &Html, scripts: &[&'static str]) -> String {
    let hashes: Vec<String> = scripts
        .iter()
        .map(|script| format!("'sha256-{}'", base64::encode(&Sha256::digest(script.as_bytes()))))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
        if hashes.is_empty() { "'none'".to_owned() } else { hashes.join(" ") }
    );
    let mut html = Html::default();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\"")
        .value("content", &policy)
        .raw(">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
        .text(title)
        .raw("</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n")
        .html(body);
    for script in scripts {
        html.raw("\n<script>").raw(script).raw("</script>");
    }
    html.raw("\n</body>\n</html>\n");
    html.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_data_ends_a_tag_an_attribute_or_a_block() {
        let hostile = "</script><script>alert('x')</script> \"& \u{0} \u{2028}<!--";
        let mut html = Html::default();
        html.text(hostile)
            .raw("<i")
            .value("title", hostile)
            .raw("></i>")
            .data(&serde_json::json!({ "name": hostile, hostile: 1 }));
        let outside = html
            .as_str()
            .replace("<script type=\"application/json\">", "")
            .replace("<i", "")
            .replace("</i>", "");
        assert_eq!(outside.matches('<').count(), 1, "the end of the block alone: {outside}");
        assert!(!html.as_str().contains('\u{0}'));
        let block = html
            .as_str()
            .split("json\">")
            .nth(1)
            .expect("a block")
            .trim_end_matches("</script>");
        assert!(!block.contains('\u{2028}'));
        let back: serde_json::Value = serde_json::from_str(block).expect("JSON still");
        assert_eq!(back["name"], hostile);
    }

    #[test]
    fn no_script_holds_what_would_end_it() {
        for script in CHARTS.iter().chain(&SEARCH) {
            let lower = script.to_ascii_lowercase();
            assert!(!lower.contains("</script") && !lower.contains("<!--") && !lower.contains("sourcemappingurl"));
        }
        assert!(!STYLE.contains("</"));
    }

    #[test]
    fn a_page_lets_run_only_its_own_scripts_and_loads_nothing() {
        let page = page("a <b>", &Html::default(), &["let a = 1;"]);
        assert!(page.contains("<title>a &lt;b&gt;</title>"));
        // printf 'let a = 1;' | openssl dgst -sha256 -binary | base64
        assert!(
            page.contains("script-src &#39;sha256-xY6QKfH9PRsQnLz56nj6MBwiK5oHg+im1Jkpdp1x/Ck=&#39;;"),
            "{page}"
        );
        assert!(page.contains("default-src &#39;none&#39;"));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }

    #[test]
    fn an_anchor_is_made_of_letters_digits_and_hyphens() {
        assert_eq!(anchor("Customer_clv \"x"), "customer-clv--x");
    }
}
