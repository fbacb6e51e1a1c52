//! The simulated systems, one row each.
//!
//! Everything that holds for every system reads this table: the server finds whom a request is for, a plan names a
//! system or one of its endpoints, a fault is told in the system's own form, connections and `export` lines are
//! printed, documents are rebuilt from the journal. A further system is a module with a [`Row`] and a line here; what
//! it remembers stands beside the others in [`World`].

use hyper::Method;
use serde_json::{Value, json};

use crate::journal::Write;
use crate::office::{dingtalk, feishu, landray, mabang, okki, rest, u8, wecom};
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::Twist;
use crate::wangdian::{enterprise, qimen, ultimate};
use crate::{ecology, erp, fxiaoke, huke, jst, kingdee, plain, sap, yonbip};

/// All of them.
pub(crate) const SYSTEMS: &[Row] = &[
    huke::ROW,
    kingdee::ROW,
    plain::ROW,
    jst::ROW,
    enterprise::ROW,
    ultimate::ROW,
    fxiaoke::ROW,
    okki::ROW,
    mabang::ROW,
    feishu::ROW,
    dingtalk::ROW,
    wecom::ROW,
    u8::ROW,
    landray::ROW,
    rest::ROW,
    yonbip::ROW,
    ecology::ROW,
    sap::ROW,
    qimen::ROW,
    erp::ROW,
];

/// A system: what is known of it without asking, and what it does.
#[derive(Debug)]
pub(crate) struct Row {
    /// As plans and counts name it.
    pub(crate) name: &'static str,
    /// The connector that speaks to it.
    pub(crate) connector: &'static str,
    /// Its name in the connections that are printed.
    pub(crate) connection: &'static str,
    /// What its connector is told, in the order it is printed.
    pub(crate) params: &'static [Param],
    /// Endpoints a plan can name; no two systems have one of the same name.
    pub(crate) endpoints: &'static [Endpoint],
    pub(crate) code: &'static dyn System,
}

/// What a system does. A request that is answered by [`System::handle`] was found by [`System::endpoint`].
pub(crate) trait System: Sync + std::fmt::Debug {
    /// The endpoint a request names, as plans name it; `None` when the request is for somebody else.
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str>;

    /// Executes one call.
    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply;

    /// "Busy", or with `limit` "too many calls", inside HTTP 200.
    fn busy(&self, endpoint: &str, limit: bool) -> Reply;

    /// What stands in front of the system gave up.
    fn gateway(&self) -> Reply {
        Reply::html(
            502,
            "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
        )
    }

    /// The session or token that a request names is gone; a system that has none says that the request is stale.
    fn lose(&self, world: &mut World, request: &Request, endpoint: &str) -> Reply;

    /// Whether a method is answered at all.
    fn takes(&self, method: &Method) -> bool {
        method == Method::POST
    }

    /// Its name and what the journal calls its documents, where they are kept as those of all offices are.
    fn office(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Does again what a line of the journal says; lines of other systems are passed over.
    fn apply(&self, world: &mut World, write: &Write) {
        if let Some((system, form)) = self.office() {
            world.apply_docs(system, form, write);
        }
    }

    /// Takes over what it had kept with [`World::keep`].
    fn recall(&self, _world: &mut World, _kept: &str) {}

    /// How many documents it has, by kind.
    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        let office = self.office().into_iter();
        office
            .map(|(system, form)| (form, world.count_docs(system)))
            .collect()
    }

    /// What else `_sandbox/state` shows of it; of an office its tokens.
    fn figures(&self, world: &World) -> Value {
        self.office().map_or(
            Value::Null,
            |(system, _)| json!({"tokens": world.count_tokens(system)}),
        )
    }
}

/// A parameter of a connection.
#[derive(Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// The address, with this path.
    Server(&'static str),
    /// A choice of the connector, no credential.
    Fixed(&'static str),
    /// A credential that may be read.
    Open(&'static str),
    /// A credential, and the variable that carries it.
    Secret(&'static str, &'static str),
    /// A credential that a connector may ask for, and that is not printed.
    Given(&'static str),
    /// A credential that the simulator knows and no connection needs.
    Spare(&'static str),
}

impl Param {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Param {
        Param { name, kind }
    }
}

/// What calls of an endpoint do, as far as faults are about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Logs in, or reads one document.
    Else,
    /// Reads page by page; perhaps tells a total; perhaps rows that move while they are read.
    Pages { total: bool, moves: bool },
    /// Writes; perhaps answers for each row of a batch.
    Writes { rows: bool },
}

impl Does {
    /// Reads page by page; nobody says how many there are.
    pub(crate) const PAGES: Does = Does::Pages {
        total: false,
        moves: false,
    };
    /// Reads page by page and tells a total.
    pub(crate) const COUNTED: Does = Does::Pages {
        total: true,
        moves: false,
    };
    /// Reads page by page and tells a total, of rows that may move meanwhile.
    pub(crate) const MOVING: Does = Does::Pages {
        total: true,
        moves: true,
    };
}

#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) does: Does,
}

impl Endpoint {
    pub(crate) const fn new(name: &'static str, does: Does) -> Endpoint {
        Endpoint { name, does }
    }
}

impl Row {
    /// The system with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Row> {
        SYSTEMS.iter().find(|row| row.name == name)
    }

    /// Whom a request is for, and the endpoint it names.
    pub(crate) fn of(request: &Request) -> Option<(&'static Row, &str)> {
        SYSTEMS
            .iter()
            .find_map(|row| Some((row, row.code.endpoint(request)?)))
    }
}

/// Whether a plan for `name` (a system or an endpoint, in any case) can meet a call that does so.
pub(crate) fn can(name: &str, does: impl Fn(Does) -> bool) -> bool {
    SYSTEMS.iter().any(|row| {
        let is_system = row.name.eq_ignore_ascii_case(name);
        let mut endpoints = row.endpoints.iter();
        endpoints.any(|one| (is_system || one.name.eq_ignore_ascii_case(name)) && does(one.does))
    })
}

/// Endpoints a plan can name: `*`, a system, or one of its endpoints.
pub const ENDPOINTS: &[&str] = &names();

const fn count() -> usize {
    let (mut count, mut at) = (1, 0);
    while at < SYSTEMS.len() {
        count += 1 + SYSTEMS[at].endpoints.len();
        at += 1;
    }
    count
}

const fn names() -> [&'static str; count()] {
    let mut names = ["*"; count()];
    let (mut next, mut at) = (1, 0);
    while at < SYSTEMS.len() {
        names[next] = SYSTEMS[at].name;
        next += 1;
        let mut endpoint = 0;
        while endpoint < SYSTEMS[at].endpoints.len() {
            names[next] = SYSTEMS[at].endpoints[endpoint].name;
            next += 1;
            endpoint += 1;
        }
        at += 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_name_means_two_things() {
        let names: BTreeSet<String> = ENDPOINTS.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert_eq!(names.len(), ENDPOINTS.len());
        for one in [|row: &Row| row.connector, |row: &Row| row.connection] {
            let names: BTreeSet<&str> = SYSTEMS.iter().map(one).collect();
            assert_eq!(names.len(), SYSTEMS.len());
        }
        let variables = SYSTEMS.iter().flat_map(|row| row.params).filter_map(|param| {
            let Kind::Secret(_, variable) = param.kind else {
                return None;
            };
            Some(variable)
        });
        let all: Vec<&str> = variables.collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn the_first_three_are_found_as_ever() {
        let old = [
            "*",
            "huke",
            "searchTrades",
            "searchCustomers",
            "kingdee",
            "LoginBySign",
            "LoginByAppSecret",
            "ValidateUser",
            "Logout",
            "Save",
            "BatchSave",
            "Draft",
            "Submit",
            "Audit",
            "UnAudit",
            "Delete",
            "View",
            "Push",
            "Allocate",
            "QueryBusinessInfo",
            "QueryAsyncResult",
            "ExecuteBillQuery",
            "BillQuery",
            "plain",
            "token",
            "postDocuments",
            "putDocument",
            "getDocuments",
        ];
        assert_eq!(ENDPOINTS[..old.len()], old);
    }
}
