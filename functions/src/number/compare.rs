//! The greatest and the least of several values.

use std::cmp::Ordering;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Types, Typing, both};
use dsl::expr::sql::{Date, DateTime, Sql, Ty, TyKind, compare};
use dsl::expr::time::{Days, Reading, read_date_time};

const FIRST: Param = Param::required("value", Type::Any, both("要比较的值。", "A value to compare."));
const SECOND: Param = Param::required("other", Type::Any, both("要比较的另一个值。", "Another one."));
const OTHERS: Param = Param::rest("others", Type::Any, both("更多的值。", "More of them."));

/// `GREATEST(value, other, …)`.
pub const GREATEST: Builtin = Builtin {
    name: "GREATEST",
    aliases: &[],
    summary: both(
        "几个值中最大的;有一个是 NULL 就是 NULL。",
        "The greatest of the values; NULL if one is NULL.",
    ),
    params: &[FIRST, SECOND, OTHERS],
    returns: Type::Any,
    ty: Typing::By(common),
    examples: &[
        Example::is("GREATEST(3, 2.50)", "3.00"),
        Example::is("GREATEST('10', '9')", "9"),
        Example::is("GREATEST('10', 9)", "10"),
        Example::is("GREATEST('abc', 1)", "1"),
        Example::null("GREATEST(1, NULL)"),
        Example::is("GREATEST('1', CURTIME(), 1)", "06:13:20"),
        Example::is("GREATEST(1, IFNULL(NULL, 0))", "1"),
    ],
    constant: true,
    call: Call::Eager(|args| best(args, Ordering::Greater)),
};

/// `LEAST(value, other, …)`.
pub const LEAST: Builtin = Builtin {
    name: "LEAST",
    aliases: &[],
    summary: both(
        "几个值中最小的;有一个是 NULL 就是 NULL。",
        "The least of the values; NULL if one is NULL.",
    ),
    params: &[FIRST, SECOND, OTHERS],
    returns: Type::Any,
    ty: Typing::By(common),
    examples: &[
        Example::is("LEAST(1, 2.50)", "1.00"),
        Example::is("LEAST('10', 9.50)", "9.5"),
        Example::is("LEAST('abc', 1)", "0"),
        Example::is("LEAST('', '杭州')", ""),
        Example::null("LEAST(1, NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| best(args, Ordering::Less)),
};

/// Numbers win over text, days and times over both. Beside a number, text that came bare from a record is the
/// number it spells.
fn common(types: &Types<'_, '_>) -> Ty {
    let numbers = (0..types.len()).any(|index| types.ty(index).kind.is_number());
    let ty = |index| match types.ty(index) {
        ty if numbers && ty.kind.is_text() => types.number(index),
        ty => ty,
    };
    // Beside a time a text has the digits of a second that it shows.
    let all = |wanted: fn(TyKind) -> bool| (0..types.len()).any(|index| wanted(types.ty(index).kind));
    let days = all(|kind| matches!(kind, TyKind::Date | TyKind::DateTime));
    let digits = |index| {
        if days {
            types.digits(index)
        } else {
            types.time_digits(index)
        }
    };
    let timed = |index| match ty(index) {
        ty if types.ty(index).kind.is_text() && all(TyKind::is_temporal) => Ty::new(ty.kind, digits(index)),
        ty => ty,
    };
    let merged = (0..types.len()).fold(Ty::NULL, |merged, index| meet(merged, timed(index)));
    // A bare NULL makes numbers floats.
    let null = (0..types.len()).any(|index| types.ty(index) == Ty::NULL);
    match merged.kind {
        kind if null && kind.is_number() => Ty::new(TyKind::Double, merged.decimals),
        // Here a time has six digits of a second at most, also one that shows as many as there are.
        TyKind::Date => Ty::DATE,
        kind if kind.is_temporal() => Ty::new(kind, merged.decimals.min(6)),
        _ => merged,
    }
}

fn meet(a: Ty, b: Ty) -> Ty {
    match (a.kind, b.kind) {
        (TyKind::Null, _) => b,
        (_, TyKind::Null) => a,
        // Beside a time the digits of a second that both show.
        (x, y) if x.is_text() && y.is_text() => Ty::new(a.merge(b).kind, a.decimals.max(b.decimals)),
        (x, y) if x.is_temporal() != y.is_temporal() => {
            let (time, other) = if x.is_temporal() { (a, b) } else { (b, a) };
            match time.kind {
                // They show when a time joins them.
                TyKind::Date => Ty::new(TyKind::Date, other.decimals.min(6)),
                // A text or a float may have any number of digits of a second.
                kind => Ty::new(kind, time.decimals.max(other.decimals.min(6))),
            }
        }
        _ => a.merge(b),
    }
}

fn best(args: &Args<'_>, wanted: Ordering) -> Result<Sql<'static>, CallError> {
    let ty = common(&args.types());
    let mut best: Option<Sql<'_>> = None;
    for index in 0..args.len() {
        let value = match args.as_type(index, ty) {
            Sql::Null if !args.get(index).is_null() => no_day(args, index, ty),
            value => value,
        };
        if value.is_null() {
            return Ok(Sql::Null);
        }
        if best
            .as_ref()
            .is_none_or(|best| compare(&value, best) == Some(wanted))
        {
            best = Some(value);
        }
    }
    Ok(match best {
        Some(Sql::Date(date)) if is_no_day(date) => Sql::Null,
        Some(Sql::DateTime(at)) if is_no_day(at.date) => Sql::Null,
        best => best.map_or(Sql::Null, Sql::into_owned),
    })
}

/// What is no day: the 30th of February lies behind the 28th, anything else counts as the day that is none.
fn no_day(args: &Args<'_>, index: usize, ty: Ty) -> Sql<'static> {
    let zero = Date {
        year: 0,
        month: 0,
        day: 0,
    };
    let at = match read_date_time(args.get(index), Days::Any, args.zone()) {
        Some(Reading::Date(date)) => DateTime::midnight(date),
        Some(Reading::DateTime(at)) => at,
        _ => DateTime::midnight(zero),
    };
    match ty.kind {
        TyKind::Date => Sql::Date(at.date),
        TyKind::DateTime => Sql::DateTime(at.with_fraction(ty.decimals)),
        _ => Sql::Null,
    }
}

/// Whether it is the 30th of February or its like, which can be compared but not shown.
fn is_no_day(date: Date) -> bool {
    !date.has_zero() && !date.exists()
}
