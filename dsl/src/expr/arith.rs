//! The server's arithmetic: which type a result has, and its digits.
//!
//! Whole numbers stay in 64 bits and fail when they leave them; with a decimal the result is a decimal; with
//! text, bytes or floating point it is floating point. Division of exact numbers shows four more digits than its
//! dividend; `DIV` is exact whatever its operands were.

use super::ast::{Binary, Unary};
use super::sql::{Double, Int, NOT_FIXED, Num, Sql, Ty, TyKind};
use crate::catalogue::evaluation;
use crate::decimal::{Decimal, MAX_SCALE, OutOfRange};
use crate::diagnostic::Failure;

pub(super) fn out_of_range(what: &str) -> Failure {
    Failure::new(&evaluation::NUMBER_OUT_OF_RANGE).with("what", what)
}

/// The type of `a op b`, from the operands' types as numbers.
pub(super) fn arithmetic_ty(op: Binary, a: Ty, b: Ty) -> Ty {
    use TyKind::{Decimal, Double, Unsigned};
    let unsigned = a.kind == Unsigned || b.kind == Unsigned;
    let whole = if unsigned { Ty::UNSIGNED } else { Ty::INT };
    let float = |decimals: u8| Ty::new(Double, decimals.min(NOT_FIXED));
    match op {
        Binary::IntDiv => whole,
        Binary::Div => {
            let scale = a.decimals.saturating_add(4);
            if a.kind == Double || b.kind == Double {
                return float(a.decimals.max(b.decimals).saturating_add(4));
            }
            Ty::decimal(scale.min(MAX_SCALE))
        }
        _ if a.kind == Double || b.kind == Double => float(a.decimals.max(b.decimals)),
        Binary::Mul if a.kind == Decimal || b.kind == Decimal => {
            Ty::decimal(a.decimals.saturating_add(b.decimals).min(MAX_SCALE))
        }
        _ if a.kind == Decimal || b.kind == Decimal => Ty::decimal(a.decimals.max(b.decimals)),
        _ => whole,
    }
}

/// `a op b` for the arithmetic operators; NULL when either is, and for division by zero.
pub(super) fn arithmetic(op: Binary, left: &Sql<'_>, right: &Sql<'_>) -> Result<Sql<'static>, Failure> {
    let (Some(a), Some(b)) = (left.to_num(), right.to_num()) else {
        return Ok(Sql::Null);
    };
    let failed = |OutOfRange| out_of_range(op.sign());
    match (op, &a, &b) {
        (Binary::IntDiv, Num::Int(x), Num::Int(y)) if y.wide() != 0 => {
            let unsigned = x.is_unsigned() || y.is_unsigned();
            let quotient = Int::fit(x.wide() / y.wide(), unsigned);
            quotient.map(Sql::Int).ok_or_else(|| out_of_range(op.sign()))
        }
        (Binary::IntDiv, ..) => {
            // Text by its digits, not by the float they make.
            let (x, y) = (left.to_decimal(), right.to_decimal());
            let quotient = x.unwrap_or(Decimal::ZERO).int_div(&y.unwrap_or(Decimal::ZERO));
            let unsigned = [&a, &b]
                .iter()
                .any(|number| matches!(number, Num::Int(int) if int.is_unsigned()));
            match quotient.map_err(failed)? {
                None => Ok(Sql::Null),
                Some(quotient) => quotient
                    .to_i128()
                    .and_then(|whole| Int::fit(whole, unsigned))
                    .map(Sql::Int)
                    .ok_or_else(|| out_of_range(op.sign())),
            }
        }
        (Binary::Div, Num::Int(_) | Num::Exact(_), Num::Int(_) | Num::Exact(_)) => {
            let quotient = a.to_decimal().div(&b.to_decimal()).map_err(failed)?;
            Ok(quotient.map_or(Sql::Null, Sql::Decimal))
        }
        (_, Num::Int(x), Num::Int(y)) => whole(op, *x, *y),
        (_, Num::Float(_), _) | (_, _, Num::Float(_)) => float(op, &a, &b),
        _ => {
            let (a, b) = (a.to_decimal(), b.to_decimal());
            let result = match op {
                Binary::Add => a.add(&b).map(Some),
                Binary::Sub => a.sub(&b).map(Some),
                Binary::Mul => a.mul(&b).map(Some),
                _ => Ok(a.rem(&b)),
            };
            Ok(result.map_err(failed)?.map_or(Sql::Null, Sql::Decimal))
        }
    }
}

fn whole(op: Binary, x: Int, y: Int) -> Result<Sql<'static>, Failure> {
    let unsigned = x.is_unsigned() || y.is_unsigned();
    let (a, b) = (x.wide(), y.wide());
    // Operands of 64 bits leave room in 128; only the product of two unsigned ones may not fit.
    let (value, unsigned) = match op {
        Binary::Add => (a.checked_add(b), unsigned),
        Binary::Sub => (a.checked_sub(b), unsigned),
        Binary::Mul => (a.checked_mul(b), unsigned),
        _ if b == 0 => return Ok(Sql::Null),
        // What is left has the sign and the type of the dividend.
        _ => (Some(a % b), x.is_unsigned()),
    };
    value
        .and_then(|value| Int::fit(value, unsigned))
        .map(Sql::Int)
        .ok_or_else(|| out_of_range(op.sign()))
}

fn float(op: Binary, a: &Num, b: &Num) -> Result<Sql<'static>, Failure> {
    let (x, y) = (a.to_f64(), b.to_f64());
    if matches!(op, Binary::Div | Binary::Rem) && y == 0.0 {
        return Ok(Sql::Null);
    }
    let value = match op {
        Binary::Add => x + y,
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div => x / y,
        _ => x % y,
    };
    if !value.is_finite() {
        return Err(out_of_range(op.sign()));
    }
    let longer = a
        .decimals()
        .unwrap_or(NOT_FIXED)
        .max(b.decimals().unwrap_or(NOT_FIXED));
    let shown = if op == Binary::Div {
        longer.saturating_add(4)
    } else {
        longer
    };
    Ok(Sql::Double(Double {
        value,
        decimals: (shown < NOT_FIXED).then_some(shown),
    }))
}

/// `-x` and `+x`.
pub(super) fn sign<'a>(op: Unary, value: Sql<'a>) -> Sql<'a> {
    if op != Unary::Minus {
        return value;
    }
    match value.to_num() {
        None => Sql::Null,
        // Beyond 64 bits it is a decimal.
        Some(Num::Int(int)) => match Int::fit(-int.wide(), false) {
            Some(int) => Sql::Int(int),
            None => Sql::Decimal(Decimal::from(-int.wide())),
        },
        Some(Num::Exact(number)) => Sql::Decimal(number.neg()),
        Some(Num::Float(double)) => Sql::Double(Double {
            value: -double.value,
            ..double
        }),
    }
}

/// The bit operators: both sides as 64 bits without a sign.
pub(super) fn bits(op: Binary, left: &Sql<'_>, right: &Sql<'_>) -> Sql<'static> {
    let (Some(a), Some(b)) = (pattern(left), pattern(right)) else {
        return Sql::Null;
    };
    // Places are counted in 32 bits: the server shifts by 4294967297 as by 1.
    let places = right.to_int().map_or(0, Int::wide) & i128::from(u32::MAX);
    let shift = u32::try_from(places).unwrap_or(u32::MAX);
    Sql::unsigned(match op {
        Binary::BitAnd => a & b,
        Binary::BitOr => a | b,
        Binary::BitXor => a ^ b,
        Binary::ShiftLeft => a.checked_shl(shift).unwrap_or(0),
        _ => a.checked_shr(shift).unwrap_or(0),
    })
}

/// `~x`.
pub(super) fn invert(value: &Sql<'_>) -> Sql<'static> {
    pattern(value).map_or(Sql::Null, |bits| Sql::unsigned(!bits))
}

/// The 64 bits of a number; a negative one in two's complement.
fn pattern(value: &Sql<'_>) -> Option<u64> {
    if let Sql::Int(int) = value {
        return Some(match int {
            Int::Unsigned(bits) => *bits,
            Int::Signed(number) => number.cast_unsigned(),
        });
    }
    // Everything else by its exact digits, text too; what does not fit becomes the nearest that does.
    let number = value.to_decimal()?;
    let whole = number.round(0).ok().and_then(|number| number.to_i128());
    Some(if number.is_negative() {
        let whole = whole.and_then(|whole| i64::try_from(whole).ok());
        whole.unwrap_or(i64::MIN).cast_unsigned()
    } else {
        let whole = whole.and_then(|whole| u64::try_from(whole).ok());
        whole.unwrap_or(u64::MAX)
    })
}
