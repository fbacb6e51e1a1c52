//! A file of mappings on its way into the ledger, part by part: others write between two parts.
//!
//! Every line is tried before the first one is set, so a file with a line that would be refused changes nothing. What
//! breaks off between two parts (the process ends, somebody else sets what a line needs) has set the parts before, and
//! nothing of the one with that line; the same file again finds them as they are, sets the rest, and comes to the same.

use std::collections::HashMap;

use dsl::catalogue::mapping as words;
use dsl::diagnostic::{Failure, Lang};
use flow::ids::Ms;
use ledger::service::fields::{FieldPlace, FieldRuling, SetField};
use ledger::service::mapping::{MappingKey, MappingRuling, SetMapping};
use ledger::{Ledger, StoreError};

use super::{Imported, Wrong, at_line, bad_field, denied, judged, judged_field};
use crate::error::AppError;

/// Lines of one transaction: what waits behind it waits for tenths of a second.
pub const PART: usize = 2_000;

/// What a line of a file sets.
pub trait Line: Sized {
    /// What the ledger says of it.
    type Ruling;

    /// Says what setting some would come to.
    fn try_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<Self::Ruling>, StoreError>;

    /// Sets some.
    fn set_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<Self::Ruling>, StoreError>;

    /// Whether it is as it was asked for; otherwise why not.
    fn judge(&self, ruling: &Self::Ruling) -> Result<(), AppError>;

    /// Whether something was made, and whether something was changed.
    fn came_to(ruling: &Self::Ruling) -> (bool, bool);

    /// What it says something about.
    fn about(&self) -> String;

    /// What it says: nothing else may say it, `None` = others may.
    fn says(&self) -> Option<String>;

    /// The id that it says, for people.
    fn id(&self) -> &str;

    /// Who has what it says, as [`Line::about`] of that one.
    fn holder(&self, ruling: &Self::Ruling) -> Option<String>;
}

fn place_of(at: &MappingKey) -> String {
    [&at.scheme, &at.target, &at.form, &at.key]
        .map(String::as_str)
        .join("\0")
}

impl Line for SetMapping {
    type Ruling = MappingRuling;

    fn try_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<MappingRuling>, StoreError> {
        ledger.try_mappings(lines, now)
    }

    fn set_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<MappingRuling>, StoreError> {
        ledger.set_mappings(lines, now)
    }

    fn judge(&self, ruling: &MappingRuling) -> Result<(), AppError> {
        judged(&self.at, &self.id, ruling)
    }

    fn came_to(ruling: &MappingRuling) -> (bool, bool) {
        (
            *ruling == MappingRuling::Made,
            matches!(ruling, MappingRuling::Changed { .. }),
        )
    }

    fn about(&self) -> String {
        place_of(&self.at)
    }

    fn says(&self) -> Option<String> {
        let document = MappingKey {
            key: self.id.clone(),
            ..self.at.clone()
        };
        (!self.allow_double).then(|| place_of(&document))
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn holder(&self, ruling: &MappingRuling) -> Option<String> {
        let MappingRuling::Double { holder } = ruling else {
            return None;
        };
        Some(place_of(&MappingKey {
            key: holder.clone(),
            ..self.at.clone()
        }))
    }
}

fn of_field(place: &FieldPlace, side: &str, id: &str) -> String {
    [&place.data_center, &place.channel, &place.data_type, side, id].join("\0")
}

impl Line for SetField {
    type Ruling = FieldRuling;

    fn try_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<FieldRuling>, StoreError> {
        ledger.try_fields(lines, now)
    }

    fn set_all(ledger: &mut Ledger, lines: &[Self], now: Ms) -> Result<Vec<FieldRuling>, StoreError> {
        ledger.set_fields(lines, now)
    }

    fn judge(&self, ruling: &FieldRuling) -> Result<(), AppError> {
        judged_field(self, ruling)
    }

    fn came_to(ruling: &FieldRuling) -> (bool, bool) {
        (*ruling == FieldRuling::Made, *ruling == FieldRuling::Changed)
    }

    fn about(&self) -> String {
        of_field(&self.place, "fs", &self.pair.fs_id)
    }

    fn says(&self) -> Option<String> {
        Some(of_field(&self.place, "erp", &self.pair.erp_id))
    }

    fn id(&self) -> &str {
        &self.pair.erp_id
    }

    fn holder(&self, ruling: &FieldRuling) -> Option<String> {
        match ruling {
            FieldRuling::Double { fs_id } => Some(of_field(&self.place, "fs", fs_id)),
            _ => None,
        }
    }
}

/// An import under way.
pub struct Importing<T> {
    numbers: Vec<u64>,
    lines: Vec<T>,
    /// Which line is about what.
    about: HashMap<String, usize>,
    /// The next line.
    at: usize,
    /// They are only tried, by now.
    tries: bool,
    dry_run: bool,
    done: Imported,
    /// What would be refused, of the lines tried so far.
    wrong: Wrong,
}

impl<T: Line> Importing<T> {
    /// Of these lines, each with its number. Refused where two of them contradict each other: which one counts would hang
    /// on their order.
    pub fn new(lines: Vec<(u64, T)>, dry_run: bool) -> Result<Self, AppError> {
        let (numbers, lines): (Vec<u64>, Vec<T>) = lines.into_iter().unzip();
        let mut about: HashMap<String, usize> = HashMap::with_capacity(lines.len());
        let mut said: HashMap<String, usize> = HashMap::with_capacity(lines.len());
        for (nth, line) in lines.iter().enumerate() {
            let twice = |first: usize| {
                let first = numbers[first];
                at_line(
                    numbers[nth],
                    &bad_field(
                        line.id(),
                        &format!("与第 {first} 行矛盾"),
                        &format!("it contradicts line {first}"),
                    ),
                )
            };
            if let Some(first) = about.insert(line.about(), nth)
                && lines[first].id() != line.id()
            {
                return Err(twice(first));
            }
            if let Some(first) = line.says().and_then(|says| said.insert(says, nth))
                && lines[first].about() != line.about()
            {
                return Err(twice(first));
            }
        }
        Ok(Importing {
            numbers,
            lines,
            about,
            at: 0,
            tries: true,
            dry_run,
            done: Imported::default(),
            wrong: Wrong::default(),
        })
    }

    /// Does the next part, in a transaction of its own: all of it or nothing. Whether there is another one.
    pub fn step(&mut self, ledger: &mut Ledger, now: Ms) -> Result<Result<bool, AppError>, StoreError> {
        let end = self.lines.len().min(self.at + PART);
        let part = &self.lines[self.at..end];
        // Tried once more before it is set: what is refused by now leaves the others of its part as they are. Nobody else
        // writes while we have the ledger.
        let mut rulings = T::try_all(ledger, part, now)?;
        let is_fine = |(line, ruling): (&T, &T::Ruling)| line.judge(ruling).is_ok();
        if !self.tries && part.iter().zip(&rulings).all(is_fine) {
            rulings = T::set_all(ledger, part, now)?;
        }
        for (nth, ruling) in (self.at..end).zip(&rulings) {
            let line = &self.lines[nth];
            let (made, changed) = T::came_to(ruling);
            if let Err(why) = line.judge(ruling) {
                if self.is_given_up_before(line, ruling) {
                    self.done.count(false, true);
                } else if self.tries {
                    self.wrong.add(self.numbers[nth], why);
                } else {
                    return Ok(Err(self.refused(nth, &why)));
                }
                continue;
            }
            self.done.count(made, changed);
        }
        self.at = end;
        if end < self.lines.len() {
            return Ok(Ok(true));
        }
        if let Some(refusal) = self.wrong.told() {
            return Ok(Err(refusal));
        }
        let again = self.tries && !self.dry_run;
        if again {
            (self.tries, self.at, self.done) = (false, 0, Imported::default());
        }
        Ok(Ok(again))
    }

    /// Whether a line of an earlier part, which is only tried as yet, gives up what this line needs.
    fn is_given_up_before(&self, line: &T, ruling: &T::Ruling) -> bool {
        let holder = line.holder(ruling).filter(|_| self.tries);
        let earlier = holder.and_then(|holder| self.about.get(&holder));
        earlier.is_some_and(|earlier| *earlier < self.at && self.lines[*earlier].id() != line.id())
    }

    /// A line became impossible since it was tried.
    fn refused(&self, nth: usize, why: &AppError) -> AppError {
        if self.at == 0 {
            return at_line(self.numbers[nth], why);
        }
        let upto = self.numbers[self.at - 1];
        denied(
            Failure::new(&words::LINE)
                .with("line", self.numbers[nth])
                .with(
                    "why",
                    format!(
                        "{};到第 {upto} 行为止已导入,改好后再导入同一个文件即可",
                        why.message(Lang::Zh)
                    ),
                )
                .with(
                    "why_en",
                    format!(
                        "{}; the lines up to {upto} are imported: mend it and import the same file again",
                        why.message(Lang::En)
                    ),
                ),
        )
    }

    /// What it has come to so far.
    pub fn done(&self) -> Imported {
        self.done
    }
}

/// Imports what was read from a file, whole.
pub fn import<T: Line>(
    ledger: &mut Ledger,
    lines: Vec<(u64, T)>,
    dry_run: bool,
    now: Ms,
) -> Result<Result<Imported, AppError>, StoreError> {
    let mut importing = match Importing::new(lines, dry_run) {
        Ok(importing) => importing,
        Err(refused) => return Ok(Err(refused)),
    };
    loop {
        match importing.step(ledger, now)? {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(importing.done())),
            Err(refused) => return Ok(Err(refused)),
        }
    }
}
