//! Paths into JSON: `$.name`, `$."a name"`, `$[0]`, `$[last]`, `$[-1]`, `$[1 to 2]`, `$.*`, `$[*]`, `$**.name`.

use dsl::builtin::{Args, CallError};

use super::read::{Item, Kind};

/// Steps of a path; the server takes no more either.
const STEPS: usize = 32;

/// A path.
#[derive(Debug)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// A name; none stands for all.
    Name(Option<String>),
    /// Elements from one place to another.
    Places(Place, Place),
    /// All elements.
    Elements,
    /// Any number of any steps.
    Deep,
}

/// An element, counted from the beginning or from the end.
#[derive(Debug, Clone, Copy)]
enum Place {
    First(usize),
    Last(usize),
}

impl Place {
    fn of(self, length: usize) -> Option<usize> {
        match self {
            Place::First(index) => Some(index),
            Place::Last(back) => length.checked_sub(back.checked_add(1)?),
        }
    }
}

/// How an item was reached: by its name, or as an element of so many.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'t> {
    Name(&'t str),
    Element(usize, usize),
}

impl Path {
    /// Reads a path; `None` when it is none.
    pub(super) fn read(text: &str) -> Option<Path> {
        let mut rest = text.trim_start_matches(' ').strip_prefix('$')?;
        let mut steps = Vec::new();
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '*' => {
                    rest = rest.strip_prefix('*')?;
                    if !rest.starts_with(['.', '[']) {
                        return None;
                    }
                    steps.push(Step::Deep);
                }
                '.' => steps.push(Step::Name(name(&mut rest)?)),
                '[' => {
                    let (inner, left) = rest.split_once(']')?;
                    rest = left;
                    steps.push(places(inner.trim_matches(' '))?);
                }
                _ => return None,
            }
            if steps.len() > STEPS {
                return None;
            }
        }
        Some(Path { steps })
    }

    /// Whether it may lead to several values.
    pub(super) fn is_wide(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Name(None) | Step::Elements | Step::Deep => true,
            Step::Places(Place::First(from), Place::First(to)) => from != to,
            Step::Places(Place::Last(from), Place::Last(to)) => from != to,
            Step::Places(..) => true,
            Step::Name(Some(_)) => false,
        })
    }

    /// Whether it leads along this way to a value, which is a list or not.
    fn leads(&self, way: &[Way<'_>], list: bool) -> bool {
        // The steps that may come next, one bit each: several at once because of `**`.
        let mut next: u64 = 1;
        for (depth, taken) in way.iter().map(Some).chain([None]).enumerate() {
            debug_assert!(depth <= way.len());
            let is_list = taken.map_or(list, |taken| matches!(taken, Way::Element(..)));
            for (index, step) in self.steps.iter().enumerate() {
                let skipped = match step {
                    Step::Deep => true,
                    // What is no list counts as a list of one.
                    Step::Places(from, _) => !is_list && matches!(from, Place::First(0)),
                    _ => false,
                };
                if skipped && next >> index & 1 == 1 {
                    next |= 1 << (index + 1);
                }
            }
            let Some(taken) = taken else { break };
            let mut after = 0;
            for (index, step) in self.steps.iter().enumerate() {
                if next >> index & 1 == 0 {
                    continue;
                }
                match (step, taken) {
                    (Step::Deep, _) => after |= 1 << index,
                    (Step::Name(None), Way::Name(_)) | (Step::Elements, Way::Element(..)) => {
                        after |= 1 << (index + 1);
                    }
                    (Step::Name(Some(wanted)), Way::Name(name)) if wanted == name => {
                        after |= 1 << (index + 1)
                    }
                    (Step::Places(from, to), Way::Element(at, length)) => {
                        let (from, to) = (from.of(*length), to.of(*length));
                        if from.is_some_and(|from| from <= *at) && to.is_some_and(|to| *at <= to) {
                            after |= 1 << (index + 1);
                        }
                    }
                    _ => {}
                }
            }
            next = after;
        }
        next >> self.steps.len() & 1 == 1
    }
}

fn name(rest: &mut &str) -> Option<Option<String>> {
    if let Some(inner) = rest.strip_prefix('"') {
        let mut escaped = false;
        let end = inner.find(|char| {
            let ends = char == '"' && !escaped;
            escaped = char == '\\' && !escaped;
            ends
        })?;
        *rest = &inner[end + 1..];
        return Some(Some(inner[..end].to_owned()));
    }
    let end = rest.find(['.', '[', '*']).unwrap_or(rest.len());
    let (name, left) = rest.split_at(end);
    if name.is_empty() {
        *rest = left.strip_prefix('*').filter(|after| !after.starts_with('*'))?;
        return Some(None);
    }
    *rest = left;
    Some(Some(name.to_owned()))
}

fn places(inner: &str) -> Option<Step> {
    if inner == "*" {
        return Some(Step::Elements);
    }
    Some(match inner.split_once(" to ") {
        Some((from, to)) => Step::Places(place(from.trim_matches(' '))?, place(to.trim_matches(' '))?),
        None => Step::Places(place(inner)?, place(inner)?),
    })
}

fn place(text: &str) -> Option<Place> {
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let plain = plain && (digits == "0" || !digits.starts_with('0'));
        plain.then(|| digits.parse::<usize>().ok()).flatten()
    };
    match text.strip_prefix("last") {
        Some("") => Some(Place::Last(0)),
        Some(back) => number(back.strip_prefix('-')?).map(Place::Last),
        None => match text.strip_prefix('-') {
            Some(back) => Some(Place::Last(number(back)?.checked_sub(1)?)),
            None => number(text).map(Place::First),
        },
    }
}

/// The items that the paths lead to, in the order of the text, one as often as paths lead to it.
pub(super) fn found<'i, 't>(
    root: &'i Item<'t>,
    paths: &[Path],
    args: &Args<'_>,
) -> Result<Vec<&'i Item<'t>>, CallError> {
    let mut hits = Vec::new();
    visit(root, paths, args, &mut Vec::new(), &mut hits)?;
    Ok(hits)
}

fn visit<'i, 't>(
    item: &'i Item<'t>,
    paths: &[Path],
    args: &Args<'_>,
    way: &mut Vec<Way<'t>>,
    hits: &mut Vec<&'i Item<'t>>,
) -> Result<(), CallError> {
    args.spend(paths.len())?;
    for path in paths {
        if path.leads(way, item.kind == Kind::List) {
            hits.push(item);
        }
    }
    let length = item.items.len();
    for (at, child) in item.items.iter().enumerate() {
        way.push(child.name.map_or(Way::Element(at, length), Way::Name));
        visit(child, paths, args, way, hits)?;
        way.pop();
    }
    // Each is at least a character, a comma and a blank of the result.
    args.room_for(hits.len().saturating_mul(3))
}
