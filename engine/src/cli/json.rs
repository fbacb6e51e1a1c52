//! Documents for programs: `schema` first, keys in the order written, digits as they are.

use dsl::{Map, Value};

pub(crate) use dsl::json::pretty;

/// An object with its members in order: `object! { "schema" => "engine.x/1", "count" => 3_u64 }`.
macro_rules! object {
    ($($key:expr => $value:expr),* $(,)?) => {{
        let mut members = dsl::Map::new();
        $(members.insert(String::from($key), $crate::cli::json::ToJson::to_json(&$value));)*
        dsl::Value::Map(members)
    }};
}
pub(crate) use object;

/// What can stand in a document.
pub(crate) trait ToJson {
    /// As a value.
    fn to_json(&self) -> Value;
}

impl ToJson for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }
}

impl ToJson for Map {
    fn to_json(&self) -> Value {
        Value::Map(self.clone())
    }
}

impl ToJson for str {
    fn to_json(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToJson for String {
    fn to_json(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl ToJson for bool {
    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                dsl::Number::parse(&self.to_string()).map_or(Value::Null, Value::Number)
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i64);

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self) -> Value {
        (*self).to_json()
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToJson::to_json)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn to_json(&self) -> Value {
        self.as_slice().to_json()
    }
}

impl<T: ToJson> ToJson for [T] {
    fn to_json(&self) -> Value {
        Value::List(self.iter().map(ToJson::to_json).collect())
    }
}

impl ToJson for serde_json::Value {
    fn to_json(&self) -> Value {
        dsl::json::parse(self.to_string().as_bytes()).unwrap_or(Value::Null)
    }
}

/// Stored bytes as the value they are; what cannot be read is shown as text.
pub(crate) fn stored(bytes: &[u8]) -> Value {
    dsl::json::parse(bytes).unwrap_or_else(|_| Value::Text(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_order_and_digits() {
        let document = object! {
            "schema" => "engine.x/1",
            "count" => 3_u64,
            "price" => stored(b"1.10"),
            "none" => None::<String>,
            "broken" => stored(b"{"),
            "rows" => vec![object! {"b" => true, "a" => "\u{5ba2}\u{6237}"}],
        };
        assert_eq!(
            pretty(&document),
            "{\n  \"schema\": \"engine.x/1\",\n  \"count\": 3,\n  \"price\": 1.10,\n  \"none\": null,\n  \
             \"broken\": \"{\",\n  \"rows\": [\n    {\"b\":true,\"a\":\"客户\"}\n  ]\n}"
        );
        assert_eq!(dsl::json::parse(pretty(&document).as_bytes()), Ok(document));
    }
}
