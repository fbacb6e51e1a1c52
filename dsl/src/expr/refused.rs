//! Functions that a database has and that are left out on purpose, each with the reason.
//!
//! An expression is a function of one row: computed again it gives the same payload, on any machine. What draws
//! lots, waits, or speaks of a connection or a server cannot be had; somebody who writes it is told why, and what
//! to write instead.

use crate::builtin::{Words, both};

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The names this holds for, in capitals.
    pub names: &'static [&'static str],
    /// The reason.
    pub why: Words,
    /// What to write instead.
    pub instead: Words,
}

/// All of them, by reason.
pub const REFUSED: &[Refused] = &[
    Refused {
        names: &["RAND", "RANDOM_BYTES"],
        why: both("每次结果都不同", "gives another result each time"),
        instead: both(
            "同一行数据必须得到同一份报文;需要分散的值时用 `CRC32(<<id>>)`",
            "the same row must give the same payload; for a value that is spread out use `CRC32(<<id>>)`",
        ),
    },
    Refused {
        names: &["UUID", "UUID_SHORT", "SYS_GUID"],
        why: both("每次结果都不同", "gives another result each time"),
        instead: both(
            "重发时编号必须相同;用 `MD5(CONCAT(<<source>>, ':', <<id>>))` 从单据自己的字段得到编号",
            "a number must be the same when it is sent again; make it of the document's own fields: `MD5(CONCAT(<<source>>, ':', <<id>>))`",
        ),
    },
    Refused {
        names: &["SLEEP", "BENCHMARK"],
        why: both("只会拖延时间", "only takes time"),
        instead: both(
            "调用的间隔写在连接器的限速里",
            "the time between calls is set by the connector's rate limit",
        ),
    },
    Refused {
        names: &[
            "GET_LOCK",
            "RELEASE_LOCK",
            "RELEASE_ALL_LOCKS",
            "IS_FREE_LOCK",
            "IS_USED_LOCK",
            "MASTER_POS_WAIT",
            "MASTER_GTID_WAIT",
        ],
        why: both("锁属于数据库的连接", "a lock belongs to a database connection"),
        instead: both(
            "同一单据的先后由引擎保证",
            "the engine itself keeps the order of one document's versions",
        ),
    },
    Refused {
        names: &[
            "USER",
            "CURRENT_USER",
            "SESSION_USER",
            "SYSTEM_USER",
            "CURRENT_ROLE",
            "DATABASE",
            "SCHEMA",
            "VERSION",
            "CONNECTION_ID",
            "LAST_INSERT_ID",
            "ROW_COUNT",
            "FOUND_ROWS",
            "LASTVAL",
            "NEXTVAL",
            "SETVAL",
        ],
        why: both(
            "它说的是数据库的连接,这里没有",
            "speaks of a database connection, and there is none",
        ),
        instead: both(
            "写固定的文本,或读这一行的字段",
            "write a fixed text, or read a field of the row",
        ),
    },
    Refused {
        names: &["LOAD_FILE"],
        why: both("表达式不读文件", "an expression reads no files"),
        instead: both(
            "对照表放进一个方案,用 `_findCollection` 查",
            "put a table into a scheme of its own and look it up with `_findCollection`",
        ),
    },
    Refused {
        names: &[
            "ROW_NUMBER",
            "RANK",
            "DENSE_RANK",
            "PERCENT_RANK",
            "CUME_DIST",
            "NTILE",
            "LAG",
            "LEAD",
            "FIRST_VALUE",
            "LAST_VALUE",
            "NTH_VALUE",
        ],
        why: both(
            "表达式只看到一行,看不到前后的行",
            "an expression sees one row, not those before and after it",
        ),
        instead: both(
            "明细的行号写 `<<$index>>`",
            "the number of a line is `<<$index>>`",
        ),
    },
];

/// Why this name, in any case, is refused; `None` when it is not.
pub fn refused(name: &str) -> Option<&'static Refused> {
    REFUSED
        .iter()
        .find(|refused| refused.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}
