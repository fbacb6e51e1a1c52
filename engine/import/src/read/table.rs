//! The table that people copy from a screen or a page: field, label, value; as TSV or Markdown.
//!
//! Lines outside of the table name its parts: a heading with 源平台 or 目标平台 (or source, target) begins a side,
//! `api: batchSave` is a key of it. Nesting is shown by blanks in front of the name, or by a column that names the parent.

use dsl::{Map, Value};

/// Columns, as headings call them.
const COLUMNS: [(&str, &[&str]); 6] = [
    ("field", &["字段", "字段名", "字段名称", "field", "key"]),
    ("label", &["名称", "标题", "中文名", "说明", "label", "name"]),
    ("type", &["类型", "type"]),
    ("value", &["值", "字段值", "取值", "value"]),
    ("parent", &["父级", "上级", "父字段", "parent"]),
    ("is_required", &["必填", "required", "is_required"]),
];

/// Keys of a side, as pages call them.
const KEYS: [(&str, &[&str]); 8] = [
    ("api", &["api", "接口", "接口名"]),
    ("platform", &["platform", "平台"]),
    ("adapter", &["adapter", "适配器"]),
    ("method", &["method", "请求方式"]),
    ("type", &["type"]),
    ("id", &["id", "主键"]),
    ("number", &["number", "编码"]),
    ("crontab", &["crontab", "计划"]),
];

/// A table; `None` when there is none.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut sides: Vec<(&'static str, Map, Vec<Row>)> = Vec::new();
    let mut columns: Vec<Option<&'static str>> = Vec::new();
    for line in text.lines() {
        let cells = cells(line);
        if cells.len() < 2 {
            let words = line
                .trim()
                .trim_start_matches(['#', '*', ' '])
                .trim_end_matches([':', '：', '*', ' ']);
            if let Some(side) = side(words) {
                sides.push((side, Map::new(), Vec::new()));
                columns.clear();
            } else if let (Some((key, value)), Some((_, keys, _))) = (key(line), sides.last_mut()) {
                keys.insert(key.to_owned(), Value::from(value));
            }
            continue;
        }
        let Some((_, _, rows)) = sides.last_mut() else {
            continue;
        };
        if cells
            .iter()
            .all(|cell| cell.trim().chars().all(|char| "-:| ".contains(char)))
        {
            continue;
        }
        let heading: Vec<Option<&'static str>> = cells.iter().map(|cell| column(cell)).collect();
        if heading.first().copied().flatten() == Some("field") && heading.iter().flatten().count() >= 2 {
            columns = heading;
            continue;
        }
        if columns.is_empty() {
            columns = vec![Some("field"), Some("label"), Some("value")];
        }
        rows.push(row(&cells, &columns));
    }
    let mut scheme = Map::new();
    for (side, mut keys, rows) in sides {
        if keys.is_empty() && rows.is_empty() {
            continue;
        }
        let mut rows = rows.into_iter().peekable();
        let fields = nested(&mut rows, 0, 0);
        if !fields.is_empty() {
            keys.insert("request".to_owned(), Value::List(fields));
        }
        let side = match scheme.contains_key(side) {
            true => format!("{side}_{}", scheme.len() + 1),
            false => side.to_owned(),
        };
        scheme.insert(side, Value::Map(keys));
    }
    (!scheme.is_empty()).then_some(Value::Map(scheme))
}

struct Row {
    indent: usize,
    field: Map,
}

fn cells(line: &str) -> Vec<String> {
    if line.contains('\t') {
        return line.split('\t').map(str::to_owned).collect();
    }
    let trimmed = line.trim();
    if !trimmed.starts_with('|') {
        return Vec::new();
    }
    // A bar that belongs to a value is escaped or stands between braces: `{{a|date}}`.
    let mut cells = vec![String::new()];
    let (mut braces, mut escaped) = (0i32, false);
    for char in trimmed.trim_start_matches('|').trim_end().chars() {
        let last = cells.last_mut();
        match (char, last) {
            ('|', Some(last)) if escaped => {
                last.pop();
                last.push('|');
            }
            ('|', _) if braces == 0 => cells.push(String::new()),
            (char, Some(last)) => {
                braces += i32::from(char == '{') - i32::from(char == '}');
                braces = braces.max(0);
                last.push(char);
            }
            _ => {}
        }
        escaped = char == '\\';
    }
    if cells.last().is_some_and(|last| last.trim().is_empty()) {
        cells.pop();
    }
    cells
}

fn column(cell: &str) -> Option<&'static str> {
    let cell = cell.trim().trim_matches('*').to_lowercase();
    COLUMNS
        .iter()
        .find(|(_, words)| words.contains(&cell.as_str()))
        .map(|(name, _)| *name)
}

fn side(words: &str) -> Option<&'static str> {
    let lower = words.to_lowercase();
    let short = words.chars().count() <= 30;
    match () {
        _ if !short => None,
        _ if lower.starts_with("目标") || lower.starts_with("target") => Some("target"),
        _ if lower.starts_with("源") || lower.starts_with("来源") || lower.starts_with("source") => {
            Some("source")
        }
        _ => None,
    }
}

fn key(line: &str) -> Option<(&'static str, &str)> {
    let (key, value) = line.split_once([':', '：'])?;
    let key = key.trim().trim_start_matches(['-', '*', ' ']).to_lowercase();
    let (name, _) = KEYS.iter().find(|(_, words)| words.contains(&key.as_str()))?;
    let value = value.trim().trim_matches('`');
    (!value.is_empty()).then_some((*name, value))
}

fn row(cells: &[String], columns: &[Option<&'static str>]) -> Row {
    let mut field = Map::new();
    let mut indent = 0;
    for (cell, column) in cells.iter().zip(columns) {
        let Some(column) = *column else {
            continue;
        };
        let trimmed = cell.trim().trim_matches('`');
        if column == "field" {
            let marks = ['└', '├', '─', ' ', '\u{3000}', '·', '-', '>', '`'];
            let named = cell.trim_start_matches(marks);
            // One blank belongs to the table.
            indent = (cell.chars().count() - named.chars().count()).saturating_sub(1);
            field.insert("field".to_owned(), Value::from(named.trim().trim_matches('`')));
        } else if !trimmed.is_empty() {
            field.insert(column.to_owned(), Value::from(trimmed));
        }
    }
    Row { indent, field }
}

/// The rows of one level; those that are indented further stand below the row before them.
fn nested(
    rows: &mut std::iter::Peekable<std::vec::IntoIter<Row>>,
    indent: usize,
    depth: usize,
) -> Vec<Value> {
    let mut fields: Vec<Value> = Vec::new();
    while let Some(next) = rows.peek() {
        if next.indent < indent {
            break;
        }
        if next.indent > indent && depth < crate::MAX_DEPTH {
            let inner = next.indent;
            let below = nested(rows, inner, depth + 1);
            match fields.last_mut() {
                Some(Value::Map(parent)) => {
                    let plain = parent.get("value").and_then(Value::as_text).is_some();
                    let ty = if plain { "array" } else { "object" };
                    parent.entry("type".to_owned()).or_insert_with(|| Value::from(ty));
                    parent.insert("children".to_owned(), Value::List(below));
                }
                _ => fields.extend(below),
            }
            continue;
        }
        if let Some(row) = rows.next() {
            fields.push(Value::Map(row.field));
        }
    }
    fields
}
