//! The type of a value before the value is known, as the server derives it from the text of an expression.
//!
//! It decides what is printed: `IF(c, 1, 2.50)` shows two digits whichever branch is taken, `IFNULL(1.50/0, 1)`
//! shows six, and a branch that is text makes all of them text. A type is a kind and a number of digits.

use std::borrow::Cow;

use super::sql::{Double, Int, Num, Sql};
use super::time;

/// The digits of what shows as many as it needs: text, and floating point that nothing has rounded.
pub const NOT_FIXED: u8 = 31;

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TyKind {
    /// The literal NULL and what can be nothing else.
    Null,
    /// A whole number with a sign.
    Int,
    /// A whole number without one.
    Unsigned,
    /// An exact number.
    Decimal,
    /// Floating point.
    Double,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A time of the day, or a length of time.
    Time,
    /// A day and a time.
    DateTime,
    /// `INTERVAL n UNIT`.
    Interval,
}

impl TyKind {
    /// The word in a trace and in messages.
    pub fn name(self) -> &'static str {
        match self {
            TyKind::Null => "null",
            TyKind::Int => "int",
            TyKind::Unsigned => "unsigned",
            TyKind::Decimal => "decimal",
            TyKind::Double => "double",
            TyKind::Text => "text",
            TyKind::Bytes => "bytes",
            TyKind::Date => "date",
            TyKind::Time => "time",
            TyKind::DateTime => "datetime",
            TyKind::Interval => "interval",
        }
    }

    /// A day or a time.
    pub fn is_temporal(self) -> bool {
        matches!(self, TyKind::Date | TyKind::Time | TyKind::DateTime)
    }

    /// A number of any sort.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            TyKind::Int | TyKind::Unsigned | TyKind::Decimal | TyKind::Double
        )
    }

    /// Text or bytes.
    pub fn is_text(self) -> bool {
        matches!(self, TyKind::Text | TyKind::Bytes)
    }
}

/// What kind of value it is and how many digits it shows: after the point, of a second, or [`NOT_FIXED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ty {
    /// The kind.
    pub kind: TyKind,
    /// Digits after the point.
    pub decimals: u8,
}

impl Ty {
    /// NULL.
    pub const NULL: Ty = Ty::new(TyKind::Null, 0);
    /// A whole number.
    pub const INT: Ty = Ty::new(TyKind::Int, 0);
    /// A whole number without a sign.
    pub const UNSIGNED: Ty = Ty::new(TyKind::Unsigned, 0);
    /// Text.
    pub const TEXT: Ty = Ty::new(TyKind::Text, NOT_FIXED);
    /// Bytes.
    pub const BYTES: Ty = Ty::new(TyKind::Bytes, NOT_FIXED);
    /// Floating point that shows all its digits.
    pub const DOUBLE: Ty = Ty::new(TyKind::Double, NOT_FIXED);
    /// A day.
    pub const DATE: Ty = Ty::new(TyKind::Date, 0);

    /// A kind with its digits.
    pub const fn new(kind: TyKind, decimals: u8) -> Ty {
        Ty { kind, decimals }
    }

    /// An exact number with so many digits.
    pub const fn decimal(scale: u8) -> Ty {
        Ty::new(TyKind::Decimal, scale)
    }

    /// The type of a value that is there.
    pub fn of(value: &Sql<'_>) -> Ty {
        match value {
            Sql::Null => Ty::NULL,
            Sql::Int(Int::Signed(_)) => Ty::INT,
            Sql::Int(Int::Unsigned(_)) => Ty::UNSIGNED,
            Sql::Decimal(number) => Ty::decimal(number.scale()),
            Sql::Double(double) => Ty::new(TyKind::Double, double.decimals.unwrap_or(NOT_FIXED)),
            Sql::Text(_) => Ty::TEXT,
            Sql::Bytes(_) => Ty::BYTES,
            Sql::Date(_) => Ty::DATE,
            Sql::Time(time) => Ty::new(TyKind::Time, time.fraction),
            Sql::DateTime(at) => Ty::new(TyKind::DateTime, at.fraction),
            Sql::Interval(_) => Ty::new(TyKind::Interval, 0),
        }
    }

    /// The type of a value used as a number: a bare text from a record counts as the number it spells.
    pub fn of_number(value: &Sql<'_>) -> Ty {
        match value.to_num() {
            Some(number) => Ty::of(&number.into_sql()),
            None => Ty::NULL.numeric(),
        }
    }

    /// The type in arithmetic: text and NULL are floating point, a time the number its digits make.
    pub fn numeric(self) -> Ty {
        match self.kind {
            TyKind::Text | TyKind::Bytes => Ty::DOUBLE,
            TyKind::Null => Ty::new(TyKind::Double, 0),
            TyKind::Date | TyKind::Time | TyKind::DateTime if self.decimals == 0 => Ty::INT,
            TyKind::Time | TyKind::DateTime | TyKind::Date => Ty::decimal(self.decimals.min(6)),
            _ => self,
        }
    }

    /// The type of `CASE`, `IF` and `COALESCE` over two branches.
    pub fn merge(self, other: Ty) -> Ty {
        use TyKind::{Bytes, Date, DateTime, Decimal, Double, Int, Interval, Null, Text, Time, Unsigned};
        let decimals = self.decimals.max(other.decimals);
        let kind = match (self.kind, other.kind) {
            (Null, _) => return other,
            (_, Null) => return self,
            (a, b) if a == b => a,
            (Int, Unsigned) | (Unsigned, Int) => Decimal,
            (Int | Unsigned, Decimal) | (Decimal, Int | Unsigned) => Decimal,
            (Int | Unsigned | Decimal, Double) | (Double, Int | Unsigned | Decimal) => Double,
            (Date | Time | DateTime, Date | Time | DateTime) => DateTime,
            (Interval, _) | (_, Interval) => Text,
            (Bytes, _) | (_, Bytes) => Bytes,
            _ => Text,
        };
        match kind {
            Text => Ty::TEXT,
            Bytes => Ty::BYTES,
            // Digits of a second are as many as there are only when all branches agree on that.
            Time | DateTime if self.decimals != other.decimals => Ty::new(kind, decimals.min(6)),
            kind => Ty::new(kind, decimals.min(NOT_FIXED)),
        }
    }

    /// Turns a value of a branch into this type.
    pub(crate) fn coerce<'a>(self, value: Sql<'a>, today: impl Fn() -> Option<time::Date>) -> Sql<'a> {
        if value.is_null() {
            return Sql::Null;
        }
        match self.kind {
            TyKind::Null | TyKind::Interval | TyKind::Date => value,
            TyKind::Int | TyKind::Unsigned => match value {
                Sql::Int(_) => value,
                // What does not fit, as `FLOOR` of a long number, stays what it is.
                Sql::Decimal(number) if number.to_i64().is_none() => Sql::Decimal(number),
                other => other.to_int().map_or(Sql::Null, Sql::Int),
            },
            TyKind::Decimal => match value {
                Sql::Int(int) => Sql::Decimal(int.to_decimal().with_scale(self.decimals)),
                Sql::Decimal(number) => Sql::Decimal(number.with_scale(self.decimals)),
                other => other
                    .to_decimal()
                    .map_or(Sql::Null, |number| Sql::Decimal(number.with_scale(self.decimals))),
            },
            TyKind::Double => {
                let decimals = (self.decimals < NOT_FIXED).then_some(self.decimals);
                let number = value.to_num().map_or(0.0, |number| Num::to_f64(&number));
                Sql::Double(Double {
                    value: number,
                    decimals,
                })
            }
            TyKind::Text => match value {
                Sql::Text(_) => value,
                other => other
                    .to_text()
                    .map_or(Sql::Null, |text| Sql::text(Cow::Owned::<str>(text.into_owned()))),
            },
            TyKind::Bytes => match value {
                Sql::Bytes(_) => value,
                other => other.to_bytes().map_or(Sql::Null, |bytes| {
                    Sql::bytes(Cow::Owned::<[u8]>(bytes.into_owned()))
                }),
            },
            TyKind::Time => match value {
                Sql::Time(at) => Sql::Time(at.with_fraction(self.decimals)),
                other => other,
            },
            TyKind::DateTime => match value {
                Sql::DateTime(at) => Sql::DateTime(at.with_fraction(self.decimals)),
                Sql::Date(date) => Sql::DateTime(time::DateTime::midnight(date).with_fraction(self.decimals)),
                Sql::Time(time) => today()
                    .and_then(|today| time.on(today))
                    .map_or(Sql::Null, |at| Sql::DateTime(at.with_fraction(self.decimals))),
                other => other,
            },
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            TyKind::Decimal => write!(f, "decimal({})", self.decimals),
            TyKind::Double | TyKind::Time | TyKind::DateTime
                if self.decimals > 0 && self.decimals < NOT_FIXED =>
            {
                write!(f, "{}({})", self.kind.name(), self.decimals)
            }
            kind => f.write_str(kind.name()),
        }
    }
}
