//! E6030-E6039: pushes, and rows that others read.

use super::Entry;
use crate::diagnostic::Severity;

/// Who pushes is not believed, or there is no such door.
pub const UNBELIEVED: Entry = Entry {
    code: "E6030",
    severity: Severity::Error,
    zh: "推送没有通过验证",
    en: "the push is not believed",
    help_zh: "核对推送地址(engine receive url 方案)与令牌或签名密钥",
    help_en: "compare the address (engine receive url SCHEME) and the token or the key of the signature",
    long_zh: "推送地址不对、令牌或签名不对,得到的都是这个答复:不说明是哪一个,也不因此花费不同的时间。",
    long_en: "A wrong address, a wrong token and a wrong signature are all answered like this: it is not said which, and it takes no different time.",
    example: "POST /receive/0123456789abcdef0123456789abcdef",
};

/// The push cannot be stored now.
pub const PUSH_LATER: Entry = Entry {
    code: "E6031",
    severity: Severity::Error,
    zh: "现在不能存下推送,请 {seconds} 秒后重发",
    en: "the push cannot be stored now: send it again in {seconds} s",
    help_zh: "等待处理的推送太多、磁盘已满或服务正在停止",
    help_en: "too many pushes wait, the disk is full, or the service is about to stop",
    long_zh: "推送在存入账本之后才会被确认。没有存下的推送由发送方保留并重发。每个方案最多有 10,000 行或 1 GiB 等待处理。",
    long_en: "A push is acknowledged only once it is in the ledger. One that was not stored stays with its sender, who sends it again. At most 10,000 rows, or 1 GiB, of a scheme wait.",
    example: "POST /receive/…   # the target has been down for a day",
};

/// A filter that a published scheme does not have.
pub const NO_FILTER: Entry = Entry {
    code: "E6032",
    severity: Severity::Error,
    zh: "方案 {scheme} 没有名为 `{name}` 的筛选",
    en: "the scheme {scheme} has no filter `{name}`",
    help_zh: "可以用的筛选:{known}",
    help_en: "the filters are: {known}",
    long_zh: "只能按方案的 publish.filter 里列出的字段筛选;拼错的参数不会被忽略,否则得到的就不是要的数据。",
    long_en: "Rows are filtered by the fields that publish.filter of the scheme lists. A parameter that is misspelt is not ignored: the answer would be other rows than those asked for.",
    example: "GET /api/v1/data/orders?stat=paid",
};

/// A token has called too often.
pub const TOO_OFTEN: Entry = Entry {
    code: "E6033",
    severity: Severity::Error,
    zh: "调用过于频繁(上限 {rate}),请 {seconds} 秒后再试",
    en: "too many calls (at most {rate}): try again in {seconds} s",
    help_zh: "上限由方案的 publish.rate 决定",
    help_en: "the bound is publish.rate of the scheme",
    long_zh: "每个令牌读取一个已发布方案的频率有上限,使一个读者不会妨碍其他读者和同步任务。",
    long_en: "How often one token may read a published scheme is bounded, so that one reader does not hold up the others, or the runs.",
    example: "GET /api/v1/data/orders   # for the 61st time in a minute",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[&UNBELIEVED, &PUSH_LATER, &NO_FILTER, &TOO_OFTEN];
