//! E3000-E3099: reading from a source, and building a call.

use super::Entry;
use crate::diagnostic::Severity;

/// The answer has no rows where they should be.
pub const ROWS_MISSING: Entry = Entry {
    code: "E3001",
    severity: Severity::Error,
    zh: "答复中没有 `{path}`",
    en: "the answer has no `{path}`",
    help_zh: "答复里有:{seen}",
    help_en: "the answer has: {seen}",
    long_zh: "读取成功的答复必须在声明的位置有数据行。缺少这个位置不能当作零行,否则窗口会被错误地关闭。",
    long_en: "A successful answer must have its rows where the connector says. A missing place is not zero rows, or a window would be closed without proof.",
    example: "rows: data.list\n# the answer: {\"code\": 200, \"data\": {}}",
};

/// What stands at the row path is no list.
pub const ROWS_NOT_LIST: Entry = Entry {
    code: "E3002",
    severity: Severity::Error,
    zh: "答复中的 `{path}` 不是列表,而是 {kind}",
    en: "`{path}` in the answer is not a list but {kind}",
    help_zh: "",
    help_en: "",
    long_zh: "数据行要以列表给出。",
    long_en: "Rows come as a list.",
    example: "rows: data.list\n# the answer: {\"code\": 200, \"data\": {\"list\": null}}",
};

/// A row with another number of columns than asked for.
pub const ROWS_COLUMNS: Entry = Entry {
    code: "E3003",
    severity: Severity::Error,
    zh: "第 {row} 行有 {found} 列,请求的是 {wanted} 列",
    en: "row {row} has {found} columns where {wanted} were asked for",
    help_zh: "",
    help_en: "",
    long_zh: "列按请求的顺序排列;数目不对时无法知道哪一列是哪一个,所以整页失败。",
    long_en: "Columns stand in the order of the request; with another number nobody can tell which is which, so the page fails.",
    example: "fields: [FNumber, FName]\n# the answer: [[\"C-1\", \"张三\", \"x\"]]",
};

/// A row that has no fields.
pub const ROW_KIND: Entry = Entry {
    code: "E3004",
    severity: Severity::Error,
    zh: "第 {row} 行不是一组字段,而是 {kind}",
    en: "row {row} is not a set of fields but {kind}",
    help_zh: "",
    help_en: "",
    long_zh: "每一行要是一组有名称的字段。",
    long_en: "Each row is a set of named fields.",
    example: "rows: data.list\n# the answer: {\"data\": {\"list\": [\"C-1\"]}}",
};

/// An answer that is not JSON.
pub const NOT_JSON: Entry = Entry {
    code: "E3005",
    severity: Severity::Error,
    zh: "答复不是 JSON:{why},位置 {offset}",
    en: "the answer is not JSON: {why} at byte {offset}",
    help_zh: "",
    help_en: "",
    long_zh: "答复按 JSON 读取;网关错误页、被截断的答复都会落到这里。读取失败的页会重读。",
    long_en: "The answer is read as JSON; a gateway's error page or a truncated answer ends here. The page is read again.",
    example: "HTTP 200\n\n<html>502 Bad Gateway</html>",
};

/// An answer whose text cannot be decoded.
pub const CHARSET: Entry = Entry {
    code: "E3006",
    severity: Severity::Error,
    zh: "答复不是合法的 {charset} 文本,位置 {offset}",
    en: "the answer is not valid {charset} at byte {offset}",
    help_zh: "",
    help_en: "",
    long_zh: "答复按响应头或连接器声明的编码严格解码,不合法的字节会使该页失败,而不是变成问号。",
    long_en: "The answer is decoded strictly by the charset of its header or of the connector; a bad byte fails the page instead of becoming a question mark.",
    example: "Content-Type: text/json; charset=gbk\n\n\"a\\xFF\"",
};

/// A name that may not stand in a filter.
pub const FILTER_FIELD: Entry = Entry {
    code: "E3007",
    severity: Severity::Error,
    zh: "`{name}` 不能作为过滤条件的字段",
    en: "`{name}` cannot be a field of a filter",
    help_zh: "字段名由字母、数字、`_` 和 `.` 组成",
    help_en: "a field has letters, digits, `_` and `.`",
    long_zh: "过滤条件会变成目标系统的查询文本,所以字段名只接受字母、数字、下划线和点,防止注入。",
    long_en: "The filter becomes text of the system's query language, so that a field may only have letters, digits, underscores and dots: nothing can be injected.",
    example: "filter: {field: \"FNumber' or 1=1\", eq: x}",
};

/// A value that may not stand in a filter.
pub const FILTER_VALUE: Entry = Entry {
    code: "E3008",
    severity: Severity::Error,
    zh: "字段 `{name}` 的值不能用于过滤:{why}",
    en: "the value for `{name}` cannot be used in a filter: {why}",
    help_zh: "",
    help_en: "",
    long_zh: "过滤条件里的值会加引号;控制字符、过长的文本、列表和对象不接受。",
    long_en: "Values in a filter are quoted; control characters, overlong texts, lists and maps are refused.",
    example: "filter: {field: FNumber, eq: \"a\\x00b\"}",
};

/// A comparison that this source cannot make.
pub const FILTER_OP: Entry = Entry {
    code: "E3009",
    severity: Severity::Error,
    zh: "这个来源不支持比较 `{op}`",
    en: "this source cannot compare by `{op}`",
    help_zh: "",
    help_en: "",
    long_zh: "来源的查询语言里没有这种比较;可以读回来后用 `keep` 过滤。",
    long_en: "The source's query language has no such comparison; `keep` can do it after reading.",
    example: "filter: {field: FNumber, is: missing}",
};

/// A request that cannot be built.
pub const FRAME: Entry = Entry {
    code: "E3010",
    severity: Severity::Error,
    zh: "请求的 `{place}` 无法生成:{why}",
    en: "`{place}` of the request cannot be built: {why}",
    help_zh: "",
    help_en: "",
    long_zh: "连接器的请求框架在这次调用的参数上求值失败;请求没有发出。",
    long_en: "The connector's frame could not be evaluated for this call; nothing was sent.",
    example: "body: {ids: {$join: rows.*.id}}\n# a row without id",
};

/// A query without its fields.
pub const FIELDS_REQUIRED: Entry = Entry {
    code: "E3011",
    severity: Severity::Error,
    zh: "操作 `{operation}` 需要 `fields`",
    en: "operation `{operation}` needs `fields`",
    help_zh: "",
    help_en: "",
    long_zh: "这个查询要写明取哪些字段,结果的列名由它而来。",
    long_en: "This query must say which fields it wants; they name the columns of the result.",
    example: "source:\n  api: executeBillQuery    # and no fields",
};

/// A call without a required option.
pub const OPTION_MISSING: Entry = Entry {
    code: "E3012",
    severity: Severity::Error,
    zh: "操作 `{operation}` 需要选项 `{name}`",
    en: "operation `{operation}` needs option `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "必填的选项没有值。",
    long_en: "A required option has no value.",
    example: "source:\n  api: executeBillQuery    # and no options: {FormId: …}",
};

/// An operation that the connector does not have.
pub const NO_OPERATION: Entry = Entry {
    code: "E3013",
    severity: Severity::Error,
    zh: "连接器 `{connector}` 没有操作 `{name}`",
    en: "connector `{connector}` has no operation `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "操作的名称、别名或路径必须完全一致。",
    long_en: "Name, alias or path of an operation must match exactly.",
    example: "source: {connection: huke, api: searchTrade}",
};

/// An answer with more bytes than are read.
pub const TOO_LARGE: Entry = Entry {
    code: "E3014",
    severity: Severity::Error,
    zh: "答复过大:{vendor}",
    en: "the answer is too large: {vendor}",
    help_zh: "把 page_size 调小;来源一页确实有这么大时,在连接器的 transport 里调大 read_cap",
    help_en: "make page_size smaller; if a page really is that large, raise read_cap under the connector's transport",
    long_zh: "答复边收边解压,超过上限立即停止,不会先占满内存。读取的页默认最多 32 MiB,写入的答复最多 4 MiB。",
    long_en: "An answer is unpacked while it arrives and stopped at its bound, before it fills the memory: 32 MiB for a page that is read unless the connector says otherwise, 4 MiB for the answer to a write.",
    example: "HTTP 200\nContent-Length: 40000000",
};

/// An answer that unpacks to far more than it was.
pub const BOMB: Entry = Entry {
    code: "E3015",
    severity: Severity::Error,
    zh: "答复解压后异常膨胀:{vendor}",
    en: "the answer unpacks to far more than it was: {vendor}",
    help_zh: "这不是正常的数据;检查对方系统和中间的代理",
    help_en: "no honest data does this: look at the system and at proxies in between",
    long_zh: "超过 1 MiB 之后,一个压缩字节展开成 200 个以上字节的答复被当作压缩炸弹拒绝。",
    long_en: "Beyond 1 MiB an answer of which one packed byte becomes more than 200 is refused as a bomb.",
    example: "HTTP 200\nContent-Encoding: gzip\n\n# 10 KB that unpack to 10 MB",
};

/// An answer without the total that its connector declares.
pub const TOTAL_MISSING: Entry = Entry {
    code: "E3016",
    severity: Severity::Error,
    zh: "答复中的总数 `{path}` 缺失或不是数字(读到 {kind})",
    en: "the total `{path}` of the answer is missing or no number (found {kind})",
    help_zh: "连接器写明了 page.total;如果只有第一页才有总数,写 total_on: first",
    help_en: "the connector declares page.total; where only the first page has one, it says total_on: first",
    long_zh: "总数用来证明没有漏读任何一页。声明了总数却读不到时,该页算失败,而不是不作证明就关闭窗口。",
    long_en: "The total proves that no page was missed. Where it is declared and not there, the page fails instead of the window being closed without proof.",
    example: r#"page: {by: number, total: data.total}    # answered: {"code": 0, "data": {"list": [...]}}"#,
};

/// An answer that has more pages and does not say how to go on.
pub const NO_CONTINUATION: Entry = Entry {
    code: "E3017",
    severity: Severity::Error,
    zh: "还有下一页,但答复中没有 `{path}`,无法继续",
    en: "there is another page, but the answer has no `{path}` to go on with",
    help_zh: "检查连接器的 page.take 或 page.field;按字段翻页时,请求必须取回该字段",
    help_en: "check page.take or page.field of the connector; where pages go by a field, the query must fetch it",
    long_zh: "按键或游标翻页时,下一页要用上一页给出的值来请求。没有这个值就不能继续,窗口保持打开。",
    long_en: "Where pages go by key or cursor, the next one is asked with a value of the page before. Without it reading cannot go on, and the window stays open.",
    example: r#"page: {by: cursor, more: data.has_more, then: data.next}    # answered: {"data": {"has_more": true, "list": [...]}}"#,
};

/// An answer that is not XML, or not of the kind that is read.
pub const NOT_XML: Entry = Entry {
    code: "E3018",
    severity: Severity::Error,
    zh: "答复不是可读的 XML:{why},位置 {offset}",
    en: "the answer is not XML that can be read: {why} at byte {offset}",
    help_zh: "",
    help_en: "",
    long_zh: "连接器写了 `transport: {xml: true}`,答复的类型是 XML,但内容不完整、写法有误、嵌套过深,或带有 DTD 和自定义实体。后两样一律拒绝:不取任何外部内容,也不展开任何文本。读取失败的页会重读。",
    long_en: "The connector says `transport: {xml: true}` and the answer is of an XML type, but it breaks off, is not well formed, is nested too deeply, or has a document type or entities of its own. The last two are always refused: nothing is fetched and nothing is expanded. The page is read again.",
    example: "HTTP 200\ncontent-type: text/xml\n\n<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
};

/// A name that no table or column of a database may have here.
pub const SQL_NAME: Entry = Entry {
    code: "E3071",
    severity: Severity::Error,
    zh: "`{name}` 不能用作表名或列名",
    en: "`{name}` cannot be the name of a table or a column",
    help_zh: "只写字母(含中文)、数字、_、$、#;表名可以写成 库.表 或 模式.表",
    help_en: "letters of any script, digits, _, $ and #; a table may be written as schema.table",
    long_zh: "表名和列名会成为 SQL 文本的一部分,所以逐字检查并加引号;值从不写进文本,而是单独绑定。",
    long_en: "Names become part of the SQL text, so each character is checked and the name is quoted; values are never part of the text but bound.",
    example: "options: {table: \"orders; DROP TABLE x\"}",
};

/// A value that a database cannot be given.
pub const SQL_VALUE: Entry = Entry {
    code: "E3072",
    severity: Severity::Error,
    zh: "`{name}` 的值不能写入数据库:{why}",
    en: "the value of `{name}` cannot be given to a database: {why}",
    help_zh: "每一列要是单个值(文本、数字、true/false 或 null);键不能为空;明细写在 lines 声明的列表里",
    help_en: "every column takes a single value (text, number, true/false or null); a key is never null; lines stand in a list declared under lines",
    long_zh: "一条记录的每个成员对应一列。列表和对象没有对应的列,除非它是选项 lines 声明的明细。",
    long_en: "Each member of a record is a column. A list or a map has none, unless it is a list of lines declared by the option lines.",
    example: "request: {order_no: <<no>>, buyer: {name: <<name>>}}",
};

/// A name of files that is none.
pub const FILE_NAME: Entry = Entry {
    code: "E3075",
    severity: Severity::Error,
    zh: "`{name}` 不能用作文件名的开头",
    en: "`{name}` cannot begin the names of files",
    help_zh: "只写字母、汉字、数字、`-` 和 `_`,最多 64 个字符;时间、编号和后缀由引擎加上",
    help_en: "letters of any script, digits, `-` and `_`, at most 64 characters; instant, id and ending are added",
    long_zh: "写出的文件名为 `名称-时间-编号.csv`。路径、点和空格不接受:文件总在连接所指的文件夹里。",
    long_en: "Files are called `name-instant-id.csv`. Paths, dots and blanks are not taken: a file always stands in the folder of its connection.",
    example: "options: {file: ../orders}",
};

/// A SELECT of one's own that is not taken.
pub const SQL_TEXT: Entry = Entry {
    code: "E3073",
    severity: Severity::Error,
    zh: "自写的 SELECT 不能使用:`{why}`",
    en: "the SELECT cannot be used: `{why}`",
    help_zh: "只能是一条以 SELECT 或 WITH 开头的语句;值用 :from :to :after :limit 绑定(键有几列时用 :after_1 :after_2);用了 :limit 就要写选项 key",
    help_en: "one statement that begins with SELECT or WITH; values are bound by :from :to :after :limit (:after_1 :after_2 where the key has several columns); with :limit goes the option key",
    long_zh: "自写的语句按原样发送,值只通过这些名称绑定。其他名称、第二条语句、`?` 和文本中的反斜杠都不接受,因为各种数据库的理解不同。",
    long_en: "A statement of one's own is sent as it is written; values are bound by these names only. Other names, a second statement, `?` and a backslash within a text are not taken: databases read them differently.",
    example: "options: {sql: \"SELECT * FROM orders WHERE id = :id\"}",
};

/// Rows that are to be written by a key that nobody names.
pub const SQL_KEY: Entry = Entry {
    code: "E3074",
    severity: Severity::Error,
    zh: "写入表 `{table}` 需要键:target.key 写出唯一确定一行的列",
    en: "writing to table `{table}` needs a key: name the columns that tell one row under target.key",
    help_zh: "例如 key: order_no",
    help_en: "such as key: order_no",
    long_zh: "没有键就不知道同一条记录是不是已经写过。",
    long_en: "Without a key nobody can tell whether a record was written before.",
    example: "target: {connection: erp, api: upsert, options: {table: orders}}    # and no key",
};

/// A row without a version, at a source that is read by version.
pub const VERSION_BAD: Entry = Entry {
    code: "E3078",
    severity: Severity::Error,
    zh: "第 {row} 行的版本 `{path}` 不是整数(读到 {kind})",
    en: "the version `{path}` of row {row} is no whole number (found {kind})",
    help_zh: "检查连接器的 page.take;版本必须是最多 38 位的非负整数",
    help_en: "check page.take of the connector; a version is a whole number of at most 38 digits",
    long_zh: "按行版本增量读取时,下一页从读到的最大版本继续。有一行没有版本,就不知道读到了哪里,所以这一页算失败,标记不动。",
    long_en: "Where a source is read by version, the next page goes on from the greatest one. With a row that has none nobody knows how far that is, so the page fails and the mark stays.",
    example: "page: {by: version, set: start_ts, take: max(rows.ts)}    # {\"o_id\": 1, \"ts\": \"1.5\"}",
};

/// Rows that do not come in the order of their versions.
pub const VERSION_FALLS: Entry = Entry {
    code: "E3079",
    severity: Severity::Error,
    zh: "行没有按版本 `{path}` 从小到大返回:第 {row} 行 {vendor},而后面还有行",
    en: "the rows do not come in rising order of the version `{path}`: row {row} has {vendor}, and more rows follow",
    help_zh: "让接口按版本升序返回(排序参数);做不到的来源不能按版本读取,请用时间窗口",
    help_en: "let the interface sort by version, rising; a source that cannot is to be read by windows of time",
    long_zh: "下一页从这一页的最大版本继续。来源若先给最新的行,更旧的行就永远不会被请求到,所以这一页算失败,标记不动。最后一页的顺序无所谓。",
    long_en: "The next page goes on from the greatest version of this one. Of a source that gives the newest rows first the older ones would never be asked for, so the page fails and the mark stays. The order of the last page does not matter.",
    example: "page: {by: version, set: start_ts, take: max(rows.ts)}    # [{\"ts\": 9}, {\"ts\": 8}]",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &ROWS_MISSING,
    &ROWS_NOT_LIST,
    &ROWS_COLUMNS,
    &ROW_KIND,
    &NOT_JSON,
    &CHARSET,
    &FILTER_FIELD,
    &FILTER_VALUE,
    &FILTER_OP,
    &FRAME,
    &FIELDS_REQUIRED,
    &OPTION_MISSING,
    &NO_OPERATION,
    &TOO_LARGE,
    &BOMB,
    &TOTAL_MISSING,
    &NO_CONTINUATION,
    &VERSION_BAD,
    &VERSION_FALLS,
    &NOT_XML,
    &SQL_NAME,
    &SQL_VALUE,
    &SQL_TEXT,
    &SQL_KEY,
    &FILE_NAME,
];
