//! Data mappings and field mappings as people and other systems set them: which policy is meant, what a call may carry,
//! and what became of it in words.
//!
//! A policy is a scheme. Its pair of objects is what its options name (a form, an object), as the connector files say;
//! an interface without such an option is the object itself. What may be set, and when, the ledger judges.

mod file;
mod import;
mod platform;
mod policy;

use dsl::catalogue::erp::OTHER_DATA_CENTER;
use dsl::catalogue::mapping as words;
use dsl::diagnostic::{Failure, Lang, did_you_mean};
use dsl::lookup::{FieldTable, is_option_field};
use dsl::value::Value;
use ledger::Reader;
use ledger::service::fields::{FieldPair, FieldPlace, FieldRuling, MOST_ENTRIES, SetField};
use ledger::service::mapping::{MappingKey, MappingRuling};

pub use file::{DATA_HEAD, FIELD_HEAD, MOST_LINES, data_csv, field_csv, read_data, read_fields};
pub use import::{Importing, Line, PART, import};
pub use platform::{Caller, MOST_IDS, SUCCESS, answer, create, create_field, query, set, set_field, update};
pub(crate) use policy::form_of;
pub use policy::{Policies, Policy};

use crate::error::AppError;

/// Longest id of a record, a document or a value, in characters: the longest that is known is a tenth of it.
pub const LONGEST_ID: usize = 500;
/// Longest name or remark, in characters.
pub const LONGEST_NAME: usize = 1_000;

/// A refusal with a code of the catalogue.
pub(crate) fn denied(failure: Failure) -> AppError {
    AppError::Denied(Box::new(failure))
}

/// A field that has not its form, with why in Chinese and English.
pub(crate) fn bad_field(name: &str, why: &str, why_en: &str) -> AppError {
    denied(
        Failure::new(&words::FIELD)
            .with("name", name)
            .with("why", why)
            .with("why_en", why_en),
    )
}

/// An id: not empty, of one line, not longer than it may be.
pub fn id(name: &str, text: &str) -> Result<String, AppError> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(bad_field(name, "不能为空", "it must not be empty")),
        length if length > LONGEST_ID => Err(bad_field(
            name,
            &format!("最长 {LONGEST_ID} 字"),
            &format!("it has at most {LONGEST_ID} characters"),
        )),
        _ if text.contains(char::is_control) => Err(bad_field(
            name,
            "不能有控制字符",
            "it must not hold control characters",
        )),
        _ => Ok(text.to_owned()),
    }
}

/// A name or a remark; an empty one says nothing.
pub fn name(of: &str, text: Option<&str>) -> Result<Option<String>, AppError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.chars().count() > LONGEST_NAME {
        true => Err(bad_field(
            of,
            &format!("最长 {LONGEST_NAME} 字"),
            &format!("it has at most {LONGEST_NAME} characters"),
        )),
        false => Ok(Some(text.to_owned())),
    }
}

/// Whether so many things fit into one answer.
pub fn fits(count: usize, most: u32) -> Result<(), AppError> {
    match u32::try_from(count).is_ok_and(|count| count <= most) {
        true => Ok(()),
        false => Err(denied(
            Failure::new(&words::TOO_MANY)
                .with("most", most)
                .with("given", format!("> {most}")),
        )),
    }
}

/// Whether a table that a scheme reads has entries; several places are an error, as they are for a run.
pub fn has_entries(reader: &Reader, name: &str, table: &FieldTable) -> Result<bool, AppError> {
    Ok(crate::lookups::place_of(reader, name, table)?.is_some())
}

/// A table of field mappings. The channel is one of the platform's.
pub fn field_place(data_center: &str, channel: &str, data_type: &str) -> Result<FieldPlace, AppError> {
    let channel = channel.trim();
    if !connector::FIELD_CHANNELS.contains(&channel) {
        return Err(denied(
            Failure::new(&words::NO_CHANNEL)
                .with("name", channel)
                .with("all", connector::FIELD_CHANNELS.join(" ")),
        ));
    }
    Ok(FieldPlace {
        data_center: name("dataCenterId", Some(data_center))?.unwrap_or_default(),
        channel: channel.to_owned(),
        data_type: id("dataType", data_type)?,
    })
}

/// A table that an entry is put into: its type is one that a scheme can read. [`field_place`] alone is for what is stored.
pub fn new_field_place(data_center: &str, channel: &str, data_type: &str) -> Result<FieldPlace, AppError> {
    let place = field_place(data_center, channel, data_type)?;
    let (known, given) = (connector::FIELD_TYPES, place.data_type.as_str());
    if known.contains(&given) || is_option_field(given) {
        return Ok(place);
    }
    let near = did_you_mean(given, known.iter().copied()).join(" ");
    let (near_zh, near_en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    Err(denied(
        Failure::new(&words::NO_TYPE)
            .with("name", given)
            .with("all", known.join(" "))
            .with("near_zh", near_zh)
            .with("near_en", near_en),
    ))
}

/// Whether a data centre is one of these; where none is known there is nothing to be held against, and an empty name
/// means any.
pub fn known_data_center(name: &str, known: &[String]) -> Result<(), AppError> {
    match name.is_empty() || known.is_empty() || known.iter().any(|one| one == name) {
        true => Ok(()),
        false => Err(other_data_center(name, known)),
    }
}

/// There is no such data centre; the names near it are told.
pub fn other_data_center(name: &str, known: &[String]) -> AppError {
    let near = did_you_mean(name, known.iter().map(String::as_str)).join(" ");
    let (near_zh, near_en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    let given: String = name.chars().take(64).flat_map(char::escape_debug).collect();
    denied(
        Failure::new(&OTHER_DATA_CENTER)
            .with("given", given)
            .with("known", known.join(" "))
            .with("near_zh", near_zh)
            .with("near_en", near_en),
    )
}

/// A value on both sides.
pub fn field_pair(fs: (&str, &str), erp: (&str, &str)) -> Result<FieldPair, AppError> {
    Ok(FieldPair {
        fs_id: id("fsDataId", fs.0)?,
        erp_id: id("erpDataId", erp.0)?,
        fs_name: name("fsDataName", Some(fs.1))?.unwrap_or_default(),
        erp_name: name("erpDataName", Some(erp.1))?.unwrap_or_default(),
    })
}

/// The key of a source record as people write it: `["A","1"]` as `A,1`, `["A"]` as `A`.
pub fn shown_key(key: &str) -> String {
    match dsl::json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => {
            let texts: Option<Vec<String>> = parts.iter().map(Value::to_plain_text).collect();
            match texts {
                Some(texts) if texts.len() == 1 || !texts.iter().any(|text| text.contains(',')) => {
                    texts.join(",")
                }
                _ => key.to_owned(),
            }
        }
        _ => key.to_owned(),
    }
}

/// Whether a mapping is as it was asked for; otherwise why not.
pub fn judged(at: &MappingKey, id: &str, ruling: &MappingRuling) -> Result<(), AppError> {
    let source = shown_key(&at.key);
    let failure = |entry| Failure::new(entry).with("source", &source);
    Err(denied(match ruling {
        MappingRuling::Made
        | MappingRuling::Changed { .. }
        | MappingRuling::Same
        | MappingRuling::Removed => {
            return Ok(());
        }
        MappingRuling::Taken { id } => failure(&words::TAKEN).with("id", id),
        MappingRuling::Missing => failure(&words::MISSING),
        MappingRuling::Stale { id } => failure(&words::CHANGED).with("now", id.as_deref().unwrap_or("-")),
        MappingRuling::Double { holder } => Failure::new(&words::DOCUMENT_TAKEN)
            .with("id", id)
            .with("holder", shown_key(holder)),
        MappingRuling::Busy { state } => failure(&words::BUSY).with("state", state.word()),
        MappingRuling::Elsewhere { target, form } => failure(&words::ELSEWHERE)
            .with("target", target)
            .with("form", if form.is_empty() { "-" } else { form }),
        MappingRuling::Written => failure(&words::WRITTEN),
    }))
}

/// Whether an entry is as it was asked for; otherwise why not.
pub fn judged_field(set: &SetField, ruling: &FieldRuling) -> Result<(), AppError> {
    let pair = &set.pair;
    let taken = |other: &str| {
        Failure::new(&words::FIELD_TAKEN)
            .with("fs_id", &pair.fs_id)
            .with("erp_id", &pair.erp_id)
            .with("other", other)
    };
    Err(denied(match ruling {
        FieldRuling::Made | FieldRuling::Changed | FieldRuling::Same => return Ok(()),
        FieldRuling::Taken { erp_id } => taken(&format!("{} = {erp_id}", pair.fs_id)),
        FieldRuling::Double { fs_id } => taken(&format!("{fs_id} = {}", pair.erp_id)),
        FieldRuling::Missing => return Err(no_field(&pair.fs_id)),
        FieldRuling::Full => Failure::new(&words::FULL).with("most", MOST_ENTRIES),
    }))
}

/// There is no such entry.
pub fn no_field(fs_id: &str) -> AppError {
    denied(Failure::new(&words::NO_FIELD).with("fs_id", fs_id))
}

/// What an import came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Lines.
    pub lines: u64,
    /// That made something.
    pub made: u64,
    /// That changed something.
    pub changed: u64,
    /// That were there already.
    pub same: u64,
}

impl Imported {
    fn count(&mut self, made: bool, changed: bool) {
        self.lines += 1;
        self.made += u64::from(made);
        self.changed += u64::from(changed && !made);
        self.same += u64::from(!changed && !made);
    }
}

/// Lines of a file that are told of at once: as many as somebody mends before trying again.
const MOST_TOLD: usize = 10;

/// The lines of a file that are wrong.
#[derive(Default)]
pub(crate) struct Wrong {
    first: Vec<(u64, AppError)>,
    further: usize,
}

impl Wrong {
    pub(crate) fn add(&mut self, line: u64, why: AppError) {
        match self.first.len() < MOST_TOLD {
            true => self.first.push((line, why)),
            false => self.further += 1,
        }
    }

    /// All of them as one refusal; `None` when there are none.
    pub(crate) fn told(&self) -> Option<AppError> {
        let ((line, why), more) = self.first.split_first()?;
        let (mut zh, mut en) = (why.message(Lang::Zh), why.message(Lang::En));
        for (line, why) in more {
            zh.push_str(&format!(";第 {line} 行:{}", why.message(Lang::Zh)));
            en.push_str(&format!("; line {line}: {}", why.message(Lang::En)));
        }
        if self.further > 0 {
            zh.push_str(&format!(";另有 {} 行", self.further));
            en.push_str(&format!("; and {} lines more", self.further));
        }
        let failure = Failure::new(&words::LINE).with("line", line);
        Some(denied(failure.with("why", zh).with("why_en", en)))
    }
}

/// A refusal, with the line of the file that it is about.
pub(crate) fn at_line(line: u64, why: &AppError) -> AppError {
    denied(
        Failure::new(&words::LINE)
            .with("line", line)
            .with("why", why.message(Lang::Zh))
            .with("why_en", why.message(Lang::En)),
    )
}
