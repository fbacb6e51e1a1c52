//! E1770-E1776, E5020-E5026: several rows that become one document.

use super::Entry;
use crate::diagnostic::Severity;

/// A document that is made of several rows is created and never changed.
pub const AGGREGATE_CREATES: Entry = Entry {
    code: "E1770",
    severity: Severity::Error,
    zh: "多行合成的单据只新增:发出之后不会再改,也不会作废",
    en: "a document that is made of several rows is created only: once it was sent it is never changed or voided",
    help_zh: "在 target 下写 `actions: [create]`",
    help_en: "write `actions: [create]` under the target",
    long_zh: "合成一张单据的行随单据一起冻结;之后到达的行进入下一张单据,已发出的单据不再改动。因此目标只能新增。已冻结的行有变化或作废时,这一行等待人工处理,并说明它在哪张单据里。",
    long_en: "The rows of a document are frozen with it; rows that come later make a further document, and one that was sent is not touched again. So the target may create only. Where a frozen row changes or is cancelled, that row is held for a person, and the document is named.",
    example: "target: {api: batchSave, aggregate: {header: [shop_no]}}   # and no actions: [create]",
};

/// Two documents of one group would have one number.
pub const NUMBER_WITHOUT_PART: Entry = Entry {
    code: "E1771",
    severity: Severity::Error,
    zh: "`number` 里没有 `$part`:同一组的第二张单据会与第一张同号",
    en: "`number` is without `$part`: the second document of a group would have the number of the first",
    help_zh: "写成例如 `<<shop_no>>-<<$part>>`",
    help_en: "write, say, `<<shop_no>>-<<$part>>`",
    long_zh: "同一组的行超过 `max_lines`,或者有行在单据生成之后才到,都会产生下一张单据。`$part` 在一个组里从 1 一直数下去,使每张单据的编号不同。",
    long_en: "A group with more than `max_lines` lines, and rows that come after a document was made, make a further document. `$part` counts on from 1 within a group for ever, so that each document has a number of its own.",
    example: "aggregate: {header: [shop_no], lines: details, by: [sku], number: <<shop_no>>}",
};

/// The key of the document is not its number.
pub const KEY_WITHOUT_NUMBER: Entry = Entry {
    code: "E1772",
    severity: Severity::Error,
    zh: "目标主键 `{path}` 里没有 `$number`:应答丢失时找不到是哪一张单据",
    en: "the key `{path}` is without `$number`: after a lost answer nobody could tell which document it was",
    help_zh: "主键字段写成 `<<$number>>`",
    help_en: "write the key field as `<<$number>>`",
    long_zh: "合成的单据用 `aggregate.number` 标识。它在生成单据时定下并写入账本,之后不变;目标主键必须由它组成,引擎才能在应答丢失后按主键查询,不重复写入。",
    long_en: "A document that is made of several rows is known by `aggregate.number`, which is fixed and stored when it is made. The key at the target must be made of it: only then can the engine ask by key after a lost answer instead of writing twice.",
    example: "request: {FBillNo: <<shop_no>>}   # write <<$number>>",
};

/// A field stands in a document twice.
pub const AGGREGATE_TWICE: Entry = Entry {
    code: "E1773",
    severity: Severity::Error,
    zh: "`{path}` 在合成的单据里有两个位置",
    en: "`{path}` has two places in the document",
    help_zh: "每个字段只写在 `by` 或 `calc` 之一;`lines` 不能与表头字段同名",
    help_en: "write each field under `by` or under `calc`; `lines` may not have the name of a header field",
    long_zh: "合成的单据由表头字段和明细列表组成。一个字段(或它的上级)在同一处写两次,后一个值会盖掉前一个。",
    long_en: "A document consists of header fields and a list of lines. Where a field, or one around it, is written twice, the second value would take the place of the first.",
    example: "aggregate: {header: [shop_no], lines: details, by: [sku], calc: {sku: first}}",
};

/// Something that does not go with documents of several rows.
pub const AGGREGATE_UNFIT: Entry = Entry {
    code: "E1774",
    severity: Severity::Error,
    zh: "有 `aggregate` 时不能写 `{key}`:{why_zh}",
    en: "`{key}` does not go with `aggregate`: {why_en}",
    help_zh: "",
    help_en: "",
    long_zh: "合成的单据只新增一次,由多行组成,不对应某一行;与此矛盾的写法在运行之前就被拒绝。",
    long_en: "A document that is made of several rows is created once and belongs to no one row. What contradicts that is refused before it runs.",
    example: "target: {find: before_create, aggregate: {header: [shop_no]}}",
};

/// A field that is in no document.
pub const VANISHES: Entry = Entry {
    code: "E1775",
    severity: Severity::Error,
    zh: "合成的单据里没有字段 `{path}`:只有 `header`、`by`、`calc` 的字段保留下来",
    en: "there is no field `{path}` in the document that is made of several rows: only those of `header`, `by` and `calc` are kept",
    help_zh: "各行都相同的写进 `header`,区分明细的写进 `by`,其余写进 `calc`,例如 `first` 或 `sum`",
    help_en: "write it under `header` where it is equal in all rows, under `by` where it tells lines apart, else under `calc`, with `first` or `sum`, say",
    long_zh: "多行合成一张单据后,一个字段可能有许多不同的值。引擎不会随便取一个:没有说明怎样得出的字段不保留。",
    long_en: "Where several rows become one document, a field may have as many values as there are rows. None is taken at random: a field of which nobody says how it is reckoned is not kept.",
    example: "aggregate: {header: [shop_no], lines: goods, by: [sku]}   # and <<order_no>> in the request",
};

/// What tells documents apart is a field that is to be hidden.
pub const HEADER_SENSITIVE: Entry = Entry {
    code: "E1776",
    severity: Severity::Error,
    zh: "`header` 的字段 `{path}` 是敏感内容:单据在账本里的主键和编号由它得出,会原样显示",
    en: "`{path}` of `header` is sensitive: the key in the ledger and the number of the document are made of it and shown as they are",
    help_zh: "改按别的字段分组,如编码;敏感字段放进 `calc`(如 `first`),在行里仍会掩盖",
    help_en: "group by another field, such as a code; a sensitive one may stand in `calc` (`first`, say), where it is masked",
    long_zh: "几行合成的单据由 `header` 的值区分,这些值出现在账本主键、编号、列表、日志和接口里,没有一处可以掩盖。敏感的字段是报文里标了 `$sensitive` 的,以及来源的对象文件标为 `sensitive` 的。",
    long_en: "Documents of several rows are told apart by the values of `header`: they stand in the key of the ledger, in the number, in lists, logs and the API, and can be masked in none of these. Sensitive is a field of which the request makes something with `$sensitive`, and one that the object file of the source calls `sensitive`.",
    example: "aggregate: {header: [idCard], number: <<idCard>>-<<$part>>}\nrequest: {FNote: {$value: <<idCard>>, $sensitive: true}}",
};

/// Two groups may have one number.
pub const NUMBER_OF_SEVERAL: Entry = Entry {
    code: "W1770",
    severity: Severity::Warning,
    zh: "`number` 里没有表头字段 {fields}:只有它不同的两组会得到同一个编号,后一张单据会停下等人处理",
    en: "`number` is without {fields} of the header: two groups that differ in nothing else get one number, and the second document is held",
    help_zh: "把它写进 `number`,或从 `header` 中去掉",
    help_en: "write it into `number`, or take it out of `header`",
    long_zh: "`header` 的字段决定哪些行合成一张单据,`number` 是这张单据的编号。编号里缺少某个表头字段时,只有这个字段不同的两组编号相同。引擎不会写两次,后一张会停下,注明编号已被占用。",
    long_en: "The fields of `header` say which rows are one document, `number` is its identity. Where a field is missing in it, two groups that differ in that field alone have one number. Nothing is written twice: the second one is held, and the holder of the number is named.",
    example: "aggregate: {header: [shop_no, stock_no], number: <<shop_no>>-<<$part>>}",
};

/// Each push would end a document.
pub const GATHERED_PER_PUSH: Entry = Entry {
    code: "W1771",
    severity: Severity::Warning,
    zh: "`schedule: on_push` 与 `aggregate`:一有推送就合成单据,后到的行进入下一张,几乎每次推送一张单据",
    en: "`schedule: on_push` with `aggregate`: documents are made as soon as something is pushed, and what comes later goes into the next one: nearly one document for each push",
    help_zh: "想攒满一段时间再合成,改为定时读取源;推送本身就是完整的一批时,可以不理会",
    help_en: "to gather for a while, let the source be read at times instead; where each push holds all rows of its documents, leave it so",
    long_zh: "一次运行读完已有的行之后,就把它们合成单据,单据此后不再改动。on_push 的运行在推送到达时开始,所以一张单据里只有那一刻已经到达的行。",
    long_en: "A run makes documents of the rows that are there once it has read them, and no document is changed afterwards. Runs of on_push begin when a push comes, so that a document has the rows that had come by then.",
    example: "schedule: on_push\ntarget: {aggregate: {header: [shop_no]}}",
};

/// A frozen row changed.
pub const MEMBER_CHANGED: Entry = Entry {
    code: "E5020",
    severity: Severity::Error,
    zh: "这一行已合成在单据 {document} 里,之后又有变化或被作废:单据不再改动",
    en: "the row is in the document {document} and was changed or cancelled since: the document is not touched",
    help_zh: "在目标里处理该单据,再用 `engine skip` 说明已处理",
    help_en: "see to the document at the target, then say so with `engine skip`",
    long_zh: "行随单据一起冻结。单据可能已经发出时,行的变化或作废不会改动它,也不会再写一次;这一行停下等人处理。单据确定没有写入(失败、尚未发送)时不需要人工:单据被解散,各行进入下一张。",
    long_en: "Rows are frozen with their document. Where it may have been sent, a change or a cancellation of a row neither changes it nor is written once more: the row is held. Where it was certainly not written (dead, or not sent yet) nobody needs to decide: the document is taken apart, and its rows go into the next one.",
    example: "rows show CK202611200001",
};

/// A row follows its document.
pub const IN_A_DOCUMENT: Entry = Entry {
    code: "E5021",
    severity: Severity::Error,
    zh: "这一行与其他行合成在一张单据里,跟随该单据,不单独写入",
    en: "the row is in a document with others and follows it: it is not written by itself",
    help_zh: "`engine rows show` 里有单据的编号;请对单据作决定",
    help_en: "`engine rows show` names the document: decide about that",
    long_zh: "多行合成一张单据时,写入、查询和重试都针对单据;各行随单据完成或失败。单据确定没有写入时,重试其中一行会解散单据,各行进入下一张。",
    long_en: "Where several rows become one document, the document is what is written, asked about and retried; its rows are done or dead with it. Where it was certainly not written, a retry of one of its rows takes it apart, and the rows go into the next one.",
    example: "engine retry --key CK202611200001/1",
};

/// A row of a ledger that was put back.
pub const MAYBE_IN_A_DOCUMENT: Entry = Entry {
    code: "E5022",
    severity: Severity::Error,
    zh: "账本不知道这一行是否已经在目标的某张单据里(账本是恢复的副本、从别的工具接手,或方案后来才改为合成单据)",
    en: "the ledger does not know whether the row is in a document of the target already: it was put back from a copy, took over from another tool, or the scheme made a document of each row before",
    help_zh: "在目标里查:已在单据里用 `engine skip`,没有就用 `engine retry`,它会进入下一张单据",
    help_en: "look at the target: `engine skip` where it is in a document, `engine retry` where it is not: it goes into the next one",
    long_zh: "单独写入的数据可以按主键向目标查询;合成单据里的一行没有自己的主键,查不到。为了不重复记账,这些行停下等人确认。",
    long_en: "A row that is a document of its own can be asked for by its key. A row within a document that was made of several has none, so nobody but a person can tell. To book nothing twice, such rows are held.",
    example: "engine restore ledger-backup.db",
};

/// A number that a forgotten document has.
pub const NUMBER_FOUND: Entry = Entry {
    code: "E5023",
    severity: Severity::Error,
    zh: "目标里已有编号为 {number} 的单据,它不是由这些行合成的",
    en: "the target has a document {number} already, and it was not made of these rows",
    help_zh: "核对该单据;然后 `engine skip` 这张单据,再对没有入账的行用 `engine retry`,它们进入下一张",
    help_en: "look at it; then `engine skip` this document and `engine retry` the rows that are not booked: they go into the next one",
    long_zh: "账本恢复之后,新的单据可能与恢复前写过、账本已不记得的单据同号。引擎先按编号查询;查到的单据由别的行合成,所以不当作自己的。",
    long_en: "After a ledger was put back, a new document may get the number of one that was written before and is forgotten. The engine asks by number first; what it finds was made of other rows and is not taken for its own.",
    example: "engine restore ledger-backup.db",
};

/// A document was taken apart before it was written.
pub const DISSOLVED: Entry = Entry {
    code: "E5024",
    severity: Severity::Error,
    zh: "这张单据没有写入,已解散:{why};它的行进入下一张",
    en: "the document was not written and was taken apart: {why}; its rows go into the next one",
    help_zh: "",
    help_en: "",
    long_zh: "没有写入的单据里有一行变化、作废,或被人要求重试时,单据解散,各行按最新内容重新合成。编号不会再用。",
    long_en: "Where a row of a document that was not written changes, is cancelled, or is retried by a person, the document is taken apart and its rows are gathered anew as they are now. The number is not used again.",
    example: "rows show S01-2026-11-20-1",
};

/// The number of a document is empty.
pub const NUMBER_EMPTY: Entry = Entry {
    code: "E5025",
    severity: Severity::Error,
    zh: "`aggregate.number` 的结果为空",
    en: "`aggregate.number` gives nothing",
    help_zh: "检查其中的字段",
    help_en: "check the fields in it",
    long_zh: "编号是合成单据的身份,不能为空。相关的行不写入。",
    long_en: "The number is the identity of a document that is made of several rows and cannot be empty. Its rows are not written.",
    example: "number: <<empty>>",
};

/// A row and its document differ.
pub const MEMBER_STATE: Entry = Entry {
    code: "E5026",
    severity: Severity::Error,
    zh: "{scheme}:{what} 的状态与它所在的单据不一致",
    en: "{scheme}: {what} is not in the state of its document",
    help_zh: "保留账本文件并报告",
    help_en: "keep the ledger file and report it",
    long_zh: "合成在单据里的行跟随单据:单据完成则完成,未完成则待处理。不一致说明账本出错。",
    long_en: "Rows follow the document that they are in: done when it is, open as long as it is. A difference means that the ledger is wrong.",
    example: "engine verify",
};

/// All of them.
pub const ALL: &[&Entry] = &[
    &AGGREGATE_CREATES,
    &NUMBER_WITHOUT_PART,
    &KEY_WITHOUT_NUMBER,
    &AGGREGATE_TWICE,
    &AGGREGATE_UNFIT,
    &VANISHES,
    &HEADER_SENSITIVE,
    &NUMBER_OF_SEVERAL,
    &GATHERED_PER_PUSH,
    &MEMBER_CHANGED,
    &IN_A_DOCUMENT,
    &MAYBE_IN_A_DOCUMENT,
    &NUMBER_FOUND,
    &DISSOLVED,
    &NUMBER_EMPTY,
    &MEMBER_STATE,
];
