//! E-mail addresses: one spelling for each mailbox, and which addresses say nothing about a person.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::fold::{self, clean};

/// Longest address in bytes (RFC 5321, 4.5.3.1.3 less the angle brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// Longest local part in bytes (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// Trimmed, lower case, without `mailto:` or angle brackets; `None` if it is not an address. Idempotent.
///
/// An address has one `@`, a local part without spaces and a domain with a dot. Typos are not corrected; a domain in Unicode stays so.
#[must_use]
pub fn normalize(text: &str) -> Option<String> {
    if is_plain(text.as_bytes()) {
        let address = text.to_ascii_lowercase();
        let (local, domain) = address.split_once('@')?;
        return (address.len() <= ADDRESS_BYTES_MAX && is_local(local) && is_domain(domain)).then_some(address);
    }
    fold::settle(text, read)
}

/// Whether a text has nothing around or inside an address that [`read`] would take off or change, but for upper case.
fn is_plain(text: &[u8]) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_edge(text.first()) && is_edge(text.last()) && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || b".@_-+".contains(&byte))
}

fn read(text: &str) -> Option<String> {
    let line = lower(text);
    let inner = match (line.rfind('<'), line.rfind('>')) {
        (Some(open), Some(close)) if open < close => &line[open + 1..close],
        _ => line.as_str(),
    };
    let inner = trim(inner);
    let inner = trim(inner.strip_prefix("mailto:").unwrap_or(inner));
    let inner = trim(
        inner
            .split_once('?')
            .map_or(inner, |(address, _)| if address.contains('@') { address } else { inner }),
    );
    let (local, domain) = inner.split_once('@')?;
    (inner.len() <= ADDRESS_BYTES_MAX && is_local(local) && is_domain(domain)).then(|| inner.to_owned())
}

/// Cleaned, compatibility forms resolved, lower case. A case mapping can bring back a form that needs normalizing, hence the second pass.
fn lower(text: &str) -> String {
    if text.is_ascii() {
        return clean(text).to_ascii_lowercase();
    }
    use unicode_normalization::UnicodeNormalization;
    let pass = |text: &str| clean(&text.nfkc().collect::<String>().to_lowercase().nfkc().collect::<String>());
    pass(&pass(text))
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | ',' | ';' | ':' | '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']'))
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= LOCAL_BYTES_MAX
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.as_bytes().windows(2).any(|pair| pair == b"..")
        && local.chars().all(|c| {
            c.is_alphanumeric()
                || (c.is_ascii_punctuation() && !matches!(c, ',' | ';' | ':' | '<' | '>' | '(' | ')' | '[' | ']' | '\\' | '"' | '@'))
        })
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c == '-' || c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c))
    };
    let Some((_, top)) = domain.rsplit_once('.') else {
        return false;
    };
    domain.split('.').all(label) && top.chars().count() >= 2 && !top.bytes().all(|b| b.is_ascii_digit())
}

/// The mailbox behind a normalized address: `+suffix` dropped everywhere, dots dropped and `googlemail.com` read as `gmail.com` at Google.
/// Expects what [`normalize`] gives; idempotent.
#[must_use]
pub fn mailbox(address: &str) -> String {
    let Some((local, domain)) = address.split_once('@') else {
        return address.to_owned();
    };
    if matches!(domain, "gmail.com" | "googlemail.com") {
        // Dots first: one before the plus must not keep the suffix.
        return [without_suffix(&local.replace('.', "")), "@gmail.com"].concat();
    }
    [without_suffix(local), "@", domain].concat()
}

/// A local part up to its plus, unless that leaves no local part.
fn without_suffix(local: &str) -> &str {
    match local.split_once('+') {
        Some((base, _)) if !base.is_empty() && !base.ends_with('.') => base,
        _ => local,
    }
}

/// What an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailbox {
    /// As far as one can see, one person.
    Person,
    /// A function of a company: `info@`, `office@`. Says nothing about who writes.
    RoleAccount,
    /// A marketplace's or a device's relay: another address for each order or app.
    Relay,
    /// Nobody: `test@test.de`, `none@none.com`, `@example.com`.
    Placeholder,
}

/// What a normalized address stands for.
#[must_use]
pub fn classify(address: &str) -> Mailbox {
    let Some((local, domain)) = address.split_once('@') else {
        return Mailbox::Placeholder;
    };
    if is_nobody(local, domain) {
        Mailbox::Placeholder
    } else if is_relay(domain) {
        Mailbox::Relay
    } else if is_in(&ROLES_SET, local.split_once('+').map_or(local, |(base, _)| base)) {
        Mailbox::RoleAccount
    } else {
        Mailbox::Person
    }
}

fn is_nobody(local: &str, domain: &str) -> bool {
    let name = domain.split('.').next().unwrap_or(domain);
    let reserved = [".test", ".invalid", ".localhost", ".local"]
        .iter()
        .any(|top| domain.ends_with(top));
    let example = name == "example" || domain.split('.').rev().nth(1) == Some("example");
    let repeated = |text: &str| text.len() <= 3 || text.bytes().all(|b| b == text.as_bytes()[0]);
    reserved || example || is_in(&NOBODY_SET, local) || is_in(&NOBODY_DOMAINS_SET, name) || (local == name && repeated(local))
}

fn is_relay(domain: &str) -> bool {
    domain.starts_with("marketplace.amazon.")
        || domain.starts_with("members.ebay.")
        || matches!(
            domain,
            "privaterelay.appleid.com"
                | "mail.ebay-kleinanzeigen.de"
                | "mail.kleinanzeigen.de"
                | "relay.firefox.com"
                | "mozmail.com"
                | "otto.market"
        )
}

type Words = LazyLock<FxHashSet<&'static str>>;
static NOBODY_SET: Words = LazyLock::new(|| NOBODY.iter().copied().collect());
static NOBODY_DOMAINS_SET: Words = LazyLock::new(|| NOBODY_DOMAINS.iter().copied().collect());
static ROLES_SET: Words = LazyLock::new(|| ROLES.iter().copied().collect());

fn is_in(words: &Words, word: &str) -> bool {
    words.contains(word)
}

const NOBODY: &[&str] = &[
    "test",
    "tester",
    "test1",
    "test123",
    "dummy",
    "none",
    "null",
    "noemail",
    "no-email",
    "no.email",
    "nomail",
    "no-mail",
    "no.mail",
    "keine",
    "keinemail",
    "keine-email",
    "keine.email",
    "keineemail",
    "ohne",
    "unbekannt",
    "unknown",
    "asdf",
    "asd",
    "xxx",
    "xxxx",
    "fake",
    "max.mustermann",
    "maxmustermann",
    "erika.mustermann",
    "mustermann",
    "notavailable",
    "n.a",
    "na",
];

const NOBODY_DOMAINS: &[&str] = &[
    "test",
    "none",
    "nomail",
    "noemail",
    "no-mail",
    "no-email",
    "keine",
    "keinemail",
    "asdf",
    "xxx",
    "mustermann",
    "fake",
    "invalid",
    "dummy",
];

const ROLES: &[&str] = &[
    "info",
    "information",
    "infos",
    "kontakt",
    "contact",
    "office",
    "buero",
    "büro",
    "mail",
    "email",
    "e-mail",
    "post",
    "hello",
    "hallo",
    "hi",
    "team",
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "nichtantworten",
    "admin",
    "administrator",
    "webmaster",
    "postmaster",
    "hostmaster",
    "root",
    "abuse",
    "support",
    "service",
    "kundenservice",
    "kundendienst",
    "help",
    "hilfe",
    "sales",
    "verkauf",
    "vertrieb",
    "einkauf",
    "purchasing",
    "procurement",
    "bestellung",
    "bestellungen",
    "order",
    "orders",
    "shop",
    "store",
    "rechnung",
    "rechnungen",
    "invoice",
    "invoices",
    "billing",
    "buchhaltung",
    "accounting",
    "accounts",
    "finance",
    "verwaltung",
    "sekretariat",
    "empfang",
    "reception",
    "zentrale",
    "marketing",
    "newsletter",
    "presse",
    "press",
    "jobs",
    "bewerbung",
    "karriere",
    "hr",
    "personal",
    "datenschutz",
    "privacy",
    "it",
    "edv",
    "praxis",
    "kanzlei",
    "rezeption",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_short_way_gives_what_the_long_one_does(text in "[aA1._+@-]{0,12}|[a-zA-Z.]{1,9}@[a-zA-Z.-]{1,9}\\.[a-z1]{1,3}|mailto[@.a]{1,6}") {
            prop_assert_eq!(normalize(&text), fold::settle(&text, read));
        }
    }
}
