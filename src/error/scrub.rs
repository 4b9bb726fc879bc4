//! Takes secrets out of texts that others wrote: answers of stores repeat signatures and access keys, URLs carry credentials.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this file, tested below")
}

/// What a store answers: of its fields only code and message are kept. Others repeat the request, its signature and who signed it.
static ANSWER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)(?:<\?xml[^>]*\?>\s*)?<Error\b.*?(?:</Error>|$)"));
static CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<Code>(.*?)</Code>"));
static MESSAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)<Message>(.*?)</Message>"));
/// Who stands before the host of a URL.
static USER: LazyLock<Regex> = LazyLock::new(|| pattern(r#"([A-Za-z][A-Za-z0-9+.-]*)://([^/\s@"'`]+)@"#));
/// What follows the path of a URL: a signature, a token. A `?` alone is a glob character.
static QUERY: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(://[^\s?"'`]*)\?[^\s"'`]*=[^\s"'`,)]*"#));

/// The text with `***` in the place of credentials and signatures in URLs, and with answers of stores cut to code and message.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    if !text.contains("://") && !text.contains("<Error") {
        return Cow::Borrowed(text);
    }
    let field = |pattern: &Regex, answer: &str| {
        pattern
            .captures(answer)
            .map_or_else(String::new, |found| found[1].trim().to_owned())
    };
    let text = ANSWER.replace_all(text, |answer: &Captures<'_>| {
        format!("{}: {}", field(&CODE, &answer[0]), field(&MESSAGE, &answer[0]))
    });
    let text = USER.replace_all(&text, |found: &Captures<'_>| {
        let is_container = (found[1].starts_with("ab") || found[1].starts_with("az") || &found[1] == "adl") && !found[2].contains(':');
        if is_container {
            found[0].to_owned()
        } else {
            format!("{}://***@", &found[1])
        }
    });
    Cow::Owned(QUERY.replace_all(&text, "$1?***").into_owned())
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn credentials_and_signatures_are_taken_out_and_nothing_else() {
        for (text, scrubbed) in [
            ("s3://key:geheim@bucket/p", "s3://***@bucket/p"),
            ("see s3://geheim@bucket, please", "see s3://***@bucket, please"),
            ("abfss://box@acc.dfs.core.windows.net/p", "abfss://box@acc.dfs.core.windows.net/p"),
            (
                "abfss://u:geheim@acc.dfs.core.windows.net/p",
                "abfss://***@acc.dfs.core.windows.net/p",
            ),
            ("(files: az://box/x?sv=1&sig=geheim)", "(files: az://box/x?***)"),
            ("s3://bucket/dt=*/x?.csv", "s3://bucket/dt=*/x?.csv"),
            ("a@b.example and 1?x=2", "a@b.example and 1?x=2"),
            (
                "403: <?xml version=\"1.0\"?>\n<Error><Code>No</Code><Message>not you</Message><StringToSign>geheim</StringToSign></Error> (x)",
                "403: No: not you (x)",
            ),
            ("<Error><Message>cut", ": "),
        ] {
            assert_eq!(scrub(text), scrubbed);
        }
    }
}
