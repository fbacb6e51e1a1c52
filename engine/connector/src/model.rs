//! A connector file, checked and compiled: the types that everything else reads.
//!
//! Nothing here is written after loading. A connector knows no credentials; a [`crate::Connection`] lays them over it.

mod auth;

use std::sync::{Arc, OnceLock};

use dsl::cond::Op;
use dsl::facts::{Action, OpKind, OptionFacts, Owned, Proof, Text2};
use dsl::tree::Tree;
use dsl::{Map, Path, SourceFile, Value};
use jiff::tz::TimeZone;

use crate::calendar::Hours;
use crate::recipe::Recipe;
use crate::sql::Driver;
use crate::units::Rate;

pub(crate) use auth::{Csrf, Login, LoginStep, Mode, STEPS_MAX, Sign};

/// How a system speaks.
#[derive(Debug)]
pub struct Connector {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) id: String,
    pub(crate) name: Text2,
    pub(crate) version: u32,
    pub(crate) zone: String,
    pub(crate) tz: TimeZone,
    pub(crate) verified: Vec<(String, String)>,
    pub(crate) params: Vec<Param>,
    pub(crate) account: Vec<String>,
    pub(crate) hosts: Vec<Tree>,
    /// Names below which the other system may name further hosts, without `*.`.
    pub(crate) domains: Vec<String>,
    pub(crate) transport: Transport,
    pub(crate) choose: Option<String>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) csrf: Option<Csrf>,
    pub(crate) lets: Vec<(String, Recipe)>,
    pub(crate) code: Option<CodePlace>,
    /// Where an answer names itself, for a question to the vendor.
    pub(crate) trace: Option<Path>,
    pub(crate) outcome: Vec<Row>,
    pub(crate) limits: Limits,
    pub(crate) forms: Vec<(String, Map)>,
    pub(crate) operations: Vec<Arc<Operation>>,
    pub(crate) tests: Vec<crate::tests::Test>,
    pub(crate) known_as: KnownAs,
}

/// What other tools call a system, and how their requests to it are written: what an import needs to know of it.
#[derive(Debug, Clone, Default)]
pub struct KnownAs {
    /// Beginnings of the platform's name.
    pub names: Vec<String>,
    /// Parts of the names of adapter classes.
    pub adapters: Vec<String>,
    /// The operation that writes, where none is named.
    pub write: Option<String>,
    /// The member of a request that lists fields.
    pub fields: Option<String>,
    /// The member of a request that holds a condition.
    pub filter: Option<String>,
    /// Members of a request that the engine sees to.
    pub ours: Vec<String>,
    /// The operation by which base data is given to organisations, and the option that names them.
    pub distribute: Option<(String, String)>,
    /// Fields that refer to base data: the member, and the fields.
    pub wrap: Vec<(String, Vec<String>)>,
}

impl Connector {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What people call it.
    pub fn name(&self) -> &Text2 {
        &self.name
    }

    /// How bytes travel.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The version of the file.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The IANA zone of its clock texts.
    pub fn zone(&self) -> &str {
        &self.zone
    }

    /// How sure the file is of its claims: claim, and one of `vector probe doc client guess`.
    pub fn verified(&self) -> &[(String, String)] {
        &self.verified
    }

    /// The parameters it declares.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// What other tools call it.
    pub fn known_as(&self) -> &KnownAs {
        &self.known_as
    }

    /// The file it was loaded from.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// The operations, as name, kind and label.
    pub fn operations(&self) -> impl Iterator<Item = (&str, OpKind, &Text2)> {
        self.operations
            .iter()
            .map(|operation| (operation.name.as_str(), operation.kind, &operation.label))
    }

    /// The operation that `api` names: exactly its name, one of its aliases, or the path of exactly one. What is done as
    /// a task is named by its name: its path is that of the call which does the work at once.
    pub(crate) fn operation(&self, api: &str) -> Option<&Arc<Operation>> {
        let named =
            |operation: &&Arc<Operation>| operation.name == api || operation.aliases.iter().any(|a| a == api);
        self.operations.iter().find(named).or_else(|| {
            let mut at_path = self
                .operations
                .iter()
                .filter(|operation| operation.path_text == api && operation.task.is_none());
            at_path.next().filter(|_| at_path.next().is_none())
        })
    }

    /// An operation by any of its names: its own one, its path as it is written, and its limits.
    pub fn interface(&self, api: &str) -> Option<(&str, &str, &Limits)> {
        let operation = self.operation(api)?;
        Some((&operation.name, &operation.path_text, &operation.limits))
    }

    /// Every operation with its path as it is written and its limits.
    pub fn interfaces(&self) -> impl Iterator<Item = (&str, &str, &Limits)> {
        let each = self.operations.iter();
        each.map(|operation| {
            (
                operation.name.as_str(),
                operation.path_text.as_str(),
                &operation.limits,
            )
        })
    }

    /// Every name by which an operation can be called.
    pub(crate) fn operation_names(&self) -> impl Iterator<Item = &str> {
        self.operations
            .iter()
            .flat_map(|operation| std::iter::once(&operation.name).chain(&operation.aliases))
            .map(String::as_str)
    }

    /// The row of `forms` for a form; `*` is the rest.
    pub(crate) fn form(&self, id: &str) -> Option<&Map> {
        let row = |name: &str| {
            self.forms
                .iter()
                .find(|(form, _)| form == name)
                .map(|(_, row)| row)
        };
        row(id).or_else(|| row("*"))
    }
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// Any text.
    Text,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// An http or https address.
    Url,
    /// A place in an answer.
    Path,
    /// One of a few words.
    Choice,
    /// A list.
    List,
    /// A map.
    Map,
}

/// A parameter of a connector.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub ty: ParamType,
    /// What people call it.
    pub label: Text2,
    /// What holds when a connection says nothing.
    pub default: Option<Value>,
    /// Whether it must not be seen.
    pub secret: bool,
    /// The words of a choice.
    pub of: Vec<String>,
    /// Something to know about it.
    pub note: Option<String>,
    /// What a value looks like.
    pub example: Option<String>,
    pub(crate) when: Option<Recipe>,
}

/// How bytes travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// Whether only HTTP/1.1 may be spoken.
    pub http1_only: bool,
    /// From the first byte sent to the last received.
    pub timeout_ms: Option<i64>,
    /// To a connection.
    pub connect_ms: Option<i64>,
    /// Most decoded bytes of an answer.
    pub read_cap: u64,
    /// Statuses with which an answer may be a success.
    pub ok_status: Vec<u16>,
    /// Whether answers may be compressed.
    pub gzip: bool,
    pub(crate) charset: Option<String>,
    /// Whether answers of an XML type are read.
    pub(crate) xml: bool,
    /// The root element of such an answer is passed over.
    pub(crate) skip_root: bool,
    /// How a database is spoken to; `None` where the system speaks HTTP.
    pub driver: Option<Driver>,
}

/// How often and how many at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Calls in a time; all of them hold.
    pub rates: Vec<Rate>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Shortest time between two runs of a schedule, in milliseconds.
    pub min_interval_ms: Option<i64>,
    /// Why it is not shorter.
    pub reason: Option<Text2>,
    /// What [`Limits::rates`] are counted by.
    pub scope: Scope,
    /// The parameters by which an application is known, for [`Scope::App`].
    pub app: Vec<String>,
    /// Calls a day, in the system's zone.
    pub per_day: Option<u32>,
    /// When calls may be made.
    pub hours: Option<Hours>,
}

/// What a rate is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// One credential.
    #[default]
    Token,
    /// One application, however many credentials it has.
    App,
    /// Each interface of a credential for itself.
    Path,
}

impl Scope {
    pub(crate) const ALL: &'static [(&'static str, Scope)] = &[
        ("token", Scope::Token),
        ("app", Scope::App),
        ("path", Scope::Path),
    ];

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Token => "token",
            Scope::App => "app",
            Scope::Path => "path",
        }
    }
}

/// How a body becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encode {
    Json,
    Form,
    /// `multipart/form-data` of texts.
    Multipart,
    /// XML with a root of one's own.
    Xml,
    /// As JSON, under the type of a text.
    Text,
    /// Writes of one call as an OData batch, each in a change set.
    OdataBatch,
    /// A statement with its values beside it.
    Sql,
    None,
}

/// What an answer means for the call as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Every record of the call was accepted; a page of rows is there.
    Ok,
    /// Judged row by row.
    Rows,
    /// The data was refused.
    Rejected,
    /// Session or token lost.
    Auth,
    /// Too many calls.
    Throttled,
    /// Busy.
    Transient,
    /// The quota is used up.
    QuotaStop,
    /// Credentials or configuration refused.
    ConfigError,
    /// A fault at the vendor's, or an answer that is in no row: nothing is known.
    Fault,
}

impl Class {
    pub(crate) const ALL: [Class; 9] = [
        Class::Ok,
        Class::Rows,
        Class::Rejected,
        Class::Auth,
        Class::Throttled,
        Class::Transient,
        Class::QuotaStop,
        Class::ConfigError,
        Class::Fault,
    ];

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Class::Ok => "ok",
            Class::Rows => "rows",
            Class::Rejected => "rejected",
            Class::Auth => "auth",
            Class::Throttled => "throttled",
            Class::Transient => "transient",
            Class::QuotaStop => "quota_stop",
            Class::ConfigError => "config_error",
            Class::Fault => "fault",
        }
    }
}

/// A row of an outcome table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) test: RowTest,
    pub(crate) class: Class,
    pub(crate) wait_ms: Option<i64>,
    pub(crate) until: Option<UntilPlace>,
    pub(crate) message: Option<Tree>,
    pub(crate) replay_write: bool,
}

/// When calls go on after an answer.
#[derive(Debug)]
pub(crate) enum UntilPlace {
    /// At the next midnight in the system's zone.
    Midnight,
    /// At the instant that a recipe gives, in Unix milliseconds.
    At(Recipe),
}

#[derive(Debug)]
pub(crate) enum RowTest {
    When(Recipe),
    /// A code is present.
    AnyCode,
    /// The code is one of these, compared as text.
    Code(Vec<Tree>),
}

/// Where the business code stands.
#[derive(Debug)]
pub(crate) enum CodePlace {
    Let(String),
    Body(Path),
}

/// Something one can ask of a system.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) kind: OpKind,
    pub(crate) label: Text2,
    pub(crate) method: String,
    pub(crate) path: Tree,
    pub(crate) path_text: String,
    pub(crate) query: Vec<(String, Tree)>,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) body: Option<Tree>,
    pub(crate) encode: Encode,
    /// The parameter that says how the body becomes bytes, where a connection chooses it.
    pub(crate) encode_by: Option<String>,
    /// The root element, where the body is XML.
    pub(crate) root: Tree,
    /// What each record of a batch is sent as.
    pub(crate) part: Option<BatchPart>,
    pub(crate) options: Vec<OptionFacts>,
    pub(crate) request: Option<Arc<Tree>>,
    pub(crate) owned: Vec<Owned>,
    pub(crate) fields: Option<FieldsPrint>,
    pub(crate) filter: Option<FilterPrint>,
    /// Without a condition it would ask for everything there is.
    pub(crate) filter_required: bool,
    pub(crate) window: Option<Window>,
    pub(crate) uses_window: bool,
    pub(crate) page: Option<Page>,
    pub(crate) rows: Option<Rows>,
    pub(crate) writes: Vec<Action>,
    /// What it voided is not there any more.
    pub(crate) ends: bool,
    pub(crate) key: KeyPlace,
    pub(crate) key_under: Option<Path>,
    pub(crate) id_field: Option<Tree>,
    pub(crate) batch_max: u32,
    pub(crate) types: Vec<(String, String)>,
    pub(crate) items: Option<Items>,
    pub(crate) item: Option<OneItem>,
    pub(crate) exists: Option<Recipe>,
    pub(crate) proof: ProofPlace,
    /// The option without whose value nothing is proved.
    pub(crate) proof_needs: Option<String>,
    pub(crate) unknown: Option<Unknown>,
    pub(crate) code: Option<CodePlace>,
    pub(crate) outcome: Vec<Row>,
    /// Rows of the sample that comes with the connector.
    pub(crate) samples: Vec<Value>,
    /// Of this operation alone, below the connector's: rates and concurrency.
    pub(crate) limits: Limits,
    /// How the result of a task is asked for, where the answer is only its id.
    pub(crate) task: Option<Async>,
    /// The objects whose fields it tells.
    pub(crate) describes: Option<Describes>,
    /// How it takes pushes, where the other system calls.
    pub(crate) receive: Option<Receive>,
    /// Where its body takes documents as they are, once somebody asked.
    pub(crate) whole: OnceLock<Option<Whole>>,
}

/// The place of a body that takes documents as they are, where its frame reads nothing of them.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The members that lead there.
    pub(crate) place: Vec<String>,
    /// All documents of the call as a list, or the first alone.
    pub(crate) as_list: bool,
}

impl Operation {
    /// The place at which documents can be put into the body without being read.
    pub(crate) fn whole(&self) -> Option<&Whole> {
        let find = || {
            let body = self.body.as_ref().filter(|_| self.part.is_none())?;
            if self.mentions(RECORD_UUID)
                || self.mentions_outside("$records")
                || self.mentions_outside("$record")
            {
                return None;
            }
            let (as_list, name) = match (body.mentions("$records"), body.mentions("$record")) {
                (true, false) => (true, "$records"),
                (false, true) => (false, "$record"),
                _ => return None,
            };
            let place = body.place_of(name)?;
            Some(Whole {
                place: place.into_iter().map(str::to_owned).collect(),
                as_list,
            })
        };
        self.whole.get_or_init(find).as_ref()
    }

    /// Whether anything but its body uses a name.
    fn mentions_outside(&self, name: &str) -> bool {
        let pairs = self.query.iter().chain(&self.headers).map(|(_, tree)| tree);
        let mut trees = pairs.chain([&self.path, &self.root]);
        trees.any(|tree| tree.mentions(name))
    }

    /// Whether records are written by it.
    pub(crate) fn is_write(&self) -> bool {
        self.kind == OpKind::Write
    }

    /// Whether its frame names what only the attempt knows: the session, the instant, a fresh id.
    pub(crate) fn waits_for_attempt(&self) -> bool {
        ATTEMPT.iter().any(|name| self.mentions(name))
    }

    /// Whether its frame uses a name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let pairs = self.query.iter().chain(&self.headers).map(|(_, tree)| tree);
        let part = self
            .part
            .iter()
            .flat_map(|part| part.headers.iter().map(|(_, tree)| tree).chain([&part.path]));
        let mut trees = pairs.chain([&self.path]).chain(&self.body).chain(part);
        trees.any(|tree| tree.mentions(name))
    }
}

/// The name of the id that is made of the document of a call.
pub(crate) const RECORD_UUID: &str = "$record_uuid";

/// The names of a frame that get their values when a request is signed, anew for every attempt.
pub(crate) const ATTEMPT: [&str; 3] = ["$auth", "$clock", "$uuid"];

/// One write of a batch, as a file says it.
#[derive(Debug)]
pub(crate) struct BatchPart {
    pub(crate) method: String,
    pub(crate) path: Tree,
    pub(crate) path_text: String,
    pub(crate) headers: Vec<(String, Tree)>,
}

/// How `$fields` is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldsPrint {
    /// Text with this between the names; a list when `None`.
    pub(crate) join: Option<String>,
    pub(crate) required: bool,
}

/// How `$filter` is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilterPrint {
    /// As text in a language like SQL.
    SqlText,
    /// As a list of conditions that hold together.
    Conditions(Conditions),
    /// As a map by field, of values that are wanted.
    Members,
    /// As the text of an OData `$filter`; these fields do not hold texts.
    Odata(Vec<(String, Literal)>),
    /// As conditions of a statement, whose values are bound.
    Bound,
}

/// The words of a list of conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    pub(crate) field: String,
    pub(crate) op: String,
    pub(crate) value: String,
    /// Values always stand in a list.
    pub(crate) many: bool,
    pub(crate) ops: Vec<(Op, String)>,
    /// The only fields that can be asked by; empty says nothing.
    pub(crate) fields: Vec<String>,
}

impl FilterPrint {
    /// Whether it can say that one of several things holds.
    pub(crate) fn has_any(&self) -> bool {
        matches!(
            self,
            FilterPrint::SqlText | FilterPrint::Odata(_) | FilterPrint::Bound
        )
    }

    /// Whether it can ask for one of several values of a field.
    pub(crate) fn has_in(&self) -> bool {
        match self {
            FilterPrint::SqlText | FilterPrint::Odata(_) | FilterPrint::Bound => true,
            FilterPrint::Members => false,
            FilterPrint::Conditions(words) => words.ops.iter().any(|(op, _)| *op == Op::In),
        }
    }
}

/// How a value is written in an OData `$filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Literal {
    /// `'text'`
    Text,
    /// `1.50`
    Number,
    /// `2023-11-14T22:13:20Z`, as version 4 has it.
    Instant,
    /// `datetime'2023-11-14T22:13:20'`, as version 2 has it.
    DateTime,
    /// `datetimeoffset'2023-11-14T22:13:20Z'`, as version 2 has it.
    DateTimeOffset,
    /// `guid'…'`, as version 2 has it.
    Guid,
}

#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) max_ms: Option<i64>,
    /// How far back it answers.
    pub(crate) keeps_ms: Option<i64>,
    pub(crate) filter: Option<dsl::cond::Cond>,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) by: PageBy,
    pub(crate) first: i64,
    pub(crate) size: Tree,
    pub(crate) max: Option<Tree>,
    pub(crate) more: More,
    /// Text of a path.
    pub(crate) total: Option<Tree>,
    /// The total stands on the first page only.
    pub(crate) total_first: bool,
    /// A change moves a row while it stays in its window.
    pub(crate) moves: bool,
    /// Most rows one query gives.
    pub(crate) ceiling: Option<u32>,
    /// The field by whose values paging goes on at the ceiling.
    pub(crate) then: Option<Path>,
    /// An offset must be a multiple of the page's size.
    pub(crate) multiple: bool,
}

impl Page {
    /// Whether a page that begins behind so many rows is asked for by key.
    pub(crate) fn is_by_key(&self, offset: i64) -> bool {
        let ceiling = self.ceiling.filter(|_| self.then.is_some());
        ceiling.is_some_and(|ceiling| offset >= i64::from(ceiling))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageBy {
    Number,
    Offset,
    /// The field of a row whose last value the next page is asked with.
    Key(Path),
    /// Where an answer says what the next page is asked with.
    Cursor(Path),
    /// Where an answer may say the address of the next page; the first place that holds one counts.
    Link(Vec<Path>),
    /// What is asked for is what changed since a version.
    Version(Versions),
}

/// How a source is asked for what changed since a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The place of the request that gets the version.
    pub(crate) set: Path,
    /// The field of a row that holds its version.
    pub(crate) field: Path,
    /// The last version is asked for once more.
    pub(crate) again: bool,
    /// How long after its version was drawn a row may still appear, in milliseconds.
    pub(crate) settle_ms: i64,
}

impl PageBy {
    /// Where stands what the next page is asked with; `None` where that is counted.
    pub(crate) fn goes_on_with(&self) -> Option<&Path> {
        match self {
            PageBy::Number | PageBy::Offset | PageBy::Version(_) => None,
            PageBy::Key(path) | PageBy::Cursor(path) => Some(path),
            PageBy::Link(paths) => paths.first(),
        }
    }

    pub(crate) fn kind(&self) -> dsl::facts::PageKind {
        use dsl::facts::PageKind;
        match self {
            PageBy::Number => PageKind::Number,
            PageBy::Offset => PageKind::Offset,
            PageBy::Key(_) => PageKind::Key,
            PageBy::Cursor(_) | PageBy::Link(_) => PageKind::Cursor,
            PageBy::Version(_) => PageKind::Version,
        }
    }
}

#[derive(Debug)]
pub(crate) enum More {
    /// A page with fewer rows than asked for is the last.
    Short,
    /// The answer says it.
    Says(Recipe),
    /// The total says it.
    Total,
    /// There is something to go on with.
    Cursor,
}

#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) at: Tree,
    /// Rows are lists; their names are those of `fields`.
    pub(crate) by_fields: bool,
    /// The place holds one row, not a list.
    pub(crate) one: bool,
    /// Texts like `/Date(0)/` are times.
    pub(crate) dates: bool,
    /// Places of a row that are lists, however many elements an answer has there.
    pub(crate) lists: Vec<ListPlace>,
    /// Which answer says that there is no row.
    pub(crate) none_when: Option<Recipe>,
}

/// A place of a row that is a list.
#[derive(Debug)]
pub(crate) struct ListPlace {
    pub(crate) at: Path,
    /// Not the place itself, but every member of the map that stands there.
    pub(crate) members: bool,
}

#[derive(Debug)]
pub(crate) enum KeyPlace {
    Fixed(Vec<Path>),
    /// Computed from the call's options, as text or a list of texts.
    Computed(Box<Tree>),
}

#[derive(Debug)]
pub(crate) enum ProofPlace {
    Fixed(Proof),
    Computed(Box<Tree>),
}

/// A verdict per row.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) lists: ItemLists,
    pub(crate) index: ItemIndex,
    pub(crate) id: Option<Path>,
    pub(crate) number: Option<Path>,
    pub(crate) message: Option<Tree>,
    pub(crate) field: Option<Path>,
    /// The ids of the lines of an item.
    pub(crate) lines: Option<Recipe>,
    pub(crate) line_id: Option<Path>,
}

#[derive(Debug)]
pub(crate) enum ItemLists {
    /// One list of accepted rows, one of refused rows.
    Two {
        good: Option<Recipe>,
        bad: Option<Recipe>,
    },
    /// One list of all rows and a condition; without the second one, what is not accepted is refused.
    One {
        all: Recipe,
        good_when: Recipe,
        bad_when: Option<Recipe>,
    },
}

#[derive(Debug)]
pub(crate) enum ItemIndex {
    /// The item says which row it is about.
    At(Path),
    /// The items stand in the order of the rows, one for each.
    Position,
    /// The item and the document it is about have the same text here.
    Key {
        /// In the item.
        item: Path,
        /// In the document.
        record: Path,
    },
}

/// Where the answer to a call for one record names it.
#[derive(Debug)]
pub(crate) struct OneItem {
    pub(crate) id: Option<Path>,
    pub(crate) number: Option<Path>,
    /// Where the ids of its lines stand.
    pub(crate) lines: Option<Path>,
    pub(crate) line_id: Option<Path>,
}

/// How a lost answer is asked for.
#[derive(Debug)]
pub(crate) struct Unknown {
    /// Whether the target of a connection can be asked at all.
    pub(crate) when: Option<Recipe>,
    pub(crate) wait_ms: i64,
    pub(crate) ask: Option<String>,
    pub(crate) options: Vec<(String, Tree)>,
    /// The option of that operation that takes the key or the id, where it gives one document.
    pub(crate) option: Option<String>,
    pub(crate) fields: Vec<(String, Tree)>,
    pub(crate) by: AskBy,
    pub(crate) done_when: Option<Recipe>,
    /// Name in the row, and values which the rows of a document must show together: it may have several.
    pub(crate) all_of: Vec<(String, Tree)>,
    pub(crate) none: WhenNone,
    /// How long the target knows the key of a call, where that is the proof.
    pub(crate) remembers_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskBy {
    Key,
    Id,
    /// By the note that was written with the document.
    Note,
}

/// What it means that the target knows nothing of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhenNone {
    /// Send it again.
    Resend,
    /// A person decides.
    Hold,
    /// That was the aim.
    Done,
}

/// How pushes are taken.
#[derive(Debug)]
pub(crate) struct Receive {
    pub(crate) accept: Vec<Accept>,
    pub(crate) verify: Verify,
    pub(crate) id: Option<Recipe>,
    pub(crate) void: Option<Recipe>,
    pub(crate) rows: Option<Recipe>,
    pub(crate) ok: Option<Recipe>,
    pub(crate) stored: Reply,
    pub(crate) refused: Reply,
}

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    Json,
    Form,
    /// Kept as text.
    Xml,
    Text,
}

impl Accept {
    pub(crate) const ALL: &'static [(&'static str, Accept)] = &[
        ("json", Accept::Json),
        ("form", Accept::Form),
        ("xml", Accept::Xml),
        ("text", Accept::Text),
    ];
}

/// How a sender is known.
#[derive(Debug)]
pub(crate) struct Verify {
    pub(crate) given: Recipe,
    pub(crate) equals: Recipe,
    /// When the push was made, and how far from now that may be, in milliseconds.
    pub(crate) at: Option<(Recipe, i64)>,
}

/// What a sender is answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Tree)>,
    pub(crate) body: Option<Tree>,
}

/// What an operation tells of the objects of others.
#[derive(Debug)]
pub(crate) struct Describes {
    /// The option that names the object.
    pub(crate) option: String,
    pub(crate) head: Recipe,
    pub(crate) also: Option<Recipe>,
    /// Where the name of a field stands in it; without it the field is its name.
    pub(crate) name: Option<Path>,
    pub(crate) lists: Option<DescribedLists>,
}

/// The lists of lines of an object.
#[derive(Debug)]
pub(crate) struct DescribedLists {
    pub(crate) all: Recipe,
    pub(crate) name: Path,
    pub(crate) fields: Path,
}

/// Work that is done later.
#[derive(Debug)]
pub(crate) struct Async {
    pub(crate) task: Path,
    pub(crate) poll: String,
    pub(crate) option: String,
    pub(crate) every_ms: i64,
    pub(crate) until: Recipe,
    pub(crate) take: Path,
    pub(crate) timeout_ms: i64,
}
