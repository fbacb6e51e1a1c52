//! `CAST` and `CONVERT`. What would not fit the type fails: the server would put the nearest value that fits and
//! leave a warning that nobody reads.

use std::borrow::Cow;

use super::ast::Cast;
use super::run::Run;
use super::sql::{Double, Int, Sql, exact_prefix};
use super::time;
use crate::catalogue::evaluation;
use crate::decimal::{Decimal, OutOfRange};
use crate::diagnostic::Failure;

/// Turns a value into the type; NULL stays NULL, and what is no day or time becomes NULL.
pub(super) fn cast<'a>(run: &Run<'a>, value: Sql<'a>, to: Cast) -> Result<Sql<'a>, Failure> {
    if value.is_null() {
        return Ok(Sql::Null);
    }
    Ok(match to {
        Cast::Char(length) => Sql::text(characters(value, length)?),
        Cast::Bytes(length) => bytes(run, &value, length)?,
        Cast::Double => value
            .to_num()
            .map_or(Sql::Null, |number| Sql::Double(Double::new(number.to_f64()))),
        Cast::Decimal { digits, scale } => Sql::Decimal(decimal(&value, digits, scale)?),
        Cast::Signed => Sql::Int(signed(&value)?),
        Cast::Unsigned => Sql::Int(unsigned(&value)?),
        Cast::Date => run.time(&value).map_or(Sql::Null, |at| Sql::Date(at.date)),
        Cast::Time(fraction) => run
            .clock(&value)
            .map_or(Sql::Null, |at| Sql::Time(at.with_fraction(fraction))),
        Cast::DateTime(fraction) => run.time(&value).map_or(Sql::Null, |at| {
            Sql::DateTime(time::DateTime::with_fraction(at, fraction))
        }),
    })
}

fn unfit(value: &Sql<'_>, want: impl std::fmt::Display) -> Failure {
    Failure::new(&evaluation::CAST_DOES_NOT_FIT)
        .with("value", value.to_text().unwrap_or_default())
        .with("want", want)
}

fn characters(value: Sql<'_>, length: Option<usize>) -> Result<String, Failure> {
    if let Sql::Bytes(bytes) = &value
        && std::str::from_utf8(bytes).is_err()
    {
        return Err(Failure::new(&evaluation::BYTES_ARE_NO_TEXT));
    }
    let text = value.to_text().unwrap_or_default();
    let end = length.and_then(|length| text.char_indices().nth(length));
    Ok(text[..end.map_or(text.len(), |(at, _)| at)].to_owned())
}

/// Filled up with zero bytes, or cut.
fn bytes<'a>(run: &Run<'_>, value: &Sql<'a>, length: Option<usize>) -> Result<Sql<'a>, Failure> {
    let mut bytes = value.to_bytes().unwrap_or_default().into_owned();
    if let Some(length) = length {
        run.within(length, "BINARY")?;
        bytes.resize(length, 0);
    }
    Ok(Sql::Bytes(Cow::Owned(bytes)))
}

fn decimal(value: &Sql<'_>, digits: u8, scale: u8) -> Result<Decimal, Failure> {
    let number = match value {
        // Bytes that spell a number are read as exactly as text is.
        Sql::Bytes(bytes) => exact_prefix(&String::from_utf8_lossy(bytes)).to_decimal(),
        other => other.to_decimal().unwrap_or(Decimal::ZERO),
    };
    let want = || unfit(value, format_args!("DECIMAL({digits},{scale})"));
    let rounded = number.round(i32::from(scale)).map_err(|OutOfRange| want())?;
    let whole = rounded
        .truncate(0)
        .map_err(|OutOfRange| want())?
        .abs()
        .to_string();
    let room = usize::from(digits.saturating_sub(scale));
    if whole.trim_start_matches('0').len() > room {
        return Err(want());
    }
    Ok(rounded)
}

/// The whole number as it is meant, whatever fits: text by its leading integer, an exact number rounded a half away
/// from zero, floating point to the even side, a time without its fraction.
fn whole(value: &Sql<'_>) -> Option<i128> {
    match value {
        Sql::Int(int) => Some(int.wide()),
        Sql::Text(_) | Sql::Bytes(_) => {
            let text = value.to_text()?;
            let digits = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
            let sign = usize::from(digits.starts_with(['-', '+']));
            let end = sign + digits[sign..].bytes().take_while(u8::is_ascii_digit).count();
            if end == sign {
                Some(0)
            } else {
                digits[..end].parse().ok()
            }
        }
        Sql::Double(double) => double.to_whole(),
        Sql::Date(_) | Sql::Time(_) | Sql::DateTime(_) => value.to_decimal()?.truncate(0).ok()?.to_i128(),
        other => other.to_decimal()?.round(0).ok()?.to_i128(),
    }
}

fn signed(value: &Sql<'_>) -> Result<Int, Failure> {
    whole(value)
        .and_then(|number| Int::fit(number, false))
        .ok_or_else(|| unfit(value, "SIGNED"))
}

/// The server turns a negative number into its complement, 18446744073709551615 for -1, and a large unsigned one
/// into a negative one; that fits nobody's field.
fn unsigned(value: &Sql<'_>) -> Result<Int, Failure> {
    whole(value)
        .and_then(|number| Int::fit(number, true))
        .ok_or_else(|| unfit(value, "UNSIGNED"))
}
