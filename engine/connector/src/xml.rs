//! XML, read into values and written from them.
//!
//! An element with elements or attributes is a map, one without is its text; elements of one name are a list as soon as
//! there are two. Attributes are members whose names begin with `@`, text beside elements is `#text`; prefixes of
//! namespaces are left out. A document type is refused, and with it every entity but the five that XML itself has:
//! nothing is fetched and nothing grows. Depth and number of elements are bounded; bytes are bounded where an answer is
//! read.

use dsl::catalogue::source;
use dsl::{Failure, Map, Path, Value};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting, as of JSON.
const DEPTH_MAX: usize = 128;
/// Most elements and attributes of one text; a page has some thousand rows of some dozen fields.
const NODES_MAX: usize = 1_000_000;

/// Why a text is not read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) why: &'static str,
    pub(crate) offset: u64,
}

impl Unread {
    /// Whether it is the document type.
    pub(crate) fn is_document_type(&self) -> bool {
        self.why == DOCUMENT_TYPE
    }
}

/// Why a text with a document type is not read.
const DOCUMENT_TYPE: &str = "a document type is refused";

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    members: Map,
    text: String,
}

impl Open {
    fn value(self) -> Value {
        let Open {
            mut members, text, ..
        } = self;
        if members.is_empty() {
            return Value::from(text);
        }
        let text = text.trim();
        if !text.is_empty() {
            members.insert("#text".to_owned(), text.into());
        }
        Value::Map(members)
    }

    fn add(&mut self, name: String, value: Value) {
        match self.members.get_mut(&name) {
            None => {
                self.members.insert(name, value);
            }
            Some(Value::List(list)) => list.push(value),
            Some(first) => {
                let one = std::mem::replace(first, Value::Null);
                *first = Value::List(vec![one, value]);
            }
        }
    }
}

/// Reads a text as a map with one member, its root.
pub(crate) fn read(text: &str) -> Result<Value, Unread> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    // The outermost is the document itself.
    let mut open = vec![Open::default()];
    let mut nodes = 0;
    loop {
        let event = reader.read_event();
        let at = |why| Unread {
            why,
            offset: reader.buffer_position(),
        };
        match event.map_err(|_| at("not well formed"))? {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err(at("nested too deeply"));
                }
                open.push(begun(&start, &mut nodes).map_err(at)?);
            }
            Event::Empty(start) => {
                let element = begun(&start, &mut nodes).map_err(at)?;
                close(element, &mut open).map_err(at)?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| at("not well formed"))?;
                close(element, &mut open).map_err(at)?;
            }
            Event::Text(text) => add_text(&mut open, &text.xml10_content()).map_err(at)?,
            Event::CData(text) => add_text(&mut open, &text.xml10_content()).map_err(at)?,
            Event::GeneralRef(reference) => {
                let char = match &*reference {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok().flatten(),
                };
                let char = char
                    .filter(|char| is_char(*char))
                    .ok_or_else(|| at("unknown entity"))?;
                add_text(&mut open, char.encode_utf8(&mut [0; 4])).map_err(at)?;
            }
            Event::DocType(_) => return Err(at(DOCUMENT_TYPE)),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof if open.len() > 1 => return Err(at("it breaks off")),
            Event::Eof => {
                let document = open.pop().unwrap_or_default();
                return match document.members.len() {
                    1 => Ok(Value::Map(document.members)),
                    _ => Err(at("there is no root element")),
                };
            }
        }
    }
}

fn begun(start: &BytesStart<'_>, nodes: &mut usize) -> Result<Open, &'static str> {
    let mut count = || {
        *nodes += 1;
        if *nodes > NODES_MAX {
            Err("too many elements")
        } else {
            Ok(())
        }
    };
    count()?;
    let mut element = Open {
        name: start.local_name().into_inner().to_owned(),
        ..Open::default()
    };
    for attribute in start.attributes() {
        count()?;
        let attribute = attribute.map_err(|_| "not well formed")?;
        let name = attribute.key.0;
        if name == "xmlns" || name.starts_with("xmlns:") {
            continue;
        }
        // Only the five entities of XML itself are known; another one is an error.
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| "unknown entity")?;
        let name = attribute.key.local_name().into_inner();
        element.members.insert(format!("@{name}"), value.as_ref().into());
    }
    Ok(element)
}

fn close(element: Open, open: &mut [Open]) -> Result<(), &'static str> {
    let is_root = open.len() == 1;
    let Some(parent) = open.last_mut() else {
        return Err("not well formed");
    };
    if is_root && !parent.members.is_empty() {
        return Err("there is more than one root element");
    }
    let name = element.name.clone();
    parent.add(name, element.value());
    Ok(())
}

fn add_text(open: &mut [Open], text: &str) -> Result<(), &'static str> {
    let is_outside = open.len() == 1;
    match open.last_mut() {
        Some(_) if is_outside && text.trim().is_empty() => Ok(()),
        Some(element) if !is_outside => {
            element.text.push_str(text);
            Ok(())
        }
        _ => Err("text outside the root element"),
    }
}

/// Rows at a path of a text in XML, where one row looks like none of a list and no row is not there at all. `None` when
/// not even the place above them is there.
pub(crate) fn rows(body: &Value, at: &Path) -> Option<Vec<Value>> {
    match at.get(body) {
        Some(Value::List(list)) => Some(list.clone()),
        Some(Value::Text(text)) if text.trim().is_empty() => Some(Vec::new()),
        Some(one) => Some(vec![one.clone()]),
        None => {
            let text = at.to_string();
            let (above, _) = text.rsplit_once('.')?;
            Path::parse(above).ok()?.get(body).map(|_| Vec::new())
        }
    }
}

/// The bytes of a document whose root holds a value.
pub fn write(root: &str, value: &Value) -> Result<Vec<u8>, Failure> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    element(root, value, root, &mut out)?;
    Ok(out.into_bytes())
}

fn refused(place: &str, why: &str) -> Failure {
    Failure::new(&source::FRAME).with("place", place).with("why", why)
}

fn element(name: &str, value: &Value, place: &str, out: &mut String) -> Result<(), Failure> {
    if !is_name(name) {
        return Err(refused(place, "no name of an element"));
    }
    if let Value::List(list) = value {
        return list.iter().try_for_each(|one| match one {
            Value::List(_) => Err(refused(place, "list")),
            one => element(name, one, place, out),
        });
    }
    out.push('<');
    out.push_str(name);
    let mut inner = String::new();
    match value {
        Value::Map(members) => {
            for (member, value) in members {
                let below = format!("{place}.{member}");
                match member.strip_prefix('@') {
                    Some(attribute) if is_name(attribute) => {
                        out.push_str(&format!(" {attribute}=\""));
                        escape(&single(value, &below)?, &below, out)?;
                        out.push('"');
                    }
                    Some(_) => return Err(refused(&below, "no name of an attribute")),
                    None if member == "#text" => escape(&single(value, &below)?, &below, &mut inner)?,
                    None => element(member, value, &below, &mut inner)?,
                }
            }
        }
        value => escape(&single(value, place)?, place, &mut inner)?,
    }
    match inner.is_empty() {
        true => out.push_str("/>"),
        false => out.push_str(&format!(">{inner}</{name}>")),
    }
    Ok(())
}

fn single(value: &Value, place: &str) -> Result<String, Failure> {
    match value {
        Value::Null => Ok(String::new()),
        value => value
            .to_plain_text()
            .ok_or_else(|| refused(place, value.kind().name())),
    }
}

/// Whether the format can say a character at all (XML 1.0, 2.2).
fn is_char(char: char) -> bool {
    !matches!(char, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn escape(text: &str, place: &str, out: &mut String) -> Result<(), Failure> {
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Readers make blanks and line feeds of them.
            '\r' | '\n' | '\t' => out.push_str(&format!("&#{};", u32::from(char))),
            char if is_char(char) => out.push(char),
            char => return Err(refused(place, &format!("U+{:04X}", u32::from(char)))),
        }
    }
    Ok(())
}

/// A name without a prefix, or with one.
pub(crate) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let mut chars = part.chars();
        let first = chars
            .next()
            .is_some_and(|char| char.is_alphabetic() || char == '_');
        first && chars.all(|char| char.is_alphanumeric() || "-_.".contains(char))
    };
    name.len() <= 128 && name.split(':').count() <= 2 && name.split(':').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(value) => dsl::json::to_string(&value),
            Err(unread) => unread.why.to_owned(),
        }
    }

    #[test]
    fn what_is_read() {
        for (text, want) in [
            ("<a>1.50</a>", r#"{"a":"1.50"}"#),
            ("<?xml version=\"1.0\"?>\n<!-- x --><a/>\n", r#"{"a":""}"#),
            (
                "<r><a>1</a><b> 客 </b><a>2</a><a/></r>",
                r#"{"r":{"a":["1","2",""],"b":" 客 "}}"#,
            ),
            (
                "<s:Env xmlns:s='u' s:id=\"7\"><s:Body n='a&amp;b'>t</s:Body></s:Env>",
                r##"{"Env":{"@id":"7","Body":{"@n":"a&b","#text":"t"}}}"##,
            ),
            (
                "<a>x&lt;y&#x5ba2;<![CDATA[<z>&amp;]]></a>",
                r#"{"a":"x<y客<z>&amp;"}"#,
            ),
            ("<a>1\r\n2</a>", r#"{"a":"1\n2"}"#),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(DEPTH_MAX + 1), "</a>".repeat(DEPTH_MAX + 1));
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>";
        for (text, want) in [
            ("", "there is no root element"),
            ("x", "text outside the root element"),
            ("<a/><b/>", "there is more than one root element"),
            ("<a>", "it breaks off"),
            ("<a><b></a>", "not well formed"),
            ("<a x='1' x='2'/>", "not well formed"),
            ("<a>&lol;</a>", "unknown entity"),
            ("<a x='&lol;'/>", "unknown entity"),
            ("<a>&#0;</a>", "unknown entity"),
            (laughs, "a document type is refused"),
            (
                "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
                "a document type is refused",
            ),
            (&deep, "nested too deeply"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
        let many = format!("<a>{}</a>", "<b/>".repeat(NODES_MAX));
        assert_eq!(shown(&many), "too many elements");
    }

    #[test]
    fn rows_are_a_list_however_many() {
        let count = |text: &str| {
            let body = read(text).unwrap();
            rows(&body, &Path::parse("r.list.row").unwrap()).map(|rows| rows.len())
        };
        for (text, want) in [
            (
                "<r><list><row><a>1</a></row><row><a>2</a></row></list></r>",
                Some(2),
            ),
            ("<r><list><row><a>1</a></row></list></r>", Some(1)),
            ("<r><list/></r>", Some(0)),
            ("<r><list><total>0</total></list></r>", Some(0)),
            ("<r><error>x</error></r>", None),
        ] {
            assert_eq!(count(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let value = |text: &str| dsl::json::parse(text.as_bytes()).unwrap();
        for (json, want) in [
            (
                r#"{"no":"00123","qty":1.50,"ok":true}"#,
                "<r><no>00123</no><qty>1.50</qty><ok>true</ok></r>",
            ),
            (
                r#"{"line":[{"a":1},{"a":2}],"none":[],"null":null}"#,
                "<r><line><a>1</a></line><line><a>2</a></line><null/></r>",
            ),
            (
                r##"{"@id":"a\"b","#text":"<客>&"}"##,
                "<r id=\"a&quot;b\">&lt;客&gt;&amp;</r>",
            ),
            (r#""]]><x>""#, "<r>]]&gt;&lt;x&gt;</r>"),
            (r#""a\nb""#, "<r>a&#10;b</r>"),
        ] {
            let written = String::from_utf8(write("r", &value(json)).unwrap()).unwrap();
            assert_eq!(
                written.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
                Some(want)
            );
            assert!(read(&written).is_ok(), "{written}");
        }
        for json in [
            r#"{"a b":1}"#,
            r#"{"1a":1}"#,
            r#"{"@a b":1}"#,
            r#"{"a":"\u0001"}"#,
            r#"{"a":[[1]]}"#,
            r#"{"a><b":1}"#,
            r#"{"@a":[1]}"#,
        ] {
            let failure = write("r", &value(json)).expect_err(json);
            assert_eq!(failure.code(), source::FRAME.code, "{json}");
        }
    }
}
