//! E1300-E1399: the expression language, before anything runs.

use super::Entry;
use crate::diagnostic::Severity;

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNEXPECTED,
    &UNKNOWN_FUNCTION,
    &ARITY,
    &TEXT_NOT_CLOSED,
    &PLACEHOLDER_NOT_CLOSED,
    &BRACE_TYPO,
    &NOT_CLOSED,
    &NOT_OPENED,
    &CASE_NOT_ENDED,
    &ENDS_EARLY,
    &TERNARY,
    &DOTTED_CALL,
    &BARE_WORD,
    &TOO_LONG,
    &TOO_DEEP,
    &TOO_MANY_OPERATORS,
    &BAD_PATH,
    &UNKNOWN_FILTER,
    &BAD_FIND,
    &FIND_NOT_ENDED,
    &EMPTY,
    &LIST_OUTSIDE,
    &INTERVAL_PLACE,
    &UNKNOWN_UNIT,
    &NOT_SUPPORTED,
    &BAD_NUMBER,
    &UNKNOWN_TYPE,
    &TOO_COMPLEX,
    &FULL_WIDTH,
    &BAD_PATTERN,
    &CASE_WITHOUT_WHEN,
    &FUNCTION_REFUSED,
    &COUNT_STAR,
    &OPERAND_MISSING,
    &OPERATOR_MISSING,
    &TRAILING_COMMA,
    &EMPTY_ARGUMENT,
    &EMPTY_PARENTHESES,
    &THEN_MISSING,
    &CASE_ORDER,
    &FOREIGN_FUNCTION,
    &EQUALS_SIGN,
    &COMMENT,
    &STATEMENT,
    &BRACE_COUNT,
    &SHIFT_SIGN,
    &NEEDS_PARENTHESES,
    &METHOD,
    &INVISIBLE,
    &NOT_INSIDE,
    &LINES_ONLY,
    &BAD_LITERAL,
    &FIND_IN_QUOTES,
    &COMPARED_AS_TEXT,
    &TEXT_AS_ZERO,
];

/// `{found}` is not expected here.
pub const UNEXPECTED: Entry = Entry {
    code: "E1300",
    severity: Severity::Error,
    zh: "这里不应出现 `{found}`",
    en: "`{found}` is not expected here",
    help_zh: "{expected_zh}",
    help_en: "{expected_en}",
    long_zh: "表达式按 MySQL 的语法读取,读到这里时无法继续。提示里写明此处可以写什么。",
    long_en: "An expression follows MySQL's grammar, and reading stopped at this place. The help says what may stand there.",
    example: "_function 1 + * 2",
};

/// There is no function `{name}`.
pub const UNKNOWN_FUNCTION: Entry = Entry {
    code: "E1301",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的函数",
    en: "there is no function `{name}`",
    help_zh: "{help_zh}",
    help_en: "{help_en}",
    long_zh: "只能调用内置函数,名称不区分大小写。",
    long_en: "Only built-in functions can be called; case does not matter.",
    example: "_function REPLCE(<<a>>, 'x', '')",
};

/// `{name}` takes {want_en}, not {count}.
pub const ARITY: Entry = Entry {
    code: "E1302",
    severity: Severity::Error,
    zh: "`{name}` 需要 {want} 个参数,这里有 {count} 个",
    en: "`{name}` takes {want_en}, not {count}",
    help_zh: "写法:{signature}",
    help_en: "it is written {signature}",
    long_zh: "参数个数不对。方括号里的参数可以省略;聚合函数(SUM 等)只接受一个参数,对明细逐行计算。",
    long_en: "The number of arguments is wrong. What stands in brackets may be left out; aggregate functions (SUM and so on) take one argument and run over the lines.",
    example: "_function REPLACE(<<a>>, 'x')",
};

/// A quote is not closed.
pub const TEXT_NOT_CLOSED: Entry = Entry {
    code: "E1303",
    severity: Severity::Error,
    zh: "引号没有结束",
    en: "a quote is not closed",
    help_zh: "在文本末尾补上 {quote};文本里的 {quote} 写两遍",
    help_en: "put {quote} at the end of the text; a {quote} inside it is written twice",
    long_zh: "文本以单引号或双引号开始,必须以同样的引号结束。",
    long_en: "A text begins with a single or a double quote and ends with the same.",
    example: "_function CONCAT('abc, <<a>>)",
};

/// `{open}` has no `{close}`.
pub const PLACEHOLDER_NOT_CLOSED: Entry = Entry {
    code: "E1304",
    severity: Severity::Error,
    zh: "`{open}` 没有对应的 `{close}`",
    en: "`{open}` has no `{close}`",
    help_zh: "文本里确实需要这两个字符时写 `\\{open}`",
    help_en: "write `\\{open}` where a text really needs these characters",
    long_zh: "占位符写作 `<<字段>>` 或 `{{字段}}`,必须在同一段文本里结束。",
    long_en: "A placeholder is written `<<field>>` or `{{field}}` and ends within the same text.",
    example: "_function <<price * 2",
};

/// A placeholder has one brace too many.
pub const BRACE_TYPO: Entry = Entry {
    code: "E1305",
    severity: Severity::Error,
    zh: "占位符多了一个花括号",
    en: "a placeholder has one brace too many",
    help_zh: "写作 `{right}`",
    help_en: "write `{right}`",
    long_zh: "占位符的花括号是成对的两个:`{{字段}}`。",
    long_en: "A placeholder has two braces on each side: `{{field}}`.",
    example: "_function round({{{amount}}/{{num}},7)",
};

/// A parenthesis is not closed.
pub const NOT_CLOSED: Entry = Entry {
    code: "E1306",
    severity: Severity::Error,
    zh: "左括号没有对应的右括号",
    en: "a parenthesis is not closed",
    help_zh: "补上 `)`",
    help_en: "add `)`",
    long_zh: "每个 `(` 都要有一个 `)`。",
    long_en: "Every `(` needs its `)`.",
    example: "_function ROUND((<<a>> + 1, 2",
};

/// A closing parenthesis has no opening one.
pub const NOT_OPENED: Entry = Entry {
    code: "E1307",
    severity: Severity::Error,
    zh: "多了一个右括号",
    en: "a closing parenthesis has no opening one",
    help_zh: "删掉它,或在前面补上 `(`",
    help_en: "take it out, or add `(` before it",
    long_zh: "每个 `)` 前面都要有一个 `(`;CASE 里的括号要在同一段里结束。",
    long_en: "Every `)` needs a `(` before it; inside CASE it is closed within the same part.",
    example: "_function ROUND(<<a>>, 2))",
};

/// CASE has no END.
pub const CASE_NOT_ENDED: Entry = Entry {
    code: "E1308",
    severity: Severity::Error,
    zh: "CASE 没有 END",
    en: "CASE has no END",
    help_zh: "在最后一个结果后面写 END",
    help_en: "write END behind the last result",
    long_zh: "CASE 有两种写法:`CASE 值 WHEN 甲 THEN 结果 … ELSE 其他 END` 和 `CASE WHEN 条件 THEN 结果 … ELSE 其他 END`。",
    long_en: "CASE has two forms: `CASE value WHEN a THEN result … ELSE other END` and `CASE WHEN condition THEN result … ELSE other END`.",
    example: "_function case <<a>> when 1 then 2",
};

/// The expression ends too early.
pub const ENDS_EARLY: Entry = Entry {
    code: "E1309",
    severity: Severity::Error,
    zh: "表达式没有写完",
    en: "the expression ends too early",
    help_zh: "{expected_zh}",
    help_en: "{expected_en}",
    long_zh: "表达式在需要一个值、运算符或关键字的地方结束了。",
    long_en: "The expression ends where a value, an operator or a keyword is needed.",
    example: "_function <<a>> BETWEEN 1",
};

/// `condition ? a : b` is not supported.
pub const TERNARY: Entry = Entry {
    code: "E1310",
    severity: Severity::Error,
    zh: "不支持 `条件 ? 甲 : 乙`",
    en: "`condition ? a : b` is not supported",
    help_zh: "写作 `IF(条件, 甲, 乙)`",
    help_en: "write `IF(condition, a, b)`",
    long_zh: "表达式使用 MySQL 的语法,没有三元运算符。",
    long_en: "Expressions follow MySQL, which has no ternary operator.",
    example: "_function <<a>> > 1 ? 1 : 2",
};

/// `{name}` is not how MySQL calls a function.
pub const DOTTED_CALL: Entry = Entry {
    code: "E1311",
    severity: Severity::Error,
    zh: "`{name}` 不是 MySQL 的函数写法",
    en: "`{name}` is not how MySQL calls a function",
    help_zh: "函数名里没有点{instead_zh}",
    help_en: "a function name has no dot{instead_en}",
    long_zh: "表达式使用 MySQL 的语法,不是 JavaScript:`Math.floor(x)` 写作 `FLOOR(x)`,`Date.now()` 写作 `UNIX_TIMESTAMP(NOW(3))`。",
    long_en: "Expressions follow MySQL, not JavaScript: `Math.floor(x)` is `FLOOR(x)`, `Date.now()` is `UNIX_TIMESTAMP(NOW(3))`.",
    example: "_function Math.floor(<<a>>)",
};

/// `{name}` is neither a function nor a value.
pub const BARE_WORD: Entry = Entry {
    code: "E1312",
    severity: Severity::Error,
    zh: "`{name}` 既不是函数也不是值",
    en: "`{name}` is neither a function nor a value",
    help_zh: "读取字段写作 `<<{name}>>`,文本写作 `'{name}'`",
    help_en: "a field is written `<<{name}>>`, a text `'{name}'`",
    long_zh: "表达式里字段要写成占位符,文本要加引号。从只显示结果的页面复制的方案会丢失花括号。",
    long_en: "In an expression a field is written as a placeholder and a text in quotes. A scheme copied from a page that shows it rendered has lost its braces.",
    example: "_function items.amount / items.qty",
};

/// The expression has {size} bytes, at most {most} are allowed.
pub const TOO_LONG: Entry = Entry {
    code: "E1313",
    severity: Severity::Error,
    zh: "表达式有 {size} 字节,最多 {most}",
    en: "the expression has {size} bytes, at most {most} are allowed",
    help_zh: "拆成几个字段,或用 `$map` 代替很长的 CASE",
    help_en: "split it into several fields, or use `$map` instead of a long CASE",
    long_zh: "表达式的长度有上限,以保证读取方案所需的时间。",
    long_en: "The length is bounded, so that reading a scheme takes a bounded time.",
    example: "_function CONCAT(…)",
};

/// More than {most} levels are nested.
pub const TOO_DEEP: Entry = Entry {
    code: "E1314",
    severity: Severity::Error,
    zh: "嵌套超过 {most} 层",
    en: "more than {most} levels are nested",
    help_zh: "先用 `let` 或 `derive` 算出中间结果",
    help_en: "compute a part with `let` or `derive` first",
    long_zh: "括号、CASE 和连续的符号(NOT、-)合计最多嵌套 64 层。",
    long_en: "Parentheses, CASE and signs in a row (NOT, -) may be nested 64 deep.",
    example: "_function ((((…))))",
};

/// There are more than {most} operators.
pub const TOO_MANY_OPERATORS: Entry = Entry {
    code: "E1315",
    severity: Severity::Error,
    zh: "运算符超过 {most} 个",
    en: "there are more than {most} operators",
    help_zh: "拆成几个字段",
    help_en: "split it into several fields",
    long_zh: "一个表达式最多 500 个运算符。",
    long_en: "An expression may have 500 operators.",
    example: "_function 1+1+1+…",
};

/// The placeholder names no field: {what_en}.
pub const BAD_PATH: Entry = Entry {
    code: "E1316",
    severity: Severity::Error,
    zh: "占位符里的字段名写错了:{what_zh}",
    en: "the placeholder names no field: {what_en}",
    help_zh: "写作 `<<a.b>>`;名称本身带点时写 `a\\.b`",
    help_en: "write `<<a.b>>`; a dot within a name is `\\.`",
    long_zh: "占位符里写字段的路径,层次之间用点分开。",
    long_en: "A placeholder holds the path of a field, its levels parted by dots.",
    example: "_function <<a..b>> * 2",
};

/// There is no filter `{name}`.
pub const UNKNOWN_FILTER: Entry = Entry {
    code: "E1317",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的过滤器",
    en: "there is no filter `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "占位符里 `|` 后面写过滤器,可以连写。",
    long_en: "Behind `|` in a placeholder stands a filter; several may follow each other.",
    example: "_function UNIX_TIMESTAMP(<<created|dat>>)",
};

/// `_findCollection` is not written right: {what_en}.
pub const BAD_FIND: Entry = Entry {
    code: "E1318",
    severity: Severity::Error,
    zh: "`_findCollection` 写法不对:{what_zh}",
    en: "`_findCollection` is not written right: {what_en}",
    help_zh: "写作 `_findCollection find 字段 from 方案 where 字段=值`,表达式里以 `_endFind` 结束",
    help_en: "write `_findCollection find FIELD from SCHEME where FIELD=VALUE`, and `_endFind` behind it in an expression",
    long_zh: "查找从另一个方案保存的数据里取一个字段,条件只能是相等,多个条件用空格分开。",
    long_en: "A look-up takes one field from the rows another scheme has stored; conditions are equalities parted by blanks.",
    example: "_findCollection find FNumber from units where",
};

/// `_findCollection` in an expression has no `_endFind`.
pub const FIND_NOT_ENDED: Entry = Entry {
    code: "E1319",
    severity: Severity::Error,
    zh: "表达式里的 `_findCollection` 没有 `_endFind`",
    en: "`_findCollection` in an expression has no `_endFind`",
    help_zh: "在条件后面写 `_endFind`",
    help_en: "write `_endFind` behind its conditions",
    long_zh: "嵌在表达式里的查找必须写明在哪里结束。",
    long_en: "A look-up inside an expression has to say where it ends.",
    example: "_function IFNULL(_findCollection find FID from bills where no=<<no>>, '0')",
};

/// There is no expression behind `_function`.
pub const EMPTY: Entry = Entry {
    code: "E1320",
    severity: Severity::Error,
    zh: "`_function` 后面没有表达式",
    en: "there is no expression behind `_function`",
    help_zh: "写一个表达式,或删掉 `_function`",
    help_en: "write one, or take `_function` out",
    long_zh: "`_function` 后面要有一个 MySQL 表达式。",
    long_en: "`_function` is followed by a MySQL expression.",
    example: "FQty: _function",
};

/// `{name}` has one value for each line.
pub const LIST_OUTSIDE: Entry = Entry {
    code: "E1321",
    severity: Severity::Error,
    zh: "`{name}` 是多行的值,不能直接使用",
    en: "`{name}` has one value for each line",
    help_zh: "用 SUM、AVG、MIN、MAX 或 COUNT",
    help_en: "use SUM, AVG, MIN, MAX or COUNT",
    long_zh: "带 `*` 的路径给出每一行的值,只能放在聚合函数里。在 `$each` 里面,当前行的字段写作 `<<$line.字段>>`。",
    long_en: "A path with `*` gives a value for each line and belongs into an aggregate function. Inside `$each` a field of the current line is `<<$line.field>>`.",
    example: "_function <<lines.*.qty>> * 2",
};

/// INTERVAL can only be added to or taken from a time.
pub const INTERVAL_PLACE: Entry = Entry {
    code: "E1322",
    severity: Severity::Error,
    zh: "INTERVAL 只能与时间相加减",
    en: "INTERVAL can only be added to or taken from a time",
    help_zh: "例如 `NOW() - INTERVAL 1 DAY`",
    help_en: "as in `NOW() - INTERVAL 1 DAY`",
    long_zh: "INTERVAL 是时间长度,只能写在 `+`、`-` 的右边(`+` 的任一边),或 DATE_ADD、DATE_SUB 的第二个参数。",
    long_en: "An INTERVAL is a length of time: it stands to the right of `-`, on either side of `+`, or as the second argument of DATE_ADD and DATE_SUB.",
    example: "_function INTERVAL 1 DAY * 2",
};

/// INTERVAL has no unit `{name}`.
pub const UNKNOWN_UNIT: Entry = Entry {
    code: "E1323",
    severity: Severity::Error,
    zh: "INTERVAL 没有单位 `{name}`",
    en: "INTERVAL has no unit `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "INTERVAL 后面写数量和单位,例如 `INTERVAL 1 MONTH`。",
    long_en: "INTERVAL is followed by an amount and a unit, as in `INTERVAL 1 MONTH`.",
    example: "_function NOW() - INTERVAL 1 DAYS",
};

/// `{found}` is not supported.
pub const NOT_SUPPORTED: Entry = Entry {
    code: "E1324",
    severity: Severity::Error,
    zh: "不支持 `{found}`",
    en: "`{found}` is not supported",
    help_zh: "{instead_zh}",
    help_en: "{instead_en}",
    long_zh: "这个写法不属于表达式语言。表达式是 MySQL 表达式的一部分:没有变量、数组下标和几个值组成的行。",
    long_en: "This is not part of the expression language, which is a part of MySQL's: no variables, no subscripts and no rows of several values.",
    example: "_function @a + 1",
};

/// `{found}` is not a number.
pub const BAD_NUMBER: Entry = Entry {
    code: "E1325",
    severity: Severity::Error,
    zh: "`{found}` 不是数字",
    en: "`{found}` is not a number",
    help_zh: "小数点前最多 65 位;文本要加引号",
    help_en: "at most 65 digits before the point; a text is written in quotes",
    long_zh: "以数字开头的内容必须是一个完整的数字。",
    long_en: "What begins with a digit has to be a whole number.",
    example: "_function 12abc",
};

/// Nothing can be converted to `{name}`.
pub const UNKNOWN_TYPE: Entry = Entry {
    code: "E1326",
    severity: Severity::Error,
    zh: "不能转换为 `{name}`",
    en: "nothing can be converted to `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "CAST 和 CONVERT 可以转换为这些类型。",
    long_en: "CAST and CONVERT convert to these types.",
    example: "_function CAST(<<a>> AS MONEY)",
};

/// The expression is too complex.
pub const TOO_COMPLEX: Entry = Entry {
    code: "E1327",
    severity: Severity::Error,
    zh: "表达式过于复杂",
    en: "the expression is too complex",
    help_zh: "拆成几个字段",
    help_en: "split it into several fields",
    long_zh: "读取这个表达式所需的步骤超过了上限。",
    long_en: "Reading this expression would take more steps than are allowed.",
    example: "_function …",
};

/// `{found}` is a full-width character.
pub const FULL_WIDTH: Entry = Entry {
    code: "E1328",
    severity: Severity::Error,
    zh: "`{found}` 是全角字符",
    en: "`{found}` is a full-width character",
    help_zh: "写成半角 `{instead}`",
    help_en: "write `{instead}`",
    long_zh: "运算符、括号、逗号和引号必须是半角字符;全角字符只能出现在引号内的文本里。",
    long_en: "Operators, parentheses, commas and quotes are ASCII characters; their full-width forms may stand in quoted text only.",
    example: "_function CONCAT(<<a>>，<<b>>)",
};

/// The pattern of REGEXP is wrong: {what}.
pub const BAD_PATTERN: Entry = Entry {
    code: "E1329",
    severity: Severity::Error,
    zh: "REGEXP 的表达式有误:{what}",
    en: "the pattern of REGEXP is wrong: {what}",
    help_zh: "按正则表达式的语法修改",
    help_en: "correct the regular expression",
    long_zh: "使用线性时间的正则表达式:没有反向引用和环视。",
    long_en: "Regular expressions of linear time are used: no back-references and no look-around.",
    example: "_function <<a>> REGEXP '('",
};

/// CASE has no WHEN.
pub const CASE_WITHOUT_WHEN: Entry = Entry {
    code: "E1330",
    severity: Severity::Error,
    zh: "CASE 里没有 WHEN",
    en: "CASE has no WHEN",
    help_zh: "写作 `CASE 值 WHEN 甲 THEN 结果 ELSE 其他 END`",
    help_en: "write `CASE value WHEN a THEN result ELSE other END`",
    long_zh: "CASE 至少要有一组 WHEN … THEN …。",
    long_en: "CASE needs at least one WHEN … THEN ….",
    example: "_function case <<a>> else 1 end",
};

/// `{name}` cannot be had: it {why_en}.
pub const FUNCTION_REFUSED: Entry = Entry {
    code: "E1331",
    severity: Severity::Error,
    zh: "不能用 `{name}`:{why_zh}",
    en: "`{name}` cannot be had: it {why_en}",
    help_zh: "{help_zh}",
    help_en: "{help_en}",
    long_zh: "同一行数据无论在哪里、算多少次,都必须得到同一份报文。随机数、等待、锁和数据库连接的信息做不到,因此不提供。",
    long_en: "The same row must give the same payload, wherever and how often it is computed. Lots, waits, locks and what a database connection knows cannot promise that and are left out.",
    example: "_function UUID()",
};

/// `COUNT(*)` counts rows of a table; here it counts the lines of one record.
pub const COUNT_STAR: Entry = Entry {
    code: "E1332",
    severity: Severity::Error,
    zh: "`COUNT(*)` 数的是表里的行,这里只有一行数据",
    en: "`COUNT(*)` counts the rows of a table, and here is one row",
    help_zh: "数明细写一个每行都有的字段:`COUNT(<<details.id>>)`",
    help_en: "to count lines name a field that each of them has: `COUNT(<<details.id>>)`",
    long_zh: "COUNT 对明细逐行计算,并且只数有值的行,所以要写明是哪个列表的字段。",
    long_en: "COUNT runs over the lines of a document and counts those with a value, so it has to be told a field of the list.",
    example: "_function COUNT(*)",
};

/// A value is missing {side_en} `{found}`.
pub const OPERAND_MISSING: Entry = Entry {
    code: "E1351",
    severity: Severity::Error,
    zh: "`{found}` {side_zh}缺少一个值",
    en: "a value is missing {side_en} `{found}`",
    help_zh: "补上数字、'文本'、<<字段>> 或函数",
    help_en: "write a number, 'text', <<field>> or a function there",
    long_zh: "运算符和关键字的两边都要有值。从只显示结果的页面复制的表达式会丢失占位符;先替换再计算的工具遇到空值也会得到这样的文本。",
    long_en: "An operator or keyword needs its values. An expression copied from a page that shows it rendered has lost its placeholders; a tool that substitutes first makes such a text of an empty value.",
    example: "_function /3",
};

/// No operator stands between `{left}` and `{right}`.
pub const OPERATOR_MISSING: Entry = Entry {
    code: "E1352",
    severity: Severity::Error,
    zh: "`{left}` 和 `{right}` 之间没有运算符",
    en: "no operator stands between `{left}` and `{right}`",
    help_zh: "写上运算符;拼接文本写作 `CONCAT(甲, 乙)`",
    help_en: "put an operator there; texts are joined with `CONCAT(a, b)`",
    long_zh: "两个值之间要有运算符。两段引号内的文本可以直接相连:'a' 'b' 就是 'ab'。",
    long_en: "Two values need an operator between them. Two quoted texts may follow each other: 'a' 'b' is 'ab'.",
    example: "_function <<a>> <<b>>",
};

/// A comma stands behind the last argument.
pub const TRAILING_COMMA: Entry = Entry {
    code: "E1333",
    severity: Severity::Error,
    zh: "最后一个参数后面多了逗号",
    en: "a comma stands behind the last argument",
    help_zh: "删掉它,或补上缺少的参数",
    help_en: "take it out, or add the argument",
    long_zh: "参数之间用逗号分开,最后一个后面没有逗号。",
    long_en: "Commas stand between arguments and not behind the last.",
    example: "_function CONCAT(<<a>>, <<b>>,)",
};

/// An argument before this comma is empty.
pub const EMPTY_ARGUMENT: Entry = Entry {
    code: "E1334",
    severity: Severity::Error,
    zh: "这个逗号前面没有参数",
    en: "there is no argument before this comma",
    help_zh: "补上参数;空文本写作 ''",
    help_en: "write the argument; empty text is ''",
    long_zh: "参数不能省略:空文本写作 `''`,没有值写作 `NULL`。",
    long_en: "An argument cannot be left out: empty text is `''`, no value is `NULL`.",
    example: "_function CONCAT(<<a>>,,<<b>>)",
};

/// These parentheses are empty.
pub const EMPTY_PARENTHESES: Entry = Entry {
    code: "E1335",
    severity: Severity::Error,
    zh: "括号里没有内容",
    en: "these parentheses are empty",
    help_zh: "写上内容,或删掉括号",
    help_en: "fill them, or take them out",
    long_zh: "只有函数的括号可以是空的,例如 `NOW()`。",
    long_en: "Only a function's parentheses may be empty, as in `NOW()`.",
    example: "_function <<a>> * ()",
};

/// WHEN has no THEN.
pub const THEN_MISSING: Entry = Entry {
    code: "E1336",
    severity: Severity::Error,
    zh: "WHEN 没有 THEN",
    en: "WHEN has no THEN",
    help_zh: "写作 `WHEN 条件 THEN 结果`",
    help_en: "write `WHEN condition THEN result`",
    long_zh: "CASE 里每个 WHEN 后面都要有 THEN 和结果。",
    long_en: "In CASE every WHEN is followed by THEN and a result.",
    example: "_function case when <<a>> 1 else 2 end",
};

/// `{word}` is out of place.
pub const CASE_ORDER: Entry = Entry {
    code: "E1337",
    severity: Severity::Error,
    zh: "`{word}` 的位置不对",
    en: "`{word}` is out of place",
    help_zh: "写作 `CASE 值 WHEN 甲 THEN 结果 ELSE 其他 END`",
    help_en: "write `CASE value WHEN a THEN result ELSE other END`",
    long_zh: "WHEN、THEN、ELSE 和 END 只能写在 CASE 里,顺序固定,ELSE 只有一个并且在最后。",
    long_en: "WHEN, THEN, ELSE and END belong into CASE, in this order, with one ELSE at the end.",
    example: "_function when <<a>> = 1 then 2 end",
};

/// `{name}` belongs to another system.
pub const FOREIGN_FUNCTION: Entry = Entry {
    code: "E1338",
    severity: Severity::Error,
    zh: "`{name}` 是其他系统的函数,这里没有",
    en: "`{name}` is another system's function",
    help_zh: "写作 `{instead}`",
    help_en: "write `{instead}`",
    long_zh: "表达式使用 MySQL 的函数。其他数据库、电子表格和语言的函数名称不同,参数的顺序也可能不同。",
    long_en: "Expressions use MySQL's functions. Those of other databases, spreadsheets and languages have other names and sometimes another order of arguments.",
    example: "_function FORMAT_DATE(<<a>>, 'yyyy-MM-dd')",
};

/// `{found}` is not how MySQL compares.
pub const EQUALS_SIGN: Entry = Entry {
    code: "E1339",
    severity: Severity::Error,
    zh: "比较不写作 `{found}`",
    en: "`{found}` is not how values are compared",
    help_zh: "写作 `{instead}`",
    help_en: "write `{instead}`",
    long_zh: "相等是一个等号 `=`,不等是 `<>` 或 `!=`,NULL 也可以比较的相等是 `<=>`。",
    long_en: "Equality is a single `=`, its opposite `<>` or `!=`; `<=>` compares NULL, too.",
    example: "_function <<a>> == 1",
};

/// `{found}` begins a comment.
pub const COMMENT: Entry = Entry {
    code: "E1340",
    severity: Severity::Error,
    zh: "`{found}` 开始的是注释,表达式里不能有注释",
    en: "`{found}` begins a comment, and an expression has none",
    help_zh: "把说明写在 YAML 里,用 `#` 开头;文本要加引号",
    help_en: "put the note into the YAML, behind `#`; a text is written in quotes",
    long_zh: "`-- `、`#` 和 `/* */` 在服务器上是注释,后面的内容会被悄悄忽略,所以这里不允许。减去负数写作 `甲 - (-1)` 或 `甲 - -1`。",
    long_en: "`-- `, `#` and `/* */` begin comments on the server, and what follows is silently left out; that is not allowed here. To take away a negative number write `a - (-1)` or `a - -1`.",
    example: "_function <<a>> -- <<b>>",
};

/// `{found}` belongs to a statement.
pub const STATEMENT: Entry = Entry {
    code: "E1341",
    severity: Severity::Error,
    zh: "`{found}` 属于 SQL 语句,表达式只是一个值",
    en: "`{found}` belongs to a statement; an expression is one value",
    help_zh: "{instead_zh}",
    help_en: "{instead_en}",
    long_zh: "表达式是一个值:没有 SELECT、AS、COLLATE 和窗口函数。",
    long_en: "An expression is one value: it has no SELECT, AS, COLLATE or window functions.",
    example: "_function (select 1)",
};

/// A placeholder has two signs on each side.
pub const BRACE_COUNT: Entry = Entry {
    code: "E1342",
    severity: Severity::Error,
    zh: "占位符两边各要两个括号",
    en: "a placeholder has two braces on each side",
    help_zh: "写作 `{right}`",
    help_en: "write `{right}`",
    long_zh: "占位符写作 `{{字段}}` 或 `<<字段>>`,两边各两个。",
    long_en: "A placeholder is written `{{field}}` or `<<field>>`, with two on each side.",
    example: "_function {price} * 2",
};

/// `<<` begins a placeholder here.
pub const SHIFT_SIGN: Entry = Entry {
    code: "E1343",
    severity: Severity::Error,
    zh: "`<<` 在这里是占位符的开始",
    en: "`<<` begins a placeholder here",
    help_zh: "左移运算两边要有空格:`1 << 2`",
    help_en: "the shift has blanks on both sides: `1 << 2`",
    long_zh: "`<<字段>>` 是占位符。按位左移 `<<` 的两边必须有空格,右移 `>>` 也这样写。",
    long_en: "`<<field>>` is a placeholder. The shift to the left, `<<`, needs blanks on both sides; write `>>` in the same way.",
    example: "_function 1<<2",
};

/// `{name}` is a function and has no parentheses.
pub const NEEDS_PARENTHESES: Entry = Entry {
    code: "E1344",
    severity: Severity::Error,
    zh: "`{name}` 是函数,后面要有括号",
    en: "`{name}` is a function and needs parentheses",
    help_zh: "写作 {signature};如果是字段,写作 `<<{name}>>`",
    help_en: "it is written {signature}; a field is `<<{name}>>`",
    long_zh: "函数名后面要有括号,没有参数也一样。只有 CURRENT_TIMESTAMP、CURRENT_DATE 这类可以不写。",
    long_en: "A function's name is followed by parentheses, even without arguments. Only CURRENT_TIMESTAMP, CURRENT_DATE and their like stand alone.",
    example: "_function curdate",
};

/// Values have no `.{name}`.
pub const METHOD: Entry = Entry {
    code: "E1345",
    severity: Severity::Error,
    zh: "值后面不能写 `.{name}`",
    en: "a value has no `.{name}`",
    help_zh: "{help_zh}",
    help_en: "{help_en}",
    long_zh: "表达式使用 MySQL 的语法,不是 JavaScript:`x.toFixed(2)` 写作 `ROUND(x, 2)`,`x.length` 写作 `CHAR_LENGTH(x)`。",
    long_en: "Expressions follow MySQL, not JavaScript: `x.toFixed(2)` is `ROUND(x, 2)`, `x.length` is `CHAR_LENGTH(x)`.",
    example: "_function <<price>>.toFixed(2)",
};

/// An invisible character stands here ({name}).
pub const INVISIBLE: Entry = Entry {
    code: "E1346",
    severity: Severity::Error,
    zh: "这里有看不见的字符({name})",
    en: "an invisible character stands here ({name})",
    help_zh: "换成普通空格,或删掉它",
    help_en: "put an ordinary blank there, or take it out",
    long_zh: "从网页或聊天软件复制的文本常带有全角空格、不换行空格或零宽字符,表达式里只能用普通空格和换行。",
    long_en: "Text copied from a page or a chat often has wide, unbreakable or zero-width blanks; an expression takes ordinary blanks and line breaks.",
    example: "_function <<a>>　+ 1",
};

/// NOT stands behind an operator.
pub const NOT_INSIDE: Entry = Entry {
    code: "E1347",
    severity: Severity::Error,
    zh: "运算符后面不能直接写 NOT",
    en: "NOT cannot stand right behind an operator",
    help_zh: "加上括号:`甲 = (NOT 乙)`",
    help_en: "put it in parentheses: `a = (NOT b)`",
    long_zh: "NOT 的优先级比比较和算术都低,和服务器一样,不能直接写在它们的右边;`!` 可以。",
    long_en: "NOT binds more loosely than comparison and arithmetic and, as on the server, cannot stand on their right side; `!` can.",
    example: "_function <<a>> = NOT <<b>>",
};

/// `{name}` takes no DISTINCT, ORDER BY or SEPARATOR.
pub const LINES_ONLY: Entry = Entry {
    code: "E1348",
    severity: Severity::Error,
    zh: "`{name}` 不能带 DISTINCT、ORDER BY 或 SEPARATOR",
    en: "`{name}` takes no DISTINCT, ORDER BY or SEPARATOR here",
    help_zh: "写作 {signature}",
    help_en: "it is written {signature}",
    long_zh: "DISTINCT 只用于 SUM、AVG、MIN、MAX、COUNT 和 GROUP_CONCAT;ORDER BY 和 SEPARATOR 只用于 GROUP_CONCAT。",
    long_en: "DISTINCT belongs into SUM, AVG, MIN, MAX, COUNT and GROUP_CONCAT, ORDER BY and SEPARATOR into GROUP_CONCAT alone.",
    example: "_function CONCAT(DISTINCT <<a>>)",
};

/// The literal is wrong: {what_en}.
pub const BAD_LITERAL: Entry = Entry {
    code: "E1349",
    severity: Severity::Error,
    zh: "字面值写错了:{what_zh}",
    en: "the literal is wrong: {what_en}",
    help_zh: "",
    help_en: "",
    long_zh: "`DATE'2023-01-31'`、`TIME'10:30:00'`、`TIMESTAMP'2023-01-31 10:30:00'`、`x'4A'`、`b'101'` 在读取方案时就要是合法的值。",
    long_en: "`DATE'2023-01-31'`, `TIME'10:30:00'`, `TIMESTAMP'2023-01-31 10:30:00'`, `x'4A'` and `b'101'` have to be valid when the scheme is read.",
    example: "_function DATE'2023-02-30'",
};

/// A look-up in quotes is only text.
pub const FIND_IN_QUOTES: Entry = Entry {
    code: "E1350",
    severity: Severity::Error,
    zh: "引号里的 `_findCollection` 只是文本,不会查找",
    en: "a `_findCollection` in quotes is only text and looks nothing up",
    help_zh: "去掉引号,写作 `_findCollection find 字段 from 方案 where 字段=值 _endFind`",
    help_en: "take the quotes off: `_findCollection find FIELD from SCHEME where FIELD=VALUE _endFind`",
    long_zh: "查找是一个值,不加引号,条件只能是相等,以 `_endFind` 结束。",
    long_en: "A look-up is a value: it has no quotes, its conditions are equalities, and `_endFind` ends it.",
    example: "_function case when <<a>> then '_findCollection find F from s where b=1' end",
};

/// If `<<{name}>>` is text, it is compared with {literal} as text.
pub const COMPARED_AS_TEXT: Entry = Entry {
    code: "W1301",
    severity: Severity::Warning,
    zh: "`<<{name}>>` 若是文本,会按文本与 {literal} 比较",
    en: "if `<<{name}>>` is text, it is compared with {literal} as text",
    help_zh: "比较数字时去掉引号:{number}",
    help_en: "take the quotes off to compare numbers: {number}",
    long_zh: "文本与文本按字符比较:'9' 大于 '70'。原先先替换再计算的工具会把不带引号的占位符当成数字。",
    long_en: "Text and text are compared by character: '9' is above '70'. A tool that substitutes first would have taken the bare placeholder for a number.",
    example: "_function case when <<status>> <= '70' then 1 else 0 end",
};

/// {literal} is no number and counts as 0 here.
pub const TEXT_AS_ZERO: Entry = Entry {
    code: "W1302",
    severity: Severity::Warning,
    zh: "{literal} 不是数字,在这里按 0 计算",
    en: "{literal} is no number and counts as 0 here",
    help_zh: "拼接文本用 CONCAT",
    help_en: "texts are joined with CONCAT",
    long_zh: "`+` 是数字相加,不是文本拼接:'a' + 'b' 的结果是 0。",
    long_en: "`+` adds numbers and does not join texts: 'a' + 'b' is 0.",
    example: "_function 'C-' + <<code>>",
};
