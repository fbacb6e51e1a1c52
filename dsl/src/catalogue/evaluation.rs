//! E2050-E2099: an expression that cannot be computed for a record.

use super::Entry;
use crate::diagnostic::Severity;

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &FIELD_MISSING,
    &NO_SINGLE_VALUE,
    &INSTANT_IN_TEXT,
    &GLUED_NOT_NUMBER,
    &NUMBER_OUT_OF_RANGE,
    &VALUE_TOO_LARGE,
    &OUT_OF_FUEL,
    &BAD_PATTERN_VALUE,
    &CAST_DOES_NOT_FIT,
    &BYTES_ARE_NO_TEXT,
];

/// The field `{path}` that the expression reads is missing.
pub const FIELD_MISSING: Entry = Entry {
    code: "E2050",
    severity: Severity::Error,
    zh: "表达式读取的字段 `{path}` 不存在",
    en: "the field `{path}` that the expression reads is missing",
    help_zh: "允许缺失时写 `IFNULL(<<{path}>>, 0)`,或用 `$missing`",
    help_en: "if it may be absent write `IFNULL(<<{path}>>, 0)`, or use `$missing`",
    long_zh: "这一行数据没有这个字段。缺失不会被当成空值,否则金额会悄悄变成空。IFNULL、COALESCE、IS NULL 和聚合函数里缺失的字段是 NULL。",
    long_en: "The row does not have this field. Absence is not taken for NULL, or sums would silently vanish. Inside IFNULL, COALESCE, IS NULL and aggregate functions a missing field is NULL.",
    example: "_function <<price>> * <<qty>>",
};

/// `{path}` is a {kind}, an expression needs a single value.
pub const NO_SINGLE_VALUE: Entry = Entry {
    code: "E2051",
    severity: Severity::Error,
    zh: "`{path}` 是{kind_zh},表达式需要单个值",
    en: "`{path}` is a {kind}, an expression needs a single value",
    help_zh: "明细用 SUM、MAX 等聚合函数,或指明下级字段",
    help_en: "use an aggregate function such as SUM for lines, or name a field below it",
    long_zh: "列表和对象不能参与运算,也不能拼进文本。",
    long_en: "A list or a map can neither be computed with nor be put into a text.",
    example: "_function <<details>> * 2",
};

/// The instant `{path}` needs a format to be put into a text.
pub const INSTANT_IN_TEXT: Entry = Entry {
    code: "E2052",
    severity: Severity::Error,
    zh: "时间 `{path}` 放进文本时要写格式",
    en: "the instant `{path}` needs a format to be put into a text",
    help_zh: "例如 `<<{path}|datetime>>`",
    help_en: "as in `<<{path}|datetime>>`",
    long_zh: "时间点没有默认的文本形式,避免时区和精度上的误会。",
    long_en: "An instant has no text of its own, so that nobody has to guess zone and precision.",
    example: "_function CONCAT('<<$now>>')",
};

/// `{text}`, written together, is no number.
pub const GLUED_NOT_NUMBER: Entry = Entry {
    code: "E2053",
    severity: Severity::Error,
    zh: "`{text}` 连写后不是数字",
    en: "`{text}`, written together, is no number",
    help_zh: "要拼接文本请用引号:`'<<a>>000'`",
    help_en: "to make a text write it in quotes: `'<<a>>000'`",
    long_zh: "占位符后面紧跟数字(`{{LAST_SYNC_TIME}}000`)表示连写得到的数字;值为空或不是数字时无法计算。",
    long_en: "Digits directly behind a placeholder (`{{LAST_SYNC_TIME}}000`) mean the number that results; this one is empty or no number.",
    example: "_function <<code>>000 * 1",
};

/// The result of `{what}` is out of range.
pub const NUMBER_OUT_OF_RANGE: Entry = Entry {
    code: "E2054",
    severity: Severity::Error,
    zh: "`{what}` 的结果超出数字范围",
    en: "the result of `{what}` is out of range",
    help_zh: "整数有 64 位,更大的先写成 CAST(x AS DECIMAL(30,0));小数的整数部分最多 65 位",
    help_en: "whole numbers have 64 bits, for larger ones write CAST(x AS DECIMAL(30,0)); a decimal has at most 65 digits before the point",
    long_zh: "计算结果过大,无法保存。整数之间的计算仍得整数,范围是 -9223372036854775808 到 9223372036854775807,与 MySQL 相同;其中一个是 DECIMAL,结果就是 DECIMAL,最多 65 位。",
    long_en: "The result is too large to be kept. Whole numbers give a whole number, from -9223372036854775808 to 9223372036854775807, as in MySQL; if one of them is a DECIMAL, so is the result, with up to 65 digits.",
    example: "_function <<a>> * <<a>>",
};

/// The result of `{what}` is too large.
pub const VALUE_TOO_LARGE: Entry = Entry {
    code: "E2055",
    severity: Severity::Error,
    zh: "`{what}` 的结果过大",
    en: "the result of `{what}` is too large",
    help_zh: "单个值最多 1 MiB",
    help_en: "a value may have 1 MiB",
    long_zh: "文本的长度超过上限。数据不会被截断。",
    long_en: "The text would be longer than a value may be. Nothing is cut off silently.",
    example: "_function CONCAT(<<a>>, <<a>>)",
};

/// The expression takes too many steps.
pub const OUT_OF_FUEL: Entry = Entry {
    code: "E2056",
    severity: Severity::Error,
    zh: "表达式的计算步骤过多",
    en: "the expression takes too many steps",
    help_zh: "简化表达式",
    help_en: "simplify it",
    long_zh: "一次计算最多一百万步。",
    long_en: "One evaluation may take a million steps.",
    example: "_function <<a>> like '%a%b%c%'",
};

/// The pattern of REGEXP is wrong: {what}.
pub const BAD_PATTERN_VALUE: Entry = Entry {
    code: "E2057",
    severity: Severity::Error,
    zh: "REGEXP 的表达式有误:{what}",
    en: "the pattern of REGEXP is wrong: {what}",
    help_zh: "",
    help_en: "",
    long_zh: "正则表达式来自数据,无法读取或过大。",
    long_en: "The regular expression comes from the data and cannot be read, or is too large.",
    example: "_function <<a>> REGEXP <<b>>",
};

/// `{value}` does not fit {want}.
pub const CAST_DOES_NOT_FIT: Entry = Entry {
    code: "E2058",
    severity: Severity::Error,
    zh: "`{value}` 放不进 {want}",
    en: "`{value}` does not fit {want}",
    help_zh: "改用更大的类型",
    help_en: "use a larger type",
    long_zh: "数据库会把放不下的值悄悄改成最大值;这里作为错误处理。",
    long_en: "A database would silently put the largest value in its place; here it is an error.",
    example: "_function CAST(12345 AS DECIMAL(4,2))",
};

/// The bytes are no text.
pub const BYTES_ARE_NO_TEXT: Entry = Entry {
    code: "E2059",
    severity: Severity::Error,
    zh: "结果是二进制数据,不是文本",
    en: "the result is bytes that are no text",
    help_zh: "用 HEX 或 TO_BASE64 把它变成文本",
    help_en: "make text of it with HEX or TO_BASE64",
    long_zh: "UNHEX 和 FROM_BASE64 给出字节。不是 UTF-8 文本的字节不能写进 JSON。",
    long_en: "UNHEX and FROM_BASE64 give bytes. Bytes that are no UTF-8 text cannot be written into JSON.",
    example: "_function UNHEX('FF')",
};
