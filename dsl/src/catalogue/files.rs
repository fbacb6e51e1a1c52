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

/// All of them.
pub const ALL: &[&Entry] = &[&UNRECOGNISED, &AMBIGUOUS];
