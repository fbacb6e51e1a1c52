//! What a scheme is checked against: connections, the operations of a connector, other schemes.
//!
//! Only facts, no behaviour: whoever knows the files (the engine, a test) hands them in through [`Environment`].
//! Nothing here reads a file or the environment.

use std::fmt;
use std::sync::Arc;

use crate::builtin::Registry;
use crate::diagnostic::{Diagnostic, Failure, Lang, SourceFile};
use crate::path::Path;
use crate::tree::Tree;
use crate::value::{Map, Value};
use crate::yaml::Node;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text2 {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text2 {
    /// The same text in both languages.
    pub fn same(text: impl Into<String>) -> Text2 {
        let text = text.into();
        Text2 {
            zh: text.clone(),
            en: text,
        }
    }

    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// What a record asks of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// A document the target does not have yet.
    Create,
    /// A document the target has.
    Update,
    /// A document to be cancelled.
    Void,
    /// A further call for a document that was written before.
    Step,
}

impl Action {
    /// The word in files and in machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Void => "void",
            Action::Step => "step",
        }
    }

    /// The action with this word.
    pub fn parse(word: &str) -> Option<Action> {
        [Action::Create, Action::Update, Action::Void, Action::Step]
            .into_iter()
            .find(|action| action.name() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What resolves a lost answer of a target, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Writing again is harmless.
    Upsert,
    /// The target refuses a second call with the same key.
    IdempotencyKey,
    /// The target refuses a second document with the same key, and can be asked by key.
    UniqueKey,
    /// The target can be asked by key.
    Query,
    /// Nothing.
    None,
}

impl Proof {
    /// The word in connector files.
    pub fn name(self) -> &'static str {
        match self {
            Proof::Upsert => "upsert",
            Proof::IdempotencyKey => "idempotency_key",
            Proof::UniqueKey => "unique_key",
            Proof::Query => "query",
            Proof::None => "none",
        }
    }

    /// The proof with this word.
    pub fn parse(word: &str) -> Option<Proof> {
        [
            Proof::Upsert,
            Proof::IdempotencyKey,
            Proof::UniqueKey,
            Proof::Query,
            Proof::None,
        ]
        .into_iter()
        .find(|proof| proof.name() == word)
    }

    /// Whether the target can be asked for a document by its key.
    pub fn can_ask(self) -> bool {
        matches!(self, Proof::UniqueKey | Proof::Query)
    }
}

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// Gives rows.
    Read,
    /// Takes documents.
    Write,
    /// Is called by the other system.
    Receive,
    /// Neither; a plain call.
    Call,
}

impl OpKind {
    /// The word in connector files.
    pub fn name(self) -> &'static str {
        match self {
            OpKind::Read => "read",
            OpKind::Write => "write",
            OpKind::Receive => "receive",
            OpKind::Call => "call",
        }
    }
}

/// An option that an operation declares.
#[derive(Debug, Clone, Default)]
pub struct OptionFacts {
    /// Its name.
    pub name: String,
    /// `text int bool list choice decimal map` and so on; `text` when nothing is said.
    pub ty: String,
    /// The values of a `choice`.
    pub of: Vec<String>,
    /// What is sent when a scheme says nothing.
    pub default: Option<Value>,
    /// Whether a scheme must say something.
    pub required: bool,
    /// Other options, and the values with which they need this one.
    pub required_with: Vec<(String, Value)>,
    /// The only value it can have.
    pub constant: Option<Value>,
    /// Whether it is part of `$options`.
    pub send: bool,
    /// The situation in which there is no safe default.
    pub needed_when: Option<String>,
    /// Operations whose steps the target makes in the same call when this is true.
    pub makes: Vec<String>,
    /// Whether it names the object that rows or documents are of; a declared one is checked.
    pub object: bool,
    /// What people call it.
    pub label: Text2,
}

impl OptionFacts {
    /// The other option, and its value among `given`, with which this one must have a value.
    pub fn needed_with<'o>(&'o self, given: &Map, all: &[OptionFacts]) -> Option<(&'o str, String)> {
        self.required_with.iter().find_map(|(name, wanted)| {
            let other = all.iter().find(|option| option.name == *name)?;
            let value = other.constant.as_ref().or_else(|| given.get(name));
            let value = value.or(other.default.as_ref())?.to_plain_text()?;
            (wanted.to_plain_text()? == value).then_some((name.as_str(), value))
        })
    }
}

/// A place of a request that the engine fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Where, in the operation's request.
    pub path: Path,
    /// With what.
    pub what: OwnedKind,
}

/// What fills an owned place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnedKind {
    /// Begin of the window.
    WindowStart,
    /// End of the window.
    WindowEnd,
    /// The source's time field.
    WindowField,
    /// Number of the page.
    PageNumber,
    /// Rows a page.
    PageSize,
    /// First row of the page.
    PageOffset,
    /// What the page before gave to go on with.
    PageCursor,
}

/// How an operation pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFacts {
    /// Rows a page when nobody says more.
    pub size: u32,
    /// Most rows a page.
    pub max: u32,
    /// Number of the first page.
    pub first: i64,
    /// How the next page is asked for.
    pub by: PageKind,
    /// Whether a change moves a row while it stays in its window.
    pub moves: bool,
    /// Most rows one query gives, page after page.
    pub ceiling: Option<u64>,
    /// Whether paging goes on behind the ceiling, by the last row's key.
    pub then_by_key: bool,
}

/// How the next page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageKind {
    /// By its number.
    Number,
    /// By the rows before it.
    Offset,
    /// By the last key of the page before.
    Key,
    /// By what the page before gave to go on with.
    Cursor,
    /// By the greatest version among the rows so far; it outlives the run.
    Version,
}

impl PageKind {
    /// Whether rows that leave or move can shift the pages behind them.
    pub fn shifts(self) -> bool {
        matches!(self, PageKind::Number | PageKind::Offset)
    }
}

/// How a scheme's `filter` reaches the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterKind {
    /// As text in a language like SQL.
    SqlText,
    /// As a list of conditions; these comparisons are known.
    Conditions(Vec<String>),
    /// As conditions of a statement, whose values are bound: all of them are known.
    Bound,
}

/// Something computed from the evaluated options of a call.
pub type ByOptions<T> = Box<dyn Fn(&Map) -> T + Send + Sync>;

/// A call of an operation that is only thought of.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Its options, as far as they are known.
    pub options: &'a Map,
    /// The whole request, evaluated.
    pub request: Value,
    /// Begin and end of the window, in milliseconds.
    pub window: (i64, i64),
    /// The time field of the source.
    pub window_field: Option<&'a str>,
    /// The instant of the run.
    pub now_ms: i64,
}

/// The bytes that would go out for such a call; `None` where only a run can tell.
pub type Sent = Box<dyn Fn(&Asked<'_>) -> Option<Vec<u8>> + Send + Sync>;

/// Rows that an operation gave once: what `sample` of a scheme's tests counts, from 0.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Whether somebody took it; else it came with the connector.
    pub own: bool,
    /// The options it was asked with. It says nothing about rows that other options give.
    pub options: Map,
    /// Whether only some fields were asked for: then it does not say which there are.
    pub chosen: bool,
    /// The rows.
    pub rows: Vec<Value>,
}

impl Sample {
    /// Whether a scheme with these options, as they are written, asks for rows like these.
    pub fn fits(&self, options: &[OptionFacts], written: &Map) -> bool {
        let text = |value: Option<&Value>| value.and_then(Value::to_plain_text);
        options.iter().all(|option| {
            let fixed = option.constant.as_ref().or(option.default.as_ref());
            let ours = text(self.options.get(&option.name).or(fixed));
            let theirs = text(written.get(&option.name).or(fixed));
            ours == theirs
        })
    }
}

/// One operation of a connector, with the connection's parameters already in it.
pub struct OperationFacts {
    /// Its name in the connector.
    pub name: String,
    /// What it is for.
    pub kind: OpKind,
    /// What people call it.
    pub label: Text2,
    /// The options it declares.
    pub options: Vec<OptionFacts>,
    /// What stands under a scheme's `request`.
    pub request: Option<Arc<Tree>>,
    /// The places in it that the engine fills.
    pub request_owned: Vec<Owned>,
    /// Whether the operation itself prints the window somewhere.
    pub uses_window: bool,
    /// Whether its frame takes the scheme's `request`.
    pub takes_request: bool,
    /// Whether it asks by a time field that the scheme must name (`window.field`).
    pub window_by_field: bool,
    /// Longest slice, in milliseconds.
    pub window_max_ms: Option<i64>,
    /// How far back it answers, in milliseconds.
    pub keeps_ms: Option<i64>,
    /// How it pages; `None` when it does not.
    pub page: Option<PageFacts>,
    /// Whether its answer is one row and not a list.
    pub one_row: bool,
    /// Whether a scheme must say `fields`.
    pub fields_required: bool,
    /// Whether a scheme may say `fields`.
    pub accepts_fields: bool,
    /// How `filter` reaches the source; `None` when it cannot.
    pub filter: Option<FilterKind>,
    /// Whether a scheme must say `filter`.
    pub filter_required: bool,
    /// The only fields a scheme may filter by; empty says nothing.
    pub filter_fields: Vec<String>,
    /// Fields of a row as samples show them (`a`, `a.b`, `list.*.x`); `None` when nobody knows.
    pub columns: Option<Vec<String>>,
    /// Fields whose samples are texts that no number begins, each with such a text.
    pub words: Vec<(String, String)>,
    /// What it gave once, one's own before the connector's; `None` when nobody looked, as in a run.
    pub samples: Option<Vec<Sample>>,
    /// What it can do to a document.
    pub writes: Vec<Action>,
    /// Default of the target's `key`.
    pub keys: ByOptions<Vec<Path>>,
    /// The part of the document below which key names stand.
    pub key_under: Option<Path>,
    /// Most records a call.
    pub batch_max: u32,
    /// What resolves a lost answer.
    pub proof: ByOptions<Proof>,
    /// The option without whose value nothing is proved, whatever `proof` says.
    pub proof_needs: Option<String>,
    /// Typed places of a document, by last name at any depth.
    pub types: Vec<(String, String)>,
    /// Whether its answer gives ids of the lines that were sent.
    pub line_ids: bool,
    /// Whether its connections choose if it can be asked about a lost answer; where it cannot, a person decides.
    pub asked_by_choice: bool,
    /// A document is one line: its members are the columns that the option of this name lists, each a single value.
    pub flat: Option<String>,
    /// What it sends for a request. Facts that were made up for a test do not know it.
    pub sent: Sent,
    /// What is wrong with the values of options, each with the option's name: what a type cannot say.
    pub faults: ByOptions<Vec<(String, Failure)>>,
}

impl fmt::Debug for OperationFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperationFacts")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl OperationFacts {
    /// An operation that declares nothing yet: one record a call, no proof, no paging.
    pub fn new(name: impl Into<String>, kind: OpKind) -> OperationFacts {
        let name = name.into();
        OperationFacts {
            label: Text2::same(name.clone()),
            name,
            kind,
            options: Vec::new(),
            request: None,
            request_owned: Vec::new(),
            takes_request: true,
            uses_window: false,
            window_by_field: false,
            window_max_ms: None,
            keeps_ms: None,
            page: None,
            one_row: false,
            fields_required: false,
            accepts_fields: false,
            filter: None,
            filter_required: false,
            filter_fields: Vec::new(),
            columns: None,
            words: Vec::new(),
            samples: None,
            writes: Vec::new(),
            keys: Box::new(|_| Vec::new()),
            key_under: None,
            batch_max: 1,
            proof: Box::new(|_| Proof::None),
            proof_needs: None,
            types: Vec::new(),
            line_ids: false,
            asked_by_choice: false,
            flat: None,
            sent: Box::new(|_| None),
            faults: Box::new(|_| Vec::new()),
        }
    }

    /// The option with this name.
    pub fn option(&self, name: &str) -> Option<&OptionFacts> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// An operation that a scheme writes itself: laid over one of the connector, or a whole one.
#[derive(Debug, Clone)]
pub struct OwnOperation {
    /// The operation below, by any of its names; `None` for a whole one.
    pub base: Option<String>,
    /// What the scheme says.
    pub node: Node,
    /// The scheme's file.
    pub file: Arc<SourceFile>,
}

/// A name that leads nowhere, and the names that would have led somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotFound {
    /// Names near the one that was asked for.
    pub similar: Vec<String>,
    /// All names.
    pub all: Vec<String>,
}

/// Another scheme, as far as a look-up needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeFacts {
    /// Its id.
    pub id: String,
    /// The fields of its stored rows; `None` when nobody knows.
    pub columns: Option<Vec<String>>,
    /// What it keeps beside its records once they are written.
    pub saved: Vec<String>,
    /// The fields of the rows that it gives another one, where they are known.
    pub given: Option<Vec<String>>,
    /// The scheme that it runs after, as it names it.
    pub after: Option<String>,
    /// The places of its stored rows that people do not see; `None` when nobody knows.
    pub hidden: Option<Vec<Path>>,
}

/// How a scheme hangs together with others, as its file says it; nothing of it is compiled for that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchemeLinks {
    /// Its id.
    pub id: String,
    /// The scheme whose rows are its source, as it names it.
    pub takes_from: Option<String>,
    /// The scheme that it gives rows, as it names it.
    pub gives_to: Option<String>,
    /// The connection that it reads, or writes where it reads none.
    pub connection: Option<String>,
}

/// How often a connection may be called, by its connector or its own entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// Calls, and the milliseconds in which they may be made; all of them hold.
    pub rates: Vec<(u32, i64)>,
    /// Calls at once.
    pub concurrency: Option<u32>,
    /// Calls a day.
    pub per_day: Option<u32>,
}

/// What a connection can do, from its connector's file and its own entry.
pub trait ConnectorFacts: Send + Sync {
    /// The connector's id.
    fn id(&self) -> &str;
    /// The IANA zone of its clock texts.
    fn zone(&self) -> &str;
    /// The shortest time between two runs of a schedule, in milliseconds.
    fn min_interval_ms(&self) -> i64;
    /// Why the interval is not shorter; `None` when nobody said.
    fn min_interval_reason(&self) -> Option<&Text2> {
        None
    }
    /// What the connection allows. Facts that were made up for a test know no limits.
    fn ceilings(&self) -> Ceilings {
        Ceilings::default()
    }
    /// Where a key of `limits` stands that holds for the connection, for people.
    fn limit_place(&self, _key: &str) -> String {
        self.id().to_owned()
    }
    /// The operation that `api` names: exactly its name, one of its aliases, or its path.
    fn operation(&self, api: &str) -> Result<Arc<OperationFacts>, NotFound>;
    /// The operation that a scheme writes itself, checked as one of a connector file is; every problem of it else. Facts
    /// that were made up for a test know none.
    fn own_operation(
        &self,
        _own: &OwnOperation,
        _registry: &Registry,
    ) -> Result<Arc<OperationFacts>, Vec<Diagnostic>> {
        Err(Vec::new())
    }
}

/// A table that stands in a file beside the scheme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFile {
    /// The names of its columns, from its first line.
    pub columns: Vec<String>,
    /// Its lines, each with its number in the file and as many cells as there are columns.
    pub lines: Vec<(u64, Vec<String>)>,
}

/// Why such a file cannot be used, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// Everything a scheme file may refer to.
pub trait Environment {
    /// The table in a file; `path` is as the scheme writes it, relative to the folder of the scheme's own file. Facts that
    /// were made up for a test have no files.
    fn table_file(&self, _scheme_file: &str, _path: &str) -> Result<TableFile, TableFault> {
        Err(TableFault {
            zh: "没有这个文件".to_owned(),
            en: "there is no such file".to_owned(),
        })
    }

    /// The channels of field mappings; none = any name may be one.
    fn field_channels(&self) -> &'static [&'static str] {
        &[]
    }

    /// The kinds of field mappings besides the options of a field; none = any name may be one.
    fn field_types(&self) -> &'static [&'static str] {
        &[]
    }

    /// The connection with this name.
    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound>;
    /// The scheme with this id, uuid or alias.
    fn scheme(&self, id_uuid_or_alias: &str) -> Result<SchemeFacts, NotFound>;
    /// How the scheme with this id, uuid or alias hangs together with others. Facts that were made up for a test know of
    /// no links.
    fn links(&self, id_uuid_or_alias: &str) -> Result<SchemeLinks, NotFound> {
        let facts = self.scheme(id_uuid_or_alias)?;
        Ok(SchemeLinks {
            id: facts.id,
            ..SchemeLinks::default()
        })
    }
    /// A row of the object with this name whose members are all there are, where that is known.
    fn object_row(&self, _name: &str) -> Option<Value> {
        None
    }
}
