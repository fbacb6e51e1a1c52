//! The keys of connector and connections files: one table, from which the reader knows what may stand where.
//!
//! A key that belongs to the format but is not carried out by this version is in the table too, marked [`State::Later`]:
//! it is refused by name instead of being ignored.

/// Whether a key is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is.
    Now,
    /// It is part of the format and is refused.
    Later,
}

/// One key at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    /// The map it stands in.
    pub place: Place,
    /// Its name.
    pub name: &'static str,
    /// What it takes, in the words of the reference.
    pub kind: &'static str,
    /// Whether it is carried out.
    pub state: State,
    /// What it is for, in Chinese.
    pub zh: &'static str,
    /// What it is for, in English.
    pub en: &'static str,
}

/// A map of a file in which keys are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The connector file itself.
    Connector,
    /// One of `params`.
    Param,
    /// `transport`
    Transport,
    /// `auth`, where it has several modes.
    AuthModes,
    /// `auth`, or one of its modes.
    Mode,
    /// `login` or `token`.
    Login,
    /// One of `steps` of a login.
    LoginStep,
    /// `apply` of a login.
    Apply,
    /// `csrf`
    Csrf,
    /// `sign`
    Sign,
    /// A row of `outcome`.
    Outcome,
    /// `limits` of a connector.
    Limits,
    /// `limits` of an operation.
    OperationLimits,
    /// A row of `forms`.
    Form,
    /// One of `operations` or `shapes`.
    Operation,
    /// `part`
    Part,
    /// `async` of an operation.
    Async,
    /// `describes` of an operation.
    Describes,
    /// `verify` of an operation that takes pushes.
    Verify,
    /// `push` of such an operation.
    Push,
    /// `answer` of such an operation.
    PushAnswer,
    /// `stored` and `refused` of an answer.
    PushReply,
    /// One of `options`.
    Option,
    /// `fields` of an operation.
    Fields,
    /// `filter` of an operation.
    Filter,
    /// `items.index`.
    ItemIndex,
    /// `filter.names`.
    FilterNames,
    /// `window` of an operation.
    Window,
    /// `page`
    Page,
    /// `page.then`
    PageThen,
    /// `rows`
    Rows,
    /// `batch`
    Batch,
    /// `items`
    Items,
    /// `item`
    Item,
    /// `unknown`
    Unknown,
    /// One of `tests`.
    Test,
    /// `answer` of a test.
    TestAnswer,
    /// `push` of a test.
    TestPush,
    /// `sign` of a test.
    TestSign,
    /// `expect` of a test.
    TestExpect,
    /// A connections file itself.
    Connections,
    /// One of `connections`.
    Connection,
    /// One of its `env`.
    ConnectionEnv,
    /// `limits` of a connection.
    ConnectionLimits,
    /// `timeouts`
    Timeouts,
    /// `proxy`
    Proxy,
    /// `tls`
    Tls,
}

impl Place {
    /// What the place is called, in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Place::Connector => ("连接器文件", "a connector file"),
            Place::Param => ("参数", "a parameter"),
            Place::Transport => ("transport", "transport"),
            Place::AuthModes => ("auth", "auth"),
            Place::Mode => ("认证方式", "a way of authentication"),
            Place::Login => ("登录", "a login"),
            Place::LoginStep => ("登录的一步", "a step of a login"),
            Place::Apply => ("apply", "apply"),
            Place::Csrf => ("csrf", "csrf"),
            Place::Sign => ("sign", "sign"),
            Place::Outcome => ("outcome 的一行", "a row of outcome"),
            Place::Limits => ("limits", "limits"),
            Place::OperationLimits => ("操作的 limits", "limits of an operation"),
            Place::Form => ("forms 的一行", "a row of forms"),
            Place::Operation => ("操作", "an operation"),
            Place::Part => ("part", "part"),
            Place::Async => ("async", "async"),
            Place::Describes => ("describes", "describes"),
            Place::Verify => ("verify", "verify"),
            Place::Push => ("push", "push"),
            Place::PushAnswer => ("接收的 answer", "answer to a push"),
            Place::PushReply => ("answer 的 stored、refused", "stored and refused of an answer"),
            Place::Option => ("选项", "an option"),
            Place::Fields => ("fields", "fields"),
            Place::Filter => ("filter", "filter"),
            Place::ItemIndex => ("items.index", "items.index"),
            Place::FilterNames => ("filter.names", "filter.names"),
            Place::Window => ("window", "window"),
            Place::Page => ("page", "page"),
            Place::PageThen => ("page.then", "page.then"),
            Place::Rows => ("rows", "rows"),
            Place::Batch => ("batch", "batch"),
            Place::Items => ("items", "items"),
            Place::Item => ("item", "item"),
            Place::Unknown => ("unknown", "unknown"),
            Place::Test => ("测试", "a test"),
            Place::TestAnswer => ("测试的 answer", "answer of a test"),
            Place::TestPush => ("测试的 push", "push of a test"),
            Place::TestSign => ("测试的 sign", "sign of a test"),
            Place::TestExpect => ("测试的 expect", "expect of a test"),
            Place::Connections => ("连接文件", "a connections file"),
            Place::Connection => ("连接", "a connection"),
            Place::ConnectionEnv => ("连接的环境", "an environment of a connection"),
            Place::ConnectionLimits => ("连接的 limits", "limits of a connection"),
            Place::Timeouts => ("timeouts", "timeouts"),
            Place::Proxy => ("proxy", "proxy"),
            Place::Tls => ("tls", "tls"),
        }
    }
}

const fn now(
    place: Place,
    name: &'static str,
    kind: &'static str,
    zh: &'static str,
    en: &'static str,
) -> KeyRow {
    KeyRow {
        place,
        name,
        kind,
        state: State::Now,
        zh,
        en,
    }
}

const fn later(
    place: Place,
    name: &'static str,
    kind: &'static str,
    zh: &'static str,
    en: &'static str,
) -> KeyRow {
    KeyRow {
        place,
        name,
        kind,
        state: State::Later,
        zh,
        en,
    }
}

/// Every key, place by place.
#[rustfmt::skip] // one line a key: a table to be read
pub const KEYS: &[KeyRow] = &[
    now(Place::Connector, "connector", "id", "连接器的 id", "id of the connector"),
    now(Place::Connector, "name", "text or {zh, en}", "名称", "what people call it"),
    now(Place::Connector, "version", "int", "文件的版本号", "version of the file"),
    now(Place::Connector, "zone", "zone", "该系统时间文本的时区", "zone of the system's clock texts"),
    now(Place::Connector, "verified", "map", "每项声明有多可靠:vector probe doc client guess", "how sure each claim is: vector probe doc client guess"),
    now(Place::Connector, "params", "map", "连接要给出的参数", "what a connection gives"),
    now(Place::Connector, "account", "list", "哪些参数决定账号;换了账号,账本会拒绝", "the parameters that make up the account; a ledger refuses another account"),
    now(Place::Connector, "hosts", "list of values", "唯一允许调用的主机;第一个是所有路径的前缀。`*.域名`:对方给出的主机可以在这个域名之下", "the only hosts that may be called; the first is the base of every path. `*.domain`: hosts that the other system names may be below it"),
    now(Place::Connector, "transport", "map", "字节如何传输", "how bytes travel"),
    now(Place::Connector, "auth", "map", "如何证明身份", "how the caller is known"),
    now(Place::Connector, "csrf", "map", "写入之前先取、随写入带上的令牌", "a token that is fetched before the first write and carried by writes"),
    now(Place::Connector, "sign", "map", "正文成为字节之后加上的签名", "what is added once the body is bytes"),
    now(Place::Connector, "let", "map of recipes", "从答复算出的名称", "names computed from an answer"),
    now(Place::Connector, "code", "path", "业务代码在答复中的位置", "where the business code stands in an answer"),
    now(Place::Connector, "outcome", "list", "结果表,按顺序尝试", "what an answer means; rows are tried in order"),
    now(Place::Connector, "limits", "map", "频率与并发", "rate and concurrency"),
    now(Place::Connector, "shapes", "map", "供 extends 使用的部分操作", "part-operations for `extends`"),
    now(Place::Connector, "forms", "map", "按选项 FormId 查的表", "a table by option FormId"),
    now(Place::Connector, "operations", "map", "能做的事", "what one can ask for"),
    now(Place::Connector, "tests", "list", "随文件走的测试", "tests that travel with the file"),
    now(Place::Param, "type", "word", "text int bool url path choice list map", "text int bool url path choice list map"),
    now(Place::Param, "label", "text or {zh, en}", "名称", "what people call it"),
    now(Place::Param, "default", "value", "不写时的值", "what holds when nothing is said"),
    now(Place::Param, "secret", "bool", "是密钥,不得显示", "must not be seen"),
    now(Place::Param, "of", "list", "choice 的可选值", "the words of a choice"),
    now(Place::Param, "when", "recipe", "什么时候需要它", "when it is needed"),
    now(Place::Param, "example", "text", "示例", "what a value looks like"),
    now(Place::Param, "note", "text", "说明", "something to know"),
    now(Place::Transport, "driver", "word", "不走 HTTP,而是数据库或文件夹:postgresql mysql sqlserver sqlite files", "not HTTP but a database or a folder: postgresql mysql sqlserver sqlite files"),
    now(Place::Transport, "http", "word", "\"1.1\" 表示只用 HTTP/1.1", "\"1.1\": only HTTP/1.1"),
    now(Place::Transport, "timeout", "duration", "总时限", "total time"),
    now(Place::Transport, "connect", "duration", "连接时限", "time to connect"),
    now(Place::Transport, "read_cap", "size", "答复解码后的最大字节数", "most decoded bytes of an answer"),
    now(Place::Transport, "ok_status", "list", "可能成功的 HTTP 状态", "statuses that may be a success"),
    now(Place::Transport, "charset", "text", "答复没有声明编码时用它", "charset of answers that do not say"),
    now(Place::Transport, "gzip", "bool", "答复可以压缩(默认可以)", "answers may be compressed (they may, unless this says false)"),
    now(Place::Transport, "xml", "bool", "XML 类型的答复也读成值:元素是成员,重复的是列表,属性名前加 @;DTD 与实体一律拒绝", "answers of an XML type are read, too: elements are members, repeated ones lists, attributes begin with @; document types and entities are refused"),
    now(Place::AuthModes, "choose", "parameter", "选择方式的参数", "the parameter that picks a mode"),
    now(Place::AuthModes, "modes", "map", "各种方式", "the modes"),
    now(Place::Mode, "headers", "map of values", "固定的请求头", "fixed headers"),
    now(Place::Mode, "basic", "list of two values", "HTTP Basic 的用户和密码", "user and password of HTTP Basic"),
    now(Place::Mode, "login", "map", "登录换取会话", "a login that gives a session"),
    now(Place::Mode, "token", "map", "换取令牌", "a call that gives a token"),
    now(Place::Mode, "sign", "map", "签名", "a signature"),
    now(Place::Mode, "cookies", "word", "keep:保留并带回 cookie", "keep: cookies are kept and sent back"),
    now(Place::Mode, "outcome", "list", "排在最前面的结果行", "rows of the outcome table that come first"),
    now(Place::Login, "let", "map of recipes", "先算好的名称", "names computed before"),
    now(Place::Login, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::Login, "host", "value", "这次调用的服务器地址;必须在 `hosts` 之内", "the server of this call; one of `hosts`"),
    now(Place::Login, "path", "value", "地址路径", "path"),
    now(Place::Login, "query", "map of values", "查询串", "query"),
    now(Place::Login, "headers", "map of values", "请求头", "headers"),
    now(Place::Login, "body", "value", "正文", "body"),
    now(Place::Login, "encode", "word", "json form multipart xml none", "json form multipart xml none"),
    now(Place::Login, "root", "text", "encode: xml 的根元素", "the root element of encode: xml"),
    now(Place::Login, "ok", "recipe", "什么算成功", "what is a success"),
    now(Place::Login, "message", "value", "失败时对方的话在哪里", "where the other system's words stand when it is none"),
    later(Place::Login, "code", "path", "业务代码的位置", "where the business code stands"),
    now(Place::Login, "take", "map of paths", "从答复取下的内容", "what is taken from the answer"),
    now(Place::Login, "steps", "list", "由几次调用组成的登录,代替上面各项;每一步可用 `$auth.x` 取前面各步的内容", "a login of several calls, in place of the keys above; each may use `$auth.x` of those before"),
    now(Place::Login, "max_age", "duration", "最长使用时间", "how long it may be used"),
    now(Place::Login, "rate", "rate or list", "登录本身的频率,如 10/min", "rate of the login itself, such as 10/min"),
    now(Place::Login, "rotate", "bool", "每次登录都给出下一次登录要用的令牌:会话保存在数据目录", "each login gives what the next one needs: the session is kept in the data directory"),
    now(Place::Login, "start", "map of values", "第一次登录之前 $auth 的内容", "what $auth is before the first login"),
    now(Place::Login, "sign", "bool", "登录请求也按 sign 签名", "the login is signed as calls are"),
    now(Place::Login, "cookies", "word", "keep:保留并带回 cookie", "keep: cookies are kept and sent back"),
    now(Place::Login, "apply", "map", "加到每次调用上的内容", "what is put onto every call"),
    now(Place::LoginStep, "let", "map of recipes", "先算好的名称", "names computed before"),
    now(Place::LoginStep, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::LoginStep, "host", "value", "这次调用的服务器地址;必须在 `hosts` 之内", "the server of this call; one of `hosts`"),
    now(Place::LoginStep, "path", "value", "地址路径", "path"),
    now(Place::LoginStep, "query", "map of values", "查询串", "query"),
    now(Place::LoginStep, "headers", "map of values", "请求头", "headers"),
    now(Place::LoginStep, "body", "value", "正文", "body"),
    now(Place::LoginStep, "encode", "word", "json form multipart xml none", "json form multipart xml none"),
    now(Place::LoginStep, "root", "text", "encode: xml 的根元素", "the root element of encode: xml"),
    now(Place::LoginStep, "ok", "recipe", "什么算成功", "what is a success"),
    now(Place::LoginStep, "message", "value", "失败时对方的话在哪里", "where the other system's words stand when it is none"),
    now(Place::LoginStep, "take", "map of paths", "从答复取下的内容", "what is taken from the answer"),
    now(Place::LoginStep, "keep", "duration", "取下的内容可以用多久:保存在数据目录,以后的登录跳过这一步,被拒绝时才重做", "how long what it takes may be used: it is kept in the data directory, and later logins pass the step over until it is refused"),
    now(Place::Apply, "host", "value", "每次调用的服务器地址;必须在 `hosts` 之内", "the server of every call; one of `hosts`"),
    now(Place::Apply, "headers", "map of values", "请求头", "headers"),
    now(Place::Apply, "query", "map of values", "查询串", "query"),
    now(Place::Apply, "body", "map of values", "加进正文(映射或表单)的成员", "members added to the body, a map or a form"),
    now(Place::Csrf, "method", "word", "HTTP 方法;默认 GET", "HTTP method; GET unless told"),
    now(Place::Csrf, "path", "value", "取令牌的路径", "path that gives the token"),
    now(Place::Csrf, "query", "map of values", "查询串", "query"),
    now(Place::Csrf, "headers", "map of values", "请求头", "headers"),
    now(Place::Csrf, "header", "text", "请求、给出和携带令牌的请求头;默认 x-csrf-token", "the header that asks for the token, brings it and carries it; x-csrf-token unless told"),
    now(Place::Csrf, "again_when", "recipe", "什么答复表示令牌无效、什么都没有执行;默认是 403 加 `x-csrf-token: Required`", "an answer that says: the token is not good and nothing was executed; 403 with `x-csrf-token: Required` unless told"),
    now(Place::Sign, "let", "map of recipes", "逐个算出的名称", "names computed one after the other"),
    now(Place::Sign, "headers", "map of values", "请求头", "headers"),
    now(Place::Sign, "query", "map of values", "查询串", "query"),
    now(Place::Sign, "form", "map of values", "加进表单的字段,在签名算出之后", "form fields, added once the signature is computed"),
    now(Place::Outcome, "when", "recipe", "条件", "condition"),
    now(Place::Outcome, "code", "value", "一个值、一个列表或 any", "a value, a list, or any"),
    now(Place::Outcome, "class", "word", "含义", "what it means"),
    now(Place::Outcome, "wait", "duration", "等待多久", "how long to wait"),
    now(Place::Outcome, "until", "midnight or recipe", "quota_stop、throttled:什么时候再继续:midnight(系统时区的零点),或给出 Unix 毫秒的配方", "quota_stop and throttled: when it goes on: midnight, in the system's zone, or a recipe that gives Unix milliseconds"),
    now(Place::Outcome, "message", "value", "对方的话", "the other system's words"),
    now(Place::Outcome, "replay_write", "bool", "写入可以重发", "a write may be repeated"),
    now(Place::Limits, "rate", "rate or list", "频率,如 60/min", "rate, such as 60/min"),
    now(Place::Limits, "scope", "word", "频率按什么计:token 一个凭据(默认);app 一个应用,即使它有多个凭据;path 一个凭据的每个接口", "what the rate is counted by: token, one credential (default); app, one application, however many credentials it has; path, each interface of a credential"),
    now(Place::Limits, "app", "list", "scope 为 app 时:哪些参数认出应用", "with scope app: the parameters by which an application is known"),
    now(Place::Limits, "concurrency", "int", "同时调用数", "calls at once"),
    now(Place::Limits, "per_day", "int", "每天调用数,在系统所在时区的零点重新计", "calls a day, counted anew at midnight in the system's zone"),
    now(Place::Limits, "min_interval", "duration", "最短轮询间隔", "shortest interval"),
    now(Place::Limits, "reason", "text", "间隔的理由", "why"),
    now(Place::Form, "id", "text", "内部 id 字段", "field of the internal id"),
    now(Place::Form, "key", "list of paths", "默认的键", "default key"),
    now(Place::Form, "number", "text", "编码字段", "field of the number"),
    now(Place::Form, "proof", "word", "丢失答复靠什么查清", "what resolves a lost answer"),
    now(Place::Form, "label", "text or {zh, en}", "名称", "what people call it"),
    now(Place::Form, "entries", "list", "分录", "lists of lines"),
    now(Place::Operation, "kind", "word", "read write call receive", "read write call receive"),
    now(Place::Operation, "aliases", "list", "其他名称", "other names"),
    now(Place::Operation, "label", "text or {zh, en}", "名称", "what people call it"),
    now(Place::Operation, "extends", "name", "垫在下面的操作", "what is laid under it"),
    now(Place::Operation, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::Operation, "path", "value", "地址路径", "path"),
    now(Place::Operation, "query", "map of values", "查询串", "query"),
    now(Place::Operation, "headers", "map of values", "请求头", "headers"),
    now(Place::Operation, "body", "value", "正文", "body"),
    now(Place::Operation, "encode", "word", "json form multipart xml none;sql:一条语句,值单独绑定;files:对文件夹的一次读取;odata_batch:OData 批次,每条记录一个变更集", "json form multipart xml none; sql: a statement whose values are bound; files: what a folder is asked; odata_batch: an OData batch, each record in a change set of its own"),
    now(Place::Operation, "root", "text", "encode: xml 的根元素", "the root element of encode: xml"),
    now(Place::Operation, "part", "map", "odata_batch:每条记录在批次中的请求;`body` 是它的正文", "odata_batch: the request of each record in the batch; `body` is its body"),
    now(Place::Operation, "options", "map", "选项", "options"),
    now(Place::Operation, "request", "value", "方案请求下面垫的内容", "what stands under a scheme's request"),
    now(Place::Operation, "fields", "map", "$fields 怎么写", "how $fields is printed"),
    now(Place::Operation, "filter", "map", "$filter 怎么写", "how $filter is printed"),
    now(Place::Operation, "window", "map", "时间窗口", "time window"),
    now(Place::Operation, "page", "map", "翻页", "paging"),
    now(Place::Operation, "rows", "map", "数据行在哪里", "where the rows stand"),
    now(Place::Operation, "writes", "list", "create update void step", "create update void step"),
    now(Place::Operation, "key", "paths", "默认的键", "default key"),
    now(Place::Operation, "key_under", "path", "键名从哪里开始找", "below which key names stand"),
    now(Place::Operation, "id_field", "path", "更新时内部 id 放在哪里", "where a known id goes"),
    now(Place::Operation, "batch", "map", "一次多少条", "records a call"),
    now(Place::Operation, "types", "map", "按字段名规定的类型", "types by last name"),
    now(Place::Operation, "items", "map", "逐行判定", "a verdict per row"),
    now(Place::Operation, "item", "map", "单条判定", "the verdict on one record"),
    now(Place::Operation, "exists", "recipe", "表示“已存在”的拒绝", "a refusal that means: already there"),
    now(Place::Operation, "proof", "word", "丢失答复靠什么查清", "what resolves a lost answer"),
    now(Place::Operation, "unknown", "map", "丢失答复怎么查", "how a lost answer is asked for"),
    now(Place::Operation, "async", "map", "答复只是任务的编号,结果另外去问", "the answer is only the id of a task; its result is asked for"),
    now(Place::Async, "task", "path", "任务编号在答复中的位置;没有编号的答复按它自己的意思判定", "where the id of the task stands; an answer without one means what it says"),
    now(Place::Async, "poll", "operation", "用哪个操作询问", "the operation that asks"),
    now(Place::Async, "option", "name", "编号放进那个操作的哪个选项", "the option of that operation that takes the id"),
    now(Place::Async, "every", "duration", "两次询问之间(默认 1s)", "between two questions (1s)"),
    now(Place::Async, "until", "recipe", "什么算已结束", "when it is over"),
    now(Place::Async, "take", "path", "结果的位置:原操作本来的答复", "where the result stands: what the operation itself would have answered"),
    now(Place::Async, "timeout", "duration", "最多问多久(默认 10m);之后结果未知", "how long it is asked about (10m); then the outcome is unknown"),
    now(Place::Operation, "accept", "list of words", "接收:收哪些内容", "receive: which kinds of content are taken"),
    now(Place::Operation, "verify", "map", "接收:如何核验;必须写", "receive: how the sender is known; it must be there"),
    now(Place::Operation, "push", "map", "接收:推送是什么意思", "receive: what a push means"),
    now(Place::Operation, "answer", "map", "接收:如何应答", "receive: what is answered"),
    now(Place::Verify, "given", "recipe", "推送带来的值,如 headers.token", "what the push brings, such as headers.token"),
    now(Place::Verify, "equals", "recipe", "它应当等于的值,由连接的参数和原始正文算出,如 raw | hmac_sha256(secret) | hex;比较所需时间不随内容变化", "what it must equal, computed from a parameter and the body as it came, such as raw | hmac_sha256(secret) | hex; comparing takes the same time for every value"),
    now(Place::Verify, "at", "recipe", "推送产生的时刻,Unix 毫秒", "when the push was made, in Unix milliseconds"),
    now(Place::Verify, "within", "duration", "那个时刻与现在最多相差多少(默认 5m)", "how far from now that may be (5m)"),
    now(Place::Push, "id", "recipe", "发送方的 id", "the sender's id of it"),
    now(Place::Push, "void", "recipe", "什么表示作废", "what says that it was cancelled"),
    now(Place::Push, "rows", "recipe", "数据行:一个列表或一个对象;不写时是整个正文", "its rows: a list or one object; without it the whole body"),
    now(Place::Push, "ok", "recipe", "正文应有的样子;不符即拒绝", "what the body must be like; another one is refused"),
    now(Place::PushAnswer, "stored", "map", "保存之后", "once it is stored"),
    now(Place::PushAnswer, "refused", "map", "拒绝时", "when it is refused"),
    now(Place::PushReply, "status", "int", "HTTP 状态", "HTTP status"),
    now(Place::PushReply, "headers", "map of values", "响应头", "headers"),
    now(Place::PushReply, "body", "value", "正文;文本原样,其它为 JSON", "body; a text as it is, anything else as JSON"),
    now(Place::Operation, "code", "path", "业务代码的位置", "where the business code stands"),
    now(Place::Operation, "outcome", "list", "排在连接器之前的结果行", "rows put before the connector's"),
    now(Place::Operation, "describes", "map", "这个操作说明另一些操作的对象有哪些字段,供 check --online 使用", "this operation tells which fields the objects of others have, for check --online"),
    now(Place::Describes, "option", "name", "哪个选项说出对象,如 FormId;有同名选项的操作都由它说明", "the option that names the object, such as FormId; it describes every operation that has an option of this name"),
    now(Place::Describes, "head", "recipe", "对象自身的字段:列表,每项是名称,或含有名称的对象", "the fields of the object itself: a list, each a name or a map that holds it"),
    now(Place::Describes, "also", "recipe", "另外可用的名称,如主键字段", "further names that can be used, such as the field of the internal id"),
    now(Place::Describes, "name", "path", "名称在字段对象中的位置", "where the name stands in the map of a field"),
    now(Place::Describes, "lists", "recipe", "明细列表", "the lists of lines"),
    now(Place::Describes, "list_name", "path", "明细列表的名称", "the name of such a list"),
    now(Place::Describes, "list_fields", "path", "明细列表的字段", "the fields of such a list"),
    now(Place::Operation, "limits", "map", "比连接器更低的限制", "limits below the connector's"),
    now(Place::OperationLimits, "rate", "rate or list", "这个操作的频率,只能更低", "rate of this operation alone, only lower"),
    now(Place::OperationLimits, "concurrency", "int", "这个操作同时的调用数,只能更低", "calls of this operation at once, only fewer"),
    now(Place::Part, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::Part, "path", "value", "相对服务的路径", "path, relative to the service"),
    now(Place::Part, "headers", "map of values", "请求头", "headers"),
    now(Place::Option, "type", "word", "text int bool list choice decimal map", "text int bool list choice decimal map"),
    now(Place::Option, "of", "list", "choice 的可选值", "the words of a choice"),
    now(Place::Option, "default", "value", "不写时的值", "what holds when nothing is said"),
    now(Place::Option, "required", "bool", "必须写", "must be written"),
    now(Place::Option, "const", "value", "唯一的值", "its only value"),
    now(Place::Option, "send", "bool", "是否属于 $options", "whether it is part of $options"),
    now(Place::Option, "needed_when", "word", "没有安全默认值的情形", "when there is no safe default"),
    now(Place::Option, "makes", "list", "为 true 时目标在同一调用中完成的步骤", "steps that the target makes in the same call when it is true"),
    now(Place::Option, "label", "text or {zh, en}", "名称", "what people call it"),
    now(Place::Fields, "join", "text", "用什么连接", "what stands between names"),
    now(Place::Fields, "as", "word", "list:列表", "list"),
    now(Place::Fields, "required", "bool", "方案必须写 fields", "a scheme must write fields"),
    now(Place::Filter, "as", "word", "sql_text:类似 SQL 的文本;conditions:同时成立的条件列表;members:字段为键的映射,只能相等;bound:数据库语句的条件,值单独绑定;odata_text:OData 的 $filter 文本", "sql_text: text like SQL; conditions: a list of conditions that hold together; members: a map by field, equality only; bound: conditions of a statement whose values are bound; odata_text: text of an OData $filter"),
    now(Place::Filter, "names", "map", "条件的键名:field、op,以及 values(列表)或 value(单个值)", "the keys of a condition: field, op, and values (a list) or value (a single one)"),
    now(Place::Filter, "ops", "map", "系统支持的比较和它们的写法,如 eq: EQ", "the comparisons there are and their words, such as eq: EQ"),
    now(Place::Filter, "fields", "list", "只能按这些字段过滤;不写则不限", "the only fields to filter by; without it any field"),
    now(Place::Filter, "types", "map", "odata_text:字段的字面量类型,不写时是文本", "odata_text: what kind of literal a field takes; text unless told"),
    now(Place::Filter, "required", "bool", "方案必须写 filter", "a scheme must write filter"),
    now(Place::FilterNames, "field", "text", "字段名", "the field"),
    now(Place::FilterNames, "op", "text", "比较", "the comparison"),
    now(Place::FilterNames, "value", "text", "单个值", "a single value"),
    now(Place::FilterNames, "values", "text", "值的列表", "a list of values"),
    now(Place::Window, "max", "duration", "最长一段", "longest slice"),
    now(Place::Window, "keeps", "duration", "来源只保留多久以内的数据;更早而未读的时间作为缺口报告", "how far back the source answers; unread time before that is told as a gap"),
    now(Place::Window, "filter", "condition", "按时间字段的条件", "condition on the time field"),
    now(Place::Page, "by", "word", "number offset key cursor link version none", "number offset key cursor link version none"),
    now(Place::Page, "first", "int", "第一页的号码;version:第一次运行从哪个版本之后读(默认 0)", "number of the first page; version: behind which version the first run begins (0 unless it is said)"),
    now(Place::Page, "set", "path", "version:请求里放版本的地方", "version: the place of the request that gets the version"),
    now(Place::Page, "asks", "word", "version:after(默认)来源只给比请求的版本大的行;from:也给等于它的行", "version: after (the default): the source gives rows with greater versions than it is asked with; from: those with that very version, too"),
    now(Place::Page, "shared", "bool", "version:几行可能有同一个版本(默认 true);这时 asks: after 的请求少写 1,最后一个版本每页都再读一遍", "version: rows may share one (true unless it is said); asks: after then asks with one less, so that the last version is read again with every page"),
    now(Place::Page, "settle", "duration", "version:一行的版本确定之后,最多多久才能读到它(默认 60s)。最近两倍时长里读到的版本下次再读一遍", "version: how long after its version was drawn a row may still appear (60s unless it is said); the versions of twice that time are read again by the next run"),
    now(Place::Page, "size", "value", "每页行数", "rows a page"),
    now(Place::Page, "max", "value", "每页最多行数", "most rows a page"),
    now(Place::Page, "more", "short or recipe", "是否还有下一页", "whether there is another page"),
    now(Place::Page, "total", "path", "总数在哪里", "where the total stands"),
    now(Place::Page, "total_on", "word", "total 声明之后每页都必须有;first:只在第一页", "a declared total must be on every page; first: on the first only"),
    now(Place::Page, "order", "word", "fixed:行只会离开窗口(默认),按 key、cursor、link 翻页时什么也不移位;moving:行改动后留在窗口里但换位置,或者没有保证游标稳定,每一页都再看一遍", "fixed: rows only leave the window (default), and by key, cursor or link nothing shifts; moving: a changed row stays in it at another place, or nobody promises that cursors hold: every page is looked at again"),
    now(Place::Page, "multiple", "bool", "offset 必须是页大小的整数倍,不是就不发出", "an offset must be a multiple of the page's size; one that is not is not sent"),
    now(Place::Page, "ceiling", "int", "一次查询最多能翻到多少行;超过时窗口自动对半分", "most rows one query gives, page after page; a window with more is read in halves"),
    now(Place::Page, "then", "map", "到 ceiling 之后怎样继续;有它就不再对半分窗口", "how paging goes on at the ceiling; with it no window is halved"),
    now(Place::PageThen, "by", "word", "key:从上一页最后一行的值之后继续", "key: behind the last row's value"),
    now(Place::PageThen, "field", "path", "行的哪个字段;行按它升序排列,filter 里加上“大于这个值”的条件,offset 从 0 开始", "which field of a row: rows come in its rising order, the filter is told \"greater than that\", and the offset begins at 0"),
    now(Place::Page, "take", "path or paths", "cursor:下一页的标记在答复的哪里;version:max(rows.字段),行的版本在哪个字段;link:下一页的地址,只取路径和查询串", "cursor: where an answer says what the next page is asked with; version: max(rows.FIELD), the field with a row's version; link: where its address stands, of which path and query are taken"),
    now(Place::Page, "field", "path", "key:行的哪个字段,最后一行的值用来请求下一页", "key: the field of a row whose last value the next page is asked with"),
    now(Place::Rows, "at", "path", "位置;缺少即错误", "where; a missing place is an error"),
    now(Place::Rows, "columns", "word", "fields:行是列表,列名来自 fields", "fields: rows are lists, named by fields"),
    now(Place::Rows, "one", "bool", "只有一行;按条件查询时,该处为 null 表示没有", "one row; of a query by a condition, null in its place is none"),
    now(Place::Rows, "dates", "word", "odata:把 `/Date(毫秒)/` 读成时间", "odata: `/Date(ms)/` is read as a time"),
    now(Place::Batch, "max", "int", "一次最多多少条", "most records a call"),
    now(Place::Items, "good", "recipe", "成功的行", "accepted rows"),
    now(Place::Items, "bad", "recipe", "失败的行", "refused rows"),
    now(Place::Items, "all", "recipe", "所有的行", "all rows"),
    now(Place::Items, "good_when", "recipe", "哪些算成功", "which are accepted"),
    now(
        Place::Items,
        "bad_when",
        "recipe",
        "哪些算拒绝,其余的结果未知;不写时,不算成功的都算拒绝",
        "which are refused; of the others nothing is known. Without it every one that is not accepted is refused",
    ),
    now(Place::Items, "index", "path, position or {key, record}", "属于哪条记录:行号的位置;position:与记录同序且一样多;{key, record}:两边相同的字段", "which record it is about: where its number stands; position: as many as records, in their order; {key, record}: a field that both have"),
    now(Place::ItemIndex, "key", "path", "条目里的字段", "a field of the item"),
    now(Place::ItemIndex, "record", "path", "文档里的字段;不写时同名", "the field of the document; without it the same"),
    now(Place::Items, "id", "path", "内部 id", "internal id"),
    now(Place::Items, "number", "path", "编码", "number"),
    now(Place::Items, "message", "value", "拒绝的理由", "words of the refusal"),
    now(Place::Items, "field", "path", "出错的字段", "field it is about"),
    now(
        Place::Items,
        "lines",
        "recipe",
        "一行(`item`)各明细的 id:列表,或“列表名: 列表”的对象",
        "ids of the lines of `item`: a list, or lists by name",
    ),
    now(
        Place::Items,
        "line_id",
        "path",
        "明细里的 id;不写时明细本身就是 id",
        "the id within a line; without it the line itself is the id",
    ),
    now(Place::Items, "neither", "word", "unknown:两边都没有的行", "unknown: rows in neither list"),
    now(Place::Item, "id", "path", "内部 id", "internal id"),
    now(Place::Item, "number", "path", "编码", "number"),
    now(
        Place::Item,
        "lines",
        "path",
        "各明细的 id:列表,或“列表名: 列表”的对象",
        "ids of the lines: a list, or lists by name",
    ),
    now(
        Place::Item,
        "line_id",
        "path",
        "明细里的 id;不写时明细本身就是 id",
        "the id within a line; without it the line itself is the id",
    ),
    now(Place::Unknown, "wait", "duration", "多久之后才问", "how long before asking"),
    now(Place::Unknown, "ask", "operation", "用哪个操作问", "the operation that asks"),
    now(Place::Unknown, "options", "map of values", "它的选项", "its options"),
    now(Place::Unknown, "fields", "map of values", "要取的字段", "fields to fetch"),
    now(Place::Unknown, "by", "word", "key id;note:与单据在同一事务中写下的记录", "key id; note: what was noted in the transaction of the document"),
    now(Place::Unknown, "done_when", "recipe", "什么算已完成", "when it is done"),
    now(Place::Unknown, "none", "word", "没有找到:resend hold done", "nothing found: resend hold done"),
    now(Place::Unknown, "remembers", "duration", "proof: idempotency_key 时,对方记住幂等键多久(默认 24 小时);过了其中十分之九,新增转人工", "with proof: idempotency_key, how long the target remembers the key of a call (24 hours unless it says so); after nine tenths of it an addition waits for a person"),
    now(Place::Unknown, "many", "word", "找到多个:hold", "several found: hold"),
    now(Place::Test, "name", "text", "名称", "name"),
    now(Place::Test, "operation", "name", "操作", "operation"),
    now(Place::Test, "records", "int or list", "调用里有几条记录,或这些记录", "records of the call: how many, or the documents"),
    now(Place::Test, "params", "map", "参数", "parameters"),
    now(Place::Test, "options", "map", "选项", "options"),
    now(Place::Test, "fields", "list", "查询的字段", "fields of a query"),
    now(Place::Test, "answer", "map", "答复", "the answer"),
    now(Place::Test, "push", "map", "收到的推送", "a push that arrives"),
    now(Place::Test, "sign", "map", "要签名的请求", "a request to sign"),
    now(Place::Test, "expect", "map", "预期", "what is expected"),
    now(Place::TestAnswer, "status", "int", "HTTP 状态", "HTTP status"),
    now(Place::TestAnswer, "headers", "map", "响应头", "headers"),
    now(Place::TestAnswer, "json", "value", "JSON 正文", "JSON body"),
    now(Place::TestAnswer, "text", "text", "文本正文", "text body"),
    now(Place::TestPush, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::TestPush, "now", "int", "Unix 秒", "Unix seconds"),
    now(Place::TestPush, "headers", "map", "请求头", "headers"),
    now(Place::TestPush, "query", "map", "查询串", "query"),
    now(Place::TestPush, "json", "value", "JSON 正文", "JSON body"),
    now(Place::TestPush, "text", "text", "文本正文", "text body"),
    now(Place::TestSign, "mode", "word", "认证方式", "way of authentication"),
    now(Place::TestSign, "now", "int", "Unix 秒", "Unix seconds"),
    now(Place::TestSign, "method", "word", "HTTP 方法", "HTTP method"),
    now(Place::TestSign, "path", "text", "地址路径,含服务器部分", "path, with the server's part"),
    now(Place::TestSign, "query", "map", "查询串", "query"),
    now(Place::TestSign, "form", "map", "表单正文", "a form as body"),
    now(Place::TestSign, "body", "text", "正文", "body"),
    now(Place::TestSign, "step", "int", "签登录的第几次调用,从 1 数;此时 auth 是前面各步取下的内容", "which call of the login is signed, from 1; `auth` is then what the steps before took"),
    now(Place::TestSign, "auth", "map", "登录取下的内容;写了就签调用,不签登录", "what a login took; with it a call is signed, not the login"),
    now(Place::TestSign, "params", "map", "参数", "parameters"),
    now(Place::TestExpect, "items", "list", "逐行判定", "a verdict per row"),
    now(Place::TestExpect, "class", "word", "含义", "class"),
    now(Place::TestExpect, "message", "text", "对方的话", "the vendor's words"),
    now(Place::TestExpect, "until", "text", "什么时候再继续:midnight 或 Unix 毫秒", "when it goes on: midnight, or Unix milliseconds"),
    now(Place::TestExpect, "headers", "map", "请求头", "headers"),
    now(Place::TestExpect, "headers_not", "map", "不得是这些请求头", "headers that must differ"),
    now(Place::TestExpect, "query", "map", "查询串的成员", "members of the query"),
    now(Place::TestExpect, "query_not", "map", "查询串的成员,不得是这些值", "members of the query that must differ"),
    now(Place::TestExpect, "form", "map", "表单字段", "form fields"),
    now(Place::TestExpect, "form_not", "map", "表单字段,不得是这些值", "form fields that must differ"),
    now(Place::TestExpect, "body", "text", "登录的正文", "body of the login"),
    now(Place::TestExpect, "url", "text", "整个地址", "the whole address"),
    now(Place::TestExpect, "rows", "list", "数据行", "rows"),
    now(Place::TestExpect, "refused", "word", "推送为何被拒绝;不写时应被接受", "why a push is refused; without it it must be accepted"),
    now(Place::TestExpect, "void", "bool", "推送表示作废", "the push says that it was cancelled"),
    now(Place::TestExpect, "id", "text", "推送的 id", "id of the push"),
    now(Place::TestExpect, "reply", "value", "对推送的应答:文本或 JSON", "what a push is answered: text or JSON"),
    now(Place::Connections, "connections", "map", "各个连接", "the connections"),
    now(Place::Connection, "connector", "id", "连接器", "connector"),
    now(Place::Connection, "params", "map", "参数", "parameters"),
    now(Place::Connection, "env", "map", "各环境盖在上面的内容", "what each environment lays over it"),
    now(Place::Connection, "limits", "map", "频率与并发", "rate and concurrency"),
    now(Place::Connection, "timeouts", "map", "时限", "time-outs"),
    now(Place::Connection, "quiet_period", "duration", "放弃之后目标还可能执行多久", "how long a target may still execute after we gave up"),
    now(Place::Connection, "sandbox", "bool", "只用模拟器", "only the simulator is used"),
    now(Place::Connection, "allow_plain_http", "bool", "允许明文 http", "plain http is permitted"),
    now(Place::Connection, "private_network", "bool", "主机名可以指向内网地址", "its host names may lead into a private network"),
    now(Place::Connection, "proxy", "map", "经过的 HTTP 代理", "the HTTP proxy it goes through"),
    now(Place::Connection, "tls", "map", "信任哪些证书", "which certificates are trusted"),
    now(Place::Connection, "note", "text", "备注", "a note"),
    now(Place::ConnectionEnv, "params", "map", "参数", "parameters"),
    now(Place::ConnectionEnv, "limits", "map", "频率与并发", "rate and concurrency"),
    now(Place::ConnectionEnv, "timeouts", "map", "时限", "time-outs"),
    now(Place::ConnectionEnv, "quiet_period", "duration", "放弃之后目标还可能执行多久", "how long a target may still execute after we gave up"),
    now(Place::ConnectionEnv, "sandbox", "bool", "只用模拟器", "only the simulator is used"),
    now(Place::ConnectionEnv, "allow_plain_http", "bool", "允许明文 http", "plain http is permitted"),
    now(Place::ConnectionEnv, "private_network", "bool", "主机名可以指向内网地址", "its host names may lead into a private network"),
    now(Place::ConnectionEnv, "proxy", "map", "经过的 HTTP 代理", "the HTTP proxy it goes through"),
    now(Place::ConnectionEnv, "tls", "map", "信任哪些证书", "which certificates are trusted"),
    now(Place::ConnectionEnv, "note", "text", "备注", "a note"),
    now(Place::ConnectionLimits, "rate", "rate or list", "频率,如 60/min", "rate, such as 60/min"),
    now(Place::ConnectionLimits, "concurrency", "int", "同时调用数", "calls at once"),
    now(Place::ConnectionLimits, "per_day", "int", "每天调用数(购买的配额),在系统所在时区的零点重新计", "calls a day, as they were bought; counted anew at midnight in the system's zone"),
    now(Place::ConnectionLimits, "hours", "hours or list", "允许调用的时段,系统时区,如 22:00-06:00", "hours in which calls may be made, in the system's zone, such as 22:00-06:00"),
    now(Place::Proxy, "url", "text", "地址,如 http://proxy.example.com:3128;https 经 CONNECT,代理看不到内容", "its address, such as http://proxy.example.com:3128; https goes by CONNECT, so that the proxy sees nothing of it"),
    now(Place::Proxy, "user", "text", "用户", "user"),
    now(Place::Proxy, "password", "text", "密码,只能是引用", "password, only by reference"),
    now(Place::Tls, "ca_file", "text", "另外信任的根证书(PEM),路径相对于 connections.yaml", "authorities trusted beside the machine's, as PEM; the path begins at connections.yaml"),
    now(Place::Tls, "certificate", "text", "只信任这一张证书:它的 SHA-256(64 位十六进制,可含冒号)", "this certificate alone is trusted: its SHA-256, 64 hexadecimal digits, colons allowed"),
    now(Place::Tls, "insecure", "bool", "true:不验证证书,只用于测试", "true: no certificate is verified; only for tests"),
    now(Place::Timeouts, "connect", "duration", "连接", "to connect"),
    now(Place::Timeouts, "first_byte", "duration", "到第一个字节", "to the first byte"),
    now(Place::Timeouts, "idle", "duration", "两段数据之间", "between chunks"),
    now(Place::Timeouts, "total", "duration", "总计", "in all"),
];

/// The keys that may stand at a place.
pub fn at(place: Place) -> impl Iterator<Item = &'static KeyRow> {
    KEYS.iter().filter(move |row| row.place == place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_once_at_a_place() {
        let mut seen: Vec<(Place, &str)> = KEYS.iter().map(|row| (row.place, row.name)).collect();
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
