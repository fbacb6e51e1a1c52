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

/// The secret store was written with another key.
pub const SECRETS_KEY_WRONG: Entry = Entry {
    code: "E7020",
    severity: Severity::Error,
    zh: "密钥存储 {path} 用密钥 {stored} 加密,给出的是 {given}",
    en: "the secret store {path} was written with the key {stored}; the key given is {given}",
    help_zh: "把当时的密钥放回 ENGINE_SECRETS_KEY、--key-file 或存储旁边的 secret.key;找不回来就删除 {path},重新设置各个密钥",
    help_en: "put the former key back in ENGINE_SECRETS_KEY, --key-file or secret.key beside the store; if it is lost, delete {path} and set the secrets again",
    long_zh: "存储里的每个值都用一个密钥加密;文件记着这个密钥的编号(由密钥算出,不能反推)。密钥不对时不会试图解密,也不会改动文件。",
    long_en: "Every value of the store is encrypted with one key, whose id (computed from it, and telling nothing about it) stands in the file. With another key nothing is opened and nothing is changed.",
    example: "ENGINE_SECRETS_KEY=... engine run a.yaml    # and a store that was written with .engine/secret.key",
};

/// A value of the secret store that does not open.
pub const SECRETS_DAMAGED: Entry = Entry {
    code: "E7021",
    severity: Severity::Error,
    zh: "密钥存储 {path} 已损坏或被改动:`{name}`",
    en: "the secret store {path} is damaged or was changed: `{name}`",
    help_zh: "用 engine secret set {name} 重新设置它,或换回完好的文件",
    help_en: "set it again with engine secret set {name}, or put a sound file back",
    long_zh: "每个值连同名称、时间和密钥编号一起受校验;改动一个字节、把值换到别的名称之下,都打不开。引擎不会使用它。",
    long_en: "Each value is checked together with its name, its time and the id of the key: one changed byte, or a value under another name, does not open. It is not used.",
    example: "a byte of .engine/secrets.json changed by hand",
};

/// A secret store without a key.
pub const SECRETS_KEY_MISSING: Entry = Entry {
    code: "E7022",
    severity: Severity::Error,
    zh: "密钥存储 {path} 没有密钥可用",
    en: "there is no key for the secret store {path}",
    help_zh: "设置 ENGINE_SECRETS_KEY,或把密钥文件放回 {key_file}(权限 0600),或用 --key-file 指定",
    help_en: "set ENGINE_SECRETS_KEY, put the key file back at {key_file} (mode 0600), or name it with --key-file",
    long_zh: "存储里已有密钥,所以不会另造一个密钥:那样旧的值就再也打不开。",
    long_en: "The store has secrets already, so no new key is made: the values there could never be opened again.",
    example: "cp -r .engine elsewhere, but for secret.key",
};

/// A key file that others can read.
pub const SECRETS_KEY_OPEN: Entry = Entry {
    code: "E7023",
    severity: Severity::Error,
    zh: "密钥文件 {path} 其他用户也能访问(权限 {mode})",
    en: "others may use the key file {path} (mode {mode})",
    help_zh: "chmod 600 {path};若已有人看到,再用 engine secret rotate 换密钥",
    help_en: "chmod 600 {path}; if somebody may have seen it, change the key with engine secret rotate",
    long_zh: "读到这个文件的人能打开全部密钥,所以引擎拒绝使用它。",
    long_en: "Whoever reads this file can open every secret, so it is not used.",
    example: "chmod 644 .engine/secret.key; engine run a.yaml",
};

/// A text that is no key.
pub const SECRETS_KEY_BAD: Entry = Entry {
    code: "E7024",
    severity: Severity::Error,
    zh: "{place} 里的不是密钥",
    en: "what stands in {place} is no key",
    help_zh: "密钥是 32 个字节,写成 base64 或十六进制,例如用 openssl rand -base64 32 生成",
    help_en: "a key is 32 bytes as base64 or hex; openssl rand -base64 32 makes one",
    long_zh: "密钥长度固定,密码或短语不能代替它。",
    long_en: "A key has this length; a password or a phrase does not take its place.",
    example: "ENGINE_SECRETS_KEY=password engine run a.yaml",
};

/// A secret store or key file that cannot be read or written.
pub const SECRETS_UNREADABLE: Entry = Entry {
    code: "E7025",
    severity: Severity::Error,
    zh: "无法读写 {path}:{why}",
    en: "{path} cannot be read or written: {why}",
    help_zh: "检查文件和文件夹的权限",
    help_en: "check the rights of the file and its folder",
    long_zh: "密钥存储、它的密钥文件或锁文件不能访问。什么也没有改动。",
    long_en: "The secret store, its key file or its lock cannot be reached. Nothing was changed.",
    example: "chmod 000 .engine/secrets.json; engine run a.yaml",
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
    &SECRETS_KEY_WRONG,
    &SECRETS_DAMAGED,
    &SECRETS_KEY_MISSING,
    &SECRETS_KEY_OPEN,
    &SECRETS_KEY_BAD,
    &SECRETS_UNREADABLE,
];
