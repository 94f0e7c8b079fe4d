//! The `traceparent` of a request (W3C Trace Context).

use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanId, TraceContextExt as _, TraceId};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// A span that others are children of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    /// Whether whoever began the trace wants to know of it.
    pub(super) is_told: bool,
    /// Whether it is another service's.
    pub(super) is_remote: bool,
}

impl TraceParent {
    /// What a request's headers say, whose names are in lower case; none where they say nothing, or nothing that is right.
    pub fn of_headers(headers: &[(String, String)]) -> Option<Self> {
        let context = opentelemetry::Context::new();
        let context = TraceContextPropagator::new().extract_with_context(&context, &RequestHeaders(headers));
        let (span, found) = (context.span(), context.has_active_span());
        let parent = span.span_context();
        found.then(|| Self {
            trace: parent.trace_id(),
            span: parent.span_id(),
            is_told: parent.is_sampled(),
            is_remote: true,
        })
    }
}

struct RequestHeaders<'a>(&'a [(String, String)]);

impl Extractor for RequestHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(name, _)| name == key);
        // Of several, none can be believed.
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}
