//! E6000-E6029: requests to the server, and why they are refused.

use super::Entry;
use crate::diagnostic::Severity;

/// The request names nobody that is known.
pub const UNKNOWN_CALLER: Entry = Entry {
    code: "E6001",
    severity: Severity::Error,
    zh: "没有有效的令牌或登录",
    en: "there is no valid token or login",
    help_zh: "在请求头写 Authorization: Bearer 令牌;令牌由 engine token create 建立",
    help_en: "send the header Authorization: Bearer TOKEN; engine token create makes one",
    long_zh: "令牌缺失、写错、过期、被撤销,或登录已结束。服务不说明是哪一种:那会告诉别人哪些令牌存在过。用 engine token list 查看有效期。",
    long_en: "The token is missing, wrong, expired or revoked, or the login has ended. Which of these is not said: it would tell others which tokens exist. `engine token list` shows when tokens expire.",
    example: "curl http://127.0.0.1:8630/api/v1/schemes",
};

/// A scope is missing.
pub const NOT_ALLOWED: Entry = Entry {
    code: "E6002",
    severity: Severity::Error,
    zh: "此操作需要权限 {scope}",
    en: "this operation needs the scope {scope}",
    help_zh: "用有该权限的令牌;权限在建立令牌时以 --scope 给出",
    help_en: "use a token with that scope; scopes are given by --scope when a token is made",
    long_zh: "权限有四种:read 查看,operate 运行、暂停与处理数据,edit 修改方案,admin 管理令牌与用户并包含其他三种。operate 与 edit 都包含 read。限于某些方案的令牌看不到其他方案,也不能用于整个系统的操作。",
    long_en: "There are four scopes: `read` looks, `operate` runs, pauses and decides about records, `edit` changes schemes, `admin` manages tokens and users and includes the others. `operate` and `edit` include `read`. A token that is limited to schemes sees no other scheme and may not do what concerns the whole system.",
    example: "curl -X DELETE -H 'Authorization: Bearer TOKEN' http://127.0.0.1:8630/api/v1/tokens/1",
};

/// There is no such thing.
pub const NOT_FOUND: Entry = Entry {
    code: "E6003",
    severity: Severity::Error,
    zh: "没有 {what}",
    en: "there is no {what}",
    help_zh: "检查地址与编号;所有操作见 /api/v1/openapi.json",
    help_en: "check the address and the id; /api/v1/openapi.json lists every operation",
    long_zh: "地址不对,或者其中的编号、名称没有对应的对象,或者令牌不能看到它。",
    long_en: "The address is wrong, or the id or name in it belongs to nothing, or to something that the token may not see.",
    example: "GET /api/v1/schemes/unknown",
};

/// The address is right and the method is not.
pub const METHOD: Entry = Entry {
    code: "E6004",
    severity: Severity::Error,
    zh: "{path} 不支持 {method}",
    en: "{path} does not support {method}",
    help_zh: "可用的方法见响应头 Allow",
    help_en: "the header Allow of the answer lists the methods",
    long_zh: "地址存在,但不接受这个方法。",
    long_en: "The address exists and does not take this method.",
    example: "DELETE /api/v1/runs",
};

/// The request cannot be read.
pub const MALFORMED: Entry = Entry {
    code: "E6005",
    severity: Severity::Error,
    zh: "请求有误:{what}",
    en: "the request cannot be used: {what}",
    help_zh: "对照 /api/v1/openapi.json 中的参数与正文",
    help_en: "compare parameters and body with /api/v1/openapi.json",
    long_zh: "查询参数、请求头或正文不符合 OpenAPI 文件中的形状:缺少必填项、类型不对、有未知的键,或不是 JSON。什么也没有做。",
    long_en: "A query parameter, a header or the body is not of the shape that the OpenAPI file describes: something is missing, of another type, unknown, or not JSON. Nothing was done.",
    example: "GET /api/v1/runs?limit=many",
};

/// The body is too large.
pub const TOO_LARGE: Entry = Entry {
    code: "E6006",
    severity: Severity::Error,
    zh: "请求正文超过 {most} 字节",
    en: "the body is larger than {most} bytes",
    help_zh: "分成几次发送",
    help_en: "send it in parts",
    long_zh: "正文有上限,到达上限就不再读取。一份方案最多 1 MiB。",
    long_en: "Bodies have a bound and are read no further than it. A scheme has at most 1 MiB.",
    example: "PUT /api/v1/schemes/a  (2 MiB)",
};

/// The body did not arrive in time.
pub const TOO_SLOW: Entry = Entry {
    code: "E6007",
    severity: Severity::Error,
    zh: "请求正文在 {seconds} 秒内没有到齐",
    en: "the body did not arrive within {seconds} seconds",
    help_zh: "检查网络后重发",
    help_en: "look at the network and send it again",
    long_zh: "请求头须在 10 秒内到齐,正文须在 30 秒内到齐,否则连接被关闭:慢速的发送者不能占住服务。什么也没有做。",
    long_en: "Headers have to arrive within 10 seconds and a body within 30, or the connection is closed: nobody may hold the server by sending slowly. Nothing was done.",
    example: "POST /api/v1/preview",
};

/// A write of a scheme does not say which version was read.
pub const NEEDS_MATCH: Entry = Entry {
    code: "E6008",
    severity: Severity::Error,
    zh: "修改方案要写 If-Match",
    en: "a change of a scheme needs If-Match",
    help_zh: "先 GET 方案,把 ETag 的值写进 If-Match",
    help_en: "GET the scheme first and send its ETag as If-Match",
    long_zh: "修改与删除方案须说明以哪个版本为准,以免覆盖别人的修改。",
    long_en: "Whoever changes or deletes a scheme says which version was read, so that nobody overwrites what others changed meanwhile.",
    example: "DELETE /api/v1/schemes/a",
};

/// The scheme is not as it was read.
pub const CHANGED: Entry = Entry {
    code: "E6009",
    severity: Severity::Error,
    zh: "{what} 已被改动,当前版本是 {now}",
    en: "{what} has been changed; its version is {now} now",
    help_zh: "重新读取,合并后再写",
    help_en: "read it again, merge, and write again",
    long_zh: "读取之后有人改过这个方案或它的文件。什么也没有写。",
    long_en: "Somebody changed the scheme or its file after it was read. Nothing was written.",
    example: "PUT /api/v1/schemes/a  If-Match: \"old\"",
};

/// The state of something does not allow it.
pub const CONFLICT: Entry = Entry {
    code: "E6010",
    severity: Severity::Error,
    zh: "现在不能这样做:{what}",
    en: "this cannot be done now: {what}",
    help_zh: "查看当前状态后再决定",
    help_en: "look at its state, then decide",
    long_zh: "对象当前的状态不允许这个操作,例如已在运行、已经结束、名称已被使用。",
    long_en: "The state of the thing does not allow the operation: it runs already, has ended, or the name is taken.",
    example: "POST /api/v1/runs/7/cancel",
};

/// An idempotency key came with another request.
pub const KEY_REUSED: Entry = Entry {
    code: "E6011",
    severity: Severity::Error,
    zh: "Idempotency-Key 已用于另一个请求",
    en: "the Idempotency-Key belongs to another request",
    help_zh: "每个请求用新的键;只在重发同一请求时重复",
    help_en: "use a new key for each request, and the same one only to send it again",
    long_zh: "带 Idempotency-Key 的写操作只执行一次,24 小时内重发得到同样的回答。同一个键配上不同的方法、地址或正文,多半是程序写错了;仍在执行时重发也会得到这个回答。",
    long_en: "A write with an Idempotency-Key is carried out once, and for 24 hours the same request gets the same answer. The same key with another method, address or body is most likely a slip of the program; so is a repetition while the first is still being carried out, which gets this answer too.",
    example: "POST /api/v1/schemes/a/actions/run  Idempotency-Key: 1",
};

/// Too much at once.
pub const TOO_MANY: Entry = Entry {
    code: "E6012",
    severity: Severity::Error,
    zh: "{what} 太多,请在 {seconds} 秒后再试",
    en: "too many {what}; try again in {seconds} seconds",
    help_zh: "按响应头 Retry-After 等待",
    help_en: "wait as the header Retry-After says",
    long_zh: "服务对连接、事件流和登录的数量有上限,使一个使用者不能占住所有人的服务。",
    long_en: "Connections, event streams and logins are bounded, so that one user cannot hold the service of all.",
    example: "GET /api/v1/events  (65)",
};

/// Name or password is wrong.
pub const LOGIN_REFUSED: Entry = Entry {
    code: "E6013",
    severity: Severity::Error,
    zh: "用户名或密码不正确",
    en: "the name or the password is wrong",
    help_zh: "多次错误后要等待;管理员可用 engine user passwd 重设密码",
    help_en: "after several mistakes there is a wait; engine user passwd sets a new password",
    long_zh: "不说明是哪一个不对,所用的时间也相同。连续 5 次错误后该名称要等待 1 分钟,此后每次加倍,最多 15 分钟。",
    long_en: "Which of the two is wrong is not said, nor can it be told by the time it takes. After 5 mistakes in a row the name has to wait a minute, then twice as long each time, at most 15 minutes.",
    example: "POST /api/v1/login",
};

/// A write with a cookie lacks the header that a foreign page cannot send.
pub const NEEDS_HEADER: Entry = Entry {
    code: "E6014",
    severity: Severity::Error,
    zh: "用登录会话写入时要带请求头 X-Engine: 1",
    en: "a write with a login needs the header X-Engine: 1",
    help_zh: "由页面的程序加上该请求头",
    help_en: "let the page's program send that header",
    long_zh: "浏览器会自动带上登录的 cookie;要求一个别的网站加不上的请求头,别的网站就不能借登录写入。",
    long_en: "A browser sends the cookie of a login by itself. A header that a foreign page cannot add keeps that page from writing in the user's name.",
    example: "POST /api/v1/logout",
};

/// A cursor belongs to another list.
pub const CURSOR: Entry = Entry {
    code: "E6015",
    severity: Severity::Error,
    zh: "cursor 不可用",
    en: "the cursor cannot be used",
    help_zh: "用上一页回答中的 next,筛选条件保持不变",
    help_en: "use `next` of the page before, with the same filters",
    long_zh: "cursor 只用于得到它的那个列表与那些筛选条件;它不是编号,不能自己写。",
    long_en: "A cursor is for the list and the filters it came with. It is no number and cannot be written by hand.",
    example: "GET /api/v1/records?cursor=abc",
};

/// The body is of another type.
pub const MEDIA_TYPE: Entry = Entry {
    code: "E6016",
    severity: Severity::Error,
    zh: "正文类型应是 {wanted}",
    en: "the body has to be {wanted}",
    help_zh: "写请求头 Content-Type",
    help_en: "send the header Content-Type",
    long_zh: "按类型读取正文,不猜测。",
    long_en: "A body is read by its type; nothing is guessed.",
    example: "POST /api/v1/preview  Content-Type: text/plain",
};

/// The answer of a repeated request held a secret and is not kept.
pub const SHOWN_ONCE: Entry = Entry {
    code: "E6017",
    severity: Severity::Error,
    zh: "这个请求已经执行,回答中的秘密只显示一次",
    en: "this request was carried out, and the secret in its answer is shown once only",
    help_zh: "若没有收到,撤销后重新建立",
    help_en: "revoke it and make another if the answer was lost",
    long_zh: "令牌只在建立时显示,不保存;用同一个 Idempotency-Key 重发不会再建一个,也不能再显示。",
    long_en: "A token is shown when it is made and not kept. A repetition with the same Idempotency-Key makes no second one and cannot show the first.",
    example: "POST /api/v1/tokens  Idempotency-Key: 1",
};

/// Listening where others can reach, without anybody who could log in.
pub const NO_USER: Entry = Entry {
    code: "E6018",
    severity: Severity::Error,
    zh: "{address} 可以从别的机器访问,而还没有任何用户或令牌",
    en: "others can reach {address}, and there is no user or token yet",
    help_zh: "先 engine user add 或 engine token create;或只监听 127.0.0.1",
    help_en: "run engine user add or engine token create first, or listen on 127.0.0.1",
    long_zh: "默认只监听本机。要让别的机器访问,须先有能登录的人,否则无人能用,也说明还没有人想过谁可以用。",
    long_en: "By default only this machine is listened to. Before others may reach it there has to be somebody who can log in: without, nobody could use it, and nobody has thought about who may.",
    example: "engine serve --listen 0.0.0.0:8630",
};

/// The address cannot be listened on.
pub const NOT_LISTENING: Entry = Entry {
    code: "E6019",
    severity: Severity::Error,
    zh: "不能监听 {address}:{what}",
    en: "cannot listen on {address}: {what}",
    help_zh: "换一个端口(--listen),或结束占用它的程序",
    help_en: "choose another port (--listen), or end the program that has it",
    long_zh: "端口已被占用、地址不属于本机,或没有权限。",
    long_en: "The port is in use, the address is not this machine's, or it is not allowed.",
    example: "engine serve --listen 127.0.0.1:80",
};

/// A path leads to no value of the scheme.
pub const NO_PLACE: Entry = Entry {
    code: "E6020",
    severity: Severity::Error,
    zh: "方案中没有可以改写的位置 {path}",
    en: "the scheme has no place {path} that can be changed",
    help_zh: "路径写成 source.window.overlap 或 target.request.FEntity[0].FQty",
    help_en: "write paths like source.window.overlap or target.request.FEntity[0].FQty",
    long_zh: "PATCH 改写一个已有的值,或在已有的映射里加一个键。路径要通到那里,也不能经过别名(*name):那会同时改动别的位置。",
    long_en: "PATCH changes a value that is there, or adds a key to a map that is there. The path has to lead to it, and not through an alias (`*name`), which would change other places too.",
    example: "PATCH /api/v1/schemes/a  {\"path\": \"sorce.api\", \"value\": 1}",
};

/// It cannot be answered now.
pub const UNAVAILABLE: Entry = Entry {
    code: "E6021",
    severity: Severity::Error,
    zh: "暂时无法回答:{what}",
    en: "this cannot be answered now: {what}",
    help_zh: "稍后再试;看 engine doctor",
    help_en: "try again later; see engine doctor",
    long_zh: "账本或它的磁盘暂时不可用,或服务正在停止。什么也没有改动。",
    long_en: "The ledger or its disk is not available for the moment, or the server is stopping. Nothing was changed.",
    example: "GET /readyz",
};

/// Nobody answers where the server should be.
pub const NO_SERVER: Entry = Entry {
    code: "E6027",
    severity: Severity::Error,
    zh: "连接不到服务 {server}:{why}",
    en: "the server {server} cannot be reached: {why}",
    help_zh: "检查 --server(或 ENGINE_SERVER)的地址,以及 engine serve 是否在运行;本机的服务也可以不写 --server 而看数据目录",
    help_en: "check the address of --server (or ENGINE_SERVER), and whether engine serve runs; on its own machine its data directory can be looked at without --server",
    long_zh: "命令行要向运行中的服务提问,而那个地址没有应答:地址或端口写错、服务没有运行、防火墙拦截,或证书不被信任(--server-ca 给出公司自己的证书颁发机构)。什么也没有发出,所以什么也没有改动。",
    long_en: "The command line was to ask a running server, and nobody answers at that address: the address or the port is wrong, the server does not run, a firewall is in between, or its certificate is not trusted (`--server-ca` names the authority of a company). Nothing was sent, so nothing was changed.",
    example: "engine status --server http://127.0.0.1:9",
};

/// The request went out and its answer did not come.
pub const ANSWER_LOST: Entry = Entry {
    code: "E6028",
    severity: Severity::Error,
    zh: "服务 {server} 的回答没有到达:{why}",
    en: "the answer of the server {server} did not come: {why}",
    help_zh: "先查看现在的状态,再决定是否重复;看 engine logs",
    help_en: "look at the state as it is now before you repeat it; see engine logs",
    long_zh: "请求已经发出,而连接中断、超时,或回答不完整、过大,所以不知道服务是否已经执行。连接中断时命令行会用同一个 Idempotency-Key 再问一次。对数据的决定会与看到的状态比较,重复不会做两遍。",
    long_en: "The request had gone out when the connection broke, the time was over, or the answer ended early or was too large, so that nobody knows whether it was carried out. Where the connection broke it was asked once more with the same Idempotency-Key. Decisions about records are held against the state that was seen: a repetition does nothing twice.",
    example: "engine runs list --server http://erp.example.com:8080",
};

/// What answers is something else.
pub const NOT_A_SERVER: Entry = Entry {
    code: "E6029",
    severity: Severity::Error,
    zh: "{server} 的回答不像本引擎的服务:{what}",
    en: "what answers at {server} is no engine server: {what}",
    help_zh: "检查 --server 的地址(不含 /api/v1),中间的代理,以及两边的版本",
    help_en: "check the address of --server (without /api/v1), proxies in between, and the versions on both sides",
    long_zh: "地址上有程序应答,但不是本引擎的接口:是别的网站、登录页、代理的错误页,或版本相差太大。重定向不会被跟随,以免令牌被送到别处。",
    long_en: "Something answers at the address, and it is not the API of the engine: another site, a login page, the error page of a proxy, or a version too far apart. Redirects are not followed, so that the token is sent nowhere else.",
    example: "engine status --server https://example.com",
};

/// The family.
pub const ALL: &[&Entry] = &[
    &UNKNOWN_CALLER,
    &NOT_ALLOWED,
    &NOT_FOUND,
    &METHOD,
    &MALFORMED,
    &TOO_LARGE,
    &TOO_SLOW,
    &NEEDS_MATCH,
    &CHANGED,
    &CONFLICT,
    &KEY_REUSED,
    &TOO_MANY,
    &LOGIN_REFUSED,
    &NEEDS_HEADER,
    &CURSOR,
    &MEDIA_TYPE,
    &SHOWN_ONCE,
    &NO_USER,
    &NOT_LISTENING,
    &NO_PLACE,
    &UNAVAILABLE,
    &NO_SERVER,
    &ANSWER_LOST,
    &NOT_A_SERVER,
];
