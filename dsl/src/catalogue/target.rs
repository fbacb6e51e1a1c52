//! E4000-E4099: how writing went. `{vendor}` stands for the other system's words.

use super::Entry;
use crate::diagnostic::Severity;

/// The target refused it: ....
pub const REJECTED: Entry = Entry {
    code: "E4000",
    severity: Severity::Error,
    zh: "目标拒绝:{vendor}",
    en: "the target refused it: {vendor}",
    help_zh: "按对方的说明改正数据或方案,然后 engine run 会再次处理改变过的数据",
    help_en: "mend the data or the scheme as the target says; a changed row is written again by the next run",
    long_zh: "目标系统明确拒绝了这条数据,原话保留在这里。",
    long_en: "The target refused this record for a reason in the data; its own words are kept here.",
    example: "{\"success\": false, \"errors\": [{\"row\": 1, \"message\": \"the group is not there\"}]}",
};

/// The answer was lost: ....
pub const LOST: Entry = Entry {
    code: "E4001",
    severity: Severity::Error,
    zh: "答复丢失:{vendor}",
    en: "the answer was lost: {vendor}",
    help_zh: "静默期过后引擎会用键询问目标,不会盲目重发",
    help_en: "after the quiet period the target is asked by key; nothing is blindly sent again",
    long_zh: "请求已发出但没有收到完整答复,目标可能已经执行。",
    long_en: "The request went out and no whole answer came back; the target may have executed it.",
    example: "POST batchSave\n# and the connection breaks before the answer",
};

/// The target cannot be reached: ....
pub const UNREACHABLE: Entry = Entry {
    code: "E4002",
    severity: Severity::Error,
    zh: "无法连接目标:{vendor}",
    en: "the target cannot be reached: {vendor}",
    help_zh: "检查网络、地址与证书",
    help_en: "check network, address and certificate",
    long_zh: "请求没有送达,数据保持待处理。",
    long_en: "The request did not arrive; the record waits.",
    example: "params: {server: \"https://erp.invalid/\"}",
};

/// The session was lost at a write: ....
pub const SESSION_LOST: Entry = Entry {
    code: "E4003",
    severity: Severity::Error,
    zh: "写入时会话失效:{vendor}",
    en: "the session was lost at a write: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "会话已重新建立;在重发之前先按键询问目标。",
    long_en: "The session was renewed; the target is asked by key before anything is sent again.",
    example: "HTTP 200\n{\"success\": false, \"message\": \"the session has expired\"}",
};

/// The answer does not name this row.
pub const NOT_NAMED: Entry = Entry {
    code: "E4004",
    severity: Severity::Error,
    zh: "答复中没有提到这一行",
    en: "the answer does not name this row",
    help_zh: "",
    help_en: "",
    long_zh: "批量答复里既没有成功也没有失败的行,结果未知,静默期后询问目标。",
    long_en: "A row in neither list of a batch answer is unknown; the target is asked after the quiet period.",
    example: "rows sent: C-1, C-2\n# the answer: {\"created\": [\"C-1\"], \"failed\": []}",
};

/// The target answered with an error that proves nothing: ....
pub const TARGET_FAULT: Entry = Entry {
    code: "E4005",
    severity: Severity::Error,
    zh: "目标返回错误,无法判断是否已执行:{vendor}",
    en: "the target answered with an error that proves nothing: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "错误页、5xx 或无法识别的答复不能证明没有执行。",
    long_en: "An error page, a 5xx or an answer no rule knows does not prove that nothing was executed.",
    example: "HTTP 502\n\n<html>Bad Gateway</html>",
};

/// The target asks to wait: ....
pub const TARGET_BUSY: Entry = Entry {
    code: "E4006",
    severity: Severity::Error,
    zh: "目标要求稍候:{vendor}",
    en: "the target asks to wait: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "限流或繁忙,没有执行,稍后重发。",
    long_en: "Throttled or busy, nothing was executed; sent again later.",
    example: "HTTP 429\nRetry-After: 30",
};

/// The target refuses the credentials or the configuration: ....
pub const REFUSES_US: Entry = Entry {
    code: "E4007",
    severity: Severity::Error,
    zh: "目标拒绝凭据或配置:{vendor}",
    en: "the target refuses the credentials or the configuration: {vendor}",
    help_zh: "检查 connections.yaml 与对方的授权;数据保持待处理",
    help_en: "check connections.yaml and the authorisation at the vendor; the records wait",
    long_zh: "重试没有用,运行停止;没有数据被判失败。",
    long_en: "Trying again is useless, so the run stops; no record is dead because of it.",
    example: "HTTP 403",
};

/// The quota is used up: ....
pub const QUOTA: Entry = Entry {
    code: "E4008",
    severity: Severity::Error,
    zh: "配额用完:{vendor}",
    en: "the quota is used up: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "运行停止,数据保持待处理。",
    long_en: "The run stops; the records wait.",
    example: "{\"success\": false, \"message\": \"no calls left today\"}",
};

/// The target already has a document with this key that this engine did not write: ....
pub const KEY_CONFLICT: Entry = Entry {
    code: "E4010",
    severity: Severity::Error,
    zh: "目标已有同一编码的单据,且不是本引擎写入的:{vendor}",
    en: "the target already has a document with this key that this engine did not write: {vendor}",
    help_zh: "若应当接管它,在方案的 target 下写 find: before_create",
    help_en: "if it should be taken over, write find: before_create under target",
    long_zh: "引擎第一次发送就被告知编码已存在,因此不会覆盖,由人决定。",
    long_en: "The very first send was told that the key exists. Nothing is overwritten; a person decides.",
    example: "{\"success\": false, \"errors\": [{\"row\": 1, \"message\": \"the number C-1 is taken\"}]}",
};

/// The target has several documents with this key.
pub const KEY_AMBIGUOUS: Entry = Entry {
    code: "E4011",
    severity: Severity::Error,
    zh: "目标有多份同一编码的单据",
    en: "the target has several documents with this key",
    help_zh: "在目标系统清理重复,或换一个 key",
    help_en: "clean up at the target, or choose another key",
    long_zh: "按键查询得到多于一份,不知道该更新哪一份。",
    long_en: "The key query found more than one; nobody can tell which to write to.",
    example: "FNumber = C-1  →  two documents",
};

/// The target says the key exists, but the key query does not find it: ....
pub const EXISTS_NOT_FOUND: Entry = Entry {
    code: "E4012",
    severity: Severity::Error,
    zh: "目标说编码已存在,但按键查不到:{vendor}",
    en: "the target says the key exists, but the key query does not find it: {vendor}",
    help_zh: "编码可能属于别的组织或已禁用",
    help_en: "it may belong to another organisation, or be disabled",
    long_zh: "两个答复互相矛盾,由人决定。",
    long_en: "The two answers contradict each other; a person decides.",
    example: "create C-1     →  the number is taken\nFNumber = C-1  →  none",
};

/// The answer was lost and the target cannot be asked: ....
pub const CANNOT_ASK: Entry = Entry {
    code: "E4013",
    severity: Severity::Error,
    zh: "答复丢失,且无法询问目标:{vendor}",
    en: "the answer was lost and the target cannot be asked: {vendor}",
    help_zh: "在目标系统里查看,再人工处理",
    help_en: "look at the target, then decide by hand",
    long_zh: "这个操作没有可查询的键,或者在这个系统里查不到不能证明没有执行,所以不能确认。",
    long_en: "This operation has no key to ask by, or finding nothing proves nothing at this system, so nobody can tell whether it was executed.",
    example: "on_unknown: hold    # and an answer that is lost",
};

/// For a day nothing could be learnt: ....
pub const UNKNOWN_TOO_LONG: Entry = Entry {
    code: "E4014",
    severity: Severity::Error,
    zh: "一天内都无法得知结果:{vendor}",
    en: "for a day nothing could be learnt: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "询问一直失败,交给人处理。",
    long_en: "Asking kept failing; a person must look.",
    example: "FNumber = C-1  →  HTTP 503, for 24 hours",
};

/// Not there yet, asked once more later: ....
pub const NOT_THERE_YET: Entry = Entry {
    code: "E4015",
    severity: Severity::Error,
    zh: "目标里还没有,稍后再问一次:{vendor}",
    en: "not there yet, asked once more later: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "目标不保证编码唯一,所以要两次否定的答复。",
    long_en: "The target does not enforce unique keys, so two negative answers are needed.",
    example: "FNumber = C-1  →  none",
};

/// The target says the key exists: ....
pub const EXISTS: Entry = Entry {
    code: "E4016",
    severity: Severity::Error,
    zh: "目标说编码已存在:{vendor}",
    en: "the target says the key exists: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "立即按键询问目标。",
    long_en: "The target is asked by key at once.",
    example: "create C-1  →  the number is taken",
};

/// Waits for what a look-up has not found yet: ....
pub const DEFERRED: Entry = Entry {
    code: "E4018",
    severity: Severity::Error,
    zh: "等待查找的数据:{vendor}",
    en: "waits for what a look-up has not found yet: {vendor}",
    help_zh: "先运行提供数据的方案",
    help_en: "run the scheme that feeds the look-up first",
    long_zh: "查找没有命中;以后每次运行都会再试,上级数据到了就自动继续,24 小时后失败。",
    long_en: "The look-up found nothing. Every later run tries again, and it goes on by itself once the row is there; dead after 24 hours.",
    example: "FCustId: {$lookup: huke-customers, $get: id, $by: {cid: <<buyerCid>>}, $missing: defer}",
};

/// Waited a day for what a look-up has not found: ....
pub const WAITED_TOO_LONG: Entry = Entry {
    code: "E4022",
    severity: Severity::Error,
    zh: "试了 24 小时,查找的数据仍然没有:{vendor}",
    en: "tried for 24 hours, and the look-up does not find it: {vendor}",
    help_zh: "运行提供数据的方案,检查这个键在它的数据里;源数据再变化时会重新处理",
    help_en: "run the scheme that feeds the look-up and see whether it has this key; a change at the source starts it anew",
    long_zh: "数据引用的上级数据一直没有到,不再等待。只计算真正重试过的时间:两次重试之间最多算两小时,停机不算等待。",
    long_en: "The row that this one refers to did not come, and the record waits no longer. Only time in which it was tried counts: of the time between two tries two hours at most, so that an outage is no waiting.",
    example: "FCustId: {$lookup: huke-customers, $get: id, $by: {cid: <<buyerCid>>}, $missing: defer}\n# and no such row for 24 hours",
};

/// Cancelled, and the target has no document of it: nothing to do.
pub const VOID_UNWRITTEN: Entry = Entry {
    code: "E4019",
    severity: Severity::Error,
    zh: "已作废,而目标没有它的单据,无需处理",
    en: "cancelled, and the target has no document of it: nothing to do",
    help_zh: "",
    help_en: "",
    long_zh: "源数据表示作废,而目标没有它的单据:从未写入,或已经作废且什么都没有留下。",
    long_en: "The row means cancelled and the target has no document of it: it was never written, or is void already and nothing is left of it.",
    example: "source:\n  void: {field: status, eq: cancelled}\n# the first row of this key: {status: cancelled}",
};

/// The target cannot update; the document stays as it was written.
pub const NO_UPDATE: Entry = Entry {
    code: "E4020",
    severity: Severity::Error,
    zh: "目标操作不能更新,已写入的单据保持原样",
    en: "the target cannot update; the document stays as it was written",
    help_zh: "",
    help_en: "",
    long_zh: "这个方案只允许新建,后来的变化不会写入。",
    long_en: "This scheme may only create; later changes are not written.",
    example: "target:\n  actions: [create]",
};

/// The row is cancelled and the target has no operation for that.
pub const VOID_UNSUPPORTED: Entry = Entry {
    code: "E4021",
    severity: Severity::Error,
    zh: "源数据已作废,而目标没有作废操作",
    en: "the row is cancelled and the target has no operation for that",
    help_zh: "在目标系统人工作废,或在方案里声明 void 操作",
    help_en: "cancel it at the target by hand, or name a void operation in the scheme",
    long_zh: "由人决定。",
    long_en: "A person decides.",
    example: "source:\n  void: {field: status, eq: cancelled}\n# and a target without an operation for void",
};

/// The target did not tell the ids of all lines; an update would double them.
pub const LINES_UNKNOWN: Entry = Entry {
    code: "E4023",
    severity: Severity::Error,
    zh: "不知道目标给各行的 id,更新会使行重复:{vendor}",
    en: "the target's ids of the lines are not known, an update would double them: {vendor}",
    help_zh: "让写入的答复带回行 id;已写入的单据在目标系统人工核对",
    help_en: "let the answer of the write tell the ids of lines; look at the document that is there by hand",
    long_zh: "单据已在目标中,而答复没有(或没有对应得上的)行 id,例如答复丢失、单据是手工录入的。",
    long_en: "The document is there and its answer told no ids of lines that fit, for example because the answer was lost or the document was typed in by hand.",
    example: "FEntity: {$each: lines, $key: id, $do: {FQty: <<$line.qty>>}}\n# and a document that was typed in by hand",
};

/// An update that adds lines may have been executed; sent again it would add them twice.
pub const LINES_IN_DOUBT: Entry = Entry {
    code: "E4024",
    severity: Severity::Error,
    zh: "新增了行的更新没有收到答复,再发会使行重复:{vendor}",
    en: "an update that adds lines was not answered, sent again it could add them twice: {vendor}",
    help_zh: "在目标系统查看这些行是否已在单据中",
    help_en: "see at the target whether these lines are in the document",
    long_zh: "更新可能已执行;新行没有 id,所以不能再发。",
    long_en: "The update may have been executed; new lines have no ids, so it cannot be sent again.",
    example: "FEntity: {$each: lines, $key: id, $do: {FQty: <<$line.qty>>}}\n# an update with a new line, and its answer is lost",
};

/// A look-up with conditions that was not decided within its bound: ....
pub const LOOKUP_TOO_WIDE: Entry = Entry {
    code: "E4025",
    severity: Severity::Error,
    zh: "查找条件太宽,看过的行里没有,更早的行没有看:{vendor}",
    en: "the look-up is too wide: nothing in the rows that were looked at, and older ones were not: {vendor}",
    help_zh: "在条件里加上至少一个相等的字段",
    help_en: "compare at least one field for equality",
    long_zh: "只按相等的字段建索引;其余条件逐行判断,行数有上限。到上限还不能确定时是错误,不当作没有找到。",
    long_en: "Fields that are compared for equality have an index; other conditions are judged row by row, up to a bound. What is not decided within it is an error, not a miss.",
    example: "_mongoQuery huke-customers findField=content.id where={\"content.name\": {\"$regex\": \"公司\"}}",
};

/// The target could not be reached several times in a row.
pub const CIRCUIT_OPEN: Entry = Entry {
    code: "E4026",
    severity: Severity::Error,
    zh: "连续多次无法连接目标,每分钟只试探一次:{vendor}",
    en: "the target could not be reached several times in a row; one call a minute finds out whether it is back: {vendor}",
    help_zh: "等目标恢复,或检查网络、地址与证书;数据保持待处理,恢复后自动继续",
    help_en: "wait until the target is back, or check network, address and certificate; the records wait and go on by themselves",
    long_zh: "连续五次调用没有到达目标之后,引擎(包括写入同一连接的其他方案)每分钟只用一条数据试探一次。没有数据因为目标不可用而失败。",
    long_en: "After five calls in a row that did not come through, the engine tries with one record a minute, and so does every other scheme that writes to this connection. No record is dead because the target was down.",
    example: "params: {server: \"https://erp.invalid/\"}    # for five calls in a row",
};

/// The target refused a further step: ....
pub const STEP_REFUSED: Entry = Entry {
    code: "E4027",
    severity: Severity::Error,
    zh: "目标拒绝了后续步骤:{vendor}",
    en: "the target refused a further step: {vendor}",
    help_zh: "在目标系统里查看单据;改正之后重试,会从这一步继续,不会再次保存",
    help_en: "look at the document at the target; after mending it, retry goes on with this step and does not write the document again",
    long_zh: "单据已经写入,而它的某个步骤(如提交、审核)被拒绝;询问后单据也没有显示该步骤已完成。",
    long_en: "The document is written, and one of its steps (such as submit or audit) was refused. When asked, the target did not show the step as made.",
    example: "save C-1    →  {\"success\": true, \"id\": 100482}\naudit C-1   →  {\"success\": false, \"message\": \"the period is closed\"}",
};

/// Written, but what the target should have done with it in the same call is not.
pub const HALF: Entry = Entry {
    code: "E4028",
    severity: Severity::Error,
    zh: "单据已保存,但同一调用中的后续步骤没有完成:{vendor}",
    en: "the document is written, but what should have followed in the same call is not done: {vendor}",
    help_zh: "引擎会查询单据的状态,从未完成的步骤继续,不会再次保存",
    help_en: "the target is asked how far the document came, and the engine goes on from there; it is not written again",
    long_zh: "例如“保存并提交审核”时保存成功而审核失败。引擎按单据内码单独执行缺少的步骤。",
    long_en: "For example a save with submit and audit, of which the audit failed. The missing steps are made by calls of their own, by the document's id.",
    example: "save and audit C-1  →  {\"success\": false, \"id\": 100482, \"message\": \"saved, not audited\"}",
};

/// The scheme has no step `{name}` any more.
pub const STEP_GONE: Entry = Entry {
    code: "E4029",
    severity: Severity::Error,
    zh: "方案里已没有步骤 `{vendor}`",
    en: "the scheme has no step `{vendor}` any more",
    help_zh: "恢复这个步骤,或人工处理这条数据",
    help_en: "bring the step back, or decide about this record by hand",
    long_zh: "这条数据的单据已写入,停在一个已从方案中删除或改名的步骤。引擎不猜测应该继续哪一步。",
    long_en: "The document of this record is written, and it stands before a step that was removed from the scheme or has another name. The engine does not guess where to go on.",
    example: "steps: [submit, audit]    # was [submit, audit, notify] when the record was written",
};

/// The row has no line for `{vendor}` any more.
pub const LINE_GONE: Entry = Entry {
    code: "E4032",
    severity: Severity::Error,
    zh: "这一行数据里已没有 `{vendor}` 对应的行",
    en: "the row has no line for `{vendor}` any more",
    help_zh: "在源系统恢复这一行后重试,或人工处理这条数据",
    help_en: "bring the line back in the source and retry, or decide about this record by hand",
    long_zh: "这条数据停在带 `each` 的步骤的某一行上(被拒绝,或应答丢失),而该行后来从源数据里消失,或者 `each`、`line_key` 被改过。引擎不猜测那一行的单据是否还要:目标里已有的不动,没有写的不写。",
    long_en: "The record stands at a line of a step with `each` (it was refused, or its answer was lost), and the line has vanished from the row since, or `each` or `line_key` was changed. The engine does not guess whether the document of that line is still wanted: what is at the target stays, what was not written is not written.",
    example: "each: contacts    # a contact was refused, and deleted in the source",
};

/// A line that may have been made under another identity is not made anew.
pub const LINE_KEYED_OTHERWISE: Entry = Entry {
    code: "E4033",
    severity: Severity::Error,
    zh: "`line_key` 的字段数改过,说不清这一行是否已经发过:{vendor}",
    en: "`line_key` had another number of fields when lines of this record were sent: {vendor}",
    help_zh: "改回原来的 `line_key`,再执行 `engine retry --state held`;要按新的身份全部重发,给步骤换一个名字再这样重试;这一次的变更不必再写则 rows skip",
    help_en: "put the `line_key` back as it was, then `engine retry --state held`; to send every line again under its new identity, give the step another name before that; where this change is not to be written, rows skip",
    long_zh: "带 `each` 的步骤没有主键(消息之类),发过的行只凭 `line_key` 的身份认得。字段数改了,旧身份与新身份对不上:再发就可能重复,而目标不会拒绝。因此在写任何单据之前停下,由人决定。字段数不变而换了字段,引擎看不出来。",
    long_en: "The step with `each` has no key (a message), so that lines which were sent are known by their identity, `line_key`, alone. With another number of fields no old identity is a new one: what was sent would be sent again, and the target would not refuse it. So nothing of this change is written, and a person decides. Other fields in the same number cannot be told from other lines.",
    example: "line_key: [kind, id]    # was: line_key: id",
};

/// A document with this key is there, and it is not what was sent.
pub const NOT_OURS: Entry = Entry {
    code: "E4030",
    severity: Severity::Error,
    zh: "目标有同一编码的单据,但 {fields} 与发送的不同,可能是别人的:{vendor}",
    en: "the target has a document with this key, but {fields} differ from what was sent, so it may be somebody else's: {vendor}",
    help_zh: "在目标系统里查看,再用 engine rows resolve 说明:是它(--done),或没有写入(--not-there)",
    help_en: "look at the target, then say with engine rows resolve that it is (--done), or that ours is not there (--not-there)",
    long_zh: "新增的应答丢失,按键找到一份单据。方案的 fingerprint 列出的字段必须与当时发送的相同,才算是自己的;不同则不认领,也不覆盖,由人决定。数据库和文件夹看的是记录(attempt):只有这次发送写下的那一行才算,别的账本写下的不算。",
    long_en: "The answer to a create was lost, and a document was found by its key. It counts as ours only if the fields that the scheme lists under fingerprint are as they were sent. Otherwise it is neither taken for ours nor overwritten; a person decides. Databases and folders are asked for the note (attempt): only that of this send counts, and one of another ledger does not.",
    example: "fingerprint: [FName]   # sent: 杭州云杉贸易; there: 青田贸易",
};

/// The document is there, under an id that nobody told.
pub const ID_UNKNOWN: Entry = Entry {
    code: "E4031",
    severity: Severity::Error,
    zh: "单据已写入过,但目标没有返回它的 id,不知道该更新哪一份",
    en: "its document was written, but the target never told its id, so nobody knows which one to change",
    help_zh: "在目标系统里找到它,用 engine rows resolve --done-as ID 记下 id;以后的版本就能更新",
    help_en: "find it at the target and note its id with engine rows resolve --done-as ID; later versions can be written then",
    long_zh: "再次新增会成为第二份单据,所以停下等人处理。请在连接器的 outcome 里取出 id,或声明怎样按键询问。",
    long_en: "Another create would make a second document, so a person decides. Let the connector's outcome read the id, or declare how the target is asked by key.",
    example: "{\"success\": true}   # and no id",
};

/// The day's calls are spent.
pub const DAY_SPENT: Entry = Entry {
    code: "E4040",
    severity: Severity::Error,
    zh: "连接 `{connection}` 今天的 {count} 次调用已经用完;{until} 之后继续",
    en: "the {count} calls that connection `{connection}` may make today are used up; it goes on after {until}",
    help_zh: "如果买了更多配额,提高连接的 limits.per_day",
    help_en: "if more calls were bought, raise the connection's limits.per_day",
    long_zh: "调用数按系统所在时区的日子计,写在数据目录里,重启和另一个进程都算在一起。用完时运行停止,没有发出任何请求,数据保持待处理。",
    long_en: "Calls are counted by the days of the system's zone, in the data directory, so that a restart and another process count together. When they are used up the run stops, nothing is sent, and the records wait.",
    example: "limits: {per_day: 100000}    # in connections.yaml, and 100,000 calls made",
};

/// The day's calls of a scheme are spent.
pub const OWN_DAY_SPENT: Entry = Entry {
    code: "E4043",
    severity: Severity::Error,
    zh: "方案 `{scheme}` 的 `{side}.limits.per_day`({count} 次)今天已经用完;{until} 之后继续",
    en: "the scheme `{scheme}` has made the {count} calls of today that its `{side}.limits.per_day` allows; it goes on after {until}",
    help_zh: "提高方案的 per_day,或等到明天;连接的限制另外计算",
    help_en: "raise the per_day of the scheme, or wait for the next day; those of the connection are counted apart",
    long_zh: "方案自己的调用数按对方系统所在时区的日子计,写在数据目录里。用完时运行停止,没有发出任何请求,数据保持待处理;别的方案不受影响。",
    long_en: "The calls of a scheme are counted by the days of the other system's zone, in the data directory. When they are used up the run stops, nothing is sent, and the records wait; other schemes go on.",
    example: "target: {limits: {per_day: 2000}}    # and 2,000 calls made",
};

/// The vendor has closed for a time.
pub const PAUSED: Entry = Entry {
    code: "E4041",
    severity: Severity::Error,
    zh: "连接 `{connection}` 到 {until} 为止没有配额:{vendor}",
    en: "connection `{connection}` has no quota until {until}: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "对方早先说过配额用完,连接器知道何时恢复。在那之前不再询问,没有发出任何请求,数据保持待处理。",
    long_en: "The other system said earlier that the quota is used up, and the connector knows when it is there again. Until then it is not asked again, nothing is sent, and the records wait.",
    example: "outcome: [{code: 30002, class: quota_stop, until: midnight}]",
};

/// Outside the connection's hours.
pub const OUT_OF_HOURS: Entry = Entry {
    code: "E4042",
    severity: Severity::Error,
    zh: "连接 `{connection}` 只在 {hours} 调用;{until} 继续",
    en: "connection `{connection}` may be called only in {hours}; it goes on at {until}",
    help_zh: "",
    help_en: "",
    long_zh: "时段写在连接的 limits.hours 里,按系统所在时区。时段之外不发出任何请求,数据保持待处理。",
    long_en: "The hours stand in the connection's limits.hours, in the system's zone. Outside them nothing is sent, and the records wait.",
    example: "limits: {hours: 22:00-06:00}    # in connections.yaml, at noon",
};

/// What another tool wrote cannot be told from what it did not write.
pub const NOT_ADOPTABLE: Entry = Entry {
    code: "E4050",
    severity: Severity::Error,
    zh: "方案 `{scheme}` 不能接管:连接 `{connection}` 说不出另一工具写过哪些单据",
    en: "the scheme `{scheme}` cannot take over: connection `{connection}` cannot tell what another tool has written",
    help_zh: "改用按键覆盖(upsert)的操作,或在连接器里声明怎样按键询问(unknown.by: key);或用 engine map import 导入已有单据的对照",
    help_en: "use an operation that writes over by key (upsert), declare in the connector how it is asked by key (unknown.by: key), or bring the known documents in with engine map import",
    long_zh: "接管要按键询问目标里已有的单据。这里问到的只是本引擎自己的记录(数据库的 attempt),或者方案写着 on_unknown: resend 而目标不会拒绝第二份;接管之后另一工具写过的单据会再写一遍。",
    long_en: "Taking over asks the target by key which documents are there. This one answers only with the notes that this engine itself wrote (a database's attempt), or the scheme says on_unknown: resend and the target does not refuse a second document; what the other tool wrote would then be written once more.",
    example: "engine adopt schemes/orders-to-database.yaml --dry-run",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &REJECTED,
    &LOST,
    &UNREACHABLE,
    &SESSION_LOST,
    &NOT_NAMED,
    &TARGET_FAULT,
    &TARGET_BUSY,
    &REFUSES_US,
    &QUOTA,
    &DAY_SPENT,
    &OWN_DAY_SPENT,
    &PAUSED,
    &OUT_OF_HOURS,
    &KEY_CONFLICT,
    &KEY_AMBIGUOUS,
    &EXISTS_NOT_FOUND,
    &CANNOT_ASK,
    &UNKNOWN_TOO_LONG,
    &NOT_THERE_YET,
    &EXISTS,
    &DEFERRED,
    &WAITED_TOO_LONG,
    &VOID_UNWRITTEN,
    &NO_UPDATE,
    &VOID_UNSUPPORTED,
    &LINES_UNKNOWN,
    &LINES_IN_DOUBT,
    &LOOKUP_TOO_WIDE,
    &CIRCUIT_OPEN,
    &STEP_REFUSED,
    &HALF,
    &STEP_GONE,
    &LINE_GONE,
    &LINE_KEYED_OTHERWISE,
    &NOT_OURS,
    &ID_UNKNOWN,
    &NOT_ADOPTABLE,
];
