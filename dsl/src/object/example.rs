//! A document as an object declares it, made up: for people who call it, and for the fields that are known of it.

use super::{Field, Object, Standard, Type};
use crate::value::{Map, Value};

impl Object {
    /// A document that fits, unless a text is bound to fewer characters than its sensitive mask has.
    pub fn example(&self) -> Standard {
        Standard {
            object: self.name.clone(),
            master: fields(&self.fields),
            details: self
                .details
                .iter()
                .map(|detail| (detail.name.clone(), vec![fields(&detail.fields)]))
                .collect(),
        }
    }

    /// A row of the standard form whose members are all there are; `None` where others are taken, too, or where nobody
    /// knows what is below one.
    pub fn whole_row(&self) -> Option<Value> {
        let details = self.details.iter().map(|detail| (&detail.fields, detail.open));
        let all = std::iter::once((&self.fields, self.open)).chain(details);
        let is_known = |(fields, open): (&Vec<Field>, bool)| {
            !open
                && fields
                    .iter()
                    .all(|field| !matches!(field.ty, Type::List | Type::Map))
        };
        all.into_iter().all(is_known).then(|| self.example().value())
    }
}

fn fields(fields: &[Field]) -> Map {
    fields
        .iter()
        .map(|field| (field.name.clone(), value(field)))
        .collect()
}

fn value(field: &Field) -> Value {
    let short = |text: &str, most: Option<usize>| {
        Value::from(text.chars().take(most.unwrap_or(usize::MAX)).collect::<String>())
    };
    match &field.ty {
        Type::Text(most) if field.sensitive => short("***", *most),
        Type::Text(most) => short(&format!("{}-1", field.name), *most),
        Type::Int => Value::from(1),
        Type::Decimal => Value::from("100.00"),
        Type::Bool => Value::Bool(true),
        Type::Date => Value::from("2026-11-23"),
        Type::Datetime => Value::from("2026-11-23 08:00:00"),
        Type::Ms => Value::from(1_795_392_000_000),
        Type::Choice(of) => Value::from(of.first().map_or("", String::as_str)),
        Type::List => Value::List(Vec::new()),
        Type::Map => Value::Map(Map::new()),
    }
}
