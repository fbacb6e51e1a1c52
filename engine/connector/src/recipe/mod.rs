//! Recipes: the small expressions of a connector file over an answer, or over the bytes to be signed.
//!
//! A recipe is compiled when the file is loaded and evaluated with bounded fuel. Sort order and hashes are the same
//! on every machine; escaping is off. What a recipe may name is checked at load, so that a misspelt name is an
//! error of the file and not an empty text in a signature. A recipe never sees anything but what it is given: it
//! has no file, no network and no clock of its own.

mod bytes;
pub(crate) mod data;
mod filters;
mod rsa;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::Value as Jinja;
use minijinja::{AutoEscape, Environment, ErrorKind, Expression, UndefinedBehavior};

pub(crate) use filters::{b64, bytes_of, urlenc};

/// Instructions that one evaluation may use. The longest recipe we know needs fewer than two hundred.
const FUEL: u64 = 50_000;

/// A recipe's text may have this many bytes; the longest we know has about two hundred.
pub(crate) const TEXT_MAX: usize = 4096;

/// What a missing name does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is an error: in a signature an empty text would only be refused by the vendor.
    Fails,
    /// It is undefined, and so are its members: answers come in many shapes.
    IsUndefined,
}

static STRICT: LazyLock<Environment<'static>> = LazyLock::new(|| environment(UndefinedBehavior::Strict));
static CHAINABLE: LazyLock<Environment<'static>> =
    LazyLock::new(|| environment(UndefinedBehavior::Chainable));

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(undefined);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(64);
    filters::install(&mut env);
    env
}

/// A compiled recipe.
pub(crate) struct Recipe {
    expression: Expression<'static, 'static>,
    text: String,
    reads: Vec<String>,
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipe({:?})", self.text)
    }
}

/// Why a text is not a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CompileError {
    /// Longer than [`TEXT_MAX`].
    TooLong,
    /// Not an expression.
    Syntax(String),
    /// A name that stands for nothing here.
    Name(String),
    /// A filter or test that does not exist.
    Filter(String),
}

/// Why a recipe gave no value. The text names no value, because a value may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unevaluated(pub(crate) String);

/// What a recipe is evaluated over: the names and the attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, Jinja>);

impl Names {
    /// Adds a name.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: Jinja) {
        self.0.insert(name.into(), value);
    }

    /// Adds the instant and the randomness of one attempt, for `now` and `rand`.
    pub(crate) fn attempt(&mut self, at_ms: i64, entropy: [u8; 16], zone: &str) {
        self.set(filters::CLOCK, Jinja::from(at_ms));
        self.set(
            filters::ENTROPY,
            Jinja::from_object(filters::Entropy::new(entropy)),
        );
        self.set(filters::ZONE, Jinja::from(zone));
    }
}

/// Several names under one.
pub(crate) fn map<const N: usize>(members: [(&str, Jinja); N]) -> Jinja {
    Jinja::from(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<BTreeMap<_, _>>(),
    )
}

/// Bytes as a recipe sees them: no text until an encoding makes them one.
pub(crate) fn raw(bytes: Vec<u8>) -> Jinja {
    bytes::value(bytes)
}

impl Recipe {
    /// Compiles a text. `known` says which names it may use.
    pub(crate) fn compile(
        text: &str,
        missing: Missing,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Recipe, CompileError> {
        if text.len() > TEXT_MAX {
            return Err(CompileError::TooLong);
        }
        let env: &'static Environment<'static> = match missing {
            Missing::Fails => &STRICT,
            Missing::IsUndefined => &CHAINABLE,
        };
        let expression = env.compile_expression_owned(text.to_owned()).map_err(|error| {
            CompileError::Syntax(
                error
                    .detail()
                    .map_or_else(|| error.kind().to_string(), str::to_owned),
            )
        })?;
        let mut reads: Vec<String> = expression.undeclared_variables(false).into_iter().collect();
        reads.sort();
        reads.retain(|name| !filters::FUNCTIONS.contains(&name.as_str()));
        if let Some(name) = reads.iter().find(|name| !known(name)) {
            return Err(CompileError::Name(name.clone()));
        }
        match unknown_filter(text) {
            Some(name) => Err(CompileError::Filter(name)),
            None => Ok(Recipe {
                expression,
                text: text.to_owned(),
                reads,
            }),
        }
    }

    /// The recipe as it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names it reads.
    pub(crate) fn reads(&self) -> &[String] {
        &self.reads
    }

    /// The members of a name that it reads, as in `session.spk`.
    pub(crate) fn members_of(&self, name: &str) -> Vec<String> {
        let words = words(&self.text);
        let members = words
            .windows(3)
            .filter(|three| three[0] == name && three[1] == ".");
        members.map(|three| three[2].to_owned()).collect()
    }

    /// Computes the value.
    pub(crate) fn eval(&self, names: &Names) -> Result<Jinja, Unevaluated> {
        bytes::watch();
        let result = self.expression.eval(Jinja::from(names.0.clone()));
        if bytes::printed() {
            return Err(Unevaluated(
                "raw bytes were used as text; hex, b64 and their like make text".to_owned(),
            ));
        }
        result.map_err(|error| Unevaluated(describe(&error)))
    }

    /// Computes a condition; one that cannot be computed does not hold.
    pub(crate) fn holds(&self, names: &Names) -> bool {
        self.eval(names).is_ok_and(|value| value.is_true())
    }
}

/// Our own words for our own errors; the engine's may quote values, so only their kind is told.
fn describe(error: &minijinja::Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::InvalidOperation, Some(detail))
            if detail.split_once(": ").is_some_and(|(name, _)| is_ours(name)) =>
        {
            detail.to_owned()
        }
        (ErrorKind::OutOfFuel, _) => "it takes too many steps".to_owned(),
        (kind, _) => kind.to_string(),
    }
}

fn is_ours(name: &str) -> bool {
    name == "value" || filters::FILTERS.contains(&name) || filters::FUNCTIONS.contains(&name)
}

/// The first filter or test in a text that recipes do not have. The engine finds this only when it runs.
fn unknown_filter(text: &str) -> Option<String> {
    let words = words(text);
    for (index, word) in words.iter().enumerate() {
        let next = |skip: usize| words.get(index + skip).copied();
        let missing = match *word {
            "|" => next(1).filter(|name| !FILTER_NAMES.contains(name) && !filters::FILTERS.contains(name)),
            "is" => {
                let name = if next(1) == Some("not") { next(2) } else { next(1) };
                name.filter(|name| !TEST_NAMES.contains(name))
            }
            _ => None,
        };
        if let Some(name) = missing {
            return Some(name.to_owned());
        }
    }
    None
}

/// Filters of the expression engine that recipes may use: those whose result does not depend on a locale or a
/// version. Pinned here so that a new version of the engine cannot change what a file may say.
const FILTER_NAMES: &[&str] = &[
    "abs",
    "attr",
    "bool",
    "capitalize",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "int",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "trim",
    "unique",
    "upper",
];

/// Tests of the expression engine that recipes may use.
const TEST_NAMES: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "false",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
];

/// Words and single signs of an expression, without the contents of quoted texts.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        if first == '\'' || first == '"' {
            while let Some((_, inner)) = chars.next() {
                if inner == '\\' {
                    chars.next();
                } else if inner == first {
                    break;
                }
            }
        } else if first.is_alphanumeric() || first == '_' {
            let mut end = start + first.len_utf8();
            while let Some(&(at, next)) = chars.peek() {
                if !(next.is_alphanumeric() || next == '_') {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
            words.push(&text[start..end]);
        } else if !first.is_whitespace() {
            words.push(&text[start..start + first.len_utf8()]);
        }
    }
    words
}

/// The filters and tests of the expression engine, the filters and the functions added here.
pub(crate) fn vocabulary() -> [&'static [&'static str]; 4] {
    [FILTER_NAMES, TEST_NAMES, filters::FILTERS, filters::FUNCTIONS]
}

/// Candidates for "did you mean" after an unknown filter.
pub(crate) fn filter_names() -> impl Iterator<Item = &'static str> {
    FILTER_NAMES
        .iter()
        .chain(TEST_NAMES)
        .chain(filters::FILTERS)
        .copied()
}

#[cfg(test)]
mod tests;
