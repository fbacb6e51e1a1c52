//! The fields of a row, as far as samples and declarations show them.

use crate::diagnostic::did_you_mean;
use crate::path::{Path, Segment};
use crate::tree::compile::from_segments;

/// The fields that are known.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Names only: stars and indexes are left out.
    paths: Vec<Vec<String>>,
    /// Those of which it is known that they hold lists.
    lists: Vec<Vec<String>>,
    /// Those whose samples are texts that no number begins, each with one such text.
    words: Vec<(Vec<String>, String)>,
    /// Whether only rows that somebody fetched are known: a field that they lack may be there all the same.
    unsure: bool,
}

/// Why a path gives no single value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSingle {
    /// It holds a list.
    List,
    /// It holds an object, in which there is this field.
    Object(Path),
    /// It passes through this list.
    Through(Path),
}

impl Columns {
    /// Fields by their paths (`a`, `a.b`, `lines.*.qty`). A text that is no path is a name.
    pub fn new<'t>(paths: impl IntoIterator<Item = &'t str>) -> Columns {
        let mut columns = Columns::default();
        for path in paths {
            match Path::parse(path) {
                Ok(path) => columns.add(&path),
                Err(_) => columns.add(&Path::names([path])),
            }
        }
        columns
    }

    /// None yet, and whatever is added are only rows that somebody fetched.
    pub fn unsure() -> Columns {
        Columns {
            unsure: true,
            ..Columns::default()
        }
    }

    /// Whether a field that is not known may be there all the same.
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// Adds a field.
    pub fn add(&mut self, path: &Path) {
        let names = names_of(path);
        if !self.paths.contains(&names) {
            self.paths.push(names);
        }
        for (at, segment) in path.segments().iter().enumerate() {
            if *segment == Segment::All {
                self.add_list(&names_of(&from_segments(&path.segments()[..at])));
            }
        }
    }

    fn add_list(&mut self, names: &[String]) {
        if !self.lists.iter().any(|known| known == names) {
            self.lists.push(names.to_vec());
        }
    }

    /// Adds every field of a sample row.
    pub fn add_row(&mut self, row: &crate::value::Value) {
        self.add_below(&mut Vec::new(), row);
    }

    fn add_below(&mut self, at: &mut Vec<String>, value: &crate::value::Value) {
        use crate::value::Value;
        if matches!(value, Value::List(_)) {
            self.add_list(at);
        }
        if let Value::Text(text) = value
            && !text.trim_start().is_empty()
            && !text
                .trim_start()
                .starts_with(|first: char| "+-.0123456789".contains(first))
            && self.words.iter().all(|(known, _)| known != at)
        {
            self.words.push((at.clone(), text.clone()));
        }
        match value {
            Value::Map(map) if !map.is_empty() => {
                for (name, value) in map {
                    at.push(name.clone());
                    self.add_below(at, value);
                    at.pop();
                }
            }
            Value::List(list) if !list.is_empty() => list.iter().for_each(|value| self.add_below(at, value)),
            _ if !at.is_empty() && !self.paths.contains(at) => self.paths.push(at.clone()),
            _ => {}
        }
    }

    /// Whether the field may be there: it is known, or is part of a known one, or lies below one of which nothing
    /// further is known.
    pub fn knows(&self, path: &Path) -> bool {
        let wanted = names_of(path);
        self.paths.iter().any(|known| known.starts_with(&wanted))
            || self.paths.iter().any(|known| {
                wanted.starts_with(known)
                    && !self
                        .paths
                        .iter()
                        .any(|other| other.len() > known.len() && other.starts_with(known))
            })
    }

    /// Whether the field is known to hold a list or an object, and so no value of its own. An exploded list holds one
    /// line.
    pub fn holds_many(&self, path: &Path, explode: &[Path]) -> bool {
        if !matches!(path.segments().last(), Some(Segment::Name(_))) {
            return false;
        }
        let wanted = names_of(path);
        let exploded = explode.iter().any(|list| names_of(list) == wanted);
        let list = self.lists.contains(&wanted) && !exploded;
        let more = |known: &Vec<String>| known.len() > wanted.len() && known.starts_with(&wanted);
        list || !self.paths.contains(&wanted) && self.paths.iter().any(more)
    }

    /// Why the field gives no single value; `None` when it does, or when nobody knows.
    pub fn not_single(&self, path: &Path) -> Option<NotSingle> {
        if self.holds_many(path, &[]) {
            let wanted = names_of(path);
            let inside = |known: &&Vec<String>| known.len() > wanted.len() && known.starts_with(&wanted);
            let first = self
                .paths
                .iter()
                .find(inside)
                .filter(|_| !self.lists.contains(&wanted));
            return Some(match first {
                Some(names) => NotSingle::Object(Path::names(names.clone())),
                None => NotSingle::List,
            });
        }
        let segments = path.segments();
        (1..segments.len()).find_map(|end| {
            let list = from_segments(&segments[..end]);
            let steps = matches!(segments[end], Segment::Name(_));
            (steps && matches!(segments[end - 1], Segment::Name(_)) && self.lists.contains(&names_of(&list)))
                .then_some(NotSingle::Through(list))
        })
    }

    /// A text of the samples that no number begins, where all samples of the field are texts or missing.
    pub fn word(&self, path: &Path) -> Option<&str> {
        let wanted = names_of(path);
        let found = self.words.iter().find(|(known, _)| *known == wanted);
        found.map(|(_, text)| text.as_str())
    }

    /// Takes a field for one whose samples are texts like this one.
    pub fn add_word(&mut self, path: &Path, text: &str) {
        self.words.push((names_of(path), text.to_owned()));
    }

    /// The fields with texts that no number begins, as [`Columns::add_word`] takes them.
    pub fn words(&self) -> Vec<(String, String)> {
        let named = |names: &Vec<String>| Path::names(names.clone()).to_string();
        self.words
            .iter()
            .map(|(names, text)| (named(names), text.clone()))
            .collect()
    }

    /// The field holds a list.
    pub fn list(&mut self, list: &Path) {
        self.add_list(&names_of(list));
    }

    /// A list that was exploded holds one line.
    pub fn explode(&mut self, list: &Path) {
        let names = names_of(list);
        self.lists.retain(|known| *known != names);
    }

    /// Known fields that are spelt nearly like this one.
    pub fn near(&self, path: &Path) -> Vec<String> {
        let wanted = names_of(path).join(".");
        let known: Vec<String> = self.paths.iter().map(|names| names.join(".")).collect();
        did_you_mean(&wanted, known.iter().map(String::as_str))
    }

    /// The paths, as texts; `*` stands behind a list.
    pub fn texts(&self) -> Vec<String> {
        let starred = |names: &Vec<String>| {
            let mut segments = Vec::new();
            for (at, name) in names.iter().enumerate() {
                segments.push(Segment::Name(name.clone()));
                if self.lists.iter().any(|list| *list == names[..=at]) {
                    segments.push(Segment::All);
                }
            }
            from_segments(&segments).to_string()
        };
        self.paths.iter().map(starred).collect()
    }
}

fn names_of(path: &Path) -> Vec<String> {
    path.segments()
        .iter()
        .enumerate()
        .filter_map(|(at, segment)| match segment {
            Segment::Name(name) => Some(name.clone()),
            // A row is no list: a number that comes first is the name of a field.
            Segment::Index(index) if at == 0 => Some(index.to_string()),
            Segment::Index(_) | Segment::All => None,
        })
        .collect()
}

impl Columns {
    /// Adds the fields below a list that becomes rows once more, with names in which `_` stands for the dots; a list in
    /// its lines is gone through only where it is exploded, too.
    pub(crate) fn flatten(&mut self, list: &Path, explode: &[Path]) {
        let front = names_of(list);
        let exploded: Vec<Vec<String>> = explode.iter().map(names_of).collect();
        let below = |path: &&Vec<String>| path.len() > front.len() && path.starts_with(&front);
        let flat = |path: &Vec<String>, end: usize| {
            let mut flat = vec![path[..end].join("_")];
            flat.extend_from_slice(&path[end..]);
            flat
        };
        // Up to the first list that stays one.
        let reach = |path: &Vec<String>| {
            let stays = |end: &usize| {
                let at = &path[..*end];
                self.lists.iter().any(|known| known == at) && !exploded.iter().any(|known| known == at)
            };
            (front.len() + 1..path.len()).find(stays).unwrap_or(path.len())
        };
        let every = |paths: &[Vec<String>]| -> Vec<Vec<String>> {
            let ends = |path: &Vec<String>| front.len() + 1..=reach(path);
            paths
                .iter()
                .filter(below)
                .flat_map(|path| ends(path).map(|end| flat(path, end)).collect::<Vec<_>>())
                .collect()
        };
        let lists: Vec<Vec<String>> = self
            .lists
            .iter()
            .filter(|list| !exploded.contains(list))
            .cloned()
            .collect();
        let (paths, lists) = (every(&self.paths), every(&lists));
        self.paths.extend(paths);
        self.lists.extend(lists);
    }
}
