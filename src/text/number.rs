//! Numbers as exports write them.

/// Digits after the point of every decimal in the job.
pub const DECIMAL_SCALE: u32 = 4;

/// A decimal has 18 digits, 4 after the point: its absolute value times 10^4 is below this.
const LIMIT: i128 = 1_000_000_000_000_000_000;

/// No sane amount is longer; a longer text is not read at all.
const LENGTH_MAX: usize = 64;

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

impl Locale {
    fn point(self) -> char {
        match self {
            Self::De | Self::Fr => ',',
            Self::En | Self::Ch => '.',
        }
    }

    fn groups(self, c: char) -> bool {
        match self {
            Self::De => c == '.',
            Self::En => c == ',',
            Self::Ch => matches!(c, '\'' | '\u{2019}'),
            Self::Fr => matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'),
        }
    }
}

/// The number times 10^4, rounded half away from zero; `None` if the text is not one number of that locale or has more than 14 digits
/// before the point.
///
/// Understood besides: a sign before or after, parentheses for negative numbers, a currency sign or three capital letters on either
/// side, and an exponent (`1.5E+3`). Thousands are separated everywhere or nowhere, and in threes: `12.5` is not a German number.
#[must_use]
pub fn parse_decimal(text: &str, locale: Locale) -> Option<i128> {
    if text.len() > LENGTH_MAX * 4 {
        return None;
    }
    let text = text.trim();
    let (text, in_parentheses) = match text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => (inner.trim(), true),
        None => (text, false),
    };
    let (text, before) = strip_sign(strip_currency(text), str::strip_prefix::<fn(char) -> bool>);
    let (text, after) = strip_sign(text, str::strip_suffix::<fn(char) -> bool>);
    let text = strip_currency(text);
    let signs = [in_parentheses.then_some(true), before, after];
    if signs.iter().flatten().count() > 1 {
        return None;
    }
    let is_negative = signs.into_iter().flatten().any(|is_negative| is_negative);
    let magnitude = parse_magnitude(text, locale)?;
    Some(if is_negative { -magnitude } else { magnitude })
}

/// Takes one sign off, and tells whether it was a minus.
fn strip_sign(text: &str, strip: impl for<'a> Fn(&'a str, fn(char) -> bool) -> Option<&'a str>) -> (&str, Option<bool>) {
    if let Some(rest) = strip(text, |c| c == '+') {
        (rest.trim(), Some(false))
    } else if let Some(rest) = strip(text, |c| matches!(c, '-' | '\u{2212}')) {
        (rest.trim(), Some(true))
    } else {
        (text, None)
    }
}

/// Takes one currency sign or ISO 4217 code off, on one side.
fn strip_currency(text: &str) -> &str {
    const SIGNS: [char; 4] = ['€', '$', '£', '¥'];
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(rest) = text.strip_prefix(SIGNS).or_else(|| text.strip_suffix(SIGNS)) {
        return rest.trim();
    }
    if let Some((code, rest)) = text.split_at_checked(3)
        && is_code(code)
    {
        return rest.trim_start();
    }
    if let Some((rest, code)) = text.len().checked_sub(3).and_then(|middle| text.split_at_checked(middle))
        && is_code(code)
    {
        return rest.trim_end();
    }
    text
}

fn parse_magnitude(text: &str, locale: Locale) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once(locale.point()).unwrap_or((mantissa, ""));
    let whole = without_groups(whole, locale)?;
    if whole.is_empty() && fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if mantissa.ends_with(locale.point()) {
        return None;
    }
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    scaled(&digits, point)
}

/// `+3`, `-12`, `05`: at most three digits.
fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// The digits before the point; `None` if there is anything but digits, or groups that are not of three.
fn without_groups(whole: &str, locale: Locale) -> Option<String> {
    let groups: Vec<&str> = whole.split(|c| locale.groups(c)).collect();
    let all_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let in_threes = groups.len() == 1 || (matches!(groups[0].len(), 1..=3) && groups[1..].iter().all(|group| group.len() == 3));
    (all_digits && in_threes).then(|| groups.concat())
}

/// `digits` with the decimal point after the first `point` of them, times 10^4, rounded half away from zero.
fn scaled(digits: &[u8], point: i32) -> Option<i128> {
    let kept = point.checked_add(i32::try_from(DECIMAL_SCALE).ok()?)?;
    let mut value: i128 = 0;
    if !digits.iter().any(|&digit| digit != 0) {
        return Some(0);
    }
    for position in 0..kept.max(0) {
        let digit = usize::try_from(position)
            .ok()
            .and_then(|position| digits.get(position))
            .copied()
            .unwrap_or(0);
        value = value * 10 + i128::from(digit);
        if value >= LIMIT {
            return None;
        }
    }
    let first_dropped = usize::try_from(kept).ok().and_then(|kept| digits.get(kept)).copied().unwrap_or(0);
    if first_dropped >= 5 {
        value += 1;
    }
    (value < LIMIT).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Locale; 4] = [Locale::De, Locale::En, Locale::Ch, Locale::Fr];

    /// A value in the locale's own spelling, with separators.
    fn spell(value: i128, locale: Locale) -> String {
        let (point, group) = match locale {
            Locale::De => (',', '.'),
            Locale::En => ('.', ','),
            Locale::Ch => ('.', '\''),
            Locale::Fr => (',', '\u{202f}'),
        };
        let whole = (value.abs() / 10_000).to_string();
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(group);
            }
            grouped.push(digit);
        }
        let sign = if value < 0 { "-" } else { "" };
        format!("{sign}{grouped}{point}{:04}", value.abs() % 10_000)
    }

    #[test]
    fn exports_write_numbers_in_many_ways() {
        for (text, locale, expected) in [
            ("1.234,56", Locale::De, 12_345_600),
            ("1234,56", Locale::De, 12_345_600),
            (" 1.234,56 € ", Locale::De, 12_345_600),
            ("€ 5", Locale::De, 50_000),
            ("-€5,5", Locale::De, -55_000),
            ("12,50-", Locale::De, -125_000),
            ("EUR 12,50", Locale::De, 125_000),
            ("12,50EUR", Locale::De, 125_000),
            ("1,234.56", Locale::En, 12_345_600),
            ("(1,234.56)", Locale::En, -12_345_600),
            ("$-3", Locale::En, -30_000),
            ("1.5E+3", Locale::En, 15_000_000),
            ("2e-5", Locale::En, 0),
            ("5e-5", Locale::En, 1),
            (".5", Locale::En, 5_000),
            ("1'234.5", Locale::Ch, 12_345_000),
            ("1’234’567", Locale::Ch, 12_345_670_000),
            ("1 234,5", Locale::Fr, 12_345_000),
            ("1\u{a0}234,5", Locale::Fr, 12_345_000),
            ("0,00005", Locale::De, 1),
            ("-0,00005", Locale::De, -1),
            ("0,000049", Locale::De, 0),
            ("99999999999999,9999", Locale::De, 999_999_999_999_999_999),
        ] {
            assert_eq!(parse_decimal(text, locale), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_number_of_the_locale_is_none() {
        for text in [
            "",
            " ",
            "-",
            ",",
            "1,",
            "12.5",
            "1.23.456",
            "1..234",
            "1,2,3",
            "abc",
            "1 234",
            "--1",
            "-1-",
            "(-1)",
            "1e",
            "1e+",
            "1e9999",
            "1%",
            "NaN",
            "inf",
            "١٢",
            "100000000000000",
            "99999999999999,99995",
            "1,2e400",
            "€",
            "EUR",
        ] {
            assert_eq!(parse_decimal(text, Locale::De), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            for locale in ALL {
                let _ = parse_decimal(&text, locale);
            }
        }

        #[test]
        fn texts_near_a_number_never_panic_nor_pass_the_limit(text in "[-+(]?[€$A-Z]{0,3}[0-9.,' \u{202f}eE-]{0,40}[)€-]?") {
            for locale in ALL {
                if let Some(value) = parse_decimal(&text, locale) {
                    prop_assert!(value.abs() < LIMIT);
                }
            }
        }

        #[test]
        fn every_value_survives_being_written(value in -(LIMIT - 1)..LIMIT) {
            for locale in ALL {
                prop_assert_eq!(parse_decimal(&spell(value, locale), locale), Some(value));
            }
        }
    }
}
