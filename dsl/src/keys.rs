//! Keys of a file, as a table: name, shape, default, and what it is for in Chinese and English.
//!
//! From one table come the strict walk ([`walk`]), the JSON Schema ([`crate::schema`]) and the reference page, so that
//! they cannot differ. What a value means beyond its shape is left to whoever reads it.

mod scheme;
mod values;
mod walk;
mod words;

pub(crate) use scheme::FIELD_SIDES;
pub use scheme::SCHEME;
pub use values::{MAKERS, MANNERS, Maker, OPERATORS};
pub(crate) use values::{arguments, words};
pub use walk::walk;
pub(crate) use walk::{integer, text};
pub use words::{CRON, DAYS, DURATION, HOURS, ID, MOMENT, RATE, ZONE, duration_ms, rate};

/// One key of a block.
#[derive(Debug, Clone, Copy)]
pub struct KeyRow {
    /// Its name.
    pub key: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What holds when it is not there, in the file's own words; empty when nothing does.
    pub default: &'static str,
    /// What it is for, in Chinese.
    pub zh: &'static str,
    /// What it is for, in English.
    pub en: &'static str,
    /// How it may be written.
    pub example: &'static str,
}

impl KeyRow {
    /// A key that may be left out.
    pub const fn new(key: &'static str, shape: Shape, zh: &'static str, en: &'static str) -> KeyRow {
        KeyRow {
            key,
            shape,
            required: false,
            default: "",
            zh,
            en,
            example: "",
        }
    }

    /// It must be there.
    #[must_use]
    pub const fn required(self) -> KeyRow {
        KeyRow {
            required: true,
            ..self
        }
    }

    /// What holds when it is not there.
    #[must_use]
    pub const fn default(self, default: &'static str) -> KeyRow {
        KeyRow { default, ..self }
    }

    /// How it may be written.
    #[must_use]
    pub const fn example(self, example: &'static str) -> KeyRow {
        KeyRow { example, ..self }
    }
}

/// A map whose keys are known.
#[derive(Debug)]
pub struct Block {
    /// What it is called in messages and in the schema.
    pub name: &'static str,
    /// Its keys, in the order of the reference.
    pub rows: &'static [KeyRow],
    /// Sets of keys of which exactly one must be written; empty when there is no such rule.
    pub one_of: &'static [&'static [&'static str]],
    /// Fewest keys.
    pub least: usize,
}

/// A block of which no key needs another one.
pub(crate) const fn block(name: &'static str, rows: &'static [KeyRow]) -> Block {
    Block {
        name,
        rows,
        one_of: &[],
        least: 0,
    }
}

impl Block {
    /// The row of a key.
    pub fn row(&self, key: &str) -> Option<&'static KeyRow> {
        self.rows.iter().find(|row| row.key == key)
    }
}

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Text; a number or truth value counts as the text it was written with.
    Text,
    /// Text of a certain form.
    Word(&'static Word),
    /// `true` or `false`.
    Bool,
    /// A whole number, from and to.
    Int(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The path of a field.
    Path,
    /// One path, or a list of them.
    Paths,
    /// A value place: anything section "values" of the reference allows.
    Value,
    /// A map of value places, or a map with `$` keys.
    Values,
    /// A condition; `true` when `on_line` may stand in it.
    Cond(bool),
    /// Data in which nothing is read.
    Data,
    /// A map in which nothing is read.
    DataMap,
    /// A map with known keys.
    Block(&'static Block),
    /// A list.
    List(&'static Shape),
    /// A map with names of the author's.
    Map(&'static Shape),
    /// One of several shapes that differ at first sight.
    OneOf(&'static [Shape]),
}

/// Text of a certain form.
#[derive(Debug)]
pub struct Word {
    /// The form as a regular expression.
    pub pattern: &'static str,
    /// The same, as code.
    pub fits: fn(&str) -> bool,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
}

impl Shape {
    /// What it is, in Chinese and English.
    pub fn words(&self) -> (String, String) {
        let same = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        match self {
            Shape::Text => same("文本", "a text"),
            Shape::Word(word) => same(word.zh, word.en),
            Shape::Bool => same("true 或 false", "true or false"),
            Shape::Int(low, high) if *high == i64::MAX => (
                format!("不小于 {low} 的整数"),
                format!("an integer of at least {low}"),
            ),
            Shape::Int(low, high) => (
                format!("{low} 到 {high} 的整数"),
                format!("an integer from {low} to {high}"),
            ),
            Shape::Choice([only]) => same(only, only),
            Shape::Choice(words) => (
                format!("以下之一:{}", words.join(" ")),
                format!("one of {}", words.join(" ")),
            ),
            Shape::Path => same("字段路径", "the path of a field"),
            Shape::Paths => same("字段路径或它们的列表", "the path of a field, or a list of paths"),
            Shape::Value => same("值", "a value"),
            Shape::Values => same("“名称: 值” 的对象", "a map of name to value"),
            Shape::Cond(_) => same("条件", "a condition"),
            Shape::Data => same("数据", "data"),
            Shape::DataMap | Shape::Block(_) | Shape::Map(_) => same("对象", "a map"),
            Shape::List(_) => same("列表", "a list"),
            Shape::OneOf(shapes) => {
                let (zh, en): (Vec<String>, Vec<String>) = shapes.iter().map(Shape::words).unzip();
                (zh.join(",或"), en.join(", or "))
            }
        }
    }
}
