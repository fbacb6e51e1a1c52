//! Mappings as CSV: UTF-8 with or without a byte order mark, the first line names the columns.
//!
//! A file that was exported imports as what it was; every fault of a file is told with its line.

use csv::{ByteRecord, ReaderBuilder};
use dsl::catalogue::mapping as words;
use dsl::diagnostic::Failure;
use ledger::service::fields::{FieldRow, SetField};
use ledger::service::mapping::{MadeBy, Manner, MappingEntry, MappingNames, SetMapping};

use super::{
    Policies, Wrong, at_line, bad_field, denied, field_pair, id, known_data_center, name, new_field_place,
    shown_key,
};
use crate::error::AppError;
use crate::separated;

/// The columns of data mappings.
pub const DATA_HEAD: [&str; 10] = [
    "policy",
    "source_object",
    "dest_object",
    "source_id",
    "dest_id",
    "source_name",
    "dest_name",
    "remark",
    "connection",
    "form",
];

/// The columns of field mappings.
pub const FIELD_HEAD: [&str; 7] = [
    "data_center",
    "channel",
    "data_type",
    "fs_id",
    "erp_id",
    "fs_name",
    "erp_name",
];

/// Lines of a file: what is held in memory at a time. More are imported in several files.
pub const MOST_LINES: usize = 100_000;

/// The mappings of a file, each with its line.
pub fn read_data(
    policies: &Policies,
    text: &[u8],
    who: &str,
    allow_double: bool,
) -> Result<Vec<(u64, SetMapping)>, AppError> {
    each(text, &DATA_HEAD, |cells| {
        let [
            policy,
            source,
            dest,
            source_id,
            dest_id,
            source_name,
            dest_name,
            remark,
            connection,
            form,
        ] = cells
        else {
            return Err(AppError::bug("another number of columns"));
        };
        let policy = match (source.is_empty(), dest.is_empty()) {
            // The objects need not be written where the policy is.
            (true, true) if !policy.is_empty() => policies.named(policy)?,
            _ => policies.find(Some(policy), source, dest)?,
        };
        let mut at = policy.key(source_id)?;
        // A scheme may have had another target, or another kind of document: what was of that one stays there.
        match (connection.as_str(), form.as_str()) {
            ("", "") => {}
            ("", _) => {
                return Err(bad_field(
                    "connection",
                    "写了 form 就要写 connection",
                    "it has to be there where `form` is",
                ));
            }
            (name, form) => {
                policies.connection(name)?;
                (at.target, at.form) = (name.to_owned(), form.to_owned());
            }
        }
        Ok(SetMapping {
            at,
            id: id("dest_id", dest_id)?,
            names: MappingNames {
                source: name("source_name", Some(source_name))?,
                dest: name("dest_name", Some(dest_name))?,
                master: None,
                remark: name("remark", Some(remark))?,
            },
            manner: Manner::Put,
            seen: None,
            allow_double,
            may_move: false,
            by: MadeBy::Import,
            who: who.to_owned(),
        })
    })
}

/// The field mappings of a file, each with its line; a data centre must be one of these.
pub fn read_fields(text: &[u8], centres: &[String]) -> Result<Vec<(u64, SetField)>, AppError> {
    each(text, &FIELD_HEAD, |cells| {
        let [data_center, channel, data_type, fs_id, erp_id, fs_name, erp_name] = cells else {
            return Err(AppError::bug("another number of columns"));
        };
        let place = new_field_place(data_center, channel, data_type)?;
        known_data_center(&place.data_center, centres)?;
        Ok(SetField {
            place,
            pair: field_pair((fs_id, fs_name), (erp_id, erp_name))?,
            manner: Manner::Put,
            by: MadeBy::Import,
        })
    })
}

/// Data mappings as a file; those that name no document are left out.
pub fn data_csv(policies: &Policies, entries: &[MappingEntry]) -> String {
    let mut text = separated::line(&DATA_HEAD.map(str::to_owned));
    for entry in entries {
        let Some(dest_id) = &entry.target_id else { continue };
        let policy = policies
            .all()
            .iter()
            .find(|policy| policy.scheme == entry.at.scheme);
        text.push_str(&separated::line(&[
            entry.at.scheme.clone(),
            policy.map(|one| one.source_object.clone()).unwrap_or_default(),
            policy.map(|one| one.dest_object.clone()).unwrap_or_default(),
            shown_key(&entry.at.key),
            dest_id.clone(),
            entry.label.clone(),
            entry.dest_name.clone().unwrap_or_default(),
            entry.remark.clone().unwrap_or_default(),
            entry.at.target.clone(),
            entry.at.form.clone(),
        ]));
    }
    text
}

/// Field mappings as a file.
pub fn field_csv(rows: &[FieldRow]) -> String {
    let mut text = separated::line(&FIELD_HEAD.map(str::to_owned));
    for FieldRow { place, pair, .. } in rows {
        text.push_str(&separated::line(&[
            place.data_center.clone(),
            place.channel.clone(),
            place.data_type.clone(),
            pair.fs_id.clone(),
            pair.erp_id.clone(),
            pair.fs_name.clone(),
            pair.erp_name.clone(),
        ]));
    }
    text
}

/// Reads a file line by line; the cells come in the order of `head`, whichever order the file has. A column that is not
/// there is empty.
fn each<T>(
    text: &[u8],
    head: &[&str],
    mut read: impl FnMut(&[String]) -> Result<T, AppError>,
) -> Result<Vec<(u64, T)>, AppError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Some((line, zh, en)) = separated::quote_fault(text) {
        return Err(at_line(line, &bad_field("csv", zh, en)));
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut record = ByteRecord::new();
    let mut lines = database::Lines::of(text);
    let mut places: Option<Vec<Option<usize>>> = None;
    let mut width = 0;
    let (mut found, mut wrong) = (Vec::new(), Wrong::default());
    loop {
        // Where a line begins that cannot be read is where the one before it ended.
        let more = reader.read_byte_record(&mut record);
        let begin = record.position().map_or(0, csv::Position::byte);
        let line = lines.at(usize::try_from(begin).unwrap_or(usize::MAX));
        match more {
            Ok(true) => {}
            Ok(false) => break,
            // Nothing behind it can be told apart.
            Err(_) => {
                wrong.add(line, malformed());
                break;
            }
        }
        let cells = texts(&record);
        let Some(places) = &places else {
            let cells = cells.map_err(|error| at_line(line, &error))?;
            places = Some(columns(&cells, head).map_err(|error| at_line(line, &error))?);
            width = cells.len();
            continue;
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(error) => {
                wrong.add(line, error);
                continue;
            }
        };
        if cells.len() != width {
            let (zh, en) = (
                format!("有 {} 列,第一行有 {width} 列", cells.len()),
                format!("it has {} columns, and the first line has {width}", cells.len()),
            );
            wrong.add(line, bad_field("csv", &zh, &en));
            continue;
        }
        if found.len() == MOST_LINES {
            return Err(denied(
                Failure::new(&words::TOO_MANY)
                    .with("most", MOST_LINES)
                    .with("given", format!("> {MOST_LINES}")),
            ));
        }
        let ordered: Vec<String> = places
            .iter()
            .map(|place| place.map(|at| cells[at].clone()).unwrap_or_default())
            .collect();
        match read(&ordered) {
            Ok(read) => found.push((line, read)),
            Err(error) => wrong.add(line, error),
        }
    }
    if let Some(error) = wrong.told() {
        return Err(error);
    }
    match places {
        Some(_) => Ok(found),
        None => Err(at_line(1, &malformed())),
    }
}

fn malformed() -> AppError {
    bad_field("csv", "不是 CSV", "it is no CSV")
}

fn texts(record: &ByteRecord) -> Result<Vec<String>, AppError> {
    record
        .iter()
        .map(|cell| match std::str::from_utf8(cell) {
            Ok(text) => Ok(separated::armed(text.trim()).to_owned()),
            Err(_) => Err(bad_field(
                "csv",
                "不是 UTF-8;用表格软件另存为“CSV UTF-8”",
                "it is not UTF-8; save it as “CSV UTF-8”",
            )),
        })
        .collect()
}

/// Where each column of `head` stands. A name that is none of them, or is there twice, is refused.
fn columns(cells: &[String], head: &[&str]) -> Result<Vec<Option<usize>>, AppError> {
    for (nth, cell) in cells.iter().enumerate() {
        if !head.contains(&cell.as_str()) || cells[..nth].contains(cell) {
            let all = head.join(",");
            return Err(bad_field(
                cell,
                &format!("不是列名,或写了两次;第一行应为 {all}"),
                &format!("it is no column, or is there twice; the first line is {all}"),
            ));
        }
    }
    Ok(head
        .iter()
        .map(|name| cells.iter().position(|cell| cell == name))
        .collect())
}

#[cfg(test)]
mod tests {
    use dsl::diagnostic::Lang;

    use super::*;

    #[test]
    fn nothing_is_taken_of_a_file_with_a_broken_quote() {
        let head = "data_center,channel,data_type,fs_id,erp_id,fs_name,erp_name\n";
        for (behind, line, zh, en) in [
            (
                "a,b,employee,1,2,x,y\na,b,employee,3,4,x,\"r\na,b,employee,5,6,x,y\n",
                3,
                "引号没有关上",
                "the quote is not closed",
            ),
            (
                "a,b,employee,1,2,x,\"y\"z\n",
                2,
                "关上的引号后面还有文字",
                "text stands behind the closing quote",
            ),
        ] {
            let text = format!("{head}{behind}");
            let error = each(text.as_bytes(), &FIELD_HEAD, |_| Ok(())).expect_err(behind);
            assert_eq!(error.code(), Some("E6147"), "{behind}");
            let (said, said_zh) = (error.message(Lang::En), error.message(Lang::Zh));
            assert!(
                said.starts_with(&format!("line {line}: ")) && said.contains(en),
                "{said}"
            );
            assert!(
                said_zh.contains(&format!("第 {line} 行")) && said_zh.contains(zh),
                "{said_zh}"
            );
        }
    }
}
