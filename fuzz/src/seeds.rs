//! What inputs are made from: real texts of the language, and its words.

use std::path::Path;

use crate::corpus;
use crate::rows::FIELDS;
use crate::target::Target;
use crate::world::{World, repository};

/// Expressions that people have in production, and constructs that no function's example shows.
const EXPRESSIONS: &[&str] = &[
    "REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')",
    "CASE '{{name}}' when '现金' then 104 else 103 end",
    "{{qty}}*-1",
    "{{price}}+( {{a}}/{{qty}} )",
    "FROM_UNIXTIME( ( {{payTime}} / 1000 ) ,'%Y-%m-%d %T' )",
    "({{LAST_SYNC_TIME}}-(3600 * 24))* 1000",
    "{{LAST_SYNC_TIME}}000*1",
    "case when '{{name}}' like '%旗舰%' then 102 when '{{name}}' like '%专卖%' then 101 ELSE 100 end",
    "case _findCollection find a from s where b={{tid}} _endFind when true then '{{memo}}' else '' end",
    "sum({{lines.qty}} * {{lines.price}})",
    "IFNULL({{qty}}, 0) * {{price}}",
    "CONCAT('C-', <<tid>>, '/', <<owner.id>>)",
    "<<a>> is not null and not <<b>> <=> null or <<a>> xor <<b>>",
    "<<a>> between 1 and 2 + 3 and <<b>> not in (1, '2', null) and <<name>> regexp '^a.*b$'",
    "date_add(now(), interval <<qty>> day) - interval 1 month",
    "cast(<<price>> as decimal(10,2)) div 3 mod 2 % 5",
    "extract(year from <<tid>>) + position('a' in <<name>>) + timestampdiff(day, <<tid>>, now())",
    "trim(leading '0' from <<tid>>) = binary 'x' || <<a>> && !<<b>>",
    "date'2024-02-29' + interval '1:30' minute_second",
    "x'41' + 0x41 + 1e10 + .5 + 1.",
    "group_concat(distinct <<lines.qty>> separator ';')",
    "json_extract(<<name>>, '$.a[0].b') -> '$.c' ->> '$.d'",
    "convert(<<a>> using utf8mb4)",
    "'it''s' 'two' \"x\" '\\n\\'\\%\\_'",
    "count(distinct <<lines.qty>>) + avg(<<lines.price>>)",
    "round({{{a}/{{b}},7)",
    "a > b ? x : y",
    "Math.floor(Date.now() / 1000)",
];

const TEMPLATES: &[&str] = &[
    "<<name>>",
    "C-<<tid>>/<<qty>>",
    "{{payTime|datetime}} {{payTime|date}}",
    "<<price|text|trim|upper>>",
    "<<$now|ms>>-<<$key>>",
    "'<<name>>' <<owner.id>> {{唯一ID}}",
    "_function <<qty>> * <<price>>",
    "_findCollection find a from s where b=<<tid>> c='x y'",
    "_mongoQuery s findField=content.a where={\"content.b\":{\"$eq\":\"{{tid}}\"}}",
    "<<lines.qty>> <<lines.0.qty>> <<lines.*.qty>>",
    "{{a}}{{b}} {{ name }}",
    "{% for l in lines %}{{ l.qty }}{% endfor %}",
    "{{ name | upper }} {% if qty > 1 %}x{% else %}y{% endif %}",
];

const WORDS: &[&str] = &[
    "_function ",
    "_findCollection ",
    "_endFind",
    "_mongoQuery ",
    "find ",
    " from ",
    " where ",
    "findField=",
    "<<",
    ">>",
    "{{",
    "}}",
    "|",
    "case ",
    " when ",
    " then ",
    " else ",
    " end",
    " and ",
    " or ",
    " not ",
    " xor ",
    " is null",
    " is not null",
    " in (",
    " between ",
    " like ",
    " escape ",
    " regexp ",
    " div ",
    " mod ",
    " interval ",
    " day",
    " month",
    " distinct ",
    " separator ",
    " as decimal(65,30)",
    " as signed",
    " as char(3)",
    "cast(",
    "convert(",
    "extract(",
    "trim(both ",
    "timestampdiff(",
    "binary ",
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "18446744073709551616",
    "1e308",
    "1e-400",
    "0.000000000000000000000000000001",
    "'",
    "\"",
    "`",
    "''",
    "'a'",
    "'杭州'",
    "'0000-00-00'",
    "'2024-02-29 23:59:59.9'",
    "'%a%a%a%'",
    "(",
    ")",
    ",",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<=>",
    "<>",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "||",
    "&&",
    "!",
    "->",
    "->>",
    "\\",
    ";",
    "--",
    "/*",
    "#",
    "?",
    ":",
    ".",
    "..",
    "[",
    "]",
    "$",
    "$$",
    "@",
    "~",
    "^",
    "&",
    "，",
    "（",
    "）",
    "‘",
    "’",
    "\u{0}",
    "\r\n",
    "\n",
    "\t",
    " ",
    "\u{a0}",
    "\u{202e}",
    "\u{feff}",
    "😀",
    "e\u{301}",
    "\u{3000}",
    "0x",
    "x'",
    "b'1'",
    "{%",
    "%}",
    "{#",
    "|date",
    "|datetime",
    "|ms",
    "|text",
    "|json",
    "|trim",
];

const YAML_WORDS: &[&str] = &[
    "\n",
    ": ",
    "- ",
    "  ",
    "\n  ",
    "\n    ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\"",
    "'",
    "#",
    " #",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "!x ",
    "|",
    ">",
    "|+2",
    "---",
    "...",
    "%YAML 1.2",
    "? ",
    "$value",
    "$each",
    "$do",
    "$lookup",
    "$get",
    "$by",
    "$map",
    "$to",
    "$table",
    "$join",
    "$with",
    "$split",
    "$merge",
    "$json",
    "$template",
    "$literal",
    "$key",
    "$where",
    "$type",
    "$missing",
    "$default",
    "$empty",
    "$required",
    "$only",
    "$sensitive",
    "$on_error",
    "$pick",
    "$drop",
    "$$",
    "omit",
    "fail",
    "defer",
    "scheme",
    "source",
    "target",
    "request",
    "options",
    "window",
    "key",
    "label",
    "schedule",
    "tests",
    "row",
    "expect",
    "lookups",
    "derive",
    "keep",
    "explode",
    "field",
    "eq",
    "all",
    "any",
    "not",
    "in",
    "between",
    "is",
    "huke",
    "k3",
    "batchSave",
    "every: 6m",
    "cron: \"0/6 * * * *\"",
    "null",
    "true",
    "00123",
    "1.50",
    "9223372036854775808",
    "~",
    "none",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\t",
];

/// Where inputs of a target begin.
///
/// # Panics
/// When the repository's files cannot be read.
pub fn seeds(target: Target, world: &World) -> Vec<Vec<u8>> {
    let examples = world
        .registry()
        .all()
        .iter()
        .flat_map(|builtin| builtin.examples.iter().map(|example| example.expr));
    let mut found: Vec<Vec<u8>> = match target {
        Target::Expression => texts(EXPRESSIONS.iter().copied().chain(examples)),
        Target::Template => {
            let formulas: Vec<String> = EXPRESSIONS
                .iter()
                .copied()
                .chain(examples)
                .map(|expr| format!("_function {expr}"))
                .collect();
            texts(
                TEMPLATES
                    .iter()
                    .copied()
                    .chain(formulas.iter().map(String::as_str)),
            )
        }
        Target::Scheme => [
            "schemes",
            "tests/corpus/check/good",
            "tests/corpus/check/bad",
            "tests/corpus/check/warn",
        ]
        .iter()
        .flat_map(|folder| files(&repository().join(folder), "yaml"))
        .filter(|text| text.len() <= target.longest())
        .collect(),
    };
    found.extend(corpus::of(target).into_iter().map(|(_, text)| text));
    // The same order on every machine, or a seed would not mean the same inputs.
    found.sort();
    found.dedup();
    found
}

/// The words of a target's language.
pub fn words(target: Target, world: &World) -> Vec<String> {
    let mut found: Vec<String> = WORDS.iter().map(|&word| word.to_owned()).collect();
    for builtin in world.registry().all() {
        found.extend(
            [builtin.name]
                .iter()
                .chain(builtin.aliases)
                .map(|name| format!("{name}(")),
        );
    }
    for field in FIELDS {
        found.extend([format!("<<{field}>>"), format!("{{{{{field}}}}}")]);
    }
    if target == Target::Scheme {
        found.extend(YAML_WORDS.iter().map(|&word| word.to_owned()));
    }
    found
}

fn texts<'a>(from: impl Iterator<Item = &'a str>) -> Vec<Vec<u8>> {
    from.map(|text| text.as_bytes().to_vec()).collect()
}

/// Files of a folder with this end; none when there is no such folder.
pub(crate) fn files(folder: &Path, end: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == end))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file of the repository"))
        .collect()
}
