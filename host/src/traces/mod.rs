//! Spans for OpenTelemetry: how long turns, openings, commits and deployments took, and what came of them, for the operator's
//! collector. Whoever has something to tell begins a span and ends it. From there a bounded queue and a thread of its own take
//! it, so that a collector that is slow or gone loses spans and holds nobody up.

mod exporter;
mod parent;
mod queue;
mod settings;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context as _;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SpanData, SpanEvents, SpanLinks};
use parking_lot::Mutex;

use crate::clock::{coarse_now, unix_now};
use crate::model::rate::Rate;
use crate::watchdog::Watchdog;
use exporter::Exporter;
use queue::SpanQueue;

pub use opentelemetry::KeyValue;
pub use parent::TraceParent;
pub use queue::LostSpans;
pub use settings::TraceSettings;

/// The longest text in a span: names of events and words of errors are what clients and guests make of them.
const TEXT_BYTES: usize = 256;

/// The spans of a server, on their way to its collector.
#[derive(Debug)]
pub struct Traces {
    queue: SpanQueue,
    /// A trace that begins here is told of where the lower half of its number, but for one bit, is below this.
    told_below: u64,
    ids: RandomIdGenerator,
}

impl Traces {
    /// Starts the thread that sends spans.
    pub fn start(settings: &TraceSettings, watchdog: &Arc<Watchdog>) -> anyhow::Result<Arc<Self>> {
        let exporter = Exporter::new(settings)?;
        let traces = Arc::new(Self::sampling(settings.sample));
        let sending = Arc::clone(&traces);
        let work = move || exporter.send_all(&sending.queue);
        watchdog.keep_thread_alive("traces", "traces".to_owned(), work).context("no thread for traces")?;
        Ok(traces)
    }

    fn sampling(part: f64) -> Self {
        // What OpenTelemetry's own sampler by ratio does, so that services which sample the same part agree.
        let told_below = (part.clamp(0.0, 1.0) * (1u64 << 63) as f64) as u64;
        Self { queue: SpanQueue::default(), told_below, ids: RandomIdGenerator::default() }
    }

    fn tells(&self, trace: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1 < self.told_below
    }

    /// How many spans the collector took.
    pub fn sent(&self) -> u64 {
        self.queue.sent()
    }

    /// How many spans were lost for this reason.
    pub fn lost(&self, why: LostSpans) -> u64 {
        self.queue.lost(why)
    }

    /// Sends what waits, for so long at most; takes no more.
    pub fn finish(&self, within: Duration) {
        self.queue.finish(within);
    }
}

/// The spans of one tenant, which have a rate.
#[derive(Debug)]
pub struct TenantTraces {
    traces: Arc<Traces>,
    rate: Mutex<Rate>,
}

/// A span that has begun.
#[derive(Debug)]
pub struct BegunSpan {
    traces: Arc<Traces>,
    own: TraceParent,
    parent: Option<TraceParent>,
    began: Duration,
}

impl BegunSpan {
    /// The span as the parent of others.
    pub fn as_parent(&self) -> TraceParent {
        self.own
    }

    /// Ends it now.
    pub fn end(self, words: SpanWords) {
        let Self { traces, own, parent, began } = self;
        let SpanWords { name, attributes, failed } = words;
        let is_remote = parent.is_some_and(|parent| parent.is_remote);
        let state = TraceState::NONE;
        traces.queue.push(Box::new(SpanData {
            span_context: SpanContext::new(own.trace, own.span, TraceFlags::SAMPLED, false, state),
            parent_span_id: parent.map_or(SpanId::INVALID, |parent| parent.span),
            parent_span_is_remote: is_remote,
            span_kind: if is_remote { SpanKind::Server } else { SpanKind::Internal },
            name: match name {
                Cow::Borrowed(name) => Cow::Borrowed(name),
                Cow::Owned(name) => Cow::Owned(short(&name)),
            },
            start_time: UNIX_EPOCH + began,
            end_time: UNIX_EPOCH + unix_now().max(began),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: failed.map_or(Status::Unset, |why| Status::error(short(&why))),
            instrumentation_scope: InstrumentationScope::builder("parlor").build(),
        }));
    }
}

/// What a span tells when it ends.
#[derive(Debug)]
pub struct SpanWords {
    pub name: Cow<'static, str>,
    pub attributes: Vec<KeyValue>,
    /// Why what it is about failed.
    pub failed: Option<String>,
}

impl TenantTraces {
    pub fn new(traces: Arc<Traces>, per_second: u32) -> Self {
        Self { traces, rate: Mutex::new(Rate::new(per_second, per_second)) }
    }

    /// Begins a span now; none where nobody wants to know of its trace, or the tenant has too many.
    pub fn begin(&self, parent: Option<TraceParent>) -> Option<BegunSpan> {
        self.begin_before(Duration::ZERO, parent)
    }

    /// The same for what began so long ago.
    pub fn begin_before(&self, ago: Duration, parent: Option<TraceParent>) -> Option<BegunSpan> {
        let Traces { queue, ids, .. } = &*self.traces;
        // Whoever began a trace decided whether it is told of.
        let (trace, is_told) = match parent {
            Some(parent) => (parent.trace, parent.is_told),
            None => {
                let trace = ids.new_trace_id();
                (trace, self.traces.tells(trace))
            }
        };
        if !is_told {
            return None;
        }
        if !self.rate.lock().allows(1, coarse_now()) {
            queue.count_lost(LostSpans::Rate, 1);
            return None;
        }
        let own = TraceParent { trace, span: ids.new_span_id(), is_told, is_remote: false };
        let traces = Arc::clone(&self.traces);
        Some(BegunSpan { traces, own, parent, began: unix_now().saturating_sub(ago) })
    }
}

/// An attribute of a span whose text may be of any length.
pub fn text_of(key: &'static str, text: &str) -> KeyValue {
    KeyValue::new(key, short(text))
}

/// An attribute of a span that counts something.
pub fn count_of(key: &'static str, count: u64) -> KeyValue {
    KeyValue::new(key, i64::try_from(count).unwrap_or(i64::MAX))
}

fn short(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES)].to_owned()
}

#[cfg(test)]
mod tests;
