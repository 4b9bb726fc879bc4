//! What a person is known by, in the form in which records are compared: two spellings of one address are one identifier.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{email, identifier, phone, placeholder};

/// Kinds of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// E-mail address, as a mailbox.
    Email,
    /// Phone number, E.164.
    Phone,
    /// A number or name that the company gave: `customer_no`, `loyalty_no`, …
    Number,
    /// A record of a source.
    Record,
}

impl IdentifierKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Email, Self::Phone, Self::Number, Self::Record];

    /// Snake-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Number => "number",
            Self::Record => "record",
        }
    }
}

/// One identifier. Its `Debug` tells the kind alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// Mailbox behind an e-mail address.
    Email(String),
    /// Phone number, E.164.
    Phone(String),
    /// Value of an identifier column.
    Number {
        /// Column.
        column: String,
        /// Value.
        value: String,
    },
    /// A record of a source.
    Record {
        /// Source.
        source: String,
        /// Record id.
        record_id: String,
    },
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())
    }
}

impl Identifier {
    /// The mailbox of an address; `None` for what is no address, or one that no single person has (`info@…`, placeholders, relays).
    #[must_use]
    pub fn email(text: &str) -> Option<Self> {
        let address = email::normalize(text)?;
        (email::classify(&address) == email::Mailbox::Person).then(|| Self::Email(email::mailbox(&address)))
    }

    /// A phone number, read as of `country` (ISO 3166 alpha-2); `None` for what is no number or a filler.
    #[must_use]
    pub fn phone(text: &str, country: &str) -> Option<Self> {
        let is_damaged = placeholder::is_excel_damaged(text) || placeholder::is_placeholder(text) || phone::is_placeholder(text);
        if is_damaged {
            return None;
        }
        phone::normalize(text, country).map(Self::Phone)
    }

    /// A value of an identifier column; `None` for a blank, damaged or filler value.
    #[must_use]
    pub fn number(column: &str, text: &str) -> Option<Self> {
        let value = identifier::normalize(text)?;
        let is_damaged = placeholder::is_excel_damaged(&value) || placeholder::is_blocked_identifier(&value);
        (!is_damaged).then(|| Self::Number {
            column: column.to_owned(),
            value,
        })
    }

    /// A record. Record ids are compared as they are.
    #[must_use]
    pub fn record(source: &str, record_id: &str) -> Self {
        Self::Record {
            source: source.to_owned(),
            record_id: record_id.to_owned(),
        }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> IdentifierKind {
        match self {
            Self::Email(_) => IdentifierKind::Email,
            Self::Phone(_) => IdentifierKind::Phone,
            Self::Number { .. } => IdentifierKind::Number,
            Self::Record { .. } => IdentifierKind::Record,
        }
    }

    /// What it stands in (column or source; empty for e-mail and phone), and its value.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        match self {
            Self::Email(value) | Self::Phone(value) => ("", value),
            Self::Number { column, value } => (column, value),
            Self::Record { source, record_id } => (source, record_id),
        }
    }
}
