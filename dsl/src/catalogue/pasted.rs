//! W1303-W1399: expressions that are allowed but probably not meant, and those of which a tool that pastes values into
//! the text before it computes it would have made something else.

use super::Entry;
use crate::diagnostic::Severity;

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &QUOTED_NAME,
    &OR_NOT_CONCAT,
    &PLUS_NOT_CONCAT,
    &FORMAT_LETTERS,
    &CASE_FLIPS,
    &LIST_PASTED,
    &TEXT_PASTED,
    &GLUED_EMPTY,
    &EMPTY_PASTED,
    &QUOTE_PASTED,
];

/// {literal} is a text, not the field.
pub const QUOTED_NAME: Entry = Entry {
    code: "W1303",
    severity: Severity::Warning,
    zh: "{literal} 是文本,不是字段",
    en: "{literal} is a text, not the field",
    help_zh: "读取字段写作 `<<{name}>>`;确实是文本时用单引号:'{name}'",
    help_en: "the field is `<<{name}>>`; a text that is meant is written '{name}'",
    long_zh: "双引号和单引号一样表示文本,不表示字段名。",
    long_en: "Double quotes make a text, as single ones do, and never name a field.",
    example: "_function \"unit_price\" * 2",
};

/// `||` is OR and does not join texts.
pub const OR_NOT_CONCAT: Entry = Entry {
    code: "W1304",
    severity: Severity::Warning,
    zh: "`||` 是「或」,不拼接文本",
    en: "`||` is OR and does not join texts",
    help_zh: "拼接文本写作 `CONCAT(甲, 乙)`;「或」写作 OR",
    help_en: "join texts with `CONCAT(a, b)`; write OR for a choice",
    long_zh: "服务器的默认设置里 `||` 是逻辑或,结果是 0 或 1。",
    long_en: "With the server's defaults `||` is a logical OR and gives 0 or 1.",
    example: "_function <<a>> || '-'",
};

/// `+` adds numbers, so {function} gets a sum.
pub const PLUS_NOT_CONCAT: Entry = Entry {
    code: "W1305",
    severity: Severity::Warning,
    zh: "`+` 是数字相加,{function} 得到的是和",
    en: "`+` adds numbers, so {function} gets a sum",
    help_zh: "拼接文本写作 `{function}(CONCAT(…))`",
    help_en: "to join texts write `{function}(CONCAT(…))`",
    long_zh: "`md5(甲 + 乙)` 是两个数之和的摘要;文本不是数字时,是 0 的摘要。",
    long_en: "`md5(a + b)` is the digest of a sum, and for texts that are no numbers the digest of 0.",
    example: "_function MD5(<<app_key>> + <<secret>>)",
};

/// {literal} has no `%` and gives the same text for every time.
pub const FORMAT_LETTERS: Entry = Entry {
    code: "W1306",
    severity: Severity::Warning,
    zh: "{literal} 里没有 `%`,任何时间都得到这几个字母",
    en: "{literal} has no `%`, so every time gives these very letters",
    help_zh: "写作 '{format}'",
    help_en: "write '{format}'",
    long_zh: "MySQL 的时间格式以 `%` 开头:`%Y` 年、`%m` 月、`%d` 日、`%H` 时、`%i` 分、`%s` 秒。别的系统的 `yyyy-MM-dd` 在这里只是文本。",
    long_en: "The parts of a format begin with `%`: `%Y` year, `%m` month, `%d` day, `%H` hour, `%i` minute, `%s` second. Another system's `yyyy-MM-dd` is plain text here.",
    example: "_function DATE_FORMAT(NOW(), 'yyyy-MM-dd')",
};

/// Without a value of `{name}` CASE gives {ours}, elsewhere {pasted}.
pub const CASE_FLIPS: Entry = Entry {
    code: "W1310",
    severity: Severity::Warning,
    zh: "`{name}` 没有值时,先替换再计算的工具得到 {pasted},这里得到 {ours}",
    en: "without a value of `{name}`, a tool that substitutes first gives {pasted}, and this gives {ours}",
    help_zh: "",
    help_en: "",
    long_zh: "`case  when true then 甲 else 乙 end` 里的值没有了,就成了另一种 CASE:第一个为真的 WHEN 成立。这里没有值就是 NULL 或空文本,不等于任何 WHEN,结果是 ELSE。",
    long_en: "In `case  when true then a else b end` the value is gone, which makes it the other form of CASE: the first WHEN that is true holds. Here no value is NULL or empty text, which equals no WHEN, and the result is that of ELSE.",
    example: "_function case _findCollection find F from s where a=<<b>> _endFind when true then 1 else 2 end",
};

/// {function} over `{name}` is an error for a tool that substitutes first.
pub const LIST_PASTED: Entry = Entry {
    code: "W1311",
    severity: Severity::Warning,
    zh: "先替换再计算的工具算不出 {function} 和多行的 `{name}`",
    en: "a tool that substitutes first cannot compute {function} over the lines of `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "那里的文本成了 `sum(10,20,30)`,是错误,多数工具就把这段文本当作结果。这里对每一行计算。",
    long_en: "There the text becomes `sum(10,20,30)`, an error, and most tools send that text. Here the function runs over the lines.",
    example: "_function sum({{details.qty}})",
};

/// If `{name}` is text, a tool that substitutes first fails.
pub const TEXT_PASTED: Entry = Entry {
    code: "W1312",
    severity: Severity::Warning,
    zh: "`{name}` 没有加引号:若是文本,先替换再计算的工具会出错或丢掉开头的零",
    en: "`{name}` has no quotes: where it is text, a tool that substitutes first fails or loses leading zeros",
    help_zh: "",
    help_en: "",
    long_zh: "不带引号的 `00123` 在那里成了数字 123,`张三` 成了不存在的列名。这里文本保持原样。",
    long_en: "Without quotes `00123` becomes the number 123 there, and `Zhang` an unknown column. Here text stays as it is.",
    example: "_function CONCAT({{code}}, '-1')",
};

/// Without a value of `{name}`, `{written}` is {pasted} elsewhere.
pub const GLUED_EMPTY: Entry = Entry {
    code: "W1313",
    severity: Severity::Warning,
    zh: "`{name}` 没有值时,先替换再计算的工具把 `{written}` 当作 {pasted}",
    en: "without a value of `{name}`, a tool that substitutes first takes `{written}` for {pasted}",
    help_zh: "",
    help_en: "",
    long_zh: "`{{LAST_SYNC_TIME}}000` 里的值是空的,就只剩下 `000`。",
    long_en: "When the value in `{{LAST_SYNC_TIME}}000` is empty, only `000` is left.",
    example: "_function {{LAST_SYNC_TIME}}000*1",
};

/// Without a value of `{name}` a tool that substitutes first fails.
pub const EMPTY_PASTED: Entry = Entry {
    code: "W1314",
    severity: Severity::Warning,
    zh: "`{name}` 没有值时,先替换再计算的工具得到不完整的表达式",
    en: "without a value of `{name}`, a tool that substitutes first is left with an incomplete expression",
    help_zh: "",
    help_en: "",
    long_zh: "那里的文本成了 `/3` 或 `12.50/`,是语法错误,多数工具就把这段文本当作结果。这里空文本是 0,没有的字段是错误。",
    long_en: "There the text becomes `/3` or `12.50/`, a syntax error, and most tools send that text. Here empty text is 0 and an absent field an error.",
    example: "_function {{amount}}/{{qty}}",
};

/// A quote in `{name}` breaks the text of a tool that substitutes first.
pub const QUOTE_PASTED: Entry = Entry {
    code: "W1315",
    severity: Severity::Warning,
    zh: "`{name}` 里有引号或反斜杠时,先替换再计算的工具会出错",
    en: "a quote or a backslash in `{name}` breaks the text of a tool that substitutes first",
    help_zh: "",
    help_en: "",
    long_zh: "那里 `'{{名称}}'` 的值 `O'Neil` 会让引号提前结束,值的其余部分成了代码。这里值不会成为代码。",
    long_en: "There the value `O'Neil` of `'{{name}}'` ends the quotes early, and the rest of it becomes code. Here a value never becomes code.",
    example: "_function '{{name}}'",
};
