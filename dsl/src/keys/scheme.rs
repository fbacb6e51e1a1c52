//! The keys of a scheme file.

use crate::aggregate::CALCS;

use super::{Block, CRON, DAYS, DURATION, HOURS, ID, KeyRow, MOMENT, RATE, Shape, ZONE, block};

const ANY: i64 = i64::MAX;

/// A scheme file.
pub static SCHEME: Block = block(
    "scheme",
    &[
        KeyRow::new(
            "scheme",
            Shape::Word(&ID),
            "方案的 id,在一个文件夹里唯一",
            "id of the scheme, unique in its folder",
        )
        .required()
        .example("huke-to-k3"),
        KeyRow::new(
            "name",
            Shape::OneOf(&[Shape::Text, Shape::Block(&NAME)]),
            "显示名称",
            "what people call it",
        )
        .default("the id")
        .example("网易互客客户 → 金蝶客户"),
        KeyRow::new(
            "uuid",
            Shape::Text,
            "旧平台上的方案 id,旧的查找按它找到本方案",
            "id in another tool, by which old look-ups find this scheme",
        ),
        KeyRow::new(
            "aliases",
            Shape::Map(&Shape::Text),
            "查找中使用的旧 id → 方案 id",
            "old ids used in look-ups, and the schemes they stand for",
        ),
        KeyRow::new(
            "enabled",
            Shape::Bool,
            "是否由 serve 按计划运行",
            "whether serve runs it",
        )
        .default("true"),
        KeyRow::new(
            "compat",
            Shape::Choice(&["qeasy"]),
            "qeasy:缺失即空文本,未写类型的值都是文本,报文里不发 null,`$type: int` 截去小数,摊平的字段另有带 _ 的名称;见 docs/from-qeasy",
            "qeasy: missing is empty text, values are texts unless typed, null is left out of documents, `$type: int` cuts fractions off, exploded fields also have names with _; see docs/from-qeasy",
        ),
        KeyRow::new("zone", Shape::Word(&ZONE), "时间文本的时区", "zone of times")
            .default("the source connector's")
            .example("Asia/Shanghai"),
        KeyRow::new(
            "source",
            Shape::Block(&SOURCE),
            "数据从哪里来",
            "where rows come from",
        )
        .required(),
        KeyRow::new(
            "target",
            Shape::OneOf(&[Shape::Choice(&["none"]), Shape::Block(&TARGET)]),
            "单据写到哪里;none 表示只存储",
            "where documents go; none stores rows only",
        )
        .required(),
        KeyRow::new(
            "maps",
            Shape::Map(&Shape::Block(&TABLE)),
            "对照表",
            "tables for `$map`",
        )
        .example("{status: {to: {A: 启用, B: 禁用}}}"),
        KeyRow::new(
            "schedule",
            Shape::OneOf(&[Shape::Choice(&["on_push"]), Shape::Block(&SCHEDULE)]),
            "何时运行;on_push 表示对方推送时",
            "when it runs; on_push: when something is pushed to it",
        )
        .required()
        .example("{every: 6m}"),
        KeyRow::new(
            "publish",
            Shape::Block(&PUBLISH),
            "把存下的行作为只读接口发布给其他系统:GET /api/v1/data/方案",
            "gives the stored rows to other systems, to read: GET /api/v1/data/SCHEME",
        )
        .example("{fields: [tid, status], filter: [status]}"),
        KeyRow::new(
            "two_way",
            Shape::Block(&TWO_WAY),
            "双向同步:另一个方案反方向同步同样的单据;自己写出的改动不会被读回来,两边都改时按 conflict 处理",
            "two-way sync: another scheme carries the same documents the other way; what was written is not read back as news, and conflict says what happens where both sides were changed",
        )
        .example("{with: erp-to-crm, conflict: hold}"),
        KeyRow::new(
            "retry",
            Shape::Block(&RETRY),
            "对方忙、限流、连不上时隔多久再试、试几次;证明没有执行的才重试,应答丢失的按 on_unknown",
            "how often and after what pauses it is tried again where a system is busy, throttles or cannot be reached; only what is proven not executed, a lost answer is on_unknown's",
        )
        .example("{max: 5, first: 30s, longest: 10m}"),
        KeyRow::new(
            "retention",
            Shape::Word(&DAYS),
            "已写入的单据的报文保留多少天;不写时按 ENGINE_KEEP(90d)",
            "how many days the documents that were sent are kept once their record is done; else ENGINE_KEEP (90d)",
        )
        .example("30d"),
        KeyRow::new(
            "priority",
            Shape::Int(1, 9),
            "同时到期时谁先运行:大的在前;等待越久越靠前,不会一直排不上",
            "who goes first when several are due: the greater; a long wait counts, too, so that nobody waits for ever",
        )
        .default("5")
        .example("8"),
        KeyRow::new(
            "brakes",
            Shape::Block(&BRAKES),
            "计划运行的刹车:数量异常时停下来问人;手工运行不受限制",
            "brakes of scheduled runs: where numbers are unusual they stop and ask; a run by hand is not bound",
        )
        .example("{max_records: 5000, max_change: 5, max_first: 100}"),
        KeyRow::new(
            "tests",
            Shape::List(&Shape::Block(&TEST)),
            "方案自己的测试",
            "the scheme's own tests",
        ),
        KeyRow::new(
            "x-qeasy",
            Shape::Data,
            "导入时没有对应写法的设置,原样保留;引擎不读它",
            "what an import found and the format has no key for, as it was; the engine never reads it",
        ),
    ],
);

static NAME: Block = block(
    "name",
    &[
        KeyRow::new("zh", Shape::Text, "中文", "Chinese").required(),
        KeyRow::new("en", Shape::Text, "英文", "English").required(),
    ],
);

static SOURCE: Block = block(
    "source",
    &[
        KeyRow::new(
            "connection",
            Shape::Text,
            "connections.yaml 里的连接",
            "entry of connections.yaml",
        )
        .required()
        .example("huke"),
        KeyRow::new(
            "scheme",
            Shape::Text,
            "代替 connection 与 api:另一个方案用 on_success.emit 给出的行是源,它不给本方案行时,是它存下的行;没有窗口,不调用任何系统",
            "in place of connection and api: the rows that another scheme gives by on_success.emit are the source, or those that it stores where it gives this one none; there is no window, and no system is called",
        )
        .example("huke-to-k3"),
        KeyRow::new(
            "api",
            Shape::Text,
            "连接器的操作:名称、别名或路径;有 `operation` 时可以不写",
            "operation of the connector: its name, an alias or its path; may be left out where there is `operation`",
        )
        .required()
        .example("openapi/trade/searchTrades"),
        KeyRow::new(
            "operation",
            Shape::Data,
            "在方案里写的操作:叠放在 `api` 的操作上,没有 `api` 就是完整的一个;键与连接器文件里的操作相同",
            "an operation written in the scheme: laid over that of `api`, or a whole one without `api`; its keys are those of an operation in a connector file",
        ),
        KeyRow::new(
            "options",
            Shape::Values,
            "操作声明的选项",
            "options that the operation declares",
        ),
        KeyRow::new(
            "request",
            Shape::Values,
            "叠放在操作的 request 上",
            "laid over the operation's request",
        ),
        KeyRow::new(
            "fields",
            Shape::OneOf(&[Shape::List(&Shape::Text), Shape::Map(&Shape::Text)]),
            "要读取的字段;列表中的点在行里变成 _",
            "fields to read; in a list, dots become _ in the row",
        )
        .default("all")
        .example("[FNumber, FName]"),
        KeyRow::new(
            "filter",
            Shape::OneOf(&[Shape::Cond(false), Shape::Text]),
            "由源系统执行的过滤",
            "asked of the source",
        ),
        KeyRow::new(
            "window",
            Shape::OneOf(&[Shape::Choice(&["none"]), Shape::Block(&WINDOW)]),
            "时间窗口;none 表示每次全部读取",
            "the window; none reads everything each time",
        )
        .default("the operation's"),
        KeyRow::new(
            "page_size",
            Shape::Int(1, ANY),
            "每页行数,不超过操作的上限",
            "rows a page, never above the operation's maximum",
        )
        .default("the operation's"),
        KeyRow::new(
            "detail",
            Shape::Block(&DETAIL),
            "读到的每一行再调用一次,答复放进该行;先于 explode",
            "one more call for every row that was read, its answer put into the row; before explode",
        )
        .example("{api: order_get, options: {id: <<id>>}, into: order}"),
        KeyRow::new(
            "receive",
            Shape::OneOf(&[Shape::Text, Shape::Block(&RECEIVE)]),
            "同一来源还会推送:kind: receive 的操作;推送的行与读取的行同样处理、共用主键",
            "the source also sends by itself: an operation of kind receive; its rows are treated like those that are read, and share their keys",
        )
        .example("order_push"),
        KeyRow::new(
            "lists",
            Shape::Paths,
            "总是列表的字段:只有一个元素(例如 XML)按一项,没有按零项;先于 explode",
            "fields that are lists however they came: one element (as in XML) is a list of one, none an empty one; before explode",
        )
        .default("what $each goes through, in rows that came as XML")
        .example("[order.lines.line]"),
        KeyRow::new(
            "explode",
            Shape::Paths,
            "把列表拆成多行;$row 从 1 计数",
            "lists that become rows; $row counts from 1",
        )
        .example("[details]"),
        KeyRow::new(
            "derive",
            Shape::Values,
            "新字段,可以使用前面的字段",
            "new fields; may use earlier ones",
        )
        .example("{order_date: <<createTime|date>>}"),
        KeyRow::new(
            "keep",
            Shape::Cond(true),
            "读取之后保留哪些;明细上的条件丢弃不满足的行,写 on_line: drop_record 的条件要每一行都满足,否则丢弃整条数据",
            "what is kept after reading; a condition on lines drops the lines for which it does not hold, one with `on_line: drop_record` must hold for every line, or the record is dropped",
        )
        .default("all")
        .example("{field: status, eq: paid}"),
        KeyRow::new("key", Shape::Paths, "一行数据的身份", "identity of a row")
            .required()
            .example("buyerCid"),
        KeyRow::new("label", Shape::Path, "显示给人看的字段", "shown to people").default("the key"),
        KeyRow::new(
            "void",
            Shape::OneOf(&[Shape::Cond(false), Shape::Path]),
            "何时表示作废",
            "when a row means cancelled",
        ),
        KeyRow::new(
            "on_seen",
            Shape::Choice(&["skip", "update", "update_if_changed"]),
            "再次见到同一主键时",
            "when a key is seen again",
        )
        .default("update_if_changed when the target can update or makes one document of several rows, else skip"),
        KeyRow::new(
            "version",
            Shape::Paths,
            "哪些字段变化才算新版本",
            "the fields whose change makes a new version",
        )
        .default("the fields used"),
        KeyRow::new(
            "newest_by",
            Shape::Path,
            "随每次改动增大的字段(修改时间或序号);值更小的行不会覆盖值更大的行",
            "a field that grows with every change (time of the last change, or a number): a row with a smaller value never replaces one with a greater one",
        )
        .default("the row read last is the newest")
        .example("modifyTime"),
        KeyRow::new(
            "limits",
            Shape::Block(&LIMITS),
            "本方案读取时自己的限制,只能低于连接和连接器的",
            "this scheme's own limits where it reads; only below those of the connection and its connector",
        )
        .default("the connection's")
        .example("{rate: 30/min, min_interval: 30m}"),
        KeyRow::new(
            "sweep",
            Shape::Block(&SWEEP),
            "第二遍更宽的读取,有自己的进度;补上很晚才提交的行",
            "a second, wider pass with progress of its own; it heals rows that were committed very late",
        )
        .example("{every: 1d, window: {start: -2d, end: -1d}}"),
    ],
);

static DETAIL: Block = block(
    "detail",
    &[
        KeyRow::new(
            "api",
            Shape::Text,
            "同一连接器的读取操作:名称、别名或路径",
            "a read operation of the same connector: its name, an alias or its path",
        )
        .required()
        .example("order_get"),
        KeyRow::new(
            "options",
            Shape::Values,
            "操作声明的选项;<<x>> 是该行的字段",
            "options that the operation declares; <<x>> is a field of the row",
        ),
        KeyRow::new(
            "request",
            Shape::Values,
            "叠放在操作的 request 上;<<x>> 是该行的字段",
            "laid over the operation's request; <<x>> is a field of the row",
        ),
        KeyRow::new(
            "into",
            Shape::Path,
            "答复放在行里的位置:操作只取一行时是对象,否则是列表",
            "where in the row the answer is put: an object when the operation takes one row, else a list",
        )
        .required()
        .example("order"),
    ],
);

static RECEIVE: Block = block(
    "receive",
    &[
        KeyRow::new(
            "api",
            Shape::Text,
            "同一连接器的 kind: receive 的操作:名称、别名或路径",
            "an operation of kind receive of the same connector: its name, an alias or its path",
        )
        .required()
        .example("order_push"),
        KeyRow::new(
            "options",
            Shape::Values,
            "只接收请求头与这些值相同的推送",
            "only pushes with headers of these values are taken",
        ),
    ],
);

static PUBLISH: Block = block(
    "publish",
    &[
        KeyRow::new(
            "fields",
            Shape::OneOf(&[Shape::List(&Shape::Text), Shape::Map(&Shape::Text)]),
            "发布哪些字段,不写的不发布;列表中的点在名称里变成 _",
            "which fields; what is not written is not given; in a list, dots become _ in the name",
        )
        .required()
        .example("[tid, status]"),
        KeyRow::new(
            "filter",
            Shape::List(&Shape::Text),
            "读者可以按其中哪些筛选(会建索引)",
            "by which of them readers may filter; each is indexed",
        )
        .default("none")
        .example("[status]"),
        KeyRow::new("page", Shape::Int(1, 500), "每页行数", "rows a page").default("100"),
        KeyRow::new(
            "rate",
            Shape::Word(&RATE),
            "每个令牌的调用频率上限",
            "most calls of one token",
        )
        .default("60/min"),
    ],
);

static TWO_WAY: Block = block(
    "two_way",
    &[
        KeyRow::new(
            "with",
            Shape::Word(&ID),
            "反方向的方案;它也要写 two_way 指向本方案,两边的连接互相交换",
            "the scheme of the other direction; it must name this one, and the connections cross",
        )
        .required()
        .example("erp-to-crm"),
        KeyRow::new(
            "conflict",
            Shape::Choice(&["hold", "source_wins", "target_wins", "newest_wins"]),
            "上次同步之后两边都改了时:停下来问人;以本方案的源为准(另一方案写 target_wins);以本方案的目标为准(另一方案写 source_wins);以 newest_by 较新的为准,分不出先后就问人",
            "where both sides were changed since: ask a person; the source of this scheme wins (the other scheme says target_wins); its target wins (the other says source_wins); the row that is newer by newest_by wins, and where that cannot be told a person is asked",
        )
        .required(),
        KeyRow::new(
            "id",
            Shape::Path,
            "行里的哪个字段是另一方案更新它时用的 id",
            "the field of the row with the id by which the other scheme updates it",
        )
        .default("the key, where that is the id")
        .example("_id"),
        KeyRow::new(
            "filled",
            Shape::Paths,
            "源系统新建单据时自己填的字段:第一次的值不算改动",
            "fields that the source fills in by itself when a document is made: their first value is no change",
        )
        .default("none")
        .example("[status, owner]"),
        KeyRow::new(
            "fields",
            Shape::Map(&Shape::Text),
            "行的字段在另一方案的单据里叫别的名称时:字段 → 单据里的位置",
            "where a field of the row has another name in the document of the other scheme: field, place in the document",
        )
        .default("the same name")
        .example("{mobile: phone.number}"),
        KeyRow::new(
            "linked",
            Shape::Bool,
            "已确认:第一次运行之前没有两边都有的单据,或者已用 engine map import 对应好",
            "it was seen to that nothing is on both sides before the first run, or that it is mapped (engine map import)",
        )
        .default("false")
        .example("true"),
    ],
);

static SWEEP: Block = Block {
    name: "sweep",
    rows: &[
        KeyRow::new(
            "every",
            Shape::Word(&DURATION),
            "间隔;到期后由下一次运行执行",
            "how often; done by the next run after it is due",
        )
        .example("1d"),
        KeyRow::new(
            "cron",
            Shape::Word(&CRON),
            "cron 文本(方案的时区),代替 every;到期后由下一次运行执行",
            "a cron text in the zone of the scheme, instead of `every`; done by the next run after it is due",
        )
        .example("2 2 * * *"),
        KeyRow::new(
            "window",
            Shape::Block(&SWEEP_WINDOW),
            "再读哪一段",
            "which stretch is read again",
        )
        .required()
        .example("{start: -2d, end: -1d}"),
        KeyRow::new(
            "request",
            Shape::Values,
            "叠放在 source 的 request 上",
            "laid over the source's request",
        ),
    ],
    one_of: &[&["every"], &["cron"]],
    least: 0,
};

static SWEEP_WINDOW: Block = block(
    "sweep.window",
    &[
        KeyRow::new(
            "start",
            Shape::Word(&MOMENT),
            "起点,相对于运行时刻",
            "start, before the instant of the run",
        )
        .required()
        .example("-2d"),
        KeyRow::new(
            "end",
            Shape::Word(&MOMENT),
            "终点,相对于运行时刻",
            "end, before the instant of the run",
        )
        .required()
        .example("-1d"),
    ],
);

static WINDOW: Block = block(
    "window",
    &[
        KeyRow::new(
            "field",
            Shape::Text,
            "源系统的时间字段",
            "the source's time field",
        )
        .example("FModifyDate"),
        KeyRow::new(
            "first",
            Shape::Word(&MOMENT),
            "第一个窗口的起点",
            "start of the very first window",
        )
        .default("the moment of enabling")
        .example("-7d"),
        KeyRow::new(
            "overlap",
            Shape::Word(&DURATION),
            "每个窗口向前重叠多少",
            "how far back each window reaches",
        )
        .default("2m"),
        KeyRow::new(
            "settle",
            Shape::Word(&DURATION),
            "离源系统时钟多远才可关闭",
            "how far behind the source's clock an interval is closed",
        )
        .default("60s"),
        KeyRow::new("max", Shape::Word(&DURATION), "最长的一段", "longest slice").default("24h"),
        KeyRow::new(
            "keeps",
            Shape::Word(&DURATION),
            "来源只保留多久以内的数据;更早而未读的时间作为缺口报告",
            "how far back the source answers; unread time before that is told as a gap",
        )
        .default("the operation's")
        .example("90d"),
        KeyRow::new(
            "catch_up",
            Shape::Choice(&["extend", "error", "ignore"]),
            "自写的起点晚于已关闭的终点时",
            "when an author's own start lies after the last closed end",
        )
        .default("extend"),
        KeyRow::new(
            "start",
            Shape::Block(&BOUND),
            "起点填在请求的哪个字段,用于操作自己不填窗口的接口",
            "the request field that the start is put into, where the operation does not ask by time itself",
        )
        .example("{at: updated_since, as: ms}"),
        KeyRow::new(
            "end",
            Shape::Block(&BOUND),
            "终点填在请求的哪个字段",
            "the request field that the end is put into",
        )
        .example("{at: updated_until, as: ms}"),
        KeyRow::new(
            "zone",
            Shape::Word(&ZONE),
            "请求和 filter 里的时间文本用的时区",
            "the zone in which times are printed in the request and the filter",
        )
        .default("the scheme's")
        .example("Asia/Shanghai"),
    ],
);

static BOUND: Block = block(
    "bound",
    &[
        KeyRow::new("at", Shape::Path, "请求中的字段", "the field of the request")
            .required()
            .example("updated_since"),
        KeyRow::new(
            "as",
            Shape::Choice(&["ms", "s", "datetime", "rfc3339"]),
            "写法:毫秒、秒(数字),或时间文本",
            "how it is written: milliseconds or seconds (numbers), or a text",
        )
        .required()
        .example("ms"),
    ],
);

static RETRY: Block = Block {
    name: "retry",
    one_of: &[],
    least: 1,
    rows: &[
        KeyRow::new(
            "max",
            Shape::Int(1, 20),
            "连续几次不成就放下,数据留给下次运行;不写时写入忙 20 次、连不上 5 次,读一页 4 次",
            "after so many failures in a row the run leaves it to the next one; without it 20 where a target is busy, 5 where it cannot be reached, 4 for a page",
        )
        .example("5"),
        KeyRow::new(
            "first",
            Shape::Word(&DURATION),
            "第一次再试前的间隔,1s 到 1h;以后每次加倍",
            "the pause before it is tried again, 1s to 1h; it doubles each time",
        )
        .default("1s")
        .example("30s"),
        KeyRow::new(
            "longest",
            Shape::Word(&DURATION),
            "最长的间隔,不小于 first,不超过 1h;对方自己要求的间隔更长时按对方的",
            "the longest pause, at least first and at most 1h; a longer one that the other system asks for counts",
        )
        .default("64s, or first")
        .example("10m"),
    ],
};

static LIMITS: Block = Block {
    name: "limits",
    one_of: &[],
    least: 1,
    rows: &[
        KeyRow::new(
            "rate",
            Shape::Word(&RATE),
            "本方案在这一侧的调用频率",
            "calls of this scheme on this side",
        )
        .example("30/min"),
        KeyRow::new(
            "concurrency",
            Shape::Int(1, ANY),
            "本方案同时的调用数",
            "calls of this scheme at once",
        ),
        KeyRow::new(
            "per_day",
            Shape::Int(1, ANY),
            "本方案每天的调用数,按对方系统的时区",
            "calls of this scheme a day, in the other system's zone",
        )
        .example("2000"),
        KeyRow::new(
            "min_interval",
            Shape::Word(&DURATION),
            "本方案的计划最短间隔;比它更密的 schedule 是错误",
            "shortest interval of this scheme's schedule; one that is more often is an error",
        )
        .example("30m"),
    ],
};

static TARGET: Block = Block {
    name: "target",
    one_of: &[&["api"], &["steps"]],
    least: 0,
    rows: &[
        KeyRow::new(
            "connection",
            Shape::Text,
            "connections.yaml 里的连接",
            "entry of connections.yaml",
        )
        .required()
        .example("k3"),
        KeyRow::new(
            "api",
            Shape::OneOf(&[Shape::Text, Shape::Block(&API)]),
            "一个操作,或按动作分开;有 `steps` 时不写",
            "one operation, or one per action; not written where there are `steps`",
        )
        .example("batchSave"),
        KeyRow::new(
            "operation",
            Shape::Data,
            "在方案里写的操作:叠放在 `api` 的操作上,没有 `api` 就是完整的一个;键与连接器文件里的操作相同",
            "an operation written in the scheme: laid over that of `api`, or a whole one without `api`; its keys are those of an operation in a connector file",
        ),
        KeyRow::new(
            "options",
            Shape::Values,
            "操作声明的选项,可以使用数据字段",
            "options that the operations declare; may use record fields",
        ),
        KeyRow::new(
            "let",
            Shape::Values,
            "每条数据先计算一次的值",
            "values computed once per record, in order",
        ),
        KeyRow::new(
            "request",
            Shape::Values,
            "一条数据的单据",
            "the document of one record",
        )
        .required(),
        KeyRow::new(
            "key",
            Shape::Paths,
            "单据中确定身份的字段",
            "request fields that identify the document",
        )
        .default("the operation's")
        .example("FNumber"),
        KeyRow::new(
            "actions",
            Shape::List(&Shape::Choice(&["create", "update", "void"])),
            "只做这些动作",
            "only these actions",
        )
        .default("all that the operations can do"),
        KeyRow::new(
            "find",
            Shape::Choice(&["never", "before_create"]),
            "before_create:新增前先按主键查询",
            "before_create: ask by key before a create",
        )
        .default("never"),
        KeyRow::new("batch", Shape::Int(1, ANY), "每次调用的条数", "records a call")
            .default("the operation's maximum"),
        KeyRow::new(
            "aggregate",
            Shape::Block(&AGGREGATE),
            "多行合成一张单据;行随单据冻结,以后到达的行进入下一张",
            "several rows to one document; the rows are frozen with it, and those that come later go into a further one",
        ),
        KeyRow::new(
            "steps",
            Shape::List(&Shape::OneOf(&[Shape::Text, Shape::Block(&STEP)])),
            "一条数据多次调用:第一步写单据,以后各步处理它;从失败的一步继续,不会再次写单据",
            "several calls for one record: the first writes the document, the others go on with it; what failed is gone on with, and the document is not written again",
        )
        .example("[batchSave, submit, audit]"),
        KeyRow::new(
            "on_unknown",
            Shape::Choice(&["query", "hold", "resend"]),
            "应答丢失时",
            "when an answer is lost",
        )
        .default("what the operation can"),
        KeyRow::new(
            "fingerprint",
            Shape::List(&Shape::Text),
            "应答丢失后按主键找到的单据,这些字段与发送的相同才算自己的;不同则交给人",
            "a document found by its key after a lost answer is ours only if these fields are as they were sent; otherwise a person decides",
        )
        .default("the key alone")
        .example("[FName]"),
        KeyRow::new(
            "on_success",
            Shape::Block(&ON_SUCCESS),
            "写入成功之后",
            "after a success",
        )
        .example("{save: {erp_number: <<$answer.number>>}}"),
        KeyRow::new(
            "tolerate",
            Shape::Choice(&["data", "none"]),
            "none:第一条被拒绝就停下",
            "none: the first refused row stops the scheme",
        )
        .default("data"),
        KeyRow::new(
            "limits",
            Shape::Block(&LIMITS),
            "本方案写入时自己的限制,只能低于连接和连接器的",
            "this scheme's own limits where it writes; only below those of the connection and its connector",
        )
        .default("the connection's")
        .example("{rate: 30/min, per_day: 2000}"),
    ],
};

static AGGREGATE: Block = block(
    "aggregate",
    &[
        KeyRow::new(
            "header",
            Shape::Paths,
            "这些字段相同的行是一组,合成一张单据;它们成为单据的表头字段",
            "rows in which these fields are equal are a group and become one document; they are its header fields",
        )
        .required()
        .example("[shop_no, ship_date]"),
        KeyRow::new(
            "lines",
            Shape::Text,
            "明细列表的名称",
            "the name of the list of lines",
        )
        .required()
        .example("details"),
        KeyRow::new(
            "by",
            Shape::Paths,
            "组内这些字段的每个值是一行明细",
            "one line for each value of these fields",
        )
        .required()
        .example("[details_list.spec_no]"),
        KeyRow::new(
            "calc",
            Shape::Map(&Shape::Choice(&CALCS)),
            "明细里怎样得出的字段:sum avg min max 与 `_function` 的同名函数一样精确计算,first last 取第一个、最后一个,push 全部成列表,add_to_set 去重;没有写的字段不保留",
            "fields of a line that are reckoned: sum avg min max exactly as the functions of `_function`, first last the first and the last, push all as a list, add_to_set each once; other fields vanish",
        )
        .example("{details_list.num: sum}"),
        KeyRow::new(
            "max_lines",
            Shape::Int(1, 10_000),
            "一张单据最多多少行明细;再多就进入下一张,`$part` 加 1",
            "most lines of a document; more go into a further one, with the next `$part`",
        )
        .default("10000")
        .example("50"),
        KeyRow::new(
            "number",
            Shape::Value,
            "单据的编号,即 `$number`;必须含 `$part`,可以使用表头字段",
            "the identity of a document, `$number`; must hold `$part`, may use header fields",
        )
        .required()
        .example("<<shop_no>>-<<ship_date>>-<<$part>>"),
    ],
);

static STEP: Block = block(
    "steps",
    &[
        KeyRow::new(
            "step",
            Shape::Text,
            "名称,默认是操作名",
            "its name; the operation's by default",
        ),
        KeyRow::new(
            "api",
            Shape::OneOf(&[Shape::Text, Shape::Block(&API)]),
            "操作;第一步可按动作分开",
            "the operation; the first step may have one per action",
        )
        .required(),
        KeyRow::new(
            "options",
            Shape::Values,
            "盖在 target 的 options 之上",
            "laid over the options of the target",
        ),
        KeyRow::new(
            "when",
            Shape::Cond(false),
            "只有满足条件的数据才有这一步",
            "only rows for which this holds get this step",
        ),
        KeyRow::new(
            "connection",
            Shape::Text,
            "这一步写自己的单据时所用的连接",
            "the connection to which this step writes a document of its own",
        )
        .default("the target's")
        .example("wecom"),
        KeyRow::new(
            "request",
            Shape::Values,
            "这一步自己的单据;可读 <<$step.NAME.id>> 与 <<$step.NAME.number>>",
            "a document of its own; may read <<$step.NAME.id>> and <<$step.NAME.number>> of earlier steps",
        )
        .example("{FCompany: {FNumber: <<$step.save.number>>}}"),
        KeyRow::new(
            "key",
            Shape::Paths,
            "这一步的单据中确定身份的字段",
            "fields of this step's request that identify its document",
        )
        .default("the operation's; without one, none")
        .example("FNumber"),
        KeyRow::new(
            "on_unknown",
            Shape::Choice(&["query", "hold", "resend"]),
            "这一步自己的单据丢失应答时",
            "when the answer about a document of its own is lost",
        )
        .default("the target's where the operation proves the same, else what it can"),
        KeyRow::new(
            "each",
            Shape::Path,
            "每行一次:这一步按该列表的每一行各写一张单据;行内为 <<$line.x>>",
            "once per line: this step writes a document for each line of this list; the line is <<$line.x>>",
        )
        .default("the step is made once")
        .example("contacts"),
        KeyRow::new(
            "line_key",
            Shape::Paths,
            "`each` 的行内确定该行身份的字段",
            "with `each`, the fields of a line that identify it within its row",
        )
        .default("required with `each`")
        .example("id"),
    ],
);

static EMIT: Block = block(
    "emit",
    &[
        KeyRow::new("scheme", Shape::Text, "接收的方案", "the scheme that takes it").required(),
        KeyRow::new(
            "row",
            Shape::Values,
            "这一行;可读 <<$answer.id>>、<<$answer.number>> 与各步的 <<$step.NAME.id>>",
            "the row; may read <<$answer.id>>, <<$answer.number>> and <<$step.NAME.id>> of the steps",
        )
        .required(),
    ],
);

static ON_SUCCESS: Block = Block {
    name: "on_success",
    rows: &[
        KeyRow::new(
            "save",
            Shape::Values,
            "列名: 值,存在这条数据旁边,其他方案可用 `$get` 查到;可读 <<$answer.id>>、<<$answer.number>>、<<$answer.body.x>>",
            "column: value, kept beside the record, where look-ups of other schemes can `$get` it; may read <<$answer.id>>, <<$answer.number>>, <<$answer.body.x>>",
        )
        .example("{erp_number: <<$answer.number>>}"),
        KeyRow::new(
            "emit",
            Shape::Block(&EMIT),
            "全部步骤成功后给另一个方案一行数据,恰好一次;那个方案写 source: {scheme: 本方案}",
            "once all steps are done, gives a row to another scheme, exactly once; that scheme says source: {scheme: THIS}",
        )
        .example("{scheme: notify, row: {no: <<$answer.number>>}}"),
    ],
    one_of: &[],
    least: 1,
};

static API: Block = Block {
    name: "api",
    rows: &[
        KeyRow::new("create", Shape::Text, "新增", "creates"),
        KeyRow::new("update", Shape::Text, "更新", "updates"),
        KeyRow::new("void", Shape::Text, "作废", "cancels"),
    ],
    one_of: &[],
    least: 1,
};

/// The sides of a field mapping.
pub(crate) const FIELD_SIDES: &[&str] = &["fs_id", "erp_id", "fs_name", "erp_name"];

static TABLE: Block = Block {
    name: "maps",
    rows: &[
        KeyRow::new(
            "to",
            Shape::OneOf(&[Shape::Text, Shape::DataMap]),
            "原值: 目标值;字段映射或文件时为译成哪一列",
            "value to value; of a field mapping or a file, the column that is wanted",
        )
        .default("erp_id; of a file, required")
        .example("{A: 启用, B: 禁用}"),
        KeyRow::new(
            "field_mapping",
            Shape::Text,
            "字段映射的数据类型:由引擎保存的员工、部门、单位等对照,见 engine map fields",
            "a kind of field mapping: what the engine keeps of employees, departments, units; see engine map fields",
        )
        .example("employee"),
        KeyRow::new(
            "data_mapping",
            Shape::Text,
            "数据映射:这个方案的来源 id 译成目标 id",
            "a data mapping: from source ids of this scheme to ids at its target",
        )
        .example("huke-to-k3"),
        KeyRow::new(
            "from",
            Shape::Text,
            "字段映射(fs_id、erp_id、fs_name、erp_name)或文件:由哪一列译起",
            "the column that is given: of a field mapping (fs_id, erp_id, fs_name, erp_name) or of a file",
        )
        .default("fs_id; of a file, required"),
        KeyRow::new(
            "channel",
            Shape::Text,
            "字段映射的渠道;只有一个渠道有这类数据时可不写",
            "the channel of a field mapping; needed where several have such entries",
        )
        .example("STANDARD_CHANNEL"),
        KeyRow::new(
            "data_center",
            Shape::Text,
            "字段映射的数据中心;只有一个时可不写",
            "the data centre of a field mapping; needed where there are several",
        )
        .example("63f82854a8bd974420925e83"),
        KeyRow::new(
            "reverse",
            Shape::Bool,
            "数据映射:由目标 id 译回来源 id",
            "of a data mapping: from ids at the target back to source ids",
        )
        .default("false"),
        KeyRow::new(
            "file",
            Shape::Text,
            "对照表文件:方案旁边的 CSV(UTF-8,第一行为列名),from、to 为其中两列",
            "a CSV file beside the scheme (UTF-8, the first line names the columns), of which `from` and `to` are two",
        )
        .example("maps/warehouses.csv"),
    ],
    one_of: &[
        &["to"],
        &["field_mapping"],
        &["field_mapping", "to"],
        &["field_mapping", "from"],
        &["field_mapping", "from", "to"],
        &["data_mapping"],
        &["file", "from", "to"],
    ],
    least: 0,
};

static SCHEDULE: Block = Block {
    name: "schedule",
    rows: &[
        KeyRow::new("every", Shape::Word(&DURATION), "间隔", "how often").example("6m"),
        KeyRow::new("cron", Shape::Word(&CRON), "cron 文本", "a cron text").example("0 */2 * * *"),
        KeyRow::new(
            "source",
            Shape::Word(&CRON),
            "读取的 cron 文本",
            "cron text of reading",
        ),
        KeyRow::new(
            "target",
            Shape::Word(&CRON),
            "写入的 cron 文本",
            "cron text of writing",
        ),
        KeyRow::new(
            "zone",
            Shape::Word(&ZONE),
            "cron 的时区",
            "zone of the cron texts",
        )
        .default("the scheme's"),
        KeyRow::new(
            "hours",
            Shape::OneOf(&[Shape::Word(&HOURS), Shape::List(&Shape::Word(&HOURS))]),
            "只在这些时段开始运行,可以跨过午夜",
            "hours of the day in which it may start; they may go over midnight",
        )
        .default("all day")
        .example("08:00-22:00"),
        KeyRow::new(
            "quiet",
            Shape::OneOf(&[Shape::Word(&HOURS), Shape::List(&Shape::Word(&HOURS))]),
            "在这些时段不开始运行",
            "hours of the day in which it does not start",
        )
        .example("12:00-13:00"),
        KeyRow::new(
            "after",
            Shape::Text,
            "另一个方案成功运行之后也运行;可以单独写,也可以与其他规则一起写",
            "runs, too, when a run of this other scheme ended well; alone, or beside another rule",
        )
        .example("huke-customers"),
        KeyRow::new(
            "missed",
            Shape::Choice(&["once", "skip"]),
            "停机期间错过的时刻:once 恢复后补运行一次,skip 不补;有窗口的方案总是补上,不漏时间",
            "instants missed while the engine was down: once makes up for all of them by one run, skip leaves them out; a scheme with a window always makes up, or time would be left out",
        )
        .default("once"),
        KeyRow::new(
            "jitter",
            Shape::Word(&DURATION),
            "开始时刻按方案 id 错开的最大时长",
            "how far starts are spread behind the due instant, by the scheme's id",
        )
        .default("30s for `every`, at most a tenth of it; 0s for cron texts")
        .example("2m"),
    ],
    one_of: &[
        &["every"],
        &["cron"],
        &["source", "target"],
        &["after"],
        &["every", "after"],
        &["cron", "after"],
        &["source", "target", "after"],
    ],
    least: 1,
};

static BRAKES: Block = Block {
    name: "brakes",
    rows: &[
        KeyRow::new(
            "max_records",
            Shape::Int(1, ANY),
            "一次运行最多读入多少条新的或有变化的数据;其余留给下一次运行",
            "most new or changed records of one run; the rest is left to the next one",
        )
        .example("5000"),
        KeyRow::new(
            "max_change",
            Shape::Int(2, 1000),
            "新的与有变化的数据超过最近 10 次有数据的运行的中位数的多少倍时,写入之前暂停并询问;少于 100 条从不触发",
            "where new and changed records are more than so many times the median of the last 10 runs that brought any, the scheme pauses before it writes and asks; fewer than 100 never do",
        )
        .example("5"),
        KeyRow::new(
            "max_first",
            Shape::Int(0, ANY),
            "方案还从未写过数据而将写入超过这么多条时,写入之前暂停并询问",
            "where a scheme has never written and would write more than so many, it pauses before it writes and asks",
        )
        .example("100"),
    ],
    one_of: &[],
    least: 1,
};

static TEST: Block = Block {
    name: "tests",
    rows: &[
        KeyRow::new("name", Shape::Text, "测试的是什么", "what it is about").required(),
        KeyRow::new(
            "row",
            Shape::DataMap,
            "源数据的一行",
            "a row as the source gives it",
        ),
        KeyRow::new(
            "rows",
            Shape::List(&Shape::DataMap),
            "代替 row:源数据的几行;`expect` 是列表,每条数据一项;有 aggregate 的方案是每张单据一项",
            "in place of row: several rows as the source gives them; `expect` is a list, one item for each record, or for each document where the target has `aggregate`",
        )
        .example("[{no: a}, {no: b}]"),
        KeyRow::new(
            "sample",
            Shape::Int(0, ANY),
            "代替 row:来源样例里的第几行,从 0 开始",
            "in place of row: which row of the source's sample, from 0",
        )
        .example("0"),
        KeyRow::new(
            "lookups",
            Shape::Map(&Shape::List(&Shape::DataMap)),
            "被查找方案的数据",
            "rows of the schemes that are looked up",
        ),
        KeyRow::new(
            "line_ids",
            Shape::Map(&Shape::Map(&Shape::Text)),
            "目标给各行明细的 id:列表 → 行主键 → id",
            "what the target calls lines that it has: list, key of the line, id",
        )
        .example("{details: {L1: \"10\"}}"),
        KeyRow::new(
            "action",
            Shape::Choice(&["create", "update", "void"]),
            "动作",
            "the action",
        )
        .default("create"),
        KeyRow::new(
            "expect",
            Shape::Data,
            "期望的报文;`explode` 或 `rows` 使一个测试有多条数据时,是它们的列表。没有报文的写结果:{$dropped: keep}、{$dropped: explode}、{$failed: 代码}、{$void: true}、{$waits: 方案}",
            "the document that is expected; a list of them where `explode` or `rows` makes several records. Where there is no document, what becomes of the record: {$dropped: keep}, {$dropped: explode}, {$failed: CODE}, {$void: true}, {$waits: SCHEME}",
        )
        .example("[{FNumber: a}, {$dropped: keep}]"),
        KeyRow::new(
            "steps",
            Shape::DataMap,
            "步骤名: 期望的报文;各步的 id 与编号为 NAME-id、NAME-number",
            "name of a step: the document that is expected of it; the ids and numbers of steps are NAME-id and NAME-number",
        )
        .example("{contact: {FNumber: C1}}"),
        KeyRow::new(
            "saved",
            Shape::DataMap,
            "期望由 on_success.save 存下的列",
            "the columns that on_success.save is expected to keep",
        )
        .example("{erp_number: test-number}"),
        KeyRow::new(
            "emitted",
            Shape::DataMap,
            "期望由 on_success.emit 给出的行",
            "the row that on_success.emit is expected to give",
        )
        .example("{no: test-number}"),
        KeyRow::new(
            "recording",
            Shape::Text,
            "代替以上各项:方案文件旁边的录制文件,由 `engine run --record` 写出;来源与目标一起离线重放",
            "in place of all these: a file beside the scheme's own, written by `engine run --record`; source and target are replayed together, offline",
        )
        .example("samples/huke-to-k3.json"),
    ],
    one_of: &[
        &["row", "expect"],
        &["rows", "expect"],
        &["sample", "expect"],
        &["recording"],
    ],
    least: 0,
};
