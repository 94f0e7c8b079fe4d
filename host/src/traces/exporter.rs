//! How spans come to the collector: as protobuf over HTTP (OTLP), by OpenTelemetry's own exporter over the client that the
//! program has anyway.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::{BoxFuture, ready};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _};
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::queue::{LostSpans, SpanQueue};
use super::settings::TraceSettings;
use crate::roots;
use crate::seldom::Seldom;

/// How long a collector may take to be reached, and to answer.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long a batch is tried again at a collector that says that it is busy.
const BATCH_WAIT: Duration = Duration::from_secs(10);
/// The longest answer: it holds at most the number of spans that the collector did not want, and why.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Where a server's spans come from, unless the environment says otherwise.
const SERVICE: &str = "parlor";
const SERVICE_VARIABLE: &str = "OTEL_SERVICE_NAME";

/// What sends spans, on a thread of its own.
#[derive(Debug)]
pub(super) struct Exporter {
    spans: opentelemetry_otlp::SpanExporter,
    collector: Arc<Collector>,
    runtime: Runtime,
    told: Seldom,
}

impl Exporter {
    pub(super) fn new(settings: &TraceSettings) -> anyhow::Result<Self> {
        let collector = Arc::new(Collector::new(settings)?);
        let spans = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.otlp)
            .with_timeout(BATCH_WAIT)
            .with_shared_http_client(Arc::clone(&collector) as _)
            .build();
        let mut spans = spans.with_context(|| format!("traces.otlp: {}", settings.otlp))?;
        let mut resource = Resource::builder();
        if std::env::var_os(SERVICE_VARIABLE).is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        spans.set_resource(&resource.build());
        // The exporter is async by its signature; all that it waits for is on this thread.
        let runtime = tokio::runtime::Builder::new_current_thread().build().context("no runtime for traces")?;
        Ok(Self { spans, collector, runtime, told: Seldom::new() })
    }

    /// Sends what comes, until the queue ends.
    pub(super) fn send_all(&self, queue: &SpanQueue) -> ControlFlow<()> {
        while let Some(batch) = queue.next_batch() {
            self.send(batch, queue);
        }
        ControlFlow::Break(())
    }

    fn send(&self, batch: Vec<SpanData>, queue: &SpanQueue) {
        let count = batch.len() as u64;
        let Err(why) = self.runtime.block_on(self.spans.export(batch)) else { return queue.count_sent(count) };
        queue.count_lost(LostSpans::Collector, count);
        let cause = self.collector.failure.lock().take().unwrap_or_else(|| why.to_string());
        self.told.tell(|left_out| {
            let lost = LostSpans::ALL.map(|why| queue.lost(why)).iter().sum::<u64>();
            tracing::warn!(
                lost,
                left_out,
                %cause,
                "the collector of traces does not take spans: {lost} are lost since the server started"
            );
        });
    }
}

/// The operator's collector.
#[derive(Debug)]
struct Collector {
    agent: Agent,
    /// Why the last request had no answer: the exporter does not say.
    failure: Mutex<Option<String>>,
}

impl Collector {
    fn new(settings: &TraceSettings) -> anyhow::Result<Self> {
        let roots = roots::read("traces.ca-file", settings.ca_file.as_deref())?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_WAIT))
            .timeout_global(Some(ANSWER_WAIT))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: agent.new_agent(), failure: Mutex::default() })
    }

    fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (parts, mut body) = self.agent.run(request.map(Vec::from))?.into_parts();
        let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> BoxFuture<'b, Result<Response<Bytes>, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        let answer = self.exchange(request);
        *self.failure.lock() = answer.as_ref().err().map(ToString::to_string);
        Box::pin(ready(answer.map_err(HttpError::from)))
    }
}
