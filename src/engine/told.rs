//! What an error of a store's client may tell: its own words, and of a server's answer the code and the message alone.
//!
//! Answers can hold secrets: S3 repeats an expired session token in `<Token-0>`, Azure what was signed; URLs carry signatures.

use std::fmt;

/// Longest message of a server that is repeated, in characters.
const MESSAGE_CHARS_MAX: usize = 300;

/// An error in words that hold no secret.
#[derive(Debug)]
pub struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

/// The chain of causes in one line, each said once, without what may be secret.
#[must_use]
pub fn told(error: &(dyn std::error::Error + 'static)) -> Told {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.contains(&own) {
            let link = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{link}{own}");
        }
        cause = error.source();
    }
    Told(without_queries(&without_body(&text)))
}

/// The code of a server's answer, e.g. `ExpiredToken`.
pub(super) fn code(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if let Some(code) = element(&text, "Code") {
            return Some(code.to_owned());
        }
        cause = error.source();
    }
    None
}

/// Everything from the first `<` or `{` on is a server's answer: XML, HTML or JSON.
fn without_body(text: &str) -> String {
    let Some(start) = text.find(['<', '{']) else {
        return text.to_owned();
    };
    let (words, body) = text.split_at(start);
    let words = words.trim_end();
    match (element(body, "Code"), element(body, "Message")) {
        (None, None) => words.trim_end_matches(':').to_owned(),
        (code, message) => {
            let message: String = message.unwrap_or("").chars().take(MESSAGE_CHARS_MAX).collect();
            let code = code.unwrap_or("");
            let link = if code.is_empty() || message.is_empty() { "" } else { ": " };
            format!("{words} {code}{link}{}", message.lines().next().unwrap_or(""))
        }
    }
}

/// The text of the first element of that name.
fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let start = body.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + body[start..].find('<')?;
    Some(body[start..end].trim())
}

/// URLs end before their `?`.
fn without_queries(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (position, word) in text.split(' ').enumerate() {
        if position > 0 {
            out.push(' ');
        }
        match word.split_once('?') {
            Some((before, _)) if before.contains("://") => out.push_str(before),
            _ => out.push_str(word),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        told(&std::io::Error::other(text.to_owned())).to_string()
    }

    #[test]
    fn of_an_answer_only_code_and_message_are_told() {
        let text = "Error performing GET http://host/b/k in 1ms - Server returned non-2xx status code: 400 Bad Request: \
            <?xml version=\"1.0\"?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message>\
            <Token-0>geheim</Token-0><HostId>x</HostId></Error>";
        let said = of(text);
        assert!(
            said.ends_with("400 Bad Request: ExpiredToken: The provided token has expired."),
            "{said}"
        );
        assert_eq!(code(&std::io::Error::other(text)).as_deref(), Some("ExpiredToken"));
        let json = of("Server returned non-2xx status code: 400 Bad Request: {\"assertion\": \"geheim\"}");
        assert_eq!(json, "Server returned non-2xx status code: 400 Bad Request");
        assert_eq!(of("status code: 403: <html>geheim</html>"), "status code: 403");
        assert_eq!(of("connection refused"), "connection refused");
    }

    #[test]
    fn signatures_in_urls_are_left_out() {
        let said = of("Error performing PUT https://account.blob.example/c/k?sv=1&sig=geheim in 2ms, after 3 retries");
        assert_eq!(
            said,
            "Error performing PUT https://account.blob.example/c/k in 2ms, after 3 retries"
        );
    }
}
