//! E7000-E7099: credentials, sessions and secrets.

use super::Entry;
use crate::diagnostic::Severity;

/// The other system refused the credentials.
pub const LOGIN_REFUSED: Entry = Entry {
    code: "E7001",
    severity: Severity::Error,
    zh: "登录被拒绝:{vendor}",
    en: "the login was refused: {vendor}",
    help_zh: "检查连接 `{connection}` 的账号和密钥",
    help_en: "check the account and the secret of connection `{connection}`",
    long_zh: "目标系统看懂了登录请求并拒绝了它。重试没有用,连接停下,记录保持等待,修正参数后会继续。",
    long_en: "The system understood the login and refused it. Trying again does not help: the connection stops, records wait, and go on once the parameters are right.",
    example: "HTTP 200\n{\"success\": false, \"message\": \"wrong password\"}",
};

/// A login answer that cannot be read.
pub const LOGIN_ANSWER: Entry = Entry {
    code: "E7002",
    severity: Severity::Error,
    zh: "连接 `{connection}`({host})的登录答复看不懂:{why}",
    en: "the answer to the login of connection `{connection}` ({host}) cannot be understood: {why}",
    help_zh: "检查地址是否正确,中间是否有网关",
    help_en: "check whether the address is right, and whether a gateway stands in between",
    long_zh: "答复不是预期的格式,或缺少会话字段;常见原因是网关的错误页面。引擎稍后再试。",
    long_en: "The answer is not of the expected form or lacks the session; often it is a gateway's error page. The engine tries again later.",
    example: "HTTP 200\n\n<html>502 Bad Gateway</html>",
};

/// A reference that leads nowhere.
pub const SECRET_MISSING: Entry = Entry {
    code: "E7003",
    severity: Severity::Error,
    zh: "连接 `{connection}` 的参数 `{name}` 引用了 `{reference}`,但没有找到它",
    en: "parameter `{name}` of connection `{connection}` refers to `{reference}`, which is not there",
    help_zh: "设置环境变量,或保存这个密钥",
    help_en: "set the environment variable, or store the secret",
    long_zh: "引用只在要用时解析。`${env:X}` 取环境变量,`${secret:x}` 取密钥存储。",
    long_en: "References are resolved when they are needed: `${env:X}` is an environment variable, `${secret:x}` an entry of the secret store.",
    example: "params: {key: \"${env:HUKE_KEY}\"}    # and no HUKE_KEY in the environment",
};

/// References that lead nowhere.
pub const SECRETS_MISSING: Entry = Entry {
    code: "E7005",
    severity: Severity::Error,
    zh: "有 {count} 个引用没有找到:{list}",
    en: "{count} references are not there: {list}",
    help_zh: "设置这些环境变量,或保存这些密钥",
    help_en: "set these environment variables, or store these secrets",
    long_zh: "运行要用到的全部连接里,所有找不到的引用一次列出。`${env:X}` 取环境变量,`${secret:x}` 取密钥存储。",
    long_en: "All references that are missing in the connections a run uses, at once. `${env:X}` is an environment variable, `${secret:x}` an entry of the secret store.",
    example: "params: {key: \"${env:HUKE_KEY}\", secret: \"${secret:huke}\"}    # and neither is there",
};

/// A signature that cannot be computed.
pub const SIGNATURE: Entry = Entry {
    code: "E7004",
    severity: Severity::Error,
    zh: "签名算不出来:`{name}`:{why}",
    en: "the signature cannot be computed: `{name}`: {why}",
    help_zh: "检查连接 `{connection}` 的参数",
    help_en: "check the parameters of connection `{connection}`",
    long_zh: "签名配方在给定的参数上失败,例如密钥不是 base64 或长度不对。请求没有发出。",
    long_en: "A recipe of the signature failed on these parameters; a key may not be base64 or have the wrong length. Nothing was sent.",
    example: "params: {secret: \"***\"}    # where the signature wants base64",
};

/// A session that cannot be kept.
pub const SESSION_KEPT: Entry = Entry {
    code: "E7006",
    severity: Severity::Error,
    zh: "连接 `{connection}` 的会话不能保存在 {path}:{why}",
    en: "the session of connection `{connection}` cannot be kept in {path}: {why}",
    help_zh: "让这个文件可以写入;如果对方随后拒绝刷新令牌,重新授权并更新连接的参数",
    help_en: "make this file writable; if the system then refuses the refresh token, authorise again and change the connection's parameter",
    long_zh: "这个系统每次登录都给出下一次登录要用的刷新令牌,旧的随即作废。所以令牌先保存,再使用;保存不了就不调用。文件只有所有者能读,不进入备份。",
    long_en: "Each login at this system gives the refresh token for the next one and ends the one before. So it is saved before it is used, and nothing is called when it cannot be. Only its owner can read the file, and it is in no backup.",
    example: "auth: {token: {rotate: true, start: {refresh: <<$param.refresh_token>>}}}    # and a data directory that cannot be written",
};

/// A count of calls that cannot be kept.
pub const BUDGET_KEPT: Entry = Entry {
    code: "E7007",
    severity: Severity::Error,
    zh: "连接 `{connection}` 今天的调用数不能保存在 {path}:{why}",
    en: "the calls that connection `{connection}` made today cannot be kept in {path}: {why}",
    help_zh: "让这个文件可以写入",
    help_en: "make this file writable",
    long_zh: "连接有每天的调用数(per_day)。先记一次,再调用;记不下来就不调用,否则重启之后没有人知道还剩多少。",
    long_en: "The connection has a number of calls a day (per_day). A call is counted before it is made; when it cannot be counted it is not made, because after a restart nobody would know how many are left.",
    example: "limits: {per_day: 100000}    # and a data directory that cannot be written",
};

/// A server that the other system named and that may not be called.
pub const HOST_UNLISTED: Entry = Entry {
    code: "E7008",
    severity: Severity::Error,
    zh: "连接 `{connection}` 的系统让引擎去调用 {host},它不在连接器的 `hosts` 之内",
    en: "the system of connection `{connection}` names {host} as the server to be called, which is not among the connector's `hosts`",
    help_zh: "这个地址如果属于该系统,把它的域名以 `*.域名` 加入连接器的 `hosts`",
    help_en: "if that address belongs to the system, add its domain to the connector's `hosts` as `*.domain`",
    long_zh: "有的系统在登录时告诉调用方接下来去哪里。引擎只去连接器文件允许的主机:回答登录的一方不能决定凭据发往哪里。什么都没有发出。",
    long_en: "Some systems say at login where the caller is to go next. The engine goes only to hosts that the connector's file permits: whoever answers a login does not decide where credentials go. Nothing was sent.",
    example: "hosts: [<<$param.server>>, \"*.example.com\"]    # and the answer names https://gateway.example.org/",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &LOGIN_REFUSED,
    &LOGIN_ANSWER,
    &SECRET_MISSING,
    &SIGNATURE,
    &SECRETS_MISSING,
    &SESSION_KEPT,
    &BUDGET_KEPT,
    &HOST_UNLISTED,
];
