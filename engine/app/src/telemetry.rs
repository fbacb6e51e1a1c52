//! Traces to an OpenTelemetry collector: run, page and batch, request, by OTLP over HTTP as protobuf.
//!
//! Only the spans of one target leave, with what they name: schemes, connections, operations, counts, outcomes. No line of
//! the log goes with them, no address, no key of a record and nothing that another system said. What cannot be delivered
//! is lost, and the work waits for none of it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use transport::{AllowList, Client, Timeouts};

use crate::TRACED;
use crate::error::AppError;

/// Spans that wait to be sent: some seconds of a busy service. Beyond, the newest are lost.
const QUEUE: usize = 8_192;
/// Spans of one request.
const BATCH: usize = 512;
/// How long spans wait for others.
const EVERY: Duration = Duration::from_secs(5);
/// How long one request may take, and how long the last ones are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// A collector answers with a few bytes.
const ANSWER_MAX: usize = 64 << 10;

/// Where traces go.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address; `/v1/traces` is put behind it.
    pub endpoint: String,
    /// Headers of each request, as for its password.
    pub headers: Vec<(String, String)>,
    /// What the spans say of where they come from.
    pub environment: String,
}

impl Collector {
    /// From the words of the OpenTelemetry specification: an endpoint, and headers as `name=value,name=value`.
    pub fn parse(endpoint: &str, headers: &str, environment: &str) -> Result<Self, AppError> {
        let wrong = |zh: &str, en: &str| AppError::wrong_use(zh, en);
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(wrong(
                "OTEL_EXPORTER_OTLP_ENDPOINT 应是 http(s) 地址",
                "OTEL_EXPORTER_OTLP_ENDPOINT has to be an http(s) address",
            ));
        }
        let pairs = headers.split(',').filter(|pair| !pair.trim().is_empty());
        let headers = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((name.trim().to_owned(), value.trim().to_owned()))
            })
            .collect::<Option<Vec<_>>>();
        Ok(Collector {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            headers: headers.ok_or_else(|| {
                wrong(
                    "OTEL_EXPORTER_OTLP_HEADERS 应写成 名称=值,名称=值",
                    "OTEL_EXPORTER_OTLP_HEADERS has to be name=value,name=value",
                )
            })?,
            environment: environment.to_owned(),
        })
    }
}

/// Sends what is left when it is dropped.
pub struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // What a collector does not take in time is lost.
        drop(self.0.shutdown_with_timeout(PATIENCE));
    }
}

/// A layer for the subscriber of this process, and what sends. To be called where tasks can be spawned.
pub fn layer<S>(collector: &Collector) -> Result<(impl Layer<S> + Send + Sync + use<S>, Traces), AppError>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let failed = |what: String| AppError::bug(format!("no traces: {what}"));
    let url = format!("{}/v1/traces", collector.endpoint);
    let allow = AllowList::parse([url.as_str()]).map_err(|error| failed(error.to_string()))?;
    let sender = Sender {
        client: Client::new(transport::Settings::default()).map_err(|error| failed(error.to_string()))?,
        // Whoever operates the engine wrote this address: a collector stands on this machine or beside it.
        allow: allow.plain_http(true).private_network(true),
        runtime: Handle::current(),
    };
    let headers: HashMap<String, String> = collector.headers.iter().cloned().collect();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(SharedSender(std::sync::Arc::new(sender)))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(url)
        .with_headers(headers)
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EVERY)
        .build();
    let resource = Resource::builder_empty()
        .with_service_name("engine")
        .with_attribute(opentelemetry::KeyValue::new(
            "deployment.environment.name",
            collector.environment.clone(),
        ))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(
            BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
        )
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("engine"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        // Events are lines of the log, which has a redactor of its own.
        .with_filter(filter_fn(|metadata| {
            metadata.is_span() && metadata.target() == TRACED
        }));
    Ok((layer, Traces(provider)))
}

/// Sends by the engine's own way out.
#[derive(Debug, Clone)]
struct SharedSender(std::sync::Arc<Sender>);

struct Sender {
    client: Client,
    allow: AllowList,
    runtime: Handle,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let headers = head.headers.iter();
        let headers: Vec<(String, String)> = headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let url = head.uri.to_string();
        let sent = self.client.send(transport::Request {
            method: "POST",
            url: &url,
            headers: &headers,
            body: body.to_vec(),
            timeouts: Timeouts {
                first_byte: PATIENCE,
                total: PATIENCE,
                ..Timeouts::default()
            },
            read_cap: ANSWER_MAX,
            gzip: false,
            allow: &self.allow,
        });
        let answer = sent.await.map_err(|error| error.to_string())?;
        Ok(Response::builder()
            .status(answer.status)
            .body(Bytes::from(answer.body))?)
    }
}

impl HttpClient for SharedSender {
    // What `async_trait` makes of it. Spans are sent from a thread without a runtime: the request is a task of ours.
    fn send_bytes<'life, 'made>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'made>>
    where
        'life: 'made,
        Self: 'made,
    {
        let sender = std::sync::Arc::clone(&self.0);
        Box::pin(async move {
            let runtime = sender.runtime.clone();
            runtime.spawn(async move { sender.send(request).await }).await?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_as_the_specification_says() {
        let good = Collector::parse("http://127.0.0.1:4318/", "authorization=Basic eA==, x=y", "prod");
        let good = good.expect("good");
        assert_eq!(good.endpoint, "http://127.0.0.1:4318");
        let want = [("authorization", "Basic eA=="), ("x", "y")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(good.headers, want);
        Collector::parse("127.0.0.1:4318", "", "prod").expect_err("no address");
        Collector::parse("http://a", "x", "prod").expect_err("no value");
    }
}
