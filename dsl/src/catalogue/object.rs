//! E1601-E1619: object files.

use super::Entry;
use crate::diagnostic::Severity;

/// A key names a field that is not there.
pub const NO_FIELD: Entry = Entry {
    code: "E1601",
    severity: Severity::Error,
    zh: "`{key}` 所指的字段 `{name}` 没有声明",
    en: "`{key}` names the field `{name}`, which is not declared",
    help_zh: "",
    help_en: "",
    long_zh: "对象的 id、label 与从对象的 id 写的是同一层 fields 里的字段名。",
    long_en: "`id` and `label` of an object and `id` of a detail are names of the fields beside them.",
    example: "id: numbr",
};

/// The field that identifies one may be left out.
pub const ID_REQUIRED: Entry = Entry {
    code: "E1602",
    severity: Severity::Error,
    zh: "字段 `{name}` 标识一条数据,必须写 `required: true`",
    en: "the field `{name}` identifies one and must have `required: true`",
    help_zh: "",
    help_en: "",
    long_zh: "没有 id 的数据无法与它的下一次变化对上,也无法回答对方它叫什么。",
    long_en: "What has no id cannot be told from another, and the other system cannot be told what it is called.",
    example: "id: number\nfields: {number: {type: text}}",
};

/// A choice of nothing.
pub const NO_CHOICES: Entry = Entry {
    code: "E1603",
    severity: Severity::Error,
    zh: "choice 字段 `{name}` 没有可选值",
    en: "the choice `{name}` has no texts to choose from",
    help_zh: "写 of: [甲, 乙]",
    help_en: "write of: [A, B]",
    long_zh: "choice 的值只能是 of 里的文本之一。",
    long_en: "The value of a choice is one of the texts of `of`.",
    example: "status: {type: choice}",
};

/// A key that belongs to another type.
pub const OF_ANOTHER_TYPE: Entry = Entry {
    code: "E1604",
    severity: Severity::Error,
    zh: "`{key}` 只用于类型 {type}",
    en: "`{key}` belongs to the type {type}",
    help_zh: "",
    help_en: "",
    long_zh: "写在别的类型上的限制不会起作用,所以报错。",
    long_en: "At another type it would bind nothing, and so it is an error.",
    example: "count: {type: int, max: 3}",
};

/// No path.
pub const NO_PATH: Entry = Entry {
    code: "E1605",
    severity: Severity::Error,
    zh: "`{name}` 不是字段路径",
    en: "`{name}` is no path of a field",
    help_zh: "例如 customer.name",
    help_en: "such as customer.name",
    long_zh: "from 是该字段在存下的行中的位置。",
    long_en: "`from` is where the field is in the stored row.",
    example: "number: {type: text, from: \"a..b\"}",
};

/// Neither read nor written.
pub const SERVES_NOTHING: Entry = Entry {
    code: "E1606",
    severity: Severity::Error,
    zh: "`{name}` 里既没有 rows 也没有 receive",
    en: "`{name}` has neither rows nor receive",
    help_zh: "rows:被读取的方案;receive:接收写入的方案",
    help_en: "`rows` is the scheme that is read, `receive` the one that takes what is written",
    long_zh: "由我们充当 ERP 时,至少要能读或能写。",
    long_en: "Where we are the ERP, something must be read or written.",
    example: "serve: {connection: crm}",
};

/// What a file of an object says of others does not hold.
pub const SERVE: Entry = Entry {
    code: "E1607",
    severity: Severity::Error,
    zh: "`{key}: {name}` 不可用:{why_zh}",
    en: "`{key}: {name}` cannot be used: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "serve 的 connection 是 connections.yaml 中的连接;rows 是主键为 id 字段的方案;receive 是来源为推送、主键为 masterFieldVal 下 id 字段的方案。主键不同,同一条数据就不是同一条记录。",
    long_en: "`connection` is one of connections.yaml, `rows` a scheme whose key is the field `id`, `receive` a scheme whose source is pushed and whose key is the field `id` below masterFieldVal. With another key, one thing would not be one record.",
    example: "serve: {connection: crm, rows: no-such-scheme}",
};

/// Two files of one object.
pub const DOUBLE: Entry = Entry {
    code: "E1608",
    severity: Severity::Error,
    zh: "对象 `{name}` 在 {other} 里已经声明",
    en: "the object `{name}` is declared in {other}, too",
    help_zh: "",
    help_en: "",
    long_zh: "同一个对象只能有一份声明,否则按哪一份检查取决于文件的顺序。",
    long_en: "An object has one declaration; with two, the order of the files would decide.",
    example: "objects/a.yaml and objects/b.yaml: object: erpSalesOrderObj",
};

/// A scheme names an object whose file is in error.
pub const IN_ERROR: Entry = Entry {
    code: "E1609",
    severity: Severity::Error,
    zh: "对象 `{name}` 的文件 {file} 有错误",
    en: "the file {file} of the object `{name}` is in error",
    help_zh: "先改正该文件(engine check 给出位置)",
    help_en: "mend that file first (engine check says where)",
    long_zh: "方案的数据要按对象检查;对象读不出时不检查就放行,错误的数据会进入系统。只有用到该对象的方案停用,其他方案照常运行。",
    long_en: "What a scheme reads or writes is held against the object; let through unchecked while the object cannot be read, wrong data would get in. Only the schemes that name it stop; all others run.",
    example: "objects/order.yaml, saved half",
};

/// The field that identifies one cannot be an id.
pub const ID_TYPE: Entry = Entry {
    code: "E1610",
    severity: Severity::Error,
    zh: "字段 `{name}` 用作 id,类型应为 text、int 或 ms",
    en: "the field `{name}` identifies one and must be of the type text, int or ms",
    help_zh: "",
    help_en: "",
    long_zh: "id 以文本比较:列表和对象没有文本形式,小数 1.0 与 1.00 是同一个数却是两个文本。",
    long_en: "Ids are compared as texts: a list or a map has none, and the decimals 1.0 and 1.00 are one number and two texts.",
    example: "id: tags   # fields: {tags: {type: list, required: true}}",
};

/// What says that one was cancelled is no value of its field.
pub const VOID_VALUE: Entry = Entry {
    code: "E1612",
    severity: Severity::Error,
    zh: "`void` 的 value 不是这个字段的值:{why_zh}",
    en: "the value of `void` is none of its field: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "已作废的数据被读取时,这个字段就是这个值,所以它必须符合字段声明的类型。",
    long_en: "Where one is read that was cancelled, the field has this value: it has to be one of the declared type.",
    example: "id: number\nfields: {number: {type: text, required: true}, status: {type: choice, of: [open, cancelled]}}\nvoid: {field: status, value: canceled}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &NO_FIELD,
    &ID_REQUIRED,
    &NO_CHOICES,
    &OF_ANOTHER_TYPE,
    &NO_PATH,
    &SERVES_NOTHING,
    &SERVE,
    &DOUBLE,
    &IN_ERROR,
    &ID_TYPE,
    &VOID_VALUE,
];
