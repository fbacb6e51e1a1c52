//! Exact decimals that keep their scale, as a database server keeps them.
//!
//! A [`Decimal`] carries two lengths. The *declared scale* is what it shows: `1.50` has two digits, `10/3` has
//! four. The *stored fraction* is what it computes with: a quotient is stored in whole words of nine digits, so
//! `1/3*3` still knows `0.999999999` and shows `1.0000`, and `(100.00/120)*99/3` shows `27.4999999890`. Rounding
//! happens once, when the number is shown or rounded by name.
//!
//! Limits are the server's: nine words in all, so 81 digits before the point, a declared scale of 30; low words of
//! a fraction that does not fit are dropped, an integer part that does not fit is [`OutOfRange`].
//! Division by zero is an absent value, not an error. Floating point stays outside, in `expr`.

mod coef;

use coef::Coef;
use std::cmp::Ordering;
use std::fmt;

/// Digits of one stored word.
const WORD: u32 = 9;
/// Words a number may take, before and after the point together.
const WORDS: u32 = 9;
/// Digits before the point: what the server refuses, though a column of its tables takes 65.
const INTEGER_DIGITS: u32 = WORDS * WORD;
/// Digits after the point that can be declared.
pub const MAX_SCALE: u8 = 30;
/// Stored digits after the point: the declared limit and one, up to the end of its word.
const MAX_STORED: u32 = 36;
/// Digits a division adds to the declared scale of its dividend.
const DIVISION_ADDS: u8 = 4;

/// The integer part has more than 81 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

/// An exact decimal number; see the module for its two lengths.
#[derive(Clone, Debug)]
pub struct Decimal {
    coef: Coef,
    /// Digits after the point in `coef`.
    stored: u32,
    scale: u8,
}

/// Words that `digits` take.
fn words(digits: u32) -> u32 {
    digits.div_ceil(WORD)
}

fn narrow(scale: u32) -> u8 {
    u8::try_from(scale).map_or(MAX_SCALE, |scale| scale.min(MAX_SCALE))
}

impl Decimal {
    /// Zero without a fraction.
    pub const ZERO: Decimal = Decimal {
        coef: Coef::ZERO,
        stored: 0,
        scale: 0,
    };
    /// One without a fraction; also TRUE.
    pub const ONE: Decimal = Decimal {
        coef: Coef::Small(1),
        stored: 0,
        scale: 0,
    };

    /// Reads `-12.50`; no exponent, no blanks. Digits after the thirtieth are kept hidden as far as they fit.
    ///
    /// ```
    /// use dsl::decimal::Decimal;
    /// assert_eq!(Decimal::parse("1.50").unwrap().to_string(), "1.50");
    /// assert!(Decimal::parse("1e3").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Decimal> {
        let (number, rest) = Self::parse_prefix(text)?;
        rest.is_empty().then_some(number)
    }

    /// Reads the longest decimal at the start of `text` and gives back what follows it.
    /// `None` when there is no digit, or when the integer part is out of range.
    pub fn parse_prefix(text: &str) -> Option<(Decimal, &str)> {
        let bytes = text.as_bytes();
        let negative = bytes.first() == Some(&b'-');
        let start = usize::from(negative || bytes.first() == Some(&b'+'));
        let run = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = run(start);
        let point = start + whole;
        let fraction = if bytes.get(point) == Some(&b'.') {
            run(point + 1)
        } else {
            0
        };
        if whole + fraction == 0 {
            return None;
        }
        let end = if bytes.get(point) == Some(&b'.') {
            point + 1 + fraction
        } else {
            point
        };
        let kept = fraction.min(MAX_STORED as usize);
        let coef = if fraction == 0 {
            Coef::from_digits(&bytes[start..point])
        } else {
            let mut digits = Vec::with_capacity(whole + kept);
            digits.extend_from_slice(&bytes[start..point]);
            digits.extend_from_slice(&bytes[point + 1..point + 1 + kept]);
            Coef::from_digits(&digits)
        };
        let stored = u32::try_from(kept).ok()?;
        let coef = if negative { coef.neg() } else { coef };
        let number = Decimal {
            coef,
            stored,
            scale: narrow(stored),
        }
        .fitted()
        .ok()?;
        Some((number, &text[end..]))
    }

    /// Reads a JSON number, exponent included, without passing through floating point: `1.5E+3` is `1500`.
    /// `None` when it is none, or when it is too large or too small to be kept.
    pub fn parse_json(text: &str) -> Option<Decimal> {
        let Some(at) = text.find(['e', 'E']) else {
            return Self::parse(text);
        };
        let mantissa = Self::parse(&text[..at])?;
        let exponent: i32 = text[at + 1..].parse().ok()?;
        mantissa.times_power(exponent)
    }

    /// Times `10^exponent`, the scale moving with the point.
    fn times_power(&self, exponent: i32) -> Option<Decimal> {
        let by = exponent.unsigned_abs();
        if by > INTEGER_DIGITS + MAX_STORED {
            return self.is_zero().then_some(Decimal::ZERO);
        }
        let (coef, stored) = if exponent >= 0 {
            (
                self.coef.shift_up(by.saturating_sub(self.stored)),
                self.stored.saturating_sub(by),
            )
        } else {
            (self.coef.clone(), self.stored + by)
        };
        Decimal {
            coef,
            stored,
            scale: narrow(stored),
        }
        .fitted()
        .ok()
    }

    /// Drops low words that do not fit and refuses an integer part that is too long.
    fn fitted(self) -> Result<Decimal, OutOfRange> {
        let integer = self.integer_digits();
        if integer > INTEGER_DIGITS {
            return Err(OutOfRange);
        }
        let room = ((WORDS - words(integer)) * WORD).min(MAX_STORED);
        if self.stored <= room {
            return Ok(self);
        }
        let coef = self.coef.shift_down(self.stored - room);
        Ok(Decimal {
            coef,
            stored: room,
            scale: self.scale.min(narrow(room)),
        })
    }

    /// Digits after the point when shown.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Zero, whatever its scale.
    pub fn is_zero(&self) -> bool {
        self.coef.is_zero()
    }

    /// Below zero.
    pub fn is_negative(&self) -> bool {
        self.coef.is_negative()
    }

    fn aligned(&self, other: &Decimal) -> (Coef, Coef, u32) {
        let stored = self.stored.max(other.stored);
        (
            self.coef.shift_up(stored - self.stored),
            other.coef.shift_up(stored - other.stored),
            stored,
        )
    }

    /// The sum; shows as many digits as the longer operand.
    pub fn add(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        let (a, b, stored) = self.aligned(other);
        Decimal {
            coef: a.add(&b),
            stored,
            scale: self.scale.max(other.scale),
        }
        .fitted()
    }

    /// The difference; shows as many digits as the longer operand.
    pub fn sub(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        self.add(&other.neg())
    }

    /// The product; the scales add up. Words that the product has no room for are dropped from the operands, as the
    /// server does: of each as many, and one more of the longer fraction.
    pub fn mul(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        let scale = narrow(u32::from(self.scale) + u32::from(other.scale));
        let (mut a, mut b) = (words(self.stored), words(other.stored));
        let integer = words(self.integer_digits() + other.integer_digits());
        let over = (integer + a + b).saturating_sub(WORDS);
        if over > 0 && integer <= WORDS {
            let (less, more) = (over / 2, over - over / 2);
            let (from_a, from_b) = if a <= b { (less, more) } else { (more, less) };
            a = a.saturating_sub(from_a);
            b = b.saturating_sub(from_b);
        }
        let (x, y) = (self.shortened(a * WORD), other.shortened(b * WORD));
        Decimal {
            coef: x.coef.mul(&y.coef),
            stored: x.stored + y.stored,
            scale,
        }
        .fitted()
    }

    fn integer_digits(&self) -> u32 {
        self.coef.digits().saturating_sub(self.stored)
    }

    /// With so many stored digits at most.
    fn shortened(&self, stored: u32) -> Decimal {
        if self.stored <= stored {
            return self.clone();
        }
        Decimal {
            coef: self.coef.shift_down(self.stored - stored),
            stored,
            scale: self.scale,
        }
    }

    /// The quotient: four more digits than the dividend shows, whole words stored. `None` for division by zero.
    pub fn div(&self, other: &Decimal) -> Result<Option<Decimal>, OutOfRange> {
        let scale = self.scale.saturating_add(DIVISION_ADDS).min(MAX_SCALE);
        if other.is_zero() {
            return Ok(None);
        }
        if self.is_zero() {
            return Ok(Some(Decimal {
                coef: Coef::ZERO,
                stored: 0,
                scale,
            }));
        }
        let (a, b) = (words(self.stored) * WORD, words(other.stored) * WORD);
        // Filling the operands' last words already gives digits; only what is missing of the four is added.
        let filled = (a - self.stored) + (b - other.stored);
        let wanted = words(a + b + u32::from(DIVISION_ADDS).saturating_sub(filled)) * WORD;
        let integer =
            (self.coef.digits() + other.stored + 1).saturating_sub(other.coef.digits() + self.stored);
        let room = WORDS.saturating_sub(words(integer)) * WORD;
        let stored = wanted.min(room);
        // (x / 10^s) / (y / 10^o) * 10^stored = x * 10^(stored + o) / (y * 10^s)
        let dividend = self.coef.shift_up(stored + other.stored);
        let divisor = other.coef.shift_up(self.stored);
        let coef = dividend.div(&divisor).unwrap_or(Coef::ZERO);
        Decimal { coef, stored, scale }.fitted().map(Some)
    }

    /// The quotient without its fraction, towards zero. `None` for division by zero.
    pub fn int_div(&self, other: &Decimal) -> Result<Option<Decimal>, OutOfRange> {
        let (a, b, _) = self.aligned(other);
        match a.div(&b) {
            Some(coef) => Decimal {
                coef,
                stored: 0,
                scale: 0,
            }
            .fitted()
            .map(Some),
            None => Ok(None),
        }
    }

    /// What a division leaves, with the sign of the dividend. `None` for division by zero.
    pub fn rem(&self, other: &Decimal) -> Option<Decimal> {
        let (a, b, stored) = self.aligned(other);
        Some(Decimal {
            coef: a.rem(&b)?,
            stored,
            scale: self.scale.max(other.scale),
        })
    }

    /// The other sign.
    pub fn neg(&self) -> Decimal {
        Decimal {
            coef: self.coef.neg(),
            stored: self.stored,
            scale: self.scale,
        }
    }

    /// Without its sign.
    pub fn abs(&self) -> Decimal {
        if self.is_negative() {
            self.neg()
        } else {
            self.clone()
        }
    }

    /// Rounded to `places` digits after the point (before it when negative), a half away from zero.
    /// The result shows `places` digits.
    pub fn round(&self, places: i32) -> Result<Decimal, OutOfRange> {
        self.cut(places, Coef::shift_down_half_away)
    }

    /// Cut to `places` digits after the point (before it when negative).
    pub fn truncate(&self, places: i32) -> Result<Decimal, OutOfRange> {
        self.cut(places, Coef::shift_down)
    }

    fn cut(&self, places: i32, down: impl Fn(&Coef, u32) -> Coef) -> Result<Decimal, OutOfRange> {
        let Ok(places) = u32::try_from(places) else {
            let before = places.unsigned_abs();
            if before > INTEGER_DIGITS {
                return Ok(Decimal::ZERO);
            }
            let coef = down(&self.coef, self.stored + before).shift_up(before);
            return Decimal {
                coef,
                stored: 0,
                scale: 0,
            }
            .fitted();
        };
        let places = places.min(u32::from(MAX_SCALE));
        let coef = match self.stored.checked_sub(places) {
            Some(extra) => down(&self.coef, extra),
            None => self.coef.shift_up(places - self.stored),
        };
        Decimal {
            coef,
            stored: places,
            scale: narrow(places),
        }
        .fitted()
    }

    /// The largest whole number that is not above this one.
    pub fn floor(&self) -> Result<Decimal, OutOfRange> {
        let whole = self.truncate(0)?;
        if self.is_negative() && whole != *self {
            whole.sub(&Decimal::ONE)
        } else {
            Ok(whole)
        }
    }

    /// The smallest whole number that is not below this one.
    pub fn ceil(&self) -> Result<Decimal, OutOfRange> {
        self.neg().floor().map(|whole| whole.neg())
    }

    /// The nearest whole number, if it fits; a half is rounded away from zero.
    pub fn to_i64(&self) -> Option<i64> {
        self.coef
            .shift_down_half_away(self.stored)
            .to_i128()
            .and_then(|v| i64::try_from(v).ok())
    }

    /// The number itself, when it is whole and fits.
    pub fn to_i128(&self) -> Option<i128> {
        (self.stored == 0).then(|| self.coef.to_i128()).flatten()
    }

    /// The same number declared to show another number of digits; the stored digits stay.
    pub fn with_scale(mut self, scale: u8) -> Decimal {
        self.scale = scale.min(MAX_SCALE);
        self
    }

    /// The whole part and the first `digits` of the fraction as one integer: `1.5` with three is `1500`.
    /// The rest is cut off.
    pub fn to_scaled_i64(&self, digits: u8) -> Option<i64> {
        let digits = u32::from(digits);
        let coef = match self.stored.checked_sub(digits) {
            Some(extra) => self.coef.shift_down(extra),
            None => self.coef.shift_up(digits - self.stored),
        };
        coef.to_i128().and_then(|v| i64::try_from(v).ok())
    }

    /// An integer with a point put `scale` digits from its end: `from_scaled(1500, 3)` is `1.500`.
    pub fn from_scaled(value: impl Into<i128>, scale: u8) -> Decimal {
        let scale = scale.min(MAX_SCALE);
        Decimal {
            coef: Coef::Small(value.into()),
            stored: u32::from(scale),
            scale,
        }
    }

    /// All stored digits, the hidden ones included; trailing zeros beyond the declared scale are left out.
    pub fn to_full_string(&self) -> String {
        let mut text = self.digits_at(self.stored);
        if self.stored > u32::from(self.scale) {
            let shown = text.len() - (self.stored - u32::from(self.scale)) as usize;
            let kept = text.trim_end_matches('0').len().max(shown);
            text.truncate(kept);
            if text.ends_with('.') {
                text.pop();
            }
        }
        text
    }

    fn digits_at(&self, stored: u32) -> String {
        let digits = self.coef.to_string();
        let places = stored as usize;
        let mut text = String::with_capacity(digits.len().max(places + 1) + 2);
        if self.coef.is_negative() {
            text.push('-');
        }
        if places == 0 {
            text.push_str(&digits);
            return text;
        }
        let whole = digits.len().saturating_sub(places);
        text.push_str(if whole == 0 { "0" } else { &digits[..whole] });
        text.push('.');
        for _ in digits.len()..places {
            text.push('0');
        }
        text.push_str(&digits[whole..]);
        text
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Decimal {
        Decimal {
            coef: Coef::Small(i128::from(value)),
            stored: 0,
            scale: 0,
        }
    }
}

impl From<i128> for Decimal {
    fn from(value: i128) -> Decimal {
        Decimal {
            coef: Coef::Small(value),
            stored: 0,
            scale: 0,
        }
    }
}

impl From<bool> for Decimal {
    fn from(value: bool) -> Decimal {
        if value { Decimal::ONE } else { Decimal::ZERO }
    }
}

/// By number: `1.50` equals `1.5`. Hidden digits count.
impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        if self.stored == other.stored {
            return self.coef.cmp(&other.coef);
        }
        let (a, b, _) = self.aligned(other);
        a.cmp(&b)
    }
}

/// Rounded to the declared scale, a half away from zero; zero has no sign.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = u32::from(self.scale);
        let coef = match self.stored.checked_sub(scale) {
            Some(extra) => self.coef.shift_down_half_away(extra),
            None => self.coef.shift_up(scale - self.stored),
        };
        f.write_str(
            &Decimal {
                coef,
                stored: scale,
                scale: self.scale,
            }
            .digits_at(scale),
        )
    }
}

#[cfg(test)]
mod tests;
