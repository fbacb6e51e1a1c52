//! Which fields an object of the other system has, as it tells them itself.

use dsl::catalogue::source;
use dsl::{Failure, Path, Value};

use crate::answer::HttpAnswer;
use crate::connection::Connection;
use crate::recipe::{Recipe, data};

/// Most fields that are looked at; the widest form known has some thousand.
const FIELDS_MAX: usize = 20_000;

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedField {
    /// Its name.
    pub name: String,
    /// The list of lines it stands in; `None` = the object itself.
    pub within: Option<String>,
}

impl Connection {
    /// The operation that tells the fields of the objects of another one, and the option that names the object.
    pub fn described_by(&self, api: &str) -> Option<(&str, &str)> {
        let operation = self.connector.operation(api)?;
        let has = |option: &str| operation.options.iter().any(|own| own.name == option);
        self.connector.operations.iter().find_map(|teller| {
            let describes = teller.describes.as_ref()?;
            has(&describes.option).then_some((teller.name.as_str(), describes.option.as_str()))
        })
    }

    /// The fields in the answer of an operation that describes objects. None at all is an error: then nothing was told.
    pub fn described_fields(
        &self,
        operation: &str,
        answer: &HttpAnswer,
    ) -> Result<Vec<DescribedField>, Failure> {
        let missing = |why: &str| {
            Failure::new(&source::ROWS_MISSING)
                .with("path", "describes.fields")
                .with("seen", why)
        };
        let operation = self.operation(operation)?;
        let Some(describes) = &operation.describes else {
            return Err(missing(&operation.name));
        };
        let reading = self.reading(answer);
        if let Err(failure) = &reading.body {
            return Err(failure.clone());
        }
        let (names, _) = self.answer_names(answer, &reading);
        let list = |recipe: &Recipe| match recipe.eval(&names).ok().and_then(|told| data::take(&told)) {
            Some(Value::List(list)) => list,
            Some(_) | None => Vec::new(),
        };
        let name = describes.name.as_ref();
        let mut fields: Vec<DescribedField> = list(&describes.head)
            .iter()
            .filter_map(|told| field(told, name, None))
            .collect();
        // What stands beside the object's own fields is no proof that any were told.
        if fields.is_empty() {
            return Err(missing("[]"));
        }
        let also = describes.also.as_ref().map(list).unwrap_or_default();
        fields.extend(also.iter().filter_map(|told| field(told, None, None)));
        for (lists, group) in describes
            .lists
            .iter()
            .flat_map(|lists| list(&lists.all).into_iter().map(move |group| (lists, group)))
        {
            let within = lists.name.get(&group).and_then(Value::to_plain_text);
            let Some(within) = within.filter(|text| !text.is_empty()) else {
                continue;
            };
            let lines = lists
                .fields
                .get(&group)
                .and_then(Value::as_list)
                .unwrap_or_default();
            fields.extend(lines.iter().filter_map(|told| field(told, name, Some(&within))));
        }
        fields.truncate(FIELDS_MAX);
        Ok(fields)
    }
}

fn field(told: &Value, name: Option<&Path>, within: Option<&str>) -> Option<DescribedField> {
    let found = match (told, name) {
        (Value::Map(_), Some(path)) => path.get(told)?,
        (other, _) => other,
    };
    Some(DescribedField {
        name: found.to_plain_text().filter(|text| !text.is_empty())?,
        within: within.map(str::to_owned),
    })
}
