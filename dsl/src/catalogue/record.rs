//! E2000-E2099: what can go wrong with one record.

use super::Entry;
use crate::diagnostic::Severity;

/// The row has no field `{path}`.
pub const MISSING_FIELD: Entry = Entry {
    code: "E2001",
    severity: Severity::Error,
    zh: "源数据没有字段 `{path}`",
    en: "the row has no field `{path}`",
    help_zh: "确认字段名;允许缺失时写 `$missing: omit` 或 `$default`",
    help_en: "check the name; write `$missing: omit` or `$default` if it may be absent",
    long_zh: "模板读取的字段在这一行数据里不存在。缺失不会被悄悄当成空值,否则目标里会出现空的编码或金额。允许缺失的字段请用 `{$value: <<字段>>, $missing: omit}` 或 `$default` 说明。",
    long_en: "A placeholder reads a field that this row does not have. Absence is not taken for emptiness, or empty codes and amounts would reach the target. Say what may be absent: `{$value: <<field>>, $missing: omit}` or `$default`.",
    example: "FNote: <<remark>>",
};

/// The key field `{path}` is empty or missing.
pub const KEY_EMPTY: Entry = Entry {
    code: "E2002",
    severity: Severity::Error,
    zh: "主键字段 `{path}` 为空或缺失",
    en: "the key field `{path}` is empty or missing",
    help_zh: "没有主键的数据无法追踪;请检查 `source.key`",
    help_en: "a row without its key cannot be followed; check `source.key`",
    long_zh: "`source.key` 指定的字段在这一行里缺失、为空,或者不是单个值。没有主键就无法判断是否写过,所以这一行不会写入。",
    long_en: "A field named by `source.key` is absent, empty or no single value in this row. Without its key nobody can tell whether the row was written before, so it is not written.",
    example: "key: buyerCid",
};

/// `{value}` is not {want}.
pub const DOES_NOT_FIT: Entry = Entry {
    code: "E2003",
    severity: Severity::Error,
    zh: "`{value}` 不是 {want}",
    en: "`{value}` is not {want}",
    help_zh: "检查源数据,或修改 `$type`",
    help_en: "check the source data, or change `$type`",
    long_zh: "值无法转换成 `$type`(或连接器为该字段声明的类型)要求的形式。转换只接受不会改变含义的写法:`10.00` 可以是整数,`10.5` 不可以。",
    long_en: "The value cannot take the form that `$type`, or the connector for this field, asks for. Only what keeps its meaning is accepted: `10.00` can be an integer, `10.5` cannot.",
    example: "FQty: {$value: <<qty>>, $type: int}",
};

/// {count} rows of {scheme} match {keys}, only one may.
pub const LOOKUP_SEVERAL: Entry = Entry {
    code: "E2004",
    severity: Severity::Error,
    zh: "在 {scheme} 中按 {keys} 找到 {count} 行,只允许一行",
    en: "{count} rows of {scheme} match {keys}, only one may",
    help_zh: "改用唯一的条件,或写 `$pick: newest`",
    help_en: "use a condition that is unique, or write `$pick: newest`",
    long_zh: "`$pick: only` 要求查找结果唯一,但有多行符合条件。",
    long_en: "`$pick: only` asks for a single row, and several match.",
    example: "{$lookup: units, $get: FNumber, $by: {FName: <<unit>>}, $pick: only}",
};

/// {scheme} has no row with {keys}.
pub const LOOKUP_MISS: Entry = Entry {
    code: "E2005",
    severity: Severity::Error,
    zh: "在 {scheme} 中没有 {keys} 的数据",
    en: "{scheme} has no row with {keys}",
    help_zh: "先运行被查找的方案,或用 `$missing`、`$default` 说明找不到时怎么办",
    help_en: "run the scheme that is looked up first, or say what happens with `$missing` or `$default`",
    long_zh: "查找没有结果,而该字段不允许没有结果。通常是基础资料还没有同步过来。",
    long_en: "A look-up found nothing where something is needed. Usually the base data has not been read yet.",
    example: "{$lookup: units, $get: FNumber, $by: {FName: <<unit>>}, $missing: fail}",
};

/// `{value}` is not in the table.
pub const NOT_IN_TABLE: Entry = Entry {
    code: "E2006",
    severity: Severity::Error,
    zh: "对照表里没有 `{value}`",
    en: "`{value}` is not in the table",
    help_zh: "把它加进对照表,或写 `$default`",
    help_en: "add it to the table, or write `$default`",
    long_zh: "`$map` 的对照表没有这个值。不在表里的值按缺失处理,默认使该条数据失败。",
    long_en: "The table of a `$map` does not have this value. A value that is not in the table counts as missing, which fails the record unless something else is said.",
    example: "{$map: <<status>>, $to: {A: 启用, B: 禁用}}",
};

/// The instant `{path}` has no format.
pub const INSTANT_UNPRINTED: Entry = Entry {
    code: "E2007",
    severity: Severity::Error,
    zh: "时间点 `{path}` 没有指定格式",
    en: "the instant `{path}` has no format",
    help_zh: "加过滤器,例如 `<<{path}|datetime>>`",
    help_en: "add a filter, such as `<<{path}|datetime>>`",
    long_zh: "时间点本身没有文字形式:毫秒、秒还是日期文本由过滤器决定。",
    long_en: "An instant has no text of its own: a filter says whether it is printed as milliseconds, seconds or a date.",
    example: "createdAt: <<$now>>",
};

/// `{path}` is a {kind} and cannot stand inside text.
pub const NOT_TEXT: Entry = Entry {
    code: "E2008",
    severity: Severity::Error,
    zh: "`{path}` 是{kind},不能拼进文本",
    en: "`{path}` is a {kind} and cannot stand inside text",
    help_zh: "用 `|json` 或 `$join`",
    help_en: "use `|json` or `$join`",
    long_zh: "文本中间的占位符只能是单个值。列表和对象请用 `|json` 过滤器或 `$join`。",
    long_en: "A placeholder inside text must be a single value. Use the filter `json` or `$join` for lists and maps.",
    example: "note: \"客户 <<tags>>\"",
};

/// The filter `{filter}` cannot take `{value}`.
pub const FILTER_UNFIT: Entry = Entry {
    code: "E2009",
    severity: Severity::Error,
    zh: "过滤器 `{filter}` 不能处理 `{value}`",
    en: "the filter `{filter}` cannot take `{value}`",
    help_zh: "检查源数据的格式",
    help_en: "check the form of the source data",
    long_zh: "过滤器只接受它认识的形式:时间类过滤器接受 13 位毫秒、10 位秒和常见的日期写法。",
    long_en: "A filter takes only forms it knows: those for times take 13-digit milliseconds, 10-digit seconds and common date texts.",
    example: "<<name|date>>",
};

/// Item {index} of `$merge` is a {kind}, not a map.
pub const NOT_A_MAP: Entry = Entry {
    code: "E2010",
    severity: Severity::Error,
    zh: "`$merge` 的第 {index} 项是{kind},不是对象",
    en: "item {index} of `$merge` is a {kind}, not a map",
    help_zh: "`$merge` 只能合并对象",
    help_en: "`$merge` takes maps only",
    long_zh: "`$merge` 从左到右叠放对象,其中一项不是对象。",
    long_en: "`$merge` lays maps over each other; one of its items is something else.",
    example: "{$merge: [<<header>>, {a: 1}]}",
};

/// `{path}` is a {kind}, not a list.
pub const NOT_A_LIST: Entry = Entry {
    code: "E2011",
    severity: Severity::Error,
    zh: "`{path}` 是{kind},不是列表",
    en: "`{path}` is a {kind}, not a list",
    help_zh: "检查字段;只有一行时对方不写成列表的,在 source 写 `lists: [{path}]`",
    help_en: "check the field; where the other system writes one line without a list around it, say `lists: [{path}]` in the source",
    long_zh: "`$each` 和 `$join` 逐个处理列表的元素,这个字段不是列表。以 XML 读到的行,`$each` 的字段只有一个元素时按一行处理;其他格式要由方案的 `source.lists` 说明,改好之后 `engine retry` 就能用上。",
    long_en: "`$each` and `$join` go through the elements of a list, and this field is none. In a row that came as XML one element under `$each` is one line; for other forms the scheme says so in `source.lists`, and `engine retry` follows it.",
    example: "$each: orders",
};

/// The target key `{path}` is empty or missing.
pub const TARGET_KEY_EMPTY: Entry = Entry {
    code: "E2012",
    severity: Severity::Error,
    zh: "目标主键 `{path}` 为空或缺失",
    en: "the target key `{path}` is empty or missing",
    help_zh: "目标主键在发送前冻结,不能为空;检查 `target.request` 中这个字段的来源",
    help_en: "the key is frozen before the first send and cannot be empty; check where `target.request` takes it from",
    long_zh: "目标单据的主键字段在生成的报文里没有值。没有主键,应答丢失后就无法询问目标是否已经写入。",
    long_en: "A key field of the document has no value in the payload. Without it nobody can ask the target whether a lost call was executed.",
    example: "FNumber: <<buyerCid>>",
};

/// The window expression gives `{value}`, which is no time.
pub const NOT_A_TIME: Entry = Entry {
    code: "E2013",
    severity: Severity::Error,
    zh: "时间窗口表达式的结果 `{value}` 不是时间",
    en: "the window expression gives `{value}`, which is no time",
    help_zh: "结果应为 13 位毫秒、10 位秒或日期时间文本",
    help_en: "give 13-digit milliseconds, 10-digit seconds, or a text with date and time",
    long_zh: "写在时间窗口位置上的表达式必须得出一个时间,引擎才能据此确定窗口的起止。",
    long_en: "An expression at a bound of the window must give a time, from which the engine takes the bounds.",
    example: "startTime: _function UNIX_TIMESTAMP()-72000",
};

/// The payload is larger than {limit} bytes.
pub const TOO_LARGE: Entry = Entry {
    code: "E2014",
    severity: Severity::Error,
    zh: "生成的报文超过 {limit} 字节",
    en: "the payload is larger than {limit} bytes",
    help_zh: "检查是否把整个列表或附件放进了报文",
    help_en: "check whether a whole list or an attachment went into it",
    long_zh: "一条数据的报文有上限,避免一行异常数据占满内存。",
    long_en: "One record's payload is bounded, so that a single odd row cannot fill the memory.",
    example: "FFile: <<attachment>>    # of 20 MB",
};

/// There is no `{path}` here.
pub const WINDOW_NAME_ABSENT: Entry = Entry {
    code: "E2015",
    severity: Severity::Error,
    zh: "这里没有 `{path}` 的值",
    en: "there is no `{path}` here",
    help_zh: "",
    help_en: "",
    long_zh: "引擎的这个名称在当前位置没有值,例如没有时间窗口的读取里没有 `$window.start`。",
    long_en: "This name of the engine has no value at this point, such as `$window.start` in a read without a window.",
    example: "<<$window.start|ms>>",
};

/// The condition reads lines of two lists, `{first}` and `{second}`.
pub const TWO_LISTS: Entry = Entry {
    code: "E2016",
    severity: Severity::Error,
    zh: "条件同时读取两个列表 `{first}` 和 `{second}` 的明细",
    en: "the condition reads lines of two lists, `{first}` and `{second}`",
    help_zh: "先用 `explode` 展开其中一个列表",
    help_en: "make rows of one of them with `explode` first",
    long_zh: "`keep` 可以按一个列表的明细筛选;同时涉及两个列表时,哪些明细应当留下并不明确。",
    long_en: "`keep` can filter the lines of one list. With two, it is not clear which lines should stay.",
    example: "keep: {all: [{field: a.x, eq: 1}, {field: b.y, eq: 2}]}",
};

/// A line of `{list}` has no key `{path}`.
pub const LINE_KEY_EMPTY: Entry = Entry {
    code: "E2017",
    severity: Severity::Error,
    zh: "`{list}` 的一行没有行主键 `{path}`",
    en: "a line of `{list}` has no key `{path}`",
    help_zh: "检查源数据;`$key` 应是每行都有的字段",
    help_en: "check the source data; `$key` names a field that every line has",
    long_zh: "`$key` 指定的字段在这一行里缺失、为空,或者不是单个值。没有行主键就无法记住目标给这一行的 id,所以这条数据不会写入。",
    long_en: "The field that `$key` names is absent, empty or no single value in this line. Without it the target's id of the line cannot be kept, so the record is not written.",
    example: "{$each: details, $key: number, $do: {…}}",
};

/// Two lines of `{list}` have the key `{value}`.
pub const LINE_KEY_TWICE: Entry = Entry {
    code: "E2018",
    severity: Severity::Error,
    zh: "`{list}` 有两行的行主键 `{path}` 都是 `{value}`",
    en: "two lines of `{list}` have `{value}` as their key `{path}`",
    help_zh: "换一个在单据内唯一的字段作为 `$key`",
    help_en: "take a field for `$key` that is unique in the document",
    long_zh: "同一张单据里,行主键必须唯一,否则更新时会把一行的 id 给另一行。",
    long_en: "Keys of lines are unique within a document, or an update would give one line the id of another.",
    example: "{$each: details, $key: sku, $do: {…}}",
};

/// The line was not written yet: it has no `$line_id`.
pub const LINE_ID_ABSENT: Entry = Entry {
    code: "E2019",
    severity: Severity::Error,
    zh: "这一行还没有写入过,没有 `$line_id`",
    en: "the line was not written yet: it has no `$line_id`",
    help_zh: "写 `{$value: <<$line_id>>, $missing: omit}`",
    help_en: "write `{$value: <<$line_id>>, $missing: omit}`",
    long_zh: "目标在写入一行之后才给出它的 id。新增的单据和新增的行都没有 id,因此要说明没有时怎么办。",
    long_en: "The target gives a line its id when it writes it. New documents and new lines have none, so say what happens then.",
    example: "{$each: details, $key: number, $do: {id: <<$line_id>>}}",
};

/// The pattern `{pattern}` cannot be used.
pub const PATTERN_UNFIT: Entry = Entry {
    code: "E2020",
    severity: Severity::Error,
    zh: "不能使用正则表达式 `{pattern}`:{why}",
    en: "the pattern `{pattern}` cannot be used: {why}",
    help_zh: "",
    help_en: "",
    long_zh: "`$regex` 里的占位符按原文匹配,填入之后整个表达式太大或无效。",
    long_en: "What placeholders give stands for itself in a `$regex`. With it the pattern is too large, or none.",
    example: "_mongoQuery units findField=content.a where={\"content.b\":{\"$regex\":\"^<<c>>\"}}",
};

/// The template fails: {what_en}.
pub const TEMPLATE_FAILED: Entry = Entry {
    code: "E2021",
    severity: Severity::Error,
    zh: "模板第 {line} 行计算失败:{what_zh}",
    en: "the template fails in its line {line}: {what_en}",
    help_zh: "",
    help_en: "",
    long_zh: "`$template` 在这条数据上无法得出文本:值的类型不适合、步骤太多,或者结果太长。模板有步骤和长度上限。",
    long_en: "A `$template` gives no text for this row: a value does not fit, or there are too many steps, or the result is too long. Steps and length are bounded.",
    example: "{$template: \"{% for l in details %}{{ l.sku }}{% endfor %}\"}",
};

/// {field} is empty (required).
pub const REQUIRED_EMPTY: Entry = Entry {
    code: "E2103",
    severity: Severity::Error,
    zh: "{field} 为空(必填)",
    en: "{field} is empty (required)",
    help_zh: "检查源数据,或去掉 `$required`",
    help_en: "check the source data, or take `$required` away",
    long_zh: "字段标记为 `$required: true`,但值为空、为 null 或缺失。这条数据在发送之前就失败,不会写入目标。",
    long_en: "The field is marked `$required: true`, and its value is empty, null or missing. The record fails before anything is sent.",
    example: "FNumber: {$value: <<no>>, $required: true}",
};

/// The field by which newer rows are told from older ones has nothing to compare.
pub const NEWEST_BY: Entry = Entry {
    code: "E2022",
    severity: Severity::Error,
    zh: "`newest_by` 的字段 `{path}` 既不是整数也不是时间:`{value}`",
    en: "the field `{path}` of `newest_by` is neither an integer nor a time: `{value}`",
    help_zh: "用每一行都有的修改时间或序号",
    help_en: "name a time of the last change, or a number, that every row has",
    long_zh: "写了 newest_by 之后,新旧按这个字段比较。没有值的行无法比较,所以作为失败的数据列出,而不是任意覆盖。",
    long_en: "With newest_by, older and newer are told by this field. A row without it cannot be compared, so it is listed as failed instead of replacing anything.",
    example: "newest_by: modifyTime",
};

/// The lines of a step cannot be told apart.
pub const STEP_LINES: Entry = Entry {
    code: "E2024",
    severity: Severity::Error,
    zh: "步骤 {step} 的行(`{list}`)无法逐行处理:{why}",
    en: "the lines of the step {step} (`{list}`) cannot be gone through: {why_en}",
    help_zh: "每一行都要有不同的 `line_key`;修正源数据后重试",
    help_en: "each line needs a `line_key` of its own; mend the row and retry",
    long_zh: "带 `each` 的步骤按 `line_key` 认识每一行。没有身份的行、身份相同的两行,无法判断哪一行已经写过,所以整条数据在写第一张单据之前就失败。身份最长 200 字节。",
    long_en: "A step with `each` knows each line by its `line_key`. Of lines without one, or two lines with the same, nobody could tell which was written, so the record fails before its first document is written. An identity has 200 bytes at most.",
    example: "each: contacts\nline_key: id    # and a row whose contacts have the ids 1, 2, 2",
};

/// More lines than a step is made for.
pub const STEP_LINES_MOST: Entry = Entry {
    code: "E2025",
    severity: Severity::Error,
    zh: "步骤 {step} 的列表 `{list}` 有 {lines} 行,最多 {most} 行",
    en: "the list `{list}` of the step {step} has {lines} lines, {most} at most",
    help_zh: "行很多时改用 `source.explode`,每行一条数据",
    help_en: "where there are many, make each line a record by `source.explode`",
    long_zh: "带 `each` 的步骤每行是一次单独认领的调用,全部完成之前这条数据一直是打开的。超过上限的数据在写第一张单据之前就失败。",
    long_en: "With `each`, every line is a call that is claimed by itself, and the record is open until the last of them. A row with more lines fails before its first document is written.",
    example: "each: payments    # and an order with 600 payments",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &MISSING_FIELD,
    &KEY_EMPTY,
    &DOES_NOT_FIT,
    &LOOKUP_SEVERAL,
    &LOOKUP_MISS,
    &NOT_IN_TABLE,
    &INSTANT_UNPRINTED,
    &NOT_TEXT,
    &FILTER_UNFIT,
    &NOT_A_MAP,
    &NOT_A_LIST,
    &TARGET_KEY_EMPTY,
    &NOT_A_TIME,
    &TOO_LARGE,
    &WINDOW_NAME_ABSENT,
    &TWO_LISTS,
    &LINE_KEY_EMPTY,
    &LINE_KEY_TWICE,
    &LINE_ID_ABSENT,
    &PATTERN_UNFIT,
    &TEMPLATE_FAILED,
    &REQUIRED_EMPTY,
    &NEWEST_BY,
    &STEP_LINES,
    &STEP_LINES_MOST,
];
