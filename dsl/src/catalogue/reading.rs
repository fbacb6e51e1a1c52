//! E3050-E3099: how reading went. `{vendor}` stands for the other system's words.

use super::Entry;
use crate::diagnostic::Severity;

/// The source gave the same page twice: it ignores paging.
pub const REPEATED_PAGE: Entry = Entry {
    code: "E3050",
    severity: Severity::Error,
    zh: "来源重复返回同一页:它没有按页码翻页",
    en: "the source gave the same page twice: it ignores paging",
    help_zh: "检查连接器的分页声明",
    help_en: "check the paging of the connector",
    long_zh: "一个窗口里出现了两页完全相同的数据。继续读会没有尽头,所以窗口保持打开,下次再读。",
    long_en: "Two pages of one window were identical. Reading on would never end, so the window stays open and is read again.",
    example: "page=1  →  [{\"id\": 1}, {\"id\": 2}]\npage=2  →  [{\"id\": 1}, {\"id\": 2}]",
};

/// A window has more than ... pages.
pub const TOO_MANY_PAGES: Entry = Entry {
    code: "E3051",
    severity: Severity::Error,
    zh: "一个窗口超过 {vendor} 页",
    en: "a window has more than {vendor} pages",
    help_zh: "把 window.max 调小",
    help_en: "make window.max shorter",
    long_zh: "页数有上限,防止来源永远不结束。窗口保持打开。",
    long_en: "The number of pages is bounded so that a source that never ends cannot hold the run. The window stays open.",
    example: "source:\n  page_size: 1\n  window: {max: 720h}",
};

/// Pages shifted while they were read: got / should have ....
pub const UNSTABLE: Entry = Entry {
    code: "E3052",
    severity: Severity::Error,
    zh: "读取期间数据页发生移动:读到 / 应有 {vendor}",
    en: "pages shifted while they were read: got / should have {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "读到的行数少于来源自己报告的总数,重读三次仍然如此。窗口保持打开,下次再读。",
    long_en: "Fewer rows were read than the source's own total says, three times in a row. The window stays open and is read again.",
    example: "{\"total\": 51, \"rows\": [ … 50 rows … ]}",
};

/// The limit was reached; the window stays open.
pub const LIMIT: Entry = Entry {
    code: "E3053",
    severity: Severity::Error,
    zh: "达到 --limit,窗口保持打开",
    en: "the limit was reached; the window stays open",
    help_zh: "",
    help_en: "",
    long_zh: "用 --limit 运行时,读够行数就停止,时间窗口不会关闭,之后的运行会从头再读。",
    long_en: "With --limit reading stops early; the window is not closed, and a later run reads it from its start.",
    example: "engine run schemes/huke-to-k3.yaml --sandbox --limit 10",
};

/// The scheme's own start lies after the last closed end (...).
pub const STARTS_TOO_LATE: Entry = Entry {
    code: "E3054",
    severity: Severity::Error,
    zh: "方案自己的开始时间晚于上次关闭的时间({vendor})",
    en: "the scheme's own start lies after the last closed end ({vendor})",
    help_zh: "把 window.catch_up 改为 extend",
    help_en: "set window.catch_up to extend",
    long_zh: "catch_up: error 不允许自动向前补;这样运行会漏掉中间的数据,所以被拒绝。",
    long_en: "catch_up: error forbids reaching back; running like this would leave a gap, so it is refused.",
    example: "source:\n  window: {catch_up: error}",
};

/// Too many records are open, reading waits (limit ...).
pub const BACK_PRESSURE: Entry = Entry {
    code: "E3055",
    severity: Severity::Error,
    zh: "未完成的数据太多,读取暂停(上限 {vendor})",
    en: "too many records are open, reading waits (limit {vendor})",
    help_zh: "先处理待写入的数据:engine rows list --state pending",
    help_en: "look at what waits: engine rows list --state pending",
    long_zh: "写入跟不上读取时停止读取;窗口保持打开,不会丢数据。",
    long_en: "Reading stops when writing cannot keep up; the window stays open and nothing is lost.",
    example: "target:\n  batch: 1            # and a target that takes a second for each call",
};

/// A scheduled run read as much as one may (limit ...).
pub const MOST_RECORDS: Entry = Entry {
    code: "E3081",
    severity: Severity::Error,
    zh: "已读入本次计划运行允许的最多数据({vendor}),其余留给下一次运行",
    en: "read as many records as one scheduled run may ({vendor}); the rest is left to the next run",
    help_zh: "这是方案的 `brakes.max_records`;数量正常时可以调大,或者手工运行一次:engine run",
    help_en: "this is the scheme's `brakes.max_records`; raise it if the number is right, or run by hand: engine run",
    long_zh: "刹车 `brakes.max_records` 限制一次计划运行读入的新数据与有变化的数据。窗口保持打开,下一次运行接着读;\
              已读入的照常写入,没有数据丢失。",
    long_en: "The brake `brakes.max_records` bounds the new and changed records of one scheduled run. The window stays open and \
              the next run reads on; what was read is written as usual, and nothing is lost.",
    example: "brakes: {max_records: 5000}",
};

/// Far more new or changed records than usual.
pub const UNUSUAL_CHANGE: Entry = Entry {
    code: "E3082",
    severity: Severity::Error,
    zh: "新的与有变化的数据远多于平常({vendor}),确认之前不写入",
    en: "far more new or changed records than usual ({vendor}): nothing is written before somebody says that it is right",
    help_zh: "看一看等待写入的数据:engine rows list --state pending;确认无误后:engine run --yes,由服务运行时 engine schemes resume",
    help_en: "look at what waits: engine rows list --state pending; if it is right: engine run --yes, or engine schemes resume where it is served",
    long_zh: "刹车 `brakes.max_change` 把一次运行的数量与最近 10 次有数据的运行的中位数相比(少于 100 条从不触发)。读到的数据已保存,\
              处于 pending 状态。服务会暂停这个方案,恢复即确认,下一次运行会写入它们;手工运行时先询问,或者用 --yes。误改的源数据、写错的过滤条件通常这样暴露。",
    long_en: "The brake `brakes.max_change` compares a run with the median of the last 10 runs that brought any \
              records; fewer than 100 are never unusual. What was read is stored and pending. A service pauses \
              the scheme: to resume it is to confirm, and the next run writes. A run by hand asks, or takes --yes. Source data changed by mistake and wrong filters show like this.",
    example: "brakes: {max_change: 5}",
};

/// The scheme has never written, and would write many.
pub const FIRST_RUN: Entry = Entry {
    code: "E3083",
    severity: Severity::Error,
    zh: "方案第一次写入就有很多数据({vendor}),确认之前不写入",
    en: "the scheme has never written and would write many records ({vendor}): it does not before somebody says that it may",
    help_zh: "先看会写出什么:engine dry-run;确认无误后:engine run --yes,由服务运行时 engine schemes resume",
    help_en: "see what it would write: engine dry-run; if it is right: engine run --yes, or engine schemes resume where it is served",
    long_zh: "刹车 `brakes.max_first`:还从未写入过的方案,第一次运行将写入的数据超过这个数时先问人。新方案最常见的事故就是第一次\
              运行写出上万张单据。读到的数据已保存;服务会暂停方案,恢复即确认,手工运行时先询问,或者用 --yes。",
    long_en: "The brake `brakes.max_first`: where a scheme has never written and a run would write more than this, a \
              person is asked first. Ten thousand documents by the first run is the usual accident of a new scheme. What \
              was read is stored. A service pauses the scheme: to resume it is to confirm. A run by hand asks, or takes \
              --yes.",
    example: "brakes: {max_first: 100}",
};

/// Interrupted.
pub const CANCELED: Entry = Entry {
    code: "E3056",
    severity: Severity::Error,
    zh: "被中断",
    en: "interrupted",
    help_zh: "",
    help_en: "",
    long_zh: "运行被人停止。已发出的请求都已结清,其余数据保持待处理。",
    long_en: "A person stopped the run. What was in flight is settled; the rest waits.",
    example: "^C",
};

/// The window is read in two parts.
pub const PARTED: Entry = Entry {
    code: "E3058",
    severity: Severity::Error,
    zh: "这个窗口改为分两段读取({vendor})",
    en: "this window is read in two parts instead ({vendor})",
    help_zh: "",
    help_en: "",
    long_zh: "窗口有多页而且包含还未稳定的时间,或者超过了一次查询能给出的行数。引擎把它切成两段继续读;没有数据丢失,不需要处理。",
    long_en: "A window of several pages reached into time that has not settled, or had more rows than one query gives. It is cut in two and read on; nothing is lost and nothing has to be done.",
    example: "page: {ceiling: 2000}    # a day of 3500 orders is asked for as two halves",
};

/// More rows in the smallest slice than one query gives.
pub const CAPPED: Entry = Entry {
    code: "E3059",
    severity: Severity::Error,
    zh: "一秒之内的数据多于一次查询能给出的 {vendor} 行",
    en: "one second holds more than the {vendor} rows that one query gives",
    help_zh: "用 filter 把方案分成几个,或在连接器里声明按 key 翻页",
    help_en: "split the scheme by a filter, or let the connector page by key",
    long_zh: "来源对一次查询的行数有上限,窗口已经对半分到一秒仍然超过。读下去会漏数据,所以窗口保持打开。",
    long_en: "The source caps the rows of one query, and the window was halved down to a second without fitting. Reading on would miss rows, so the window stays open.",
    example: "page: {ceiling: 2000}    # 3500 orders that were all imported at 2026-03-02 08:00:00",
};

/// Page after page without a new row.
pub const NO_PROGRESS: Entry = Entry {
    code: "E3065",
    severity: Severity::Error,
    zh: "翻页没有进展:到第 {vendor} 页为止只有已经读过的行",
    en: "paging makes no progress: up to page {vendor} there were only rows that had been read",
    help_zh: "检查连接器的分页声明;如果不同的行看起来一样,请在 fields 里加上行的 id",
    help_en: "check the paging of the connector; where different rows look alike, add the id of a row to fields",
    long_zh: "来源一直在返回同样的行或同样的续读标记。继续读会没有尽头,所以窗口保持打开,下次再读。",
    long_en: "The source keeps giving the same rows or the same mark to go on with. Reading on would never end, so the window stays open and is read again.",
    example: "page: {by: number}    # pages 2 and 3 hold the rows of page 1 in another order",
};

/// The source's clock is too far from ours.
pub const SKEWED: Entry = Entry {
    code: "E3066",
    severity: Severity::Error,
    zh: "来源的时钟与本机相差 {vendor} 秒,超过 15 分钟",
    en: "the source's clock and this machine's differ by {vendor} seconds, more than 15 minutes",
    help_zh: "先校准本机时间(NTP);如果是来源的时钟不准,请对方校准",
    help_en: "set this machine's clock first (NTP); if the source's is wrong, have it set",
    long_zh: "窗口按来源的时钟关闭(取最近五次答复的中位数)。相差超过 2 分钟会警告;超过 15 分钟时无法判断数据属于哪个窗口,所以停止读取,窗口保持打开。",
    long_en: "Windows close by the source's clock (the median of its last five answers). More than 2 minutes apart is a warning; more than 15, and nobody can tell which window a row belongs to, so reading stops and the window stays open.",
    example: "Date: Mon, 02 Mar 2026 09:00:00 GMT    # while the clock here says 08:40",
};

/// Time that the source has forgotten before it was read.
pub const FORGOTTEN: Entry = Entry {
    code: "E3067",
    severity: Severity::Error,
    zh: "来源已不再保留这段时间的数据,而它从未读完",
    en: "the source no longer keeps this time, and it was never read to its end",
    help_zh: "用来源的导出文件补数;这段时间作为缺口保留在账本里",
    help_en: "bring the rows in by an export of the source; the ledger keeps the gap",
    long_zh: "连接器写明来源只保留最近一段时间(window.keeps)。停机超过这个长度时,中间的数据已经读不到。引擎不会把它当作读过:缺口在 runs show 中可见,读取从来源还保留的时间继续。",
    long_en: "The connector says how far back the source answers (window.keeps). After a longer outage the time between cannot be read any more. It is not closed silently: the gap is visible in runs show, and reading goes on from what the source still keeps.",
    example: "window: {first: -90d}    # of a source that keeps 30 days",
};

/// A page changed between two looks.
pub const CHANGED_PAGE: Entry = Entry {
    code: "E3068",
    severity: Severity::Error,
    zh: "读取期间第 {vendor} 页发生了变化",
    en: "page {vendor} changed while the window was read",
    help_zh: "",
    help_en: "",
    long_zh: "来源不报告总数时,引擎读完窗口后再看一遍每一页,都没有变化才关闭窗口。有变化时重读三次,再对半分,仍不稳定则窗口保持打开,下次连同更长的重叠一起再读。",
    long_en: "Where a source says no total, every page is looked at again after the last one, and the window closes only if all are the same. Otherwise it is read three times, then in halves; a part that never stands still stays open and is read again with a longer overlap.",
    example: "page 1 held orders A B C when it was read, and B C D when it was read again",
};

/// The source cannot be reached: ....
pub const SOURCE_UNREACHABLE: Entry = Entry {
    code: "E3060",
    severity: Severity::Error,
    zh: "无法连接来源:{vendor}",
    en: "the source cannot be reached: {vendor}",
    help_zh: "检查网络、地址与证书",
    help_en: "check network, address and certificate",
    long_zh: "请求没有送达。窗口保持打开,数据不会丢失。",
    long_en: "The request did not arrive. The window stays open; nothing is lost.",
    example: "params: {server: \"https://erp.invalid/\"}",
};

/// The scheme of the other direction has not read to its end.
pub const PARTNER_NOT_READ: Entry = Entry {
    code: "E3084",
    severity: Severity::Error,
    zh: "另一方向的方案没有读完,什么也没有写:{vendor}",
    en: "the scheme of the other direction has not read to its end, so nothing is written: {vendor}",
    help_zh: "到那个方案上处理:恢复它的来源,或确认它的数量(engine run 那个方案 --yes,由服务运行时 engine schemes resume)",
    help_en: "look after that scheme: its source, or its numbers (`engine run` it with --yes, or `engine schemes resume` where it is served)",
    long_zh: "双向同步中,写入之前先让另一方向的方案读一次,否则另一边刚改的内容会被覆盖。它没有读完(来源出错、被刹车挡住,或已暂停)时,\
              这个方案也不写,数据保持 pending。它的刹车要在它自己那里确认,对这个方案用 --yes 不算。",
    long_en: "In a two-way sync the scheme of the other direction reads before this one writes, or edits that were just made on \
              the other side would be overwritten. Where it cannot (its source is in error, a brake holds it, somebody paused it), this one writes \
              nothing either and its records stay pending. A brake is released on the scheme that it holds: --yes for this one is not meant for it.",
    example: "two_way: {with: b-to-a, conflict: hold}",
};

/// The source answered with an error: ....
pub const SOURCE_FAULT: Entry = Entry {
    code: "E3061",
    severity: Severity::Error,
    zh: "来源返回错误:{vendor}",
    en: "the source answered with an error: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "答复被判为失败(HTTP 状态 200 也可能是失败)。该页会重试几次,之后窗口保持打开。",
    long_en: "The answer was judged a failure (HTTP 200 proves nothing). The page is tried a few times, then the window stays open.",
    example: "HTTP 200\n{\"code\": 500, \"message\": \"internal error\"}",
};

/// The source asks to wait: ....
pub const SOURCE_BUSY: Entry = Entry {
    code: "E3062",
    severity: Severity::Error,
    zh: "来源要求稍候:{vendor}",
    en: "the source asks to wait: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "来源限流或繁忙,引擎会等待后重试。",
    long_en: "The source throttles or is busy; the engine waits and tries again.",
    example: "HTTP 429\nRetry-After: 30",
};

/// The source's answer is incomplete: ....
pub const SOURCE_LOST: Entry = Entry {
    code: "E3063",
    severity: Severity::Error,
    zh: "来源的答复不完整:{vendor}",
    en: "the source's answer is incomplete: {vendor}",
    help_zh: "",
    help_en: "",
    long_zh: "连接中断、超时或答复被截断。读取可以安全重试。",
    long_en: "The connection broke, timed out or the answer was cut. A read is safely repeated.",
    example: "HTTP 200\nContent-Length: 1000\n\n{\"rows\": [{\"id\":",
};

/// The source refuses us.
pub const SOURCE_REFUSES: Entry = Entry {
    code: "E3064",
    severity: Severity::Error,
    zh: "来源拒绝凭据或配置:{vendor}",
    en: "the source refuses the credentials or the configuration: {vendor}",
    help_zh: "检查 connections.yaml 与对方的授权;窗口保持打开,数据不会丢失",
    help_en: "check connections.yaml and the authorisation at the vendor; the window stays open and nothing is lost",
    long_zh: "重试没有用,读取停止。窗口保持打开,修正之后从原处继续。",
    long_en: "Trying again is useless, so reading stops. The window stays open; once mended, reading goes on where it was.",
    example: "HTTP 401",
};

/// The scheme's filter said no.
pub const FILTERED: Entry = Entry {
    code: "E3057",
    severity: Severity::Error,
    zh: "被方案的 keep 过滤({vendor})",
    en: "left out by the scheme's keep ({vendor})",
    help_zh: "",
    help_en: "",
    long_zh: "方案的 keep 条件不成立,这一行不写入目标。",
    long_en: "The scheme's keep condition does not hold, so this row is not written.",
    example: "source:\n  keep: {field: status, eq: paid}\n# a row: {status: open}",
};

/// A further call about a row whose answer has no end.
pub const DETAIL_PAGES: Entry = Entry {
    code: "E3069",
    severity: Severity::Error,
    zh: "逐行调用 {operation} 的答复超过 {max} 页",
    en: "the answer to {operation} about one row has more than {max} pages",
    help_zh: "把它改成方案的源,或让 detail 的请求只取这一行的内容",
    help_en: "make it the source of a scheme, or let the request of detail ask for this row alone",
    long_zh: "source.detail 为读到的每一行再调用一次,答复应当只属于这一行。页数没有尽头时,该行作为失败记录,其余的行照常进行。",
    long_en: "`source.detail` makes one more call for every row that was read, and its answer should belong to that row. When its pages do not end, the row is told as failed and the others go on.",
    example: "detail: {api: order_list, into: order}    # which asks for every order, for each of them",
};

/// More rows follow, and none of them is newer.
pub const VERSION_STUCK: Entry = Entry {
    code: "E3076",
    severity: Severity::Error,
    zh: "按版本读取没有进展:版本 {vendor} 之后还有行,但这一页没有更大的版本",
    en: "reading by version makes no progress: more rows follow version {vendor}, and this page has no greater one",
    help_zh: "把每页行数(page_size)改大;如果来源没有按版本从小到大返回,它就不能按版本读取",
    help_en: "ask for more rows a page (page_size); a source that does not give them in the order of their versions cannot be read by version",
    long_zh: "下一页从读到的最大版本继续。如果一整页的行都是同一个版本,或者来源不按版本排序,就永远读不到后面的行。引擎不会空转:这一次读取结束,标记停在已保存的地方。",
    long_en: "The next page goes on from the greatest version read. A page full of rows of one version, or a source that gives them in another order, would be asked for for ever. The reading ends, and the mark stays where the stored pages end.",
    example: "page: {by: version, size: 1}    # and two rows with one version",
};

/// Rows below what was asked for.
pub const VERSION_IGNORED: Entry = Entry {
    code: "E3077",
    severity: Severity::Error,
    zh: "来源没有按请求的版本返回:{vendor}",
    en: "the source does not heed the version it is asked with: {vendor}",
    help_zh: "检查连接器的 page.set 是不是这个接口的参数",
    help_en: "check that page.set of the connector names a parameter of this interface",
    long_zh: "答复里有比请求的版本更小的行:参数名写错了,或者来源忽略了它。继续读会从头循环,所以这一次读取结束,标记不动。",
    long_en: "The answer holds rows with smaller versions than were asked for: the parameter has another name, or the source takes no notice of it. Reading on would begin again and again, so it ends, and the mark stays.",
    example: "page: {by: version, set: start_tz, take: max(rows.ts)}",
};

/// A call that a recording does not have.
pub const NOT_RECORDED: Entry = Entry {
    code: "E3091",
    severity: Severity::Error,
    zh: "录制里没有这次调用:{operation}",
    en: "the recording has no such call: {operation}",
    help_zh: "重新录制:engine run 方案 --sandbox --record 文件",
    help_en: "record it anew: engine run SCHEME --sandbox --record FILE",
    long_zh: "重放录制时不访问任何系统,没有录下的调用无法答复。多半是方案改成了要多读或多写。",
    long_en: "A recording is replayed without any system, and a call that was not recorded cannot be answered. Usually the scheme was changed and now reads or writes more.",
    example: "tests: [{name: a, recording: samples/a.json}]    # and a further step was added to the target",
};

/// A dry run that was still reading at the end of its time.
pub const REHEARSAL_ENDED: Entry = Entry {
    code: "E3092",
    severity: Severity::Error,
    zh: "预演的时间({seconds} 秒)到了,还没有读完;以上是到那时读到的",
    en: "the time of a dry run ({seconds} s) was over before everything was read; what it had read by then is shown",
    help_zh: "用 window 给出一段较短的时间,或用命令行 engine dry-run,它没有时间限制",
    help_en: "give a shorter time by `window`, or use engine dry-run on the command line, which has no such end",
    long_zh: "通过接口或控制台的预演有人在等答复,而且与正式运行共用对方的调用频率,所以读取有时间上限。常见原因是窗口很长(first 很早、now 很远),里面几乎没有数据。",
    long_en: "Somebody waits for the answer of a dry run over the API or on the console, and it shares the other system's pace with the real runs; so its reading has an end. Usually the window is long (an early `first`, a far `now`) and nearly empty.",
    example: "POST /api/v1/schemes/huke-to-k3/actions/dry-run {\"window\": {\"from\": \"2001-01-01T00:00:00Z\", \"to\": \"2026-01-01T00:00:00Z\"}}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &REPEATED_PAGE,
    &TOO_MANY_PAGES,
    &UNSTABLE,
    &LIMIT,
    &STARTS_TOO_LATE,
    &BACK_PRESSURE,
    &MOST_RECORDS,
    &UNUSUAL_CHANGE,
    &FIRST_RUN,
    &PARTNER_NOT_READ,
    &CANCELED,
    &PARTED,
    &CAPPED,
    &NO_PROGRESS,
    &SKEWED,
    &FORGOTTEN,
    &CHANGED_PAGE,
    &VERSION_STUCK,
    &VERSION_IGNORED,
    &FILTERED,
    &DETAIL_PAGES,
    &NOT_RECORDED,
    &REHEARSAL_ENDED,
    &SOURCE_REFUSES,
    &SOURCE_UNREACHABLE,
    &SOURCE_FAULT,
    &SOURCE_BUSY,
    &SOURCE_LOST,
];
