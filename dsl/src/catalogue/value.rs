//! E1200-E1299: values, templates and look-ups in a file.

use super::Entry;
use crate::diagnostic::Severity;

/// The placeholder is not closed by `{mark}`.
pub const UNCLOSED: Entry = Entry {
    code: "E1201",
    severity: Severity::Error,
    zh: "占位符没有以 `{mark}` 结束",
    en: "the placeholder is not closed by `{mark}`",
    help_zh: "要原样发送这段文字,写 `{$literal: …}`",
    help_en: "to send these characters as they are, write `{$literal: …}`",
    long_zh: "`<<` 或 `{{` 开始一个占位符,直到 `>>` 或 `}}` 结束。",
    long_en: "`<<` and `{{` begin a placeholder, which reaches to `>>` and `}}`.",
    example: "FName: <<buyerNick",
};

/// `{path}` is no path of a field: {why_en}.
pub const BAD_PATH: Entry = Entry {
    code: "E1202",
    severity: Severity::Error,
    zh: "`{path}` 不是字段路径:{why}",
    en: "`{path}` is no path of a field: {why_en}",
    help_zh: "路径写作 `a.b`、`lines.*.qty`;名称中的点写作 `\\.`",
    help_en: "a path is `a.b` or `lines.*.qty`; a dot inside a name is written `\\.`",
    long_zh: "路径由名称和点组成,名称可以是中文;不能为空,不能含有尖括号或花括号。",
    long_en: "A path is names and dots; names may be Chinese. It cannot be empty nor hold angle brackets or braces.",
    example: "FName: <<buyer..nick>>",
};

/// There is no engine name `{name}`.
pub const UNKNOWN_NAME: Entry = Entry {
    code: "E1203",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的引擎名称",
    en: "there is no engine name `{name}`",
    help_zh: "以 `$` 开头的名称属于引擎;数据字段写作 `$$…`",
    help_en: "names that begin with `$` are the engine's; a data field is written `$$…`",
    long_zh: "以 `$` 开头的名称属于引擎,只有格式说明里列出的那些。",
    long_en: "Names that begin with `$` belong to the engine; only those of the reference exist.",
    example: "start: <<$windov.start|ms>>",
};

/// There is no source field `{path}`.
pub const UNKNOWN_FIELD: Entry = Entry {
    code: "E1204",
    severity: Severity::Error,
    zh: "源字段 “{path}” 不存在",
    en: "there is no source field `{path}`",
    help_zh: "样例数据、字段列表与连接器声明中都没有这个字段{also_zh}",
    help_en: "neither samples, the list of fields nor the connector know this field{also_en}",
    long_zh: "模板读取的字段没有出现在样例数据、`fields`、`derive` 或方案自己的测试数据里。多半是写错了;如果接口确实会返回它,请在 `tests` 里放一行含有该字段的数据。",
    long_en: "A placeholder reads a field that neither samples, `fields`, `derive` nor the scheme's own tests have. Usually it is misspelt; if the API does return it, put a row that has it under `tests`.",
    example: "FName: <<buyerNik>>",
};

/// `{name}` cannot be used in {place_en}.
pub const NAME_NOT_HERE: Entry = Entry {
    code: "E1205",
    severity: Severity::Error,
    zh: "`{name}` 不能用在{place}里",
    en: "`{name}` cannot be used in {place_en}",
    help_zh: "",
    help_en: "",
    long_zh: "每个引擎名称只在有意义的位置可用:时间窗口属于读取,目标编号属于写入。",
    long_en: "Each name of the engine can be used only where it means something: windows belong to reading, target ids to writing.",
    example: "FName: <<$window.start|ms>>",
};

/// There is no record yet in {place_en}: the field `{path}` cannot be read.
pub const FIELD_NOT_HERE: Entry = Entry {
    code: "E1206",
    severity: Severity::Error,
    zh: "{place}里还没有记录,不能读取字段 `{path}`",
    en: "there is no record yet in {place_en}: the field `{path}` cannot be read",
    help_zh: "这里可以用 `$window`、`$page`、`$now`",
    help_en: "`$window`, `$page` and `$now` can be used here",
    long_zh: "源请求在读取之前就要确定,因此不能读取数据字段。",
    long_en: "A source request is made before anything was read, so it cannot read fields.",
    example: "request: {from: <<createTime>>}",
};

/// There is no filter `{name}`.
pub const UNKNOWN_FILTER: Entry = Entry {
    code: "E1207",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的过滤器",
    en: "there is no filter `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "占位符里 `|` 之后是过滤器的名称。",
    long_en: "After `|` in a placeholder stands the name of a filter.",
    example: "FDate: <<created|dat>>",
};

/// The instant `{name}` needs a filter.
pub const INSTANT_BARE: Entry = Entry {
    code: "E1208",
    severity: Severity::Error,
    zh: "时间点 `{name}` 需要过滤器",
    en: "the instant `{name}` needs a filter",
    help_zh: "例如 `<<{name}|datetime>>` 或 `<<{name}|ms>>`",
    help_en: "write `<<{name}|datetime>>` or `<<{name}|ms>>`",
    long_zh: "时间点本身没有文字形式,由过滤器决定打印成毫秒、秒还是日期文本。",
    long_en: "An instant has no text of its own; a filter says how it is printed.",
    example: "startTime: <<$window.start>>",
};

/// `$` keys cannot stand beside the plain key `{key}`.
pub const MIXED_KEYS: Entry = Entry {
    code: "E1209",
    severity: Severity::Error,
    zh: "`$` 键不能和普通键 `{key}` 写在一起",
    en: "`$` keys cannot stand beside the plain key `{key}`",
    help_zh: "数据键以 `$` 开头时写作 `$$…`",
    help_en: "a data key that begins with `$` is written `$$…`",
    long_zh: "一个对象要么是数据,要么是引擎的取值方式,不能两者都是。",
    long_en: "A map is either data or one of the engine's ways to make a value, never both.",
    example: "FQty: {$value: <<qty>>, unit: Pcs}",
};

/// Only one of `{first}` and `{second}` may be written.
pub const TWO_MAKERS: Entry = Entry {
    code: "E1210",
    severity: Severity::Error,
    zh: "`{first}` 和 `{second}` 只能写一个",
    en: "only one of `{first}` and `{second}` may be written",
    help_zh: "嵌套书写,例如 `{$value: {…}}`",
    help_en: "put one inside the other",
    long_zh: "带 `$` 键的对象恰好有一个取值键。",
    long_en: "A map with `$` keys has exactly one key that makes the value.",
    example: "{$value: 1, $lookup: units}",
};

/// A key that makes the value is missing, such as `$value`.
pub const NO_MAKER: Entry = Entry {
    code: "E1211",
    severity: Severity::Error,
    zh: "缺少取值键,例如 `$value`",
    en: "a key that makes the value is missing, such as `$value`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "`$default`、`$empty` 等只说明怎样对待一个值,还需要 `$value`、`$lookup` 等给出这个值。",
    long_en: "Keys such as `$default` and `$empty` say how a value is treated; `$value`, `$lookup` and others give the value.",
    example: "FQty: {$default: 0}",
};

/// There is no key `{key}`.
pub const UNKNOWN_MAKER: Entry = Entry {
    code: "E1212",
    severity: Severity::Error,
    zh: "没有名为 `{key}` 的键",
    en: "there is no key `{key}`",
    help_zh: "数据键以 `$` 开头时写作 `${key}`",
    help_en: "a data key that begins with `$` is written `${key}`",
    long_zh: "以 `$` 开头的键属于引擎,只有格式说明里列出的那些。",
    long_en: "Keys that begin with `$` belong to the engine; only those of the reference exist.",
    example: "FQty: {$vlue: <<qty>>}",
};

/// `{maker}` also needs `{key}`.
pub const MAKER_NEEDS: Entry = Entry {
    code: "E1213",
    severity: Severity::Error,
    zh: "`{maker}` 还需要 `{key}`",
    en: "`{maker}` also needs `{key}`",
    help_zh: "",
    help_en: "",
    long_zh: "这个取值键不完整。",
    long_en: "This key is incomplete without the other one.",
    example: "{$lookup: units}",
};

/// `{key}` does not go with `{maker}`.
pub const MISPLACED_ARGUMENT: Entry = Entry {
    code: "E1214",
    severity: Severity::Error,
    zh: "`{key}` 不能和 `{maker}` 一起使用",
    en: "`{key}` does not go with `{maker}`",
    help_zh: "",
    help_en: "",
    long_zh: "每个参数只属于它的取值键。",
    long_en: "An argument belongs to its own maker only.",
    example: "{$value: 1, $get: FNumber}",
};

/// `{key}` must be {want_en}.
pub const BAD_ARGUMENT: Entry = Entry {
    code: "E1215",
    severity: Severity::Error,
    zh: "`{key}` 应为{want}",
    en: "`{key}` must be {want_en}",
    help_zh: "",
    help_en: "",
    long_zh: "参数的形式不对。",
    long_en: "The argument has the wrong form.",
    example: "FQty: {$value: <<qty>>, $type: integer}",
};

/// `$on_error` is for `_function` only.
pub const ON_ERROR_WHERE: Entry = Entry {
    code: "E1216",
    severity: Severity::Error,
    zh: "`$on_error` 只用于 `_function`",
    en: "`$on_error` is for `_function` only",
    help_zh: "",
    help_en: "",
    long_zh: "只有表达式会计算失败;其他取值用 `$missing` 和 `$default`。",
    long_en: "Only an expression can fail to compute; for others there are `$missing` and `$default`.",
    example: "{$value: <<a>>, $on_error: \"null\"}",
};

/// `{what}` is not supported yet in this version.
pub const VALUE_LATER: Entry = Entry {
    code: "E1217",
    severity: Severity::Error,
    zh: "本版本还不支持 `{what}`",
    en: "`{what}` is not supported yet in this version",
    help_zh: "",
    help_en: "",
    long_zh: "格式中有这种写法,但当前版本还没有实现。引擎不会悄悄忽略它。",
    long_en: "The format has it, but this version does not do it yet. It is never ignored silently.",
    example: "{$template: \"…\"}",
};

/// There is no table `{name}` under `maps`.
pub const UNKNOWN_TABLE: Entry = Entry {
    code: "E1218",
    severity: Severity::Error,
    zh: "`maps` 里没有名为 `{name}` 的对照表",
    en: "there is no table `{name}` under `maps`",
    help_zh: "",
    help_en: "",
    long_zh: "`$table` 引用方案顶层 `maps` 里的一张对照表。",
    long_en: "`$table` names one of the tables under `maps` of the scheme.",
    example: "{$map: <<a>>, $table: sellers}",
};

/// There is no scheme `{name}` to look up.
pub const LOOKUP_SCHEME: Entry = Entry {
    code: "E1220",
    severity: Severity::Error,
    zh: "查找的方案 `{name}` 不存在",
    en: "there is no scheme `{name}` to look up",
    help_zh: "检查同一文件夹里方案的 `scheme`、`uuid` 与 `aliases`",
    help_en: "check `scheme`, `uuid` and `aliases` of the schemes in this folder",
    long_zh: "查找按同一文件夹中方案的 id、uuid 或别名进行。旧的 uuid 可以在 `aliases` 里指向一个方案。",
    long_en: "A look-up names a scheme of the same folder by id, uuid or alias. An old uuid can be given a scheme under `aliases`.",
    example: "_findCollection find a from 00000000 where b=1",
};

/// Rows of {scheme} have no field `{path}`.
pub const LOOKUP_COLUMN: Entry = Entry {
    code: "E1221",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据里没有字段 `{path}`",
    en: "rows of {scheme} have no field `{path}`",
    help_zh: "",
    help_en: "",
    long_zh: "查找的字段没有出现在那个方案的字段列表、样例或派生字段里。",
    long_en: "The look-up names a field that the other scheme's list of fields, samples or derived fields do not have.",
    example: "{$lookup: units, $get: FNumbr, $by: {FName: a}}",
};

/// Other schemes cannot be looked up in {place_en}.
pub const LOOKUP_NOT_HERE: Entry = Entry {
    code: "E1222",
    severity: Severity::Error,
    zh: "{place}里不能查找其他方案",
    en: "other schemes cannot be looked up in {place_en}",
    help_zh: "把查找移到 `target.request` 或 `target.let`",
    help_en: "move it to `target.request` or `target.let`",
    long_zh: "这个位置的取值不允许依赖其他方案的数据。",
    long_en: "A value at this place must not depend on rows of other schemes.",
    example: "derive: {a: {$lookup: units, $get: b, $by: {c: d}}}",
};

/// No `let` before this one is called `{name}`.
pub const LET_UNKNOWN: Entry = Entry {
    code: "E1224",
    severity: Severity::Error,
    zh: "前面没有名为 `{name}` 的 `let`",
    en: "no `let` before this one is called `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "`let` 按书写顺序计算,只能使用前面已有的名称。",
    long_en: "Values of `let` are computed in order and may use only those before them.",
    example: "let: {a: <<$let.b>>}",
};

/// `{name}` can be used inside `$each` only.
pub const LINE_OUTSIDE: Entry = Entry {
    code: "E1225",
    severity: Severity::Error,
    zh: "`{name}` 只能用在 `$each` 里",
    en: "`{name}` can be used inside `$each` only",
    help_zh: "",
    help_en: "",
    long_zh: "`$line` 和 `$index` 是 `$each` 正在处理的那一行。",
    long_en: "`$line` and `$index` are the line that an `$each` is at.",
    example: "FQty: <<$line.qty>>",
};

/// A condition is `field` and one comparison, or `all`, `any`, `not`.
pub const BAD_CONDITION: Entry = Entry {
    code: "E1227",
    severity: Severity::Error,
    zh: "条件应为 `field` 加一个比较,或 `all`、`any`、`not`",
    en: "a condition is `field` and one comparison, or `all`, `any`, `not`",
    help_zh: "比较:{all}",
    help_en: "comparisons: {all}",
    long_zh: "条件写作 `{field: 字段, eq: 值}`,或 `{all: [...]}`、`{any: [...]}`、`{not: ...}`。",
    long_en: "A condition is `{field: path, eq: value}`, or `{all: [...]}`, `{any: [...]}`, `{not: ...}`.",
    example: "keep: {field: status, is_not: 1}",
};

/// The template is longer than {limit} bytes.
pub const TOO_BIG: Entry = Entry {
    code: "E1228",
    severity: Severity::Error,
    zh: "模板超过 {limit} 字节",
    en: "the template is longer than {limit} bytes",
    help_zh: "",
    help_en: "",
    long_zh: "一个模板有长度上限,以保证任何方案都能很快读入。",
    long_en: "A template is bounded, so that every scheme loads quickly.",
    example: "FDescription: <<a>><<a>><<a>>…",
};

/// The text begins with "function "; did you mean `_function`?.
pub const FUNCTION_TYPO: Entry = Entry {
    code: "W1226",
    severity: Severity::Warning,
    zh: "文本以 “function ” 开头,是否想写 `_function`?",
    en: "the text begins with \"function \"; did you mean `_function`?",
    help_zh: "",
    help_en: "",
    long_zh: "表达式以 `_function` 加空格开头;没有下划线时整段文字会原样发送。",
    long_en: "An expression begins with `_function` and a blank; without the underscore the text is sent as it is.",
    example: "startTime: function NOW()",
};

/// `{text}` is sent as it is.
pub const SENT_AS_TEXT: Entry = Entry {
    code: "W1229",
    severity: Severity::Warning,
    zh: "`{text}` 不会被计算,会原样发送",
    en: "`{text}` is not computed but sent as it is",
    help_zh: "是否想写 `{right}`?确实要发送这段文字时写 `{$literal: …}`",
    help_en: "did you mean `{right}`? to send these characters as they are, write `{$literal: …}`",
    long_zh: "表达式以 `_function` 加空格开头,字段写作 `<<字段>>`。拼写不同、单层尖括号或中文书名号都只是普通文本。",
    long_en: "An expression begins with `_function` and a blank, a field is `<<field>>`. Other spellings, single angle brackets and Chinese brackets are plain text.",
    example: "FName: <buyerNick>",
};

/// `{reference}` is not resolved in a scheme.
pub const REFERENCE_IN_SCHEME: Entry = Entry {
    code: "W1230",
    severity: Severity::Warning,
    zh: "方案里的 `{reference}` 不会被替换,会原样发送",
    en: "`{reference}` is not resolved in a scheme but sent as it is",
    help_zh: "这种引用只用在 connections.yaml 里",
    help_en: "such references belong in connections.yaml",
    long_zh: "密钥和环境变量只在 connections.yaml 里引用,由连接器使用,因此方案可以放心地交给别人看。",
    long_en: "Secrets and variables of the environment are named in connections.yaml and used by the connector, so that a scheme can be shown to anybody.",
    example: "FDescription: ${env:SHOP}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNCLOSED,
    &BAD_PATH,
    &UNKNOWN_NAME,
    &UNKNOWN_FIELD,
    &NAME_NOT_HERE,
    &FIELD_NOT_HERE,
    &UNKNOWN_FILTER,
    &INSTANT_BARE,
    &MIXED_KEYS,
    &TWO_MAKERS,
    &NO_MAKER,
    &UNKNOWN_MAKER,
    &MAKER_NEEDS,
    &MISPLACED_ARGUMENT,
    &BAD_ARGUMENT,
    &ON_ERROR_WHERE,
    &VALUE_LATER,
    &UNKNOWN_TABLE,
    &LOOKUP_SCHEME,
    &LOOKUP_COLUMN,
    &LOOKUP_NOT_HERE,
    &LET_UNKNOWN,
    &LINE_OUTSIDE,
    &BAD_CONDITION,
    &TOO_BIG,
    &FUNCTION_TYPO,
    &SENT_AS_TEXT,
    &REFERENCE_IN_SCHEME,
];
