//! What the keys of connector and connections files hold, for programs: the words of the table ([`crate::keys`]) say
//! it to people.
//!
//! From here come the JSON Schema and the links of the reference page. A test holds it against the reader: both refuse
//! the same misspelt keys and words.

use dsl::cond::Op;

use crate::keys::{KeyRow, Place};
use crate::model::{Accept, Class, Scope};
use crate::receive::Refusal;
use crate::sql::Driver;

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// A single value, read as text.
    Text,
    /// A text, or one for each language.
    Words2,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// One of a few words.
    Word(Vec<&'static str>),
    /// One of a few words, or a template that gives one.
    WordOrValue(Vec<&'static str>),
    /// A list of such words.
    Words(Vec<&'static str>),
    /// A map with names of one's own, of such words.
    WordMap(Vec<&'static str>),
    /// A map of texts whose names are such words.
    Named(Vec<&'static str>),
    /// A value of the scheme language.
    Value,
    /// A list of values, of so many when a number is there.
    Values(Option<usize>),
    /// A map with names of one's own, of values.
    ValueMap,
    /// A map with names of one's own, of texts: recipes, paths.
    TextMap,
    /// A single text.
    Texts,
    /// A text, or a list of them.
    TextOrTexts,
    /// A whole number, or a list of data.
    IntOrList,
    /// A condition.
    Cond,
    /// The map of another place.
    Block(Place),
    /// Either of two places.
    Either(Place, Place),
    /// A text, or the map of another place.
    TextOrBlock(Place),
    /// A map with names of one's own, of such maps.
    Blocks(Place),
    /// A list of such maps.
    Rows(Place),
    /// Anything: data of a test, a default.
    Data,
    /// A list of anything.
    DataList,
    /// A map of anything.
    DataMap,
}

/// The words of `method`.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
/// The words of `encode`.
const ENCODINGS: [&str; 8] = ["json", "text", "form", "multipart", "xml", "sql", "files", "none"];
/// The words of `filter.types`.
const LITERALS: [&str; 6] = ["text", "number", "instant", "datetime", "datetimeoffset", "guid"];
/// The words of `proof`.
const PROOFS: [&str; 5] = ["upsert", "idempotency_key", "unique_key", "query", "none"];

/// Keys that must be there wherever the map stands. What an operation needs may come from what it extends.
pub fn required(place: Place) -> &'static [&'static str] {
    match place {
        Place::Connector => &["connector", "operations"],
        Place::Param | Place::Option => &["type"],
        Place::AuthModes => &["choose", "modes"],
        Place::LoginStep => &["path", "ok"],
        Place::Csrf => &["path"],
        Place::Outcome => &["class"],
        Place::ItemIndex => &["key"],
        Place::Verify => &["given", "equals"],
        Place::Async => &["task", "poll", "option", "until", "take"],
        Place::Describes => &["option", "head"],
        Place::PushAnswer => &["stored", "refused"],
        Place::PageThen => &["by", "field"],
        Place::Test => &["name", "expect"],
        Place::Connections => &["connections"],
        Place::Connection => &["connector"],
        Place::Proxy => &["url"],
        _ => &[],
    }
}

/// What a key holds.
pub fn holds(row: &KeyRow) -> Holds {
    words(row)
        .or_else(|| place_below(row))
        .unwrap_or_else(|| by_kind(row))
}

fn words(row: &KeyRow) -> Option<Holds> {
    let classes = || Class::ALL.iter().map(|class| class.name()).collect();
    Some(match (row.place, row.name) {
        (Place::Connector, "verified") => Holds::WordMap(vec!["vector", "probe", "doc", "client", "guess"]),
        (Place::Param, "type") => Holds::Word(vec![
            "text", "int", "bool", "url", "path", "choice", "list", "map",
        ]),
        (Place::Transport, "driver") => Holds::Word(Driver::ALL.iter().map(|driver| driver.name()).collect()),
        (Place::Transport, "xml_root") => Holds::Word(vec!["keep", "skip"]),
        (Place::Transport, "http") => Holds::Word(vec!["1.1", "any"]),
        (Place::Limits, "scope") => Holds::Word(Scope::ALL.iter().map(|(word, _)| *word).collect()),
        (Place::Mode | Place::Login, "cookies") => Holds::Word(vec!["keep"]),
        (Place::Login | Place::LoginStep | Place::Csrf | Place::Part | Place::Operation, "method") => {
            Holds::Word(METHODS.to_vec())
        }
        (Place::Login | Place::LoginStep, "encode") => Holds::Word(ENCODINGS.to_vec()),
        (Place::Operation, "encode") => {
            Holds::WordOrValue(ENCODINGS.iter().copied().chain(["odata_batch"]).collect())
        }
        (Place::Outcome | Place::TestExpect, "class") => Holds::Word(classes()),
        (Place::Form, "proof") => Holds::Word(PROOFS.to_vec()),
        (Place::Operation, "proof") => Holds::WordOrValue(PROOFS.to_vec()),
        (Place::Operation, "kind") => Holds::Word(vec!["read", "write", "call", "receive"]),
        (Place::Operation, "accept") => Holds::Words(Accept::ALL.iter().map(|(word, _)| *word).collect()),
        (Place::TestExpect, "refused") => {
            Holds::Word(Refusal::ALL.iter().map(|refusal| refusal.name()).collect())
        }
        (Place::Operation, "after") => Holds::Word(vec!["kept", "gone"]),
        (Place::Operation, "writes") => Holds::Words(vec!["create", "update", "void", "step"]),
        (Place::Operation, "types") => Holds::WordMap(vec![
            "text",
            "number",
            "int",
            "decimal",
            "bool",
            "bool_text",
            "date",
            "datetime",
            "ms",
            "list",
        ]),
        (Place::Option, "type") => {
            Holds::Word(vec!["text", "int", "bool", "list", "choice", "decimal", "map"])
        }
        (Place::Option, "needed_when") => Holds::Word(vec!["update_with_lines"]),
        (Place::Fields, "as") => Holds::Word(vec!["list"]),
        (Place::Filter, "as") => {
            Holds::Word(vec!["sql_text", "conditions", "members", "odata_text", "bound"])
        }
        (Place::Filter, "types") => Holds::WordMap(LITERALS.to_vec()),
        (Place::Filter, "ops") => Holds::Named(Op::names().collect()),
        (Place::Page, "by") => Holds::Word(vec![
            "number", "offset", "key", "cursor", "link", "version", "none",
        ]),
        (Place::Page, "asks") => Holds::Word(vec!["after", "from"]),
        (Place::PageThen, "by") => Holds::Word(vec!["key"]),
        (Place::Page, "total_on") => Holds::Word(vec!["every", "first"]),
        (Place::Page, "order") => Holds::Word(vec!["fixed", "moving"]),
        (Place::Rows, "dates") => Holds::Word(vec!["odata"]),
        (Place::Rows, "columns") => Holds::Word(vec!["fields"]),
        (Place::Items, "neither") => Holds::Word(vec!["unknown"]),
        (Place::Unknown, "by") => Holds::Word(vec!["key", "id", "note"]),
        (Place::Unknown, "none") => Holds::Word(vec!["resend", "hold", "done"]),
        (Place::Unknown, "many") => Holds::Word(vec!["hold"]),
        _ => return None,
    })
}

/// Keys below which another map of the table stands.
fn place_below(row: &KeyRow) -> Option<Holds> {
    Some(match (row.place, row.name) {
        (Place::Connector, "params") => Holds::Blocks(Place::Param),
        (Place::Connector, "transport") => Holds::Block(Place::Transport),
        (Place::Connector, "auth") => Holds::Either(Place::AuthModes, Place::Mode),
        (Place::Connector | Place::Mode, "sign") => Holds::Block(Place::Sign),
        (Place::Connector | Place::Mode | Place::Operation, "outcome") => Holds::Rows(Place::Outcome),
        (Place::Connector, "limits") => Holds::Block(Place::Limits),
        (Place::Operation, "limits") => Holds::Block(Place::OperationLimits),
        (Place::Connector, "shapes" | "operations") => Holds::Blocks(Place::Operation),
        (Place::Connector, "forms") => Holds::Blocks(Place::Form),
        (Place::Connector, "known_as") => Holds::Block(Place::KnownAs),
        (Place::Connector, "tests") => Holds::Rows(Place::Test),
        (Place::AuthModes, "modes") => Holds::Blocks(Place::Mode),
        (Place::Mode, "login" | "token") => Holds::Block(Place::Login),
        (Place::Login, "apply") => Holds::Block(Place::Apply),
        (Place::Login, "steps") => Holds::Rows(Place::LoginStep),
        (Place::Connector, "csrf") => Holds::Block(Place::Csrf),
        (Place::Operation, "options") => Holds::Blocks(Place::Option),
        (Place::Operation, "part") => Holds::Block(Place::Part),
        (Place::Operation, "fields") => Holds::Block(Place::Fields),
        (Place::Operation, "filter") => Holds::Block(Place::Filter),
        (Place::Operation, "window") => Holds::Block(Place::Window),
        (Place::Operation, "page") => Holds::Block(Place::Page),
        (Place::Operation, "rows") => Holds::Block(Place::Rows),
        (Place::Operation, "async") => Holds::Block(Place::Async),
        (Place::Operation, "describes") => Holds::Block(Place::Describes),
        (Place::Operation, "verify") => Holds::Block(Place::Verify),
        (Place::Operation, "push") => Holds::Block(Place::Push),
        (Place::Operation, "answer") => Holds::Block(Place::PushAnswer),
        (Place::PushAnswer, "stored" | "refused") => Holds::Block(Place::PushReply),
        (Place::Test, "push") => Holds::Block(Place::TestPush),
        (Place::Page, "then") => Holds::Block(Place::PageThen),
        (Place::Operation, "batch") => Holds::Block(Place::Batch),
        (Place::Operation, "items") => Holds::Block(Place::Items),
        (Place::Operation, "item") => Holds::Block(Place::Item),
        (Place::Operation, "unknown") => Holds::Block(Place::Unknown),
        (Place::Filter, "names") => Holds::Block(Place::FilterNames),
        (Place::Items, "index") => Holds::TextOrBlock(Place::ItemIndex),
        (Place::Test, "call") => Holds::Block(Place::TestCall),
        (Place::Test, "answer") => Holds::Block(Place::TestAnswer),
        (Place::Test, "sign") => Holds::Block(Place::TestSign),
        (Place::Test, "expect") => Holds::Block(Place::TestExpect),
        (Place::Connections, "connections") => Holds::Blocks(Place::Connection),
        (Place::Connection, "env") => Holds::Blocks(Place::ConnectionEnv),
        (Place::Connection | Place::ConnectionEnv, "limits") => Holds::Block(Place::ConnectionLimits),
        (Place::Connection | Place::ConnectionEnv, "proxy") => Holds::Block(Place::Proxy),
        (Place::Connection | Place::ConnectionEnv, "tls") => Holds::Block(Place::Tls),
        (Place::Connection | Place::ConnectionEnv, "timeouts") => Holds::Block(Place::Timeouts),
        _ => return None,
    })
}

fn by_kind(row: &KeyRow) -> Holds {
    match (row.kind, row.place) {
        ("text or {zh, en}", _) => Holds::Words2,
        ("int", _) => Holds::Int,
        ("bool", _) => Holds::Bool,
        ("map", Place::Option) => Holds::DataMap,
        ("value", Place::Param | Place::Option | Place::TestAnswer | Place::TestPush | Place::TestExpect) => {
            Holds::Data
        }
        ("value", _) => Holds::Value,
        ("list of values", _) => Holds::Values(None),
        ("list of two values", _) => Holds::Values(Some(2)),
        ("map of values", _) => Holds::ValueMap,
        ("map of recipes" | "map of paths", _) => Holds::TextMap,
        ("condition", _) => Holds::Cond,
        ("int or list", _) => Holds::IntOrList,
        ("list", Place::TestExpect) => Holds::DataList,
        ("list" | "list of paths", _) => Holds::Texts,
        ("rate or list" | "path or paths" | "paths" | "hours or list", _) => Holds::TextOrTexts,
        ("map", _) => Holds::DataMap,
        // A word that the reader takes as it is, an id, a zone, a recipe, a path, a duration, a size.
        _ => Holds::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KEYS, State};

    /// A kind that nobody thought of would be read as a text.
    #[test]
    fn every_kind_is_known() {
        const TEXTS: [&str; 13] = [
            "id",
            "zone",
            "path",
            "recipe",
            "text",
            "duration",
            "size",
            "parameter",
            "rate",
            "name",
            "operation",
            "short or recipe",
            "midnight or recipe",
        ];
        for row in KEYS.iter().filter(|row| row.state == State::Now) {
            let is_text = holds(row) == Holds::Text;
            let tests = [Place::TestSign, Place::TestPush];
            let is_free_word = tests.contains(&row.place) && row.kind == "word";
            assert!(!is_text || is_free_word || TEXTS.contains(&row.kind), "{row:?}");
            if row.kind == "map" && holds(row) == Holds::DataMap {
                let data = [
                    Place::Test,
                    Place::Option,
                    Place::TestCall,
                    Place::TestAnswer,
                    Place::TestPush,
                    Place::TestSign,
                    Place::TestExpect,
                    Place::KnownAs,
                ];
                let params = row.name == "params";
                assert!(params || data.contains(&row.place), "{row:?}");
            }
        }
    }

    #[test]
    fn what_must_be_there_is_in_the_table() {
        for row in KEYS {
            for name in required(row.place) {
                assert!(crate::keys::at(row.place).any(|row| row.name == *name), "{name}");
            }
        }
    }
}
