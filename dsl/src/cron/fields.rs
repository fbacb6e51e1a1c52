//! The fields of a cron text, read one by one: what is wrong has its place, and Quartz becomes the common form.

use std::ops::Range;

/// What is wrong with a cron text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which bytes of the text.
    pub at: Range<usize>,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Fault {
    fn new(at: Range<usize>, zh: impl Into<String>, en: impl Into<String>) -> Fault {
        Fault {
            at,
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// What only the crate finds wrong, in its own words.
    pub(super) fn whole(text: &str, words: &str) -> Fault {
        Fault::new(0..text.len(), words, words)
    }
}

/// A kind of field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Kind {
    const FIVE: [Kind; 5] = [Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::Weekday];

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Second => ("秒", "seconds"),
            Kind::Minute => ("分钟", "minutes"),
            Kind::Hour => ("小时", "hours"),
            Kind::Day => ("日", "days of the month"),
            Kind::Month => ("月", "months"),
            Kind::Weekday => ("星期", "weekdays"),
        }
    }

    /// The numbers it may hold, as written.
    fn bounds(self, quartz: bool) -> (u8, u8) {
        match self {
            Kind::Second | Kind::Minute => (0, 59),
            Kind::Hour => (0, 23),
            Kind::Day => (1, 31),
            Kind::Month => (1, 12),
            Kind::Weekday if quartz => (1, 7),
            Kind::Weekday => (0, 7),
        }
    }

    /// How many different values it has: a longer step would leave only the first, which is never meant.
    fn values(self) -> u8 {
        match self {
            Kind::Second | Kind::Minute => 60,
            Kind::Hour => 24,
            Kind::Day => 31,
            Kind::Month => 12,
            Kind::Weekday => 7,
        }
    }
}

/// A text, field by field, in the common form.
#[derive(Debug)]
pub(super) struct Fields {
    /// Read as Quartz.
    pub(super) is_quartz: bool,
    seconds: String,
    five: [String; 5],
    /// Bit n: hour n is named.
    hours: u32,
}

impl Fields {
    pub(super) fn read(text: &str) -> Result<Fields, Vec<Fault>> {
        let parts = parts(text);
        let (seconds, five) = match parts.as_slice() {
            [minute, hour, day, month, weekday] => (None, [minute, hour, day, month, weekday]),
            [second, minute, hour, day, month, weekday] => {
                (Some(second), [minute, hour, day, month, weekday])
            }
            _ => {
                let count = parts.len();
                return Err(vec![Fault::new(
                    0..text.len(),
                    format!("有 {count} 段,应为五段(分 时 日 月 星期)或六段(前面加秒)"),
                    format!(
                        "it has {count} fields and not five (minute, hour, day, month, weekday) or six (seconds before)"
                    ),
                )]);
            }
        };
        let is_quartz = seconds.is_some() || parts.iter().any(|part| is_quartz(&text[part.clone()]));
        let mut reader = Reader {
            text,
            is_quartz,
            hours: 0,
            faults: Vec::new(),
        };
        let seconds = match seconds {
            Some(part) => reader.field(part, Kind::Second),
            None => "0".to_owned(),
        };
        let mut read = [const { String::new() }; 5];
        for ((slot, part), kind) in read.iter_mut().zip(five).zip(Kind::FIVE) {
            *slot = reader.field(part, kind);
        }
        if !reader.faults.is_empty() {
            return Err(reader.faults);
        }
        Ok(Fields {
            is_quartz,
            seconds,
            five: read,
            hours: reader.hours,
        })
    }

    /// The common form: seconds only where they are not 0.
    pub(super) fn reading(&self) -> String {
        let five = self.five.join(" ");
        match self.seconds.as_str() {
            "0" => five,
            seconds => format!("{seconds} {five}"),
        }
    }

    /// Comes in every hour of the day.
    pub(super) fn is_hourly(&self) -> bool {
        self.hours == (1 << 24) - 1
    }

    /// Says "every so many minutes", or every hour.
    pub(super) fn is_frequent(&self) -> bool {
        let steps = |field: &String| field.contains(['*', '/']);
        self.is_hourly() || steps(&self.five[0]) || steps(&self.seconds)
    }
}

/// Where the fields stand.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut begun = None;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        match (byte == b' ', begun) {
            (false, None) => begun = Some(at),
            (true, Some(from)) => {
                parts.push(from..at);
                begun = None;
            }
            _ => {}
        }
    }
    parts
}

/// What only Quartz writes: `?`, and a step from a number without an end.
fn is_quartz(field: &str) -> bool {
    let open_step = |item: &str| {
        let from = item.split_once('/').map(|(from, _)| from);
        from.is_some_and(|from| from != "*" && !from.contains('-'))
    };
    field.contains('?') || field.split(',').any(open_step)
}

struct Reader<'t> {
    text: &'t str,
    is_quartz: bool,
    hours: u32,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn field(&mut self, part: &Range<usize>, kind: Kind) -> String {
        let mut items = Vec::new();
        let mut at = part.start;
        for item in self.text[part.clone()].split(',') {
            let place = at..at + item.len();
            match self.item(item, place, kind) {
                Ok(item) => items.push(item),
                Err(fault) => self.faults.push(fault),
            }
            at += item.len() + 1;
        }
        items.join(",")
    }

    fn item(&mut self, item: &str, at: Range<usize>, kind: Kind) -> Result<String, Fault> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if let Some(special) = self.special(item, &at, kind)? {
            return Ok(special);
        }
        let step = step.map(|step| self.step(step, &at, kind)).transpose()?;
        let all = range == "*" || range == "?" && matches!(kind, Kind::Day | Kind::Weekday);
        let (low, high) = kind.bounds(self.is_quartz);
        let (from, to) = match range.split_once('-') {
            _ if all => (low, high),
            Some((from, to)) => (self.number(from, &at, kind)?, self.number(to, &at, kind)?),
            None => {
                let from = self.number(range, &at, kind)?;
                (from, if step.is_some() { high } else { from })
            }
        };
        // Sunday is the end of a range, too.
        let sunday = kind == Kind::Weekday && !self.is_quartz && to == 0 && from > 0 && range.contains('-');
        let to = if sunday { 7 } else { to };
        if from > to {
            return Err(Fault::new(
                at,
                format!("范围 {item} 的结束在开始之前;跨过边界时写成两段,例如 22-23,0-6"),
                format!(
                    "the range {item} ends before it begins; one over the edge is two, such as 22-23,0-6"
                ),
            ));
        }
        if kind == Kind::Hour {
            for hour in (from..=to).step_by(usize::from(step.unwrap_or(1))) {
                self.hours |= 1 << hour;
            }
        }
        // Weekdays of Quartz count from 1.
        let shift = u8::from(kind == Kind::Weekday && self.is_quartz);
        let (from, to) = (from - shift, to - shift);
        Ok(match (all, step) {
            (true, None | Some(1)) => "*".to_owned(),
            (true, Some(step)) => format!("*/{step}"),
            (false, Some(step)) if step > 1 => format!("{from}-{to}/{step}"),
            (false, _) if from == to => from.to_string(),
            (false, _) => format!("{from}-{to}"),
        })
    }

    /// `L`, `LW`, `15W` of days; `L`, `6L`, `2#1` of weekdays.
    fn special(&self, item: &str, at: &Range<usize>, kind: Kind) -> Result<Option<String>, Fault> {
        let upper = item.to_ascii_uppercase();
        let name = WEEKDAYS.contains(&upper.as_str()) || MONTHS.contains(&upper.as_str());
        if name
            || !upper.contains(['L', 'W', '#'])
            || upper
                .split(['-', '/'])
                .any(|word| WEEKDAYS.contains(&word) || MONTHS.contains(&word))
        {
            return Ok(None);
        }
        let shift = u8::from(self.is_quartz);
        let read = match kind {
            Kind::Day if upper == "L" || upper == "LW" => Some(upper.clone()),
            Kind::Day => match upper.strip_suffix('W') {
                Some(day) => Some(format!("{}W", self.number(day, at, kind)?)),
                None => None,
            },
            // Saturday is the last day of Quartz's week.
            Kind::Weekday if upper == "L" && self.is_quartz => Some("6".to_owned()),
            Kind::Weekday => match (upper.strip_suffix('L'), upper.split_once('#')) {
                (Some(day), _) => Some(format!("{}L", self.number(day, at, kind)? - shift)),
                (None, Some((day, nth @ ("1" | "2" | "3" | "4" | "5")))) => {
                    Some(format!("{}#{nth}", self.number(day, at, kind)? - shift))
                }
                _ => None,
            },
            Kind::Second | Kind::Minute | Kind::Hour | Kind::Month => None,
        };
        match read {
            Some(read) => Ok(Some(read)),
            None => Err(self.unknown(item, at, kind)),
        }
    }

    fn step(&self, step: &str, at: &Range<usize>, kind: Kind) -> Result<u8, Fault> {
        let most = kind.values();
        let (zh, en) = kind.words();
        let number = small(step).filter(|step| (1..=most).contains(step));
        number.ok_or_else(|| {
            Fault::new(
                at.clone(),
                format!("步长 {step} 不在{zh}的 1 到 {most} 之内"),
                format!("a step of {step} is not within 1 to {most}, the length of the {en} field"),
            )
        })
    }

    fn number(&self, word: &str, at: &Range<usize>, kind: Kind) -> Result<u8, Fault> {
        let upper = word.to_ascii_uppercase();
        let named = match kind {
            Kind::Month => MONTHS.iter().position(|name| *name == upper).map(|at| at + 1),
            Kind::Weekday => {
                let day = WEEKDAYS.iter().position(|name| *name == upper);
                day.map(|at| at + usize::from(self.is_quartz))
            }
            _ => None,
        };
        if let Some(number) = named.and_then(|number| u8::try_from(number).ok()) {
            return Ok(number);
        }
        let (low, high) = kind.bounds(self.is_quartz);
        match small(word) {
            Some(number) if (low..=high).contains(&number) => Ok(number),
            Some(_) if kind == Kind::Weekday && self.is_quartz => Err(Fault::new(
                at.clone(),
                format!("按 Quartz 读取时星期是 1(星期日)到 7(星期六),{word} 不是;也可以写 MON"),
                format!(
                    "read as Quartz, weekdays are 1 (Sunday) to 7 (Saturday), and {word} is none; MON may be written, too"
                ),
            )),
            Some(_) => {
                let (zh, en) = kind.words();
                Err(Fault::new(
                    at.clone(),
                    format!("{word} 不在{zh}的 {low} 到 {high} 之内"),
                    format!("{word} is not within {low} to {high}, the {en}"),
                ))
            }
            None => Err(self.unknown(word, at, kind)),
        }
    }

    fn unknown(&self, word: &str, at: &Range<usize>, kind: Kind) -> Fault {
        let (zh, en) = kind.words();
        let word = if word.is_empty() {
            &self.text[at.clone()]
        } else {
            word
        };
        Fault::new(
            at.clone(),
            format!("{zh}一段里看不懂 `{word}`"),
            format!("`{word}` says nothing in the {en} field"),
        )
    }
}

/// A number of one or two digits.
fn small(word: &str) -> Option<u8> {
    let digits = (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}
