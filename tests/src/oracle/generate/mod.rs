//! Expressions by chance, of a wanted kind and over the values that are worth a look.
//!
//! What can be made is one list of [`Item`]s: the operators, the forms with a syntax of their own, and every
//! function of `functions::ALL`, read from its constant, so that a new one is covered the moment it exists. The
//! root of a case is drawn evenly from that list; what stands below is drawn from the items that give the kind an
//! operand wants, and now and then from those that do not.

mod form;
mod leaf;
mod tune;

use std::collections::BTreeSet;

use dsl::builtin::{Builtin, Call, Count, Type};
use dsl::expr::{Bounds, compile};

use super::node::{Case, Cell, Lines, Node};
use crate::sim::rng::Rng;

use form::Form;

/// The most levels of operators and functions in a case.
const DEEPEST: u32 = 5;
/// Larger ones say nothing that smaller ones do not, and are slow to shrink.
const MOST_NODES: usize = 60;

/// What an operand is wanted to be: a kind of value, or the meaning of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Any,
    Number,
    Integer,
    Decimal,
    Double,
    Text,
    Bool,
    /// A date, a time or both.
    Temporal,
    Json,
    /// Digits to round to.
    Places,
    /// A position or a number of characters.
    Count,
    DateFormat,
    TimeFormat,
    JsonPath,
    LikePattern,
    Regex,
    Base,
    /// A separator, or a word that occurs in the texts.
    Needle,
    /// `a,b,c`.
    Set,
    Zone,
    /// A name of a unit in quotes, as the functions take it that are written with a bare one.
    Unit,
    /// A small number: days, months, years.
    Amount,
    /// Days since the year 0.
    Days,
    /// Seconds since 1970.
    Epoch,
    /// Bits of a hash.
    Bits,
    /// Digits of a second; the server takes nothing but a literal.
    Fraction,
    Hex,
    Base64,
}

/// Parts of the language that can be looked at alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Numbers: arithmetic, rounding, comparison.
    Numeric,
    /// Text functions and patterns.
    Text,
    /// Dates, times and intervals.
    Time,
    /// Choices and logic.
    Flow,
    /// JSON functions.
    Json,
    /// Conversions.
    Cast,
    /// Functions over the lines of a record.
    Lines,
}

impl Family {
    /// All of them with their names on the command line.
    pub const ALL: [(&'static str, Family); 7] = [
        ("numeric", Family::Numeric),
        ("text", Family::Text),
        ("time", Family::Time),
        ("flow", Family::Flow),
        ("json", Family::Json),
        ("cast", Family::Cast),
        ("lines", Family::Lines),
    ];
}

/// Something an expression can be made of.
#[derive(Debug, Clone, Copy)]
enum Item {
    Form(Form),
    Function(&'static Builtin),
}

/// Functions with a syntax of their own, which the server takes with that only.
const OWN_SYNTAX: &[&str] = &["EXTRACT", "TIMESTAMPDIFF", "TIMESTAMPADD", "GROUP_CONCAT"];

/// Functions whose result is another one at each call, with no way to tell the server what it shall be.
const BY_CHANCE: &[&str] = &["RAND", "UUID", "UUID_SHORT", "SYSDATE", "RANDOM_BYTES"];

impl Item {
    fn families(&self) -> Vec<Family> {
        match self {
            Item::Form(form) => form.families().to_vec(),
            Item::Function(builtin) => vec![family(builtin)],
        }
    }

    fn label(&self) -> String {
        match self {
            Item::Form(form) => format!("{form:?}"),
            Item::Function(builtin) => builtin.name.to_owned(),
        }
    }

    fn gives(&self, want: Want) -> bool {
        let gives = match self {
            Item::Form(form) => form.gives(),
            Item::Function(builtin) => match builtin.returns {
                Type::Text | Type::Json => Want::Text,
                Type::Number => Want::Number,
                Type::Integer => Want::Integer,
                Type::Bool => Want::Bool,
                Type::Time => Want::Temporal,
                Type::Any | Type::Interval | Type::Days | Type::List => Want::Any,
            },
        };
        gives == Want::Any
            || gives == want
            || match want {
                Want::Any => true,
                Want::Number => matches!(gives, Want::Integer | Want::Decimal | Want::Double | Want::Bool),
                Want::Decimal | Want::Double => gives == Want::Number,
                Want::Integer => matches!(gives, Want::Number | Want::Bool),
                _ => false,
            }
    }
}

fn family(builtin: &Builtin) -> Family {
    let takes = |kind| builtin.params.iter().any(|param| param.takes == kind);
    let choice = [
        "IF", "IFNULL", "NVL", "NVL2", "NULLIF", "COALESCE", "GREATEST", "LEAST", "ISNULL", "INTERVAL",
    ];
    if builtin.name.starts_with("JSON_") {
        Family::Json
    } else if takes(Type::List) {
        Family::Lines
    } else if choice.contains(&builtin.name) {
        Family::Flow
    } else if builtin.returns == Type::Time || takes(Type::Time) || takes(Type::Interval) {
        Family::Time
    } else if builtin.returns == Type::Text || takes(Type::Text) {
        Family::Text
    } else {
        Family::Numeric
    }
}

/// Everything that compiles today. A form whose probe does not compile is left out; that none is, a test says.
fn items() -> Vec<Item> {
    let registry = functions::registry();
    let bounds = Bounds::default();
    let forms = Form::ALL
        .iter()
        .filter(|form| compile(form.probe(), &registry, &bounds).is_ok())
        .map(|form| Item::Form(*form));
    let functions = functions::ALL
        .iter()
        .filter(|builtin| !BY_CHANCE.contains(&builtin.name) && !OWN_SYNTAX.contains(&builtin.name))
        .map(|builtin| Item::Function(builtin));
    forms.chain(functions).collect()
}

/// The column of texts.
const WORDS: usize = 2;

/// Makes cases.
#[derive(Debug)]
pub(super) struct Generator {
    items: Vec<Item>,
    roots: Vec<Item>,
}

impl Generator {
    /// One that makes cases whose root belongs to the family, or of every sort.
    pub(super) fn new(family: Option<Family>) -> Generator {
        let items = items();
        let roots = items
            .iter()
            .filter(|item| family.is_none_or(|family| item.families().contains(&family)))
            .copied()
            .collect();
        Generator { items, roots }
    }

    /// Names of what a case can have as its root, each in the first of its families only.
    pub(super) fn root_labels(&self, family: Family) -> BTreeSet<String> {
        let own = self.roots.iter().filter(|item| item.families()[0] == family);
        own.map(Item::label).collect()
    }

    /// The case with this number. The same seed and number give the same case.
    pub(super) fn case(&self, seed: u64, number: u64) -> Case {
        self.labelled(seed, number).1
    }

    /// The same with the name of its root.
    pub(super) fn labelled(&self, seed: u64, number: u64) -> (String, Case) {
        let mut making = Making {
            rng: Rng::new(seed.rotate_left(32) ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            items: &self.items,
            lines: Lines::default(),
            in_list: false,
        };
        loop {
            making.lines = Lines::default();
            let item = making.rng.pick(&self.roots);
            let depth = making.depth();
            let root = making.item(item, depth);
            if root.size() <= MOST_NODES {
                let lines = std::mem::take(&mut making.lines);
                return (item.label(), Case { root, lines });
            }
        }
    }
}

/// One case in the making.
struct Making<'g> {
    rng: Rng,
    items: &'g [Item],
    lines: Lines,
    /// Inside a list function: columns may be used, and no further list function.
    in_list: bool,
}

impl Making<'_> {
    /// True so many times in a hundred.
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.in_thousand(percent * 10)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = i64::try_from(bound).unwrap_or(i64::MAX);
        usize::try_from(self.rng.between(0, bound)).unwrap_or(0)
    }

    /// Shallow ones most of the time: what differs shows in small expressions, and there are more of them.
    fn depth(&mut self) -> u32 {
        self.rng.pick(&[1, 1, 1, 2, 2, 2, 3, 3, 4, DEEPEST])
    }

    /// An operand; `depth` levels may stand below the one that asks.
    fn operand(&mut self, want: Want, depth: u32) -> Node {
        if matches!(want, Want::Fraction | Want::Days) {
            return self.leaf(want);
        }
        let want = self.strayed(want);
        if depth == 0 || self.chance(35) {
            return self.leaf(want);
        }
        let fitting: Vec<Item> = self
            .items
            .iter()
            .filter(|item| item.gives(kind_of(want)))
            .filter(|item| !(self.in_list && item.families().contains(&Family::Lines)))
            .copied()
            .collect();
        if fitting.is_empty() || (kind_of(want) != want && self.chance(80)) {
            return self.leaf(want);
        }
        let item = self.rng.pick(&fitting);
        self.item(item, depth)
    }

    /// Now and then something else than what fits: implicit conversion is where results differ.
    fn strayed(&mut self, want: Want) -> Want {
        let argument = kind_of(want) != want;
        if self.chance(if argument { 6 } else { 14 }) {
            self.rng.pick(&[
                Want::Integer,
                Want::Decimal,
                Want::Double,
                Want::Text,
                Want::Text,
                Want::Bool,
                Want::Temporal,
                Want::Any,
            ])
        } else {
            want
        }
    }

    fn item(&mut self, item: Item, depth: u32) -> Node {
        match item {
            Item::Form(form) => form.make(self, depth.saturating_sub(1)),
            Item::Function(builtin) => self.function(builtin, depth.saturating_sub(1)),
        }
    }

    fn function(&mut self, builtin: &'static Builtin, depth: u32) -> Node {
        let mut names = vec![builtin.name; 3];
        names.extend(builtin.aliases.iter().filter(|name| !BY_CHANCE.contains(name)));
        let name = self.rng.pick(&names);
        if let Call::Aggregate(_) = builtin.call {
            return self.over_lines(name, "", depth);
        }
        let (least, most) = builtin.arity();
        let extra = match most {
            Some(most) if most == least => 0,
            Some(most) => self.below(most - least + 1),
            None => self.rng.pick(&[0, 1, 1, 2, 2, 3, 5]),
        };
        // A wrong number of arguments is refused by both.
        let count = if builtin.name == "TRIM" {
            1
        } else if self.rng.in_thousand(3) {
            self.below(5)
        } else {
            match builtin.in_pairs() {
                true => least + extra * 2,
                false => least + extra,
            }
        };
        let kids = (0..count)
            .map(|index| {
                let param = builtin.param(index);
                if param.is_some_and(|param| param.takes == Type::Interval) {
                    return form::interval(self, depth);
                }
                let want = tune::want(builtin.name, index).unwrap_or(match param.map(|p| p.takes) {
                    Some(Type::Text) => Want::Text,
                    Some(Type::Number) => Want::Number,
                    Some(Type::Integer) => Want::Amount,
                    Some(Type::Bool) => Want::Bool,
                    Some(Type::Time) => Want::Temporal,
                    _ => Want::Any,
                });
                // The branches of a choice are often of one kind.
                let want = match (want, param.map(|param| param.count)) {
                    (Want::Any, Some(Count::Any)) if self.chance(50) => Want::Number,
                    _ => want,
                };
                self.operand(want, depth)
            })
            .collect();
        Node::call(name, kids)
    }

    /// `NAME(DISTINCT x)` over the lines.
    fn over_lines(&mut self, name: &str, distinct: &str, depth: u32) -> Node {
        if self.in_list {
            return self.leaf(Want::Number);
        }
        self.make_lines();
        self.in_list = true;
        let want = if matches!(name, "SUM" | "AVG") {
            Want::Number
        } else {
            Want::Any
        };
        let kid = self.operand(want, depth);
        let kid = if kid.has_column() {
            kid
        } else {
            self.leaf_column(want)
        };
        self.in_list = false;
        let head = format!("{name}({distinct}");
        let server = vec![
            format!("(SELECT {head}"),
            format!(") FROM {} l)", super::node::LINES),
        ];
        Node::build(name, vec![head, ")".to_owned()], vec![kid]).for_server(server)
    }

    /// Lines with a column of integers, one of decimals, and one of texts: words, or digits, which a text
    /// substitution makes numbers of.
    fn make_lines(&mut self) {
        if self.lines.columns > 0 {
            return;
        }
        let rows = self.rng.pick(&[0, 1, 1, 2, 3, 3, 4, 6]);
        let scale = self.rng.pick(&[1, 2, 2, 4]);
        let empty = self.rng.pick(&[0, 10, 40]);
        let digits = self.chance(40);
        self.lines.words = (!digits).then_some(WORDS);
        self.lines.columns = 3;
        self.lines.rows = (0..rows)
            .map(|row| {
                let mut line = vec![
                    Cell::Number(self.small_integer()),
                    Cell::Number(self.decimal_of_scale(scale)),
                    if digits {
                        Cell::Digits(self.decimal_of_scale(2))
                    } else {
                        Cell::Text(self.text())
                    },
                ];
                // A column needs one value to have a type.
                for (index, cell) in line.iter_mut().enumerate().filter(|_| row > 0) {
                    if self.chance(empty) && self.lines.words != Some(index) {
                        *cell = Cell::Null;
                    }
                }
                line
            })
            .collect();
    }
}

/// The kind of value behind the meaning of an argument.
fn kind_of(want: Want) -> Want {
    match want {
        Want::Places
        | Want::Count
        | Want::Base
        | Want::Amount
        | Want::Epoch
        | Want::Bits
        | Want::Fraction => Want::Integer,
        Want::DateFormat
        | Want::TimeFormat
        | Want::JsonPath
        | Want::LikePattern
        | Want::Regex
        | Want::Needle
        | Want::Set
        | Want::Zone
        | Want::Unit
        | Want::Hex
        | Want::Base64
        | Want::Json => Want::Text,
        kind => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_depends_on_seed_and_number_only() {
        let generator = Generator::new(None);
        for number in 0..50 {
            let (a, b) = (generator.case(7, number), generator.case(7, number));
            assert_eq!((a.ours(), a.server()), (b.ours(), b.server()));
        }
        assert_ne!(generator.case(7, 1).server(), generator.case(8, 1).server());
    }

    #[test]
    fn every_form_compiles() {
        let (registry, bounds) = (functions::registry(), Bounds::default());
        for form in Form::ALL {
            assert!(
                compile(form.probe(), &registry, &bounds).is_ok(),
                "{}",
                form.probe()
            );
        }
    }

    #[test]
    fn every_family_has_roots() {
        for (name, family) in Family::ALL {
            if family != Family::Json {
                assert!(!Generator::new(Some(family)).roots.is_empty(), "{name}");
            }
        }
    }
}
