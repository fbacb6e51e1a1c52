//! The words of connector files that are no keys: what values and recipes may name, filters, functions, outcomes.
//!
//! The reference page is written from here; tests hold each list against the code that carries it out.

use dsl::facts::Text2;

use crate::load::places;
use crate::recipe;

/// A word and what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// As it is written, with its arguments.
    pub usage: &'static str,
    /// What it is for, in Chinese.
    pub zh: &'static str,
    /// What it is for, in English.
    pub en: &'static str,
}

impl Word {
    /// Its name: the usage without arguments.
    pub fn name(&self) -> &'static str {
        self.usage.split(['(', '.']).next().unwrap_or(self.usage)
    }
}

const fn word(usage: &'static str, zh: &'static str, en: &'static str) -> Word {
    Word { usage, zh, en }
}

/// A place for values: what it may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePlace {
    /// The keys at which it stands.
    pub keys: &'static str,
    /// What it is called.
    pub words: Text2,
    /// The `$` names it knows.
    pub names: &'static [&'static str],
    /// Whether fields of an answer or an item may be named, too.
    pub fields: bool,
}

/// Every place for values.
pub fn value_places() -> Vec<ValuePlace> {
    let place = |(keys, place): &(&'static str, dsl::tree::TreePlace)| ValuePlace {
        keys,
        words: Text2 {
            zh: place.words.0.to_owned(),
            en: place.words.1.to_owned(),
        },
        names: place.names,
        fields: place.fields,
    };
    places::ALL.iter().map(place).collect()
}

/// The `$` names of values.
#[rustfmt::skip] // one line a word: a table to be read
pub const NAMES: &[Word] = &[
    word("$param.x", "连接的参数", "a parameter of the connection"),
    word("$option.x", "方案给操作的选项;没有值时整项省去", "an option that the scheme gives the operation; without a value the whole member is left out"),
    word("$options", "`send: true` 且有值的选项", "the options with `send: true` that have a value"),
    word("$form.x", "按选项 `FormId` 查到的 `forms` 行", "the row of `forms` that the option `FormId` names"),
    word("$request", "方案的 `request` 盖在操作的 `request` 之上", "the scheme's `request` laid over the operation's"),
    word("$record", "一条目标报文", "one document"),
    word("$records", "一次调用的全部报文;`step` 与 `void` 时是 `{id, number}` 的列表", "the documents of a call; for `step` and `void` the list of `{id, number}`"),
    word("$record_uuid", "由这条数据的版本算出的 id(UUID 第 4 版的样子):同一版本重发多少次都一样,用作幂等键;只用于每次一条的操作", "an id made of the record's version, in the form of a version 4 UUID: the same however often it is sent, as the key of a call that is taken once; only where a call has one document"),
    word("$fields", "要取的字段,写法见 `fields`", "the fields to fetch, printed as `fields` says"),
    word("$filter", "条件,写法见 `filter`;没有条件时省去", "the conditions, printed as `filter` says; left out when there are none"),
    word("$window.start", "窗口的起点;要用过滤器写出,如 `|datetime`;另有 `end` 和 `field`", "begin of the window, printed by a filter such as `|datetime`; there are `end` and `field` too"),
    word("$page.number", "页号;另有 `offset` `size` `cursor` `last`", "number of the page; there are `offset` `size` `cursor` `last` too"),
    word("$auth.x", "登录取下的内容(`take`)", "what the login took (`take`)"),
    word("$let.x", "`let` 算出的内容", "what `let` computed"),
    word("$clock", "本次发送的时刻;要用过滤器写出", "the instant of this attempt, printed by a filter"),
    word("$uuid", "本次发送的新 id", "a fresh id of this attempt"),
    word("$push.id", "推送的 id;另有 `count`,数据行的数目", "id of a push that was stored; there is `count`, of its rows, too"),
    word("$error.code", "推送被拒绝的原因;另有 `message`", "why a push is refused; there is `message` too"),
    word("$keys", "各报文的键:`{fields, texts}`", "the keys of the documents: `{fields, texts}`"),
];

/// The names of recipes, by the keys at which they stand.
#[rustfmt::skip] // one line a word: a table to be read
pub const RECIPE_NAMES: &[(&str, &[Word])] = &[
    (
        "`let` `outcome.when` `items` `exists` `page.more` `login.ok`",
        &[
            word("http", "答复的 `http.status` 与 `http.header`", "`http.status` and `http.header` of the answer"),
            word("body", "解析后的正文", "the body, parsed"),
            word("body_text", "正文的文本", "the body as text"),
            word("sent", "`outcome.when`:这次调用有几条记录", "`outcome.when`: how many records the call had"),
            word("item", "`good_when` `bad_when` `lines` `exists`:答复中的一行", "`good_when` `bad_when` `lines` `exists`: one item of the answer"),
        ],
    ),
    (
        "`sign.let`",
        &[word("session", "登录取下的内容,如 `session.spk`", "what the login took, as in `session.spk`"), word("req", "要签名的请求:`req.path` `req.query` `req.form` `req.body`", "the request to be signed: `req.path` `req.query` `req.form` `req.body`")],
    ),
    (
        "`verify` `push`",
        &[
            word("headers", "推送的请求头,名称小写,如 `headers['x-sign']`", "headers of the push, names in lower case, such as `headers['x-sign']`"),
            word("query", "推送的查询串", "query of the push"),
            word("raw", "推送的正文,收到的字节", "its body, the bytes as they came"),
            word("body_text", "正文的文本", "the body as text"),
            word("body", "`push`:解析后的正文;不是 JSON 也不是表单时为 `{text}`", "`push`: the body, parsed; `{text}` where it is neither JSON nor a form"),
        ],
    ),
    ("`unknown.done_when`", &[word("row", "查到的一行", "a row that was found")]),
    ("`login.let`", &[word("session", "前面各步取下的内容", "what the steps before took")]),
    ("`params.*.when`", &[]),
];

/// The filters that recipes have beside the expression language's own.
#[rustfmt::skip] // one line a word: a table to be read
pub const FILTERS: &[Word] = &[
    word("truthy", "`true`、`1`、`yes` 及其文本算真", "`true`, `1`, `yes` and their texts are true"),
    word("md5", "MD5,得字节", "MD5, as bytes"),
    word("sha1", "SHA-1,得字节", "SHA-1, as bytes"),
    word("sha256", "SHA-256,得字节", "SHA-256, as bytes"),
    word("hmac_sha256(key)", "HMAC-SHA-256,得字节", "HMAC-SHA-256, as bytes"),
    word("aes128_ecb(key)", "AES-128 ECB,PKCS#7 填充,得字节", "AES-128 in ECB mode with PKCS#7 padding, as bytes"),
    word("rsa_pkcs1(key)", "用 RSA 公钥加密(PKCS#1 v1.5 填充),得字节;每次发送都不同。公钥是 X.509 格式的 base64 或 PEM", "encryption with an RSA public key (PKCS#1 v1.5 padding), as bytes; another result for each attempt. The key is X.509, as base64 or PEM"),
    word("xor(key)", "与密钥的前若干字节异或", "exclusive or with the first bytes of the key"),
    word("take(n)", "前 n 个字节或字符;不足即错误", "the first n bytes or characters; fewer is an error"),
    word("hex", "小写十六进制文本", "hexadecimal text"),
    word("hex_upper", "大写十六进制文本", "hexadecimal text in capitals"),
    word("b64", "base64 文本", "base64 text"),
    word("b64url", "URL 用的 base64,无填充", "base64 for addresses, without padding"),
    word("unb64", "base64 解成字节", "base64 back to bytes"),
    word("urlenc", "百分号编码(RFC 3986)", "percent-encoding (RFC 3986)"),
    word("fmt_pairs(pattern, sep, exclude, skip_empty, len)", "按名称排序、逐对写出:`{k}` `{v}` `{kl}` `{vl}`,如 `{vl:04}`;`len` 为 `chars` 或 `bytes`", "pairs of a map sorted by name, each printed by a pattern: `{k}` `{v}` `{kl}` `{vl}`, as in `{vl:04}`; `len` is `chars` or `bytes`"),
    word("flat(exclude)", "把一棵树写成一段文本:映射按名称排序写「名称+值」,列表逐个写,中间没有任何字符;内容是 JSON 映射或列表的文本按其内容算,空值连同名称略去", "a tree as one text: a map as names and values in order of the names, a list as its elements, nothing in between; a text that is JSON of a map or a list counts as that, null is left out with its name"),
    word("merge(map)", "把另一个映射盖在上面", "another map laid over it"),
];

/// The functions of recipes.
#[rustfmt::skip] // one line a word: a table to be read
pub const FUNCTIONS: &[Word] = &[
    word("now(format, tz, epoch_offset)", "本次发送的时刻:`unix_s`、`unix_ms` 或 strftime 写法", "the instant of the attempt: `unix_s`, `unix_ms` or a strftime pattern"),
    word("rand(n)", "n 个随机的十六进制字符,最多 64 个", "n random hexadecimal digits, at most 64"),
    word("unwrap(value)", "剥去只有一个元素的列表", "peels lists of one element"),
];

/// The filters and tests of the expression language that recipes may use.
pub fn engine_words() -> (&'static [&'static str], &'static [&'static str]) {
    let [filters, tests, ..] = recipe::vocabulary();
    (filters, tests)
}

/// What an answer can mean.
#[rustfmt::skip] // one line a word: a table to be read
pub const CLASSES: &[Word] = &[
    word("ok", "这次调用的每条记录都被接受", "every record of the call was accepted"),
    word("rows", "按 `items` 逐行判定", "judged row by row by `items`"),
    word("rejected", "数据被拒绝:该记录失败;没有逐行判定的批次对半重发", "the data was refused: the record fails; a batch without verdicts is halved"),
    word("auth", "会话失效:重新登录一次;写入只有 `replay_write: true` 才重发", "the session was lost: renewed once; a write is repeated only with `replay_write: true`"),
    word("throttled", "调用过多:等待,不计次数", "too many calls: waits, uses no attempt"),
    word("transient", "对方忙:等待,不计次数", "busy: waits, uses no attempt"),
    word("quota_stop", "额度用完:连接停止并说明", "the quota is used up: the connection stops and says so"),
    word("config_error", "凭据或配置被拒绝:连接停止并说明", "credentials or settings were refused: the connection stops and says so"),
    word("fault", "对方故障,或没有一行匹配:读取的这一页失败,写入结果未知", "a fault, or no row matches: a read fails its page, a write is unknown"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Class;
    use std::collections::BTreeSet;

    fn names(words: &[Word]) -> BTreeSet<&str> {
        words.iter().map(Word::name).collect()
    }

    #[test]
    fn the_lists_are_those_of_the_code() {
        let [_, _, filters, functions] = recipe::vocabulary();
        assert_eq!(names(FILTERS), filters.iter().copied().collect());
        assert_eq!(names(FUNCTIONS), functions.iter().copied().collect());
        assert_eq!(
            names(CLASSES),
            Class::ALL.iter().map(|class| class.name()).collect()
        );
        let known: BTreeSet<&str> = places::ALL
            .iter()
            .flat_map(|(_, place)| place.names.iter().copied())
            .collect();
        assert_eq!(names(NAMES), known);
    }
}
