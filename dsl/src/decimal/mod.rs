//! Exact decimals that keep their scale, as a database server keeps them.
//!
//! A [`Decimal`] carries two lengths. The *declared scale* is what it shows: `1.50` has two digits, `10/3` has
//! four. The *stored fraction* is what it computes with: a quotient is stored in whole words of nine digits, so
//! `1/3*3` still knows `0.999999999` and shows `1.0000`, and `(100.00/120)*99/3` shows `27.4999999890`. Rounding
//! happens once, when the number is shown or rounded by name.
//!
//! A number takes nine words of nine digits, before and after the point together, and at most 30 digits can be
//! declared. What does not fit is treated as the server treats it: low words of a fraction are dropped, an integer
//! part that is too long is [`OutOfRange`]. The words a number takes are those the server would take for it, which
//! may be more than its digits need.
//! Division by zero is an absent value, not an error. Floating point stays outside, in `expr`.

mod coef;

use coef::Coef;
use std::cmp::Ordering;
use std::fmt;

/// Digits of one stored word.
const WORD: u32 = 9;
/// Words a number may take, before and after the point together.
const WORDS: u32 = 9;
/// Digits a number may have.
const DIGITS: u32 = WORD * WORDS;
/// Digits after the point that can be declared.
pub const MAX_SCALE: u8 = 30;
/// Digits after the point that a product counts; its last word is kept whole.
const PRODUCT_FRACTION: u32 = 39;
/// Digits a division adds to the declared scale of its dividend.
const DIVISION_ADDS: u8 = 4;

/// The integer part takes more than nine words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange;

/// An exact decimal number; see the module for its two lengths.
#[derive(Clone, Debug)]
pub struct Decimal {
    coef: Coef,
    /// Digits after the point in `coef`; at most the words of `fraction`.
    stored: u32,
    /// Digits after the point that count when the next result's words are reckoned.
    fraction: u32,
    /// Digits before the point that room is kept for; at least those there are.
    integer: u32,
    /// Digits after the point when shown.
    scale: u8,
}

/// Words that `digits` take.
fn words(digits: u32) -> u32 {
    digits.div_ceil(WORD)
}

/// Without the digits after the point that there is no room for.
fn dropped(coef: Coef, stored: u32, room: u32) -> (Coef, u32) {
    match stored.checked_sub(room) {
        Some(excess) if excess > 0 => (coef.shift_down(excess), room),
        _ => (coef, stored),
    }
}

fn narrow(scale: u32) -> u8 {
    u8::try_from(scale).map_or(MAX_SCALE, |scale| scale.min(MAX_SCALE))
}

impl Decimal {
    /// Zero without a fraction.
    pub const ZERO: Decimal = Decimal {
        coef: Coef::ZERO,
        stored: 0,
        fraction: 0,
        integer: 1,
        scale: 0,
    };
    /// One without a fraction; also TRUE.
    pub const ONE: Decimal = Decimal {
        coef: Coef::Small(1),
        stored: 0,
        fraction: 0,
        integer: 1,
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
        // Zeros in front take no words of their own.
        let zeros = bytes[start..point].iter().take_while(|b| **b == b'0').count();
        let whole = whole - zeros.min(whole.saturating_sub(WORD as usize));
        let integer = u32::try_from(whole).ok().filter(|integer| *integer <= DIGITS)?;
        let room = (WORDS - words(integer)) * WORD;
        let stored = u32::try_from(fraction).map_or(room, |fraction| fraction.min(room));
        let kept = point + 1 + stored as usize;
        let coef = if stored == 0 {
            Coef::from_digits(&bytes[start..point])
        } else {
            let mut digits = Vec::with_capacity(whole + stored as usize);
            digits.extend_from_slice(&bytes[start..point]);
            digits.extend_from_slice(&bytes[point + 1..kept]);
            Coef::from_digits(&digits)
        };
        let number = Decimal {
            coef: if negative { coef.neg() } else { coef },
            stored,
            fraction: stored,
            integer,
            scale: narrow(stored),
        };
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
        if by > DIGITS {
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
        Decimal::exact(coef, stored).ok()
    }

    /// A number by its digits alone; low words that do not fit are dropped.
    fn exact(coef: Coef, stored: u32) -> Result<Decimal, OutOfRange> {
        let integer = coef.digits().saturating_sub(stored);
        if integer > DIGITS {
            return Err(OutOfRange);
        }
        let room = (WORDS - words(integer)) * WORD;
        let scale = narrow(stored);
        let (coef, stored) = dropped(coef, stored, room);
        Ok(Decimal {
            coef,
            stored,
            fraction: stored,
            integer,
            scale,
        })
    }

    /// Digits after the point when shown.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// Rounded to the digits that are shown; `None` when it shows all it has.
    pub fn shown(&self) -> Option<Decimal> {
        (self.stored > u32::from(self.scale))
            .then(|| self.round(i32::from(self.scale)).ok())
            .flatten()
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

    /// Digits before the point that are there.
    fn before(&self) -> u32 {
        self.coef.digits().saturating_sub(self.stored)
    }

    /// The sum; shows as many digits as the longer operand.
    pub fn add(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        let scale = self.scale.max(other.scale);
        let (a, b, stored) = self.aligned(other);
        let coef = a.add(&b);
        let integer = if self.is_negative() == other.is_negative() {
            let room = words(self.integer.max(other.integer));
            // A carry takes another word.
            room + u32::from(coef.has_digits_beyond(stored + room * WORD))
        } else if coef.is_zero() {
            return Ok(Decimal::ZERO.with_scale(scale));
        } else {
            words(self.before().max(other.before()))
        };
        if integer > WORDS {
            return Err(OutOfRange);
        }
        let fraction = self.fraction.max(other.fraction);
        let room = (WORDS - integer) * WORD;
        let (coef, stored) = if words(fraction) * WORD > room {
            // Low words are dropped before the sum is made.
            let (a, _) = dropped(a, stored, room);
            let (b, _) = dropped(b, stored, room);
            (a.add(&b), stored.min(room))
        } else {
            (coef, stored)
        };
        Ok(Decimal {
            coef,
            stored,
            fraction: fraction.min(room),
            integer: integer * WORD,
            scale,
        })
    }

    /// The difference; shows as many digits as the longer operand.
    pub fn sub(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        self.add(&other.neg())
    }

    /// The product; the scales add up.
    pub fn mul(&self, other: &Decimal) -> Result<Decimal, OutOfRange> {
        let scale = narrow(u32::from(self.scale) + u32::from(other.scale));
        let integer = words(self.integer + other.integer);
        if integer > WORDS {
            return Err(OutOfRange);
        }
        let (mut coef, mut stored) = (self.coef.mul(&other.coef), self.stored + other.stored);
        let mut fraction = (self.fraction + other.fraction).min(PRODUCT_FRACTION);
        let room = WORDS - integer;
        let excess = (words(self.fraction) + words(other.fraction)).saturating_sub(room);
        if excess > 0 {
            let (mine, others) = self.shared_words(other, excess);
            coef = self.whole_words(mine).mul(&other.whole_words(others));
            stored = room * WORD;
            fraction = fraction.min(stored);
        }
        if coef.is_zero() && self.is_negative() != other.is_negative() {
            return Ok(Decimal::ZERO.with_scale(scale));
        }
        let (coef, stored) = dropped(coef, stored, words(fraction) * WORD);
        let before = coef.digits().saturating_sub(stored);
        Ok(Decimal {
            coef,
            stored,
            fraction,
            integer: if integer == 0 {
                0
            } else {
                words(before).max(1) * WORD
            },
            scale,
        })
    }

    /// How many words after the point two factors keep when `excess` have to go: words that are zero go first, even
    /// before the point; then those of the longer fraction, and of two that are as long the smaller last word.
    fn shared_words(&self, other: &Decimal, excess: u32) -> (i64, i64) {
        let (mut mine, mut others) = (i64::from(words(self.fraction)), i64::from(words(other.fraction)));
        for _ in 0..excess {
            let (a, b) = (self.last_word(mine), other.last_word(others));
            let drop_mine = if a.is_zero() || b.is_zero() {
                a.is_zero()
            } else if mine <= 0 || others <= 0 {
                others <= 0
            } else {
                mine.cmp(&others).then_with(|| b.cmp(&a)).is_ge()
            };
            if drop_mine {
                mine -= 1;
            } else {
                others -= 1;
            }
        }
        (mine, others)
    }

    /// The last of so many words after the point, without its sign.
    fn last_word(&self, count: i64) -> Coef {
        let digits = self.whole_words(count);
        let rest = digits.shift_down(WORD).shift_up(WORD).neg();
        let word = digits.add(&rest);
        if word.is_negative() { word.neg() } else { word }
    }

    /// The digits with so many words after the point; fewer than none are words before it that are left out.
    fn whole_words(&self, count: i64) -> Coef {
        let excess = i64::from(self.stored) - count * i64::from(WORD);
        match u32::try_from(excess) {
            Ok(excess) => self.coef.shift_down(excess),
            Err(_) => self.coef.shift_up(u32::try_from(-excess).unwrap_or(0)),
        }
    }

    /// The quotient: four more digits than the dividend shows, whole words stored. `None` for division by zero.
    pub fn div(&self, other: &Decimal) -> Result<Option<Decimal>, OutOfRange> {
        let scale = self.scale.saturating_add(DIVISION_ADDS).min(MAX_SCALE);
        if other.is_zero() {
            return Ok(None);
        }
        if self.is_zero() {
            return Ok(Some(Decimal::ZERO.with_scale(scale)));
        }
        let (a, b) = (words(self.fraction) * WORD, words(other.fraction) * WORD);
        // Filling the operands' last words already gives digits; only what is missing of the four is added.
        let filled = (a - self.fraction) + (b - other.fraction);
        let wanted = words(a + b + u32::from(DIVISION_ADDS).saturating_sub(filled));
        let (mine, others) = (self.magnitude(), other.magnitude());
        let longer = mine - others + i64::from(self.first_word(mine).cmp(&other.first_word(others)).is_ge());
        let integer = words(u32::try_from(longer).unwrap_or(0));
        if integer > WORDS {
            return Err(OutOfRange);
        }
        let stored = wanted.min(WORDS - integer) * WORD;
        // (x / 10^s) / (y / 10^o) * 10^stored = x * 10^(stored + o) / (y * 10^s)
        let dividend = self.coef.shift_up(stored + other.stored);
        let divisor = other.coef.shift_up(self.stored);
        Ok(Some(Decimal {
            coef: dividend.div(&divisor).unwrap_or(Coef::ZERO),
            stored,
            fraction: stored,
            integer: integer * WORD,
            scale,
        }))
    }

    /// How far before the point the first digit stands: 2 for `12.5`, -1 for `0.05`.
    fn magnitude(&self) -> i64 {
        i64::from(self.coef.digits()) - i64::from(self.stored)
    }

    /// The stored word that begins with the first digit.
    fn first_word(&self, magnitude: i64) -> Coef {
        let lowest = (magnitude - 1).div_euclid(i64::from(WORD)) * i64::from(WORD);
        let at = i64::from(self.stored) + lowest;
        let word = match u32::try_from(at) {
            Ok(down) => self.coef.shift_down(down),
            Err(_) => self.coef.shift_up(u32::try_from(-at).unwrap_or(0)),
        };
        if word.is_negative() { word.neg() } else { word }
    }

    /// The quotient without its fraction, towards zero. `None` for division by zero.
    pub fn int_div(&self, other: &Decimal) -> Result<Option<Decimal>, OutOfRange> {
        let (a, b, _) = self.aligned(other);
        match a.div(&b) {
            Some(coef) => Decimal::exact(coef, 0).map(Some),
            None => Ok(None),
        }
    }

    /// What a division leaves, with the sign of the dividend. `None` for division by zero.
    pub fn rem(&self, other: &Decimal) -> Option<Decimal> {
        let (a, b, stored) = self.aligned(other);
        let coef = a.rem(&b)?;
        let integer = words(coef.digits().saturating_sub(stored)) * WORD;
        Some(Decimal {
            coef,
            stored,
            fraction: self.fraction.max(other.fraction),
            integer: integer.min(other.integer),
            scale: self.scale.max(other.scale),
        })
    }

    /// The other sign.
    pub fn neg(&self) -> Decimal {
        Decimal {
            coef: self.coef.neg(),
            ..*self
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
            if before > self.integer {
                return Ok(Decimal::ZERO);
            }
            let coef = down(&self.coef, self.stored + before).shift_up(before);
            return self.cut_to(coef, 0, 0);
        };
        let scale = narrow(places);
        let places = places.min(u32::from(MAX_SCALE)).min(self.room());
        if places >= self.fraction {
            return Ok(Decimal {
                fraction: places,
                scale,
                ..self.clone()
            });
        }
        match self.stored.checked_sub(places) {
            Some(extra) => self.cut_to(down(&self.coef, extra), places, scale),
            None => Ok(Decimal {
                fraction: places,
                scale,
                ..self.clone()
            }),
        }
    }

    /// Digits that there is room for behind the integer part.
    fn room(&self) -> u32 {
        (WORDS - words(self.integer)) * WORD
    }

    fn cut_to(&self, coef: Coef, stored: u32, scale: u8) -> Result<Decimal, OutOfRange> {
        let integer = if coef.is_zero() {
            1
        } else {
            self.integer.max(coef.digits().saturating_sub(stored))
        };
        if words(integer) > WORDS {
            return Err(OutOfRange);
        }
        Ok(Decimal {
            coef,
            stored,
            fraction: stored,
            integer,
            scale,
        })
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
        let coef = Coef::Small(value.into());
        Decimal {
            integer: coef.digits().saturating_sub(u32::from(scale)),
            coef,
            stored: u32::from(scale),
            fraction: u32::from(scale),
            scale,
        }
    }

    /// All stored digits, the hidden ones included; trailing zeros beyond the declared scale are left out.
    pub fn to_full_string(&self) -> String {
        let mut text = digits_at(&self.coef, self.stored);
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
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Decimal {
        Decimal::from(i128::from(value))
    }
}

impl From<i128> for Decimal {
    fn from(value: i128) -> Decimal {
        let coef = Coef::Small(value);
        Decimal {
            integer: coef.digits().max(1),
            coef,
            stored: 0,
            fraction: 0,
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

/// Rounded to the declared scale as far as there is room for it, a half away from zero; zero has no sign.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = u32::from(self.scale).min(self.room());
        let coef = match self.stored.checked_sub(scale) {
            Some(extra) => self.coef.shift_down_half_away(extra),
            None => self.coef.shift_up(scale - self.stored),
        };
        f.write_str(&digits_at(&coef, scale))
    }
}

/// The digits with a point put `stored` digits from their end.
fn digits_at(coef: &Coef, stored: u32) -> String {
    let digits = coef.to_string();
    let places = stored as usize;
    let mut text = String::with_capacity(digits.len().max(places + 1) + 2);
    if coef.is_negative() {
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

#[cfg(test)]
mod tests;
