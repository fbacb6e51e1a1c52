//! `cargo xtask collation`: asks a server how each character of the BMP is compared and what its capital and
//! small letter are, and writes the answers down as `dsl/src/expr/collation.rs`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Place;
use crate::run::Report;

const FILE: &str = "dsl/src/expr/collation.rs";

const HEAD: &str = "\
//! What MariaDB 10.11 says about the characters of utf8mb4_general_ci: how each is weighed in a comparison, its
//! capital and its small letter. Only characters beyond ASCII that are not themselves stand here.
//!
//! Measured, not thought out: `cargo xtask collation --socket=…` asks a server and writes this file anew.

/// Characters in a row: the first, the last, how far they are apart, what the first one becomes, and how far the
/// others' are apart.
pub(super) type Row = (u16, u16, u16, u16, u16);
";

/// A character and what becomes of it.
type Pair = (u32, u32);

/// Runs the client with these arguments, which lead it to a server.
pub(crate) fn collation(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    report.step("collation", || {
        let text = generate(arguments)?;
        std::fs::write(place.root.join(FILE), text).map_err(|error| format!("{FILE}: {error}"))
    });
    report
}

fn generate(arguments: &[&str]) -> Result<String, String> {
    let answer = ask(arguments)?;
    let mut columns: [Vec<Pair>; 3] = Default::default();
    let mut rows = 0;
    for line in answer.lines() {
        rows += 1;
        let mut cells = line.split('\t');
        let code = cells.next().and_then(|cell| cell.parse::<u32>().ok());
        let code = code.ok_or_else(|| format!("not a row: {line}"))?;
        for column in &mut columns {
            let to = cells.next().and_then(|cell| u32::from_str_radix(cell, 16).ok());
            let to = to.ok_or_else(|| format!("not a row: {line}"))?;
            if code >= 0x80 && to != code {
                column.push((code, to));
            }
        }
    }
    if rows != 0x1_0000 - 0x800 {
        return Err(format!("the server answered for {rows} characters"));
    }
    let mut text = HEAD.to_owned();
    let names = [
        ("WEIGHTS", "How a character is weighed: as this one."),
        ("CAPITALS", "The capital letter."),
        ("SMALL", "The small letter."),
    ];
    for ((name, about), pairs) in names.into_iter().zip(&columns) {
        let runs = runs(pairs);
        write!(
            text,
            "\n/// {about}\n#[rustfmt::skip]\npub(super) const {name}: &[Row] = &["
        )
        .expect("a String");
        for (index, (first, last, step, to, rise)) in runs.into_iter().enumerate() {
            text.push_str(if index % 4 == 0 { "\n    " } else { " " });
            write!(text, "(0x{first:X}, 0x{last:X}, {step}, 0x{to:X}, {rise}),").expect("a String");
        }
        text.push_str("\n];\n");
    }
    Ok(text)
}

/// One row for each character: its code, its weight, its capital and its small letter, in UTF-16.
fn ask(arguments: &[&str]) -> Result<String, String> {
    let mut child = Command::new("mariadb")
        .args(arguments)
        .args([
            "--skip-column-names",
            "--batch",
            "--default-character-set=utf8mb4",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("mariadb: {error}"))?;
    let mut input = child.stdin.take().expect("piped");
    let asking = std::thread::spawn(move || {
        for char in (0..0x1_0000).filter_map(char::from_u32) {
            let code = u32::from(char);
            let text = format!("CONVERT(_utf16 x'{code:04X}' USING utf8mb4)");
            let shown = |what: String| format!("HEX(CONVERT({what} USING utf16))");
            let (upper, lower) = (shown(format!("UPPER({text})")), shown(format!("LOWER({text})")));
            let weight = format!("HEX(WEIGHT_STRING({text} COLLATE utf8mb4_general_ci))");
            writeln!(input, "SELECT {code}, {weight}, {upper}, {lower};")?;
        }
        Ok::<_, std::io::Error>(())
    });
    let output = child
        .wait_with_output()
        .map_err(|error| format!("mariadb: {error}"))?;
    let asked = asking.join().expect("asking does not panic");
    asked.map_err(|error| format!("mariadb: {error}"))?;
    if !output.status.success() {
        return Err("mariadb failed; give the arguments that lead it to a server, as --socket=…".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| format!("mariadb: {error}"))
}

/// Puts neighbours together whose results lie as evenly as they do, the longest row first found.
fn runs(pairs: &[Pair]) -> Vec<(u32, u32, u32, u32, u32)> {
    let mut rows = Vec::new();
    let mut rest = pairs;
    while let [(first, to), ..] = rest {
        let longest = [(1, 0), (1, 1), (2, 0), (2, 2)].map(|(step, rise)| {
            let mut wanted = (*first, *to);
            let fitting = rest.iter().take_while(|pair| {
                let fits = **pair == wanted;
                wanted = (wanted.0 + step, wanted.1 + rise);
                fits
            });
            (fitting.count(), step, rise)
        });
        let (count, step, rise) = longest
            .into_iter()
            .max_by_key(|row| row.0)
            .expect("four candidates");
        rows.push((*first, rest[count - 1].0, step, *to, rise));
        rest = &rest[count..];
    }
    rows
}
