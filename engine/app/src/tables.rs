//! Tables that stand in CSV files beside a scheme.
//!
//! UTF-8 with or without a byte order mark; the first line names the columns. The file stands in the folder of the scheme
//! or below it: a scheme that came over the network cannot ask for another.

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};
use dsl::facts::{TableFault, TableFile};

use crate::separated;

/// A table is held in memory by every plan that uses it; more belongs into a mapping that the engine keeps.
const MOST_BYTES: u64 = 5 << 20;
/// Lines of it, for the same reason.
const MOST_LINES: usize = 100_000;
/// Columns; real ones have a handful.
const MOST_COLUMNS: usize = 200;

/// Reads the table that a scheme in `folder` calls `name`.
pub(crate) fn read(folder: &Path, name: &str) -> Result<TableFile, TableFault> {
    let path = place(folder, name)?;
    let broken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => fault("没有这个文件", "there is no such file"),
        _ => fault(&format!("读不了:{error}"), &format!("it cannot be read: {error}")),
    };
    let (inside, around) = (
        path.canonicalize().map_err(broken)?,
        folder.canonicalize().map_err(broken)?,
    );
    if !inside.starts_with(&around) {
        return Err(outside());
    }
    let file = std::fs::File::open(&inside).map_err(broken)?;
    if !file.metadata().map_err(broken)?.is_file() {
        return Err(fault("不是文件", "it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(broken)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(fault("超过 5 MB", "it is larger than 5 MB"));
    }
    table(&bytes)
}

/// Where it stands: a relative path without ways up.
fn place(folder: &Path, name: &str) -> Result<PathBuf, TableFault> {
    let path = Path::new(name);
    let is_below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    match is_below && !name.trim().is_empty() {
        true => Ok(folder.join(path)),
        false => Err(outside()),
    }
}

fn outside() -> TableFault {
    fault(
        "它不在方案文件所在的文件夹或其下",
        "it is not in the folder of the scheme file or below it",
    )
}

fn fault(zh: &str, en: &str) -> TableFault {
    TableFault {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn table(text: &[u8]) -> Result<TableFile, TableFault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Some((line, zh, en)) = separated::quote_fault(text) {
        return Err(fault(
            &format!("第 {line} 行:{zh}"),
            &format!("line {line}: {en}"),
        ));
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut places = database::Lines::of(text);
    let mut record = ByteRecord::new();
    let mut table = TableFile::default();
    loop {
        let more = reader.read_byte_record(&mut record);
        let begin = record.position().map_or(0, csv::Position::byte);
        let line = places.at(usize::try_from(begin).unwrap_or(usize::MAX));
        let at = |zh: &str, en: &str| fault(&format!("第 {line} 行{zh}"), &format!("line {line} {en}"));
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(at(&format!("不是 CSV:{error}"), &format!("is no CSV: {error}"))),
        }
        let Some(cells) = texts(&record) else {
            return Err(at(
                "不是 UTF-8;用表格软件另存为“CSV UTF-8”",
                "is not UTF-8; save it as “CSV UTF-8”",
            ));
        };
        if table.columns.is_empty() {
            let nth = |at: usize| cells[..at].contains(&cells[at]).then(|| cells[at].clone());
            if let Some(twice) = (0..cells.len()).find_map(nth) {
                return Err(at(
                    &format!("有两列都叫 `{twice}`"),
                    &format!("has two columns called `{twice}`"),
                ));
            }
            if cells.len() > MOST_COLUMNS {
                return Err(at(
                    &format!("有超过 {MOST_COLUMNS} 列"),
                    &format!("has more than {MOST_COLUMNS} columns"),
                ));
            }
            table.columns = cells;
            continue;
        }
        let (have, want) = (cells.len(), table.columns.len());
        if have != want {
            return Err(at(
                &format!("有 {have} 列,第一行有 {want} 列"),
                &format!("has {have} columns, and the first line has {want}"),
            ));
        }
        if table.lines.len() == MOST_LINES {
            return Err(fault(
                &format!("超过 {MOST_LINES} 行"),
                &format!("it has more than {MOST_LINES} lines"),
            ));
        }
        table.lines.push((line, cells));
    }
    match table.columns.is_empty() {
        true => Err(fault("是空的", "it is empty")),
        false => Ok(table),
    }
}

/// The cells as texts, without the blanks around them and the mark against formulas; `None` when one is not UTF-8.
fn texts(record: &ByteRecord) -> Option<Vec<String>> {
    let text = |cell: &[u8]| {
        let text = std::str::from_utf8(cell).ok()?;
        Some(separated::armed(text.trim()).to_owned())
    };
    record.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(found: Result<TableFile, TableFault>) -> String {
        found.expect_err("it is refused").en
    }

    #[test]
    fn a_table_is_read_with_its_lines() {
        let text = "\u{feff}code,名称\r\nA, 主仓 \r\n\r\n\"B\nB\",\"a,\"\"b\"\r\nC,'=1\r\n";
        let read = table(text.as_bytes()).expect("a table");
        assert_eq!(read.columns, ["code", "名称"]);
        let lines: Vec<(u64, &str, &str)> = read
            .lines
            .iter()
            .map(|(line, cells)| (*line, cells[0].as_str(), cells[1].as_str()))
            .collect();
        assert_eq!(lines, [(2, "A", "主仓"), (4, "B\nB", "a,\"b"), (6, "C", "=1")]);
    }

    #[test]
    fn what_is_no_table_is_told() {
        for (text, expected) in [
            (&b""[..], "it is empty"),
            (b"a,a\n", "line 1 has two columns called `a`"),
            (b"a,b\n1,\"X\n2,Y\n3,Z\n", "line 2: the quote is not closed"),
            (
                b"a,b\n1,X\n2,\"Y\"y\n",
                "line 3: text stands behind the closing quote; a quote is missing, or one inside is not written twice",
            ),
            (b"a,b\nx\n", "line 2 has 1 columns, and the first line has 2"),
            (
                b"a,b\nx,\xb2\xd6\n",
                "line 2 is not UTF-8; save it as \u{201c}CSV UTF-8\u{201d}",
            ),
        ] {
            assert_eq!(why(table(text)), expected);
        }
        let many = format!("a\n{}", "x\n".repeat(MOST_LINES + 1));
        assert_eq!(why(table(many.as_bytes())), "it has more than 100000 lines");
    }

    #[test]
    fn a_file_stands_beside_the_scheme() {
        let desk = tempfile::tempdir().expect("room for temporary files");
        let folder = desk.path().join("schemes");
        std::fs::create_dir_all(folder.join("maps")).expect("our own folder");
        std::fs::write(folder.join("maps/a.csv"), "a,b\n1,2\n").expect("our own folder");
        std::fs::write(desk.path().join("secret.csv"), "a,b\n1,2\n").expect("our own folder");
        assert_eq!(read(&folder, "maps/a.csv").map(|table| table.lines.len()), Ok(1));
        let outside = "it is not in the folder of the scheme file or below it";
        let absolute = folder.join("maps/a.csv").display().to_string();
        for name in ["../secret.csv", &absolute, "", "maps/../../secret.csv"] {
            assert_eq!(why(read(&folder, name)), outside, "{name}");
        }
        assert_eq!(why(read(&folder, "maps/b.csv")), "there is no such file");
        assert_eq!(why(read(&folder, "maps")), "it is no file");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(desk.path().join("secret.csv"), folder.join("link.csv"))
                .expect("our own folder");
            assert_eq!(why(read(&folder, "link.csv")), outside);
        }
        std::fs::write(folder.join("big.csv"), vec![b'a'; (5 << 20) + 1]).expect("our own folder");
        assert_eq!(why(read(&folder, "big.csv")), "it is larger than 5 MB");
    }
}
