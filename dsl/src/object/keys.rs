//! The keys of an object file.

use crate::keys::{Block, KeyRow, Shape, Word, block};

use super::{PushId, Type};

/// A name as other systems give them to objects and fields.
pub const NAME: Word = Word {
    pattern: "^[A-Za-z_][A-Za-z0-9_.]{0,127}$",
    fits: |text| {
        let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        text.len() <= 128
            && text.bytes().next().is_some_and(first)
            && text
                .bytes()
                .all(|byte| first(byte) || byte.is_ascii_digit() || byte == b'.')
    },
    zh: "由字母、数字、_ 和 . 组成的名称,最多 128 个字符",
    en: "a name of letters, digits, _ and ., at most 128 characters",
};

/// Most characters that a text may be bound to: bodies have no more.
const LONGEST: i64 = 1 << 20;

/// A text, or one for each language.
const LABEL: Shape = Shape::OneOf(&[Shape::Text, Shape::Block(&WORDS)]);

const fn words(zh: &'static str, en: &'static str) -> KeyRow {
    KeyRow::new("label", LABEL, zh, en).default("the name")
}

/// An object file.
pub static OBJECT: Block = block(
    "object",
    &[
        KeyRow::new(
            "object",
            Shape::Word(&NAME),
            "对方对这个对象的名称(objAPIName)",
            "the other system's name of the object (objAPIName)",
        )
        .required()
        .example("erpSalesOrderObj"),
        KeyRow::new("name", LABEL, "显示名称", "what people call it")
            .default("the name")
            .example("{zh: 销售订单, en: Sales order}"),
        KeyRow::new(
            "id",
            Shape::Text,
            "主对象中标识一条数据的字段,必须必填",
            "the field of the master that identifies one; it must be required",
        )
        .required()
        .example("number"),
        KeyRow::new(
            "push_id",
            Shape::Choice(PushId::WORDS),
            "推送的请求头 id 是什么:same 与 id 字段的值相同,不同就拒绝;any 是发送方自己的编号,不与正文比较",
            "what the header id of a push is: same, the value of the field id, else the push is refused; any, a number of the sender's own that is not compared",
        )
        .default("same"),
        KeyRow::new(
            "label",
            Shape::Text,
            "人们用来认出一条数据的主对象字段",
            "the field of the master by which people know one",
        )
        .default("the id"),
        KeyRow::new(
            "fields",
            Shape::Map(&Shape::Block(&FIELD)),
            "主对象的字段",
            "the fields of the master",
        )
        .required()
        .example("{number: {type: text, required: true}}"),
        KeyRow::new(
            "open",
            Shape::Bool,
            "未声明的字段原样接受,而不是拒绝",
            "further fields are taken as they come instead of being refused",
        )
        .default("false"),
        KeyRow::new(
            "details",
            Shape::Map(&Shape::Block(&DETAIL)),
            "从对象,按其名称",
            "the details, by their names",
        )
        .example("{erpSalesOrderProductObj: {fields: {product_id: {type: text}}}}"),
        KeyRow::new(
            "void",
            Shape::Block(&VOID),
            "已作废的数据被读取(queryMasterBatch、queryMasterById)时,用哪个字段的什么值说明;其余字段是最后一次的内容",
            "which field says what where one is read that was cancelled (queryMasterBatch, queryMasterById); its other fields are as they were last",
        )
        .example("{field: status, value: cancelled}"),
        KeyRow::new(
            "serve",
            Shape::Block(&SERVE),
            "由我们充当这个对象的 ERP",
            "we are the ERP for it",
        ),
    ],
);

static WORDS: Block = block(
    "label",
    &[
        KeyRow::new("zh", Shape::Text, "中文", "Chinese").required(),
        KeyRow::new("en", Shape::Text, "英文", "English").required(),
    ],
);

static FIELD: Block = block(
    "field",
    &[
        KeyRow::new(
            "type",
            Shape::Choice(Type::WORDS),
            "内容:text 文本(数字按其写法算文本);int 整数;decimal 不带指数的数;bool;date 形如 2026-11-23;datetime 形如 2026-11-23 08:00:00;ms 1970 年以来的毫秒;choice 为 of 之一;list;map。除 list 与 map 外,都可以写成文本",
            "what it holds: `text` (a number counts as its digits), `int`, `decimal` without exponent, `bool`, `date` as 2026-11-23, `datetime` as 2026-11-23 08:00:00, `ms` since 1970, `choice` one of `of`, `list`, `map`. All but the last two may come as text",
        )
        .required()
        .example("text"),
        KeyRow::new(
            "required",
            Shape::Bool,
            "必须有,且不为空",
            "it must be there and not be empty",
        )
        .default("false"),
        words("字段的显示名称", "what people call the field"),
        KeyRow::new(
            "max",
            Shape::Int(1, LONGEST),
            "文本最多多少个字符",
            "most characters of a text",
        ),
        KeyRow::new(
            "of",
            Shape::List(&Shape::Text),
            "choice 的可选值",
            "the texts of a choice",
        )
        .example("[open, cancelled]"),
        KeyRow::new(
            "sensitive",
            Shape::Bool,
            "内容不给人看:不出现在报错里,示例中用星号",
            "its value is for no eyes: it is in no message",
        )
        .default("false"),
        KeyRow::new(
            "from",
            Shape::Path,
            "被读取时,它在存下的行中的位置(行不是标准格式时)",
            "where it is in the stored row when it is read, where that has not the standard form",
        )
        .default("its name"),
    ],
);

static DETAIL: Block = block(
    "detail",
    &[
        words("从对象的显示名称", "what people call the detail"),
        KeyRow::new(
            "id",
            Shape::Text,
            "标识一行的字段",
            "the field that identifies a line",
        ),
        KeyRow::new(
            "required",
            Shape::Bool,
            "至少有一行",
            "at least one line must be there",
        )
        .default("false"),
        KeyRow::new(
            "fields",
            Shape::Map(&Shape::Block(&FIELD)),
            "一行的字段",
            "the fields of a line",
        )
        .required(),
        KeyRow::new(
            "open",
            Shape::Bool,
            "未声明的字段原样接受",
            "further fields are taken as they come",
        )
        .default("false"),
    ],
);

static VOID: Block = block(
    "object_void",
    &[
        KeyRow::new("field", Shape::Text, "主对象的字段", "a field of the master")
            .required()
            .example("status"),
        KeyRow::new(
            "value",
            Shape::Text,
            "它的值,须符合字段的类型",
            "its value, of the type of the field",
        )
        .required()
        .example("cancelled"),
    ],
);

static SERVE: Block = block(
    "serve",
    &[
        KeyRow::new(
            "connection",
            Shape::Text,
            "用哪个连接的 erp_token 可以调用",
            "the connection whose erp_token may call",
        )
        .required()
        .example("crm"),
        KeyRow::new(
            "rows",
            Shape::Text,
            "被 queryMasterBatch 与 queryMasterById 读取的方案;它的主键是 id 字段",
            "the scheme that queryMasterBatch and queryMasterById read; its key is the field `id`",
        ),
        KeyRow::new(
            "receive",
            Shape::Text,
            "接收 create 与 update 的方案;它的来源是推送,主键是 masterFieldVal 下的 id 字段",
            "the scheme that takes create and update; its source is pushed, its key the field `id` below masterFieldVal",
        ),
    ],
);
