//! E5000-E5099: the ledger and the data directory. From E5030 reasons of records, windows and runs that the ledger gives
//! itself, from E5060 what `engine verify` finds.

use super::Entry;
use crate::diagnostic::Severity;

/// Another process works with this data directory.
pub const LOCKED: Entry = Entry {
    code: "E5001",
    severity: Severity::Error,
    zh: "数据目录 {dir} 正被进程 {pid} 使用",
    en: "the data directory {dir} is in use by process {pid}",
    help_zh: "等它结束;只读命令(rows、runs、verify)不需要这把锁",
    help_en: "wait until it ends; commands that only read (rows, runs, verify) need no lock",
    long_zh: "同一数据目录一次只允许一个进程写入,否则同一条数据可能写两遍。锁由操作系统持有,持有者结束时自动释放,不必手工删除 lock 文件;文件里的进程号只供人查看。",
    long_en: "Only one process at a time may write with a data directory; two would write the same record twice. The lock is the operating system's and ends with its holder, so the file `lock` never has to be deleted; the process id inside is a note for people.",
    example: "engine run a.yaml & engine run b.yaml",
};

/// There is no ledger here and none may be created.
pub const MISSING: Entry = Entry {
    code: "E5002",
    severity: Severity::Error,
    zh: "{dir} 中没有账本",
    en: "there is no ledger in {dir}",
    help_zh: "检查 --data-dir 与 --env;账本在第一次 engine run 时建立",
    help_en: "check --data-dir and --env; the ledger is created by the first engine run",
    long_zh: "只读命令不会创建任何文件。数据目录是连接文件旁边的 .engine/<环境>/。",
    long_en: "Commands that only read create nothing. The data directory is `.engine/<env>/` beside the connections file.",
    example: "engine rows list --env never-run",
};

/// The ledger belongs to another environment.
pub const WRONG_ENVIRONMENT: Entry = Entry {
    code: "E5003",
    severity: Severity::Error,
    zh: "{dir} 中的账本属于环境 {stored},而不是 {asked}",
    en: "the ledger in {dir} belongs to the environment {stored}, not to {asked}",
    help_zh: "每个环境使用自己的数据目录",
    help_en: "give each environment its own data directory",
    long_zh: "账本记着每条数据在目标系统中的编号,换一个环境这些编号就没有意义,因此一个账本只属于一个环境。",
    long_en: "A ledger remembers the ids of documents in the target system; in another environment they mean nothing, so a ledger belongs to one environment.",
    example: "cp -r .engine/test .engine/prod; engine run --env prod",
};

/// Written by a newer engine.
pub const NEWER: Entry = Entry {
    code: "E5004",
    severity: Severity::Error,
    zh: "账本的版本是 {found},本程序只认识到 {known}",
    en: "the ledger has version {found}, this engine knows versions up to {known}",
    help_zh: "使用较新的程序;若要退回,用较新的程序执行 engine migrate --rollback",
    help_en: "use the newer engine; to go back, let the newer one do engine migrate --rollback first",
    long_zh: "较新的程序改过账本的结构。旧程序不会猜测,什么也没有改动。",
    long_en: "A newer engine changed the structure of the ledger. The older one does not guess; nothing was changed.",
    example: "engine-2.0 run a.yaml; engine-1.0 run a.yaml",
};

/// Written by an older engine, and opened only for reading.
pub const OLDER: Entry = Entry {
    code: "E5005",
    severity: Severity::Error,
    zh: "账本的版本是 {found},需要先升级到 {known}",
    en: "the ledger has version {found} and must first be brought to {known}",
    help_zh: "执行一次 engine run,它会在升级前留下副本",
    help_en: "run the engine once; it keeps a copy before it upgrades the file",
    long_zh: "只读命令不改动账本,因此不能升级它。",
    long_en: "Commands that only read do not change the ledger and so cannot upgrade it.",
    example: "engine-1.0 run a.yaml; engine-2.0 rows list",
};

/// The file is something else.
pub const NOT_A_LEDGER: Entry = Entry {
    code: "E5006",
    severity: Severity::Error,
    zh: "{path} 不是账本文件",
    en: "{path} is not a ledger",
    help_zh: "检查 --data-dir 是否指错了目录",
    help_en: "check whether --data-dir names the wrong folder",
    long_zh: "文件不是 SQLite 数据库,或属于别的程序。什么也没有改动。",
    long_en: "The file is no SQLite database, or belongs to another program. Nothing was changed.",
    example: "echo hello > .engine/default/ledger.db; engine run a.yaml",
};

/// The SQLite library is too old.
pub const OLD_SQLITE: Entry = Entry {
    code: "E5007",
    severity: Severity::Error,
    zh: "SQLite {found} 太旧,需要 {needed} 以上",
    en: "SQLite {found} is too old; {needed} or later is needed",
    help_zh: "使用自带 SQLite 的发行版",
    help_en: "use a release that brings its own SQLite",
    long_zh: "3.51.3 之前的版本在多个连接下可能丢失提交或损坏文件。",
    long_en: "Before 3.51.3 a file used by several connections could lose commits or be damaged.",
    example: "SQLite 3.45.1",
};

/// The data directory lies on a network file system.
pub const NETWORK_FILE_SYSTEM: Entry = Entry {
    code: "E5008",
    severity: Severity::Error,
    zh: "数据目录 {dir} 位于网络文件系统({kind})",
    en: "the data directory {dir} lies on a network file system ({kind})",
    help_zh: "把数据目录放到本机磁盘",
    help_en: "put the data directory on a disk of this machine",
    long_zh: "网络文件系统的锁不可靠,两台机器可能同时写入同一个账本,造成重复写入。",
    long_en: "Locks of network file systems cannot be trusted: two machines could work with one ledger and write records twice.",
    example: "engine run --data-dir /mnt/nas/engine",
};

/// The file is damaged.
pub const DAMAGED: Entry = Entry {
    code: "E5009",
    severity: Severity::Error,
    zh: "账本已损坏:{what}",
    en: "the ledger is damaged: {what}",
    help_zh: "不要继续写入;用 engine doctor 查看,再用 engine restore 文件 恢复最近的备份:它会先询问目标,再发送",
    help_en: "do not go on writing; look with engine doctor, then put the newest backup back with engine restore FILE: the target is asked before anything is sent",
    long_zh: "启动检查或读取时发现文件内容自相矛盾,常见原因是磁盘故障或文件被别的程序改动。引擎拒绝发送,因为不知道哪些数据已经写过。",
    long_en: "The check at the start, or a read, found the file in contradiction with itself; usual causes are a failing disk or another program that changed the file. Nothing is sent, because it is not known what has been written.",
    example: "dd if=/dev/urandom of=.engine/default/ledger.db bs=4096 seek=2 count=1 conv=notrunc; engine run a.yaml",
};

/// No space left for the ledger.
pub const FULL: Entry = Entry {
    code: "E5010",
    severity: Severity::Error,
    zh: "账本所在磁盘已满:{what}",
    en: "no space left for the ledger: {what}",
    help_zh: "腾出空间后再次运行;没有登记的数据不会发出",
    help_en: "free some space and run again; nothing is sent that could not be written down first",
    long_zh: "发送之前必须先把“正在发送”写到磁盘。写不下就不发送,所以没有数据丢失或重复。",
    long_en: "Before a send, \"sending\" must be on the disk. What cannot be written down is not sent, so nothing is lost or doubled.",
    example: "engine run --data-dir /mnt/full a.yaml",
};

/// The disk or the operating system failed.
pub const IO: Entry = Entry {
    code: "E5011",
    severity: Severity::Error,
    zh: "无法读写账本:{what}",
    en: "the ledger cannot be read or written: {what}",
    help_zh: "检查数据目录的权限与磁盘",
    help_en: "check the rights of the data directory and the disk",
    long_zh: "操作系统拒绝了对数据目录的读写。",
    long_en: "The operating system refused to read or write the data directory.",
    example: "chmod 000 .engine/default/ledger.db; engine run a.yaml",
};

/// Another connection kept the file too long.
pub const BUSY: Entry = Entry {
    code: "E5012",
    severity: Severity::Error,
    zh: "账本正忙:{what}",
    en: "the ledger is busy: {what}",
    help_zh: "稍后再试;检查是否有别的程序打开着 ledger.db",
    help_en: "try again later; look for another program that has ledger.db open",
    long_zh: "等了五秒仍拿不到数据库的锁,多半是别的程序(例如数据库查看工具)打开着文件。",
    long_en: "The lock of the database was not free for five seconds; most often another program, such as a database viewer, has the file open.",
    example: "(echo 'BEGIN IMMEDIATE;'; sleep 60) | sqlite3 .engine/default/ledger.db & engine run a.yaml",
};

/// A connection now leads to another system.
pub const ORIGIN_CHANGED: Entry = Entry {
    code: "E5013",
    severity: Severity::Error,
    zh: "连接 {connection} 原来指向 {stored},现在指向 {given}",
    en: "the connection {connection} led to {stored} and now leads to {given}",
    help_zh: "若是同一系统换了地址或确要换目标,用 engine run … --new-target 确认;否则改正 connections.yaml 或 --env",
    help_en: "if it is the same system under a new address, or the change is meant, confirm with engine run … --new-target; else mend connections.yaml or --env",
    long_zh: "账本里的编号属于原来的系统。换了系统还继续写,会把更新写到别人的单据上,所以先要由人确认。",
    long_en: "The ids in the ledger belong to the former system. Going on in another one would update somebody else's documents, so a person must confirm first.",
    example: "connections.yaml: params.acct changed to another data centre",
};

/// Too much ledger work is waiting.
pub const QUEUE_FULL: Entry = Entry {
    code: "E5014",
    severity: Severity::Error,
    zh: "等待写入账本的任务过多",
    en: "too much work is waiting for the ledger",
    help_zh: "",
    help_en: "",
    long_zh: "写入线程跟不上提交的速度,多半是磁盘很慢。什么也没有丢失,提交者会重试。",
    long_en: "The writer cannot keep up with what is submitted, most often because the disk is slow. Nothing is lost; the work is submitted again.",
    example: "a disk that takes a second for each commit",
};

/// The writer has ended.
pub const CLOSED: Entry = Entry {
    code: "E5015",
    severity: Severity::Error,
    zh: "账本已经关闭",
    en: "the ledger has been closed",
    help_zh: "",
    help_en: "",
    long_zh: "引擎正在停止,不再接受新的写入。",
    long_en: "The engine is stopping and takes no new work.",
    example: "^C, and a request to the console at the same moment",
};

/// The ledger knows less than the note beside it.
pub const OLD_COPY: Entry = Entry {
    code: "E5016",
    severity: Severity::Error,
    zh: "{dir} 中的账本是一份旧副本:它只知道 {knows},而实际已到 {noted}(代数/发送次数)",
    en: "the ledger in {dir} is an old copy: it knows {knows}, and there has been {noted} (generation/sends)",
    help_zh: "用 engine restore 文件 恢复备份,或用 engine run … --suspect-until now 确认;两者都会先询问目标,再发送",
    help_en: "put a backup back with engine restore FILE, or confirm with engine run … --suspect-until now; both ask the target before anything is sent",
    long_zh: "账本旁边的 generation 文件记着账本打开过几次、发送过几次。账本比它旧,说明文件是从备份直接拷回来的,或者账本丢失后重新建立:那之后写过什么,它不知道。照常启动会把已写过的数据再写一遍,因此拒绝启动。以存疑模式启动时,每条尚未完成的数据都先按键询问目标:已有的记为完成,没有的才发送;目标无法询问时交给人处理。",
    long_en: "The file `generation` beside the ledger notes how often the ledger was opened and how often it sent. A ledger that is behind it was copied back from a backup, or is new where another one was lost: it does not know what was written since. Going on as usual would write records twice, so the start is refused. In suspect mode the target is asked by key about every record that is not done: what is there is done, only what is not there is sent; where the target cannot be asked a person decides.",
    example: "cp backup.db .engine/default/ledger.db; engine run a.yaml",
};

/// A file that would be written over.
pub const EXISTS: Entry = Entry {
    code: "E5017",
    severity: Severity::Error,
    zh: "文件 {path} 已经存在",
    en: "the file {path} exists already",
    help_zh: "换一个文件名,或先移走它",
    help_en: "give another name, or move it away first",
    long_zh: "备份不会覆盖已有的文件:被覆盖的可能是唯一完好的一份。",
    long_en: "A backup does not write over a file: that one might be the only good copy.",
    example: "engine backup --to a.db; engine backup --to a.db",
};

/// The disk is nearly full: reading stops.
pub const DISK_TIGHT: Entry = Entry {
    code: "E5018",
    severity: Severity::Error,
    zh: "账本所在磁盘只剩 {free},少于 {least},暂停读取",
    en: "the disk of the ledger has {free} left, less than {least}: reading stops",
    help_zh: "腾出空间后再次运行;界限由环境变量 ENGINE_MIN_FREE 设定,例如 64m",
    help_en: "free some space and run again; the bound is the environment variable ENGINE_MIN_FREE, such as 64m",
    long_zh: "读进来的每条数据还要登记、发送、结算。磁盘快满时先停止读取,窗口保持打开,已读入的数据照常写完;有空间后从停下的地方继续,不丢失任何数据。",
    long_en: "What is read must still be written down, sent and settled. When the disk is nearly full, reading stops first: the window stays open, what was read is written to its end, and the next run with room goes on from there. Nothing is lost.",
    example: "ENGINE_MIN_FREE=900g engine run a.yaml",
};

/// The ledger has reached its bound: reading stops.
pub const LEDGER_LARGE: Entry = Entry {
    code: "E5019",
    severity: Severity::Error,
    zh: "账本已有 {bytes},达到上限 {most},暂停读取",
    en: "the ledger takes {bytes} and has reached its bound of {most}: reading stops",
    help_zh: "缩短已发报文的保留时间(环境变量 ENGINE_KEEP,例如 30d),或用环境变量 ENGINE_MAX_LEDGER 提高上限,例如 40g",
    help_en: "keep sent documents for less time (the environment variable ENGINE_KEEP, such as 30d), or raise the bound with the environment variable ENGINE_MAX_LEDGER, such as 40g",
    long_zh: "上限防止账本悄悄占满磁盘。达到后停止读取新数据,窗口保持打开,已读入的数据照常写完。",
    long_en: "The bound keeps the ledger from filling the disk unnoticed. Nothing new is read, the window stays open, and what was read is written to its end.",
    example: "ENGINE_MAX_LEDGER=1m engine run a.yaml",
};

/// Another record has the same key at the target.
pub const KEY_TAKEN: Entry = Entry {
    code: "E5030",
    severity: Severity::Error,
    zh: "目标键已被另一条数据 {holder} 占用",
    en: "the record {holder} already has this key at the target",
    help_zh: "检查 target.request 里作为键的字段:两条源数据不应得到同一个编号",
    help_en: "look at the key fields of target.request: two source rows must not get one number",
    long_zh: "两条不同的源数据算出了同一个目标键(例如同一个客户编码)。写出第二条会覆盖第一条的单据,因此它停下来等人处理。",
    long_en: "Two source records came to one key at the target, such as one customer number. Writing the second would overwrite the document of the first, so it waits for a person.",
    example: "target.request.FNumber: \"100\"",
};

/// The key at the target changed although a document may exist under the old one.
pub const KEY_CHANGED: Entry = Entry {
    code: "E5031",
    severity: Severity::Error,
    zh: "目标键由 {old} 变为 {new},而旧键下可能已有单据",
    en: "the key at the target changed from {old} to {new}, and a document may exist under the old one",
    help_zh: "在目标系统中改正编号,或用 engine rows resolve 说明应当怎样处理",
    help_en: "change the number in the target system, or say with engine rows resolve what is to be done",
    long_zh: "这条数据曾以旧键写入(或可能写入)目标。换新键再写会产生第二张单据,因此停下来等人处理。",
    long_en: "The record was written, or may have been written, under its former key. Writing it under the new one would make a second document, so it waits for a person.",
    example: "target.request.FNumber: <<buyerCid>> → <<mobile>>",
};

/// Was in flight when an earlier process ended.
pub const IN_FLIGHT: Entry = Entry {
    code: "E5032",
    severity: Severity::Error,
    zh: "引擎停止时正在发送,将询问目标是否已写入",
    en: "was being sent when the engine stopped; the target will be asked",
    help_zh: "",
    help_en: "",
    long_zh: "进程在收到答复之前结束。静默期过后引擎按键询问目标:已有则完成,没有才重发。",
    long_en: "The process ended before the answer came. After the quiet period the target is asked by key: if the document is there the record is done, only if not it is sent again.",
    example: "kill -9 while a batch is on its way",
};

/// The window was open when an earlier process ended.
pub const WINDOW_LEFT: Entry = Entry {
    code: "E5033",
    severity: Severity::Error,
    zh: "引擎停止时窗口尚未读完,将重新读取",
    en: "the window was being read when the engine stopped; it is read again",
    help_zh: "",
    help_en: "",
    long_zh: "窗口只有在最后一页存好之后才关闭,没有关闭的时间段下次会再读,已存的数据不会重复处理。",
    long_en: "A window closes only when its last page is stored. What is not closed is read again next time; rows already stored are not processed twice.",
    example: "timeout -s KILL 1 engine run a.yaml; engine run a.yaml",
};

/// The document of a step is written, and not gone on with.
pub const STEP_HALF: Entry = Entry {
    code: "E5070",
    severity: Severity::Error,
    zh: "步骤的单据已写入,但没有完成提交或审核",
    en: "the document of the step was written, and then not submitted or audited",
    help_zh: "在目标里处理那张单据,然后 engine retry:引擎会查到它并继续后面的步骤",
    help_en: "finish that document at the target, then `engine retry`: it is found, and the steps behind it go on",
    long_zh: "选项让目标在写步骤单据的同一次调用里提交、审核,它写了单据,却没有走完。引擎不会再写一张,也不会替您审核那一张。",
    long_en: "An option makes the target submit and audit the document of a step in the call that writes it. It wrote the document and did not get through. The engine does not write a second one, and does not audit that one by itself.",
    example: "steps: [batchSave, {step: contact, api: batchSave, options: {IsAutoSubmitAndAudit: true}, request: {...}}]",
};

/// The run was under way when an earlier process ended.
pub const RUN_BROKEN: Entry = Entry {
    code: "E5034",
    severity: Severity::Error,
    zh: "引擎在这次运行途中停止",
    en: "the engine stopped during this run",
    help_zh: "",
    help_en: "",
    long_zh: "进程没有正常结束这次运行,下一次运行开始时按当时的状态结算了它的计数。",
    long_en: "The process did not end this run in order; the next run fixed its counts as they stood.",
    example: "timeout -s KILL 1 engine run a.yaml; engine run a.yaml",
};

/// A document may be at the target that this ledger knows nothing of.
pub const SUSPECT: Entry = Entry {
    code: "E5035",
    severity: Severity::Error,
    zh: "账本不知道它是否已经写过(账本是恢复的或接管的),发送之前先询问目标",
    en: "may have been written without this ledger's knowledge (it was restored, or took over); the target is asked first",
    help_zh: "",
    help_en: "",
    long_zh: "恢复的备份不知道备份之后写过什么,接管其他工具时也不知道它写过什么。这样的数据先按键询问目标:已有则完成(或更新),没有才发送。目标无法询问时交给人处理。",
    long_en: "A restored backup does not know what was written after it was taken, and an engine that takes over from another tool does not know what that one wrote. The target is asked by key first: what is there is done, or updated, and only what is not there is sent. Where the target cannot be asked, a person decides.",
    example: "engine restore backup.db; engine run a.yaml",
};

/// A person holds the record.
pub const HELD_BY_HAND: Entry = Entry {
    code: "E5040",
    severity: Severity::Error,
    zh: "人工暂停:{why}",
    en: "held by a person: {why}",
    help_zh: "engine retry --key 键 重新处理,或 engine rows skip 放弃这一版本",
    help_en: "engine retry --key KEY processes it again, engine rows skip gives this version up",
    long_zh: "有人用 engine rows hold 暂停了这条数据:在有人重新处理、放弃或说明结果之前,引擎不会碰它。谁、何时、为什么,见 engine rows show。",
    long_en: "Somebody held the record with engine rows hold: the engine leaves it alone until somebody retries, skips or resolves it. Who, when and why stand in engine rows show.",
    example: "engine rows hold B000123 --reason 等财务确认",
};

/// A person skipped the record.
pub const SKIPPED_BY_HAND: Entry = Entry {
    code: "E5041",
    severity: Severity::Error,
    zh: "人工跳过:{why}",
    en: "skipped by a person: {why}",
    help_zh: "来源数据再次变化时,新版本照常写入",
    help_en: "when the source row changes again, the new version is written as usual",
    long_zh: "有人用 engine rows skip 放弃了这一版本。以后来源有新版本时照常写入;若放弃时结果不明,写入新版本前先询问目标。",
    long_en: "Somebody gave this version up with engine rows skip. A later version is written as usual; if the fate of the given-up one was not known, the target is asked before that.",
    example: "engine rows skip B000123 --reason 测试数据",
};

/// Verify: the file itself is damaged.
pub const V_DAMAGED: Entry = Entry {
    code: "E5060",
    severity: Severity::Error,
    zh: "账本文件损坏:{what}",
    en: "the file of the ledger is damaged: {what}",
    help_zh: "索引的损坏可用 engine verify --fix 修复;其余用 engine restore 文件 从备份恢复",
    help_en: "an index is mended by engine verify --fix; for anything else put the backup back with engine restore FILE",
    long_zh: "完整性检查发现了矛盾。",
    long_en: "The integrity check found a contradiction.",
    example: "dd if=/dev/urandom of=.engine/default/ledger.db bs=4096 seek=2 count=1 conv=notrunc; engine verify",
};

/// Verify: the identity does not hold.
pub const V_COUNTS: Entry = Entry {
    code: "E5061",
    severity: Severity::Error,
    zh: "方案 {scheme} 的计数对不上:{what}",
    en: "the counts of the scheme {scheme} do not add up: {what}",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "每次运行都必须满足 读取 = 完成 + 失败 + 待人工 + 跳过 + 未结,且与逐行的记录一致。",
    long_en: "For every run, fetched = done + dead + held + skipped + open must hold and agree with the rows seen.",
    example: "",
};

/// Verify: dead, held or skipped without a reason.
pub const V_NO_REASON: Entry = Entry {
    code: "E5062",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据 {what} 失败、待人工或跳过,却没有原因",
    en: "the record {what} of the scheme {scheme} is dead, held or skipped without a reason",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "没有写成的数据都必须带着原因。",
    long_en: "Every record that was not written must carry its reason.",
    example: "",
};

/// Verify: sending without an attempt in flight.
pub const V_NOT_IN_FLIGHT: Entry = Entry {
    code: "E5063",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据 {what} 处于写入中,却没有进行中的请求",
    en: "the record {what} of the scheme {scheme} is sending without an attempt in flight",
    help_zh: "再运行一次该方案,它会转为结果未知并询问目标",
    help_en: "run the scheme once more: the record becomes unknown and the target is asked",
    long_zh: "写入中的数据必须属于一个尚未结束的请求。",
    long_en: "A record that is sending must belong to an attempt that has not ended.",
    example: "",
};

/// Verify: two records have one key at the target.
pub const V_KEY_TWICE: Entry = Entry {
    code: "E5064",
    severity: Severity::Error,
    zh: "方案 {scheme} 中目标键 {what} 属于不止一条数据",
    en: "the key {what} at the target belongs to more than one record, one of them of the scheme {scheme}",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "一个目标键只能属于一条数据,否则会互相覆盖。",
    long_en: "A key at the target belongs to one record only, or two would overwrite each other.",
    example: "",
};

/// Verify: closed intervals overlap or touch.
pub const V_INTERVALS: Entry = Entry {
    code: "E5065",
    severity: Severity::Error,
    zh: "方案 {scheme} 的已读区间重叠:{what}",
    en: "closed intervals of the scheme {scheme} overlap: {what}",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "已读完的时间区间应当互不相连,缺口才看得见。",
    long_en: "Intervals read for good never touch, so that gaps can be seen.",
    example: "",
};

/// Verify: done with another version than the one settled.
pub const V_DONE_VERSION: Entry = Entry {
    code: "E5066",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据 {what} 已完成,但写入的是另一个版本",
    en: "the record {what} of the scheme {scheme} is done, but another version was written",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "完成的数据,其当前版本必须就是目标接受的版本。",
    long_en: "The current version of a record that is done must be the one the target accepted.",
    example: "",
};

/// Verify: the number of records in a state is not the one kept.
pub const V_STATES: Entry = Entry {
    code: "E5067",
    severity: Severity::Error,
    zh: "方案 {scheme} 的状态计数不符:{what}",
    en: "the number of records in a state of the scheme {scheme} is not the one kept: {what}",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "每个状态的数量随状态一起维护,必须与逐条统计相等。",
    long_en: "The number of records in each state is kept along with the states and must equal their count.",
    example: "",
};

/// Verify: a waiting version or a row is missing or misplaced.
pub const V_WAITING: Entry = Entry {
    code: "E5068",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据 {what} 缺少数据内容,或等待中的版本不该存在",
    en: "the record {what} of the scheme {scheme} lacks its row, or a version waits where none may",
    help_zh: "这是引擎的缺陷,请报告",
    help_en: "this is a defect of the engine; please report it",
    long_zh: "较新的版本只能在旧版本尚未结清时等待。",
    long_en: "A newer version waits only while the older one is not settled.",
    example: "",
};

/// Verify: sent again before the fate of the last attempt was known.
pub const V_BLIND_RESEND: Entry = Entry {
    code: "E5069",
    severity: Severity::Error,
    zh: "方案 {scheme} 的数据 {what} 在上一次发送结果未明时又被处理",
    en: "the record {what} of the scheme {scheme} went on before the fate of its last attempt was known",
    help_zh: "这是引擎的缺陷,请报告;并在目标系统中检查这条数据是否重复",
    help_en: "this is a defect of the engine; please report it, and look in the target system for a second document",
    long_zh: "答复丢失的数据必须先询问目标,才能重发或结束。",
    long_en: "A record whose answer was lost is asked about before it is sent again or ended.",
    example: "",
};

/// The partner's write to the same document, or one that may have made it, is in doubt.
pub const PARTNER_IN_DOUBT: Entry = Entry {
    code: "E5042",
    severity: Severity::Error,
    zh: "等待中:要先知道 {holder} 的写入结果",
    en: "waits until it is known how the write of {holder} ended",
    help_zh: "另一方向的方案运行时会询问目标;它若停在“待人处理”,请先处理那一条",
    help_en: "a run of the scheme of the other direction asks the target; if that record is held, decide about it first",
    long_zh: "双向同步中,另一方向对同一单据(或可能就是这张单据)的写入还没有结果。此时无法判断读到的值是谁写的,新建也可能重复,所以等到有了结果再判断。",
    long_en: "The write of the other direction to the same document, or to one that may be this document, has no known end. Whose value was read cannot be told yet, and a create might be a second one, so the record is judged once the end is known.",
    example: "two_way: {with: b-to-a, conflict: hold}",
};

/// Both sides were changed, and a person must decide.
pub const CONFLICT: Entry = Entry {
    code: "E5043",
    severity: Severity::Error,
    zh: "两边都改了,要由人决定:这边是 {fields},另一边是 {holder}",
    en: "both sides were changed, and a person must decide: {fields} here, and {holder}",
    help_zh: "对要保留的一边执行 engine retry,另一边随之放弃;两边的行都可以用 engine rows show 查看",
    help_en: "`engine retry` the side that is to stay; the other one gives up with it. `engine rows show` shows the rows of both",
    long_zh: "两边在上次同步之后都有改动,而方案写的是 `conflict: hold`(或 `newest_wins` 分不出先后)。引擎不覆盖任何一边。",
    long_en: "Both sides were changed since they were last the same, and the scheme says `conflict: hold` (or `newest_wins` cannot tell which is newer). The engine overwrites neither.",
    example: "two_way: {with: b-to-a, conflict: hold}",
};

/// Both sides were changed, and the other one won.
pub const LOST_CONFLICT: Entry = Entry {
    code: "E5044",
    severity: Severity::Error,
    zh: "两边都改了,以 {holder} 为准({why})",
    en: "both sides were changed, and {holder} won ({why})",
    help_zh: "落选的那一行保留着,可以用 engine rows show 查看",
    help_en: "the row that lost is kept: `engine rows show`",
    long_zh: "双向同步的冲突按方案的 `conflict`,或按人的决定,以另一边为准;这边的改动没有写出。",
    long_en: "A conflict of a two-way sync was decided for the other side, by `conflict` of the scheme or by a person; this change is not written.",
    example: "two_way: {with: b-to-a, conflict: newest_wins}",
};

/// Two documents of one system belong to one of the other.
pub const DOUBLED: Entry = Entry {
    code: "E5045",
    severity: Severity::Error,
    zh: "这张单据同时对应 {one} 和 {other}({holder})",
    en: "belongs to {one} and to {other}, which is {holder}",
    help_zh: "其中一张是重复的:在系统里合并,再用 engine resolve 或 engine skip 处理对应的数据",
    help_en: "one of them is a double: merge them in that system, then `engine resolve` or `engine skip` the record of the other",
    long_zh: "双向同步中,一边的一张单据对应了另一边的两张。引擎不知道该更新哪一张,所以停下来。",
    long_en: "In a two-way sync one document of one side came to belong to two of the other. Which of them is to be updated is not the engine's to guess.",
    example: "two_way: {with: b-to-a, conflict: hold}",
};

/// The partner's value came back as another one, each time the same two.
pub const TO_AND_FRO: Entry = Entry {
    code: "E5046",
    severity: Severity::Error,
    zh: "{field} 读回来总与 {holder} 写入的不同,而且每次都一样:两个系统各有各的写法",
    en: "{field} says something else than {holder} wrote, time and again the same: each system writes it in its own way",
    help_zh: "在两个方案里把这个字段转换成对方的写法(例如 number、upper),或不再传这个字段;若是人改的,用 engine retry 放行",
    help_en: "convert the field in both schemes to how the other system writes it (`number`, `upper`), or do not carry it; `engine retry` lets it go where people did it",
    long_zh: "双向同步中,一边写入的值在另一边读回来成了另一个值(金额 100 成了文本 100.00,字母成了大写),再写回去又变回来。\
              同样的两个值第三次出现时就停下来,否则两边会一直互相改写。",
    long_en: "In a two-way sync a value that one side wrote is read as another one (the amount 100 as the text 100.00, letters in \
              upper case), and writing that back turns it round again. With the third time of the same two values the record is held, or both sides would rewrite each other for ever.",
    example: "two_way: {with: b-to-a, conflict: hold}",
};

/// A lost create was found as the document that was voided before it.
pub const CAME_BACK: Entry = Entry {
    code: "E5047",
    severity: Severity::Error,
    zh: "新建的答复丢失,而目标里找到的是以前作废过的 {id}",
    en: "the answer was lost, and the target has {id} again, which was voided before",
    help_zh: "在目标系统里看:只有旧单据,用 engine resolve 说明就是它(之后照常更新);新单据也在,说明是新的那张",
    help_en: "look at the target: if only the old document is there, `engine resolve` says that it is the one (it is updated from then on); if a new one is there, too, name that",
    long_zh: "单据作废后数据又回来,引擎另建一张;新建的答复丢失后按键去查,找到的却是作废过的那张:有人把它恢复了。新建的那张是否还会出现,谁也不知道,所以由人决定。",
    long_en: "The document was voided, its record came back, and a new document was made. That answer was lost, and the question by key found the one that was voided: somebody brought it back. Whether the new one will appear, too, nobody knows, so a person decides.",
    example: "target: {connection: crm, api: {create: create, update: update, void: invalid}, key: account_no}",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[
    &LOCKED,
    &MISSING,
    &WRONG_ENVIRONMENT,
    &NEWER,
    &OLDER,
    &NOT_A_LEDGER,
    &OLD_SQLITE,
    &NETWORK_FILE_SYSTEM,
    &DAMAGED,
    &FULL,
    &IO,
    &BUSY,
    &ORIGIN_CHANGED,
    &QUEUE_FULL,
    &CLOSED,
    &OLD_COPY,
    &EXISTS,
    &DISK_TIGHT,
    &LEDGER_LARGE,
    &KEY_TAKEN,
    &KEY_CHANGED,
    &IN_FLIGHT,
    &WINDOW_LEFT,
    &STEP_HALF,
    &RUN_BROKEN,
    &SUSPECT,
    &HELD_BY_HAND,
    &SKIPPED_BY_HAND,
    &PARTNER_IN_DOUBT,
    &CONFLICT,
    &LOST_CONFLICT,
    &DOUBLED,
    &TO_AND_FRO,
    &CAME_BACK,
    &V_DAMAGED,
    &V_COUNTS,
    &V_NO_REASON,
    &V_NOT_IN_FLIGHT,
    &V_KEY_TWICE,
    &V_INTERVALS,
    &V_DONE_VERSION,
    &V_STATES,
    &V_WAITING,
    &V_BLIND_RESEND,
];
