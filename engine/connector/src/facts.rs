//! What a scheme is checked against: the facts of a connection's operations, its parameters already in them.

use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::diagnostic::did_you_mean;
use dsl::facts::{
    Asked, Ceilings, ConnectorFacts, FilterKind, NotFound, OpKind, OperationFacts, OwnOperation, PageFacts,
    Sample, Text2,
};
use dsl::tree::Columns;
use dsl::{Diagnostic, Map};

use crate::connection::Connection;
use crate::model::{Encode, FilterPrint, Operation};
use crate::request::{Call, PageState};

/// Half an hour of silence is too long and every second is too often: the interval of a file that says nothing.
const MIN_INTERVAL_MS: i64 = 360_000;

/// Rows a page when a size cannot be computed.
const PAGE_SIZE: u32 = 50;
/// The option that lists the columns of a document that is one line of a file.
const COLUMNS: &str = "columns";

/// The facts of one connection, and what was fetched through it to look at.
#[derive(Debug)]
pub struct Facts(Arc<Connection>, Option<Samples>);

/// What somebody fetched: operation, and rows.
pub type Samples = Vec<(String, Sample)>;

impl Connection {
    /// The facts a scheme is checked against.
    pub fn facts(self: &Arc<Self>) -> Arc<dyn ConnectorFacts> {
        Arc::new(Facts(Arc::clone(self), None))
    }

    /// The same with samples of one's own beside those of the connector.
    pub fn facts_with(self: &Arc<Self>, samples: Samples) -> Arc<dyn ConnectorFacts> {
        Arc::new(Facts(Arc::clone(self), Some(samples)))
    }

    /// Everything of the first call that can differ between two requests.
    fn sent(&self, operation: &Operation, asked: &Asked<'_>) -> Option<Vec<u8>> {
        let mut call = Call::new(&operation.name, asked.options, asked.now_ms);
        call.request = Some(asked.request.clone());
        call.window = Some(asked.window);
        call.window_field = asked.window_field;
        call.page = self.page_facts(operation).map(|page| PageState {
            number: page.first,
            size: page.size,
            ..PageState::default()
        });
        let prepared = self.prepare(&call).ok()?;
        let mut bytes = prepared.path.into_bytes();
        for (name, value) in prepared.query.iter().chain(&prepared.headers) {
            for text in [name, value] {
                bytes.push(0);
                bytes.extend_from_slice(text.as_bytes());
            }
        }
        bytes.push(0);
        bytes.extend_from_slice(&prepared.body);
        Some(bytes)
    }

    /// How an operation pages, with this connection's parameters.
    pub(crate) fn page_facts(&self, operation: &Operation) -> Option<PageFacts> {
        let page = operation.page.as_ref()?;
        let frame = self.frame(operation, &Map::new(), 0);
        let number = |tree| {
            let text = frame.text(tree, "page").ok().flatten();
            text.and_then(|text| text.parse::<u32>().ok())
                .filter(|number| *number > 0)
        };
        let size = number(&page.size).unwrap_or(PAGE_SIZE);
        let max = page.max.as_ref().and_then(number).unwrap_or(size);
        Some(PageFacts {
            size: size.min(max),
            max,
            first: page.first,
            by: page.by.kind(),
            moves: page.moves,
            ceiling: page.ceiling.map(u64::from),
            then_by_key: page.then.is_some(),
        })
    }

    fn operation_facts(
        self: &Arc<Self>,
        operation: &Arc<Operation>,
        samples: Option<&Samples>,
    ) -> OperationFacts {
        let mut facts = OperationFacts::new(operation.name.clone(), operation.kind);
        facts.label = operation.label.clone();
        facts.options = operation.options.clone();
        facts.request = operation.request.clone();
        facts.request_owned = operation.owned.clone();
        facts.uses_window = operation.uses_window;
        facts.takes_request = operation.mentions("$request");
        facts.window_by_field = operation
            .window
            .as_ref()
            .and_then(|window| window.filter.as_ref())
            .is_some_and(|filter| names_field(&filter.names()))
            || operation
                .body
                .as_ref()
                .is_some_and(|body| names_field(body.names()));
        facts.window_max_ms = operation.window.as_ref().and_then(|window| window.max_ms);
        facts.keeps_ms = operation.window.as_ref().and_then(|window| window.keeps_ms);
        facts.page = self.page_facts(operation);
        facts.one_row = operation.rows.as_ref().is_some_and(|rows| rows.one);
        facts.fields_required = operation.fields.as_ref().is_some_and(|fields| fields.required);
        facts.accepts_fields = operation.fields.is_some();
        facts.filter_required = operation.filter_required;
        facts.filter = operation.filter.as_ref().map(|print| match print {
            FilterPrint::SqlText => FilterKind::SqlText,
            FilterPrint::Members => FilterKind::Conditions(vec!["eq".to_owned()]),
            FilterPrint::Odata(_) => FilterKind::Conditions(
                crate::odata::WORDS
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect(),
            ),
            FilterPrint::Bound => FilterKind::Bound,
            FilterPrint::Conditions(words) => {
                FilterKind::Conditions(words.ops.iter().map(|(op, _)| op.name().to_owned()).collect())
            }
        });
        if !operation.samples.is_empty() {
            let mut columns = Columns::default();
            operation.samples.iter().for_each(|row| columns.add_row(row));
            facts.words = columns.words();
            facts.columns = Some(columns.texts());
        }
        facts.samples = samples.map(|samples| {
            let own = samples.iter().filter(|(of, _)| *of == operation.name);
            let builtin = Sample {
                rows: operation.samples.clone(),
                ..Sample::default()
            };
            let own = own.map(|(_, sample)| sample.clone());
            own.chain((!builtin.rows.is_empty()).then_some(builtin)).collect()
        });
        if let Some(FilterPrint::Conditions(words)) = &operation.filter {
            facts.filter_fields = words.fields.clone();
        }
        facts.writes = operation.writes.clone();
        facts.key_under = operation.key_under.clone();
        facts.batch_max = operation.batch_max;
        facts.proof_needs = operation.proof_needs.clone();
        facts.types = operation.types.clone();
        facts.line_ids = operation
            .items
            .as_ref()
            .is_some_and(|items| items.lines.is_some())
            || operation.item.as_ref().is_some_and(|item| item.lines.is_some());
        let unknown = operation.unknown.as_ref();
        facts.asked_by_choice = unknown.is_some_and(|unknown| unknown.when.is_some());
        if operation.encode == Encode::Sql {
            facts.faults = Box::new(crate::sql::option_faults);
            let is_line = facts.kind == OpKind::Write && facts.option(COLUMNS).is_some();
            facts.flat = is_line.then(|| COLUMNS.to_owned());
        }
        let (connection, of) = (Arc::clone(self), Arc::clone(operation));
        facts.keys = Box::new(move |options| connection.keys(&of, options));
        let (connection, of) = (Arc::clone(self), Arc::clone(operation));
        facts.proof = Box::new(move |options| connection.proof(&of, options));
        if operation.kind == OpKind::Read {
            let (connection, of) = (Arc::clone(self), Arc::clone(operation));
            facts.sent = Box::new(move |asked| connection.sent(&of, asked));
        }
        facts
    }
}

/// Whether the time field of a scheme is among these names.
fn names_field<P: std::fmt::Display>(names: &[P]) -> bool {
    names.iter().any(|name| name.to_string() == "$window.field")
}

impl ConnectorFacts for Facts {
    fn id(&self) -> &str {
        &self.0.connector.id
    }

    fn zone(&self) -> &str {
        self.0.zone_name().unwrap_or(&self.0.connector.zone)
    }

    fn min_interval_ms(&self) -> i64 {
        self.0.limits.min_interval_ms.unwrap_or(MIN_INTERVAL_MS)
    }

    fn min_interval_reason(&self) -> Option<&Text2> {
        self.0.limits.reason.as_ref()
    }

    fn ceilings(&self) -> Ceilings {
        let limits = &self.0.limits;
        Ceilings {
            rates: limits
                .rates
                .iter()
                .map(|rate| (rate.calls, rate.per_ms))
                .collect(),
            concurrency: limits.concurrency,
            per_day: limits.per_day,
        }
    }

    fn limit_place(&self, key: &str) -> String {
        let (own, all) = (&self.0.limits, &self.0.connector.limits);
        let is_written = match key {
            "rate" => own.rates != all.rates,
            "concurrency" => own.concurrency != all.concurrency,
            "per_day" => own.per_day != all.per_day,
            _ => false,
        };
        if is_written {
            return format!("connections.yaml: {}.limits.{key}", self.0.name);
        }
        let file = &self.0.connector.file;
        let line = dsl::yaml::read(file).ok().and_then(|node| {
            let at = node.get("limits")?.value.get(key)?.key_span.start;
            Some(file.text.get(..at)?.matches('\n').count() + 1)
        });
        let id = &self.0.connector.id;
        line.map_or_else(
            || format!("{id}: limits.{key}"),
            |line| format!("{id}: connector.yaml:{line}"),
        )
    }

    fn operation(&self, api: &str) -> Result<Arc<OperationFacts>, NotFound> {
        match self.0.connector.operation(api) {
            Some(operation) => Ok(Arc::new(self.0.operation_facts(operation, self.1.as_ref()))),
            None => Err(NotFound {
                similar: did_you_mean(api, self.0.connector.operation_names()),
                all: self.0.connector.operation_names().map(str::to_owned).collect(),
            }),
        }
    }

    fn own_operation(
        &self,
        own: &OwnOperation,
        registry: &Registry,
    ) -> Result<Arc<OperationFacts>, Vec<Diagnostic>> {
        let (connection, name) = self.0.with_operation(own, registry)?;
        let connection = Arc::new(connection);
        let operation = connection.connector.operation(&name);
        let operation = operation.expect("it was put there").clone();
        Ok(Arc::new(connection.operation_facts(&operation, self.1.as_ref())))
    }
}
