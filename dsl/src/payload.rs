//! A document on its way to a target.

use std::sync::{Arc, OnceLock};

use crate::json;
use crate::value::Value;

/// A document: as a tree, as the bytes of its JSON, or as both. One is made of the other when somebody reads it, once for
/// all who hold it.
#[derive(Debug, Clone)]
pub struct Payload(Arc<Forms>);

#[derive(Debug, Default)]
struct Forms {
    tree: OnceLock<Value>,
    json: OnceLock<Arc<[u8]>>,
}

impl Payload {
    /// A document that was written over slots: these bytes are as [`json::write`] would write them.
    pub fn written(json: Arc<[u8]>) -> Payload {
        Payload(Arc::new(Forms {
            tree: OnceLock::new(),
            json: OnceLock::from(json),
        }))
    }

    /// The document as a tree.
    pub fn tree(&self) -> &Value {
        self.0.tree.get_or_init(|| {
            let json = self.0.json.get().map_or(&b"null"[..], |json| json);
            json::parse_own(json).expect("a document that was written is JSON")
        })
    }

    /// The document as compact JSON.
    pub fn json(&self) -> &Arc<[u8]> {
        self.0.json.get_or_init(|| {
            let mut bytes = Vec::new();
            json::write(self.tree(), &mut bytes);
            bytes.into()
        })
    }

    /// Its bytes, as long as nobody needed it as a tree.
    pub fn as_written(&self) -> Option<&Arc<[u8]>> {
        match self.0.tree.get() {
            None => self.0.json.get(),
            Some(_) => None,
        }
    }
}

impl From<Value> for Payload {
    fn from(tree: Value) -> Payload {
        Payload(Arc::new(Forms {
            tree: OnceLock::from(tree),
            json: OnceLock::new(),
        }))
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Payload) -> bool {
        self.json() == other.json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_made_of_the_other() {
        let text = r#"{"a":"x\n","b":[1.50,{"c":null}]}"#;
        let written = Payload::written(text.as_bytes().into());
        assert_eq!(json::to_string(written.tree()), text);
        let grown = Payload::from(written.tree().clone());
        assert_eq!(grown.json().as_ref(), text.as_bytes());
        assert_eq!(grown, written);
        assert_eq!(grown.tree(), written.tree());
    }

    /// A row may be nested as deep as is read, and stands in a document at some place of it.
    #[test]
    fn deeper_than_a_row() {
        let depth = 2 * json::MAX_DEPTH;
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json::parse(text.as_bytes()).is_err());
        let written = Payload::written(text.as_bytes().into());
        assert_eq!(json::to_string(written.tree()), text);
    }
}
