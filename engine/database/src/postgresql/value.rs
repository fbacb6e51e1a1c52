//! Values of PostgreSQL from their binary form, digit by digit.

use jiff::Timestamp;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::cell::{Cell, fraction};

/// Bytes as they came; `None` is NULL.
pub(super) struct Raw<'a>(pub(super) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_ty: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }
}

/// Microseconds from 1970 to 2000, where this database begins to count.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// A value of this type; `None` for a type that has no form here.
pub(super) fn cell(ty: &Type, raw: Option<&[u8]>) -> Option<Cell> {
    let Some(raw) = raw else { return Some(Cell::Null) };
    match ty.kind() {
        Kind::Domain(inner) => return cell(inner, Some(raw)),
        Kind::Enum(_) => return text(raw),
        _ => {}
    }
    match *ty {
        Type::BOOL => Some(Cell::Bool(raw != [0])),
        Type::INT2 => Some(Cell::Number(i16::from_be_bytes(raw.try_into().ok()?).to_string())),
        Type::INT4 => Some(Cell::Number(i32::from_be_bytes(raw.try_into().ok()?).to_string())),
        Type::INT8 => Some(Cell::Number(i64::from_be_bytes(raw.try_into().ok()?).to_string())),
        Type::OID => Some(Cell::Number(u32::from_be_bytes(raw.try_into().ok()?).to_string())),
        Type::FLOAT4 => Some(Cell::short_float(f32::from_be_bytes(raw.try_into().ok()?))),
        Type::FLOAT8 => Some(Cell::float(f64::from_be_bytes(raw.try_into().ok()?))),
        Type::NUMERIC => numeric(raw).map(Cell::decimal),
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::CHAR
        | Type::JSON
        | Type::XML
        | Type::UNKNOWN => text(raw),
        Type::JSONB => text(raw.strip_prefix(&[1])?),
        Type::UUID => uuid(raw),
        Type::BYTEA => Some(Cell::Bytes(raw.to_vec())),
        Type::DATE => date(i32::from_be_bytes(raw.try_into().ok()?)),
        Type::TIME => time(i64::from_be_bytes(raw.try_into().ok()?)).map(Cell::Text),
        Type::TIMESTAMP => clock(i64::from_be_bytes(raw.try_into().ok()?)),
        Type::TIMESTAMPTZ => moment(i64::from_be_bytes(raw.try_into().ok()?)),
        // Types of extensions that are texts on the wire.
        _ if ["citext", "ltree"].contains(&ty.name()) => text(raw),
        _ => None,
    }
}

fn text(raw: &[u8]) -> Option<Cell> {
    Some(Cell::Text(std::str::from_utf8(raw).ok()?.to_owned()))
}

fn uuid(raw: &[u8]) -> Option<Cell> {
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    (hex.len() == 32)
        .then(|| Cell::Text([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")))
}

/// Groups of four digits, a weight, a sign and a scale.
fn numeric(raw: &[u8]) -> Option<String> {
    let word = |nth: usize| {
        Some(i16::from_be_bytes(
            raw.get(nth * 2..nth * 2 + 2)?.try_into().ok()?,
        ))
    };
    let (groups, weight, sign, scale) = (usize::try_from(word(0)?).ok()?, word(1)?, word(2)?, word(3)?);
    let sign = match sign.to_be_bytes() {
        [0x00, 0x00] => "",
        [0x40, 0x00] => "-",
        [0xC0, 0x00] => return Some("NaN".to_owned()),
        [0xD0, 0x00] => return Some("Infinity".to_owned()),
        [0xF0, 0x00] => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let digit = |at: i32| -> Option<i16> {
        match usize::try_from(at).ok().filter(|at| *at < groups) {
            Some(at) => word(4 + at),
            None => Some(0),
        }
    };
    let weight = i32::from(weight);
    let mut whole = String::new();
    for at in 0..=weight {
        let group = digit(at)?;
        match whole.is_empty() {
            true if group == 0 => {}
            true => whole = group.to_string(),
            false => whole += &format!("{group:04}"),
        }
    }
    if whole.is_empty() {
        whole.push('0');
    }
    let scale = usize::try_from(scale).ok()?;
    let mut decimals = String::new();
    let mut at = weight + 1;
    while decimals.len() < scale {
        // Groups before the first one are zeros.
        decimals += &format!("{:04}", if at < 0 { 0 } else { digit(at)? });
        at += 1;
    }
    decimals.truncate(scale);
    let point = if scale > 0 { "." } else { "" };
    Some(format!("{sign}{whole}{point}{decimals}"))
}

fn date(days: i32) -> Option<Cell> {
    match days {
        i32::MAX => return Some(Cell::Text("infinity".to_owned())),
        i32::MIN => return Some(Cell::Text("-infinity".to_owned())),
        _ => {}
    }
    let first = jiff::civil::date(2000, 1, 1);
    let day = first
        .checked_add(jiff::Span::new().try_days(i64::from(days)).ok()?)
        .ok()?;
    Some(Cell::Text(day.to_string()))
}

fn time(micros: i64) -> Option<String> {
    let seconds = micros.div_euclid(1_000_000);
    let rest = u32::try_from(micros.rem_euclid(1_000_000)).ok()?;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Some(format!(
        "{hours:02}:{minutes:02}:{:02}{}",
        seconds % 60,
        fraction(rest * 1000)
    ))
}

/// A clock's text without zone.
fn clock(micros: i64) -> Option<Cell> {
    if let Some(text) = endless(micros) {
        return Some(text);
    }
    let days = i32::try_from(micros.div_euclid(DAY_MICROS)).ok()?;
    let Cell::Text(day) = date(days)? else { return None };
    Some(Cell::Text(format!(
        "{day} {}",
        time(micros.rem_euclid(DAY_MICROS))?
    )))
}

fn moment(micros: i64) -> Option<Cell> {
    if let Some(text) = endless(micros) {
        return Some(text);
    }
    Timestamp::from_microsecond(micros.checked_add(EPOCH_MICROS)?)
        .ok()
        .map(Cell::Moment)
}

fn endless(micros: i64) -> Option<Cell> {
    match micros {
        i64::MAX => Some(Cell::Text("infinity".to_owned())),
        i64::MIN => Some(Cell::Text("-infinity".to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(words: &[i32]) -> Vec<u8> {
        words
            .iter()
            .flat_map(|word| u16::try_from(word & 0xFFFF).expect("a word").to_be_bytes())
            .collect()
    }

    /// Groups, weight, sign, scale, then the groups.
    #[test]
    fn decimals_keep_their_digits() {
        for (words, want) in [
            (&[1, 0, 0, 2, 0x0013][..], "19.00"),
            (&[2, 0, 0, 2, 19, 9000], "19.90"),
            (&[2, 0, 0x4000, 4, 1, 5], "-1.0005"),
            (&[1, -1, 0, 4, 5], "0.0005"),
            (&[1, -2, 0, 8, 1234], "0.00001234"),
            (&[3, 2, 0, 0, 1, 0, 2], "100000002"),
            (&[1, 1, 0, 0, 12], "120000"),
            (&[0, 0, 0, 3], "0.000"),
            (&[0, 0, 0xC000, 0], "NaN"),
        ] {
            assert_eq!(numeric(&raw(words)).as_deref(), Some(want), "{words:?}");
        }
        assert_eq!(numeric(&[0, 9]), None);
    }

    #[test]
    fn times_without_zone() {
        for (micros, want) in [
            (0, "2000-01-01 00:00:00"),
            (-1, "1999-12-31 23:59:59.999999"),
            (843_264_000_250_000, "2026-09-21 00:00:00.25"),
            (i64::MAX, "infinity"),
        ] {
            assert_eq!(clock(micros), Some(Cell::Text(want.to_owned())), "{micros}");
        }
    }
}
