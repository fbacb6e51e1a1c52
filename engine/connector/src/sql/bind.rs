//! Values beside a statement: counted, bounded, and instants printed as the database keeps them.

use dsl::catalogue::source;
use dsl::{Failure, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Driver;

/// Most characters of one value: a long text of an order, not a file.
const VALUE_MAX: usize = 1 << 20;

/// How a column keeps an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times<'a> {
    how: How,
    zone: &'a TimeZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// A clock's text in the declared zone.
    Clock,
    /// A clock's text in UTC.
    Utc,
    Seconds,
    Millis,
}

impl<'a> Times<'a> {
    pub(super) fn parse(word: Option<&str>, zone: &'a TimeZone) -> Option<Times<'a>> {
        let how = match word.unwrap_or("clock") {
            "clock" => How::Clock,
            "utc" => How::Utc,
            "unix_s" => How::Seconds,
            "unix_ms" => How::Millis,
            _ => return None,
        };
        Some(Times { how, zone })
    }

    /// Whether instants are compared as a clock's texts in the declared zone.
    pub(super) fn is_clock(self) -> bool {
        self.how == How::Clock
    }

    /// The value that an instant is compared as. A fraction has no zeros at its end, so that a column of texts is
    /// compared rightly too: `10:00:00` is not before a row of that second.
    pub(super) fn value(self, ms: i64) -> Value {
        let fraction = ms.rem_euclid(1000);
        let text = |zone: &TimeZone| {
            let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
            let seconds = at
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string();
            match fraction {
                0 => seconds,
                _ => format!("{seconds}.{}", format!("{fraction:03}").trim_end_matches('0')),
            }
        };
        match self.how {
            How::Clock => text(self.zone).into(),
            How::Utc => text(&TimeZone::UTC).into(),
            // The second in which the instant lies has begun: a row of that second is not before it.
            How::Seconds => (ms.div_euclid(1000) + i64::from(fraction > 0)).into(),
            How::Millis => ms.into(),
        }
    }

    /// The offset of an instant whose clock's text stands for two: an hour of autumn comes twice. Empty elsewhere.
    fn offset_where_needed(self, ms: i64) -> String {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let zoned = at.to_zoned(self.zone.clone());
        match self.is_clock() && self.zone.to_ambiguous_zoned(zoned.datetime()).is_ambiguous() {
            true => zoned.strftime("%:z").to_string(),
            false => String::new(),
        }
    }
}

/// What stands at a place of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    /// A value that is known.
    Value(&'a Value),
    /// The id that the database made for a document of the same call, counted from 0.
    Made(usize),
}

impl<'a> From<&'a Value> for Given<'a> {
    fn from(value: &'a Value) -> Self {
        Given::Value(value)
    }
}

/// A statement that is being written.
pub(super) struct Text<'a> {
    driver: Driver,
    times: Option<Times<'a>>,
    pub(super) sql: String,
    pub(super) binds: Vec<Value>,
    /// The names of a text of one's own, each with its placeholder: where placeholders have numbers, a name that
    /// stands twice is one value, whose type the system derives from either place.
    named: Vec<(String, String)>,
}

impl<'a> Text<'a> {
    pub(super) fn new(driver: Driver, times: Option<Times<'a>>) -> Text<'a> {
        Text {
            driver,
            times,
            sql: String::new(),
            binds: Vec::new(),
            named: Vec::new(),
        }
    }

    /// A placeholder for a name.
    pub(super) fn name(&mut self, name: &str, value: &Value) -> Result<(), Failure> {
        if let Some((_, placeholder)) = self.named.iter().find(|(known, _)| known == name) {
            self.sql.push_str(placeholder);
            return Ok(());
        }
        self.bind(name, value)?;
        if matches!(self.driver, Driver::Postgresql | Driver::Sqlserver) {
            let placeholder = self.driver.placeholder(self.binds.len());
            self.named.push((name.to_owned(), placeholder));
        }
        Ok(())
    }

    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// A placeholder, and its value beside it.
    pub(super) fn bind<'v>(
        &mut self,
        place: &str,
        value: impl Into<Given<'v>>,
    ) -> Result<&mut Self, Failure> {
        let value = match value.into() {
            // It is known to whoever executes the statements, and to nobody else.
            Given::Made(nth) => super::map([("made", i64::try_from(nth).unwrap_or(i64::MAX).into())]),
            Given::Value(Value::Instant(instant)) => {
                let times = self.times.ok_or_else(|| unbindable(place, "instant"))?;
                match (self.driver, times.value(instant.ms)) {
                    // A column without zone does not look at the offset.
                    (Driver::Postgresql, Value::Text(clock)) => {
                        format!("{clock}{}", times.offset_where_needed(instant.ms)).into()
                    }
                    (_, value) => value,
                }
            }
            Given::Value(value) => bindable(place, value)?,
        };
        self.binds.push(value);
        let placeholder = self.driver.placeholder(self.binds.len());
        self.sql.push_str(&placeholder);
        if self.binds.len() > self.driver.binds_max() {
            return Err(unbindable(place, &format!("> {}", self.driver.binds_max())));
        }
        Ok(self)
    }

    /// The same beside a column that it is compared with. MySQL compares a decimal with a text as floating point.
    pub(super) fn compared<'v>(
        &mut self,
        place: &str,
        value: impl Into<Given<'v>>,
    ) -> Result<&mut Self, Failure> {
        let value = value.into();
        let is_decimal = matches!(value, Given::Value(Value::Number(number)) if number.as_i64().is_none());
        if self.driver != Driver::Mysql || !is_decimal {
            return self.bind(place, value);
        }
        self.push("CAST(");
        self.bind(place, value)?;
        Ok(self.push(" AS DECIMAL(65,30))"))
    }

    /// Statement and values, as a step of the request.
    pub(super) fn step(self) -> Value {
        super::map([("sql", self.sql.into()), ("binds", self.binds.into())])
    }
}

/// A single value that a database can take.
fn bindable(place: &str, value: &Value) -> Result<Value, Failure> {
    match value {
        Value::Text(text) if text.len() > VALUE_MAX => Err(unbindable(place, &format!("> {VALUE_MAX}"))),
        // No system keeps it in a text, and one of them ends the text there.
        Value::Text(text) if text.contains('\0') => Err(unbindable(place, "U+0000")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Ok(value.clone()),
        Value::List(_) | Value::Map(_) | Value::Instant(_) => Err(unbindable(place, value.kind().name())),
    }
}

pub(super) fn unbindable(place: &str, why: &str) -> Failure {
    Failure::new(&source::SQL_VALUE)
        .with("name", place)
        .with("why", why)
        .at(place)
}
