//! The unscaled integer of a [`Decimal`](super::Decimal): a machine word pair for what business data holds, a
//! big integer beyond.
//!
//! Every operation is exact. A result that fits `i128` is always kept small, so that equality of the parts is
//! equality of the numbers.

use num_bigint::BigInt;
use std::cmp::Ordering;
use std::fmt;

/// An integer of any length; small whenever it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Coef {
    Small(i128),
    Big(Box<BigInt>),
}

/// `10^38` is the largest power that an `i128` holds.
const SMALL_POWERS: u32 = 38;

fn small_power(n: u32) -> Option<i128> {
    (n <= SMALL_POWERS).then(|| 10i128.pow(n))
}

fn big_power(n: u32) -> BigInt {
    BigInt::from(10u8).pow(n)
}

impl Coef {
    pub(super) const ZERO: Coef = Coef::Small(0);

    fn from_big(value: BigInt) -> Coef {
        match i128::try_from(&value) {
            Ok(small) => Coef::Small(small),
            Err(_) => Coef::Big(Box::new(value)),
        }
    }

    fn to_big(&self) -> BigInt {
        match self {
            Coef::Small(v) => BigInt::from(*v),
            Coef::Big(v) => (**v).clone(),
        }
    }

    /// Reads ASCII digits; the caller has checked that there is nothing else.
    pub(super) fn from_digits(digits: &[u8]) -> Coef {
        let small = digits.iter().try_fold(0i128, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        });
        match small {
            Some(v) => Coef::Small(v),
            None => BigInt::parse_bytes(digits, 10).map_or(Coef::ZERO, Coef::from_big),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        matches!(self, Coef::Small(0))
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Coef::Small(v) => *v < 0,
            Coef::Big(v) => v.sign() == num_bigint::Sign::Minus,
        }
    }

    pub(super) fn neg(&self) -> Coef {
        match self {
            Coef::Small(v) => match v.checked_neg() {
                Some(v) => Coef::Small(v),
                None => Coef::from_big(-BigInt::from(*v)),
            },
            Coef::Big(v) => Coef::from_big(-(**v).clone()),
        }
    }

    pub(super) fn add(&self, other: &Coef) -> Coef {
        if let (Coef::Small(a), Coef::Small(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Coef::Small(sum);
        }
        Coef::from_big(self.to_big() + other.to_big())
    }

    pub(super) fn mul(&self, other: &Coef) -> Coef {
        if let (Coef::Small(a), Coef::Small(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Coef::Small(product);
        }
        Coef::from_big(self.to_big() * other.to_big())
    }

    /// Times `10^n`.
    pub(super) fn shift_up(&self, n: u32) -> Coef {
        if n == 0 || self.is_zero() {
            return self.clone();
        }
        if let (Coef::Small(a), Some(p)) = (self, small_power(n))
            && let Some(product) = a.checked_mul(p)
        {
            return Coef::Small(product);
        }
        Coef::from_big(self.to_big() * big_power(n))
    }

    /// Divided by `10^n`, towards zero.
    pub(super) fn shift_down(&self, n: u32) -> Coef {
        match (self, small_power(n)) {
            (Coef::Small(a), Some(p)) => Coef::Small(a / p),
            (Coef::Small(_), None) => Coef::ZERO,
            (Coef::Big(a), _) => Coef::from_big(&**a / big_power(n)),
        }
    }

    /// Divided by `10^n`, a half away from zero.
    pub(super) fn shift_down_half_away(&self, n: u32) -> Coef {
        if n == 0 {
            return self.clone();
        }
        // The digit after the cut decides: truncate one place later and look at it.
        let longer = self.shift_down(n - 1);
        let cut = longer.shift_down(1);
        let digit = longer.add(&cut.shift_up(1).neg());
        match digit {
            Coef::Small(d) if d >= 5 => cut.add(&Coef::Small(1)),
            Coef::Small(d) if d <= -5 => cut.add(&Coef::Small(-1)),
            _ => cut,
        }
    }

    /// Towards zero; `None` when `other` is zero.
    pub(super) fn div(&self, other: &Coef) -> Option<Coef> {
        if other.is_zero() {
            return None;
        }
        if let (Coef::Small(a), Coef::Small(b)) = (self, other)
            && let Some(quotient) = a.checked_div(*b)
        {
            return Some(Coef::Small(quotient));
        }
        Some(Coef::from_big(self.to_big() / other.to_big()))
    }

    /// What [`Coef::div`] leaves; it has the sign of `self`.
    pub(super) fn rem(&self, other: &Coef) -> Option<Coef> {
        if other.is_zero() {
            return None;
        }
        if let (Coef::Small(a), Coef::Small(b)) = (self, other)
            && let Some(rest) = a.checked_rem(*b)
        {
            return Some(Coef::Small(rest));
        }
        Some(Coef::from_big(self.to_big() % other.to_big()))
    }

    pub(super) fn cmp(&self, other: &Coef) -> Ordering {
        match (self, other) {
            (Coef::Small(a), Coef::Small(b)) => a.cmp(b),
            _ => self.to_big().cmp(&other.to_big()),
        }
    }

    /// Number of decimal digits; zero has none.
    pub(super) fn digits(&self) -> u32 {
        match self {
            Coef::Small(v) => v.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1),
            Coef::Big(v) => u32::try_from(v.magnitude().to_string().len()).unwrap_or(u32::MAX),
        }
    }

    /// Whether it has more than so many digits.
    pub(super) fn has_digits_beyond(&self, digits: u32) -> bool {
        match (self, small_power(digits)) {
            (Coef::Small(v), Some(power)) => v.unsigned_abs() >= power.unsigned_abs(),
            (Coef::Small(_), None) => false,
            (Coef::Big(_), _) => self.digits() > digits,
        }
    }

    pub(super) fn to_i128(&self) -> Option<i128> {
        match self {
            Coef::Small(v) => Some(*v),
            Coef::Big(_) => None,
        }
    }
}

/// The digits without a sign.
impl fmt::Display for Coef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Coef::Small(v) => write!(f, "{}", v.unsigned_abs()),
            Coef::Big(v) => write!(f, "{}", v.magnitude()),
        }
    }
}
