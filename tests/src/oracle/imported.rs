//! Expressions of published schemes: what they give once they are brought over, beside what the tool makes of them that
//! they come from.
//!
//! That tool pastes the text of every value into the expression and lets a MySQL server compute the result. So does this
//! module, letter by letter, on generated records. Each expression goes through the whole importer, and the file that it
//! writes is compiled and evaluated. Where the two differ, the report of the import must have named the reason, and the
//! server must agree once it is given values instead of pasted text: a difference without a reason is a failure.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use app::{Places, Workspace};
use connector::NoSecrets;
use dsl::facts::Action;
use dsl::lines::LineIds;
use dsl::lookup::Hits;
use dsl::plan::{Plan, TestCase};
use dsl::testing::{Difference, TEST_NOW_MS};
use dsl::tree::{Scope, eval_value};
use dsl::value::{Instant, Value};
use jiff::tz::TimeZone;

use super::pasted::{Cell, Find, Part, Record, Template};
use super::{Answer, Server};
use crate::sim::rng::Rng;

/// Rows that the scheme of a look-up has stored.
const STORED: usize = 3;
/// Ways to write the values of one record: three placeholders, each of which may be a text or a number.
const MOST_WAYS: usize = 100;
/// Differences shown of one expression.
const SHOWN: u64 = 2;

/// The one reason that no report has to name.
const THIRTY: &str = "30 digits";

/// Where an expression stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stands {
    /// In the request of the source.
    Source,
    /// In a document.
    Document,
    /// In each line of a list.
    Line(String),
    /// In a document, reading all lines of a list.
    Over(String),
}

/// An expression and where it was found.
#[derive(Debug, Clone)]
struct Found {
    place: String,
    text: String,
    stands: Stands,
}

/// What came of an expression.
#[derive(Debug, Default)]
struct Tally {
    same: u64,
    both_refuse: u64,
    /// By the code that the report gave.
    differs: BTreeMap<&'static str, u64>,
    unexplained: u64,
    /// The import refuses it, with the code of its report.
    refused: Option<String>,
}

/// Compares all of them on so many records each.
pub fn imported(
    socket: &Path,
    corpus: &Path,
    records: u64,
    seed: u64,
    say: &dyn Fn(&str),
) -> Result<(), String> {
    let broken = |error: io::Error| format!("the server: {error}");
    let mut server = Server::connect(socket).map_err(broken)?;
    say(&format!("server {}", server.version().map_err(broken)?));
    let found = found(corpus)?;
    let (brought, ids) = bring(&found)?;
    let mut total = Tally::default();
    let (mut refused, mut unexplained, mut shown) = (0_u64, 0_u64, Vec::new());
    for (nth, one) in found.iter().enumerate() {
        let (plan, told, left) = &brought[nth];
        let mut tally = Tally {
            refused: left.clone(),
            ..Tally::default()
        };
        let template = Template::read(&one.text);
        let mut rng = Rng::new(seed.rotate_left(32) ^ u64::try_from(nth).unwrap_or_default());
        let rows = if left.is_some() { 0 } else { records };
        for _ in 0..rows {
            let record = record(one, &template, &mut rng);
            let ours = ours(one, plan.as_ref().ok_or("no plan")?, &record, &ids);
            let pasted = template.pasted(&record);
            let theirs = server.answer(&pasted).map_err(broken)?;
            if matches!((&ours, &theirs), (Answer::Failed(_), Answer::Failed(_))) {
                tally.both_refuse += 1;
                continue;
            }
            if ours == theirs {
                tally.same += 1;
                continue;
            }
            let reason = match has_thirty_digits(&ours, &theirs) {
                true => Some(THIRTY),
                false => reason(&template, &record, &ours, told, &mut server).map_err(broken)?,
            };
            match reason {
                Some(code) => *tally.differs.entry(code).or_default() += 1,
                None => {
                    tally.unexplained += 1;
                    if tally.unexplained <= SHOWN {
                        shown.push(format!(
                            "{}: {}\n  over {}\n  pasted {pasted}\n  ours   {ours}\n  server {theirs}\n  told {told:?}",
                            one.place,
                            one.text,
                            dsl::json::to_string(&record.row()),
                        ));
                    }
                }
            }
        }
        say(&line(one, &tally));
        refused += u64::from(tally.refused.is_some());
        unexplained += tally.unexplained;
        total.same += tally.same;
        total.both_refuse += tally.both_refuse;
        for (code, count) in tally.differs {
            *total.differs.entry(code).or_default() += count;
        }
    }
    for one in shown {
        say(&format!("\nDIFFERS {one}"));
    }
    let codes: Vec<String> = total
        .differs
        .iter()
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    say(&format!(
        "{} expressions, {refused} of them refused by the import, {records} records each, seed {seed}: {} values equal, \
         {} refused by both, {} differ as the report says ({}), {} without a reason",
        found.len(),
        total.same,
        total.both_refuse,
        total.differs.values().sum::<u64>(),
        codes.join(", "),
        unexplained,
    ));
    if unexplained == 0 {
        Ok(())
    } else {
        Err(format!("{unexplained} differences without a reason"))
    }
}

fn line(one: &Found, tally: &Tally) -> String {
    let mut line = format!("{:<40} ", one.place);
    match &tally.refused {
        Some(code) => {
            line.push_str(&format!("refused by the import: {code}"));
        }
        None => {
            line.push_str(&format!(
                "equal {:>4}  refused {:>3}",
                tally.same, tally.both_refuse
            ));
        }
    }
    for (code, count) in &tally.differs {
        line.push_str(&format!("  {code} {count}"));
    }
    line
}

/// Every expression of the published schemes, and of the list of published expressions.
fn found(corpus: &Path) -> Result<Vec<Found>, String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()));
    let mut files: Vec<_> = std::fs::read_dir(corpus)
        .map_err(|e| format!("{}: {e}", corpus.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let value = dsl::json::parse(read(&path)?.as_bytes()).map_err(|e| format!("{name}: {e:?}"))?;
        let short = name.split('-').next().unwrap_or_default().to_owned();
        in_metadata(&value, &short, false, None, &mut all);
    }
    for line in read(&corpus.join("expressions.tsv"))?.lines() {
        let mut columns = line.split('\t');
        let (Some(number), Some(stands), Some(text)) = (columns.next(), columns.next(), columns.next())
        else {
            continue;
        };
        let stands = match stands {
            "" => Stands::Document,
            "source" => Stands::Source,
            list => match list.strip_suffix('*') {
                Some(list) => Stands::Over(list.to_owned()),
                None => Stands::Line(list.to_owned()),
            },
        };
        let text = match text.starts_with("_findCollection") {
            true => text.to_owned(),
            false => format!("_function {text}"),
        };
        all.push(Found {
            place: format!("published {number}"),
            text,
            stands,
        });
    }
    Ok(all)
}

fn in_metadata(value: &Value, at: &str, at_source: bool, list: Option<&str>, all: &mut Vec<Found>) {
    match value {
        Value::List(items) => items
            .iter()
            .for_each(|item| in_metadata(item, at, at_source, list, all)),
        Value::Map(map) => {
            let text = |name: &str| map.get(name).and_then(Value::as_text);
            let name = text("field").unwrap_or_default();
            let inner = text("value").filter(|_| map.contains_key("children") && !name.is_empty());
            for (key, below) in map {
                match below {
                    Value::Text(text) if is_expression(text) && key == "value" => all.push(Found {
                        place: format!("{at} {name}"),
                        text: text.clone(),
                        stands: match (at_source, list) {
                            (true, _) => Stands::Source,
                            (_, Some(list)) => Stands::Line(list.to_owned()),
                            _ => Stands::Document,
                        },
                    }),
                    _ => {
                        let is_source = at_source || key.ends_with("source");
                        in_metadata(below, at, is_source, inner.or(list), all);
                    }
                }
            }
        }
        _ => {}
    }
}

fn is_expression(text: &str) -> bool {
    text.starts_with("_function ") || text.starts_with("_findCollection ")
}

/// A plan (where the import made one), the reasons that its report names, and the code with which it was refused.
type Brought = (Option<Plan>, BTreeSet<String>, Option<String>);

/// Brings every expression over as a scheme of its own, with one that stores the rows it looks up.
fn bring(all: &[Found]) -> Result<(Vec<Brought>, BTreeMap<String, String>), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let exports = folder.path().join("exports");
    std::fs::create_dir(&exports).map_err(|e| e.to_string())?;
    let write = |name: String, value: &serde_json::Value| {
        std::fs::write(exports.join(name), value.to_string()).map_err(|e| e.to_string())
    };
    let mut looked_up = BTreeSet::new();
    for (nth, one) in all.iter().enumerate() {
        write(format!("e{nth:03}.json"), &metadata(one))?;
        for part in &Template::read(&one.text).parts {
            if let Part::Find(find) = part {
                looked_up.insert(find.scheme.clone());
            }
        }
    }
    for (nth, scheme) in looked_up.iter().enumerate() {
        let source = serde_json::json!({
            "platform": "甲系统", "api": "/rows", "type": "QUERY", "id": "id", "request": [{"field": "a", "value": "1"}],
        });
        write(
            format!("s{nth:03}.json"),
            &serde_json::json!({"uuid": scheme, "source": source}),
        )?;
    }
    let schemes = folder.path().join("schemes");
    // A file of its own: one that is found elsewhere would be written to.
    let own = "connections:\n  own: {connector: http, params: {server: \"https://own.example.com/\"}}\n";
    std::fs::write(folder.path().join("connections.yaml"), own).map_err(|e| e.to_string())?;
    let places = Places {
        connections: Some(folder.path().join("connections.yaml")),
        ..Places::default()
    };
    let brought = app::bring::bring(&[exports], &schemes, false, &places).map_err(|e| format!("{e:?}"))?;
    if let Some((name, why)) = brought.import.report.refused.first() {
        return Err(format!("{name}: {why:?}"));
    }
    let workspace =
        Workspace::load(&schemes, places, None, Box::new(NoSecrets)).map_err(|e| format!("{e:?}"))?;
    let mut plans = Vec::with_capacity(all.len());
    for (report, path) in brought
        .import
        .report
        .schemes
        .iter()
        .zip(&brought.written)
        .take(all.len())
    {
        let notes = || report.notes.iter().map(|note| &note.failure);
        let left = notes()
            .map(|failure| failure.code())
            .find(|code| ["E1710", "E1711", "E1712"].contains(code));
        let told = notes().flat_map(|failure| {
            let facts = failure.facts.iter();
            facts
                .filter(|(name, _)| *name == "codes")
                .flat_map(|(_, codes)| codes.split([',', ' ']).map(str::to_owned).collect::<Vec<_>>())
        });
        let told = told.filter(|code| !code.is_empty()).collect();
        let plan = match (left, workspace.compile(path)) {
            (Some(_), _) => None,
            (None, Ok((plan, _))) => Some((*plan).clone()),
            (None, Err(e)) => return Err(format!("{}: {e:?}", path.display())),
        };
        plans.push((plan, told, left.map(str::to_owned)));
    }
    let ids = looked_up
        .into_iter()
        .enumerate()
        .map(|(nth, scheme)| (scheme, format!("s{nth:03}")))
        .collect();
    Ok((plans, ids))
}

fn metadata(one: &Found) -> serde_json::Value {
    use serde_json::json;
    let field = json!({"field": "V", "type": "string", "value": one.text});
    let mut request = vec![json!({"field": "a", "value": "1"})];
    let mut document = vec![json!({"field": "id", "value": "{{id}}"})];
    match &one.stands {
        Stands::Source => request.push(field),
        Stands::Document | Stands::Over(_) => document.push(field),
        Stands::Line(list) => {
            document.push(json!({"field": "L", "type": "array", "value": list, "children": [field]}));
        }
    }
    json!({
        "source": {"platform": "甲系统", "api": "/rows", "type": "QUERY", "id": "id", "request": request},
        "target": {"platform": "乙系统", "api": "/save", "type": "EXECUTE", "request": document},
    })
}

/// What our engine makes of a record.
fn ours(one: &Found, plan: &Plan, record: &Record, ids: &BTreeMap<String, String>) -> Answer {
    let failed = |failure: &dsl::Failure| Answer::Failed(failure.code().to_owned());
    let value = if one.stands == Stands::Source {
        let scope = Call {
            start_ms: record.start_ms,
            zone: &plan.zone,
        };
        let request = plan.source.request.as_ref();
        match request
            .map(|tree| eval_value(tree, &scope, &Hits::new()))
            .transpose()
        {
            Ok(value) => value.flatten(),
            Err(failure) => return failed(&failure),
        }
    } else {
        let named = |(scheme, rows): &(String, Vec<Value>)| {
            (ids.get(scheme).cloned().unwrap_or_default(), rows.clone())
        };
        let lookups = record.stored.iter().map(named).collect();
        let case = TestCase {
            name: String::new(),
            rows: vec![record.row()],
            emitted: None,
            saved: None,
            steps: Vec::new(),
            lookups,
            line_ids: LineIds::none().clone(),
            action: Some(Action::Create),
            expect: Value::Null,
            span: 0..0,
        };
        let outcome = dsl::testing::run(plan, &case);
        match (outcome.got, outcome.diff.first()) {
            (None, Some(Difference::Failed(failure))) => return failed(failure),
            (None, other) => return Answer::Failed(format!("{other:?}")),
            (got, _) => got,
        }
    };
    let value = value.as_ref().and_then(|value| match one.stands {
        Stands::Line(_) => value.get("L")?.as_list()?.first()?.get("V"),
        _ => value.get("V"),
    });
    match value {
        None | Some(Value::Null) => Answer::Null,
        Some(value) => value
            .to_plain_text()
            .map_or_else(|| Answer::Failed("no text".to_owned()), Answer::Text),
    }
}

/// The names of a source's call.
struct Call<'c> {
    start_ms: i64,
    zone: &'c TimeZone,
}

impl Scope for Call<'_> {
    fn field(&self, _slot: usize, _path: &dsl::Path) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }

    fn name(&self, path: &dsl::Path) -> Option<std::borrow::Cow<'_, Value>> {
        let ms = match path.to_string().as_str() {
            "$now" | "$window.end" => TEST_NOW_MS,
            "$window.start" => self.start_ms,
            _ => return None,
        };
        Some(std::borrow::Cow::Owned(Value::Instant(Instant { ms })))
    }

    fn now_ms(&self) -> i64 {
        TEST_NOW_MS
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        None
    }

    fn compat_qeasy(&self) -> bool {
        true
    }
}

/// The code under which the report has the reason, where the server agrees with us once it gets values.
fn reason(
    template: &Template,
    record: &Record,
    ours: &Answer,
    told: &BTreeSet<String>,
    server: &mut Server,
) -> io::Result<Option<&'static str>> {
    let codes = template.reasons(record);
    let Some(code) = codes.into_iter().find(|code| told.contains(*code)) else {
        return Ok(None);
    };
    for text in template.as_values(record, MOST_WAYS) {
        let theirs = server.answer(&text)?;
        if ours.agrees(&theirs) || template.is_over_lines(record) && plain(ours) == plain(&theirs) {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

/// A decimal of ours has at most 30 digits behind its point, as in MySQL 8; MariaDB has up to 38.
fn has_thirty_digits(ours: &Answer, theirs: &Answer) -> bool {
    let (Answer::Text(ours), Answer::Text(theirs)) = (ours, theirs) else {
        return false;
    };
    let digits = |text: &str| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    // The last ones may be rounded.
    digits(ours) == 30 && digits(theirs) > 30 && theirs.starts_with(&ours[..ours.len() - 4])
}

/// A number without the zeros that a column adds; an empty text counts as 0.
fn plain(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Text(text) if text.is_empty() => Some("0"),
        Answer::Text(text) if text.contains('.') => Some(text.trim_end_matches('0').trim_end_matches('.')),
        Answer::Text(text) => Some(text),
        _ => None,
    }
}

/// Values that go through real schemes, and those that break pasted text.
fn record(one: &Found, template: &Template, rng: &mut Rng) -> Record {
    let mut cells: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    for (path, quoted) in template.fields() {
        let count = match (&one.stands, rng.between(0, 4)) {
            (Stands::Over(_), count) => usize::try_from(count).unwrap_or_default(),
            _ => 1,
        };
        cells
            .entry(path)
            .or_insert_with(|| (0..count).map(|_| cell(one, template, quoted, rng)).collect());
    }
    let list = match &one.stands {
        Stands::Line(list) | Stands::Over(list) => Some(list.clone()),
        _ => None,
    };
    let start_ms = rng.between(1_650_000_000, 1_699_999_000) * 1000;
    let mut record = Record {
        cells,
        list,
        start_ms,
        stored: Vec::new(),
    };
    record.stored = template
        .finds()
        .map(|find| {
            let rows = (0..STORED).map(|nth| stored(find, nth, &record, rng));
            (find.scheme.clone(), rows.collect())
        })
        .collect();
    record
}

/// A stored row: often one that is found, now and then one without the field.
fn stored(find: &Find, nth: usize, record: &Record, rng: &mut Rng) -> Value {
    let mut row = dsl::Map::new();
    row.insert("id".to_owned(), Value::from(nth.to_string()));
    for (name, parts) in &find.conditions {
        let key = record.text_of(parts);
        let is_found = rng.in_thousand(600) && !key.is_empty();
        row.insert(
            name.clone(),
            Value::from(if is_found { key } else { format!("other {nth}") }),
        );
    }
    if rng.in_thousand(950) {
        let value = rng.pick(&[
            "1", "0", "true", "false", "是", "BOX-01", "仓库 A", "00100", "12.50",
        ]);
        row.insert(find.field.clone(), Value::from(value));
    }
    Value::Map(row)
}

fn cell(one: &Found, template: &Template, quoted: bool, rng: &mut Rng) -> Cell {
    const NUMBERS: &[&str] = &[
        "0",
        "1",
        "3",
        "7",
        "10",
        "12.50",
        "59.7",
        "0.13",
        "100.00",
        "-1.5",
        "0.00",
        "99",
        "120",
        "1699928000123",
        "1700000000",
        "1234.567890123456789",
        "0.1234567890123456789",
        "2.5",
        "33.333333",
        "1e3",
    ];
    const ODD_NUMBERS: &[&str] = &[
        "00123",
        "+5",
        " 5 ",
        "1,000",
        "12345678901234567890",
        "5.",
        ".5",
        "1.5E+2",
    ];
    const TEXTS: &[&str] = &[
        "张三",
        "旗舰店(上海)",
        "小米专卖店",
        "请仔细包装",
        "否",
        "true",
        "false",
        "N/A",
        "2023-11-15",
        "2023-11-15 08:30:00",
        "100 ",
        "ABC-01",
        "a b",
        "仓库 A",
        "😀",
        "%",
        "null",
        "2023/11/15",
    ];
    const SHARP: &[&str] = &[
        "O'Neil",
        "x' OR '1'='1",
        "a\\b",
        "尾\\",
        "say \"hi\"",
        "'; DROP TABLE t; --",
        "5'10\"",
        "a''b",
        "行\n二",
    ];
    match rng.between(0, 100) {
        0..4 => return Cell::Missing,
        4..8 => return Cell::Null,
        8..13 => return Cell::Text(String::new()),
        _ => {}
    }
    // What the expression itself speaks of, so that its branches are taken.
    let spoken: Vec<&str> = template.literals().collect();
    let often = match (&one.stands, quoted) {
        // Lines of one field are of one kind.
        (Stands::Over(_), _) => 1000,
        (_, true) => 300,
        (_, false) => 550,
    };
    if rng.in_thousand(often) {
        let all = match one.stands {
            // A text with an exponent is the greatest of its lines as it stands.
            Stands::Over(_) => &NUMBERS[..NUMBERS.len() - 1],
            _ => NUMBERS,
        };
        let number = rng.pick(all);
        return match rng.in_thousand(500) && !number.contains('e') {
            true => Cell::Number(number.to_owned()),
            false => Cell::Text(number.to_owned()),
        };
    }
    if !spoken.is_empty() && quoted && rng.in_thousand(450) {
        return Cell::Text(rng.pick(&spoken).trim_matches('%').to_owned());
    }
    let text = match rng.between(0, 10) {
        0..3 => rng.pick(ODD_NUMBERS),
        3..7 => rng.pick(TEXTS),
        _ => rng.pick(SHARP),
    };
    Cell::Text(text.to_owned())
}
