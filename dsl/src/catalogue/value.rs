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

/// There is no source field `{path}`, which is read as empty text.
pub const EMPTY_FIELD: Entry = Entry {
    code: "W1260",
    severity: Severity::Warning,
    zh: "源字段 “{path}” 不存在,按空文本读取(compat: qeasy)",
    en: "there is no source field `{path}`: it reads as empty text (compat: qeasy)",
    help_zh: "确认名称;接口确实会返回它时,在 `tests` 里放一行含有它的数据",
    help_en: "look at the name; where the API does return it, put a row that has it under `tests`",
    long_zh: "有 `compat: qeasy` 时,缺失的字段在模板与表达式里是空文本,所以这里只是提醒,不是错误。主键、`explode`、`keep`、`$each` 与 `$join` 里的字段仍然必须存在。",
    long_en: "With `compat: qeasy` a missing field is empty text in placeholders and expressions, so this is a warning and no error. A field of a key, of `explode`, `keep`, `$each` and `$join` must be there all the same.",
    example: "FName: <<buyerNik>>    # with compat: qeasy",
};

/// No row of the sample has the field `{path}`.
pub const UNSEEN_FIELD: Entry = Entry {
    code: "W1254",
    severity: Severity::Warning,
    zh: "样例里没有一行含有字段 “{path}”",
    en: "no row of the sample has the field `{path}`",
    help_zh: "确认名称;接口可能省略空字段,那就在 `tests` 里放一行含有它的数据",
    help_en: "look at the name; where the API leaves out empty fields, put a row that has it under `tests`",
    long_zh: "用 engine sample 取来的样例只有几行,没出现的字段不一定不存在,所以这里只是提醒。",
    long_en: "A sample taken with engine sample has a few rows only: a field that it lacks may be there all the same, so this is a warning.",
    example: "FName: <<buyerNik>>    # with samples/huke/search_trades.json",
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

/// `_mongoQuery` is not right: {what_en}.
pub const QUERY_FORM: Entry = Entry {
    code: "E1231",
    severity: Severity::Error,
    zh: "`_mongoQuery` 写得不对:{what_zh}",
    en: "`_mongoQuery` is not right: {what_en}",
    help_zh: "写作 `_mongoQuery 方案 findField=content.字段 where={…}`,整段用单引号括起来",
    help_en: "write `_mongoQuery SCHEME findField=content.FIELD where={…}`, all of it in single quotes",
    long_zh: "`_mongoQuery` 后面依次是方案、`findField=` 和 `where=`;`where` 是 JSON,占位符写在值的位置:`\"<<x>>\"` 给文本,`<<x>>` 保留原来的类型。",
    long_en: "After `_mongoQuery` stand the scheme, `findField=` and `where=`. `where` is JSON with placeholders where values stand: `\"<<x>>\"` gives text, `<<x>>` the value with its kind.",
    example: "FUnit: '_mongoQuery units findField=content.FNumber where={\"content.FName\"}'",
};

/// There is no operator `{name}`.
pub const QUERY_OPERATOR: Entry = Entry {
    code: "E1232",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的运算符",
    en: "there is no operator `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "`where` 里以 `$` 开头的键是运算符:比较写在字段下面,`$and`、`$or`、`$nor` 写在字段外面,`$not` 写在字段下面。",
    long_en: "Keys with `$` in `where` are operators: comparisons stand below a field, `$and`, `$or` and `$nor` beside fields, `$not` below a field.",
    example: "'_mongoQuery units findField=content.a where={\"content.b\":{\"$like\":\"c\"}}'",
};

/// `{op}` takes {want_en}.
pub const QUERY_OPERAND: Entry = Entry {
    code: "E1233",
    severity: Severity::Error,
    zh: "`{op}` 后面应为{want}",
    en: "`{op}` takes {want_en}",
    help_zh: "",
    help_en: "",
    long_zh: "每个运算符只接受一种值。大小比较需要数字或文本:数字与数字、文本与文本比较,其他组合没有先后。",
    long_en: "Each operator takes one kind of value. To be greater or less takes a number or a text: numbers are compared with numbers and texts with texts; nothing else has an order.",
    example: "'_mongoQuery units findField=content.a where={\"content.b\":{\"$in\":\"c\"}}'",
};

/// `{name}` is no field of a stored row.
pub const QUERY_FIELD: Entry = Entry {
    code: "E1234",
    severity: Severity::Error,
    zh: "`{name}` 不是存储数据的字段",
    en: "`{name}` is no field of a stored row",
    help_zh: "数据字段写作 `{right}`",
    help_en: "a field of the row is written `{right}`",
    long_zh: "在 `_mongoQuery` 里,数据的字段写在 `content.` 下面;`id` 和 `number` 是方案的主键与显示名称,也可以写 `$key`、`$label`、`$target.id`、`$target.number`。",
    long_en: "In a `_mongoQuery` the fields of a row stand below `content.`; `id` and `number` are the scheme's key and label. `$key`, `$label`, `$target.id` and `$target.number` may be written, too.",
    example: "'_mongoQuery units findField=FNumber where={\"content.FName\":\"a\"}'",
};

/// The pattern cannot be used: {why}.
pub const BAD_REGEX: Entry = Entry {
    code: "E1235",
    severity: Severity::Error,
    zh: "不能使用这个正则表达式:{why}",
    en: "the pattern cannot be used: {why}",
    help_zh: "不支持前后查找与反向引用:它们不能保证在线性时间内完成",
    help_en: "look-around and back references are not supported: they cannot be bounded",
    long_zh: "`$regex` 使用保证线性时间的引擎。占位符的值在正则表达式里只代表它自己。",
    long_en: "`$regex` uses an engine that takes linear time. What a placeholder gives stands for itself in the pattern.",
    example: "'_mongoQuery units findField=content.a where={\"content.b\":{\"$regex\":\"(\"}}'",
};

/// The answer of `{operation}` tells no ids of lines.
pub const LINE_ID_UNTOLD: Entry = Entry {
    code: "E1236",
    severity: Severity::Error,
    zh: "操作 `{operation}` 的应答不给出行 id,不能使用 `$line_id`",
    en: "the answer of `{operation}` tells no ids of lines, so there is no `$line_id`",
    help_zh: "去掉 `$line_id`;连接器的 `item` 写明 `lines` 之后才有行 id",
    help_en: "take it away; there are ids once `item` of the connector names `lines`",
    long_zh: "`$line_id` 是目标在写入时给一行的 id。只有连接器的操作在 `item` 或 `items` 里写了 `lines`,引擎才能从应答中取得这些 id。",
    long_en: "`$line_id` is the id that the target gave a line when it wrote it. The engine can take it from the answer only if `item` or `items` of the connector's operation names `lines`.",
    example: "{$each: details, $key: number, $do: {id: <<$line_id>>}}",
};

/// `$line_id` needs `$key` at its `$each`.
pub const LINE_ID_WITHOUT_KEY: Entry = Entry {
    code: "E1237",
    severity: Severity::Error,
    zh: "使用 `$line_id` 的 `$each` 需要 `$key`",
    en: "`$line_id` needs `$key` at its `$each`",
    help_zh: "写明哪个字段标识一行,例如 `$key: number`",
    help_en: "say which field identifies a line, such as `$key: number`",
    long_zh: "引擎按行主键记住目标给每一行的 id;没有 `$key` 就不知道这一行以前是哪一行。",
    long_en: "The engine keeps the target's ids by the keys of lines; without `$key` it cannot tell which line this was before.",
    example: "{$each: details, $do: {id: <<$line_id>>}}",
};

/// `$key` has no use here: {why_en}.
pub const LINE_KEY_PLACE: Entry = Entry {
    code: "E1238",
    severity: Severity::Error,
    zh: "`$key` 在这里没有作用:{why_zh}",
    en: "`$key` has no use here: {why_en}",
    help_zh: "`$key` 用于 `target.request` 里的明细列表;嵌套时外层也要有 `$key`",
    help_en: "`$key` is for lists of lines in `target.request`; the `$each` around it needs one, too",
    long_zh: "行主键用来记住目标给各行的 id,因此列表必须作为列表出现在目标单据里,而且每个位置只有一个。",
    long_en: "Keys of lines serve to keep the target's ids, so the list must stand in the document as a list, one at a place.",
    example: "{$json: {$each: details, $key: number, $do: {…}}}",
};

/// The template is not right: {why_en}.
pub const TEMPLATE_SYNTAX: Entry = Entry {
    code: "E1239",
    severity: Severity::Error,
    zh: "模板写得不对:{why_zh}",
    en: "the template is not right: {why_en}",
    help_zh: "模板使用 `{{ 字段 }}`、`{% if … %}`、`{% for x in 列表 %}`",
    help_en: "a template has `{{ field }}`, `{% if … %}`, `{% for x in list %}`",
    long_zh: "`$template` 是只产生文本的模板:字段按名称读取,`<<…>>` 与别处相同。没有 include、宏和赋值。",
    long_en: "A `$template` makes text and nothing else: fields are read by name, and `<<…>>` works as elsewhere. There are no includes, macros or assignments.",
    example: "{$template: \"{{ buyerNick \"}",
};

/// `{what}` is not for templates.
pub const TEMPLATE_REFUSED: Entry = Entry {
    code: "E1240",
    severity: Severity::Error,
    zh: "模板里不能使用 `{what}`",
    en: "`{what}` is not for templates",
    help_zh: "{help_zh}",
    help_en: "{help_en}",
    long_zh: "模板只拼文本:计算用 `_function`,大小比较用 `is gt(…)` 等测试,它们按数值精确比较。",
    long_en: "A template joins text. Numbers are computed by `_function`, and compared by tests such as `is gt(…)`, which are exact.",
    example: "{$template: \"{{ price * 2 }}\"}",
};

/// Nothing here can be waited for.
pub const DEFER_WHERE: Entry = Entry {
    code: "E1241",
    severity: Severity::Error,
    zh: "这里没有可以等待的查找",
    en: "there is no look-up here to wait for",
    help_zh: "`$missing: defer` 用于 `$lookup`、`_findCollection`、`_mongoQuery`;其他值写 `fail`、`omit`、`null` 或 `empty`",
    help_en: "`$missing: defer` is for `$lookup`, `_findCollection` and `_mongoQuery`; write `fail`, `omit`, `null` or `empty` for others",
    long_zh: "`defer` 让数据等待被查找的方案读到那一行;字段缺失不会因等待而出现。",
    long_en: "`defer` lets a record wait until the scheme that is looked up has read the row. A field that is missing does not come by waiting.",
    example: "FNote: {$value: <<remark>>, $missing: defer}",
};

/// `{path}` has several values, and one is needed here.
pub const SEVERAL_VALUES: Entry = Entry {
    code: "E1242",
    severity: Severity::Error,
    zh: "`{path}` {why},此处需要单个值",
    en: "`{path}` {why_en}, and one value is needed here",
    help_zh: "{how}",
    help_en: "{how_en}",
    long_zh: "样例数据或字段列表说明这个字段是列表或对象,或在列表里面。一个占位符或表达式只能用单个值;聚合函数和 `$each` 处理多行。",
    long_en: "Samples or the list of fields show that the field is a list or an object, or lies in a list. A placeholder in text and an expression take a single value; functions over lines and `$each` take several.",
    example: "FQty: _function <<details.qty>> * 2",
};

/// `{path}` of {scheme} lies in the list `{list}`, where a look-up does not reach.
pub const LOOKUP_IN_LIST: Entry = Entry {
    code: "E1244",
    severity: Severity::Error,
    zh: "方案 {scheme} 的 `{path}` 在列表 `{list}` 里,查找读不到",
    en: "`{path}` of {scheme} lies in the list `{list}`, where a look-up does not reach",
    help_zh: "改用数据行本身的字段,或在方案 {scheme} 里用 `explode: {list}` 把列表拆成多行",
    help_en: "look up by a field of the row itself, or split the list into rows with `explode: {list}` in {scheme}",
    long_zh: "查找的结果字段和等值条件字段必须是数据行本身的字段:一行的列表里有多个值,不能作为单个值比较或取出。",
    long_en: "The field that a look-up gives and those that it compares belong to the row itself: in a list of the row there are several values, and none of them is the one to compare or to give.",
    example: "{$lookup: trades, $get: tid, $by: {orders.oid: <<oid>>}}",
};

/// `{path}` is text in the samples, and a number is needed here.
pub const TEXT_AS_NUMBER: Entry = Entry {
    code: "W1243",
    severity: Severity::Warning,
    zh: "样例数据中 `{path}` 是文本(例如 '{sample}'),在这里按 0 计算",
    en: "`{path}` is text in the samples, such as '{sample}', and counts as 0 here",
    help_zh: "确认字段;取文本里的数字用 REGEXP_SUBSTR,拼接用 CONCAT",
    help_en: "check the field; for the digits of a text use REGEXP_SUBSTR, to join texts CONCAT",
    long_zh: "不以数字开头的文本在算术里是 0,和数据库一样。",
    long_en: "A text that no number begins is 0 in arithmetic, as in a database.",
    example: "FAmount: _function <<buyerNick>> * 2",
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

/// Values after many errors.
pub const NOT_LOOKED_AT: Entry = Entry {
    code: "E1245",
    severity: Severity::Error,
    zh: "从这里往后的值没有再检查:前面已经有 {max} 个错误",
    en: "from here on values have not been looked at: there are {max} errors before",
    help_zh: "改好已经列出的,再检查一次",
    help_en: "mend those that are listed and check again",
    long_zh: "值里的错误逐个解释,到 100 个为止。同一种错误重复成百上千次时,通常改好一处就知道其余怎么改。",
    long_en: "Errors in values are explained one by one, up to 100 of them. Where one mistake is repeated hundreds of times, the first tells how to mend the rest.",
    example: "FName: _function REPLCE(1)    # in more than 100 fields",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNCLOSED,
    &BAD_PATH,
    &UNKNOWN_NAME,
    &UNKNOWN_FIELD,
    &EMPTY_FIELD,
    &UNSEEN_FIELD,
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
    &QUERY_FORM,
    &QUERY_OPERATOR,
    &QUERY_OPERAND,
    &QUERY_FIELD,
    &BAD_REGEX,
    &LINE_ID_UNTOLD,
    &LINE_ID_WITHOUT_KEY,
    &LINE_KEY_PLACE,
    &TEMPLATE_SYNTAX,
    &TEMPLATE_REFUSED,
    &DEFER_WHERE,
    &SEVERAL_VALUES,
    &LOOKUP_IN_LIST,
    &NOT_LOOKED_AT,
    &TEXT_AS_NUMBER,
    &FUNCTION_TYPO,
    &SENT_AS_TEXT,
    &REFERENCE_IN_SCHEME,
];
