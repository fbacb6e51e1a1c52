//! E1700-E1723, W1730-W1751: schemes that are brought over from another tool.
//!
//! Refusals of an input come first, then what could not be carried over, then what a person should look at.

use super::Entry;
use crate::diagnostic::Severity;

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &NOT_METADATA,
    &NOT_JSON,
    &BRACES_LOST,
    &TOO_MUCH,
    &FILE_EXISTS,
    &NOT_UTF8,
    &EXPRESSION,
    &BLOCKED,
    &LOOKUP_ELSEWHERE,
    &NO_OPTION,
    &NO_SOURCE,
    &NO_TARGET,
    &NO_KEY,
    &NO_CONNECTOR,
    &NO_OPERATION,
    &NOT_YET,
    &STILL_REFUSED,
    &NOT_MAPPED,
    &UNKNOWN_PARSER,
    &BAD_CRON,
    &KEPT,
    &SCREEN_ONLY,
    &ENGINE_DOES,
    &CRON_FILLED,
    &CRON_QUARTZ,
    &FLIPS,
    &MILLISECONDS,
    &READ_AGAIN,
    &UNSAFE,
    &CONNECTION,
    &WRAPPED,
    &KEY_GUESSED,
    &INFERRED,
    &NO_WINDOW,
    &NO_SCHEDULE,
    &NO_VALUE,
    &CHECK_WARNS,
    &FIELD_ADDED,
    &TYPO,
    &NOT_PASTED,
    &FOUND_NOTHING,
];

/// {file} holds no metadata of a scheme.
pub const NOT_METADATA: Entry = Entry {
    code: "E1700",
    severity: Severity::Error,
    zh: "{file} 里没有方案的元数据",
    en: "{file} holds no metadata of a scheme",
    help_zh: "需要 {source, target} 形式的 JSON、带两个 JSON 对象的论坛帖子,或三列表格",
    help_en: "it takes JSON as {source, target}, a forum page with two JSON objects, or a table of three columns",
    long_zh: "导入读三种形式:元数据 JSON、依次贴出源平台与目标平台两个 JSON 对象的帖子、字段/名称/值三列的表格(TSV 或 Markdown)。文件里没有找到其中任何一种。",
    long_en: "Three forms are read: metadata as JSON, a page with the two JSON objects of source and target, and a table with field, label and value (TSV or Markdown). None of them was found.",
    example: "engine import qeasy notes.txt --out schemes",
};

/// {file}:{line}:{column}: {why_en}.
pub const NOT_JSON: Entry = Entry {
    code: "E1701",
    severity: Severity::Error,
    zh: "{file} 第 {line} 行第 {column} 列:{why}",
    en: "{file}:{line}:{column}: {why_en}",
    help_zh: "从平台重新导出,或改正这一处",
    help_en: "export it again, or mend this place",
    long_zh: "元数据必须是完整的 JSON。行和列指出读到哪里停下。什么也没有写。",
    long_en: "Metadata has to be whole JSON. Line and column say where reading stopped. Nothing was written.",
    example: "{\"source\": {\"api\": }",
};

/// {file} has lost the braces of its placeholders, as in `{value}` ({place}).
pub const BRACES_LOST: Entry = Entry {
    code: "E1702",
    severity: Severity::Error,
    zh: "{file} 的占位符花括号已丢失,例如 `{value}`({place})",
    en: "{file} has lost the braces of its placeholders, as in `{value}` ({place})",
    help_zh: "从平台导出元数据,不要抓取网页",
    help_en: "export the metadata from the platform instead of copying a web page",
    long_zh: "公开的方案页面会去掉 {{ }},字段引用和普通文本就分不清了。猜错一个,写进目标的就是字段名而不是数据,所以整个文件都不导入。",
    long_en: "Published pages of schemes drop {{ }}, after which a field and a plain text look the same. One wrong guess would send the name of a field instead of its value, so the file is refused as a whole.",
    example: "{\"field\": \"FQty\", \"value\": \"items.qty\"}",
};

/// {file}: {count} {what_en}, and {max} is the most.
pub const TOO_MUCH: Entry = Entry {
    code: "E1703",
    severity: Severity::Error,
    zh: "{file}:{what_zh} {count},最多 {max}",
    en: "{file}: {count} {what_en}, and {max} is the most",
    help_zh: "把文件分开",
    help_en: "split the file",
    long_zh: "输入有上限:文件大小、字段个数、嵌套层数、一次导入的文件数。真实的方案远小于它们。",
    long_en: "What is read is bounded: bytes of a file, fields, nesting, files of one command. No real scheme comes near.",
    example: "a file of 100 MB",
};

/// {file} is there already and was not overwritten.
pub const FILE_EXISTS: Entry = Entry {
    code: "E1704",
    severity: Severity::Error,
    zh: "{file} 已存在,没有覆盖",
    en: "{file} is there already and was not overwritten",
    help_zh: "换一个 --out,或加 --force",
    help_en: "choose another --out, or add --force",
    long_zh: "导入不覆盖已有的文件:里面可能有手工改动。",
    long_en: "An import overwrites nothing: somebody may have edited the file.",
    example: "engine import qeasy a.json --out schemes  # twice",
};

/// {file}:{line}:{column}: not UTF-8{guess_en}.
pub const NOT_UTF8: Entry = Entry {
    code: "E1705",
    severity: Severity::Error,
    zh: "{file} 第 {line} 行第 {column} 列不是 UTF-8{guess}",
    en: "{file}:{line}:{column}: not UTF-8{guess_en}",
    help_zh: "另存为 UTF-8,或运行 `iconv -f {from} -t UTF-8 旧文件 > 新文件`",
    help_en: "save it as UTF-8, or run `iconv -f {from} -t UTF-8 OLD > NEW`",
    long_zh: "导入的文件按 UTF-8 读。用别的编码硬读,中文标签与取值会变成另外的字而没有人发现,所以拒绝这个文件;其余文件照常导入。",
    long_en: "Files are read as UTF-8. Read in the wrong encoding, Chinese labels and values would turn into other characters without a word, so the file is refused; the others are imported.",
    example: "engine import qeasy exports --out schemes  # one of them saved as GBK",
};

/// The expression of `{field}` does not parse at column {column} ({code}: {why_en}); its text is kept in a comment.
pub const EXPRESSION: Entry = Entry {
    code: "E1710",
    severity: Severity::Error,
    zh: "`{field}` 的表达式第 {column} 列无法解析({code}:{why});原文留在注释里",
    en: "the expression of `{field}` does not parse at column {column} ({code}: {why_en}); its text is kept in a comment",
    help_zh: "按提示改写后去掉行首的 #",
    help_en: "mend it and take away the # in front",
    long_zh: "这个表达式不是 MySQL 能算的式子。旧平台在算不出来时把表达式原文当作值写进目标;这里把字段留在注释里,不写。",
    long_en: "The text is no expression that MySQL could compute. The old tool sends the text itself when it fails; here the field stays in a comment and is not sent.",
    example: "_function round({{{a}}/2,7)",
};

/// `{field}` was not carried over: {code} {why_en}.
pub const BLOCKED: Entry = Entry {
    code: "E1711",
    severity: Severity::Error,
    zh: "`{field}` 没有带过来:{code} {why}",
    en: "`{field}` was not carried over: {code} {why_en}",
    help_zh: "原文留在注释里;改好后去掉行首的 #",
    help_en: "its text is kept in a comment; mend it and take away the # in front",
    long_zh: "按新格式检查时,这个字段不成立,例如源里没有它读的字段。字段留在注释里,不会写出。",
    long_en: "By the rules of the format this field cannot be: it reads a field that the source does not have, for one. It stays in a comment and is not sent.",
    example: "FQty: <<no_such_field>>",
};

/// `{field}` looks up the scheme {scheme}, which is not imported.
pub const LOOKUP_ELSEWHERE: Entry = Entry {
    code: "E1712",
    severity: Severity::Error,
    zh: "`{field}` 查找的方案 {scheme} 不在导入之列",
    en: "`{field}` looks up the scheme {scheme}, which is not imported",
    help_zh: "把那个方案一起导入,或用 aliases 指向已有的方案",
    help_en: "import that scheme, too, or name one in aliases",
    long_zh: "查找按 uuid 指向另一个方案保存的数据。那个方案既不在这次导入里,也不在输出文件夹里,查找永远找不到,所以字段留在注释里。",
    long_en: "A look-up names another scheme's stored rows by uuid. That scheme is neither imported now nor in the folder, so the field stays in a comment.",
    example: "_findCollection find F from dd359ae0-... where a=b",
};

/// The required option `{name}` ({label}) is not in the metadata.
pub const NO_OPTION: Entry = Entry {
    code: "E1713",
    severity: Severity::Error,
    zh: "目标或源缺少必填选项 `{name}`({label})",
    en: "the required option `{name}` ({label}) is not in the metadata",
    help_zh: "在 options 下补上",
    help_en: "write it under options",
    long_zh: "这个操作没有此选项就不知道读写什么,而元数据里没有它。公开的页面常常不印出它。",
    long_en: "Without it the operation does not know what to read or write, and the metadata has none. Published pages often leave it out.",
    example: "otherRequest without FormId",
};

/// There is no source side.
pub const NO_SOURCE: Entry = Entry {
    code: "E1714",
    severity: Severity::Error,
    zh: "没有源平台配置",
    en: "there is no source side",
    help_zh: "导出源平台的元数据再导入,或补写 source",
    help_en: "export the metadata of the source side, or write source by hand",
    long_zh: "文件里只有目标平台的配置,导入的方案缺 source,check 会拒绝,直到补上。",
    long_en: "The file has the target side only. The scheme lacks its source and is refused by check until there is one.",
    example: "{\"target\": {...}}",
};

/// There is no target side, or it has no fields.
pub const NO_TARGET: Entry = Entry {
    code: "E1715",
    severity: Severity::Error,
    zh: "没有目标平台配置,或其中没有字段",
    en: "there is no target side, or it has no fields",
    help_zh: "补上目标;在那之前可以只存储",
    help_en: "add it; until then rows can be stored only",
    long_zh: "没有目标平台配置的方案导入为只存储(target: none),可供查找。目标没有字段的,缺 request。",
    long_en: "A scheme without a target side becomes one that only stores (target: none) and can be looked up. A target without fields lacks its request.",
    example: "{\"source\": {...}}",
};

/// Nothing says what identifies a source row.
pub const NO_KEY: Entry = Entry {
    code: "E1716",
    severity: Severity::Error,
    zh: "不知道源数据的主键",
    en: "nothing says what identifies a source row",
    help_zh: "在 source.key 写上唯一的字段",
    help_en: "write the field that is unique at source.key",
    long_zh: "元数据里没有 id,也推断不出。没有主键就分不清两次读到的是不是同一条数据。",
    long_en: "The metadata has no id, and none could be derived. Without a key nobody can tell whether two readings are the same row.",
    example: "a source without id",
};

/// No connector is known for {name}: the generic http is used.
pub const NO_CONNECTOR: Entry = Entry {
    code: "E1717",
    severity: Severity::Error,
    zh: "没有 {name} 的连接器,改用通用 http",
    en: "no connector is known for {name}: the generic http is used",
    help_zh: "填写 operation 里的行位置、分页与成功判断,并在连接里配置地址和认证",
    help_en: "complete rows, pages and what proves success in operation, and server and login in the connection",
    long_zh: "适配器类名和平台名都对不上任何连接器。操作写在方案里,对方的地址、认证、应答结构要由知道它的人补上。",
    long_en: "Neither the adapter's class nor the platform's name is one that a connector is known as. The operation is written in the scheme; who knows the system has to complete it.",
    example: "\\Adapter\\Unknown\\Query",
};

/// The connector {connector} has no interface {api}.
pub const NO_OPERATION: Entry = Entry {
    code: "E1718",
    severity: Severity::Error,
    zh: "连接器 {connector} 没有接口 {api}",
    en: "the connector {connector} has no interface {api}",
    help_zh: "从已有的操作里选:{all}",
    help_en: "choose one of {all}",
    long_zh: "接口名不是连接器的操作、别名或路径。check 会在 api 处拒绝。",
    long_en: "The name is no operation of the connector, no alias and no path. check refuses it at api.",
    example: "api: batchexecute",
};

/// `{key}` became {to}, which this version does not carry out.
pub const NOT_YET: Entry = Entry {
    code: "E1719",
    severity: Severity::Error,
    zh: "`{key}` 已写成 {to},但这个版本还不执行它",
    en: "`{key}` became {to}, which this version does not carry out",
    help_zh: "check 会拒绝这个方案,直到有支持它的版本;不要删掉它",
    help_en: "check refuses the scheme until a version does; do not delete it",
    long_zh: "功能已按新格式写好,只是引擎还没有实现。去掉它,方案会写出另外的单据,所以保留并由 check 拒绝。",
    long_en: "It is written in the format, and the engine does not do it yet. Without it the scheme would write other documents, so it stays, and check refuses.",
    example: "groupCalculate",
};

/// Check still refuses it: {code} {why_en}.
pub const STILL_REFUSED: Entry = Entry {
    code: "E1720",
    severity: Severity::Error,
    zh: "check 仍然拒绝:{code} {why}",
    en: "check still refuses it: {code} {why_en}",
    help_zh: "按提示改正方案文件",
    help_en: "mend the file of the scheme",
    long_zh: "导入的方案还不能运行。同一个问题在 engine check 里有位置和提示。",
    long_en: "The imported scheme cannot run yet. engine check shows the same problem with place and help.",
    example: "a target without request",
};

/// `{key}` has no counterpart and is kept under x-qeasy.
pub const NOT_MAPPED: Entry = Entry {
    code: "E1721",
    severity: Severity::Error,
    zh: "`{key}` 没有对应的写法,留在 x-qeasy",
    en: "`{key}` has no counterpart and is kept under x-qeasy",
    help_zh: "由人决定怎样改写",
    help_en: "a person decides how to say it",
    long_zh: "这个设置影响读写,而格式里没有对应的键。引擎不读 x-qeasy,所以它不起作用,直到有人改写。",
    long_en: "The setting changes what is read or written, and the format has no key for it. The engine never reads x-qeasy, so it has no effect until somebody rewrites it.",
    example: "distributionOrg: \"100016,100017\"",
};

/// `{field}` has the unknown parser {name} and stays in a comment.
pub const UNKNOWN_PARSER: Entry = Entry {
    code: "E1722",
    severity: Severity::Error,
    zh: "`{field}` 的解析器 {name} 未知,字段留在注释里",
    en: "`{field}` has the unknown parser {name} and stays in a comment",
    help_zh: "按解析器的作用改写这个值",
    help_en: "write the value as the parser would make it",
    long_zh: "解析器决定发出的结构。不认识的不能猜。",
    long_en: "A parser decides the shape of what is sent. An unknown one is not guessed at.",
    example: "{\"name\": \"MyParser\"}",
};

/// The schedule `{text}` cannot be read: {why_en}.
pub const BAD_CRON: Entry = Entry {
    code: "E1723",
    severity: Severity::Error,
    zh: "计划 `{text}` 读不懂:{why}",
    en: "the schedule `{text}` cannot be read: {why_en}",
    help_zh: "按五段 cron 改写",
    help_en: "write it as a cron of five fields",
    long_zh: "计划文本补齐之后仍然不是 cron。方案暂用默认间隔。",
    long_en: "Completed or not, the text is no cron. The scheme has the default interval for now.",
    example: "crontab: \"abc\"",
};

/// The unknown key `{key}` is kept under x-qeasy.
pub const KEPT: Entry = Entry {
    code: "W1730",
    severity: Severity::Warning,
    zh: "不认识的键 `{key}` 留在 x-qeasy",
    en: "the unknown key `{key}` is kept under x-qeasy",
    help_zh: "",
    help_en: "",
    long_zh: "引擎不读 x-qeasy。看一眼这个键是否影响数据。",
    long_en: "The engine never reads x-qeasy. See whether the key matters to the data.",
    example: "{\"buildModel\": true}",
};

/// Left behind, because only screens of the old tool used it ({count}): {names}.
pub const SCREEN_ONLY: Entry = Entry {
    code: "W1731",
    severity: Severity::Warning,
    zh: "只用于旧平台界面的 {count} 处没有带过来:{names}",
    en: "left behind, because only screens of the old tool used it ({count}): {names}",
    help_zh: "",
    help_en: "",
    long_zh: "字段 uuid、显示宽度、说明、声明的应答字段等不影响数据。",
    long_en: "Uuids of fields, widths of columns, descriptions and declared answers do not change the data.",
    example: "{\"enableDisplay\": true}",
};

/// `{field}` is no longer needed: the engine or the connector sees to it ({why_en}).
pub const ENGINE_DOES: Entry = Entry {
    code: "W1732",
    severity: Severity::Warning,
    zh: "`{field}` 不再需要:由引擎或连接器负责({why})",
    en: "`{field}` is no longer needed: the engine or the connector sees to it ({why_en})",
    help_zh: "",
    help_en: "",
    long_zh: "分页、时间窗口和固定的选项由操作给出。写在方案里的旧值没有带过来。",
    long_en: "Pages, windows and fixed options come from the operation. The old values were not carried over.",
    example: "page: 1",
};

/// The schedule `{text}` lacks fields and became `{filled}`.
pub const CRON_FILLED: Entry = Entry {
    code: "W1733",
    severity: Severity::Warning,
    zh: "计划 `{text}` 少了几段,补成 `{filled}`",
    en: "the schedule `{text}` lacks fields and became `{filled}`",
    help_zh: "对照旧平台核对",
    help_en: "compare it with the old tool",
    long_zh: "有些页面只印出前两段。其余按每天补齐。",
    long_en: "Some pages print the first two fields only. The others were filled in as every day.",
    example: "3 2",
};

/// The Quartz schedule `{text}` is written `{reading}`.
pub const CRON_QUARTZ: Entry = Entry {
    code: "W1734",
    severity: Severity::Warning,
    zh: "Quartz 计划 `{text}` 写成 `{reading}`",
    en: "the Quartz schedule `{text}` is written `{reading}`",
    help_zh: "",
    help_en: "",
    long_zh: "六段的计划以秒开头,`?` 是任意,星期从 1 = 星期日算起。已换成五段,星期从 0 = 星期日。",
    long_en: "With six fields a schedule begins with seconds, `?` is any, and weekdays count from 1 = Sunday. It was rewritten with five, weekdays from 0 = Sunday.",
    example: "0 0 2 * * ?",
};

/// `{field}`: {why_en}.
pub const FLIPS: Entry = Entry {
    code: "W1735",
    severity: Severity::Warning,
    zh: "`{field}` 的结果可能不同:{why}",
    en: "`{field}`: {why_en}",
    help_zh: "旧平台的结果可能不同,抽几条对照",
    help_en: "results of the old tool may differ: compare a few",
    long_zh: "旧平台先把值替换进文本再计算,空值会改变式子的结构(例如 CASE 走进第一个分支)。这里先解析再代入。",
    long_en: "The old tool pastes values into the text before it computes it, and an empty one changes the expression: a CASE takes its first branch. Here the text is parsed first.",
    example: "case _findCollection ... _endFind when true then a else b end",
};

/// `{field}` makes milliseconds by {how}: see that the unit is right.
pub const MILLISECONDS: Entry = Entry {
    code: "W1736",
    severity: Severity::Warning,
    zh: "`{field}` 用 {how} 表示毫秒,核对单位",
    en: "`{field}` makes milliseconds by {how}: see that the unit is right",
    help_zh: "",
    help_en: "",
    long_zh: "旧的时间变量是秒,写 000 或乘 1000 才是毫秒;单位错了会读到 1970 年或读不到数据。",
    long_en: "The old time variables are seconds, and 000 or times 1000 makes milliseconds of them. A wrong unit reads the year 1970, or nothing.",
    example: "{{LAST_SYNC_TIME}}000",
};

/// Each run reaches back {back} s, with {every} s between runs: each row is read about {times} times.
pub const READ_AGAIN: Entry = Entry {
    code: "W1737",
    severity: Severity::Warning,
    zh: "每次往回读 {back} 秒,间隔 {every} 秒:每行约读 {times} 次",
    en: "each run reaches back {back} s, with {every} s between runs: each row is read about {times} times",
    help_zh: "去掉固定的回退,由 window.overlap 决定",
    help_en: "take the fixed reach away; window.overlap sees to it",
    long_zh: "引擎自己往回重叠并补上停机的时段,固定的长回退只多花对方的配额。",
    long_en: "The engine overlaps windows and catches up by itself. A long fixed reach costs only calls.",
    example: "unix_timestamp()-72000",
};

/// Creates are unsafe: after a lost answer nobody can ask {connector} about {operation}.
pub const UNSAFE: Entry = Entry {
    code: "W1738",
    severity: Severity::Warning,
    zh: "新增不安全:{connector} 的 {operation} 丢失答复后无法查证",
    en: "creates are unsafe: after a lost answer nobody can ask {connector} about {operation}",
    help_zh: "为操作写 proof 与 key,或接受由人决定",
    help_en: "write proof and key of the operation, or accept that a person decides",
    long_zh: "目标不能按主键查询,也不拒绝重复。答复丢失时,引擎不会重发,由人处理。",
    long_en: "The target cannot be asked by key and refuses no double. After a lost answer the engine does not send again; a person decides.",
    example: "proof: none",
};

/// A new connection `{name}` ({connector}): give its address and set {secrets}.
pub const CONNECTION: Entry = Entry {
    code: "W1739",
    severity: Severity::Warning,
    zh: "新连接 `{name}`({connector}):补上地址,并设置 {secrets}",
    en: "a new connection `{name}` ({connector}): give its address and set {secrets}",
    help_zh: "",
    help_en: "",
    long_zh: "元数据里没有凭据。连接已加进 connections.yaml,密钥用引用,值由环境变量或 secret 给出。",
    long_en: "Metadata holds no credentials. The connection was added to connections.yaml with references; variables or secrets give the values.",
    example: "connections: {k3: ...}",
};

/// `{field}` became an object with `{name}`: so the target refers to base data, and the metadata has no parser.
pub const WRAPPED: Entry = Entry {
    code: "W1740",
    severity: Severity::Warning,
    zh: "`{field}` 写成带 `{name}` 的对象:目标按此引用基础资料,而元数据没有解析器",
    en: "`{field}` became an object with `{name}`: so the target refers to base data, and the metadata has no parser",
    help_zh: "对照一张已写入的单据",
    help_en: "compare it with a document that was written",
    long_zh: "公开的页面丢了解析器,纯文本会被目标拒绝。",
    long_en: "Published pages lose the parsers, and the target refuses plain text there.",
    example: "FCreateOrgId: 100",
};

/// The source key `{key}` was derived ({why_en}).
pub const KEY_GUESSED: Entry = Entry {
    code: "W1741",
    severity: Severity::Warning,
    zh: "源主键 `{key}` 是推断的({why})",
    en: "the source key `{key}` was derived ({why_en})",
    help_zh: "确认它唯一",
    help_en: "see that it is unique",
    long_zh: "元数据没有 id。主键错了,会漏掉或合并数据。",
    long_en: "The metadata has no id. With a wrong key rows are merged or lost.",
    example: "a source without id",
};

/// `{field}`: {why_en}.
pub const INFERRED: Entry = Entry {
    code: "W1742",
    severity: Severity::Warning,
    zh: "推断 `{field}`:{why}",
    en: "`{field}`: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "元数据没有写明,按接口或子字段推断。",
    long_en: "The metadata does not say; it was derived from the interface or the fields below.",
    example: "an array without value",
};

/// There is no condition on a time: everything is read each time.
pub const NO_WINDOW: Entry = Entry {
    code: "W1743",
    severity: Severity::Warning,
    zh: "没有时间条件,每次读取全部",
    en: "there is no condition on a time: everything is read each time",
    help_zh: "数据多时在 window.field 写修改时间",
    help_en: "for much data write the time of change at window.field",
    long_zh: "源请求里没有 LAST_SYNC_TIME,旧平台也是每次全读。",
    long_en: "The request of the source has no LAST_SYNC_TIME; the old tool read everything, too.",
    example: "window: none",
};

/// The metadata has no schedule; {every} for now.
pub const NO_SCHEDULE: Entry = Entry {
    code: "W1744",
    severity: Severity::Warning,
    zh: "元数据没有计划,暂用 {every}",
    en: "the metadata has no schedule; {every} for now",
    help_zh: "照旧平台的计划改写",
    help_en: "write the schedule of the old tool",
    long_zh: "计划不在元数据 JSON 里,而在方案的设置页。",
    long_en: "Schedules stand on the settings page of a scheme, not in its metadata.",
    example: "schedule: {every: 6m}",
};

/// Fields without a value ({count}), which the old tool did not send either: {names}.
pub const NO_VALUE: Entry = Entry {
    code: "W1745",
    severity: Severity::Warning,
    zh: "没有值的字段({count} 个),旧平台也不发送:{names}",
    en: "fields without a value ({count}), which the old tool did not send either: {names}",
    help_zh: "",
    help_en: "",
    long_zh: "值为 null 的字段在发送前被去掉。",
    long_en: "Fields whose value is null are removed before sending.",
    example: "{\"field\": \"FNote\", \"value\": null}",
};

/// `{field}`: {code} {why_en}.
pub const CHECK_WARNS: Entry = Entry {
    code: "W1747",
    severity: Severity::Warning,
    zh: "`{field}` 有警告:{code} {why}",
    en: "`{field}`: {code} {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "check 对这个字段的警告。",
    long_en: "A warning of check about this field.",
    example: "CASE without ELSE",
};

/// `{field}` was added to fields: the key or the label needs it.
pub const FIELD_ADDED: Entry = Entry {
    code: "W1748",
    severity: Severity::Warning,
    zh: "`{field}` 加进 fields:主键或显示用到它",
    en: "`{field}` was added to fields: the key or the label needs it",
    help_zh: "",
    help_en: "",
    long_zh: "查询只返回列出的字段,而主键不在其中。",
    long_en: "The query gives only the fields that are listed, and the key was not among them.",
    example: "id: FID outside of request",
};

/// `{field}` begins with `function `, which the old tool sends as text.
pub const TYPO: Entry = Entry {
    code: "W1749",
    severity: Severity::Warning,
    zh: "`{field}` 以 `function ` 开头,旧平台当作文本发送",
    en: "`{field}` begins with `function `, which the old tool sends as text",
    help_zh: "是表达式时写 `_function `",
    help_en: "write `_function ` if it is an expression",
    long_zh: "缺少下划线的表达式在旧平台就是普通文本。这里照样作为文本带过来。",
    long_en: "Without its underscore it is plain text in the old tool, too. It was carried over as text.",
    example: "function 1+1",
};

/// Values are not pasted into expressions: where one is empty, a word without quotes or holds a quote mark, the old tool gives something else: {names}.
pub const NOT_PASTED: Entry = Entry {
    code: "W1750",
    severity: Severity::Warning,
    zh: "值不再拼进表达式文本;值为空、没加引号的文字或含引号时,旧平台的结果不同:{names}",
    en: "values are not pasted into expressions: where one is empty, a word without quotes or holds a quote mark, the old tool gives something else: {names}",
    help_zh: "括号里的代码说明是哪一种:engine explain W1314",
    help_en: "the codes in brackets say which: engine explain W1314",
    long_zh: "旧平台先把值的文本替换进表达式再计算:空值留下不完整的式子,没加引号的文字成了列名,引号提前结束文本。算不出来时它把表达式原文当作值写进目标。这里先解析再代入,值永远只是值。",
    long_en: "The old tool pastes the text of a value into the expression before it computes it: an empty one leaves half an expression, a word without quotes becomes a column, a quote mark ends the text. What it cannot compute it sends as it stands. Here the text is parsed first, and a value is never more than a value.",
    example: "_function {{amount}}/{{qty}}",
};

/// A look-up that finds nothing leaves its field out, where the old tool sends an empty text: {names}.
pub const FOUND_NOTHING: Entry = Entry {
    code: "W1751",
    severity: Severity::Warning,
    zh: "查不到时字段不发送,旧平台发送空文本:{names}",
    en: "a look-up that finds nothing leaves its field out, where the old tool sends an empty text: {names}",
    help_zh: "要发空文本时写 {$value: …, $missing: null, $default: \"\"};必须有时写 $required: true",
    help_en: "for an empty text write {$value: …, $missing: null, $default: \"\"}; where it must be found, $required: true",
    long_zh: "空文本会清空目标里已有的内容,所以查不到的字段不写出,并计入运行的摘要。",
    long_en: "An empty text would empty what the target has, so a field that is not found is not sent, and the summary of the run counts it.",
    example: "_findCollection find FNumber from units where FName={{unit}}",
};
