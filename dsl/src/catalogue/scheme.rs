//! E1100-E1199: the keys of a scheme file.

use super::Entry;
use crate::diagnostic::Severity;

/// There is no key `{key}` in {block}.
pub const UNKNOWN_KEY: Entry = Entry {
    code: "E1101",
    severity: Severity::Error,
    zh: "{block} 里没有名为 `{key}` 的键",
    en: "there is no key `{key}` in {block}",
    help_zh: "所有的键见参考手册;拼错的键不会被忽略",
    help_en: "the reference lists all keys; a key that is not known is never ignored",
    long_zh: "方案文件里出现了格式中没有的键。多半是拼错或缩进放错了位置。",
    long_en: "The file has a key that the format does not know at this place. Usually it is misspelt, or indented wrongly.",
    example: "souce: {connection: huke}",
};

/// `{key}` must be {want_en}.
pub const WRONG_SHAPE: Entry = Entry {
    code: "E1102",
    severity: Severity::Error,
    zh: "`{key}` 应为{want}",
    en: "`{key}` must be {want_en}",
    help_zh: "",
    help_en: "",
    long_zh: "键的值形式不对。",
    long_en: "The value of a key has the wrong form.",
    example: "enabled: yes",
};

/// `{key}` is missing in {block}.
pub const MISSING_KEY: Entry = Entry {
    code: "E1103",
    severity: Severity::Error,
    zh: "{block} 缺少 `{key}`",
    en: "`{key}` is missing in {block}",
    help_zh: "",
    help_en: "",
    long_zh: "必需的键没有写。",
    long_en: "A key that must be there is not.",
    example: "scheme: a",
};

/// {block} must have exactly one of {sets}.
pub const ONE_OF_KEYS: Entry = Entry {
    code: "E1104",
    severity: Severity::Error,
    zh: "{block} 应当恰好写一种:{sets}",
    en: "{block} must have exactly one of {sets}",
    help_zh: "",
    help_en: "",
    long_zh: "这些键互相排斥,需要恰好写一种。",
    long_en: "These keys exclude each other, and one of them must be written.",
    example: "schedule: {every: 6m, cron: \"* * * * *\"}",
};

/// `{key}` is not supported yet in this version.
pub const KEY_LATER: Entry = Entry {
    code: "E1107",
    severity: Severity::Error,
    zh: "本版本还不支持 `{key}`",
    en: "`{key}` is not supported yet in this version",
    help_zh: "",
    help_en: "",
    long_zh: "格式中有这个键,但当前版本还没有实现。引擎不会悄悄忽略它。",
    long_en: "The format has this key, but this version does not do it yet. It is never ignored silently.",
    example: "steps: [batchSave, {step: orgs, api: allocate, options: {TOrgIds: {$lookup: orgs, $by: {code: <<org>>}, $get: id}}}]",
};

/// The step `{name}` is there twice.
pub const STEP_TWICE: Entry = Entry {
    code: "E1139",
    severity: Severity::Error,
    zh: "步骤 `{name}` 写了两次",
    en: "the step `{name}` is there twice",
    help_zh: "用 step 给其中一个另起名字",
    help_en: "give one of them another name with `step`",
    long_zh: "步骤按名称记住各条数据走到哪里,所以名称不能重复。",
    long_en: "How far a record has come is remembered by the names of its steps, so no two may have the same.",
    example: "target: {steps: [batchSave, submit, submit]}",
};

/// A step that is not there, or comes later.
pub const STEP_UNKNOWN: Entry = Entry {
    code: "E1780",
    severity: Severity::Error,
    zh: "这里没有名为 `{name}` 的前面步骤",
    en: "no earlier step is called `{name}`",
    help_zh: "可以读的步骤:{all}",
    help_en: "steps that may be read here: {all}",
    long_zh: "`$step.NAME.id` 与 `$step.NAME.number` 是前面一步的结果。第一步(写单据的那一步)也按它的 step 名称或操作名读取。步骤不能读自己和后面的步骤。",
    long_en: "`$step.NAME.id` and `$step.NAME.number` are what an earlier step came to. The first one, which writes the document, is read by its name too: its `step`, or its operation. A step cannot read itself or one after it.",
    example: "steps: [{step: save, api: batchSave}, {api: batchSave, request: {FCompany: <<$step.sav.number>>}}]",
};

/// A step that writes a document and says nothing about it.
pub const STEP_NEEDS_REQUEST: Entry = Entry {
    code: "E1781",
    severity: Severity::Error,
    zh: "步骤 `{name}` 的操作 {operation} 写一张单据,但没有写 request",
    en: "the operation {operation} of the step `{name}` writes a document, and there is no `request`",
    help_zh: "在这一步写 request;第一步的单据不会再写一次",
    help_en: "write the `request` of this step; the document of the first step is not written twice",
    long_zh: "第一步写这条数据的单据。后面的步骤要么处理那张单据(提交、审核),要么写自己的单据,这时需要自己的 request。",
    long_en: "The first step writes the document of the record. A later one goes on with that document (submit, audit), or writes one of its own, and then needs a `request` of its own.",
    example: "steps: [batchSave, {step: contact, api: batchSave}]",
};

/// A step that goes on with the document takes none of its own.
pub const STEP_TAKES_NONE: Entry = Entry {
    code: "E1782",
    severity: Severity::Error,
    zh: "操作 {operation} 处理已有的单据,不能写 {key}",
    en: "the operation {operation} goes on with the document that is there and takes no `{key}`",
    help_zh: "去掉 {key},或换成写单据的操作",
    help_en: "take `{key}` away, or name an operation that writes documents",
    long_zh: "提交、审核这样的操作只处理第一步写的单据:它们用目标的连接,没有单据内容。",
    long_en: "Operations such as submit or audit go on with the document of the first step: at the target's connection, and without content.",
    example: "steps: [batchSave, {api: submit, request: {FName: a}}]",
};

/// Lines with keys in a document of a step.
pub const STEP_LINES: Entry = Entry {
    code: "E1783",
    severity: Severity::Error,
    zh: "步骤 `{name}` 的单据不能用 `$key` 或 `$line_id` 区分明细行",
    en: "the document of the step `{name}` cannot tell its lines by `$key` or `$line_id`",
    help_zh: "去掉 $key;要逐行更新明细,请为它另写一个方案",
    help_en: "take `$key` away; where lines are to be updated one by one, write a scheme for that document",
    long_zh: "引擎为每条数据记住一张单据的明细行 id:第一步那张。",
    long_en: "The engine remembers the ids of lines of one document for each record: that of the first step.",
    example: "request: {FEntity: {$each: lines, $key: no, $do: {FEntryID: <<$line_id>>}}}",
};

/// A step for each line that cannot be one.
pub const STEP_EACH: Entry = Entry {
    code: "E1795",
    severity: Severity::Error,
    zh: "这一步不能按行执行:{why}",
    en: "this step cannot be made for each line: {why_en}",
    help_zh: "写单据的步骤按行执行时写 `each: 列表字段` 与 `line_key: 行内字段`",
    help_en: "a step that writes documents takes `each: LIST` and `line_key: FIELD OF THE LINE`",
    long_zh: "`each` 使一步按行里某个列表的每一行各写一张单据。第一步写的是数据本身的单据,不能按行;要一行一条数据,用 `source.explode`。每一行由 `line_key` 的字段确定身份:账本按它记住哪些行已经写过,行换位、增加、减少都不会写两次。步骤名里的 `/[` 留给这种行的名称。",
    long_en: "`each` makes a step write one document for each line of a list of the row. The first step writes the document of the record itself and is made once; a record for each line is `source.explode`. A line is known by the fields of `line_key`: by them the ledger remembers which lines were written, so that none is written twice when lines are moved, added or taken away. `/[` in the name of a step is kept for the names of lines.",
    example: "steps: [batchSave, {step: contact, api: batchSave, each: contacts, line_key: id, request: {FName: <<$line.name>>}}]",
};

/// The documents of all lines would have one key.
pub const STEP_LINE_KEY: Entry = Entry {
    code: "E1796",
    severity: Severity::Error,
    zh: "单据主键 `{path}` 不含行内字段,每一行的单据都会是同一张",
    en: "the key `{path}` is made of no field of the line: all lines would be one document",
    help_zh: "在主键字段里读行,例如 `<<$key>>-<<$line.{field}>>`",
    help_en: "let the key read the line, such as `<<$key>>-<<$line.{field}>>`",
    long_zh: "带 `each` 的步骤为列表的每一行写一张单据,所以单据的主键必须因行而异。只含行号 `$index` 也不行:行换位后,同一行会得到别的单据。",
    long_en: "A step with `each` writes a document for each line of its list, so its key must differ from line to line. The number `$index` alone will not do: when lines are moved, a line would get the document of another.",
    example: "{step: contact, api: batchSave, each: contacts, line_key: id, request: {FNumber: <<$key>>, FName: <<$line.name>>}}",
};

/// A step of lines came to several things.
pub const STEP_OF_LINES: Entry = Entry {
    code: "E1797",
    severity: Severity::Error,
    zh: "步骤 `{name}` 每行执行一次,没有单独的结果可读",
    en: "the step `{name}` is made once for each line and has no one result to read",
    help_zh: "读第一步或不带 `each` 的步骤的结果",
    help_en: "read the first step, or one without `each`",
    long_zh: "`$step.NAME.id` 与 `$step.NAME.number` 是一张单据的 id 与编号。带 `each` 的步骤写了多张。每一行的结果在 `engine rows show` 里。",
    long_en: "`$step.NAME.id` and `$step.NAME.number` are the id and number of one document. A step with `each` wrote several. What became of each line is told by `engine rows show`.",
    example: "on_success: {save: {contact: <<$step.contact.id>>}}",
};

/// What tells lines apart is a field that is to be hidden.
pub const LINE_KEY_SENSITIVE: Entry = Entry {
    code: "E1798",
    severity: Severity::Error,
    zh: "`line_key` 的字段 `{path}` 是敏感内容:每一行的名称由它得出,会原样显示",
    en: "`{path}` of `line_key` is sensitive: the names of the lines are made of it and shown as they are",
    help_zh: "改用别的行内字段作身份,如行 id 或编码",
    help_en: "let another field of the line tell lines apart, such as its id or a code",
    long_zh: "按行执行的步骤由 `line_key` 的值区分各行,这些值是账本里每次调用的名称,出现在 `engine rows show`、日志和接口里,没有一处可以掩盖。敏感的字段是目标任何一处报文里标了 `$sensitive` 的,以及来源的对象文件标为 `sensitive` 的。",
    long_en: "The lines of a step are told apart by the values of `line_key`: they are the names of its calls in the ledger, stand in `engine rows show`, in logs and in the API, and can be masked in none of these. Sensitive is a field of which a request of the target makes something with `$sensitive`, wherever it is, and one that the object file of the source calls `sensitive`.",
    example: "request: {FMobile: {$value: <<contacts.0.phone>>, $sensitive: true}}\nsteps: [batchSave, {step: contact, each: contacts, line_key: phone, request: {FName: <<$line.name>>}}]",
};

/// Lines that come later are not made.
pub const EACH_ONCE: Entry = Entry {
    code: "W1799",
    severity: Severity::Warning,
    zh: "步骤 `{name}` 按行执行,而目标只新建:写过的数据再变,新增的行不会写,已有的行不会更新",
    en: "the step `{name}` is made for each line, and the target only creates: a line that is added or changed later is not written",
    help_zh: "让目标也能修改(`actions` 加上 `update`),或让行另成方案(`explode`)",
    help_en: "let the target update, too (`update` in `actions`), or give the lines a scheme of their own (`explode`)",
    long_zh: "行的单据跟着数据的版本走。目标不更新单据时,写过的数据再变会被跳过(E4020),它新增的行、改过的行也一起被跳过,步骤自己的 `update` 用不上。只有来源的行写好后不再增减,才适合这样写。",
    long_en: "The documents of the lines follow the versions of their row. Where the target changes no document, a row that changes once it is written is passed over (E4020), and so are its new and its changed lines; an `update` of the step itself is of no use. This is right only where lines do not change once their row is there.",
    example: "target:\n  actions: [create]\n  steps: [batchSave, {step: contact, each: contacts, line_key: id, request: {FName: <<$line.name>>}}]",
};

/// Rows of another scheme are not found by what was saved.
pub const SAVED_BY: Entry = Entry {
    code: "E1784",
    severity: Severity::Error,
    zh: "`{column}` 由方案 {scheme} 的 on_success.save 存下,只能取值,不能作为查找条件",
    en: "`{column}` is kept by on_success.save of the scheme {scheme}: it can be got, and nothing can be found by it",
    help_zh: "按源字段、$key、$target.id 或 $target.number 查找",
    help_en: "find the row by its fields, $key, $target.id or $target.number",
    long_zh: "写入之后存下的列不在查找索引里。要按目标编号查找,用 `$target.number`。",
    long_en: "Columns that are kept after a write are in no index. To find a row by its number at the target use `$target.number`.",
    example: "$lookup: orders, $by: {erp_number: <<no>>}, $get: tid",
};

/// A column that is saved takes the name of one that is read.
pub const SAVE_TAKEN: Entry = Entry {
    code: "E1785",
    severity: Severity::Error,
    zh: "`{column}` 已是这个方案的一个字段,on_success.save 不能再用这个名称",
    en: "`{column}` is a field of this scheme's rows: on_success.save cannot use the name",
    help_zh: "换一个列名",
    help_en: "choose another name",
    long_zh: "存下的列在查找时与行的字段并列,名称相同就分不清取的是哪一个。",
    long_en: "A look-up finds what was saved beside the fields of the row; with the same name it could not tell which one is meant.",
    example: "on_success: {save: {tid: <<$answer.id>>}}   # rows have a field tid",
};

/// `$answer.body` of an answer about several documents.
pub const ANSWER_OF_SEVERAL: Entry = Entry {
    code: "E1786",
    severity: Severity::Error,
    zh: "一次调用最多写 {batch} 张单据,`$answer.body` 不属于其中一张",
    en: "a call writes up to {batch} documents: `$answer.body` is not about one of them",
    help_zh: "在 target 下写 batch: 1,或者用 $answer.id、$answer.number",
    help_en: "write `batch: 1` under target, or use $answer.id and $answer.number",
    long_zh: "`$answer.body` 是整个应答。只有每次调用写一张单据时,它才说的是这一张。",
    long_en: "`$answer.body` is the whole answer. Only where each call writes one document is it about that one.",
    example: "on_success: {save: {state: <<$answer.body.status>>}}   # with batch 20",
};

/// What is saved is seen by people.
pub const SAVE_SENSITIVE: Entry = Entry {
    code: "E1787",
    severity: Severity::Error,
    zh: "`{column}` 含敏感值,不能由 on_success 存下或交给别的方案",
    en: "`{column}` holds a sensitive value: on_success cannot keep it or give it away",
    help_zh: "去掉 $sensitive 的值",
    help_en: "leave the value with $sensitive out",
    long_zh: "存下的列会显示给人,也会被别的方案取到。",
    long_en: "What is kept is shown to people and can be got by other schemes.",
    example: "on_success: {save: {card: {$value: <<card>>, $sensitive: true}}}",
};

/// A key that asks a system, where another scheme gives the rows.
pub const SCHEME_SOURCE_KEY: Entry = Entry {
    code: "E1788",
    severity: Severity::Error,
    zh: "行来自方案 {scheme},不能写 {key}",
    en: "the rows come from the scheme {scheme}: `{key}` has nothing to say here",
    help_zh: "去掉 {key};explode、derive、keep、key、label、void、version 仍可写",
    help_en: "take `{key}` away; explode, derive, keep, key, label, void and version may stay",
    long_zh: "`source: {scheme: A}` 不调用任何系统:行是 A 用 on_success.emit 给出的,或者(A 不给本方案行时)A 存下的。行存在本方案的收件箱里,下次运行取走。",
    long_en: "`source: {scheme: A}` calls no system: the rows are those that A gives by on_success.emit, or, where A gives this scheme none, those that A stores. They wait in this scheme's inbox, and its next run takes them.",
    example: "source: {scheme: orders, window: none, key: no}",
};

/// A scheme that gives rows to one which does not take them, or takes rows of one that is not there or cannot give any.
pub const EMIT_UNTAKEN: Entry = Entry {
    code: "E1789",
    severity: Severity::Error,
    zh: "方案 `{name}` {what_zh}",
    en: "the scheme `{name}` {what_en}",
    help_zh: "给出的一方写 on_success: {emit: {scheme: 接收方案, row: {…}}},接收的一方写 source: {scheme: 给出方案};不写 emit 时,取的是给出方案存下的行",
    help_en: "who gives says on_success: {emit: {scheme: TAKER, row: {...}}}, and who takes says source: {scheme: GIVER}; without emit, the rows that the other one stores are taken",
    long_zh: "给出的行要有方案接收,否则会一直等下去;source.scheme 要指着文件夹里没有错误的另一个方案,而且不能绕回自己。",
    long_en: "Rows that are given must be taken by somebody, else they would wait for ever; source.scheme names another scheme of the folder whose file has no errors, and must not lead back to itself.",
    example: "on_success: {emit: {scheme: notify, row: {no: <<$key>>}}}   # notify reads something else",
};

/// A scheme fed by another one, without a target, and none of those behind it reads a system.
pub const SCHEME_SOURCE_STORES: Entry = Entry {
    code: "E1790",
    severity: Severity::Error,
    zh: "方案 `{name}` 的行不来自任何系统",
    en: "the rows of the scheme `{name}` come from no system",
    help_zh: "在 `{name}`,或者它的行最初所在的方案里写 source.connection",
    help_en: "write source.connection in `{name}`, or in the scheme where its rows first come from",
    long_zh: "`target: none` 且 source.scheme 的方案不调用系统,它属于行最初来自的那个连接;沿着 source.scheme 一路找下去,没有一个方案写了连接。",
    long_en: "A scheme with `target: none` and source.scheme calls no system; it belongs to the connection that its rows first come from. None of the schemes along source.scheme names one.",
    example: "source: {scheme: orders, key: no}\ntarget: none   # orders itself has no source.connection",
};

/// `{key}` takes the path of a field, not {what_en}.
pub const KEY_NOT_A_FIELD: Entry = Entry {
    code: "E1108",
    severity: Severity::Error,
    zh: "`{key}` 应为字段路径,不能是{what}",
    en: "`{key}` takes the path of a field, not {what_en}",
    help_zh: "直接写字段名,例如 `key: {example}`;多个字段写列表",
    help_en: "write the field itself, such as `key: {example}`; several fields are a list",
    long_zh: "主键是字段的列表,不是拼接的文本,也不是常量:拼接会让不同的数据得到同一个主键,常量会让所有数据变成一条。",
    long_en: "A key is a list of fields, never a text glued together nor a constant: glued texts can collide, and a constant makes all rows one.",
    example: "key: <<buyerCid>>",
};

/// `key` takes a field with one value; `{path}` is a list or an object.
pub const KEY_HOLDS_MANY: Entry = Entry {
    code: "E1109",
    severity: Severity::Error,
    zh: "`key` 应为单个值的字段,`{path}` 是列表或对象",
    en: "`key` takes a field with one value; `{path}` is a list or an object",
    help_zh: "换一个能标识一条数据的字段;以明细行为数据时写 `explode: {path}`",
    help_en: "name a field that identifies one row; where each line is a record, write `explode: {path}`",
    long_zh: "主键由文本组成。列表和对象没有文本形式,这样的主键会让每条数据都失败。",
    long_en: "A key is made of texts. A list or an object has none, so every row would fail.",
    example: "key: orders",
};

/// Connections.yaml has no connection `{name}`.
pub const UNKNOWN_CONNECTION: Entry = Entry {
    code: "E1110",
    severity: Severity::Error,
    zh: "connections.yaml 里没有名为 `{name}` 的连接",
    en: "connections.yaml has no connection `{name}`",
    help_zh: "已有的连接:{all}",
    help_en: "there are {all}",
    long_zh: "方案引用的连接不存在。",
    long_en: "The scheme names a connection that does not exist.",
    example: "connection: k4",
};

/// The connector {connector} has no operation `{name}`.
pub const UNKNOWN_API: Entry = Entry {
    code: "E1111",
    severity: Severity::Error,
    zh: "连接器 {connector} 没有操作 `{name}`",
    en: "the connector {connector} has no operation `{name}`",
    help_zh: "操作按名称、别名或路径精确匹配,区分大小写;已有:{all}",
    help_en: "operations are found by exactly their name, an alias or their path; there are {all}",
    long_zh: "操作不靠猜测:名称、别名、路径三者之一必须完全相同。",
    long_en: "Operations are never guessed: name, alias or path must match exactly.",
    example: "api: batchsave",
};

/// The operation `{name}` is of kind {kind} and cannot be used as {place_en}.
pub const WRONG_OPERATION: Entry = Entry {
    code: "E1112",
    severity: Severity::Error,
    zh: "操作 `{name}` 是 {kind},不能用在{place}",
    en: "the operation `{name}` is of kind {kind} and cannot be used as {place_en}",
    help_zh: "",
    help_en: "",
    long_zh: "源需要能读取的操作,目标需要能写入的操作。",
    long_en: "A source needs an operation that reads, a target one that writes.",
    example: "source: {connection: k3, api: batchSave}",
};

/// The operation {operation} declares no option `{name}`.
pub const UNKNOWN_OPTION: Entry = Entry {
    code: "E1113",
    severity: Severity::Error,
    zh: "操作 {operation} 没有声明选项 `{name}`",
    en: "the operation {operation} declares no option `{name}`",
    help_zh: "已声明的选项:{all}",
    help_en: "it declares {all}",
    long_zh: "`options` 只能写操作声明过的选项。",
    long_en: "Only options that the operation declares may be written under `options`.",
    example: "options: {FormID: BD_Customer}",
};

/// The operation {operation} needs the option `{name}`.
pub const MISSING_OPTION: Entry = Entry {
    code: "E1114",
    severity: Severity::Error,
    zh: "操作 {operation} 需要选项 `{name}`",
    en: "the operation {operation} needs the option `{name}`",
    help_zh: "在 `options` 里写上它",
    help_en: "write it under `options`",
    long_zh: "必需的选项没有值。",
    long_en: "An option that must have a value has none.",
    example: "options: {}",
};

/// The option `{name}` must be {want_en}.
pub const BAD_OPTION: Entry = Entry {
    code: "E1115",
    severity: Severity::Error,
    zh: "选项 `{name}` 应为{want}",
    en: "the option `{name}` must be {want_en}",
    help_zh: "",
    help_en: "",
    long_zh: "选项的值不符合操作声明的类型。",
    long_en: "The value of an option does not have the type that the operation declares.",
    example: "options: {IsAutoSubmitAndAudit: maybe}",
};

/// `{name}` is an option and belongs under `options`.
pub const OPTION_IN_REQUEST: Entry = Entry {
    code: "E1116",
    severity: Severity::Error,
    zh: "`{name}` 是选项,应写在 `options` 里",
    en: "`{name}` is an option and belongs under `options`",
    help_zh: "",
    help_en: "",
    long_zh: "操作声明了同名的选项。写在 `request` 里会被当成单据的字段发送。",
    long_en: "The operation declares an option of this name. Under `request` it would be sent as a field of the document.",
    example: "request: {FormId: BD_Customer}",
};

/// A member of a document that is one line, and has no column in it.
pub const NO_COLUMN: Entry = Entry {
    code: "E1164",
    severity: Severity::Error,
    zh: "`{name}` 写不进文件的一行:{why_zh}",
    en: "`{name}` cannot stand in a line of the file: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "CSV 的每条记录是一行,列由选项 columns 声明。没有列的成员会悄悄丢失,所以不接受。",
    long_en: "Each record of a CSV file is one line whose columns the option columns declares. A member without a column would be lost in silence, so it is refused.",
    example: "options: {file: orders, columns: [order_no]}\nrequest: {order_no: <<no>>, items: [{sku: <<sku>>}]}",
};

/// The operation `{name}` cannot {action}.
pub const CANNOT_ACT: Entry = Entry {
    code: "E1117",
    severity: Severity::Error,
    zh: "操作 `{name}` 不能 {action}",
    en: "the operation `{name}` cannot {action}",
    help_zh: "它能做:{all}",
    help_en: "it can {all}",
    long_zh: "操作声明了它能做哪些动作。",
    long_en: "An operation declares which actions it performs.",
    example: "api: {void: create}",
};

/// The operation {operation} needs `fields`.
pub const FIELDS_NEEDED: Entry = Entry {
    code: "E1118",
    severity: Severity::Error,
    zh: "操作 {operation} 需要 `fields`",
    en: "the operation {operation} needs `fields`",
    help_zh: "列出要读取的字段",
    help_en: "list the fields to read",
    long_zh: "该操作只返回点名要的字段。",
    long_en: "This operation gives only fields that are asked for by name.",
    example: "api: executeBillQuery",
};

/// The operation {operation} does not take `{key}`.
pub const NOT_ACCEPTED: Entry = Entry {
    code: "E1119",
    severity: Severity::Error,
    zh: "操作 {operation} 不接受 `{key}`",
    en: "the operation {operation} does not take `{key}`",
    help_zh: "",
    help_en: "",
    long_zh: "该操作没有声明怎样发送它。",
    long_en: "The operation does not declare how this would be sent.",
    example: "fields: [a, b]",
};

/// A query without its filter.
pub const FILTER_NEEDED: Entry = Entry {
    code: "E1163",
    severity: Severity::Error,
    zh: "操作 {operation} 需要 `filter`",
    en: "the operation {operation} needs `filter`",
    help_zh: "写明按什么查询,例如 filter: {field: code, eq: \"1\"}",
    help_en: "say what to ask for, as in filter: {field: code, eq: \"1\"}",
    long_zh: "该操作只按条件查询;没有条件时,对方系统会返回全部,或者别的东西。",
    long_en: "This operation asks by a condition only; without one the other system would give all there is, or something else.",
    example: "source: {connection: mabang, api: order_by_number}    # and no filter",
};

/// A comparison that the source's language does not have.
pub const CANNOT_COMPARE: Entry = Entry {
    code: "E1159",
    severity: Severity::Error,
    zh: "操作 {operation} 不能按 `{op}` 过滤",
    en: "the operation {operation} cannot filter by `{op}`",
    help_zh: "它能用的是:{known};其余的用 `keep` 在读取之后过滤",
    help_en: "it knows: {known}; `keep` does the rest after reading",
    long_zh: "这个来源把过滤条件作为一个列表接收,列表里的条件同时成立;它没有 `any` 和 `not`,也只有连接器写明的那些比较;有的操作只能按个别字段查询。",
    long_en: "This source takes a filter as a list of conditions that hold together; it has no `any` and no `not`, and only the comparisons that its connector names; some operations can be asked by certain fields only.",
    example: "filter: {any: [{field: life_status, eq: normal}, {field: life_status, eq: invalid}]}",
};

/// An operation is laid over several.
pub const OPERATION_OF_SEVERAL: Entry = Entry {
    code: "E1162",
    severity: Severity::Error,
    zh: "`operation` 只能叠放在一个操作上",
    en: "`operation` can be laid over one operation only",
    help_zh: "在 `api` 里写一个操作;几个操作不同时,写自己的连接器文件",
    help_en: "name one operation in `api`; write a connector file of your own where several differ",
    long_zh: "`api` 按动作写了几个操作,而 `operation` 只有一份内容,不知道叠放在哪一个上。",
    long_en: "`api` names an operation for each action, and `operation` does not say which of them it is about.",
    example: "api: {create: batch_create, update: batch_update}\noperation: {path: v2/records}",
};

/// No window is used in the request.
pub const WINDOW_NEEDED: Entry = Entry {
    code: "E1120",
    severity: Severity::Error,
    zh: "请求里没有用到时间窗口",
    en: "no window is used in the request",
    help_zh: "每次全部读取请写 `window: none`,否则在 `request` 里使用 `<<$window.start|…>>` 和 `<<$window.end|…>>`,或写 `window: {start: {at: 字段, as: ms}, end: {at: 字段, as: ms}}`",
    help_en: "write `window: none` to read everything each time, or use `<<$window.start|…>>` and `<<$window.end|…>>` in `request`, or say `window: {start: {at: FIELD, as: ms}, end: {at: FIELD, as: ms}}`",
    long_zh: "方案和操作都没有提到 `$window`,所以每次都会读取全部数据。如果确实如此,请写明 `window: none`。",
    long_en: "Neither the scheme nor the operation mentions `$window`, so every run would read everything. Say `window: none` if that is meant.",
    example: "api: listAll",
};

/// A bound of the window cannot be a constant.
pub const CONSTANT_BOUND: Entry = Entry {
    code: "E1121",
    severity: Severity::Error,
    zh: "时间窗口的边界不能是常量",
    en: "a bound of the window cannot be a constant",
    help_zh: "删除这一行,由引擎填写;或写表达式",
    help_en: "leave it out and the engine fills it; or write an expression",
    long_zh: "常量边界意味着永远读取同一段数据。",
    long_en: "A constant bound would read the same slice for ever.",
    example: "startTime: \"2026-01-01\"",
};

/// `window.{key}` cannot be put there: {why_en}.
pub const WINDOW_BOUND: Entry = Entry {
    code: "E1127",
    severity: Severity::Error,
    zh: "`window.{key}` 不能这样写:{why_zh}",
    en: "`window.{key}` cannot be put there: {why_en}",
    help_zh: "操作自己按时间读取时删除这一行;否则写请求里一个自己的字段,操作里用 `<<$request>>` 发出它",
    help_en: "take it away where the operation asks by time itself; else name a field of the request that is its own, and let the operation send `<<$request>>`",
    long_zh: "`window.start`、`window.end` 说明窗口的起止填在请求的哪个字段,用于操作自己没有用到 `$window` 的接口。",
    long_en: "`window.start` and `window.end` say which fields of the request hold the bounds, where the operation does not use `$window` itself.",
    example: "window: {start: {at: since, as: ms}, end: {at: since, as: ms}}",
};

/// `window.zone` changes nothing here.
pub const WINDOW_ZONE_UNUSED: Entry = Entry {
    code: "E1128",
    severity: Severity::Error,
    zh: "`window.zone` 在这里不起作用:请求和 filter 里没有随时区变化的时间",
    en: "`window.zone` changes nothing here: no time in the request or the filter is printed in a zone",
    help_zh: "删除它;操作自己填写的时间按连接器的时区",
    help_en: "take it away; times that the operation fills in by itself are in the connector's zone",
    long_zh: "`window.zone` 只决定请求和 filter 里时间文本的时区。连接器的操作在别处(URL、请求体外层)自己填写的时间,按连接器声明的时区,方案改不了。",
    long_en: "`window.zone` is the zone of times in the request and the filter. What an operation of a connector fills in elsewhere is in the zone of that connector, and no scheme changes it.",
    example: "window: {zone: UTC}    # and nothing that mentions $window",
};

/// `{key}: {given}` is more than {allowed} of {place}.
pub const LIMIT_ABOVE: Entry = Entry {
    code: "E1131",
    severity: Severity::Error,
    zh: "`{key}: {given}` 超出了连接允许的 {allowed}({place})",
    en: "`{key}: {given}` is beyond what the connection allows, {allowed} ({place})",
    help_zh: "方案的 limits 只能更低(min_interval 只能更长);买了更多配额时改 connections.yaml 的 limits",
    help_en: "the limits of a scheme are only lower (min_interval only longer); where more calls were bought, say so in the limits of connections.yaml",
    long_zh: "连接和连接器的限制对所有方案一起有效。方案自己的限制在它们之内再收紧;比它们宽的限制永远不会起作用。",
    long_en: "The limits of a connection and its connector hold for all schemes together. A scheme can be bound more tightly within them; a wider limit would never be felt.",
    example: "limits: {rate: 600/min}    # and a connector with 60/min",
};

/// A limit that binds nothing here.
pub const LIMIT_UNUSED: Entry = Entry {
    code: "E1132",
    severity: Severity::Error,
    zh: "`{key}` 在这里不起作用:{why_zh}",
    en: "`{key}` binds nothing here: {why_en}",
    help_zh: "删除它;`min_interval` 只限制 every 和 cron,其余的限制对源的调用",
    help_en: "take it away; `min_interval` is about every and cron texts, the others are about calls",
    long_zh: "`min_interval` 限制计划运行的间隔,on_push 和 after 没有自己的间隔。`rate`、`concurrency`、`per_day` 限制调用:推送来的行和另一个方案给的行不用调用,除非推送有 `detail`。",
    long_en: "`min_interval` is about rules with an interval. Those of on_push and after come when something happens. `rate`, `concurrency` and `per_day` are about calls: rows that are pushed or given by another scheme need none, unless the push has a `detail`.",
    example: "source: {limits: {min_interval: 1h}}\nschedule: on_push",
};

/// Every {given} is more often than the scheme's own `{side}.limits.min_interval` ({least}).
pub const OFTENER_THAN_SAID: Entry = Entry {
    code: "E1136",
    severity: Severity::Error,
    zh: "间隔 {given} 小于本方案自己的 `{side}.limits.min_interval`({least})",
    en: "every {given} is more often than the scheme's own `{side}.limits.min_interval` ({least})",
    help_zh: "改大间隔,或改小 min_interval",
    help_en: "make the interval longer, or min_interval shorter",
    long_zh: "方案自己说了最短间隔,它的 schedule 却更密:两处有一处不是本意。",
    long_en: "The scheme says how far apart its runs are at least, and its schedule is more often: one of the two is not meant.",
    example: "source: {limits: {min_interval: 1h}}\nschedule: {every: 6m}",
};

/// `retry.{key}: {given}`: {why_en}.
pub const RETRY_PAUSE: Entry = Entry {
    code: "E1137",
    severity: Severity::Error,
    zh: "`retry.{key}: {given}` 不能用:{why_zh}",
    en: "`retry.{key}: {given}`: {why_en}",
    help_zh: "例如 retry: {max: 5, first: 30s, longest: 10m}",
    help_en: "such as retry: {max: 5, first: 30s, longest: 10m}",
    long_zh: "再试的间隔从 first 开始,每次加倍,到 longest 为止。短于一秒的不是间隔;超过一小时的,应由下次运行来做。",
    long_en: "The pauses begin with `first` and double up to `longest`. Below a second there is no pause, and what waits for more than an hour is better left to the next run.",
    example: "retry: {first: 10m, longest: 1m}",
};

/// The operation {operation} reads by a time field and needs `window.field`.
pub const WINDOW_FIELD_NEEDED: Entry = Entry {
    code: "E1122",
    severity: Severity::Error,
    zh: "操作 {operation} 按时间字段读取,需要 `window.field`",
    en: "the operation {operation} reads by a time field and needs `window.field`",
    help_zh: "例如 `window: {field: FModifyDate}`;或 `window: none`",
    help_en: "for example `window: {field: FModifyDate}`; or `window: none`",
    long_zh: "源系统按字段查询,引擎需要知道哪个字段是修改时间。",
    long_en: "The source is asked by field, and the engine has to know which field is the time of change.",
    example: "api: executeBillQuery",
};

/// `{key}` is at most {max}.
pub const ABOVE_MAXIMUM: Entry = Entry {
    code: "E1123",
    severity: Severity::Error,
    zh: "`{key}` 最大为 {max}",
    en: "`{key}` is at most {max}",
    help_zh: "",
    help_en: "",
    long_zh: "连接器声明了上限。",
    long_en: "The connector declares a maximum.",
    example: "page_size: 100000",
};

/// `{path}` is filled by the engine; only {want_en} may be written here.
pub const OWNED_PLACE: Entry = Entry {
    code: "E1124",
    severity: Severity::Error,
    zh: "`{path}` 由引擎填写,这里只能写{want}",
    en: "`{path}` is filled by the engine; only {want_en} may be written here",
    help_zh: "删除这一行即可",
    help_en: "it can simply be left out",
    long_zh: "分页的位置由引擎填写。",
    long_en: "Places of paging belong to the engine.",
    example: "page: <<buyerCid>>",
};

/// `window: none` is written, but the request uses `{name}`.
pub const WINDOW_NONE_USED: Entry = Entry {
    code: "E1125",
    severity: Severity::Error,
    zh: "写了 `window: none`,但{user_zh}使用 `{name}`",
    en: "`window: none` is written, but {user_en} uses `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "没有时间窗口时,`$window` 没有值。",
    long_en: "Without a window, `$window` has no value.",
    example: "window: none",
};

/// The operation's request has no member `{name}`.
pub const MISSPELT_MEMBER: Entry = Entry {
    code: "E1126",
    severity: Severity::Error,
    zh: "操作的请求里没有 `{name}`",
    en: "the operation's request has no member `{name}`",
    help_zh: "如果接口确实有这个参数,把相近的那一个也写出来",
    help_en: "if the interface does have this parameter, write the near one beside it",
    long_zh: "请求的成员和操作自己请求里的成员只差一两个字符,多半是写错了:写错的参数会被对方忽略,于是读到的是别的数据。与已有成员都不相近的参数会原样发送。",
    long_en: "A member of the request differs by a character or two from one of the operation's own request. Most likely it is misspelt: a vendor ignores a parameter it does not know and gives other rows. A parameter that is near to none is sent as it is.",
    example: "request: {timeRange: {timeType: \"1\"}}",
};

/// Every {given} is more often than the connector {connector} allows ({least}).
pub const TOO_OFTEN: Entry = Entry {
    code: "E1130",
    severity: Severity::Error,
    zh: "间隔 {given} 小于连接器 {connector} 允许的最短间隔 {least}",
    en: "every {given} is more often than the connector {connector} allows ({least})",
    help_zh: "原因:{reason_zh}",
    help_en: "because: {reason_en}",
    long_zh: "连接器声明了计划运行的最短间隔。手工运行不受限制。",
    long_en: "The connector declares the shortest interval of a schedule. Running by hand is not bound by it.",
    example: "schedule: {every: 1m}",
};

/// `after` names a scheme that is not there.
pub const AFTER_UNKNOWN: Entry = Entry {
    code: "E1180",
    severity: Severity::Error,
    zh: "没有方案 `{name}`,无法在它之后运行",
    en: "there is no scheme `{name}` to run after",
    help_zh: "写同一文件夹中方案的 id、uuid 或本文件的别名",
    help_en: "write the id or uuid of a scheme of the same folder, or an alias of this file",
    long_zh: "`schedule.after` 写的是另一个方案:它成功运行之后,本方案随即运行。",
    long_en: "`schedule.after` names another scheme: when a run of that one has ended well, this one runs.",
    example: "schedule: {after: huke-custmers}",
};

/// Schemes run after each other in a circle.
pub const AFTER_CIRCLE: Entry = Entry {
    code: "E1181",
    severity: Severity::Error,
    zh: "方案互相等待:{chain}",
    en: "these schemes run after each other in a circle: {chain}",
    help_zh: "让其中一个方案按自己的时间运行",
    help_en: "let one of them run by a rule of its own",
    long_zh: "`schedule.after` 首尾相接时,要么谁也不会开始,要么一旦开始就不再停止。",
    long_en: "Where `schedule.after` leads back to its beginning, either nothing ever starts, or once started it never stops.",
    example: "schedule: {after: a}   # in the file of scheme a",
};

/// Something in a cron text is wrong.
pub const CRON_FIELD: Entry = Entry {
    code: "E1182",
    severity: Severity::Error,
    zh: "cron 文本有误:{what_zh}",
    en: "wrong cron text: {what_en}",
    help_zh: "五段依次为 分 时 日 月 星期,例如 `*/30 8-20 * * 1-5`",
    help_en: "the five fields are minute, hour, day, month, weekday, as in `*/30 8-20 * * 1-5`",
    long_zh: "cron 文本按五段读取(分 时 日 月 星期,星期日为 0 或 7)。六段、`?` 或 `0/6` 是 Quartz 的写法,按 Quartz 读取:第一段是秒,\
              星期从 1(星期日)数起。比整段还长的步长(例如分钟里的 `0/90`)只会剩下第一个值,因此被拒绝。",
    long_en: "A cron text has five fields (minute, hour, day, month, weekday; Sunday is 0 or 7). Six fields, `?` and `0/6` are \
              Quartz and are read as such: the first field is seconds, weekdays count from 1 = Sunday. A step longer than \
              its field, such as `0/90` in minutes, would leave only its first value and is refused.",
    example: "schedule: {cron: \"*/90 * * * *\"}",
};

/// A cron text never comes.
pub const NEVER_DUE: Entry = Entry {
    code: "E1183",
    severity: Severity::Error,
    zh: "`{text}` 永远不会到来",
    en: "`{text}` never comes",
    help_zh: "没有这样的日期,或者它总在 hours 之外、quiet 之内",
    help_en: "there is no such date, or it is always outside of `hours` or within `quiet`",
    long_zh: "这样的方案永远不会运行,也不会有人注意到。",
    long_en: "The scheme would never run, and nobody would notice.",
    example: "schedule: {cron: \"0 0 30 2 *\"}",
};

/// Missed instants are left out, and the scheme has a window.
pub const SKIP_WITH_WINDOW: Entry = Entry {
    code: "E1184",
    severity: Severity::Error,
    zh: "`missed: skip` 不适用于有窗口的方案",
    en: "`missed: skip` is not for a scheme with a window",
    help_zh: "删去 `missed`;恢复后运行一次,窗口从上次结束处接着读,不漏也不重复",
    help_en: "leave `missed` out: one run makes up, and reads on from where the last one ended",
    long_zh: "有窗口的方案每次从上次关闭的时刻读起,少运行几次并不会漏读,也不能跳过中间的时间。`missed` 只对每次读取全部数据的方案有意义。",
    long_en: "A scheme with a window reads on from where it last closed: fewer runs leave nothing out, and the time between \
              cannot be skipped. `missed` is for schemes that read everything each time.",
    example: "schedule: {every: 1h, missed: skip}",
};

/// No minute of the day is left.
pub const NEVER_OPEN: Entry = Entry {
    code: "E1185",
    severity: Severity::Error,
    zh: "`hours` 与 `quiet` 没有留下任何可以运行的时间",
    en: "`hours` and `quiet` leave no time to run in",
    help_zh: "缩短 `quiet`,或放宽 `hours`",
    help_en: "shorten `quiet`, or widen `hours`",
    long_zh: "一天中没有一分钟既在 `hours` 之内又在 `quiet` 之外,方案永远不会运行。",
    long_en: "No minute of the day is within `hours` and outside of `quiet`: the scheme would never run.",
    example: "schedule: {every: 1h, hours: 08:00-12:00, quiet: 07:00-13:00}",
};

/// A cron text was read as Quartz.
pub const READ_AS_QUARTZ: Entry = Entry {
    code: "W1182",
    severity: Severity::Warning,
    zh: "按 Quartz 的写法读取,等于 `{reading}`",
    en: "read as Quartz writes it, the same as `{reading}`",
    help_zh: "Quartz 的星期从 1(星期日)数起;写成五段就不再有此提示",
    help_en: "weekdays of Quartz count from 1 = Sunday; written with five fields, this is not said",
    long_zh: "六段、`?` 与 `0/6` 是 Quartz 的写法。提示给出的是换算后的五段(带秒时六段)写法,其中星期日为 0。",
    long_en: "Six fields, `?` and `0/6` are what Quartz writes. What it was turned into has five fields, or six where it has \
              seconds, and counts weekdays from 0 = Sunday.",
    example: "schedule: {cron: \"0 0/30 8-20 ? * 2-6\"}",
};

/// There is no zone `{zone}`.
pub const UNKNOWN_ZONE: Entry = Entry {
    code: "E1133",
    severity: Severity::Error,
    zh: "没有名为 `{zone}` 的时区",
    en: "there is no zone `{zone}`",
    help_zh: "使用 IANA 名称,例如 Asia/Shanghai",
    help_en: "use an IANA name such as Asia/Shanghai",
    long_zh: "时区按 IANA 数据库的名称填写。",
    long_en: "Zones are named as in the IANA database.",
    example: "zone: Asia/Shanghia",
};

/// The operation {operation} has no default key: write `target.key`.
pub const NO_TARGET_KEY: Entry = Entry {
    code: "E1140",
    severity: Severity::Error,
    zh: "操作 {operation} 没有默认主键,需要写 `target.key`",
    en: "the operation {operation} has no default key: write `target.key`",
    help_zh: "写出单据中确定身份的字段",
    help_en: "name the fields of the document that identify it",
    long_zh: "应答丢失时,引擎按主键询问目标是否已经写入。",
    long_en: "When an answer is lost, the engine asks the target by this key whether it was executed.",
    example: "target: {connection: crm, api: create}",
};

/// `request` has no key field `{path}`.
pub const TARGET_KEY_ABSENT: Entry = Entry {
    code: "E1141",
    severity: Severity::Error,
    zh: "`request` 里没有主键字段 `{path}`",
    en: "`request` has no key field `{path}`",
    help_zh: "主键在发送前冻结,必须由方案给出{also_zh}",
    help_en: "the key is frozen before the first send, so the scheme has to give it{also_en}",
    long_zh: "目标主键指向单据里的一个字段,但 `request` 没有写它。交给目标系统自动编号的单据在应答丢失后无法找回。",
    long_en: "A key of the target names a field of the document that `request` does not have. A document numbered by the target itself cannot be found again when its answer is lost.",
    example: "key: FNumber",
};

/// The key is the same for every record: `{path}` is a constant.
pub const TARGET_KEY_CONSTANT: Entry = Entry {
    code: "E1142",
    severity: Severity::Error,
    zh: "所有数据的主键都相同:`{path}` 是常量",
    en: "the key is the same for every record: `{path}` is a constant",
    help_zh: "主键中至少一个字段要取自数据,例如 `<<tid>>`",
    help_en: "at least one field of the key must come from the row, such as `<<tid>>`",
    long_zh: "主键确定目标单据。主键的所有字段都是常量时,所有数据都会写到同一份单据上。组织这样的部分可以是常量,只要还有别的字段取自数据。",
    long_en: "The key decides which document a record is. Where all its fields are constants, every record would be written to one and the same document. A part such as the organisation may be constant as long as another field comes from the row.",
    example: "request: {FNumber: \"100\"}",
};

/// The operation {operation} cannot be asked by key: `{value}` is impossible.
pub const CANNOT_FIND: Entry = Entry {
    code: "E1143",
    severity: Severity::Error,
    zh: "操作 {operation} 不能按主键查询,`{value}` 无法实现",
    en: "the operation {operation} cannot be asked by key: `{value}` is impossible",
    help_zh: "",
    help_en: "",
    long_zh: "连接器没有声明怎样按主键询问目标。",
    long_en: "The connector does not declare how the target is asked by key.",
    example: "find: before_create",
};

/// A create whose lost answer nothing can settle, and nobody said what becomes of it.
pub const UNSAFE_CREATE: Entry = Entry {
    code: "E1154",
    severity: Severity::Error,
    zh: "操作 {operation} 的新增丢失应答后无从查证,方案没有说明怎么办",
    en: "when the answer to a create by {operation} is lost nothing can tell whether it was executed, and the scheme does not say what to do",
    help_zh: "在 {where} 下写 on_unknown: hold(交给人,不会写两次)或 on_unknown: resend(再发,可能写两次){more}",
    help_en: "write under {where_en} on_unknown: hold (a person decides, never twice) or on_unknown: resend (sent again, perhaps twice){more_en}",
    long_zh: "目标既不能按键询问,也不会拒绝第二张相同的单据。应答丢失时,引擎不会替您选择:要么停下等人查看(至多一次),要么再发一次(至少一次)。能够时,请在连接器中声明 proof,并在目标系统中打开编码唯一性检查。写自己单据的步骤自己说明:订单的选择不用于后面的消息,除非两者的查证方式相同。",
    long_en: "The target can neither be asked by key nor refuses a second document. When an answer is lost, the engine does not choose for you: either a person looks (at most once), or it is sent again (at least once). Where it can be done, declare a proof in the connector and switch on unique numbers at the target. A step with a document of its own says so itself: what is chosen for the order is not chosen for the message behind it, unless both prove the same.",
    example: "api: createOrder   # an operation without proof",
};

/// A field that cannot tell our own document from another one.
pub const FINGERPRINT_UNFIT: Entry = Entry {
    code: "E1155",
    severity: Severity::Error,
    zh: "fingerprint 不能用 `{path}`:{why_zh}",
    en: "`{path}` cannot be part of the fingerprint: {why_en}",
    help_zh: "写 `request` 里有的、目标原样保存的文本字段,例如名称",
    help_en: "name a field of `request` that the target keeps as it is sent, a name for example",
    long_zh: "fingerprint 列出的字段在应答丢失后与目标的单据比较,因此方案必须写入它们,并且能够保存它们。",
    long_en: "The fields of a fingerprint are compared with the document at the target when an answer was lost, so the scheme has to write them, and they have to be kept.",
    example: "fingerprint: [FName]",
};

/// The alias stands for `{name}`, and there is no such scheme.
pub const ALIAS_UNKNOWN: Entry = Entry {
    code: "E1151",
    severity: Severity::Error,
    zh: "别名指向的方案 `{name}` 不存在",
    en: "the alias stands for `{name}`, and there is no such scheme",
    help_zh: "",
    help_en: "",
    long_zh: "`aliases` 的值是同一文件夹里方案的 id。",
    long_en: "The values of `aliases` are ids of schemes in the same folder.",
    example: "aliases: {old: huke-custmers}",
};

/// No look-up uses the alias `{name}`.
pub const ALIAS_UNUSED: Entry = Entry {
    code: "W1151",
    severity: Severity::Warning,
    zh: "没有查找使用别名 `{name}`",
    en: "no look-up uses the alias `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "这个别名没有被使用,可能已经过时。",
    long_en: "The alias is not used and may be out of date.",
    example: "aliases: {old: huke-customers}",
};

/// The key at the target is another one each time it is made.
pub const TARGET_KEY_CLOCK: Entry = Entry {
    code: "E1157",
    severity: Severity::Error,
    zh: "主键 `{path}` 由当前时间得出",
    en: "the key `{path}` is made of the time of the run",
    help_zh: "用来源的字段,如单号或编码;需要时间时,用数据自己的时间字段",
    help_en: "make it of the source's fields, such as its number or code; where a time is wanted, take a time of the row",
    long_zh: "引擎用主键向目标询问一条数据是否已在那里。由当前时间得出的主键每次都不同:应答丢失后无法再问到它,同一条数据会写成两张单据。",
    long_en: "By the key the target is asked whether a record is there. A key made of the time of the run is another one each time: after a lost answer nobody can ask for it, and the record becomes two documents.",
    example: "request: {FNumber: \"_function CONCAT('C', UNIX_TIMESTAMP())\"}",
};

/// What people call a record is a field that is to be hidden.
pub const LABEL_SENSITIVE: Entry = Entry {
    code: "W1158",
    severity: Severity::Warning,
    zh: "`label` 显示了敏感内容 `{path}`",
    en: "`label` shows `{path}`, which is sensitive",
    help_zh: "选另一个字段作 `label`,如单号;或不再把它当作敏感内容",
    help_en: "take another field for `label`, such as a number, or do not call this one sensitive",
    long_zh: "`label` 是人们对一条数据的称呼,会原样出现在列表、运行结果和日志里。由敏感字段得出的内容在别处都被掩盖,在这里却看得见。",
    long_en: "The label is what people call a record; it stands as it is in lists, results of runs and logs. What is made of a sensitive field is masked everywhere else and would be seen there.",
    example: "source: {label: idCard}\ntarget: {request: {FIdCard: {$value: <<idCard>>, $sensitive: true}}}",
};

/// The scheme does not look up `{name}`.
pub const TEST_LOOKUP: Entry = Entry {
    code: "E1152",
    severity: Severity::Error,
    zh: "方案没有查找 `{name}`",
    en: "the scheme does not look up `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "测试给出了方案没有用到的查找数据,多半是名称写错了。",
    long_en: "A test gives rows of a scheme that is not looked up. Usually the name is misspelt.",
    example: "lookups: {huke-customer: []}",
};

/// `{name}` is nothing that can become of a record.
pub const UNKNOWN_FATE: Entry = Entry {
    code: "E1260",
    severity: Severity::Error,
    zh: "数据不会有 `{name}` 这样的结果",
    en: "`{name}` is nothing that can become of a record",
    help_zh: "可以写报文,或其中之一:{all}",
    help_en: "write the document, or one of {all}",
    long_zh: "测试的 `expect` 是报文。没有报文时写结果:`{$dropped: keep}` 或 `{$dropped: explode}` 表示被丢弃,`{$failed: E2003}` 表示以这个代码失败,`{$void: true}` 表示作废,`{$waits: 方案}` 表示等待被查找的方案。",
    long_en: "`expect` of a test is the document. Where there is none it says what becomes of the record: `{$dropped: keep}` or `{$dropped: explode}`, `{$failed: E2003}` with the code, `{$void: true}` for one that is cancelled, `{$waits: SCHEME}` for one that waits for a scheme that is looked up.",
    example: "expect: {$drop: keep}",
};

/// The sample of `{operation}` has no row {number}.
pub const NO_SAMPLE_ROW: Entry = Entry {
    code: "E1158",
    severity: Severity::Error,
    zh: "`{operation}` 的样例没有第 {number} 行(从 0 数起;共 {count} 行)",
    en: "the sample of `{operation}` has no row {number} (counted from 0; there are {count})",
    help_zh: "用 `engine sample` 取一页样例,或写 `row:`",
    help_en: "take a page with `engine sample`, or write `row:`",
    long_zh: "测试的 `sample` 指来源样例里的一行:先看 connections.yaml 旁边的 samples/连接/操作.json,没有时用连接器自带的样例。",
    long_en: "The `sample` of a test is a row of the source's sample: samples/CONNECTION/OPERATION.json beside connections.yaml, else the sample that comes with the connector.",
    example: "tests: [{name: a, sample: 99, expect: {}}]",
};

/// `{key}` says nothing beside `recording`.
pub const BESIDE_RECORDING: Entry = Entry {
    code: "E1171",
    severity: Severity::Error,
    zh: "有了 `recording`,`{key}` 没有意义",
    en: "`{key}` says nothing beside `recording`",
    help_zh: "删去 `{key}`:查找到的数据已在录制文件里",
    help_en: "leave `{key}` out: what look-ups found is in the recording",
    long_zh: "`recording` 的测试重放一次完整的运行,行、查找结果、调用与最终状态都在录制文件里。",
    long_en: "A test with `recording` replays a whole run: rows, what look-ups found, calls and final states are all in the recording.",
    example: "tests: [{name: a, recording: samples/a.json, action: create}]",
};

/// The recording `{path}` cannot be used.
pub const RECORDING_UNREADABLE: Entry = Entry {
    code: "E1172",
    severity: Severity::Error,
    zh: "录制文件 `{path}` 不能用:{why_zh}",
    en: "the recording `{path}` cannot be used: {why_en}",
    help_zh: "用 `engine run 方案 --sandbox --record 文件` 重新录制;路径从方案文件所在的文件夹算起",
    help_en: "record it anew with `engine run SCHEME --sandbox --record FILE`; the path begins at the scheme's folder",
    long_zh: "测试的 `recording` 指 `engine run --record` 写出的文件,要在方案文件所在的文件夹里或其下级。手工改坏、截断或另一个方案的录制不会被当成通过。",
    long_en: "The `recording` of a test names a file that `engine run --record` wrote, in the scheme's folder or below it. One that was damaged by hand, cut, or made by another scheme never counts as passed.",
    example: "tests: [{name: a, recording: samples/none.json}]",
};

/// Updating a document with lines needs the option `{name}`, which says what happens to lines that are not sent.
pub const LINES_UNSAFE: Entry = Entry {
    code: "E1153",
    severity: Severity::Error,
    zh: "更新带明细的单据需要选项 `{name}` 说明未传明细怎么处理",
    en: "updating a document with lines needs the option `{name}`, which says what happens to lines that are not sent",
    help_zh: "在 `options` 里明确写 true 或 false",
    help_en: "say so under `options`",
    long_zh: "没有安全的默认值:一种会删除没有传的明细,另一种会重复增加。",
    long_en: "There is no safe default: one choice deletes lines that are not sent, the other adds lines again.",
    example: "FSaleOrderEntry: {$each: orders, $do: {}}",
};

/// A list is exploded, but the key has neither `$row` nor a field of the line.
pub const EXPLODED_KEY: Entry = Entry {
    code: "W1154",
    severity: Severity::Warning,
    zh: "展开了列表,但主键里没有 `$row` 或明细字段",
    en: "a list is exploded, but the key has neither `$row` nor a field of the line",
    help_zh: "例如 `key: [单号, $row]`",
    help_en: "for example `key: [order_no, $row]`",
    long_zh: "展开后的各行可能得到相同的主键,后面的会覆盖前面的。",
    long_en: "Rows made from one list may get the same key, and later ones would replace earlier ones.",
    example: "explode: [details]",
};

/// A second pass without a stretch of its own.
pub const SWEEP_WINDOW: Entry = Entry {
    code: "E1134",
    severity: Severity::Error,
    zh: "`sweep` 要有自己的一段时间:start 早于 end,都写成运行之前多久,例如 -2d 和 -1d;方案要有窗口",
    en: "`sweep` needs a stretch of its own: start before end, both as time before the run, such as -2d and -1d; and the scheme needs a window",
    help_zh: "",
    help_en: "",
    long_zh: "第二遍读取每次重读一段固定距离之前的时间,补上很晚才提交的行。没有时间窗口的方案每次都全部读取,不需要第二遍。",
    long_en: "The second pass reads a stretch again that lies a fixed time back, and heals rows that were committed very late. A scheme without a window reads everything each time and needs no second pass.",
    example: "sweep: {every: 1d, window: {start: -1d, end: -2d}}",
};

/// Time that the source no longer keeps.
pub const BEYOND_KEEPS: Entry = Entry {
    code: "E1135",
    severity: Severity::Error,
    zh: "{given} 之前的数据来源已不再保留(只保留 {keeps})",
    en: "the source no longer keeps what lies {given} back (it keeps {keeps})",
    help_zh: "写一个更近的时间;更早的数据要从来源导出",
    help_en: "name a later time; older rows need an export of the source",
    long_zh: "连接器(或方案的 window.keeps)写明来源只保留多久以内的数据。要求更早的时间只会得到空的结果,所以在运行之前就拒绝。",
    long_en: "The connector, or window.keeps of the scheme, says how far back the source answers. Asking for more would give nothing, so it is refused before it runs.",
    example: "window: {first: -365d}",
};

/// `schedule: on_push` needs a source that sends.
pub const ON_PUSH_READS: Entry = Entry {
    code: "E1190",
    severity: Severity::Error,
    zh: "`schedule: on_push` 需要 kind: receive 的操作,而 `{name}` 是 {kind}",
    en: "`schedule: on_push` needs an operation of kind receive, and `{name}` is of kind {kind}",
    help_zh: "按时间读取的方案写 `every` 或 `cron`,并把接收推送的操作写在 `source.receive`",
    help_en: "a scheme that reads writes `every` or `cron`, and puts the operation that receives under `source.receive`",
    long_zh: "on_push 的方案只在有推送到来时运行,所以它的 `api` 必须是由对方系统调用的操作。既读取又接收的方案按计划读取,推送到来时随时处理。",
    long_en: "A scheme with on_push runs only when something is sent to it, so its `api` must be an operation that the other system calls. A scheme that reads and receives reads by its schedule, and takes a push whenever one comes.",
    example: "schedule: on_push   # with source: {api: searchTrades}",
};

/// An operation that receives, and a schedule that reads.
pub const RECEIVE_SCHEDULED: Entry = Entry {
    code: "E1191",
    severity: Severity::Error,
    zh: "`{name}` 由对方系统调用,不能按时间读取",
    en: "`{name}` is called by the other system and cannot be read by a schedule",
    help_zh: "写 `schedule: on_push`;还要读取时,`api` 写读取的操作,`{name}` 写在 `source.receive`",
    help_en: "write `schedule: on_push`; to read as well, name the operation that reads in `api`, and `{name}` under `source.receive`",
    long_zh: "kind: receive 的操作没有请求可发:数据由对方系统推送过来。",
    long_en: "An operation of kind receive has no request to send: the other system pushes its rows.",
    example: "source: {api: asyncpush}   # with schedule: {every: 6m}",
};

/// A key of reading beside an operation that receives.
pub const NOT_OF_A_PUSH: Entry = Entry {
    code: "E1192",
    severity: Severity::Error,
    zh: "`{key}` 用于读取,`{name}` 是对方系统调用的操作",
    en: "`{key}` is for reading, and `{name}` is called by the other system",
    help_zh: "去掉它;要挑选推送的行用 `keep`",
    help_en: "leave it out; to choose among the rows that are sent, use `keep`",
    long_zh: "推送没有窗口、页和请求:对方发什么就收什么。写了也不会生效的键不会被悄悄忽略。",
    long_en: "A push has no window, pages or request: what the other system sends is what comes. A key that could have no effect is never ignored silently.",
    example: "source: {api: asyncpush, window: {first: -7d}}",
};

/// A name of the filter that is not published.
pub const PUBLISH_FILTER: Entry = Entry {
    code: "E1193",
    severity: Severity::Error,
    zh: "`publish.filter` 里的 `{name}` 不能用来筛选:{why}",
    en: "`{name}` in `publish.filter` cannot be filtered by: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "读者只能按发布的、每行只有一个值的字段筛选;敏感字段不行:答复里虽然掩盖了它,一个一个值地问就能试出来。",
    long_en: "Readers filter by fields that are published and have one value a row, and not by a sensitive one: answers mask it, but whoever asks for one value after another learns it.",
    example: "publish: {fields: [tid], filter: [status]}",
};

/// A name that is published twice.
pub const PUBLISH_TWICE: Entry = Entry {
    code: "E1194",
    severity: Severity::Error,
    zh: "`publish.fields` 里有两个名称都是 `{name}`",
    en: "two names in `publish.fields` are `{name}`",
    help_zh: "用 `{名称: 字段}` 的写法给其中一个改名",
    help_en: "write them as `{name: field}` and rename one",
    long_zh: "发布的字段在答复里各有一个名称;列表中的点变成 _,所以 `a.b` 和 `a_b` 是同一个名称。",
    long_en: "Each published field has a name of its own in the answer; in a list, dots become _, so `a.b` and `a_b` are the same name.",
    example: "publish: {fields: [a.b, a_b]}",
};

/// A key of `maps` that belongs to another kind of table.
pub const TABLE_KEY: Entry = Entry {
    code: "E1196",
    severity: Severity::Error,
    zh: "`{kind}` 的对照表里不能写 `{key}`",
    en: "a table of `{kind}` does not take `{key}` like this",
    help_zh: "常量表写 to: {原值: 目标值};文件写 file、from、to;字段映射写 field_mapping、from、to、channel、data_center;数据映射写 data_mapping、reverse",
    help_en: "a constant table has to: {value: value}; a file has file, from, to; a field mapping has field_mapping, from, to, channel, data_center; a data mapping has data_mapping, reverse",
    long_zh: "对照表有四种:写在方案里的常量、方案旁的文件、引擎保存的字段映射、别的方案的数据映射。每一种只接受自己的键。",
    long_en: "There are four kinds of tables: constants written in the scheme, files beside it, field mappings that the engine keeps, and the data mapping of a scheme. Each takes its own keys only.",
    example: "maps: {customers: {data_mapping: huke-to-k3, channel: OA}}",
};

/// A field mapping from a side to itself, or with a table beside it.
pub const TABLE_SIDES: Entry = Entry {
    code: "E1197",
    severity: Severity::Error,
    zh: "字段映射的 `from` 与 `to` 应是不同的两列:{all}",
    en: "`from` and `to` of a field mapping are two different ones of {all}",
    help_zh: "不写时从 fs_id 译成 erp_id",
    help_en: "left out, it goes from fs_id to erp_id",
    long_zh: "字段映射由引擎保存,用 engine map fields 或接口维护;方案里只说从哪一列译成哪一列。",
    long_en: "The engine keeps field mappings; `engine map fields` or the API fills them. The scheme only says from which side to which.",
    example: "maps: {staff: {field_mapping: employee, from: erp_id}}",
};

/// The file of a table cannot be read.
pub const TABLE_FILE: Entry = Entry {
    code: "E1760",
    severity: Severity::Error,
    zh: "对照表文件 {file} 不能用:{why_zh}",
    en: "the table {file} cannot be used: {why_en}",
    help_zh: "CSV,UTF-8,第一行为列名,放在方案文件所在的文件夹或其下",
    help_en: "a CSV file in UTF-8 whose first line names the columns, in the folder of the scheme file or below it",
    long_zh: "对照表文件在方案装入时读取,整个文件都要能读:放在方案文件所在的文件夹或其下,不超过 5 MB、100000 行,UTF-8。改了文件,下一次运行(或 serve 重新装入)生效。",
    long_en: "The file of a table is read when the scheme is loaded, and all of it has to be readable: in the folder of the scheme file or below it, at most 5 MB and 100000 lines, in UTF-8. A change of it counts from the next run on, or when `serve` loads its files anew.",
    example: "maps: {warehouses: {file: maps/warehouses.csv, from: code, to: number}}",
};

/// A column that the file of a table has not.
pub const TABLE_COLUMN: Entry = Entry {
    code: "E1761",
    severity: Severity::Error,
    zh: "对照表文件 {file} 没有列 `{name}`",
    en: "the table {file} has no column `{name}`",
    help_zh: "它的列:{all}",
    help_en: "its columns are {all}",
    long_zh: "`from` 与 `to` 是文件第一行里的两个列名,须完全相同(包括大小写)。",
    long_en: "`from` and `to` are two of the names in the first line of the file, written exactly as there.",
    example: "maps: {warehouses: {file: maps/warehouses.csv, from: code, to: nummber}}",
};

/// One value is translated in two ways.
pub const TABLE_DOUBLE: Entry = Entry {
    code: "E1762",
    severity: Severity::Error,
    zh: "对照表文件 {file} 第 {line} 行:`{value}` 在第 {first} 行已译成别的值",
    en: "line {line} of the table {file}: `{value}` is something else in line {first}",
    help_zh: "每个原值只留一行",
    help_en: "leave one line for each value",
    long_zh: "同一个原值对应两个目标值时,不知道用哪一个,因此整张表都不用。写了两次但目标值相同的行没有关系。",
    long_en: "Where one value stands for two others nobody knows which is meant, so the whole table is refused. Lines that say the same twice do no harm.",
    example: "code,number\nA,1\nA,2",
};

/// A channel that there is not.
pub const TABLE_CHANNEL: Entry = Entry {
    code: "E1198",
    severity: Severity::Error,
    zh: "没有渠道 `{name}`",
    en: "there is no channel `{name}`",
    help_zh: "可用:{all}",
    help_en: "there are {all}",
    long_zh: "字段映射按平台的渠道分开保存;渠道只有这几个。只有一个渠道有这类数据时可不写。",
    long_en: "Field mappings are kept by the channels of the platform, and there are only these. Where one channel alone has such entries it need not be written.",
    example: "maps: {staff: {field_mapping: employee, channel: ERP}}",
};

/// A kind of field mappings that there is not.
pub const TABLE_TYPE: Entry = Entry {
    code: "E1138",
    severity: Severity::Error,
    zh: "字段映射没有类型 `{name}`",
    en: "there is no type `{name}` of field mappings",
    help_zh: "可用:{all};选项字段的取值写成 对象.字段",
    help_en: "there are {all}; options of a field are written as OBJECT.FIELD",
    long_zh: "字段映射按类型分开保存,与 engine map fields 和 fieldmapping/create 用同一份类型。写错一个字母,表里就什么也查不到。字段的选项值由客户自己定义,类型写成对象与字段的名字,如 AccountObj.industry。",
    long_en: "Field mappings are kept by what the values are, by the same words as in engine map fields and fieldmapping/create. With one letter wrong a table finds nothing. Options of a field are the customer's own: their type is the names of object and field, such as AccountObj.industry.",
    example: "maps: {staff: {field_mapping: emploee}}",
};

/// The operation {operation} needs the option `{name}` where `{other}` is {value}.
pub const MISSING_OPTION_WITH: Entry = Entry {
    code: "E1199",
    severity: Severity::Error,
    zh: "`{other}` 为 {value} 时,操作 {operation} 需要选项 `{name}`",
    en: "the operation {operation} needs the option `{name}` where `{other}` is {value}",
    help_zh: "在 `options` 里写上它,或改 `{other}`",
    help_en: "write it under `options`, or change `{other}`",
    long_zh: "一个选项的值要求另一个选项也有值;没有它,对方会拒绝每一次调用。",
    long_en: "The value of one option asks for a value of another one; without it the other system would refuse every call.",
    example: "api: erp_push\noptions: {objAPIName: a, directSync: true}",
};

/// A scheme that cannot be one of a pair.
pub const TWO_WAY_UNFIT: Entry = Entry {
    code: "E1195",
    severity: Severity::Error,
    zh: "`two_way` 用不了:{why}",
    en: "`two_way` cannot be: {why_en}",
    help_zh: "改正所说的地方,或去掉 `two_way`",
    help_en: "mend what is said, or leave `two_way` out",
    long_zh: "双向同步要把一行和另一边的一张单据一一对应,并逐个字段比较;这里缺少做到这一点的条件。",
    long_en: "In a two-way sync a row stands for one document of the other side, and is compared field by field; something that this needs is missing here.",
    example: "source: {key: [a, b]}\ntwo_way: {with: b-to-a, conflict: hold}",
};

/// The scheme of the other direction is not there.
pub const TWO_WAY_UNKNOWN: Entry = Entry {
    code: "E1186",
    severity: Severity::Error,
    zh: "`two_way.with`:没有方案 `{name}`,或它有错误",
    en: "`two_way.with`: there is no scheme `{name}`, or it is in error",
    help_zh: "写同一文件夹里反方向方案的 id;它有错误时先改正它",
    help_en: "write the id of the scheme of the other direction, in the same folder; mend that one first if it is in error",
    long_zh: "双向同步由两个方案组成,各写各的方向,互相指明。",
    long_en: "A two-way sync is two schemes, one a direction, which name each other.",
    example: "two_way: {with: no-such-scheme, conflict: hold}",
};

/// Two schemes that are no pair.
pub const TWO_WAY_PAIR: Entry = Entry {
    code: "E1187",
    severity: Severity::Error,
    zh: "与 `{name}` 不成一对:{why}",
    en: "is no pair with `{name}`: {why_en}",
    help_zh: "两个方案都要写 `two_way` 并互相指明;一个的源是另一个的目标",
    help_en: "both schemes say `two_way` and name each other; the source of each is the target of the other",
    long_zh: "双向同步的两个方案必须互相对应:互相指明、连接交换、冲突的处理不矛盾(`source_wins` 对 `target_wins`,其余相同),并且知道另一方案用什么 id 更新单据。停用的方案(`enabled: false`)不能成对:它的单据照样要读,却永远不会写过去。",
    long_en: "The two schemes of a two-way sync must fit each other: they name each other, their connections cross, what they say of conflicts does not contradict (`source_wins` answers `target_wins`, else the same), and it is known by which id the other one updates. A scheme that is switched off (`enabled: false`) is no half of a pair: its documents would be read all the same, and never be carried.",
    example: "two_way: {with: b-to-a, conflict: source_wins}   # and b-to-a says hold",
};

/// A pair of which a scheme may make what is there already.
pub const TWO_WAY_DOUBLES: Entry = Entry {
    code: "W1188",
    severity: Severity::Warning,
    zh: "两边本来就有的同一张单据可能变成两张:`{name}` 的新增之前不查询",
    en: "a document that is on both sides beforehand may become two: `{name}` asks for none before it makes one",
    help_zh: "在 `{name}` 的 target 下写 `find: before_create`;目标不能按主键查询、而两边没有相同的单据或已用 `engine map import` 对应好时,写 `two_way.linked: true`",
    help_en: "write `find: before_create` under the target of `{name}`; where it cannot be asked by key, and nothing is on both sides or all of it is mapped (`engine map import`), write `two_way.linked: true`",
    long_zh: "双向同步第一次运行时,两边往往已经有同样的单据。哪个方案先运行,就由它新增:目标里已有的,它要先按主键查到才会接管,\
              否则会再新增一张。两个方案都写 `find: before_create`,或先导入对应关系。",
    long_en: "When a two-way sync runs first, both sides often have the same documents already. Whichever scheme runs first \
              makes them: what the target has it takes over only if it asks by key before, else it makes a second one. Let both \
              schemes say `find: before_create`, or import the mapping first.",
    example: "two_way: {with: b-to-a, conflict: hold}   # and no find: before_create",
};

/// Documents that are sent without the name by which the target tells one from another.
pub const UNNAMED: Entry = Entry {
    code: "W1189",
    severity: Severity::Warning,
    zh: "没有选项 `{name}`,{operation} 每次都可能新建一张单据:来源一改就再推一张",
    en: "without the option `{name}` each {operation} may make another document: each change at the source is pushed as one",
    help_zh: "在 options 里写 `{name}`(例如来源的单号);对方的函数按单号找到已有的单据时,可以不管这条警告",
    help_en: "write `{name}` among the options, such as the number of the row; where the function on the other side finds documents by their number, it is well as it is",
    long_zh: "推送到集成平台时,`id` 说明是哪一张单据;没有它,由推送函数决定怎样处理,它可能每次都新建。`on_unknown` 只管答复丢失时再不再发,来源改了一个字段则一定会再推一次。只想推一次时写 `actions: [create]`。",
    long_en: "In a push to the platform `id` says which document is meant; without it the push function decides, and may make one each time. `on_unknown` is about lost answers alone: a row that changes is pushed once more in any case. Where once is enough, say `actions: [create]`.",
    example: "api: erp_push\n  options: {objAPIName: a}\n  on_unknown: hold",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNKNOWN_KEY,
    &WRONG_SHAPE,
    &MISSING_KEY,
    &ONE_OF_KEYS,
    &KEY_LATER,
    &STEP_TWICE,
    &STEP_UNKNOWN,
    &STEP_NEEDS_REQUEST,
    &STEP_TAKES_NONE,
    &STEP_LINES,
    &STEP_EACH,
    &STEP_LINE_KEY,
    &STEP_OF_LINES,
    &LINE_KEY_SENSITIVE,
    &EACH_ONCE,
    &SAVED_BY,
    &SAVE_TAKEN,
    &ANSWER_OF_SEVERAL,
    &SAVE_SENSITIVE,
    &SCHEME_SOURCE_KEY,
    &EMIT_UNTAKEN,
    &SCHEME_SOURCE_STORES,
    &KEY_NOT_A_FIELD,
    &KEY_HOLDS_MANY,
    &UNKNOWN_CONNECTION,
    &UNKNOWN_API,
    &WRONG_OPERATION,
    &UNKNOWN_OPTION,
    &MISSING_OPTION,
    &MISSING_OPTION_WITH,
    &BAD_OPTION,
    &OPTION_IN_REQUEST,
    &NO_COLUMN,
    &CANNOT_ACT,
    &FIELDS_NEEDED,
    &NOT_ACCEPTED,
    &FILTER_NEEDED,
    &CANNOT_COMPARE,
    &OPERATION_OF_SEVERAL,
    &WINDOW_NEEDED,
    &CONSTANT_BOUND,
    &WINDOW_BOUND,
    &WINDOW_ZONE_UNUSED,
    &LIMIT_ABOVE,
    &LIMIT_UNUSED,
    &OFTENER_THAN_SAID,
    &RETRY_PAUSE,
    &WINDOW_FIELD_NEEDED,
    &ABOVE_MAXIMUM,
    &OWNED_PLACE,
    &SWEEP_WINDOW,
    &BEYOND_KEEPS,
    &WINDOW_NONE_USED,
    &MISSPELT_MEMBER,
    &TOO_OFTEN,
    &AFTER_UNKNOWN,
    &AFTER_CIRCLE,
    &CRON_FIELD,
    &NEVER_DUE,
    &SKIP_WITH_WINDOW,
    &NEVER_OPEN,
    &READ_AS_QUARTZ,
    &UNKNOWN_ZONE,
    &NO_TARGET_KEY,
    &TARGET_KEY_ABSENT,
    &TARGET_KEY_CONSTANT,
    &TARGET_KEY_CLOCK,
    &LABEL_SENSITIVE,
    &CANNOT_FIND,
    &UNSAFE_CREATE,
    &FINGERPRINT_UNFIT,
    &ALIAS_UNKNOWN,
    &ALIAS_UNUSED,
    &TEST_LOOKUP,
    &NO_SAMPLE_ROW,
    &UNKNOWN_FATE,
    &BESIDE_RECORDING,
    &RECORDING_UNREADABLE,
    &LINES_UNSAFE,
    &EXPLODED_KEY,
    &ON_PUSH_READS,
    &RECEIVE_SCHEDULED,
    &NOT_OF_A_PUSH,
    &PUBLISH_FILTER,
    &PUBLISH_TWICE,
    &TABLE_KEY,
    &TABLE_SIDES,
    &TABLE_CHANNEL,
    &TABLE_TYPE,
    &TABLE_FILE,
    &TABLE_COLUMN,
    &TABLE_DOUBLE,
    &TWO_WAY_UNFIT,
    &TWO_WAY_UNKNOWN,
    &TWO_WAY_PAIR,
    &TWO_WAY_DOUBLES,
    &UNNAMED,
];
