//! E1500-E1599: connector files and connections.

use super::Entry;
use crate::diagnostic::Severity;

/// A key that does not exist here.
pub const UNKNOWN_KEY: Entry = Entry {
    code: "E1500",
    severity: Severity::Error,
    zh: "{where_zh}里没有 `{key}` 这个键",
    en: "there is no key `{key}` in {where_en}",
    help_zh: "",
    help_en: "",
    long_zh: "键名写错,或者写在了别的位置。引擎不会忽略不认识的键。",
    long_en: "The key is misspelt, or belongs elsewhere. The engine does not ignore keys it does not know.",
    example: "operations: {list: {metod: GET}}",
};
/// A map, a list or a single value where another is wanted.
pub const KIND: Entry = Entry {
    code: "E1517",
    severity: Severity::Error,
    zh: "`{key}` 应为{want_zh},这里是{found_zh}",
    en: "`{key}` must be {want_en}, but is {found_en}",
    help_zh: "",
    help_en: "",
    long_zh: "这个位置要求另一种结构。",
    long_en: "This place takes another structure.",
    example: "operations: [list]",
};
/// An id that cannot be one.
pub const BAD_ID: Entry = Entry {
    code: "E1518",
    severity: Severity::Error,
    zh: "`{value}` 不能作为 id",
    en: "`{value}` cannot be an id",
    help_zh: "id 由小写字母、数字和 `-` 组成,以字母或数字开头,最长 64 个字符",
    help_en: "an id has small letters, digits and `-`, begins with a letter or digit, and has at most 64 characters",
    long_zh: "id 会出现在文件名、数据目录和命令里。",
    long_en: "Ids appear in file names, data directories and commands.",
    example: "connector: Kingdee K3",
};
/// A zone that does not exist.
pub const UNKNOWN_ZONE: Entry = Entry {
    code: "E1519",
    severity: Severity::Error,
    zh: "没有时区 `{name}`",
    en: "there is no time zone `{name}`",
    help_zh: "写 IANA 时区名,如 Asia/Shanghai",
    help_en: "write an IANA zone such as Asia/Shanghai",
    long_zh: "时区用 IANA 名称。",
    long_en: "Zones have IANA names.",
    example: "zone: Beijing",
};
/// A connection that verifies no certificate.
pub const INSECURE: Entry = Entry {
    code: "W1566",
    severity: Severity::Warning,
    zh: "连接 `{connection}` 不验证证书:中间的任何人都能读到密钥和单据,并代替对方应答",
    en: "connection `{connection}` verifies no certificate: whoever stands in between reads secrets and documents, and can answer in the other system's place",
    help_zh: "改用 `tls: {ca_file: ...}` 信任自己的根证书,或 `tls: {certificate: ...}` 只信任这一张证书",
    help_en: "trust your own authority with `tls: {ca_file: ...}`, or that one certificate with `tls: {certificate: ...}`",
    long_zh: "`insecure: true` 只适合测试环境。自签名证书写它的 SHA-256,一样不需要证书机构,却不会被冒充。",
    long_en: "`insecure: true` is for a test bench. A self-signed certificate is written by its SHA-256: it needs no authority either, and nobody can pass for it.",
    example: "tls: {insecure: true}    # in connections.yaml",
};
/// A name that the other system does not have.
pub const NO_SUCH_FIELD: Entry = Entry {
    code: "E1567",
    severity: Severity::Error,
    zh: "对方的 {object} 没有字段 `{name}`",
    en: "{object} has no field `{name}`, as the other system says",
    help_zh: "",
    help_en: "",
    long_zh: "`check --online` 向对方询问这个对象有哪些字段,再与方案里写的名称比较。字段因账套而异,大小写也有意义。",
    long_en: "`check --online` asks the other system which fields the object has and compares them with the names a scheme writes. Fields differ from tenant to tenant, and case matters.",
    example: "request: {FNmae: <<name>>}    # at BD_Customer",
};
/// A description that could not be had.
pub const NOT_DESCRIBED: Entry = Entry {
    code: "W1568",
    severity: Severity::Warning,
    zh: "没有得到 {object} 的字段说明,名称没有核对:{why}",
    en: "the fields of {object} could not be asked for, so the names were not checked: {why}",
    help_zh: "用 `engine connection test` 看这个连接能否使用",
    help_en: "`engine connection test` shows whether the connection works",
    long_zh: "`check --online` 需要能登录的连接和读取字段说明的权限。",
    long_en: "`check --online` needs a connection that can log in, and the right to read descriptions.",
    example: "engine check schemes --online    # while the system is away",
};
/// A key of the format that this version does not carry out.
pub const NOT_YET: Entry = Entry {
    code: "E1501",
    severity: Severity::Error,
    zh: "`{key}` 还不支持",
    en: "`{key}` is not supported yet",
    help_zh: "去掉它;引擎不会忽略它不执行的内容",
    help_en: "leave it out; the engine does not ignore what it cannot carry out",
    long_zh: "这个键属于连接器格式,但本版本还不执行它。为了不让文件看起来生效而实际没有,引擎拒绝它而不是忽略它。",
    long_en: "The key belongs to the connector format, but this version does not carry it out. It is refused rather than ignored, so that no file seems to work while it does not.",
    example: "page: {by: link}",
};

/// A recipe that is no expression.
pub const RECIPE_SYNTAX: Entry = Entry {
    code: "E1502",
    severity: Severity::Error,
    zh: "配方写法有误:{why}",
    en: "this recipe is not an expression: {why}",
    help_zh: "配方是不带花括号的 minijinja 表达式,如 `body.code == 0`",
    help_en: "a recipe is a minijinja expression without braces, such as `body.code == 0`",
    long_zh: "when、ok、let、exists 等位置是配方:不带花括号的 minijinja 表达式,最长 4 KiB。它在加载文件时编译,写错会在调用之前就报出来。",
    long_en: "`when`, `ok`, `let`, `exists` and their like hold recipes: minijinja expressions without braces, at most 4 KiB. They are compiled when the file is loaded, so a mistake shows before any call.",
    example: "when: body.code ==",
};

/// A name in a recipe that stands for nothing.
pub const RECIPE_NAME: Entry = Entry {
    code: "E1503",
    severity: Severity::Error,
    zh: "配方中没有名称 `{name}`",
    en: "there is no name `{name}` in this recipe",
    help_zh: "",
    help_en: "",
    long_zh: "配方能用的名称有:参数、`let` 中先定义的名称,以及按位置而定的 req、http、body、body_text、sent(请求中的记录数)、item、row。",
    long_en: "A recipe may name the parameters, what `let` defined before it, and, by place, req, http, body, body_text, sent (how many records the call had), item and row.",
    example: "s: req.body | hmac_sha256(app_secert)",
};

/// A filter or test in a recipe that does not exist.
pub const RECIPE_FILTER: Entry = Entry {
    code: "E1504",
    severity: Severity::Error,
    zh: "配方中没有过滤器或测试 `{name}`",
    en: "recipes have no filter or test `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "配方可以用的过滤器和测试是固定的一组,见连接器格式的说明。",
    long_en: "The filters and tests of recipes are a fixed set; the connector format lists them.",
    example: "s: req.body | sha265 | hex",
};

/// A word that is not one of those allowed.
pub const BAD_WORD: Entry = Entry {
    code: "E1505",
    severity: Severity::Error,
    zh: "`{key}` 不能是 `{value}`",
    en: "`{key}` cannot be `{value}`",
    help_zh: "可用的值:{allowed}",
    help_en: "allowed: {allowed}",
    long_zh: "这个键只接受固定的几个值。",
    long_en: "This key takes one of a fixed set of words.",
    example: "class: okay",
};

/// A value of the wrong kind.
pub const BAD_VALUE: Entry = Entry {
    code: "E1506",
    severity: Severity::Error,
    zh: "`{key}` 应为{want_zh},这里是 `{value}`",
    en: "`{key}` must be {want_en}, not `{value}`",
    help_zh: "",
    help_en: "",
    long_zh: "这个位置要求另一种写法的值,例如时长写作 30s、6m、24h,大小写作 32MiB,速率写作 60/min。",
    long_en: "This place takes a value of another form: a duration is written 30s, 6m or 24h, a size 32MiB, a rate 60/min.",
    example: "timeout: fast",
};

/// A key that must be written.
pub const MISSING_KEY: Entry = Entry {
    code: "E1507",
    severity: Severity::Error,
    zh: "{where} 缺少 `{key}`",
    en: "{where} lacks `{key}`",
    help_zh: "",
    help_en: "",
    long_zh: "这个键没有默认值,必须写出。",
    long_en: "The key has no default and must be written.",
    example: "operations: {list: {kind: read}}",
};

/// `$param.x`, `$option.x`, `$let.x`, `$auth.x` or `$form.x` that is not declared.
pub const UNKNOWN_NAME: Entry = Entry {
    code: "E1508",
    severity: Severity::Error,
    zh: "没有声明 `{name}`",
    en: "`{name}` is not declared",
    help_zh: "",
    help_en: "",
    long_zh: "连接器里的 `<<$param.x>>`、`<<$option.x>>`、`<<$let.x>>`、`<<$auth.x>>`、`<<$form.x>>` 只能指向同一文件里声明过的名称。",
    long_en: "In a connector `<<$param.x>>`, `<<$option.x>>`, `<<$let.x>>`, `<<$auth.x>>` and `<<$form.x>>` must name something that the same file declares.",
    example: "path: <<$param.sever>>",
};

/// Two operations that answer to one name.
pub const DUPLICATE_NAME: Entry = Entry {
    code: "E1509",
    severity: Severity::Error,
    zh: "`{name}` 已经是操作 `{other}` 的名称",
    en: "`{name}` is already a name of operation `{other}`",
    help_zh: "",
    help_en: "",
    long_zh: "操作的名称、别名合在一起必须唯一,否则方案里的 `api` 指向哪一个并不明确。",
    long_en: "Names and aliases of operations must be unique together, or a scheme's `api` would be ambiguous.",
    example: "aliases: [Save]",
};

/// `extends` that leads nowhere or in a circle.
pub const EXTENDS: Entry = Entry {
    code: "E1510",
    severity: Severity::Error,
    zh: "`extends: {name}` 没有指向另一个操作",
    en: "`extends: {name}` does not lead to another operation",
    help_zh: "",
    help_en: "",
    long_zh: "`extends` 指向 `shapes` 或 `operations` 中的另一项,被指向的内容垫在下面。链条不能绕回自己,最多 8 层。",
    long_en: "`extends` names another entry of `shapes` or `operations`, which is laid under this one. The chain may not come back to itself and has at most 8 links.",
    example: "extends: submitt",
};

/// A row of `outcome` that cannot be tried or says nothing.
pub const OUTCOME_ROW: Entry = Entry {
    code: "E1511",
    severity: Severity::Error,
    zh: "`outcome` 的每一行要有 `when` 或 `code` 之一,并且有 `class`",
    en: "a row of `outcome` has one of `when` and `code`, and a `class`",
    help_zh: "",
    help_en: "",
    long_zh: "结果表按顺序尝试:`when` 是配方,`code` 是一个值、一个列表或 any;两者恰好写一个。",
    long_en: "The table is tried in order: `when` is a recipe, `code` a value, a list, or any; exactly one of the two is written.",
    example: "outcome: [{class: ok}]",
};

/// `unknown.ask` that names no read operation.
pub const UNKNOWN_ASK: Entry = Entry {
    code: "E1512",
    severity: Severity::Error,
    zh: "`unknown.ask: {name}` 不是一个读取操作",
    en: "`unknown.ask: {name}` is not a read operation",
    help_zh: "",
    help_en: "",
    long_zh: "答复丢失后,引擎用 `ask` 所指的读取操作按键查询目标。它必须存在、是读取操作、并且能按条件过滤。",
    long_en: "After a lost answer the engine asks the target by key with the operation that `ask` names. It must exist, be a read, and take a filter.",
    example: "unknown: {ask: bill_qurey}",
};

/// Asking by id after a create.
pub const ASK_BY_ID: Entry = Entry {
    code: "E1513",
    severity: Severity::Error,
    zh: "`by: id` 不能用于 `create`:答复丢失时还没有 id",
    en: "`by: id` cannot serve a create: when its answer is lost there is no id",
    help_zh: "改为 `by: key`",
    help_en: "use `by: key`",
    long_zh: "新建的答复一旦丢失,目标给的 id 就不知道,只能按键查询。",
    long_en: "When the answer to a create is lost, the id is unknown; only a key can be asked for.",
    example: "unknown: {by: id}",
};

/// An outcome table under which nothing succeeds.
pub const NEVER_OK: Entry = Entry {
    code: "E1564",
    severity: Severity::Error,
    zh: "操作 `{operation}` 的任何答复都不会成功:结果表里没有 `class: ok` 或 `class: rows`",
    en: "no answer to operation `{operation}` is ever a success: no row of its outcome table says `class: ok` or `class: rows`",
    help_zh: "加一行,如 `{when: body.ok == true, class: ok}`",
    help_en: "add a row such as `{when: body.ok == true, class: ok}`",
    long_zh: "没有匹配任何一行的答复是故障:读取的页失败,写入要去查。一张从不说成功的表,会让每次调用都失败。",
    long_en: "An answer that matches no row is a fault: a page fails, a write is asked about. Under a table that never says success every call fails.",
    example: "outcome: [{when: http.status >= 400, class: fault}]",
};

/// A write of a scheme's own, with nothing that says when it succeeded.
pub const BY_STATUS_ALONE: Entry = Entry {
    code: "E1575",
    severity: Severity::Error,
    zh: "没有写怎样才算写入成功:只看 HTTP 状态,应答里的错误会被当成成功",
    en: "nothing says when a write succeeded: by the HTTP status alone, an error inside the answer would count as success",
    help_zh: "写 `item: {id: 应答里的 id}`、`items` 或 `outcome: [{when: body.code == 0, class: ok}, …]`",
    help_en: "write `item: {id: where the answer has it}`, `items`, or `outcome: [{when: body.code == 0, class: ok}, …]`",
    long_zh: "许多系统用 HTTP 200 回答错误。方案自己写的写入操作,须说明应答里的什么证明了成功:新建返回的 id、逐条的结果,或结果表里的一行。对方确实只用状态回答时,写 `outcome: [{when: \"http.status in [200, 204]\", class: ok}]`。",
    long_en: "Many systems answer errors with HTTP 200. A write that a scheme writes itself has to say what in the answer proves success: the id of what was made, a verdict for each record, or a row of the outcome table. For a system that does answer by its status alone, write `outcome: [{when: \"http.status in [200, 204]\", class: ok}]`.",
    example: "operation: {kind: write, method: POST, path: orders, body: <<$record>>, writes: [update]}",
};

/// A proof by question, and no question.
pub const PROOF_WITHOUT_ASK: Entry = Entry {
    code: "E1565",
    severity: Severity::Error,
    zh: "操作 `{operation}` 写了 `proof: {proof}`,却没有写怎样查询(`unknown.ask`)",
    en: "operation `{operation}` says `proof: {proof}` and not how to ask (`unknown.ask`)",
    help_zh: "写 `unknown: {ask: 读取操作, fields: {id: …}, by: key, …}`;不能查询时写 `proof: none`",
    help_en: "write `unknown: {ask: a read operation, fields: {id: …}, by: key, …}`, or `proof: none` if it cannot be asked",
    long_zh: "新建的答复丢失之后,要靠查询得知单据在不在。声明了查询却没有查询的办法,每条这样的记录都会停在人工处理。",
    long_en: "Once the answer to a create is lost, a question tells whether the document is there. With the promise and no question every such record would wait for a person.",
    example: "writes: [create]\nproof: unique_key",
};

/// A signature among form fields, and a body that is no form.
pub const FORM_SIGNED: Entry = Entry {
    code: "E1563",
    severity: Severity::Error,
    zh: "`sign.form` 把签名放进表单,但操作 `{operation}` 的正文不是表单",
    en: "`sign.form` puts the signature among form fields, but the body of operation `{operation}` is no form",
    help_zh: "写 `encode: form`,或把签名放进 `sign.headers`、`sign.query`",
    help_en: "write `encode: form`, or put the signature into `sign.headers` or `sign.query`",
    long_zh: "签名在正文成为字节之后计算,再作为字段追加到表单。JSON 正文没有地方放它。",
    long_en: "A signature is computed once the body is bytes and is then added to the form as a field. A JSON body has no place for it.",
    example: "sign: {form: {sign: <<$let.s>>}}\noperations: {orders: {kind: read, path: orders, encode: json}}",
};

/// `makes` names what is no step.
pub const MAKES_NO_STEP: Entry = Entry {
    code: "E1529",
    severity: Severity::Error,
    zh: "`makes` 里的 `{name}` 不是写步骤的操作",
    en: "`{name}` in `makes` is no operation that makes a step",
    help_zh: "写一个 writes: [step] 的操作名",
    help_en: "name an operation with `writes: [step]`",
    long_zh: "`makes` 列出目标在同一调用中完成的步骤。没有完成的步骤由引擎用这里的操作单独执行。",
    long_en: "`makes` lists the steps that the target makes in the same call. One that it did not get through is made by itself, with the operation named here.",
    example: "options: {AutoAudit: {type: bool, makes: [audit]}}",
};

/// Class `rows` without `items`.
pub const ROWS_WITHOUT_ITEMS: Entry = Entry {
    code: "E1514",
    severity: Severity::Error,
    zh: "`class: rows` 需要操作写出 `items`",
    en: "`class: rows` needs the operation's `items`",
    help_zh: "",
    help_en: "",
    long_zh: "`rows` 的意思是逐行判定,`items` 说明成功和失败的行在答复的哪里。",
    long_en: "`rows` means a verdict per row, and `items` says where in the answer the good and the bad rows stand.",
    example: "outcome: [{when: body.errors, class: rows}]",
};

/// `forms` without the row for all others.
pub const FORMS: Entry = Entry {
    code: "E1515",
    severity: Severity::Error,
    zh: "`forms` 缺少 `\"*\"` 行",
    en: "`forms` lacks the row `\"*\"`",
    help_zh: "",
    help_en: "",
    long_zh: "表里没有的业务对象用 `\"*\"` 这一行。没有它,写到新的表单时键和证明方式就没有着落。",
    long_en: "A form that is not in the table uses the row `\"*\"`. Without it the key and the proof of a new form would be nowhere.",
    example: "forms: {BD_Customer: {id: FCUSTID}}",
};

/// A `path` that is not the plain path of a URL.
pub const BAD_PATH: Entry = Entry {
    code: "E1516",
    severity: Severity::Error,
    zh: "地址路径 `{path}` 不合适:{why}",
    en: "the path `{path}` cannot be called: {why}",
    help_zh: "",
    help_en: "",
    long_zh: "操作的 `path` 接在服务器地址之后;它不能带协议、主机、`?`、`#`、`..` 或空白。",
    long_en: "An operation's `path` is put behind the server's address; it has no scheme, host, `?`, `#`, `..` or blanks.",
    example: "path: https://example.com/x",
};

/// A connector that does not exist.
pub const UNKNOWN_CONNECTOR: Entry = Entry {
    code: "E1550",
    severity: Severity::Error,
    zh: "没有名为 `{name}` 的连接器",
    en: "there is no connector `{name}`",
    help_zh: "可用的连接器:{all}",
    help_en: "connectors: {all}",
    long_zh: "连接的 `connector` 是内置连接器的 id。",
    long_en: "A connection's `connector` is the id of a built-in connector.",
    example: "connector: kingdee-k3",
};

/// A parameter that the connector does not declare.
pub const UNKNOWN_PARAM: Entry = Entry {
    code: "E1551",
    severity: Severity::Error,
    zh: "连接器 `{connector}` 没有参数 `{name}`",
    en: "connector `{connector}` has no parameter `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "`params` 只能写连接器声明过的参数。",
    long_en: "`params` may only hold parameters that the connector declares.",
    example: "params: {sever: \"https://…\"}",
};

/// A secret that is written into the file.
pub const SECRET_IN_CLEAR: Entry = Entry {
    code: "E1552",
    severity: Severity::Error,
    zh: "参数 `{name}` 是密钥,不能明文写在文件里",
    en: "parameter `{name}` is a secret and may not stand in the file in clear text",
    help_zh: "写成 `\"${secret:名称}\"` 或 `\"${env:变量}\"`",
    help_en: "write `\"${secret:NAME}\"` or `\"${env:VARIABLE}\"`",
    long_zh: "密钥只以引用的形式出现在连接文件里,这样文件可以放进版本库。引擎只在真正要用时取出它。",
    long_en: "A connections file holds secrets only as references, so that it can be kept under version control. A reference is resolved only when it is needed.",
    example: "params: {app_secret: s3cret}",
};

/// A `${…}` that is no reference.
pub const BAD_REFERENCE: Entry = Entry {
    code: "E1553",
    severity: Severity::Error,
    zh: "`{text}` 不是引用",
    en: "`{text}` is not a reference",
    help_zh: "写成 `${env:变量}` 或 `${secret:名称}`,名称由字母、数字、`_`、`-`、`.` 组成",
    help_en: "write `${env:VARIABLE}` or `${secret:NAME}`; a name has letters, digits, `_`, `-` and `.`",
    long_zh: "`${` 在连接文件中总是引用的开始。",
    long_en: "In a connections file `${` always begins a reference.",
    example: "params: {key: \"${HUKE_KEY}\"}",
};

/// A required parameter that an environment does not give.
pub const MISSING_PARAM: Entry = Entry {
    code: "E1554",
    severity: Severity::Error,
    zh: "连接 `{connection}` 在环境 `{env}` 中缺少参数 `{name}`",
    en: "connection `{connection}` lacks parameter `{name}` in environment `{env}`",
    help_zh: "写在 `{connection}` 的 `params` 下,各环境不同时写在它的 `env`、`{env}`、`params` 下",
    help_en: "write it under `params` of `{connection}`, or where environments differ under its `env`, `{env}`, `params`",
    long_zh: "没有默认值、又在当前认证方式下要用到的参数必须给出;可以写在连接的 `params` 里,也可以写在环境里。",
    long_en: "A parameter without a default that the chosen way of authentication uses must be given, in the connection's `params` or in the environment's.",
    example: "env: {prod: {params: {acct: \"1\"}}}",
};

/// A parameter of the wrong kind.
pub const PARAM_TYPE: Entry = Entry {
    code: "E1555",
    severity: Severity::Error,
    zh: "参数 `{name}` 应为{want_zh},这里是 `{value}`",
    en: "parameter `{name}` must be {want_en}, not `{value}`",
    help_zh: "",
    help_en: "",
    long_zh: "连接器为每个参数声明了类型。",
    long_en: "The connector declares a type for each parameter.",
    example: "params: {lcid: zh}",
};

/// Plain http to a host that is not this machine or network.
pub const PLAIN_HTTP: Entry = Entry {
    code: "E1557",
    severity: Severity::Error,
    zh: "`{host}` 使用明文 http",
    en: "`{host}` would be called by plain http",
    help_zh: "改用 https;确认网络可信时在连接上写 `allow_plain_http: true`",
    help_en: "use https; if the network can be trusted, write `allow_plain_http: true` on the connection",
    long_zh: "明文 http 会让沿途的人看到密钥和数据。回环地址和私有地址字面写出时允许,其他主机要明确同意。",
    long_en: "With plain http everybody on the way sees credentials and data. Loopback and private addresses written literally are fine; any other host needs consent.",
    example: "params: {server: \"http://erp.example.com/\"}",
};

/// A parameter that should be a URL.
pub const BAD_URL: Entry = Entry {
    code: "E1558",
    severity: Severity::Error,
    zh: "参数 `{name}` 不是可用的地址:{why_zh}",
    en: "parameter `{name}` is not a usable address: {why_en}",
    help_zh: "写成 https://主机/路径/",
    help_en: "write https://host/path/",
    long_zh: "地址要有 http 或 https、主机,可以有端口和路径;不能带用户名、查询串或片段。",
    long_en: "An address has http or https, a host, and may have a port and a path; it has no user, query or fragment.",
    example: "params: {server: erp.example.com}",
};

/// An address that is never called.
pub const BLOCKED_ADDRESS: Entry = Entry {
    code: "E1559",
    severity: Severity::Error,
    zh: "地址 `{host}` 永远不允许调用",
    en: "address `{host}` is never called",
    help_zh: "",
    help_en: "",
    long_zh: "169.254.0.0/16、fe80::/10、未指定地址和组播地址是元数据服务等的所在,不论文件怎么写都不调用。",
    long_en: "169.254.0.0/16, fe80::/10, the unspecified address and multicast are where metadata services and the like live; they are not called whatever a file says.",
    example: "params: {server: \"http://169.254.169.254/\"}",
};

/// A name that no connection can have.
pub const BAD_NAME: Entry = Entry {
    code: "E1560",
    severity: Severity::Error,
    zh: "`{value}` 不能作为连接的名称",
    en: "`{value}` cannot be the name of a connection",
    help_zh: "名称由字母(可用中文)、数字、`_` 和 `-` 组成,最长 64 个字符",
    help_en: "a name has letters of any script, digits, `_` and `-`, and at most 64 characters",
    long_zh: "连接的名称会出现在提示、命令和账本里,所以不接受空白、斜杠和控制字符。",
    long_en: "The name of a connection appears in messages, commands and the ledger: it has no blanks, slashes or control characters.",
    example: "connections: {../k3: {connector: kingdee-k3cloud}}",
};

/// A name that no environment can have.
pub const BAD_ENV: Entry = Entry {
    code: "E1562",
    severity: Severity::Error,
    zh: "`{value}` 不能作为环境的名称",
    en: "`{value}` cannot be the name of an environment",
    help_zh: "名称由 ASCII 字母、数字、`_` 和 `-` 组成,最长 64 个字符",
    help_en: "a name has ASCII letters, digits, `_` and `-`, and at most 64 characters",
    long_zh: "环境的名称就是它的数据目录 `.engine/<环境>/` 的名称,所以只接受在任何系统上都安全的字符;`con`、`nul` 等设备名也不接受。",
    long_en: "The name of an environment is that of its data directory, `.engine/<env>/`, so it may only hold characters that are safe everywhere; device names such as `con` and `nul` are refused, too.",
    example: "env: {../prod: {sandbox: true}}",
};

/// A connection that the file does not have.
pub const UNKNOWN_CONNECTION: Entry = Entry {
    code: "E1561",
    severity: Severity::Error,
    zh: "连接文件里没有连接 `{name}`",
    en: "the connections file has no connection `{name}`",
    help_zh: "",
    help_en: "",
    long_zh: "连接要先写在 connections.yaml 里。",
    long_en: "A connection must stand in connections.yaml.",
    example: "source: {connection: hukee}",
};

/// A key of a connection that means nothing to a database.
pub const NOT_FOR_DATABASE: Entry = Entry {
    code: "E1569",
    severity: Severity::Error,
    zh: "`{key}` 不能用于 {driver} 连接:{why_zh}",
    en: "`{key}` cannot be used by a {driver} connection: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "连接里写了却不起作用的设置会让人以为它生效,所以不接受。",
    long_en: "A setting that does nothing would be believed to do something, so it is not taken.",
    example: "erp: {connector: mysql, proxy: {url: http://proxy.example.com:3128}, params: {...}}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &UNKNOWN_KEY,
    &KIND,
    &BAD_ID,
    &UNKNOWN_ZONE,
    &NOT_YET,
    &INSECURE,
    &NO_SUCH_FIELD,
    &NOT_DESCRIBED,
    &RECIPE_SYNTAX,
    &RECIPE_NAME,
    &RECIPE_FILTER,
    &BAD_WORD,
    &BAD_VALUE,
    &MISSING_KEY,
    &UNKNOWN_NAME,
    &DUPLICATE_NAME,
    &EXTENDS,
    &OUTCOME_ROW,
    &UNKNOWN_ASK,
    &ASK_BY_ID,
    &NEVER_OK,
    &BY_STATUS_ALONE,
    &PROOF_WITHOUT_ASK,
    &FORM_SIGNED,
    &MAKES_NO_STEP,
    &ROWS_WITHOUT_ITEMS,
    &FORMS,
    &BAD_PATH,
    &UNKNOWN_CONNECTOR,
    &UNKNOWN_PARAM,
    &SECRET_IN_CLEAR,
    &BAD_REFERENCE,
    &MISSING_PARAM,
    &PARAM_TYPE,
    &PLAIN_HTTP,
    &BAD_URL,
    &BLOCKED_ADDRESS,
    &BAD_NAME,
    &UNKNOWN_CONNECTION,
    &BAD_ENV,
    &NOT_FOR_DATABASE,
];
