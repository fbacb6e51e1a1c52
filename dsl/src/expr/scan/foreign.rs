//! What other languages and other databases write, and what is written here instead.

use std::ops::Range;

use crate::builtin::Registry;
use crate::catalogue::expression;
use crate::expr::ExprError;

/// Signs of other languages: what is written, and what to do, in Chinese and English.
pub(super) const FOREIGN_SIGNS: &[(&str, &str, &str)] = &[
    (
        "//",
        "整除用 `DIV`;表达式里没有注释",
        "whole division is `DIV`; there are no comments",
    ),
    ("**", "乘方用 `POWER(甲, 乙)`", "a power is `POWER(a, b)`"),
    ("`", "字段写作 `<<字段>>`", "a field is written `<<field>>`"),
    (";", "删掉它", "take it out"),
    (
        ":=",
        "表达式里没有变量;用 `let` 先算出中间结果",
        "there are no variables; compute a part with `let` first",
    ),
    (
        "@",
        "表达式里没有变量;字段写作 `<<字段>>`",
        "there are no variables; a field is written `<<field>>`",
    ),
    (
        "[",
        "列表里的一项写作 `<<行.0>>`",
        "an item of a list is written `<<lines.0>>`",
    ),
    (
        "]",
        "列表里的一项写作 `<<行.0>>`",
        "an item of a list is written `<<lines.0>>`",
    ),
    (
        "{",
        "字段写作 `{{字段}}` 或 `<<字段>>`",
        "a field is written `{{field}}` or `<<field>>`",
    ),
    (
        "}",
        "字段写作 `{{字段}}` 或 `<<字段>>`",
        "a field is written `{{field}}` or `<<field>>`",
    ),
    (
        "\\",
        "反斜杠只用在引号内的文本里",
        "a backslash belongs into quoted text",
    ),
];

/// What a Chinese keyboard types, and what it stands for.
pub(super) const FULL_WIDTH: &[(char, &str)] = &[
    ('\u{ff08}', "("),
    ('\u{ff09}', ")"),
    ('\u{ff0c}', ","),
    ('\u{3001}', ","),
    ('\u{3002}', "."),
    ('\u{ff0e}', "."),
    ('\u{ff1b}', ";"),
    ('\u{ff1a}', ":"),
    ('\u{ff0b}', "+"),
    ('\u{ff0d}', "-"),
    ('\u{2212}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{ff0a}', "*"),
    ('\u{d7}', "*"),
    ('\u{ff0f}', "/"),
    ('\u{f7}', "/"),
    ('\u{ff1d}', "="),
    ('\u{ff1c}', "<"),
    ('\u{ff1e}', ">"),
    ('\u{2264}', "<="),
    ('\u{2265}', ">="),
    ('\u{2260}', "<>"),
    ('\u{ff05}', "%"),
    ('\u{ff06}', "&"),
    ('\u{ff5c}', "|"),
    ('\u{ff5b}', "{"),
    ('\u{ff5d}', "}"),
    ('\u{ff1f}', "?"),
    ('\u{ff01}', "!"),
    ('\u{300a}', "<<"),
    ('\u{300b}', ">>"),
];

/// Characters nobody sees, besides blanks and control characters.
pub(super) const INVISIBLE: &[char] = &[
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}',
];

/// Functions of other databases, spreadsheets and languages, without dots, and what is written here.
const FUNCTIONS: &[(&str, &str)] = &[
    ("ADD_MONTHS", "DATE_ADD(time, INTERVAL n MONTH)"),
    ("ARRAY_AGG", "GROUP_CONCAT(x SEPARATOR ',')"),
    ("AVERAGE", "AVG(x)"),
    ("BTRIM", "TRIM(text)"),
    ("CHARINDEX", "LOCATE(what, text)"),
    ("CONCATENATE", "CONCAT(a, b)"),
    ("CSTR", "CAST(x AS CHAR)"),
    ("DATEADD", "DATE_ADD(time, INTERVAL n DAY)"),
    ("DATENAME", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("DATEPART", "EXTRACT(DAY FROM time)"),
    ("DATE_TRUNC", "DATE_FORMAT(time, '%Y-%m-01')"),
    ("DATE_DIFF", "DATEDIFF(later, earlier)"),
    ("DATETIME", "CAST(x AS DATETIME)"),
    ("DATE_PART", "EXTRACT(DAY FROM time)"),
    ("DECIMAL", "CAST(x AS DECIMAL(20, 4))"),
    ("DECODE", "CASE x WHEN a THEN b ELSE c END"),
    ("EOMONTH", "LAST_DAY(time)"),
    ("FIND", "LOCATE(what, text)"),
    ("FLOAT", "CAST(x AS DOUBLE)"),
    ("FORMATDATE", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("FORMAT_DATE", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("FORMATDATETIME", "DATE_FORMAT(time, '%Y-%m-%d %H:%i:%s')"),
    ("FORMAT_DATETIME", "DATE_FORMAT(time, '%Y-%m-%d %H:%i:%s')"),
    ("GETDATE", "NOW()"),
    ("GETUTCDATE", "UTC_TIMESTAMP()"),
    ("IFERROR", "IFNULL(a, b)"),
    ("IFS", "CASE WHEN a THEN b ELSE c END"),
    ("IIF", "IF(condition, a, b)"),
    ("INDEXOF", "LOCATE(what, text)"),
    ("INT", "FLOOR(x)"),
    ("INTEGER", "CAST(x AS SIGNED)"),
    ("ISEMPTY", "x = ''"),
    ("ISNULL", "IFNULL(a, b)"),
    ("ISNUMBER", "x REGEXP '^-?[0-9.]+$'"),
    ("ISNUMERIC", "x REGEXP '^-?[0-9.]+$'"),
    ("LEN", "CHAR_LENGTH(text)"),
    ("LISTAGG", "GROUP_CONCAT(x SEPARATOR ',')"),
    ("MONTHS_BETWEEN", "TIMESTAMPDIFF(MONTH, earlier, later)"),
    ("NEWID", "MD5(CONCAT(<<source>>, ':', <<id>>))"),
    ("NUMBER", "CAST(x AS DECIMAL(20, 4))"),
    ("NUMERIC", "CAST(x AS DECIMAL(20, 4))"),
    ("NVL", "IFNULL(a, b)"),
    ("NVL2", "IF(a IS NULL, c, b)"),
    ("PARSEFLOAT", "CAST(x AS DECIMAL(20, 4))"),
    ("PARSEINT", "CAST(x AS SIGNED)"),
    ("ROUNDDOWN", "TRUNCATE(x, n)"),
    ("SEARCH", "LOCATE(what, text)"),
    ("STR", "CAST(x AS CHAR)"),
    ("STRFTIME", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("STRING", "CAST(x AS CHAR)"),
    ("STRING_AGG", "GROUP_CONCAT(x SEPARATOR ',')"),
    ("STRLEN", "CHAR_LENGTH(text)"),
    ("STRPOS", "LOCATE(what, text)"),
    ("STRTOTIME", "UNIX_TIMESTAMP(time)"),
    ("STR_REPLACE", "REPLACE(text, from, to)"),
    ("SUBSTITUTE", "REPLACE(text, from, to)"),
    ("SUBSTRINGOF", "SUBSTRING(text, from, length)"),
    ("SWITCH", "CASE x WHEN a THEN b ELSE c END"),
    ("SYSDATETIME", "NOW(6)"),
    ("TEXT", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("TIMESTAMP_DIFF", "TIMESTAMPDIFF(DAY, earlier, later)"),
    ("TODAY", "CURDATE()"),
    ("TOLOWER", "LOWER(text)"),
    ("TOSTRING", "CAST(x AS CHAR)"),
    ("TOUPPER", "UPPER(text)"),
    ("TO_CHAR", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("TO_DATE", "STR_TO_DATE(text, '%Y-%m-%d')"),
    ("TO_NUMBER", "CAST(x AS DECIMAL(20, 4))"),
    ("TO_TIMESTAMP", "STR_TO_DATE(text, '%Y-%m-%d %H:%i:%s')"),
    ("TRUNC", "TRUNCATE(x, n)"),
    ("TRY_CAST", "CAST(x AS SIGNED)"),
    ("TRY_CONVERT", "CONVERT(x, SIGNED)"),
    ("VALUE", "x + 0"),
    ("VARCHAR", "CAST(x AS CHAR)"),
    (
        "VLOOKUP",
        "_findCollection find FIELD from SCHEME where FIELD=VALUE _endFind",
    ),
    (
        "XLOOKUP",
        "_findCollection find FIELD from SCHEME where FIELD=VALUE _endFind",
    ),
];

/// `$sum` and its like, without the dollar.
const JSON_STYLE: &[(&str, &str)] = &[
    ("ADD", "a + b"),
    ("ADDTOSET", "GROUP_CONCAT(DISTINCT <<lines.x>>)"),
    ("COND", "IF(condition, a, b)"),
    ("COUNT", "COUNT(<<lines.x>>)"),
    ("DATETOSTRING", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("DIVIDE", "a / b"),
    ("EQ", "a = b"),
    ("GT", "a > b"),
    ("LT", "a < b"),
    ("MULTIPLY", "a * b"),
    ("NE", "a <> b"),
    ("PUSH", "GROUP_CONCAT(<<lines.x>>)"),
    ("SIZE", "COUNT(<<lines.x>>)"),
    ("STRLENCP", "CHAR_LENGTH(text)"),
    ("SUBTRACT", "a - b"),
    ("SUM", "SUM(<<lines.x>>)"),
    ("TODATE", "STR_TO_DATE(text, '%Y-%m-%d')"),
    ("TOINT", "CAST(x AS SIGNED)"),
];

/// Calls with a dot that belong to a library.
const LIBRARY: &[(&str, &str)] = &[
    ("date.now", "ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)"),
    ("date.parse", "UNIX_TIMESTAMP(time)"),
    ("json.parse", "JSON_EXTRACT(text, '$.x')"),
    ("json.stringify", "<<x|json>>"),
    ("math.abs", "ABS(x)"),
    ("math.ceil", "CEIL(x)"),
    ("math.floor", "FLOOR(x)"),
    ("math.max", "GREATEST(a, b)"),
    ("math.min", "LEAST(a, b)"),
    ("math.pow", "POWER(a, b)"),
    ("math.round", "ROUND(x)"),
    ("math.sign", "SIGN(x)"),
    ("math.sqrt", "SQRT(x)"),
    ("math.trunc", "TRUNCATE(x, 0)"),
    ("moment.format", "DATE_FORMAT(time, '%Y-%m-%d')"),
    ("number.parsefloat", "CAST(x AS DECIMAL(20, 4))"),
    ("number.parseint", "CAST(x AS SIGNED)"),
    ("object.keys", "JSON_EXTRACT(text, '$.x')"),
];

/// What stands behind a value and a dot; `{x}` is the value.
const METHODS: &[(&str, &str)] = &[
    ("charat", "SUBSTRING({x}, n + 1, 1)"),
    ("concat", "CONCAT({x}, text)"),
    ("endswith", "RIGHT({x}, n) = text"),
    ("filter", "SUM(IF(condition, <<lines.x>>, 0))"),
    ("format", "DATE_FORMAT({x}, '%Y-%m-%d')"),
    ("getfullyear", "YEAR({x})"),
    ("gettime", "UNIX_TIMESTAMP({x})"),
    ("includes", "LOCATE(what, {x}) > 0"),
    ("indexof", "LOCATE(what, {x}) - 1"),
    ("join", "GROUP_CONCAT({x} SEPARATOR ',')"),
    ("length", "CHAR_LENGTH({x})"),
    ("map", "SUM(<<lines.x>>)"),
    ("match", "{x} REGEXP pattern"),
    ("padend", "RPAD({x}, n, '0')"),
    ("padstart", "LPAD({x}, n, '0')"),
    ("reduce", "SUM(<<lines.x>>)"),
    ("replace", "REPLACE({x}, from, to)"),
    ("replaceall", "REPLACE({x}, from, to)"),
    ("size", "COUNT({x})"),
    ("slice", "SUBSTRING({x}, from + 1, to - from)"),
    ("split", "SUBSTRING_INDEX({x}, ',', 1)"),
    ("startswith", "LEFT({x}, n) = text"),
    ("substr", "SUBSTRING({x}, from + 1, length)"),
    ("substring", "SUBSTRING({x}, from + 1, to - from)"),
    ("sum", "SUM({x})"),
    ("test", "text REGEXP pattern"),
    ("tofixed", "ROUND({x}, n)"),
    ("tolocalestring", "FORMAT({x}, 2)"),
    ("tolowercase", "LOWER({x})"),
    ("tostring", "CAST({x} AS CHAR)"),
    ("touppercase", "UPPER({x})"),
    ("trim", "TRIM({x})"),
];

fn known(table: &'static [(&str, &str)], name: &str) -> Option<&'static str> {
    let same = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
    table.iter().find(same).map(|(_, instead)| *instead)
}

/// A function that only other systems have.
pub(super) fn function(name: &str, args: usize, registry: &Registry) -> Option<&'static str> {
    if let Some(plain) = name.strip_prefix('$') {
        return Some(
            known(JSON_STYLE, plain)
                .unwrap_or_else(|| registry.get(plain).map_or("CONCAT(a, b)", |builtin| builtin.name)),
        );
    }
    // The server's ISNULL has one argument; another system's has two.
    let there = registry.get(name).is_some();
    if there && !(name.eq_ignore_ascii_case("ISNULL") && args == 2) {
        return None;
    }
    known(FUNCTIONS, name)
}

/// `Math.floor(…)`, `text.substring(…)`: a call with a dot in its name.
pub(super) fn dotted(name: &str, span: Range<usize>, registry: &Registry) -> ExprError {
    let (value, last) = name.rsplit_once('.').unwrap_or(("", name));
    let instead = known(LIBRARY, name)
        .map(str::to_owned)
        .or_else(|| known(METHODS, last).map(|pattern| pattern.replace("{x}", &format!("<<{value}>>"))))
        .or_else(|| registry.get(last).map(|builtin| format!("{}(…)", builtin.name)));
    let (zh, en) = match instead {
        Some(instead) => (format!(",请写 `{instead}`"), format!("; write `{instead}`")),
        None => (String::new(), String::new()),
    };
    ExprError::new(&expression::DOTTED_CALL, span)
        .with("name", name)
        .with("instead_zh", zh)
        .with("instead_en", en)
}

/// `.length` of a word that has no placeholder.
pub(super) fn property(name: &str) -> Option<String> {
    let (value, last) = name.rsplit_once('.')?;
    (last == "length").then(|| format!("CHAR_LENGTH(<<{value}>>)"))
}

/// `.toFixed(2)` behind a value.
pub(super) fn method(name: &str, value: &str, argument: Option<&str>, span: Range<usize>) -> ExprError {
    let digits = argument.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let (zh, en) = match known(METHODS, name) {
        Some(pattern) => {
            let mut pattern = pattern.replace(" n)", &format!(" {})", digits.unwrap_or("n")));
            if let Some(argument) = argument.filter(|text| !text.is_empty() && !text.contains('(')) {
                pattern = pattern.replace("from, to)", &format!("{argument})"));
            }
            let instead = pattern.replace("{x}", value);
            (format!("写作 `{instead}`"), format!("write `{instead}`"))
        }
        None => (
            "把它写成函数,例如 `TRIM(值)`".to_owned(),
            "write it as a function, such as `TRIM(value)`".to_owned(),
        ),
    };
    ExprError::new(&expression::METHOD, span)
        .with("name", name)
        .with("help_zh", zh)
        .with("help_en", en)
}
