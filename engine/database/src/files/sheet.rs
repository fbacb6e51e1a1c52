//! A sheet of a workbook, row by row.
//!
//! A workbook of a few kilobytes can say that it has a trillion cells. So nothing is reserved for what it says: it is
//! unpacked once to be counted, and its cells are taken one by one as they come.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{Data, Reader as _, Xlsx, XlsxError};
use zip::ZipArchive;

use super::{Row, broken};
use crate::cell::{Cell, fraction};

/// Unpacked bytes of all parts. A workbook of 64 MiB that people made is four times as large unpacked.
const UNPACKED_MAX: u64 = 256 << 20;

/// Cells with something in them.
const CELLS_MAX: usize = 5_000_000;

/// Members of all rows: each row has one for every column of the head.
const MEMBERS_MAX: usize = 5_000_000;

/// The part with the texts, which says beforehand how many there are.
const TEXTS: &str = "sharedstrings.xml";

/// Shortest text of that part: `<si/>`.
const TEXT_MIN: u64 = 5;

pub(super) fn rows(bytes: &[u8], wanted: Option<&str>) -> Vec<Row> {
    read(bytes, wanted).unwrap_or_else(broken)
}

fn read(bytes: &[u8], wanted: Option<&str>) -> Result<Vec<Row>, String> {
    vet(bytes)?;
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(|error: XlsxError| error.to_string())?;
    let name = wanted
        .map(str::to_owned)
        .or_else(|| book.sheet_names().first().cloned())
        .ok_or("no sheet")?;
    let told = |error: XlsxError| format!("{name}: {error}");
    let mut reader = match book.worksheet_cells_reader(&name) {
        Ok(reader) => reader,
        // A chart has no rows.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut lines: BTreeMap<u32, BTreeMap<u32, Data>> = BTreeMap::new();
    let mut count = 0;
    while let Some(cell) = reader.next_cell().map_err(told)? {
        let ((row, column), value) = (cell.get_position(), Data::from(cell.get_value().clone()));
        if value == Data::Empty {
            continue;
        }
        count += 1;
        if count > CELLS_MAX {
            return Err(format!("{name}: more than {CELLS_MAX} cells"));
        }
        lines.entry(row).or_default().insert(column, value);
    }
    let mut lines = lines.into_iter();
    let Some((_, head)) = lines.next() else {
        return Ok(Vec::new());
    };
    let names = head
        .iter()
        .map(|(column, cell)| (*column, cell.to_string().trim().to_owned()));
    let names: Vec<(u32, String)> = names.filter(|(_, name)| !name.is_empty()).collect();
    if names.len().saturating_mul(lines.len()) > MEMBERS_MAX {
        return Err(format!(
            "{name}: {} columns in {} rows; at most {MEMBERS_MAX} cells are read",
            names.len(),
            lines.len()
        ));
    }
    let rows = lines.map(|(row, cells)| Row {
        // Lines as people see them beside the rows.
        line: u64::from(row) + 1,
        members: Ok(names
            .iter()
            .map(|(column, name)| (name.clone(), json(cells.get(column).unwrap_or(&Data::Empty))))
            .collect()),
    });
    Ok(rows.collect())
}

/// Unpacks every part, within bounds: what a workbook says about its sizes is not believed.
fn vet(bytes: &[u8]) -> Result<(), String> {
    let mut parts = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut left = UNPACKED_MAX;
    for nth in 0..parts.len() {
        let part = parts.by_index(nth).map_err(|error| error.to_string())?;
        let name = String::from_utf8_lossy(part.name_raw()).to_ascii_lowercase();
        let mut part = part.take(left + 1);
        let length = match name.ends_with(TEXTS) {
            true => {
                let mut text = Vec::new();
                part.read_to_end(&mut text).map_err(|error| error.to_string())?;
                vet_texts(&text)?;
                u64::try_from(text.len()).unwrap_or(u64::MAX)
            }
            false => std::io::copy(&mut part, &mut std::io::sink()).map_err(|error| error.to_string())?,
        };
        left = left
            .checked_sub(length)
            .ok_or_else(|| format!("more than {UNPACKED_MAX} bytes when unpacked"))?;
    }
    Ok(())
}

/// The library makes room for as many texts as the part says it has.
fn vet_texts(part: &[u8]) -> Result<(), String> {
    let refused = || "sharedStrings.xml does not hold as many texts as it says".to_owned();
    let text = std::str::from_utf8(part).map_err(|error| error.to_string())?;
    if text.contains('\0') {
        return Err("sharedStrings.xml: U+0000".to_owned());
    }
    let room = u64::try_from(text.len()).unwrap_or(0) / TEXT_MIN;
    for (at, name) in text.match_indices("uniqueCount") {
        let said: String = text[at + name.len()..]
            .trim_start_matches(|char: char| char.is_whitespace() || matches!(char, '=' | '"' | '\''))
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        if !said.is_empty() && said.parse::<u64>().map_or(true, |said| said > room) {
            return Err(refused());
        }
    }
    Ok(())
}

fn json(data: &Data) -> String {
    let cell = match data {
        Data::Empty => Cell::Null,
        Data::Int(number) => Cell::Number(number.to_string()),
        Data::Float(number) => Cell::float(*number),
        Data::Bool(truth) => Cell::Bool(*truth),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            let clock = format!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{}",
                fraction(u32::from(milli) * 1_000_000)
            );
            Cell::Text(clock)
        }
        other => Cell::Text(other.to_string()),
    };
    let mut out = String::new();
    cell.write(&mut out, &jiff::tz::TimeZone::UTC);
    out
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A workbook with this inside its one sheet's data, and these shared texts.
    fn book(data: &str, texts: &str) -> Vec<u8> {
        let mut parts = ZipWriter::new(Cursor::new(Vec::new()));
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        for (name, text) in [
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>"#),
            ),
            ("xl/sharedStrings.xml", texts.to_owned()),
        ] {
            if text.is_empty() {
                continue;
            }
            parts.start_file(name, SimpleFileOptions::default()).unwrap();
            parts.write_all(text.as_bytes()).unwrap();
        }
        parts.finish().unwrap().into_inner()
    }

    fn told(bytes: &[u8]) -> String {
        let rows = rows(bytes, None);
        let shown = rows.iter().map(|row| match &row.members {
            Ok(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("{} {}", row.line, members.join(" "))
            }
            Err(why) => format!("{} ! {why}", row.line),
        });
        shown.collect::<Vec<_>>().join("; ")
    }

    /// Two corners of the largest sheet there is: a rectangle between them would be seventeen billion cells.
    #[test]
    fn a_small_workbook_takes_little_room() {
        let corners = r#"<row r="1"><c r="A1" t="str"><v>no</v></c></row><row r="1048576"><c r="A1048576"><v>7</v></c><c r="XFD1048576"><v>1</v></c></row>"#;
        assert_eq!(told(&book(corners, "")), "1048576 no=7");
    }

    #[test]
    fn rows_come_with_the_columns_of_the_head() {
        let data = r#"<row r="2"><c r="B2" t="s"><v>0</v></c><c r="D2" t="str"><v>qty</v></c></row>
            <row r="4"><c r="D4"><v>1.5</v></c><c r="C4"><v>9</v></c></row><row r="3"><c r="B3" t="b"><v>1</v></c></row>"#;
        let texts = r#"<sst uniqueCount="1"><si><t> no </t></si></sst>"#;
        assert_eq!(told(&book(data, texts)), "3 no=true qty=null; 4 no=null qty=1.5");
        assert_eq!(told(&book("", "")), "");
    }

    /// What would take more room than there is is told, and nothing is made ready for it.
    #[test]
    fn what_a_workbook_says_is_not_believed() {
        for said in ["99999999999", "99999999999999999999999", "30"] {
            let texts = format!(r#"<sst count="1" uniqueCount = '{said}'><t/></sst>"#);
            let told = told(&book("", &texts));
            assert!(told.starts_with("1 ! sharedStrings.xml"), "{said}: {told}");
        }
        let wide: String = (0..3000).map(|_| r#"<c t="str"><v>x</v></c>"#).collect();
        let long: String = (2..2000)
            .map(|row| format!(r#"<row r="{row}"><c r="A{row}"><v>1</v></c></row>"#))
            .collect();
        let told_wide = told(&book(&format!(r#"<row r="1">{wide}</row>{long}"#), ""));
        assert!(told_wide.contains("3000 columns in 1998 rows"), "{told_wide}");
        // Blanks: a quarter of a megabyte that unpacks to a thousand times as much.
        let bomb = book(&" ".repeat(usize::try_from(UNPACKED_MAX).unwrap()), "");
        assert!(bomb.len() < 1 << 20);
        let told_bomb = told(&bomb);
        assert!(told_bomb.contains("when unpacked"), "{told_bomb}");
    }
}
