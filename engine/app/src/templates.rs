//! Schemes to begin with, for `engine init --template`. The files stand in `templates/` of the repository, where they are
//! tested like any other scheme; here is what each is for, and which connections it names.

/// One way of moving data, as files to go on from.
#[derive(Debug)]
pub struct Template {
    /// As it is asked for.
    pub name: &'static str,
    /// What it is for, in Chinese and English.
    pub about: (&'static str, &'static str),
    /// The connections that it names, and their connectors.
    pub connections: &'static [(&'static str, &'static str)],
    /// The texts of its schemes; each goes to `schemes/ID.yaml`.
    pub schemes: &'static [&'static str],
}

/// All of them, the simplest first.
pub const ALL: &[Template] = &[
    Template {
        name: "store",
        about: (
            "只存储一张清单,供其它方案查找",
            "a list that is only stored, for look-ups of other schemes",
        ),
        connections: &[("huke", "netease-huke")],
        schemes: &[include_str!("../../../templates/store.yaml")],
    },
    Template {
        name: "create-or-update",
        about: (
            "列表 → 单据:没有就新建,改了就更新",
            "a list becomes documents: made first, updated whenever they change",
        ),
        connections: &[("huke", "netease-huke"), ("k3", "kingdee-k3cloud")],
        schemes: &[include_str!("../../../templates/create-or-update.yaml")],
    },
    Template {
        name: "order-with-lines",
        about: ("带明细的单据,只新建", "documents with lines, made once"),
        connections: &[("jst", "jushuitan"), ("k3", "kingdee-k3cloud")],
        schemes: &[include_str!("../../../templates/order-with-lines.yaml")],
    },
    Template {
        name: "push",
        about: (
            "别的系统把数据推来,由 engine serve 接收",
            "another system pushes its rows; engine serve receives them",
        ),
        connections: &[("crm", "fxiaoke"), ("k3", "kingdee-k3cloud")],
        schemes: &[include_str!("../../../templates/push.yaml")],
    },
    Template {
        name: "two-way",
        about: (
            "两个系统都能改,两个方案互相同步",
            "both systems are edited, two schemes keep them the same",
        ),
        connections: &[("crm", "fxiaoke"), ("k3", "kingdee-k3cloud")],
        schemes: &[
            include_str!("../../../templates/two-way-there.yaml"),
            include_str!("../../../templates/two-way-back.yaml"),
        ],
    },
    Template {
        name: "database-to-api",
        about: (
            "数据库的表 → 接口",
            "a table of a database becomes calls of an interface",
        ),
        connections: &[("erp", "mysql"), ("k3", "kingdee-k3cloud")],
        schemes: &[include_str!("../../../templates/database-to-api.yaml")],
    },
    Template {
        name: "file",
        about: (
            "文件夹里的 CSV → 接口",
            "CSV files of a folder become calls of an interface",
        ),
        connections: &[("inbox", "files"), ("k3", "kingdee-k3cloud")],
        schemes: &[include_str!("../../../templates/file.yaml")],
    },
];

/// The template of a name.
pub fn find(name: &str) -> Option<&'static Template> {
    ALL.iter().find(|template| template.name == name)
}
