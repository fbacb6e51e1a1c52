//! How a built-in function is described: one constant says what it is called, takes, gives and does.
//!
//! From a [`Builtin`] the checker knows arity and kinds, a test runs the examples, and the reference page, the
//! completion and "did you mean" are written. The functions themselves live in the crate `functions`; this crate
//! can be tested with two toy ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::catalogue::evaluation;
use crate::decimal::{Decimal, OutOfRange};
use crate::diagnostic::{Failure, did_you_mean};
use crate::expr::ast::Node;
use crate::expr::run::Run;
use crate::expr::sql::{Date, DateTime, Int, Interval, Num, Sql, Time, Ty, TyKind};
use crate::expr::time;

pub use crate::expr::regexp::{Found, Matcher, matcher};
pub use crate::expr::run::Lazy;
pub use crate::expr::text::{capital, compare as compare_text, fold, small};
pub use crate::expr::types::Types;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
}

/// A text in both languages.
pub const fn both(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

/// What a parameter takes or a function gives. Values convert as on the server; this is for the reader, and for
/// the two that do not convert, [`Type::List`] and [`Type::Interval`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Any value, or the one that was passed in.
    Any,
    /// Text.
    Text,
    /// An integer, a decimal or a float.
    Number,
    /// A whole number.
    Integer,
    /// 1 or 0.
    Bool,
    /// A day, or a day and a time.
    Time,
    /// `INTERVAL n UNIT`.
    Interval,
    /// `INTERVAL n UNIT`, or a number of days.
    Days,
    /// The values of a field in all lines.
    List,
    /// JSON. As a parameter: any value, which keeps what it is; a text becomes a JSON text. As a result: JSON, and
    /// taken for that by such a parameter.
    Json,
}

impl Type {
    /// The word in documentation and messages.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "any",
            Type::Text => "text",
            Type::Number => "number",
            Type::Integer => "integer",
            Type::Bool => "bool",
            Type::Time => "time",
            Type::Interval => "interval",
            Type::Days => "interval or number",
            Type::List => "list",
            Type::Json => "json",
        }
    }
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name in the signature.
    pub name: &'static str,
    /// What it takes.
    pub takes: Type,
    /// How often it is written.
    pub count: Count,
    /// What it is for.
    pub about: Words,
}

/// How often a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Once.
    Once,
    /// Once or not at all.
    Optional,
    /// Any number of times, last in the list; may be absent.
    Any,
    /// As often as the other one of these, in turn with it: the last two of the list.
    Paired,
}

impl Param {
    /// A parameter that must be there.
    pub const fn required(name: &'static str, takes: Type, about: Words) -> Param {
        Param {
            name,
            takes,
            count: Count::Once,
            about,
        }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, takes: Type, about: Words) -> Param {
        Param {
            name,
            takes,
            count: Count::Optional,
            about,
        }
    }

    /// One of the last two parameters, which are written any number of times together.
    pub const fn paired(name: &'static str, takes: Type, about: Words) -> Param {
        Param {
            name,
            takes,
            count: Count::Paired,
            about,
        }
    }

    /// The last parameter, written any number of times.
    pub const fn rest(name: &'static str, takes: Type, about: Words) -> Param {
        Param {
            name,
            takes,
            count: Count::Any,
            about,
        }
    }
}

/// An expression with what it gives. A test runs all of them, at 2023-11-15 06:13:20.1 in Shanghai.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression.
    pub expr: &'static str,
    /// Its result.
    pub gives: Gives,
}

/// The result of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// This, printed.
    Text(&'static str),
    /// NULL.
    Null,
    /// A problem with this code, in the text or when it is computed.
    Code(&'static str),
}

impl Example {
    /// An expression and its printed result.
    pub const fn is(expr: &'static str, result: &'static str) -> Example {
        Example {
            expr,
            gives: Gives::Text(result),
        }
    }

    /// An expression that gives NULL.
    pub const fn null(expr: &'static str) -> Example {
        Example {
            expr,
            gives: Gives::Null,
        }
    }

    /// An expression that is refused.
    pub const fn fails(expr: &'static str, code: &'static str) -> Example {
        Example {
            expr,
            gives: Gives::Code(code),
        }
    }
}

/// What a function does.
#[derive(Clone, Copy)]
pub enum Call {
    /// The arguments are computed first. An argument that is NULL makes the result NULL.
    Eager(fn(&Args<'_>) -> Result<Sql<'static>, CallError>),
    /// The arguments are computed first and may be NULL.
    Nullable(fn(&Args<'_>) -> Result<Sql<'static>, CallError>),
    /// The function computes the arguments it needs.
    Lazy(for<'a> fn(&Lazy<'_, 'a>) -> Result<Sql<'a>, CallError>),
    /// The first argument is computed for each line; gets its values that are not NULL, in order and in one type,
    /// and the other arguments.
    Aggregate(fn(&[Sql<'_>], &Args<'_>) -> Result<Sql<'static>, CallError>),
}

/// The type of a function's result, as the server knows it before anything is computed: it decides what `IF`,
/// `CASE` and `COALESCE` show.
#[derive(Clone, Copy)]
pub enum Typing {
    /// A whole number.
    Int,
    /// A whole number without a sign.
    Unsigned,
    /// Floating point that shows all its digits.
    Double,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// That of the argument with this number.
    Like(usize),
    /// That of all arguments from this one on, merged as branches are; the result is turned into it.
    Merge(usize),
    /// This.
    By(fn(&Types<'_, '_>) -> Ty),
}

impl std::fmt::Debug for Typing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Typing::Int => f.write_str("Int"),
            Typing::Unsigned => f.write_str("Unsigned"),
            Typing::Double => f.write_str("Double"),
            Typing::Text => f.write_str("Text"),
            Typing::Bytes => f.write_str("Bytes"),
            Typing::Date => f.write_str("Date"),
            Typing::Like(index) => write!(f, "Like({index})"),
            Typing::Merge(from) => write!(f, "Merge({from})"),
            Typing::By(_) => f.write_str("By"),
        }
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Call::Eager(_) => "Eager",
            Call::Nullable(_) => "Nullable",
            Call::Lazy(_) => "Lazy",
            Call::Aggregate(_) => "Aggregate",
        })
    }
}

/// A built-in function.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    /// Its name, in capitals.
    pub name: &'static str,
    /// Other names of the same.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub summary: Words,
    /// Its parameters, in order.
    pub params: &'static [Param],
    /// What it gives, for the reader.
    pub returns: Type,
    /// What it gives, exactly.
    pub ty: Typing,
    /// Results of note, all of them executed by a test.
    pub examples: &'static [Example],
    /// Whether the same arguments give the same result at any time and in any zone, so that it may be computed
    /// once when the scheme is read.
    pub constant: bool,
    /// What it does.
    pub call: Call,
}

impl Builtin {
    /// Least and largest number of arguments.
    pub fn arity(&self) -> (usize, Option<usize>) {
        let least = self
            .params
            .iter()
            .filter(|param| param.count == Count::Once)
            .count();
        let open = |param: &Param| matches!(param.count, Count::Any | Count::Paired);
        (
            least,
            (!self.params.iter().any(open)).then_some(self.params.len()),
        )
    }

    /// Whether it may be called with so many arguments.
    pub fn accepts(&self, count: usize) -> bool {
        let (least, most) = self.arity();
        let whole = !self.in_pairs() || count.saturating_sub(least).is_multiple_of(2);
        count >= least && most.is_none_or(|most| count <= most) && whole
    }

    /// Whether its last arguments come two by two.
    pub fn in_pairs(&self) -> bool {
        self.params.last().is_some_and(|last| last.count == Count::Paired)
    }

    /// The parameter an argument belongs to.
    pub fn param(&self, index: usize) -> Option<&'static Param> {
        let before = self.params.len();
        self.params.get(index).or_else(|| match self.params {
            [.., last] if last.count == Count::Any => Some(last),
            [.., first, second] if self.in_pairs() => match (index - before) % 2 {
                0 => Some(first),
                _ => Some(second),
            },
            _ => None,
        })
    }

    /// `REPLACE(text, from, to)`; what may be left out stands in brackets.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        let paired = |index: usize| {
            self.params
                .get(index)
                .is_some_and(|param| param.count == Count::Paired)
        };
        for (index, param) in self.params.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            text.push_str(&match param.count {
                Count::Once => format!("{comma}{}", param.name),
                Count::Optional => format!("[{comma}{}]", param.name),
                Count::Any => format!("[{comma}{}, …]", param.name),
                Count::Paired if paired(index + 1) => format!("[{comma}{}", param.name),
                Count::Paired => format!("{comma}{}, …]", param.name),
            });
        }
        text.push(')');
        text
    }
}

/// Why a call gives no value.
#[derive(Debug)]
pub enum CallError {
    /// An argument could not be computed.
    Failed(Failure),
    /// A number does not fit.
    OutOfRange,
    /// The result is larger than a value may be.
    TooLarge,
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> CallError {
        CallError::Failed(failure)
    }
}

impl From<OutOfRange> for CallError {
    fn from(_: OutOfRange) -> CallError {
        CallError::OutOfRange
    }
}

impl CallError {
    /// In the catalogue's words.
    pub fn into_failure(self, function: &str) -> Failure {
        match self {
            CallError::Failed(failure) => failure,
            CallError::OutOfRange => Failure::new(&evaluation::NUMBER_OUT_OF_RANGE).with("what", function),
            CallError::TooLarge => Failure::new(&evaluation::VALUE_TOO_LARGE).with("what", function),
        }
    }
}

/// The arguments of one call, computed. What a caller leaves out reads as NULL.
pub struct Args<'x> {
    values: &'x [Sql<'x>],
    nodes: &'x [Node],
    run: &'x Run<'x>,
}

impl<'x> Args<'x> {
    pub(crate) fn new(values: &'x [Sql<'x>], nodes: &'x [Node], run: &'x Run<'x>) -> Args<'x> {
        Args { values, nodes, run }
    }

    /// The types of the arguments as they are written, whatever their values are.
    pub fn types(&self) -> Types<'x, 'x> {
        Types::new(self.nodes, self.run)
    }

    /// How many were written.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether none was written.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The argument itself; NULL when it was left out.
    pub fn get(&self, index: usize) -> &Sql<'x> {
        self.values.get(index).unwrap_or(&Sql::Null)
    }

    /// As a value of this type; what is no day or time becomes NULL.
    pub fn as_type(&self, index: usize, ty: Ty) -> Sql<'_> {
        let value = self.get(index).borrowed();
        match ty.kind {
            TyKind::Date => self.run.time(&value).map_or(Sql::Null, |at| Sql::Date(at.date)),
            TyKind::DateTime => {
                let at = self.run.time(&value);
                at.map_or(Sql::Null, |at| Sql::DateTime(at.with_fraction(ty.decimals)))
            }
            TyKind::Time => {
                let at = self.run.clock(&value);
                at.map_or(Sql::Null, |at| Sql::Time(at.with_fraction(ty.decimals)))
            }
            _ => ty.coerce(value, || self.run.today()),
        }
    }

    /// As text; NULL is empty.
    pub fn text(&self, index: usize) -> Cow<'_, str> {
        self.get(index).to_text().unwrap_or_default()
    }

    /// As a number of either sort; NULL is zero.
    pub fn num(&self, index: usize) -> Num {
        self.get(index).to_num().unwrap_or(Num::Exact(Decimal::ZERO))
    }

    /// As an exact number; NULL is zero.
    pub fn decimal(&self, index: usize) -> Decimal {
        self.get(index).to_decimal().unwrap_or(Decimal::ZERO)
    }

    /// The bytes of its text; NULL is empty.
    pub fn bytes(&self, index: usize) -> Cow<'_, [u8]> {
        self.get(index).to_bytes().unwrap_or_default()
    }

    /// As a 64-bit whole number, as the server asks for one: text gives its leading integer, a decimal or a float is
    /// rounded, what does not fit becomes the nearest that does. NULL is zero.
    pub fn int(&self, index: usize) -> Int {
        self.get(index).to_int().unwrap_or(Int::Signed(0))
    }

    /// [`Args::int`] with a sign. A text beyond the largest is its bits, so below zero.
    pub fn integer(&self, index: usize) -> i64 {
        match (self.get(index), self.int(index)) {
            (Sql::Text(_) | Sql::Bytes(_), Int::Unsigned(bits)) => bits.cast_signed(),
            (_, int) => int.clamped(),
        }
    }

    /// [`Args::int`] as its 64 bits, a negative one in two's complement.
    pub fn bits(&self, index: usize) -> u64 {
        match self.int(index) {
            Int::Signed(number) => number.cast_unsigned(),
            Int::Unsigned(bits) => bits,
        }
    }

    /// As a number of characters or places: a negative one is zero.
    pub fn count(&self, index: usize) -> usize {
        usize::try_from(self.integer(index)).unwrap_or(0)
    }

    /// As a day and a time; `None` when it is none. A time of the day counts from the beginning of today.
    pub fn time(&self, index: usize) -> Option<DateTime> {
        self.run.time(self.get(index))
    }

    /// As a time of the day or a length of time; `None` when it is none.
    pub fn clock(&self, index: usize) -> Option<Time> {
        self.run.clock(self.get(index))
    }

    /// The day of the run in its zone.
    pub fn today(&self) -> Option<Date> {
        self.run.today()
    }

    /// The time of the day or the length of time that an argument is, and not only can be read as.
    pub fn dayless(&self, index: usize) -> Option<Time> {
        match self.get(index) {
            Sql::Time(time) => Some(*time),
            Sql::Text(text) if text.moment => match time::moment(self.get(index))? {
                Sql::Time(time) => Some(time),
                _ => None,
            },
            _ => None,
        }
    }

    /// Digits of a second that one has as a day and a time; six when it is none.
    pub fn digits(&self, index: usize) -> u8 {
        time::digits_of(self.get(index), self.zone())
    }

    /// Digits of a second that one has as a time; six when it is none.
    pub fn time_digits(&self, index: usize) -> u8 {
        time::time_digits_of(self.get(index), self.zone())
    }

    /// Digits of a second that one has as a length of time.
    pub fn length_digits(&self, index: usize) -> u8 {
        time::length_digits_of(self.get(index), self.zone())
    }

    /// As a time, or a day and a time whose clock is meant.
    pub fn reading(&self, index: usize, clock: time::Clock, days: time::Days) -> Option<time::Reading> {
        time::read_time(self.get(index), clock, days, self.zone())
    }

    /// As a length of time.
    pub fn interval(&self, index: usize) -> Option<Interval> {
        match self.get(index) {
            Sql::Interval(interval) => Some(*interval),
            _ => None,
        }
    }

    /// The instant of the run, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.run.env.now_ms()
    }

    /// The zone times are read and printed in.
    pub fn zone(&self) -> &TimeZone {
        self.run.env.zone()
    }

    /// Spends steps for work that goes on inside the function.
    pub fn spend(&self, steps: usize) -> Result<(), CallError> {
        Ok(self.run.spend(u64::try_from(steps).unwrap_or(u64::MAX))?)
    }

    /// Refuses a text that would be too long, or cost more than is left, before it is made.
    pub fn room_for(&self, bytes: usize) -> Result<(), CallError> {
        if bytes > self.run.bounds.value {
            return Err(CallError::TooLarge);
        }
        Ok(self.run.can_afford(bytes)?)
    }
}

/// The functions an expression may call.
#[derive(Debug, Default, Clone)]
pub struct Registry {
    by_name: BTreeMap<&'static str, &'static Builtin>,
    all: Vec<&'static Builtin>,
}

impl Registry {
    /// A registry of these functions. Of two with the same name the last wins; a test of `functions` forbids it.
    pub fn new(all: &[&'static Builtin]) -> Registry {
        let named = |builtin: &&'static Builtin| {
            let builtin = *builtin;
            std::iter::once(builtin.name)
                .chain(builtin.aliases.iter().copied())
                .map(move |name| (name, builtin))
        };
        Registry {
            by_name: all.iter().flat_map(named).collect(),
            all: all.to_vec(),
        }
    }

    /// The function with this name or alias, in any case.
    pub fn get(&self, name: &str) -> Option<&'static Builtin> {
        self.by_name.get(name.to_ascii_uppercase().as_str()).copied()
    }

    /// Names near to one that is not there.
    pub fn similar(&self, name: &str) -> Vec<String> {
        did_you_mean(name, self.by_name.keys().copied())
    }

    /// Every function once, in the order of registration.
    pub fn all(&self) -> &[&'static Builtin] {
        &self.all
    }
}
