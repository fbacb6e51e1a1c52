//! The value places of a connector file: what each may name.

use dsl::tree::TreePlace;

/// Every value place with the keys at which it stands, for the reference.
pub(crate) const ALL: &[(&str, TreePlace)] = &[
    (
        "`hosts` `auth.headers` `auth.basic` `login.start` `csrf` `outcome.code`",
        PARAMS,
    ),
    (
        "`key` `proof` `id_field` `page.size` `page.max` `page.total` `rows.at` `unknown`",
        OPTIONS,
    ),
    ("`request`", REQUEST),
    ("`path` `query` `headers` `body`", FRAME),
    ("`window.filter`", WINDOW),
    (
        "`login.host` `login.path` `login.query` `login.headers` `login.body`",
        LOGIN,
    ),
    ("`apply`", APPLY),
    ("`sign`", SIGN),
    ("`message`", SENTENCE),
    ("`answer`", REPLY),
];

const NOTHING: TreePlace = TreePlace {
    names: &[],
    fields: false,
    lookups: false,
    omit: &[],
    windowed: false,
    words: ("连接器", "a connector"),
};

/// What depends on the connection only: `hosts`, headers of an auth mode, codes of `outcome`.
pub(crate) const PARAMS: TreePlace = TreePlace {
    names: &["$param"],
    words: (
        "只取决于连接的位置",
        "a place that depends on the connection only",
    ),
    ..NOTHING
};

/// What depends on connection and options: `key`, `proof`, `id_field`, `rows.at`, `unknown`.
pub(crate) const OPTIONS: TreePlace = TreePlace {
    names: &["$param", "$option", "$form"],
    omit: &["$option"],
    words: (
        "只取决于连接和选项的位置",
        "a place that depends on connection and options only",
    ),
    ..NOTHING
};

/// What stands under a scheme's request.
pub(crate) const REQUEST: TreePlace = TreePlace {
    names: &["$param", "$option", "$window", "$page"],
    omit: &["$option"],
    windowed: true,
    words: ("操作的 request", "an operation's request"),
    ..NOTHING
};

/// The frame of a call.
pub(crate) const FRAME: TreePlace = TreePlace {
    names: &[
        "$request",
        "$record",
        "$records",
        "$record_uuid",
        "$options",
        "$option",
        "$fields",
        "$filter",
        "$param",
        "$form",
        "$window",
        "$page",
        "$auth",
        "$clock",
        "$uuid",
        "$keys",
    ],
    omit: &["$option", "$options", "$filter", "$fields", "$request"],
    windowed: true,
    words: ("操作的请求框架", "the frame of an operation"),
    ..NOTHING
};

/// The filter of a window.
pub(crate) const WINDOW: TreePlace = TreePlace {
    names: &["$param", "$option", "$window"],
    omit: &["$option"],
    windowed: true,
    words: ("窗口的过滤条件", "the filter of a window"),
    ..NOTHING
};

/// The request of a login.
pub(crate) const LOGIN: TreePlace = TreePlace {
    names: &["$param", "$let", "$auth", "$uuid", "$clock"],
    words: ("登录请求", "the request of a login"),
    ..NOTHING
};

/// What a login puts onto every call.
pub(crate) const APPLY: TreePlace = TreePlace {
    names: &["$param", "$auth"],
    words: ("登录之后附加的内容", "what a login adds to a call"),
    ..NOTHING
};

/// What a signature puts onto a call.
pub(crate) const SIGN: TreePlace = TreePlace {
    names: &["$param", "$let", "$auth", "$uuid", "$clock"],
    words: ("签名附加的内容", "what a signature adds to a call"),
    ..NOTHING
};

/// A sentence over the fields of an answer or an item.
pub(crate) const SENTENCE: TreePlace = TreePlace {
    names: &["$param", "$let"],
    fields: true,
    words: ("答复里的一句话", "a sentence from an answer"),
    ..NOTHING
};

/// What a push is answered.
pub(crate) const REPLY: TreePlace = TreePlace {
    names: &["$param", "$push", "$error"],
    omit: &["$push"],
    words: ("对推送的应答", "what a push is answered"),
    ..NOTHING
};
