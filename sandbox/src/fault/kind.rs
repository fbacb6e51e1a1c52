//! Every way a call can go wrong: its word, whether the call is executed, and what it looks like, in both languages.
//!
//! The table [`TABLE`] is the only place where a kind is described. Words of plans, the check of a plan, the tests of
//! this crate and the page `docs/sandbox-faults.md` all come from it.

use serde::{Deserialize, Serialize};

/// Whether the request of a spoiled call takes effect. `commit` of a plan overrides it where that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is executed.
    None,
    /// Executed, once, before the answer.
    Once,
    /// Executed, once, `delay_ms` later.
    Later,
    /// Executed twice.
    Twice,
    /// Some rows of the batch are executed.
    Part,
}

/// A kind and its words.
#[derive(Debug)]
pub struct KindRow {
    /// The kind.
    pub kind: FaultKind,
    /// Its word in a plan.
    pub word: &'static str,
    /// Whether the request takes effect.
    pub effect: Effect,
    /// Keys of a plan that only some kinds read.
    pub keys: &'static [&'static str],
    /// What happens, in Chinese.
    pub zh: &'static str,
    /// What happens, in English.
    pub en: &'static str,
}

/// The enum, its table and the list of its words, written once.
macro_rules! kinds {
    ($($kind:ident $word:literal $effect:ident [$($key:literal)*] $zh:literal $en:literal;)*) => {
        /// What goes wrong. Each kind has a usual answer to "is the request executed?"; `commit` of the plan
        /// overrides it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum FaultKind {
            $(#[doc = $en] #[serde(rename = $word)] $kind,)*
        }

        /// Every kind, in the order of the documentation.
        pub const TABLE: &[KindRow] = &[$(KindRow {
            kind: FaultKind::$kind,
            word: $word,
            effect: Effect::$effect,
            keys: &[$($key),*],
            zh: $zh,
            en: $en,
        },)*];

        /// The word of every kind, in the same order.
        pub const KINDS: &[&str] = &[$($word),*];
    };
}

kinds! {
    DropBefore "drop_before" None ["commit"]
        "不执行,直接断开连接" "The connection is closed without an answer, nothing is executed.";
    DropAfter "drop_after" Once ["commit"]
        "执行后不应答,断开连接" "Executed, then the connection is closed without an answer.";
    Http500Before "http_500_before" None ["commit" "status"]
        "不执行,应答 HTTP 500(或 `status`)" "HTTP 500 (or `status`), nothing is executed.";
    Http500After "http_500_after" Once ["commit" "status"]
        "执行后应答 HTTP 500(或 `status`)" "Executed, then HTTP 500 (or `status`).";
    Delay "delay" Once ["commit" "delay_ms"]
        "立即执行,`delay_ms` 后才应答" "Executed at once, answered `delay_ms` later.";
    Hang "hang" Once ["commit"]
        "执行后一直不应答" "Executed, never answered.";
    LateCommit "late_commit" Later ["delay_ms"]
        "立即断开连接,`delay_ms` 后才执行" "The connection is closed at once; the request is executed `delay_ms` later.";
    SlowCommit "slow_commit" Later ["delay_ms"]
        "连接保持,`delay_ms` 后才执行并应答;客户端即使已经放弃也照样执行"
        "The connection stays open; executed and answered `delay_ms` later, also when the client has given up by then.";
    Duplicate "duplicate" Twice ["delay_ms"]
        "代理重放:执行两次,返回第一次的应答;写了 `delay_ms` 时第二次在其后执行"
        "A proxy replays: executed twice, answered with the first answer; with `delay_ms` the second comes that much later.";
    Replayed "replayed" Twice []
        "代理重放:执行两次,返回第二次的应答" "A proxy replays: executed twice, answered with the second answer.";
    Outage "outage" None ["delay_ms"]
        "断开所有连接;此后 `delay_ms` 内整个沙箱拒绝连接"
        "Every connection is cut; for `delay_ms` the whole sandbox refuses connections.";
    TooMany "too_many" None ["commit" "retry_after_s"]
        "HTTP 429;写了 `retry_after_s` 时带 `Retry-After`" "HTTP 429, with `Retry-After` when the plan has `retry_after_s`; nothing is executed.";
    MsgCode13 "msg_code_13" None ["commit"]
        "HTTP 200 里的业务错误“请稍候再试”(金蝶 MsgCode 13)"
        "The vendor's own \"try again\" inside HTTP 200 (Kingdee MsgCode 13); nothing is executed.";
    MsgCode14 "msg_code_14" None ["commit"]
        "HTTP 200 里的业务错误“调用次数超限”(金蝶 MsgCode 14)"
        "The vendor's call limit inside HTTP 200 (Kingdee MsgCode 14); nothing is executed.";
    Http519 "http_519" None ["commit"]
        "网关放弃(金蝶 HTTP 519,其它系统 502)" "The gateway gave up (Kingdee HTTP 519, others 502); nothing is executed.";
    ResponseError "response_error" None ["commit"]
        "HTTP 200,内容为 `response_error:` 加异常" "HTTP 200 with `response_error:` and an exception; nothing is executed.";
    SessionLost "session_lost" None ["commit"]
        "会话或令牌已失效" "The session or token is gone; nothing is executed.";
    HtmlLogin "html_login" None ["commit"]
        "HTTP 200,内容为登录页" "HTTP 200 with a login page, nothing is executed.";
    Redirect "redirect" None ["commit" "location" "status"]
        "HTTP 302(或 `status`)跳转到 `location`,默认是云主机元数据地址"
        "HTTP 302 (or `status`) to `location`, by default the metadata address of a cloud machine.";
    RowErrors "row_errors" Part ["rows" "value"]
        "批量中的这些行被拒绝,其余照常执行;`rows` 从 0 数,`value` 是行中的文字"
        "These rows of a batch are refused, the others executed; `rows` counts from 0, `value` is a text within a row.";
    BatchRefused "batch_refused" None ["rows" "value"]
        "批量中只要有这样的行,整批就被拒绝,且不说是哪一行"
        "A batch that holds such a row is refused as a whole, and no row is named.";
    RowsUnnamed "rows_unnamed" Once ["commit" "rows" "value"]
        "这些行在应答的成功与失败列表中都不出现" "These rows are named in neither list of the answer.";
    WrongRowCount "wrong_row_count" Once ["commit"]
        "应答比请求多一行" "The answer names one row more than was sent.";
    HalfBody "half_body" Once ["commit"]
        "执行后应答在中间断开" "Executed; the answer breaks off in its middle.";
    WrongLength "wrong_length" Once ["commit"]
        "执行后应答比 `Content-Length` 短" "Executed; the answer is shorter than its `Content-Length`.";
    EmptyBody "empty_body" Once ["commit"]
        "执行后应答 HTTP 200,内容为空" "Executed; HTTP 200 with an empty body.";
    WrongType "wrong_type" Once ["commit"]
        "应答正确,但 `Content-Type` 是 `text/html`" "The right answer under the content type `text/html`.";
    SlowBody "slow_body" Once ["commit" "delay_ms"]
        "应答内容每 `delay_ms` 一个字节" "The body of the answer comes one byte every `delay_ms`.";
    SlowHeaders "slow_headers" Once ["commit" "delay_ms"]
        "整个应答从状态行起每 `delay_ms` 一个字节" "The whole answer, from its status line on, comes one byte every `delay_ms`.";
    GzipBomb "gzip_bomb" Once ["commit" "mib"]
        "应答是 gzip,解开后 `mib` MiB(约 1000 倍);内容是空白加真实应答"
        "The answer is gzip of `mib` MiB (about 1:1000): blanks, then the real answer.";
    DeepJson "deep_json" Once ["commit" "depth"]
        "应答是 `depth` 层的 JSON 数组" "The answer is `depth` nested JSON lists.";
    Doctype "doctype" Once ["commit"]
        "应答是带 DOCTYPE、外部实体和实体炸弹的 XML"
        "The answer is XML with a DOCTYPE, an external entity and an entity bomb.";
    GbkBody "gbk_body" Once ["commit"]
        "应答用 GBK 编码,`Content-Type` 写明" "The answer is in GBK, and its `Content-Type` says so.";
    GbkUnmarked "gbk_unmarked" Once ["commit"]
        "应答用 GBK 编码,`Content-Type` 没有写明" "The answer is in GBK, and its `Content-Type` says nothing.";
    InvalidUtf8 "invalid_utf8" Once ["commit"]
        "应答中夹有不合法的 UTF-8 字节" "Bytes that are not UTF-8 stand in the answer.";
    Bom "bom" Once ["commit"]
        "应答以 BOM 开头" "The answer begins with a byte order mark.";
    NulBytes "nul_bytes" Once ["commit"]
        "应答中夹有 NUL 字节" "NUL bytes stand in the answer.";
    RepeatedPage "repeated_page" Once []
        "读取时返回前一页" "A read answers the page before the one that was asked for.";
    IgnoresPaging "ignores_paging" Once []
        "读取时总是返回第一页" "A read answers its first page, whichever was asked for.";
    EmptyPage "empty_page" Once []
        "读取时返回 0 行,且总数为 0" "A read answers no rows and a total of 0.";
    WrongTotal "wrong_total" Once ["total_by"]
        "读取时总数差 `total_by`(没有总数的接口不受影响)"
        "The total of a read is off by `total_by`; reads without a total are not touched.";
    RowsMove "rows_move" Once ["inserts" "updates" "deletes"]
        "应答之前,来源在所问的时间段里插入、更新、删除若干行"
        "Before the answer, the source inserts, updates and deletes rows in the stretch of time asked for.";
    SkewedDate "skewed_date" Once ["commit" "skew_ms"]
        "应答头 `Date` 差 `skew_ms`" "The `Date` header is off by `skew_ms`.";
}

impl FaultKind {
    /// Its row of the table.
    pub fn row(self) -> &'static KindRow {
        TABLE
            .iter()
            .find(|row| row.kind == self)
            .expect("enum and table are written by one macro")
    }

    /// Its word in a plan.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The kind with this word.
    pub fn find(word: &str) -> Option<FaultKind> {
        TABLE.iter().find(|row| row.word == word).map(|row| row.kind)
    }
}
