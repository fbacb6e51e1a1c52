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

/// All entries of this family.
pub const ALL: &[&Entry] = &[&INTERNAL];
