//! Paths to a field: `a.b`, `owner.0`, `lines.*.qty`, `'a\.b'`.
//!
//! A path is taken apart once and then walks values. What a name with `$` stands for is left to whoever asks
//! [`Path::is_special`].

use std::fmt;

use crate::diagnostic::Lang;
use crate::value::{Map, Value};

/// A path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    segments: Vec<Segment>,
    /// Written with one `$` in front: a name of the engine.
    special: bool,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A member of a map.
    Name(String),
    /// An element of a list, from 0; on a map the member whose name is these digits.
    Index(usize),
    /// Every element of a list.
    All,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The byte in the text.
    pub at: usize,
    /// What is wrong there.
    pub what: PathFault,
}

/// What is wrong with a text that should be a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// There is no text.
    Empty,
    /// Two dots in a row, or a dot at an end.
    EmptyName,
    /// A backslash in front of something that needs none, or at the end.
    Escape,
}

impl PathFault {
    /// In words.
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            PathFault::Empty => lang.pick("路径为空", "the path is empty"),
            PathFault::EmptyName => lang.pick("两个点之间没有名称", "there is no name between two dots"),
            PathFault::Escape => lang.pick(
                "反斜杠后面只能是 . * \\ 或数字",
                "a backslash may only stand before . * \\ or a digit",
            ),
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what.words(Lang::En))
    }
}

impl std::error::Error for PathError {}

impl Path {
    /// Takes a path apart. Blanks belong to names; `$$x` is the data field `$x`.
    ///
    /// ```
    /// use dsl::path::Path;
    /// assert_eq!(Path::parse("lines.*.qty").unwrap().to_string(), "lines.*.qty");
    /// assert!(Path::parse("$window.start").unwrap().is_special());
    /// assert!(Path::parse("a..b").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Path, PathError> {
        if text.is_empty() {
            return Err(PathError {
                at: 0,
                what: PathFault::Empty,
            });
        }
        let data = text.starts_with("$$");
        let start = usize::from(data);
        let mut segments = Vec::new();
        let mut reader = SegmentReader::default();
        let mut chars = text.char_indices().skip(start);
        while let Some((at, char)) = chars.next() {
            match char {
                '.' => segments.push(reader.take(at)?),
                '\\' => match chars.next() {
                    Some((_, escaped @ ('.' | '*' | '\\' | '0'..='9'))) => reader.escaped(escaped),
                    _ => {
                        return Err(PathError {
                            at,
                            what: PathFault::Escape,
                        });
                    }
                },
                _ => reader.push(char),
            }
        }
        segments.push(reader.take(text.len())?);
        Ok(Path {
            segments,
            special: text.starts_with('$') && !data,
        })
    }

    /// A path of data field names, taken as they are: no dot, star, digit or `$` in them means anything.
    pub fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Path {
        Path {
            segments: names.into_iter().map(|name| Segment::Name(name.into())).collect(),
            special: false,
        }
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the first name belongs to the engine: it was written with one `$`.
    pub fn is_special(&self) -> bool {
        self.special
    }

    /// The first step, if it is a name. For a special path this begins with `$`.
    pub fn first_name(&self) -> Option<&str> {
        match self.segments.first() {
            Some(Segment::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// The last step, if it is a name.
    pub fn last_name(&self) -> Option<&str> {
        match self.segments.last() {
            Some(Segment::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether the path can name several values.
    pub fn has_all(&self) -> bool {
        self.segments.contains(&Segment::All)
    }

    /// What is left of this path below `front`, when `front` is its beginning.
    pub fn below(&self, front: &Path) -> Option<Path> {
        let rest = self.segments.strip_prefix(front.segments.as_slice())?;
        (self.special == front.special).then(|| Path {
            segments: rest.to_vec(),
            special: false,
        })
    }

    /// This path, and below it `rest`.
    #[must_use]
    pub fn join(&self, rest: &Path) -> Path {
        let segments = self.segments.iter().chain(&rest.segments).cloned().collect();
        Path {
            segments,
            special: if self.segments.is_empty() {
                rest.special
            } else {
                self.special
            },
        }
    }

    /// This path and one more name.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Path {
        let mut path = self.clone();
        path.segments.push(Segment::Name(name.into()));
        path
    }

    /// The one value at this path. A path with `*` names no single value.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.segments
            .iter()
            .try_fold(value, |value, segment| step(value, segment))
    }

    /// Every value at this path, in order.
    pub fn get_all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for segment in &self.segments {
            found = match segment {
                Segment::All => found
                    .iter()
                    .filter_map(|value| value.as_list())
                    .flatten()
                    .collect(),
                _ => found
                    .into_iter()
                    .filter_map(|value| step(value, segment))
                    .collect(),
            };
        }
        found
    }

    /// Puts a value at this path and makes the maps on the way. An index reaches an element that is there, or the
    /// place just behind the last. Says whether there was a place: a scalar on the way is not overwritten.
    pub fn set(&self, root: &mut Value, value: Value) -> bool {
        set(root, &self.segments, value)
    }

    /// Takes out what is at this path; for a path with `*` everywhere, and the last one taken is returned.
    pub fn remove(&self, root: &mut Value) -> Option<Value> {
        remove(root, &self.segments)
    }
}

#[derive(Default)]
struct SegmentReader {
    text: String,
    escaped: bool,
}

impl SegmentReader {
    fn push(&mut self, char: char) {
        self.text.push(char);
    }

    fn escaped(&mut self, char: char) {
        self.text.push(char);
        self.escaped = true;
    }

    /// The segment that ends at `at`.
    fn take(&mut self, at: usize) -> Result<Segment, PathError> {
        let SegmentReader { text, escaped } = std::mem::take(self);
        if text.is_empty() {
            return Err(PathError {
                at,
                what: PathFault::EmptyName,
            });
        }
        if escaped {
            return Ok(Segment::Name(text));
        }
        if text == "*" {
            return Ok(Segment::All);
        }
        Ok(index(&text).map_or(Segment::Name(text), Segment::Index))
    }
}

/// The number written by `text`, if this is how the number is written: `007` is a name.
fn index(text: &str) -> Option<usize> {
    let number: usize = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            } else if !self.special && matches!(segment, Segment::Name(name) if name.starts_with('$')) {
                f.write_str("$")?;
            }
            match segment {
                Segment::Index(number) => write!(f, "{number}")?,
                Segment::All => f.write_str("*")?,
                Segment::Name(name) if name == "*" || index(name).is_some() => write!(f, "\\{name}")?,
                Segment::Name(name) => f.write_str(&name.replace('\\', "\\\\").replace('.', "\\."))?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Path::parse(text)
    }
}

fn step<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match (value, segment) {
        (Value::Map(map), Segment::Name(name)) => map.get(name),
        (Value::Map(map), Segment::Index(number)) => map.get(&number.to_string()),
        (Value::List(list), Segment::Index(number)) => list.get(*number),
        _ => None,
    }
}

fn set(place: &mut Value, segments: &[Segment], value: Value) -> bool {
    let Some((segment, rest)) = segments.split_first() else {
        *place = value;
        return true;
    };
    if place.is_null() {
        match segment {
            Segment::Name(_) => *place = Value::Map(Map::new()),
            Segment::Index(0) => *place = Value::List(Vec::new()),
            Segment::Index(_) | Segment::All => return false,
        }
    }
    match (place, segment) {
        (Value::Map(map), Segment::Name(name)) => set_member(map, name, rest, value),
        (Value::Map(map), Segment::Index(number)) => set_member(map, &number.to_string(), rest, value),
        (Value::List(list), Segment::Index(number)) if *number < list.len() => {
            set(&mut list[*number], rest, value)
        }
        (Value::List(list), Segment::Index(number)) if *number == list.len() => {
            let mut element = Value::Null;
            let placed = set(&mut element, rest, value);
            if placed {
                list.push(element);
            }
            placed
        }
        (Value::List(list), Segment::All) => list
            .iter_mut()
            .map(|element| set(element, rest, value.clone()))
            .fold(false, |any, one| any | one),
        _ => false,
    }
}

fn set_member(map: &mut Map, name: &str, rest: &[Segment], value: Value) -> bool {
    if let Some(member) = map.get_mut(name) {
        return set(member, rest, value);
    }
    let mut member = Value::Null;
    let placed = set(&mut member, rest, value);
    if placed {
        map.insert(name.to_owned(), member);
    }
    placed
}

fn remove(place: &mut Value, segments: &[Segment]) -> Option<Value> {
    let (segment, rest) = segments.split_first()?;
    if rest.is_empty() {
        return match (place, segment) {
            (Value::Map(map), Segment::Name(name)) => map.shift_remove(name),
            (Value::Map(map), Segment::Index(number)) => map.shift_remove(&number.to_string()),
            (Value::List(list), Segment::Index(number)) if *number < list.len() => Some(list.remove(*number)),
            (Value::List(list), Segment::All) => list.drain(..).next_back(),
            _ => None,
        };
    }
    match (place, segment) {
        (Value::Map(map), Segment::Name(name)) => remove(map.get_mut(name)?, rest),
        (Value::Map(map), Segment::Index(number)) => remove(map.get_mut(&number.to_string())?, rest),
        (Value::List(list), Segment::Index(number)) => remove(list.get_mut(*number)?, rest),
        (Value::List(list), Segment::All) => {
            list.iter_mut().filter_map(|element| remove(element, rest)).last()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn spelling() {
        let check = |text: &str, want: &[Segment]| {
            let path = Path::parse(text).unwrap();
            assert_eq!(path.segments(), want, "{text}");
            assert_eq!(path.to_string(), text, "canonical");
        };
        let name = |text: &str| Segment::Name(text.into());
        check("a.b", &[name("a"), name("b")]);
        check("owner.0", &[name("owner"), Segment::Index(0)]);
        check("lines.*.qty", &[name("lines"), Segment::All, name("qty")]);
        check("客户 (编码)-*.唯一ID", &[name("客户 (编码)-*"), name("唯一ID")]);
        check(r"a\.b.c", &[name("a.b"), name("c")]);
        check(r"a\\b", &[name(r"a\b")]);
        check(r"\*.\7", &[name("*"), name("7")]);
        check("00123", &[name("00123")]);
        check("$window.start", &[name("$window"), name("start")]);
        check("$$ref.x", &[name("$ref"), name("x")]);
        check("99999999999999999999999", &[name("99999999999999999999999")]);
    }

    #[test]
    fn faults() {
        let check = |text: &str, at: usize, what: PathFault| {
            assert_eq!(Path::parse(text), Err(PathError { at, what }), "{text:?}");
        };
        check("", 0, PathFault::Empty);
        check("a..b", 2, PathFault::EmptyName);
        check(".a", 0, PathFault::EmptyName);
        check("客.", 4, PathFault::EmptyName);
        check(r"a\", 1, PathFault::Escape);
        check(r"a\n", 1, PathFault::Escape);
    }

    #[test]
    fn special() {
        for (text, want) in [("$now", true), ("$$now", false), ("a.$b", false), ("now", false)] {
            assert_eq!(Path::parse(text).unwrap().is_special(), want, "{text}");
        }
        assert!(!Path::names(["$now"]).is_special(), "names are data");
        assert_eq!(Path::names(["$now"]).to_string(), "$$now");
    }

    #[test]
    fn reading() {
        let row = value(r#"{"a":{"b":1,"0":"nought"},"list":[{"q":1},{"q":2},{}],"n":null}"#);
        let check = |path: &str, want: &str| {
            let found = Path::parse(path)
                .unwrap()
                .get_all(&row)
                .into_iter()
                .map(json::to_string);
            assert_eq!(found.collect::<Vec<_>>().join(" "), want, "{path}");
        };
        check("a.b", "1");
        check("a.0", "\"nought\"");
        check("list.1.q", "2");
        check("list.*.q", "1 2");
        check("n", "null");
        check("n.x", "");
        check("list.9", "");
        check("a.*", "");
        assert_eq!(Path::parse("list.*.q").unwrap().get(&row), None);
        assert_eq!(Path::parse("a.b").unwrap().get(&row), Some(&Value::from(1)));
    }

    #[test]
    fn writing() {
        let check = |before: &str, path: &str, after: &str, placed: bool| {
            let mut row = value(before);
            assert_eq!(
                Path::parse(path).unwrap().set(&mut row, Value::from(7)),
                placed,
                "{path}"
            );
            assert_eq!(json::to_string(&row), after, "{path}");
        };
        check("{}", "a.b", r#"{"a":{"b":7}}"#, true);
        check("{}", "a.0.b", r#"{"a":[{"b":7}]}"#, true);
        check("null", "a", r#"{"a":7}"#, true);
        check(r#"{"a":[1]}"#, "a.1", r#"{"a":[1,7]}"#, true);
        check(r#"{"a":[1]}"#, "a.999999999", r#"{"a":[1]}"#, false);
        check(r#"{"a":[{},{}]}"#, "a.*.b", r#"{"a":[{"b":7},{"b":7}]}"#, true);
        check(r#"{"a":"text"}"#, "a.b", r#"{"a":"text"}"#, false);
        check("{}", "a.*.b", "{}", false);
    }

    #[test]
    fn removing() {
        let check = |before: &str, path: &str, after: &str| {
            let mut row = value(before);
            Path::parse(path).unwrap().remove(&mut row);
            assert_eq!(json::to_string(&row), after, "{path}");
        };
        check(r#"{"a":1,"b":2,"c":3}"#, "b", r#"{"a":1,"c":3}"#);
        check(r#"{"a":[1,2]}"#, "a.0", r#"{"a":[2]}"#);
        check(
            r#"{"a":[{"x":1},{"x":2,"y":3}]}"#,
            "a.*.x",
            r#"{"a":[{},{"y":3}]}"#,
        );
        check(r#"{"a":1}"#, "z.y", r#"{"a":1}"#);
    }

    #[test]
    fn relations() {
        let (front, whole) = (Path::parse("a.b").unwrap(), Path::parse("a.b.c.0").unwrap());
        assert_eq!(whole.below(&front), Some(Path::parse("c.0").unwrap()));
        assert_eq!(front.below(&whole), None);
        assert_eq!(front.join(&Path::parse("c.0").unwrap()), whole);
        assert_eq!(front.child("c.d").to_string(), r"a.b.c\.d");
    }

    proptest! {
        #[test]
        fn printing_then_parsing_gives_the_same(text in "[a*.$\\\\0-3客 ]{0,8}") {
            if let Ok(path) = Path::parse(&text) {
                prop_assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
            }
        }

        #[test]
        fn any_names_survive(names in prop::collection::vec(".{1,4}", 1..4)) {
            let path = Path::names(names);
            prop_assert_eq!(Path::parse(&path.to_string()).unwrap(), path);
        }
    }
}
