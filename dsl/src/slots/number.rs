//! Exact numbers as one machine integer and a scale, as long as they are so small that every rule of
//! [`crate::decimal`] about words and room comes to plain arithmetic.
//!
//! Up to eighteen digits take two words before the point and two behind it, so that a sum, a difference and a product
//! of two such numbers find room for all of their digits: nothing is dropped, and the scale is all that is left of the
//! rules. What leaves these bounds is `None`: the expression is then computed as ever.

use std::cmp::Ordering;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Num {
    /// A whole number.
    Int(i64),
    /// A decimal: digits, and how many of them stand behind the point.
    Dec(i64, u8),
}

/// Digits of a number at most.
const DIGITS: usize = 18;
/// The first number with more.
const LIMIT: i128 = 10i128.pow(18);
/// Digits behind the point at most.
pub(super) const SCALE: u8 = 18;

impl Num {
    /// Reads `-12.50`: digits, and a point between them. Anything else is for somebody else to read.
    pub(super) fn parse(text: &str) -> Option<Num> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if digits.len() > DIGITS + 1 {
            return None;
        }
        let (mut value, mut point) = (0i64, None);
        for (at, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() && at > 0 => point = Some(at),
                _ => return None,
            }
            // Nineteen digits may not fit; they do not get any further.
            if at == DIGITS && point.is_none() {
                return None;
            }
        }
        let value = if negative { -value } else { value };
        match point {
            None if digits.is_empty() => None,
            None => Some(Num::Int(value)),
            Some(at) if at + 1 == digits.len() => None,
            Some(at) => Some(Num::Dec(value, u8::try_from(digits.len() - at - 1).ok()?)),
        }
    }

    /// As a decimal.
    fn parts(self) -> Option<(i128, u8)> {
        match self {
            Num::Int(value) if i128::from(value).abs() < LIMIT => Some((i128::from(value), 0)),
            Num::Int(_) => None,
            Num::Dec(value, scale) => Some((i128::from(value), scale)),
        }
    }

    fn made(value: i128, scale: u8) -> Option<Num> {
        let fits = value.abs() < LIMIT && scale <= SCALE;
        fits.then(|| i64::try_from(value).ok().map(|value| Num::Dec(value, scale)))
            .flatten()
    }

    fn aligned(self, other: Num) -> Option<(i128, i128, u8)> {
        let ((a, s), (b, t)) = (self.parts()?, other.parts()?);
        let scale = s.max(t);
        Some((a * power(scale - s), b * power(scale - t), scale))
    }

    pub(super) fn add(self, other: Num) -> Option<Num> {
        if let (Num::Int(a), Num::Int(b)) = (self, other) {
            return a.checked_add(b).map(Num::Int);
        }
        let (a, b, scale) = self.aligned(other)?;
        Num::made(a + b, scale)
    }

    pub(super) fn sub(self, other: Num) -> Option<Num> {
        if let (Num::Int(a), Num::Int(b)) = (self, other) {
            return a.checked_sub(b).map(Num::Int);
        }
        let (a, b, scale) = self.aligned(other)?;
        Num::made(a - b, scale)
    }

    pub(super) fn mul(self, other: Num) -> Option<Num> {
        if let (Num::Int(a), Num::Int(b)) = (self, other) {
            return a.checked_mul(b).map(Num::Int);
        }
        let ((a, s), (b, t)) = (self.parts()?, other.parts()?);
        Num::made(a * b, s + t)
    }

    pub(super) fn neg(self) -> Option<Num> {
        Some(match self {
            Num::Int(value) => Num::Int(value.checked_neg()?),
            Num::Dec(value, scale) => Num::Dec(-value, scale),
        })
    }

    /// Rounded to so many digits behind the point, a half away from zero; a whole number stays one.
    pub(super) fn round(self, places: u8) -> Option<Num> {
        let (value, scale) = match self {
            Num::Int(_) => return Some(self),
            Num::Dec(value, scale) => (i128::from(value), scale),
        };
        if places == scale {
            return Some(self);
        }
        if places > scale {
            return Num::made(value * power(places - scale), places);
        }
        let by = power(scale - places);
        let whole = (value.abs() + by / 2) / by;
        Num::made(whole * value.signum(), places)
    }

    pub(super) fn is_zero(self) -> bool {
        matches!(self, Num::Int(0) | Num::Dec(0, _))
    }

    pub(super) fn compare(self, other: Num) -> Option<Ordering> {
        if let (Num::Int(a), Num::Int(b)) = (self, other) {
            return Some(a.cmp(&b));
        }
        let (a, b, _) = self.aligned(other)?;
        Some(a.cmp(&b))
    }

    /// Its digits.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        // Longest is a sign, a zero, a point and eighteen digits, or nineteen digits and a sign.
        let mut digits = [0; 24];
        let (value, scale) = match self {
            Num::Int(value) => (value, 0),
            Num::Dec(value, scale) => (value, usize::from(scale)),
        };
        let (mut rest, mut at, mut written) = (value.unsigned_abs(), digits.len(), 0);
        loop {
            if scale > 0 && written == scale {
                at -= 1;
                digits[at] = b'.';
            }
            at -= 1;
            digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
            written += 1;
            if rest == 0 && written > scale {
                break;
            }
        }
        if value < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        out.extend_from_slice(&digits[at..]);
    }

    pub(super) fn text(self) -> String {
        let mut out = Vec::with_capacity(24);
        self.write(&mut out);
        String::from_utf8(out).expect("digits are ASCII")
    }
}

/// Ten to the power of a scale, which is [`SCALE`] at most.
fn power(of: u8) -> i128 {
    const POWERS: [i128; SCALE as usize + 1] = {
        let mut powers = [1; SCALE as usize + 1];
        let mut at = 1;
        while at < powers.len() {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    POWERS[usize::from(of)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decimal::Decimal;

    fn exact(number: Num) -> Decimal {
        match number {
            Num::Int(value) => Decimal::from(value),
            Num::Dec(value, scale) => Decimal::parse(&Num::Dec(value, scale).text()).unwrap(),
        }
    }

    #[test]
    fn what_is_read_and_what_is_not() {
        for text in [
            "0",
            "-7",
            "1.50",
            "-0.05",
            "00123",
            "0.00000000000000001",
            "999999999999999999",
        ] {
            let number = Num::parse(text).unwrap();
            assert_eq!(exact(number), Decimal::parse(text).unwrap(), "{text}");
            assert_eq!(
                number.text().trim_start_matches('0'),
                text.trim_start_matches('0')
            );
        }
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "+1",
            "1e3",
            " 1",
            "1_0",
            "1.2.3",
            "1234567890123456789",
            "1234567890.123456789",
        ] {
            assert_eq!(Num::parse(text), None, "{text}");
        }
        assert_eq!(Num::Dec(0, 2).text(), "0.00");
        assert_eq!(Num::Dec(-5, 3).text(), "-0.005");
        assert_eq!(Num::Int(i64::MIN).text(), i64::MIN.to_string());
        assert_eq!(
            Num::Dec(-999_999_999_999_999_999, 18).text(),
            "-0.999999999999999999"
        );
    }

    fn number() -> impl Strategy<Value = Num> {
        prop_oneof![
            any::<i64>().prop_map(Num::Int),
            (-1_000i64..1_000).prop_map(Num::Int),
            (-99_999i64..99_999, 0u8..=6).prop_map(|(value, scale)| Num::Dec(value, scale)),
            (-999_999_999_999_999_999i64..=999_999_999_999_999_999, 0u8..=18)
                .prop_map(|(value, scale)| Num::Dec(value, scale)),
        ]
        .prop_filter("a scale of none is a whole number", |number| {
            !matches!(number, Num::Dec(_, 0))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Chains of operations give the digits that decimals give, as long as they give any.
        #[test]
        fn as_decimals(first in number(), steps in prop::collection::vec((0u8..4, number(), 0u8..=18), 1..6)) {
            let (mut fast, mut plain) = (first, exact(first));
            for (op, by, places) in steps {
                let is_whole = matches!((fast, by), (Num::Int(_), Num::Int(_)));
                let (next, expected) = match op {
                    0 => (fast.add(by), plain.add(&exact(by))),
                    1 => (fast.sub(by), plain.sub(&exact(by))),
                    2 => (fast.mul(by), plain.mul(&exact(by))),
                    // A whole number stays as it is, which is the function's rule and not the decimal's.
                    _ => (fast.round(places), match fast {
                        Num::Int(_) => Ok(plain.clone()),
                        Num::Dec(..) => plain.round(i32::from(places)),
                    }),
                };
                let Some(next) = next else { return Ok(()) };
                plain = expected.unwrap();
                if let Num::Dec(..) = next {
                    prop_assert_eq!(next.text(), plain.to_string());
                } else {
                    prop_assert!(is_whole || op == 3);
                    prop_assert_eq!(next.text(), plain.to_string());
                }
                prop_assert_eq!(next.compare(by), exact(by).partial_cmp(&plain).map(Ordering::reverse).filter(|_| next.compare(by).is_some()));
                prop_assert_eq!(next.is_zero(), plain.is_zero());
                fast = next;
            }
        }
    }
}
