//! E1050-E1099: which file is meant, before it is known what it is.

use super::Entry;
use crate::diagnostic::Severity;

/// No top-level key says what the file is.
pub const UNRECOGNISED: Entry = Entry {
    code: "E1050",
    severity: Severity::Error,
    zh: "看不出这是什么文件:顶层没有 scheme、connector 或 connections",
    en: "this is no file of the engine: there is no scheme, connector or connections at its top",
    help_zh: "顶层写 `scheme: <编号>`(方案)、`connector: <编号>`(连接器)或 `connections:`(连接)",
    help_en: "at the top, write `scheme: <id>`, `connector: <id>` or `connections:`",
    long_zh: "引擎按顶层的键识别文件:scheme 是方案,connector 是连接器,connections 是连接。检查一个文件夹时,里面的每个 YAML 文件都要能识别,否则写错一个键的方案会被悄悄漏掉。",
    long_en: "Files are recognised by their top-level key: scheme, connector or connections. In a folder that is checked every YAML file must be one of them; else a scheme with a mistyped first key would silently be left out.",
    example: "schem: huke-to-k3",
};

/// The top-level keys of two sorts of files.
pub const AMBIGUOUS: Entry = Entry {
    code: "E1051",
    severity: Severity::Error,
    zh: "一个文件只能是一种:这里同时有 `{first}` 和 `{second}`",
    en: "a file is one thing: here are both `{first}` and `{second}`",
    help_zh: "把它们分成两个文件",
    help_en: "make two files of it",
    long_zh: "方案、连接器和连接各写各的文件。",
    long_en: "Schemes, connectors and connections each have files of their own.",
    example: "scheme: a\nconnections: {}",
};

/// Two schemes of a folder with one identity.
pub const DOUBLE: Entry = Entry {
    code: "E1052",
    severity: Severity::Error,
    zh: "`{name}` 已经是 {other} 的编号",
    en: "`{name}` is already the identity of {other}",
    help_zh: "复制出来的方案要换一个 `scheme:`,并换掉或删去 `uuid:`",
    help_en: "give the copy a `scheme:` of its own, and another `uuid:` or none",
    long_zh: "一个文件夹里的方案各有各的 scheme 和 uuid。两个方案同名会共用账本:一个写过的数据,另一个会当作已经写过;查找也不知道该找谁。",
    long_en: "Every scheme of a folder has a `scheme` and a `uuid` of its own. Two of one name would share their ledger, so that what one wrote the other takes for written, and a look-up could not tell which is meant.",
    example: "scheme: huke-to-k3",
};

/// No connections file was found.
pub const NO_CONNECTIONS: Entry = Entry {
    code: "E1053",
    severity: Severity::Error,
    zh: "没有 connections.yaml,所以没有连接 `{name}`;找过:{places}",
    en: "there is no connection `{name}`, for there is no connections.yaml: looked for {places}",
    help_zh: "把 connections.yaml 放在其中一处,或用 --connections 指明",
    help_en: "put a connections.yaml in one of these places, or name it with --connections",
    long_zh: "方案里的连接写在 connections.yaml 里。引擎依次在方案所在的文件夹、它的上一级和当前文件夹里找。",
    long_en: "The connections of a scheme stand in connections.yaml, looked for in the scheme's folder, the folder above it and the working directory.",
    example: "engine check my-scheme.yaml    # in a folder without connections.yaml",
};

/// A fault of the simulators that cannot be ordered.
pub const FAULT_PLAN: Entry = Entry {
    code: "E1054",
    severity: Severity::Error,
    zh: "故障文件的 `{key}`:{what}",
    en: "`{key}` of a fault: {what_en}",
    help_zh: "各种故障和它们的键见 docs/sandbox-faults.zh.md",
    help_en: "every kind and its keys stand in docs/sandbox-faults.md",
    long_zh: "`--faults` 的文件里,每条故障写明接口、故障种类和哪几次调用。有些键只对某些故障有意义,写在别处会被拒绝,不会悄悄失效。",
    long_en: "In a file for `--faults` each fault names an endpoint, a kind and which calls. Some keys mean something to some kinds only, and are refused elsewhere instead of doing nothing.",
    example: "faults:\n- {endpoint: '*', kind: delay, mib: 5}",
};

/// A sample that cannot be read.
pub const SAMPLE_UNREADABLE: Entry = Entry {
    code: "W1055",
    severity: Severity::Warning,
    zh: "样例读不懂,没有使用:{what}",
    en: "the sample cannot be read and was left aside: {what}",
    help_zh: "用 engine sample 重新取一份,或删除这个文件",
    help_en: "take it again with engine sample, or remove the file",
    long_zh: "connections.yaml 旁边的 samples/连接/*.json 由 engine sample 写出。读不懂的样例只是不用,不影响运行。",
    long_en: "Files samples/CONNECTION/*.json beside connections.yaml are written by engine sample. One that cannot be read is left aside; runs do not need it.",
    example: "samples/huke/search_trades.json    # cut in the middle",
};

/// All of them.
pub const ALL: &[&Entry] = &[
    &UNRECOGNISED,
    &AMBIGUOUS,
    &DOUBLE,
    &NO_CONNECTIONS,
    &FAULT_PLAN,
    &SAMPLE_UNREADABLE,
];
