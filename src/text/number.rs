//! Numbers as exports write them.

/// Digits after the point of every decimal in the job.
pub const DECIMAL_SCALE: u32 = 4;

/// How a number is written: `de` (`1.234,56`), `en` (`1,234.56`), `ch` (`1'234.56`), `fr` (`1 234,56`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locale {
    /// Comma before decimals, dot between thousands.
    De,
    /// Dot before decimals, comma between thousands.
    En,
    /// Dot before decimals, apostrophe between thousands.
    Ch,
    /// Comma before decimals, space between thousands.
    Fr,
}

/// The number times 10^4, rounded half away from zero; `None` if the text is not one number of that locale.
#[must_use]
pub fn parse_decimal(_text: &str, _locale: Locale) -> Option<i128> {
    todo!()
}
