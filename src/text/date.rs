//! Dates and times as exports write them.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};

/// A day. `format` is like `dd.mm.yyyy`, `yyyy-mm-dd`, `mm/dd/yy`, `yyyymmdd`, or `excel` (serial number). Zero dates give `None`.
#[must_use]
pub fn parse_date(text: &str, format: &str) -> Option<NaiveDate> {
    Format::parse(format)?.date(text)
}

/// An instant. `format` as above with `hh:mi:ss`, fractions and an offset (`+hh:mm`, `Z`); a text without offset is local time of `zone`.
/// `rfc3339`, `unix`, `unix_ms`, `unix_us` and `excel` are formats too.
///
/// A local time that does not exist (clocks went forward) is moved forward by the gap; one that exists twice means the earlier.
#[must_use]
pub fn parse_timestamp(text: &str, format: &str, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    Format::parse(format)?.timestamp(text, zone)
}

/// Whether a text is a date of zeros only, like `0000-00-00 00:00:00`: the way MySQL writes "none".
#[must_use]
pub fn is_zero(text: &str) -> bool {
    let text = text.trim();
    text.bytes().filter(|&byte| byte == b'0').count() >= 6
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0' | b'-' | b'.' | b'/' | b':' | b' ' | b'T' | b'Z' | b'+'))
}

/// A format, read once and used for many texts.
///
/// Made of `yyyy`, `yy` (30 to 99 mean 19yy, 00 to 29 mean 20yy, as spreadsheets do), `mm`, `mon` (English or German name of the month),
/// `dd`, `hh`, `mi`, `ss`, `am` (AM or PM), in any case, and what stands between them. After the last token of a format with a time, a
/// text may go on with a fraction of a second and an offset. Next to a separator, day, month and hour may have one digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Tokens(Vec<Token>),
    Excel,
    Unix { per_second: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Year,
    ShortYear,
    Month { digits_min: usize },
    MonthName,
    Day { digits_min: usize },
    Hour { digits_min: usize },
    Minute,
    Second,
    Meridiem,
    Space,
    Literal(char),
}

/// Longest text that is looked at, in bytes.
const LENGTH_MAX: usize = 64;

impl Format {
    /// Reads a format; `None` if it lacks year, month or day, or names one twice.
    #[must_use]
    pub fn parse(format: &str) -> Option<Self> {
        let lower = format.trim().to_lowercase();
        let kind = match lower.as_str() {
            "excel" => Kind::Excel,
            "unix" => Kind::Unix { per_second: 1 },
            "unix_ms" => Kind::Unix { per_second: 1_000 },
            "unix_us" => Kind::Unix { per_second: 1_000_000 },
            "rfc3339" => Kind::Tokens(tokens("yyyy-mm-dd hh:mi:ss")?),
            other => Kind::Tokens(tokens(other)?),
        };
        Some(Self(kind))
    }

    /// Whether texts of this format are plain numbers, so that zero is a value.
    #[must_use]
    pub fn is_number(&self) -> bool {
        !matches!(self.0, Kind::Tokens(_))
    }

    /// The day in a text; a time of day is read and dropped. `None` if the text does not fit, or for Unix times, which need a zone.
    #[must_use]
    pub fn date(&self, text: &str) -> Option<NaiveDate> {
        match &self.0 {
            Kind::Tokens(tokens) => read(text, tokens).map(|(local, _)| local.date()),
            Kind::Excel => excel(text).map(|local| local.date()),
            Kind::Unix { .. } => None,
        }
    }

    /// The instant in a text; local time of `zone` if the text has no offset. `None` if it does not fit.
    #[must_use]
    pub fn timestamp(&self, text: &str, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
        match &self.0 {
            Kind::Tokens(tokens) => match read(text, tokens)? {
                (local, Some(offset)) => in_range(offset.from_local_datetime(&local).single()?.to_utc()),
                (local, None) => in_range(resolve(local, zone)?),
            },
            Kind::Excel => in_range(resolve(excel(text)?, zone)?),
            Kind::Unix { per_second } => unix(text, *per_second),
        }
    }
}

/// The format's tokens; `None` if it is not one.
fn tokens(format: &str) -> Option<Vec<Token>> {
    const WORDS: [(&str, Token); 9] = [
        ("yyyy", Token::Year),
        ("yy", Token::ShortYear),
        ("mon", Token::MonthName),
        ("mm", Token::Month { digits_min: 2 }),
        ("mi", Token::Minute),
        ("dd", Token::Day { digits_min: 2 }),
        ("hh", Token::Hour { digits_min: 2 }),
        ("ss", Token::Second),
        ("am", Token::Meridiem),
    ];
    let mut found = Vec::new();
    let mut rest = format;
    while let Some(next) = rest.chars().next() {
        if let Some((word, token)) = WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            found.push(*token);
            rest = &rest[word.len()..];
            continue;
        }
        // Between day and time, `t` and a space mean each other.
        let is_t = next == 't' && rest[1..].starts_with("hh");
        if next.is_alphanumeric() && !is_t {
            return None;
        }
        if !(next.is_whitespace() && found.last() == Some(&Token::Space)) {
            found.push(if next.is_whitespace() || is_t {
                Token::Space
            } else {
                Token::Literal(next)
            });
        }
        rest = &rest[next.len_utf8()..];
    }
    let count = |is: fn(&Token) -> bool| found.iter().filter(|token| is(token)).count();
    let is_complete = count(|token| matches!(token, Token::Year | Token::ShortYear)) == 1
        && count(|token| matches!(token, Token::Month { .. } | Token::MonthName)) == 1
        && count(|token| matches!(token, Token::Day { .. })) == 1
        && count(|token| matches!(token, Token::Hour { .. })) <= 1
        && count(|token| matches!(token, Token::Minute)) <= 1
        && count(|token| matches!(token, Token::Second)) <= 1
        && count(|token| matches!(token, Token::Meridiem)) <= 1;
    if !is_complete {
        return None;
    }
    relax(&mut found);
    Some(found)
}

/// Lets day, month and hour have one digit where something other than a digit stands after them.
fn relax(tokens: &mut [Token]) {
    let is_apart = |token: Option<&Token>| {
        matches!(
            token,
            None | Some(Token::Literal(_) | Token::Space | Token::Meridiem | Token::MonthName)
        )
    };
    for index in 0..tokens.len() {
        let ends = is_apart(tokens.get(index + 1));
        let starts = index == 0 || is_apart(tokens.get(index - 1));
        if let (Token::Month { digits_min } | Token::Day { digits_min } | Token::Hour { digits_min }, true) =
            (&mut tokens[index], ends && starts)
        {
            *digits_min = 1;
        }
    }
}

#[derive(Default)]
struct Parts {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    is_pm: Option<bool>,
}

/// Local time, and the offset if the text has one.
fn read(text: &str, tokens: &[Token]) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let mut rest = text.trim();
    let mut parts = Parts::default();
    for token in tokens {
        rest = take(rest, *token, &mut parts)?;
    }
    let has_time = tokens.iter().any(|token| matches!(token, Token::Hour { .. }));
    let mut offset = None;
    if has_time {
        if tokens.last() == Some(&Token::Second) {
            rest = take_fraction(rest, &mut parts)?;
        }
        offset = take_offset(&mut rest)?;
    }
    if !rest.is_empty() {
        return None;
    }
    Some((local(&parts)?, offset))
}

fn local(parts: &Parts) -> Option<NaiveDateTime> {
    let hour = match parts.is_pm {
        None => parts.hour,
        Some(is_pm) if (1..=12).contains(&parts.hour) => parts.hour % 12 + if is_pm { 12 } else { 0 },
        Some(_) => return None,
    };
    // A leap second counts as the first of the next minute.
    let leap = parts.second == 60;
    let second = if leap { 59 } else { parts.second };
    let day = NaiveDate::from_ymd_opt(parts.year, parts.month, parts.day).filter(|_| (1..=9999).contains(&parts.year))?;
    let time = NaiveTime::from_hms_nano_opt(hour, parts.minute, second, if leap { 0 } else { parts.nanosecond })?;
    day.and_time(time).checked_add_signed(TimeDelta::seconds(i64::from(leap)))
}

fn take<'a>(rest: &'a str, token: Token, parts: &mut Parts) -> Option<&'a str> {
    let (number, rest) = match token {
        Token::Year => digits(rest, 4, 4)?,
        Token::Month { digits_min } | Token::Day { digits_min } | Token::Hour { digits_min } => digits(rest, digits_min, 2)?,
        Token::ShortYear | Token::Minute | Token::Second => digits(rest, 2, 2)?,
        Token::MonthName => month_name(rest)?,
        Token::Meridiem => meridiem(rest)?,
        Token::Space => (0, space(rest)?),
        Token::Literal(c) => (0, rest.strip_prefix(c)?),
    };
    match token {
        Token::Year => parts.year = i32::try_from(number).ok()?,
        Token::ShortYear => parts.year = i32::try_from(if number >= 30 { 1900 + number } else { 2000 + number }).ok()?,
        Token::Month { .. } | Token::MonthName => parts.month = number,
        Token::Day { .. } => parts.day = number,
        Token::Hour { .. } => parts.hour = number,
        Token::Minute => parts.minute = number,
        Token::Second => parts.second = number,
        Token::Meridiem => parts.is_pm = Some(number == 1),
        Token::Space | Token::Literal(_) => {}
    }
    Some(rest)
}

/// A number of `least` to `most` ASCII digits.
fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// White space, or the `T` of ISO 8601.
fn space(text: &str) -> Option<&str> {
    let trimmed = text.trim_start();
    if trimmed.len() < text.len() {
        return Some(trimmed);
    }
    text.strip_prefix(['T', 't'])
}

fn meridiem(text: &str) -> Option<(u32, &str)> {
    let (word, rest) = text.trim_start().split_at_checked(2)?;
    match word.to_ascii_lowercase().as_str() {
        "am" => Some((0, rest)),
        "pm" => Some((1, rest)),
        _ => None,
    }
}

/// Full or short name, with or without a dot.
fn month_name(text: &str) -> Option<(u32, &str)> {
    const NAMES: [&[&str]; 12] = [
        &["january", "januar", "jänner", "jan"],
        &["february", "februar", "feb"],
        &["march", "märz", "maerz", "mär", "mrz", "mar"],
        &["april", "apr"],
        &["may", "mai"],
        &["june", "juni", "jun"],
        &["july", "juli", "jul"],
        &["august", "aug"],
        &["september", "sept", "sep"],
        &["october", "oktober", "oct", "okt"],
        &["november", "nov"],
        &["december", "dezember", "dec", "dez"],
    ];
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let word = text[..end].to_lowercase();
    let month = NAMES.iter().position(|names| names.contains(&word.as_str()))?;
    let rest = &text[end..];
    Some((u32::try_from(month).ok()? + 1, rest.strip_prefix('.').unwrap_or(rest)))
}

/// `.123` or `,123456`; digits beyond the ninth are dropped.
fn take_fraction<'a>(rest: &'a str, parts: &mut Parts) -> Option<&'a str> {
    let Some(after) = rest.strip_prefix(['.', ',']) else {
        return Some(rest);
    };
    let length = after.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let nine: String = after[..length].chars().chain("000000000".chars()).take(9).collect();
    parts.nanosecond = nine.parse().ok()?;
    Some(&after[length..])
}

/// `Z`, `UTC`, `GMT`, `+02:00`, `+0200`, `+02`, maybe after a space. The outer `None` means a malformed one.
#[expect(clippy::option_option, reason = "malformed and absent are different answers")]
fn take_offset(rest: &mut &str) -> Option<Option<FixedOffset>> {
    let text = rest.trim();
    *rest = "";
    if text.is_empty() {
        return Some(None);
    }
    if ["z", "utc", "gmt"].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(Some(Utc.fix()));
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let unsigned = text.trim_start_matches(['+', '-', '\u{2212}']);
    let (hours, after) = digits(unsigned, 2, 2)?;
    let minutes = if after.is_empty() {
        0
    } else {
        match digits(after.strip_prefix(':').unwrap_or(after), 2, 2)? {
            (minutes @ 0..=59, "") => minutes,
            _ => return None,
        }
    };
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    FixedOffset::east_opt(sign * seconds).map(Some)
}

/// Local time to an instant: the earlier of two, and past a gap by its length.
fn resolve(local: NaiveDateTime, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    if let Some(instant) = zone.from_local_datetime(&local).earliest() {
        return Some(instant.to_utc());
    }
    // In a gap, the offset from before it moves the time past it. Samoa once skipped a whole day.
    [3, 27].into_iter().find_map(|hours| {
        let before = TimeDelta::hours(hours);
        let instant = zone.from_local_datetime(&local.checked_sub_signed(before)?).earliest()?;
        instant.to_utc().checked_add_signed(before)
    })
}

/// Years 1 to 9999: what every reader of Parquet understands.
fn in_range(instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    use chrono::Datelike;
    (1..=9999).contains(&instant.year()).then_some(instant)
}

/// A number with an optional fraction as (whole, nanoseconds ≥ 0), floored.
fn number(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    if text.len() > LENGTH_MAX {
        return None;
    }
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once(['.', ',']).unwrap_or((unsigned, "0"));
    let all_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let (whole, nanos): (i64, i64) = (whole.parse().ok()?, nine.parse().ok()?);
    match (is_negative, nanos) {
        (false, _) => Some((whole, nanos)),
        (true, 0) => Some((-whole, 0)),
        (true, _) => Some((-whole - 1, 1_000_000_000 - nanos)),
    }
}

/// Days since 1899-12-30 with a fraction. Spreadsheets believe in 29 February 1900 (serial 60): before it they are a day off.
fn excel(text: &str) -> Option<NaiveDateTime> {
    const LAST: i64 = 2_958_465;
    let (serial, nanos) = number(text)?;
    let base = match serial {
        1..=59 => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        61..=LAST => NaiveDate::from_ymd_opt(1899, 12, 30)?,
        _ => return None,
    };
    // Rounded to milliseconds: the fraction of a day is a float and 12:00:00 must not become 11:59:59.999.
    let milliseconds = (nanos * 864 + 5_000) / 10_000;
    base.checked_add_days(Days::new(serial.unsigned_abs()))?
        .and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::milliseconds(milliseconds))
}

fn unix(text: &str, per_second: i64) -> Option<DateTime<Utc>> {
    let (whole, nanos) = number(text)?;
    let unit_nanos = 1_000_000_000 / per_second;
    let rest = whole.rem_euclid(per_second) * unit_nanos + nanos / per_second;
    in_range(DateTime::from_timestamp(whole.div_euclid(per_second), u32::try_from(rest).ok()?)?)
}

#[cfg(test)]
mod tests;
