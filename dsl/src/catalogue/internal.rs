//! E9000-E9099: faults of the engine itself.

use super::Entry;
use crate::diagnostic::Severity;

/// Something that must not happen did.
pub const INTERNAL: Entry = Entry {
    code: "E9000",
    severity: Severity::Error,
    zh: "引擎内部错误:{what}",
    en: "internal error: {what}",
    help_zh: "这是引擎的缺陷,请连同运行的命令一起报告",
    help_en: "this is a defect of the engine; please report it together with the command you ran",
    long_zh: "引擎发现了自身的矛盾并停下,没有继续处理。这不是方案或数据的问题,请把完整的输出和所用的命令报告给维护者。",
    long_en: "The engine found a contradiction in itself and stopped instead of going on. Nothing is wrong with the \
              scheme or the data; please report the whole output and the command that was run.",
    example: "",
};

/// A scheme's runs ended by a fault of the engine {vendor} times within ten minutes.
pub const PANICKED: Entry = Entry {
    code: "E9002",
    severity: Severity::Error,
    zh: "十分钟内运行因引擎内部错误中断了 {vendor} 次,方案已暂停",
    en: "the scheme is paused: within ten minutes its runs ended {vendor} times by an internal error of the engine",
    help_zh: "其他方案不受影响;请报告日志中的错误,然后用 `engine schemes resume` 恢复",
    help_en: "other schemes go on; please report the error in the log, then `engine schemes resume` it",
    long_zh: "一个方案的运行崩溃不会影响其他方案。反复崩溃说明问题不会自行消失,继续重试只会浪费对方系统的调用,因此计划运行暂停,\
              直到有人恢复。没有数据丢失:窗口未关闭,记录保持原状态。",
    long_en: "A crash of one scheme's run leaves the others alone. When it happens again and again it will not mend itself, \
              and trying on only spends the other systems' calls: the scheme's schedule is paused until somebody resumes \
              it. Nothing is lost: windows stay open and records stay as they are.",
    example: "engine status   # of a scheme whose runs crashed three times",
};

/// All entries of this family.
pub const ALL: &[&Entry] = &[&INTERNAL, &PANICKED];
